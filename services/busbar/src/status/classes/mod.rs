//! How the services of a class are shown. A new class is a file here and a line in [`CLASSES`].

mod any;
mod bank;
mod battery;
mod dcdc;
mod inverter;
mod meter;
pub(crate) mod multi;
mod polled;

use super::service::{Level, Service};
use crate::terminal::{Line, Style};

/// How the services of one class are shown: a row of a table for each, and lines under it.
pub(crate) struct Class {
    /// The class in a service name; empty for all that have no file of their own.
    pub(crate) class: &'static str,
    /// What stands over the first column, which is the name of the device.
    pub(crate) title: &'static str,
    /// The columns between the device's instance and when it was heard, the most important first: a narrow terminal
    /// shows only those.
    pub(crate) columns: &'static [Column],
    /// What stands under the row, in pieces that are not divided; each list begins on a new line.
    pub(crate) details: fn(&Service) -> Vec<Vec<Line>>,
    /// What should be looked after, in sentences under that.
    pub(crate) notes: fn(&Service) -> Vec<String>,
    /// How fresh the data are, in words, where the class tells.
    pub(crate) status: fn(&Service) -> Option<String>,
    /// `values` of the JSON document.
    pub(crate) json: fn(&Service) -> serde_json::Value,
}

/// A column.
pub(crate) struct Column {
    pub(crate) head: &'static str,
    pub(crate) cell: fn(&Service) -> String,
}

/// All classes, in the order in which they are shown; what has no file of its own comes last.
pub(crate) static CLASSES: &[&Class] = &[
    &battery::CLASS,
    &inverter::SYSTEM,
    &multi::CLASS,
    &inverter::VEBUS,
    &meter::SOLAR,
    &meter::GRID,
    &dcdc::CLASS,
    &dcdc::STEERED,
    &any::CLASS,
];

/// The place of a service in [`CLASSES`].
pub(crate) fn rank(service: &Service) -> usize {
    let own = |class: &&&Class| class.class == service.class();
    CLASSES.iter().position(|class| own(&class)).unwrap_or(CLASSES.len() - 1)
}

/// The style of something that is as bad as this.
pub(crate) fn style(level: Level) -> Style {
    match level {
        Level::Warning => Style::Warning,
        Level::Alarm => Style::Alarm,
    }
}
