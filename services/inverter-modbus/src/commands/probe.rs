//! `Probe`: devices are looked for on the lines of the process, or those told that are there.

use std::sync::Arc;

use dbus_interfaces::Value;
use dbus_interfaces::bus1::arguments::{bad, number, text, value};
use dbus_interfaces::bus1::{Answer, Code, Entries};
use service_kit::serial::Parity;

use super::Ports;
use crate::discover::knowledge::Knowledge;
use crate::discover::plan::{Where, Wishes};
use crate::discover::runner::Outcome;
use crate::discover::search::Verdict;
use crate::line::address::Address;

/// Looks for devices, after those that answer anyway. With `known` nothing is looked for.
pub(super) async fn probe(ports: &Ports, wanted: &Entries) -> Result<Vec<Entries>, Answer> {
    let wishes = wishes(wanted)?;
    let port = text(wanted, "port");
    let is_meant = |address: &Address| port.is_none_or(|name| address.is_called(name));
    let mut equipment = there(ports, is_meant);
    let places: Vec<Where> = ports.places().into_iter().filter(|place| is_meant(&place.address())).collect();
    if places.is_empty() {
        return Err(Answer::failed(Code::NoSuchDevice, format!("no line {}", port.unwrap_or_default())));
    }
    if value(wanted, "known").is_some_and(|known| *known == Value::Bool(true)) {
        return Ok(equipment);
    }
    let knowledge = Arc::new(knowledge(ports, text(wanted, "product"))?);
    let mut failures = Vec::new();
    for place in &places {
        match ports.searches.try_look(&knowledge, place, &wishes).await {
            None => return Err(Answer::failed(Code::Busy, "another search is under way")),
            Some(Err(why)) => failures.push(why.to_string()),
            Some(Ok(outcome)) => equipment.extend(found(&outcome, ports)),
        }
    }
    if failures.len() == places.len() && equipment.is_empty() {
        return Err(Answer::failed(Code::PortUnavailable, failures.join("; ")));
    }
    Ok(equipment)
}

/// What is looked for. Who may send anything may also say what a device is; for everybody else, what is dangerous is
/// excluded first.
fn knowledge(ports: &Ports, product: Option<&str>) -> Result<Knowledge, Answer> {
    let Some(id) = product else { return Ok(ports.searches.knowledge()) };
    let chosen = ports.searches.chosen(id);
    let chosen = chosen.map_err(|why| Answer::failed(Code::BadArgs, format!("product: {why}")))?;
    Ok(if ports.may_send { chosen } else { ports.searches.knowledge().about(id) })
}

fn wishes(wanted: &Entries) -> Result<Wishes, Answer> {
    let within = |key: &'static str, low: i64, high: i64, allowed: &str| match value(wanted, key) {
        None => Ok(None),
        Some(_) => match number(wanted, key).filter(|number| (low..=high).contains(number)) {
            Some(number) => Ok(Some(number)),
            None => Err(bad(key, allowed)),
        },
    };
    let parity = match value(wanted, "parity").map(Value::as_str) {
        None => None,
        Some(Some("none")) => Some(Parity::None),
        Some(Some("even")) => Some(Parity::Even),
        Some(Some("odd")) => Some(Parity::Odd),
        Some(_) => return Err(bad("parity", "none, even or odd")),
    };
    let baud = within("baud", 300, 1_000_000, "300 to 1000000")?;
    let unit = within("unit", 1, 247, "1 to 247")?;
    let stop = within("stop", 1, 2, "1 or 2")?;
    Ok(Wishes {
        bauds: baud.and_then(|baud| u32::try_from(baud).ok()).into_iter().collect(),
        parity,
        stop_bits: stop.and_then(|stop| u8::try_from(stop).ok()),
        units: unit.and_then(|unit| u8::try_from(unit).ok()).into_iter().collect(),
    })
}

/// The devices of this process that answer: they are asked all the time.
fn there(ports: &Ports, is_meant: impl Fn(&Address) -> bool) -> Vec<Entries> {
    let lines = ports.lines.all().into_iter().filter(|(address, _)| is_meant(address));
    let there = lines.flat_map(|(address, line)| {
        let there = line.inhabitants().into_iter().filter(|(_, resident)| resident.is_there);
        there.map(move |(unit, resident)| entry(&address, unit, resident.product))
    });
    there.collect()
}

fn found(outcome: &Outcome, ports: &Ports) -> Vec<Entries> {
    let known = ports.searches.knowledge();
    let title =
        |id: &String| known.profiles().find(|profile| profile.id == *id).map(|profile| profile.title());
    let certain = outcome.found.iter().filter_map(|(address, finding)| {
        let (product, profiles) = match &finding.verdict {
            Verdict::Is(id) => (title(id).unwrap_or_else(|| id.clone()), vec![id.clone()]),
            Verdict::Either(ids) => (ids.join(" or "), ids.clone()),
            Verdict::Like(_) | Verdict::Unknown => return None,
        };
        let mut entry = entry(address, finding.unit, product);
        entry.push(("profiles".to_owned(), Value::Texts(profiles)));
        entry.extend(address.baud().map(|baud| ("baud".to_owned(), Value::from(i64::from(baud)))));
        let identity = &finding.identity;
        for (key, said) in
            [("serial", &identity.serial), ("model", &identity.model), ("firmware", &identity.firmware)]
        {
            entry.extend(said.clone().map(|said| (key.to_owned(), Value::Text(said))));
        }
        Some(entry)
    });
    certain.collect()
}

fn entry(address: &Address, unit: u8, product: String) -> Entries {
    vec![
        ("port".to_owned(), Value::Text(address.place())),
        ("product".to_owned(), Value::Text(product)),
        ("kind".to_owned(), Value::from("modbus")),
        ("unit".to_owned(), Value::Int(i32::from(unit))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(all: &[(&str, Value)]) -> Entries {
        all.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect()
    }

    #[test]
    fn what_is_known_of_a_device_is_taken_or_refused_with_what_would_be() {
        let all = [
            ("unit", Value::Int(9)),
            ("baud", Value::Int(19_200)),
            ("parity", Value::from("odd")),
            ("stop", Value::Int(2)),
        ];
        let taken = wishes(&arguments(&all)).unwrap();
        let wanted =
            Wishes { bauds: vec![19_200], parity: Some(Parity::Odd), stop_bits: Some(2), units: vec![9] };
        assert_eq!(taken, wanted);
        assert_eq!(wishes(&Entries::new()).unwrap(), Wishes::default());
        for wrong in [
            ("unit", Value::Int(0)),
            ("unit", Value::from("x")),
            ("baud", Value::Int(1)),
            ("stop", Value::Int(3)),
            ("parity", Value::Int(0)),
        ] {
            let refused = wishes(&arguments(std::slice::from_ref(&wrong))).unwrap_err();
            assert_eq!(refused.code, Code::BadArgs, "{wrong:?}");
        }
    }
}
