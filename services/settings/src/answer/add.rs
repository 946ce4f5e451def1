//! `AddSettings`, `AddSetting` and `AddSilentSetting`.

use dbus_interfaces::{Typed, Value};

use super::{OK, Properties, Reply, Signal, Work, default, max, min, value_and_text};
use crate::content::Type;
use crate::path;
use crate::store::{AddError, Definition};

impl Work<'_> {
    pub(super) fn add_settings(&mut self) -> Reply {
        let empty = self.request.arguments.is_some_and(|arguments| arguments == [None]);
        let definitions = match self.request.definitions {
            Some(definitions) => definitions,
            None if empty => &[],
            None => return self.wrong_arguments("a list of dictionaries, aa{sv}"),
        };
        Reply::Dicts(definitions.iter().map(|definition| self.add_defined(definition)).collect())
    }

    fn add_defined(&mut self, definition: &[(String, Typed)]) -> Properties {
        let typed = |name| definition.iter().find(|(n, _)| n == name).map(|(_, typed)| typed);
        let value = |name| typed(name).and_then(|typed| typed.value.as_ref());
        let mut result: Properties = Vec::new();
        let outcome = match typed("path") {
            Some(Typed { signature, value: Some(Value::Text(relative)) }) if signature == "s" => {
                result.push(("path", Some(Value::from(relative.as_str()))));
                let kind = typed("default").and_then(|default| match default.signature.as_str() {
                    "i" | "x" => Some(Type::Int),
                    "d" => Some(Type::Float),
                    "s" => Some(Type::Text),
                    _ => None,
                });
                let silent = is_true(value("silent"));
                match kind {
                    None => Err(AddError::UnknownType),
                    Some(kind) => {
                        let wanted = Definition {
                            kind,
                            default: value("default"),
                            min: value("min"),
                            max: value("max"),
                            silent,
                        };
                        self.add(relative, &wanted)
                    }
                }
            }
            other => {
                let shown = other.and_then(|typed| typed.value.clone()).filter(|v| is_true(Some(v)));
                result.extend(shown.map(|shown| ("path", Some(shown))));
                Err(AddError::BadPath)
            }
        };
        result.push(("error", Some(Value::Int(outcome.as_ref().map_or_else(|e| e.code(), |_| OK)))));
        result.extend(outcome.ok().map(|value| ("value", Some(value))));
        result
    }

    pub(super) fn add_setting(&mut self, silent: bool) -> Reply {
        let Some(
            [Some(Value::Text(group)), Some(Value::Text(name)), default, Some(Value::Text(letter)), min, max],
        ) = self.request.arguments
        else {
            return self.wrong_arguments("group, name, default, type, minimum and maximum");
        };
        let group = if group.is_empty() { String::new() } else { path::join("", group) };
        let relative = path::join(&group, name);
        let outcome = if relative.contains("/_") {
            Err(AddError::UnderscorePrefix)
        } else if let Some(kind) = Type::from_letter(letter) {
            let wanted =
                Definition { kind, default: default.as_ref(), min: min.as_ref(), max: max.as_ref(), silent };
            self.add(&relative, &wanted)
        } else {
            Err(AddError::UnknownType)
        };
        Reply::Int(outcome.map_or_else(AddError::code, |_| OK))
    }

    /// Adds a setting and returns the value that it has then.
    fn add(&mut self, relative: &str, wanted: &Definition<'_>) -> Result<Value, AddError> {
        let changed = self.store.add(self.request.path, relative, wanted)?;
        let path = path::join(self.request.path, relative);
        let setting = self.store.get(&path).ok_or(AddError::BadPath)?;
        if changed {
            let mut properties = value_and_text(setting);
            properties.push(("Default", Some(default(setting))));
            if setting.value.kind() != Type::Text {
                properties.extend([("Min", Some(min(setting))), ("Max", Some(max(setting)))]);
            }
            self.signals.push(Signal { path, properties });
            self.changed = true;
        }
        Ok(setting.value.to_value())
    }
}

/// Anything but zero and what is empty.
fn is_true(value: Option<&Value>) -> bool {
    match value {
        None => false,
        Some(Value::Text(text)) => !text.is_empty(),
        Some(value) => value.as_f64() != Some(0.0),
    }
}
