use std::io::{self, BufReader, Read};
use std::time::Duration;

use bms_can::candump::{Entry, Interface, LineError, ReadError, entries, parse};
use bms_can::frame::{CanId, Frame};

use crate::support::{extended, frame};

fn read(line: &str) -> Entry {
    parse(line).unwrap().unwrap()
}

#[test]
fn both_formats_are_read() {
    let log = read("(1690000000.000000) can0 351#14020000");
    assert_eq!(log.timestamp, Some(Duration::from_secs(1_690_000_000)));
    assert_eq!(log.interface.as_str(), "can0");
    assert_eq!(log.frame, frame(0x351, &[0x14, 2, 0, 0]));
    let console = read("  can0  351   [4]  14 02 00 00");
    assert_eq!((console.timestamp, console.frame), (None, log.frame));
}

#[test]
fn the_options_of_candump_are_read_too() {
    let expected = frame(0x351, &[0x14, 2]);
    for line in [
        " (1690000000.123456)  can0  351   [2]  14 02",
        "  can0  351   [2]  14 02   '..'",
        " (2023-07-22 10:00:00.1)  can0  351   [2]  14 02",
        " (000.000123)  can0  RX - -  351   [2]  14 02",
        "  can0  TX B E  351   [2]  14 02   '..'",
        "(1690000000.123456) can0 351#1402 R",
        "(1690000000.123456) can0 351#1402 T",
        "can0 351#1402",
        "(1690000000.5)\tcan0\t351#1402\r\n",
    ] {
        assert_eq!(read(line).frame, expected, "{line}");
    }
    assert_eq!(read("(1.5) can0 351#1402").timestamp, Some(Duration::from_millis(1500)));
    assert_eq!(read("(1.000001) can0 351#").frame, frame(0x351, &[]));
    assert_eq!(
        read("can0 351#1122334455667788_B").frame,
        frame(0x351, &[0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88])
    );
}

#[test]
fn extended_ids_have_eight_digits() {
    assert_eq!(read("(1.0) can0 00004355#1A00").frame, extended(0x4355, &[0x1A, 0]));
    assert_eq!(read("  can0  00004355   [2]  1A 00").frame, extended(0x4355, &[0x1A, 0]));
    assert_eq!(parse("(1.0) can0 800#"), Err(LineError::Identifier));
    assert_eq!(parse("(1.0) can0 FFFFFFFFF#"), Err(LineError::Identifier));
    assert_eq!(parse("(1.0) can0 C0000000#"), Err(LineError::Identifier));
}

#[test]
fn remote_requests_are_read() {
    let id = CanId::standard(0x351).unwrap();
    assert_eq!(read("(1.0) can0 351#R").frame, Frame::remote(id, 0).unwrap());
    assert_eq!(read("(1.0) can0 351#R8").frame, Frame::remote(id, 8).unwrap());
    assert_eq!(read("  can0  351   [3]  remote request").frame, Frame::remote(id, 3).unwrap());
    assert_eq!(parse("(1.0) can0 351#R9"), Err(LineError::Data));
}

#[test]
fn what_is_no_frame_is_refused_with_its_reason() {
    for (line, why) in [
        ("(1.0) can0 123##112233", LineError::CanFd),
        ("  can0  123  [08]  11 22 33 44 55 66 77 88", LineError::CanFd),
        ("(1.0) can0 20000004#0004000000000000", LineError::ErrorFrame),
        ("  can0  20000004   [8]  00 04 00 00 00 00 00 00   ERRORFRAME", LineError::ErrorFrame),
        ("(1.0) can0 351#1", LineError::Data),
        ("(1.0) can0 351#112233445566778899", LineError::Data),
        ("(1.0) can0 351#1G", LineError::Data),
        ("  can0  351   [2]  14", LineError::Data),
        ("  can0  351   [1]  14 02", LineError::Data),
        ("  can0  351   [9]  14", LineError::Data),
        ("  can0  351   [1]  +4", LineError::Data),
        ("(1.0) can0 +51#", LineError::Identifier),
        ("(yesterday) can0 351#14", LineError::Time),
        ("(2023-07-32 10:00:00.000000) can0 351#14", LineError::Time),
        ("(1.0 can0 351#14", LineError::NotCandump),
        ("(1.0) can0", LineError::NotCandump),
        ("(1.0) can0 351#14 what is this", LineError::NotCandump),
        ("hello", LineError::NotCandump),
        ("(1.0) a_name_too_long_for_linux 351#14", LineError::NotCandump),
    ] {
        assert_eq!(parse(line), Err(why), "{line}");
    }
}

#[test]
fn blank_lines_and_comments_are_passed_over_and_lines_are_counted() {
    let text = "# recorded on the roof\n\n(1.0) can0 351#14\nrubbish\n; more\n(2.0) can0 355#1A00";
    let read: Vec<_> = entries(text.as_bytes()).collect();
    assert_eq!(read.len(), 3);
    assert_eq!(read[0].as_ref().unwrap().line, 3);
    assert_eq!(
        read[1].as_ref().unwrap_err().to_string(),
        "line 4: this is no line of candump: (time) can0 351#1402… or can0 351 [8] 14 02 …"
    );
    assert_eq!(read[2].as_ref().unwrap().line, 6);
}

#[test]
fn times_since_the_last_frame_add_up_to_a_time() {
    let text =
        " (000.000000)  can0  351   [0]\n (000.250000)  can0  355   [0]\n (000.000500)  can0  356   [0]\n";
    let times: Vec<f64> =
        entries(text.as_bytes()).map(|read| read.unwrap().entry.timestamp.unwrap().as_secs_f64()).collect();
    assert_eq!(times, [0.0, 0.25, 0.2505]);
}

#[test]
fn a_file_that_is_no_recording_costs_little_memory() {
    let mut noise = vec![b'x'; 10_000_000];
    noise.extend_from_slice(b"\n(1.0) can0 351#14\n\xFF\xFE\n");
    let read: Vec<_> = entries(noise.as_slice()).collect();
    assert!(matches!(read[0], Err(ReadError::Line { line: 1, why: LineError::TooLong })));
    assert_eq!(read[1].as_ref().unwrap().line, 2);
    assert!(matches!(read[2], Err(ReadError::Line { line: 3, why: LineError::NotText })));
    assert_eq!(read.len(), 3);
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the disk is gone"))
    }
}

#[test]
fn a_broken_file_ends_the_reading_with_its_reason() {
    let text = b"(1.0) can0 351#14\n";
    let mut read = entries(BufReader::new(text.as_slice().chain(Broken)));
    assert!(read.next().unwrap().is_ok());
    let error = read.next().unwrap().unwrap_err();
    assert_eq!(error.to_string(), "after line 1: the disk is gone");
    assert!(std::error::Error::source(&error).is_none(), "who prints causes too would say it twice");
    assert!(read.next().is_none());
}

#[test]
fn lines_are_written_as_candump_writes_them() {
    let entry = |timestamp, frame| Entry { timestamp, interface: Interface::new("can0").unwrap(), frame };
    let now = Some(Duration::new(1_690_000_000, 123_456_000));
    let std = entry(now, frame(0x351, &[0x14, 2]));
    assert_eq!(std.log().to_string(), "(1690000000.123456) can0 351#1402");
    assert_eq!(std.console().to_string(), " (1690000000.123456)  can0  351   [2]  14 02");
    let ext = entry(None, extended(0x4355, &[0x1A]));
    assert_eq!(ext.log().to_string(), "(0000000000.000000) can0 00004355#1A");
    assert_eq!(ext.console().to_string(), "  can0  00004355   [1]  1A");
    let remote = entry(now, Frame::remote(CanId::standard(1).unwrap(), 8).unwrap());
    assert_eq!(remote.log().to_string(), "(1690000000.123456) can0 001#R8");
    assert_eq!(remote.console().to_string(), " (1690000000.123456)  can0  001   [8]  remote request");
}
