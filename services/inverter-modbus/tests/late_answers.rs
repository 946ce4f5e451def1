//! Answers that come too late, on lines that do not say which request an answer belongs to: none is taken for another's.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use inverter_modbus::line::address::{Address, Framing};
use inverter_modbus::line::{Ask, Line, NoAnswer, Out, Turn};
use inverter_modbus::modbus::pdu::{Answer, Request};
use inverter_modbus::modbus::rtu;
use inverter_modbus::profile::scalar::Table;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

const LONG: Duration = Duration::from_secs(60);
/// The time that a request has.
const TIME: Duration = Duration::from_secs(2);
/// Later than that by as much as a busy machine may be late, and sooner than the time of two requests.
const LATE: Duration = Duration::from_secs(3);

fn ask(unit: u8, request: Request) -> Ask {
    Ask { unit, request, timeout: TIME, gap: Duration::from_millis(20), turn: Turn::Now }
}

fn read(addr: u16) -> Request {
    Request::Read { table: Table::Holding, addr, count: 1 }
}

fn write(value: u16) -> Request {
    Request::WriteRegisters { addr: 30, values: vec![value] }
}

fn values(value: u16) -> Result<Answer, NoAnswer> {
    Ok(Answer::Values(vec![value]))
}

/// What a device says to a request: each register holds its own address, and those from 500 on are not there.
fn answer(request: &[u8]) -> Vec<u8> {
    let addr = u16::from_be_bytes([request[2], request[3]]);
    let pdu = match request[1] {
        3 if addr >= 500 => vec![request[0], 0x83, 2],
        3 => vec![request[0], 3, 2, request[2], request[3]],
        _ => request[..6].to_vec(),
    };
    [&pdu[..], &rtu::crc(&pdu).to_le_bytes()].concat()
}

/// What a device does with a request.
#[derive(Debug, Clone, Copy)]
enum Does {
    Answers,
    /// And then the next one is answered only afterwards.
    AnswersLate,
    Nothing,
}

/// A line on a terminal with devices that do this, one request after the other, and answer all others at once.
fn serial(script: &[Does]) -> Line {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let path = PathBuf::from(OsString::from_vec(ptsname(&master, Vec::new()).unwrap().into_bytes()));
    let script = Mutex::new(script.iter().copied().collect::<VecDeque<_>>());
    thread::spawn(move || {
        let (mut port, mut request) = (File::from(master), vec![0; 8]);
        // Until the line is closed.
        while port.read_exact(&mut request).is_ok() {
            if request[1] == 16 {
                let mut values = vec![0; 3];
                port.read_exact(&mut values).unwrap();
            }
            match script.lock().unwrap().pop_front().unwrap_or(Does::Answers) {
                Does::Nothing => continue,
                // How slow the device is, and nothing that the test waits for.
                Does::AnswersLate => thread::sleep(LATE),
                Does::Answers => {}
            }
            if port.write_all(&answer(&request)).is_err() {
                return;
            }
        }
    });
    Line::start(Address::Serial { path, baud: 9600, character: Default::default() }, None, 1)
}

/// The terminal is there as soon as the line was opened for the first time.
async fn answered(line: &Line, ask: Ask) -> Result<Answer, NoAnswer> {
    timeout(LONG, line.ask(ask)).await.unwrap()
}

#[tokio::test]
async fn a_late_answer_on_a_serial_line_is_not_taken_for_other_registers() {
    let line = serial(&[Does::AnswersLate, Does::Answers, Does::Answers, Does::AnswersLate]);
    assert_eq!(answered(&line, ask(1, read(10))).await, Err(NoAnswer::Silence));
    assert_eq!(answered(&line, ask(1, read(20))).await, values(20));
    assert_eq!(answered(&line, ask(1, read(30))).await, values(30));
    // What is asked again takes the answer to the first, and the second is not taken for anything else.
    assert_eq!(answered(&line, ask(1, read(40))).await, Err(NoAnswer::Silence));
    assert_eq!(answered(&line, ask(1, read(40))).await, values(40));
    assert_eq!(answered(&line, ask(1, read(50))).await, values(50));
}

#[tokio::test]
async fn the_late_confirmation_of_a_value_does_not_confirm_the_next_value() {
    let line = serial(&[Does::AnswersLate, Does::Nothing]);
    assert_eq!(answered(&line, ask(1, write(1))).await, Err(NoAnswer::Silence));
    assert_eq!(answered(&line, ask(1, write(2))).await, Err(NoAnswer::Silence), "this one was lost");
    assert_eq!(answered(&line, ask(1, write(2))).await, Ok(Answer::Written));
}

#[tokio::test]
async fn a_device_that_is_silent_lets_the_others_of_the_line_go_first() {
    let line = serial(&[Does::Nothing]);
    assert_eq!(answered(&line, ask(1, read(10))).await, Err(NoAnswer::Silence));
    let order = Mutex::new(Vec::new());
    let asked = async |unit, addr| {
        assert_eq!(answered(&line, ask(unit, read(addr))).await, values(addr));
        order.lock().unwrap().push(unit);
    };
    tokio::join!(biased; asked(1, 20), asked(2, 20), asked(3, 20), asked(2, 30));
    assert_eq!(*order.lock().unwrap(), [2, 3, 2, 1]);
}

#[tokio::test]
async fn the_late_refusal_of_some_registers_is_not_that_of_others() {
    let line = serial(&[Does::AnswersLate]);
    assert_eq!(answered(&line, ask(1, read(500))).await, Err(NoAnswer::Silence));
    let two = Request::Read { table: Table::Holding, addr: 20, count: 2 };
    let first = answered(&line, ask(1, two)).await;
    assert!(!matches!(first, Ok(Answer::Exception(_))), "{first:?}");
    assert_eq!(answered(&line, ask(1, read(500))).await, Ok(Answer::Exception(2)), "its own is believed");
}

/// A gateway that passes bytes on to whoever is connected; the device behind it answers each request after this time.
async fn gateway(listener: TcpListener, delay: Duration) {
    let (on_their_way, mut answers) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let accept = async || listener.accept().await.unwrap().0;
    let (mut stream, mut next): (TcpStream, _) = (accept().await, None);
    let mut request = [0; 8];
    loop {
        tokio::select! {
            came = async { match &next { None => answers.recv().await, Some(_) => std::future::pending().await } } => next = came,
            () = async { match &next { Some((at, _)) => sleep_until(*at).await, None => std::future::pending().await } } => {
                let (_, answer) = next.take().unwrap();
                // Nobody may be connected.
                let _ = stream.write_all(&answer).await;
            }
            count = stream.read(&mut request) => match count {
                Ok(8) => on_their_way.send((Instant::now() + delay, answer(&request))).unwrap(),
                _ => stream = accept().await,
            },
        }
    }
}

#[tokio::test]
async fn behind_a_gateway_that_passes_bytes_on_a_late_answer_is_not_taken_for_other_registers_either() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let line = Line::start(Address::Tcp { host: "127.0.0.1".into(), port, framing: Framing::Rtu }, None, 1);
    let asking = async {
        for addr in [10, 20, 30, 40] {
            let mut attempts = [1, 2, 4].into_iter();
            loop {
                let patience = attempts.next().unwrap();
                match line.ask(Ask { timeout: TIME * patience, ..ask(1, read(addr)) }).await {
                    Err(NoAnswer::Silence) => {}
                    answered => break assert_eq!(answered, values(addr)),
                }
            }
        }
    };
    tokio::select! {
        () = gateway(listener, LATE) => panic!("it never ends"),
        done = timeout(LONG, asking) => done.unwrap(),
    }
}

/// A device that is off would keep the line for all the time that its answer may take.
#[tokio::test]
async fn a_read_of_a_device_that_is_off_gives_way_to_a_write_to_another_and_is_asked_again() {
    for silent in [Does::Nothing, Does::AnswersLate] {
        let line = serial(&[silent]);
        let long = |unit, request| Ask { timeout: LONG * 9, ..ask(unit, request) };
        let (out, told) = (Out::default(), async { answered(&line, long(1, write(7))).await });
        let looked = async { timeout(LONG, line.ask_again(long(2, read(10)), &out)).await.unwrap() };
        let (looked, told) = tokio::join!(biased; looked, told);
        assert_eq!(told, Ok(Answer::Written), "{silent:?}");
        assert_eq!(looked, values(10), "{silent:?}");
        assert_eq!(line.figures().silences, 1, "{silent:?}: it gave way once");
    }
}

#[tokio::test]
async fn of_two_last_words_that_to_a_device_that_was_silent_goes_last() {
    let line = serial(&[Does::Nothing, Does::Answers, Does::Nothing]);
    assert_eq!(answered(&line, ask(2, read(10))).await, Err(NoAnswer::Silence));
    let (silent, told) =
        tokio::join!(biased; answered(&line, ask(2, read(10))), answered(&line, ask(1, write(7))));
    assert_eq!((silent, told), (Err(NoAnswer::Silence), Ok(Answer::Written)));
}
