//! DC/DC converters: what flows between the input and the battery, what they do, and who holds them.

use dbus_interfaces::classes::{battery as b, dcdc as d, device, follower as f};
use serde_json::json;

use super::{Class, Column};
use crate::bus::short;
use crate::status::service::{Level, Service};
use crate::terminal::{Line, Style};

const COLUMNS: &[Column] = &[
    Column { head: "into battery", cell: |service| service.text(b::DC_POWER) },
    Column { head: "current", cell: |service| service.text(b::DC_CURRENT) },
    Column { head: "battery", cell: |service| service.text(b::DC_VOLTAGE) },
    Column { head: "input", cell: |service| service.text(d::IN_V) },
];

pub(crate) static CLASS: Class = Class {
    class: d::CLASS,
    title: "CONVERTER",
    columns: COLUMNS,
    details: |service| vec![doing(service), held(service)],
    notes: |_| Vec::new(),
    status: |service| {
        service
            .get(device::CONNECTED)
            .filter(|connected| *connected == 0)
            .map(|_| "it does not answer".to_owned())
    },
    json,
};

pub(crate) static STEERED: Class = Class { class: d::STEERED_CLASS, title: "ALTERNATOR", ..CLASS };

/// Who it is, and what it does.
fn doing(service: &Service) -> Vec<Line> {
    let mut pieces = vec![Line::of(Style::Faint, short(&service.name))];
    let words = state(service.get(d::STATE)).map(|words| match service.get(d::APIS_MODE_TEXT) {
        Some(mode) => format!("{words} ({mode})"),
        None => words.to_owned(),
    });
    pieces.extend(words.map(Line::plain));
    if service.get(d::ERROR_CODE).is_some_and(|code| code != 0) {
        let style = super::style(Level::Alarm);
        pieces.push(Line::of(style, format!("error {}", service.text(d::ERROR_CODE))));
    }
    pieces
}

/// `/State` in words.
fn state(state: Option<i32>) -> Option<&'static str> {
    Some(match state? {
        0 => "off",
        2 => "fault",
        3 => "bulk",
        4 => "absorption",
        5 => "float",
        9 => "discharging",
        11 => "holds the input's voltage",
        _ => return None,
    })
}

/// Whose limits it keeps to, and what that comes to.
fn held(service: &Service) -> Vec<Line> {
    match service.get(d::HELD) {
        Some(why) => vec![Line::of(Style::Warning, format!("may not run: {why}"))],
        None => service.get(d::FOLLOW_REASON).map(Line::plain).into_iter().collect(),
    }
}

fn json(service: &Service) -> serde_json::Value {
    json!({
        "voltage_v": service.get(b::DC_VOLTAGE),
        "current_a": service.get(b::DC_CURRENT),
        "power_w": service.get(b::DC_POWER),
        "input_voltage_v": service.get(d::IN_V),
        "input_current_a": service.get(d::IN_I),
        "input_power_w": service.get(d::IN_P),
        "state": service.get(d::STATE),
        "mode": service.get(d::APIS_MODE),
        "error": service.get(d::ERROR_CODE),
        "follows": service.get(f::FOLLOWS),
        "held": service.get(d::HELD),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::service::tests::service;

    #[test]
    fn a_converter_that_may_not_run_says_why_and_one_that_may_whose_limits_it_has() {
        let text = |items: &[(&str, dbus_interfaces::Value)]| {
            let service = service("com.victronenergy.dcdc.dcdcrs485_dcdc0", Some(300), items);
            held(&service).iter().map(|line| format!("{line:?}")).collect::<String>()
        };
        let reason = ("/Follow/Reason", "as the bank says".into());
        assert!(text(std::slice::from_ref(&reason)).contains("as the bank says"));
        assert!(text(&[reason, ("/Follow/Held", "0 A".into())]).contains("may not run: 0 A"));
    }
}
