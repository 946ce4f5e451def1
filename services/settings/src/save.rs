//! Replacing settings.xml so that at any moment, power cuts included, either the old or the new one can be read.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The file in its folder.
pub const FILE: &str = "settings.xml";
const NEW: &str = "settings.xml.new";

/// One step of saving. Only their order makes it safe, hence they are data: a test cuts the power between any two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Copies a file that is to be kept aside.
    Copy {
        /// The file.
        from: PathBuf,
        /// Its second name.
        to: PathBuf,
    },
    /// Writes a file, which may be there.
    Write {
        /// The file.
        to: PathBuf,
        /// All of it.
        text: String,
    },
    /// Waits until what is in the file is on the disk.
    Sync(PathBuf),
    /// Puts a file in the place of another.
    Rename {
        /// The file.
        from: PathBuf,
        /// The other, which may be missing.
        to: PathBuf,
    },
    /// Waits until the names in the folder are on the disk.
    SyncFolder(PathBuf),
    /// Removes a file.
    Remove(PathBuf),
}

/// What has to be done besides, once, with files that were found at start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Besides {
    /// Files to keep under another name before settings.xml is replaced.
    pub keep: Vec<(PathBuf, PathBuf)>,
    /// Files to remove when it has been replaced.
    pub remove: Vec<PathBuf>,
}

/// A step that failed.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be saved: {reason}. {}", path.display(), remedy(reason))]
pub struct SaveError {
    /// The file or folder.
    pub path: PathBuf,
    /// What the system said.
    #[source]
    pub reason: io::Error,
}

fn remedy(reason: &io::Error) -> &'static str {
    match reason.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "Free space on that disk",
        io::ErrorKind::PermissionDenied => "Give the folder to the user that runs this service (chown)",
        io::ErrorKind::ReadOnlyFilesystem => {
            "Mount that disk for writing, or choose another folder in the configuration"
        }
        _ => "Check the disk, or choose another folder in the configuration",
    }
}

/// The steps that put `text` in the place of settings.xml in `folder`.
#[must_use]
pub fn plan(folder: &Path, text: String, besides: &Besides) -> Vec<Step> {
    let (file, new) = (folder.join(FILE), folder.join(NEW));
    let mut steps = Vec::new();
    for (from, to) in &besides.keep {
        steps.push(Step::Copy { from: from.clone(), to: to.clone() });
        steps.extend([Step::Sync(to.clone()), Step::SyncFolder(folder.to_owned())]);
    }
    steps.extend([
        Step::Write { to: new.clone(), text },
        Step::Sync(new.clone()),
        Step::Rename { from: new, to: file },
        Step::SyncFolder(folder.to_owned()),
    ]);
    if !besides.remove.is_empty() {
        steps.extend(besides.remove.iter().cloned().map(Step::Remove));
        steps.push(Step::SyncFolder(folder.to_owned()));
    }
    steps
}

/// Takes the steps, creating the folder where it is missing.
///
/// # Errors
/// [`SaveError`] at the first step that fails; settings.xml is then the old one, and what was half written is removed,
/// because a full disk needs the space.
pub fn save(folder: &Path, steps: &[Step]) -> Result<(), SaveError> {
    let failed = |path: &Path, reason| SaveError { path: path.to_owned(), reason };
    fs::create_dir_all(folder).map_err(|reason| failed(folder, reason))?;
    for step in steps {
        if let Err(reason) = step.take() {
            // Fails where it was never created.
            let _ = fs::remove_file(folder.join(NEW));
            return Err(failed(step.path(), reason));
        }
    }
    Ok(())
}

impl Step {
    /// Takes this step.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn take(&self) -> io::Result<()> {
        match self {
            Step::Copy { from, to } => fs::copy(from, to).map(drop),
            Step::Write { to, text } => File::create(to)?.write_all(text.as_bytes()),
            Step::Sync(path) | Step::SyncFolder(path) => File::open(path)?.sync_all(),
            Step::Rename { from, to } => fs::rename(from, to),
            Step::Remove(path) => match fs::remove_file(path) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
                other => other,
            },
        }
    }

    fn path(&self) -> &Path {
        match self {
            Step::Copy { to, .. } | Step::Write { to, .. } | Step::Rename { to, .. } => to,
            Step::Sync(path) | Step::SyncFolder(path) | Step::Remove(path) => path,
        }
    }
}
