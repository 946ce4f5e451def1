//! How a sequence is undone: by its release, with what stood in the registers before.

use crate::engine::encode::{Known, Refused, Written, to_save};
use crate::engine::image::Image;
use crate::engine::map::WriteAt;
use crate::profile::scalar::Table;
use crate::profile::write::{Given, WritePoint};

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

/// Whether what is written for one set point is written for another too: only one of them can be in force.
pub(super) fn touch(one: &WriteAt, other: &WriteAt) -> bool {
    written(one)
        .any(|(table, addr, mask)| written(other).any(|at| (at.0, at.1) == (table, addr) && mask & at.2 != 0))
}

/// The registers that are written for a set point, with the bits of them.
fn written(write: &WriteAt) -> impl Iterator<Item = (Table, u16, u64)> {
    let steps = write.spec.sequence.iter().flat_map(|step| {
        let addresses = (step.addr..=u16::MAX).take(step.kind.registers().unwrap_or(1).into());
        addresses.map(|addr| (step.table, addr, step.mask))
    });
    let own = write.layout.iter();
    let own = own.flat_map(|at| at.registers.iter().map(|addr| (at.table, *addr, at.mask)));
    steps.chain(own).map(|(table, addr, mask)| (table, addr, mask.unwrap_or(u64::MAX)))
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
