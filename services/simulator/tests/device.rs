//! One battery without a terminal: what it sends under each fault, and that nothing it receives can upset it.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests, where a panic is the message")]

use proptest::prelude::*;
use simulator::assembly;
use simulator::command;
use simulator::device::Device;
use simulator::scenario::parse;

/// A battery whose adapter is open and listened to.
fn device(battery: &str) -> Device {
    let text = format!("[[battery]]\nlink = \"b\"\n{battery}\n[battery.current]\nconstant_a = 50");
    let scenario = parse(&text, "test").unwrap_or_else(|errors| panic!("{errors}"));
    let mut device = assembly::devices(&scenario).into_iter().next().unwrap().1;
    device.set_heard(true);
    device.receive(b"O\r");
    sent(&mut device);
    device
}

fn apply(device: &mut Device, line: &str) {
    device.apply(&command::parse(line).unwrap().action);
}

/// What waits for the computer, taken.
fn sent(device: &mut Device) -> Vec<u8> {
    let bytes = device.outbox().pending().to_vec();
    device.outbox().consume(bytes.len());
    bytes
}

/// The lines of one cycle, a second later.
fn cycle(device: &mut Device) -> Vec<String> {
    device.step(1.0);
    device.cycle();
    String::from_utf8_lossy(&sent(device)).split_terminator('\r').map(str::to_owned).collect()
}

fn line(cycle: &[String], id: &str) -> String {
    cycle.iter().find(|line| line.contains(id)).unwrap().clone()
}

#[test]
fn a_frozen_battery_sends_but_its_values_stand_still() {
    let mut device = device("");
    let before = cycle(&mut device);
    assert_ne!(line(&before, "t356"), line(&cycle(&mut device), "t356"), "noise moves it");
    apply(&mut device, "fault frozen 100s");
    let frozen = cycle(&mut device);
    for _ in 0..50 {
        assert_eq!(cycle(&mut device), frozen);
    }
    apply(&mut device, "fault clear");
    assert_ne!(cycle(&mut device), frozen);
}

#[test]
fn a_silent_battery_sends_nothing_but_its_adapter_answers_and_a_hanging_adapter_does_neither() {
    let mut device = device("");
    apply(&mut device, "fault silence");
    assert!(cycle(&mut device).is_empty());
    device.receive(b"V\r");
    assert_eq!(sent(&mut device), b"V1013\r");
    apply(&mut device, "fault clear");
    apply(&mut device, "fault hang 10s");
    assert!(cycle(&mut device).is_empty());
    device.receive(b"V\r");
    assert!(sent(&mut device).is_empty());
    (0..10).for_each(|_| device.step(1.0));
    assert_eq!(cycle(&mut device).len(), 6);
}

#[test]
fn a_rebooting_battery_is_silent_for_twenty_seconds() {
    let mut device = device("");
    apply(&mut device, "reboot");
    let silent = (0..60).take_while(|_| cycle(&mut device).is_empty()).count();
    assert_eq!(silent, 19);
}

#[test]
fn padded_batteries_fill_every_frame_and_strings_have_addresses() {
    let lines = cycle(&mut device("padded = true\nstrings = 2\nmodules = 3"));
    assert_eq!(lines.len(), 12);
    assert_eq!(line(&lines, "t359"), "t35980000000003504E00");
    assert_eq!(line(&lines, "T00001359"), "T0000135980000000003504E00");
    for line in lines {
        assert_eq!(line.len(), if line.starts_with('T') { 26 } else { 21 }, "{line}");
    }
}

#[test]
fn a_closed_or_unheard_adapter_passes_nothing_on() {
    let mut device = device("");
    device.set_heard(false);
    assert!(cycle(&mut device).is_empty());
    device.set_heard(true);
    assert_eq!(cycle(&mut device).len(), 6);
    device.receive(b"C\r");
    sent(&mut device);
    assert!(cycle(&mut device).is_empty());
    device.power_up_adapter();
    device.set_heard(true);
    device.receive(b"O\r");
    assert_eq!(cycle(&mut device).len(), 7, "an answer and six frames");
}

#[test]
fn spoilt_lines_are_as_the_fault_says() {
    let whole = |line: &String| {
        line.starts_with('t')
            && line.len() == 5 + 2 * usize::from(line.as_bytes().get(4).map_or(0, |len| len - b'0'))
    };
    assert!(cycle(&mut device("")).iter().all(whole));
    for (fault, some_whole) in
        [("truncated", false), ("wrong_digit", false), ("wrong_length", true), ("bit_flips", true)]
    {
        let mut device = device("");
        apply(&mut device, &format!("fault {fault}"));
        assert_eq!(cycle(&mut device).iter().any(whole), some_whole, "{fault}");
    }
    let mut noisy = device("");
    apply(&mut noisy, "fault garbage");
    noisy.step(1.0);
    noisy.cycle();
    let bytes = sent(&mut noisy);
    assert!(bytes.iter().any(|byte| !byte.is_ascii()), "{bytes:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_it_receives_and_is_told_it_keeps_its_bounds(
        received in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..20),
        faults in prop::collection::vec(0usize..10, 0..5),
    ) {
        let mut device = device("modules = 2");
        for (bytes, fault) in received.iter().zip(faults.iter().chain(std::iter::repeat(&0))) {
            device.receive(bytes);
            let (name, _) = simulator::faults::Fault::ALL[*fault];
            apply(&mut device, &format!("fault {name} 3s"));
            device.step(1.0);
            device.cycle();
            device.repeat(100);
            prop_assert!(device.outbox().pending().len() <= 2_048);
            prop_assert!(device.bank().bus_v().is_finite());
        }
    }
}
