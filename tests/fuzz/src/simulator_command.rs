//! Commands to a running simulator, each followed by a second of its life.

use bms_can::transports::slcan_codec::Decoder;
use simulator::assembly::devices;
use simulator::command::parse;
use simulator::device::Device;
use simulator::scenario;

use crate::lines::assert_line;

/// So many commands are carried out, further ones only read.
const CARRIED_OUT: usize = 16;

/// Lines as from standard input.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut device = None;
    for (n, line) in text.lines().enumerate() {
        match parse(line) {
            Err(why) => assert_line(&why),
            Ok(command) if n < CARRIED_OUT => {
                let device = device.get_or_insert_with(battery);
                device.apply(&command.action);
                second(device);
            }
            Ok(_) => {}
        }
    }
}

/// A small battery whose adapter is open and listened to.
fn battery() -> Device {
    let text = "[[battery]]\nlink = \"b\"\nmodules = 2\n[battery.pack]\ncells = 3\n[battery.current]\nconstant_a = 5";
    let scenario = scenario::parse(text, "s.toml").expect("a scenario");
    let (_, mut device) = devices(&scenario).remove(0);
    device.set_heard(true);
    device.receive(b"O\r");
    device
}

fn second(device: &mut Device) {
    device.step(1.0);
    device.cycle();
    assert_line(&device.status());
    let sent = device.outbox().pending().to_vec();
    device.outbox().consume(sent.len());
    Decoder::default().feed(&sent).count();
    for report in device.reports() {
        assert!(
            report.limits.charge_current_a >= 0.0 && report.limits.discharge_current_a >= 0.0,
            "{report:?}"
        );
    }
}
