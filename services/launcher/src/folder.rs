//! The folder of the releases. Every change is a rename of something that was synced before, followed by a sync of the
//! directory.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::decide::{Action, Situation, Trial, decide};

/// What an update ends with, in the words of the file `state/last`.
const ROLLED_BACK: &str = "rolled_back";

/// The folder with the links, the releases and the state.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

/// What [`Folder::attempt`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// No trial goes on.
    Calm,
    /// It was written down as the start with this number.
    Counted(u32),
    /// The new release is not current any more; this one is.
    WentBack(String),
}

impl Folder {
    /// The folder at this path.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Notes that a process is about to be started, and goes back to the old release when the new one had its chances.
    ///
    /// # Errors
    /// The state cannot be read, or not be written. Nothing is half done then, and the process may be started.
    pub fn attempt(&self, process: &str) -> io::Result<Outcome> {
        let situation = self.situation(process)?;
        match decide(&situation) {
            Action::Start => Ok(Outcome::Calm),
            Action::Count(starts) => {
                let attempts = self.attempts();
                if !attempts.is_dir() {
                    fs::create_dir(&attempts)?;
                    sync(&self.state())?;
                }
                put(&attempts, process, &format!("{starts}\n"))?;
                Ok(Outcome::Counted(starts))
            }
            Action::GoBack(release) => {
                let reason = format!("{process} was started {} times", situation.starts.saturating_add(1));
                self.go_back(&release, situation.trial.as_ref(), &reason)?;
                Ok(Outcome::WentBack(release))
            }
        }
    }

    /// The programs called `name`, the best first: of the current release and of the one before it.
    #[must_use]
    pub fn programs(&self, name: &str) -> [PathBuf; 2] {
        ["current", "previous"].map(|link| self.path.join(link).join("bin").join(name))
    }

    fn situation(&self, process: &str) -> io::Result<Situation> {
        let trial = existing(fs::read_to_string(self.state().join("trial")))?.as_deref().and_then(parse);
        let current = existing(fs::read_link(self.path.join("current")))?;
        let starts = existing(fs::read_to_string(self.attempts().join(process)))?;
        Ok(Situation {
            trial,
            current: current.and_then(|path| path.into_os_string().into_string().ok()),
            starts: starts.and_then(|text| text.trim().parse().ok()).unwrap_or(0),
        })
    }

    /// The link first: should the power go behind it, the trial is one whose new release is not the current one.
    fn go_back(&self, release: &str, trial: Option<&Trial>, reason: &str) -> io::Result<()> {
        if !self.path.join(release).join("bin").is_dir() {
            return Err(io::Error::new(ErrorKind::NotFound, format!("{release} is not there")));
        }
        let link = self.path.join("current.new");
        match fs::remove_file(&link) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        symlink(release, &link)?;
        fs::rename(&link, self.path.join("current"))?;
        sync(&self.path)?;
        let to = trial.map_or("", |trial| trial.to.as_str());
        put(
            &self.state(),
            "last",
            &format!("outcome {ROLLED_BACK}\nfrom {release}\nto {to}\nreason {reason}\n"),
        )?;
        fs::remove_file(self.state().join("trial"))?;
        sync(&self.state())
    }

    fn state(&self) -> PathBuf {
        self.path.join("state")
    }

    fn attempts(&self) -> PathBuf {
        self.state().join("attempts")
    }
}

/// `from` and `to`, a line each. What cannot be read is no trial.
fn parse(text: &str) -> Option<Trial> {
    let value = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))?;
        Some(line.to_owned()).filter(|value| is_release(value))
    };
    Some(Trial { from: value("from"), to: value("to")? })
}

/// A release as the links name it, nothing outside the folder.
fn is_release(link: &str) -> bool {
    link.strip_prefix("releases/").is_some_and(|name| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._+-~".contains(&b);
        !name.is_empty() && !name.starts_with('.') && name.bytes().all(plain)
    })
}

/// Nothing for what is not there.
fn existing<T>(read: io::Result<T>) -> io::Result<Option<T>> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes a file so that its old content or its new one is there, whatever happens.
fn put(directory: &Path, name: &str, text: &str) -> io::Result<()> {
    let new = directory.join(format!(".{name}.new"));
    let mut file = File::create(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, directory.join(name))?;
    sync(directory)
}

/// Makes what happened in a directory outlast a power cut.
fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}
