//! The task that owns the battery's port.

use std::path::PathBuf;
use std::time::Duration;

use service_kit::{Heartbeat, Repeating, random_seed};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::rtu::{self, Answer};
use super::{Job, Known, RawRequest, Reading};
use crate::config::Battery;
use crate::error::Error;
use crate::line::{Heard, Line, Patience, Unheard};

const BEAT: Duration = Duration::from_secs(4);
/// From byte to byte; a frame has no pauses, but an adapter may.
const GAP: Duration = Duration::from_millis(50);
/// A battery that has just been silent gets only this long: one that is there answers within a third of it.
const SILENT_BEFORE: Duration = Duration::from_millis(90);
/// After an answer that did not come: longer than any adapter holds bytes back.
const REST: Duration = Duration::from_millis(10);

/// Who shows readings gets one so often.
const POLL: Duration = Duration::from_secs(2);

pub(super) struct Owner {
    line: Line,
    config: Battery,
    known: watch::Sender<Known>,
    polls: bool,
    /// When the battery was last asked.
    asked_at: Option<Instant>,
    /// No request goes out before.
    free_at: Option<Instant>,
    is_silent: bool,
    failure: Repeating,
}

impl Owner {
    pub(super) fn new(config: Battery, port: PathBuf, polls: bool, known: watch::Sender<Known>) -> Self {
        let line = Line::new(port, config.baud, config.direction.clone(), random_seed());
        Self {
            line,
            config,
            known,
            polls,
            asked_at: None,
            free_at: None,
            is_silent: false,
            failure: Repeating::default(),
        }
    }

    pub(super) async fn run(mut self, mut jobs: mpsc::Receiver<Job>, heartbeat: Heartbeat) {
        self.line.open();
        loop {
            heartbeat.beat();
            let is_open = self.line.is_open();
            self.known.send_if_modified(|known| std::mem::replace(&mut known.is_open, is_open) != is_open);
            let now = Instant::now();
            let poll_at = self.asked_at.map_or(now, |at| at + POLL);
            let wake = if self.polls && is_open { poll_at.min(now + BEAT) } else { now + BEAT };
            let job = tokio::select! {
                biased;
                job = jobs.recv() => match job {
                    Some(job) => Some(job),
                    None => return,
                },
                () = sleep_until(wake) => None,
                () = self.line.tend() => continue,
            };
            match job {
                Some(Job::Read(answer)) if !answer.is_closed() => {
                    self.line.open();
                    let reading = self.reading().await;
                    // The other end may have gone away.
                    let _ = answer.send(reading);
                }
                Some(Job::Raw(request, answer)) if !answer.is_closed() => {
                    self.line.open();
                    let outcome = self.raw(&request).await;
                    let _ = answer.send(outcome);
                }
                None if self.polls && self.line.is_open() && poll_at <= Instant::now() => {
                    let reading = self.reading().await;
                    // Who has come meanwhile waits no longer than for this.
                    while let Ok(job) = jobs.try_recv() {
                        match job {
                            Job::Read(answer) => drop(answer.send(reading.clone())),
                            Job::Raw(request, answer) => drop(answer.send(self.raw(&request).await)),
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// Reads the battery, and tells what came of it.
    async fn reading(&mut self) -> Result<Reading, Error> {
        let reading = self.read().await;
        let now = Instant::now();
        self.asked_at = Some(now);
        let report = match &reading {
            Ok(reading) => {
                self.known.send_modify(|known| known.reading = Some((*reading, now)));
                self.failure.ended(now)
            }
            Err(error) => self.failure.failed(now, &format!("the battery does not answer: {error}")),
        };
        if let Some(report) = report {
            tracing::warn!(port = %self.line.path().display(), "{report}");
        }
        reading
    }

    async fn raw(&mut self, request: &RawRequest) -> Result<Vec<u8>, Error> {
        let patience = Patience { first: request.timeout, gap: GAP, whole: request.timeout };
        let bytes = rtu::frame(request.unit, &request.pdu);
        let heard = self.talk(&bytes, patience, |received| match rtu::find_any(received, &bytes) {
            Some(answer) => Heard::Answer(answer),
            None => Heard::More(false),
        });
        match heard.await {
            Ok(answer) => Ok(answer),
            Err(Unheard::Silence(_)) => Err(Error::BatterySilent),
            Err(Unheard::NoPort(why)) => Err(Error::NoPort(why)),
        }
    }

    async fn read(&mut self) -> Result<Reading, Error> {
        let (rsoc, status) = (self.config.rsoc_register, self.config.status_register);
        if rsoc.checked_add(1) == Some(status) {
            let [rsoc, status] = self.registers(rsoc).await?;
            return Ok(Reading { rsoc, status });
        }
        let ([rsoc], [status]) = (self.registers(rsoc).await?, self.registers(status).await?);
        Ok(Reading { rsoc, status })
    }

    async fn registers<const N: usize>(&mut self, first: u16) -> Result<[u16; N], Error> {
        let count = u8::try_from(N).unwrap_or(rtu::MOST);
        let unit = self.config.unit;
        let timeout = self.config.timeout();
        let first_byte = if self.is_silent { timeout.min(SILENT_BEFORE) } else { timeout };
        let patience = Patience { first: first_byte, gap: GAP, whole: timeout };
        let request = rtu::request(unit, first, count);
        let heard = self.talk(&request, patience, |received| match rtu::find(received, unit, count) {
            Some(answer) => Heard::Answer(answer),
            None => Heard::More(false),
        });
        let heard = heard.await;
        self.is_silent = heard.is_err();
        match heard {
            Ok(Answer::Registers(words)) => words.try_into().map_err(|_| Error::BatterySilent),
            Ok(Answer::Refused(code)) => Err(Error::BatteryRefuses(code)),
            Err(Unheard::Silence(_)) => Err(Error::BatterySilent),
            Err(Unheard::NoPort(why)) => Err(Error::NoPort(why)),
        }
    }

    /// One exchange, with the silence that has to be between two.
    async fn talk<T>(
        &mut self,
        request: &[u8],
        patience: Patience,
        find: impl Fn(&[u8]) -> Heard<T>,
    ) -> Result<T, Unheard> {
        if let Some(free_at) = self.free_at.filter(|at| *at > Instant::now()) {
            sleep_until(free_at).await;
        }
        let heard = self.line.talk(request, patience, find).await;
        // Three and a half characters of silence between frames.
        let between = Duration::from_secs(35) / self.config.baud.max(1);
        self.free_at = Some(Instant::now() + if heard.is_ok() { between } else { between.max(REST) });
        heard
    }
}
