//! The SQLite database in which translated statements run: in memory, one for each session, with a limit on everything.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::limits::Limit;
use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode, params_from_iter};

use super::cells::{bound, cell_of, size_of_row};
use super::error::{FreeError, INTERNAL, TOO_MUCH};
use super::from::identifier;
use super::functions::function::{Made, TEXT_BYTES_MAX};
use super::functions::register;
use super::kind::Kind;
use super::translate::{SQL_BYTES_MAX, Translated};
use crate::pgwire::catalogue::names::Names;
use crate::pgwire::catalogue::relation::{Relation, Source};
use crate::pgwire::catalogue::rows;
use crate::pgwire::published::own;
use crate::pgwire::table::{Column, Table};

/// The largest number of rows of a result.
pub(crate) const ROWS_MAX: usize = 1_000_000;
/// The largest size of a result in memory, in bytes.
pub(crate) const RESULT_BYTES_MAX: usize = 128 << 20;
/// The largest number of steps that a statement may take: some seconds of one processor.
pub(crate) const STEPS_MAX: u64 = 200_000_000;
/// The longest that a statement may run.
pub(crate) const TIME_MAX: Duration = Duration::from_secs(10);
/// Steps between two looks at these limits.
const STEPS_BETWEEN: u32 = 200;

/// A database with the tables that statements have read so far.
pub(super) struct Database {
    connection: Connection,
    names: Arc<Names>,
    filled: HashSet<(String, String)>,
    steps: Arc<AtomicU64>,
    made: Arc<Made>,
}

impl Database {
    /// An empty database.
    pub(super) fn open(names: &Arc<Names>) -> Result<Self, FreeError> {
        let mut connection = Connection::open_in_memory().map_err(|_| broken())?;
        let limits = [
            (Limit::SQLITE_LIMIT_LENGTH, TEXT_BYTES_MAX as i32),
            (Limit::SQLITE_LIMIT_SQL_LENGTH, SQL_BYTES_MAX as i32 * 4),
            (Limit::SQLITE_LIMIT_ATTACHED, 0),
        ];
        for (limit, value) in limits {
            connection.set_limit(limit, value).map_err(|_| broken())?;
        }
        let made = Arc::default();
        register(&connection, names, &made).map_err(|_| broken())?;
        let steps = Arc::new(AtomicU64::new(0));
        watch(&mut connection, &steps, Instant::now())?;
        Ok(Self { connection, names: Arc::clone(names), filled: HashSet::new(), steps, made })
    }

    /// Runs a statement with these parameters, and gives the size of its result beside it; `None` if that passes `bytes_max`.
    pub(super) fn run(
        &mut self,
        translated: &Translated,
        parameters: &[Value],
        bytes_max: usize,
    ) -> Result<Option<(Table, usize)>, FreeError> {
        for (schema, name) in &translated.tables {
            self.fill(schema, name)?;
        }
        self.steps.store(0, Ordering::Relaxed);
        watch(&mut self.connection, &self.steps, Instant::now())?;
        self.made.begin();
        let _ = self.names.fault();
        self.rows(translated, parameters, bytes_max)
    }

    fn rows(
        &self,
        translated: &Translated,
        parameters: &[Value],
        bytes_max: usize,
    ) -> Result<Option<(Table, usize)>, FreeError> {
        let failed = |error: rusqlite::Error| self.failed(&error);
        let mut statement = self.connection.prepare(&translated.sql).map_err(failed)?;
        let wanted = statement.parameter_count();
        let given = parameters.iter().cloned().chain(std::iter::repeat(Value::Null)).take(wanted);
        let mut rows = statement.query(params_from_iter(given)).map_err(failed)?;
        let columns =
            translated.columns.iter().map(|(name, kind)| Column { name: name.clone(), of: kind.sent() }).collect();
        let mut table = Table { columns, rows: Vec::new() };
        let mut bytes = 0_usize;
        while let Some(row) = rows.next().map_err(failed)? {
            let mut cells = Vec::with_capacity(translated.columns.len());
            for (place, (_, kind)) in translated.columns.iter().enumerate() {
                let cell = cell_of(row.get_ref(place).map_err(failed)?, *kind, &self.names);
                cells.push(cell);
            }
            bytes = bytes.saturating_add(size_of_row(cells.iter()));
            table.rows.push(cells);
            if table.rows.len() > ROWS_MAX {
                return Err(too_large());
            }
            if bytes > bytes_max {
                return Ok(None);
            }
        }
        Ok(Some((table, bytes)))
    }

    /// Makes a table with its rows, unless it is there. Views about a person's own are made anew each time.
    fn fill(&mut self, schema: &str, name: &str) -> Result<(), FreeError> {
        let names = Arc::clone(&self.names);
        let relation = names.seen.relation(schema, name).ok_or_else(broken)?;
        let key = (schema.to_owned(), name.to_owned());
        let changes = matches!(relation.source, Source::Own) || matches!(name, "pg_settings" | "pg_stat_activity");
        if self.filled.contains(&key) && !changes {
            return Ok(());
        }
        self.steps.store(0, Ordering::Relaxed);
        watch(&mut self.connection, &self.steps, Instant::now())?;
        self.insert(relation).map_err(|_| broken())?;
        self.filled.insert(key);
        Ok(())
    }

    fn insert(&mut self, relation: &Relation) -> rusqlite::Result<()> {
        let table = identifier(&format!("{}.{}", relation.schema, relation.name));
        let columns: Vec<String> = relation.columns.iter().map(|column| identifier(&column.name)).collect();
        let marks = vec!["?"; columns.len()].join(", ");
        let transaction = self.connection.transaction()?;
        transaction
            .execute_batch(&format!("DROP TABLE IF EXISTS {table}; CREATE TABLE {table} ({});", columns.join(", ")))?;
        {
            let mut insert = transaction.prepare(&format!("INSERT INTO {table} VALUES ({marks})"))?;
            let seen = &self.names.seen;
            match &relation.source {
                Source::System => {
                    for row in rows::rows(relation, &self.names) {
                        insert.execute(params_from_iter(row))?;
                    }
                }
                Source::Own => {
                    for row in own::rows(&relation.name, &seen.service, &seen.person) {
                        insert.execute(params_from_iter(row))?;
                    }
                }
                Source::Published(table) => {
                    let kinds: Vec<Kind> = table.columns.iter().map(|column| column.of.into()).collect();
                    for row in &table.rows {
                        let cells = row.iter().zip(&kinds);
                        let cells = cells.map(|(cell, kind)| bound(cell, *kind, &self.names).unwrap_or(Value::Null));
                        insert.execute(params_from_iter(cells))?;
                    }
                }
                Source::Private => {}
            }
        }
        transaction.commit()
    }

    /// An error in our words: that of a function, a limit, or our own fault.
    fn failed(&self, error: &rusqlite::Error) -> FreeError {
        if let Some(fault) = self.names.fault() {
            return fault;
        }
        let code = error.sqlite_error_code();
        match code {
            Some(ErrorCode::OperationInterrupted) => {
                let message =
                    format!("the statement takes more than {STEPS_MAX} steps or {} seconds", TIME_MAX.as_secs());
                FreeError::new(TOO_MUCH, message).hint("join on equal columns, and read fewer rows")
            }
            Some(ErrorCode::TooBig | ErrorCode::OutOfMemory | ErrorCode::DiskFull) => {
                FreeError::new(TOO_MUCH, "the statement needs more memory than it may have").hint("read fewer rows")
            }
            _ => {
                tracing::warn!(code = ?code, "a translated statement was refused by SQLite");
                FreeError::new(INTERNAL, "this statement could not be answered here")
                    .hint("write it in a simpler form; nothing was charged")
            }
        }
    }
}

/// The refusal of a result that is too large.
pub(crate) fn too_large() -> FreeError {
    let message = format!("the result has more than {ROWS_MAX} rows or {RESULT_BYTES_MAX} bytes");
    FreeError::new(TOO_MUCH, message).hint("aggregate, or add a LIMIT")
}

/// Interrupts what takes too many steps or too long.
fn watch(connection: &mut Connection, steps: &Arc<AtomicU64>, began: Instant) -> Result<(), FreeError> {
    let steps = Arc::clone(steps);
    let is_over = move || {
        let taken = steps.fetch_add(STEPS_BETWEEN.into(), Ordering::Relaxed);
        taken > STEPS_MAX || began.elapsed() > TIME_MAX
    };
    connection.progress_handler(STEPS_BETWEEN as i32, Some(is_over)).map_err(|_| broken())
}

fn broken() -> FreeError {
    FreeError::new(INTERNAL, "the catalogue cannot be read at the moment")
}
