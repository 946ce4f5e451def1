//! `busbar decode`: a recording in plain words, or as one JSON object per frame.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write, stdin, stdout};
use std::path::PathBuf;

use anyhow::Context;
use bms_can::candump::ReadError;
use bms_can::decode_log::decode_log;
use clap::Args;

use crate::words;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Decode {
    /// The recording: candump's log format (-l) or what it prints; - for standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The dialect; without it, the one that the traffic of each interface shows.
    #[arg(long, value_name = "NAME")]
    protocol: Option<String>,
    /// One JSON object per frame.
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "Examples:
  busbar decode candump-2026-11-21.log
  candump -L can0 | busbar decode - --protocol pylontech_lv
  busbar decode --json recording.log | jq 'select(.name == \"limits\").values'";

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
                writeln!(out, "{}", words::line(&record))?;
                frames += 1;
            }
            Err(error @ ReadError::Io { .. }) => return Err(error.into()),
            Err(error) => {
                unread += 1;
                out.flush()?;
                crate::complain(&format!("busbar: {}: {error}", options.file.display()));
            }
        }
    }
    out.flush()?;
    anyhow::ensure!(frames > 0 || unread == 0, "{}: no line is one of candump's", options.file.display());
    Ok(())
}
