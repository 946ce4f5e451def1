//! The files by which systemd runs our processes.
#![expect(clippy::unwrap_used, reason = "a step of a test that fails is a failed test")]

use std::fs;
use std::path::Path;

const COMMON: &str = "\n# The same in every unit from here on.\n";

fn files(of: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../service-files").join(of)
}

/// Name and text of the unit of each kind of process.
fn units() -> Vec<(String, String)> {
    let entries = fs::read_dir(files("systemd")).unwrap().map(|entry| entry.unwrap().path());
    let services = entries.filter(|path| path.extension().is_some_and(|extension| extension == "service"));
    services
        .map(|path| (path.file_stem().unwrap().display().to_string(), fs::read_to_string(path).unwrap()))
        .filter(|(name, _)| name != "busbar-trial")
        .collect()
}

#[test]
fn every_service_is_confined_in_the_same_way() {
    let units = units();
    assert!(units.len() >= 2);
    let common = |text: &str| text.split_once(COMMON).map(|(_, common)| common.to_owned());
    for (name, text) in &units {
        assert!(common(text).is_some() && common(text) == common(&units[0].1), "{name}");
    }
}

#[test]
fn every_service_has_a_user_of_its_own_whom_the_bus_knows() {
    let policy = fs::read_to_string(files("dbus/busbar.conf")).unwrap();
    let users = fs::read_to_string(files("sysusers/busbar.conf")).unwrap();
    for (name, text) in units() {
        let user = name.trim_end_matches('@');
        assert!(text.contains(&format!("\nUser={user}\n")), "{name} has another user");
        assert!(users.contains(&format!("\nu {user} ")), "{user} is not made");
        assert!(policy.contains(&format!("<policy user=\"{user}\">")), "{user} may own no name");
    }
}
