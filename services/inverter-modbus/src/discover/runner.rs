//! The search on real lines.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::knowledge::Knowledge;
use super::plan::{Where, Wishes, plan};
use super::search::{Finding, Heard, Progress, Question, Search, Units, Verdict};
use crate::line::address::Address;
use crate::line::{Ask, Line, NoAnswer, Turn};
use crate::modbus::pdu::{Answer, Request};

/// How long an answer may take.
const TIMEOUT_SERIAL: Duration = Duration::from_millis(300);
const TIMEOUT_TCP: Duration = Duration::from_millis(500);
/// How long the last call of one who has said nothing waits.
const TIMEOUT_PATIENT: Duration = Duration::from_secs(2);
/// How long a question takes on a serial line that nobody answers: the answer could still come, and nothing else is asked before.
const UNANSWERED_SERIAL: Duration = Duration::from_secs(1);
/// Silence between an answer and the next request: most gateways need it.
const GAP: Duration = Duration::from_millis(100);
/// On a line that others use a question goes behind what they want within this time.
const BEHIND: Duration = Duration::from_secs(1);
/// A line that fails is opened again after this, and so often without an answer in between.
const AGAIN: Duration = Duration::from_millis(500);
const FAILURES: u32 = 30;

/// How the search gets at its line.
#[derive(Debug)]
pub enum Way {
    /// It opens the line itself, one rate after the other.
    Alone,
    /// The line is used by others, at this rate: nothing else is searched.
    Shared(Address, Line),
}

/// How far a search is.
#[derive(Debug, Clone, PartialEq)]
pub struct Now {
    /// What is tried.
    pub address: Address,
    /// The unit that is asked.
    pub unit: u8,
    /// Questions that were asked.
    pub asked: usize,
    /// All questions, as far as they can be foreseen: who answers is asked more.
    pub of: usize,
    /// How long it takes still, as far as that can be foreseen.
    pub left: Duration,
    /// The devices that are known so far, and where.
    pub found: Vec<(Address, Finding)>,
}

/// How long questions of one kind have taken.
#[derive(Debug, Default, Clone, Copy)]
struct Mean {
    asked: u32,
    spent: Duration,
}

impl Mean {
    fn or(self, usual: Duration) -> Duration {
        if self.asked >= 3 { self.spent / self.asked } else { usual }
    }
}

/// How long questions have taken that were answered, and those that were not: whoever answers is asked much in little time.
#[derive(Debug, Default)]
struct Pace {
    answered: Mean,
    unanswered: Mean,
}

impl Pace {
    fn took(&mut self, question: &Question, heard: Option<&Heard>, spent: Duration) {
        if question.is_patient {
            return;
        }
        let is_answer = matches!(heard, Some(Heard::Values(_) | Heard::Refused(_)));
        let mean = if is_answer { &mut self.answered } else { &mut self.unanswered };
        (mean.asked, mean.spent) = (mean.asked.saturating_add(1), mean.spent + spent);
    }

    /// How long what is left takes.
    fn left(&self, progress: &Progress, address: &Address) -> Duration {
        let timeout = if address.baud().is_some() { UNANSWERED_SERIAL } else { TIMEOUT_TCP + GAP };
        let times = |count: usize| u32::try_from(count).unwrap_or(u32::MAX).min(100_000);
        let heard = progress.left.saturating_sub(progress.unheard + progress.patient);
        self.unanswered.or(timeout) * times(progress.unheard)
            + self.answered.or(GAP * 2) * times(heard)
            + (TIMEOUT_PATIENT + GAP) * times(progress.patient)
    }
}

/// What a search brought.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outcome {
    /// The units that answered, and where.
    pub found: Vec<(Address, Finding)>,
    /// The rates at which nothing came but what cannot be understood.
    pub garbled: Vec<Address>,
    /// The unit because of which some registers were read nowhere.
    pub held_back: Option<Finding>,
}

/// Why a search could not be carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoLine(pub String);

/// Looks for devices at a port or host. `tell` hears how far it is before each question.
///
/// # Errors
/// The line cannot be opened, or breaks again and again.
pub async fn look(
    knowledge: &Arc<Knowledge>,
    place: &Where,
    wishes: &Wishes,
    way: Way,
    tell: impl FnMut(&Now),
) -> Result<Outcome, NoLine> {
    let mut plan = plan(knowledge, place, wishes);
    let mut is_closed = false;
    if let Way::Shared(address, line) = &way {
        let residents = line.inhabitants();
        is_closed = residents.iter().any(|(_, resident)| resident.is_delicate());
        let is_there =
            |unit: u8| residents.iter().any(|(known, resident)| *known == unit && resident.is_there);
        plan.retain_mut(|(rate, units)| {
            units.retain(|(unit, _)| !is_there(*unit));
            rate == address
        });
    }
    let (addresses, units): (Vec<Address>, Vec<Units>) = plan.into_iter().unzip();
    let mut search = Search::new(knowledge.clone(), &units);
    if is_closed {
        search.close();
    }
    run(&mut search, &addresses, way, tell).await?;
    let at = |rate: usize| addresses.get(rate).cloned();
    Ok(Outcome {
        found: search.findings().into_iter().filter_map(|one| Some((at(one.rate)?, one))).collect(),
        garbled: search.garbled().filter_map(at).collect(),
        held_back: search.held_back_by(),
    })
}

async fn run(
    search: &mut Search,
    addresses: &[Address],
    way: Way,
    mut tell: impl FnMut(&Now),
) -> Result<(), NoLine> {
    let mut open = match way {
        Way::Shared(_, line) => Open::Shared(line),
        Way::Alone => Open::Nothing,
    };
    let mut pace = Pace::default();
    let (mut failures, mut opened) = (0, None);
    while let Some(question) = search.ask() {
        let Some(address) = addresses.get(question.rate) else {
            search.give_up();
            continue;
        };
        tell(&now(search, addresses, address, &question, &pace));
        let began = Instant::now();
        let heard = ask(open.line(question.rate, address).await, address, &question, &open).await;
        pace.took(&question, heard.as_ref().ok(), began.elapsed());
        match heard {
            Ok(heard) => {
                opened = Some(question.rate);
                if matches!(heard, Heard::Values(_) | Heard::Refused(_)) {
                    failures = 0;
                }
                search.take(heard);
            }
            Err(why) if opened.is_none() || matches!(open, Open::Shared(_)) => return Err(NoLine(why)),
            // A port may not have every rate.
            Err(_) if opened != Some(question.rate) => search.give_up(),
            Err(why) => {
                failures += 1;
                if failures >= FAILURES {
                    return Err(NoLine(why));
                }
                // Some close the connection when they are asked for a unit that they do not have.
                search.take(Heard::Silence);
                open.close().await;
                sleep(AGAIN).await;
            }
        }
    }
    open.close().await;
    Ok(())
}

enum Open {
    Nothing,
    Shared(Line),
    /// The line of one of the rates, and what ends when it is closed.
    Alone(usize, Line, JoinHandle<()>),
}

impl Open {
    async fn line(&mut self, rate: usize, address: &Address) -> Line {
        match self {
            Open::Shared(line) => line.clone(),
            Open::Alone(open, line, _) if *open == rate => line.clone(),
            Open::Nothing | Open::Alone(..) => {
                self.close().await;
                let (line, task) = Line::begin(address.clone(), None, 0);
                *self = Open::Alone(rate, line.clone(), task);
                line
            }
        }
    }

    /// Closes a line of its own. When this returns, the port is free.
    async fn close(&mut self) {
        if let Open::Alone(_, line, task) = std::mem::replace(self, Open::Nothing) {
            drop(line);
            // It ends when nobody can ask any more; how is all the same.
            let _ = task.await;
        }
    }
}

async fn ask(line: Line, address: &Address, question: &Question, open: &Open) -> Result<Heard, String> {
    let turn = match open {
        Open::Shared(_) => Turn::By(Instant::now() + BEHIND),
        Open::Nothing | Open::Alone(..) => Turn::Now,
    };
    let usual = if address.baud().is_some() { TIMEOUT_SERIAL } else { TIMEOUT_TCP };
    let range = question.range;
    let request = Request::Read { table: range.table, addr: range.addr, count: range.count };
    let ask = Ask { unit: question.unit, request, timeout: usual, gap: GAP, turn };
    let answered = if question.is_patient { call(&line, ask).await } else { line.ask(ask).await };
    match answered {
        Ok(Answer::Values(values)) => Ok(Heard::Values(values)),
        // Busy devices, and gateways behind which nobody answers, say nothing about registers.
        Ok(Answer::Exception(5 | 6 | 10 | 11)) | Err(NoAnswer::Silence | NoAnswer::GaveWay(_)) => {
            Ok(Heard::Silence)
        }
        Ok(Answer::Exception(code)) => Ok(Heard::Refused(code)),
        Ok(Answer::Written | Answer::Raw(_)) | Err(NoAnswer::Garbage) => Ok(Heard::Garbage),
        Err(NoAnswer::NoLine(why)) => Err(why),
    }
}

/// The last call: listens as long as the patience lasts, and calls again where others went first meanwhile.
async fn call(line: &Line, ask: Ask) -> Result<Answer, NoAnswer> {
    let mut left = TIMEOUT_PATIENT;
    loop {
        let turn = if ask.turn == Turn::Now { Turn::Now } else { Turn::By(Instant::now() + BEHIND) };
        let answered = line.call(Ask { timeout: left, turn, ..ask.clone() }, ask.timeout).await;
        match answered {
            Err(NoAnswer::GaveWay(after)) if after + ask.timeout < left => left -= after,
            answered => return answered,
        }
    }
}

fn now(search: &Search, addresses: &[Address], address: &Address, question: &Question, pace: &Pace) -> Now {
    let progress = search.progress();
    let of = progress.asked + progress.left;
    let left = pace.left(&progress, address);
    let is_known = |finding: &Finding| matches!(finding.verdict, Verdict::Is(_));
    let found = search.findings().into_iter().filter(is_known);
    let found = found.filter_map(|finding| Some((addresses.get(finding.rate)?.clone(), finding))).collect();
    Now { address: address.clone(), unit: question.unit, asked: progress.asked, of, left, found }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::plan::Range;
    use crate::profile::scalar::Table;

    #[test]
    fn units_that_say_nothing_do_not_seem_as_quick_as_one_that_answers() {
        let range = Range { table: Table::Holding, addr: 0, count: 1 };
        let question = |is_patient| Question { rate: 0, unit: 1, range, is_patient };
        let address = Address::Tcp {
            host: "10.0.0.7".to_owned(),
            port: 502,
            framing: crate::line::address::Framing::Tcp,
        };
        let mut pace = Pace::default();
        let progress = Progress { asked: 9, left: 13, unheard: 10, patient: 1 };
        for _ in 0..9 {
            pace.took(&question(false), Some(&Heard::Values(vec![1])), Duration::from_millis(20));
            pace.took(&question(true), Some(&Heard::Silence), TIMEOUT_PATIENT);
        }
        let usual = (TIMEOUT_TCP + GAP) * 10 + TIMEOUT_PATIENT + GAP + Duration::from_millis(40);
        assert_eq!(pace.left(&progress, &address), usual);
        for _ in 0..9 {
            pace.took(&question(false), Some(&Heard::Silence), Duration::from_secs(1));
        }
        let slow = Duration::from_secs(10) + TIMEOUT_PATIENT + GAP + Duration::from_millis(40);
        assert_eq!(pace.left(&progress, &address), slow);
    }
}
