//! The way from the top of a configuration to one of its keys.

use std::fmt;

/// One step into a configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// Into a table, by key.
    Key(String),
    /// Into a list, by index from 0.
    Index(usize),
}

/// The steps from the top; empty at the top itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Path(pub(super) Vec<Step>);

impl Path {
    /// This path and one step more.
    pub(super) fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// The path without its last step; `None` at the top.
    pub(super) fn parent(&self) -> Option<Self> {
        let (_, front) = self.0.split_last()?;
        Some(Self(front.to_vec()))
    }

    /// Whether `self` lies at or below `other`.
    pub(super) fn within(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }
}

impl fmt::Display for Path {
    /// As a user would write it: `batteries[1].port`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) => {
                    let dot = if n == 0 { "" } else { "." };
                    write!(f, "{dot}{}", Bare(key))?;
                }
            }
        }
        Ok(())
    }
}

/// A key as TOML wants it: bare where that is possible, else quoted; shortened where it would fill a screen.
pub(super) struct Bare<'k>(pub(super) &'k str);

impl fmt::Display for Bare<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if self.0.is_empty() || !self.0.chars().all(bare) {
            write!(f, "{:?}", shorten(self.0))
        } else {
            f.write_str(&shorten(self.0))
        }
    }
}

/// At most 60 characters of `text`, with an ellipsis when it has more.
pub(super) fn shorten(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_as_a_user_writes_it() {
        let path = Path::default()
            .then(Step::Key("batteries".into()))
            .then(Step::Index(1))
            .then(Step::Key("port".into()))
            .then(Step::Key("a b".into()));
        assert_eq!(path.to_string(), r#"batteries[1].port."a b""#);
    }
}
