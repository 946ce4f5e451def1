//! What the registers of one unit say: which profiles fit, which signs hold, and who the device is.

use super::knowledge::{Sign, Step, sign_table};
use crate::device::recognise::{self, Identity, layout_of, words};
use crate::engine::image::Image;
use crate::engine::layout::Layout;
use crate::engine::plan::Range;
use crate::engine::sunspec::{Chain, Model};
use crate::profile::kind::{Type, Words};
use crate::profile::scalar::Table;
use crate::profile::write::Field;
use crate::profile::{Class, Profile};

/// How well a profile fits: the number of things that hold, if all of them do.
#[must_use]
pub fn score(profile: &Profile, image: &Image, chain: Option<&Chain>) -> Option<usize> {
    if profile.sunspec.is_some() {
        return chain.filter(|chain| fits(profile, chain)).map(|_| 1);
    }
    let identify = profile.identify.as_ref().filter(|identify| !identify.matches.is_empty())?;
    recognise::judge(profile, identify, image).is_ok().then_some(identify.matches.len())
}

/// The profiles of these that fit best; several where they fit equally.
#[must_use]
pub fn best<'p>(
    profiles: impl Iterator<Item = &'p Profile>,
    image: &Image,
    chain: Option<&Chain>,
) -> Vec<&'p Profile> {
    let mut best: Vec<&Profile> = Vec::new();
    let mut most = 0;
    for profile in profiles {
        match score(profile, image, chain) {
            Some(score) if score > most => (best, most) = (vec![profile], score),
            Some(score) if score == most && score > 0 => best.push(profile),
            _ => {}
        }
    }
    best
}

/// Whether a device with these models is one of this profile.
fn fits(profile: &Profile, chain: &Chain) -> bool {
    const METERS: [u16; 8] = [201, 202, 203, 204, 211, 212, 213, 214];
    const INVERTERS: [u16; 7] = [101, 102, 103, 111, 112, 113, 701];
    const STORES: [u16; 3] = [124, 713, 802];
    let has = |ids: &[u16]| chain.find(ids, 0).is_some();
    match profile.class {
        Class::Grid => has(&METERS) && !has(&INVERTERS),
        Class::PvInverter => has(&INVERTERS) && !has(&STORES),
        Class::Hybrid | Class::Inverter => has(&INVERTERS) && has(&STORES),
    }
}

/// Whether any sign of a step holds.
#[must_use]
pub fn has_sign(step: &Step, image: &Image) -> bool {
    let holds = |sign: &Sign| {
        sign.iter().all(|part| recognise::holds(part, sign_table(part), Words::Hl, image).is_ok())
    };
    step.signs.iter().any(|sign| !sign.is_empty() && holds(sign))
}

/// The registers beyond those of its recognition that say who a device is.
#[must_use]
pub fn detail_reads(profile: &Profile, image: &Image, chain: Option<&Chain>) -> Vec<Range> {
    if let Some(common) = chain.and_then(|chain| chain.find(&[COMMON], 0)) {
        return common_texts(common).into_iter().flatten().collect();
    }
    let missing = fields(profile).filter_map(|(_, field)| {
        let layout = layout_of(profile, field);
        let count = u16::try_from(layout.registers.len()).unwrap_or(1);
        let range = Range { table: layout.table, addr: field.addr, count };
        layout.read(image).is_none().then_some(range)
    });
    missing.collect()
}

/// Who the device is, as far as it was read.
#[must_use]
pub fn identity(profile: &Profile, image: &Image, chain: Option<&Chain>) -> Identity {
    let mut identity = Identity { chain: chain.cloned(), ..Identity::default() };
    if let Some(common) = chain.and_then(|chain| chain.find(&[COMMON], 0)) {
        let [make, model, firmware, serial] = common_texts(common).map(|range| text(image, range?));
        identity.model = match (make, model) {
            (Some(make), Some(model)) => Some(format!("{make} {model}")),
            (make, model) => make.or(model),
        };
        (identity.firmware, identity.serial) = (firmware, serial);
    }
    for (what, field) in fields(profile) {
        let Some(raw) = layout_of(profile, field).read(image) else { continue };
        match what {
            What::Serial => identity.serial = words(raw),
            What::Model => identity.model = words(raw),
            What::Firmware => identity.firmware = words(raw),
            What::RatedPower => {
                identity.rated_power_w = raw.number().map(|raw| raw * field.scale + field.offset);
            }
        }
    }
    identity
}

#[derive(Clone, Copy)]
enum What {
    Serial,
    Model,
    Firmware,
    RatedPower,
}

fn fields(profile: &Profile) -> impl Iterator<Item = (What, &Field)> {
    let identify = profile.identify.iter();
    identify.flat_map(|identify| {
        let all = [
            (What::Serial, &identify.serial),
            (What::Model, &identify.model),
            (What::Firmware, &identify.firmware),
            (What::RatedPower, &identify.rated_power),
        ];
        all.into_iter().filter_map(|(what, field)| Some((what, field.as_ref()?)))
    })
}

/// The common model.
const COMMON: u16 = 1;

/// Where the common model has maker, model, version and serial number (SunSpec Device Information Model, model 1).
fn common_texts(common: Model) -> [Option<Range>; 4] {
    [(2, 16), (18, 16), (42, 8), (50, 16)].map(|(offset, count): (u16, u16)| {
        let addr = common.addr.checked_add(offset)?;
        let is_inside =
            offset + count <= common.length.saturating_add(2) && addr.checked_add(count).is_some();
        is_inside.then_some(Range { table: Table::Holding, addr, count })
    })
}

fn text(image: &Image, range: Range) -> Option<String> {
    let layout = Layout::at(range.table, range.addr, Type::String, Words::Hl, Some(range.count));
    layout.read(image).and_then(words)
}
