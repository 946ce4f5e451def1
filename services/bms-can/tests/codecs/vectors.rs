use bms_can::frame::{CanId, Frame};
use bms_can::protocols::{PROTOCOLS, by_name};
use serde::Deserialize;
use serde_json::Value;

use crate::support::{bytes, frame, json, protocol, reading};

#[derive(Deserialize)]
struct Vector {
    name: String,
    variant: String,
    frame: VectorFrame,
    decoded: Value,
}

#[derive(Deserialize)]
struct VectorFrame {
    id: String,
    extended: bool,
    data_hex: String,
}

impl VectorFrame {
    fn frame(&self) -> Frame {
        let number = u32::from_str_radix(self.id.trim_start_matches("0x"), 16).unwrap();
        let id = if self.extended { CanId::extended(number) } else { CanId::standard(number) };
        Frame::new(id.unwrap(), &bytes(&self.data_hex)).unwrap()
    }
}

/// Those of the dialects that exist here.
fn vectors() -> Vec<Vector> {
    let all: Vec<Vector> =
        serde_json::from_str(include_str!("../../../../tests/vectors/can-bms-vectors.json")).unwrap();
    all.into_iter().filter(|vector| by_name(&vector.variant).is_some()).collect()
}

#[test]
fn every_vector_of_every_dialect_decodes_to_exactly_its_values() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 42);
    for vector in vectors {
        let read = reading(&vector.variant, &vector.frame.frame());
        assert_eq!(json(&read.message), vector.decoded, "{}", vector.name);
        // The text too: 53.2 and not 53.200000000000003, 26 and not 26.0.
        let text = serde_json::to_string(&read.message).unwrap();
        let reparsed: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(reparsed.to_string(), vector.decoded.to_string(), "{}", vector.name);
    }
}

#[test]
fn every_vector_is_written_again_as_it_was() {
    for vector in vectors() {
        let frame = vector.frame.frame();
        let again = protocol(&vector.variant).encode_reading(&reading(&vector.variant, &frame)).unwrap();
        if vector.name == "diybms_negative_dcl" {
            // 0xFF9C is -10.0 A on the wire; the data sheets want +10.0 A.
            assert_eq!(again.data(), bytes("440264006400 3F02"));
        } else {
            assert_eq!(again, frame, "{}", vector.name);
        }
    }
}

/// What a message does not say (vendor bytes, other lengths) is as the dialect's data sheet has it, so these differ.
const NOT_IN_THE_MESSAGE: &[(&str, &str)] = &[
    ("eco_soc_dlc8", "1E006400"),                // the data sheet's four bytes
    ("eco_measure", "791400007100"),             // the data sheet's six
    ("eco_flags", "0000000002504E"),             // the data sheet's seven
    ("diybms_negative_dcl", "4402640064003F02"), // the sign
    ("pytes_measure", "1F130000E2000000"),       // a word that nobody understands
];

#[test]
fn every_message_alone_gives_the_frame_of_the_data_sheet() {
    for vector in vectors() {
        let read = reading(&vector.variant, &vector.frame.frame());
        let written = protocol(&vector.variant).encode(&read.message).unwrap();
        let expected = NOT_IN_THE_MESSAGE
            .iter()
            .find(|(name, _)| *name == vector.name)
            .map_or_else(|| bytes(&vector.frame.data_hex), |(_, hex)| bytes(hex));
        assert_eq!(written.data(), expected, "{}", vector.name);
        assert_eq!(written.id(), vector.frame.frame().id());
    }
}

#[test]
fn messages_made_by_hand_give_the_bytes_of_the_vectors() {
    use bms_can::message::*;
    let limits = |cvl, ccl, dcl, dvl| {
        Message::Limits(Limits {
            charge_voltage_limit_v: Some(cvl),
            charge_current_limit_a: Some(ccl),
            discharge_current_limit_a: Some(dcl),
            discharge_voltage_limit_v: Some(dvl),
        })
    };
    let measured = |v, a, c| {
        Message::Measurements(Measurements {
            voltage_v: Some(v),
            current_a: Some(a),
            temperature_c: Some(c),
            ..Measurements::default()
        })
    };
    let soc = |soc, soh, fine| {
        Message::Soc(Soc { soc_pct: Some(soc), soh_pct: Some(soh), soc_hires_pct: fine, ..Soc::default() })
    };
    let label = |name, text: &str| Message::Label(Label { name, text: Text::new(text.as_bytes()) });
    for (dialect, id, message, hex) in [
        ("pylontech_lv", 0x351, limits(53.2, 370.0, 370.0, 46.0), "1402740E740ECC01"),
        ("pylontech_lv", 0x355, soc(26, 100, None), "1A006400"),
        ("pylontech_lv", 0x356, measured(49.96, -1.5, 5.5), "8413F1FF3700"),
        ("pylontech_lv", 0x35E, label(LabelName::Manufacturer, "PYLON"), "50594C4F4E202020"),
        ("byd_lv", 0x356, measured(53.0, 10.0, 24.0), "B4146400F000"),
        ("byd_lv", 0x35E, label(LabelName::Manufacturer, "BYD"), "4259440000000000"),
        ("sma_bms", 0x351, limits(60.0, 100.0, 200.0, 46.0), "5802E803D007CC01"),
        ("sma_bms", 0x355, soc(99, 100, Some(99.5)), "63006400DE26"),
        ("pytes_native", 0x400, limits(53.2, 25.0, 12.5, 44.5), "1402FA007D00BD01"),
        ("sol_ark", 0x356, measured(52.2, -23.9, 19.0), "0A0211FFBE000000"),
        ("victron", 0x374, label(LabelName::MinVoltageCellId, "0204"), "3032303400000000"),
        ("victron", 0x307, label(LabelName::InverterId, "VIC"), "1234567856494300"),
        ("growatt_lv", 0x301, Message::InverterAlive, "1122334455667788"),
        ("pylontech_lv", 0x305, Message::InverterAlive, "0000000000000000"),
    ] {
        assert_eq!(protocol(dialect).encode(&message), Some(frame(id, &bytes(hex))), "{dialect} {hex}");
    }
}

#[test]
fn every_dialect_is_described_and_its_name_is_its_own() {
    for (n, protocol) in PROTOCOLS.iter().enumerate() {
        assert!(PROTOCOLS.iter().skip(n + 1).all(|other| other.name != protocol.name));
        assert!(!protocol.title.is_empty() && !protocol.source.is_empty());
        assert_eq!(protocol.bit_rate, 500_000);
        assert!(!protocol.marks.is_empty() && protocol.rows().next().is_some());
    }
}
