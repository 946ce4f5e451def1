//! What services say, for others to read.

use dbus_interfaces::Value;
use service_kit::config::{is_secret, without_addresses};

/// An item: its path, value and text.
pub(super) type Item = (String, Option<Value>, Option<String>);

/// One item a line, without what its path calls a secret.
pub(super) fn lines(items: &[Item]) -> String {
    let line = |(path, value, text): &Item| {
        if path.split('/').any(is_secret) && value.is_some() {
            return format!("{path}  (removed)\n");
        }
        let value = value.as_ref().map_or("-".to_owned(), |value| format!("{value:?}"));
        let text = text.as_ref().map(|text| format!("  {text:?}")).unwrap_or_default();
        without_addresses(&format!("{path}  {value}{text}\n"))
    };
    items.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_path_calls_a_secret_is_not_shown() {
        let item =
            |path: &str, value: &str| (path.to_owned(), Some(Value::from(value)), Some(value.to_owned()));
        let items = [
            item("/Settings/Services/MqttPassword", "hidden"),
            item("/Settings/Vrm/Token/Value", "hidden"),
            item("/Url", "mqtt://me:hidden@host"),
            item("/CustomName", "Garage"),
            ("/Soc".to_owned(), None, Some("---".to_owned())),
        ];
        let shown = lines(&items);
        assert!(!shown.contains("hidden"), "{shown}");
        assert!(shown.contains("Garage") && shown.contains("/Soc  -  \"---\""), "{shown}");
        assert_eq!(shown.lines().count(), items.len());
    }
}
