//! What the inverter was told, what it does, since when and why, as items of its service.

use std::time::Duration;

use dbus_interfaces::Update;
use dbus_interfaces::classes::{device, follower, multi, told};
use tokio::time::Instant;

use super::profile::Profile;
use super::station::{Doing, Station};
use super::told::Facts;

/// Steps of `/Told/For`: enough for a person, and little traffic.
const STEP: Duration = Duration::from_secs(5);

/// What does not change while the process runs.
pub(super) fn standing(tx: &mut Update<'_>, profile: &Profile, facts: &Facts, follows: &str) {
    tx.set(told::PROFILE, profile.name.to_owned())
        .set(follower::FOLLOWS, follows.to_owned())
        .set(follower::CHARGE_RATING, facts.max_charge_current_a)
        .set(follower::DISCHARGE_RATING, facts.max_discharge_current_a)
        .set(follower::RESPONSE, profile.response_s)
        .set(follower::CURRENT_STEP, 0.1)
        .set(follower::DRAWS_DOWN, i32::from(profile.draws_down));
}

/// What changes.
pub(super) fn update(tx: &mut Update<'_>, station: &Station, why: &str, now: Instant) {
    let (doing, since) = station.doing();
    let shown = station.told();
    let since_s = since.map(|since| {
        let steps = now.duration_since(since).as_secs() / STEP.as_secs();
        i32::try_from(steps * STEP.as_secs()).unwrap_or(i32::MAX)
    });
    tx.set(device::CONNECTED, i32::from(station.has_inverter(now)))
        .set(told::INVERTER_IS_THERE, i32::from(station.has_inverter(now)))
        .set(told::DOING, doing as i32)
        .set(told::FOR, since_s)
        .set(told::WHY, why.to_owned())
        .set(told::MAX_CHARGE_VOLTAGE, shown.map(|told| told.charge_voltage_v))
        .set(told::MAX_CHARGE_CURRENT, shown.map(|told| told.charge_current_a))
        .set(told::MAX_DISCHARGE_CURRENT, shown.map(|told| told.discharge_current_a))
        .set(told::SOC, shown.map(|told| told.measured.soc_pct))
        .set(multi::ALARM_BMS_CONNECTION_LOST, alarm(doing))
        .set(multi::CONNECTION_INFORMATION, why.to_owned());
}

/// What the user must look after.
fn alarm(doing: Doing) -> i32 {
    match doing {
        Doing::Telling | Doing::Listening | Doing::Waiting => 0,
        Doing::NoBus | Doing::Another => 1,
        Doing::Safe | Doing::Stopped => 2,
    }
}
