//! How fast the plant is: simulated pack-seconds per second. `cargo run --release -p simulator --example plant_speed`

use simulator::assembly;
use simulator::plant::cell::Effects;
use simulator::plant::chemistry::LFP;
use simulator::plant::pack::{Pack, PackSpec};
use simulator::scenario::parse;
use tokio::time::Instant;

const SECONDS: u32 = 200_000;

fn report(what: &str, packs: u32, started: Instant) {
    let rate = f64::from(packs) * f64::from(SECONDS) / started.elapsed().as_secs_f64();
    println!("{what:40} {:6.0} thousand pack-seconds per second", rate / 1e3);
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for (what, effects) in
        [("16 cells, circuit alone", Effects::NONE), ("16 cells, all effects", Effects::ALL)]
    {
        let mut pack = Pack::new(PackSpec::even(&LFP, 16, 280.0, 0.5, effects));
        let started = Instant::now();
        for second in 0..SECONDS {
            pack.step(if second % 600 < 300 { 140.0 } else { -140.0 }, 1.0);
        }
        report(what, 1, started);
    }
    for (what, modules) in [("with sensors, BMS and charger", 1u32), ("the same, four on one busbar", 4)] {
        let text = format!(
            "[[battery]]\nlink = \"b\"\nmodules = {modules}\n\
             [battery.current.day]\nweather = \"broken_clouds\"\n[battery.charger]"
        );
        for (_, mut device) in assembly::devices(&parse(&text, "speed")?) {
            let started = Instant::now();
            (0..SECONDS).for_each(|_| device.step(1.0));
            report(what, modules, started);
        }
    }
    Ok(())
}
