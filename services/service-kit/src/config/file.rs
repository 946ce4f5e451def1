//! Finding and reading the file.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::errors::{ConfigErrors, Place};
use super::position::position;
use super::{Check, LARGEST, PREFIX, parse};

/// Where configuration files are looked for by name, in this order.
pub const DIRECTORIES: &[&str] = &["/etc/busbar", "/data/conf/busbar"];

/// The file to read: the one that was asked for, else the first of that name in [`DIRECTORIES`].
///
/// # Errors
/// No such file in any of the directories.
pub fn locate(asked_for: Option<&Path>, name: &str) -> Result<PathBuf, ConfigErrors> {
    locate_in(asked_for, name, DIRECTORIES)
}

fn locate_in(asked_for: Option<&Path>, name: &str, directories: &[&str]) -> Result<PathBuf, ConfigErrors> {
    if let Some(path) = asked_for {
        return Ok(path.to_owned());
    }
    let mut candidates = directories.iter().map(|directory| Path::new(directory).join(name));
    candidates.find(|path| path.exists()).ok_or_else(|| {
        ConfigErrors::one(
            Place::File(name.to_owned()),
            format!("no such file in {}", directories.join(" or ")),
        )
    })
}

/// Reads the file and the environment of this process.
///
/// # Errors
/// As [`parse`], and if the file cannot be read, is no regular file, is too large or is not UTF-8.
pub fn load<T: DeserializeOwned + Check>(path: &Path) -> Result<T, ConfigErrors> {
    let file = path.display().to_string();
    let bytes = read(path).map_err(|why| ConfigErrors::one(Place::File(file.clone()), why))?;
    let text = match std::str::from_utf8(&bytes) {
        Ok(text) => text,
        Err(error) => return Err(not_utf8(&bytes, file, error.valid_up_to())),
    };
    parse(text, &file, variables()?)
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let because = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => "no such file".to_owned(),
        ErrorKind::PermissionDenied => "this user may not read the file".to_owned(),
        _ => format!("cannot be read: {error}"),
    };
    // Asked first, because opening a pipe would wait for its writer.
    if !std::fs::metadata(path).map_err(because)?.is_file() {
        return Err("not a regular file".to_owned());
    }
    let mut bytes = Vec::new();
    // One byte more than allowed shows that the file is too large.
    let limit = LARGEST as u64 + 1;
    File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(because)?;
    Ok(bytes)
}

/// `valid` is the number of bytes before the first that is no UTF-8.
fn not_utf8(bytes: &[u8], file: String, valid: usize) -> ConfigErrors {
    let position = position(&String::from_utf8_lossy(bytes), valid);
    ConfigErrors::one(Place::Text { file, position }, "not UTF-8: save the file as UTF-8")
}

fn variables() -> Result<Vec<(String, String)>, ConfigErrors> {
    let ours = std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(PREFIX.as_bytes()));
    ours.map(|(name, value)| {
        let place = Place::Variable(name.to_string_lossy().into_owned());
        match (name.into_string(), value.into_string()) {
            (Ok(name), Ok(value)) => Ok((name, value)),
            _ => Err(ConfigErrors::one(place, "name and value must be UTF-8")),
        }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explicit_path_is_taken_as_it_is() {
        let asked_for = Path::new("/nowhere/x.toml");
        assert_eq!(locate_in(Some(asked_for), "y.toml", &[]), Ok(asked_for.to_owned()));
    }

    #[test]
    fn a_name_is_looked_up_in_the_directories_in_order() -> std::io::Result<()> {
        let (one, two) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let directories: Vec<&str> = [&one, &two].iter().filter_map(|dir| dir.path().to_str()).collect();
        let missing = locate_in(None, "x.toml", &directories).map_err(|errors| errors.to_string());
        assert_eq!(missing, Err(format!("x.toml: no such file in {}", directories.join(" or "))));
        std::fs::write(two.path().join("x.toml"), "")?;
        assert_eq!(locate_in(None, "x.toml", &directories), Ok(two.path().join("x.toml")));
        std::fs::write(one.path().join("x.toml"), "")?;
        assert_eq!(locate_in(None, "x.toml", &directories), Ok(one.path().join("x.toml")));
        Ok(())
    }
}
