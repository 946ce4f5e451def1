//! Batteries: what they measure, what they permit, and how fresh that is.

use dbus_interfaces::classes::battery as b;
use dbus_interfaces::{Item, text};
use serde_json::json;

use super::{Class, Column, bank};
use crate::bus::short;
use crate::status::service::{Level, Service};
use crate::terminal::{Line, Style};

pub(crate) static CLASS: Class = Class {
    class: b::CLASS,
    title: "BATTERY",
    columns: &[
        Column { head: "SoC", cell: |service| service.text(b::SOC) },
        Column { head: "voltage", cell: |service| service.text(b::DC_VOLTAGE) },
        Column { head: "current", cell: |service| service.text(b::DC_CURRENT) },
        Column { head: "power", cell: |service| service.text(b::DC_POWER) },
        Column { head: "temp", cell: |service| service.text(b::DC_TEMPERATURE) },
    ],
    details: |service| match bank::is_bank(service) {
        true => bank::details(service),
        false => vec![state(service), limits(service)],
    },
    notes: bank::notes,
    status: |service| service.get(b::BMS_STATUS),
    json,
};

/// Who it is, and how its data are.
fn state(service: &Service) -> Vec<Line> {
    let mut pieces = vec![Line::of(Style::Faint, short(&service.name))];
    if service.custom_name().is_some() {
        pieces.push(Line::of(Style::Faint, service.product_name().unwrap_or_default()));
    }
    let mut silence = match (service.get(b::ALARM_BMS_CABLE), service.is_connected()) {
        (Some(2), _) => Some(Level::Alarm),
        (Some(1), _) | (_, Some(false)) => Some(Level::Warning),
        _ => None,
    };
    let words = match (service.get(b::BMS_STATUS), service.is_connected()) {
        (Some(words), _) => words,
        (None, Some(false)) => "not connected".to_owned(),
        (None, _) => {
            silence = None;
            String::new()
        }
    };
    pieces.push(Line::of(silence.map_or(Style::Plain, super::style), words));
    if let Some(seconds) = service.get(b::TIME_TO_GO) {
        pieces.push(Line::plain(format!("{} h {:02} min to go", seconds / 3600, seconds / 60 % 60)));
    }
    pieces
}

/// The three limits of one origin.
struct Limits {
    charge_v: Option<f64>,
    charge_a: Option<f64>,
    discharge_a: Option<f64>,
}

impl Limits {
    fn of(service: &Service, items: [Item<f64>; 3]) -> Limits {
        let [charge_v, charge_a, discharge_a] = items.map(|item| service.get(item));
        Limits { charge_v, charge_a, discharge_a }
    }

    fn shown(service: &Service) -> Limits {
        Limits::of(service, [b::MAX_CHARGE_VOLTAGE, b::MAX_CHARGE_CURRENT, b::MAX_DISCHARGE_CURRENT])
    }

    fn own(service: &Service) -> Limits {
        Limits::of(
            service,
            [b::BMS_MAX_CHARGE_VOLTAGE, b::BMS_MAX_CHARGE_CURRENT, b::BMS_MAX_DISCHARGE_CURRENT],
        )
    }

    fn all(&self) -> [Option<f64>; 3] {
        [self.charge_v, self.charge_a, self.discharge_a]
    }

    fn are_none(&self) -> bool {
        self.all().iter().all(Option::is_none)
    }

    /// A current of 0 A is what stops a system: it stands out.
    fn pieces(&self, title: &str) -> Vec<Line> {
        let read = |unit: dbus_interfaces::Text, value: Option<f64>| {
            unit.of(value.and_then(dbus_interfaces::Value::real).as_ref())
        };
        let current = |word: &str, value: Option<f64>| {
            let style = if value == Some(0.0) { Style::Warning } else { Style::Plain };
            Line::of(style, format!("{word} {}", read(text::AMPS, value)))
        };
        vec![
            Line::plain(format!("{title} {}", read(text::VOLTS, self.charge_v))),
            current("charge", self.charge_a),
            current("discharge", self.discharge_a),
        ]
    }
}

/// What it shows to Venus, and what its BMS says where that is something else.
fn limits(service: &Service) -> Vec<Line> {
    let (shown, own) = (Limits::shown(service), Limits::own(service));
    match (shown.are_none(), own.are_none()) {
        (true, true) => vec![Line::plain("no limits")],
        (true, false) => {
            let mut pieces = vec![Line::plain("shows no limits")];
            pieces.extend(own.pieces("own"));
            pieces
        }
        (false, true) => shown.pieces("limits"),
        (false, false) if shown.all() == own.all() => shown.pieces("limits"),
        (false, false) => {
            let mut pieces = shown.pieces("limits");
            pieces.extend(own.pieces("own"));
            pieces
        }
    }
}

fn json(service: &Service) -> serde_json::Value {
    let limits = |limits: Limits| {
        json!({
            "charge_voltage_v": limits.charge_v,
            "charge_current_a": limits.charge_a,
            "discharge_current_a": limits.discharge_a,
        })
    };
    let mut values = json!({
        "voltage_v": service.get(b::DC_VOLTAGE),
        "current_a": service.get(b::DC_CURRENT),
        "power_w": service.get(b::DC_POWER),
        "soc_pct": service.get(b::SOC),
        "temperature_c": service.get(b::DC_TEMPERATURE),
        "time_to_go_s": service.get(b::TIME_TO_GO),
        "limits": limits(Limits::shown(service)),
        "own_limits": limits(Limits::own(service)),
    });
    if let (true, Some(values)) = (bank::is_bank(service), values.as_object_mut()) {
        values.insert("bank".to_owned(), bank::json(service));
    }
    values
}
