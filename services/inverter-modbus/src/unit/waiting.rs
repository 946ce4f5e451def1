//! What waits until its memory, which wears out, may be written again: for people, with the time at which it will be.

use service_kit::{WallTime, wall_clock};
use tokio::time::Instant;

use super::control::Control;

/// What waits, in words.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    what: Vec<(String, f64, Instant)>,
    words: String,
}

impl Waiting {
    /// Takes in what waits now; true if that is something else than before.
    pub(super) fn look(&mut self, control: &Control, now: Instant) -> bool {
        let is_same = control
            .waiting()
            .eq(self.what.iter().map(|(name, value, until)| (name.as_str(), *value, *until)));
        if !is_same {
            self.what =
                control.waiting().map(|(name, value, until)| (name.to_owned(), value, until)).collect();
            self.words = words(&self.what, now, wall_clock());
        }
        !is_same
    }

    /// What waits, behind what else there is to say.
    pub(super) fn after(&self, said: &str) -> String {
        match (said, self.words.as_str()) {
            (said, "") => said.to_owned(),
            ("", words) => words.to_owned(),
            (said, words) => format!("{said}; {words}"),
        }
    }
}

fn words(what: &[(String, f64, Instant)], now: Instant, clock: WallTime) -> String {
    let words = what.iter().map(|(name, value, until)| {
        let seconds = until.saturating_duration_since(now).as_secs_f64().ceil() as i64;
        // The local time of day; a day is enough for every memory.
        let at = (clock.unix_s + i64::from(clock.utc_offset_s) + seconds).rem_euclid(86_400);
        let (hours, minutes, seconds) = (at / 3_600, at / 60 % 60, at % 60);
        format!("{name} {value} waits for its memory and is written at {hours:02}:{minutes:02}:{seconds:02}")
    });
    words.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_waits_is_told_with_the_local_time_of_its_turn() {
        let (now, clock) = (Instant::now(), WallTime { unix_s: 86_400 + 86_390, utc_offset_s: 3_600 });
        let what = [("charge_current_limit".to_owned(), 81.0, now + Duration::from_millis(24_500))];
        let words = words(&what, now, clock);
        assert_eq!(words, "charge_current_limit 81 waits for its memory and is written at 01:00:15");
        let waiting = Waiting { what: what.to_vec(), words };
        assert!(waiting.after("mode on is set").starts_with("mode on is set; charge_current_limit 81 waits"));
        assert_eq!(Waiting::default().after("mode on is set"), "mode on is set");
    }
}
