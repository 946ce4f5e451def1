//! `busbar decode`: a recording in plain words, or as one JSON object per frame.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write, stdin, stdout};
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

/// Read in one go, so that a file is written out in large portions too.
const PORTION: usize = 64 * 1024;

/// Writes out what is decoded before it waits for more: frames that come live are seen live.
struct FlushFirst<'a, R, W: Write> {
    source: R,
    out: &'a RefCell<BufWriter<W>>,
}

impl<R: Read, W: Write> Read for FlushFirst<'_, R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.out.borrow_mut().flush()?;
        self.source.read(buffer)
    }
}

pub(crate) fn run(options: &Decode) -> anyhow::Result<()> {
    let source: Box<dyn Read> = if options.file.as_os_str() == "-" {
        Box::new(stdin().lock())
    } else {
        Box::new(File::open(&options.file).with_context(|| options.file.display().to_string())?)
    };
    let out = RefCell::new(BufWriter::new(stdout().lock()));
    let reader = BufReader::with_capacity(PORTION, FlushFirst { source, out: &out });
    let (mut frames, mut unread) = (0_u64, 0_u64);
    for record in decode_log(reader, options.protocol.as_deref())? {
        let mut out = out.borrow_mut();
        match record {
            Ok(record) if options.json => {
                serde_json::to_writer(&mut *out, &record).map_err(std::io::Error::from)?;
                writeln!(out)?;
                frames += 1;
            }
            Ok(record) => {
                writeln!(out, "{}", words::line(&record))?;
                frames += 1;
            }
            // Not the recording but whoever was to read what is decoded has gone.
            Err(ReadError::Io { reason, .. }) if reason.kind() == io::ErrorKind::BrokenPipe => {
                return Err(reason.into());
            }
            Err(error @ ReadError::Io { .. }) => {
                return Err(error).with_context(|| options.file.display().to_string());
            }
            Err(error) => {
                unread += 1;
                out.flush()?;
                crate::complain(&format!("busbar: {}: {error}", options.file.display()));
            }
        }
    }
    out.into_inner().flush()?;
    anyhow::ensure!(frames > 0 || unread == 0, "{}: no line is one of candump's", options.file.display());
    Ok(())
}
