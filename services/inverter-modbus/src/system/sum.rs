//! Several inverters as one. A sum has a value when every inverter that belongs in it has one: half of the house is no
//! figure for the house.

use super::part::{Line, MODE, POWER, Part, SetPoint, Side};

/// Less than this into or out of the battery is rest, W.
const AT_REST_W: f64 = 30.0;
/// `/State`
const OFF: i32 = 0;
const FAULT: i32 = 2;
const CHARGING: i32 = 3;
const PASSING: i32 = 8;
const INVERTING: i32 = 9;
const ASSISTING: i32 = 10;

/// Set points that are amounts: those of a system are shared out. All others are the same for every inverter.
const AMOUNTS: [&str; 9] = [
    "charge_current_limit",
    "discharge_current_limit",
    "charge_power_limit",
    "discharge_power_limit",
    "grid_charge_current",
    "export_limit",
    "power_setpoint",
    "battery_power_setpoint",
    POWER,
];
/// Those others.
const ALIKE: [&str; 9] = [
    "charge_voltage_limit",
    "float_voltage",
    "grid_charge_enable",
    "gen_charge_enable",
    "min_soc",
    "max_soc",
    "export_enable",
    "force_charge",
    "on_off",
];

/// Everything that these inverters are together.
pub(crate) fn sum(parts: &[Part]) -> Part {
    if let [one] = parts {
        return one.clone();
    }
    let of = |what: fn(&Part) -> Option<f64>| parts.iter().map(what).collect::<Vec<_>>();
    let generators: Vec<Side> = parts.iter().filter_map(|part| part.generator).collect();
    let battery_power = total(&of(|part| part.battery_power));
    Part {
        is_there: parts.iter().all(|part| part.is_there),
        input: side(&parts.iter().map(|part| part.input).collect::<Vec<_>>()),
        output: side(&parts.iter().map(|part| part.output).collect::<Vec<_>>()),
        generator: (!generators.is_empty()).then(|| side(&generators)),
        input_type: parts.first().map_or(0, |part| part.input_type),
        // The lowest: one inverter at the grid is enough for a flow from there.
        active_input: parts.iter().filter_map(|part| part.active_input).min(),
        rated: total(&of(|part| part.rated)),
        battery_voltage: mean(&of(|part| part.battery_voltage)),
        battery_current: total(&of(|part| part.battery_current)),
        battery_power,
        is_soc_source: parts.iter().any(|part| part.is_soc_source),
        soc: mean(&of(|part| part.soc)),
        state: state(parts, battery_power),
        is_on: parts.iter().filter_map(|part| part.is_on).reduce(|one, other| one || other),
        alarms: std::array::from_fn(|n| parts.iter().filter_map(|part| *part.alarms.get(n)?).max()),
        grid_lost: parts.iter().filter_map(|part| part.grid_lost).max(),
        is_offgrid: parts.iter().all(|part| part.is_offgrid),
        is_power_forced: parts.iter().all(|part| part.is_power_forced),
        set_points: set_points(parts),
        modes: modes(parts),
        mode: the_same(parts.iter().map(|part| part.mode)),
        // Whose word it is can be told only by who knows them.
        result: String::new(),
    }
}

fn total(values: &[Option<f64>]) -> Option<f64> {
    values.iter().copied().sum()
}

fn mean(values: &[Option<f64>]) -> Option<f64> {
    let known: Vec<f64> = values.iter().copied().flatten().collect();
    (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
}

fn side(sides: &[Side]) -> Side {
    let line = |n: usize| {
        let lines: Vec<Line> = sides.iter().filter_map(|side| *side.lines.get(n)?).collect();
        let of = |what: fn(&Line) -> Option<f64>| lines.iter().map(what).collect::<Vec<_>>();
        (!lines.is_empty()).then(|| Line {
            voltage: mean(&of(|line| line.voltage)),
            current: total(&of(|line| line.current)),
            power: total(&of(|line| line.power)),
            frequency: mean(&of(|line| line.frequency)),
            apparent: total(&of(|line| line.apparent)),
        })
    };
    Side {
        lines: std::array::from_fn(line),
        power: total(&sides.iter().map(|side| side.power).collect::<Vec<_>>()),
    }
}

/// A fault of one is a fault of all; where they differ otherwise, what they do together counts.
fn state(parts: &[Part], battery_power: Option<f64>) -> Option<i32> {
    let states: Vec<i32> = parts.iter().filter_map(|part| part.state).collect();
    let first = *states.first()?;
    if states.contains(&FAULT) {
        return Some(FAULT);
    }
    if states.iter().all(|state| *state == first) {
        return Some(first);
    }
    if states.contains(&INVERTING) {
        return Some(INVERTING);
    }
    let works = states.iter().any(|state| *state > OFF);
    Some(match battery_power {
        Some(watts) if works && watts > AT_REST_W => CHARGING,
        Some(watts) if works && watts < -AT_REST_W => ASSISTING,
        _ => states.into_iter().filter(|state| *state > OFF).max().unwrap_or(PASSING),
    })
}

/// What all of them have, if it is the same.
fn the_same(mut values: impl Iterator<Item = Option<i32>>) -> Option<i32> {
    let first = values.next()??;
    values.all(|value| value == Some(first)).then_some(first)
}

/// The ways of running that every inverter has.
fn modes(parts: &[Part]) -> Vec<i32> {
    let first = parts.first().map(|part| part.modes.clone()).unwrap_or_default();
    first.into_iter().filter(|mode| parts.iter().all(|part| part.modes.contains(mode))).collect()
}

/// The set points that every inverter has.
fn set_points(parts: &[Part]) -> Vec<SetPoint> {
    let of = |name: &str| {
        let points: Option<Vec<&SetPoint>> =
            parts.iter().map(|part| part.set_points.iter().find(|point| point.name == name)).collect();
        points.filter(|points| !points.is_empty())
    };
    let amounts = AMOUNTS.into_iter().filter_map(|name| {
        let points = of(name)?;
        let value = total(&points.iter().map(|point| point.value).collect::<Vec<_>>());
        let bound = |bound: fn(&SetPoint) -> f64| points.iter().map(|point| bound(point)).sum();
        Some(SetPoint { name, value, min: bound(|point| point.min), max: bound(|point| point.max) })
    });
    let alike = ALIKE.into_iter().filter_map(|name| {
        let points = of(name)?;
        let first = points.first()?.value;
        let value = first.filter(|_| points.iter().all(|point| point.value == first));
        let min = points.iter().map(|point| point.min).fold(f64::NEG_INFINITY, f64::max);
        let max = points.iter().map(|point| point.max).fold(f64::INFINITY, f64::min);
        (min <= max).then_some(SetPoint { name, value, min, max })
    });
    amounts.chain(alike).collect()
}

/// What each inverter is to have for a system to have `value`; nothing where it cannot.
pub(crate) fn split(parts: &[Part], name: &str, value: f64) -> Option<Vec<f64>> {
    if name == MODE {
        let has = |part: &Part| part.modes.iter().any(|mode| f64::from(*mode) == value);
        return (!parts.is_empty() && parts.iter().all(has)).then(|| vec![value; parts.len()]);
    }
    let points: Option<Vec<&SetPoint>> =
        parts.iter().map(|part| part.set_points.iter().find(|point| point.name == name)).collect();
    let points = points.filter(|points| !points.is_empty())?;
    if !AMOUNTS.contains(&name) {
        let fits = points.iter().all(|point| (point.min..=point.max).contains(&value));
        return fits.then(|| vec![value; points.len()]);
    }
    // Each has as much as the others, as far as it can.
    let mut shares: Vec<Option<f64>> = vec![None; points.len()];
    loop {
        let given: f64 = shares.iter().flatten().sum();
        let open = shares.iter().filter(|share| share.is_none()).count();
        if open == 0 {
            break;
        }
        let each = (value - given) / open as f64;
        let beyond = shares
            .iter()
            .zip(&points)
            .position(|(share, point)| share.is_none() && !(point.min..=point.max).contains(&each));
        match beyond.and_then(|at| Some((shares.get_mut(at)?, points.get(at)?))) {
            Some((share, point)) => *share = Some(each.clamp(point.min, point.max)),
            None => {
                for share in &mut shares {
                    *share = share.or(Some(each));
                }
            }
        }
    }
    let shares: Vec<f64> = shares.into_iter().flatten().collect();
    ((shares.iter().sum::<f64>() - value).abs() < 1e-6).then_some(shares)
}

#[cfg(test)]
mod tests {
    use dbus_interfaces::classes::multi::NO_INPUT;

    use super::*;

    fn line(power: f64) -> Option<Line> {
        Some(Line {
            voltage: Some(230.0),
            current: Some(power / 230.0),
            power: Some(power),
            frequency: Some(50.0),
            apparent: Some(power.abs()),
        })
    }

    /// An inverter of one line that takes `input` W, gives `output` W and charges with the rest.
    fn one(at: usize, input: f64, output: f64) -> Part {
        let side = |power: f64| {
            let mut side = Side { power: Some(power), ..Side::default() };
            side.lines[at] = line(power);
            side
        };
        Part {
            is_there: true,
            input: side(input),
            output: side(output),
            input_type: 1,
            active_input: Some(0),
            rated: Some(5000.0),
            battery_voltage: Some(50.0),
            battery_current: Some((input - output) / 50.0),
            battery_power: Some(input - output),
            state: Some(if input > output { CHARGING } else { ASSISTING }),
            is_on: Some(true),
            alarms: [Some(0); 10],
            grid_lost: Some(0),
            ..Part::default()
        }
    }

    #[test]
    fn three_of_one_line_are_one_of_three_lines() {
        let whole = sum(&[one(0, 1000.0, 300.0), one(1, 500.0, 200.0), one(2, 100.0, 600.0)]);
        assert_eq!(whole.input.count(), 3);
        let powers = whole.input.lines.map(|line| line.and_then(|line| line.power));
        assert_eq!(powers, [Some(1000.0), Some(500.0), Some(100.0)]);
        assert_eq!((whole.input.power, whole.output.power), (Some(1600.0), Some(1100.0)));
        assert_eq!((whole.battery_power, whole.battery_voltage), (Some(500.0), Some(50.0)));
        assert_eq!((whole.state, whole.rated), (Some(CHARGING), Some(15_000.0)));
    }

    #[test]
    fn two_on_the_same_line_add_up_there() {
        let whole = sum(&[one(0, 1000.0, 300.0), one(0, 500.0, 200.0)]);
        let first = whole.input.lines[0].unwrap();
        assert_eq!((first.power, first.voltage), (Some(1500.0), Some(230.0)));
        assert_eq!(whole.input.count(), 1);
    }

    #[test]
    fn a_sum_without_one_of_its_parts_is_no_sum() {
        let mut silent = one(1, 0.0, 0.0);
        silent.is_there = false;
        silent.input.lines[1] = Some(Line::default());
        (silent.input.power, silent.battery_power, silent.battery_current) = (None, None, None);
        let whole = sum(&[one(0, 1000.0, 300.0), silent]);
        assert!(!whole.is_there);
        assert_eq!((whole.input.power, whole.battery_power, whole.battery_current), (None, None, None));
        assert_eq!(whole.input.lines[0].unwrap().power, Some(1000.0), "the other line is known");
        assert_eq!(whole.input.lines[1].unwrap().power, None);
    }

    #[test]
    fn a_fault_or_an_alarm_of_one_is_one_of_the_system() {
        let mut bad = one(0, 0.0, 0.0);
        bad.state = Some(FAULT);
        bad.alarms[3] = Some(2);
        let whole = sum(&[one(0, 1000.0, 300.0), bad]);
        assert_eq!((whole.state, whole.alarms[3], whole.alarms[0]), (Some(FAULT), Some(2), Some(0)));
    }

    #[test]
    fn what_one_does_alone_is_no_state_of_all() {
        let state = |parts: &[Part]| sum(parts).state;
        assert_eq!(state(&[one(0, 1000.0, 0.0), one(0, 0.0, 400.0)]), Some(CHARGING));
        assert_eq!(state(&[one(0, 300.0, 0.0), one(0, 0.0, 800.0)]), Some(ASSISTING));
        let mut island = one(0, 0.0, 500.0);
        (island.state, island.active_input) = (Some(INVERTING), Some(NO_INPUT));
        let whole = sum(&[one(0, 300.0, 0.0), island]);
        assert_eq!((whole.state, whole.active_input), (Some(INVERTING), Some(0)));
    }

    fn with_limit(value: f64, max: f64) -> Part {
        let point = |name, value| SetPoint { name, value: Some(value), min: 0.0, max };
        Part {
            set_points: vec![point("charge_current_limit", value), point("min_soc", 20.0)],
            ..one(0, 0.0, 0.0)
        }
    }

    #[test]
    fn an_amount_is_shared_and_a_threshold_is_the_same_for_all() {
        let parts = [with_limit(40.0, 50.0), with_limit(60.0, 100.0), with_limit(60.0, 100.0)];
        let whole = sum(&parts);
        let limit = whole.set_points.iter().find(|point| point.name == "charge_current_limit").unwrap();
        assert_eq!((limit.value, limit.max), (Some(160.0), 250.0));
        assert_eq!(split(&parts, "charge_current_limit", 90.0), Some(vec![30.0, 30.0, 30.0]));
        assert_eq!(split(&parts, "charge_current_limit", 210.0), Some(vec![50.0, 80.0, 80.0]));
        assert_eq!(split(&parts, "charge_current_limit", 251.0), None);
        assert_eq!(split(&parts, "min_soc", 30.0), Some(vec![30.0; 3]));
        assert_eq!(split(&parts, "min_soc", 60.0), None, "not every one takes it");
        assert_eq!(split(&parts, "max_soc", 90.0), None, "not every one has it");
    }

    #[test]
    fn a_system_runs_in_a_way_that_all_of_its_inverters_have_with_a_share_of_the_power_each() {
        let one = |modes: &[i32], mode, watts, max| Part {
            set_points: vec![SetPoint { name: POWER, value: Some(watts), min: 0.0, max }],
            modes: modes.to_vec(),
            mode: Some(mode),
            ..one(0, 0.0, 0.0)
        };
        let mut parts = [one(&[0, 1, 4], 4, 2000.0, 3000.0), one(&[0, 4, 5], 4, 1000.0, 1000.0)];
        let whole = sum(&parts);
        assert_eq!((whole.modes, whole.mode), (vec![0, 4], Some(4)));
        assert_eq!((whole.set_points[0].value, whole.set_points[0].max), (Some(3000.0), 4000.0));
        assert_eq!(split(&parts, POWER, 3000.0), Some(vec![2000.0, 1000.0]));
        assert_eq!(split(&parts, MODE, 4.0), Some(vec![4.0; 2]));
        assert_eq!(split(&parts, MODE, 5.0), None, "one has no such way");
        parts[1].mode = Some(0);
        assert_eq!(sum(&parts).mode, None, "they do not run alike");
    }

    #[test]
    fn a_set_point_that_one_lacks_is_none_of_the_system() {
        let whole = sum(&[with_limit(40.0, 50.0), one(0, 0.0, 0.0)]);
        assert_eq!(whole.set_points, []);
    }
}
