use std::path::PathBuf;

use bms_can::candump::ReadError;
use bms_can::decode_log::{Record, decode_log};
use bms_can::protocols::Decoded;

fn capture(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/captures").join(name);
    std::fs::read(path).unwrap()
}

fn decode(name: &str, protocol: Option<&str>) -> Vec<Record> {
    let records: Result<Vec<Record>, ReadError> =
        decode_log(capture(name).as_slice(), protocol).unwrap().collect();
    records.unwrap()
}

/// The frames of each capture that its dialect does not have: nobody has published what they mean.
const CAPTURES: &[(&str, &str, &[&str])] = &[
    ("pylontech_10modules.log", "pylontech_lv", &[]),
    ("pylontech_4modules.txt", "pylontech_lv", &[]),
    ("ecoworthy_cubix_2packs.txt", "pylontech_lv", &[]),
    ("byd_lv.log", "byd_lv", &[]),
    ("pytes_native_1.log", "pytes_native", &["0x407", "0x40C", "0x40D"]),
];

#[test]
fn every_capture_is_recognised_and_decodes_without_a_refusal() {
    for &(name, protocol, unknown) in CAPTURES {
        let records = decode(name, None);
        assert!(records.len() >= 6, "{name}");
        let mut not_mine = Vec::new();
        for record in &records {
            assert_eq!(record.protocol.unwrap().name, protocol, "{name}");
            match record.decoded {
                Decoded::Good(_) => {}
                Decoded::NotMine => not_mine.push(record.entry.frame.id().to_string()),
                Decoded::Refused(refused) => panic!("{name} line {}: {}", record.line, refused.why),
            }
        }
        assert_eq!(not_mine, unknown, "{name}");
    }
}

#[test]
fn every_frame_of_a_capture_is_written_again_as_it_was() {
    for &(name, protocol, _) in CAPTURES {
        for record in decode(name, Some(protocol)) {
            let Decoded::Good(reading) = record.decoded else { continue };
            let again = record.protocol.unwrap().encode_reading(&reading).unwrap();
            // Two words of Pytes say more than their union, and one word is not understood.
            if protocol == "pytes_native" && matches!(again.id().number(), 0x403 | 0x404 | 0x40B) {
                assert_ne!(again, record.entry.frame);
            } else {
                assert_eq!(again, record.entry.frame, "{name} line {}", record.line);
            }
        }
    }
}

#[test]
fn the_eco_worthy_capture_shows_its_cells_in_both_readings_of_it() {
    for protocol in ["pylontech_lv", "ecoworthy_ext", "deye_lv"] {
        let records = decode("ecoworthy_cubix_2packs.txt", Some(protocol));
        let lines: Vec<String> = records.iter().map(|r| serde_json::to_string(r).unwrap()).collect();
        let has = |part: &str| assert!(lines.iter().any(|l| l.contains(part)), "{protocol}: {part}");
        has(
            r#""name":"extremes","values":{"temperature_max_c":11.8,"temperature_min_c":10.8,"cell_max_mv":3279"#,
        );
        has(r#""temperature_max_loc":[1,4]"#);
        has(
            r#""name":"cell_extremes","values":{"cell_min_mv":3274,"cell_max_mv":3279,"temperature_min_c":10"#,
        );
    }
}
