//! Writes to a device that takes registers only one by one.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use inverter_modbus::device::access::{Access, Fault};
use inverter_modbus::engine::encode::Written;
use inverter_modbus::library::Library;
use inverter_modbus::line::Line;
use inverter_modbus::line::address::{Address, Framing};
use inverter_modbus::profile::scalar::Table;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::timeout;

const LONG: Duration = Duration::from_secs(20);
const SINGLE: u8 = 6;
const MULTIPLE: u8 = 16;

/// Model 123 from `WMaxLimPct` on: 60 %, at once, for two minutes, without a ramp, and that it counts.
fn limit() -> Vec<Written> {
    vec![Written {
        table: Table::Holding,
        addr: 40_245,
        values: vec![60, 0, 120, 0, 1],
        masks: vec![u16::MAX; 5],
    }]
}

/// A device on Modbus TCP that refuses function 16 with `code`, and function 6 from `refused` on; what it was asked by function,
/// address and value, and what came of `writes`.
async fn told(profile: &str, code: u8, refused: u16) -> (Result<(), Fault>, Vec<(u8, u16, u16)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let address = Address::Tcp { host: "127.0.0.1".into(), port, framing: Framing::Tcp };
    let access = Access::new(Line::start(address, None, 1), 1, &Library::new(None).get(profile).unwrap());
    let mut asked = Vec::new();
    let device = async {
        let mut stream = listener.accept().await.unwrap().0;
        loop {
            let mut head = [0; 8];
            if stream.read_exact(&mut head).await.is_err() {
                return;
            }
            // Address, and value or count; what else there is of function 16 is of no interest.
            let mut body = [0; 4];
            stream.read_exact(&mut body).await.unwrap();
            let rest = usize::from(u16::from_be_bytes([head[4], head[5]])) - 2 - body.len();
            stream.read_exact(&mut vec![0; rest]).await.unwrap();
            let (function, addr) = (head[7], u16::from_be_bytes([body[0], body[1]]));
            asked.push((function, addr, u16::from_be_bytes([body[2], body[3]])));
            let is_taken = function == SINGLE && addr < refused;
            let answer =
                if is_taken { [&[function][..], &body].concat() } else { vec![function | 0x80, code] };
            let length = u16::try_from(answer.len() + 1).unwrap().to_be_bytes();
            let frame = [&head[..4], &length, &[1], &answer].concat();
            stream.write_all(&frame).await.unwrap();
        }
    };
    let writes = limit();
    let writing = timeout(LONG, access.write(&writes));
    let outcome = tokio::select! {
        outcome = writing => outcome.unwrap(),
        () = device => panic!("the connection has ended"),
    };
    (outcome, asked)
}

#[tokio::test]
async fn a_device_that_refuses_them_together_gets_them_one_by_one_and_what_makes_them_count_last() {
    let single = [(40_245, 60), (40_246, 0), (40_247, 120), (40_248, 0), (40_249, 1)];
    let mut should = vec![(MULTIPLE, 40_245, 5)];
    should.extend(single.map(|(addr, value)| (SINGLE, addr, value)));
    for code in [1, 2] {
        assert_eq!(told("sunspec-inverter", code, u16::MAX).await, (Ok(()), should.clone()));
    }
}

#[tokio::test]
async fn what_it_refuses_one_by_one_too_has_failed_and_does_not_count() {
    let (outcome, asked) = told("sunspec-inverter", 2, 40_247).await;
    assert_eq!(outcome, Err(Fault::Exception(2)));
    assert_eq!(asked.last(), Some(&(SINGLE, 40_247, 120)));
}

#[tokio::test]
async fn a_value_that_is_refused_is_not_tried_otherwise_and_other_makes_are_not_either() {
    assert_eq!(
        told("sunspec-inverter", 3, u16::MAX).await,
        (Err(Fault::Exception(3)), vec![(MULTIPLE, 40_245, 5)])
    );
    assert_eq!(
        told("deye-one-phase", 1, u16::MAX).await,
        (Err(Fault::Exception(1)), vec![(MULTIPLE, 40_245, 5)])
    );
}
