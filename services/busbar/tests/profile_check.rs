//! What `busbar profile check` says of a profile that could be used and should not be as it is.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;

use testbed::bed::{busbar, folder};

fn check(file: &Path) -> (Option<i32>, String) {
    let output = busbar().args(["profile", "check"]).arg(file).output().expect("an end");
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn a_profile_under_another_name_or_that_recognises_nothing_is_told() {
    let folder = folder();
    let file = folder.path().join("mine.toml");
    let profile = include_str!("../../inverter-modbus/profiles/growatt-spf.toml");
    std::fs::write(&file, profile).expect("a file");
    let (code, said) = check(&file);
    assert!(
        code == Some(0) && said.contains("id = \"growatt-spf\"") && said.contains("as \"mine\""),
        "{said}"
    );
    let mine = profile.replace("id = \"growatt-spf\"", "id = \"mine\"");
    std::fs::write(&file, &mine).expect("a file");
    let (code, said) = check(&file);
    assert!(code == Some(0) && said.contains("is fine") && said.lines().count() == 1, "{said}");
    let without: Vec<&str> = mine.lines().filter(|line| !line.starts_with("identify.")).collect();
    std::fs::write(&file, without.join("\n")).expect("a file");
    let (code, said) = check(&file);
    assert!(code == Some(0) && said.contains("no [identify]") && said.contains("whatever answers"), "{said}");
}
