//! What is known of devices before any is asked: the profiles, the order in which they are tried, and what is dangerous.

use serde::Deserialize;

use crate::device::recognise;
use crate::engine::plan::Range;
use crate::library::Library;
use crate::profile::Profile;
use crate::profile::scalar::Table;
use crate::profile::write::Match;

const TEXT: &str = include_str!("../../discovery.toml");

/// What is known before.
#[derive(Debug, Clone)]
pub struct Knowledge {
    /// What is tried, in this order.
    pub steps: Vec<Step>,
    /// Registers from here on are read only where no device is endangered.
    pub danger_from: u16,
    /// The user has said what it is: nothing is excluded first.
    pub is_chosen: bool,
}

/// What is tried at a time.
#[derive(Debug, Clone)]
pub struct Step {
    /// The profiles.
    pub profiles: Vec<Profile>,
    /// Other signs; one of them is enough.
    pub signs: Vec<Sign>,
    /// What has such a sign.
    pub device: Option<String>,
    /// What happens to such a device when registers from [`Knowledge::danger_from`] on are read.
    pub danger: Option<String>,
}

/// A sign of a device: all of it must hold.
pub type Sign = Vec<Match>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    danger_from: u16,
    step: Vec<WrittenStep>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenStep {
    profiles: Vec<String>,
    #[serde(default)]
    sign: Vec<Sign>,
    #[serde(default)]
    device: Option<String>,
    #[serde(default)]
    danger: Option<String>,
}

/// A device that some registers endanger.
#[derive(Debug, Clone)]
pub struct Danger {
    /// What it is.
    pub device: String,
    /// One of them is enough.
    pub signs: Vec<Sign>,
}

/// The devices that are endangered when registers from the first of these on are read.
#[must_use]
pub fn dangers() -> (u16, Vec<Danger>) {
    let Written { danger_from, step } = written();
    let dangers = step.into_iter().filter(|step| step.danger.is_some());
    let dangers = dangers.map(|step| Danger { device: step.device.unwrap_or_default(), signs: step.sign });
    (danger_from, dangers.collect())
}

impl Knowledge {
    /// All that the program and the user's profiles know, and which profiles are broken and left out.
    #[must_use]
    pub fn of(library: &Library) -> (Knowledge, Vec<String>) {
        let written = written();
        let (mut rest, mut broken) = (Vec::new(), Vec::new());
        for id in library.ids() {
            match library.get(&id) {
                Ok(profile) if can_be_found(&profile) => rest.push(profile),
                Ok(_) => {}
                Err(why) => broken.push(why.to_string()),
            }
        }
        let mut steps = Vec::new();
        for step in written.step {
            let mut profiles = Vec::new();
            for id in &step.profiles {
                if let Some(at) = rest.iter().position(|profile| profile.id == *id) {
                    profiles.push(rest.remove(at));
                }
            }
            steps.push(Step { profiles, signs: step.sign, device: step.device, danger: step.danger });
        }
        // Those that nobody put in order follow.
        steps.extend(rest.into_iter().map(Step::of));
        (Knowledge { steps, danger_from: written.danger_from, is_chosen: false }, broken)
    }

    /// Nothing but a profile that the user has chosen.
    ///
    /// # Errors
    /// Nothing in it says how the device is recognised.
    pub fn only(profile: Profile) -> Result<Knowledge, String> {
        if !can_be_found(&profile) {
            return Err(format!("the profile {} does not say how its device is recognised", profile.id));
        }
        let danger_from = written().danger_from;
        Ok(Knowledge { steps: vec![Step::of(profile)], danger_from, is_chosen: true })
    }

    /// What is known of one profile, and what is dangerous: for a device that was found before.
    #[must_use]
    pub fn about(&self, id: &str) -> Knowledge {
        let mut known = self.clone();
        for step in &mut known.steps {
            step.profiles.retain(|profile| profile.id == id || step.danger.is_some());
        }
        known.steps.retain(|step| step.danger.is_some() || !step.profiles.is_empty());
        known
    }

    /// All profiles, in the order in which they are tried.
    pub fn profiles(&self) -> impl Iterator<Item = &Profile> {
        self.steps.iter().flat_map(|step| &step.profiles)
    }

    /// Whether any of these registers may endanger a device.
    #[must_use]
    pub fn is_dangerous(&self, range: Range) -> bool {
        u32::from(range.addr) + u32::from(range.count.max(1)) > u32::from(self.danger_from)
    }

    /// Whether a profile is recognised only by registers that may endanger another device.
    #[must_use]
    pub fn is_late(&self, profile: &Profile) -> bool {
        reads(profile).any(|range| self.is_dangerous(range))
    }
}

impl Step {
    fn of(profile: Profile) -> Step {
        Step { profiles: vec![profile], signs: Vec::new(), device: None, danger: None }
    }

    /// The registers of its signs, in their order.
    pub fn sign_reads(&self) -> impl Iterator<Item = Range> {
        self.signs.iter().flatten().map(|part| recognise::place_of(part, sign_table(part)))
    }
}

/// The table of a sign that does not say it.
#[must_use]
pub fn sign_table(part: &Match) -> Table {
    part.table.unwrap_or(Table::Holding)
}

/// What is read to recognise the device of a profile without a chain of models.
pub fn reads(profile: &Profile) -> impl Iterator<Item = Range> {
    let is_fixed = profile.sunspec.is_none();
    let reads = profile.identify.iter().filter(move |_| is_fixed).flat_map(|identify| &identify.read);
    reads.map(|read| Range { table: profile.table(read.table), addr: read.addr, count: read.count })
}

/// The registers that tell the device of a profile without a chain of models; of one with a chain, where it may begin.
pub fn telling(profile: &Profile) -> impl Iterator<Item = Range> {
    let parts = profile.identify.iter().flat_map(|identify| &identify.matches);
    let parts = parts.map(|part| recognise::place_of(part, profile.table(part.table)));
    let bases = profile.sunspec.iter().flat_map(|sunspec| &sunspec.bases);
    parts.chain(bases.map(|base| Range { table: Table::Holding, addr: *base, count: 2 }))
}

fn can_be_found(profile: &Profile) -> bool {
    profile.sunspec.is_some() || profile.identify.is_some()
}

/// The table that comes with the program: a test reads it.
fn written() -> Written {
    toml::from_str(TEXT).unwrap_or_else(|_| Written { danger_from: 0, step: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::builtin;

    fn knowledge() -> Knowledge {
        let nowhere = Library::new(Some(std::path::PathBuf::from("/nonexistent")));
        let (knowledge, broken) = Knowledge::of(&nowhere);
        assert_eq!(broken, Vec::<String>::new());
        knowledge
    }

    #[test]
    fn the_table_can_be_read_and_names_profiles_that_there_are() {
        let written: Written = toml::from_str(TEXT).unwrap();
        for id in written.step.iter().flat_map(|step| &step.profiles) {
            assert!(builtin::by_id(id).is_some(), "{id}");
        }
        assert!(written.step.iter().all(|step| step.sign.is_empty() == step.device.is_none()));
    }

    #[test]
    fn every_profile_that_says_how_it_is_recognised_is_tried_once() {
        let mut tried: Vec<String> = knowledge().profiles().map(|profile| profile.id.clone()).collect();
        tried.sort();
        let mut all: Vec<String> = builtin::ids().map(str::to_owned).collect();
        all.sort();
        assert_eq!(tried, all);
    }

    #[test]
    fn what_endangers_is_excluded_by_registers_that_do_not() {
        let knowledge = knowledge();
        let dangers: Vec<&Step> = knowledge.steps.iter().filter(|step| step.danger.is_some()).collect();
        assert!(!dangers.is_empty());
        for step in dangers {
            let profiles = step.profiles.iter().flat_map(reads);
            assert!(step.sign_reads().chain(profiles).all(|range| !knowledge.is_dangerous(range)));
        }
        let edge = Range { table: Table::Input, addr: 29_999, count: 1 };
        assert!(!knowledge.is_dangerous(edge) && knowledge.is_dangerous(Range { count: 2, ..edge }));
    }

    #[test]
    fn a_profile_of_the_user_takes_part() {
        let folder = tempfile::tempdir().unwrap();
        let text = builtin::text("sofar-hyd").unwrap().replace("\"sofar-hyd\"", "\"my-sofar\"");
        std::fs::write(folder.path().join("my-sofar.toml"), text).unwrap();
        std::fs::write(folder.path().join("broken.toml"), "schema = 1").unwrap();
        let (knowledge, broken) = Knowledge::of(&Library::new(Some(folder.path().to_owned())));
        assert_eq!(knowledge.steps.last().unwrap().profiles[0].id, "my-sofar");
        assert_eq!(broken.len(), 1);
    }
}
