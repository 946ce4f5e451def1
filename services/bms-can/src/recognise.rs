//! Which dialect a battery speaks, told from its traffic: by the marks of each dialect (identity frames above all) and by
//! how much of the traffic makes sense in it. Never by a single id: Valence U-BMS and Afore use the same ones for other
//! things.

mod foreign;

use std::fmt::Write;
use std::time::Duration;

use crate::frame::Frame;
use crate::message::Message;
use crate::protocols::{Decoded, PROTOCOLS, Protocol, Traffic};

/// So long after its first frame a battery has sent everything that it sends each second. A wrong choice is told of
/// within 5 s.
pub const DECIDES_AFTER: Duration = Duration::from_secs(4);

/// A frame that makes no sense in a dialect counts as much against it as so many count for it.
const REFUSED_COUNTS: i32 = 3;

/// What has been seen.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    traffic: Traffic,
}

/// What it shows.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// Not enough yet.
    Listening,
    /// A dialect.
    Recognised {
        /// Which.
        protocol: &'static Protocol,
        /// The evidence in words.
        because: String,
    },
    /// Something known that is no dialect of ours.
    Foreign {
        /// What it is.
        what: &'static str,
        /// The evidence in words.
        because: &'static str,
    },
    /// Traffic that fits nothing.
    Unknown {
        /// What there is, in words.
        because: String,
    },
}

/// How well a dialect fits.
struct Claim {
    protocol: &'static Protocol,
    points: i32,
}

impl Evidence {
    /// Takes in a frame; `now` on any clock, the same in all calls.
    pub fn see(&mut self, frame: &Frame, now: Duration) {
        self.traffic.see(frame, now);
    }

    /// The newest frame of each id that is still heard, and when it came.
    pub fn newest(&self) -> impl Iterator<Item = (&Frame, Duration)> {
        self.traffic.newest()
    }

    /// What is shown at `now`: nothing before the battery can have sent all it sends. It tries every dialect on all that
    /// was seen, so ask once a second rather than for each frame.
    #[must_use]
    pub fn verdict(&self, now: Duration) -> Verdict {
        if self.is_enough(now) { self.best() } else { Verdict::Listening }
    }

    /// What is shown by what there is, however little.
    #[must_use]
    pub fn best(&self) -> Verdict {
        if self.traffic.first().is_none() {
            return Verdict::Listening;
        }
        if let Some(kind) = foreign::recognise(&self.traffic) {
            return Verdict::Foreign { what: kind.what, because: kind.says };
        }
        let mut best: Option<Claim> = None;
        for protocol in PROTOCOLS.iter().copied().filter(|protocol| self.qualifies(protocol)) {
            let points = self.points(protocol);
            if best.as_ref().is_none_or(|best| points > best.points) {
                best = Some(Claim { protocol, points });
            }
        }
        match best {
            Some(Claim { protocol, .. }) => Verdict::Recognised { protocol, because: self.reasons(protocol) },
            None => Verdict::Unknown { because: format!("no dialect fits the ids {}", self.ids()) },
        }
    }

    /// What speaks against `configured`: a sentence that names the better choice. `None` while there is not enough
    /// traffic, and as long as another dialect would read exactly the same from it.
    #[must_use]
    pub fn contradiction(&self, configured: &'static Protocol, now: Duration) -> Option<String> {
        let name = configured.name;
        match self.verdict(now) {
            Verdict::Listening => None,
            Verdict::Recognised { protocol, because } => {
                let better = self.points(protocol) > self.points(configured) || !self.qualifies(configured);
                (better && self.differ(protocol, configured)).then(|| {
                    format!(
                        "protocol = \"{name}\" does not fit: {because}; this is {}, set protocol = \"{}\"",
                        protocol.title, protocol.name
                    )
                })
            }
            Verdict::Foreign { what, because } => Some(format!(
                "protocol = \"{name}\" does not fit: {because}; this is {what}, which is not read here"
            )),
            Verdict::Unknown { because } => {
                let reads_any = self.readings(configured).any(|read| matches!(read, Decoded::Good(_)));
                (!reads_any).then(|| format!("protocol = \"{name}\" does not fit: {because}"))
            }
        }
    }

    /// Enough time, or two whole cycles and the maker's name.
    fn is_enough(&self, now: Duration) -> bool {
        let Some(first) = self.traffic.first() else { return false };
        let has_name = self.traffic.has(0x35E) || self.traffic.has(0x40A);
        let has_cycles = [0x351, 0x355, 0x356, 0x400, 0x405].iter().any(|&id| self.traffic.count(id) >= 3);
        now.saturating_sub(first) >= DECIDES_AFTER || has_name && has_cycles
    }

    /// A dialect needs one mark that stands for itself, its limits, and its state of charge or measurements.
    fn qualifies(&self, protocol: &Protocol) -> bool {
        let marked = protocol.marks.iter().any(|mark| mark.is_identity && (mark.holds)(&self.traffic));
        let mut has_limits = false;
        let mut has_state = false;
        for read in self.readings(protocol) {
            if let Decoded::Good(reading) = read {
                has_limits |= reading.message.limits().is_some();
                has_state |= reading.message.soc().is_some() || reading.message.measurements().is_some();
            }
        }
        marked && has_limits && has_state
    }

    fn points(&self, protocol: &Protocol) -> i32 {
        let marks: i32 =
            protocol.marks.iter().filter(|mark| (mark.holds)(&self.traffic)).map(|mark| mark.worth).sum();
        let sense: i32 = self
            .readings(protocol)
            .map(|read| match read {
                Decoded::Good(_) => 1,
                Decoded::Refused(_) => -REFUSED_COUNTS,
                Decoded::NotMine => 0,
            })
            .sum();
        marks + sense
    }

    fn readings(&self, protocol: &Protocol) -> impl Iterator<Item = Decoded> {
        self.traffic.frames().map(|frame| protocol.decode(frame))
    }

    /// Whether two dialects read anything differently from what there is.
    fn differ(&self, a: &Protocol, b: &Protocol) -> bool {
        let message = |read: Decoded| -> Option<Message> {
            if let Decoded::Good(reading) = read { Some(reading.message) } else { None }
        };
        self.readings(a).map(message).ne(self.readings(b).map(message))
    }

    fn reasons(&self, protocol: &Protocol) -> String {
        let marks = protocol.marks.iter().filter(|mark| mark.worth > 0 && (mark.holds)(&self.traffic));
        marks.map(|mark| mark.says).collect::<Vec<_>>().join(", ")
    }

    fn ids(&self) -> String {
        let mut text = String::new();
        for (n, frame) in self.traffic.frames().enumerate() {
            match n {
                0 => _ = write!(text, "{}", frame.id()),
                1..8 => _ = write!(text, ", {}", frame.id()),
                _ => {
                    text.push_str(" and more");
                    break;
                }
            }
        }
        text
    }
}
