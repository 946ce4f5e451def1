//! The place of the vebus: there is one in a system, and a real one goes before ours.
//!
//! `step` says who has it; pure. [`Rivals`] looks who is on the bus.

use std::time::Duration;

use dbus_interfaces::classes::{device, vebus};
use dbus_interfaces::{BusAddress, BusError, Events, Filter, Monitor};
use tokio::time::Instant;

/// A real one that restarts is not away.
const CLEAR: Duration = Duration::from_secs(60);
/// One that does not answer is seen by its name alone.
const LOOK: Duration = Duration::from_secs(5);
/// What every name of the class starts with.
const PREFIX: &str = "com.victronenergy.vebus.";

/// Who has the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nobody but us.
    Ours,
    /// Another one.
    Theirs,
    /// Nobody, since then.
    Clear(Instant),
}

/// Who has it now, if there is another one or not.
fn step(place: Place, is_another: bool, now: Instant) -> Place {
    match place {
        _ if is_another => Place::Theirs,
        Place::Theirs => Place::Clear(now),
        Place::Clear(since) if now.duration_since(since) >= CLEAR => Place::Ours,
        place => place,
    }
}

/// The other vebus services.
pub(super) struct Rivals {
    monitor: Monitor,
    events: Events,
    own: String,
    place: Place,
    other: Option<String>,
    next: Instant,
}

impl Rivals {
    /// Begins to look; `own` is our name.
    pub(super) async fn start(own: String, bus: &BusAddress, now: Instant) -> Result<Rivals, BusError> {
        let filter = Filter::new().class(vebus::CLASS).item(device::CONNECTED);
        let (monitor, events) = Monitor::start(bus, filter).await?;
        let mut rivals = Rivals { monitor, events, own, place: Place::Ours, other: None, next: now };
        rivals.look(now).await?;
        Ok(rivals)
    }

    /// Resolves when one has come or gone, or when it is time to look.
    pub(super) async fn changed(&mut self) -> Result<(), BusError> {
        tokio::select! {
            event = self.events.next() => match event {
                Some(_) => Ok(()),
                None => Err(BusError::Lost("the connection that looks for vebus services has ended".to_owned())),
            },
            () = tokio::time::sleep_until(self.next) => Ok(()),
        }
    }

    /// Looks who is there.
    pub(super) async fn look(&mut self, now: Instant) -> Result<(), BusError> {
        let names = self.monitor.names().await?;
        self.other = names.into_iter().find(|name| name.starts_with(PREFIX) && *name != self.own);
        self.place = step(self.place, self.other.is_some(), now);
        self.next = now + LOOK;
        Ok(())
    }

    /// Whether the place is ours.
    pub(super) fn is_ours(&self) -> bool {
        self.place == Place::Ours
    }

    /// Why it is not, in words.
    pub(super) fn why_not(&self) -> Option<String> {
        let other = match (self.place, &self.other) {
            (Place::Ours, _) => return None,
            (_, Some(other)) => format!("{other} is there"),
            (_, None) => "another one was there a moment ago".to_owned(),
        };
        Some(format!("shown as multi and acsystem and not as vebus: {other}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_real_one_has_the_place_at_once_and_for_a_minute_after_it_is_gone() {
        let start = Instant::now();
        let at = |second: u64| start + Duration::from_secs(second);
        assert_eq!(step(Place::Ours, false, at(1)), Place::Ours);
        let theirs = step(Place::Ours, true, at(2));
        assert_eq!(theirs, Place::Theirs);
        let clear = step(theirs, false, at(10));
        assert_eq!(step(clear, false, at(69)), Place::Clear(at(10)));
        assert_eq!(step(clear, true, at(30)), Place::Theirs, "it was a restart");
        assert_eq!(step(clear, false, at(70)), Place::Ours);
    }
}
