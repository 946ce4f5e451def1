use std::time::Duration;

use tokio::time::Instant;

use crate::engine::decode::decode;
use crate::engine::encode::Written;
use crate::engine::filter::Filter;
use crate::engine::image::Image;
use crate::engine::map::Map;
use crate::profile::builtin;
use crate::profile::scalar::Table;
use crate::unit::control::{Control, End, Outcome};
use crate::unit::last_word;
use crate::unit::sight::Sight;

const FORCE: &str = "force_charge";
const CHARGE: &str = "mode charge";
const DISCHARGE: &str = "mode discharge";

/// A device that has what is written to it.
struct Bench {
    map: Map,
    image: Image,
    points: Filter,
    control: Control,
    reads: u64,
    now: Instant,
}

impl Bench {
    fn new(profile: &str) -> Bench {
        let map = Map::new(&builtin::by_id(profile).unwrap(), None, true);
        let (image, points, control) = (Image::default(), Filter::default(), Control::default());
        Bench { map, image, points, control, reads: 0, now: Instant::now() }
    }

    fn with<T>(&mut self, then: impl FnOnce(&mut Control, &Sight<'_>, Instant) -> T) -> T {
        let Bench { map, image, points, control, reads, now } = self;
        let point = |name: &str| points.number(name);
        then(control, &Sight { map, image, point: &point, secret: &|_| None, reads: *reads }, *now)
    }

    /// Holding registers as the device has them from now on.
    fn has(&mut self, addr: u16, values: &[u16]) {
        self.reads += 1;
        self.image.put(Table::Holding, addr, values, self.reads);
        let heard = decode(&self.map, &self.image);
        self.points.take(&heard);
    }

    /// All registers are read once more.
    fn read(&mut self) {
        let all: Vec<_> = self.image.iter().collect();
        self.reads += 1;
        for (table, addr, value) in all {
            self.image.put(table, addr, &[value], self.reads);
        }
        let heard = decode(&self.map, &self.image);
        self.points.take(&heard);
    }

    fn want(&mut self, name: &str, value: f64) {
        self.with(|control, sight, _| control.want(name, value, sight));
    }

    /// What is written next, which ends so; the device has it then.
    fn written(&mut self, end: End) -> Option<(String, Vec<Written>)> {
        self.now += Duration::from_secs(31);
        let order = self.with(|control, sight, now| control.next(sight, now))?;
        self.with(|control, sight, now| control.done(&order.name, end, sight, now));
        if end == End::Taken {
            for write in &order.writes {
                let at = (write.addr..).take(write.values.len());
                let present: Vec<u16> =
                    at.map(|addr| self.image.get(Table::Holding, addr).unwrap_or(0)).collect();
                self.has(write.addr, &write.over(&present));
            }
            self.read();
        }
        Some((order.name, order.writes))
    }

    fn outcomes(&mut self) -> Vec<Outcome> {
        self.with(|control, sight, now| control.outcomes(sight, now))
    }

    fn undone(&mut self) -> Vec<Written> {
        self.with(|control, sight, _| control.undone(&[], sight)).concat()
    }

    fn holds(&self, addr: u16) -> Option<u16> {
        self.image.get(Table::Holding, addr)
    }
}

fn deye() -> Bench {
    let mut bench = Bench::new("deye-one-phase");
    let before: Vec<u16> = (200..282).collect();
    bench.has(200, &before);
    bench
}

fn sungrow() -> Bench {
    let mut bench = Bench::new("sungrow-sh");
    bench.has(13_049, &[0, 0xCC, 0]);
    bench
}

#[test]
fn what_cannot_be_undone_is_not_begun() {
    let mut bench = Bench::new("deye-one-phase");
    let refused = bench.with(|control, sight, _| control.check(FORCE, 1.0, sight)).unwrap_err();
    assert_eq!(refused.to_string(), "register 232, to be restored later, is not known now");
    assert_eq!(bench.with(|control, sight, _| control.check(FORCE, 0.0, sight)), Ok(()));
}

#[test]
fn a_switch_that_is_set_to_off_restores_what_stood_in_the_registers_before() {
    let mut bench = deye();
    bench.want(FORCE, 1.0);
    bench.written(End::Taken).unwrap();
    assert_eq!((bench.holds(268), bench.holds(273)), (Some(100), Some(100)));
    assert_eq!(bench.outcomes(), [Outcome::Confirmed(FORCE.into(), 1.0)]);
    bench.want(FORCE, 0.0);
    bench.written(End::Taken).unwrap();
    for addr in 200..282 {
        assert_eq!(bench.holds(addr), Some(addr));
    }
    assert_eq!(bench.outcomes(), [Outcome::Released(FORCE.into())]);
    assert!(bench.undone().is_empty(), "nothing is left to undo");
}

#[test]
fn what_is_still_on_at_the_end_is_undone_and_counts_as_wear() {
    let mut bench = deye();
    assert!(bench.undone().is_empty());
    bench.want(FORCE, 1.0);
    bench.written(End::Taken).unwrap();
    assert!(!bench.undone().is_empty());
    assert_eq!(bench.control.flash_writes(), 2);
}

#[test]
fn off_without_a_beginning_writes_nothing() {
    let mut bench = deye();
    bench.want(FORCE, 0.0);
    assert_eq!(bench.written(End::Taken), None);
    assert_eq!(bench.outcomes(), [Outcome::Confirmed(FORCE.into(), 0.0)]);
}

#[test]
fn what_nobody_knows_to_have_arrived_is_neither_confirmed_nor_forgotten() {
    let mut bench = deye();
    bench.want(FORCE, 1.0);
    let begun = bench.written(End::Lost);
    assert_eq!(bench.outcomes(), []);
    assert_eq!(bench.written(End::Taken), begun, "it is written again");
    assert_eq!(bench.outcomes(), [Outcome::Confirmed(FORCE.into(), 1.0)]);
    bench.want(FORCE, 0.0);
    bench.written(End::Lost).unwrap();
    assert!(!bench.undone().is_empty(), "there is still something to undo");
}

#[test]
fn another_mode_ends_the_one_before_and_restores_what_stood_before_both() {
    let mut bench = sungrow();
    bench.want(CHARGE, 2000.0);
    let (_, begun) = bench.written(End::Taken).unwrap();
    assert_eq!(begun.len(), 2);
    assert_eq!(bench.outcomes(), [Outcome::Confirmed(CHARGE.into(), 2000.0)]);
    assert_eq!(
        (bench.holds(13_049), bench.holds(13_050), bench.holds(13_051)),
        (Some(2), Some(0xAA), Some(2000))
    );

    bench.want(DISCHARGE, 1000.0);
    assert_eq!(bench.written(End::Taken).unwrap().0, CHARGE, "the release goes first");
    assert_eq!(bench.holds(13_049), Some(0));
    assert_eq!(bench.outcomes(), [Outcome::Released(CHARGE.into())]);
    assert_eq!(bench.written(End::Taken).unwrap().0, DISCHARGE);
    assert_eq!(bench.outcomes(), [Outcome::Confirmed(DISCHARGE.into(), 1000.0)]);

    assert!(bench.control.end(DISCHARGE));
    bench.written(End::Taken).unwrap();
    assert_eq!((bench.holds(13_049), bench.holds(13_050)), (Some(0), Some(0xCC)));
    assert_eq!(bench.outcomes(), [Outcome::Released(DISCHARGE.into())]);
}

#[test]
fn another_power_in_the_same_mode_begins_nothing_anew() {
    let mut bench = sungrow();
    bench.want(CHARGE, 2000.0);
    bench.written(End::Taken).unwrap();
    bench.outcomes();
    bench.want(CHARGE, 3000.0);
    let (_, writes) = bench.written(End::Taken).unwrap();
    let [write] = writes.as_slice() else { panic!("{writes:?}") };
    assert_eq!((write.addr, write.values.as_slice()), (13_050, &[0xAA, 3000][..]));
}

#[test]
fn what_is_written_into_the_registers_of_a_mode_ends_it() {
    let mut bench = sungrow();
    bench.want(CHARGE, 2000.0);
    bench.written(End::Taken).unwrap();
    bench.want("work_mode", 3.0);
    assert_eq!(bench.written(End::Taken).unwrap().0, CHARGE);
    bench.outcomes();
    assert_eq!(bench.written(End::Taken).unwrap().0, "work_mode");
    assert_eq!(bench.holds(13_049), Some(3));
    assert_eq!(bench.control.in_force().count(), 0);
}

#[test]
fn a_mode_that_the_device_refuses_is_undone_and_not_tried_again() {
    let mut bench = sungrow();
    bench.want(CHARGE, 2000.0);
    bench.written(End::Refused).unwrap();
    let (name, writes) = bench.written(End::Taken).unwrap();
    assert_eq!((name.as_str(), writes[0].values.as_slice()), (CHARGE, &[0xCC, 0][..]));
    assert_eq!(bench.outcomes(), [Outcome::Released(CHARGE.into())]);
    assert_eq!(bench.written(End::Taken), None);
}

#[test]
fn a_mode_that_the_device_does_not_show_has_failed_and_is_undone() {
    let mut bench = sungrow();
    bench.want(CHARGE, 2000.0);
    let mut said = Vec::new();
    for _ in 0..3 {
        let order = bench.written(End::Taken);
        bench.has(13_049, &[0, 0xCC, 0]);
        said.extend(bench.outcomes());
        if order.is_none() {
            break;
        }
    }
    let [Outcome::Failed(failed, ..), Outcome::Released(released)] = said.as_slice() else {
        panic!("{said:?}")
    };
    assert_eq!((failed.as_str(), released.as_str()), (CHARGE, CHARGE));
}

#[test]
fn a_mode_that_lasts_by_itself_is_not_defended_against_who_stands_at_the_device() {
    let mut bench = sungrow();
    bench.has(13_049, &[3, 0xCC, 0]);
    bench.want("mode self-consumption", 0.0);
    bench.written(End::Taken).unwrap();
    assert_eq!(bench.outcomes(), [Outcome::Confirmed("mode self-consumption".into(), 0.0)]);
    bench.has(13_049, &[3]);
    assert_eq!(bench.written(End::Taken), None);
}

#[test]
fn modes_wear_memory_as_set_points_do() {
    let mut bench = sungrow();
    let mut written = 0;
    for second in 0..300_u16 {
        bench.want(if second % 2 == 0 { CHARGE } else { DISCHARGE }, 1000.0);
        if let Some(order) = bench.with(|control, sight, now| control.next(sight, now)) {
            bench.with(|control, sight, now| control.done(&order.name, End::Taken, sight, now));
            written += 1;
        }
        bench.read();
        bench.outcomes();
        bench.now += Duration::from_secs(1);
    }
    assert!((10..=14).contains(&written), "an allowance of 3, 10 in 300 s, and one that is owed: {written}");
    assert_eq!(bench.control.flash_writes(), written);
}

#[test]
fn what_the_device_forgets_is_repeated_in_time() {
    let mut bench = Bench::new("sofar-hyd");
    bench.has(0x1110, &[0]);
    bench.has(0x1184, &[0, 0]);
    bench.has(0x1187, &[0; 6]);
    bench.want(CHARGE, 1500.0);
    let (_, begun) = bench.written(End::Taken).unwrap();
    assert_eq!(begun.len(), 3, "{begun:?}");
    assert_eq!(bench.outcomes(), [Outcome::Confirmed(CHARGE.into(), 1500.0)]);
    let (_, again) = bench.written(End::Taken).unwrap();
    let [again] = again.as_slice() else { panic!("{again:?}") };
    assert_eq!((again.addr, &again.values[..]), (0x1187, &[0, 0, 0, 1500, 0, 1500][..]));
    bench.control.end(CHARGE);
    bench.written(End::Taken).unwrap();
    assert_eq!(
        (bench.holds(0x1110), bench.holds(0x1184), bench.holds(0x118B)),
        (Some(0), Some(0), Some(0x7FFF))
    );
}

#[test]
fn a_last_limit_is_written_unless_the_device_has_it() {
    let mut bench = deye();
    let last =
        |bench: &mut Bench| bench.with(|control, sight, _| control.last("charge_current_limit", 0.0, sight));
    assert_eq!(last(&mut bench)[0].values, [0]);
    bench.has(210, &[0]);
    assert!(last(&mut bench).is_empty());
    assert_eq!(bench.control.flash_writes(), 1);
}

/// The last word to a device.
fn last_word(bench: &mut Bench, limits: Vec<Written>) -> Vec<Written> {
    let releases = bench.with(|control, sight, _| control.undone(&[], sight));
    let (control, image) = (&bench.control, &bench.image);
    let writes = last_word::ordered(releases, limits, |write| control.has(write, image));
    let link = builtin::by_id("deye-one-phase").unwrap().link;
    last_word::requests(writes, &link, image).into_iter().map(|joined| joined.whole).collect()
}

#[test]
fn the_last_word_to_a_deye_that_charges_is_few_requests_none_of_them_a_read_and_restores_everything() {
    let mut bench = deye();
    bench.has(183, &[5120]);
    bench.want(CHARGE, 2500.0);
    bench.written(End::Taken).unwrap();
    let limit = bench.with(|control, sight, _| control.last("charge_current_limit", 0.0, sight));
    let word = last_word(&mut bench, limit);
    let addresses: Vec<u16> = word.iter().map(|write| write.addr).collect();
    assert_eq!(addresses, [232, 210, 281, 230, 268, 248], "the grid first, then the limit");
    assert!(word.iter().all(|write| !write.needs_read()));
    for write in word {
        bench.has(write.addr, &write.values);
    }
    for addr in (200..282).filter(|addr| *addr != 210) {
        assert_eq!(bench.holds(addr), Some(addr));
    }
    assert_eq!(bench.holds(210), Some(0));
}

#[test]
fn what_stands_beside_bits_that_are_to_be_undone_is_known_only_of_what_is_in_force() {
    let mut bench = deye();
    bench.has(183, &[5120]);
    assert_eq!(bench.with(|control, sight, _| control.beside(sight)), []);
    bench.want(CHARGE, 2500.0);
    bench.written(End::Taken).unwrap();
    let beside = bench.with(|control, sight, _| control.beside(sight));
    let addresses: Vec<u16> = beside.into_iter().map(|(_, addr)| addr).collect();
    assert_eq!(addresses, [232, 274, 275, 276, 277, 278, 279, 248]);
}

#[test]
fn the_last_word_leaves_out_what_the_device_has_been_read_to_have() {
    let mut bench = deye();
    bench.has(183, &[5120]);
    bench.has(281, &[0]);
    bench.want(CHARGE, 2500.0);
    bench.written(End::Taken).unwrap();
    let has_281 = |word: &[Written]| word.iter().any(|write| write.addr == 281);
    let word = last_word(&mut bench, Vec::new());
    assert!(!has_281(&word), "it was 0 before, and was set to 0");
    bench.has(281, &[1]);
    assert!(has_281(&last_word(&mut bench, Vec::new())), "it is something else by now");
}

mod users;
