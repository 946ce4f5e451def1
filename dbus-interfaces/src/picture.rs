//! All followed services: who owns which name, what is to be asked next, and what the work loop is to be told. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::time::Instant;

use crate::events::{Event, Outbox};
use crate::filter::Filter;
use crate::followed::{ANSWER_TIMEOUT, Answer, Entry, Followed, Held, Scan, Step};

/// How many questions are under way at once. Each holds a pending reply in the bus daemon, which allows a connection 128
/// unless configured otherwise.
const QUESTIONS: usize = 32;

/// A question to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ask {
    /// The bus daemon: all names.
    Names,
    /// The bus daemon: the owner of a name.
    Owner { name: Arc<str> },
    /// `GetItems` to a unique name.
    Items { name: Arc<str>, owner: Arc<str> },
    /// `GetValue` on a path to a unique name.
    Value { name: Arc<str>, owner: Arc<str>, path: String },
}

/// What an answer is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    Names,
    Of(Step),
}

/// What people should know, each once per service and owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Note {
    Silent(Arc<str>),
    AnswersAgain(Arc<str>),
    Malformed(Arc<str>),
    Overfull(Arc<str>),
    TooMany(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listing {
    Due,
    Asked { serial: u32, at: Instant },
    Done,
}

#[derive(Debug)]
pub(crate) struct Picture {
    filter: Filter,
    services: BTreeMap<Arc<str>, Followed>,
    lives: u64,
    listing: Listing,
    /// There were more services than may be followed.
    left_out: bool,
    outbox: Outbox,
    notes: Vec<Note>,
    /// Something has happened that somebody may wait for.
    news: bool,
}

impl Picture {
    pub(crate) fn new(filter: Filter) -> Self {
        Picture {
            filter,
            services: BTreeMap::new(),
            lives: 0,
            listing: Listing::Due,
            left_out: false,
            outbox: Outbox::default(),
            notes: Vec::new(),
            news: false,
        }
    }

    /// A service whose items are known.
    pub(crate) fn known(&self, name: &str) -> Option<&Followed> {
        self.services.get(name).filter(|service| service.is_known())
    }

    pub(crate) fn item(&self, name: &str, path: &str) -> Option<&Held> {
        self.known(name)?.item(path)
    }

    pub(crate) fn all_known(&self) -> impl Iterator<Item = (&Arc<str>, &Followed)> {
        self.services.iter().filter(|(_, service)| service.is_known())
    }

    /// Whether every service that was there has been looked at, or has had its chance.
    pub(crate) fn is_settled(&self) -> bool {
        self.listing == Listing::Done && self.services.values().all(|s| s.is_known() || s.attempts > 0)
    }

    pub(crate) fn keeps(&self, path: &str) -> bool {
        self.filter.keeps(path)
    }

    /// Whether a signal of this sender is worth reading.
    pub(crate) fn knows_sender(&self, sender: &str) -> bool {
        self.services.values().any(|service| service.owner.as_deref() == Some(sender))
    }

    /// A name has another owner, or none.
    pub(crate) fn owner_changed(&mut self, name: &str, owner: Option<&str>, now: Instant) {
        if !self.filter.takes(name) {
            return;
        }
        let present = self.services.get(name).and_then(|service| service.owner.as_deref());
        match owner {
            None => self.remove(name),
            Some(owner) if present == Some(owner) => {}
            Some(owner) => {
                self.lives += 1;
                let service = Followed::owned(owner, self.lives, now);
                self.insert(name, service);
            }
        }
    }

    /// A signal of a service with items.
    pub(crate) fn heard(&mut self, sender: &str, entries: &[Entry], now: Instant) {
        // By rights there is one: a connection that owns two names has one tree of items for both.
        for (name, service) in &mut self.services {
            if service.owner.as_deref() == Some(sender) {
                service.heard(entries, now, &self.filter);
                note_troubles(name, service, &mut self.notes);
                self.outbox.touch(name, service.is_known());
                self.news = true;
            }
        }
    }

    /// A signal of a service that cannot be read.
    pub(crate) fn malformed(&mut self, sender: &str) {
        for (name, service) in &mut self.services {
            if service.owner.as_deref() == Some(sender) {
                service.malformed = service.malformed.saturating_add(1);
                note_troubles(name, service, &mut self.notes);
            }
        }
    }

    /// What is to be asked now; [`asked`](Self::asked) must follow before the next call.
    pub(crate) fn next_ask(&mut self, now: Instant) -> Option<Ask> {
        if self.listing == Listing::Due {
            return Some(Ask::Names);
        }
        let out = self.questions_out();
        let due = self.services.iter().filter_map(|(name, service)| match service.scan {
            Scan::Due { step, from } if from <= now && may_ask(service, out) => {
                Some((service.attempts, from, step, name, service))
            }
            _ => None,
        });
        let (_, _, step, name, service) = due.min_by_key(|(attempts, from, ..)| (*attempts, *from))?;
        let Some(owner) = service.owner.clone() else { return Some(Ask::Owner { name: name.clone() }) };
        let name = name.clone();
        let value =
            |path: &str| Ask::Value { name: name.clone(), owner: owner.clone(), path: path.to_owned() };
        Some(match step {
            Step::Owner => Ask::Owner { name },
            Step::Items => Ask::Items { name, owner },
            Step::Tree => value("/"),
            Step::Instance => value("/DeviceInstance"),
            Step::Path(n) => value(self.filter.declared().nth(n).unwrap_or("/DeviceInstance")),
        })
    }

    /// The question was sent with this serial number.
    pub(crate) fn asked(&mut self, ask: &Ask, serial: u32, now: Instant) {
        let name = match ask {
            Ask::Names => {
                self.listing = Listing::Asked { serial, at: now };
                return;
            }
            Ask::Owner { name } | Ask::Items { name, .. } | Ask::Value { name, .. } => name,
        };
        if let Some(service) = self.services.get_mut(name)
            && let Scan::Due { step, .. } = service.scan
        {
            service.scan = Scan::Asked { step, serial, at: now };
        }
    }

    /// What the answer to a message of ours is read as; nothing for one that is not waited for.
    pub(crate) fn expected(&self, reply_to: u32) -> Option<Expected> {
        if matches!(self.listing, Listing::Asked { serial, .. } if serial == reply_to) {
            return Some(Expected::Names);
        }
        self.services.values().find_map(|service| match service.scan {
            Scan::Asked { step, serial, .. } if serial == reply_to => Some(Expected::Of(step)),
            _ => None,
        })
    }

    /// An answer to the message with this serial number.
    pub(crate) fn answered(&mut self, reply_to: u32, answer: Answer, now: Instant) {
        self.news = true;
        if self.expected(reply_to) == Some(Expected::Names) {
            return self.listed(answer, now);
        }
        let found = self.services.iter_mut().find_map(|(name, service)| match service.scan {
            Scan::Asked { step, serial, at } if serial == reply_to => Some((name.clone(), step, at, service)),
            _ => None,
        });
        let Some((name, step, asked, service)) = found else { return };
        match (step, answer) {
            (Step::Owner, Answer::Owner(owner)) => self.owner_changed(&name, Some(&owner), now),
            (Step::Owner, _) => self.remove(&name),
            (_, answer) => {
                service.answered(step, asked, answer, now, &self.filter);
                if service.is_known() && service.attempts > 0 {
                    self.notes.push(Note::AnswersAgain(name.clone()));
                }
                note_troubles(&name, service, &mut self.notes);
                self.outbox.touch(&name, service.is_known());
            }
        }
    }

    fn listed(&mut self, answer: Answer, now: Instant) {
        self.listing = Listing::Done;
        let Answer::Names(names) = answer else { return };
        for name in names {
            if self.filter.takes(&name) && !self.services.contains_key(name.as_str()) {
                self.lives += 1;
                let service = Followed::new(self.lives, now);
                self.insert(&name, service);
            }
        }
    }

    /// Gives up what has not been answered in time.
    pub(crate) fn tick(&mut self, now: Instant) {
        if matches!(self.listing, Listing::Asked { at, .. } if now.saturating_duration_since(at) >= ANSWER_TIMEOUT)
        {
            self.listing = Listing::Due;
        }
        for (name, service) in &mut self.services {
            if !service.give_up(now) {
                continue;
            }
            self.news = true;
            if service.attempts == 1 {
                self.notes.push(Note::Silent(name.clone()));
            }
        }
    }

    /// When [`tick`](Self::tick) and [`next_ask`](Self::next_ask) have something to do without any message coming in.
    pub(crate) fn next_wake(&self) -> Option<Instant> {
        let listing = match self.listing {
            Listing::Asked { at, .. } => Some(at + ANSWER_TIMEOUT),
            Listing::Due | Listing::Done => None,
        };
        let out = self.questions_out();
        let scans = self.services.values().filter_map(|service| match service.scan {
            Scan::Asked { at, .. } => Some(at + ANSWER_TIMEOUT),
            Scan::Due { from, .. } => may_ask(service, out).then_some(from),
            Scan::Done => None,
        });
        scans.chain(listing).min()
    }

    /// The bus is lost, and every service with it.
    pub(crate) fn clear(&mut self) {
        let names: Vec<Arc<str>> = self.services.keys().cloned().collect();
        names.iter().for_each(|name| self.remove(name));
    }

    /// Whether something has happened since the last call that somebody may wait for.
    pub(crate) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.news)
    }

    pub(crate) fn take_notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    /// The next event for the work loop.
    pub(crate) fn next_event(&mut self) -> Option<Event> {
        self.outbox.next(&mut self.services)
    }

    fn questions_out(&self) -> usize {
        self.services.values().filter(|service| matches!(service.scan, Scan::Asked { .. })).count()
    }

    fn insert(&mut self, name: &str, service: Followed) {
        if self.services.len() >= self.filter.most_services && !self.services.contains_key(name) {
            if !self.left_out {
                self.notes.push(Note::TooMany(self.filter.most_services));
            }
            self.left_out = true;
            return;
        }
        self.services.insert(name.into(), service);
        // The old owner's service is gone; the new one's has nothing to tell yet.
        self.outbox.touch(name, false);
        self.news = true;
    }

    fn remove(&mut self, name: &str) {
        if self.services.remove(name).is_none() {
            return;
        }
        self.outbox.removed(name);
        self.news = true;
        if self.left_out {
            // There is room for one that was left out.
            self.left_out = false;
            self.listing = Listing::Due;
        }
    }
}

/// Who did not answer before must not hold up who has not been asked yet.
fn may_ask(service: &Followed, questions_out: usize) -> bool {
    questions_out < if service.attempts == 0 { QUESTIONS } else { QUESTIONS / 2 }
}

fn note_troubles(name: &Arc<str>, service: &mut Followed, notes: &mut Vec<Note>) {
    let troubles = service.take_troubles();
    if troubles.malformed {
        notes.push(Note::Malformed(name.clone()));
    }
    if troubles.overfull {
        notes.push(Note::Overfull(name.clone()));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Value;

    const A: &str = "com.victronenergy.battery.a";

    fn at(ms: u64) -> Instant {
        use std::sync::OnceLock;
        static START: OnceLock<Instant> = OnceLock::new();
        *START.get_or_init(Instant::now) + Duration::from_millis(ms)
    }

    /// Sends what the picture asks for, with serial numbers from 1 on, and returns the questions.
    fn questions(picture: &mut Picture, next: &mut u32, now: Instant) -> Vec<(u32, Ask)> {
        let mut asked = Vec::new();
        while let Some(ask) = picture.next_ask(now) {
            *next += 1;
            picture.asked(&ask, *next, now);
            asked.push((*next, ask));
        }
        asked
    }

    fn entry(path: &str, value: i32) -> Entry {
        (path.to_owned(), Some(Value::Int(value)))
    }

    /// A picture that knows one service with an instance.
    fn with_a(filter: Filter) -> (Picture, u32) {
        let (mut picture, mut serial) = (Picture::new(filter), 0);
        questions(&mut picture, &mut serial, at(0));
        picture.answered(serial, Answer::Names(vec![]), at(0));
        appear(&mut picture, &mut serial, A, ":1.1");
        (picture, serial)
    }

    fn appear(picture: &mut Picture, serial: &mut u32, name: &str, owner: &str) {
        picture.owner_changed(name, Some(owner), at(1));
        for (serial, ask) in questions(picture, serial, at(1)) {
            assert!(matches!(ask, Ask::Items { .. }), "{ask:?}");
            picture.answered(serial, Answer::Entries(vec![entry("/DeviceInstance", 5)]), at(2));
        }
    }

    fn value(picture: &Picture, path: &str) -> Option<Value> {
        picture.item(A, path).and_then(|held| held.value.clone())
    }

    fn events(picture: &mut Picture) -> Vec<String> {
        std::iter::from_fn(|| picture.next_event())
            .map(|event| match event {
                Event::Appeared { service } => format!("+{}", &service[26..]),
                Event::Gone { service } => format!("-{}", &service[26..]),
                Event::Changed { service, paths } => format!("{}:{}", &service[26..], paths.join(",")),
            })
            .collect()
    }

    #[test]
    fn services_that_are_there_at_the_start_are_found_by_their_names_and_owners() {
        let (mut picture, mut serial) = (Picture::new(Filter::new().class("battery")), 0);
        assert_eq!(questions(&mut picture, &mut serial, at(0)), [(1, Ask::Names)]);
        let names = ["org.x", A, "com.victronenergy.tank.b", ":1.1"].map(str::to_owned).to_vec();
        picture.answered(1, Answer::Names(names), at(0));
        assert_eq!(questions(&mut picture, &mut serial, at(0)), [(2, Ask::Owner { name: A.into() })]);
        picture.answered(2, Answer::Owner(":1.1".into()), at(0));
        let items = Ask::Items { name: A.into(), owner: ":1.1".into() };
        assert_eq!(questions(&mut picture, &mut serial, at(0)), [(3, items)]);
        assert!(!picture.is_settled());
        picture.answered(3, Answer::Entries(vec![entry("/Soc", 50)]), at(0));
        assert!(picture.is_settled());
        assert_eq!(value(&picture, "/Soc"), Some(Value::Int(50)));
        assert_eq!(events(&mut picture), ["+a"]);
    }

    #[test]
    fn a_name_that_is_gone_before_it_was_looked_at_leaves_nothing() {
        let (mut picture, mut serial) = (Picture::new(Filter::everything()), 0);
        questions(&mut picture, &mut serial, at(0));
        picture.answered(1, Answer::Names(vec![A.into()]), at(0));
        questions(&mut picture, &mut serial, at(0));
        picture.answered(2, Answer::Refused, at(0));
        assert!(picture.is_settled());
        assert_eq!((picture.services.len(), picture.next_wake()), (0, None));
    }

    #[test]
    fn a_service_that_leaves_drops_out_at_once() {
        let (mut picture, _) = with_a(Filter::everything());
        events(&mut picture);
        picture.owner_changed(A, None, at(5));
        assert_eq!(value(&picture, "/DeviceInstance"), None);
        assert_eq!(events(&mut picture), ["-a"]);
    }

    #[test]
    fn another_owner_is_another_service_and_old_values_are_gone_before_it_is_known() {
        let (mut picture, mut serial) = with_a(Filter::everything());
        picture.heard(":1.1", &[entry("/Soc", 40)], at(3));
        assert_eq!(events(&mut picture), ["+a"]);
        picture.owner_changed(A, Some(":1.2"), at(5));
        assert_eq!(value(&picture, "/Soc"), None);
        assert_eq!(events(&mut picture), ["-a"]);
        picture.heard(":1.1", &[entry("/Soc", 41)], at(6));
        let asked = questions(&mut picture, &mut serial, at(6));
        picture.answered(asked[0].0, Answer::Entries(vec![entry("/Mode", 1)]), at(7));
        assert_eq!((value(&picture, "/Soc"), value(&picture, "/Mode")), (None, Some(Value::Int(1))));
        assert_eq!(events(&mut picture), ["+a"]);
    }

    #[test]
    fn a_restart_that_a_slow_reader_slept_through_is_told_as_a_going_and_a_coming() {
        let (mut picture, mut serial) = with_a(Filter::everything());
        assert_eq!(events(&mut picture), ["+a"]);
        appear(&mut picture, &mut serial, A, ":1.2");
        assert_eq!(events(&mut picture), ["-a", "+a"]);
    }

    #[test]
    fn an_answer_of_the_former_owner_is_not_the_new_ones() {
        let (mut picture, mut serial) = (Picture::new(Filter::everything()), 0);
        questions(&mut picture, &mut serial, at(0));
        picture.answered(1, Answer::Names(vec![]), at(0));
        picture.owner_changed(A, Some(":1.1"), at(1));
        let first = questions(&mut picture, &mut serial, at(1));
        picture.owner_changed(A, Some(":1.2"), at(2));
        picture.answered(first[0].0, Answer::Entries(vec![entry("/Soc", 1)]), at(3));
        assert!(picture.known(A).is_none());
        let second = questions(&mut picture, &mut serial, at(3));
        assert_eq!(second[0].1, Ask::Items { name: A.into(), owner: ":1.2".into() });
    }

    #[test]
    fn changes_of_one_service_fall_into_one_event() {
        let (mut picture, _) = with_a(Filter::everything());
        events(&mut picture);
        for n in 0..100 {
            picture.heard(":1.1", &[entry("/Soc", n), entry("/Mode", 1)], at(5));
        }
        assert_eq!(events(&mut picture), ["a:/Mode,/Soc"]);
        picture.heard(":1.1", &[entry("/Soc", 99)], at(6));
        assert_eq!(events(&mut picture), Vec::<String>::new());
        assert_eq!(picture.item(A, "/Soc").map(|held| held.at), Some(at(6)));
    }

    #[test]
    fn names_that_come_and_go_take_no_memory_from_a_reader_that_does_not_read() {
        let (mut picture, mut serial) = with_a(Filter::everything());
        events(&mut picture);
        for n in 0..10_000 {
            let name = format!("com.victronenergy.battery.x{n}");
            appear(&mut picture, &mut serial, &name, ":1.9");
            picture.owner_changed(&name, None, at(3));
            picture.owner_changed(A, Some(&format!(":2.{n}")), at(3));
        }
        assert!(picture.outbox.len() <= 2, "{}", picture.outbox.len());
        assert!(picture.notes.len() <= 1, "{:?}", picture.notes);
    }

    #[test]
    fn who_never_answers_holds_up_nobody() {
        let (mut picture, mut serial) = (Picture::new(Filter::everything()), 0);
        questions(&mut picture, &mut serial, at(0));
        picture.answered(1, Answer::Names(vec![]), at(0));
        for n in 0..100 {
            picture.owner_changed(
                &format!("com.victronenergy.tank.dead{n}"),
                Some(&format!(":1.{n}")),
                at(0),
            );
        }
        let mut now = at(0);
        for _ in 0..8 {
            let asked = questions(&mut picture, &mut serial, now);
            assert!(asked.len() <= QUESTIONS);
            now = picture.next_wake().expect("something to do").max(now + Duration::from_millis(1));
            picture.tick(now);
        }
        assert!(picture.is_settled(), "each had its chance");
        // Now all of them are asked again, as many at a time as may be.
        now += Duration::from_secs(60);
        picture.tick(now);
        assert_eq!(questions(&mut picture, &mut serial, now).len(), QUESTIONS / 2);
        picture.owner_changed(A, Some(":3.1"), now);
        let asked = questions(&mut picture, &mut serial, now);
        assert!(matches!(&asked[..], [(_, Ask::Items { name, .. })] if name.as_ref() == A), "{asked:?}");
        assert_eq!(picture.take_notes().iter().filter(|note| matches!(note, Note::Silent(_))).count(), 100);
    }

    #[test]
    fn a_waiting_picture_never_spins() {
        let (mut picture, mut serial) = (Picture::new(Filter::everything()), 0);
        questions(&mut picture, &mut serial, at(0));
        picture.answered(1, Answer::Names(vec![]), at(0));
        for n in 0..100 {
            picture.owner_changed(
                &format!("com.victronenergy.tank.dead{n}"),
                Some(&format!(":1.{n}")),
                at(0),
            );
        }
        let mut now = at(0);
        let mut rounds = 0;
        while now < at(600_000) {
            questions(&mut picture, &mut serial, now);
            let wake = picture.next_wake().expect("something to do");
            assert!(wake > now, "asked to wake at once");
            now = wake;
            picture.tick(now);
            rounds += 1;
        }
        assert!(rounds < 2000, "{rounds} rounds in ten minutes");
    }

    #[test]
    fn more_services_than_allowed_are_left_out_until_there_is_room() {
        let (mut picture, mut serial) = with_a(Filter::everything().most_services(1));
        let b = "com.victronenergy.battery.b";
        picture.owner_changed(b, Some(":1.2"), at(3));
        assert_eq!(picture.services.len(), 1);
        assert_eq!(picture.take_notes(), [Note::TooMany(1)]);
        picture.owner_changed(A, None, at(4));
        let asked = questions(&mut picture, &mut serial, at(4));
        assert_eq!(asked[0].1, Ask::Names);
        picture.answered(asked[0].0, Answer::Names(vec![b.into()]), at(5));
        assert!(picture.services.contains_key(b));
    }

    #[test]
    fn malformed_signals_are_counted_and_told_of_once_per_service() {
        let (mut picture, _) = with_a(Filter::everything());
        for _ in 0..1000 {
            picture.malformed(":1.1");
            picture.malformed(":1.77");
        }
        assert_eq!(picture.known(A).map(|service| service.malformed), Some(1000));
        assert_eq!(picture.take_notes(), [Note::Malformed(A.into())]);
    }

    #[test]
    fn a_lost_bus_leaves_no_service() {
        let (mut picture, _) = with_a(Filter::everything());
        events(&mut picture);
        picture.clear();
        assert_eq!(events(&mut picture), ["-a"]);
        assert_eq!(picture.all_known().count(), 0);
    }
}
