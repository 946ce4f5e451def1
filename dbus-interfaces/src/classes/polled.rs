//! How a device that is asked in turn is heard: its line and the ages of what it said. Busbar's own paths.

use crate::{Item, Text, text};

/// Name of the profile.
pub const PROFILE: Item<String> = Item::new("/Polled/Profile", Text::Plain);
/// Part of the time in which the line is busy, per cent.
pub const UTILISATION: Item<f64> = Item::new("/Polled/Utilisation", text::PERCENT);
/// Requests of the line without an answer since the process began.
pub const SILENCES: Item<i32> = Item::new("/Polled/Silences", Text::Plain);
/// What a block is: `holding 586+52`. From 0 on.
pub const BLOCK: Item<String> = Item::new("/Polled/Block/#/Registers", Text::Plain);
/// Age of a block, s; none while it was never read.
pub const BLOCK_AGE: Item<i32> = Item::new("/Polled/Block/#/Age", text::SECONDS);
/// What the device says of faults and warnings, in words.
pub const FAULTS: Item<String> = Item::new("/Polled/Faults", Text::Plain);
