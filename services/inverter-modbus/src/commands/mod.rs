//! Requests to any device on our lines, from any input (`org.busbar.Bus1`): in turn with polling, with leave of the
//! configuration only.

use dbus_interfaces::bus1::arguments::{bad, text};
use dbus_interfaces::bus1::{Answer, Bus1, Code, Desk, Entries, Owner, modbus};
use dbus_interfaces::{BusAddress, BusError, Value};
use service_kit::{Context, Failure};
use tokio::time::Instant;

use crate::line::address::{Address, Framing};
use crate::line::lines::Lines;
use crate::line::{Line, NoAnswer};
use crate::modbus::pdu;

/// What answers commands.
#[derive(Debug)]
pub struct Commands {
    bus1: Bus1,
    desk: Desk<Ports>,
}

/// The lines that commands are for.
#[derive(Debug, Clone)]
pub struct Ports(Lines);

impl Commands {
    /// Exports the interface under one name for each line; with `may_send`, requests are sent.
    ///
    /// # Errors
    /// The bus is not there or gone.
    pub async fn export(lines: Lines, may_send: bool, bus: &BusAddress) -> Result<Commands, Failure> {
        let bus1 = Bus1::connect(bus).await?;
        for (address, _) in lines.all() {
            let name = format!("org.busbar.inverter_modbus.{}", address.suffix());
            match bus1.take_name(&name).await {
                Ok(()) => {}
                // Another process may have devices behind the same host: both measure, and one of them takes commands.
                Err(error @ (BusError::NameTaken { .. } | BusError::NameRefused { .. })) => {
                    tracing::warn!(line = %address, "no commands for this line: {error}");
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Commands { bus1, desk: Desk::new(Ports(lines), may_send) })
    }

    /// Takes requests up until the process is asked to stop.
    ///
    /// # Errors
    /// The bus is gone.
    pub async fn run(mut self, context: &Context) -> Result<(), Failure> {
        let shutdown = context.shutdown();
        loop {
            tokio::select! {
                biased;
                () = shutdown.requested() => break,
                request = self.bus1.next() => self.desk.take(request?, Instant::now()),
            }
        }
        self.bus1.leave().await;
        Ok(())
    }
}

impl Owner for Ports {
    const PROCESS: &str = "inverter-modbus";
    const COMMANDS: &[&str] = &[modbus::COMMAND];

    fn ports(&self) -> Vec<Value> {
        self.0.all().iter().map(|(address, line)| Value::Map(port(address, line))).collect()
    }

    /// The devices of this process that answer: they are asked all the time.
    async fn probe(&self, wanted: Entries) -> Vec<Entries> {
        let wants = |address: &Address| text(&wanted, "port").is_none_or(|name| address.is_called(name));
        let lines = self.0.all().into_iter().filter(|(address, _)| wants(address));
        let found = lines.flat_map(|(address, line)| {
            let there = line.inhabitants().into_iter().filter(|(_, resident)| resident.is_there);
            there.map(move |(unit, resident)| {
                vec![
                    ("port".to_owned(), Value::Text(address.place())),
                    ("product".to_owned(), Value::Text(resident.product)),
                    ("kind".to_owned(), Value::from("modbus")),
                    ("unit".to_owned(), Value::Int(i32::from(unit))),
                ]
            })
        });
        found.collect()
    }

    async fn carry_out(&self, _: &str, arguments: &Entries) -> Answer {
        match self.line(arguments) {
            Ok((address, line)) => transact(&address, &line, arguments).await,
            Err(answer) => answer,
        }
    }
}

impl Ports {
    /// The line that is meant; one need not be named.
    fn line(&self, arguments: &Entries) -> Result<(Address, Line), Answer> {
        let wanted = text(arguments, "port");
        let mut all = self.0.all();
        let places = |lines: &[(Address, Line)]| {
            let places: Vec<String> = lines.iter().map(|(address, _)| address.place()).collect();
            bad("port", &format!("one of {}", places.join(", ")))
        };
        let nobody = places(&all);
        all.retain(|(address, _)| wanted.is_none_or(|name| address.is_called(name)));
        match (all.len(), wanted) {
            (0, Some(wanted)) => Err(Answer::failed(Code::NoSuchDevice, format!("no line {wanted}"))),
            (1, _) => all.pop().ok_or(nobody),
            (0, None) => Err(nobody),
            _ => Err(places(&all)),
        }
    }
}

fn port(address: &Address, line: &Line) -> Entries {
    let figures = line.figures();
    let units = line.inhabitants().into_iter().map(|(unit, resident)| {
        Value::Map(vec![
            ("unit".to_owned(), Value::Int(i32::from(unit))),
            ("product".to_owned(), Value::Text(resident.product)),
            ("there".to_owned(), Value::Bool(resident.is_there)),
        ])
    });
    let mut port = vec![
        ("port".to_owned(), Value::Text(address.place())),
        ("kind".to_owned(), Value::from("modbus")),
        ("open".to_owned(), Value::Bool(figures.is_open)),
        ("utilisation".to_owned(), Value::Real(100.0 * figures.utilisation)),
        ("units".to_owned(), Value::List(units.collect())),
    ];
    port.extend(address.baud().map(|baud| ("baud".to_owned(), Value::from(i64::from(baud)))));
    port
}

async fn transact(address: &Address, line: &Line, arguments: &Entries) -> Answer {
    let request = match modbus::Request::read(arguments) {
        Ok(request) => request,
        Err((key, what)) => return bad(key, what),
    };
    let is_serial = !matches!(address, Address::Tcp { framing: Framing::Tcp, .. });
    if is_serial && !(1..=247).contains(&request.unit) {
        return bad("unit", "1 to 247: nobody answers to others on a serial line");
    }
    let Some((function, data)) = request.pdu.split_first() else {
        return bad("pdu", "a function at least");
    };
    if let Err(why) = line.may(request.unit, *function, data) {
        return Answer::failed(Code::Forbidden, why.to_string());
    }
    let pdu = dbus_interfaces::bus1::arguments::hex(&request.pdu);
    tracing::info!(line = %address, unit = request.unit, pdu, "a request for somebody else");
    match line.ask_for_another(request.unit, *function, data.to_vec(), request.timeout).await {
        Ok(pdu::Answer::Exception(code)) => request.answered(&[function | 0x80, code]),
        Ok(pdu::Answer::Raw(data)) => request.answered(&[&[*function][..], &data].concat()),
        Ok(pdu::Answer::Values(_) | pdu::Answer::Written) => {
            Answer::failed(Code::BusError, "an answer that is none to this request")
        }
        Err(why @ NoAnswer::NoLine(_)) => Answer::failed(Code::PortUnavailable, why.to_string()),
        Err(why) => Answer::failed(Code::DeviceTimeout, why.to_string()),
    }
}
