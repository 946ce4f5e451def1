//! Who holds a port that is in use, as far as `/proc` tells.

use std::fmt;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A process that has a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its process id.
    pub pid: u32,
    /// Its name (`/proc/PID/comm`), empty if it cannot be read.
    pub name: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name.as_str() {
            "" => write!(f, "process {}", self.pid),
            name => write!(f, "process {} ({name})", self.pid),
        }
    }
}

/// Who holds the device at `path`: the one who locked it, else one who has it open.
pub(super) fn find(path: &Path, device: &Metadata) -> Option<Holder> {
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    let pid = locker(&locks, device.dev(), device.ino()).or_else(|| opener(path))?;
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    Some(Holder { pid, name: name.trim_end().to_owned() })
}

/// The process with a `flock` on the file, from the text of `/proc/locks` (proc_locks(5)):
/// `1: FLOCK  ADVISORY  WRITE 4711 00:18:3 0 EOF`.
fn locker(locks: &str, device: u64, inode: u64) -> Option<u32> {
    let file = format!("{:02x}:{:02x}:{inode}", rustix::fs::major(device), rustix::fs::minor(device));
    locks.lines().find_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let lock = (fields.next()?, fields.nth(2)?, fields.next()?);
        let (kind, pid, locked) = lock;
        (kind == "FLOCK" && locked == file).then(|| pid.parse().ok()).flatten()
    })
}

/// Another process that has the device open. Shows processes of other users only to root.
fn opener(path: &Path) -> Option<u32> {
    let device = fs::canonicalize(path).ok()?;
    let has_it = |pid: &u32| {
        let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        open.filter_map(|entry| fs::read_link(entry.path()).ok()).any(|target| target == device)
    };
    let numbers =
        fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter(|pid| *pid != std::process::id()).find(has_it)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCKS: &str = "\
1: POSIX  ADVISORY  READ 9817 fe:00:10420416 0 EOF
2: FLOCK  ADVISORY  WRITE 42 00:18:3 0 EOF
2: -> FLOCK  ADVISORY  WRITE 43 00:18:4 0 EOF
3: FLOCK  ADVISORY  WRITE -1 00:18:5 0 EOF
garbage
";

    #[test]
    fn the_locker_is_found_by_device_and_inode() {
        let device = rustix::fs::makedev(0, 0x18);
        assert_eq!(locker(LOCKS, device, 3), Some(42));
        assert_eq!(locker(LOCKS, device, 4), None, "who waits for a lock does not hold it");
        assert_eq!(locker(LOCKS, device, 5), None, "a process of another namespace has no number here");
        assert_eq!(locker(LOCKS, rustix::fs::makedev(0xfe, 0), 10_420_416), None);
    }

    #[test]
    fn a_holder_reads_as_a_person_would_say_it() {
        assert_eq!(Holder { pid: 7, name: "gpsd".into() }.to_string(), "process 7 (gpsd)");
        assert_eq!(Holder { pid: 7, name: String::new() }.to_string(), "process 7");
    }
}
