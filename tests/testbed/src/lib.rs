//! What tests share, and nothing of the product: this crate knows no other crate of the workspace and speaks no D-Bus
//! itself, so that what it observes comes from programs that are not ours.
//!
//! - `bus.rs`: a private `dbus-daemon` with the policy of Venus OS, which can be restarted at its address.
//! - `clients.rs`: `busctl` and `dbus-send` on it, with their answers parsed; scripts on third-party packages.
//! - `process.rs`: a child process with its output, signals and exit code.
//! - `wait.rs`: the one place where tests poll.
//! - `executable.rs`: where cargo put our programs.
//! - `bed.rs`: a bus with settings, a simulated battery and its service.
//! - `inverters.rs`: the same with inverters and meters on Modbus.
//!
//! Everything here panics when it cannot do its work, at the line of the test that asked for it.
#![expect(clippy::panic, reason = "a step that fails has to fail the test that asked for it")]

pub mod bed;
mod bus;
mod clients;
mod executable;
pub mod inverters;
mod process;
mod wait;

pub use bus::PrivateBus;
pub use clients::{Refused, client_script};
pub use executable::executable;
pub use process::{Exit, Process, Signal};
pub use wait::{eventually, eventually_some, happens, one_of, one_of_awaited, patient};
