//! `com.victronenergy.multi`: the paths of one inverter/charger, as `dbus-systemcalc-py` (`delegates/multi.py`) and gui-v2
//! (`pages/settings/devicelist/rs`) read them.
//!
//! DVCC controls one that shows `/IsInverterCharger` 1 when it appears, and `dbus-acsystem` gathers those with
//! `/N2kSystemInstance`: ours has neither.

use crate::{Item, Text, text};

/// The class in a service name.
pub const CLASS: &str = "multi";
/// Our product id: in no list of Victron's, so that neither its quirks nor its pages bind to it.
pub const PRODUCT_ID: i32 = 0xBFB2;

/// 0 ok, 1 warning, 2 alarm: no limits come from the battery any more.
pub const ALARM_BMS_CONNECTION_LOST: Item<i32> = Item::new("/Alarms/BmsConnectionLost", text::ALARM);
/// Free text of the device page.
pub const CONNECTION_INFORMATION: Item<String> = Item::new("/ConnectionInformation", Text::Plain);
