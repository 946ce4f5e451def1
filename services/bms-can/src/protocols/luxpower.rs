//! Luxpower and EG4, as batteries in that setting send it: Pylontech's frames with cells and temperatures at their ends.
//! "Luxpower Battery CANBUS Protocol" 04 (2023-09-05).

use super::layouts::requests::{self, Numbering};
use super::layouts::{counts, labels, limits, measurements, protection, soc};
use super::payload::Writer;
use super::traffic::{Mark, identity};
use super::{Addressing, Layout, Protocol, Row, le_family, row};
use crate::message::{InverterCommand, Measurements, Message, PairRule, Protection, Requests, Soc};
use crate::protocols::gates;
use crate::protocols::payload::signed;

/// The dialect.
pub(super) static PROTOCOL: Protocol = Protocol {
    name: "luxpower",
    title: "Luxpower, EG4",
    source: "Luxpower, Battery CANBUS Protocol, version 04",
    bit_rate: le_family::BIT_RATE,
    addressing: Addressing::Single,
    profile: le_family::PROFILE,
    pairs: PairRule::Learned,
    frames: &[FRAMES],
    marks: MARKS,
};

const FRAMES: &[Row] = &[
    row(0x300, INVERTER_COMMAND, &[0; 8]),
    row(0x305, counts::INVERTER_ALIVE, &[0; 8]),
    row(0x359, PROTECTION, &[0; 8]),
    row(0x351, limits::LIMITS, &[0; 8]),
    row(0x355, SOC, &[0; 8]),
    row(0x356, MEASUREMENTS, &[0; 8]),
    row(0x35C, REQUESTS, &[0; 8]),
    row(0x35E, labels::MANUFACTURER, &[0; 8]),
    row(0x379, counts::INSTALLED_CAPACITY, &[0; 8]),
];

const INVERTER_COMMAND: Layout = Layout {
    name: "inverter_command",
    shortest: 1,
    decode: |reader, _| {
        let battery_shutdown = reader.u8().unwrap_or_default() & 1 == 1;
        Ok(Message::InverterCommand(InverterCommand { battery_shutdown }))
    },
    encode: |message, _, writer| {
        let Message::InverterCommand(command) = message else { return None };
        writer.u8(u8::from(command.battery_shutdown))
    },
};

/// Modules in byte 4, capacity in bytes 5 and 6.
const PROTECTION: Layout = Layout {
    decode: |reader, _| {
        let flags = protection::flags(reader, protection::BITS);
        let (module_count, capacity_ah) = (reader.u8(), reader.u16());
        Ok(Message::Protection(Protection { flags, module_count, capacity_ah, ..Protection::default() }))
    },
    encode: |message, _, writer| {
        let Message::Protection(Protection {
            flags,
            module_count,
            capacity_ah,
            pn_marker: None,
            manufacturer_code: None,
            cell_count: None,
        }) = message
        else {
            return None;
        };
        writer.bytes(&super::layouts::bits::write::<4>(*flags, protection::BITS)?)?;
        writer.unless_ended(*module_count, Writer::u8)?;
        writer.unless_ended(*capacity_ah, Writer::u16)
    },
    ..protection::PROTECTION
};

/// Highest and lowest cell where others have the fine state of charge. Zeros are from before version 01 had them.
const SOC: Layout = Layout {
    decode: |reader, profile| {
        let mut read = soc::read(reader, profile)?;
        let mut cell = || reader.only_if(|r| r.u16().filter(|&mv| mv > 0)).map(gates::cell).transpose();
        read.cell_max_mv = cell()?;
        read.cell_min_mv = cell()?;
        Ok(Message::Soc(read))
    },
    encode: |message, profile, writer| {
        let Message::Soc(values @ Soc { soc_hires_pct: None, cycles: None, .. }) = message else {
            return None;
        };
        soc::write(values, profile, writer)?;
        writer.unless_ended(values.cell_max_mv, Writer::u16)?;
        writer.unless_ended(values.cell_min_mv, Writer::u16)
    },
    ..soc::SOC
};

/// Hottest and coldest cell where others have one temperature.
const MEASUREMENTS: Layout = Layout {
    decode: |reader, profile| {
        let mut read = measurements::read(reader, profile)?;
        read.temperature_max_c = measurements::temperature(reader, profile)?;
        read.temperature_min_c = measurements::temperature(reader, profile)?;
        Ok(Message::Measurements(read))
    },
    encode: |message, profile, writer| {
        let Message::Measurements(values @ Measurements { temperature_c: None, cycles: None, .. }) = message
        else {
            return None;
        };
        measurements::write(values, profile, writer)?;
        for celsius in [values.temperature_max_c, values.temperature_min_c] {
            writer.unless_ended(celsius, |w, v| w.i16(signed(v, 10.0)?))?;
        }
        Some(())
    },
    ..measurements::MEASUREMENTS
};

/// Table 2, where bit 4 is forced charge 1; then cycles in bytes 2 and 3.
const REQUESTS: Layout = Layout {
    decode: |reader, _| {
        let requests = requests::from_bits(reader.u8().unwrap_or_default(), Numbering::SolArk);
        let cycles = reader.only_if(|r| {
            r.skip(1)?;
            r.u16()
        });
        Ok(Message::Requests(Requests { cycles, ..requests }))
    },
    encode: |message, _, writer| {
        let Message::Requests(requests) = message else { return None };
        writer.u8(requests::to_bits(requests, Numbering::SolArk)?)?;
        writer.unless_ended(requests.cycles, |w, cycles| {
            w.u8(0)?;
            w.u16(cycles)
        })
    },
    ..requests::REQUESTS
};

const MARKS: &[Mark] =
    &[identity(14, "0x359 has no letters \"PN\", and 0x355 ends with two cell voltages", |t| {
        let is_cell = |at| t.word(0x355, at).is_some_and(|mv| (2000..=4500).contains(&mv));
        t.has(0x359) && !t.has_bytes(0x359, 5, b"PN") && is_cell(4) && is_cell(6)
    })];
