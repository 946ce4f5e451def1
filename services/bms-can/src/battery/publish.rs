//! A battery's view as items of `com.victronenergy.battery`.

use dbus_interfaces::classes::{battery as b, device};
use dbus_interfaces::{Item, Update};

use super::{Identity, View};
use crate::give_way::Speaks;
use crate::message::Condition;

/// What beside its own data decides how a battery shows itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Says<'a> {
    /// Whose limits count.
    pub(crate) speaks: Speaks,
    /// How much of the charge current may be shown, 0 to 1.
    pub(crate) charge_part: f64,
    /// What speaks against the dialect that the user chose.
    pub(crate) contradiction: Option<&'a str>,
}

/// Sets every item that comes from the battery.
pub(crate) fn update(tx: &mut Update<'_>, view: &View, says: Says<'_>) {
    measurements(tx, view);
    tx.set(b::BMS_STATUS, status(view, says));
    own_limits(tx, view);
    info(tx, view, says);
    make_up(tx, view);
    alarms(tx, view);
}

/// Sets what the battery says about itself. `product` is its name as long as it tells no model.
pub(crate) fn identity(tx: &mut Update<'_>, identity: &Identity, product: &str) {
    tx.set(device::PRODUCT_NAME, identity.model().unwrap_or_else(|| product.to_owned()))
        .set(device::FIRMWARE_VERSION, identity.firmware())
        .set(device::SERIAL, identity.serial())
        .set(b::MANUFACTURER, identity.manufacturer())
        .set(b::FAMILY, identity.family());
}

fn measurements(tx: &mut Update<'_>, view: &View) {
    let works = view.silence.holds();
    tx.set(device::CONNECTED, i32::from(works))
        .set(b::STATE, if works { b::STATE_RUNNING } else { b::STATE_ERROR })
        .set(b::ERROR_CODE, 0)
        .set(b::DC_VOLTAGE, view.voltage_v)
        .set(b::DC_CURRENT, view.current_a)
        .set(b::DC_POWER, view.power_w)
        .set(b::DC_TEMPERATURE, view.temperature_c)
        .set(b::SOC, view.soc_pct)
        .set(b::SOH, view.soh_pct)
        .set(b::INSTALLED_CAPACITY, view.installed_ah)
        .set(b::CAPACITY, view.remaining_ah)
        .set(
            b::CONSUMED_AMP_HOURS,
            view.installed_ah.zip(view.remaining_ah).map(|(all, left)| (left - all).min(0.0)),
        )
        .set(b::TIME_TO_GO, view.time_to_go_s)
        .set(b::HISTORY_CHARGE_CYCLES, view.cycles.map(i32::from));
    let [charged, discharged] = view.energy_kwh;
    tx.set(b::HISTORY_CHARGED_ENERGY, charged).set(b::HISTORY_DISCHARGED_ENERGY, discharged);
}

/// The battery's own limits, which it always shows.
fn own_limits(tx: &mut Update<'_>, view: &View) {
    let limits = &view.limits;
    tx.set(b::BMS_MAX_CHARGE_VOLTAGE, limits.charge_voltage_v)
        .set(b::BMS_MAX_CHARGE_CURRENT, limits.charge_current_a)
        .set(b::BMS_MAX_DISCHARGE_CURRENT, limits.discharge_current_a)
        .set(b::BMS_LOW_VOLTAGE, limits.discharge_voltage_v)
        .set(b::BMS_CHARGE_REQUEST, view.charge_request.map(i32::from))
        .set(b::BMS_FULL_CHARGE_REQUEST, view.full_charge_request.map(i32::from))
        .set(b::ALLOW_TO_CHARGE, view.allow_charge.map(i32::from))
        .set(b::ALLOW_TO_DISCHARGE, view.allow_discharge.map(i32::from));
}

/// What the system shall obey. While the manager speaks, a service that never showed limits must not list them either:
/// systemcalc picks its battery monitor by that.
fn info(tx: &mut Update<'_>, view: &View, says: Says<'_>) {
    tx.set(b::ALARM_PARALLEL_BMS_LOST, if says.speaks == Speaks::Nobody { 2 } else { 0 });
    let limits = match says.speaks {
        Speaks::Manager => {
            tx.clear_below("/Info");
            return;
        }
        Speaks::Battery => view.slowed(says.charge_part),
        Speaks::Nobody => view.nothing_allowed(),
    };
    tx.set(b::MAX_CHARGE_VOLTAGE, limits.charge_voltage_v)
        .set(b::MAX_CHARGE_CURRENT, limits.charge_current_a)
        .set(b::MAX_DISCHARGE_CURRENT, limits.discharge_current_a)
        .set(b::BATTERY_LOW_VOLTAGE, limits.discharge_voltage_v)
        .set(b::CHARGE_REQUEST, view.charge_request.map(i32::from))
        .set(b::FULL_CHARGE_REQUEST, view.full_charge_request.map(i32::from));
}

/// How the data are, and what else the user must know of them.
fn status(view: &View, says: Says<'_>) -> String {
    let lost = "the manager of the bank is lost: limits are 0 A until it is back or standalone is set";
    let slow = "the charge current comes back slowly after the loss of data";
    let notes = [
        Some(view.status.as_str()),
        (says.speaks == Speaks::Nobody).then_some(lost),
        (says.speaks == Speaks::Battery && says.charge_part < 1.0 && view.silence.holds()).then_some(slow),
        says.contradiction,
    ];
    notes.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn make_up(tx: &mut Update<'_>, view: &View) {
    let [min_v, max_v] = view.cell_v;
    let [min_c, max_c] = view.cell_c;
    tx.set(b::MIN_CELL_VOLTAGE, min_v)
        .set(b::MAX_CELL_VOLTAGE, max_v)
        .set(b::MIN_CELL_TEMPERATURE, min_c)
        .set(b::MAX_CELL_TEMPERATURE, max_c);
    let ids = [
        b::MIN_VOLTAGE_CELL_ID,
        b::MAX_VOLTAGE_CELL_ID,
        b::MIN_TEMPERATURE_CELL_ID,
        b::MAX_TEMPERATURE_CELL_ID,
    ];
    for (item, id) in ids.into_iter().zip(&view.cell_ids) {
        tx.set(item, id.clone());
    }
    let counts =
        [b::MODULES_ONLINE, b::MODULES_OFFLINE, b::MODULES_BLOCKING_CHARGE, b::MODULES_BLOCKING_DISCHARGE];
    for (item, count) in counts.into_iter().zip(view.modules) {
        tx.set(item, count.map(i32::from));
    }
    tx.set(b::CELLS_PER_BATTERY, view.cells_in_series.map(i32::from));
    for (number, volts) in (1_u16..).zip(&view.cells_v) {
        tx.set(b::CELL_VOLTAGE.nth(number), *volts);
    }
}

fn alarms(tx: &mut Update<'_>, view: &View) {
    tx.set(b::ALARM_BMS_CABLE, view.silence.cable_alarm());
    for (condition, level) in Condition::ALL.into_iter().zip(view.alarms) {
        tx.set(alarm_item(condition), level.map(|level| level as i32));
    }
}

fn alarm_item(condition: Condition) -> Item<i32> {
    match condition {
        Condition::General => b::ALARM_GENERAL,
        Condition::HighVoltage => b::ALARM_HIGH_VOLTAGE,
        Condition::LowVoltage => b::ALARM_LOW_VOLTAGE,
        Condition::HighTemperature => b::ALARM_HIGH_TEMPERATURE,
        Condition::LowTemperature => b::ALARM_LOW_TEMPERATURE,
        Condition::HighChargeTemperature => b::ALARM_HIGH_CHARGE_TEMPERATURE,
        Condition::LowChargeTemperature => b::ALARM_LOW_CHARGE_TEMPERATURE,
        Condition::HighDischargeCurrent => b::ALARM_HIGH_DISCHARGE_CURRENT,
        Condition::HighChargeCurrent => b::ALARM_HIGH_CHARGE_CURRENT,
        Condition::Contactor => b::ALARM_CONTACTOR,
        // A battery service has no path for a short circuit; this is the alarm that the platform shows for it.
        Condition::ShortCircuit => b::ALARM_HIGH_CURRENT,
        Condition::BmsInternal => b::ALARM_INTERNAL_FAILURE,
        Condition::CellImbalance => b::ALARM_CELL_IMBALANCE,
    }
}
