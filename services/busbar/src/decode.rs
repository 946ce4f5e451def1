//! `busbar decode`: a recording in plain words, or as one JSON object per frame.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write, stdin, stdout};

use anyhow::Context;
use bms_can::candump::ReadError;
use bms_can::decode_log::{Record, decode_log};
use bms_can::message::Message;
use bms_can::protocols::Decoded;

use crate::cli::Decode;

pub(crate) fn run(options: &Decode) -> anyhow::Result<()> {
    let reader: Box<dyn BufRead> = if options.file.as_os_str() == "-" {
        Box::new(stdin().lock())
    } else {
        let file = File::open(&options.file).with_context(|| options.file.display().to_string())?;
        Box::new(BufReader::new(file))
    };
    let mut out = BufWriter::new(stdout().lock());
    let (mut frames, mut unread) = (0_u64, 0_u64);
    for record in decode_log(reader, options.protocol.as_deref())? {
        match record {
            Ok(record) if options.json => {
                serde_json::to_writer(&mut out, &record).map_err(std::io::Error::from)?;
                writeln!(out)?;
                frames += 1;
            }
            Ok(record) => {
                writeln!(out, "{}", line(&record))?;
                frames += 1;
            }
            Err(error @ ReadError::Io { .. }) => return Err(error.into()),
            Err(error) => {
                unread += 1;
                out.flush()?;
                eprintln!("busbar: {}: {error}", options.file.display());
            }
        }
    }
    out.flush()?;
    anyhow::ensure!(frames > 0 || unread == 0, "{}: no line is one of candump's", options.file.display());
    Ok(())
}

/// `  12.345678  can0  0x351  limits        charge_voltage_limit_v 53.2, ...`
fn line(record: &Record) -> String {
    let entry = &record.entry;
    let time = entry.timestamp.map(|t| format!("{:.6}  ", t.as_secs_f64())).unwrap_or_default();
    let (name, text) = match &record.decoded {
        Decoded::Good(reading) => (reading.name, values(&reading.message)),
        Decoded::Refused(refused) => (refused.name, format!("not believed: {}", refused.why)),
        Decoded::NotMine => ("?", bytes(entry.frame.data())),
    };
    format!("{time}{}  {:<10}  {name:<20}  {text}", entry.interface, entry.frame.id().to_string())
}

/// The values in words; of an alarm frame, only what is wrong.
fn values(message: &Message) -> String {
    let Ok(serde_json::Value::Object(mut values)) = serde_json::to_value(message) else {
        return String::new();
    };
    if matches!(message, Message::Protection(_) | Message::Alarms(_)) {
        values.retain(|_, value| *value != false && *value != "ok" && *value != "not_supported");
    }
    let words = values.iter().map(|(key, value)| match value {
        serde_json::Value::String(text) => format!("{key} {text}"),
        other => format!("{key} {other}"),
    });
    words.collect::<Vec<_>>().join(", ")
}

fn bytes(data: &[u8]) -> String {
    data.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(" ")
}
