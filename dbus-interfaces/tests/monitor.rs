//! Services followed on a real bus: ours, and others that do what services of others are seen to do.
#![expect(clippy::expect_used, reason = "a step that fails has to fail the test that asked for it")]
#![expect(clippy::indexing_slicing, reason = "a step that fails has to fail the test that asked for it")]

use std::collections::HashMap;
use std::time::Duration;

use dbus_interfaces::classes::{battery, device};
use dbus_interfaces::settings::{Device, Wanted};
use dbus_interfaces::{
    BusAddress, BusError, Draft, Event, Events, Filter, Item, Monitor, Service, Text, Value, Writes,
};
use futures_util::StreamExt;
use testbed::{PrivateBus, one_of_awaited};
use tokio::time::{Instant, timeout};
use zbus::message::Type;
use zbus::{Message, MessageStream, Variant};

const A: &str = "com.victronenergy.battery.a";
const B: &str = "com.victronenergy.battery.b";
const BUS_ITEM: &str = "com.victronenergy.BusItem";
const DEADLINE: Duration = Duration::from_secs(20);
const NAME: Item<String> = Item::new("/CustomName", Text::Plain).writable();

fn address(bus: &PrivateBus) -> BusAddress {
    BusAddress::At(bus.address().to_owned())
}

async fn publish(bus: &PrivateBus, name: &str, instance: i32, soc: f64) -> (Service, Writes) {
    let mut draft = Draft::new(name);
    draft
        .add(device::DEVICE_INSTANCE, instance)
        .add(battery::SOC, soc)
        .add(battery::DC_TEMPERATURE, None)
        .add(NAME, "Shed".to_owned());
    draft.publish(&address(bus)).await.expect("published")
}

async fn follow(bus: &PrivateBus, filter: Filter) -> (Monitor, Events) {
    Monitor::start(&address(bus), filter).await.expect("connected")
}

fn batteries() -> Filter {
    Filter::new().class("battery")
}

/// Reads events until one is as wanted.
async fn until(events: &mut Events, wanted: impl Fn(&Event) -> bool) -> Event {
    let search = async {
        loop {
            let event = events.next().await.expect("connected");
            if wanted(&event) {
                return event;
            }
        }
    };
    timeout(DEADLINE, search).await.expect("the event comes")
}

async fn appeared(events: &mut Events, name: &str) {
    until(events, |event| matches!(event, Event::Appeared { service } if service.as_ref() == name)).await;
}

async fn gone(events: &mut Events, name: &str) {
    until(events, |event| matches!(event, Event::Gone { service } if service.as_ref() == name)).await;
}

async fn changed(events: &mut Events, name: &str, path: &str) {
    let of = |event: &Event| {
        matches!(event, Event::Changed { service, paths }
            if service.as_ref() == name && paths.iter().any(|p| p.as_ref() == path))
    };
    until(events, of).await;
}

type Properties = HashMap<&'static str, Variant<'static>>;

/// What a service by hand answers.
enum Reply {
    Value(Variant<'static>),
    Items(HashMap<&'static str, Properties>),
    Signal(Message, Box<Reply>),
    Error,
    Silence,
}

/// A service by hand: `answer` gets path and member of each call.
async fn by_hand(
    bus: &PrivateBus,
    name: &'static str,
    mut answer: impl FnMut(&str, &str) -> Reply + Send + 'static,
) -> zbus::Connection {
    let connection = zbus::connection::Builder::address(bus.address()).build().await.expect("connected");
    let mut calls = MessageStream::from(&connection);
    let out = connection.clone();
    tokio::spawn(async move {
        while let Some(Ok(call)) = calls.next().await {
            if call.message_type() != Type::MethodCall {
                continue;
            }
            let header = call.header();
            let target =
                (header.path().expect("a path").to_string(), header.member().expect("one").to_string());
            let mut reply = answer(&target.0, &target.1);
            if let Reply::Signal(signal, then) = reply {
                out.send(&signal).await.expect("sent");
                reply = *then;
            }
            let message = match reply {
                Reply::Value(value) => Message::method_return(&header).build(&value),
                Reply::Items(items) => Message::method_return(&header).build(&items),
                Reply::Error | Reply::Signal(..) => {
                    Message::error(&header, "org.freedesktop.DBus.Error.UnknownMethod")
                        .build(&"no such method")
                }
                Reply::Silence => continue,
            };
            out.send(&message.expect("a message")).await.expect("sent");
        }
    });
    connection.request_name(name).await.expect("the name is free");
    connection
}

fn properties(value: impl Into<Variant<'static>>) -> Properties {
    HashMap::from([("Value", value.into()), ("Text", Variant::new("text"))])
}

fn items_changed(items: &HashMap<&'static str, Properties>) -> Message {
    Message::signal("/", BUS_ITEM, "ItemsChanged").build(items).expect("a message")
}

fn property_changed(path: &'static str, value: impl Into<Variant<'static>>) -> Message {
    Message::signal(path, BUS_ITEM, "PropertiesChanged").build(&properties(value)).expect("a message")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_of_ours_is_followed_from_its_coming_to_its_going() {
    let bus = PrivateBus::start();
    let (before, _writes) = publish(&bus, A, 100, 54.5).await;
    let (monitor, mut events) = follow(&bus, batteries()).await;
    appeared(&mut events, A).await;
    let (after, _writes) = publish(&bus, B, 101, 60.0).await;
    appeared(&mut events, B).await;

    assert_eq!(monitor.get(A, battery::SOC), Some(54.5));
    assert_eq!(monitor.get(A, battery::DC_TEMPERATURE), None);
    assert!(monitor.received(A, battery::DC_TEMPERATURE).is_some(), "it is there, without a value");
    let seen: Vec<_> = monitor.services().iter().map(|s| (s.name.to_string(), s.instance)).collect();
    assert_eq!(seen, [(A.to_owned(), Some(100)), (B.to_owned(), Some(101))]);
    assert_eq!(monitor.service(A).expect("there").class(), "battery");

    let at = monitor.received(A, battery::SOC).expect("received");
    let change = before.update(|tx| {
        tx.set(battery::SOC, 55.0).set(battery::DC_TEMPERATURE, 21.0);
    });
    change.await.expect("sent");
    changed(&mut events, A, "/Soc").await;
    assert_eq!(monitor.get(A, battery::SOC), Some(55.0));
    assert_eq!(monitor.get(A, battery::DC_TEMPERATURE), Some(21.0));
    assert!(monitor.received(A, battery::SOC) > Some(at));
    assert!(monitor.age(A, battery::SOC, Instant::now()).expect("received") < DEADLINE);

    before.leave().await;
    gone(&mut events, A).await;
    assert_eq!((monitor.get(A, battery::SOC), monitor.service(A)), (None, None));
    drop(after);
    gone(&mut events, B).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_services_and_items_of_the_filter_are_kept() {
    let bus = PrivateBus::start();
    let (_a, _writes_a) = publish(&bus, A, 1, 50.0).await;
    let (_b, _writes_b) = publish(&bus, B, 2, 60.0).await;
    let (monitor, _events) = follow(&bus, Filter::new().service(B).item(battery::SOC)).await;
    timeout(DEADLINE, monitor.settled()).await.expect("settles");
    assert_eq!(monitor.services().len(), 1);
    let paths: Vec<_> = monitor.items(B).into_iter().map(|(path, _)| path.to_string()).collect();
    assert_eq!(paths, ["/DeviceInstance", "/Soc"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_owner_of_a_name_is_another_service() {
    let bus = PrivateBus::start();
    let (first, _writes) = publish(&bus, A, 1, 50.0).await;
    let (monitor, mut events) = follow(&bus, batteries()).await;
    appeared(&mut events, A).await;
    let owner = monitor.service(A).expect("there").owner;
    drop(first);
    let (_second, _writes) = loop {
        // The bus may still be taking leave of the first.
        let mut draft = Draft::new(A);
        draft.add(device::DEVICE_INSTANCE, 7);
        match draft.publish(&address(&bus)).await {
            Ok(published) => break published,
            Err(BusError::NameTaken { .. }) => tokio::task::yield_now().await,
            Err(e) => panic!("{e}"),
        }
    };
    gone(&mut events, A).await;
    appeared(&mut events, A).await;
    let seen = monitor.service(A).expect("there");
    assert_eq!((seen.instance, monitor.get(A, battery::SOC)), (Some(7), None));
    assert_ne!(seen.owner, owner);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_without_get_items_is_read_as_a_tree_and_followed_by_both_signals() {
    let bus = PrivateBus::start();
    let service = by_hand(&bus, A, |path, member| match (path, member) {
        ("/", "GetValue") => {
            let tree = HashMap::from([
                ("DeviceInstance", Variant::new(3_u8)),
                ("Soc", Variant::new(50.0)),
                ("Dc/0/Temperature", Variant::new(Vec::<i32>::new())),
            ]);
            Reply::Value(Variant::new(Variant::new(tree)))
        }
        _ => Reply::Error,
    })
    .await;
    let (monitor, mut events) = follow(&bus, batteries()).await;
    appeared(&mut events, A).await;
    assert_eq!(monitor.service(A).expect("there").instance, Some(3));
    assert_eq!(monitor.get(A, battery::SOC), Some(50.0));
    assert_eq!(monitor.get(A, battery::DC_TEMPERATURE), None);

    // A real becomes an integer, and another one a flag: types change.
    service.send(&property_changed("/Soc", 51)).await.expect("sent");
    changed(&mut events, A, "/Soc").await;
    assert_eq!(monitor.get(A, battery::SOC), Some(51.0));
    let without_slash = HashMap::from([("Soc", properties(true)), ("Mode", HashMap::new())]);
    service.send(&items_changed(&without_slash)).await.expect("sent");
    changed(&mut events, A, "/Soc").await;
    assert_eq!(monitor.get(A, battery::SOC), Some(1.0));
    let withdrawn = HashMap::from([("/Soc", properties(Vec::<u32>::new()))]);
    service.send(&items_changed(&withdrawn)).await.expect("sent");
    changed(&mut events, A, "/Soc").await;
    assert_eq!(monitor.get(A, battery::SOC), None);
    assert_eq!(monitor.service(A).expect("there").malformed, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_knows_neither_items_nor_tree_is_asked_path_by_path() {
    let bus = PrivateBus::start();
    let _service = by_hand(&bus, A, |path, member| match (path, member) {
        ("/", "GetValue") => Reply::Value(Variant::new(Variant::new(Vec::<i32>::new()))),
        ("/Soc", "GetValue") => Reply::Value(Variant::new(Variant::new(50_i16))),
        ("/DeviceInstance", "GetValue") => Reply::Value(Variant::new(Variant::new(4))),
        _ => Reply::Error,
    })
    .await;
    let filter = batteries().item(battery::SOC).item(battery::SOH);
    let (monitor, mut events) = follow(&bus, filter).await;
    appeared(&mut events, A).await;
    assert_eq!(monitor.service(A).expect("there").instance, Some(4));
    assert_eq!((monitor.get(A, battery::SOC), monitor.get(A, battery::SOH)), (Some(50.0), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_that_overtakes_the_answer_is_not_undone_by_it() {
    let bus = PrivateBus::start();
    let _service = by_hand(&bus, A, |_, member| match member {
        "GetItems" => {
            let old = HashMap::from([("/Soc", properties(50.0)), ("/Soh", properties(99.0))]);
            let new = items_changed(&HashMap::from([("/Soc", properties(51.0))]));
            Reply::Signal(new, Box::new(Reply::Items(old)))
        }
        _ => Reply::Error,
    })
    .await;
    let (monitor, mut events) = follow(&bus, batteries()).await;
    appeared(&mut events, A).await;
    assert_eq!((monitor.get(A, battery::SOC), monitor.get(A, battery::SOH)), (Some(51.0), Some(99.0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_signals_are_counted_and_change_nothing() {
    let bus = PrivateBus::start();
    let service = by_hand(&bus, A, |_, member| match member {
        "GetItems" => Reply::Items(HashMap::from([("/Soc", properties(50.0))])),
        _ => Reply::Error,
    })
    .await;
    let (monitor, mut events) = follow(&bus, batteries()).await;
    appeared(&mut events, A).await;
    let item = |member| Message::signal("/", BUS_ITEM, member);
    let malformed = [
        item("ItemsChanged").build(&()),
        item("ItemsChanged").build(&"Soc"),
        item("ItemsChanged").build(&(1, 2)),
        item("ItemsChanged").build(&HashMap::from([("/Soc", 1.0)])),
        item("ItemsChanged").build(&HashMap::from([(1, properties(1))])),
        item("PropertiesChanged").build(&properties(1)),
        Message::signal("/Soc", BUS_ITEM, "PropertiesChanged").build(&Variant::new(1)),
        Message::signal("/Soc", BUS_ITEM, "ItemsChanged").build(&HashMap::from([("/Soc", properties(1))])),
    ];
    for message in malformed {
        service.send(&message.expect("a message")).await.expect("sent");
    }
    let other_member = item("SomethingElse").build(&()).expect("a message");
    service.send(&other_member).await.expect("sent");
    service.send(&property_changed("/Soh", 98)).await.expect("sent");
    changed(&mut events, A, "/Soh").await;
    assert_eq!(monitor.get(A, battery::SOC), Some(50.0));
    assert_eq!(monitor.service(A).expect("there").malformed, 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_never_answers_holds_up_nobody_and_is_asked_again() {
    let (_bus, _silent, _other, monitor, mut events) = one_of_awaited(3, async || {
        let bus = PrivateBus::start();
        let mut asked = 0;
        let silent = by_hand(&bus, A, move |_, member| {
            asked += 1;
            match (asked, member) {
                (1, _) => Reply::Silence,
                (_, "GetItems") => Reply::Items(HashMap::from([("/Soc", properties(50.0))])),
                _ => Reply::Error,
            }
        })
        .await;
        let start = Instant::now();
        let (monitor, mut events) = follow(&bus, batteries()).await;
        let other = publish(&bus, B, 1, 60.0).await;
        appeared(&mut events, B).await;
        // Less than a question may take.
        match start.elapsed() {
            took if took < Duration::from_secs(4) => Ok((bus, silent, other, monitor, events)),
            took => Err(format!("B had to wait for A: {took:?}")),
        }
    })
    .await;
    assert!(monitor.service(A).is_none());
    timeout(DEADLINE, monitor.settled()).await.expect("settles without A");
    appeared(&mut events, A).await;
    assert_eq!(monitor.get(A, battery::SOC), Some(50.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn items_of_any_service_are_read_and_written_once() {
    let bus = PrivateBus::start();
    let (service, mut writes) = publish(&bus, A, 1, 54.5).await;
    let _legacy = by_hand(&bus, B, |path, member| match (path, member) {
        ("/", "GetValue") => {
            Reply::Value(Variant::new(Variant::new(HashMap::from([("Soc", Variant::new(5))]))))
        }
        _ => Reply::Error,
    })
    .await;
    let (monitor, _events) = follow(&bus, Filter::new()).await;

    let items = monitor.get_items(A).await.expect("answered");
    let soc = items.iter().find(|item| item.path == "/Soc").expect("listed");
    assert_eq!((&soc.value, soc.text.as_deref()), (&Some(Value::Real(54.5)), Some("54.5%")));
    assert_eq!(items.iter().map(|item| item.path.as_str()).collect::<Vec<_>>(), {
        ["/CustomName", "/Dc/0/Temperature", "/DeviceInstance", "/Soc"]
    });
    let legacy = monitor.get_items(B).await.expect("answered");
    assert_eq!((legacy[0].path.as_str(), &legacy[0].value), ("/Soc", &Some(Value::Int(5))));

    assert_eq!(monitor.get_value(A, "/Soc").await, Ok(Some(Value::Real(54.5))));
    assert_eq!(monitor.get_value(A, "/Dc/0/Temperature").await, Ok(None));
    let branch = monitor.get_value(A, "/Dc").await.expect("answered");
    assert!(matches!(branch, Some(Value::Map(_)) | None), "{branch:?}");

    let confirming = tokio::spawn(async move {
        writes.recv().await.expect("asked").accept();
        writes
    });
    let written = monitor.set_value(A, "/CustomName", Some(&Value::Text("Barn".to_owned()))).await;
    assert_eq!(written, Ok(0));
    assert_eq!(service.get(NAME), Some("Barn".to_owned()));
    let _writes = confirming.await.expect("confirmed");
    assert_eq!(monitor.set_value(A, "/Soc", Some(&Value::Real(1.0))).await, Ok(1), "read-only");

    let error = |result: Result<Option<Value>, BusError>| result.expect_err("nobody there").to_string();
    let nobody = error(monitor.get_value("com.victronenergy.nobody", "/Soc").await);
    assert!(nobody.contains("com.victronenergy.nobody/Soc GetValue"), "{nobody}");
    let nowhere = error(monitor.get_value(A, "/Nowhere").await);
    assert!(nowhere.contains("no item at /Nowhere"), "{nowhere}");
    let nonsense = error(monitor.get_value("not a name", "/Soc").await);
    assert!(nonsense.contains("not a name"), "{nonsense}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_calls_a_follower_is_told_at_once_that_nothing_is_served() {
    let bus = PrivateBus::start();
    let (callers, mut caller) = tokio::sync::mpsc::unbounded_channel();
    let service = zbus::connection::Builder::address(bus.address()).build().await.expect("connected");
    let mut stream = MessageStream::from(&service);
    tokio::spawn(async move {
        while let Some(Ok(message)) = stream.next().await {
            if message.message_type() == Type::MethodCall {
                callers.send(message.header().sender().expect("one").to_string()).expect("read");
            }
        }
    });
    service.request_name(A).await.expect("free");
    let (_monitor, _events) = follow(&bus, batteries()).await;
    let follower = timeout(DEADLINE, caller.recv()).await.expect("asked").expect("asked");
    let call = |member: &'static str| {
        service.call_method(Some(follower.as_str()), "/", Some("org.freedesktop.DBus.Peer"), member, &())
    };
    timeout(DEADLINE, call("Ping")).await.expect("answered").expect("alive");
    let refused = service.call_method(Some(follower.as_str()), "/", Some(BUS_ITEM), "GetItems", &());
    let refused = timeout(DEADLINE, refused).await.expect("answered").expect_err("refused");
    assert!(refused.to_string().contains("only listens"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_calls_a_client_of_the_settings_is_told_that_it_is_alive_and_serves_nothing() {
    let bus = PrivateBus::start();
    let caller = zbus::connection::Builder::address(bus.address()).build().await.expect("connected");
    let names = async || -> Vec<String> {
        let daemon = Some("org.freedesktop.DBus");
        let call = caller.call_method(daemon, "/org/freedesktop/DBus", daemon, "ListNames", &());
        call.await.expect("answered").body().deserialize().expect("names")
    };
    let before = names().await;
    let wanted = Wanted::new(Device::new("battery", "test", "a", 1));
    let address = address(&bus);
    let _opening = tokio::spawn(async move { wanted.open(&address).await });
    let appears = async {
        loop {
            if let Some(name) = names().await.into_iter().find(|name| !before.contains(name)) {
                return name;
            }
        }
    };
    let client = timeout(DEADLINE, appears).await.expect("it connects");
    let call =
        |interface, member| caller.call_method(Some(client.as_str()), "/", Some(interface), member, &());
    let alive = timeout(DEADLINE, call("org.freedesktop.DBus.Peer", "Ping")).await.expect("answered");
    alive.expect("alive");
    let refused = timeout(DEADLINE, call(BUS_ITEM, "GetItems")).await.expect("answered");
    assert!(refused.expect_err("refused").to_string().contains("only asks"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_bus_ends_the_events_and_leaves_no_values() {
    let mut bus = PrivateBus::start();
    let (_service, _writes) = publish(&bus, A, 1, 50.0).await;
    let (monitor, mut events) = follow(&bus, batteries()).await;
    appeared(&mut events, A).await;
    bus.stop();
    gone(&mut events, A).await;
    assert_eq!(timeout(DEADLINE, events.next()).await.expect("ends"), None);
    assert_eq!((monitor.services().len(), monitor.get(A, battery::SOC)), (0, None));
    timeout(DEADLINE, monitor.lost()).await.expect("told");
}

/// Match rules of a connection, as the bus daemon counts them.
fn match_rules(bus: &PrivateBus, connection: &str) -> u64 {
    let stats = ["call", "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.Debug.Stats"];
    let stats = [&stats[..], &["GetConnectionStats", "s", connection]].concat();
    bus.busctl(&stats).expect("a daemon with statistics")[0]["MatchRules"].as_u64().expect("a number")
}

/// Names on the bus.
fn connections(bus: &PrivateBus) -> Vec<String> {
    let daemon = "org.freedesktop.DBus";
    let names = bus.busctl(&["call", daemon, "/", daemon, "ListNames"]).expect("answered");
    let names = names[0].as_array().expect("a list").iter();
    names.filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_services_at_once_are_followed_with_two_match_rules_and_a_slow_reader_misses_no_last_value()
{
    const SERVICES: usize = 100;
    const UPDATES: usize = 50;
    const VALUE: Item<f64> = Item::new("/Items/#", Text::Plain);
    let bus = PrivateBus::start();
    let before = connections(&bus);
    let start = Instant::now();
    let (monitor, mut events) = follow(&bus, batteries()).await;
    let own = connections(&bus).into_iter().find(|name| name.starts_with(':') && !before.contains(name));
    let mut services = Vec::new();
    for n in 0..SERVICES {
        let mut draft = Draft::new(format!("com.victronenergy.battery.n{n}"));
        draft.add(device::DEVICE_INSTANCE, i32::try_from(n).expect("small"));
        for i in 0..200 {
            draft.add(VALUE.nth(i), f64::from(i));
        }
        services.push(draft.publish(&address(&bus)).await.expect("published").0);
    }
    let published = start.elapsed();
    for _ in 0..SERVICES {
        until(&mut events, |event| matches!(event, Event::Appeared { .. })).await;
    }
    let known = start.elapsed();

    // A second follower finds them all there.
    let start = Instant::now();
    let (second, _second_events) = follow(&bus, batteries()).await;
    timeout(DEADLINE, second.settled()).await.expect("settles");
    let settled = start.elapsed();
    assert_eq!(second.services().len(), SERVICES);

    // A burst that nobody reads events of.
    let start = Instant::now();
    for round in 0..UPDATES {
        for service in &services {
            let value = round as f64 + 0.5;
            let change = service.update(|tx| (0..20).for_each(|i| _ = tx.set(VALUE.nth(i), value)));
            change.await.expect("sent");
        }
    }
    let sent = start.elapsed();
    let last = (UPDATES - 1) as f64 + 0.5;
    let mut changed = 0;
    while !(0..SERVICES)
        .all(|n| monitor.get(&format!("com.victronenergy.battery.n{n}"), VALUE.nth(0)) == Some(last))
    {
        until(&mut events, |event| matches!(event, Event::Changed { .. })).await;
        changed += 1;
    }
    let read = start.elapsed();
    let own = own.expect("the follower's own name");
    println!(
        "{SERVICES} services of 201 items: published one after the other in {published:?}, all known after \
         {known:?}; found by a second follower in {settled:?}; {} signals of 20 items sent in {sent:?}, all read \
         after {read:?} in {changed} events; {} match rules",
        SERVICES * UPDATES,
        match_rules(&bus, &own),
    );
    assert_eq!(match_rules(&bus, &own), 2);
}
