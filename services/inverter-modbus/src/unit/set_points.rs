//! The set points of a device as items.

use dbus_interfaces::classes::{control as c, pvinverter};
use dbus_interfaces::{Item, Update};

use super::modes;
use super::view::{View, rated_w};
use crate::device::poll::Device;
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
    let is_solar = view.device.profile().class == Class::PvInverter;
    if let (Some(percent), Some(whole)) =
        (map.write(PERCENT, &point).filter(|_| is_solar), whole_w(view.device))
    {
        let shown = percent.shown(view.device.image(), &point).filter(|_| view.is_there);
        tx.set(pvinverter::POWER_LIMIT, shown.map(|percent| percent / 100.0 * whole));
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

/// The limit of a solar inverter, which knows it as a part of [`whole_w`].
pub(super) const PERCENT: &str = "ac_power_limit_percent";

/// What a limit in per cent is of, W: the most that the device is set to give, which is its rated power unless somebody has
/// lowered it (SunSpec models 121 and 702, `WMax`).
pub(super) fn whole_w(device: &Device) -> Option<f64> {
    let known = [device.points().number("x_power_setting"), rated_w(device)];
    known.into_iter().flatten().find(|watts| *watts > 0.0)
}

/// What a client writes to the limit in watts, as the limit in per cent.
pub(super) fn percent_of(watts: f64, whole_w: f64) -> f64 {
    (100.0 * watts / whole_w).clamp(0.0, 100.0)
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
