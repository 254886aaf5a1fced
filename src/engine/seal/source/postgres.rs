//! The result of a query of a PostgreSQL database.
//!
//! Promises that the database is only read, in one transaction and one statement; that values
//! arrive as the texts that a CSV export would hold; that rows are streamed and never all held
//! in memory; and that messages contain no words of the server, because these may quote a row.

mod connection;
mod passwords;
mod tls;
#[cfg(test)]
#[path = "postgres_tests.rs"]
mod tests;
mod fault;

use super::batch::{BATCH_ROWS, Batch, Read, SourceColumn};
use super::fault::SourceError;
use super::place::{Marks, RowPlace, RowPlaces};
use connection::{Connection, TlsMode};
pub(super) use passwords::Environment;
use passwords::{Known, password};
use polars::prelude::{DataType, IntoSeries, Series, StringChunkedBuilder, UnknownKind};
use postgres::binary_copy::{BinaryCopyOutIter, BinaryCopyOutRow};
use postgres::config::SslMode;
use postgres::error::ErrorPosition;
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::{Kind, Type};
use postgres::{Client, Config, Error, IsolationLevel, Transaction};
use std::fmt::Write;
use std::thread;
use tokio_postgres_rustls::MakeRustlsConnect;

pub use self::fault::PostgresFault;

/// The name of the source in messages.
pub(super) const SHOWN: &str = "PostgreSQL query";

/// Settings that fix how values are written, independent of the server's and the role's own.
const SETTINGS: &str = "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'iso_8601'; \
    SET extra_float_digits = 1; SET standard_conforming_strings = on; SET statement_timeout = 0; SET lock_timeout = 0; \
    SET idle_in_transaction_session_timeout = 0";

/// A query that the database has accepted.
#[derive(Debug, Clone)]
pub(super) struct PostgresSource {
    connection: Connection,
    user: String,
    password: Known,
    query: String,
    columns: Vec<SourceColumn>,
}

impl PostgresSource {
    /// Connects, and asks which columns the query returns.
    pub(super) fn open(connection: &str, query: &str, environment: Environment<'_>) -> Result<Self, SourceError> {
        let fail = |fault: PostgresFault| SourceError::new(SHOWN, fault);
        let connection = Connection::parse(connection).map_err(fail)?;
        let text =
            |name| environment(name).and_then(|value| value.into_string().ok()).filter(|value| !value.is_empty());
        let user = connection.user.clone().or_else(|| text("PGUSER")).or_else(|| text("USER"));
        let user = user.ok_or_else(|| fail(PostgresFault::NoUser))?;
        let password = password(&connection, &user, environment);
        let query = query.trim_end();
        let query = query.strip_suffix(';').unwrap_or(query).to_owned();
        let mut query = Self { connection, user, password, query, columns: Vec::new() };
        // Connecting starts a runtime, which must not happen within another one; hence a separate thread.
        let described = thread::scope(|scope| scope.spawn(|| query.describe()).join());
        query.columns = described.unwrap_or_else(|_| Err(query.lost())).map_err(fail)?;
        Ok(query)
    }

    pub(super) fn columns(&self) -> &[SourceColumn] {
        &self.columns
    }

    /// Passes batches of the wanted columns, which must be distinct, to `give` until it returns false.
    pub(super) fn read(
        &self,
        wanted: &[usize],
        read: &mut Read,
        give: &mut (dyn FnMut(Batch) -> bool + Send),
    ) -> Result<(), SourceError> {
        let mut rows = 0;
        let done = self.copy(wanted, &mut rows, give);
        let failed_in = rows + 1;
        read.rows += rows;
        done.map_err(|fault| match fault {
            PostgresFault::Encoding => SourceError::at(SHOWN, RowPlace::row(failed_in), fault),
            fault => SourceError::new(SHOWN, fault),
        })
    }

    fn copy(
        &self,
        wanted: &[usize],
        rows: &mut u64,
        give: &mut (dyn FnMut(Batch) -> bool + Send),
    ) -> Result<(), PostgresFault> {
        let tls = tls::tls(&self.connection)?;
        let mut client = self.connect(tls.clone())?;
        let canceller = client.cancel_token();
        let mut transaction = self.begin(&mut client)?;
        let statement = format!("COPY ({}) TO STDOUT (FORMAT binary)", self.select(wanted));
        let copied = transaction.copy_out(&statement).map_err(|error| self.refused(&error, None))?;
        let mut copied = BinaryCopyOutIter::new(copied, &vec![Type::TEXT; wanted.len()]);
        let mut growing = Growing::new(wanted.len());
        loop {
            let row = copied.next().map_err(|error| self.refused(&error, None))?;
            let is_last = row.is_none();
            if row.is_some_and(|row| growing.push(&row).is_none()) {
                *rows += growing.rows as u64;
                let _ = canceller.cancel_query(tls);
                return Err(PostgresFault::Encoding);
            }
            if (growing.rows == BATCH_ROWS || is_last) && growing.rows > 0 {
                let (columns, height) = growing.finish();
                let places = RowPlaces::new(*rows + 1, height, Marks::Rows);
                *rows += height as u64;
                if !give(Batch { columns, places }) {
                    // Rows that nobody wants need not cross the network. If they cannot be stopped, they are skipped.
                    let _ = canceller.cancel_query(tls);
                    return Ok(());
                }
            }
            if is_last {
                return Ok(());
            }
        }
    }

    fn describe(&self) -> Result<Vec<SourceColumn>, PostgresFault> {
        let mut client = self.connect(tls::tls(&self.connection)?)?;
        let mut transaction = self.begin(&mut client)?;
        let prepared = transaction.prepare(&self.query).map_err(|error| self.refused(&error, Some(0)))?;
        if !prepared.params().is_empty() {
            return Err(PostgresFault::Parameters);
        }
        let columns: Vec<SourceColumn> =
            prepared.columns().iter().map(|column| of_type(column.name(), column.type_())).collect();
        if columns.is_empty() {
            return Err(PostgresFault::NoColumns);
        }
        let read: Vec<usize> = (0..columns.len()).filter(|place| !columns[*place].is_unread()).collect();
        let described = Self { columns, ..self.clone() };
        let selected = described.select(&read);
        transaction.prepare(&selected).map_err(|error| self.refused(&error, None))?;
        Ok(described.columns)
    }

    /// A SELECT of the query's wanted columns as texts. The columns are numbered, because they may have any names, even the same one twice.
    fn select(&self, wanted: &[usize]) -> String {
        let mut sql = "SELECT ".to_owned();
        for (at, place) in wanted.iter().enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            // Writing to a string does not fail.
            let _ = write!(sql, "{comma}c{place}::pg_catalog.text");
        }
        let names: Vec<String> = (0..self.columns.len()).map(|place| format!("c{place}")).collect();
        // The line break ends a comment at the query's end.
        let _ = write!(sql, " FROM ({}\n) AS source ({})", self.query, names.join(", "));
        sql
    }

    fn connect(&self, tls: MakeRustlsConnect) -> Result<Client, PostgresFault> {
        let connection = &self.connection;
        let mut config = Config::new();
        config
            .host(&connection.host)
            .port(connection.port)
            .user(&self.user)
            .application_name("tacit")
            .connect_timeout(connection.timeout)
            .ssl_mode(match connection.tls {
                TlsMode::Disable => SslMode::Disable,
                TlsMode::Prefer => SslMode::Prefer,
                TlsMode::Require => SslMode::Require,
            })
            // Notices of the server may quote rows.
            .notice_callback(|_| {});
        if let Some(database) = &connection.database {
            config.dbname(database);
        }
        if let Some(options) = &connection.options {
            config.options(options);
        }
        if let Known::Password(password) = &self.password {
            config.password(&password.0);
        }
        let mut client = config.connect(tls).map_err(|error| self.unconnected(&error))?;
        client.batch_execute(SETTINGS).map_err(|error| self.refused(&error, None))?;
        Ok(client)
    }

    fn begin<'a>(&self, client: &'a mut Client) -> Result<Transaction<'a>, PostgresFault> {
        let begun = client.build_transaction().read_only(true).isolation_level(IsolationLevel::RepeatableRead).start();
        begun.map_err(|error| self.refused(&error, None))
    }

    /// Explains why there is no connection.
    fn unconnected(&self, error: &Error) -> PostgresFault {
        let (at, user) = (self.at(), self.user.clone());
        if let Some(code) = error.code() {
            return PostgresFault::Rejected { at, user, database: self.database(), code: code.code().to_owned() };
        }
        let source = std::error::Error::source(error);
        if let Some(error) = source.and_then(|source| source.downcast_ref::<std::io::Error>()) {
            return if self.connection.tls == TlsMode::Disable || is_of_network(error.kind()) {
                PostgresFault::Unreachable { at, kind: error.kind() }
            } else {
                PostgresFault::Tls
            };
        }
        match (&self.password, error.to_string().as_str()) {
            // The library's own words for a missing password, for a failure of TLS, and for a timeout.
            (Known::Nothing, "invalid configuration") => PostgresFault::NoPassword { at, user, open_file: None },
            (Known::OpenFile(path), "invalid configuration") => {
                PostgresFault::NoPassword { at, user, open_file: Some(path.display().to_string()) }
            }
            (_, "error performing TLS handshake") => PostgresFault::Tls,
            _ => PostgresFault::Unreachable { at, kind: std::io::ErrorKind::TimedOut },
        }
    }

    /// Explains why a statement was refused. `offset` is the number of characters before the steward's query in it.
    fn refused(&self, error: &Error, offset: Option<u32>) -> PostgresFault {
        let Some(refused) = error.as_db_error() else { return self.lost() };
        let position = match (refused.position(), offset) {
            (Some(ErrorPosition::Original(position)), Some(offset)) => position.checked_sub(offset),
            _ => None,
        };
        PostgresFault::Refused {
            at: self.at(),
            database: self.database(),
            code: refused.code().code().to_owned(),
            position,
        }
    }

    fn lost(&self) -> PostgresFault {
        PostgresFault::Lost { at: self.at() }
    }

    fn at(&self) -> String {
        let (host, port) = (&self.connection.host, self.connection.port);
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }

    fn database(&self) -> String {
        self.connection.database.clone().unwrap_or_else(|| self.user.clone())
    }
}

/// The wanted columns of a batch while rows are added.
struct Growing {
    builders: Vec<StringChunkedBuilder>,
    rows: usize,
}

impl Growing {
    fn new(columns: usize) -> Self {
        let builder = |_| StringChunkedBuilder::new("column".into(), BATCH_ROWS);
        Self { builders: (0..columns).map(builder).collect(), rows: 0 }
    }

    /// Adds a row. An empty text is missing, as in a text file. Returns `None` if a text is not valid UTF-8.
    fn push(&mut self, row: &BinaryCopyOutRow) -> Option<()> {
        let texts: Vec<Option<&str>> =
            (0..self.builders.len()).map(|place| row.try_get(place)).collect::<Result<_, _>>().ok()?;
        for (builder, text) in self.builders.iter_mut().zip(texts) {
            builder.append_option(text.filter(|text| !text.is_empty()));
        }
        self.rows += 1;
        Some(())
    }

    fn finish(&mut self) -> (Vec<Series>, usize) {
        let grown = std::mem::replace(self, Self::new(self.builders.len()));
        (grown.builders.into_iter().map(|builder| builder.finish().into_series()).collect(), grown.rows)
    }
}

/// The column for a PostgreSQL type: text if its values have an unambiguous text form.
fn of_type(name: &str, of: &Type) -> SourceColumn {
    if is_text(of) {
        return SourceColumn { name: name.to_owned(), dtype: DataType::String, kind: of.name().to_owned() };
    }
    let kind = match of.kind() {
        Kind::Array(item) => format!("array of {}", item.name()),
        _ => of.name().to_owned(),
    };
    SourceColumn { name: name.to_owned(), dtype: DataType::Unknown(UnknownKind::Any), kind }
}

fn is_text(of: &Type) -> bool {
    const TEXTS: [Type; 24] = [
        Type::BOOL,
        Type::CHAR,
        Type::NAME,
        Type::INT8,
        Type::INT2,
        Type::INT4,
        Type::TEXT,
        Type::OID,
        Type::FLOAT4,
        Type::FLOAT8,
        Type::UNKNOWN,
        Type::BPCHAR,
        Type::VARCHAR,
        Type::DATE,
        Type::TIME,
        Type::TIMESTAMP,
        Type::TIMESTAMPTZ,
        Type::INTERVAL,
        Type::TIMETZ,
        Type::NUMERIC,
        Type::UUID,
        Type::INET,
        Type::CIDR,
        Type::MACADDR,
    ];
    match of.kind() {
        Kind::Enum(_) => true,
        Kind::Domain(base) => is_text(base),
        _ => TEXTS.contains(of) || of.name() == "citext",
    }
}

fn is_of_network(kind: std::io::ErrorKind) -> bool {
    use std::io::ErrorKind;
    matches!(
        kind,
        ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NotFound
            | ErrorKind::PermissionDenied
            | ErrorKind::TimedOut
            | ErrorKind::Other
    )
}
