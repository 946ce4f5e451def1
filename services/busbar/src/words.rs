//! A CAN frame in words.

use bms_can::decode_log::Record;
use bms_can::frame::Frame;
use bms_can::message::Message;
use bms_can::protocols::Decoded;

/// `  12.345678  can0  0x351  limits        charge_voltage_limit_v 53.2, ...`
pub(crate) fn line(record: &Record) -> String {
    let entry = &record.entry;
    let time = entry.timestamp.map(|t| format!("{:.6}  ", t.as_secs_f64())).unwrap_or_default();
    let text = match &record.decoded {
        Decoded::Good(reading) => {
            let words = values(&reading.message).into_iter().map(|(key, value)| format!("{key} {value}"));
            words.collect::<Vec<_>>().join(", ")
        }
        Decoded::Refused(refused) => format!("not believed: {}", refused.why),
        Decoded::NotMine => bytes(&entry.frame).join(" "),
    };
    let (id, name) = (entry.frame.id().to_string(), name(&record.decoded));
    format!("{time}{}  {id:<10}  {name:<20}  {text}", entry.interface)
}

/// What the frame is called.
pub(crate) fn name(decoded: &Decoded) -> &'static str {
    match decoded {
        Decoded::Good(reading) => reading.name,
        Decoded::Refused(refused) => refused.name,
        Decoded::NotMine => "?",
    }
}

/// The values by name; of an alarm frame, only what is wrong.
pub(crate) fn values(message: &Message) -> Vec<(String, String)> {
    let Ok(serde_json::Value::Object(mut values)) = serde_json::to_value(message) else {
        return Vec::new();
    };
    if matches!(message, Message::Protection(_) | Message::Alarms(_)) {
        values.retain(|_, value| *value != false && *value != "ok" && *value != "not_supported");
    }
    let word = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    values.into_iter().map(|(key, value)| (key, word(value))).collect()
}

/// The bytes, each as two digits; those of a remote request are what it asks for.
pub(crate) fn bytes(frame: &Frame) -> Vec<String> {
    match frame.is_remote() {
        true => vec![format!("asks for {} bytes", frame.len())],
        false => frame.data().iter().map(|byte| format!("{byte:02X}")).collect(),
    }
}
