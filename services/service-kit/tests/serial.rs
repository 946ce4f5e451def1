//! Serial ports on real pseudo-terminals, with real processes that hold them.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use service_kit::serial::{OpenError, Port, is_unplugged, wait_for};
use testbed::one_of_awaited;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout};

const DEADLINE: Duration = Duration::from_secs(20);

/// The other end of a cable: the master of a pseudo-terminal.
fn plug() -> (File, PathBuf) {
    let master: OwnedFd = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    (File::from(master), PathBuf::from(OsString::from_vec(name.into_bytes())))
}

async fn in_time<F: Future>(event: F) -> F::Output {
    timeout(DEADLINE, event).await.expect("it happens in time")
}

#[tokio::test]
async fn every_byte_passes_unchanged_in_both_directions() {
    let (mut master, path) = plug();
    let mut port = Port::open(&path, 115_200).unwrap();
    let all: Vec<u8> = (0..=255).collect();

    port.write_all(&all).await.unwrap();
    let mut received = vec![0; 256];
    master.read_exact(&mut received).unwrap();
    assert_eq!(received, all);

    master.write_all(&all).unwrap();
    received.fill(0);
    in_time(port.read_exact(&mut received)).await.unwrap();
    assert_eq!(received, all);
}

#[tokio::test]
async fn a_port_opens_by_a_link_and_at_any_baud_rate() {
    let directory = tempfile::tempdir().unwrap();
    let link = directory.path().join("usb-adapter");
    let (_master, path) = plug();
    symlink(&path, &link).unwrap();
    for baud_rate in [300, 9600, 115_200, 123_456, 3_000_000, u32::MAX] {
        let port = Port::open(&link, baud_rate).unwrap();
        assert_eq!(port.path(), link);
    }
}

#[tokio::test]
async fn what_was_received_before_opening_is_dropped() {
    let (mut master, path) = plug();
    {
        let _first = Port::open(&path, 9600).unwrap();
        master.write_all(b"old").unwrap();
    }
    let mut port = Port::open(&path, 9600).unwrap();
    master.write_all(b"new").unwrap();
    let mut received = [0; 3];
    in_time(port.read_exact(&mut received)).await.unwrap();
    assert_eq!(&received, b"new");
}

#[tokio::test]
async fn late_bytes_can_be_discarded() {
    let (mut master, path) = plug();
    let mut port = Port::open(&path, 9600).unwrap();
    master.write_all(b"xlate").unwrap();
    // One byte read shows that the others have arrived with it.
    let mut received = [0; 1];
    in_time(port.read_exact(&mut received)).await.unwrap();
    port.discard_input().unwrap();
    master.write_all(b"n").unwrap();
    in_time(port.read_exact(&mut received)).await.unwrap();
    assert_eq!(&received, b"n");
}

#[tokio::test]
async fn more_than_the_kernel_takes_at_once_is_written_when_there_is_room() {
    let (mut master, path) = plug();
    let mut port = Port::open(&path, 9600).unwrap();
    let reader = thread::spawn(move || {
        let mut received = vec![0; 300_000];
        master.read_exact(&mut received).unwrap();
        (master, received)
    });
    let bytes: Vec<u8> = (0..300_000_u32).map(|n| n as u8).collect();
    in_time(port.write_all(&bytes)).await.unwrap();
    in_time(port.flush()).await.unwrap();
    assert!(reader.join().unwrap().1 == bytes);
}

#[tokio::test]
async fn an_unplugged_port_says_so_at_every_call_and_never_reads_nothing() {
    let (master, path) = plug();
    let mut port = Port::open(&path, 9600).unwrap();
    let waiting = tokio::spawn(async move {
        let error = port.read(&mut [0; 8]).await.expect_err("it is unplugged");
        (port, error)
    });
    tokio::task::yield_now().await;
    drop(master);
    let (mut port, error) = in_time(waiting).await.unwrap();
    assert!(is_unplugged(&error), "{error}");
    assert_eq!(error.to_string(), format!("{} was unplugged", path.display()));
    for _ in 0..3 {
        assert!(is_unplugged(&in_time(port.read(&mut [0; 8])).await.expect_err("it is unplugged")));
        assert!(is_unplugged(&in_time(port.write(b"x")).await.expect_err("it is unplugged")));
        assert!(is_unplugged(&port.discard_input().expect_err("it is unplugged")));
    }
}

#[tokio::test]
async fn a_writer_notices_too() {
    let (master, path) = plug();
    let mut port = Port::open(&path, 9600).unwrap();
    drop(master);
    assert!(is_unplugged(&in_time(port.write_all(b"x")).await.expect_err("it is unplugged")));
    assert!(!is_unplugged(&std::io::Error::other("something else")));
}

#[tokio::test]
async fn what_was_received_before_the_plug_was_pulled_is_lost_without_harm() {
    let (mut master, path) = plug();
    let mut port = Port::open(&path, 9600).unwrap();
    master.write_all(b"last").unwrap();
    drop(master);
    let mut received = Vec::new();
    let error = in_time(port.read_to_end(&mut received)).await.expect_err("there is no end, only unplugged");
    assert!(is_unplugged(&error));
}

#[tokio::test]
async fn a_second_open_is_refused_and_names_this_process() {
    let (_master, path) = plug();
    let first = Port::open(&path, 9600).unwrap();
    let error = Port::open(&path, 9600).expect_err("it is in use");
    let name = fs::read_to_string("/proc/self/comm").unwrap();
    let expected =
        format!("{} is in use by process {} ({})", path.display(), std::process::id(), name.trim());
    assert_eq!(error.to_string(), expected);
    drop(first);
    assert!(Port::open(&path, 9600).is_ok(), "and free again afterwards");
}

/// A child process, ended with its handle.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Not a test: holds a port in a child until it is killed.
#[tokio::test]
async fn holder() {
    let Some(path) = std::env::var_os("HOLD") else { return };
    let _port = Port::open(path.as_ref(), 9600).unwrap();
    eprintln!("held");
    std::future::pending::<()>().await;
}

fn hold(path: &Path) -> Ended {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["holder", "--exact", "--nocapture"]).env("HOLD", path);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut held = [0; 4];
    child.stderr.take().unwrap().read_exact(&mut held).unwrap();
    assert_eq!(&held, b"held");
    Ended(child)
}

#[tokio::test]
async fn a_port_of_another_process_is_refused_by_its_pid_until_that_is_killed() {
    let (_master, path) = plug();
    let mut other = hold(&path);
    let OpenError::Busy { holder, .. } = Port::open(&path, 9600).expect_err("it is in use") else {
        panic!("busy")
    };
    assert_eq!(holder.unwrap().pid, other.0.id());
    other.0.kill().unwrap();
    other.0.wait().unwrap();
    assert!(Port::open(&path, 9600).is_ok());
}

#[tokio::test]
async fn a_refused_open_leaves_the_holder_alone() {
    let (mut master, path) = plug();
    let mut port = Port::open(&path, 9600).unwrap();
    master.write_all(b"abc").unwrap();
    assert!(Port::open(&path, 300).is_err());
    assert!(Port::open(&path, 300).is_err(), "and its lock stays");
    let mut received = [0; 3];
    in_time(port.read_exact(&mut received)).await.unwrap();
    assert_eq!(&received, b"abc");
}

#[tokio::test]
async fn a_lock_of_a_foreign_program_counts() {
    let (_master, path) = plug();
    let foreign = File::options().read(true).write(true).open(&path).unwrap();
    flock(&foreign, FlockOperation::NonBlockingLockExclusive).unwrap();
    assert!(matches!(Port::open(&path, 9600), Err(OpenError::Busy { holder: Some(_), .. })));
    drop(foreign);
    assert!(Port::open(&path, 9600).is_ok());
}

#[tokio::test]
async fn what_is_no_port_is_refused_with_a_reason() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    for (path, reason) in [
        (directory.path().join("missing"), "does not exist"),
        (file, "is no serial port"),
        (directory.path().to_owned(), "is no serial port"),
        (PathBuf::from("/dev/null"), "is no serial port"),
    ] {
        let error = Port::open(&path, 9600).expect_err("it is no port");
        assert_eq!(error.to_string(), format!("{} {reason}", path.display()));
        assert_eq!(error.is_missing(), reason == "does not exist");
    }
}

#[tokio::test]
async fn a_port_that_is_there_is_not_waited_for() {
    let (_master, path) = plug();
    one_of_awaited(3, async || {
        let start = Instant::now();
        in_time(wait_for(&path)).await;
        is_below(Duration::from_millis(500), start.elapsed())
    })
    .await;
}

/// A time that a busy machine may have made longer.
fn is_below(limit: Duration, took: Duration) -> Result<(), String> {
    if took < limit { Ok(()) } else { Err(format!("{took:?}")) }
}

/// Lets `appear` happen once somebody waits, and returns how long the waiting took.
async fn waited(path: &Path, appear: impl FnOnce()) -> Duration {
    let owned = path.to_owned();
    let waiting = tokio::spawn(async move { wait_for(&owned).await });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    let start = Instant::now();
    appear();
    in_time(waiting).await.unwrap();
    start.elapsed()
}

/// Well below the re-check of 2 s: it was an event.
const BY_EVENT: Duration = Duration::from_millis(1500);

#[tokio::test]
async fn a_link_that_appears_ends_the_waiting_at_once() {
    one_of_awaited(3, async || {
        let directory = tempfile::tempdir().unwrap();
        let (_master, path) = plug();
        let link = directory.path().join("usb-adapter");
        is_below(BY_EVENT, waited(&link, || symlink(&path, &link).unwrap()).await)
    })
    .await;
}

#[tokio::test]
async fn a_link_that_is_moved_into_place_counts() {
    one_of_awaited(3, async || {
        let directory = tempfile::tempdir().unwrap();
        let (_master, path) = plug();
        let (temporary, link) = (directory.path().join(".tmp"), directory.path().join("usb-adapter"));
        let took = waited(&link, || {
            symlink(&path, &temporary).unwrap();
            fs::rename(&temporary, &link).unwrap();
        });
        is_below(BY_EVENT, took.await)
    })
    .await;
}

#[tokio::test]
async fn directories_that_do_not_exist_yet_are_followed_as_they_appear() {
    let directory = tempfile::tempdir().unwrap();
    let by_id = directory.path().join("serial/by-id");
    let link = by_id.join("usb-adapter");
    let took = waited(&link, || {
        fs::create_dir_all(&by_id).unwrap();
        fs::write(&link, "").unwrap();
    });
    assert!(took.await < BY_EVENT);
}

#[tokio::test]
async fn a_directory_that_goes_and_comes_back_is_watched_again() {
    let directory = tempfile::tempdir().unwrap();
    let by_id = directory.path().join("by-id");
    fs::create_dir(&by_id).unwrap();
    let link = by_id.join("usb-adapter");
    let took = waited(&link, || {
        fs::remove_dir(&by_id).unwrap();
        fs::create_dir(&by_id).unwrap();
        fs::write(&link, "").unwrap();
    });
    assert!(took.await < BY_EVENT);
}

#[tokio::test]
async fn a_link_to_nothing_is_waited_for_until_its_device_appears() {
    let directory = tempfile::tempdir().unwrap();
    let device = directory.path().join("dev/ttyUSB0");
    fs::create_dir(directory.path().join("dev")).unwrap();
    fs::create_dir(directory.path().join("by-id")).unwrap();
    let link = directory.path().join("by-id/usb-adapter");
    symlink("../dev/ttyUSB0", &link).unwrap();
    let took = waited(&link, || fs::write(&device, "").unwrap()).await;
    assert!(took < BY_EVENT, "{took:?}");
}

#[tokio::test]
async fn links_in_a_circle_end_nothing_and_hang_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (one, other) = (directory.path().join("one"), directory.path().join("other"));
    symlink(&other, &one).unwrap();
    symlink(&one, &other).unwrap();
    let took = waited(&one, || {
        fs::remove_file(&other).unwrap();
        fs::write(&other, "").unwrap();
    });
    assert!(took.await < BY_EVENT);
}

#[tokio::test]
async fn a_directory_where_much_happens_does_not_keep_the_waiter_busy() {
    let directory = tempfile::tempdir().unwrap();
    let link = directory.path().join("usb-adapter");
    let took = waited(&link, || {
        for n in 0..20_000 {
            fs::write(directory.path().join(format!("other{}", n % 50)), "").unwrap();
            let _ = fs::remove_file(directory.path().join(format!("other{}", n % 50)));
        }
        fs::write(&link, "").unwrap();
    });
    assert!(took.await < DEADLINE);
}

#[tokio::test]
async fn replugging_is_seen_end_to_end() {
    let directory = tempfile::tempdir().unwrap();
    let link = directory.path().join("usb-adapter");
    for round in 0..3_u8 {
        let (mut master, path) = plug();
        waited(&link, || symlink(&path, &link).unwrap()).await;
        let mut port = Port::open(&link, 9600).unwrap();
        master.write_all(&[round]).unwrap();
        assert_eq!(in_time(port.read_u8()).await.unwrap(), round);
        fs::remove_file(&link).unwrap();
        drop(master);
        assert!(is_unplugged(&in_time(port.read_u8()).await.expect_err("it is unplugged")));
    }
}
