//! An slcan adapter that refuses, on a real pseudo-terminal.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use bms_can::transports::slcan::Slcan;
use bms_can::transports::slcan_command::BitRate;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use tokio::time::timeout;

const DEADLINE: Duration = Duration::from_secs(20);

/// An adapter that has no such bit rate. What it is told comes out of the channel, command by command.
fn adapter() -> (PathBuf, mpsc::Receiver<String>) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
    grantpt(&master).expect("granted");
    unlockpt(&master).expect("unlocked");
    let name = ptsname(&master, Vec::new()).expect("a name");
    let (to_test, commands) = mpsc::channel();
    thread::spawn(move || {
        let (mut port, mut byte, mut line) = (File::from(master), [0], String::new());
        // Until the test closes the other end.
        while port.read_exact(&mut byte).is_ok() {
            if byte != *b"\r" {
                line.extend(byte.map(char::from));
                continue;
            }
            let answer: &[u8] = match line.as_str() {
                "" | "C" => b"\r",
                "V" => b"V1013\r",
                _ => b"\x07",
            };
            if port.write_all(answer).is_err() || to_test.send(std::mem::take(&mut line)).is_err() {
                return;
            }
        }
    });
    (PathBuf::from(OsString::from_vec(name.into_bytes())), commands)
}

#[tokio::test]
async fn an_adapter_that_refuses_the_bit_rate_is_told_with_the_command_and_what_to_do() {
    let (path, commands) = adapter();
    let mut link = Slcan::new(path, 115_200, BitRate::K500, false, 1);
    let mut frames = Vec::new();
    let refused = async {
        while link.health().trouble.is_none() {
            link.next(&mut frames).await;
        }
    };
    timeout(DEADLINE, refused).await.expect("it is told");
    let trouble = link.health().trouble.clone().unwrap_or_default();
    assert!(trouble.contains("refuses bit_rate 500000 (command S6): set a bit_rate"), "{trouble}");
    let told: Vec<String> = (0..5).filter_map(|_| commands.recv_timeout(DEADLINE).ok()).collect();
    assert_eq!(told, ["", "", "", "C", "S6"]);
}
