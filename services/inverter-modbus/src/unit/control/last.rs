//! What is still written at the end, and what is certain of the registers for that.

use std::borrow::Cow;

use super::Control;
use crate::engine::encode::{Known, Written};
use crate::engine::image::Image;
use crate::engine::map::WriteAt;
use crate::profile::scalar::Table;
use crate::profile::write::Persist;
use crate::unit::last_word::stands;
use crate::unit::sight::Sight;
use crate::unit::undo;

impl Control {
    /// The registers of which bits are to be undone and others are to stay as they are then.
    pub(in crate::unit) fn beside(&self, sight: &Sight<'_>) -> Vec<(Table, u16)> {
        let begun = self.points.iter().filter(|(_, wish)| wish.before.is_some());
        let writes = begun.filter_map(|(name, _)| sight.map.write(name, sight.point));
        let steps = writes.flat_map(|write| &write.spec.release).filter(|step| step.mask.is_some());
        steps.map(|step| (step.table, step.addr)).collect()
    }

    /// The writes that undo each sequence that has been begun, for the end; those of `kept` get a last value instead.
    #[must_use]
    pub(in crate::unit) fn undone(&mut self, kept: &[&str], sight: &Sight<'_>) -> Vec<Vec<Written>> {
        let mut releases = Vec::new();
        let image = self.traces.supposed(sight.image);
        let sight = &Sight { image: &image, ..*sight };
        for (name, wish) in self.points.iter().filter(|(name, _)| !kept.contains(&name.as_str())) {
            let (Some(write), Some(before)) = (sight.map.write(name, sight.point), &wish.before) else {
                continue;
            };
            if let Ok(release) = undo::release(write, before, sight) {
                self.flash_writes += u32::from(write.spec.persist == Persist::Flash);
                releases.push(release);
            }
        }
        releases
    }

    /// Whether the device certainly has what a write says: it was read since it was written last.
    pub(in crate::unit) fn has(&self, write: &Written, image: &Image) -> bool {
        stands(write, image) && !self.traces.is_any_stale(write, image)
    }

    /// Its registers as they certainly are, of those that were read.
    pub(in crate::unit) fn known<'i>(&self, image: &'i Image) -> Cow<'i, Image> {
        self.traces.known(image)
    }

    /// The registers that were written, and nobody knows whether that has arrived.
    pub(in crate::unit) fn uncertain(&self, image: &Image) -> Vec<(Table, u16)> {
        self.traces.uncertain(image)
    }

    /// The writes that let a set point stay as it is wanted, for the end, where it would lapse without us.
    #[must_use]
    pub(in crate::unit) fn last_as_it_is(&mut self, name: &str, sight: &Sight<'_>) -> Vec<Written> {
        let lapses = sight.map.write(name, sight.point).is_some_and(WriteAt::lapses);
        let wanted = self.wanted(name).filter(|_| lapses);
        wanted.map(|value| self.last(name, value, sight)).unwrap_or_default()
    }

    /// The writes that give a set point its last value, for the end; none if the device certainly has it or has no such set
    /// point.
    #[must_use]
    pub(in crate::unit) fn last(&mut self, name: &str, value: f64, sight: &Sight<'_>) -> Vec<Written> {
        let Some(write) = sight.map.write(name, sight.point) else { return Vec::new() };
        let value = write.clip(value, sight.point);
        // What is shown may be older than what was written last.
        let is_sure = self.points.get(name).is_none_or(|wish| wish.is_settled && wish.value == value);
        // What would lapse without us must be told that it is to stay.
        if is_sure && !write.lapses() && write.is_shown(value, sight.image, sight.point) == Some(true) {
            return Vec::new();
        }
        let nothing = Image::default();
        let image = self.traces.supposed(sight.image);
        let known = Known { point: sight.point, secret: sight.secret, image: &image, saved: &nothing };
        let writes = write.last_writes(value, &known).unwrap_or_default();
        // Further last values stand beside this one.
        self.traces.begin(name, &writes, sight.image);
        self.flash_writes += u32::from(write.spec.persist == Persist::Flash && !writes.is_empty());
        writes
    }
}
