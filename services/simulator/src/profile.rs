//! The current that the world around the battery would like to flow, over time. Positive charges.

use crate::day::{Day, Powers};

/// One kind of world.
#[derive(Debug, Clone)]
pub enum Profile {
    /// Always the same current, in A.
    Constant(f64),
    /// Currents in A, each from a moment in s on, sorted; from the beginning again after `repeat_s`.
    Steps {
        /// Moment in s and current in A.
        steps: Vec<(f64, f64)>,
        /// Length of one round in s; without it the last step stays.
        repeat_s: Option<f64>,
    },
    /// Sun and house.
    Day(Box<Day>),
}

impl Profile {
    /// The wanted current in A at `time_s` seconds from the start, `dt_s` after the last call.
    pub fn wanted_a(&mut self, time_s: f64, dt_s: f64, bus_v: f64) -> f64 {
        match self {
            Self::Constant(current_a) => *current_a,
            Self::Steps { steps, repeat_s } => {
                let time_s = repeat_s.map_or(time_s, |round_s| time_s.rem_euclid(round_s));
                let begun = steps.partition_point(|&(at_s, _)| at_s <= time_s);
                begun
                    .checked_sub(1)
                    .and_then(|index| steps.get(index))
                    .map_or(0.0, |&(_, current_a)| current_a)
            }
            Self::Day(day) => day.surplus_w(time_s, dt_s) / bus_v.max(1.0),
        }
    }

    /// Sun and house at the last call of [`wanted_a`](Self::wanted_a), where this world has them.
    pub fn powers(&self) -> Option<Powers> {
        if let Self::Day(day) = self { Some(day.powers()) } else { None }
    }

    /// Temperature outside in °C, where this world has an opinion of it.
    pub fn ambient_c(&self, time_s: f64) -> Option<f64> {
        if let Self::Day(day) = self { day.ambient_c(time_s) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_hold_until_the_next_and_repeat() {
        let mut profile = Profile::Steps { steps: vec![(10.0, 50.0), (20.0, -30.0)], repeat_s: Some(30.0) };
        for (time_s, current_a) in
            [(0.0, 0.0), (9.9, 0.0), (10.0, 50.0), (19.0, 50.0), (25.0, -30.0), (31.0, 0.0), (45.0, 50.0)]
        {
            assert_eq!(profile.wanted_a(time_s, 1.0, 50.0), current_a, "at {time_s} s");
        }
        let mut once = Profile::Steps { steps: vec![(10.0, 50.0), (20.0, -30.0)], repeat_s: None };
        assert_eq!(once.wanted_a(1e6, 1.0, 50.0), -30.0);
    }
}
