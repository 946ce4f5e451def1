//! What is decided about current elsewhere, taken to the limits of a device.

use std::time::Duration;

use dbus_interfaces::classes::{follower, multi, told};
use dbus_interfaces::follower::{Limits, Stance};
use dbus_interfaces::{BusAddress, BusError, Update, Value, WriteRequest};
use tokio::time::Instant;

use super::control::Control;
use super::dvcc::{Dvcc, Link};
use super::followed::{ASK, Followed, RAMPING};
use super::life::Unit;
use super::sight::{Sight, sighted};
use super::wear::spared;
use crate::config::{self, AtEnd};
use crate::engine::encode::Written;
use crate::engine::map::WriteAt;
use crate::profile::write::Persist;

/// A source that is not there when the process begins is waited for so long: what the device was told before holds.
const HOLD: Duration = Duration::from_secs(10);
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
            None if config.dvcc => Ok(Some(Source::Dvcc(Dvcc::new(Instant::now())))),
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
                Some(wanted) => wanted,
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
                self.was_granted |= wanted.stance < Stance::Zero && is_something;
                if !self.was_granted && now < self.began + HOLD {
                    self.wanted = Some(wanted);
                    return;
                }
                wanted
            }
        };
        let volts = self.volts.steady();
        let (control, config, float) = (&mut self.control, &self.config, &mut self.float);
        let beyond = sighted(&self.device, config, |sight| {
            let beyond = want(control, &wanted, volts, config, sight);
            if let Some(most_v) = control.wanted(VOLTAGE) {
                float.keep_below(most_v, control, sight);
            }
            beyond
        });
        let mut wanted = wanted;
        if let Some(beyond) = beyond.flatten() {
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
        let has_decided = match &self.source {
            Some(Source::Followed(_)) => self.was_granted,
            Some(Source::Dvcc(_)) => self.wanted.is_some(),
            None => false,
        };
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
pub(super) const CHARGE: [&str; 2] = ["charge_current_limit", "charge_power_limit"];
pub(super) const DISCHARGE: [&str; 2] = ["discharge_current_limit", "discharge_power_limit"];
const VOLTAGE: &str = "charge_voltage_limit";

/// Wants the limits of a device to be these, and never more than its own. Says what the device cannot do of it.
fn want(
    control: &mut Control,
    wanted: &Wanted,
    volts: Option<f64>,
    config: &config::Device,
    sight: &Sight<'_>,
) -> Option<String> {
    let mut beyond = None;
    let wishes = [
        (CHARGE, wanted.charge_a, config.max_charge_current_a),
        (DISCHARGE, wanted.discharge_a, config.max_discharge_current_a),
    ];
    for ([current, power], amps, own) in wishes {
        let Some(amps) = amps.map(|amps| least(amps, own)) else { continue };
        // What is written seldom goes down in one step: the next write would come too late.
        let last = |write: &WriteAt| {
            let is_one_step = wanted.stance == Stance::Ramping && write.spec.persist == Persist::Flash;
            if is_one_step { 0.0 } else { amps }
        };
        if let Some(write) = sight.map.write(current, sight.point) {
            let limit = spared(write, last(write), control.wanted(current));
            let least = write.limits(sight.point).map(|(least, _)| least);
            if let Some(least) = least.filter(|least| limit < *least) {
                beyond = Some(format!("this inverter takes no {current} below {least} A"));
            }
            control.want(current, limit, sight);
        } else if let Some(write) = sight.map.write(power, sight.point) {
            let amps = last(write);
            // A battery that is charged does not get beyond its charge voltage.
            let highest = wanted.voltage_v.filter(|volts| *volts > 0.0).unwrap_or(f64::INFINITY);
            let watts = match volts {
                Some(volts) => Some((amps * volts.min(highest)).floor()),
                // No current is no power at any voltage.
                None => (amps == 0.0).then_some(0.0),
            };
            match watts {
                Some(watts) => control.want(power, spared(write, watts, control.wanted(power)), sight),
                None => beyond = Some(format!("{power} stays: the battery's voltage is not known")),
            }
        } else if let Some(why) = [current, power].iter().find_map(|name| only_when(name, sight)) {
            beyond = Some(why);
        }
    }
    if let Some(volts) = wanted.voltage_v.filter(|volts| *volts > 0.0) {
        match sight.map.write(VOLTAGE, sight.point) {
            Some(write) => {
                let least = write.limits(sight.point).map(|(least, _)| least).filter(|least| volts < *least);
                if let Some(least) = least {
                    beyond = Some(format!("this inverter takes no {VOLTAGE} below {least} V"));
                }
                // The lowest that it takes is too much; it is better than more, and never a raise.
                let shown = write.shown(sight.image, sight.point);
                if least.is_none_or(|least| shown.is_some_and(|shown| shown > least)) {
                    control.want(VOLTAGE, spared(write, volts, control.wanted(VOLTAGE)), sight);
                }
            }
            None => beyond = beyond.or_else(|| only_when(VOLTAGE, sight)),
        }
    }
    beyond
}

/// Why what the device has cannot be set now.
fn only_when(name: &str, sight: &Sight<'_>) -> Option<String> {
    let condition = sight.map.only_when(name, sight.point)?;
    Some(format!("this inverter lets {name} be set only while {condition}"))
}

fn least(limit: f64, own: Option<f64>) -> f64 {
    own.map_or(limit, |own| own.min(limit)).max(0.0)
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
    // What the decision comes to here: its own limits are never exceeded.
    let charge_a =
        wanted.and_then(|wanted| wanted.charge_a).map(|amps| least(amps, config.max_charge_current_a));
    let discharge_a =
        wanted.and_then(|wanted| wanted.discharge_a).map(|amps| least(amps, config.max_discharge_current_a));
    tx.set(told::MAX_CHARGE_CURRENT, charge_a)
        .set(told::MAX_DISCHARGE_CURRENT, discharge_a)
        .set(
            told::MAX_CHARGE_VOLTAGE,
            wanted.and_then(|wanted| wanted.voltage_v).filter(|volts| *volts > 0.0),
        )
        .set(told::WHY, wanted.map(|wanted| wanted.reason.clone()));
    let is_lost = wanted.is_some_and(|wanted| match wanted.stance {
        Stance::Ramping | Stance::Zero => true,
        Stance::Waiting => now >= unit.began + HOLD,
        _ => false,
    });
    let unheeded = sighted(&unit.device, config, |sight| unit.control.unheeded(sight)).flatten();
    let is_unheeded = unheeded.is_some();
    let words = [wanted.map(|wanted| unit.waiting.after(&wanted.reason)), unheeded];
    let words: Vec<String> = words.into_iter().flatten().collect();
    tx.set(multi::CONNECTION_INFORMATION, (!words.is_empty()).then(|| words.join("; ")))
        .set(multi::ALARM_BMS_CONNECTION_LOST, if is_lost || is_unheeded { 2 } else { 0 });
}

/// Resolves when the source shows something new.
pub(super) async fn changed(source: &mut Option<Source>) -> Result<(), BusError> {
    match source {
        Some(Source::Followed(followed)) => followed.changed().await,
        _ => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::image::Image;
    use crate::engine::map::Map;
    use crate::profile::builtin;
    use crate::profile::scalar::Table;

    /// What is written first to a Deye that shows limits of 50 A, for wishes of 30 A that are come by in this way.
    fn written(stance: Stance) -> u16 {
        let profile = builtin::by_id("deye-one-phase").unwrap();
        let map = Map::new(&profile, None, true);
        let mut image = Image::default();
        image.put(Table::Holding, 210, &[50, 50], 1);
        let sight = Sight { map: &map, image: &image, point: &|_| None, secret: &|_| None, reads: 1 };
        let (mut control, now) = (Control::default(), Instant::now());
        let wanted = Wanted {
            charge_a: Some(30.0),
            discharge_a: None,
            voltage_v: None,
            stance,
            reason: String::new(),
        };
        assert_eq!(want(&mut control, &wanted, None, &config::Device::at(&profile.id), &sight), None);
        let order = control.next(&sight, now).unwrap();
        assert_eq!(order.name, "charge_current_limit");
        assert_eq!(control.next(&sight, now), None, "what is left to the device is not written");
        order.writes[0].values[0]
    }

    #[test]
    fn what_an_inverter_cannot_do_is_said() {
        let profile = builtin::by_id("growatt-spf").unwrap();
        let (map, image) = (Map::new(&profile, None, true), Image::default());
        let said = |battery_type: f64| {
            let point = |name: &str| (name == "x_battery_type").then_some(battery_type);
            let sight = Sight { map: &map, image: &image, point: &point, secret: &|_| None, reads: 0 };
            let wanted = Wanted {
                charge_a: Some(0.0),
                discharge_a: Some(0.0),
                voltage_v: None,
                stance: Stance::Obeying,
                reason: String::new(),
            };
            let mut control = Control::default();
            let said = want(&mut control, &wanted, None, &config::Device::at(&profile.id), &sight);
            (control.wanted(CHARGE[0]), said.unwrap_or_default())
        };
        assert_eq!(
            said(0.0),
            (Some(10.0), "this inverter takes no charge_current_limit below 10 A".to_owned())
        );
        let why = "this inverter lets charge_current_limit be set only while x_battery_type != 3";
        assert_eq!(said(3.0), (None, why.to_owned()));
    }

    /// What a Growatt SPF that shows this charge voltage is to be set to where 28.4 V are decided, and what is said.
    fn low_voltage(shown: Option<u16>) -> (Option<f64>, Option<String>) {
        let map = Map::new(&builtin::by_id("growatt-spf").unwrap(), None, true);
        let mut image = Image::default();
        if let Some(tenths) = shown {
            image.put(Table::Holding, 35, &[tenths], 1);
        }
        // The user's own type of battery: with others it cannot be set.
        let point = |name: &str| (name == "x_battery_type").then_some(2.0);
        let sight = Sight { map: &map, image: &image, point: &point, secret: &|_| None, reads: 1 };
        let wanted = Wanted {
            charge_a: None,
            discharge_a: None,
            voltage_v: Some(28.4),
            stance: Stance::Obeying,
            reason: String::new(),
        };
        let mut control = Control::default();
        let said = want(&mut control, &wanted, None, &config::Device::at("growatt-spf"), &sight);
        (control.wanted(VOLTAGE), said)
    }

    #[test]
    fn a_charge_voltage_is_never_raised_to_what_the_inverter_can() {
        let least = builtin::by_id("growatt-spf").unwrap();
        let least =
            least.write.iter().find(|write| write.name == VOLTAGE).and_then(|write| write.min).unwrap();
        let said = Some(format!("this inverter takes no {VOLTAGE} below {least} V"));
        assert_eq!(low_voltage(None), (None, said.clone()));
        assert_eq!(low_voltage(Some(280)), (None, said.clone()));
        assert_eq!(low_voltage(Some(560)), (Some(least), said));
    }

    #[tokio::test(start_paused = true)]
    async fn memory_that_wears_out_goes_down_in_one_step_for_want_of_a_second_write() {
        assert_eq!(written(Stance::Obeying), 30);
        assert_eq!(written(Stance::Ramping), 0);
    }
}
