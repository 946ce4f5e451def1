//! Live pictures on a terminal: drawn in place, within its size, and the terminal given back.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Command};

use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use testbed::bed::{Bed, SOON, busbar, simulator};
use testbed::{eventually, executable};

const SCENARIO: &str = "modules = 4\n[battery.pack]\nsoc_percent = 54.0\ntemperature_c = 21.0";
const CLEAR: &str = "\x1b[2K";

/// A program on a terminal of its own.
struct Terminal {
    /// The end at which a person sits.
    person: File,
    /// The end at which the program sits: kept open, so that what it wrote last can be read.
    terminal: OwnedFd,
    child: Child,
    shown: Vec<u8>,
}

impl Terminal {
    #[track_caller]
    fn start(command: &mut Command, columns: u16, rows: u16) -> Terminal {
        let person =
            openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
        grantpt(&person).and_then(|()| unlockpt(&person)).expect("ours");
        let name = ptsname(&person, Vec::new()).expect("its name");
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let terminal = rustix::fs::open(name, flags, Mode::empty()).expect("opened");
        resize(&terminal, columns, rows);
        rustix::fs::fcntl_setfl(&person, OFlags::NONBLOCK).expect("set");
        let end = || terminal.try_clone().expect("an end");
        let child = command.stdin(end()).stdout(end()).stderr(end());
        let child = child.spawn().expect("it starts");
        Terminal { person: person.into(), terminal, child, shown: Vec::new() }
    }

    /// Everything that was shown so far.
    fn shown(&mut self) -> String {
        let _ = self.person.read_to_end(&mut self.shown);
        String::from_utf8_lossy(&self.shown).into_owned()
    }

    #[track_caller]
    fn wait_for(&mut self, part: &str) {
        eventually(SOON, || self.shown().contains(part));
    }

    /// Another size, as somebody who drags the window makes it.
    fn resize(&mut self, columns: u16, rows: u16) {
        resize(&self.terminal, columns, rows);
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::WINCH).expect("told");
    }

    fn press(&mut self, key: &str) {
        self.person.write_all(key.as_bytes()).expect("typed");
    }

    /// The exit code, when it has ended by itself.
    #[track_caller]
    fn end(&mut self) -> Option<i32> {
        let mut status = None;
        eventually(SOON, || {
            status = self.child.try_wait().expect("a child");
            status.is_some()
        });
        status.and_then(|status| status.code())
    }

    fn is_quiet(&self) -> bool {
        let modes = tcgetattr(&self.terminal).expect("modes").local_modes;
        !modes.intersects(LocalModes::ECHO | LocalModes::ICANON)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn resize(terminal: &OwnedFd, columns: u16, rows: u16) {
    let size = Winsize { ws_col: columns, ws_row: rows, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(terminal, size).expect("set");
}

/// The lines of each picture, without the sequences of their styles.
fn pictures(shown: &str) -> Vec<Vec<String>> {
    let live = shown.split("\x1b[?7h").next().unwrap_or_default();
    let picture = |text: &str| {
        let lines = text.trim_end_matches("\x1b[J").trim_end().split('\n');
        lines.map(|line| plain(line.trim_end_matches('\r').trim_start_matches(CLEAR))).collect()
    };
    live.split("\x1b[H").skip(1).map(picture).collect()
}

fn plain(line: &str) -> String {
    let mut parts = line.split("\x1b[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |line, part| line + part.split_once('m').map_or("", |(_, rest)| rest))
}

fn status(bed: &Bed) -> Command {
    let mut command = bed.bus.command(executable("busbar"));
    command.arg("status").env_remove("NO_COLOR");
    command
}

#[test]
fn status_stays_within_the_terminal_whatever_its_size_and_gives_it_back() {
    let bed = Bed::start(SCENARIO, "name = \"Barn\"");
    let mut terminal = Terminal::start(&mut status(&bed), 40, 8);
    terminal.wait_for("Barn");
    assert!(terminal.is_quiet(), "keys do not appear in the picture");
    for lines in pictures(&terminal.shown()) {
        assert!(lines.len() <= 8, "{lines:#?}");
        assert!(lines.iter().all(|line| line.chars().count() <= 40), "{lines:#?}");
    }
    terminal.resize(90, 24);
    terminal.wait_for("limits 57.60V  charge 560.0A  discharge 560.0A");
    terminal.press("q");
    assert_eq!(terminal.end(), Some(0));
    let shown = terminal.shown();
    assert!(shown.starts_with("\x1b[?1049h\x1b[?25l\x1b[?7l"), "{shown:?}");
    let (_, after) = shown.rsplit_once("\x1b[?7h\x1b[?25h\x1b[?1049l").expect("the terminal is given back");
    assert!(after.contains("Barn") && !after.contains("q ends"), "the last picture stays: {after:?}");
    assert!(!terminal.is_quiet());
}

#[test]
fn an_alarm_is_red_at_once_and_without_colours_where_nobody_wants_them() {
    let mut bed = Bed::start(SCENARIO, "name = \"Barn\"");
    let mut coloured = Terminal::start(&mut status(&bed), 80, 24);
    let mut plain = Terminal::start(status(&bed).env("NO_COLOR", "1"), 80, 24);
    coloured.wait_for("\x1b[1mBarn");
    bed.simulator.write_line("alarm high_voltage on");
    coloured.wait_for("\x1b[1;31mHighVoltage alarm");
    coloured.wait_for("\x1b[1;31mBarn");
    plain.wait_for("HighVoltage alarm");
    for colour in ["31m", "33m"] {
        assert!(!plain.shown().contains(colour), "{:?}", plain.shown());
    }
    bed.service.terminate();
    coloured.wait_for("no service of Busbar");
    let pid = Pid::from_child(&coloured.child);
    kill_process(pid, Signal::INT).expect("told");
    assert_eq!(coloured.end(), Some(0));
}

#[test]
fn the_loss_of_the_bus_is_said_on_a_terminal_that_is_given_back() {
    let mut bed = Bed::start(SCENARIO, "name = \"Barn\"");
    let mut terminal = Terminal::start(&mut status(&bed), 80, 24);
    terminal.wait_for("Barn");
    bed.bus.stop();
    assert_eq!(terminal.end(), Some(1));
    let shown = terminal.shown();
    let (_, after) = shown.rsplit_once("\x1b[?1049l").expect("the terminal is given back");
    assert!(after.contains("D-Bus is lost"), "{after:?}");
    assert!(!terminal.is_quiet());
}

#[test]
fn sniff_shows_each_id_once_and_what_has_changed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut simulator = simulator(folder.path(), SCENARIO);
    let mut command = busbar();
    command.arg("sniff").arg(folder.path().join("battery0")).args(["--protocol", "pylontech_lv"]);
    let mut terminal = Terminal::start(&mut command, 80, 30);
    terminal.wait_for("temperature_c \x1b[0m21.0");
    simulator.write_line("temperature 30");
    terminal.wait_for("temperature_c \x1b[0m\x1b[7m30.0");
    terminal.press("q");
    assert_eq!(terminal.end(), Some(0));
    let pictures = pictures(&terminal.shown());
    let last = pictures.last().expect("a picture");
    assert_eq!(last.iter().filter(|line| line.starts_with("0x355")).count(), 1, "{last:#?}");
    assert!(last[0].starts_with(&folder.path().display().to_string()), "{last:#?}");
}
