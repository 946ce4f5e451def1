//! The recorded answers of Victron's localsettings, call by call (`tests/clients/settings`).

use std::time::Duration;

use testbed::{Exit, Process, client_script, executable};

#[test]
fn every_call_is_answered_as_by_the_original_but_where_it_is_meant_to_differ() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("settings.toml");
    std::fs::write(&config, "").unwrap();
    let mut command = client_script("settings/compare.py");
    command.args(["--", "env", "BUSBAR_FOLDER={folder}"]).arg(executable("examples/settings")).arg(config);
    let mut process = Process::spawn(&mut command);
    let exit = process.wait(Duration::from_secs(120));
    assert_eq!(exit, Exit::Code(0), "{:#?}", process.lines());
}
