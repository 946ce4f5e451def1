//! The published share of one device: falls at once, rises when it is worth it and there is room.

use serde::{Deserialize, Serialize};

use crate::filter::Since;
use crate::tick::Tick;

/// One current of one share.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct ShareOut {
    published_a: f64,
    since_rise: Since,
    risen: bool,
}

impl ShareOut {
    /// What is published, A.
    pub(crate) fn get(self) -> f64 {
        self.published_a
    }

    /// Falls to what it is to be, if that is lower: exactly where `must`, else only by what is worth it.
    pub(crate) fn fall(&mut self, wish_a: f64, step_a: f64, must: bool) {
        if wish_a < self.published_a && (must || wish_a <= self.published_a - step_a || wish_a <= 0.0) {
            self.published_a = wish_a;
        }
    }

    /// Rises to what it is to be, if that is worth it, by no more than the room; gives what of the room it took.
    pub(crate) fn rise(&mut self, wish_a: f64, room_a: f64, step_a: f64, dwell_s: f64, tick: Tick) -> f64 {
        let since_s = self.since_rise.step(true, tick.dt_s);
        let rise_a = (wish_a - self.published_a).min(room_a);
        let worth = rise_a >= step_a || (rise_a > 0.0 && since_s >= SMALL_AFTER_S);
        if !worth || (self.risen && since_s < dwell_s) {
            return 0.0;
        }
        self.published_a += rise_a;
        self.since_rise.reset();
        self.risen = true;
        rise_a
    }
}

/// A rise that is too small to be worth it is published after all when it has waited so long, s.
const SMALL_AFTER_S: f64 = 60.0;
