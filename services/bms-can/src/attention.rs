//! How much of the traffic is listened to: everything as long as something is to be found out, then only what the
//! batteries send. On a shared bus that leaves the rest to the kernel.

use std::time::Duration;

use tokio::time::Instant;

/// All batteries have to be there for so long before the rest of the traffic is of no interest: a wrong dialect shows
/// within seconds, by frames that it does not have.
const FOUND_OUT: Duration = Duration::from_secs(60);

/// Whether to listen to everything.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Attention {
    complete_since: Option<Instant>,
    is_narrow: bool,
}

impl Attention {
    /// Whether to listen to the batteries alone; `None` while that stays as it is.
    pub(crate) fn step(&mut self, is_complete: bool, now: Instant) -> Option<bool> {
        self.complete_since = is_complete.then(|| self.complete_since.unwrap_or(now));
        let is_narrow = self.complete_since.is_some_and(|since| now.duration_since(since) >= FOUND_OUT);
        let is_news = is_narrow != self.is_narrow;
        self.is_narrow = is_narrow;
        is_news.then_some(is_narrow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_minute_with_all_batteries_narrows_it_and_the_loss_of_one_widens_it_at_once() {
        let (start, mut attention) = (Instant::now(), Attention::default());
        let at = |s| start + Duration::from_secs(s);
        assert_eq!(attention.step(false, at(0)), None);
        assert_eq!(attention.step(true, at(1)), None);
        assert_eq!(attention.step(true, at(60)), None);
        assert_eq!(attention.step(true, at(61)), Some(true));
        assert_eq!(attention.step(true, at(62)), None);
        assert_eq!(attention.step(false, at(100)), Some(false));
        assert_eq!(attention.step(true, at(101)), None);
        assert_eq!(attention.step(true, at(161)), Some(true));
    }
}
