//! The profiles that come with the program: one file and one line each. They are packed by `build.rs`.

use std::sync::{LazyLock, OnceLock};

use miniz_oxide::inflate::decompress_to_vec;

use super::write::SunSpec;
use super::{Class, Profile, parse};

/// Id and packed text of each.
macro_rules! builtin {
    ($($id:literal),* $(,)?) => {
        const BUILTIN: &[(&str, &[u8])] = &[$(($id, include_bytes!(concat!(env!("OUT_DIR"), "/", $id)))),*];
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

fn unpacked(packed: &[u8]) -> Option<String> {
    String::from_utf8(decompress_to_vec(packed).ok()?).ok()
}

/// The text of a profile. It is unpacked once and kept.
#[must_use]
pub fn text(id: &str) -> Option<&'static str> {
    static TEXTS: [OnceLock<Option<String>>; BUILTIN.len()] = [const { OnceLock::new() }; BUILTIN.len()];
    let ((_, packed), text) = BUILTIN.iter().zip(&TEXTS).find(|((known, _), _)| *known == id)?;
    text.get_or_init(|| unpacked(packed)).as_deref()
}

/// A profile by its id. Those that come with the program are sound: a test reads all of them.
#[must_use]
pub fn by_id(id: &str) -> Option<Profile> {
    let (_, packed) = BUILTIN.iter().find(|(known, _)| *known == id)?;
    parse(&unpacked(packed)?, &format!("{id}.toml")).ok()
}

/// The profiles with a chain of models that say which models must be in it.
static CHAINS: LazyLock<Vec<(&str, Class, SunSpec)>> = LazyLock::new(|| {
    let chains = BUILTIN.iter().filter_map(|(id, packed)| Some((*id, unpacked(packed)?)));
    let chains = chains.filter(|(_, text)| text.contains("\nsunspec."));
    let profiles = chains.filter_map(|(id, text)| Some((id, parse(&text, &format!("{id}.toml")).ok()?)));
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
    use std::path::Path;

    use super::*;

    #[test]
    fn every_profile_is_sound_and_has_its_file_name() {
        for id in ids() {
            let file = format!("{id}.toml");
            let text = text(id).unwrap_or_default();
            assert_eq!(text, std::fs::read_to_string(Path::new("profiles").join(&file)).unwrap());
            match parse(text, &file) {
                Ok(profile) => assert_eq!(profile.id, id),
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
