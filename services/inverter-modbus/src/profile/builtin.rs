//! The profiles that come with the program: one file and one line each.

use std::sync::LazyLock;

use super::write::SunSpec;
use super::{Class, Profile, parse};

/// Id and text of each.
macro_rules! builtin {
    ($($id:literal),* $(,)?) => {
        const BUILTIN: &[(&str, &str)] = &[$(($id, include_str!(concat!("../../profiles/", $id, ".toml")))),*];
    };
}

builtin![
    "deye-one-phase",
    "deye-three-phase-lv",
    "deye-three-phase-hv",
    "growatt-spf",
    "growatt-sph",
    "growatt-xh",
    "luxpower",
    "solis-hybrid",
    "sofar-hyd",
    "goodwe-et",
    "sungrow-sh",
    "sma-sunny-island",
    "sunspec-inverter",
    "sunspec-hybrid",
    "sunspec-meter",
];

/// The ids, in the order of the list.
pub fn ids() -> impl Iterator<Item = &'static str> {
    BUILTIN.iter().map(|(id, _)| *id)
}

/// The text of a profile.
#[must_use]
pub fn text(id: &str) -> Option<&'static str> {
    BUILTIN.iter().find(|(known, _)| *known == id).map(|(_, text)| *text)
}

/// A profile by its id. Those that come with the program are sound: a test reads all of them.
#[must_use]
pub fn by_id(id: &str) -> Option<Profile> {
    parse(text(id)?, &format!("{id}.toml")).ok()
}

/// The profiles with a chain of models that say which models must be in it.
static CHAINS: LazyLock<Vec<(&str, Class, SunSpec)>> = LazyLock::new(|| {
    let chains = BUILTIN.iter().filter(|(_, text)| text.contains("\nsunspec."));
    let profiles = chains.filter_map(|(id, _)| Some((*id, by_id(id)?)));
    let chains = profiles.filter_map(|(id, profile)| Some((id, profile.class, profile.sunspec?)));
    chains.filter(|(.., sunspec)| !sunspec.any.is_empty()).collect()
});

/// The profile for a device whose chain has these models, and what it is.
#[must_use]
pub fn for_chain(models: &[u16]) -> Option<(&'static str, Class)> {
    let fitting = CHAINS.iter().find(|(.., sunspec)| sunspec.fits(models));
    fitting.map(|(id, class, _)| (*id, *class))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_is_sound_and_has_its_file_name() {
        for (id, text) in BUILTIN {
            match parse(text, &format!("{id}.toml")) {
                Ok(profile) => assert_eq!(profile.id, *id),
                Err(errors) => panic!("{errors}"),
            }
        }
    }

    #[test]
    fn a_chain_has_one_profile_by_its_models() {
        let of = |models: &[u16]| for_chain(models).map(|(id, _)| id);
        assert_eq!(of(&[1, 103, 120, 123]), Some("sunspec-inverter"));
        assert_eq!(of(&[1, 701, 704, 713]), Some("sunspec-hybrid"));
        assert_eq!(of(&[1, 103, 120, 124]), Some("sunspec-hybrid"));
        assert_eq!(
            of(&[1, 103, 203]),
            Some("sunspec-inverter"),
            "the meter behind an inverter is not the device"
        );
        assert_eq!(of(&[1, 203]), Some("sunspec-meter"));
        assert_eq!((of(&[1]), of(&[1, 307])), (None, None));
    }
}
