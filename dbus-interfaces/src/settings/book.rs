//! What a device's settings are and what is still to be asked: no bus, no clock of its own.

use std::time::Duration;

use tokio::time::Instant;

use super::Change;
use crate::{Typed, Value};

/// How long an answer may take.
pub(crate) const ANSWER: Duration = Duration::from_secs(5);
/// Between two attempts to add settings that were not taken: doubles from the first to the second.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// One setting as it is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Definition {
    pub(crate) name: &'static str,
    pub(crate) path: String,
    pub(crate) default: Value,
    pub(crate) range: Option<(Value, Value)>,
    pub(crate) silent: bool,
}

#[derive(Debug)]
struct Entry {
    definition: Definition,
    value: Value,
    changed: bool,
    /// The error that the service gave for it last.
    error: Option<i32>,
}

/// How far the settings service is with us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It is not on the bus.
    Absent,
    /// It is to be asked, not before this time.
    Asking(Instant),
    /// It has been asked by this message and has time until then.
    Asked { serial: u32, until: Instant },
    /// It has our settings.
    Kept,
}

/// What the log should say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Note {
    /// The service has our settings, for the first time or again.
    Kept,
    /// The service has left; the values stay as they are.
    Left,
    /// The service does not answer, or not with what was asked for.
    Unusable,
    /// The service refuses one setting.
    Refused { path: String, code: i32 },
    /// Somebody has removed one of ours; it is added again.
    Removed { path: String },
}

/// The settings of one device. The first of them is its class and number.
#[derive(Debug)]
pub(crate) struct Book {
    entries: Vec<Entry>,
    class: String,
    instance: i32,
    renumbered: bool,
    owner: Option<String>,
    stage: Stage,
    pause: Duration,
    unusable: bool,
    notes: Vec<Note>,
}

impl Book {
    pub(crate) fn new(class: &str, instance: i32, definitions: Vec<Definition>) -> Book {
        let entry = |definition: Definition| Entry {
            value: definition.default.clone(),
            definition,
            changed: false,
            error: None,
        };
        Book {
            entries: definitions.into_iter().map(entry).collect(),
            class: class.to_owned(),
            instance,
            renumbered: false,
            owner: None,
            stage: Stage::Absent,
            pause: PAUSES.0,
            unusable: false,
            notes: Vec::new(),
        }
    }

    pub(crate) fn definitions(&self) -> impl Iterator<Item = &Definition> {
        self.entries.iter().map(|entry| &entry.definition)
    }

    pub(crate) fn class(&self) -> &str {
        &self.class
    }

    pub(crate) fn instance(&self) -> i32 {
        self.instance
    }

    pub(crate) fn value(&self, path: &str) -> Option<&Value> {
        self.entries.iter().find(|entry| entry.definition.path == path).map(|entry| &entry.value)
    }

    pub(crate) fn is_kept(&self) -> bool {
        self.stage == Stage::Kept
    }

    pub(crate) fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }

    pub(crate) fn is_ours(&self, path: &str) -> bool {
        self.value(path).is_some()
    }

    /// The service's name has another owner now, or none.
    pub(crate) fn owned_by(&mut self, owner: Option<&str>, now: Instant) {
        if self.owner.as_deref() == owner {
            return;
        }
        if self.owner.is_some() && owner.is_none() {
            self.notes.push(Note::Left);
        }
        self.owner = owner.map(str::to_owned);
        self.pause = PAUSES.0;
        self.stage = if owner.is_some() { Stage::Asking(now) } else { Stage::Absent };
    }

    /// Whether `AddSettings` is to be called now.
    pub(crate) fn wants_to_ask(&self, now: Instant) -> bool {
        matches!(self.stage, Stage::Asking(at) if at <= now)
    }

    /// It has been called, by the message with this serial.
    pub(crate) fn asked(&mut self, serial: u32, now: Instant) {
        self.stage = Stage::Asked { serial, until: now + ANSWER };
    }

    /// When [`Book::tick`] or [`Book::wants_to_ask`] has something to say at the earliest.
    pub(crate) fn next_wake(&self) -> Option<Instant> {
        match self.stage {
            Stage::Asking(at) => Some(at),
            Stage::Asked { until, .. } => Some(until),
            Stage::Absent | Stage::Kept => None,
        }
    }

    /// Time passes.
    pub(crate) fn tick(&mut self, now: Instant) {
        if matches!(self.stage, Stage::Asked { until, .. } if until <= now) {
            self.ask_later(now);
        }
    }

    fn ask_later(&mut self, now: Instant) {
        if !self.unusable {
            self.unusable = true;
            self.notes.push(Note::Unusable);
        }
        self.stage = Stage::Asking(now + self.pause);
        self.pause = (self.pause * 2).min(PAUSES.1);
    }

    /// The answer to the message with this serial, `None` for an error; false when it is no answer that is waited for.
    pub(crate) fn answered(
        &mut self,
        serial: u32,
        results: Option<&[Vec<(String, Typed)>]>,
        now: Instant,
    ) -> bool {
        if !matches!(self.stage, Stage::Asked { serial: asked, .. } if asked == serial) {
            return false;
        }
        let Some(results) = results.filter(|results| results.len() == self.entries.len()) else {
            self.ask_later(now);
            return true;
        };
        self.stage = Stage::Kept;
        self.pause = PAUSES.0;
        self.unusable = false;
        self.notes.push(Note::Kept);
        for (at, result) in results.iter().enumerate() {
            let of =
                |name| result.iter().find(|(n, _)| n == name).and_then(|(_, typed)| typed.value.as_ref());
            let error = of("error").and_then(Value::as_i64).and_then(|code| i32::try_from(code).ok());
            let Some(entry) = self.entries.get_mut(at) else { continue };
            match (error, of("value")) {
                (Some(0), Some(value)) => {
                    entry.error = None;
                    let value = value.clone();
                    self.take(at, value);
                }
                (code, _) => {
                    let code = code.unwrap_or(-1);
                    if entry.error.replace(code) != Some(code) {
                        self.notes.push(Note::Refused { path: entry.definition.path.clone(), code });
                    }
                }
            }
        }
        true
    }

    /// What the service tells of one path; no value means that the setting has been removed.
    pub(crate) fn heard(&mut self, path: &str, value: Option<Value>, now: Instant) {
        let Some(at) = self.entries.iter().position(|entry| entry.definition.path == path) else { return };
        match value {
            Some(value) => self.take(at, value),
            // Without it somebody else could get our number.
            None if self.stage == Stage::Kept => {
                self.notes.push(Note::Removed { path: path.to_owned() });
                self.stage = Stage::Asking(now + self.pause);
            }
            None => {}
        }
    }

    fn take(&mut self, at: usize, value: Value) {
        let Some(entry) = self.entries.get_mut(at) else { return };
        if std::mem::discriminant(&entry.value) != std::mem::discriminant(&value)
            && !both_numbers(&entry.value, &value)
        {
            return;
        }
        if at > 0 {
            entry.changed |= entry.value != value;
        } else if let Some((class, instance)) = value.as_str().and_then(class_and_instance)
            && (class != self.class || instance != self.instance)
        {
            self.class = class.to_owned();
            self.instance = instance;
            self.renumbered = true;
        }
        entry.value = value;
    }

    /// The next change since the last one that was taken; several of one setting are one.
    pub(crate) fn take_change(&mut self) -> Option<Change> {
        if std::mem::take(&mut self.renumbered) {
            return Some(Change::Instance { class: self.class.clone(), instance: self.instance });
        }
        let entry = self.entries.iter_mut().find(|entry| entry.changed)?;
        entry.changed = false;
        Some(Change::Setting(entry.definition.name))
    }

    pub(crate) fn has_changes(&self) -> bool {
        self.renumbered || self.entries.iter().any(|entry| entry.changed)
    }

    pub(crate) fn take_notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }
}

fn both_numbers(a: &Value, b: &Value) -> bool {
    a.as_f64().is_some() && b.as_f64().is_some()
}

/// `battery:100`.
fn class_and_instance(text: &str) -> Option<(&str, i32)> {
    let (class, instance) = text.split_once(':')?;
    // The class becomes part of a bus name.
    let legal = class.starts_with(|c: char| c.is_ascii_alphabetic())
        && class.bytes().all(|b| b.is_ascii_alphanumeric());
    Some((class, instance.trim().parse().ok()?)).filter(|_| legal)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASS: &str = "/Settings/Devices/x/ClassAndVrmInstance";
    const NAME: &str = "/Settings/Devices/x/CustomName";
    const SECOND: Duration = Duration::from_secs(1);

    fn book() -> Book {
        let definition = |name: &'static str, path: &str, default: &str| Definition {
            name,
            path: path.to_owned(),
            default: Value::from(default),
            range: None,
            silent: false,
        };
        let definitions =
            vec![definition("ClassAndVrmInstance", CLASS, "battery:100"), definition("CustomName", NAME, "")];
        Book::new("battery", 100, definitions)
    }

    fn result(value: Result<&str, i32>) -> Vec<(String, Typed)> {
        let typed = |value: Value| Typed { signature: String::new(), value: Some(value) };
        let mut entries = vec![("error".to_owned(), typed(Value::Int(value.err().unwrap_or(0))))];
        entries.extend(value.ok().map(|value| ("value".to_owned(), typed(Value::from(value)))));
        entries
    }

    fn kept(book: &mut Book, now: Instant, class: &str, name: &str) {
        book.owned_by(Some(":1.7"), now);
        assert!(book.wants_to_ask(now));
        book.asked(5, now);
        assert!(book.answered(5, Some(&[result(Ok(class)), result(Ok(name))]), now));
        assert!(book.is_kept());
    }

    fn changes(book: &mut Book) -> Vec<Change> {
        std::iter::from_fn(|| book.take_change()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_service_the_configuration_counts_and_nothing_is_asked() {
        let book = book();
        assert_eq!((book.class(), book.instance()), ("battery", 100));
        assert!(!book.wants_to_ask(Instant::now()));
        assert_eq!(book.next_wake(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_comes_late_is_news_only_where_it_says_something_else() {
        let now = Instant::now();
        let mut same = book();
        kept(&mut same, now, "battery:100", "");
        assert_eq!(changes(&mut same), []);
        let mut other = book();
        kept(&mut other, now, "battery:101", "Garage");
        let instance = Change::Instance { class: "battery".into(), instance: 101 };
        assert_eq!(changes(&mut other), [instance, Change::Setting("CustomName")]);
        assert_eq!(other.value(NAME), Some(&Value::from("Garage")));
    }

    #[tokio::test(start_paused = true)]
    async fn a_restarted_service_is_asked_again_and_its_new_answer_counts() {
        let now = Instant::now();
        let mut book = book();
        kept(&mut book, now, "battery:100", "Garage");
        let _ = changes(&mut book);
        book.owned_by(None, now);
        assert_eq!(book.value(NAME), Some(&Value::from("Garage")));
        book.owned_by(Some(":1.9"), now);
        assert!(book.wants_to_ask(now));
        book.asked(6, now);
        assert!(!book.answered(5, None, now), "an answer of the former owner");
        book.answered(6, Some(&[result(Ok("grid:3")), result(Ok("Garage"))]), now);
        assert_eq!(changes(&mut book), [Change::Instance { class: "grid".into(), instance: 3 }]);
        assert_eq!(book.take_notes(), [Note::Kept, Note::Left, Note::Kept]);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_and_nonsense_are_asked_again_ever_later_and_told_once() {
        let mut now = Instant::now();
        let mut book = book();
        book.owned_by(Some(":1.7"), now);
        let mut pauses = Vec::new();
        for serial in 0..9 {
            assert!(book.wants_to_ask(now));
            book.asked(serial, now);
            if serial % 2 == 0 {
                now += ANSWER;
                book.tick(now);
            } else {
                book.answered(serial, Some(&[]), now);
            }
            let at = book.next_wake().unwrap();
            pauses.push((at - now).as_secs());
            now = at;
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(book.take_notes(), [Note::Unusable]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_setting_keeps_its_default_and_is_told_once() {
        let now = Instant::now();
        let mut book = book();
        for serial in [1, 2] {
            book.owned_by(None, now);
            book.owned_by(Some(":1.7"), now);
            book.asked(serial, now);
            book.answered(serial, Some(&[result(Ok("battery:100")), result(Err(-5))]), now);
        }
        assert_eq!(book.value(NAME), Some(&Value::from("")));
        let refused: Vec<_> = book
            .take_notes()
            .into_iter()
            .filter(|note| matches!(note, Note::Refused { code: -5, .. }))
            .collect();
        assert_eq!(refused.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_removed_setting_is_added_again() {
        let now = Instant::now();
        let mut book = book();
        kept(&mut book, now, "battery:100", "");
        book.heard(CLASS, None, now);
        assert!(!book.wants_to_ask(now) && book.wants_to_ask(now + SECOND));
        assert_eq!(book.instance(), 100);
    }

    #[tokio::test(start_paused = true)]
    async fn values_that_make_no_sense_are_ignored() {
        let now = Instant::now();
        let mut book = book();
        kept(&mut book, now, "battery:100", "");
        for value in [
            Value::from("battery"),
            Value::from(":5"),
            Value::from("battery:x"),
            Value::from("a.b:5"),
            Value::Int(5),
        ] {
            book.heard(CLASS, Some(value), now);
        }
        book.heard(NAME, Some(Value::Int(5)), now);
        book.heard("/Settings/Other", Some(Value::Int(5)), now);
        assert_eq!(changes(&mut book), []);
        assert_eq!((book.class(), book.instance()), ("battery", 100));
    }
}
