//! A whole recording, decoded: what `busbar decode` prints.

use std::collections::VecDeque;
use std::io::BufRead;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::candump::{Entries, Entry, Interface, Numbered, ReadError, entries};
use crate::protocols::{Decoded, PROTOCOLS, Protocol, by_name};
use crate::recognise::{Evidence, Verdict};

/// So many lines are read ahead to find out the dialect. A battery says who it is within a few seconds, which even on a
/// full bus is less.
const READ_AHEAD: usize = 20_000;

/// More interfaces than a recording has; the frames of further ones stay undecoded.
const INTERFACES: usize = 16;

/// One frame, decoded.
#[derive(Debug, Clone, Copy)]
pub struct Record {
    /// Line of the recording, from 1.
    pub line: u64,
    /// What was recorded.
    pub entry: Entry,
    /// The dialect it was read in; `None` if none was recognised on its interface.
    pub protocol: Option<&'static Protocol>,
    /// What it says.
    pub decoded: Decoded,
}

/// A dialect that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no protocol {name:?}; there are {}", PROTOCOLS.iter().map(|p| p.name).collect::<Vec<_>>().join(", "))]
pub struct UnknownProtocol {
    /// The name that was asked for.
    pub name: String,
}

/// Decodes a recording line by line, in the named dialect or else, for each interface, in the one that its traffic
/// shows. Lines that cannot be read come as errors between the frames; after [`ReadError::Io`] nothing comes any more.
pub fn decode_log<R: BufRead>(reader: R, protocol: Option<&str>) -> Result<DecodeLog<R>, UnknownProtocol> {
    let find = |name: &str| by_name(name).ok_or_else(|| UnknownProtocol { name: name.to_owned() });
    let named = protocol.map(find).transpose()?;
    Ok(DecodeLog {
        entries: entries(reader),
        named,
        ahead: VecDeque::new(),
        sources: Vec::new(),
        has_looked: false,
    })
}

/// See [`decode_log`].
#[derive(Debug)]
pub struct DecodeLog<R> {
    entries: Entries<R>,
    named: Option<&'static Protocol>,
    ahead: VecDeque<Result<Numbered, ReadError>>,
    sources: Vec<Source>,
    has_looked: bool,
}

/// After a verdict that names no dialect, so many frames pass before the next: judging costs much more than decoding.
const JUDGES_EACH: u32 = 32;

/// One interface of the recording.
#[derive(Debug)]
struct Source {
    interface: Interface,
    evidence: Evidence,
    protocol: Option<&'static Protocol>,
    frames_to_verdict: u32,
}

impl<R: BufRead> DecodeLog<R> {
    /// Reads until every interface seen so far is recognised, to the limit or to the end.
    fn look_ahead(&mut self) {
        self.has_looked = true;
        while self.ahead.len() < READ_AHEAD {
            let Some(next) = self.entries.next() else { break };
            if let Ok(numbered) = &next {
                self.see(&numbered.entry);
            }
            self.ahead.push_back(next);
            if !self.sources.is_empty() && self.sources.iter().all(|source| source.protocol.is_some()) {
                return;
            }
        }
        for source in &mut self.sources {
            source.settle(source.evidence.best());
        }
    }

    /// Learns from a frame, as long as its interface is not recognised.
    fn see(&mut self, entry: &Entry) -> Option<&'static Protocol> {
        if let Some(source) = self.sources.iter_mut().find(|source| source.interface == entry.interface) {
            return source.see(entry);
        }
        if self.sources.len() < INTERFACES {
            let mut source = Source {
                interface: entry.interface,
                evidence: Evidence::default(),
                protocol: None,
                frames_to_verdict: 0,
            };
            source.see(entry);
            self.sources.push(source);
        }
        None
    }

    fn record(&mut self, numbered: Numbered) -> Record {
        let Numbered { line, entry } = numbered;
        let protocol = self.named.or_else(|| self.see(&entry));
        let decoded = protocol.map_or(Decoded::NotMine, |protocol| protocol.decode(&entry.frame));
        Record { line, entry, protocol, decoded }
    }
}

impl Source {
    fn see(&mut self, entry: &Entry) -> Option<&'static Protocol> {
        if self.protocol.is_none() {
            let now = entry.timestamp.unwrap_or_default();
            self.evidence.see(&entry.frame, now);
            match self.frames_to_verdict.checked_sub(1) {
                Some(fewer) => self.frames_to_verdict = fewer,
                None => self.settle(self.evidence.verdict(now)),
            }
        }
        self.protocol
    }

    fn settle(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Recognised { protocol, .. } => self.protocol = Some(protocol),
            Verdict::Listening => {}
            Verdict::Foreign { .. } | Verdict::Unknown { .. } => self.frames_to_verdict = JUDGES_EACH,
        }
    }
}

impl<R: BufRead> Iterator for DecodeLog<R> {
    type Item = Result<Record, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.named.is_none() && !self.has_looked {
            self.look_ahead();
        }
        let next = self.ahead.pop_front().or_else(|| self.entries.next())?;
        Some(next.map(|numbered| self.record(numbered)))
    }
}

/// `{"id":"0x351","name":"limits","values":{…}}`, then where it came from. What no dialect names, or is refused, has no
/// values but its bytes; a refusal also has its reason as `error`.
impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let frame = &self.entry.frame;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &format_args!("{}", frame.id()))?;
        if frame.id().is_extended() {
            map.serialize_entry("extended", &true)?;
        }
        let address = match &self.decoded {
            Decoded::Good(reading) => {
                map.serialize_entry("name", reading.name)?;
                map.serialize_entry("values", &reading.message)?;
                reading.address
            }
            Decoded::Refused(refused) => {
                map.serialize_entry("name", refused.name)?;
                map.serialize_entry("values", &Nothing {})?;
                map.serialize_entry("error", &format_args!("{}", refused.why))?;
                refused.address
            }
            Decoded::NotMine => {
                map.serialize_entry("name", &None::<&str>)?;
                map.serialize_entry("values", &Nothing {})?;
                0
            }
        };
        if !matches!(self.decoded, Decoded::Good(_)) {
            map.serialize_entry(
                "data",
                &frame.data().iter().map(|b| format!("{b:02X}")).collect::<String>(),
            )?;
        }
        if frame.is_remote() {
            map.serialize_entry("remote", &true)?;
        }
        if address > 0 {
            map.serialize_entry("address", &address)?;
        }
        map.serialize_entry("protocol", &self.protocol.map(|protocol| protocol.name))?;
        map.serialize_entry("interface", self.entry.interface.as_str())?;
        if let Some(time) = self.entry.timestamp {
            map.serialize_entry("timestamp", &time.as_secs_f64())?;
        }
        map.serialize_entry("line", &self.line)?;
        map.end()
    }
}

/// An empty object.
#[derive(Serialize)]
struct Nothing {}
