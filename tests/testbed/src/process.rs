//! A child process: its output as lines, its signals, its end.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use rustix::process::Signal;

use crate::eventually_some;
use crate::wait::patient;

/// Lines that are kept; older ones are dropped.
const KEPT_LINES: usize = 10_000;
/// How long a process may take to go when it is asked to.
const TERMINATION: Duration = Duration::from_secs(10);

/// How long to wait for the output of a process that has ended. Its children may hold the streams open for ever.
const LAST_OUTPUT: Duration = Duration::from_secs(10);

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It returned this exit code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
}

/// A running program. It is killed when this value goes out of scope; if that is because the test fails, its last
/// lines are printed.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    output: Arc<Output>,
    /// Number of the first line that `wait_for_line` has not passed yet.
    read: usize,
}

/// Standard output and standard error of a process in one list of lines, in the order in which they arrive.
#[derive(Debug, Default)]
struct Output {
    lines: Mutex<Lines>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Lines {
    kept: VecDeque<String>,
    dropped: usize,
    /// Streams that have ended, of two.
    ended: u8,
}

impl Process {
    /// Starts the program without standard input, and collects what it prints.
    ///
    /// # Panics
    /// When it cannot be started.
    #[track_caller]
    pub fn spawn(command: &mut Command) -> Self {
        Self::spawn_reading(command, Stdio::null())
    }

    /// Starts the program with a standard input for [`write_line`](Self::write_line).
    ///
    /// # Panics
    /// When it cannot be started.
    #[track_caller]
    pub fn spawn_fed(command: &mut Command) -> Self {
        Self::spawn_reading(command, Stdio::piped())
    }

    #[track_caller]
    fn spawn_reading(command: &mut Command, input: Stdio) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let output = Arc::<Output>::default();
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        collect(stdout, &output);
        collect(stderr, &output);
        Self { name, child, output, read: 0 }
    }

    /// Writes a line to its standard input.
    ///
    /// # Panics
    /// When it was not started by [`spawn_fed`](Self::spawn_fed), or reads no more.
    #[track_caller]
    pub fn write_line(&mut self, line: &str) {
        let Some(input) = &mut self.child.stdin else { panic!("{} has no standard input", self.name) };
        let written = writeln!(input, "{line}").and_then(|()| input.flush());
        written.unwrap_or_else(|error| panic!("{} does not read: {error}", self.name));
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line that contains `part` and returns it. The next call goes on behind that line.
    ///
    /// # Panics
    /// When no such line came within `deadline`, or the process closed its output without it.
    #[track_caller]
    pub fn wait_for_line(&mut self, part: &str, deadline: Duration) -> String {
        let mut lines = self.output.lock();
        let mut left = patient(deadline);
        loop {
            let skip = self.read.saturating_sub(lines.dropped);
            let found = lines.kept.iter().enumerate().skip(skip).find(|(_, line)| line.contains(part));
            if let Some((index, line)) = found {
                self.read = lines.dropped + index + 1;
                return line.clone();
            }
            let (ended, seen) = (lines.ended == 2, lines.dropped + lines.kept.len());
            if ended || left.is_zero() {
                drop(lines);
                let why = if ended { "its output ended".into() } else { format!("{deadline:?} passed") };
                panic!("{}: {why} without a line with {part:?}", self.name);
            }
            // A line that does not match must not start the deadline anew.
            (lines, left) = self.output.wait(lines, left);
            self.read = self.read.max(seen);
        }
    }

    /// What the process has printed, the last 10 000 lines of it.
    pub fn lines(&self) -> Vec<String> {
        self.output.lock().kept.iter().cloned().collect()
    }

    /// Whether it still runs.
    #[track_caller]
    pub fn is_running(&mut self) -> bool {
        self.status().is_none()
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// When the process has ended already.
    #[track_caller]
    pub fn signal(&mut self, signal: Signal) {
        let id = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        let running = if self.is_running() { id } else { None };
        let Some(id) = running else { panic!("{} has ended already", self.name) };
        if let Err(error) = rustix::process::kill_process(id, signal) {
            panic!("{}: signal {signal:?}: {error}", self.name);
        }
    }

    /// Waits for the end, and for the last of its output.
    ///
    /// # Panics
    /// When it still runs after `deadline`.
    #[track_caller]
    pub fn wait(&mut self, deadline: Duration) -> Exit {
        let status = eventually_some(deadline, || self.status());
        let (mut lines, mut left) = (self.output.lock(), LAST_OUTPUT);
        while lines.ended < 2 && !left.is_zero() {
            (lines, left) = self.output.wait(lines, left);
        }
        exit(status)
    }

    /// Asks it to stop (SIGTERM) and waits for the end, 10 s at most.
    ///
    /// # Panics
    /// When it has ended before, or does not go.
    #[track_caller]
    pub fn terminate(&mut self) -> Exit {
        self.signal(Signal::TERM);
        self.wait(TERMINATION)
    }

    #[track_caller]
    fn status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only for a process that has been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let lines = self.output.lock();
            eprintln!("--- {} ({} earlier lines dropped)", self.name, lines.dropped);
            lines.kept.iter().for_each(|line| eprintln!("    {line}"));
        }
    }
}

impl Output {
    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a change, and returns what is left of the time.
    #[expect(clippy::disallowed_methods, reason = "real processes live in real time")]
    fn wait<'a>(&self, lines: MutexGuard<'a, Lines>, left: Duration) -> (MutexGuard<'a, Lines>, Duration) {
        let start = std::time::Instant::now();
        let (lines, _) = self.changed.wait_timeout(lines, left).unwrap_or_else(PoisonError::into_inner);
        (lines, left.saturating_sub(start.elapsed()))
    }
}

/// Reads a stream to its end on a thread of its own, so that the process never waits for us.
fn collect(stream: Option<impl Read + Send + 'static>, output: &Arc<Output>) {
    let output = Arc::clone(output);
    std::thread::spawn(move || {
        if let Some(stream) = stream {
            let mut reader = BufReader::new(stream);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                let text = String::from_utf8_lossy(line.trim_ascii_end()).into_owned();
                let mut lines = output.lock();
                lines.kept.push_back(text);
                if lines.kept.len() > KEPT_LINES {
                    lines.kept.pop_front();
                    lines.dropped += 1;
                }
                output.changed.notify_all();
                line.clear();
            }
        }
        output.lock().ended += 1;
        output.changed.notify_all();
    });
}

fn exit(status: ExitStatus) -> Exit {
    use std::os::unix::process::ExitStatusExt;
    status.code().map_or_else(|| Exit::Signal(status.signal().unwrap_or_default()), Exit::Code)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    fn shell(script: &str) -> Process {
        Process::spawn(Command::new("sh").args(["-c", script]))
    }

    #[test]
    fn each_wait_goes_on_behind_the_line_that_the_last_one_found() {
        let mut process = shell("echo one; echo two >&2; echo one again");
        // The two streams are read by two threads, so only the order within one is certain.
        assert_eq!(process.wait_for_line("one", SOON), "one");
        assert_eq!(process.wait_for_line("again", SOON), "one again");
        assert_eq!(process.wait(SOON), Exit::Code(0));
        assert!(process.lines().contains(&"two".to_owned()), "{:?}", process.lines());
    }

    #[test]
    #[should_panic(expected = "its output ended without a line with \"two\"")]
    fn a_line_that_cannot_come_any_more_is_not_waited_for() {
        shell("echo one").wait_for_line("two", Duration::from_secs(3600));
    }

    #[test]
    #[should_panic(expected = "20ms passed without a line with \"two\"")]
    fn other_lines_do_not_prolong_the_wait() {
        shell("while :; do echo one; done").wait_for_line("two", Duration::from_millis(20));
    }

    #[test]
    fn terminate_returns_the_exit_code_of_the_handler() {
        let mut process = shell("trap 'exit 7' TERM; echo ready; while :; do :; done");
        process.wait_for_line("ready", SOON);
        assert_eq!(process.terminate(), Exit::Code(7));
        assert!(!process.is_running());
    }

    #[test]
    fn a_signal_that_ends_the_process_is_reported_as_such() {
        let mut process = shell("echo ready; exec sleep infinity");
        process.wait_for_line("ready", SOON);
        process.signal(Signal::KILL);
        assert_eq!(process.wait(SOON), Exit::Signal(9));
    }

    #[test]
    fn a_process_does_not_outlive_its_value() {
        let mut process = shell("echo ready; exec sleep infinity");
        process.wait_for_line("ready", SOON);
        let proc = format!("/proc/{}", process.id());
        assert!(std::fs::exists(&proc).unwrap());
        drop(process);
        assert!(!std::fs::exists(&proc).unwrap());
    }

    #[test]
    fn only_the_last_lines_are_kept() {
        let mut process = shell("seq 1 10005");
        assert_eq!(process.wait_for_line("10005", SOON), "10005");
        let lines = process.lines();
        assert_eq!((lines.len(), lines[0].as_str()), (KEPT_LINES, "6"));
    }
}
