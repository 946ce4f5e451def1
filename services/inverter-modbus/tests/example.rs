//! The example configuration is one, and says the defaults.

#![allow(clippy::panic, clippy::expect_used, reason = "a test fails by panicking")]

use inverter_modbus::Config;
use service_kit::config;

const EXAMPLE: &str = include_str!("../inverter-modbus.example.toml");

fn parse(text: &str) -> Config {
    config::parse(text, "example.toml", []).unwrap_or_else(|errors| panic!("{errors}"))
}

/// Every key that is switched off, switched on: except those that exclude another.
fn in_full() -> String {
    let lines = EXAMPLE.lines().map(|line| match line.strip_prefix('#') {
        Some(key)
            if key.contains(" = ")
                && !key.starts_with(' ')
                && !["host", "tcp_port", "framing"].iter().any(|other| key.starts_with(other)) =>
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
    let (short, full) = (&short.device[0], &full.device[0]);
    assert_eq!(full.secrets.get("grid_guard"), Some(&1_234_567_890));
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
    assert!(refused(&twice).contains("two devices are unit 1"));
    let rates = format!("{device}port = \"/dev/a\"\n{device}port = \"/dev/a\"\nunit = 2\nbaud = 19200\n");
    assert!(refused(&rates).contains("one rate"), "{}", refused(&rates));
    assert!(
        refused("[[device]]\nprofile = \"deye-one-fase\"\nport = \"/dev/a\"\n").contains("deye-one-phase")
    );
    assert!(refused("").contains("device"));
    let follow = "[[device]]\nprofile = \"sunspec-meter\"\nport = \"/dev/a\"\nfollow = \"com.victronenergy.battery.busbar\"\n";
    assert!(refused(follow).contains("no limit that could follow"));
}
