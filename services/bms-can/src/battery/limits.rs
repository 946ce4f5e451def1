//! The battery's limits as they may be believed: a reduction at once, a rise when a second frame says so too. An adapter's
//! text lines carry no checksum, and one wrong digit must not become 900 A.

use crate::message::Limits;

/// The newest limits and the ones before.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ConfirmedLimits {
    newest: Option<Limits>,
    previous: Option<Limits>,
}

/// The battery's permission to charge or to discharge: a ban counts at once, a permission when it is said twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Permission {
    newest: Option<bool>,
    previous: Option<bool>,
}

impl Permission {
    /// Takes in one frame.
    pub(super) fn apply(&mut self, permitted: bool) {
        self.previous = self.newest.replace(permitted);
    }

    /// Whether it is forbidden. It stays so until it is permitted anew, however old that frame is.
    pub(super) fn is_banned(self) -> bool {
        self.newest == Some(false) || self.previous == Some(false)
    }
}

/// What the battery allows right now. Absent limits are 0 A: no battery allows a current by not mentioning it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EffectiveLimits {
    /// CVL, V; `None` while neither a limit nor a pack voltage is known, never 0.
    pub charge_voltage_v: Option<f64>,
    /// CCL, A, 0 or more.
    pub charge_current_a: f64,
    /// DCL, A, 0 or more.
    pub discharge_current_a: f64,
    /// DVL, V.
    pub discharge_voltage_v: Option<f64>,
}

impl ConfirmedLimits {
    /// Takes in one frame.
    pub fn apply(&mut self, limits: Limits) {
        self.previous = self.newest.replace(limits);
    }

    /// Whether the battery has told them twice.
    #[must_use]
    pub fn are_confirmed(&self) -> bool {
        self.previous.is_some()
    }

    /// The lower of the last two of each limit; for the discharge voltage, the higher.
    #[must_use]
    pub fn believed(&self) -> Option<Limits> {
        let newest = self.newest?;
        let previous = self.previous.unwrap_or(newest);
        Some(Limits {
            charge_voltage_limit_v: lower(newest.charge_voltage_limit_v, previous.charge_voltage_limit_v),
            charge_current_limit_a: lower(newest.charge_current_limit_a, previous.charge_current_limit_a),
            discharge_current_limit_a: lower(
                newest.discharge_current_limit_a,
                previous.discharge_current_limit_a,
            ),
            discharge_voltage_limit_v: higher(
                newest.discharge_voltage_limit_v,
                previous.discharge_voltage_limit_v,
            ),
        })
    }
}

impl EffectiveLimits {
    /// Whether any limit here is stricter than before.
    #[must_use]
    pub fn is_reduced_from(&self, before: &EffectiveLimits) -> bool {
        let voltage =
            matches!((self.charge_voltage_v, before.charge_voltage_v), (Some(now), Some(then)) if now < then);
        voltage
            || self.charge_current_a < before.charge_current_a
            || self.discharge_current_a < before.discharge_current_a
    }
}

/// The charge voltage that neither exceeds the limit nor lifts the pack: what may be shown with 0 A. Below half the limit
/// no pack is that the limit was made for: such a voltage was misread.
pub(super) fn safe_voltage(limit_v: Option<f64>, pack_v: Option<f64>) -> Option<f64> {
    let pack_v = pack_v.filter(|pack| limit_v.is_none_or(|limit| *pack >= limit / 2.0));
    match (limit_v, pack_v) {
        (Some(limit), Some(pack)) => Some(limit.min(pack)),
        (limit, pack) => pack.or(limit),
    }
}

fn lower(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    // What the newest frame leaves out is not taken from the one before.
    a.map(|a| b.map_or(a, |b| a.min(b)))
}

fn higher(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    a.map(|a| b.map_or(a, |b| a.max(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(ccl: f64) -> Limits {
        Limits {
            charge_voltage_limit_v: Some(53.2),
            charge_current_limit_a: Some(ccl),
            discharge_current_limit_a: Some(100.0),
            discharge_voltage_limit_v: Some(46.0),
        }
    }

    #[test]
    fn a_ban_counts_at_once_and_a_permission_when_it_is_said_twice() {
        let mut charge = Permission::default();
        assert!(!charge.is_banned(), "not a word about it");
        let said = [true, false, true, true, false, false, true, false, true, true];
        let banned = said.map(|permitted| {
            charge.apply(permitted);
            charge.is_banned()
        });
        assert_eq!(banned, [false, true, true, false, true, true, true, true, true, false]);
    }

    #[test]
    fn with_0_a_goes_the_voltage_of_the_pack_unless_it_cannot_be_that() {
        assert_eq!(safe_voltage(Some(53.2), Some(52.0)), Some(52.0));
        assert_eq!(safe_voltage(Some(53.2), Some(54.0)), Some(53.2));
        assert_eq!(safe_voltage(Some(53.2), Some(16.5)), Some(53.2));
        assert_eq!(safe_voltage(None, Some(52.0)), Some(52.0));
        assert_eq!(safe_voltage(Some(53.2), None), Some(53.2));
    }

    #[test]
    fn a_reduction_counts_at_once_and_a_rise_when_it_is_said_twice() {
        let mut confirmed = ConfirmedLimits::default();
        let mut ccl = |a| {
            confirmed.apply(limits(a));
            confirmed.believed().and_then(|l| l.charge_current_limit_a)
        };
        assert_eq!(ccl(50.0), Some(50.0), "the first frame stands alone");
        assert_eq!(ccl(900.0), Some(50.0));
        assert_eq!(ccl(50.0), Some(50.0));
        assert_eq!(ccl(20.0), Some(20.0));
        assert_eq!(ccl(60.0), Some(20.0));
        assert_eq!(ccl(60.0), Some(60.0));
    }
}
