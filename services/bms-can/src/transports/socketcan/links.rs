//! Asking the kernel about network interfaces, hearing of changes, and making some: route netlink's sockets.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, send, socket,
};
use service_kit::polled;
use tokio::io::unix::AsyncFd;

use super::netlink::{self, Change, LinkInfo, Message, messages};

/// `RTMGRP_LINK`: news of interfaces.
const LINK_NEWS: u32 = 1;
/// The kernel fills at most this for one datagram of a list (`netlink_recvmsg`).
const BUFFER: usize = 32 * 1024;

/// Two sockets: one for questions, which the kernel answers before `send` returns, and one for news, which are only a
/// sign that it is time to ask.
#[derive(Debug)]
pub(crate) struct Links {
    questions: OwnedFd,
    news: AsyncFd<OwnedFd>,
    buffer: Box<[u8]>,
    sequence: u32,
}

/// Which interface.
#[derive(Debug, Clone, Copy)]
pub(super) enum Which<'a> {
    Name(&'a str),
    Index(u32),
}

impl Links {
    /// # Errors
    /// The system gives no such sockets: a sandbox without `AF_NETLINK`.
    pub(super) fn open() -> io::Result<Links> {
        let news = route_socket(LINK_NEWS)?;
        Ok(Links {
            questions: route_socket(0)?,
            news: polled(news)?,
            buffer: vec![0; BUFFER].into_boxed_slice(),
            sequence: 0,
        })
    }

    /// Returns when something about some interface may have changed.
    pub(super) async fn changed(&mut self) {
        // Only a runtime that is going down has no readiness: then there is nothing to wait for any more.
        let Ok(mut ready) = self.news.readable().await else { return std::future::pending().await };
        // What the news are is asked for, so it does not matter if some of them were lost (ENOBUFS).
        let news = self.news.get_ref().as_raw_fd();
        while matches!(
            recv(news, &mut self.buffer, MsgFlags::empty()),
            Ok(_) | Err(Errno::ENOBUFS | Errno::EINTR)
        ) {}
        ready.clear_ready();
    }

    /// The interface as it is now, if there is one.
    ///
    /// # Errors
    /// The kernel refuses or does not answer.
    pub(super) fn link(&mut self, which: Which<'_>) -> io::Result<Option<LinkInfo>> {
        self.sequence = self.sequence.wrapping_add(1);
        let question = match which {
            Which::Name(name) => netlink::ask_by_name(self.sequence, name),
            Which::Index(index) => netlink::ask_by_index(self.sequence, index),
        };
        let mut found = None;
        let outcome = self.exchange(&question, |message| match message {
            Message::Link(link) => {
                found = Some(link);
                true
            }
            _ => false,
        });
        match outcome {
            Err(Errno::ENODEV) => Ok(None),
            outcome => outcome.map(|()| found).map_err(io::Error::from),
        }
    }

    /// All interfaces.
    ///
    /// # Errors
    /// The kernel refuses or does not answer.
    pub(super) fn all(&mut self) -> io::Result<Vec<LinkInfo>> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut links = Vec::new();
        let question = netlink::ask_all(self.sequence);
        self.exchange(&question, |message| {
            if let Message::Link(link) = message {
                links.push(link);
                return false;
            }
            message == Message::Done
        })?;
        Ok(links)
    }

    /// Changes an interface.
    ///
    /// # Errors
    /// `EPERM` without the right to (CAP_NET_ADMIN), `EOPNOTSUPP` for what the driver cannot do, `EBUSY` for what
    /// needs the interface down, and others.
    fn change(&mut self, index: u32, change: Change) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let request = netlink::change(self.sequence, index, change);
        self.exchange(&request, |_| false).map_err(io::Error::from)
    }

    /// Makes changes one after the other. An interface that was up is up again if one fails, for whoever else uses it.
    ///
    /// # Errors
    /// As [`change`](Self::change).
    pub(super) fn set_up(&mut self, link: &LinkInfo, changes: &[Change]) -> io::Result<()> {
        for change in changes {
            match self.change(link.index, *change) {
                Ok(()) => {}
                // Not every driver can; then bus-off is told to the user.
                Err(error) if matches!(change, Change::RestartAfter(_)) => {
                    tracing::info!("{} will not restart by itself after bus-off: {error}", link.name);
                }
                Err(error) => {
                    if link.is_up {
                        let _ = self.change(link.index, Change::Up(true));
                    }
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Brings a controller back after bus-off. One that cannot restart comes back by going down and up.
    ///
    /// # Errors
    /// As [`change`](Self::change).
    pub(super) fn restart(&mut self, index: u32) -> io::Result<()> {
        match self.change(index, Change::Restart) {
            Err(error) if error.raw_os_error() == Some(Errno::EOPNOTSUPP as i32) => {
                self.change(index, Change::Up(false))?;
                self.change(index, Change::Up(true))
            }
            outcome => outcome,
        }
    }

    /// Sends a question and reads until `is_last`, or the kernel's yes or no.
    fn exchange(&mut self, question: &[u8], mut is_last: impl FnMut(Message) -> bool) -> Result<(), Errno> {
        let socket = self.questions.as_raw_fd();
        send(socket, question, MsgFlags::empty())?;
        loop {
            let length = recv(socket, &mut self.buffer, MsgFlags::empty())?;
            for message in messages(self.buffer.get(..length).unwrap_or_default()) {
                match message {
                    Message::Answer { sequence, errno } if sequence == self.sequence => {
                        return if errno == 0 { Ok(()) } else { Err(Errno::from_raw(errno)) };
                    }
                    Message::Answer { .. } => {}
                    message => {
                        if is_last(message) {
                            return Ok(());
                        }
                    }
                }
            }
        }
    }
}

fn route_socket(groups: u32) -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let socket = socket(AddressFamily::Netlink, SockType::Raw, flags, SockProtocol::NetlinkRoute)?;
    bind(socket.as_raw_fd(), &NetlinkAddr::new(0, groups))?;
    Ok(socket)
}
