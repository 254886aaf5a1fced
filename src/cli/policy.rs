//! `tacit policy check` and `tacit policy draft`.

use std::path::PathBuf;

use clap::Subcommand;

use super::Failure;
use crate::dataset::draft::draft;
use crate::dataset::policy::{Policy, PolicyError};
use crate::terminal::say;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Checks a policy and names every fault with its line.
    ///
    /// Example: tacit policy check visits.toml
    Check {
        /// The policy.
        file: PathBuf,
    },
    /// Proposes a policy from a data file. Bounds seen in data are a disclosure: replace them.
    ///
    /// Example: tacit policy draft visits.parquet > visits.toml
    Draft {
        /// The data.
        source: PathBuf,
    },
}

/// What `oversubscribe = true` means, in plain words.
pub(super) const OVERSUBSCRIBED: &str = "oversubscribe = true: allocations may sum to more than the cap, and the cap stays what it is. \
     Whoever asks first may leave nothing to the others: a researcher can be refused although their own account holds more.";

pub(super) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Check { file } => {
            let policy = Policy::load(file).map_err(|error| match error {
                PolicyError::Faulty { .. } | PolicyError::TooLarge { .. } => Failure::no(error),
                PolicyError::Unreadable { .. } => Failure::could(error),
            })?;
            let terms = &policy.terms;
            say(format!(
                "{}: dataset \"{}\", {} columns, at most {} rows a unit, cap epsilon {} at delta {} ({})",
                file.display(),
                policy.name,
                terms.own().len(),
                terms.max_rows_per_unit,
                terms.cap,
                terms.delta(),
                terms.accountant.name()
            ));
            if terms.oversubscribe {
                say(OVERSUBSCRIBED);
            }
            Ok(())
        }
        Command::Draft { source } => {
            say(draft(source).map_err(Failure::could)?.trim_end());
            Ok(())
        }
    }
}
