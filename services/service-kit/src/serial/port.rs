//! An open serial port: 8 data bits, no flow control, bytes as they are; no parity and 1 stop bit unless asked otherwise.

use std::fs::{self, Metadata};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{self, ControlModes, InputModes, OptionalActions, QueueSelector, Termios};
use serial2::rs4xx::Rs485Config;
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::error::{OpenError, Unplugged};
use super::{holder, polled};

/// The major device numbers of the slave ends of pseudo-terminals (Linux, Documentation/admin-guide/devices.txt).
const PTY_MAJORS: std::ops::RangeInclusive<u32> = 136..=143;

/// A UART samples well up to about this deviation, in per cent of the baud rate.
const BAUD_TOLERANCE_PERCENT: u32 = 3;

/// A character on the line, besides its eight data bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Character {
    /// The parity bit.
    pub parity: Parity,
    /// Two stop bits instead of one.
    pub two_stop_bits: bool,
}

/// The parity bit of a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Parity {
    /// There is none.
    #[default]
    None,
    /// It makes the ones even.
    Even,
    /// It makes the ones odd.
    Odd,
}

/// A serial port that this process has for itself. Reading and writing fail with [`Unplugged`] once it is gone, at every
/// call: nothing ever reads as zero bytes.
#[derive(Debug)]
pub struct Port {
    path: PathBuf,
    tty: AsyncFd<Tty>,
    unplugged: bool,
}

/// The open device.
#[derive(Debug)]
struct Tty {
    fd: OwnedFd,
    /// Whether it refuses further opens by `TIOCEXCL`.
    exclusive: bool,
}

impl AsFd for Tty {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl std::os::fd::AsRawFd for Tty {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        self.fd.as_raw_fd()
    }
}

impl Drop for Tty {
    fn drop(&mut self) {
        if self.exclusive {
            // It would outlive us where somebody else has the device open. An unplugged one has nothing to lift.
            let _ = termios::ioctl_tiocnxcl(&self.fd);
        }
    }
}

impl Port {
    /// Opens the port at `path` (any name of it, links too) at `baud_rate`, for this process alone. What was received
    /// before is dropped. Must be called inside a tokio runtime.
    ///
    /// Exclusive means: a `flock`, which others who lock their ports see and which the kernel drops with the process,
    /// and `TIOCEXCL`, which keeps out those who do not lock, unless they are root. On a pseudo-terminal `TIOCEXCL` would
    /// outlast a killed process and lock its successor out, so there the `flock` stands alone.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(path: &Path, baud_rate: u32) -> Result<Self, OpenError> {
        Self::open_as(path, baud_rate, Character::default())
    }

    /// [`open`](Self::open) with another kind of character on the line.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open_as(path: &Path, baud_rate: u32, character: Character) -> Result<Self, OpenError> {
        let failed = |error: Errno| OpenError::Io { path: path.to_owned(), source: error.into() };
        let device = device(path)?;
        let is_pty = PTY_MAJORS.contains(&rustix::fs::major(device.rdev()));
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Err(OpenError::Missing { path: path.to_owned() }),
            Err(Errno::ACCESS) => return Err(denied(path, &device)),
            Err(Errno::BUSY) => return Err(busy(path, &device)),
            Err(error) => return Err(failed(error)),
        };
        let modes = match termios::tcgetattr(&fd) {
            Ok(modes) => modes,
            Err(Errno::NOTTY) => return Err(OpenError::NoPort { path: path.to_owned() }),
            Err(error) => return Err(failed(error)),
        };
        match rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(busy(path, &device)),
            Err(error) => return Err(failed(error)),
        }
        if !is_pty {
            termios::ioctl_tiocexcl(&fd).map_err(failed)?;
        }
        let tty = Tty { fd, exclusive: !is_pty };
        make_raw(&tty, modes, character).map_err(failed)?;
        // A pseudo-terminal has no speed: whatever its driver says to one is no reason to fail.
        match set_baud_rate(&tty, baud_rate) {
            Ok(actual) if is_pty || near(actual, baud_rate) => {}
            Err(_) if is_pty => {}
            Ok(actual) => {
                return Err(OpenError::BaudRate { path: path.to_owned(), asked: baud_rate, actual });
            }
            Err(Errno::INVAL) => {
                return Err(OpenError::BaudRate { path: path.to_owned(), asked: baud_rate, actual: 0 });
            }
            Err(error) => return Err(failed(error)),
        }
        termios::tcflush(&tty, QueueSelector::IFlush).map_err(failed)?;
        let tty = polled(tty).map_err(|source| OpenError::Io { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), tty, unplugged: false })
    }

    /// The path it was opened by.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Has the driver switch the direction of an RS485 line: RTS is up while it sends (Linux, driver-api/serial/serial-rs485).
    /// It stays so until somebody changes it.
    ///
    /// # Errors
    /// The driver cannot, or what the system says.
    pub fn let_kernel_switch_direction(&mut self) -> io::Result<()> {
        self.alive()?;
        // Another descriptor of the same open port; closing it changes nothing.
        let port = serial2::SerialPort::from(self.tty.get_ref().fd.try_clone()?);
        let outcome = port.set_rs4xx_mode(Rs485Config::new());
        outcome.map_err(|error| self.judge(error))
    }

    /// Waits until everything that was written is on the wire, on a thread of its own: drivers sleep meanwhile.
    ///
    /// # Errors
    /// [`Unplugged`], or what the system says.
    pub async fn sent(&mut self) -> io::Result<()> {
        self.alive()?;
        let port = self.tty.get_ref().fd.try_clone()?;
        let drained = tokio::task::spawn_blocking(move || termios::tcdrain(&port)).await;
        let drained = drained.map_err(io::Error::other)?;
        drained.map_err(|error| self.judge(error.into()))
    }

    /// Drops what was received and not read yet: late bytes before a new request.
    ///
    /// # Errors
    /// [`Unplugged`], or what the system says.
    pub fn discard_input(&mut self) -> io::Result<()> {
        self.alive()?;
        let outcome = termios::tcflush(self.tty.get_ref(), QueueSelector::IFlush);
        outcome.map_err(|error| self.judge(error.into()))
    }

    fn alive(&self) -> io::Result<()> {
        if self.unplugged { Err(Unplugged { path: self.path.clone() }.into()) } else { Ok(()) }
    }

    fn gone(&mut self) -> io::Error {
        self.unplugged = true;
        Unplugged { path: self.path.clone() }.into()
    }

    /// The error as it is, unless it is one of those by which drivers say that the device is gone.
    fn judge(&mut self, error: io::Error) -> io::Error {
        match Errno::from_io_error(&error) {
            Some(Errno::IO | Errno::NXIO | Errno::NODEV) => self.gone(),
            _ => error,
        }
    }
}

impl AsyncRead for Port {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let port = self.get_mut();
        port.alive()?;
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        loop {
            let mut readable = ready!(port.tty.poll_read_ready(cx))?;
            let space = buf.initialize_unfilled();
            let outcome = readable.try_io(|tty| Ok(rustix::io::read(tty.get_ref(), space)?));
            match outcome {
                Err(_would_block) => {}
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                // A tty that is hung up reads as its end.
                Ok(Ok(0)) => return Poll::Ready(Err(port.gone())),
                Ok(Ok(length)) => {
                    buf.advance(length);
                    return Poll::Ready(Ok(()));
                }
                Ok(Err(error)) => return Poll::Ready(Err(port.judge(error))),
            }
        }
    }
}

impl AsyncWrite for Port {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let port = self.get_mut();
        port.alive()?;
        loop {
            let mut writable = ready!(port.tty.poll_write_ready(cx))?;
            let outcome = writable.try_io(|tty| Ok(rustix::io::write(tty.get_ref(), bytes)?));
            match outcome {
                Err(_would_block) => {}
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Ok(length)) => return Poll::Ready(Ok(length)),
                Ok(Err(error)) => return Poll::Ready(Err(port.judge(error))),
            }
        }
    }

    /// Nothing to do: what is written is with the kernel. (Waiting until it is on the wire would stop the whole runtime.)
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// What is at `path`, if it is a character device. Asked before opening, which is an action on some devices.
fn device(path: &Path) -> Result<Metadata, OpenError> {
    let device = fs::metadata(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => OpenError::Missing { path: path.to_owned() },
        _ => OpenError::Io { path: path.to_owned(), source },
    })?;
    if device.file_type().is_char_device() {
        Ok(device)
    } else {
        Err(OpenError::NoPort { path: path.to_owned() })
    }
}

fn busy(path: &Path, device: &Metadata) -> OpenError {
    OpenError::Busy { path: path.to_owned(), holder: holder::find(path, device) }
}

fn denied(path: &Path, device: &Metadata) -> OpenError {
    let groups = fs::read_to_string("/etc/group").unwrap_or_default();
    let group = group_name(&groups, device.gid()).map_or_else(|| device.gid().to_string(), str::to_owned);
    OpenError::Denied { path: path.to_owned(), group }
}

/// The name of a group, from the text of `/etc/group`: `dialout:x:20:pi`.
fn group_name(groups: &str, gid: u32) -> Option<&str> {
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(gid)).then_some(name)
    })
}

/// Bytes as they are, no flow control, modem lines ignored; a read without data returns at once.
fn make_raw(tty: &Tty, mut modes: Termios, character: Character) -> Result<(), Errno> {
    modes.make_raw();
    modes.input_modes -= InputModes::IXOFF | InputModes::IXANY;
    modes.control_modes -=
        ControlModes::CSTOPB | ControlModes::CRTSCTS | ControlModes::PARENB | ControlModes::PARODD;
    modes.control_modes |= ControlModes::CREAD | ControlModes::CLOCAL;
    modes.control_modes |= match character.parity {
        Parity::None => ControlModes::empty(),
        Parity::Even => ControlModes::PARENB,
        Parity::Odd => ControlModes::PARENB | ControlModes::PARODD,
    };
    if character.two_stop_bits {
        modes.control_modes |= ControlModes::CSTOPB;
    }
    // What is received is checked for the parity that was asked for.
    modes.input_modes.set(InputModes::INPCK, character.parity != Parity::None);
    termios::tcsetattr(tty, OptionalActions::Now, &modes)
}

/// Sets the speed and returns the one that the driver made of it. Zero would mean hanging up.
fn set_baud_rate(tty: &Tty, baud_rate: u32) -> Result<u32, Errno> {
    if baud_rate == 0 {
        return Err(Errno::INVAL);
    }
    let mut modes = termios::tcgetattr(tty)?;
    modes.set_speed(baud_rate)?;
    termios::tcsetattr(tty, OptionalActions::Now, &modes)?;
    Ok(termios::tcgetattr(tty)?.output_speed())
}

fn near(actual: u32, asked: u32) -> bool {
    u64::from(actual.abs_diff(asked)) * 100 <= u64::from(asked) * u64::from(BAUD_TOLERANCE_PERCENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_baud_rate_may_deviate_by_three_per_cent() {
        assert!(near(115_200, 115_200) && near(111_800, 115_200) && near(118_600, 115_200));
        assert!(!near(111_000, 115_200) && !near(9600, 115_200) && !near(0, 300));
    }

    #[test]
    fn the_group_of_a_device_is_found_by_number() {
        let groups = "root:x:0:\ndialout:x:20:pi,user\nbroken\n";
        assert_eq!(group_name(groups, 20), Some("dialout"));
        assert_eq!(group_name(groups, 21), None);
    }
}
