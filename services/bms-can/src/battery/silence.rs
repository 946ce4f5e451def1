//! What the age of the newest good data means to a driver and to whoever follows it.

use std::time::Duration;

use tokio::time::Instant;

/// Beyond this age a follower raises nothing any more.
pub const LATE_AFTER: Duration = Duration::from_secs(3);
/// Beyond this age nothing measured is valid and both current limits are 0.
pub const STALE_AFTER: Duration = Duration::from_secs(10);
/// Beyond this age the warning becomes an alarm.
pub const ALARM_AFTER: Duration = Duration::from_secs(30);
/// Beyond this age the battery leaves the bus.
pub const GONE_AFTER: Duration = Duration::from_secs(60);

/// How silent the battery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Silence {
    /// Up to 3 s.
    Fresh,
    /// 3 s to 10 s: the last values still stand.
    Late,
    /// 10 s to 30 s: no values, limits 0, a warning.
    Stale,
    /// 30 s to 60 s: the same with an alarm.
    Alarm,
    /// Over 60 s: off the bus.
    Gone,
}

impl Silence {
    /// The silence of data of this age.
    #[must_use]
    pub fn of(age: Duration) -> Silence {
        match age {
            age if age <= LATE_AFTER => Silence::Fresh,
            age if age <= STALE_AFTER => Silence::Late,
            age if age <= ALARM_AFTER => Silence::Stale,
            age if age <= GONE_AFTER => Silence::Alarm,
            _ => Silence::Gone,
        }
    }

    /// Whether values of this age still stand.
    #[must_use]
    pub fn holds(self) -> bool {
        self <= Silence::Late
    }

    /// `/Alarms/BmsCable`: 0 ok, 1 warning, 2 alarm.
    #[must_use]
    pub fn cable_alarm(self) -> i32 {
        match self {
            Silence::Fresh | Silence::Late => 0,
            Silence::Stale => 1,
            Silence::Alarm | Silence::Gone => 2,
        }
    }
}

/// When data received at `at` will next change what they mean.
#[must_use]
pub(super) fn next_change(at: Instant, now: Instant) -> Option<Instant> {
    // A nanosecond beyond, because an age of exactly 10 s still stands.
    let edges =
        [LATE_AFTER, STALE_AFTER, ALARM_AFTER, GONE_AFTER].map(|edge| at + edge + Duration::from_nanos(1));
    edges.into_iter().find(|edge| *edge > now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_are_at_3_10_30_and_60_seconds() {
        let of = |ms| Silence::of(Duration::from_millis(ms));
        assert_eq!(of(3_000), Silence::Fresh);
        assert_eq!(of(3_001), Silence::Late);
        assert_eq!(of(10_000), Silence::Late);
        assert_eq!(of(10_001), Silence::Stale);
        assert_eq!(of(30_001), Silence::Alarm);
        assert_eq!(of(60_000), Silence::Alarm);
        assert_eq!(of(60_001), Silence::Gone);
    }
}
