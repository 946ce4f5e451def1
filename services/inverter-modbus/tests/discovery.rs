//! The search of a line against devices that are registers, and against anything.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use inverter_modbus::discover::knowledge::{Knowledge, reads};
use inverter_modbus::discover::plan::{Where, Wishes, plan};
use inverter_modbus::discover::search::{Finding, Heard, Question, Search, Units, Verdict};
use inverter_modbus::engine::plan::Range;
use inverter_modbus::library::Library;
use inverter_modbus::profile::builtin;
use inverter_modbus::profile::scalar::Table;
use proptest::prelude::*;

/// More questions than any search of a few rates has.
const MOST: usize = 5_000;

/// What the program itself knows.
fn knowledge() -> Knowledge {
    static KNOWN: LazyLock<Knowledge> =
        LazyLock::new(|| Knowledge::of(&Library::new(Some(PathBuf::from("/nonexistent")))).0);
    KNOWN.clone()
}

fn rates(knowledge: &Knowledge) -> Vec<Units> {
    let port = Where::Port("/dev/ttyUSB0".into());
    plan(knowledge, &port, &Wishes::default()).into_iter().map(|(_, units)| units).collect()
}

type Log = Vec<(Question, Heard)>;

fn search_of(knowledge: Knowledge, mut answer: impl FnMut(&Question) -> Heard) -> (Vec<Finding>, Log) {
    let rates = rates(&knowledge);
    let (mut search, mut log) = (Search::new(Arc::new(knowledge), &rates), Log::new());
    while let Some(question) = search.ask() {
        let heard = answer(&question);
        log.push((question, heard.clone()));
        search.take(heard);
        assert!(log.len() < MOST, "it never ends");
    }
    (search.findings(), log)
}

/// A device of registers.
#[derive(Debug, Clone, Default)]
struct Device(BTreeMap<(Table, u16), u16>);

impl Device {
    fn put(&mut self, table: Table, addr: u16, words: &[u16]) {
        self.0.extend((addr..=u16::MAX).zip(words).map(|(addr, word)| ((table, addr), *word)));
    }

    fn with(mut self, table: Table, addr: u16, words: &[u16]) -> Device {
        self.put(table, addr, words);
        self
    }

    fn read(&self, range: Range) -> Heard {
        let all = (range.addr..=u16::MAX).take(range.count.into());
        let words: Option<Vec<u16>> = all.map(|addr| self.0.get(&(range.table, addr)).copied()).collect();
        words.map_or(Heard::Refused(2), Heard::Values)
    }

    /// What a profile without a chain wants to see, and zeros beside it.
    fn of(id: &str) -> Device {
        let profile = builtin::by_id(id).unwrap();
        let mut device = Device::default();
        for range in reads(&profile) {
            device.put(range.table, range.addr, &vec![0; range.count.into()]);
        }
        for part in &profile.identify.as_ref().unwrap().matches {
            let table = profile.table(part.table);
            let number = part.one_of.as_ref().map(|all| all[0]).or(part.range.map(|(low, _)| low));
            match (number, part.kind.registers()) {
                (Some(number), Some(2)) => {
                    device.put(table, part.addr, &[(number >> 16) as u16, number as u16]);
                }
                (Some(number), _) => device.put(table, part.addr, &[number as u16]),
                (None, _) => {
                    let text = part.prefix.as_ref().map_or("A123456789", |all| &all[0]);
                    let text = format!("{text:0<width$}", width = 2 * usize::from(part.count.unwrap()));
                    device.put(table, part.addr, &words(&text));
                }
            }
        }
        device
    }

    /// A chain of models at `base`, the common one first.
    fn chain(base: u16, models: &[(u16, u16)]) -> Device {
        let mut device = Device::default().with(Table::Holding, base, &words("SunS"));
        let mut next = base + 2;
        for (id, length) in [(1, 66)].iter().chain(models) {
            device.put(Table::Holding, next, &vec![0; usize::from(*length) + 2]);
            device.put(Table::Holding, next, &[*id, *length]);
            next += length + 2;
        }
        device.put(Table::Holding, base + 4, &words("Maker"));
        device.put(Table::Holding, base + 52, &words("SN42"));
        device.with(Table::Holding, next, &[0xFFFF, 0])
    }
}

fn words(text: &str) -> Vec<u16> {
    let bytes = text.as_bytes().chunks(2);
    bytes.map(|pair| u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)])).collect()
}

/// A line with devices at rates and units; nobody else is there.
fn line(devices: &[(usize, u8, Device)]) -> (Vec<Finding>, Log) {
    search_of(knowledge(), |question| {
        let device = devices.iter().find(|(rate, unit, _)| (*rate, *unit) == (question.rate, question.unit));
        device.map_or(Heard::Silence, |(.., device)| device.read(question.range))
    })
}

fn verdicts(findings: &[Finding]) -> Vec<(u8, Verdict)> {
    findings.iter().map(|finding| (finding.unit, finding.verdict.clone())).collect()
}

fn is_high(question: &Question) -> bool {
    u32::from(question.range.addr) + u32::from(question.range.count) > 30_000
}

/// The rate and unit that a profile is tried at first.
fn home(id: &str) -> (usize, u8) {
    let rates = rates(&knowledge());
    let find = |(rate, units): (usize, &Units)| {
        units.iter().find(|(_, usual)| usual.contains(id)).map(|(unit, _)| (rate, *unit))
    };
    rates.iter().enumerate().find_map(find).unwrap()
}

#[test]
fn every_device_is_recognised_as_itself_and_as_nothing_else() {
    for id in builtin::ids().filter(|id| !id.starts_with("sunspec-")) {
        let profile = builtin::by_id(id).unwrap();
        // Those that are on TCP alone are looked for there.
        let (rate, unit) = match profile.link.rtu {
            Some(_) => home(id),
            None => continue,
        };
        let (findings, log) = line(&[(rate, unit, Device::of(id))]);
        assert_eq!(verdicts(&findings), [(unit, Verdict::Is(id.to_owned()))], "{id}");
        assert!(log.len() < 300, "{id}: {} questions", log.len());
    }
}

#[test]
fn a_chain_of_models_is_judged_by_its_models_wherever_it_begins() {
    let hybrid: &[(u16, u16)] = &[(103, 50), (120, 26), (124, 24)];
    for (models, id) in
        [(&hybrid[..2], "sunspec-inverter"), (hybrid, "sunspec-hybrid"), (&[(203, 105)], "sunspec-meter")]
    {
        for base in [40_000, 50_000, 0] {
            let (findings, _) = line(&[(0, 126, Device::chain(base, models))]);
            assert_eq!(verdicts(&findings), [(126, Verdict::Is(id.to_owned()))], "{base}");
            let identity = &findings[0].identity;
            assert_eq!(
                (identity.serial.as_deref(), identity.model.as_deref()),
                (Some("SN42"), Some("Maker"))
            );
        }
    }
    let (findings, _) = line(&[(0, 126, Device::chain(40_000, &[(307, 11)]))]);
    assert_eq!(verdicts(&findings), [(126, Verdict::Unknown)], "a weather station is none of ours");
}

#[test]
fn makers_on_one_line_are_told_apart() {
    let devices = [
        (0, 1, Device::of("deye-one-phase")),
        (0, 3, Device::of("sofar-hyd")),
        (0, 126, Device::of("goodwe-et")),
    ];
    let found = |id: &str| Verdict::Is(id.to_owned());
    let (findings, _) = line(&devices);
    assert_eq!(
        verdicts(&findings),
        [(1, found("deye-one-phase")), (126, found("goodwe-et")), (3, found("sofar-hyd"))]
    );
}

#[test]
fn one_device_behind_several_units_of_a_gateway_is_one() {
    let deye = Device::of("deye-three-phase-lv");
    let (findings, _) = line(&[(0, 1, deye.clone()), (0, 2, deye.clone()), (0, 247, deye)]);
    assert_eq!(verdicts(&findings), [(1, Verdict::Is("deye-three-phase-lv".into()))]);
}

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

#[test]
fn a_device_that_two_profiles_fit_equally_is_told_with_both_names() {
    let folder = tempfile::tempdir().unwrap();
    let text = builtin::text("sofar-hyd").unwrap().replace("\"sofar-hyd\"", "\"my-sofar\"");
    std::fs::write(folder.path().join("my-sofar.toml"), text).unwrap();
    let (knowledge, _) = Knowledge::of(&Library::new(Some(folder.path().to_owned())));
    let sofar = Device::of("sofar-hyd");
    let (findings, _) = search_of(knowledge, |question| match (question.rate, question.unit) {
        (0, 1) => sofar.read(question.range),
        _ => Heard::Silence,
    });
    assert_eq!(verdicts(&findings), [(1, Verdict::Either(vec!["sofar-hyd".into(), "my-sofar".into()]))]);
}

#[test]
fn a_device_without_a_profile_has_a_name() {
    let minimal = Device::default().with(Table::Holding, 3001, &words("ABC1234567"));
    let (findings, log) = line(&[(0, 1, minimal)]);
    assert_eq!(verdicts(&findings), [(1, Verdict::Like("an inverter of Growatt without a profile".into()))]);
    assert!(!log.iter().any(|(question, _)| is_high(question)));
}

#[test]
fn a_rate_with_nothing_but_garbage_is_left_after_two_tries() {
    let (findings, log) = search_of(knowledge(), |_| Heard::Garbage);
    assert_eq!(findings, []);
    assert_eq!(log.len(), 2 * rates(&knowledge()).len());
}

#[test]
fn an_answer_that_does_not_come_again_is_no_device() {
    let mut seen = BTreeSet::new();
    let deye = Device::of("deye-one-phase");
    let (findings, log) = search_of(knowledge(), |question| match (question.rate, question.unit) {
        (0, 1) if seen.insert(question.range) => deye.read(question.range),
        _ => Heard::Silence,
    });
    assert_eq!(verdicts(&findings), [(1, Verdict::Unknown)]);
    assert!(!log.iter().any(|(question, _)| is_high(question)));
}

/// LuxPower has its clock between the serial number and the device code.
#[test]
fn a_clock_beside_what_tells_a_device_may_go_on() {
    let (rate, unit) = home("luxpower");
    let (mut device, mut second) = (Device::of("luxpower"), 0);
    let (findings, _) = search_of(knowledge(), |question| {
        second += 1;
        device.put(Table::Holding, 14, &[second]);
        match (question.rate, question.unit) == (rate, unit) {
            true => device.read(question.range),
            false => Heard::Silence,
        }
    });
    assert_eq!(verdicts(&findings), [(unit, Verdict::Is("luxpower".into()))]);
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
