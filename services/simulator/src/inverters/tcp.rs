//! Inverters behind one TCP port: Modbus TCP, or the frames of a serial line in TCP as cheap gateways have them.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep};

use super::faults::Kind;
use super::modbus::{take_rtu, take_tcp, tcp_frame};
use super::rtu::on_the_line;
use super::unit::{Answer, Unit, pauses};
use crate::converter::lock;

/// What is spoken in TCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Framing {
    /// Modbus TCP.
    #[default]
    Tcp,
    /// Frames of a serial line.
    Rtu,
}

/// How a port behaves.
#[derive(Debug, Clone)]
pub struct Manners {
    /// What is spoken.
    pub framing: Framing,
    /// More clients than these are turned away.
    pub clients: Arc<AtomicUsize>,
    /// From a request to its answer.
    pub turnaround: Duration,
}

/// A port that is served; not any more when this is dropped.
#[derive(Debug)]
pub struct Port {
    address: SocketAddr,
    task: AbortHandle,
}

impl Port {
    /// Listens. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// The address is taken or not ours.
    pub fn start(address: SocketAddr, manners: Manners, units: Vec<Arc<Mutex<Unit>>>) -> io::Result<Self> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let listener = socket.listen(16)?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(listen(listener, manners, units)).abort_handle();
        Ok(Self { address, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn listen(listener: TcpListener, manners: Manners, units: Vec<Arc<Mutex<Unit>>>) {
    let (mut serving, present) = (JoinSet::new(), Arc::new(AtomicUsize::new(0)));
    loop {
        tokio::select! {
            Some(_) = serving.join_next() => {}
            accepted = listener.accept() => {
                // Who cannot be accepted tries again.
                let Ok((stream, _)) = accepted else { continue };
                if present.load(Ordering::Relaxed) >= manners.clients.load(Ordering::Relaxed) {
                    continue;
                }
                present.fetch_add(1, Ordering::Relaxed);
                let (units, present, manners) = (units.clone(), present.clone(), manners.clone());
                serving.spawn(async move {
                    // A client that is gone needs no answer.
                    let _ = converse(stream, &manners, &units).await;
                    present.fetch_sub(1, Ordering::Relaxed);
                });
            }
        }
    }
}

async fn converse(mut stream: TcpStream, manners: &Manners, units: &[Arc<Mutex<Unit>>]) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut received, mut buffer) = (Vec::new(), [0; 512]);
    loop {
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        received.extend(buffer.get(..count).unwrap_or_default());
        loop {
            let (transaction, number, pdu) = match manners.framing {
                Framing::Rtu => match take_rtu(&mut received) {
                    Some((number, pdu)) => (0, number, pdu),
                    None => break,
                },
                Framing::Tcp => match take_tcp(&mut received) {
                    Ok(Some(request)) => request,
                    Ok(None) => break,
                    Err(_) => return Ok(()),
                },
            };
            let Some(unit) = units.iter().find(|unit| lock(unit).number == number) else { continue };
            let answer = lock(unit).serve(&pdu, Instant::now());
            let Some(answer) = answer else { continue };
            sleep(manners.turnaround + pauses(answer.trouble.as_ref())[0]).await;
            let bytes = match manners.framing {
                Framing::Rtu => on_the_line(number, &answer).bytes,
                Framing::Tcp => in_tcp(transaction, number, &answer),
            };
            stream.write_all(&bytes).await?;
        }
    }
}

fn in_tcp(transaction: u16, number: u8, answer: &Answer) -> Vec<u8> {
    let (transaction, number) = match &answer.trouble {
        Some(Kind::Foreign) => (transaction, number.wrapping_add(1)),
        // The answer to the request before, with its transaction.
        Some(Kind::Stale) => (transaction.wrapping_sub(1), number),
        _ => (transaction, number),
    };
    let mut bytes = tcp_frame(transaction, number, &answer.pdu);
    match &answer.trouble {
        Some(Kind::Doubled) => bytes.extend_from_within(..),
        Some(Kind::Truncated(length)) => bytes.truncate(*length),
        Some(Kind::BadCrc | Kind::Garbage(_)) => bytes.clear(),
        _ => {}
    }
    bytes
}
