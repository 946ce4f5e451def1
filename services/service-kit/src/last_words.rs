//! Ending a process that cannot end by itself: one log line, then gone.

use std::io::Write;
use std::panic::PanicHookInfo;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// So long the log line may take. The log itself can be what hangs (a full pipe to a log program that stands still).
const PATIENCE: Duration = Duration::from_secs(1);

/// The exit code of everything that is neither asked for nor the configuration.
const FAILED: i32 = 1;

/// Logs by `log` and ends the process with 1.
///
/// The line is written by a thread of its own: the caller may be inside the log already, and whoever hangs may hold its
/// lock.
pub(crate) fn end_process(log: impl FnOnce() + Send + 'static) -> ! {
    let (written, wait) = mpsc::channel::<()>();
    let writer = thread::Builder::new().name("last words".to_owned()).spawn(move || {
        log();
        drop(written);
    });
    match writer {
        Ok(_) => {
            let _ = wait.recv_timeout(PATIENCE);
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "ending, and no thread to say why: {error}");
        }
    }
    std::process::exit(FAILED)
}

/// From now on a panic anywhere ends the process: one line that names where, exit code 1. A process that goes on without
/// one of its parts would look healthy to its supervisor.
pub(crate) fn end_on_panic() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = message(panic).to_owned();
        end_process(move || tracing::error!(at = place, "panic: {message}"));
    }));
}

fn message<'p>(panic: &'p PanicHookInfo<'_>) -> &'p str {
    let payload = panic.payload();
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
