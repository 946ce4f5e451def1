//! Pylontech high voltage, the battery's side: "CAN-Bus-Protocol-Sermatec-high-voltage" V1.18, 29-bit ids, and only as an
//! answer to 0x4200. Its readers differ in which ids they want and in the order of bytes (dalathegreat/Battery-Emulator:
//! Software/src/inverter/PYLON-CAN.cpp).

use std::time::Duration;

use super::pylontech_lv;
use crate::battery::Level;
use crate::frame::{CanId, Frame};
use crate::inverter::Told;
use crate::inverter::profile::{
    KeepAlive, Model, Profile, Proof, Rhythm, Say, Silence, Then, What, Window, Zero,
};
use crate::message::Condition;

/// Sermatec and others: ids 0x4210 and so on, little-endian.
pub(super) static PROFILE: Profile = Profile {
    name: "pylontech_hv",
    title: "Pylontech high voltage",
    source: "Pylontech/Sermatec, CAN bus protocol high voltage, V1.18",
    dialect: "pylontech_lv",
    rhythm: Rhythm::Asked { asks, every: Duration::from_secs(1), sets: &[Little::MEASURED, Little::SYSTEM] },
    keep_alive: KEEP_ALIVE,
    window: WINDOW,
    models: &[
        Model {
            name: "Sermatec, SAJ H2",
            setting: "CAN, Pylontech HV",
            proof: Proof::Documented("Pylontech/Sermatec V1.18; dalathegreat/Battery-Emulator wiki"),
        },
        Model { name: "AISWEI / Solplanet ASW-H", setting: "CAN, Pylontech HV", proof: Proof::Unverified },
    ],
    ..pylontech_lv::BASE
};

/// Deye SG01HP, "Lithium 01", and Sofar HYD: ids 0x4211 and so on, the high byte first. Deye disregards limits of 0, and
/// obeys the state of charge and the voltage alone (Battery-Emulator wiki, deye.md), which cannot say stop for both ways
/// at once: it is told nothing any more at once when nobody decides.
pub(super) static DEYE: Profile = Profile {
    name: "deye_hv",
    title: "Deye high voltage",
    source: "dalathegreat/Battery-Emulator: Software/src/inverter/PYLON-CAN.cpp; its wiki: deye.md",
    rhythm: Rhythm::Asked { asks, every: Duration::from_secs(1), sets: &[Big::MEASURED, Big::SYSTEM] },
    zero: Zero::OnlyBySoc,
    silence: Silence { grace: Duration::ZERO, then: Then::Stop, by_hand: None },
    models: &[
        Model {
            name: "Deye SG01HP2, SG01HP3",
            setting: "CAN, Lithium 01",
            proof: Proof::Documented("dalathegreat/Battery-Emulator wiki: deye.md"),
        },
        Model {
            name: "Sofar HYD 5-20KTL-3PH",
            setting: "CAN, Pylontech HV",
            proof: Proof::Documented("dalathegreat/Battery-Emulator wiki: sofar.md"),
        },
    ],
    ..BASE
};

/// As [`PROFILE`], to be named in a constant.
const BASE: Profile =
    Profile { dialect: "pylontech_lv", keep_alive: KEEP_ALIVE, window: WINDOW, ..pylontech_lv::BASE };

const KEEP_ALIVE: KeepAlive =
    KeepAlive { ids: &[0x4200], extended: true, lost_after: Duration::from_secs(10) };

/// The protocol counts currents from -3000 A.
const WINDOW: Window = Window {
    charge_v: (80.0, 1000.0),
    discharge_v: Some((60.0, 990.0)),
    most_a: 2000.0,
    most_soc_pct: 100.0,
    without_sensor_c: Some(25.0),
};

/// 0x4200: 0 asks for the measurements, 2 for who the battery is.
fn asks(frame: &Frame) -> Option<usize> {
    if Some(frame.id()) != CanId::extended(0x4200) {
        return None;
    }
    match frame.data().first() {
        Some(0) => Some(0),
        Some(2) => Some(1),
        _ => None,
    }
}

/// Ids that end in 0, little-endian.
type Little = Variant<0, false>;
/// Ids that end in 1, big-endian.
type Big = Variant<1, true>;

/// How one kind of reader wants the frames.
struct Variant<const GROUP: u32, const BIG: bool>;

impl<const GROUP: u32, const BIG: bool> Variant<GROUP, BIG> {
    const MEASURED: &'static [Say] = &[
        Self::say(0x4210, Self::pack),
        Self::say(0x4220, Self::limits),
        Self::say(0x4230, Self::cells),
        Self::say(0x4240, Self::temperatures),
        Self::say(0x4250, Self::status),
        Self::say(0x4280, Self::forbidden),
    ];
    const SYSTEM: &'static [Say] = &[
        Self::say(0x7310, Self::versions),
        Self::say(0x7320, Self::size),
        Self::say(0x7330, Self::maker),
        Self::say(0x7340, Self::maker_goes_on),
    ];

    const fn say(id: u32, frame: fn(&Told) -> Option<Frame>) -> Say {
        Say { id: id + GROUP, what: What::Frame(frame) }
    }

    /// Four words.
    fn words(id: u32, words: [u16; 4]) -> Option<Frame> {
        let mut bytes = [0; 8];
        for (pair, word) in bytes.chunks_exact_mut(2).zip(words) {
            pair.copy_from_slice(&if BIG { word.to_be_bytes() } else { word.to_le_bytes() });
        }
        Self::bytes(id, bytes)
    }

    fn bytes(id: u32, bytes: [u8; 8]) -> Option<Frame> {
        Frame::new(CanId::extended(id + GROUP)?, &bytes)
    }

    fn pack(told: &Told) -> Option<Frame> {
        let measured = &told.measured;
        let soc_and_health = [
            measured.soc_pct.floor() as u8,
            measured.soh_pct.unwrap_or(100.0).clamp(0.0, 100.0).round() as u8,
        ];
        let mut bytes = [0; 8];
        let words = Self::words(
            0x4210,
            [tenths(measured.voltage_v, 0.0)?, amps(measured.current_a)?, celsius(told)?, 0],
        )?;
        bytes.copy_from_slice(words.data());
        let [.., soc, soh] = &mut bytes;
        [*soc, *soh] = soc_and_health;
        Self::bytes(0x4210, bytes)
    }

    fn limits(told: &Told) -> Option<Frame> {
        let lowest_v = told.discharge_voltage_v.unwrap_or(WINDOW.charge_v.0);
        Self::words(
            0x4220,
            [
                tenths(told.charge_voltage_v, 0.0)?,
                tenths(lowest_v, 0.0)?,
                amps(told.charge_current_a)?,
                amps(told.discharge_current_a)?,
            ],
        )
    }

    fn cells(told: &Told) -> Option<Frame> {
        let (min, max) = told.measured.cells_v?;
        let millivolts = crate::inverter::says::millivolts;
        Self::words(0x4230, [millivolts(max), millivolts(min), 0, 0])
    }

    fn temperatures(told: &Told) -> Option<Frame> {
        let (min, max) = told.measured.cells_c.or(told.measured.temperature_c.map(|c| (c, c)))?;
        Self::words(0x4240, [tenths(max, 100.0)?, tenths(min, 100.0)?, 0, 0])
    }

    /// State, cycles, fault, alarms, protections.
    fn status(told: &Told) -> Option<Frame> {
        let measured = &told.measured;
        let state = match measured.current_a {
            amps if amps > 0.5 => 1,
            amps if amps < -0.5 => 2,
            _ => 3,
        };
        let asks = u8::from(told.may_charge && measured.asks_charge) << 3
            | u8::from(told.may_charge && measured.asks_full_charge) << 4;
        let word = |level: Level| {
            BITS.iter().fold(0_u16, |word, (bit, condition)| {
                word | u16::from(measured.faults.level(*condition) == level) << bit
            })
        };
        let order = |word: u16| if BIG { word.to_be_bytes() } else { word.to_le_bytes() };
        let internal = measured.faults.level(Condition::BmsInternal) == Level::Alarm;
        let [cycles_0, cycles_1] = order(measured.cycles.unwrap_or(0));
        let [alarm_0, alarm_1] = order(word(Level::Warning));
        let [protection_0, protection_1] = order(word(Level::Alarm));
        // Fault bit 2: internal communication.
        let fault = u8::from(internal) << 2;
        Self::bytes(
            0x4250,
            [state | asks, cycles_0, cycles_1, fault, alarm_0, alarm_1, protection_0, protection_1],
        )
    }

    fn forbidden(told: &Told) -> Option<Frame> {
        let mark = |may: bool| if may { 0 } else { 0xAA };
        Self::bytes(0x4280, [mark(told.may_charge), mark(told.may_discharge), 0, 0, 0, 0, 0, 0])
    }

    /// Hardware A, V2.1, and software V1.2: the example of the document, because no reader is known to look at it.
    fn versions(_: &Told) -> Option<Frame> {
        Self::bytes(0x7310, [1, 0, 2, 1, 1, 2, 0, 0])
    }

    /// Cells, modules in series and cells of each, voltage and capacity.
    fn size(told: &Told) -> Option<Frame> {
        let measured = &told.measured;
        let cells = measured.cells_in_series.unwrap_or((measured.voltage_v / 3.2).round() as u16);
        let modules = u8::try_from(cells.div_ceil(15)).ok()?.max(1);
        let per_module = u8::try_from(cells.div_ceil(u16::from(modules))).ok()?;
        let capacity_ah = measured.capacity_ah.unwrap_or(0.0).round().clamp(0.0, 65_535.0) as u16;
        let order = |word: u16| if BIG { word.to_be_bytes() } else { word.to_le_bytes() };
        let ([c0, c1], [v0, v1], [a0, a1]) =
            (order(cells), order(measured.voltage_v.round() as u16), order(capacity_ah));
        Self::bytes(0x7320, [c0, c1, modules, per_module, v0, v1, a0, a1])
    }

    fn maker_goes_on(_: &Told) -> Option<Frame> {
        Self::bytes(0x7340, *if BIG { &[0; 8] } else { b"H\0\0\0\0\0\0\0" })
    }

    fn maker(_: &Told) -> Option<Frame> {
        Self::bytes(0x7330, *if BIG { b"Deye\0\0\0\0" } else { b"PYLONTEC" })
    }
}

/// Alarms and protections of 0x4250.
const BITS: &[(u8, Condition)] = &[
    (0, Condition::LowVoltage),
    (1, Condition::HighVoltage),
    (4, Condition::LowChargeTemperature),
    (5, Condition::HighChargeTemperature),
    (6, Condition::LowTemperature),
    (7, Condition::HighTemperature),
    (8, Condition::HighChargeCurrent),
    (9, Condition::HighDischargeCurrent),
];

/// Tenths, counted from `-below`.
fn tenths(value: f64, below: f64) -> Option<u16> {
    let steps = ((value + below) * 10.0).round();
    (0.0..=65_535.0).contains(&steps).then_some(steps as u16)
}

fn amps(value: f64) -> Option<u16> {
    tenths(value, 3000.0)
}

fn celsius(told: &Told) -> Option<u16> {
    tenths(told.measured.temperature_c?, 100.0)
}
