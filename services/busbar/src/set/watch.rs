//! Watches what becomes of a wish: the item itself, and what the services say that carry it out.

use std::time::Duration;

use dbus_interfaces::classes::control as c;
use dbus_interfaces::{BusError, ItemType, Monitor, Value};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::answer::{self, Stand};
use super::tellers;
use crate::bus::value;

/// How often is looked.
const LOOK: Duration = Duration::from_millis(100);
/// So long after a refusal its reason may come.
const REASON_COMES: Duration = Duration::from_secs(1);

/// How it ended.
pub(super) enum End {
    /// It was done, and the item holds this.
    Done(Option<Value>),
    /// It was not, for this reason.
    Failed(String),
    /// Nothing was heard in time; the item holds this.
    Open(Option<Value>),
}

/// A wish for one item.
pub(super) struct Watch {
    service: String,
    path: String,
    /// The names by which the tellers speak of it.
    names: Vec<String>,
    tellers: Vec<Teller>,
}

/// A service that says what became of wishes.
struct Teller {
    service: String,
    /// What it said last.
    text: String,
    stand: Stand,
}

impl Watch {
    /// Before the wish: what was said so far is about others.
    pub(super) async fn begin(monitor: &Monitor, service: &str, path: &str, word: &str) -> Watch {
        let mut told = Vec::new();
        for teller in tellers(monitor, service).await {
            if let Some(text) = said(monitor, &teller).await {
                told.push(Teller { service: teller, text, stand: Stand::Open });
            }
        }
        let names = answer::names(path, word);
        Watch { service: service.to_owned(), path: path.to_owned(), names, tellers: told }
    }

    /// Whether somebody says what becomes of it.
    pub(super) fn is_told(&self) -> bool {
        !self.names.is_empty() && !self.tellers.is_empty()
    }

    /// The reason of a refusal with code 2, where the service gives one. The same reason again is no news.
    pub(super) async fn said_of_refusal(&self, monitor: &Monitor) -> Option<String> {
        let teller = self.tellers.iter().find(|teller| teller.service == self.service)?;
        let end = Instant::now() + REASON_COMES;
        let mut look = interval(LOOK);
        loop {
            look.tick().await;
            let text = said(monitor, &teller.service).await?;
            if text != teller.text || Instant::now() >= end {
                return Some(text).filter(|text| !text.is_empty());
            }
        }
    }

    /// Waits until it is done or has failed, and no longer than this.
    pub(super) async fn settle(
        &mut self,
        monitor: &Monitor,
        wanted: Option<&Value>,
        wait: Duration,
    ) -> Result<End, BusError> {
        let end = Instant::now() + wait;
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            look.tick().await;
            if self.is_told() {
                self.listen(monitor).await;
            }
            // Looked at after the tellers: they speak when the item has changed.
            let held = monitor.get_value(&self.service, &self.path).await?;
            if let Some(why) = self.failure() {
                return Ok(End::Failed(why));
            }
            let is_under_way =
                self.tellers.iter().any(|teller| answer::is_under_way(&teller.text, &self.names));
            let is_done = self.tellers.iter().any(|teller| teller.stand == Stand::Done);
            if !is_under_way && (is_done || value::same(held.as_ref(), wanted)) {
                return Ok(End::Done(held));
            }
            if Instant::now() >= end {
                return Ok(End::Open(held));
            }
        }
    }

    /// What was said last of how it was done.
    pub(super) fn last_word(&self) -> Option<&str> {
        let done = self.tellers.iter().find(|teller| teller.stand == Stand::Done);
        done.map(|teller| teller.text.as_str())
    }

    async fn listen(&mut self, monitor: &Monitor) {
        for teller in &mut self.tellers {
            if let Some(text) = said(monitor, &teller.service).await.filter(|text| *text != teller.text) {
                teller.stand = answer::stand(&text, &self.names);
                teller.text = text;
            }
        }
    }

    /// What the first one says for which it has failed.
    fn failure(&self) -> Option<String> {
        self.tellers.iter().find_map(|teller| match &teller.stand {
            Stand::Failed(why) if teller.service == self.service => Some(why.clone()),
            Stand::Failed(why) => Some(format!("{}: {why}", teller.service)),
            _ => None,
        })
    }
}

/// The text of a service; none of one that has no such item.
async fn said(monitor: &Monitor, service: &str) -> Option<String> {
    let text = monitor.get_value(service, &c::RESULT.path()).await.ok()?;
    Some(text.as_ref().and_then(String::from_value).unwrap_or_default())
}
