//! Which devices must not be asked who they are, and that none of them answers. Some do not bear that registers are read by which
//! others are recognised: where a device was exchanged for one of these while the process ran, the question would do the harm.

use super::access::{Access, Fault};
use super::recognise::{NotIt, place_of};
use crate::discover::judge::is_any;
use crate::discover::knowledge::{Danger, dangers, reads, sign_table};
use crate::engine::image::Image;
use crate::engine::plan::Range;
use crate::profile::Profile;

/// One that says nothing is asked once more, with so many times the usual time.
const PATIENCE: u32 = 2;

/// Makes sure, by registers that do no harm to any device, that the device of a profile may be asked who it is.
///
/// # Errors
/// [`NotIt::Delicate`], [`NotIt::NotExcluded`] if it answers some of the questions and not others, [`NotIt::Fault`] if there is
/// no line.
pub(super) async fn exclude(profile: &Profile, access: &Access) -> Result<(), NotIt> {
    let (from, dangers) = dangers();
    if !asks(profile).any(|range| u32::from(range.addr) + u32::from(range.count) > u32::from(from)) {
        return Ok(());
    }
    let questions = dangers.iter().flat_map(|danger| &danger.signs).flatten();
    let questions: Vec<Range> = questions.map(|part| place_of(part, sign_table(part))).collect();
    let (mut image, mut silent, mut has_answered) = (Image::default(), Vec::new(), false);
    for range in questions {
        has_answered |= ask(range, 1, access, &mut image, &mut silent).await?;
        sign_of(&dangers, &image)?;
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
        Err(Fault::NoAnswer(crate::line::NoAnswer::NoLine(why))) => {
            return Err(crate::line::NoAnswer::NoLine(why).into());
        }
        Err(_) => {
            silent.push(range);
            return Ok(false);
        }
    }
    Ok(true)
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
    let bases =
        bases.map(|base| Range { table: crate::profile::scalar::Table::Holding, addr: *base, count: 2 });
    reads(profile).chain(bases).chain(blocks)
}
