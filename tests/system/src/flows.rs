//! What Victron's systemcalc adds up of inverters, solar inverters and meters, as a model of `_updatevalues` in
//! victronenergy/dbus-systemcalc-py 2.256 with its `delegates/pvinverter.py`, `delegates/acinput.py` and
//! `delegates/invertercharger.py`; and which of them its `delegates/dvcc.py` writes to. Systems without VE.Bus only.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::systemcalc::Items;

/// Services by name, each with all its items.
pub type Services = BTreeMap<String, Items>;

/// The kinds of AC inputs, as in `/Settings/SystemSetup/AcInput1`.
const GRID: i64 = 1;
const GENERATOR: i64 = 2;
const SHORE: i64 = 3;

/// A power for each line, W.
pub type Lines = [Option<f64>; 3];

/// What systemcalc shows, W.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Flows {
    /// `/Ac/Grid/L<n>/Power`
    pub grid: Lines,
    /// `/Ac/Genset/L<n>/Power`
    pub generator: Lines,
    /// `/Ac/PvOnGrid/L<n>/Power`
    pub pv_on_grid: Lines,
    /// `/Ac/PvOnOutput/L<n>/Power`
    pub pv_on_output: Lines,
    /// `/Ac/PvOnGenset/L<n>/Power`
    pub pv_on_generator: Lines,
    /// `/Ac/ConsumptionOnInput/L<n>/Power`
    pub consumption_on_input: Lines,
    /// `/Ac/Consumption/L<n>/Power`
    pub consumption: Lines,
    /// `/Dc/Pv/Power`
    pub pv_dc: Option<f64>,
    /// `/Dc/InverterCharger/Power`
    pub inverter_charger: Option<f64>,
    /// `/Ac/In/<n>/ServiceName` and `.../Source`, for each input that is used.
    pub inputs: Vec<(String, i64)>,
}

/// The sum of all lines; nothing where none has a value.
#[must_use]
pub fn total(lines: Lines) -> Option<f64> {
    lines.into_iter().fold(None, add)
}

/// Its `safeadd`: what has no value counts for nothing.
fn add(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one + other),
        (one, other) => one.or(other),
    }
}

fn number(items: &Items, path: &str) -> Option<f64> {
    items.get(path)?.as_f64()
}

fn integer(items: &Items, path: &str) -> Option<i64> {
    number(items, path).map(|number| number as i64)
}

/// The services of a class, the lowest instance first.
fn of_class<'s>(services: &'s Services, class: &str) -> Vec<(&'s str, &'s Items)> {
    let prefix = format!("com.victronenergy.{class}.");
    let mut of: Vec<(&str, &Items)> =
        services.iter().filter(|(name, _)| name.starts_with(&prefix)).map(|(n, i)| (n.as_str(), i)).collect();
    of.sort_by_key(|(name, items)| (integer(items, "/DeviceInstance"), *name));
    of
}

/// What systemcalc makes of these, with AC inputs 1 and 2 set to these kinds.
#[must_use]
pub fn flows(services: &Services, ac_inputs: [i64; 2]) -> Flows {
    let mut flows = Flows::default();
    solar_inverters(services, ac_inputs, &mut flows);
    let inverters: Vec<(&str, &Items)> =
        [of_class(services, "multi"), of_class(services, "inverter")].concat();
    for (_, items) in &inverters {
        flows.pv_dc = add(flows.pv_dc, number(items, "/Yield/Power"));
        flows.inverter_charger = add(flows.inverter_charger, number(items, "/Dc/0/Power"));
    }
    // The first says which input is the active one; all are read there.
    let active = inverters.first().and_then(|(_, items)| {
        let input = integer(items, "/Ac/ActiveIn/ActiveInput").filter(|input| (0..=1).contains(input))?;
        Some((input, integer(items, &format!("/Ac/In/{}/Type", input + 1))?))
    });
    let mut on_input: Lines = [None; 3];
    for (kind, class) in [([GRID, SHORE], "grid"), ([GENERATOR; 2], "genset")] {
        let meters = of_class(services, class);
        let meter = meters.first().map(|(_, items)| *items);
        let input = active.filter(|(_, source)| kind.contains(source)).map(|(input, _)| input);
        let (pv, target) = match class {
            "grid" => (flows.pv_on_grid, &mut flows.grid),
            _ => (flows.pv_on_generator, &mut flows.generator),
        };
        for (n, consumption) in on_input.iter_mut().enumerate() {
            let line = n + 1;
            let at_input = |items: &Items| number(items, &format!("/Ac/In/{}/L{line}/P", input? + 1));
            let taken = inverters.iter().map(|(_, items)| at_input(items)).fold(None, add);
            let pv = pv.get(n).copied().flatten();
            let power = match meter {
                Some(meter) => {
                    let metered = number(meter, &format!("/Ac/L{line}/Power"));
                    let rest = add(add(taken.map(|watts| -watts), metered), pv);
                    *consumption = add(*consumption, rest.map(|rest| rest.max(0.0)));
                    metered
                }
                None => {
                    if taken.is_some() {
                        *consumption = add(Some(0.0), *consumption);
                    }
                    match (taken, pv) {
                        (Some(taken), Some(pv)) => Some(taken - pv),
                        (taken, _) => taken,
                    }
                }
            };
            if let Some(target) = target.get_mut(n) {
                *target = power;
            }
        }
    }
    flows.consumption_on_input = on_input;
    for (n, consumption) in flows.consumption.iter_mut().enumerate() {
        let line = n + 1;
        let out = |items: &Items| {
            let of = |what: &str| number(items, &format!("/Ac/Out/L{line}/{what}"));
            of("P").or_else(|| of("S")).or_else(|| Some(of("U")? * of("I")?))
        };
        let pv = flows.pv_on_output.get(n).copied().flatten();
        let on_output = inverters.iter().map(|(_, items)| out(items)).fold(pv, add);
        let input = on_input.get(n).copied().flatten();
        *consumption = add(input, on_output.map(|watts| watts.max(0.0)));
    }
    flows.inputs = inputs(services);
    flows
}

fn solar_inverters(services: &Services, ac_inputs: [i64; 2], flows: &mut Flows) {
    let [first, second] = ac_inputs;
    for (_, items) in of_class(services, "pvinverter") {
        let at = match integer(items, "/Position") {
            Some(1) => &mut flows.pv_on_output,
            Some(0 | 2) => match if integer(items, "/Position") == Some(0) { first } else { second } {
                GRID | SHORE => &mut flows.pv_on_grid,
                GENERATOR => &mut flows.pv_on_generator,
                _ => continue,
            },
            _ => continue,
        };
        for (n, power) in at.iter_mut().enumerate() {
            *power = add(*power, number(items, &format!("/Ac/L{}/Power", n + 1)));
        }
    }
}

/// `delegates/acinput.py`: the inputs of the system, by the meter at each or else the system itself.
fn inputs(services: &Services) -> Vec<(String, i64)> {
    let systems = of_class(services, "acsystem");
    let Some((system, items)) = systems.first() else { return Vec::new() };
    let count = integer(items, "/Ac/NumberOfAcInputs").unwrap_or(0);
    let kinds = (1..=count).filter_map(|n| integer(items, &format!("/Ac/In/{n}/Type")));
    let used = kinds.filter(|kind| (GRID..=SHORE).contains(kind)).map(|kind| {
        let meters = of_class(services, if kind == GENERATOR { "genset" } else { "grid" });
        (meters.first().map_or(*system, |(meter, _)| *meter).to_owned(), kind)
    });
    used.collect()
}

/// What DVCC writes to services without VE.Bus for limits of a BMS, A: service, path and value. One charger alone gets the
/// limit in whole amperes; of several each gets its share of what all can give.
#[must_use]
pub fn dvcc_writes(services: &Services, charge_a: f64, discharge_a: f64) -> Vec<(String, String, f64)> {
    let all = [of_class(services, "multi"), of_class(services, "inverter")].concat();
    let is_invited = |items: &Items| integer(items, "/IsInverterCharger") == Some(1);
    let invited: Vec<_> = all.into_iter().filter(|(_, items)| is_invited(items)).collect();
    let capacity = |items: &Items| number(items, "/Settings/ChargeCurrentLimit").filter(|amps| *amps > 0.0);
    let sum: f64 = invited.iter().filter_map(|(_, items)| capacity(items)).sum();
    let mut writes = Vec::new();
    for (name, items) in &invited {
        let is_ours = matches!(integer(items, "/N2kDeviceInstance"), Some(0) | None);
        if let Some(own) = capacity(items).filter(|_| is_ours && items.contains_key("/Link/ChargeCurrent")) {
            let share = if invited.len() == 1 { charge_a.ceil() } else { charge_a * own / sum };
            writes.push(((*name).to_owned(), "/Link/ChargeCurrent".to_owned(), share.min(own)));
        }
        writes.push(((*name).to_owned(), "/Link/DischargeCurrent".to_owned(), discharge_a));
    }
    let overflow = of_class(services, "acsystem").into_iter().filter(|(_, items)| {
        integer(items, "/DeviceInstance") == Some(0)
            && integer(items, "/Ac/NoFeedInReason") == Some(0)
            && items.get("/Ess/BatteryDischargeCapacity").is_some_and(|value| *value != Value::Null)
    });
    writes
        .extend(overflow.map(|(name, _)| (name.to_owned(), "/Ess/BatteryDischargeSetpoint".to_owned(), 0.0)));
    writes
}
