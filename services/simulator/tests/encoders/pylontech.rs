use simulator::batteries::PYLONTECH_LV;
use simulator::plant::alarms::Alarm;
use simulator::report::Report;

use crate::support::{bytes, only, report, shape};

#[test]
fn lengths_and_order_of_a_cycle_are_those_of_a_recorded_pack() {
    assert_eq!(
        shape("pylontech_lv"),
        [(0x359, 7), (0x351, 8), (0x355, 4), (0x356, 6), (0x35C, 2), (0x35E, 8)]
    );
}

#[test]
fn each_alarm_sets_exactly_its_bit_of_protection_and_of_alarm() {
    for (alarm, bits) in [
        (Alarm::HighVoltage, "0200"),
        (Alarm::LowVoltage, "0400"),
        (Alarm::HighTemperature, "0800"),
        (Alarm::LowTemperature, "1000"),
        (Alarm::DischargeCurrent, "8000"),
        (Alarm::ChargeCurrent, "0001"),
        (Alarm::Internal, "0008"),
    ] {
        let protection = bytes("pylontech_lv", &Report { protections: only(alarm), ..report() }, 0x359);
        assert_eq!(protection, format!("{bits}000001504E"), "{alarm:?}");
        let warning = bytes("pylontech_lv", &Report { warnings: only(alarm), ..report() }, 0x359);
        assert_eq!(warning, format!("0000{bits}01504E"), "{alarm:?}");
    }
}

#[test]
fn requests_and_enables_set_their_bits_and_what_is_disabled_has_limit_zero() {
    let flags = |change: fn(&mut Report)| {
        let mut report = report();
        change(&mut report);
        (bytes("pylontech_lv", &report, 0x35C), bytes("pylontech_lv", &report, 0x351))
    };
    assert_eq!(flags(|_| ()).0, "C000");
    assert_eq!(flags(|report| report.requests.force_charge_1 = true).0, "E000");
    assert_eq!(flags(|report| report.requests.force_charge_2 = true).0, "D000");
    assert_eq!(flags(|report| report.requests.full_charge = true).0, "C800");
    assert_eq!(
        flags(|report| report.charge_enabled = false),
        ("4000".to_owned(), "140200007201CC01".to_owned())
    );
    assert_eq!(
        flags(|report| report.discharge_enabled = false),
        ("8000".to_owned(), "140272010000CC01".to_owned())
    );
}

#[test]
fn strings_behind_a_hub_have_their_address_in_a_29_bit_identifier() {
    for address in 0..8u8 {
        for frame in (PYLONTECH_LV.encode)(&Report { address, ..report() }) {
            assert_eq!((frame.id >> 12, frame.extended), (u32::from(address), address > 0));
        }
    }
    assert!((PYLONTECH_LV.encode)(&Report { address: 4, ..report() }).iter().any(|frame| frame.id == 0x4355));
}
