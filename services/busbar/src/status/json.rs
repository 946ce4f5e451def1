//! All services as a document.

use dbus_interfaces::classes::device;
use serde_json::{Map, Value, json};

use super::classes::{self, CLASSES};
use super::picture::Picture;
use super::service::{Level, Service};

/// The document that `busbar status --help` describes.
pub(super) fn document(picture: &Picture) -> Value {
    let services: Vec<Value> = picture.services.iter().map(service).collect();
    json!({"bus": picture.bus, "services": services, "silent": picture.silent})
}

fn service(service: &Service) -> Value {
    let word = |level| if level == Level::Alarm { "alarm" } else { "warning" };
    let alarms = service.alarms().into_iter().map(|(name, level)| (name.to_owned(), json!(word(level))));
    let class = CLASSES.get(classes::rank(service));
    json!({
        "service": service.name,
        "class": service.class(),
        "instance": service.instance,
        "name": service.custom_name(),
        "product": service.get(device::PRODUCT_NAME),
        "process": service.get(device::PROCESS_NAME),
        "ours": service.is_ours(),
        "connected": service.is_connected(),
        "status": class.and_then(|class| (class.status)(service)),
        "alarms": alarms.collect::<Map<_, _>>(),
        "values": class.map(|class| (class.json)(service)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::service::tests::{battery, service};

    #[test]
    fn the_document_has_the_shape_that_the_help_describes() {
        let other = service("com.victronenergy.system", None, &[]);
        let battery = battery(&[("/Alarms/LowVoltage", 1.into()), ("/CustomName", "Barn".into())]);
        let picture = Picture::new("a bus".to_owned(), vec![other, battery], vec!["x".to_owned()], true);
        let document = document(&picture);
        assert_eq!((&document["bus"], &document["silent"]), (&json!("a bus"), &json!(["x"])));
        let limits =
            json!({"charge_voltage_v": 53.2, "charge_current_a": 74.0, "discharge_current_a": 100.0});
        let battery = json!({
            "service": "com.victronenergy.battery.bmscan_can0",
            "class": "battery",
            "instance": 100,
            "name": "Barn",
            "product": "Pylontech low voltage",
            "process": "bms-can",
            "ours": true,
            "connected": true,
            "status": "fresh data",
            "alarms": {"LowVoltage": "warning"},
            "values": {
                "voltage_v": 49.96,
                "current_a": -12.3,
                "power_w": -614.6,
                "soc_pct": 54.0,
                "temperature_c": 21.0,
                "time_to_go_s": 21900,
                "limits": limits,
                "own_limits": limits,
            },
        });
        assert_eq!(document["services"][0], battery);
        assert_eq!(document["services"][1]["connected"], Value::Null);
        assert_eq!(document["services"][1]["values"], json!({}));
    }
}
