//! Configuration: `charge-manager.toml`. Every key may be left out. What is tuned while it runs stands in the settings of
//! the system instead.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use service_kit::config::{Check, Findings};

use crate::settings::Chemistry;

/// What may be configured.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What the cells are made of: `lfp`, `nmc`, `lto`, `flooded`, `agm`, `gel`. Another one brings its own settings.
    pub chemistry: Cells,
    /// What the user calls the bank.
    pub name: Option<String>,
    /// Its number among the batteries of the system.
    pub device_instance: i32,
    /// Where counters and state survive a power cut: flash, written rarely.
    pub folder: PathBuf,
    /// Where the decision survives a restart: a RAM disk, written often.
    pub volatile_folder: PathBuf,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            chemistry: Cells::default(),
            name: None,
            device_instance: 0,
            folder: kept_folder(Path::new(VENUS)),
            volatile_folder: PathBuf::from("/run/busbar/charge-manager"),
        }
    }
}

/// What only Venus OS has.
const VENUS: &str = "/opt/victronenergy";

/// Venus OS keeps what is in `/data`.
fn kept_folder(sign: &Path) -> PathBuf {
    let folder = if sign.is_dir() { "/data/busbar/charge-manager" } else { "/var/lib/busbar/charge-manager" };
    PathBuf::from(folder)
}

/// A chemistry as the configuration has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Cells {
    /// Lithium iron phosphate.
    #[default]
    Lfp,
    /// Lithium nickel manganese cobalt or nickel cobalt aluminium.
    Nmc,
    /// Lithium titanate.
    Lto,
    /// Lead-acid with liquid electrolyte.
    Flooded,
    /// Lead-acid with absorbent glass mat.
    Agm,
    /// Lead-acid with gel.
    Gel,
}

impl From<Cells> for Chemistry {
    fn from(cells: Cells) -> Chemistry {
        match cells {
            Cells::Lfp => Chemistry::Lfp,
            Cells::Nmc => Chemistry::Nmc,
            Cells::Lto => Chemistry::Lto,
            Cells::Flooded => Chemistry::Flooded,
            Cells::Agm => Chemistry::Agm,
            Cells::Gel => Chemistry::Gel,
        }
    }
}

/// Longest name that the GUI lets a user type.
const LONGEST_NAME: usize = 32;

impl Check for Config {
    fn check(&self, findings: &mut Findings) {
        findings.within("device_instance", self.device_instance, 0..=511, "");
        if let Some(name) = &self.name
            && !(1..=LONGEST_NAME).contains(&name.chars().count())
        {
            let what = format!("{} characters", name.chars().count());
            findings.refuse("name", what, format!("1 to {LONGEST_NAME} characters"));
        }
        for (key, folder) in [("folder", &self.folder), ("volatile_folder", &self.volatile_folder)] {
            if !folder.is_absolute() {
                findings.refuse(key, "depends on where the service is started", "a path that begins with /");
            }
        }
        if self.folder == self.volatile_folder {
            findings.refuse(
                "volatile_folder",
                "the same as folder, which would be worn out",
                "a folder on a RAM disk",
            );
        }
    }
}
