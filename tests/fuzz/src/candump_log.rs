//! A recording, line by line and as a whole.

use std::time::Duration;

use bms_can::candump::{Entry, ReadError, entries, parse};
use bms_can::decode_log::decode_log;

use crate::lines::assert_line;

/// A recording as the bytes of a file.
pub fn run(data: &[u8]) {
    let mut lines = 0;
    for entry in entries(data) {
        let line = match &entry {
            Ok(numbered) => {
                written_again(&numbered.entry);
                numbered.line
            }
            Err(error) => {
                assert_line(&error.to_string());
                match error {
                    ReadError::Line { line, .. } | ReadError::Io { line, .. } => *line,
                }
            }
        };
        assert!(line > lines, "lines are counted upwards");
        lines = line;
    }
    for protocol in [None, Some("victron")] {
        let Ok(log) = decode_log(data, protocol) else { panic!("victron is a dialect") };
        for record in log.flatten() {
            serde_json::to_string(&record).expect("a record is JSON");
        }
    }
    assert!(decode_log(data, Some("none")).is_err());
}

fn written_again(entry: &Entry) {
    // Both formats have microseconds.
    let micros = |time: Duration| Duration::new(time.as_secs(), time.subsec_micros() * 1_000);
    let entry = Entry { timestamp: entry.timestamp.map(micros), ..*entry };
    assert_eq!(parse(&entry.console().to_string()), Ok(Some(entry)));
    let timed = Entry { timestamp: Some(entry.timestamp.unwrap_or_default()), ..entry };
    assert_eq!(parse(&timed.log().to_string()), Ok(Some(timed)));
}
