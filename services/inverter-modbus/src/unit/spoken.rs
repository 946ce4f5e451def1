//! What was said in the log lately: what a device refuses again and again is not worth a line each time.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// So long the same is not said again.
const AGAIN: Duration = Duration::from_secs(600);
/// More different things than a device has to say at a time.
const MOST: usize = 16;

/// What was said, and when.
#[derive(Debug, Default)]
pub(super) struct Spoken(VecDeque<(String, Instant)>);

impl Spoken {
    /// Whether this has not been said lately; from now on it has.
    pub(super) fn is_news(&mut self, what: &str, now: Instant) -> bool {
        self.0.retain(|(_, at)| now.duration_since(*at) < AGAIN);
        if self.0.iter().any(|(said, _)| said == what) {
            return false;
        }
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back((what.to_owned(), now));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_said_once_in_ten_minutes() {
        let (mut spoken, start) = (Spoken::default(), Instant::now());
        let said = |second: u64| start + Duration::from_secs(second);
        let mut is_news = |what: &str, second: u64| spoken.is_news(what, said(second));
        assert!(is_news("exception 2", 0));
        assert!(is_news("it shows 100", 1), "two in turn");
        assert!(!is_news("exception 2", 60));
        assert!(!is_news("it shows 100", 599));
        assert!(is_news("exception 2", 600));
        assert!(!is_news("exception 2", 700));
    }
}
