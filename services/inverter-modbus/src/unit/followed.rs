//! The decision that the limits of a device follow.

use std::time::Duration;

use dbus_interfaces::follower::{Follower, Limits, Source, Stance};
use dbus_interfaces::{BusAddress, BusError, Events, Filter, Monitor};
use tokio::time::{Instant, timeout};

/// A follower wants to be asked so often while it goes to zero, and at least once a second otherwise.
pub(super) const RAMPING: Duration = Duration::from_millis(100);
/// See [`RAMPING`].
pub(super) const ASK: Duration = Duration::from_millis(500);
/// A bus that does not answer at the start does not live.
const SETTLE: Duration = Duration::from_secs(5);

/// The service that is followed.
pub(super) struct Followed {
    monitor: Monitor,
    events: Events,
    follower: Follower,
    name: String,
    next: Option<Instant>,
}

impl Followed {
    /// Begins to follow `source`, as the service of this name. The source need not be there.
    ///
    /// # Errors
    /// [`BusError::Connect`].
    pub(super) async fn start(source: &str, own_name: &str, bus: &BusAddress) -> Result<Followed, BusError> {
        let follower = Follower::new(Source::named(source), own_name);
        let (monitor, events) = Monitor::start(bus, follower.add_to(Filter::new())).await?;
        let _ = timeout(SETTLE, monitor.settled()).await;
        Ok(Followed { monitor, events, follower, name: source.to_owned(), next: None })
    }

    /// Whom it follows.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Resolves when the source shows something new, has come or has gone.
    ///
    /// # Errors
    /// The connection is gone: nothing is followed any more.
    pub(super) async fn changed(&mut self) -> Result<(), BusError> {
        match self.events.next().await {
            Some(_) => {
                self.next = None;
                Ok(())
            }
            None => Err(BusError::Lost("the connection that follows the source has ended".to_owned())),
        }
    }

    /// When to look again, whatever happens.
    pub(super) fn next(&self) -> Option<Instant> {
        self.next
    }

    /// What it decides now.
    pub(super) fn look(&mut self, now: Instant) -> Limits {
        let limits = self.follower.limits(&self.monitor, now);
        self.next = Some(now + if limits.stance == Stance::Ramping { RAMPING } else { ASK });
        limits
    }
}
