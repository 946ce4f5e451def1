//! What DVCC writes to an inverter that invites it, and what becomes of that when it writes no more. Pure.
//!
//! DVCC (`dbus-systemcalc-py`, `delegates/dvcc.py`) writes every 3 s: the charge current wherever a limit holds, the
//! discharge current while a BMS is there. Each is obeyed while it is repeated, not raised once it is old, and goes to 0 A
//! within 2 s when it has not been repeated for `SILENCE`. One that was never written is left to the device, once DVCC
//! has shown that it is there.

use std::time::Duration;

use dbus_interfaces::follower::{Beat, FollowerState, Grant, Reading, Stance};
use tokio::time::Instant;

use super::following::Wanted;

/// What DVCC controls gives it up after this long without a word: Victron's own chargers do.
const SILENCE: Duration = Duration::from_secs(60);
/// The part of it in which a follower only waits.
const HOLD: Duration = Duration::from_secs(10);
/// There is no licence to charge without a voltage: one stands in where DVCC leaves it to the device.
const SOME_VOLTAGE_V: f64 = 1.0;
/// Why something is not taken.
const NO_NUMBER: &str = "a number that is not below 0 is needed";

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// `/Link/ChargeCurrent`, A.
    ChargeCurrent,
    /// `/Link/DischargeCurrent`, A.
    DischargeCurrent,
    /// `/Link/ChargeVoltage`, V.
    ChargeVoltage,
    /// `/Link/NetworkMode`: kept for those who look.
    NetworkMode,
}

/// What was written last, and when.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Said {
    value: f64,
    at: Instant,
}

/// What DVCC has said.
#[derive(Debug, Default)]
pub(super) struct Dvcc {
    charge: Option<Said>,
    discharge: Option<Said>,
    voltage: Option<Said>,
    mode: Option<Said>,
    /// Since when it can write.
    offered_at: Option<Instant>,
    state: Option<FollowerState>,
}

impl Dvcc {
    /// Its items come onto the bus, or leave it: only while they are there DVCC can write, and what it wrote before is forgotten.
    pub(super) fn offer(&mut self, is_on_bus: bool, now: Instant) {
        *self = Dvcc { offered_at: is_on_bus.then_some(now), ..Dvcc::default() };
    }

    /// Takes in what was written.
    ///
    /// # Errors
    /// It has no value, or none that can be: it is as good as not written.
    pub(super) fn hear(&mut self, link: Link, value: Option<f64>, now: Instant) -> Result<(), &'static str> {
        let value = value.filter(|value| value.is_finite() && *value >= 0.0).ok_or(NO_NUMBER)?;
        let said = match link {
            Link::ChargeCurrent => &mut self.charge,
            Link::DischargeCurrent => &mut self.discharge,
            Link::ChargeVoltage => &mut self.voltage,
            Link::NetworkMode => &mut self.mode,
        };
        *said = Some(Said { value, at: now });
        Ok(())
    }

    /// What it has written lately, for those who look.
    pub(super) fn shown(&self, link: Link, now: Instant) -> Option<f64> {
        let said = match link {
            Link::ChargeCurrent => self.charge,
            Link::DischargeCurrent => self.discharge,
            Link::ChargeVoltage => self.voltage,
            Link::NetworkMode => self.mode,
        };
        said.filter(|said| now.duration_since(said.at) < SILENCE).map(|said| said.value)
    }

    /// When it last wrote.
    fn heard_at(&self) -> Option<Instant> {
        [self.charge, self.discharge].into_iter().flatten().map(|said| said.at).max()
    }

    /// What the device is to do now; nothing while the first word is waited for.
    pub(super) fn look(&mut self, now: Instant) -> Option<Wanted> {
        let offered_at = self.offered_at?;
        let Some(heard_at) = self.heard_at() else {
            let is_late = now.duration_since(offered_at) >= SILENCE;
            return is_late.then(|| Wanted {
                charge_a: Some(0.0),
                discharge_a: Some(0.0),
                voltage_v: None,
                stance: Stance::Zero,
                reason: "DVCC writes nothing here: 0 A. It does with a BMS and DVCC switched on, or a charge current limit"
                    .to_owned(),
            });
        };
        let fresh = |said: Option<Said>| said.filter(|said| now.duration_since(said.at) < SILENCE - HOLD);
        // A limit that DVCC has stopped to write while it writes others has lost its licence on its own.
        let of = |said: Option<Said>| match said {
            Some(said) if heard_at == said.at => Some(said.value),
            said => fresh(said).map(|said| said.value),
        };
        let voltage = of(self.voltage).filter(|volts| *volts > 0.0);
        let reading = Reading {
            owner: String::new(),
            beat: Some(Beat { index: None, at: (heard_at + SILENCE - HOLD).min(now) }),
            grant: Grant::Limits {
                charge_voltage_v: Some(voltage.unwrap_or(SOME_VOLTAGE_V)),
                charge_current_a: if self.charge.is_some() { of(self.charge) } else { Some(0.0) },
                discharge_current_a: if self.discharge.is_some() { of(self.discharge) } else { Some(0.0) },
            },
            pack_voltage_v: None,
        };
        let state = self.state.get_or_insert_with(|| FollowerState::new("DVCC"));
        let limits = state.step(now, Some(&reading));
        Some(Wanted {
            charge_a: self.charge.map(|_| limits.charge_current_a),
            discharge_a: self.discharge.map(|_| limits.discharge_current_a),
            voltage_v: limits.charge_voltage_v.filter(|_| voltage.is_some()),
            stance: limits.stance,
            reason: limits.reason,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bench {
        dvcc: Dvcc,
        now: Instant,
    }

    impl Bench {
        fn new() -> Bench {
            let (mut dvcc, now) = (Dvcc::default(), Instant::now());
            dvcc.offer(true, now);
            Bench { dvcc, now }
        }

        /// Lets time pass in steps of 100 ms, with DVCC writing these every 3 s. What is wanted at the end.
        fn pass(&mut self, seconds: u32, said: &[(Link, f64)]) -> Option<Wanted> {
            let mut wanted = None;
            for step in 0..seconds * 10 {
                for (link, value) in said.iter().filter(|_| step % 30 == 0) {
                    self.dvcc.hear(*link, Some(*value), self.now).unwrap();
                }
                wanted = self.dvcc.look(self.now);
                self.now += Duration::from_millis(100);
            }
            wanted
        }
    }

    const BOTH: [(Link, f64); 2] = [(Link::ChargeCurrent, 50.0), (Link::DischargeCurrent, 80.0)];

    fn amps(wanted: Option<Wanted>) -> (Option<f64>, Option<f64>) {
        wanted.map_or((None, None), |wanted| (wanted.charge_a, wanted.discharge_a))
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_repeated_is_obeyed_and_a_lower_limit_at_once() {
        let mut bench = Bench::new();
        assert_eq!(amps(bench.pass(1, &BOTH)), (Some(50.0), Some(80.0)));
        let lower = [(Link::ChargeCurrent, 5.0), (Link::DischargeCurrent, 80.0)];
        assert_eq!(amps(bench.pass(1, &lower)), (Some(5.0), Some(80.0)));
        assert_eq!(amps(bench.pass(200, &lower)), (Some(5.0), Some(80.0)));
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_borne_for_a_minute_and_then_goes_to_zero_and_says_why() {
        let mut bench = Bench::new();
        bench.pass(3, &BOTH);
        assert_eq!(amps(bench.pass(56, &[])), (Some(50.0), Some(80.0)));
        let wanted = bench.pass(6, &[]).unwrap();
        assert_eq!((wanted.charge_a, wanted.discharge_a), (Some(0.0), Some(0.0)));
        assert_eq!(wanted.reason, "DVCC gives no sign of life: 0 A");
    }

    #[tokio::test(start_paused = true)]
    async fn it_goes_down_within_two_seconds_and_not_in_one_step() {
        let mut bench = Bench::new();
        bench.pass(3, &BOTH);
        let mut seen = Vec::new();
        for _ in 0..70 {
            seen.extend(bench.pass(1, &[]).and_then(|wanted| wanted.discharge_a));
        }
        assert!(seen.windows(2).all(|pair| pair[1] <= pair[0]), "{seen:?}");
        assert!(seen.iter().any(|amps| (1.0..79.0).contains(amps)), "{seen:?}");
        assert!(seen.iter().filter(|amps| (0.1..79.9).contains(*amps)).count() <= 2, "{seen:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_loss_discharging_is_back_at_once_and_charging_slowly() {
        let mut bench = Bench::new();
        bench.pass(3, &BOTH);
        bench.pass(65, &[]);
        assert_eq!(amps(bench.pass(4, &BOTH)), (Some(0.0), Some(80.0)));
        let (charge_a, _) = amps(bench.pass(20, &BOTH));
        assert!(charge_a.is_some_and(|amps| (0.1..49.0).contains(&amps)), "{charge_a:?}");
        assert_eq!(amps(bench.pass(150, &BOTH)), (Some(50.0), Some(80.0)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_that_is_no_longer_written_falls_alone() {
        let mut bench = Bench::new();
        bench.pass(10, &BOTH);
        let wanted = bench.pass(75, &BOTH[..1]).unwrap();
        assert_eq!((wanted.charge_a, wanted.discharge_a), (Some(50.0), Some(0.0)), "{}", wanted.reason);
        assert!(wanted.reason.contains("no valid limit"), "{}", wanted.reason);
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_that_was_never_written_is_left_to_the_device() {
        let mut bench = Bench::new();
        assert_eq!(amps(bench.pass(100, &BOTH[..1])), (Some(50.0), None));
    }

    #[tokio::test(start_paused = true)]
    async fn without_any_word_nothing_is_done_for_a_minute_and_then_nothing_flows() {
        let mut bench = Bench::new();
        assert_eq!(bench.pass(59, &[]), None);
        let wanted = bench.pass(2, &[]).unwrap();
        assert_eq!((wanted.charge_a, wanted.discharge_a), (Some(0.0), Some(0.0)));
        assert!(wanted.reason.starts_with("DVCC writes nothing here"), "{}", wanted.reason);
        assert_eq!(amps(bench.pass(1, &BOTH)), (Some(50.0), Some(80.0)), "the first word is obeyed");
    }

    #[tokio::test(start_paused = true)]
    async fn a_device_that_was_away_is_left_as_it_is_until_dvcc_had_time_to_see_it() {
        let mut bench = Bench::new();
        assert!(bench.pass(100, &BOTH).is_some());
        bench.dvcc.offer(false, bench.now);
        assert_eq!(bench.pass(600, &[]), None, "nobody can write");
        bench.dvcc.offer(true, bench.now);
        assert_eq!(bench.pass(59, &[]), None);
        assert_eq!(amps(bench.pass(1, &BOTH)), (Some(50.0), Some(80.0)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_voltage_that_is_no_longer_written_is_not_made_up() {
        let mut bench = Bench::new();
        let all = [BOTH[0], BOTH[1], (Link::ChargeVoltage, 56.0)];
        assert_eq!(bench.pass(10, &all).and_then(|wanted| wanted.voltage_v), Some(56.0));
        assert_eq!(bench.pass(75, &BOTH).and_then(|wanted| wanted.voltage_v), None);
        bench.pass(10, &all);
        for _ in 0..70 {
            let volts = bench.pass(1, &[]).and_then(|wanted| wanted.voltage_v);
            assert!(volts.is_none_or(|volts| volts == 56.0), "{volts:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_no_number_is_refused_and_as_good_as_nothing() {
        let mut bench = Bench::new();
        for value in [None, Some(f64::NAN), Some(-1.0), Some(f64::INFINITY)] {
            for link in [Link::ChargeCurrent, Link::DischargeCurrent, Link::ChargeVoltage, Link::NetworkMode]
            {
                assert_eq!(bench.dvcc.hear(link, value, bench.now), Err(NO_NUMBER), "{link:?} {value:?}");
                assert_eq!(bench.dvcc.shown(link, bench.now), None);
            }
        }
        assert_eq!(bench.dvcc.look(bench.now), None);
        bench.pass(1, &BOTH);
        assert!(bench.dvcc.hear(Link::ChargeCurrent, Some(-5.0), bench.now).is_err());
        assert_eq!(
            bench.dvcc.shown(Link::ChargeCurrent, bench.now),
            Some(50.0),
            "what was said before holds"
        );
    }
}
