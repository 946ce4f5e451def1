//! The service alone, without the executable around it: `settings CONFIG-FILE`. The bus is the one that the environment
//! names. For the tests of this crate.

use std::path::PathBuf;
use std::process::ExitCode;

use dbus_interfaces::BusAddress;
use service_kit::Program;
use service_kit::config;

fn main() -> ExitCode {
    let file = std::env::args_os().nth(1).map(PathBuf::from).unwrap_or_default();
    let program = Program::new("settings", env!("CARGO_PKG_VERSION")).config(&file);
    service_kit::run(program, async |context| {
        settings::run(config::load(&file)?, BusAddress::choose(None), context).await
    })
}
