//! What is on the wire, read back as an inverter reads it: never more than what was decided.

use bms_can::frame::Frame;
use bms_can::inverter::{Measured, PROFILES, Profile};
use bms_can::message::{Limits, Message};
use bms_can::protocols::{self, Decoded};
use proptest::prelude::*;

use crate::support::{frames, limits, measured, told};

/// The limits among these frames.
fn on_the_wire(profile: &Profile, sent: &[Frame]) -> Vec<Limits> {
    if profile.name.ends_with("_hv") {
        return sent.iter().filter_map(high_voltage).collect();
    }
    let dialect = protocols::by_name(profile.dialect).expect("a dialect");
    let read = |frame| match dialect.decode(frame) {
        Decoded::Good(reading) => match reading.message {
            Message::Limits(limits) => Some(limits),
            Message::LimitsAndState(both) => Some(both.limits),
            _ => None,
        },
        _ => None,
    };
    sent.iter().filter_map(read).collect()
}

/// 0x4220, or 0x4221 with the high byte first, in tenths, currents from -3000 A on: Pylontech, CAN bus protocol high voltage, V1.24.
fn high_voltage(frame: &Frame) -> Option<Limits> {
    let word = match frame.id().number() {
        0x4220 => u16::from_le_bytes,
        0x4221 => u16::from_be_bytes,
        _ => return None,
    };
    let tenths = |at: usize| f64::from(word([frame.data()[at], frame.data()[at + 1]]));
    Some(Limits {
        charge_voltage_limit_v: Some(tenths(0) / 10.0),
        charge_current_limit_a: Some((tenths(4) - 30_000.0) / 10.0),
        discharge_current_limit_a: Some((tenths(6) - 30_000.0) / 10.0),
        discharge_voltage_limit_v: Some(tenths(2) / 10.0),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_frame_carries_a_voltage_or_a_current_above_the_decided_one(
        part_v in 0.0f64..1.0,
        charge_a in 0.2f64..400.0,
        discharge_a in 0.2f64..400.0,
    ) {
        for profile in PROFILES {
            let (low_v, high_v) = profile.window.charge_v;
            let charge_v = low_v + part_v * (high_v - low_v);
            // A pack below the charge voltage: above it a Sunny Island is told that of the pack, and 0 A.
            let battery = Measured { voltage_v: low_v - 1.0, ..measured() };
            let decided = limits(charge_v, charge_a, discharge_a);
            let sent = on_the_wire(profile, &frames(profile, &told(profile, &decided, &battery)));
            prop_assert!(!sent.is_empty(), "{} tells no limits", profile.name);
            for limits in sent {
                let within = |wire: Option<f64>, decided: f64| wire.is_some_and(|wire| wire <= decided + 1e-9);
                prop_assert!(within(limits.charge_voltage_limit_v, charge_v), "{}: {:?}", profile.name, limits);
                prop_assert!(within(limits.charge_current_limit_a, charge_a), "{}: {:?}", profile.name, limits);
                prop_assert!(
                    within(limits.discharge_current_limit_a, discharge_a),
                    "{}: {:?}", profile.name, limits
                );
            }
        }
    }
}
