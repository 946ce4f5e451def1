//! `busbar completions`: what a shell needs to complete our command lines.

use std::io::{Write, stdout};

use clap::{Args, CommandFactory, ValueEnum};
use clap_complete::aot::{Bash, Fish, Generator, Zsh, generate};

use crate::cli::Cli;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

const EXAMPLES: &str = "Examples:
  source <(busbar completions bash)
  busbar completions bash > /etc/bash_completion.d/busbar
  busbar completions zsh > ~/.zfunc/_busbar
  busbar completions fish > ~/.config/fish/completions/busbar.fish";

pub(crate) fn run(options: &Completions) -> anyhow::Result<()> {
    let script = match options.shell {
        Shell::Bash => script(Bash),
        Shell::Zsh => script(Zsh),
        Shell::Fish => script(Fish),
    };
    Ok(stdout().write_all(&script)?)
}

fn script(shell: impl Generator) -> Vec<u8> {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "busbar", &mut script);
    script
}
