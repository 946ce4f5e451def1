//! Files of what is remembered over the end of the process.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// What a file has, if that is of its kind and no larger than this many bytes.
///
/// # Errors
/// It is not there, cannot be read, or is something else.
pub(crate) fn read<T: DeserializeOwned>(file: &Path, largest: u64) -> io::Result<T> {
    if fs::metadata(file)?.len() > largest {
        return Err(io::Error::other(format!("larger than {largest} bytes")));
    }
    Ok(serde_json::from_str(&fs::read_to_string(file)?)?)
}

/// Writes a file whole or not at all, so that it is there after a power cut.
///
/// # Errors
/// There is no place for it.
pub(crate) fn write(file: &Path, content: &impl Serialize) -> io::Result<()> {
    let folder = file.parent();
    if let Some(folder) = folder {
        fs::create_dir_all(folder)?;
    }
    let new = file.with_extension("new");
    let mut out = File::create(&new)?;
    serde_json::to_writer(&mut out, content)?;
    out.flush()?;
    out.sync_all()?;
    fs::rename(&new, file)?;
    folder.map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// Removes a file, if it is there.
///
/// # Errors
/// It cannot be removed.
pub(crate) fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
