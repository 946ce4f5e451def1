//! Rules that types cannot say: ranges, and what belongs together.

use std::fmt::Display;
use std::ops::RangeInclusive;

use super::mistake::{Kind, Mistake};
use super::path::{Path, Step};

/// A configuration type whose values have rules. Types without any: `impl Check for Config {}`.
///
/// ```
/// use service_kit::config::{Check, Findings};
///
/// #[derive(serde::Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Can {
///     bit_rate_kbit: u32,
/// }
///
/// impl Check for Can {
///     fn check(&self, findings: &mut Findings) {
///         findings.within("bit_rate_kbit", self.bit_rate_kbit, 10..=1000, "kbit/s");
///     }
/// }
/// ```
pub trait Check {
    /// Reports every value that breaks a rule. Keys are relative to this type; the loader adds file and line.
    fn check(&self, findings: &mut Findings) {
        let _ = findings;
    }
}

/// Collects what [`Check::check`] finds.
#[derive(Debug, Default)]
pub struct Findings {
    here: Path,
    found: Vec<Mistake>,
}

impl Findings {
    /// Demands that the value of `key` lies in `allowed`. `unit` goes into the message; it may be empty.
    pub fn within<V: PartialOrd + Display>(
        &mut self,
        key: &str,
        value: V,
        allowed: RangeInclusive<V>,
        unit: &str,
    ) {
        if !allowed.contains(&value) {
            let range = format!("{} to {} {unit}", allowed.start(), allowed.end());
            let path = self.here.then(Step::Key(key.to_owned()));
            let (what, allowed) = (format!("{value} is out of range"), range.trim_end().to_owned());
            self.found.push(Mistake { path, at: None, kind: Kind::OutOfRange { what, allowed } });
        }
    }

    /// Refuses the value of `key`: what is wrong, and what is allowed instead.
    pub fn refuse(&mut self, key: &str, what: impl Into<String>, allowed: impl Into<String>) {
        let path = self.here.then(Step::Key(key.to_owned()));
        let kind = Kind::Refused { what: what.into(), allowed: allowed.into() };
        self.found.push(Mistake { path, at: None, kind });
    }

    /// Refuses the word under `key`, which is none of the `allowed` ones; the one that was probably meant is suggested.
    pub fn unknown_word(&mut self, key: &str, word: &str, allowed: impl IntoIterator<Item = &'static str>) {
        let path = self.here.then(Step::Key(key.to_owned()));
        let allowed = allowed.into_iter().collect();
        self.found.push(Mistake {
            path,
            at: None,
            kind: Kind::UnknownWord { word: word.to_owned(), allowed },
        });
    }

    /// Refuses the name under `key`, for which there is no thing of the kind `what`; the names that were probably meant are
    /// suggested.
    pub fn unknown_name(&mut self, key: &str, what: &str, name: &str, allowed: Vec<String>) {
        let path = self.here.then(Step::Key(key.to_owned()));
        let kind = Kind::UnknownName { what: what.to_owned(), name: name.to_owned(), allowed };
        self.found.push(Mistake { path, at: None, kind });
    }

    /// Checks the table under `key`.
    pub fn inside(&mut self, key: &str, part: &impl Check) {
        self.at(Step::Key(key.to_owned()), |findings| part.check(findings));
    }

    /// Checks each table of the list under `key`.
    pub fn each(&mut self, key: &str, parts: &[impl Check]) {
        self.at(Step::Key(key.to_owned()), |findings| {
            for (index, part) in parts.iter().enumerate() {
                findings.at(Step::Index(index), |findings| part.check(findings));
            }
        });
    }

    /// Checks one table of the list under `key`, by its index from 0: where it is the others that make it wrong.
    pub fn item(&mut self, key: &str, index: usize, check: impl FnOnce(&mut Self)) {
        self.at(Step::Key(key.to_owned()), |findings| findings.at(Step::Index(index), check));
    }

    fn at(&mut self, step: Step, check: impl FnOnce(&mut Self)) {
        self.here.0.push(step);
        check(self);
        self.here.0.pop();
    }

    pub(super) fn into_mistakes(self) -> Vec<Mistake> {
        self.found
    }
}
