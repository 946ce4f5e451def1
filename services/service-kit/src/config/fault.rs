//! The fault at which one pass of reading stops: serde's calls kept as data, and where it was.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use super::mistake::Kind;
use super::path::{Path, Step};

/// The error of one pass.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) path: Option<Path>,
    /// A key below `path`, as serde names it.
    key: Option<String>,
    pub(super) kind: Kind,
}

impl Fault {
    pub(super) fn new(kind: Kind) -> Self {
        Self { path: None, key: None, kind }
    }

    /// The fault at `path`, unless a place further inside is known already.
    pub(super) fn at(mut self, path: &Path) -> Self {
        if self.path.is_none() {
            self.path = Some(match self.key.take() {
                Some(key) => path.then(Step::Key(key)),
                None => path.clone(),
            });
        }
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.kind)
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(Kind::Other(message.to_string()))
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(Kind::WrongType { expected: expected.to_string() })
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(Kind::WrongValue { expected: expected.to_string() })
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::new(Kind::WrongType { expected: expected.to_string() })
    }

    fn unknown_variant(word: &str, allowed: &'static [&'static str]) -> Self {
        Self::new(Kind::UnknownWord { word: word.to_owned(), allowed: allowed.to_vec() })
    }

    fn unknown_field(key: &str, allowed: &'static [&'static str]) -> Self {
        let kind = Kind::UnknownKey { allowed, elsewhere: None };
        Self { path: None, key: Some(key.to_owned()), kind }
    }

    fn missing_field(key: &'static str) -> Self {
        Self { path: None, key: Some(key.to_owned()), kind: Kind::Missing }
    }
}
