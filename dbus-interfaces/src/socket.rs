//! The socket of a connection that speaks more than it hears. zbus sends its messages over it, and the one that is sent all
//! day goes out beside them as it was written in `marshal`.
//!
//! The sockets that zbus makes itself are watched for room to write all the time, so that each message costs a second
//! wake-up when the bus has taken it; this one is only watched for room when it has been full.

use std::io::{self, Write};
use std::net::Shutdown;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, BufReader};
use tokio::net::unix::pipe;
use tokio::sync::Mutex;
use zbus::address::transport::{Transport, UnixSocket};
use zbus::connection::socket::{ReadHalf, WriteHalf};
use zbus::export::async_trait::async_trait;

/// As much as one read takes; most messages are smaller.
const READ_AHEAD: usize = 4096;

/// How long to wait before a bus is asked again that has too many callers at its door.
const BUSY: Duration = Duration::from_millis(20);

/// Where the bus listens, if that is a socket of this machine; as a path, whose name in the abstract namespace begins with a
/// zero byte.
pub(crate) fn path_of(address: &zbus::Address) -> Option<PathBuf> {
    let Transport::Unix(unix) = address.transport() else { return None };
    match unix.path() {
        UnixSocket::File(path) => Some(path.clone()),
        UnixSocket::Abstract(name) => {
            let name = [b"\0", name.as_bytes()].concat();
            Some(std::ffi::OsStr::from_bytes(&name).into())
        }
        _ => None,
    }
}

/// Connects.
pub(crate) async fn open(path: PathBuf) -> io::Result<(In, Out)> {
    let stream = loop {
        match tokio::net::UnixStream::connect(&path).await {
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => tokio::time::sleep(BUSY).await,
            connected => break connected?.into_std()?,
        }
    };
    halves(stream)
}

/// Both directions of a socket that does not block.
fn halves(stream: UnixStream) -> io::Result<(In, Out)> {
    // One half of a pipe, to the runtime: that is read as a socket is, and watched for nothing else.
    let input = pipe::Receiver::from_owned_fd_unchecked(stream.try_clone()?.into())?;
    let out = Out { stream: Arc::new(stream), turn: Arc::default(), serials: Arc::default() };
    Ok((In(BufReader::with_capacity(READ_AHEAD, input)), out))
}

/// What comes from the bus.
#[derive(Debug)]
pub(crate) struct In(BufReader<pipe::Receiver>);

#[async_trait]
impl ReadHalf for In {
    async fn recvmsg(&mut self, wanted: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
        Ok((self.0.read(wanted).await?, Vec::new()))
    }
}

/// What goes to the bus: whole messages one after the other, whoever sends them.
#[derive(Debug, Clone)]
pub(crate) struct Out {
    stream: Arc<UnixStream>,
    turn: Arc<Mutex<()>>,
    serials: Arc<AtomicU32>,
}

impl Out {
    /// A number for a message that zbus does not know: never 0, and in the other half of what zbus counts from 1.
    pub(crate) fn serial(&self) -> u32 {
        self.serials.fetch_add(1, Ordering::Relaxed) | 1 << 31
    }

    /// Sends a whole message.
    pub(crate) async fn send(&self, mut message: &[u8]) -> io::Result<()> {
        let _turn = self.turn.lock().await;
        while !message.is_empty() {
            match self.stream.as_ref().write(message) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => message = message.get(count..).unwrap_or_default(),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => self.room().await?,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// Waits until the socket, which was full, takes more.
    async fn room(&self) -> io::Result<()> {
        pipe::Sender::from_owned_fd_unchecked(self.stream.try_clone()?.into())?.writable().await
    }
}

#[async_trait]
impl WriteHalf for Out {
    async fn sendmsg(&mut self, message: &[u8], _: &[BorrowedFd<'_>]) -> io::Result<usize> {
        self.send(message).await?;
        Ok(message.len())
    }

    async fn close(&mut self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Both)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_socket_of_this_machine_has_a_path_and_no_other_address_has_one() {
        let path = |address: &str| path_of(&address.parse().expect("an address"));
        assert_eq!(path("unix:path=/run/bus,guid=0123456789abcdef0123456789abcdef"), Some("/run/bus".into()));
        assert_eq!(path("unix:abstract=/tmp/bus"), Some("\0/tmp/bus".into()));
        assert_eq!(path("tcp:host=venus.local,port=78"), None);
    }

    #[tokio::test]
    async fn messages_arrive_whole_and_one_after_the_other_though_the_socket_is_full() {
        const LENGTH: usize = 1_000_000;
        let (ours, mut theirs) = UnixStream::pair().expect("a pair");
        ours.set_nonblocking(true).expect("does not block");
        let (_input, out) = halves(ours).expect("halves");
        let senders = [1, 2, 3, 4].map(|n| {
            let out = out.clone();
            tokio::spawn(async move { out.send(&[n; LENGTH]).await })
        });
        let reader = tokio::task::spawn_blocking(move || {
            let mut read = vec![0; 4 * LENGTH];
            theirs.read_exact(&mut read).map(|()| read)
        });
        for sender in senders {
            sender.await.expect("ends").expect("sends");
        }
        let read = reader.await.expect("ends").expect("reads");
        let mut first: Vec<u8> = read.chunks(LENGTH).map(|message| message[0]).collect();
        assert!(read.chunks(LENGTH).all(|message| message.iter().all(|byte| *byte == message[0])));
        first.sort_unstable();
        assert_eq!(first, [1, 2, 3, 4]);
    }

    #[tokio::test]
    async fn a_socket_whose_other_end_has_gone_is_an_error_and_an_end() {
        let (ours, theirs) = UnixStream::pair().expect("a pair");
        ours.set_nonblocking(true).expect("does not block");
        let (mut input, out) = halves(ours).expect("halves");
        drop(theirs);
        assert_eq!(out.send(b"message").await.map_err(|e| e.kind()), Err(io::ErrorKind::BrokenPipe));
        assert_eq!(input.recvmsg(&mut [0; 16]).await.expect("an end").0, 0);
    }
}
