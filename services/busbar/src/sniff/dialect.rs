//! Which dialect is spoken: the one that was named, with what speaks against it, or the one that the traffic shows.

use std::time::Duration;

use bms_can::frame::Frame;
use bms_can::protocols::Protocol;
use bms_can::recognise::{Evidence, Verdict};

/// How often the traffic is judged: it takes every dialect in turn.
const JUDGE: Duration = Duration::from_secs(1);

/// What is known of the dialect.
#[derive(Debug)]
pub(super) struct Dialect {
    evidence: Evidence,
    protocol: Option<&'static Protocol>,
    said: String,
    doubt: Option<String>,
    judged: Option<Duration>,
}

impl Dialect {
    /// The one that was named, if any.
    pub(super) fn new(named: Option<&'static Protocol>) -> Dialect {
        let said = match named {
            Some(protocol) => format!("{} ({})", protocol.name, protocol.title),
            None => "listening for a dialect".to_owned(),
        };
        Dialect { evidence: Evidence::default(), protocol: named, said, doubt: None, judged: None }
    }

    /// Takes in a frame, so long after the start.
    pub(super) fn see(&mut self, frame: &Frame, now: Duration) {
        self.evidence.see(frame, now);
    }

    /// Judges anew when that is due. Returns a dialect when it has just been recognised.
    pub(super) fn settle(&mut self, now: Duration) -> Option<&'static Protocol> {
        if self.judged.is_some_and(|judged| now < judged + JUDGE) {
            return None;
        }
        self.judged = Some(now);
        if let Some(protocol) = self.protocol {
            // What was recognised is not taken back by what comes later, but doubted.
            self.doubt = self.evidence.contradiction(protocol, now);
            return None;
        }
        match self.evidence.verdict(now) {
            Verdict::Listening => None,
            Verdict::Recognised { protocol, because } => {
                self.said = format!("{} ({}): {because}", protocol.name, protocol.title);
                self.protocol = Some(protocol);
                Some(protocol)
            }
            Verdict::Foreign { what, because } => {
                self.said = format!("{what}, which is not read here: {because}");
                None
            }
            Verdict::Unknown { because } => {
                self.said = format!("no dialect that is known here: {because}");
                None
            }
        }
    }

    /// Which dialect, and why; or what is known instead.
    pub(super) fn said(&self) -> &str {
        &self.said
    }

    /// What speaks against it.
    pub(super) fn doubt(&self) -> Option<&str> {
        self.doubt.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use bms_can::candump::entries;
    use bms_can::protocols::by_name;

    use super::*;

    const PYLONTECH: &str = include_str!("../../../../tests/captures/pylontech_10modules.log");

    /// Hears a recording in its own time, and judges at its end.
    fn hear(dialect: &mut Dialect, recording: &str) -> Option<&'static Protocol> {
        let mut start = None;
        let mut now = Duration::ZERO;
        for numbered in entries(BufReader::new(recording.as_bytes())) {
            let entry = numbered.expect("a frame").entry;
            let time = entry.timestamp.expect("a time");
            now = time - *start.get_or_insert(time);
            dialect.see(&entry.frame, now);
        }
        dialect.settle(now + Duration::from_secs(10))
    }

    #[test]
    fn the_traffic_shows_its_dialect_once_and_why() {
        let mut dialect = Dialect::new(None);
        assert_eq!(dialect.said(), "listening for a dialect");
        let found = hear(&mut dialect, PYLONTECH).map(|protocol| protocol.name);
        assert_eq!(found, Some("pylontech_lv"));
        assert!(dialect.said().starts_with("pylontech_lv ("), "{}", dialect.said());
        assert!(dialect.settle(Duration::from_secs(100)).is_none() && dialect.doubt().is_none());
    }

    #[test]
    fn a_wrong_name_is_doubted_with_the_better_one() {
        let mut dialect = Dialect::new(by_name("growatt_lv"));
        assert!(hear(&mut dialect, PYLONTECH).is_none(), "what was named stays");
        let doubt = dialect.doubt().expect("a doubt");
        assert!(doubt.contains("pylontech_lv"), "{doubt}");
    }
}
