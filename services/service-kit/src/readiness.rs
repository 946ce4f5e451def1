//! What systemd is told: ready, status, stopping. Nothing happens where there is no systemd.

use std::sync::{Arc, Mutex, PoisonError};

use sd_notify::NotifyState;

/// Tells the supervisor how far this process is. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Readiness {
    told: Arc<Mutex<Told>>,
}

#[derive(Debug, Default)]
struct Told {
    ready: bool,
    status: String,
}

impl Readiness {
    pub(crate) fn ready(&self, status: &str) {
        self.tell(status, true);
    }

    pub(crate) fn status(&self, status: &str) {
        self.tell(status, false);
    }

    fn tell(&self, status: &str, ready: bool) {
        // A line end would begin another assignment.
        let status = status.replace(char::is_control, " ");
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let mut news = Vec::new();
        if ready && !told.ready {
            told.ready = true;
            news.push(NotifyState::Ready);
        }
        if told.status != status {
            told.status = status;
            news.push(NotifyState::Status(&told.status));
        }
        if !news.is_empty() {
            tell_systemd(&news);
        }
    }

    /// The process ends, for this reason.
    pub(crate) fn stopping(&self, why: &str) {
        self.status(why);
        tell_systemd(&[NotifyState::Stopping]);
    }
}

/// Sends to systemd. That it does not listen is worth a word to whoever looks for it, and no reason to stop.
pub(crate) fn tell_systemd(news: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(news) {
        tracing::debug!(%error, "systemd cannot be told");
    }
}
