//! The searches of the process: one at a time, in turn with what is read of devices that are known.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use dbus_interfaces::Value;
use dbus_interfaces::bus1::{Entries, Herald};
use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::sleep;

use super::found::device;
use super::knowledge::Knowledge;
use super::plan::{Where, Wishes};
use super::runner::{NoLine, Now, Outcome, Way, look};
use super::search::Verdict;
use crate::config::Device;
use crate::library::Library;
use crate::line::lines::Lines;
use crate::profile::Profile;

/// Between two signals about one search.
const TELL: Duration = Duration::from_secs(1);
/// Devices that were found and are not taken up yet.
const FOUND: usize = 64;

/// The searches of the process. Clones are the same.
#[derive(Debug, Clone)]
pub struct Searches {
    lines: Lines,
    library: Library,
    herald: Herald,
    turn: Arc<Mutex<()>>,
    found: mpsc::Sender<(Device, Profile)>,
}

impl Searches {
    /// The searches on these lines, for devices of these profiles; and the devices that are to be run, as they are found.
    #[must_use]
    pub fn new(
        lines: Lines,
        library: Library,
        herald: Herald,
    ) -> (Searches, mpsc::Receiver<(Device, Profile)>) {
        let (found, devices) = mpsc::channel(FOUND);
        (Searches { lines, library, herald, turn: Arc::default(), found }, devices)
    }

    /// All that is known; what is broken is left out and said.
    #[must_use]
    pub fn knowledge(&self) -> Knowledge {
        let (knowledge, broken) = Knowledge::of(&self.library);
        for why in broken {
            tracing::warn!("left out: {why}");
        }
        knowledge
    }

    /// What is known of one profile that the user has chosen.
    ///
    /// # Errors
    /// There is none, or it does not say how its device is recognised.
    pub fn chosen(&self, id: &str) -> Result<Knowledge, String> {
        Knowledge::only(self.library.get(id).map_err(|why| why.to_string())?)
    }

    /// Looks for devices at a place, when its turn has come.
    ///
    /// # Errors
    /// [`NoLine`].
    pub async fn look(
        &self,
        known: &Arc<Knowledge>,
        place: &Where,
        wishes: &Wishes,
    ) -> Result<Outcome, NoLine> {
        let _turn = self.turn.lock().await;
        self.look_now(known, place, wishes).await
    }

    /// Looks for devices at a place, unless something else is being looked for.
    ///
    /// # Errors
    /// [`NoLine`]; nothing where another search is under way.
    pub async fn try_look(
        &self,
        known: &Arc<Knowledge>,
        place: &Where,
        wishes: &Wishes,
    ) -> Option<Result<Outcome, NoLine>> {
        let _turn = self.turn.try_lock().ok()?;
        Some(self.look_now(known, place, wishes).await)
    }

    async fn look_now(
        &self,
        known: &Arc<Knowledge>,
        place: &Where,
        wishes: &Wishes,
    ) -> Result<Outcome, NoLine> {
        let there = place.address();
        let mut all = self.lines.all().into_iter();
        let way = match all.find(|(address, _)| address.is_same_place(&there)) {
            Some((address, line)) => Way::Shared(address, line),
            None => Way::Alone,
        };
        let (now, heard) = watch::channel(None);
        let looking = look(known, place, wishes, way, |question| {
            now.send_replace(Some(question.clone()));
        });
        let outcome = tokio::select! {
            outcome = looking => outcome,
            never = self.tell(heard) => match never {},
        };
        let found = outcome.as_ref().map_or(0, |outcome| outcome.found.len());
        let end = [("found", count(found)), ("done", Value::Bool(true))];
        self.say(&there.place(), end).await;
        outcome
    }

    /// Tells everybody how far the search is, until it is dropped.
    async fn tell(&self, mut heard: watch::Receiver<Option<Now>>) -> Infallible {
        loop {
            let now = heard.borrow_and_update().clone();
            if let Some(now) = now {
                let left_s = usize::try_from(now.left.as_secs()).unwrap_or(usize::MAX);
                let rate = now.address.baud().map_or(0, |baud| usize::try_from(baud).unwrap_or(0));
                let said = [
                    ("baud", count(rate)),
                    ("unit", count(now.unit.into())),
                    ("asked", count(now.asked)),
                    ("of", count(now.of)),
                    ("left_s", count(left_s)),
                    ("done", Value::Bool(false)),
                ];
                self.say(&now.address.place(), said).await;
            }
            sleep(TELL).await;
        }
    }

    async fn say<const N: usize>(&self, port: &str, what: [(&str, Value); N]) {
        let mut progress: Entries = vec![("port".to_owned(), Value::from(port))];
        progress.extend(what.map(|(key, value)| (key.to_owned(), value)));
        // A lost bus is noticed where requests come from.
        let _ = self.herald.tell(&progress).await;
    }

    /// Has a device run that was found and is to stay, unless it runs already.
    pub async fn run(&self, device: Device, profile: Profile) {
        // Nobody takes it up when the process ends.
        let _ = self.found.send((device, profile)).await;
    }
}

/// The devices of an outcome whose profile is certain.
#[must_use]
pub fn devices(outcome: &Outcome, knowledge: &Knowledge) -> Vec<(Device, Profile)> {
    let certain = outcome.found.iter().filter_map(|(address, finding)| {
        let Verdict::Is(id) = &finding.verdict else { return None };
        let profile = knowledge.profiles().find(|profile| profile.id == *id)?;
        Some((device(address, finding, profile)?, profile.clone()))
    });
    certain.collect()
}

fn count(number: usize) -> Value {
    Value::Int(i32::try_from(number).unwrap_or(i32::MAX))
}
