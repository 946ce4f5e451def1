//! The wait after a restart: a memory that was read back is taken up when all its members are there again.

use crate::alarms::Alarms;
use crate::decision::{Decision, Explained, Limits, Picture};
use crate::followers::Stage;
use crate::input::{Battery, BmsLimits, Now};
use crate::memory::Memory;
use crate::name::Name;
use crate::reasons::Reason;
use crate::state::{Because, State};
use crate::tick::{Tick, age_s};
use crate::validate::STANDS_S;

/// Data that are not older are fresh, s.
const FRESH_S: f64 = 3.0;

/// The member for which a memory that was read back still waits.
pub(super) fn still_missing(
    batteries: &[&Battery],
    now: Now,
    memory: &mut Memory,
    tick: Tick,
) -> Option<Name> {
    let waited_s = memory.pending.as_mut()?.step(true, tick.elapsed_s);
    let there = |name: &Name| {
        let battery = batteries.iter().find(|battery| battery.service == *name);
        battery.is_some_and(|battery| is_back(battery, now))
    };
    let missing = memory.inside().find(|(name, _)| !there(name)).map(|(_, member)| member.label.clone());
    if missing.is_none() {
        memory.pending = None;
    } else if waited_s > STANDS_S {
        // The followers hold their last limits no longer than that.
        memory.cool_down();
        return None;
    }
    missing
}

fn is_back(battery: &Battery, now: Now) -> bool {
    let BmsLimits { charge_current_a, discharge_current_a, .. } = battery.limits;
    let limits = charge_current_a.is_some() == discharge_current_a.is_some();
    let complete = battery.voltage_v.is_some() && battery.current_a.is_some() && limits;
    battery.connected && complete && age_s(now.monotonic, battery.at) <= FRESH_S
}

/// The decision meanwhile: nothing is published, and the followers hold what they have.
pub(super) fn waiting(memory: &mut Memory, who: Name, tick: Tick) -> Decision {
    let reason = Reason::Starting { who: Some(who) };
    let words = memory.bank.charge_words.step(reason.id(), || reason.to_string(), tick).to_owned();
    let explained = Explained { reason, words, limiters: Vec::new() };
    Decision {
        state: State::Start,
        because: Because::Remembered,
        bank: Limits::default(),
        dvcc: Limits::default(),
        low_voltage_v: None,
        shares: Vec::new(),
        charge: explained.clone(),
        discharge: explained.clone(),
        voltage: explained,
        mode: State::Start.to_string(),
        charge_request: false,
        full_charge_request: false,
        ac_wanted: false,
        alarms: Alarms::default(),
        notes: Vec::new(),
        members: memory.inside().map(|(name, _)| name.clone()).collect(),
        batteries: Vec::new(),
        picture: Picture::default(),
        uncontrolled_a: 0.0,
        stage: Stage::None,
        open_contactor: false,
        became_full: false,
        history: memory.history,
    }
}
