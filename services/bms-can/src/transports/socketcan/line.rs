//! An interface in use.

use std::io;
use std::time::Duration;

use tokio::time::Instant;

use super::diagnosis::{Cause, Symptoms};
use super::frame_bytes::Received;
use super::netlink::{LinkInfo, Traffic};
use super::socket::{RawSocket, When};
use crate::frame::Frame;
use crate::link_health::{BusState, LinkHealth};
use crate::transports::interest::Interest;
use crate::transports::load::{LoadMeter, bits_of_many};
use crate::transports::pacing::Pacing;

/// How often the kernel is asked about a bus with traffic; costs no wake-up of its own.
const EVERY: Duration = Duration::from_secs(5);
/// How often about a silent one.
const SILENT: Duration = Duration::from_secs(10);
/// How often about one with errors.
const TROUBLED: Duration = Duration::from_secs(2);

/// The socket, and what is known from it.
#[derive(Debug)]
pub(super) struct Line {
    socket: RawSocket,
    name: String,
    index: u32,
    pacing: Pacing,
    meter: LoadMeter,
    traffic: Option<Traffic>,
    symptoms: Symptoms,
    /// What the controller has reported last; what the kernel tells outranks it.
    reported_state: Option<BusState>,
    reported_counters: Option<(u16, u16)>,
    looked: Instant,
    cause: Option<Cause>,
    /// When the controller is to be restarted.
    pub(super) restart_at: Option<Instant>,
}

impl Line {
    pub(super) fn open(link: &LinkInfo, interest: &Interest, now: Instant) -> io::Result<Line> {
        Ok(Line {
            socket: RawSocket::open(link.index, interest)?,
            name: link.name.clone(),
            index: link.index,
            pacing: Pacing::new(now),
            meter: LoadMeter::new(now),
            traffic: link.traffic,
            symptoms: Symptoms::default(),
            reported_state: None,
            reported_counters: None,
            looked: now,
            cause: None,
            restart_at: None,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn index(&self) -> u32 {
        self.index
    }

    /// Whether frames of ours may disturb others': what comes is broken, and nothing has come whole. Then the bit rate is
    /// probably another.
    pub(super) fn would_disturb(&self) -> bool {
        self.cause == Some(Cause::Garbled) && !self.symptoms.has_heard()
    }

    pub(super) fn send(&self, frame: &Frame) -> io::Result<()> {
        self.socket.send(frame)
    }

    pub(super) fn listen_to(&self, interest: &Interest) -> io::Result<()> {
        self.socket.listen_to(interest)
    }

    /// When it is time to look at the interface even if nothing comes.
    pub(super) fn look_at(&self) -> Instant {
        let routine = self.looked + if self.cause.is_some() { TROUBLED } else { SILENT };
        self.restart_at.map_or(routine, |restart| restart.min(routine))
    }

    /// The interface was looked at, without result.
    pub(super) fn looked(&mut self, now: Instant) {
        self.looked = now;
    }

    /// Has the interface looked at in the next turn.
    pub(super) fn look_soon(&mut self, now: Instant) {
        self.looked = now.checked_sub(SILENT).unwrap_or(now);
    }

    /// Reads what there is; true when it is time to look at the interface.
    pub(super) async fn read(&mut self, frames: &mut Vec<Frame>) -> io::Result<bool> {
        self.pacing.rest().await;
        let when = if self.pacing.is_stream() { When::Now } else { When::SomethingCame };
        let before = frames.len();
        let mut errors = 0;
        let (symptoms, state, counters) =
            (&mut self.symptoms, &mut self.reported_state, &mut self.reported_counters);
        self.socket
            .read(when, |received| match received {
                Received::Frame(frame) => frames.push(frame),
                Received::Error(error) => {
                    errors += 1;
                    tracing::debug!("{error}");
                    symptoms.see(&error, Instant::now());
                    *state = error.state().or(*state);
                    *counters = error.counters.map(|(tx, rx)| (tx.into(), rx.into())).or(*counters);
                }
            })
            .await?;
        let now = Instant::now();
        self.pacing.has_read(frames.len() - before + errors, now);
        if frames.len() > before {
            self.symptoms.heard(now);
        }
        let since_look = now.duration_since(self.looked);
        // The first error is looked at at once, a storm of them now and then.
        let is_news = errors > 0 && (self.cause.is_none() || since_look >= TROUBLED);
        Ok(is_news || since_look >= EVERY)
    }

    /// Takes in how the interface is.
    pub(super) fn refresh(&mut self, link: &LinkInfo, health: &mut LinkHealth, now: Instant) {
        self.looked = now;
        let controller = &link.controller;
        let counters = controller.counters.or(self.reported_counters);
        health.state = controller.state.or(self.reported_state);
        health.tx_errors = counters.map(|(tx, _)| tx);
        health.rx_errors = counters.map(|(_, rx)| rx);
        health.bit_rate = controller.bit_rate;
        self.measure(link, health, now);
        let overflows = self.socket.overflows();
        let lost = overflows.unwrap_or_default().saturating_sub(health.overflows.unwrap_or_default());
        self.symptoms.lost(lost, now);
        health.overflows = overflows;
    }

    fn measure(&mut self, link: &LinkInfo, health: &mut LinkHealth, now: Instant) {
        if let (Some(new), Some(old)) = (link.traffic, self.traffic) {
            let (frames, bytes) =
                (new.frames.saturating_sub(old.frames), new.bytes.saturating_sub(old.bytes));
            self.meter.add(bits_of_many(frames, bytes));
        }
        self.traffic = link.traffic;
        match link.controller.bit_rate {
            Some(bit_rate) => health.load_pct = self.meter.take(bit_rate, now).or(health.load_pct),
            None => health.load_pct = None,
        }
    }

    /// What is probably wrong.
    pub(super) fn cause(&mut self, health: &LinkHealth, now: Instant) -> Option<Cause> {
        let counters = health.tx_errors.zip(health.rx_errors);
        let cause = self.symptoms.cause(health.state, counters, now);
        self.cause = cause;
        cause
    }
}
