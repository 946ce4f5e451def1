//! The frames of a Sunny Island: the vectors, both ways, and what they must never do.

use bms_can::frame::{CanId, Frame};
use bms_can::inverter::sunny_island::{Status, decode, error};
use serde::Deserialize;
use serde_json::Value;

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
    data_hex: String,
}

fn vectors() -> Vec<(String, Frame, Value)> {
    let all: Vec<Vector> =
        serde_json::from_str(include_str!("../../../../tests/vectors/can-bms-vectors.json")).unwrap();
    let own = all.into_iter().filter(|vector| vector.variant == "sma_si");
    own.map(|vector| {
        let number = u32::from_str_radix(vector.frame.id.trim_start_matches("0x"), 16).unwrap();
        let hex = &vector.frame.data_hex;
        let bytes: Vec<u8> =
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
        (vector.name, Frame::new(CanId::standard(number).unwrap(), &bytes).unwrap(), vector.decoded)
    })
    .collect()
}

/// Written by hand from the document, as the unit would.
fn written(status: &Status) -> Vec<u8> {
    let words = |words: &[f64]| words.iter().flat_map(|word| (word.round() as i16).to_le_bytes()).collect();
    match *status {
        Status::ExternalPower { external_power_l1_w: a, external_power_l2_w: b } => {
            words(&[f64::from(a) / 100.0, f64::from(b) / 100.0, 0.0, 0.0])
        }
        Status::Output {
            output_voltage_l1_v: a,
            output_voltage_l2_v: b,
            output_voltage_l3_v: c,
            output_frequency_hz: hz,
        } => words(&[a * 10.0, b * 10.0, c * 10.0, hz * 100.0]),
        Status::Battery { battery_voltage_v, battery_current_a, battery_temperature_c, soc_pct } => words(&[
            battery_voltage_v * 10.0,
            battery_current_a * -10.0,
            battery_temperature_c * 10.0,
            soc_pct * 10.0,
        ]),
        Status::Relays { external_relay_closed: closed, external_voltage_valid: valid } => {
            vec![0, 0, u8::from(closed) << 7 | u8::from(valid) << 6, 0, 0, 0, 0, 0]
        }
        _ => panic!("no vector has it"),
    }
}

#[test]
fn every_vector_is_read_to_exactly_its_values_and_written_again_as_it_was() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 5);
    for (name, frame, decoded) in vectors {
        let status = decode(&frame).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(serde_json::to_value(status).unwrap(), decoded, "{name}");
        assert_eq!(written(&status), frame.data(), "{name}");
    }
}

#[test]
fn what_is_too_short_or_another_s_is_not_read() {
    for id in [0x300, 0x304, 0x305, 0x306, 0x307, 0x308, 0x309] {
        let short = Frame::new(CanId::standard(id).unwrap(), &[0]).unwrap();
        assert_eq!(decode(&short), None, "{id:X}");
        let extended = Frame::new(CanId::extended(id).unwrap(), &[0; 8]).unwrap();
        assert_eq!(decode(&extended), None, "{id:X}");
    }
    assert_eq!(decode(&Frame::new(CanId::standard(0x351).unwrap(), &[0; 8]).unwrap()), None);
}

#[test]
fn numbers_of_errors_have_words() {
    assert_eq!(error(0), "");
    assert_eq!(error(931), "F931: the battery's alarm, fault of the BMS");
    assert_eq!(error(937), "W937: the battery's warning, voltage too high");
    assert_eq!(error(935), "F935: an alarm of the battery");
    assert!(error(952).contains("60 s"));
    assert!(error(301).starts_with("301: see"));
}
