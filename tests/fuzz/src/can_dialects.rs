//! Frames of one battery: read, written again, put together to a picture, and looked at as time passes.

use std::sync::OnceLock;
use std::time::Duration;

use bms_can::battery::{Facts, Picture, Silence, View};
use bms_can::frame::Frame;
use bms_can::protocols::{Decoded, PROTOCOLS, Protocol};
use tokio::time::Instant;

use crate::frames::frames;

/// Ages at which a picture means something else.
const AGES: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_millis(3_001),
    Duration::from_millis(10_001),
    Duration::from_millis(30_001),
    Duration::from_millis(60_001),
];

/// The first byte is the dialect, the second what the user knows of the battery, the rest are its frames.
pub fn run(data: &[u8]) {
    let [dialect, known, rest @ ..] = data else { return };
    let protocol = PROTOCOLS[usize::from(*dialect) % PROTOCOLS.len()];
    let facts = Facts {
        capacity_ah: (known & 1 != 0).then_some(280.0),
        cells_in_series: (known & 2 != 0).then_some(16),
    };
    let start = start();
    let mut picture = Picture::new(protocol.pairs, known & 4 != 0);
    for (time, frame) in frames(rest) {
        let now = start + time;
        let Decoded::Good(reading) = protocol.decode(&frame) else { continue };
        written_again(protocol, &frame);
        picture.apply(&reading.message, now);
        assert!(picture.next_change(now).is_none_or(|at| at > now));
        if let Some(view) = picture.view(&facts, now) {
            check(&picture, &view, now);
        }
    }
    let last = frames(rest).last().map_or(start, |(time, _)| start + time);
    let mut before: Option<View> = None;
    for now in AGES.map(|age| last + age) {
        let Some(view) = picture.view(&facts, now) else { continue };
        check(&picture, &view, now);
        // Time alone never allows more.
        if let Some(before) = before {
            assert!(view.limits.charge_current_a <= before.limits.charge_current_a);
            assert!(view.limits.discharge_current_a <= before.limits.discharge_current_a);
        }
        before = Some(view);
    }
    let identity = picture.identity();
    for text in
        [identity.manufacturer(), identity.model(), identity.serial(), identity.family(), identity.firmware()]
    {
        assert!(text.is_none_or(|text| !text.is_empty() && text.is_ascii()));
    }
}

fn start() -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    *START.get_or_init(Instant::now)
}

/// What was read can be written, and is read again as the same.
fn written_again(protocol: &Protocol, frame: &Frame) {
    let Decoded::Good(read) = protocol.decode(frame) else { return };
    let said = serde_json::to_value(read.message).expect("a message is JSON");
    let Some(written) = protocol.encode_reading(&read) else {
        // The one thing that is read and never written is a charge voltage of 0; a sum of a voltage may be beyond the
        // coarser scale.
        let has_charge_voltage =
            read.message.limits().is_none_or(|limits| limits.charge_voltage_limit_v.is_some());
        assert!(!has_charge_voltage || read.message.measurements().is_some(), "{} {frame:?}", protocol.name);
        return;
    };
    let Decoded::Good(again) = protocol.decode(&written) else {
        panic!("{} writes {written:?} and cannot read it", protocol.name)
    };
    assert_eq!((again.name, again.address), (read.name, read.address));
    // A voltage that came in the finer of two scales is rounded in the coarser.
    let steps = protocol.profile.voltage_steps;
    let voltage = read.message.measurements().and_then(|measured| measured.voltage_v).unwrap_or(0.0);
    if (voltage * steps - (voltage * steps).round()).abs() < 1e-6 {
        assert_eq!(
            serde_json::to_value(again.message).expect("a message is JSON"),
            said,
            "{}",
            protocol.name
        );
    }
    // Once put right, a frame stays as it is, to the byte.
    assert_eq!(protocol.encode_reading(&again), Some(written), "{}", protocol.name);
}

/// What holds for whatever a battery may have said.
fn check(picture: &Picture, view: &View, now: Instant) {
    let limits = &view.limits;
    for amps in [limits.charge_current_a, limits.discharge_current_a] {
        assert!((0.0..=2_000.0).contains(&amps), "{limits:?}");
        assert!(amps == 0.0 || picture.essential_silence(now).holds(), "{limits:?} from old data");
    }
    assert!(limits.charge_voltage_v.is_none_or(|v| v > 0.0), "{limits:?}");
    let nothing = view.nothing_allowed();
    assert_eq!((nothing.charge_current_a, nothing.discharge_current_a), (0.0, 0.0));
    if picture.silence(now) >= Silence::Stale {
        assert_eq!((view.voltage_v, view.current_a, view.soc_pct), (None, None, None));
    }
    assert!(view.soc_pct.is_none_or(|soc| (0.0..=100.0).contains(&soc)), "{:?}", view.soc_pct);
    assert!(view.time_to_go_s.is_none_or(|seconds| seconds >= 0));
    let numbers = [
        view.voltage_v,
        view.current_a,
        view.power_w,
        view.temperature_c,
        view.soh_pct,
        view.installed_ah,
        view.remaining_ah,
        limits.charge_voltage_v,
        limits.discharge_voltage_v,
    ];
    let more = view.cell_v.iter().chain(&view.cell_c).chain(&view.cells_v).chain(&view.energy_kwh);
    assert!(numbers.iter().chain(more).flatten().all(|v| v.is_finite()), "{view:?}");
    crate::lines::assert_line(&view.status);
}
