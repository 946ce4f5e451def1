//! The one reading of the decision about current. Whatever can push current asks here, and nowhere else, what it may take.
//!
//! | age of the source's newest sign of life | a follower |
//! | --- | --- |
//! | up to 3 s | obeys |
//! | 3 s to 10 s | obeys, but raises nothing |
//! | beyond 10 s | goes to 0 A within 2 s, and stays there |
//!
//! It makes no difference whether the source is silent or gone from the bus: one that restarts within 10 s interrupts
//! nothing. A source that says itself that there is nothing to take (`/Connected` 0, a share that is withdrawn) is taken at
//! its word: to 0 A within 2 s from then. After a ramp the discharge limit comes back with the first fresh data; the charge
//! limits after 10 s of fresh data, the current by 1 % of the limit per second, the voltage in one step. A lower limit is
//! obeyed in the same step, whatever the age. The first data of all are obeyed at once: it is not the source that was
//! away.
//!
//! `track` is one limit over time, `state` all of it as a pure function; this file reads the items.

mod state;
mod track;

use tokio::time::Instant;

pub use state::{Beat, FollowerState, Grant, Limits, Reading};
pub use track::Stance;

use crate::classes::{bank, battery, device};
use crate::{Filter, Monitor};

/// Whom a follower follows. It never changes by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A manager, by its bus name: the row of `/Share` that names the follower.
    Manager(String),
    /// One battery alone, by its bus name, where there is no manager: its `/Info`.
    Battery(String),
}

impl Source {
    /// The manager at its usual name.
    #[must_use]
    pub fn manager() -> Self {
        Source::Manager(bank::NAME.to_owned())
    }

    /// The service of this name: the manager if it is called as that is, otherwise a battery. So nobody comes to read the
    /// manager's `/Info`, which is what systemcalc may spend.
    #[must_use]
    pub fn named(name: &str) -> Self {
        if name == bank::NAME { Source::manager() } else { Source::Battery(name.to_owned()) }
    }

    /// The bus name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Source::Manager(name) | Source::Battery(name) => name,
        }
    }
}

/// What a device may take, as its source decides.
#[derive(Debug, Clone)]
pub struct Follower {
    source: Source,
    own_name: String,
    state: FollowerState,
}

impl Follower {
    /// A follower that is called `own_name` on the bus.
    #[must_use]
    pub fn new(source: Source, own_name: impl Into<String>) -> Self {
        let state = FollowerState::new(source.name());
        Follower { source, own_name: own_name.into(), state }
    }

    /// Adds what [`limits`](Self::limits) reads to what a monitor follows. A filter that keeps every item goes on to.
    #[must_use]
    pub fn add_to(&self, filter: Filter) -> Filter {
        let everything = filter.follows_something() && !filter.declares_items();
        let filter = filter.service(self.source.name());
        if everything {
            return filter;
        }
        let filter = filter.item(bank::UPDATE_INDEX).item(device::CONNECTED).item(battery::DC_VOLTAGE);
        match self.source {
            Source::Manager(_) => filter
                .item(bank::SHARE_SERVICE)
                .item(bank::SHARE_MAX_CHARGE_VOLTAGE)
                .item(bank::SHARE_MAX_CHARGE_CURRENT)
                .item(bank::SHARE_MAX_DISCHARGE_CURRENT)
                .item(bank::SHARE_STOP),
            Source::Battery(_) => filter
                .item(battery::MAX_CHARGE_VOLTAGE)
                .item(battery::MAX_CHARGE_CURRENT)
                .item(battery::MAX_DISCHARGE_CURRENT),
        }
    }

    /// What may be taken now. See [`FollowerState::step`] for how often to ask.
    pub fn limits(&mut self, monitor: &Monitor, now: Instant) -> Limits {
        let reading = self.read(monitor);
        self.state.step(now, reading.as_ref())
    }

    /// Whether the manager wants the follower stopped in the way of its bus, because no limit has stopped it. Counts only
    /// with fresh data.
    #[must_use]
    pub fn is_to_stop(&self, monitor: &Monitor) -> bool {
        let row = self.row(monitor, self.source.name());
        row.is_some_and(|row| monitor.get(self.source.name(), bank::SHARE_STOP.nth(row)) == Some(1))
    }

    /// The follower's row of the manager's shares.
    fn row(&self, monitor: &Monitor, name: &str) -> Option<u16> {
        let Source::Manager(_) = self.source else { return None };
        let rows = monitor.family(name, bank::SHARE_SERVICE);
        rows.into_iter().find(|(_, service)| *service == self.own_name).map(|(row, _)| row)
    }

    fn read(&self, monitor: &Monitor) -> Option<Reading> {
        let name = self.source.name();
        let seen = monitor.service(name)?;
        let index = monitor.get(name, bank::UPDATE_INDEX);
        let beat = match (index, &self.source) {
            (Some(_), _) => monitor.received(name, bank::UPDATE_INDEX).map(|at| Beat { index, at }),
            // A battery of another maker has no index; what it sends shows that it lives.
            (None, Source::Battery(_)) => Some(Beat { index: None, at: seen.heard_at }),
            (None, Source::Manager(_)) => None,
        };
        let connected = monitor.get(name, device::CONNECTED) != Some(0);
        let grant = if connected { self.granted(monitor, name) } else { Grant::Disconnected };
        let pack_voltage_v = monitor.get(name, battery::DC_VOLTAGE);
        Some(Reading { owner: seen.owner.to_string(), beat, grant, pack_voltage_v })
    }

    fn granted(&self, monitor: &Monitor, name: &str) -> Grant {
        match self.source {
            Source::Manager(_) => {
                let Some(row) = self.row(monitor, name) else { return Grant::NoShare };
                Grant::Limits {
                    charge_voltage_v: monitor.get(name, bank::SHARE_MAX_CHARGE_VOLTAGE.nth(row)),
                    charge_current_a: monitor.get(name, bank::SHARE_MAX_CHARGE_CURRENT.nth(row)),
                    discharge_current_a: monitor.get(name, bank::SHARE_MAX_DISCHARGE_CURRENT.nth(row)),
                }
            }
            Source::Battery(_) => Grant::Limits {
                charge_voltage_v: monitor.get(name, battery::MAX_CHARGE_VOLTAGE),
                charge_current_a: monitor.get(name, battery::MAX_CHARGE_CURRENT),
                discharge_current_a: monitor.get(name, battery::MAX_DISCHARGE_CURRENT),
            },
        }
    }
}
