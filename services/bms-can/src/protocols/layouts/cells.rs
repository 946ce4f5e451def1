//! Highest and lowest cells and temperatures.

use super::measurements::temperature;
use crate::message::{CellExtremes, ExtremeLocations, Extremes, Message};
use crate::protocols::gates::{self, Refusal};
use crate::protocols::payload::{Reader, Writer, signed};
use crate::protocols::{Layout, Profile};

/// 0x373: lowest and highest cell 1 mV, coldest and hottest 1 K. Firmwares count 273 K to 0 °C; 0 K is not filled in.
pub(crate) const CELL_EXTREMES: Layout = Layout {
    name: "cell_extremes",
    shortest: 4,
    decode: |reader, _| {
        let (cell_min_mv, cell_max_mv) = (cell(reader)?, cell(reader)?);
        Ok(Message::CellExtremes(CellExtremes {
            cell_min_mv,
            cell_max_mv,
            temperature_min_c: kelvin(reader)?,
            temperature_max_c: kelvin(reader)?,
        }))
    },
    encode: |message, _, writer| {
        let Message::CellExtremes(extremes) = message else { return None };
        writer.u16(extremes.cell_min_mv)?;
        writer.u16(extremes.cell_max_mv)?;
        for celsius in [extremes.temperature_min_c, extremes.temperature_max_c] {
            writer.unless_ended(celsius, |w, v| w.u16(v.checked_add(273)?.try_into().ok()?))?;
        }
        Some(())
    },
};

/// 0x370 of the clones that do not send their name there (Eco-Worthy; Seplos "CANBUS Protocol" V1.0): hottest and
/// coldest 0.1 °C, highest and lowest cell 1 mV. No text reads as this: its letters make cells of over 8 V, its padding
/// cells of 0 V.
pub(crate) const EXTREMES: Layout = Layout {
    name: "extremes",
    shortest: 8,
    decode: |reader, profile| {
        let temperatures = temperature_extremes(reader, profile)?;
        Ok(Message::Extremes(Extremes { ..cell_extremes(reader, temperatures)? }))
    },
    encode: |message, _, writer| {
        let Message::Extremes(extremes) = message else { return None };
        for celsius in [extremes.temperature_max_c, extremes.temperature_min_c] {
            writer.i16(signed(celsius?, 10.0)?)?;
        }
        put_cells(extremes, writer)
    },
};

/// 0x371 of the same clones: module and cell, high byte first.
pub(crate) const EXTREME_LOCATIONS: Layout = Layout {
    name: "extreme_locations",
    shortest: 8,
    decode: |reader, _| {
        let mut place = || {
            let [cell, module] = reader.bytes().unwrap_or_default();
            [module, cell]
        };
        Ok(Message::ExtremeLocations(ExtremeLocations {
            temperature_max_loc: place(),
            temperature_min_loc: place(),
            cell_max_loc: place(),
            cell_min_loc: place(),
        }))
    },
    encode: |message, _, writer| {
        let Message::ExtremeLocations(at) = message else { return None };
        for [module, cell] in
            [at.temperature_max_loc, at.temperature_min_loc, at.cell_max_loc, at.cell_min_loc]
        {
            writer.bytes(&[cell, module])?;
        }
        Some(())
    },
};

/// One cell that the frame must have.
pub(crate) fn cell(reader: &mut Reader<'_>) -> Result<u16, Refusal> {
    gates::cell(reader.u16().unwrap_or_default())
}

/// Hottest and coldest, 0.1 °C.
pub(crate) fn temperature_extremes(reader: &mut Reader<'_>, profile: &Profile) -> Result<Extremes, Refusal> {
    Ok(Extremes {
        temperature_max_c: temperature(reader, profile)?,
        temperature_min_c: temperature(reader, profile)?,
        ..Extremes::default()
    })
}

/// Highest and lowest cell, 1 mV, added to `extremes`.
pub(crate) fn cell_extremes(reader: &mut Reader<'_>, extremes: Extremes) -> Result<Extremes, Refusal> {
    Ok(Extremes { cell_max_mv: Some(cell(reader)?), cell_min_mv: Some(cell(reader)?), ..extremes })
}

/// Highest and lowest cell, 1 mV.
pub(crate) fn put_cells(extremes: &Extremes, writer: &mut Writer) -> Option<()> {
    writer.u16(extremes.cell_max_mv?)?;
    writer.u16(extremes.cell_min_mv?)
}

fn kelvin(reader: &mut Reader<'_>) -> Result<Option<i16>, Refusal> {
    let Some(kelvin) = reader.only_if(|r| r.u16().filter(|&k| k > 0)) else { return Ok(None) };
    gates::temperature(f64::from(kelvin) - 273.0).map(|celsius| Some(celsius as i16))
}
