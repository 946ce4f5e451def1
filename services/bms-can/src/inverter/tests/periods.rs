//! When frames come: the shortest and the longest time between two of the same, in each profile, whatever happens.

use std::collections::BTreeMap;

use super::*;
use crate::inverter::PROFILES;

/// For each id the shortest and the longest time between two of it.
fn gaps(sent: &[Sent]) -> BTreeMap<u32, (Duration, Duration)> {
    let (mut last, mut gaps) = (BTreeMap::new(), BTreeMap::new());
    for (at, frame) in sent {
        let id = frame.id().number();
        if let Some(before) = last.insert(id, *at) {
            let gap = *at - before;
            let (shortest, longest): &mut (Duration, Duration) = gaps.entry(id).or_insert((gap, gap));
            (*shortest, *longest) = ((*shortest).min(gap), (*longest).max(gap));
        }
    }
    gaps
}

#[tokio::test(start_paused = true)]
async fn every_frame_of_a_cycle_keeps_its_shortest_and_its_longest_time() {
    for profile in PROFILES {
        let Rhythm::Cycle { every, at_least, at_most, frames, .. } = profile.rhythm else { continue };
        let mut bed = Bed::telling(profile);
        // Through all that changes what is told: 0 A, a loss, the safe set, the way back.
        bed.run(120 * SECOND);
        bed.manager = Manager::Decides(0.0, 90.0);
        bed.run(60 * SECOND);
        bed.manager = Manager::Gone;
        bed.run(40 * SECOND);
        bed.manager = Manager::Decides(80.0, 90.0);
        bed.run(200 * SECOND);
        let gaps = gaps(&bed.sent);
        assert_eq!(gaps.len(), frames.len(), "{}: every frame, and no other id", profile.name);
        for (id, (shortest, longest)) in gaps {
            assert!(
                shortest >= at_least && longest <= at_most,
                "{} {id:03X}: {shortest:?} {longest:?}",
                profile.name
            );
            assert!(
                shortest + STEP >= every && longest <= every + STEP,
                "{} {id:03X} is exact",
                profile.name
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_loop_that_is_late_again_and_again_keeps_both_too() {
    for profile in PROFILES {
        let Rhythm::Cycle { at_least, at_most, .. } = profile.rhythm else { continue };
        let mut bed = Bed::telling(profile);
        // Every seventh wake is late by up to 0.7 s, as on a machine that swaps.
        bed.run_late(
            300 * SECOND,
            |wake| if wake % 7 == 0 { MS * (wake * 37 % 700) } else { Duration::ZERO },
        );
        for (id, (shortest, longest)) in gaps(&bed.sent) {
            assert!(
                shortest >= at_least && longest <= at_most,
                "{} {id:03X}: {shortest:?} {longest:?}",
                profile.name
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_gets_one_whole_set_for_each_question_at_once() {
    for profile in PROFILES {
        let Rhythm::Asked { sets, every, .. } = profile.rhythm else { continue };
        let mut bed = Bed::telling(profile);
        let start = bed.now;
        bed.run(60 * SECOND);
        let sent: Vec<Sent> = bed.sent.iter().filter(|(at, _)| *at >= start).cloned().collect();
        let ids: Vec<u32> = sets[0].iter().map(|say| say.id).collect();
        assert_eq!(sent.len() % ids.len(), 0, "{}", profile.name);
        for answer in sent.chunks(ids.len()) {
            let found: Vec<u32> = answer.iter().map(|(_, frame)| frame.id().number()).collect();
            assert_eq!(found, ids, "{}", profile.name);
            assert!(answer.iter().all(|(at, _)| *at == answer[0].0), "{}: at once", profile.name);
        }
        for (id, (shortest, longest)) in gaps(&sent) {
            assert!(
                shortest >= every && longest <= every + 2 * STEP,
                "{} {id:X}: {shortest:?} {longest:?}",
                profile.name
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_profile_ever_sends_an_id_that_is_not_in_it() {
    for profile in PROFILES {
        let mut bed = Bed::telling(profile);
        bed.battery.asks_charge = true;
        bed.battery.faults.raise(crate::message::Condition::ShortCircuit, crate::battery::Level::Alarm);
        bed.run(30 * SECOND);
        let allowed: Vec<u32> = profile.says().map(|say| say.id).collect();
        for (_, frame) in &bed.sent {
            assert!(allowed.contains(&frame.id().number()), "{}: {frame:?}", profile.name);
        }
    }
}
