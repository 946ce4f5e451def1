//! Pytes' own set at 0x400, when the battery is in no inverter's mode. hoylabs/OpenDTU-OnBattery:
//! src/battery/pytes/Provider.cpp and issue 1188 (capture).

use super::layouts::bits::{self, Bit, bit};
use super::layouts::{cells, counts, labels, limits, measurements, soc};
use super::payload::{Reader, Writer, signed, unsigned_32};
use super::traffic::{Mark, hint, identity};
use super::{Addressing, Layout, Protocol, Row, le_family, row};
use crate::message::{
    Capacity, Extremes, Flag, Flags, Message, Modules, PairRule, Protection, Requests, Soc,
};

/// The dialect.
pub(super) static PROTOCOL: Protocol = Protocol {
    name: "pytes_native",
    title: "Pytes, native",
    source: "hoylabs/OpenDTU-OnBattery: src/battery/pytes/Provider.cpp",
    bit_rate: le_family::BIT_RATE,
    addressing: Addressing::Single,
    profile: le_family::PROFILE,
    pairs: PairRule::Learned,
    frames: &[FRAMES],
    marks: MARKS,
};

const FRAMES: &[Row] = &[
    row(0x305, counts::INVERTER_ALIVE, &[0; 8]),
    row(0x400, limits::LIMITS, &[0; 8]),
    row(0x401, CELL_VOLTAGES, &[0; 8]),
    row(0x402, TEMPERATURES, &[0; 8]),
    row(0x403, PROTECTION, &[0; 8]),
    row(0x404, SOC, &[0; 8]),
    row(0x405, measurements::MEASUREMENTS, &[0; 8]),
    row(0x406, FAILURES, &[0; 8]),
    row(0x408, REQUESTS, &[0; 7]),
    row(0x409, CAPACITY, &[0; 8]),
    row(0x40A, labels::MANUFACTURER, &[0; 5]),
    row(0x40B, MODULES, &[0; 8]),
    row(0x41E, counts::ENERGY, &[0; 8]),
];

/// 0x403: bits of the two 32-bit words together.
const BITS: &[Bit] = &[
    bit(0, 0, Flag::ProtectionOverVoltage),
    bit(0, 1, Flag::AlarmHighVoltage),
    bit(0, 3, Flag::AlarmLowVoltage),
    bit(0, 4, Flag::ProtectionUnderVoltage),
    bit(1, 0, Flag::ProtectionCellOverTemperature),
    bit(1, 1, Flag::AlarmCellHighTemperature),
    bit(1, 3, Flag::AlarmCellLowTemperature),
    bit(1, 4, Flag::ProtectionCellUnderTemperature),
    bit(2, 1, Flag::ProtectionDischargeOverCurrent),
    bit(2, 2, Flag::ProtectionDischargeOverCurrent),
    bit(2, 3, Flag::ProtectionChargeOverCurrent),
    bit(2, 4, Flag::ProtectionChargeOverCurrent),
    bit(2, 5, Flag::AlarmDischargeHighCurrent),
    bit(2, 6, Flag::AlarmChargeHighCurrent),
    bit(3, 2, Flag::Charging),
    bit(3, 3, Flag::Discharging),
];

/// 0x406: bit 15.
const FAILURE_BITS: &[Bit] = &[bit(1, 7, Flag::ProtectionInternalFailure)];

/// Which module reports what in which word is not published, so a writer uses the first.
const PROTECTION: Layout = Layout {
    name: "protection",
    shortest: 4,
    decode: |reader, _| {
        let words = reader.u32().unwrap_or_default() | reader.u32().unwrap_or_default();
        Ok(flags_only(bits::read(&words.to_le_bytes(), BITS)))
    },
    encode: |message, _, writer| writer.bytes(&bits::write::<4>(only_flags(message)?, BITS)?),
};

const FAILURES: Layout = Layout {
    name: "failures",
    shortest: 4,
    decode: |reader, _| Ok(flags_only(bits::read(&reader.bytes::<4>().unwrap_or_default(), FAILURE_BITS))),
    encode: |message, _, writer| writer.bytes(&bits::write::<4>(only_flags(message)?, FAILURE_BITS)?),
};

fn flags_only(flags: Flags) -> Message {
    Message::Protection(Protection { flags, ..Protection::default() })
}

fn only_flags(message: &Message) -> Option<Flags> {
    let Message::Protection(protection) = message else { return None };
    (*protection == Protection { flags: protection.flags, ..Protection::default() })
        .then_some(protection.flags)
}

const CELL_VOLTAGES: Layout = Layout {
    name: "cell_voltages",
    shortest: 4,
    decode: |reader, _| {
        let read = cells::cell_extremes(reader, Extremes::default())?;
        Ok(Message::Extremes(Extremes { locations: locations(reader), ..read }))
    },
    encode: |message, _, writer| {
        let Message::Extremes(extremes @ Extremes { temperature_max_c: None, temperature_min_c: None, .. }) =
            message
        else {
            return None;
        };
        cells::put_cells(extremes, writer)?;
        put_locations(extremes, writer)
    },
};

const TEMPERATURES: Layout = Layout {
    name: "temperatures",
    shortest: 4,
    decode: |reader, profile| {
        let read = cells::temperature_extremes(reader, profile)?;
        Ok(Message::Extremes(Extremes { locations: locations(reader), ..read }))
    },
    encode: |message, _, writer| {
        let Message::Extremes(extremes @ Extremes { cell_max_mv: None, cell_min_mv: None, .. }) = message
        else {
            return None;
        };
        for celsius in [extremes.temperature_max_c, extremes.temperature_min_c] {
            writer.unless_ended(celsius, |w, v| w.i16(signed(v, 10.0)?))?;
        }
        put_locations(extremes, writer)
    },
};

fn locations(reader: &mut Reader<'_>) -> Option<[u16; 2]> {
    reader.only_if(|r| Some([r.u16()?, r.u16()?]))
}

fn put_locations(extremes: &Extremes, writer: &mut Writer) -> Option<()> {
    writer.unless_ended(extremes.locations, |w, [highest, lowest]| {
        w.u16(highest)?;
        w.u16(lowest)
    })
}

/// State of charge, state of health, a word that is not understood, cycles.
const SOC: Layout = Layout {
    decode: |reader, profile| {
        let read = soc::read(reader, profile)?;
        let cycles = reader.only_if(|r| {
            r.skip(2)?;
            r.u16()
        });
        Ok(Message::Soc(Soc { cycles, ..read }))
    },
    encode: |message, profile, writer| {
        let Message::Soc(values @ Soc { soc_hires_pct: None, cell_max_mv: None, cell_min_mv: None, .. }) =
            message
        else {
            return None;
        };
        soc::write(values, profile, writer)?;
        writer.unless_ended(values.cycles, |w, cycles| {
            w.u16(0)?;
            w.u16(cycles)
        })
    },
    ..soc::SOC
};

/// Whole bytes for the two permissions and the request, and a bit for each module that refuses.
const REQUESTS: Layout = Layout {
    name: "requests",
    shortest: 3,
    decode: |reader, _| {
        let mut flag = || reader.u8().is_some_and(|byte| byte != 0);
        let (charge_enable, discharge_enable, immediately) = (flag(), flag(), flag());
        let blocking = reader.only_if(|r| {
            r.skip(2)?;
            r.bytes::<2>()
        });
        Ok(Message::Requests(Requests {
            charge_enable,
            discharge_enable,
            charge_immediately: Some(immediately),
            modules_blocking_charge: blocking.map(|[charge, _]| charge.count_ones() as u8),
            modules_blocking_discharge: blocking.map(|[_, discharge]| discharge.count_ones() as u8),
            ..Requests::default()
        }))
    },
    encode: |message, _, writer| {
        let Message::Requests(Requests {
            charge_enable,
            discharge_enable,
            force_charge_1: None,
            force_charge_2: None,
            full_charge_request: None,
            charge_immediately: Some(immediately),
            modules_blocking_charge,
            modules_blocking_discharge,
            cycles: None,
        }) = *message
        else {
            return None;
        };
        for flag in [charge_enable, discharge_enable, immediately] {
            writer.u8(u8::from(flag))?;
        }
        let blocking = modules_blocking_charge.zip(modules_blocking_discharge);
        writer.unless_ended(blocking, |w, (charge, discharge)| {
            w.bytes(&[0, 0])?;
            // Which of the modules refuse is not in the message; the first ones, then.
            [charge, discharge].into_iter().try_for_each(|count| {
                w.u8(u8::MAX.checked_shr(8_u32.checked_sub(count.into())?).unwrap_or(0))
            })
        })
    },
};

/// Full and remaining, 1 mAh.
const CAPACITY: Layout = Layout {
    decode: |reader, _| {
        let mut ampere_hours = || reader.u32().map(|raw| f64::from(raw) / 1000.0);
        Ok(Message::Capacity(Capacity {
            capacity_full_ah: ampere_hours().unwrap_or_default(),
            capacity_remaining_ah: ampere_hours(),
            cell_delta_mv: None,
            cycles: None,
        }))
    },
    encode: |message, _, writer| {
        let Message::Capacity(Capacity {
            capacity_full_ah,
            capacity_remaining_ah,
            cell_delta_mv: None,
            cycles: None,
        }) = message
        else {
            return None;
        };
        writer.u32(unsigned_32(*capacity_full_ah, 1000.0)?)?;
        writer.unless_ended(*capacity_remaining_ah, |w, v| w.u32(unsigned_32(v, 1000.0)?))
    },
    shortest: 4,
    ..counts::CAPACITY
};

/// Byte 6 present, byte 7 missing.
const MODULES: Layout = Layout {
    decode: |reader, _| {
        reader.skip(6);
        Ok(Message::Modules(Modules {
            modules_online: reader.u8().map(u16::from),
            modules_offline: reader.u8().map(u16::from),
            ..Modules::default()
        }))
    },
    encode: |message, _, writer| {
        let Message::Modules(Modules {
            modules_online: Some(online),
            modules_offline: Some(offline),
            modules_blocking_charge: None,
            modules_blocking_discharge: None,
        }) = message
        else {
            return None;
        };
        writer.bytes(&[0; 6])?;
        writer.u8((*online).try_into().ok()?)?;
        writer.u8((*offline).try_into().ok()?)
    },
    shortest: 8,
    ..counts::MODULES
};

const MARKS: &[Mark] = &[
    identity(10, "limits in 0x400 and measurements in 0x405 come together", |t| t.has(0x400) && t.has(0x405)),
    hint(4, "0x40A says \"PYTES\"", |t| t.maker_is("PYTES")),
];
