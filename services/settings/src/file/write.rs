//! The tree as XML.

use std::collections::BTreeMap;
use std::fmt::Write;

use quick_xml::Writer;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use quick_xml::name::QName;

use super::Document;
use crate::path;
use crate::store::{Setting, Store};

enum Element<'a> {
    Group(Group<'a>),
    Leaf(&'a Setting),
}

/// By tag, which is the order in the file.
type Group<'a> = BTreeMap<String, Element<'a>>;

/// The text of a file.
#[must_use]
pub fn write(document: &Document) -> String {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    // Writing to memory cannot fail, hence the ignored result.
    let _ = put_root(&mut xml, document);
    let mut text = String::from_utf8(xml.into_inner()).unwrap_or_default();
    text.push('\n');
    text
}

fn put_root(xml: &mut Writer<Vec<u8>>, document: &Document) -> std::io::Result<()> {
    xml.write_event(Event::Decl(BytesDecl::from_start(BytesStart::from_content(
        "xml version='1.0' encoding='UTF-8'",
        "xml".len(),
    ))))?;
    let mut root = BytesStart::new("Settings");
    attribute(&mut root, "version", &document.version);
    attribute(&mut root, "unique-id", &document.unique_id);
    put_group(xml, root, &tree(&document.store))
}

/// `Devices` is always there, as every localsettings has it.
fn tree(store: &Store) -> Group<'_> {
    let mut root = Group::from([("Devices".to_owned(), Element::Group(Group::new()))]);
    for (path, setting) in store.below(path::ROOT) {
        let mut labels = path.split('/').skip(2).peekable();
        let mut group = &mut root;
        while let Some(label) = labels.next() {
            if labels.peek().is_none() {
                group.insert(tag(label), Element::Leaf(setting));
                break;
            }
            match group.entry(tag(label)).or_insert_with(|| Element::Group(Group::new())) {
                Element::Group(next) => group = next,
                // The store lets nothing stand below a setting.
                Element::Leaf(_) => break,
            }
        }
    }
    root
}

fn tag(label: &str) -> String {
    let digit = label.starts_with(|c: char| c.is_ascii_digit());
    if digit { format!("_{label}") } else { label.to_owned() }
}

fn put_group(xml: &mut Writer<Vec<u8>>, start: BytesStart<'_>, group: &Group<'_>) -> std::io::Result<()> {
    if group.is_empty() {
        return xml.write_event(Event::Empty(start));
    }
    let end = start.to_end().into_owned();
    xml.write_event(Event::Start(start))?;
    for (tag, element) in group {
        match element {
            Element::Group(group) => put_group(xml, BytesStart::new(tag), group)?,
            Element::Leaf(setting) => put_setting(xml, tag, setting)?,
        }
    }
    xml.write_event(Event::End(end))
}

fn put_setting(xml: &mut Writer<Vec<u8>>, tag: &str, setting: &Setting) -> std::io::Result<()> {
    let mut start = BytesStart::new(tag);
    attribute(&mut start, "type", setting.value.kind().letter());
    for (name, value) in [("min", &setting.min), ("max", &setting.max), ("default", &setting.default)] {
        if let Some(value) = value {
            attribute(&mut start, name, &value.text());
        }
    }
    attribute(&mut start, "silent", if setting.silent { "True" } else { "False" });
    xml.write_event(Event::Start(start))?;
    xml.write_event(Event::Text(BytesText::from_escaped(escaped(&setting.value.text(), false))))?;
    xml.write_event(Event::End(BytesEnd::new(tag)))
}

fn attribute(start: &mut BytesStart<'_>, name: &str, value: &str) {
    start.push_attribute(Attribute { key: QName(name), value: escaped(value, true).into() });
}

/// What a reader would otherwise take for markup or turn into another character: in an attribute every kind of white
/// space reads as a space, anywhere a carriage return reads as a line end.
fn escaped(text: &str, attribute: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' if attribute => out.push_str("&quot;"),
            '\n' | '\t' if attribute => _ = write!(out, "&#{};", u32::from(c)),
            '\r' => out.push_str("&#13;"),
            _ => out.push(c),
        }
    }
    out
}
