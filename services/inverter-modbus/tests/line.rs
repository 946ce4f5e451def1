//! Requests on real connections: answers that belong to them, and those that do not.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::time::Duration;

use inverter_modbus::line::address::{Address, Framing};
use inverter_modbus::line::{Ask, Line, NoAnswer, Turn};
use inverter_modbus::modbus::pdu::{Answer, Request};
use inverter_modbus::modbus::rtu;
use inverter_modbus::profile::scalar::Table;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

const LONG: Duration = Duration::from_secs(20);

fn ask(addr: u16, timeout_ms: u64) -> Ask {
    Ask {
        unit: 1,
        request: Request::Read { table: Table::Holding, addr, count: 1 },
        timeout: Duration::from_millis(timeout_ms),
        gap: Duration::ZERO,
        turn: Turn::Now,
    }
}

async fn line(framing: Framing) -> (Line, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (Line::start(Address::Tcp { host: "127.0.0.1".into(), port, framing }, None, 1), listener)
}

async fn accept(listener: &TcpListener) -> TcpStream {
    timeout(LONG, listener.accept()).await.unwrap().unwrap().0
}

/// The next request of Modbus TCP: its transaction and address.
async fn request(stream: &mut TcpStream) -> (u16, u16) {
    let mut bytes = [0; 12];
    timeout(LONG, stream.read_exact(&mut bytes)).await.unwrap().unwrap();
    (u16::from_be_bytes([bytes[0], bytes[1]]), u16::from_be_bytes([bytes[8], bytes[9]]))
}

fn answer(transaction: u16, unit: u8, value: u16) -> Vec<u8> {
    let [t1, t0] = transaction.to_be_bytes();
    let [v1, v0] = value.to_be_bytes();
    vec![t1, t0, 0, 0, 0, 5, unit, 3, 2, v1, v0]
}

#[tokio::test]
async fn answers_of_another_unit_or_transaction_are_passed_over() {
    let (line, listener) = line(Framing::Tcp).await;
    let device = async {
        let mut stream = accept(&listener).await;
        let (transaction, addr) = request(&mut stream).await;
        for wrong in [answer(transaction, 2, 1), answer(transaction.wrapping_sub(1), 1, 2)] {
            stream.write_all(&wrong).await.unwrap();
        }
        stream.write_all(&answer(transaction, 1, addr)).await.unwrap();
        stream
    };
    let (answered, _stream) = tokio::join!(line.ask(ask(77, 10_000)), device);
    assert_eq!(answered, Ok(Answer::Values(vec![77])));
}

#[tokio::test]
async fn after_silence_the_next_request_goes_on_another_connection() {
    let (line, listener) = line(Framing::Tcp).await;
    let device = async {
        let mut late = accept(&listener).await;
        let (transaction, _) = request(&mut late).await;
        let mut stream = accept(&listener).await;
        let (next, addr) = request(&mut stream).await;
        assert_ne!(next, transaction, "some gateways pass a late answer on to the next connection");
        let _ = late.write_all(&answer(transaction, 1, 666)).await;
        stream.write_all(&answer(next, 1, addr)).await.unwrap();
        stream
    };
    let asking = async {
        assert_eq!(line.ask(ask(1, 100)).await, Err(NoAnswer::Silence));
        line.ask(ask(2, 10_000)).await
    };
    let (answered, _stream) = tokio::join!(asking, device);
    assert_eq!(answered, Ok(Answer::Values(vec![2])));
    assert_eq!(line.figures().silences, 1);
}

#[tokio::test]
async fn a_connection_that_the_other_end_closes_is_made_again() {
    let (line, listener) = line(Framing::Tcp).await;
    drop(accept(&listener).await);
    let device = async {
        let mut stream = accept(&listener).await;
        let (transaction, addr) = request(&mut stream).await;
        stream.write_all(&answer(transaction, 1, addr)).await.unwrap();
        stream
    };
    let asking = async {
        loop {
            // Until the new connection stands, there is no line.
            match line.ask(ask(5, 10_000)).await {
                Err(NoAnswer::NoLine(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
                answered => return answered,
            }
        }
    };
    let (answered, _stream) = timeout(LONG, async { tokio::join!(asking, device) }).await.unwrap();
    assert_eq!(answered, Ok(Answer::Values(vec![5])));
}

#[tokio::test]
async fn reads_wait_for_writes_and_the_more_urgent_go_first() {
    let (line, listener) = line(Framing::Tcp).await;
    let now = tokio::time::Instant::now();
    let turn = |addr, turn| Ask { turn, ..ask(addr, 10_000) };
    let (has_first, all_wait) = (Notify::new(), Notify::new());
    let device = async {
        let mut stream = accept(&listener).await;
        let mut order = Vec::new();
        for _ in 0..4 {
            let (transaction, addr) = request(&mut stream).await;
            if order.is_empty() {
                has_first.notify_one();
                all_wait.notified().await;
            }
            order.push(addr);
            stream.write_all(&answer(transaction, 1, addr)).await.unwrap();
        }
        order
    };
    let first = line.ask(turn(1, Turn::By(now)));
    let slow = line.ask(turn(2, Turn::By(now + Duration::from_secs(9))));
    let fast = line.ask(turn(3, Turn::By(now + Duration::from_secs(1))));
    let write = line.ask(turn(4, Turn::Now));
    let late = async {
        has_first.notified().await;
        // Each is asked in the order of this list, and then the device may answer the first.
        tokio::join!(biased; slow, fast, write, async { all_wait.notify_one() })
    };
    let (order, ..) = tokio::join!(device, first, late);
    assert_eq!(order, [1, 4, 3, 2]);
}

/// One who says nothing does not keep others waiting; one who has begun to speak does.
#[tokio::test]
async fn a_call_gives_way_to_whoever_needs_the_line_unless_its_answer_has_begun() {
    let least = Duration::from_millis(50);
    for framing in [Framing::Tcp, Framing::Rtu] {
        let (line, listener) = line(framing).await;
        let is_called = Notify::new();
        let call = |unit, timeout_ms| line.call(Ask { unit, ..ask(7, timeout_ms) }, least);
        let device = async {
            let mut called = accept(&listener).await;
            read_frame(&mut called, framing).await;
            is_called.notify_one();
            // After what was not answered the connection is another one.
            let mut stream = accept(&listener).await;
            let frame = read_frame(&mut stream, framing).await;
            stream.write_all(&framed(&frame, framing, 4)).await.unwrap();
            let frame = read_frame(&mut stream, framing).await;
            let answer = framed(&frame, framing, 8);
            let (begins, ends) = answer.split_at(4);
            stream.write_all(begins).await.unwrap();
            is_called.notify_one();
            // A device that pauses in its answer for longer than others are kept waiting for one that says nothing.
            tokio::time::sleep(2 * least).await;
            stream.write_all(ends).await.unwrap();
            let frame = read_frame(&mut stream, framing).await;
            stream.write_all(&framed(&frame, framing, 9)).await.unwrap();
            stream
        };
        let others = async {
            is_called.notified().await;
            let first = line.ask(ask(4, 20_000)).await;
            let again = async {
                is_called.notified().await;
                line.ask(ask(9, 20_000)).await
            };
            (first, tokio::join!(call(1, 60_000), again))
        };
        let all = async { tokio::join!(call(9, 60_000), others, device) };
        let (silent, (first, (begun, second)), _stream) = timeout(LONG, all).await.unwrap();
        assert!(matches!(silent, Err(NoAnswer::GaveWay(after)) if after >= least), "{silent:?}");
        let value = |value| Ok(Answer::Values(vec![value]));
        assert_eq!((first, begun, second), (value(4), value(8), value(9)), "{framing:?}");
    }
}

#[tokio::test]
async fn a_call_that_nobody_disturbs_waits_as_long_as_it_may() {
    let (line, listener) = line(Framing::Tcp).await;
    let called = line.call(ask(7, 200), Duration::from_millis(20));
    let (called, _stream) = timeout(LONG, async { tokio::join!(called, accept(&listener)) }).await.unwrap();
    assert_eq!(called, Err(NoAnswer::Silence));
}

/// A request for one register, whole.
async fn read_frame(stream: &mut TcpStream, framing: Framing) -> Vec<u8> {
    let mut bytes = vec![0; if framing == Framing::Tcp { 12 } else { 8 }];
    timeout(LONG, stream.read_exact(&mut bytes)).await.unwrap().unwrap();
    bytes
}

/// The answer of the unit that was asked.
fn framed(request: &[u8], framing: Framing, value: u16) -> Vec<u8> {
    let [v1, v0] = value.to_be_bytes();
    if framing == Framing::Tcp {
        return answer(u16::from_be_bytes([request[0], request[1]]), request[6], value);
    }
    let pdu = [request[0], 3, 2, v1, v0];
    [&pdu[..], &rtu::crc(&pdu).to_le_bytes()].concat()
}

#[tokio::test]
async fn a_serial_frame_on_tcp_is_found_behind_garbage_and_broken_ones_are_not_taken() {
    let (line, listener) = line(Framing::Rtu).await;
    let device = async {
        let mut stream = accept(&listener).await;
        let mut bytes = [0; 8];
        stream.read_exact(&mut bytes).await.unwrap();
        assert_eq!(bytes.to_vec(), rtu::request(1, &ask(9, 1).request));
        let frame = |bytes: &[u8], spoil: u8| {
            let crc = rtu::crc(bytes).to_le_bytes();
            [bytes, &[crc[0] ^ spoil, crc[1]]].concat()
        };
        let parts = [
            vec![0, 0xFF],
            frame(&[2, 3, 2, 0, 1], 0),
            frame(&[1, 3, 2, 0, 2], 1),
            frame(&[1, 4, 2, 0, 3], 0),
            frame(&[1, 3, 2, 0, 4], 0),
        ];
        stream.write_all(&parts.concat()).await.unwrap();
        stream
    };
    let (answered, _stream) = tokio::join!(line.ask(ask(9, 10_000)), device);
    assert_eq!(answered, Ok(Answer::Values(vec![4])));
}

#[tokio::test]
async fn nobody_there_is_said_and_not_waited_for() {
    let (line, listener) = line(Framing::Tcp).await;
    drop(listener);
    let answered = timeout(LONG, line.ask(ask(1, 10_000))).await.unwrap();
    assert!(matches!(answered, Err(NoAnswer::NoLine(_))), "{answered:?}");
}

#[tokio::test]
async fn requests_of_others_take_turns_with_reads() {
    let (line, listener) = line(Framing::Tcp).await;
    let device = async {
        let mut stream = accept(&listener).await;
        let mut order = Vec::new();
        for _ in 0..6 {
            let (transaction, addr) = request(&mut stream).await;
            order.push(addr);
            stream.write_all(&answer(transaction, 1, addr)).await.unwrap();
        }
        order
    };
    let guest = |addr: u8| line.ask_for_another(1, 3, vec![0, addr, 0, 1], LONG);
    let due = Turn::By(Instant::now());
    let device_reads = async {
        for addr in [9, 10, 11] {
            let read = line.ask(Ask { turn: due, ..ask(addr, 20_000) }).await;
            assert_eq!(read, Ok(Answer::Values(vec![addr])));
        }
    };
    let (order, first, second, third, ()) = tokio::join!(device, guest(1), guest(2), guest(3), device_reads);
    let is_guest = |addr: &u16| *addr < 9;
    assert!(order.windows(2).all(|two| !two.iter().all(is_guest)), "{order:?}");
    for (addr, answer) in [(1, first), (2, second), (3, third)] {
        assert_eq!(answer, Ok(Answer::Raw(vec![2, 0, addr])));
    }
}

#[tokio::test]
async fn a_function_that_nobody_knows_is_answered_when_nothing_more_comes_and_an_echo_is_no_answer() {
    let (line, listener) = line(Framing::Rtu).await;
    let framed = |pdu: &[u8]| {
        let (function, data) = pdu.split_first().unwrap();
        rtu::request(1, &Request::Raw { function: *function, data: data.to_vec() })
    };
    let device = async {
        let mut stream = accept(&listener).await;
        for answer in [&[0x41, 7, 8, 9][..], &[0xC1, 1]] {
            let mut asked = [0; 5];
            timeout(LONG, stream.read_exact(&mut asked)).await.unwrap().unwrap();
            assert_eq!(asked[..], framed(&[0x41, 1]));
            stream.write_all(&[&asked[..], &framed(answer)].concat()).await.unwrap();
        }
    };
    let client = async {
        let answer = line.ask_for_another(1, 0x41, vec![1], LONG).await;
        (answer, line.ask_for_another(1, 0x41, vec![1], LONG).await)
    };
    let ((), (answered, refused)) = tokio::join!(device, client);
    assert_eq!(answered, Ok(Answer::Raw(vec![7, 8, 9])));
    assert_eq!(refused, Ok(Answer::Exception(1)));
}
