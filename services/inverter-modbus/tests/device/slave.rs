//! A device on Modbus TCP made of a few registers, each of which may be silent or fail.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use inverter_modbus::device::access::Access;
use inverter_modbus::device::poll::{Device, Happened};
use inverter_modbus::line::Line;
use inverter_modbus::line::address::{Address, Framing};
use inverter_modbus::profile::{Profile, parse};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// Longer than anything takes.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// A register, or what happens to who reads it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cell {
    Holds(u16),
    Silent,
    Fails(u8),
}

/// An address and what was written there.
pub(crate) type WrittenAt = (u16, Vec<u16>);

/// A device on Modbus TCP: registers, and every read of it.
#[derive(Clone, Default)]
pub(crate) struct Slave {
    cells: Arc<Mutex<BTreeMap<u16, Cell>>>,
    reads: Arc<Mutex<Vec<(u16, u16)>>>,
    writes: Arc<Mutex<Vec<WrittenAt>>>,
    unanswered: Arc<Mutex<usize>>,
}

impl Slave {
    /// One with these registers.
    pub(crate) fn with(cells: &[(u16, Cell)]) -> Slave {
        let slave = Slave::default();
        slave.cells.lock().unwrap().extend(cells.iter().copied());
        slave
    }

    /// From now on it has these too.
    pub(crate) fn becomes(&self, cells: &[(u16, Cell)]) {
        self.cells.lock().unwrap().extend(cells.iter().copied());
    }

    /// The reads so far: address and count.
    pub(crate) fn reads(&self) -> Vec<(u16, u16)> {
        self.reads.lock().unwrap().clone()
    }

    /// Requests to other units than 1 so far: there is nobody.
    pub(crate) fn unanswered(&self) -> usize {
        *self.unanswered.lock().unwrap()
    }

    /// The writes so far.
    pub(crate) fn writes(&self) -> Vec<WrittenAt> {
        self.writes.lock().unwrap().clone()
    }

    /// The answer to a read: values, exception 2 for what is not there, or nothing.
    fn answer(&self, addr: u16, count: u16) -> Option<Result<Vec<u16>, u8>> {
        self.reads.lock().unwrap().push((addr, count));
        let cells = self.cells.lock().unwrap();
        let mut values = Vec::new();
        for register in addr..addr + count {
            match cells.get(&register) {
                Some(Cell::Holds(value)) => values.push(*value),
                Some(Cell::Silent) => return None,
                Some(Cell::Fails(exception)) => return Some(Err(*exception)),
                None => return Some(Err(2)),
            }
        }
        Some(Ok(values))
    }

    /// The answer to a write of several registers, whose values are still to come.
    async fn write(&self, addr: u16, count: u16, stream: &mut TcpStream) -> Result<Vec<u16>, u8> {
        let mut bytes = vec![0; 1 + 2 * usize::from(count)];
        stream.read_exact(&mut bytes).await.unwrap();
        let words: Vec<u16> =
            bytes[1..].chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
        self.writes.lock().unwrap().push((addr, words.clone()));
        let mut cells = self.cells.lock().unwrap();
        if (addr..addr + count).any(|addr| !cells.contains_key(&addr)) {
            return Err(2);
        }
        cells.extend((addr..).zip(words.into_iter().map(Cell::Holds)));
        Ok(vec![addr, count])
    }

    async fn serve(self, listener: TcpListener) {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let slave = self.clone();
            tokio::spawn(async move {
                let mut request = [0; 12];
                while stream.read_exact(&mut request).await.is_ok() {
                    if request[6] != 1 {
                        *slave.unanswered.lock().unwrap() += 1;
                        continue;
                    }
                    let of = |n: usize| u16::from_be_bytes([request[n], request[n + 1]]);
                    let body = match request[7] {
                        3 | 4 => slave.answer(of(8), of(10)),
                        _ => Some(slave.write(of(8), of(10), &mut stream).await),
                    };
                    let body = match body {
                        None => continue,
                        Some(Ok(values)) if request[7] == 16 => values
                            .iter()
                            .fold(vec![16], |body, word| [body, word.to_be_bytes().to_vec()].concat()),
                        Some(Err(exception)) => vec![request[7] | 0x80, exception],
                        Some(Ok(values)) => {
                            let mut body = vec![request[7], 2 * u8::try_from(values.len()).unwrap()];
                            body.extend(values.iter().flat_map(|value| value.to_be_bytes()));
                            body
                        }
                    };
                    let length = u16::try_from(body.len() + 1).unwrap().to_be_bytes();
                    let head = [request[0], request[1], 0, 0, length[0], length[1], request[6]];
                    if stream.write_all(&[&head[..], &body].concat()).await.is_err() {
                        return;
                    }
                }
            });
        }
    }

    /// What reads and writes this one, by this profile.
    pub(crate) async fn access_of(&self, profile: &str, timeout_ms: u64) -> (Access, Arc<Profile>) {
        access_at(self.listen().await, profile, timeout_ms)
    }

    /// Begins to answer at a port of this machine.
    pub(crate) async fn listen(&self) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(self.clone().serve(listener));
        port
    }
}

/// What reads and writes who answers at a port of this machine, by this profile.
pub(crate) fn access_at(port: u16, profile: &str, timeout_ms: u64) -> (Access, Arc<Profile>) {
    let mut profile = parse(profile, "tested.toml").unwrap_or_else(|why| panic!("{why}"));
    profile.link.timeout_ms = timeout_ms;
    let address = Address::Tcp { host: "127.0.0.1".into(), port, framing: Framing::Tcp };
    (Access::new(Line::start(address, None, 1), 1, &profile), Arc::new(profile))
}

/// Lets the device live until this holds; returns how often everything that was due was there.
pub(crate) async fn until(device: &mut Device, mut holds: impl FnMut(&Device) -> bool) -> usize {
    let mut cycles = 0;
    let living = async {
        while !holds(device) {
            cycles += usize::from(device.happen().await == Happened::Cycle);
        }
    };
    timeout(LONG, living).await.unwrap();
    cycles
}
