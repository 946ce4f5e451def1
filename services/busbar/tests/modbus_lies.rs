//! Answers that are late, doubled, another's or nobody's: what is on the bus is right, or nothing. And a device of pymodbus,
//! of which nothing is ours, read by our process.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

#[path = "modbus_lies/bed.rs"]
mod bed;

use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use proptest::{collection, sample};
use serde_json::json;
use testbed::bed::{SOON, folder};
use testbed::{Process, client_script, eventually, eventually_some};
use tokio::time::Instant;

use bed::{Bed, Way};

#[test]
fn no_answer_of_another_moment_or_unit_is_believed_on_tcp() {
    Bed::simulated(Way::Tcp).survives_all(&[
        "late ms=4000 count=2",
        "doubled",
        "foreign count=5",
        "stale count=5",
        "exception code=4 count=20",
        "exception code=2 count=3",
        "truncated n=5 count=3",
        "silence count=3",
    ]);
}

#[test]
fn no_answer_of_another_moment_or_unit_is_believed_on_a_serial_line() {
    Bed::simulated(Way::Serial).survives_all(&[
        "late ms=1500 count=3",
        "doubled",
        "foreign count=5",
        "badcrc count=5",
        "garbage hex=01030201 count=5",
        "truncated n=9 count=3",
        "exception code=6 count=20",
        "silence count=5",
    ]);
}

/// 1200 baud are 120 characters in a second. What a Deye is asked for every second takes 8 and 99 of them; the longest answer,
/// 82 registers and 5 bytes, takes 1.4 s, longer than the device may think.
#[test]
fn a_slow_line_is_used_as_far_as_it_goes_and_long_answers_are_waited_for() {
    let mut bed = Bed::simulated(Way::Slow);
    let number =
        |bed: &Bed, path: &str| bed.bus.get_value(&bed.unit, path).ok().and_then(|shown| shown.as_f64());
    eventually(SOON * 4, || {
        (0..6).all(|block| number(&bed, &format!("/Polled/Block/{block}/Age")).is_some())
    });
    let mut sent = || {
        bed.device.write_line("inverter timing");
        let said = bed.device.wait_for_line("modbus0 timing", SOON);
        let bytes = said.split_whitespace().find_map(|word| word.strip_prefix("bytes="));
        bytes.and_then(|bytes| bytes.parse::<f64>().ok()).expect("bytes")
    };
    let (began, before) = (Instant::now(), sent());
    let mut since = 0.0;
    eventually(SOON * 4, || {
        since = sent() - before;
        since >= 600.0
    });
    // Bytes that the machine has kept for a second come at once.
    let most = 120.0 * (began.elapsed().as_secs_f64() + 1.0);
    assert!(since <= most, "{since} bytes where the line carries {most}");
    assert!(bed.is_honest());
    eventually(SOON * 2, || number(&bed, "/Polled/Utilisation").is_some_and(|percent| percent >= 80.0));
}

/// Whatever a device does for good instead of answering, after a while nothing is shown of it, and everything when it is over.
#[test]
fn trouble_that_does_not_end_is_shown_as_nothing_and_its_end_as_what_is() {
    for (way, trouble) in [
        (Way::Serial, "silence"),
        (Way::Serial, "exception code=4"),
        (Way::Serial, "foreign"),
        (Way::Tcp, "exception code=6"),
        (Way::RtuOverTcp, "late ms=20000"),
    ] {
        let mut bed = Bed::simulated(way);
        bed.order(&format!("fault {trouble}"));
        eventually(SOON * 6, || {
            bed.is_honest();
            bed.bus.get_value(&bed.unit, "/Yield/Power").is_ok_and(|shown| shown.is_null())
        });
        bed.order("clear");
        eventually(SOON * 6, || {
            bed.is_honest() && bed.bus.get_value(&bed.unit, "/Yield/Power") == Ok(json!(3_000.0))
        });
    }
}

/// There an answer has no number, and the gateway in between keeps it as long as it likes.
#[test]
fn no_answer_of_another_moment_or_unit_is_believed_on_a_serial_line_in_tcp() {
    Bed::simulated(Way::RtuOverTcp).survives_all(&[
        "late ms=4000 count=2",
        "doubled",
        "foreign count=5",
        "badcrc count=3",
        "garbage hex=01030201 count=3",
        "truncated n=9 count=3",
        "exception code=4 count=20",
        "silence count=3",
    ]);
}

/// Any faults in any order while the sun changes: what is shown is how it is, or how it was.
#[track_caller]
fn honest_whatever_comes(way: Way) {
    let kinds = ["silence", "late", "foreign", "doubled", "exception", "badcrc", "garbage", "truncated"];
    let fault = (sample::select(kinds.to_vec()), 1..4_u32, 0..3_u32, 200..2_500_u32);
    let faults = collection::vec(fault, 1..4);
    let (mut bed, mut runner) = (Bed::simulated(way), TestRunner::default());
    let mut sun = [3_000.0; 2];
    for n in 0..6_u8 {
        let faults = faults.new_tree(&mut runner).expect("faults").current();
        sun = [sun[1], 1_000.0 + 300.0 * f64::from(n)];
        for (kind, count, after, ms) in &faults {
            bed.order(&format!("fault {kind} count={count} after={after} ms={ms} n=6 hex=0103"));
        }
        bed.order(&format!("set sun_w={}", sun[1]));
        for _ in 0..80 {
            assert!(bed.shows(sun), "{faults:?}");
        }
        bed.order("clear");
        eventually(SOON * 2, || {
            let shown = bed.bus.get_value(&bed.unit, "/Yield/Power").unwrap_or_default();
            assert!(bed.shows(sun), "{shown} after {faults:?}");
            shown.as_f64().is_some_and(|watts| (watts - sun[1]).abs() <= 5.0)
        });
    }
}

#[test]
fn any_faults_in_any_order_are_survived_on_tcp() {
    honest_whatever_comes(Way::Tcp);
}

#[test]
fn any_faults_in_any_order_are_survived_on_a_serial_line() {
    honest_whatever_comes(Way::Serial);
}

#[test]
fn any_faults_in_any_order_are_survived_on_a_serial_line_in_tcp() {
    honest_whatever_comes(Way::RtuOverTcp);
}

/// The device serves one client, and somebody else is that one when ours comes back.
#[test]
fn a_device_with_another_client_is_found_again_when_that_has_gone() {
    let mut bed = Bed::simulated(Way::Tcp);
    let is_connected = |bed: &Bed, value: i64| {
        bed.bus.get_value(&bed.unit, "/Connected").is_ok_and(|connected| connected == json!(value))
    };
    bed.device.write_line("inverter unplug");
    bed.device.wait_for_line("modbus0 unplugged", SOON);
    eventually(SOON * 3, || is_connected(&bed, 0));
    let place: Vec<&str> = bed.unit.rsplit('_').collect();
    let address = format!("127.0.0.1:{}", place.get(1).expect("a port"));
    // Connections are taken in the order in which they come: ours may be the first, and then it is closed again.
    bed.device.write_line("inverter plug");
    let other = eventually_some(SOON, || TcpStream::connect(&address).ok());
    bed.device.wait_for_line("modbus0 ready", SOON);
    bed.is_honest();
    drop(other);
    eventually(SOON * 3, || is_connected(&bed, 1));
    bed.is_honest();
}

#[test]
fn a_host_that_went_away_is_found_again() {
    for way in [Way::Tcp, Way::RtuOverTcp] {
        let mut bed = Bed::simulated(way);
        bed.device.write_line("inverter unplug");
        bed.device.wait_for_line("modbus0 unplugged", SOON);
        eventually(SOON * 3, || {
            bed.bus.get_value(&bed.unit, "/Connected").is_ok_and(|value| value == json!(0))
        });
        eventually(SOON, || bed.bus.get_value(&bed.unit, "/Yield/Power") == Ok(json!(null)));
        bed.device.write_line("inverter plug");
        bed.device.wait_for_line("modbus0 ready", SOON);
        eventually(SOON * 2, || {
            bed.bus.get_value(&bed.unit, "/Yield/Power").is_ok_and(|shown| shown.is_number())
        });
        bed.is_honest();
    }
}

/// How it is heard, and what can be set, is on the bus as the lists of paths say; and for people too.
#[test]
fn what_is_polled_and_controlled_stands_in_the_lists_and_in_the_status() {
    let bed = Bed::simulated_with(Way::Serial, "control = \"on\"\n");
    let lists = [
        include_str!("../../../dbus-interfaces/xml/org.busbar.polled.paths"),
        include_str!("../../../dbus-interfaces/xml/org.busbar.control.paths"),
    ];
    let rows = lists.iter().flat_map(|list| list.lines().filter(|line| !line.starts_with('#')));
    let known: Vec<[&str; 2]> =
        rows.filter_map(|row| row.split('\t').collect::<Vec<_>>().first_chunk::<2>().copied()).collect();
    let items =
        bed.bus.busctl(&["call", &bed.unit, "/", "com.victronenergy.BusItem", "GetItems"]).expect("items");
    let items = items[0].as_object().expect("items").clone();
    let mut count = 0;
    for (path, item) in
        items.iter().filter(|(path, _)| path.starts_with("/Polled/") || path.starts_with("/Control/"))
    {
        count += 1;
        let plain: Vec<&str> =
            path.split('/').map(|part| if part.parse::<u16>().is_ok() { "#" } else { part }).collect();
        let row = known.iter().find(|[listed, _]| *listed == plain.join("/"));
        let [_, signature] = row.unwrap_or_else(|| panic!("{path} is in no list"));
        let fits = match *signature {
            "s" => item["Value"].is_string(),
            "as" => item["Value"].as_array().is_some_and(|words| words.iter().all(|word| word.is_string())),
            _ => item["Value"].is_number(),
        };
        assert!(fits || item["Value"] == json!([]), "{path} is {}", item["Value"]);
    }
    assert!(count > 20, "{count}");
    for path in ["/Polled/Utilisation", "/Polled/Requests", "/Polled/Block/0/Age", "/Polled/Block/0/Period"] {
        eventually(SOON, || bed.bus.get_value(&bed.unit, path).is_ok_and(|value| value.is_number()));
    }
    eventually(SOON, || {
        let status = bed.bus.command(testbed::executable("busbar")).arg("status").output().expect("an end");
        let status = String::from_utf8_lossy(&status.stdout).into_owned();
        println!("{status}");
        status.contains("profile deye-one-phase") && status.contains("line busy")
    });
}

#[test]
fn a_port_that_is_pulled_is_found_again() {
    let mut bed = Bed::simulated(Way::Serial);
    bed.device.write_line("inverter unplug");
    bed.device.wait_for_line("modbus0 unplugged", SOON);
    eventually(Duration::from_secs(40), || {
        bed.bus.get_value(&bed.unit, "/Connected").is_ok_and(|value| value == json!(0))
    });
    bed.device.write_line("inverter plug");
    bed.device.wait_for_line("modbus0 ready", SOON);
    eventually(SOON, || bed.bus.get_value(&bed.unit, "/Yield/Power").is_ok_and(|shown| shown.is_number()));
    bed.is_honest();
}

#[test]
fn a_device_of_pymodbus_is_shown_as_its_makers_table_says() {
    let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("../inverter-modbus/tests/images");
    let image = images.join("sungrow-sh.toml");
    let mut device = Process::spawn(client_script("modbus.py").args(["serve", "127.0.0.1:0"]).arg(image));
    let line = device.wait_for_line("serving", SOON);
    let port = line.rsplit(':').next().expect("a port").to_owned();
    let lead = format!("host = \"127.0.0.1\"\ntcp_port = {port}\ncontrol = \"on\"\n");
    let mut bed = Bed::start(folder(), device, "sungrow-sh", &lead, &format!("tcp_127_0_0_1_{port}"));
    for (path, value) in [
        ("/Serial", json!("A2301234567")),
        ("/Dc/0/Voltage", json!(256.1)),
        ("/Dc/0/Current", json!(-12.3)),
        ("/Dc/0/Power", json!(-3150.0)),
        ("/Yield/Power", json!(65700.0)),
        ("/Ac/In/1/L1/P", json!(-2000.0)),
        ("/Ac/In/1/L2/P", json!(-4000.0)),
        ("/Ac/Out/L2/P", json!(310.0)),
    ] {
        let mut shown = json!(null);
        eventually(SOON, || {
            shown = bed.bus.get_value(&bed.unit, path).unwrap_or_default();
            shown == value
        });
    }
    // A set point arrives as the table has it: 1500 W in steps of 10 W.
    assert_eq!(bed.bus.set_value(&bed.unit, "/Control/ChargePowerLimit", &["d", "1500"]), Ok(0));
    let written = bed.device.wait_for_line("written", SOON);
    assert!(written.ends_with(" 33046 150"), "{written}");
}
