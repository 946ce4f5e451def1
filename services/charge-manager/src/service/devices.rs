//! Inverters and chargers of the bus as the decision takes them in.

use dbus_interfaces::classes::{bank, device, follower as f, system};
use dbus_interfaces::{Filter, Monitor, Seen};

use super::{Clock, labels, signs::Signs};
use crate::input::{Class, Inverter};
use crate::name::Name;

/// What can push current into a battery, and whether that power comes as alternating current.
const CLASSES: [(&str, bool); 10] = [
    ("vebus", true),
    ("multi", true),
    ("inverter", true),
    ("charger", true),
    ("solarcharger", false),
    ("dcdc", false),
    ("alternator", false),
    ("fuelcell", false),
    ("dcsource", false),
    ("dcgenset", false),
];
/// How long a device takes to follow that does not tell: Victron's, s.
const RESPONSE_S: f64 = 5.0;

/// Adds what is read of a device.
pub(super) fn filter(filter: Filter) -> Filter {
    let filter = CLASSES.iter().fold(filter, |filter, (class, _)| filter.class(class));
    let reals = [
        f::CURRENT,
        f::CHARGE_RATING,
        f::DISCHARGE_RATING,
        f::RESPONSE,
        f::CURRENT_STEP,
        system::CHARGE_CURRENT_LIMIT,
        system::LINK_CHARGE_CURRENT,
    ];
    let flags = [f::DRAWS_DOWN, f::OWN_VOLTMETER, f::FROM_AC, system::IS_INVERTER_CHARGER, device::CONNECTED];
    let filter = reals.into_iter().fold(filter, Filter::item);
    flags.into_iter().fold(filter, Filter::item).item(f::FOLLOWS)
}

/// Whether a class is one of them.
pub(crate) fn is_device(class: &str) -> bool {
    CLASSES.iter().any(|(known, _)| *known == class)
}

/// All of them. `dvcc`: systemcalc tells Victron's devices their limits.
pub(crate) fn devices(
    monitor: &Monitor,
    seen: &[Seen],
    signs: &Signs,
    dvcc: bool,
    clock: Clock,
) -> Vec<Inverter> {
    let seen: Vec<Seen> = seen.iter().filter(|seen| is_device(seen.class())).cloned().collect();
    let seen: Vec<Seen> = seen.iter().filter(|one| !is_another_face(monitor, one, &seen)).cloned().collect();
    let labels = labels::labels(monitor, &seen);
    seen.iter().zip(labels).map(|(seen, label)| read(monitor, seen, label, signs, dvcc, clock)).collect()
}

/// Whether a device shows another one of the bus once more: then its current would count twice.
fn is_another_face(monitor: &Monitor, seen: &Seen, all: &[Seen]) -> bool {
    let of = monitor.get(&seen.name, f::FOLLOWS);
    of.is_some_and(|of| all.iter().any(|other| *other.name == of && other.name != seen.name))
}

fn read(monitor: &Monitor, seen: &Seen, label: Name, signs: &Signs, dvcc: bool, clock: Clock) -> Inverter {
    let service = &*seen.name;
    let flag = |item| monitor.get(service, item).map(|value: i32| value != 0);
    let positive = |item| monitor.get(service, item).filter(|value: &f64| *value >= 0.0);
    let follows = monitor.get(service, f::FOLLOWS).is_some_and(|source| source == bank::NAME);
    let class = match follows {
        true => Class::Follower,
        false if dvcc && is_told_by_systemcalc(monitor, seen) => Class::Victron,
        false => Class::NonFollower,
    };
    let from_ac = CLASSES.iter().any(|(class, from_ac)| *class == seen.class() && *from_ac);
    let only_charges = !matches!(seen.class(), "vebus" | "multi" | "inverter");
    Inverter {
        service: Name::from(service),
        label,
        class,
        at: clock.at(signs.newest(monitor, seen)),
        current_a: monitor.get(service, f::CURRENT),
        charge_rating_a: match follows {
            true => positive(f::CHARGE_RATING),
            false => positive(system::CHARGE_CURRENT_LIMIT),
        },
        discharge_rating_a: positive(f::DISCHARGE_RATING).or(only_charges.then_some(0.0)),
        response_s: positive(f::RESPONSE).unwrap_or(RESPONSE_S),
        current_step_a: positive(f::CURRENT_STEP).unwrap_or(0.0),
        draws_down: flag(f::DRAWS_DOWN).unwrap_or(false),
        own_voltmeter: flag(f::OWN_VOLTMETER).unwrap_or(false),
        from_ac: flag(f::FROM_AC).unwrap_or(from_ac),
    }
}

/// As `dbus-systemcalc-py: delegates/dvcc.py` chooses whom it controls.
fn is_told_by_systemcalc(monitor: &Monitor, seen: &Seen) -> bool {
    match seen.class() {
        "vebus" | "solarcharger" => true,
        "multi" | "inverter" => monitor.get(&seen.name, system::IS_INVERTER_CHARGER) == Some(1),
        "alternator" => monitor.received(&seen.name, system::LINK_CHARGE_CURRENT).is_some(),
        _ => false,
    }
}
