//! `busbar`: every process that carries current, and the command line, in one executable.
//!
//! - `cli`: what can be typed
//! - `services`: a process by its name, or by the name of the link that it was started through
//! - `decode`: recordings in plain words or JSON
//! - `demo`: a bus, a simulated battery and the real service, to look at

mod cli;
mod decode;
mod demo;
mod services;

use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Command};

fn main() -> ExitCode {
    match Cli::parse_from(arguments()).command {
        Command::Service(service) => services::run(service),
        Command::Decode(decode) => report(decode::run(&decode)),
        Command::Demo(demo) => demo::run(demo),
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

/// The end of a command: 0, or its error on one line and 1. A reader that went away is no error.
fn report(outcome: anyhow::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("busbar: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<std::io::Error>();
    io.is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
}
