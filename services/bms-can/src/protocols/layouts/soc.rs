//! 0x355: how full, how old.

use super::words::{put_word, word};
use crate::message::{Message, Soc};
use crate::protocols::gates::{self, Refusal};
use crate::protocols::payload::{Reader, Writer, unsigned};
use crate::protocols::{Layout, Profile};

/// State of charge 1 %, state of health 1 %, state of charge 0.01 %. The last is missing in frames of four bytes, and
/// not filled in by many senders of six or eight: 0 counts only when the battery is empty, and a value more than 2 %
/// from the first is something else (Luxpower's cell voltages).
pub(crate) const SOC: Layout = Layout {
    name: "soc",
    shortest: 2,
    decode: |reader, profile| {
        let mut soc = read(reader, profile)?;
        let whole = soc.soc_pct;
        soc.soc_hires_pct = reader.only_if(|r| {
            let fine = f64::from(word(r, profile)?) / 100.0;
            let near = whole.is_none_or(|whole| (fine - f64::from(whole)).abs() <= 2.0);
            (fine <= 100.0 && near && (fine > 0.0 || whole == Some(0))).then_some(fine)
        });
        Ok(Message::Soc(soc))
    },
    encode: |message, profile, writer| {
        let Message::Soc(Soc { cell_max_mv: None, cell_min_mv: None, cycles: None, .. }) = message else {
            return None;
        };
        let soc = message.soc()?;
        write(soc, profile, writer)?;
        writer.unless_ended(soc.soc_hires_pct, |w, v| w.u16(unsigned(v, 100.0)?))
    },
};

/// The first four bytes. A state of health above 100 % is no value.
pub(crate) fn read(reader: &mut Reader<'_>, profile: &Profile) -> Result<Soc, Refusal> {
    Ok(Soc {
        soc_pct: word(reader, profile).map(gates::soc).transpose()?,
        soh_pct: reader.only_if(|r| word(r, profile).filter(|&v| v <= 100).map(|v| v as u8)),
        ..Soc::default()
    })
}

/// The first four bytes.
pub(crate) fn write(soc: &Soc, profile: &Profile, writer: &mut Writer) -> Option<()> {
    put_word(writer, profile, soc.soc_pct.map(f64::from), 1.0)?;
    writer.unless_ended(soc.soh_pct, |w, v| w.u16(u16::from(v)))
}
