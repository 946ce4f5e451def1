//! The owner of a line: opens it, takes requests in their turn, tells everybody when it is gone.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use service_kit::{Backoff, Repeating, Report, serial};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

use super::address::Address;
use super::stream::{Broken, How};
use super::wire::{Past, Wire};
use super::{Figures, Job, NoAnswer, TAKEN, Turn};
use crate::pulse::Pulse;

/// The watchdog hears of us at least this often.
const BEAT: Duration = Duration::from_secs(4);
/// So many connections in a row that stand and answer nothing are worth a word.
const MUTE: u32 = 3;
/// Nor are they within this time after an answer: one who looks for devices there asks many units that are not.
const ANSWERED: Duration = Duration::from_secs(60);
/// The time over which the utilisation is told.
const WINDOW: Duration = Duration::from_secs(10);

struct Owner {
    address: Address,
    queue: mpsc::Receiver<Job>,
    waiting: Vec<Job>,
    state: State,
    past: Past,
    backoff: Backoff,
    failure: Repeating,
    figures: Arc<Mutex<Figures>>,
    busy: Duration,
    window: Instant,
    /// That it is open was said.
    was_open: bool,
    /// So many connections in a row stood and answered nothing.
    mute: u32,
    /// When something was answered last.
    heard_at: Option<Instant>,
    pulse: Option<Pulse>,
}

enum State {
    /// It can be opened now.
    Closed,
    /// The port is not there.
    Waiting(String),
    /// It is there and failed.
    Resting(Instant, String),
    Open(Wire),
}

/// Serves the line until nobody can send to it any more.
pub(super) async fn run(
    address: Address,
    queue: mpsc::Receiver<Job>,
    figures: Arc<Mutex<Figures>>,
    pulse: Option<Pulse>,
    seed: u64,
) {
    let backoff = match &address {
        Address::Serial { .. } => Backoff::for_hardware(seed),
        Address::Tcp { .. } => Backoff::for_host(seed),
    };
    let mut owner = Owner {
        address,
        queue,
        waiting: Vec::new(),
        state: State::Closed,
        past: Past::new(),
        backoff,
        failure: Repeating::default(),
        figures,
        busy: Duration::ZERO,
        window: Instant::now(),
        was_open: false,
        mute: 0,
        heard_at: None,
        pulse,
    };
    loop {
        if let Some(pulse) = &owner.pulse {
            pulse.beat();
        }
        if !owner.step().await {
            return;
        }
        owner.count();
    }
}

impl Owner {
    /// One thing that happens, or nothing for a while. False when nobody can ask any more.
    async fn step(&mut self) -> bool {
        while let Ok(job) = self.queue.try_recv() {
            self.waiting.push(job);
        }
        // Who does not wait for the answer any more needs none.
        self.waiting.retain(|job| !job.answer.is_closed());
        if !self.waiting.is_empty() {
            return self.work().await;
        }
        tokio::select! {
            job = self.queue.recv() => match job {
                Some(job) => self.waiting.push(job),
                None => return false,
            },
            () = self.state.change(&self.address, &mut self.past) => self.tend().await,
            () = sleep(BEAT) => {}
        }
        true
    }

    /// Opens what is closed, and closes what has broken.
    async fn tend(&mut self) {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Open(mut wire) => {
                // It has broken: it says at once why.
                let broken = wire.watch(&mut self.past).await;
                self.broke(&broken);
            }
            State::Closed | State::Waiting(_) | State::Resting(..) => self.open().await,
        }
    }

    async fn open(&mut self) {
        let now = Instant::now();
        match Wire::open(&self.address, &mut self.past).await {
            Ok(wire) => {
                if self.mute > 0 {
                    // Only an answer shows that it is well.
                    tracing::debug!(line = %self.address, "the line is open again");
                } else if let Some(Report::Ended { lasting, .. }) = self.failure.ended(now) {
                    tracing::info!(line = %self.address, "the line is open after {:.1} s", lasting.as_secs_f64());
                } else if !std::mem::replace(&mut self.was_open, true) {
                    tracing::info!(line = %self.address, "the line is open");
                } else {
                    // After each answer that is overdue, on TCP.
                    tracing::debug!(line = %self.address, "the line is open again");
                }
                self.backoff.succeeded(Instant::now());
                self.state = State::Open(wire);
                self.figure(|figures| figures.is_open = true);
            }
            Err(broken) => self.broke(&broken),
        }
    }

    fn broke(&mut self, broken: &Broken) {
        let now = Instant::now();
        self.state = match broken.how {
            How::Missing => State::Waiting(broken.why.clone()),
            How::Failed => State::Resting(now + self.backoff.failed(now), broken.why.clone()),
            How::Overdue(_) => State::Closed,
        };
        let is_mute = broken.is_mute && self.heard_at.is_none_or(|at| now.duration_since(at) > ANSWERED);
        self.mute = if is_mute { self.mute.saturating_add(1) } else { self.mute };
        let why = match broken.how {
            How::Overdue(_) if self.mute < MUTE => return,
            How::Overdue(_) => format!("connections are accepted, and nothing is ever answered: {TAKEN}"),
            How::Missing | How::Failed => broken.why.clone(),
        };
        if let Some(report) = self.failure.failed(now, &why) {
            tracing::warn!(line = %self.address, "{report}");
        }
        let is_open = matches!(broken.how, How::Overdue(_));
        self.figure(|figures| {
            figures.is_open = is_open;
            figures.interruptions += u64::from(!is_open);
        });
    }

    /// Something was answered.
    fn heard(&mut self) {
        self.heard_at = Some(Instant::now());
        if std::mem::take(&mut self.mute) > 0
            && let Some(Report::Ended { lasting, .. }) = self.failure.ended(Instant::now())
        {
            tracing::info!(line = %self.address, "the line answers after {:.1} s", lasting.as_secs_f64());
        }
    }

    /// Takes the request whose turn it is among those that may go, or waits until one may.
    async fn work(&mut self) -> bool {
        if let State::Closed = self.state {
            self.open().await;
        }
        if let State::Resting(until, _) = &self.state
            && *until <= Instant::now()
        {
            self.open().await;
        }
        let Owner { state, past, queue, waiting, pulse, .. } = self;
        let State::Open(wire) = state else {
            let (State::Waiting(why) | State::Resting(_, why)) = state else { return true };
            for job in waiting.drain(..) {
                let _ = job.answer.send(Err(NoAnswer::NoLine(why.clone())));
            }
            return true;
        };
        let known = waiting.len();
        let is_ready = waiting.iter().any(|job| may_go(job, past, Instant::now()));
        if is_ready {
            if let Err(broken) = wire.ready(past).await {
                self.broke(&broken);
                return true;
            }
            // What must go at once is in time as long as the line rests; what else has come has its turn later.
            while let Ok(job) = queue.try_recv() {
                waiting.push(job);
            }
        }
        let now = Instant::now();
        // What is for a device that was silent last may take long: the others go first.
        let turn = |job: &(usize, &Job)| match job.1.ask.turn {
            Turn::Now => (Turn::Now, past.owes(job.1.ask.unit, now), job.0),
            by => (by, false, 0),
        };
        let has_turn = |(n, job): &(usize, &Job)| {
            is_ready && (*n < known || job.ask.turn == Turn::Now) && may_go(job, past, now)
        };
        let Some((next, _)) = waiting.iter().enumerate().filter(has_turn).min_by_key(turn) else {
            // Each waits for a late answer of its own device, and nobody else for that.
            let first = waiting.iter().map(|job| past.free_at(&job.ask, now)).min();
            let first = first.unwrap_or(now).min(now + BEAT);
            tokio::select! {
                heard = wire.listen(past) => if let Err(broken) = heard {
                    self.broke(&broken);
                },
                job = queue.recv() => match job {
                    Some(job) => waiting.push(job),
                    None => return false,
                },
                () = sleep_until(first) => {}
            }
            return true;
        };
        let job = waiting.remove(next);
        if let Some(pulse) = pulse {
            pulse.busy_for(job.ask.timeout + BEAT);
        }
        let began = Instant::now();
        job.out.set(true);
        let way = past.way(&job.ask, job.room, wire.is_rtu());
        let outcome = wire.exchange(&job.ask, past, pin!(way.needed(&job, queue, waiting))).await;
        self.busy += began.elapsed();
        let is_silent = !matches!(outcome, Ok(Ok(_)));
        self.figure(|figures| {
            figures.requests += 1;
            figures.silences += u64::from(is_silent);
        });
        let answer = match outcome {
            Ok(answer) => {
                self.heard();
                answer
            }
            Err(broken) => {
                self.broke(&broken);
                match broken.how {
                    How::Overdue(gave_way) => Err(gave_way.map_or(NoAnswer::Silence, NoAnswer::GaveWay)),
                    How::Missing | How::Failed => Err(NoAnswer::NoLine(broken.why)),
                }
            }
        };
        let _ = job.answer.send(answer);
        true
    }

    fn count(&mut self) {
        let passed = self.window.elapsed();
        if passed >= WINDOW {
            let utilisation = self.busy.as_secs_f64() / passed.as_secs_f64();
            self.figure(|figures| figures.utilisation = utilisation.min(1.0));
            (self.busy, self.window) = (Duration::ZERO, Instant::now());
        }
    }

    fn figure(&self, change: impl FnOnce(&mut Figures)) {
        change(&mut self.figures.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Whether a request may go and somebody waits for the answer.
fn may_go(job: &Job, past: &Past, now: Instant) -> bool {
    !job.answer.is_closed() && past.free_at(&job.ask, now) <= now
}

impl State {
    /// Returns when there is something to do for a line that nobody uses now.
    async fn change(&mut self, address: &Address, past: &mut Past) {
        match self {
            State::Closed => {}
            State::Waiting(_) => match address {
                Address::Serial { path, .. } => serial::wait_for(path).await,
                Address::Tcp { .. } => {}
            },
            State::Resting(until, _) => sleep_until(*until).await,
            State::Open(wire) => drop(wire.watch(past).await),
        }
    }
}
