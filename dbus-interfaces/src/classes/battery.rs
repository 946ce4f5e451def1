//! `com.victronenergy.battery`: the paths of a battery. The pattern for all classes.
//!
//! Minimum for systemcalc's battery monitor: voltage, current, power and state of charge. Minimum for a BMS that controls:
//! a valid [`MAX_CHARGE_VOLTAGE`].

use crate::{Item, Text, text};

/// The class in a service name.
pub const CLASS: &str = "battery";
/// Our product id: in no list of Victron's, so that neither its quirks nor its pages bind to it.
pub const PRODUCT_ID: i32 = 0xBFB0;
/// The longest time to go that is shown, as Victron's own monitors cap it (ten days).
pub const TIME_TO_GO_MAX: i32 = 864_000;
/// `/State` while the battery works.
pub const STATE_RUNNING: i32 = 9;
/// `/State` while it has failed.
pub const STATE_ERROR: i32 = 10;

/// `/State` in words.
const STATES: &[&str] = &[
    "initialising",
    "initialising",
    "initialising",
    "initialising",
    "initialising",
    "initialising",
    "initialising",
    "initialising",
    "initialising",
    "running",
    "error",
    "unknown",
    "shutdown",
    "updating",
    "standby",
    "going to run",
    "pre-charging",
    "contactor check",
    "pending",
];

/// `/Can/State` in words.
const CAN_STATES: &[&str] =
    &["error active", "error warning", "error passive", "bus-off", "stopped", "sleeping", "no adapter"];

// Measurements. Current and power are positive while charging.
/// Pack voltage.
pub const DC_VOLTAGE: Item<f64> = Item::new("/Dc/0/Voltage", text::VOLTS);
/// Pack current, positive while charging.
pub const DC_CURRENT: Item<f64> = Item::new("/Dc/0/Current", text::AMPS);
/// Pack power; systemcalc copies it and does not multiply by itself.
pub const DC_POWER: Item<f64> = Item::new("/Dc/0/Power", text::WATTS);
/// Battery temperature; all chargers of the system may be given it.
pub const DC_TEMPERATURE: Item<f64> = Item::new("/Dc/0/Temperature", text::CELSIUS);
/// Voltage of the mid-point.
pub const DC_MID_VOLTAGE: Item<f64> = Item::new("/Dc/0/MidVoltage", text::VOLTS);
/// Deviation of the mid-point, per cent.
pub const DC_MID_VOLTAGE_DEVIATION: Item<f64> = Item::new("/Dc/0/MidVoltageDeviation", text::PERCENT_1);
/// Voltage of the starter battery.
pub const STARTER_VOLTAGE: Item<f64> = Item::new("/Dc/1/Voltage", text::VOLTS);
/// State of charge, 0 to 100.
pub const SOC: Item<f64> = Item::new("/Soc", text::PERCENT_1);
/// State of health, 0 to 100.
pub const SOH: Item<f64> = Item::new("/Soh", text::PERCENT_1);
/// Taken out since full: 0 or negative.
pub const CONSUMED_AMP_HOURS: Item<f64> = Item::new("/ConsumedAmphours", text::AMP_HOURS);
/// Seconds until empty at the present current, at most [`TIME_TO_GO_MAX`]; none while charging.
pub const TIME_TO_GO: Item<i32> = Item::new("/TimeToGo", text::SECONDS);
/// Capacity that is left.
pub const CAPACITY: Item<f64> = Item::new("/Capacity", text::AMP_HOURS);
/// Nominal capacity.
pub const INSTALLED_CAPACITY: Item<f64> = Item::new("/InstalledCapacity", text::AMP_HOURS);

// State
/// 0 to 8 initialising, 9 running, 10 error, 12 shutdown, 13 updating, 14 standby, 15 going to run, 16 pre-charging, 17 contactor check, 18 pending.
pub const STATE: Item<i32> = Item::new("/State", Text::Words(STATES));
/// 3 on, 252 standby, 4 off.
pub const MODE: Item<i32> = Item::new("/Mode", Text::Plain).writable();
/// Victron's Lynx list; other makers keep it 0 and use the alarms.
pub const ERROR_CODE: Item<i32> = Item::new("/ErrorCode", Text::Plain);
/// Main switch closed.
pub const SYSTEM_SWITCH: Item<i32> = Item::new("/SystemSwitch", text::NO_YES);
/// Any cell is balancing.
pub const BALANCING: Item<i32> = Item::new("/Balancing", text::NO_YES);
/// 0 unknown, 1 balanced, 2 balancing, 3 imbalance.
pub const BALANCER_STATUS: Item<i32> =
    Item::new("/Balancer/Status", Text::Words(&["unknown", "balanced", "balancing", "imbalance"]));

// Limits that DVCC obeys. A service that shows [`MAX_CHARGE_VOLTAGE`] is a BMS to systemcalc.
/// Charge voltage limit (CVL). Never 0: a GX takes that for over-voltage.
pub const MAX_CHARGE_VOLTAGE: Item<f64> = Item::new("/Info/MaxChargeVoltage", text::VOLTS);
/// Charge current limit (CCL).
pub const MAX_CHARGE_CURRENT: Item<f64> = Item::new("/Info/MaxChargeCurrent", text::AMPS);
/// Discharge current limit (DCL), positive.
pub const MAX_DISCHARGE_CURRENT: Item<f64> = Item::new("/Info/MaxDischargeCurrent", text::AMPS);
/// Discharge voltage limit (DVL).
pub const BATTERY_LOW_VOLTAGE: Item<f64> = Item::new("/Info/BatteryLowVoltage", text::VOLTS);
/// The BMS asks to be charged now.
pub const CHARGE_REQUEST: Item<i32> = Item::new("/Info/ChargeRequest", text::NO_YES);
/// The BMS asks for a full charge, for its counter or its balancer.
pub const FULL_CHARGE_REQUEST: Item<i32> = Item::new("/Info/FullChargeRequest", text::NO_YES);
/// What is being done, in words.
pub const CHARGE_MODE: Item<String> = Item::new("/Info/ChargeMode", Text::Plain);
/// Why the charge limit is what it is, in words.
pub const CHARGE_LIMITATION: Item<String> = Item::new("/Info/ChargeLimitation", Text::Plain);
/// Why the discharge limit is what it is, in words.
pub const DISCHARGE_LIMITATION: Item<String> = Item::new("/Info/DischargeLimitation", Text::Plain);
/// Highest voltage that one cell may reach.
pub const MAX_CHARGE_CELL_VOLTAGE: Item<f64> = Item::new("/Info/MaxChargeCellVoltage", text::CELL_VOLTS);
/// The battery moves its CVL by itself: systemcalc leaves its own correction out.
pub const CHARGE_VOLTAGE_CONTROL: Item<i32> = Item::new("/Capabilities/ChargeVoltageControl", text::NO_YES);

// Limits as the battery itself tells them, whoever speaks for it on `/Info`. Busbar's own paths.
/// Charge voltage limit (CVL) of this battery.
pub const BMS_MAX_CHARGE_VOLTAGE: Item<f64> = Item::new("/Bms/MaxChargeVoltage", text::VOLTS);
/// Charge current limit (CCL) of this battery.
pub const BMS_MAX_CHARGE_CURRENT: Item<f64> = Item::new("/Bms/MaxChargeCurrent", text::AMPS);
/// Discharge current limit (DCL) of this battery, positive.
pub const BMS_MAX_DISCHARGE_CURRENT: Item<f64> = Item::new("/Bms/MaxDischargeCurrent", text::AMPS);
/// The battery asks to be charged now.
pub const BMS_CHARGE_REQUEST: Item<i32> = Item::new("/Bms/ChargeRequest", text::NO_YES);

/// The battery asks for a full charge.
pub const BMS_FULL_CHARGE_REQUEST: Item<i32> = Item::new("/Bms/FullChargeRequest", text::NO_YES);

/// Discharge voltage limit (DVL) of this battery.
pub const BMS_LOW_VOLTAGE: Item<f64> = Item::new("/Bms/BatteryLowVoltage", text::VOLTS);

/// The protocol that is spoken with the battery.
pub const BMS_PROTOCOL: Item<String> = Item::new("/Bms/Protocol", Text::Plain);
/// How the data of this battery are, in words: fresh, or why not.
pub const BMS_STATUS: Item<String> = Item::new("/Bms/Status", Text::Plain);

// The CAN bus that the battery hangs on: the same on all services of one process. Busbar's own paths.
/// State of the CAN controller: 0 error active, 1 error warning, 2 error passive, 3 bus-off, 4 stopped (the interface is
/// down), 5 sleeping, 6 no adapter. None where the adapter does not tell.
pub const CAN_STATE: Item<i32> = Item::new("/Can/State", Text::Words(CAN_STATES));
/// Transmit error counter of the CAN controller, 0 to 256.
pub const CAN_TX_ERRORS: Item<i32> = Item::new("/Can/TxErrors", Text::Plain);
/// Receive error counter of the CAN controller, 0 to 256.
pub const CAN_RX_ERRORS: Item<i32> = Item::new("/Can/RxErrors", Text::Plain);
/// Frames that were received and lost because they were not read in time, since the interface was opened; with slcan,
/// how often the adapter has reported a loss.
pub const CAN_OVERFLOWS: Item<i32> = Item::new("/Can/Overflows", Text::Plain);
/// Frames that could not be sent because the send queue was full, since the process started.
pub const CAN_TX_DROPPED: Item<i32> = Item::new("/Can/TxDropped", Text::Plain);
/// Bit rate, bit/s.
pub const CAN_BIT_RATE: Item<i32> = Item::new("/Can/BitRate", text::BITS_PER_SECOND);
/// How much of the bus is in use by anybody, whole per cent, without stuff bits.
pub const CAN_LOAD: Item<i32> = Item::new("/Can/Load", text::PERCENT);
/// What is wrong with the CAN bus and what helps, in words; none while nothing is.
pub const CAN_TROUBLE: Item<String> = Item::new("/Can/Trouble", Text::Plain);

// Contactors and switches
/// The BMS allows charging.
pub const ALLOW_TO_CHARGE: Item<i32> = Item::new("/Io/AllowToCharge", text::NO_YES);
/// The BMS allows discharging.
pub const ALLOW_TO_DISCHARGE: Item<i32> = Item::new("/Io/AllowToDischarge", text::NO_YES);
/// The BMS allows balancing.
pub const ALLOW_TO_BALANCE: Item<i32> = Item::new("/Io/AllowToBalance", text::NO_YES);
/// The BMS allows heating.
pub const ALLOW_TO_HEAT: Item<i32> = Item::new("/Io/AllowToHeat", text::NO_YES);
/// State of the external relay.
pub const EXTERNAL_RELAY: Item<i32> = Item::new("/Io/ExternalRelay", text::NO_YES);
/// State of the programmable contact.
pub const PROGRAMMABLE_CONTACT: Item<i32> = Item::new("/Io/ProgrammableContact", text::NO_YES);
/// State of the relay.
pub const RELAY_STATE: Item<i32> = Item::new("/Relay/0/State", text::NO_YES).writable();

// The make-up of the battery
/// Voltage of the lowest cell.
pub const MIN_CELL_VOLTAGE: Item<f64> = Item::new("/System/MinCellVoltage", text::CELL_VOLTS);
/// Voltage of the highest cell.
pub const MAX_CELL_VOLTAGE: Item<f64> = Item::new("/System/MaxCellVoltage", text::CELL_VOLTS);
/// Which cell is lowest.
pub const MIN_VOLTAGE_CELL_ID: Item<String> = Item::new("/System/MinVoltageCellId", Text::Plain);
/// Which cell is highest.
pub const MAX_VOLTAGE_CELL_ID: Item<String> = Item::new("/System/MaxVoltageCellId", Text::Plain);
/// Temperature of the coldest cell.
pub const MIN_CELL_TEMPERATURE: Item<f64> = Item::new("/System/MinCellTemperature", text::CELSIUS);
/// Temperature of the hottest cell.
pub const MAX_CELL_TEMPERATURE: Item<f64> = Item::new("/System/MaxCellTemperature", text::CELSIUS);
/// Which cell is coldest.
pub const MIN_TEMPERATURE_CELL_ID: Item<String> = Item::new("/System/MinTemperatureCellId", Text::Plain);
/// Which cell is hottest.
pub const MAX_TEMPERATURE_CELL_ID: Item<String> = Item::new("/System/MaxTemperatureCellId", Text::Plain);
/// Cells in series.
pub const CELLS_PER_BATTERY: Item<i32> = Item::new("/System/NrOfCellsPerBattery", Text::Plain);
/// Batteries in the bank; shows the System page of the GUI.
pub const BATTERIES: Item<i32> = Item::new("/System/NrOfBatteries", Text::Plain);
/// Batteries in parallel.
pub const BATTERIES_PARALLEL: Item<i32> = Item::new("/System/BatteriesParallel", Text::Plain);
/// Batteries in series.
pub const BATTERIES_SERIES: Item<i32> = Item::new("/System/BatteriesSeries", Text::Plain);
/// Modules that take part.
pub const MODULES_ONLINE: Item<i32> = Item::new("/System/NrOfModulesOnline", Text::Plain);
/// Modules that do not.
pub const MODULES_OFFLINE: Item<i32> = Item::new("/System/NrOfModulesOffline", Text::Plain);
/// Modules that block charging.
pub const MODULES_BLOCKING_CHARGE: Item<i32> = Item::new("/System/NrOfModulesBlockingCharge", Text::Plain);
/// Modules that block discharging.
pub const MODULES_BLOCKING_DISCHARGE: Item<i32> =
    Item::new("/System/NrOfModulesBlockingDischarge", Text::Plain);
/// Further sensors, 1 to 4.
pub const TEMPERATURE: Item<f64> = Item::new("/System/Temperature#", text::CELSIUS);
/// What each further sensor measures.
pub const TEMPERATURE_NAME: Item<String> = Item::new("/System/Temperature#Name", Text::Plain);
/// Temperature of the switching transistors.
pub const MOS_TEMPERATURE: Item<f64> = Item::new("/System/MOSTemperature", text::CELSIUS);
/// Voltage of each cell, from 1.
pub const CELL_VOLTAGE: Item<f64> = Item::new("/Voltages/Cell#", text::CELL_VOLTS);
/// Sum of the cells.
pub const CELL_VOLTAGE_SUM: Item<f64> = Item::new("/Voltages/Sum", text::VOLTS);
/// Highest less lowest cell.
pub const CELL_VOLTAGE_DIFFERENCE: Item<f64> = Item::new("/Voltages/Diff", text::CELL_VOLTS);
/// Whether each cell is being balanced, from 1.
pub const CELL_BALANCING: Item<i32> = Item::new("/Balances/Cell#", text::NO_YES);
/// Maker, as the battery tells it.
pub const MANUFACTURER: Item<String> = Item::new("/Manufacturer", Text::Plain);
/// Product family, as the battery tells it.
pub const FAMILY: Item<String> = Item::new("/Family", Text::Plain);
/// Free text of the details page.
pub const CONNECTION_INFORMATION: Item<String> = Item::new("/ConnectionInformation", Text::Plain);
/// 1 starts detection again; the GUI shows a button where it is valid.
pub const REDETECT: Item<i32> = Item::new("/Redetect", Text::Plain).writable();

// Alarms: 0 ok, 1 warning, 2 alarm. The platform makes a notification of each, without a setting to stop it.
/// Pack voltage low.
pub const ALARM_LOW_VOLTAGE: Item<i32> = Item::new("/Alarms/LowVoltage", text::ALARM);
/// Pack voltage high.
pub const ALARM_HIGH_VOLTAGE: Item<i32> = Item::new("/Alarms/HighVoltage", text::ALARM);
/// A cell is low.
pub const ALARM_LOW_CELL_VOLTAGE: Item<i32> = Item::new("/Alarms/LowCellVoltage", text::ALARM);
/// A cell is high.
pub const ALARM_HIGH_CELL_VOLTAGE: Item<i32> = Item::new("/Alarms/HighCellVoltage", text::ALARM);
/// State of charge low.
pub const ALARM_LOW_SOC: Item<i32> = Item::new("/Alarms/LowSoc", text::ALARM);
/// Current high, whichever way.
pub const ALARM_HIGH_CURRENT: Item<i32> = Item::new("/Alarms/HighCurrent", text::ALARM);
/// Charge current high.
pub const ALARM_HIGH_CHARGE_CURRENT: Item<i32> = Item::new("/Alarms/HighChargeCurrent", text::ALARM);
/// Discharge current high.
pub const ALARM_HIGH_DISCHARGE_CURRENT: Item<i32> = Item::new("/Alarms/HighDischargeCurrent", text::ALARM);
/// Too hot.
pub const ALARM_HIGH_TEMPERATURE: Item<i32> = Item::new("/Alarms/HighTemperature", text::ALARM);
/// Too cold.
pub const ALARM_LOW_TEMPERATURE: Item<i32> = Item::new("/Alarms/LowTemperature", text::ALARM);
/// Too hot to charge.
pub const ALARM_HIGH_CHARGE_TEMPERATURE: Item<i32> = Item::new("/Alarms/HighChargeTemperature", text::ALARM);
/// Too cold to charge.
pub const ALARM_LOW_CHARGE_TEMPERATURE: Item<i32> = Item::new("/Alarms/LowChargeTemperature", text::ALARM);
/// Electronics too hot.
pub const ALARM_HIGH_INTERNAL_TEMPERATURE: Item<i32> =
    Item::new("/Alarms/HighInternalTemperature", text::ALARM);
/// Cells too far apart.
pub const ALARM_CELL_IMBALANCE: Item<i32> = Item::new("/Alarms/CellImbalance", text::ALARM);
/// The BMS reports a failure of its own.
pub const ALARM_INTERNAL_FAILURE: Item<i32> = Item::new("/Alarms/InternalFailure", text::ALARM);
/// No data from the battery.
pub const ALARM_BMS_CABLE: Item<i32> = Item::new("/Alarms/BmsCable", text::ALARM);
/// A contactor does not do what it is told.
pub const ALARM_CONTACTOR: Item<i32> = Item::new("/Alarms/Contactor", text::ALARM);
/// A fuse is blown.
pub const ALARM_FUSE_BLOWN: Item<i32> = Item::new("/Alarms/FuseBlown", text::ALARM);
/// State of health low.
pub const ALARM_STATE_OF_HEALTH: Item<i32> = Item::new("/Alarms/StateOfHealth", text::ALARM);
/// Mid-point off.
pub const ALARM_MID_VOLTAGE: Item<i32> = Item::new("/Alarms/MidVoltage", text::ALARM);
/// Starter battery low.
pub const ALARM_LOW_STARTER_VOLTAGE: Item<i32> = Item::new("/Alarms/LowStarterVoltage", text::ALARM);
/// Starter battery high.
pub const ALARM_HIGH_STARTER_VOLTAGE: Item<i32> = Item::new("/Alarms/HighStarterVoltage", text::ALARM);
/// Voltage behind the fuse low.
pub const ALARM_LOW_FUSED_VOLTAGE: Item<i32> = Item::new("/Alarms/LowFusedVoltage", text::ALARM);
/// Voltage behind the fuse high.
pub const ALARM_HIGH_FUSED_VOLTAGE: Item<i32> = Item::new("/Alarms/HighFusedVoltage", text::ALARM);
/// A sensor is broken.
pub const ALARM_BATTERY_TEMPERATURE_SENSOR: Item<i32> =
    Item::new("/Alarms/BatteryTemperatureSensor", text::ALARM);
/// An update of the BMS failed.
pub const ALARM_FIRMWARE_UPDATE_FAILURE: Item<i32> = Item::new("/Alarms/FirmwareUpdateFailure", text::ALARM);
/// A parallel BMS is gone.
pub const ALARM_PARALLEL_BMS_LOST: Item<i32> = Item::new("/Alarms/ParallelBmsLost", text::ALARM);
/// Charging is blocked; no notification.
pub const ALARM_CHARGE_BLOCKED: Item<i32> = Item::new("/Alarms/ChargeBlocked", text::ALARM);
/// Discharging is blocked; no notification.
pub const ALARM_DISCHARGE_BLOCKED: Item<i32> = Item::new("/Alarms/DischargeBlocked", text::ALARM);
/// Anything; no notification.
pub const ALARM_GENERAL: Item<i32> = Item::new("/Alarms/Alarm", text::ALARM);

// History
/// Deepest discharge, negative.
pub const HISTORY_DEEPEST_DISCHARGE: Item<f64> = Item::new("/History/DeepestDischarge", text::AMP_HOURS);
/// Last discharge, negative.
pub const HISTORY_LAST_DISCHARGE: Item<f64> = Item::new("/History/LastDischarge", text::AMP_HOURS);
/// Average discharge, negative.
pub const HISTORY_AVERAGE_DISCHARGE: Item<f64> = Item::new("/History/AverageDischarge", text::AMP_HOURS);
/// Sum of all that was drawn, negative.
pub const HISTORY_TOTAL_AH_DRAWN: Item<f64> = Item::new("/History/TotalAhDrawn", text::AMP_HOURS);
/// Lowest pack voltage.
pub const HISTORY_MINIMUM_VOLTAGE: Item<f64> = Item::new("/History/MinimumVoltage", text::VOLTS);
/// Highest pack voltage.
pub const HISTORY_MAXIMUM_VOLTAGE: Item<f64> = Item::new("/History/MaximumVoltage", text::VOLTS);
/// Lowest cell voltage.
pub const HISTORY_MINIMUM_CELL_VOLTAGE: Item<f64> =
    Item::new("/History/MinimumCellVoltage", text::CELL_VOLTS);
/// Highest cell voltage.
pub const HISTORY_MAXIMUM_CELL_VOLTAGE: Item<f64> =
    Item::new("/History/MaximumCellVoltage", text::CELL_VOLTS);
/// Lowest starter voltage.
pub const HISTORY_MINIMUM_STARTER_VOLTAGE: Item<f64> =
    Item::new("/History/MinimumStarterVoltage", text::VOLTS);
/// Highest starter voltage.
pub const HISTORY_MAXIMUM_STARTER_VOLTAGE: Item<f64> =
    Item::new("/History/MaximumStarterVoltage", text::VOLTS);
/// Lowest temperature.
pub const HISTORY_MINIMUM_TEMPERATURE: Item<f64> = Item::new("/History/MinimumTemperature", text::CELSIUS);
/// Highest temperature.
pub const HISTORY_MAXIMUM_TEMPERATURE: Item<f64> = Item::new("/History/MaximumTemperature", text::CELSIUS);
/// Energy taken out.
pub const HISTORY_DISCHARGED_ENERGY: Item<f64> = Item::new("/History/DischargedEnergy", text::KWH);
/// Energy put in.
pub const HISTORY_CHARGED_ENERGY: Item<f64> = Item::new("/History/ChargedEnergy", text::KWH);
/// Charge cycles.
pub const HISTORY_CHARGE_CYCLES: Item<i32> = Item::new("/History/ChargeCycles", Text::Plain);
/// Full discharges.
pub const HISTORY_FULL_DISCHARGES: Item<i32> = Item::new("/History/FullDischarges", Text::Plain);
/// Synchronisations of the counter.
pub const HISTORY_AUTOMATIC_SYNCS: Item<i32> = Item::new("/History/AutomaticSyncs", Text::Plain);
/// Low-voltage alarms.
pub const HISTORY_LOW_VOLTAGE_ALARMS: Item<i32> = Item::new("/History/LowVoltageAlarms", Text::Plain);
/// High-voltage alarms.
pub const HISTORY_HIGH_VOLTAGE_ALARMS: Item<i32> = Item::new("/History/HighVoltageAlarms", Text::Plain);
/// Low-voltage alarms of the starter battery.
pub const HISTORY_LOW_STARTER_VOLTAGE_ALARMS: Item<i32> =
    Item::new("/History/LowStarterVoltageAlarms", Text::Plain);
/// High-voltage alarms of the starter battery.
pub const HISTORY_HIGH_STARTER_VOLTAGE_ALARMS: Item<i32> =
    Item::new("/History/HighStarterVoltageAlarms", Text::Plain);
/// Seconds since the last full charge.
pub const HISTORY_TIME_SINCE_LAST_FULL_CHARGE: Item<i32> =
    Item::new("/History/TimeSinceLastFullCharge", text::SECONDS);
/// 1 clears the history.
pub const HISTORY_CLEAR: Item<i32> = Item::new("/History/Clear", Text::Plain).writable();
/// The GUI shows a button.
pub const HISTORY_CAN_BE_CLEARED: Item<i32> = Item::new("/History/CanBeCleared", text::NO_YES);

// What the GUI shows
/// Temperature rows in the history.
pub const HAS_TEMPERATURE: Item<i32> = Item::new("/Settings/HasTemperature", text::NO_YES);
/// Starter rows in the history.
pub const HAS_STARTER_VOLTAGE: Item<i32> = Item::new("/Settings/HasStarterVoltage", text::NO_YES);
/// Mid-point rows in the history.
pub const HAS_MID_VOLTAGE: Item<i32> = Item::new("/Settings/HasMidVoltage", text::NO_YES);
/// A settings menu.
pub const HAS_SETTINGS: Item<i32> = Item::new("/Settings/HasSettings", text::NO_YES);
/// State of charge below which the battery is not used; systemcalc watches it.
pub const DISCHARGE_FLOOR: Item<f64> = Item::new("/Settings/DischargeFloor", text::PERCENT_1);

// Measurements of another shunt, which systemcalc writes here where the user asks for it (CanBmsSense)
/// Voltage.
pub const SENSE_VOLTAGE: Item<f64> = Item::new("/Sense/Voltage", text::VOLTS).writable();
/// Current, positive while charging.
pub const SENSE_CURRENT: Item<f64> = Item::new("/Sense/Current", text::AMPS).writable();
/// Temperature.
pub const SENSE_TEMPERATURE: Item<f64> = Item::new("/Sense/Temperature", text::CELSIUS).writable();
/// State of charge.
pub const SENSE_SOC: Item<f64> = Item::new("/Sense/Soc", text::PERCENT_1).writable();
