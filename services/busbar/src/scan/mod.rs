//! `busbar scan`: which devices there are on a line or in a network. Nothing is written to any.
//!
//! - `target`: what is to be searched
//! - `network`: the hosts of a network that can be connected to
//! - `progress`: how far it is, on standard error
//! - `report`: what was found, as a table, as JSON and as a configuration

mod network;
mod progress;
mod report;
mod target;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use inverter_modbus::discover::knowledge::Knowledge;
use inverter_modbus::discover::plan::{Where, Wishes};
use inverter_modbus::discover::runner::{Outcome, Way, look};
use inverter_modbus::library::Library;
use inverter_modbus::line::address::Framing;
use service_kit::serial::Parity;

use progress::Progress;
use target::Target;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Scan {
    /// Where to look for inverters and meters on Modbus: a serial port, a host, or a network such as 192.168.1.0/24.
    #[arg(long, value_name = "PORT|HOST[:PORT]|NETWORK")]
    modbus: Target,
    /// The only profile to look for, a name or a file; without it, all of them. What it says is read, whatever else may be
    /// there.
    #[arg(long, value_name = "PROFILE")]
    product: Option<String>,
    /// Rates of the serial port; without it, those of the profiles.
    #[arg(long, value_name = "BAUD", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(300..=1_000_000))]
    baud: Vec<u32>,
    /// Parity of the serial port; without it, that of the profiles.
    #[arg(long, value_name = "none|even|odd", value_parser = parity)]
    parity: Option<Parity>,
    /// Stop bits of the serial port; without it, those of the profiles.
    #[arg(long, value_name = "1|2", value_parser = clap::value_parser!(u8).range(1..=2))]
    stop_bits: Option<u8>,
    /// Units to ask; without it, the usual ones.
    #[arg(long, value_name = "UNIT", value_delimiter = ',', value_parser = clap::value_parser!(u8).range(1..=247))]
    unit: Vec<u8>,
    /// The host passes on the bytes of a serial line.
    #[arg(long)]
    rtu: bool,
    /// Shows the result as JSON.
    #[arg(long)]
    json: bool,
    /// Writes the configuration of what was found into a new file.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

const EXAMPLES: &str = "Nothing is written to any device. Registers that some inverters do not bear to be read are read only where none of these
is. A port that a service has is not disturbed: stop the service first.

Examples:
  busbar scan --modbus /dev/ttyUSB0
  busbar scan --modbus /dev/ttyUSB0 --baud 9600,19200 --unit 1,2,3
  busbar scan --modbus 192.168.1.30
  busbar scan --modbus 192.168.1.0/24 --write inverter-modbus.house.toml
  busbar scan --modbus 192.168.1.40:8899 --rtu
  busbar scan --modbus /dev/ttyUSB0 --product solis-hybrid --unit 5";

fn parity(text: &str) -> Result<Parity, String> {
    match text {
        "none" => Ok(Parity::None),
        "even" => Ok(Parity::Even),
        "odd" => Ok(Parity::Odd),
        _ => Err("none, even or odd".to_owned()),
    }
}

pub(crate) async fn run(options: Scan) -> anyhow::Result<()> {
    if let Some(file) = &options.write {
        is_free(file)?;
    }
    let knowledge = Arc::new(knowledge(options.product.as_deref())?);
    let wishes = Wishes {
        bauds: options.baud,
        parity: options.parity,
        stop_bits: options.stop_bits,
        units: options.unit,
    };
    let framing = if options.rtu { Framing::Rtu } else { Framing::Tcp };
    let outcome = match options.modbus {
        Target::Port(path) => {
            let mut progress = Progress::start();
            let place = Where::Port(path);
            let looked = look(&knowledge, &place, &wishes, Way::Alone, |now| progress.tell(now)).await;
            progress.end();
            looked.map_err(|why| anyhow!(why))?
        }
        Target::Host(host, port) => {
            let mut progress = Progress::start();
            let place = Where::Host { host, port, framing };
            let looked = look(&knowledge, &place, &wishes, Way::Alone, |now| progress.tell(now)).await;
            progress.end();
            looked.map_err(|why| anyhow!(why))?
        }
        Target::Network(network, port) => {
            network::look_around(&knowledge, network, port, framing, &wishes).await?
        }
    };
    if let Some(file) = &options.write {
        write(file, &report::configuration(&outcome, &knowledge))?;
    }
    if options.json {
        crate::print(&format!("{:#}\n", report::json(&outcome, &knowledge)))?;
    } else if !outcome.found.is_empty() {
        crate::print(&report::text(&outcome, &knowledge, options.write.as_deref()))?;
    }
    if outcome.found.is_empty() {
        for line in report::advice(&outcome) {
            crate::complain(&line);
        }
        bail!("nobody answers");
    }
    Ok(())
}

fn knowledge(product: Option<&str>) -> anyhow::Result<Knowledge> {
    let Some(product) = product else {
        let (knowledge, broken) = Knowledge::of(&Library::new(None));
        for profile in broken {
            crate::complain(&format!("busbar: left out: {profile}"));
        }
        return Ok(knowledge);
    };
    Knowledge::only(crate::profile::profile(product)?).map_err(|why| anyhow!(why))
}

/// That a new file can be there: nobody should wait for a search whose result has no place.
fn is_free(file: &Path) -> anyhow::Result<()> {
    let name = file.display();
    if file.symlink_metadata().is_ok() {
        bail!("{name} exists already: give --write another name, or move it away first");
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        bail!("{name} cannot be written: {} is no folder; make it first", folder.display());
    }
    Ok(())
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    let mut new = std::fs::File::create_new(file).with_context(|| file.display().to_string())?;
    new.write_all(text.as_bytes()).with_context(|| file.display().to_string())
}

/// What was found at several places, as one.
fn joined(outcomes: impl IntoIterator<Item = Outcome>) -> Outcome {
    outcomes.into_iter().fold(Outcome::default(), |mut all, one| {
        all.found.extend(one.found);
        all.garbled.extend(one.garbled);
        all.held_back = all.held_back.or(one.held_back);
        all
    })
}
