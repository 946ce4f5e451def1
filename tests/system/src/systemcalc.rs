//! Which BMS and which battery monitor Victron's systemcalc chooses, as a model of victronenergy/dbus-systemcalc-py 2.256:
//! `delegates/batteryservice.py` (the BMS), `_autoselect_battery_service` in `dbus_systemcalc.py` (the monitor) and
//! `delegates/dvcc.py` (the alarm). Batteries only: without one, systemcalc goes on to inverters for its monitor.

use std::collections::BTreeMap;

use serde_json::Value;

/// The items of a service by path, null for no value. A path is in it from the moment when the service showed it first:
/// velib_python calls that "seen".
pub type Items = BTreeMap<String, Value>;

/// What every battery service's name starts with.
const BATTERIES: &str = "com.victronenergy.battery.";
/// Combines several of Victron's own BMS and is preferred to them.
const LYNX_PARALLEL: &str = "com.victronenergy.battery.lynxparallel";
/// A battery that shows this is a BMS.
const MAX_CHARGE_VOLTAGE: &str = "/Info/MaxChargeVoltage";
/// Changes of these make systemcalc look for its battery monitor again; a new `/Info/MaxChargeVoltage` does not.
const RECONSIDERED: [&str; 4] = ["/Connected", "/ProductName", "/Mgmt/Connection", "/CustomName"];

/// `/Settings/SystemSetup/BmsInstance`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BmsSetting {
    /// −1
    #[default]
    Automatic,
    /// −255
    NoBms,
    /// The battery with this `/DeviceInstance`, or none.
    Instance(i64),
}

/// `/Settings/SystemSetup/BatteryService`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MonitorSetting {
    /// `default`
    #[default]
    Automatic,
    /// `nobattery`
    NoMonitor,
    /// `com.victronenergy.battery/<instance>`
    Instance(i64),
}

/// A battery service on the bus.
#[derive(Debug, Clone, PartialEq)]
pub struct Battery {
    /// Its name.
    pub service: String,
    /// Its `/DeviceInstance` when it appeared; later changes are not heeded.
    pub instance: i64,
    /// Everything that it has shown.
    pub items: Items,
}

impl Battery {
    /// The item as a number; `None` for no value.
    #[must_use]
    pub fn number(&self, path: &str) -> Option<f64> {
        self.items.get(path)?.as_f64()
    }

    /// Whether it is a BMS to systemcalc, connected or not.
    #[must_use]
    pub fn is_bms(&self) -> bool {
        self.has(MAX_CHARGE_VOLTAGE)
    }

    /// Whether it may be a battery monitor.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.number("/Connected") == Some(1.0) && self.has("/ProductName") && self.has("/Mgmt/Connection")
    }

    fn has(&self, path: &str) -> bool {
        self.items.get(path).is_some_and(|value| !value.is_null())
    }

    fn is_lynx_parallel(&self) -> bool {
        self.service.starts_with(LYNX_PARALLEL)
    }
}

/// What systemcalc knows of the batteries, and what it makes of it.
#[derive(Debug, Clone, Default)]
pub struct Systemcalc {
    bms_setting: BmsSetting,
    monitor_setting: MonitorSetting,
    /// In the order of their appearance.
    batteries: Vec<Battery>,
    /// The service that counts for an instance: the latest one to appear with it.
    by_instance: BTreeMap<i64, String>,
    monitor: Option<String>,
}

impl Systemcalc {
    /// A service is on the bus and has told all its items.
    pub fn appeared(&mut self, service: &str, items: Items) {
        let instance = items.get("/DeviceInstance").and_then(Value::as_i64);
        let Some(instance) = instance.filter(|_| service.starts_with(BATTERIES)) else { return };
        self.batteries.retain(|battery| battery.service != service);
        self.batteries.push(Battery { service: service.to_owned(), instance, items });
        self.by_instance.insert(instance, service.to_owned());
        self.choose_monitor();
    }

    /// A service has told new values.
    pub fn changed(&mut self, service: &str, items: &Items) {
        let Some(battery) = self.batteries.iter_mut().find(|battery| battery.service == service) else {
            return;
        };
        let mut reconsider = false;
        for (path, value) in items {
            let before = battery.items.insert(path.clone(), value.clone());
            let differs = before.unwrap_or_default() != *value;
            reconsider |= differs && RECONSIDERED.contains(&path.as_str());
        }
        if reconsider {
            self.choose_monitor();
        }
    }

    /// A service has left the bus. Its instance is free then, even if another service has it too.
    pub fn gone(&mut self, service: &str) {
        let Some(at) = self.batteries.iter().position(|battery| battery.service == service) else { return };
        let battery = self.batteries.remove(at);
        self.by_instance.remove(&battery.instance);
        self.choose_monitor();
    }

    /// The user chooses.
    pub fn set(&mut self, bms: BmsSetting, monitor: MonitorSetting) {
        if (self.bms_setting, self.monitor_setting) != (bms, monitor) {
            (self.bms_setting, self.monitor_setting) = (bms, monitor);
            self.choose_monitor();
        }
    }

    /// A battery service by its name.
    #[must_use]
    pub fn battery(&self, service: &str) -> Option<&Battery> {
        self.batteries.iter().find(|battery| battery.service == service)
    }

    /// All that are BMS, by instance.
    #[must_use]
    pub fn candidates(&self) -> Vec<&Battery> {
        let counted = self.by_instance.values().filter_map(|service| self.battery(service));
        counted.filter(|battery| battery.is_bms()).collect()
    }

    /// `/ActiveBmsService`: whose limits the system obeys.
    #[must_use]
    pub fn bms(&self) -> Option<&Battery> {
        match self.bms_setting {
            BmsSetting::NoBms => None,
            BmsSetting::Instance(instance) => {
                self.battery(self.by_instance.get(&instance)?).filter(|battery| battery.is_bms())
            }
            BmsSetting::Automatic => {
                // The monitor goes first, as if its instance were −1.
                let monitor = self.monitor().filter(|battery| battery.is_bms());
                let ordered: Vec<&Battery> = monitor.into_iter().chain(self.candidates()).collect();
                ordered.iter().find(|battery| battery.is_lynx_parallel()).or(ordered.first()).copied()
            }
        }
    }

    /// `/Dvcc/Alarms/MultipleBatteries`, as soon as DVCC comes by (every 3 s, where it is on).
    #[must_use]
    pub fn multiple_batteries(&self) -> bool {
        self.candidates().len() > 1
    }

    /// `/Dc/Battery/BatteryService`: whose measurements are the battery's.
    #[must_use]
    pub fn monitor(&self) -> Option<&Battery> {
        self.battery(self.monitor.as_deref()?)
    }

    fn choose_monitor(&mut self) {
        let chosen = match self.monitor_setting {
            MonitorSetting::NoMonitor => None,
            MonitorSetting::Instance(instance) => {
                self.batteries.iter().find(|battery| battery.instance == instance)
            }
            MonitorSetting::Automatic => {
                let connected = self.batteries.iter().filter(|battery| battery.is_connected());
                connected.min_by_key(|battery| {
                    let shows = battery.items.contains_key(MAX_CHARGE_VOLTAGE);
                    (!shows, !battery.is_lynx_parallel(), battery.instance)
                })
            }
        };
        self.monitor = chosen.map(|battery| battery.service.clone());
    }
}
