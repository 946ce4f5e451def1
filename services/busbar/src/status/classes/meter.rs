//! Meters at the connection of the house, and solar inverters: what flows in each line.

use dbus_interfaces::classes::{ac, control as c, grid, pvinverter as pv};
use dbus_interfaces::{Value, text};
use serde_json::json;

use super::{Class, Column, inverter, polled};
use crate::status::service::Service;
use crate::terminal::Line;

pub(crate) static GRID: Class = Class {
    class: grid::CLASS,
    title: "GRID METER",
    columns: &[
        POWER,
        L1,
        L2,
        L3,
        Column { head: "bought", cell: |service| service.text(ac::FORWARD) },
        Column { head: "sold", cell: |service| service.text(ac::REVERSE) },
    ],
    details: |service| vec![inverter::who(service), polled::line(service)],
    notes: |_| Vec::new(),
    status: |_| None,
    json,
};

pub(crate) static SOLAR: Class = Class {
    class: pv::CLASS,
    title: "SOLAR INVERTER",
    columns: &[
        POWER,
        Column { head: "does", cell: |service| does(service).unwrap_or("---").to_owned() },
        L1,
        L2,
        L3,
        Column { head: "made", cell: |service| service.text(ac::FORWARD) },
    ],
    details: |service| {
        vec![inverter::who(service), limit(service), inverter::set(service), polled::line(service)]
    },
    notes: |_| Vec::new(),
    status: |service| does(service).map(str::to_owned),
    json,
};

const POWER: Column = Column {
    head: "power",
    cell: |service| text::WATTS.of(inverter::metered(service).and_then(Value::real).as_ref()),
};
const L1: Column = Column { head: "L1", cell: |service| service.text(ac::POWER.nth(1)) };
const L2: Column = Column { head: "L2", cell: |service| service.text(ac::POWER.nth(2)) };
const L3: Column = Column { head: "L3", cell: |service| service.text(ac::POWER.nth(3)) };

/// `/StatusCode` in words.
fn does(service: &Service) -> Option<&'static str> {
    Some(match service.get(pv::STATUS_CODE)? {
        0..=6 => "starting",
        7 => "running",
        8 => "standby",
        10 => "failed",
        _ => return None,
    })
}

/// Where it feeds in, and how much it may.
fn limit(service: &Service) -> Vec<Line> {
    let at = service.get(pv::POSITION).map(|_| format!("at {}", service.text(pv::POSITION)));
    let most = service.get(pv::POWER_LIMIT).map(|_| format!("limited to {}", service.text(pv::POWER_LIMIT)));
    at.into_iter().chain(most).map(Line::plain).collect()
}

fn json(service: &Service) -> serde_json::Value {
    let lines: Vec<Option<f64>> = (1..=3).map(|line| service.get(ac::POWER.nth(line))).collect();
    json!({
        "power_w": inverter::metered(service),
        "lines_w": lines,
        "forward_kwh": service.get(ac::FORWARD),
        "reverse_kwh": service.get(ac::REVERSE),
        "does": does(service),
        "power_limit_w": service.get(pv::POWER_LIMIT),
        "set_last": service.get(c::RESULT).filter(|text| !text.is_empty()),
        "polled": polled::json(service),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::service::tests::service;

    #[test]
    fn a_solar_inverter_says_what_it_makes_and_how_much_it_may() {
        let inverter = service(
            "com.victronenergy.pvinverter.modbus_tcp_1",
            Some(20),
            &[
                ("/Ac/L1/Power", Value::Real(1200.0)),
                ("/Ac/L2/Power", Value::Real(800.0)),
                ("/StatusCode", 7.into()),
                ("/Position", 1.into()),
                ("/Ac/PowerLimit", Value::Real(3000.0)),
            ],
        );
        let cells: Vec<String> = SOLAR.columns.iter().map(|column| (column.cell)(&inverter)).collect();
        assert_eq!(cells, ["2000W", "running", "1200W", "800W", "---", "---"]);
        let said: Vec<String> = limit(&inverter).iter().map(ToString::to_string).collect();
        assert_eq!(said, ["at AC output", "limited to 3000W"]);
        assert_eq!(json(&inverter)["power_w"], 2000.0);
    }
}
