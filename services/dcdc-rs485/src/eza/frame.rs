//! Requests: `05 LEN AD1 AD2 CMD payload CKL CKH`, little endian.

use super::command::{Command, Shape};

/// First byte of a request.
pub const REQUEST_START: u8 = 0x05;
/// First byte of a reply.
pub const REPLY_START: u8 = 0x02;
/// Bytes of a frame besides its payload.
pub const OVERHEAD: usize = 7;

/// The two addresses of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// The converter.
    pub converter: u8,
    /// We.
    pub own: u8,
}

impl Default for Addresses {
    fn default() -> Self {
        Self { converter: 0, own: 16 }
    }
}

/// A request, and what is expected for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    bytes: Vec<u8>,
    name: &'static str,
    code: u8,
    answer_size: usize,
}

impl Request {
    /// The request of a command with its words.
    #[must_use]
    pub fn new<const S: usize, const A: usize>(
        command: &Command<S, A>,
        words: [u16; S],
        addresses: Addresses,
    ) -> Self {
        Self::of(command.shape(), words, addresses)
    }

    /// The request of a command of any shape; `None` if it takes another number of words, or a byte is larger than one.
    #[must_use]
    pub fn of_shape(shape: &Shape, words: &[u16], addresses: Addresses) -> Option<Self> {
        let fits = |(field, word): (&&super::field::Field, &u16)| field.size() == 2 || *word <= 0xFF;
        let all_fit = words.len() == shape.sends.len() && shape.sends.iter().zip(words).all(fits);
        all_fit.then(|| Self::of(shape, words.iter().copied(), addresses))
    }

    fn of(shape: &Shape, words: impl IntoIterator<Item = u16>, addresses: Addresses) -> Self {
        let mut payload = Vec::with_capacity(12);
        for (field, word) in shape.sends.iter().zip(words) {
            payload.extend(word.to_le_bytes().into_iter().take(field.size()));
        }
        // The longest payload has 12 bytes.
        let length = u8::try_from(payload.len()).unwrap_or(u8::MAX);
        let mut bytes = vec![REQUEST_START, length, addresses.converter, addresses.own, shape.code];
        bytes.append(&mut payload);
        let sum = checksum(bytes.get(2..).unwrap_or_default());
        bytes.extend(sum.to_le_bytes());
        Self { bytes, name: shape.name, code: shape.code, answer_size: shape.answer_size() }
    }

    /// What goes onto the wire.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// `10-1`
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The code of the command.
    #[must_use]
    pub fn code(&self) -> u8 {
        self.code
    }

    /// Payload length of its acknowledgement.
    #[must_use]
    pub fn answer_size(&self) -> usize {
        self.answer_size
    }
}

/// The sum of addresses, command and payload, modulo 65536.
#[must_use]
pub fn checksum(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |sum: u16, byte| sum.wrapping_add(u16::from(*byte)))
}
