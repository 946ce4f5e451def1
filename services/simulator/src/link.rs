//! A symbolic link with a name that stays, to a pseudo-terminal whose name changes.

use std::io;
use std::path::{Path, PathBuf};

/// A link that is there as long as this value is.
#[derive(Debug)]
pub struct Link {
    path: PathBuf,
    target: PathBuf,
}

impl Link {
    /// Puts the link in place in one step; an older link of that name is replaced, anything else is not.
    ///
    /// # Errors
    /// Something other than a link has the name; the directory is not there or not writable.
    pub fn create(path: &Path, target: &Path) -> io::Result<Self> {
        match path.symlink_metadata() {
            Ok(found) if !found.is_symlink() => {
                return Err(io::Error::new(
                    io::ErrorKind::AlreadyExists,
                    "there is something that is not a link",
                ));
            }
            _ => {}
        }
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let beside = path.with_file_name(format!(".{}.{}", name.to_string_lossy(), std::process::id()));
        std::os::unix::fs::symlink(target, &beside)?;
        if let Err(error) = std::fs::rename(&beside, path) {
            let _ = std::fs::remove_file(&beside);
            return Err(error);
        }
        Ok(Self { path: path.to_owned(), target: target.to_owned() })
    }
}

impl Drop for Link {
    /// Removes the link unless it has come to lead somewhere else.
    fn drop(&mut self) {
        if std::fs::read_link(&self.path).is_ok_and(|target| target == self.target) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_replaces_a_stale_one_and_goes_with_its_value() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("battery0");
        std::os::unix::fs::symlink("/nowhere", &path).unwrap();
        let link = Link::create(&path, Path::new("/dev/null")).unwrap();
        assert_eq!(std::fs::read_link(&path).unwrap(), Path::new("/dev/null"));
        drop(link);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_is_never_replaced_and_a_successors_link_never_removed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("battery0");
        std::fs::write(&path, "precious").unwrap();
        assert!(Link::create(&path, Path::new("/dev/null")).is_err());
        std::fs::remove_file(&path).unwrap();
        let first = Link::create(&path, Path::new("/dev/null")).unwrap();
        let _second = Link::create(&path, Path::new("/dev/zero")).unwrap();
        drop(first);
        assert_eq!(std::fs::read_link(&path).unwrap(), Path::new("/dev/zero"));
    }
}
