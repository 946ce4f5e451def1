//! `check-config` and `completions`, as a user types them.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::Write;
use std::process::{Command, Output, Stdio};

use testbed::bed::busbar;

struct File(tempfile::TempDir, &'static str);

impl File {
    fn new(name: &'static str, text: &str) -> File {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(name), text).expect("written");
        File(folder, name)
    }

    fn check(&self, arguments: &[&str]) -> Output {
        let path = self.0.path().join(self.1);
        busbar().arg("check-config").arg(path).args(arguments).output().expect("it starts")
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

#[test]
fn a_right_configuration_is_shown_in_full_and_is_one_again() {
    let file = File::new("bms-can.x.toml", "[can]\nport = \"/dev/ttyACM0\"\nbit_rate = 250000\n");
    let output = file.check(&[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let full = text(&output.stdout);
    assert!(
        full.lines().next().is_some_and(|line| line.ends_with("is fine: a configuration of bms-can")),
        "{full}"
    );
    let line = |key: &str| {
        full.lines().find(|line| line.starts_with(key)).unwrap_or_else(|| panic!("no {key}: {full}"))
    };
    assert!(line("bit_rate = 250000").contains("the default is 500000"));
    assert_eq!(line("listen_only"), "listen_only = false");
    assert!(full.contains("\n[[battery]]\n"), "{full}");

    let again = File::new("bms-can.y.toml", &full).check(&[]);
    let body = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(body(&text(&again.stdout)), body(&full));
}

#[test]
fn every_mistake_is_a_line_with_its_place_and_the_code_is_78() {
    let file = File::new(
        "bms-can.x.toml",
        "[can]\nport = \"/dev/ttyACM0\"\nbit_rat = 500000\n[[battery]]\naddress = 9\n",
    );
    let output = file.check(&[]);
    assert_eq!(output.status.code(), Some(78));
    let said = text(&output.stderr);
    for part in [
        "bms-can.x.toml:3:1: can.bit_rat: unknown key",
        "did you mean bit_rate?",
        "bms-can.x.toml:5:",
        "0 to 7",
    ] {
        assert!(said.contains(part), "no {part:?} in\n{said}");
    }
    assert!(output.stdout.is_empty());
}

#[test]
fn every_mistake_in_a_file_of_inverters_is_told_at_once() {
    let file = File::new(
        "inverter-modbus.house.toml",
        "profiles = \"/nowhere\"\n[[device]]\nprofile = \"deye\"\nhost = \"10.0.0.7\"\nbaud = 9600\ntoken = \"x\"\n\
         [[device]]\nprofile = \"solis-hybrid\"\nport = \"/dev/a\"\nsecrets = { pin = 4711 }\ncontrol = \"of\"\n",
    );
    let output = file.check(&[]);
    assert_eq!(output.status.code(), Some(78));
    let said = text(&output.stderr);
    for part in [
        "toml:1:12: profiles: /nowhere is no folder that is there",
        "toml:3:11: device[0].profile: no profile is called \"deye\"; allowed: deye-one-phase, ",
        "did you mean deye-one-phase or ",
        "toml:5:8: device[0].baud: a host has none",
        "toml:6:1: device[0].token: unknown key; allowed: ",
        "device[1].secrets: no number that this profile asks for is called \"pin\"",
        "toml:11:11: device[1].control: unknown word \"of\"; allowed: \"off\", \"on\"; did you mean \"off\"?",
    ] {
        assert!(said.contains(part), "no {part:?} in\n{said}");
    }
    assert!(!said.contains("4711"), "{said}");
}

#[test]
fn whose_it_is_is_told_by_its_name_or_by_the_user() {
    let settings = File::new("settings.toml", "").check(&[]);
    assert!(text(&settings.stdout).contains("a configuration of settings"), "{}", text(&settings.stderr));
    let draft = File::new("draft.toml", "[can]\nport = \"/dev/ttyACM0\"\n");
    let unknown = draft.check(&[]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(
        text(&unknown.stderr)
            .contains("--service with one of bms-can, charge-manager, dcdc-rs485, inverter-modbus"),
        "{}",
        text(&unknown.stderr)
    );
    assert_eq!(draft.check(&["--service", "bms-can"]).status.code(), Some(0));
    let scenario = File::new("simulator.toml", include_str!("../../simulator/scenarios/hub.toml")).check(&[]);
    assert_eq!(scenario.status.code(), Some(0), "{}", text(&scenario.stderr));
}

#[test]
fn the_environment_counts_and_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bms-can.x.toml");
    std::fs::write(&path, "[can]\nport = \"/dev/ttyACM0\"\n").expect("written");
    let checked = |value: &str| {
        busbar()
            .arg("check-config")
            .arg(&path)
            .env("BUSBAR_CAN__BIT_RATE", value)
            .output()
            .expect("it starts")
    };
    let right = text(&checked("250000").stdout);
    assert!(
        right.contains("# BUSBAR_CAN__BIT_RATE is set") && right.contains("bit_rate = 250000"),
        "{right}"
    );
    let wrong = checked("fast");
    assert_eq!(wrong.status.code(), Some(78));
    assert!(text(&wrong.stderr).contains("BUSBAR_CAN__BIT_RATE"), "{}", text(&wrong.stderr));
}

#[test]
fn a_missing_file_is_said() {
    let output = busbar().args(["check-config", "/nonexistent/bms-can.x.toml"]).output().expect("it starts");
    assert_eq!(output.status.code(), Some(78));
    assert!(
        text(&output.stderr).contains("/nonexistent/bms-can.x.toml: no such file"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn completions_are_scripts_that_know_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let output = busbar().args(["completions", shell]).output().expect("it starts");
        let script = text(&output.stdout);
        for command in ["status", "get", "set", "sniff", "check-config", "bms-can", "settings"] {
            assert!(script.contains(command), "{shell} knows no {command}");
        }
    }
}

#[test]
fn bash_completes_a_command_and_an_option() {
    let script = text(&busbar().args(["completions", "bash"]).output().expect("it starts").stdout);
    let complete = "COMP_WORDS=(busbar st); COMP_CWORD=1; _busbar busbar st busbar; echo ${COMPREPLY[@]}
COMP_WORDS=(busbar sniff --rec); COMP_CWORD=2; _busbar busbar --rec sniff; echo ${COMPREPLY[@]}";
    let mut bash = Command::new("bash")
        .args(["--noprofile", "--norc", "-eu"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("bash starts");
    let input = format!("{script}\nset +eu\n{complete}\n");
    bash.stdin.take().expect("its input").write_all(input.as_bytes()).expect("it reads");
    let output = bash.wait_with_output().expect("it ends");
    assert!(output.status.success());
    assert_eq!(text(&output.stdout), "status\n--record\n");

    let mut syntax = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn().expect("bash starts");
    syntax.stdin.take().expect("its input").write_all(script.as_bytes()).expect("it reads");
    assert!(syntax.wait().expect("it ends").success());
}
