//! A profile that is told what a recorded battery was sends what that battery sent.

use bms_can::inverter::{Measured, PROFILES};

use crate::support::{frames, limits, lines, measured, profile, told};

/// The frames of a recording by their ids, without those of the inverter.
fn recorded(text: &str) -> Vec<String> {
    let frames = text.lines().filter_map(|line| line.split_whitespace().nth(2));
    frames.filter(|frame| !frame.starts_with("305")).map(str::to_owned).collect()
}

#[test]
fn pylontech_s_own_ten_modules() {
    let profile = profile("pylontech_lv");
    let battery = Measured {
        soc_pct: 26.0,
        soh_pct: Some(100.0),
        voltage_v: 48.66,
        current_a: 0.0,
        temperature_c: Some(33.0),
        discharge_voltage_v: Some(46.0),
        modules: Some(10),
        ..measured()
    };
    let sent = lines(&frames(profile, &told(profile, &limits(53.2, 370.0, 370.0), &battery)));
    let recording = recorded(include_str!("../../../../tests/captures/pylontech_10modules.log"));
    // The recorded pack sends two bytes in 0x35C, as the document has it.
    assert_eq!(sent, recording[..6]);
}

#[test]
fn byd_s_low_voltage_pack() {
    let profile = profile("byd_lv");
    let battery = Measured {
        soc_pct: 50.0,
        soh_pct: Some(100.0),
        voltage_v: 53.0,
        current_a: 10.0,
        temperature_c: Some(24.0),
        discharge_voltage_v: Some(42.0),
        ..measured()
    };
    let sent = lines(&frames(profile, &told(profile, &limits(57.0, 10.0, 10.0), &battery)));
    for frame in [
        "351#3A0264006400A401",
        "355#320064000000",
        "356#B4146400F000",
        "35A#A8828202A8828202",
        "35E#4259440000000000",
        "35F#4C69010200000000",
    ] {
        assert!(sent.iter().any(|line| line == frame), "{frame} of {sent:?}");
    }
}

#[test]
fn the_driver_that_has_fed_sunny_islands_for_years() {
    let profile = profile("sma_sunny_island");
    let battery = Measured {
        soc_pct: 99.5,
        soh_pct: Some(100.0),
        voltage_v: 54.0,
        current_a: 0.0,
        temperature_c: Some(24.0),
        discharge_voltage_v: Some(46.0),
        capacity_ah: Some(630.0),
        ..measured()
    };
    let sent = lines(&frames(profile, &told(profile, &limits(60.0, 100.0, 200.0), &battery)));
    assert_eq!(
        sent,
        [
            "351#5802E803D007CC01",
            "355#63006400DE26",
            "356#18150000F000",
            "35A#A8828202A8828202",
            "35E#4255534241522020",
            "35F#03040A0476020000",
        ]
    );
}

#[test]
fn growatt_s_measurements_are_big_endian() {
    let profile = profile("growatt_lv");
    let battery = Measured {
        soc_pct: 99.0,
        soh_pct: Some(100.0),
        voltage_v: 57.15,
        current_a: 0.0,
        temperature_c: Some(23.2),
        ..measured()
    };
    let sent = lines(&frames(profile, &told(profile, &limits(57.6, 25.0, 100.0), &battery)));
    assert!(sent.contains(&"313#1653000000E86364".to_owned()), "{sent:?}");
    assert!(sent.iter().any(|line| line.starts_with("311#024000FA03E8")), "{sent:?}");
}

#[test]
fn sol_ark_and_goodwe_count_tenths_of_a_volt() {
    for name in ["sol_ark", "goodwe_lv"] {
        let profile = profile(name);
        let battery = measured();
        let sent = frames(profile, &told(profile, &limits(56.0, 50.0, 50.0), &battery));
        assert_eq!(crate::support::data(&sent, 0x356)[..2], 523_u16.to_le_bytes(), "{name}");
    }
}

#[test]
fn what_a_profile_sends_its_own_dialect_reads() {
    for profile in PROFILES.iter().filter(|profile| !profile.name.ends_with("_hv")) {
        let dialect = bms_can::protocols::by_name(profile.dialect).unwrap();
        let battery = Measured { cells_v: Some((3.25, 3.29)), capacity_ah: Some(200.0), ..measured() };
        let sent = frames(profile, &told(profile, &limits(54.4, 80.0, 90.0), &battery));
        assert_eq!(sent.len(), profile.says().count(), "{} leaves nothing out", profile.name);
        for frame in sent {
            let read = dialect.decode(&frame);
            let bms_can::protocols::Decoded::Good(reading) = read else {
                panic!("{}: {read:?}", profile.name)
            };
            if let Some(limits) = reading.message.limits() {
                assert_eq!(limits.charge_voltage_limit_v, Some(54.4), "{}", profile.name);
                assert_eq!(limits.charge_current_limit_a, Some(80.0), "{}", profile.name);
                assert_eq!(limits.discharge_current_limit_a, Some(90.0), "{}", profile.name);
            }
        }
    }
}
