//! One inverter on a line: what flows in it, the registers that show it, and how it answers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use super::faults::{Faults, Kind};
use super::image::Image;
use super::map::{Profile, Table};
use super::modbus::{self, ILLEGAL_ADDRESS, ILLEGAL_VALUE, Request};
use super::obeying::Written;
use super::plant::{Pack, Plant, State};
use super::quantities::Build;
use super::set_points::Plate;
use super::sheet::Sheet;
use super::writing::Rules;

/// Registers in an answer when the profile does not say.
const MAX_READ: u16 = 125;
/// Older entries of the journal are dropped.
const JOURNAL: usize = 1_000;

/// An inverter.
#[derive(Debug)]
pub struct Unit {
    /// Its number on the line.
    pub number: u8,
    /// What flows.
    pub plant: Plant,
    /// What goes wrong.
    pub faults: Faults,
    /// What opens the registers that are locked: the low 16 bits of it.
    pub code: u16,
    sheet: Sheet,
    rules: Rules,
    image: Image,
    plate: Plate,
    written: Written,
    worn: BTreeMap<u16, u32>,
    imposed: BTreeMap<(Table, u16), u16>,
    stepped_at: Option<Instant>,
    /// A battery passes the time.
    is_carried: bool,
    last_answer: Vec<u8>,
    journal: Vec<String>,
    resets: u32,
}

/// What leaves after a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The function code and what follows.
    pub pdu: Vec<u8>,
    /// What is wrong with it on its way.
    pub trouble: Option<Kind>,
}

impl Unit {
    /// One that has been switched on. `models` is the chain of a SunSpec device.
    #[must_use]
    pub fn new(number: u8, profile: Profile, plant: Plant, build: Build, models: &[u16]) -> Self {
        let mut image = Image::default();
        let sheet = Sheet::new(profile, build, models, &mut image);
        let plate = sheet.plate(plant.battery.capacity_ah / 2.0, plant.battery.nominal_v);
        sheet.not_implemented(&mut image);
        sheet.first_orders(&plate, &mut image);
        let rules = Rules::new(&sheet);
        let mut unit = Self {
            number,
            plant,
            faults: Faults::default(),
            code: 0,
            sheet,
            rules,
            image,
            plate,
            written: Written::default(),
            worn: BTreeMap::new(),
            imposed: BTreeMap::new(),
            stepped_at: None,
            is_carried: false,
            last_answer: Vec::new(),
            journal: Vec::new(),
            resets: 0,
        };
        unit.settle();
        unit
    }

    /// How often something was read that makes this kind of inverter reset itself.
    #[must_use]
    pub fn resets(&self) -> u32 {
        self.resets
    }

    /// How often registers were written that wear out, and how often the one of them that was written most.
    #[must_use]
    pub fn wear(&self) -> (u32, u32) {
        (self.worn.values().sum(), self.worn.values().copied().max().unwrap_or_default())
    }

    /// The requests since this was asked last, as `function:first:count`, with `:fault` where one was.
    pub fn take_journal(&mut self) -> Vec<String> {
        std::mem::take(&mut self.journal)
    }

    /// Makes a register hold a value, whatever flows.
    pub fn impose(&mut self, table: Table, register: u16, value: u16) {
        self.imposed.insert((table, register), value);
        self.settle();
    }

    /// Brings what flows and the registers up to date.
    pub fn pass_time(&mut self, now: Instant) {
        let before = self.stepped_at.replace(now).unwrap_or(now);
        if !self.is_carried {
            let elapsed_s = now.saturating_duration_since(before).as_secs_f64();
            self.written.now_s += elapsed_s;
            self.plant.step(elapsed_s);
        }
        self.settle();
    }

    /// The current in A that it wants of the battery on whose busbar it hangs, after `elapsed_s` more seconds. From now on
    /// that battery passes the time.
    pub fn draw(&mut self, pack: Pack, elapsed_s: f64) -> f64 {
        self.is_carried = true;
        self.written.now_s += elapsed_s;
        self.obey();
        self.plant.draw(pack, elapsed_s)
    }

    /// Voltage and current that this battery really has.
    pub fn measure(&mut self, volts: f64, amps: f64) {
        self.plant.measure(volts, amps);
        self.show();
    }

    /// Answers a request; `None` where it says nothing.
    pub fn serve(&mut self, pdu: &[u8], now: Instant) -> Option<Answer> {
        self.pass_time(now);
        let trouble = self.faults.take();
        let function = pdu.first().copied().unwrap_or_default();
        let request = Request::of(pdu);
        self.note(&request, trouble.as_ref());
        let answer = match (&trouble, request) {
            (Some(Kind::Exception(code)), _) => modbus::exception(function, *code),
            (_, request) => self.answer(function, pdu, request),
        };
        let stale = std::mem::replace(&mut self.last_answer, answer.clone());
        match trouble {
            Some(Kind::Silence) => None,
            Some(Kind::Stale) if !stale.is_empty() => Some(Answer { pdu: stale, trouble }),
            trouble => Some(Answer { pdu: answer, trouble }),
        }
    }

    fn answer(&mut self, function: u8, pdu: &[u8], request: Request) -> Vec<u8> {
        let done = match request {
            Request::ReadHolding(first, count) => self.read(function, Table::Holding, first, count),
            Request::ReadInput(first, count) => self.read(function, Table::Input, first, count),
            Request::WriteSingle(register, word) => {
                self.write(true, register, &[word]).map(|()| pdu.to_vec())
            }
            // The answer repeats the first register and the count.
            Request::WriteMultiple(first, words) => {
                self.write(false, first, &words).map(|()| pdu.get(..5).unwrap_or_default().to_vec())
            }
            Request::Wrong(code) => Err(code),
        };
        done.unwrap_or_else(|code| modbus::exception(function, code))
    }

    fn read(&mut self, function: u8, table: Table, first: u16, count: u16) -> Result<Vec<u8>, u8> {
        let last = first.saturating_add(count - 1);
        let link = &self.sheet.profile.link;
        if link.forbidden.iter().any(|(from, to)| first <= *to && last >= *from) {
            self.resets += 1;
            self.plant.reset();
            self.show();
            return Err(ILLEGAL_ADDRESS);
        }
        if count > link.max_read.unwrap_or(MAX_READ) {
            return Err(ILLEGAL_VALUE);
        }
        let words = self.image.range(table, first, count).ok_or(ILLEGAL_ADDRESS)?;
        Ok(modbus::read_answer(function, &words))
    }

    fn write(&mut self, is_single: bool, first: u16, words: &[u16]) -> Result<(), u8> {
        let mut after = self.image.clone();
        let mut registers = BTreeSet::new();
        for (register, word) in (first..=u16::MAX).zip(words) {
            let is_heeded =
                !self.sheet.maker.ignored_below.iter().any(|(at, least)| *at == register && word < least);
            if is_heeded {
                after.set(Table::Holding, register, *word);
            }
            registers.insert(register);
        }
        if registers.len() < words.len() {
            return Err(ILLEGAL_ADDRESS);
        }
        self.rules.check(&self.sheet, is_single, &registers, &after, self.code)?;
        self.image = after;
        for register in registers {
            self.written.at_s.insert(register, self.written.now_s);
            if self.rules.wears(register) {
                *self.worn.entry(register).or_default() += 1;
            }
        }
        self.settle();
        Ok(())
    }

    fn note(&mut self, request: &Request, trouble: Option<&Kind>) {
        let words = match request {
            Request::ReadHolding(first, count) => format!("3:{first}:{count}"),
            Request::ReadInput(first, count) => format!("4:{first}:{count}"),
            Request::WriteSingle(register, word) => format!("6:{register}={word}"),
            Request::WriteMultiple(first, words) => {
                let words: Vec<_> = words.iter().map(u16::to_string).collect();
                format!("16:{first}={}", words.join(","))
            }
            Request::Wrong(code) => format!("wrong:{code}"),
        };
        if self.journal.len() >= JOURNAL {
            self.journal.remove(0);
        }
        let trouble = trouble.map(|kind| format!(":{}", kind.name())).unwrap_or_default();
        self.journal.push(format!("{words}{trouble}"));
    }

    fn settle(&mut self) {
        self.obey();
        self.plant.settle();
        self.show();
    }

    fn obey(&mut self) {
        let soc = self.plant.battery.soc;
        self.plant.orders = self.sheet.orders(&self.image, &self.written, self.plate, soc);
    }

    fn show(&mut self) {
        self.sheet.show(&self.plant, &mut self.image, &self.rules.registers);
        for ((table, register), value) in &self.imposed {
            self.image.set(*table, *register, *value);
        }
    }

    /// How it is, for people and tests: words `key=value`.
    #[must_use]
    pub fn status(&self) -> String {
        let (flow, dark, (wear, worn)) = (self.plant.flow(), self.plant.darkness(), self.wear());
        let (least_w, most_w) = self.plant.room_w();
        let state = match self.plant.state() {
            State::Off => "off",
            State::Running => "running",
            State::Inverting => "inverting",
            State::Dark => "dark",
        };
        format!(
            "state={state} pv_w={:.0} ac_in_w={:.0} ac_out_w={:.0} battery_w={:.0} loss_w={:.0} grid_w={:.0} \
             battery_v={:.2} battery_a={:.2} soc={:.1} may_take_w={:.0} may_give_w={:.0} blackouts={} dark_s={:.0} flash_writes={wear} worn={worn} \
             resets={}",
            flow.pv_w,
            flow.ac_in_w,
            flow.ac_out_w,
            flow.battery_w,
            flow.loss_w,
            flow.grid_w,
            flow.battery_v,
            flow.battery_a,
            100.0 * self.plant.battery.soc,
            most_w,
            -least_w,
            dark.times,
            dark.seconds,
            self.resets
        )
    }
}

/// How long an answer waits, and how long it stops in its middle.
#[must_use]
pub fn pauses(trouble: Option<&Kind>) -> [Duration; 2] {
    match trouble {
        Some(Kind::Late(pause)) => [*pause, Duration::ZERO],
        _ => [Duration::ZERO; 2],
    }
}
