//! What must hold for every profile.

use std::collections::BTreeSet;
use std::time::Duration;

use bms_can::battery::Level;
use bms_can::inverter::{Measured, PROFILES, Rhythm, Then};
use bms_can::message::Condition;
use bms_can::protocols;

use crate::support::{data, frames, limits, measured, profile, safe, told};

#[test]
fn a_profile_is_described_and_speaks_a_dialect_that_exists() {
    let names: BTreeSet<&str> = PROFILES.iter().map(|profile| profile.name).collect();
    assert_eq!(names.len(), PROFILES.len(), "each name is its own");
    for profile in PROFILES {
        assert!(protocols::by_name(profile.dialect).is_some(), "{}", profile.name);
        assert!(!profile.title.is_empty() && !profile.source.is_empty() && !profile.models.is_empty());
        let (low, high) = profile.window.charge_v;
        assert!(low > 0.0 && high > low, "{}: a charge voltage of 0 is over-voltage to many", profile.name);
        assert!(!profile.keep_alive.ids.is_empty() && profile.keep_alive.lost_after >= 3 * profile.every());
    }
}

#[test]
fn a_cycle_fits_into_its_period_and_its_period_between_its_bounds() {
    for profile in PROFILES {
        let Rhythm::Cycle { every, gap, at_least, at_most, frames } = profile.rhythm else { continue };
        assert!(gap * frames.len() as u32 <= every, "{}", profile.name);
        assert!(at_least <= every && every * 2 <= at_most, "{}", profile.name);
        let ids: BTreeSet<u32> = frames.iter().map(|say| say.id).collect();
        assert_eq!(ids.len(), frames.len(), "{}: no id twice", profile.name);
    }
}

#[test]
fn a_sunny_island_is_sent_its_six_ids_and_no_other() {
    let ids: BTreeSet<u32> = profile("sma_sunny_island").says().map(|say| say.id).collect();
    assert_eq!(ids, BTreeSet::from([0x351, 0x355, 0x356, 0x35A, 0x35E, 0x35F]));
    assert!(!ids.contains(&0x35C), "there it would switch the inverter");
    assert_eq!(profile("sma_sunny_island").silence.then, Then::HoldSafe);
}

#[test]
fn the_safe_set_is_zero_ampere_both_ways_in_every_profile_that_sends_it() {
    for profile in PROFILES.iter().filter(|profile| profile.silence.grace > Duration::ZERO) {
        let battery = Measured { cells_v: Some((3.2, 3.3)), ..measured() };
        let told = safe(profile, &limits(54.4, 80.0, 90.0), &battery);
        assert!(told.charge_current_a <= 0.1 && told.discharge_current_a <= 0.1, "{}", profile.name);
        assert!(told.charge_voltage_v > 0.0);
        let dialect = protocols::by_name(profile.dialect).unwrap();
        let mut says_so = false;
        for frame in frames(profile, &told) {
            let protocols::Decoded::Good(reading) = dialect.decode(&frame) else { continue };
            says_so |= match reading.message {
                bms_can::message::Message::Protection(protection) => {
                    protection.flags.iter().any(|(flag, set)| {
                        set && flag.means().is_some_and(|(what, _)| what == Condition::BmsInternal)
                    })
                }
                bms_can::message::Message::Alarms(alarms) => {
                    alarms.get(Condition::BmsInternal, bms_can::message::Severity::Alarm)
                        == Some(bms_can::message::Pair::Active)
                }
                _ => false,
            };
        }
        assert!(says_so || profile.name == "pylontech_hv", "{} has the alarm", profile.name);
    }
}

#[test]
fn pylontech_s_safe_set_is_that_of_its_document() {
    let profile = profile("pylontech_lv");
    let sent = frames(profile, &safe(profile, &limits(53.2, 80.0, 90.0), &measured()));
    assert_eq!(data(&sent, 0x351)[2..6], [0; 4], "currents");
    assert_eq!(data(&sent, 0x35C)[0], 0, "requests");
    assert_eq!(data(&sent, 0x359)[1], 1 << 3, "system error on the documented bit");
}

#[test]
fn an_alarm_of_a_sunny_island_is_cleared_by_ten_and_never_by_zeros() {
    let profile = profile("sma_sunny_island");
    let healthy = data(&frames(profile, &told(profile, &limits(54.0, 50.0, 50.0), &measured())), 0x35A);
    let alarmed = data(&frames(profile, &safe(profile, &limits(54.0, 50.0, 50.0), &measured())), 0x35A);
    assert_eq!(healthy, [0xA8, 0x82, 0x82, 0x02, 0xA8, 0x82, 0x82, 0x02]);
    assert_eq!(
        alarmed,
        [0xA8, 0x82, 0x42, 0x02, 0xA8, 0x82, 0x82, 0x02],
        "BMS internal is 01, all others stay 10"
    );
    assert_eq!(healthy[7] & 0b1100, 0, "the pair that Victron uses for the state of the system stays 00");
}

#[test]
fn a_sunny_island_is_never_told_a_voltage_below_that_of_the_pack() {
    let profile = profile("sma_sunny_island");
    let battery = Measured { voltage_v: 55.13, ..measured() };
    let told = told(profile, &limits(54.0, 50.0, 50.0), &battery);
    assert_eq!((told.charge_voltage_v, told.charge_current_a, told.discharge_current_a), (55.2, 0.0, 50.0));
}

#[test]
fn sofar_is_told_the_least_step_for_zero_and_never_full() {
    let profile = profile("sofar");
    let battery = Measured { soc_pct: 100.0, ..measured() };
    let told = told(profile, &limits(53.2, 0.0, 0.0), &battery);
    assert_eq!((told.charge_current_a, told.discharge_current_a, told.measured.soc_pct), (0.1, 0.1, 99.0));
    assert!(!told.may_charge && !told.may_discharge, "the flags of 0x35C say no");
}

#[test]
fn a_temperature_that_nobody_measures_is_no_frost() {
    let battery = Measured { temperature_c: None, ..measured() };
    let pylontech = profile("pylontech_lv");
    let sent = frames(pylontech, &told(pylontech, &limits(53.2, 50.0, 50.0), &battery));
    assert_eq!(data(&sent, 0x356)[4..6], 250_i16.to_le_bytes());
    let sma = profile("sma_sunny_island");
    let sent = frames(sma, &told(sma, &limits(53.2, 50.0, 50.0), &battery));
    assert_eq!(data(&sent, 0x356)[4..6], i16::MIN.to_le_bytes(), "SMA's mark for no value");
}

#[test]
fn every_alarm_of_a_battery_reaches_every_inverter_that_is_told_alarms() {
    for profile in PROFILES.iter().filter(|profile| !profile.name.ends_with("_hv")) {
        let quiet = frames(profile, &told(profile, &limits(54.0, 50.0, 50.0), &measured()));
        for condition in Condition::ALL {
            let mut battery = measured();
            battery.faults.raise(condition, Level::Alarm);
            let sent = frames(profile, &told(profile, &limits(54.0, 50.0, 50.0), &battery));
            assert_ne!(sent, quiet, "{}: {condition:?}", profile.name);
        }
    }
}
