//! Inverters: what each is told in place of its battery, what it does, since when and why.

use dbus_interfaces::classes::{battery as b, multi as m, told};
use serde_json::json;

use super::{Class, Column};
use crate::bus::short;
use crate::status::service::{Level, Service};
use crate::terminal::{Line, Style};

pub(crate) static CLASS: Class = Class {
    class: m::CLASS,
    title: "INVERTER",
    columns: &[
        Column { head: "charge", cell: |service| service.text(told::MAX_CHARGE_CURRENT) },
        Column { head: "discharge", cell: |service| service.text(told::MAX_DISCHARGE_CURRENT) },
        Column { head: "up to", cell: |service| service.text(told::MAX_CHARGE_VOLTAGE) },
        Column { head: "SoC told", cell: |service| service.text(told::SOC) },
        Column { head: "takes", cell: |service| service.text(b::DC_CURRENT) },
    ],
    details: |service| vec![doing(service), why(service), measured(service)],
    notes: |_| Vec::new(),
    status: |service| service.get(told::WHY),
    json,
};

/// Who it is, what is being done, and for how long.
fn doing(service: &Service) -> Vec<Line> {
    let mut pieces = vec![Line::of(Style::Faint, short(&service.name))];
    if let Some(profile) = service.get(told::PROFILE) {
        pieces.push(Line::of(Style::Faint, profile));
    }
    let style = match service.get(m::ALARM_BMS_CONNECTION_LOST) {
        Some(2) => super::style(Level::Alarm),
        Some(1) => super::style(Level::Warning),
        _ => Style::Plain,
    };
    if service.get(told::DOING).is_some() {
        let seconds = service.get(told::FOR).unwrap_or(0);
        pieces.push(Line::of(style, format!("{} for {}", service.text(told::DOING), time(seconds))));
    }
    if service.get(told::INVERTER_IS_THERE) == Some(0) {
        pieces.push(Line::of(Style::Warning, "the inverter gives no sign of life"));
    }
    pieces
}

/// `40 s`, `12 min`, `3 h 05 min`.
fn time(seconds: i32) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

fn why(service: &Service) -> Vec<Line> {
    service.get(told::WHY).map(Line::plain).into_iter().collect()
}

/// What it tells of itself.
fn measured(service: &Service) -> Vec<Line> {
    let sum = |item: dbus_interfaces::Item<f64>| {
        let lines = (1..=3).filter_map(|line| service.get(item.nth(line)));
        lines.fold(None, |sum: Option<f64>, watts| Some(sum.unwrap_or(0.0) + watts))
    };
    let watts =
        |word: &str, watts: Option<f64>| watts.map(|watts| Line::plain(format!("{word} {watts:.0} W")));
    let error = service.get(m::ERROR_TEXT).filter(|text| !text.is_empty());
    [
        watts("from the input", sum(m::IN_P)),
        watts("to the loads", sum(m::OUT_P)),
        watts("into the battery", service.get(b::DC_POWER)),
        error.map(|text| Line::of(Style::Warning, text)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn json(service: &Service) -> serde_json::Value {
    json!({
        "told": {
            "state": service.get(told::DOING).map(|_| service.text(told::DOING)),
            "for_s": service.get(told::FOR),
            "why": service.get(told::WHY),
            "profile": service.get(told::PROFILE),
            "charge_voltage_v": service.get(told::MAX_CHARGE_VOLTAGE),
            "charge_current_a": service.get(told::MAX_CHARGE_CURRENT),
            "discharge_current_a": service.get(told::MAX_DISCHARGE_CURRENT),
            "soc_pct": service.get(told::SOC),
        },
        "inverter_is_there": service.get(told::INVERTER_IS_THERE).map(|there| there == 1),
        "voltage_v": service.get(b::DC_VOLTAGE),
        "current_a": service.get(b::DC_CURRENT),
        "power_w": service.get(b::DC_POWER),
        "state": service.get(m::STATE),
        "error": service.get(m::ERROR_TEXT).filter(|text| !text.is_empty()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_as_fine_as_they_matter() {
        assert_eq!(
            [time(0), time(119), time(120), time(7199), time(7500)],
            ["0 s", "119 s", "2 min", "119 min", "2 h 05 min"]
        );
    }
}
