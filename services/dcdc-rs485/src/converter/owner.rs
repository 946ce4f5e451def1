//! The task that owns the port.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use service_kit::{Heartbeat, random_seed};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};

use super::Job;
use super::set_points::Memory;
use crate::config::Config;
use crate::line::Line;

/// The watchdog hears of the task at least so often.
const BEAT: Duration = Duration::from_secs(4);

/// Who owns the port and everything that is known of the converter.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) line: Line,
    pub(super) config: watch::Sender<Arc<Config>>,
    pub(super) path: PathBuf,
    pub(super) memory: Memory,
    /// No command goes out before.
    pub(super) free_at: Option<Instant>,
    is_talkative: bool,
    pub(super) heartbeat: Heartbeat,
}

impl Owner {
    pub(super) fn new(
        config: watch::Sender<Arc<Config>>,
        path: PathBuf,
        is_talkative: bool,
        heartbeat: Heartbeat,
    ) -> Self {
        let converter = config.borrow().converter.clone();
        let line = Line::new(converter.port, converter.baud, random_seed());
        Self { line, config, path, memory: Memory::default(), free_at: None, is_talkative, heartbeat }
    }

    pub(super) async fn run(mut self, mut arriving: mpsc::Receiver<Job>) {
        let mut waiting = VecDeque::new();
        self.line.open();
        loop {
            self.heartbeat.beat();
            if waiting.is_empty() {
                tokio::select! {
                    biased;
                    job = arriving.recv() => match job {
                        Some(job) => waiting.push_back(job),
                        None => return,
                    },
                    () = self.line.tend() => {}
                    () = sleep(BEAT) => {}
                }
            }
            while let Ok(job) = arriving.try_recv() {
                waiting.push_back(job);
            }
            // Who has gone away in the meantime is not served.
            waiting.retain(|job: &Job| !job.answer.is_closed());
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
            }
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
