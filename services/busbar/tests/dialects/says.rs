//! What each dialect tells of a battery, as items on the bus, and how finely.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// A word of the simulator's report and the item where it must appear.
pub(crate) struct Told(&'static str, &'static str, How);

enum How {
    /// A number, this near.
    Near(f64),
    /// A number, cut off.
    Whole,
    /// A text.
    Text,
}
use How::{Near, Text, Whole};

/// A dialect as this test knows it.
pub(crate) struct Dialect {
    /// Its name, in the simulator and in `bms-can`.
    pub(crate) name: &'static str,
    /// The name by which its traffic is recognised: another one where both read the same.
    pub(crate) recognised: &'static str,
    /// A choice that does not fit it.
    pub(crate) wrong: &'static str,
    /// Alarms come in pairs of bits.
    pub(crate) has_pairs: bool,
    says: &'static [&'static [Told]],
}

const EVERY: &[Told] = &[
    Told("voltage_v", "/Dc/0/Voltage", Near(0.0051)),
    Told("current_a", "/Dc/0/Current", Near(0.051)),
    Told("soh_percent", "/Soh", Near(0.51)),
    Told("charge_voltage_limit_v", "/Info/MaxChargeVoltage", Near(0.051)),
    Told("charge_current_limit_a", "/Info/MaxChargeCurrent", Near(0.051)),
    Told("discharge_current_limit_a", "/Info/MaxDischargeCurrent", Near(0.051)),
    Told("charge_voltage_limit_v", "/Bms/MaxChargeVoltage", Near(0.051)),
];
/// As [`EVERY`], with the voltage in tenths.
const EVERY_COARSE: &[Told] = &[
    Told("voltage_v", "/Dc/0/Voltage", Near(0.051)),
    Told("current_a", "/Dc/0/Current", Near(0.051)),
    Told("soh_percent", "/Soh", Near(0.51)),
    Told("charge_voltage_limit_v", "/Info/MaxChargeVoltage", Near(0.051)),
    Told("charge_current_limit_a", "/Info/MaxChargeCurrent", Near(0.051)),
    Told("discharge_current_limit_a", "/Info/MaxDischargeCurrent", Near(0.051)),
];
const LOW_VOLTAGE: &[Told] = &[Told("discharge_voltage_limit_v", "/Info/BatteryLowVoltage", Near(0.051))];
const SOC: &[Told] = &[Told("soc_percent", "/Soc", Near(0.51))];
const FINE_SOC: &[Told] = &[Told("soc_percent", "/Soc", Near(0.0051))];
const MEAN_C: &[Told] = &[Told("temperature_c", "/Dc/0/Temperature", Near(0.051))];
const HOTTEST_C: &[Told] = &[
    Told("highest_temperature_c", "/Dc/0/Temperature", Near(0.051)),
    Told("highest_temperature_c", "/System/MaxCellTemperature", Near(0.051)),
];
const MAKER: &[Told] = &[Told("manufacturer", "/Manufacturer", Text)];
const VERSION: &[Told] = &[Told("firmware", "/FirmwareVersion", Text)];
const MODEL: &[Told] = &[Told("model", "/ProductName", Text)];
const CELLS: &[Told] = &[
    Told("lowest_cell_v", "/System/MinCellVoltage", Near(0.0011)),
    Told("highest_cell_v", "/System/MaxCellVoltage", Near(0.0011)),
];
const CELLS_C: &[Told] = &[
    Told("lowest_temperature_c", "/System/MinCellTemperature", Near(0.051)),
    Told("highest_temperature_c", "/System/MaxCellTemperature", Near(0.051)),
];
/// In whole kelvins or degrees.
const CELLS_WHOLE_C: &[Told] = &[
    Told("lowest_temperature_c", "/System/MinCellTemperature", Near(0.51)),
    Told("highest_temperature_c", "/System/MaxCellTemperature", Near(0.51)),
];
const CELL_NAMES: &[Told] = &[
    Told("lowest_cell", "/System/MinVoltageCellId", Text),
    Told("highest_cell", "/System/MaxVoltageCellId", Text),
    Told("lowest_temperature", "/System/MinTemperatureCellId", Text),
    Told("highest_temperature", "/System/MaxTemperatureCellId", Text),
];
const ONLINE: &[Told] = &[Told("modules_online", "/System/NrOfModulesOnline", Near(0.0))];
const OFFLINE: &[Told] = &[Told("modules_offline", "/System/NrOfModulesOffline", Near(0.0))];
const BLOCKING: &[Told] = &[
    Told("modules_blocking_charge", "/System/NrOfModulesBlockingCharge", Near(0.0)),
    Told("modules_blocking_discharge", "/System/NrOfModulesBlockingDischarge", Near(0.0)),
];
const ENERGY: &[Told] = &[
    Told("charged_kwh", "/History/ChargedEnergy", Near(0.051)),
    Told("discharged_kwh", "/History/DischargedEnergy", Near(0.051)),
];
const CYCLES: &[Told] = &[Told("cycles", "/History/ChargeCycles", Whole)];
const INSTALLED: &[Told] = &[Told("installed_ah", "/InstalledCapacity", Near(0.51))];
const REMAINING: &[Told] = &[Told("remaining_ah", "/Capacity", Near(0.51))];
const SERIAL: &[Told] = &[Told("serial", "/Serial", Text), Told("family", "/Family", Text)];
const PERMITS: &[Told] = &[
    Told("charge_enabled", "/Io/AllowToCharge", Near(0.0)),
    Told("discharge_enabled", "/Io/AllowToDischarge", Near(0.0)),
];
const WANTS: &[Told] = &[Told("force_charge_1", "/Info/ChargeRequest", Near(0.0))];
const WANTS_FULL: &[Told] = &[Told("full_charge", "/Info/FullChargeRequest", Near(0.0))];

pub(crate) const DIALECTS: [Dialect; 13] = [
    Dialect {
        name: "pylontech_lv",
        recognised: "pylontech_lv",
        wrong: "victron",
        has_pairs: false,
        says: &[EVERY, LOW_VOLTAGE, SOC, MEAN_C, MAKER, ONLINE, PERMITS, WANTS, WANTS_FULL],
    },
    Dialect {
        name: "victron",
        recognised: "victron",
        wrong: "pylontech_lv",
        has_pairs: true,
        says: &[
            EVERY,
            LOW_VOLTAGE,
            FINE_SOC,
            MEAN_C,
            MAKER,
            VERSION,
            MODEL,
            CELLS,
            CELLS_WHOLE_C,
            CELL_NAMES,
            ONLINE,
            OFFLINE,
            BLOCKING,
            ENERGY,
            CYCLES,
            INSTALLED,
            SERIAL,
        ],
    },
    Dialect {
        name: "byd_lv",
        recognised: "byd_lv",
        wrong: "pylontech_lv",
        has_pairs: true,
        says: &[EVERY, LOW_VOLTAGE, SOC, MEAN_C, MAKER, VERSION],
    },
    Dialect {
        name: "sma_bms",
        recognised: "sma_bms",
        wrong: "pylontech_lv",
        has_pairs: true,
        says: &[EVERY, LOW_VOLTAGE, FINE_SOC, MEAN_C, MAKER, VERSION, INSTALLED],
    },
    Dialect {
        name: "pytes",
        recognised: "pytes",
        wrong: "pylontech_lv",
        has_pairs: true,
        says: &[
            EVERY,
            LOW_VOLTAGE,
            FINE_SOC,
            MEAN_C,
            MAKER,
            VERSION,
            CELLS,
            CELLS_WHOLE_C,
            CELL_NAMES,
            ONLINE,
            OFFLINE,
            BLOCKING,
            ENERGY,
            INSTALLED,
            SERIAL,
            WANTS,
        ],
    },
    Dialect {
        name: "pytes_native",
        recognised: "pytes_native",
        wrong: "pylontech_lv",
        has_pairs: false,
        says: &[
            EVERY,
            LOW_VOLTAGE,
            SOC,
            MEAN_C,
            MAKER,
            CELLS,
            CELLS_C,
            ONLINE,
            OFFLINE,
            BLOCKING,
            ENERGY,
            CYCLES,
            INSTALLED,
            REMAINING,
            PERMITS,
            WANTS,
        ],
    },
    Dialect {
        name: "sol_ark",
        recognised: "sol_ark",
        wrong: "victron",
        has_pairs: false,
        says: &[EVERY_COARSE, LOW_VOLTAGE, SOC, MEAN_C, MAKER, ONLINE, INSTALLED, PERMITS, WANTS, WANTS_FULL],
    },
    Dialect {
        name: "deye_lv",
        recognised: "deye_lv",
        wrong: "victron",
        has_pairs: false,
        says: &[EVERY, SOC, MEAN_C, MAKER, ONLINE, PERMITS, WANTS, WANTS_FULL],
    },
    Dialect {
        name: "luxpower",
        recognised: "luxpower",
        wrong: "pylontech_lv",
        has_pairs: false,
        says: &[
            EVERY,
            LOW_VOLTAGE,
            SOC,
            HOTTEST_C,
            MAKER,
            CELLS,
            CELLS_C,
            ONLINE,
            CYCLES,
            INSTALLED,
            PERMITS,
            WANTS,
            WANTS_FULL,
        ],
    },
    Dialect {
        name: "goodwe_lv",
        recognised: "goodwe_lv",
        wrong: "pylontech_lv",
        has_pairs: false,
        says: &[EVERY_COARSE, LOW_VOLTAGE, SOC, MEAN_C, MAKER, CELLS, CELLS_WHOLE_C, PERMITS, WANTS],
    },
    Dialect {
        name: "discover",
        recognised: "discover",
        wrong: "pylontech_lv",
        has_pairs: true,
        says: &[EVERY_COARSE, LOW_VOLTAGE, SOC, MEAN_C, MAKER, MODEL, INSTALLED, REMAINING],
    },
    Dialect {
        name: "growatt_lv",
        recognised: "growatt_lv",
        wrong: "pylontech_lv",
        has_pairs: false,
        says: &[EVERY, SOC, HOTTEST_C, CELLS, ONLINE, CYCLES, INSTALLED, REMAINING, PERMITS, WANTS],
    },
    Dialect {
        name: "ecoworthy_ext",
        recognised: "pylontech_lv",
        wrong: "victron",
        has_pairs: false,
        says: &[
            EVERY,
            LOW_VOLTAGE,
            SOC,
            MEAN_C,
            MAKER,
            VERSION,
            CELLS,
            CELLS_C,
            CELL_NAMES,
            ONLINE,
            OFFLINE,
            BLOCKING,
            INSTALLED,
            PERMITS,
            WANTS,
            WANTS_FULL,
        ],
    },
];

/// Items that must be invalid where the dialect does not speak of them: nothing is invented.
fn optional() -> BTreeSet<&'static str> {
    let groups = DIALECTS.iter().flat_map(|dialect| dialect.says.iter().skip(1).copied().flatten());
    // These two always have a value.
    groups.map(|told| told.1).filter(|path| !["/ProductName", "/Capacity"].contains(path)).collect()
}

impl Dialect {
    /// What of `report` is not, or not rightly, among `items`, and what is there without having been said.
    pub(crate) fn differences(&self, report: &BTreeMap<String, String>, items: &Value) -> Vec<String> {
        let shown = |path: &str| match &items[path]["Value"] {
            Value::Array(empty) if empty.is_empty() => Value::Null,
            value => value.clone(),
        };
        let told: Vec<&Told> = self.says.iter().copied().flatten().collect();
        let wrong = told.iter().filter_map(|Told(key, path, how)| {
            let said = report.get(*key)?;
            let value = shown(path);
            let number = || said.parse::<f64>().ok().zip(value.as_f64());
            let is_right = match how {
                Near(tolerance) => number().is_some_and(|(said, shown)| (said - shown).abs() <= *tolerance),
                Whole => number().is_some_and(|(said, shown)| said.floor() == shown),
                Text => value.as_str() == Some(said),
            };
            (!is_right).then(|| format!("{path} is {value}, {key} is {said}"))
        });
        let missing = told.iter().filter(|told| !report.contains_key(told.0));
        let invented = optional()
            .into_iter()
            .filter(|path| !told.iter().any(|told| told.1 == *path) && !shown(path).is_null());
        wrong
            .chain(missing.map(|told| format!("the report has no {}", told.0)))
            .chain(invented.map(|path| format!("{path} is {} and was not said", shown(path))))
            .collect()
    }
}
