//! Short text out of a frame.

use std::fmt;

use serde::{Serialize, Serializer};

/// Printable ASCII of at most 8 characters, without the padding it had on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Text {
    // Bytes from `len` on are zero, so that equality is what it looks like.
    bytes: [u8; 8],
    len: u8,
}

impl Text {
    /// The text; `None` if it is empty, longer than 8 bytes or not printable ASCII.
    #[must_use]
    pub fn new(text: &[u8]) -> Option<Text> {
        if text.is_empty() || !text.iter().all(|b| (b' '..=b'~').contains(b)) {
            return None;
        }
        let mut bytes = [0; 8];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        Some(Text { bytes, len: text.len() as u8 })
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.bytes.get(..usize::from(self.len)).and_then(|b| std::str::from_utf8(b).ok()).unwrap_or_default()
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
