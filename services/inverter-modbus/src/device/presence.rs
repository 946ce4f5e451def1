//! A device comes, falls silent and comes back: whether it is the one that it was.
//!
//! One that was silent may have been exchanged. Until it has said who it is nothing is written to it and nothing else is read;
//! and before it is asked by registers that some devices do not bear to be read, these are excluded. If another one
//! answers, it is left alone, for as long as the process runs: a new device begins with a new process.

use std::time::Duration;

use service_kit::Report;
use tokio::time::Instant;

use super::access::{Access, Fault};
use super::exclude::{answers, exclude};
use super::own;
use super::poll::{Device, Happened, LOOK, Pending, Phase};
use super::recognise::{Identity, NotIt, recognise};
use super::running::{NO_LINE, Running};
use super::same::difference;
use crate::engine::map::Map;
use crate::line::NoAnswer;

/// A device that says nothing for so long is recognised anew.
pub const OFFLINE: Duration = Duration::from_secs(10);
/// One that said nothing for so long is asked who it is before anything else: nobody exchanges it faster.
const DOUBT: Duration = Duration::from_secs(2);

/// Who it is, and whether it answers the questions that exclude others; or why it is not the one.
pub(super) type Asked = Result<(Identity, bool), NotIt>;

impl Device {
    /// What answers in its place, in words; nothing while nothing or the device itself does.
    #[must_use]
    pub fn stranger(&self) -> Option<&str> {
        self.stranger.as_deref()
    }

    /// Who it was when it was recognised first.
    #[must_use]
    pub fn known(&self) -> Option<&Identity> {
        self.known.as_ref()
    }

    /// Whether it is the one that was recognised: one that was silent lately is asked. For who writes to it past its turn.
    pub async fn is_sure(&mut self) -> bool {
        if self.doubted(Instant::now()).is_some() {
            let outcome = self.asked_who(self.access.clone()).await;
            self.recognised(outcome);
        }
        self.doubt.is_none() && self.running().is_some()
    }

    /// When it is to be asked who it is before anything else; nothing if it is known to be the one.
    pub(super) fn doubted(&mut self, now: Instant) -> Option<Instant> {
        // An adapter or host that was away may be at another device, if nobody has noticed its absence otherwise.
        if self.access.line().figures().interruptions != self.interruptions {
            self.doubt.get_or_insert(now);
        }
        self.doubt
    }

    /// Asks whether it is there: if it was not the last time, in turn with the others of the line that are not.
    pub(super) fn looked_for(&mut self) -> Pending<Asked> {
        let asking = self.asked_who(self.access.clone().unhurried());
        let (line, unit, was_there) = (self.access.line().clone(), self.access.unit(), !self.is_missing);
        Box::pin(async move {
            if was_there {
                return asking.await;
            }
            let look = line.look(unit).await;
            let outcome = asking.await;
            let is_wasted = matches!(&outcome, Err(NotIt::Fault(Fault::NoAnswer(why))) if !why.is_no_line());
            look.is_over(!is_wasted);
            outcome
        })
    }

    /// Asks it who it is.
    pub(super) fn asked_who(&mut self, access: Access) -> Pending<Asked> {
        self.interruptions = self.access.line().figures().interruptions;
        let (profile, known) = (self.profile.clone(), self.answers);
        Box::pin(async move {
            if let Some(answers) = known {
                exclude(&profile, &access, answers).await?;
            }
            let identity = recognise(&profile, &access).await?;
            let answers = match known {
                Some(answers) => answers,
                None => answers(&profile, &access).await,
            };
            Ok((identity, answers))
        })
    }

    /// A read brought nothing for this reason.
    pub(super) fn misses(&mut self, fault: &Fault, now: Instant) {
        let silent = now.duration_since(self.heard_at.unwrap_or(now));
        if silent >= OFFLINE {
            // A device that only says that it is busy or has failed is not there either: what it showed is old.
            return self.is_gone(&fault.to_string(), now, now);
        }
        let is_away = matches!(fault, Fault::NoAnswer(NoAnswer::NoLine(_)));
        if is_away || (silent >= DOUBT && matches!(fault, Fault::NoAnswer(_))) {
            self.doubt = Some(if is_away { now + NO_LINE } else { now });
        }
    }

    /// It has said who it is, or has not.
    pub(super) fn recognised(&mut self, outcome: Asked) -> Happened {
        let now = Instant::now();
        let as_before = |identity: &Identity| {
            let other = self.known.as_ref().and_then(|known| difference(known, identity));
            other.map_or(Ok(()), |what| Err(NotIt::Exchanged(what)))
        };
        match outcome.and_then(|(identity, answers)| as_before(&identity).map(|()| (identity, answers))) {
            Ok((identity, answers)) => {
                self.answers = Some(answers);
                self.is_it(identity, now)
            }
            Err(why) => self.is_not_it(&why, now),
        }
    }

    fn is_it(&mut self, identity: Identity, now: Instant) -> Happened {
        (self.heard_at, self.stranger, self.is_missing) = (Some(now), None, false);
        let was_doubted = self.doubt.take().is_some();
        if was_doubted && self.running().is_some_and(|running| running.identity.chain == identity.chain) {
            return Happened::Nothing;
        }
        let lasting = match self.failure.ended(now) {
            Some(Report::Ended { lasting, .. }) => format!(" after {:.1} s", lasting.as_secs_f64()),
            _ => String::new(),
        };
        tracing::info!(
            device = self.access.label(),
            serial = identity.serial,
            "the device is there{lasting}"
        );
        let map = Map::new(&self.profile, identity.chain.as_ref(), self.is_controlled);
        self.access.line().recognised(self.access.unit(), Some(own::registers(&map)));
        self.image.clear();
        self.filter.clear();
        self.known.get_or_insert_with(|| identity.clone());
        self.phase = Phase::Running(Box::new(Running::new(&self.profile, identity, map, now)));
        Happened::Recognised
    }

    fn is_not_it(&mut self, why: &NotIt, now: Instant) -> Happened {
        let is_no_line = matches!(why, NotIt::Fault(Fault::NoAnswer(NoAnswer::NoLine(_))));
        let again = now + if is_no_line { NO_LINE } else { LOOK };
        if self.doubt.is_some() && !why.is_another() {
            let silent = now.duration_since(self.heard_at.unwrap_or(now));
            if silent >= OFFLINE {
                self.is_gone(&why.to_string(), again, now);
            } else {
                self.doubt = Some(now + NO_LINE);
            }
            return Happened::Nothing;
        }
        let before = self.stranger.take();
        // Before it was ever there nobody waits for it on the bus.
        self.stranger = self.known.as_ref().filter(|_| why.is_another()).map(|_| why.to_string());
        match is_no_line {
            // The line says itself when it is not there.
            true => self.phase = Phase::Looking(again),
            false => self.is_gone(&why.to_string(), again, now),
        }
        if self.stranger == before { Happened::Nothing } else { Happened::Exchanged }
    }

    /// It is to be recognised anew, at this time.
    pub(super) fn is_gone(&mut self, why: &str, at: Instant, now: Instant) {
        if let Some(report) = self.failure.failed(now, why) {
            let beyond = if self.stranger.is_some() { ": it is neither read nor written" } else { "" };
            tracing::warn!(device = self.access.label(), "{report}{beyond}");
        }
        self.commands.clear();
        (self.doubt, self.is_missing) = (None, true);
        self.access.line().recognised(self.access.unit(), None);
        self.phase = Phase::Looking(at);
    }
}
