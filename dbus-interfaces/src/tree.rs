//! The items of one service: a sorted list of leaves, so that a sub-tree is a range of it.

use std::borrow::Cow;
use std::ops::Range;

use crate::{Item, ItemType, Spec, Value};

/// One item of a service.
#[derive(Debug)]
pub(crate) struct Leaf {
    pub(crate) path: Cow<'static, str>,
    pub(crate) spec: Spec,
    pub(crate) value: Option<Value>,
    /// Where the leaf stands that was set after this one: items are set in the same order each time.
    next: usize,
}

/// All items of a service, sorted by path.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    leaves: Vec<Leaf>,
    /// Of each leaf, whether it differs from what the bus was last told.
    changed: Vec<bool>,
    changes: usize,
    /// Where the leaf stands that was set last.
    last: usize,
}

/// What stands at a path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Node {
    /// A leaf.
    Leaf,
    /// A branch (or `/`) with at least one leaf below it.
    Branch,
    /// Nothing.
    Nowhere,
}

impl Leaf {
    pub(crate) fn new(path: Cow<'static, str>, spec: Spec, value: Option<Value>) -> Self {
        Leaf { path, spec, value, next: 0 }
    }
}

impl Tree {
    /// Sets a leaf, adding it where it is new; true when the bus must be told.
    pub(crate) fn set<T: ItemType>(&mut self, item: &Item<T>, value: Option<Value>) -> bool {
        let next = self.leaves.get(self.last).map_or(0, |leaf| leaf.next);
        if self.leaves.get(next).is_some_and(|leaf| item.is_at(&leaf.path)) {
            self.last = next;
            return self.set_at(next, value);
        }
        let path = item.path();
        let found = self.find(&path);
        let (Ok(at) | Err(at)) = found;
        if found.is_err() {
            self.leaves.insert(at, Leaf::new(path, item.spec(), value));
            self.changed.insert(at, true);
            self.changes += 1;
            self.last = at;
            return true;
        }
        if let Some(last) = self.leaves.get_mut(self.last) {
            last.next = at;
        }
        self.last = at;
        self.set_at(at, value)
    }

    /// Gives an existing leaf a value; true when that changed it.
    pub(crate) fn replace(&mut self, path: &str, value: Option<Value>) -> bool {
        self.find(path).is_ok_and(|at| self.set_at(at, value))
    }

    fn set_at(&mut self, at: usize, value: Option<Value>) -> bool {
        let Some(leaf) = self.leaves.get_mut(at) else { return false };
        if leaf.value == value {
            return false;
        }
        leaf.value = value;
        if let Some(changed) = self.changed.get_mut(at).filter(|changed| !**changed) {
            *changed = true;
            self.changes += 1;
        }
        true
    }

    /// The index of a leaf, or where it would stand.
    fn find(&self, path: &str) -> Result<usize, usize> {
        self.leaves.binary_search_by(|leaf| leaf.path.as_ref().cmp(path))
    }

    pub(crate) fn leaf(&self, path: &str) -> Option<&Leaf> {
        self.leaves.get(self.find(path).ok()?)
    }

    pub(crate) fn leaves(&self) -> &[Leaf] {
        &self.leaves
    }

    pub(crate) fn has_changes(&self) -> bool {
        self.changes > 0
    }

    /// The leaves of which the bus must be told.
    pub(crate) fn changes(&self) -> impl Iterator<Item = &Leaf> {
        self.leaves.iter().zip(&self.changed).filter_map(|(leaf, changed)| changed.then_some(leaf))
    }

    /// The bus has been told.
    pub(crate) fn settle(&mut self) {
        self.changed.fill(false);
        self.changes = 0;
    }

    pub(crate) fn node(&self, path: &str) -> Node {
        match self.find(path) {
            Ok(_) => Node::Leaf,
            Err(_) if path == "/" || !self.below(path).is_empty() => Node::Branch,
            Err(_) => Node::Nowhere,
        }
    }

    /// Takes the value away from every leaf below a branch.
    pub(crate) fn clear_below(&mut self, branch: &str) {
        for at in self.range_below(branch) {
            self.set_at(at, None);
        }
    }

    /// The leaves below a branch, each with its path relative to it (no slash in front).
    pub(crate) fn below<'a>(&'a self, branch: &'a str) -> Vec<(&'a str, &'a Leaf)> {
        let leaves = self.leaves.get(self.range_below(branch)).unwrap_or_default();
        let cut = if branch == "/" { 1 } else { branch.len() + 1 };
        leaves.iter().filter_map(|leaf| Some((leaf.path.get(cut..)?, leaf))).collect()
    }

    fn range_below(&self, branch: &str) -> Range<usize> {
        if branch == "/" {
            return 0..self.leaves.len();
        }
        // Everything that starts with "/branch/" stands between that and "/branch0", '0' being the byte after '/'.
        let from = self.leaves.partition_point(|leaf| leaf.path.as_ref() < format!("{branch}/").as_str());
        let to = self.leaves.partition_point(|leaf| leaf.path.as_ref() < format!("{branch}0").as_str());
        from..to.max(from)
    }

    /// The names right below a branch, for introspection.
    pub(crate) fn children(&self, branch: &str) -> Vec<&str> {
        let range = self.range_below(branch);
        let cut = if branch == "/" { 1 } else { branch.len() + 1 };
        let leaves = self.leaves.get(range).unwrap_or_default();
        let mut names: Vec<&str> =
            leaves.iter().filter_map(|leaf| leaf.path.get(cut..)?.split('/').next()).collect();
        names.dedup();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Item, text};

    const SOC: Item<f64> = Item::new("/Soc", text::PERCENT_1);

    fn tree(paths: &[&'static str]) -> Tree {
        let mut tree = Tree::default();
        for path in paths {
            tree.set(&Item::<f64>::new(path, text::PERCENT_1), None);
        }
        tree
    }

    #[test]
    fn a_branch_is_the_leaves_whose_path_goes_through_it_and_no_others() {
        let tree = tree(&["/Dc/0/Voltage", "/Dc/0/Current", "/Dc0", "/Dc-1/X", "/Dc", "/Soc"]);
        let names: Vec<&str> = tree.below("/Dc").into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["0/Current", "0/Voltage"]);
        assert_eq!(tree.below("/").len(), 6);
        assert_eq!(tree.node("/Dc/0"), Node::Branch);
        assert_eq!(tree.node("/Dc/1"), Node::Nowhere);
        assert_eq!(tree.node("/Dc/0/"), Node::Nowhere);
        assert_eq!(tree.node("/Dc"), Node::Leaf);
        assert_eq!(tree.children("/Dc"), ["0"]);
    }

    #[test]
    fn only_a_different_value_is_a_change() {
        let mut tree = tree(&["/Soc"]);
        tree.settle();
        assert!(!tree.set(&SOC, None));
        assert!(tree.set(&SOC, Some(Value::Real(1.0))));
        assert!(!tree.set(&SOC, Some(Value::Real(1.0))));
        assert!(tree.has_changes());
        tree.settle();
        assert!(!tree.has_changes());
    }
    #[test]
    fn each_value_finds_its_leaf_in_whatever_order_they_are_set() {
        const CELL: Item<f64> = Item::new("/Voltages/Cell#", text::CELL_VOLTS);
        let mut tree = tree(&["/Soc"]);
        for order in [[3, 1, 2], [3, 1, 2], [2, 2, 1], [1, 3, 0], [0, 1, 9]] {
            for n in order {
                tree.set(&CELL.nth(n), Some(Value::Real(f64::from(n))));
                tree.set(&SOC, Some(Value::Real(50.0)));
            }
        }
        for n in [0, 1, 2, 3, 9] {
            let leaf = tree.leaf(&CELL.nth(n).path()).expect("was set");
            assert_eq!(leaf.value, Some(Value::Real(f64::from(n))));
        }
        let names: Vec<&str> = tree.changes().map(|leaf| &*leaf.path).collect();
        assert_eq!(names.len(), 6);
        assert!(names.is_sorted());
        tree.settle();
        assert_eq!(tree.changes().count(), 0);
        tree.clear_below("/Voltages");
        assert_eq!(tree.changes().count(), 5);
    }
}
