//! The battery as items: what it says itself, and the voltage that the converter measures at its terminals. Never what the
//! configuration only shows.

use dbus_interfaces::Update;
use dbus_interfaces::classes::{battery as b, dcdc as d, device};
use tokio::time::Instant;

use super::silence::{HOLDS, Silence};
use crate::battery::Known;
use crate::converter::{Meters, Picture};

/// Everything that changes. The current of the converter is that of the battery only where nothing else hangs on it.
pub(super) fn update(
    tx: &mut Update<'_>,
    known: &Known,
    picture: &Picture,
    has_no_other: bool,
    now: Instant,
) {
    let silence = Silence::since(known.reading.map(|(_, at)| at), now);
    let is_heard = silence == Silence::Heard;
    let reading = known.reading.map(|(reading, _)| reading).filter(|_| is_heard);
    let meters = picture.meters.within(HOLDS, now).map(Meters::of).filter(|_| is_heard);
    let current = meters.as_ref().filter(|_| has_no_other);
    let is_permitted = reading.map(|reading| i32::from(reading.is_permitted()));
    let soc = reading.map(|reading| reading.rsoc_percent()).filter(|soc| (0.0..=100.0).contains(soc));
    tx.set(device::CONNECTED, i32::from(is_heard))
        .set(b::SOC, soc)
        .set(b::DC_VOLTAGE, meters.as_ref().map(|meters| meters.vb))
        .set(b::DC_CURRENT, current.map(|meters| meters.ib))
        .set(b::DC_POWER, current.map(|meters| meters.wb))
        .set(b::DC_TEMPERATURE, None)
        .set(b::ALLOW_TO_CHARGE, is_permitted)
        .set(b::ALLOW_TO_DISCHARGE, is_permitted)
        .set(b::ALARM_BMS_CABLE, silence.alarm())
        .set(d::APIS_OPERATION_STATUS, is_permitted.map(|permitted| permitted * 3));
}
