//! The hosts of a network: those that can be connected to are searched, a few at a time.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

use inverter_modbus::discover::knowledge::Knowledge;
use inverter_modbus::discover::plan::{Where, Wishes};
use inverter_modbus::discover::runner::{Outcome, Way, look};
use inverter_modbus::line::address::Framing;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::joined;
use super::progress::Progress;
use super::target::Network;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(1);
/// Connections that are tried at a time, and hosts that are searched at a time.
const CONNECTIONS: usize = 64;
const SEARCHES: usize = 8;

/// Looks for devices at all hosts of a network.
pub(super) async fn look_around(
    knowledge: &Arc<Knowledge>,
    network: Network,
    port: u16,
    framing: Framing,
    wishes: &Wishes,
) -> anyhow::Result<Outcome> {
    let mut progress = Progress::start();
    let open = open_hosts(network, port, &mut progress).await?;
    let (mut waiting, mut searches) = (open.iter(), JoinSet::new());
    let mut outcomes: Vec<(Ipv4Addr, Outcome)> = Vec::new();
    loop {
        while searches.len() < SEARCHES
            && let Some(host) = waiting.next()
        {
            let (host, knowledge, wishes) = (*host, knowledge.clone(), wishes.clone());
            searches.spawn(async move {
                let place = Where::Host { host: host.to_string(), port, framing };
                (host, look(&knowledge, &place, &wishes, Way::Alone, |_| {}).await)
            });
        }
        let done = outcomes.len();
        progress.say(|| format!("{done} of {} hosts with port {port} searched", open.len()));
        match searches.join_next().await {
            None => break,
            Some(ended) => {
                let (host, looked) = ended?;
                // One that closes every connection is no device; the others are searched nevertheless.
                let outcome = looked.unwrap_or_default();
                progress.found(&outcome.found);
                outcomes.push((host, outcome));
            }
        }
    }
    progress.end();
    outcomes.sort_by_key(|(host, _)| *host);
    Ok(joined(outcomes.into_iter().map(|(_, outcome)| outcome)))
}

/// The hosts that can be connected to, in their order.
async fn open_hosts(network: Network, port: u16, progress: &mut Progress) -> anyhow::Result<Vec<Ipv4Addr>> {
    let all = network.hosts().count();
    let (mut waiting, mut trials) = (network.hosts(), JoinSet::new());
    let (mut open, mut tried) = (Vec::new(), 0);
    loop {
        while trials.len() < CONNECTIONS
            && let Some(host) = waiting.next()
        {
            trials.spawn(async move {
                let connected = timeout(CONNECT, TcpStream::connect(SocketAddrV4::new(host, port))).await;
                matches!(connected, Ok(Ok(_))).then_some(host)
            });
        }
        progress.say(|| format!("{tried} of {all} hosts tried, {} have port {port}", open.len()));
        match trials.join_next().await {
            None => break,
            Some(ended) => open.extend(ended?),
        }
        tried += 1;
    }
    open.sort_unstable();
    Ok(open)
}
