//! Energy counters that never go back, not even over a power cut.
//!
//! What is shown has been kept before: when a counter reaches what is kept, the next piece is set aside first. So after a
//! power cut a counter is at most one piece ahead, and after a clean end exact.

use std::time::Duration;

/// What is set aside at a time, kWh. At 10 kW the settings are written every 90 s.
const PIECE_KWH: f64 = 0.25;
/// A loop that did not come by for longer counts no energy for it.
const LONGEST: Duration = Duration::from_secs(60);

/// Powers between connection, loads and battery at one moment, W; none is negative.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Flows {
    /// From the external connection to the loads.
    pub in_to_out: f64,
    /// From the external connection into the inverters.
    pub in_to_inverter: f64,
    /// From the inverters to the loads.
    pub inverter_to_out: f64,
    /// From the inverters into the external connection.
    pub inverter_to_in: f64,
    /// From the output (solar inverters there) into the external connection.
    pub out_to_in: f64,
    /// From the output into the inverters.
    pub out_to_inverter: f64,
    /// Into the battery.
    pub charged: f64,
    /// Out of the battery.
    pub discharged: f64,
}

impl Flows {
    /// By the balance of power: `in_w` positive from the connection, `out_w` positive to the loads, `battery_w` positive
    /// while charging.
    #[must_use]
    pub fn of(in_w: f64, out_w: f64, battery_w: f64) -> Flows {
        let parts = |watts: f64| (watts.max(0.0), (-watts).max(0.0));
        let ((drawn, fed), (used, returned), (charged, discharged)) =
            (parts(in_w), parts(out_w), parts(battery_w));
        let (in_to_out, out_to_in) = (drawn.min(used), fed.min(returned));
        Flows {
            in_to_out,
            in_to_inverter: drawn - in_to_out,
            inverter_to_out: used - in_to_out,
            inverter_to_in: fed - out_to_in,
            out_to_in,
            out_to_inverter: returned - out_to_in,
            charged,
            discharged,
        }
    }

    fn all(self) -> [f64; 8] {
        [
            self.in_to_out,
            self.in_to_inverter,
            self.inverter_to_out,
            self.inverter_to_in,
            self.out_to_in,
            self.out_to_inverter,
            self.charged,
            self.discharged,
        ]
    }
}

/// The counters, in the order of the fields of [`Flows`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Counters {
    kwh: [f64; 8],
    kept: [f64; 8],
}

impl Counters {
    /// As they were kept; from zero where the text says nothing that could be counters.
    #[must_use]
    pub fn read(text: &str) -> Counters {
        let mut kwh = [0.0; 8];
        for (counter, part) in kwh.iter_mut().zip(text.split_whitespace()) {
            *counter = part.parse().ok().filter(|kwh: &f64| kwh.is_finite() && *kwh >= 0.0).unwrap_or(0.0);
        }
        Counters { kwh, kept: kwh }
    }

    /// Counts flows that have lasted for `time`. What has to be kept before the counters are shown, if anything.
    #[must_use]
    pub fn count(&mut self, flows: Flows, time: Duration) -> Option<String> {
        if time > LONGEST {
            return None;
        }
        let mut exceeds = false;
        for ((counter, kept), watts) in self.kwh.iter_mut().zip(&mut self.kept).zip(flows.all()) {
            *counter += watts * time.as_secs_f64() / 3_600_000.0;
            if *counter > *kept {
                *kept = *counter + PIECE_KWH;
                exceeds = true;
            }
        }
        exceeds.then(|| text(&self.kept))
    }

    /// What has to be kept at a clean end: nothing that is set aside is lost.
    #[must_use]
    pub fn at_end(&self) -> String {
        text(&self.kwh)
    }

    /// The counters, kWh.
    #[must_use]
    pub fn kwh(&self) -> [f64; 8] {
        self.kwh
    }
}

fn text(kwh: &[f64; 8]) -> String {
    kwh.map(|kwh| format!("{kwh:.4}")).join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_hour_of_a_kilowatt_is_a_kilowatt_hour() {
        let mut counters = Counters::default();
        for _ in 0..1800 {
            let _ = counters.count(Flows::of(1000.0, 400.0, 500.0), Duration::from_secs(2));
        }
        let [in_to_out, in_to_inverter, .., charged, discharged] = counters.kwh();
        assert!((in_to_out - 0.4).abs() < 1e-9 && (in_to_inverter - 0.6).abs() < 1e-9);
        assert!((charged - 0.5).abs() < 1e-9 && discharged == 0.0);
    }

    #[test]
    fn a_clean_end_keeps_them_to_the_watt_hour() {
        let mut counters = Counters::default();
        let _ = counters.count(Flows::of(1000.0, 400.0, 500.0), Duration::from_secs(36));
        assert_eq!(Counters::read(&counters.at_end()).kwh()[0], 0.004);
        assert_eq!(Counters::read("nonsense -1 inf"), Counters::default());
    }

    proptest! {
        /// In, out and battery are each the sum of their parts, whatever flows.
        #[test]
        fn nothing_is_lost_between_the_parts(in_w in -2e4..2e4_f64, out_w in -2e4..2e4_f64, battery_w in -2e4..2e4_f64) {
            let f = Flows::of(in_w, out_w, battery_w);
            prop_assert!(f.all().iter().all(|watts| *watts >= 0.0));
            prop_assert!((f.in_to_out + f.in_to_inverter - f.inverter_to_in - f.out_to_in - in_w).abs() < 1e-6);
            prop_assert!((f.in_to_out + f.inverter_to_out - f.out_to_in - f.out_to_inverter - out_w).abs() < 1e-6);
            prop_assert!((f.charged - f.discharged - battery_w).abs() < 1e-6);
        }

        /// Power cuts at any moment: what is shown afterwards is never less than what was shown before.
        #[test]
        fn a_counter_never_goes_back(steps in proptest::collection::vec((0.0..2e4_f64, any::<bool>()), 1..200)) {
            let (mut counters, mut kept) = (Counters::default(), String::new());
            for (watts, cut) in steps {
                let before = counters.kwh();
                if cut {
                    counters = Counters::read(&kept);
                } else if let Some(text) = counters.count(Flows::of(watts, 0.0, watts), Duration::from_secs(30)) {
                    kept = text;
                }
                for (before, after) in before.into_iter().zip(counters.kwh()) {
                    // Four digits are kept.
                    prop_assert!(after >= before - 1e-4, "{before} then {after}");
                    prop_assert!(!cut || after <= before + PIECE_KWH + 1e-4);
                }
            }
        }
    }
}
