//! The independent battery of `tests/clients`, looked at from the other end of the wire.
//! What is expected are bytes typed in from the maker's document, here and there.
#![expect(clippy::unwrap_used, reason = "a step that fails has to fail the test that asked for it")]

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::time::Duration;

use testbed::{Exit, Process, client_script};

const SOON: Duration = Duration::from_secs(60);

/// Two adapters on one bus, and a host at the first one.
struct Rig {
    _wire: Process,
    host: File,
    lines: std::io::Split<BufReader<File>>,
    folder: tempfile::TempDir,
}

impl Rig {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [ours, theirs] = ["ours", "theirs"].map(|name| folder.path().join(name));
        let mut wire = Process::spawn(client_script("wire.py").args([&ours, &theirs]));
        wire.wait_for_line("ready", SOON);
        let host = File::options().read(true).write(true).open(&ours).unwrap();
        let lines = BufReader::new(host.try_clone().unwrap()).split(b'\r');
        Self { _wire: wire, host, lines, folder }
    }

    fn tty(&self) -> std::path::PathBuf {
        self.folder.path().join("theirs")
    }

    fn send(&mut self, line: &str) {
        write!(self.host, "{line}\r").unwrap();
    }

    /// The next line that is no empty acknowledgement.
    fn line(&mut self) -> String {
        self.lines
            .by_ref()
            .map(|line| String::from_utf8(line.unwrap()).unwrap())
            .find(|line| !line.is_empty())
            .unwrap()
    }
}

fn battery(tty: &Path, arguments: &[&str]) -> Process {
    Process::spawn(client_script("battery.py").arg(tty).args(["--interval", "0.05"]).args(arguments))
}

#[test]
fn the_battery_sends_its_six_frames_as_the_document_draws_them() {
    let mut rig = Rig::start();
    rig.send("S6");
    rig.send("O");
    let mut battery = battery(
        &rig.tty(),
        &[
            "--cycles",
            "1",
            "--alarm",
            "cell over voltage",
            "--alarm",
            "internal communication fail",
            "--no-charge",
        ],
    );
    assert_eq!(battery.wait(SOON), Exit::Code(0));
    let cycle: Vec<String> = (0..6).map(|_| rig.line()).collect();
    assert_eq!(
        cycle,
        [
            "t35970200000802504E",
            "t35161402E402E803",
            "t355436006200",
            "t3566941385FFEA00",
            "t35C24000",
            "t35E850594C4F4E202020",
        ]
    );
}

#[test]
fn the_battery_hears_the_keep_alive() {
    let mut rig = Rig::start();
    rig.send("S6");
    rig.send("O");
    let mut battery = battery(&rig.tty(), &[]);
    battery.wait_for_line("sending", SOON);
    rig.send("t30580000000000000000");
    battery.wait_for_line("305 0000000000000000", SOON);
    assert_eq!(battery.terminate(), Exit::Code(0));
}

#[test]
fn nothing_crosses_the_wire_at_different_bit_rates() {
    let mut rig = Rig::start();
    rig.send("S5");
    rig.send("O");
    let mut battery = battery(&rig.tty(), &["--cycles", "2"]);
    assert_eq!(battery.wait(SOON), Exit::Code(0));
    rig.send("V");
    assert_eq!(rig.line(), "V1013", "the first thing that arrived is the answer to our own question");
}
