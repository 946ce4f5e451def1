//! A failure that goes on: one line at its start, one each ten minutes with a count, one at its end.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

/// Between two lines about the same failure.
const INTERVAL: Duration = Duration::from_secs(600);

/// So many different causes of one failure get a line of their own; further ones are only counted.
const CAUSES: usize = 4;

/// Says when a failure that repeats is worth a line in the log.
///
/// ```
/// use service_kit::Repeating;
/// use tokio::time::Instant;
///
/// let mut opening = Repeating::default();
/// if let Some(report) = opening.failed(Instant::now(), "permission denied") {
///     tracing::warn!(%report, "cannot open the port");
/// }
/// if let Some(report) = opening.ended(Instant::now()) {
///     tracing::info!(%report, "the port is open");
/// }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Repeating {
    current: Option<Current>,
}

#[derive(Debug, Clone)]
struct Current {
    since: Instant,
    last: Instant,
    reported: Instant,
    times: u64,
    causes: Vec<String>,
}

/// What to say about a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Report {
    /// It fails for the first time, or with a cause that is new.
    Began {
        /// The cause, as passed in.
        cause: String,
    },
    /// It goes on.
    GoesOn {
        /// The latest cause.
        cause: String,
        /// How often it failed since it began.
        times: u64,
        /// Since when.
        lasting: Duration,
    },
    /// It is over.
    Ended {
        /// How often it failed.
        times: u64,
        /// How long it lasted.
        lasting: Duration,
    },
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Began { cause } => f.write_str(cause),
            Self::GoesOn { cause, times, lasting } => {
                write!(f, "{cause} ({times} times in {})", Rough(*lasting))
            }
            Self::Ended { times, lasting } => write!(f, "failed {times} times in {}", Rough(*lasting)),
        }
    }
}

impl Repeating {
    /// It failed at `now`. The report, if this is worth a line.
    pub fn failed(&mut self, now: Instant, cause: &str) -> Option<Report> {
        let began = Report::Began { cause: cause.to_owned() };
        let Some(current) = &mut self.current else {
            let causes = vec![cause.to_owned()];
            self.current = Some(Current { since: now, last: now, reported: now, times: 1, causes });
            return Some(began);
        };
        current.times = current.times.saturating_add(1);
        current.last = now;
        if current.causes.len() < CAUSES && !current.causes.iter().any(|known| known == cause) {
            current.causes.push(cause.to_owned());
            return Some(began);
        }
        if now.saturating_duration_since(current.reported) < INTERVAL {
            return None;
        }
        current.reported = now;
        let lasting = now.saturating_duration_since(current.since);
        Some(Report::GoesOn { cause: cause.to_owned(), times: current.times, lasting })
    }

    /// It works again at `now`. The report, if it had failed before.
    pub fn ended(&mut self, now: Instant) -> Option<Report> {
        let current = self.current.take()?;
        Some(Report::Ended { times: current.times, lasting: now.saturating_duration_since(current.since) })
    }

    /// The same for what works and fails by turns: it is over when it has not failed for this long.
    pub fn ended_after(&mut self, peace: Duration, now: Instant) -> Option<Report> {
        let last = self.current.as_ref()?.last;
        if now.saturating_duration_since(last) < peace {
            return None;
        }
        let current = self.current.take()?;
        let lasting = last.saturating_duration_since(current.since);
        Some(Report::Ended { times: current.times, lasting })
    }
}

/// A duration in its two largest units, `2 h 5 min`.
struct Rough(Duration);

impl fmt::Display for Rough {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
            (0, 0, seconds) => write!(f, "{seconds} s"),
            (0, minutes, seconds) => write!(f, "{minutes} min {seconds} s"),
            (hours, minutes, _) => write!(f, "{hours} h {minutes} min"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_fails_now_and_then_is_over_after_a_time_of_peace() {
        let start = Instant::now();
        let mut failure = Repeating::default();
        assert_eq!(failure.ended_after(SECOND * 30, start), None);
        failure.failed(start, "odd frame");
        failure.failed(start + SECOND * 5, "odd frame");
        assert_eq!(failure.ended_after(SECOND * 30, start + SECOND * 34), None);
        let ended = failure.ended_after(SECOND * 30, start + SECOND * 35).unwrap();
        assert_eq!(ended.to_string(), "failed 2 times in 5 s");
        assert!(failure.failed(start + SECOND * 40, "odd frame").is_some());
    }

    #[test]
    fn an_hour_of_failures_each_second_is_eight_lines() {
        let start = Instant::now();
        let mut failure = Repeating::default();
        let mut lines: Vec<String> = (0..3601)
            .filter_map(|n| failure.failed(start + SECOND * n, "no answer"))
            .map(|r| r.to_string())
            .collect();
        lines.extend(failure.ended(start + SECOND * 3601).map(|report| report.to_string()));
        assert_eq!(lines.len(), 8, "{lines:?}");
        assert_eq!(lines[0], "no answer");
        assert_eq!(lines[1], "no answer (601 times in 10 min 0 s)");
        assert_eq!(lines[6], "no answer (3601 times in 1 h 0 min)");
        assert_eq!(lines[7], "failed 3601 times in 1 h 0 min");
    }

    #[test]
    fn what_did_not_fail_does_not_end() {
        let mut failure = Repeating::default();
        assert_eq!(failure.ended(Instant::now()), None);
        let _ = failure.failed(Instant::now(), "x");
        assert!(failure.ended(Instant::now()).is_some());
        assert_eq!(failure.ended(Instant::now()), None);
    }

    #[test]
    fn a_new_cause_is_a_new_line_but_changing_causes_are_bounded() {
        let now = Instant::now();
        let mut failure = Repeating::default();
        assert!(failure.failed(now, "missing").is_some());
        assert!(failure.failed(now, "no permission").is_some());
        assert!(failure.failed(now, "missing").is_none());
        let lines = (0..1000).filter_map(|n| failure.failed(now, &format!("cause {n}"))).count();
        assert_eq!(lines, CAUSES - 2);
    }
}
