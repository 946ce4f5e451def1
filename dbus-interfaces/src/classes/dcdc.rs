//! `com.victronenergy.dcdc` and `com.victronenergy.alternator`: a DC/DC converter, with the battery at output 0. Paths of
//! Victron's own: gui-v2 (`PageDcDcConverter.qml`), `dbus_modbustcp` (`attributes.csv` 4800 to 4827), `dbus-systemcalc-py`
//! (`delegates/dvcc.py`) for `/Link`. Paths below `/Apis` are Busbar's, for a converter between a battery and the DC grid of
//! SonyCSL's APIS.
//!
//! Voltage, current and power of output 0 are those of [`battery`](super::battery): positive while the battery is charged.

use crate::{Item, Text, text};

/// The class of a converter that nobody of Victron's steers.
pub const CLASS: &str = "dcdc";
/// The class of one that DVCC steers through `/Link`.
pub const STEERED_CLASS: &str = "alternator";
/// Our product id.
pub const PRODUCT_ID: i32 = 0xBFB8;

/// Voltage of the input.
pub const IN_V: Item<f64> = Item::new("/Dc/In/V", text::VOLTS);
/// Current of the input, positive into the converter.
pub const IN_I: Item<f64> = Item::new("/Dc/In/I", text::AMPS);
/// Power of the input, positive into the converter.
pub const IN_P: Item<f64> = Item::new("/Dc/In/P", text::WATTS);
/// 0 off, 2 fault, 3 bulk, 4 absorption, 5 float, 9 inverting (out of the battery), 11 power supply (it holds the input's
/// voltage).
pub const STATE: Item<i32> = Item::new("/State", Text::Plain);
/// 1 on, 4 off.
pub const MODE: Item<i32> = Item::new("/Mode", Text::Plain).writable().range(1.0, 4.0);
/// Victron's charger errors; 0 none, 28 a fault of the converter.
pub const ERROR_CODE: Item<i32> = Item::new("/ErrorCode", Text::Plain);
/// Why it is off, bits; 8: by remote control.
pub const OFF_REASON: Item<i32> = Item::new("/DeviceOffReason", Text::Hex);
/// Light and heavy alarms of the device.
pub const ALARM: Item<i32> = Item::new("/Alarms/Alarm", text::ALARM);
/// The device does not answer.
pub const ALARM_SILENT: Item<i32> = Item::new("/Alarms/ConnectionLost", text::ALARM);

/// What DVCC wants: bits, 1 external control, 2 external voltage and current, 8 there is a BMS.
pub const LINK_NETWORK_MODE: Item<i32> = Item::new("/Link/NetworkMode", Text::Hex).writable().every_write();
/// Charge voltage that DVCC allows.
pub const LINK_CHARGE_VOLTAGE: Item<f64> =
    Item::new("/Link/ChargeVoltage", text::VOLTS).writable().every_write();
/// Charge current that DVCC allows.
pub const LINK_CHARGE_CURRENT: Item<f64> =
    Item::new("/Link/ChargeCurrent", text::AMPS).writable().every_write();
/// Largest charge current of the device, A.
pub const CHARGE_CURRENT_LIMIT: Item<f64> = Item::new("/Settings/ChargeCurrentLimit", text::AMPS);

/// Why the converter does not run, or may not start, by the word of whoever decides about the battery; none while it may.
pub const HELD: Item<String> = Item::new("/Follow/Held", Text::Plain);
/// What the limits that are followed come from, in words.
pub const FOLLOW_REASON: Item<String> = Item::new("/Follow/Reason", Text::Plain);

/// The converter's own mode word: 0 waiting, 2 discharge, 0x14 it holds the grid's voltage, 0x41 charge.
pub const APIS_MODE: Item<i32> = Item::new("/Apis/Mode", Text::Hex).writable();
/// The mode in words, as the web API says it.
pub const APIS_MODE_TEXT: Item<String> = Item::new("/Apis/ModeText", Text::Plain);
/// `off`, `charge` or `discharge`.
pub const APIS_RUNNING_STATE: Item<String> = Item::new("/Apis/RunningState", Text::Plain);
/// `No alarm`, `Light alarm` or `Heavy alarm`.
pub const APIS_ALARM_STATE: Item<String> = Item::new("/Apis/AlarmState", Text::Plain);
/// Status word.
pub const APIS_STATUS: Item<i32> = Item::new("/Apis/Status", Text::Hex);
/// Further status word.
pub const APIS_EXT: Item<i32> = Item::new("/Apis/Ext", Text::Hex);
/// The three alarm words.
pub const APIS_ALARMS: [Item<i32>; 3] = [
    Item::new("/Apis/Alarm1", Text::Hex),
    Item::new("/Apis/Alarm2", Text::Hex),
    Item::new("/Apis/Alarm3", Text::Hex),
];
/// 1 clears the alarms.
pub const APIS_CLEAR_ALARMS: Item<i32> =
    Item::new("/Apis/ClearAlarms", Text::Plain).writable().range(0.0, 1.0);
/// Grid voltage that is set.
pub const APIS_TARGET_VOLTAGE: Item<f64> =
    Item::new("/Apis/Grid/TargetVoltage", text::VOLTS).writable().range(260.0, 390.0);
/// Droop rate that is set.
pub const APIS_DROOP_RATE: Item<f64> =
    Item::new("/Apis/Grid/DroopRate", Text::Unit(4, "")).writable().range(0.0, 3.999);
/// Grid current that is set, A; the mode gives it its direction.
pub const APIS_CURRENT_LIMIT: Item<f64> =
    Item::new("/Apis/Grid/CurrentLimit", text::AMPS).writable().range(0.0, 8.5162);
/// Grid under voltage threshold.
pub const APIS_UNDER_VOLTAGE: Item<f64> = Item::new("/Apis/Grid/UnderVoltage", text::VOLTS);
/// Grid over voltage threshold.
pub const APIS_OVER_VOLTAGE: Item<f64> = Item::new("/Apis/Grid/OverVoltage", text::VOLTS);
/// Dead zones above and below the grid voltage.
pub const APIS_DEAD_ZONES: [Item<f64>; 2] =
    [Item::new("/Apis/Grid/DeadZonePlus", text::VOLTS), Item::new("/Apis/Grid/DeadZoneMinus", text::VOLTS)];
/// Battery upper current in force.
pub const APIS_BATTERY_CURRENT_LIMIT: Item<f64> = Item::new("/Apis/Battery/CurrentLimit", text::AMPS);
/// Battery under voltage threshold.
pub const APIS_BATTERY_UNDER_VOLTAGE: Item<f64> = Item::new("/Apis/Battery/UnderVoltage", text::VOLTS);
/// Battery over voltage threshold.
pub const APIS_BATTERY_OVER_VOLTAGE: Item<f64> = Item::new("/Apis/Battery/OverVoltage", text::VOLTS);
/// Battery target voltage in force.
pub const APIS_BATTERY_TARGET_VOLTAGE: Item<f64> = Item::new("/Apis/Battery/TargetVoltage", text::VOLTS);
/// Battery droop rate.
pub const APIS_BATTERY_DROOP_RATE: Item<f64> = Item::new("/Apis/Battery/DroopRate", Text::Unit(4, ""));
/// End of discharge.
pub const APIS_END_OF_DISCHARGE: Item<f64> = Item::new("/Apis/Battery/EndOfDischarge", text::VOLTS);
/// Charge notice.
pub const APIS_CHARGE_NOTICE: Item<f64> = Item::new("/Apis/Battery/ChargeNotice", text::VOLTS);
/// Discharge notice.
pub const APIS_DISCHARGE_NOTICE: Item<f64> = Item::new("/Apis/Battery/DischargeNotice", text::VOLTS);
/// Temperature inside the converter.
pub const APIS_TEMPERATURE: Item<f64> = Item::new("/Apis/Internal/Temperature", text::CELSIUS);
/// Supply inside the converter.
pub const APIS_SUPPLY: Item<f64> = Item::new("/Apis/Internal/Supply5V", text::VOLTS);
/// Fans 1 to 5.
pub const APIS_FAN: Item<f64> = Item::new("/Apis/Internal/Fan/#", Text::Unit(0, "rpm"));

/// Commands without an answer since the process started.
pub const LINE_TIMEOUTS: Item<i32> = Item::new("/Apis/Link/Timeouts", Text::Plain);
/// Broken answers.
pub const LINE_BROKEN: Item<i32> = Item::new("/Apis/Link/ChecksumErrors", Text::Plain);
/// Refusals.
pub const LINE_REFUSALS: Item<i32> = Item::new("/Apis/Link/Naks", Text::Plain);
/// Commands sent once more.
pub const LINE_RETRIES: Item<i32> = Item::new("/Apis/Link/Retries", Text::Plain);
/// Why a command failed for good, the last time.
pub const LINE_LAST_ERROR: Item<String> = Item::new("/Apis/Link/LastError", Text::Plain);

/// On the battery's service: 3 sharing energy is permitted, 0 denied, as the web API says it.
pub const APIS_OPERATION_STATUS: Item<i32> = Item::new("/Apis/OperationStatus", Text::Plain);
