//! "Did you mean" for commands: clap compares words by their common letters in place, which misses two letters that changed places.

use clap::Command;
use clap::error::{ContextKind, ContextValue, Error, ErrorKind};

use crate::query::error::nearest;

/// Adds the nearest command to an error about an unknown one, unless clap has found some. `first` is the first word that was typed.
pub(super) fn add(error: &mut Error, root: &Command, first: Option<&str>) {
    if error.kind() != ErrorKind::InvalidSubcommand || error.get(ContextKind::SuggestedSubcommand).is_some() {
        return;
    }
    let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidSubcommand) else { return };
    // Commands of commands are few, and clap's own suggestions suffice.
    if first != Some(typed.as_str()) {
        return;
    }
    let known = names(root);
    if let Some(near) = nearest(typed, known.iter().map(String::as_str)) {
        let near = ContextValue::Strings(vec![near.to_owned()]);
        error.insert(ContextKind::SuggestedSubcommand, near);
    }
}

/// The names of the commands that people type.
fn names(root: &Command) -> Vec<String> {
    let shown = root.get_subcommands().filter(|command| !command.is_hide_set());
    shown.map(|command| command.get_name().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn a_command_that_is_misspelt_gets_the_nearest_one() {
        let told = |typed: &str| {
            let root = crate::cli::Cli::command();
            let mut error = root.clone().try_get_matches_from(["tacit", typed]).expect_err("no command");
            add(&mut error, &root, Some(typed));
            error.to_string()
        };
        for (typed, meant) in [("aks", "'ask'"), ("sael", "'seal'"), ("serv", "'serve'"), ("acount", "'account'")] {
            assert!(told(typed).contains(meant), "{typed}: {}", told(typed));
        }
        assert!(!told("xylophone").contains("similar"), "{}", told("xylophone"));
    }
}
