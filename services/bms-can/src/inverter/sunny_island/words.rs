//! Numbers of errors in words: SMA, FSS-ConnectingBat. An alarm n of 0x35A shows as F920 + n - 1, a warning as
//! W936 + n - 1, in the order of the pairs.

use crate::message::Condition;

/// What an error number means, as the display of the unit writes it and in words.
#[must_use]
pub fn error(number: u16) -> String {
    let of = |first: u16| Condition::ALL.get(usize::from(number - first)).copied().map(battery);
    match number {
        0 => String::new(),
        920..936 => match of(920) {
            Some(what) => format!("F{number}: the battery's alarm, {what}"),
            None => format!("F{number}: an alarm of the battery"),
        },
        936..952 => match of(936) {
            Some(what) => format!("W{number}: the battery's warning, {what}"),
            None => format!("W{number}: a warning of the battery"),
        },
        952 => "F952: no data from the battery for 60 s (ExtBMSTimeout)".to_owned(),
        _ => format!("{number}: see the list of events in the manual of the Sunny Island"),
    }
}

fn battery(condition: Condition) -> &'static str {
    match condition {
        Condition::General => "general",
        Condition::HighVoltage => "voltage too high",
        Condition::LowVoltage => "voltage too low",
        Condition::HighTemperature => "too hot",
        Condition::LowTemperature => "too cold",
        Condition::HighChargeTemperature => "too hot to charge",
        Condition::LowChargeTemperature => "too cold to charge",
        Condition::HighDischargeCurrent => "discharge current too high",
        Condition::HighChargeCurrent => "charge current too high",
        Condition::Contactor => "contactor",
        Condition::ShortCircuit => "short circuit",
        Condition::BmsInternal => "fault of the BMS",
        Condition::CellImbalance => "cells too far apart",
    }
}
