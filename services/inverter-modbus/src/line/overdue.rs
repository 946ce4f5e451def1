//! Answers that may still come. On a serial line an answer does not say which request it belongs to: one that is late is taken
//! for that to the next request, unless that is one whose answer looks different.
//!
//! A device works on one request after the other, so that its answers come in the order of the requests: what answers one
//! says that none comes to an earlier one any more. Devices do not wait for each other here: an answer carries the address of
//! its device.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::modbus::pdu::{Length, Request};
use crate::modbus::rtu;

/// So long after a request its answer is expected at least.
const PATIENCE: Duration = Duration::from_secs(1);
/// No answer is expected longer beyond the time that it had.
const LATEST: Duration = Duration::from_secs(10);
/// More than the delays of answers of the same device differ, beside a quarter of them.
const MARGIN: Duration = Duration::from_millis(50);
/// More requests without an answer than are remembered of a device.
const MOST: usize = 8;

/// The requests whose answers may still come, by device.
#[derive(Debug, Clone, Default)]
pub(super) struct Overdue(BTreeMap<u8, Awaited>);

/// Those of one device.
#[derive(Debug, Clone)]
struct Awaited {
    /// In the order in which they went.
    requests: Vec<Sent>,
    /// After this nothing comes to any of them.
    until: Instant,
    /// An answer to one of them, and those to the others, are so far apart at most.
    apart: Duration,
    /// One of several that are the same was answered, and nobody knows which.
    is_answered: bool,
}

#[derive(Debug, Clone)]
struct Sent {
    request: Request,
    at: Instant,
    timeout: Duration,
    /// A refusal came, of it or of another.
    is_unsure: bool,
}

impl Overdue {
    fn awaited(&self, unit: u8, now: Instant) -> Option<&Awaited> {
        self.0.get(&unit).filter(|awaited| now < awaited.until)
    }

    /// From when on a request may go: before that, an answer to another could be taken for its own.
    pub(super) fn free_at(&self, unit: u8, request: &Request, now: Instant) -> Instant {
        let Some(awaited) = self.awaited(unit, now) else { return now };
        let may_meet =
            |sent: &Sent| meets(&sent.request, request) || sent.is_unsure && has_function_of(sent, request);
        if awaited.others(request).iter().any(may_meet) { awaited.until } else { now }
    }

    /// Whether a device owes an answer.
    pub(super) fn owes(&self, unit: u8, now: Instant) -> bool {
        self.awaited(unit, now).is_some_and(|awaited| !awaited.requests.is_empty())
    }

    /// Whether a refusal that comes now may be that of another request.
    pub(super) fn is_doubtful(&self, unit: u8, request: &Request, now: Instant) -> bool {
        let others = self.awaited(unit, now).map(|awaited| awaited.others(request));
        others.is_some_and(|others| others.iter().any(|sent| has_function_of(sent, request)))
    }

    /// Nothing came to a request.
    pub(super) fn silent(
        &mut self,
        unit: u8,
        request: &Request,
        at: Instant,
        timeout: Duration,
        now: Instant,
    ) {
        let sent = Sent { request: request.clone(), at, timeout, is_unsure: false };
        let awaited = self.take(unit, at);
        let same = awaited.requests.get(awaited.run(request)..).unwrap_or_default();
        let least = same.iter().map(|sent| sent.timeout).min().unwrap_or(timeout).min(timeout).min(LATEST);
        awaited.until = awaited.until.max(now + least).max(at + PATIENCE);
        awaited.apart = least;
        awaited.push(sent);
    }

    /// A refusal came to a request, or to another one before it.
    pub(super) fn unsure(&mut self, unit: u8, request: &Request, at: Instant, timeout: Duration) {
        let awaited = self.take(unit, at);
        if let Some(first) = awaited.requests.iter().position(|sent| has_function_of(sent, request)) {
            awaited.requests.drain(..=first);
        }
        awaited.until = awaited.until.max(at + timeout.min(LATEST));
        awaited.push(Sent { request: request.clone(), at, timeout, is_unsure: true });
    }

    /// A request was answered that went at this time, or one that is the same and went before it.
    pub(super) fn answered(&mut self, unit: u8, request: &Request, at: Instant, now: Instant) {
        let Some(awaited) = self.0.get_mut(&unit) else { return };
        awaited.requests.drain(..awaited.run(request));
        let first = awaited.requests.first().map(|first| first.at).filter(|_| at < awaited.until);
        let Some(first) = first else {
            self.0.remove(&unit);
            return;
        };
        let delay = now.duration_since(first);
        awaited.apart = (delay + delay / 4 + MARGIN).min(LATEST);
        awaited.until = now + awaited.apart;
        awaited.is_answered = true;
    }

    /// Looks for answers that are awaited in what came on the line, if they are not of the device `but`. True if there was one.
    pub(super) fn hears(&mut self, bytes: &[u8], but: Option<u8>, now: Instant) -> bool {
        let mut has_heard = false;
        self.0.retain(|unit, awaited| {
            if Some(*unit) == but {
                return true;
            }
            let is_its = |sent: &Sent| rtu::find(bytes, *unit, &sent.request, false) != rtu::Found::More;
            if let Some(last) = awaited.requests.iter().position(is_its) {
                has_heard = true;
                awaited.requests.drain(..=last);
                awaited.until = awaited.until.max(now + awaited.apart);
            }
            now < awaited.until + LATEST && !awaited.requests.is_empty()
        });
        has_heard
    }

    /// What was awaited of a device at this time.
    fn take(&mut self, unit: u8, at: Instant) -> &mut Awaited {
        let none = || Awaited { requests: Vec::new(), until: at, apart: MARGIN, is_answered: false };
        let awaited = self.0.entry(unit).or_insert_with(none);
        if awaited.until <= at {
            *awaited = none();
        }
        awaited.is_answered = false;
        awaited
    }
}

impl Awaited {
    /// Where those begin that are the same as this one, and behind which there is no other.
    fn run(&self, request: &Request) -> usize {
        let same = self.requests.iter().rev().take_while(|sent| sent.request == *request);
        self.requests.len() - same.count()
    }

    /// Those whose answers are no answer to this one. The answer to the same request, asked just before, is one.
    fn others(&self, request: &Request) -> &[Sent] {
        let end = if self.is_answered { self.requests.len() } else { self.run(request) };
        self.requests.get(..end).unwrap_or_default()
    }

    fn push(&mut self, sent: Sent) {
        if self.requests.len() >= MOST {
            self.requests.remove(0);
        }
        self.requests.push(sent);
    }
}

fn has_function_of(sent: &Sent, request: &Request) -> bool {
    sent.request.function() == request.function()
}

/// Whether an answer to the one would be taken for an answer to the other: a read is answered by its length, a write by its
/// beginning.
pub(super) fn meets(one: &Request, other: &Request) -> bool {
    let is_raw = |request: &Request| matches!(request, Request::Raw { .. });
    one.function() == other.function()
        && match (one.answer_length(), other.answer_length()) {
            _ if is_raw(one) || is_raw(other) => true,
            (Length::Exactly(one_length), Length::Exactly(other_length)) if !one.is_write() => {
                one_length == other_length
            }
            (Length::Exactly(_), Length::Exactly(_)) => one.bytes().get(..5) == other.bytes().get(..5),
            _ => true,
        }
}

#[cfg(test)]
mod tests;
