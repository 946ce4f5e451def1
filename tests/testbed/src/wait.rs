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
pub fn eventually_some<T>(deadline: Duration, look: impl FnMut() -> Option<T>) -> T {
    look_for(deadline, look).unwrap_or_else(|| panic!("did not happen within {:?}", patient(deadline)))
}

/// Whether `condition` comes to hold in this time; for attempts, and for what is told with its reasons.
pub fn happens(deadline: Duration, mut condition: impl FnMut() -> bool) -> bool {
    look_for(deadline, || condition().then_some(())).is_some()
}

#[expect(clippy::disallowed_methods, reason = "real processes live in real time")]
fn look_for<T>(deadline: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = patient(deadline);
    let start = std::time::Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        // Taken before the look: a look that starts in time counts, however long it takes.
        let late = start.elapsed() >= deadline;
        let found = look();
        if late || found.is_some() {
            return found;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// What the first attempt brings that nothing has spoiled, of `most` at most. An attempt is spoiled when the machine was too
/// busy for what it looks at; what is broken spoils every one, and fails the test with what each of them said.
///
/// # Panics
/// Then.
#[track_caller]
pub fn one_of<T>(most: usize, mut attempt: impl FnMut() -> Result<T, String>) -> T {
    let mut spoiled = Vec::new();
    while spoiled.len() < most {
        match attempt() {
            Ok(good) => return good,
            Err(why) => {
                println!("attempt {} is spoiled: {why}", spoiled.len() + 1);
                spoiled.push(why);
            }
        }
    }
    panic!("{}", none_of(&spoiled))
}

/// Like [`one_of`], for attempts that are awaited.
///
/// # Panics
/// When every attempt is spoiled.
pub async fn one_of_awaited<T>(most: usize, mut attempt: impl AsyncFnMut() -> Result<T, String>) -> T {
    let mut spoiled = Vec::new();
    while spoiled.len() < most {
        match attempt().await {
            Ok(good) => return good,
            Err(why) => {
                println!("attempt {} is spoiled: {why}", spoiled.len() + 1);
                spoiled.push(why);
            }
        }
    }
    panic!("{}", none_of(&spoiled))
}

fn none_of(spoiled: &[String]) -> String {
    format!("none of {} attempts was good:\n{}", spoiled.len(), spoiled.join("\n"))
}

/// A deadline that counts for slow programs too, of which the environment tells: with `TESTBED_PATIENCE=5` all of them may
/// take five times as long.
#[must_use]
pub fn patient(deadline: Duration) -> Duration {
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
    fn an_attempt_that_was_spoiled_is_made_again() {
        let mut made = 0;
        let good = one_of(3, || {
            made += 1;
            if made == 2 { Ok("good") } else { Err("too late".to_owned()) }
        });
        assert_eq!((good, made), ("good", 2));
    }

    #[test]
    #[should_panic(expected = "none of 2 attempts was good:\nwrong\nwrong")]
    fn what_is_wrong_each_time_fails_the_test() {
        one_of(2, || Err::<(), _>("wrong".to_owned()));
    }

    #[test]
    #[should_panic(expected = "did not happen within")]
    fn a_condition_that_never_holds_fails_the_test() {
        eventually(Duration::from_millis(5), || false);
    }
}
