//! How a device is heard, as items.

use dbus_interfaces::Update;
use dbus_interfaces::classes::polled;

use super::view::View;
use crate::profile::names;

/// Steps in which ages are shown: enough for a person, and little traffic.
const AGE_STEP_S: u64 = 5;

/// How the device is heard.
pub(super) fn polled_by(tx: &mut Update<'_>, view: &View<'_>) {
    let figures = view.device.access().line().figures();
    tx.set(polled::PROFILE, view.device.profile().id.clone())
        .set(polled::UTILISATION, (figures.utilisation * 100.0).round())
        .set(polled::REQUESTS, i32::try_from(figures.requests).unwrap_or(i32::MAX))
        .set(polled::SILENCES, i32::try_from(figures.silences).unwrap_or(i32::MAX))
        .set(polled::FAULTS, view.faults())
        .set(polled::EXCHANGED, view.device.stranger().unwrap_or_default().to_owned());
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
