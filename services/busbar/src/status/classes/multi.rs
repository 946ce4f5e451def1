//! Inverters: what flows through each, what it is told in place of its battery or follows, since when and why.

use dbus_interfaces::classes::{battery as b, follower, multi as m, told};
use serde_json::json;

use super::inverter::{self, does};
use super::{Class, polled};
use crate::bus::short;
use crate::status::service::{Level, Service};
use crate::terminal::{Line, Style};

pub(crate) static CLASS: Class = Class {
    class: m::CLASS,
    title: "INVERTER",
    columns: inverter::COLUMNS,
    details: |service| {
        let details = [
            inverter::who(service),
            doing(service),
            limits(service),
            why(service),
            inverter::set(service),
            polled::line(service),
        ];
        details.into()
    },
    notes: |_| Vec::new(),
    status: |service| service.get(told::WHY),
    json,
};

/// What is being done in place of its battery, and for how long; nothing of one that has its own line to the battery.
fn doing(service: &Service) -> Vec<Line> {
    let mut pieces = Vec::new();
    if let Some(profile) = service.get(told::PROFILE) {
        pieces.push(Line::of(Style::Faint, profile));
    }
    if service.get(told::DOING).is_some() {
        let seconds = service.get(told::FOR).unwrap_or(0);
        let words = format!("{} for {}", service.text(told::DOING), time(seconds));
        pieces.push(Line::of(connection(service), words));
    }
    if service.get(told::INVERTER_IS_THERE) == Some(0) {
        pieces.push(Line::of(Style::Warning, "the inverter gives no sign of life"));
    }
    pieces
}

/// The style of what is told while the battery is heard, or is not.
fn connection(service: &Service) -> Style {
    match service.get(m::ALARM_BMS_CONNECTION_LOST) {
        Some(2) => super::style(Level::Alarm),
        Some(1) => super::style(Level::Warning),
        _ => Style::Plain,
    }
}

/// `40 s`, `12 min`, `3 h 05 min`.
fn time(seconds: i32) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// Whose limits it has; none of an inverter that nobody limits.
fn source(service: &Service) -> Option<String> {
    let followed = || service.get(follower::FOLLOWS).map(|name| format!("follows {}", short(&name)));
    let dvcc = || service.get(m::IS_INVERTER_CHARGER).filter(|is| *is == 1).map(|_| "under DVCC".to_owned());
    let told = || service.get(told::DOING).map(|_| "told".to_owned());
    told().or_else(followed).or_else(dvcc)
}

/// The limits that it is given, as far as they are known.
fn limits(service: &Service) -> Vec<Line> {
    let Some(source) = source(service) else {
        // A foreign one has nothing to tell of us.
        let says = service.is_ours().then(|| Line::of(Style::Faint, "limits itself: it follows nobody"));
        return says.into_iter().collect();
    };
    let current = |word: &str, item| {
        let amps: f64 = service.get(item)?;
        let style = if amps == 0.0 { Style::Warning } else { Style::Plain };
        Some(Line::of(style, format!("{word} {}", service.text(item))))
    };
    let volts = service
        .get(told::MAX_CHARGE_VOLTAGE)
        .map(|_| format!("up to {}", service.text(told::MAX_CHARGE_VOLTAGE)));
    let soc = service.get(told::SOC).map(|_| format!("SoC {}", service.text(told::SOC)));
    let pieces = [
        Some(Line::of(connection(service), source)),
        volts.map(Line::plain),
        current("charge", told::MAX_CHARGE_CURRENT),
        current("discharge", told::MAX_DISCHARGE_CURRENT),
        soc.map(Line::plain),
    ];
    pieces.into_iter().flatten().collect()
}

fn why(service: &Service) -> Vec<Line> {
    service.get(told::WHY).map(Line::plain).into_iter().collect()
}

/// What it is given, by whom, since when and why, and what it does, in a sentence; none for one that is not ours.
pub(crate) fn sentence(service: &Service) -> Option<String> {
    let name = service.custom_name().unwrap_or_else(|| short(&service.name).to_owned());
    let limits = [
        ("", told::MAX_CHARGE_VOLTAGE),
        ("charge at most ", told::MAX_CHARGE_CURRENT),
        ("discharge at most ", told::MAX_DISCHARGE_CURRENT),
    ];
    let given = limits
        .iter()
        .filter_map(|(word, item)| service.get(*item).map(|_| format!("{word}{}", service.text(*item))));
    let given: Vec<String> = given.collect();
    let given = match given.as_slice() {
        [volts, charge, rest @ ..] if service.get(told::MAX_CHARGE_VOLTAGE).is_some() => {
            [&[format!("{volts} and {charge}")], rest].concat().join(", ")
        }
        all => all.join(", "),
    };
    let mut text = match (source(service), service.get(told::DOING)) {
        (_, Some(_)) => {
            let doing =
                format!("{} for {}", service.text(told::DOING), time(service.get(told::FOR).unwrap_or(0)));
            let given = if given.is_empty() { given } else { format!("told {given}, ") };
            format!("inverter {name}: {given}{doing}")
        }
        (Some(source), None) if given.is_empty() => format!("inverter {name}: {source}"),
        (Some(source), None) => format!("inverter {name}: {source}: {given}"),
        (None, None) if service.is_ours() => format!("inverter {name}: limits itself, it follows nobody"),
        (None, None) => return None,
    };
    if let Some(why) = service.get(told::WHY) {
        text += &format!(" ({why})");
    }
    let takes = service.get(b::DC_CURRENT).map(|amps| {
        let word = if amps < 0.0 { "gives" } else { "takes" };
        format!("{word} {}", service.text(b::DC_CURRENT).trim_start_matches('-'))
    });
    let is_mute = service.get(told::INVERTER_IS_THERE) == Some(0) || service.is_connected() == Some(false);
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
    let mut values = inverter::json(service);
    if let Some(values) = values.as_object_mut() {
        let told = json!({
            "state": service.get(told::DOING).map(|_| service.text(told::DOING)),
            "for_s": service.get(told::FOR),
            "why": service.get(told::WHY),
            "profile": service.get(told::PROFILE),
            "charge_voltage_v": service.get(told::MAX_CHARGE_VOLTAGE),
            "charge_current_a": service.get(told::MAX_CHARGE_CURRENT),
            "discharge_current_a": service.get(told::MAX_DISCHARGE_CURRENT),
            "soc_pct": service.get(told::SOC),
        });
        values.insert("told".to_owned(), told);
        values.insert("follows".to_owned(), service.get(follower::FOLLOWS).into());
        let is_there = service.get(told::INVERTER_IS_THERE).map(|there| there == 1);
        values.insert("inverter_is_there".to_owned(), is_there.into());
    }
    values
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
        let discharging = island(&[("/State", 9.into()), ("/Dc/0/Current", Value::Real(-15.0))]);
        let text = sentence(&discharging).unwrap_or_default();
        assert!(text.ends_with(", gives 15.0A"), "{text}");
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
    fn an_inverter_on_modbus_is_explained_by_whom_it_follows_or_that_it_follows_nobody() {
        let unit = |items: &[(&str, Value)]| {
            let mut all =
                vec![("/Mgmt/ProcessName", Value::from("inverter-modbus")), ("/Connected", 1.into())];
            all.extend_from_slice(items);
            service("com.victronenergy.multi.modbus_ttyUSB0_1", Some(20), &all)
        };
        let free = unit(&[("/State", 8.into())]);
        let said = "inverter multi.modbus_ttyUSB0_1: limits itself, it follows nobody; passing through";
        assert_eq!(sentence(&free).as_deref(), Some(said));
        let follower = unit(&[
            ("/Follow/Service", "com.victronenergy.battery.busbar".into()),
            ("/Told/MaxChargeCurrent", Value::Real(40.0)),
            ("/Told/MaxDischargeCurrent", Value::Real(0.0)),
            ("/Told/Why", "its row of the decision".into()),
        ]);
        let said = "inverter multi.modbus_ttyUSB0_1: follows battery.busbar: charge at most 40.0A, discharge at most 0.0A (its \
                    row of the decision)";
        assert_eq!(sentence(&follower).as_deref(), Some(said));
        let lines: Vec<String> = limits(&follower).iter().map(ToString::to_string).collect();
        assert_eq!(lines, ["follows battery.busbar", "charge 40.0A", "discharge 0.0A"]);
        assert!(format!("{:?}", limits(&follower)).contains("(Warning, \"discharge 0.0A\")"));
    }

    #[test]
    fn times_are_as_fine_as_they_matter() {
        assert_eq!(
            [time(0), time(119), time(120), time(7199), time(7500)],
            ["0 s", "119 s", "2 min", "119 min", "2 h 05 min"]
        );
    }
}
