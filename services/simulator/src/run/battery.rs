//! One battery on its terminal, in real time.

use std::io;
use std::path::{Path, PathBuf};

use service_kit::Heartbeat;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::beat::{Beat, Bus};
use super::{Event, RunError};
use crate::command::Action;
use crate::device::Device;
use crate::link::Link;
use crate::pace::Pace;
use crate::pty::{Happened, Pty};

/// A full bus at 500 kbit/s carries about this many of the frames per second.
const FULL_BUS_FRAMES_PER_S: u32 = 4_000;

/// One battery while it runs.
pub(super) struct Battery {
    /// Its number, from 0.
    pub(super) number: usize,
    /// What it does.
    pub(super) device: Device,
    /// The link to its terminal.
    pub(super) link: PathBuf,
    /// How its time passes.
    pub(super) beat: Beat,
    /// Frames of a busy bus per second.
    pub(super) frames_per_s: Option<u32>,
    /// Who hears what happens.
    pub(super) events: mpsc::Sender<Event>,
    /// The watchdog's.
    pub(super) heartbeat: Heartbeat,
}

/// A terminal with its link; the link goes first, then the terminal hangs up.
struct Port {
    _link: Link,
    pty: Pty,
}

impl Port {
    fn open(link: &Path) -> Result<Self, RunError> {
        let pty = Pty::open()?;
        let made = Link::create(link, pty.path());
        let link = made.map_err(|source| RunError::Link { path: link.to_owned(), source })?;
        Ok(Self { _link: link, pty })
    }
}

impl Battery {
    /// Serves its terminal until it is dropped.
    pub(super) async fn serve(mut self, mut commands: mpsc::Receiver<Action>) -> Result<(), RunError> {
        let mut port = None;
        let mut buffer = [0; 4_096];
        let mut ticks = Pace::new(Instant::now(), self.beat.tick);
        let mut to_cycle = 0;
        let mut bus = Bus::default();
        loop {
            self.heartbeat.beat();
            self.plug(&mut port)?;
            let rate = self.frames_per_s.or(self.device.bursting().then_some(FULL_BUS_FRAMES_PER_S));
            bus.set_rate(rate, Instant::now());
            if let Some(port) = &port {
                port.pty.send(self.device.outbox())?;
            }
            let sending = !self.device.outbox().pending().is_empty();
            let wake = bus.next().map_or(ticks.next(), |next| next.min(ticks.next()));
            tokio::select! {
                biased;
                Some(action) = commands.recv() => self.command(&action),
                () = sleep_until(wake) => {
                    for _ in 0..ticks.due(Instant::now()) {
                        self.device.step(self.beat.tick_s);
                        if to_cycle == 0 {
                            to_cycle = self.beat.ticks_per_cycle;
                            if rate.is_some() { self.device.refresh() } else { self.device.cycle() }
                        }
                        to_cycle -= 1;
                    }
                    self.device.repeat(bus.due(Instant::now()));
                }
                happened = happening(port.as_mut(), &mut buffer, sending) => match happened? {
                    Happened::Received(count) => self.device.receive(buffer.get(..count).unwrap_or_default()),
                    Happened::Audience => {
                        let heard = port.as_ref().is_some_and(|port: &Port| port.pty.heard());
                        self.device.set_heard(heard);
                    }
                    Happened::Writable => {}
                },
            }
        }
    }

    /// Makes the port as the device says it is: plugged in or not.
    fn plug(&mut self, port: &mut Option<Port>) -> Result<(), RunError> {
        let event = match (self.device.plugged(), &port) {
            (true, None) => {
                let opened = Port::open(&self.link)?;
                self.device.power_up_adapter();
                let terminal = opened.pty.path().to_owned();
                *port = Some(opened);
                Event::Ready { battery: self.number, terminal, link: self.link.clone() }
            }
            (false, Some(_)) => {
                *port = None;
                Event::Unplugged { battery: self.number }
            }
            _ => return Ok(()),
        };
        // A reader that does not read misses news; the battery goes on.
        let _ = self.events.try_send(event);
        Ok(())
    }

    fn command(&mut self, action: &Action) {
        self.device.apply(action);
        let battery = self.number;
        match action {
            Action::Status => {
                let _ = self.events.try_send(Event::Status { battery, text: self.device.status() });
            }
            Action::Report => {
                for report in self.device.reports() {
                    let _ = self.events.try_send(Event::Report { battery, text: report.to_string() });
                }
            }
            _ => {}
        }
    }
}

async fn happening(port: Option<&mut Port>, buffer: &mut [u8], sending: bool) -> io::Result<Happened> {
    match port {
        Some(port) => port.pty.happening(buffer, sending).await,
        None => std::future::pending().await,
    }
}
