//! Reading recordings.

use std::io::{self, BufRead, Read};

use super::time::{self, Course};
use super::{Entry, Interface};
use crate::frame::{CanId, Frame};

/// The longest line that can be one; the console with all its options needs less than half.
const LONGEST: u64 = 400;

/// Marks an error message of the controller in the identifier (`CAN_ERR_FLAG` of Linux).
const ERROR_FRAME: u32 = 0x2000_0000;

/// Why a line is not a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// Nothing that candump prints.
    #[error("this is no line of candump: (time) can0 351#1402… or can0 351 [8] 14 02 …")]
    NotCandump,
    /// A time that candump does not print.
    #[error("the time is neither seconds nor a date; record with -l, -L or -ta")]
    Time,
    /// An identifier beyond 29 bits, or not hexadecimal.
    #[error("the identifier is not a hexadecimal number of 11 or 29 bits")]
    Identifier,
    /// Data that does not fit its length, or is not hexadecimal.
    #[error("the data is not as many hexadecimal bytes as it should be")]
    Data,
    /// CAN FD.
    #[error("this is a CAN FD frame; only classic CAN is read")]
    CanFd,
    /// A message of the CAN controller, not of anything on the bus.
    #[error("this is an error message of the CAN controller, no frame")]
    ErrorFrame,
    /// Too long.
    #[error("the line is too long to be one of candump")]
    TooLong,
    /// Not even text.
    #[error("the line is not text")]
    NotText,
}

/// Reads one line: `None` for a blank one or a comment (`#`, `;`).
pub fn parse(line: &str) -> Result<Option<Entry>, LineError> {
    let mut rest = line.trim();
    if rest.is_empty() || rest.starts_with(['#', ';']) {
        return Ok(None);
    }
    let mut timestamp = None;
    if let Some(after) = rest.strip_prefix('(') {
        let (time, after) = after.split_once(')').ok_or(LineError::NotCandump)?;
        timestamp = Some(time::parse(time.trim()).ok_or(LineError::Time)?);
        rest = after;
    }
    let mut words = rest.split_ascii_whitespace();
    let interface = words.next().and_then(Interface::new).ok_or(LineError::NotCandump)?;
    // The console's option -x puts direction and flags before the identifier.
    let word =
        words.find(|word| !matches!(*word, "RX" | "TX" | "-" | "B" | "E")).ok_or(LineError::NotCandump)?;
    let frame = match word.split_once('#') {
        Some((id, data)) => log(id, data, &mut words)?,
        None => console(word, &mut words)?,
    };
    Ok(Some(Entry { timestamp, interface, frame }))
}

/// `351#14020000`, `351#R`, `351#R8`. Newer versions add the direction.
fn log<'a>(id: &str, data: &str, words: &mut impl Iterator<Item = &'a str>) -> Result<Frame, LineError> {
    if data.starts_with('#') {
        return Err(LineError::CanFd);
    }
    let id = identifier(id)?;
    if !matches!((words.next(), words.next()), (None | Some("R" | "T"), None)) {
        return Err(LineError::NotCandump);
    }
    if let Some(len) = data.strip_prefix(['R', 'r']) {
        let len = if len.is_empty() { Ok(0) } else { len.parse() };
        return len.ok().and_then(|len| Frame::remote(id, len)).ok_or(LineError::Data);
    }
    // A length code beyond 8, of which classic CAN still carries 8 bytes, follows as `_9` to `_F`.
    let data = data.split_once('_').map_or(data, |(data, _)| data);
    let (pairs, odd) = data.as_bytes().as_chunks::<2>();
    if !odd.is_empty() {
        return Err(LineError::Data);
    }
    collect(id, pairs.iter().copied())
}

/// `351   [8]  14 02 …`, `351   [0]  remote request`, with the option -a an end like `'..t.t...'`.
fn console<'a>(id: &str, words: &mut impl Iterator<Item = &'a str>) -> Result<Frame, LineError> {
    let len =
        words.next().and_then(|w| w.strip_prefix('[')?.strip_suffix(']')).ok_or(LineError::NotCandump)?;
    if len.len() == 2 {
        return Err(LineError::CanFd);
    }
    let id = identifier(id)?;
    let len: u8 = len.parse().ok().filter(|&len| len <= 8).ok_or(LineError::Data)?;
    let mut words = words.peekable();
    if words.next_if_eq(&"remote").is_some() {
        return Frame::remote(id, len).ok_or(LineError::Data);
    }
    let mut bytes = Vec::with_capacity(8);
    for _ in 0..len {
        bytes.push(words.next().and_then(|w| <[u8; 2]>::try_from(w.as_bytes()).ok()).ok_or(LineError::Data)?);
    }
    match words.next() {
        None => collect(id, bytes.into_iter()),
        Some(text) if text.starts_with('\'') => collect(id, bytes.into_iter()),
        Some(_) => Err(LineError::Data),
    }
}

fn identifier(text: &str) -> Result<CanId, LineError> {
    if text.len() > 8 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(LineError::Identifier);
    }
    let number = u32::from_str_radix(text, 16).map_err(|_| LineError::Identifier)?;
    if text.len() <= 3 {
        return CanId::standard(number).ok_or(LineError::Identifier);
    }
    if number & ERROR_FRAME != 0 {
        return Err(LineError::ErrorFrame);
    }
    CanId::extended(number).ok_or(LineError::Identifier)
}

fn collect(id: CanId, pairs: impl Iterator<Item = [u8; 2]>) -> Result<Frame, LineError> {
    let digit = |c: u8| char::from(c).to_digit(16).map(|v| v as u8);
    let bytes: Option<Vec<u8>> = pairs.map(|[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect();
    bytes.and_then(|bytes| Frame::new(id, &bytes)).ok_or(LineError::Data)
}

/// A frame and the number of its line, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbered {
    /// Line, from 1.
    pub line: u64,
    /// The frame.
    pub entry: Entry,
}

/// Why no frame could be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// One line is wrong; reading goes on.
    #[error("line {line}: {why}")]
    Line {
        /// Line, from 1.
        line: u64,
        /// What is wrong.
        why: LineError,
    },
    /// The file cannot be read; reading ends.
    #[error("after line {line}: {reason}")]
    Io {
        /// The last line that was read.
        line: u64,
        /// What is wrong.
        reason: io::Error,
    },
}

/// The frames of a recording, line by line, in bounded memory.
pub const fn entries<R: BufRead>(reader: R) -> Entries<R> {
    Entries { reader, line: 0, buffer: Vec::new(), course: Course::new(), ended: false }
}

/// See [`entries`].
#[derive(Debug)]
pub struct Entries<R> {
    reader: R,
    line: u64,
    buffer: Vec<u8>,
    course: Course,
    ended: bool,
}

impl<R: BufRead> Entries<R> {
    /// The next line, without its end; `None` at the end of the file.
    fn next_line(&mut self) -> io::Result<Option<Result<&str, LineError>>> {
        self.buffer.clear();
        (&mut self.reader).take(LONGEST).read_until(b'\n', &mut self.buffer)?;
        if self.buffer.is_empty() {
            return Ok(None);
        }
        self.line += 1;
        if self.buffer.len() as u64 == LONGEST && !self.buffer.ends_with(b"\n") {
            self.reader.skip_until(b'\n')?;
            return Ok(Some(Err(LineError::TooLong)));
        }
        Ok(Some(std::str::from_utf8(&self.buffer).map_err(|_| LineError::NotText)))
    }
}

impl<R: BufRead> Iterator for Entries<R> {
    type Item = Result<Numbered, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            let parsed = match self.next_line() {
                Ok(Some(line)) => line.and_then(parse),
                Ok(None) => break,
                Err(reason) => {
                    self.ended = true;
                    return Some(Err(ReadError::Io { line: self.line, reason }));
                }
            };
            match parsed {
                Ok(Some(mut entry)) => {
                    entry.timestamp = entry.timestamp.map(|time| self.course.next(time));
                    return Some(Ok(Numbered { line: self.line, entry }));
                }
                Ok(None) => {}
                Err(why) => return Some(Err(ReadError::Line { line: self.line, why })),
            }
        }
        self.ended = true;
        None
    }
}
