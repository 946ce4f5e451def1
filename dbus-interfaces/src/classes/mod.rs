//! The paths of each service class, one file each: type, unit, text and meaning of every item. Source of the tables unless
//! noted: Victron's `dbus_modbustcp` `attributes.csv`, the service dumps of `gui-v2` (`data/mock/conf/services`), the
//! Venus wiki page "dbus", `dbus-systemcalc-py` and `venus-platform`.

pub mod ac;
pub mod bank;
pub mod battery;
pub mod control;
pub mod dcdc;
pub mod device;
pub mod follower;
pub mod grid;
pub mod multi;
pub mod polled;
pub mod pvinverter;
pub mod system;
pub mod told;
pub mod vebus;

#[cfg(test)]
mod tests {
    //! Path lists for readers in other languages, held against the constants.

    use crate::{Item, ItemType, Kind, Text};

    /// Path, type on the bus and unit, as a line of a list has them.
    pub(super) fn line<T: ItemType>(item: Item<T>) -> [String; 3] {
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

    /// The lines of a list.
    pub(super) fn path_list(file: &str) -> Vec<[String; 3]> {
        let lines = file.lines().filter(|text| !text.starts_with('#'));
        lines
            .map(|text| {
                let columns: Vec<&str> = text.splitn(4, '\t').collect();
                let [path, signature, unit, meaning] = columns[..] else {
                    panic!("not four columns: {text}")
                };
                assert!(!meaning.trim().is_empty(), "{path} has no meaning");
                [path.to_owned(), signature.to_owned(), unit.to_owned()]
            })
            .collect()
    }
}
