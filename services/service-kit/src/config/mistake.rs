//! One mistake in a configuration, and how it becomes a line for its reader.

use std::collections::BTreeSet;

use super::errors::{ConfigError, Place};
use super::nearest::{nearest, nearest_few};
use super::path::{Bare, Path, Step, shorten};
use super::position::position;
use super::tree::{DEEPEST, Node, Origin, Value};

/// A mistake as it is found. Its place is looked up in the tree unless it is known already.
#[derive(Debug)]
pub(super) struct Mistake {
    pub(super) path: Path,
    pub(super) at: Option<Origin>,
    pub(super) kind: Kind,
}

/// What is wrong.
#[derive(Debug)]
pub(super) enum Kind {
    /// The text is no TOML, for this reason.
    Syntax(String),
    /// No such key. `elsewhere` is a table that does have it.
    UnknownKey { allowed: &'static [&'static str], elsewhere: Option<String> },
    /// A key without which there is no configuration.
    Missing,
    /// A word that is none of the allowed ones.
    UnknownWord { word: String, allowed: Vec<&'static str> },
    /// No thing of this kind has this name.
    UnknownName { what: String, name: String, allowed: Vec<String> },
    /// Something else than this was expected, in the words of serde.
    WrongType { expected: String },
    /// The right type with a wrong value; expected, in the words of serde.
    WrongValue { expected: String },
    /// Not finite.
    NoNumber,
    /// Nested beyond [`DEEPEST`].
    TooDeep,
    /// A range or rule of our own does not hold.
    Refused { what: String, allowed: String },
    /// A value is outside its range, whatever stands beside it.
    OutOfRange { what: String, allowed: String },
    /// Anything that explains itself.
    Other(String),
}

/// What is needed to describe a mistake.
pub(super) struct Scene<'s> {
    pub(super) file: &'s str,
    pub(super) text: &'s str,
    pub(super) tree: &'s Node,
}

impl Mistake {
    /// Whether a rule is broken by what is written, and not by what stands in for something else that is wrong: rules that may
    /// look at what stands beside a key or inside it are left for when that is mended.
    pub(super) fn holds(&self, stand_ins: &BTreeSet<Path>) -> bool {
        let is_own = matches!(
            self.kind,
            Kind::OutOfRange { .. } | Kind::UnknownName { .. } | Kind::UnknownWord { .. }
        );
        stand_ins.iter().all(|stand_in| {
            let is_beside = self.path.parent() == stand_in.parent();
            !(self.path.within(stand_in) || stand_in.within(&self.path) || is_beside && !is_own)
        })
    }

    /// Where it stands: its own node, or the nearest table around it for what is not written at all.
    pub(super) fn origin(&self, tree: &Node) -> Origin {
        if let Some(origin) = &self.at {
            return origin.clone();
        }
        if let (Some(node), Kind::UnknownKey { .. }) = (tree.find(&self.path), &self.kind) {
            return node.key.clone();
        }
        let mut path = Some(self.path.clone());
        while let Some(here) = path {
            if let Some(node) = tree.find(&here) {
                return node.at.clone();
            }
            path = here.parent();
        }
        tree.at.clone()
    }

    /// The line for the reader.
    pub(super) fn describe(self, scene: &Scene<'_>) -> ConfigError {
        let origin = self.origin(scene.tree);
        let written = scene.written(&self.path);
        let key = (!self.path.0.is_empty()).then(|| self.path.to_string());
        let (what, allowed, nearest) = match self.kind {
            Kind::Syntax(reason) => (reason, None, None),
            Kind::UnknownKey { allowed, elsewhere } => {
                let name = self.path.0.last().and_then(|step| match step {
                    Step::Key(key) => nearest(key, allowed.iter().copied()),
                    Step::Index(_) => None,
                });
                let what = match elsewhere {
                    Some(table) => format!("this key belongs in {table}"),
                    None => "unknown key".to_owned(),
                };
                let list = allowed.iter().map(|key| Bare(key).to_string()).collect::<Vec<_>>().join(", ");
                (what, Some(list), name.map(|key| Bare(key).to_string()))
            }
            Kind::Missing if matches!(origin, Origin::File(_)) && scene.text.trim().is_empty() => {
                ("the key is missing: the file is empty".to_owned(), None, None)
            }
            Kind::Missing => ("the key is missing".to_owned(), None, None),
            Kind::UnknownWord { word, allowed } => {
                let near = nearest(&word, allowed.iter().copied()).map(|word| format!("{word:?}"));
                (format!("unknown word {:?}", shorten(&word)), Some(words(&allowed)), near)
            }
            Kind::UnknownName { what, name, allowed } => {
                let near = nearest_few(&name, allowed.iter().map(String::as_str));
                let near = (!near.is_empty()).then(|| near.join(" or "));
                let list = if allowed.is_empty() { "none".to_owned() } else { allowed.join(", ") };
                (format!("no {what} is called {:?}", shorten(&name)), Some(list), near)
            }
            Kind::WrongType { expected } if expected == "a sequence" && scene.is_table(&self.path) => {
                let name = &self.path;
                let allowed = format!("a list: [[{name}]] instead of [{name}], once for each");
                ("one table does not fit here".to_owned(), Some(allowed), None)
            }
            Kind::WrongType { expected } => {
                (format!("{written} does not fit here"), Some(expectation(&expected)), None)
            }
            Kind::WrongValue { expected } => {
                (format!("{written} is out of range"), Some(expectation(&expected)), None)
            }
            Kind::NoNumber => (format!("{written} is no finite number"), None, None),
            Kind::TooDeep => (format!("nested deeper than {DEEPEST} levels"), None, None),
            Kind::Refused { what, allowed } | Kind::OutOfRange { what, allowed } => {
                (what, Some(allowed), None)
            }
            Kind::Other(what) => (what.replace(char::is_control, " "), None, None),
        };
        ConfigError { place: scene.place(&origin), key, what, allowed, nearest }
    }
}

impl Scene<'_> {
    pub(super) fn place(&self, origin: &Origin) -> Place {
        match origin {
            Origin::Variable(name) => Place::Variable(name.to_string()),
            Origin::File(range) => {
                Place::Text { file: self.file.to_owned(), position: position(self.text, range.start) }
            }
        }
    }

    fn is_table(&self, path: &Path) -> bool {
        self.tree.find(path).is_some_and(|node| matches!(node.value, Value::Table(_)))
    }

    /// What the user wrote there, short.
    fn written(&self, path: &Path) -> String {
        let Some(node) = self.tree.find(path) else { return "the value".to_owned() };
        match (&node.value, &node.at) {
            (Value::Table(_), _) => "a table".to_owned(),
            (Value::List(_), _) => "a list".to_owned(),
            (Value::Variable(raw), _) => format!("{:?}", shorten(raw)),
            (_, Origin::File(range)) => {
                let text = self.text.get(range.clone()).unwrap_or("the value");
                shorten(&text.replace(char::is_control, " "))
            }
            (_, Origin::Variable(_)) => "the value".to_owned(),
        }
    }
}

fn words(allowed: &[&str]) -> String {
    allowed.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ")
}

/// What serde expects, said to somebody who writes a file and not a program.
fn expectation(serde: &str) -> String {
    let whole = |low: &dyn std::fmt::Display, high: &dyn std::fmt::Display| {
        format!("a whole number from {low} to {high}")
    };
    match serde {
        "u8" => whole(&u8::MIN, &u8::MAX),
        "u16" => whole(&u16::MIN, &u16::MAX),
        "u32" => whole(&u32::MIN, &u32::MAX),
        "u64" | "u128" | "usize" => "a whole number from 0".to_owned(),
        "i8" => whole(&i8::MIN, &i8::MAX),
        "i16" => whole(&i16::MIN, &i16::MAX),
        "i32" => whole(&i32::MIN, &i32::MAX),
        "i64" | "i128" | "isize" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a string" | "path string" => "text in quotes".to_owned(),
        "a character" => "one character in quotes".to_owned(),
        "a sequence" => "a list in [ ]".to_owned(),
        "a map" => "a table".to_owned(),
        other if other.starts_with("struct ") => "a table".to_owned(),
        other => other.to_owned(),
    }
}
