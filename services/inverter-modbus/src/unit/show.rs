//! Points as items.

use dbus_interfaces::Update;
use dbus_interfaces::classes::multi::NO_INPUT;
use dbus_interfaces::classes::{ac, battery as b, device, multi as m, pvinverter};

use super::half::Role;
use super::heard::polled_by;
use super::set_points::controls;
use super::view::View;
use crate::config::AcInput;
use crate::profile::point::Alarm;

/// `/Mode` on and off.
const ON: i32 = 3;
const OFF: i32 = 4;
const fn input_type(input: AcInput) -> i32 {
    match input {
        AcInput::None => 0,
        AcInput::Grid => 1,
        AcInput::Generator => 2,
        AcInput::Shore => 3,
    }
}

/// Everything that a service shows.
pub(super) fn show(tx: &mut Update<'_>, role: Role, view: &View<'_>) {
    tx.set(device::CONNECTED, i32::from(view.is_there));
    match role {
        Role::Unit => {
            both(tx, view);
            unit(tx, view);
            controls(tx, view);
            polled_by(tx, view);
        }
        Role::System => {
            both(tx, view);
            system(tx, view);
        }
        Role::PvInverter => {
            meter(tx, view, "ac_out");
            solar_inverter(tx, view);
            controls(tx, view);
            polled_by(tx, view);
        }
        Role::Grid => {
            meter(tx, view, "grid");
            tx.set(ac::FORWARD, view.number("grid_import_energy_total"))
                .set(ac::REVERSE, view.number("grid_export_energy_total"));
        }
    }
}

/// What both halves of a pair show.
fn both(tx: &mut Update<'_>, view: &View<'_>) {
    let has_generator = view.device.map().is_some_and(|map| {
        map.groups.iter().any(|group| group.name.starts_with("gen_") && group.name.ends_with("power"))
    });
    for line in 1..=view.phases() {
        let at = view.house_line(line);
        tx.set(m::IN_V.nth(at), view.line("ac_in", line, "voltage"))
            .set(m::IN_I.nth(at), view.line("ac_in", line, "current"))
            .set(m::IN_P.nth(at), view.line("ac_in", line, "power"))
            .set(m::IN_F.nth(at), view.line("ac_in", line, "frequency"))
            .set(m::OUT_V.nth(at), view.line("ac_out", line, "voltage"))
            .set(m::OUT_I.nth(at), view.line("ac_out", line, "current"))
            .set(m::OUT_P.nth(at), view.line("ac_out", line, "power"))
            .set(m::OUT_S.nth(at), view.line("ac_out", line, "apparent"))
            .set(m::OUT_F.nth(at), view.line("ac_out", line, "frequency"));
        if has_generator {
            tx.set(m::IN2_V.nth(at), view.line("gen", line, "voltage"))
                .set(m::IN2_I.nth(at), view.line("gen", line, "current"))
                .set(m::IN2_P.nth(at), view.line("gen", line, "power"))
                .set(m::IN2_F.nth(at), view.line("gen", line, "frequency"));
        }
    }
    let inputs = i32::from(view.config.ac_input != AcInput::None) + i32::from(has_generator);
    let rated = view.number("rated_power").or(view.device.identity().and_then(|who| who.rated_power_w));
    tx.set(m::PHASES, i32::from(view.phases()))
        .set(m::INPUTS, inputs)
        .set(m::IN_TYPE, input_type(view.config.ac_input))
        .set(m::ACTIVE_INPUT, view.active_input())
        .set(m::ACTIVE_IS_CONNECTED, view.active_input().map(|input| i32::from(input != NO_INPUT)))
        .set(m::NOMINAL_POWER, rated.map(|watts| watts as i32))
        .set(b::DC_VOLTAGE, view.number("battery_voltage"))
        .set(b::DC_CURRENT, view.battery_a())
        .set(b::DC_POWER, view.battery_w())
        .set(m::STATE, view.state())
        .set(m::ALARM_GRID_LOST, view.alarm(Alarm::GridLost));
    if has_generator {
        tx.set(m::IN2_TYPE, input_type(AcInput::Generator));
    }
    if view.config.soc_source {
        tx.set(b::SOC, view.number("soc"));
    }
    let alarms = [
        Alarm::HighTemperature,
        Alarm::LowVoltage,
        Alarm::HighVoltage,
        Alarm::Overload,
        Alarm::Ripple,
        Alarm::ShortCircuit,
        Alarm::LowSoc,
        Alarm::LowVoltageAcOut,
        Alarm::HighVoltageAcOut,
        Alarm::PhaseRotation,
    ];
    for (item, alarm) in m::ALARMS.into_iter().zip(alarms) {
        tx.set(item, view.alarm(alarm));
    }
}

/// What only the measuring half shows.
fn unit(tx: &mut Update<'_>, view: &View<'_>) {
    // DVCC reads it once, when the service appears: without the user's wish it leaves this device alone.
    tx.set(m::IS_INVERTER_CHARGER, i32::from(view.config.dvcc))
        .set(b::DC_TEMPERATURE, view.number("battery_temperature"))
        .set(m::MODE, view.is_on().map(|on| if on { ON } else { OFF }))
        .set(m::ERROR_CODE, view.error())
        .set(m::ERROR_TEXT, view.faults())
        .set(m::TEMPERATURE, view.number("temperature"));
    let trackers: Vec<u16> = (1..=8)
        .filter(|n| {
            let names = [format!("pv{n}_power"), format!("pv{n}_voltage")];
            view.device.map().is_some_and(|map| names.iter().any(|name| map.group(name).is_some()))
        })
        .collect();
    let is_tracker =
        |n: &&u16| view.points().number("mppt_count").is_none_or(|count| f64::from(**n) <= count);
    let trackers: Vec<&u16> = trackers.iter().filter(is_tracker).collect();
    let sum = || {
        let watts: Vec<f64> = trackers.iter().filter_map(|n| view.number(&format!("pv{n}_power"))).collect();
        (!watts.is_empty()).then(|| watts.iter().sum())
    };
    tx.set(m::YIELD_POWER, view.number("pv_power").or_else(sum))
        .set(m::YIELD_SYSTEM, view.number("pv_energy_total"))
        .set(m::YIELD_USER, view.number("pv_energy_total"))
        .set(m::YIELD_TODAY, view.number("pv_energy_today"))
        .set(m::TRACKERS, i32::try_from(trackers.len()).unwrap_or(0));
    for (at, n) in (0_u16..).zip(trackers) {
        let product =
            || Some(view.number(&format!("pv{n}_voltage"))? * view.number(&format!("pv{n}_current"))?);
        tx.set(m::TRACKER_P.nth(at), view.number(&format!("pv{n}_power")).or_else(product))
            .set(m::TRACKER_V.nth(at), view.number(&format!("pv{n}_voltage")));
    }
    let [.., charged, discharged] = m::ENERGY;
    tx.set(charged, view.number("charge_energy_total"))
        .set(discharged, view.number("discharge_energy_total"));
}

/// What only the system shows.
fn system(tx: &mut Update<'_>, view: &View<'_>) {
    tx.set(m::IN_TOTAL, view.total("ac_in"))
        .set(m::OUT_TOTAL, view.total("ac_out"))
        .set(m::MODE, view.is_on().map(|on| if on { ON } else { OFF }))
        .set(m::MODE_IS_ADJUSTABLE, 0);
    if let Some((service, instance)) = view.member {
        tx.set(m::MEMBER_SERVICE, service.to_owned()).set(m::MEMBER_INSTANCE, instance);
    }
}

/// Lines and whole of a meter or solar inverter.
fn meter(tx: &mut Update<'_>, view: &View<'_>, side: &str) {
    for line in 1..=view.phases() {
        let at = view.house_line(line);
        tx.set(ac::VOLTAGE.nth(at), view.line(side, line, "voltage"))
            .set(ac::CURRENT.nth(at), view.line(side, line, "current"))
            .set(ac::POWER.nth(at), view.line(side, line, "power"));
    }
    tx.set(ac::TOTAL, view.total(side))
        .set(ac::FREQUENCY, view.number(&format!("{side}_frequency")))
        .set(ac::PHASES, i32::from(view.phases()));
}

fn solar_inverter(tx: &mut Update<'_>, view: &View<'_>) {
    let status = view.points().text("state").filter(|_| view.is_there).map(|word| match word {
        "off" | "standby" => 8,
        "starting" => 1,
        "fault" => 10,
        _ => 7,
    });
    let rated = view.number("rated_power").or(view.device.identity().and_then(|who| who.rated_power_w));
    tx.set(ac::FORWARD, view.number("ac_out_energy_total"))
        .set(pvinverter::POSITION, i32::from(view.config.position))
        .set(pvinverter::STATUS_CODE, status)
        .set(pvinverter::ERROR_CODE, view.error())
        .set(pvinverter::MAX_POWER, rated);
}
