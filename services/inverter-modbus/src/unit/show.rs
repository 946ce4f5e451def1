//! Points as items.

use dbus_interfaces::Update;
use dbus_interfaces::classes::{ac, battery as b, device, multi as m, pvinverter};

use super::half::Role;
use super::heard::polled_by;
use super::set_points::controls;
use super::view::View;
use crate::profile::Class;
use crate::system::{BatteryPower, flows, show_mode, show_standard};

/// No profile names more trackers.
const MOST_TRACKERS: u16 = 8;

/// Everything that a service shows.
pub(super) fn show(tx: &mut Update<'_>, role: Role, view: &View<'_>, power: &BatteryPower) {
    tx.set(device::CONNECTED, i32::from(view.is_there));
    match role {
        Role::Unit => {
            let part = view.part();
            flows(tx, &part);
            show_mode(tx, &part);
            show_standard(tx, &part, power, |name| view.may_set(name));
            unit(tx, view);
            controls(tx, view);
            polled_by(tx, view);
        }
        // It is shown by whoever puts the units together.
        Role::System => {}
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
            // The meter of a hybrid is read with the hybrid.
            if view.device.profile().class == Class::Grid {
                polled_by(tx, view);
            }
        }
    }
}

/// What only the measuring half shows.
fn unit(tx: &mut Update<'_>, view: &View<'_>) {
    // DVCC reads it once, when the service appears: without the user's wish it leaves this device alone.
    tx.set(m::IS_INVERTER_CHARGER, i32::from(view.config.dvcc))
        .set(b::DC_TEMPERATURE, view.number("battery_temperature"))
        .set(m::ERROR_CODE, view.error())
        .set(m::ERROR_TEXT, view.faults())
        .set(m::TEMPERATURE, view.number("temperature"));
    let trackers = trackers(view);
    let sum = || {
        let watts: Vec<f64> = (1..=trackers).filter_map(|n| view.number(&format!("pv{n}_power"))).collect();
        (!watts.is_empty()).then(|| watts.iter().sum())
    };
    tx.set(m::YIELD_POWER, view.number("pv_power").or_else(sum))
        .set(m::YIELD_SYSTEM, view.number("pv_energy_total"))
        .set(m::YIELD_USER, view.number("pv_energy_total"))
        .set(m::YIELD_TODAY, view.number("pv_energy_today"))
        .set(m::TRACKERS, i32::from(trackers));
    for n in 1..=trackers {
        let product =
            || Some(view.number(&format!("pv{n}_voltage"))? * view.number(&format!("pv{n}_current"))?);
        let at = n - 1;
        tx.set(m::TRACKER_P.nth(at), view.number(&format!("pv{n}_power")).or_else(product))
            .set(m::TRACKER_V.nth(at), view.number(&format!("pv{n}_voltage")));
    }
    let [.., charged, discharged] = m::ENERGY;
    tx.set(charged, view.number("charge_energy_total"))
        .set(discharged, view.number("discharge_energy_total"));
}

/// The number of the last tracker that has ever said anything: profiles name more of them than most models have.
fn trackers(view: &View<'_>) -> u16 {
    let most = view.points().number("mppt_count").unwrap_or(f64::INFINITY);
    let was_seen =
        |n: u16| ["power", "voltage"].iter().any(|what| view.points().was_seen(&format!("pv{n}_{what}")));
    (1..=MOST_TRACKERS).rev().find(|n| f64::from(*n) <= most && was_seen(*n)).unwrap_or(0)
}

/// Lines and whole of a meter or solar inverter.
fn meter(tx: &mut Update<'_>, view: &View<'_>, side: &str) {
    for line in 1..=view.lines(side) {
        let at = view.house_line(side, line);
        // The meter of a hybrid is at the same wires as its input.
        let volts = view.line(side, line, "voltage").or_else(|| view.line("ac_in", line, "voltage"));
        tx.set(ac::VOLTAGE.nth(at), volts)
            .set(ac::CURRENT.nth(at), view.line(side, line, "current"))
            .set(ac::POWER.nth(at), view.line(side, line, "power"));
    }
    tx.set(ac::TOTAL, view.total(side))
        .set(ac::FREQUENCY, view.number(&format!("{side}_frequency")))
        .set(ac::PHASES, i32::from(view.lines(side)));
}

fn solar_inverter(tx: &mut Update<'_>, view: &View<'_>) {
    let status = view.points().text("state").filter(|_| view.is_there).map(|word| match word {
        "off" | "standby" => 8,
        "starting" => 1,
        "fault" => 10,
        _ => 7,
    });
    tx.set(ac::FORWARD, view.number("ac_out_energy_total"))
        .set(pvinverter::POSITION, i32::from(view.config.position))
        .set(pvinverter::STATUS_CODE, status)
        .set(pvinverter::ERROR_CODE, view.error())
        .set(pvinverter::MAX_POWER, view.rated_w());
}
