//! How a device that is asked in turn is heard: its line and the ages of what it said. Busbar's own paths;
//! `xml/org.busbar.polled.paths` lists them.

use crate::{Item, Text, text};

/// Name of the profile.
pub const PROFILE: Item<String> = Item::new("/Polled/Profile", Text::Plain);
/// Part of the time in which the line is busy, per cent.
pub const UTILISATION: Item<f64> = Item::new("/Polled/Utilisation", text::PERCENT);
/// Requests of the line since the process began.
pub const REQUESTS: Item<i32> = Item::new("/Polled/Requests", Text::Plain);
/// Requests of the line without an answer since the process began.
pub const SILENCES: Item<i32> = Item::new("/Polled/Silences", Text::Plain);
/// What a block is: `holding 586+52`. From 0 on.
pub const BLOCK: Item<String> = Item::new("/Polled/Block/#/Registers", Text::Plain);
/// Age of a block, s; none while it was never read.
pub const BLOCK_AGE: Item<i32> = Item::new("/Polled/Block/#/Age", text::SECONDS);
/// How often it is to be read, s; none for one that is read once.
pub const BLOCK_PERIOD: Item<f64> = Item::new("/Polled/Block/#/Period", text::SECONDS);
/// What the device says of faults and warnings, in words.
pub const FAULTS: Item<String> = Item::new("/Polled/Faults", Text::Plain);
/// What answers in place of the device since that was silent, in words; empty while nothing else does. It is neither read nor
/// written.
pub const EXCHANGED: Item<String> = Item::new("/Polled/Exchanged", Text::Plain);
/// What only this make has: its name. From 0 on.
pub const EXTRA_NAME: Item<String> = Item::new("/Polled/Extra/#/Name", Text::Plain);
/// Its value.
pub const EXTRA_VALUE: Item<f64> = Item::new("/Polled/Extra/#/Value", Text::Plain);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classes::tests::{line, path_list};

    #[test]
    fn the_path_list_says_what_the_constants_say() {
        let constants = [
            line(PROFILE),
            line(UTILISATION),
            line(REQUESTS),
            line(SILENCES),
            line(BLOCK),
            line(BLOCK_AGE),
            line(BLOCK_PERIOD),
            line(FAULTS),
            line(EXCHANGED),
            line(EXTRA_NAME),
            line(EXTRA_VALUE),
        ];
        assert_eq!(path_list(include_str!("../../xml/org.busbar.polled.paths")), constants);
    }
}
