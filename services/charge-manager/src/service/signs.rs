//! Signs of life. A driver sends what changes, so one that says nothing may be well: it is asked whether it is still there.
//! A battery of ours needs no asking: its `/UpdateIndex` counts fresh data.
//!
//! That a process answers does not prove that its data are fresh; frozen data are found where they are judged.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dbus_interfaces::classes::{bank, battery, device};
use dbus_interfaces::{Monitor, Seen};
use tokio::time::Instant;

use super::devices;

/// Who has said nothing for so long is asked.
const QUIET: Duration = Duration::from_millis(1_500);

/// When the services that were asked have last answered, with the owner that did.
#[derive(Debug, Default)]
pub(crate) struct Signs {
    answers: Arc<Mutex<HashMap<Arc<str>, Answer>>>,
}

#[derive(Debug, Clone)]
struct Answer {
    owner: Arc<str>,
    /// None while the first answer is awaited.
    at: Option<Instant>,
    asking: bool,
}

impl Signs {
    /// The newest sign of fresh data of a service.
    pub(crate) fn newest(&self, monitor: &Monitor, seen: &Seen) -> Instant {
        if seen.class() == battery::CLASS
            && let Some(at) = monitor.received(&seen.name, bank::UPDATE_INDEX)
        {
            return at;
        }
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = answers.get(&seen.name).filter(|answer| answer.owner == seen.owner);
        answer.and_then(|answer| answer.at).map_or(seen.heard_at, |at| at.max(seen.heard_at))
    }

    /// Asks everybody who has been quiet for a while, without waiting for the answers.
    pub(crate) fn ask(&self, monitor: &Arc<Monitor>, seen: &[Seen], now: Instant) {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.retain(|name, answer| {
            answer.asking || seen.iter().any(|seen| seen.name == *name && seen.owner == answer.owner)
        });
        for seen in seen {
            let is_followed = seen.class() == battery::CLASS || devices::is_device(seen.class());
            let counts = monitor.received(&seen.name, bank::UPDATE_INDEX).is_some();
            let answer = answers.get(&seen.name);
            let newest =
                answer.and_then(|answer| answer.at).map_or(seen.heard_at, |at| at.max(seen.heard_at));
            let is_quiet = now.saturating_duration_since(newest) >= QUIET;
            if !is_followed || counts || !is_quiet || answer.is_some_and(|answer| answer.asking) {
                continue;
            }
            let at = answer.and_then(|answer| answer.at);
            answers.insert(seen.name.clone(), Answer { owner: seen.owner.clone(), at, asking: true });
            tokio::spawn(ask(monitor.clone(), self.answers.clone(), seen.name.clone()));
        }
    }
}

async fn ask(monitor: Arc<Monitor>, answers: Arc<Mutex<HashMap<Arc<str>, Answer>>>, service: Arc<str>) {
    let path = device::CONNECTED.path();
    let outcome = monitor.get_value(&service, &path).await;
    if let Some(answer) = answers.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&service) {
        answer.asking = false;
        if outcome.is_ok() {
            answer.at = Some(Instant::now());
        }
    }
}
