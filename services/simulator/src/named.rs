//! Things that a scenario calls by a name from a list.

use std::fmt;

use serde::Deserializer;
use serde::de::{Error, Visitor};

struct Name<T: 'static> {
    names: &'static [&'static str],
    things: &'static [&'static T],
}

/// Reads a name and gives the thing at its place in the list; an unknown one is refused with all that there are.
pub(crate) fn named<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    names: &'static [&'static str],
    things: &'static [&'static T],
) -> Result<&'static T, D::Error> {
    // The error must come from inside the visitor: only there the reader still knows the place in the file.
    deserializer.deserialize_str(Name { names, things })
}

impl<T> Visitor<'_> for Name<T> {
    type Value = &'static T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "one of {}", self.names.join(", "))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        let position = self.names.iter().position(|known| *known == name);
        let thing = position.and_then(|position| self.things.get(position));
        thing.copied().ok_or_else(|| E::unknown_variant(name, self.names))
    }
}
