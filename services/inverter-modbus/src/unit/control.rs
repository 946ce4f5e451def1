//! What is wanted of a device, and when it is written: as often as its memory bears, confirmed by what it shows.
//!
//! A set point that lies in memory which wears out has an allowance of three writes that fills up by one every `every_s`
//! seconds. Raising a limit leaves one write in it, so that a reduction need not wait.

use std::collections::BTreeMap;

use tokio::time::Instant;

use crate::engine::encode::{Known, Refused, Written};
use crate::engine::image::Image;
use crate::engine::map::WriteAt;
use crate::profile::write::Persist;

use super::sight::Sight;
use super::undo;
use super::wish::{ATTEMPTS, CONFIRM, LEFT_ALONE, Sent, Wish, read_since};

/// All set points of a device.
#[derive(Debug, Default)]
pub struct Control {
    points: BTreeMap<String, Wish>,
    flash_writes: u32,
}

/// What is to be written now.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// The set point.
    pub name: String,
    /// The writes, in order.
    pub writes: Vec<Written>,
}

/// How the writes of an order ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The device took them.
    Taken,
    /// The device does not want them.
    Refused,
    /// Nobody knows whether they arrived.
    Lost,
}

/// What became of a wish.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The device shows it, or took it where it shows nothing.
    Confirmed(String, f64),
    /// It does not, for this reason.
    Failed(String, f64, String),
}

impl Control {
    /// From now on `value` is wanted, clipped to what can be.
    pub fn want(&mut self, name: &str, value: f64, sight: &Sight<'_>, now: Instant) {
        let Some(write) = sight.map.write(name, sight.point) else { return };
        let value = if write.spec.map.is_some() { value } else { write.clip(value, sight.point) };
        match self.points.get_mut(name) {
            Some(wish) if wish.value == value => {}
            Some(wish) => {
                wish.value = value;
                wish.rests_until = None;
                wish.is_settled = false;
            }
            None => {
                self.points.insert(name.to_owned(), Wish::new(value, now));
            }
        }
    }

    /// Nothing is wanted any more, except that the memory has not recovered: the device was replaced.
    pub fn forget_what_was_sent(&mut self) {
        for wish in self.points.values_mut() {
            (wish.sent, wish.under_way, wish.rests_until, wish.is_settled) = (None, false, None, false);
        }
    }

    /// Writes to memory that wears out, so far.
    #[must_use]
    pub fn flash_writes(&self) -> u32 {
        self.flash_writes
    }

    /// The writes that undo every sequence that has been begun.
    #[must_use]
    pub fn undone(&self, sight: &Sight<'_>) -> Vec<Written> {
        let begun = self.points.iter().filter_map(|(name, wish)| Some((name, wish.before.as_ref()?)));
        let writes = begun.filter_map(|(name, before)| {
            undo::release(sight.map.write(name, sight.point)?, before, sight).ok()
        });
        writes.flatten().collect()
    }

    /// Whether a set point could be written now.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self, name: &str, value: f64, sight: &Sight<'_>) -> Result<(), Refused> {
        let write = sight.map.write(name, sight.point).ok_or_else(|| Refused::Unknown(name.to_owned()))?;
        let nothing = Image::default();
        let known = Known { point: sight.point, secret: sight.secret, image: sight.image, saved: &nothing };
        write.writes(value, &known)?;
        let is_begun = self.points.get(name).is_some_and(|wish| wish.before.is_some());
        let is_end = value == 0.0 && undo::is_switch(&write.spec);
        if !(is_begun || is_end) {
            undo::before(&write.spec, sight.image)?;
        }
        Ok(())
    }

    /// What has become of wishes since the last call.
    pub fn outcomes(&mut self, sight: &Sight<'_>, now: Instant) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for (name, wish) in &mut self.points {
            let Some(write) = sight.map.write(name, sight.point) else { continue };
            let Some(sent) = wish.sent.filter(|sent| sent.value == wish.value) else { continue };
            if wish.is_settled || wish.under_way || wish.rests_until.is_some() {
                continue;
            }
            if write.shown.is_none() {
                if !wish.was_taken {
                    // Nothing will show whether it arrived: once more.
                    wish.sent = None;
                    continue;
                }
                wish.is_settled = true;
                outcomes.push(Outcome::Confirmed(name.clone(), wish.value));
                continue;
            }
            let is_newer = read_since(write, sight, sent.reads);
            let is_shown = is_newer && write.is_shown(wish.value, sight.image) == Some(true);
            let is_late = now.duration_since(sent.at) >= CONFIRM;
            if is_shown {
                wish.is_settled = true;
                outcomes.push(Outcome::Confirmed(name.clone(), wish.value));
            } else if (is_newer || is_late) && sent.tries >= ATTEMPTS {
                wish.rests_until = Some(now + LEFT_ALONE);
                let shown = write.shown(sight.image);
                let why = shown.map_or("it shows nothing".to_owned(), |shown| format!("it shows {shown}"));
                outcomes.push(Outcome::Failed(name.clone(), wish.value, why));
            }
        }
        outcomes
    }

    /// What is written next.
    pub fn next(&mut self, sight: &Sight<'_>, now: Instant) -> Option<Order> {
        for (name, wish) in &mut self.points {
            let Some(write) = sight.map.write(name, sight.point) else { continue };
            if !wish.is_due(write, sight, now) {
                continue;
            }
            match wish.writes(write, sight) {
                Ok(writes) => {
                    let tries = match wish.sent {
                        Some(sent) if sent.value == wish.value && !wish.is_settled => sent.tries + 1,
                        _ => 1,
                    };
                    wish.sent = Some(Sent { value: wish.value, at: now, reads: sight.reads, tries });
                    (wish.under_way, wish.was_taken) = (true, false);
                    wish.allowance -= 1.0;
                    self.flash_writes += u32::from(write.spec.persist == Persist::Flash);
                    return Some(Order { name: name.clone(), writes });
                }
                Err(Refused::Unknown(_)) => {}
                Err(_) => wish.rests_until = Some(now + LEFT_ALONE),
            }
        }
        None
    }

    /// A write is over. A device that refuses it is left alone for a while.
    pub fn done(&mut self, name: &str, end: End, sight_reads: u64, now: Instant) {
        let Some(wish) = self.points.get_mut(name) else { return };
        (wish.under_way, wish.was_taken) = (false, end == End::Taken);
        if wish.is_ending && wish.was_taken {
            wish.before = None;
        }
        if let Some(sent) = &mut wish.sent {
            // Only what is read from now on can show it.
            sent.reads = sight_reads;
        }
        if end == End::Refused {
            wish.rests_until = Some(now + LEFT_ALONE);
        }
    }

    /// The registers that show a set point.
    #[must_use]
    pub fn registers(write: &WriteAt) -> Vec<(crate::profile::scalar::Table, u16)> {
        let shown = write.shown.iter();
        shown.flat_map(|(layout, ..)| layout.registers.iter().map(|addr| (layout.table, *addr))).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::map::Map;
    use crate::profile::parse;
    use crate::profile::scalar::Table;
    use crate::profile::tests::SMALL;

    const LIMIT: &str = "charge_current_limit";

    struct Bench {
        map: Map,
        image: Image,
        reads: u64,
        control: Control,
        now: Instant,
    }

    impl Bench {
        fn new() -> Bench {
            let profile = parse(SMALL, "test.toml").unwrap();
            let map = Map::new(&profile, None, true);
            let mut bench = Bench {
                map,
                image: Image::default(),
                reads: 0,
                control: Control::default(),
                now: Instant::now(),
            };
            bench.device_shows(50);
            bench
        }

        fn device_shows(&mut self, value: u16) {
            self.reads += 1;
            self.image.put(Table::Holding, 108, &[value], self.reads);
        }

        fn with<T>(&mut self, then: impl FnOnce(&mut Control, &Sight<'_>, Instant) -> T) -> T {
            let Bench { map, image, reads, control, now } = self;
            let sight = Sight { map, image, point: &|_| None, secret: &|_| None, reads: *reads };
            then(control, &sight, *now)
        }

        fn want(&mut self, value: f64) {
            self.with(|control, sight, now| control.want(LIMIT, value, sight, now));
        }

        /// What is written now, if anything; the device takes it and shows it.
        fn written(&mut self) -> Option<u16> {
            let order = self.with(|control, sight, now| control.next(sight, now))?;
            let value = order.writes[0].values[0];
            let (reads, now) = (self.reads, self.now);
            self.control.done(LIMIT, End::Taken, reads, now);
            self.device_shows(value);
            Some(value)
        }

        fn outcomes(&mut self) -> Vec<Outcome> {
            self.with(|control, sight, now| control.outcomes(sight, now))
        }

        fn pass(&mut self, seconds: u64) {
            self.now += Duration::from_secs(seconds);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wish_is_written_once_and_confirmed_by_what_the_device_shows() {
        let mut bench = Bench::new();
        bench.want(80.0);
        assert_eq!(bench.written(), Some(80));
        assert_eq!(bench.outcomes(), [Outcome::Confirmed(LIMIT.into(), 80.0)]);
        bench.pass(1000);
        assert_eq!((bench.written(), bench.outcomes()), (None, Vec::new()));
    }

    #[tokio::test(start_paused = true)]
    async fn wear_is_limited_and_a_reduction_has_a_write_left() {
        let mut bench = Bench::new();
        let mut written = Vec::new();
        for second in 0..300_u32 {
            bench.want(f64::from(60 + second % 100));
            written.extend(bench.written());
            bench.pass(1);
        }
        assert!(written.len() <= 13, "an allowance of 3 and 10 in 300 s: {}", written.len());
        bench.want(190.0);
        let _ = bench.written();
        bench.want(200.0);
        assert_eq!(bench.written(), None, "a raise waits");
        bench.want(10.0);
        assert_eq!(bench.written(), Some(10), "a reduction does not");
        assert!(bench.control.flash_writes() <= 15);
    }

    #[tokio::test(start_paused = true)]
    async fn a_device_that_does_not_show_it_is_told_twice_and_then_left_alone() {
        let mut bench = Bench::new();
        bench.want(80.0);
        let mut sent = 0;
        for _ in 0..40 {
            if bench.with(|control, sight, now| control.next(sight, now)).is_some() {
                sent += 1;
                let (reads, now) = (bench.reads, bench.now);
                bench.control.done(LIMIT, End::Taken, reads, now);
            }
            bench.device_shows(50);
            if let [Outcome::Failed(_, value, why)] = bench.outcomes().as_slice() {
                assert_eq!((*value, why.as_str(), sent), (80.0, "it shows 50", 2));
                return;
            }
            bench.pass(1);
        }
        panic!("nothing was said; {sent} writes");
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_read_before_the_write_was_over_confirms_nothing() {
        let mut bench = Bench::new();
        bench.want(80.0);
        assert!(bench.with(|control, sight, now| control.next(sight, now)).is_some());
        bench.device_shows(80);
        let (reads, now) = (bench.reads, bench.now);
        bench.control.done(LIMIT, End::Taken, reads, now);
        assert_eq!(bench.outcomes(), []);
        bench.device_shows(80);
        assert_eq!(bench.outcomes(), [Outcome::Confirmed(LIMIT.into(), 80.0)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_device_that_has_it_already_is_not_written() {
        let mut bench = Bench::new();
        bench.want(50.4);
        assert_eq!(bench.written(), None);
    }
}
