//! All services as a document.

use std::io::{Write, stdout};

use dbus_interfaces::classes::device;
use serde_json::{Map, Value, json};

use super::classes::{self, CLASSES};
use super::picture::Picture;
use super::service::{Level, Service};

pub(crate) fn write(picture: &Picture) -> anyhow::Result<()> {
    writeln!(stdout(), "{:#}", document(picture))?;
    Ok(())
}

/// The document that `busbar status --help` describes.
fn document(picture: &Picture) -> Value {
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
