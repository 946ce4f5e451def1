//! The state of the bank with its clocks, and the one transition.

use serde::{Deserialize, Serialize};

use super::{Because, Sight, State};
use crate::filter::Since;
use crate::settings::{Key, Settings};
use crate::tick::Tick;

/// The state with its clocks.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Phase {
    pub(crate) state: State,
    pub(crate) because: Because,
    /// The state before data were lost, or before the manager was started.
    pub(crate) remembered: Option<State>,
    /// In this state.
    pub(crate) for_: Since,
    healthy: Since,
    reached: Since,
    /// At the absorption voltage.
    absorbed: Since,
    fallen: Since,
    low: Since,
    below_force: Since,
    idle: Since,
    discharged_c: f64,
    safe: Since,
    /// Since the last time that absorption ended, s; none for never.
    attempt_s: Option<f64>,
}

/// How far below its voltage absorption is given up, V, and after how long, s.
const FALLEN_V: f64 = 0.5;
const FALLEN_S: f64 = 900.0;
/// A current below this part of the capacity tells the voltage of a battery at rest.
const LITTLE_C: f64 = 0.05;
/// What ends the way to storage: a discharge of this part of the capacity.
const USED_C: f64 = 0.02;
/// A charge that is due and cannot be finished is tried again after so long, s.
const AGAIN_S: f64 = 12.0 * 3_600.0;
/// Below this a battery is not taken to be full still after a restart, %.
const STILL_FULL_SOC: f64 = 95.0;
/// Low cells must be low for so long before charging is forced, s.
const FORCE_AFTER_S: f64 = 60.0;
const HOUR_S: f64 = 3_600.0;

impl Phase {
    /// The phase after one more tick.
    pub(crate) fn next(mut self, see: &Sight, settings: &Settings, tick: Tick) -> Phase {
        self.count(see, settings, tick);
        let (state, because) = self.transition(see, settings);
        if state == self.state && because == self.because {
            return self;
        }
        if state == State::NoData {
            self.remembered = Some(self.state);
        }
        if self.state == State::Absorption {
            self.attempt_s = Some(0.0);
        }
        Phase {
            state,
            because,
            remembered: self.remembered,
            attempt_s: self.attempt_s,
            healthy: self.healthy,
            below_force: self.below_force,
            safe: self.safe,
            ..Phase::default()
        }
    }

    fn count(&mut self, see: &Sight, settings: &Settings, tick: Tick) {
        let dt_s = tick.dt_s;
        self.for_.step(true, dt_s);
        self.healthy.step(see.data && see.healthy, dt_s);
        self.reached.step(see.reached, dt_s);
        self.absorbed.add_while(see.reached, dt_s);
        self.fallen.step(see.below_v > FALLEN_V && !see.reached, dt_s);
        self.below_force.step(see.below_force, dt_s);
        self.safe.step(!see.protect, dt_s);
        self.attempt_s = self.attempt_s.map(|s| (s + dt_s).min(1e10));
        let low = see.top_v.is_some_and(|v| v <= settings.get(Key::RebulkVoltage));
        self.low.step(low && see.current_c.abs() < LITTLE_C, dt_s);
        self.discharged_c += (-see.current_c).max(0.0) * dt_s / HOUR_S;
        let used = self.discharged_c > USED_C;
        if used {
            self.discharged_c = 0.0;
        }
        self.idle.step(!used, dt_s);
    }

    fn transition(&self, see: &Sight, settings: &Settings) -> (State, Because) {
        let stay = (self.state, self.because);
        if !see.data {
            return if self.state == State::Start { stay } else { (State::NoData, Because::Usual) };
        }
        let begins = matches!(self.state, State::Start | State::NoData);
        if see.protect && !begins {
            return (State::Protect, Because::Usual);
        }
        // Absorption charges as much as forcing could.
        let forcible = matches!(self.state, State::Bulk | State::Float | State::Storage);
        if forcible && self.forces(see, settings) {
            return (State::Forced, Because::Usual);
        }
        match self.state {
            State::Start | State::NoData => self.leave_start(see, settings).unwrap_or(stay),
            State::Bulk => self.leave_bulk(see, settings).unwrap_or(stay),
            State::Absorption => self.leave_absorption(see, settings).unwrap_or(stay),
            State::Balance => self.leave_balance(see, settings).unwrap_or(stay),
            State::Float | State::Storage => self.leave_float(see, settings).unwrap_or(stay),
            State::Equalise => self.leave_equalise(see, settings).unwrap_or(stay),
            State::Forced => self.leave_forced(see, settings).unwrap_or(stay),
            State::Protect if self.safe.s() >= settings.get(Key::ProtectDwell) => {
                (State::Bulk, Because::Usual)
            }
            State::Protect => stay,
        }
    }

    fn leave_start(&self, see: &Sight, settings: &Settings) -> Option<(State, Because)> {
        if self.healthy.s() < settings.get(Key::HealthyTime) {
            return None;
        }
        let was_full = matches!(self.remembered, Some(State::Float | State::Storage));
        let still_full = see.soc.is_none_or(|soc| soc >= STILL_FULL_SOC)
            && see.mean_v.is_some_and(|v| v >= settings.get(Key::StorageVoltage));
        if was_full && still_full {
            return Some((State::Float, Because::Remembered));
        }
        Some((State::Bulk, Because::Usual))
    }

    fn leave_bulk(&self, see: &Sight, settings: &Settings) -> Option<(State, Because)> {
        let cap = settings.get(Key::MaxSoc);
        if cap < 100.0 && !see.full_due && see.soc.is_some_and(|soc| soc >= cap) {
            return Some((State::Float, Because::SocCap));
        }
        let entered = self.reached.s() >= settings.get(Key::AbsorptionEntry);
        entered.then_some((State::Absorption, Because::Usual))
    }

    fn leave_absorption(&self, see: &Sight, settings: &Settings) -> Option<(State, Because)> {
        let repeated = self.because == Because::Repeated;
        let most_s = match (repeated, see.absorption_most_s) {
            (true, _) => settings.some(Key::RepeatAbsorptionTime).unwrap_or(0.0) * HOUR_S,
            (false, Some(most_s)) => most_s.min(settings.get(Key::AbsorptionMaximum) * HOUR_S),
            (false, None) => settings.get(Key::AbsorptionMaximum) * HOUR_S,
        };
        let least_s = (settings.get(Key::AbsorptionMinimum) * HOUR_S).min(most_s);
        let absorbed_s = self.absorbed.s();
        if see.full && absorbed_s >= least_s {
            if see.equalise_due && settings.chemistry().is_lead() && see.hottest_c.is_none_or(cool(settings))
            {
                return Some((State::Equalise, Because::Full));
            }
            let room = settings.some(Key::BalanceMaximum).is_some_and(|hours| hours > 0.0);
            if room && see.balance_due && see.balanced == Some(false) {
                return Some((State::Balance, Because::Full));
            }
            return Some((State::Float, Because::Full));
        }
        if absorbed_s >= most_s {
            let because = if repeated { Because::Repeated } else { Because::TimedOut };
            return Some((State::Float, because));
        }
        let cap = settings.get(Key::MaxSoc);
        if cap < 100.0 && !see.full_due && see.soc.is_some_and(|soc| soc >= cap) {
            return Some((State::Float, Because::SocCap));
        }
        (self.fallen.s() >= FALLEN_S).then_some((State::Bulk, Because::Usual))
    }

    fn leave_balance(&self, see: &Sight, settings: &Settings) -> Option<(State, Because)> {
        let most_s = settings.some(Key::BalanceMaximum).unwrap_or(0.0) * HOUR_S;
        if see.balanced == Some(true) || self.for_.s() >= most_s {
            return Some((State::Float, Because::Full));
        }
        (self.fallen.s() >= FALLEN_S).then_some((State::Float, Because::Full))
    }

    /// From float and from storage.
    fn leave_float(&self, see: &Sight, settings: &Settings) -> Option<(State, Because)> {
        let used = see.soc.is_some_and(|soc| soc < settings.get(Key::RebulkSoc))
            || self.low.s() >= settings.get(Key::RebulkDelay) * 60.0;
        let rested = self.for_.s() >= settings.get(Key::FloatMinimum) * 60.0;
        if (see.full_due || see.asked) && self.attempt_s.is_none_or(|s| s >= AGAIN_S) {
            return Some((State::Bulk, Because::FullChargeDue));
        }
        if used && (rested || self.state == State::Storage) {
            return Some((State::Bulk, Because::Discharged));
        }
        if self.state == State::Float {
            let idle = self.idle.s() >= settings.get(Key::StorageAfter) * HOUR_S;
            return idle.then_some((State::Storage, Because::Usual));
        }
        let repeat = settings.some(Key::RepeatAbsorptionAfter).map(|days| days * 24.0 * HOUR_S);
        let due = repeat.is_some_and(|after_s| self.for_.s() >= after_s);
        due.then_some((State::Absorption, Because::Repeated))
    }

    fn leave_equalise(&self, see: &Sight, settings: &Settings) -> Option<(State, Because)> {
        let over = self.for_.s() >= settings.some(Key::EqualiseMaximum).unwrap_or(0.0) * HOUR_S;
        let hot = !see.hottest_c.is_none_or(cool(settings));
        (over || hot).then_some((State::Float, Because::Full))
    }

    fn forces(&self, see: &Sight, settings: &Settings) -> bool {
        let below = settings.get(Key::FloorSoc) - settings.get(Key::ForceBelowFloor);
        let asked = see.asked && see.soc.is_none_or(|soc| soc < settings.get(Key::RebulkSoc));
        asked || see.soc.is_some_and(|soc| soc <= below) || self.below_force.s() >= FORCE_AFTER_S
    }

    fn leave_forced(&self, see: &Sight, settings: &Settings) -> Option<(State, Because)> {
        if self.reached.s() >= settings.get(Key::AbsorptionEntry) {
            return Some((State::Absorption, Because::Usual));
        }
        let floor = settings.get(Key::FloorSoc);
        let enough = see.soc.is_none_or(|soc| soc >= floor + settings.get(Key::ForceUntilAboveFloor));
        let cleared = !see.asked && see.soc.is_none_or(|soc| soc > floor);
        let long = self.for_.s() >= settings.get(Key::ForceMinimum) * 60.0;
        let over = long && (enough && !see.asked || cleared) && !see.empty && !see.below_force;
        over.then_some((State::Bulk, Because::Usual))
    }
}

fn cool(settings: &Settings) -> impl Fn(f64) -> bool {
    let most_c = settings.some(Key::EqualiseBelow).unwrap_or(f64::INFINITY);
    move |celsius| celsius <= most_c
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Tick = Tick { dt_s: 1.0, elapsed_s: 1.0 };

    /// A healthy bank in the middle of its charge.
    fn middle() -> Sight {
        Sight {
            data: true,
            healthy: true,
            below_v: 2.0,
            soc: Some(60.0),
            top_v: Some(3.33),
            mean_v: Some(3.33),
            current_c: 0.3,
            ..Sight::default()
        }
    }

    fn run(phase: &mut Phase, see: Sight, seconds: u32) -> State {
        let settings = Settings::default();
        for _ in 0..seconds {
            *phase = phase.next(&see, &settings, SECOND);
        }
        phase.state
    }

    fn in_state(state: State, see: Sight) -> Phase {
        let mut phase = Phase { state, ..Phase::default() };
        run(&mut phase, see, 1);
        phase
    }

    #[test]
    fn a_charge_goes_through_bulk_and_absorption_to_float() {
        let mut phase = Phase::default();
        assert_eq!(run(&mut phase, middle(), 9), State::Start);
        assert_eq!(run(&mut phase, middle(), 1), State::Bulk);
        let top = Sight { reached: true, below_v: 0.05, top_v: Some(3.45), ..middle() };
        assert_eq!(run(&mut phase, top, 9), State::Bulk);
        assert_eq!(run(&mut phase, top, 1), State::Absorption);
        assert_eq!(run(&mut phase, top, 600), State::Absorption);
        assert_eq!(run(&mut phase, Sight { full: true, ..top }, 1), State::Float);
        assert_eq!(phase.because, Because::Full);
    }

    #[test]
    fn the_clock_of_absorption_stands_while_clouds_pass_and_runs_out_in_two_hours_of_sun() {
        let sun = Sight { reached: true, below_v: 0.0, ..middle() };
        let cloud = Sight { below_v: 1.5, ..middle() };
        let mut phase = in_state(State::Absorption, sun);
        for _ in 0..11 {
            run(&mut phase, sun, 600);
            assert_eq!(run(&mut phase, cloud, 600), State::Absorption);
        }
        assert_eq!(run(&mut phase, sun, 598), State::Absorption);
        assert_eq!(run(&mut phase, sun, 1), State::Float);
        assert_eq!(phase.because, Because::TimedOut);
    }

    #[test]
    fn a_quarter_of_an_hour_without_voltage_ends_absorption() {
        let mut phase = in_state(State::Absorption, middle());
        assert_eq!(run(&mut phase, middle(), 898), State::Absorption);
        assert_eq!(run(&mut phase, middle(), 1), State::Bulk);
    }

    #[test]
    fn float_stays_through_a_big_load_and_ends_when_charge_is_missing() {
        let mut phase = in_state(State::Float, middle());
        phase.attempt_s = Some(0.0);
        let load = Sight { soc: Some(96.0), top_v: Some(3.18), current_c: -0.75, ..middle() };
        assert_eq!(run(&mut phase, load, 1_200), State::Float, "sagging under load says nothing");
        let used = Sight { soc: Some(89.9), ..middle() };
        assert_eq!(run(&mut phase, used, 1), State::Bulk);
        assert_eq!(phase.because, Because::Discharged);
    }

    #[test]
    fn float_lasts_a_quarter_of_an_hour_at_least() {
        let mut phase = in_state(State::Float, Sight { soc: Some(80.0), ..middle() });
        assert_eq!(run(&mut phase, Sight { soc: Some(80.0), ..middle() }, 898), State::Float);
        assert_eq!(run(&mut phase, Sight { soc: Some(80.0), ..middle() }, 1), State::Bulk);
    }

    #[test]
    fn a_battery_at_rest_goes_into_storage_and_a_used_one_does_not() {
        let rest = Sight { soc: Some(99.0), current_c: 0.0, ..middle() };
        let mut phase = in_state(State::Float, rest);
        assert_eq!(run(&mut phase, rest, 48 * 3_600 - 2), State::Float);
        assert_eq!(run(&mut phase, rest, 1), State::Storage);
        let mut phase = in_state(State::Float, rest);
        for _ in 0..60 {
            run(&mut phase, Sight { soc: Some(95.0), current_c: -0.06, ..middle() }, 1_800);
            assert_eq!(run(&mut phase, rest, 1_800), State::Float);
        }
    }

    #[test]
    fn protection_lasts_a_minute_beyond_its_cause() {
        let mut phase = in_state(State::Absorption, middle());
        assert_eq!(run(&mut phase, Sight { protect: true, ..middle() }, 1), State::Protect);
        assert_eq!(run(&mut phase, middle(), 59), State::Protect);
        assert_eq!(run(&mut phase, middle(), 1), State::Bulk);
    }

    #[test]
    fn charging_is_forced_below_the_floor_until_well_above_it_and_for_ten_minutes_at_least() {
        let mut phase = in_state(State::Bulk, middle());
        assert_eq!(run(&mut phase, Sight { soc: Some(5.0), ..middle() }, 1), State::Forced);
        assert_eq!(run(&mut phase, Sight { soc: Some(15.0), ..middle() }, 598), State::Forced);
        assert_eq!(run(&mut phase, Sight { soc: Some(15.0), ..middle() }, 2), State::Bulk);
    }

    #[test]
    fn a_battery_that_asks_is_charged_until_it_no_longer_asks() {
        let mut phase = in_state(State::Bulk, middle());
        let asks = Sight { asked: true, soc: Some(12.0), ..middle() };
        assert_eq!(run(&mut phase, asks, 1_200), State::Forced);
        assert_eq!(run(&mut phase, Sight { asked: false, ..asks }, 1), State::Bulk);
    }

    #[test]
    fn after_a_loss_of_data_a_full_battery_goes_on_in_float() {
        let full = Sight { soc: Some(99.0), mean_v: Some(3.36), ..middle() };
        let mut phase = in_state(State::Float, full);
        assert_eq!(run(&mut phase, Sight::default(), 30), State::NoData);
        assert_eq!(run(&mut phase, full, 9), State::NoData);
        assert_eq!(run(&mut phase, full, 1), State::Float);
        let mut phase = in_state(State::Float, full);
        run(&mut phase, Sight::default(), 30);
        assert_eq!(run(&mut phase, middle(), 10), State::Bulk);
    }

    #[test]
    fn the_cap_of_the_user_ends_a_charge_unless_a_full_one_is_due() {
        let settings = Settings::default().with(&[(Key::MaxSoc, 85.0), (Key::RebulkSoc, 70.0)]).unwrap();
        let see = Sight { soc: Some(85.0), ..middle() };
        let bulk = in_state(State::Bulk, middle());
        let capped = bulk.next(&see, &settings, SECOND);
        assert_eq!((capped.state, capped.because), (State::Float, Because::SocCap));
        assert_eq!(bulk.next(&Sight { full_due: true, ..see }, &settings, SECOND).state, State::Bulk);
    }

    #[test]
    fn an_uneven_pack_is_balanced_when_that_is_due() {
        let full = Sight { reached: true, full: true, balanced: Some(false), balance_due: true, ..middle() };
        let mut phase = in_state(State::Absorption, Sight { reached: true, ..middle() });
        assert_eq!(run(&mut phase, full, 1), State::Balance);
        assert_eq!(run(&mut phase, full, 2 * 3_600 - 1), State::Balance);
        assert_eq!(run(&mut phase, full, 1), State::Float);
        let mut phase = in_state(State::Absorption, Sight { reached: true, ..middle() });
        assert_eq!(run(&mut phase, Sight { balance_due: false, ..full }, 1), State::Float);
    }

    #[test]
    fn lead_acid_is_absorbed_again_every_week_of_storage() {
        let settings = Settings::of(crate::settings::Chemistry::Agm);
        let see = Sight { soc: Some(99.0), top_v: Some(2.2), current_c: 0.0, ..middle() };
        let mut phase = Phase { state: State::Storage, ..Phase::default() };
        let hour = Tick { dt_s: 3_600.0, elapsed_s: 3_600.0 };
        (0..7 * 24).for_each(|_| phase = phase.next(&see, &settings, hour));
        assert_eq!((phase.state, phase.because), (State::Absorption, Because::Repeated));
        phase = phase.next(&Sight { reached: true, ..see }, &settings, hour);
        assert_eq!((phase.state, phase.because), (State::Float, Because::Repeated));
    }
}
