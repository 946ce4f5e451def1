//! Pylontech's relatives: Deye V1.2, Sol-Ark V1.3, Luxpower V04, Goodwe V1.0, and a recorded Eco-Worthy.

use simulator::plant::alarms::Alarm;
use simulator::report::{Modules, Report};

use crate::support::{bytes, dialect, only, report, sent, shape};

/// 52.2 V, 23.9 A out, 19 °C.
fn discharging() -> Report {
    Report { voltage_v: 52.2, current_a: -23.9, temperature_c: 19.0, ..report() }
}

fn asking(change: fn(&mut Report)) -> Report {
    let mut report = report();
    change(&mut report);
    report
}

#[test]
fn deye_is_pylontech_without_a_discharge_voltage_and_without_a_hub() {
    assert_eq!(shape("deye_lv"), shape("pylontech_lv"));
    assert_eq!(bytes("deye_lv", &report(), 0x351), "1402720172010000");
    assert_eq!(bytes("deye_lv", &discharging(), 0x356), "641411FFBE00");
    assert_eq!((dialect("deye_lv").manufacturer, dialect("deye_lv").max_strings), ("DEYE", 1));
}

#[test]
fn sol_ark_has_eight_bytes_in_each_frame_tenths_of_a_volt_and_the_capacity() {
    let ids = [0x359, 0x351, 0x355, 0x356, 0x35C, 0x35E, 0x379];
    assert_eq!(shape("sol_ark"), ids.map(|id| (id, 8)));
    assert_eq!(bytes("sol_ark", &report(), 0x359), "0000000001504E00");
    assert_eq!(bytes("sol_ark", &report(), 0x351), "140272017201CC01");
    assert_eq!(bytes("sol_ark", &report(), 0x355), "3200640000000000");
    assert_eq!(bytes("sol_ark", &discharging(), 0x356), "0A0211FFBE000000");
    assert_eq!(bytes("sol_ark", &report(), 0x379), "1801000000000000");
    // Table 5 has the first forced charge on bit 4.
    assert_eq!(bytes("sol_ark", &asking(|r| r.requests.force_charge_1 = true), 0x35C), "D000000000000000");
    assert_eq!(bytes("sol_ark", &asking(|r| r.requests.force_charge_2 = true), 0x35C), "E000000000000000");
    assert_eq!(bytes("sol_ark", &asking(|r| r.requests.full_charge = true), 0x35C), "C800000000000000");
    assert_eq!(bytes("sol_ark", &asking(|r| r.charge_enabled = false), 0x351), "140200007201CC01");
}

#[test]
fn luxpower_has_cells_temperatures_capacity_and_cycles() {
    let three = Report { modules: Modules { online: 0b111, ..Modules::default() }, ..report() };
    assert_eq!(bytes("luxpower", &three, 0x359), "0000000003180100");
    assert_eq!(bytes("luxpower", &report(), 0x355), "32006400CF0CCA0C");
    assert_eq!(bytes("luxpower", &discharging(), 0x356), "641411FF76006C00");
    assert_eq!(bytes("luxpower", &report(), 0x35C), "C000530000000000");
    assert_eq!(bytes("luxpower", &asking(|r| r.requests.force_charge_1 = true), 0x35C), "D000530000000000");
    assert_eq!(bytes("luxpower", &report(), 0x379), "1801000000000000");
    for (alarm, bits) in
        [(Alarm::HighVoltage, "0200"), (Alarm::ChargeCurrent, "0001"), (Alarm::Internal, "0008")]
    {
        let protection = bytes("luxpower", &Report { protections: only(alarm), ..report() }, 0x359);
        assert_eq!(protection, format!("{bits}000001180100"), "{alarm:?}");
    }
}

#[test]
fn goodwe_has_bits_of_its_own_and_extremes_behind() {
    let ids = [0x359, 0x351, 0x355, 0x356, 0x399, 0x35C, 0x35E, 0x3DA, 0x3DB];
    assert_eq!(shape("goodwe_lv"), ids.map(|id| (id, 8)));
    assert_eq!(bytes("goodwe_lv", &discharging(), 0x356), "0A0211FFBE000000");
    assert_eq!(bytes("goodwe_lv", &report(), 0x399), "8F00000000000000");
    // Module 1, cells 3 and 5 from 0: the 20th and the 22nd of all.
    assert_eq!(bytes("goodwe_lv", &report(), 0x3DA), "CF0CCA0C16140000");
    // 11.8 °C and 10.8 °C, 50 higher.
    assert_eq!(bytes("goodwe_lv", &report(), 0x3DB), "3E3D040200000000");
    for change in
        [(|r| r.requests.force_charge_1 = true) as fn(&mut Report), |r| r.requests.force_charge_2 = true]
    {
        assert_eq!(bytes("goodwe_lv", &asking(change), 0x35C), "E000000000000000");
    }
    assert_eq!(bytes("goodwe_lv", &asking(|r| r.requests.full_charge = true), 0x35C), "C000000000000000");
    for (alarm, bits) in [
        (Alarm::HighVoltage, "0200"),
        (Alarm::LowVoltage, "0400"),
        (Alarm::HighTemperature, "0800"),
        (Alarm::LowTemperature, "1000"),
        (Alarm::DischargeCurrent, "8000"),
        (Alarm::ChargeCurrent, "0001"),
        (Alarm::Internal, "0008"),
        (Alarm::Imbalance, "0010"),
    ] {
        let acted = bytes("goodwe_lv", &Report { protections: only(alarm), ..report() }, 0x359);
        assert_eq!(acted, format!("{bits}000000000000"), "{alarm:?}");
        let warned = bytes("goodwe_lv", &Report { warnings: only(alarm), ..report() }, 0x359);
        assert_eq!(warned, format!("0000{bits}00000000"), "{alarm:?}");
    }
    let relay = Report { protections: only(Alarm::Contactor), ..report() };
    assert_eq!(bytes("goodwe_lv", &relay, 0x359), "0100000000000000");
}

#[test]
fn eco_worthy_sends_what_a_recorded_pair_of_packs_sent_in_its_order() {
    let recorded = [
        0x351, 0x355, 0x356, 0x359, 0x35C, 0x35E, 0x35F, 0x370, 0x371, 0x372, 0x373, 0x374, 0x375, 0x376,
        0x377, 0x379,
    ];
    assert_eq!(shape("ecoworthy_ext"), recorded.map(|id| (id, 8)));
    assert_eq!(bytes("ecoworthy_ext", &report(), 0x359), "0000000001504E00");
    assert_eq!(bytes("ecoworthy_ext", &report(), 0x375), "3032303600000000");
    assert_eq!(sent("ecoworthy_ext", &Report { cells_c: None, ..report() }, 0x370), None);
}
