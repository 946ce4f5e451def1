//! A day in a house with solar panels: what the sun gives less what the house takes.

use std::f64::consts::PI;

use serde::Deserialize;

use crate::plant::rng::Rng;

/// Kind of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weather {
    /// A clear summer day, sun from 5 h to 21 h.
    ClearSummer,
    /// The same with clouds that pass: two minutes of sun, one and a half without, on the average.
    BrokenClouds,
    /// A winter day with a heat pump, sun from 8 h to 16 h, −5 to 3 °C.
    Winter,
}

/// How a day is built.
#[derive(Debug, Clone, PartialEq)]
pub struct DaySpec {
    /// Kind of day.
    pub weather: Weather,
    /// Peak power of the panels in kW.
    pub pv_kwp: f64,
    /// Factor on everything that the house takes.
    pub load: f64,
    /// Hour of the day at the start.
    pub starts_at_h: f64,
    /// Hours at which an electric car draws 11 kW for ten minutes.
    pub vehicle_at_h: Vec<f64>,
}

/// Mean length of sunshine and of shade under broken clouds, in s; how long an edge takes; what shade leaves.
const SUN_S: f64 = 120.0;
const SHADE_S: f64 = 90.0;
const EDGE_S: f64 = 5.0;
const SHADE: f64 = 0.25;

/// A day, every day again.
#[derive(Debug, Clone)]
pub struct Day {
    spec: DaySpec,
    rng: Rng,
    sunny: bool,
    light: f64,
    powers: Powers,
}

/// What the sun gives and what the house takes at one moment, W.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Powers {
    /// From the panels.
    pub sun_w: f64,
    /// Into the house.
    pub house_w: f64,
}

impl Day {
    /// The day of this spec; `rng` decides the clouds.
    pub fn new(spec: DaySpec, rng: Rng) -> Self {
        Self { spec, rng, sunny: true, light: 1.0, powers: Powers::default() }
    }

    /// What is left for the battery in W (negative: what it must give), `dt_s` after the last call.
    pub fn surplus_w(&mut self, time_s: f64, dt_s: f64) -> f64 {
        let hour = self.hour(time_s);
        let light = self.clouds(dt_s);
        let sun_w = 1_000.0 * self.spec.pv_kwp * light * self.sun(hour);
        let vehicle_w: f64 =
            self.spec.vehicle_at_h.iter().filter(|&&from_h| within(hour, from_h, from_h + 1.0 / 6.0)).count()
                as f64
                * 11_000.0;
        let house_w = self.spec.load * house_w(self.spec.weather, hour, time_s) + vehicle_w;
        self.powers = Powers { sun_w, house_w };
        sun_w - house_w
    }

    /// What the last surplus was made of.
    pub fn powers(&self) -> Powers {
        self.powers
    }

    /// Temperature outside in °C where the weather fixes it.
    pub fn ambient_c(&self, time_s: f64) -> Option<f64> {
        // Coldest at 5 h, warmest at 17 h.
        (self.spec.weather == Weather::Winter)
            .then(|| -1.0 - 4.0 * (PI * (self.hour(time_s) - 5.0) / 12.0).cos())
    }

    fn hour(&self, time_s: f64) -> f64 {
        (self.spec.starts_at_h + time_s / 3_600.0).rem_euclid(24.0)
    }

    fn sun(&self, hour: f64) -> f64 {
        let (peak, rise_h, length_h) = match self.spec.weather {
            Weather::ClearSummer | Weather::BrokenClouds => (0.85, 5.0, 16.0),
            Weather::Winter => (0.30, 8.0, 8.0),
        };
        if within(hour, rise_h, rise_h + length_h) {
            peak * (PI * (hour - rise_h) / length_h).sin().powi(2)
        } else {
            0.0
        }
    }

    fn clouds(&mut self, dt_s: f64) -> f64 {
        if self.spec.weather == Weather::BrokenClouds {
            let mean_s = if self.sunny { SUN_S } else { SHADE_S };
            if self.rng.uniform() > (-dt_s / mean_s).exp() {
                self.sunny = !self.sunny;
            }
            let target = if self.sunny { 1.0 } else { SHADE };
            let most = (1.0 - SHADE) * dt_s / EDGE_S;
            self.light += (target - self.light).clamp(-most, most);
        }
        self.light
    }
}

fn house_w(weather: Weather, hour: f64, time_s: f64) -> f64 {
    let steady_w = match weather {
        Weather::ClearSummer | Weather::BrokenClouds => {
            let cooking_w: f64 = [(7.0, 8.0, 1_500.0), (12.0, 12.5, 2_000.0), (18.0, 20.0, 3_000.0)]
                .into_iter()
                .filter(|&(from, until, _)| within(hour, from, until))
                .map(|(_, _, w)| w)
                .sum();
            300.0 + cooking_w
        }
        Weather::Winter => 500.0 + if hour.rem_euclid(2.0) < 0.5 { 4_000.0 } else { 0.0 },
    };
    // A fridge that comes and goes every 40 s.
    steady_w + if (time_s / 40.0).rem_euclid(2.0) < 1.0 { 150.0 } else { -150.0 }
}

fn within(hour: f64, from: f64, until: f64) -> bool {
    (from..until).contains(&hour)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(weather: Weather, vehicle_at_h: Vec<f64>) -> Day {
        Day::new(DaySpec { weather, pv_kwp: 5.0, load: 1.0, starts_at_h: 0.0, vehicle_at_h }, Rng::new(1, 0))
    }

    fn mean_w(day: &mut Day, from_h: f64, until_h: f64) -> f64 {
        let seconds = (from_h * 3_600.0) as i64..(until_h * 3_600.0) as i64;
        let count = (seconds.end - seconds.start) as f64;
        seconds.map(|second| day.surplus_w(second as f64, 1.0)).sum::<f64>() / count
    }

    #[test]
    fn a_clear_day_gives_most_at_thirteen_hours_and_nothing_at_night() {
        let mut day = day(Weather::ClearSummer, vec![]);
        assert!((mean_w(&mut day, 1.0, 2.0) + 300.0).abs() < 1.0);
        assert!((mean_w(&mut day, 12.9, 13.1) - (0.85 * 5_000.0 - 300.0)).abs() < 20.0);
        assert!((mean_w(&mut day, 19.0, 20.0) + 3_300.0) > 0.0, "some evening sun");
    }

    #[test]
    fn clouds_take_about_a_third_and_edges_last_five_seconds() {
        let mut clear = day(Weather::ClearSummer, vec![]);
        let mut cloudy = day(Weather::BrokenClouds, vec![]);
        let clear_w = mean_w(&mut clear, 9.0, 17.0) + 425.0;
        let ratio = (mean_w(&mut cloudy, 9.0, 17.0) + 425.0) / clear_w;
        let expected = (SUN_S + SHADE * SHADE_S) / (SUN_S + SHADE_S);
        assert!((ratio - expected).abs() < 0.08, "{ratio} {expected}");
        let mut before_w = cloudy.surplus_w(46_800.0, 1.0);
        for second in 0..600 {
            let now_w = cloudy.surplus_w(46_800.0 + f64::from(second), 1.0);
            assert!((now_w - before_w).abs() < 0.75 * 0.85 * 5_000.0 / 5.0 + 301.0);
            before_w = now_w;
        }
    }

    #[test]
    fn a_winter_day_is_cold_and_has_a_heat_pump_and_a_car_draws_eleven_kilowatts() {
        let mut day = day(Weather::Winter, vec![20.0]);
        assert!((mean_w(&mut day, 2.0, 2.5) + 4_500.0).abs() < 20.0);
        assert!((mean_w(&mut day, 21.0, 22.0) + 500.0).abs() < 20.0);
        assert!((mean_w(&mut day, 20.0, 20.1) + 15_500.0).abs() < 20.0);
        assert!((day.ambient_c(5.0 * 3_600.0).unwrap() + 5.0).abs() < 1e-9);
        assert!((day.ambient_c(17.0 * 3_600.0).unwrap() - 3.0).abs() < 1e-9);
    }
}
