//! slcan, from the adapter: bytes in whatever portions the tty has them, frames and replies out. Nothing is allocated,
//! and no input makes it lose more than the line it is in.
//!
//! Lawicel "CAN232" and "CANUSB" manuals; replies `z` and `Z` to sent frames from later versions of them.

use super::slcan_command::LONGEST_LINE;
use crate::frame::{CanId, Frame};

const CR: u8 = b'\r';
const BELL: u8 = 0x07;

/// The longest line without its end. What is longer is dropped up to the next end.
const LONGEST: usize = LONGEST_LINE - 1;

/// Something an adapter said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A frame from the bus, and its time in ms (0 to 59999, then from 0 again) if timestamps are on.
    Frame(Frame, Option<u16>),
    /// A command was carried out; some adapters answer a sent frame so too.
    Ack,
    /// A frame was taken for sending.
    Sent,
    /// A command or frame was refused.
    Nack,
    /// The version.
    Version(Word),
    /// The serial number.
    Serial(Word),
    /// The status flags.
    Status(Status),
    /// So many bytes that were no line of slcan, without the end of line.
    Garbage(u32),
}

/// A reply that is text: at most 29 printable characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    bytes: [u8; LONGEST],
    len: u8,
}

impl Word {
    fn new(text: &[u8]) -> Option<Word> {
        if !text.iter().all(|b| (b' '..=b'~').contains(b)) {
            return None;
        }
        let mut bytes = [0; LONGEST];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        Some(Word { bytes, len: text.len() as u8 })
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.bytes.get(..usize::from(self.len)).and_then(|b| std::str::from_utf8(b).ok()).unwrap_or_default()
    }
}

/// The adapter's status flags, as `F` tells them; reading clears them in most adapters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Status {
    /// Bit 0: its receive queue was full, frames are lost.
    pub rx_full: bool,
    /// Bit 1: its send queue is full.
    pub tx_full: bool,
    /// Bit 2: an error counter is at 96 or more.
    pub error_warning: bool,
    /// Bit 3: the controller has overwritten a frame, frames are lost.
    pub data_overrun: bool,
    /// Bit 5: an error counter is at 128 or more.
    pub error_passive: bool,
    /// Bit 6: another node was faster.
    pub arbitration_lost: bool,
    /// Bit 7: errors on the bus.
    pub bus_error: bool,
}

impl Status {
    /// From the byte that the adapter sends.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Status {
        Status {
            rx_full: bits & 0x01 != 0,
            tx_full: bits & 0x02 != 0,
            error_warning: bits & 0x04 != 0,
            data_overrun: bits & 0x08 != 0,
            error_passive: bits & 0x20 != 0,
            arbitration_lost: bits & 0x40 != 0,
            bus_error: bits & 0x80 != 0,
        }
    }
}

/// Takes a stream apart.
#[derive(Debug, Clone)]
pub struct Decoder {
    line: [u8; LONGEST],
    /// Bytes of the line so far, also those beyond its longest.
    len: u32,
    /// Whether a line has begun whole. Before the first end of line it may have begun before we listened.
    is_synced: bool,
}

impl Default for Decoder {
    fn default() -> Self {
        Decoder { line: [0; LONGEST], len: 0, is_synced: false }
    }
}

impl Decoder {
    /// What `bytes`, added to all before, say. Give it everything that was read, in order; each portion must be used up
    /// before the next is given.
    pub fn feed<'a>(&'a mut self, bytes: &'a [u8]) -> Events<'a> {
        Events { decoder: self, bytes, pending_nack: false }
    }

    fn add(&mut self, bytes: &[u8]) {
        let bytes = if self.len == 0 { without_line_feed(bytes) } else { bytes };
        if let Some(free) = self.line.get_mut(self.len as usize..) {
            for (to, from) in free.iter_mut().zip(bytes) {
                *to = *from;
            }
        }
        self.len = self.len.saturating_add(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    }
}

/// Some adapters end their lines with CR and LF.
fn without_line_feed(mut line: &[u8]) -> &[u8] {
    while let [b'\n', rest @ ..] = line {
        line = rest;
    }
    line
}

/// See [`Decoder::feed`].
#[derive(Debug)]
pub struct Events<'a> {
    decoder: &'a mut Decoder,
    bytes: &'a [u8],
    pending_nack: bool,
}

impl Iterator for Events<'_> {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        if std::mem::take(&mut self.pending_nack) {
            return Some(Event::Nack);
        }
        while let Some(end) = self.bytes.iter().position(|&b| b == CR || b == BELL) {
            let (before, rest) = self.bytes.split_at_checked(end)?;
            let (&terminator, rest) = rest.split_first()?;
            self.bytes = rest;
            let event = self.line(before, terminator);
            if event.is_some() {
                return event;
            }
        }
        self.decoder.add(self.bytes);
        self.bytes = &[];
        None
    }
}

impl Events<'_> {
    /// A line has ended: what it says, if it says anything.
    fn line(&mut self, end: &[u8], terminator: u8) -> Option<Event> {
        let decoder = &mut *self.decoder;
        // Most lines lie whole in what was read, and are parsed where they lie.
        let (line, len) = if decoder.len == 0 {
            let line = without_line_feed(end);
            (line, u32::try_from(line.len()).unwrap_or(u32::MAX))
        } else {
            decoder.add(end);
            (decoder.line.get(..decoder.len as usize).unwrap_or_default(), decoder.len)
        };
        decoder.len = 0;
        if !std::mem::replace(&mut decoder.is_synced, true) {
            // It may have begun before we listened, and so may what an empty one answers.
            return (len > 0).then_some(Event::Garbage(len));
        }
        if terminator == BELL {
            self.pending_nack = len > 0;
            return Some(if len > 0 { Event::Garbage(len) } else { Event::Nack });
        }
        let event = if len as usize > LONGEST { None } else { parse(line) };
        Some(event.unwrap_or(Event::Garbage(len)))
    }
}

/// A whole line.
fn parse(line: &[u8]) -> Option<Event> {
    let Some((&kind, rest)) = line.split_first() else { return Some(Event::Ack) };
    match kind {
        b't' => frame::<3>(rest, false),
        b'T' => frame::<8>(rest, false),
        b'r' => frame::<3>(rest, true),
        b'R' => frame::<8>(rest, true),
        b'z' | b'Z' if rest.is_empty() => Some(Event::Sent),
        b'V' | b'v' => Word::new(rest).map(Event::Version),
        b'N' => Word::new(rest).map(Event::Serial),
        b'F' if rest.len() == 2 => number(rest).map(|bits| Event::Status(Status::from_bits(bits as u8))),
        _ => None,
    }
}

/// A frame with an id of `ID` digits: id, length, data, and perhaps four digits of time.
fn frame<const ID: usize>(text: &[u8], is_remote: bool) -> Option<Event> {
    let (id, text) = text.split_first_chunk::<ID>()?;
    let id = number(id)?;
    let id = if ID == 3 { CanId::standard(id)? } else { CanId::extended(id)? };
    let (&[len], text) = text.split_first_chunk::<1>()?;
    let len = digit(len)?;
    if len > 8 {
        return None;
    }
    let (data, time) = text.split_at_checked(if is_remote { 0 } else { 2 * usize::from(len) })?;
    let time = match time.len() {
        0 => None,
        4 => Some(number(time)? as u16),
        _ => return None,
    };
    if is_remote {
        return Frame::remote(id, len).map(|frame| Event::Frame(frame, time));
    }
    let mut bytes = [0; 8];
    for (to, from) in bytes.iter_mut().zip(data.as_chunks::<2>().0) {
        let [high, low] = *from;
        *to = digit(high)? << 4 | digit(low)?;
    }
    Frame::new(id, bytes.get(..usize::from(len))?).map(|frame| Event::Frame(frame, time))
}

/// At most eight hexadecimal digits.
fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number: u32, &c| Some(number << 4 | u32::from(digit(c)?)))
}

const fn digit(c: u8) -> Option<u8> {
    match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'A'..=b'F' => Some(c - b'A' + 10),
        b'a'..=b'f' => Some(c - b'a' + 10),
        _ => None,
    }
}
