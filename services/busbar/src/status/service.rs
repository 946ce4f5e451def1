//! A service as it was heard, and all of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use dbus_interfaces::classes::{battery, device};
use dbus_interfaces::{Item, ItemType, Value};

use crate::services;

/// What the product ids of our services are.
const PRODUCT_IDS: &[i32] = &[battery::PRODUCT_ID];

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
