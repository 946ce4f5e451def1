//! What the user has set at the device stays, or is there again afterwards.

use super::*;

#[test]
fn a_solis_keeps_the_users_own_bits_and_has_the_mode_nevertheless() {
    // Timed use and feed-in first beside off-grid.
    let mut bench = Bench::new("solis-hybrid");
    bench.has(43_007, &[190]);
    bench.has(43_110, &[0x0046]);
    bench.has(43_135, &[0, 0]);
    for (mode, bits) in [("mode self-consumption", 0x0043), ("mode off-grid", 0x0046)] {
        bench.want(mode, 0.0);
        bench.written(End::Taken).unwrap();
        assert_eq!(bench.outcomes(), [Outcome::Confirmed(mode.into(), 0.0)]);
        assert_eq!(bench.holds(43_110), Some(bits));
    }
}

/// What a forced discharge of 1 kW leaves in the battery, %, where the user has set this.
fn left_after_discharge(profile: &str, stop: (u16, u16), reserve: Option<(u16, u16)>) -> Option<u16> {
    let mut bench = Bench::new(profile);
    for step in &builtin::by_id(profile).unwrap().mode.iter().find(|m| m.name.key() == DISCHARGE)?.release {
        bench.has(step.addr, &[0]);
    }
    bench.has(6, &[0, 50_000]);
    bench.has(stop.0, &[stop.1]);
    if let Some((addr, percent)) = reserve {
        bench.has(addr, &[percent]);
    }
    bench.want(DISCHARGE, 1000.0);
    bench.written(End::Taken)?;
    let left = bench.holds(stop.0);
    bench.control.end(DISCHARGE);
    bench.written(End::Taken)?;
    assert_eq!(bench.holds(stop.0), Some(stop.1), "what stood there is there again");
    left
}

#[test]
fn a_forced_discharge_leaves_what_the_user_keeps_in_the_battery() {
    for (profile, stop, reserve) in
        [("growatt-sph", 1071, 608), ("growatt-xh", 3037, 3067), ("luxpower", 83, 105)]
    {
        assert_eq!(left_after_discharge(profile, (stop, 35), None), Some(35), "{profile}");
        assert_eq!(left_after_discharge(profile, (stop, 35), Some((reserve, 20))), Some(35), "{profile}");
        assert_eq!(left_after_discharge(profile, (stop, 10), Some((reserve, 40))), Some(40), "{profile}");
    }
}

#[test]
fn a_forced_charge_gives_back_that_the_grid_may_charge() {
    let mut bench = Bench::new("growatt-sph");
    bench.has(1092, &[1]);
    bench.has(1100, &[0x0200, 0x0600, 1]);
    bench.want(FORCE, 1.0);
    bench.written(End::Taken).unwrap();
    assert_eq!([1100, 1101, 1102].map(|addr| bench.holds(addr)), [Some(0), Some(0x173B), Some(1)]);
    bench.want(FORCE, 0.0);
    bench.written(End::Taken).unwrap();
    assert_eq!(
        [1092, 1100, 1101, 1102].map(|addr| bench.holds(addr)),
        [Some(1), Some(0x0200), Some(0x0600), Some(1)]
    );
}

#[test]
fn a_quick_charge_that_has_ended_by_itself_is_begun_anew_while_it_is_wanted() {
    let mut bench = Bench::new("luxpower");
    bench.has(233, &[0x0100, 0]);
    bench.want(FORCE, 1.0);
    bench.written(End::Taken).unwrap();
    assert_eq!((bench.holds(233), bench.holds(234)), (Some(0x0101), Some(60)));
    assert_eq!(bench.outcomes(), [Outcome::Confirmed(FORCE.into(), 1.0)]);
    bench.read();
    assert_eq!(bench.written(End::Taken), None, "it lasts");
    bench.has(233, &[0x0100, 0]);
    bench.written(End::Taken).unwrap();
    assert_eq!((bench.holds(233), bench.holds(234)), (Some(0x0101), Some(60)));
    bench.want(FORCE, 0.0);
    bench.written(End::Taken).unwrap();
    assert_eq!(bench.holds(233), Some(0x0100));
}
