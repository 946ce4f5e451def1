//! Commands for the ports of this process, from any input (`org.busbar.Bus1`): the converter's own by name, Modbus requests
//! on the battery's port. Both stand in line with everything else that is asked of a port.

use std::path::Path;

use dbus_interfaces::Value;
use dbus_interfaces::bus1::arguments::{bad, is_port, text};
use dbus_interfaces::bus1::{Answer, Code, Entries, Owner, modbus};

use super::arguments::words;
use crate::battery::{self, RawRequest};
use crate::converter::{self, Request as Ask};
use crate::error::Error;
use crate::eza::command;
use crate::eza::field::Field;
use crate::eza::retry::CommandError;

/// The commands by which this process itself sets the converter: they are set through items and the web API alone.
const OWN_WRITES: [&str; 6] = ["1-4", "3-4", "4-4", "6-4", "7-4", "9-4"];
/// Requests whose answers are the same bytes as an echo of themselves.
const LIKE_THEIR_ECHO: [u8; 2] = [5, 6];

/// The ports that commands are for.
#[derive(Debug, Clone)]
pub(super) struct Ports {
    pub(super) converter: converter::Handle,
    pub(super) battery: battery::Handle,
}

impl Owner for Ports {
    const PROCESS: &str = "dcdc-rs485";
    const COMMANDS: &[&str] = &["eza.command", modbus::COMMAND];

    fn ports(&self) -> Vec<Value> {
        let config = self.converter.config();
        let port = |port: &Path, kind: &str, baud: u32, is_open: bool| {
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
        ports
    }

    /// What answers on the ports now. Both are only asked what this process asks them all the time.
    async fn probe(&self, wanted: Entries) -> Vec<Entries> {
        let config = self.converter.config();
        let wants = |port: &Path| text(&wanted, "port").is_none_or(|name| is_port(name, port));
        let found = |port: &Path, product: &str, kind: &str| -> Entries {
            vec![
                ("port".to_owned(), Value::from(port.display().to_string().as_str())),
                ("product".to_owned(), Value::from(product)),
                ("kind".to_owned(), Value::from(kind)),
            ]
        };
        let mut equipment = Vec::new();
        if wants(&config.converter.port) && self.converter.ask(Ask::Status).await.is_ok() {
            equipment.push(found(&config.converter.port, "TDK-Lambda EZA2500", "eza2500"));
        }
        let battery = config.battery.as_ref().and_then(|battery| battery.port.as_deref());
        if let Some(port) = battery.filter(|port| wants(port))
            && self.battery.read().await.is_ok()
        {
            equipment.push(found(port, "APIS battery", "modbus"));
        }
        equipment
    }

    async fn carry_out(&self, command: &str, arguments: &Entries) -> Answer {
        match command {
            modbus::COMMAND => self.modbus(arguments).await,
            _ => self.eza(arguments).await,
        }
    }
}

impl Ports {
    async fn eza(&self, arguments: &Entries) -> Answer {
        let config = self.converter.config();
        if let Some(port) = text(arguments, "port").filter(|port| !is_port(port, &config.converter.port)) {
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
            Some(wanted) if port.is_some_and(|port| is_port(wanted, port)) => {}
            Some(wanted) => {
                return Answer::failed(Code::NoSuchDevice, format!("no Modbus port {wanted}"));
            }
            None => return bad("port", "the port of the battery"),
        }
        let request = match modbus::Request::read(arguments) {
            Ok(request) => request,
            Err((key, what)) => return bad(key, what),
        };
        if !(1..=247).contains(&request.unit) {
            return bad("unit", "1 to 247");
        }
        if LIKE_THEIR_ECHO.contains(&request.function()) {
            return bad("function", "5 and 6 cannot be told from their echo: use 15 or 16");
        }
        let modbus::Request { unit, pdu, timeout } = request.clone();
        match self.battery.raw(RawRequest { unit, pdu, timeout }).await {
            Ok(pdu) => request.answered(&pdu),
            Err(error) => failed(&error),
        }
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
