//! The two peers from npm, one against the other: a service made with dbus-victron-virtual, read by Signal K.

use std::time::Duration;

use testbed::{PrivateBus, Process, client_script};

const SOON: Duration = Duration::from_secs(60);
const NAME: &str = "com.victronenergy.battery.virtual";

#[test]
fn signal_k_reads_a_virtual_service_and_hears_its_changes() {
    let bus = PrivateBus::start();
    let mut virtual_service = Process::spawn(
        client_script("virtual.js")
            .args([NAME, r#"{"DeviceInstance": 7, "Soc": 54.5, "Dc/0/Temperature": null}"#])
            .envs(bus.environment()),
    );
    virtual_service.wait_for_line("published", SOON);

    let mut signalk = Process::spawn(client_script("signalk.js").envs(bus.environment()));
    let line = |path, value| format!(r#"{{"service":"{NAME}","path":"{path}","value":{value}}}"#);
    signalk.wait_for_line(&line("/Soc", "54.5"), SOON);
    signalk.wait_for_line(&line("/Dc/0/Temperature", "null"), SOON);

    assert_eq!(bus.set_value(NAME, "/Soc", &["d", "60.25"]), Ok(0));
    signalk.wait_for_line(&line("/Soc", "60.25"), SOON);
}
