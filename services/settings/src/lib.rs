//! `com.victronenergy.settings` for machines that are not Venus, compatible with Victron's localsettings.
//!
//! - `content.rs`: what a setting holds and how values are converted
//! - `path.rs`, `instances.rs`, `store.rs`: the tree, its limits, unique device numbers; no I/O
//! - `file.rs`: the text of settings.xml to the tree and back
//! - `folder.rs`, `save.rs`: what lies on the disk at start, and how it is replaced without ever being half there
//! - `answer.rs`: a call to its answer and its signals; `introspect.rs`: what tools see
//! - `server.rs`, `callers.rs`, `saver.rs`, `run.rs`: the bus and the clock around all that
//! - `config.rs`, `venus.rs`: configuration, and where this program must not run
//!
//! localsettings also reads defaults from `/etc/venus/settings.d`. Only Venus OS has that folder, so this does not.

pub mod answer;
mod callers;
pub mod config;
pub mod content;
pub mod file;
pub mod folder;
pub mod instances;
mod introspect;
pub mod path;
mod run;
pub mod save;
mod saver;
mod server;
pub mod store;
pub mod venus;

pub use config::Config;
pub use run::{NAME, run};
