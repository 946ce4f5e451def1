//! The float voltage beside the charge voltage that follows: a battery that is to have less must not be held at more. It is
//! lowered to the charge voltage, as seldom as that is written, and comes back with it up to where the user has it.

use serde::{Deserialize, Serialize};

use super::control::Control;
use super::sight::Sight;

/// The set point.
const FLOAT: &str = "float_voltage";
/// Less than any inverter tells apart, V.
const SAME_V: f64 = 0.005;

/// Where the user has it, and what it was lowered to.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Float {
    own_v: Option<f64>,
    given_v: Option<f64>,
    /// What the process before has left.
    left: Option<Lowered>,
}

/// A float voltage that was lowered.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Lowered {
    /// Where the user had it, V.
    pub(super) own_v: f64,
    /// What it was lowered to, V.
    pub(super) given_v: f64,
}

impl Lowered {
    /// Gives the user's back, if the device still has the lower one.
    pub(super) fn give_back(self, control: &mut Control, sight: &Sight<'_>) {
        if self.is_shown(sight) {
            control.want_once(FLOAT, self.own_v, sight);
        }
    }

    fn is_shown(self, sight: &Sight<'_>) -> bool {
        let write = sight.map.write(FLOAT, sight.point);
        write.and_then(|write| write.is_shown(self.given_v, sight.image, sight.point)) == Some(true)
    }
}

impl Float {
    /// What it has lowered, for the next process.
    pub(super) fn lowered(&self) -> Option<Lowered> {
        self.own_v.zip(self.given_v).map(|(own_v, given_v)| Lowered { own_v, given_v }).or(self.left)
    }

    /// The process before has lowered it.
    pub(super) fn take_up(&mut self, lowered: Lowered) {
        self.left = Some(lowered);
    }

    /// Keeps it at most at `most_v`, the charge voltage that is wanted.
    pub(super) fn keep_below(&mut self, most_v: Option<f64>, control: &mut Control, sight: &Sight<'_>) {
        let (Some(most_v), Some(write)) = (most_v, sight.map.write(FLOAT, sight.point)) else { return };
        let Some(shown_v) = write.shown(sight.image, sight.point) else { return };
        if let Some(left) = self.left.take().filter(|left| left.is_shown(sight)) {
            control.want(FLOAT, left.given_v, sight);
            (self.own_v, self.given_v) = (Some(left.own_v), control.wanted(FLOAT));
        }
        let wanted_v = control.wanted(FLOAT);
        let is_shown = |volts: f64| write.is_shown(volts, sight.image, sight.point) == Some(true);
        match self.given_v {
            // It is the user's, or what a client has set.
            None => self.own_v = wanted_v,
            Some(_) if wanted_v != self.given_v => (self.own_v, self.given_v) = (wanted_v, None),
            // Somebody at the device has set another one.
            Some(given_v) if control.is_confirmed(FLOAT) && !is_shown(given_v) => self.own_v = Some(shown_v),
            Some(_) => {}
        }
        let own_v = self.own_v.unwrap_or(shown_v);
        if own_v > most_v + SAME_V {
            control.want(FLOAT, most_v, sight);
            (self.own_v, self.given_v) = (Some(own_v), control.wanted(FLOAT));
        } else if self.given_v.is_some() {
            control.want(FLOAT, own_v, sight);
            self.given_v = control.wanted(FLOAT);
            if is_shown(own_v) && control.is_confirmed(FLOAT) {
                // It is the user's again.
                control.end(FLOAT);
                *self = Float::default();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::*;
    use crate::engine::image::Image;
    use crate::engine::map::Map;
    use crate::profile::builtin;
    use crate::profile::scalar::Table;
    use crate::unit::control::End;

    /// Where a Deye has it.
    const ADDR: u16 = 203;

    struct Bench {
        map: Map,
        image: Image,
        reads: u64,
        control: Control,
        float: Float,
        now: Instant,
        written: Vec<u16>,
    }

    impl Bench {
        /// A device whose user floats at so many hundredths of a volt.
        fn new(float: u16) -> Bench {
            let map = Map::new(&builtin::by_id("deye-one-phase").unwrap(), None, true);
            let mut bench = Bench {
                map,
                image: Image::default(),
                reads: 0,
                control: Control::default(),
                float: Float::default(),
                now: Instant::now(),
                written: Vec::new(),
            };
            bench.shows(float);
            bench
        }

        fn shows(&mut self, float: u16) {
            self.reads += 1;
            self.image.put(Table::Holding, ADDR, &[float], self.reads);
        }

        /// The charge voltage is this for a minute, V. What the device has then.
        fn follows(&mut self, most_v: f64) -> Option<u16> {
            for _ in 0..60 {
                let sight = Sight {
                    map: &self.map,
                    image: &self.image,
                    point: &|_| None,
                    secret: &|_| None,
                    reads: self.reads,
                };
                self.float.keep_below(Some(most_v), &mut self.control, &sight);
                self.control.outcomes(&sight, self.now);
                if let Some(order) = self.control.next(&sight, self.now) {
                    self.control.done(&order.name, End::Taken, &sight, self.now);
                    let values = &order.writes[0].values;
                    self.written.extend(values);
                    self.image.put(Table::Holding, ADDR, values, self.reads);
                }
                let has = self.image.get(Table::Holding, ADDR)?;
                self.shows(has);
                self.now += Duration::from_secs(1);
            }
            self.image.get(Table::Holding, ADDR)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_goes_down_with_the_charge_voltage_and_comes_back_to_where_the_user_has_it() {
        let mut bench = Bench::new(5500);
        assert_eq!(bench.follows(56.0), Some(5500));
        assert_eq!(bench.written, [0_u16; 0], "what is low enough is left alone");
        assert_eq!(bench.follows(53.0), Some(5300));
        assert_eq!(bench.follows(54.0), Some(5400));
        assert_eq!(bench.follows(56.0), Some(5500));
        assert_eq!(bench.written, [5300, 5400, 5500]);
        assert_eq!(bench.control.wanted(FLOAT), None, "it is the user's again");
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_user_sets_lower_meanwhile_stays() {
        let mut bench = Bench::new(5500);
        assert_eq!(bench.follows(53.0), Some(5300));
        bench.shows(5100);
        assert_eq!(bench.follows(53.0), Some(5100));
        assert_eq!(bench.follows(56.0), Some(5100));
        assert_eq!(bench.written, [5300], "nobody fights over it");
        bench.shows(5600);
        assert_eq!(bench.follows(54.0), Some(5400), "what is set too high is lowered");
        assert_eq!(bench.follows(57.0), Some(5600));
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_client_sets_is_kept_below_too() {
        let mut bench = Bench::new(5200);
        let want = |bench: &mut Bench, volts: f64| {
            let (map, image) = (&bench.map, &bench.image);
            let sight = Sight { map, image, point: &|_| None, secret: &|_| None, reads: bench.reads };
            bench.control.want(FLOAT, volts, &sight);
        };
        assert_eq!(bench.follows(53.0), Some(5200));
        want(&mut bench, 54.0);
        assert_eq!(bench.follows(53.0), Some(5300));
        want(&mut bench, 52.5);
        assert_eq!(bench.follows(53.0), Some(5250));
        assert_eq!(bench.follows(56.0), Some(5250));
    }

    #[tokio::test(start_paused = true)]
    async fn it_comes_back_although_the_process_that_lowered_it_is_gone() {
        let mut bench = Bench::new(5500);
        assert_eq!(bench.follows(53.0), Some(5300));
        let left = bench.float.lowered().unwrap();
        let mut next = Bench::new(5300);
        next.float.take_up(left);
        assert_eq!(next.float.lowered(), Some(left), "should that one die too");
        assert_eq!(next.follows(52.5), Some(5250));
        assert_eq!(next.follows(56.0), Some(5500));
        assert_eq!(next.float.lowered(), None);

        let mut elsewhere = Bench::new(5400);
        elsewhere.float.take_up(left);
        assert_eq!(elsewhere.follows(56.0), Some(5400), "somebody has set it since");
    }
}
