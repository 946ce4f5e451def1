//! What is decided about current elsewhere, taken to the limits of a device.

use dbus_interfaces::classes::{follower, multi, told};
use dbus_interfaces::follower::{Limits, Stance};
use dbus_interfaces::{BusAddress, BusError, Update, Value, WriteRequest};
use tokio::time::Instant;

use super::dvcc::{Dvcc, Link};
use super::followed::{ASK, Followed, RAMPING};
use super::life::Unit;
use super::limits::{CHARGE, DISCHARGE, want};
use super::sight::sighted;
use crate::config::{self, AtEnd};
use crate::engine::encode::Written;
use crate::profile::write::Persist;

/// How fast a device follows whose memory does not wear out, and one whose memory does, s.
const RESPONSE_RAM_S: f64 = 5.0;
const RESPONSE_FLASH_S: f64 = 35.0;

/// What the device is to do. Nothing for a limit that is left to it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Wanted {
    /// Most current into the battery, A.
    pub(super) charge_a: Option<f64>,
    /// Most current out of it, A.
    pub(super) discharge_a: Option<f64>,
    /// Charge voltage, V.
    pub(super) voltage_v: Option<f64>,
    /// How the limits are come by.
    pub(super) stance: Stance,
    /// Why, in words.
    pub(super) reason: String,
}

impl From<&Limits> for Wanted {
    fn from(limits: &Limits) -> Wanted {
        Wanted {
            charge_a: Some(limits.charge_current_a),
            discharge_a: Some(limits.discharge_current_a),
            voltage_v: limits.charge_voltage_v,
            stance: limits.stance,
            reason: limits.reason.clone(),
        }
    }
}

#[cfg(test)]
impl Wanted {
    /// These currents are decided with fresh data, A.
    pub(super) fn decided(charge_a: f64, discharge_a: f64) -> Wanted {
        Wanted {
            charge_a: Some(charge_a),
            discharge_a: Some(discharge_a),
            voltage_v: None,
            stance: Stance::Obeying,
            reason: String::new(),
        }
    }
}

/// Where limits come from.
pub(super) enum Source {
    /// The manager of the bank, or a battery.
    Followed(Followed),
    /// DVCC.
    Dvcc(Dvcc),
}

impl Source {
    /// Where the configuration says, for the service of this name.
    ///
    /// # Errors
    /// The bus is not there.
    pub(super) async fn of(
        config: &config::Device,
        own_name: &str,
        bus: &BusAddress,
    ) -> Result<Option<Source>, BusError> {
        match &config.follow {
            Some(source) => Followed::start(source, own_name, bus).await.map(|it| Some(Source::Followed(it))),
            None if config.dvcc => Ok(Some(Source::Dvcc(Dvcc::default()))),
            None => Ok(None),
        }
    }

    /// When to look again, whatever happens.
    pub(super) fn next(&self, wanted: Option<&Wanted>, now: Instant) -> Option<Instant> {
        match self {
            Source::Followed(followed) => followed.next(),
            Source::Dvcc(_) => {
                let is_ramping = wanted.is_some_and(|wanted| wanted.stance == Stance::Ramping);
                Some(now + if is_ramping { RAMPING } else { ASK })
            }
        }
    }

    /// Why clients may not set what it decides.
    pub(super) fn decides(&self) -> &'static str {
        match self {
            Source::Followed(_) => "it follows the decision for the bank",
            Source::Dvcc(_) => "DVCC decides it",
        }
    }
}

impl Unit {
    /// Takes what is decided about current to the limits of the device.
    pub(super) fn follow(&mut self, now: Instant) {
        let wanted = match &mut self.source {
            None => return,
            Some(Source::Dvcc(dvcc)) => match dvcc.look(now) {
                Some(wanted) => {
                    self.grace.granted();
                    wanted
                }
                None => return,
            },
            Some(Source::Followed(followed)) => {
                if followed.next().is_some_and(|next| next > now) && self.wanted.is_some() {
                    return;
                }
                let wanted = Wanted::from(&followed.look(now));
                // A manager that waits for its own first data gives 0 A: an island would go dark for that.
                let is_something =
                    [wanted.charge_a, wanted.discharge_a].into_iter().flatten().any(|amps| amps > 0.0);
                // Nor is what is held for want of data, or on its way to nothing, decided about it now.
                if wanted.stance <= Stance::Returning && is_something {
                    self.grace.granted();
                }
                if self.grace.holds(now) {
                    self.wanted = Some(wanted);
                    return;
                }
                wanted
            }
        };
        let volts = self.volts.steady(now);
        let (control, config) = (&mut self.control, &self.config);
        let told = sighted(&self.device, config, |sight| want(control, &wanted, volts, config, sight));
        self.told = told.unwrap_or_default();
        let mut wanted = wanted;
        for beyond in &self.told.beyond {
            wanted.reason = format!("{}; {beyond}", wanted.reason);
        }
        if self.wanted.as_ref().is_none_or(|before| before.reason != wanted.reason) {
            tracing::info!(device = self.device.access().label(), "limits: {}", wanted.reason);
            self.is_due = true;
        }
        self.wanted = Some(wanted);
    }

    /// DVCC writes. Returns what is none of its items.
    pub(super) fn told(&mut self, write: WriteRequest) -> Option<WriteRequest> {
        let Some(Source::Dvcc(dvcc)) = &mut self.source else { return Some(write) };
        let links = [
            (write.is(multi::LINK_CHARGE_CURRENT), Link::ChargeCurrent),
            (write.is(multi::LINK_DISCHARGE_CURRENT), Link::DischargeCurrent),
            (write.is(multi::LINK_CHARGE_VOLTAGE), Link::ChargeVoltage),
            (write.is(multi::LINK_NETWORK_MODE), Link::NetworkMode),
        ];
        let Some((_, link)) = links.into_iter().find(|(is_it, _)| *is_it) else { return Some(write) };
        match dvcc.hear(link, write.value().and_then(Value::as_f64), Instant::now()) {
            Ok(()) => write.accept(),
            Err(why) => write.refuse(why),
        }
        None
    }
}

impl Unit {
    /// The writes that leave the limits as they should be when nobody stands behind them any more; none where nothing was
    /// followed. What the device had of its own before is not restored: it may be years old, and of another battery.
    pub(super) fn last_limits(&mut self) -> Vec<Written> {
        if self.source.is_none() || !self.grace.has_decided() {
            return Vec::new();
        }
        let (charge, discharge) = match self.config.at_end {
            AtEnd::Keep => (None, None),
            AtEnd::StopCharging => (Some(0.0), None),
            AtEnd::Zero => (Some(0.0), Some(0.0)),
        };
        let control = &mut self.control;
        let ends =
            CHARGE.map(|name| (name, charge)).into_iter().chain(DISCHARGE.map(|name| (name, discharge)));
        let writes = sighted(&self.device, &self.config, |sight| {
            let writes = ends.flat_map(|(name, value)| match value {
                Some(value) => control.last(name, value, sight),
                None => control.last_as_it_is(name, sight),
            });
            writes.collect()
        });
        writes.unwrap_or_default()
    }
}

/// What a unit says of what its limits follow.
pub(super) fn follows(tx: &mut Update<'_>, unit: &Unit, now: Instant) {
    let Some(source) = &unit.source else { return };
    let (config, wanted) = (&unit.config, unit.wanted.as_ref());
    match source {
        Source::Followed(followed) => {
            let limit = unit.profile.write.iter().find(|write| CHARGE.contains(&write.name.as_str()));
            let is_flash = limit.is_some_and(|write| write.persist == Persist::Flash);
            let step = limit.and_then(|write| write.step).unwrap_or(1.0);
            let is_power = limit.is_some_and(|write| write.name == CHARGE[1]);
            let volts = unit.device.points().number("battery_voltage").filter(|volts| *volts > 1.0);
            let step_a = if is_power { volts.map_or(1.0, |volts| step / volts) } else { step };
            tx.set(follower::FOLLOWS, followed.name().to_owned())
                .set(follower::CHARGE_RATING, config.max_charge_current_a)
                .set(follower::DISCHARGE_RATING, config.max_discharge_current_a)
                .set(follower::RESPONSE, if is_flash { RESPONSE_FLASH_S } else { RESPONSE_RAM_S })
                .set(follower::CURRENT_STEP, step_a);
        }
        Source::Dvcc(dvcc) => {
            tx.set(multi::LINK_CHARGE_CURRENT, dvcc.shown(Link::ChargeCurrent, now))
                .set(multi::LINK_DISCHARGE_CURRENT, dvcc.shown(Link::DischargeCurrent, now))
                .set(multi::LINK_CHARGE_VOLTAGE, dvcc.shown(Link::ChargeVoltage, now))
                .set(multi::LINK_NETWORK_MODE, dvcc.shown(Link::NetworkMode, now).map(|mode| mode as i32))
                .set(multi::CHARGE_CURRENT_LIMIT, config.charge_capacity_a(&unit.profile))
                .set(multi::BMS_PRESENT, 0)
                .set(multi::N2K_DEVICE_INSTANCE, 0);
        }
    }
    let told = &unit.told;
    tx.set(told::MAX_CHARGE_CURRENT, told.charge_a)
        .set(told::MAX_DISCHARGE_CURRENT, told.discharge_a)
        .set(told::MAX_CHARGE_VOLTAGE, told.voltage_v);
    let is_lost = wanted.is_some_and(|wanted| match wanted.stance {
        Stance::Ramping | Stance::Zero => true,
        Stance::Waiting => !unit.grace.holds(now),
        _ => false,
    });
    let unheeded = sighted(&unit.device, config, |sight| unit.control.unheeded(sight)).flatten();
    let alarm = match () {
        () if is_lost || unheeded.is_some() => 2,
        () if told.is_beyond => 1,
        () => 0,
    };
    let words = [wanted.map(|wanted| unit.waiting.after(&wanted.reason)), unheeded];
    let words: Vec<String> = words.into_iter().flatten().collect();
    let words = (!words.is_empty()).then(|| words.join("; "));
    tx.set(told::WHY, words.clone())
        .set(multi::CONNECTION_INFORMATION, words)
        .set(multi::ALARM_BMS_CONNECTION_LOST, alarm);
}

/// Resolves when the source shows something new.
pub(super) async fn changed(source: &mut Option<Source>) -> Result<(), BusError> {
    match source {
        Some(Source::Followed(followed)) => followed.changed().await,
        _ => std::future::pending().await,
    }
}
