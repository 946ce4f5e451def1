use super::*;
use crate::modbus::rtu::crc;
use crate::profile::scalar::Table;

const UNIT: u8 = 1;
const SECOND: Duration = Duration::from_secs(1);

fn read(addr: u16, count: u16) -> Request {
    Request::Read { table: Table::Holding, addr, count }
}

fn write(addr: u16, value: u16) -> Request {
    Request::WriteRegisters { addr, values: vec![value] }
}

/// A frame of the unit around bytes.
fn frame(bytes: &[u8]) -> Vec<u8> {
    let frame = [&[UNIT], bytes].concat();
    [&frame[..], &crc(&frame).to_le_bytes()].concat()
}

struct Clock {
    overdue: Overdue,
    start: Instant,
}

impl Clock {
    fn new() -> Clock {
        Clock { overdue: Overdue::default(), start: Instant::now() }
    }

    fn at(&self, ms: u64) -> Instant {
        self.start + Duration::from_millis(ms)
    }

    /// A request that went at this time, and had a second.
    fn silent(&mut self, request: &Request, ms: u64) {
        self.overdue.silent(UNIT, request, self.at(ms), SECOND, self.at(ms + 1000));
    }

    /// How many milliseconds after this time a request may go.
    fn wait(&self, request: &Request, ms: u64) -> u128 {
        let now = self.at(ms);
        self.overdue.free_at(UNIT, request, now).duration_since(now).as_millis()
    }
}

#[test]
fn what_could_take_the_late_answer_waits_another_timeout_and_nothing_else_waits() {
    let mut clock = Clock::new();
    clock.silent(&read(10, 2), 0);
    assert_eq!(clock.wait(&read(20, 2), 1000), 1000, "an answer as long");
    assert_eq!(clock.wait(&read(20, 2), 2000), 0, "and no longer than that");
    let bits = Request::Read { table: Table::Discrete, addr: 10, count: 2 };
    let free = [read(10, 2), read(20, 3), bits, write(20, 1)];
    assert_eq!(free.map(|request| clock.wait(&request, 1000)), [0; 4]);
    assert_eq!(clock.overdue.free_at(2, &read(20, 2), clock.at(1000)), clock.at(1000), "another device");
    let raw = Request::Raw { function: 3, data: vec![0, 20, 0, 9] };
    assert_eq!(clock.wait(&raw, 1000), 1000, "a request of which only its maker knows what it is");
}

#[test]
fn a_late_confirmation_does_not_confirm_another_value() {
    let mut clock = Clock::new();
    clock.silent(&write(10, 1), 0);
    assert_eq!(clock.wait(&write(10, 2), 1000), 1000);
    assert_eq!((clock.wait(&write(10, 1), 1000), clock.wait(&write(11, 2), 1000)), (0, 0));
    let single = |value| Request::WriteRegister { addr: 10, value };
    clock.silent(&single(1), 5000);
    assert_eq!(clock.wait(&single(2), 6000), 0, "its confirmation carries the value");
}

#[test]
fn an_answer_to_something_later_says_that_nothing_earlier_comes() {
    let mut clock = Clock::new();
    clock.silent(&read(10, 2), 0);
    let now = clock.at(1050);
    assert!(clock.overdue.is_doubtful(UNIT, &read(20, 3), now), "a refusal may be that of the first");
    assert!(
        !clock.overdue.is_doubtful(UNIT, &read(10, 2), now)
            && !clock.overdue.is_doubtful(2, &read(20, 3), now)
    );
    clock.overdue.answered(UNIT, &read(20, 3), clock.at(1000), now);
    assert_eq!(clock.wait(&read(20, 2), 1050), 0);
    assert!(!clock.overdue.is_doubtful(UNIT, &read(20, 2), now));
}

#[test]
fn the_second_answer_to_what_was_asked_twice_is_waited_for_until_it_comes() {
    let mut clock = Clock::new();
    let answer = frame(&[3, 2, 0, 7]);
    let answered = |clock: &mut Clock| {
        clock.silent(&read(10, 1), 0);
        clock.overdue.answered(UNIT, &read(10, 1), clock.at(1000), clock.at(1200));
    };
    answered(&mut clock);
    assert_eq!(clock.wait(&read(20, 1), 1200), 1550, "as late as the first, and a little more");
    assert_eq!(clock.wait(&read(10, 1), 1200), 1550, "the same is not asked before either: it would be old");
    assert_eq!((clock.wait(&read(20, 2), 1200), clock.wait(&read(20, 1), 2750)), (0, 0));
    let now = clock.at(2200);
    assert!(!clock.overdue.hears(&answer[..4], None, now) && !clock.overdue.hears(&answer, Some(UNIT), now));
    assert!(clock.overdue.hears(&[&[0, UNIT], &answer[..]].concat(), None, now), "behind garbage too");
    assert_eq!(clock.wait(&read(20, 1), 2200), 0);
}

#[test]
fn an_answer_that_takes_longer_than_several_attempts_is_waited_for_as_often_as_was_asked() {
    let mut clock = Clock::new();
    clock.silent(&read(10, 1), 0);
    clock.overdue.silent(UNIT, &read(10, 1), clock.at(1000), 2 * SECOND, clock.at(3000));
    // The first of three.
    clock.overdue.answered(UNIT, &read(10, 1), clock.at(3000), clock.at(3500));
    assert_eq!(clock.wait(&read(20, 1), 3500), 4425);
    let answer = frame(&[3, 2, 0, 7]);
    assert!(clock.overdue.hears(&answer, None, clock.at(7000)));
    assert!(clock.wait(&read(20, 1), 7000) > 4000, "and the third");
    assert!(clock.overdue.hears(&answer, None, clock.at(10_500)));
    assert_eq!(clock.wait(&read(20, 1), 10_500), 0);
}

#[test]
fn a_refusal_of_nobody_knows_what_makes_only_its_function_wait() {
    let mut clock = Clock::new();
    clock.silent(&read(10, 1), 0);
    let (at, now) = (clock.at(1000), clock.at(1050));
    clock.overdue.unsure(UNIT, &read(20, 2), at, SECOND);
    assert_eq!((clock.wait(&read(30, 5), 1050), clock.wait(&write(30, 5), 1050)), (950, 0));
    assert_eq!(clock.wait(&read(20, 2), 1050), 0, "asked again at once");
    assert!(!clock.overdue.is_doubtful(UNIT, &read(20, 2), now), "and what comes then is believed");
    clock.overdue.answered(UNIT, &read(20, 2), clock.at(1060), clock.at(1100));
    assert_eq!(clock.wait(&read(30, 2), 1100), 175, "no longer than its answers take");
}

#[test]
fn a_device_that_never_answers_is_forgotten_in_time() {
    let mut clock = Clock::new();
    for n in 0..100 {
        clock.silent(&read(10, 1), n * 1000);
    }
    assert_eq!(clock.overdue.0[&UNIT].requests.len(), MOST);
    assert_eq!((clock.wait(&read(20, 1), 100_000), clock.wait(&read(20, 1), 101_000)), (1000, 0));
    clock.overdue.hears(&[], None, clock.at(120_000));
    assert!(clock.overdue.0.is_empty());
}
