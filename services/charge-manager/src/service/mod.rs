//! The service around the decision: batteries, devices and settings in from the bus, the decision out to it.
//!
//! - `labels`, `batteries`, `devices`, `site`: what is on the bus, as the decision takes it in
//! - `signs`: signs of life of services that say nothing as long as nothing changes
//! - `urgency`: what cannot wait for the next second
//! - `founding`: who the bank begins with · `speaks`: when the bank may speak for its members
//! - `publish`, `numbers`: the decision as items · `requests`: what users ask for
//! - `kept`, `plan`: what stands in the settings of the system
//! - `store`: the memory on disk · `log`: what the log is told once

pub(crate) mod batteries;
pub(crate) mod devices;
pub(crate) mod founding;
pub(crate) mod kept;
mod labels;
pub(crate) mod log;
mod numbers;
mod plan;
pub(crate) mod publish;
pub(crate) mod requests;
pub(crate) mod signs;
pub(crate) mod site;
pub(crate) mod speaks;
pub(crate) mod store;
pub(crate) mod urgency;

use std::time::Duration;

use dbus_interfaces::Filter;
use tokio::time::Instant;

/// The clock of the decision: time since the process began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock(Instant);

impl Clock {
    /// Begins now.
    pub(crate) fn start() -> Clock {
        Clock(Instant::now())
    }

    /// A moment on it. What was before its beginning was at its beginning.
    pub(crate) fn at(self, moment: Instant) -> Duration {
        moment.saturating_duration_since(self.0)
    }
}

/// Everything that the manager follows.
pub(crate) fn filter() -> Filter {
    site::filter(devices::filter(batteries::filter(Filter::new())))
}
