//! The recorded answers of Victron's localsettings, call by call (`tests/clients/settings`).

use std::path::Path;
use std::time::Duration;

use testbed::{Exit, Process, executable};

#[test]
fn every_call_is_answered_as_by_the_original_but_where_it_is_meant_to_differ() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = folder.path().join("settings.toml");
    std::fs::write(&config, "").expect("writes the configuration");
    let compare = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients/settings/compare.py");
    let mut command = std::process::Command::new("/usr/bin/python3");
    command.arg("-B").arg(compare).args(["--", "env", "BUSBAR_FOLDER={folder}"]);
    command.arg(executable("examples/settings")).arg(config);
    let mut process = Process::spawn(&mut command);
    let exit = process.wait(Duration::from_secs(120));
    assert_eq!(exit, Exit::Code(0), "apt-get install python3-dbus python3-gi? {:#?}", process.lines());
}
