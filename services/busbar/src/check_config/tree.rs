//! A configuration as a tree whose keys stand in the order in which its type declares them, and as TOML.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, de};
use serde_json::Value;

/// A part of a configuration.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tree {
    /// Not set.
    Nothing,
    /// A number, text or flag.
    Plain(Value),
    List(Vec<Tree>),
    Table(Vec<(String, Tree)>),
}

/// A step into a configuration.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    Key(String),
    Nth(usize),
}

impl Tree {
    /// What a configuration holds. JSON is the way there that keeps the order; its own tree does not.
    pub(super) fn of(config: &impl Serialize) -> Option<Tree> {
        serde_json::from_str(&serde_json::to_string(config).ok()?).ok()
    }

    /// The part at this place.
    pub(super) fn find(&self, path: &[Step]) -> Option<&Tree> {
        path.iter().try_fold(self, |tree, step| match (tree, step) {
            (Tree::Table(entries), Step::Key(key)) => {
                entries.iter().find(|(name, _)| name == key).map(|(_, part)| part)
            }
            (Tree::List(parts), Step::Nth(n)) => parts.get(*n),
            _ => None,
        })
    }

    /// The same without the key at this place.
    pub(super) fn without(&self, path: &[Step]) -> Tree {
        let Some((step, rest)) = path.split_first() else { return self.clone() };
        match (self, step) {
            (Tree::Table(entries), Step::Key(key)) => {
                let kept = entries.iter().filter(|(name, _)| name != key || !rest.is_empty());
                let part = |(name, part): &(String, Tree)| {
                    (name.clone(), if name == key { part.without(rest) } else { part.clone() })
                };
                Tree::Table(kept.map(part).collect())
            }
            (Tree::List(parts), Step::Nth(place)) => {
                let part =
                    |(n, part): (usize, &Tree)| if n == *place { part.without(rest) } else { part.clone() };
                Tree::List(parts.iter().enumerate().map(part).collect())
            }
            _ => self.clone(),
        }
    }

    pub(super) fn is_table(&self) -> bool {
        matches!(self, Tree::Table(_))
    }

    pub(super) fn is_list_of_tables(&self) -> bool {
        matches!(self, Tree::List(parts) if !parts.is_empty() && parts.iter().all(Tree::is_table))
    }
}

/// A key, in quotes where TOML wants them.
pub(super) fn key(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match !name.is_empty() && name.chars().all(is_bare) {
        true => name.to_owned(),
        false => text(name),
    }
}

/// JSON's strings are TOML's basic strings but for one character, which JSON leaves as it is (DEL).
fn text(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7F}', "\\u007F")
}

/// The value as TOML has it on one line.
impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Tree::Nothing => Ok(()),
            Tree::Plain(Value::String(plain)) => f.write_str(&text(plain)),
            Tree::Plain(value) => write!(f, "{value}"),
            Tree::List(parts) => {
                let parts: Vec<String> = parts.iter().map(Tree::to_string).collect();
                write!(f, "[{}]", parts.join(", "))
            }
            Tree::Table(entries) => {
                let entries = entries.iter().filter(|(_, part)| *part != Tree::Nothing);
                let entries: Vec<String> =
                    entries.map(|(name, part)| format!("{} = {part}", key(name))).collect();
                write!(f, "{{ {} }}", entries.join(", "))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Tree, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a configuration")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Tree, E> {
        Ok(Tree::Nothing)
    }

    fn visit_bool<E: de::Error>(self, v: bool) -> Result<Tree, E> {
        Ok(Tree::Plain(v.into()))
    }

    fn visit_i64<E: de::Error>(self, v: i64) -> Result<Tree, E> {
        Ok(Tree::Plain(v.into()))
    }

    fn visit_u64<E: de::Error>(self, v: u64) -> Result<Tree, E> {
        Ok(Tree::Plain(v.into()))
    }

    fn visit_f64<E: de::Error>(self, v: f64) -> Result<Tree, E> {
        Ok(Tree::Plain(v.into()))
    }

    fn visit_str<E: de::Error>(self, v: &str) -> Result<Tree, E> {
        Ok(Tree::Plain(v.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(part) = parts.next_element()? {
            list.push(part);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
        let mut table = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            table.push(entry);
        }
        Ok(Tree::Table(table))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(json: &str) -> Tree {
        serde_json::from_str(json).expect("JSON")
    }

    #[test]
    fn values_read_as_toml_writes_them() {
        for (json, toml) in [
            ("\"a \\\" \\\\ \u{7f} \\n\"", "\"a \\\" \\\\ \\u007F \\n\""),
            ("[1, 2.5, true]", "[1, 2.5, true]"),
            ("{\"z\": 1, \"a b\": \"x\", \"n\": null}", "{ z = 1, \"a b\" = \"x\" }"),
        ] {
            assert_eq!(tree(json).to_string(), toml);
        }
    }

    #[test]
    fn a_key_is_found_and_left_out_wherever_it_stands() {
        let all = tree("{\"b\": {\"x\": 1, \"y\": 2}, \"a\": [{\"x\": 3}, {\"x\": 4}]}");
        let key = |name: &str| Step::Key(name.to_owned());
        assert_eq!(all.find(&[key("a"), Step::Nth(1), key("x")]), Some(&tree("4")));
        assert_eq!(all.find(&[key("b"), key("z")]), None);
        assert_eq!(
            all.without(&[key("a"), Step::Nth(0), key("x")]),
            tree("{\"b\": {\"x\": 1, \"y\": 2}, \"a\": [{}, {\"x\": 4}]}")
        );
        assert_eq!(all.without(&[key("b")]), tree("{\"a\": [{\"x\": 3}, {\"x\": 4}]}"));
    }
}
