//! The converter is kept within the limits of the battery: what [`ceiling`](super::ceiling) decides is written, before any
//! request is served.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use service_kit::Repeating;
use tokio::sync::watch;
use tokio::time::Instant;

use super::ceiling::{Action, Ceiling, Force, Verdict, action};
use super::owner::Owner;
use crate::error::Error;
use crate::eza::command::{WRITE_BATTERY_TARGET, WRITE_CHARGING, WRITE_LIMITS};
use crate::eza::field;
use crate::eza::words::WAITING;

/// What the converter has not taken is written again after.
const AGAIN: Duration = Duration::from_secs(1);
/// A limit rises so often.
const RISES: Duration = Duration::from_secs(5);
/// While something is to be kept, it is looked at so often.
const LOOK: Duration = Duration::from_secs(1);

/// What is to be kept, and what was done for it.
#[derive(Debug)]
pub(super) struct Keeper {
    ceiling: watch::Receiver<Ceiling>,
    is_over: bool,
    raised_at: Option<Instant>,
    failed_at: Option<Instant>,
    failure: Repeating,
    stopped: Repeating,
}

impl Keeper {
    pub(super) fn new(ceiling: watch::Receiver<Ceiling>) -> Self {
        Self {
            ceiling,
            is_over: false,
            raised_at: None,
            failed_at: None,
            failure: Repeating::default(),
            stopped: Repeating::default(),
        }
    }

    /// Resolves when somebody has said something new.
    pub(super) async fn changed(&mut self) {
        if self.is_over || self.ceiling.changed().await.is_err() {
            // Nobody is left to say anything; what was said last grows old.
            self.is_over = true;
            pending::<()>().await;
        }
    }

    /// When to look again, if there is something to keep.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        (*self.ceiling.borrow() != Ceiling::Open).then_some(now + LOOK)
    }
}

impl Owner {
    /// What the converter may do as it is now.
    pub(super) fn verdict(&self) -> Verdict {
        self.keeper.ceiling.borrow().verdict(self.memory.mode(), Instant::now())
    }

    /// What it may do in a mode that is wished for.
    ///
    /// # Errors
    /// It may not have that mode.
    pub(super) fn may_run(&self, mode: u16) -> Result<Verdict, Error> {
        let verdict = self.keeper.ceiling.borrow().verdict(Some(mode), Instant::now());
        match &verdict {
            Verdict::Stop(why) | Verdict::Hold(why) if mode != WAITING => Err(Error::Held(why.clone())),
            _ => Ok(verdict),
        }
    }

    /// Lowers the battery current of what 6-4 is to send.
    pub(super) fn lower(&self, limits: &mut [u16; 6], verdict: &Verdict) {
        let present = self.picture.borrow().limits.words().map(|[cib, ..]| cib);
        let [cib, ..] = limits;
        *cib = verdict.current(*cib, present);
    }

    /// Lowers a battery voltage that is to be sent.
    pub(super) fn lower_voltage(&self, volts: u16, verdict: &Verdict) -> u16 {
        let present = self.picture.borrow().battery_target.words().map(|[cvb, _]| cvb);
        verdict.voltage(volts, present)
    }

    /// Writes what has to be written first, if anything has.
    pub(super) async fn keep_limits(&mut self) -> bool {
        let now = Instant::now();
        let is_resting = |since: Option<Instant>, pause| since.is_some_and(|at| now < at + pause);
        if *self.keeper.ceiling.borrow() == Ceiling::Open || is_resting(self.keeper.failed_at, AGAIN) {
            return false;
        }
        let verdict = self.verdict();
        let Some(force) = self.force(!is_resting(self.keeper.raised_at, RISES)) else { return false };
        self.show_verdict(&verdict, now);
        let Some(action) = action(&verdict, force) else { return false };
        let outcome = match &action {
            Action::Stop(_) => self.write_mode(WAITING).await.map(drop),
            Action::Current(word) => self.limit_current(*word).await,
            Action::Voltage(word) => self.limit_voltage(*word).await,
        };
        let now = Instant::now();
        let report = match (&action, outcome) {
            (_, Err(error)) => {
                self.keeper.failed_at = Some(now);
                self.keeper
                    .failure
                    .failed(now, &format!("the converter does not take the battery's limits: {error}"))
            }
            (Action::Stop(why), Ok(())) => {
                tracing::warn!("the converter is sent to waiting: {why}");
                self.keeper.failure.ended(now)
            }
            (_, Ok(())) => {
                self.keeper.raised_at = Some(now);
                self.keeper.failure.ended(now)
            }
        };
        if let Some(report) = report {
            tracing::warn!("{report}");
        }
        true
    }

    /// What is in force, where that is known well enough to decide.
    fn force(&self, may_raise: bool) -> Option<Force> {
        let config = self.config.borrow();
        let (settings, check) = (&config.converter.settings, config.converter.range_check);
        let picture = self.picture.borrow();
        Some(Force {
            mode: self.memory.mode(),
            current: (
                picture.limits.words().map(|[cib, ..]| cib),
                settings.cib.word(&field::CIB, check).ok()?,
            ),
            voltage: (
                picture.battery_target.words().map(|[cvb, _]| cvb),
                settings.cvb.word(&field::CVB, check).ok()?,
            ),
            may_raise,
        })
    }

    async fn limit_current(&mut self, word: u16) -> Result<(), Error> {
        let present = self.picture.borrow().limits.words();
        let Some([_, dig, ubv, ugv, obv, ogv]) = present else { return Ok(()) };
        self.send(&WRITE_LIMITS, [word, dig, ubv, ugv, obv, ogv]).await.map(drop)
    }

    async fn limit_voltage(&mut self, word: u16) -> Result<(), Error> {
        let (target, charging) = {
            let picture = self.picture.borrow();
            (picture.battery_target.words(), picture.charging.words())
        };
        if let Some([bcf, _, dlb, cdb, ddb]) = charging {
            self.send(&WRITE_CHARGING, [bcf, word, dlb, cdb, ddb]).await?;
        }
        let Some([_, droop]) = target else { return Ok(()) };
        self.send(&WRITE_BATTERY_TARGET, [word, droop]).await.map(drop)
    }

    fn show_verdict(&mut self, verdict: &Verdict, now: Instant) {
        let held = match verdict {
            Verdict::Stop(why) | Verdict::Hold(why) => Some(Arc::clone(why)),
            Verdict::Free | Verdict::Cap { .. } => None,
        };
        let report = match &held {
            Some(why) => self.keeper.stopped.failed(now, &format!("the converter may not run: {why}")),
            None => self.keeper.stopped.ended(now),
        };
        if let Some(report) = report {
            tracing::info!("{report}");
        }
        self.picture.send_if_modified(|picture| std::mem::replace(&mut picture.held, held.clone()) != held);
    }
}
