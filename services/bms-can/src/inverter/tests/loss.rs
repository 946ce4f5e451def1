//! What is lost, and what each inverter is told then.

use super::*;
use crate::inverter::{PROFILES, Then, Zero};

/// Ten seconds of hold, two of ramp, and the loop.
const AT_ZERO: Duration = Duration::from_millis(12_200);

/// The least that stands for 0 A.
fn zero(profile: &Profile) -> f64 {
    if let Zero::Ignored(least) = profile.zero { least + 1e-9 } else { 1e-9 }
}

/// From `lost` on: never more than before, 0 A at `at_zero` at the latest, the safe set for the grace, and then what the
/// profile says. The reason is told.
#[track_caller]
fn ends_as_the_profile_says(bed: &mut Bed, lost: Instant, at_zero: Duration, why: &str) {
    let name = bed.profile.name;
    bed.run(at_zero + Duration::from_millis(200));
    let silence = bed.profile.silence;
    let stops = silence.then == Then::Stop;
    bed.run(silence.grace + 20 * SECOND);
    for (at, charge_a, discharge_a) in bed.told_since(lost) {
        assert!(charge_a <= 80.0 && discharge_a <= 90.0, "{name}: raised to {charge_a} and {discharge_a}");
        if at >= lost + at_zero {
            let most = zero(bed.profile);
            assert!(
                charge_a <= most && discharge_a <= most,
                "{name}: {charge_a} and {discharge_a} after {:?}",
                at - lost
            );
        }
    }
    let (doing, _) = bed.station.doing();
    assert_eq!(doing, if stops { Doing::Stopped } else { Doing::Safe }, "{name}");
    let (mut safe_for, mut silent_for) = (Duration::ZERO, Duration::ZERO);
    if let Some((last, _)) = bed.sent.last() {
        (safe_for, silent_for) = (last.saturating_duration_since(lost), bed.now - *last);
    }
    if stops {
        // One more period may be missing of each.
        let grace = silence.grace;
        assert!(safe_for <= at_zero + grace + SECOND, "{name}: told for {safe_for:?}");
        assert!(grace.is_zero() || safe_for + 2 * SECOND >= grace, "{name}: told for {safe_for:?} only");
        assert!(silent_for >= 15 * SECOND, "{name}: silent for {silent_for:?}");
    } else {
        assert!(silent_for <= bed.profile.every(), "{name}: never left in silence");
    }
    let reason = bed.why(doing);
    assert!(reason.contains(why), "{name}: {reason:?} does not say {why:?}");
    assert!(bed.station.by_hand().is_some() == silence.by_hand.is_some(), "{name}: which switch");
}

/// It is back: discharge in one step, charging only after ten seconds of good data.
#[track_caller]
fn recovers(bed: &mut Bed) {
    bed.manager = Manager::Decides(80.0, 90.0);
    let back = bed.now;
    bed.run(9 * SECOND);
    let told = bed.told_since(back + 2500 * MS);
    assert!(!told.is_empty(), "{} tells again", bed.profile.name);
    for (_, charge_a, discharge_a) in told {
        assert!(
            charge_a <= zero(bed.profile) && discharge_a == 90.0,
            "{}: {charge_a} {discharge_a}",
            bed.profile.name
        );
    }
    bed.run(130 * SECOND);
    let (_, charge_a, _) = bed.told_since(back).last().copied().expect("limits");
    assert_eq!((charge_a, bed.doing()), (80.0, Doing::Telling), "{}", bed.profile.name);
}

#[tokio::test(start_paused = true)]
async fn a_battery_that_is_lost_is_zero_within_two_seconds_and_then_what_the_profile_says() {
    for profile in PROFILES {
        let mut bed = Bed::telling(profile);
        bed.manager = Manager::HasNoBattery;
        let lost = bed.now;
        ends_as_the_profile_says(&mut bed, lost, 2200 * MS + profile.every(), "is not connected");
        recovers(&mut bed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_manager_that_is_killed_is_held_for_ten_seconds_and_zero_two_later() {
    for profile in PROFILES {
        let mut bed = Bed::telling(profile);
        bed.manager = Manager::Gone;
        let lost = bed.now;
        bed.run(8 * SECOND);
        assert!(
            bed.told_since(lost)
                .iter()
                .all(|(_, charge_a, discharge_a)| (*charge_a, *discharge_a) == (80.0, 90.0)),
            "{} holds what it had",
            profile.name
        );
        ends_as_the_profile_says(&mut bed, lost, AT_ZERO + profile.every(), "is not on the bus");
        recovers(&mut bed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_manager_that_hangs_is_as_one_that_is_gone() {
    for profile in PROFILES {
        let mut bed = Bed::telling(profile);
        bed.manager = Manager::Hangs;
        let lost = bed.now;
        ends_as_the_profile_says(&mut bed, lost, AT_ZERO + profile.every(), "gives no sign of life");
        recovers(&mut bed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_manager_that_is_back_within_the_hold_was_never_away() {
    for profile in PROFILES {
        let mut bed = Bed::telling(profile);
        let lost = bed.now;
        bed.manager = Manager::Gone;
        bed.run(8 * SECOND);
        bed.manager = Manager::Decides(80.0, 90.0);
        bed.run(30 * SECOND);
        let told = bed.told_since(lost);
        assert!(told.len() > 10, "{}", profile.name);
        assert!(told.iter().all(|(_, c, d)| (*c, *d) == (80.0, 90.0)), "{}: {told:?}", profile.name);
        assert!(bed.reasons.iter().all(|(_, doing, _)| !matches!(doing, Doing::Safe | Doing::Stopped)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_dbus_that_restarts_takes_the_process_with_it_and_the_inverter_does_not_notice() {
    for profile in PROFILES {
        let mut bed = Bed::telling(profile);
        // The supervisor starts the next one after a second; it knows nothing.
        let ended = bed.now;
        bed.now += SECOND;
        bed.station = station(profile, Facts::default(), 8);
        bed.follower = FollowerState::new(MANAGER);
        (bed.measured, bed.beat) = (None, None);
        bed.station.link(true, bed.now);
        bed.run(30 * SECOND);
        let told = bed.told_since(ended);
        assert!(told.iter().all(|(_, c, d)| (*c, *d) == (80.0, 90.0)), "{}: no zero", profile.name);
        let first = told.first().expect("limits").0;
        // A Sunny Island gives up after 60 s, a Pylontech inverter after 10 s.
        assert!(first - ended <= 7 * SECOND, "{}: {:?} without limits", profile.name, first - ended);
        assert!(bed.reasons.iter().all(|(_, doing, _)| !matches!(doing, Doing::Safe | Doing::Stopped)));
    }
}

#[tokio::test(start_paused = true)]
async fn an_unplugged_bus_is_told_nothing_and_told_again_when_it_is_back() {
    for profile in PROFILES {
        let mut bed = Bed::telling(profile);
        let lost = bed.now;
        bed.station.link(false, lost);
        bed.inverter_is_there = false;
        bed.run(30 * SECOND);
        assert_eq!((bed.doing(), bed.frames_since(lost)), (Doing::NoBus, 0), "{}", profile.name);
        assert!(!bed.station.has_inverter(bed.now) && bed.station.told().is_none(), "{}", profile.name);
        bed.station.link(true, bed.now);
        bed.inverter_is_there = true;
        let back = bed.now;
        bed.run(8 * SECOND);
        assert_eq!(bed.doing(), Doing::Telling, "{}", profile.name);
        assert!(bed.told_since(back).iter().all(|(_, c, d)| (*c, *d) == (80.0, 90.0)), "{}", profile.name);
        assert!(bed.station.has_inverter(bed.now), "{}", profile.name);
    }
}

#[tokio::test(start_paused = true)]
async fn an_inverter_that_is_silent_is_shown_and_told_on_and_one_that_has_to_ask_gets_no_answer_unasked() {
    for profile in PROFILES {
        let mut bed = Bed::telling(profile);
        bed.inverter_is_there = false;
        let lost = bed.now;
        bed.run(profile.keep_alive.lost_after - SECOND);
        assert!(bed.station.has_inverter(bed.now - SECOND), "{}: once late is not gone", profile.name);
        bed.run(10 * SECOND);
        assert!(!bed.station.has_inverter(bed.now), "{}", profile.name);
        assert_eq!(bed.doing(), Doing::Telling, "{}: it may come back at any time", profile.name);
        let asked = matches!(profile.rhythm, Rhythm::Asked { .. });
        assert_eq!(bed.frames_since(lost + SECOND) == 0, asked, "{}", profile.name);
        bed.inverter_is_there = true;
        bed.run(3 * SECOND);
        assert!(bed.station.has_inverter(bed.now) && !bed.told_since(bed.now - 3 * SECOND).is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn whom_no_limit_stops_is_stopped_in_the_way_of_its_bus_and_goes_on_when_the_manager_says_so() {
    for profile in PROFILES {
        let mut bed = Bed::telling(profile);
        bed.stop = true;
        bed.run(2 * SECOND + profile.every());
        let start = bed.now;
        bed.run(120 * SECOND);
        let told = bed.told_since(start);
        assert!(told.len() > 30, "{}: an order is no loss, and no silence follows", profile.name);
        let least = zero(profile);
        assert!(told.iter().all(|(_, c, d)| *c <= least && *d <= least), "{}: {told:?}", profile.name);
        assert_eq!(bed.doing(), Doing::Safe, "{}", profile.name);
        bed.stop = false;
        bed.run(5 * SECOND);
        assert_eq!(
            bed.told_since(bed.now - 2 * SECOND).last().map(|told| told.1),
            Some(80.0),
            "{}",
            profile.name
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_measurements_are_not_told_as_new_ones() {
    for profile in PROFILES {
        let mut bed = Bed::telling(profile);
        bed.manager = Manager::Gone;
        bed.run(13 * SECOND);
        assert!(!bed.view.as_ref().expect("it has run").is_licensed, "{}", profile.name);
        assert!(bed.limits().reason.contains("is not on the bus"), "{}", bed.limits().reason);
    }
}
