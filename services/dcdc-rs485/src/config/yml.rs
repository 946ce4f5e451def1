//! The original's `dcdc_batt_comm.yml`, as its program reads it (drivers/dcdc_batt_comm.yml, essx_server.py).

use std::path::Path;

use service_kit::Failure;
use service_kit::config::LARGEST;
use yaml_rust2::parser::{Event, Parser};
use yaml_rust2::scanner::TScalarStyle;

use crate::direction::Direction;

use super::{Battery, Config, Converter, Dbus, SetOrder, Setting, Settings, Web};

/// Lists and tables inside each other, at most.
const DEEPEST: usize = 16;

/// What drives the direction of the line where the file does not say.
const DEFAULT_PIN: &str = "P8_9";

/// A part of the file.
#[derive(Debug, Clone, PartialEq)]
enum Node {
    Scalar { text: String, is_plain: bool },
    List(Vec<Node>),
    Table(Vec<(String, Node)>),
}

/// Reads a file.
///
/// # Errors
/// It cannot be read, or what is wrong in it.
pub fn load(path: &Path) -> Result<Config, Failure> {
    let failed = |why: String| Failure::configuration(format!("{}: {why}", path.display()));
    let size = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?.len();
    if size > LARGEST as u64 {
        return Err(failed(format!("larger than {LARGEST} bytes")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    parse(&text).map_err(failed)
}

/// Reads the text of such a file.
///
/// # Errors
/// What is wrong in it.
pub fn parse(text: &str) -> Result<Config, String> {
    let mut parser = Parser::new_from_str(text);
    let root = loop {
        match next(&mut parser)? {
            Event::StreamEnd => return Err("the file is empty".to_owned()),
            Event::MappingStart(..) => break table(&mut parser, 0)?,
            Event::Scalar(..) | Event::SequenceStart(..) => return Err("no table at the top".to_owned()),
            _ => {}
        }
    };
    config(&Table { node: &root, path: String::new() })
}

fn next(parser: &mut Parser<std::str::Chars<'_>>) -> Result<Event, String> {
    parser.next_token().map(|(event, _)| event).map_err(|error| error.to_string())
}

fn node(event: Event, parser: &mut Parser<std::str::Chars<'_>>, depth: usize) -> Result<Node, String> {
    if depth > DEEPEST {
        return Err(format!("more than {DEEPEST} levels"));
    }
    match event {
        Event::Scalar(text, style, ..) => Ok(Node::Scalar { text, is_plain: style == TScalarStyle::Plain }),
        Event::SequenceStart(..) => {
            let mut parts = Vec::new();
            loop {
                match next(parser)? {
                    Event::SequenceEnd => return Ok(Node::List(parts)),
                    event => parts.push(node(event, parser, depth + 1)?),
                }
            }
        }
        Event::MappingStart(..) => table(parser, depth + 1),
        _ => Err("anchors and aliases are not read".to_owned()),
    }
}

fn table(parser: &mut Parser<std::str::Chars<'_>>, depth: usize) -> Result<Node, String> {
    let mut entries = Vec::new();
    loop {
        let key = match next(parser)? {
            Event::MappingEnd => return Ok(Node::Table(entries)),
            Event::Scalar(key, ..) => key,
            _ => return Err("a key that is no word".to_owned()),
        };
        let event = next(parser)?;
        entries.push((key, node(event, parser, depth)?));
    }
}

/// A table and where it stands.
struct Table<'a> {
    node: &'a Node,
    path: String,
}

impl<'a> Table<'a> {
    fn find(&self, keys: &[&str]) -> Option<(&'a Node, String)> {
        let Node::Table(entries) = self.node else { return None };
        let of = |key: &&str| entries.iter().rev().find(|(name, _)| name == *key);
        keys.iter().find_map(of).map(|(key, node)| (node, format!("{}{key}", self.path)))
    }

    fn missing(&self, key: &str) -> String {
        format!("{}{key} is missing", self.path)
    }

    fn table(&self, key: &str) -> Result<Table<'a>, String> {
        let (node, path) = self.find(&[key]).ok_or_else(|| self.missing(key))?;
        match node {
            Node::Table(_) => Ok(Table { node, path: format!("{path}.") }),
            _ => Err(format!("{path}: a table is needed")),
        }
    }

    /// The first of a list of tables; a table alone counts as such a list.
    fn first(&self, key: &str) -> Result<Table<'a>, String> {
        let (node, path) = self.find(&[key]).ok_or_else(|| self.missing(key))?;
        let node = match node {
            Node::List(parts) => parts.first().ok_or_else(|| format!("{path}: the list is empty"))?,
            other => other,
        };
        match node {
            Node::Table(_) => Ok(Table { node, path: format!("{path}.") }),
            _ => Err(format!("{path}: a table is needed")),
        }
    }

    fn text(&self, key: &str) -> Result<Option<&'a str>, String> {
        match self.find(&[key]) {
            Some((Node::Scalar { text, .. }, _)) => Ok(Some(text)),
            Some((_, path)) => Err(format!("{path}: a word is needed")),
            None => Ok(None),
        }
    }

    fn number<T: TryFrom<i64>>(&self, keys: &[&str], default: Option<T>) -> Result<T, String> {
        let Some((node, path)) = self.find(keys) else {
            return default.ok_or_else(|| self.missing(keys.first().unwrap_or(&"")));
        };
        match setting(node) {
            Some(Setting::Int(number)) => T::try_from(number).map_err(|_| format!("{path}: out of range")),
            _ => Err(format!("{path}: a whole number is needed")),
        }
    }

    fn real(&self, keys: &[&str], default: f64) -> Result<f64, String> {
        let Some((node, path)) = self.find(keys) else { return Ok(default) };
        match setting(node) {
            Some(Setting::Int(number)) => Ok(number as f64),
            Some(Setting::Real(number)) => Ok(number),
            _ => Err(format!("{path}: a number is needed")),
        }
    }

    fn setting(&self, keys: &[&str]) -> Result<Setting, String> {
        let (node, path) = self.find(keys).ok_or_else(|| self.missing(keys.first().unwrap_or(&"")))?;
        setting(node).ok_or_else(|| format!("{path}: a number is needed"))
    }

    /// Booleans as YAML 1.1 has them.
    fn flag(&self, key: &str) -> Result<bool, String> {
        let Some((node, path)) = self.find(&[key]) else { return Ok(false) };
        let word = match node {
            Node::Scalar { text, is_plain: true } => text.to_ascii_lowercase(),
            _ => String::new(),
        };
        match word.as_str() {
            "yes" | "y" | "on" | "true" => Ok(true),
            "no" | "n" | "off" | "false" => Ok(false),
            _ => Err(format!("{path}: Yes or No is needed")),
        }
    }
}

/// A scalar as YAML 1.1 reads it; text in quotes stays text.
fn setting(node: &Node) -> Option<Setting> {
    let Node::Scalar { text, is_plain } = node else { return None };
    if !is_plain {
        return Some(Setting::Text(text.clone()));
    }
    let digits = text.replace('_', "");
    let hexadecimal = digits.strip_prefix("0x").map(|digits| i64::from_str_radix(digits, 16));
    if let Some(number) = hexadecimal {
        return number.ok().map(Setting::Int);
    }
    if let Ok(number) = digits.parse() {
        return Some(Setting::Int(number));
    }
    digits.parse().ok().filter(|number: &f64| number.is_finite()).map(Setting::Real)
}

fn config(root: &Table<'_>) -> Result<Config, String> {
    let system = root.table("ess_system")?;
    let kind = system.text("type")?.unwrap_or_default();
    if kind != "essx_type_oes" {
        return Err(format!("ess_system.type: {kind:?} is not essx_type_oes"));
    }
    let config = Config {
        converter: converter(root, &system.first("dcdc_dev")?)?,
        battery: Some(battery(root, &system.first("battery_dev")?)?),
        web: Web::default(),
        // What takes the place of another program stays off the bus until it is asked onto it.
        dbus: Dbus { enabled: false, ..Dbus::default() },
    };
    within(
        "error and timeout retries",
        config.converter.error_retries.max(config.converter.timeout_retries),
        100,
    )?;
    within("wait_for_retry", config.converter.retry_pause_s, 10.0)?;
    Ok(config)
}

fn within<T: PartialOrd + std::fmt::Display + Default>(what: &str, value: T, most: T) -> Result<(), String> {
    if (T::default()..=most).contains(&value) {
        Ok(())
    } else {
        Err(format!("{what}: {value} is out of range"))
    }
}

fn converter(root: &Table<'_>, device: &Table<'_>) -> Result<Converter, String> {
    let class = device.text("class")?.unwrap_or_default();
    if class != "ESSXRS485" {
        return Err(format!("{}class: {class:?} is not ESSXRS485", device.path));
    }
    let (port, baud) = port(device)?;
    let direction = match device.table("kwparams") {
        Ok(line) => direction(&line)?,
        Err(_) => Direction::PinIfThere(DEFAULT_PIN.to_owned()),
    };
    let which = device.text("config")?.ok_or_else(|| device.missing("config"))?;
    let about = root.table("dcdc")?.table(which)?;
    let values = about.table("config")?;
    let settings = Settings {
        cib: values.setting(&["cib"])?,
        ubv: values.setting(&["ubv"])?,
        obv: values.setting(&["obv"])?,
        ugv: values.setting(&["ugv"])?,
        ogv: values.setting(&["ogv"])?,
        bcf: values.setting(&["bcf"])?,
        // Behind each, the name that the specification has for it.
        cvb: values.setting(&["cvb", "tbv"])?,
        dlb: values.setting(&["dlb", "lbv"])?,
        cdb: values.setting(&["cdb", "cud"])?,
        ddb: values.setting(&["ddb", "dld"])?,
        drb: values.setting(&["drb"])?,
    };
    Ok(Converter {
        name: device.text("name")?.unwrap_or("dcdc").to_owned(),
        port,
        baud,
        direction,
        address1: device.number(&["address1"], None)?,
        address2: device.number(&["address2"], None)?,
        error_retries: about.number(&["number_of_dcdc_error_retry"], Some(0))?,
        timeout_retries: about.number(&["number_of_timeout_retry"], Some(0))?,
        retry_pause_s: about.real(&["wait_for_retry", "wait_retry"], super::retry_pause_s())?,
        inter_command_gap_ms: about.number(&["inter_command_gap_ms"], Some(super::inter_command_gap_ms()))?,
        range_check: about
            .text("range_check")?
            .is_none_or(|word| !matches!(word, "off" | "Off" | "no" | "No" | "false")),
        set_order: match about.text("set_order")? {
            None | Some("intended") => SetOrder::Intended,
            Some("reference") => SetOrder::Reference,
            Some(other) => {
                return Err(format!("{}set_order: {other:?} is not intended or reference", about.path));
            }
        },
        settings,
    })
}

/// Who switches the direction: a pin, if nothing else is said.
fn direction(line: &Table<'_>) -> Result<Direction, String> {
    Ok(match line.text("dir_pin")? {
        None => Direction::PinIfThere(DEFAULT_PIN.to_owned()),
        Some("not_used") => Direction::Adapter,
        Some("kernel") => Direction::Kernel,
        Some(pin) => Direction::Pin(pin.to_owned()),
    })
}

/// Device and speed.
fn port(device: &Table<'_>) -> Result<(std::path::PathBuf, u32), String> {
    let (params, path) = device.find(&["params", "vparams"]).ok_or_else(|| device.missing("params"))?;
    let Node::List(params) = params else { return Err(format!("{path}: a list is needed")) };
    let (Some(Node::Scalar { text, .. }), speed) = (params.first(), params.get(1)) else {
        return Err(format!("{path}: a device and a speed are needed"));
    };
    let baud = match speed.map(setting) {
        None => super::baud(),
        Some(Some(Setting::Int(baud))) if (300..=1_000_000).contains(&baud) => {
            u32::try_from(baud).map_err(|_| format!("{path}: no speed"))?
        }
        _ => return Err(format!("{path}: {speed:?} is no speed")),
    };
    Ok((text.into(), baud))
}

fn battery(root: &Table<'_>, device: &Table<'_>) -> Result<Battery, String> {
    let which = device.text("config")?.ok_or_else(|| device.missing("config"))?;
    let values = root.table("battery")?.table(which)?.table("config")?;
    let mut switched = Direction::Adapter;
    let (port, baud, timeout_s) = match device.text("class")?.unwrap_or_default() {
        "ESSXModbus" => {
            let line = device.table("kwparams")?;
            switched = direction(&line)?;
            let port = line.text("port")?.ok_or_else(|| line.missing("port"))?;
            let baud = line.number(&["baudrate"], Some(super::battery_baud()))?;
            (Some(port.into()), baud, line.real(&["timeout"], super::timeout_s())?)
        }
        "None" => (None, super::battery_baud(), super::timeout_s()),
        other => return Err(format!("{}class: {other:?} is not ESSXModbus or None", device.path)),
    };
    within("timeout", timeout_s, 10.0)?;
    Ok(Battery {
        port,
        baud,
        direction: switched,
        unit: device.number(&["unit"], Some(super::unit()))?,
        rsoc_register: device.number(&["modbus_adr_rsoc"], Some(super::rsoc_register()))?,
        status_register: device.number(&["modbus_adr_status"], Some(super::status_register()))?,
        timeout_s,
        battery_voltage: values.setting(&["battery_voltage"])?,
        battery_current: values.setting(&["battery_current"])?,
        force_dcdc_waiting: values.flag("force_dcdc_waiting")?,
        failures_until_denied: super::failures_until_denied(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// In the form of the file that comes with the program.
    const FILE: &str = "\
ess_system:
  type: essx_type_oes
  dcdc_dev:
    - name: dcdc1
      config: dcdc_conf
      class: ESSXRS485
      params: [/dev/ttyO2, 19200]
      kwparams:
        dir_pin: P8_7
      address1: 0
      address2: 0x10
  battery_dev:
    - name: battery
      class: ESSXModbus
      params: []
      kwparams: {method: rtu, port: /dev/ttyO5, timeout: 0.5, baudrate: 9600, dir_pin: P8_9}
      unit: 1
      modbus_adr_rsoc: 30030
      modbus_adr_status: 30031
      config: battery_conf
dcdc:
  dcdc_conf:
    type: tdk_eza2500
    number_of_dcdc_error_retry: 3
    number_of_timeout_retry: 2
    wait_for_retry: 0.2
    config: {cib: 52, ubv: 40, obv: 59, ugv: 300, ogv: 400, bcf: 0x0003, cvb: 57.6, dlb: 49, cdb: 1.2, ddb: 1.8, drb: 0.00}
battery:
  battery_conf:
    type: battery_emulator
    config:
      battery_voltage: 52.0
      battery_current: 20
      force_dcdc_waiting: No
";

    #[test]
    fn the_file_of_the_original_is_read_as_it_is() {
        let config = parse(FILE).unwrap();
        let converter = &config.converter;
        assert_eq!((converter.port.to_str(), converter.baud), (Some("/dev/ttyO2"), 19_200));
        assert_eq!((converter.address1, converter.address2), (0, 16));
        assert_eq!(converter.direction, Direction::Pin("P8_7".to_owned()));
        assert_eq!((converter.error_retries, converter.timeout_retries), (3, 2));
        assert!((converter.retry_pause_s - 0.2).abs() < 1e-12);
        assert_eq!(converter.settings.bcf, Setting::Int(3));
        assert_eq!(converter.settings.drb, Setting::Real(0.0));
        let battery = config.battery.unwrap();
        assert!(!battery.force_dcdc_waiting && (battery.timeout_s - 0.5).abs() < 1e-12);
        assert_eq!(battery.battery_current, Setting::Int(20));
    }

    #[test]
    fn what_the_specification_writes_otherwise_is_read_too() {
        let other = FILE
            .replace(
                "    - name: dcdc1\n      config: dcdc_conf\n",
                "    name: dcdc1\n    config: dcdc_conf\n",
            )
            .replace("      class: ESSXRS485\n      params:", "    class: ESSXRS485\n    vparams:")
            .replace("      kwparams:\n        dir_pin: P8_7\n", "")
            .replace("      address1: 0\n      address2: 0x10\n", "    address1: 0\n    address2: 0x10\n")
            .replace("cvb: 57.6, dlb: 49, cdb: 1.2, ddb: 1.8", "tbv: 57.6, lbv: 49, cud: 1.2, dld: 1.8")
            .replace("wait_for_retry", "wait_retry");
        let (other, mut same) = (parse(&other).unwrap(), parse(FILE).unwrap());
        assert_eq!(other.converter.direction, Direction::PinIfThere("P8_9".to_owned()));
        same.converter.direction = other.converter.direction.clone();
        assert_eq!(other, same);
    }

    #[test]
    fn yes_and_no_are_words_of_yaml_1_1() {
        for (word, flag) in [("Yes", true), ("on", true), ("True", true), ("Off", false), ("n", false)] {
            let config = parse(&FILE.replace("waiting: No", &format!("waiting: {word}"))).unwrap();
            assert_eq!(config.battery.unwrap().force_dcdc_waiting, flag, "{word}");
        }
        assert!(parse(&FILE.replace("waiting: No", "waiting: 'No'")).is_err());
    }

    #[test]
    fn what_is_missing_or_wrong_is_named_by_its_key() {
        for (from, to, why) in [
            ("essx_type_oes", "other", "ess_system.type"),
            ("ESSXRS485", "Other", "ess_system.dcdc_dev.class"),
            ("cib: 52, ", "", "dcdc.dcdc_conf.config.cib is missing"),
            ("ubv: 40", "ubv: forty", "dcdc.dcdc_conf.config.ubv: a number"),
            ("19200", "1", "no speed"),
            ("unit: 1", "unit: 1000", "ess_system.battery_dev.unit"),
            ("name: dcdc1", "name: &a dcdc1\n      other: *a", "aliases"),
        ] {
            let error = parse(&FILE.replace(from, to)).unwrap_err();
            assert!(error.contains(why), "{error} instead of {why}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[ -~\\n]{0,200}", at in 0..FILE.len(), cut in 0..40_usize) {
            let _ = parse(&text);
            if let (Some(before), Some(behind)) = (FILE.get(..at), FILE.get((at + cut).min(FILE.len())..)) {
                let _ = parse(&format!("{before}{text}{behind}"));
                let _ = parse(&format!("{before}{behind}"));
            }
        }
    }
}
