//! A terminal served by a thread of its own: bytes leave at absolute deadlines, as a UART sends them.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use rustix::termios::{self, ControlModes, InputModes, OptionalActions};
use tokio::time::Instant;

use super::lock;
use crate::link::Link;
use crate::uart::{Character, Parity, Setting, heard};

/// The thread looks so often whether it is to end.
const LOOK: Duration = Duration::from_millis(100);

/// What hangs on a line.
pub trait Device: Send + fmt::Debug {
    /// Takes a byte that has been received at `now`; the reply, when it ends a request.
    fn receive(&mut self, byte: u8, now: Instant) -> Option<Reply>;
}

/// A reply on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// What is sent.
    pub bytes: Vec<u8>,
    /// Pauses before it and in its middle.
    pub pauses: [Duration; 2],
}

/// How time passes on a line.
#[derive(Debug, Clone, Copy)]
pub struct Pacing {
    byte: Duration,
    turnaround: Duration,
}

impl Pacing {
    /// As fast as the line carries characters, or at once; replies begin so long after the end of their request.
    #[must_use]
    pub fn new(carried: Option<Setting>, turnaround_ms: f64) -> Self {
        let byte = carried.map_or(0.0, |by| f64::from(by.bits_per_byte()) / f64::from(by.baud.max(1)));
        Self { byte: Duration::from_secs_f64(byte), turnaround: Duration::from_secs_f64(turnaround_ms / 1e3) }
    }
}

/// How late bytes have left.
#[derive(Debug, Clone, Copy, Default)]
pub struct Timing {
    bytes: u32,
    total: Duration,
    worst: Duration,
}

impl fmt::Display for Timing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mean = self.total / self.bytes.max(1);
        write!(f, "bytes={} mean_us={} worst_us={}", self.bytes, mean.as_micros(), self.worst.as_micros())
    }
}

/// A line that is served; not any more when this is dropped.
#[derive(Debug)]
pub struct Line {
    terminal: PathBuf,
    _link: Link,
    ending: Arc<AtomicBool>,
    timing: Arc<Mutex<Timing>>,
    thread: Option<JoinHandle<()>>,
}

impl Line {
    /// Opens a terminal behind `link` and serves it. With a `setting`, who has set another rate or parity on the terminal
    /// is not understood, and does not understand.
    ///
    /// # Errors
    /// No terminal, no link or no thread.
    pub fn start(
        link: &Path,
        pacing: Pacing,
        setting: Option<Setting>,
        device: Arc<Mutex<dyn Device>>,
    ) -> io::Result<Self> {
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        rustix::fs::fcntl_setfl(&master, OFlags::NONBLOCK)?;
        rustix::pty::grantpt(&master)?;
        rustix::pty::unlockpt(&master)?;
        let name = rustix::pty::ptsname(&master, Vec::new())?;
        let terminal = PathBuf::from(OsStr::from_bytes(name.as_bytes()));
        // Held open, so that the master does not fail while nobody listens.
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let host_side = rustix::fs::open(&terminal, flags, Mode::empty())?;
        let mut modes = termios::tcgetattr(&host_side)?;
        modes.make_raw();
        termios::tcsetattr(&host_side, OptionalActions::Now, &modes)?;
        let link = Link::create(link, &terminal)?;
        let (ending, timing) = (Arc::<AtomicBool>::default(), Arc::<Mutex<Timing>>::default());
        let mut serving = Serving {
            master,
            _host_side: host_side,
            pacing,
            setting,
            device,
            ending: ending.clone(),
            timing: timing.clone(),
            due: Vec::new(),
        };
        // A terminal that fails ends its thread; whoever listens hears silence.
        let thread = std::thread::Builder::new().name("line".to_owned()).spawn(move || {
            let _ = serving.run();
        })?;
        Ok(Self { terminal, _link: link, ending, timing, thread: Some(thread) })
    }

    /// The host's side, `/dev/pts/…`.
    #[must_use]
    pub fn terminal(&self) -> &Path {
        &self.terminal
    }

    /// How late bytes have left so far.
    #[must_use]
    pub fn timing(&self) -> Timing {
        *lock(&self.timing)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Serving {
    master: OwnedFd,
    _host_side: OwnedFd,
    pacing: Pacing,
    /// How the device is set, where that counts.
    setting: Option<Setting>,
    device: Arc<Mutex<dyn Device>>,
    ending: Arc<AtomicBool>,
    timing: Arc<Mutex<Timing>>,
    /// Bytes and when each has to be there, in order.
    due: Vec<(Instant, u8)>,
}

impl Serving {
    fn run(&mut self) -> io::Result<()> {
        let mut buffer = [0; 256];
        // When the last byte of what the host has written has passed over the wire.
        let mut wire_free = Instant::now();
        while !self.ending.load(Ordering::Relaxed) {
            let now = Instant::now();
            let next = self.due.first().map_or(LOOK, |(at, _)| at.saturating_duration_since(now));
            let timeout = Timespec {
                tv_sec: i64::try_from(next.as_secs()).unwrap_or(0),
                tv_nsec: next.subsec_nanos().into(),
            };
            let mut polled = [PollFd::new(&self.master, PollFlags::IN)];
            match poll(&mut polled, Some(&timeout)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            self.send(Instant::now())?;
            let count = match rustix::io::read(&self.master, &mut buffer) {
                Ok(count) => count,
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            };
            let now = Instant::now();
            wire_free = wire_free.max(now);
            let written = buffer.get(..count).unwrap_or_default();
            let received = match self.settings()? {
                Some((own, host)) => heard(written, host, own),
                None => written.to_vec(),
            };
            for byte in received {
                wire_free += self.pacing.byte;
                let reply = lock(&self.device).receive(byte, wire_free);
                if let Some(reply) = reply {
                    self.plan(&reply, wire_free);
                }
            }
        }
        Ok(())
    }

    /// How the device is set and how the host is, where that counts.
    fn settings(&self) -> io::Result<Option<(Setting, Setting)>> {
        let Some(own) = self.setting else { return Ok(None) };
        Ok(Some((own, host_setting(&self.master)?)))
    }

    fn plan(&mut self, reply: &Reply, request_end: Instant) {
        let [before, inside] = reply.pauses;
        let mut at = request_end + self.pacing.turnaround + before;
        for (n, byte) in reply.bytes.iter().enumerate() {
            if n == reply.bytes.len() / 2 {
                at += inside;
            }
            at += self.pacing.byte;
            self.due.push((at, *byte));
        }
        self.due.sort_by_key(|(at, _)| *at);
    }

    fn send(&mut self, now: Instant) -> io::Result<()> {
        let count = self.due.iter().take_while(|(at, _)| *at <= now).count();
        if count == 0 {
            return Ok(());
        }
        let mut timing = lock(&self.timing);
        let bytes: Vec<u8> = self
            .due
            .drain(..count)
            .map(|(at, byte)| {
                let late = now.saturating_duration_since(at);
                timing.bytes = timing.bytes.saturating_add(1);
                timing.total += late;
                timing.worst = timing.worst.max(late);
                byte
            })
            .collect();
        drop(timing);
        let bytes = match self.settings()? {
            Some((own, host)) => heard(&bytes, own, host),
            None => bytes,
        };
        // Nobody reads: the terminal is full and bytes are lost, as on a wire.
        match rustix::io::write(&self.master, &bytes) {
            Ok(_) | Err(rustix::io::Errno::AGAIN) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// What the host has set on its side: the master of a terminal tells the modes of the other side (tty_ioctl(4)).
///
/// A pseudo-terminal does not keep `PARENB` (Linux, drivers/tty/pty.c, `pty_set_termios`). Who checks the parity of what he
/// receives has switched it on.
fn host_setting(master: &OwnedFd) -> io::Result<Setting> {
    let modes = termios::tcgetattr(master)?;
    let (control, input) = (modes.control_modes, modes.input_modes);
    let has_parity =
        control.intersects(ControlModes::PARENB | ControlModes::PARODD) || input.contains(InputModes::INPCK);
    let parity = match has_parity {
        false => Parity::None,
        true if control.contains(ControlModes::PARODD) => Parity::Odd,
        true => Parity::Even,
    };
    let two_stop_bits = control.contains(ControlModes::CSTOPB);
    Ok(Setting { baud: modes.output_speed(), character: Character { parity, two_stop_bits } })
}
