//! What people call a battery or a device, so that no two are called the same.

use dbus_interfaces::classes::device;
use dbus_interfaces::{Monitor, Seen};

use crate::name::Name;

/// The label of each service: the user's name, the product's where only one has it, else the product's and where it hangs.
pub(super) fn labels(monitor: &Monitor, services: &[Seen]) -> Vec<Name> {
    let given: Vec<[Option<String>; 2]> = services
        .iter()
        .map(|seen| {
            let text = |item| monitor.get(&seen.name, item).filter(|text: &String| !text.trim().is_empty());
            [text(device::CUSTOM_NAME), text(device::PRODUCT_NAME)]
        })
        .collect();
    let all: Vec<(&str, &[Option<String>; 2])> =
        services.iter().map(|seen| &*seen.name).zip(&given).collect();
    all.iter().map(|(name, given)| label(name, given, &all)).collect()
}

fn label(service: &str, given: &[Option<String>; 2], all: &[(&str, &[Option<String>; 2])]) -> Name {
    let suffix = service.rsplit('.').next().unwrap_or(service);
    let best = |given: &[Option<String>; 2]| given.iter().flatten().next().cloned();
    match best(given) {
        None => suffix.into(),
        Some(text) => match all.iter().filter(|(_, other)| best(other).as_ref() == Some(&text)).count() {
            0 | 1 => text.into(),
            _ => format!("{text} {suffix}").into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_of_a_kind_are_told_apart_by_where_they_hang() {
        let given =
            |custom: Option<&str>, product: &str| [custom.map(str::to_owned), Some(product.to_owned())];
        let (one, two, barn) =
            (given(None, "Pylontech"), given(None, "Pylontech"), given(Some("Barn"), "Pylontech"));
        let all = [("x.battery.can0", &one), ("x.battery.can1", &two), ("x.battery.can2", &barn)];
        let labels: Vec<Name> = all.iter().map(|(name, given)| label(name, given, &all)).collect();
        assert_eq!(labels, ["Pylontech can0".into(), "Pylontech can1".into(), Name::from("Barn")]);
        assert_eq!(label("x.battery.tty", &[None, None], &[]), "tty".into());
    }
}
