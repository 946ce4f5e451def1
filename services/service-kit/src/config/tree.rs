//! A configuration as one tree, each part of which knows where it was written.

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::path::{Path, Step};

/// Deeper nesting than this is refused. The parser bounds brackets and dotted keys each for itself, so their product
/// would still be deep enough to overflow the stack of whoever walks or drops the tree recursively.
pub(super) const DEEPEST: usize = 32;

/// Where something was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// In the file, at these bytes.
    File(Range<usize>),
    /// In this environment variable.
    Variable(Rc<str>),
}

/// A value and where it and its key were written.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) key: Origin,
    pub(super) at: Origin,
    pub(super) value: Value,
}

/// What a configuration can hold.
#[derive(Debug)]
pub(super) enum Value {
    Bool(bool),
    /// A whole number; beyond 128 bits the nearest that fits, which fits nobody's field.
    Whole(i128),
    Fraction(f64),
    Text(String),
    Date,
    List(Vec<Node>),
    Table(BTreeMap<String, Node>),
    /// The raw text of an environment variable: what it means depends on what is asked for.
    Variable(String),
    /// Something below [`DEEPEST`].
    TooDeep,
}

impl Node {
    /// The tree of a parsed file.
    pub(super) fn from_file(table: DeTable<'_>) -> Self {
        let top = Origin::File(0..0);
        Self { key: top.clone(), at: top, value: table_of(table, &Origin::File, 1) }
    }

    /// The tree of one value that was written in an environment variable.
    pub(super) fn from_variable(value: Spanned<DeValue<'_>>, name: &Rc<str>) -> Self {
        let here = |_| Origin::Variable(Rc::clone(name));
        Self { key: here(0..0), at: here(0..0), value: value_of(value.into_inner(), &here, 1) }
    }

    /// What stands at `path`, if anything.
    pub(super) fn find(&self, path: &Path) -> Option<&Self> {
        path.0.iter().try_fold(self, |node, step| match (&node.value, step) {
            (Value::Table(entries), Step::Key(key)) => entries.get(key),
            (Value::List(items), Step::Index(index)) => items.get(*index),
            _ => None,
        })
    }
}

fn value_of(value: DeValue<'_>, origin: &dyn Fn(Range<usize>) -> Origin, depth: usize) -> Value {
    match value {
        DeValue::Boolean(flag) => Value::Bool(flag),
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Datetime(_) => Value::Date,
        DeValue::Integer(number) => {
            let limit = if number.as_str().starts_with('-') { i128::MIN } else { i128::MAX };
            Value::Whole(i128::from_str_radix(number.as_str(), number.radix()).unwrap_or(limit))
        }
        DeValue::Float(number) => Value::Fraction(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Array(_) | DeValue::Table(_) if depth > DEEPEST => {
            bury(value);
            Value::TooDeep
        }
        DeValue::Array(items) => list_of(items, origin, depth),
        DeValue::Table(table) => table_of(table, origin, depth),
    }
}

fn list_of(items: DeArray<'_>, origin: &dyn Fn(Range<usize>) -> Origin, depth: usize) -> Value {
    let item = |item: Spanned<DeValue<'_>>| {
        let at = origin(item.span());
        Node { key: at.clone(), at, value: value_of(item.into_inner(), origin, depth + 1) }
    };
    Value::List(items.into_iter().map(item).collect())
}

fn table_of(table: DeTable<'_>, origin: &dyn Fn(Range<usize>) -> Origin, depth: usize) -> Value {
    let entry = |(key, value): (Spanned<_>, Spanned<DeValue<'_>>)| {
        let node = Node {
            key: origin(key.span()),
            at: origin(value.span()),
            value: value_of(value.into_inner(), origin, depth + 1),
        };
        (std::borrow::Cow::into_owned(key.into_inner()), node)
    };
    Value::Table(table.into_iter().map(entry).collect())
}

/// Drops a value level by level instead of by recursion.
pub(super) fn bury(value: DeValue<'_>) {
    let mut pile = vec![value];
    while let Some(value) = pile.pop() {
        match value {
            DeValue::Array(items) => pile.extend(items.into_iter().map(Spanned::into_inner)),
            DeValue::Table(table) => pile.extend(table.into_iter().map(|(_, value)| value.into_inner())),
            _ => {}
        }
    }
}
