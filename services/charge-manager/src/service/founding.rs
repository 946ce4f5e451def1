//! Who the bank begins with. Batteries that come up together at boot do so within seconds of each other: who is there when
//! the first decision is made has not joined a bank that works, which would keep its limits down for a while.

use std::time::Duration;

use tokio::time::Instant;

/// So long the newest battery has been there when the bank begins.
const QUIET: Duration = Duration::from_secs(3);
/// So long the first one waits at the most.
const LONGEST: Duration = Duration::from_secs(10);

/// The wait for the batteries of the beginning.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Founding {
    count: usize,
    first: Option<Instant>,
    newest: Option<Instant>,
}

impl Founding {
    /// Whether the bank may begin with the batteries that there are.
    pub(crate) fn is_over(&mut self, batteries: usize, now: Instant) -> bool {
        if batteries > self.count {
            self.newest = Some(now);
            self.first.get_or_insert(now);
        }
        self.count = batteries;
        let since = |moment: Option<Instant>| moment.map(|at| now.duration_since(at));
        batteries > 0
            && (since(self.newest).is_some_and(|quiet| quiet >= QUIET)
                || since(self.first).is_some_and(|waited| waited >= LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_begins_when_no_more_come_and_not_later_than_ten_seconds_after_the_first() {
        let (mut founding, start) = (Founding::default(), Instant::now());
        let at = |s: u64| start + Duration::from_secs(s);
        assert!(!founding.is_over(0, at(0)));
        assert!(!founding.is_over(1, at(5)) && !founding.is_over(2, at(7)) && !founding.is_over(2, at(9)));
        assert!(founding.is_over(2, at(10)));
        let mut founding = Founding::default();
        let begins = (0..60).find(|s| founding.is_over(1 + *s as usize, at(*s)));
        assert_eq!(begins, Some(10));
    }
}
