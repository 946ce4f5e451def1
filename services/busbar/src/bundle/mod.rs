//! `busbar bundle`: one archive for a bug report, shown before it is written.
//!
//! - `parts`: what goes into it, each part a text
//! - `items`: what services of the bus say, without secrets; pure

mod items;
mod parts;

use std::fs;
use std::io::{BufRead, IsTerminal, Write, stdin, stdout};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use clap::Args;

use crate::bus::Bus;
use parts::Part;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Bundle {
    /// Where the archive goes; without it, busbar-bundle-DATE.tar.gz in this folder.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write it without asking.
    #[arg(long, short)]
    yes: bool,
    /// Show everything that would be in it, and write nothing.
    #[arg(long, conflicts_with_all = ["yes", "output"])]
    show: bool,
    #[command(flatten)]
    bus: Bus,
}

const EXAMPLES: &str = "In it: versions, the platform, configurations without passwords and keys, logs, the items of all services, statistics of
the D-Bus and of CAN interfaces. Nothing is sent anywhere.

Examples:
  sudo busbar bundle
  sudo busbar bundle --show | less
  sudo busbar bundle --yes --output /tmp/report.tar.gz";

pub(crate) async fn run(options: Bundle) -> anyhow::Result<()> {
    let parts = parts::collect(&options.bus).await;
    if options.show {
        return crate::print(&text(&parts));
    }
    let date = parts::date().await;
    let name = format!("busbar-bundle-{date}");
    let output = options.output.clone().unwrap_or_else(|| PathBuf::from(format!("{name}.tar.gz")));
    crate::print(&summary(&parts, &output))?;
    if options.yes || ask(&parts)? {
        write(&parts, &name, &output)?;
        crate::print(&format!(
            "{} is written. Look it over before you give it to others.\n",
            output.display()
        ))
    } else {
        crate::print("Nothing is written.\n")
    }
}

fn summary(parts: &[Part], output: &Path) -> String {
    let mut text = format!("{} would have in it:\n", output.display());
    let longest = parts.iter().map(|part| part.file.len()).max().unwrap_or_default();
    for part in parts {
        text += &format!("  {:<longest$} {:>8} bytes  {}\n", part.file, part.text.len(), part.what);
    }
    text
}

fn text(parts: &[Part]) -> String {
    parts
        .iter()
        .map(|part| format!("==== {} ({})\n{}\n", part.file, part.what, part.text.trim_end()))
        .collect()
}

/// Asks until the answer is yes or no.
fn ask(parts: &[Part]) -> anyhow::Result<bool> {
    ensure!(
        stdin().is_terminal(),
        "there is nobody to ask whether it may be written: --yes writes it, --show shows all of it"
    );
    let mut answer = String::new();
    loop {
        crate::print("Write it? [y]es, [n]o, [s]how all of it first: ")?;
        stdout().flush()?;
        answer.clear();
        if stdin().lock().read_line(&mut answer)? == 0 {
            return Ok(false);
        }
        match answer.trim() {
            "y" | "yes" => return Ok(true),
            "n" | "no" | "" => return Ok(false),
            "s" | "show" => crate::print(&text(parts))?,
            _ => {}
        }
    }
}

fn write(parts: &[Part], name: &str, output: &Path) -> anyhow::Result<()> {
    let above = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
    fs::create_dir(&above).with_context(|| format!("cannot make {}", above.display()))?;
    let written = fill(parts, &above.join(name)).context("cannot write the parts").and_then(|()| {
        let tar = Command::new("tar").arg("-czf").arg(output).arg("-C").arg(&above).arg(name).output();
        let tar = tar.context("cannot start tar")?;
        ensure!(tar.status.success(), "tar: {}", String::from_utf8_lossy(&tar.stderr).trim());
        Ok(())
    });
    // What was collected is nobody's business once it is packed.
    let _ = fs::remove_dir_all(&above);
    written
}

fn fill(parts: &[Part], folder: &Path) -> std::io::Result<()> {
    for part in parts {
        let file = folder.join(&part.file);
        fs::create_dir_all(file.parent().unwrap_or(folder))?;
        fs::write(file, &part.text)?;
    }
    Ok(())
}
