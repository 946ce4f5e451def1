//! The right current for a bank of batteries.
//!
//! [`decide()`] is the heart: batteries, inverters, settings and a memory in, a [`Decision`] out. It is pure, total and
//! knows no bus: a loop around it fetches the one and publishes the other.
//!
//! - `input`, `settings`: what goes in; `decision`, `reasons`, `notes`, `alarms`, `explain`: what comes out
//! - `validate`: what of the data can be believed · `membership`: who is the bank · `sharing`: who carries how much
//! - `state`: what the bank is doing · `full`, `soc`, `counter`, `history`: how much is in it
//! - `cvl`: the charge voltage · `members`, `cell_law`, `heat`, `resistance`: what each battery allows
//! - `output`: how a limit may move · `followers`, `windows`: who gets what of it
//! - `decide`: all of these in their order · `memory`, `stored`: what is remembered, also over a restart
//! - `curve`, `filter`, `limit`, `name`, `tick`, `words`: the small parts
//!
//! Around it [`run()`] is the process, `service` what it consists of, `config` what the user decides before it starts.

mod alarms;
mod cell_law;
pub mod config;
mod counter;
mod curve;
mod cvl;
mod decide;
mod decision;
mod explain;
mod filter;
mod followers;
mod full;
mod heat;
mod history;
pub mod input;
mod limit;
mod members;
mod membership;
mod memory;
mod name;
mod notes;
mod output;
mod reasons;
mod resistance;
mod run;
mod service;
pub mod settings;
mod sharing;
mod soc;
mod state;
mod stored;
mod tick;
mod validate;
mod windows;
mod words;

pub use alarms::{Alarm, Alarms, Level};
pub use config::Config;
pub use curve::{Curve, CurveError};
pub use decide::decide;
pub use decision::{BatteryView, Decision, Explained, Limits, Picture, Share};
pub use followers::Stage;
pub use history::History;
pub use limit::Limit;
pub use membership::Standing;
pub use memory::Memory;
pub use name::Name;
pub use notes::Note;
pub use reasons::Reason;
pub use run::{WATCHDOG_LIMIT, run};
pub use settings::Settings;
pub use state::{Because, State};
pub use stored::{StoredError, WARM_S};
