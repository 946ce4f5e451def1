//! What cannot wait for the next second: a limit that has gone down, and who comes or goes.

use std::collections::HashMap;
use std::sync::Arc;

use dbus_interfaces::classes::{bank, battery as b, device};
use dbus_interfaces::{Event, Item, Monitor};

use super::devices;

/// What of a battery must not wait when it goes down.
const REALS: [Item<f64>; 6] = [
    b::BMS_MAX_CHARGE_VOLTAGE,
    b::BMS_MAX_CHARGE_CURRENT,
    b::BMS_MAX_DISCHARGE_CURRENT,
    b::MAX_CHARGE_VOLTAGE,
    b::MAX_CHARGE_CURRENT,
    b::MAX_DISCHARGE_CURRENT,
];
const FLAGS: [Item<i32>; 3] = [b::ALLOW_TO_CHARGE, b::ALLOW_TO_DISCHARGE, device::CONNECTED];

/// What each battery allowed when it was looked at last.
#[derive(Debug, Default)]
pub(crate) struct Urgency {
    allowed: HashMap<Arc<str>, Vec<Option<f64>>>,
}

impl Urgency {
    /// Whether an event is urgent.
    pub(crate) fn is_urgent(&mut self, monitor: &Monitor, event: &Event) -> bool {
        match event {
            Event::Appeared { service } if is_battery(service) => {
                self.allowed.insert(service.clone(), allowed(monitor, service));
                true
            }
            Event::Gone { service } if is_battery(service) => {
                self.allowed.remove(service);
                true
            }
            Event::Appeared { service } | Event::Gone { service } => devices::is_device(class(service)),
            Event::Changed { service, paths } => {
                let watched = |path: &Arc<str>| {
                    path.contains("/Max") || path.starts_with("/Io/") || path.as_ref() == "/Connected"
                };
                if !is_battery(service) || !paths.iter().any(watched) {
                    return false;
                }
                let now = allowed(monitor, service);
                let before = self.allowed.insert(service.clone(), now.clone()).unwrap_or_default();
                before.iter().zip(&now).any(|(before, now)| is_less(*before, *now))
            }
        }
    }
}

fn is_battery(service: &str) -> bool {
    class(service) == b::CLASS && service != bank::NAME
}

fn class(service: &str) -> &str {
    service.split('.').nth(2).unwrap_or_default()
}

fn allowed(monitor: &Monitor, service: &str) -> Vec<Option<f64>> {
    let reals = REALS.into_iter().map(|item| monitor.get(service, item));
    let flags = FLAGS.into_iter().map(|item| monitor.get(service, item).map(f64::from));
    reals.chain(flags).collect()
}

/// No value allows nothing.
fn is_less(before: Option<f64>, now: Option<f64>) -> bool {
    match (before, now) {
        (Some(before), Some(now)) => now < before,
        (before, now) => before.is_some() && now.is_none(),
    }
}
