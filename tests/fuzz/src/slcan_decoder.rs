//! Bytes from a serial CAN adapter.

use bms_can::transports::slcan_codec::{Decoder, Event};
use bms_can::transports::slcan_command::encode_frame;

/// The first byte says into what portions the others are cut; they must say the same however they are.
pub fn run(data: &[u8]) {
    let Some((&portion, stream)) = data.split_first() else { return };
    let mut decoder = Decoder::default();
    let whole: Vec<Event> = decoder.feed(stream).collect();
    for size in [1, usize::from(portion).max(1)] {
        let mut decoder = Decoder::default();
        let parts: Vec<Event> =
            stream.chunks(size).flat_map(|portion| decoder.feed(portion).collect::<Vec<_>>()).collect();
        assert_eq!(parts, whole, "in portions of {size}");
    }
    let garbage: usize =
        whole.iter().map(|event| if let Event::Garbage(n) = event { *n as usize } else { 0 }).sum();
    assert!(garbage <= stream.len());
    for event in &whole {
        if let Event::Version(word) | Event::Serial(word) = event {
            assert!(word.as_str().bytes().all(|b| (b' '..=b'~').contains(&b)));
        }
        if let Event::Frame(frame, time) = event {
            let mut again = Decoder::default();
            again.feed(b"\r").count();
            let line = encode_frame(frame);
            assert_eq!(
                again.feed(line.as_bytes()).collect::<Vec<_>>(),
                [Event::Frame(*frame, None)],
                "{time:?}"
            );
        }
    }
    // Whatever came before, an end of line and it is in step again.
    decoder.feed(b"\r").count();
    assert_eq!(decoder.feed(b"t3512AB01\rz\r").filter(|event| matches!(event, Event::Frame(..))).count(), 1);
}
