//! What `Introspect` tells about an object, for people and their tools.

use dbus_interfaces::introspect::{SETTINGS_GROUP, SETTINGS_LEAF, SETTINGS_ROOT, document};

use crate::path;
use crate::store::{Node, Store};

/// The introspection of the object at `path`.
#[must_use]
pub(crate) fn xml(store: &Store, path: &str) -> String {
    let own = match store.node(path) {
        Node::Leaf(_) => SETTINGS_LEAF,
        _ if path == "/" => SETTINGS_ROOT,
        _ => SETTINGS_GROUP,
    };
    let always = [path::ROOT, path::DEVICES].into_iter();
    let cut = if path == "/" { 1 } else { path.len() + 1 };
    let below = always.filter(|p| path == "/" || p.starts_with(&format!("{path}/")));
    let mut children: Vec<&str> = below
        .chain(store.below(path).map(|(path, _)| path))
        .filter_map(|path| path.get(cut..)?.split('/').next())
        .collect();
    children.sort_unstable();
    children.dedup();
    document(own, children)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_objects_that_always_stand_are_listed() {
        let store = Store::default();
        assert!(xml(&store, "/").contains("<node name=\"Settings\"/>"));
        assert!(xml(&store, "/Settings").contains("<node name=\"Devices\"/>"));
        assert!(!xml(&store, "/Settings/Devices").contains("<node name"));
    }
}
