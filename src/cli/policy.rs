//! `tacit policy check` and `tacit policy draft`.

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::CommandFailure;
use crate::engine::seal::draft::draft;
use crate::engine::seal::source::{SourceLocation, SourceSpec};
use crate::query::terms::policy::{Policy, PolicyError};
use crate::terminal::say;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Check a policy and name every fault with its line.
    ///
    /// Example: tacit policy check visits.toml --source
    Check {
        /// The policy file.
        file: PathBuf,
        /// Also read every row of its sources, and report what would not fit. Nothing is written.
        #[arg(long)]
        source: bool,
    },
    /// Propose a policy from data, with placeholders for a person to replace. Bounds taken from data would disclose it.
    ///
    /// Example: tacit policy draft visits.parquet > visits.toml
    Draft {
        /// The data: a file, a folder, or a pattern like 'visits/**/*.parquet'.
        #[arg(required_unless_present = "postgresql")]
        source: Option<PathBuf>,
        /// A database to read instead: host=… dbname=… user=…; the password comes from PGPASSWORD or ~/.pgpass.
        #[arg(long, requires = "query", conflicts_with = "source")]
        postgresql: Option<String>,
        /// The query that reads the database.
        #[arg(long, requires = "postgresql")]
        query: Option<String>,
        /// The sheet of a workbook to read.
        #[arg(long)]
        sheet: Option<String>,
    },
}

pub(super) fn run(command: &Command) -> Result<(), CommandFailure> {
    match command {
        Command::Check { file, source } => check(file, *source),
        Command::Draft { source, postgresql, query, sheet } => {
            let from = match (source, postgresql, query) {
                (_, Some(connection), Some(query)) => {
                    SourceLocation::Postgres { connection: connection.clone(), query: query.clone() }
                }
                (path, _, _) => SourceLocation::Path(path.clone().unwrap_or_default()),
            };
            let spec = SourceSpec { from, sheet: sheet.clone(), ..SourceSpec::file(Path::new("")) };
            let shown = source.as_deref().map(|path| match path.is_absolute() {
                true => Path::new(path.file_name().unwrap_or_default()),
                false => path,
            });
            say(draft(&spec, shown).map_err(CommandFailure::could)?.trim_end());
            Ok(())
        }
    }
}

fn check(file: &Path, with_source: bool) -> Result<(), CommandFailure> {
    let policy = Policy::load(file).map_err(|error| match error {
        PolicyError::Faulty { .. } | PolicyError::TooLarge { .. } => CommandFailure::no(error),
        PolicyError::Unreadable { .. } => CommandFailure::could(error),
    })?;
    let terms = &policy.terms;
    let columns = |count: usize| format!("{count} {}", if count == 1 { "column" } else { "columns" });
    let tables = match terms.tables.len() {
        0 => format!("{}, at most {} rows a unit", columns(terms.own().len()), terms.max_rows_per_unit),
        count => format!("{count} {}", if count == 1 { "table" } else { "tables" }),
    };
    say(format!(
        "{}: dataset \"{}\", {tables}, cap epsilon {} at delta {} ({})",
        file.display(),
        policy.name,
        terms.cap,
        terms.delta(),
        terms.accountant.name()
    ));
    for table in &terms.tables {
        let (name, own, rows) = (&table.name, columns(table.columns.len()), table.max_rows_per_unit);
        say(format!("  table \"{name}\": {own}, at most {rows} {} a unit", if rows == 1 { "row" } else { "rows" }));
    }
    for table in terms.public.iter() {
        say(format!("  public table \"{}\": {}, {} rows", table.name, columns(table.columns.len()), table.rows));
    }
    if terms.oversubscribe {
        say(super::seal::OVERSUBSCRIBED);
    }
    if with_source {
        super::seal::rehearse(&policy)?;
    }
    Ok(())
}
