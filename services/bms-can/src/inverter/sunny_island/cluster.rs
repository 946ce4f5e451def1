//! The newest of everything that the cluster has said, and what it means.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::frames::{IDS, Status, decode};
use crate::frame::{CanId, Frame};

/// Powers are renewed every 12 s or so; what is older than this is not said any more.
const STALE: Duration = Duration::from_secs(30);
/// Below this there is no voltage at an output, V.
const NO_VOLTAGE_V: f64 = 5.0;
/// The grid is lost when it has been away for so long in more than one frame: it blinks while relays move.
const GRID_LOST: Duration = Duration::from_secs(5);
/// Less current than this is none, A.
const FLOW_A: f64 = 0.5;

/// What hangs on the external connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AcInput {
    /// The grid.
    #[default]
    Grid,
    /// A generator, which may stand still.
    Generator,
    /// Nothing.
    None,
}

/// One line.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Line {
    /// Voltage at the external connection, V.
    pub in_v: Option<f64>,
    /// Power from there, W, negative while it feeds in.
    pub in_w: Option<f64>,
    /// Voltage at the output, V.
    pub out_v: Option<f64>,
    /// Power of the loads, W.
    pub out_w: Option<f64>,
}

/// The cluster at one moment. What is unknown or too old is none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct View {
    /// Its lines, 1 to 3.
    pub lines: Vec<Line>,
    /// Frequency at the external connection, Hz.
    pub in_hz: Option<f64>,
    /// Frequency at the output, Hz.
    pub out_hz: Option<f64>,
    /// Power from the external connection, W.
    pub in_w: Option<f64>,
    /// Power of all loads, W.
    pub out_w: Option<f64>,
    /// Battery voltage, V.
    pub battery_v: Option<f64>,
    /// Battery current, A, positive while charging.
    pub battery_a: Option<f64>,
    /// Battery temperature, °C.
    pub battery_c: Option<f64>,
    /// The relay to the external connection is closed.
    pub is_connected: Option<bool>,
    /// It delivers alternating current.
    pub is_on: Option<bool>,
    /// Number of an error, 0 without one.
    pub error_number: Option<u16>,
    /// It has failed.
    pub has_failed: bool,
    /// There is a voltage at the external connection, or there was a moment ago; none while nobody tells.
    pub has_grid: Option<bool>,
    /// The grid is lost; none without a grid.
    pub grid_lost: Option<bool>,
}

impl View {
    /// Battery power, W, positive while charging.
    #[must_use]
    pub fn battery_w(&self) -> Option<f64> {
        Some(self.battery_v? * self.battery_a?)
    }

    /// Venus' number for what it does: 0 off, 2 fault, 3 charging, 8 pass-through, 9 inverting, 10 assisting.
    #[must_use]
    pub fn state(&self) -> Option<i32> {
        if self.has_failed {
            return Some(2);
        }
        Some(match (self.is_on?, self.is_connected, self.battery_a) {
            (false, ..) => 0,
            (true, Some(true), Some(amps)) if amps > FLOW_A => 3,
            (true, Some(true), Some(amps)) if amps < -FLOW_A => 10,
            (true, Some(true), _) => 8,
            (true, ..) => 9,
        })
    }
}

/// The picture of a cluster.
#[derive(Debug, Clone, Default)]
pub struct Cluster {
    input: AcInput,
    phases: Option<u8>,
    newest: [Option<(Status, Instant)>; 8],
    /// Lines that have ever had a voltage.
    seen_lines: usize,
    /// Since when the grid has been away, and in how many frames.
    grid_away: Option<(Instant, u32)>,
    grid_seen: bool,
}

impl Cluster {
    /// One that has said nothing. Without `phases` the lines are those on which there is a voltage.
    #[must_use]
    pub fn new(input: AcInput, phases: Option<u8>) -> Self {
        Cluster { input, phases, ..Cluster::default() }
    }

    /// The ids that it reads.
    pub fn ids() -> impl Iterator<Item = CanId> {
        IDS.into_iter().filter_map(CanId::standard)
    }

    /// Takes in a frame.
    pub fn hear(&mut self, frame: &Frame, now: Instant) {
        let Some(status) = decode(frame) else { return };
        match status {
            Status::Output {
                output_voltage_l1_v: a, output_voltage_l2_v: b, output_voltage_l3_v: c, ..
            } => {
                let last = [a, b, c].iter().rposition(|v| *v > NO_VOLTAGE_V).map_or(0, |last| last + 1);
                self.seen_lines = self.seen_lines.max(last);
            }
            Status::Relays { external_voltage_valid: true, .. } => {
                (self.grid_away, self.grid_seen) = (None, true);
            }
            Status::Relays { external_voltage_valid: false, .. } => {
                let (_, frames) = self.grid_away.get_or_insert((now, 0));
                *frames = frames.saturating_add(1);
            }
            _ => {}
        }
        let place = IDS.iter().position(|id| *id == frame.id().number());
        if let Some(slot) = place.and_then(|place| self.newest.get_mut(place)) {
            *slot = Some((status, now));
        }
    }

    /// Forgets everything: the bus is gone.
    pub fn forget(&mut self) {
        self.newest = [None; 8];
        self.grid_away = None;
    }

    /// The cluster as it is now.
    #[must_use]
    pub fn view(&self, now: Instant) -> View {
        let mut view = View {
            lines: vec![Line::default(); self.phases.map_or(self.seen_lines.max(1), usize::from)],
            ..View::default()
        };
        let mut inverter_w = [None; 3];
        for (status, at) in self.newest.iter().flatten() {
            if now.duration_since(*at) >= STALE {
                continue;
            }
            match *status {
                Status::ExternalPower { external_power_l1_w: a, external_power_l2_w: b } => {
                    for (line, watts) in view.lines.iter_mut().zip([a, b]) {
                        line.in_w = Some(f64::from(watts));
                    }
                }
                Status::InverterPower { inverter_power_l1_w: a, inverter_power_l2_w: b } => {
                    inverter_w = [Some(f64::from(a)), Some(f64::from(b)), None];
                }
                Status::Output {
                    output_voltage_l1_v: a,
                    output_voltage_l2_v: b,
                    output_voltage_l3_v: c,
                    output_frequency_hz,
                } => {
                    for (line, volts) in view.lines.iter_mut().zip([a, b, c]) {
                        line.out_v = Some(volts);
                    }
                    view.out_hz = Some(output_frequency_hz);
                    view.is_on = Some([a, b, c].iter().any(|volts| *volts > NO_VOLTAGE_V));
                }
                Status::Battery { battery_voltage_v, battery_current_a, battery_temperature_c, .. } => {
                    view.battery_v = Some(battery_voltage_v);
                    view.battery_a = Some(battery_current_a);
                    view.battery_c = Some(battery_temperature_c);
                }
                Status::State { operating_state, error_number, .. } => {
                    view.error_number = Some(error_number);
                    view.has_failed = operating_state == 4;
                }
                Status::Relays { external_relay_closed, .. } => {
                    view.is_connected = Some(external_relay_closed);
                    view.has_grid = Some(!self.is_away(now));
                }
                Status::Load { load_power_w } => view.out_w = Some(f64::from(load_power_w)),
                Status::External {
                    external_voltage_l1_v: a,
                    external_voltage_l2_v: b,
                    external_voltage_l3_v: c,
                    external_frequency_hz,
                } => {
                    for (line, volts) in view.lines.iter_mut().zip([a, b, c]) {
                        line.in_v = Some(volts);
                    }
                    view.in_hz = Some(external_frequency_hz);
                }
            }
        }
        for (line, inverter_w) in view.lines.iter_mut().zip(inverter_w) {
            line.out_w =
                line.in_w.zip(inverter_w).map(|(from_grid, from_inverter)| from_grid + from_inverter);
        }
        let sum = |of: fn(&Line) -> Option<f64>| {
            // Only two lines tell their powers.
            let known: Vec<f64> = view.lines.iter().take(2).filter_map(of).collect();
            (known.len() == view.lines.len().min(2)).then(|| known.iter().sum::<f64>())
        };
        view.in_w = sum(|line| line.in_w);
        // What the lines add up to is newer and finer than the load that the master guesses.
        view.out_w = sum(|line| line.out_w).or(view.out_w);
        view.grid_lost = (self.input == AcInput::Grid && self.grid_seen).then(|| self.is_away(now));
        view
    }

    /// Whether the voltage at the external connection has been away for long enough to count.
    fn is_away(&self, now: Instant) -> bool {
        self.grid_away.is_some_and(|(since, frames)| frames >= 2 && now.duration_since(since) >= GRID_LOST)
    }

    /// What hangs on the external connection.
    #[must_use]
    pub fn input(&self) -> AcInput {
        self.input
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn cluster(frames: &[(u32, [i16; 4])], now: Instant) -> Cluster {
        let mut cluster = Cluster::new(AcInput::Grid, None);
        frames.iter().for_each(|(id, words)| hear(&mut cluster, *id, *words, now));
        cluster
    }

    fn hear(cluster: &mut Cluster, id: u32, words: [i16; 4], now: Instant) {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        cluster.hear(&Frame::new(CanId::standard(id).unwrap(), &bytes).unwrap(), now);
    }

    const RUNNING: [(u32, [i16; 4]); 6] = [
        (0x300, [12, 8, 0, 0]),
        (0x301, [-5, -4, 0, 0]),
        (0x304, [1200, 1199, 0, 6001]),
        (0x305, [542, -170, 230, 900]),
        (0x307, [0, 0xC0, 0, 0]),
        (0x309, [1205, 1201, 0, 6000]),
    ];

    #[tokio::test(start_paused = true)]
    async fn a_cluster_of_two_shows_two_lines_and_power_is_not_cut_to_whole_numbers() {
        let now = Instant::now();
        let view = cluster(&RUNNING, now).view(now);
        assert_eq!(view.lines.len(), 2);
        assert_eq!((view.lines[0].in_w, view.lines[0].out_w), (Some(1200.0), Some(700.0)));
        assert_eq!((view.lines[1].in_v, view.lines[1].out_v), (Some(120.1), Some(119.9)));
        assert_eq!((view.in_w, view.out_w), (Some(2000.0), Some(1100.0)));
        assert_eq!((view.in_hz, view.out_hz), (Some(60.0), Some(60.01)));
        assert_eq!((view.battery_a, view.state()), (Some(17.0), Some(3)));
        assert!((view.battery_w().unwrap() - 921.4).abs() < 1e-9);
    }

    #[tokio::test(start_paused = true)]
    async fn a_cluster_that_falls_silent_shows_nothing_any_more() {
        let now = Instant::now();
        let cluster = cluster(&RUNNING, now);
        let view = cluster.view(now + 30 * SECOND);
        assert_eq!((view.in_w, view.out_w, view.battery_a, view.state()), (None, None, None, None));
        assert!(view.lines.iter().all(|line| *line == Line::default()));
    }

    #[tokio::test(start_paused = true)]
    async fn what_it_does_follows_relay_current_and_failure() {
        let now = Instant::now();
        let state = |id: u32, words: [i16; 4]| {
            let mut cluster = cluster(&RUNNING, now);
            hear(&mut cluster, id, words, now);
            cluster.view(now).state()
        };
        assert_eq!(state(0x305, [520, 300, 230, 900]), Some(10), "it helps the grid");
        assert_eq!(state(0x305, [520, 0, 230, 900]), Some(8));
        assert_eq!(state(0x307, [0, 0, 0, 0]), Some(9), "an island");
        assert_eq!(state(0x304, [20, 10, 0, 0]), Some(0));
        assert_eq!(state(0x306, [100, 0x040A, 952, 540]), Some(2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_grid_that_blinks_is_not_lost_and_one_that_never_was_neither() {
        let start = Instant::now();
        let mut cluster = cluster(&RUNNING, start);
        hear(&mut cluster, 0x307, [0, 0x80, 0, 0], start);
        assert_eq!(cluster.view(start + 6 * SECOND).grid_lost, Some(false), "one frame");
        hear(&mut cluster, 0x307, [0, 0xC0, 0, 0], start + SECOND);
        for second in 2..9 {
            hear(&mut cluster, 0x307, [0, 0, 0, 0], start + second * SECOND);
            assert_eq!(cluster.view(start + second * SECOND).grid_lost, Some(second >= 7));
        }
        let mut never = Cluster::new(AcInput::Grid, None);
        hear(&mut never, 0x307, [0, 0, 0, 0], start);
        assert_eq!(never.view(start + 60 * SECOND).grid_lost, None);
        let generator = Cluster { input: AcInput::Generator, ..cluster };
        assert_eq!(generator.view(start + 9 * SECOND).grid_lost, None, "a generator may stand still");
    }
}
