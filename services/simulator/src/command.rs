//! Commands while it runs, one a line, from a scenario's events or from standard input.

use crate::batteries::{self, DIALECTS, Dialect};
use crate::faults::Fault;
use crate::plant::alarms::Alarm;
use crate::plant::sensors::{Sensor, SensorFault};

/// What can be asked of a running simulator.
pub const HELP: &str = "\
[N:] current AMPS               impose a current (+ charges), whatever the scenario says
[N:] current auto               back to the scenario's profile
[N:] fault KIND [TIME]          silence hang garbage wrong_length wrong_digit truncated implausible frozen
                                bit_flips burst wrong_scale kelvin name_in_370 cells_in_370 latched_pairs
[N:] fault clear [KIND]         end one, or all
[N:] alarm NAME on|off          raise a protection: high_voltage low_voltage high_temperature low_temperature
[N:] warning NAME on|off        charge_current discharge_current internal high_temperature_charging
                                low_temperature_charging short_circuit contactor imbalance;
                                off lets the BMS decide again
[N:] dialect NAME               speak another protocol from now on
[N:] unplug [TIME]              hang up the adapter and remove its link
[N:] plug                       put it back
[N:] reboot                     the BMS is silent and open for 20 s
[N:] ambient CELSIUS            temperature of the surroundings
[N:] [module M] soc PERCENT     move the charge, imbalance kept; the BMS notices nothing
[N:] [module M] temperature CELSIUS
                                put all cells at this temperature
[N:] [module M] contactor open|close|weld
[N:] [module M] charge_switch broken|ok
[N:] [module M] discharge_switch broken|ok
[N:] [module M] link lost|ok    whether the master hears it
[N:] [module M] sensor cell K|temperature K|current  offset X|stuck X|frozen|lost|ok
[N:] status                     one line about the battery
[N:] report                     what the battery tells, one line a string, as key=value
converter [N] set WORD=NUMBER...
                                raw words of a converter, by name
converter [N] fault KIND [cmd=CODE] [count=N] [write] [ms=] [n=] [ercd=] [hex=]
                                drop badsum nak wrongcmd wronglen truncate ackshort garbage trail echo wrongaddr
                                split delay, for the next count replies; converter [N] clear ends all
converter [N] battery [rsoc=N] [status=N] [fault=drop|exception|badcrc|none]
converter [N] journal|timing    what was served since the last time; how late its bytes left
inverter [N] set sun_w=|load_w=|house_w=|grid=|soc=|battery_w=...
                                what flows through an inverter on Modbus; battery_w=auto for self-consumption
inverter [N] register holding|input ADDRESS VALUE
                                what a register holds from now on
inverter [N] fault KIND [count=N] [after=N] [ms=] [code=] [n=] [hex=]
                                silence late foreign stale doubled exception badcrc garbage truncated, for the
                                next count answers or for ever; inverter [N] clear ends all
inverter [N] clients COUNT      how many clients are served on TCP from now on, 0 for none
inverter [N] unplug|plug|status|journal|timing
help
N: one battery only, 0 is the first. M, K from 0. TIME as 300ms, 5s, 2min, 1h in simulated time; for ever without.";

/// A command and the battery it is for; `None` means all.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// Number of the battery, from 0.
    pub battery: Option<usize>,
    /// What to do.
    pub action: Action,
}

/// What to do to a battery.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Impose this current in A; `None`: the scenario's profile again.
    Current(Option<f64>),
    /// Begin a fault that lasts so many s.
    Begin(Fault, f64),
    /// End one fault, or all.
    End(Option<Fault>),
    /// Force a protection on, or leave it to the BMS.
    Protection(Alarm, bool),
    /// Force a warning on, or leave it to the BMS.
    Warning(Alarm, bool),
    /// Hang up for so many s.
    Unplug(f64),
    /// Put the adapter back.
    Plug,
    /// Restart the BMS.
    Reboot,
    /// Speak this protocol.
    Dialect(&'static Dialect),
    /// Temperature of the surroundings in °C.
    Ambient(f64),
    /// Something in one module, or in all.
    Module(Option<usize>, ModuleAction),
    /// Say how it is.
    Status,
    /// Say what it tells the bus.
    Report,
}

/// What to do to a module.
#[derive(Debug, Clone, PartialEq)]
pub enum ModuleAction {
    /// Mean charge of the cells, a fraction.
    Soc(f64),
    /// Temperature of the cells in °C.
    Temperature(f64),
    /// Open or close the contactor.
    Contactor(bool),
    /// Weld it.
    Weld,
    /// Break the charge switch, or mend it.
    ChargeBroken(bool),
    /// Break the discharge switch, or mend it.
    DischargeBroken(bool),
    /// Lose it from its master's hearing, or have it back.
    Lost(bool),
    /// Break a sensor, or mend it.
    Sensor(Sensor, Option<SensorFault>),
}

/// Reads one line.
///
/// # Errors
/// A sentence that says what is not understood and what would be.
pub fn parse(line: &str) -> Result<Command, String> {
    understand(line).map_err(|why| why.replace(char::is_control, " "))
}

fn understand(line: &str) -> Result<Command, String> {
    let (battery, line) = match line.split_once(':') {
        Some((number, rest)) => (Some(count(number.trim(), "battery")?), rest),
        None => (None, line),
    };
    let words: Vec<&str> = line.split_whitespace().collect();
    let (module, words) = match words.as_slice() {
        ["module", number, rest @ ..] => (Some(count(number, "module")?), rest),
        words => (None, words),
    };
    let action = match module_action(words)? {
        Some(action) => Action::Module(module, action),
        None if module.is_some() => return Err(format!("not for a single module: {}", words.join(" "))),
        None => action(words)?,
    };
    Ok(Command { battery, action })
}

fn module_action(words: &[&str]) -> Result<Option<ModuleAction>, String> {
    Ok(Some(match words {
        ["soc", percent] => ModuleAction::Soc(within(percent, 0.0, 100.0, "%")? / 100.0),
        ["temperature", celsius] => ModuleAction::Temperature(within(celsius, -40.0, 100.0, "°C")?),
        ["contactor", "open"] => ModuleAction::Contactor(false),
        ["contactor", "close"] => ModuleAction::Contactor(true),
        ["contactor", "weld"] => ModuleAction::Weld,
        ["charge_switch", state] => {
            ModuleAction::ChargeBroken(chosen(state, &[("broken", true), ("ok", false)])?)
        }
        ["discharge_switch", state] => {
            ModuleAction::DischargeBroken(chosen(state, &[("broken", true), ("ok", false)])?)
        }
        ["link", state] => ModuleAction::Lost(chosen(state, &[("lost", true), ("ok", false)])?),
        ["sensor", "cell", index, fault @ ..] => {
            ModuleAction::Sensor(Sensor::Cell(count(index, "cell")?), sensor_fault(fault)?)
        }
        ["sensor", "temperature", index, fault @ ..] => {
            ModuleAction::Sensor(Sensor::Temperature(count(index, "sensor")?), sensor_fault(fault)?)
        }
        ["sensor", "current", fault @ ..] => ModuleAction::Sensor(Sensor::Current, sensor_fault(fault)?),
        _ => return Ok(None),
    }))
}

fn action(words: &[&str]) -> Result<Action, String> {
    const SWITCH: &[(&str, bool)] = &[("on", true), ("off", false)];
    Ok(match words {
        ["current", "auto"] => Action::Current(None),
        ["current", amps] => Action::Current(Some(within(amps, -10_000.0, 10_000.0, "A")?)),
        ["fault", "clear"] => Action::End(None),
        ["fault", "clear", kind] => Action::End(Some(chosen(kind, &Fault::ALL)?)),
        ["fault", kind, time @ ..] => Action::Begin(chosen(kind, &Fault::ALL)?, lasting(time)?),
        ["alarm", name, state] => Action::Protection(alarm(name)?, chosen(state, SWITCH)?),
        ["warning", name, state] => Action::Warning(alarm(name)?, chosen(state, SWITCH)?),
        ["unplug", time @ ..] => Action::Unplug(lasting(time)?),
        ["plug"] => Action::Plug,
        ["reboot"] => Action::Reboot,
        ["ambient", celsius] => Action::Ambient(within(celsius, -40.0, 100.0, "°C")?),
        ["dialect", name] => Action::Dialect(
            batteries::by_name(name)
                .ok_or_else(|| none_of(name, DIALECTS.iter().map(|dialect| dialect.name)))?,
        ),
        ["status"] => Action::Status,
        ["report"] => Action::Report,
        words => return Err(format!("not understood: `{}`; `help` lists what is", words.join(" "))),
    })
}

fn sensor_fault(words: &[&str]) -> Result<Option<SensorFault>, String> {
    Ok(match words {
        ["ok"] => None,
        ["frozen"] => Some(SensorFault::Frozen),
        ["lost"] => Some(SensorFault::Lost),
        ["offset", value] => Some(SensorFault::Offset(within(value, -1_000.0, 1_000.0, "")?)),
        ["stuck", value] => Some(SensorFault::Stuck(within(value, -1_000.0, 1_000.0, "")?)),
        _ => return Err("a sensor can be: offset X, stuck X, frozen, lost, ok".to_owned()),
    })
}

fn alarm(name: &str) -> Result<Alarm, String> {
    chosen(name, &Alarm::ALL.map(|alarm| (alarm.name(), alarm)))
}

fn chosen<T: Copy>(word: &str, allowed: &[(&str, T)]) -> Result<T, String> {
    let found = allowed.iter().find(|(name, _)| *name == word).map(|&(_, value)| value);
    found.ok_or_else(|| none_of(word, allowed.iter().map(|(name, _)| *name)))
}

fn none_of<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> String {
    format!("`{word}` is none of: {}", names.collect::<Vec<_>>().join(", "))
}

fn count(word: &str, of: &str) -> Result<usize, String> {
    word.parse().map_err(|_| format!("`{word}` is no number of a {of}; they count from 0"))
}

fn within(word: &str, low: f64, high: f64, unit: &str) -> Result<f64, String> {
    word.parse()
        .ok()
        .filter(|value| (low..=high).contains(value))
        .ok_or_else(|| format!("`{word}` is no number from {low} to {high} {unit}").trim_end().to_owned())
}

/// A time in s, or for ever.
fn lasting(words: &[&str]) -> Result<f64, String> {
    let [word] = words else {
        return if words.is_empty() {
            Ok(f64::INFINITY)
        } else {
            Err(format!("too much: `{}`", words.join(" ")))
        };
    };
    let number_len = word.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(word.len());
    let (number, unit) = word.split_at(number_len);
    let unit_s = match unit {
        "ms" => Some(0.001),
        "" | "s" => Some(1.0),
        "min" => Some(60.0),
        "h" => Some(3_600.0),
        _ => None,
    };
    let seconds = number.parse::<f64>().ok().zip(unit_s).map(|(number, unit_s)| number * unit_s);
    seconds.ok_or_else(|| format!("`{word}` is no time; like 300ms, 5s, 2min, 1h"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_command_of_the_help_is_understood() {
        let all = |action| Command { battery: None, action };
        for (line, command) in [
            ("current -40", all(Action::Current(Some(-40.0)))),
            ("current auto", all(Action::Current(None))),
            ("fault silence 5s", all(Action::Begin(Fault::Silence, 5.0))),
            ("fault garbage 300ms", all(Action::Begin(Fault::Garbage, 0.3))),
            ("fault burst", all(Action::Begin(Fault::Burst, f64::INFINITY))),
            ("fault clear", all(Action::End(None))),
            ("fault clear frozen", all(Action::End(Some(Fault::Frozen)))),
            ("alarm high_voltage on", all(Action::Protection(Alarm::HighVoltage, true))),
            ("warning internal off", all(Action::Warning(Alarm::Internal, false))),
            ("unplug 2min", all(Action::Unplug(120.0))),
            ("plug", all(Action::Plug)),
            ("reboot", all(Action::Reboot)),
            ("ambient -5", all(Action::Ambient(-5.0))),
            ("dialect byd_lv", all(Action::Dialect(batteries::by_name("byd_lv").unwrap()))),
            ("status", all(Action::Status)),
            ("report", all(Action::Report)),
            ("module 1 link lost", all(Action::Module(Some(1), ModuleAction::Lost(true)))),
            ("soc 80", all(Action::Module(None, ModuleAction::Soc(0.8)))),
            ("module 2 contactor weld", all(Action::Module(Some(2), ModuleAction::Weld))),
            ("charge_switch broken", all(Action::Module(None, ModuleAction::ChargeBroken(true)))),
            (
                "module 0 sensor cell 3 offset 0.3",
                all(Action::Module(
                    Some(0),
                    ModuleAction::Sensor(Sensor::Cell(3), Some(SensorFault::Offset(0.3))),
                )),
            ),
            ("sensor current ok", all(Action::Module(None, ModuleAction::Sensor(Sensor::Current, None)))),
            (" 1 : plug ", Command { battery: Some(1), action: Action::Plug }),
        ] {
            assert_eq!(parse(line), Ok(command), "{line}");
        }
        for (_, fault) in Fault::ALL {
            assert!(HELP.contains(fault.name()), "{}", fault.name());
        }
        for alarm in Alarm::ALL {
            assert!(HELP.contains(alarm.name()), "{}", alarm.name());
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_with_what_would_be() {
        for (line, part) in [
            ("explode", "help"),
            ("fault silense 5s", "silence, hang"),
            ("fault silence 5 parsecs", "too much"),
            ("fault silence 5d", "300ms"),
            ("alarm high_voltage maybe", "on, off"),
            ("dialect klingon", "pylontech_lv, victron"),
            ("current much", "from -10000 to 10000 A"),
            ("current NaN", "no number"),
            ("x: plug", "count from 0"),
            ("module 1 plug", "single module"),
            ("sensor cell 1 burnt", "stuck X"),
        ] {
            let refused = parse(line).unwrap_err();
            assert!(refused.contains(part), "{line}: {refused}");
        }
    }

    proptest! {
        #[test]
        fn any_line_is_understood_or_refused(line: String, words in "(fault|module 1|sensor|current|dialect|0:)? [a-z]{0,8} ?[-0-9.a-z]{0,9}") {
            let _ = (parse(&line), parse(&words));
        }
    }
}
