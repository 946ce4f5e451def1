//! A service that publishes under a known load, for the benchmark: `publish_load ADDRESS ITEMS CHANGING`.
//!
//! It prints `ready` when its name is taken. For each byte on standard input, a pipe, it changes that many items in one
//! update; at its end it prints `CPU_NS MESSAGES PRIVATE_KIB` of the time in which it published.

use std::os::fd::AsFd;

use dbus_interfaces::{BusAddress, Draft, Item, text};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;

/// Items as a class declares them: with paths that live as long as the program.
fn declared(count: usize) -> Vec<Item<f64>> {
    let path = |n| Box::leak(format!("/Bench/Value{n}").into_boxed_str());
    (0..count).map(|n| Item::new(path(n), text::VOLTS)).collect()
}

/// Time on a processor in nanoseconds, from the kernel's own account.
fn cpu_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or_default()
}

/// Memory that this process has for itself, in KiB; its code is shared with every other process of the executable.
fn private_kib() -> u64 {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    let lines = text.lines().filter(|line| line.starts_with("Private_Dirty"));
    lines.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, items, changing] = arguments.as_slice() else {
        return Err("usage: publish_load ADDRESS ITEMS CHANGING".into());
    };
    let (items, changing): (Vec<Item<f64>>, usize) = (declared(items.parse()?), changing.parse()?);
    let mut draft = Draft::new("com.victronenergy.battery.bench");
    for item in &items {
        draft.add(*item, 0.0);
    }
    let (service, _writes) = draft.publish(&BusAddress::At(address.clone())).await?;
    println!("ready");
    let mut ticks = Receiver::from_owned_fd(std::io::stdin().as_fd().try_clone_to_owned()?)?;
    let (start, mut messages, mut byte) = (cpu_ns(), 0_u32, [0]);
    while ticks.read(&mut byte).await? > 0 {
        messages += 1;
        service
            .update(|tx| {
                for item in items.iter().take(changing) {
                    tx.set(*item, f64::from(messages) * 0.01);
                }
            })
            .await?;
    }
    println!("{} {messages} {}", cpu_ns() - start, private_kib());
    Ok(())
}
