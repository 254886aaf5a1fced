//! A source as it is opened and read: its parts one after the other.

use super::batch::{BATCHES_WAITING_MAX, Batch, Read, SourceColumn};
use crate::engine::seal::source::digest::SourceDigest;
use crate::engine::seal::source::fault::{KnownColumns, SourceError, SourceFault};
use crate::engine::seal::source::names::WantedColumn;
use crate::engine::seal::source::part::Part;
use crate::query::terms::source::{SourceLocation, SourceSpec};
use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread;

/// A source that was opened and whose columns are known.
#[derive(Debug, Clone)]
pub struct Source {
    pub(super) shown: String,
    /// The columns of the files, followed by the keys in the names of their folders.
    pub(super) columns: Vec<SourceColumn>,
    pub(super) keys: usize,
    pub(super) parts: Arc<[Part]>,
    /// Whether a wanted column was found, which proves that the first line is a header.
    pub(super) is_proven: Arc<AtomicBool>,
}

impl Source {
    /// Opens a source, and finds out its format and columns.
    ///
    /// # Errors
    /// [`SourceError`] if the source cannot be opened; it contains no value of the source.
    pub fn open(spec: &SourceSpec) -> Result<Self, SourceError> {
        Self::open_with(spec, &|name| std::env::var_os(name))
    }

    /// Opens a source like [`Source::open`], but with the given environment variables, which may hold a database's password.
    ///
    /// # Errors
    /// Those of [`Source::open`].
    pub fn open_with(spec: &SourceSpec, environment: &dyn Fn(&str) -> Option<OsString>) -> Result<Self, SourceError> {
        let parts = match &spec.from {
            SourceLocation::Postgres { connection, query } => vec![Part::query(connection, query, environment)?],
            SourceLocation::Path(_) | SourceLocation::Files(_) => {
                let (found, several) = crate::engine::seal::source::files::files(&spec.from)?;
                found.into_iter().map(|found| Part::open(found, spec, several)).collect::<Result<_, _>>()?
            }
        };
        let (columns, keys, parts) = crate::engine::seal::source::part::aligned(parts)?;
        let (shown, is_proven) = (shown(&spec.from), Arc::default());
        Ok(Self { shown, columns, keys, parts: parts.into(), is_proven })
    }

    /// The names and types of all columns.
    #[must_use]
    pub fn columns(&self) -> &[SourceColumn] {
        &self.columns
    }

    /// Whether the source is text with a separator: every value is a text, and places are lines.
    #[must_use]
    pub fn is_text(&self) -> bool {
        self.parts.iter().all(Part::is_text)
    }

    /// The source's name in messages: its path, or `PostgreSQL query`.
    #[must_use]
    pub fn shown(&self) -> String {
        self.shown.clone()
    }

    /// Finds the column that a policy means, and returns its index.
    ///
    /// If `source` is given, this is the column with exactly this name, or else with this name surrounded by blanks. Otherwise it is the
    /// column named like the identifier itself; or else the only one whose name differs just in case and surrounding blanks; or else the
    /// only one whose [`normalised`](super::names::normalised) name is the identifier.
    ///
    /// # Errors
    /// [`SourceFault::MissingColumn`], [`SourceFault::SameName`], [`SourceFault::Ambiguous`] or [`SourceFault::UnreadType`].
    pub fn find(&self, wanted: &WantedColumn<'_>) -> Result<usize, SourceError> {
        let found = self.lookup(wanted)?;
        let place = found.ok_or_else(|| self.fault(self.missing(wanted)))?;
        self.is_proven.store(true, Ordering::Relaxed);
        let column = &self.columns[place];
        if column.is_unread() {
            let named = format!("column \"{}\"", wanted.word());
            return Err(self.fault(SourceFault::UnreadType { column: named, found: column.kind.clone() }));
        }
        Ok(place)
    }

    /// Finds all of these columns like [`Source::find`]. An error about one of them may show the header's names if another one was found.
    ///
    /// # Errors
    /// Those of [`Source::find`], and [`SourceFault::SameNames`] if two other columns have the same name.
    pub fn find_all(&self, wanted: &[WantedColumn<'_>]) -> Result<Vec<usize>, SourceError> {
        if wanted.iter().any(|wanted| matches!(self.lookup(wanted), Ok(Some(_)))) {
            self.is_proven.store(true, Ordering::Relaxed);
        }
        let places = wanted.iter().map(|wanted| self.find(wanted)).collect::<Result<_, _>>()?;
        self.refuse_twins()?;
        Ok(places)
    }

    /// Passes every batch of the wanted columns to `taker`, in the order of the source, until it returns an error. A wanted column is given
    /// by its index in [`Source::columns`] and by whether its values may contain line breaks within quotes.
    ///
    /// # Errors
    /// [`SourceError`] if the source cannot be read to its end, or the error of `taker`.
    pub fn batches<E: std::convert::From<SourceError>>(
        &self,
        wanted: &[(usize, bool)],
        mut taker: impl FnMut(Batch) -> Result<(), E>,
    ) -> Result<Read, E> {
        self.refuse_twins()?;
        self.refuse_unread(wanted)?;
        let (send, receive) = sync_channel(BATCHES_WAITING_MAX);
        thread::scope(|scope| {
            let reader = scope.spawn(move || self.read(wanted, &mut |batch| send.send(batch).is_ok()));
            let taken = receive.iter().try_for_each(&mut taker);
            // A reader that still has batches to give stops because nobody receives them.
            drop(receive);
            let read = reader.join();
            taken?;
            read.unwrap_or_else(|_| Err(self.fault(SourceFault::Malformed { format: "source", rows: None })))
                .map_err(E::from)
        })
    }

    pub(super) fn read(
        &self,
        wanted: &[(usize, bool)],
        give: &mut (dyn FnMut(Batch) -> bool + Send),
    ) -> Result<Read, SourceError> {
        let (mut read, mut tally, mut goes_on) = (Read::default(), SourceDigest::default(), true);
        for part in self.parts.iter() {
            let give = &mut |batch: Batch| {
                goes_on = give(batch);
                goes_on
            };
            part.read(wanted, &mut tally, &mut read, give)?;
            if !goes_on {
                break;
            }
        }
        let digest = self.parts.iter().all(Part::is_file).then(|| tally.digest());
        Ok(Read { bytes: tally.bytes(), digest, ..read })
    }

    pub(super) fn lookup(&self, wanted: &WantedColumn<'_>) -> Result<Option<usize>, SourceError> {
        let (columns, keys) = self.columns.split_at(self.columns.len() - self.keys);
        let find = |columns: &[SourceColumn]| {
            let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
            crate::engine::seal::source::names::find(&names, wanted).map_err(|fault| self.fault(fault))
        };
        match (find(columns)?, find(keys)?) {
            (Some(_), Some(_)) => Err(self.fault(SourceFault::KeyAndColumn { wanted: wanted.word().to_owned() })),
            (Some(place), None) => Ok(Some(place)),
            (None, key) => Ok(key.map(|place| columns.len() + place)),
        }
    }

    pub(super) fn missing(&self, wanted: &WantedColumn<'_>) -> SourceFault {
        let wanted = wanted.word().to_owned();
        let is_header = !self.parts.iter().any(Part::is_headed) || self.is_proven.load(Ordering::Relaxed);
        let seen = if is_header {
            KnownColumns::Names(self.columns.iter().map(|column| column.name.clone()).collect())
        } else {
            KnownColumns::Count(self.columns.len() - self.keys, self.parts.first().and_then(Part::other_separator))
        };
        SourceFault::MissingColumn { wanted, seen }
    }

    pub(super) fn refuse_unread(&self, wanted: &[(usize, bool)]) -> Result<(), SourceError> {
        match wanted.iter().find(|(place, _)| self.columns[*place].is_unread()) {
            None => Ok(()),
            Some((place, _)) => {
                let (column, found) = (format!("column {}", place + 1), self.columns[*place].kind.clone());
                Err(self.fault(SourceFault::UnreadType { column, found }))
            }
        }
    }

    pub(super) fn refuse_twins(&self) -> Result<(), SourceError> {
        let columns = &self.columns[..self.columns.len() - self.keys];
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        match crate::engine::seal::source::names::first_twins(&names) {
            None => Ok(()),
            Some((first, second)) => Err(self.fault(SourceFault::SameNames { first, second })),
        }
    }

    pub(super) fn fault(&self, fault: SourceFault) -> SourceError {
        SourceError::new(self.shown(), fault)
    }
}

pub(super) fn shown(from: &SourceLocation) -> String {
    match from {
        SourceLocation::Path(path) => path.display().to_string(),
        SourceLocation::Files(paths) => match paths.as_slice() {
            [] => "source".to_owned(),
            [only] => only.display().to_string(),
            [first, second] => format!("{} and {}", first.display(), second.display()),
            [first, ..] => format!("{} and {} others", first.display(), paths.len() - 1),
        },
        SourceLocation::Postgres { .. } => crate::engine::seal::source::postgres::SHOWN.to_owned(),
    }
}
