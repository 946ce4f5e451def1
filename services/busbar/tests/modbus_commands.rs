//! `org.busbar.Bus1` of inverter-modbus in front of two devices of pymodbus, of which nothing is ours: one behind TCP, one
//! on a serial line.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use inverter_modbus::line::address::{Address, Framing};
use inverter_modbus::line::{Ask, Line, NoAnswer, Turn};
use inverter_modbus::modbus::pdu::{Answer, Request};
use inverter_modbus::profile::scalar::Table;
use serde_json::{Value, json};
use service_kit::serial::{Character, Parity};
use simulator::inverters::Running;
use testbed::bed::{SOON, folder};
use testbed::{PrivateBus, Process, client_script, eventually};

struct Bed {
    bus: PrivateBus,
    tcp: String,
    serial: String,
    _processes: [Process; 3],
    _folder: tempfile::TempDir,
}

fn image(profile: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../inverter-modbus/tests/images")
        .join(profile)
        .with_extension("toml")
}

#[track_caller]
fn pymodbus(place: &str, profile: &str) -> (Process, String) {
    let mut device = Process::spawn(client_script("modbus.py").args(["serve", place]).arg(image(profile)));
    let line = device.wait_for_line("serving", SOON * 2);
    (device, line.split_whitespace().last().expect("a place").to_owned())
}

impl Bed {
    #[track_caller]
    fn start(raw_access: bool) -> Bed {
        let (bus, folder) = (PrivateBus::start(), folder());
        let link = folder.path().join("rs485").display().to_string();
        let (sungrow, tcp) = pymodbus("127.0.0.1:0", "sungrow-sh");
        let (growatt, serial) = pymodbus(&link, "growatt-spf");
        let port = tcp.rsplit(':').next().expect("a port").to_owned();
        let file = folder.path().join("inverter-modbus.toml");
        let tcp_device = format!(
            "[[device]]\nprofile = \"sungrow-sh\"\nhost = \"127.0.0.1\"\ntcp_port = {port}\ncontrol = \"on\"\n"
        );
        let serial_device = format!("[[device]]\nprofile = \"growatt-spf\"\nport = {serial:?}\n");
        let kept = folder.path().join("kept");
        let text = format!("raw_access = {raw_access}\nfolder = {kept:?}\n{tcp_device}{serial_device}");
        std::fs::write(&file, text).expect("a file");
        let mut command = bus.command(testbed::executable("busbar"));
        let service = Process::spawn(command.arg("inverter-modbus").arg("--config").arg(file));
        let bed = Bed {
            bus,
            tcp: format!("tcp_127_0_0_1_{port}"),
            serial,
            _processes: [sungrow, growatt, service],
            _folder: folder,
        };
        // The Sungrow is recognised; the image of the Growatt does not say what it is.
        eventually(SOON * 2, || {
            let info = bed.call("rs485", "Info", &[]);
            let is_open = |at: usize| info["ports"][at]["open"] == json!(true);
            is_open(0) && is_open(1) && info["ports"][0]["units"][0]["there"] == json!(true)
        });
        bed
    }

    fn call(&self, line: &str, member: &str, arguments: &[&str]) -> Value {
        let name = format!("org.busbar.inverter_modbus.{line}");
        let call = [&["call", &name, "/", "org.busbar.Bus1", member][..], arguments].concat();
        self.bus.busctl(&call).map(|answer| answer[0].clone()).unwrap_or_default()
    }

    /// A request with all the time that may be had; arguments are KEY=NUMBER, KEY=N,N,... for lists, and KEY:TEXT.
    fn ask(&self, arguments: &[&str]) -> Value {
        let arguments = [arguments, &["timeout_ms=5000"]].concat();
        let mut words = vec!["cmd".to_owned(), "s".to_owned(), "serial.modbus.request".to_owned()];
        for argument in &arguments {
            if let Some((key, text)) = argument.split_once(':') {
                words.extend([key, "s", text].map(str::to_owned));
            } else if let Some((key, numbers)) = argument.split_once('=') {
                let numbers: Vec<&str> = numbers.split(',').collect();
                if key == "values" {
                    words.extend([key.to_owned(), "ai".to_owned(), numbers.len().to_string()]);
                } else {
                    words.extend([key.to_owned(), "i".to_owned()]);
                }
                words.extend(numbers.iter().map(|number| (*number).to_owned()));
            }
        }
        let count = (arguments.len() + 1).to_string();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.call(&self.tcp, "Transact", &[&["a{sv}", &count][..], &words].concat())
    }
}

/// What the specification has and pymodbus knows: V1.1b3, 6. Each with what comes back.
#[test]
fn pymodbus_answers_every_function_code_over_tcp_and_over_a_serial_line() {
    let bed = Bed::start(true);
    let (tcp, serial) = (format!("port:{}", bed.tcp), "port:rs485".to_owned());
    // A register of each device that no profile knows.
    for (port, addr) in [(&tcp, "13062"), (&serial, "2")] {
        let address = format!("address={addr}");
        let ask = |more: &[&str]| bed.ask(&[&[port.as_str(), "unit=1"], more].concat());
        let done = |answer: Value| {
            assert_eq!(answer["status"], "ok", "{answer}");
            answer
        };
        let one =
            |values: &str, function: &str| done(ask(&[function, &address, &format!("values={values}")]));
        let read = || done(ask(&["function=3", &address, "count=1"]))["values"].clone();
        one("258", "function=6");
        assert_eq!(read(), json!([258]), "{port}");
        one("772", "function=16");
        assert_eq!(read(), json!([772]));
        // The low byte stays: (772 & 0x00FF) | 0x0500.
        one("255,1280", "function=22");
        assert_eq!(read(), json!([0x0504]));
        let number: u16 = addr.parse().expect("a number");
        let both = format!("pdu:17{number:04x}0001{number:04x}0001020007");
        assert_eq!(done(ask(&[&both]))["values"], json!([7]));
        one_coil_and_ten(&ask);
        assert_eq!(done(ask(&["function=2", "address=0", "count=3"]))["values"], json!([0, 0, 0]));
        let id = done(ask(&["pdu:2b0e0100"]));
        assert!(id["pdu"].as_str().is_some_and(|pdu| pdu.starts_with("2b0e01")), "{id}");
        let id = done(ask(&["function=17"]));
        assert!(id["pdu"].as_str().is_some_and(|pdu| pdu.starts_with("11")), "{id}");
        let refused = ask(&["function=3", "address=29000", "count=1"]);
        assert_eq!((&refused["status"], &refused["code"]), (&json!("device_error"), &json!(34)));
        assert!(
            refused["exception"].is_number()
                && refused["pdu"].as_str().is_some_and(|pdu| pdu.starts_with("83"))
        );
    }
    assert_eq!(bed.ask(&[&tcp, "unit=1", "function=4", "address=5000", "count=1"])["values"], json!([100]));
    assert_eq!(
        bed.ask(&[&serial, "unit=1", "function=4", "address=17", "count=1"])["values"],
        json!([0x13F8])
    );
}

fn one_coil_and_ten(ask: &dyn Fn(&[&str]) -> Value) {
    assert_eq!(ask(&["function=15", "address=0", "values=1,0,1,1,0,0,1,1,1,0"])["status"], "ok");
    assert_eq!(ask(&["function=5", "address=1", "values=1"])["status"], "ok");
    let read = ask(&["function=1", "address=0", "count=11"]);
    assert_eq!(read["values"], json!([1, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0]));
}

#[test]
fn what_does_harm_or_is_set_by_the_process_is_not_sent_and_a_line_is_to_be_named() {
    let bed = Bed::start(true);
    let (tcp, serial) = (format!("port:{}", bed.tcp), format!("port:{}", bed.serial));
    let status = |arguments: &[&str]| bed.ask(arguments)["status"].clone();
    // A Growatt SPF drops its output when it is asked for these, whoever asks.
    for unit in ["unit=1", "unit=2"] {
        assert_eq!(status(&[&serial, unit, "function=4", "address=30000", "count=1"]), "forbidden");
        assert_eq!(status(&[&serial, unit, "function=3", "address=29999", "count=2"]), "forbidden");
    }
    assert_eq!(status(&[&serial, "unit=1", "pdu:41"]), "forbidden");
    // The set point of the Sungrow for charging, which this process may have to set any time.
    let set_point = [&tcp, "unit=1", "function=16", "address=33046", "values=1"];
    assert_eq!(status(&set_point), "forbidden");
    assert_eq!(status(&[&tcp, "unit=1", "function=3", "address=33046", "count=1"]), "ok");

    let which = bed.ask(&["unit=1", "function=4", "address=0", "count=1"]);
    assert_eq!((&which["status"], &which["key"]), (&json!("bad_args"), &json!("port")));
    assert!(
        which["msg"].as_str().is_some_and(|all| all.contains("rs485") && all.contains("127.0.0.1:")),
        "{which}"
    );
    assert_eq!(status(&["port:elsewhere", "unit=1", "function=4", "address=0", "count=1"]), "no_such_device");
    assert_eq!(bed.ask(&[&serial, "unit=0", "function=4", "address=0", "count=1"])["key"], "unit");
    assert_eq!(bed.ask(&[&serial, "unit=1", "function=4", "address=0"])["key"], "count");
    let nobody = bed.ask(&[&serial, "unit=9", "function=4", "address=0", "count=1"]);
    assert_eq!(
        (&nobody["status"], nobody["exception"].is_number()),
        (&json!("device_error"), true),
        "{nobody}"
    );
    assert_eq!(status(&[&serial, "unit=1", "function=4", "address=17", "count=1"]), "ok", "the line goes on");
}

#[test]
fn without_leave_nothing_is_sent_and_what_there_is_is_told() {
    let bed = Bed::start(false);
    let port = format!("port:{}", bed.serial);
    let refused = bed.ask(&[&port, "unit=1", "function=4", "address=17", "count=1"]);
    assert_eq!((&refused["status"], &refused["code"]), (&json!("forbidden"), &json!(21)));
    let info = bed.call("rs485", "Info", &[]);
    assert_eq!((&info["process"], &info["raw_access"]), (&json!("inverter-modbus"), &json!(false)));
    assert_eq!(info["commands"], json!(["serial.modbus.request"]));
    let ports = info["ports"].as_array().expect("ports");
    let serial = ports.iter().find(|port| port["port"] == json!(bed.serial)).expect("the serial line");
    assert_eq!((&serial["baud"], &serial["open"]), (&json!(9600), &json!(true)));
    assert_eq!((&serial["units"][0]["unit"], &serial["units"][0]["there"]), (&json!(1), &json!(false)));
    let found = bed.call("rs485", "Probe", &["a{sv}", "1", "known", "b", "true"]);
    assert_eq!((found.as_array().map(Vec::len), &found[0]["kind"]), (Some(1), &json!("modbus")), "{found}");
}

/// What the engine itself sends, in its own words.
#[tokio::test]
async fn pymodbus_agrees_on_every_request_of_the_engine() {
    let folder = folder();
    let link = folder.path().join("rs485");
    let (_device, tcp) = pymodbus("127.0.0.1:0", "sungrow-sh");
    let (_other, _) = pymodbus(&link.display().to_string(), "sungrow-sh");
    let port = tcp.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let character = Character { parity: Parity::None, two_stop_bits: false };
    for address in [
        Address::Tcp { host: "127.0.0.1".into(), port, framing: Framing::Tcp },
        Address::Serial { path: link, baud: 9600, character },
    ] {
        let line = Line::start(address.clone(), None, 1);
        let ask = async |request: Request| {
            let (timeout, gap) = (SOON, Duration::ZERO);
            line.ask(Ask { unit: 1, request, timeout, gap, turn: Turn::Now }).await.expect("an answer")
        };
        let read = |table, addr, count| Request::Read { table, addr, count };
        assert_eq!(ask(read(Table::Input, 5000, 1)).await, Answer::Values(vec![100]), "{address}");
        let register = Request::WriteRegister { addr: 13_062, value: 258 };
        assert_eq!(ask(register).await, Answer::Written);
        assert_eq!(ask(Request::WriteRegisters { addr: 13_063, values: vec![3, 4] }).await, Answer::Written);
        assert_eq!(ask(read(Table::Holding, 13_062, 3)).await, Answer::Values(vec![258, 3, 4]));
        let on = [true, false, true, true, false, false, true, true, true];
        assert_eq!(ask(Request::WriteCoils { addr: 0, on: on.to_vec() }).await, Answer::Written);
        assert_eq!(ask(Request::WriteCoil { addr: 1, on: true }).await, Answer::Written);
        let shown = Answer::Values(vec![1, 1, 1, 1, 0, 0, 1, 1, 1, 0]);
        assert_eq!(ask(read(Table::Coil, 0, 10)).await, shown);
        assert_eq!(ask(read(Table::Discrete, 0, 3)).await, Answer::Values(vec![0, 0, 0]));
        assert_eq!(ask(read(Table::Holding, 29_000, 1)).await, Answer::Exception(2));
        let beyond = Request::WriteRegisters { addr: 29_000, values: vec![1] };
        assert_eq!(ask(beyond).await, Answer::Exception(2));
    }
}

/// A simulated Deye on a serial line in this folder, half charged, and our end of the line.
fn deye(folder: &Path) -> (Running, Line) {
    let link = folder.join("rs485");
    let profile =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../inverter-modbus/profiles/deye-one-phase.toml");
    let config =
        serde_json::from_value(json!({ "profile": profile, "link": link, "soc": 50.0, "paced": false }));
    let running = Running::start(&[config.expect("an inverter")], |_| None).expect("a line");
    let character = Character { parity: Parity::None, two_stop_bits: false };
    (running, Line::start(Address::Serial { path: link, baud: 9600, character }, None, 1))
}

/// On a serial line an answer does not say what it answers.
#[tokio::test]
async fn what_comes_too_late_for_somebody_else_is_not_taken_for_another_register() {
    let folder = folder();
    let (mut running, line) = deye(folder.path());
    running.command(0, &["fault", "late", "ms=300", "count=1"]).expect("a fault");
    // Register 184 is the state of charge, register 0 what kind of device it is.
    let hasty = line.ask_for_another(1, 3, vec![0, 184, 0, 1], Duration::from_millis(10)).await;
    assert_eq!(hasty, Err(NoAnswer::Silence));
    let read = Request::Read { table: Table::Holding, addr: 0, count: 1 };
    let (timeout, gap) = (SOON, Duration::from_millis(50));
    let kind = line.ask(Ask { unit: 1, request: read, timeout, gap, turn: Turn::Now }).await;
    assert!(matches!(&kind, Ok(Answer::Values(values)) if values != &[50]), "{kind:?}");
}

/// Whoever was silent may answer late, and is asked nothing else until then. Others do not wait for that.
#[tokio::test]
async fn a_device_that_is_left_time_for_a_late_answer_keeps_nobody_else_waiting() {
    let folder = folder();
    let (_running, line) = deye(folder.path());
    let ask = |unit, addr, timeout| {
        let request = Request::Read { table: Table::Holding, addr, count: 1 };
        line.ask(Ask { unit, request, timeout, gap: Duration::ZERO, turn: Turn::Now })
    };
    // Nobody is at unit 9.
    assert_eq!(ask(9, 0, Duration::from_millis(10)).await, Err(NoAnswer::Silence));
    let patient = ask(9, 1, SOON * 10);
    let of_others = async {
        for _ in 0..3 {
            assert_eq!(ask(1, 184, SOON).await, Ok(Answer::Values(vec![50])));
        }
    };
    tokio::select! {
        biased;
        said = patient => panic!("{said:?}"),
        answered = tokio::time::timeout(SOON * 2, of_others) => answered.expect("in time"),
    }
}
