//! How a sequence is undone: by its release, with what stood in the registers before.

use crate::engine::encode::{Known, Refused, Written, to_save};
use crate::engine::image::Image;
use crate::engine::map::WriteAt;
use crate::profile::scalar::Table;
use crate::profile::write::{Given, Step, WritePoint};

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

/// The registers that a release restores, as they are now, or as they were before what makes room for it (`inherited`).
///
/// # Errors
/// [`Refused::Unknown`]: one of them was not read. What cannot be undone is not begun.
pub(super) fn before(spec: &WritePoint, image: &Image, inherited: &Image) -> Result<Image, Refused> {
    let mut before = Image::default();
    for (table, first, count) in to_save(&spec.release) {
        for addr in (first..=u16::MAX).take(count.into()) {
            let now = inherited.get(table, addr).or_else(|| image.get(table, addr));
            let now =
                now.ok_or_else(|| Refused::Unknown(format!("register {addr}, to be restored later,")))?;
            before.put(table, addr, &[now], 0);
        }
    }
    Ok(before)
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
