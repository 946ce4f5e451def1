//! When a request that is under way gives way to others.
//!
//! On a serial line only one may speak. A device that may be about to answer is not talked over: a request gives way when nothing
//! has come for longer than that device has ever taken lately. What comes of it later is told apart by `overdue`.

use std::collections::BTreeMap;
use std::future::pending;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

use super::overdue::{Overdue, meets};
use super::{Ask, Job, Room, Turn};

/// Nothing gives way sooner: what is asked for the first time may take longer than what was asked before.
const LEAST: Duration = Duration::from_millis(200);
/// Nor for a device that has not answered yet.
const UNKNOWN: Duration = Duration::from_millis(300);
/// So many answers that are quicker make as much of a slow one forgotten as is left of it.
const FORGOTTEN: u32 = 32;

/// How long answers of each device take to begin: the slowest, and less and less so of those that are long ago.
#[derive(Debug, Default)]
pub(super) struct Delays(BTreeMap<u8, Duration>);

impl Delays {
    /// An answer began after so long.
    pub(super) fn took(&mut self, unit: u8, delay: Duration) {
        let slowest = self.0.entry(unit).or_default();
        *slowest = delay.max(*slowest - *slowest / FORGOTTEN);
    }

    /// How long an answer is waited for in any case.
    pub(super) fn patience(&self, unit: u8) -> Duration {
        self.0.get(&unit).map_or(UNKNOWN, |slowest| (*slowest * 2).max(LEAST))
    }
}

/// The way that a request gives.
#[derive(Debug)]
pub(super) struct Way {
    unit: u8,
    /// Whom it makes room for, and when.
    room: Room,
    after: Duration,
    /// On a line whose answers do not say what they belong to: what must wait for late ones.
    overdue: Option<Overdue>,
}

impl Way {
    /// That of a request whose answer is waited for so long in any case.
    pub(super) fn new(ask: &Ask, room: Room, overdue: Option<Overdue>, patience: Duration) -> Way {
        let after = if let Room::All(least) = room { least } else { patience };
        Way { unit: ask.unit, room, after, overdue }
    }

    /// Returns when the request has to give way.
    pub(super) async fn needed(self, job: &Job, queue: &mut mpsc::Receiver<Job>, waiting: &mut Vec<Job>) {
        if self.room == Room::Nobody {
            return pending().await;
        }
        sleep(self.after).await;
        loop {
            waiting.retain(|other| !other.answer.is_closed());
            let now = Instant::now();
            let first = waiting.iter().filter_map(|other| self.goes_at(other, job, now)).min();
            if first.is_some_and(|at| at <= now) {
                return;
            }
            let other = tokio::select! {
                other = queue.recv() => other,
                () = sleep_until(first.unwrap_or(now)), if first.is_some() => continue,
            };
            match other {
                Some(other) => waiting.push(other),
                None => return pending().await,
            }
        }
    }

    /// From when on the way is given to another request; never to most.
    fn goes_at(&self, other: &Job, job: &Job, now: Instant) -> Option<Instant> {
        let overdue = self.overdue.as_ref();
        match self.room {
            Room::Nobody => return None,
            Room::All(_) => return Some(now),
            Room::Urgent if other.ask.turn != Turn::Now => return None,
            Room::Urgent => {}
        }
        // The same device is not asked two things at once, unless nobody waits for the first any more; on TCP nothing is lost
        // on the way, and another connection would be needed.
        let is_left =
            job.answer.is_closed() && overdue.is_some() && !meets(&job.ask.request, &other.ask.request);
        let may_go = other.ask.unit != self.unit || is_left;
        may_go
            .then(|| overdue.map_or(now, |overdue| overdue.free_at(other.ask.unit, &other.ask.request, now)))
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;
    use tokio::time::timeout;

    use super::*;
    use crate::line::{NoAnswer, Out};
    use crate::modbus::pdu::{Answer, Request};
    use crate::profile::scalar::Table;

    const LONG: Duration = Duration::from_secs(60);
    const SECOND: Duration = Duration::from_secs(1);
    const PATIENCE: Duration = Duration::from_millis(250);

    type Asker = oneshot::Receiver<Result<Answer, NoAnswer>>;

    fn job(unit: u8, request: Request, turn: Turn, room: Room) -> (Job, Asker) {
        let (answer, asker) = oneshot::channel();
        let ask = Ask { unit, request, timeout: LONG, gap: Duration::ZERO, turn };
        (Job { ask, room, out: Out::default(), answer }, asker)
    }

    fn read(unit: u8, room: Room) -> (Job, Asker) {
        let request = Request::Read { table: Table::Holding, addr: 1, count: 1 };
        job(unit, request, Turn::By(Instant::now()), room)
    }

    fn write(unit: u8) -> (Job, Asker) {
        job(unit, Request::WriteRegister { addr: 9, value: 0 }, Turn::Now, Room::Nobody)
    }

    /// After how long a request gives way where others come a second after it; not at all within a minute.
    async fn gives_way(under_way: &Job, overdue: Option<Overdue>, others: Vec<Job>) -> Option<Duration> {
        let (sender, mut queue) = mpsc::channel(9);
        let began = Instant::now();
        let way = Way::new(&under_way.ask, under_way.room, overdue, PATIENCE);
        let mut waiting = Vec::new();
        let coming = async {
            sleep(SECOND).await;
            for other in others {
                sender.send(other).await.unwrap();
            }
            pending::<()>().await;
        };
        tokio::select! {
            needed = timeout(LONG, way.needed(under_way, &mut queue, &mut waiting)) => {
                needed.ok().map(|()| began.elapsed())
            }
            () = coming => None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_gives_way_to_a_write_to_another_device_and_to_nothing_else() {
        let (look, _asker) = read(2, Room::Urgent);
        let ((other, _a), (own, _b), (reads, _c)) = (write(1), write(2), read(1, Room::Urgent));
        let none = || Some(Overdue::default());
        assert_eq!(gives_way(&look, none(), vec![own, reads]).await, None);
        assert_eq!(gives_way(&look, none(), vec![other]).await, Some(SECOND));
        let (firm, _asker) = write(2);
        assert_eq!(gives_way(&firm, none(), vec![write(1).0]).await, None, "it cannot be asked again");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_gives_way_while_its_answer_may_be_about_to_come() {
        let (look, _asker) = read(2, Room::Urgent);
        let (other, _a) = write(1);
        let (_sender, mut queue) = mpsc::channel(9);
        let (began, mut waiting) = (Instant::now(), vec![other]);
        Way::new(&look.ask, look.room, None, PATIENCE).needed(&look, &mut queue, &mut waiting).await;
        assert_eq!((began.elapsed(), waiting.len()), (PATIENCE, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_waits_for_any_more_gives_way_to_the_last_word_to_the_same_device() {
        let (look, asker) = read(2, Room::Urgent);
        drop(asker);
        let ((own, _a), (later, _b)) = (write(2), write(2));
        assert_eq!(gives_way(&look, Some(Overdue::default()), vec![own]).await, Some(SECOND));
        assert_eq!(gives_way(&look, None, vec![later]).await, None, "TCP needs another connection for that");
        let (same, _asker) = job(2, look.ask.request.clone(), Turn::Now, Room::Urgent);
        let taken = gives_way(&look, Some(Overdue::default()), vec![same]).await;
        assert_eq!(taken, None, "whose answer could be taken for its own");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_gives_way_to_what_waits_for_a_late_answer_of_its_own() {
        let (look, _asker) = read(2, Room::Urgent);
        let (other, _a) = write(1);
        let mut overdue = Overdue::default();
        let earlier = Request::WriteRegister { addr: 9, value: 0 };
        let now = Instant::now();
        overdue.silent(1, &earlier, now, SECOND * 3, now);
        overdue.silent(1, &Request::WriteRegister { addr: 9, value: 1 }, now, SECOND * 3, now);
        let free_at = overdue.free_at(1, &other.ask.request, now).duration_since(now);
        assert_eq!(free_at, SECOND * 3);
        assert_eq!(gives_way(&look, Some(overdue), vec![other]).await, Some(free_at));
    }

    #[test]
    fn a_slow_device_is_waited_for_longer_and_one_slow_answer_is_forgotten_in_time() {
        let mut delays = Delays::default();
        assert_eq!(delays.patience(1), UNKNOWN);
        delays.took(1, Duration::from_millis(20));
        assert_eq!(delays.patience(1), LEAST);
        delays.took(1, Duration::from_millis(800));
        delays.took(1, Duration::from_millis(20));
        assert_eq!((delays.patience(1).as_millis(), delays.patience(2)), (1550, UNKNOWN));
        for _ in 0..200 {
            delays.took(1, Duration::from_millis(20));
        }
        assert_eq!(delays.patience(1), LEAST);
    }
}
