//! Links into the current release. Each is there or not after a power cut, and never half.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::symlink;
use std::path::Path;

/// Makes `link` point to `target`, whatever it was before.
pub(super) fn point(link: &Path, target: &Path) -> io::Result<()> {
    if fs::read_link(link).is_ok_and(|known| known == target) {
        return Ok(());
    }
    // Hidden, so that nobody who looks through the folder meanwhile takes it for an entry.
    let name = link.file_name().unwrap_or_default().to_string_lossy();
    let new = link.with_file_name(format!(".{name}.new"));
    remove(&new)?;
    symlink(target, &new)?;
    fs::rename(&new, link)?;
    sync_above(link)
}

/// Removes a link or file. False if there is none.
pub(super) fn remove(link: &Path) -> io::Result<bool> {
    match fs::remove_file(link) {
        Ok(()) => sync_above(link).map(|()| true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Makes what happened to an entry outlast a power cut.
pub(super) fn sync_above(entry: &Path) -> io::Result<()> {
    File::open(entry.parent().unwrap_or(Path::new("/")))?.sync_all()
}
