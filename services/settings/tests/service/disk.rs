//! The file, and disks that do not do what they should.

use std::fs;

use serde_json::json;
use testbed::{Exit, eventually, one_of};

use crate::rig::{NAME, Rig, SOON, fails, folder, program, spawn};

const ORIGINAL: &str = include_str!("../data/original.xml");

#[test]
fn a_change_reaches_the_file_by_itself() {
    let rig = Rig::start();
    rig.add("A", ["i", "5"], &[]);
    eventually(SOON, || rig.text().contains("<A type=\"i\" default=\"5\" silent=\"False\">5</A>"));
    assert!(!rig.file().with_extension("xml.new").exists());
}

#[test]
fn who_sees_the_name_finds_a_file() {
    // Without it yet: the rig would wait for more than the name.
    let (bus, home) = (testbed::PrivateBus::start(), tempfile::tempdir().unwrap());
    let process = spawn(&bus, &home);
    let name = || bus.busctl(&["list"]).unwrap().to_string().contains(NAME);
    eventually(SOON, name);
    assert!(folder(&home).join("settings.xml").exists(), "{:?}", process.lines());
}

#[test]
fn a_change_can_be_saved_at_once() {
    let (bus, home) = (testbed::PrivateBus::start(), tempfile::tempdir().unwrap());
    let config = home.path().join("settings.toml");
    fs::write(&config, format!("folder = {:?}\nsave_at_once = true\n", folder(&home))).unwrap();
    let process = testbed::Process::spawn(bus.command(program()).arg(config));
    let rig = Rig { process, bus, home };
    eventually(SOON, || rig.bus.get_value(NAME, "/Settings").is_ok());
    rig.add("A", ["i", "0"], &[]);
    eventually(SOON, || rig.text().contains(">0</A>"));
    let mut values = 1..;
    // Saved at leisure, each of them would take longer.
    one_of(5, || {
        let value = values.next().unwrap().to_string();
        let begun = tokio::time::Instant::now();
        assert_eq!(rig.set("/Settings/A", ["i", &value]), 0);
        eventually(SOON, || rig.text().contains(&format!(">{value}</A>")));
        let took = begun.elapsed();
        if took < std::time::Duration::from_millis(1500) { Ok(()) } else { Err(format!("{took:?}")) }
    });
}

#[test]
fn a_file_of_the_original_is_served_and_comes_back_byte_for_byte() {
    let mut rig = Rig::start_with(|folder| {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("settings.xml"), ORIGINAL).unwrap();
    });
    assert_eq!(rig.get("/Settings/Devices/bmscan_can0/ClassAndVrmInstance"), json!("battery:100"));
    assert_eq!(rig.get("/Settings/Text/Lines"), json!("x\ny\tz\r\"'<&>"));
    rig.set("/Settings/System/LogLevel", ["i", "31"]);
    rig.set("/Settings/System/LogLevel", ["i", "30"]);
    rig.restart();
    assert_eq!(rig.text(), ORIGINAL);
}

#[test]
fn a_broken_file_is_kept_aside_and_reported_once() {
    let broken = "<Settings version=\"19\">\n<A type=";
    let mut rig = Rig::start_with(|folder| {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("settings.xml"), broken).unwrap();
        fs::write(folder.join("settings.xml.broken-1"), "an older one").unwrap();
    });
    rig.process.wait_for_line("line 2", SOON);
    eventually(SOON, || rig.file().exists() && rig.text().starts_with("<?xml"));
    let aside = folder(&rig.home).join("settings.xml.broken-2");
    assert_eq!(fs::read_to_string(&aside).unwrap(), broken);
    rig.add("A", ["i", "5"], &[]);
    rig.restart();
    assert_eq!(rig.get("/Settings"), json!({"A": 5}));
    assert!(!rig.process.lines().iter().any(|line| line.contains("broken")), "{:?}", rig.process.lines());
}

#[test]
fn an_import_from_another_device_is_taken_over_without_its_devices() {
    let rig = Rig::start_with(|folder| {
        fs::create_dir_all(folder).unwrap();
        let text = ORIGINAL.replace("unique-id=\"\"", "unique-id=\"0123456789ab\"");
        fs::write(folder.join("settings.xml.import"), text).unwrap();
    });
    assert_eq!(rig.get("/Settings/System/LogLevel"), json!(30));
    assert_eq!(rig.get("/Settings/Devices"), json!({}));
    eventually(SOON, || rig.file().exists() && !folder(&rig.home).join("settings.xml.import").exists());
}

#[test]
fn a_folder_that_cannot_be_made_is_served_from_memory_and_reported_once_until_it_can() {
    // A file in the place of the folder above: root would not be stopped by permissions.
    let mut rig = Rig::start_with(|folder| fs::write(folder.parent().unwrap(), "in the way").unwrap());
    rig.process.wait_for_line("only kept in memory", SOON);
    assert_eq!(rig.add("A", ["i", "5"], &[]), (0, json!(5)));
    assert_eq!(rig.get("/Settings/A"), json!(5));
    fs::remove_file(rig.home.path().join("var")).unwrap();
    rig.process.wait_for_line("the settings are saved again", SOON);
    assert!(rig.text().contains("<A "));
    let reports = rig.process.lines().iter().filter(|line| line.contains("only kept in memory")).count();
    assert_eq!(reports, 1);
}

#[test]
fn a_full_disk_is_told_with_its_cure_and_leaves_the_old_file() {
    let mut rig = Rig::start();
    eventually(SOON, || rig.file().exists());
    let old = rig.text();
    std::os::unix::fs::symlink("/dev/full", rig.file().with_extension("xml.new")).unwrap();
    rig.add("A", ["i", "5"], &[]);
    let line = rig.process.wait_for_line("only kept in memory", SOON);
    assert!(line.contains("Free space on that disk"), "{line}");
    assert_eq!(rig.text(), old);
    rig.process.wait_for_line("the settings are saved again", SOON);
    assert!(rig.text().contains("<A "));
}

#[test]
fn a_file_that_is_there_but_cannot_be_read_is_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let bus = testbed::PrivateBus::start();
    fs::create_dir_all(folder(&home).join("settings.xml")).unwrap();
    let config = home.path().join("settings.toml");
    fs::write(&config, format!("folder = {:?}\n", folder(&home))).unwrap();
    let (exit, lines) = fails(bus.command(program()).arg(config));
    assert_eq!(exit, Exit::Code(1));
    assert!(lines.contains("must not be lost"), "{lines}");
}
