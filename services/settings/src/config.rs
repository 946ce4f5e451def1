//! Configuration: `settings.toml`. Every key may be left out.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use service_kit::config::{Check, Findings};

/// What may be configured.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where settings.xml lies; created when it is missing.
    pub folder: PathBuf,
    /// What settings.xml calls this machine. An import from a machine of another name loses what belonged to its
    /// devices. Empty, as localsettings writes it where there is no VRM portal id.
    pub unique_id: String,
    /// Save each change at once instead of two seconds later, as localsettings does with `--no-delay`.
    pub save_at_once: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            folder: PathBuf::from("/var/lib/busbar/settings"),
            unique_id: String::new(),
            save_at_once: false,
        }
    }
}

impl Check for Config {
    fn check(&self, findings: &mut Findings) {
        if !self.folder.is_absolute() {
            findings.refuse("folder", "depends on where the service is started", "a path that begins with /");
        }
        let plain = self.unique_id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        if !plain || self.unique_id.len() > 64 {
            findings.refuse("unique_id", "is no id", "up to 64 letters, digits, - and _");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use service_kit::config::parse;

    fn read(text: &str) -> Result<Config, String> {
        parse::<Config>(text, "settings.toml", []).map_err(|errors| errors.to_string())
    }

    #[test]
    fn an_empty_file_is_a_whole_configuration() {
        assert_eq!(read(""), Ok(Config::default()));
        let config = read("folder = \"/data/x\"\nunique_id = \"0123456789ab\"").unwrap();
        assert_eq!(config.folder, PathBuf::from("/data/x"));
    }

    #[test]
    fn a_folder_that_moves_with_the_start_is_refused() {
        assert!(read("folder = \"conf\"").unwrap_err().contains("settings.toml:1:"));
        assert!(read("unique_id = \"<x>\"").unwrap_err().contains("up to 64 letters"));
    }
}
