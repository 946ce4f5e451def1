//! Services of any class: who they are.

use dbus_interfaces::classes::device;
use serde_json::json;

use super::{Class, Column, polled};
use crate::bus::short;
use crate::status::service::Service;
use crate::terminal::{Line, Style};

pub(crate) static CLASS: Class = Class {
    class: "",
    title: "OTHER",
    columns: &[
        Column { head: "class", cell: |service| service.class().to_owned() },
        Column { head: "connected", cell: |service| service.text(device::CONNECTED) },
    ],
    details,
    notes: |_| Vec::new(),
    status: |_| None,
    json: |service| match polled::json(service) {
        serde_json::Value::Null => json!({}),
        polled => json!({ "polled": polled }),
    },
};

/// Its name on the bus, where another name stands above.
fn details(service: &Service) -> Vec<Vec<Line>> {
    let has_name = service.custom_name().is_some() || service.product_name().is_some();
    let name = if has_name { short(&service.name) } else { "" };
    let process = service.get(device::PROCESS_NAME).unwrap_or_default();
    vec![vec![Line::of(Style::Faint, name), Line::of(Style::Faint, process)], polled::line(service)]
}
