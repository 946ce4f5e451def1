//! The targets without libFuzzer, for machines that cannot have it: the kept corpus, then mutations of it. They are blind
//! to coverage, and the same in every run; `FUZZ_MUTATIONS` says how many for each target.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};

const MUTATIONS: u32 = 20_000;

macro_rules! targets {
    ($($target:ident)*) => {
        $(
            #[test]
            fn $target() {
                run(stringify!($target), busbar_fuzz::$target::run);
            }
        )*
        const TARGETS: &[&str] = &[$(stringify!($target)),*];
    };
}

targets! {
    can_dialects candump_log config_bms_can config_scenario dbus_message eza_reply modbus_answer modbus_profile recognise
    modbus_search set_value settings_calls settings_xml simulator_adapter simulator_command slcan_decoder socketcan
}

#[test]
fn every_target_is_one_of_these_and_every_corpus_has_its_target() {
    let here: BTreeSet<String> = TARGETS.iter().map(|&name| name.to_owned()).collect();
    let stems = |folder: &str| -> BTreeSet<String> {
        let files = files(&folder_of(folder)).into_iter();
        files.filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned())).collect()
    };
    assert_eq!(stems("fuzz_targets"), here);
    assert_eq!(stems("corpus"), here);
}

fn folder_of(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn run(name: &str, target: fn(&[u8])) {
    let corpus: Vec<Vec<u8>> =
        files(&folder_of("corpus").join(name)).iter().map(|file| fs::read(file).unwrap()).collect();
    assert!(!corpus.is_empty(), "{name} has no corpus");
    corpus.iter().for_each(|input| attempt(name, target, input));
    let count = std::env::var("FUZZ_MUTATIONS").map_or(MUTATIONS, |text| text.parse().expect("a number"));
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for _ in 0..count {
        let input = mutation(&corpus, &mut random);
        attempt(name, target, &input);
    }
}

/// An input that fails is kept, to be tried again with `cargo fuzz run` or as part of the corpus.
fn attempt(name: &str, target: fn(&[u8]), input: &[u8]) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(input))) {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.input"));
        fs::write(&file, input).expect("the input is kept");
        eprintln!("the input that failed is in {}", file.display());
        resume_unwind(panic);
    }
}

/// xorshift64*.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) as usize % bound.max(1)
    }

    fn range(&mut self, len: usize) -> std::ops::Range<usize> {
        let start = self.below(len + 1);
        start..start + self.below((len - start).min(32) + 1)
    }
}

/// One input of the corpus with up to five changes.
fn mutation(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut input = corpus[random.below(corpus.len())].clone();
    for _ in 0..=random.below(5) {
        let len = input.len();
        let range = random.range(len);
        let at = random.below(len);
        match random.below(7) {
            0 if len > 0 => input[at] ^= 1 << random.below(8),
            1 if len > 0 => input[at] = [0, 1, 0x7F, 0x80, 0xFF, b'\r', b'\n', b'0'][random.below(8)],
            2 if len > 0 => input[at] = input[at].wrapping_add(1),
            3 => drop(input.drain(range)),
            4 => input.insert(at, random.below(256) as u8),
            5 => {
                let copy = input[range].to_vec();
                input.splice(at..at, copy);
            }
            _ => {
                let other = &corpus[random.below(corpus.len())];
                let part = other[random.range(other.len())].to_vec();
                input.splice(range, part);
            }
        }
    }
    input
}
