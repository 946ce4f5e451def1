//! What flows through an inverter and what it does, in each class that shows one: a unit (`multi`), what is controlled as
//! one (`acsystem`), and what is shown as a Victron (`vebus`).

use dbus_interfaces::classes::{ac, battery as b, control as c, multi as m, vebus as v};
use dbus_interfaces::{Item, Value, text};
use serde_json::json;

use super::{Class, Column, polled};
use crate::bus::short;
use crate::status::service::{Level, Service};
use crate::terminal::{Line, Style};

pub(super) const COLUMNS: &[Column] = &[
    Column { head: "does", cell: |service| does(service).unwrap_or("---").to_owned() },
    Column { head: "AC in", cell: |service| watts(input(service)) },
    Column { head: "AC out", cell: |service| watts(output(service)) },
    Column { head: "battery", cell: |service| service.text(b::DC_POWER) },
    Column { head: "PV", cell: |service| service.text(m::YIELD_POWER) },
];

pub(crate) static SYSTEM: Class = Class {
    class: m::SYSTEM_CLASS,
    title: "INVERTER SYSTEM",
    columns: COLUMNS,
    details: |service| vec![who(service), set(service)],
    notes: |_| Vec::new(),
    status: |_| None,
    json,
};

pub(crate) static VEBUS: Class = Class { class: v::CLASS, title: "VE.BUS", ..SYSTEM };

/// Its name on the bus, and that nothing is heard of it.
pub(super) fn who(service: &Service) -> Vec<Line> {
    let mut pieces = vec![Line::of(Style::Faint, short(&service.name))];
    if service.custom_name().is_some() {
        pieces.push(Line::of(Style::Faint, service.product_name().unwrap_or_default()));
    }
    let members = (0..u16::MAX).map_while(|n| service.get(m::MEMBER_SERVICE.nth(n)));
    pieces.extend(members.map(|name| Line::of(Style::Faint, format!("has {}", short(&name)))));
    if service.is_connected() == Some(false) {
        pieces.push(Line::of(super::style(Level::Warning), "the device says nothing"));
    }
    let error = service.get(m::ERROR_TEXT).filter(|text| !text.is_empty());
    pieces.extend(error.map(|text| Line::of(Style::Warning, text)));
    pieces
}

/// What was set at it last, and what came of it.
pub(super) fn set(service: &Service) -> Vec<Line> {
    let result = service.get(c::RESULT).filter(|text| !text.is_empty());
    let mode = service.get(c::MODE).map(|_| Line::plain(format!("mode {}", service.text(c::MODE))));
    mode.into_iter().chain(result.map(|text| Line::plain(format!("set last: {text}")))).collect()
}

/// What it does, in words.
pub(super) fn does(service: &Service) -> Option<&'static str> {
    Some(match service.get(m::STATE)? {
        0 => "off",
        1 => "standby",
        2 => "failed",
        3..=7 => "charging",
        8 => "passing through",
        9 => "feeding the house alone",
        10 => "discharging",
        11 => "power supply",
        252 => "controlled from outside",
        _ => return None,
    })
}

/// Power from the input, W.
pub(super) fn input(service: &Service) -> Option<f64> {
    let whole = service.get(m::IN_TOTAL).or_else(|| service.get(v::IN_TOTAL));
    whole.or_else(|| sum(service, m::IN_P)).or_else(|| sum(service, v::IN_P))
}

/// Power to the loads, W.
pub(super) fn output(service: &Service) -> Option<f64> {
    service.get(m::OUT_TOTAL).or_else(|| sum(service, m::OUT_P))
}

/// The sum of lines 1 to 3 of an item; none where there is not even one.
pub(super) fn sum(service: &Service, item: Item<f64>) -> Option<f64> {
    let lines = (1..=3).filter_map(|line| service.get(item.nth(line)));
    lines.fold(None, |sum: Option<f64>, watts| Some(sum.unwrap_or(0.0) + watts))
}

fn watts(watts: Option<f64>) -> String {
    text::WATTS.of(watts.and_then(Value::real).as_ref())
}

/// `values` of the JSON document, as far as all three classes have them.
pub(super) fn json(service: &Service) -> serde_json::Value {
    json!({
        "voltage_v": service.get(b::DC_VOLTAGE),
        "current_a": service.get(b::DC_CURRENT),
        "power_w": service.get(b::DC_POWER),
        "ac_in_w": input(service),
        "ac_out_w": output(service),
        "pv_w": service.get(m::YIELD_POWER),
        "state": service.get(m::STATE),
        "does": does(service),
        "mode": service.get(c::MODE).map(|_| service.text(c::MODE)),
        "set_last": service.get(c::RESULT).filter(|text| !text.is_empty()),
        "error": service.get(m::ERROR_TEXT).filter(|text| !text.is_empty()),
        "polled": polled::json(service),
    })
}

/// Power of a meter or solar inverter, W.
pub(super) fn metered(service: &Service) -> Option<f64> {
    service.get(ac::TOTAL).or_else(|| sum(service, ac::POWER))
}
