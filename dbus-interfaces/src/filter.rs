//! Which services are followed, and which of their items are kept.

use std::collections::BTreeSet;

use crate::{Item, ItemType};

/// What every name of a Victron service starts with.
pub(crate) const PREFIX: &str = "com.victronenergy.";

/// Up to this many services by name have match rules of their own; beyond, one rule for every service costs less.
const OWN_RULES: usize = 8;

/// Which services a [`Monitor`](crate::Monitor) follows, and what it keeps of them. A new one follows nothing.
#[derive(Debug, Clone)]
pub struct Filter {
    everything: bool,
    classes: BTreeSet<String>,
    names: BTreeSet<String>,
    paths: BTreeSet<String>,
    families: Vec<String>,
    pub(crate) most_services: usize,
    pub(crate) most_items: usize,
}

impl Default for Filter {
    fn default() -> Self {
        Filter {
            everything: false,
            classes: BTreeSet::new(),
            names: BTreeSet::new(),
            paths: BTreeSet::new(),
            families: Vec::new(),
            most_services: 256,
            most_items: 2000,
        }
    }
}

impl Filter {
    /// Follows nothing as yet.
    #[must_use]
    pub fn new() -> Self {
        Filter::default()
    }

    /// Every service under `com.victronenergy`.
    #[must_use]
    pub fn everything() -> Self {
        Filter { everything: true, ..Filter::default() }
    }

    /// Follows every service of a class, such as `battery`.
    #[must_use]
    pub fn class(mut self, class: &str) -> Self {
        self.classes.insert(class.to_owned());
        self
    }

    /// Follows the service of this name, which must be one under `com.victronenergy`.
    #[must_use]
    pub fn service(mut self, name: &str) -> Self {
        self.names.insert(name.to_owned());
        self
    }

    /// Keeps this item. Without any such call every item is kept. An item with a `#` in its path stands for the whole
    /// family. `/DeviceInstance` is always kept.
    #[must_use]
    pub fn item<T: ItemType>(mut self, item: Item<T>) -> Self {
        let path = item.path().into_owned();
        if path.contains('#') {
            self.families.push(path);
        } else {
            self.paths.insert(path);
        }
        self
    }

    /// Follows at most this many services (256 unless told): further ones are not looked at while the others are there.
    #[must_use]
    pub fn most_services(mut self, most: usize) -> Self {
        self.most_services = most;
        self
    }

    /// Keeps at most this many items of each service (2000 unless told).
    #[must_use]
    pub fn most_items(mut self, most: usize) -> Self {
        self.most_items = most;
        self
    }

    pub(crate) fn takes(&self, name: &str) -> bool {
        name.starts_with(PREFIX)
            && (self.everything || self.names.contains(name) || self.classes.contains(class_of(name)))
    }

    pub(crate) fn follows_something(&self) -> bool {
        self.everything || !self.classes.is_empty() || !self.names.is_empty()
    }

    pub(crate) fn declares_items(&self) -> bool {
        !self.paths.is_empty() || !self.families.is_empty()
    }

    pub(crate) fn keeps(&self, path: &str) -> bool {
        !self.declares_items()
            || path == "/DeviceInstance"
            || self.paths.contains(path)
            || self.families.iter().any(|family| number_in(family, path).is_some())
    }

    /// The paths that can be asked for one by one.
    pub(crate) fn declared(&self) -> impl Iterator<Item = &str> {
        std::iter::once("/DeviceInstance").chain(self.paths.iter().map(String::as_str))
    }

    /// The match rules, as the bus daemon takes them: as few as possible, and none that wakes this process for services
    /// that it does not follow, where their names are known.
    pub(crate) fn rules(&self) -> Vec<String> {
        let items = "type='signal',interface='com.victronenergy.BusItem'";
        let owners = "type='signal',sender='org.freedesktop.DBus',interface='org.freedesktop.DBus',\
                      member='NameOwnerChanged'";
        if self.everything || !self.classes.is_empty() || self.names.len() > OWN_RULES {
            return vec![format!("{owners},arg0namespace='com.victronenergy'"), items.to_owned()];
        }
        let of_one = |name: &String| [format!("{owners},arg0='{name}'"), format!("{items},sender='{name}'")];
        self.names.iter().flat_map(of_one).collect()
    }
}

/// The class in a service name: `battery` in `com.victronenergy.battery.ttyUSB0`.
pub(crate) fn class_of(name: &str) -> &str {
    name.split('.').nth(2).unwrap_or_default()
}

/// The number that stands for the `#` of a family in a path of that family.
pub(crate) fn number_in(family: &str, path: &str) -> Option<u16> {
    let (head, tail) = family.split_once('#')?;
    let number = path.strip_prefix(head)?.strip_suffix(tail)?;
    number.bytes().all(|b| b.is_ascii_digit()).then(|| number.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classes::{bank, battery};

    #[test]
    fn services_are_taken_by_class_or_by_name() {
        let filter = Filter::new().class("battery").service("com.victronenergy.system");
        assert!(filter.takes("com.victronenergy.battery.ttyUSB0"));
        assert!(filter.takes("com.victronenergy.system"));
        assert!(!filter.takes("com.victronenergy.batteryx.ttyUSB0"));
        assert!(!filter.takes("org.example.battery"));
        assert!(!Filter::new().takes("com.victronenergy.system"));
        assert!(Filter::everything().takes("com.victronenergy.settings"));
        assert!(!Filter::everything().takes("com.victronenergyx"));
    }

    #[test]
    fn declared_items_are_kept_and_families_by_number() {
        let filter = Filter::new().item(battery::SOC).item(bank::SHARE_SERVICE);
        assert!(filter.keeps("/Soc") && filter.keeps("/DeviceInstance") && filter.keeps("/Share/12/Service"));
        assert!(!filter.keeps("/Dc/0/Voltage"));
        assert!(!filter.keeps("/Share//Service") && !filter.keeps("/Share/x/Service"));
        assert!(!filter.keeps("/Share/1/2/Service") && !filter.keeps("/Share/1/Services"));
        assert!(!filter.keeps("/Share/70000/Service"));
        assert!(Filter::new().keeps("/Anything"));
    }

    #[test]
    fn a_class_needs_two_match_rules_whatever_else_is_followed() {
        let mut filter = Filter::new().class("battery");
        for n in 0..50 {
            filter = filter.service(&format!("com.victronenergy.multi.x{n}"));
        }
        assert_eq!(filter.rules().len(), 2);
    }

    #[test]
    fn a_service_by_name_wakes_nobody_for_others() {
        let rules = Filter::new().service(bank::NAME).rules();
        assert_eq!(rules.len(), 2);
        assert!(rules.iter().all(|rule| rule.contains(bank::NAME)), "{rules:?}");
    }
}
