//! The set points of a device as items.

use dbus_interfaces::classes::{control as c, pvinverter};
use dbus_interfaces::{Item, Update};

use super::modes;
use super::view::View;
use crate::profile::Class;
use crate::profile::write::WritePoint;

/// The set points, as the device has them.
pub(super) fn controls(tx: &mut Update<'_>, view: &View<'_>) {
    if !view.is_controlled {
        return;
    }
    let Some(map) = view.device.map() else {
        // What it has is not known while it is looked for; what becomes of wishes is.
        tx.clear_below("/Control");
        return said(tx, view);
    };
    let point = |name: &str| view.number(name);
    for write in &map.writes {
        let used = map.write(&write.spec.name, &point);
        // Of several of one name the one that is written is shown, and nothing where none can be.
        if let Some(item) = item_of(&write.spec).filter(|_| used.is_none_or(|used| std::ptr::eq(used, write)))
        {
            let shown = used.and_then(|used| used.shown(view.device.image(), &point));
            tx.set(item, shown.filter(|_| view.is_there));
        }
    }
    if let Some(percent) = map.write(PERCENT, &point).filter(|_| is_limited_in_watts(view)) {
        let shown = percent.shown(view.device.image(), &point).filter(|_| view.is_there);
        let watts = shown.and_then(|percent| Some(percent / 100.0 * view.rated_w()?));
        tx.set(pvinverter::POWER_LIMIT, watts);
    }
    modes::shown(tx, map, view);
    said(tx, view);
}

/// What came of wishes.
fn said(tx: &mut Update<'_>, view: &View<'_>) {
    tx.set(c::RESULT, view.result.to_owned())
        .set(c::FLASH_WRITES, i32::try_from(view.flash_writes).unwrap_or(i32::MAX))
        .set(c::TIMEOUT, i32::try_from(view.timeout_s).unwrap_or(i32::MAX));
}

/// The limit of a solar inverter, which knows it as a part of its rated power.
pub(super) const PERCENT: &str = "ac_power_limit_percent";

/// Whether a limit in watts is made of one in per cent.
fn is_limited_in_watts(view: &View<'_>) -> bool {
    view.device.profile().class == Class::PvInverter && view.rated_w().is_some()
}

/// What a client writes to the limit in watts, as the limit in per cent.
pub(super) fn percent_of(watts: f64, rated_w: Option<f64>) -> Option<f64> {
    rated_w.filter(|rated| *rated > 0.0).map(|rated| (100.0 * watts / rated).clamp(0.0, 100.0))
}

/// The item of a set point; one that is not canonical has none.
pub(super) fn item_of(write: &WritePoint) -> Option<Item<f64>> {
    let (_, item) = c::SET_POINTS.iter().find(|(name, _)| *name == write.name)?;
    Some(match (write.min, write.max) {
        (Some(min), Some(max)) => item.range(min, max),
        _ => *item,
    })
}

/// Its name among the canonical ones.
pub(super) fn name_of(write: &WritePoint) -> Option<&'static str> {
    c::SET_POINTS.iter().find(|(name, _)| *name == write.name).map(|(name, _)| *name)
}
