//! The free tables: the catalogue, published statistics, and what `tacit` shows a person about their datasets and their budget.
//!
//! Any SELECT over them costs nothing. They hold policies, names, balances and released values, so that nothing here can depend on a row. A
//! statement is translated into SQLite's SQL and runs in a database in memory, which has every table that it names and none of a dataset's
//! rows. Time, steps, memory and size of a result are bounded.

mod calls;
pub(crate) mod casts;
mod cells;
mod database;
mod direct;
pub(crate) mod error;
mod expressions;
mod from;
mod functions;
pub(crate) mod kind;
mod literals;
mod moments;
mod operators;
mod patterns;
mod reach;
mod scope;
mod select;
mod titles;
mod translate;
mod types;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sqlparser::ast::Statement;

use self::database::Database;
pub(super) use self::database::{RESULT_BYTES_MAX, too_large};
pub use self::error::FreeError;
use self::kind::Kind;
pub use self::reach::Reach;
use self::translate::Translator;
use super::catalogue::fixed::Fixed;
use super::catalogue::names::{self, Names};
use super::catalogue::seen::{MadeTables, Seen};
use super::table::{Cell, Column, Table, Type};
use crate::kernel::budget::ledger::read;
use crate::kernel::budget::people::Person;
use crate::service::Service;

/// Settings of ours that `current_setting` shows, beside those of PostgreSQL's.
const SETTINGS: [&str; 5] =
    ["tacit.epsilon", "tacit.margin", "tacit.purpose", "tacit.spend_limit", "tacit.backend_pid"];

/// What a session has set: `search_path`, `application_name`, `tacit.epsilon`.
pub trait Settings {
    /// The value of a setting by its name in lower case; `None` if the session has not set it.
    fn get(&self, name: &str) -> Option<&str>;
}

impl Settings for HashMap<String, String> {
    fn get(&self, name: &str) -> Option<&str> {
        HashMap::get(self, name).map(String::as_str)
    }
}

/// The types of a statement, which are known before it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// The types of its parameters, in the order of their numbers.
    pub params: Vec<Type>,
    /// The columns of its result.
    pub columns: Vec<Column>,
}

/// The free tables as one session sees them.
pub struct FreeTables {
    service: Arc<Service>,
    person: Person,
    database: String,
    made: MadeTables,
    state: Mutex<State>,
}

/// What is kept between two statements. It is made anew when the ledger has changed.
#[derive(Default)]
struct State {
    fixed: Option<Arc<Fixed>>,
    settings: HashMap<String, String>,
    head: Option<(u64, [u8; 32])>,
    names: Option<Arc<Names>>,
    open: Option<Database>,
}

impl FreeTables {
    /// The free tables for a person who is connected to a database: a dataset's name, or `tacit` for everything that the person may see.
    /// Costs nothing until the first statement.
    #[must_use]
    pub fn new(service: Arc<Service>, person: Person, database: &str) -> Self {
        Self { service, person, database: database.to_owned(), made: MadeTables::default(), state: Mutex::default() }
    }

    /// Takes what the session has set, which [`FreeTables::reach`] and [`FreeTables::describe`] then go by.
    pub fn set(&self, settings: &dyn Settings) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.take(&mut state, settings);
    }

    /// The `search_path` of a session that has set none: its datasets' schemas, then `published`, and `tacit` where everything is seen.
    #[must_use]
    pub fn search_path(&self) -> String {
        let path = self.names().seen.default_path();
        path.iter().map(|schema| names::quoted(schema)).collect::<Vec<_>>().join(", ")
    }

    /// Whether a statement reads free tables, a dataset's, or both. It touches nothing but names.
    #[must_use]
    pub fn reach(&self, sql: &Statement) -> Reach {
        reach::reach(&self.names(), sql)
    }

    /// The types of a statement's parameters and columns. `params` are those that the client has declared. Reads no table.
    ///
    /// # Errors
    /// [`FreeError`] if the statement cannot run over free tables.
    pub fn describe(&self, sql: &Statement, params: &[Option<Type>]) -> Result<Described, FreeError> {
        let declared: Vec<Option<Kind>> = params.iter().map(|of| of.map(Kind::from)).collect();
        let translated = Translator::new(&self.names(), &declared).statement(sql)?;
        let declared = params.iter().copied().chain(std::iter::repeat(None));
        let params = translated.parameters.iter().zip(declared).map(|(kind, of)| of.unwrap_or(kind.sent())).collect();
        let columns = translated.columns.into_iter().map(|(name, kind)| Column { name, of: kind.sent() }).collect();
        Ok(Described { params, columns })
    }

    /// Runs a statement. Blocks: some milliseconds for what clients ask a catalogue, seconds at most.
    ///
    /// # Errors
    /// [`FreeError`] if the statement cannot run over free tables, or passes a limit.
    pub fn run(&self, sql: &Statement, params: &[Cell], settings: &dyn Settings) -> Result<Table, FreeError> {
        let made = self.run_within(sql, params, settings, RESULT_BYTES_MAX)?;
        made.map(|(table, _)| table).ok_or_else(too_large)
    }

    /// Runs a statement whose result may take so much memory, and says how much it takes, both in bytes; `None` if it takes more.
    ///
    /// # Errors
    /// As [`FreeTables::run`].
    pub fn run_within(
        &self,
        sql: &Statement,
        params: &[Cell],
        settings: &dyn Settings,
        bytes_max: usize,
    ) -> Result<Option<(Table, usize)>, FreeError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.take(&mut state, settings);
        let names = self.current(&mut state);
        let translated = Translator::new(&names, &[]).statement(sql)?;
        if let Some(made) = direct::table(&names, sql, &translated, bytes_max) {
            return Ok(made);
        }
        let kinds = translated.parameters.iter().zip(params);
        let bound = kinds.map(|(kind, cell)| cells::bound(cell, *kind, &names)).collect::<Result<Vec<_>, _>>()?;
        let mut open = match state.open.take() {
            Some(open) => open,
            None => Database::open(&names)?,
        };
        let table = open.run(&translated, &bound, bytes_max);
        state.open = Some(open);
        table
    }

    fn take(&self, state: &mut State, settings: &dyn Settings) {
        let names = self.current(state);
        let known = names.seen.fixed.settings().chain(SETTINGS);
        let set = known.filter_map(|name| {
            let name = name.to_lowercase();
            settings.get(&name).map(|value| (name, value.to_owned()))
        });
        state.settings = set.collect();
        names.set(state.settings.clone());
    }

    fn names(&self) -> Arc<Names> {
        self.current(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the person sees now. What was seen before stays if nothing has been written since.
    fn current(&self, state: &mut State) -> Arc<Names> {
        let head = read(self.service.ledger(), |book| book.head());
        if let (Some(names), true) = (&state.names, state.head == Some(head)) {
            return Arc::clone(names);
        }
        let fixed = Arc::clone(state.fixed.get_or_insert_with(|| Arc::new(Fixed::read())));
        let names = Arc::new(Names::new(Seen::now(&self.service, &self.person, &self.database, &fixed, &self.made)));
        names.set(state.settings.clone());
        (state.head, state.names, state.open) = (Some(head), Some(Arc::clone(&names)), None);
        names
    }
}
