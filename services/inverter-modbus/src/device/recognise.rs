//! Whether a device is what it should be, and who it is.

use super::access::{Access, Fault};
use crate::engine::image::Image;
use crate::engine::layout::{Layout, Raw};
use crate::engine::plan::Range;
use crate::engine::sunspec::{Chain, Next, Walker};
use crate::profile::kind::{Type, Words};
use crate::profile::scalar::Table;
use crate::profile::write::{Field, Identify, Match, SunSpec};
use crate::profile::{Class, Profile, builtin};

/// The common model, and the registers of it up to the serial number.
const COMMON: u16 = 1;
const COMMON_LENGTH: u16 = 64;

/// Who a device is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Identity {
    /// Serial number.
    pub serial: Option<String>,
    /// Model, as it says itself.
    pub model: Option<String>,
    /// Firmware version.
    pub firmware: Option<String>,
    /// Rated power, W.
    pub rated_power_w: Option<f64>,
    /// Its models, where the profile has a chain.
    pub chain: Option<Chain>,
}

/// Why a device is not the one.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NotIt {
    /// It does not answer, or refuses.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// Another device answers.
    #[error(
        "another device answers: {table} {addr} is {found}; if it is the right one nevertheless, recognise = \"any\" in the \
         configuration takes it as it is"
    )]
    Another {
        /// Where the difference is.
        table: Table,
        /// Its address.
        addr: u16,
        /// What stands there.
        found: String,
    },
    /// Another device of the same kind answers.
    #[error("another device answers: {0}")]
    Exchanged(String),
    /// A device answers that does not bear to be asked who it is.
    #[error("another device answers: {0}")]
    Delicate(String),
    /// Such a one is not excluded.
    #[error(
        "it does not say whether it is a device that does not bear to be read: nothing more is asked of it"
    )]
    NotExcluded,
    /// It has no chain of models.
    #[error("it has no SunSpec models")]
    NoChain,
    /// Its chain has other models than those of the profile.
    #[error("its chain has {}: {}", list(.models), .hint.as_deref().unwrap_or("no profile fits"))]
    OtherModels {
        /// Those that it has.
        models: Vec<u16>,
        /// What it is, and the profile for it, where there is one.
        hint: Option<String>,
    },
}

impl NotIt {
    /// Whether another device answers, or one that may be another.
    #[must_use]
    pub fn is_another(&self) -> bool {
        match self {
            // The registers that say who it is are there in every device of the profile.
            NotIt::Fault(fault) => fault.is_absent(),
            _ => true,
        }
    }
}

fn list(models: &[u16]) -> String {
    models.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}

/// Asks a device who it is.
///
/// # Errors
/// [`NotIt`].
pub async fn recognise(profile: &Profile, access: &Access) -> Result<Identity, NotIt> {
    let mut identity = Identity::default();
    if let Some(identify) = &profile.identify {
        let mut image = Image::default();
        for read in &identify.read {
            let range = Range { table: profile.table(read.table), addr: read.addr, count: read.count };
            match access.question(range, 1).await {
                Ok(values) => image.put(range.table, range.addr, &values, 1),
                // Where nothing is looked for, nothing need be there.
                Err(Fault::Exception(_)) if identify.matches.is_empty() => {}
                Err(fault) => return Err(fault.into()),
            }
        }
        judge(profile, identify, &image)?;
        identity.serial = text(profile, access, &mut image, identify.serial.as_ref()).await?;
        identity.model = text(profile, access, &mut image, identify.model.as_ref()).await?;
        identity.firmware = text(profile, access, &mut image, identify.firmware.as_ref()).await?;
        if let Some(field) = &identify.rated_power {
            let raw = fetch(profile, access, &mut image, field).await?;
            let number = raw.and_then(|raw| raw.number());
            identity.rated_power_w = number.map(|raw| raw * field.scale + field.offset);
        }
    }
    if let Some(sunspec) = &profile.sunspec {
        let chain = walk(&sunspec.bases, access).await?;
        choose(sunspec, &chain)?;
        name(&mut identity, &chain, access).await?;
        identity.chain = Some(chain);
    }
    Ok(identity)
}

/// Whether a chain has the models of the profile.
///
/// # Errors
/// [`NotIt::OtherModels`], with the profile that fits.
pub fn choose(sunspec: &SunSpec, chain: &Chain) -> Result<(), NotIt> {
    let models = chain.ids();
    if sunspec.fits(&models) {
        return Ok(());
    }
    let hint = builtin::for_chain(&models).map(|(id, class)| {
        let what = match class {
            Class::Hybrid | Class::Inverter => "a hybrid",
            Class::PvInverter => "a solar inverter",
            Class::Grid => "a meter",
        };
        format!("{what}; profile {id}")
    });
    Err(NotIt::OtherModels { models, hint })
}

/// Where the common model says who the device is.
#[must_use]
pub fn common(chain: &Chain) -> Option<Range> {
    let common = chain.find(&[COMMON], 0).filter(|common| common.length >= COMMON_LENGTH)?;
    Some(Range { table: Table::Holding, addr: common.addr, count: COMMON_LENGTH + 2 })
}

/// Takes what the common model says, where the profile names no registers for it: maker and model, version, serial number
/// (SunSpec Device Information Model Specification V1.1, common model).
pub fn take_common(identity: &mut Identity, common: Range, image: &Image) {
    let text = |offset: u16, count: u16| {
        let addr = common.addr.checked_add(offset)?;
        words(Layout::at(common.table, addr, Type::String, Words::Hl, Some(count)).read(image)?)
    };
    let model = [text(2, 16), text(18, 16)].into_iter().flatten().collect::<Vec<_>>().join(" ");
    identity.model = identity.model.take().or(Some(model).filter(|model| !model.is_empty()));
    identity.firmware = identity.firmware.take().or(text(42, 8));
    identity.serial = identity.serial.take().or(text(50, 16));
}

async fn name(identity: &mut Identity, chain: &Chain, access: &Access) -> Result<(), NotIt> {
    let Some(range) = common(chain) else { return Ok(()) };
    let values = match access.question(range, 1).await {
        Ok(values) => values,
        Err(Fault::Exception(_)) => return Ok(()),
        Err(fault) => return Err(fault.into()),
    };
    let mut image = Image::default();
    image.put(range.table, range.addr, &values, 1);
    take_common(identity, range, &image);
    Ok(())
}

/// Whether everything holds that must.
///
/// # Errors
/// [`NotIt::Another`], with the first that does not.
pub fn judge(profile: &Profile, identify: &Identify, image: &Image) -> Result<(), NotIt> {
    for part in &identify.matches {
        let table = profile.table(part.table);
        if let Err(found) = holds(part, table, profile.order(part.words), image) {
            return Err(NotIt::Another { table, addr: part.addr, found });
        }
    }
    Ok(())
}

/// Whether one thing holds.
///
/// # Errors
/// What stands there instead.
pub fn holds(part: &Match, table: Table, words: Words, image: &Image) -> Result<(), String> {
    let layout = Layout::at(table, part.addr, kind(part), words, part.count);
    let raw = layout.masked(part.mask).swapped(part.swap).read(image);
    if raw.as_ref().is_some_and(|raw| is_as_wanted(part, raw, image, table)) {
        return Ok(());
    }
    Err(match raw {
        Some(Raw::Int(number)) => format!("{number:#x}"),
        Some(Raw::Float(number)) => number.to_string(),
        Some(Raw::Text(text)) => format!("{text:?}"),
        None => "not there".to_owned(),
    })
}

fn kind(part: &Match) -> Type {
    let is_text = part.prefix.is_some() || part.ascii.is_some();
    if is_text { Type::String } else { part.kind }
}

/// The registers that one thing is about.
#[must_use]
pub fn place_of(part: &Match, table: Table) -> Range {
    Range { table, addr: part.addr, count: part.count.or(part.kind.registers()).unwrap_or(1) }
}

fn is_as_wanted(part: &Match, raw: &Raw, image: &Image, table: Table) -> bool {
    match raw {
        Raw::Int(number) => {
            let is_one = part.one_of.as_ref().is_none_or(|all| all.contains(number));
            is_one && part.range.is_none_or(|(low, high)| (low..=high).contains(number))
        }
        Raw::Float(_) => false,
        Raw::Text(text) => {
            let begins = |all: &Vec<String>| all.iter().any(|prefix| text.starts_with(prefix.as_str()));
            let registers = (part.addr..=u16::MAX).take(part.count.unwrap_or(1).into());
            let mut bytes = registers.flat_map(|addr| image.get(table, addr).unwrap_or(0).to_be_bytes());
            let mut is_printable = || bytes.all(|byte| (0x20..0x7F).contains(&byte));
            part.prefix.as_ref().is_none_or(begins)
                && part.ascii.is_none_or(|wanted| is_printable() == wanted)
        }
    }
}

async fn text(
    profile: &Profile,
    access: &Access,
    image: &mut Image,
    field: Option<&Field>,
) -> Result<Option<String>, NotIt> {
    let Some(field) = field else { return Ok(None) };
    Ok(fetch(profile, access, image, field).await?.and_then(|raw| said(field, raw)))
}

/// What a field says as text: the name of a number where it has names.
#[must_use]
pub fn said(field: &Field, raw: Raw) -> Option<String> {
    match raw {
        Raw::Int(number) if !field.map.0.is_empty() => field.map.0.get(&number).cloned(),
        raw => words(raw),
    }
}

/// What a field says as text; nothing if it is empty.
#[must_use]
pub fn words(raw: Raw) -> Option<String> {
    match raw {
        Raw::Text(text) => Some(text).filter(|text| !text.is_empty()),
        Raw::Int(number) => Some(number.to_string()),
        Raw::Float(number) => Some(number.to_string()),
    }
}

/// Where a field is.
#[must_use]
pub fn layout_of(profile: &Profile, field: &Field) -> Layout {
    let table = profile.table(field.table);
    let layout = Layout::at(table, field.addr, field.kind, profile.order(field.words), field.count);
    layout.masked(field.mask).swapped(field.swap)
}

/// A field, read now if it was not. One that the device refuses is none.
async fn fetch(
    profile: &Profile,
    access: &Access,
    image: &mut Image,
    field: &Field,
) -> Result<Option<Raw>, NotIt> {
    let layout = layout_of(profile, field);
    let table = layout.table;
    if let Some(raw) = layout.read(image) {
        return Ok(Some(raw));
    }
    let count = u16::try_from(layout.registers.len()).unwrap_or(1);
    match access.question(Range { table, addr: field.addr, count }, 1).await {
        Ok(values) => image.put(table, field.addr, &values, 1),
        Err(Fault::Exception(_)) => return Ok(None),
        Err(fault) => return Err(fault.into()),
    }
    Ok(layout.read(image))
}

/// Walks along the chain of models.
async fn walk(bases: &[u16], access: &Access) -> Result<Chain, NotIt> {
    let mut walker = Walker::new(bases);
    loop {
        match walker.next() {
            Next::Read(addr) => {
                let range = Range { table: Table::Holding, addr, count: 2 };
                match access.question(range, 1).await {
                    Ok(values) => walker.take(values.first_chunk::<2>().copied()),
                    Err(Fault::Exception(_)) => walker.take(None),
                    Err(fault) => return Err(fault.into()),
                }
            }
            Next::Found(chain) => return Ok(chain),
            Next::Nothing => return Err(NotIt::NoChain),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::sunspec::Model;

    fn chosen(profile: &str, models: &[u16]) -> Result<(), String> {
        let sunspec = builtin::by_id(profile).unwrap().sunspec.unwrap();
        let model = |id: &u16| Model { id: *id, addr: 40_002, length: 0 };
        choose(&sunspec, &Chain { models: models.iter().map(model).collect() }).map_err(|why| why.to_string())
    }

    #[test]
    fn a_profile_that_does_not_fit_the_chain_says_which_does() {
        assert_eq!(chosen("sunspec-inverter", &[1, 103, 120]), Ok(()));
        assert_eq!(chosen("sunspec-hybrid", &[1, 103, 124]), Ok(()));
        let said = [
            chosen("sunspec-inverter", &[1, 103, 124]).unwrap_err(),
            chosen("sunspec-hybrid", &[1, 203]).unwrap_err(),
            chosen("sunspec-meter", &[1, 701]).unwrap_err(),
            chosen("sunspec-meter", &[1, 307]).unwrap_err(),
        ];
        assert_eq!(
            said,
            [
                "its chain has 1, 103, 124: a hybrid; profile sunspec-hybrid",
                "its chain has 1, 203: a meter; profile sunspec-meter",
                "its chain has 1, 701: a solar inverter; profile sunspec-inverter",
                "its chain has 1, 307: no profile fits",
            ]
        );
    }
}
