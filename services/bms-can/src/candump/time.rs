//! The times that candump prints: its option -t has four kinds, of which two look the same.

use std::time::Duration;

/// A gap as between two bursts of a battery: from here on a smaller time is no disorder of the driver.
const GAP: Duration = Duration::from_millis(10);

/// Reads a time: seconds (`-t a`, `-t z`, `-t d`, `-l`), or a date as in `2023-07-22 10:00:00.100000` (`-t A`), which comes
/// out as if it were UTC because it does not say where it was.
pub(super) fn parse(text: &str) -> Option<Duration> {
    match text.split_once(' ') {
        Some((date, clock)) => {
            let mut parts = date.split('-');
            let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
            let days = days_since_1970(whole(year, 4)?, whole(month, 2)?, whole(day, 2)?)?;
            let mut clock = clock.trim_start().split(':');
            let (hour, minute) = (whole(clock.next()?, 2)?, whole(clock.next()?, 2)?);
            let second = seconds(clock.next()?)?;
            let ended = parts.next().is_none() && clock.next().is_none();
            let valid = hour < 24 && minute < 60 && second < Duration::from_secs(61) && ended;
            let before = Duration::from_secs(days * 86_400 + hour * 3600 + minute * 60);
            valid.then(|| before + second)
        }
        None => seconds(text),
    }
}

fn seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let nanos: u32 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let scale = 10_u32.checked_pow(9 - fraction.len() as u32)?;
    Some(Duration::new(whole.parse().ok()?, nanos.checked_mul(scale)?))
}

fn whole(text: &str, digits: usize) -> Option<u64> {
    let plain = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// Gregorian calendar, from 1970 on.
fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    const BEFORE: [u64; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let month = usize::try_from(month).ok()?;
    let (before, after) = (BEFORE.get(month.checked_sub(1)?)?, BEFORE.get(month)?);
    let longest = after - before + u64::from(leap && month == 2);
    if year < 1970 || !(1..=longest).contains(&day) {
        return None;
    }
    // Leap days of the years before this one.
    let leap_days = |year: u64| year / 4 - year / 100 + year / 400;
    let years = (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969);
    Some(years + before + u64::from(leap && month > 2) + day - 1)
}

/// Times since the last frame (`-t d`) look like times since the first (`-t z`), and both begin with 0. They are told apart
/// when after a gap a much smaller one comes; from then on they are added up, so that they rise in either case.
#[derive(Debug, Clone, Copy)]
pub(super) struct Course {
    from_zero: bool,
    adds: bool,
    last: Option<Duration>,
}

impl Course {
    /// Before the first frame.
    pub(super) const fn new() -> Course {
        Course { from_zero: false, adds: false, last: None }
    }

    /// The time of the next frame.
    pub(super) fn next(&mut self, read: Duration) -> Duration {
        let time = match self.last {
            None => {
                self.from_zero = read.is_zero();
                read
            }
            Some(last) => {
                self.adds |= self.from_zero && last >= GAP && read < last / 2;
                if self.adds { last.saturating_add(read) } else { read }
            }
        };
        self.last = Some(time);
        time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn course(times: &[u64]) -> Vec<u64> {
        let mut course = Course::new();
        times.iter().map(|&ms| course.next(Duration::from_millis(ms)).as_millis() as u64).collect()
    }

    #[test]
    fn a_date_is_its_seconds_since_1970() {
        let seconds = |text| parse(text).map(|time| time.as_secs_f64());
        assert_eq!(seconds("1970-01-01 00:00:00.000000"), Some(0.0));
        assert_eq!(seconds("2023-07-22 10:00:00.1"), Some(1_690_020_000.1));
        assert_eq!(seconds("2024-02-29 23:59:59.5"), Some(1_709_251_199.5));
        assert_eq!(seconds("2100-03-01 00:00:00"), Some(4_107_542_400.0));
        for wrong in [
            "2023-13-01 10:00:00",
            "2023-02-29 10:00:00",
            "2023-07-00 10:00:00",
            "2023-07-22 24:00:00",
            "2023-07-22 10:00",
            "2023-07-22 10:00:00:00",
            "23-07-22 10:00:00",
            "1969-12-31 10:00:00",
            "2023-07-22 10:00:-1",
            "yesterday",
            " ",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_since_the_first_frame_stay_and_times_since_the_last_are_added_up() {
        assert_eq!(course(&[0, 100, 101, 1100, 1099, 2100]), [0, 100, 101, 1100, 1099, 2100]);
        assert_eq!(course(&[0, 100, 1, 1, 900, 1, 1000]), [0, 100, 101, 102, 1002, 1003, 2003]);
        // A clock that is set back is no such course.
        assert_eq!(course(&[5000, 6000, 100, 200]), [5000, 6000, 100, 200]);
    }
}
