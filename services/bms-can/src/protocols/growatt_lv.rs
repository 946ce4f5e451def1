//! Growatt low voltage (SPF, SPH), as batteries in that setting send it: big-endian, and only when asked by 0x301.
//! "Growatt BMS CAN-Bus-protocol-low-voltage" rev. 04 (V1.04).

use super::layouts::bits::{self, Bit, bit};
use super::layouts::requests::Numbering;
use super::layouts::{cells, counts, limits, measurements, protection, requests};
use super::payload::{Order, Writer, signed, unsigned};
use super::traffic::{Mark, identity};
use super::{Addressing, Layout, Profile, Protocol, Row, gates, le_family, row};
use crate::message::{
    Capacity, Cells, Extremes, Flag, LimitsAndState, Measurements, MeasurementsAndSoc, Message, PackActivity,
    PackState, PairRule, Product, Protection, Requests, RequestsAndExtremes, Soc, UpdateStatus,
};

/// The dialect.
pub(super) static PROTOCOL: Protocol = Protocol {
    name: "growatt_lv",
    title: "Growatt low voltage",
    source: "Growatt, BMS CAN-Bus-protocol low voltage, rev. 04",
    bit_rate: le_family::BIT_RATE,
    addressing: Addressing::Single,
    profile: Profile { order: Order::Big, ..le_family::PROFILE },
    pairs: PairRule::Learned,
    frames: &[FRAMES],
    marks: MARKS,
};

const FRAMES: &[Row] = &[
    row(0x301, counts::INVERTER_ALIVE, &[0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88]),
    row(0x311, LIMITS_AND_STATE, &[0; 8]),
    row(0x312, PROTECTION, &[0; 8]),
    row(0x313, MEASUREMENTS, &[0; 8]),
    row(0x314, CAPACITY, &[0; 8]),
    row(0x319, REQUESTS, &[0; 8]),
    row(0x320, PRODUCT, &[0; 8]),
    row(0x321, UPDATE_STATUS, &[0; 8]),
    row(0x315, cell_voltages::<1>(), &[0; 8]),
    row(0x316, cell_voltages::<5>(), &[0; 8]),
    row(0x317, cell_voltages::<9>(), &[0; 8]),
    row(0x318, cell_voltages::<13>(), &[0; 8]),
    row(0x322, TEMPERATURES, &[0; 8]),
];

const LIMITS_AND_STATE: Layout = Layout {
    name: "limits",
    shortest: 8,
    decode: |reader, profile| {
        let limits = limits::read(reader, profile)?;
        let word = reader.u16().unwrap_or_default();
        let bit = |n: u16| word >> n & 1 == 1;
        let state = PackState {
            state: activity(word),
            error_valid: bit(2),
            balanced: bit(3),
            sleeping: bit(4),
            discharge_output: bit(5),
            charge_output: bit(6),
            terminal_open: bit(7),
            master_box_mode: (word >> 8 & 3) as u8,
            inverter_state: activity(word >> 10),
        };
        Ok(Message::LimitsAndState(LimitsAndState { limits, state }))
    },
    encode: |message, profile, writer| {
        let Message::LimitsAndState(LimitsAndState { limits, state }) = message else { return None };
        limits.discharge_voltage_limit_v.is_none().then_some(())?;
        limits::write(limits, profile, writer)?;
        let bits = [
            state.error_valid,
            state.balanced,
            state.sleeping,
            state.discharge_output,
            state.charge_output,
            state.terminal_open,
        ];
        let flags = (2..).zip(bits).fold(0, |word, (n, set)| word | u16::from(set) << n);
        let mode = u16::from(state.master_box_mode & 3) << 8;
        writer.u16(state.state as u16 | flags | mode | (state.inverter_state as u16) << 10)
    },
};

const fn activity(bits: u16) -> PackActivity {
    match bits & 3 {
        0 => PackActivity::SoftStart,
        1 => PackActivity::Standby,
        2 => PackActivity::Charging,
        _ => PackActivity::Discharging,
    }
}

/// 0x312, tables 1 to 4.
const BITS: &[Bit] = &[
    bit(0, 7, Flag::ProtectionDischargeOverCurrent),
    bit(0, 6, Flag::ProtectionChargeOverCurrent),
    bit(0, 5, Flag::ProtectionShortCircuit),
    bit(0, 4, Flag::ProtectionCellOverVoltage),
    bit(0, 3, Flag::ProtectionCellUnderVoltage),
    bit(0, 2, Flag::ProtectionOverVoltage),
    bit(0, 1, Flag::ProtectionUnderVoltage),
    bit(0, 0, Flag::ProtectionSoftStartFail),
    bit(1, 7, Flag::ProtectionDischargeOverTemperature),
    bit(1, 6, Flag::ProtectionChargeOverTemperature),
    bit(1, 5, Flag::ProtectionDischargeUnderTemperature),
    bit(1, 4, Flag::ProtectionChargeUnderTemperature),
    bit(1, 3, Flag::ProtectionSystemError),
    bit(1, 2, Flag::ProtectionCellImbalance),
    bit(2, 7, Flag::AlarmDischargeHighCurrent),
    bit(2, 6, Flag::AlarmChargeHighCurrent),
    bit(2, 4, Flag::AlarmCellHighVoltage),
    bit(2, 3, Flag::AlarmCellLowVoltage),
    bit(2, 2, Flag::AlarmHighVoltage),
    bit(2, 1, Flag::AlarmLowVoltage),
    bit(3, 7, Flag::AlarmDischargeHighTemperature),
    bit(3, 6, Flag::AlarmChargeHighTemperature),
    bit(3, 5, Flag::AlarmDischargeLowTemperature),
    bit(3, 4, Flag::AlarmChargeLowTemperature),
    bit(3, 2, Flag::AlarmCellImbalance),
    bit(3, 1, Flag::AlarmSwitchingOff),
    bit(3, 0, Flag::AlarmInternalCommunicationFail),
];

const PROTECTION: Layout = Layout {
    decode: |reader, _| {
        Ok(Message::Protection(Protection {
            flags: protection::flags(reader, BITS),
            module_count: reader.u8(),
            manufacturer_code: reader.bytes(),
            cell_count: reader.u8(),
            ..Protection::default()
        }))
    },
    encode: |message, _, writer| {
        let Message::Protection(Protection {
            flags,
            module_count,
            pn_marker: None,
            capacity_ah: None,
            manufacturer_code,
            cell_count,
        }) = message
        else {
            return None;
        };
        writer.bytes(&bits::write::<4>(*flags, BITS)?)?;
        writer.unless_ended(*module_count, Writer::u8)?;
        writer.unless_ended(*manufacturer_code, |w, code| w.bytes(&code))?;
        writer.unless_ended(*cell_count, Writer::u8)
    },
    ..protection::PROTECTION
};

const MEASUREMENTS: Layout = Layout {
    decode: |reader, profile| {
        let read = measurements::read(reader, profile)?;
        let temperature_max_c = measurements::temperature(reader, profile)?;
        let soc_pct = reader.u8().map(|soc| gates::soc(soc.into())).transpose()?;
        let health = reader.u8();
        Ok(Message::MeasurementsAndSoc(MeasurementsAndSoc {
            measurements: Measurements { temperature_max_c, ..read },
            soc: Soc { soc_pct, soh_pct: health.map(|byte| byte & 0x7F), ..Soc::default() },
            unsafe_flag: health.map(|byte| byte & 0x80 != 0),
        }))
    },
    encode: |message, profile, writer| {
        let Message::MeasurementsAndSoc(MeasurementsAndSoc { measurements, soc, unsafe_flag }) = message
        else {
            return None;
        };
        measurements::write(measurements, profile, writer)?;
        writer.unless_ended(measurements.temperature_max_c, |w, v| w.i16(signed(v, 10.0)?))?;
        writer.unless_ended(soc.soc_pct, Writer::u8)?;
        writer.unless_ended(soc.soh_pct.zip(*unsafe_flag), |w, (soh, is_unsafe)| {
            w.u8((soh <= 0x7F).then_some(soh)? | u8::from(is_unsafe) << 7)
        })
    },
    shortest: 7,
    ..measurements::MEASUREMENTS
};

/// Left and full, 10 mAh; highest less lowest cell, 1 mV; cycles.
const CAPACITY: Layout = Layout {
    decode: |reader, _| {
        let mut ampere_hours = || reader.u16().map(|raw| f64::from(raw) / 100.0);
        let (remaining, full) = (ampere_hours(), ampere_hours());
        Ok(Message::Capacity(Capacity {
            capacity_full_ah: full.unwrap_or_default(),
            capacity_remaining_ah: remaining,
            cell_delta_mv: reader.u16(),
            cycles: reader.u16(),
        }))
    },
    encode: |message, _, writer| {
        let Message::Capacity(capacity) = message else { return None };
        writer.u16(unsigned(capacity.capacity_remaining_ah?, 100.0)?)?;
        writer.u16(unsigned(capacity.capacity_full_ah, 100.0)?)?;
        writer.unless_ended(capacity.cell_delta_mv, Writer::u16)?;
        writer.unless_ended(capacity.cycles, Writer::u16)
    },
    shortest: 4,
    ..counts::CAPACITY
};

/// Table 5 has no request for a full charge; bits 0 and 1 are the chemistry.
const REQUESTS: Layout = Layout {
    decode: |reader, _| {
        let flags = reader.u8().unwrap_or_default();
        let asked = requests::from_bits(flags, Numbering::Pylontech);
        let extremes = cells::cell_extremes(reader, Extremes::default())?;
        Ok(Message::RequestsAndExtremes(RequestsAndExtremes {
            requests: Requests { full_charge_request: None, ..asked },
            chemistry_raw: flags & 3,
            extremes: Extremes { cell_max_index: reader.u8(), cell_min_index: reader.u8(), ..extremes },
            protect_pack_id: reader.u8(),
        }))
    },
    encode: |message, _, writer| {
        let Message::RequestsAndExtremes(all) = message else { return None };
        all.requests.full_charge_request.is_none().then_some(())?;
        let asked = Requests { full_charge_request: Some(false), ..all.requests };
        writer.u8(requests::to_bits(&asked, Numbering::Pylontech)? | all.chemistry_raw & 3)?;
        cells::put_cells(&all.extremes, writer)?;
        writer.unless_ended(all.extremes.cell_max_index, Writer::u8)?;
        writer.unless_ended(all.extremes.cell_min_index, Writer::u8)?;
        writer.unless_ended(all.protect_pack_id, Writer::u8)
    },
    shortest: 5,
    ..requests::REQUESTS
};

/// Maker, hardware, software. The time of day in bytes 4 to 7 is of no use to us.
const PRODUCT: Layout = Layout {
    name: "product",
    shortest: 4,
    decode: |reader, _| {
        Ok(Message::Product(Product {
            manufacturer_code: reader.bytes().unwrap_or_default(),
            hardware_version: reader.u8().unwrap_or_default(),
            software_version: reader.u8().unwrap_or_default(),
        }))
    },
    encode: |message, _, writer| {
        let Message::Product(product) = message else { return None };
        writer.bytes(&product.manufacturer_code)?;
        writer.bytes(&[product.hardware_version, product.software_version])
    },
};

const UPDATE_STATUS: Layout = Layout {
    name: "update_status",
    shortest: 4,
    decode: |reader, _| {
        let [status, progress, pack, done] = reader.bytes().unwrap_or_default();
        Ok(Message::UpdateStatus(UpdateStatus {
            update_status_raw: status,
            update_progress_pct: progress,
            update_pack_id: pack,
            update_done_count: done,
        }))
    },
    encode: |message, _, writer| {
        let Message::UpdateStatus(update) = message else { return None };
        writer.bytes(&[
            update.update_status_raw,
            update.update_progress_pct,
            update.update_pack_id,
            update.update_done_count,
        ])
    },
};

/// Four cells from `FIRST` on, 1 mV; 0 for a cell that is not there.
const fn cell_voltages<const FIRST: u8>() -> Layout {
    Layout {
        name: "cells",
        shortest: 8,
        decode: |reader, _| {
            let mut cell = || reader.u16().filter(|&mv| mv > 0).map(gates::cell).transpose();
            let voltages_mv = [cell()?, cell()?, cell()?, cell()?];
            Ok(Message::Cells(Cells { first: FIRST, voltages_mv }))
        },
        encode: |message, _, writer| {
            let Message::Cells(Cells { first, voltages_mv }) = message else { return None };
            (*first == FIRST).then_some(())?;
            voltages_mv.iter().try_for_each(|cell| writer.u16(cell.unwrap_or(0)))
        },
    }
}

/// 0x322 is not in rev. 04: hottest and coldest as dalathegreat/Battery-Emulator has them; what follows is not certain.
const TEMPERATURES: Layout = Layout {
    name: "temperatures",
    shortest: 4,
    decode: |reader, profile| Ok(Message::Extremes(cells::temperature_extremes(reader, profile)?)),
    encode: |message, _, writer| {
        let Message::Extremes(extremes @ Extremes { cell_max_mv: None, cell_min_mv: None, .. }) = message
        else {
            return None;
        };
        for celsius in [extremes.temperature_max_c, extremes.temperature_min_c] {
            writer.i16(signed(celsius?, 10.0)?)?;
        }
        Some(())
    },
};

const MARKS: &[Mark] = &[identity(10, "limits in 0x311 and measurements in 0x313 come together", |t| {
    t.has(0x311) && t.has(0x313)
})];
