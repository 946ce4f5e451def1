//! A door for the fuzz targets (`tests/fuzz`): what comes in over the bus, without a bus. Only there with the feature
//! `fuzzing`, which nothing else turns on.

use std::collections::HashMap;

use zbus::wire::serialized::{Context, Data};
use zbus::wire::{BE, LE, NATIVE_ENDIAN, Signature, to_bytes};
use zbus::{Message, Structure, Variant};

use crate::marshal::Items;
use crate::tree::Leaf;
use crate::wire::{Wire, value_of};
use crate::{Spec, Value, arguments, incoming, wire};

/// Every value that any reader of this crate finds in a message whose body is these bytes, in the given types. Nothing
/// where the bytes are no such body: then zbus hands us no message.
#[must_use]
pub fn read_everywhere(signature: &str, body: &[u8], is_big_endian: bool) -> Vec<Option<Value>> {
    message(signature, body, is_big_endian).as_ref().map(read).unwrap_or_default()
}

/// The message. Its body goes through zbus's own reader and writer, because only they may make one.
fn message(signature: &str, body: &[u8], is_big_endian: bool) -> Option<Message> {
    let signature = Signature::try_from(format!("({signature})").as_str()).ok()?;
    let data = Data::new(body, Context::new(if is_big_endian { BE } else { LE }, 0));
    let (arguments, _) = data.deserialize_for_dynamic_signature::<_, Structure<'_>>(&signature).ok()?;
    Message::signal("/Path/Of/Item", "com.victronenergy.BusItem", "PropertiesChanged").build(&arguments).ok()
}

fn read(message: &Message) -> Vec<Option<Value>> {
    let everything = |_: &str| true;
    let entries =
        [incoming::items(message, everything), incoming::leaf(message), incoming::tree(message, everything)];
    let mut values: Vec<Option<Value>> =
        entries.into_iter().flatten().flatten().map(|(_, value)| value).collect();
    values.extend(incoming::listed(message).into_iter().flatten().map(|listed| listed.value));
    values.extend(incoming::value(message));
    values.extend(wire::arguments(message).into_iter().flatten());
    let dictionaries = arguments::dictionaries(message).into_iter().flatten().flatten();
    values.extend(dictionaries.map(|(_, typed)| typed.value));
    values
}

/// A value as it arrives when we send it.
///
/// # Errors
/// It cannot be sent.
pub fn sent_and_received(value: Option<&Value>) -> Result<Option<Value>, String> {
    let sent = to_bytes(Context::new(LE, 0), &Wire(value)).map_err(|e| e.to_string())?;
    let (received, _) = sent.deserialize::<Variant<'_>>().map_err(|e| e.to_string())?;
    Ok(value_of(&received))
}

/// Value and text of an item as they arrive in `ItemsChanged`.
///
/// # Errors
/// They cannot be read.
pub fn announced(spec: Spec, value: Option<Value>) -> Result<(Option<Value>, String), String> {
    let mut items = Items::default();
    items.fill(std::iter::once(&Leaf::new("/Path".into(), spec, value)));
    let sent = to_bytes(Context::new(NATIVE_ENDIAN, 0), &items).map_err(|e| e.to_string())?;
    let read = sent.deserialize::<HashMap<&str, HashMap<&str, Variant<'_>>>>();
    let (received, _) = read.map_err(|e| e.to_string())?;
    let property = |name| received.get("/Path").and_then(|item| item.get(name)).and_then(value_of);
    let text = property("Text").ok_or("no text")?;
    Ok((property("Value"), text.as_str().unwrap_or_default().to_owned()))
}
