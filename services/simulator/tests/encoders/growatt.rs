//! Growatt "BMS CAN-Bus-protocol-low-voltage" rev. 04: big-endian.

use simulator::plant::alarms::Alarm;
use simulator::report::{Modules, Report};

use crate::support::{bytes, dialect, hex, only, report, sent};

fn with(change: impl Fn(&mut Report)) -> Report {
    let mut report = report();
    change(&mut report);
    report
}

#[test]
fn it_answers_the_call_of_the_document_and_says_nothing_else() {
    let growatt = dialect("growatt_lv");
    assert!(growatt.is_polled);
    assert_eq!(growatt.keep_alive_id, 0x301);
    let calls: Vec<_> = (growatt.inverter)(&report()).iter().map(|call| (call.id, hex(call))).collect();
    assert_eq!(calls, [(0x301, "1122334455667788".to_owned())]);
}

#[test]
fn limits_come_with_what_the_pack_does() {
    for (report, expected) in [
        (report(), "0214017201720461"),
        (with(|r| r.current_a = 20.0), "0214017201720862"),
        (with(|r| r.current_a = -20.0), "0214017201720C63"),
        (with(|r| r.protections = only(Alarm::LowVoltage)), "0214017201720465"),
        (with(|r| r.charge_enabled = false), "0214000001720421"),
        (with(|r| r.discharge_enabled = false), "0214017200000441"),
    ] {
        assert_eq!(bytes("growatt_lv", &report, 0x311), expected);
    }
}

#[test]
fn each_alarm_sets_its_bit_in_its_two_bytes() {
    for (alarm, acted, warned) in [
        (Alarm::DischargeCurrent, "8000", "8000"),
        (Alarm::ChargeCurrent, "4000", "4000"),
        (Alarm::ShortCircuit, "2000", "0000"),
        (Alarm::HighVoltage, "1000", "1000"),
        (Alarm::LowVoltage, "0800", "0800"),
        (Alarm::HighTemperature, "0080", "0080"),
        (Alarm::HighTemperatureCharging, "0040", "0040"),
        (Alarm::LowTemperature, "0020", "0020"),
        (Alarm::LowTemperatureCharging, "0010", "0010"),
        (Alarm::Internal, "0008", "0001"),
        (Alarm::Imbalance, "0004", "0004"),
    ] {
        let protection = bytes("growatt_lv", &with(|r| r.protections = only(alarm)), 0x312);
        assert_eq!(protection, format!("{acted}000001505910"), "{alarm:?}");
        let warning = bytes("growatt_lv", &with(|r| r.warnings = only(alarm)), 0x312);
        assert_eq!(warning, format!("0000{warned}01505910"), "{alarm:?}");
    }
}

#[test]
fn measurements_capacity_cells_and_wishes_are_where_the_document_has_them() {
    for (id, expected) in [
        (0x313, "1388000000763264"),
        (0x314, "36B06D6000050053"),
        (0x315, "0CE40CE50CE60CE7"),
        (0x318, "0CF00CF10CF20000"),
        (0x319, "C00CCF0CCA161400"),
        (0x320, "5059020700000000"),
        (0x321, "0000000000000000"),
    ] {
        assert_eq!(bytes("growatt_lv", &report(), id), expected, "{id:#X}");
    }
    let wishes = |change: fn(&mut Report)| bytes("growatt_lv", &with(change), 0x319)[..2].to_owned();
    assert_eq!(wishes(|r| r.requests.force_charge_1 = true), "E0");
    assert_eq!(wishes(|r| r.requests.force_charge_2 = true), "D0");
    assert_eq!(wishes(|r| r.requests.full_charge = true), "C0", "there is no such request");
    assert_eq!(wishes(|r| r.is_ternary = true), "C1");
}

#[test]
fn single_cells_come_from_a_single_module_only() {
    let two = with(|r| r.modules = Modules { online: 0b11, ..Modules::default() });
    assert!((0x315..=0x318).all(|id| sent("growatt_lv", &report(), id).is_some()));
    assert!((0x315..=0x318).all(|id| sent("growatt_lv", &two, id).is_none()));
}
