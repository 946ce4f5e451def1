//! `a{sa{sv}}`, the body of `GetItems` and `ItemsChanged`, written straight into a buffer. It is the one message that a
//! service sends all day, and a general serialiser spends ten times as long on it.
//!
//! D-Bus specification, "Marshaling (Wire Format)", in the byte order of the machine.

use serde::ser::{Serialize, SerializeSeq, Serializer};
use zbus::Variant;
use zbus::wire::{Signature, Type};

use crate::tree::Leaf;
use crate::{Spec, Value};

/// The elements of an `a{sa{sv}}`, marshalled; the array's own length is the serialiser's.
#[derive(Debug, Default)]
pub(crate) struct Items {
    bytes: Vec<u8>,
    text: String,
}

impl Items {
    /// Holds these leaves instead of what it held before; its memory is used again.
    pub(crate) fn fill<'a>(&mut self, leaves: impl Iterator<Item = &'a Leaf>) -> &Self {
        self.bytes.clear();
        for leaf in leaves {
            self.text.clear();
            leaf.spec.text.write(leaf.value.as_ref(), &mut self.text);
            // The elements of the outer array begin at a multiple of 8 of the body, as they do of this buffer.
            let mut to = Writer { bytes: &mut self.bytes };
            to.align(8);
            to.text(&leaf.path);
            to.array(8, |to| properties(to, leaf.value.as_ref(), &self.text, &leaf.spec));
        }
        self
    }
}

fn properties(to: &mut Writer<'_>, value: Option<&Value>, text: &str, spec: &Spec) {
    to.entry("Value", |to| to.variant(value));
    to.entry("Text", |to| {
        to.signature("s");
        to.text(text);
    });
    if let Some((min, max)) = spec.range {
        to.entry("Min", |to| to.variant(Some(&spec.number(min))));
        to.entry("Max", |to| to.variant(Some(&spec.number(max))));
    }
    if let Some(default) = spec.default {
        to.entry("Default", |to| to.variant(Some(&spec.number(default))));
    }
}

/// Handed over in words of eight bytes, which need no padding where the elements begin, and the rest byte by byte.
impl Serialize for Items {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut array = serializer.serialize_seq(None)?;
        let (words, rest) = self.bytes.as_chunks::<8>();
        for word in words {
            array.serialize_element(&u64::from_ne_bytes(*word))?;
        }
        for byte in rest {
            array.serialize_element(byte)?;
        }
        array.end()
    }
}

impl Type for Items {
    const SIGNATURE: &'static Signature =
        <std::collections::HashMap<&str, std::collections::HashMap<&str, Variant<'_>>> as Type>::SIGNATURE;
}

struct Writer<'a> {
    bytes: &'a mut Vec<u8>,
}

impl Writer<'_> {
    fn align(&mut self, to: usize) {
        self.bytes.resize(self.bytes.len().next_multiple_of(to), 0);
    }

    fn u32(&mut self, v: u32) {
        self.align(4);
        self.bytes.extend_from_slice(&v.to_ne_bytes());
    }

    fn eight(&mut self, v: [u8; 8]) {
        self.align(8);
        self.bytes.extend_from_slice(&v);
    }

    /// The length of what came from `start` on, into the four bytes at `at`. No message is longer than 128 MiB.
    fn set_length(&mut self, at: usize, start: usize) {
        let length = u32::try_from(self.bytes.len() - start).unwrap_or(u32::MAX);
        if let Some(place) = self.bytes.get_mut(at..at + 4) {
            place.copy_from_slice(&length.to_ne_bytes());
        }
    }

    fn text(&mut self, v: &str) {
        // A NUL inside would end the string for its readers and the message for the daemon.
        let v = v.split('\0').next().unwrap_or_default();
        self.u32(u32::try_from(v.len()).unwrap_or(u32::MAX));
        self.bytes.extend_from_slice(v.as_bytes());
        self.bytes.push(0);
    }

    fn signature(&mut self, v: &'static str) {
        // All of ours are shorter than ten characters.
        self.bytes.push(v.len() as u8);
        self.bytes.extend_from_slice(v.as_bytes());
        self.bytes.push(0);
    }

    /// An array whose elements are aligned to `alignment`.
    fn array(&mut self, alignment: usize, elements: impl FnOnce(&mut Self)) {
        self.u32(0);
        let at = self.bytes.len() - 4;
        self.align(alignment);
        let start = self.bytes.len();
        elements(self);
        self.set_length(at, start);
    }

    fn entry(&mut self, key: &str, value: impl FnOnce(&mut Self)) {
        self.align(8);
        self.text(key);
        value(self);
    }

    fn variant(&mut self, value: Option<&Value>) {
        let Some(value) = value else {
            self.signature("ai");
            return self.array(4, |_| {});
        };
        match value {
            Value::Bool(v) => {
                self.signature("b");
                self.u32(u32::from(*v));
            }
            Value::Int(v) => {
                self.signature("i");
                self.u32(v.cast_unsigned());
            }
            Value::Long(v) => {
                self.signature("x");
                self.eight(v.to_ne_bytes());
            }
            Value::Real(v) => {
                self.signature("d");
                self.eight(v.to_ne_bytes());
            }
            Value::Text(v) => {
                self.signature("s");
                self.text(v);
            }
            Value::Ints(v) => {
                self.signature("ai");
                self.array(4, |to| v.iter().for_each(|v| to.u32(v.cast_unsigned())));
            }
            Value::Reals(v) => {
                self.signature("ad");
                self.array(8, |to| v.iter().for_each(|v| to.eight(v.to_ne_bytes())));
            }
            Value::Texts(v) => {
                self.signature("as");
                self.array(4, |to| v.iter().for_each(|v| to.text(v)));
            }
            Value::List(v) => {
                self.signature("av");
                self.array(1, |to| v.iter().for_each(|v| to.variant(Some(v))));
            }
            Value::Map(v) => {
                self.signature("a{sv}");
                self.array(8, |to| v.iter().for_each(|(k, v)| to.entry(k, |to| to.variant(Some(v)))));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use zbus::wire::{NATIVE_ENDIAN, serialized::Context, to_bytes};

    use super::*;
    use crate::wire::value_of;
    use crate::{Item, ItemType, text};

    fn leaf<T: ItemType>(item: Item<T>, value: Option<Value>) -> Leaf {
        Leaf { path: item.path(), spec: item.spec(), value, changed: true }
    }

    #[test]
    fn what_is_written_by_hand_reads_as_the_library_reads_it() {
        const LIMIT: Item<f64> = Item::new("/Limit", text::AMPS).writable().range(0.0, 100.0).default(50.0);
        const NAMES: Item<Vec<String>> = Item::new("/Names", crate::Text::Plain);
        const NAME: Item<String> = Item::new("/Name", crate::Text::Plain);
        const COUNT: Item<i32> = Item::new("/Count", crate::Text::Plain);
        let nested =
            Value::Map(vec![("k".into(), Value::List(vec![Value::Bool(true), Value::Reals(vec![0.5])]))]);
        let leaves = [
            leaf(LIMIT, Some(Value::Real(12.34))),
            leaf(COUNT, Some(Value::Int(-7))),
            leaf(COUNT, None),
            leaf(NAME, Some(Value::Text("Größe".into()))),
            leaf(NAMES, Some(Value::Texts(vec!["a".into(), String::new(), "bcd".into()]))),
            leaf(COUNT, Some(Value::Long(1 << 40))),
            leaf(COUNT, Some(Value::Ints(vec![1, 2, 3]))),
            leaf(NAME, Some(nested)),
        ];
        let mut items = Items::default();
        for one in &leaves {
            items.fill(std::iter::once(one));
            let bytes = to_bytes(Context::new(NATIVE_ENDIAN, 0), &items).expect("encodes");
            let (read, _) =
                bytes.deserialize::<HashMap<&str, HashMap<&str, Variant<'_>>>>().expect("decodes");
            let item = &read[&*one.path];
            assert_eq!(value_of(&item["Value"]), one.value);
            let shown = one.spec.text.of(one.value.as_ref());
            assert_eq!(value_of(&item["Text"]), Some(Value::Text(shown)));
        }
        items.fill(leaves.iter());
        let bytes = to_bytes(Context::new(NATIVE_ENDIAN, 0), &items).expect("encodes");
        let (read, length) =
            bytes.deserialize::<HashMap<&str, HashMap<&str, Variant<'_>>>>().expect("decodes");
        assert_eq!((read.len(), length), (4, bytes.len()));
        assert_eq!(value_of(&read["/Limit"]["Max"]), Some(Value::Real(100.0)));
        assert_eq!(value_of(&read["/Limit"]["Default"]), Some(Value::Real(50.0)));
    }

    #[test]
    fn nothing_is_an_empty_array() {
        let mut items = Items::default();
        items.fill(std::iter::empty());
        let bytes = to_bytes(Context::new(NATIVE_ENDIAN, 0), &items).expect("encodes");
        let (read, _) = bytes.deserialize::<HashMap<&str, HashMap<&str, Variant<'_>>>>().expect("decodes");
        assert!(read.is_empty());
    }
}
