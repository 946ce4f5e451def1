//! What a process body is given.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::heartbeat::{Heartbeat, Pulse};
use crate::readiness::Readiness;

/// The ways between a process body and its surroundings. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Context {
    shutdown: Shutdown,
    stopper: Stopper,
    heartbeat: Heartbeat,
    readiness: Readiness,
}

impl Context {
    pub(crate) fn new(limit: Duration, systemd: Option<Duration>) -> (Self, Stopper, Arc<Pulse>) {
        let (sender, receiver) = watch::channel(None);
        let (heartbeat, pulse) = Heartbeat::new(limit, systemd);
        let stopper = Stopper { asked: Arc::new(sender) };
        let context = Self {
            shutdown: Shutdown { asked: receiver },
            stopper: stopper.clone(),
            heartbeat,
            readiness: Readiness::default(),
        };
        (context, stopper, pulse)
    }

    /// A context without a process around it: no signals, no watchdog. For running a body inside a test or another
    /// program, which ends it with the [`Stopper`].
    #[must_use]
    pub fn detached() -> (Self, Stopper) {
        let (context, stopper, _) = Self::new(super::WATCHDOG_LIMIT, None);
        (context, stopper)
    }

    /// The wish that this process ends, to wait for.
    #[must_use]
    pub fn shutdown(&self) -> Shutdown {
        self.shutdown.clone()
    }

    /// Asks all parts of the body to end as if the process had been asked to: one of them cannot go on, and what the others
    /// have set is to be undone first. The body returns why.
    pub fn end_all(&self) {
        self.stopper.stop_because("a part of it could not go on");
    }

    /// The heartbeat of the work loop: [`Heartbeat::during`] for waiting, clones for parts of the loop.
    #[must_use]
    pub fn heartbeat(&self) -> &Heartbeat {
        &self.heartbeat
    }

    /// The work loop has come by: short for [`Heartbeat::beat`].
    pub fn beat(&self) {
        self.heartbeat.beat();
    }

    /// Start-up is over: configuration is valid, the bus is connected and the port loop runs, hardware or not. Told to
    /// systemd once; later calls only change the status.
    pub fn ready(&self, status: &str) {
        self.readiness.ready(status);
    }

    /// What the process is doing, in a few words for `systemctl status`: `waiting for can0`. Sent when it changes.
    pub fn status(&self, status: &str) {
        self.readiness.status(status);
    }

    pub(crate) fn readiness(&self) -> &Readiness {
        &self.readiness
    }
}

/// The wish that a process ends. Once it is there it stays. Clones wait for the same wish.
#[derive(Debug, Clone)]
pub struct Shutdown {
    asked: watch::Receiver<Option<&'static str>>,
}

impl Shutdown {
    /// Returns when the process is asked to end, at once if it was already. Then outputs go to their safe state, the bus
    /// name is released, and the body returns: within one second.
    pub async fn requested(&self) {
        // Without a stopper nobody can ask any more.
        if self.asked.clone().wait_for(Option::is_some).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Whether the process was asked to end.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.reason().is_some()
    }

    /// What asked, for the log.
    pub(crate) fn reason(&self) -> Option<&'static str> {
        *self.asked.borrow()
    }
}

/// Asks a process body to end. Clones ask the same one.
#[derive(Debug, Clone)]
pub struct Stopper {
    asked: Arc<watch::Sender<Option<&'static str>>>,
}

impl Stopper {
    /// Asks the body to end. More than once is the same as once.
    pub fn stop(&self) {
        self.stop_because("asked to stop");
    }

    /// Asks the body to end because of `reason`; false if it was asked before.
    pub(crate) fn stop_because(&self, reason: &'static str) -> bool {
        self.asked.send_if_modified(|asked| {
            let first = asked.is_none();
            asked.get_or_insert(reason);
            first
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_shutdown_reaches_every_clone_and_stays() {
        let (context, stopper) = Context::detached();
        let shutdown = context.shutdown();
        assert!(!shutdown.is_requested());
        let waiting = tokio::spawn(async move { shutdown.clone().requested().await });
        stopper.stop();
        waiting.await.unwrap();
        context.shutdown().requested().await;
        assert!(context.shutdown().is_requested());
    }

    #[tokio::test(start_paused = true)]
    async fn a_part_that_cannot_go_on_ends_all() {
        let (context, _stopper) = Context::detached();
        context.end_all();
        context.shutdown().requested().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_stopper_that_is_gone_asks_for_nothing() {
        let (context, stopper) = Context::detached();
        drop(stopper);
        let shutdown = context.shutdown();
        let wait = tokio::time::timeout(Duration::from_secs(3600), shutdown.requested());
        assert!(wait.await.is_err());
    }
}
