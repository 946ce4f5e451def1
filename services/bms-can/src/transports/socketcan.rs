//! A CAN interface of the kernel: used when it is up, used again when it comes back.
//!
//! `socket` is the raw socket and `frame_bytes` and `error_frame` what goes through it. `links` are the route netlink
//! sockets and `netlink` their messages: news of the interface, its state, its settings. `wishes` holds the settings
//! against the configuration, `diagnosis` says what errors mean, `adapters` which interface is meant. All but the
//! sockets is pure.

mod adapters;
pub mod diagnosis;
pub mod error_frame;
pub mod frame_bytes;
mod line;
mod links;
pub mod netlink;
mod scan;
mod socket;
pub mod wishes;

use std::io;
use std::path::Path;
use std::time::Duration;

use nix::errno::Errno;
use service_kit::{Backoff, Repeating, Report};
use tokio::time::{Instant, sleep, sleep_until};

pub use adapters::{Adapter, SELECTORS, Selector};
pub use scan::{CanInterface, scan};
pub use wishes::Wishes;

use super::LinkEvent;
use super::interest::Interest;
use crate::frame::Frame;
use crate::link_health::{BusState, LinkHealth};
use adapters::SYS_CLASS_NET;
use line::Line;
use links::{Links, Which};
use netlink::{Change, LinkInfo};
use wishes::{Verdict, judge, up_command, wants_restart, way_back};

/// Looked again without news.
const RECHECK: Duration = Duration::from_secs(2);
/// A bus without trouble for so long is well again, for the log.
const CALM: Duration = Duration::from_secs(30);

/// A CAN interface and what is to be done with it.
#[derive(Debug)]
pub struct SocketCan {
    selector: Selector,
    wishes: Wishes,
    interest: Interest,
    links: Option<Links>,
    state: State,
    health: LinkHealth,
    tx_dropped: u32,
    backoff: Backoff,
    /// Not before then is opened again what has failed.
    open_at: Option<Instant>,
    /// Not before then is the interface set up (again).
    change_at: Option<Instant>,
    failure: Repeating,
    sending: Repeating,
    restarting: Repeating,
    trouble: Repeating,
    troubled_at: Option<Instant>,
}

#[derive(Debug)]
enum State {
    /// Nobody has looked yet.
    Fresh,
    /// The interface is not there, or down, or fails.
    Waiting,
    Open(Box<Line>),
}

impl SocketCan {
    /// An interface. Nothing is opened yet.
    #[must_use]
    pub fn new(selector: Selector, wishes: Wishes, seed: u64) -> Self {
        SocketCan {
            selector,
            wishes,
            interest: Interest::Everything,
            links: None,
            state: State::Fresh,
            health: LinkHealth::default(),
            tx_dropped: 0,
            backoff: Backoff::for_hardware(seed),
            open_at: None,
            change_at: None,
            failure: Repeating::default(),
            sending: Repeating::default(),
            restarting: Repeating::default(),
            trouble: Repeating::default(),
            troubled_at: None,
        }
    }

    /// What happens next; frames are added to `frames`. Dropping the future loses nothing.
    pub async fn next(&mut self, frames: &mut Vec<Frame>) -> LinkEvent {
        loop {
            let event = match &mut self.state {
                State::Fresh => self.look(),
                State::Waiting => {
                    tokio::select! {
                        () = news(&mut self.links) => {}
                        () = sleep(RECHECK) => {}
                    }
                    self.look()
                }
                State::Open(line) => {
                    let look_at = line.look_at();
                    let outcome = tokio::select! {
                        outcome = line.read(frames) => outcome,
                        () = news(&mut self.links) => Ok(true),
                        () = sleep_until(look_at) => Ok(true),
                    };
                    let event = match outcome {
                        Ok(false) => None,
                        Ok(true) => self.look(),
                        Err(error) => self.read_failed(&error),
                    };
                    event.or(Some(LinkEvent::Frames))
                }
            };
            if let Some(event) = event {
                return event;
            }
        }
    }

    /// Sends a frame; false if it is lost. What does not fit into the queue is not tried again: it would be late.
    pub fn send(&mut self, frame: &Frame) -> bool {
        let State::Open(line) = &mut self.state else { return false };
        if self.wishes.listen_only || line.would_disturb() {
            return false;
        }
        let now = Instant::now();
        let Err(error) = line.send(frame) else {
            if let Some(report) = self.sending.ended(now) {
                tracing::info!("{} sends again: {report}", line.name());
            }
            return true;
        };
        if is_errno(&error, &[Errno::ENETDOWN, Errno::ENODEV, Errno::ENXIO]) {
            // That is looked at on its own account.
            line.look_soon(now);
            return false;
        }
        self.tx_dropped = self.tx_dropped.saturating_add(1);
        self.health.tx_dropped = Some(self.tx_dropped);
        let why = if is_errno(&error, &[Errno::ENOBUFS, Errno::EAGAIN]) {
            "the send queue is full, frames are dropped: nobody on the bus acknowledges them".to_owned()
        } else {
            format!("a frame is not sent: {error}")
        };
        if let Some(report) = self.sending.failed(now, &why) {
            tracing::warn!("{}: {report}", line.name());
        }
        false
    }

    /// What the link is waiting for, in a few words; `None` while it is open.
    #[must_use]
    pub fn waiting_for(&self) -> Option<String> {
        (!matches!(self.state, State::Open(_))).then(|| self.selector.to_string())
    }

    /// How the bus is.
    #[must_use]
    pub fn health(&self) -> &LinkHealth {
        &self.health
    }

    /// Has the kernel leave out frames that nobody wants, now and after each time the interface comes back.
    pub fn listen_to(&mut self, interest: Interest) {
        if self.interest == interest {
            return;
        }
        self.interest = interest;
        if let State::Open(line) = &self.state
            && let Err(error) = line.listen_to(&self.interest)
        {
            // Then too much comes instead of too little: no reason to end.
            tracing::warn!("{}: the kernel takes no filter: {error}", line.name());
        }
    }

    /// Looks at the interface as it is now, and opens or closes what has to be.
    fn look(&mut self) -> Option<LinkEvent> {
        let now = Instant::now();
        let found = self.find();
        match (&mut self.state, found) {
            (State::Open(line), Ok(Ok(link))) if link.is_up => {
                line.refresh(&link, &mut self.health, now);
                self.attend(&link, now);
                None
            }
            // It worked so far: that nobody tells about it is no reason to give it up.
            (State::Open(line), Err(_)) => {
                line.looked(now);
                None
            }
            (State::Open(_), Ok(Ok(link))) => {
                // Whoever has set it down may be about to do more.
                self.change_at = Some(now + RECHECK);
                self.open(&link, now)
            }
            (_, Ok(Ok(link))) => self.open(&link, now),
            (_, Ok(Err(why))) => self.wait(BusState::NoAdapter, why, now),
            (_, Err(error)) => {
                let why = format!("the kernel does not tell about interfaces: {error}");
                self.wait(BusState::Stopped, why, now)
            }
        }
    }

    /// The interface: the one that is open, or the one that the configuration means. Otherwise why there is none.
    fn find(&mut self) -> io::Result<Result<LinkInfo, String>> {
        let links = match &mut self.links {
            Some(links) => links,
            none => none.insert(Links::open()?),
        };
        if let State::Open(line) = &self.state {
            let link = links.link(Which::Index(line.index()))?;
            return Ok(link.ok_or_else(|| format!("{} was unplugged", line.name())));
        }
        let name = match self.selector.resolve(Path::new(SYS_CLASS_NET)) {
            Ok(name) => name,
            Err(why) => return Ok(Err(why)),
        };
        let link = links.link(Which::Name(&name))?;
        Ok(link.ok_or_else(|| format!("there is no interface {name}")))
    }

    /// Opens the interface, or says why not.
    fn open(&mut self, link: &LinkInfo, now: Instant) -> Option<LinkEvent> {
        let remark = match judge(link, &self.wishes) {
            Verdict::Unusable(why) => return self.wait(BusState::Stopped, why, now),
            Verdict::Change(changes) => return self.set_up(link, &changes, now),
            Verdict::Usable(_) if self.open_at.is_some_and(|at| now < at) => return None,
            Verdict::Usable(remark) => remark,
        };
        let mut line = match Line::open(link, &self.interest, now) {
            Ok(line) => line,
            Err(error) => {
                self.open_at = Some(now + self.backoff.failed(now));
                let why = format!("{} cannot be opened: {error}", link.name);
                return self.wait(BusState::Stopped, why, now);
            }
        };
        let rate = link.controller.bit_rate.map(|rate| format!(", {rate} bit/s")).unwrap_or_default();
        match self.failure.ended(now) {
            Some(Report::Ended { lasting, .. }) => {
                tracing::info!("{} is open after {:.1} s{rate}", link.name, lasting.as_secs_f64());
            }
            _ => tracing::info!("{} is open{rate}", link.name),
        }
        if let Some(remark) = remark {
            tracing::warn!("{remark}");
        }
        self.backoff.succeeded(now);
        self.health = LinkHealth { tx_dropped: Some(self.tx_dropped), ..LinkHealth::default() };
        line.refresh(link, &mut self.health, now);
        self.state = State::Open(Box::new(line));
        self.attend(link, now);
        Some(LinkEvent::Up)
    }

    /// Sets the interface up as the configuration wants it.
    fn set_up(&mut self, link: &LinkInfo, changes: &[Change], now: Instant) -> Option<LinkEvent> {
        let (name, command) = (&link.name, up_command(link, &self.wishes));
        if self.change_at.is_some_and(|at| now < at) {
            // What there is to say was said when it failed, unless it has just gone down.
            let is_news = matches!(self.state, State::Open(_));
            let why = format!("{name} is down and will be set up: \"{command}\"");
            return if is_news { self.wait(BusState::Stopped, why, now) } else { None };
        }
        let outcome = self.links.as_mut().map_or(Ok(()), |links| links.set_up(link, changes));
        // Should it not stay so, it is not tried again at once.
        self.change_at = Some(now + self.backoff.failed(now));
        if let Err(error) = outcome {
            let why =
                format!("{name} cannot be set up from here: {}; by hand: \"{command}\"", denied(&error));
            return self.wait(BusState::Stopped, why, now);
        }
        tracing::info!("{name} was set up, as by \"{command}\"");
        // It is opened on the news of the change.
        let was = std::mem::replace(&mut self.state, State::Waiting);
        matches!(was, State::Open(_)).then_some(LinkEvent::Down)
    }

    /// Says what is wrong with an open link, and does what it was told to about it.
    fn attend(&mut self, link: &LinkInfo, now: Instant) {
        let State::Open(line) = &mut self.state else { return };
        let name = &link.name;
        let cause = line.cause(&self.health, now).map(|cause| match self.health.state {
            Some(BusState::BusOff) => format!("{name}: {cause}; {}", way_back(link, &self.wishes)),
            _ => format!("{name}: {cause}"),
        });
        if let Some(cause) = &cause {
            self.troubled_at = Some(now);
            if let Some(report) = self.trouble.failed(now, cause) {
                tracing::warn!("{report}");
            }
        } else if self.troubled_at.is_some_and(|at| now.duration_since(at) >= CALM) {
            self.troubled_at = None;
            self.restarting.ended(now);
            self.trouble.ended(now);
            tracing::info!("{name} is well again");
        }
        self.health.trouble = cause;
        if !wants_restart(link, &self.wishes) {
            line.restart_at = None;
            return;
        }
        let is_due = line.restart_at.is_some_and(|at| at <= now);
        if is_due || line.restart_at.is_none() {
            line.restart_at = Some(now + self.backoff.failed(now));
        }
        let Some(links) = self.links.as_mut().filter(|_| is_due) else { return };
        let what = match links.restart(link.index) {
            Ok(()) => format!("{name} was restarted after bus-off"),
            Err(error) => format!("{name} cannot be restarted from here: {}", denied(&error)),
        };
        if let Some(report) = self.restarting.failed(now, &what) {
            tracing::warn!("{report}");
        }
    }

    fn read_failed(&mut self, error: &io::Error) -> Option<LinkEvent> {
        let now = Instant::now();
        if is_errno(error, &[Errno::ENETDOWN]) {
            // Told once; the socket is still good if the interface is up again.
            self.look()
        } else if is_errno(error, &[Errno::ENODEV, Errno::ENXIO]) {
            // Another interface may have the name by now: the socket belongs to the one that is gone.
            self.wait(BusState::NoAdapter, format!("{} was unplugged", self.selector), now)
        } else {
            self.open_at = Some(now + self.backoff.failed(now));
            self.wait(BusState::Stopped, format!("{} cannot be read: {error}", self.selector), now)
        }
    }

    /// There is nothing to use: news or the next look will tell.
    fn wait(&mut self, state: BusState, why: String, now: Instant) -> Option<LinkEvent> {
        if let Some(report) = self.failure.failed(now, &why) {
            tracing::warn!("{report}");
        }
        self.health = LinkHealth::without(state, why, Some(self.tx_dropped));
        let was = std::mem::replace(&mut self.state, State::Waiting);
        (!matches!(was, State::Waiting)).then_some(LinkEvent::Down)
    }
}

/// Returns when something about some interface may have changed.
async fn news(links: &mut Option<Links>) {
    match links {
        Some(links) => links.changed().await,
        None => std::future::pending().await,
    }
}

fn is_errno(error: &io::Error, among: &[Errno]) -> bool {
    error.raw_os_error().is_some_and(|number| among.contains(&Errno::from_raw(number)))
}

/// What the system says, and what right it takes.
fn denied(error: &io::Error) -> String {
    let hint = if is_errno(error, &[Errno::EPERM, Errno::EACCES]) { " (it takes CAP_NET_ADMIN)" } else { "" };
    format!("{error}{hint}")
}
