//! One inverter on a line: what flows in it, the registers that show it, and how it answers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use super::faults::{Faults, Kind};
use super::image::{self, Image, places};
use super::layout;
use super::map::{Point, Profile, Table, Type, Write, number};
use super::modbus::{self, ILLEGAL_ADDRESS, ILLEGAL_VALUE, Request};
use super::plant::{Orders, Plant, State};
use super::quantities::{Build, state_words, value};

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
    profile: Profile,
    build: Build,
    image: Image,
    starts: BTreeMap<u16, u16>,
    written: BTreeSet<u16>,
    imposed: BTreeMap<(Table, u16), u16>,
    stepped_at: Option<Instant>,
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
        let starts = layout::lay_out(&profile, models, &mut image);
        let written =
            profile.write.iter().filter_map(|write| at(&starts, &write.model, write.addr?)).collect();
        let mut unit = Self {
            number,
            plant,
            faults: Faults::default(),
            profile,
            build,
            image,
            starts,
            written,
            imposed: BTreeMap::new(),
            stepped_at: None,
            last_answer: Vec::new(),
            journal: Vec::new(),
            resets: 0,
        };
        unit.first_orders();
        unit.not_implemented();
        unit.show();
        unit
    }

    /// How often something was read that makes this kind of inverter reset itself.
    #[must_use]
    pub fn resets(&self) -> u32 {
        self.resets
    }

    /// The requests since this was asked last, as `function:first:count`, with `:fault` where one was.
    pub fn take_journal(&mut self) -> Vec<String> {
        std::mem::take(&mut self.journal)
    }

    /// Makes a register hold a value, whatever flows.
    pub fn impose(&mut self, table: Table, register: u16, value: u16) {
        self.imposed.insert((table, register), value);
        self.show();
    }

    /// Brings what flows and the registers up to date.
    pub fn pass_time(&mut self, now: Instant) {
        let before = self.stepped_at.replace(now).unwrap_or(now);
        self.plant.orders = self.orders();
        self.plant.step(now.saturating_duration_since(before).as_secs_f64());
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
        match request {
            Request::ReadHolding(first, count) => self.read(function, Table::Holding, first, count),
            Request::ReadInput(first, count) => self.read(function, Table::Input, first, count),
            Request::WriteSingle(register, word) => self.write(function, register, &[word], pdu),
            // The answer repeats the first register and the count.
            Request::WriteMultiple(first, words) => {
                self.write(function, first, &words, pdu.get(..5).unwrap_or_default())
            }
            Request::Wrong(code) => modbus::exception(function, code),
        }
    }

    fn read(&mut self, function: u8, table: Table, first: u16, count: u16) -> Vec<u8> {
        let last = first.saturating_add(count - 1);
        if self.profile.link.forbidden.iter().any(|(from, to)| first <= *to && last >= *from) {
            self.resets += 1;
            self.plant.reset();
            self.show();
            return modbus::exception(function, ILLEGAL_ADDRESS);
        }
        if count > self.profile.link.max_read.unwrap_or(MAX_READ) {
            return modbus::exception(function, ILLEGAL_VALUE);
        }
        match self.image.range(table, first, count) {
            Some(words) => modbus::read_answer(function, &words),
            None => modbus::exception(function, ILLEGAL_ADDRESS),
        }
    }

    fn write(&mut self, function: u8, first: u16, words: &[u16], answer: &[u8]) -> Vec<u8> {
        let count = u16::try_from(words.len()).unwrap_or(u16::MAX);
        if self.image.range(Table::Holding, first, count).is_none() {
            return modbus::exception(function, ILLEGAL_ADDRESS);
        }
        for (register, word) in (first..=u16::MAX).zip(words) {
            self.image.set(Table::Holding, register, *word);
            self.written.insert(register);
        }
        self.plant.orders = self.orders();
        self.plant.step(0.0);
        self.show();
        answer.to_vec()
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

    /// Shows what flows in the registers that nobody can write.
    fn show(&mut self) {
        let points = std::mem::take(&mut self.profile.point);
        for point in &points {
            if let Some(value) = value(&point.name, &self.plant, self.build) {
                self.show_point(point, value);
            }
        }
        self.profile.point = points;
        let enums = std::mem::take(&mut self.profile.enums);
        for one in enums.iter().filter(|one| one.name == "state") {
            let words = state_words(self.plant.state()).iter();
            let raw = words.filter_map(|word| {
                one.map.iter().filter(|(_, named)| named == word).filter_map(|(key, _)| number(key)).min()
            });
            if let (Some(raw), Some(addr)) = (raw.into_iter().next(), at(&self.starts, &one.model, one.addr))
            {
                let words = image::registers(one.kind, raw as f64);
                let places = places(addr, one.kind.registers(), self.profile.link.words);
                self.image.set_all(self.profile.table(one.table), &places, &words);
            }
        }
        self.profile.enums = enums;
        for ((table, register), value) in &self.imposed {
            self.image.set(*table, *register, *value);
        }
    }

    fn show_point(&mut self, point: &Point, value: f64) {
        let table = self.profile.table(point.table);
        let words = point.words.unwrap_or(self.profile.link.words);
        let places: Vec<u16> = match point.addr.and_then(|addr| at(&self.starts, &point.model, addr)) {
            Some(first) => places(first, point.kind.registers(), words),
            // The low one is named first.
            None => point.words_at.iter().rev().copied().collect(),
        };
        if places.is_empty()
            || places.iter().any(|place| table == Table::Holding && self.written.contains(place))
        {
            return;
        }
        let mut raw = (value - point.offset) / point.scale.unwrap_or(1.0);
        if let Some(scale_addr) = point.scale_addr.and_then(|addr| at(&self.starts, &point.model, addr)) {
            let exponent = usual_exponent(&point.unit);
            self.image.set(table, scale_addr, exponent.cast_unsigned());
            raw /= 10_f64.powi(exponent.into());
        }
        if let Some(sign) = &point.sign_from {
            let wanted = if raw < 0.0 { -1.0 } else { 1.0 };
            let key =
                sign.map.iter().find(|(_, meaning)| **meaning == wanted).and_then(|(key, _)| number(key));
            if let Some(key) = key.and_then(|key| u16::try_from(key).ok()) {
                self.image.set_bits(
                    self.profile.table(sign.table),
                    sign.addr,
                    sign.mask.unwrap_or(u16::MAX),
                    key,
                );
            }
            raw = raw.abs();
        }
        let Some(first) = places.first().copied() else { return };
        let low = |raw: f64| (raw.round().clamp(-32_768.0, 65_535.0) as i32 & 0xFFFF) as u16;
        match (point.kind, point.mask) {
            (Type::U8h | Type::S8h, _) => self.image.set_bits(table, first, 0xFF00, low(raw) & 0xFF),
            (Type::U8l | Type::S8l, _) => self.image.set_bits(table, first, 0x00FF, low(raw) & 0xFF),
            (_, Some(mask)) => self.image.set_bits(table, first, mask, low(raw)),
            (Type::String | Type::Other, _) => {}
            (kind, None) => self.image.set_all(table, &places, &image::registers(kind, raw)),
        }
    }

    /// A SunSpec device marks what it does not have, by the type of each point.
    fn not_implemented(&mut self) {
        let points: Vec<Point> =
            self.profile.point.iter().filter(|point| !point.model.is_empty()).cloned().collect();
        for point in points {
            let Some(first) = point.addr.and_then(|addr| at(&self.starts, &point.model, addr)) else {
                continue;
            };
            let words: &[u16] = match point.kind {
                Type::S16 => &[0x8000],
                Type::S32 => &[0x8000, 0],
                Type::F32 => &[0x7FC0, 0],
                _ => continue,
            };
            let places: Vec<u16> = (first..).take(words.len()).collect();
            if !self.starts.values().any(|start| *start == first) {
                self.image.set_all(Table::Holding, &places, words);
            }
            if let Some(scale_addr) = point.scale_addr.and_then(|addr| at(&self.starts, &point.model, addr)) {
                self.image.set(Table::Holding, scale_addr, usual_exponent(&point.unit).cast_unsigned());
            }
        }
    }

    /// What the registers that can be written hold in the beginning: half of what the battery can do, nothing forbidden.
    fn first_orders(&mut self) {
        let amps = self.plant.battery.capacity_ah / 2.0;
        let watts = amps * self.plant.battery.nominal_v;
        let writes = self.profile.write.clone();
        for write in &writes {
            let first = match write.name.as_str() {
                "charge_current_limit" | "discharge_current_limit" => amps,
                "charge_power_limit" | "discharge_power_limit" => watts,
                "max_soc" => 100.0,
                "min_soc" => 10.0,
                "on_off" => 1.0,
                _ => continue,
            };
            let first = first.min(write.max.unwrap_or(f64::INFINITY));
            let raw = write
                .map
                .get("on")
                .map_or((first - write.offset) / write.scale.unwrap_or(1.0), |on| *on as f64);
            self.set_write(write, raw);
        }
    }

    fn set_write(&mut self, write: &Write, raw: f64) {
        let Some(first) = write.addr.and_then(|addr| at(&self.starts, &write.model, addr)) else { return };
        if let Some(mask) = write.mask {
            self.image.set_bits(Table::Holding, first, mask, raw as u16);
            return;
        }
        let words = write.words.unwrap_or(self.profile.link.words);
        let places = places(first, write.kind.registers(), words);
        self.image.set_all(Table::Holding, &places, &image::registers(write.kind, raw));
    }

    /// What the registers say that can be written.
    fn orders(&self) -> Orders {
        let mut orders = Orders { battery_w: self.plant.orders.battery_w, ..Orders::default() };
        for write in &self.profile.write {
            let Some(value) = self.ordered(write) else { continue };
            match write.name.as_str() {
                "charge_current_limit" => orders.charge_a = value.max(0.0),
                "discharge_current_limit" => orders.discharge_a = value.max(0.0),
                "charge_power_limit" => orders.charge_w = value.max(0.0),
                "discharge_power_limit" => orders.discharge_w = value.max(0.0),
                "min_soc" => orders.min_soc = value / 100.0,
                "max_soc" => orders.max_soc = value / 100.0,
                "on_off" => orders.on = value != 0.0,
                _ => {}
            }
        }
        orders
    }

    fn ordered(&self, write: &Write) -> Option<f64> {
        let first = at(&self.starts, &write.model, write.addr?)?;
        let places = places(first, write.kind.registers(), write.words.unwrap_or(self.profile.link.words));
        let words: Option<Vec<u16>> =
            places.iter().map(|place| self.image.get(Table::Holding, *place)).collect();
        let raw = match write.mask {
            Some(mask) => f64::from((self.image.get(Table::Holding, first)? & mask) >> mask.trailing_zeros()),
            None => image::number(write.kind, &words?),
        };
        if let Some(on) = write.map.get("on") {
            return Some(f64::from(u8::from(raw == *on as f64)));
        }
        Some(raw * write.scale.unwrap_or(1.0) + write.offset)
    }

    /// How it is, for people and tests: words `key=value`.
    #[must_use]
    pub fn status(&self) -> String {
        let flow = self.plant.flow();
        let state = match self.plant.state() {
            State::Off => "off",
            State::Running => "running",
            State::Inverting => "inverting",
            State::Dark => "dark",
        };
        format!(
            "state={state} pv_w={:.0} ac_in_w={:.0} ac_out_w={:.0} battery_w={:.0} loss_w={:.0} grid_w={:.0} \
             battery_v={:.2} battery_a={:.2} soc={:.1} resets={}",
            flow.pv_w,
            flow.ac_in_w,
            flow.ac_out_w,
            flow.battery_w,
            flow.loss_w,
            flow.grid_w,
            flow.battery_v,
            flow.battery_a,
            100.0 * self.plant.battery.soc,
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

/// The register at an offset of a model, or at a fixed place.
fn at(starts: &BTreeMap<u16, u16>, models: &[u16], addr: u16) -> Option<u16> {
    if models.is_empty() {
        return Some(addr);
    }
    let (model, start) = models.iter().find_map(|model| Some((*model, *starts.get(model)?)))?;
    (addr < layout::length(model)? + 2).then_some(start + addr)
}

/// The power of ten that a simulated SunSpec device has for a unit.
fn usual_exponent(unit: &str) -> i16 {
    match unit {
        "V" | "%" => -1,
        "A" | "Hz" => -2,
        _ => 0,
    }
}
