use bms_can::link_health::BusState;
use bms_can::transports::socketcan::error_frame::ErrorFrame;
use proptest::prelude::*;

const ERROR: u32 = 0x2000_0000;

fn error(classes: u32, data: [u8; 8]) -> ErrorFrame {
    ErrorFrame::from_raw(ERROR | classes, data).unwrap()
}

fn words(classes: u32, data: [u8; 8]) -> String {
    error(classes, data).to_string()
}

/// Error frames of the slcan driver of Linux 6.12, as candump showed them, with candump's own words.
#[test]
fn frames_of_a_real_driver_are_read_as_candump_reads_them() {
    // rx-error-warning{}, and error counters tx 50, rx 100.
    let warning = error(0x204, [0, 0x04, 0, 0, 0, 0, 50, 100]);
    assert_eq!((warning.state(), warning.counters), (Some(BusState::Warning), Some((50, 100))));
    assert_eq!(warning.to_string(), "error warning; error counters 50 sending, 100 receiving");
    let passive = error(0x204, [0, 0x10, 0, 0, 0, 0, 50, 130]);
    assert_eq!(passive.state(), Some(BusState::Passive));
    // protocol-violation{{}{acknowledge-slot}}, no-acknowledgement-on-tx, bus-error
    let alone = error(0xA8, [0, 0, 0, 0x19, 0, 0, 0, 0]);
    assert!(alone.not_acknowledged && alone.bus_error && alone.violation.unwrap().is_acknowledgement());
    assert_eq!(alone.to_string(), "nobody acknowledges; broken frame: acknowledgement");
    // protocol-violation{{frame-format-error,bit-stuffing-error}{}}, bus-error
    assert_eq!(words(0x88, [0, 0, 0x06, 0, 0, 0, 0, 0]), "broken frame: frame format, bit stuffing");
    // controller-problem{rx-overflow}, protocol-violation{{}{}}, bus-error
    assert_eq!(words(0x8C, [0, 1, 0, 0, 0, 0, 0, 0]), "the adapter lost received frames; broken frame");
    assert_eq!(error(0x40, [0; 8]).state(), Some(BusState::BusOff));
    // controller-problem{back-to-error-active}
    assert_eq!(error(0x204, [0, 0x40, 0, 0, 0, 0, 0, 0]).state(), Some(BusState::Active));
}

#[test]
fn each_class_has_its_words() {
    assert_eq!(words(0x01, [0; 8]), "a frame could not be sent");
    assert_eq!(words(0x02, [7, 0, 0, 0, 0, 0, 0, 0]), "another node was faster");
    assert_eq!(words(0x20, [0; 8]), "nobody acknowledges");
    assert_eq!(words(0x40, [0; 8]), "bus-off: the controller has left the bus");
    assert_eq!(words(0x80, [0; 8]), "an error on the bus");
    assert_eq!(words(0x100, [0; 8]), "the controller is back on the bus");
    assert_eq!(error(0x100, [0; 8]).state(), Some(BusState::Active));
    assert_eq!(words(0x200, [0, 0, 0, 0, 0, 0, 136, 9]), "error counters 136 sending, 9 receiving");
    assert_eq!(words(0, [0xFF; 8]), "an error of a kind that is not known");
}

#[test]
fn each_bit_of_a_violation_and_of_the_controller_is_its_own() {
    let kinds = [
        "broken frame: single bit",
        "broken frame: frame format",
        "broken frame: bit stuffing",
        "broken frame: a dominant bit could not be sent",
        "broken frame: a recessive bit could not be sent",
        "broken frame: overload",
        "error announced by another node",
        "broken frame, while sending",
    ];
    for (bit, expected) in kinds.into_iter().enumerate() {
        assert_eq!(words(0x08, [0, 0, 1 << bit, 0, 0, 0, 0, 0]), expected);
    }
    let states = [
        None,
        None,
        Some(BusState::Warning),
        Some(BusState::Warning),
        Some(BusState::Passive),
        Some(BusState::Passive),
        Some(BusState::Active),
    ];
    for (bit, expected) in states.into_iter().enumerate() {
        let frame = error(0x04, [0, 1 << bit, 0, 0, 0, 0, 0, 0]);
        assert_eq!(frame.state(), expected, "bit {bit}");
        let c = frame.controller;
        let bits =
            [c.rx_overflow, c.tx_overflow, c.rx_warning, c.tx_warning, c.rx_passive, c.tx_passive, c.active];
        assert_eq!(bits, std::array::from_fn(|n| n == bit), "bit {bit}");
    }
}

#[test]
fn the_transceiver_names_the_wire() {
    let wires = |code| words(0x10, [0, 0, 0, 0, code, 0, 0, 0]);
    assert_eq!(wires(0x00), "the transceiver reports a fault");
    assert_eq!(wires(0x04), "CAN-H is not connected");
    assert_eq!(wires(0x05), "CAN-H has battery voltage");
    assert_eq!(wires(0x07), "CAN-H is shorted to ground");
    assert_eq!(wires(0x40), "CAN-L is not connected");
    assert_eq!(wires(0x60), "CAN-L has supply voltage");
    assert_eq!(wires(0x47), "CAN-H is shorted to ground, CAN-L is not connected");
    assert_eq!(wires(0x80), "CAN-H and CAN-L are shorted");
}

#[test]
fn places_of_a_violation() {
    let place = |code| error(0x08, [0, 0, 0, code, 0, 0, 0, 0]).violation.unwrap().place();
    assert_eq!(place(0x03), "start of frame");
    assert_eq!(place(0x0A), "data");
    assert_eq!(place(0x08), "checksum");
    assert_eq!(place(0x19), "acknowledgement");
    assert_eq!(place(0x1A), "end of frame");
    assert_eq!(place(0x00), "");
}

proptest! {
    #[test]
    fn anything_has_words_and_only_error_frames_are_errors(id: u32, data: [u8; 8]) {
        let frame = ErrorFrame::from_raw(id, data);
        prop_assert_eq!(frame.is_some(), id & ERROR != 0);
        if let Some(frame) = frame {
            let words = frame.to_string();
            prop_assert!(!words.is_empty() && !words.ends_with([' ', ';', ',', ':']), "{}", words);
        }
    }
}
