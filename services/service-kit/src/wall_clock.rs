//! The clock on the wall. Nothing that must be right depends on it: anybody may set it to anything.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What the clock on the wall says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WallTime {
    /// Seconds since 1970, UTC.
    pub unix_s: i64,
    /// What local time is ahead of UTC, in seconds; 0 where the machine does not know its time zone.
    pub utc_offset_s: i32,
}

/// What it says now.
#[must_use]
pub fn wall_clock() -> WallTime {
    let now = Timestamp::now();
    let zone = TimeZone::try_system().unwrap_or(TimeZone::UTC);
    WallTime { unix_s: now.as_second(), utc_offset_s: zone.to_offset(now).seconds() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_later_than_this_line_and_its_zone_is_one_of_the_earth() {
        let WallTime { unix_s, utc_offset_s } = wall_clock();
        assert!(unix_s > 1_760_000_000, "{unix_s}");
        assert!((-14 * 3600..=14 * 3600).contains(&utc_offset_s), "{utc_offset_s}");
    }
}
