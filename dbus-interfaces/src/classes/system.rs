//! What Victron's systemcalc shows and what the settings of the system hold, as far as a decision about current depends on
//! it (`dbus-systemcalc-py`: `delegates/dvcc.py`, `dbus_systemcalc.py`). Nothing here is ever written.

use crate::{Item, Text, text};

/// systemcalc.
pub const NAME: &str = "com.victronenergy.system";
/// DVCC is on.
pub const DVCC: Item<i32> = Item::new("/Control/Dvcc", text::NO_YES);
/// Where alternating current comes from: 0 not available, 1 grid, 2 generator, 3 shore, 240 inverting.
pub const AC_SOURCE: Item<i32> = Item::new("/Ac/ActiveIn/Source", Text::Plain);
/// Power may be fed into that source.
pub const FEEDBACK_ENABLED: Item<i32> = Item::new("/Ac/ActiveIn/FeedbackEnabled", text::NO_YES);
/// Name of the service whose limits systemcalc obeys.
pub const ACTIVE_BMS: Item<String> = Item::new("/ActiveBmsService", Text::Plain);

/// The settings service.
pub const SETTINGS: &str = "com.victronenergy.settings";
/// The user's limit of the charge current, A; negative for none.
pub const MAX_CHARGE_CURRENT: Item<f64> = Item::new("/Settings/SystemSetup/MaxChargeCurrent", text::AMPS);
/// The user's limit of the charge voltage, V; 0 for none.
pub const MAX_CHARGE_VOLTAGE: Item<f64> = Item::new("/Settings/SystemSetup/MaxChargeVoltage", text::VOLTS);
/// Excess of solar current may be fed into the grid.
pub const OVERVOLTAGE_FEED_IN: Item<i32> = Item::new("/Settings/CGwacs/OvervoltageFeedIn", text::NO_YES);

/// An inverter that can charge: systemcalc controls it as a charger.
pub const IS_INVERTER_CHARGER: Item<i32> = Item::new("/IsInverterCharger", text::NO_YES);
/// Largest charge current that the user allows a charger, A.
pub const CHARGE_CURRENT_LIMIT: Item<f64> = Item::new("/Settings/ChargeCurrentLimit", text::AMPS);
/// Where systemcalc tells an alternator its share: whoever has the path is told.
pub const LINK_CHARGE_CURRENT: Item<f64> = Item::new("/Link/ChargeCurrent", text::AMPS);
