//! A recording by candump instead of a bus: for support and for tests.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use service_kit::{Backoff, Repeating, serial};
use tokio::time::{Instant, sleep_until};

use super::LinkEvent;
use crate::candump::{Entries, Interface, ReadError, entries};
use crate::frame::Frame;
use crate::link_health::LinkHealth;

/// Between two frames of a recording without times: a battery sends some ten frames a second.
const UNTIMED: Duration = Duration::from_millis(100);
/// A longer silence in a recording is cut to this.
const LONGEST_GAP: Duration = Duration::from_secs(24 * 3600);
/// Between the end of a recording and its repetition.
const PAUSE: Duration = Duration::from_secs(1);
/// Frames that come closer together come together.
const GATHER: Duration = Duration::from_millis(5);
/// Frames that are given at once, at most.
const PORTION: usize = 256;

/// How a recording is played.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Play {
    /// Only frames of this interface.
    pub interface: Option<Interface>,
    /// 1 as it was recorded, 10 ten times as fast; over 0.
    pub speed: f64,
    /// Again from the start when it ends.
    pub repeat: bool,
}

/// A recording and where it is.
#[derive(Debug)]
pub struct CandumpLog {
    path: PathBuf,
    play: Play,
    state: State,
    backoff: Backoff,
    failure: Repeating,
    health: LinkHealth,
}

#[derive(Debug)]
enum State {
    /// For the file to be there.
    Waiting,
    /// Until it is opened again, because it has failed.
    Pausing(Instant),
    /// Until it is played again.
    Repeating(Instant),
    Playing(Box<Player<BufReader<File>>>),
    Ended,
}

impl CandumpLog {
    /// The recording at `path`. Nothing is opened yet.
    #[must_use]
    pub fn new(path: PathBuf, play: Play, seed: u64) -> Self {
        let backoff = Backoff::for_hardware(seed);
        let (failure, health) = (Repeating::default(), LinkHealth::default());
        CandumpLog { path, play, state: State::Waiting, backoff, failure, health }
    }

    /// What happens next; frames are added to `frames`. Dropping the future loses nothing.
    pub async fn next(&mut self, frames: &mut Vec<Frame>) -> LinkEvent {
        loop {
            match &mut self.state {
                State::Waiting => {
                    serial::wait_for(&self.path).await;
                    return self.open();
                }
                State::Pausing(until) => {
                    sleep_until(*until).await;
                    return self.open();
                }
                State::Repeating(until) => {
                    sleep_until(*until).await;
                    if self.open() == LinkEvent::Down {
                        return LinkEvent::Down;
                    }
                }
                State::Playing(player) => {
                    if player.play(frames).await {
                        return LinkEvent::Frames;
                    }
                    return self.ended();
                }
                State::Ended => std::future::pending().await,
            }
        }
    }

    /// What the link is waiting for, in a few words; `None` while it plays.
    #[must_use]
    pub fn waiting_for(&self) -> Option<String> {
        let path = self.path.display();
        match self.state {
            State::Waiting | State::Pausing(_) => Some(path.to_string()),
            State::Ended => Some(format!("nothing: {path} has ended")),
            State::Repeating(_) | State::Playing(_) => None,
        }
    }

    /// How the recording is: of a bus nothing is known.
    #[must_use]
    pub fn health(&self) -> &LinkHealth {
        &self.health
    }

    fn open(&mut self) -> LinkEvent {
        let now = Instant::now();
        match open(&self.path) {
            Ok(file) => {
                self.state = State::Playing(Box::new(Player::new(file, self.play, now)));
                LinkEvent::Up
            }
            Err(error) => self.fail(&error.to_string(), now),
        }
    }

    fn ended(&mut self) -> LinkEvent {
        let now = Instant::now();
        let State::Playing(player) = &self.state else { return LinkEvent::Frames };
        let (played, skipped) = (player.played, player.skipped);
        if played == 0 {
            return self.fail("no frame in it, of the interface that was asked for", now);
        }
        if let Some(report) = self.failure.ended(now) {
            tracing::info!("{} is played again: {report}", self.path.display());
        }
        self.backoff.succeeded(now);
        self.health = LinkHealth::default();
        if self.play.repeat {
            self.state = State::Repeating(now + PAUSE);
            return LinkEvent::Frames;
        }
        tracing::info!(skipped, "{} has ended after {played} frames", self.path.display());
        self.state = State::Ended;
        LinkEvent::Down
    }

    fn fail(&mut self, why: &str, now: Instant) -> LinkEvent {
        let why = format!("{}: {why}", self.path.display());
        if let Some(report) = self.failure.failed(now, &why) {
            tracing::warn!("{report}");
        }
        self.health.trouble = Some(why);
        self.state = State::Pausing(now + self.backoff.failed(now));
        LinkEvent::Down
    }
}

/// A regular file: reading anything else could wait.
fn open(path: &Path) -> io::Result<BufReader<File>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    File::open(path).map(BufReader::new)
}

/// One pass through a recording.
#[derive(Debug)]
struct Player<R> {
    entries: Entries<R>,
    play: Play,
    /// The next frame and when it is due.
    next: Option<(Frame, Instant)>,
    timestamp: Option<Duration>,
    given: Instant,
    played: u64,
    skipped: u64,
}

impl<R: BufRead> Player<R> {
    fn new(recording: R, play: Play, now: Instant) -> Self {
        let (timestamp, given) = (None, now);
        let mut player =
            Player { entries: entries(recording), play, next: None, timestamp, given, played: 0, skipped: 0 };
        player.next = player.read().map(|(frame, _)| (frame, now));
        player
    }

    /// Waits for the next frames and adds them; false at the end of the recording.
    async fn play(&mut self, frames: &mut Vec<Frame>) -> bool {
        let Some((_, due)) = self.next else { return false };
        sleep_until(if self.played == 0 { due } else { due.max(self.given + GATHER) }).await;
        self.given = Instant::now();
        for _ in 0..PORTION {
            let Some((frame, due)) = self.next.take_if(|(_, due)| *due <= self.given) else { break };
            frames.push(frame);
            self.played += 1;
            self.next = self.read().map(|(frame, gap)| (frame, due + gap));
        }
        true
    }

    /// The next frame, and how long after the last.
    fn read(&mut self) -> Option<(Frame, Duration)> {
        loop {
            let entry = match self.entries.next()? {
                Ok(numbered) => numbered.entry,
                Err(error @ ReadError::Line { .. }) => {
                    if self.skipped == 0 {
                        tracing::warn!("{error}; skipped, further ones without a word");
                    }
                    self.skipped += 1;
                    continue;
                }
                Err(error @ ReadError::Io { .. }) => {
                    tracing::warn!("{error}");
                    return None;
                }
            };
            if self.play.interface.is_some_and(|wanted| wanted != entry.interface) {
                continue;
            }
            let gap = match (self.timestamp, entry.timestamp) {
                (Some(last), Some(this)) => this.saturating_sub(last).min(LONGEST_GAP),
                _ => UNTIMED,
            };
            self.timestamp = entry.timestamp;
            let gap = Duration::try_from_secs_f64(gap.as_secs_f64() / self.play.speed).unwrap_or(LONGEST_GAP);
            return Some((entry.frame, gap));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REAL_TIME: Play = Play { interface: None, speed: 1.0, repeat: false };

    /// The first data byte of each frame and the milliseconds when it came.
    async fn played(recording: &str, play: Play) -> Vec<(u8, u128)> {
        let start = Instant::now();
        let mut player = Player::new(recording.as_bytes(), play, start);
        let (mut frames, mut seen) = (Vec::new(), Vec::new());
        while player.play(&mut frames).await {
            let at = start.elapsed().as_millis();
            seen.extend(frames.drain(..).map(|frame| (frame.data()[0], at)));
        }
        seen
    }

    const LOG: &str = "(100.000000) can0 351#01\n(100.002000) can0 355#02\n(101.500000) can1 356#03\nnonsense\n\
                       (101.000000) can0 359#04\n(103.000000) can0 351#05\n";

    #[tokio::test(start_paused = true)]
    async fn frames_come_when_they_came_then_and_close_ones_together() {
        let seen = played(LOG, REAL_TIME).await;
        assert_eq!(
            seen,
            [(1, 0), (2, 5), (3, 1500), (4, 1500), (5, 3500)],
            "a clock that was set back does not wait"
        );
        let fast = played(LOG, Play { speed: 10.0, ..REAL_TIME }).await;
        assert_eq!(fast.last(), Some(&(5, 350)));
    }

    #[tokio::test(start_paused = true)]
    async fn one_interface_of_several_can_be_picked() {
        let seen = played(LOG, Play { interface: Interface::new("can0"), ..REAL_TIME }).await;
        assert_eq!(seen.iter().map(|(byte, _)| *byte).collect::<Vec<_>>(), [1, 2, 4, 5]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_recording_without_times_is_played_at_the_pace_of_a_battery() {
        let seen = played("  can0  351   [1]  01\n  can0  355   [1]  02\n", REAL_TIME).await;
        assert_eq!(seen, [(1, 0), (2, 100)]);
    }

    #[tokio::test(start_paused = true)]
    async fn no_time_stamp_is_too_large() {
        let recording = "(0.0) can0 351#01\n(18446744073709551615.0) can0 351#02\n";
        assert_eq!(played(recording, Play { speed: 0.01, ..REAL_TIME }).await.len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_recording_is_repeated_or_ends_and_one_without_frames_does_not_spin() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "(1.0) can0 351#01\n(2.0) can0 351#02\n").unwrap();
        let passes = async |repeat, count| {
            let mut link = CandumpLog::new(file.path().to_owned(), Play { repeat, ..REAL_TIME }, 1);
            let (start, mut frames, mut events) = (Instant::now(), Vec::new(), Vec::new());
            for _ in 0..count {
                events.push(link.next(&mut frames).await);
            }
            (frames.len(), start.elapsed().as_secs(), link.waiting_for(), events.pop())
        };
        // Up, two frames, the end, and the same without another Up: it is still the same battery.
        assert_eq!(passes(true, 7).await, (4, 3, None, Some(LinkEvent::Frames)));
        let (frames, _, waiting, event) = passes(false, 4).await;
        assert_eq!((frames, event), (2, Some(LinkEvent::Down)));
        assert!(waiting.is_some_and(|text| text.ends_with("has ended")));

        std::fs::write(file.path(), "nothing\n").unwrap();
        let (frames, seconds, ..) = passes(true, 20).await;
        assert!(frames == 0 && seconds > 100, "{seconds} s");
    }
}
