//! What registers mean that have no name common to all makes: ways of running, forced charging, time tables. By maker, from
//! the makers' register lists, and shared with nobody: what a profile writes has to arrive here as the maker means it.

use std::collections::BTreeMap;

use super::image::{Image, number, places};
use super::map::{Table, Type, Words};
use super::obeying::Written;
use super::orders::Orders;
use super::set_points::Plate;
use super::sunspec;

/// The holding registers of a device as its firmware sees them.
#[derive(Debug, Clone, Copy)]
pub struct View<'v> {
    /// What they hold.
    pub image: &'v Image,
    /// Where models begin.
    pub starts: &'v BTreeMap<u16, u16>,
    /// When they were written.
    pub written: &'v Written,
    /// What the device can do.
    pub plate: Plate,
    /// State of charge in %.
    pub soc: f64,
}

/// A maker's family of inverters.
#[derive(Debug, Clone, Copy)]
pub struct Maker {
    /// The profiles it is in.
    pub profiles: &'static [&'static str],
    /// What stands in its registers in the beginning, where that is not 0.
    pub first: &'static [(u16, u16)],
    /// So many registers from this one on are only taken in one request.
    pub together: &'static [(u16, u16)],
    /// A lower value than this is taken and not heeded.
    pub ignored_below: &'static [(u16, u16)],
    /// What its registers make of the orders.
    pub obey: fn(View<'_>, &mut Orders),
}

/// All that are known.
pub const MAKERS: &[Maker] = &[
    Maker { profiles: &["deye-one-phase"], obey: |view, orders| DEYE_1.obey(view, orders), ..PLAIN },
    Maker {
        profiles: &["deye-three-phase-lv", "deye-three-phase-hv"],
        obey: |view, orders| DEYE_3.obey(view, orders),
        ..PLAIN
    },
    Maker {
        profiles: &["goodwe-et"],
        // EMS mode automatic; fast charge up to 100 % with all power.
        first: &[(47511, 1), (47546, 100), (47603, 100)],
        obey: goodwe,
        ..PLAIN
    },
    // Lithium.
    Maker { profiles: &["growatt-spf"], first: &[(39, 3)], ignored_below: &[(34, 10)], obey: spf, ..PLAIN },
    Maker { profiles: &["growatt-sph"], together: &[(1100, 3)], obey: sph, ..PLAIN },
    // With the grid first it stops to discharge at 10 %.
    Maker { profiles: &["growatt-xh"], first: &[(3037, 10)], obey: xh, ..PLAIN },
    Maker { profiles: &["luxpower"], obey: lux, ..PLAIN },
    Maker { profiles: &["sma-sunny-island"], first: &[(40152, 803)], obey: sunny_island, ..PLAIN },
    Maker {
        profiles: &["sofar-hyd"],
        // Passive mode falls back to self-use after a minute.
        first: &[(0x1184, 60), (0x1185, 1)],
        together: &[(0x1023, 2), (0x1187, 6)],
        obey: sofar,
        ..PLAIN
    },
    Maker { profiles: &["solis-hybrid"], first: &[(43110, 0x21)], obey: solis, ..PLAIN },
    Maker { profiles: &["sunspec-hybrid", "sunspec-inverter"], obey: sunspec::obey, ..PLAIN },
    Maker { profiles: &["sungrow-sh"], first: &[(13050, 0xCC)], obey: sungrow, ..PLAIN },
];

/// One with nothing of its own.
pub const PLAIN: Maker =
    Maker { profiles: &[], first: &[], together: &[], ignored_below: &[], obey: |_, _| {} };

/// The maker of the devices that a profile describes.
#[must_use]
pub fn maker(profile: &str) -> &'static Maker {
    MAKERS.iter().find(|maker| maker.profiles.contains(&profile)).unwrap_or(&PLAIN)
}

impl View<'_> {
    /// Where a model of SunSpec begins.
    pub(super) fn model(&self, model: u16) -> Option<u16> {
        self.starts.get(&model).copied()
    }

    pub(super) fn word(&self, register: u16) -> u16 {
        self.image.get(Table::Holding, register).unwrap_or_default()
    }

    fn watts(&self, register: u16, step_w: f64) -> f64 {
        f64::from(self.word(register)) * step_w
    }

    pub(super) fn has(&self, register: u16, bits: u16) -> bool {
        self.word(register) & bits == bits
    }

    /// 32 bits with a sign, the high register first.
    pub(super) fn signed(&self, register: u16) -> f64 {
        let words: Vec<u16> = places(register, 2, Words::Hl).into_iter().map(|at| self.word(at)).collect();
        number(Type::S32, &words)
    }

    /// How long ago it was written, in s.
    pub(super) fn age_s(&self, register: u16) -> f64 {
        self.written.age_s(register)
    }
}

/// Where a Deye has its time table and its grid switch.
struct Deye {
    in_use: u16,
    targets: u16,
    charges: u16,
    island: u16,
}

const DEYE_1: Deye = Deye { in_use: 248, targets: 268, charges: 274, island: 281 };
const DEYE_3: Deye = Deye { in_use: 146, targets: 166, charges: 172, island: 179 };
/// Slots of a day.
const SLOTS: u16 = 6;

impl Deye {
    /// Its clock is of no interest: it charges at any time if each slot says so, to the lowest of their states of charge.
    fn obey(&self, view: View<'_>, orders: &mut Orders) {
        orders.island |= view.word(self.island) == 1;
        let charges = (0..SLOTS).all(|slot| view.has(self.charges + slot, 1));
        let target = (0..SLOTS).map(|slot| view.word(self.targets + slot)).min().unwrap_or_default();
        if view.has(self.in_use, 1) && charges && view.soc < f64::from(target) {
            orders.fill(f64::INFINITY);
        }
    }
}

/// EMS modes of 47511: 1 automatic, 2 and 11 charge, 3 and 12 discharge, 4 import, 5 export, 6 and 8 leave the battery
/// alone, 7 off-grid, 9 buy, 10 sell.
fn goodwe(view: View<'_>, orders: &mut Orders) {
    orders.island |= view.word(47000) == 1;
    let watts = view.watts(47512, 1.0);
    match view.word(47511) {
        2 | 11 => orders.force(watts),
        3 | 12 => orders.force(-watts),
        4 | 9 => orders.grid_w = watts,
        5 | 10 => orders.grid_w = -watts,
        6 | 8 => orders.force(0.0),
        7 => orders.island = true,
        _ => {}
    }
    // Fast charge: its target in %, its power in % of the rated one.
    if view.word(47545) == 1 && view.soc < view.watts(47546, 1.0) {
        orders.fill(view.plate.percent_w(view.watts(47603, 1.0)));
    }
}

/// 1: 0 battery first, 1 solar first, 2 utility first, 3 solar and utility. 2: 0 solar first, 1 solar and utility, 2 solar
/// only.
fn spf(view: View<'_>, orders: &mut Orders) {
    let leaves_battery_alone = matches!(view.word(1), 2 | 3);
    match view.word(2) {
        // As much of the grid as it may, beside the sun.
        1 => orders.fill(f64::INFINITY),
        _ if leaves_battery_alone => orders.battery_w.0 = 0.0,
        _ => {}
    }
    if view.word(2) == 2 {
        orders.grid_charge_a = 0.0;
    }
}

/// The first slot of battery first, if it is the whole day.
fn sph(view: View<'_>, orders: &mut Orders) {
    let is_whole_day = (view.word(1100), view.word(1101)) == (0, 0x173B);
    if view.word(1102) == 1 && is_whole_day && view.soc < view.watts(1091, 1.0) {
        orders.fill(view.plate.percent_w(view.watts(1090, 1.0)));
    }
}

/// The first slot, if it counts (bit 15) and is the whole day. Bits 14 and 13 of its beginning: 1 battery first, up to a state
/// of charge and with a rate; 2 grid first, down to another and with another.
fn xh(view: View<'_>, orders: &mut Orders) {
    let (from, to) = (view.word(3038), view.word(3039));
    let is_whole_day = (from & 0x1FFF, to) == (0, 0x173B);
    if !is_whole_day || from & 0x8000 == 0 {
        return;
    }
    match from >> 13 & 3 {
        1 if view.soc < view.watts(3048, 1.0) => {
            orders.fill(view.plate.percent_w(view.watts(3047, 1.0)));
        }
        2 => {
            orders.min_soc = orders.min_soc.max(view.watts(3037, 0.01));
            orders.force(-view.plate.percent_w(view.watts(3036, 1.0)));
        }
        _ => {}
    }
}

/// Quick charge: so many minutes from the switch on.
fn lux(view: View<'_>, orders: &mut Orders) {
    if view.has(233, 1) && view.age_s(233) <= view.watts(234, 60.0) {
        orders.fill(f64::INFINITY);
    }
}

/// 802 and a power, + out of the battery: for a minute.
fn sunny_island(view: View<'_>, orders: &mut Orders) {
    if view.signed(40151) == 802.0 && view.age_s(40151) <= 60.0 {
        orders.force(-view.signed(40149));
    }
}

/// Mode 3 is passive: grid power, least and most battery power, until nobody repeats them.
fn sofar(view: View<'_>, orders: &mut Orders) {
    if view.word(0x1023) != 0 {
        orders.export_w = orders.export_w.min(view.watts(0x1024, 100.0));
    }
    match view.word(0x1110) {
        3 if view.word(0x1184) == 0 || view.age_s(0x1187) <= view.watts(0x1184, 1.0) => {
            orders.grid_w = view.signed(0x1187);
            orders.battery_w = (view.signed(0x1189), view.signed(0x118B));
        }
        // Standby, or back to self-use.
        3 if view.word(0x1185) == 0 => orders.force(0.0),
        5 => orders.island = true,
        _ => {}
    }
}

/// 43110: bit 2 off-grid. 43135: 1 charges with 43136, 2 discharges with 43129, in steps of 10 W, for five minutes.
fn solis(view: View<'_>, orders: &mut Orders) {
    orders.island |= view.has(43110, 0x0004);
    match view.word(43135) {
        1 | 2 if view.age_s(43135) > 300.0 => {}
        1 => orders.force(view.watts(43136, 10.0)),
        2 => orders.force(-view.watts(43129, 10.0)),
        _ => {}
    }
}

/// 13049: 2 is forced; then 13050 says charge, discharge or stop, and 13051 how many W.
fn sungrow(view: View<'_>, orders: &mut Orders) {
    if view.word(13049) != 2 {
        return;
    }
    match view.word(13050) {
        0xAA => orders.force(view.watts(13051, 1.0)),
        0xBB => orders.force(-view.watts(13051, 1.0)),
        _ => orders.force(0.0),
    }
}
