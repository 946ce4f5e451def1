//! An slcan adapter: the device end of the ASCII protocol of the Lawicel CAN232 and CANUSB manuals.
//!
//! A line ends with CR. Done is answered with CR, refused with BELL. A sent frame is answered as `reply` says,
//! because adapters differ there. Lines longer than any command are refused as a whole.

use serde::Deserialize;

use crate::can::Frame;

/// A whole line is never longer: `T`, 8 digits of identifier, length, 16 digits of data.
const LONGEST_LINE: usize = 30;
const CR: u8 = b'\r';
const BELL: u8 = 0x07;

/// How an adapter answers a frame that it has sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransmitReply {
    /// `z` or `Z` and CR, as the original.
    #[default]
    Z,
    /// CR alone, as a CANable.
    Cr,
}

/// State of the adapter's CAN channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Channel {
    Closed,
    Open,
    ListenOnly,
}

/// What the adapter does with what it received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Answers the computer.
    Answer(Vec<u8>),
    /// Puts this frame onto the bus.
    Transmit(Frame),
}

/// An adapter.
#[derive(Debug, Clone)]
pub struct Adapter {
    reply: TransmitReply,
    channel: Channel,
    timestamps: bool,
    overrun: bool,
    line: Vec<u8>,
    too_long: bool,
}

impl Adapter {
    /// An adapter just plugged in: channel closed, no time stamps.
    pub fn new(reply: TransmitReply) -> Self {
        Self {
            reply,
            channel: Channel::Closed,
            timestamps: false,
            overrun: false,
            line: Vec::with_capacity(LONGEST_LINE),
            too_long: false,
        }
    }

    /// Does it pass on frames from the bus?
    pub fn is_open(&self) -> bool {
        self.channel != Channel::Closed
    }

    /// Remembers that frames were lost; the next `F` tells.
    pub fn note_overrun(&mut self) {
        self.overrun = true;
    }

    /// Takes bytes from the computer and says what comes of them, in order.
    pub fn receive(&mut self, bytes: &[u8]) -> Vec<Action> {
        let mut actions = Vec::new();
        for &byte in bytes {
            if byte == CR {
                let line = std::mem::take(&mut self.line);
                let refused = std::mem::take(&mut self.too_long);
                if refused { actions.push(error()) } else { self.command(&line, &mut actions) }
            } else if self.line.len() < LONGEST_LINE {
                self.line.push(byte);
            } else {
                self.too_long = true;
            }
        }
        actions
    }

    /// The line for a frame from the bus, with the time in ms when time stamps are on.
    pub fn line(&self, frame: &Frame, now_ms: u64, line: &mut Vec<u8>) {
        line.clear();
        match frame.extended {
            true => {
                line.push(b'T');
                hex(line, u64::from(frame.id), 8);
            }
            false => {
                line.push(b't');
                hex(line, u64::from(frame.id), 3);
            }
        }
        hex(line, frame.data().len() as u64, 1);
        for &byte in frame.data() {
            hex(line, u64::from(byte), 2);
        }
        if self.timestamps {
            hex(line, now_ms % 60_000, 4);
        }
        line.push(CR);
    }

    fn command(&mut self, line: &[u8], actions: &mut Vec<Action>) {
        let closed = self.channel == Channel::Closed;
        let done = |if_allowed: bool| if if_allowed { ok() } else { error() };
        let answer = match line {
            [] => ok(),
            [b'S', b'0'..=b'8'] => done(closed),
            [b's', digits @ ..] if number(digits, 4).is_some() => done(closed),
            [b'M' | b'm', digits @ ..] if number(digits, 8).is_some() => done(closed),
            [b'W', b'0'..=b'2'] | [b'X', b'1'] => done(closed),
            [b'O'] if closed => self.switch(Channel::Open),
            [b'L'] if closed => self.switch(Channel::ListenOnly),
            [b'C'] if !closed => self.switch(Channel::Closed),
            [b'Z', on @ (b'0' | b'1')] if closed => {
                self.timestamps = *on == b'1';
                ok()
            }
            [b'V'] | [b'v'] => text("V1013\r"),
            [b'N'] => text("NB0B1\r"),
            [b'F'] if !closed => text(if std::mem::take(&mut self.overrun) { "F08\r" } else { "F00\r" }),
            [kind @ (b't' | b'T' | b'r' | b'R'), rest @ ..] if self.channel == Channel::Open => {
                match frame(*kind, rest) {
                    Some(frame) => {
                        let extended = matches!(kind, b'T' | b'R');
                        // Nobody in this simulation asks by remote frames: the bus swallows them.
                        if matches!(kind, b't' | b'T') {
                            actions.push(Action::Transmit(frame));
                        }
                        match (self.reply, extended) {
                            (TransmitReply::Cr, _) => ok(),
                            (TransmitReply::Z, false) => text("z\r"),
                            (TransmitReply::Z, true) => text("Z\r"),
                        }
                    }
                    None => error(),
                }
            }
            _ => error(),
        };
        actions.push(answer);
    }

    fn switch(&mut self, channel: Channel) -> Action {
        self.channel = channel;
        ok()
    }
}

fn ok() -> Action {
    Action::Answer(vec![CR])
}

fn error() -> Action {
    Action::Answer(vec![BELL])
}

fn text(answer: &str) -> Action {
    Action::Answer(answer.as_bytes().to_vec())
}

/// What follows `t`, `T`, `r` or `R`. A remote frame has a length but no data.
fn frame(kind: u8, rest: &[u8]) -> Option<Frame> {
    let extended = matches!(kind, b'T' | b'R');
    let (id, rest) = rest.split_at_checked(if extended { 8 } else { 3 })?;
    let id = u32::try_from(number(id, id.len())?).ok()?;
    if id > if extended { 0x1FFF_FFFF } else { 0x7FF } {
        return None;
    }
    let (&[len], digits) = rest.split_at_checked(1)? else { return None };
    let len = usize::try_from(number(&[len], 1)?).ok().filter(|&len| len <= 8)?;
    let expected = if matches!(kind, b'r' | b'R') { 0 } else { len };
    if digits.len() != 2 * expected {
        return None;
    }
    let bytes: Option<Vec<u8>> =
        digits.chunks(2).map(|pair| number(pair, 2).map(|byte| byte as u8)).collect();
    Some(Frame::new(id, extended, &bytes?))
}

/// Exactly `len` hexadecimal digits, at most 16.
fn number(digits: &[u8], len: usize) -> Option<u64> {
    if digits.len() != len || len > 16 {
        return None;
    }
    digits.iter().try_fold(0, |value, &digit| Some(value << 4 | u64::from(char::from(digit).to_digit(16)?)))
}

fn hex(line: &mut Vec<u8>, value: u64, digits: u32) {
    for position in (0..digits).rev() {
        let nibble = (value >> (4 * position) & 0xF) as u8;
        line.push(if nibble < 10 { b'0' + nibble } else { b'A' + nibble - 10 });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answers(adapter: &mut Adapter, sent: &str) -> String {
        let answer = |action| if let Action::Answer(bytes) = action { bytes } else { vec![] };
        String::from_utf8(adapter.receive(sent.as_bytes()).into_iter().flat_map(answer).collect()).unwrap()
    }

    #[test]
    fn each_command_is_answered_as_the_manual_says_in_each_state() {
        for (before, sent, answered) in [
            ("", "\r", "\r"),
            ("", "S6\r", "\r"),
            ("", "S9\r", "\x07"),
            ("", "s031C\r", "\r"),
            ("", "O\r", "\r"),
            ("", "L\r", "\r"),
            ("", "C\r", "\x07"),
            ("", "Z1\r", "\r"),
            ("", "V\r", "V1013\r"),
            ("", "N\r", "NB0B1\r"),
            ("", "F\r", "\x07"),
            ("", "M00000000\r", "\r"),
            ("", "mFFFFFFFF\r", "\r"),
            ("", "t3050\r", "\x07"),
            ("", "?\r", "\x07"),
            ("O\r", "O\r", "\x07"),
            ("O\r", "S6\r", "\x07"),
            ("O\r", "Z1\r", "\x07"),
            ("O\r", "F\r", "F00\r"),
            ("O\r", "C\r", "\r"),
            ("O\r", "t30580000000000000000\r", "z\r"),
            ("O\r", "T0000435521a2B\r", "Z\r"),
            ("O\r", "r3058\r", "z\r"),
            ("O\r", "t30580000\r", "\x07"),
            ("O\r", "t3059000000000000000000\r", "\x07"),
            ("O\r", "t8000\r", "\x07"),
            ("O\r", "t3x50\r", "\x07"),
            ("L\r", "t3050\r", "\x07"),
        ] {
            let mut adapter = Adapter::new(TransmitReply::Z);
            adapter.receive(before.as_bytes());
            assert_eq!(answers(&mut adapter, sent), answered, "{sent:?} after {before:?}");
        }
    }

    #[test]
    fn frames_from_the_computer_reach_the_bus_and_are_answered_as_the_adapter_does() {
        let mut adapter = Adapter::new(TransmitReply::Cr);
        let actions = adapter.receive(b"O\rt3052A1ff\rT1FFFFFFF0\r");
        let done = Action::Answer(b"\r".to_vec());
        assert_eq!(
            actions,
            [
                done.clone(),
                Action::Transmit(Frame::new(0x305, false, &[0xA1, 0xFF])),
                done.clone(),
                Action::Transmit(Frame::new(0x1FFF_FFFF, true, &[])),
                done,
            ]
        );
    }

    #[test]
    fn an_endless_line_is_refused_once_and_the_next_command_works() {
        let mut adapter = Adapter::new(TransmitReply::Z);
        let endless = "t".repeat(5_000);
        assert_eq!(answers(&mut adapter, &endless), "");
        assert_eq!(answers(&mut adapter, "\rV\r"), "\x07V1013\r");
    }

    #[test]
    fn frames_from_the_bus_are_written_with_and_without_time_stamps() {
        let mut adapter = Adapter::new(TransmitReply::Z);
        let mut line = Vec::new();
        adapter.line(&Frame::new(0x351, false, &[0x14, 0x02, 0xAB]), 61_234, &mut line);
        assert_eq!(line, b"t35131402AB\r");
        adapter.line(&Frame::new(0x4355, true, &[]), 61_234, &mut line);
        assert_eq!(line, b"T000043550\r");
        adapter.receive(b"Z1\r");
        adapter.line(&Frame::new(0x305, false, &[]), 61_234, &mut line);
        assert_eq!(line, b"t305004D2\r");
    }

    #[test]
    fn lost_frames_show_once_in_the_status() {
        let mut adapter = Adapter::new(TransmitReply::Z);
        adapter.note_overrun();
        assert_eq!(answers(&mut adapter, "O\rF\rF\r"), "\rF08\rF00\r");
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_and_each_line_gets_exactly_one_answer(bytes: Vec<u8>) {
            let mut adapter = Adapter::new(TransmitReply::Z);
            let lines = bytes.iter().filter(|&&byte| byte == CR).count();
            let answered = adapter.receive(&bytes).iter().filter(|action| matches!(action, Action::Answer(_))).count();
            prop_assert_eq!(answered, lines);
        }

        #[test]
        fn a_written_frame_is_read_back_as_it_was(id in 0u32..0x2000_0000, extended: bool, data in prop::collection::vec(any::<u8>(), 0..=8)) {
            let mut adapter = Adapter::new(TransmitReply::Z);
            adapter.receive(b"O\r");
            let frame = Frame::new(id, extended, &data);
            let mut line = Vec::new();
            adapter.line(&frame, 0, &mut line);
            prop_assert!(adapter.receive(&line).contains(&Action::Transmit(frame)));
        }
    }
}
