//! What the converter may do by the word of whoever decides about the battery's current. Pure.
//!
//! The converter itself goes on for ever with the limits that it was told last. So whoever follows a source renews what it
//! says at least each second, and what nobody has renewed for [`COUNTS`] stops the converter.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::eza::field;
use crate::eza::words::{CHARGE, DISCHARGE, WAITING};

/// So long the last word counts: a follower holds the last limits of a source for 10 s and is at 0 A two seconds later.
pub const COUNTS: Duration = Duration::from_secs(12);
/// Less than this is no current that a converter regulates.
const LEAST_A: f64 = 0.1;
/// The lowest battery voltage that can be set.
const LEAST_V: f64 = 32.0;
/// A current is raised in steps of at least this many counts: half an ampere.
const STEP: u16 = 80;

/// What a source says.
#[derive(Debug, Clone, PartialEq)]
pub enum Ceiling {
    /// Nobody limits the converter.
    Open,
    /// A source will, and has not been heard since the process started.
    Unsaid(Instant),
    /// Limits.
    Said {
        /// Charge current, A, 0 or more.
        charge_current_a: f64,
        /// Discharge current, A, 0 or more.
        discharge_current_a: f64,
        /// Charge voltage, V.
        charge_voltage_v: Option<f64>,
        /// Why, in words.
        reason: Arc<str>,
        /// When it was said, or said again.
        at: Instant,
    },
}

/// What follows from it for a converter in one mode.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It does as it is configured.
    Free,
    /// Nothing starts and nothing is raised.
    Hold(Arc<str>),
    /// At most these, besides the configuration.
    Cap {
        /// Battery current, A.
        current_a: f64,
        /// Battery voltage, V.
        voltage_v: Option<f64>,
    },
    /// It has to wait.
    Stop(Arc<str>),
}

impl Ceiling {
    /// The verdict for a converter in this mode; of one whose mode is not known the worst.
    #[must_use]
    pub fn verdict(&self, mode: Option<u16>, now: Instant) -> Verdict {
        let (charge_a, discharge_a, voltage_v, reason, at) = match self {
            Self::Open => return Verdict::Free,
            Self::Unsaid(since) if now.saturating_duration_since(*since) <= COUNTS => {
                return Verdict::Hold("waiting for the first word about the battery's limits".into());
            }
            Self::Unsaid(_) => return Verdict::Stop("nobody tells the battery's limits".into()),
            Self::Said { charge_current_a, discharge_current_a, charge_voltage_v, reason, at } => {
                (*charge_current_a, *discharge_current_a, *charge_voltage_v, reason, *at)
            }
        };
        if now.saturating_duration_since(at) > COUNTS {
            return Verdict::Stop("nobody tells the battery's limits any more".into());
        }
        let (current_a, charges) = match mode {
            Some(CHARGE | 0x0001) => (charge_a, true),
            Some(DISCHARGE | 0x0022) => (discharge_a, false),
            // Of one that waits, whether it may run at all.
            Some(WAITING) => (charge_a.max(discharge_a), false),
            // The current of a converter that holds the grid's voltage flows as the grid needs it.
            _ => (charge_a.min(discharge_a), true),
        };
        if current_a < LEAST_A || (charges && voltage_v.is_some_and(|volts| volts < LEAST_V)) {
            return Verdict::Stop(reason.clone());
        }
        Verdict::Cap { current_a, voltage_v }
    }
}

impl Verdict {
    /// The word of the battery current that may be set, where `configured` is the one of the configuration and `present`
    /// the one in force.
    #[must_use]
    pub fn current(&self, configured: u16, present: Option<u16>) -> u16 {
        match self {
            Self::Free | Self::Stop(_) => configured,
            Self::Hold(_) => present.map_or(configured, |present| present.min(configured)),
            Self::Cap { current_a, .. } => configured.min(word(&field::CIB, *current_a)),
        }
    }

    /// The same of the battery voltage.
    #[must_use]
    pub fn voltage(&self, configured: u16, present: Option<u16>) -> u16 {
        match self {
            Self::Free | Self::Stop(_) | Self::Cap { voltage_v: None, .. } => configured,
            Self::Hold(_) => present.map_or(configured, |present| present.min(configured)),
            Self::Cap { voltage_v: Some(volts), .. } => configured.min(word(&field::CVB, volts.max(LEAST_V))),
        }
    }
}

/// The largest word that stands for no more than `value`.
fn word(field: &field::Field, value: f64) -> u16 {
    if value.is_finite() { field.word(&format!("{value:.6}"), false).unwrap_or(u16::MAX) } else { u16::MAX }
}

/// What has to be written so that the converter keeps to a verdict.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Mode: waiting.
    Stop(Arc<str>),
    /// Battery current.
    Current(u16),
    /// Battery voltage.
    Voltage(u16),
}

/// What is in force in the converter, and what is configured.
#[derive(Debug, Clone, Copy)]
pub struct Force {
    /// Mode.
    pub mode: Option<u16>,
    /// Word of the battery current: in force, configured.
    pub current: (Option<u16>, u16),
    /// Word of the battery voltage.
    pub voltage: (Option<u16>, u16),
    /// A rise may be written: the last one is some time ago.
    pub may_raise: bool,
}

/// What has to be written first. A reduction never waits.
#[must_use]
pub fn action(verdict: &Verdict, force: Force) -> Option<Action> {
    let runs = force.mode.is_some_and(|mode| mode != WAITING);
    match verdict {
        Verdict::Free | Verdict::Hold(_) => return None,
        Verdict::Stop(reason) => return runs.then(|| Action::Stop(reason.clone())),
        Verdict::Cap { .. } => {}
    }
    let differs = |present: Option<u16>, wanted: u16, configured: u16| {
        let present = present?;
        let is_worth_it = wanted.saturating_sub(present) >= STEP || wanted == configured;
        let rises = present < wanted && force.may_raise && is_worth_it;
        (present > wanted || rises).then_some(wanted)
    };
    let (present, configured) = force.voltage;
    if let Some(word) = differs(present, verdict.voltage(configured, present), configured) {
        return Some(Action::Voltage(word));
    }
    let (present, configured) = force.current;
    let word = differs(present, verdict.current(configured, present), configured);
    word.filter(|_| runs).map(Action::Current)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eza::words::VOLTAGE_REFERENCE;

    fn said(charge_current_a: f64, discharge_current_a: f64, volts: f64, at: Instant) -> Ceiling {
        Ceiling::Said {
            charge_current_a,
            discharge_current_a,
            charge_voltage_v: Some(volts),
            reason: "as the bank says".into(),
            at,
        }
    }

    const FORCE: Force = Force {
        mode: Some(CHARGE),
        current: (Some(8_179), 8_179),
        voltage: (Some(19_660), 19_660),
        may_raise: true,
    };

    #[test]
    fn each_mode_has_the_limit_of_its_direction() {
        let now = Instant::now();
        let ceiling = said(10.0, 30.0, 55.0, now);
        let current = |mode| match ceiling.verdict(mode, now) {
            Verdict::Cap { current_a, .. } => current_a,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            [Some(CHARGE), Some(DISCHARGE), Some(VOLTAGE_REFERENCE), None].map(current),
            [10.0, 30.0, 10.0, 10.0]
        );
    }

    #[test]
    fn nothing_may_flow_in_a_direction_whose_limit_is_zero_and_the_other_goes_on() {
        let now = Instant::now();
        let full = said(0.0, 30.0, 55.0, now);
        assert!(matches!(full.verdict(Some(CHARGE), now), Verdict::Stop(_)));
        assert!(matches!(full.verdict(Some(VOLTAGE_REFERENCE), now), Verdict::Stop(_)));
        assert!(matches!(full.verdict(Some(DISCHARGE), now), Verdict::Cap { .. }));
        assert!(matches!(full.verdict(Some(WAITING), now), Verdict::Cap { .. }));
    }

    #[test]
    fn a_word_that_nobody_renews_counts_for_twelve_seconds_and_then_stops_the_converter() {
        let now = Instant::now();
        let late = now + COUNTS + Duration::from_millis(1);
        let ceiling = said(10.0, 10.0, 55.0, now);
        assert!(matches!(ceiling.verdict(Some(CHARGE), now + COUNTS), Verdict::Cap { .. }));
        assert!(matches!(ceiling.verdict(Some(CHARGE), late), Verdict::Stop(_)));
        let unsaid = Ceiling::Unsaid(now);
        assert!(matches!(unsaid.verdict(Some(CHARGE), now + COUNTS), Verdict::Hold(_)));
        assert!(matches!(unsaid.verdict(Some(CHARGE), late), Verdict::Stop(_)));
        assert_eq!(Ceiling::Open.verdict(None, late), Verdict::Free);
    }

    #[test]
    fn a_reduction_is_written_at_once_and_a_rise_in_steps() {
        let now = Instant::now();
        let of = |amps, present, may_raise| {
            let verdict = said(amps, amps, 60.0, now).verdict(Some(CHARGE), now);
            action(&verdict, Force { current: (Some(present), 8_179), may_raise, ..FORCE })
        };
        let ten = field::CIB.word("10", true).unwrap();
        assert_eq!(of(10.0, 8_179, false), Some(Action::Current(ten)));
        assert_eq!(of(10.0, ten, true), None);
        assert_eq!(of(10.2, ten, true), None);
        assert_eq!(of(11.0, ten, false), None);
        assert!(matches!(of(11.0, ten, true), Some(Action::Current(word)) if word > ten));
        assert_eq!(of(400.0, ten, true), Some(Action::Current(8_179)));
    }

    #[test]
    fn a_charge_voltage_below_what_can_be_set_stops_charging() {
        let now = Instant::now();
        assert!(matches!(said(9.0, 9.0, 20.0, now).verdict(Some(CHARGE), now), Verdict::Stop(_)));
        let verdict = said(9.0, 9.0, 54.0, now).verdict(Some(CHARGE), now);
        assert_eq!(action(&verdict, FORCE), Some(Action::Voltage(field::CVB.word("54", true).unwrap())));
    }

    #[test]
    fn a_converter_that_waits_needs_no_stop() {
        let now = Instant::now();
        let verdict = said(0.0, 0.0, 54.0, now).verdict(Some(WAITING), now);
        assert_eq!(action(&verdict, Force { mode: Some(WAITING), ..FORCE }), None);
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_never_more_than_is_allowed(
            charge in 0.0..60.0_f64, discharge in 0.0..60.0_f64, volts in 20.0..65.0_f64,
            mode in proptest::sample::select(vec![CHARGE, DISCHARGE, VOLTAGE_REFERENCE]),
            present in 0..=8_930_u16, present_v in 10_923..=21_162_u16, may_raise: bool,
        ) {
            let now = Instant::now();
            let verdict = said(charge, discharge, volts, now).verdict(Some(mode), now);
            let force = Force { mode: Some(mode), current: (Some(present), 8_179), voltage: (Some(present_v), 19_660), may_raise };
            match action(&verdict, force) {
                Some(Action::Current(word)) => {
                    let most = if mode == CHARGE { charge } else if mode == DISCHARGE { discharge } else { charge.min(discharge) };
                    proptest::prop_assert!(field::CIB.value(word) <= most + 1e-9 && word <= 8_179);
                }
                Some(Action::Voltage(word)) => proptest::prop_assert!(field::CVB.value(word) <= volts.max(LEAST_V) + 1e-9),
                Some(Action::Stop(_)) => {}
                // What is in force is allowed already.
                None => proptest::prop_assert!(present <= verdict.current(8_179, Some(present)) || matches!(verdict, Verdict::Stop(_))),
            }
        }
    }
}
