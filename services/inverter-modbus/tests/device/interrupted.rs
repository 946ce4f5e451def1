//! A line that is cut and comes back while something waits for it.

use std::time::Duration;

use inverter_modbus::device::poll::{Device, Happened};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::exchange::{profile, registers, silent, write};
use super::slave::{LONG, Slave, access_at, until};

/// A line to who answers at a port, until it is dropped.
async fn cable(listener: TcpListener, port: u16) -> JoinSet<()> {
    let mut cable = JoinSet::new();
    cable.spawn(async move {
        // One client at a time, as with a device.
        while let Ok((mut near, _)) = listener.accept().await {
            let mut far = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            // Either end may close it.
            let _ = copy_bidirectional(&mut near, &mut far).await;
        }
    });
    cable
}

#[tokio::test]
async fn what_waited_when_the_line_was_cut_does_not_go_out_when_it_is_back() {
    let slave = Slave::with(&registers(0, 1));
    let port = slave.listen().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = listener.local_addr().unwrap();
    let line = cable(listener, port).await;
    let (access, profile) = access_at(near.port(), &profile(0), 5000);
    let mut device = Device::new(profile, access, true, Instant::now());
    until(&mut device, Device::is_whole).await;

    // While a read is under way, an order comes, and then the line is cut.
    slave.becomes(&silent(0));
    let before = slave.reads().len();
    while slave.reads().len() == before {
        // What is under way goes on at the next call.
        let _ = timeout(Duration::from_millis(10), device.happen()).await;
    }
    assert!(device.command(1, write()));
    drop(line);
    slave.becomes(&registers(0, 1));
    timeout(LONG, async { while device.happen().await != Happened::Unsent(1) {} }).await.unwrap();
    assert!(!device.command(2, write()), "nobody knows yet who is there");

    let _line = cable(TcpListener::bind(near).await.unwrap(), port).await;
    let before = slave.reads().len();
    until(&mut device, |_| slave.reads()[before..].contains(&(100, 1))).await;
    assert_eq!(slave.writes(), []);
    assert!(device.command(3, write()), "what is wanted now goes out");
    until(&mut device, |_| slave.writes() == [(10, vec![1])]).await;
}
