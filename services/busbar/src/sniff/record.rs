//! The recording: candump's log format, which `busbar decode`, `canplayer` and others read.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use bms_can::candump::Entry;

/// A recording that is being written.
#[derive(Debug)]
pub(super) struct Recording {
    path: PathBuf,
    file: BufWriter<File>,
    frames: u64,
}

impl Recording {
    /// Begins a new file. One that is there already stays as it is.
    pub(super) fn create(path: &Path) -> anyhow::Result<Recording> {
        let file = File::create_new(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => {
                anyhow::anyhow!("{} exists already: --record begins a new file", path.display())
            }
            _ => anyhow::Error::new(error).context(format!("cannot record to {}", path.display())),
        })?;
        Ok(Recording { path: path.to_owned(), file: BufWriter::new(file), frames: 0 })
    }

    /// Adds a frame.
    pub(super) fn add(&mut self, entry: &Entry) -> anyhow::Result<()> {
        self.frames += 1;
        writeln!(self.file, "{}", entry.log()).with_context(|| self.failed())
    }

    /// Hands on to the system what was added.
    pub(super) fn flush(&mut self) -> anyhow::Result<()> {
        self.file.flush().with_context(|| self.failed())
    }

    /// `1234 frames in traffic.log`
    pub(super) fn summary(&self) -> String {
        format!("{} frames in {}", self.frames, self.path.display())
    }

    fn failed(&self) -> String {
        format!("recording to {} ends after {} frames", self.path.display(), self.frames)
    }
}
