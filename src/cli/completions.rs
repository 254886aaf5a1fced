//! `tacit completions`: scripts by which shells complete commands and options.

use clap::{Args, Command, ValueEnum};
use clap_complete::aot::{Shell, generate};

use crate::terminal::say_bytes;

/// A shell that a script is made for.
#[derive(Clone, Copy, ValueEnum)]
enum ScriptedShell {
    Bash,
    Zsh,
    Fish,
}

#[derive(Args)]
pub(super) struct CompletionsOptions {
    /// The shell to make the script for.
    shell: ScriptedShell,
}

/// Prints the script for all commands of `root`.
pub(super) fn run(options: &CompletionsOptions, mut root: Command) {
    let shell = match options.shell {
        ScriptedShell::Bash => Shell::Bash,
        ScriptedShell::Zsh => Shell::Zsh,
        ScriptedShell::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    generate(shell, &mut root, "tacit", &mut script);
    say_bytes(&script);
}
