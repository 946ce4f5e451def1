//! Which refused writes are worth a line in the log: what a client may repeat a thousand times a second must not fill it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use tokio::time::Instant;

/// Between two lines about the same path and reason.
const INTERVAL: Duration = Duration::from_secs(600);
/// So many different reasons of one path get a line of their own within the interval; further ones are counted.
const REASONS: usize = 4;
/// So many paths are told apart; further ones are counted together.
const PATHS: usize = 32;

/// The refused writes of a service. Takes the same memory however many there are.
#[derive(Debug, Default)]
pub struct Refusals {
    paths: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    /// Empty for what the others have no room for.
    path: String,
    since: Instant,
    /// Hashes: a reason may hold a long text of the client.
    reasons: Vec<u64>,
    untold: u64,
}

impl Refusals {
    /// A write to `path` is refused at `now`: the line, if it is worth one. The first is, and each with another reason up
    /// to four; then one in ten minutes, with the number of those that were not told.
    pub fn line(&mut self, path: &str, reason: &str, now: Instant) -> Option<String> {
        let entry = self.entry(path, now);
        if now.saturating_duration_since(entry.since) >= INTERVAL {
            entry.since = now;
            entry.reasons.clear();
        }
        let mut hasher = DefaultHasher::new();
        reason.hash(&mut hasher);
        let reason_hash = hasher.finish();
        if entry.reasons.contains(&reason_hash) || entry.reasons.len() >= REASONS {
            entry.untold = entry.untold.saturating_add(1);
            return None;
        }
        entry.reasons.push(reason_hash);
        Some(match std::mem::take(&mut entry.untold) {
            0 => reason.to_owned(),
            untold => format!("{reason} ({untold} more were refused since the last line)"),
        })
    }

    fn entry(&mut self, path: &str, now: Instant) -> &mut Entry {
        let old = |entry: &Entry| now.saturating_duration_since(entry.since) >= INTERVAL && entry.untold == 0;
        self.paths.retain(|entry| entry.path == path || !old(entry));
        let known = self.paths.iter().position(|entry| entry.path == path);
        // The last place is for all that have none of their own.
        let full = self.paths.len() >= PATHS - 1;
        let path = if known.is_none() && full { "" } else { path };
        let at = known.or_else(|| self.paths.iter().position(|entry| entry.path == path));
        let at = at.unwrap_or_else(|| {
            self.paths.push(Entry { path: path.to_owned(), since: now, reasons: Vec::new(), untold: 0 });
            self.paths.len() - 1
        });
        #[expect(
            clippy::indexing_slicing,
            reason = "a position just found, or that of the entry just pushed"
        )]
        &mut self.paths[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn an_hour_of_refused_writes_each_second_is_seven_lines_that_count_all() {
        let (start, mut refusals) = (Instant::now(), Refusals::default());
        let lines: Vec<String> =
            (0..3601).filter_map(|n| refusals.line("/Mode", "read-only", start + SECOND * n)).collect();
        assert_eq!(lines.len(), 7, "{lines:?}");
        assert_eq!(lines[0], "read-only");
        assert!(lines[1..].iter().all(|line| line.contains("(599 more")), "{lines:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn another_path_or_reason_is_told_but_reasons_that_keep_changing_are_not() {
        let (now, mut refusals) = (Instant::now(), Refusals::default());
        assert!(refusals.line("/A", "read-only", now).is_some());
        assert!(refusals.line("/B", "read-only", now).is_some());
        assert!(refusals.line("/A", "the device does not answer", now).is_some());
        assert!(refusals.line("/A", "read-only", now).is_none());
        let told = (0..1000).filter(|n| refusals.line("/A", &format!("{n} is too large"), now).is_some());
        assert_eq!(told.count(), REASONS - 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_paths_take_no_more_memory_or_lines_than_a_few() {
        let (now, mut refusals) = (Instant::now(), Refusals::default());
        let told = (0..1000).filter(|n| refusals.line(&format!("/{n}"), "read-only", now).is_some());
        assert_eq!((told.count(), refusals.paths.len()), (PATHS, PATHS));
        // After the interval the quiet ones make room.
        let later = now + INTERVAL;
        assert_eq!(refusals.line("/999", "read-only", later).as_deref(), Some("read-only"));
        assert!(refusals.paths.len() <= 2);
    }
}
