//! How far a search is, on standard error: one line that is drawn over on a terminal, a line now and then elsewhere.

use std::io::{IsTerminal, Write, stderr};
use std::time::Duration;

use inverter_modbus::discover::runner::Now;
use tokio::time::Instant;

/// A shorter search says nothing.
const SILENT: Duration = Duration::from_secs(2);
/// Between two lines on a terminal, and elsewhere.
const DRAW: Duration = Duration::from_millis(200);
const LINE: Duration = Duration::from_secs(10);

/// How far a search is.
#[derive(Debug)]
pub(super) struct Progress {
    is_live: bool,
    next: Instant,
    is_drawn: bool,
}

impl Progress {
    /// It begins.
    pub(super) fn start() -> Progress {
        Progress { is_live: stderr().is_terminal(), next: Instant::now() + SILENT, is_drawn: false }
    }

    /// A question of a search of one line.
    pub(super) fn tell(&mut self, now: &Now) {
        self.say(|| {
            format!("{} unit {}, {} of {}, {} left", now.address, now.unit, now.asked, now.of, left(now.left))
        });
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
            let _ = write!(stderr(), "\r\x1b[K{}", what());
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
    fn times_are_said_in_the_unit_that_fits() {
        let said = |seconds| left(Duration::from_secs(seconds));
        assert_eq!([said(0), said(44), said(90), said(121)], ["1 s", "45 s", "2 min", "3 min"]);
    }
}
