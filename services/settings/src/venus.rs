//! Where this service must not run: Venus OS has one of its own, and two would each lose what the other is told.

use std::path::{Path, PathBuf};

/// What only Venus OS has.
const SIGNS: [&str; 2] = ["opt/victronenergy", "etc/venus"];

/// This machine is Venus OS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{} exists, so this is Venus OS: its own localsettings keeps the settings here, and this service must not run beside \
     it. Remove it from this machine's services; everything else uses localsettings without further configuration",
    .0.display()
)]
pub struct IsVenus(pub PathBuf);

/// Looks for Venus's own files below `root`, which is `/` but for tests.
///
/// # Errors
/// [`IsVenus`] with what was found.
pub fn refuse(root: &Path) -> Result<(), IsVenus> {
    let found = SIGNS.into_iter().map(|sign| root.join(sign)).find(|path| path.exists());
    found.map_or(Ok(()), |path| Err(IsVenus(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_folder_of_venus_is_enough_and_named() {
        for sign in SIGNS {
            let root = tempfile::tempdir().unwrap();
            assert_eq!(refuse(root.path()), Ok(()));
            std::fs::create_dir_all(root.path().join(sign)).unwrap();
            let words = refuse(root.path()).unwrap_err().to_string();
            assert!(words.contains(sign), "{words}");
        }
    }
}
