//! What an inverter is, or several are, as items.

use std::collections::BTreeSet;

use dbus_interfaces::Update;
use dbus_interfaces::classes::{battery as b, control as c, device, multi as m};

use super::member::Seat;
use super::part::{Line, MODE, POWER, Part, Side};
use super::standard::{self, BatteryPower, show_mode};
use crate::config::AcInput;

/// What a unit and a system both show.
pub(crate) fn flows(tx: &mut Update<'_>, part: &Part) {
    for (n, (input, output)) in (1..=3_u16).zip(part.input.lines.into_iter().zip(part.output.lines)) {
        match input {
            Some(Line { voltage, current, power, frequency, .. }) => {
                tx.set(m::IN_V.nth(n), voltage)
                    .set(m::IN_I.nth(n), current)
                    .set(m::IN_P.nth(n), power)
                    .set(m::IN_F.nth(n), frequency);
            }
            None => _ = tx.clear_below(&format!("/Ac/In/1/L{n}")),
        }
        match output {
            Some(Line { voltage, current, power, frequency, apparent }) => {
                tx.set(m::OUT_V.nth(n), voltage)
                    .set(m::OUT_I.nth(n), current)
                    .set(m::OUT_P.nth(n), power)
                    .set(m::OUT_S.nth(n), apparent)
                    .set(m::OUT_F.nth(n), frequency);
            }
            None => _ = tx.clear_below(&format!("/Ac/Out/L{n}")),
        }
    }
    if let Some(generator) = &part.generator {
        second_input(tx, generator);
    }
    let inputs = i32::from(part.input_type != AcInput::None.number()) + i32::from(part.generator.is_some());
    tx.set(m::PHASES, part.output.count())
        .set(m::INPUTS, inputs)
        .set(m::IN_TYPE, part.input_type)
        .set(m::ACTIVE_INPUT, part.active_input)
        .set(m::ACTIVE_IS_CONNECTED, part.active_input.map(|input| i32::from(input != m::NO_INPUT)))
        .set(m::NOMINAL_POWER, part.rated.map(|watts| watts as i32))
        .set(b::DC_VOLTAGE, part.battery_voltage)
        .set(b::DC_CURRENT, part.battery_current)
        .set(b::DC_POWER, part.battery_power)
        .set(m::STATE, part.state)
        .set(m::ALARM_GRID_LOST, part.grid_lost);
    if part.is_soc_source {
        tx.set(b::SOC, part.soc);
    }
    for (item, alarm) in m::ALARMS.into_iter().zip(part.alarms) {
        tx.set(item, alarm);
    }
}

fn second_input(tx: &mut Update<'_>, generator: &Side) {
    for (n, line) in (1..=3_u16).zip(generator.lines) {
        match line {
            Some(Line { voltage, current, power, frequency, .. }) => {
                tx.set(m::IN2_V.nth(n), voltage)
                    .set(m::IN2_I.nth(n), current)
                    .set(m::IN2_P.nth(n), power)
                    .set(m::IN2_F.nth(n), frequency);
            }
            None => _ = tx.clear_below(&format!("/Ac/In/2/L{n}")),
        }
    }
    tx.set(m::IN2_TYPE, AcInput::Generator.number());
}

/// What a system shows; `offered` are the set points that it has shown before.
pub(super) fn show(
    tx: &mut Update<'_>,
    whole: &Part,
    power: &BatteryPower,
    seats: &[Seat],
    offered: &BTreeSet<&str>,
    refusal: Option<&str>,
) {
    flows(tx, whole);
    tx.set(device::CONNECTED, i32::from(whole.is_there))
        .set(m::IN_TOTAL, whole.input.power)
        .set(m::OUT_TOTAL, whole.output.power);
    show_mode(tx, whole);
    standard::show(tx, whole, power, |name| offered.contains(name));
    if let Some(generator) = &whole.generator {
        tx.set(m::IN2_TOTAL, generator.power);
    }
    for (n, seat) in (0_u16..).zip(seats) {
        tx.set(m::MEMBER_SERVICE.nth(n), seat.part.as_ref().map(|_| seat.service.clone()))
            .set(m::MEMBER_INSTANCE.nth(n), seat.part.as_ref().map(|_| seat.instance));
    }
    for (name, item) in c::SET_POINTS {
        match whole.set_points.iter().find(|point| point.name == *name) {
            Some(point) => _ = tx.set(item.range(point.min, point.max), point.value),
            None if offered.contains(name) => _ = tx.clear(*item),
            None => {}
        }
    }
    match whole.set_points.iter().find(|point| point.name == POWER) {
        Some(point) => _ = tx.set(c::POWER.range(point.min, point.max), point.value),
        None if offered.contains(POWER) => _ = tx.clear(c::POWER),
        None => {}
    }
    if !whole.modes.is_empty() {
        tx.set(c::MODE, whole.mode.filter(|_| whole.is_there))
            .set(c::MODES_OFFERED, c::mode_words(whole.modes.iter().copied()));
    } else if offered.contains(MODE) {
        tx.clear(c::MODE).clear(c::MODES_OFFERED);
    }
    if !offered.is_empty() || !whole.set_points.is_empty() || !whole.modes.is_empty() {
        tx.set(c::RESULT, refusal.map_or_else(|| results(seats), str::to_owned));
    }
}

/// What the last wish came to, at each unit where they differ.
fn results(seats: &[Seat]) -> String {
    let results: Vec<(&Seat, &str)> =
        seats.iter().filter_map(|seat| Some((seat, seat.part.as_ref()?.result.as_str()))).collect();
    match results.as_slice() {
        [] => String::new(),
        [(_, first), rest @ ..] if rest.iter().all(|(_, other)| other == first) => (*first).to_owned(),
        all => {
            let said = all.iter().filter(|(_, result)| !result.is_empty());
            let said = said.map(|(seat, result)| format!("{} {}: {result}", seat.title, seat.instance));
            said.collect::<Vec<_>>().join("; ")
        }
    }
}
