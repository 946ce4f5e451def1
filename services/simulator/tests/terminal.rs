//! The whole simulator on real pseudo-terminals, seen from the computer's side.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, where a panic is the message"
)]

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use service_kit::{Context, Stopper};
use simulator::scenario::parse;
use simulator::{Event, RunError, run};
use tempfile::TempDir;
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// No test waits longer for anything.
const DEADLINE: Duration = Duration::from_secs(20);

/// A running simulator.
struct Bench {
    directory: TempDir,
    stopper: Stopper,
    commands: mpsc::Sender<String>,
    events: mpsc::UnboundedReceiver<Event>,
    running: JoinHandle<Result<(), RunError>>,
}

impl Bench {
    /// Runs a scenario whose links are in a directory of their own.
    async fn start(head: &str, battery: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("battery{n}");
        let text = format!("{head}\n[[battery]]\nlink = {link:?}\n{battery}");
        let scenario = parse(&text, "test").unwrap_or_else(|errors| panic!("{errors}"));
        let (context, stopper) = Context::detached();
        let (commands, for_run) = mpsc::channel(8);
        let (tell, events) = mpsc::unbounded_channel();
        let running = tokio::spawn(async move {
            run(
                &scenario,
                |_| None,
                &context,
                for_run,
                |event| {
                    let _ = tell.send(event);
                },
            )
            .await
        });
        let mut bench = Self { directory, stopper, commands, events, running };
        for _ in 0..bench.batteries(battery) {
            assert!(matches!(bench.event().await, Event::Ready { .. }));
        }
        bench
    }

    fn batteries(&self, text: &str) -> usize {
        let count = text.lines().find_map(|line| line.strip_prefix("count = "));
        count.map_or(1, |count| count.parse().unwrap())
    }

    fn link(&self) -> PathBuf {
        self.directory.path().join("battery0")
    }

    async fn event(&mut self) -> Event {
        timeout(DEADLINE, self.events.recv()).await.expect("an event in time").expect("a running simulator")
    }

    async fn command(&mut self, line: &str) {
        self.commands.send(line.to_owned()).await.unwrap();
        assert_eq!(self.event().await, Event::Done, "{line}");
    }

    async fn status(&mut self) -> String {
        self.commands.send("status".to_owned()).await.unwrap();
        loop {
            if let Event::Status { text, .. } = self.event().await {
                return text;
            }
        }
    }

    /// Asks until the status satisfies `good`.
    async fn status_until(&mut self, good: impl Fn(&str) -> bool) -> String {
        let asking = async {
            loop {
                let status = self.status().await;
                if good(&status) {
                    return status;
                }
                tokio::task::yield_now().await;
            }
        };
        timeout(DEADLINE, asking).await.expect("the status in time")
    }

    async fn stop(self) -> TempDir {
        self.stopper.stop();
        timeout(DEADLINE, self.running).await.expect("an end in time").unwrap().unwrap();
        self.directory
    }
}

/// The simulated second of a status line.
fn second(status: &str) -> u64 {
    status.split_once(' ').unwrap().0.parse().unwrap()
}

/// A program that has the terminal open.
struct Host {
    read: Receiver,
    write: Sender,
    bytes: Vec<u8>,
}

impl Host {
    fn open(path: &Path) -> Self {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let terminal = rustix::fs::open(path, flags, Mode::empty()).unwrap();
        Self {
            write: Sender::from_owned_fd_unchecked(terminal.try_clone().unwrap()).unwrap(),
            read: Receiver::from_owned_fd_unchecked(terminal).unwrap(),
            bytes: Vec::new(),
        }
    }

    async fn send(&self, bytes: &[u8]) {
        self.write.writable().await.unwrap();
        assert_eq!(self.write.try_write(bytes).unwrap(), bytes.len());
    }

    /// One more piece of what the adapter says, up to CR or BELL; `None` when it has hung up.
    async fn piece(&mut self) -> Option<Vec<u8>> {
        timeout(DEADLINE, async {
            loop {
                if let Some(end) = self.bytes.iter().position(|&byte| byte == b'\r' || byte == 0x07) {
                    return Some(self.bytes.drain(..=end).collect());
                }
                self.read.readable().await.unwrap();
                let mut buffer = [0; 1_024];
                match self.read.try_read(&mut buffer) {
                    Ok(0) => return None,
                    Ok(count) => self.bytes.extend_from_slice(&buffer[..count]),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    // EIO: how a terminal says that the other end is gone.
                    Err(_) => return None,
                }
            }
        })
        .await
        .expect("something in time")
    }

    /// The next frame, as text without its CR.
    async fn frame(&mut self) -> String {
        loop {
            let piece = self.piece().await.expect("not hung up");
            if matches!(piece.first(), Some(b't' | b'T')) {
                return String::from_utf8(piece).unwrap().trim_end().to_owned();
            }
        }
    }

    async fn answer(&mut self, command: &[u8]) -> Vec<u8> {
        self.send(command).await;
        self.piece().await.expect("not hung up")
    }
}

const FAST: &str = "speed = 60";

#[tokio::test]
async fn a_reader_that_follows_the_protocol_gets_all_frames_of_a_cycle_and_the_link_goes_at_the_end() {
    let bench = Bench::start(FAST, "").await;
    let mut host = Host::open(&bench.link());
    assert_eq!(host.answer(b"\r").await, b"\r");
    assert_eq!(host.answer(b"V\r").await, b"V1013\r");
    assert_eq!(host.answer(b"C\r").await, b"\x07");
    assert_eq!(host.answer(b"S6\r").await, b"\r");
    assert_eq!(host.answer(b"O\r").await, b"\r");
    let mut ids = Vec::new();
    while ids.len() < 12 {
        ids.push(host.frame().await[1..4].to_owned());
    }
    let start = ids.iter().position(|id| id == "359").unwrap();
    assert_eq!(ids[start..start + 6], ["359", "351", "355", "356", "35C", "35E"]);
    let link = bench.link();
    let directory = bench.stop().await;
    while host.piece().await.is_some() {}
    assert!(link.symlink_metadata().is_err(), "the link is gone");
    drop(directory);
}

#[tokio::test]
async fn signs_of_life_are_heard_and_a_battery_that_needs_one_waits_for_it() {
    let mut bench = Bench::start(FAST, "needs_keep_alive = true").await;
    let mut host = Host::open(&bench.link());
    assert_eq!(host.answer(b"O\r").await, b"\r");
    let now = second(&bench.status().await);
    let status = bench.status_until(|status| second(status) > now + 5).await;
    assert!(status.contains(" 0 keep-alives"), "{status}");
    // The answer to the frame is the first thing that comes: nothing was sent before.
    assert_eq!(host.answer(b"t30580000000000000000\r").await, b"z\r");
    assert!(host.frame().await.starts_with("t359"));
    bench.status_until(|status| status.contains(" 1 keep-alives")).await;
    bench.stop().await;
}

#[tokio::test]
async fn an_unplugged_adapter_hangs_up_and_is_back_as_a_new_one() {
    let mut bench = Bench::start(FAST, "").await;
    let mut host = Host::open(&bench.link());
    assert_eq!(host.answer(b"O\r").await, b"\r");
    host.frame().await;
    bench.command("unplug 30s").await;
    assert_eq!(bench.event().await, Event::Unplugged { battery: 0 });
    assert!(bench.link().symlink_metadata().is_err(), "no link while unplugged");
    while host.piece().await.is_some() {}
    assert!(matches!(bench.event().await, Event::Ready { .. }));
    let mut host = Host::open(&bench.link());
    assert_eq!(host.answer(b"F\r").await, b"\x07", "its channel is closed");
    assert_eq!(host.answer(b"O\r").await, b"\r");
    host.frame().await;
    bench.stop().await;
}

#[tokio::test]
async fn a_computer_that_does_not_read_loses_whole_lines_and_never_stops_the_battery() {
    let mut bench = Bench::start("speed = 1", "frames_per_s = 4000\nperiod_s = 0.1").await;
    let mut host = Host::open(&bench.link());
    assert_eq!(host.answer(b"O\r").await, b"\r");
    bench.status_until(|status| !status.ends_with(" 0 lines dropped")).await;
    let now = second(&bench.status().await);
    bench.status_until(|status| second(status) > now).await;
    for _ in 0..2_000 {
        let line = String::from_utf8(host.piece().await.unwrap()).unwrap();
        let len = line.as_bytes()[4] - b'0';
        assert_eq!(line.len(), 6 + 2 * usize::from(len), "a whole line: {line:?}");
    }
    bench.stop().await;
}

#[tokio::test]
async fn nothing_old_waits_for_a_program_that_opens_the_terminal_again() {
    let mut bench = Bench::start("speed = 6", "").await;
    let mut host = Host::open(&bench.link());
    assert_eq!(host.answer(b"Z1\r").await, b"\r");
    assert_eq!(host.answer(b"O\r").await, b"\r");
    host.frame().await;
    drop(host);
    let left = second(&bench.status().await);
    bench.status_until(|status| second(status) >= left + 30).await;
    let opened = second(&bench.status().await);
    let mut host = Host::open(&bench.link());
    let frame = host.frame().await;
    let stamp_s = u64::from_str_radix(&frame[frame.len() - 4..], 16).unwrap() / 1_000;
    assert!((stamp_s + 60 - opened % 60) % 60 < 20, "sent at {stamp_s}, opened at {opened}");
    bench.stop().await;
}

#[tokio::test]
async fn faults_come_and_go_on_command() {
    let mut bench = Bench::start(FAST, "").await;
    let mut host = Host::open(&bench.link());
    assert_eq!(host.answer(b"O\r").await, b"\r");
    host.frame().await;

    bench.command("fault silence").await;
    bench.commands.send("report".to_owned()).await.unwrap();
    let Event::Report { battery: 0, text } = bench.event().await else { panic!("a report") };
    assert!(text.starts_with("string=0 manufacturer=\"PYLON\" model=\"SIMULATED\""), "{text}");

    let now = second(&bench.status().await);
    let quiet = bench.status_until(|status| second(status) > now + 10).await;
    let sent = |status: &str| status.split("; ").last().unwrap().split(' ').next().unwrap().to_owned();
    let later = bench.status_until(|status| second(status) > now + 20).await;
    assert_eq!(sent(&quiet), sent(&later));
    bench.command("fault clear").await;

    bench.command("alarm high_voltage on").await;
    while host.frame().await != "t35970200000001504E" {}
    bench.command("warning low_temperature on").await;
    while host.frame().await != "t35970200100001504E" {}
    bench.command("alarm high_voltage off").await;
    while host.frame().await != "t35970000100001504E" {}

    bench.command("fault wrong_length 3600s").await;
    while host.frame().await.get(1..5).is_none_or(|head| !head.starts_with("359") || head.ends_with('7')) {}
    bench.command("fault clear wrong_length").await;
    bench.command("fault implausible").await;
    while !host.frame().await.starts_with("t3554FF00FF00") {}
    bench.stop().await;
}

#[tokio::test]
async fn what_a_scenario_plans_happens_at_its_time() {
    let head = "speed = 12\n[[event]]\nat_s = 5\ncommand = \"alarm internal on\"\n[[event]]\nat_s = 12\ncommand = \"unplug 20s\"";
    let mut bench = Bench::start(head, "").await;
    let mut host = Host::open(&bench.link());
    assert_eq!(host.answer(b"O\r").await, b"\r");
    while host.frame().await != "t35970008000001504E" {}
    assert_eq!(bench.event().await, Event::Unplugged { battery: 0 });
    assert!((12..32).contains(&second(&bench.status().await)));
    assert!(matches!(bench.event().await, Event::Ready { .. }));
    assert!(second(&bench.status().await) >= 32);
    bench.stop().await;
}

#[tokio::test]
async fn several_batteries_have_terminals_of_their_own_and_commands_reach_the_one_they_name() {
    let mut bench = Bench::start(FAST, "count = 3").await;
    bench.command("1: alarm internal on").await;
    for (number, protections) in [(0, "t35970000"), (1, "t35970008"), (2, "t35970000")] {
        let mut host = Host::open(&bench.directory.path().join(format!("battery{number}")));
        assert_eq!(host.answer(b"O\r").await, b"\r");
        let alarms = loop {
            let frame = host.frame().await;
            if frame.starts_with("t359") {
                break frame;
            }
        };
        assert!(alarms.starts_with(protections), "battery {number}: {alarms}");
    }
    bench.commands.send("7: plug".to_owned()).await.unwrap();
    assert_eq!(bench.event().await, Event::Refused("there is no battery 7".to_owned()));
    bench.commands.send("explode".to_owned()).await.unwrap();
    assert!(matches!(bench.event().await, Event::Refused(_)));
    bench.commands.send("help".to_owned()).await.unwrap();
    assert_eq!(bench.event().await, Event::Help);
    bench.stop().await;
}

#[tokio::test]
async fn a_link_that_cannot_be_made_is_said_and_leaves_nothing_behind() {
    let scenario = parse("[[battery]]\nlink = \"/nowhere/at/all\"", "test").unwrap();
    let (context, _stopper) = Context::detached();
    let (_commands, for_run) = mpsc::channel(1);
    let error =
        timeout(DEADLINE, run(&scenario, |_| None, &context, for_run, |_| ())).await.unwrap().unwrap_err();
    assert!(error.to_string().starts_with("cannot make the link /nowhere/at/all: "), "{error}");
}
