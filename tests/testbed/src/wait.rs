//! Waiting for what cannot be awaited as an event. The only polling in the tests.

use std::time::Duration;

/// Asks `condition` again and again until it holds.
///
/// The first question is asked at once, the pauses between grow from 1 ms to 50 ms. Blocks the thread.
///
/// # Panics
/// When `deadline` passes first.
#[track_caller]
pub fn eventually(deadline: Duration, mut condition: impl FnMut() -> bool) {
    eventually_some(deadline, || condition().then_some(()));
}

/// Like [`eventually`], and hands on what was found.
///
/// # Panics
/// When `deadline` passes first.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "real processes live in real time")]
pub fn eventually_some<T>(deadline: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = patient(deadline);
    let start = std::time::Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        // Taken before the look: a look that starts in time counts, however long it takes.
        let late = start.elapsed() >= deadline;
        if let Some(found) = look() {
            return found;
        }
        if late {
            panic!("did not happen within {deadline:?}");
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// A deadline that counts for slow programs too, of which the environment tells: with `TESTBED_PATIENCE=5` all of them may
/// take five times as long.
pub(crate) fn patient(deadline: Duration) -> Duration {
    let factor = std::env::var("TESTBED_PATIENCE").ok().and_then(|factor| factor.parse().ok());
    deadline.saturating_mul(factor.unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_that_holds_is_asked_once() {
        let mut asked = 0;
        eventually(Duration::ZERO, || {
            asked += 1;
            true
        });
        assert_eq!(asked, 1);
    }

    #[test]
    fn what_is_found_later_is_handed_on() {
        let mut asked = 0;
        let found = eventually_some(Duration::from_secs(5), || {
            asked += 1;
            (asked == 4).then_some("found")
        });
        assert_eq!((found, asked), ("found", 4));
    }

    #[test]
    #[should_panic(expected = "did not happen within 5ms")]
    fn a_condition_that_never_holds_fails_the_test() {
        eventually(Duration::from_millis(5), || false);
    }
}
