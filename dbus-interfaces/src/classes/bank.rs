//! `com.victronenergy.battery.busbar`: the bank as one battery, and the one decision about its current. These paths are
//! frozen; `xml/com.victronenergy.battery.busbar.paths` lists them for readers in other languages.
//!
//! The bank shows everything of [`battery`](super::battery) besides. Its `/Info/*` is what systemcalc may spend and is read
//! by nobody of ours to push current: followers read their own row of `/Share`.

use crate::{Item, Text, text};

/// The service that charge-manager publishes.
pub const NAME: &str = "com.victronenergy.battery.busbar";

// The decision for the whole bank
/// Charge voltage limit of the bank. Never 0.
pub const BANK_MAX_CHARGE_VOLTAGE: Item<f64> = Item::new("/Bank/MaxChargeVoltage", text::VOLTS);
/// Charge current limit of the bank.
pub const BANK_MAX_CHARGE_CURRENT: Item<f64> = Item::new("/Bank/MaxChargeCurrent", text::AMPS);
/// Discharge current limit of the bank, positive.
pub const BANK_MAX_DISCHARGE_CURRENT: Item<f64> = Item::new("/Bank/MaxDischargeCurrent", text::AMPS);

// The share of each follower, rows from 0. A row counts by its service, not by its number, which may change.
/// Bus name of the follower that may spend this row; no value when the row is free.
pub const SHARE_SERVICE: Item<String> = Item::new("/Share/#/Service", Text::Plain);
/// Charge voltage limit of this follower. Never 0.
pub const SHARE_MAX_CHARGE_VOLTAGE: Item<f64> = Item::new("/Share/#/MaxChargeVoltage", text::VOLTS);
/// Charge current limit of this follower.
pub const SHARE_MAX_CHARGE_CURRENT: Item<f64> = Item::new("/Share/#/MaxChargeCurrent", text::AMPS);
/// Discharge current limit of this follower, positive.
pub const SHARE_MAX_DISCHARGE_CURRENT: Item<f64> = Item::new("/Share/#/MaxDischargeCurrent", text::AMPS);
/// Current that this follower takes of its share, positive while charging.
pub const SHARE_TAKEN: Item<f64> = Item::new("/Share/#/Taken", text::AMPS);

/// It obeys: what it takes is inside its share.
pub const SHARE_OBEYS: Item<i32> = Item::new("/Share/#/Obeys", text::NO_YES);
/// It is to be stopped in the way of its bus, because nothing else helps.
pub const SHARE_STOP: Item<i32> = Item::new("/Share/#/Stop", text::NO_YES);

/// The battery services whose limits are inside the decision; those keep theirs off `/Info`.
pub const MEMBERS: Item<Vec<String>> = Item::new("/Members", Text::Plain);
/// Sign of life, 0 to 255 and round again: another number every second while the decision is made anew.
///
/// A battery that is followed without a manager may show it too; it then counts up with each picture of fresh data.
pub const UPDATE_INDEX: Item<i32> = Item::new("/UpdateIndex", Text::Plain);

// How the decision comes about, for people
/// What the bank is doing, one word.
pub const BANK_STATE: Item<String> = Item::new("/Bank/State", Text::Plain);
/// Id of the reason of the charge voltage, the same in every version.
pub const BANK_VOLTAGE_REASON: Item<String> = Item::new("/Bank/VoltageReason", Text::Plain);
/// Id of the reason of the charge current.
pub const BANK_CHARGE_REASON: Item<String> = Item::new("/Bank/ChargeReason", Text::Plain);
/// Id of the reason of the discharge current.
pub const BANK_DISCHARGE_REASON: Item<String> = Item::new("/Bank/DischargeReason", Text::Plain);
/// Why the charge voltage is what it is, in words.
pub const BANK_VOLTAGE_LIMITATION: Item<String> = Item::new("/Bank/VoltageLimitation", Text::Plain);
/// Why the limits are what they are: five lines, 0 to 4, for voltage, charge, discharge, batteries, chargers.
pub const BANK_EXPLANATION: Item<String> = Item::new("/Bank/Explanation/#", Text::Plain);
/// What is assumed, broken or set up wrongly, each a sentence with its remedy.
pub const BANK_NOTES: Item<Vec<String>> = Item::new("/Bank/Notes", Text::Plain);
/// Why the settings as they are now are not in force; none while they are.
pub const BANK_SETTINGS_REFUSED: Item<String> = Item::new("/Bank/SettingsRefused", Text::Plain);
/// What flows into the bank that nobody controls.
pub const BANK_UNCONTROLLED: Item<f64> = Item::new("/Bank/UncontrolledCurrent", text::AMPS);
/// Chargers on alternating current are wanted.
pub const BANK_AC_WANTED: Item<i32> = Item::new("/Bank/AcWanted", text::NO_YES);
/// The contactor may be opened: nothing else stops a charger, and the user wants it so.
pub const BANK_OPEN_CONTACTOR: Item<i32> = Item::new("/Bank/OpenContactor", text::NO_YES);

// What the user asks for; back to 0 when it is done
/// Charge until full.
pub const REQUEST_FULL_CHARGE: Item<i32> = request("/Request/FullCharge");
/// Even out the cells after the next absorption.
pub const REQUEST_BALANCE: Item<i32> = request("/Request/Balance");
/// Equalise after the next absorption; lead-acid only.
pub const REQUEST_EQUALISE: Item<i32> = request("/Request/Equalise");
/// Charge now, from whatever there is.
pub const REQUEST_CHARGE: Item<i32> = request("/Request/Charge");

const fn request(path: &'static str) -> Item<i32> {
    Item::new(path, text::NO_YES).writable().range(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classes::battery as b;
    use crate::classes::tests::{line, path_list};

    const FILE: &str = include_str!("../../xml/com.victronenergy.battery.busbar.paths");

    #[test]
    fn the_path_list_says_what_the_constants_say() {
        let constants = vec![
            line(BANK_MAX_CHARGE_VOLTAGE),
            line(BANK_MAX_CHARGE_CURRENT),
            line(BANK_MAX_DISCHARGE_CURRENT),
            line(b::MAX_CHARGE_VOLTAGE),
            line(b::MAX_CHARGE_CURRENT),
            line(b::MAX_DISCHARGE_CURRENT),
            line(b::CHARGE_MODE),
            line(b::CHARGE_LIMITATION),
            line(b::DISCHARGE_LIMITATION),
            line(SHARE_SERVICE),
            line(SHARE_MAX_CHARGE_VOLTAGE),
            line(SHARE_MAX_CHARGE_CURRENT),
            line(SHARE_MAX_DISCHARGE_CURRENT),
            line(SHARE_TAKEN),
            line(SHARE_OBEYS),
            line(SHARE_STOP),
            line(MEMBERS),
            line(UPDATE_INDEX),
            line(BANK_STATE),
            line(BANK_VOLTAGE_REASON),
            line(BANK_CHARGE_REASON),
            line(BANK_DISCHARGE_REASON),
            line(BANK_VOLTAGE_LIMITATION),
            line(BANK_EXPLANATION),
            line(BANK_NOTES),
            line(BANK_SETTINGS_REFUSED),
            line(BANK_UNCONTROLLED),
            line(BANK_AC_WANTED),
            line(BANK_OPEN_CONTACTOR),
            line(REQUEST_FULL_CHARGE),
            line(REQUEST_BALANCE),
            line(REQUEST_EQUALISE),
            line(REQUEST_CHARGE),
        ];
        assert_eq!(path_list(FILE), constants);
    }
}
