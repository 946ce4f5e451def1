//! The float voltage beside the charge voltage that follows: a battery that is to have less must not be held at more. It is
//! lowered to the charge voltage, as seldom as that is written, and comes back with it up to where the user has it.

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
}

impl Float {
    /// Keeps it at most at `most_v`, the charge voltage that is wanted.
    pub(super) fn keep_below(&mut self, most_v: f64, control: &mut Control, sight: &Sight<'_>) {
        let Some(write) = sight.map.write(FLOAT, sight.point) else { return };
        let Some(shown_v) = write.shown(sight.image, sight.point) else { return };
        let wanted_v = control.wanted(FLOAT);
        let is_shown = |volts: f64| write.is_shown(volts, sight.image, sight.point) == Some(true);
        match wanted_v {
            // A client has set it, or nobody wants it any more.
            _ if wanted_v != self.given_v => *self = Float { own_v: wanted_v, given_v: None },
            // Somebody at the device has.
            Some(given_v) if control.is_confirmed(FLOAT) && !is_shown(given_v) => self.own_v = Some(shown_v),
            _ => {}
        }
        let own_v = self.own_v.unwrap_or(shown_v);
        if own_v > most_v + SAME_V {
            control.want(FLOAT, most_v, sight);
            *self = Float { own_v: Some(own_v), given_v: control.wanted(FLOAT) };
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
                self.float.keep_below(most_v, &mut self.control, &sight);
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
}
