//! Inverters: what each is told in place of its battery, what it does, since when and why.

use dbus_interfaces::classes::{battery as b, multi as m, told};
use serde_json::json;

use super::{Class, Column, polled};
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
    details: |service| vec![doing(service), why(service), measured(service), polled::line(service)],
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
        does(service).map(Line::plain),
        watts("from the input", sum(m::IN_P)),
        watts("to the loads", sum(m::OUT_P)),
        watts("into the battery", service.get(b::DC_POWER)),
        error.map(|text| Line::of(Style::Warning, text)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What it does, in words.
fn does(service: &Service) -> Option<&'static str> {
    Some(match service.get(m::STATE)? {
        0 => "off",
        2 => "failed",
        3 => "charging",
        8 => "passing through",
        9 => "feeding the house alone",
        10 => "discharging",
        _ => return None,
    })
}

/// What it was told, since when and why, and what it does, in a sentence; none for one that is told nothing by us.
pub(crate) fn sentence(service: &Service) -> Option<String> {
    service.get(told::DOING)?;
    let name = service.custom_name().unwrap_or_else(|| short(&service.name).to_owned());
    let since = time(service.get(told::FOR).unwrap_or(0));
    let mut text = match service.get(told::MAX_CHARGE_VOLTAGE) {
        Some(_) => format!(
            "inverter {name}: told {} and charge at most {}, discharge at most {}, {} for {since}",
            service.text(told::MAX_CHARGE_VOLTAGE),
            service.text(told::MAX_CHARGE_CURRENT),
            service.text(told::MAX_DISCHARGE_CURRENT),
            service.text(told::DOING),
        ),
        None => format!("inverter {name}: {} for {since}", service.text(told::DOING)),
    };
    if let Some(why) = service.get(told::WHY) {
        text += &format!(" ({why})");
    }
    let takes = service.get(b::DC_CURRENT).map(|_| format!("takes {}", service.text(b::DC_CURRENT)));
    let is_mute = service.get(told::INVERTER_IS_THERE) == Some(0);
    let mute = is_mute.then(|| "gives no sign of life".to_owned());
    let error = service.get(m::ERROR_TEXT).filter(|error| !error.is_empty());
    let acts: Vec<String> =
        [mute, does(service).map(str::to_owned), takes, error].into_iter().flatten().collect();
    if !acts.is_empty() {
        text += &format!("; {}", acts.join(", "));
    }
    Some(text)
}

/// `values` of the JSON document.
pub(crate) fn json(service: &Service) -> serde_json::Value {
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
        "polled": polled::json(service),
    })
}

#[cfg(test)]
mod tests {
    use dbus_interfaces::Value;

    use super::*;
    use crate::status::service::tests::service;

    /// A Sunny Island that is told its limits, with these items besides.
    fn island(items: &[(&str, Value)]) -> Service {
        let mut all = vec![
            ("/Told/State", Value::from(4)),
            ("/Told/For", 7505.into()),
            ("/Told/Why", "as com.victronenergy.battery.busbar says".into()),
            ("/Told/MaxChargeVoltage", Value::Real(54.4)),
            ("/Told/MaxChargeCurrent", Value::Real(80.0)),
            ("/Told/MaxDischargeCurrent", Value::Real(90.0)),
            ("/Told/InverterIsThere", 1.into()),
        ];
        all.extend_from_slice(items);
        service("com.victronenergy.multi.bmscan_can1", Some(10), &all)
    }

    #[test]
    fn an_inverter_is_explained_by_what_it_was_told_since_when_why_and_what_it_does() {
        let told = "inverter multi.bmscan_can1: told 54.40V and charge at most 80.0A, discharge at most 90.0A, telling \
                    for 2 h 05 min (as com.victronenergy.battery.busbar says)";
        assert_eq!(sentence(&island(&[])).as_deref(), Some(told));
        let charging = island(&[("/State", 3.into()), ("/Dc/0/Current", Value::Real(17.0))]);
        assert_eq!(sentence(&charging), Some(format!("{told}; charging, takes 17.0A")));
        let failed = island(&[
            ("/State", 2.into()),
            ("/Error/0/Id", "F931: the battery's alarm, fault of the BMS".into()),
            ("/CustomName", "Cellar".into()),
        ]);
        let text = sentence(&failed).unwrap_or_default();
        assert!(text.starts_with("inverter Cellar: told"), "{text}");
        assert!(text.ends_with("; failed, F931: the battery's alarm, fault of the BMS"), "{text}");
        let foreign = service("com.victronenergy.multi.rs", None, &[("/State", 3.into())]);
        assert_eq!(sentence(&foreign), None, "nobody tells it anything");
    }

    #[test]
    fn an_inverter_that_is_told_nothing_says_so_with_the_reason() {
        let silent = service(
            "com.victronenergy.multi.bmscan_can1",
            None,
            &[
                ("/Told/State", 6.into()),
                ("/Told/For", 40.into()),
                ("/Told/Why", "the manager is gone".into()),
                ("/Told/InverterIsThere", 0.into()),
            ],
        );
        assert_eq!(
            sentence(&silent).as_deref(),
            Some(
                "inverter multi.bmscan_can1: silent: the data are lost for 40 s (the manager is gone); gives no sign of life"
            )
        );
    }

    #[test]
    fn times_are_as_fine_as_they_matter() {
        assert_eq!(
            [time(0), time(119), time(120), time(7199), time(7500)],
            ["0 s", "119 s", "2 min", "119 min", "2 h 05 min"]
        );
    }
}
