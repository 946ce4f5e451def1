//! Pytes' own set: the bits as hoylabs/OpenDTU-OnBattery reads them, the lengths as its issue 1188 has them.

use simulator::plant::alarms::Alarm;
use simulator::report::{Modules, Report};

use crate::support::{bytes, only, report, shape};

#[test]
fn lengths_and_order_are_those_of_the_recorded_pack() {
    let ids = [0x400, 0x401, 0x402, 0x403, 0x404, 0x405, 0x406];
    let (first, rest) = (ids.map(|id| (id, 8)), [(0x408, 7), (0x409, 8), (0x40A, 5), (0x40B, 8), (0x41E, 8)]);
    assert_eq!(shape("pytes_native"), [&first[..], &rest].concat());
}

#[test]
fn each_complaint_sets_its_bit() {
    for (alarm, acted, warned) in [
        (Alarm::HighVoltage, "01000000", "02000000"),
        (Alarm::LowVoltage, "10000000", "08000000"),
        (Alarm::HighTemperature, "00010000", "00020000"),
        (Alarm::LowTemperature, "00100000", "00080000"),
        (Alarm::DischargeCurrent, "00000200", "00002000"),
        (Alarm::ChargeCurrent, "00000800", "00004000"),
    ] {
        let with = |report| bytes("pytes_native", &report, 0x403);
        assert_eq!(
            with(Report { protections: only(alarm), ..report() }),
            format!("{acted}00000000"),
            "{alarm:?}"
        );
        assert_eq!(
            with(Report { warnings: only(alarm), ..report() }),
            format!("{warned}00000000"),
            "{alarm:?}"
        );
    }
    let failed = Report { protections: only(Alarm::Internal), ..report() };
    assert_eq!(bytes("pytes_native", &failed, 0x406), "0080000000000000");
}

#[test]
fn it_says_whether_it_charges_who_refuses_and_what_it_has_counted() {
    let flowing = |current_a| bytes("pytes_native", &Report { current_a, ..report() }, 0x403);
    assert_eq!((flowing(20.0), flowing(-20.0)), ("0000000400000000".into(), "0000000800000000".into()));
    assert_eq!(bytes("pytes_native", &report(), 0x408), "01010000000000");
    let mut refusing = report();
    refusing.modules =
        Modules { online: 0b111, offline: 0b1000, blocking_charge: 0b101, blocking_discharge: 0 };
    (refusing.discharge_enabled, refusing.requests.force_charge_2) = (false, true);
    assert_eq!(bytes("pytes_native", &refusing, 0x408), "01000100000500");
    assert_eq!(bytes("pytes_native", &refusing, 0x40B), "0000000000000301");
    assert_eq!(bytes("pytes_native", &refusing, 0x400), "140272010000CC01");
    assert_eq!(bytes("pytes_native", &report(), 0x404), "3200640000005300");
    assert_eq!(bytes("pytes_native", &report(), 0x409), "C0450400E0220200");
    assert_eq!(bytes("pytes_native", &report(), 0x41E), "39300000672B0000");
}
