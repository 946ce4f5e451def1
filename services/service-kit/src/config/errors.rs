//! What a user reads when a configuration is wrong: place, key, what, what is allowed, what was probably meant.

use std::fmt;

use super::position::Position;

/// More mistakes than this are counted, not listed.
const LISTED: usize = 20;

/// Where a mistake stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In this file, but nowhere in particular (it cannot be read).
    File(String),
    /// In this file at this line.
    Text {
        /// The file as it was named.
        file: String,
        /// Line and column.
        position: Position,
    },
    /// In this environment variable.
    Variable(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => f.write_str(file),
            Self::Text { file, position } => write!(f, "{file}:{}:{}", position.line, position.column),
            // Unlike the words of a file, the name of a variable is not quoted anywhere.
            Self::Variable(name) => f.write_str(&name.replace(char::is_control, " ")),
        }
    }
}

/// One mistake. Its `Display` is one line:
/// `bms-can.can0.toml:3:1: can.prot: unknown key; allowed: bit_rate, port; did you mean port?`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Where it stands.
    pub place: Place,
    /// The key from the top, `can.port`; `None` for what concerns the whole file.
    pub key: Option<String>,
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub allowed: Option<String>,
    /// What was probably meant.
    pub nearest: Option<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if let Some(key) = &self.key {
            write!(f, "{key}: ")?;
        }
        f.write_str(&self.what)?;
        if let Some(allowed) = &self.allowed {
            write!(f, "; allowed: {allowed}")?;
        }
        if let Some(nearest) = &self.nearest {
            write!(f, "; did you mean {nearest}?")?;
        }
        Ok(())
    }
}

/// All mistakes of a configuration, in the order of the file, variables last. Never empty.
/// In a [`Failure`](crate::Failure) they mean exit code 78.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors {
    listed: Vec<ConfigError>,
    more: usize,
}

impl ConfigErrors {
    /// The mistakes as `describe` makes them of `found`, which is not empty; those beyond twenty are only counted.
    pub(super) fn new<M>(found: Vec<M>, describe: impl Fn(M) -> ConfigError) -> Self {
        let more = found.len().saturating_sub(LISTED);
        Self { listed: found.into_iter().take(LISTED).map(describe).collect(), more }
    }

    /// One mistake that has no key.
    pub(super) fn one(place: Place, what: impl Into<String>) -> Self {
        let error = ConfigError { place, key: None, what: what.into(), allowed: None, nearest: None };
        Self { listed: vec![error], more: 0 }
    }

    /// The mistakes, at most twenty.
    pub fn iter(&self) -> impl Iterator<Item = &ConfigError> {
        self.listed.iter()
    }

    /// The lines for a log or a terminal: one for each mistake, and one for those that are not listed.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let more = (self.more > 0).then(|| format!("and {} more", self.more));
        self.listed.iter().map(ToString::to_string).chain(more)
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.lines().collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for ConfigErrors {}
