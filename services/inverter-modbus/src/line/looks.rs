//! Looking again for devices of a line that are not there, as often as the others of the line bear it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::{Instant, sleep_until};

/// While another device lives on the line, it is free of such looks for so many times as long as one took.
const SHARE: u32 = 4;
/// And no longer than this.
const LONGEST_REST: Duration = Duration::from_secs(60);
/// Whether another device lives is asked so often.
const GLANCE: Duration = Duration::from_secs(1);

/// The looks of a line, one after the other.
#[derive(Debug, Clone, Default)]
pub(super) struct Looks(Arc<Mutex<Option<Instant>>>);

/// One look, in its turn. Dropped, it was none.
#[derive(Debug)]
pub struct Look {
    /// Before this there is no other.
    rest: OwnedMutexGuard<Option<Instant>>,
    began: Instant,
}

impl Looks {
    /// Waits for its turn; and for the end of the rest, while `has_company`.
    pub(super) async fn next(&self, has_company: impl Fn() -> bool) -> Look {
        let rest = self.0.clone().lock_owned().await;
        while let Some(until) = rest.filter(|until| Instant::now() < *until && has_company()) {
            sleep_until(until.min(Instant::now() + GLANCE)).await;
        }
        Look { rest, began: Instant::now() }
    }
}

impl Look {
    /// It is over.
    pub fn is_over(mut self, has_found: bool) {
        let rest = (self.began.elapsed() * SHARE).min(LONGEST_REST);
        // Where one comes back, others do.
        *self.rest = if has_found { None } else { Some(Instant::now() + rest) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex as Known;
    use tokio::time::{sleep, timeout};

    const SECOND: Duration = Duration::from_secs(1);

    /// How often each of six devices is looked for in ten minutes, if a look takes a second.
    async fn looks(has_company: bool) -> Vec<u32> {
        let (looks, counts) = (Looks::default(), Arc::new(Known::new(vec![0; 6])));
        for n in 0..6 {
            let (looks, counts) = (looks.clone(), counts.clone());
            tokio::spawn(async move {
                loop {
                    let look = looks.next(|| has_company).await;
                    sleep(SECOND).await;
                    counts.lock().unwrap()[n] += 1;
                    look.is_over(false);
                    sleep(5 * SECOND).await;
                }
            });
        }
        sleep(600 * SECOND).await;
        counts.lock().unwrap().clone()
    }

    #[tokio::test(start_paused = true)]
    async fn beside_one_that_lives_they_take_a_fifth_of_the_line_each_in_its_turn() {
        assert_eq!(looks(true).await, [20; 6]);
    }

    #[tokio::test(start_paused = true)]
    async fn among_themselves_they_are_looked_for_as_often_as_the_line_bears() {
        assert!(looks(false).await.iter().all(|count| *count >= 98));
    }

    #[tokio::test(start_paused = true)]
    async fn where_one_has_come_back_the_next_is_looked_for_at_once() {
        let looks = Looks::default();
        for has_found in [false, true] {
            let look = looks.next(|| true).await;
            sleep(SECOND).await;
            look.is_over(has_found);
        }
        assert!(timeout(SECOND / 2, looks.next(|| true)).await.is_ok());
    }
}
