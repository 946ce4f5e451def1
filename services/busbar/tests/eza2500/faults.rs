//! Faults of the line in any order: no wrong value, and the next good exchange works.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::bed::{Bed, Site};
use super::http::Answer;

/// A fault as the simulator is told.
pub(crate) fn fault() -> impl Strategy<Value = String> {
    let kind = prop_oneof![
        Just("drop".to_owned()),
        Just("badsum".to_owned()),
        Just("wrongcmd".to_owned()),
        Just("wronglen".to_owned()),
        Just("ackshort".to_owned()),
        Just("echo".to_owned()),
        Just("wrongaddr".to_owned()),
        (0_u32..24).prop_map(|n| format!("truncate n={n}")),
        (0_u32..=0xFFFF).prop_map(|ercd| format!("nak ercd={ercd}")),
        (60_u32..190).prop_map(|ms| format!("delay ms={ms}")),
        (10_u32..150).prop_map(|ms| format!("split ms={ms}")),
        "([0-9a-f]{2}){1,12}".prop_map(|hex| format!("garbage hex={hex}")),
        "(02(02|04|10)){1,4}".prop_map(|hex| format!("garbage hex={hex}")),
        "([0-9a-f]{2}){1,12}".prop_map(|hex| format!("trail hex={hex}")),
    ];
    (kind, prop_oneof![Just(0_u8), Just(1), Just(9)], 1_u32..3)
        .prop_map(|(kind, code, count)| format!("fault {kind} cmd={code} count={count}"))
}

#[test]
fn after_any_faults_in_any_order_no_value_is_wrong_and_the_next_exchange_works() {
    let about = "    number_of_dcdc_error_retry: 1\n    number_of_timeout_retry: 1\n".to_owned();
    let mut bed = Bed::start(&Site { about, ..Site::default() });
    let mut runner = TestRunner::new(Config { cases: 16, failure_persistence: None, ..Config::default() });
    let bed = std::cell::RefCell::new(&mut bed);
    let count = std::cell::Cell::new(0_i64);
    let faults = proptest::collection::vec(proptest::collection::vec(fault(), 0..3), 1..4);
    let outcome = runner.run(&faults, |steps| {
        let mut bed = bed.borrow_mut();
        for faults in steps {
            // Other values at each step: an answer of the step before would be noticed.
            count.set(count.get() + 1);
            let word = 10_000 + count.get() % 5_000;
            let mode = if count.get() % 2 == 0 { 0x02 } else { 0x41 };
            bed.command(&format!("set vg={word} mode={mode} cst={}", count.get() % 3));
            for fault in &faults {
                bed.command(fault);
            }
            let answer = bed.get("/dcdc/get");
            check(&answer, word, count.get() % 3)?;
            bed.command("clear");
            bed.journal();
            let answer = testbed::one_of(3, || without_delay(&mut bed));
            prop_assert_eq!(answer.status, 200, "after {:?}: {}", faults, answer.body);
            check(&answer, word, count.get() % 3)?;
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

/// The answer to a request, unless it is that there was none: on a machine on which a simulator without a fault is too late twice.
fn without_delay(bed: &mut Bed) -> Result<Answer, String> {
    let answer = bed.get("/dcdc/get");
    let was_repeated = bed.commands().windows(2).any(|pair| pair[0] == pair[1]);
    let is_late = answer.status != 200 && answer.body.contains("read timeout") && was_repeated;
    if is_late { Err(answer.body) } else { Ok(answer) }
}

fn check(answer: &Answer, word: i64, running: i64) -> Result<(), TestCaseError> {
    let json = answer.json();
    if answer.status != 200 {
        prop_assert!(json["err"].as_str().is_some_and(|text| !text.is_empty()));
        return Ok(());
    }
    let volts = word as f64 * 380.0 / 16_384.0;
    prop_assert!((json["meter"]["vg"].as_f64().unwrap() - volts).abs() < 1e-9, "{}", json);
    let words = ["off", "charge", "discharge"];
    prop_assert_eq!(json["status"]["runningState"].as_str(), Some(words[usize::try_from(running).unwrap()]));
    prop_assert_eq!(json["vdis"]["dvg"].as_f64(), Some(349.987_792_968_75));
    Ok(())
}
