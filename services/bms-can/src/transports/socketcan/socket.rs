//! An open raw CAN socket: the only place that names the crates below it.

use std::io::{self, IoSliceMut};
use std::os::fd::AsRawFd;
use std::rc::Rc;

use ::socketcan::id::CAN_ERR_MASK;
use ::socketcan::{CanSocket, Socket, SocketOptions};
use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{MsgFlags, MultiHeaders, recvmmsg, send};
use service_kit::polled;
use tokio::io::unix::AsyncFd;

use super::frame_bytes::{self, Received, SIZE};
use crate::frame::Frame;
use crate::transports::interest::Interest;

/// Frames that one call reads.
const BATCH: usize = 64;
/// Calls before others have their turn: what this process takes at most in one go.
const ROUNDS: usize = 4;
/// What is asked for the receive queue, in bytes. Without special rights the kernel gives what `net.core.rmem_max` says,
/// twice that by its own counting: some 500 frames, at 4000 frames a second an eighth of a second.
const RECEIVE_QUEUE: libc::c_int = 1 << 20;
/// More filters than the kernel takes (`CAN_RAW_FILTER_MAX`).
const FILTERS: usize = 512;
/// In what `SO_MEMINFO` returns: the number of messages that the full queue had no room for (`SK_MEMINFO_DROPS`).
const DROPS: usize = 8;

/// A socket bound to one interface.
#[derive(Debug)]
pub(super) struct RawSocket {
    socket: Rc<CanSocket>,
    /// Wakes us with every frame; not there while we come by time.
    watch: Option<AsyncFd<Rc<CanSocket>>>,
    headers: MultiHeaders<()>,
}

/// When to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// As soon as something has come.
    SomethingCame,
    /// Now, whether anything has come or not. Until it is read otherwise, frames wake nobody.
    Now,
}

impl RawSocket {
    /// Opens it: frames of `interest`, and every message of the controller.
    ///
    /// # Errors
    /// `EAFNOSUPPORT` where the kernel has no CAN, `ENODEV` for an interface that is gone, and others.
    pub(super) fn open(index: u32, interest: &Interest) -> io::Result<RawSocket> {
        let socket = CanSocket::open_iface(index)?;
        socket.set_nonblocking(true)?;
        socket.set_error_filter(CAN_ERR_MASK)?;
        // A shorter queue than asked for is no reason to fail.
        let _ = socket.set_socket_option_int(libc::SOL_SOCKET, libc::SO_RCVBUF, RECEIVE_QUEUE);
        let headers = MultiHeaders::preallocate(BATCH, None);
        let socket = RawSocket { socket: Rc::new(socket), watch: None, headers };
        socket.listen_to(interest)?;
        Ok(socket)
    }

    /// Has the kernel leave out what nobody wants.
    ///
    /// # Errors
    /// The kernel refuses.
    pub(super) fn listen_to(&self, interest: &Interest) -> io::Result<()> {
        let socket = &self.socket;
        match interest {
            Interest::Ids(ids) if ids.len() <= FILTERS => {
                let filters: Vec<_> = ids.iter().map(|id| frame_bytes::filter(*id)).collect();
                socket.set_filters(&filters)
            }
            _ => socket.set_filter_accept_all(),
        }
    }

    /// Takes what there is, when it is time. Dropping the future loses nothing.
    ///
    /// # Errors
    /// `ENETDOWN` when the interface has gone down, `ENODEV` when it is gone, and others.
    pub(super) async fn read(&mut self, when: When, mut take: impl FnMut(Received)) -> io::Result<()> {
        if when == When::Now {
            self.watch = None;
            return drain(&self.socket, &mut self.headers, &mut take).map(drop);
        }
        let watch = match self.watch.take() {
            Some(watch) => watch,
            None => polled(Rc::clone(&self.socket))?,
        };
        let mut ready = self.watch.insert(watch).readable().await?;
        let (socket, headers) = (&self.socket, &mut self.headers);
        if drain(socket, headers, &mut take)? {
            ready.clear_ready();
        }
        Ok(())
    }

    /// Sends a frame.
    ///
    /// # Errors
    /// `ENOBUFS` or `EAGAIN` when the queue is full, `ENETDOWN` when the interface is down, and others.
    pub(super) fn send(&self, frame: &Frame) -> io::Result<()> {
        let bytes = frame_bytes::encode(frame);
        send(self.socket.as_raw_fd(), &bytes, MsgFlags::empty())?;
        Ok(())
    }

    /// How many frames came and found the queue full, since the socket is open: the count behind `SO_RXQ_OVFL`, which
    /// here is asked for, so that a loss shows even if no further frame comes. `None` before Linux 4.12.
    pub(super) fn overflows(&self) -> Option<u32> {
        let mut counts = [0; 4 * (DROPS + 1)];
        let length =
            self.socket.get_socket_option_bytes(libc::SOL_SOCKET, libc::SO_MEMINFO, &mut counts).ok()?;
        let drops = counts.get(..length)?.as_chunks().0.get(DROPS)?;
        Some(u32::from_ne_bytes(*drops))
    }
}

/// Reads until nothing is left, which is then true, or it is others' turn.
fn drain(
    socket: &CanSocket,
    headers: &mut MultiHeaders<()>,
    take: &mut impl FnMut(Received),
) -> io::Result<bool> {
    for _ in 0..ROUNDS {
        match receive(socket, headers, take) {
            Ok(()) | Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => return Ok(true),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(false)
}

/// One call, up to [`BATCH`] frames.
fn receive(
    socket: &CanSocket,
    headers: &mut MultiHeaders<()>,
    take: &mut impl FnMut(Received),
) -> Result<(), Errno> {
    let mut bytes = [[0; SIZE]; BATCH];
    let mut slices = bytes.each_mut().map(|frame| [IoSliceMut::new(frame)]);
    for message in recvmmsg(socket.as_raw_fd(), headers, slices.iter_mut(), MsgFlags::empty(), None)? {
        let frame = message.iovs().next().and_then(frame_bytes::decode);
        frame.into_iter().for_each(&mut *take);
    }
    Ok(())
}
