//! What can go wrong between a battery and its reader, on request.

mod edges;
mod lies;

use std::collections::BTreeMap;

use edges::Edges;

use crate::batteries::{Dialect, cells_in_370, name_in_370};
use crate::can::Frame;
use crate::plant::rng::Rng;
use crate::report::Report;

/// One kind of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The battery sends nothing; the adapter still answers.
    Silence,
    /// The adapter hangs: it neither answers nor passes on frames.
    Hang,
    /// Random bytes between the lines.
    Garbage,
    /// Frames of another length than they should have.
    WrongLength,
    /// Lines whose length digit contradicts their data.
    WrongDigit,
    /// Lines that end too early, some without their CR.
    Truncated,
    /// Values that no battery has.
    Implausible,
    /// The same values for ever.
    Frozen,
    /// One bit of every frame turned over.
    BitFlips,
    /// The bus is full: the battery repeats its frames as fast as it can.
    Burst,
    /// The voltage in tenths where the protocol has hundredths, and the other way round.
    WrongScale,
    /// Temperatures in kelvins where the protocol has degrees Celsius.
    Kelvin,
    /// The model's name in 0x370 and 0x371, whatever the protocol has there.
    NameIn370,
    /// Cells in 0x370 and 0x371, whatever the protocol has there.
    CellsIn370,
    /// The pairs of 0x35A report a change once and nothing afterwards.
    LatchedPairs,
}

impl Fault {
    /// Every kind with its name in commands.
    pub const ALL: [(&'static str, Self); 15] = [
        ("silence", Self::Silence),
        ("hang", Self::Hang),
        ("garbage", Self::Garbage),
        ("wrong_length", Self::WrongLength),
        ("wrong_digit", Self::WrongDigit),
        ("truncated", Self::Truncated),
        ("implausible", Self::Implausible),
        ("frozen", Self::Frozen),
        ("bit_flips", Self::BitFlips),
        ("burst", Self::Burst),
        ("wrong_scale", Self::WrongScale),
        ("kelvin", Self::Kelvin),
        ("name_in_370", Self::NameIn370),
        ("cells_in_370", Self::CellsIn370),
        ("latched_pairs", Self::LatchedPairs),
    ];

    /// The name in commands.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, fault)| *fault == self).map_or("", |(name, _)| name)
    }
}

/// The trouble that a battery has at the moment.
#[derive(Debug)]
pub struct Faults {
    until_s: BTreeMap<Fault, f64>,
    frozen: Vec<Report>,
    edges: Edges,
    rng: Rng,
}

impl Faults {
    /// None yet; `rng` decides what garbage looks like.
    pub fn new(rng: Rng) -> Self {
        Self { until_s: BTreeMap::new(), frozen: Vec::new(), edges: Edges::default(), rng }
    }

    /// Begins one that lasts until this moment in s; infinity is for ever.
    pub fn begin(&mut self, fault: Fault, until_s: f64) {
        self.until_s.insert(fault, until_s);
    }

    /// Ends one, or all.
    pub fn end(&mut self, fault: Option<Fault>) {
        self.until_s.retain(|kind, _| fault.is_some_and(|fault| fault != *kind));
        self.forget();
    }

    /// Ends those whose time has come.
    pub fn expire(&mut self, now_s: f64) {
        self.until_s.retain(|_, until_s| now_s < *until_s);
        self.forget();
    }

    /// Is there this trouble?
    pub fn has(&self, fault: Fault) -> bool {
        self.until_s.contains_key(&fault)
    }

    /// What there is.
    pub fn active(&self) -> impl Iterator<Item = Fault> {
        self.until_s.keys().copied()
    }

    /// What the battery says instead of the truth.
    pub fn reports(&mut self, mut reports: Vec<Report>, dialect: &Dialect) -> Vec<Report> {
        if self.has(Fault::Frozen) {
            if self.frozen.is_empty() {
                self.frozen = reports;
            }
            reports = self.frozen.clone();
        }
        for (fault, lie) in [
            (Fault::Implausible, lies::implausible as fn(&mut Report, &Dialect)),
            (Fault::WrongScale, lies::wrong_scale),
            (Fault::Kelvin, lies::kelvin),
        ] {
            if self.has(fault) {
                reports.iter_mut().for_each(|report| lie(report, dialect));
            }
        }
        reports
    }

    /// What becomes of the frames that say a report.
    pub fn frames(&self, report: &Report, frames: &mut Vec<Frame>) {
        let others = if self.has(Fault::NameIn370) {
            name_in_370(report).to_vec()
        } else if self.has(Fault::CellsIn370) {
            cells_in_370(report)
        } else {
            return;
        };
        frames.retain(|frame| !matches!(frame.id, 0x370 | 0x371));
        frames.extend(others);
    }

    /// What becomes of a frame before it reaches the adapter.
    pub fn frame(&mut self, mut frame: Frame) -> Frame {
        frame = self.edges.pass(frame, self.has(Fault::LatchedPairs));
        if self.has(Fault::WrongLength) {
            let other = (frame.data().len() + 1 + self.rng.below(8)) % 9;
            frame = frame.resized(other);
        }
        if self.has(Fault::BitFlips) {
            frame = frame.flipped(self.rng.below(64));
        }
        frame
    }

    /// What becomes of a line between the adapter and the computer.
    pub fn line(&mut self, line: &mut Vec<u8>) {
        if self.has(Fault::WrongDigit) {
            let at = if line.first() == Some(&b'T') { 9 } else { 4 };
            if let Some(digit) = line.get_mut(at) {
                *digit = if *digit == b'8' { b'2' } else { *digit + 1 };
            }
        }
        if self.has(Fault::Truncated) {
            let keep = 1 + self.rng.below(line.len().saturating_sub(2));
            line.truncate(keep);
            if self.rng.below(2) == 0 {
                line.push(b'\r');
            }
        }
        if self.has(Fault::Garbage) {
            for _ in 0..1 + self.rng.below(40) {
                line.push(self.rng.below(256) as u8);
            }
        }
    }

    fn forget(&mut self) {
        if !self.has(Fault::Frozen) {
            self.frozen.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(kinds: &[Fault]) -> Faults {
        let mut faults = Faults::new(Rng::new(1, 0));
        kinds.iter().for_each(|&kind| faults.begin(kind, 10.0));
        faults
    }

    #[test]
    fn each_fault_lasts_until_its_time_or_until_it_is_ended() {
        let mut faults = faults(&[Fault::Silence, Fault::Burst]);
        faults.begin(Fault::Garbage, f64::INFINITY);
        faults.end(Some(Fault::Burst));
        faults.expire(9.9);
        assert_eq!(faults.active().collect::<Vec<_>>(), [Fault::Silence, Fault::Garbage]);
        faults.expire(10.0);
        assert_eq!(faults.active().collect::<Vec<_>>(), [Fault::Garbage]);
        faults.end(None);
        assert_eq!(faults.active().count(), 0);
    }

    #[test]
    fn a_wrong_length_is_never_the_right_one_and_a_flip_changes_exactly_one_bit() {
        let frame = Frame::new(0x351, false, &[0x55; 8]);
        for _ in 0..200 {
            assert_ne!(faults(&[Fault::WrongLength]).frame(frame).data().len(), 8);
            let flipped = faults(&[Fault::BitFlips]).frame(frame);
            let bits: u32 = flipped.data().iter().zip(frame.data()).map(|(a, b)| (a ^ b).count_ones()).sum();
            assert_eq!(bits, 1);
        }
    }

    #[test]
    fn lines_are_spoilt_as_asked() {
        let spoil = |fault| {
            let mut line = b"t35142211AABB\r".to_vec();
            faults(&[fault]).line(&mut line);
            line
        };
        assert_eq!(spoil(Fault::WrongDigit), b"t35152211AABB\r");
        assert!(spoil(Fault::Truncated).len() < 14);
        assert!(spoil(Fault::Garbage).len() > 14 && spoil(Fault::Garbage).starts_with(b"t35142211AABB\r"));
        assert_eq!(spoil(Fault::Silence), b"t35142211AABB\r");
    }
}
