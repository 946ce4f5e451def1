//! An inverter's CAN adapter: its terminal, and the second in which it speaks.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use service_kit::Heartbeat;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::{Hybrid, HybridConfig};
use crate::adapters::slcan::{Action, Adapter, TransmitReply};
use crate::link::Link;
use crate::outbox::Outbox;
use crate::pace::Pace;
use crate::pty::{Happened, Pty};
use crate::run::{Event, RunError};

/// An inverter that its battery and its adapter share.
pub type Shared = Arc<Mutex<Hybrid>>;

/// An inverter to share.
pub fn shared(config: &HybridConfig) -> Shared {
    Arc::new(Mutex::new(Hybrid::new(config.kind, config.grid, config.load_w)))
}

/// Whoever panicked with it has left numbers, and numbers are fine.
pub(crate) fn lock(hybrid: &Shared) -> MutexGuard<'_, Hybrid> {
    hybrid.lock().unwrap_or_else(PoisonError::into_inner)
}

/// It speaks so often.
const EVERY: Duration = Duration::from_secs(1);
/// What its adapter holds back.
const BUFFER: usize = 2_048;

/// The adapter while it runs.
pub(crate) struct Port {
    /// The battery on whose busbar it hangs.
    pub(crate) number: usize,
    pub(crate) hybrid: Shared,
    pub(crate) link: PathBuf,
    pub(crate) events: mpsc::Sender<Event>,
    pub(crate) heartbeat: Heartbeat,
}

impl Port {
    /// Runs for ever.
    pub(crate) async fn serve(self) -> Result<(), RunError> {
        let mut pty = Pty::open()?;
        let made = Link::create(&self.link, pty.path());
        let _link = made.map_err(|source| RunError::Link { path: self.link.clone(), source })?;
        let terminal = pty.path().to_owned();
        let ready = Event::InverterReady { battery: self.number, terminal, link: self.link.clone() };
        // A reader that does not read misses news; the inverter goes on.
        let _ = self.events.try_send(ready);
        let (mut adapter, mut outbox) = (Adapter::new(TransmitReply::default()), Outbox::new(BUFFER));
        let (mut buffer, mut line) = ([0; 4_096], Vec::new());
        let mut pace = Pace::new(Instant::now(), EVERY);
        loop {
            self.heartbeat.beat();
            pty.send(&mut outbox)?;
            let sending = !outbox.pending().is_empty();
            tokio::select! {
                biased;
                () = sleep_until(pace.next()) => {
                    pace.due(Instant::now());
                    if pty.heard() && adapter.is_open() {
                        for frame in lock(&self.hybrid).frames() {
                            adapter.line(&frame, 0, &mut line);
                            if !outbox.push(&line) {
                                adapter.note_overrun();
                            }
                        }
                    }
                }
                happened = pty.happening(&mut buffer, sending) => match happened? {
                    Happened::Received(count) => {
                        for action in adapter.receive(buffer.get(..count).unwrap_or_default()) {
                            match action {
                                Action::Answer(answer) => _ = outbox.push(&answer),
                                Action::Transmit(frame) => lock(&self.hybrid).hear(&frame),
                            }
                        }
                    }
                    Happened::Audience if !pty.heard() => outbox.clear(),
                    Happened::Audience | Happened::Writable => {}
                },
            }
        }
    }
}
