//! What an inverter is told by whoever stands in for its battery, on the service of that inverter. Busbar's own paths.

use crate::{Item, Text, text};

/// What is being done, in numbers: see [`DOING_WORDS`].
pub const DOING: Item<i32> = Item::new("/Told/State", Text::Words(DOING_WORDS));
/// `/Told/State` in words.
pub const DOING_WORDS: &[&str] = &[
    "no CAN bus",
    "listening for another battery",
    "silent: another battery is on the bus",
    "silent: waiting for data",
    "telling",
    "telling the safe set",
    "silent: the data are lost",
];
/// For how long, s.
pub const FOR: Item<i32> = Item::new("/Told/For", text::SECONDS);
/// Why, in words.
pub const WHY: Item<String> = Item::new("/Told/Why", Text::Plain);
/// The profile that it is told by.
pub const PROFILE: Item<String> = Item::new("/Told/Profile", Text::Plain);
/// Charge voltage limit that it is told; none while it is told nothing. Never 0.
pub const MAX_CHARGE_VOLTAGE: Item<f64> = Item::new("/Told/MaxChargeVoltage", text::VOLTS);
/// Charge current limit that it is told.
pub const MAX_CHARGE_CURRENT: Item<f64> = Item::new("/Told/MaxChargeCurrent", text::AMPS);
/// Discharge current limit that it is told, positive.
pub const MAX_DISCHARGE_CURRENT: Item<f64> = Item::new("/Told/MaxDischargeCurrent", text::AMPS);
/// State of charge that it is told.
pub const SOC: Item<f64> = Item::new("/Told/Soc", text::PERCENT_1);
/// The inverter gives a sign of life.
pub const INVERTER_IS_THERE: Item<i32> = Item::new("/Told/InverterIsThere", text::NO_YES);
