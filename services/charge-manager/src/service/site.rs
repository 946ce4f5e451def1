//! What is around the batteries: systemcalc, the grid, and the user's limits for the whole system.

use dbus_interfaces::classes::system;
use dbus_interfaces::{Filter, Monitor};

use crate::input::Site;
use crate::settings::Source;

/// Values of `/Ac/ActiveIn/Source`.
const GRID: i32 = 1;
const GENERATOR: i32 = 2;
const SHORE: i32 = 3;
const INVERTING: i32 = 240;

/// Adds what is read of it.
pub(super) fn filter(filter: Filter) -> Filter {
    filter
        .service(system::NAME)
        .service(system::SETTINGS)
        .item(system::DVCC)
        .item(system::AC_SOURCE)
        .item(system::FEEDBACK_ENABLED)
        .item(system::MAX_CHARGE_CURRENT)
        .item(system::MAX_CHARGE_VOLTAGE)
        .item(system::OVERVOLTAGE_FEED_IN)
}

/// Everything but what the user asks for.
pub(crate) fn site(monitor: &Monitor, own_instance: i32) -> Site {
    let source = monitor.get(system::NAME, system::AC_SOURCE);
    let is_on = |service: &str, item| monitor.get(service, item) == Some(1);
    Site {
        dvcc: monitor.get(system::NAME, system::DVCC).map(|dvcc| dvcc == 1),
        // A generator takes nothing back, and systemcalc knows that.
        dc_feed_in: is_on(system::SETTINGS, system::OVERVOLTAGE_FEED_IN)
            && is_on(system::NAME, system::FEEDBACK_ENABLED)
            && source != Some(GENERATOR),
        system_charge_current_a: monitor.get(system::SETTINGS, system::MAX_CHARGE_CURRENT),
        system_charge_voltage_v: monitor.get(system::SETTINGS, system::MAX_CHARGE_VOLTAGE),
        source: match source {
            Some(GRID | SHORE) => Some(Source::Grid),
            Some(GENERATOR) => Some(Source::Generator),
            _ => None,
        },
        grid: match source {
            Some(GRID | SHORE) => Some(true),
            Some(GENERATOR | INVERTING) => Some(false),
            _ => None,
        },
        own_instance: Some(own_instance),
        ..Site::default()
    }
}
