//! Which devices were found on a line, over the end of the process.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::plan::Where;
use crate::config::Device;
use crate::state_file;

/// Changes with every change of what is stored: another version is not read.
const VERSION: u32 = 1;
/// The largest file that is read.
const LARGEST: u64 = 256 * 1024;
/// More devices than any line has.
const MOST: usize = 247;

/// The file about one line.
#[derive(Debug, Clone)]
pub struct Store(PathBuf);

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    devices: Vec<Device>,
}

impl Store {
    /// The file about a line, in this folder.
    #[must_use]
    pub fn new(folder: &Path, place: &Where) -> Store {
        Store(folder.join(format!("{}.json", place.address().suffix())))
    }

    /// The devices that were found; none if nothing is known.
    #[must_use]
    pub fn load(&self) -> Vec<Device> {
        match self.read() {
            Ok(devices) => devices,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                tracing::warn!("{}: {error}: what was found is looked for anew", self.0.display());
                Vec::new()
            }
        }
    }

    fn read(&self) -> io::Result<Vec<Device>> {
        let stored: Stored = state_file::read(&self.0, LARGEST)?;
        if stored.version != VERSION || stored.devices.len() > MOST {
            return Err(io::Error::other(format!("it is none of version {VERSION}")));
        }
        Ok(stored.devices)
    }

    /// Keeps the devices, whole or not at all. Without a place to keep them they are looked for anew the next time.
    pub fn keep(&self, devices: &[Device]) {
        let stored = Stored { version: VERSION, devices: devices.to_vec() };
        if let Err(error) = state_file::write(&self.0, &stored) {
            tracing::warn!("{} cannot be written: {error}", self.0.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_was_found_is_kept_and_what_is_broken_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("state");
        let store = Store::new(&inside, &Where::Port("/dev/ttyUSB0".into()));
        assert_eq!(store.load(), []);
        let mut device = Device::at("sofar-hyd");
        (device.unit, device.port) = (Some(3), Some("/dev/ttyUSB0".into()));
        store.keep(std::slice::from_ref(&device));
        assert_eq!(store.load(), [device]);
        for broken in ["", "{\"version\":9,\"devices\":[]}", "{\"version\":1,\"devices\":[{\"profile\":7}]}"]
        {
            fs::write(inside.join("ttyUSB0.json"), broken).unwrap();
            assert_eq!(store.load(), [], "{broken}");
        }
    }
}
