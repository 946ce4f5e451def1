//! What every hybrid profile shows on the bus adds up, in every state that its simulated device can be in.

#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use testbed::eventually_some;
use testbed::inverters::{Inverters, Wired};

/// A slow line reads its slow blocks, on a busy machine.
const SHOWN: Duration = Duration::from_secs(90);

const HYBRIDS: [&str; 13] = [
    "deye-one-phase",
    "deye-three-phase-lv",
    "deye-three-phase-hv",
    "goodwe-et",
    "growatt-spf",
    "growatt-sph",
    "luxpower",
    "sma-sunny-island",
    "sofar-hyd",
    "solis-hybrid",
    "sungrow-sh",
    "sunspec-hybrid",
    "growatt-xh",
];

/// What the sun, the loads, the grid and the battery are like, and what that is called.
type State = (&'static str, &'static str);

const ON_GRID: [State; 5] = [
    ("a sunny day", "set sun_w=3500 load_w=800 grid=1 soc=50 battery_w=auto"),
    ("an evening", "set sun_w=300 load_w=1800 grid=1 soc=50 battery_w=auto"),
    ("the battery is full", "set sun_w=3500 load_w=800 grid=1 soc=100 battery_w=auto"),
    ("the battery is empty", "set sun_w=0 load_w=1500 grid=1 soc=0 battery_w=auto"),
    ("charging from the grid", "set sun_w=500 load_w=500 grid=1 soc=50 battery_w=2000"),
];
const ISLANDS: [State; 2] = [
    ("an outage by day", "set sun_w=3500 load_w=800 grid=0 soc=50 battery_w=auto"),
    ("an outage by night", "set sun_w=0 load_w=800 grid=0 soc=50 battery_w=auto"),
];

/// Powers in W.
#[derive(Debug, Clone, Copy)]
struct Flows {
    pv: f64,
    input: f64,
    output: f64,
    battery: f64,
}

impl Flows {
    /// As the simulator knows them.
    fn true_of(status: &str) -> Flows {
        let of = |key: &str| {
            let word = status.split_whitespace().find_map(|word| word.strip_prefix(key));
            word.and_then(|watts| watts.parse().ok()).expect("a number in the status")
        };
        Flows { pv: of("pv_w="), input: of("ac_in_w="), output: of("ac_out_w="), battery: of("battery_w=") }
    }

    /// As a service shows them; nothing where any line has no value. One with a single pair of terminals has no output.
    fn shown(bed: &Inverters, service: &str, has_output: bool) -> Option<Flows> {
        let items = bed.items(service);
        let sum = |side: &str| {
            let lines = (1..=3).filter_map(|line| items.get(&format!("{side}/L{line}/P")));
            lines.map(|watts| watts.as_f64()).sum::<Option<f64>>()
        };
        let input = sum("/Ac/In/1")? + sum("/Ac/In/2")?;
        let pv = items.get("/Yield/Power").and_then(|watts| watts.as_f64());
        Some(Flows {
            pv: pv.unwrap_or(0.0),
            input,
            output: if has_output { sum("/Ac/Out")? } else { 0.0 },
            battery: items.get("/Dc/0/Power")?.as_f64()?,
        })
    }

    fn loss(&self) -> f64 {
        self.pv + self.input - self.output - self.battery
    }

    /// What comes in and goes out differ by no more than the losses of an inverter, and by nothing that is made of nothing.
    fn adds_up(&self) -> bool {
        let comes = self.pv + self.input.max(0.0) + (-self.battery).max(0.0);
        (-20.0..=0.1 * comes + 40.0).contains(&self.loss())
    }

    fn is_about(&self, truth: &Flows) -> bool {
        let is_near = |shown: f64, truth: f64| (shown - truth).abs() <= 0.05 * truth.abs() + 40.0;
        // A device with one pair of terminals shows what passes there.
        let net = (truth.input - truth.output, self.input - self.output);
        is_near(self.pv, truth.pv) && is_near(self.battery, truth.battery) && is_near(net.1, net.0)
    }
}

#[track_caller]
fn adds_up_in(states: &[State]) {
    let devices = HYBRIDS.map(|profile| Wired {
        profile,
        // What it shows has to be of one moment: time stands almost still in a large battery.
        scenario: "capacity_ah = 5000.0\nrated_w = 10000.0",
        device: "",
        is_tcp: profile == "sma-sunny-island",
    });
    let mut bed = Inverters::start_early(&devices);
    bed.all_are_there();
    for (state, command) in states {
        for (n, profile) in HYBRIDS.into_iter().enumerate() {
            // It has no panels.
            let more = if profile == "sma-sunny-island" { " sun_w=0" } else { "" };
            bed.command(n, &format!("{command}{more}"));
        }
        for (n, profile) in HYBRIDS.into_iter().enumerate() {
            let unit = bed.name("multi", n);
            eventually_some(SHOWN, || {
                let truth = Flows::true_of(&bed.command(n, "status"));
                let shown = Flows::shown(&bed, &unit, profile != "sunspec-hybrid");
                println!("{profile}, {state}: {shown:?} of {truth:?}");
                shown.filter(|shown| shown.adds_up() && shown.is_about(&truth))
            });
        }
    }
}

#[test]
fn what_comes_in_goes_out_in_every_state_on_the_grid_of_every_hybrid_as_it_is_shown() {
    adds_up_in(&ON_GRID);
}

#[test]
fn what_comes_in_goes_out_in_every_outage_of_every_hybrid_as_it_is_shown() {
    adds_up_in(&ISLANDS);
}
