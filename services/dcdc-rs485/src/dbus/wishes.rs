//! What a write to an item asks of the converter. Pure.

use dbus_interfaces::classes::dcdc as d;
use dbus_interfaces::{Value, WriteRequest};

use crate::converter::{Given, Request};
use crate::eza::words::WAITING;

/// The request that a write stands for. `running` is the mode in which the converter ran last.
///
/// # Errors
/// Why it stands for none.
pub(super) fn request(write: &WriteRequest, running: Option<u16>) -> Result<Request, &'static str> {
    let number = || write.value().and_then(Value::as_f64).map(|value| value.to_string());
    let mode = |mode: u16| Given { mode: Some(format!("0x{mode:04x}")), ..Given::default() };
    let missing = "it takes a number";
    let given = if write.is(d::APIS_TARGET_VOLTAGE) {
        Given { dvg: Some(number().ok_or(missing)?), ..Given::default() }
    } else if write.is(d::APIS_DROOP_RATE) {
        Given { drg: Some(number().ok_or(missing)?), ..Given::default() }
    } else if write.is(d::APIS_CURRENT_LIMIT) {
        Given { dig: Some(number().ok_or(missing)?), ..Given::default() }
    } else if write.is(d::APIS_MODE) {
        let word = write.value().and_then(Value::as_i64).and_then(|word| u16::try_from(word).ok());
        mode(word.ok_or("a mode is 0, 2, 0x14 or 0x41")?)
    } else if write.is(d::MODE) {
        match write.value().and_then(Value::as_i64) {
            Some(4) => mode(WAITING),
            Some(1) => mode(running.ok_or("in which mode it is to run is not known: set /Apis/Mode")?),
            _ => return Err("the mode is 1 for on or 4 for off"),
        }
    } else if write.is(d::APIS_CLEAR_ALARMS) {
        return match write.value().and_then(Value::as_i64) {
            Some(1) => Ok(Request::ClearAlarms),
            _ => Err("1 clears the alarms"),
        };
    } else {
        return Err("this cannot be written");
    };
    Ok(Request::Change(given))
}
