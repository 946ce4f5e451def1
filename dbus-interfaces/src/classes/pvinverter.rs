//! `com.victronenergy.pvinverter`: an inverter at solar panels, without a battery. More items are those of [`ac`](super::ac).

use crate::{Item, Text, text};

/// The class in a service name.
pub const CLASS: &str = "pvinverter";
/// Our product id.
pub const PRODUCT_ID: i32 = 0xBFB4;

/// 0 at the first input of the inverter/charger, 1 at its output, 2 at its second input.
pub const POSITION: Item<i32> =
    Item::new("/Position", Text::Words(&["AC input 1", "AC output", "AC input 2"]));
/// 0 to 6 starting, 7 running, 8 standby, 10 error.
pub const STATUS_CODE: Item<i32> = Item::new("/StatusCode", Text::Plain);
/// 0 without an error.
pub const ERROR_CODE: Item<i32> = Item::new("/ErrorCode", Text::Plain);
/// Power that it can give, W.
pub const MAX_POWER: Item<f64> = Item::new("/Ac/MaxPower", text::WATTS);
/// The power that it may give at most, W. Where it is, `hub4control` uses it to feed in nothing.
pub const POWER_LIMIT: Item<f64> = Item::new("/Ac/PowerLimit", text::WATTS).writable();
