//! What can go wrong with a reply.

use std::time::Duration;

/// One kind of trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// No reply.
    Drop,
    /// A checksum that is wrong by one.
    BadChecksum,
    /// Refused with this code; nothing is carried out.
    Refused(u16),
    /// The reply of the next command.
    WrongCommand,
    /// A length that no reply has.
    WrongLength,
    /// Only so many bytes.
    Truncated(usize),
    /// An acknowledgement with a payload of two bytes.
    Short,
    /// These bytes first.
    Garbage(Vec<u8>),
    /// These bytes behind.
    Trail(Vec<u8>),
    /// The request first, as an adapter repeats it that hears itself.
    Echo,
    /// Addresses exchanged.
    WrongAddress,
    /// A pause in the middle.
    Split(Duration),
    /// A pause before.
    Delay(Duration),
}

impl Kind {
    /// As it is called in commands.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::BadChecksum => "badsum",
            Self::Refused(_) => "nak",
            Self::WrongCommand => "wrongcmd",
            Self::WrongLength => "wronglen",
            Self::Truncated(_) => "truncate",
            Self::Short => "ackshort",
            Self::Garbage(_) => "garbage",
            Self::Trail(_) => "trail",
            Self::Echo => "echo",
            Self::WrongAddress => "wrongaddr",
            Self::Split(_) => "split",
            Self::Delay(_) => "delay",
        }
    }
}

/// Trouble for some commands, some times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The kind.
    pub kind: Kind,
    /// Only for this code; without it, for all.
    pub code: Option<u8>,
    /// Only for writing.
    pub only_writes: bool,
    /// How often still.
    pub count: u32,
}

/// The faults to come; the first that fits is taken.
#[derive(Debug, Clone, Default)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// What goes wrong with this command, counted.
    pub fn take(&mut self, code: u8, is_write: bool) -> Option<Kind> {
        let fits = |fault: &&mut Fault| {
            fault.count > 0 && fault.code.is_none_or(|only| only == code) && (is_write || !fault.only_writes)
        };
        let fault = self.0.iter_mut().find(fits)?;
        fault.count -= 1;
        Some(fault.kind.clone())
    }
}
