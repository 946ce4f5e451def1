//! The decision for the bank, taken to the limits of a device.

use std::time::Duration;

use dbus_interfaces::Update;
use dbus_interfaces::classes::{follower, multi};
use dbus_interfaces::follower::{Limits, Stance};
use tokio::time::Instant;

use super::control::Control;
use super::followed::Followed;
use super::life::Unit;
use super::sight::{Sight, sighted};
use crate::config::{self, AtEnd};
use crate::engine::encode::Written;
use crate::profile::Profile;
use crate::profile::write::Persist;

/// A source that is not there when the process begins is waited for so long: what the device was told before holds.
const HOLD: Duration = Duration::from_secs(10);
/// How fast a device follows whose memory does not wear out, and one whose memory does, s.
const RESPONSE_RAM_S: f64 = 5.0;
const RESPONSE_FLASH_S: f64 = 35.0;

impl Unit {
    /// Takes the decision that is followed to the limits of the device.
    pub(super) fn follow(&mut self, now: Instant) {
        let Some(followed) = &mut self.followed else { return };
        if followed.next().is_some_and(|next| next > now) && self.limits.is_some() {
            return;
        }
        let limits = followed.look(now);
        self.was_granted |= limits.stance < Stance::Zero;
        if self.was_granted || now >= self.began + HOLD {
            let (control, config) = (&mut self.control, &self.config);
            sighted(&self.device, config, |sight| want(control, &limits, config, sight));
        }
        self.limits = Some(limits);
    }
}

impl Unit {
    /// The writes that leave the limits as they should be when nobody stands behind them any more; none where nothing was
    /// followed. What the device had of its own before is not restored: it may be years old, and of another battery.
    pub(super) fn last_limits(&mut self) -> Vec<Written> {
        let has_decided = self.followed.is_some() && self.was_granted;
        let names: &[&str] = match self.config.at_end {
            _ if !has_decided => &[],
            AtEnd::Keep => &[],
            AtEnd::StopCharging => &CHARGE,
            AtEnd::Zero => &[CHARGE[0], CHARGE[1], DISCHARGE[0], DISCHARGE[1]],
        };
        let control = &mut self.control;
        let writes = sighted(&self.device, &self.config, |sight| {
            names.iter().flat_map(|name| control.last(name, 0.0, sight)).collect()
        });
        writes.unwrap_or_default()
    }
}

/// The limits that follow, of current and of power.
const CHARGE: [&str; 2] = ["charge_current_limit", "charge_power_limit"];
const DISCHARGE: [&str; 2] = ["discharge_current_limit", "discharge_power_limit"];

/// Wants the limits of a device to be these, and never more than its own.
fn want(control: &mut Control, limits: &Limits, config: &config::Device, sight: &Sight<'_>) {
    let charge_a = least(limits.charge_current_a, config.max_charge_current_a);
    let discharge_a = least(limits.discharge_current_a, config.max_discharge_current_a);
    for ([current, power], amps) in [(CHARGE, charge_a), (DISCHARGE, discharge_a)] {
        if sight.map.write(current, sight.point).is_some() {
            control.want(current, amps, sight);
        } else if let Some(volts) = (sight.point)("battery_voltage") {
            control.want(power, (amps * volts).floor(), sight);
        }
    }
    if let Some(volts) = limits.charge_voltage_v.filter(|volts| *volts > 0.0) {
        control.want("charge_voltage_limit", volts, sight);
    }
}

fn least(limit: f64, own: Option<f64>) -> f64 {
    own.map_or(limit, |own| own.min(limit)).max(0.0)
}

/// What the unit of a follower says of itself.
pub(super) fn follows(
    tx: &mut Update<'_>,
    name: &str,
    limits: Option<&Limits>,
    config: &config::Device,
    profile: &Profile,
) {
    let limit = profile.write.iter().find(|write| write.name.starts_with("charge_"));
    let is_flash = limit.is_some_and(|write| write.persist == Persist::Flash);
    tx.set(follower::FOLLOWS, name.to_owned())
        .set(follower::CHARGE_RATING, config.max_charge_current_a)
        .set(follower::DISCHARGE_RATING, config.max_discharge_current_a)
        .set(follower::RESPONSE, if is_flash { RESPONSE_FLASH_S } else { RESPONSE_RAM_S })
        .set(follower::CURRENT_STEP, limit.and_then(|write| write.step).unwrap_or(1.0))
        .set(multi::CONNECTION_INFORMATION, limits.map(|limits| limits.reason.clone()));
}

/// Resolves when the source shows something new.
pub(super) async fn changed(followed: &mut Option<Followed>) -> Result<(), dbus_interfaces::BusError> {
    match followed {
        Some(followed) => followed.changed().await,
        None => std::future::pending().await,
    }
}
