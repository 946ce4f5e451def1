//! What holds for the tree after any calls whatever.

#![expect(clippy::expect_used, reason = "a failing step fails the test")]

use dbus_interfaces::Value;
use proptest::prelude::*;
use settings::content::Type;
use settings::file::{Document, read, write};
use settings::path;
use settings::store::{Definition, Store};

#[derive(Debug, Clone)]
enum Call {
    Add { group: &'static str, path: String, kind: Type, default: Value, limits: Option<(Value, Value)> },
    Write { path: String, value: Value },
    Reset(String),
    Remove(String),
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        (-3..12i32).prop_map(Value::Int),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::Real),
        "(battery|grid):[0-3]".prop_map(Value::Text),
        "[0-9]{1,2}".prop_map(Value::Text),
        any::<String>().prop_map(Value::Text),
        Just(Value::Bool(true)),
        Just(Value::Ints(vec![1])),
    ]
}

fn relative() -> impl Strategy<Value = String> {
    prop_oneof!["/?[ab](/[ab]){0,2}", "Devices/[ab1](/[ab])?/ClassAndVrmInstance", "/?[a_/.é-]{0,6}",]
}

fn call() -> impl Strategy<Value = Call> {
    let group = prop::sample::select(vec!["/", "/Settings", "/Settings/a", "/Settings/Devices"]);
    let kind = prop::sample::select(vec![Type::Int, Type::Float, Type::Text]);
    let full = || relative().prop_map(|relative| path::join("/Settings", &relative));
    prop_oneof![
        4 => (group, relative(), kind, value(), prop::option::of((value(), value())))
            .prop_map(|(group, path, kind, default, limits)| Call::Add { group, path, kind, default, limits }),
        2 => (full(), value()).prop_map(|(path, value)| Call::Write { path, value }),
        1 => full().prop_map(Call::Reset),
        1 => full().prop_map(Call::Remove),
    ]
}

fn make(store: &mut Store, call: &Call) {
    // Whether a call is accepted is not the question here.
    match call {
        Call::Add { group, path, kind, default, limits } => {
            let (min, max) = limits.as_ref().map_or((None, None), |(min, max)| (Some(min), Some(max)));
            let wanted = Definition { kind: *kind, default: Some(default), min, max, silent: false };
            let before = store.clone();
            match store.add(group, path, &wanted) {
                Ok(changed) => assert_eq!(changed, *store != before),
                Err(_) => assert_eq!(*store, before),
            }
        }
        Call::Write { path, value } => {
            let before = store.clone();
            if store.write(path, Some(value)).is_ok() {
                let written = store.get(path).expect("it was there");
                let (min, max) = (written.min.clone(), written.max.clone());
                let number = |v: &settings::content::Content| v.to_value().as_f64();
                let v = number(&written.value);
                assert!(min.is_none_or(|min| v >= number(&min)) && max.is_none_or(|max| v <= number(&max)));
            } else {
                assert_eq!(*store, before);
            }
        }
        Call::Reset(path) => _ = store.reset(path),
        Call::Remove(path) => _ = store.remove(path),
    }
}

proptest! {
    #[test]
    fn the_tree_stays_a_tree_with_unique_numbers_that_a_file_can_hold(calls in prop::collection::vec(call(), 0..60)) {
        let mut store = Store::default();
        for call in &calls {
            make(&mut store, call);
        }
        let mut numbers = Vec::new();
        for (path, setting) in store.below("/") {
            prop_assert!(path::is_legal(path), "{}", path);
            prop_assert!(store.below(path).next().is_none(), "{} is a setting and a group", path);
            prop_assert_eq!(setting.default.as_ref().map(|default| default.kind()), Some(setting.value.kind()));
            if path::is_instance(path) {
                let number = setting.value.text();
                prop_assert!(!numbers.contains(&number), "{} twice", number);
                numbers.push(number);
            }
        }
        let document = Document { store, ..Document::empty("") };
        let empty = write(&Document::empty("")).len();
        prop_assert!(write(&document).len() <= empty + document.store.weight());
        prop_assert_eq!(read(&write(&document)), Ok(document));
    }
}

#[test]
fn no_more_is_taken_than_a_file_can_give_back() {
    let mut store = Store::default();
    let text = Value::Text("\"".repeat(dbus_interfaces::MAX_TEXT));
    let wanted = Definition { kind: Type::Text, default: Some(&text), min: None, max: None, silent: false };
    let full = (0..).find(|n| store.add("/Settings", &format!("A{n}"), &wanted).is_err()).expect("an end");
    let refused = store.add("/Settings", "More", &wanted);
    assert_eq!(refused.map_err(|error| error.code()), Err(-4));
    assert!(full > 50, "{full}");
    // What is there can still be written and made smaller.
    assert_eq!(store.write("/Settings/A0", Some(&Value::from("short"))), Ok(true));
    assert_eq!(store.add("/Settings", "More", &wanted), Err(settings::store::AddError::Full));
    let document = Document { store, ..Document::empty("") };
    let written = write(&document);
    assert!(written.len() <= settings::store::LARGEST_FILE);
    assert_eq!(read(&written), Ok(document));
}

#[test]
fn a_file_of_the_original_is_written_as_it_was_read() {
    let original = include_str!("data/original.xml");
    let document = read(original).expect("reads");
    assert_eq!(document.left_out, Vec::<String>::new());
    assert_eq!(document.store.len(), 23);
    assert_eq!(write(&document), original);
}
