use std::time::Duration;

use bms_can::candump::entries;
use bms_can::frame::Frame;
use bms_can::protocols::PROTOCOLS;
use bms_can::recognise::{Evidence, Verdict};

use crate::support::{bytes, extended, frame, protocol};

/// A battery that sends its frames each second for `seconds`.
fn heard(frames: &[Frame], seconds: u64) -> (Evidence, Duration) {
    let mut evidence = Evidence::default();
    for second in 0..=seconds {
        for frame in frames {
            evidence.see(frame, Duration::from_secs(1000 + second));
        }
    }
    (evidence, Duration::from_secs(1000 + seconds))
}

fn name(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Recognised { protocol, .. } => protocol.name,
        Verdict::Listening => "listening",
        Verdict::Foreign { .. } => "foreign",
        Verdict::Unknown { .. } => "unknown",
    }
}

fn capture(text: &str) -> Vec<Frame> {
    entries(text.as_bytes()).map(|entry| entry.unwrap().entry.frame).collect()
}

/// A Discover AES battery as its gateway presents it: tenths of a volt, capacity in 0x354.
fn discover() -> Vec<Frame> {
    [
        (0x351, "2E02040B040BE001"),
        (0x354, "2C01BA0000000000"),
        (0x355, "3E006400"),
        (0x356, "0A0211FFBE00"),
        (0x35A, "00000000000000"),
        (0x35E, "444953434F564552"),
        (0x372, "00000002"),
        (0x373, "01000000"),
    ]
    .map(|(id, data)| frame(id, &bytes(data)))
    .to_vec()
}

fn pylontech() -> Vec<Frame> {
    capture(include_str!("../../../../tests/captures/pylontech_4modules.txt"))
}

fn byd() -> Vec<Frame> {
    capture(include_str!("../../../../tests/captures/byd_lv.log"))
}

fn pairs_set(maker: &[u8]) -> Vec<Frame> {
    vec![
        frame(0x351, &bytes("1402740E740ECC01")),
        frame(0x355, &bytes("1A0064005A0A")),
        frame(0x356, &bytes("841300003700")),
        frame(0x35A, &bytes("A8828202A8828202")),
        frame(0x35E, maker),
    ]
}

fn with(mut frames: Vec<Frame>, more: &[Frame]) -> Vec<Frame> {
    frames.extend_from_slice(more);
    frames
}

#[test]
fn each_dialect_is_known_by_what_its_batteries_send() {
    let sol_ark = [
        frame(0x351, &bytes("1402740E740ECC01")),
        frame(0x355, &bytes("1A00640000000000")),
        frame(0x356, &bytes("0A0211FFBE000000")),
        frame(0x359, &bytes("0000000002504E00")),
        frame(0x35C, &bytes("C000000000000000")),
        frame(0x35E, b"FORTRESS"),
    ];
    let luxpower = [
        frame(0x351, &bytes("1402740E740ECC01")),
        frame(0x355, &bytes("5A006400E40CDA0C")),
        frame(0x356, &bytes("841300003700 2D00")),
        frame(0x359, &bytes("0000000003C80000")),
        frame(0x35C, &bytes("C000000000000000")),
    ];
    let goodwe = [
        frame(0x351, &bytes("1402740E740ECC01")),
        frame(0x355, &bytes("1A00640000000000")),
        frame(0x356, &bytes("0A0211FFBE000000")),
        frame(0x359, &[0; 8]),
        frame(0x35C, &bytes("C000000000000000")),
        frame(0x399, &bytes("6600000000000000")),
    ];
    let growatt = [
        frame(0x311, &bytes("023803E807D00401")),
        frame(0x312, &bytes("0000000001AABB10")),
        frame(0x313, &bytes("1653000000E86364")),
        frame(0x319, &bytes("C00CE60CE4030100")),
    ];
    let zeros_like_sma = [
        frame(0x351, &bytes("5802E803D007CC01")),
        frame(0x355, &bytes("63006400DE26")),
        frame(0x356, &bytes("00000000F000")),
        frame(0x35A, &[0; 8]),
        frame(0x35E, b"BATRIUM "),
        frame(0x35F, &bytes("03040A0476020000")),
    ];
    let diybms = [
        frame(0x351, &bytes("440264009CFF3F02")),
        frame(0x355, &bytes("1A006400")),
        frame(0x356, &bytes("941400008C00")),
        frame(0x359, &[0; 8]),
        frame(0x35E, b"PYLON   "),
    ];
    let deye = with(
        pylontech().into_iter().filter(|f| f.id().number() != 0x35E).collect(),
        &[frame(0x35E, b"DEYE    ")],
    );
    let hub: Vec<Frame> = pylontech().iter().map(|f| extended(0x1000 + f.id().number(), f.data())).collect();
    for (frames, expected) in [
        (pylontech(), "pylontech_lv"),
        (hub, "pylontech_lv"),
        (diybms.to_vec(), "pylontech_lv"),
        (deye, "deye_lv"),
        (byd(), "byd_lv"),
        (capture(include_str!("../../../../tests/captures/pytes_native_1.log")), "pytes_native"),
        (discover(), "discover"),
        (capture(include_str!("../../../../tests/captures/ecoworthy_cubix_2packs.txt")), "pylontech_lv"),
        (pairs_set(b"PYTES"), "pytes"),
        (pairs_set(b"JBD"), "victron"),
        (with(pairs_set(b"JBD"), &[frame(0x373, &bytes("CA0CCF0C1B011C01"))]), "victron"),
        (with(pairs_set(b"JBD"), &[frame(0x306, &[0; 8])]), "sma_bms"),
        (zeros_like_sma.to_vec(), "sma_bms"),
        (sol_ark.to_vec(), "sol_ark"),
        (luxpower.to_vec(), "luxpower"),
        (goodwe.to_vec(), "goodwe_lv"),
        (growatt.to_vec(), "growatt_lv"),
    ] {
        let (evidence, now) = heard(&frames, 4);
        assert_eq!(name(&evidence.verdict(now)), expected);
        // The right choice is never contradicted.
        assert_eq!(evidence.contradiction(protocol(expected), now), None, "{expected}");
    }
}

#[test]
fn a_dialect_is_not_told_from_one_frame() {
    for frame in pylontech().into_iter().chain(byd()) {
        let (evidence, now) = heard(&[frame], 10);
        assert!(!matches!(evidence.verdict(now), Verdict::Recognised { .. }), "{frame:?}");
    }
}

#[test]
fn nothing_is_said_before_the_battery_can_have_said_all() {
    assert_eq!(name(&Evidence::default().verdict(Duration::from_secs(100))), "listening");
    let unnamed: Vec<Frame> = pylontech().into_iter().filter(|f| f.id().number() != 0x35E).collect();
    let (evidence, now) = heard(&unnamed, 1);
    assert_eq!(name(&evidence.verdict(now)), "listening");
    assert_eq!(evidence.contradiction(protocol("victron"), now), None);
    assert_eq!(name(&evidence.best()), "pylontech_lv");
    // Two whole cycles and the maker's name are enough.
    let (evidence, now) = heard(&pylontech(), 2);
    assert_eq!(name(&evidence.verdict(now)), "pylontech_lv");
}

#[test]
fn traffic_of_others_is_named_and_not_taken_for_a_dialect() {
    let valence = [
        frame(0x0C0, &[50, 1, 0, 0, 0, 4, 0, 0]),
        frame(0x180, &[1, 0, 0, 2, 3, 0, 0, 0]),
        frame(0x351, &bytes("1402740E740ECC01")),
        frame(0x355, &bytes("1A006400")),
        frame(0x359, &bytes("0000000002504E")),
    ];
    let jk = [frame(0x2F4, &bytes("1302B20F51000000")), frame(0x4F4, &bytes("FF0C06FC0C010000"))];
    let daly = [extended(0x1895_4001, &bytes("010CF20CF30CF34B"))];
    let rvc = [extended(0x19FF_FD8F, &[0; 8])];
    let hv = [extended(0x4210, &bytes("A50930759D042E64")), extended(0x4220, &bytes("8C0AE9074A794A79"))];
    for (frames, what) in
        [(&valence[..], "U-BMS"), (&jk, "JK"), (&daly, "Daly"), (&rvc, "RV-C"), (&hv, "high-voltage")]
    {
        let (evidence, now) = heard(frames, 5);
        assert!(matches!(evidence.verdict(now), Verdict::Foreign { what: told, .. } if told.contains(what)));
        let sentence = evidence.contradiction(protocol("pylontech_lv"), now).unwrap();
        assert!(sentence.contains(what), "{sentence}");
    }
    // Afore uses the same ids for other things, and no name: nothing fits.
    let afore: Vec<Frame> =
        (0x350..=0x35A).map(|id| frame(id, &[0x08, 0x02, 0x88, 0x13, 0xE8, 0x03, 0xFF, 0xFF])).collect();
    let (evidence, now) = heard(&afore, 5);
    assert_eq!(name(&evidence.verdict(now)), "unknown");
}

#[test]
fn a_wrong_choice_is_explained_within_five_seconds() {
    let (evidence, now) = heard(&pylontech(), 4);
    for wrong in ["victron", "byd_lv", "sma_bms", "growatt_lv", "pytes_native", "discover", "luxpower"] {
        let sentence = evidence.contradiction(protocol(wrong), now).unwrap();
        assert!(sentence.contains(&format!("protocol = \"{wrong}\" does not fit")), "{sentence}");
        assert!(sentence.contains("0x359 carries the letters \"PN\""), "{sentence}");
        assert!(sentence.ends_with("set protocol = \"pylontech_lv\""), "{sentence}");
    }
    let (evidence, now) = heard(&byd(), 4);
    let sentence = evidence.contradiction(protocol("pylontech_lv"), now).unwrap();
    assert!(sentence.ends_with("set protocol = \"byd_lv\""), "{sentence}");
}

#[test]
fn a_choice_that_reads_the_same_is_left_alone() {
    let (evidence, now) = heard(&pylontech(), 5);
    for same in ["deye_lv", "ecoworthy_ext"] {
        assert_eq!(evidence.contradiction(protocol(same), now), None);
    }
    let (evidence, now) = heard(&byd(), 5);
    for same in ["victron", "pytes"] {
        assert_eq!(evidence.contradiction(protocol(same), now), None);
    }
}

#[test]
fn an_inverter_that_calls_for_a_battery_says_nothing_of_it() {
    let (evidence, now) = heard(&[frame(0x305, &[0; 8]), frame(0x307, &[0; 8])], 20);
    assert_eq!(name(&evidence.verdict(now)), "listening");
    assert_eq!(evidence.contradiction(protocol("growatt_lv"), now), None);
}

#[test]
fn a_battery_that_was_exchanged_is_recognised_anew() {
    let (mut evidence, now) = heard(&pylontech(), 10);
    assert_eq!(name(&evidence.verdict(now)), "pylontech_lv");
    for second in 70..75 {
        for frame in byd() {
            evidence.see(&frame, now + Duration::from_secs(second));
        }
    }
    assert_eq!(name(&evidence.verdict(now + Duration::from_secs(74))), "byd_lv");
}

#[test]
fn strange_traffic_is_told_of_with_its_ids() {
    let (evidence, now) = heard(&[frame(0x123, &[1]), frame(0x456, &[2])], 5);
    let sentence = evidence.contradiction(protocol("pylontech_lv"), now).unwrap();
    assert!(sentence.contains("0x123, 0x456"), "{sentence}");
    for configured in PROTOCOLS {
        assert!(Evidence::default().contradiction(configured, now).is_none());
    }
}
