//! The rules of a profile that types cannot say.

mod common;
mod identify;
mod points;
mod steps;
mod whole;
mod writes;

use service_kit::config::{Check, Findings};

use super::{Profile, SCHEMA};
use identify::IdentifyIn;

/// A part of the profile, with the whole of it.
struct In<'p, T> {
    part: &'p T,
    profile: &'p Profile,
}

fn each<'p, T>(parts: &'p [T], profile: &'p Profile) -> Vec<In<'p, T>> {
    parts.iter().map(|part| In { part, profile }).collect()
}

impl Check for Profile {
    fn check(&self, findings: &mut Findings) {
        findings.within("schema", self.schema, SCHEMA..=SCHEMA, "");
        let is_id = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.id.is_empty() || self.id.len() > 40 || !self.id.chars().all(is_id) {
            findings.refuse("id", format!("{:?}", self.id), "1 to 40 small letters, digits and -");
        }
        if self.models.is_empty() {
            findings.refuse("models", "there is none", "at least one");
        }
        findings.within("phases", self.phases, 1..=3, "");
        findings.inside("link", &self.link);
        if let Some(identify) = &self.identify {
            let checked = IdentifyIn { profile: self, identify };
            findings.inside("identify", &checked);
        }
        if let Some(sunspec) = &self.sunspec {
            if sunspec.bases.is_empty() {
                findings.refuse("sunspec", "no base", "bases = [40000, 50000, 0]");
            }
            if let Some(both) = sunspec.any.iter().find(|id| sunspec.none.contains(id)) {
                findings.refuse("sunspec", format!("{both} in any and in none"), "a model in one of them");
            }
        }
        findings.each("block", &each(&self.block, self));
        findings.each("point", &each(&self.point, self));
        findings.each("enum", &each(&self.words, self));
        findings.each("bits", &each(&self.bits, self));
        findings.each("write", &each(&self.write, self));
        findings.each("mode", &each(&self.mode, self));
        self.check_blocks(findings);
        self.check_loops(findings);
    }
}
