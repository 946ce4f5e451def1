//! Commands for the ports of this process, from any input (`org.busbar.Bus1`): the converter's own by name, Modbus requests
//! on the battery's port. Both stand in line with everything else that is asked of a port.

use std::sync::Arc;
use std::time::Duration;

use dbus_interfaces::Value;
use dbus_interfaces::bus1::{Answer, Code, Entries, Reply, Request};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::battery::{self, RawRequest};
use crate::converter::{self, Request as Ask};
use crate::error::Error;
use crate::eza::command::{self, Shape};
use crate::eza::retry::CommandError;
use crate::rate::Rate;

/// Commands in a second.
const RATE: u32 = 20;
/// Commands that wait for their answer at a time.
const AT_A_TIME: usize = 16;
/// How long a Modbus answer is waited for, ms.
const TIMEOUTS: std::ops::RangeInclusive<i64> = 10..=5_000;
const TIMEOUT: i64 = 1_000;
/// The longest Modbus request, function and data (Modbus application protocol V1.1b3, 4.1).
const LONGEST_PDU: usize = 253;
/// The commands by which this process itself sets the converter: they are set through items and the web API alone.
const OWN_WRITES: [&str; 6] = ["1-4", "3-4", "4-4", "6-4", "7-4", "9-4"];
/// The requests whose answers are the same bytes as an echo of themselves.
const LIKE_THEIR_ECHO: [u8; 2] = [5, 6];

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
                let value = |(field, word): (&&crate::eza::field::Field, &u16)| {
                    (field.name.to_owned(), Value::Real(field.value(*word)))
                };
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

fn text<'a>(arguments: &'a Entries, key: &str) -> Option<&'a str> {
    value(arguments, key).and_then(Value::as_str)
}

fn value<'a>(arguments: &'a Entries, key: &str) -> Option<&'a Value> {
    arguments.iter().find(|(name, _)| name == key).map(|(_, value)| value)
}

/// A port by its whole name, or by the last part of it.
fn is_port(wanted: &str, port: Option<&std::path::Path>) -> bool {
    port.is_some_and(|port| {
        port == std::path::Path::new(wanted) || port.file_name().is_some_and(|last| last == wanted)
    })
}

fn bad(key: &str, allowed: &str) -> Answer {
    let mut answer = Answer::failed(Code::BadArgs, format!("{key}: {allowed}"));
    answer.data.push(("key".to_owned(), Value::from(key)));
    answer
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

/// The words of a command: `words` as they are, or `values` by their names in their units.
fn words(arguments: &Entries, shape: &Shape, check_range: bool) -> Option<Vec<u16>> {
    let word = |number: i32| u16::try_from(number).ok();
    match (value(arguments, "words"), value(arguments, "values")) {
        (Some(Value::Ints(numbers)), None) => {
            let words: Vec<u16> = numbers.iter().map(|number| word(*number)).collect::<Option<_>>()?;
            let is_declared = |(field, word): (&&crate::eza::field::Field, &u16)| {
                field.word(&field.value(*word).to_string(), check_range).is_ok()
            };
            let fits = words.len() == shape.sends.len() && shape.sends.iter().zip(&words).all(is_declared);
            fits.then_some(words)
        }
        (None, Some(Value::Map(values))) => {
            let number = |field: &&crate::eza::field::Field| {
                let (_, value) = values.iter().find(|(name, _)| name == field.name)?;
                let text = match value {
                    Value::Text(text) => text.clone(),
                    number => number.as_f64()?.to_string(),
                };
                field.word(&text, check_range).ok()
            };
            if values.len() != shape.sends.len() {
                return None;
            }
            shape.sends.iter().map(number).collect()
        }
        (None, None) if shape.sends.is_empty() => Some(Vec::new()),
        _ => None,
    }
}

/// A Modbus request from its arguments; the key that is wrong, and what it takes.
fn modbus_request(arguments: &Entries) -> Result<RawRequest, (&'static str, &'static str)> {
    let number = |key: &str| value(arguments, key).and_then(Value::as_i64);
    let unit =
        number("unit").and_then(|unit| u8::try_from(unit).ok()).filter(|unit| (1..=247).contains(unit));
    let unit = unit.ok_or(("unit", "1 to 247"))?;
    let timeout = number("timeout_ms").unwrap_or(TIMEOUT);
    let timeout = Some(timeout).filter(|ms| TIMEOUTS.contains(ms)).and_then(|ms| u64::try_from(ms).ok());
    let timeout = Duration::from_millis(timeout.ok_or(("timeout_ms", "10 to 5000"))?);
    let pdu = match text(arguments, "pdu") {
        Some(text) => from_hex(text).ok_or(("pdu", "1 to 253 bytes, hexadecimal"))?,
        None => pdu(arguments)?,
    };
    match pdu.first() {
        Some(function) if LIKE_THEIR_ECHO.contains(function) => {
            Err(("function", "5 and 6 cannot be told from their echo: use 15 or 16"))
        }
        Some(1..=0x7F) => Ok(RawRequest { unit, pdu, timeout }),
        _ => Err(("function", "1 to 127")),
    }
}

fn pdu(arguments: &Entries) -> Result<Vec<u8>, (&'static str, &'static str)> {
    let word = |key: &str| {
        let number = value(arguments, key).and_then(Value::as_i64);
        number.and_then(|number| u16::try_from(number).ok())
    };
    let address = word("address").ok_or(("address", "0 to 65535, as it is on the wire"))?.to_be_bytes();
    let function = word("function").and_then(|function| u8::try_from(function).ok());
    match function {
        Some(function @ 1..=4) => {
            let count = word("count").filter(|count| (1..=125).contains(count));
            let count = count.ok_or(("count", "1 to 125"))?.to_be_bytes();
            Ok([&[function][..], &address, &count].concat())
        }
        Some(16) => {
            let Some(Value::Ints(values)) = value(arguments, "values") else {
                return Err(("values", "1 to 123 words"));
            };
            let words: Option<Vec<u16>> = values.iter().map(|value| u16::try_from(*value).ok()).collect();
            let words =
                words.filter(|words| (1..=123).contains(&words.len())).ok_or(("values", "1 to 123 words"))?;
            // At most 123 words, 246 bytes.
            let count = u8::try_from(words.len()).unwrap_or(u8::MAX);
            let mut pdu = [&[16][..], &address, &[0, count, count.saturating_mul(2)]].concat();
            pdu.extend(words.iter().flat_map(|word| word.to_be_bytes()));
            Ok(pdu)
        }
        _ => Err(("function", "1 to 4 or 16; others as pdu")),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let bytes = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let byte = |[high, low]: &[u8; 2]| Some(digit(*high)? << 4 | digit(*low)?);
    let is_whole = bytes.1.is_empty() && (1..=LONGEST_PDU).contains(&bytes.0.len());
    if is_whole { bytes.0.iter().map(byte).collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(entries: &[(&str, Value)]) -> Entries {
        entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    #[test]
    fn a_modbus_request_is_built_from_its_parts_or_taken_as_it_is() {
        let parts = [("unit", 1.into()), ("function", 4.into()), ("address", 29.into()), ("count", 2.into())];
        let request = modbus_request(&arguments(&parts)).unwrap();
        assert_eq!(request.pdu, [4, 0, 29, 0, 2]);
        let whole = arguments(&[("unit", 1.into()), ("pdu", "04001d0002".into())]);
        assert_eq!(modbus_request(&whole), Ok(request));
        let write = [
            ("unit", 7.into()),
            ("function", 16.into()),
            ("address", 9.into()),
            ("values", Value::Ints(vec![258])),
        ];
        assert_eq!(modbus_request(&arguments(&write)).unwrap().pdu, [16, 0, 9, 0, 1, 2, 1, 2]);
    }

    #[test]
    fn what_is_wrong_in_a_modbus_request_is_named_by_its_key() {
        let key = |entries: &[(&str, Value)]| modbus_request(&arguments(entries)).unwrap_err().0;
        assert_eq!(key(&[("unit", 0.into())]), "unit");
        assert_eq!(key(&[("unit", 1.into()), ("timeout_ms", 9.into())]), "timeout_ms");
        assert_eq!(key(&[("unit", 1.into()), ("pdu", "0".into())]), "pdu");
        assert_eq!(key(&[("unit", 1.into()), ("pdu", "84".into())]), "function");
        assert_eq!(key(&[("unit", 1.into()), ("pdu", "0600010001".into())]), "function");
        assert_eq!(key(&[("unit", 1.into()), ("function", 4.into())]), "address");
        assert_eq!(key(&[("unit", 1.into()), ("function", 4.into()), ("address", 1.into())]), "count");
    }

    #[test]
    fn the_words_of_a_command_come_by_name_or_as_they_are_and_within_their_ranges() {
        let shape = command::by_name("5-4").unwrap();
        let named = Value::Map(vec![("mdz".to_owned(), 0.into()), ("pdz".to_owned(), "1.9".into())]);
        let of = |entries: &[(&str, Value)]| words(&arguments(entries), shape, true);
        assert_eq!(of(&[("values", named)]), Some(vec![81, 0]));
        assert_eq!(of(&[("words", Value::Ints(vec![81, 0]))]), Some(vec![81, 0]));
        assert_eq!(of(&[("words", Value::Ints(vec![16_000, 0]))]), None);
        assert_eq!(of(&[("words", Value::Ints(vec![81]))]), None);
        assert_eq!(of(&[]), None);
        assert_eq!(words(&Entries::new(), command::by_name("10-1").unwrap(), true), Some(Vec::new()));
    }
}
