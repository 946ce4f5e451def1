//! What systemcalc would choose on a bus, one line of JSON whenever it is something else: `would_choose ADDRESS`. For a look
//! beside the original, by hand.

use std::time::Duration;

use serde_json::json;
use system_tests::systemcalc::{Battery, BmsSetting, Items, MonitorSetting, Systemcalc};
use system_tests::{Tape, What};

fn main() {
    let address = std::env::args().nth(1).unwrap_or_default();
    let tape = Tape::of(&address);
    let (mut systemcalc, mut settings, mut said) = (Systemcalc::default(), Items::new(), json!(null));
    loop {
        let Some(heard) = tape.next(Duration::from_secs(1)) else { continue };
        if heard.service == "com.victronenergy.settings" {
            match heard.what {
                What::Appeared(items) | What::Changed(items) => settings.extend(items),
                What::Gone => {}
            }
            systemcalc.set(bms(&settings), monitor(&settings));
        } else {
            match &heard.what {
                What::Appeared(items) => systemcalc.appeared(&heard.service, items.clone()),
                What::Changed(items) => systemcalc.changed(&heard.service, items),
                What::Gone => systemcalc.gone(&heard.service),
            }
        }
        let name = |battery: Option<&Battery>| battery.map(|battery| battery.service.clone());
        let bms = systemcalc.bms();
        let choice = json!({
            "bms": name(bms),
            "monitor": name(systemcalc.monitor()),
            "multiple_batteries": systemcalc.multiple_batteries(),
            "charge_voltage_v": bms.and_then(|battery| battery.number("/Info/MaxChargeVoltage")),
            "charge_current_a": bms.and_then(|battery| battery.number("/Info/MaxChargeCurrent")),
        });
        if choice != said {
            println!("{choice}");
            said = choice;
        }
    }
}

fn bms(settings: &Items) -> BmsSetting {
    match settings.get("/Settings/SystemSetup/BmsInstance").and_then(serde_json::Value::as_i64) {
        None | Some(-1) => BmsSetting::Automatic,
        Some(-255) => BmsSetting::NoBms,
        Some(instance) => BmsSetting::Instance(instance),
    }
}

fn monitor(settings: &Items) -> MonitorSetting {
    let setting = settings.get("/Settings/SystemSetup/BatteryService").and_then(serde_json::Value::as_str);
    match setting.unwrap_or("default") {
        "nobattery" => MonitorSetting::NoMonitor,
        text => {
            let instance = text.strip_prefix("com.victronenergy.battery/").and_then(|n| n.parse().ok());
            instance.map_or(MonitorSetting::Automatic, MonitorSetting::Instance)
        }
    }
}
