//! `a{sa{sv}}`, the body of `GetItems` and `ItemsChanged`, written straight into a buffer, and the latter with its header. It
//! is the one message that a service sends all day, and a general serialiser spends ten times as long on it.
//!
//! D-Bus specification, "Marshaling (Wire Format)" and "Message Format", in the byte order of the machine.

use std::fmt::{self, Write};

use serde::ser::{Serialize, SerializeSeq, Serializer};
use zbus::Variant;
use zbus::wire::{Signature, Type};

use crate::service::BUS_ITEM;
use crate::tree::Leaf;
use crate::{Spec, Value};

/// The elements of an `a{sa{sv}}`, marshalled, after the header of their message where that is written here too.
#[derive(Debug, Default)]
pub(crate) struct Items {
    bytes: Vec<u8>,
    /// Where the elements begin, a multiple of 8.
    start: usize,
}

impl Items {
    /// The items of an `ItemsChanged` from the connection with this unique name.
    pub(crate) fn of_signal(sender: &str) -> Self {
        let mut bytes = Vec::new();
        let mut to = Writer { bytes: &mut bytes };
        to.bytes.extend([ORDER, SIGNAL, 0, VERSION]);
        // The length of the body and the serial number, which differ each time.
        to.u32(0);
        to.u32(0);
        to.array(8, |to| {
            to.field(1, "o", |to| to.text("/"));
            to.field(2, "s", |to| to.text(BUS_ITEM));
            to.field(3, "s", |to| to.text("ItemsChanged"));
            to.field(7, "s", |to| to.text(sender));
            to.field(8, "g", |to| to.signature("a{sa{sv}}"));
        });
        to.align(8);
        // The length of the array, likewise.
        to.u32(0);
        to.align(8);
        let start = bytes.len();
        Items { bytes, start }
    }

    /// Holds these leaves instead of what it held before; its memory is used again.
    pub(crate) fn fill<'a>(&mut self, leaves: impl Iterator<Item = &'a Leaf>) -> &Self {
        self.bytes.truncate(self.start);
        for leaf in leaves {
            // The elements of the outer array begin at a multiple of 8 of the body, as they do of this buffer.
            let mut to = Writer { bytes: &mut self.bytes };
            to.align(8);
            to.text(&leaf.path);
            to.array(8, |to| properties(to, leaf.value.as_ref(), &leaf.spec));
        }
        self
    }

    /// The whole message of [`Items::of_signal`]. The bus takes none of more than 128 MiB, and closes the connection.
    pub(crate) fn message(&mut self, serial: u32) -> &[u8] {
        let elements = self.bytes.len() - self.start;
        let numbers = [(4, elements + 8), (8, serial as usize), (self.start - 8, elements)];
        let mut to = Writer { bytes: &mut self.bytes };
        for (at, number) in numbers {
            to.set(at, number);
        }
        &self.bytes
    }
}

/// The byte order, as the first byte of a message says it.
const ORDER: u8 = if cfg!(target_endian = "little") { b'l' } else { b'B' };
/// The type of a message that is a signal.
const SIGNAL: u8 = 4;
/// Of the protocol.
const VERSION: u8 = 1;

/// The beginning of the entry `Text`, up to the text: its key, and the signature of what it holds.
const TEXT: [u8; 12] =
    *if cfg!(target_endian = "little") { b"\x04\0\0\0Text\0\x01s\0" } else { b"\0\0\0\x04Text\0\x01s\0" };

fn properties(to: &mut Writer<'_>, value: Option<&Value>, spec: &Spec) {
    to.entry("Value", |to| to.variant(value));
    to.align(8);
    to.bytes.extend_from_slice(&TEXT);
    // The writer takes everything.
    to.text_of(|to| {
        let _ = spec.text.write(value, to);
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
        let (words, rest) = self.bytes.get(self.start..).unwrap_or_default().as_chunks::<8>();
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
        let missing = self.bytes.len().next_multiple_of(to) - self.bytes.len();
        self.bytes.extend_from_slice([0; 8].get(..missing).unwrap_or_default());
    }

    fn u32(&mut self, v: u32) {
        self.align(4);
        self.bytes.extend_from_slice(&v.to_ne_bytes());
    }

    fn eight(&mut self, v: [u8; 8]) {
        self.align(8);
        self.bytes.extend_from_slice(&v);
    }

    /// A length or number into the four bytes at `at`. No message is longer than 128 MiB.
    fn set(&mut self, at: usize, number: usize) {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        if let Some(place) = self.bytes.get_mut(at..at + 4) {
            place.copy_from_slice(&number.to_ne_bytes());
        }
    }

    fn text(&mut self, v: &str) {
        self.text_of(|to| to.bytes.extend_from_slice(v.as_bytes()));
    }

    fn text_of(&mut self, write: impl FnOnce(&mut Self)) {
        self.u32(0);
        let start = self.bytes.len();
        write(self);
        // A NUL inside would end the string for its readers and the message for the daemon.
        let text = self.bytes.get(start..).unwrap_or_default();
        if text.contains(&0) {
            let length = text.iter().take_while(|byte| **byte != 0).count();
            self.bytes.truncate(start + length);
        }
        self.set(start - 4, self.bytes.len() - start);
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
        self.set(at, self.bytes.len() - start);
    }

    /// A field of a header: its code, and its value in a variant.
    fn field(&mut self, code: u8, signature: &'static str, value: impl FnOnce(&mut Self)) {
        self.align(8);
        self.bytes.push(code);
        self.signature(signature);
        value(self);
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

impl Write for Writer<'_> {
    fn write_str(&mut self, v: &str) -> fmt::Result {
        self.bytes.extend_from_slice(v.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use zbus::Message;
    use zbus::wire::{NATIVE_ENDIAN, serialized::Context, to_bytes};

    use super::*;
    use crate::wire::value_of;
    use crate::{Item, ItemType, text};

    fn leaf<T: ItemType>(item: Item<T>, value: Option<Value>) -> Leaf {
        Leaf::new(item.path(), item.spec(), value)
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
    #[test]
    fn the_whole_message_is_byte_for_byte_what_the_library_makes_of_it() {
        const SOC: Item<f64> = Item::new("/Soc", text::PERCENT_1);
        const NAME: Item<String> = Item::new("/Name", crate::Text::Plain);
        for sender in [":1.7", ":1.12345", ":1.1234567"] {
            let mut items = Items::of_signal(sender);
            for name in ["", "with a zero \0 inside", "and longer, so that the elements end elsewhere"] {
                items.fill([leaf(NAME, Some(Value::Text(name.into()))), leaf(SOC, None)].iter());
                let library = Message::signal("/", BUS_ITEM, "ItemsChanged").sender(sender).build(&items);
                let library = library.expect("a message");
                let serial = library.primary_header().serial_num().get();
                assert_eq!(items.message(serial), library.data().bytes(), "{sender} {name}");
            }
        }
    }
}
