//! Writing recordings.

use std::fmt;

use super::Entry;
use crate::frame::CanId;

impl Entry {
    /// As a line of a log, without its end. A frame without a time gets 0.
    #[must_use]
    pub fn log(&self) -> impl fmt::Display + use<> {
        Log(*self)
    }

    /// As a line of the console, without its end; with its time, if it has one.
    #[must_use]
    pub fn console(&self) -> impl fmt::Display + use<> {
        Console(*self)
    }
}

struct Log(Entry);
struct Console(Entry);

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Entry { timestamp, interface, frame } = self.0;
        let time = timestamp.unwrap_or_default();
        write!(f, "({:010}.{:06}) {interface} ", time.as_secs(), time.subsec_micros())?;
        id(frame.id(), f)?;
        f.write_str("#")?;
        if frame.is_remote() {
            write!(f, "R{}", frame.len())?;
        }
        frame.data().iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl fmt::Display for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Entry { timestamp, interface, frame } = self.0;
        if let Some(time) = timestamp {
            write!(f, " ({:010}.{:06})", time.as_secs(), time.subsec_micros())?;
        }
        write!(f, "  {interface}  ")?;
        id(frame.id(), f)?;
        write!(f, "   [{}] ", frame.len())?;
        if frame.is_remote() {
            f.write_str(" remote request")?;
        }
        frame.data().iter().try_for_each(|byte| write!(f, " {byte:02X}"))
    }
}

/// Three digits for a standard id, eight for an extended one: candump's only sign of the difference.
fn id(id: CanId, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if id.is_extended() { write!(f, "{:08X}", id.number()) } else { write!(f, "{:03X}", id.number()) }
}
