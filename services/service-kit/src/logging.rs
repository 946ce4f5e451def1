//! The log: lines on stderr, for `multilog`, the journal, or a person.
//!
//! The lines carry neither time nor colour: `multilog` and the journal stamp them. Each event is one line whatever its
//! text holds, so that a device cannot write lines of its own into the log. Where systemd has connected stderr to the
//! journal, the level goes before the line as sd-daemon(3) has it, `<4>`, and the journal files it.
//!
//! This instead of `tracing-journald`, which sends an event's fields beside its message: `journalctl` then shows
//! "cannot open the port" and neither which nor why.

use std::io::{self, Write};

use tracing::{Level, Metadata};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, Registry};

/// The environment variable with the filter: `debug`, or `info,bms_can=trace`. Default `info`.
pub const FILTER_VARIABLE: &str = "BUSBAR_LOG";

/// Understood where [`FILTER_VARIABLE`] is not set, because every Rust programmer types it.
const COMMON_FILTER_VARIABLE: &str = "RUST_LOG";

/// Starts the log of this process. A log that runs already stays.
pub(crate) fn start() {
    let (filter, wrong) = filter(|variable| std::env::var(variable).ok());
    let verbose = filter.default_level().is_none_or(|level| level > LevelFilter::INFO);
    let journal = journal_listens();
    let layer = tracing_subscriber::fmt::layer()
        .without_time()
        .with_ansi(false)
        .with_level(!journal)
        .with_target(verbose)
        .log_internal_errors(false)
        .with_writer(Stderr { journal });
    let subscriber = Registry::default().with(layer.with_filter(filter));
    // Fails only if there is a log already.
    let _ = tracing::subscriber::set_global_default(subscriber);
    if let Some(wrong) = wrong {
        tracing::warn!("{wrong}");
    }
}

/// The filter, and what is wrong with the variable it should have come from.
fn filter(variable: impl Fn(&str) -> Option<String>) -> (Targets, Option<String>) {
    let set = [FILTER_VARIABLE, COMMON_FILTER_VARIABLE]
        .into_iter()
        .find_map(|name| variable(name).filter(|text| !text.trim().is_empty()).map(|text| (name, text)));
    let default = Targets::new().with_default(LevelFilter::INFO);
    match set {
        None => (default, None),
        Some((name, text)) => match text.parse::<Targets>() {
            Ok(filter) => (filter, None),
            Err(_) => (
                default,
                Some(format!("{name}={text:?} is no filter such as \"debug\" or \"info,bms_can=trace\"")),
            ),
        },
    }
}

/// Whether stderr is the stream that systemd connected to the journal (systemd.exec(5), `JOURNAL_STREAM`).
fn journal_listens() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    rustix::fs::fstat(rustix::stdio::stderr())
        .is_ok_and(|stderr| stream == format!("{}:{}", stderr.st_dev, stderr.st_ino))
}

/// Makes the writer of each event.
struct Stderr {
    journal: bool,
}

impl<'a> MakeWriter<'a> for Stderr {
    type Writer = OneLine;

    fn make_writer(&'a self) -> OneLine {
        OneLine { prefix: "" }
    }

    fn make_writer_for(&'a self, event: &Metadata<'_>) -> OneLine {
        OneLine { prefix: if self.journal { priority(event.level()) } else { "" } }
    }
}

/// The level as the journal wants it before a line (sd-daemon(3)).
fn priority(level: &Level) -> &'static str {
    match *level {
        Level::ERROR => "<3>",
        Level::WARN => "<4>",
        Level::INFO => "<6>",
        _ => "<7>",
    }
}

/// Writes an event to stderr as one line, in one go.
struct OneLine {
    prefix: &'static str,
}

impl Write for OneLine {
    /// Takes all of an event. That stderr is gone is nothing a log could report.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let _ = io::stderr().write_all(&one_line(self.prefix, event));
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The event with every control character but its last line end escaped.
fn one_line(prefix: &str, event: &[u8]) -> Vec<u8> {
    let text = event.strip_suffix(b"\n").unwrap_or(event);
    let mut line = Vec::with_capacity(prefix.len() + event.len() + 1);
    line.extend(prefix.as_bytes());
    for byte in text {
        if byte.is_ascii_control() {
            line.extend(std::ascii::escape_default(*byte));
        } else {
            line.push(*byte);
        }
    }
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pairs: &'static [(&'static str, &'static str)]) -> (Targets, Option<String>) {
        filter(|name| pairs.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned()))
    }

    #[test]
    fn info_is_the_default_and_busbar_log_goes_before_rust_log() {
        assert!(from(&[]).0.would_enable("x", &Level::INFO));
        assert!(!from(&[]).0.would_enable("x", &Level::DEBUG));
        assert!(from(&[("RUST_LOG", "debug")]).0.would_enable("x", &Level::DEBUG));
        let both = from(&[("BUSBAR_LOG", "warn,bms_can=trace"), ("RUST_LOG", "debug")]).0;
        assert!(both.would_enable("bms_can::run", &Level::TRACE) && !both.would_enable("x", &Level::INFO));
    }

    #[test]
    fn a_wrong_filter_is_reported_and_the_default_stays() {
        let (filter, wrong) = from(&[("BUSBAR_LOG", "bms_can=loud")]);
        assert!(filter.would_enable("x", &Level::INFO));
        assert!(wrong.is_some_and(|line| line.starts_with("BUSBAR_LOG=\"bms_can=loud\" is no filter")));
    }

    #[test]
    fn an_event_is_one_line_whatever_it_holds() {
        assert_eq!(one_line("", b"a\nERROR forged\x1b[31m\n"), b"a\\nERROR forged\\x1b[31m\n");
        assert_eq!(one_line("<6>", "50 °C\n".as_bytes()), "<6>50 °C\n".as_bytes());
    }
}
