//! What is left in force at a device when the process dies, and taken up by the next one.

use super::Control;
use crate::engine::image::Image;
use crate::unit::sight::Sight;
use crate::unit::undo;
use crate::unit::wish::Wish;

impl Control {
    /// What must be undone if nobody can any more: its name, and what stood in the registers before. What the device forgets by
    /// itself is left out.
    pub(in crate::unit) fn begun(&self, sight: &Sight<'_>) -> Vec<(&str, &Image)> {
        let begun = self.points.iter().filter_map(|(name, wish)| {
            let write = sight.map.write(name, sight.point)?;
            let before = wish.before.as_ref().filter(|_| write.spec.watchdog.is_none())?;
            Some((name.as_str(), before))
        });
        begun.collect()
    }

    /// A process before this one began something over these registers: it is to be undone, unless it is wanted again by now.
    /// False if the device does not have it any more.
    pub(in crate::unit) fn take_up(&mut self, name: &str, before: Image, sight: &Sight<'_>) -> bool {
        let write = sight.map.write(name, sight.point);
        let is_left = write.is_some_and(|write| undo::is_left(write, &before, sight.image));
        if is_left {
            let wish = self.points.entry(name.to_owned()).or_insert_with(|| Wish::left(before.clone()));
            wish.before.get_or_insert(before);
        }
        is_left
    }
}

#[cfg(test)]
mod tests;
