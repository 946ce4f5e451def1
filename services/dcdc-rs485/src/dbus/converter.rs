//! The converter as items: from what it has said, with its ages.

use std::time::Duration;

use dbus_interfaces::classes::{battery as b, dcdc as d, device};
use dbus_interfaces::{Item, Update};
use tokio::time::Instant;

use super::silence::{HOLDS, Silence};
use crate::converter::{Meters, Picture};
use crate::eza::field::{self, Field};
use crate::eza::words::{self, CHARGE, DISCHARGE, VOLTAGE_REFERENCE, WAITING};

/// What is read seldom stands for this long.
const SELDOM_HOLDS: Duration = Duration::from_secs(30);
/// What is read once in a minute.
const RARELY_HOLDS: Duration = Duration::from_secs(180);
/// `/State`
const OFF: i32 = 0;
const FAULT: i32 = 2;
const BULK: i32 = 3;
const INVERTING: i32 = 9;
const POWER_SUPPLY: i32 = 11;
/// `/ErrorCode`: a fault of the converter, the nearest of Victron's charger errors. Which one it is its maker does not tell.
const CONVERTER_ISSUE: i32 = 28;
/// `/DeviceOffReason` (VE.Direct protocol, "OR"): by its mode, by the battery's limits.
const OFF_BY_MODE: i32 = 0x04;
const OFF_BY_BMS: i32 = 0x40;

/// Whether everything is there that a device on the bus shows at least, and is not old.
pub(super) fn is_whole(picture: &Picture, now: Instant) -> bool {
    let is_fresh = picture.mode.within(HOLDS, now).is_some() && picture.meters.within(HOLDS, now).is_some();
    is_fresh && picture.status.within(HOLDS, now).is_some() && picture.is_complete()
}

/// Everything that changes.
pub(super) fn update(tx: &mut Update<'_>, picture: &Picture, now: Instant) {
    let silence = Silence::since(picture.heard_at, now);
    let mode = picture.mode.within(HOLDS, now).map(|[mode]| mode);
    let cst = picture.status.within(HOLDS, now).map(|[cst, _]| cst);
    tx.set(device::CONNECTED, i32::from(silence == Silence::Heard)).set(d::ALARM_SILENT, silence.alarm());
    state(tx, picture, mode, cst);
    measured(tx, picture, now);
    set_points(tx, picture, now);
    inside(tx, picture, now);
    let troubles = &picture.troubles;
    tx.set(d::LINE_TIMEOUTS, troubles.timeouts)
        .set(d::LINE_BROKEN, troubles.broken)
        .set(d::LINE_REFUSALS, troubles.refusals)
        .set(d::LINE_RETRIES, troubles.retries)
        .set(d::LINE_LAST_ERROR, troubles.last.as_deref().map(str::to_owned));
}

fn state(tx: &mut Update<'_>, picture: &Picture, mode: Option<u16>, cst: Option<u16>) {
    let alarm = cst.map(words::alarm_bits).filter(|bits| *bits < 3).map(i32::from);
    let off = mode.filter(|mode| *mode == WAITING).map(|_| OFF_BY_MODE);
    let by_bms = picture.held.as_ref().map_or(0, |_| OFF_BY_BMS);
    let is_heavy = alarm == Some(2);
    tx.set(d::STATE, mode.zip(cst).map(|(mode, cst)| if is_heavy { FAULT } else { doing(mode, cst) }))
        .set(d::MODE, mode.map(|mode| if mode == WAITING { 4 } else { 1 }))
        .set(d::ERROR_CODE, alarm.map(|_| if is_heavy { CONVERTER_ISSUE } else { 0 }))
        .set(d::OFF_REASON, mode.map(|_| off.map_or(0, |off| off | by_bms)))
        .set(d::ALARM, alarm)
        .set(d::HELD, picture.held.as_deref().map(str::to_owned))
        .set(d::APIS_MODE, mode.map(i32::from))
        .set(d::APIS_MODE_TEXT, mode.and_then(|mode| words::operation_mode(mode).ok()).map(str::to_owned))
        .set(d::APIS_RUNNING_STATE, cst.and_then(|cst| words::running_state(cst).ok()).map(str::to_owned))
        .set(d::APIS_ALARM_STATE, cst.and_then(|cst| words::alarm_state(cst).ok()).map(str::to_owned))
        .set(d::APIS_CLEAR_ALARMS, 0);
}

/// `/State` of a converter without a heavy alarm.
fn doing(mode: u16, cst: u16) -> i32 {
    match (mode, words::running_bits(cst)) {
        (WAITING, _) => OFF,
        (VOLTAGE_REFERENCE | 0x0034, _) => POWER_SUPPLY,
        (CHARGE | 0x0001, _) => BULK,
        (DISCHARGE | 0x0022, _) => INVERTING,
        (_, 1) => BULK,
        (_, 2) => INVERTING,
        _ => OFF,
    }
}

fn measured(tx: &mut Update<'_>, picture: &Picture, now: Instant) {
    let meters = picture.meters.within(HOLDS, now).map(Meters::of);
    let of = |value: fn(&Meters) -> f64| meters.as_ref().map(value);
    tx.set(b::DC_VOLTAGE, of(|meters| meters.vb))
        .set(b::DC_CURRENT, of(|meters| meters.ib))
        .set(b::DC_POWER, of(|meters| meters.wb))
        // It means the battery's temperature, which nothing measures.
        .set(b::DC_TEMPERATURE, None)
        .set(d::IN_V, of(|meters| meters.vg))
        .set(d::IN_I, of(|meters| meters.ig))
        .set(d::IN_P, of(|meters| meters.wg))
        .set(d::APIS_TEMPERATURE, of(|meters| meters.tmp));
}

fn set_points(tx: &mut Update<'_>, picture: &Picture, now: Instant) {
    let words = [(&field::DVG, d::APIS_TARGET_VOLTAGE), (&field::DRG, d::APIS_DROOP_RATE)];
    show(tx, words, picture.target.within(SELDOM_HOLDS, now));
    let words = [
        (&field::CIB, d::APIS_BATTERY_CURRENT_LIMIT),
        (&field::DIG, d::APIS_CURRENT_LIMIT),
        (&field::UBV, d::APIS_BATTERY_UNDER_VOLTAGE),
        (&field::UGV, d::APIS_UNDER_VOLTAGE),
        (&field::OBV, d::APIS_BATTERY_OVER_VOLTAGE),
        (&field::OGV, d::APIS_OVER_VOLTAGE),
    ];
    show(tx, words, picture.limits.within(SELDOM_HOLDS, now));
    let words = [(&field::CVB, d::APIS_BATTERY_TARGET_VOLTAGE), (&field::DRB, d::APIS_BATTERY_DROOP_RATE)];
    show(tx, words, picture.battery_target.within(SELDOM_HOLDS, now));
    let words = [
        (&field::DLB, d::APIS_END_OF_DISCHARGE),
        (&field::CDB, d::APIS_CHARGE_NOTICE),
        (&field::DDB, d::APIS_DISCHARGE_NOTICE),
    ];
    let charging = picture.charging.within(SELDOM_HOLDS, now).map(|[_, _, dlb, cdb, ddb]| [dlb, cdb, ddb]);
    show(tx, words, charging);
    let [plus, minus] = d::APIS_DEAD_ZONES;
    show(tx, [(&field::PDZ, plus), (&field::MDZ, minus)], picture.dead_zones.within(RARELY_HOLDS, now));
}

fn inside(tx: &mut Update<'_>, picture: &Picture, now: Instant) {
    let alarms = picture.alarms.within(SELDOM_HOLDS, now).map(|words| words.map(i32::from));
    for (place, item) in d::APIS_ALARMS.into_iter().enumerate() {
        tx.set(item, alarms.and_then(|alarms| alarms.get(place).copied()));
    }
    let status = picture.status.within(HOLDS, now).map(|words| words.map(i32::from));
    tx.set(d::APIS_STATUS, status.map(|[cst, _]| cst)).set(d::APIS_EXT, status.map(|[_, ext]| ext));
    let words = [
        (&field::V5S, d::APIS_SUPPLY),
        (&field::FAN1, d::APIS_FAN.nth(1)),
        (&field::FAN2, d::APIS_FAN.nth(2)),
        (&field::FAN3, d::APIS_FAN.nth(3)),
        (&field::FAN4, d::APIS_FAN.nth(4)),
        (&field::FAN5, d::APIS_FAN.nth(5)),
    ];
    // Two temperatures come first, whose scale is not public.
    let auxiliary = picture.auxiliary.within(SELDOM_HOLDS, now);
    show(
        tx,
        words,
        auxiliary.map(|[_, _, v5s, fan1, fan2, fan3, fan4, fan5]| [v5s, fan1, fan2, fan3, fan4, fan5]),
    );
    tx.set(device::FIRMWARE_VERSION, firmware(picture));
}

/// Each word in its unit, or none of them.
fn show<const N: usize>(tx: &mut Update<'_>, items: [(&Field, Item<f64>); N], words: Option<[u16; N]>) {
    for (place, (field, item)) in items.into_iter().enumerate() {
        let word = words.as_ref().and_then(|words| words.get(place));
        tx.set(item, word.map(|word| field.value(*word)));
    }
}

/// `1.2`, or `1.2 / 3.4` where the second version is another one.
fn firmware(picture: &Picture) -> Option<String> {
    let mut texts: Vec<String> = picture
        .versions
        .iter()
        .filter_map(|version| version.words().map(|[minor, major]| format!("{major}.{minor}")))
        .collect();
    texts.dedup();
    (!texts.is_empty()).then(|| texts.join(" / "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_comes_from_the_mode_and_where_that_tells_nothing_from_the_direction() {
        assert_eq!(doing(WAITING, 1), OFF);
        assert_eq!(doing(CHARGE, 0), BULK);
        assert_eq!(doing(DISCHARGE, 2), INVERTING);
        assert_eq!(doing(VOLTAGE_REFERENCE, 2), POWER_SUPPLY);
        assert_eq!([doing(0x04, 1), doing(0x04, 2), doing(0x04, 0)], [BULK, INVERTING, OFF]);
    }
}
