//! The device end of a serial port: a pseudo-terminal that behaves like a USB adapter.
//!
//! The host's side is held open here too, so that the master does not report an error for every moment in which no
//! program has it open. That hides who listens, so a watch on the terminal counts who opens and closes it: while
//! nobody does, what is left in the terminal is read here and thrown away, and the next program starts clean.
//! Dropping the value hangs up whoever has it open.

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, inotify};
use rustix::pty::OpenptFlags;
use rustix::termios::{self, OptionalActions};
use tokio::net::unix::pipe::{Receiver, Sender};

use crate::outbox::Outbox;

/// What happened on the terminal.
#[derive(Debug, PartialEq, Eq)]
pub enum Happened {
    /// So many bytes were received into the buffer.
    Received(usize),
    /// Programs opened or closed the terminal.
    Audience,
    /// Something can be sent again.
    Writable,
}

/// A pseudo-terminal. The pipe types are tokio's safe way to wait for any descriptor that can be polled.
#[derive(Debug)]
pub struct Pty {
    incoming: Receiver,
    outgoing: Sender,
    host_side: Receiver,
    host_modes: OwnedFd,
    watch: Receiver,
    path: PathBuf,
    listeners: usize,
}

impl Pty {
    /// A new terminal in raw mode. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// The system has no more terminals or no more watches.
    pub fn open() -> io::Result<Self> {
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        rustix::fs::fcntl_setfl(&master, OFlags::NONBLOCK)?;
        rustix::pty::grantpt(&master)?;
        rustix::pty::unlockpt(&master)?;
        let name = rustix::pty::ptsname(&master, Vec::new())?;
        let path = PathBuf::from(OsStr::from_bytes(name.as_bytes()));
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let host_side = rustix::fs::open(&path, flags, Mode::empty())?;
        make_raw(&host_side)?;
        let watch = inotify::init(inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC)?;
        let events =
            inotify::WatchFlags::OPEN | inotify::WatchFlags::CLOSE_WRITE | inotify::WatchFlags::CLOSE_NOWRITE;
        inotify::add_watch(&watch, &path, events)?;
        Ok(Self {
            outgoing: Sender::from_owned_fd_unchecked(master.try_clone()?)?,
            incoming: Receiver::from_owned_fd_unchecked(master)?,
            host_modes: host_side.try_clone()?,
            host_side: Receiver::from_owned_fd_unchecked(host_side)?,
            watch: Receiver::from_owned_fd_unchecked(watch)?,
            path,
            listeners: 0,
        })
    }

    /// The host's side, `/dev/pts/…`.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Does any program have the host's side open?
    pub fn heard(&self) -> bool {
        self.listeners > 0
    }

    /// Sends what fits; the rest stays in the outbox.
    ///
    /// # Errors
    /// The terminal fails, which a pseudo-terminal does not.
    pub fn send(&self, outbox: &mut Outbox) -> io::Result<()> {
        while !outbox.pending().is_empty() {
            match self.outgoing.try_write(outbox.pending()) {
                Ok(count) => outbox.consume(count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Waits for the next thing to happen; for room to send only when `sending`. Nothing is lost when the wait is
    /// given up.
    ///
    /// # Errors
    /// The terminal fails, which a pseudo-terminal does not.
    pub async fn happening(&mut self, buffer: &mut [u8], sending: bool) -> io::Result<Happened> {
        loop {
            let heard = self.heard();
            tokio::select! {
                biased;
                ready = self.watch.readable() => {
                    ready?;
                    if self.count_listeners()? {
                        return Ok(Happened::Audience);
                    }
                }
                ready = self.incoming.readable() => {
                    ready?;
                    // Who writes has opened before: the audience is told first.
                    if self.count_listeners()? {
                        return Ok(Happened::Audience);
                    }
                    match self.incoming.try_read(buffer) {
                        Ok(count) => return Ok(Happened::Received(count)),
                        Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                        Err(error) => return Err(error),
                    }
                }
                ready = self.outgoing.writable(), if sending => {
                    ready?;
                    return Ok(Happened::Writable);
                }
                ready = self.host_side.readable(), if !heard => {
                    ready?;
                    match self.host_side.try_read(buffer) {
                        Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
                        _ => {}
                    }
                }
            }
        }
    }

    /// Brings the number of listeners up to date, and says whether anybody opened or closed the terminal.
    fn count_listeners(&mut self) -> io::Result<bool> {
        let mut changed = false;
        let mut events = [0; 1_024];
        loop {
            let read = match self.watch.try_read(&mut events) {
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            };
            for opened in opened_or_closed(events.get(..read).unwrap_or_default()) {
                self.listeners = if opened { self.listeners + 1 } else { self.listeners.saturating_sub(1) };
                changed = true;
            }
        }
        if changed && !self.heard() {
            make_raw(&self.host_modes)?;
        }
        Ok(changed)
    }
}

/// Raw mode as a fresh adapter has it, and open to whoever comes next: a program's exclusive use would outlast it,
/// because the terminal stays open here.
fn make_raw(terminal: &OwnedFd) -> io::Result<()> {
    let mut modes = termios::tcgetattr(terminal)?;
    modes.make_raw();
    termios::tcsetattr(terminal, OptionalActions::Now, &modes)?;
    termios::ioctl_tiocnxcl(terminal)?;
    Ok(())
}

/// The watch's events, each 16 bytes and a name: true for opened, false for closed.
fn opened_or_closed(mut events: &[u8]) -> Vec<bool> {
    let mut found = Vec::new();
    while let Some((&[_, _, _, _, m0, m1, m2, m3, _, _, _, _, l0, l1, l2, l3], rest)) =
        events.split_first_chunk()
    {
        let mask = inotify::ReadFlags::from_bits_retain(u32::from_ne_bytes([m0, m1, m2, m3]));
        if mask.contains(inotify::ReadFlags::OPEN) {
            found.push(true);
        } else if mask.intersects(inotify::ReadFlags::CLOSE_WRITE | inotify::ReadFlags::CLOSE_NOWRITE) {
            found.push(false);
        }
        let name_len = u32::from_ne_bytes([l0, l1, l2, l3]) as usize;
        events = rest.get(name_len..).unwrap_or_default();
    }
    found
}
