//! The paths that Venus itself has for what can be set: each is a set point of [`control`](dbus_interfaces::classes::control)
//! under another name, with what the device shows and under the same rules.

use dbus_interfaces::classes::multi as m;
use dbus_interfaces::{Item, Update, Value, WriteRequest};

use super::part::{Part, SetPoint};
use crate::profile::write::ON_OFF;

/// `/Mode`
const ON: i32 = 3;
const OFF: i32 = 4;
/// The set point behind `/Ess/InverterPowerSetpoint`, which has a switch.
pub(crate) const BATTERY_POWER: &str = "battery_power_setpoint";

/// How a path says a set point.
enum Path {
    /// The same number.
    Same(Item<f64>),
    /// 1 for 0 and 0 for 1.
    Not(Item<i32>),
}

/// A set point, and its path of Venus.
struct Standard(&'static str, Path);

/// `/Mode` and the set point with a switch are not among them. `/Settings/ChargeCurrentLimit` is for DVCC, and only for an inverter
/// that is lent to it.
const STANDARD: [Standard; 5] = [
    Standard("min_soc", Path::Same(m::MIN_SOC_LIMIT)),
    Standard("export_enable", Path::Not(m::DISABLE_FEED_IN)),
    Standard("grid_charge_enable", Path::Not(m::DISABLE_CHARGE)),
    Standard("ac_input_current_limit", Path::Same(m::IN_CURRENT_LIMIT)),
    Standard("power_setpoint", Path::Same(m::AC_POWER_SETPOINT)),
];

/// Shows them. `is_known` are the set points that there may be, settable now or not.
pub(crate) fn show(tx: &mut Update<'_>, part: &Part, power: &BatteryPower, is_known: impl Fn(&str) -> bool) {
    let present = |name: &str| part.set_points.iter().find(|point| point.name == name);
    for Standard(name, path) in &STANDARD {
        match (path, present(name)) {
            (Path::Same(item), Some(SetPoint { value, min, max, .. })) => {
                tx.set(item.writable().range(*min, *max), *value);
            }
            (Path::Not(item), Some(SetPoint { value, .. })) => {
                tx.set(item.writable(), value.map(|value| i32::from(value == 0.0)));
            }
            (Path::Same(item), None) if is_known(name) => _ = tx.set(item.writable(), None::<f64>),
            (Path::Not(item), None) if is_known(name) => _ = tx.set(item.writable(), None::<i32>),
            (_, None) => {}
        }
    }
    if is_known("ac_input_current_limit") {
        let can = present("ac_input_current_limit").is_some();
        tx.set(m::IN_CURRENT_LIMIT_IS_ADJUSTABLE, i32::from(can));
    }
    if let Some(SetPoint { value, min, max, .. }) = present(BATTERY_POWER) {
        let shown = if part.is_power_forced { *value } else { power.watts.or(*value) };
        tx.set(m::INVERTER_POWER_SETPOINT.writable().range(*min, *max), shown)
            .set(m::USE_INVERTER_POWER_SETPOINT.writable(), i32::from(part.is_power_forced));
    } else if is_known(BATTERY_POWER) {
        tx.set(m::INVERTER_POWER_SETPOINT.writable(), None::<f64>)
            .set(m::USE_INVERTER_POWER_SETPOINT.writable(), None::<i32>);
    }
    // What has no way to the grid has nothing to be set there.
    if part.is_offgrid {
        tx.set(m::DISABLE_FEED_IN, 1);
    }
}

/// Shows whether it is on, and whether that can be chosen.
pub(crate) fn show_mode(tx: &mut Update<'_>, part: &Part) {
    let can_switch = part.set_points.iter().any(|point| point.name == ON_OFF);
    let item = if can_switch { m::MODE_OF_SYSTEM } else { m::MODE };
    tx.set(item, part.is_on.map(|on| if on { ON } else { OFF }))
        .set(m::MODE_IS_ADJUSTABLE, i32::from(can_switch));
}

/// What is written to one of them, as a set point; without a value nobody wants it any more.
///
/// # Errors
/// The value means nothing there.
pub(crate) fn heard(write: &WriteRequest) -> Option<Result<(&'static str, Option<f64>), &'static str>> {
    let value = write.value().and_then(Value::as_f64);
    if write.is(m::MODE) {
        return Some(match value {
            Some(mode) if mode == f64::from(ON) => Ok((ON_OFF, Some(1.0))),
            Some(mode) if mode == f64::from(OFF) => Ok((ON_OFF, Some(0.0))),
            _ => Err("this device knows 3, on, and 4, off"),
        });
    }
    STANDARD.iter().find_map(|Standard(name, path)| match path {
        Path::Same(item) => write.is(*item).then_some(Ok((*name, value))),
        Path::Not(item) => {
            let not = value.map(|value| if value == 0.0 { 1.0 } else { 0.0 });
            write.is(*item).then_some(Ok((*name, not)))
        }
    })
}

/// The power into the battery that clients of Venus set in two steps, in any order: how much, and that it counts.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct BatteryPower {
    watts: Option<f64>,
    counts: bool,
    was_forced: bool,
}

/// What one of these steps comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Step {
    /// This power is wanted, W.
    Want(f64),
    /// It is not wanted any more.
    End,
    /// Nothing until the other step.
    Wait,
}

impl BatteryPower {
    /// A write to one of both.
    pub(crate) fn heard(&mut self, write: &WriteRequest) -> Option<Step> {
        let value = write.value().and_then(Value::as_f64);
        if write.is(m::INVERTER_POWER_SETPOINT) {
            return Some(self.sets(value));
        }
        write.is(m::USE_INVERTER_POWER_SETPOINT).then(|| self.uses(value.is_some_and(|uses| uses != 0.0)))
    }

    fn sets(&mut self, watts: Option<f64>) -> Step {
        self.watts = watts;
        match watts {
            Some(watts) if self.counts => Step::Want(watts),
            None if self.counts => Step::End,
            _ => Step::Wait,
        }
    }

    fn uses(&mut self, counts: bool) -> Step {
        self.counts = counts;
        match self.watts {
            _ if !counts => Step::End,
            Some(watts) => Step::Want(watts),
            None => Step::Wait,
        }
    }

    /// Whether a power is in force now. One that was ended elsewhere does not begin again with the next power.
    pub(crate) fn look(&mut self, is_forced: bool) {
        self.counts = (self.counts && !self.was_forced) || is_forced;
        self.was_forced = is_forced;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_counts_once_both_steps_were_taken_in_any_order() {
        let mut power = BatteryPower::default();
        assert_eq!([power.sets(Some(500.0)), power.uses(true)], [Step::Wait, Step::Want(500.0)]);
        assert_eq!([power.sets(Some(700.0)), power.uses(false)], [Step::Want(700.0), Step::End]);
        let mut power = BatteryPower::default();
        assert_eq!([power.uses(true), power.sets(Some(500.0))], [Step::Wait, Step::Want(500.0)]);
    }

    #[test]
    fn a_power_that_was_ended_elsewhere_does_not_begin_again_by_itself() {
        let mut power = BatteryPower::default();
        power.sets(Some(500.0));
        power.uses(true);
        power.look(false);
        assert_eq!(power.sets(Some(600.0)), Step::Want(600.0), "it has not begun yet");
        power.look(true);
        power.look(false);
        assert_eq!(power.sets(Some(700.0)), Step::Wait);
    }
}
