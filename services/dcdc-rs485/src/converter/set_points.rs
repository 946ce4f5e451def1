//! Set points: as they are given, as they are remembered, and the words that they become.

use crate::config::{Converter, SetOrder};
use crate::error::Error;
use crate::eza::field;
use crate::eza::words::{SETTABLE, WAITING};

/// Parameters as a client has written them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Given {
    /// Operation mode, `0x0002`.
    pub mode: Option<String>,
    /// Grid current, A.
    pub dig: Option<String>,
    /// Grid voltage, V.
    pub dvg: Option<String>,
    /// Grid droop rate.
    pub drg: Option<String>,
}

impl Given {
    /// These, and where there is none, those.
    fn or(&self, other: &Self) -> Self {
        let either = |a: &Option<String>, b: &Option<String>| a.clone().or_else(|| b.clone());
        Self {
            mode: either(&self.mode, &other.mode),
            dig: either(&self.dig, &other.dig),
            dvg: either(&self.dvg, &other.dvg),
            drg: either(&self.drg, &other.drg),
        }
    }
}

/// Whether a complete set of parameters stops the converter.
#[must_use]
pub fn is_standstill(given: &Given) -> bool {
    given.mode.as_deref().is_some_and(|mode| self::mode(mode) == Ok(WAITING))
}

/// What is remembered from request to request.
#[derive(Debug, Default)]
pub(super) struct Memory {
    cached: Given,
    /// The mode word that was seen last.
    mode: Option<u16>,
    /// Whether a whole set has succeeded since the start.
    has_set: bool,
}

/// A whole set, as words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) mode: u16,
    pub(super) target: [u16; 2],
    pub(super) limits: [u16; 6],
    pub(super) is_mode_first: bool,
    given: Given,
}

/// Some set points, as words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) mode: Option<u16>,
    pub(super) dig: Option<u16>,
    pub(super) dvg: Option<u16>,
    pub(super) drg: Option<u16>,
}

impl Memory {
    pub(super) fn forget(&mut self) {
        self.cached = Given::default();
    }

    pub(super) fn saw_mode(&mut self, mode: u16) {
        self.mode = Some(mode);
    }

    /// What a whole set sends.
    pub(super) fn plan(&self, given: &Given, config: &Converter) -> Result<Plan, Error> {
        let given = given.or(&self.cached);
        let text = given.mode.as_deref().ok_or(Error::Missing("operationMode"))?;
        let dig = given.dig.as_deref().ok_or(Error::Missing("dig"))?;
        let dvg = given.dvg.as_deref().ok_or(Error::Missing("dvg"))?;
        let target = target(dvg, given.drg.as_deref(), config)?;
        let limits = limits(dig, config)?;
        let mode = mode(text)?;
        let is_mode_first = match config.set_order {
            SetOrder::Reference => self.has_set,
            // Of a converter that was never asked, the specification's order is the safe one.
            SetOrder::Intended => mode == WAITING || self.mode.is_some_and(|present| present != WAITING),
        };
        let given = Given { drg: Some(given.drg.clone().unwrap_or_else(no_droop)), ..given };
        Ok(Plan { mode, target, limits, is_mode_first, given })
    }

    /// A whole set has succeeded.
    pub(super) fn has_set(&mut self, plan: Plan) {
        self.cached = plan.given;
        self.has_set = true;
    }

    /// What a set of the current alone sends.
    pub(super) fn current(&self, given: &Given, config: &Converter) -> Result<[u16; 6], Error> {
        self.cached.mode.as_ref().ok_or(Error::Missing("operationMode"))?;
        let dig = given.dig.as_deref().ok_or(Error::Missing("dig"))?;
        self.cached.dvg.as_ref().ok_or(Error::Missing("dvg"))?;
        limits(dig, config)
    }

    /// A set of the current has succeeded.
    pub(super) fn has_set_current(&mut self, given: &Given) {
        self.cached.dig = given.dig.clone();
    }

    /// What a set of the voltage alone sends.
    pub(super) fn voltage(&self, given: &Given, config: &Converter) -> Result<[u16; 2], Error> {
        self.cached.mode.as_ref().ok_or(Error::Missing("operationMode"))?;
        self.cached.dig.as_ref().ok_or(Error::Missing("dig"))?;
        let dvg = given.dvg.as_deref().ok_or(Error::Missing("dvg"))?;
        target(dvg, given.drg.as_deref().or(self.cached.drg.as_deref()), config)
    }

    /// A set of the voltage has succeeded.
    pub(super) fn has_set_voltage(&mut self, given: &Given) {
        self.cached.dvg = given.dvg.clone();
        let drg = given.drg.clone().or_else(|| self.cached.drg.take());
        self.cached.drg = Some(drg.unwrap_or_else(no_droop));
    }
}

impl Memory {
    /// The words of some set points alone.
    pub(super) fn change(&self, given: &Given, config: &Converter) -> Result<Words, Error> {
        let word = |field: &field::Field, text: &Option<String>| {
            text.as_deref().map(|text| field.word(text, config.range_check)).transpose()
        };
        Ok(Words {
            dvg: word(&field::DVG, &given.dvg)?,
            drg: word(&field::DRG, &given.drg)?,
            dig: word(&field::DIG, &given.dig)?,
            mode: given.mode.as_deref().map(mode).transpose()?,
        })
    }

    /// Some set points were changed: whatever sets the rest keeps them.
    pub(super) fn has_changed(&mut self, given: &Given) {
        self.cached = given.or(&self.cached);
    }

    /// The mode that was seen last.
    pub(super) fn mode(&self) -> Option<u16> {
        self.mode
    }
}

fn no_droop() -> String {
    "0".to_owned()
}

fn target(dvg: &str, drg: Option<&str>, config: &Converter) -> Result<[u16; 2], Error> {
    Ok([field::DVG.word(dvg, config.range_check)?, field::DRG.word(drg.unwrap_or("0"), config.range_check)?])
}

fn limits(dig: &str, config: &Converter) -> Result<[u16; 6], Error> {
    let dig = field::DIG.word(dig, config.range_check)?;
    Ok(config.settings.limits(dig, config.range_check)?)
}

/// A mode as clients write it: `0x0002`.
fn mode(text: &str) -> Result<u16, Error> {
    let bad = || Error::BadMode(text.chars().take(40).collect());
    let digits = text.strip_prefix("0x").ok_or_else(bad)?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(bad());
    }
    let mode = u64::from_str_radix(digits, 16).map_err(|_| bad())?;
    SETTABLE.into_iter().find(|settable| u64::from(*settable) == mode).ok_or(Error::ModeNotSettable(mode))
}
