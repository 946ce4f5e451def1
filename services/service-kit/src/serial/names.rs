//! Names of ports: those that survive replugging, and those that fit into a bus name.

use std::fs;
use std::path::{Path, PathBuf};

/// Where udev keeps the links (systemd's and eudev's `60-serial.rules`), the better ones first.
const LINKS: [&str; 2] = ["/dev/serial/by-id", "/dev/serial/by-path"];

/// A bus name has at most 255 characters; this leaves room for the class before it and stays readable.
const LONGEST: usize = 64;

/// The names of `port` that survive replugging and a change of the discovery order: by serial number (`by-id`) first,
/// then by socket (`by-path`). Empty if udev knows none.
#[must_use]
pub fn stable_names(port: &Path) -> Vec<PathBuf> {
    stable_names_in(&LINKS.map(Path::new), port)
}

fn stable_names_in(directories: &[&Path], port: &Path) -> Vec<PathBuf> {
    let Ok(device) = fs::canonicalize(port) else { return Vec::new() };
    let mut names = Vec::new();
    for directory in directories {
        let mut here: Vec<PathBuf> = fs::read_dir(directory)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|link| fs::canonicalize(link).is_ok_and(|target| target == device))
            .collect();
        here.sort();
        names.append(&mut here);
    }
    names
}

/// A short name of the port for the end of a bus name, from the path as it is configured: `ttyACM0`, or
/// `usb_FTDI_FT232R_A50285BI_if00_port0` for a link by id. Letters, digits and `_` only, no digit first, at most 64
/// characters, never empty. Different long names stay different.
#[must_use]
pub fn bus_suffix(port: &Path) -> String {
    let last = port.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let is_pts = port.parent().and_then(Path::file_name).is_some_and(|parent| parent == "pts");
    let mut suffix = if is_pts { "pts".to_owned() } else { String::new() };
    suffix.extend(last.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }));
    if suffix.starts_with(|c: char| c.is_ascii_digit()) || suffix.is_empty() {
        suffix.insert(0, '_');
    }
    if suffix.len() > LONGEST {
        let end = format!("_{:08x}", fnv1a(last.as_bytes()));
        suffix.truncate(LONGEST - end.len());
        suffix.push_str(&end);
    }
    suffix
}

/// The 32-bit FNV-1a hash (RFC 9923): the same on every machine and in every version.
fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811C_9DC5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::os::unix::fs::symlink;

    fn suffix(port: &str) -> String {
        bus_suffix(Path::new(port))
    }

    #[test]
    fn suffixes_are_made_of_the_last_part_of_the_path() {
        assert_eq!(suffix("/dev/ttyACM0"), "ttyACM0");
        assert_eq!(
            suffix("/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0"),
            "usb_FTDI_FT232R_USB_UART_A50285BI_if00_port0"
        );
        assert_eq!(
            suffix("/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0"),
            "pci_0000_00_14_0_usb_0_2_1_0"
        );
        assert_eq!(suffix("/dev/pts/5"), "pts5");
        assert_eq!(suffix("/dev/serial/by-id/1a86"), "_1a86");
        assert_eq!(suffix("/"), "_");
    }

    #[test]
    fn long_names_are_cut_and_stay_different() {
        let (one, other) =
            (suffix(&format!("/dev/{}1", "x".repeat(200))), suffix(&format!("/dev/{}2", "x".repeat(200))));
        assert_eq!((one.len(), other.len()), (64, 64));
        assert_ne!(one, other);
        assert_eq!(fnv1a(b"foobar"), 0xBF9C_F968, "the test vector of the authors");
    }

    proptest! {
        #[test]
        fn any_path_gives_an_element_of_a_bus_name(path in "\\PC{0,100}") {
            let suffix = suffix(&path);
            prop_assert!((1..=64).contains(&suffix.len()));
            prop_assert!(suffix.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
            prop_assert!(!suffix.starts_with(|c: char| c.is_ascii_digit()));
        }
    }

    #[test]
    fn stable_names_are_the_links_to_the_same_device() -> std::io::Result<()> {
        let directory = tempfile::tempdir()?;
        let (by_id, by_path) = (directory.path().join("by-id"), directory.path().join("by-path"));
        fs::create_dir(&by_id)?;
        fs::create_dir(&by_path)?;
        let (port, other) = (directory.path().join("ttyUSB0"), directory.path().join("ttyUSB1"));
        fs::write(&port, "")?;
        fs::write(&other, "")?;
        symlink("../ttyUSB0", by_path.join("pci-1"))?;
        symlink("../ttyUSB0", by_id.join("usb-b"))?;
        symlink("../ttyUSB0", by_id.join("usb-a"))?;
        symlink("../ttyUSB1", by_id.join("usb-other"))?;
        symlink("../gone", by_id.join("usb-gone"))?;
        let directories = [by_id.as_path(), by_path.as_path(), Path::new("/nowhere")];
        let expected = vec![by_id.join("usb-a"), by_id.join("usb-b"), by_path.join("pci-1")];
        assert_eq!(stable_names_in(&directories, &port), expected);
        assert_eq!(stable_names_in(&directories, &by_id.join("usb-a")), expected, "from a link as well");
        assert_eq!(stable_names_in(&directories, Path::new("/nowhere/x")), Vec::<PathBuf>::new());
        Ok(())
    }
}
