//! `busbar sniff`: what is said on a CAN bus, decoded, without disturbing it.
//!
//! - `source`: which bus, and the way to it
//! - `session`: the loop between the bus, the user and the rest
//! - `traffic`: the newest frame of each id; pure
//! - `wire`, `load`: what a frame costs on the wire, and how much of the bus all cost; pure
//! - `dialect`: which dialect that is; pure
//! - `table`: all of it as lines; pure
//! - `record`: a file in candump's format

mod dialect;
mod load;
mod record;
mod session;
mod source;
mod table;
mod traffic;
mod wire;

use std::path::PathBuf;
use std::time::Duration;

use bms_can::protocols::PROTOCOLS;
use clap::Args;

use crate::cli::duration;
use session::Session;
use source::Choice;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Sniff {
    /// A CAN interface, or the serial port of an slcan adapter; without it, the only CAN interface of this machine.
    #[arg(value_name = "can0|TTY")]
    source: Option<String>,
    /// The dialect; without it, the one that the traffic shows.
    #[arg(long, value_name = "NAME", value_parser = PROTOCOLS.iter().map(|protocol| protocol.name).collect::<Vec<_>>(), hide_possible_values = true)]
    protocol: Option<String>,
    /// Writes every frame into a new file, in candump's log format.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Ends by itself after this time: 20s, 5m.
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    lasting: Option<Duration>,
    /// Speed of the CAN bus behind a serial adapter, in bit/s; without it, that of the dialect, or 500000.
    #[arg(long, value_name = "BIT/S")]
    bit_rate: Option<u32>,
    /// Speed of the serial line; USB adapters disregard it.
    #[arg(long, value_name = "BIT/S", default_value_t = 115_200)]
    serial_baud: u32,
    /// Whether a serial adapter keeps quiet altogether. With false it acknowledges frames, which a battery that is alone
    /// on the bus needs; frames are never sent.
    #[arg(long, value_name = "true|false", default_value_t = true, action = clap::ArgAction::Set, hide_possible_values = true)]
    listen_only: bool,
}

const EXAMPLES: &str = "A port that a service has is not disturbed: stop the service, or listen on a CAN interface, which many can do at once.

Examples:
  busbar sniff can0
  busbar sniff /dev/serial/by-id/usb-CANable_004F-if00 --record battery.log
  busbar sniff /dev/ttyACM0 --bit-rate 250000 --protocol pytes
  busbar sniff can0 --for 10s | grep soc";

pub(crate) async fn run(options: Sniff) -> anyhow::Result<()> {
    let choice = Choice::look();
    let source = choice.choose(options.source.as_deref()).map_err(anyhow::Error::msg)?;
    let mut session = Session::new(&options, &choice, source)?;
    session.open().await?;
    if let Some(file) = &options.record {
        session.record(file)?;
    }
    session.listen(options.lasting).await
}
