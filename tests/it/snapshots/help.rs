//! The help of every command.

use std::collections::BTreeSet;
use std::process::Command;

use super::{held, no_others};

/// What `--help` says of a command.
fn help(command: &[&str]) -> String {
    let mut run = Command::new(env!("CARGO_BIN_EXE_tacit"));
    run.env_clear().args(command).arg("--help");
    let output = run.output().expect("the binary");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// The commands that a help lists.
fn listed(help: &str) -> Vec<&str> {
    let commands = help.split("\nCommands:\n").nth(1).unwrap_or_default();
    let lines = commands.lines().take_while(|line| !line.is_empty());
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").collect()
}

fn walk(command: &[&str], seen: &mut BTreeSet<String>) {
    let help = help(command);
    let name = [&["help"], command].concat().join("-");
    held(&name, &help);
    seen.insert(name);
    for name in listed(&help) {
        walk(&[command, &[name]].concat(), seen);
    }
}

#[test]
fn every_help_is_as_it_was() {
    let mut seen = BTreeSet::new();
    walk(&[], &mut seen);
    assert!(seen.len() > 30, "{seen:?}");
    no_others("help", &seen);
}
