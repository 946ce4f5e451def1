use bms_can::frame::{CanId, Frame};
use bms_can::transports::slcan_codec::{Decoder, Event, Status};
use bms_can::transports::slcan_command::{BitRate, Command, encode_command, encode_frame};

use crate::support::{extended, frame};

/// What an adapter says after the first end of line.
fn said(text: &str) -> Vec<Event> {
    let mut decoder = Decoder::default();
    assert_eq!(decoder.feed(b"\r").count(), 0);
    decoder.feed(text.as_bytes()).collect()
}

#[test]
fn frames_of_all_four_kinds_are_read_in_either_case() {
    let remote = |id| Event::Frame(Frame::remote(id, 8).unwrap(), None);
    assert_eq!(
        said("t35181402740E740ECC01\r"),
        [Event::Frame(frame(0x351, &[0x14, 2, 0x74, 0x0E, 0x74, 0x0E, 0xCC, 1]), None)]
    );
    assert_eq!(said("t35e8507a4c4f4E202020\r"), [Event::Frame(frame(0x35E, b"PzLON   "), None)]);
    assert_eq!(said("T0000435541a006400\r"), [Event::Frame(extended(0x4355, &[0x1A, 0, 0x64, 0]), None)]);
    assert_eq!(said("r3058\r"), [remote(CanId::standard(0x305).unwrap())]);
    assert_eq!(said("R000043058\r"), [remote(CanId::extended(0x4305).unwrap())]);
    assert_eq!(said("t1230\r"), [Event::Frame(frame(0x123, &[]), None)]);
}

#[test]
fn a_timestamp_may_follow() {
    assert_eq!(said("t12321402EA5F\r"), [Event::Frame(frame(0x123, &[0x14, 2]), Some(59_999))]);
    assert_eq!(
        said("r12380001\r"),
        [Event::Frame(Frame::remote(CanId::standard(0x123).unwrap(), 8).unwrap(), Some(1))]
    );
    // The longest line there is: thirty characters.
    assert_eq!(
        said("T1FFFFFFF811223344556677880000\r"),
        [Event::Frame(extended(0x1FFF_FFFF, &[0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88]), Some(0))]
    );
}

#[test]
fn answers_are_told_apart() {
    assert_eq!(said("\r"), [Event::Ack]);
    assert_eq!(said("\x07"), [Event::Nack]);
    assert_eq!(said("z\rZ\r"), [Event::Sent, Event::Sent]);
    let [Event::Version(version), Event::Serial(serial)] = said("V1013\rNA123\r")[..] else { panic!() };
    assert_eq!((version.as_str(), serial.as_str()), ("1013", "A123"));
    assert_eq!(
        said("FA4\r"),
        [Event::Status(Status {
            error_warning: true,
            error_passive: true,
            bus_error: true,
            ..Status::default()
        })]
    );
}

#[test]
fn each_status_flag_is_its_bit() {
    let flags = |s: Status| {
        [
            s.rx_full,
            s.tx_full,
            s.error_warning,
            s.data_overrun,
            false,
            s.error_passive,
            s.arbitration_lost,
            s.bus_error,
        ]
    };
    for bit in 0..8 {
        let expected: [bool; 8] = std::array::from_fn(|n| n == bit && bit != 4);
        assert_eq!(flags(Status::from_bits(1 << bit)), expected, "bit {bit}");
    }
}

#[test]
fn a_frame_may_come_between_a_command_and_its_answer() {
    let events = said("t1231AA\rz\rt1231BB\r\r");
    assert_eq!(
        events,
        [
            Event::Frame(frame(0x123, &[0xAA]), None),
            Event::Sent,
            Event::Frame(frame(0x123, &[0xBB]), None),
            Event::Ack
        ]
    );
}

#[test]
fn what_was_going_on_before_we_listened_is_dropped() {
    let events: Vec<Event> = Decoder::default().feed(b"402740E740ECC01\rt1231AA\r").collect();
    assert_eq!(events, [Event::Garbage(15), Event::Frame(frame(0x123, &[0xAA]), None)]);
    // Also if it happens to look like a frame: its beginning may be missing.
    let events: Vec<Event> = Decoder::default().feed(b"t1231AA\rt1231BB\r").collect();
    assert_eq!(events, [Event::Garbage(7), Event::Frame(frame(0x123, &[0xBB]), None)]);
}

#[test]
fn no_line_spoils_more_than_itself() {
    let good = Event::Frame(frame(0x123, &[0xAA]), None);
    for bad in [
        "t",
        "t12",
        "t123",
        "t1239112233445566778899",
        "t123F",
        "t12x1AA",
        "t1231A",
        "t1231AAB",
        "t1231AA12",
        "t1231AA12345",
        "t1231AG",
        "t8001AA",
        "T2000000011",
        "T0000012",
        "r12391",
        "x",
        "q123",
        "F4",
        "F4G",
        "zz",
        "t1231AA t1231AA",
        "V\u{1}",
        "d12391122",
    ] {
        let mut expected = vec![Event::Garbage(bad.len() as u32), good];
        assert_eq!(said(&format!("{bad}\rt1231AA\r")), expected, "{bad}");
        expected.insert(1, Event::Nack);
        assert_eq!(said(&format!("{bad}\x07t1231AA\r")), expected, "{bad}");
    }
}

#[test]
fn a_line_without_end_is_dropped_and_takes_no_memory() {
    let mut decoder = Decoder::default();
    decoder.feed(b"\r").count();
    for _ in 0..1000 {
        assert_eq!(decoder.feed(&[b'A'; 1000]).count(), 0);
    }
    assert_eq!(
        decoder.feed(b"\rt1231AA\r").collect::<Vec<_>>(),
        [Event::Garbage(1_000_000), Event::Frame(frame(0x123, &[0xAA]), None)]
    );
    let just_too_long = "t12381122334455667788123456789";
    assert_eq!(said(&format!("{just_too_long}0\r")), [Event::Garbage(31)]);
}

#[test]
fn adapters_that_add_line_feeds_are_understood() {
    assert_eq!(
        said("\r\nt1231AA\r\n\r\n"),
        [Event::Ack, Event::Frame(frame(0x123, &[0xAA]), None), Event::Ack]
    );
    assert_eq!(said("\nT1FFFFFFF811223344556677880000\r").len(), 1);
    assert!(matches!(said("\nT1FFFFFFF811223344556677880000\r")[0], Event::Frame(..)));
}

#[test]
fn commands_are_written_as_the_manual_has_them() {
    let text = |command| String::from_utf8(encode_command(command).as_bytes().to_vec()).unwrap();
    for (command, expected) in [
        (Command::Flush, "\r\r\r"),
        (Command::Close, "C\r"),
        (Command::Open, "O\r"),
        (Command::ListenOnly, "L\r"),
        (Command::Version, "V\r"),
        (Command::Serial, "N\r"),
        (Command::Status, "F\r"),
        (Command::Timestamps(false), "Z0\r"),
        (Command::Timestamps(true), "Z1\r"),
    ] {
        assert_eq!(text(command), expected);
    }
    let rates = [10_000, 20_000, 50_000, 100_000, 125_000, 250_000, 500_000, 800_000, 1_000_000];
    for (number, rate) in rates.into_iter().enumerate() {
        let command = Command::SetBitRate(BitRate::from_bits_per_second(rate).unwrap());
        assert_eq!(text(command), format!("S{number}\r"));
    }
    assert_eq!(BitRate::from_bits_per_second(83_333), None);
}

#[test]
fn frames_are_written_as_the_manual_has_them() {
    let text = |frame: &Frame| String::from_utf8(encode_frame(frame).as_bytes().to_vec()).unwrap();
    assert_eq!(text(&frame(0x305, &[0; 8])), "t30580000000000000000\r");
    assert_eq!(text(&frame(0x00F, &[])), "t00F0\r");
    assert_eq!(text(&extended(0x4355, &[0x1A, 0xFF])), "T0000435521AFF\r");
    assert_eq!(text(&Frame::remote(CanId::standard(0x351).unwrap(), 8).unwrap()), "r3518\r");
    assert_eq!(text(&Frame::remote(CanId::extended(0x4351).unwrap(), 0).unwrap()), "R000043510\r");
}
