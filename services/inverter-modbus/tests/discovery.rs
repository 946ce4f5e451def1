//! The search of a line against devices that are registers, and against anything.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "discovery/danger.rs"]
mod danger;
#[path = "discovery/line.rs"]
mod line;

use std::collections::BTreeSet;

use inverter_modbus::discover::knowledge::Knowledge;
use inverter_modbus::discover::search::{Heard, Verdict};
use inverter_modbus::library::Library;
use inverter_modbus::profile::builtin;
use inverter_modbus::profile::scalar::Table;

use line::{Device, home, is_high, knowledge, line, rates, search_of, verdicts, words};

#[test]
fn every_device_is_recognised_as_itself_and_as_nothing_else() {
    for id in builtin::ids().filter(|id| !id.starts_with("sunspec-")) {
        let profile = builtin::by_id(id).unwrap();
        // Those that are on TCP alone are looked for there.
        let (rate, unit) = match profile.link.rtu {
            Some(_) => home(id),
            None => continue,
        };
        let (findings, log) = line(&[(rate, unit, Device::of(id))]);
        assert_eq!(verdicts(&findings), [(unit, Verdict::Is(id.to_owned()))], "{id}");
        assert!(log.len() < 300, "{id}: {} questions", log.len());
    }
}

#[test]
fn a_chain_of_models_is_judged_by_its_models_wherever_it_begins() {
    let hybrid: &[(u16, u16)] = &[(103, 50), (120, 26), (124, 24)];
    for (models, id) in
        [(&hybrid[..2], "sunspec-inverter"), (hybrid, "sunspec-hybrid"), (&[(203, 105)], "sunspec-meter")]
    {
        for base in [40_000, 50_000, 0] {
            let (findings, _) = line(&[(0, 126, Device::chain(base, models))]);
            assert_eq!(verdicts(&findings), [(126, Verdict::Is(id.to_owned()))], "{base}");
            let identity = &findings[0].identity;
            assert_eq!(
                (identity.serial.as_deref(), identity.model.as_deref()),
                (Some("SN42"), Some("Maker"))
            );
        }
    }
    let (findings, _) = line(&[(0, 126, Device::chain(40_000, &[(307, 11)]))]);
    assert_eq!(verdicts(&findings), [(126, Verdict::Unknown)], "a weather station is none of ours");
}

#[test]
fn makers_on_one_line_are_told_apart() {
    let devices = [
        (0, 1, Device::of("deye-one-phase")),
        (0, 3, Device::of("sofar-hyd")),
        (0, 126, Device::of("goodwe-et")),
    ];
    let found = |id: &str| Verdict::Is(id.to_owned());
    let (findings, _) = line(&devices);
    assert_eq!(
        verdicts(&findings),
        [(1, found("deye-one-phase")), (126, found("goodwe-et")), (3, found("sofar-hyd"))]
    );
}

/// And a port on USB has no rate at all.
#[test]
fn where_somebody_answers_at_a_rate_no_other_is_tried() {
    let meter = Device::chain(0, &[(203, 105)]).with(Table::Holding, 52, &[0; 16]);
    for device in [Device::of("deye-one-phase"), meter, Device::default()] {
        let (findings, log) = search_of(knowledge(), |question| match question.unit {
            1 => device.read(question.range),
            _ => Heard::Silence,
        });
        assert_eq!(findings.iter().map(|one| (one.rate, one.unit)).collect::<Vec<_>>(), [(0, 1)]);
        assert!(log.iter().all(|(question, _)| question.rate == 0));
    }
}

#[test]
fn one_device_behind_several_units_of_a_gateway_is_one() {
    let deye = Device::of("deye-three-phase-lv");
    let (findings, _) = line(&[(0, 1, deye.clone()), (0, 2, deye.clone()), (0, 247, deye)]);
    assert_eq!(verdicts(&findings), [(1, Verdict::Is("deye-three-phase-lv".into()))]);
}

#[test]
fn a_device_that_two_profiles_fit_equally_is_told_with_both_names() {
    let folder = tempfile::tempdir().unwrap();
    let text = builtin::text("sofar-hyd").unwrap().replace("\"sofar-hyd\"", "\"my-sofar\"");
    std::fs::write(folder.path().join("my-sofar.toml"), text).unwrap();
    let (knowledge, _) = Knowledge::of(&Library::new(Some(folder.path().to_owned())));
    let sofar = Device::of("sofar-hyd");
    let (findings, _) = search_of(knowledge, |question| match (question.rate, question.unit) {
        (0, 1) => sofar.read(question.range),
        _ => Heard::Silence,
    });
    assert_eq!(verdicts(&findings), [(1, Verdict::Either(vec!["sofar-hyd".into(), "my-sofar".into()]))]);
}

#[test]
fn a_device_without_a_profile_has_a_name() {
    let minimal = Device::default().with(Table::Holding, 3001, &words("ABC1234567"));
    let (findings, log) = line(&[(0, 1, minimal)]);
    assert_eq!(verdicts(&findings), [(1, Verdict::Like("an inverter of Growatt without a profile".into()))]);
    assert!(!log.iter().any(|(question, _)| is_high(question)));
}

#[test]
fn a_rate_with_nothing_but_garbage_is_left_after_two_tries() {
    let (findings, log) = search_of(knowledge(), |_| Heard::Garbage);
    assert_eq!(findings, []);
    assert_eq!(log.len(), 2 * rates(&knowledge()).len());
}

#[test]
fn an_answer_that_does_not_come_again_is_no_device() {
    let mut seen = BTreeSet::new();
    let deye = Device::of("deye-one-phase");
    let (findings, log) = search_of(knowledge(), |question| match (question.rate, question.unit) {
        (0, 1) if seen.insert(question.range) => deye.read(question.range),
        _ => Heard::Silence,
    });
    assert_eq!(verdicts(&findings), [(1, Verdict::Unknown)]);
    assert!(!log.iter().any(|(question, _)| is_high(question)));
}

/// LuxPower has its clock between the serial number and the device code.
#[test]
fn a_clock_beside_what_tells_a_device_may_go_on() {
    let (rate, unit) = home("luxpower");
    let (mut device, mut second) = (Device::of("luxpower"), 0);
    let (findings, _) = search_of(knowledge(), |question| {
        second += 1;
        device.put(Table::Holding, 14, &[second]);
        match (question.rate, question.unit) == (rate, unit) {
            true => device.read(question.range),
            false => Heard::Silence,
        }
    });
    assert_eq!(verdicts(&findings), [(unit, Verdict::Is("luxpower".into()))]);
}
