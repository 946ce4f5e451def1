//! Under daemontools, as on Venus OS: the bus daemon goes and comes, and everything comes back by itself.
#![expect(clippy::expect_used, reason = "a step that fails has to fail the test that asked for it")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use system_tests::{SOON, Site, battery};
use testbed::{PrivateBus, Process, eventually, executable, one_of};

const FIVE_SECONDS: Duration = Duration::from_secs(5);
/// So long a battery is listened to at most before its dialect is known.
const DECIDES_AFTER: Duration = Duration::from_secs(4);

/// A folder of services under `svscan`. Everything in it ends with this value.
struct Supervised {
    svscan: Process,
    services: Vec<PathBuf>,
}

impl Supervised {
    /// Starts `busbar ARGUMENTS...` for each name.
    fn start(bus: &PrivateBus, folder: &Path, services: &[(&str, Vec<String>)]) -> Supervised {
        let need = Path::new(env!("CARGO_MANIFEST_DIR")).join("../need");
        let installed = Command::new(need).arg("daemontools").status().expect("tests/need");
        assert!(installed.success());
        let folder = folder.join("service");
        let mut places = Vec::new();
        for (name, arguments) in services {
            let place = folder.join(name);
            let program = executable("busbar");
            script(&place.join("run"), &format!("exec {} {}", program.display(), arguments.join(" ")));
            script(&place.join("log/run"), "exec multilog t s25000 n4 ./main");
            places.push(place.clone());
            places.push(place.join("log"));
        }
        let svscan = Process::spawn(bus.command("svscan").arg(&folder));
        Supervised { svscan, services: places }
    }

    /// What the service called `name` has logged so far.
    fn log(&self, name: &str) -> String {
        let place = self.services.iter().find(|place| place.ends_with(name)).expect("a service");
        fs::read_to_string(place.join("log/main/current")).unwrap_or_default()
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        // Each service has a supervise of its own, which outlives svscan and is not its service's end either.
        if self.svscan.is_running() {
            self.svscan.terminate();
        }
        let svc = |option| _ = Command::new("svc").arg(option).args(&self.services).status();
        svc("-dx");
        let gone = |place: &PathBuf| Command::new("svok").arg(place).status().is_ok_and(|s| !s.success());
        eventually(SOON, || self.services.iter().all(gone));
    }
}

fn script(path: &Path, line: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("created");
    fs::write(path, format!("#!/bin/sh\nexec 2>&1\n{line}\n")).expect("written");
    fs::set_permissions(path, Permissions::from_mode(0o755)).expect("made executable");
}

fn start(site: &Site) -> Supervised {
    let config = |path: PathBuf| vec!["--config".to_owned(), path.display().to_string()];
    let of = |service: &str, path| [vec![service.to_owned()], config(path)].concat();
    let services = [
        ("busbar-settings", of("settings", site.settings_config())),
        ("busbar-bms-can.battery0", of("bms-can", site.config(0, "protocol = \"pylontech_lv\""))),
        ("busbar-bms-can.battery1", of("bms-can", site.config(1, ""))),
    ];
    Supervised::start(&site.bus, site.folder(), &services)
}

fn is_there(site: &Site, number: usize) -> bool {
    site.bus.get_value(&battery(number), "/Connected") == Ok(json!(1))
}

#[test]
#[expect(clippy::disallowed_methods, reason = "real processes live in real time")]
fn batteries_are_back_within_five_seconds_of_a_new_bus_daemon() {
    let mut site = Site::start_without_settings(2, "");
    let supervised = start(&site);
    eventually(SOON, || is_there(&site, 0) && is_there(&site, 1));
    let numbers = |site: &Site| [0, 1].map(|number| site.bus.get_value(&battery(number), "/DeviceInstance"));
    let before = numbers(&site);

    // At once, as in a restart of the daemon, and after a while, as when it does not start.
    for is_long in [false, true] {
        one_of(3, || {
            let refusals = |name| supervised.log(name).matches("no D-Bus at").count();
            let services = ["busbar-settings", "busbar-bms-can.battery0"];
            let before_stop = services.map(refusals);
            site.bus.stop();
            if is_long {
                let is_refused = |n: usize| refusals(services[n]) > before_stop[n] + 1;
                eventually(SOON, || is_refused(0) && is_refused(1));
            }
            site.bus.resume();
            let start = std::time::Instant::now();
            eventually(SOON, || is_there(&site, 0));
            let after = start.elapsed();
            // Whose dialect is left open has to listen to it first.
            eventually(SOON, || is_there(&site, 1));
            let both_after = start.elapsed();
            let told = format!("back after {after:?}, with the dialect to be found out after {both_after:?}");
            println!("{told}");
            assert_eq!(numbers(&site), before);
            let is_soon = after < FIVE_SECONDS && both_after < FIVE_SECONDS + DECIDES_AFTER;
            if is_soon { Ok(()) } else { Err(told) }
        });
    }
    let log = supervised.log("busbar-bms-can.battery0");
    assert!(log.contains("D-Bus is lost"), "{log}");
    assert!(log.lines().all(|line| line.starts_with("@4")), "multilog stamps each line: {log}");
}

#[test]
fn what_is_killed_is_back_by_itself() {
    let site = Site::start_without_settings(2, "");
    let supervised = start(&site);
    eventually(SOON, || is_there(&site, 0));
    for service in ["busbar-settings", "busbar-bms-can.battery0"] {
        let place = supervised.services.iter().find(|place| place.ends_with(service)).expect("a service");
        let killed = Command::new("svc").arg("-k").arg(place).status().expect("svc");
        assert!(killed.success());
        eventually(SOON, || supervised.log(service).matches(" starts ").count() > 1);
    }
    eventually(SOON, || is_there(&site, 0));
}
