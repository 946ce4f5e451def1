//! The memory on disk. Twice: on a RAM disk every five seconds and when a limit has gone down, so that a restart interrupts
//! nothing; on flash every ten minutes, at the end and when the bank has become full, so that the counters outlive a power
//! cut. The second wears out a few megabytes a day at most.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use service_kit::{Repeating, WallTime};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::input::Wall;
use crate::memory::Memory;
use crate::stored::StoredError;

/// The file in both folders.
const FILE: &str = "memory.json";
/// Between two writes to the RAM disk.
const OFTEN: Duration = Duration::from_secs(5);
/// Between two writes to flash.
const RARELY: Duration = Duration::from_secs(600);
/// Between two writes to flash because the bank has become full.
const AT_LEAST: Duration = Duration::from_secs(60);
/// So long the end of the process waits for the disk.
const END: Duration = Duration::from_millis(700);
/// The largest file that is read.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Where the memory is kept, and when it was written last.
#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
    volatile_folder: PathBuf,
    volatile_at: Option<Instant>,
    kept_at: Instant,
    wanted: bool,
    on_its_way: Option<JoinHandle<io::Result<()>>>,
    failing: [Repeating; 2],
}

/// The clock on the wall as the decision takes it in.
pub(crate) fn wall(time: WallTime) -> Wall {
    Wall { unix_s: time.unix_s, utc_offset_s: time.utc_offset_s }
}

impl Store {
    /// A store in these folders.
    pub(crate) fn new(folder: PathBuf, volatile_folder: PathBuf, now: Instant) -> Store {
        Store {
            folder,
            volatile_folder,
            volatile_at: None,
            kept_at: now,
            wanted: false,
            on_its_way: None,
            failing: Default::default(),
        }
    }

    /// The memory of the last process: of the RAM disk, which has the newest, else that of flash, else none.
    pub(crate) fn load(&self, wall: Wall) -> Memory {
        for folder in [&self.volatile_folder, &self.folder] {
            let file = folder.join(FILE);
            match read(&file).map(|text| text.map(|text| Memory::from_text(&text, Some(wall)))) {
                Ok(Some(Ok(memory))) => return memory,
                Ok(None) => {}
                Ok(Some(Err(StoredError::Version(version)))) => {
                    tracing::info!("{} is of another version ({version}): not used", file.display());
                }
                Ok(Some(Err(error))) => tracing::warn!("{}: {error}", file.display()),
                Err(error) => tracing::warn!("{} cannot be read: {error}", file.display()),
            }
        }
        Memory::default()
    }

    /// The bank has become full: worth keeping soon.
    pub(crate) fn want(&mut self) {
        self.wanted = true;
    }

    /// Writes what is due. `has_fallen`: a limit has gone down since the last time.
    pub(crate) async fn step(&mut self, memory: &Memory, has_fallen: bool, wall: Wall, now: Instant) {
        self.look_after(now).await;
        let volatile_due = self.volatile_at.is_none_or(|at| now.duration_since(at) >= OFTEN) || has_fallen;
        let kept_for = now.duration_since(self.kept_at);
        let kept_due = kept_for >= RARELY || (self.wanted && kept_for >= AT_LEAST);
        let kept_due = kept_due && self.on_its_way.is_none();
        if !volatile_due && !kept_due {
            return;
        }
        let text = match memory.to_text(Some(wall)) {
            Ok(text) => text,
            Err(error) => return self.ended(0, Err(io::Error::other(error)), now),
        };
        if volatile_due {
            self.volatile_at = Some(now);
            let outcome = write(&self.volatile_folder, &text, false);
            self.ended(0, outcome, now);
        }
        if kept_due {
            (self.kept_at, self.wanted) = (now, false);
            self.begin(text);
        }
    }

    /// Writes everything a last time, within the second that the end may take.
    pub(crate) async fn finish(mut self, memory: &Memory, wall: Wall, now: Instant) {
        let Ok(text) = memory.to_text(Some(wall)) else { return };
        let outcome = write(&self.volatile_folder, &text, false);
        self.ended(0, outcome, now);
        if let Some(task) = self.on_its_way.take() {
            let _ = timeout(END, task).await;
        }
        self.begin(text);
        if let Some(task) = self.on_its_way.take() {
            match timeout(END, task).await {
                Ok(outcome) => self.ended(1, outcome.unwrap_or_else(|e| Err(io::Error::other(e))), now),
                Err(_) => {
                    tracing::warn!("{} takes too long: the last minutes are not kept", self.folder.display())
                }
            }
        }
    }

    /// Flash may take seconds: on a thread of its own.
    fn begin(&mut self, text: String) {
        let folder = self.folder.clone();
        self.on_its_way = Some(tokio::task::spawn_blocking(move || write(&folder, &text, true)));
    }

    async fn look_after(&mut self, now: Instant) {
        if self.on_its_way.as_ref().is_some_and(JoinHandle::is_finished)
            && let Some(task) = self.on_its_way.take()
        {
            let outcome = task.await;
            self.ended(1, outcome.unwrap_or_else(|e| Err(io::Error::other(e))), now);
        }
    }

    fn ended(&mut self, place: usize, outcome: io::Result<()>, now: Instant) {
        let folder = if place == 0 { &self.volatile_folder } else { &self.folder };
        let what =
            if place == 0 { "a restart would begin anew" } else { "a power cut would lose the counters" };
        let Some(failing) = self.failing.get_mut(place) else { return };
        match outcome {
            Ok(()) => {
                if let Some(report) = failing.ended(now) {
                    tracing::info!(%report, "{} is written again", folder.display());
                }
            }
            Err(error) => {
                if let Some(report) = failing.failed(now, &error.to_string()) {
                    tracing::error!("{} is not written, {what}: {report}", folder.display());
                }
            }
        }
    }
}

/// The file, where there is one.
fn read(file: &Path) -> io::Result<Option<String>> {
    match fs::metadata(file) {
        Ok(meta) if !meta.is_file() || meta.len() > LARGEST => Err(io::Error::other("it is no file of ours")),
        Ok(_) => fs::read_to_string(file).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Complete or not at all; and where it is to stay, also after a power cut.
fn write(folder: &Path, text: &str, lasting: bool) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let (file, new) = (folder.join(FILE), folder.join(format!("{FILE}.new")));
    let mut out = File::create(&new)?;
    out.write_all(text.as_bytes())?;
    if lasting {
        out.sync_all()?;
    }
    fs::rename(&new, &file)?;
    if lasting {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: Wall = Wall { unix_s: 1_794_787_200, utc_offset_s: 0 };

    fn store(home: &Path) -> Store {
        Store::new(home.join("kept"), home.join("volatile"), Instant::now())
    }

    fn is_there(home: &Path, folder: &str) -> bool {
        home.join(folder).join(FILE).is_file()
    }

    #[tokio::test(start_paused = true)]
    async fn the_ram_disk_is_written_every_five_seconds_and_flash_every_ten_minutes() {
        let home = tempfile::tempdir().unwrap();
        let (mut store, memory) = (store(home.path()), Memory::default());
        let (mut often, mut rarely) = (0, 0);
        let start = Instant::now();
        for second in 0..3_600 {
            let now = start + Duration::from_secs(second);
            store.step(&memory, false, WALL, now).await;
            if let Some(task) = &mut store.on_its_way {
                while !task.is_finished() {
                    tokio::task::yield_now().await;
                }
            }
            for (folder, count) in [("volatile", &mut often), ("kept", &mut rarely)] {
                if is_there(home.path(), folder) {
                    *count += 1;
                    fs::remove_file(home.path().join(folder).join(FILE)).unwrap();
                }
            }
        }
        assert_eq!((often, rarely), (720, 5));
    }

    #[tokio::test]
    async fn what_was_kept_is_read_back_and_rubbish_is_not() {
        let home = tempfile::tempdir().unwrap();
        let mut memory = Memory::default();
        memory.history.full();
        store(home.path()).finish(&memory, WALL, Instant::now()).await;
        assert!(is_there(home.path(), "kept") && is_there(home.path(), "volatile"));
        assert_eq!(store(home.path()).load(WALL).history().full_charges, 1);
        for rubbish in ["", "{", "[1]", "{\"version\":77}"] {
            fs::write(home.path().join("volatile").join(FILE), rubbish).unwrap();
            assert_eq!(store(home.path()).load(WALL).history().full_charges, 1, "that of flash");
        }
        fs::write(home.path().join("kept").join(FILE), "\0").unwrap();
        assert_eq!(store(home.path()).load(WALL), Memory::default());
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_that_goes_down_is_written_at_once() {
        let home = tempfile::tempdir().unwrap();
        let (mut store, memory) = (store(home.path()), Memory::default());
        let start = Instant::now();
        store.step(&memory, false, WALL, start).await;
        fs::remove_file(home.path().join("volatile").join(FILE)).unwrap();
        store.step(&memory, false, WALL, start + Duration::from_secs(1)).await;
        assert!(!is_there(home.path(), "volatile"));
        store.step(&memory, true, WALL, start + Duration::from_secs(2)).await;
        assert!(is_there(home.path(), "volatile"));
    }
}
