//! The rules of a profile as a whole: what is read, and circles.

use std::collections::BTreeMap;

use service_kit::config::Findings;

use crate::profile::Profile;
use crate::profile::expr::{Condition, Expr};
use crate::profile::point::Block;
use crate::profile::scalar::Table;
impl Profile {
    /// All names that can be read.
    pub(super) fn readable(&self) -> impl Iterator<Item = &str> {
        let points = self.point.iter().map(|point| point.name.as_str());
        let words = self.words.iter().map(|point| point.name.as_str());
        points.chain(words).chain(self.bits.iter().map(|point| point.name.as_str()))
    }

    pub(super) fn is_readable(&self, name: &str) -> bool {
        self.readable().any(|known| known == name)
    }

    /// The first of `count` registers from `addr` on that no block reads.
    pub(super) fn unread(&self, table: Table, addr: u16, count: u16) -> Option<u16> {
        let mut wanted = (addr..=u16::MAX).take(count.into());
        wanted.find(|register| !self.block.iter().any(|block| self.has(block, table, *register)))
    }

    /// Whether a block reads a register.
    pub(super) fn has(&self, block: &Block, table: Table, register: u16) -> bool {
        let (Some(first), Some(count)) = (block.addr, block.count) else { return false };
        let last = u32::from(first) + u32::from(count);
        self.table(block.table) == table && (u32::from(first)..last).contains(&u32::from(register))
    }

    pub(super) fn check_blocks(&self, findings: &mut Findings) {
        let mut ranges: Vec<(Table, u32, u32)> = Vec::new();
        for (index, block) in self.block.iter().enumerate().filter(|(_, block)| block.when.is_none()) {
            let (Some(addr), Some(count)) = (block.addr, block.count) else { continue };
            let (table, first) = (self.table(block.table), u32::from(addr));
            let end = first + u32::from(count);
            if let Some((_, other, last)) =
                ranges.iter().find(|(there, from, to)| *there == table && first < *to && *from < end)
            {
                let what = format!("{table} {first} to {} and {other} to {} overlap", end - 1, last - 1);
                findings.item("block", index, |findings| {
                    findings.refuse("addr", what, "every register in one block");
                });
            }
            ranges.push((table, first, end));
        }
    }

    /// Expressions that need themselves.
    pub(super) fn check_loops(&self, findings: &mut Findings) {
        let mut needs: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let mut add = |name, expr: Option<&Expr>, when: Option<&Condition>, scale: Option<&String>| {
            let list = needs.entry(name).or_default();
            if let Some(expr) = expr {
                expr.names(list);
            }
            if let Some(when) = when {
                when.names(list);
            }
            list.extend(scale.cloned());
        };
        for point in &self.point {
            add(&point.name, point.expr.as_ref(), point.when.as_ref(), point.scale_from.as_ref());
        }
        for point in &self.words {
            add(&point.name, None, point.when.as_ref(), None);
        }
        for point in &self.bits {
            add(&point.name, None, point.when.as_ref(), None);
        }
        // What needs only what is settled is settled.
        let mut settled: Vec<&str> = Vec::new();
        loop {
            let more: Vec<&str> = needs
                .iter()
                .filter(|(name, list)| {
                    !settled.contains(name)
                        && list.iter().all(|need| {
                            settled.contains(&need.as_str()) || !needs.contains_key(need.as_str())
                        })
                })
                .map(|(name, _)| *name)
                .collect();
            if more.is_empty() {
                break;
            }
            settled.extend(more);
        }
        // What only needs something in a circle is not to blame.
        let is_in_circle = |name: &str| {
            let (mut reached, mut at) = (needs.get(name).cloned().unwrap_or_default(), 0);
            while let Some(next) = reached.get(at).cloned() {
                at += 1;
                let more = needs.get(next.as_str()).into_iter().flatten();
                let new: Vec<String> = more.filter(|need| !reached.contains(need)).cloned().collect();
                reached.extend(new);
            }
            reached.iter().any(|need| need == name)
        };
        let open = needs.keys().filter(|name| !settled.contains(name));
        let Some(name) = open.copied().find(|name| is_in_circle(name)) else { return };
        let lists = [
            ("point", self.point.iter().position(|point| point.name == name)),
            ("enum", self.words.iter().position(|point| point.name == name)),
            ("bits", self.bits.iter().position(|point| point.name == name)),
        ];
        let place = lists.into_iter().find_map(|(list, index)| Some((list, index?)));
        let Some((list, index)) = place else { return };
        findings.item(list, index, |findings| {
            findings.refuse("name", format!("{name} needs itself"), "expressions without a circle");
        });
    }
}
