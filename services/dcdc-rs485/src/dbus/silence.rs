//! What the age of the newest good data means for a device on the bus. Pure.

use std::time::Duration;

use tokio::time::Instant;

/// Up to this age values stand.
pub(super) const HOLDS: Duration = Duration::from_secs(10);
/// Beyond this age the warning is an alarm.
const ALARM: Duration = Duration::from_secs(30);
/// Beyond this age the device leaves the bus.
const GONE: Duration = Duration::from_secs(60);

/// How silent a device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Silence {
    /// Its values stand.
    Heard,
    /// They do not any more: a warning.
    Stale,
    /// The same with an alarm.
    Alarm,
    /// Off the bus.
    Gone,
}

impl Silence {
    /// The silence of a device that was heard last then; of one that never was, it is gone.
    pub(super) fn since(heard_at: Option<Instant>, now: Instant) -> Silence {
        match heard_at.map(|at| now.saturating_duration_since(at)) {
            Some(age) if age <= HOLDS => Silence::Heard,
            Some(age) if age <= ALARM => Silence::Stale,
            Some(age) if age <= GONE => Silence::Alarm,
            _ => Silence::Gone,
        }
    }

    /// 0 ok, 1 warning, 2 alarm.
    pub(super) fn alarm(self) -> i32 {
        match self {
            Silence::Heard => 0,
            Silence::Stale => 1,
            Silence::Alarm | Silence::Gone => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_are_at_10_30_and_60_seconds() {
        let now = Instant::now() + Duration::from_secs(100);
        let of = |ms| Silence::since(Some(now - Duration::from_millis(ms)), now);
        assert_eq!([of(0), of(10_000), of(10_001)], [Silence::Heard, Silence::Heard, Silence::Stale]);
        assert_eq!([of(30_001), of(60_000), of(60_001)], [Silence::Alarm, Silence::Alarm, Silence::Gone]);
        assert_eq!(Silence::since(None, now), Silence::Gone);
    }
}
