//! A private `dbus-daemon`.

use std::ffi::OsStr;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::{Process, Signal};

const START: Duration = Duration::from_secs(20);

/// Everybody may own every name and send anything, and the two limits are raised, as on Venus OS
/// (victronenergy/meta-victronenergy: meta-venus/recipes-core/dbus/files/system.conf).
fn configuration(address: &str) -> String {
    format!(
        r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>{address}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
  </policy>
  <limit name="max_match_rules_per_connection">1024</limit>
  <limit name="max_replies_per_connection">50000</limit>
</busconfig>
"#
    )
}

/// A `dbus-daemon` of the test's own, on a socket in a folder of its own. Both are gone when this value goes out of
/// scope.
#[derive(Debug)]
pub struct PrivateBus {
    daemon: Option<Process>,
    address: String,
    // Declared after the daemon: it is removed when the daemon is gone.
    folder: TempDir,
}

impl PrivateBus {
    /// Starts a bus and waits until it listens.
    ///
    /// # Panics
    /// When `dbus-daemon` is missing or does not start.
    #[track_caller]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("no temporary folder: {error}"));
        let address = format!("unix:path={}", folder.path().join("bus").display());
        let file = folder.path().join("bus.conf");
        if let Err(error) = std::fs::write(&file, configuration(&address)) {
            panic!("{}: {error}", file.display());
        }
        let mut bus = Self { daemon: None, address, folder };
        bus.resume();
        bus
    }

    /// The D-Bus address, the same through all restarts.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The environment in which a program finds this bus, and no other, as its system bus and as its session bus.
    pub fn environment(&self) -> [(&'static str, &str); 2] {
        ["DBUS_SYSTEM_BUS_ADDRESS", "DBUS_SESSION_BUS_ADDRESS"].map(|variable| (variable, self.address()))
    }

    /// A command in that environment.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.envs(self.environment());
        command
    }

    /// Ends the daemon; every connection breaks.
    #[track_caller]
    pub fn stop(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.terminate();
        }
    }

    /// Stops the daemon where it is: connections stay, and nothing comes of them any more.
    #[track_caller]
    pub fn freeze(&mut self) {
        if let Some(daemon) = &mut self.daemon {
            daemon.signal(Signal::STOP);
        }
    }

    /// Starts the daemon again at the same address.
    ///
    /// # Panics
    /// When it runs already, or does not start.
    #[track_caller]
    pub fn resume(&mut self) {
        assert!(self.daemon.is_none(), "the bus runs already");
        let mut file = std::ffi::OsString::from("--config-file=");
        file.push(self.folder.path().join("bus.conf"));
        let mut daemon = Process::spawn(
            Command::new("dbus-daemon").args(["--nofork", "--nopidfile", "--print-address"]).arg(file),
        );
        // It prints the address when it listens, not before.
        daemon.wait_for_line(&self.address, START);
        self.daemon = Some(daemon);
    }

    /// Stops and resumes.
    #[track_caller]
    pub fn restart(&mut self) {
        self.stop();
        self.resume();
    }
}
