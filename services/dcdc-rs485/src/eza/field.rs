//! What the words of a frame mean: SonyCSL/apis-dcdc_batt_comm, drivers/eza2500/command*.py and c*.yml.

use super::number::Decimal;

/// How a word, or a byte, stands for a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// One byte, as it is.
    Byte,
    /// An unsigned word as it is.
    Word,
    /// A signed word as it is.
    SignedWord,
    /// value = word · rating / 2^q, unsigned.
    Q(u32, Rating),
    /// The same, signed.
    SignedQ(u32, Rating),
}

/// What a full scale is in the unit of the field, as a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rating(pub u32, pub u32);

const ONE: Rating = Rating(1, 1);
const GRID_V: Rating = Rating(380, 1);
const GRID_A: Rating = Rating(125, 16);
const BATTERY_V: Rating = Rating(48, 1);
const BATTERY_A: Rating = Rating(5_208, 100);
const POWER_W: Rating = Rating(2_500, 1);

/// A word of a frame.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name in the maker's commands and in the web API.
    pub name: &'static str,
    /// What the word stands for.
    pub scale: Scale,
    /// The declared range, both ends allowed, in the unit of the field.
    pub range: Option<(&'static str, &'static str)>,
}

/// A value that cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unsendable {
    /// The value is outside the declared range, or no word can hold it.
    #[error("out of range: {field}: {value} {relation} {limit}")]
    OutOfRange {
        /// Which field.
        field: &'static str,
        /// As it was written.
        value: String,
        /// `<` or `>`.
        relation: char,
        /// The limit that was passed.
        limit: String,
    },
    /// The value is no number.
    #[error("{field}: {source}")]
    NoNumber {
        /// Which field.
        field: &'static str,
        /// What was written.
        source: super::number::NoNumber,
    },
}

impl Field {
    const fn new(name: &'static str, scale: Scale) -> Self {
        Self { name, scale, range: None }
    }

    const fn within(name: &'static str, scale: Scale, from: &'static str, to: &'static str) -> Self {
        Self { name, scale, range: Some((from, to)) }
    }

    /// Bytes on the wire.
    #[must_use]
    pub const fn size(&self) -> usize {
        match self.scale {
            Scale::Byte => 1,
            _ => 2,
        }
    }

    /// The word for a number as it was written; with `check_range`, only inside the declared range. Fractions of a count
    /// are cut off.
    ///
    /// # Errors
    /// [`Unsendable`].
    pub fn word(&self, text: &str, check_range: bool) -> Result<u16, Unsendable> {
        let number =
            Decimal::parse(text).map_err(|source| Unsendable::NoNumber { field: self.name, source })?;
        let out = |relation, limit: &str| Unsendable::OutOfRange {
            field: self.name,
            value: text.trim().chars().take(40).collect(),
            relation,
            limit: limit.to_owned(),
        };
        if let Some((from, to)) = self.range.filter(|_| check_range) {
            if Decimal::parse(from).is_ok_and(|from| number < from) {
                return Err(out('<', from));
            }
            if Decimal::parse(to).is_ok_and(|to| number > to) {
                return Err(out('>', to));
            }
        }
        let factor = match self.scale {
            Scale::Q(q, rating) | Scale::SignedQ(q, rating) => {
                (u64::from(rating.1) << q.min(16), u64::from(rating.0))
            }
            Scale::Byte | Scale::Word | Scale::SignedWord => (1, 1),
        };
        let largest = if self.scale == Scale::Byte { u16::from(u8::MAX) } else { u16::MAX };
        match number.scaled(factor).filter(|word| *word <= largest) {
            Some(word) => Ok(word),
            None if number < Decimal::ZERO => Err(out('<', "0")),
            None => Err(out('>', &self.value(largest).to_string())),
        }
    }

    /// The quantity that a word stands for, in the unit of the field, rounded half to even at 16 decimals as the
    /// reference prints it.
    #[must_use]
    pub fn value(&self, word: u16) -> f64 {
        let signed = word.cast_signed();
        match self.scale {
            Scale::Byte | Scale::Word => f64::from(word),
            Scale::SignedWord => f64::from(signed),
            Scale::Q(q, rating) => sixteen_decimals(i64::from(word), q, rating),
            Scale::SignedQ(q, rating) => sixteen_decimals(i64::from(signed), q, rating),
        }
    }
}

/// word · rating / 2^q, exact up to its rounding.
fn sixteen_decimals(word: i64, q: u32, rating: Rating) -> f64 {
    const UNITS: i128 = 10_i128.pow(16);
    let numerator = i128::from(word.unsigned_abs()) * i128::from(rating.0) * UNITS;
    let denominator = i128::from(rating.1) << q;
    let (whole, rest) = (numerator / denominator, numerator % denominator);
    let up = match (rest * 2).cmp(&denominator) {
        std::cmp::Ordering::Less => 0,
        std::cmp::Ordering::Equal => whole % 2,
        std::cmp::Ordering::Greater => 1,
    };
    let units = whole + up;
    let sign = if word < 0 { "-" } else { "" };
    let text = format!("{sign}{}.{:016}", units / UNITS, units % UNITS);
    // Digits and one point are always a number.
    text.parse().unwrap_or_default()
}

macro_rules! fields {
    ($($(#[$doc:meta])* $constant:ident = $name:literal $scale:expr $(, $from:literal .. $to:literal)?;)*) => {
        $($(#[$doc])* pub static $constant: Field = fields!(@one $name, $scale $(, $from, $to)?);)*
    };
    (@one $name:literal, $scale:expr) => { Field::new($name, $scale) };
    (@one $name:literal, $scale:expr, $from:literal, $to:literal) => { Field::within($name, $scale, $from, $to) };
}

use Scale::{Byte, Q, SignedQ, SignedWord, Word};

fields! {
    /// Operation mode, see [`words`](super::words).
    MODE = "mode" Word;
    /// Status: bits 0–1 running state, bits 2–3 alarm state.
    CST = "cst" Word;
    /// Further status, meaning not public.
    EXT = "ext" Word;
    /// Battery target (charge) voltage, V.
    CVB = "cvb" Q(14, BATTERY_V), "32".."62";
    /// Battery droop rate.
    DRB = "drb" Q(13, ONE), "0".."3.999";
    /// Grid target voltage, V.
    DVG = "dvg" Q(14, GRID_V), "260".."390";
    /// Grid droop rate.
    DRG = "drg" Q(13, ONE), "0".."3.999";
    /// Dead zone above the grid target, V.
    PDZ = "pdz" Q(14, GRID_V), "0".."57";
    /// Dead zone below the grid target, V.
    MDZ = "mdz" Q(14, GRID_V), "0".."57";
    /// Battery upper current, A.
    CIB = "cib" Q(13, BATTERY_A), "0".."56.77";
    /// Grid upper current, A; the mode gives it its direction.
    DIG = "dig" Q(13, GRID_A), "0".."8.5162";
    /// Battery under voltage threshold, V.
    UBV = "ubv" Q(14, BATTERY_V), "32".."68";
    /// Grid under voltage threshold, V.
    UGV = "ugv" Q(14, GRID_V), "260".."425";
    /// Battery over voltage threshold, V.
    OBV = "obv" Q(14, BATTERY_V), "32".."68";
    /// Grid over voltage threshold, V.
    OGV = "ogv" Q(14, GRID_V), "260".."425";
    /// Converter settings, bits.
    BCF = "bcf" Word;
    /// Battery end-of-discharge voltage, V.
    DLB = "dlb" Q(14, BATTERY_V), "32".."64";
    /// Deviation for the notice that the charge limit is near, V.
    CDB = "cdb" Q(14, BATTERY_V), "0".."12";
    /// Deviation for the notice that the discharge limit is near, V.
    DDB = "ddb" Q(14, BATTERY_V), "0".."12";
    /// Charge restart deviation, V.
    CCR = "ccr" Q(14, BATTERY_V), "0".."12";
    /// Discharge restart deviation, V.
    DDR = "ddr" Q(14, BATTERY_V), "0".."12";
    /// Alarm bits, meaning not public.
    ALM1 = "alm1" Word;
    /// Alarm bits, meaning not public.
    ALM2 = "alm2" Word;
    /// Alarm bits, meaning not public.
    ALM3 = "alm3" Word;
    /// First byte of clearing alarms.
    D0 = "d0" Byte;
    /// Second byte of clearing alarms.
    D1 = "d1" Byte;
    /// Grid voltage, V.
    VG = "vg" SignedQ(14, GRID_V);
    /// Grid current, A, positive while the battery is charged.
    IG = "ig" SignedQ(13, GRID_A);
    /// Battery voltage, V.
    VB = "vb" SignedQ(14, BATTERY_V);
    /// Battery current, A, positive while the battery is charged.
    IB = "ib" SignedQ(13, BATTERY_A);
    /// Grid power, W, positive while the battery is charged.
    WG = "wg" SignedQ(11, POWER_W);
    /// Battery power, W, positive while the battery is charged.
    WB = "wb" SignedQ(11, POWER_W);
    /// A current whose scale 12-1 tells; not used.
    IC = "ic" SignedWord;
    /// Internal temperature, °C.
    TMP = "tmp" SignedQ(7, ONE);
    /// A temperature whose scale 13-1 tells.
    TS = "ts" SignedWord;
    /// A temperature whose scale 13-1 tells.
    TP = "tp" SignedWord;
    /// Internal 5 V supply, V.
    V5S = "v5s" SignedQ(10, ONE);
    /// Fan speed.
    FAN1 = "fan1" SignedQ(0, ONE);
    /// Fan speed.
    FAN2 = "fan2" SignedQ(0, ONE);
    /// Fan speed.
    FAN3 = "fan3" SignedQ(0, ONE);
    /// Fan speed.
    FAN4 = "fan4" SignedQ(0, ONE);
    /// Fan speed.
    FAN5 = "fan5" SignedQ(0, ONE);
    /// Q of `vg`.
    VGQ = "vgq" Word;
    /// Q of `ig`.
    IGQ = "igq" Word;
    /// Q of `vb`.
    VBQ = "vbq" Word;
    /// Q of `ib`.
    IBQ = "ibq" Word;
    /// Q of `wg`.
    WGQ = "wgq" Word;
    /// Q of `wb`.
    WBQ = "wbq" Word;
    /// Q of `ic`.
    ICQ = "icq" Word;
    /// Q of `tmp`.
    TMPQ = "tmpq" Word;
    /// Q of `ts`.
    TSQ = "tsq" Word;
    /// Q of `tp`.
    TPQ = "tpq" Word;
    /// Q of `v5s`.
    V5Q = "v5q" Word;
    /// Q of `fan1`.
    FN1Q = "fn1q" Word;
    /// Q of `fan2`.
    FN2Q = "fn2q" Word;
    /// Q of `fan3`.
    FN3Q = "fn3q" Word;
    /// Q of `fan4`.
    FN4Q = "fn4q" Word;
    /// Q of `fan5`.
    FN5Q = "fn5q" Word;
    /// Grid voltage rating.
    VGN = "vgn" Word;
    /// Q of `vgn`.
    VGNQ = "vgnq" Word;
    /// Grid current rating.
    IGN = "ign" Word;
    /// Q of `ign`.
    IGNQ = "ignq" Word;
    /// Battery voltage rating.
    VBN = "vbn" Word;
    /// Q of `vbn`.
    VBNQ = "vbnq" Word;
    /// Battery current rating.
    IBN = "ibn" Word;
    /// Q of `ibn`.
    IBNQ = "ibnq" Word;
    /// Power rating.
    WN = "wn" Word;
    /// Q of `wn`.
    WNQ = "wnq" Word;
    /// Minor version.
    MIN = "min" Byte;
    /// Major version.
    MAJ = "maj" Byte;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seventeen_decimals_are_rounded_half_to_even() {
        assert_eq!(DIG.value(1).to_string(), "0.0009536743164062");
        assert_eq!(IG.value(0xFFFF).to_string(), "-0.0009536743164062");
        assert_eq!(DIG.value(3).to_string(), "0.0028610229492188");
        assert_eq!(TMP.value(3_771), 29.4609375);
    }

    #[test]
    fn a_value_outside_its_range_is_refused_unless_the_range_is_not_checked() {
        assert_eq!(DVG.word("400", true).unwrap_err().to_string(), "out of range: dvg: 400 > 390");
        assert_eq!(DVG.word("259.9", true).unwrap_err().to_string(), "out of range: dvg: 259.9 < 260");
        assert_eq!(DVG.word("400", false), Ok(17_246));
        assert!(DVG.word("1520", false).is_err() && DVG.word("-1", false).is_err());
        assert_eq!(DRG.word("-1e-5", false), Ok(0));
    }
}
