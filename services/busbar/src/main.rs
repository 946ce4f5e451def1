//! `busbar`: every process that carries current, and the command line, in one executable.
//!
//! - `cli`: what can be typed
//! - `services`: a process by its name, or by the name of the link that it was started through
//! - `status`, `get`, `set`: what is on the D-Bus; `bus` finds services and paths
//! - `explain`: why the current is what it is
//! - `sniff`, `decode`: what is on a CAN bus, live or recorded; `words` says it
//! - `check_config`: configurations, checked and shown in full
//! - `enable`, `list`, `logs`, `bundle`: the processes of this machine; `supervise` knows who starts and watches them
//! - `inverters`: which inverters can be told of a battery
//! - `import`: our configuration from another driver's
//! - `profile`: devices on Modbus: their profiles, and one read once
//! - `scan`: which devices there are on a line or in a network
//! - `demo`: a bus, a simulated battery and the real service, to look at
//! - `completions`: for shells
//! - `terminal`: styled lines, and a terminal that is drawn over itself

mod bundle;
mod bus;
mod check_config;
mod cli;
mod completions;
mod decode;
mod demo;
mod enable;
mod explain;
mod get;
mod import;
mod inverters;
mod list;
mod logs;
mod profile;
mod scan;
mod services;
mod set;
mod sniff;
mod status;
mod supervise;
mod terminal;
mod words;

use std::io::{Write, stderr, stdout};
use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Command};

fn main() -> ExitCode {
    match Cli::parse_from(arguments()).command {
        Command::Service(service) => services::run(service),
        Command::Status(options) => report(wait_for(status::run(options))),
        Command::Explain(options) => report(wait_for(explain::run(options))),
        Command::Get(options) => report(wait_for(get::run(options))),
        Command::Set(options) => report(wait_for(set::run(options))),
        Command::Sniff(options) => report(wait_for(sniff::run(options))),
        Command::Decode(options) => report(decode::run(&options)),
        Command::CheckConfig(options) => check_config::run(&options),
        Command::Enable(options) => report(enable::enable(&options)),
        Command::Disable(options) => report(enable::disable(&options)),
        Command::List(options) => report(list::run(&options)),
        Command::Import(options) => report(import::run(&options)),
        Command::Inverters(options) => report(inverters::run(&options)),
        Command::Profile(options) => report(wait_for(profile::run(options))),
        Command::Scan(options) => report(wait_for(scan::run(options))),
        Command::Logs(options) => report(logs::run(&options)),
        Command::Bundle(options) => report(wait_for(bundle::run(options))),
        Command::Demo(options) => report(wait_for(demo::run(options))),
        Command::Completions(options) => report(completions::run(&options)),
    }
}

/// The arguments; a link named after a service stands for `busbar SERVICE`.
fn arguments() -> Vec<std::ffi::OsString> {
    let mut arguments: Vec<_> = std::env::args_os().collect();
    let called = arguments.first().map(std::path::Path::new).and_then(|path| path.file_name()?.to_str());
    if let Some(service) = called.filter(|name| services::NAMES.contains(name)).map(Into::into) {
        arguments.insert(1, service);
    }
    arguments
}

/// Runs a command that waits for something.
fn wait_for(command: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(command)
}

/// The end of a command: 0, or its error on one line and 1. A reader that went away is no error.
fn report(outcome: anyhow::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("busbar: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<std::io::Error>();
    io.is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
}

/// Writes to standard output, where `println!` would panic if the reader has gone away.
fn print(text: &str) -> anyhow::Result<()> {
    Ok(stdout().write_all(text.as_bytes())?)
}

/// A line on standard error, where `eprintln!` would panic if the terminal has gone away.
fn complain(line: &str) {
    let _ = writeln!(stderr(), "{line}");
}
