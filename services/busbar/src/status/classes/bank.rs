//! A bank of batteries: what the manager decides, for whom, and why. The other batteries come after it.

use dbus_interfaces::classes::{bank, battery as b};
use serde_json::{Value, json};

use super::super::service::Service;
use crate::bus::short;
use crate::terminal::{Line, Style};

/// Whether this is the bank.
pub(super) fn is_bank(service: &Service) -> bool {
    service.name == bank::NAME
}

/// What stands under its row.
pub(super) fn details(service: &Service) -> Vec<Vec<Line>> {
    let words = |item| service.get(item).unwrap_or_default();
    let amps = |word: &str, item| {
        let style = if service.get(item) == Some(0.0) { Style::Warning } else { Style::Plain };
        Line::of(style, format!("{word} {}", service.text(item)))
    };
    let mut lines = vec![
        vec![Line::of(Style::Faint, short(&service.name)), Line::plain(words(b::BMS_STATUS))],
        vec![
            Line::plain(format!("limits {}", service.text(bank::BANK_MAX_CHARGE_VOLTAGE))),
            Line::plain(words(bank::BANK_VOLTAGE_LIMITATION)),
        ],
        vec![amps("charge", bank::BANK_MAX_CHARGE_CURRENT), Line::plain(words(b::CHARGE_LIMITATION))],
        vec![
            amps("discharge", bank::BANK_MAX_DISCHARGE_CURRENT),
            Line::plain(words(b::DISCHARGE_LIMITATION)),
        ],
    ];
    let members = service.get(bank::MEMBERS).unwrap_or_default();
    let mut pieces = vec![Line::plain(format!("members ({})", members.len()))];
    pieces.extend(members.iter().map(|member| Line::plain(short(member))));
    lines.push(pieces);
    for row in 0..=u16::MAX {
        let Some(follower) = service.get(bank::SHARE_SERVICE.nth(row)) else { break };
        let share = |item: dbus_interfaces::Item<f64>| service.text(item.nth(row));
        lines.push(vec![
            Line::plain(format!("share of {}", short(&follower))),
            Line::plain(format!("charge {}", share(bank::SHARE_MAX_CHARGE_CURRENT))),
            Line::plain(format!("discharge {}", share(bank::SHARE_MAX_DISCHARGE_CURRENT))),
            Line::plain(format!("takes {}", share(bank::SHARE_TAKEN))),
        ]);
    }
    lines
}

/// What should be looked after.
pub(super) fn notes(service: &Service) -> Vec<String> {
    service.get(bank::BANK_NOTES).unwrap_or_default()
}

/// What `values` has beside that of any battery.
pub(super) fn json(service: &Service) -> Value {
    json!({
        "bank_limits": {
            "charge_voltage_v": service.get(bank::BANK_MAX_CHARGE_VOLTAGE),
            "charge_current_a": service.get(bank::BANK_MAX_CHARGE_CURRENT),
            "discharge_current_a": service.get(bank::BANK_MAX_DISCHARGE_CURRENT),
        },
        "state": service.get(bank::BANK_STATE),
        "members": service.get(bank::MEMBERS).unwrap_or_default(),
        "notes": service.get(bank::BANK_NOTES).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::service::tests::service;

    #[test]
    fn the_bank_says_its_limits_why_and_for_whom() {
        let bank = service(
            bank::NAME,
            Some(0),
            &[
                ("/Bms/Status", "3 batteries, bulk".into()),
                ("/Bank/MaxChargeVoltage", dbus_interfaces::Value::Real(56.0)),
                ("/Bank/MaxChargeCurrent", dbus_interfaces::Value::Real(0.0)),
                ("/Bank/VoltageLimitation", "absorption voltage".into()),
                ("/Info/ChargeLimitation", "temperature".into()),
                ("/Share/0/Service", "com.victronenergy.multi.x".into()),
                ("/Share/0/Taken", dbus_interfaces::Value::Real(12.0)),
                (
                    "/Members",
                    dbus_interfaces::Value::Texts(vec!["com.victronenergy.battery.bmscan_can0".to_owned()]),
                ),
            ],
        );
        let lines: Vec<String> = details(&bank)
            .iter()
            .map(|pieces| pieces.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | "))
            .collect();
        assert_eq!(
            lines,
            [
                "battery.busbar | 3 batteries, bulk",
                "limits 56.00V | absorption voltage",
                "charge 0.0A | temperature",
                "discharge --- | ",
                "members (1) | battery.bmscan_can0",
                "share of multi.x | charge --- | discharge --- | takes 12.0A",
            ]
        );
    }
}
