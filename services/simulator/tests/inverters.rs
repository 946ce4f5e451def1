//! Simulated inverters on Modbus, asked by pymodbus and by bytes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use simulator::inverters::{InverterConfig, Running};
use testbed::client_script;

const SITE: &str = "sun_w = 3000.0\nload_w = 1200.0\nhouse_w = 500.0\npaced = false\nturnaround_ms = 0.0\n";

fn profile(id: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../inverter-modbus/profiles").join(id).with_extension("toml")
}

fn expected(id: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inverters").join(id).with_extension("toml")
}

fn config(id: &str, place: &str) -> InverterConfig {
    let profile = profile(id).display().to_string();
    toml::from_str(&format!("profile = {profile:?}\n{place}\n{SITE}")).unwrap()
}

/// What is on a port of its own.
fn on_tcp(id: &str, more: &str) -> (Running, String) {
    let config = config(id, &format!("listen = \"127.0.0.1:0\"\n{more}"));
    let running = Running::start(&[config], |_| None).unwrap();
    let place = running.places().next().unwrap().1;
    (running, place)
}

async fn pymodbus(arguments: Vec<String>) -> String {
    let run = move || client_script("modbus.py").args(arguments).output().unwrap();
    let Output { stdout, stderr, .. } = tokio::task::spawn_blocking(run).await.unwrap();
    let said = String::from_utf8_lossy(&stdout).trim().to_owned();
    assert!(!said.is_empty(), "{}", String::from_utf8_lossy(&stderr));
    said
}

#[tokio::test]
async fn pymodbus_reads_what_was_worked_out_by_hand() {
    for id in
        ["deye-one-phase", "growatt-spf", "solis-hybrid", "sungrow-sh", "sma-sunny-island", "sunspec-hybrid"]
    {
        let (_running, place) = on_tcp(id, "");
        let said = pymodbus(vec!["read".into(), place, expected(id).display().to_string()]).await;
        assert!(said.ends_with("compared, 0 wrong"), "{id}: {said}");
    }
}

#[tokio::test]
async fn pymodbus_reads_the_same_over_a_serial_line() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("inverter0").display().to_string();
    let config = config("deye-one-phase", &format!("link = {link:?}\n"));
    let _running = Running::start(&[config], |_| None).unwrap();
    let said = pymodbus(vec!["read".into(), link, expected("deye-one-phase").display().to_string()]).await;
    assert!(said.ends_with("compared, 0 wrong"), "{said}");
}

#[tokio::test]
async fn pymodbus_agrees_on_every_function_code() {
    let refused = "4 2, 1 1, 2 1, 5 1, 15 1, 22 1";
    // A Deye takes function 16 alone.
    for (id, unit, register, single, beyond) in
        [("goodwe-et", "247", "45353", "ok", "2"), ("deye-one-phase", "1", "210", "1", "1")]
    {
        let (_running, place) = on_tcp(id, "");
        let said = pymodbus(vec!["functions".into(), place, unit.into(), register.into()]).await;
        let tried = format!("3 ok, 6 {single}, 16 ok, 3 beyond 2, 6 beyond {beyond}, 16 beyond 2");
        assert_eq!(said, format!("{tried}, {refused}"), "{id}");
    }
}

#[tokio::test]
async fn a_limit_that_is_written_is_obeyed_and_the_balance_holds() {
    let (mut running, place) = on_tcp("deye-one-phase", "");
    let value = |status: &str, key: &str| -> f64 {
        let text = status.split_whitespace().find_map(|word| word.strip_prefix(&format!("{key}=")));
        text.unwrap().parse().unwrap()
    };
    let status = running.command(0, &["status"]).unwrap();
    assert!(value(&status, "battery_a") > 20.0, "{status}");
    // 10 A into register 210.
    let answer = ask(&place, &[0, 1, 0, 0, 0, 9, 1, 16, 0, 210, 0, 1, 2, 0, 10]).await;
    assert_eq!(answer, [0, 1, 0, 0, 0, 6, 1, 16, 0, 210, 0, 1]);
    for site in ["grid=1", "grid=0", "sun_w=0", "load_w=9000", "grid=1", "soc=100", "soc=0"] {
        running.command(0, &["set", site]).unwrap();
        let status = running.command(0, &["status"]).unwrap();
        assert!(value(&status, "battery_a") < 10.1, "{site}: {status}");
        let [pv, ac_in, ac_out, battery, loss] =
            ["pv_w", "ac_in_w", "ac_out_w", "battery_w", "loss_w"].map(|key| value(&status, key));
        assert!((pv + ac_in - ac_out - battery - loss).abs() <= 2.5, "{site}: {status}");
    }
}

/// Sends a request and takes what comes back at once.
async fn ask(place: &str, request: &[u8]) -> Vec<u8> {
    let (place, request) = (place.to_owned(), request.to_vec());
    let talk = move || {
        let mut stream = TcpStream::connect(place).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream.write_all(&request).unwrap();
        let mut answer = vec![0; 300];
        let count = stream.read(&mut answer).unwrap_or(0);
        answer.truncate(count);
        answer
    };
    tokio::task::spawn_blocking(talk).await.unwrap()
}

#[tokio::test]
async fn faults_come_as_they_are_ordered_and_end() {
    let (mut running, place) = on_tcp("deye-one-phase", "");
    let soc = [0, 9, 0, 0, 0, 6, 1, 3, 0, 184, 0, 1];
    let right = [0, 9, 0, 0, 0, 5, 1, 3, 2, 0, 50];
    assert_eq!(ask(&place, &soc).await, right);
    for (fault, wrong) in [
        ("foreign", &[0, 9, 0, 0, 0, 5, 2, 3, 2, 0, 50][..]),
        ("stale", &[0, 8, 0, 0, 0, 5, 1, 3, 2, 0, 50]),
        ("exception", &[0, 9, 0, 0, 0, 3, 1, 0x83, 4]),
        ("truncated", &[]),
        ("doubled", &[0, 9, 0, 0, 0, 5, 1, 3, 2, 0, 50, 0, 9, 0, 0, 0, 5, 1, 3, 2, 0, 50]),
        ("late", &right),
    ] {
        running.command(0, &["fault", fault, "count=1", "ms=20", "n=3"]).unwrap();
        let answer = ask(&place, &soc).await;
        if fault == "truncated" {
            assert_eq!(answer, right[..3])
        } else {
            assert_eq!(answer, wrong, "{fault}")
        }
        assert_eq!(ask(&place, &soc).await, right, "after {fault}");
    }
    let journal = running.command(0, &["journal"]).unwrap();
    assert!(journal.contains("3:184:1:foreign 3:184:1"), "{journal}");
}

#[tokio::test]
async fn one_client_only_and_none_while_it_is_unplugged() {
    let (mut running, place) = on_tcp("deye-one-phase", "clients = 1\n");
    let first = TcpStream::connect(&place).unwrap();
    let soc = [0, 9, 0, 0, 0, 6, 1, 3, 0, 184, 0, 1];
    // Connections are taken in the order in which they come.
    assert!(ask(&place, &soc).await.is_empty());
    drop(first);
    running.command(0, &["unplug"]).unwrap();
    let unplugged = async {
        while TcpStream::connect(&place).is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), unplugged).await.unwrap();
    assert_eq!(running.command(0, &["plug"]).unwrap(), format!("ready {place}"));
    assert_eq!(ask(&place, &soc).await.len(), 11);
}

#[tokio::test]
async fn faults_stand_in_the_scenario_too_and_clients_are_turned_away_while_it_runs() {
    let (mut running, place) = on_tcp("deye-one-phase", "faults = [\"exception code=6 count=1\"]\n");
    let soc = [0, 9, 0, 0, 0, 6, 1, 3, 0, 184, 0, 1];
    assert_eq!(ask(&place, &soc).await, [0, 9, 0, 0, 0, 3, 1, 0x83, 6]);
    assert_eq!(ask(&place, &soc).await.len(), 11);
    for (count, length) in [("0", 0), ("1", 11)] {
        assert_eq!(running.command(0, &["clients", count]).unwrap(), "ok");
        assert_eq!(ask(&place, &soc).await.len(), length, "{count} clients");
    }
    assert!(running.command(0, &["clients", "many"]).unwrap_err().contains("many"));
}

#[tokio::test]
async fn registers_that_reset_an_spf_take_its_output_away_and_are_counted() {
    let (mut running, place) = on_tcp("growatt-spf", "");
    let answer = ask(&place, &[0, 9, 0, 0, 0, 6, 1, 4, 0x79, 0x18, 0, 1]).await;
    assert_eq!(answer, [0, 9, 0, 0, 0, 3, 1, 0x84, 2]);
    let status = running.command(0, &["status"]).unwrap();
    assert!(
        status.ends_with("resets=1") && status.contains("state=dark") && status.contains("ac_out_w=0"),
        "{status}"
    );
}

#[tokio::test]
async fn every_profile_makes_a_device() {
    let folder = profile("x").parent().unwrap().to_owned();
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "toml") {
            let (mut running, _) = on_tcp(path.file_stem().unwrap().to_str().unwrap(), "");
            let status = running.command(0, &["status"]).unwrap();
            assert!(status.starts_with("state=running pv_w=3000"), "{path:?} {status}");
            count += 1;
        }
    }
    assert!(count >= 14, "{count}");
}

#[tokio::test]
async fn the_profile_of_the_guide_makes_a_device_too() {
    let guide = std::fs::read_to_string(profile("x").with_file_name("../ADDING.md")).unwrap();
    let (_, after) = guide.split_once("```toml\n").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("example-hybrid.toml");
    std::fs::write(&file, after.split_once("```").unwrap().0).unwrap();
    let mut config = config("deye-one-phase", "listen = \"127.0.0.1:0\"\n");
    config.profile = file.display().to_string();
    let running = Running::start(&[config], |_| None).unwrap();
    let place = running.places().next().unwrap().1;
    // 3000 W of sun, the low word first; then 10 A of charging at most, which the battery obeys.
    let answer = ask(&place, &[0, 9, 0, 0, 0, 6, 1, 4, 0, 100, 0, 2]).await;
    assert_eq!(answer, [0, 9, 0, 0, 0, 7, 1, 4, 4, 0x0B, 0xB8, 0, 0]);
    ask(&place, &[0, 9, 0, 0, 0, 9, 1, 16, 0, 41, 0, 1, 2, 0, 100]).await;
    let answer = ask(&place, &[0, 9, 0, 0, 0, 6, 1, 4, 0, 103, 0, 1]).await;
    assert_eq!(answer, [0, 9, 0, 0, 0, 5, 1, 4, 2, 0xFF, 0x9C]);
}
