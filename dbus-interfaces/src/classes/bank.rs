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

/// The battery services whose limits are inside the decision; those keep theirs off `/Info`.
pub const MEMBERS: Item<Vec<String>> = Item::new("/Members", Text::Plain);
/// Sign of life, 0 to 255 and round again: another number every second while the decision is made anew.
///
/// A battery that is followed without a manager may show it too; it then counts up with each picture of fresh data.
pub const UPDATE_INDEX: Item<i32> = Item::new("/UpdateIndex", Text::Plain);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classes::battery as b;
    use crate::{ItemType, Kind};

    const FILE: &str = include_str!("../../xml/com.victronenergy.battery.busbar.paths");

    /// Path, type on the bus and unit, as a line of the file has them.
    fn line<T: ItemType>(item: Item<T>) -> [String; 3] {
        let signature = match item.spec().kind {
            Kind::Int => "i",
            Kind::Long => "x",
            Kind::Real => "d",
            Kind::Text => "s",
            Kind::Texts => "as",
        };
        let unit = match item.spec().text {
            Text::Unit(_, unit) => unit,
            _ => "-",
        };
        [item.path().into_owned(), signature.to_owned(), unit.to_owned()]
    }

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
            line(MEMBERS),
            line(UPDATE_INDEX),
        ];
        let mut listed = Vec::new();
        for text in FILE.lines().filter(|text| !text.starts_with('#')) {
            let columns: Vec<&str> = text.splitn(4, '\t').collect();
            let [path, signature, unit, meaning] = columns[..] else { panic!("not four columns: {text}") };
            assert!(!meaning.trim().is_empty(), "{path} has no meaning");
            listed.push([path.to_owned(), signature.to_owned(), unit.to_owned()]);
        }
        assert_eq!(listed, constants);
    }
}
