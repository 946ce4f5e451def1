use crate::engine::encode::Refused;
use crate::engine::image::Image;
use crate::profile::write::Mode;
use crate::unit::control::Control;
use crate::unit::control::bench::{Bench, deye};

const CHARGE: &str = "mode charge";
/// A time table of the user's own: the six slots charge from the grid up to 20 %.
const SLOTS: [u16; 6] = [20; 6];

/// A Deye that charges, and what is kept of that.
fn charging() -> (Bench, Image) {
    let mut bench = deye();
    bench.has(268, &SLOTS);
    bench.read();
    bench.want(CHARGE, 2000.0);
    assert_eq!(bench.pass(60), [CHARGE]);
    assert_eq!((bench.holds(232), bench.holds(268)), (Some(1), Some(100)));
    let kept = bench.with(|control, sight, _| {
        let begun = control.begun(sight);
        let [(name, before)] = begun.as_slice() else { panic!("{begun:?}") };
        assert_eq!(*name, CHARGE);
        (*before).clone()
    });
    bench.control = Control::default();
    (bench, kept)
}

fn take_up(bench: &mut Bench, before: Image) -> bool {
    bench.with(|control, sight, _| control.take_up(CHARGE, before, sight))
}

fn is_as_before(bench: &Bench) -> bool {
    let slots = (268..274).map(|addr| bench.holds(addr));
    slots.eq(SLOTS.map(Some)) && [232, 230, 248, 274].iter().all(|addr| bench.holds(*addr) == Some(0))
}

#[test]
fn a_forced_charge_is_ended_by_the_process_that_comes_after_the_one_that_died() {
    let (mut bench, before) = charging();
    assert!(take_up(&mut bench, before));
    assert_eq!(bench.pass(60), [CHARGE]);
    assert!(is_as_before(&bench));
    assert_eq!(bench.with(|control, sight, _| control.begun(sight).len()), 0);
}

#[test]
fn what_is_wanted_again_goes_on_and_ends_where_it_began_first() {
    for is_wanted_first in [true, false] {
        let (mut bench, before) = charging();
        if is_wanted_first {
            bench.want(CHARGE, 3000.0);
        }
        assert!(take_up(&mut bench, before));
        bench.want(CHARGE, 3000.0);
        assert_eq!(bench.pass(60), [CHARGE]);
        assert_eq!((bench.holds(232), bench.holds(230)), (Some(1), Some(60)));
        assert!(bench.control.end(CHARGE));
        bench.pass(60);
        assert!(is_as_before(&bench));
    }
}

#[test]
fn a_part_of_a_sequence_is_undone_and_what_somebody_has_changed_since_is_not() {
    let (mut bench, before) = charging();
    bench.has(232, &[0]);
    bench.read();
    assert!(take_up(&mut bench, before.clone()), "the slots are still ours");
    bench.control = Control::default();
    bench.has(248, &[0]);
    bench.has(268, &[30; 6]);
    bench.has(274, &[0; 6]);
    bench.read();
    assert!(!take_up(&mut bench, before));
    assert_eq!(bench.pass(60), Vec::<String>::new());
}

#[test]
fn registers_that_are_forced_already_are_never_taken_for_those_of_before() {
    let (mut bench, _) = charging();
    for name in [CHARGE, "force_charge"] {
        let refused = bench.with(|control, sight, _| control.check(name, 1.0, sight));
        assert_eq!(refused, Err(Refused::Already), "{name}");
    }
    bench.want(CHARGE, 2000.0);
    assert_eq!(bench.pass(60), Vec::<String>::new());
    bench.has(232, &[0]);
    bench.has(268, &[50; 6]);
    bench.read();
    assert_eq!(bench.with(|control, sight, _| control.check(CHARGE, 2000.0, sight)), Ok(()));
}

#[test]
fn another_power_changes_nothing_of_what_is_kept() {
    let mut bench = deye();
    let kept = |bench: &mut Bench| {
        bench.with(|control, sight, _| {
            control.begun(sight).into_iter().map(|(_, before)| before.clone()).next()
        })
    };
    bench.want(CHARGE, 2000.0);
    bench.pass(60);
    let first = kept(&mut bench);
    assert!(first.is_some());
    bench.want(CHARGE, 3000.0);
    assert_eq!(bench.pass(60), [CHARGE]);
    assert_eq!(kept(&mut bench), first);
}

#[test]
fn what_a_device_forgets_by_itself_is_not_kept() {
    let mut bench = Bench::new("sofar-hyd");
    bench.has(0x1104, &[1]);
    bench.has(0x1110, &[0]);
    bench.has(0x1184, &[0; 9]);
    bench.read();
    bench.want(Mode::Charge.key(), 1500.0);
    assert_eq!(bench.pass(1), [CHARGE]);
    assert_eq!(bench.with(|control, sight, _| control.begun(sight).len()), 0);
}
