//! Clients add, write, reset and remove settings; whatever comes of it must survive the file.

use arbitrary::{Arbitrary, Result, Unstructured};
use dbus_interfaces::{BUS_ITEM, Typed, Value};
use settings::answer::{Request, SETTINGS, answer, needs_caller};
use settings::file::{Document, read, write};
use settings::instances;
use settings::path::{is_instance, is_legal};
use settings::store::Store;

use crate::lines::assert_line;
use crate::values::{optional, text, value};

const MEMBERS: &[&str] = &[
    "AddSettings",
    "AddSetting",
    "AddSilentSetting",
    "RemoveSettings",
    "SetValue",
    "SetDefault",
    "GetValue",
    "GetText",
    "GetMin",
    "GetMax",
    "GetDefault",
    "GetSilent",
    "GetAttributes",
    "GetItems",
    "Introspect",
    "Other",
];
const INTERFACES: &[Option<&str>] = &[None, Some(SETTINGS), Some(BUS_ITEM), Some("other")];
const GROUPS: &[&str] = &["/", "/Settings", "/Settings/Devices", "/Settings/a"];
const PATHS: &[&str] = &[
    "a",
    "b/c",
    "/b/d",
    "Devices/x/ClassAndVrmInstance",
    "Devices/y/ClassAndVrmInstance",
    "Devices/y/CustomName",
    "/Settings/1st",
    "System/SecurityProfile",
];

/// Calls, as `arbitrary` makes them of the bytes.
pub fn run(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let mut store = Store::default();
    while !u.is_empty() && call(&mut u, &mut store).is_ok() {}
    let mut numbers: Vec<(String, i32)> = Vec::new();
    for (path, setting) in store.below("/") {
        assert!(is_legal(path), "{path}");
        if is_instance(path) {
            let text = setting.value.text();
            let (class, number) = instances::parse(&text).expect("a class and a number");
            numbers.push((class.to_owned(), number));
        }
    }
    let all = numbers.len();
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), all, "each device has a number of its own");
    let document = Document { store, ..Document::empty("x") };
    let written = write(&document);
    assert_eq!(read(&written), Ok(document), "{written}");
}

fn call(u: &mut Unstructured<'_>, store: &mut Store) -> Result<()> {
    let member = *u.choose(MEMBERS)?;
    let interface = if u.ratio(1, 8)? { *u.choose(INTERFACES)? } else { None };
    let path = target(u, store)?;
    let definitions = if member == "AddSettings" { Some(definitions(u)?) } else { None };
    let arguments = arguments(u, store, member)?;
    let request = Request {
        path: &path,
        interface,
        member,
        arguments: arguments.as_deref(),
        definitions: definitions.as_deref(),
        may_secure: bool::arbitrary(u)?,
    };
    let _ = needs_caller(&path, member);
    let before = store.clone();
    let answer = answer(store, &request);
    assert!(answer.changed || *store == before, "a change that nobody saves");
    assert!(answer.changed || answer.signals.is_empty());
    answer.log.iter().for_each(|line| assert_line(line));
    Ok(())
}

/// A group, or a setting that is there.
fn target(u: &mut Unstructured<'_>, store: &Store) -> Result<String> {
    let there: Vec<&str> = store.below("/").map(|(path, _)| path).collect();
    if !there.is_empty() && bool::arbitrary(u)? {
        return Ok((*u.choose(&there)?).to_owned());
    }
    Ok((*u.choose(GROUPS)?).to_owned())
}

fn relative(u: &mut Unstructured<'_>) -> Result<String> {
    Ok(match u.int_in_range(0..=7)? {
        0 => text(u)?,
        1 => format!("{}{}", "a/".repeat(u.int_in_range(0..=255)?), u.choose(PATHS)?),
        _ => (*u.choose(PATHS)?).to_owned(),
    })
}

/// Values that settings are made of, more often than others.
fn content(u: &mut Unstructured<'_>) -> Result<Option<Value>> {
    Ok(match u.int_in_range(0..=4)? {
        0 => Some(Value::Text(format!("battery:{}", u.int_in_range(0..=3)?))),
        1 => Some(Value::Int(i32::from(i8::arbitrary(u)?))),
        2 => Some(Value::Real(f64::from(i8::arbitrary(u)?) / 4.0)),
        3 => Some(Value::Text(text(u)?)),
        _ => optional(u)?,
    })
}

fn arguments(u: &mut Unstructured<'_>, store: &Store, member: &str) -> Result<Option<Vec<Option<Value>>>> {
    if u.ratio(1, 32)? {
        return Ok(None);
    }
    Ok(Some(match member {
        "SetValue" => vec![content(u)?],
        "AddSetting" | "AddSilentSetting" => {
            let group = Value::from(*u.choose(&["", "a", "/b", "Devices", "Devices/x"])?);
            let letter = Value::from(*u.choose(&["i", "f", "s", "b"])?);
            let name = Value::Text(relative(u)?);
            vec![Some(group), Some(name), content(u)?, Some(letter), content(u)?, content(u)?]
        }
        "RemoveSettings" => {
            let there: Vec<String> =
                store.below("/").map(|(path, _)| path.replacen("/Settings/", "", 1)).collect();
            let mut paths = vec![relative(u)?];
            if !there.is_empty() {
                paths.push(u.choose(&there)?.clone());
            }
            vec![Some(Value::Texts(paths))]
        }
        _ => (0..u.int_in_range(0..=2)?).map(|_| optional(u)).collect::<Result<_>>()?,
    }))
}

fn definitions(u: &mut Unstructured<'_>) -> Result<Vec<Vec<(String, Typed)>>> {
    (0..u.int_in_range(0..=3)?).map(|_| definition(u)).collect()
}

fn definition(u: &mut Unstructured<'_>) -> Result<Vec<(String, Typed)>> {
    let mut definition = Vec::new();
    for name in ["path", "default", "min", "max", "silent"] {
        if u.ratio(1, 8)? {
            continue;
        }
        let value = match name {
            _ if u.ratio(1, 16)? => Some(value(u)?),
            "path" => Some(Value::Text(relative(u)?)),
            _ => content(u)?,
        };
        let signature = match &value {
            Some(Value::Text(_)) => "s",
            Some(Value::Int(_)) => "i",
            Some(Value::Long(_)) => "x",
            Some(Value::Real(_)) => "d",
            _ => "ai",
        };
        definition.push((name.to_owned(), Typed { signature: signature.to_owned(), value }));
    }
    Ok(definition)
}
