//! Lines with devices that are registers, and what a search asks and finds there.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use inverter_modbus::discover::knowledge::{Knowledge, reads};
use inverter_modbus::discover::plan::{Where, Wishes, plan};
use inverter_modbus::discover::search::{Finding, Heard, Question, Search, Units, Verdict};
use inverter_modbus::engine::plan::Range;
use inverter_modbus::library::Library;
use inverter_modbus::profile::builtin;
use inverter_modbus::profile::scalar::Table;

/// More questions than any search of a few rates has.
pub(crate) const MOST: usize = 5_000;

/// What the program itself knows.
pub(crate) fn knowledge() -> Knowledge {
    static KNOWN: LazyLock<Knowledge> =
        LazyLock::new(|| Knowledge::of(&Library::new(Some(PathBuf::from("/nonexistent")))).0);
    KNOWN.clone()
}

pub(crate) fn rates(knowledge: &Knowledge) -> Vec<Units> {
    let port = Where::Port("/dev/ttyUSB0".into());
    plan(knowledge, &port, &Wishes::default()).into_iter().map(|(_, units)| units).collect()
}

pub(crate) type Log = Vec<(Question, Heard)>;

pub(crate) fn search_of(
    knowledge: Knowledge,
    mut answer: impl FnMut(&Question) -> Heard,
) -> (Vec<Finding>, Log) {
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
pub(crate) struct Device(BTreeMap<(Table, u16), u16>);

impl Device {
    pub(crate) fn put(&mut self, table: Table, addr: u16, words: &[u16]) {
        self.0.extend((addr..=u16::MAX).zip(words).map(|(addr, word)| ((table, addr), *word)));
    }

    pub(crate) fn with(mut self, table: Table, addr: u16, words: &[u16]) -> Device {
        self.put(table, addr, words);
        self
    }

    pub(crate) fn read(&self, range: Range) -> Heard {
        let all = (range.addr..=u16::MAX).take(range.count.into());
        let words: Option<Vec<u16>> = all.map(|addr| self.0.get(&(range.table, addr)).copied()).collect();
        words.map_or(Heard::Refused(2), Heard::Values)
    }

    /// What a profile without a chain wants to see, and zeros beside it.
    pub(crate) fn of(id: &str) -> Device {
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
    pub(crate) fn chain(base: u16, models: &[(u16, u16)]) -> Device {
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

pub(crate) fn words(text: &str) -> Vec<u16> {
    let bytes = text.as_bytes().chunks(2);
    bytes.map(|pair| u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)])).collect()
}

/// A line with devices at rates and units; nobody else is there.
pub(crate) fn line(devices: &[(usize, u8, Device)]) -> (Vec<Finding>, Log) {
    search_of(knowledge(), |question| {
        let device = devices.iter().find(|(rate, unit, _)| (*rate, *unit) == (question.rate, question.unit));
        device.map_or(Heard::Silence, |(.., device)| device.read(question.range))
    })
}

pub(crate) fn verdicts(findings: &[Finding]) -> Vec<(u8, Verdict)> {
    findings.iter().map(|finding| (finding.unit, finding.verdict.clone())).collect()
}

pub(crate) fn is_high(question: &Question) -> bool {
    u32::from(question.range.addr) + u32::from(question.range.count) > 30_000
}

/// The rate and unit that a profile is tried at first.
pub(crate) fn home(id: &str) -> (usize, u8) {
    let rates = rates(&knowledge());
    let find = |(rate, units): (usize, &Units)| {
        units.iter().find(|(_, usual)| usual.contains(id)).map(|(unit, _)| (rate, *unit))
    };
    rates.iter().enumerate().find_map(find).unwrap()
}
