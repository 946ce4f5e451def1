//! How a dialect is written down: a table of frames, each with the layout of its bytes.

use std::fmt;

use super::gates::Refusal;
use super::payload::{Order, Reader, Writer};
use super::traffic::Mark;
use crate::frame::{CanId, Frame};
use crate::message::{Message, PairRule};

/// A dialect, as its data sheet describes it.
pub struct Protocol {
    /// Its name in configuration, command line and JSON.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// Where it is described.
    pub source: &'static str,
    /// Bits per second on the bus.
    pub bit_rate: u32,
    /// How several strings share one bus.
    pub addressing: Addressing,
    /// What its numbers mean.
    pub profile: Profile,
    /// What `00` after `01` in 0x35A means.
    pub pairs: PairRule,
    /// Its frames. An id may have several rows; the first that can read the frame is taken.
    pub frames: &'static [&'static [Row]],
    /// How its traffic is told from others'.
    pub marks: &'static [Mark],
}

/// How several strings share one bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addressing {
    /// They don't.
    Single,
    /// Behind a Pylontech LV-HUB: id + 0x1000 × address in a 29-bit frame, for 0x351 to 0x35E and addresses 0 to 7
    /// (Pylontech, CAN bus protocol low voltage V1.3). The document says "standard frame", which cannot be.
    Hub,
}

/// What the numbers of a dialect mean, where dialects differ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Profile {
    /// Which byte of a number comes first.
    pub order: Order,
    /// Steps of the pack voltage in 0x356, per volt: 100 or 10.
    pub voltage_steps: f64,
    /// Pack voltages that its batteries can have, V.
    pub pack_v: (f64, f64),
    /// Charge voltage limits that its batteries can have, V.
    pub charge_v: (f64, f64),
    /// Whether 0xFFFF (unsigned) and 0x8000 (signed) mean "no value" (SMA).
    pub has_no_value_marks: bool,
}

/// One frame of a dialect.
#[derive(Debug)]
pub struct Row {
    /// Its id, without a hub address.
    pub id: CanId,
    /// What its bytes mean.
    pub layout: Layout,
    /// The frame that this dialect sends: as long as this, and with these bytes wherever the message has none.
    pub template: &'static [u8],
}

/// What the bytes of a frame mean. Most are shared by several dialects.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// The frame's name.
    pub name: &'static str,
    /// The shortest frame that says anything.
    pub shortest: u8,
    /// Reads a frame of at least `shortest` bytes. What it leaves in the reader is no part of the message.
    pub decode: fn(&mut Reader<'_>, &Profile) -> Result<Message, Refusal>,
    /// Writes the part of the frame that is the message; `None` if the message is another frame's or does not fit.
    pub encode: fn(&Message, &Profile, &mut Writer) -> Option<()>,
}

/// A row with a standard id, for the tables.
#[must_use]
pub const fn row(id: u32, layout: Layout, template: &'static [u8]) -> Row {
    #[expect(clippy::panic, reason = "tables are evaluated by the compiler, which refuses a wrong one")]
    match CanId::standard(id) {
        Some(id) if template.len() <= 8 => Row { id, layout, template },
        _ => panic!("not a classic frame with a standard id"),
    }
}

/// What a dialect makes of a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Decoded {
    /// Nothing: it is no frame of this dialect, or a remote request.
    NotMine,
    /// A message.
    Good(Reading),
    /// A frame of this dialect that cannot be true.
    Refused(Refused),
}

/// A message as it came.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// The frame's name.
    pub name: &'static str,
    /// Which string behind a hub, 0 for the first and for a battery without one.
    pub address: u8,
    /// What it says.
    pub message: Message,
    /// The bytes after the message: padding, or what the maker did not publish.
    pub rest: Rest,
}

/// A frame that cannot be true.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Refused {
    /// The frame's name.
    pub name: &'static str,
    /// Which string behind a hub.
    pub address: u8,
    /// Why.
    pub why: Refusal,
}

/// The bytes of a frame that its message does not name, kept so that the frame can be written again as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rest {
    bytes: [u8; 8],
    len: u8,
}

impl Rest {
    fn new(bytes: &[u8]) -> Rest {
        let mut rest = Rest { bytes: [0; 8], len: 0 };
        for (to, from) in rest.bytes.iter_mut().zip(bytes) {
            *to = *from;
            rest.len += 1;
        }
        rest
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&self.bytes)
    }
}

impl Protocol {
    /// Reads one frame.
    #[must_use]
    pub fn decode(&self, frame: &Frame) -> Decoded {
        let (id, address) = self.addressing.split(frame.id());
        let mut refused = Decoded::NotMine;
        if frame.is_remote() {
            return refused;
        }
        for row in self.rows().filter(|row| row.id == id) {
            let name = row.layout.name;
            let mut reader = Reader::new(frame.data(), self.profile.order);
            let read = if frame.len() < row.layout.shortest {
                Err(Refusal::TooShort { len: frame.len(), needed: row.layout.shortest })
            } else {
                (row.layout.decode)(&mut reader, &self.profile)
            };
            match read {
                Ok(message) => {
                    return Decoded::Good(Reading { name, address, message, rest: Rest::new(reader.rest()) });
                }
                Err(why) if refused == Decoded::NotMine => {
                    refused = Decoded::Refused(Refused { name, address, why });
                }
                Err(_) => {}
            }
        }
        refused
    }

    /// The frame that says `message` in this dialect, of the length that its data sheet gives. `None` if it cannot say
    /// it, or says it so that a reader of this dialect would refuse it: never a charge voltage limit of 0.
    #[must_use]
    pub fn encode(&self, message: &Message) -> Option<Frame> {
        self.encode_for(0, message)
    }

    /// As [`encode`](Self::encode), for one string behind a hub.
    #[must_use]
    pub fn encode_for(&self, address: u8, message: &Message) -> Option<Frame> {
        self.rows().find_map(|row| {
            let written = self.write(row, message)?;
            let mut bytes = Writer::new(self.profile.order);
            bytes.bytes(written.written())?;
            bytes.bytes(row.template.get(written.written().len()..).unwrap_or_default())?;
            self.finish(row, address, &bytes)
        })
    }

    /// The frame that a reading came from, its unnamed bytes included. What a reader corrects stays corrected: a
    /// negative discharge limit comes back positive, a flag on either of two bits on the documented one, a voltage in
    /// the other scale in the dialect's own.
    #[must_use]
    pub fn encode_reading(&self, reading: &Reading) -> Option<Frame> {
        self.rows().find_map(|row| {
            let mut bytes = self.write(row, &reading.message)?;
            bytes.bytes(reading.rest.bytes())?;
            self.finish(row, reading.address, &bytes)
        })
    }

    /// The ids that the string at `address` sends; none if this dialect has no such address.
    pub fn ids(&self, address: u8) -> impl Iterator<Item = CanId> + use<> {
        let addressing = self.addressing;
        self.frames.iter().copied().flatten().filter_map(move |row| addressing.join(row.id, address))
    }

    /// Its frames.
    pub fn rows(&self) -> impl Iterator<Item = &'static Row> {
        self.frames.iter().copied().flatten()
    }

    fn write(&self, row: &Row, message: &Message) -> Option<Writer> {
        let mut writer = Writer::new(self.profile.order);
        (row.layout.encode)(message, &self.profile, &mut writer)?;
        Some(writer)
    }

    fn finish(&self, row: &Row, address: u8, bytes: &Writer) -> Option<Frame> {
        let frame = Frame::new(self.addressing.join(row.id, address)?, bytes.written())?;
        matches!(self.decode(&frame), Decoded::Good(reading) if reading.name == row.layout.name)
            .then_some(frame)
    }
}

/// Its name alone: the table is long and always the same.
impl fmt::Debug for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Addressing {
    /// The id without its address, and the address.
    fn split(self, id: CanId) -> (CanId, u8) {
        let number = id.number();
        if self == Addressing::Hub
            && id.is_extended()
            && number < 0x8000
            && let (base @ 0x351..=0x35E, address) = (number & 0xFFF, number >> 12)
            && let Some(base) = CanId::standard(base)
        {
            return (base, address as u8);
        }
        (id, 0)
    }

    /// The reverse.
    fn join(self, id: CanId, address: u8) -> Option<CanId> {
        match (self, address) {
            (_, 0) => Some(id),
            (Addressing::Hub, 1..=7) if (0x351..=0x35E).contains(&id.number()) => {
                CanId::extended(id.number() + 0x1000 * u32::from(address))
            }
            _ => None,
        }
    }
}
