//! `com.victronenergy.multi`: the paths of one inverter/charger, as `dbus-systemcalc-py` (`delegates/multi.py`) and gui-v2
//! (`pages/settings/devicelist/rs`) read them.
//!
//! DVCC controls one that shows `/IsInverterCharger` 1 when it appears: ours does only where the user wants that. And
//! `dbus-acsystem` gathers those with `/N2kSystemInstance`: ours never has it.

use crate::{Item, Text, text};

/// The class in a service name.
pub const CLASS: &str = "multi";
/// Our product id: in no list of Victron's, so that neither its quirks nor its pages bind to it.
pub const PRODUCT_ID: i32 = 0xBFB2;

/// 0 ok, 1 warning, 2 alarm: no limits come from the battery any more.
pub const ALARM_BMS_CONNECTION_LOST: Item<i32> = Item::new("/Alarms/BmsConnectionLost", text::ALARM);
/// Free text of the device page.
pub const CONNECTION_INFORMATION: Item<String> = Item::new("/ConnectionInformation", Text::Plain);

// Lines 1 to 3 of input 1 and of the output. Power is positive from the input and positive to the loads.
/// Voltage at the input.
pub const IN_V: Item<f64> = Item::new("/Ac/In/1/L#/V", text::VOLTS);
/// Current at the input, with the sign of the power.
pub const IN_I: Item<f64> = Item::new("/Ac/In/1/L#/I", text::AMPS);
/// Power from the input, negative while it feeds in.
pub const IN_P: Item<f64> = Item::new("/Ac/In/1/L#/P", text::WATTS);
/// Frequency at the input.
pub const IN_F: Item<f64> = Item::new("/Ac/In/1/L#/F", text::HERTZ);
/// Power of all lines of the input; on an `acsystem`.
pub const IN_TOTAL: Item<f64> = Item::new("/Ac/In/1/P", text::WATTS);
/// 0 not used, 1 grid, 2 generator, 3 shore.
pub const IN_TYPE: Item<i32> =
    Item::new("/Ac/In/1/Type", Text::Words(&["not used", "grid", "generator", "shore"]));
/// Voltage at the output.
pub const OUT_V: Item<f64> = Item::new("/Ac/Out/L#/V", text::VOLTS);
/// Current to the loads.
pub const OUT_I: Item<f64> = Item::new("/Ac/Out/L#/I", text::AMPS);
/// Power to the loads.
pub const OUT_P: Item<f64> = Item::new("/Ac/Out/L#/P", text::WATTS);
/// Frequency at the output.
pub const OUT_F: Item<f64> = Item::new("/Ac/Out/L#/F", text::HERTZ);
/// Power to all loads; on an `acsystem`.
pub const OUT_TOTAL: Item<f64> = Item::new("/Ac/Out/P", text::WATTS);
/// Apparent power of the loads.
pub const OUT_S: Item<f64> = Item::new("/Ac/Out/L#/S", Text::Unit(0, "VA"));
// The same of input 2, where a generator has its own.
/// Voltage at the second input.
pub const IN2_V: Item<f64> = Item::new("/Ac/In/2/L#/V", text::VOLTS);
/// Current at the second input.
pub const IN2_I: Item<f64> = Item::new("/Ac/In/2/L#/I", text::AMPS);
/// Power from the second input.
pub const IN2_P: Item<f64> = Item::new("/Ac/In/2/L#/P", text::WATTS);
/// Frequency at the second input.
pub const IN2_F: Item<f64> = Item::new("/Ac/In/2/L#/F", text::HERTZ);
/// Power of all lines of the second input; on an `acsystem`.
pub const IN2_TOTAL: Item<f64> = Item::new("/Ac/In/2/P", text::WATTS);
/// [`IN_TYPE`] of the second input.
pub const IN2_TYPE: Item<i32> =
    Item::new("/Ac/In/2/Type", Text::Words(&["not used", "grid", "generator", "shore"]));
/// Lines.
pub const PHASES: Item<i32> = Item::new("/Ac/NumberOfPhases", Text::Plain);
/// Inputs.
pub const INPUTS: Item<i32> = Item::new("/Ac/NumberOfAcInputs", Text::Plain);
/// 0 input 1, 1 input 2, 240 none.
pub const ACTIVE_INPUT: Item<i32> = Item::new("/Ac/ActiveIn/ActiveInput", Text::Plain);
/// [`ACTIVE_INPUT`] without one.
pub const NO_INPUT: i32 = 240;
/// Whether there is an active input.
pub const ACTIVE_IS_CONNECTED: Item<i32> = Item::new("/Ac/ActiveIn/Connected", text::NO_YES);

/// Power of the solar panels. systemcalc adds it to the power of solar chargers: no other service may show it too.
pub const YIELD_POWER: Item<f64> = Item::new("/Yield/Power", text::WATTS);
/// Energy of the solar panels since the device was made.
pub const YIELD_SYSTEM: Item<f64> = Item::new("/Yield/System", text::KWH);
/// Energy of the solar panels since the user began to count.
pub const YIELD_USER: Item<f64> = Item::new("/Yield/User", text::KWH);
/// Energy of the solar panels today.
pub const YIELD_TODAY: Item<f64> = Item::new("/History/Daily/0/Yield", text::KWH);
/// Trackers.
pub const TRACKERS: Item<i32> = Item::new("/NrOfTrackers", Text::Plain);
/// Power of a tracker, from 0 on.
pub const TRACKER_P: Item<f64> = Item::new("/Pv/#/P", text::WATTS);
/// Voltage of a tracker, from 0 on.
pub const TRACKER_V: Item<f64> = Item::new("/Pv/#/V", text::VOLTS);
/// DVCC controls a `multi` where this is 1 when it appears.
pub const IS_INVERTER_CHARGER: Item<i32> = Item::new("/IsInverterCharger", text::NO_YES);
// What DVCC reads and writes of one that it controls (`dbus-systemcalc-py`: `delegates/dvcc.py`).
/// Most current into the battery, A: written every 3 s while a limit holds.
pub const LINK_CHARGE_CURRENT: Item<f64> = Item::new("/Link/ChargeCurrent", text::AMPS).writable();
/// Most current out of the battery, A: written every 3 s while there is a BMS.
pub const LINK_DISCHARGE_CURRENT: Item<f64> = Item::new("/Link/DischargeCurrent", text::AMPS).writable();
/// Charge voltage, V.
pub const LINK_CHARGE_VOLTAGE: Item<f64> = Item::new("/Link/ChargeVoltage", text::VOLTS).writable();
/// Bits: 1 controlled from outside, 4 by charge voltage or current, 8 by a BMS.
pub const LINK_NETWORK_MODE: Item<i32> = Item::new("/Link/NetworkMode", Text::Plain).writable();
/// The charge current that it can give, A; DVCC shares among chargers in proportion to it.
pub const CHARGE_CURRENT_LIMIT: Item<f64> = Item::new("/Settings/ChargeCurrentLimit", text::AMPS);
/// It wants a BMS, because it had one.
pub const BMS_PRESENT: Item<i32> = Item::new("/Settings/BmsPresent", text::NO_YES);
/// 0: DVCC leaves alone those of another number.
pub const N2K_DEVICE_INSTANCE: Item<i32> = Item::new("/N2kDeviceInstance", Text::Plain);
/// Power that it can give, W.
pub const NOMINAL_POWER: Item<i32> = Item::new("/Ac/Out/L1/NominalInverterPower", text::WATTS);
/// Temperature inside.
pub const TEMPERATURE: Item<f64> = Item::new("/Temperature", text::CELSIUS);

/// 0 off, 2 fault, 3 bulk, 4 absorption, 5 float, 8 pass-through, 9 inverting, 10 assisting.
pub const STATE: Item<i32> = Item::new("/State", Text::Plain);
/// 3 on, 4 off, as it is.
pub const MODE: Item<i32> = Item::new("/Mode", Text::Plain);
/// [`MODE`] on an `acsystem`, where it can be chosen.
pub const MODE_OF_SYSTEM: Item<i32> = Item::new("/Mode", Text::Plain).writable();
/// The GUI lets the user choose the mode.
pub const MODE_IS_ADJUSTABLE: Item<i32> = Item::new("/ModeIsAdjustable", text::NO_YES);
// What the GX and its clients set, at a unit as at a system (gui-v2: `pages/invertercharger`; the paths of a Multi RS). They are
// writable where the device has it: `Item::writable`.
/// State of charge that is kept while the grid is there, %.
pub const MIN_SOC_LIMIT: Item<f64> = Item::new("/Settings/Ess/MinimumSocLimit", text::PERCENT_1);
/// 1: nothing is fed into the grid.
pub const DISABLE_FEED_IN: Item<i32> = Item::new("/Ess/DisableFeedIn", text::NO_YES).range(0.0, 1.0);
/// 1: the grid does not charge the battery.
pub const DISABLE_CHARGE: Item<i32> = Item::new("/Ess/DisableCharge", text::NO_YES).range(0.0, 1.0);
/// Most current from the input, A.
pub const IN_CURRENT_LIMIT: Item<f64> = Item::new("/Ac/In/1/CurrentLimit", text::AMPS);
/// The GUI lets the user choose it.
pub const IN_CURRENT_LIMIT_IS_ADJUSTABLE: Item<i32> =
    Item::new("/Ac/In/1/CurrentLimitIsAdjustable", text::NO_YES);
/// Power from the grid, W, negative into it.
pub const AC_POWER_SETPOINT: Item<f64> = Item::new("/Ess/AcPowerSetpoint", text::WATTS).every_write();
/// Power into the battery, W, negative out of it; it counts while [`USE_INVERTER_POWER_SETPOINT`] is 1.
pub const INVERTER_POWER_SETPOINT: Item<f64> =
    Item::new("/Ess/InverterPowerSetpoint", text::WATTS).every_write();
/// See [`INVERTER_POWER_SETPOINT`].
pub const USE_INVERTER_POWER_SETPOINT: Item<i32> =
    Item::new("/Ess/UseInverterPowerSetpoint", text::NO_YES).range(0.0, 1.0).every_write();

/// 0 without an error.
pub const ERROR_CODE: Item<i32> = Item::new("/ErrorCode", Text::Plain);
/// What the unit reports, in words.
pub const ERROR_TEXT: Item<String> = Item::new("/Error/0/Id", Text::Plain);
/// 0 ok, 1 warning, 2 alarm each: too hot, battery low, battery high, overload, ripple, short circuit, state of charge low,
/// output low, output high, wrong order of the lines.
pub const ALARMS: [Item<i32>; 10] = [
    Item::new("/Alarms/HighTemperature", text::ALARM),
    Item::new("/Alarms/LowVoltage", text::ALARM),
    Item::new("/Alarms/HighVoltage", text::ALARM),
    Item::new("/Alarms/Overload", text::ALARM),
    Item::new("/Alarms/Ripple", text::ALARM),
    Item::new("/Alarms/ShortCircuit", text::ALARM),
    Item::new("/Alarms/LowSoc", text::ALARM),
    Item::new("/Alarms/LowVoltageAcOut", text::ALARM),
    Item::new("/Alarms/HighVoltageAcOut", text::ALARM),
    Item::new("/Alarms/PhaseRotation", text::ALARM),
];
/// The grid is lost.
pub const ALARM_GRID_LOST: Item<i32> = Item::new("/Alarms/GridLost", text::ALARM);

/// Energy counters, kWh: input to loads, input to inverter, inverter to loads, inverter to input, output to input, output
/// to inverter, into the battery, out of the battery.
pub const ENERGY: [Item<f64>; 8] = [
    Item::new("/Energy/AcIn1ToAcOut", text::KWH),
    Item::new("/Energy/AcIn1ToInverter", text::KWH),
    Item::new("/Energy/InverterToAcOut", text::KWH),
    Item::new("/Energy/InverterToAcIn1", text::KWH),
    Item::new("/Energy/AcOutToAcIn1", text::KWH),
    Item::new("/Energy/OutToInverter", text::KWH),
    Item::new("/History/ChargedEnergy", text::KWH),
    Item::new("/History/DischargedEnergy", text::KWH),
];

/// The class of the system above the units: the half that is controlled.
pub const SYSTEM_CLASS: &str = "acsystem";
/// Our product id of a system.
pub const SYSTEM_PRODUCT_ID: i32 = 0xBFB3;
/// Bus name of a unit of the system, from 0 on.
pub const MEMBER_SERVICE: Item<String> = Item::new("/Devices/#/Service", Text::Plain);
/// Its number, from 0 on.
pub const MEMBER_INSTANCE: Item<i32> = Item::new("/Devices/#/Instance", Text::Plain);
