//! The paths of each service class, one file each: type, unit, text and meaning of every item. Source of the tables unless
//! noted: Victron's `dbus_modbustcp` `attributes.csv`, the service dumps of `gui-v2` (`data/mock/conf/services`), the
//! Venus wiki page "dbus", `dbus-systemcalc-py` and `venus-platform`.

pub mod bank;
pub mod battery;
pub mod device;
pub mod follower;
pub mod multi;
pub mod told;
