//! Each alarm bit alone, against tables written from the data sheets and not from the code.

use bms_can::message::{Alarms, Condition, Flag, Message, Pair, Severity};
use serde_json::{Map, Value};

use crate::support::{frame, json, protocol, reading, values};

/// The keys that are `true`.
fn set(values: &Value) -> Vec<String> {
    let object: &Map<String, Value> = values.as_object().unwrap();
    object.iter().filter(|(_, v)| **v == Value::Bool(true)).map(|(k, _)| k.clone()).collect()
}

/// Sets each bit alone: exactly its flag is reported, and writing the message gives the bit again.
fn each_alone(dialect: &str, id: u32, len: usize, table: &[(usize, u8, &str)]) {
    let quiet = set(&values(dialect, id, &vec![0; len]));
    assert_eq!(quiet, Vec::<String>::new());
    for byte in 0..len.min(4) {
        for bit in 0..8 {
            let mut data = vec![0; len];
            data[byte] = 1 << bit;
            let expected: Vec<&str> =
                table.iter().filter(|row| (row.0, row.1) == (byte, bit)).map(|row| row.2).collect();
            let read = reading(dialect, &frame(id, &data));
            assert_eq!(set(&json(&read.message)), expected, "{dialect} byte {byte} bit {bit}");
            let again = protocol(dialect).encode_reading(&read).unwrap();
            assert_eq!(json(&reading(dialect, &again).message), json(&read.message));
            let is_second_place = table.iter().position(|row| expected.contains(&row.2))
                != table.iter().position(|row| (row.0, row.1) == (byte, bit));
            if !expected.is_empty() && !is_second_place {
                assert_eq!(again.data(), data, "{dialect} byte {byte} bit {bit}");
            }
        }
    }
}

const PYLONTECH: &[(usize, u8, &str)] = &[
    (0, 7, "protection_discharge_over_current"),
    (0, 4, "protection_cell_under_temperature"),
    (0, 3, "protection_cell_over_temperature"),
    (0, 2, "protection_under_voltage"),
    (0, 1, "protection_over_voltage"),
    (1, 3, "protection_system_error"),
    (1, 7, "protection_system_error"),
    (1, 0, "protection_charge_over_current"),
    (2, 7, "alarm_discharge_high_current"),
    (2, 4, "alarm_cell_low_temperature"),
    (2, 3, "alarm_cell_high_temperature"),
    (2, 2, "alarm_low_voltage"),
    (2, 1, "alarm_high_voltage"),
    (3, 3, "alarm_internal_communication_fail"),
    (3, 0, "alarm_charge_high_current"),
];

#[test]
fn each_bit_of_0x359_is_its_alarm() {
    for dialect in ["pylontech_lv", "deye_lv", "ecoworthy_ext"] {
        each_alone(dialect, 0x359, 7, PYLONTECH);
    }
    each_alone("sol_ark", 0x359, 8, PYLONTECH);
    each_alone("luxpower", 0x359, 8, PYLONTECH);
}

#[test]
fn each_bit_of_goodwes_0x359_is_its_alarm() {
    each_alone(
        "goodwe_lv",
        0x359,
        8,
        &[
            (0, 7, "protection_discharge_over_current"),
            (0, 4, "protection_cell_under_temperature"),
            (0, 3, "protection_cell_over_temperature"),
            (0, 2, "protection_under_voltage"),
            (0, 1, "protection_over_voltage"),
            (0, 0, "protection_relay_command"),
            (1, 4, "protection_cell_imbalance"),
            (1, 3, "protection_system_error"),
            (1, 0, "protection_charge_over_current"),
            (2, 7, "alarm_discharge_high_current"),
            (2, 4, "alarm_cell_low_temperature"),
            (2, 3, "alarm_cell_high_temperature"),
            (2, 2, "alarm_low_voltage"),
            (2, 1, "alarm_high_voltage"),
            (3, 6, "alarm_sub_pack_2_error"),
            (3, 5, "alarm_sub_pack_1_error"),
            (3, 4, "alarm_cell_imbalance"),
            (3, 3, "alarm_bms_internal"),
            (3, 0, "alarm_charge_high_current"),
        ],
    );
}

#[test]
fn each_bit_of_growatts_0x312_is_its_alarm() {
    each_alone(
        "growatt_lv",
        0x312,
        8,
        &[
            (0, 7, "protection_discharge_over_current"),
            (0, 6, "protection_charge_over_current"),
            (0, 5, "protection_short_circuit"),
            (0, 4, "protection_cell_over_voltage"),
            (0, 3, "protection_cell_under_voltage"),
            (0, 2, "protection_over_voltage"),
            (0, 1, "protection_under_voltage"),
            (0, 0, "protection_soft_start_fail"),
            (1, 7, "protection_discharge_over_temperature"),
            (1, 6, "protection_charge_over_temperature"),
            (1, 5, "protection_discharge_under_temperature"),
            (1, 4, "protection_charge_under_temperature"),
            (1, 3, "protection_system_error"),
            (1, 2, "protection_cell_imbalance"),
            (2, 7, "alarm_discharge_high_current"),
            (2, 6, "alarm_charge_high_current"),
            (2, 4, "alarm_cell_high_voltage"),
            (2, 3, "alarm_cell_low_voltage"),
            (2, 2, "alarm_high_voltage"),
            (2, 1, "alarm_low_voltage"),
            (3, 7, "alarm_discharge_high_temperature"),
            (3, 6, "alarm_charge_high_temperature"),
            (3, 5, "alarm_discharge_low_temperature"),
            (3, 4, "alarm_charge_low_temperature"),
            (3, 2, "alarm_cell_imbalance"),
            (3, 1, "alarm_switching_off"),
            (3, 0, "alarm_internal_communication_fail"),
        ],
    );
}

#[test]
fn each_bit_of_pytes_0x403_is_its_alarm_in_either_word() {
    let table: &[(u32, &str)] = &[
        (0, "protection_over_voltage"),
        (1, "alarm_high_voltage"),
        (3, "alarm_low_voltage"),
        (4, "protection_under_voltage"),
        (8, "protection_cell_over_temperature"),
        (9, "alarm_cell_high_temperature"),
        (11, "alarm_cell_low_temperature"),
        (12, "protection_cell_under_temperature"),
        (17, "protection_discharge_over_current"),
        (18, "protection_discharge_over_current"),
        (19, "protection_charge_over_current"),
        (20, "protection_charge_over_current"),
        (21, "alarm_discharge_high_current"),
        (22, "alarm_charge_high_current"),
        (26, "charging"),
        (27, "discharging"),
    ];
    for bit in 0..64 {
        let expected: Vec<&str> = table.iter().filter(|row| row.0 == bit % 32).map(|row| row.1).collect();
        assert_eq!(set(&values("pytes_native", 0x403, &(1_u64 << bit).to_le_bytes())), expected, "bit {bit}");
    }
    for bit in 0..32 {
        let expected: &[&str] = if bit == 15 { &["protection_internal_failure"] } else { &[] };
        assert_eq!(set(&values("pytes_native", 0x406, &(1_u64 << bit).to_le_bytes())), expected, "bit {bit}");
    }
}

#[test]
fn each_bit_of_0x35c_is_its_request() {
    let pylontech = [
        (7, "charge_enable"),
        (6, "discharge_enable"),
        (5, "force_charge_1"),
        (4, "force_charge_2"),
        (3, "full_charge_request"),
    ];
    // Sol-Ark and Luxpower number the two forced charges the other way round.
    let sol_ark = [
        (7, "charge_enable"),
        (6, "discharge_enable"),
        (5, "force_charge_2"),
        (4, "force_charge_1"),
        (3, "full_charge_request"),
    ];
    let goodwe = [(7, "charge_enable"), (6, "discharge_enable"), (5, "force_charge_1")];
    let growatt =
        [(7, "charge_enable"), (6, "discharge_enable"), (5, "force_charge_1"), (4, "force_charge_2")];
    for (dialect, id, rest, table) in [
        ("pylontech_lv", 0x35C, &[0][..], &pylontech[..]),
        ("deye_lv", 0x35C, &[], &pylontech),
        ("sol_ark", 0x35C, &[0; 7], &sol_ark),
        ("luxpower", 0x35C, &[0; 7], &sol_ark),
        ("goodwe_lv", 0x35C, &[0; 7], &goodwe),
        ("growatt_lv", 0x319, &[0x0C, 0xE4, 0x0C, 0xE4, 1, 2, 0], &growatt),
    ] {
        for bit in 0..8 {
            let data = [&[1_u8 << bit], rest].concat();
            let expected: Vec<&str> = table.iter().filter(|row| row.0 == bit).map(|row| row.1).collect();
            assert_eq!(set(&values(dialect, id, &data)), expected, "{dialect} bit {bit}");
            if !expected.is_empty() {
                let again = protocol(dialect).encode_reading(&reading(dialect, &frame(id, &data))).unwrap();
                assert_eq!(again.data(), data);
            }
        }
    }
}

const PAIRS: [(&str, &str); 13] = [
    ("alarm_general", "warning_general"),
    ("alarm_high_voltage", "warning_high_voltage"),
    ("alarm_low_voltage", "warning_low_voltage"),
    ("alarm_high_temperature", "warning_high_temperature"),
    ("alarm_low_temperature", "warning_low_temperature"),
    ("alarm_high_temperature_charge", "warning_high_temperature_charge"),
    ("alarm_low_temperature_charge", "warning_low_temperature_charge"),
    ("alarm_high_current", "warning_high_current"),
    ("alarm_high_charge_current", "warning_high_charge_current"),
    ("alarm_contactor", "warning_contactor"),
    ("alarm_short_circuit", "warning_short_circuit"),
    ("alarm_bms_internal", "warning_bms_internal"),
    ("alarm_cell_imbalance", "warning_cell_imbalance"),
];

const STATES: [&str; 4] = ["not_supported", "active", "ok", "not_supported"];

/// Sets one pair to one value, all others to 00.
fn one_pair(dialect: &str, len: usize, place: usize, key: &str) {
    for bits in 0..4_u64 {
        let data = &(bits << (2 * place)).to_le_bytes()[..len];
        let read = reading(dialect, &frame(0x35A, data));
        for (name, state) in json(&read.message).as_object().unwrap() {
            let expected = if name == key { STATES[bits as usize] } else { "not_supported" };
            assert_eq!(state, expected, "{dialect} {name} at {bits:02b} in place {place}");
        }
        if dialect != "discover" {
            assert_eq!(protocol(dialect).encode_reading(&read).unwrap().data(), data);
        }
    }
}

#[test]
fn each_pair_of_0x35a_is_its_alarm_in_all_four_values() {
    for dialect in ["victron", "sma_bms", "byd_lv", "pytes"] {
        for (n, (alarm, warning)) in PAIRS.iter().enumerate() {
            one_pair(dialect, 8, n, alarm);
            one_pair(dialect, 8, 16 + n, warning);
        }
        one_pair(dialect, 8, 29, "system_status_pair");
    }
    for (n, (alarm, warning)) in PAIRS.iter().enumerate() {
        one_pair("discover", 7, n, alarm);
        one_pair("discover", 7, 13 + n, warning);
    }
}

#[test]
fn a_short_0x35a_leaves_out_what_it_has_no_room_for() {
    let values = values("victron", 0x35A, &[0xAA; 7]);
    let values = values.as_object().unwrap();
    assert_eq!(values.len(), 25);
    assert!(!values.contains_key("warning_cell_imbalance") && !values.contains_key("system_status_pair"));
}

#[test]
fn a_made_alarm_frame_carries_every_condition_in_its_place() {
    let mut alarms = Alarms::all(Some(Pair::Ok));
    alarms.system_status = Some(Pair::NotSupported);
    alarms.set(Condition::BmsInternal, Severity::Alarm, Some(Pair::Active));
    let frame = protocol("sma_bms").encode(&Message::Alarms(alarms)).unwrap();
    assert_eq!(frame.data(), [0xAA, 0xAA, 0x6A, 0x02, 0xAA, 0xAA, 0xAA, 0x02]);
}

#[test]
fn every_fault_flag_says_what_it_means_for_the_battery() {
    for flag in Flag::ALL {
        let is_state = matches!(flag, Flag::Charging | Flag::Discharging);
        assert_eq!(flag.means().is_none(), is_state, "{}", flag.key());
        if let Some((_, severity)) = flag.means() {
            let is_protection = flag.key().starts_with("protection_");
            assert_eq!(severity == Severity::Alarm, is_protection, "{}", flag.key());
        }
    }
}
