//! The scenarios that come with the simulator, and how wrong ones are refused.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests, where a panic is the message")]

use std::collections::BTreeSet;

use simulator::assembly;
use simulator::scenario::{CurrentConfig, EXAMPLE, Scenario, parse};

fn scenario(name: &str) -> Scenario {
    let path = format!("{}/scenarios/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    parse(&std::fs::read_to_string(&path).unwrap(), name).unwrap_or_else(|errors| panic!("{errors}"))
}

fn refused(text: &str) -> String {
    let text = format!("[[battery]]\nlink = \"b{{n}}\"\n{text}");
    parse(&text, "x.toml").map(|_| ()).unwrap_err().to_string()
}

#[test]
fn every_scenario_that_comes_along_is_valid_and_runs() {
    let directory = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios")).unwrap();
    let mut seen = 0;
    for entry in directory {
        let path = entry.unwrap().path();
        let scenario = scenario(path.file_stem().unwrap().to_str().unwrap());
        for (_, mut device) in assembly::devices(&scenario) {
            (0..120).for_each(|_| device.step(1.0));
            assert!((30.0..60.0).contains(&device.bank().bus_v()), "{path:?}: {}", device.status());
        }
        seen += 1;
    }
    assert!(seen >= 4);
}

#[test]
fn a_commented_key_of_the_example_shows_its_true_default() {
    let is_key = |text: &str| text.starts_with(|c: char| c.is_ascii_lowercase()) && text.contains(" = ");
    let uncommented =
        |line: &str| line.strip_prefix("# ").filter(|text| is_key(text)).unwrap_or(line).to_owned();
    let explicit: Vec<String> = EXAMPLE.lines().map(uncommented).collect();
    assert!(explicit.join("\n").matches("\nsoc_gain_error_percent").count() == 1);
    let shown = |text: &str| {
        let mut scenario = parse(text, "example").unwrap_or_else(|errors| panic!("{errors}"));
        let bms = &mut scenario.battery[0].bms;
        // These three follow from the pack when they are left out.
        (bms.max_charge_current_a, bms.max_discharge_current_a, bms.soc_percent) = (None, None, None);
        format!("{scenario:#?}")
    };
    assert_eq!(shown(&explicit.join("\n")), shown(EXAMPLE));
}

/// The keys of an example, those too that are commented out.
fn keys(example: &str) -> BTreeSet<String> {
    example
        .lines()
        .flat_map(|line| line.split(['{', ',']))
        .filter_map(|part| part.trim_start_matches(['#', ' ']).split_once('='))
        .map(|(key, _)| key.trim().to_owned())
        .collect()
}

#[test]
fn the_example_of_inverters_shows_every_key_of_theirs() {
    let shown = keys(include_str!("../scenarios/inverter.toml"));
    let errors = parse("[[inverter]]\nno_such_key = 1", "x").unwrap_err();
    let allowed = errors.iter().find_map(|error| error.allowed.clone()).unwrap();
    let missing: Vec<&str> =
        allowed.split([',', ' ']).filter(|key| !key.is_empty() && !shown.contains(*key)).collect();
    assert!(missing.is_empty() && allowed.contains("minds_rate"), "{missing:?} of {allowed}");
}

#[test]
fn the_example_shows_every_key_that_there_is() {
    let shown = keys(EXAMPLE);
    let tables = ["", "battery", "battery.pack", "battery.pack.odd_cell", "battery.bms", "battery.adapter"];
    let others = ["battery.current.day", "battery.current.steps", "battery.charger", "converter", "event"];
    for table in tables.into_iter().chain(others) {
        let header = match table {
            "" => String::new(),
            "battery" | "converter" | "event" => format!("[[{table}]]"),
            "battery.pack.odd_cell" => format!("[[battery]]\n[[{table}]]"),
            _ => format!("[[battery]]\n[{table}]"),
        };
        let errors = parse(&format!("{header}\nno_such_key = 1"), "x").unwrap_err();
        let error =
            errors.iter().find(|error| error.key.as_deref().is_some_and(|key| key.ends_with("no_such_key")));
        let allowed =
            error.and_then(|error| error.allowed.clone()).unwrap_or_else(|| panic!("{table}: {errors}"));
        for key in allowed.split([',', ' ']).filter(|key| !key.is_empty()) {
            let is_table =
                EXAMPLE.contains(&format!("battery.{key}")) || EXAMPLE.contains(&format!("[{key}]]"));
            let is_nested = EXAMPLE.contains(&format!(".{key}]"));
            assert!(shown.contains(key) || is_table || is_nested, "{table}: {key} is not shown");
        }
    }
}

#[test]
fn a_wrong_key_or_value_is_refused_with_its_line_and_what_is_allowed() {
    for (text, parts) in [
        ("modulse = 4", &["x.toml:3", "modulse", "modules"][..]),
        ("protocol = \"pylontec_lv\"", &["x.toml:3", "protocol", "pylontech_lv"]),
        ("strings = 9", &["x.toml:3", "strings", "1 to 8"]),
        ("manufacturer = \"PYLONTECHNOLOGY\"", &["x.toml:3", "at most 8"]),
        ("model = \"A NAME FOR TWO FRAMES\"", &["x.toml:3", "model", "at most 16"]),
        ("serial = \"Größe\"", &["x.toml:3", "serial", "ASCII"]),
        ("firmware = [1, 300]", &["x.toml:3", "firmware"]),
        ("protocol = \"byd_lv\"\nstrings = 2", &["x.toml:4", "strings", "1 to 1"]),
        ("[battery.bms]\ncycles = -1", &["x.toml:4", "cycles"]),
        ("[battery.pack]\nchemistry = \"lfpp\"", &["x.toml:4", "chemistry", "lfp"]),
        ("[battery.pack]\nsoc_percent = 101", &["x.toml:4", "soc_percent", "0 to 100 %"]),
        ("[battery.pack]\ncells = 0", &["x.toml:4", "cells", "1 to 32"]),
        ("[[battery.pack.odd_cell]]\ncell = 16", &["odd_cell", "cell 0 to 15"]),
        ("[battery.current.day]\nweather = \"rain\"", &["x.toml:4", "weather", "winter"]),
        (
            "[battery.current.steps]\nstep = [{at_s = 9, current_a = 1}, {at_s = 3, current_a = 1}]",
            &["x.toml:4", "rising"],
        ),
        ("[battery.current]\nconstant_a = 1e9", &["constant_a", "-10000 to 10000 A"]),
        ("count = 0", &["1 to 64"]),
        ("[[battery]]\nlink = \"b0\"", &["same link", "{n}"]),
        ("[[event]]\nat_s = 1\ncommand = \"fault silense\"", &["x.toml:5", "command", "silence"]),
        ("[[event]]\nat_s = 1\ncommand = \"3: plug\"", &["no battery 3"]),
    ] {
        let errors = refused(text);
        for part in parts {
            assert!(errors.contains(part), "{text}\n→ {errors}\nlacks {part}");
        }
    }
}

#[test]
fn a_count_becomes_batteries_of_their_own_with_numbered_links() {
    let text = "[[battery]]\nlink = \"a{n}\"\ncount = 2\n[[battery]]\nlink = \"b{n}\"\n[battery.current]\nconstant_a = 5";
    let batteries = parse(text, "x.toml").unwrap().batteries();
    let links: Vec<_> = batteries.iter().map(|battery| battery.link.to_str().unwrap()).collect();
    assert_eq!(links, ["a0", "a1", "b2"]);
    assert!(matches!(batteries[2].current, CurrentConfig::ConstantA(5.0)));
}
