//! Everything that services say on a bus, in the order of the bus daemon: `busctl monitor`, and each service asked for all
//! its items when it appears, as systemcalc does. Nothing of ours listens.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use serde_json::Value;
use testbed::eventually;

use crate::SOON;
use crate::systemcalc::Items;

/// What the name of every Victron service starts with.
const PREFIX: &str = "com.victronenergy.";
/// Signals of items, who is on the bus, and all answers: of those, the ones to `GetItems` are read.
const MATCHES: [&str; 3] = [
    "--match=type='signal',interface='com.victronenergy.BusItem'",
    "--match=type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged'",
    "--match=type='method_return'",
];

/// One thing that a service has said or done.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// When it was heard, from the first message on.
    pub at: Duration,
    /// Whose it is.
    pub service: String,
    /// What it is.
    pub what: What,
}

/// What a service says or does.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// It is on the bus, and these are all its items.
    Appeared(Items),
    /// One signal with new values.
    Changed(Items),
    /// It has left.
    Gone,
}

/// A running record of a bus.
#[derive(Debug)]
pub struct Tape {
    busctl: Child,
    heard: Receiver<Heard>,
}

impl Tape {
    /// Begins to record; services that are there already are the first to appear.
    ///
    /// # Panics
    /// When busctl is missing, or there is no bus.
    #[track_caller]
    pub fn of(address: &str) -> Tape {
        let monitor = busctl(address).arg("monitor").args(MATCHES).stdout(Stdio::piped()).spawn();
        let mut monitor = monitor.unwrap_or_else(|error| panic!("busctl does not start: {error}"));
        let (to_reader, heard) = channel();
        let (to_us, ready) = channel();
        if let Some(stdout) = monitor.stdout.take() {
            let ear = Ear::new(address, to_reader);
            std::thread::spawn(move || ear.listen(stdout, &to_us));
        }
        // It hears everything from when it hears the answers to us.
        eventually(SOON, || {
            let _ = busctl(address).arg("list").output();
            ready.recv_timeout(Duration::from_millis(50)).is_ok()
        });
        Tape { busctl: monitor, heard }
    }

    /// The next thing, if it comes within this time.
    pub fn next(&self, within: Duration) -> Option<Heard> {
        self.heard.recv_timeout(within).ok()
    }
}

impl Drop for Tape {
    fn drop(&mut self) {
        // Both fail only for a process that has ended by itself.
        let _ = self.busctl.kill();
        let _ = self.busctl.wait();
    }
}

struct Ear {
    address: String,
    to_reader: Sender<Heard>,
    /// Services by the unique name of their connection.
    owners: BTreeMap<String, String>,
    /// Those that have told all their items.
    known: BTreeSet<String>,
    first_us: Option<u64>,
}

impl Ear {
    fn new(address: &str, to_reader: Sender<Heard>) -> Ear {
        Ear {
            address: address.to_owned(),
            to_reader,
            owners: BTreeMap::new(),
            known: BTreeSet::new(),
            first_us: None,
        }
    }

    fn listen(mut self, stdout: ChildStdout, ready: &Sender<()>) {
        for line in BufReader::new(stdout).lines() {
            let message = line.ok().and_then(|line| serde_json::from_str::<Value>(&line).ok());
            // Nobody reads any more, or busctl has ended.
            let Some(message) = message else { return };
            if self.first_us.is_none() {
                self.welcome_those_present();
                let _ = ready.send(());
            }
            let us = message.get("timestamp-realtime").and_then(Value::as_u64).unwrap_or_default();
            let at = Duration::from_micros(us.saturating_sub(*self.first_us.get_or_insert(us)));
            if let Some((service, what)) = self.understand(&message)
                && self.to_reader.send(Heard { at, service, what }).is_err()
            {
                return;
            }
        }
    }

    fn welcome_those_present(&mut self) {
        let list = busctl(&self.address).arg("list").output().map(|output| output.stdout).unwrap_or_default();
        let list: Value = serde_json::from_slice(&list).unwrap_or_default();
        for entry in list.as_array().into_iter().flatten() {
            if let (Some(service), Some(owner)) = (entry["name"].as_str(), entry["connection"].as_str()) {
                self.welcome(service, owner);
            }
        }
    }

    fn welcome(&mut self, service: &str, owner: &str) {
        if !service.starts_with(PREFIX) {
            return;
        }
        self.owners.insert(owner.to_owned(), service.to_owned());
        // The answer comes by in its place among the signals.
        let mut ask = busctl(&self.address);
        ask.args(["call", service, "/", "com.victronenergy.BusItem", "GetItems"]);
        std::thread::spawn(move || ask.output());
    }

    fn understand(&mut self, message: &Value) -> Option<(String, What)> {
        let text = |pointer| message.pointer(pointer).and_then(Value::as_str);
        let (kind, member) = (text("/type")?, text("/member"));
        if kind == "signal" && member == Some("NameOwnerChanged") {
            let arguments = ["/payload/data/0", "/payload/data/1", "/payload/data/2"];
            let [name, old, new] = arguments.map(|argument| text(argument).unwrap_or_default());
            self.owners.remove(old);
            let was_known = !old.is_empty() && self.known.remove(name);
            if !new.is_empty() {
                self.welcome(name, new);
            }
            return was_known.then(|| (name.to_owned(), What::Gone));
        }
        let service = self.owners.get(text("/sender")?)?.clone();
        let is_known = self.known.contains(&service);
        let body = message.pointer("/payload/data/0");
        let what = match (kind, member, text("/payload/type")) {
            ("method_return", _, Some("a{sa{sv}}")) if !is_known => {
                self.known.insert(service.clone());
                What::Appeared(items(body?))
            }
            ("signal", Some("ItemsChanged"), _) if is_known => What::Changed(items(body?)),
            ("signal", Some("PropertiesChanged"), _) if is_known => {
                What::Changed(Items::from([(text("/path")?.to_owned(), value(body?)?)]))
            }
            _ => return None,
        };
        Some((service, what))
    }
}

fn busctl(address: &str) -> Command {
    let mut command = Command::new("busctl");
    command.arg(format!("--address={address}")).arg("--json=short");
    command.stdin(Stdio::null()).stderr(Stdio::null());
    command
}

/// `a{sa{sv}}`: the values by path.
fn items(dictionary: &Value) -> Items {
    let entries = dictionary.as_object().into_iter().flatten();
    entries.filter_map(|(path, properties)| Some((path.clone(), value(properties)?))).collect()
}

/// The value among the properties of an item; an empty array is none.
fn value(properties: &Value) -> Option<Value> {
    let value = properties.get("Value")?.get("data")?;
    Some(if value.as_array().is_some_and(Vec::is_empty) { Value::Null } else { value.clone() })
}
