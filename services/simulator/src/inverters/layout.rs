//! Where the registers of a profile stand in one device: fixed, or in a chain of SunSpec models.

use std::collections::BTreeMap;

use super::image::{Image, text};
use super::map::{Match, Profile, Table};

/// `SunS` (SunSpec Device Information Model Specification, section 6).
const MARKER: [u16; 2] = [0x5375, 0x6E53];
const COMMON: u16 = 1;
const END: u16 = 0xFFFF;
/// Where the common model has the maker, the model and the serial number.
const COMMON_TEXTS: [(u16, u16, &str); 3] =
    [(2, 16, "Busbar"), (18, 16, "Simulator"), (50, 16, "SIM0000001")];
/// Modules of a model 160.
const MODULES: u16 = 4;
/// Registers behind the length, by model.
const LENGTHS: [(u16, u16); 24] = [
    (COMMON, 66),
    (101, 50),
    (102, 50),
    (103, 50),
    (111, 60),
    (112, 60),
    (113, 60),
    (120, 26),
    (121, 30),
    (122, 44),
    (123, 24),
    (124, 24),
    (160, 8 + 20 * MODULES),
    (201, 105),
    (202, 105),
    (203, 105),
    (204, 105),
    (701, 153),
    (702, 50),
    (703, 17),
    (704, 65),
    (713, 7),
    (714, 18 + 25 * 4),
    (802, 62),
];

/// The length of a model that a simulated device can have.
#[must_use]
pub fn length(model: u16) -> Option<u16> {
    LENGTHS.iter().find(|(known, _)| *known == model).map(|(_, length)| *length)
}

/// The models that a device of this profile has unless the configuration says otherwise, behind the common one: of each kind of
/// inverter or meter one, and all others that a point names. An inverter has no meter in its chain.
#[must_use]
pub fn usual_models(profile: &Profile, phases: u8) -> Vec<u16> {
    let named = profile.point.iter().flat_map(|point| &point.model).copied();
    let is_meter = profile.class == "grid";
    let is_left_out = |model: &u16| match model {
        &COMMON | 101..=113 | 201..=204 | 701..=714 => true,
        211..=214 => !is_meter,
        _ => false,
    };
    let mut models: Vec<u16> = named.filter(|model| !is_left_out(model)).collect();
    let has = |model: u16| profile.point.iter().any(|point| point.model.contains(&model));
    models.extend([100 + u16::from(phases)].into_iter().filter(|model| has(*model)));
    models.extend([200 + u16::from(phases)].into_iter().filter(|model| is_meter && has(*model)));
    models.sort_unstable();
    models.dedup();
    models
}

/// Puts every register there that a profile names, and what identifies the device. Where models begin, if it has any.
#[must_use]
pub fn lay_out(profile: &Profile, models: &[u16], image: &mut Image) -> BTreeMap<u16, u16> {
    for block in profile.block.iter().chain(&profile.identify.read) {
        if let Some(addr) = block.addr {
            image.add(profile.table(block.table), addr, block.count);
        }
    }
    let starts = match profile.sunspec.as_ref().and_then(|sunspec| sunspec.bases.first()) {
        Some(base) => chain(*base, models, image),
        None => BTreeMap::new(),
    };
    for recognised in &profile.identify.matches {
        identify(recognised, profile.table(recognised.table), image);
    }
    // The steps of a set point in a model are in that model.
    let fixed = profile.write.iter().filter(|write| write.model.is_empty());
    let steps = fixed.flat_map(|write| write.sequence.iter().chain(&write.unlock).chain(&write.release));
    let modes = profile.mode.iter().flat_map(|mode| mode.sequence.iter().chain(&mode.release));
    for step in steps.chain(modes).filter(|step| step.model.is_empty()) {
        image.add(Table::Holding, step.addr, step.kind.registers());
    }
    for write in profile.write.iter().filter(|write| write.model.is_empty()) {
        if let Some(addr) = write.addr {
            image.add(Table::Holding, addr, write.kind.registers());
        }
    }
    starts
}

fn chain(base: u16, models: &[u16], image: &mut Image) -> BTreeMap<u16, u16> {
    let mut starts = BTreeMap::new();
    image.set_all(Table::Holding, &[base, base + 1], &MARKER);
    let mut next = base + 2;
    for model in std::iter::once(&COMMON).chain(models) {
        let Some(length) = length(*model) else { continue };
        image.set(Table::Holding, next, *model);
        image.set(Table::Holding, next + 1, length);
        // Not implemented, until something is known.
        for register in next + 2..next + 2 + length {
            image.set(Table::Holding, register, 0xFFFF);
        }
        if *model == 160 {
            image.set(Table::Holding, next + 8, MODULES);
        }
        starts.insert(*model, next);
        next += 2 + length;
    }
    image.set(Table::Holding, next, END);
    image.set(Table::Holding, next + 1, 0);
    for (offset, registers, words) in COMMON_TEXTS {
        let places: Vec<u16> = (base + 2 + offset..).take(registers.into()).collect();
        image.set_all(Table::Holding, &places, &text(words, registers, false));
    }
    starts
}

fn identify(recognised: &Match, table: Table, image: &mut Image) {
    let Match { addr, count, any_of, range, prefix, ascii, .. } = recognised;
    let values = match (any_of.first(), range, prefix.first()) {
        (Some(number), ..) | (None, Some((number, _)), _) => {
            let registers = recognised.kind.registers();
            super::image::registers(recognised.kind, *number as f64)
                .into_iter()
                .take(registers.into())
                .collect::<Vec<_>>()
        }
        (None, None, Some(prefix)) => text(&format!("{prefix}0000000001"), *count, false),
        (None, None, None) if *ascii => {
            // As long as its place: what comes behind a shorter one is not printable.
            let digits = usize::from(*count).saturating_mul(2).saturating_sub(3);
            text(&format!("SIM{:0>digits$}", 1), *count, false)
        }
        _ => return,
    };
    let places: Vec<u16> = (*addr..).take(values.len()).collect();
    image.set_all(table, &places, &values);
}
