//! Messages of other services, read: whatever a service may send comes out as entries or as nothing.

use std::collections::HashMap;

use zbus::{Message, Variant};

use crate::Value;
use crate::followed::Entry;
use crate::wire::{arguments, value_of};

/// The largest body that is read. The settings of a GX device come to some 300 KiB.
const LONGEST: usize = 4 * 1024 * 1024;
/// The longest path that is read.
const LONGEST_PATH: usize = 255;

/// What an item tells of itself in `GetItems`.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Where it stands.
    pub path: String,
    /// What it holds.
    pub value: Option<Value>,
    /// How that reads, where the service says so.
    pub text: Option<String>,
}

type Properties<'a> = HashMap<&'a str, Variant<'a>>;

/// The body of `ItemsChanged` or of an answer to `GetItems`, as far as it is wanted; nothing where it is not `a{sa{sv}}`.
/// Items without a value in the message are left out: they have nothing new to tell.
pub(crate) fn items(message: &Message, wanted: impl Fn(&str) -> bool) -> Option<Vec<Entry>> {
    let body = message.body();
    if body.len() > LONGEST {
        return None;
    }
    let items: HashMap<&str, Properties<'_>> = body.deserialize().ok()?;
    let entry = |(path, properties): (&str, &Properties<'_>)| {
        let path = absolute(path).filter(|path| wanted(path))?;
        Some((path, value_of(properties.get("Value")?)))
    };
    Some(items.iter().filter_map(|(path, properties)| entry((path, properties))).collect())
}

/// The same with the texts, for people.
pub(crate) fn listed(message: &Message) -> Option<Vec<Listed>> {
    let body = message.body();
    if body.len() > LONGEST {
        return None;
    }
    let items: HashMap<&str, Properties<'_>> = body.deserialize().ok()?;
    let entry = |(path, properties): (&&str, &Properties<'_>)| {
        let text = properties.get("Text").and_then(value_of);
        Some(Listed {
            path: absolute(path)?,
            value: properties.get("Value").and_then(value_of),
            text: text.and_then(|text| text.as_str().map(str::to_owned)),
        })
    };
    Some(items.iter().filter_map(entry).collect())
}

/// The body of `PropertiesChanged` on a leaf; nothing where it is not `a{sv}` or stands on no leaf.
pub(crate) fn leaf(message: &Message) -> Option<Vec<Entry>> {
    let body = message.body();
    if body.len() > LONGEST {
        return None;
    }
    let header = message.header();
    let path = absolute(header.path()?.as_str())?;
    let properties: Properties<'_> = body.deserialize().ok()?;
    Some(properties.get("Value").map(|value| (path, value_of(value))).into_iter().collect())
}

/// The answer to `GetValue` on `/`, as far as it is wanted; nothing where it holds no tree.
pub(crate) fn tree(message: &Message, wanted: impl Fn(&str) -> bool) -> Option<Vec<Entry>> {
    let body = message.body();
    if body.len() > LONGEST {
        return None;
    }
    let mut value: Variant<'_> = body.deserialize().ok()?;
    while let Variant::Variant(inner) = value {
        value = *inner;
    }
    let Variant::Dict(tree) = value else { return None };
    let entry = |(path, value): (&Variant<'_>, &Variant<'_>)| {
        let Variant::Str(path) = path else { return None };
        Some((absolute(path).filter(|path| wanted(path))?, value_of(value)))
    };
    Some(tree.iter().filter_map(entry).collect())
}

/// The answer to `GetValue` on a leaf: one argument.
pub(crate) fn value(message: &Message) -> Option<Option<Value>> {
    if message.body().len() > LONGEST {
        return None;
    }
    let mut arguments = arguments(message)?;
    (arguments.len() == 1).then(|| arguments.pop()).flatten()
}

/// A path as it stands on the bus: keys come with or without the leading slash.
fn absolute(key: &str) -> Option<String> {
    let path = key.strip_prefix('/').unwrap_or(key);
    (!path.is_empty() && path.len() < LONGEST_PATH).then(|| format!("/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signal(path: &'static str, body: &(impl serde::Serialize + zbus::wire::DynamicType)) -> Message {
        Message::signal(path, "com.victronenergy.BusItem", "Changed").build(body).expect("a message")
    }

    fn properties(value: Variant<'static>) -> HashMap<&'static str, Variant<'static>> {
        HashMap::from([("Value", value), ("Text", Variant::new("text"))])
    }

    #[test]
    fn items_are_read_whatever_type_they_have_and_with_or_without_the_slash() {
        let body = HashMap::from([
            ("/Soc", properties(Variant::new(54.5))),
            ("Mode", properties(Variant::new(3_u8))),
            ("/Gone", properties(Variant::new(Vec::<i32>::new()))),
            ("/NotWanted", properties(Variant::new(1))),
            ("/OnlyText", HashMap::from([("Text", Variant::new("-"))])),
            ("", properties(Variant::new(1))),
        ]);
        let mut entries = items(&signal("/", &body), |path| path != "/NotWanted").expect("read");
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        let expected = [
            ("/Gone".to_owned(), None),
            ("/Mode".to_owned(), Some(Value::Int(3))),
            ("/Soc".to_owned(), Some(Value::Real(54.5))),
        ];
        assert_eq!(entries, expected);
    }

    #[test]
    fn bodies_of_another_shape_are_nothing() {
        let all = |_: &str| true;
        assert_eq!(items(&signal("/", &"text"), all), None);
        assert_eq!(items(&signal("/", &()), all), None);
        assert_eq!(items(&signal("/", &(1, 2)), all), None);
        assert_eq!(items(&signal("/", &HashMap::from([("/Soc", 1)])), all), None);
        assert_eq!(items(&signal("/", &properties(Variant::new(1))), all), None);
        assert_eq!(leaf(&signal("/Soc", &7)), None);
        assert_eq!(leaf(&signal("/Soc", &HashMap::from([("Value", 7)]))), None);
        assert_eq!(leaf(&signal("/", &properties(Variant::new(1)))), None);
        assert_eq!(tree(&signal("/", &Variant::new(Vec::<i32>::new())), all), None);
        assert_eq!(value(&signal("/", &())), None);
        assert_eq!(value(&signal("/", &(1, 2))), None);
    }

    #[test]
    fn a_leaf_tells_its_value_or_only_something_else() {
        let told = leaf(&signal("/Soc", &properties(Variant::new(7))));
        assert_eq!(told, Some(vec![("/Soc".to_owned(), Some(Value::Int(7)))]));
        assert_eq!(leaf(&signal("/Soc", &HashMap::from([("Text", Variant::new("7%"))]))), Some(vec![]));
    }

    #[test]
    fn a_tree_comes_in_one_variant_or_in_several() {
        let dict =
            HashMap::from([("Dc/0/Voltage", Variant::new(52.0)), ("Soc", Variant::new(Vec::<u32>::new()))]);
        for body in [Variant::new(dict.clone()), Variant::Variant(Box::new(Variant::new(dict.clone())))] {
            let mut entries = tree(&signal("/", &body), |_| true).expect("read");
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            assert_eq!(
                entries,
                [("/Dc/0/Voltage".to_owned(), Some(Value::Real(52.0))), ("/Soc".to_owned(), None)]
            );
        }
    }

    #[test]
    fn a_message_beyond_any_sense_is_not_read() {
        let body = HashMap::from([("/A", properties(Variant::new("x".repeat(LONGEST))))]);
        assert_eq!(items(&signal("/", &body), |_| true), None);
    }
}
