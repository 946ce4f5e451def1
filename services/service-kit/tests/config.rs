//! Configuration: what is accepted, and what a user reads when it is not.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use service_kit::config::{self, Check, ConfigErrors, Findings, Place};

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    can: Can,
    #[serde(default)]
    protocol: Protocol,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    batteries: Vec<Battery>,
    #[serde(default)]
    input: Input,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Can {
    port: PathBuf,
    #[serde(default = "default_bit_rate")]
    bit_rate_kbit: u16,
    #[serde(default)]
    listen_only: bool,
    #[serde(default)]
    limit_a: Option<f64>,
}

fn default_bit_rate() -> u16 {
    500
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Protocol {
    #[default]
    Pylontech,
    Sma,
    Victron,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Battery {
    address: u8,
    #[serde(default)]
    capacity_ah: f64,
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Input {
    #[default]
    None,
    Slcan {
        port: PathBuf,
    },
    Log(PathBuf),
}

impl Check for Config {
    fn check(&self, findings: &mut Findings) {
        findings.inside("can", &self.can);
        findings.each("batteries", &self.batteries);
    }
}

impl Check for Can {
    fn check(&self, findings: &mut Findings) {
        findings.within("bit_rate_kbit", self.bit_rate_kbit, 10..=1000, "kbit/s");
        if let Some(limit_a) = self.limit_a {
            findings.within("limit_a", limit_a, 0.0..=1000.0, "A");
        }
    }
}

impl Check for Battery {
    fn check(&self, findings: &mut Findings) {
        findings.within("address", self.address, 1..=16, "");
    }
}

fn parse(text: &str) -> Result<Config, ConfigErrors> {
    config::parse(text, "x.toml", [])
}

fn parse_with(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    config::parse(text, "x.toml", variables)
}

#[track_caller]
fn refused(text: &str, lines: &[&str]) {
    refused_with(text, &[], lines);
}

#[track_caller]
fn refused_with(text: &str, variables: &[(&str, &str)], lines: &[&str]) {
    let errors = parse_with(text, variables).expect_err("it is wrong");
    assert_eq!(errors.lines().collect::<Vec<_>>(), lines);
}

#[test]
fn a_file_is_laid_over_the_defaults() {
    let config = parse("[can]\nport = '/dev/ttyACM0'\n").unwrap();
    assert_eq!(config.can.port, PathBuf::from("/dev/ttyACM0"));
    assert_eq!(config.can.bit_rate_kbit, 500);
    assert_eq!(config.protocol, Protocol::Pylontech);
}

#[test]
fn every_kind_of_value_is_read() {
    let text = r#"
        protocol = "sma"
        name = "Bank ä"
        labels = { a = "b" }
        input = { slcan = { port = "/dev/x" } }
        [can]
        port = "p"
        listen_only = true
        limit_a = 20
        [[batteries]]
        address = 0x0A
        [[batteries]]
        address = 2
        capacity_ah = 74.5
    "#;
    let config = parse(text).unwrap();
    assert_eq!(config.protocol, Protocol::Sma);
    assert_eq!(config.name.as_deref(), Some("Bank ä"));
    assert_eq!(config.labels["a"], "b");
    assert_eq!(config.input, Input::Slcan { port: "/dev/x".into() });
    assert_eq!(config.can.limit_a, Some(20.0));
    assert_eq!(config.batteries[0].address, 10);
    assert_eq!(config.batteries[1].capacity_ah, 74.5);
    assert_eq!(parse("input.log = 'x'\ncan.port = 'p'").unwrap().input, Input::Log("x".into()));
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_are_no_mistake() {
    assert!(parse("\u{feff}[can]\r\nport = 'p'\r\n").is_ok());
}

#[test]
fn an_unknown_key_is_reported_with_line_allowed_keys_and_the_nearest() {
    refused(
        "[can]\nport = 'p'\nbitrate_kbit = 250\n",
        &["x.toml:3:1: can.bitrate_kbit: unknown key; allowed: port, bit_rate_kbit, listen_only, limit_a; \
           did you mean bit_rate_kbit?"],
    );
}

#[test]
fn all_unknown_keys_are_reported_at_once_and_together_with_ranges() {
    refused(
        "nam = 1\n[can]\nport = 'p'\nbit_rate_kbit = 5000\nlisten-only = true\n[[batteries]]\naddress = 99\n[cam]\n",
        &[
            "x.toml:1:1: nam: unknown key; allowed: can, protocol, name, batteries, input, labels; did you mean name?",
            "x.toml:4:17: can.bit_rate_kbit: 5000 is out of range; allowed: 10 to 1000 kbit/s",
            "x.toml:5:1: can.listen-only: unknown key; allowed: port, bit_rate_kbit, listen_only, limit_a; \
             did you mean listen_only?",
            "x.toml:7:11: batteries[0].address: 99 is out of range; allowed: 1 to 16",
            "x.toml:8:2: cam: unknown key; allowed: can, protocol, name, batteries, input, labels; did you mean can?",
        ],
    );
}

#[test]
fn a_key_in_the_wrong_table_is_told_where_it_belongs() {
    refused(
        "port = 'p'\n[can]\nport = 'p'\nprotocol = 'sma'\n",
        &[
            "x.toml:1:1: port: this key belongs in [can]; allowed: can, protocol, name, batteries, input, labels",
            "x.toml:4:1: can.protocol: this key belongs in the top of the file, before the first [table]; \
             allowed: port, bit_rate_kbit, listen_only, limit_a",
        ],
    );
}

#[test]
fn a_key_of_a_list_is_told_the_list() {
    refused(
        "address = 3\ncan.port = 'p'\n[[batteries]]\naddress = 1\n",
        &["x.toml:1:1: address: this key belongs in [[batteries]]; \
           allowed: can, protocol, name, batteries, input, labels"],
    );
}

#[test]
fn missing_keys_are_reported_at_their_table() {
    refused("name = 'a'\n", &["x.toml:1:1: can: the key is missing"]);
    refused(
        "name = 'a'\n[can]\nlisten_only = true\n[[batteries]]\n[[batteries]]\naddress = 1\n[[batteries]]\n",
        &[
            "x.toml:2:1: can.port: the key is missing",
            "x.toml:4:1: batteries[0].address: the key is missing",
            "x.toml:7:1: batteries[2].address: the key is missing",
        ],
    );
}

#[test]
fn an_empty_file_is_named_as_the_cause() {
    refused("", &["x.toml:1:1: can: the key is missing: the file is empty"]);
    refused("\n\n", &["x.toml:1:1: can: the key is missing: the file is empty"]);
}

#[test]
fn a_wrong_type_is_reported_with_what_is_written_and_what_fits() {
    refused(
        "can = 5\nname = 7\nprotocol = true\nbatteries = 'none'\nlabels = [1]\n",
        &[
            "x.toml:1:7: can: 5 does not fit here; allowed: a table",
            "x.toml:2:8: name: 7 does not fit here; allowed: text in quotes",
            "x.toml:3:12: protocol: true does not fit here; allowed: \"pylontech\", \"sma\", \"victron\"",
            "x.toml:4:13: batteries: 'none' does not fit here; allowed: a list in [ ]",
            "x.toml:5:10: labels: a list does not fit here; allowed: a table",
        ],
    );
    refused(
        "[can]\nport = 'p'\nlisten_only = \"yes\"\nbit_rate_kbit = 1.5\nlimit_a = 2024-01-01\n",
        &[
            "x.toml:3:15: can.listen_only: \"yes\" does not fit here; allowed: true or false",
            "x.toml:4:17: can.bit_rate_kbit: 1.5 does not fit here; allowed: a whole number from 0 to 65535",
            "x.toml:5:11: can.limit_a: 2024-01-01 does not fit here; allowed: a number",
        ],
    );
}

#[test]
fn numbers_that_the_type_cannot_hold_are_out_of_range() {
    refused(
        "[can]\nport = 'p'\nbit_rate_kbit = 70000\nlimit_a = nan\n[[batteries]]\naddress = -1\n[[batteries]]\n\
         address = 99999999999999999999999999999999999999999999\ncapacity_ah = inf\n",
        &[
            "x.toml:3:17: can.bit_rate_kbit: 70000 is out of range; allowed: a whole number from 0 to 65535",
            "x.toml:4:11: can.limit_a: nan is no finite number",
            "x.toml:6:11: batteries[0].address: -1 is out of range; allowed: a whole number from 0 to 255",
            "x.toml:8:11: batteries[1].address: 99999999999999999999999999999999999999999999 is out of range; \
             allowed: a whole number from 0 to 255",
            "x.toml:9:15: batteries[1].capacity_ah: inf is no finite number",
        ],
    );
}

#[test]
fn an_unknown_word_is_reported_with_the_allowed_ones_and_the_nearest() {
    refused(
        "protocol = 'pylontek'\ncan.port = 'p'\n",
        &["x.toml:1:12: protocol: unknown word \"pylontek\"; allowed: \"pylontech\", \"sma\", \"victron\"; \
           did you mean \"pylontech\"?"],
    );
    refused(
        "can.port = 'p'\ninput = { slcn = { port = 'p' } }\n",
        &[
            "x.toml:2:9: input: unknown word \"slcn\"; allowed: \"none\", \"slcan\", \"log\"; did you mean \"slcan\"?",
        ],
    );
}

#[test]
fn a_value_out_of_range_is_told_beside_a_word_that_is_wrong() {
    refused(
        "protocol = 'pylontek'\n[can]\nport = 'p'\nbit_rate_kbit = 5\n",
        &[
            "x.toml:1:12: protocol: unknown word \"pylontek\"; allowed: \"pylontech\", \"sma\", \"victron\"; \
             did you mean \"pylontech\"?",
            "x.toml:4:17: can.bit_rate_kbit: 5 is out of range; allowed: 10 to 1000 kbit/s",
        ],
    );
}

#[test]
fn keys_inside_an_enum_are_checked_like_all_others() {
    refused(
        "can.port = 'p'\n[input.slcan]\nprot = 'p'\n",
        &[
            "x.toml:2:1: input.slcan.port: the key is missing",
            "x.toml:3:1: input.slcan.prot: unknown key; allowed: port; did you mean port?",
        ],
    );
    refused(
        "can.port = 'p'\ninput = { none = 1 }\n",
        &["x.toml:2:18: input.none: 1 does not fit here; allowed: this word alone, in quotes"],
    );
}

#[test]
fn mistakes_in_a_tagged_enum_are_found_too() {
    #[derive(Debug, Deserialize)]
    #[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
    enum Tagged {
        Slcan { port: PathBuf },
    }
    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        input: Tagged,
    }
    impl Check for Outer {}
    let outcome = |text| config::parse::<Outer>(text, "x.toml", []).map_err(|errors| errors.to_string());
    let Tagged::Slcan { port } = outcome("[input]\nkind = 'slcan'\nport = 'p'\n").unwrap().input;
    assert_eq!(port, PathBuf::from("p"));
    assert_eq!(
        outcome("[input]\nkind = 'slcan'\nprot = 'p'\n").unwrap_err(),
        "x.toml:3:1: input.prot: unknown key; allowed: port; did you mean port?"
    );
    assert_eq!(
        outcome("[input]\nkind = 'slcn'\n").unwrap_err(),
        "x.toml:2:8: input.kind: unknown word \"slcn\"; allowed: \"slcan\"; did you mean \"slcan\"?"
    );
}

#[test]
fn what_a_type_refuses_by_itself_is_reported_at_its_value() {
    #[derive(Debug, Deserialize)]
    #[serde(try_from = "String")]
    struct Even(#[expect(dead_code, reason = "only its refusal is tested")] usize);

    impl TryFrom<String> for Even {
        type Error = String;

        fn try_from(text: String) -> Result<Self, String> {
            if text.len().is_multiple_of(2) {
                Ok(Self(text.len()))
            } else {
                Err(format!("{text:?} has an odd\nlength"))
            }
        }
    }
    #[derive(Debug, Deserialize)]
    struct Outer {
        #[expect(dead_code, reason = "only its refusal is tested")]
        names: Vec<Even>,
        #[expect(dead_code, reason = "only its refusal is tested")]
        pair: [u8; 2],
    }
    impl Check for Outer {}
    let errors = config::parse::<Outer>("names = [\n'ab',\n'abc']\npair = [1, 2, 3, 4]\n", "x.toml", []);
    assert_eq!(
        errors.unwrap_err().to_string(),
        "x.toml:3:1: names[1]: \"abc\" has an odd length\n\
         x.toml:4:8: pair: 2 entries too many"
    );
}

#[test]
fn a_syntax_error_is_reported_with_line_and_column() {
    let errors = parse("[can]\nport = \nbit_rate_kbit 500\n").expect_err("it is wrong");
    let places: Vec<String> = errors.iter().map(|error| error.place.to_string()).collect();
    assert_eq!(places, ["x.toml:2:8", "x.toml:3:15"], "{errors}");
    let errors = parse("[can]\nport = 'a'\nport = 'b'\n").expect_err("it is wrong");
    assert_eq!(errors.to_string(), "x.toml:3:1: duplicate key");
}

#[test]
fn variables_are_laid_over_the_file() {
    let text = "[can]\nport = 'file'\nbit_rate_kbit = 250\n";
    let variables = [
        ("BUSBAR_CAN__PORT", "/dev/ttyACM0"),
        ("BUSBAR_CAN__LIMIT_A", "12.5"),
        ("BUSBAR_NAME", "123"),
        ("BUSBAR_PROTOCOL", "victron"),
        ("BUSBAR_BATTERIES", "[{ address = 3 }]"),
        ("BUSBAR_LOG", "debug"),
        ("HOME", "/root"),
    ];
    let config = parse_with(text, &variables).unwrap();
    assert_eq!(config.can.port, PathBuf::from("/dev/ttyACM0"));
    assert_eq!(config.can.bit_rate_kbit, 250);
    assert_eq!(config.can.limit_a, Some(12.5));
    assert_eq!(config.name.as_deref(), Some("123"), "text stays text, whatever it looks like");
    assert_eq!(config.protocol, Protocol::Victron);
    assert_eq!(config.batteries[0].address, 3);
}

#[test]
fn variables_can_do_without_a_file() {
    assert_eq!(parse_with("", &[("BUSBAR_CAN__PORT", "p")]).unwrap().can.port, PathBuf::from("p"));
    assert_eq!(parse_with("", &[("BUSBAR_CAN", "{ port = 'p' }")]).unwrap().can.port, PathBuf::from("p"));
}

#[test]
fn a_wrong_variable_is_named_instead_of_a_line() {
    refused_with(
        "protocol = 'sma'\n[can]\nport = 'p'\n",
        &[
            ("BUSBAR_CAN__PROT", "x"),
            ("BUSBAR_CAN__BIT_RATE_KBIT", "fast"),
            ("BUSBAR_CAN__LISTEN_ONLY", "1"),
            ("BUSBAR_PROTOCOL", "smaa"),
            ("BUSBAR_PROTOCOL__KIND", "x"),
            ("BUSBAR_", "x"),
            ("BUSBAR_LOG__X", "x"),
        ],
        &[
            "BUSBAR_: the name of the variable is no key of the configuration",
            "BUSBAR_CAN__BIT_RATE_KBIT: can.bit_rate_kbit: \"fast\" does not fit here; \
             allowed: a whole number from 0 to 65535",
            "BUSBAR_CAN__LISTEN_ONLY: can.listen_only: \"1\" does not fit here; allowed: true or false",
            "BUSBAR_CAN__PROT: can.prot: unknown key; allowed: port, bit_rate_kbit, listen_only, limit_a; \
             did you mean port?",
            "BUSBAR_LOG__X: log: unknown key; allowed: can, protocol, name, batteries, input, labels",
            "BUSBAR_PROTOCOL: protocol: unknown word \"smaa\"; allowed: \"pylontech\", \"sma\", \"victron\"; \
             did you mean \"sma\"?",
            "BUSBAR_PROTOCOL__KIND: protocol: this key is no table",
        ],
    );
    refused_with(
        "can.port = 'p'",
        &[("BUSBAR_CAN__BIT_RATE_KBIT", "5")],
        &["BUSBAR_CAN__BIT_RATE_KBIT: can.bit_rate_kbit: 5 is out of range; allowed: 10 to 1000 kbit/s"],
    );
}

#[test]
fn a_key_missing_from_a_table_of_variables_names_the_variable() {
    refused_with(
        "",
        &[("BUSBAR_CAN__LISTEN_ONLY", "true")],
        &["BUSBAR_CAN__LISTEN_ONLY: can.port: the key is missing"],
    );
}

#[test]
fn long_and_strange_text_is_shown_short_and_on_one_line() {
    let errors =
        parse(&format!("\"a\\nb{}\" = 1\ncan.port = 'p'\n", "x".repeat(10_000))).expect_err("it is wrong");
    let line = errors.to_string();
    assert!(
        line.starts_with(r#"x.toml:1:1: "a\nbxxx"#) && line.len() < 250 && !line.contains('\n'),
        "{line}"
    );
}

#[test]
fn what_is_too_much_to_list_is_counted() {
    let text: String = (0..1000).map(|n| format!("key{n} = {n}\n")).collect();
    let errors = parse(&text).expect_err("it is wrong");
    assert_eq!(errors.lines().count(), 21);
    assert_eq!(errors.lines().last().as_deref(), Some("and 981 more"));
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    let chain = ["a"; 79].join(".");
    let deep =
        |levels: usize| format!("{}1{}", format!("{chain} = {{ b = {{").repeat(levels), "}}".repeat(levels));
    for text in [
        format!("labels.{chain} = 1\ncan.port = 'p'"),
        format!("labels = {}{}\ncan.port = 'p'", "[".repeat(70), "]".repeat(70)),
        format!("[{chain}]\n{}", deep(39)),
        format!("[labels]\nx = {{ {} }}", deep(38)),
        "[".repeat(100_000),
        "a = {".repeat(50_000),
        format!("{} = 1", ["a"; 100_000].join(".")),
        format!(
            "can.port = 'p'\nlabels = [{}]",
            format!("{}{},", "[".repeat(60), "]".repeat(60)).repeat(500)
        ),
    ] {
        assert!(parse(&text).is_err());
        assert!(parse_with("can.port = 'p'", &[("BUSBAR_LABELS", &text)]).is_err());
    }
    let path = format!("BUSBAR_{}", ["A"; 10_000].join("__"));
    assert!(parse_with("can.port = 'p'", &[(&path, "1")]).is_err());
    refused(
        "labels.a.b.c = 1\ncan.port = 'p'",
        &["x.toml:1:8: labels.a: a table does not fit here; allowed: text in quotes"],
    );
}

#[test]
fn a_huge_text_is_refused_unread() {
    let errors = parse(&"#".repeat(300_000)).expect_err("it is too large");
    assert_eq!(errors.to_string(), "x.toml: larger than 262144 bytes");
}

#[test]
fn the_largest_wrong_text_is_refused_within_bounded_time() {
    let all_wrong: String = (0..20_000).map(|n| format!("a{n} = {{\n")).collect();
    let unknown: String = (0..20_000).map(|n| format!("k{n}=1\n")).collect();
    let batteries = "[[batteries]]\naddress=''\n".repeat(10_000);
    for text in [all_wrong, unknown, batteries] {
        assert!(text.len() <= config::LARGEST);
        assert!(parse(&text).is_err());
    }
}

mod files {
    use super::*;

    fn load(path: &std::path::Path) -> String {
        config::load::<Config>(path).expect_err("it is wrong").to_string()
    }

    #[test]
    fn a_file_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.toml");
        std::fs::write(&path, "can.port = 'p'").unwrap();
        assert_eq!(config::load::<Config>(&path).unwrap().can.port, PathBuf::from("p"));
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.toml");
        assert_eq!(load(&path), format!("{}: no such file", path.display()));
        assert_eq!(load(directory.path()), format!("{}: not a regular file", directory.path().display()));
        assert_eq!(load("/dev/zero".as_ref()), "/dev/zero: not a regular file");
        std::fs::write(&path, b"[can]\nport = '\xff'\n").unwrap();
        assert_eq!(load(&path), format!("{}:2:9: not UTF-8: save the file as UTF-8", path.display()));
        std::fs::write(&path, b"a\n\xff").unwrap();
        assert_eq!(load(&path), format!("{}:2:1: not UTF-8: save the file as UTF-8", path.display()));
        std::fs::write(&path, vec![b'#'; config::LARGEST + 2]).unwrap();
        assert_eq!(load(&path), format!("{}: larger than 262144 bytes", path.display()));
    }
}

mod any_text {
    use super::*;
    use proptest::prelude::*;

    /// Text that is nearly a configuration: known keys, values of all kinds, and rubbish between them.
    fn nearly() -> impl Strategy<Value = String> {
        let key = prop::sample::select(vec![
            "can",
            "can.port",
            "port",
            "bit_rate_kbit",
            "protocol",
            "name",
            "batteries",
            "address",
            "input",
            "labels",
            "x",
            "\"a b\"",
            "",
            "listen_only",
            "input.slcan",
            "ä",
        ]);
        let value = prop_oneof![
            prop::sample::select(vec![
                "1",
                "-1",
                "99999999999999999999",
                "1.5",
                "nan",
                "true",
                "'x'",
                "\"pylontech\"",
                "[]",
                "[1, 'a']",
                "{}",
                "{ port = 1 }",
                "{ slcan = {} }",
                "1979-05-27",
                "",
                "{ a = [{ b = 1 }] }",
                "[[[[]]]]",
                "'''\nx\n'''",
            ])
            .prop_map(str::to_owned),
            "\\PC{0,12}",
        ];
        let line = (key, value, 0..8_u8).prop_map(|(key, value, kind)| match kind {
            0 => format!("[{key}]"),
            1 => format!("[[{key}]]"),
            2 => value,
            3 => String::new(),
            _ => format!("{key} = {value}"),
        });
        prop::collection::vec(line, 0..12).prop_map(|lines| lines.join("\n"))
    }

    fn every_reported_line_exists(text: &str, variables: &[(String, String)]) -> Result<(), TestCaseError> {
        let Err(errors) = config::parse::<Config>(text, "x.toml", variables.iter().cloned()) else {
            return Ok(());
        };
        prop_assert!(errors.iter().count() > 0);
        for error in errors.iter() {
            prop_assert!(!error.to_string().contains('\n'), "{error}");
            if let Place::Text { position, .. } = &error.place {
                let lines: Vec<&str> = text.split('\n').collect();
                prop_assert!((1..=lines.len()).contains(&position.line), "{error}");
                prop_assert!(position.line <= text.lines().count().max(1), "{error}");
                let width = lines[position.line - 1].chars().count();
                prop_assert!((1..=width + 1).contains(&position.column), "{error}");
            }
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_accepted_or_refused_at_a_line_that_exists(text in "(?s).{0,200}") {
            every_reported_line_exists(&text, &[])?;
        }

        #[test]
        fn text_that_is_nearly_right_too(text in nearly(), name in "BUSBAR_[A-Z_]{0,12}", value in "\\PC{0,12}") {
            every_reported_line_exists(&text, &[(name, value)])?;
        }

        #[test]
        fn what_is_right_is_read_whatever_the_values(port in "[^'\\p{C}]{1,40}", bit_rate_kbit in 10..=1000_u16) {
            let text = format!("[can]\nport = '{port}'\nbit_rate_kbit = {bit_rate_kbit}\n");
            let config = parse(&text).map_err(|errors| TestCaseError::fail(errors.to_string()))?;
            prop_assert_eq!(config.can.port, PathBuf::from(&port));
            prop_assert_eq!(config.can.bit_rate_kbit, bit_rate_kbit);
            let text = "[can]\nport = 'p'";
            let variables = [("BUSBAR_CAN__PORT".to_owned(), port.clone())];
            let config: Config = config::parse(text, "x.toml", variables).map_err(|errors| TestCaseError::fail(errors.to_string()))?;
            prop_assert_eq!(config.can.port, PathBuf::from(port));
        }
    }
}
