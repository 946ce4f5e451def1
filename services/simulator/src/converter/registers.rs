//! What a converter knows, as raw words by name.

use std::collections::BTreeMap;

/// Code, whether it can be written, bytes per word, and the words. Group numbers are the maker's.
const COMMANDS: [(u8, u8, bool, usize, &[&str]); 16] = [
    (1, 0x00, true, 2, &["mode"]),
    (2, 0x01, false, 2, &["cst", "ext"]),
    (3, 0x18, true, 2, &["cvb", "drb"]),
    (4, 0x1a, true, 2, &["dvg", "drg"]),
    (5, 0x17, true, 2, &["pdz", "mdz"]),
    (6, 0x1c, true, 2, &["cib", "dig", "ubv", "ugv", "obv", "ogv"]),
    (7, 0x1d, true, 2, &["bcf", "cvb", "dlb", "cdb", "ddb"]),
    (8, 0x16, true, 2, &["ccr", "ddr"]),
    (9, 0x12, false, 2, &["alm1", "alm2", "alm3"]),
    (10, 0x09, false, 2, &["vg", "ig", "vb", "ib", "wg", "wb", "ic", "tmp"]),
    (11, 0x0a, false, 2, &["ts", "tp", "v5s", "fan1", "fan2", "fan3", "fan4", "fan5"]),
    (12, 0x0d, false, 2, &["vgq", "igq", "vbq", "ibq", "wgq", "wbq", "icq", "tmpq"]),
    (13, 0x0e, false, 2, &["tsq", "tpq", "v5q", "fn1q", "fn2q", "fn3q", "fn4q", "fn5q"]),
    (14, 0x11, false, 2, &["vgn", "vgnq", "ign", "ignq", "vbn", "vbnq", "ibn", "ibnq", "wn", "wnq"]),
    (15, 0x1e, false, 1, &["min1", "maj1"]),
    (16, 0x1f, false, 1, &["min2", "maj2"]),
];

/// Clearing alarms is written like a command that is otherwise only read.
const ALARMS: u8 = 0x12;
const CLEAR_BYTES: usize = 2;

/// What a fresh converter says.
const FIRST: [(&str, i32); 34] = [
    ("vg", 15_068),
    ("vb", 17_578),
    ("ib", -39),
    ("wb", -10),
    ("ic", 12),
    ("tmp", 3_776),
    ("ts", 250),
    ("tp", 300),
    ("v5s", 5_120),
    ("fan1", 3_000),
    ("fan2", 3_100),
    ("vgq", 14),
    ("igq", 13),
    ("vbq", 14),
    ("ibq", 13),
    ("wgq", 11),
    ("wbq", 11),
    ("tmpq", 7),
    ("pdz", 431),
    ("mdz", 431),
    ("ccr", 341),
    ("ddr", 341),
    ("cvb", 19_660),
    ("dvg", 15_090),
    ("cib", 8_179),
    ("dig", 2_097),
    ("ubv", 13_653),
    ("ugv", 12_934),
    ("obv", 20_138),
    ("ogv", 17_246),
    ("bcf", 3),
    ("dlb", 16_725),
    ("cdb", 409),
    ("ddb", 614),
];

/// Why a command is refused (ERCD).
pub(super) const NOT_SUPPORTED: u16 = 0xFFFF;
pub(super) const BAD_PARAMETER: u16 = 0xFFFE;

/// The words.
#[derive(Debug, Clone)]
pub struct Registers {
    words: BTreeMap<&'static str, u16>,
}

impl Default for Registers {
    fn default() -> Self {
        let names = COMMANDS.iter().flat_map(|command| command.4).map(|name| (*name, 0));
        let mut registers = Self { words: names.collect() };
        for (name, word) in FIRST {
            registers.set_signed(name, word);
        }
        registers
    }
}

impl Registers {
    /// A word, unsigned.
    #[must_use]
    pub fn get(&self, name: &str) -> u16 {
        self.words.get(name).copied().unwrap_or_default()
    }

    /// Sets a word; false if there is none of that name.
    pub fn set(&mut self, name: &str, word: u16) -> bool {
        let found = self.words.get_mut(name);
        found.map(|present| *present = word).is_some()
    }

    /// Sets a word from a number of either sign, at most one word wide.
    pub fn set_signed(&mut self, name: &str, word: i32) -> bool {
        let low = word.clamp(i32::from(i16::MIN), i32::from(u16::MAX)) & 0xFFFF;
        self.set(name, u16::try_from(low).unwrap_or_default())
    }

    /// Carries out a command; the payload of its acknowledgement, or the code of its refusal.
    pub(super) fn serve(&mut self, code: u8, payload: &[u8]) -> Result<Vec<u8>, u16> {
        let found = COMMANDS.iter().find(|command| command.1 == code);
        let Some((_, _, is_writable, size, names)) = found else { return Err(NOT_SUPPORTED) };
        if code == ALARMS && payload.len() == CLEAR_BYTES {
            for name in ["alm1", "alm2", "alm3"] {
                self.set(name, 0);
            }
            self.set("cst", self.get("cst") & !0b1100);
            return Ok(payload.to_vec());
        }
        if !payload.is_empty() {
            if !is_writable || payload.len() != names.len() * size {
                return Err(BAD_PARAMETER);
            }
            for (name, bytes) in names.iter().zip(payload.as_chunks::<2>().0) {
                self.set(name, u16::from_le_bytes(*bytes));
            }
        }
        let bytes = names.iter().flat_map(|name| self.get(name).to_le_bytes().into_iter().take(*size));
        Ok(bytes.collect())
    }
}

/// `4-1` or `4-4`, as the maker calls a command.
pub(super) fn name(code: u8, is_write: bool) -> String {
    let group = COMMANDS.iter().find(|command| command.1 == code).map_or(0, |command| command.0);
    format!("{group}-{}", if is_write { 4 } else { 1 })
}
