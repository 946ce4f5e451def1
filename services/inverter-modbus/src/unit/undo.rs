//! How a sequence is undone: by its release, with what stood in the registers before.

use crate::engine::encode::{Known, Refused, Written, to_save};
use crate::engine::image::Image;
use crate::engine::map::WriteAt;
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

/// The registers that a release restores, as they are now.
///
/// # Errors
/// [`Refused::Unknown`]: one of them was not read. What cannot be undone is not begun.
pub(super) fn before(spec: &WritePoint, image: &Image) -> Result<Image, Refused> {
    let mut before = Image::default();
    for (table, first, count) in to_save(&spec.release) {
        for addr in first..first.saturating_add(count) {
            let now = image.get(table, addr);
            let now =
                now.ok_or_else(|| Refused::Unknown(format!("register {addr}, to be restored later,")))?;
            before.put(table, addr, &[now], 0);
        }
    }
    Ok(before)
}

/// The writes of a release, with these registers as they were.
///
/// # Errors
/// [`Refused`].
pub(super) fn release(write: &WriteAt, before: &Image, sight: &Sight<'_>) -> Result<Vec<Written>, Refused> {
    write.release(&Known { point: sight.point, secret: sight.secret, image: sight.image, saved: before })
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;
    use crate::engine::map::Map;
    use crate::profile::builtin;
    use crate::profile::scalar::Table;
    use crate::unit::control::{Control, End, Outcome};

    const NAME: &str = "force_charge";

    struct Bench {
        map: Map,
        image: Image,
        control: Control,
    }

    impl Bench {
        fn new() -> Bench {
            let map = Map::new(&builtin::by_id("deye-one-phase").unwrap(), None, true);
            Bench { map, image: Image::default(), control: Control::default() }
        }

        fn with<T>(&mut self, then: impl FnOnce(&mut Control, &Sight<'_>) -> T) -> T {
            let Bench { map, image, control } = self;
            then(control, &Sight { map, image, point: &|_| None, secret: &|_| None, reads: 0 })
        }

        /// What is written, and ends so.
        fn wants(&mut self, value: f64, end: End) -> Vec<Written> {
            let now = Instant::now();
            let order = self.with(|control, sight| {
                control.want(NAME, value, sight, now);
                control.next(sight, now)
            });
            self.control.done(NAME, end, 0, now);
            order.unwrap().writes
        }
    }

    #[test]
    fn what_cannot_be_undone_is_not_begun() {
        let mut bench = Bench::new();
        let refused = bench.with(|control, sight| control.check(NAME, 1.0, sight)).unwrap_err();
        assert_eq!(refused.to_string(), "register 232, to be restored later, is not known now");
        assert_eq!(bench.with(|control, sight| control.check(NAME, 0.0, sight)), Ok(()));
    }

    #[test]
    fn a_switch_that_is_set_to_off_restores_what_stood_in_the_registers_before() {
        let mut bench = Bench::new();
        let before: Vec<u16> = (200..282).collect();
        bench.image.put(Table::Holding, 200, &before, 1);
        let begun = bench.wants(1.0, End::Taken);
        assert!(begun.iter().any(|write| write.addr == 268 && write.values == [100; 6]), "{begun:?}");
        bench.image.put(Table::Holding, 268, &[100; 6], 2);
        let ended = bench.wants(0.0, End::Taken);
        let slots = ended.iter().find(|write| write.addr == 268).unwrap();
        assert_eq!(slots.values, [268, 269, 270, 271, 272, 273]);
        let grid = ended.iter().find(|write| write.addr == 232).unwrap();
        assert_eq!((grid.values[0] & 1, grid.masks[0]), (232 & 1, 1));
        assert!(bench.with(|control, sight| control.undone(sight)).is_empty(), "nothing is left to undo");
    }

    #[test]
    fn what_is_still_on_at_the_end_is_undone() {
        let mut bench = Bench::new();
        bench.image.put(Table::Holding, 200, &[1; 82], 1);
        assert!(bench.with(|control, sight| control.undone(sight)).is_empty());
        bench.wants(1.0, End::Taken);
        assert!(!bench.with(|control, sight| control.undone(sight)).is_empty());
    }

    #[test]
    fn off_without_a_beginning_writes_nothing() {
        let mut bench = Bench::new();
        assert_eq!(bench.wants(0.0, End::Taken), []);
    }

    #[test]
    fn what_nobody_knows_to_have_arrived_is_neither_confirmed_nor_forgotten() {
        let mut bench = Bench::new();
        bench.image.put(Table::Holding, 200, &[1; 82], 1);
        let outcomes =
            |bench: &mut Bench| bench.with(|control, sight| control.outcomes(sight, Instant::now()));
        let begun = bench.wants(1.0, End::Lost);
        assert_eq!(outcomes(&mut bench), []);
        assert_eq!(bench.wants(1.0, End::Taken), begun, "it is written again");
        assert_eq!(outcomes(&mut bench), [Outcome::Confirmed(NAME.to_owned(), 1.0)]);
        bench.wants(0.0, End::Lost);
        assert!(
            !bench.with(|control, sight| control.undone(sight)).is_empty(),
            "there is still something to undo"
        );
    }
}
