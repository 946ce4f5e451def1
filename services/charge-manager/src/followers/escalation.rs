//! What is done against a current that nothing told has stopped, one step after the other.

use serde::{Deserialize, Serialize};

use crate::filter::Since;
use crate::settings::{Key, Settings};
use crate::tick::Tick;

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub enum Stage {
    /// Everything obeys.
    #[default]
    None,
    /// Something does not: its share goes to nobody, the others make room.
    Overrun,
    /// The charge voltage is lowered below that of the pack.
    Voltage,
    /// Chargers are told to stop, each in the way of its bus.
    Stop,
    /// The contactor may be opened, if the user wants that.
    Disconnect,
}

/// The stage and its clock.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Escalation {
    stage: Stage,
    since: Since,
}

impl Escalation {
    /// `overrun`: the bank takes more than it may, and has for too long. `over`: it does at this moment.
    /// `nothing_left`: everything that can be told is at 0 already.
    pub(crate) fn step(
        &mut self,
        overrun: bool,
        over: bool,
        nothing_left: bool,
        settings: &Settings,
        tick: Tick,
    ) -> Stage {
        let since_s = self.since.step(true, tick.dt_s);
        let patience_s = settings.get(Key::EscalationTime);
        let next = match self.stage {
            _ if !overrun => Stage::None,
            Stage::None => Stage::Overrun,
            // A step that works is enough.
            stage if !over => stage,
            Stage::Overrun if nothing_left || since_s >= patience_s => Stage::Voltage,
            Stage::Voltage if since_s >= patience_s => Stage::Stop,
            Stage::Stop if since_s >= patience_s => Stage::Disconnect,
            stage => stage,
        };
        if next != self.stage {
            self.stage = next;
            self.since.reset();
        }
        self.stage
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_waits_for_the_one_before_to_help() {
        let settings = Settings::default();
        let tick = Tick { dt_s: 1.0, elapsed_s: 1.0 };
        let mut escalation = Escalation::default();
        let mut stages = Vec::new();
        for second in 0..60 {
            let stage = escalation.step(true, true, false, &settings, tick);
            if stages.last().is_none_or(|(_, last)| *last != stage) {
                stages.push((second, stage));
            }
        }
        assert_eq!(
            stages,
            [(0, Stage::Overrun), (15, Stage::Voltage), (30, Stage::Stop), (45, Stage::Disconnect)]
        );
        assert_eq!(escalation.step(false, false, false, &settings, tick), Stage::None);
        escalation.step(true, true, true, &settings, tick);
        assert_eq!(
            escalation.step(true, true, true, &settings, tick),
            Stage::Voltage,
            "nothing else is left"
        );
        assert_eq!(escalation.step(true, false, true, &settings, tick), Stage::Voltage, "it helps");
    }
}
