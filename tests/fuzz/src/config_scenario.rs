//! A scenario of the simulator, and the batteries that come of one that is accepted.

use simulator::assembly::devices;
use simulator::scenario::parse;

use crate::lines::assert_line;

/// Larger scenarios are only read: building them takes longer than a fuzzer should wait.
const MOST_CELLS: usize = 64;

/// The text of a scenario.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let scenario = match parse(text, "s.toml") {
        Ok(scenario) => scenario,
        Err(errors) => return errors.lines().for_each(|line| assert_line(&line)),
    };
    let cells: usize = scenario
        .batteries()
        .iter()
        .map(|battery| battery.strings * battery.modules * battery.pack.cells)
        .sum();
    if cells > MOST_CELLS {
        return;
    }
    for (_, mut device) in devices(&scenario) {
        device.set_heard(true);
        device.receive(b"O\r");
        for _ in 0..2 {
            device.step(1.0);
            device.cycle();
        }
        assert_line(&device.status());
        assert!(device.outbox().pending().len() <= 65_536);
    }
}
