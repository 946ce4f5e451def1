//! Traffic of any kind: which dialect it is.

use std::time::Duration;

use bms_can::protocols::PROTOCOLS;
use bms_can::recognise::{Evidence, Verdict};

use crate::frames::frames;
use crate::lines::assert_line;

/// The first byte is the dialect that the user chose, the rest are frames.
pub fn run(data: &[u8]) {
    let Some((&chosen, rest)) = data.split_first() else { return };
    let chosen = PROTOCOLS[usize::from(chosen) % PROTOCOLS.len()];
    let mut evidence = Evidence::default();
    let mut now = Duration::ZERO;
    for (time, frame) in frames(rest) {
        now = time;
        evidence.see(&frame, now);
    }
    check(&evidence.best());
    let verdict = evidence.verdict(now);
    check(&verdict);
    let contradiction = evidence.contradiction(chosen, now);
    if let Some(words) = &contradiction {
        assert_line(words);
    }
    match verdict {
        Verdict::Listening => assert_eq!(contradiction, None),
        // Nothing speaks against what is recognised.
        Verdict::Recognised { protocol, .. } => assert_eq!(evidence.contradiction(protocol, now), None),
        Verdict::Foreign { .. } => assert!(contradiction.is_some()),
        Verdict::Unknown { .. } => {}
    }
}

fn check(verdict: &Verdict) {
    match verdict {
        Verdict::Listening => {}
        Verdict::Recognised { because, .. } | Verdict::Unknown { because } => assert_line(because),
        Verdict::Foreign { what, because } => {
            assert_line(what);
            assert_line(because);
        }
    }
}
