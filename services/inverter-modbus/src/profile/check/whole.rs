//! The rules of a profile as a whole: what is read, and circles.

use std::collections::BTreeMap;

use service_kit::config::Findings;

use crate::profile::Profile;
use crate::profile::expr::{Condition, Expr};
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

    /// Whether a block reads all of `count` registers from `addr` on.
    pub(super) fn is_read(&self, table: Table, addr: u16, count: u16) -> bool {
        let wanted = u32::from(addr)..u32::from(addr) + u32::from(count);
        wanted.into_iter().all(|register| {
            self.block.iter().any(|block| {
                let (Some(first), Some(count)) = (block.addr, block.count) else { return false };
                let last = u32::from(first) + u32::from(count);
                self.table(block.table) == table && (u32::from(first)..last).contains(&register)
            })
        })
    }

    pub(super) fn check_blocks(&self, findings: &mut Findings) {
        let mut ranges: Vec<(Table, u32, u32)> = Vec::new();
        for block in self.block.iter().filter(|block| block.when.is_none()) {
            let (Some(addr), Some(count)) = (block.addr, block.count) else { continue };
            let (table, first) = (self.table(block.table), u32::from(addr));
            let end = first + u32::from(count);
            if let Some((_, other, last)) =
                ranges.iter().find(|(there, from, to)| *there == table && first < *to && *from < end)
            {
                let what = format!("{table} {first} to {} and {other} to {} overlap", end - 1, last - 1);
                findings.refuse("block", what, "every register in one block");
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
        if let Some(name) = needs.keys().find(|name| !settled.contains(name)) {
            findings.refuse("point", format!("{name} needs itself"), "expressions without a circle");
        }
    }
}
