//! What a maintainer would ask for, collected: each part is there, if only to say why it could not be had.

use std::fs;
use std::path::Path;
use std::time::Duration;

use dbus_interfaces::{Filter, Monitor};
use service_kit::config::{DIRECTORIES, without_addresses, without_secrets};
use tokio::process::Command;
use tokio::time::timeout;

use crate::bus::Bus;
use crate::supervise::{Supervisor, home};
use crate::{list, logs};

/// No program that is asked takes longer.
const LONGEST: Duration = Duration::from_secs(10);
/// Of each log.
const LINES: usize = 2000;

/// A file of the bundle.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) file: String,
    pub(super) what: &'static str,
    pub(super) text: String,
}

fn part(file: impl Into<String>, what: &'static str, text: impl Into<String>) -> Part {
    Part { file: file.into(), what, text: text.into() }
}

/// Everything.
pub(super) async fn collect(bus: &Bus) -> Vec<Part> {
    let mut parts = vec![
        part("versions.txt", "versions of ours", versions()),
        part("platform.txt", "the machine and its system", platform().await),
        part("hardware.txt", "serial and CAN adapters", hardware().await),
    ];
    parts.extend(configurations());
    match Supervisor::of_this_machine() {
        Ok(supervisor) => {
            let processes = list::text(&supervisor).unwrap_or_else(|error| format!("{error:#}\n"));
            parts.push(part("processes.txt", "what is enabled, and how it is", processes));
            for process in supervisor.enabled() {
                let text =
                    logs::of(&process, &supervisor, LINES).unwrap_or_else(|error| format!("{error:#}\n"));
                let file = format!("logs/{}.txt", process.to_string().replace(' ', "."));
                parts.push(part(file, "its log", without_addresses(&text)));
            }
            let updates = logs::of_updates(&supervisor, LINES).unwrap_or_else(|error| format!("{error:#}\n"));
            parts.push(part("logs/updates.txt", "what became of updates", updates));
        }
        Err(error) => {
            parts.push(part("processes.txt", "what is enabled, and how it is", format!("{error:#}\n")))
        }
    }
    parts.extend(services(bus).await);
    parts
}

/// The time, for the name of the archive.
pub(super) async fn date() -> String {
    said("date", &["+%Y-%m-%d-%H%M%S"]).await.trim().to_owned()
}

fn versions() -> String {
    let mut text = format!("busbar {}\n", env!("CARGO_PKG_VERSION"));
    match home() {
        Ok(home) => {
            for link in ["current", "previous"] {
                let release = fs::read_link(home.join(link)).map(|path| path.display().to_string());
                text += &format!("{link}: {}\n", release.unwrap_or_else(|_| "none".to_owned()));
            }
            let last = fs::read_to_string(home.join("state/last"));
            text += &format!("last update:\n{}", last.unwrap_or_else(|_| "none\n".to_owned()));
        }
        Err(error) => text += &format!("{error:#}\n"),
    }
    text
}

async fn platform() -> String {
    let mut text = String::new();
    for file in
        ["/etc/os-release", "/opt/victronenergy/version", "/etc/venus/machine", "/proc/device-tree/model"]
    {
        if let Ok(content) = fs::read_to_string(file) {
            text += &format!("--- {file}\n{}\n", content.trim_end_matches(['\n', '\0']));
        }
    }
    for command in [
        &["uname", "-a"][..],
        &["uptime"],
        &["free"],
        &["df", "-h"],
        &["systemctl", "--version"],
        &["systemctl", "--failed", "--no-legend"],
        &["dbus-daemon", "--version"],
    ] {
        text += &section(command).await;
    }
    text
}

async fn hardware() -> String {
    let mut text = String::new();
    for command in [
        &["ls", "-l", "/dev/serial/by-id", "/dev/serial/by-path"][..],
        &["ip", "-details", "-statistics", "link", "show", "type", "can"],
        &["lsusb"],
    ] {
        text += &section(command).await;
    }
    text
}

fn configurations() -> Vec<Part> {
    let mut parts = Vec::new();
    for directory in DIRECTORIES {
        let mut files: Vec<_> =
            fs::read_dir(directory).into_iter().flatten().flatten().map(|e| e.path()).collect();
        files.sort();
        for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "toml"))
        {
            let name = format!("configuration{}", file.display());
            parts.push(part(name, "without passwords and keys", configuration(file)));
        }
    }
    parts
}

fn configuration(file: &Path) -> String {
    match fs::read_to_string(file) {
        Ok(text) => without_secrets(&text).unwrap_or_else(|| {
            format!(
                "not shown, because it is no TOML and secrets cannot be told from the rest: {} bytes\n",
                text.len()
            )
        }),
        Err(error) => format!("{error}\n"),
    }
}

/// The services of the bus, item by item, and what the bus says about itself.
async fn services(bus: &Bus) -> Vec<Part> {
    let monitor = match Monitor::start(&bus.choose(), Filter::new()).await {
        Ok((monitor, _)) => monitor,
        Err(error) => return vec![part("bus.txt", "the D-Bus", format!("{error}\n"))],
    };
    let names = monitor.names().await.unwrap_or_default();
    let mut text = names.iter().map(|name| format!("{name}\n")).collect::<String>();
    let address = match bus.choose() {
        dbus_interfaces::BusAddress::System => "--system".to_owned(),
        dbus_interfaces::BusAddress::Session => "--session".to_owned(),
        dbus_interfaces::BusAddress::At(address) => format!("--bus={address}"),
    };
    let statistics = [
        "dbus-send",
        &address,
        "--print-reply",
        "--dest=org.freedesktop.DBus",
        "/org/freedesktop/DBus",
        "org.freedesktop.DBus.Debug.Stats.GetStats",
    ];
    text += &section(&statistics).await;
    let mut parts = vec![part("bus.txt", "names and statistics of the D-Bus", text)];
    for name in names {
        let text = match monitor.get_items(&name).await {
            Ok(items) => {
                let items: Vec<_> =
                    items.into_iter().map(|item| (item.path, item.value, item.text)).collect();
                super::items::lines(&items)
            }
            Err(error) => format!("{error}\n"),
        };
        parts.push(part(format!("items/{name}.txt"), "its items", text));
    }
    parts
}

async fn section(command: &[&str]) -> String {
    let Some((program, arguments)) = command.split_first() else { return String::new() };
    format!("--- {}\n{}\n", command.join(" "), said(program, arguments).await.trim_end())
}

/// What a program says, or why it says nothing.
async fn said(program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(arguments).kill_on_drop(true).stdin(std::process::Stdio::null());
    match timeout(LONGEST, command.output()).await {
        Ok(Ok(output)) => {
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
        }
        Ok(Err(error)) => format!("cannot start {program}: {error}"),
        Err(_) => format!("{program} does not end"),
    }
}
