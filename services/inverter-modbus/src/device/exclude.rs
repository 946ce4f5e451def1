//! Which devices must not be asked who they are, and that none of them answers. Some do not bear that registers are read by which
//! others are recognised: where a device was exchanged for one of these while the process ran, the question would do the harm.

use super::access::{Access, Fault};
use super::recognise::{NotIt, place_of};
use crate::discover::judge::is_any;
use crate::discover::knowledge::{Danger, dangers, reads, sign_table};
use crate::engine::image::Image;
use crate::engine::plan::Range;
use crate::line::NoAnswer;
use crate::profile::Profile;
use crate::profile::scalar::Table;

/// One that says nothing is asked once more, with so many times the usual time.
const PATIENCE: u32 = 2;

/// Whether the device of a profile, which is there, answers such a question, if only with a refusal.
pub(super) async fn answers(profile: &Profile, access: &Access) -> bool {
    let dangers = dangers_of(profile);
    let Some(first) = questions(&dangers).next() else { return true };
    matches!(access.question(first, 1).await, Ok(_) | Err(Fault::Exception(_)))
}

/// Makes sure, by registers that do no harm to any device, that the device of a profile may be asked who it is. One that `answers` such
/// questions otherwise has to answer now: while it is silent another one may begin to listen at any moment.
///
/// # Errors
/// [`NotIt::Delicate`], [`NotIt::NotExcluded`] if it answers some of the questions and not others, [`NotIt::Fault`] if there is
/// no line, or no answer where there must be one.
pub(super) async fn exclude(profile: &Profile, access: &Access, answers: bool) -> Result<(), NotIt> {
    let dangers = dangers_of(profile);
    let (mut image, mut silent, mut has_answered) = (Image::default(), Vec::new(), false);
    for range in questions(&dangers) {
        has_answered |= ask(range, 1, access, &mut image, &mut silent).await?;
        sign_of(&dangers, &image)?;
        if answers && !has_answered {
            return Err(Fault::NoAnswer(NoAnswer::Silence).into());
        }
    }
    // Nobody there minds. One that has answered before is asked again what it has not; one that has not, the first question.
    let again = if has_answered { silent } else { silent.into_iter().take(1).collect() };
    let (mut unanswered, mut has_spoken) = (Vec::new(), has_answered);
    for range in again {
        has_spoken |= ask(range, PATIENCE, access, &mut image, &mut unanswered).await?;
        sign_of(&dangers, &image)?;
    }
    let is_unsure = if has_answered { !unanswered.is_empty() } else { has_spoken };
    if is_unsure { Err(NotIt::NotExcluded) } else { Ok(()) }
}

/// Asks for registers. Whether there was an answer, if only a refusal.
async fn ask(
    range: Range,
    patience: u32,
    access: &Access,
    image: &mut Image,
    silent: &mut Vec<Range>,
) -> Result<bool, Fault> {
    match access.question(range, patience).await {
        Ok(values) => image.put(range.table, range.addr, &values, 1),
        Err(Fault::Exception(_)) => {}
        Err(no_line @ Fault::NoAnswer(NoAnswer::NoLine(_))) => return Err(no_line),
        Err(_) => {
            silent.push(range);
            return Ok(false);
        }
    }
    Ok(true)
}

/// What must be excluded before the device of a profile is asked who it is.
fn dangers_of(profile: &Profile) -> Vec<Danger> {
    let (from, dangers) = dangers();
    let is_late = |range: Range| u32::from(range.addr) + u32::from(range.count) > u32::from(from);
    if asks(profile).any(is_late) { dangers } else { Vec::new() }
}

/// The registers of their signs.
fn questions(dangers: &[Danger]) -> impl Iterator<Item = Range> {
    let parts = dangers.iter().flat_map(|danger| &danger.signs).flatten();
    parts.map(|part| place_of(part, sign_table(part)))
}

fn sign_of(dangers: &[Danger], image: &Image) -> Result<(), NotIt> {
    let found = dangers.iter().find(|danger| is_any(&danger.signs, image));
    found.map_or(Ok(()), |danger| Err(NotIt::Delicate(danger.device.clone())))
}

/// What the device of a profile is asked before it is known; all that is read of it if it cannot be known.
fn asks(profile: &Profile) -> impl Iterator<Item = Range> {
    let bases = profile.sunspec.iter().flat_map(|sunspec| &sunspec.bases);
    let is_known = profile.identify.is_some() || profile.sunspec.is_some();
    let blocks = profile.block.iter().filter(move |_| !is_known).filter_map(|block| {
        Some(Range { table: profile.table(block.table), addr: block.addr?, count: block.count? })
    });
    let bases = bases.map(|base| Range { table: Table::Holding, addr: *base, count: 2 });
    reads(profile).chain(bases).chain(blocks)
}
