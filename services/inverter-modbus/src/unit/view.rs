//! What the points of a device come to: lines, sums, state, alarms.

use dbus_interfaces::classes::multi::NO_INPUT;
use tokio::time::Instant;

use crate::config::{self, AcInput};
use crate::device::poll::Device;
use crate::engine::filter::Filter;
use crate::profile::point::Alarm;
use crate::system::{Line, POWER, Part, SetPoint, Side};

use super::faults;
use super::modes;
use super::orders::DECIDED;
use super::set_points::name_of;

/// Less than this into or out of the battery is rest, W.
const AT_REST_W: f64 = 30.0;

/// What is shown of a device at one moment.
pub(super) struct View<'v> {
    /// The device.
    pub(super) device: &'v Device,
    /// What the user knows and sets.
    pub(super) config: &'v config::Device,
    /// Its values count: it was heard not long ago.
    pub(super) is_there: bool,
    /// The set points are shown and may be written.
    pub(super) is_controlled: bool,
    /// Its limits are decided elsewhere.
    pub(super) is_decided: bool,
    /// What the last wish came to.
    pub(super) result: &'v str,
    /// The power for `charge` and `discharge`, W.
    pub(super) power_w: f64,
    /// Writes to memory that wears out.
    pub(super) flash_writes: u32,
    /// The way of running that was set and lasts until it is ended.
    pub(super) mode: Option<&'v str>,
    /// The battery is forced to a power, and that is certain.
    pub(super) is_power_forced: bool,
    /// How long such a one lasts without being set again, s; 0 for ever.
    pub(super) timeout_s: u32,
    /// Now.
    pub(super) now: Instant,
}

impl View<'_> {
    /// All points, as they were last believed.
    pub(super) fn points(&self) -> &Filter {
        self.device.points()
    }

    /// A point, as long as the device is heard.
    pub(super) fn number(&self, name: &str) -> Option<f64> {
        let number = self.points().number(name).filter(|_| self.is_there)?;
        Some(if self.config.is_reversed(name) { -number } else { number })
    }

    /// Lines: what the device says, otherwise what the profile says.
    pub(super) fn phases(&self) -> u16 {
        let said = self.points().number("phases").filter(|phases| (1.0..=3.0).contains(phases));
        said.map_or(u16::from(self.device.profile().phases), |phases| phases as u16)
    }

    /// Lines of a side: a meter may have others than its inverter.
    pub(super) fn lines(&self, side: &str) -> u16 {
        let said = self
            .points()
            .number("grid_phases")
            .filter(|phases| side == "grid" && (1.0..=3.0).contains(phases));
        said.map_or_else(|| self.phases(), |phases| phases as u16)
    }

    /// Whether the meter at the grid has ever said a power.
    pub(super) fn has_meter(&self) -> bool {
        let is_said = |name: &str| self.points().number(name).is_some();
        is_said("grid_power") || (1..=3).any(|line| is_said(&format!("grid_l{line}_power")))
    }

    /// What is measured at one line of a side; the whole where there is only one line, its part where nothing else is known.
    pub(super) fn line(&self, side: &str, line: u16, what: &str) -> Option<f64> {
        let whole = || self.number(&format!("{side}_{what}"));
        self.number(&format!("{side}_l{line}_{what}")).or_else(|| match what {
            "power" if self.lines(side) == 1 => whole(),
            "power" => {
                let has_any = (1..=3).any(|line| self.number(&format!("{side}_l{line}_{what}")).is_some());
                whole().filter(|_| !has_any).map(|watts| watts / f64::from(self.lines(side)))
            }
            "frequency" => whole(),
            _ => None,
        })
    }

    /// The power of a side: what the device says, otherwise the sum of its lines.
    pub(super) fn total(&self, side: &str) -> Option<f64> {
        self.number(&format!("{side}_power")).or_else(|| {
            let lines: Option<Vec<f64>> =
                (1..=self.lines(side)).map(|line| self.number(&format!("{side}_l{line}_power"))).collect();
            lines.map(|lines| lines.iter().sum())
        })
    }

    /// The line of the house that a line of a side is.
    pub(super) fn house_line(&self, side: &str, line: u16) -> u16 {
        if self.lines(side) == 1 { u16::from(self.config.phase) } else { line }
    }

    /// Power into the battery.
    pub(super) fn battery_w(&self) -> Option<f64> {
        let product = || Some(self.number("battery_voltage")? * self.number("battery_current")?);
        self.number("battery_power").or_else(product)
    }

    /// Current into the battery.
    pub(super) fn battery_a(&self) -> Option<f64> {
        self.number("battery_current").or_else(|| {
            let volts = self.number("battery_voltage").filter(|volts| *volts > 1.0)?;
            // Nobody measured it: to a hundredth is enough.
            Some((self.number("battery_power")? / volts * 100.0).round() / 100.0)
        })
    }

    fn grid_is_connected(&self) -> Option<bool> {
        self.number("grid_connected").map(|is| is != 0.0).or_else(|| {
            let volts = self.number("ac_in_l1_voltage").or_else(|| self.number("grid_l1_voltage"))?;
            Some(volts > 50.0)
        })
    }

    /// `/Ac/ActiveIn/ActiveInput`: 0 the grid, 1 the generator, 240 neither.
    pub(super) fn active_input(&self) -> Option<i32> {
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
    pub(super) fn state(&self) -> Option<i32> {
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

    /// Whether it is switched on, as far as that can be seen.
    pub(super) fn is_on(&self) -> Option<bool> {
        let by_switch = self.number("on_off").map(|on| on != 0.0);
        by_switch.or_else(|| self.state().map(|state| state != 0))
    }

    /// 0, 1 or 2 for an alarm; nothing where the profile does not know what it is here.
    pub(super) fn alarm(&self, alarm: Alarm) -> Option<i32> {
        let map = self.device.map().filter(|_| self.is_there)?;
        map.alarm(alarm, &|name| self.points().get(name))
    }

    /// What the device says of faults and warnings.
    pub(super) fn faults(&self) -> Option<String> {
        faults::texts(self.points()).filter(|_| self.is_there)
    }

    /// The number of the fault, 0 without one: what the device says, or the place of its first bit, from 1 on.
    pub(super) fn error(&self) -> Option<i32> {
        faults::number(self.points()).filter(|_| self.is_there)
    }
}

/// The power that a device can give, W: what it says, otherwise what it was recognised by.
pub(super) fn rated_w(device: &Device) -> Option<f64> {
    device.points().number("rated_power").or(device.identity().and_then(|who| who.rated_power_w))
}

/// In the order of `classes::multi::ALARMS`.
const ALARMS: [Alarm; 10] = [
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

/// What it is of a system.
impl View<'_> {
    /// The power that it can give, W.
    pub(super) fn rated_w(&self) -> Option<f64> {
        rated_w(self.device).filter(|_| self.is_there)
    }

    /// What it contributes.
    pub(super) fn part(&self) -> Part {
        let has_generator = self.device.map().is_some_and(|map| {
            map.groups.iter().any(|group| group.name.starts_with("gen_") && group.name.ends_with("power"))
        });
        Part {
            is_there: self.is_there,
            input: self.side("ac_in"),
            output: self.side("ac_out"),
            generator: has_generator.then(|| self.side("gen")),
            input_type: self.config.ac_input.number(),
            active_input: self.active_input(),
            rated: self.rated_w(),
            battery_voltage: self.number("battery_voltage"),
            battery_current: self.battery_a(),
            battery_power: self.battery_w(),
            is_soc_source: self.config.soc_source,
            soc: self.number("soc").filter(|_| self.config.soc_source),
            state: self.state(),
            is_on: self.is_on(),
            alarms: ALARMS.map(|alarm| self.alarm(alarm)),
            grid_lost: self.alarm(Alarm::GridLost),
            is_offgrid: self.device.profile().offgrid,
            is_power_forced: self.is_power_forced,
            set_points: self.set_points(),
            modes: self.modes(),
            mode: self.device.map().filter(|_| self.is_there).map(|map| modes::number(map, self)),
            result: if self.is_controlled { self.result.to_owned() } else { String::new() },
        }
    }

    /// The ways of running that it can be set to.
    fn modes(&self) -> Vec<i32> {
        let map = self.device.map().filter(|map| self.is_controlled && !map.modes.is_empty());
        map.map(modes::numbers).unwrap_or_default()
    }

    fn side(&self, side: &str) -> Side {
        let mut lines = [None; 3];
        for line in 1..=self.phases() {
            let at = usize::from(self.house_line(side, line)).saturating_sub(1);
            if let Some(place) = lines.get_mut(at) {
                *place = Some(Line {
                    voltage: self.line(side, line, "voltage"),
                    current: self.line(side, line, "current"),
                    power: self.line(side, line, "power"),
                    frequency: self.line(side, line, "frequency"),
                    apparent: self.line(side, line, "apparent"),
                });
            }
        }
        Side { lines, power: self.total(side) }
    }

    /// Whether the device has a set point that clients may set, now or under another condition.
    pub(super) fn may_set(&self, name: &str) -> bool {
        let is_free = !(self.is_decided && DECIDED.contains(&name));
        let map = self.device.map().filter(|_| self.is_controlled && is_free);
        map.is_some_and(|map| map.writes.iter().any(|write| write.spec.name == name))
    }

    fn set_points(&self) -> Vec<SetPoint> {
        let Some(map) = self.device.map().filter(|_| self.is_controlled) else { return Vec::new() };
        let points = map.writes.iter().filter_map(|write| {
            let name = name_of(&write.spec)?;
            // What has words instead of numbers is on or off.
            let is_switch = write.spec.map.is_some() && name == "on_off";
            let (min, max) = if is_switch { (0.0, 1.0) } else { (write.spec.min?, write.spec.max?) };
            let holds = write.spec.when.as_ref().is_none_or(|when| when.holds(&|name| self.number(name)));
            let value = write.shown(self.device.image(), &|name| self.number(name)).filter(|_| self.is_there);
            let is_free = !(self.is_decided && DECIDED.contains(&name));
            (holds && is_free).then_some(SetPoint { name, value, min, max })
        });
        let power =
            modes::most_w(map).map(|max| SetPoint { name: POWER, value: Some(self.power_w), min: 0.0, max });
        points.chain(power).collect()
    }
}
