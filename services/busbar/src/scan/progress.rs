//! How far a search is, on standard error: one line that is drawn over on a terminal, a line now and then elsewhere.

use std::io::{IsTerminal, Write, stderr};
use std::time::Duration;

use inverter_modbus::discover::runner::Now;
use inverter_modbus::discover::search::{Finding, Verdict};
use inverter_modbus::line::address::Address;
use rustix::termios::tcgetwinsize;
use tokio::time::Instant;

use crate::terminal::Line;

/// A shorter search says nothing.
const SILENT: Duration = Duration::from_secs(2);
/// Between two lines on a terminal, and elsewhere.
const DRAW: Duration = Duration::from_millis(200);
const LINE: Duration = Duration::from_secs(10);

/// Of a terminal that does not tell how wide it is.
const USUAL: usize = 80;

/// How far a search is.
#[derive(Debug)]
pub(super) struct Progress {
    is_live: bool,
    next: Instant,
    is_drawn: bool,
    /// Nothing is said before.
    begins: Instant,
    /// The devices that were told: where, and which unit.
    told: Vec<(Address, u8)>,
}

impl Progress {
    /// It begins.
    pub(super) fn start() -> Progress {
        let begins = Instant::now() + SILENT;
        Progress { is_live: stderr().is_terminal(), next: begins, is_drawn: false, begins, told: Vec::new() }
    }

    /// A question of a search of one line.
    pub(super) fn tell(&mut self, now: &Now) {
        self.found(&now.found);
        self.say(|| {
            // What matters stands first: a narrow terminal shows only that.
            format!(
                "about {} left, {} of {}: {} unit {}",
                left(now.left),
                now.asked,
                now.of,
                now.address,
                now.unit
            )
        });
    }

    /// Devices that are known: each is told once, in a line that stays above the one that is drawn over.
    pub(super) fn found(&mut self, found: &[(Address, Finding)]) {
        if Instant::now() < self.begins {
            return;
        }
        for (address, Finding { unit, verdict, .. }) in found {
            let is_told = self.told.iter().any(|(known, its)| known == address && its == unit);
            if let (Verdict::Is(id), false) = (verdict, is_told) {
                self.end();
                crate::complain(&Line::plain(format!("found {id} at {address} unit {unit}")).to_string());
                self.told.push((address.clone(), *unit));
            }
        }
    }

    /// Something else that is going on.
    pub(super) fn say(&mut self, what: impl FnOnce() -> String) {
        let now = Instant::now();
        if now < self.next {
            return;
        }
        self.next = now + if self.is_live { DRAW } else { LINE };
        if self.is_live {
            self.is_drawn = true;
            // Who reads it has gone away: it goes on without.
            let _ = write!(stderr(), "\r\x1b[K{}", cut(&what(), width()));
        } else {
            crate::complain(&what());
        }
    }

    /// It is over.
    pub(super) fn end(&mut self) {
        if std::mem::take(&mut self.is_drawn) {
            // As above.
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}

/// The columns of the terminal.
fn width() -> usize {
    match tcgetwinsize(stderr()) {
        Ok(size) if size.ws_col > 0 => size.ws_col.into(),
        _ => USUAL,
    }
}

/// A line that would be broken could not be drawn over; the last column stays free, where some terminals break already.
fn cut(what: &str, width: usize) -> String {
    Line::plain(what).cut(width.saturating_sub(1)).to_string()
}

fn left(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..90 => format!("{} s", seconds + 1),
        seconds => format!("{} min", seconds.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_terminal_gets_one_line_and_no_control_characters() {
        assert_eq!(cut("about 3 min left", 10), "about 3 …");
        assert_eq!(cut("a\x1b[2Jb", 80), "a\u{FFFD}[2Jb");
    }

    #[test]
    fn times_are_said_in_the_unit_that_fits() {
        let said = |seconds| left(Duration::from_secs(seconds));
        assert_eq!([said(0), said(44), said(90), said(121)], ["1 s", "45 s", "2 min", "3 min"]);
    }
}
