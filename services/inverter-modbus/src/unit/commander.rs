//! How long what was set lasts.
//!
//! A way of running or set point with an end lasts until another one is chosen, the process ends, or:
//!
//! - its time is over, where there is one (`control_timeout_s`, `/Control/Timeout`); each write begins it anew;
//! - its commander leaves. A client that is still connected some seconds after it wrote is taken for a program that stands behind
//!   what it sets: when it leaves the bus, that ends. One that has left by then, such as `dbus-send`, wanted to be done with it:
//!   what it set lasts without it.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::control::Control;
use super::life::Unit;

/// A client that is connected so long after its write stays.
const STAYS: Duration = Duration::from_secs(5);
/// So often one that stays is looked for.
const LOOK: Duration = Duration::from_secs(1);

/// Who set what, by set point.
#[derive(Debug)]
pub(super) struct Commanders {
    timeout: Option<Duration>,
    of: BTreeMap<String, Commander>,
}

#[derive(Debug)]
struct Commander {
    client: Option<String>,
    wrote_at: Instant,
    /// When it is looked for; not at all if it has left without staying.
    look_at: Option<Instant>,
    stays: bool,
}

impl Commanders {
    /// None, and what they set lasts so long, s; 0 for ever.
    pub(super) fn new(timeout_s: u32) -> Commanders {
        let mut commanders = Commanders { timeout: None, of: BTreeMap::new() };
        commanders.last_for(timeout_s);
        commanders
    }

    /// From now on what they set lasts so long, s; 0 for ever.
    pub(super) fn last_for(&mut self, timeout_s: u32) {
        self.timeout = (timeout_s > 0).then(|| Duration::from_secs(timeout_s.into()));
    }

    /// See [`Commanders::last_for`].
    pub(super) fn timeout_s(&self) -> u32 {
        self.timeout.map_or(0, |timeout| u32::try_from(timeout.as_secs()).unwrap_or(u32::MAX))
    }

    /// It was set, by a client that can be looked for.
    pub(super) fn wrote(&mut self, name: &str, client: Option<&str>, now: Instant) {
        let stays = self.of.get(name).is_some_and(|known| known.client.as_deref() == client && known.stays);
        let look_at = client.map(|_| now + if stays { LOOK } else { STAYS });
        let commander = Commander { client: client.map(str::to_owned), wrote_at: now, look_at, stays };
        self.of.insert(name.to_owned(), commander);
    }

    /// Forgets those of what nobody wants any more.
    pub(super) fn retain(&mut self, is_wanted: impl Fn(&str) -> bool) {
        self.of.retain(|name, _| is_wanted(name));
    }

    /// What has lasted long enough.
    pub(super) fn over(&self, now: Instant) -> Vec<String> {
        let Some(timeout) = self.timeout else { return Vec::new() };
        let over = self.of.iter().filter(|(_, commander)| commander.wrote_at + timeout <= now);
        over.map(|(name, _)| name.clone()).collect()
    }

    /// The clients that are to be looked for now.
    pub(super) fn wanted(&self, now: Instant) -> Vec<String> {
        let due = self.of.values().filter(|commander| commander.look_at.is_some_and(|at| at <= now));
        due.filter_map(|commander| commander.client.clone()).collect()
    }

    /// A client was looked for. Returns what lasts as long as it does from now on, and what ends with it.
    pub(super) fn looked(
        &mut self,
        client: &str,
        is_connected: bool,
        now: Instant,
    ) -> (Vec<String>, Vec<String>) {
        let (mut stay, mut left) = (Vec::new(), Vec::new());
        let is_its = |commander: &Commander| commander.client.as_deref() == Some(client);
        for (name, commander) in self.of.iter_mut().filter(|(_, commander)| is_its(commander)) {
            if commander.look_at.is_none_or(|at| at > now) {
                continue;
            }
            match (commander.stays, is_connected) {
                (false, true) => stay.push(name.clone()),
                (true, false) => left.push(name.clone()),
                _ => {}
            }
            commander.stays = is_connected;
            commander.look_at = is_connected.then_some(now + LOOK);
        }
        (stay, left)
    }

    /// When to look again.
    pub(super) fn next(&self) -> Option<Instant> {
        let over = self.of.values().filter_map(|commander| Some(commander.wrote_at + self.timeout?));
        let look = self.of.values().filter_map(|commander| commander.look_at);
        over.chain(look).min()
    }
}

impl Unit {
    /// Ends what nobody stands behind any more.
    pub(super) async fn govern(&mut self, now: Instant) {
        let control = &self.control;
        self.commanders.retain(|name| control.is_wanted(name));
        let mut over: Vec<(String, &str)> =
            self.commanders.over(now).into_iter().map(|name| (name, "its time is over")).collect();
        for client in self.commanders.wanted(now) {
            let Some(half) = self.halves.first() else { continue };
            let is_connected = half.is_connected(&client).await;
            let (stay, left) = self.commanders.looked(&client, is_connected, now);
            for name in stay {
                tracing::info!(
                    device = self.device.access().label(),
                    client,
                    "{name} lasts as long as its program is on the bus"
                );
            }
            over.extend(left.into_iter().map(|name| (name, "who set it has left the bus")));
        }
        for (name, why) in over {
            let said = ended(&mut self.control, &name, why);
            self.say(said, false);
        }
    }
}

/// Ends what is in force, and forgets what is not or has not begun yet. Returns what is said of it.
pub(super) fn ended(control: &mut Control, name: &str, why: &str) -> String {
    match control.end(name) {
        true => format!("{name} ends: {why}"),
        false => format!("{name} is not wanted any more: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "mode charge";

    fn after(seconds: u64, begun: Instant) -> Instant {
        begun + Duration::from_secs(seconds)
    }

    #[test]
    fn what_a_program_sets_ends_when_it_leaves_and_what_a_command_sets_does_not() {
        let now = Instant::now();
        let mut commanders = Commanders::new(0);
        commanders.wrote(NAME, Some(":1.7"), now);
        assert_eq!(commanders.wanted(after(4, now)), Vec::<String>::new());
        assert_eq!(commanders.wanted(after(5, now)), [":1.7"]);
        assert_eq!(commanders.looked(":1.7", true, after(5, now)), (vec![NAME.to_owned()], Vec::new()));
        assert_eq!(commanders.wanted(after(6, now)), [":1.7"]);
        assert_eq!(commanders.looked(":1.7", false, after(6, now)), (Vec::new(), vec![NAME.to_owned()]));

        commanders.wrote(NAME, Some(":1.8"), after(10, now));
        assert_eq!(commanders.looked(":1.8", false, after(15, now)), (Vec::new(), Vec::new()));
        assert_eq!(commanders.next(), None, "it is not looked for any more");
    }

    #[test]
    fn a_time_begins_anew_with_each_write() {
        let now = Instant::now();
        let mut commanders = Commanders::new(60);
        commanders.wrote(NAME, Some(":1.7"), now);
        assert_eq!(commanders.over(after(59, now)), Vec::<String>::new());
        commanders.wrote(NAME, Some(":1.7"), after(59, now));
        assert_eq!(commanders.over(after(118, now)), Vec::<String>::new());
        assert_eq!(commanders.over(after(119, now)), [NAME]);
        commanders.last_for(0);
        assert_eq!((commanders.over(after(9999, now)), commanders.timeout_s()), (Vec::new(), 0));
        commanders.retain(|_| false);
        assert_eq!(commanders.next(), None);
    }
}
