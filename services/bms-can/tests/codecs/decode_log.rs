use bms_can::decode_log::{Record, decode_log};
use serde_json::{Value, json};

fn records(text: &str, protocol: Option<&str>) -> Vec<Value> {
    let log = decode_log(text.as_bytes(), protocol).unwrap();
    log.filter_map(Result::ok).map(|record: Record| serde_json::to_value(record).unwrap()).collect()
}

const PYLONTECH: &str = include_str!("../../../../tests/captures/pylontech_10modules.log");
const BYD: &str = include_str!("../../../../tests/captures/byd_lv.log");

#[test]
fn a_frame_is_printed_with_its_name_its_values_and_where_it_came_from() {
    let lines = records(PYLONTECH, None);
    assert_eq!(
        lines[1],
        json!({
            "id": "0x351", "name": "limits",
            "values": {
                "charge_voltage_limit_v": 53.2, "charge_current_limit_a": 370.0,
                "discharge_current_limit_a": 370.0, "discharge_voltage_limit_v": 46.0
            },
            "protocol": "pylontech_lv", "interface": "can0", "timestamp": 1661000000.02, "line": 2
        })
    );
    let names: Vec<&str> = lines.iter().map(|line| line["name"].as_str().unwrap()).collect();
    let expected =
        ["protection", "limits", "soc", "measurements", "requests", "manufacturer", "inverter_alive"];
    assert_eq!(names, expected);
}

#[test]
fn the_keys_stand_in_the_order_that_a_reader_expects() {
    let record = decode_log(PYLONTECH.as_bytes(), None).unwrap().nth(2).unwrap().unwrap();
    let text = serde_json::to_string(&record).unwrap();
    assert!(
        text.starts_with(r#"{"id":"0x355","name":"soc","values":{"soc_pct":26,"soh_pct":100}"#),
        "{text}"
    );
}

#[test]
fn a_frame_that_says_nothing_is_printed_with_its_bytes() {
    let log =
        "(1.0) can0 4FF#0102\n(1.1) can0 355#C8006400\n(1.2) can0 351#R8\n(1.3) can0 00004355#1A006400\n";
    let lines = records(log, Some("pylontech_lv"));
    assert_eq!(
        (&lines[0]["name"], &lines[0]["values"], &lines[0]["data"]),
        (&Value::Null, &json!({}), &json!("0102"))
    );
    assert_eq!(lines[0].get("error"), None);
    assert_eq!(
        (&lines[1]["name"], &lines[1]["values"], &lines[1]["data"]),
        (&json!("soc"), &json!({}), &json!("C8006400"))
    );
    assert_eq!(lines[1]["error"], "state of charge 200 % is outside 0 to 100 %");
    assert_eq!((&lines[2]["name"], &lines[2]["remote"]), (&Value::Null, &json!(true)));
    assert_eq!(lines[3]["id"], "0x4355");
    assert_eq!((&lines[3]["extended"], &lines[3]["address"]), (&json!(true), &json!(4)));
}

#[test]
fn the_frames_before_the_one_that_identifies_are_decoded_too() {
    let maker_last: Vec<&str> = BYD.lines().collect();
    let lines = records(&maker_last.join("\n"), None);
    assert!(lines.iter().all(|line| line["protocol"] == "byd_lv" && line["name"].is_string()));
}

#[test]
fn each_interface_has_its_own_dialect() {
    let mut both = PYLONTECH.to_owned();
    both.push_str(&BYD.replace("can0", "can1"));
    for line in records(&both, None) {
        let expected = if line["interface"] == "can0" { "pylontech_lv" } else { "byd_lv" };
        assert_eq!(line["protocol"], expected);
    }
}

#[test]
fn what_is_not_recognised_is_printed_and_not_decoded() {
    let lines = records("(1.0) can0 351#1402740E740ECC01\n(2.0) can0 123#00\n", None);
    assert!(lines.iter().all(|line| line["protocol"].is_null() && line["name"].is_null()));
    assert_eq!(lines[0]["data"], "1402740E740ECC01");
}

#[test]
fn a_battery_that_comes_late_is_still_recognised() {
    let mut log = String::new();
    for n in 0..30_000 {
        log.push_str(&format!("({}.0) can0 123#00\n", n / 100));
    }
    for second in 300..310 {
        log.push_str(&PYLONTECH.replace("1661000000", &second.to_string()));
    }
    let lines = records(&log, None);
    assert_eq!(lines.len(), 30_070);
    assert_eq!(lines.last().unwrap()["name"], "inverter_alive");
    assert_eq!(lines.last().unwrap()["protocol"], "pylontech_lv");
}

#[test]
fn a_live_stream_is_printed_as_soon_as_the_battery_is_known() {
    // Three cycles with the maker's name suffice; the rest of the stream is not waited for.
    let mut cycles = String::new();
    for second in 0..10 {
        cycles.push_str(&PYLONTECH.replace("1661000000", &(1_661_000_000 + second).to_string()));
    }
    let mut reader = cycles.as_bytes();
    let first = decode_log(&mut reader, None).unwrap().next().unwrap().unwrap();
    assert_eq!(first.protocol.unwrap().name, "pylontech_lv");
    assert!(reader.len() > cycles.len() / 2);
}

#[test]
fn wrong_lines_come_between_the_frames_with_their_number() {
    let log = format!("nonsense\n{PYLONTECH}(1.0) can0 1##0\n");
    let read: Vec<_> = decode_log(log.as_bytes(), None).unwrap().collect();
    assert_eq!(read.len(), 9);
    assert!(read[0].as_ref().unwrap_err().to_string().starts_with("line 1: "));
    assert!(read[8].as_ref().unwrap_err().to_string().contains("line 9: this is a CAN FD frame"));
    assert!(read[1..8].iter().all(Result::is_ok));
}

#[test]
fn a_dialect_that_does_not_exist_is_refused_with_those_that_do() {
    let error = decode_log(&b""[..], Some("pylontec")).unwrap_err().to_string();
    assert!(
        error.starts_with("there is no protocol \"pylontec\"; there are pylontech_lv, victron,"),
        "{error}"
    );
}
