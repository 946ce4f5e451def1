use std::time::Duration;

use bms_can::link_health::BusState;
use bms_can::transports::socketcan::diagnosis::{Cause, Symptoms};
use bms_can::transports::socketcan::error_frame::ErrorFrame;
use tokio::time::Instant;

fn error(classes: u32, data: [u8; 8]) -> ErrorFrame {
    ErrorFrame::from_raw(0x2000_0000 | classes, data).unwrap()
}

fn seen(times: usize, error: ErrorFrame, now: Instant) -> Symptoms {
    let mut symptoms = Symptoms::default();
    (0..times).for_each(|_| symptoms.see(&error, now));
    symptoms
}

const GARBLED: (u32, [u8; 8]) = (0x88, [0, 0, 0x04, 0x0A, 0, 0, 0, 0]);

#[tokio::test(start_paused = true)]
async fn a_node_alone_on_its_bus_is_told_that_nobody_acknowledges() {
    let now = Instant::now();
    let (active, passive) = (Some(BusState::Active), Some(BusState::Passive));
    let alone = Symptoms::default();
    // What a controller shows that sends and is alone: 128 and no further (ISO 11898-1).
    assert_eq!(alone.cause(passive, Some((128, 0)), now), Some(Cause::NoPartner));
    let reported = seen(3, error(0xA8, [0, 0, 0x80, 0x19, 0, 0, 0, 0]), now);
    assert_eq!(reported.cause(active, None, now), Some(Cause::NoPartner));
    let timeout = seen(3, error(0x01, [0; 8]), now);
    assert_eq!(timeout.cause(None, None, now), Some(Cause::NoPartner));
}

#[tokio::test(start_paused = true)]
async fn broken_frames_are_told_as_bit_rate_termination_or_wiring() {
    let now = Instant::now();
    let (classes, data) = GARBLED;
    let garbled = seen(3, error(classes, data), now);
    assert_eq!(garbled.cause(Some(BusState::Active), None, now), Some(Cause::Garbled));
    assert_eq!(
        Symptoms::default().cause(Some(BusState::Passive), Some((0, 130)), now),
        Some(Cause::Garbled),
        "receive errors alone: another bit rate"
    );
    let words = Cause::Garbled.to_string();
    assert!(words.contains("bit rate") && words.contains("120 ohm") && words.contains("wiring"), "{words}");
}

#[tokio::test(start_paused = true)]
async fn a_bus_with_frames_has_partners() {
    let now = Instant::now();
    let mut symptoms = Symptoms::default();
    symptoms.heard(now);
    let passive = Some(BusState::Passive);
    assert_eq!(symptoms.cause(passive, Some((128, 0)), now), Some(Cause::Garbled));
    let later = now + Duration::from_secs(10);
    assert_eq!(symptoms.cause(passive, Some((128, 0)), later), Some(Cause::NoPartner));
}

#[tokio::test(start_paused = true)]
async fn one_bad_frame_is_no_trouble_and_old_ones_are_forgotten() {
    let now = Instant::now();
    let (classes, data) = GARBLED;
    assert_eq!(seen(2, error(classes, data), now).cause(Some(BusState::Active), None, now), None);
    let three = seen(3, error(classes, data), now);
    assert_eq!(three.cause(Some(BusState::Active), None, now + Duration::from_secs(10)), None);
    let mut hourly = Symptoms::default();
    for hour in 0..24 {
        let at = now + Duration::from_secs(3600 * hour);
        hourly.see(&error(classes, data), at);
        assert_eq!(hourly.cause(Some(BusState::Active), None, at), None);
    }
}

#[tokio::test(start_paused = true)]
async fn bus_off_wires_and_losses_have_words_of_their_own() {
    let now = Instant::now();
    let none = Symptoms::default();
    assert_eq!(none.cause(Some(BusState::BusOff), None, now), Some(Cause::BusOff));
    let Some(Cause::Wires(wires)) =
        seen(1, error(0x10, [0, 0, 0, 0, 0x80, 0, 0, 0]), now).cause(None, None, now)
    else {
        panic!()
    };
    assert_eq!(wires.to_string(), "CAN-H and CAN-L are shorted");
    let overflow = seen(3, error(0x04, [0, 1, 0, 0, 0, 0, 0, 0]), now);
    assert_eq!(overflow.cause(Some(BusState::Active), None, now), Some(Cause::AdapterLosesFrames));
    let mut late = Symptoms::default();
    late.lost(u32::MAX, now);
    assert_eq!(late.cause(None, None, now), Some(Cause::ReadTooLate));
    assert_eq!(none.cause(Some(BusState::Active), Some((0, 0)), now), None);
}
