//! What every process needs and no bus does.
//!
//! - [`run()`]: a process from start to end: runtime, log, signals, watchdog, readiness, exit code
//! - [`config`]: TOML files over defaults and under the environment, with errors that say how to put things right
//! - [`Backoff`]: how long to wait before the next attempt
//! - [`Repeating`]: a failure that goes on is three log lines, not thousands
//! - [`wall_clock`]: what the clock on the wall says, where anybody has to know
//! - [`serial`]: serial ports: exclusive, awaited, recognised when unplugged

mod backoff;
pub mod config;
mod context;
mod failure;
mod guard;
mod heartbeat;
mod last_words;
mod logging;
mod readiness;
mod repeating;
mod run;
pub mod serial;
mod wall_clock;
mod watchdog;

pub use backoff::{Backoff, InvalidBackoff, random_seed};
pub use context::{Context, Shutdown, Stopper};
pub use failure::Failure;
pub use heartbeat::Heartbeat;
pub use logging::FILTER_VARIABLE;
pub use repeating::{Repeating, Report};
pub use run::{EXIT_CONFIGURATION, EXIT_FAILURE, Program, run};
pub use serial::polled;
pub use wall_clock::{WallTime, wall_clock};

use run::WATCHDOG_LIMIT;
