//! How a device is heard that is asked in turn on a line: part of what is shown of services of any class.

use dbus_interfaces::classes::polled as p;
use serde_json::{Value, json};

use crate::status::service::Service;
use crate::terminal::{Line, Style};

/// Ages are told in steps, and a read may be so much later than its period.
const LATE_S: f64 = 15.0;

/// A read of the device.
struct Block {
    registers: String,
    age_s: Option<i32>,
    period_s: Option<f64>,
}

fn blocks(service: &Service) -> impl Iterator<Item = Block> {
    (0..=u16::MAX).map_while(|n| {
        let registers = service.get(p::BLOCK.nth(n))?;
        Some(Block {
            registers,
            age_s: service.get(p::BLOCK_AGE.nth(n)),
            period_s: service.get(p::BLOCK_PERIOD.nth(n)),
        })
    })
}

impl Block {
    fn is_late(&self) -> bool {
        self.age_s
            .is_some_and(|age| self.period_s.is_some_and(|period| f64::from(age) > 2.0 * period + LATE_S))
    }
}

/// How busy the line is, what is not answered, and what is older than it should be; nothing of a service that is not polled.
pub(super) fn line(service: &Service) -> Vec<Line> {
    let Some(profile) = service.get(p::PROFILE) else { return Vec::new() };
    let mut pieces = vec![Line::of(Style::Faint, format!("profile {profile}"))];
    pieces.push(Line::plain(format!("line busy {}", service.text(p::UTILISATION))));
    if let (Some(silences @ 1..), Some(requests)) = (service.get(p::SILENCES), service.get(p::REQUESTS)) {
        pieces.push(Line::plain(format!("{silences} of {requests} requests without an answer")));
    }
    let late = blocks(service).filter(Block::is_late);
    pieces.extend(late.map(|block| {
        let age = block.age_s.unwrap_or_default();
        Line::of(Style::Warning, format!("{} is {age} s old", block.registers))
    }));
    pieces
}

/// What the JSON document has of it; null of a service that is not polled.
pub(super) fn json(service: &Service) -> Value {
    let Some(profile) = service.get(p::PROFILE) else { return Value::Null };
    let block = |block: Block| json!({ "registers": block.registers, "age_s": block.age_s, "period_s": block.period_s });
    json!({
        "profile": profile,
        "utilisation_pct": service.get(p::UTILISATION),
        "requests": service.get(p::REQUESTS),
        "silences": service.get(p::SILENCES),
        "blocks": blocks(service).map(block).collect::<Vec<Value>>(),
    })
}

#[cfg(test)]
mod tests {
    use dbus_interfaces::Value;

    use super::*;
    use crate::status::service::tests::service;

    #[test]
    fn a_polled_device_says_how_busy_its_line_is_and_what_is_late() {
        let device = service(
            "com.victronenergy.multi.modbus_ttyUSB0_1",
            None,
            &[
                ("/Polled/Profile", "deye-one-phase".into()),
                ("/Polled/Utilisation", Value::Real(43.0)),
                ("/Polled/Requests", 5210.into()),
                ("/Polled/Silences", 3.into()),
                ("/Polled/Block/0/Registers", "holding 150+45".into()),
                ("/Polled/Block/0/Age", 15.into()),
                ("/Polled/Block/0/Period", Value::Real(1.0)),
                ("/Polled/Block/1/Registers", "holding 59+50".into()),
                ("/Polled/Block/1/Age", 20.into()),
                ("/Polled/Block/1/Period", Value::Real(1.0)),
                ("/Polled/Block/2/Registers", "holding 0+8".into()),
                ("/Polled/Block/2/Age", 9000.into()),
            ],
        );
        let said: Vec<String> = line(&device).iter().map(ToString::to_string).collect();
        let silences = "3 of 5210 requests without an answer";
        assert_eq!(said, ["profile deye-one-phase", "line busy 43%", silences, "holding 59+50 is 20 s old"]);
        assert_eq!(json(&device)["blocks"][2]["age_s"], 9000);
        let other = service("com.victronenergy.multi.rs", None, &[]);
        assert!(line(&other).is_empty() && json(&other).is_null());
    }
}
