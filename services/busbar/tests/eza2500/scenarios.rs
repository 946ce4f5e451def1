//! Every recorded scenario of SonyCSL/apis-dcdc_batt_comm, request by request, with the commands that each causes.

use serde_json::Value;

use super::bed::{Bed, Site};
use super::http::{self, Answer};

fn scenarios() -> Vec<Value> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../dcdc-rs485/tests/vectors/eza2500-http.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// The command that injects a fault or sets words, as the simulator takes it.
fn control(bed: &mut Bed, control: &Value) {
    if let Some(raw) = control["raw"].as_object() {
        let words: Vec<String> = raw.iter().map(|(name, word)| format!("{name}={word}")).collect();
        bed.command(&format!("set {}", words.join(" ")));
    }
    if let Some(faults) = control["faults"].as_array() {
        bed.command("clear");
        for fault in faults {
            let mut command = format!("fault {}", fault["kind"].as_str().unwrap());
            for (name, value) in fault.as_object().unwrap() {
                match (name.as_str(), value) {
                    ("kind", _) => {}
                    ("write", value) => command += if *value == true { " write" } else { "" },
                    (name, Value::String(text)) => command += &format!(" {name}={text}"),
                    (name, value) => command += &format!(" {name}={value}"),
                }
            }
            bed.command(&command);
        }
    }
    if let Some(battery) = control["battery"].as_object() {
        for (name, value) in battery {
            match value {
                Value::Null => bed.command(&format!("battery {name}=none")),
                Value::String(text) => bed.command(&format!("battery {name}={text}")),
                number => bed.command(&format!("battery {name}={number}")),
            };
        }
    }
}

/// Numbers of the same kind, and as near as decimal and binary printing are to each other.
fn is_same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && b.iter().all(|(key, value)| a.get(key).is_some_and(|ours| is_same(ours, value)))
        }
        (Value::Number(a), Value::Number(b)) => {
            a.is_f64() == b.is_f64() && (a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 1e-12
        }
        (a, b) => a == b,
    }
}

/// Commands on the wire, without the order of mode and set points where either is right.
fn commands(entries: impl Iterator<Item = (String, String)>, is_order_free: bool) -> Vec<(String, String)> {
    let mut commands: Vec<_> = entries.collect();
    if is_order_free {
        let is_write = |name: &str| matches!(name, "1-4" | "4-4" | "6-4");
        let writes = commands.iter().take_while(|(name, _)| is_write(name)).count();
        commands[..writes].sort();
    }
    commands
}

/// How the service is set up.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    /// As it is by default.
    Decided,
    /// `range_check: off` and `set_order: reference`: whatever the reference sends is sent, in its order.
    Exact,
}

struct Step<'a> {
    manner: Manner,
    scenario: &'a str,
    step: &'a Value,
}

impl Step<'_> {
    fn is(&self, flag: &str) -> bool {
        self.step[flag] == true
    }

    fn fails(&self, what: &str, ours: &dyn std::fmt::Debug) -> Result<(), String> {
        Err(format!("{}: {what}: {ours:?}\n{}", self.scenario, self.step))
    }

    /// Where specification and reference are decided otherwise than the reference does it.
    fn is_decided_otherwise(&self) -> bool {
        let is_fault = |kind: &str| self.step["emulator_control"]["faults"][0]["kind"] == kind;
        // A wrong length is tried again, and noise that looks like a start is seen through at the first attempt.
        (self.scenario == "fault: short ACK" && is_fault("ackshort"))
            || (self.scenario == "fault: noise and echo" && self.step["emulator_control"]["faults"][0]["hex"] == "02ff")
            // A number in quotes is a number.
            || self.scenario == "ioctl set without a usable number"
            // RFC 9112 has no fragments in requests: this one is not seen.
            || self.step["request"].as_str().unwrap().contains('#')
    }

    fn check(&self, bed: &mut Bed, served: &[String], answer: std::io::Result<Answer>) -> Result<(), String> {
        if self.step.get("transport_error").is_some() {
            // It says goodbye before it goes, and is gone then.
            match answer {
                Ok(answer) if answer.body == r#"{"message":"goodbye"}"# => {}
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {}
                other => return self.fails("the end", &other),
            }
            assert_eq!(bed.service.wait(testbed::bed::SOON), testbed::Exit::Code(0));
            return Ok(());
        }
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return self.fails("no answer", &error),
        };
        if self.is_decided_otherwise() {
            return if answer.status == 200 { Ok(()) } else { self.fails("decided otherwise", &answer) };
        }
        if self.is("outside_declared_range") && self.manner == Manner::Decided {
            let says_so = answer.status == 400 && answer.body.contains("out of range");
            if !says_so || !served.is_empty() {
                return self.fails("a value outside its range was not refused", &answer);
            }
            return Ok(());
        }
        if Some(u64::from(answer.status)) != self.step["status"].as_u64() {
            return self.fails("status", &answer);
        }
        if answer.content_type != self.step["content_type"].as_str().unwrap_or_default() {
            return self.fails("content type", &answer);
        }
        self.check_body(&answer)?;
        let ours = served.iter().map(|entry| {
            let parts: Vec<&str> = entry.split(':').collect();
            // Whether the simulator answers as the recorded converter did; how it makes faults is its own affair.
            let reply = if parts.len() > 3 { "" } else { parts[2] };
            (parts[0].to_owned(), format!("{} {reply}", parts[1]))
        });
        let theirs = self.step["serial"].as_array().unwrap().iter().map(|entry| {
            let text = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
            let reply = if entry["fault"].is_string() { String::new() } else { text("response_hex") };
            (text("command"), format!("{} {reply}", text("request_hex")))
        });
        let is_free = self.is("set_order_free") && self.manner == Manner::Decided;
        let (mut ours, theirs) = (commands(ours, is_free), commands(theirs, is_free));
        // On a machine that is too busy to answer in time, a command is sent once more. One that was answered wrongly is sent
        // once more as well, and that is what counts.
        ours.dedup_by(|again, before| again == before && !before.1.ends_with(' '));
        if ours == theirs { Ok(()) } else { self.fails("commands", &ours) }
    }

    fn check_body(&self, answer: &Answer) -> Result<(), String> {
        const WELL_KNOWN: [&str; 9] = [
            "No ",
            "bad value: ",
            "read timeout",
            "timeout",
            "checksum error",
            "error: ERCD=",
            "modbus io exception",
            "comm error",
            "cmd: ",
        ];
        let Some(body) = self.step.get("body") else {
            let is_empty = self.step["body_text"] == "";
            return if answer.body.is_empty() == is_empty { Ok(()) } else { self.fails("body", answer) };
        };
        let ours = answer.json();
        let text = body["err"].as_str().unwrap_or_default();
        let is_free_text = body["err"].is_string() && !WELL_KNOWN.iter().any(|known| text.starts_with(known));
        // Of a length that no reply has, there is nothing to see but silence.
        let is_length = self.scenario == "fault: wrong length byte" && body["err"].is_string();
        if is_free_text || is_length {
            if ours["err"].as_str().is_none_or(str::is_empty) {
                return self.fails("no text", answer);
            }
        } else if !is_same(&ours, body) {
            return self.fails("body", answer);
        }
        Ok(())
    }
}

fn site(scenario: &Value, manner: Manner) -> Site {
    let config = &scenario["config"];
    let mut site = Site {
        about: format!(
            "    number_of_dcdc_error_retry: {}\n    number_of_timeout_retry: {}\n",
            config["number_of_dcdc_error_retry"], config["number_of_timeout_retry"]
        ),
        has_battery: config["battery_present"] == true,
        options: scenario["server_args"]
            .as_array()
            .unwrap()
            .iter()
            .map(|o| o.as_str().unwrap().to_owned())
            .collect(),
        ..Site::default()
    };
    if manner == Manner::Exact {
        site.about += "    range_check: off\n    set_order: reference\n";
    }
    for (name, value) in config["dcdc"].as_object().unwrap() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        site.settings.push((name.clone(), text));
    }
    site
}

/// Plays a scenario to its end. On a machine that is too busy the simulator answers late, and faults meet other commands than
/// they were meant for.
fn attempt(scenario: &Value, manner: Manner) -> Result<(), String> {
    let name = scenario["scenario"].as_str().unwrap();
    let mut bed = Bed::start(&site(scenario, manner));
    let words: Vec<String> = scenario["initial_state"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, word)| format!("{name}={word}"))
        .collect();
    bed.command(&format!("set {}", words.join(" ")));
    for step in scenario["steps"].as_array().unwrap() {
        control(&mut bed, &step["emulator_control"]);
        let request = step["request"].as_str().unwrap();
        let (method, target) = request.split_once(' ').unwrap();
        let answer = http::ask(bed.port, method, target, "");
        let (served, _) = bed.journal();
        Step { manner, scenario: name, step }.check(&mut bed, &served, answer)?;
    }
    Ok(())
}

fn play(part: usize, of: usize, manner: Manner) {
    for (_, scenario) in scenarios().iter().enumerate().filter(|(n, _)| n % of == part) {
        testbed::one_of(5, || attempt(scenario, manner));
    }
}

#[test]
fn recorded_scenarios_have_the_same_answers_and_commands_first_part() {
    play(0, 3, Manner::Decided);
}

#[test]
fn recorded_scenarios_have_the_same_answers_and_commands_second_part() {
    play(1, 3, Manner::Decided);
}

#[test]
fn recorded_scenarios_have_the_same_answers_and_commands_third_part() {
    play(2, 3, Manner::Decided);
}

#[test]
fn without_range_check_and_in_the_order_of_the_reference_every_command_is_the_same_first_half() {
    play(0, 2, Manner::Exact);
}

#[test]
fn without_range_check_and_in_the_order_of_the_reference_every_command_is_the_same_second_half() {
    play(1, 2, Manner::Exact);
}
