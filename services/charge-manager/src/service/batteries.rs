//! The batteries of the bus as the decision takes them in, from whatever driver they come.

use std::time::Duration;

use dbus_interfaces::classes::{bank, battery as b, device};
use dbus_interfaces::{Filter, Item, Monitor, Seen};

use super::{Clock, labels, signs::Signs};
use crate::alarms::{Alarm, Alarms, Level};
use crate::input::{Battery, BmsLimits, Probe};
use crate::name::Name;

/// Further sensors of a battery.
const SENSORS: u16 = 4;
/// Most cells of one battery.
const MOST_CELLS: usize = 400;

/// Adds what is read of a battery.
pub(super) fn filter(filter: Filter) -> Filter {
    let reals = [
        b::DC_VOLTAGE,
        b::DC_CURRENT,
        b::DC_TEMPERATURE,
        b::SOC,
        b::SOH,
        b::INSTALLED_CAPACITY,
        b::MAX_CHARGE_VOLTAGE,
        b::MAX_CHARGE_CURRENT,
        b::MAX_DISCHARGE_CURRENT,
        b::BATTERY_LOW_VOLTAGE,
        b::BMS_MAX_CHARGE_VOLTAGE,
        b::BMS_MAX_CHARGE_CURRENT,
        b::BMS_MAX_DISCHARGE_CURRENT,
        b::BMS_LOW_VOLTAGE,
        b::MIN_CELL_VOLTAGE,
        b::MAX_CELL_VOLTAGE,
        b::MIN_CELL_TEMPERATURE,
        b::MAX_CELL_TEMPERATURE,
        b::MOS_TEMPERATURE,
        b::CELL_VOLTAGE,
        b::TEMPERATURE,
    ];
    let integers = [
        device::CONNECTED,
        bank::UPDATE_INDEX,
        b::CELLS_PER_BATTERY,
        b::ALLOW_TO_CHARGE,
        b::ALLOW_TO_DISCHARGE,
        b::BALANCING,
        b::CHARGE_REQUEST,
        b::FULL_CHARGE_REQUEST,
        b::BMS_CHARGE_REQUEST,
        b::BMS_FULL_CHARGE_REQUEST,
    ];
    let texts = [device::CUSTOM_NAME, device::PRODUCT_NAME, b::MIN_VOLTAGE_CELL_ID, b::MAX_VOLTAGE_CELL_ID];
    let filter = reals.into_iter().fold(filter.class(b::CLASS), Filter::item);
    let filter = integers.into_iter().fold(filter, Filter::item);
    let filter = texts.into_iter().fold(filter, Filter::item);
    Alarm::ALL.iter().map(|alarm| alarm_item(*alarm)).fold(filter, Filter::item)
}

/// All of them but the bank itself.
pub(crate) fn batteries(monitor: &Monitor, seen: &[Seen], signs: &Signs, clock: Clock) -> Vec<Battery> {
    let seen: Vec<Seen> =
        seen.iter().filter(|seen| seen.class() == b::CLASS && *seen.name != *bank::NAME).cloned().collect();
    let labels = labels::labels(monitor, &seen);
    seen.iter()
        .zip(labels)
        .map(|(seen, label)| battery(monitor, seen, label, clock.at(signs.newest(monitor, seen))))
        .collect()
}

/// Whether it can take its limits off `/Info`, and whether they are there now.
pub(crate) fn shows_limits(monitor: &Monitor, service: &str) -> bool {
    monitor.get(service, b::MAX_CHARGE_VOLTAGE).is_some()
}

fn battery(monitor: &Monitor, seen: &Seen, label: Name, at: Duration) -> Battery {
    let service = &*seen.name;
    let real = |item: Item<f64>| monitor.get(service, item);
    let flag = |item: Item<i32>| monitor.get(service, item).map(|value| value != 0);
    let name = |item: Item<String>| monitor.get(service, item).map(Name::from);
    let cells = cells(monitor, service);
    // A battery of ours keeps its own limits here, whoever speaks for it on `/Info`.
    let is_ours = monitor.received(service, b::BMS_MAX_CHARGE_VOLTAGE).is_some();
    let count = monitor.get(service, b::CELLS_PER_BATTERY).and_then(|count| u32::try_from(count).ok());
    Battery {
        service: Name::from(service),
        label,
        at,
        connected: monitor.get(service, device::CONNECTED) != Some(0),
        voltage_v: real(b::DC_VOLTAGE),
        current_a: real(b::DC_CURRENT),
        soc_percent: real(b::SOC),
        soh_percent: real(b::SOH),
        capacity_ah: real(b::INSTALLED_CAPACITY),
        cells_in_series: count
            .filter(|count| *count > 0)
            .or(u32::try_from(cells.len()).ok().filter(|n| *n > 0)),
        cells_v: cells,
        highest_cell_v: real(b::MAX_CELL_VOLTAGE),
        highest_cell_id: name(b::MAX_VOLTAGE_CELL_ID),
        lowest_cell_v: real(b::MIN_CELL_VOLTAGE),
        lowest_cell_id: name(b::MIN_VOLTAGE_CELL_ID),
        temperatures: probes(monitor, service),
        mosfet_c: real(b::MOS_TEMPERATURE),
        limits: limits(monitor, service, is_ours),
        may_charge: flag(b::ALLOW_TO_CHARGE),
        may_discharge: flag(b::ALLOW_TO_DISCHARGE),
        asks_for_charge: flag(if is_ours { b::BMS_CHARGE_REQUEST } else { b::CHARGE_REQUEST }) == Some(true),
        asks_for_full_charge: flag(if is_ours { b::BMS_FULL_CHARGE_REQUEST } else { b::FULL_CHARGE_REQUEST })
            == Some(true),
        balancing: flag(b::BALANCING),
        gives_way: is_ours || !shows_limits(monitor, service),
        instance: seen.instance,
        alarms: alarms(monitor, service),
    }
}

fn limits(monitor: &Monitor, service: &str, is_ours: bool) -> BmsLimits {
    let items = match is_ours {
        true => [
            b::BMS_MAX_CHARGE_VOLTAGE,
            b::BMS_MAX_CHARGE_CURRENT,
            b::BMS_MAX_DISCHARGE_CURRENT,
            b::BMS_LOW_VOLTAGE,
        ],
        false => {
            [b::MAX_CHARGE_VOLTAGE, b::MAX_CHARGE_CURRENT, b::MAX_DISCHARGE_CURRENT, b::BATTERY_LOW_VOLTAGE]
        }
    };
    let [charge_voltage_v, charge_current_a, discharge_current_a, low_voltage_v] =
        items.map(|item| monitor.get(service, item));
    BmsLimits { charge_voltage_v, charge_current_a, discharge_current_a, low_voltage_v }
}

/// Each cell at its place; one that is missing in between is a cell without a value.
fn cells(monitor: &Monitor, service: &str) -> Vec<Option<f64>> {
    let known = monitor.family(service, b::CELL_VOLTAGE);
    let mut cells = Vec::with_capacity(known.len());
    for (number, volts) in known {
        let place = usize::from(number).saturating_sub(1);
        if number == 0 || place >= MOST_CELLS {
            continue;
        }
        if cells.len() <= place {
            cells.resize(place + 1, None);
        }
        if let Some(cell) = cells.get_mut(place) {
            *cell = Some(volts);
        }
    }
    cells
}

fn probes(monitor: &Monitor, service: &str) -> Vec<Probe> {
    let fixed = [
        ("coldest cell", b::MIN_CELL_TEMPERATURE),
        ("hottest cell", b::MAX_CELL_TEMPERATURE),
        ("battery", b::DC_TEMPERATURE),
    ];
    let further = (1..=SENSORS).map(|number| (format!("sensor {number}"), b::TEMPERATURE.nth(number)));
    let all = fixed.into_iter().map(|(name, item)| (name.to_owned(), item)).chain(further);
    all.filter_map(|(name, item)| {
        let celsius = monitor.get(service, item)?;
        Some(Probe { name: name.into(), celsius: Some(celsius) })
    })
    .collect()
}

fn alarms(monitor: &Monitor, service: &str) -> Alarms {
    let mut alarms = Alarms::default();
    for &alarm in Alarm::ALL {
        let level = match monitor.get(service, alarm_item(alarm)) {
            Some(1) => Level::Warning,
            Some(2) => Level::Alarm,
            _ => continue,
        };
        alarms.raise(alarm, level);
    }
    alarms
}

/// Where an alarm stands on the bus.
pub(super) fn alarm_item(alarm: Alarm) -> Item<i32> {
    match alarm {
        Alarm::LowVoltage => b::ALARM_LOW_VOLTAGE,
        Alarm::HighVoltage => b::ALARM_HIGH_VOLTAGE,
        Alarm::LowCellVoltage => b::ALARM_LOW_CELL_VOLTAGE,
        Alarm::HighCellVoltage => b::ALARM_HIGH_CELL_VOLTAGE,
        Alarm::LowSoc => b::ALARM_LOW_SOC,
        Alarm::HighChargeCurrent => b::ALARM_HIGH_CHARGE_CURRENT,
        Alarm::HighDischargeCurrent => b::ALARM_HIGH_DISCHARGE_CURRENT,
        Alarm::HighTemperature => b::ALARM_HIGH_TEMPERATURE,
        Alarm::LowTemperature => b::ALARM_LOW_TEMPERATURE,
        Alarm::HighChargeTemperature => b::ALARM_HIGH_CHARGE_TEMPERATURE,
        Alarm::LowChargeTemperature => b::ALARM_LOW_CHARGE_TEMPERATURE,
        Alarm::HighInternalTemperature => b::ALARM_HIGH_INTERNAL_TEMPERATURE,
        Alarm::CellImbalance => b::ALARM_CELL_IMBALANCE,
        Alarm::InternalFailure => b::ALARM_INTERNAL_FAILURE,
        Alarm::BmsCable => b::ALARM_BMS_CABLE,
        Alarm::Contactor => b::ALARM_CONTACTOR,
        Alarm::FuseBlown => b::ALARM_FUSE_BLOWN,
        Alarm::BatteryTemperatureSensor => b::ALARM_BATTERY_TEMPERATURE_SENSOR,
        Alarm::ParallelBmsLost => b::ALARM_PARALLEL_BMS_LOST,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_stands_at_its_name() {
        for &alarm in Alarm::ALL {
            assert_eq!(alarm_item(alarm).path(), format!("/Alarms/{}", alarm.name()));
        }
    }
}
