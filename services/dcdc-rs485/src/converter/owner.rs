//! The task that owns the port.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use service_kit::{Heartbeat, random_seed};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::limit::Keeper;
use super::poll::Poll;
use super::set_points::Memory;
use super::{Duties, Job, Picture};
use crate::config::Config;
use crate::error::Error;
use crate::eza::retry::{CommandError, Retries};
use crate::line::Line;

/// The watchdog hears of the task at least so often.
const BEAT: Duration = Duration::from_secs(4);

/// Who owns the port and everything that is known of the converter.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) line: Line,
    pub(super) config: watch::Sender<Arc<Config>>,
    pub(super) picture: watch::Sender<Picture>,
    pub(super) path: PathBuf,
    pub(super) memory: Memory,
    /// No command goes out before.
    pub(super) free_at: Option<Instant>,
    is_talkative: bool,
    polls: Option<Poll>,
    pub(super) keeper: Keeper,
    pub(super) heartbeat: Heartbeat,
}

impl Owner {
    pub(super) fn new(
        config: watch::Sender<Arc<Config>>,
        picture: watch::Sender<Picture>,
        path: PathBuf,
        is_talkative: bool,
        duties: Duties,
        heartbeat: Heartbeat,
    ) -> Self {
        let converter = config.borrow().converter.clone();
        let line = Line::new(converter.port, converter.baud, converter.direction, random_seed());
        Self {
            line,
            config,
            picture,
            path,
            memory: Memory::default(),
            free_at: None,
            is_talkative,
            polls: duties.polls.then(Poll::default),
            keeper: Keeper::new(duties.ceiling),
            heartbeat,
        }
    }

    pub(super) async fn run(mut self, mut arriving: mpsc::Receiver<Job>) {
        let mut waiting = VecDeque::new();
        self.line.open();
        loop {
            self.heartbeat.beat();
            self.show_port();
            if waiting.is_empty() {
                let wake = self.next_wake(Instant::now());
                tokio::select! {
                    biased;
                    job = arriving.recv() => match job {
                        Some(job) => waiting.push_back(job),
                        None => return,
                    },
                    () = self.keeper.changed() => {}
                    () = sleep_until(wake) => {}
                    () = self.line.tend() => {}
                }
            }
            while let Ok(job) = arriving.try_recv() {
                waiting.push_back(job);
            }
            // Who has gone away in the meantime is not served.
            waiting.retain(|job: &Job| !job.answer.is_closed());
            // The battery's limits come before anybody's wishes.
            if self.line.is_open() && self.keep_limits().await {
                continue;
            }
            if let Some(job) = next(&mut waiting) {
                self.line.open();
                let answer = self.carry_out(&job.request).await;
                if let Err(error) = answer.as_ref()
                    && self.is_talkative
                {
                    tracing::info!(request = ?job.request, "{error}");
                }
                // The other end may have gone away.
                let _ = job.answer.send(answer);
            } else {
                self.poll().await;
            }
        }
    }

    fn next_wake(&self, now: Instant) -> Instant {
        let read = match &self.polls {
            Some(polls) if self.line.is_open() => Some(self.free(polls.next(&self.picture.borrow(), now).0)),
            _ => None,
        };
        let wakes = [read, self.keeper.due(now)];
        wakes.into_iter().flatten().min().unwrap_or(now + BEAT).min(now + BEAT)
    }

    /// Not before the line is free: a request that comes meanwhile has to wait for that anyway.
    fn free(&self, at: Instant) -> Instant {
        self.free_at.map_or(at, |free_at| free_at.max(at))
    }

    /// Reads what is due, if anything is.
    async fn poll(&mut self) {
        let now = Instant::now();
        let Some(polls) = self.polls.as_ref().filter(|_| self.line.is_open()) else { return };
        let (at, shape) = polls.next(&self.picture.borrow(), now);
        if self.free(at) > now {
            return;
        }
        let answer = self.send_shape(shape, &[], Retries { errors: 0, timeouts: 0 }).await;
        let is_silent = matches!(answer, Err(Error::Command(CommandError::Silence) | Error::NoPort(_)));
        if let Some(polls) = &mut self.polls {
            polls.tried(shape, !is_silent, Instant::now());
        }
    }

    /// Says whether the port is there.
    fn show_port(&mut self) {
        let is_open = self.line.is_open();
        let has_changed = self
            .picture
            .send_if_modified(|picture| std::mem::replace(&mut picture.is_open, is_open) != is_open);
        if let Some(polls) = self.polls.as_mut().filter(|_| has_changed) {
            polls.forget();
        }
    }
}

/// In order, but what stops the converter goes before whatever only reads.
fn next(waiting: &mut VecDeque<Job>) -> Option<Job> {
    let first_write = waiting.iter().position(|job| job.request.writes());
    let stop = first_write.filter(|at| waiting.get(*at).is_some_and(|job| job.request.stops()));
    waiting.remove(stop.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::super::{Given, Request};
    use super::*;
    use tokio::sync::oneshot;

    fn order(requests: &[Request]) -> Vec<Request> {
        let job = |request: &Request| Job { request: request.clone(), answer: oneshot::channel().0 };
        let mut waiting: VecDeque<Job> = requests.iter().map(job).collect();
        std::iter::from_fn(|| next(&mut waiting)).map(|job| job.request).collect()
    }

    fn set(mode: &str) -> Request {
        Request::Set(Given { mode: Some(mode.to_owned()), ..Given::default() })
    }

    #[test]
    fn what_stops_the_converter_overtakes_reading_but_never_another_write() {
        let (read, stop, start) = (Request::Everything, set("0x0000"), set("0x0002"));
        assert_eq!(
            order(&[read.clone(), read.clone(), stop.clone()]),
            [stop.clone(), read.clone(), read.clone()]
        );
        assert_eq!(
            order(&[read.clone(), start.clone(), stop.clone()]),
            [read.clone(), start.clone(), stop.clone()]
        );
        assert_eq!(order(&[read.clone(), Request::ForceWaiting]), [Request::ForceWaiting, read]);
    }
}
