//! What the registers of a field hold.

use serde::Deserialize;

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// Unsigned, one register.
    #[default]
    U16,
    /// Two's complement, one register.
    S16,
    /// High byte, unsigned.
    U8h,
    /// Low byte, unsigned.
    U8l,
    /// High byte, two's complement.
    S8h,
    /// Low byte, two's complement.
    S8l,
    /// Unsigned, two registers.
    U32,
    /// Two's complement, two registers.
    S32,
    /// Unsigned, four registers.
    U64,
    /// Two's complement, four registers.
    S64,
    /// IEEE 754, two registers.
    F32,
    /// IEEE 754, four registers.
    F64,
    /// ASCII, two characters a register, as many registers as `count` says.
    String,
    /// A coil or discrete input, or a register that is 0 or not.
    Bool,
    /// Hour in the high byte, minute in the low one.
    Hhmm,
    /// Minute in the high byte, hour in the low one.
    Mmhh,
    /// Hour times a hundred and minute, in decimal.
    BcdTime,
    /// A power of ten for other fields, as SunSpec has them.
    Sf16,
}

impl Type {
    /// Registers; `None` for a string, which says so itself.
    #[must_use]
    pub fn registers(self) -> Option<u16> {
        match self {
            Type::U32 | Type::S32 | Type::F32 => Some(2),
            Type::U64 | Type::S64 | Type::F64 => Some(4),
            Type::String => None,
            _ => Some(1),
        }
    }

    /// Whether it is two's complement.
    #[must_use]
    pub fn is_signed(self) -> bool {
        matches!(self, Type::S16 | Type::S8h | Type::S8l | Type::S32 | Type::S64 | Type::Sf16)
    }

    /// Whether it is binary floating point.
    #[must_use]
    pub fn is_float(self) -> bool {
        matches!(self, Type::F32 | Type::F64)
    }

    /// Bits of a whole number; 0 for what is none.
    #[must_use]
    pub fn bits(self) -> u32 {
        match self {
            Type::U8h | Type::U8l | Type::S8h | Type::S8l => 8,
            Type::U16 | Type::S16 | Type::Bool | Type::Hhmm | Type::Mmhh | Type::BcdTime | Type::Sf16 => 16,
            Type::U32 | Type::S32 => 32,
            Type::U64 | Type::S64 => 64,
            Type::F32 | Type::F64 | Type::String => 0,
        }
    }

    /// Smallest and largest raw value; `None` for what is no whole number.
    #[must_use]
    pub fn limits(self) -> Option<(i128, i128)> {
        let bits = self.bits();
        match bits {
            0 => None,
            _ if self.is_signed() => Some((-(1 << (bits - 1)), (1 << (bits - 1)) - 1)),
            _ => Some((0, (1 << bits) - 1)),
        }
    }

    /// The name in a profile.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Type::U16 => "u16",
            Type::S16 => "s16",
            Type::U8h => "u8h",
            Type::U8l => "u8l",
            Type::S8h => "s8h",
            Type::S8l => "s8l",
            Type::U32 => "u32",
            Type::S32 => "s32",
            Type::U64 => "u64",
            Type::S64 => "s64",
            Type::F32 => "f32",
            Type::F64 => "f64",
            Type::String => "string",
            Type::Bool => "bool",
            Type::Hhmm => "hhmm",
            Type::Mmhh => "mmhh",
            Type::BcdTime => "bcdtime",
            Type::Sf16 => "sf16",
        }
    }
}

/// The order of the registers of a value that has several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Words {
    /// High register first.
    #[default]
    Hl,
    /// Low register first.
    Lh,
}

/// Raw values that mean "no data", by type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sentinels {
    /// None but those that a point names.
    #[default]
    None,
    /// All bits one, of unsigned types.
    Ones,
    /// Those of SunSpec (Information model specification V1.8, table of data types).
    SunSpec,
    /// Those of SMA (Modbus interface, data types): as SunSpec, with 0x00FFFFFD for enumerations of 32 bits.
    Sma,
}

impl Sentinels {
    /// The raw value of `kind` that is none.
    #[must_use]
    pub fn of(self, kind: Type, is_enum: bool) -> Option<i128> {
        let (low, high) = kind.limits()?;
        match self {
            Sentinels::None => None,
            Sentinels::Sma if is_enum && kind == Type::U32 => Some(0x00FF_FFFD),
            _ if matches!(kind, Type::U8h | Type::U8l | Type::S8h | Type::S8l | Type::Bool) => None,
            Sentinels::Ones => (!kind.is_signed()).then_some(high),
            Sentinels::SunSpec | Sentinels::Sma => Some(if kind.is_signed() { low } else { high }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_no_data_depends_on_the_type() {
        assert_eq!(Sentinels::SunSpec.of(Type::S16, false), Some(-0x8000));
        assert_eq!(Sentinels::SunSpec.of(Type::U16, false), Some(0xFFFF));
        assert_eq!(Sentinels::SunSpec.of(Type::F32, false), None, "not a number says it itself");
        assert_eq!(Sentinels::Ones.of(Type::U32, false), Some(0xFFFF_FFFF));
        assert_eq!(Sentinels::Ones.of(Type::S32, false), None);
        assert_eq!(Sentinels::Sma.of(Type::U32, true), Some(0x00FF_FFFD));
        assert_eq!(Sentinels::None.of(Type::U16, false), None);
        assert_eq!(Type::U64.limits(), Some((0, u64::MAX.into())));
    }
}
