//! When to save: two seconds (or none) after the first change that is not yet saved, and again, ever more patiently, when the disk
//! does not take it. Meanwhile the settings are served from memory.

use std::path::PathBuf;
use std::time::Duration;

use service_kit::{Backoff, Repeating, random_seed};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use crate::save::{Besides, SaveError, plan, save};

/// From a change to the file, as in localsettings: many changes come together.
pub(crate) const DELAY: Duration = Duration::from_secs(2);

/// Saves on a thread of its own, one text at a time.
#[derive(Debug)]
pub(crate) struct Saver {
    folder: PathBuf,
    besides: Besides,
    delay: Duration,
    due: Option<Instant>,
    on_its_way: Option<JoinHandle<Result<(), SaveError>>>,
    failing: Repeating,
    backoff: Backoff,
}

impl Saver {
    /// A saver into `folder`, `delay` after a change. `besides` is done with the first save that succeeds.
    #[must_use]
    pub(crate) fn new(folder: PathBuf, besides: Besides, delay: Duration) -> Self {
        let backoff = Backoff::for_hardware(random_seed());
        Saver { folder, besides, delay, due: None, on_its_way: None, failing: Repeating::default(), backoff }
    }

    /// Something has changed at `now`.
    pub(crate) fn changed(&mut self, now: Instant) {
        self.due.get_or_insert(now + self.delay);
    }

    /// Returns when it is time to call [`Saver::begin`]. May be dropped and asked again.
    pub(crate) async fn due(&mut self) {
        self.settled().await;
        match self.due {
            Some(at) => sleep_until(at).await,
            None => std::future::pending().await,
        }
    }

    /// Returns when no save is on its way. May be dropped and asked again.
    pub(crate) async fn settled(&mut self) {
        if let Some(task) = &mut self.on_its_way {
            let result = task.await;
            self.ended(result.unwrap_or_else(|e| Err(self.died(e))));
        }
    }

    /// Begins to save `text`.
    pub(crate) fn begin(&mut self, text: String) {
        self.due = None;
        let (folder, steps) = (self.folder.clone(), plan(&self.folder, text, &self.besides));
        self.on_its_way = Some(tokio::task::spawn_blocking(move || save(&folder, &steps)));
    }

    /// Saves what is not yet saved, now.
    ///
    /// # Errors
    /// [`SaveError`]: what has changed since the last save is lost.
    pub(crate) async fn finish(mut self, text: impl FnOnce() -> String) -> Result<(), SaveError> {
        self.settled().await;
        if self.due.is_none() {
            return Ok(());
        }
        self.begin(text());
        match self.on_its_way.take() {
            Some(task) => task.await.unwrap_or_else(|e| Err(self.died(e))),
            None => Ok(()),
        }
    }

    fn died(&self, error: tokio::task::JoinError) -> SaveError {
        SaveError { path: self.folder.clone(), reason: std::io::Error::other(error) }
    }

    fn ended(&mut self, result: Result<(), SaveError>) {
        self.on_its_way = None;
        let now = Instant::now();
        match result {
            Ok(()) => {
                self.besides = Besides::default();
                self.backoff.succeeded(now);
                if let Some(report) = self.failing.ended(now) {
                    tracing::info!(%report, "the settings are saved again");
                }
            }
            Err(error) => {
                self.due = Some(now + self.backoff.failed(now));
                if let Some(report) = self.failing.failed(now, &error.to_string()) {
                    tracing::error!("the settings are only kept in memory and lost at a restart: {report}");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::save::FILE;

    async fn seconds_until_due(saver: &mut Saver, since: Instant) -> f64 {
        saver.due().await;
        since.elapsed().as_secs_f64()
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_change_sets_the_time_and_later_ones_do_not_put_it_off() {
        let home = tempfile::tempdir().unwrap();
        let mut saver = Saver::new(home.path().to_owned(), Besides::default(), DELAY);
        let start = Instant::now();
        saver.changed(start);
        saver.changed(start + Duration::from_millis(1900));
        let due = seconds_until_due(&mut saver, start).await;
        assert!((2.0..2.01).contains(&due), "{due}");
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_delay_a_change_is_saved_at_once() {
        let home = tempfile::tempdir().unwrap();
        let mut saver = Saver::new(home.path().to_owned(), Besides::default(), Duration::ZERO);
        let start = Instant::now();
        saver.changed(start);
        assert!(seconds_until_due(&mut saver, start).await < 0.01);
    }

    #[tokio::test(start_paused = true)]
    async fn what_changes_while_a_save_is_on_its_way_is_saved_by_the_next() {
        let home = tempfile::tempdir().unwrap();
        let mut saver = Saver::new(home.path().to_owned(), Besides::default(), DELAY);
        saver.begin("first".to_owned());
        saver.changed(Instant::now());
        saver.due().await;
        assert_eq!(std::fs::read_to_string(home.path().join(FILE)).unwrap(), "first");
        saver.begin("second".to_owned());
        saver.finish(|| panic!("nothing has changed since")).await.unwrap();
        assert_eq!(std::fs::read_to_string(home.path().join(FILE)).unwrap(), "second");
    }

    #[tokio::test(start_paused = true)]
    async fn a_disk_that_fails_is_tried_again_ever_more_patiently_whatever_changes_meanwhile() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("folder");
        std::fs::write(&folder, "in the way").unwrap();
        let mut saver = Saver::new(folder.clone(), Besides::default(), DELAY);
        let mut pauses = Vec::new();
        for _ in 0..10 {
            saver.begin("text".to_owned());
            let begun = Instant::now();
            // Lets the save end, then something changes.
            let _ = tokio::time::timeout(Duration::from_millis(1), saver.due()).await;
            saver.changed(Instant::now());
            pauses.push(seconds_until_due(&mut saver, begun).await);
        }
        assert!(pauses.iter().all(|pause| (1.0..=60.1).contains(pause)), "{pauses:?}");
        assert!(pauses.last() > Some(&30.0), "{pauses:?}");
        std::fs::remove_file(&folder).unwrap();
        saver.finish(|| "text".to_owned()).await.unwrap();
        assert_eq!(std::fs::read_to_string(folder.join(FILE)).unwrap(), "text");
    }
}
