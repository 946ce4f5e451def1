//! The saver against power cuts: between any two of its steps, and within them, the settings can be read.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a failing step fails the test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use settings::file::{Document, read, write};
use settings::folder;
use settings::save::{Besides, Step, plan, save};
use settings::store::{Definition, Store};

fn text_with(value: i32) -> String {
    let mut document = Document::empty("");
    let default = dbus_interfaces::Value::Int(value);
    let kind = settings::content::Type::Int;
    let wanted = Definition { kind, default: Some(&default), min: None, max: None, silent: false };
    document.store.add("/Settings", "A", &wanted).expect("adds");
    write(&document)
}

fn value_in(store: &Store) -> Option<String> {
    store.get("/Settings/A").map(|setting| setting.value.text())
}

#[test]
fn a_process_killed_after_any_step_leaves_the_old_or_the_new_file() {
    let (old, new) = (text_with(1), text_with(2));
    let steps = plan(Path::new("/"), new.clone(), &Besides::default()).len();
    for cut in 0..=steps {
        let home = tempfile::tempdir().expect("a temporary folder");
        fs::write(home.path().join("settings.xml"), &old).expect("writes");
        let plan = plan(home.path(), new.clone(), &Besides::default());
        plan.iter().take(cut).for_each(|step| step.take().expect("a step"));
        if let Some(Step::Write { to, text }) = plan.get(cut) {
            fs::write(to, text.get(..text.len() / 2).unwrap_or_default()).expect("writes half");
        }
        let found = folder::open(home.path(), "").expect("opens");
        let value = value_in(&found.document.store);
        assert!(matches!(value.as_deref(), Some("1" | "2")), "cut after {cut}: {value:?}");
        assert!(found.warnings.is_empty(), "{:?}", found.warnings);
        // What the cut has left does not stand in the way of the next start.
        save(home.path(), &plan).expect("saves");
        assert_eq!(fs::read_to_string(home.path().join("settings.xml")).expect("reads"), new);
    }
}

/// What a disk holds when the power goes: contents that nobody waited for may be there in part, names that nobody waited
/// for may be the old ones, up to any of the changes made since (POSIX `fsync`, rationale).
#[derive(Clone, Default)]
struct Disk {
    /// By inode: the whole content, and whether it is known to be on the disk.
    contents: Vec<(String, bool)>,
    names: BTreeMap<PathBuf, usize>,
    /// The names after each change since they were last waited for, those on the disk first.
    histories: Vec<BTreeMap<PathBuf, usize>>,
}

impl Disk {
    fn with(files: &[(&str, &str)]) -> Disk {
        let mut disk = Disk::default();
        for (name, text) in files {
            disk.names.insert(name.into(), disk.contents.len());
            disk.contents.push(((*text).to_owned(), true));
        }
        disk.histories.push(disk.names.clone());
        disk
    }

    fn create(&mut self, name: &Path, text: String) {
        match self.names.get(name) {
            Some(inode) => self.contents[*inode] = (text, false),
            None => {
                self.names.insert(name.to_owned(), self.contents.len());
                self.contents.push((text, false));
                self.histories.push(self.names.clone());
            }
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Copy { from, to } => self.create(to, self.contents[self.names[from]].0.clone()),
            Step::Write { to, text } => self.create(to, text.clone()),
            Step::Sync(path) => self.contents[self.names[path]].1 = true,
            Step::SyncFolder(_) => self.histories = vec![self.names.clone()],
            Step::Rename { from, to } => {
                let inode = self.names.remove(from).expect("the file is there");
                self.names.insert(to.clone(), inode);
                self.histories.push(self.names.clone());
            }
            Step::Remove(path) => {
                self.names.remove(path);
                self.histories.push(self.names.clone());
            }
        }
    }

    /// Everything that may be read of a file after a cut now; `None` where the file may be missing.
    fn after_a_cut(&self, name: &str) -> Vec<Option<String>> {
        let mut seen = Vec::new();
        for names in &self.histories {
            match names.get(Path::new(name)) {
                None => seen.push(None),
                Some(inode) => {
                    let (text, safe) = &self.contents[*inode];
                    let ends = if *safe { vec![text.len()] } else { vec![0, text.len() / 2, text.len()] };
                    seen.extend(ends.into_iter().map(|end| text.get(..end).map(str::to_owned)));
                }
            }
        }
        seen
    }
}

#[test]
fn a_power_cut_at_any_moment_leaves_the_old_or_the_new_file_whole() {
    let (old, new) = (text_with(1), text_with(2));
    let mut disk = Disk::with(&[("settings.xml", &old)]);
    for step in plan(Path::new(""), new.clone(), &Besides::default()) {
        disk.take(&step);
        for text in disk.after_a_cut("settings.xml") {
            let text = text.expect("the file is never missing");
            assert!(text == old || text == new, "after {step:?}: {text}");
            assert!(read(&text).is_ok());
        }
    }
    assert_eq!(disk.after_a_cut("settings.xml"), [Some(new)]);
}

#[test]
fn a_model_of_a_disk_shows_what_goes_wrong_without_waiting() {
    let (old, new) = (text_with(1), text_with(2));
    let steps = plan(Path::new(""), new, &Besides::default());
    for left_out in
        [|step: &Step| matches!(step, Step::Sync(_)), |step: &Step| matches!(step, Step::SyncFolder(_))]
    {
        let mut disk = Disk::with(&[("settings.xml", &old)]);
        steps.iter().filter(|step| !left_out(step)).for_each(|step| disk.take(step));
        assert!(disk.after_a_cut("settings.xml").len() > 1, "the end is certain only if it was waited for");
    }
}

#[test]
fn a_broken_file_is_whole_under_its_second_name_before_the_first_is_taken() {
    let broken = "<Settings".repeat(50);
    let besides = Besides {
        keep: vec![("settings.xml".into(), "settings.xml.broken-1".into())],
        remove: vec!["settings.xml.import".into()],
    };
    let mut disk = Disk::with(&[("settings.xml", &broken), ("settings.xml.import", "x")]);
    for step in plan(Path::new(""), text_with(2), &besides) {
        disk.take(&step);
        let aside = disk.after_a_cut("settings.xml.broken-1");
        let replaced = disk.after_a_cut("settings.xml").iter().any(|text| text.as_ref() != Some(&broken));
        assert!(!replaced || aside.iter().all(|text| text.as_ref() == Some(&broken)), "after {step:?}");
        let imported = disk.after_a_cut("settings.xml.import").contains(&None);
        let taken_over = disk.after_a_cut("settings.xml").iter().all(|text| *text == Some(text_with(2)));
        assert!(!imported || taken_over, "after {step:?}");
    }
}

#[test]
fn a_failed_save_says_what_failed_and_leaves_no_half_file() {
    let home = tempfile::tempdir().expect("a temporary folder");
    fs::write(home.path().join("settings.xml"), text_with(1)).expect("writes");
    std::os::unix::fs::symlink("/dev/full", home.path().join("settings.xml.new")).expect("links");
    let plan = plan(home.path(), text_with(2), &Besides::default());
    let error = save(home.path(), &plan).expect_err("the disk is full").to_string();
    assert!(error.contains("settings.xml.new") && error.contains("Free space"), "{error}");
    assert!(!home.path().join("settings.xml.new").exists());
    assert_eq!(fs::read_to_string(home.path().join("settings.xml")).expect("reads"), text_with(1));
}
