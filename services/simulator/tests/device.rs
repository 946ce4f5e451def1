//! One battery without a terminal: what it sends under each fault, and that nothing it receives can upset it.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests, where a panic is the message")]

use proptest::prelude::*;
use simulator::assembly;
use simulator::batteries::DIALECTS;
use simulator::command;
use simulator::device::Device;
use simulator::faults::Fault;
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

/// A healthy battery without noise that speaks this, after its first cycle.
fn speaking(dialect: &str, more: &str) -> Device {
    let mut device = device(&format!("protocol = \"{dialect}\"\n{more}\n[battery.bms]\nnoise = false"));
    cycle(&mut device);
    device
}

#[test]
fn a_polled_battery_says_everything_once_when_it_is_asked_and_nothing_by_itself() {
    let mut device = device("protocol = \"growatt_lv\"");
    assert!(cycle(&mut device).is_empty());
    device.receive(b"t30581122334455667788\r");
    assert_eq!(sent(&mut device), b"z\r", "that is another inverter's sign of life");
    device.receive(b"t30181122334455667788\r");
    let answer = String::from_utf8(sent(&mut device)).unwrap();
    assert_eq!(answer.matches("t31").count(), 9, "{answer}");
    assert!(cycle(&mut device).is_empty());
    apply(&mut device, "fault silence");
    device.receive(b"t30181122334455667788\r");
    assert_eq!(sent(&mut device), b"z\r");
}

#[test]
fn an_inverter_on_the_bus_is_heard_and_wakes_the_battery() {
    let mut growatt = speaking("growatt_lv", "inverter = true");
    let lines = cycle(&mut growatt);
    assert_eq!((lines[0].as_str(), lines.len()), ("t30181122334455667788", 12));
    let mut shy = speaking("pylontech_lv", "inverter = true\nneeds_keep_alive = true");
    let lines = cycle(&mut shy);
    assert_eq!((lines[0].as_str(), lines.len()), ("t30580000000000000000", 7));
    apply(&mut shy, "fault silence");
    assert_eq!(cycle(&mut shy), ["t30580000000000000000"], "the battery is silent, its inverter is not");
}

#[test]
fn what_seldom_changes_comes_with_every_tenth_cycle() {
    let mut device = device("protocol = \"discover\"");
    let named: Vec<bool> =
        (0..21).map(|_| cycle(&mut device).iter().any(|line| line.starts_with("t35E"))).collect();
    let cycles: Vec<usize> = (0..21).filter(|&n| named[n]).collect();
    assert_eq!(cycles, [0, 10, 20]);
}

#[test]
fn another_dialect_is_spoken_from_the_next_cycle_on_and_brings_its_makers_name() {
    let mut device = speaking("byd_lv", "");
    assert_eq!(line(&cycle(&mut device), "t35E"), "t35E84259440000000000");
    apply(&mut device, "dialect pylontech_lv");
    let lines = cycle(&mut device);
    assert_eq!(line(&lines, "t35E"), "t35E850594C4F4E202020");
    assert!(lines.iter().all(|line| !line.starts_with("t35A")), "{lines:?}");
    assert!(device.status().contains("speaks pylontech_lv"), "{}", device.status());
}

#[test]
fn a_voltage_in_the_wrong_scale_is_ten_times_off_in_either_direction() {
    let volts = |device: &mut Device, fault: &str| {
        apply(device, fault);
        let hex = line(&cycle(device), "t356")[5..9].to_owned();
        u16::from_str_radix(&hex, 16).unwrap().swap_bytes()
    };
    let mut hundredths = speaking("victron", "");
    assert!((5_000..5_600).contains(&volts(&mut hundredths, "fault clear")));
    assert!((500..560).contains(&volts(&mut hundredths, "fault wrong_scale")));
    let mut tenths = speaking("sol_ark", "");
    assert!((500..560).contains(&volts(&mut tenths, "fault clear")));
    assert!((5_000..5_600).contains(&volts(&mut tenths, "fault wrong_scale")));
}

#[test]
fn kelvins_are_273_too_many_everywhere() {
    let mut device = speaking("victron", "");
    let before = line(&cycle(&mut device), "t373");
    apply(&mut device, "fault kelvin");
    let lines = cycle(&mut device);
    let kelvin = |line: &str| u16::from_str_radix(&line[13..17], 16).unwrap().swap_bytes();
    assert_eq!(kelvin(&line(&lines, "t373")) - kelvin(&before), 273);
    let tenths = u16::from_str_radix(&line(&lines, "t356")[13..17], 16).unwrap().swap_bytes();
    assert!((2_970..3_000).contains(&tenths), "{tenths}");
}

#[test]
fn a_name_or_cells_can_stand_in_0x370_of_any_dialect() {
    let name = "t370853494D554C415445";
    let mut victron = speaking("victron", "");
    assert_eq!(line(&cycle(&mut victron), "t370"), name);
    apply(&mut victron, "fault cells_in_370");
    let cells = cycle(&mut victron);
    assert_eq!(cells.iter().filter(|line| line.starts_with("t370")).count(), 1);
    // 25 °C twice, and two cells around 3.3 V.
    assert!(line(&cells, "t370").starts_with("t3708FA00FA00"), "{cells:?}");

    let mut clone = speaking("ecoworthy_ext", "");
    assert_ne!(line(&cycle(&mut clone), "t370"), name);
    apply(&mut clone, "fault name_in_370");
    assert_eq!(line(&cycle(&mut clone), "t370"), name);
    let mut plain = speaking("pylontech_lv", "");
    apply(&mut plain, "fault name_in_370");
    assert_eq!(line(&cycle(&mut plain), "t370"), name);
}

#[test]
fn latched_pairs_tell_a_change_once() {
    for dialect in ["victron", "byd_lv", "sma_bms", "pytes"] {
        let mut device = speaking(dialect, "");
        let mut pairs = || line(&cycle(&mut device), "t35A")[5..].to_owned();
        let healthy = pairs();
        apply(&mut device, "fault latched_pairs");
        let mut next = |command: &str| {
            apply(&mut device, command);
            line(&cycle(&mut device), "t35A")[5..].to_owned()
        };
        let (nothing, raised, gone) = ("0000000000000000", "0400000000000000", "0800000000000000");
        assert_eq!(next("alarm high_voltage on"), raised, "{dialect}");
        assert_eq!(next("alarm high_voltage on"), nothing, "{dialect}");
        assert_eq!(next("alarm high_voltage off"), gone, "{dialect}");
        assert_eq!(next("warning low_voltage on"), "0000000010000000", "{dialect}");
        assert_eq!(next("warning low_voltage off"), "0000000020000000", "{dialect}");
        assert_eq!(next("fault clear"), healthy, "{dialect}");
    }
}

#[test]
fn a_lost_module_is_missing_from_the_report_and_a_string_without_any_is_silent() {
    let mut device = speaking("victron", "modules = 3");
    let lines = cycle(&mut device);
    assert_eq!(line(&lines, "t372"), "t37280300000000000000");
    let limits = line(&lines, "t351");
    apply(&mut device, "module 2 link lost");
    apply(&mut device, "module 1 charge_switch broken");
    let lines = cycle(&mut device);
    assert_eq!(line(&lines, "t372"), "t37280200010000000100");
    assert_eq!(line(&lines, "t35A")[5..], *"A8AAAA02A8AA6A0A", "the master warns of it");
    assert_ne!(line(&lines, "t351"), limits);
    apply(&mut device, "link lost");
    assert!(cycle(&mut device).is_empty());
    assert!(device.reports().is_empty() && device.status().contains("cells NaN"), "{}", device.status());
    apply(&mut device, "link ok");
    assert_eq!(line(&cycle(&mut device), "t372"), "t37280300010000000000");
}

#[test]
fn a_report_names_every_value_once() {
    let battery =
        "modules = 2\nserial = \"X1\"\n[battery.bms]\ncharged_kwh = 10.0\ncycles = 3.5\nnoise = false";
    let mut device = device(battery);
    cycle(&mut device);
    let report = device.reports()[0].to_string();
    for word in [
        "string=0",
        "manufacturer=\"PYLON\"",
        "serial=\"X1\"",
        "firmware=1.4",
        "modules_online=2",
        "installed_ah=560.00",
        "cycles=3.50",
        "lowest_temperature=0101",
        "warnings=none",
    ] {
        assert!(report.split(' ').any(|shown| shown == word), "no {word} in {report}");
    }
    assert!(report.contains(" charged_kwh=20.0"), "of both modules: {report}");
    let mut keys: Vec<&str> = report.split(' ').map(|word| word.split_once('=').unwrap().0).collect();
    let count = keys.len();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), count);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_it_receives_and_is_told_it_keeps_its_bounds(
        received in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..20),
        faults in prop::collection::vec(0..Fault::ALL.len(), 0..5), dialect in 0..DIALECTS.len(),
    ) {
        let mut device = device("modules = 2");
        apply(&mut device, &format!("dialect {}", DIALECTS[dialect].name));
        for (bytes, fault) in received.iter().zip(faults.iter().chain(std::iter::repeat(&0))) {
            device.receive(bytes);
            let (name, _) = Fault::ALL[*fault];
            apply(&mut device, &format!("fault {name} 3s"));
            device.step(1.0);
            device.cycle();
            device.repeat(100);
            prop_assert!(device.outbox().pending().len() <= 2_048);
            prop_assert!(device.bank().bus_v().is_finite());
        }
    }
}
