//! The two text formats of `candump`: the log (`-l`, `-L`) and the console, read and written.
//!
//! ```text
//! (1690000000.000000) can0 351#14020000
//!   can0  351   [8]  14 02 74 0E 74 0E CC 01
//! ```

mod read;
mod time;
mod write;

use std::fmt;
use std::time::Duration;

pub use read::{Entries, LineError, Numbered, ReadError, entries, parse};

use crate::frame::Frame;

/// One recorded frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Time, mostly since 1970; the console has it only when asked.
    pub timestamp: Option<Duration>,
    /// Where the frame was seen.
    pub interface: Interface,
    /// The frame.
    pub frame: Frame,
}

/// The name of a network interface: 1 to 15 printable characters, as in Linux.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Interface {
    // Bytes from `len` on are zero, so that equality is what it looks like.
    bytes: [u8; 15],
    len: u8,
}

impl Interface {
    /// The name; `None` if Linux would not have it.
    #[must_use]
    pub fn new(name: &str) -> Option<Interface> {
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_graphic() && b != b'/') {
            return None;
        }
        let mut bytes = [0; 15];
        bytes.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
        Some(Interface { bytes, len: name.len() as u8 })
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.bytes.get(..usize::from(self.len)).and_then(|b| std::str::from_utf8(b).ok()).unwrap_or_default()
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}
