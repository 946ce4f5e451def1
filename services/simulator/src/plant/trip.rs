//! A protection as a state machine: it trips when a bad condition has held long enough, and releases by a rule
//! of its own.

/// State of one protection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Trip {
    /// Watching; seconds for which the condition has been bad.
    Watching(f64),
    /// Tripped; seconds since then.
    Tripped(f64),
}

impl Default for Trip {
    fn default() -> Self {
        Self::Watching(0.0)
    }
}

/// When a tripped protection lets go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Release {
    /// As soon as the value is safe again.
    WhenSafe(bool),
    /// After so many seconds.
    After(f64),
}

impl Trip {
    /// Is it tripped?
    pub fn tripped(self) -> bool {
        matches!(self, Self::Tripped(_))
    }

    /// The state after `dt_s` more seconds of a condition that is `bad` or not and trips after `delay_s`.
    pub fn next(self, bad: bool, delay_s: f64, release: Release, dt_s: f64) -> Self {
        match self {
            Self::Watching(_) if !bad => Self::Watching(0.0),
            Self::Watching(held_s) if held_s + dt_s >= delay_s => Self::Tripped(0.0),
            Self::Watching(held_s) => Self::Watching(held_s + dt_s),
            Self::Tripped(since_s) => {
                let since_s = since_s + dt_s;
                let released = match release {
                    Release::WhenSafe(safe) => safe && !bad,
                    Release::After(seconds) => since_s >= seconds,
                };
                if released { Self::Watching(0.0) } else { Self::Tripped(since_s) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_trips_only_after_the_condition_held_without_a_break() {
        let next = |trip: Trip, bad| trip.next(bad, 2.0, Release::WhenSafe(false), 1.0);
        let one = next(Trip::default(), true);
        assert!(!one.tripped());
        assert_eq!(next(one, false), Trip::default());
        assert!(next(one, true).tripped());
    }

    #[test]
    fn it_releases_when_safe_or_after_its_time() {
        let tripped = Trip::Tripped(0.0);
        assert!(tripped.next(false, 2.0, Release::WhenSafe(false), 1.0).tripped());
        assert!(!tripped.next(false, 2.0, Release::WhenSafe(true), 1.0).tripped());
        assert!(tripped.next(false, 10.0, Release::After(60.0), 59.0).tripped());
        assert!(!tripped.next(true, 10.0, Release::After(60.0), 60.0).tripped());
    }
}
