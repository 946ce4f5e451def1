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
use crate::line::address::Address;
use crate::line::lines::Lines;
use crate::line::resident::Resident;
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
        let way = way(&self.lines, &there);
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
        if let Err(held) = settle(&self.lines, &device, &profile) {
            let (profile, unit) = (&profile.id, device.unit(&profile));
            return tracing::warn!(profile, unit, "is not run: the port is used as {held}");
        }
        // Nobody takes it up when the process ends.
        let _ = self.found.send((device, profile)).await;
    }
}

/// How a search gets at a place.
fn way(lines: &Lines, place: &Address) -> Way {
    let mut all = lines.all().into_iter();
    match all.find(|(address, _)| address.is_same_place(place)) {
        Some((address, line)) => Way::Shared(address, line),
        None => Way::Alone,
    }
}

/// Begins the line of a device and has it stand there before anybody takes it up: the next search shares the line with it, and
/// touches nothing that harms it.
///
/// # Errors
/// Others are at the same place otherwise, as at another rate: one of both would find the port held for ever.
fn settle(lines: &Lines, device: &Device, profile: &Profile) -> Result<(), Address> {
    // Without an address it is not run, and whoever takes it up says so.
    let Ok(address) = device.address(profile) else { return Ok(()) };
    if let Way::Shared(held, _) = way(lines, &address)
        && held != address
    {
        return Err(held);
    }
    let (line, unit) = (lines.at(&address), device.unit(profile));
    if !line.inhabitants().iter().any(|(known, _)| *known == unit) {
        line.inhabit(unit, Resident::new(profile, device.is_controlled()));
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use service_kit::Context;

    use super::*;
    use crate::profile::builtin;
    use crate::pulse::Loops;

    #[tokio::test]
    async fn the_next_search_shares_the_line_with_what_has_just_been_found() {
        let (context, _stopper) = Context::detached();
        let lines = Lines::new(Loops::new(context.heartbeat().clone()));
        let profile = builtin::by_id("growatt-spf").unwrap();
        let mut device = Device::at("growatt-spf");
        device.port = Some("/nonexistent/rs485".into());
        device.unit = Some(4);
        let address = device.address(&profile).unwrap();
        assert!(matches!(way(&lines, &address), Way::Alone));

        assert_eq!(settle(&lines, &device, &profile), Ok(()));
        let Way::Shared(at, line) = way(&lines, &address) else { panic!("it would find the port held") };
        let stands: Vec<_> = line.inhabitants();
        assert_eq!((at, stands.len(), stands[0].0), (address.clone(), 1, 4));
        assert!(stands[0].1.is_delicate(), "the search reads nothing dangerous beside it");
        assert!(!stands[0].1.is_there, "it has not been recognised by whoever runs it");

        line.recognised(4, Some(Vec::new()));
        assert_eq!(settle(&lines, &device, &profile), Ok(()));
        assert!(line.inhabitants()[0].1.is_there, "one that runs is left as it is");

        (device.unit, device.baud) = (Some(5), Some(19_200));
        assert_eq!(settle(&lines, &device, &profile), Err(address), "a port has one rate");
        assert_eq!(lines.all().len(), 1);
    }
}
