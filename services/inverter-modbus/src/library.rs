//! The profiles that there are: those of the user before those that come with the program.

use std::fs;
use std::path::{Path, PathBuf};

use service_kit::config::DIRECTORIES;

use crate::profile::{Profile, builtin, parse};

/// The folder for profiles inside the folders of configurations.
const FOLDER: &str = "profiles";
/// The largest profile that is read, in bytes.
const LARGEST: u64 = 256 * 1024;

/// Where profiles are looked for.
#[derive(Debug, Clone)]
pub struct Library {
    folders: Vec<PathBuf>,
}

/// Why there is no such profile.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Missing {
    /// Nobody has it.
    #[error("no profile is called {0:?}")]
    Unknown(String),
    /// It is there and has mistakes, or cannot be read.
    #[error("{0}")]
    Broken(String),
}

impl Library {
    /// The profiles in this folder, or in the usual ones without it, and those that come with the program.
    #[must_use]
    pub fn new(folder: Option<PathBuf>) -> Library {
        let usual = || DIRECTORIES.iter().map(|folder| Path::new(folder).join(FOLDER)).collect();
        Library { folders: folder.map_or_else(usual, |folder| vec![folder]) }
    }

    /// A profile by its id.
    ///
    /// # Errors
    /// [`Missing`].
    pub fn get(&self, id: &str) -> Result<Profile, Missing> {
        let is_id = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if id.is_empty() || !id.chars().all(is_id) {
            return Err(Missing::Unknown(id.to_owned()));
        }
        for folder in &self.folders {
            let path = folder.join(format!("{id}.toml"));
            if path.is_file() {
                let profile = read(&path)?;
                if let Some(remark) = misnamed(&profile, &path) {
                    tracing::warn!("{remark}");
                }
                return Ok(Profile { id: id.to_owned(), ..profile });
            }
        }
        builtin::by_id(id).ok_or_else(|| Missing::Unknown(id.to_owned()))
    }

    /// All ids.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        let files = self.folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
        let own = files.filter_map(|file| Some(file.file_name().to_str()?.strip_suffix(".toml")?.to_owned()));
        let mut ids: Vec<String> = own.chain(builtin::ids().map(str::to_owned)).collect();
        ids.sort();
        ids.dedup();
        ids
    }
}

/// What is to be said where the file of a profile is called something else than the profile: it is found by the name of its file.
#[must_use]
pub fn misnamed(profile: &Profile, path: &Path) -> Option<String> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    (stem != profile.id).then(|| {
        format!(
            "{}: id = {:?}, and it is found by the name of the file, as {stem:?}",
            path.display(),
            profile.id
        )
    })
}

/// A profile from a file.
///
/// # Errors
/// [`Missing::Broken`], with every mistake and its line.
pub fn read(path: &Path) -> Result<Profile, Missing> {
    let name = path.display().to_string();
    let broken = |why: String| Missing::Broken(format!("{name}: {why}"));
    let size = fs::metadata(path).map_err(|error| broken(error.to_string()))?.len();
    if size > LARGEST {
        return Err(broken(format!("larger than {LARGEST} bytes")));
    }
    let text = fs::read_to_string(path).map_err(|error| broken(error.to_string()))?;
    parse(&text, &name).map_err(|errors| Missing::Broken(errors.lines().collect::<Vec<_>>().join("\n")))
}
