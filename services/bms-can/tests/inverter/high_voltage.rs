//! Pylontech's high-voltage set: the vectors, and the two kinds of readers.

use bms_can::frame::{CanId, Frame};
use bms_can::inverter::{Measured, Profile, Rhythm};

use crate::support::{frames, limits, lines, measured, profile, told};

fn battery() -> Measured {
    Measured {
        soc_pct: 46.0,
        soh_pct: Some(100.0),
        voltage_v: 246.9,
        current_a: 0.0,
        temperature_c: Some(18.1),
        cells_v: Some((3.29, 3.295)),
        discharge_voltage_v: Some(202.5),
        cycles: Some(2),
        cells_in_series: Some(75),
        capacity_ah: Some(37.0),
        ..measured()
    }
}

fn sent(profile: &'static Profile) -> Vec<String> {
    lines(&frames(profile, &told(profile, &limits(270.0, 105.0, 105.0), &battery())))
}

#[test]
fn a_plain_reader_gets_the_bytes_of_the_document() {
    let sent = sent(profile("pylontech_hv"));
    for frame in [
        "4210#A50930759D042E64",
        "4220#8C0AE9074A794A79",
        "4230#DF0CDA0C00000000",
        "4250#0302000000000000",
        "4280#0000000000000000",
        "7310#0100020101020000",
        "7320#4B00050FF7002500",
        "7330#50594C4F4E544543",
        "7340#4800000000000000",
    ] {
        assert!(sent.iter().any(|line| line == frame), "{frame} of {sent:?}");
    }
}

#[test]
fn deye_gets_them_one_id_further_and_with_the_high_byte_first() {
    let sent = sent(profile("deye_hv"));
    for frame in
        ["4211#09A57530049D2E64", "4221#0A8C07E9794A794A", "7311#0100020101020000", "7331#4465796500000000"]
    {
        assert!(sent.iter().any(|line| line == frame), "{frame} of {sent:?}");
    }
}

#[test]
fn only_the_two_questions_are_answered() {
    let Rhythm::Asked { asks, .. } = profile("pylontech_hv").rhythm else { panic!("it is asked") };
    let frame =
        |id: Option<CanId>, first: u8| Frame::new(id.unwrap(), &[first, 0, 0, 0, 0, 0, 0, 0]).unwrap();
    assert_eq!(asks(&frame(CanId::extended(0x4200), 0)), Some(0));
    assert_eq!(asks(&frame(CanId::extended(0x4200), 2)), Some(1));
    assert_eq!(asks(&frame(CanId::extended(0x4200), 1)), None);
    assert_eq!(asks(&frame(CanId::extended(0x8200), 0)), None);
    assert_eq!(asks(&frame(CanId::standard(0x420), 0)), None);
}

#[test]
fn deye_obeys_the_state_of_charge_where_it_disregards_a_limit_of_zero() {
    let profile = profile("deye_hv");
    let no_charge = told(profile, &limits(270.0, 0.0, 50.0), &battery());
    assert_eq!((no_charge.measured.soc_pct, no_charge.charge_current_a), (100.0, 0.0));
    let no_discharge = told(profile, &limits(270.0, 50.0, 0.0), &battery());
    assert_eq!(no_discharge.measured.soc_pct, 0.0);
}
