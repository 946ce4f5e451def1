//! What battery makers do differently, one test a habit.

use bms_can::frame::{CanId, Frame};
use bms_can::message::{Limits, Message};
use bms_can::protocols::{Decoded, PROTOCOLS, Refusal};
use serde_json::json;

use crate::support::{bytes, extended, frame, protocol, reading, refusal, values};

#[test]
fn a_short_frame_leaves_its_missing_end_out_instead_of_reading_zero() {
    assert_eq!(
        values("pylontech_lv", 0x351, &bytes("1402740E740E")),
        json!({"charge_voltage_limit_v": 53.2, "charge_current_limit_a": 370.0, "discharge_current_limit_a": 370.0})
    );
    assert_eq!(values("victron", 0x355, &bytes("5A00")), json!({"soc_pct": 90}));
    assert_eq!(values("victron", 0x356, &bytes("84130000")), json!({"voltage_v": 49.96, "current_a": 0.0}));
    assert_eq!(
        values("victron", 0x35F, &bytes("4C690102")),
        json!({"battery_type_raw": 26956, "version_bytes": [1, 2]})
    );
    assert_eq!(values("victron", 0x372, &bytes("0200")), json!({"modules_online": 2}));
    assert_eq!(
        values("victron", 0x373, &bytes("CA0CCF0C")),
        json!({"cell_min_mv": 3274, "cell_max_mv": 3279})
    );
    assert_eq!(values("pylontech_lv", 0x35C, &bytes("C0"))["charge_enable"], true);
    assert_eq!(values("pylontech_lv", 0x35E, b"PYTES"), json!({"manufacturer": "PYTES"}));
    let short = values("pylontech_lv", 0x359, &[0; 4]);
    assert!(short.get("module_count").is_none() && short.get("pn_marker").is_none());
}

#[test]
fn a_frame_without_its_first_values_is_refused() {
    for dialect in PROTOCOLS {
        for row in dialect.rows() {
            if row.layout.shortest > 0 {
                let short = Frame::new(row.id, &[0x10; 8][..usize::from(row.layout.shortest) - 1]).unwrap();
                let read = dialect.decode(&short);
                assert!(matches!(read, Decoded::Refused(_)), "{} {} {read:?}", dialect.name, row.id);
            }
        }
    }
    assert_eq!(refusal("pylontech_lv", 0x351, &[0; 5]), Refusal::TooShort { len: 5, needed: 6 });
}

#[test]
fn nothing_that_no_battery_has_gets_through() {
    let implausible = |dialect, id, hex: &str| {
        let why = refusal(dialect, id, &bytes(hex));
        assert!(matches!(why, Refusal::Implausible { .. }), "{why:?}");
        why.to_string()
    };
    let why = implausible("pylontech_lv", 0x356, "841300 002EFB");
    assert_eq!(why, "temperature -123.4 °C is outside -60 to 120 °C");
    implausible("pylontech_lv", 0x356, "84130000B104"); // 120.1 °C
    implausible("pylontech_lv", 0x356, "8413214E0000"); // 2000.1 A
    implausible("pylontech_lv", 0x356, "8413DFB10000"); // -2000.1 A
    implausible("pylontech_lv", 0x356, "000000000000"); // 0 V
    implausible("pylontech_lv", 0x356, "102700000000"); // 100 V
    implausible("pylontech_lv", 0x355, "65006400"); // 101 %
    implausible("pylontech_lv", 0x351, "E803740E740ECC01"); // 100 V
    implausible("pylontech_lv", 0x351, "1402FF7F740ECC01"); // 3276.7 A
    implausible("victron", 0x373, "0000CF0C1B011C01"); // 0 mV
    implausible("victron", 0x373, "CA0C89131B011C01"); // 5001 mV
    implausible("victron", 0x373, "CA0CCF0CD4001C01"); // -61 °C
    implausible("pytes_native", 0x401, "C50C000007000400");
    implausible("growatt_lv", 0x313, "1653000000E86564"); // 101 %
    implausible("growatt_lv", 0x316, "0CE413890CE40CE4"); // 5001 mV
    // The last plausible values of each.
    values("pylontech_lv", 0x356, &bytes("8413204EB004"));
    values("pylontech_lv", 0x356, &bytes("8413E0B1A8FD"));
    values("pylontech_lv", 0x355, &bytes("64006400"));
    values("victron", 0x373, &bytes("010088131B011C01"));
}

#[test]
fn a_charge_voltage_of_zero_is_no_value_and_is_never_written() {
    let read = reading("pylontech_lv", &frame(0x351, &bytes("000000000000CC01")));
    let limits = read.message.limits().unwrap();
    assert_eq!(limits.charge_voltage_limit_v, None);
    assert_eq!(limits.charge_current_limit_a, Some(0.0));
    // An emulator that says "stop" with 0.1 V is not taken for a 0.1 V battery either.
    assert_eq!(values("pylontech_lv", 0x351, &bytes("010001000100CC01")).get("charge_voltage_limit_v"), None);
    for dialect in PROTOCOLS {
        for volts in [None, Some(0.0), Some(0.04), Some(-1.0), Some(f64::NAN)] {
            let limits = Limits {
                charge_voltage_limit_v: volts,
                charge_current_limit_a: Some(0.0),
                discharge_current_limit_a: Some(0.0),
                discharge_voltage_limit_v: None,
            };
            if let Some(frame) = dialect.encode(&Message::Limits(limits)) {
                assert!(dialect.name == "sma_bms" && volts.is_none(), "{}: {frame:?}", dialect.name);
                assert_eq!(frame.data(), bytes("FFFF00000000FFFF"));
            }
        }
    }
}

#[test]
fn nothing_is_written_that_its_own_reader_would_refuse() {
    let pylontech = protocol("pylontech_lv");
    let limits = |cvl, ccl| {
        Message::Limits(Limits {
            charge_voltage_limit_v: Some(cvl),
            charge_current_limit_a: Some(ccl),
            discharge_current_limit_a: Some(100.0),
            discharge_voltage_limit_v: None,
        })
    };
    assert!(pylontech.encode(&limits(53.2, 100.0)).is_some());
    assert_eq!(pylontech.encode(&limits(70.0, 100.0)), None);
    assert_eq!(pylontech.encode(&limits(53.2, 2500.0)), None);
    assert_eq!(pylontech.encode(&limits(53.2, f64::NAN)), None);
}

#[test]
fn a_negative_charge_limit_allows_no_charging() {
    assert_eq!(values("pylontech_lv", 0x351, &bytes("14029CFF740ECC01"))["charge_current_limit_a"], 0.0);
}

#[test]
fn a_blank_discharge_voltage_is_no_value() {
    assert_eq!(values("deye_lv", 0x351, &bytes("1402740E740E0000")).get("discharge_voltage_limit_v"), None);
}

#[test]
fn the_fine_state_of_charge_counts_only_where_it_is_one() {
    let fine = |hex: &str| values("victron", 0x355, &bytes(hex)).get("soc_hires_pct").cloned();
    assert_eq!(fine("63006400DE26"), Some(json!(99.5)));
    assert_eq!(fine("1E00640000000000"), None);
    assert_eq!(fine("0000640000000000"), Some(json!(0.0)));
    // Luxpower's cell voltages, 3300 mV, would be 33 %.
    assert_eq!(fine("5A006400E40CDA0C"), None);
    assert_eq!(fine("63006400FFFF"), None);
}

#[test]
fn the_letters_pn_may_be_missing() {
    assert_eq!(values("pylontech_lv", 0x359, &[0; 8])["pn_marker"], false);
    assert_eq!(values("pylontech_lv", 0x359, &bytes("0000000003504E"))["pn_marker"], true);
    assert_eq!(values("pylontech_lv", 0x359, &bytes("0000000003"))["module_count"], 3);
}

#[test]
fn strings_behind_a_hub_are_told_apart() {
    let read = reading("pylontech_lv", &extended(0x4355, &bytes("1A006400")));
    assert_eq!((read.name, read.address), ("soc", 4));
    assert_eq!(protocol("pylontech_lv").encode_reading(&read), Some(extended(0x4355, &bytes("1A006400"))));
    assert_eq!(
        protocol("pylontech_lv").encode_for(4, &read.message),
        Some(extended(0x4355, &bytes("1A006400")))
    );
    assert_eq!(protocol("pylontech_lv").encode_for(8, &read.message), None);
    assert_eq!(protocol("victron").encode_for(1, &read.message), None);
    assert_eq!(reading("pylontech_lv", &extended(0x735E, b"PYLON   ")).address, 7);
    assert_eq!(reading("pylontech_lv", &extended(0x351, &bytes("1402740E740ECC01"))).address, 0);
    for id in [0x8355, 0x435F, 0x4350, 0x1_4355, 0x1FFF_F355, 0x4372] {
        let decoded = protocol("pylontech_lv").decode(&extended(id, &bytes("1A00640000000000")));
        assert_eq!(decoded, Decoded::NotMine, "{id:#X}");
    }
    assert_eq!(protocol("victron").decode(&extended(0x4355, &bytes("1A006400"))), Decoded::NotMine);
}

#[test]
fn a_remote_request_is_no_message() {
    let request = Frame::remote(CanId::standard(0x351).unwrap(), 8).unwrap();
    for dialect in PROTOCOLS {
        assert_eq!(dialect.decode(&request), Decoded::NotMine);
    }
}

#[test]
fn the_voltage_is_read_in_either_scale_and_written_in_the_dialects_own() {
    for (dialect, own) in [
        ("pylontech_lv", 5220_u16),
        ("victron", 5220),
        ("sol_ark", 522),
        ("goodwe_lv", 522),
        ("discover", 522),
    ] {
        for raw in [522_u16, 5220] {
            let data = [&raw.to_le_bytes()[..], &[0, 0, 0xBE, 0]].concat();
            let read = reading(dialect, &frame(0x356, &data));
            assert_eq!(read.message.measurements().unwrap().voltage_v, Some(52.2), "{dialect} {raw}");
            let again = protocol(dialect).encode(&read.message).unwrap();
            assert_eq!(again.data()[..2], own.to_le_bytes(), "{dialect}");
        }
    }
    // Outside 40 to 60 V only the dialect's own scale is believed.
    assert_eq!(values("sol_ark", 0x356, &bytes("8101000000000000"))["voltage_v"], 38.5);
    refusal("pylontech_lv", 0x356, &bytes("810100000000"));
    refusal("sol_ark", 0x356, &bytes("0A0F000000000000"));
}

#[test]
fn sol_ark_frames_have_eight_bytes() {
    for message in [
        reading("sol_ark", &frame(0x355, &bytes("1A006400"))),
        reading("sol_ark", &frame(0x356, &bytes("0A020000BE00"))),
        reading("sol_ark", &frame(0x359, &bytes("0000000002504E"))),
        reading("sol_ark", &frame(0x35C, &bytes("C0"))),
        reading("sol_ark", &frame(0x379, &bytes("C800"))),
    ] {
        assert_eq!(protocol("sol_ark").encode(&message.message).unwrap().len(), 8, "{}", message.name);
    }
}

#[test]
fn luxpower_has_cells_and_temperatures_at_the_ends_of_its_frames() {
    assert_eq!(
        values("luxpower", 0x355, &bytes("5A006400E40CDA0C")),
        json!({"soc_pct": 90, "soh_pct": 100, "cell_max_mv": 3300, "cell_min_mv": 3290})
    );
    assert_eq!(values("luxpower", 0x355, &bytes("5A00640000000000")), json!({"soc_pct": 90, "soh_pct": 100}));
    assert_eq!(
        values("luxpower", 0x356, &bytes("8413F1FF3700 2D00")),
        json!({"voltage_v": 49.96, "current_a": -1.5, "temperature_max_c": 5.5, "temperature_min_c": 4.5})
    );
    let protection = values("luxpower", 0x359, &bytes("0000000003C80000"));
    assert_eq!((&protection["module_count"], &protection["capacity_ah"]), (&json!(3), &json!(200)));
    assert_eq!(protection.get("pn_marker"), None);
    assert_eq!(values("luxpower", 0x35C, &bytes("C000380100000000"))["cycles"], 312);
    assert_eq!(values("luxpower", 0x300, &bytes("0100000000000000")), json!({"battery_shutdown": true}));
}

#[test]
fn goodwe_counts_degrees_from_minus_fifty() {
    assert_eq!(
        values("goodwe_lv", 0x3DB, &bytes("4B47020100000000")),
        json!({"temperature_max_c": 25.0, "temperature_min_c": 21.0, "temperature_max_index": 2, "temperature_min_index": 1})
    );
    assert_eq!(
        values("goodwe_lv", 0x3DA, &bytes("E40CDA0C07030000")),
        json!({"cell_max_mv": 3300, "cell_min_mv": 3290, "cell_max_index": 7, "cell_min_index": 3})
    );
    assert_eq!(values("goodwe_lv", 0x399, &bytes("6600000000000000")), json!({"rated_energy_kwh": 10.2}));
}

#[test]
fn growatt_speaks_big_endian() {
    assert_eq!(
        values("growatt_lv", 0x311, &bytes("0238 03E8 07D0 0C6B")),
        json!({
            "charge_voltage_limit_v": 56.8, "charge_current_limit_a": 100.0, "discharge_current_limit_a": 200.0,
            "state": "discharging", "error_valid": false, "balanced": true, "sleeping": false,
            "discharge_output": true, "charge_output": true, "terminal_open": false, "master_box_mode": 0,
            "inverter_state": "discharging"
        })
    );
    assert_eq!(
        values("growatt_lv", 0x314, &bytes("2710 4E20 0005 0064")),
        json!({"capacity_full_ah": 200.0, "capacity_remaining_ah": 100.0, "cell_delta_mv": 5, "cycles": 100})
    );
    assert_eq!(
        values("growatt_lv", 0x318, &bytes("0CE40CE50CE60000")),
        json!({"cell_13_mv": 3300, "cell_14_mv": 3301, "cell_15_mv": 3302})
    );
    assert_eq!(
        values("growatt_lv", 0x319, &bytes("C00CE60CE4030100")),
        json!({
            "charge_enable": true, "discharge_enable": true, "force_charge_1": false, "force_charge_2": false,
            "chemistry_raw": 0, "cell_max_mv": 3302, "cell_min_mv": 3300, "cell_max_index": 3,
            "cell_min_index": 1, "protect_pack_id": 0
        })
    );
    let protection = values("growatt_lv", 0x312, &bytes("0000000002AABB10"));
    assert_eq!((&protection["module_count"], &protection["cell_count"]), (&json!(2), &json!(16)));
    assert_eq!(protection["manufacturer_code"], json!([0xAA, 0xBB]));
    assert_eq!(values("growatt_lv", 0x313, &bytes("1653000000E863E4"))["unsafe_flag"], true);
}

#[test]
fn pytes_native_states_are_read() {
    assert_eq!(
        values("pytes_native", 0x404, &bytes("1200640001001C00")),
        json!({"soc_pct": 18, "soh_pct": 100, "cycles": 28})
    );
    assert_eq!(
        values("pytes_native", 0x408, &bytes("01000100000305")),
        json!({
            "charge_enable": true, "discharge_enable": false, "charge_immediately": true,
            "modules_blocking_charge": 2, "modules_blocking_discharge": 2
        })
    );
    assert_eq!(
        values("pytes_native", 0x40B, &bytes("18081709392C0100")),
        json!({"modules_online": 1, "modules_offline": 0})
    );
    assert_eq!(values("pytes", 0x360, &[0xFF]), json!({"charge_immediately": true}));
    assert_eq!(values("pytes", 0x360, &[0]), json!({"charge_immediately": false}));
    let cells = reading("pytes_native", &frame(0x401, &bytes("C50CBB0C07000400")));
    assert!(matches!(cells.message, Message::Extremes(e) if e.locations == Some([7, 4])));
}

#[test]
fn names_and_cells_in_0x370_are_never_taken_for_each_other() {
    let cells = bytes("76006C00CF0CCA0C");
    let places = bytes("0401020206020402");
    for dialect in ["pylontech_lv", "deye_lv"] {
        assert_eq!(reading(dialect, &frame(0x370, &cells)).name, "extremes");
        assert_eq!(reading(dialect, &frame(0x371, &places)).name, "extreme_locations");
        for text in [&b"BATT-48V"[..], b"US5000\0\0", b"A\0\0\0\0\0\0\0", b"US 5000 ", b"\0\0\0\0\0\0\0\0"] {
            assert_eq!(reading(dialect, &frame(0x370, text)).name, "model_part_1");
            assert_eq!(reading(dialect, &frame(0x371, text)).name, "model_part_2");
        }
        // Neither: an unlikely temperature, and bytes behind the end of a text.
        refusal(dialect, 0x370, &bytes("FF7F6C00CF0CCA0C"));
        refusal(dialect, 0x370, b"US\0\x01\0\0\0\0");
    }
    for dialect in ["victron", "byd_lv", "pytes", "discover"] {
        assert_eq!(refusal(dialect, 0x370, &cells), Refusal::NotText);
        assert_eq!(refusal(dialect, 0x371, &places), Refusal::NotText);
    }
    refusal("ecoworthy_ext", 0x370, b"BATT-48V");
}

#[test]
fn discover_has_versions_where_others_have_modules_and_cells() {
    assert_eq!(values("discover", 0x372, &bytes("00000102")), json!({"firmware_version": [2, 1, 0, 0]}));
    assert_eq!(values("discover", 0x373, &bytes("01000000")), json!({"protocol_version": 1}));
}

#[test]
fn jbd_sends_its_cycles_behind_the_temperature() {
    assert_eq!(values("victron", 0x356, &bytes("841300003700 3700"))["cycles"], 55);
    assert_eq!(values("victron", 0x356, &bytes("8413000037000000")).get("cycles"), None);
    // JBD's numbering runs past the digits.
    assert_eq!(values("victron", 0x374, b"ID:01.0:"), json!({"min_voltage_cell_id": "ID:01.0:"}));
}

#[test]
fn sma_marks_what_it_does_not_know() {
    assert_eq!(
        values("sma_bms", 0x351, &bytes("FFFF 0080 D007 FFFF")),
        json!({"discharge_current_limit_a": 200.0})
    );
    assert_eq!(values("sma_bms", 0x355, &bytes("FFFF")), json!({}));
    assert_eq!(values("sma_bms", 0x356, &bytes("8413 0080 0080")), json!({"voltage_v": 49.96}));
    let read = reading("sma_bms", &frame(0x356, &bytes("8413 0080 0080")));
    assert_eq!(protocol("sma_bms").encode(&read.message).unwrap().data(), bytes("841300800080"));
    // Others have no marks: the same bytes are no battery's.
    refusal("victron", 0x351, &bytes("FFFF0080D007FFFF"));
}

#[test]
fn text_is_read_without_its_padding_and_garbage_is_no_text() {
    assert_eq!(values("victron", 0x35E, b"\0\0\0\0"), json!({}));
    assert_eq!(values("victron", 0x35E, b"BYD\xFF\xFF\xFF\xFF\xFF"), json!({"manufacturer": "BYD"}));
    assert_eq!(values("victron", 0x35E, b"BYD\0\x03\x07"), json!({"manufacturer": "BYD"}));
    assert_eq!(refusal("victron", 0x35E, &[0x42, 0x80, 0x44]), Refusal::NotText);
}

#[test]
fn an_inverter_is_heard_whatever_it_sends_along() {
    for data in [&[][..], &[0; 8], &[0x0A, 0x02]] {
        assert_eq!(values("byd_lv", 0x305, data), json!({"inverter_alive": true}));
    }
    assert_eq!(values("growatt_lv", 0x301, &[0x11, 0x22, 0x66, 0x77, 0x88]), json!({"inverter_alive": true}));
}

#[test]
fn a_pack_without_a_temperature_sensor_still_tells_its_voltage() {
    let without = json!({"voltage_v": 49.96, "current_a": 0.0});
    assert_eq!(values("pylontech_lv", 0x356, &bytes("8413000024FA")), without);
    // One of two sensors missing: read, and written again as it was.
    let one = frame(0x402, &bytes("E60024FA00000A00"));
    let read = reading("pytes_native", &one);
    assert_eq!(json!(read.message), json!({"temperature_max_c": 23.0}));
    assert_eq!(protocol("pytes_native").encode_reading(&read), Some(one));
}
