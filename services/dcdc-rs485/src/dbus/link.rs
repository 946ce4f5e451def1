//! What DVCC tells an alternator through `/Link`. Pure.
//!
//! systemcalc writes every three seconds (victronenergy/dbus-systemcalc-py: delegates/dvcc.py). Until it has, nothing limits
//! the converter; once it has and falls silent, nobody stands behind its limits any more.

use std::sync::Arc;

use dbus_interfaces::classes::dcdc as d;
use dbus_interfaces::{Update, Value, WriteRequest};
use tokio::time::Instant;

use crate::converter::Ceiling;

/// What was written last.
#[derive(Debug, Clone, Default)]
pub(super) struct Link {
    network_mode: i64,
    voltage_v: Option<f64>,
    current_a: Option<f64>,
    heard_at: Option<Instant>,
}

impl Link {
    /// Whether a write is for this.
    pub(super) fn takes(write: &WriteRequest) -> bool {
        write.path().starts_with("/Link/")
    }

    /// Takes a write in.
    pub(super) fn write(&mut self, write: WriteRequest, now: Instant) {
        let number = write.value().and_then(Value::as_f64);
        if number.is_some_and(|number| number < 0.0) {
            write.refuse("a limit is 0 or more");
            return;
        }
        if write.is(d::LINK_NETWORK_MODE) {
            self.network_mode = write.value().and_then(Value::as_i64).unwrap_or_default();
        } else if write.is(d::LINK_CHARGE_VOLTAGE) {
            self.voltage_v = number;
        } else {
            self.current_a = number;
        }
        self.heard_at = Some(now);
        write.accept();
    }

    /// The items, and the largest charge current of the converter.
    pub(super) fn show(&self, tx: &mut Update<'_>, most_a: Option<f64>) {
        let mode = i32::try_from(self.network_mode).ok();
        tx.set(d::LINK_NETWORK_MODE, mode)
            .set(d::LINK_CHARGE_VOLTAGE, self.voltage_v)
            .set(d::LINK_CHARGE_CURRENT, self.current_a)
            .set(d::CHARGE_CURRENT_LIMIT, most_a);
    }

    /// What follows from it.
    pub(super) fn ceiling(&self) -> Ceiling {
        match self.heard_at.filter(|_| self.network_mode != 0) {
            None => Ceiling::Open,
            Some(at) => Ceiling::Said {
                charge_current_a: self.current_a.unwrap_or(f64::INFINITY),
                discharge_current_a: f64::INFINITY,
                charge_voltage_v: self.voltage_v,
                reason: Arc::from("DVCC allows no charging"),
                at,
            },
        }
    }
}
