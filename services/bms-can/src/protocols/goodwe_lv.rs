//! Goodwe low voltage (ES, EM, BP, SBP), as batteries in that setting send it. "BMS Protocol (CAN) for Li Residential
//! Series" V1.0.

use super::layouts::bits::{self, Bit, bit};
use super::layouts::{cells, counts, labels, limits, measurements, protection, soc};
use super::payload::unsigned;
use super::traffic::{Mark, hint, identity};
use super::{Addressing, Layout, Profile, Protocol, Row, le_family, row};
use crate::message::{Extremes, Flag, Message, PairRule, Protection, RatedEnergy, Requests};
use crate::protocols::gates;

/// The dialect. It reports no module count and no discharge voltage beyond the common frames, and 0x356 in tenths.
pub(super) static PROTOCOL: Protocol = Protocol {
    name: "goodwe_lv",
    title: "Goodwe low voltage",
    source: "Goodwe, BMS Protocol (CAN) for Li Residential Series, V1.0",
    bit_rate: le_family::BIT_RATE,
    addressing: Addressing::Single,
    profile: Profile { voltage_steps: 10.0, ..le_family::PROFILE },
    pairs: PairRule::Learned,
    frames: &[FRAMES],
    marks: MARKS,
};

const FRAMES: &[Row] = &[
    row(0x305, counts::INVERTER_ALIVE, &[0; 8]),
    row(0x359, PROTECTION, &[0; 8]),
    row(0x351, limits::LIMITS, &[0; 8]),
    row(0x355, soc::SOC, &[0; 8]),
    row(0x356, measurements::MEASUREMENTS, &[0; 8]),
    row(0x399, RATED_ENERGY, &[0; 8]),
    row(0x35C, REQUESTS, &[0; 8]),
    row(0x3DA, CELL_VOLTAGES, &[0; 8]),
    row(0x3DB, TEMPERATURES, &[0; 8]),
    row(0x35E, labels::MANUFACTURER, &[0; 8]),
];

/// Bytes 0 and 1 are alarms, 2 and 3 warnings: our protections and alarms.
const BITS: &[Bit] = &[
    bit(0, 7, Flag::ProtectionDischargeOverCurrent),
    bit(0, 4, Flag::ProtectionCellUnderTemperature),
    bit(0, 3, Flag::ProtectionCellOverTemperature),
    bit(0, 2, Flag::ProtectionUnderVoltage),
    bit(0, 1, Flag::ProtectionOverVoltage),
    bit(0, 0, Flag::ProtectionRelayCommand),
    bit(1, 4, Flag::ProtectionCellImbalance),
    bit(1, 3, Flag::ProtectionSystemError),
    bit(1, 0, Flag::ProtectionChargeOverCurrent),
    bit(2, 7, Flag::AlarmDischargeHighCurrent),
    bit(2, 4, Flag::AlarmCellLowTemperature),
    bit(2, 3, Flag::AlarmCellHighTemperature),
    bit(2, 2, Flag::AlarmLowVoltage),
    bit(2, 1, Flag::AlarmHighVoltage),
    bit(3, 6, Flag::AlarmSubPack2Error),
    bit(3, 5, Flag::AlarmSubPack1Error),
    bit(3, 4, Flag::AlarmCellImbalance),
    bit(3, 3, Flag::AlarmBmsInternal),
    bit(3, 0, Flag::AlarmChargeHighCurrent),
];

const PROTECTION: Layout = Layout {
    decode: |reader, _| {
        let flags = protection::flags(reader, BITS);
        Ok(Message::Protection(Protection { flags, ..Protection::default() }))
    },
    encode: |message, _, writer| {
        let Message::Protection(protection) = message else { return None };
        let bits = bits::write::<4>(protection.flags, BITS)?;
        (*protection == Protection { flags: protection.flags, ..Protection::default() }).then_some(())?;
        writer.bytes(&bits)
    },
    ..protection::PROTECTION
};

/// Bytes 0 and 1, 0.1 kWh. What the document has after them is not clear enough to be read.
const RATED_ENERGY: Layout = Layout {
    name: "rated_energy",
    shortest: 2,
    decode: |reader, _| {
        let rated_energy_kwh = f64::from(reader.u16().unwrap_or_default()) / 10.0;
        Ok(Message::RatedEnergy(RatedEnergy { rated_energy_kwh }))
    },
    encode: |message, _, writer| {
        let Message::RatedEnergy(energy) = message else { return None };
        writer.u16(unsigned(energy.rated_energy_kwh, 10.0)?)
    },
};

/// Bit 7 charge, 6 discharge, 5 forced charge.
const REQUESTS: Layout = Layout {
    name: "requests",
    shortest: 1,
    decode: |reader, _| {
        let flags = reader.u8().unwrap_or_default();
        Ok(Message::Requests(Requests {
            charge_enable: flags >> 7 & 1 == 1,
            discharge_enable: flags >> 6 & 1 == 1,
            force_charge_1: Some(flags >> 5 & 1 == 1),
            ..Requests::default()
        }))
    },
    encode: |message, _, writer| {
        let Message::Requests(requests) = message else { return None };
        let Requests { charge_enable, discharge_enable, force_charge_1: Some(force), .. } = *requests else {
            return None;
        };
        let sayable =
            Requests { charge_enable, discharge_enable, force_charge_1: Some(force), ..Requests::default() };
        (*requests == sayable).then_some(())?;
        writer.u8(u8::from(charge_enable) << 7 | u8::from(discharge_enable) << 6 | u8::from(force) << 5)
    },
};

const CELL_VOLTAGES: Layout = Layout {
    name: "cell_voltages",
    shortest: 4,
    decode: |reader, _| {
        let read = cells::cell_extremes(reader, Extremes::default())?;
        Ok(Message::Extremes(Extremes { cell_max_index: reader.u8(), cell_min_index: reader.u8(), ..read }))
    },
    encode: |message, _, writer| {
        let Message::Extremes(extremes @ Extremes { temperature_max_c: None, temperature_min_c: None, .. }) =
            message
        else {
            return None;
        };
        cells::put_cells(extremes, writer)?;
        writer.unless_ended(extremes.cell_max_index, super::payload::Writer::u8)?;
        writer.unless_ended(extremes.cell_min_index, super::payload::Writer::u8)
    },
};

/// Whole degrees, 50 to 0 °C.
const TEMPERATURES: Layout = Layout {
    name: "temperatures",
    shortest: 2,
    decode: |reader, _| {
        let mut celsius = || gates::temperature(f64::from(reader.u8().unwrap_or_default()) - 50.0).map(Some);
        let (max, min) = (celsius()?, celsius()?);
        Ok(Message::Extremes(Extremes {
            temperature_max_c: max,
            temperature_min_c: min,
            temperature_max_index: reader.u8(),
            temperature_min_index: reader.u8(),
            ..Extremes::default()
        }))
    },
    encode: |message, _, writer| {
        let Message::Extremes(extremes @ Extremes { cell_max_mv: None, cell_min_mv: None, .. }) = message
        else {
            return None;
        };
        for celsius in [extremes.temperature_max_c, extremes.temperature_min_c] {
            writer.u8(unsigned(celsius? + 50.0, 1.0)?.try_into().ok()?)?;
        }
        writer.unless_ended(extremes.temperature_max_index, super::payload::Writer::u8)?;
        writer.unless_ended(extremes.temperature_min_index, super::payload::Writer::u8)
    },
};

const MARKS: &[Mark] = &[
    identity(10, "0x359 comes with frames that only Goodwe has", |t| {
        t.has(0x359) && (t.has(0x399) || t.has(0x3DA) || t.has(0x3DB))
    }),
    hint(4, "0x356 counts tenths of a volt", |t| t.voltage_is_in_tenths()),
    hint(-8, "0x359 carries the letters \"PN\"", |t| t.has_bytes(0x359, 5, b"PN")),
];
