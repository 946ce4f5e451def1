//! A simulated serial line minds the rate and parity that a program has set on its terminal.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test fails by panicking")]

use std::path::Path;
use std::time::Duration;

use service_kit::serial::{Character, Parity, Port};
use simulator::inverters::{InverterConfig, Running};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(30);
/// Unit 1, function 3: register 184, the state of charge of a Deye. With its checksum (MODBUS over Serial Line V1.02, 6.2.2).
const REQUEST: [u8; 8] = [0x01, 0x03, 0x00, 0xB8, 0x00, 0x01, 0x04, 0x2F];
/// 50 %.
const ANSWER: [u8; 7] = [0x01, 0x03, 0x02, 0x00, 0x32, 0x39, 0x91];

fn deye(link: &Path, more: &str) -> Running {
    let profile =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../inverter-modbus/profiles/deye-one-phase.toml");
    let text = format!("profile = {profile:?}\nlink = {link:?}\npaced = false\nsoc = 50.0\n{more}");
    let config: InverterConfig = toml::from_str(&text).unwrap();
    Running::start(&[config], |_| None).unwrap()
}

fn port(link: &Path, baud: u32, parity: Parity) -> Port {
    Port::open_as(link, baud, Character { parity, two_stop_bits: false }).unwrap()
}

/// What comes in the end, so many bytes.
async fn read(port: &mut Port, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    timeout(SOON, port.read_exact(&mut bytes)).await.unwrap_or_else(|_| panic!("nothing came")).unwrap();
    bytes
}

#[tokio::test]
async fn who_has_set_what_the_device_has_is_answered() {
    for (more, baud, parity) in [
        ("baud = 19200", 19_200, Parity::None),
        ("baud = 19200\nparity = \"even\"", 19_200, Parity::Even),
        ("parity = \"odd\"", 9_600, Parity::Odd),
        ("baud = 38400\nstop_bits = 2", 38_400, Parity::None),
        // Where nothing is said, or it is said that it does not matter, nothing matters.
        ("", 57_600, Parity::Odd),
        ("baud = 19200\nparity = \"even\"\nminds_rate = false", 9_600, Parity::None),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("rs485");
        let _running = deye(&link, more);
        let mut port = port(&link, baud, parity);
        port.write_all(&REQUEST).await.unwrap();
        assert_eq!(read(&mut port, ANSWER.len()).await, ANSWER, "{more}");
    }
}

/// An answer that was asked for at the right rate arrives when the program has gone on to another one.
#[tokio::test]
async fn what_a_device_says_at_another_rate_arrives_as_garbage() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("rs485");
    let mut running = deye(&link, "baud = 9600\nfaults = [\"late ms=5000 count=1\"]");
    let mut right = port(&link, 9_600, Parity::None);
    right.write_all(&REQUEST).await.unwrap();
    let heard = async {
        loop {
            let said = running.command(0, &["journal"]).unwrap();
            if said.contains("3:184:1") {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, heard).await.unwrap();
    drop(right);
    let mut wrong = port(&link, 19_200, Parity::None);
    let first = read(&mut wrong, 1).await;
    assert_ne!(first, [0x01], "each bit is heard twice");
}

#[test]
fn a_scenario_says_what_is_wrong_with_its_line() {
    let wrong = "profile = \"deye-one-phase\"\nlink = \"/tmp/x\"\n";
    for (more, part) in [("parity = \"mark\"", "parity"), ("baud = \"fast\"", "baud")] {
        let refused = toml::from_str::<InverterConfig>(&format!("{wrong}{more}")).unwrap_err();
        assert!(refused.to_string().contains(part), "{refused}");
    }
}
