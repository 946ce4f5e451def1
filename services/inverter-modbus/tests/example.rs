//! The example configuration is one, and says the defaults.

#![allow(clippy::panic, clippy::expect_used, reason = "a test fails by panicking")]

use inverter_modbus::Config;
use service_kit::config;

const EXAMPLE: &str = include_str!("../inverter-modbus.example.toml");

fn parse(text: &str) -> Config {
    config::parse(text, "example.toml", []).unwrap_or_else(|errors| panic!("{errors}"))
}

/// Every key that is switched off, switched on: except those that exclude another, and those that stand for what is nowhere
/// here: a folder, and the numbers of another profile.
fn in_full() -> String {
    let lines = EXAMPLE.lines().map(|line| match line.strip_prefix('#') {
        Some("[[discover]]") => "[[discover]]",
        Some(key)
            if key.contains(" = ")
                && !key.starts_with(' ')
                && !["host", "tcp_port", "framing", "profiles", "secrets"]
                    .iter()
                    .any(|other| key.starts_with(other)) =>
        {
            key
        }
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_is_a_configuration_and_so_is_every_key_of_it() {
    let short = parse(EXAMPLE);
    let full = parse(&in_full());
    assert_eq!((short.device.len(), full.device.len()), (1, 1));
    assert_eq!((short.discover.len(), full.discover.len()), (0, 1));
    let found = &full.discover[0];
    assert_eq!(
        (found.tcp_port, found.framing, &found.bauds[..]),
        (502, Default::default(), &[9600, 19_200][..])
    );
    assert_eq!((&found.units[..], found.profile.as_deref()), (&[1, 2, 3][..], Some("solis-hybrid")));
    assert_eq!(full.folder, short.folder);
    let (short, full) = (&short.device[0], &full.device[0]);
    assert_eq!((full.name.as_deref(), full.unit), (Some("Inverter in the garage"), Some(1)));
    for (shown, default) in [
        (full.device_instance, short.device_instance),
        (full.phase.into(), short.phase.into()),
        (full.position.into(), short.position.into()),
    ] {
        assert_eq!(shown, default, "what is shown is the default");
    }
    assert_eq!((full.control, full.ac_input, full.framing), (short.control, short.ac_input, short.framing));
}

fn refused(text: &str) -> String {
    let errors = config::parse::<Config>(text, "test.toml", []).expect_err(text);
    errors.lines().collect::<Vec<_>>().join("\n")
}

#[test]
fn current_is_decided_in_one_place_and_dvcc_has_to_know_how_much_there_is() {
    let hybrid = |profile: &str, keys: &str| {
        format!("[[device]]\nprofile = {profile:?}\nport = \"/dev/a\"\ndvcc = true\n{keys}\n")
    };
    assert!(parse(&hybrid("deye-one-phase", "")).device[0].dvcc);
    let both = refused(&hybrid("deye-one-phase", "follow = \"com.victronenergy.battery.busbar\""));
    assert!(both.contains("dvcc or follow"), "{both}");
    let unknown = refused(&hybrid("sungrow-sh", ""));
    assert!(unknown.contains("max_charge_current_a beside it"), "{unknown}");
    assert!(parse(&hybrid("sungrow-sh", "max_charge_current_a = 100")).device[0].dvcc);
    let meter = refused(&hybrid("sunspec-meter", ""));
    assert!(meter.contains("no limit that DVCC could set"), "{meter}");
}

#[test]
fn numbers_and_names_of_systems_are_those_that_the_gui_takes() {
    let with = |key: &str| format!("[[device]]\nprofile = \"deye-one-phase\"\nport = \"/dev/a\"\n{key}\n");
    assert!(refused(&with("device_instance = 0")).contains("10 to 511"));
    assert!(refused(&with("system = \"the house\"")).contains("is no part of a bus name"));
    assert_eq!(parse(&with("system = \"house_1\"")).device[0].system, "house_1");
}

#[test]
fn a_device_is_at_one_place_and_two_are_not_the_same() {
    let device = "[[device]]\nprofile = \"deye-one-phase\"\n";
    assert!(refused(device).contains("port or host"));
    assert!(refused(&format!("{device}port = \"/dev/a\"\nhost = \"b\"\n")).contains("port or host"));
    let twice = format!("{device}port = \"/dev/a\"\n{device}port = \"/dev/a\"\n");
    assert!(
        refused(&twice).starts_with("test.toml:4:1: device[1].unit: two devices are unit 1"),
        "{}",
        refused(&twice)
    );
    let rates = format!("{device}port = \"/dev/a\"\n{device}port = \"/dev/a\"\nunit = 2\nbaud = 19200\n");
    assert!(refused(&rates).contains("one rate"), "{}", refused(&rates));
    assert!(
        refused("[[device]]\nprofile = \"deye-one-fase\"\nport = \"/dev/a\"\n").contains("deye-one-phase")
    );
    assert!(refused("").contains("device"));
    let follow = "[[device]]\nprofile = \"sunspec-meter\"\nport = \"/dev/a\"\nfollow = \"com.victronenergy.battery.busbar\"\n";
    assert!(refused(follow).contains("no limit that could follow"));
}

#[test]
fn a_grid_meter_is_published_only_of_a_profile_that_has_one() {
    let with = |profile: &str| {
        format!("[[device]]\nprofile = {profile:?}\nport = \"/dev/a\"\npublish_grid = true\n")
    };
    for without in ["growatt-spf", "sma-sunny-island"] {
        let said = refused(&with(without));
        assert!(
            said.contains(&format!("test.toml:4:16: device[0].publish_grid: {without} has no meter")),
            "{said}"
        );
    }
    for profile in ["deye-one-phase", "sungrow-sh", "sunspec-inverter", "sunspec-hybrid", "sunspec-meter"] {
        assert!(parse(&with(profile)).device[0].publish_grid);
    }
}

#[test]
fn what_belongs_to_a_port_is_refused_beside_a_host_and_the_other_way_round() {
    let host = "[[device]]\nprofile = \"sunspec-meter\"\nhost = \"10.0.0.7\"\n";
    let said = refused(&format!("{host}baud = 9600\nparity = \"even\"\nstop_bits = 2\n"));
    assert_eq!(said.lines().filter(|line| line.contains("a host has none")).count(), 3, "{said}");
    assert!(said.contains("test.toml:4:8: device[0].baud: "), "{said}");
    let port = "[[device]]\nprofile = \"deye-one-phase\"\nport = \"/dev/a\"\n";
    let said = refused(&format!("{port}tcp_port = 502\nframing = \"rtu\"\n"));
    assert_eq!(said.lines().filter(|line| line.contains("a serial port has none")).count(), 2, "{said}");
    assert!(refused("[[discover]]\nhost = \"10.0.0.7\"\nbauds = [9600]\n").contains("a host has none"));
}

#[test]
fn names_that_nothing_has_are_told_with_those_that_were_probably_meant() {
    let device = |profile: &str| format!("[[device]]\nprofile = {profile:?}\nport = \"/dev/a\"\n");
    let said = refused(&device("deye"));
    let near = "did you mean deye-one-phase or deye-three-phase-hv or deye-three-phase-lv?";
    assert!(said.contains("no profile is called \"deye\"") && said.contains(near), "{said}");
    let said = refused("[[discover]]\nport = \"/dev/a\"\nprofile = \"solis\"\n");
    assert!(said.contains("discover[0].profile: ") && said.contains("did you mean solis-hybrid?"), "{said}");
    let missing = refused("profiles = \"/nowhere/profiles\"\n[[discover]]\nport = \"/dev/a\"\n");
    assert!(missing.contains("test.toml:1:12: profiles: /nowhere/profiles is no folder"), "{missing}");
}

#[test]
fn a_secret_that_the_profile_does_not_ask_for_is_told_without_its_number() {
    let with = |profile: &str, name: &str| {
        format!("[[device]]\nprofile = {profile:?}\nhost = \"b\"\nsecrets = {{ {name} = 1234567890 }}\n")
    };
    let right = parse(&with("sma-sunny-island", "grid_guard"));
    assert_eq!(right.device[0].secrets.get("grid_guard"), Some(&1_234_567_890));
    let said = refused(&with("sma-sunny-island", "gridguard"));
    assert!(said.contains("did you mean grid_guard?") && !said.contains("1234567890"), "{said}");
    assert!(refused(&with("solis-hybrid", "grid_guard")).contains("allowed: none"));
}

#[test]
fn a_line_that_is_searched_is_at_one_place_and_named_once() {
    let refused = |text: &str| {
        let errors = config::parse::<Config>(text, "test.toml", []).expect_err(text);
        errors.lines().collect::<Vec<_>>().join("\n")
    };
    assert_eq!(parse("[[discover]]\nhost = \"10.0.0.7\"\n").discover[0].tcp_port, 502);
    assert!(refused("[[discover]]\n").contains("port or host"));
    let port = "[[discover]]\nport = \"/dev/a\"\n";
    assert!(refused(&format!("{port}{port}")).contains("twice at /dev/a"));
    assert!(refused(&format!("{port}units = [0]\n")).contains("1 to 247"));
    assert!(refused(&format!("{port}bauds = [1]\n")).contains("300"));
    assert!(refused(&format!("{port}profile = \"solis\"\n")).contains("solis-hybrid"));
}
