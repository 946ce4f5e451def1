//! A service of ours on a real bus, seen by clients that are not ours: busctl, dbus-send, and messages by hand.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use dbus_interfaces::classes::{battery, device};
use dbus_interfaces::{BusAddress, BusError, Draft, Item, Service, Text, Writes, text};
use futures_util::StreamExt;
use serde_json::{Value, json};
use testbed::{PrivateBus, Refused};

const NAME: &str = "com.victronenergy.battery.test";
const LIMIT: Item<f64> = Item::new("/Settings/Limit", text::AMPS).writable().range(0.0, 100.0).default(50.0);
const MODE: Item<i32> = Item::new("/Mode", Text::Plain).writable();

fn draft() -> Draft {
    let mut draft = Draft::new(NAME);
    draft
        .add(battery::SOC, 54.5)
        .add(battery::DC_VOLTAGE, 52.314)
        .add(battery::DC_CURRENT, -1.5)
        .add(battery::DC_TEMPERATURE, None)
        .add(device::PRODUCT_ID, 0xBA77)
        .add(device::CUSTOM_NAME, "Shed".to_owned())
        .add(LIMIT, 20.0)
        .add(MODE, 3);
    draft
}

async fn publish(bus: &PrivateBus) -> (Service, Writes) {
    draft().publish(&BusAddress::At(bus.address().to_owned())).await.expect("published")
}

/// A reply with the type of every variant left on it: `{"type": "v", "data": [..]}`.
fn raw(
    bus: &PrivateBus,
    path: &str,
    interface: &str,
    method: &str,
    arguments: &[&str],
) -> Result<Value, Refused> {
    let address = format!("--address={}", bus.address());
    let mut command = bus.command("busctl");
    command.args([&address, "--json=short", "call", NAME, path, interface, method]).args(arguments);
    let output = command.output().expect("busctl runs");
    if !output.status.success() {
        return Err(Refused(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    Ok(serde_json::from_slice(&output.stdout).unwrap_or_default())
}

/// A BusItem call: the reply's arguments and their signature.
fn busctl(
    bus: &PrivateBus,
    path: &str,
    method: &str,
    arguments: &[&str],
) -> Result<(Value, String), Refused> {
    let reply = raw(bus, path, "com.victronenergy.BusItem", method, arguments)?;
    Ok((reply["data"].clone(), reply["type"].as_str().unwrap_or_default().to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn leaves_answer_with_value_text_and_limits() {
    let bus = PrivateBus::start();
    let (_service, _writes) = publish(&bus).await;
    let get = |path: &str, method: &str| busctl(&bus, path, method, &[]).expect("answered").0[0].clone();
    assert_eq!(get("/Soc", "GetValue"), json!({"type": "d", "data": 54.5}));
    assert_eq!(get("/Soc", "GetText"), json!("54.5%"));
    assert_eq!(get("/Dc/0/Voltage", "GetText"), json!("52.31V"));
    assert_eq!(get("/ProductId", "GetValue"), json!({"type": "i", "data": 0xBA77}));
    assert_eq!(get("/ProductId", "GetText"), json!("0xBA77"));
    assert_eq!(get("/Dc/0/Temperature", "GetValue"), json!({"type": "ai", "data": []}));
    assert_eq!(get("/Dc/0/Temperature", "GetText"), json!("---"));
    assert_eq!(get("/Settings/Limit", "GetMax"), json!({"type": "d", "data": 100.0}));
    assert_eq!(get("/Settings/Limit", "GetMin"), json!({"type": "d", "data": 0.0}));
    assert_eq!(get("/Settings/Limit", "GetDefault"), json!({"type": "d", "data": 50.0}));
    assert_eq!(get("/Soc", "GetMax"), json!({"type": "ai", "data": []}));
}

#[tokio::test(flavor = "multi_thread")]
async fn root_and_branches_answer_for_everything_below_them() {
    let bus = PrivateBus::start();
    let (_service, _writes) = publish(&bus).await;
    let (root, signature) = busctl(&bus, "/", "GetValue", &[]).expect("answered");
    assert_eq!((root[0]["type"].as_str(), signature.as_str()), (Some("a{sv}"), "v"));
    assert_eq!(root[0]["data"]["Dc/0/Voltage"], json!({"type": "d", "data": 52.314}));
    assert_eq!(root[0]["data"]["Dc/0/Temperature"], json!({"type": "ai", "data": []}));
    assert_eq!(root[0]["data"].as_object().map(serde_json::Map::len), Some(8));
    let (branch, _) = busctl(&bus, "/Dc", "GetValue", &[]).expect("answered");
    assert_eq!(branch[0]["data"]["0/Current"], json!({"type": "d", "data": -1.5}));
    let (texts, _) = busctl(&bus, "/Dc/0", "GetText", &[]).expect("answered");
    assert_eq!(texts[0]["data"]["Current"], json!("-1.5A"));
    let (items, signature) = busctl(&bus, "/", "GetItems", &[]).expect("answered");
    assert_eq!(signature, "a{sa{sv}}");
    assert_eq!(items[0]["/Soc"]["Value"], json!({"type": "d", "data": 54.5}));
    assert_eq!(items[0]["/Soc"]["Text"], json!({"type": "s", "data": "54.5%"}));
    assert_eq!(items[0]["/Settings/Limit"]["Max"], json!({"type": "d", "data": 100.0}));
    assert!(items[0]["/Soc"].get("Max").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_not_there_gets_an_error_at_once() {
    let bus = PrivateBus::start();
    let (_service, _writes) = publish(&bus).await;
    for (path, interface, method, words) in [
        ("/Nowhere", "com.victronenergy.BusItem", "GetValue", "no item at /Nowhere"),
        ("/Soc", "com.victronenergy.BusItem", "Explode", "has no method Explode"),
        ("/Dc", "com.victronenergy.BusItem", "SetValue", "is a branch"),
        ("/Dc", "com.victronenergy.BusItem", "GetItems", "is a branch"),
        ("/Soc", "org.example.Other", "Get", "not org.example.Other"),
        ("/Soc", "com.victronenergy.BusItem", "SetValue", "takes one argument"),
    ] {
        let Refused(error) = bus.busctl(&["call", NAME, path, interface, method]).expect_err("an error");
        assert!(error.contains(words), "{path} {method}: {error}");
    }
    assert!(bus.busctl(&["call", NAME, "/Soc", "org.freedesktop.DBus.Peer", "Ping"]).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_is_coerced_and_then_accepted_confirmed_later_or_refused_by_the_work_loop() {
    let bus = PrivateBus::start();
    let (service, mut writes) = publish(&bus).await;
    let worker = tokio::spawn(async move {
        while let Some(write) = writes.recv().await {
            match write.path() {
                "/Settings/Limit" => write.accept(),
                "/Mode" => write.confirm_later(),
                _ => write.refuse("not today"),
            }
        }
    });
    let code = |path: &str, value: &[&str]| bus.set_value(NAME, path, value).expect("answered");
    assert_eq!(code("/Settings/Limit", &["i", "5"]), 0);
    assert_eq!(service.get(LIMIT), Some(5.0));
    assert_eq!(code("/Settings/Limit", &["s", "7.5"]), 0);
    assert_eq!(service.get(LIMIT), Some(7.5));
    assert_eq!(code("/Settings/Limit", &["d", "101"]), 2);
    assert_eq!(code("/Settings/Limit", &["s", "much"]), 1);
    assert_eq!(code("/Soc", &["d", "1"]), 1);
    assert_eq!(code("/CustomName", &["s", "Barn"]), 2);
    assert_eq!(code("/CustomName", &["s", "Shed"]), 0, "the value it has already needs no handler");
    assert_eq!(code("/Mode", &["d", "4"]), 0);
    assert_eq!(service.get(MODE), Some(3), "it changes when the device has confirmed, not before");
    service.update(|tx| _ = tx.set(MODE, 4)).await.expect("sent");
    assert_eq!(bus.get_value(NAME, "/Mode").expect("there"), json!(4));
    assert_eq!(code("/Settings/Limit", &["ai", "0"]), 0, "no value, as a variant");
    assert_eq!(service.get(LIMIT), None);
    let bare = busctl(&bus, "/Mode", "SetValue", &["ai", "0"]).expect("answered");
    assert_eq!(bare.0[0], json!(0), "no value, as gui-v2 sends it: without a variant");
    worker.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_is_one_signal_with_only_what_changed() {
    let bus = PrivateBus::start();
    let (service, _writes) = publish(&bus).await;
    let listener = zbus::connection::Builder::address(bus.address()).build().await.expect("connected");
    let rule = zbus::MatchRule::builder()
        .msg_type(zbus::message::Type::Signal)
        .interface("com.victronenergy.BusItem")
        .build()
        .expect("a rule");
    let mut signals = zbus::MessageStream::for_match_rule(rule, &listener, None).await.expect("listening");

    service.update(|tx| _ = tx.set(battery::SOC, 54.5)).await.expect("sent");
    service
        .update(|tx| {
            tx.set(battery::SOC, 55.0).set(battery::DC_VOLTAGE, 52.314).clear(battery::DC_CURRENT);
            tx.set(battery::CELL_VOLTAGE.nth(2), 3.3);
        })
        .await
        .expect("sent");
    service.update(|tx| _ = tx.clear_below("/Dc")).await.expect("sent");

    type Items = std::collections::HashMap<String, std::collections::HashMap<String, zbus::OwnedVariant>>;
    let mut next = async || {
        let message = tokio::time::timeout(Duration::from_secs(20), signals.next()).await.expect("in time");
        let message = message.expect("a message").expect("a good one");
        assert_eq!(message.header().member().map(|m| m.as_str()), Some("ItemsChanged"));
        assert_eq!(message.header().path().map(|p| p.as_str()), Some("/"));
        let items: Items = message.body().deserialize().expect("items");
        let mut texts: Vec<String> = items
            .iter()
            .map(|(path, item)| format!("{path} {}", String::try_from(item["Text"].clone()).expect("text")))
            .collect();
        texts.sort();
        texts
    };
    assert_eq!(next().await, ["/Dc/0/Current ---", "/Soc 55.0%", "/Voltages/Cell2 3.300V"]);
    assert_eq!(next().await, ["/Dc/0/Voltage ---"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_taken_is_refused_with_its_owner_and_comes_free_when_the_service_leaves() {
    let bus = PrivateBus::start();
    let (service, _writes) = publish(&bus).await;
    let address = BusAddress::At(bus.address().to_owned());
    let Err(BusError::NameTaken { name, owner }) = draft().publish(&address).await.map(|_| ()) else {
        panic!("the name was taken")
    };
    assert_eq!(name, NAME);
    assert!(owner.contains(&format!("process {}", std::process::id())), "{owner}");
    service.leave().await;
    assert!(draft().publish(&address).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_bus_is_noticed() {
    let mut bus = PrivateBus::start();
    let (service, _writes) = publish(&bus).await;
    bus.stop();
    let lost = tokio::time::timeout(Duration::from_secs(20), service.lost()).await.expect("noticed");
    assert!(matches!(lost, BusError::Lost(_)));
    assert!(service.update(|tx| _ = tx.set(battery::SOC, 1.0)).await.is_err());
}

#[tokio::test]
async fn no_bus_is_an_error_that_names_the_address() {
    let address = BusAddress::At("unix:path=/nonexistent/bus".to_owned());
    let error = draft().publish(&address).await.map(|_| ()).expect_err("no bus").to_string();
    assert!(error.contains("unix:path=/nonexistent/bus"), "{error}");
}

/// Method names with their in and out types, by interface.
fn methods(xml: &str) -> Vec<(String, String, String, String)> {
    let attribute = |tag: &str, name: &str| -> String {
        let (_, rest) = tag.split_once(&format!("{name}=\"")).unwrap_or_default();
        rest.split_once('"').unwrap_or_default().0.to_owned()
    };
    let mut found: Vec<(String, String, String, String)> = Vec::new();
    let (mut interface, mut in_signal) = (String::new(), false);
    for tag in xml.split('<') {
        match tag.split([' ', '>']).next() {
            Some("interface") => interface = attribute(tag, "name"),
            Some("signal") => in_signal = true,
            Some("/signal") => in_signal = false,
            Some("method") => {
                found.push((interface.clone(), attribute(tag, "name"), String::new(), String::new()))
            }
            Some("arg") if !in_signal => {
                let (_, _, inputs, outputs) = found.last_mut().expect("an argument stands in a method");
                let of = if attribute(tag, "direction") == "in" { inputs } else { outputs };
                of.push_str(&attribute(tag, "type"));
            }
            _ => {}
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_of_the_introspection_files_answers_with_the_types_they_name() {
    let bus = PrivateBus::start();
    let (_service, mut writes) = publish(&bus).await;
    let worker = tokio::spawn(async move {
        while let Some(write) = writes.recv().await {
            write.accept();
        }
    });
    let mut checked = 0;
    for (path, file) in [
        ("/", include_str!("../xml/com.victronenergy.BusItem.root.xml")),
        ("/Dc/0", include_str!("../xml/com.victronenergy.BusItem.branch.xml")),
        ("/Mode", include_str!("../xml/com.victronenergy.BusItem.leaf.xml")),
        ("/", include_str!("../xml/org.freedesktop.DBus.xml")),
        ("/Mode", include_str!("../xml/org.freedesktop.DBus.xml")),
    ] {
        let introspected = bus
            .busctl(&["call", NAME, path, "org.freedesktop.DBus.Introspectable", "Introspect"])
            .expect("answered");
        let live = methods(introspected[0].as_str().expect("xml"));
        for method in methods(file) {
            assert!(live.contains(&method), "{path} does not introspect {method:?}");
            let (interface, name, inputs, outputs) = method;
            let arguments: &[&str] = match inputs.as_str() {
                "" => &[],
                "v" => &["v", "i", "4"],
                "si" => &["si", "en", "80"],
                other => panic!("no arguments for {other}"),
            };
            let reply = raw(&bus, path, &interface, &name, arguments)
                .unwrap_or_else(|Refused(e)| panic!("{path} {name}: {e}"));
            assert_eq!(reply["type"].as_str().unwrap_or_default(), outputs, "{path} {name}");
            checked += 1;
        }
    }
    assert_eq!(checked, 18);
    worker.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn dbus_send_reads_a_value() {
    let bus = PrivateBus::start();
    let (_service, _writes) = publish(&bus).await;
    let printed = bus.dbus_send(NAME, "/Soc", "com.victronenergy.BusItem.GetValue", &[]).expect("answered");
    assert!(printed.contains("variant double 54.5"), "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_wants_no_answer_gets_none() {
    use zbus::message::{Flags, Type};
    let bus = PrivateBus::start();
    let (_service, _writes) = publish(&bus).await;
    let client = zbus::connection::Builder::address(bus.address()).build().await.expect("connected");
    let mut incoming = zbus::MessageStream::from(&client);
    for member in ["GetItems", "GetValue", "GetText", "NoSuchMethod"] {
        let call = zbus::Message::method_call("/", member).destination(NAME);
        let call = call.interface("com.victronenergy.BusItem").with_flags(Flags::NO_REPLY_EXPECTED);
        client.send(&call.build(&()).expect("a call")).await.expect("sent");
    }
    let ping = zbus::Message::method_call("/", "Ping").destination(NAME).build(&()).expect("a call");
    client.send(&ping).await.expect("sent");
    let answer = async {
        loop {
            let message = incoming.next().await.expect("connected").expect("a message");
            if matches!(message.message_type(), Type::MethodReturn | Type::Error) {
                return message.header().reply_serial();
            }
        }
    };
    let first = tokio::time::timeout(Duration::from_secs(20), answer).await.expect("answered");
    assert_eq!(first, Some(ping.primary_header().serial_num()));
}

#[tokio::test]
async fn a_bus_that_is_not_the_one_of_the_address_is_refused() {
    let bus = PrivateBus::start();
    let socket = bus.address().split(',').next().unwrap_or_default();
    let other = BusAddress::At(format!("{socket},guid=0123456789abcdef0123456789abcdef"));
    match Service::connect(&other).await {
        Err(BusError::Connect { address, .. }) => assert_eq!(address, other.to_string()),
        other => panic!("{other:?}"),
    }
}
