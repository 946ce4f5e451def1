//! What can be asked for while a converter runs, word by word.

use std::time::Duration;

use super::device::Converter;
use super::emulator::{Emulator, Trouble};
use super::faults::{Fault, Kind};

/// `set WORD=NUMBER...`, `fault KIND [KEY=NUMBER...]`, `clear`.
///
/// # Errors
/// What was not understood.
pub fn converter(converter: &mut Converter, words: &[&str]) -> Result<String, String> {
    match words {
        ["set", pairs @ ..] => {
            for (name, number) in numbers(pairs)? {
                if !converter.registers.set_signed(name, number) {
                    return Err(format!("no word is called {name:?}"));
                }
            }
        }
        ["fault", kind, pairs @ ..] => converter.faults.0.push(fault(kind, pairs)?),
        ["clear"] => converter.faults.0.clear(),
        _ => return Err("converter: set, fault, clear, battery, journal or timing".to_owned()),
    }
    Ok("ok".to_owned())
}

/// `rsoc=805`, `status=1`, `fault=drop`, `fault=exception`, `fault=badcrc`, `fault=none`.
///
/// # Errors
/// What was not understood.
pub fn battery(emulator: &mut Emulator, words: &[&str]) -> Result<String, String> {
    for word in words {
        let value = |number: &str| number.parse().map_err(|_| format!("{word}: 0 to 65535"));
        match word.split_once('=') {
            Some(("rsoc", number)) => emulator.rsoc = value(number)?,
            Some(("status", number)) => emulator.status = value(number)?,
            Some(("fault", "none")) => emulator.trouble = None,
            Some(("fault", "drop")) => emulator.trouble = Some(Trouble::Drop),
            Some(("fault", "exception")) => emulator.trouble = Some(Trouble::Exception),
            Some(("fault", "badcrc")) => emulator.trouble = Some(Trouble::BadCrc),
            _ => return Err(format!("{word}: rsoc=, status= or fault=")),
        }
    }
    Ok("ok".to_owned())
}

fn numbers<'a>(pairs: &[&'a str]) -> Result<Vec<(&'a str, i32)>, String> {
    let number = |pair: &&'a str| {
        let (name, number) = pair.split_once('=')?;
        Some((name, number.parse().ok()?))
    };
    pairs.iter().map(|pair| number(pair).ok_or_else(|| format!("{pair}: NAME=NUMBER"))).collect()
}

fn fault(name: &str, pairs: &[&str]) -> Result<Fault, String> {
    let mut fault = Fault { kind: Kind::Drop, code: None, only_writes: false, count: 1 };
    let (mut ms, mut length, mut ercd, mut bytes) = (0, 0, 0xFFFD, Vec::new());
    for pair in pairs {
        let wrong = || format!("{pair}: cmd=, count=, ms=, n=, ercd=, hex= or write");
        match pair.split_once('=') {
            None if *pair == "write" => fault.only_writes = true,
            Some(("cmd", text)) => fault.code = Some(text.parse().map_err(|_| wrong())?),
            Some(("count", text)) => fault.count = text.parse().map_err(|_| wrong())?,
            Some(("ms", text)) => ms = text.parse().map_err(|_| wrong())?,
            Some(("n", text)) => length = text.parse().map_err(|_| wrong())?,
            Some(("ercd", text)) => ercd = text.parse().map_err(|_| wrong())?,
            Some(("hex", text)) => bytes = from_hex(text).ok_or_else(wrong)?,
            _ => return Err(wrong()),
        }
    }
    let pause = Duration::from_millis(ms);
    fault.kind = match name {
        "drop" => Kind::Drop,
        "badsum" => Kind::BadChecksum,
        "nak" => Kind::Refused(ercd),
        "wrongcmd" => Kind::WrongCommand,
        "wronglen" => Kind::WrongLength,
        "truncate" => Kind::Truncated(length),
        "ackshort" => Kind::Short,
        "garbage" => Kind::Garbage(bytes),
        "trail" => Kind::Trail(bytes),
        "echo" => Kind::Echo,
        "wrongaddr" => Kind::WrongAddress,
        "split" => Kind::Split(pause),
        "delay" => Kind::Delay(pause),
        _ => return Err(format!("no fault is called {name:?}")),
    };
    Ok(fault)
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let is_hex = text.is_ascii() && text.len().is_multiple_of(2);
    let bytes =
        text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    if is_hex { bytes.collect() } else { None }
}
