//! The simulated adapter: bytes from the computer, and what it writes read by the driver that is meant to read it.

use bms_can::transports::slcan_codec::{Decoder, Event};
use simulator::adapters::slcan::{Action, Adapter, TransmitReply};

/// The first byte has the kind of adapter and the size of portions, the rest are bytes from the computer.
pub fn run(data: &[u8]) {
    let Some((&first, stream)) = data.split_first() else { return };
    let adapter = || Adapter::new(if first & 1 == 0 { TransmitReply::Z } else { TransmitReply::Cr });
    let mut whole = adapter();
    let actions = whole.receive(stream);
    let answers = actions.iter().filter(|action| matches!(action, Action::Answer(_))).count();
    assert_eq!(answers, stream.iter().filter(|&&byte| byte == b'\r').count(), "one answer for each line");
    let mut cut = adapter();
    let portions = stream.chunks(1 + usize::from(first >> 1));
    assert_eq!(portions.flat_map(|portion| cut.receive(portion)).collect::<Vec<_>>(), actions);

    let mut decoder = Decoder::default();
    decoder.feed(b"\r").count();
    let mut line = Vec::new();
    for action in &actions {
        match action {
            Action::Answer(answer) => {
                assert!(!decoder.feed(answer).any(|event| matches!(event, Event::Garbage(_))), "{answer:?}");
            }
            Action::Transmit(frame) => {
                whole.line(frame, 61_234, &mut line);
                let events: Vec<Event> = decoder.feed(&line).collect();
                let [Event::Frame(read, _)] = events[..] else { panic!("{frame:?} reads as {events:?}") };
                assert_eq!((read.id().number(), read.id().is_extended()), (frame.id, frame.extended));
                assert_eq!(read.data(), frame.data());
            }
        }
    }
}
