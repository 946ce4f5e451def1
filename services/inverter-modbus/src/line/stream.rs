//! The open port or connection as bytes, and why it may not be used any more.

use std::io;
use std::time::Duration;

use service_kit::serial::{self, Port};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// An open port or connection.
#[derive(Debug)]
pub(super) enum Stream {
    Serial(Port),
    Tcp(TcpStream),
}

impl Stream {
    /// Reads what has come.
    pub(super) async fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Serial(port) => port.read(bytes).await,
            Stream::Tcp(stream) => match stream.read(bytes).await? {
                0 => {
                    Err(io::Error::new(io::ErrorKind::ConnectionReset, "the other end closed the connection"))
                }
                count => Ok(count),
            },
        }
    }

    /// Sends all of it.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Stream::Serial(port) => port.write_all(bytes).await,
            Stream::Tcp(stream) => stream.write_all(bytes).await,
        }
    }
}

/// Why a line cannot be opened or used any more.
#[derive(Debug)]
pub(super) struct Broken {
    /// In words.
    pub(super) why: String,
    /// What helps.
    pub(super) how: How,
    /// It was a connection on which nothing was ever answered.
    pub(super) is_mute: bool,
}

/// How a line is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// It is away, and coming back is an event.
    Missing,
    /// It is there and fails.
    Failed,
    /// It is sound, but an answer on it is overdue and would meet the next request. With a time, others needed the line after
    /// it.
    Overdue(Option<Duration>),
}

impl Broken {
    /// By an error of it.
    pub(super) fn of(error: &io::Error) -> Broken {
        let how = if serial::is_unplugged(error) { How::Missing } else { How::Failed };
        Broken { why: error.to_string(), how, is_mute: false }
    }
}
