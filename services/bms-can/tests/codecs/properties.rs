//! What holds for any input.

use std::time::Duration;

use bms_can::candump::{Entry, Interface, entries, parse};
use bms_can::frame::{CanId, Frame};
use bms_can::protocols::{Decoded, PROTOCOLS, Protocol};
use bms_can::recognise::Evidence;
use bms_can::transports::slcan_codec::{Decoder, Event};
use bms_can::transports::slcan_command::encode_frame;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::json;

fn any_id() -> impl Strategy<Value = CanId> {
    prop_oneof![
        (0..=0x7FF_u32).prop_map(|n| CanId::standard(n).unwrap()),
        (0..=0x1FFF_FFFF_u32).prop_map(|n| CanId::extended(n).unwrap()),
    ]
}

fn any_frame() -> impl Strategy<Value = Frame> {
    prop_oneof![
        8 => (any_id(), vec(any::<u8>(), 0..=8)).prop_map(|(id, data)| Frame::new(id, &data).unwrap()),
        1 => (any_id(), 0..=8_u8).prop_map(|(id, len)| Frame::remote(id, len).unwrap()),
    ]
}

/// A frame that one of the dialects has, with any content; plausible bytes more often than not.
fn frame_of_a_dialect() -> impl Strategy<Value = (&'static Protocol, Frame)> {
    let rows: Vec<(&'static Protocol, CanId)> =
        PROTOCOLS.iter().flat_map(|&p| p.rows().map(move |row| (p, row.id))).collect();
    let word = prop_oneof![
        Just([0_u8, 0]),
        Just([0xFF, 0xFF]),
        any::<[u8; 2]>(),
        any::<u8>().prop_map(|b| [b, 0]),
        (0x0C..0x15_u8, any::<u8>()).prop_map(|(high, low)| [low, high]),
        (b'0'..=b'Z').prop_map(|b| [b, b])
    ];
    (prop::sample::select(rows), vec(word, 4), 0..=8_usize)
        .prop_map(|((protocol, id), words, len)| (protocol, Frame::new(id, &words.concat()[..len]).unwrap()))
}

fn good(decoded: Decoded) -> Option<bms_can::protocols::Reading> {
    if let Decoded::Good(reading) = decoded { Some(reading) } else { None }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_frame_is_read_by_any_dialect_without_a_panic(frame in any_frame()) {
        for protocol in PROTOCOLS {
            if let Some(reading) = good(protocol.decode(&frame)) {
                serde_json::to_string(&reading.message).unwrap();
            }
        }
    }

    #[test]
    fn what_was_read_is_written_and_read_again_the_same((protocol, frame) in frame_of_a_dialect()) {
        let Some(read) = good(protocol.decode(&frame)) else { return Ok(()) };
        let has_cvl = read.message.limits().is_none_or(|limits| limits.charge_voltage_limit_v.is_some());
        let Some(written) = protocol.encode_reading(&read) else {
            // The one thing that is read and never written.
            prop_assert!(!has_cvl || read.message.measurements().is_some(), "{} {frame:?}", protocol.name);
            return Ok(());
        };
        let again = good(protocol.decode(&written)).unwrap();
        // A voltage that came in the finer of the two scales is rounded in the coarser.
        let steps = protocol.profile.voltage_steps;
        let voltage = read.message.measurements().and_then(|measured| measured.voltage_v).unwrap_or(0.0);
        if (voltage * steps - (voltage * steps).round()).abs() < 1e-6 {
            prop_assert_eq!(json(&again.message), json(&read.message));
        }
        prop_assert_eq!((again.name, again.address), (read.name, read.address));
        // Once put right, a frame stays as it is, to the byte.
        prop_assert_eq!(protocol.encode_reading(&again), Some(written));
    }

    #[test]
    fn a_message_alone_is_written_as_its_data_sheet_has_it_and_read_again((protocol, frame) in frame_of_a_dialect()) {
        let Some(read) = good(protocol.decode(&frame)) else { return Ok(()) };
        let Some(written) = protocol.encode(&read.message) else { return Ok(()) };
        let again = good(protocol.decode(&written)).unwrap();
        prop_assert_eq!(again.name, read.name);
        let row = protocol.rows().find(|row| row.id == written.id() && row.layout.name == read.name).unwrap();
        prop_assert!(usize::from(written.len()) >= row.template.len());
        // What the message has, the frame says; padding may say more.
        let said = json(&again.message);
        for (key, value) in json(&read.message).as_object().unwrap() {
            prop_assert!(said.get(key) == Some(value) || key == "voltage_v", "{} {}", protocol.name, key);
        }
    }

    #[test]
    fn the_recogniser_takes_anything(frames in vec(any_frame(), 0..200)) {
        let mut evidence = Evidence::default();
        for (n, frame) in frames.iter().enumerate() {
            evidence.see(frame, Duration::from_millis(n as u64 * 50));
        }
        let now = Duration::from_secs(10);
        let _ = evidence.verdict(now);
        for protocol in PROTOCOLS {
            let _ = evidence.contradiction(protocol, now);
        }
    }

    #[test]
    fn a_byte_stream_says_the_same_however_it_is_cut(
        stream in vec(prop_oneof![
            3 => any_frame().prop_map(|f| encode_frame(&f).as_bytes().to_vec()),
            1 => vec(any::<u8>(), 0..40),
            1 => Just(b"\r".to_vec()),
            1 => Just(b"\x07".to_vec()),
            1 => "[trTRzZVNF0-9A-Fa-f\r\n\x07]{0,40}".prop_map(String::into_bytes),
        ], 0..20),
        cuts in vec(0..400_usize, 0..30),
    ) {
        let stream = stream.concat();
        let whole: Vec<Event> = Decoder::default().feed(&stream).collect();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(stream.len())).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let mut decoder = Decoder::default();
        let mut parts = Vec::new();
        for pair in cuts.windows(2) {
            parts.extend(decoder.feed(&stream[pair[0]..pair[1]]));
        }
        prop_assert_eq!(parts, whole);
    }

    #[test]
    fn after_any_garbage_and_an_end_of_line_the_next_frame_is_read(garbage in vec(any::<u8>(), 0..200), frame in any_frame()) {
        let mut decoder = Decoder::default();
        decoder.feed(&garbage).count();
        decoder.feed(b"\r").count();
        let events: Vec<Event> = decoder.feed(encode_frame(&frame).as_bytes()).collect();
        prop_assert_eq!(events, vec![Event::Frame(frame, None)]);
    }

    #[test]
    fn a_recording_is_read_as_it_was_written(
        frame in any_frame(), micros in 0..4_000_000_000_000_000_u64, interface in "[a-z][a-z0-9_.-]{0,14}",
    ) {
        let entry = Entry {
            timestamp: Some(Duration::from_micros(micros)),
            interface: Interface::new(&interface).unwrap(),
            frame,
        };
        prop_assert_eq!(parse(&entry.log().to_string()), Ok(Some(entry)));
        prop_assert_eq!(parse(&entry.console().to_string()), Ok(Some(entry)));
        let timeless = Entry { timestamp: None, ..entry };
        prop_assert_eq!(parse(&timeless.console().to_string()), Ok(Some(timeless)));
    }

    #[test]
    fn any_text_is_read_as_a_recording_without_a_panic(text in "[()0-9a-fA-F# \\[\\]RT_.\n'x-]{0,200}", bytes in vec(any::<u8>(), 0..500)) {
        entries(text.as_bytes()).count();
        entries(bytes.as_slice()).count();
    }
}
