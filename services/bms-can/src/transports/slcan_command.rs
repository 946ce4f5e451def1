//! slcan, to the adapter: frames and commands. Lawicel "CAN232" and "CANUSB" manuals.

use crate::frame::Frame;

const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

/// The longest line that either side sends: an extended frame of eight bytes with a timestamp, and its end.
pub const LONGEST_LINE: usize = 31;

/// A bit rate that adapters have a number for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BitRate {
    /// `S0`.
    K10,
    /// `S1`.
    K20,
    /// `S2`.
    K50,
    /// `S3`.
    K100,
    /// `S4`.
    K125,
    /// `S5`.
    K250,
    /// `S6`.
    K500,
    /// `S7`.
    K800,
    /// `S8`.
    M1,
}

impl BitRate {
    /// The bit rate; `None` if adapters have no number for it.
    #[must_use]
    pub const fn from_bits_per_second(rate: u32) -> Option<BitRate> {
        Some(match rate {
            10_000 => BitRate::K10,
            20_000 => BitRate::K20,
            50_000 => BitRate::K50,
            100_000 => BitRate::K100,
            125_000 => BitRate::K125,
            250_000 => BitRate::K250,
            500_000 => BitRate::K500,
            800_000 => BitRate::K800,
            1_000_000 => BitRate::M1,
            _ => return None,
        })
    }

    /// In bit/s.
    #[must_use]
    pub const fn bits_per_second(self) -> u32 {
        match self {
            BitRate::K10 => 10_000,
            BitRate::K20 => 20_000,
            BitRate::K50 => 50_000,
            BitRate::K100 => 100_000,
            BitRate::K125 => 125_000,
            BitRate::K250 => 250_000,
            BitRate::K500 => 500_000,
            BitRate::K800 => 800_000,
            BitRate::M1 => 1_000_000,
        }
    }
}

/// What to tell the adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Nothing: three ends of line, which clear what a stranger may have left in the adapter's buffer.
    Flush,
    /// Leave the bus. Settings can be changed only then.
    Close,
    /// Set the bit rate.
    SetBitRate(BitRate),
    /// Join the bus.
    Open,
    /// Join the bus without ever sending, not even acknowledgements.
    ListenOnly,
    /// Ask for the version.
    Version,
    /// Ask for the serial number.
    Serial,
    /// Ask for the status flags.
    Status,
    /// Have received frames carry a timestamp, or not.
    Timestamps(bool),
}

/// A line for the adapter, its end included.
#[derive(Debug, Clone, Copy)]
pub struct Line {
    bytes: [u8; LONGEST_LINE],
    len: usize,
}

impl Line {
    const fn new() -> Line {
        Line { bytes: [0; LONGEST_LINE], len: 0 }
    }

    /// The bytes to send.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    fn push(&mut self, byte: u8) {
        // The longest line fits: `LONGEST_LINE` is that of a frame, and commands are shorter.
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
    }

    fn digits(&mut self, value: u32, count: u32) {
        for place in (0..count).rev() {
            let digit = value >> (4 * place) & 0xF;
            self.push(DIGITS.get(digit as usize).copied().unwrap_or_default());
        }
    }
}

/// The line of a command.
#[must_use]
pub fn encode_command(command: Command) -> Line {
    let mut line = Line::new();
    let text: &[u8] = match command {
        Command::Flush => b"\r\r",
        Command::Close => b"C",
        Command::SetBitRate(rate) => &[b'S', b'0' + rate as u8],
        Command::Open => b"O",
        Command::ListenOnly => b"L",
        Command::Version => b"V",
        Command::Serial => b"N",
        Command::Status => b"F",
        Command::Timestamps(on) => &[b'Z', b'0' + on as u8],
    };
    text.iter().for_each(|&byte| line.push(byte));
    line.push(b'\r');
    line
}

/// The line that sends a frame.
#[must_use]
pub fn encode_frame(frame: &Frame) -> Line {
    let mut line = Line::new();
    let id = frame.id();
    line.push(match (id.is_extended(), frame.is_remote()) {
        (false, false) => b't',
        (true, false) => b'T',
        (false, true) => b'r',
        (true, true) => b'R',
    });
    line.digits(id.number(), if id.is_extended() { 8 } else { 3 });
    line.digits(u32::from(frame.len()), 1);
    frame.data().iter().for_each(|&byte| line.digits(u32::from(byte), 2));
    line.push(b'\r');
    line
}
