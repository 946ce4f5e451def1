//! The profiles that come with the program: one file and one line each.

use super::{Profile, parse};

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
}
