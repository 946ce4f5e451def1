//! How much chargers on alternating current may take from their source: windows of time, and what follows a blackout.

use serde::{Deserialize, Serialize};

use crate::filter::Since;
use crate::input::{Site, Wall};
use crate::settings::{Key, Settings, Source, Window};
use crate::tick::Tick;

/// What is remembered of the grid.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct GridMemory {
    away: Since,
    /// A blackout is over, and the battery is to be charged.
    recharges: bool,
    was_away: bool,
}

/// What may come from the source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct FromAc {
    /// A; infinite for no limit.
    pub(crate) most_a: f64,
    /// The source is asked to charge.
    pub(crate) wanted: bool,
}

/// `must` charge: forced, or a full charge that may come from the grid.
pub(crate) fn step(
    site: &Site,
    wall: Option<Wall>,
    soc: Option<f64>,
    must: bool,
    memory: &mut GridMemory,
    settings: &Settings,
    tick: Tick,
) -> FromAc {
    let away_s = memory.away.step(site.grid == Some(false), tick.dt_s);
    memory.was_away |= away_s >= settings.get(Key::BlackoutAfter) * 60.0;
    let enough = soc.is_none_or(|soc| soc >= settings.get(Key::BlackoutRecharge));
    if site.grid == Some(true) && std::mem::take(&mut memory.was_away) {
        memory.recharges = true;
    }
    memory.recharges &= !enough;
    if must {
        return FromAc { most_a: f64::INFINITY, wanted: true };
    }
    let Some(source) = site.source else { return FromAc { most_a: f64::INFINITY, wanted: false } };
    if memory.recharges && source == Source::Grid {
        return FromAc { most_a: settings.get(Key::BlackoutCurrent), wanted: true };
    }
    let own = || settings.plan().windows.iter().filter(move |window| window.source == source);
    let open = |window: &&Window| {
        wall.is_some_and(|wall| is_open(window, wall)) && soc.is_none_or(|soc| soc < window.until_soc)
    };
    let open_a = own().filter(open).map(|window| window.current_a).reduce(f64::max);
    if let Some(most_a) = open_a {
        return FromAc { most_a, wanted: most_a > 0.0 };
    }
    let outside = match source {
        Source::Grid => Key::GridCurrent,
        Source::Generator => Key::GeneratorCurrent,
    };
    FromAc { most_a: settings.get(outside), wanted: false }
}

/// Half-open, over midnight where it ends before it begins; the day is that on which it begins.
fn is_open(window: &Window, wall: Wall) -> bool {
    let (minute, today) = (wall.minute(), wall.weekday());
    let on = |day: usize| window.days.get(day % 7).copied().unwrap_or(false);
    if window.from_min < window.until_min {
        return on(today) && (window.from_min..window.until_min).contains(&minute);
    }
    (on(today) && minute >= window.from_min) || (on(today + 6) && minute < window.until_min)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A Monday at this minute.
    fn monday(minute: i64) -> Option<Wall> {
        Some(Wall { unix_s: 1_794_787_200 + minute * 60, utc_offset_s: 0 })
    }

    fn settings(windows: Vec<Window>) -> Settings {
        let changes = [(Key::GridCurrent, 4.0), (Key::BlackoutRecharge, 40.0), (Key::BlackoutCurrent, 60.0)];
        Settings::default().with(&changes).unwrap().planned(|plan| plan.windows = windows).unwrap()
    }

    fn night() -> Window {
        let mut days = [false; 7];
        days[0] = true;
        Window {
            source: Source::Grid,
            days,
            from_min: 22 * 60,
            until_min: 6 * 60,
            current_a: 100.0,
            until_soc: 80.0,
        }
    }

    fn most_a(wall: Option<Wall>, soc: f64) -> f64 {
        let site = Site { source: Some(Source::Grid), grid: Some(true), ..Site::default() };
        let tick = Tick { dt_s: 1.0, elapsed_s: 1.0 };
        let settings = settings(vec![night()]);
        step(&site, wall, Some(soc), false, &mut GridMemory::default(), &settings, tick).most_a
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_on_which_it_begins() {
        assert_eq!(most_a(monday(21 * 60 + 59), 50.0), 4.0);
        assert_eq!(most_a(monday(22 * 60), 50.0), 100.0);
        assert_eq!(most_a(monday(24 * 60 + 5 * 60), 50.0), 100.0, "Tuesday morning");
        assert_eq!(most_a(monday(24 * 60 + 6 * 60), 50.0), 4.0);
        assert_eq!(most_a(monday(5 * 60), 50.0), 4.0, "Monday morning belongs to Sunday");
        assert_eq!(most_a(monday(23 * 60), 80.0), 4.0, "charged enough");
        assert_eq!(most_a(None, 50.0), 4.0, "without a clock no window is open");
    }

    #[test]
    fn after_a_blackout_the_grid_charges_to_its_mark() {
        let tick = Tick { dt_s: 1.0, elapsed_s: 1.0 };
        let (mut memory, settings) = (GridMemory::default(), settings(vec![]));
        let mut run = |grid: bool, soc: f64, seconds: u32| {
            let site = Site { source: grid.then_some(Source::Grid), grid: Some(grid), ..Site::default() };
            (0..seconds).map(|_| step(&site, None, Some(soc), false, &mut memory, &settings, tick)).last()
        };
        run(false, 30.0, 299);
        assert_eq!(run(true, 30.0, 1).map(|from| from.most_a), Some(4.0), "too short to be a blackout");
        run(false, 30.0, 301);
        assert_eq!(run(true, 30.0, 1), Some(FromAc { most_a: 60.0, wanted: true }));
        assert_eq!(run(true, 41.0, 1), Some(FromAc { most_a: 4.0, wanted: false }));
        assert_eq!(run(true, 30.0, 1).map(|from| from.wanted), Some(false), "once is enough");
    }
}
