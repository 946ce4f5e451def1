//! The chain of SunSpec models (SunSpec Device Information Model Specification V1.1, 6: a marker, then models of id, length
//! and points, then an id of 0xFFFF).

use std::collections::VecDeque;

/// The registers that begin a chain: "SunS".
const MARKER: [u16; 2] = [0x5375, 0x6E53];
/// The id behind the last model.
const END: u16 = 0xFFFF;
/// More models than any device has; a chain that goes on is none.
const MOST: usize = 128;

/// The models of a device, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chain {
    /// Each model.
    pub models: Vec<Model>,
}

/// Where a model is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Model {
    /// Its number.
    pub id: u16,
    /// Address of its id.
    pub addr: u16,
    /// Registers behind id and length.
    pub length: u16,
}

impl Chain {
    /// The numbers of its models, in their order.
    #[must_use]
    pub fn ids(&self) -> Vec<u16> {
        self.models.iter().map(|model| model.id).collect()
    }

    /// The `instance`th model whose id is one of `ids`.
    #[must_use]
    pub fn find(&self, ids: &[u16], instance: u16) -> Option<Model> {
        self.models.iter().filter(|model| ids.contains(&model.id)).nth(instance.into()).copied()
    }
}

/// Walks along a chain: says what to read, and takes what was read.
#[derive(Debug, Clone)]
pub struct Walker {
    bases: VecDeque<u16>,
    at: At,
    chain: Chain,
}

#[derive(Debug, Clone, Copy)]
enum At {
    Marker(u16),
    Head(u16),
    Nothing,
    End,
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Two holding registers from this address on are to be read.
    Read(u16),
    /// The device has this chain.
    Found(Chain),
    /// The device has no chain.
    Nothing,
}

impl Walker {
    /// A walk that looks for the marker at these addresses.
    #[must_use]
    pub fn new(bases: &[u16]) -> Walker {
        let mut walker =
            Walker { bases: bases.iter().copied().collect(), at: At::Nothing, chain: Chain::default() };
        walker.look_elsewhere();
        walker
    }

    /// So many more addresses the marker may be at, behind the one that is looked at.
    #[must_use]
    pub fn bases_left(&self) -> usize {
        self.bases.len()
    }

    fn look_elsewhere(&mut self) {
        self.chain.models.clear();
        self.at = self.bases.pop_front().map_or(At::Nothing, At::Marker);
    }

    /// What comes next.
    #[must_use]
    pub fn next(&self) -> Next {
        match self.at {
            At::Marker(addr) | At::Head(addr) => Next::Read(addr),
            At::Nothing => Next::Nothing,
            At::End => Next::Found(self.chain.clone()),
        }
    }

    /// Takes what was read, or that the device refused.
    pub fn take(&mut self, registers: Option<[u16; 2]>) {
        match (self.at, registers) {
            (At::Marker(addr), Some(MARKER)) => {
                self.at = addr.checked_add(2).map_or(At::Nothing, At::Head);
            }
            (At::Marker(_), _) => self.look_elsewhere(),
            (At::Head(addr), Some([id, length])) if id != END && (id, length) != (0, 0) => {
                self.chain.models.push(Model { id, addr, length });
                let next = addr.checked_add(2).and_then(|addr| addr.checked_add(length));
                self.at = match next {
                    Some(next) if self.chain.models.len() < MOST => At::Head(next),
                    _ => At::End,
                };
            }
            // Some devices refuse to read beyond the last model instead of ending the chain.
            (At::Head(_), _) if self.chain.models.is_empty() => self.look_elsewhere(),
            (At::Head(_), _) => self.at = At::End,
            (At::Nothing | At::End, _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn walk(bases: &[u16], registers: impl Fn(u16) -> Option<[u16; 2]>) -> (Option<Chain>, Vec<u16>) {
        let (mut walker, mut read) = (Walker::new(bases), Vec::new());
        loop {
            match walker.next() {
                Next::Read(addr) => {
                    read.push(addr);
                    walker.take(registers(addr));
                }
                Next::Found(chain) => return (Some(chain), read),
                Next::Nothing => return (None, read),
            }
        }
    }

    #[test]
    fn a_chain_is_walked_from_its_marker_to_its_end() {
        let (chain, read) = walk(&[40_000, 50_000, 0], |addr| match addr {
            40_000 => None,
            50_000 => Some(MARKER),
            50_002 => Some([1, 65]),
            50_069 => Some([103, 50]),
            50_121 => Some([END, 0]),
            _ => panic!("{addr}"),
        });
        let chain = chain.unwrap();
        assert_eq!(read, [40_000, 50_000, 50_002, 50_069, 50_121]);
        assert_eq!(chain.find(&[101, 103], 0), Some(Model { id: 103, addr: 50_069, length: 50 }));
        assert_eq!((chain.find(&[103], 1), chain.find(&[160], 0)), (None, None));
    }

    #[test]
    fn a_chain_may_end_with_a_refusal_and_no_marker_is_no_chain() {
        let (chain, _) = walk(&[0], |addr| match addr {
            0 => Some(MARKER),
            2 => Some([1, 66]),
            _ => None,
        });
        assert_eq!(chain.unwrap().models.len(), 1);
        assert_eq!(walk(&[40_000, 0], |_| Some([0, 0])).0, None);
        assert_eq!(walk(&[0], |addr| (addr == 0).then_some(MARKER)).0, None);
    }

    proptest! {
        #[test]
        fn every_walk_ends(seed in any::<u64>(), bases in prop::collection::vec(any::<u16>(), 0..4)) {
            let (_, read) = walk(&bases, |addr| {
                let mixed = (seed ^ u64::from(addr)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
                if bases.contains(&addr) { Some(MARKER) } else { Some([mixed as u16 | 1, (mixed >> 24) as u16]) }
            });
            prop_assert!(read.len() <= MOST + 2 * bases.len() + 2);
        }
    }
}
