//! Points as items.

use dbus_interfaces::classes::{ac, battery as b, control as c, device, multi as m, polled, pvinverter};
use dbus_interfaces::{Item, Update};
use tokio::time::Instant;

use super::half::Role;
use crate::config::{self, AcInput};
use crate::device::poll::Device;
use crate::engine::decode::Value;
use crate::engine::filter::Filter;
use crate::profile::expr::Condition;
use crate::profile::point::Alarm;
use crate::profile::write::{Mode, WritePoint};
use crate::profile::{Class, Profile, names};

/// Less than this into or out of the battery is rest, W.
const AT_REST_W: f64 = 30.0;
/// Steps in which ages are shown: enough for a person, and little traffic.
const AGE_STEP_S: u64 = 5;
/// `/Mode` on and off.
const ON: i32 = 3;
const OFF: i32 = 4;
/// `/Ac/ActiveIn/ActiveInput` without one.
const NO_INPUT: i32 = 240;

/// What is shown of a device at one moment.
pub(super) struct View<'v> {
    /// The device.
    pub(super) device: &'v Device,
    /// What the user knows and sets.
    pub(super) config: &'v config::Device,
    /// Its values count: it was heard not long ago.
    pub(super) is_there: bool,
    /// The unit of the pair, for the system above it.
    pub(super) member: Option<(&'v str, i32)>,
    /// The set points are shown and may be written.
    pub(super) is_controlled: bool,
    /// What the last wish came to.
    pub(super) result: &'v str,
    /// The power for `charge` and `discharge`, W.
    pub(super) power_w: f64,
    /// Writes to memory that wears out.
    pub(super) flash_writes: u32,
    /// Now.
    pub(super) now: Instant,
}

impl View<'_> {
    fn points(&self) -> &Filter {
        self.device.points()
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.points().number(name).filter(|_| self.is_there)
    }

    /// Lines: what the device says, otherwise what the profile says.
    fn phases(&self) -> u16 {
        let said = self.points().number("phases").filter(|phases| (1.0..=3.0).contains(phases));
        said.map_or(u16::from(self.device.profile().phases), |phases| phases as u16)
    }

    /// What is measured at one line of a side; the whole where there is only one line, its part where nothing else is known.
    fn line(&self, side: &str, line: u16, what: &str) -> Option<f64> {
        let whole = || self.number(&format!("{side}_{what}"));
        self.number(&format!("{side}_l{line}_{what}")).or_else(|| match what {
            "power" if self.phases() == 1 => whole(),
            "power" => {
                let has_any = (1..=3).any(|line| self.number(&format!("{side}_l{line}_{what}")).is_some());
                whole().filter(|_| !has_any).map(|watts| watts / f64::from(self.phases()))
            }
            "frequency" => whole(),
            _ => None,
        })
    }

    /// The power of a side: what the device says, otherwise the sum of its lines.
    fn total(&self, side: &str) -> Option<f64> {
        self.number(&format!("{side}_power")).or_else(|| {
            let lines: Option<Vec<f64>> =
                (1..=self.phases()).map(|line| self.number(&format!("{side}_l{line}_power"))).collect();
            lines.map(|lines| lines.iter().sum())
        })
    }

    /// The line of the house that a line of the device is.
    fn house_line(&self, line: u16) -> u16 {
        if self.phases() == 1 { u16::from(self.config.phase) } else { line }
    }

    fn battery_w(&self) -> Option<f64> {
        let product = || Some(self.number("battery_voltage")? * self.number("battery_current")?);
        self.number("battery_power").or_else(product)
    }

    fn battery_a(&self) -> Option<f64> {
        self.number("battery_current").or_else(|| {
            let volts = self.number("battery_voltage").filter(|volts| *volts > 1.0)?;
            Some(self.number("battery_power")? / volts)
        })
    }

    fn grid_is_connected(&self) -> Option<bool> {
        self.number("grid_connected").map(|is| is != 0.0).or_else(|| {
            let volts = self.number("ac_in_l1_voltage").or_else(|| self.number("grid_l1_voltage"))?;
            Some(volts > 50.0)
        })
    }

    fn active_input(&self) -> Option<i32> {
        if self.config.ac_input == AcInput::None {
            return Some(NO_INPUT);
        }
        let is_on_generator = self.number("gen_connected").is_some_and(|is| is != 0.0);
        let grid = self.grid_is_connected();
        match grid {
            Some(true) => Some(0),
            _ if is_on_generator => Some(1),
            Some(false) => Some(NO_INPUT),
            None => None,
        }
    }

    /// `/State`: 0 off, 1 low power, 2 fault, 3 bulk, 8 pass-through, 9 inverting, 10 assisting.
    fn state(&self) -> Option<i32> {
        let word = self.points().text("state").filter(|_| self.is_there);
        let flows = || {
            let battery = self.battery_w().unwrap_or(0.0);
            match self.grid_is_connected() {
                Some(false) => 9,
                _ if battery > AT_REST_W => 3,
                _ if battery < -AT_REST_W => 10,
                _ => 8,
            }
        };
        match word {
            Some("off") => Some(0),
            Some("standby" | "starting") => Some(1),
            Some("fault") => Some(2),
            Some("charging") => Some(3),
            Some("bypass" | "passthru") => Some(8),
            Some("inverting" | "discharging") => Some(9),
            Some(_) => Some(flows()),
            None => self.battery_w().map(|_| flows()),
        }
    }

    fn is_on(&self) -> Option<bool> {
        let by_switch = self.number("on_off").map(|on| on != 0.0);
        by_switch.or_else(|| self.state().map(|state| state != 0))
    }

    /// 0, 1 or 2 for an alarm; nothing where nothing can say it.
    fn alarm(&self, alarm: Alarm) -> Option<i32> {
        let mut level = None;
        for (name, raised) in [("warning_code", 1), ("fault_code", 2)] {
            if let Some(Value::Bits(bits)) = self.points().get(name).filter(|_| self.is_there) {
                let here = if bits.alarms.contains(&alarm) { raised } else { 0 };
                level = Some(level.unwrap_or(0).max(here));
            }
        }
        level
    }

    /// What the device says of faults and warnings.
    fn faults(&self) -> Option<String> {
        let said = ["fault_code", "warning_code"].into_iter().filter_map(|name| self.points().get(name));
        let texts: Vec<Vec<String>> = said
            .filter_map(|value| match value {
                Value::Bits(bits) => Some(bits.texts.clone()),
                _ => None,
            })
            .collect();
        (self.is_there && !texts.is_empty()).then(|| texts.concat().join(", "))
    }

    fn error(&self) -> Option<i32> {
        match self.points().get("fault_code").filter(|_| self.is_there)? {
            Value::Bits(bits) if bits.raw == 0 => Some(0),
            Value::Bits(bits) => i32::try_from(bits.raw.trailing_zeros() + 1).ok(),
            value => value.number().map(|code| code as i32),
        }
    }
}

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
            // The meter of a hybrid is read with the hybrid.
            if view.device.profile().class == Class::Grid {
                polled_by(tx, view);
            }
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
    // DVCC reads it once, when the service appears: it leaves this device alone.
    tx.set(m::IS_INVERTER_CHARGER, 0)
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

/// The set points, as the device has them.
fn controls(tx: &mut Update<'_>, view: &View<'_>) {
    let Some(map) = view.device.map().filter(|_| view.is_controlled) else { return };
    let point = |name: &str| view.number(name);
    for write in &map.writes {
        if let Some(item) = item_of(&write.spec) {
            let holds = write.spec.when.as_ref().is_none_or(|when| when.holds(&point));
            let shown = write.shown(view.device.image()).filter(|_| view.is_there && holds);
            tx.set(item, shown);
        }
    }
    if !map.modes.is_empty() {
        let is_active =
            |active: &Option<Condition>| active.as_ref().is_some_and(|active| active.holds(&point));
        let active = map.modes.iter().find(|mode| is_active(&mode.active));
        tx.set(c::MODE, view.is_there.then(|| active.map_or(0, |mode| mode_number(mode.name))));
        tx.set(c::POWER, view.power_w);
    }
    tx.set(c::RESULT, view.result.to_owned())
        .set(c::FLASH_WRITES, i32::try_from(view.flash_writes).unwrap_or(i32::MAX));
}

/// The item of a set point; one that is not canonical has none.
pub(super) fn item_of(write: &WritePoint) -> Option<Item<f64>> {
    let (_, item) = c::SET_POINTS.iter().find(|(name, _)| *name == write.name)?;
    Some(match (write.min, write.max) {
        (Some(min), Some(max)) => item.range(min, max),
        _ => *item,
    })
}

/// The place of a way of running in [`c::MODES`].
pub(super) const fn mode_number(mode: Mode) -> i32 {
    match mode {
        Mode::SelfConsumption => 1,
        Mode::Sleep => 2,
        Mode::OffGrid => 3,
        Mode::Charge => 4,
        Mode::Discharge => 5,
        Mode::On => 6,
        Mode::Off => 7,
    }
}

/// How the device is heard.
fn polled_by(tx: &mut Update<'_>, view: &View<'_>) {
    let figures = view.device.access().line().figures();
    tx.set(polled::PROFILE, view.device.profile().id.clone())
        .set(polled::UTILISATION, (figures.utilisation * 100.0).round())
        .set(polled::REQUESTS, i32::try_from(figures.requests).unwrap_or(i32::MAX))
        .set(polled::SILENCES, i32::try_from(figures.silences).unwrap_or(i32::MAX))
        .set(polled::FAULTS, view.faults());
    let entries = view.device.schedule().into_iter().flat_map(|schedule| schedule.iter());
    for (n, entry) in (0..view.device.blocks()).zip(entries) {
        let range = entry.request.range;
        let age = entry.read_at.map(|at| view.now.duration_since(at).as_secs() / AGE_STEP_S * AGE_STEP_S);
        tx.set(polled::BLOCK.nth(n), format!("{} {}+{}", range.table, range.addr, range.count))
            .set(polled::BLOCK_AGE.nth(n), age.and_then(|age| i32::try_from(age).ok()))
            .set(
                polled::BLOCK_PERIOD.nth(n),
                entry.request.every.period().map(|period| period.as_secs_f64()),
            );
    }
    // What is not read any more, since a device turned out to have less.
    for n in view.device.blocks()..view.device.most_blocks() {
        tx.set(polled::BLOCK.nth(n), None::<String>)
            .set(polled::BLOCK_AGE.nth(n), None::<i32>)
            .set(polled::BLOCK_PERIOD.nth(n), None::<f64>);
    }
    extras(tx, view);
}

/// Points that are not canonical, under their own names.
fn extras(tx: &mut Update<'_>, view: &View<'_>) {
    let Some(map) = view.device.map() else { return };
    for (n, group) in (0_u16..).zip(map.groups.iter().filter(|group| names::is_extra(&group.name))) {
        tx.set(polled::EXTRA_NAME.nth(n), group.name.trim_start_matches("x_").to_owned())
            .set(polled::EXTRA_VALUE.nth(n), view.number(&group.name));
    }
}

/// The services of a device.
pub(super) fn roles(profile: &Profile, config: &config::Device) -> Vec<Role> {
    let mut roles = match profile.class {
        Class::Hybrid | Class::Inverter => vec![Role::Unit, Role::System],
        Class::PvInverter => vec![Role::PvInverter],
        Class::Grid => vec![Role::Grid],
    };
    if config.publish_grid && profile.class == Class::Hybrid {
        roles.push(Role::Grid);
    }
    roles
}
