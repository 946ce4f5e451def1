//! Which devices were found on a line, over the end of the process.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use super::plan::Where;
use crate::config::Device;
use crate::state_file;

/// Changes with every change of what is stored: another version is not read.
const VERSION: u32 = 1;
/// The largest file that is read.
const LARGEST: u64 = 256 * 1024;
/// More devices than any line has.
const MOST: usize = 247;

/// The file about one line. Clones are the same.
#[derive(Debug, Clone)]
pub struct Store {
    file: PathBuf,
    /// One list is written after the other, whoever waits for that.
    turn: Arc<Mutex<()>>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    devices: Vec<Device>,
}

impl Store {
    /// The file about a line, in this folder.
    #[must_use]
    pub fn new(folder: &Path, place: &Where) -> Store {
        Store { file: folder.join(format!("{}.json", place.address().suffix())), turn: Arc::default() }
    }

    /// The devices that were found; none if nothing is known.
    #[must_use]
    pub fn load(&self) -> Vec<Device> {
        match self.read() {
            Ok(devices) => devices,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                tracing::warn!("{}: {error}: what was found is looked for anew", self.file.display());
                Vec::new()
            }
        }
    }

    fn read(&self) -> io::Result<Vec<Device>> {
        let stored: Stored = state_file::read(&self.file, LARGEST)?;
        if stored.version != VERSION || stored.devices.len() > MOST {
            return Err(io::Error::other(format!("it is none of version {VERSION}")));
        }
        Ok(stored.devices)
    }

    /// Keeps the devices, whole or not at all, also when nobody waits for it any more. Without a place to keep them they are
    /// looked for anew the next time.
    pub async fn keep(&self, devices: &[Device]) {
        let stored = Stored { version: VERSION, devices: devices.to_vec() };
        let (turn, file) = (self.turn.clone().lock_owned().await, self.file.clone());
        // Flash may take seconds: on a thread of its own.
        let writing = spawn_blocking(move || {
            let _turn = turn;
            state_file::write(&file, &stored)
        });
        if let Err(error) = writing.await.map_err(io::Error::other).flatten() {
            tracing::warn!("{} cannot be written: {error}", self.file.display());
        }
    }

    /// Waits until nothing is being written any more.
    pub async fn rests(&self) {
        drop(self.turn.lock().await);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;
    use std::sync::mpsc;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    /// A file that takes nothing before somebody reads it stands for a slow memory card.
    #[tokio::test]
    async fn a_memory_card_that_takes_its_time_holds_nobody_up_but_who_waits_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let slow = folder.path().join("ttyUSB0.new");
        assert!(Command::new("mkfifo").arg(&slow).status().unwrap().success());
        let (goes_on, heard) = mpsc::channel();
        let reader = std::thread::spawn(move || {
            let went_on = heard.recv_timeout(LONG).is_ok();
            // Once it is open, nobody waits for it any more.
            (went_on, fs::read(slow).is_ok())
        });
        let store = Store::new(folder.path(), &Where::Port("/dev/ttyUSB0".into()));
        let devices = [Device::at("sofar-hyd")];
        {
            let mut keeping = std::pin::pin!(store.keep(&devices));
            tokio::select! {
                biased;
                () = &mut keeping => panic!("nobody has read it"),
                () = tokio::task::yield_now() => goes_on.send(()).unwrap(),
            }
        }
        // Who has given it to keep does not wait any more; it is written nevertheless.
        timeout(LONG, store.rests()).await.unwrap();
        assert_eq!(reader.join().unwrap(), (true, true));
    }

    #[tokio::test]
    async fn what_was_found_is_kept_and_what_is_broken_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("state");
        let store = Store::new(&inside, &Where::Port("/dev/ttyUSB0".into()));
        assert_eq!(store.load(), []);
        let mut device = Device::at("sofar-hyd");
        (device.unit, device.port) = (Some(3), Some("/dev/ttyUSB0".into()));
        store.keep(std::slice::from_ref(&device)).await;
        assert_eq!(store.load(), [device]);
        for broken in ["", "{\"version\":9,\"devices\":[]}", "{\"version\":1,\"devices\":[{\"profile\":7}]}"]
        {
            fs::write(inside.join("ttyUSB0.json"), broken).unwrap();
            assert_eq!(store.load(), [], "{broken}");
        }
    }
}
