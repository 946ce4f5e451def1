//! A set point as writes.

use super::decode::MOST_POWER;
use super::image::Image;
use super::layout::{Layout, Raw};
use super::map::{Map, Shown, WriteAt};
use super::words;
use crate::profile::kind::{Type, Words};
use crate::profile::scalar::Table;
use crate::profile::write::{Given, Step};

/// Registers that are written in one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Where.
    pub table: Table,
    /// First address.
    pub addr: u16,
    /// What.
    pub values: Vec<u16>,
    /// The bits that are meant, where the others must stay: the register is read first.
    pub masks: Vec<u16>,
}

/// Why nothing is written.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// A value outside of the limits.
    #[error("{value} is not between {min} and {max}")]
    OutOfRange {
        /// What was wanted.
        value: f64,
        /// Smallest.
        min: f64,
        /// Largest.
        max: f64,
    },
    /// A number that is none of the words.
    #[error("{0} means nothing here")]
    NoWord(f64),
    /// What the value is made of is not known.
    #[error("{0} is not known now")]
    Unknown(String),
    /// The device does it already, and was not told to by us.
    #[error("the device does this already, by itself or for somebody else: what it did before is not known")]
    Already,
    /// It can be set only under a condition that does not hold.
    #[error("{name} can be set only while {condition}")]
    Only {
        /// The set point.
        name: String,
        /// The condition.
        condition: String,
    },
    /// The registers cannot hold it.
    #[error("{0} does not fit into its registers")]
    TooLarge(f64),
}

/// What values are made of besides the one that is wanted.
pub struct Known<'k> {
    /// The points.
    pub point: &'k dyn Fn(&str) -> Option<f64>,
    /// The secrets of the configuration.
    pub secret: &'k dyn Fn(&str) -> Option<u32>,
    /// The registers as they are.
    pub image: &'k Image,
    /// The registers as they were before a sequence.
    pub saved: &'k Image,
}

impl WriteAt {
    /// The limits now: those of the profile, and that of the point that is another one.
    #[must_use]
    pub fn limits(&self, point: &dyn Fn(&str) -> Option<f64>) -> Option<(f64, f64)> {
        let (min, max) = (self.spec.min?, self.spec.max?);
        let more = self.spec.max_from.as_ref().and_then(|name| point(name));
        Some((min, more.map_or(max, |more| more.min(max)).max(min)))
    }

    /// Whether it ends by itself unless it is told at the end that it is to stay.
    #[must_use]
    pub fn lapses(&self) -> bool {
        self.spec.sequence.iter().any(|step| step.last.is_some())
    }

    /// The nearest value that can be written and is not further from 0 than `value`: nothing is made stronger by rounding.
    #[must_use]
    pub fn clip(&self, value: f64, point: &dyn Fn(&str) -> Option<f64>) -> f64 {
        let Some((min, max)) = self.limits(point) else { return value };
        let value = value.clamp(min, max);
        match self.spec.step.or_else(|| self.resolution()) {
            // A hair more, so that 0.3 in steps of 0.1 is not 0.2.
            Some(step) if value >= 0.0 => min + ((value - min) / step + 1e-6).floor() * step,
            // Below zero the larger number is the weaker one.
            Some(step) => min + ((value - min) / step - 1e-6).ceil() * step,
            None => value,
        }
    }

    /// Whether it bounds what the device may do.
    #[must_use]
    pub fn is_limit(&self) -> bool {
        self.spec.name.ends_with("_limit") || self.spec.name.ends_with("_limit_percent")
    }

    /// What its registers can tell apart, where that is always the same.
    fn resolution(&self) -> Option<f64> {
        let whole = self.layout.as_ref().filter(|layout| !layout.kind.is_float());
        whole.filter(|_| self.power_at.is_none()).map(|_| self.spec.scale.abs())
    }

    /// To what registers can hold: nothing is made stronger by that.
    fn rounding(&self) -> fn(f64) -> f64 {
        // A hair more, so that 0.3 in tenths is not 2.
        |raw: f64| (raw + 1e-6_f64.copysign(raw)).trunc()
    }

    /// The writes that make the device have `value`.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn writes(&self, value: f64, known: &Known<'_>) -> Result<Vec<Written>, Refused> {
        let value = match &self.spec.map {
            Some(known) => words::number_of(known, value).ok_or(Refused::NoWord(value))?,
            None => value,
        };
        if let Some((min, max)) = self.limits(known.point)
            && !(min..=max).contains(&value)
        {
            return Err(Refused::OutOfRange { value, min, max });
        }
        let round = self.rounding();
        let mut writes = steps(&self.spec.unlock, Some(value), known, round)?;
        match &self.layout {
            Some(layout) => {
                let mut scaled = (value - self.spec.offset) / self.spec.scale;
                if let Some(power_at) = &self.power_at {
                    scaled /= ten_to(power_at, known.image)?;
                }
                let raw = if layout.kind.is_float() { scaled } else { round(scaled) };
                writes.push(register(layout, raw)?);
            }
            None => writes.extend(steps(&self.spec.sequence, Some(value), known, round)?),
        }
        Ok(writes)
    }

    /// The writes that leave the device with `value` when the process ends: what lapses by itself does not any more.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn last_writes(&self, value: f64, known: &Known<'_>) -> Result<Vec<Written>, Refused> {
        let mut for_good = self.clone();
        for step in &mut for_good.spec.sequence {
            if let Some(last) = step.last {
                step.value = Given::Number(last);
            }
        }
        for_good.writes(value, known)
    }

    /// The writes that repeat it, or change its value, while it is in force.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn repeated(&self, value: f64, known: &Known<'_>) -> Result<Vec<Written>, Refused> {
        if self.spec.sequence.iter().all(|step| !step.once) {
            return self.writes(value, known);
        }
        let mut again = self.clone();
        again.spec.sequence.retain(|step| !step.once);
        again.writes(value, known)
    }

    /// The writes for when nobody wants a value any more.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn release(&self, known: &Known<'_>) -> Result<Vec<Written>, Refused> {
        steps(&self.spec.release, None, known, f64::round)
    }

    /// The writes of its sequence that are the same whatever is wanted, one by one.
    #[must_use]
    pub fn fixed(&self) -> Vec<Written> {
        let nothing = Image::default();
        let known = Known { point: &|_| None, secret: &|_| None, image: &nothing, saved: &nothing };
        let fixed = self.spec.sequence.iter().filter(|step| matches!(step.value, Given::Number(_)));
        let alone = fixed.map(|step| Step { join: false, ..step.clone() });
        alone.filter_map(|step| steps(&[step], None, &known, f64::round).ok()).flatten().collect()
    }

    /// The registers that show it alone.
    #[must_use]
    pub fn registers(&self) -> Option<&Layout> {
        match &self.shown {
            Some(Shown::Registers { layout, .. }) => Some(layout),
            _ => None,
        }
    }

    /// Whether what shows it is a state, which holds or does not.
    #[must_use]
    pub fn shows_state(&self) -> bool {
        matches!(self.shown, Some(Shown::State(_)))
    }

    /// What the device shows for it, as a number.
    #[must_use]
    pub fn shown(&self, image: &Image, point: &dyn Fn(&str) -> Option<f64>) -> Option<f64> {
        let (layout, scale, offset) = match self.shown.as_ref()? {
            Shown::Registers { layout, scale, offset } => (layout, scale, offset),
            Shown::Point(name) => return point(name),
            Shown::State(_) => return None,
        };
        let raw = layout.read(image)?.number()?;
        let power = self.power_at.as_ref().map_or(Some(1.0), |power_at| ten_to(power_at, image).ok())?;
        let number = raw * power * scale + offset;
        Some(self.spec.map.as_ref().map_or(number, |known| words::value_of(known, number)))
    }

    /// Whether the device shows `value`, as exactly as its registers can.
    #[must_use]
    pub fn is_shown(&self, value: f64, image: &Image, point: &dyn Fn(&str) -> Option<f64>) -> Option<bool> {
        let scale = match self.shown.as_ref()? {
            Shown::Registers { scale, .. } => *scale,
            Shown::Point(_) => self.spec.step.unwrap_or(1.0),
            Shown::State(condition) => return Some(condition.holds(point)),
        };
        let power = self.power_at.as_ref().map_or(Some(1.0), |power_at| ten_to(power_at, image).ok())?;
        let step = (scale * power).abs();
        // What shows a limit may be made of registers that could hold only a little less.
        let is_made = matches!(self.shown, Some(Shown::Point(_))) && self.is_limit();
        let below = if is_made { 1.01 } else { 0.51 };
        Some((-below * step..=0.51 * step).contains(&(self.shown(image, point)? - value)))
    }
}

/// The registers of steps whose values are restored by a release.
#[must_use]
pub fn to_save(steps: &[Step]) -> Vec<(Table, u16, u16)> {
    places(steps, &Given::Saved)
}

/// The registers of steps that are written as they are.
#[must_use]
pub fn to_keep(steps: &[Step]) -> Vec<(Table, u16, u16)> {
    places(steps, &Given::Kept)
}

fn places(steps: &[Step], given: &Given) -> Vec<(Table, u16, u16)> {
    let places = steps.iter().filter(|step| step.value == *given);
    places.filter_map(|step| Some((step.table, step.addr, step.kind.registers()?))).collect()
}

fn steps(
    steps: &[Step],
    wanted: Option<f64>,
    known: &Known<'_>,
    round: fn(f64) -> f64,
) -> Result<Vec<Written>, Refused> {
    let mut writes: Vec<Written> = Vec::new();
    for step in steps {
        let order = step.words.unwrap_or(Words::Hl);
        let layout = Layout::at(step.table, step.addr, step.kind, order, None).masked(step.mask);
        let unknown = |what: &str| Refused::Unknown(what.to_owned());
        let power_at = step.scale_addr.map(|addr| Layout::at(step.table, addr, Type::Sf16, Words::Hl, None));
        let power = power_at.map_or(Ok(1.0), |power_at| ten_to(&power_at, known.image))?;
        let scale = step.scale * power;
        let value = match &step.value {
            Given::Number(number) => *number,
            Given::Wanted => wanted.ok_or_else(|| unknown("the value"))?,
            Given::Magnitude => wanted.ok_or_else(|| unknown("the value"))?.abs(),
            Given::Secret(name) => f64::from((known.secret)(name).ok_or_else(|| unknown(name))?),
            Given::Saved | Given::Kept => {
                let is_saved = step.value == Given::Saved;
                let raw = layout.read(if is_saved { known.saved } else { known.image });
                let what = if is_saved { "what stood there before" } else { "what stands beside it" };
                raw.and_then(|raw| raw.number()).ok_or_else(|| unknown(what))? * scale
            }
            Given::Made(expr) => {
                let point = |name: &str| if name == "value" { wanted } else { (known.point)(name) };
                expr.value(&point).ok_or_else(|| unknown("a point that it is made of"))?
            }
        };
        // Only what is made of the value is rounded its way.
        let is_made = matches!(step.value, Given::Wanted | Given::Magnitude | Given::Made(_));
        let round = if is_made { round } else { f64::round };
        let raw = value / scale;
        let write = register(&layout, if layout.kind.is_float() { raw } else { round(raw) })?;
        match writes.last_mut() {
            Some(last) if step.join => {
                last.values.extend(write.values);
                last.masks.extend(write.masks);
            }
            _ => writes.push(write),
        }
    }
    Ok(writes)
}

/// Ten to the power that stands in a register.
fn ten_to(power_at: &Layout, image: &Image) -> Result<f64, Refused> {
    match power_at.read(image) {
        Some(Raw::Int(power)) if power.abs() <= MOST_POWER => Ok(10_f64.powi(power as i32)),
        _ => Err(Refused::Unknown("the scale".to_owned())),
    }
}

/// One field as a write; `value` is whole where the field is.
fn register(layout: &Layout, value: f64) -> Result<Written, Refused> {
    let raw = if layout.kind.is_float() { Raw::Float(value) } else { Raw::Int(value as i128) };
    let mut words = layout.encode(&raw).ok_or(Refused::TooLarge(value))?;
    words.sort_unstable_by_key(|(addr, ..)| *addr);
    Ok(Written {
        table: layout.table,
        addr: words.first().map_or(0, |(addr, ..)| *addr),
        values: words.iter().map(|(_, word, _)| *word).collect(),
        masks: words.iter().map(|(.., mask)| *mask).collect(),
    })
}

impl Written {
    /// Whether other bits of the registers must stay.
    #[must_use]
    pub fn needs_read(&self) -> bool {
        self.masks.iter().any(|mask| *mask != u16::MAX)
    }

    /// The words to write over what stands there.
    #[must_use]
    pub fn over(&self, present: &[u16]) -> Vec<u16> {
        let over = self.values.iter().zip(&self.masks).zip(present);
        over.map(|((value, mask), present)| (value & mask) | (present & !mask)).collect()
    }
}

impl Map {
    /// The present value of every set point that shows one.
    pub fn shown<'m>(
        &'m self,
        image: &Image,
        point: &dyn Fn(&str) -> Option<f64>,
    ) -> impl Iterator<Item = (&'m str, f64)> {
        self.writes
            .iter()
            .filter_map(move |write| Some((write.spec.name.as_str(), write.shown(image, point)?)))
    }
}

#[cfg(test)]
mod tests;
