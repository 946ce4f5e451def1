//! What can be asked for while an inverter runs, word by word.

use std::time::Duration;

use super::faults::{Fault, Kind};
use super::map::{Table, number};
use super::unit::Unit;

/// `set sun_w=.. load_w=.. house_w=.. grid=0|1 soc=.. battery_w=..|auto`, `register TABLE ADDRESS VALUE`,
/// `fault KIND [count=N] [after=N] [ms=..] [code=..] [n=..] [hex=..]`, `clear`, `status`, `journal`.
///
/// # Errors
/// What was not understood.
pub fn unit(unit: &mut Unit, words: &[&str]) -> Result<String, String> {
    match words {
        ["status"] => return Ok(unit.status()),
        ["journal"] => return Ok(format!("journal {}", unit.take_journal().join(" "))),
        ["set", pairs @ ..] => {
            for pair in pairs {
                set(unit, pair)?;
            }
        }
        ["register", table, address, value] => {
            let wrong = || "register holding|input ADDRESS VALUE".to_owned();
            let table = match *table {
                "holding" => Table::Holding,
                "input" => Table::Input,
                _ => return Err(wrong()),
            };
            let word = |text| number(text).and_then(|number| u16::try_from(number).ok()).ok_or_else(wrong);
            unit.impose(table, word(address)?, word(value)?);
        }
        ["fault", words @ ..] => unit.faults.add(fault(&words.join(" "))?),
        ["clear"] => unit.faults.clear(),
        _ => {
            return Err(
                "inverter: set, register, fault, clear, clients, status, journal, timing, unplug or plug"
                    .to_owned(),
            );
        }
    }
    Ok("ok".to_owned())
}

fn set(unit: &mut Unit, pair: &str) -> Result<(), String> {
    let wrong = || format!("{pair}: sun_w=, load_w=, house_w=, grid=, soc= or battery_w=");
    let (key, text) = pair.split_once('=').ok_or_else(wrong)?;
    let plant = &mut unit.plant;
    if (key, text) == ("battery_w", "auto") {
        plant.imposed_w = None;
        return Ok(());
    }
    let value: f64 = text.parse().ok().filter(|value: &f64| value.is_finite()).ok_or_else(wrong)?;
    match key {
        "sun_w" => plant.site.sun_w = value.max(0.0),
        "load_w" => plant.site.load_w = value.max(0.0),
        "house_w" => plant.site.house_w = value,
        "grid" => plant.site.grid = value != 0.0,
        "soc" => plant.battery.soc = (value / 100.0).clamp(0.0, 1.0),
        "battery_w" => plant.imposed_w = Some(value),
        _ => return Err(wrong()),
    }
    Ok(())
}

/// A fault in words: its kind, and how often and how.
///
/// # Errors
/// What was not understood.
pub fn fault(words: &str) -> Result<Fault, String> {
    let mut words = words.split_whitespace();
    let name = words.next().unwrap_or_default();
    let (mut count, mut after, mut ms, mut code, mut length, mut bytes) = (None, 0, 0, 4, 0, Vec::new());
    for pair in words {
        let wrong = || format!("{pair}: count=, after=, ms=, code=, n= or hex=");
        let (key, text) = pair.split_once('=').ok_or_else(wrong)?;
        match key {
            "count" => count = Some(text.parse().map_err(|_| wrong())?),
            "after" => after = text.parse().map_err(|_| wrong())?,
            "ms" => ms = text.parse().map_err(|_| wrong())?,
            "code" => code = text.parse().map_err(|_| wrong())?,
            "n" => length = text.parse().map_err(|_| wrong())?,
            "hex" => bytes = from_hex(text).ok_or_else(wrong)?,
            _ => return Err(wrong()),
        }
    }
    let kind = match name {
        "silence" => Kind::Silence,
        "late" => Kind::Late(Duration::from_millis(ms)),
        "foreign" => Kind::Foreign,
        "stale" => Kind::Stale,
        "doubled" => Kind::Doubled,
        "exception" => Kind::Exception(code),
        "badcrc" => Kind::BadCrc,
        "garbage" => Kind::Garbage(bytes),
        "truncated" => Kind::Truncated(length),
        _ => return Err(format!("no fault is called {name:?}")),
    };
    Ok(Fault { kind, after, count })
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let is_hex = text.is_ascii() && text.len().is_multiple_of(2);
    let bytes =
        text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    if is_hex { bytes.collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_understood_or_refused_with_what_would_be() {
        let late = fault("late ms=1500 count=2 after=3").unwrap();
        assert_eq!(late, Fault { kind: Kind::Late(Duration::from_millis(1_500)), after: 3, count: Some(2) });
        assert_eq!(fault("garbage hex=ff01").unwrap().kind, Kind::Garbage(vec![0xFF, 1]));
        assert!(fault("explode").unwrap_err().contains("explode"));
        assert!(fault("late seconds=2").unwrap_err().contains("ms="));
    }
}
