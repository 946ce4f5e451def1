//! Alarms in pairs of bits: Victron, BYD, SMA (FSS-ConnectingBat), Pytes, Discover.

use simulator::plant::alarms::Alarm;
use simulator::report::{Modules, Report};

use crate::support::{bytes, dialect, only, report, shape};

/// The first four bytes of 0x35A with this alarm, all others supported and quiet.
const RAISED: [(Alarm, &str); 12] = [
    (Alarm::HighVoltage, "A4AAAA02"),
    (Alarm::LowVoltage, "98AAAA02"),
    (Alarm::HighTemperature, "68AAAA02"),
    (Alarm::LowTemperature, "A8A9AA02"),
    (Alarm::HighTemperatureCharging, "A8A6AA02"),
    (Alarm::LowTemperatureCharging, "A89AAA02"),
    (Alarm::DischargeCurrent, "A86AAA02"),
    (Alarm::ChargeCurrent, "A8AAA902"),
    (Alarm::Contactor, "A8AAA602"),
    (Alarm::ShortCircuit, "A8AA9A02"),
    (Alarm::Internal, "A8AA6A02"),
    (Alarm::Imbalance, "A8AAAA01"),
];

fn acted(alarm: Alarm) -> Report {
    Report { protections: only(alarm), ..report() }
}

fn warned(alarm: Alarm) -> Report {
    Report { warnings: only(alarm), ..report() }
}

#[test]
fn each_alarm_has_its_pair_among_the_alarms_and_among_the_warnings() {
    for (alarm, half) in RAISED {
        assert_eq!(bytes("sma_bms", &acted(alarm), 0x35A), format!("{half}A8AAAA02"), "{alarm:?}");
        assert_eq!(bytes("sma_bms", &warned(alarm), 0x35A), format!("A8AAAA02{half}"), "{alarm:?}");
        // The same, and in byte 7 that the system is online.
        assert_eq!(bytes("victron", &acted(alarm), 0x35A), format!("{half}A8AAAA0A"), "{alarm:?}");
    }
}

#[test]
fn what_a_battery_does_not_support_stays_silent_whatever_happens() {
    let healthy = "A8828202A8828202";
    assert_eq!(bytes("byd_lv", &report(), 0x35A), healthy);
    assert_eq!(bytes("byd_lv", &acted(Alarm::ShortCircuit), 0x35A), healthy);
    assert_eq!(bytes("byd_lv", &warned(Alarm::LowTemperatureCharging), 0x35A), healthy);
    assert_eq!(bytes("byd_lv", &acted(Alarm::Imbalance), 0x35A), "A8828201A8828202");
    assert_eq!(bytes("pytes", &report(), 0x35A), "A8AA8202A8AA820A");
}

#[test]
fn discover_packs_its_pairs_as_in_the_public_capture() {
    let healthy = "ABAAFEAFAAFAFF";
    assert_eq!(bytes("discover", &report(), 0x35A), healthy);
    assert_eq!(bytes("discover", &acted(Alarm::HighVoltage), 0x35A), "A7AAFEAFAAFAFF");
    assert_eq!(bytes("discover", &acted(Alarm::ChargeCurrent), 0x35A), "ABAAFDAFAAFAFF");
    assert_eq!(bytes("discover", &warned(Alarm::HighVoltage), 0x35A), "ABAAFE9FAAFAFF");
    assert_eq!(bytes("discover", &warned(Alarm::ChargeCurrent), 0x35A), "ABAAFEAFAAF6FF");
    assert_eq!(bytes("discover", &acted(Alarm::Internal), 0x35A), healthy);
}

#[test]
fn discover_has_tenths_of_a_volt_its_capacity_and_versions_that_come_seldom() {
    let ids = [
        (0x351, 8),
        (0x354, 8),
        (0x355, 8),
        (0x356, 8),
        (0x35A, 7),
        (0x35E, 8),
        (0x370, 8),
        (0x371, 8),
        (0x372, 4),
        (0x373, 4),
    ];
    assert_eq!(shape("discover"), ids);
    assert_eq!(bytes("discover", &report(), 0x354), "18018C0000000000");
    assert_eq!(bytes("discover", &report(), 0x356), "F4010000FA000000");
    assert_eq!(bytes("discover", &report(), 0x372), "00000702");
    assert_eq!(bytes("discover", &report(), 0x373), "01000000");
    assert_eq!(dialect("discover").slow_ids, [0x35E, 0x370, 0x371, 0x372, 0x373]);
}

#[test]
fn victron_sends_the_whole_set() {
    for (id, expected) in [
        (0x351, "140272017201CC01"),
        (0x355, "3200640088130000"),
        (0x356, "88130000FA005300"),
        (0x35F, "000002078C000000"),
        (0x370, "424154542D343856"),
        (0x371, "2F32383000000000"),
        (0x373, "CA0CCF0C1C011D01"),
        (0x374, "3032303400000000"),
        (0x375, "3032303600000000"),
        (0x376, "3032303200000000"),
        (0x377, "3031303400000000"),
        (0x378, "39300000672B0000"),
        (0x379, "1801000000000000"),
        (0x380, "4142303132333435"),
        (0x381, "3637383900000000"),
        (0x382, "46414D0000000000"),
    ] {
        assert_eq!(bytes("victron", &report(), id), expected, "{id:#X}");
    }
    let modules = Modules { online: 0b111, offline: 0b1000, blocking_charge: 0b1, blocking_discharge: 0 };
    assert_eq!(bytes("victron", &Report { modules, ..report() }, 0x372), "0300010000000100");
    assert!(shape("victron").iter().all(|&(_, len)| len == 8));
}

#[test]
fn sma_sends_its_six_frames_and_marks_a_temperature_that_it_does_not_know() {
    let ids = [(0x351, 8), (0x355, 6), (0x356, 6), (0x35A, 8), (0x35E, 8), (0x35F, 8)];
    assert_eq!(shape("sma_bms"), ids);
    assert_eq!(bytes("sma_bms", &report(), 0x355), "320064008813");
    assert_eq!(bytes("sma_bms", &report(), 0x35F), "0304020718010000");
    let unknown = Report { temperature_c: f64::NAN, ..report() };
    assert_eq!(bytes("sma_bms", &unknown, 0x356), "881300000080");
}

#[test]
fn pytes_in_victron_mode_asks_for_a_charge_in_a_frame_of_its_own() {
    let mut wants = Report { manufacturer: "PYTES".to_owned(), ..report() };
    assert_eq!(bytes("pytes", &wants, 0x360), "00");
    wants.requests.force_charge_1 = true;
    assert_eq!(bytes("pytes", &wants, 0x360), "FF");
    assert_eq!(bytes("pytes", &wants, 0x35E), "5059544553");
    assert_eq!(bytes("pytes", &wants, 0x355), "320064008813");
}
