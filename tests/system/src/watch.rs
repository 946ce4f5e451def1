//! The tape played through the model of systemcalc, and what must hold at each moment of it: nobody's limits stand beside
//! the manager's that are inside it, and nobody's limits stand alone that nobody stands behind.

use std::time::Duration;

use serde_json::Value;
use testbed::{PrivateBus, patient};

use crate::MANAGER;
use crate::systemcalc::{Battery, Systemcalc};
use crate::tape::{Heard, Tape, What};

/// A manager that decides no more is ended by its watchdog within this time.
const LIFE: Duration = Duration::from_secs(14);
/// So long the next message is waited for before the condition is looked at again.
const POLL: Duration = Duration::from_millis(500);

/// What is heard, what systemcalc makes of it, and what was wrong.
#[derive(Debug)]
pub struct Watch {
    tape: Tape,
    /// What systemcalc makes of the batteries now.
    pub systemcalc: Systemcalc,
    /// The user wants batteries to stand alone when their manager is lost.
    pub standalone: bool,
    bank: Bank,
    heard: Vec<Heard>,
    unled: Unled,
    wrong: Vec<String>,
}

/// What the manager has said last.
#[derive(Debug, Default)]
struct Bank {
    is_there: bool,
    members: Vec<String>,
    index: Value,
    alive_at: Option<Duration>,
}

/// The times without a BMS, since there was one first.
#[derive(Debug, Default)]
struct Unled {
    since: Option<Duration>,
    longest: Duration,
    was_led: bool,
}

impl Watch {
    /// Begins to watch.
    #[track_caller]
    pub fn on(bus: &PrivateBus) -> Watch {
        Watch {
            tape: Tape::of(bus.address()),
            systemcalc: Systemcalc::default(),
            standalone: false,
            bank: Bank::default(),
            heard: Vec::new(),
            unled: Unled::default(),
            wrong: Vec::new(),
        }
    }

    /// Watches until it is so.
    ///
    /// # Panics
    /// When that takes longer than `deadline`, with what was heard and seen.
    #[track_caller]
    #[expect(clippy::disallowed_methods, reason = "real processes live in real time")]
    pub fn until(&mut self, deadline: Duration, mut is_so: impl FnMut(&Watch) -> bool) {
        let (start, deadline) = (std::time::Instant::now(), patient(deadline));
        while !is_so(self) {
            let left = deadline.saturating_sub(start.elapsed());
            if left.is_zero() {
                panic!("not within {deadline:?}:\n{}", self.account());
            }
            if let Some(heard) = self.tape.next(left.min(POLL)) {
                self.take(heard);
            }
        }
    }

    /// Watches until the manager has counted up so many times.
    #[track_caller]
    pub fn while_the_manager_counts(&mut self, times: usize) {
        let goal = self.counts() + times;
        self.until(Duration::from_secs(20 + 2 * times as u64), |watch| watch.counts() >= goal);
    }

    /// Now, on the tape.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.heard.last().map_or(Duration::ZERO, |heard| heard.at)
    }

    /// When the manager counted last, on the tape.
    ///
    /// # Panics
    /// When it never did.
    #[must_use]
    #[track_caller]
    pub fn counted_at(&self) -> Duration {
        self.bank.alive_at.unwrap_or_else(|| panic!("the manager has never counted"))
    }

    /// What was heard so far.
    #[must_use]
    pub fn heard(&self) -> &[Heard] {
        &self.heard
    }

    /// Name of the BMS that systemcalc chooses now.
    #[must_use]
    pub fn bms(&self) -> Option<&str> {
        self.systemcalc.bms().map(|battery| battery.service.as_str())
    }

    /// Name of the battery monitor that systemcalc chooses now.
    #[must_use]
    pub fn monitor(&self) -> Option<&str> {
        self.systemcalc.monitor().map(|battery| battery.service.as_str())
    }

    /// The value that a battery service shows; null for none, and where it is not there.
    #[must_use]
    pub fn shows(&self, service: &str, path: &str) -> Value {
        self.systemcalc
            .battery(service)
            .and_then(|battery| battery.items.get(path))
            .cloned()
            .unwrap_or_default()
    }

    /// The longest time without any BMS between times with one, the present one included.
    #[must_use]
    pub fn longest_without_bms(&self) -> Duration {
        let now = self.unled.since.map_or(Duration::ZERO, |since| self.now().saturating_sub(since));
        self.unled.longest.max(now)
    }

    /// Fails if there was a moment at which something was wrong.
    ///
    /// # Panics
    /// Then.
    #[track_caller]
    pub fn was_always_right(&self) {
        if !self.wrong.is_empty() {
            panic!("{}", self.account());
        }
    }

    fn counts(&self) -> usize {
        let is_count = |heard: &&Heard| {
            heard.service == MANAGER
                && matches!(&heard.what, What::Changed(items) if items.contains_key("/UpdateIndex"))
        };
        self.heard.iter().filter(is_count).count()
    }

    fn take(&mut self, heard: Heard) {
        match &heard.what {
            What::Appeared(items) => self.systemcalc.appeared(&heard.service, items.clone()),
            What::Changed(items) => self.systemcalc.changed(&heard.service, items),
            What::Gone => self.systemcalc.gone(&heard.service),
        }
        if heard.service == MANAGER {
            self.bank.take(&heard);
        }
        self.unled.take(self.systemcalc.bms().is_some(), heard.at);
        for wrong in self.faults(heard.at) {
            let seconds = heard.at.as_secs_f64();
            self.wrong.push(format!("{seconds:.3} s, {} {}: {wrong}", heard.service, kind(&heard.what)));
        }
        self.heard.push(heard);
    }

    /// What is wrong at this moment.
    fn faults(&self, now: Duration) -> Vec<String> {
        let candidates = self.systemcalc.candidates();
        let mut faults = Vec::new();
        let manager = candidates.iter().find(|battery| battery.service == MANAGER);
        let doubled = candidates.iter().find(|battery| self.bank.members.contains(&battery.service));
        if let (Some(_), Some(member)) = (manager, doubled) {
            faults.push(format!("{} shows limits that are inside the manager's", member.service));
        }
        if manager.is_some() && !self.bank.lives(now) {
            faults.push("the manager's limits stand, and it decides no more".to_owned());
        }
        let is_lost_bank = self.bank.members.len() > 1 && !(self.bank.is_there && self.bank.lives(now));
        let bold = candidates.iter().find(|battery| {
            self.bank.members.contains(&battery.service) && allows(battery) && !self.standalone
        });
        if let (true, Some(member)) = (is_lost_bank, bold) {
            faults.push(format!("{} allows current, and stands for a whole bank", member.service));
        }
        if let Some(low) =
            candidates.iter().find(|b| b.number("/Info/MaxChargeVoltage").is_some_and(|v| v < 1.0))
        {
            faults.push(format!("{} shows a charge voltage of 0", low.service));
        }
        faults
    }

    /// For people: the last that was heard, and all that was wrong.
    fn account(&self) -> String {
        let mut lines = vec![format!(
            "BMS {:?}, monitor {:?}, candidates {:?}",
            self.bms(),
            self.monitor(),
            self.systemcalc.candidates().iter().map(|battery| &battery.service).collect::<Vec<_>>()
        )];
        lines.extend(self.wrong.iter().take(20).map(|wrong| format!("wrong at {wrong}")));
        let last = self.heard.len().saturating_sub(30);
        for heard in self.heard.iter().skip(last) {
            let text = match &heard.what {
                What::Changed(items) => format!("{items:?}"),
                what => kind(what).to_owned(),
            };
            lines.push(format!("{:.3} {} {text:.400}", heard.at.as_secs_f64(), heard.service));
        }
        lines.join("\n")
    }
}

impl Bank {
    fn take(&mut self, heard: &Heard) {
        let items = match &heard.what {
            What::Appeared(items) | What::Changed(items) => items,
            What::Gone => {
                self.is_there = false;
                return;
            }
        };
        self.is_there = true;
        if let Some(members) = items.get("/Members") {
            let names = members.as_array().into_iter().flatten();
            self.members = names.filter_map(|name| Some(name.as_str()?.to_owned())).collect();
        }
        if let Some(index) = items.get("/UpdateIndex").filter(|index| **index != self.index) {
            self.index = index.clone();
            self.alive_at = Some(heard.at);
        }
    }

    fn lives(&self, now: Duration) -> bool {
        self.alive_at.is_some_and(|at| now.saturating_sub(at) <= LIFE)
    }
}

impl Unled {
    fn take(&mut self, is_led: bool, now: Duration) {
        self.was_led |= is_led;
        match (is_led, self.since) {
            (true, Some(since)) => {
                self.longest = self.longest.max(now.saturating_sub(since));
                self.since = None;
            }
            (false, None) if self.was_led => self.since = Some(now),
            _ => {}
        }
    }
}

/// Whether a battery's limits allow any current.
fn allows(battery: &Battery) -> bool {
    let limits = ["/Info/MaxChargeCurrent", "/Info/MaxDischargeCurrent"];
    limits.iter().any(|path| battery.number(path) != Some(0.0))
}

fn kind(what: &What) -> &'static str {
    match what {
        What::Appeared(_) => "appeared",
        What::Changed(_) => "changed",
        What::Gone => "left",
    }
}
