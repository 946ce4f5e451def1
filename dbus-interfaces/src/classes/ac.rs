//! What meters and solar inverters have in common: power, voltage and current of lines.

use crate::{Item, Text, text};

// Lines 1 to 3.
/// Voltage of a line.
pub const VOLTAGE: Item<f64> = Item::new("/Ac/L#/Voltage", text::VOLTS);
/// Current of a line, with the sign of the power.
pub const CURRENT: Item<f64> = Item::new("/Ac/L#/Current", text::AMPS);
/// Power of a line: from the grid, or out of the inverter.
pub const POWER: Item<f64> = Item::new("/Ac/L#/Power", text::WATTS);
/// Power of all lines.
pub const TOTAL: Item<f64> = Item::new("/Ac/Power", text::WATTS);
/// Energy from the grid, or out of the inverter.
pub const FORWARD: Item<f64> = Item::new("/Ac/Energy/Forward", text::KWH);
/// Energy to the grid.
pub const REVERSE: Item<f64> = Item::new("/Ac/Energy/Reverse", text::KWH);
/// Frequency.
pub const FREQUENCY: Item<f64> = Item::new("/Ac/Frequency", text::HERTZ);
/// Lines.
pub const PHASES: Item<i32> = Item::new("/NrOfPhases", Text::Plain);
