//! `com.victronenergy.vebus`: the paths by which a foreign inverter can be shown as a Multi, as jaedog/SMAVenusDriver
//! (`dbus-sma/dbus-sma.py`) does; what is not here is as in [`multi`](super::multi).
//!
//! An ESS assistant (`/Hub4/*`) and what DVCC writes (`/BatteryOperationalLimits/*`, `/Dc/0/MaxChargeCurrent`) are not
//! among them: nobody would obey it.

use crate::{Item, Text, text};

/// The class in a service name.
pub const CLASS: &str = "vebus";
/// Our product id: in no list of Victron's.
pub const PRODUCT_ID: i32 = 0xBFB6;

// Lines 1 to 3 of the active input.
/// Voltage.
pub const IN_V: Item<f64> = Item::new("/Ac/ActiveIn/L#/V", text::VOLTS);
/// Current, with the sign of the power.
pub const IN_I: Item<f64> = Item::new("/Ac/ActiveIn/L#/I", text::AMPS);
/// Power, negative while it feeds in.
pub const IN_P: Item<f64> = Item::new("/Ac/ActiveIn/L#/P", text::WATTS);
/// Frequency.
pub const IN_F: Item<f64> = Item::new("/Ac/ActiveIn/L#/F", text::HERTZ);
/// Power of all lines.
pub const IN_TOTAL: Item<f64> = Item::new("/Ac/ActiveIn/P", text::WATTS);
/// The relay to the input is closed.
pub const IN_CONNECTED: Item<i32> = Item::new("/Ac/ActiveIn/Connected", text::NO_YES);
/// Number of an error of the VE.Bus; there is none.
pub const ERROR: Item<i32> = Item::new("/VebusError", Text::Plain);
