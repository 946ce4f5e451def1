//! One line on which devices are looked for while the process runs: those that are remembered first, where they were; then
//! everywhere, again and again while something is missing.

use std::sync::Arc;
use std::time::Duration;

use service_kit::{Backoff, Repeating, random_seed, serial};
use tokio::time::{Instant, sleep};

use super::knowledge::Knowledge;
use super::plan::{Where, Wishes};
use super::runner::{NoLine, Outcome};
use super::search::Verdict;
use super::searches::{Searches, devices};
use super::stored::Store;
use crate::config::{Device, Discover};
use crate::line::address::Address;
use crate::profile::Profile;

/// Between two searches while something is missing.
const AGAIN: Duration = Duration::from_secs(600);
/// A port that has just come may not answer at once.
const SETTLE: Duration = Duration::from_secs(2);

/// Looks for the devices of one line. Returns when none is missing.
pub async fn watch(discover: Discover, searches: Searches, store: Store) {
    let Some(place) = discover.place() else { return };
    let (wishes, remembered) = (discover.wishes(), store.load());
    let mut watch = Watch {
        store,
        searches,
        place,
        known: Vec::new(),
        missing: remembered,
        failure: Repeating::default(),
        backoff: Backoff::for_hardware(random_seed()),
    };
    loop {
        watch.look_for_the_remembered().await;
        if watch.missing.is_empty() && !watch.known.is_empty() {
            return;
        }
        watch.look_everywhere(&wishes, discover.profile.as_deref()).await;
        if watch.missing.is_empty() && !watch.known.is_empty() {
            return;
        }
        sleep(AGAIN).await;
    }
}

struct Watch {
    store: Store,
    searches: Searches,
    place: Where,
    /// Those that were found by this process.
    known: Vec<Device>,
    /// Those that an earlier one found.
    missing: Vec<Device>,
    failure: Repeating,
    backoff: Backoff,
}

impl Watch {
    /// Asks for those that are missing where they were.
    async fn look_for_the_remembered(&mut self) {
        let here = self.place.address();
        for device in self.missing.clone() {
            let all = self.searches.knowledge();
            let profile = all.profiles().find(|profile| profile.id == device.profile).cloned();
            let address = profile.as_ref().and_then(|profile| device.address(profile).ok());
            let (Some(profile), Some(address)) =
                (profile, address.filter(|address| address.is_same_place(&here)))
            else {
                // Its profile or its place is not there any more.
                self.missing.retain(|known| *known != device);
                continue;
            };
            let wishes = where_it_was(&address, device.unit(&profile));
            let known = Arc::new(all.about(&device.profile));
            let outcome = self.look(&known, &wishes).await;
            self.take(&outcome, &known).await;
        }
    }

    async fn look_everywhere(&mut self, wishes: &Wishes, chosen: Option<&str>) {
        let known = match chosen.map(|id| self.searches.chosen(id)) {
            Some(Ok(known)) => known,
            // The configuration was checked; somebody has changed the profile since.
            Some(Err(why)) => return tracing::warn!("{why}"),
            None => self.searches.knowledge(),
        };
        tracing::info!(line = self.place.address().place(), "looking for devices");
        let known = Arc::new(known);
        let outcome = self.look(&known, wishes).await;
        self.take(&outcome, &known).await;
        say(&outcome, &self.place);
    }

    /// Looks, as soon as the line is there.
    async fn look(&mut self, known: &Arc<Knowledge>, wishes: &Wishes) -> Outcome {
        loop {
            match self.searches.look(known, &self.place, wishes).await {
                Ok(outcome) => {
                    self.backoff.succeeded(Instant::now());
                    self.failure.ended(Instant::now());
                    return outcome;
                }
                Err(NoLine(why)) => {
                    let now = Instant::now();
                    if let Some(report) = self.failure.failed(now, &why) {
                        tracing::warn!(line = self.place.address().place(), "{report}");
                    }
                    match &self.place {
                        Where::Port(path) if !path.exists() => {
                            serial::wait_for(path).await;
                            sleep(SETTLE).await;
                        }
                        _ => sleep(self.backoff.failed(now)).await,
                    }
                }
            }
        }
    }

    /// Has those run that were found, and remembers them.
    async fn take(&mut self, outcome: &Outcome, known: &Knowledge) {
        let mut has_news = false;
        for (device, profile) in devices(outcome, known) {
            self.missing.retain(|missing| !is_same(missing, &device, &profile));
            if !self.known.contains(&device) {
                tracing::info!(profile = device.profile, unit = device.unit, "found");
                self.known.push(device.clone());
                self.searches.run(device, profile).await;
                has_news = true;
            }
        }
        if has_news {
            self.store.keep(&[&self.known[..], &self.missing[..]].concat()).await;
        }
    }
}

/// Whether both are the device of one unit.
fn is_same(one: &Device, other: &Device, profile: &Profile) -> bool {
    one.unit(profile) == other.unit(profile)
}

/// The one rate and unit at which a device was.
fn where_it_was(address: &Address, unit: u8) -> Wishes {
    match address {
        Address::Serial { baud, character, .. } => Wishes {
            bauds: vec![*baud],
            parity: Some(character.parity),
            stop_bits: Some(if character.two_stop_bits { 2 } else { 1 }),
            units: vec![unit],
        },
        Address::Tcp { .. } => Wishes { units: vec![unit], ..Wishes::default() },
    }
}

/// What the user has to know about a search.
fn say(outcome: &Outcome, place: &Where) {
    let line = place.address().place();
    if outcome.found.is_empty() {
        tracing::warn!(line, "no device was found; the next search is in {} s", AGAIN.as_secs());
    }
    for (_, finding) in &outcome.found {
        let unit = finding.unit;
        match &finding.verdict {
            Verdict::Is(_) => {}
            Verdict::Either(ids) => {
                tracing::warn!(line, unit, "fits equally: {}: choose by a [[device]]", ids.join(", "));
            }
            Verdict::Like(device) => tracing::warn!(line, unit, "{device}"),
            Verdict::Unknown => tracing::warn!(line, unit, "answers, and no profile recognises it"),
        }
    }
    if let Some(finding) = &outcome.held_back {
        let unit = finding.unit;
        tracing::warn!(
            line,
            unit,
            "because of this unit registers from 30000 on were read of nobody on the line"
        );
    }
}
