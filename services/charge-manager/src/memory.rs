//! What a decision remembers for the next one. Bounded by the batteries and devices there are; the same after it was
//! stored and read back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cell_law::CellMemory;
use crate::cvl::{BaseMemory, TrimMemory, VoltageOut};
use crate::filter::{Lagging, Play, Since};
use crate::followers::FleetMemory;
use crate::full::FullMemory;
use crate::heat::HeatMemory;
use crate::history::History;
use crate::membership::{Place, PlaceMemory};
use crate::name::Name;
use crate::output::CurrentOut;
use crate::reasons::Reason;
use crate::sharing::{ShareMemory, SharingMemory};
use crate::soc::SocMemory;
use crate::state::{Phase, State};
use crate::tick::Clock;
use crate::validate::DataMemory;
use crate::windows::GridMemory;
use crate::words::Words;

/// Everything that is remembered.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Memory {
    pub(crate) clock: Clock,
    pub(crate) members: BTreeMap<Name, MemberMemory>,
    pub(crate) bank: BankMemory,
    pub(crate) fleet: FleetMemory,
    pub(crate) history: History,
    pub(crate) soc: SocMemory,
    pub(crate) grid: GridMemory,
    /// Read back a moment ago: for how long its members have been awaited.
    pub(crate) pending: Option<Since>,
}

/// What is remembered of one battery.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct MemberMemory {
    pub(crate) label: Name,
    pub(crate) data: DataMemory,
    pub(crate) place: PlaceMemory,
    pub(crate) share: ShareMemory,
    pub(crate) cell: CellMemory,
    pub(crate) heat: HeatMemory,
    pub(crate) trim: TrimMemory,
    pub(crate) full: FullMemory,
    pub(crate) circulates: Since,
    pub(crate) empty: Since,
    /// Its charge and its discharge limit as they may still be followed, A.
    pub(crate) followed: (Lagging, Lagging),
}

/// What is remembered of the bank.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct BankMemory {
    pub(crate) phase: Phase,
    pub(crate) sharing: SharingMemory,
    pub(crate) base: BaseMemory,
    pub(crate) voltage: VoltageOut,
    pub(crate) charge: CurrentOut,
    pub(crate) discharge: CurrentOut,
    pub(crate) had_data: bool,
    /// Without usable data, s.
    pub(crate) without_data_s: f64,
    pub(crate) last_bus_v: Option<f64>,
    /// The lever that is in use, V.
    pub(crate) lever_v: Option<f64>,
    /// After a join nothing rises for so much longer, s.
    pub(crate) settle_s: f64,
    pub(crate) joined: Name,
    pub(crate) disobey: Disobey,
    /// What charging was last stopped for, to protect a battery.
    pub(crate) protected_by: Reason,
    pub(crate) floor_on: bool,
    pub(crate) floor_since: Since,
    /// State of charge as the curves over it see it, %.
    pub(crate) soc_high: Play,
    pub(crate) soc_low: Play,
    pub(crate) was_empty: bool,
    pub(crate) bulk_began_v: Option<f64>,
    pub(crate) monitor_differs: Since,
    pub(crate) own_float: BTreeMap<Name, OwnFloat>,
    pub(crate) charge_words: Words,
    pub(crate) discharge_words: Words,
    pub(crate) voltage_words: Words,
    pub(crate) mode_words: Words,
}

/// Whether a battery lowers its voltage limit by itself.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct OwnFloat {
    pub(crate) highest_v: f64,
    pub(crate) lowered: Since,
}

/// Whether the chargers hold the charge voltage.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Disobey {
    pub(crate) over: Since,
    pub(crate) under: Since,
    pub(crate) on: bool,
}

impl Memory {
    /// The counters.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Begins the counters anew: the user has cleared them. How long ago the last full charge was stays.
    pub fn clear_history(&mut self) {
        self.history.clear();
    }

    /// It was read back a moment ago, and still waits for its members.
    pub(crate) fn is_warm(&self) -> bool {
        self.pending.is_some()
    }

    /// The members in the bank.
    pub(crate) fn inside(&self) -> impl Iterator<Item = (&Name, &MemberMemory)> {
        self.members.iter().filter(|(_, memory)| memory.place.place == Place::Inside)
    }

    /// Keeps what outlives a long pause: the counters, and in which state the bank was.
    pub(crate) fn cool_down(&mut self) {
        let state = self.bank.phase.state;
        let remembered = self.bank.phase.remembered.filter(|_| matches!(state, State::Start | State::NoData));
        self.members.clear();
        self.fleet = FleetMemory::default();
        self.bank = BankMemory::default();
        self.bank.phase.remembered = remembered.or(Some(state));
        self.pending = None;
    }
}
