//! Every command: its code, what it sends and what it is answered.
//!
//! Names are those of the maker: group, then 1 for reading and 4 for writing. There is no code for either: a request without
//! payload reads.

use super::field::{self as f, Field};

/// A command with any number of words.
#[derive(Debug, PartialEq, Eq)]
pub struct Shape {
    /// `10-1`
    pub name: &'static str,
    /// The code on the wire, 0 to 0x1f.
    pub code: u8,
    /// What the request carries.
    pub sends: &'static [&'static Field],
    /// What the acknowledgement carries.
    pub answers: &'static [&'static Field],
}

/// A command that sends `S` words and is answered with `A`.
#[derive(Debug)]
pub struct Command<const S: usize, const A: usize> {
    shape: Shape,
}

impl Shape {
    /// Length of the acknowledgement's payload.
    #[must_use]
    pub fn answer_size(&self) -> usize {
        self.answers.iter().map(|field| field.size()).sum()
    }

    /// The words of an acknowledgement's payload; `None` if it has another length.
    #[must_use]
    pub fn words(&self, payload: &[u8]) -> Option<Vec<u16>> {
        let mut rest = payload;
        let mut words = Vec::with_capacity(self.answers.len());
        for field in self.answers {
            let (word, behind) = take(field, rest)?;
            words.push(word);
            rest = behind;
        }
        rest.is_empty().then_some(words)
    }

    /// Bytes on the wire, request and acknowledgement together.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.sends.iter().map(|field| field.size()).sum::<usize>() + self.answer_size() + 14
    }
}

impl<const S: usize, const A: usize> Command<S, A> {
    const fn new(
        name: &'static str,
        code: u8,
        sends: &'static [&'static Field; S],
        answers: &'static [&'static Field; A],
    ) -> Self {
        Self { shape: Shape { name, code, sends, answers } }
    }

    /// What it is, without the numbers of words.
    #[must_use]
    pub const fn shape(&self) -> &Shape {
        &self.shape
    }
}

/// The word of a field at the beginning of a payload, and the rest.
pub(super) fn take<'a>(field: &Field, payload: &'a [u8]) -> Option<(u16, &'a [u8])> {
    match (field.size(), payload) {
        (1, [byte, rest @ ..]) => Some((u16::from(*byte), rest)),
        (2, [low, high, rest @ ..]) => Some((u16::from_le_bytes([*low, *high]), rest)),
        _ => None,
    }
}

macro_rules! commands {
    ($($(#[$doc:meta])* $constant:ident<$s:literal, $a:literal> = $name:literal $code:literal
        [$($sends:ident)*] [$($answers:ident)*];)*) => {
        $($(#[$doc])* pub static $constant: Command<$s, $a> =
            Command::new($name, $code, &[$(&f::$sends),*], &[$(&f::$answers),*]);)*
        /// All of them.
        pub static ALL: &[&Shape] = &[$(&$constant.shape),*];
    };
}

commands! {
    /// Mode read.
    READ_MODE<0, 1> = "1-1" 0x00 [] [MODE];
    /// Mode write.
    WRITE_MODE<1, 1> = "1-4" 0x00 [MODE] [MODE];
    /// Status.
    READ_STATUS<0, 2> = "2-1" 0x01 [] [CST EXT];
    /// Battery target read.
    READ_BATTERY_TARGET<0, 2> = "3-1" 0x18 [] [CVB DRB];
    /// Battery target write.
    WRITE_BATTERY_TARGET<2, 2> = "3-4" 0x18 [CVB DRB] [CVB DRB];
    /// Grid target read.
    READ_GRID_TARGET<0, 2> = "4-1" 0x1a [] [DVG DRG];
    /// Grid target write.
    WRITE_GRID_TARGET<2, 2> = "4-4" 0x1a [DVG DRG] [DVG DRG];
    /// Dead zones read.
    READ_DEAD_ZONES<0, 2> = "5-1" 0x17 [] [PDZ MDZ];
    /// Dead zones write.
    WRITE_DEAD_ZONES<2, 2> = "5-4" 0x17 [PDZ MDZ] [PDZ MDZ];
    /// Protection and current limits read.
    READ_LIMITS<0, 6> = "6-1" 0x1c [] [CIB DIG UBV UGV OBV OGV];
    /// Protection and current limits write.
    WRITE_LIMITS<6, 6> = "6-4" 0x1c [CIB DIG UBV UGV OBV OGV] [CIB DIG UBV UGV OBV OGV];
    /// Charge behaviour read.
    READ_CHARGING<0, 5> = "7-1" 0x1d [] [BCF CVB DLB CDB DDB];
    /// Charge behaviour write.
    WRITE_CHARGING<5, 5> = "7-4" 0x1d [BCF CVB DLB CDB DDB] [BCF CVB DLB CDB DDB];
    /// Restart deviations read.
    READ_RESTART<0, 2> = "8-1" 0x16 [] [CCR DDR];
    /// Restart deviations write.
    WRITE_RESTART<2, 2> = "8-4" 0x16 [CCR DDR] [CCR DDR];
    /// Alarms read.
    READ_ALARMS<0, 3> = "9-1" 0x12 [] [ALM1 ALM2 ALM3];
    /// Alarms clear.
    CLEAR_ALARMS<2, 2> = "9-4" 0x12 [D0 D1] [D0 D1];
    /// Meters.
    READ_METERS<0, 8> = "10-1" 0x09 [] [VG IG VB IB WG WB IC TMP];
    /// Auxiliary meters.
    READ_AUXILIARY<0, 8> = "11-1" 0x0a [] [TS TP V5S FAN1 FAN2 FAN3 FAN4 FAN5];
    /// Q values of the meters.
    READ_METERS_Q<0, 8> = "12-1" 0x0d [] [VGQ IGQ VBQ IBQ WGQ WBQ ICQ TMPQ];
    /// Q values of the auxiliary meters.
    READ_AUXILIARY_Q<0, 8> = "13-1" 0x0e [] [TSQ TPQ V5Q FN1Q FN2Q FN3Q FN4Q FN5Q];
    /// Ratings and their Q values.
    READ_RATINGS<0, 10> = "14-1" 0x11 [] [VGN VGNQ IGN IGNQ VBN VBNQ IBN IBNQ WN WNQ];
    /// A version; of what is not public.
    READ_VERSION<0, 2> = "15-1" 0x1e [] [MIN MAJ];
    /// Another version; of what is not public.
    READ_SECOND_VERSION<0, 2> = "16-1" 0x1f [] [MIN MAJ];
}

/// A command by its name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Shape> {
    ALL.iter().copied().find(|shape| shape.name == name)
}
