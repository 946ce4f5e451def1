//! How a sequence is undone: by its release, with what stood in the registers before.

use crate::engine::encode::{Known, Refused, Written, to_save};
use crate::engine::image::Image;
use crate::engine::map::WriteAt;
use crate::profile::scalar::Table;
use crate::profile::write::{Given, Step, WritePoint};

use super::last_word::{present, stands};
use super::sight::Sight;

/// A set point that is on or off: its sequence does not use the value, so off is its release.
#[must_use]
pub(super) fn is_switch(spec: &WritePoint) -> bool {
    let uses_value = |given: &Given| match given {
        Given::Wanted | Given::Magnitude => true,
        Given::Made(expr) => {
            let mut names = Vec::new();
            expr.names(&mut names);
            names.iter().any(|name| name == "value")
        }
        _ => false,
    };
    !spec.sequence.is_empty()
        && !spec.release.is_empty()
        && !spec.sequence.iter().any(|step| uses_value(&step.value))
}

/// What charges or discharges the battery whatever the device would do.
const FORCED: [&str; 4] = ["mode charge", "mode discharge", "force_charge", "force_discharge"];

/// The registers that a release restores, as they are now, or as they were before what makes room for it (`inherited`).
///
/// # Errors
/// [`Refused::Unknown`]: one of them was not read. What cannot be undone is not begun. [`Refused::Already`]: they are as we would
/// write them, which is none of what is to be restored.
pub(super) fn before(write: &WriteAt, sight: &Sight<'_>, inherited: &Image) -> Result<Image, Refused> {
    let mut before = Image::default();
    let saved = to_save(&write.spec.release);
    let is_ours = inherited.iter().next().is_some();
    if !saved.is_empty() && !is_ours && is_forced_already(write, sight) {
        return Err(Refused::Already);
    }
    for (table, first, count) in saved {
        for addr in (first..=u16::MAX).take(count.into()) {
            let now = inherited.get(table, addr).or_else(|| sight.image.get(table, addr));
            let now =
                now.ok_or_else(|| Refused::Unknown(format!("register {addr}, to be restored later,")))?;
            before.put(table, addr, &[now], 0);
        }
    }
    Ok(before)
}

/// Whether the device is forced to something by what is not ours, such as a process before us. What it forgets by itself does
/// not count.
fn is_forced_already(write: &WriteAt, sight: &Sight<'_>) -> bool {
    let is_forced = |write: &WriteAt| FORCED.contains(&write.spec.name.as_str());
    let is_in_force = |other: &WriteAt| {
        let fixed = other.fixed();
        !fixed.is_empty() && fixed.iter().all(|write| stands(write, sight.image))
    };
    let mut others = sight.map.writes.iter().filter(|other| is_forced(other) && touch(write, other));
    write.spec.watchdog.is_none() && is_forced(write) && others.any(is_in_force)
}

/// Whether a sequence that was begun before this process is still in force, as a whole or in part. It is none of ours any more
/// where somebody has changed all of it since.
pub(super) fn is_left(write: &WriteAt, before: &Image, image: &Image) -> bool {
    let fixed = write.fixed().into_iter().filter(|write| !stands(write, before));
    let is_known = |write: &Written| present(write, image).is_some();
    let mut known = fixed.filter(is_known).peekable();
    known.peek().is_none() || known.any(|write| stands(&write, image))
}

/// Whether what is written for one set point is written for another too, otherwise: only one of them can be in force. What both
/// write alike, and neither takes back, is common to them.
pub(super) fn touch(one: &WriteAt, other: &WriteAt) -> bool {
    written(one).any(|mine| {
        written(other).any(|theirs| mine.meets(&theirs) && !is_common(one, &mine, other, &theirs))
    })
}

/// A register that is written for a set point.
struct Place<'s> {
    table: Table,
    addr: u16,
    /// The bits of it.
    mask: u64,
    /// The step that writes it; a set point of its own has none.
    step: Option<&'s Step>,
}

impl Place<'_> {
    fn meets(&self, other: &Place<'_>) -> bool {
        (self.table, self.addr) == (other.table, other.addr) && self.mask & other.mask != 0
    }
}

/// The registers that are written for a set point, but for those that are written as they are.
fn written(write: &WriteAt) -> impl Iterator<Item = Place<'_>> {
    let own = write.layout.iter().flat_map(|at| {
        let mask = at.mask.unwrap_or(u64::MAX);
        at.registers.iter().map(move |addr| Place { table: at.table, addr: *addr, mask, step: None })
    });
    of(&write.spec.sequence).chain(own)
}

fn of(steps: &[Step]) -> impl Iterator<Item = Place<'_>> {
    steps.iter().filter(|step| step.value != Given::Kept).flat_map(|step| {
        let addresses = (step.addr..=u16::MAX).take(step.kind.registers().unwrap_or(1).into());
        let mask = step.mask.unwrap_or(u64::MAX);
        addresses.map(move |addr| Place { table: step.table, addr, mask, step: Some(step) })
    })
}

/// Whether both write the same number there, whatever is wanted of them, and it stays when one of them ends.
fn is_common(one: &WriteAt, mine: &Place<'_>, other: &WriteAt, theirs: &Place<'_>) -> bool {
    let (Some(step), Some(its)) = (mine.step, theirs.step) else { return false };
    let is_same = matches!(step.value, Given::Number(_))
        && (step.addr, step.kind, step.words, step.scale, &step.value)
            == (its.addr, its.kind, its.words, its.scale, &its.value);
    let ends = |write: &WriteAt| of(&write.spec.release).any(|end| end.meets(mine));
    is_same && !ends(one) && !ends(other)
}

/// The writes of a release, with these registers as they were.
///
/// # Errors
/// [`Refused`].
pub(super) fn release(write: &WriteAt, before: &Image, sight: &Sight<'_>) -> Result<Vec<Written>, Refused> {
    write.release(&Known { point: sight.point, secret: sight.secret, image: sight.image, saved: before })
}

#[cfg(test)]
mod tests;
