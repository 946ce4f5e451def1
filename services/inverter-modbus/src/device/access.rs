//! Reads and writes of the registers of one device.

use std::time::Duration;

use tokio::time::Instant;

use crate::engine::encode::Written;
use crate::engine::plan::Range;
use crate::line::{Ask, Line, NoAnswer, Out, Turn};
use crate::modbus::pdu::{Answer, Request, exception_text};
use crate::profile::Profile;
use crate::profile::link::WriteFunction;
use crate::profile::scalar::Table;

/// Questions who a device is may wait so long for the reads of others: what lives is read each second.
const LEISURE: Duration = Duration::from_secs(1);

/// The way to one device.
#[derive(Debug, Clone)]
pub struct Access {
    line: Line,
    unit: u8,
    label: String,
    timeout: Duration,
    gap: Duration,
    write_function: WriteFunction,
    is_hurried: bool,
}

/// Why a read or write came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The device refused it.
    #[error("exception {0} ({text})", text = exception_text(*.0))]
    Exception(u8),
    /// There was no answer.
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    /// An answer of another kind, which no sound device gives.
    #[error("an answer that is none to this request")]
    Odd,
}

/// What a gateway says in place of a device that does not answer: no path to it, no answer of it (Modbus Application Protocol
/// V1.1b3, 7).
const NOT_THE_DEVICE: [u8; 2] = [10, 11];

/// What a device says to a function that it does not take for these registers: illegal function, illegal address.
const NOT_SO: [u8; 2] = [1, 2];

impl Fault {
    /// What an exception means: that of a gateway is the silence of the device behind it.
    fn of(code: u8) -> Fault {
        if NOT_THE_DEVICE.contains(&code) { NoAnswer::Silence.into() } else { Fault::Exception(code) }
    }

    /// Whether the device says that it has no such registers or function.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Fault::Exception(1..=3))
    }
}

impl Access {
    /// The way to `unit` on a line.
    #[must_use]
    pub fn new(line: Line, unit: u8, profile: &Profile) -> Access {
        let link = &profile.link;
        let write_function = link.write_function;
        let label = format!("{} unit {unit}", profile.id);
        Access {
            line,
            unit,
            label,
            timeout: link.timeout(),
            gap: link.gap(),
            write_function,
            is_hurried: true,
        }
    }

    /// The same, called so in the log.
    #[must_use]
    pub fn called(self, label: String) -> Access {
        Access { label, ..self }
    }

    /// The same, whose questions who a device is do not go before the reads of others.
    #[must_use]
    pub fn unhurried(self) -> Access {
        Access { is_hurried: false, ..self }
    }

    /// What it is called in the log.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Its address on the line.
    #[must_use]
    pub fn unit(&self) -> u8 {
        self.unit
    }

    /// The line.
    #[must_use]
    pub fn line(&self) -> &Line {
        &self.line
    }

    fn ask(&self, request: Request, turn: Turn, patience: u32) -> Ask {
        Ask { unit: self.unit, request, timeout: self.timeout * patience, gap: self.gap, turn }
    }

    /// Reads a range that says who the device is.
    ///
    /// # Errors
    /// [`Fault`].
    pub(super) async fn question(&self, range: Range, patience: u32) -> Result<Vec<u16>, Fault> {
        let turn = if self.is_hurried { Turn::Now } else { Turn::By(Instant::now() + LEISURE) };
        self.read(range, turn, patience).await
    }

    /// Reads a range, with `patience` times the usual time for the answer.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn read(&self, range: Range, turn: Turn, patience: u32) -> Result<Vec<u16>, Fault> {
        self.read_noting(range, turn, patience, &Out::default()).await
    }

    /// The same; `out` shows while it is under way.
    ///
    /// # Errors
    /// [`Fault`].
    pub(super) async fn read_noting(
        &self,
        range: Range,
        turn: Turn,
        patience: u32,
        out: &Out,
    ) -> Result<Vec<u16>, Fault> {
        let Range { table, addr, count } = range;
        let ask = self.ask(Request::Read { table, addr, count }, turn, patience);
        match self.line.ask_again(ask, out).await? {
            Answer::Values(values) => Ok(values),
            Answer::Exception(code) => Err(Fault::of(code)),
            Answer::Written | Answer::Raw(_) => Err(Fault::Odd),
        }
    }

    /// Writes in order, up to the first that fails. Where other bits must stay, the registers are read first.
    ///
    /// # Errors
    /// [`Fault`].
    pub async fn write(&self, writes: &[Written]) -> Result<(), Fault> {
        for write in writes {
            let mut values = write.values.clone();
            if write.needs_read() && write.table == Table::Holding {
                let count = u16::try_from(values.len()).unwrap_or(u16::MAX);
                let range = Range { table: write.table, addr: write.addr, count };
                values = write.over(&self.read(range, Turn::Now, 1).await?);
            }
            let addr = write.addr;
            let apart = values.clone();
            let request = match (write.table, values.as_slice(), self.write_function) {
                (Table::Coil, [value], _) => Request::WriteCoil { addr, on: *value != 0 },
                (Table::Coil, values, _) => {
                    Request::WriteCoils { addr, on: values.iter().map(|value| *value != 0).collect() }
                }
                (_, [value], WriteFunction::Single) => Request::WriteRegister { addr, value: *value },
                _ => Request::WriteRegisters { addr, values },
            };
            match self.tell(request).await {
                // In their order: what they mean comes before that it counts.
                Err(Fault::Exception(code))
                    if NOT_SO.contains(&code) && self.write_function == WriteFunction::Either =>
                {
                    for (value, addr) in apart.into_iter().zip(addr..=u16::MAX) {
                        self.tell(Request::WriteRegister { addr, value }).await?;
                    }
                }
                told => told?,
            }
        }
        Ok(())
    }

    async fn tell(&self, request: Request) -> Result<(), Fault> {
        match self.line.ask(self.ask(request, Turn::Now, 1)).await? {
            Answer::Written => Ok(()),
            Answer::Exception(code) => Err(Fault::of(code)),
            Answer::Values(_) | Answer::Raw(_) => Err(Fault::Odd),
        }
    }
}
