//! `busbar import`: our configuration from that of another driver.
//!
//! - `yaml`: its file, with lines; pure
//! - `sma`: `dbus-sma.yaml` of the Sunny Island driver for Venus OS; pure

mod sma;
mod yaml;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use charge_manager::config::Cells;
use clap::Args;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};
use service_kit::config::{self, LARGEST};

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Import {
    /// The file: dbus-sma.yaml.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Write the files into this folder, where none of them may be yet, instead of showing them.
    #[arg(long, value_name = "FOLDER")]
    to: Option<PathBuf>,
    /// The CAN interface of the inverter.
    #[arg(long, value_name = "INTERFACE", default_value = "can5")]
    interface: String,
    /// Cells in series: the file counts volts of the pack, the charge manager volts per cell.
    #[arg(long, value_name = "N", default_value = "16", value_parser = clap::value_parser!(u16).range(1..=400))]
    cells: u16,
    /// What the cells are made of: lfp, nmc, lto, flooded, agm, gel.
    #[arg(long, value_name = "CHEMISTRY", default_value = "lfp", value_parser = cells)]
    chemistry: Cells,
}

const EXAMPLES: &str = "Two files come of it: bms-can.INTERFACE.toml, and charge-manager.settings.sh with the commands that set the charge
manager. Behind each line stands what it comes from. What is unknown, or does not fit the battery, is told on standard error.

Examples:
  busbar import dbus-sma.yaml
  busbar import dbus-sma.yaml --to /etc/busbar --interface can0
  busbar import dbus-sma.yaml --cells 14 --chemistry nmc";

/// The commands for the charge manager.
const SETTINGS: &str = "charge-manager.settings.sh";

/// A chemistry by the name that the configuration has for it.
fn cells(word: &str) -> Result<Cells, String> {
    let word: StrDeserializer<'_, Error> = word.into_deserializer();
    Cells::deserialize(word).map_err(|error| error.to_string())
}

pub(crate) fn run(options: &Import) -> anyhow::Result<()> {
    let name = options.file.display();
    let size = fs::metadata(&options.file).with_context(|| name.to_string())?.len();
    if size > LARGEST as u64 {
        bail!("{name}: larger than {LARGEST} bytes");
    }
    let text = fs::read_to_string(&options.file).with_context(|| name.to_string())?;
    let entries = yaml::entries(&text).map_err(anyhow::Error::msg).with_context(|| name.to_string())?;
    if !sma::is_one(&entries) {
        bail!("{name}: only dbus-sma.yaml can be read, which has a section BMSData");
    }
    let site = sma::Site {
        cells: options.cells,
        chemistry: options.chemistry.into(),
        interface: options.interface.clone(),
    };
    let imported =
        sma::import(&entries, &site).map_err(anyhow::Error::msg).with_context(|| name.to_string())?;
    let bms_can = format!("bms-can.{}.toml", options.interface);
    // What was a number there may be none that anybody can be told.
    if let Err(errors) = config::parse::<bms_can::Config>(&imported.bms_can, &bms_can, []) {
        let lines: Vec<String> = errors.lines().collect();
        bail!("{name}: what comes of it is refused: {}", lines.join("; "));
    }
    match &options.to {
        Some(folder) => write(folder, &[(&bms_can, &imported.bms_can), (SETTINGS, &imported.settings)])?,
        None => crate::print(&format!(
            "# ---- {bms_can}\n{}\n# ---- {SETTINGS}\n{}",
            imported.bms_can, imported.settings
        ))?,
    }
    for note in &imported.notes {
        crate::complain(&format!("busbar: {name}: {note}"));
    }
    Ok(())
}

/// Writes all of them, or none where one is there already.
fn write(folder: &Path, files: &[(&str, &String)]) -> anyhow::Result<()> {
    let path = |name: &str| folder.join(name);
    if let Some((name, _)) = files.iter().find(|(name, _)| path(name).exists()) {
        bail!("{} is there already, and nothing was written", path(name).display());
    }
    for (name, text) in files {
        let path = path(name);
        let mut file = fs::File::create_new(&path).with_context(|| path.display().to_string())?;
        file.write_all(text.as_bytes()).with_context(|| path.display().to_string())?;
        crate::print(&format!("{} is written\n", path.display()))?;
    }
    Ok(())
}
