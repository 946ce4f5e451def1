//! The task that owns the battery's port.

use std::path::PathBuf;
use std::time::Duration;

use service_kit::{Heartbeat, Repeating, random_seed};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

use super::rtu::{self, Answer};
use super::{Job, Reading};
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

pub(super) struct Owner {
    line: Line,
    config: Battery,
    /// No request goes out before.
    free_at: Option<Instant>,
    is_silent: bool,
    failure: Repeating,
}

impl Owner {
    pub(super) fn new(config: Battery, port: PathBuf) -> Self {
        let line = Line::new(port, config.baud, random_seed());
        Self { line, config, free_at: None, is_silent: false, failure: Repeating::default() }
    }

    pub(super) async fn run(mut self, mut jobs: mpsc::Receiver<Job>, heartbeat: Heartbeat) {
        self.line.open();
        loop {
            heartbeat.beat();
            let job = tokio::select! {
                biased;
                job = jobs.recv() => match job {
                    Some(job) => job,
                    None => return,
                },
                () = self.line.tend() => continue,
                () = sleep(BEAT) => continue,
            };
            if job.is_closed() {
                continue;
            }
            self.line.open();
            let reading = self.read().await;
            let now = Instant::now();
            let report = match &reading {
                Ok(_) => self.failure.ended(now),
                Err(error) => self.failure.failed(now, &format!("the battery does not answer: {error}")),
            };
            if let Some(report) = report {
                tracing::warn!(port = %self.line.path().display(), "{report}");
            }
            // The other end may have gone away.
            let _ = job.send(reading);
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
        if let Some(free_at) = self.free_at.filter(|at| *at > Instant::now()) {
            sleep_until(free_at).await;
        }
        let timeout = self.config.timeout();
        let first_byte = if self.is_silent { timeout.min(SILENT_BEFORE) } else { timeout };
        let patience = Patience { first: first_byte, gap: GAP, whole: timeout };
        let request = rtu::request(unit, first, count);
        let heard = self.line.talk(&request, patience, |received| match rtu::find(received, unit, count) {
            Some(answer) => Heard::Answer(answer),
            None => Heard::More(false),
        });
        let heard = heard.await;
        // Three and a half characters of silence between frames.
        let between = Duration::from_secs(35) / self.config.baud.max(1);
        self.free_at = Some(Instant::now() + if heard.is_ok() { between } else { between.max(REST) });
        self.is_silent = heard.is_err();
        match heard {
            Ok(Answer::Registers(words)) => words.try_into().map_err(|_| Error::BatterySilent),
            Ok(Answer::Refused(code)) => Err(Error::BatteryRefuses(code)),
            Err(Unheard::Silence(_)) => Err(Error::BatterySilent),
            Err(Unheard::NoPort(why)) => Err(Error::NoPort(why)),
        }
    }
}
