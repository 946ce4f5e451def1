//! What the registers of one unit say: which profiles fit, which signs hold, and who the device is.

use super::knowledge::{Sign, Step, sign_table};
use crate::device::recognise::{self, Identity, layout_of, said};
use crate::engine::image::Image;
use crate::engine::plan::Range;
use crate::engine::sunspec::Chain;
use crate::profile::Profile;
use crate::profile::kind::Words;
use crate::profile::write::Field;

/// How well a profile fits: the number of things that hold, if all of them do.
#[must_use]
pub fn score(profile: &Profile, image: &Image, chain: Option<&Chain>) -> Option<usize> {
    if let Some(sunspec) = &profile.sunspec {
        let choices = [&sunspec.any, &sunspec.none].into_iter().filter(|models| !models.is_empty());
        return chain.filter(|chain| sunspec.fits(&chain.ids())).map(|_| 1 + choices.count());
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

/// Whether any sign of a step holds.
#[must_use]
pub fn has_sign(step: &Step, image: &Image) -> bool {
    is_any(&step.signs, image)
}

/// Whether any of these signs holds.
#[must_use]
pub fn is_any(signs: &[Sign], image: &Image) -> bool {
    let holds = |sign: &Sign| {
        sign.iter().all(|part| recognise::holds(part, sign_table(part), Words::Hl, image).is_ok())
    };
    signs.iter().any(|sign| !sign.is_empty() && holds(sign))
}

/// Whether what was read again is what was read before, where it tells the device: a clock may go on beside it.
#[must_use]
pub fn agrees(image: &Image, range: Range, values: &[u16], telling: &[Range]) -> bool {
    let tells = |addr: u16| {
        let mut here = telling.iter().filter(|part| part.table == range.table);
        here.any(|part| addr >= part.addr && addr - part.addr < part.count)
    };
    let mut all = (range.addr..=u16::MAX).zip(values);
    all.all(|(addr, value)| !tells(addr) || image.get(range.table, addr) == Some(*value))
}

/// The registers beyond those of its recognition that say who a device is.
#[must_use]
pub fn detail_reads(profile: &Profile, image: &Image, chain: Option<&Chain>) -> Vec<Range> {
    if let Some(common) = chain.and_then(recognise::common) {
        return vec![common];
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
    for (what, field) in fields(profile) {
        let Some(raw) = layout_of(profile, field).read(image) else { continue };
        match what {
            What::Serial => identity.serial = said(field, raw),
            What::Model => identity.model = said(field, raw),
            What::Firmware => identity.firmware = said(field, raw),
            What::RatedPower => {
                identity.rated_power_w = raw.number().map(|raw| raw * field.scale + field.offset);
            }
        }
    }
    if let Some(common) = chain.and_then(recognise::common) {
        recognise::take_common(&mut identity, common, image);
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
