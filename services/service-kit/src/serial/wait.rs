//! Waiting for a port to appear, by event.

use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use tokio::io::unix::AsyncFd;
use tokio::time::sleep;

use super::polled;

/// Looked again without an event, for file systems and drivers that send none.
const RECHECK: Duration = Duration::from_secs(2);

/// At least this long between two looks: a directory where much happens must not keep us busy.
const PAUSE: Duration = Duration::from_millis(100);

/// A chain of links longer than this is none.
const LINKS: usize = 8;

/// Returns when `path` exists, at once if it does. A link counts when what it points to exists.
pub async fn wait_for(path: &Path) {
    let mut watch = None;
    while !path.exists() {
        let places = places(path);
        if watch.as_ref().is_none_or(|watch: &Watch| watch.places != places) {
            watch = Watch::on(places);
            // It may have appeared before the watch stood.
            if path.exists() {
                return;
            }
        }
        // Without inotify (its instances are limited per user) the re-check has to do.
        let Some(watching) = &watch else {
            sleep(RECHECK).await;
            continue;
        };
        tokio::select! {
            standing = watching.changed() => {
                if !standing {
                    watch = None;
                }
                if !path.exists() {
                    sleep(PAUSE).await;
                }
            }
            () = sleep(RECHECK) => {}
        }
    }
}

/// The directories in which something has to happen before `path` can exist: the nearest that exists above it and, if
/// it is a link to nothing, above what it points to.
fn places(path: &Path) -> Vec<PathBuf> {
    let mut places = Vec::new();
    let mut link = path.to_owned();
    for _ in 0..LINKS {
        places.extend(
            link.ancestors().skip(1).map(at_least_here).find(|above| above.is_dir()).map(Path::to_owned),
        );
        let Ok(target) = std::fs::read_link(&link) else { break };
        link = link.parent().unwrap_or(Path::new("")).join(target);
    }
    places
}

/// The directory above a bare name is this one.
fn at_least_here(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

/// Watches directories for new entries.
struct Watch {
    places: Vec<PathBuf>,
    events: AsyncFd<OwnedFd>,
}

impl Watch {
    fn on(places: Vec<PathBuf>) -> Option<Self> {
        let events = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok()?;
        let news = WatchFlags::CREATE
            | WatchFlags::MOVED_TO
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        for place in &places {
            inotify::add_watch(&events, place, news).ok()?;
        }
        Some(Self { places, events: polled(events).ok()? })
    }

    /// Returns when something happened; false if a watched directory is gone and the watch with it.
    async fn changed(&self) -> bool {
        let Ok(mut ready) = self.events.readable().await else { return false };
        let mut standing = true;
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(&self.events, &mut buffer);
        while let Ok(event) = reader.next() {
            let lost = ReadFlags::IGNORED
                | ReadFlags::DELETE_SELF
                | ReadFlags::MOVE_SELF
                | ReadFlags::QUEUE_OVERFLOW;
            standing &= !event.events().intersects(lost);
        }
        ready.clear_ready();
        standing
    }
}
