//! `launcher --attempt PROCESS`: as root, before each start: notes it while an update is on trial, and goes back when the
//! new release does not start. `launcher PROGRAM [ARGUMENT...]`: becomes that program of the current release; the process
//! stays the same, so readiness and watchdog reach the supervisor.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use launcher::{Folder, Outcome};

const USAGE: &str = "usage: launcher --attempt PROCESS | launcher PROGRAM [ARGUMENT...]";

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let folder = match std::env::current_exe() {
        Ok(program) => Folder::at(program.parent().unwrap_or(Path::new("/"))),
        Err(error) => return fail(&format!("does not know where it lies: {error}")),
    };
    let Some(first) = arguments.next() else { return fail(USAGE) };
    if first == "--attempt" {
        return match arguments.next().and_then(|name| name.into_string().ok()).filter(|name| is_plain(name)) {
            Some(process) => attempt(&folder, &process),
            None => fail(USAGE),
        };
    }
    match first.into_string() {
        Ok(program) if is_plain(&program) => become_program(&folder, &program, arguments.collect()),
        _ => fail(USAGE),
    }
}

fn attempt(folder: &Folder, process: &str) -> ExitCode {
    match folder.attempt(process) {
        Ok(Outcome::Calm | Outcome::Counted(_)) => ExitCode::SUCCESS,
        Ok(Outcome::WentBack(release)) => {
            eprintln!("launcher: the new release does not start {process}: back to {release}");
            ExitCode::SUCCESS
        }
        Err(error) => fail(&format!("cannot count the starts of {process}: {error}")),
    }
}

/// Does not return while one of the releases has the program.
fn become_program(folder: &Folder, program: &str, arguments: Vec<OsString>) -> ExitCode {
    let mut why = io::Error::other("no release");
    for path in folder.programs(program) {
        why = Command::new(&path).args(&arguments).exec();
        eprintln!("launcher: cannot start {}: {why}", path.display());
    }
    fail(&format!("{program}: {why}"))
}

/// A name that is a name and no path.
fn is_plain(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._@-:\\".contains(&b);
    !name.is_empty() && !name.starts_with(['.', '-']) && name.bytes().all(plain)
}

fn fail(why: &str) -> ExitCode {
    eprintln!("launcher: {why}");
    ExitCode::FAILURE
}
