//! Whether a device that is back is the one that it was.

use super::recognise::Identity;

/// What is different in who a device is; nothing if it is the same. A serial number decides alone; other words may change with the
/// firmware.
pub(super) fn difference(before: &Identity, now: &Identity) -> Option<String> {
    match (&before.serial, &now.serial) {
        (Some(before), Some(now)) => {
            (before != now).then(|| format!("its serial number is {now}, not {before}"))
        }
        (Some(before), None) => Some(format!("it does not say its serial number, which was {before}")),
        (None, Some(now)) => Some(format!("its serial number is {now}, and there was none")),
        (None, None) if before.model != now.model => {
            let name = |model: &Option<String>| model.clone().unwrap_or_else(|| "nameless".to_owned());
            Some(format!("its model is {}, not {}", name(&now.model), name(&before.model)))
        }
        (None, None) => match (before.rated_power_w, now.rated_power_w) {
            (Some(before), Some(now)) if before != now => Some(format!("it has {now} W, not {before} W")),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(serial: Option<&str>, model: &str, watts: f64) -> Identity {
        let serial = serial.map(str::to_owned);
        Identity { serial, model: Some(model.to_owned()), rated_power_w: Some(watts), ..Identity::default() }
    }

    #[test]
    fn a_serial_number_decides_alone() {
        let first = who(Some("A1"), "X", 5000.0);
        assert_eq!(difference(&first, &who(Some("A1"), "X2", 6000.0)), None);
        let other = difference(&first, &who(Some("B2"), "X", 5000.0));
        assert_eq!(other.as_deref(), Some("its serial number is B2, not A1"));
        assert!(difference(&first, &who(None, "X", 5000.0)).is_some(), "it has to prove who it is");
    }

    #[test]
    fn one_without_a_number_is_known_by_its_model_and_size() {
        let first = who(None, "X", 5000.0);
        assert_eq!(difference(&first, &first), None);
        assert_eq!(difference(&first, &who(None, "Y", 5000.0)).as_deref(), Some("its model is Y, not X"));
        assert_eq!(difference(&first, &who(None, "X", 8000.0)).as_deref(), Some("it has 8000 W, not 5000 W"));
    }
}
