//! One followed service as far as it has been heard: its items with the time of each, and how far the first look at it
//! has come. Pure: what is asked and answered comes in as values, and so does the time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::filter::Filter;
use crate::{MAX_TEXT, Value};

/// How long an answer may take; Victron's own services answer `GetItems` within some hundred milliseconds.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// The first pause before a service that did not answer is asked again; it doubles from one time to the next.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// What all values and paths of one service may take, in bytes. The settings service of a GX device takes about 100 KiB.
const MOST_BYTES: usize = 512 * 1024;

/// A path with its value, `None` being "no value".
pub(crate) type Entry = (String, Option<Value>);

/// What is asked of a service, in this order: the later steps only where the earlier ones failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The bus daemon: who owns the name.
    Owner,
    /// `GetItems`.
    Items,
    /// `GetValue` on `/`, for services that know no `GetItems`.
    Tree,
    /// `GetValue` on `/DeviceInstance`, where the tree had none.
    Instance,
    /// `GetValue` on the declared path with this number, for services that know no tree either.
    Path(usize),
}

/// How far the first look at a service has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scan {
    /// To be asked, not before `from`.
    Due { step: Step, from: Instant },
    /// Asked with the message of this serial number.
    Asked { step: Step, serial: u32, at: Instant },
    /// The service is known.
    Done,
}

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    /// The names on the bus.
    Names(Vec<String>),
    /// The unique name of an owner.
    Owner(String),
    /// `GetItems` or `GetValue` on `/`.
    Entries(Vec<Entry>),
    /// `GetValue` on one path.
    Value(Option<Value>),
    /// An error.
    Refused,
    /// An answer of another shape than the question has.
    Garbled,
}

/// One item as last heard.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Held {
    pub(crate) value: Option<Value>,
    /// When it was last heard, changed or not.
    pub(crate) at: Instant,
    /// Differs from what the last event told.
    changed: bool,
}

/// What is wrong with what a service sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Troubles {
    pub(crate) malformed: bool,
    pub(crate) overfull: bool,
}

#[derive(Debug)]
pub(crate) struct Followed {
    pub(crate) owner: Option<Arc<str>>,
    /// Another number for each owner that the name has had.
    pub(crate) life: u64,
    pub(crate) scan: Scan,
    /// How often the present owner has not answered.
    pub(crate) attempts: u32,
    /// The newest well-formed message with items, a look of ours included.
    pub(crate) heard_at: Option<Instant>,
    /// Signals and answers that could not be read.
    pub(crate) malformed: u32,
    /// Something of it did not fit within the bounds.
    overfull: bool,
    /// Which of the two people have been told of.
    noted: Troubles,
    items: BTreeMap<Arc<str>, Held>,
    bytes: usize,
}

impl Followed {
    pub(crate) fn new(life: u64, now: Instant) -> Self {
        Followed {
            owner: None,
            life,
            scan: Scan::Due { step: Step::Owner, from: now },
            attempts: 0,
            heard_at: None,
            malformed: 0,
            overfull: false,
            noted: Troubles::default(),
            items: BTreeMap::new(),
            bytes: 0,
        }
    }

    /// A service under the same name with a new owner: nothing of the old one is true for it.
    pub(crate) fn owned(owner: &str, life: u64, now: Instant) -> Self {
        let scan = Scan::Due { step: Step::Items, from: now };
        Followed { owner: Some(owner.into()), scan, ..Followed::new(life, now) }
    }

    pub(crate) fn is_known(&self) -> bool {
        self.scan == Scan::Done
    }

    pub(crate) fn item(&self, path: &str) -> Option<&Held> {
        self.items.get(path)
    }

    pub(crate) fn items(&self) -> impl Iterator<Item = (&Arc<str>, &Held)> {
        self.items.iter()
    }

    /// What came in a signal.
    pub(crate) fn heard(&mut self, entries: &[Entry], now: Instant, filter: &Filter) {
        self.heard_at = Some(now);
        for (path, value) in entries {
            self.hold(path, value.as_ref(), now, filter);
        }
    }

    /// What came in an answer that was asked for at `asked`. A signal that came since then is newer than the answer may be.
    fn looked(&mut self, entries: &[Entry], asked: Instant, now: Instant, filter: &Filter) {
        self.heard_at = Some(now);
        for (path, value) in entries {
            if self.items.get(path.as_str()).is_none_or(|held| held.at < asked) {
                self.hold(path, value.as_ref(), now, filter);
            }
        }
    }

    fn hold(&mut self, path: &str, value: Option<&Value>, now: Instant, filter: &Filter) {
        if !filter.keeps(path) {
            return;
        }
        let may_grow = self.items.len() < filter.most_items;
        let room = MOST_BYTES.saturating_sub(self.bytes);
        let present = self.items.get_mut(path);
        let old = present.as_ref().map_or(0, |held| weight(held.value.as_ref()));
        let new = weight(value);
        // A value that is too large is no value, not the one before it.
        let fits = new <= MAX_TEXT && new <= room + old;
        let (value, new) = if fits { (value, new) } else { (None, 0) };
        self.overfull |= !fits;
        match present {
            Some(held) => {
                held.at = now;
                if held.value.as_ref() != value {
                    held.value = value.cloned();
                    held.changed = true;
                    self.bytes = self.bytes + new - old;
                }
            }
            None if may_grow && path.len() + new <= room => {
                self.bytes += path.len() + new;
                self.items.insert(path.into(), Held { value: value.cloned(), at: now, changed: true });
            }
            None => self.overfull = true,
        }
    }

    /// Goes on with the look at the service. Not for [`Step::Owner`], which makes or ends a service.
    pub(crate) fn answered(
        &mut self,
        step: Step,
        asked: Instant,
        answer: Answer,
        now: Instant,
        filter: &Filter,
    ) {
        if answer == Answer::Garbled {
            self.malformed += 1;
        }
        let next = match (step, answer) {
            (Step::Items, Answer::Entries(entries)) => {
                self.looked(&entries, asked, now, filter);
                None
            }
            (Step::Items, _) => Some(Step::Tree),
            (Step::Tree, Answer::Entries(entries)) => {
                self.looked(&entries, asked, now, filter);
                self.items.get("/DeviceInstance").is_none_or(|i| i.value.is_none()).then_some(Step::Instance)
            }
            (Step::Tree, _) => Some(Step::Path(0)),
            (Step::Path(n), answer) => {
                self.looked_at(filter.declared().nth(n), answer, asked, now, filter);
                filter.declared().nth(n + 1).is_some().then_some(Step::Path(n + 1))
            }
            (Step::Instance | Step::Owner, answer) => {
                self.looked_at(Some("/DeviceInstance"), answer, asked, now, filter);
                None
            }
        };
        self.scan = next.map_or(Scan::Done, |step| Scan::Due { step, from: now });
    }

    fn looked_at(
        &mut self,
        path: Option<&str>,
        answer: Answer,
        asked: Instant,
        now: Instant,
        filter: &Filter,
    ) {
        if let (Some(path), Answer::Value(value)) = (path, answer) {
            self.looked(&[(path.to_owned(), value)], asked, now, filter);
        }
    }

    /// Gives an unanswered question up; true when that has just happened.
    pub(crate) fn give_up(&mut self, now: Instant) -> bool {
        let Scan::Asked { at, .. } = self.scan else { return false };
        if now.saturating_duration_since(at) < ANSWER_TIMEOUT {
            return false;
        }
        let pause = FIRST_PAUSE.saturating_mul(1 << self.attempts.min(5)).min(LONGEST_PAUSE);
        let step = if self.owner.is_some() { Step::Items } else { Step::Owner };
        self.attempts += 1;
        self.scan = Scan::Due { step, from: now + pause };
        true
    }

    /// The troubles that people have not been told of; each is returned once.
    pub(crate) fn take_troubles(&mut self) -> Troubles {
        let now = Troubles { malformed: self.malformed > 0, overfull: self.overfull };
        let before = std::mem::replace(&mut self.noted, now);
        Troubles { malformed: now.malformed && !before.malformed, overfull: now.overfull && !before.overfull }
    }

    /// The paths that changed since the last call.
    pub(crate) fn take_changes(&mut self) -> Vec<Arc<str>> {
        let changed =
            |(path, held): (&Arc<str>, &mut Held)| std::mem::take(&mut held.changed).then(|| path.clone());
        self.items.iter_mut().filter_map(changed).collect()
    }
}

/// About what a value takes in memory, in bytes.
fn weight(value: Option<&Value>) -> usize {
    match value {
        None => 0,
        Some(Value::Bool(_) | Value::Int(_) | Value::Long(_) | Value::Real(_)) => size_of::<Value>(),
        Some(Value::Text(v)) => size_of::<Value>() + v.len(),
        Some(Value::Ints(v)) => size_of::<Value>() + size_of_val(v.as_slice()),
        Some(Value::Reals(v)) => size_of::<Value>() + size_of_val(v.as_slice()),
        Some(Value::Texts(v)) => {
            size_of::<Value>() + v.iter().map(|s| size_of::<String>() + s.len()).sum::<usize>()
        }
        Some(Value::List(v)) => size_of::<Value>() + v.iter().map(|x| weight(Some(x))).sum::<usize>(),
        Some(Value::Map(v)) => {
            size_of::<Value>()
                + v.iter().map(|(k, x)| size_of::<String>() + k.len() + weight(Some(x))).sum::<usize>()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Item;
    use crate::classes::{battery, device};

    fn at(ms: u64) -> Instant {
        use std::sync::OnceLock;
        static START: OnceLock<Instant> = OnceLock::new();
        *START.get_or_init(Instant::now) + Duration::from_millis(ms)
    }

    fn service() -> Followed {
        Followed::owned(":1.1", 1, at(0))
    }

    fn entry(path: &str, value: impl Into<Value>) -> Entry {
        (path.to_owned(), Some(value.into()))
    }

    fn value(service: &Followed, path: &str) -> Option<Value> {
        service.item(path).and_then(|held| held.value.clone())
    }

    #[test]
    fn a_signal_during_the_look_is_newer_than_the_answer() {
        let (mut s, all) = (service(), Filter::everything());
        s.heard(&[entry("/Soc", 10), entry("/Mode", 1)], at(50), &all);
        s.heard(&[entry("/Soc", 20)], at(200), &all);
        let answer = Answer::Entries(vec![entry("/Soc", 15), entry("/Mode", 2), entry("/State", 9)]);
        s.answered(Step::Items, at(100), answer, at(300), &all);
        assert!(s.is_known());
        assert_eq!(value(&s, "/Soc"), Some(Value::Int(20)));
        assert_eq!(value(&s, "/Mode"), Some(Value::Int(2)));
        assert_eq!(value(&s, "/State"), Some(Value::Int(9)));
    }

    #[test]
    fn a_service_without_get_items_is_asked_for_its_tree_and_then_for_its_instance() {
        let (mut s, all) = (service(), Filter::everything());
        s.answered(Step::Items, at(0), Answer::Refused, at(1), &all);
        assert_eq!(s.scan, Scan::Due { step: Step::Tree, from: at(1) });
        s.answered(Step::Tree, at(1), Answer::Entries(vec![entry("/Soc", 5)]), at(2), &all);
        assert_eq!(s.scan, Scan::Due { step: Step::Instance, from: at(2) });
        s.answered(Step::Instance, at(2), Answer::Value(Some(Value::Int(7))), at(3), &all);
        assert!(s.is_known());
        assert_eq!(value(&s, "/DeviceInstance"), Some(Value::Int(7)));
    }

    #[test]
    fn a_service_without_a_tree_is_asked_path_by_path_and_refusals_do_not_stop_that() {
        let filter = Filter::everything().item(battery::SOC).item(device::CONNECTED);
        let mut s = service();
        s.answered(Step::Items, at(0), Answer::Refused, at(1), &filter);
        s.answered(Step::Tree, at(1), Answer::Garbled, at(2), &filter);
        let mut asked = Vec::new();
        while let Scan::Due { step: step @ Step::Path(n), .. } = s.scan {
            let path = filter.declared().nth(n).expect("declared").to_owned();
            let answer = if path == "/Soc" { Answer::Value(Some(Value::Int(5))) } else { Answer::Refused };
            s.answered(step, at(3), answer, at(4), &filter);
            asked.push(path);
        }
        assert_eq!(asked, ["/DeviceInstance", "/Connected", "/Soc"]);
        assert!(s.is_known());
        assert_eq!((value(&s, "/Soc"), s.malformed), (Some(Value::Int(5)), 1));
    }

    #[test]
    fn an_unanswered_question_is_asked_again_after_pauses_of_2_to_60_s() {
        let mut s = service();
        let mut now = at(0);
        let mut pauses = Vec::new();
        for _ in 0..7 {
            s.scan = Scan::Asked { step: Step::Items, serial: 1, at: now };
            assert!(!s.give_up(now + ANSWER_TIMEOUT - Duration::from_millis(1)));
            now += ANSWER_TIMEOUT;
            assert!(s.give_up(now));
            let Scan::Due { step: Step::Items, from } = s.scan else { panic!("{:?}", s.scan) };
            pauses.push((from - now).as_secs());
        }
        assert_eq!(pauses, [2, 4, 8, 16, 32, 60, 60]);
    }

    #[test]
    fn a_service_holds_no_more_items_and_no_larger_values_than_allowed() {
        let filter = Filter::everything().most_items(10);
        let mut s = service();
        s.heard(&(0..20).map(|n| entry(&format!("/N{n}"), n)).collect::<Vec<_>>(), at(1), &filter);
        assert_eq!((s.items().count(), s.overfull), (10, true));
        s.heard(&[entry("/N3", 33)], at(2), &filter);
        assert_eq!(value(&s, "/N3"), Some(Value::Int(33)));
        s.heard(&[entry("/N3", "x".repeat(MAX_TEXT))], at(3), &filter);
        assert_eq!(value(&s, "/N3"), None, "too large is no value");
        assert_eq!(s.item("/N3").map(|held| held.at), Some(at(3)));
    }

    #[test]
    fn all_values_of_a_service_together_are_bounded() {
        let all = Filter::everything();
        let mut s = service();
        for round in 0..3 {
            let big = |n: usize| entry(&format!("/N{n}"), "x".repeat(10_000 + round));
            s.heard(&(0..200).map(big).collect::<Vec<_>>(), at(1), &all);
            assert!(s.bytes <= MOST_BYTES, "{}", s.bytes);
        }
        let sum: usize = s.items().map(|(path, held)| path.len() + weight(held.value.as_ref())).sum();
        assert_eq!(s.bytes, sum);
        assert!(s.overfull);
    }

    #[test]
    fn a_type_may_change_and_only_another_value_is_a_change() {
        const FLAG: Item<i32> = Item::new("/Control/Dvcc", crate::Text::Plain);
        let all = Filter::everything();
        let mut s = service();
        s.heard(&[entry(&FLAG.path(), 1)], at(1), &all);
        assert_eq!(s.take_changes().len(), 1);
        s.heard(&[entry(&FLAG.path(), 1)], at(2), &all);
        assert_eq!(s.take_changes().len(), 0);
        s.heard(&[(FLAG.path().into_owned(), Some(Value::Bool(true)))], at(3), &all);
        assert_eq!(s.take_changes().len(), 1);
    }
}
