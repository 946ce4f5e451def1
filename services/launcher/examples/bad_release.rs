//! A program that stands for `busbar` in a release that must not stay. What it does wrong is said by the file `wrong` in its
//! release:
//!
//! - `exits`: ends at once
//! - `stumbles`: says that it is ready, and ends after three seconds
//! - `hangs`: never says that it is ready
//! - `idles`: is ready and alive for the supervisor, and does nothing

use std::os::unix::net::UnixDatagram;
use std::process::ExitCode;
use std::time::Duration;
use std::{env, fs, thread};

fn main() -> ExitCode {
    if env::args().nth(1).as_deref() == Some("--version") {
        println!("busbar 9.9.9");
        return ExitCode::SUCCESS;
    }
    let program = env::current_exe().unwrap_or_default();
    let wrong = program
        .ancestors()
        .nth(2)
        .map(|release| fs::read_to_string(release.join("wrong")).unwrap_or_default());
    match wrong.as_deref().map(str::trim) {
        Some("hangs") => wait_for_ever(|| ()),
        Some("idles") => {
            notify("READY=1");
            wait_for_ever(|| notify("WATCHDOG=1"));
        }
        Some("stumbles") => {
            notify("READY=1");
            thread::sleep(Duration::from_secs(3));
        }
        _ => {}
    }
    ExitCode::FAILURE
}

fn wait_for_ever(meanwhile: impl Fn()) {
    loop {
        meanwhile();
        thread::sleep(Duration::from_secs(1));
    }
}

fn notify(message: &str) {
    if let (Some(socket), Ok(from)) = (env::var_os("NOTIFY_SOCKET"), UnixDatagram::unbound()) {
        // Who does not listen is not told.
        let _ = from.send_to(message.as_bytes(), socket);
    }
}
