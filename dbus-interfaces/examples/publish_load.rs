//! A service that publishes under a known load, for the benchmark: `publish_load ADDRESS ITEMS CHANGING PER_SECOND SECONDS`.
//!
//! It prints `ready` when its name is taken, then `CPU_NS MESSAGES PRIVATE_KIB` of the time in which it published.

use std::time::Duration;

use dbus_interfaces::{BusAddress, Draft, Item, text};

const ITEM: Item<f64> = Item::new("/Bench/Value#", text::VOLTS);

/// Time on a processor in nanoseconds, from the kernel's own account.
fn cpu_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or_default()
}

/// Memory that only this process has, in KiB.
fn private_kib() -> u64 {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    let lines = text.lines().filter(|line| line.starts_with("Private_"));
    lines.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, items, changing, per_second, seconds] = arguments.as_slice() else {
        return Err("usage: publish_load ADDRESS ITEMS CHANGING PER_SECOND SECONDS".into());
    };
    let (items, changing): (u16, u16) = (items.parse()?, changing.parse()?);
    let (per_second, seconds): (u32, u32) = (per_second.parse()?, seconds.parse()?);
    let mut draft = Draft::new("com.victronenergy.battery.bench");
    for n in 0..items {
        draft.add(ITEM.nth(n), f64::from(n));
    }
    let (service, _writes) = draft.publish(&BusAddress::At(address.clone())).await?;
    println!("ready");
    let mut tick = tokio::time::interval(Duration::from_secs(1) / per_second);
    let (start, mut messages) = (cpu_ns(), 0_u32);
    for round in 0..per_second * seconds {
        tick.tick().await;
        service
            .update(|tx| {
                for n in 0..changing {
                    tx.set(ITEM.nth(n), f64::from(n) + f64::from(round) * 0.01 + 0.01);
                }
            })
            .await?;
        messages += 1;
    }
    println!("{} {messages} {}", cpu_ns() - start, private_kib());
    Ok(())
}
