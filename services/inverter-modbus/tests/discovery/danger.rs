//! Registers that harm a Growatt SPF are read where none can be.

use inverter_modbus::discover::knowledge::Knowledge;
use inverter_modbus::discover::search::{Heard, Question, Verdict};
use inverter_modbus::engine::plan::Range;
use inverter_modbus::profile::builtin;
use inverter_modbus::profile::scalar::Table;
use proptest::prelude::*;

use super::line::{Device, Log, home, is_high, knowledge, line, search_of, verdicts, words};

/// Each way in which an SPF may show itself.
fn spfs() -> Vec<Device> {
    let zeros = |device: Device| device.with(Table::Holding, 9, &[0; 20]).with(Table::Input, 44, &[0]);
    vec![
        Device::of("growatt-spf"),
        zeros(Device::default()).with(Table::Input, 44, &[3403]),
        zeros(Device::default()).with(Table::Holding, 43, &[3400]),
        zeros(Device::default()).with(Table::Holding, 23, &words("SPF3500000")),
        zeros(Device::default()).with(Table::Holding, 9, &words("067.01")),
    ]
}

#[test]
fn where_an_spf_is_no_dangerous_register_is_read_on_any_unit() {
    for (n, spf) in spfs().into_iter().enumerate() {
        for unit in [1, 3, 247] {
            let others = [(0, 2, Device::of("solis-hybrid")), (0, 126, Device::chain(40_000, &[(103, 50)]))];
            let mut devices = others.to_vec();
            devices.push((0, unit, spf.clone()));
            let (findings, log) = line(&devices);
            assert!(!log.iter().any(|(question, _)| is_high(question)), "sign {n} at unit {unit}");
            let said = verdicts(&findings);
            let is_said = |verdict: &Verdict| {
                *verdict == Verdict::Is("growatt-spf".into())
                    || *verdict == Verdict::Like("a Growatt SPF".into())
            };
            assert!(said.iter().any(|(at, verdict)| *at == unit && is_said(verdict)), "sign {n}: {said:?}");
        }
    }
}

#[test]
fn a_unit_that_is_not_known_keeps_the_dangerous_registers_closed_unless_the_user_says_what_it_is() {
    let unknown = Device::of("solis-hybrid").with(Table::Holding, 0, &[7; 60]);
    let (findings, log) = line(&[(0, 1, unknown.clone())]);
    assert_eq!(verdicts(&findings), [(1, Verdict::Unknown)]);
    assert!(!log.iter().any(|(question, _)| is_high(question)));

    let chosen = Knowledge::only(builtin::by_id("solis-hybrid").unwrap()).unwrap();
    let (findings, _) = search_of(chosen, |question| unknown.read(question.range));
    assert_eq!(verdicts(&findings), [(1, Verdict::Is("solis-hybrid".into()))]);
}

/// Some say nothing about registers that they do not have.
#[test]
fn one_that_is_silent_about_an_spf_and_answers_something_else_is_read_no_dangerous_register() {
    for other in [Heard::Refused(2), Heard::Values(vec![0; 4])] {
        let (_, log) = search_of(knowledge(), |question| match (question.rate, question.unit, &other) {
            (0, 1, Heard::Refused(_)) if question.range.addr == 0 => other.clone(),
            (0, 1, Heard::Values(_)) if question.range.addr == 3 => Heard::Values(vec![0; 5]),
            _ => Heard::Silence,
        });
        let of_unit = |question: &Question| (question.rate, question.unit) == (0, 1);
        assert!(log.iter().any(|(question, heard)| of_unit(question) && *heard != Heard::Silence));
        assert!(!log.iter().any(|(question, _)| of_unit(question) && is_high(question)), "{other:?}");
    }
}

#[test]
fn one_that_answers_nothing_but_dangerous_registers_is_called_once_more_and_then_found() {
    let solis = Device::of("solis-hybrid");
    let (rate, unit) = home("solis-hybrid");
    let (findings, log) = search_of(knowledge(), |question| match solis.read(question.range) {
        heard if is_high(question) && (question.rate, question.unit) == (rate, unit) => heard,
        _ => Heard::Silence,
    });
    assert_eq!(verdicts(&findings), [(unit, Verdict::Is("solis-hybrid".into()))]);
    let its = log.iter().filter(|(question, _)| (question.rate, question.unit) == (rate, unit));
    let at = |wanted: fn(&Question) -> bool| its.clone().position(|(question, _)| wanted(question)).unwrap();
    assert_eq!(at(|question| question.is_patient) + 1, at(is_high), "directly before");
    assert_eq!(its.filter(|(question, _)| question.is_patient).count(), 1);
}

/// Asleep at first, or too slow for the usual time.
#[test]
fn an_spf_that_answers_only_the_last_call_is_recognised_and_read_no_dangerous_register() {
    let (spf, mut is_awake) = (Device::of("growatt-spf"), false);
    let (findings, log) = search_of(knowledge(), |question| match (question.rate, question.unit) {
        (0, 1) => {
            is_awake |= question.is_patient;
            if is_awake { spf.read(question.range) } else { Heard::Silence }
        }
        _ => Heard::Silence,
    });
    assert!(!log.iter().any(|(question, _)| (question.rate, question.unit) == (0, 1) && is_high(question)));
    assert_eq!(verdicts(&findings), [(1, Verdict::Is("growatt-spf".into()))]);
}

/// What the rules say, told once more: what must have been heard before a dangerous register of a unit is read.
fn check_order(log: &Log) -> Result<(), TestCaseError> {
    let says_spf = |question: &Question, heard: &Heard| {
        let Heard::Values(values) = heard else { return false };
        let Range { table, addr, count } = question.range;
        let at = |wanted: u16| (addr..=u16::MAX).take(count.into()).zip(values).find(|(at, _)| *at == wanted);
        let code = |wanted| at(wanted).is_some_and(|(_, code)| (3400..=3403).contains(code));
        values.len() == usize::from(count)
            && ((table == Table::Input && code(44)) || (table == Table::Holding && code(43)))
    };
    let is_answer = |(question, heard): &(Question, Heard)| match heard {
        Heard::Values(values) => values.len() == usize::from(question.range.count),
        heard => matches!(heard, Heard::Refused(_)),
    };
    for (n, (question, _)) in log.iter().enumerate().filter(|(_, (question, _))| is_high(question)) {
        let before = &log[..n];
        let low = before.iter().filter(|(other, _)| {
            (other.rate, other.unit) == (question.rate, question.unit) && !is_high(other)
        });
        let is_there = low.clone().any(is_answer);
        let was_called = low.clone().any(|(other, heard)| other.is_patient && *heard == Heard::Silence);
        prop_assert!(is_there || was_called, "{question:?} without a last call");
        for (other, heard) in before {
            prop_assert!(!says_spf(other, heard), "{question:?} although {other:?} said {heard:?}");
        }
        for (table, first, last) in [
            (Table::Input, 44, 44),
            (Table::Holding, 43, 43),
            (Table::Holding, 23, 27),
            (Table::Holding, 9, 11),
        ] {
            let mut of_unit = low.clone().filter(|(other, _)| {
                let Range { table: at, addr, count } = other.range;
                at == table && addr <= first && last < addr + count
            });
            let silences = of_unit.clone().filter(|(_, heard)| *heard == Heard::Silence).count();
            prop_assert!(
                of_unit.any(is_answer) || !is_there && silences >= 2,
                "{question:?} before {table} {first} was answered"
            );
        }
    }
    Ok(())
}

fn mixed(seed: u64, question: &Question, turn: usize) -> u64 {
    let Range { table, addr, count } = question.range;
    let key =
        (u64::from(addr) << 32) | (u64::from(count) << 16) | (table as u64) << 8 | u64::from(question.unit);
    let mut mixed = seed ^ key.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (turn as u64 * question.rate as u64);
    mixed ^= mixed >> 29;
    mixed = mixed.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed ^ mixed >> 32
}

fn any_device() -> impl Strategy<Value = Device> {
    let ids: Vec<&str> = builtin::ids().filter(|id| !id.starts_with("sunspec-")).collect();
    let base = prop_oneof![
        prop::sample::select(ids).prop_map(Device::of),
        prop::sample::select(spfs()),
        prop::sample::select(vec![0_u16, 40_000, 50_000]).prop_map(|base| Device::chain(base, &[(103, 50)])),
        Just(Device::default()),
    ];
    let extra =
        prop::collection::vec((any::<bool>(), prop_oneof![0_u16..60, any::<u16>()], any::<u16>()), 0..20);
    (base, extra).prop_map(|(mut device, extra)| {
        for (is_input, addr, word) in extra {
            device.put(if is_input { Table::Input } else { Table::Holding }, addr, &[word]);
        }
        device
    })
}

proptest! {
    // Each case is a whole line.
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_devices_are_on_a_line_no_dangerous_register_is_read_before_an_spf_is_excluded(
        devices in prop::collection::vec((0_usize..2, prop::sample::select(vec![1_u8, 2, 3, 100, 126, 247]), any_device()), 0..4),
        noise in any::<u64>(),
        loss in 0_u64..4,
    ) {
        let mut turn = 0;
        let (_, log) = search_of(knowledge(), |question| {
            turn += 1;
            let lost = mixed(noise, question, turn) % 16;
            let device = devices.iter().find(|(rate, unit, _)| (*rate, *unit) == (question.rate, question.unit));
            match device {
                Some((.., device)) if lost >= loss => device.read(question.range),
                Some(_) if lost == 0 => Heard::Garbage,
                _ => Heard::Silence,
            }
        });
        check_order(&log)?;
    }

    #[test]
    fn whatever_is_answered_every_search_ends_and_keeps_the_order(seed in any::<u64>(), values in 0_u64..5) {
        let mut turn = 0;
        let (findings, log) = search_of(knowledge(), |question| {
            turn += 1;
            let mixed = mixed(seed, question, turn);
            match mixed % 8 {
                kind if kind < values => {
                    let count = usize::from(question.range.count) + usize::from(mixed >> 40 == 0);
                    Heard::Values((0..count).map(|n| (mixed >> (n % 48)) as u16 % 3500).collect())
                }
                5 => Heard::Refused((mixed >> 8) as u8),
                6 => Heard::Garbage,
                _ => Heard::Silence,
            }
        });
        check_order(&log)?;
        for finding in findings {
            prop_assert!(log.iter().any(|(question, _)| question.unit == finding.unit));
        }
    }
}
