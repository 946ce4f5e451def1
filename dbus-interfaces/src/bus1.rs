//! `org.busbar.Bus1`: commands for the bus that a process owns, from any input (`xml/org.busbar.Bus1.xml`).
//!
//! It stands under a name of its own, because a process owns its bus whether or not a device answers on it. What the
//! commands mean is not known here.
//!
//! - [`Desk`], [`Owner`]: requests taken up in bounds, and who carries them out
//! - [`arguments`]: what comes with a command, read
//! - [`modbus`]: the command that every process with Modbus has
//! - [`Rate`]: so many in a second

pub mod arguments;
mod desk;
pub mod modbus;
mod rate;

pub use desk::{Desk, Owner};
pub use rate::Rate;

use crate::endpoint::{Body, Call, Calls, Endpoint, Fault, INTROSPECTABLE, Named};
use crate::{BusAddress, BusError, Value, introspect};

/// The interface.
pub const INTERFACE: &str = "org.busbar.Bus1";
const XML: &str = include_str!("../xml/org.busbar.Bus1.xml");

/// Names and values, as arguments and answers have them.
pub type Entries = Vec<(String, Value)>;

/// How a command ended. Numbers and words are the same for every input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// Done.
    Ok = 0,
    /// There is no such command here.
    UnknownCommand = 11,
    /// An argument is missing or wrong.
    BadArgs = 12,
    /// The configuration or the command's effect forbids it.
    Forbidden = 21,
    /// Too much at a time.
    Busy = 30,
    /// There is no such port.
    NoSuchDevice = 31,
    /// The port is not open.
    PortUnavailable = 32,
    /// The device did not answer in time.
    DeviceTimeout = 33,
    /// The device refused.
    DeviceError = 34,
    /// The device answered something broken.
    BusError = 35,
}

impl Code {
    /// `device_timeout`
    #[must_use]
    pub fn status(self) -> &'static str {
        match self {
            Code::Ok => "ok",
            Code::UnknownCommand => "unknown_command",
            Code::BadArgs => "bad_args",
            Code::Forbidden => "forbidden",
            Code::Busy => "busy",
            Code::NoSuchDevice => "no_such_device",
            Code::PortUnavailable => "port_unavailable",
            Code::DeviceTimeout => "device_timeout",
            Code::DeviceError => "device_error",
            Code::BusError => "bus_error",
        }
    }
}

/// The answer to a command.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// How it ended.
    pub code: Code,
    /// Why, for people.
    pub message: Option<String>,
    /// What it brought.
    pub data: Entries,
}

impl Answer {
    /// Done.
    #[must_use]
    pub fn done(data: Entries) -> Self {
        Answer { code: Code::Ok, message: None, data }
    }

    /// Not done.
    #[must_use]
    pub fn failed(code: Code, message: impl Into<String>) -> Self {
        Answer { code, message: Some(message.into()), data: Entries::new() }
    }

    fn entries(self) -> Entries {
        let mut entries = vec![
            ("code".to_owned(), Value::Int(self.code as i32)),
            ("status".to_owned(), Value::from(self.code.status())),
        ];
        entries.extend(self.message.map(|message| ("msg".to_owned(), Value::Text(message))));
        entries.extend(self.data);
        entries
    }
}

/// The interface of one process on the bus. Dropping it closes the connection.
#[derive(Debug)]
pub struct Bus1 {
    endpoint: Endpoint,
    calls: Calls,
}

/// What somebody wants. Dropping it unanswered leaves the caller waiting until its own time is over.
#[derive(Debug)]
#[must_use = "a caller waits for an answer"]
pub enum Request {
    /// `Info`
    Info(Reply),
    /// `Transact`
    Transact(Entries, Reply),
    /// `Probe`
    Probe(Entries, Reply),
}

/// Where an answer goes.
#[derive(Debug)]
#[must_use = "a caller waits for an answer"]
pub struct Reply {
    endpoint: Endpoint,
    call: Call,
}

impl Bus1 {
    /// Exports the interface and takes a name, such as `org.busbar.dcdc_rs485.ttyUSB0`.
    ///
    /// # Errors
    /// [`BusError::Connect`], [`BusError::NameTaken`], [`BusError::NameRefused`].
    pub async fn export(name: &str, address: &BusAddress) -> Result<Bus1, BusError> {
        let bus1 = Bus1::connect(address).await?;
        bus1.take_name(name).await?;
        Ok(bus1)
    }

    /// Exports the interface, without a name as yet: a process with several ports takes one for each.
    ///
    /// # Errors
    /// [`BusError::Connect`].
    pub async fn connect(address: &BusAddress) -> Result<Bus1, BusError> {
        let (endpoint, calls) = Endpoint::connect(address).await?;
        Ok(Bus1 { endpoint, calls })
    }

    /// Takes a name.
    ///
    /// # Errors
    /// [`BusError::NameTaken`], [`BusError::NameRefused`], [`BusError::Lost`].
    pub async fn take_name(&self, name: &str) -> Result<(), BusError> {
        self.endpoint.request_name(name).await
    }

    /// The next request; what is none is answered here. Dropping the future loses nothing.
    ///
    /// # Errors
    /// [`BusError::Lost`].
    pub async fn next(&mut self) -> Result<Request, BusError> {
        loop {
            let Some(call) = self.calls.next().await else {
                return Err(BusError::Lost("the bus closed the connection".to_owned()));
            };
            if let Some(request) = self.read(call).await? {
                return Ok(request);
            }
        }
    }

    async fn read(&self, call: Call) -> Result<Option<Request>, BusError> {
        let (path, interface, member) = call.target();
        if call.is_peer() {
            self.endpoint.answer_peer(call, &member).await?;
            return Ok(None);
        }
        if path != "/" {
            self.endpoint.refuse(call, Fault::UnknownObject, &format!("nothing at {path}")).await?;
            return Ok(None);
        }
        let reply = |call| Reply { endpoint: self.endpoint.clone(), call };
        match (interface.as_deref(), member.as_str()) {
            (None | Some(INTROSPECTABLE), "Introspect") => {
                let xml = introspect::document(XML, []);
                self.endpoint.answer(call, Body::Text(&xml)).await?;
            }
            (None | Some(INTERFACE), "Info") => return Ok(Some(Request::Info(reply(call)))),
            (None | Some(INTERFACE), "Transact" | "Probe") => match entries(&call) {
                Some(entries) if member == "Probe" => return Ok(Some(Request::Probe(entries, reply(call)))),
                Some(entries) => return Ok(Some(Request::Transact(entries, reply(call)))),
                None => {
                    let words = format!("{member} takes one argument of type a{{sv}}");
                    self.endpoint.refuse(call, Fault::InvalidArgs, &words).await?;
                }
            },
            (None | Some(INTERFACE), _) => {
                let words = format!("{INTERFACE} has no {member}");
                self.endpoint.refuse(call, Fault::UnknownMethod, &words).await?;
            }
            (Some(other), _) => {
                let words = format!("/ has {INTERFACE}, not {other}");
                self.endpoint.refuse(call, Fault::UnknownInterface, &words).await?;
            }
        }
        Ok(None)
    }

    /// Closes the connection; the name goes with it.
    pub async fn leave(self) {
        self.endpoint.close().await;
    }
}

impl Reply {
    /// Who asked: a unique name.
    #[must_use]
    pub fn sender(&self) -> String {
        self.call.sender()
    }

    /// Answers `Transact`.
    pub async fn answer(self, answer: Answer) {
        self.entries(&answer.entries()).await;
    }

    /// Answers `Info`.
    pub async fn entries(self, entries: &Entries) {
        // A lost bus is noticed where requests come from.
        let _ = self.endpoint.answer(self.call, Body::Dict(&named(entries))).await;
    }

    /// Answers `Probe`.
    pub async fn list(self, list: &[Entries]) {
        let list: Vec<Named<'_>> = list.iter().map(named).collect();
        let _ = self.endpoint.answer(self.call, Body::Dicts(&list)).await;
    }
}

fn named(entries: &Entries) -> Named<'_> {
    entries.iter().map(|(name, value)| (name.as_str(), Some(value))).collect()
}

/// The one argument `a{sv}` of a call.
fn entries(call: &Call) -> Option<Entries> {
    if call.signature() != "a{sv}" {
        return None;
    }
    match call.arguments()?.pop()?? {
        Value::Map(entries) => Some(entries),
        _ => None,
    }
}
