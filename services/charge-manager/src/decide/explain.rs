//! Limits and state in words.

use super::currents::Current;
use super::voltage::Voltage;
use crate::decision::Explained;
use crate::followers::{Stage, Watched};
use crate::memory::BankMemory;
use crate::reasons::Reason;
use crate::tick::Tick;

/// Charge current, discharge current and charge voltage with their words.
pub(super) fn all(
    charge: Current,
    discharge: Current,
    voltage: Voltage,
    watched: &Watched,
    current_a: f64,
    memory: &mut BankMemory,
    tick: Tick,
) -> [Explained; 3] {
    // What flows beyond the limit is what the user must see first.
    let overrun = watched.who.as_ref().filter(|_| watched.stage >= Stage::Overrun);
    let overrun = overrun.map(|who| Reason::Overrun { who: who.clone(), current_a });
    let shown = overrun.as_ref().unwrap_or(&charge.published.reason);
    let charge_words = memory.charge_words.step(shown.id(), || shown.to_string(), tick).to_owned();
    let reason = &discharge.published.reason;
    let discharge_words = memory.discharge_words.step(reason.id(), || reason.to_string(), tick).to_owned();
    let reason = &voltage.reason;
    let voltage_words = memory.voltage_words.step(reason.id(), || reason.to_string(), tick).to_owned();
    [
        Explained { reason: charge.published.reason, words: charge_words, limiters: charge.limiters },
        Explained {
            reason: discharge.published.reason,
            words: discharge_words,
            limiters: discharge.limiters,
        },
        Explained { reason: voltage.reason, words: voltage_words, limiters: voltage.limiters },
    ]
}

/// The state in words.
pub(super) fn mode(memory: &mut BankMemory, tick: Tick) -> String {
    let (state, because) = (memory.phase.state, memory.phase.because.words());
    let text = || if because.is_empty() { state.to_string() } else { format!("{state} ({because})") };
    let id = text();
    memory.mode_words.step(&id, || id.clone(), tick).to_owned()
}
