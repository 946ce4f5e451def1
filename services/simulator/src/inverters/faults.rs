//! What can go wrong on a Modbus line.

use std::time::Duration;

/// One kind of trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// No answer.
    Silence,
    /// An answer so much later.
    Late(Duration),
    /// The answer as if another unit gave it.
    Foreign,
    /// The answer to another request: other registers, as many.
    Stale,
    /// The answer twice.
    Doubled,
    /// An exception with this code.
    Exception(u8),
    /// A checksum that is wrong; on TCP, silence.
    BadCrc,
    /// These bytes in front; on TCP, silence.
    Garbage(Vec<u8>),
    /// Only so many bytes.
    Truncated(usize),
}

impl Kind {
    /// As it is called in commands.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Silence => "silence",
            Self::Late(_) => "late",
            Self::Foreign => "foreign",
            Self::Stale => "stale",
            Self::Doubled => "doubled",
            Self::Exception(_) => "exception",
            Self::BadCrc => "badcrc",
            Self::Garbage(_) => "garbage",
            Self::Truncated(_) => "truncated",
        }
    }
}

/// Trouble with answers, so many times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The kind.
    pub kind: Kind,
    /// Lets so many answers pass first.
    pub after: u32,
    /// How often still; for ever without.
    pub count: Option<u32>,
}

/// The faults to come, the first one first.
#[derive(Debug, Clone, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// One more.
    pub fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// None any more.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// What goes wrong with this answer, counted.
    pub fn take(&mut self) -> Option<Kind> {
        let fault = self.0.first_mut()?;
        if fault.after > 0 {
            fault.after -= 1;
            return None;
        }
        let kind = fault.kind.clone();
        if let Some(count) = &mut fault.count {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.0.remove(0);
            }
        }
        Some(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_one_after_the_other_and_so_often() {
        let mut faults = Faults::default();
        faults.add(Fault { kind: Kind::Silence, after: 1, count: Some(2) });
        faults.add(Fault { kind: Kind::Doubled, after: 0, count: None });
        let taken: Vec<_> = (0..5).map(|_| faults.take().map(|kind| kind.name())).collect();
        assert_eq!(taken, [None, Some("silence"), Some("silence"), Some("doubled"), Some("doubled")]);
        faults.clear();
        assert_eq!(faults.take(), None);
    }
}
