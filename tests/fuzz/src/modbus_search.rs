//! Whatever devices answer to the search of a line: it ends, and nothing that could do harm is read first.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use inverter_modbus::discover::knowledge::Knowledge;
use inverter_modbus::discover::search::{Heard, Question, Search, Units};
use inverter_modbus::library::Library;
use inverter_modbus::profile::scalar::Table;

/// What tells a Growatt SPF, which does not bear to be read from [`HARM_FROM`] on.
const SIGNS: [(Table, u16); 4] =
    [(Table::Input, 44), (Table::Holding, 43), (Table::Holding, 23), (Table::Holding, 9)];
const HARM_FROM: u16 = 30_000;
/// More questions than any search of so few units has.
const MOST: usize = 20_000;

fn knowledge() -> Arc<Knowledge> {
    static KNOWN: OnceLock<Arc<Knowledge>> = OnceLock::new();
    let known = || Arc::new(Knowledge::of(&Library::new(Some(PathBuf::from("/nonexistent")))).0);
    KNOWN.get_or_init(known).clone()
}

/// The first byte chooses the units; the others are the answers, and silence when they are used up.
pub fn run(data: &[u8]) {
    let Some((choice, mut rest)) = data.split_first() else { return };
    let all = [1_u8, 2, 3, 100, 126, 247];
    let chosen = all.iter().enumerate().filter(|(n, _)| choice >> n & 1 == 1);
    let units: Units = chosen.map(|(_, unit)| (*unit, BTreeSet::new())).collect();
    let rates = vec![units; 1 + usize::from(choice >> 7)];
    let mut search = Search::new(knowledge(), &rates);
    let mut asked: BTreeSet<(u8, Table, u16)> = BTreeSet::new();
    for count in 0.. {
        assert!(count < MOST, "the search does not end");
        let Some(Question { unit, range, .. }) = search.ask() else { break };
        assert!((1..=125).contains(&range.count), "{range:?}");
        let ends_at = u32::from(range.addr) + u32::from(range.count);
        if ends_at > u32::from(HARM_FROM) {
            let is_excluded = SIGNS.iter().all(|(table, addr)| asked.contains(&(unit, *table, *addr)));
            assert!(is_excluded, "{range:?} is read of unit {unit} before it is known to be no SPF");
        }
        asked.insert((unit, range.table, range.addr));
        search.take(heard(&mut rest, range.count));
    }
    let _ = search.findings();
}

fn heard(rest: &mut &[u8], count: u16) -> Heard {
    let mut next = || {
        let (byte, behind) = rest.split_first()?;
        *rest = behind;
        Some(*byte)
    };
    match next() {
        None => Heard::Silence,
        Some(0..=63) => Heard::Silence,
        Some(64..=95) => Heard::Garbage,
        Some(code @ 96..=111) => Heard::Refused(code - 96),
        Some(how) => {
            // Now and then one too few.
            let count = usize::from(count) - usize::from(how == 255);
            let word = |_| u16::from_be_bytes([next().unwrap_or(0), next().unwrap_or(0)]);
            Heard::Values((0..count).map(word).collect())
        }
    }
}
