//! `candump -L can0 | busbar decode -`: frames are seen when they come, not when the recording ends.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use testbed::executable;

const DEADLINE: Duration = Duration::from_secs(20);

#[test]
fn a_frame_is_printed_while_the_pipe_stays_open() {
    let mut child = Command::new(executable("busbar"))
        .args(["decode", "-", "--protocol", "pylontech_lv"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("busbar starts");
    let mut input = child.stdin.take().expect("its input");
    let output = BufReader::new(child.stdout.take().expect("its output"));
    let (to_test, lines) = mpsc::channel();
    thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| to_test.send(line)));
    for (frame, words) in [
        ("(1.000000) can0 351#1402740E740ECC01", "charge_voltage_limit_v 53.2"),
        ("(2.000000) can0 355#1A006400", "soc"),
    ] {
        writeln!(input, "{frame}").expect("it reads");
        let line = lines.recv_timeout(DEADLINE).expect("it prints");
        assert!(line.contains(words), "{line}");
    }
    drop(input);
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn a_recording_that_cannot_be_read_is_named_once_with_its_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("text");
    let output = Command::new(executable("busbar")).args(["decode", path]).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert_eq!((said.matches(path).count(), said.matches("directory").count()), (1, 1), "{said}");
}
