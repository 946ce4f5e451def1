//! A process from start to end, with real processes: this test program starts itself again as a specimen.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use service_kit::config::{Check, Findings};
use service_kit::{Context, Failure, Program, run};
use tokio::time::Instant;

/// What the specimens' watchdog allows.
const LIMIT: Duration = Duration::from_secs(1);

/// No test waits longer for anything.
const DEADLINE: Duration = Duration::from_secs(20);

const KIND: &str = "SPECIMEN";

/// Not a test: what runs in the child.
#[test]
fn specimen() {
    let Ok(kind) = std::env::var(KIND) else { return };
    let program =
        Program::new("specimen", "1.2.3").config("/etc/busbar/specimen.toml".as_ref()).watchdog_limit(LIMIT);
    let code = run(program, async |context| body(&kind, context).await);
    let number = (0..=u8::MAX).find(|number| ExitCode::from(*number) == code).expect("a u8");
    std::process::exit(number.into());
}

async fn body(kind: &str, context: Context) -> Result<(), Failure> {
    match kind {
        "orderly" => work(&context).await,
        "idle" => {
            context.ready("idle");
            context.shutdown().requested().await;
        }
        "deaf" => {
            context.ready("deaf");
            std::future::pending::<()>().await;
        }
        "hang" => {
            context.beat();
            context.ready("hanging");
            hang();
        }
        "hang after work" => {
            let _ = tokio::time::timeout(LIMIT / 2, work(&context)).await;
            hang();
        }
        "hang unarmed" => {
            context.ready("hanging");
            hang();
        }
        "hang in the log" => {
            context.beat();
            loop {
                tracing::info!("{}", "x".repeat(4000));
            }
        }
        "wait" => {
            context.ready("waiting");
            let shutdown = context.shutdown();
            context.heartbeat().during(shutdown.requested()).await;
        }
        "done" => {}
        "panic" => panic!("on\npurpose"),
        "panic in a task" => {
            tokio::spawn(async { panic!("in a task") });
            std::future::pending::<()>().await;
        }
        "panic in the log" => {
            struct Bad;
            impl std::fmt::Display for Bad {
                fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    panic!("while logging")
                }
            }
            tracing::info!("{}", Bad);
        }
        "fail" => {
            let error = std::io::Error::other("the cable is cut");
            return Err(error.into());
        }
        "wrong configuration" => {
            let _: Wrong = service_kit::config::parse("limit_a = 9\nlimt_a = 3\n", "specimen.toml", [])?;
        }
        "wrong configuration in words" => {
            return Err(Failure::configuration("two batteries with one address"));
        }
        "forge" => tracing::info!("name: {}", "x\nERROR forged\x1b[2J"),
        other => panic!("no specimen {other}"),
    }
    Ok(())
}

#[derive(serde::Deserialize)]
struct Wrong {
    limit_a: u8,
}

impl Check for Wrong {
    fn check(&self, findings: &mut Findings) {
        findings.within("limit_a", self.limit_a, 0..=5, "A");
    }
}

async fn work(context: &Context) {
    let shutdown = context.shutdown();
    let mut interval = tokio::time::interval(LIMIT / 10);
    context.ready("working");
    loop {
        tokio::select! {
            () = shutdown.requested() => return,
            _ = interval.tick() => context.beat(),
        }
    }
}

fn hang() -> ! {
    loop {
        thread::park();
    }
}

/// A specimen, its log lines, and what it tells systemd.
struct Specimen {
    child: Child,
    log: Receiver<String>,
    systemd: UnixDatagram,
    started: Instant,
    _directory: tempfile::TempDir,
}

impl Specimen {
    fn start(kind: &str) -> Self {
        Self::start_with(kind, |_| {})
    }

    fn start_with(kind: &str, adapt: impl FnOnce(&mut Command)) -> Self {
        let mut specimen = Self::spawn(kind, adapt);
        let stderr = specimen.child.stderr.take().unwrap();
        let (sender, log) = mpsc::channel();
        thread::spawn(move || {
            BufReader::new(stderr).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        specimen.log = log;
        specimen
    }

    fn spawn(kind: &str, adapt: impl FnOnce(&mut Command)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let systemd = UnixDatagram::bind(&path).unwrap();
        systemd.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["specimen", "--exact", "--nocapture", "--test-threads=1"]);
        for name in ["WATCHDOG_USEC", "WATCHDOG_PID", "JOURNAL_STREAM", "BUSBAR_LOG", "RUST_LOG"] {
            command.env_remove(name);
        }
        command.env(KIND, kind).env("NOTIFY_SOCKET", &path);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        adapt(&mut command);
        let child = command.spawn().unwrap();
        Self { child, log: mpsc::channel().1, systemd, started: Instant::now(), _directory: directory }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// The next thing that systemd is told.
    fn told(&self) -> String {
        let mut buffer = [0; 1024];
        let length = self.systemd.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).trim().to_owned()
    }

    fn wait_until_told(&self, news: &str) {
        let deadline = Instant::now() + DEADLINE;
        while !self.told().lines().any(|line| line == news) {
            assert!(Instant::now() < deadline, "systemd is never told {news}");
        }
    }

    /// Takes what it tells until that stops for this long.
    fn wait_until_silent(&self, silence: Duration) -> Vec<String> {
        self.systemd.set_read_timeout(Some(silence)).unwrap();
        let mut buffer = [0; 1024];
        let told = std::iter::from_fn(|| {
            self.systemd.recv(&mut buffer).ok().map(|length| buffer[..length].to_vec())
        });
        let told = told.map(|news| String::from_utf8_lossy(&news).trim().to_owned()).collect();
        self.systemd.set_read_timeout(Some(DEADLINE)).unwrap();
        told
    }

    /// The exit code, and all log lines.
    fn end(mut self) -> (i32, Vec<String>) {
        let deadline = Instant::now() + DEADLINE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > deadline {
                self.child.kill().unwrap();
                panic!("still running: {:?}", self.log.try_iter().collect::<Vec<_>>());
            }
            thread::sleep(Duration::from_millis(2));
        };
        assert_eq!(status.signal(), None);
        (status.code().unwrap(), self.log.iter().collect())
    }
}

const FIRST: &str = " INFO specimen 1.2.3 starts config=/etc/busbar/specimen.toml";

#[test]
fn a_process_that_is_asked_to_stop_exits_with_0_and_says_first_and_last_what_it_is() {
    for (signal, last) in [(Signal::TERM, " INFO stopped: SIGTERM"), (Signal::INT, " INFO stopped: SIGINT")] {
        let specimen = Specimen::start("orderly");
        specimen.wait_until_told("READY=1");
        specimen.signal(signal);
        assert_eq!(specimen.end(), (0, vec![FIRST.to_owned(), last.to_owned()]));
    }
}

#[test]
fn a_process_that_is_done_exits_with_0() {
    assert_eq!(Specimen::start("done").end(), (0, vec![FIRST.to_owned(), " INFO stopped: done".to_owned()]));
}

#[test]
fn a_process_that_does_not_stop_is_gone_after_one_second() {
    for kind in ["deaf", "hang unarmed"] {
        let specimen = Specimen::start(kind);
        specimen.wait_until_told("READY=1");
        let asked = Instant::now();
        specimen.signal(Signal::TERM);
        let (code, log) = specimen.end();
        assert!(
            asked.elapsed() >= Duration::from_secs(1) && asked.elapsed() < Duration::from_secs(5),
            "{kind}"
        );
        assert_eq!(
            (code, log[1..].join("\n").as_str()),
            (1, "ERROR stopped: still running 1 s after SIGTERM code=1")
        );
    }
}

#[test]
fn a_second_signal_ends_a_process_at_once() {
    let specimen = Specimen::start("deaf");
    specimen.wait_until_told("READY=1");
    specimen.signal(Signal::TERM);
    specimen.signal(Signal::INT);
    let (code, log) = specimen.end();
    assert_eq!(code, 1);
    assert!(log[1].starts_with("ERROR stopped at once: SIG"), "{log:?}");
}

#[test]
fn a_work_loop_that_hangs_is_ended_by_the_watchdog() {
    for kind in ["hang", "hang after work"] {
        let specimen = Specimen::start(kind);
        specimen.wait_until_told("READY=1");
        let started = specimen.started;
        let (code, log) = specimen.end();
        assert!(
            started.elapsed() >= LIMIT && started.elapsed() < LIMIT * 6,
            "{kind}: {:?}",
            started.elapsed()
        );
        assert_eq!((code, log.len()), (1, 2), "{kind}: {log:?}");
        assert!(log[1].starts_with("ERROR stopped: the work loop has not come by for 1."), "{kind}: {log:?}");
    }
}

#[test]
fn a_loop_that_hangs_because_nobody_reads_its_log_is_ended_too() {
    let mut specimen = Specimen::spawn("hang in the log", |_| {});
    let unread = specimen.child.stderr.take();
    let (code, _) = specimen.end();
    assert_eq!(code, 1);
    drop(unread);
}

#[test]
fn a_process_that_was_stopped_longer_than_the_limit_goes_on() {
    let specimen = Specimen::start_with("orderly", |command| {
        command.env("WATCHDOG_USEC", "400000");
    });
    specimen.wait_until_told("READY=1");
    for _ in 0..3 {
        specimen.signal(Signal::STOP);
        specimen.wait_until_silent(LIMIT + LIMIT / 5);
        specimen.signal(Signal::CONT);
        for _ in 0..5 {
            specimen.wait_until_told("WATCHDOG=1");
        }
    }
    specimen.signal(Signal::TERM);
    assert_eq!(specimen.end().0, 0);
}

#[test]
fn waiting_for_something_outside_is_no_hang() {
    let specimen = Specimen::start_with("wait", |command| {
        command.env("WATCHDOG_USEC", "400000");
    });
    specimen.wait_until_told("READY=1");
    while specimen.started.elapsed() < LIMIT * 3 {
        assert_eq!(specimen.told(), "WATCHDOG=1");
    }
    specimen.signal(Signal::TERM);
    assert_eq!(specimen.end().0, 0);
}

#[test]
fn systemd_is_told_what_happens_in_order() {
    let specimen = Specimen::start("orderly");
    assert_eq!(specimen.told(), "READY=1\nSTATUS=working");
    specimen.signal(Signal::TERM);
    assert_eq!(specimen.told(), "STATUS=SIGTERM");
    assert_eq!(specimen.told(), "STOPPING=1");
    assert_eq!(specimen.end().0, 0);
}

#[test]
fn the_beats_ping_systemd_four_times_per_period_and_stop_with_the_loop() {
    let specimen = Specimen::start_with("hang after work", |command| {
        command.env("WATCHDOG_USEC", "400000");
    });
    specimen.wait_until_told("READY=1");
    let told = specimen.wait_until_silent(LIMIT);
    let pings = told.iter().filter(|news| *news == "WATCHDOG=1").count();
    assert_eq!(told.len(), pings, "{told:?}");
    // Half a second of work, a beat and a ping each tenth; some of them are one on a busy machine.
    assert!((1..=7).contains(&pings), "{pings} pings");
    assert_eq!(specimen.end().0, 1);
}

#[test]
fn a_panic_anywhere_is_one_line_that_names_where_and_exit_code_1() {
    for (kind, message) in [
        ("panic", r"panic: on\npurpose"),
        ("panic in a task", "panic: in a task"),
        ("panic in the log", "panic: while logging"),
    ] {
        let (code, log) = Specimen::start(kind).end();
        assert_eq!((code, log.len()), (1, 2), "{kind}: {log:?}");
        let line = format!("ERROR {message} at=\"");
        assert!(log[1].starts_with(&line) && log[1].contains("tests/process.rs:"), "{kind}: {log:?}");
    }
}

#[test]
fn a_failure_is_one_line_and_exit_code_1() {
    let (code, log) = Specimen::start("fail").end();
    assert_eq!((code, log[1].as_str()), (1, "ERROR stopped: the cable is cut code=1"));
}

#[test]
fn a_wrong_configuration_is_one_line_per_mistake_and_exit_code_78() {
    let (code, log) = Specimen::start("wrong configuration").end();
    assert_eq!(code, 78);
    assert_eq!(
        log[1..],
        [
            "ERROR specimen.toml:1:11: limit_a: 9 is out of range; allowed: 0 to 5 A",
            "ERROR specimen.toml:2:1: limt_a: unknown key; allowed: limit_a; did you mean limit_a?",
            "ERROR stopped: the configuration is wrong code=78",
        ]
    );
    let (code, log) = Specimen::start("wrong configuration in words").end();
    assert_eq!((code, log[1].as_str()), (78, "ERROR stopped: two batteries with one address code=78"));
}

#[test]
fn nothing_that_is_logged_can_forge_a_line() {
    let (_, log) = Specimen::start("forge").end();
    assert_eq!(log.len(), 3, "{log:?}");
    assert!(log[1].starts_with(r" INFO name: x\nERROR forged\x1b[2J"), "{log:?}");
}

#[test]
fn the_log_filter_comes_from_the_environment() {
    let (_, log) = Specimen::start_with("done", |command| {
        command.env("BUSBAR_LOG", "error");
    })
    .end();
    assert_eq!(log, [""; 0]);
    let (_, log) = Specimen::start_with("done", |command| {
        command.env("BUSBAR_LOG", "busbar=loud");
    })
    .end();
    assert!(log[0].starts_with(" WARN BUSBAR_LOG=\"busbar=loud\" is no filter"), "{log:?}");
}

#[test]
fn the_journal_gets_each_line_with_its_level() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let stderr = file.reopen().unwrap();
    let stream = stderr.metadata().unwrap();
    let specimen = Specimen::spawn("fail", |command| {
        command.env("JOURNAL_STREAM", format!("{}:{}", stream.dev(), stream.ino())).stderr(stderr);
    });
    assert_eq!(specimen.end().0, 1);
    assert_eq!(
        std::fs::read_to_string(file.path()).unwrap(),
        "<6>specimen 1.2.3 starts config=/etc/busbar/specimen.toml\n<3>stopped: the cable is cut code=1\n"
    );
}

#[test]
fn a_journal_that_listens_to_somebody_else_gets_plain_lines() {
    let (_, log) = Specimen::start_with("done", |command| {
        command.env("JOURNAL_STREAM", "9:12345");
    })
    .end();
    assert_eq!(log, [FIRST, " INFO stopped: done"]);
}

#[test]
fn an_idle_process_is_not_woken() {
    let specimen = Specimen::start("idle");
    specimen.wait_until_told("READY=1");
    let switches = |pid: u32| -> u64 {
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        let statuses =
            tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("status")).ok());
        let count = |status: String| {
            let line = status.lines().find(|line| line.starts_with("voluntary_ctxt_switches"))?.to_owned();
            line.split_whitespace().nth(1)?.parse::<u64>().ok()
        };
        statuses.filter_map(count).sum()
    };
    let pid = specimen.child.id();
    // The threads may still be on their way to sleep: wait until two counts a while apart are equal.
    let deadline = Instant::now() + DEADLINE;
    loop {
        let before = switches(pid);
        thread::sleep(Duration::from_millis(1500));
        if switches(pid) == before {
            break;
        }
        assert!(Instant::now() < deadline, "it is woken again and again");
    }
    specimen.signal(Signal::TERM);
    assert_eq!(specimen.end().0, 0);
}
