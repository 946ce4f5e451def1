//! The search on real lines.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::knowledge::Knowledge;
use super::plan::{Where, Wishes, plan};
use super::search::{Finding, Heard, Question, Search, Units};
use crate::line::address::Address;
use crate::line::{Ask, Line, NoAnswer, Turn};
use crate::modbus::pdu::{Answer, Request};

/// How long an answer may take.
const TIMEOUT_SERIAL: Duration = Duration::from_millis(300);
const TIMEOUT_TCP: Duration = Duration::from_millis(500);
/// How long the last call of one who has said nothing waits.
const TIMEOUT_PATIENT: Duration = Duration::from_secs(2);
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
    /// All questions, at most.
    pub of: usize,
    /// How long it takes still, at most.
    pub left: Duration,
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
    let began = Instant::now();
    let (mut failures, mut opened) = (0, None);
    while let Some(question) = search.ask() {
        let Some(address) = addresses.get(question.rate) else {
            search.give_up();
            continue;
        };
        tell(&now(search, address, &question, began));
        match ask(open.line(question.rate, address).await, address, &question, &open).await {
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

fn now(search: &Search, address: &Address, question: &Question, began: Instant) -> Now {
    let progress = search.progress();
    let of = progress.asked + progress.left;
    // The first questions say nothing about the time of the others: until then each counts as unanswered.
    let each = match u32::try_from(progress.asked.saturating_sub(1)) {
        Ok(asked) if asked >= 3 => began.elapsed() / asked,
        _ if address.baud().is_some() => TIMEOUT_SERIAL + GAP,
        _ => TIMEOUT_TCP + GAP,
    };
    let left = each * u32::try_from(progress.left).unwrap_or(u32::MAX).min(100_000);
    Now { address: address.clone(), unit: question.unit, asked: progress.asked, of, left }
}
