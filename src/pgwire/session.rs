//! A session: who has come in, what they have set, and what running a statement comes to.
//!
//! Promises that every statement is run for somebody whose token is still good, that a failed transaction block takes nothing until it ends,
//! and that a portal is computed once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use sqlparser::ast::Statement as Ast;
use tokio::sync::{Notify, watch};

use super::asking::{self, Spent};
use super::commands::{Command, Discarded};
use super::fault::{DoorFault, state};
use super::free::{FreeError, FreeTables, RESULT_BYTES_MAX, too_large};
use super::params::{self, Parameter};
use super::portals::{Bound, Outcome, PORTALS_MAX, Portal, Prepared, Rows};
use super::settings::Settings;
use super::statements::{self, Kind, Statement};
use super::table::{Cell, Column, Table, Type};
use crate::kernel::budget::entry::Digest;
use crate::kernel::budget::people::{Person, TokenRefused};
use crate::query::error::{Position, shown};
use crate::query::terms::domain::{Domain, date_text};
use crate::service::Service;
use crate::service::access::Sight;
use crate::service::asking::ask::Ask;
use crate::service::asking::rooms::{LIST_BYTES, Reservation};
use crate::service::problem::Problem;
use crate::service::publishing::statistics::Statistic;

/// The state of the transaction block, which is none of the ledger's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    /// No transaction block was begun.
    None,
    /// A transaction block was begun, and no statement in it has failed.
    Open,
    /// A statement in it has failed.
    Failed,
}

/// What the server remembers of one connection between two statements.
pub(super) struct Session {
    pub(super) service: Arc<Service>,
    /// The service that is current, and each that becomes so.
    pub(super) services: watch::Receiver<Arc<Service>>,
    pub(super) person: Person,
    database: String,
    /// Digest of the token that the person came in with.
    pub(super) token: Digest,
    pub(super) settings: Settings,
    /// What was set before the transaction block.
    saved: Option<Settings>,
    pub(super) block: Block,
    pub(super) statements: HashMap<String, Prepared>,
    pub(super) portals: HashMap<String, Portal>,
    spent: Spent,
    free: Arc<FreeTables>,
    told: Arc<Notify>,
}

impl Session {
    /// A session of this person in this database.
    pub(super) fn new(
        mut services: watch::Receiver<Arc<Service>>,
        (person, token): (Person, Digest),
        (database, free): (&str, FreeTables),
        settings: Settings,
        told: Arc<Notify>,
    ) -> Self {
        let service = Arc::clone(&services.borrow_and_update());
        let free = Arc::new(free);
        let (statements, portals, spent) = (HashMap::new(), HashMap::new(), Spent::new());
        Self {
            service,
            services,
            person,
            database: database.to_owned(),
            token,
            settings,
            saved: None,
            block: Block::None,
            statements,
            portals,
            spent,
            free,
            told,
        }
    }

    /// Sees the service that has become current from now on, and keeps nothing of the one before.
    pub(super) fn renew(&mut self) {
        self.service = Arc::clone(&self.services.borrow_and_update());
        self.free = Arc::new(FreeTables::new(Arc::clone(&self.service), self.person.clone(), &self.database));
    }

    /// Whether a table without a schema is free: a statistic or a table of Tacit's own on the search path, and none of a dataset.
    pub(super) fn is_free_table(&self, name: &str) -> bool {
        const OWN: [&str; 4] = ["datasets", "columns", "budget", "history"];
        let is_asked = self.service.datasets_seen_by(&self.person).any(|dataset| {
            dataset.name == name
                || dataset.terms.tables.iter().any(|table| table.name == name)
                || dataset.terms.public.iter().any(|table| table.name == name)
        });
        // A name that says whether a statistic is there is for those who may see it.
        let is_seen = |statistic: &Statistic| {
            statistic.name == name && self.service.sight(statistic, Some(&self.person)) != Sight::Hidden
        };
        let path = self.settings.search_path();
        let has = |schema: &str| path.iter().any(|known| known == schema);
        !is_asked
            && ((has("published") && self.service.statistics().any(is_seen)) || (has("tacit") && OWN.contains(&name)))
    }

    /// Refuses a statement in a failed block, and of somebody whose token is no longer good.
    pub(super) fn check(&mut self, statement: &Statement) -> Result<(), DoorFault> {
        self.check_token()?;
        let is_end = matches!(&statement.kind, Kind::Command(command) if command.is_end());
        if self.block == Block::Failed && !is_end {
            return Err(DoorFault::new(
                state::FAILED_BLOCK,
                "current transaction is aborted, commands ignored until end of transaction block",
            ));
        }
        Ok(())
    }

    /// Refuses somebody whose token is no longer good. Whoever has another role by now goes on with that, and with nothing that was
    /// computed for the role before.
    pub(super) fn check_token(&mut self) -> Result<(), DoorFault> {
        match self.service.holder(&self.token) {
            Ok(person) if person == self.person => Ok(()),
            Ok(person) => {
                self.person = person;
                self.portals.clear();
                self.renew();
                Ok(())
            }
            Err(TokenRefused::Unknown) => Err(DoorFault::new(state::WRONG_TOKEN, "the token was revoked").fatal()),
            Err(TokenRefused::Expired { .. }) => {
                Err(DoorFault::new(state::WRONG_TOKEN, "the token has expired").fatal())
            }
        }
    }

    /// The types of a statement's parameters, and values to plan it with.
    pub(super) fn parameters(&self, statement: &Statement, declared: &[u32]) -> Result<Vec<Parameter>, DoorFault> {
        params::of_question(statement, declared, &|name| self.column(name))
    }

    /// The type of a column of a dataset that the person sees, and a value that it can have.
    fn column(&self, name: &str) -> Option<Parameter> {
        let found = self.service.datasets_seen_by(&self.person).find_map(|dataset| {
            let own = dataset.terms.columns.iter().find(|column| column.name == name);
            own.or_else(|| {
                let mut tables = dataset.terms.tables.iter();
                tables.find_map(|table| table.columns.iter().find(|column| column.name == name))
            })
            .map(|column| column.domain.clone())
        })?;
        let (of, sample) = match found {
            Domain::Category(labels) => {
                (Type::Text, format!("'{}'", labels.first().map_or("", String::as_str).replace('\'', "''")))
            }
            Domain::Text { .. } => (Type::Text, "'x'".to_owned()),
            Domain::Boolean => (Type::Bool, "TRUE".to_owned()),
            Domain::Number(grid) => (if grid.integer { Type::Int8 } else { Type::Numeric }, "1".to_owned()),
            Domain::Date { min, .. } => (Type::Date, format!("DATE '{}'", date_text(min))),
        };
        Some(Parameter { of, sample })
    }

    /// The types of a statement's parameters, and the columns of its result; `None` if it returns no rows.
    pub(super) async fn described(
        &self,
        statement: &Statement,
        declared: &[u32],
    ) -> Result<(Vec<Type>, Option<Vec<Column>>), DoorFault> {
        match &statement.kind {
            Kind::Question => {
                let parameters = self.parameters(statement, declared)?;
                let samples: Vec<String> = parameters.iter().map(|one| one.sample.clone()).collect();
                let sql = params::filled(statement, &samples)?;
                let columns = asking::described(&self.service, &self.person, sql).await;
                let columns = columns.map_err(|fault| fault.about(statement.table()))?;
                Ok((parameters.into_iter().map(|one| one.of).collect(), Some(columns)))
            }
            Kind::Free(ast) => {
                let (free, ast) = (Arc::clone(&self.free), Arc::clone(ast));
                let settings = self.settings.clone();
                let count = statement.parameters().max(declared.len());
                let known = |at: usize| declared.get(at).copied().and_then(super::oids::known);
                let types: Vec<Option<Type>> = (0..count).map(known).collect();
                let describe = move |_: &Service| {
                    free.set(&settings);
                    free.describe(&ast, &types)
                };
                let described = self.service.rendering(&self.person.name, describe).await??;
                Ok((described.params, Some(described.columns)))
            }
            Kind::Command(command) => Ok((Vec::new(), self.columns_of(command))),
            Kind::Copy(..) | Kind::Declare(..) => Ok((Vec::new(), None)),
        }
    }

    fn columns_of(&self, command: &Command) -> Option<Vec<Column>> {
        match command {
            Command::Show(name) => Some(vec![text_column(name)]),
            Command::ShowAll => Some(["name", "setting", "description"].map(text_column).to_vec()),
            Command::ExplainFree => Some(vec![text_column("QUERY PLAN")]),
            Command::Fetch { name, is_move: false, .. } => self.portals.get(name)?.columns.clone(),
            _ => None,
        }
    }

    /// Runs a statement. A cancel request or the longest time that was set ends the waiting, and never what is paid for.
    pub(super) async fn run(&mut self, statement: &Statement, bound: &Bound) -> Result<Outcome, DoorFault> {
        self.check(statement)?;
        let told = Arc::clone(&self.told);
        let ms_max = self.settings.statement_ms_max();
        let late = async {
            match ms_max {
                Some(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            outcome = self.run_to_its_end(statement, bound) => outcome,
            () = told.notified() => Err(cancelled("canceling statement due to user request")),
            () = late => Err(cancelled("canceling statement due to statement timeout")),
        }
    }

    async fn run_to_its_end(&mut self, statement: &Statement, bound: &Bound) -> Result<Outcome, DoorFault> {
        match &statement.kind {
            Kind::Command(Command::Fetch { name, rows, is_move }) => self.fetch(name, *rows, *is_move).await,
            Kind::Command(command) => self.command(command),
            Kind::Declare(name, is_held, inner) => self.declare(name, *is_held, inner).await,
            Kind::Copy(inner, style) => {
                let mut rows = self.rows(inner, &Bound::default()).await?;
                rows.tag = "COPY";
                Ok(Outcome::Copy(rows, style.clone()))
            }
            Kind::Question | Kind::Free(_) => self.rows(statement, bound).await.map(Outcome::Rows),
        }
    }

    /// The rows of a question, or of something free.
    pub(super) async fn rows(&mut self, statement: &Statement, bound: &Bound) -> Result<Rows, DoorFault> {
        match &statement.kind {
            Kind::Question => {
                let ask = self.ask(statement, bound)?;
                let limit = self.settings.spend_limit();
                let answered = asking::answered(&self.service, &self.person, ask, (&mut self.spent, limit)).await;
                let answered = answered.map_err(|fault| fault.about(statement.table()))?;
                let rows = Rows::all(answered.table, "SELECT");
                Ok(Rows { notice: answered.notice, room: answered.room, ..rows })
            }
            Kind::Free(ast) => {
                let (table, room) = match self.free_rows(ast, bound, LIST_BYTES).await? {
                    Some(made) => made,
                    // How large it is was not known, and nothing of it may be held while more memory is waited for.
                    None => self.free_rows(ast, bound, RESULT_BYTES_MAX).await?.ok_or_else(too_large)?,
                };
                Ok(Rows { room, ..Rows::all(table, "SELECT") })
            }
            Kind::Command(_) | Kind::Copy(..) | Kind::Declare(..) => {
                Err(DoorFault::new(state::UNSUPPORTED, "only the rows of a query can be taken like this"))
            }
        }
    }

    /// The rows of something free, with the memory that is reserved for them; `None` if they take more than `bytes_max`.
    async fn free_rows(
        &self,
        ast: &Arc<Ast>,
        bound: &Bound,
        bytes_max: usize,
    ) -> Result<Option<(Table, Reservation)>, DoorFault> {
        let (free, ast, who) = (Arc::clone(&self.free), Arc::clone(ast), &self.person.name);
        let (cells, settings) = (bound.cells.clone(), self.settings.clone());
        let mut room = self.service.room(who, bytes_max).await?;
        // It is reserved until the work ends, also when nobody waits for it any longer.
        let held = room.clone();
        let run = move |_: &Service| {
            let _held = held;
            free.run_within(&ast, &cells, &settings, bytes_max)
        };
        let made = self.service.rendering_in(&room, who, run).await??;
        Ok(made.map(|(table, bytes)| {
            room.resize(bytes);
            (table, room)
        }))
    }

    fn ask(&self, statement: &Statement, bound: &Bound) -> Result<Ask, DoorFault> {
        if bound.cells.len() < statement.parameters() {
            return Err(statements::no_parameter(bound.cells.len() + 1));
        }
        let literals = bound.cells.iter().zip(&bound.params).map(|(cell, of)| params::literal_of(cell, *of));
        let sql = params::filled(statement, &literals.collect::<Result<Vec<_>, _>>()?)?;
        let fault = |fault| DoorFault::from(Problem::from(fault));
        let accuracy = match statement.accuracy().map_err(fault)? {
            Some(accuracy) => Some(accuracy),
            None => self.settings.accuracy().map_err(fault)?,
        };
        Ok(Ask { sql, accuracy, rows_per_unit: None, group_size: None, purpose: self.settings.purpose() })
    }

    fn command(&mut self, command: &Command) -> Result<Outcome, DoorFault> {
        let tag = match command {
            Command::Set { name, value, is_local } => {
                self.settings.set(name, value.as_deref(), *is_local && self.block != Block::None)?;
                if value.is_some() { "SET" } else { "RESET" }
            }
            Command::ResetAll => {
                self.settings.reset_all();
                "RESET"
            }
            Command::Show(name) => return self.show(name),
            Command::ShowAll => return Ok(Outcome::Rows(Rows::all(self.all_settings(), "SHOW"))),
            Command::Begin(tag) => {
                if self.block == Block::None {
                    (self.block, self.saved) = (Block::Open, Some(self.settings.clone()));
                }
                tag
            }
            Command::Commit => self.end_block(self.block != Block::Failed),
            Command::Rollback => self.end_block(false),
            Command::Savepoint(tag) if self.block == Block::Open => tag,
            Command::RollbackTo if self.block != Block::None => {
                self.block = Block::Open;
                "ROLLBACK"
            }
            Command::Savepoint(_) | Command::RollbackTo => {
                return Err(DoorFault::new(state::NO_BLOCK, "savepoints are used in transaction blocks"));
            }
            Command::Discard(Discarded::All) => {
                self.settings.reset_all();
                self.statements.clear();
                self.portals.clear();
                "DISCARD ALL"
            }
            Command::Discard(Discarded::Other(tag)) | Command::Nothing(tag) => tag,
            Command::Deallocate(None) => {
                self.statements.clear();
                "DEALLOCATE ALL"
            }
            Command::Deallocate(Some(name)) => {
                let dropped = self.statements.remove(name);
                dropped.ok_or_else(|| no_statement(name))?;
                "DEALLOCATE"
            }
            Command::Close(None) => {
                self.portals.retain(|_, portal| portal.cursor.is_none());
                "CLOSE CURSOR ALL"
            }
            Command::Close(Some(name)) => {
                self.portals.remove(name).ok_or_else(|| no_cursor(name))?;
                "CLOSE CURSOR"
            }
            Command::ExplainFree => return Ok(Outcome::Rows(Rows::all(explained_free(), "EXPLAIN"))),
            Command::Fetch { .. } => return Err(DoorFault::new(state::FAILED, "a FETCH is no command of settings")),
        };
        Ok(Outcome::Done(tag.to_owned()))
    }

    /// Ends the transaction block; what was set in it stays set if `is_kept`.
    fn end_block(&mut self, is_kept: bool) -> &'static str {
        match (is_kept, self.saved.take()) {
            (false, Some(saved)) => self.settings = saved,
            (true, _) | (false, None) => self.settings.end(),
        }
        self.block = Block::None;
        // Cursors that are held outlive it.
        self.portals.retain(|_, portal| portal.cursor == Some(true) || portal.cursor.is_none());
        if is_kept { "COMMIT" } else { "ROLLBACK" }
    }

    fn show(&self, name: &str) -> Result<Outcome, DoorFault> {
        let is_own = name.to_lowercase().starts_with("tacit.");
        let value = self.settings.get(name).or(is_own.then_some("")).ok_or_else(|| {
            DoorFault::new(state::NO_OBJECT, format!("unrecognized configuration parameter \"{}\"", shown(name)))
        })?;
        let table = Table { columns: vec![text_column(name)], rows: vec![vec![Cell::Text(value.to_owned())]] };
        Ok(Outcome::Rows(Rows::all(table, "SHOW")))
    }

    fn all_settings(&self) -> Table {
        let row = |(name, value): (&String, &String)| {
            vec![Cell::Text(name.clone()), Cell::Text(value.clone()), Cell::Text(String::new())]
        };
        Table {
            columns: ["name", "setting", "description"].map(text_column).to_vec(),
            rows: self.settings.all().iter().map(row).collect(),
        }
    }

    async fn declare(&mut self, name: &str, is_held: bool, inner: &Arc<Statement>) -> Result<Outcome, DoorFault> {
        if self.portals.contains_key(name) {
            return Err(DoorFault::new(state::CURSOR_HELD, format!("cursor \"{}\" already exists", shown(name))));
        }
        self.check_portals()?;
        let (_, columns) = self.described(inner, &[]).await?;
        let (statement, bound, results) = (Some(Arc::clone(inner)), Bound::default(), Vec::new());
        let portal = Portal { statement, bound, results, outcome: None, columns, cursor: Some(is_held) };
        self.portals.insert(name.to_owned(), portal);
        Ok(Outcome::Done("DECLARE CURSOR".to_owned()))
    }

    /// Refuses another portal if the session has too many.
    pub(super) fn check_portals(&self) -> Result<(), DoorFault> {
        if self.portals.len() < PORTALS_MAX {
            return Ok(());
        }
        Err(DoorFault::new(state::TOO_MUCH, format!("a session has at most {PORTALS_MAX} portals and cursors")))
    }

    async fn fetch(&mut self, name: &str, count: Option<usize>, is_move: bool) -> Result<Outcome, DoorFault> {
        let portal = self.portals.get(name).ok_or_else(|| no_cursor(name))?;
        if portal.outcome.is_none() {
            let (statement, bound) = (portal.statement.clone(), portal.bound.clone());
            let rows = match statement {
                Some(statement) => self.rows(&statement, &bound).await?,
                None => Rows::all(Table::default(), "SELECT"),
            };
            if let Some(portal) = self.portals.get_mut(name) {
                portal.outcome = Some(Outcome::Rows(rows));
            }
        }
        let Some(Portal { outcome: Some(Outcome::Rows(rows)), .. }) = self.portals.get_mut(name) else {
            return Err(no_cursor(name));
        };
        let (table, range) = match count {
            Some(0) => (Arc::clone(&rows.table), rows.sent..rows.sent),
            count => {
                let (table, range, _) = rows.next(count.unwrap_or(0));
                (table, range)
            }
        };
        if is_move {
            return Ok(Outcome::Done(format!("MOVE {}", range.len())));
        }
        let (notice, room) = (rows.notice.take(), rows.room.clone());
        Ok(Outcome::Rows(Rows { table, sent: range.start, end: range.end, tag: "FETCH", notice, room }))
    }
}

fn text_column(name: &str) -> Column {
    Column { name: name.to_owned(), of: Type::Text }
}

fn explained_free() -> Table {
    let text = "costs nothing: it reads public terms and released values alone";
    Table { columns: vec![text_column("QUERY PLAN")], rows: vec![vec![Cell::Text(text.to_owned())]] }
}

fn cancelled(message: &str) -> DoorFault {
    DoorFault::new(state::CANCELLED, message)
        .hint("if the question had been charged, its answer is stored, and asking it again is free")
}

/// The fault that there is no prepared statement of this name.
pub(super) fn no_statement(name: &str) -> DoorFault {
    DoorFault::new(state::NO_STATEMENT, format!("prepared statement \"{}\" does not exist", shown(name)))
}

/// The fault that there is no portal or cursor of this name.
pub(super) fn no_cursor(name: &str) -> DoorFault {
    DoorFault::new(state::NO_CURSOR, format!("cursor \"{}\" does not exist", shown(name)))
}

impl From<FreeError> for DoorFault {
    fn from(error: FreeError) -> Self {
        let FreeError { sqlstate, message, position, hint } = error;
        let at = position.map(|(line, column)| Position { line, column });
        Self { hint, at, ..Self::new(sqlstate, message) }
    }
}
