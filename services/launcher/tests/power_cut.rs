//! The folder as a power cut may leave it, and the program that is started from it.
#![expect(clippy::unwrap_used, reason = "a step of a test that fails is a failed test")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use launcher::{Folder, MOST_STARTS, Outcome};

/// Two releases whose program says who it is; the new one is current and on trial.
fn on_trial() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for name in ["old", "new"] {
        let bin = path.join("releases").join(name).join("bin");
        fs::create_dir_all(&bin).unwrap();
        fs::write(bin.join("say"), format!("#!/bin/sh\necho {name} \"$@\" $$\n")).unwrap();
        fs::set_permissions(bin.join("say"), fs::Permissions::from_mode(0o755)).unwrap();
    }
    symlink("releases/new", path.join("current")).unwrap();
    symlink("releases/old", path.join("previous")).unwrap();
    fs::create_dir(path.join("state")).unwrap();
    fs::write(path.join("state/trial"), "from releases/old\nto releases/new\n").unwrap();
    folder
}

fn current(path: &Path) -> String {
    fs::read_link(path.join("current")).unwrap().display().to_string()
}

#[test]
fn a_process_that_starts_too_often_brings_the_old_release_back_and_says_why() {
    let folder = on_trial();
    let releases = Folder::at(folder.path());
    for starts in 1..=MOST_STARTS {
        assert_eq!(releases.attempt("bms-can@can0").unwrap(), Outcome::Counted(starts));
        assert_eq!(releases.attempt("settings").unwrap(), Outcome::Counted(starts), "each counts for itself");
    }
    let back = Outcome::WentBack("releases/old".to_owned());
    assert_eq!(releases.attempt("bms-can@can0").unwrap(), back);
    assert_eq!(current(folder.path()), "releases/old");
    let last = fs::read_to_string(folder.path().join("state/last")).unwrap();
    assert_eq!(
        last,
        "outcome rolled_back\nfrom releases/old\nto releases/new\nreason bms-can@can0 was started 3 times\n"
    );
    assert_eq!(releases.attempt("bms-can@can0").unwrap(), Outcome::Calm);
    assert!(!folder.path().join("state/trial").exists());
}

#[test]
fn a_power_cut_behind_each_step_of_going_back_leaves_the_old_release() {
    // The steps in their order: the link beside, the link, the report, the end of the trial.
    for steps in 0..=3 {
        let folder = on_trial();
        let path = folder.path();
        symlink("releases/old", path.join("current.new")).unwrap();
        if steps >= 1 {
            fs::rename(path.join("current.new"), path.join("current")).unwrap();
        }
        if steps >= 2 {
            fs::write(path.join("state/last"), "outcome rolled_back\n").unwrap();
        }
        if steps >= 3 {
            fs::remove_file(path.join("state/trial")).unwrap();
        }
        fs::create_dir(path.join("state/attempts")).unwrap();
        fs::write(path.join("state/attempts/settings"), "2\n").unwrap();
        Folder::at(path).attempt("settings").unwrap();
        assert_eq!(current(path), "releases/old", "after {steps} steps");
    }
}

#[test]
fn what_a_torn_write_leaves_is_no_trial_and_no_count() {
    for torn in
        ["", "from releases/old\n", "from releases/old\nto ", "to /etc\n", "to releases/../..\n", "\0\0\0"]
    {
        let folder = on_trial();
        fs::write(folder.path().join("state/trial"), torn).unwrap();
        assert_eq!(Folder::at(folder.path()).attempt("x").unwrap(), Outcome::Calm, "{torn:?}");
    }
    let folder = on_trial();
    fs::create_dir(folder.path().join("state/attempts")).unwrap();
    fs::write(folder.path().join("state/attempts/x"), "").unwrap();
    assert_eq!(Folder::at(folder.path()).attempt("x").unwrap(), Outcome::Counted(1));
}

#[test]
fn an_old_release_that_is_gone_is_not_gone_back_to() {
    let folder = on_trial();
    fs::remove_dir_all(folder.path().join("releases/old")).unwrap();
    let releases = Folder::at(folder.path());
    let outcomes: Vec<bool> = (0..4).map(|_| releases.attempt("x").is_ok()).collect();
    assert_eq!(outcomes, [true, true, false, false]);
    assert_eq!(current(folder.path()), "releases/new");
}

#[test]
fn the_launcher_becomes_the_program_of_the_current_release_or_else_of_the_one_before() {
    let folder = on_trial();
    // It finds the releases beside itself.
    let program = folder.path().join("launcher");
    fs::copy(env!("CARGO_BIN_EXE_launcher"), &program).unwrap();
    let said = |arguments: &[&str]| {
        let child =
            Command::new(&program).args(arguments).stdout(std::process::Stdio::piped()).spawn().unwrap();
        let id = child.id();
        (String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap(), id)
    };
    let (words, id) = said(&["say", "--config", "x y"]);
    assert_eq!(words, format!("new --config x y {id}\n"), "the process stays the same");
    fs::remove_file(folder.path().join("releases/new/bin/say")).unwrap();
    let (words, id) = said(&["say"]);
    assert_eq!(words, format!("old {id}\n"));
    for wrong in ["../say", "-x", ".", ""] {
        assert_eq!(said(&[wrong]).0, "", "{wrong}");
    }
}
