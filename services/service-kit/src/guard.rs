//! The thread beside the work loop: signals, the deadline for stopping, the watchdog.
//!
//! It has a runtime of its own, so a signal counts and a deadline holds while the work loop hangs.

use std::io;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, sleep_until};

use crate::context::Stopper;
use crate::heartbeat::Pulse;
use crate::last_words::end_process;
use crate::watchdog::{Verdict, Watchdog};

/// So long a process may take to stop once it was asked to.
const STOPPING: Duration = Duration::from_secs(1);

/// What the thread needs: it only waits, and logs at most one line.
const STACK_BYTES: usize = 256 * 1024;

/// Starts the thread. When this returns, signals are being listened for.
///
/// # Errors
/// No thread, runtime or signal handler is to be had.
pub(crate) fn start(pulse: Arc<Pulse>, stopper: Stopper) -> io::Result<()> {
    let (started, outcome) = mpsc::channel();
    thread::Builder::new().name("guard".to_owned()).stack_size(STACK_BYTES).spawn(move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return drop(started.send(Err(error))),
        };
        runtime.block_on(async {
            match Signals::listen() {
                Ok(signals) => {
                    drop(started.send(Ok(())));
                    watch(signals, pulse, stopper).await;
                }
                Err(error) => drop(started.send(Err(error))),
            }
        });
    })?;
    outcome.recv().unwrap_or_else(|_| Err(io::Error::other("the guard thread did not start")))
}

/// The signals that end a process in order.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            Some(()) = self.terminate.recv() => "SIGTERM",
            Some(()) = self.interrupt.recv() => "SIGINT",
            else => std::future::pending().await,
        }
    }
}

/// Waits for whatever comes first, and for nothing that cannot come: an idle process is not woken.
async fn watch(mut signals: Signals, pulse: Arc<Pulse>, stopper: Stopper) {
    let mut watchdog = Watchdog::new(pulse.limit());
    let mut stop_by: Option<(Instant, &'static str)> = None;
    loop {
        let look_at = pulse.last_beat().map(|beat| match watchdog.look(Instant::now(), beat) {
            Verdict::LookAgain(due) => due,
            Verdict::Hung(silent) => hung(silent),
        });
        tokio::select! {
            name = signals.next() => {
                if !stopper.stop_because(name) {
                    end_process(move || tracing::error!(code = 1, "stopped at once: {name} while stopping"));
                }
                stop_by = Some((Instant::now() + STOPPING, name));
            }
            name = passed(stop_by) => {
                end_process(move || tracing::error!(code = 1, "stopped: still running 1 s after {name}"));
            }
            () = pulse.armed(), if look_at.is_none() => {}
            () = reached(look_at) => {}
        }
    }
}

fn hung(silent: Duration) -> ! {
    let silent_s = silent.as_secs_f64();
    end_process(move || {
        tracing::error!(code = 1, "stopped: the work loop has not come by for {silent_s:.1} s")
    })
}

async fn reached(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

async fn passed(stop_by: Option<(Instant, &'static str)>) -> &'static str {
    reached(stop_by.map(|(time, _)| time)).await;
    stop_by.map_or("", |(_, name)| name)
}
