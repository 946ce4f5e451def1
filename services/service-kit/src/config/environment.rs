//! `BUSBAR_*` variables over the file: `BUSBAR_CAN__PORT=/dev/ttyACM0` sets `port` in the table `can`.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::mistake::{Kind, Mistake};
use super::path::{Path, Step};
use super::tree::{DEEPEST, Node, Origin, Value};

/// What the names of all our variables begin with.
pub const PREFIX: &str = "BUSBAR_";

/// Variables with that prefix that are no configuration keys.
pub const RESERVED: &[&str] = &[crate::logging::FILTER_VARIABLE];

/// What stands between a table and its key, because `_` occurs in keys.
const SEPARATOR: &str = "__";

/// Lays the variables over the tree. Returns what cannot be laid anywhere; whether a key exists at all is found later,
/// as for the file.
pub(super) fn overlay(
    tree: &mut Node,
    variables: impl IntoIterator<Item = (String, String)>,
) -> Vec<Mistake> {
    let ours: BTreeMap<String, String> = variables
        .into_iter()
        .filter(|(name, _)| name.starts_with(PREFIX) && !RESERVED.contains(&name.as_str()))
        .collect();
    ours.into_iter().filter_map(|(name, value)| lay(tree, &name, value).err()).collect()
}

fn lay(tree: &mut Node, name: &str, value: String) -> Result<(), Mistake> {
    let origin = Origin::Variable(Rc::from(name));
    let lower = name.strip_prefix(PREFIX).unwrap_or(name).to_lowercase();
    let path = Path(lower.split(SEPARATOR).map(|key| Step::Key(key.to_owned())).collect());
    let refused = |path: Path, what: &str| {
        Err(Mistake { path, at: Some(origin.clone()), kind: Kind::Other(what.to_owned()) })
    };
    if path.0.len() > DEEPEST || lower.split(SEPARATOR).any(str::is_empty) {
        return refused(Path::default(), "the name of the variable is no key of the configuration");
    }
    let mut here = tree;
    for (depth, key) in lower.split(SEPARATOR).enumerate() {
        let Value::Table(entries) = &mut here.value else {
            return refused(Path(path.0.into_iter().take(depth).collect()), "this key is no table");
        };
        here = entries.entry(key.to_owned()).or_insert_with(|| Node {
            key: origin.clone(),
            at: origin.clone(),
            value: Value::Table(BTreeMap::new()),
        });
    }
    *here = Node { key: origin.clone(), at: origin, value: Value::Variable(value) };
    Ok(())
}
