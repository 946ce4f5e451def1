//! Which registers are read together: blocks merged and split for as few requests as the device allows.

use super::map::{BlockAt, Map, WriteAt};
use crate::profile::link::LinkSpec;
use crate::profile::scalar::{Every, Table};

/// One read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Range {
    /// Where.
    pub table: Table,
    /// First address.
    pub addr: u16,
    /// Registers.
    pub count: u16,
}

/// One read of the plan, and the blocks that it brings.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What is read.
    pub range: Range,
    /// How often.
    pub every: Every,
    /// The blocks that it brings, or parts of them.
    pub parts: Vec<Part>,
}

/// What a request brings of one block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The block, by its number in the map.
    pub block: usize,
    /// The registers.
    pub range: Range,
    /// How far it has been split: a refusal then splits it further.
    pub is_field: bool,
}

/// What becomes of a request that the device refused as an address that it does not have.
#[derive(Debug, Clone, PartialEq)]
pub enum Instead {
    /// These are read in its place.
    Requests(Vec<Request>),
    /// It is not read any more: the device does not have it.
    Nothing(Range),
}

impl Range {
    fn end(self) -> u32 {
        u32::from(self.addr) + u32::from(self.count)
    }
}

/// The requests for the blocks of a map of which `is_wanted` (those whose condition holds).
#[must_use]
pub fn plan(map: &Map, link: &LinkSpec, is_wanted: impl Fn(&BlockAt) -> bool) -> Vec<Request> {
    let mut parts: Vec<(Every, Part)> = Vec::new();
    for (block, at) in map.blocks.iter().enumerate().filter(|(_, at)| is_wanted(at)) {
        let whole = Range { table: at.table, addr: at.addr, count: at.count };
        let ranges = split(whole, link.max_read, &map.whole);
        parts.extend(ranges.into_iter().map(|range| (at.every, Part { block, range, is_field: false })));
    }
    parts.sort_by_key(|(every, part)| (*every, part.range));
    let mut requests: Vec<Request> = Vec::new();
    for (every, part) in parts {
        match requests.last_mut().filter(|last| last.every == every) {
            Some(last) if merges(last.range, part.range, link) => {
                let end = part.range.end().max(last.range.end()) - u32::from(last.range.addr);
                last.range.count = u16::try_from(end).unwrap_or(u16::MAX);
                last.parts.push(part);
            }
            _ => requests.push(Request { range: part.range, every, parts: vec![part] }),
        }
    }
    requests
}

/// What is read instead of a request that the device refused: its blocks, then the fields in them, then nothing.
#[must_use]
pub fn refused(request: &Request, map: &Map) -> Instead {
    if let [part] = request.parts.as_slice() {
        let fields = if part.is_field { Vec::new() } else { fields(map, part) };
        return match fields.as_slice() {
            [] => Instead::Nothing(part.range),
            [field] if *field == part.range => Instead::Nothing(part.range),
            _ => Instead::Requests(
                fields.into_iter().map(|range| single(request.every, part.block, range, true)).collect(),
            ),
        };
    }
    let parts = request.parts.iter();
    Instead::Requests(
        parts.map(|part| single(request.every, part.block, part.range, part.is_field)).collect(),
    )
}

fn single(every: Every, block: usize, range: Range, is_field: bool) -> Request {
    Request { range, every, parts: vec![Part { block, range, is_field }] }
}

fn merges(before: Range, after: Range, link: &LinkSpec) -> bool {
    let (end, start) = (before.end(), u32::from(after.addr));
    let unused = start.saturating_sub(end);
    let bridge = u16::try_from(end).ok().zip(u16::try_from(unused).ok());
    let is_open = bridge.is_some_and(|(from, count)| count == 0 || !link.forbids(before.table, from, count));
    before.table == after.table
        && unused <= u32::from(link.max_gap)
        && after.end().max(end) - u32::from(before.addr) <= u32::from(link.max_read)
        && (unused == 0 || is_open)
}

/// A range in pieces of at most `most` registers that tear no value apart, if one can avoid it.
fn split(range: Range, most: u16, whole: &[(Table, u16, u16)]) -> Vec<Range> {
    let (mut pieces, mut addr, end) = (Vec::new(), u32::from(range.addr), range.end());
    while addr < end {
        let mut cut = (addr + u32::from(most.max(1))).min(end);
        let torn = |cut: u32| {
            whole.iter().find(|(table, first, count)| {
                let first = u32::from(*first);
                *table == range.table && first < cut && cut < first + u32::from(*count)
            })
        };
        while cut < end
            && let Some((_, first, _)) = torn(cut)
            && u32::from(*first) > addr
        {
            cut = u32::from(*first);
        }
        let (Ok(from), Ok(count)) = (u16::try_from(addr), u16::try_from(cut - addr)) else { break };
        pieces.push(Range { table: range.table, addr: from, count });
        addr = cut;
    }
    pieces
}

/// The registers of points and set points inside a part, each value for itself.
fn fields(map: &Map, part: &Part) -> Vec<Range> {
    let sources =
        map.groups.iter().flat_map(|group| &group.entries).filter_map(|entry| entry.source.layout());
    let shown = map.writes.iter().filter_map(WriteAt::registers);
    let extra = map.groups.iter().flat_map(|group| &group.entries).flat_map(|entry| entry.source.helpers());
    let mut ranges: Vec<Range> = Vec::new();
    for layout in sources.chain(shown).chain(extra).filter(|layout| layout.table == part.range.table) {
        let mut addresses = layout.registers.clone();
        addresses.sort_unstable();
        let mut run: Option<Range> = None;
        for addr in addresses {
            run = Some(match run {
                Some(range) if range.end() == u32::from(addr) => Range { count: range.count + 1, ..range },
                before => {
                    ranges.extend(before);
                    Range { table: layout.table, addr, count: 1 }
                }
            });
        }
        ranges.extend(run);
    }
    ranges.retain(|range| range.addr >= part.range.addr && range.end() <= part.range.end());
    ranges.sort_unstable();
    ranges.dedup();
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{parse, tests::SMALL};
    use proptest::prelude::*;

    fn link(max_read: u16, max_gap: u16) -> LinkSpec {
        let mut link = parse(SMALL, "test.toml").unwrap().link;
        (link.max_read, link.max_gap) = (max_read, max_gap);
        link
    }

    fn map(blocks: &[(u16, u16)], whole: &[(u16, u16)]) -> Map {
        let block = |(addr, count): &(u16, u16)| BlockAt {
            table: Table::Holding,
            addr: *addr,
            count: *count,
            every: Every::default(),
            optional: false,
            when: None,
        };
        Map {
            groups: Vec::new(),
            blocks: blocks.iter().map(block).collect(),
            writes: Vec::new(),
            modes: Vec::new(),
            whole: whole.iter().map(|(addr, count)| (Table::Holding, *addr, *count)).collect(),
        }
    }

    fn ranges(requests: &[Request]) -> Vec<(u16, u16)> {
        requests.iter().map(|request| (request.range.addr, request.range.count)).collect()
    }

    #[test]
    fn near_blocks_are_read_together_and_far_ones_are_not() {
        let near = map(&[(10, 5), (20, 5), (100, 5)], &[]);
        assert_eq!(ranges(&plan(&near, &link(100, 5), |_| true)), [(10, 15), (100, 5)]);
        assert_eq!(ranges(&plan(&near, &link(100, 4), |_| true)), [(10, 5), (20, 5), (100, 5)]);
        assert_eq!(ranges(&plan(&near, &link(14, 5), |_| true)), [(10, 5), (20, 5), (100, 5)]);
    }

    #[test]
    fn what_is_forbidden_is_not_bridged() {
        let blocks = map(&[(29_990, 5), (29_998, 2)], &[]);
        assert_eq!(ranges(&plan(&blocks, &link(100, 20), |_| true)), [(29_990, 10)]);
        let mut with_gap = link(100, 20);
        with_gap.forbidden.push(crate::profile::scalar::Forbidden { table: None, from: 29_996, to: 29_996 });
        assert_eq!(ranges(&plan(&blocks, &with_gap, |_| true)), [(29_990, 5), (29_998, 2)]);
    }

    #[test]
    fn long_blocks_are_split_between_values() {
        let long = map(&[(0, 25)], &[(9, 2), (18, 2)]);
        assert_eq!(ranges(&plan(&long, &link(10, 0), |_| true)), [(0, 9), (9, 9), (18, 7)]);
    }

    #[test]
    fn what_is_refused_is_read_by_blocks_then_by_values_then_not_at_all() {
        let profile = parse(SMALL, "test.toml").unwrap();
        let map = Map::new(&profile, None, false);
        let both = map.blocks.iter().enumerate().map(|(block, at)| Part {
            block,
            range: Range { table: at.table, addr: at.addr, count: at.count },
            is_field: false,
        });
        let range = Range { table: Table::Holding, addr: 0, count: 638 };
        let merged = Request { range, every: Every::default(), parts: both.collect() };
        let Instead::Requests(blocks) = refused(&merged, &map) else { panic!() };
        assert_eq!(ranges(&blocks), [(0, 40), (586, 52)]);
        let Instead::Requests(fields) = refused(&blocks[1], &map) else { panic!() };
        assert_eq!(ranges(&fields), [(586, 1), (590, 1), (600, 1), (610, 1), (611, 4)]);
        assert_eq!(refused(&fields[0], &map), Instead::Nothing(fields[0].range));
    }

    proptest! {
        #[test]
        fn a_plan_reads_every_register_of_its_blocks_and_keeps_the_limits(
            starts in prop::collection::btree_map(0_u16..2000, 1_u16..120, 0..12),
            max_read in 4_u16..125,
            max_gap in 0_u16..30,
        ) {
            let blocks: Vec<(u16, u16)> = starts.into_iter().collect();
            let map = map(&blocks, &[(50, 2), (100, 4)]);
            let requests = plan(&map, &link(max_read, max_gap), |_| true);
            for request in &requests {
                prop_assert!((1..=max_read).contains(&request.range.count), "{:?}", request.range);
            }
            for (addr, count) in blocks {
                for register in addr..addr + count {
                    let register = u32::from(register);
                    let has = |range: Range| (u32::from(range.addr)..range.end()).contains(&register);
                    prop_assert!(requests.iter().any(|request| has(request.range)));
                }
            }
        }
    }
}
