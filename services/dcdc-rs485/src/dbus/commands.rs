//! Commands for the ports of this process, from any input (`org.busbar.Bus1`): the converter's own by name, Modbus requests
//! on the battery's port. Both stand in line with everything else that is asked of a port.

use std::sync::Arc;

use dbus_interfaces::Value;
use dbus_interfaces::bus1::{Answer, Code, Entries, Reply, Request};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::arguments::{bad, hex, is_port, modbus_request, text, words};
use crate::battery;
use crate::converter::{self, Request as Ask};
use crate::error::Error;
use crate::eza::command;
use crate::eza::field::Field;
use crate::eza::retry::CommandError;
use crate::rate::Rate;

/// Commands in a second.
const RATE: u32 = 20;
/// Commands that wait for their answer at a time.
const AT_A_TIME: usize = 16;
/// The commands by which this process itself sets the converter: they are set through items and the web API alone.
const OWN_WRITES: [&str; 6] = ["1-4", "3-4", "4-4", "6-4", "7-4", "9-4"];

/// What answers commands.
#[derive(Debug)]
pub(super) struct Commands {
    ports: Ports,
    may_send: bool,
    rate: Rate,
    places: Arc<Semaphore>,
}

#[derive(Debug, Clone)]
struct Ports {
    converter: converter::Handle,
    battery: battery::Handle,
}

impl Commands {
    pub(super) fn new(converter: converter::Handle, battery: battery::Handle, may_send: bool) -> Self {
        let places = Arc::new(Semaphore::new(AT_A_TIME));
        Self { ports: Ports { converter, battery }, may_send, rate: Rate::per_second(RATE), places }
    }

    /// Takes a request up; it is answered when its device has answered.
    pub(super) fn take(&mut self, request: Request, now: Instant) {
        let is_timely = matches!(request, Request::Info(_)) || self.rate.allows(now);
        let place = self.places.clone().try_acquire_owned().ok().filter(|_| is_timely);
        let (ports, may_send) = (self.ports.clone(), self.may_send);
        tokio::spawn(async move {
            match request {
                Request::Info(reply) => reply.entries(&ports.info(may_send)).await,
                Request::Probe(_, reply) if place.is_none() => reply.list(&[]).await,
                Request::Probe(wanted, reply) => reply.list(&ports.probe(&wanted).await).await,
                Request::Transact(_, reply) if place.is_none() => {
                    reply.answer(Answer::failed(Code::Busy, "too many commands at a time")).await;
                }
                Request::Transact(arguments, reply) => ports.transact(&arguments, may_send, reply).await,
            }
            drop(place);
        });
    }
}

impl Ports {
    async fn transact(&self, arguments: &Entries, may_send: bool, reply: Reply) {
        let sender = reply.sender();
        let answer = match text(arguments, "cmd") {
            Some("eza.command" | "serial.modbus.request") if !may_send => {
                Answer::failed(Code::Forbidden, "raw_access is off in the configuration")
            }
            Some("eza.command") => self.eza(arguments).await,
            Some("serial.modbus.request") => self.modbus(arguments).await,
            Some(other) => Answer::failed(Code::UnknownCommand, format!("no command {other}")),
            None => bad("cmd", "a command is needed"),
        };
        let command = text(arguments, "cmd").unwrap_or_default();
        tracing::info!(client = sender, command, status = answer.code.status(), "a command over the bus");
        reply.answer(answer).await;
    }

    async fn eza(&self, arguments: &Entries) -> Answer {
        let config = self.converter.config();
        if let Some(port) =
            text(arguments, "port").filter(|port| !is_port(port, Some(&config.converter.port)))
        {
            return Answer::failed(Code::NoSuchDevice, format!("no converter at {port}"));
        }
        let Some(shape) = text(arguments, "command").and_then(command::by_name) else {
            return bad("command", "the maker's name of a command, such as 10-1");
        };
        if OWN_WRITES.contains(&shape.name) {
            let why =
                format!("{} is sent by this process itself: write its item, or ask the web API", shape.name);
            return Answer::failed(Code::Forbidden, why);
        }
        let Some(words) = words(arguments, shape, config.converter.range_check) else {
            let names: Vec<&str> = shape.sends.iter().map(|field| field.name).collect();
            return bad("values", &format!("numbers within their ranges for {}", names.join(", ")));
        };
        match self.converter.ask(Ask::Raw(shape, words)).await {
            Ok(snapshot) => {
                let words = snapshot.raw.iter().map(|word| i32::from(*word)).collect();
                let value =
                    |(field, word): (&&Field, &u16)| (field.name.to_owned(), Value::Real(field.value(*word)));
                let values = shape.answers.iter().zip(&snapshot.raw).map(value).collect();
                Answer::done(vec![
                    ("words".to_owned(), Value::Ints(words)),
                    ("values".to_owned(), Value::Map(values)),
                ])
            }
            Err(error) => failed(&error),
        }
    }

    async fn modbus(&self, arguments: &Entries) -> Answer {
        let config = self.converter.config();
        let port = config.battery.as_ref().and_then(|battery| battery.port.as_deref());
        match text(arguments, "port") {
            Some(wanted) if is_port(wanted, port) => {}
            Some(wanted) => {
                return Answer::failed(Code::NoSuchDevice, format!("no Modbus port {wanted}"));
            }
            None => return bad("port", "the port of the battery"),
        }
        let request = match modbus_request(arguments) {
            Ok(request) => request,
            Err((key, what)) => return bad(key, what),
        };
        match self.battery.raw(request).await {
            Ok(pdu) => {
                let mut data = vec![("pdu".to_owned(), Value::Text(hex(&pdu)))];
                match pdu.as_slice() {
                    [function, code, ..] if function & 0x80 != 0 => {
                        data.push(("exception".to_owned(), Value::Int(i32::from(*code))));
                        let message = Some(format!("exception {code:02}"));
                        return Answer { code: Code::DeviceError, message, data };
                    }
                    [3 | 4 | 0x17, _, words @ ..] => {
                        let words = words.as_chunks::<2>().0.iter();
                        let values = words.map(|word| i32::from(u16::from_be_bytes(*word))).collect();
                        data.push(("values".to_owned(), Value::Ints(values)));
                    }
                    _ => {}
                }
                Answer::done(data)
            }
            Err(error) => failed(&error),
        }
    }

    fn info(&self, may_send: bool) -> Entries {
        let config = self.converter.config();
        let port = |port: &std::path::Path, kind: &str, baud: u32, is_open: bool| {
            let text = |text: &str| Value::from(text);
            Value::Map(vec![
                ("port".to_owned(), text(&port.display().to_string())),
                ("kind".to_owned(), text(kind)),
                ("baud".to_owned(), Value::from(i64::from(baud))),
                ("open".to_owned(), Value::Bool(is_open)),
            ])
        };
        let is_open = self.converter.picture().borrow().is_open;
        let mut ports = vec![port(&config.converter.port, "eza2500", config.converter.baud, is_open)];
        if let Some(battery) = &config.battery
            && let Some(path) = &battery.port
        {
            ports.push(port(path, "modbus", battery.baud, self.battery.known().borrow().is_open));
        }
        vec![
            ("process".to_owned(), Value::from("dcdc-rs485")),
            ("version".to_owned(), Value::from(env!("CARGO_PKG_VERSION"))),
            ("raw_access".to_owned(), Value::Bool(may_send)),
            (
                "commands".to_owned(),
                Value::Texts(vec!["eza.command".to_owned(), "serial.modbus.request".to_owned()]),
            ),
            ("ports".to_owned(), Value::List(ports)),
        ]
    }

    /// What answers on the ports now. Both are only asked what this process asks them all the time.
    async fn probe(&self, wanted: &Entries) -> Vec<Entries> {
        let config = self.converter.config();
        let wants =
            |port: Option<&std::path::Path>| text(wanted, "port").is_none_or(|name| is_port(name, port));
        let found = |port: &std::path::Path, product: &str, kind: &str| -> Entries {
            vec![
                ("port".to_owned(), Value::from(port.display().to_string().as_str())),
                ("product".to_owned(), Value::from(product)),
                ("kind".to_owned(), Value::from(kind)),
            ]
        };
        let mut equipment = Vec::new();
        if wants(Some(&config.converter.port)) && self.converter.ask(Ask::Status).await.is_ok() {
            equipment.push(found(&config.converter.port, "TDK-Lambda EZA2500", "eza2500"));
        }
        let battery = config.battery.as_ref().and_then(|battery| battery.port.as_deref());
        if let Some(port) = battery.filter(|port| wants(Some(port)))
            && self.battery.read().await.is_ok()
        {
            equipment.push(found(port, "APIS battery", "modbus"));
        }
        equipment
    }
}

fn failed(error: &Error) -> Answer {
    let code = match error {
        Error::Command(CommandError::Silence) | Error::BatterySilent => Code::DeviceTimeout,
        Error::Command(CommandError::Refused(_) | CommandError::Busy(_)) | Error::BatteryRefuses(_) => {
            Code::DeviceError
        }
        Error::Command(_) => Code::BusError,
        Error::NoPort(_) | Error::NoBattery | Error::Stopping => Code::PortUnavailable,
        Error::Busy => Code::Busy,
        _ => Code::BadArgs,
    };
    Answer::failed(code, error.to_string())
}
