//! Each example of the guide to simulated inverters does what the guide says: its scenario runs, its commands are answered,
//! its programs find what stands there.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use testbed::bed::{SOON, busbar, folder};
use testbed::{Process, client_script};

const GUIDE: &str = include_str!("../../simulator/INVERTERS.md");

/// A fenced block: its language and its lines.
type Block = (String, String);

/// The blocks of each section that has any, with its heading.
fn sections() -> Vec<(String, Vec<Block>)> {
    let (mut sections, mut open): (Vec<(String, Vec<Block>)>, Option<Block>) = (Vec::new(), None);
    for line in GUIDE.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (Some(_), Some(_)) => sections.last_mut().expect("a heading").1.extend(open.take()),
            (Some((_, text)), None) => text.push_str(&format!("{line}\n")),
            (None, Some(language)) => open = Some((language.to_owned(), String::new())),
            (None, None) => {
                sections.extend(line.strip_prefix("## ").map(|title| (title.to_owned(), Vec::new())));
            }
        }
    }
    assert!(open.is_none(), "a block without an end");
    sections
}

/// In a folder and at a port of its own.
fn moved(text: &str, folder: &Path, port: u16) -> String {
    text.replace("/tmp/", &format!("{}/", folder.display())).replace("1502", &port.to_string())
}

/// A program of the guide, with what it has to say: `!` before what it complains of.
#[track_caller]
fn run(command: &str, expected: &[&str]) {
    let mut words = command.split_whitespace();
    assert_eq!(words.next(), Some("busbar"));
    let output = busbar().args(words).output().expect("an end");
    let text = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        text.lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n")
            .collect::<String>()
    };
    let (said, complained) = (text(&output.stdout), text(&output.stderr));
    for part in expected {
        match part.strip_prefix("! ") {
            Some(part) => {
                assert!(!output.status.success() && complained.contains(part), "{command}: {complained}")
            }
            None => assert!(output.status.success() && said.contains(part), "{command}: {said} {complained}"),
        }
    }
}

/// Types and runs what a dialog has, and hears what it says: each word of an answer of the simulator stands in its line.
#[track_caller]
fn act(simulator: &mut Process, dialog: &str) {
    let mut lines = dialog.lines().peekable();
    while let Some(line) = lines.next() {
        let mut answers = Vec::new();
        while let Some(answer) = lines.next_if(|next| !next.starts_with(['>', '$'])) {
            answers.push(answer);
        }
        match line.split_at(2) {
            ("> ", typed) => {
                simulator.write_line(typed);
                for answer in answers {
                    let (who, words) = answer.split_once(' ').unwrap_or((answer, ""));
                    let said = simulator.wait_for_line(who, SOON);
                    assert!(words.split_whitespace().all(|word| said.contains(word)), "{typed}: {said}");
                }
            }
            ("$ ", command) => run(command, &answers),
            _ => panic!("neither typed nor run: {line}"),
        }
    }
}

#[test]
fn every_example_of_the_guide_does_what_it_says() {
    let mut count = 0;
    for (title, blocks) in sections() {
        let folder = folder();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut simulator: Option<Process> = None;
        for (language, text) in blocks {
            let text = moved(&text, folder.path(), port);
            match (language.as_str(), &mut simulator) {
                ("toml", _) => {
                    let file = folder.path().join("scenario.toml");
                    std::fs::write(&file, &text).unwrap();
                    let started = Process::spawn_fed(busbar().arg("simulator").arg("--scenario").arg(file));
                    let simulator = simulator.insert(started);
                    simulator.wait_for_line("modbus0 ready", SOON);
                    count += 1;
                }
                ("text", Some(simulator)) => act(simulator, &text),
                ("python", Some(_)) => {
                    let python = client_script("modbus.py").get_program().to_owned();
                    let output = Command::new(python).args(["-c", &text]).output().expect("an end");
                    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                }
                (language, _) => panic!("{title}: {language}"),
            }
        }
    }
    assert_eq!(count, 6, "an example per use");
}
