//! A service as it was heard, and all of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use dbus_interfaces::classes::{battery, dcdc, device, multi};
use dbus_interfaces::{Item, ItemType, Value};

use crate::services;

/// What the product ids of our services are.
const PRODUCT_IDS: &[i32] =
    &[battery::PRODUCT_ID, multi::PRODUCT_ID, multi::SYSTEM_PRODUCT_ID, dcdc::PRODUCT_ID];

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Warning,
    Alarm,
}

/// A service with all its items.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    /// Its full name.
    pub(crate) name: String,
    /// `/DeviceInstance`.
    pub(crate) instance: Option<i32>,
    /// How long ago it last said something, where that is known.
    pub(crate) heard: Option<Duration>,
    items: BTreeMap<Arc<str>, Option<Value>>,
}

impl Service {
    pub(crate) fn new(
        name: &str,
        instance: Option<i32>,
        heard: Option<Duration>,
        items: impl IntoIterator<Item = (Arc<str>, Option<Value>)>,
    ) -> Service {
        Service { name: name.to_owned(), instance, heard, items: items.into_iter().collect() }
    }

    /// `battery` of `com.victronenergy.battery.ttyUSB0`.
    pub(crate) fn class(&self) -> &str {
        self.name.split('.').nth(2).unwrap_or_default()
    }

    /// The value of an item.
    pub(crate) fn get<T: ItemType>(&self, item: Item<T>) -> Option<T> {
        T::from_value(self.items.get(&*item.path())?.as_ref()?)
    }

    /// The value of an item as text, with its unit; `---` for none.
    pub(crate) fn text<T: ItemType>(&self, item: Item<T>) -> String {
        item.spec().text.of(self.get(item).and_then(T::into_value).as_ref())
    }

    /// What the user calls it, if anything.
    pub(crate) fn custom_name(&self) -> Option<String> {
        self.get(device::CUSTOM_NAME).filter(|name| !name.trim().is_empty())
    }

    /// What its maker or its driver calls it, if anything.
    pub(crate) fn product_name(&self) -> Option<String> {
        self.get(device::PRODUCT_NAME).filter(|name| !name.trim().is_empty())
    }

    /// Whether its device communicates; `None` for a service that does not tell.
    pub(crate) fn is_connected(&self) -> Option<bool> {
        self.get(device::CONNECTED).map(|connected| connected == 1)
    }

    /// Whether it is one of Busbar's.
    pub(crate) fn is_ours(&self) -> bool {
        let by_product = self.get(device::PRODUCT_ID).is_some_and(|id| PRODUCT_IDS.contains(&id));
        let process = self.get(device::PROCESS_NAME);
        by_product || process.is_some_and(|name| services::NAMES.contains(&name.as_str()))
    }

    /// What is wrong, the worst first.
    pub(crate) fn alarms(&self) -> Vec<(&str, Level)> {
        let level = |value: &Value| match value.as_i64()? {
            1 => Some(Level::Warning),
            2 => Some(Level::Alarm),
            _ => None,
        };
        let items = self.items.iter();
        let mut alarms: Vec<(&str, Level)> = items
            .filter_map(|(path, value)| Some((path.strip_prefix("/Alarms/")?, level(value.as_ref()?)?)))
            .collect();
        alarms.sort_by_key(|(_, level)| std::cmp::Reverse(*level));
        alarms
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A service with these items, heard a moment ago.
    pub(in crate::status) fn service(name: &str, instance: Option<i32>, items: &[(&str, Value)]) -> Service {
        let items = items.iter().map(|(path, value)| ((*path).into(), Some(value.clone())));
        Service::new(name, instance, Some(Duration::from_millis(400)), items)
    }

    /// A battery of ours that is well, but for these items.
    pub(in crate::status) fn battery(other: &[(&str, Value)]) -> Service {
        let mut battery = service(
            "com.victronenergy.battery.bmscan_can0",
            Some(100),
            &[
                ("/Mgmt/ProcessName", "bms-can".into()),
                ("/ProductId", battery::PRODUCT_ID.into()),
                ("/ProductName", "Pylontech low voltage".into()),
                ("/Connected", 1.into()),
                ("/Dc/0/Voltage", Value::Real(49.96)),
                ("/Dc/0/Current", Value::Real(-12.3)),
                ("/Dc/0/Power", Value::Real(-614.6)),
                ("/Dc/0/Temperature", Value::Real(21.0)),
                ("/Soc", Value::Real(54.0)),
                ("/TimeToGo", 21_900.into()),
                ("/Info/MaxChargeVoltage", Value::Real(53.2)),
                ("/Info/MaxChargeCurrent", Value::Real(74.0)),
                ("/Info/MaxDischargeCurrent", Value::Real(100.0)),
                ("/Bms/MaxChargeVoltage", Value::Real(53.2)),
                ("/Bms/MaxChargeCurrent", Value::Real(74.0)),
                ("/Bms/MaxDischargeCurrent", Value::Real(100.0)),
                ("/Bms/Status", "fresh data".into()),
                ("/Alarms/BmsCable", 0.into()),
            ],
        );
        other.iter().for_each(|(path, value)| battery.put(path, Some(value.clone())));
        battery
    }

    impl Service {
        pub(in crate::status) fn put(&mut self, path: &str, value: Option<Value>) {
            self.items.insert(path.into(), value);
        }
    }

    #[test]
    fn a_service_is_ours_by_its_product_or_by_its_process() {
        let is_ours = |items: &[(&str, Value)]| service("com.victronenergy.battery.x", None, items).is_ours();
        assert!(is_ours(&[("/ProductId", 0xBFB0.into())]));
        assert!(is_ours(&[("/Mgmt/ProcessName", "bms-can".into())]));
        assert!(!is_ours(&[
            ("/ProductId", 0xBA77.into()),
            ("/Mgmt/ProcessName", "dbus-serialbattery.py".into())
        ]));
    }

    #[test]
    fn alarms_are_one_and_two_and_the_worst_comes_first() {
        let battery = battery(&[
            ("/Alarms/A", 1.into()),
            ("/Alarms/B", Value::Real(2.0)),
            ("/Alarms/C", "text".into()),
            ("/Alarms/D", 7.into()),
        ]);
        assert_eq!(battery.alarms(), [("B", Level::Alarm), ("A", Level::Warning)]);
    }
}
