//! What the process does besides answering: wait for its port, serve in order, keep to itself.

use std::time::Duration;

use testbed::bed::SOON;
use testbed::{Exit, eventually};

use super::bed::{Bed, Site};
use super::http;

fn alone(options: &[&str]) -> testbed::Process {
    let folder = testbed::bed::folder();
    let file = folder.path().join("nothing.yml");
    std::fs::write(&file, "ess_system:\n  type: essx_type_oes\n").unwrap();
    let mut process = testbed::Process::spawn(
        testbed::bed::busbar().arg("dcdc-rs485").arg("--config").arg(&file).args(options),
    );
    process.wait(SOON);
    process
}

#[test]
fn a_file_that_lacks_something_ends_the_process_with_the_key_and_78() {
    let mut process = alone(&[]);
    assert_eq!(process.wait(SOON), Exit::Code(78));
    assert!(
        process.lines().iter().any(|line| line.contains("ess_system.dcdc_dev is missing")),
        "{:?}",
        process.lines()
    );
}

#[test]
fn parallel_requests_are_served_whole_and_none_gets_the_answer_of_another() {
    let mut bed = Bed::start(&Site::default());
    let port = bed.port;
    assert_eq!(bed.get("/remote/set?mode=0x0000&dvg=350&dig=1&drg=0").status, 200);
    bed.journal();
    let threads: Vec<_> = (0..12)
        .map(|n| {
            std::thread::spawn(move || match n % 3 {
                0 => {
                    let dig = 1.0 + f64::from(n) / 4.0;
                    let answer = http::get(port, &format!("/remote/set/current?dig={dig}")).json();
                    assert!((answer["param"]["dig"].as_f64().unwrap() - dig).abs() < 0.001, "{answer}");
                    assert!(answer.get("vdis").is_none());
                }
                1 => assert!(http::get(port, "/dcdc/get/status").json().get("vdis").is_none()),
                _ => assert!(http::get(port, "/dcdc/get").json()["vdis"]["dvg"].is_f64()),
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let mut commands = bed.commands();
    // On a machine that is too busy to answer in time, a command is sent once more.
    commands.dedup();
    let commands = commands.join(" ");
    let left =
        commands.replace("1-1 2-1 4-1 9-1 10-1 6-1", "").replace("1-1 2-1 10-1", "").replace("6-4 10-1", "");
    assert_eq!(left.trim(), "", "sequences were mixed: {commands}");
}

#[test]
fn a_converter_that_comes_late_is_served_without_a_restart() {
    let bed = Bed::start(&Site::default());
    let link = bed.folder.path().join("dcdc0");
    let port = bed.port;
    let Bed { folder, mut simulator, service, .. } = bed;
    assert_eq!(simulator.terminate(), Exit::Code(0));
    eventually(SOON, || !link.exists());
    let answer = http::get(port, "/dcdc/get");
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("no connection"), "{answer:?}");
    let file = folder.path().join("scenario.toml");
    let mut simulator =
        testbed::Process::spawn_fed(testbed::bed::busbar().arg("simulator").arg("--scenario").arg(file));
    simulator.wait_for_line("converter0 ready", SOON);
    eventually(SOON, || http::get(port, "/dcdc/get").status == 200);
    drop(service);
}

#[test]
fn a_silent_battery_delays_no_request_to_the_converter() {
    let mut bed = Bed::start(&Site { battery_timeout_s: 10, ..Site::default() });
    bed.command("battery fault=drop");
    bed.journal();
    let port = bed.port;
    let waiting = std::thread::spawn(move || http::get(port, "/battery/get"));
    eventually(SOON, || !bed.journal().1.is_empty());
    assert_eq!(bed.get("/dcdc/get/status").status, 200);
    assert!(!waiting.is_finished(), "the converter was asked when the battery's time was over");
    assert_eq!(waiting.join().unwrap().json()["err"], "modbus io exception");
}

#[test]
fn a_battery_that_denies_sharing_sends_the_converter_to_waiting() {
    let mut bed = Bed::start(&Site { force_dcdc_waiting: true, ..Site::default() });
    assert_eq!(bed.get("/remote/set?mode=0x0002&dvg=350&dig=2&drg=0").status, 200);
    bed.command("battery status=1");
    bed.journal();
    let mut seen = Vec::new();
    eventually(Duration::from_secs(60), || {
        seen.extend(bed.journal().0);
        seen.iter().any(|entry| entry.starts_with("1-4:050200100000001000"))
    });
    // What clients have set is remembered all the same.
    assert_eq!(bed.get("/remote/set").json()["status"]["status"], "0x0002");
}

#[test]
fn an_address_that_others_can_reach_needs_a_list_of_who_may_come() {
    let bed = Bed::start(&Site::default());
    let file = bed.folder.path().join("dcdc_batt_comm.yml");
    let mut process = testbed::Process::spawn(
        testbed::bed::busbar()
            .arg("dcdc-rs485")
            .arg("--config")
            .arg(&file)
            .args(["--host", "0.0.0.0", "--port", "0"]),
    );
    assert_eq!(process.wait(SOON), Exit::Code(78));
    assert!(process.lines().iter().any(|line| line.contains("--allow ADDRESS")), "{:?}", process.lines());
}

#[test]
fn a_request_without_the_token_is_turned_away_and_sends_nothing() {
    let mut bed = Bed::start(&Site::default());
    let file = bed.folder.path().join("dcdc-rs485.dcdc1.toml");
    let link = bed.folder.path().join("dcdc0").display().to_string();
    assert_eq!(bed.service.terminate(), Exit::Code(0));
    let text = format!(
        "[converter]\nport = {link:?}\n[converter.settings]\ncib = 52\nubv = 40\nobv = 59\nugv = 300\nogv = 400\n\
         bcf = 0x0003\ncvb = 57.6\ndlb = 49\ncdb = 1.2\nddb = 1.8\ndrb = 0.0\n\
         [web]\nport = {}\ntoken = \"a-token-of-some-length\"\n[dbus]\nenabled = false\n",
        bed.port
    );
    std::fs::write(&file, text).unwrap();
    let mut service =
        testbed::Process::spawn(testbed::bed::busbar().arg("dcdc-rs485").arg("--config").arg(&file));
    service.wait_for_line("the web API listens", SOON);
    for headers in ["", "Authorization: Bearer a-token-of-some-lengtx\r\n"] {
        assert_eq!(http::ask(bed.port, "GET", "/dcdc/get", headers).unwrap().status, 401);
    }
    assert!(bed.commands().is_empty());
    let headers = "Authorization: Bearer a-token-of-some-length\r\n";
    eventually(SOON, || http::ask(bed.port, "GET", "/dcdc/get", headers).unwrap().status == 200);
    let answer = http::ask(bed.port, "GET", "/battery/get", headers).unwrap();
    assert_eq!(answer.json()["err"], "comm error", "no battery is configured");
}

#[test]
fn a_request_of_any_size_is_answered_or_refused_and_the_next_one_is_served() {
    let bed = Bed::start(&Site::default());
    let long = "x".repeat(100_000);
    for (target, headers) in
        [(format!("/dcdc/set?dig={long}"), String::new()), ("/".to_owned(), format!("X: {long}\r\n"))]
    {
        if let Ok(answer) = http::ask(bed.port, "GET", &target, &headers) {
            assert!((400..500).contains(&answer.status), "{answer:?}");
        }
    }
    assert_eq!(bed.get("/dcdc/get/status").status, 200);
}
