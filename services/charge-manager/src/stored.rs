//! The memory as it is stored, so that a restart interrupts nothing and the counters outlive a power cut.
//!
//! Two places are meant: every second or so one that is fast and may be lost (a RAM disk), and every ten minutes, at the
//! end of the process and when the bank has become full one that stays (flash). Both hold the same text.

use serde::{Deserialize, Serialize};

use crate::filter::Since;
use crate::input::Wall;
use crate::memory::Memory;

/// Changes with every change of what is stored: another version is not read.
const VERSION: u32 = 1;
/// A memory that is not older is taken up as it is, s.
pub const WARM_S: i64 = 60;

#[derive(Serialize, Deserialize)]
struct Stored<M> {
    version: u32,
    saved_unix_s: Option<i64>,
    memory: M,
}

/// Why a stored memory cannot be used. The manager then starts without one.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    /// It is no text of ours, or a broken one.
    #[error("the stored memory cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// It is that of another version.
    #[error("the stored memory is of version {0}, not {VERSION}")]
    Version(u32),
}

impl Memory {
    /// The memory as text.
    ///
    /// # Errors
    /// When a number in it is none; that would be a defect of this crate.
    pub fn to_text(&self, wall: Option<Wall>) -> Result<String, serde_json::Error> {
        let saved_unix_s = wall.map(|wall| wall.unix_s);
        serde_json::to_string(&Stored { version: VERSION, saved_unix_s, memory: self })
    }

    /// Reads a memory back. One that is younger than a minute is taken up as soon as all its members are fresh; of an older
    /// one the counters and the state remain.
    ///
    /// # Errors
    /// When the text is not one of [`Memory::to_text`].
    pub fn from_text(text: &str, wall: Option<Wall>) -> Result<Memory, StoredError> {
        let Stored { version, .. } = serde_json::from_str::<Stored<serde::de::IgnoredAny>>(text)?;
        if version != VERSION {
            return Err(StoredError::Version(version));
        }
        let Stored { saved_unix_s, mut memory, .. } = serde_json::from_str::<Stored<Memory>>(text)?;
        memory.clock.forget();
        memory.members.values_mut().for_each(|member| member.data.forget_clock());
        let age_s = saved_unix_s.zip(wall).map(|(saved, wall)| wall.unix_s.saturating_sub(saved));
        let warm = age_s.is_some_and(|age_s| (0..WARM_S).contains(&age_s));
        if warm && memory.inside().next().is_some() {
            memory.pending = Some(Since::default());
        } else {
            memory.cool_down();
        }
        Ok(memory)
    }
}
