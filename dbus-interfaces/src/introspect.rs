//! `org.freedesktop.DBus.Introspectable`, for people and their tools: no Victron program asks for it.

use crate::tree::{Node, Tree};

const HEAD: &str = concat!(
    "<!DOCTYPE node PUBLIC \"-//freedesktop//DTD D-BUS Object Introspection 1.0//EN\"\n",
    " \"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd\">\n",
);

/// What every object has besides its own interface.
const STANDARD: &str = include_str!("../xml/org.freedesktop.DBus.xml");
const ROOT: &str = include_str!("../xml/com.victronenergy.BusItem.root.xml");
const BRANCH: &str = include_str!("../xml/com.victronenergy.BusItem.branch.xml");
const LEAF: &str = include_str!("../xml/com.victronenergy.BusItem.leaf.xml");

/// `com.victronenergy.settings`, on `/`.
pub const SETTINGS_ROOT: &str = include_str!("../xml/com.victronenergy.settings.root.xml");
/// `com.victronenergy.settings`, on every group of settings.
pub const SETTINGS_GROUP: &str = include_str!("../xml/com.victronenergy.settings.group.xml");
/// `com.victronenergy.settings`, on every setting.
pub const SETTINGS_LEAF: &str = include_str!("../xml/com.victronenergy.settings.leaf.xml");

/// The introspection of a path, `None` where nothing stands.
pub(crate) fn xml(tree: &Tree, path: &str) -> Option<String> {
    let own = match tree.node(path) {
        Node::Nowhere => return None,
        Node::Leaf => LEAF,
        Node::Branch if path == "/" => ROOT,
        Node::Branch => BRANCH,
    };
    Some(document(own, tree.children(path)))
}

/// The introspection of an object: the interfaces of one of our files, the standard ones, and the names right below it.
pub fn document<'a>(own: &'static str, children: impl IntoIterator<Item = &'a str>) -> String {
    let mut xml = String::from(HEAD);
    xml.push_str("<node>\n");
    xml.push_str(interfaces(STANDARD));
    xml.push_str(interfaces(own));
    for child in children {
        xml.push_str(&format!(" <node name=\"{child}\"/>\n"));
    }
    xml.push_str("</node>\n");
    xml
}

/// What stands between `<node>` and `</node>` of a file.
fn interfaces(file: &'static str) -> &'static str {
    let inner = file.split_once("<node>\n").map_or(file, |(_, rest)| rest);
    inner.split_once("</node>").map_or(inner, |(inner, _)| inner)
}
