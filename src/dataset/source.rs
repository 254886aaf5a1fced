//! Source files: Parquet, CSV (also .gz) and Arrow IPC, read in batches through polars.
//!
//! Promises that a file is read piece by piece, declared columns only, in bounded memory, and that polars' own words stay here.

mod lines;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;

use polars::prelude::*;

/// Rows of one batch.
const BATCH_ROWS: usize = 65_536;

/// The kinds of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Apache Parquet.
    Parquet,
    /// Comma-separated text with a header, UTF-8, possibly gzipped. All values arrive as text.
    Csv,
    /// Arrow IPC file.
    Arrow,
}

impl Kind {
    fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
        if ends(&[".parquet", ".pq"]) {
            Some(Self::Parquet)
        } else if ends(&[".csv", ".csv.gz"]) {
            Some(Self::Csv)
        } else if ends(&[".arrow", ".ipc", ".feather"]) {
            Some(Self::Arrow)
        } else {
            None
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Parquet => "Parquet",
            Self::Csv => "CSV",
            Self::Arrow => "Arrow IPC",
        }
    }
}

/// Why a source cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The name does not tell the kind.
    #[error("{path}: the name tells no known format; accepted are .parquet, .csv, .csv.gz, .arrow, .ipc and .feather")]
    UnknownFormat {
        /// The file.
        path: String,
    },
    /// There is no such regular file, or it may not be read.
    #[error("{path}: cannot be read: {kind}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        kind: std::io::ErrorKind,
    },
    /// The bytes are not of the format.
    #[error("{path}: is not a readable {format} file (damaged, cut short, or of another format){place}")]
    Malformed {
        /// The file.
        path: String,
        /// The format's name.
        format: &'static str,
        /// How far reading came.
        place: String,
    },
    /// A line that would have to be held in memory whole.
    #[error("{path}: line {line} is longer than {} MiB; no row of a table is", lines::LINE_BYTES_MAX >> 20)]
    LongLine {
        /// The file.
        path: String,
        /// From 1, the header's line included.
        line: u64,
    },
    /// A wanted column is not there.
    #[error("{path}: has no column \"{column}\"; its columns are {present}")]
    MissingColumn {
        /// The file.
        path: String,
        /// What was wanted.
        column: String,
        /// What is there.
        present: String,
    },
}

/// A readable source file.
#[derive(Debug, Clone)]
pub struct Source {
    path: PathBuf,
    kind: Kind,
    columns: Vec<(String, DataType)>,
}

impl Source {
    /// Looks at a file's name and schema.
    ///
    /// # Errors
    /// [`SourceError`]; no value of the file is in it.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let shown = path.display().to_string();
        let kind = Kind::of(path).ok_or_else(|| SourceError::UnknownFormat { path: shown.clone() })?;
        let unreadable = |kind| SourceError::Unreadable { path: shown.clone(), kind };
        let meta = std::fs::metadata(path).map_err(|error| unreadable(error.kind()))?;
        if !meta.is_file() {
            return Err(unreadable(std::io::ErrorKind::InvalidInput));
        }
        std::fs::File::open(path).map_err(|error| unreadable(error.kind()))?;
        let mut source = Self { path: path.to_owned(), kind, columns: Vec::new() };
        if kind == Kind::Csv
            && let Some(line) = lines::first_long(path).map_err(|_| source.malformed(None))?
        {
            return Err(SourceError::LongLine { path: shown, line });
        }
        let schema = guarded(|| source.scan().and_then(|mut frame| frame.collect_schema()));
        let schema = schema.ok_or_else(|| source.malformed(None))?;
        source.columns = schema.iter().map(|(name, kind)| (name.to_string(), kind.clone())).collect();
        Ok(source)
    }

    /// The format.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Names and types of all columns.
    #[must_use]
    pub fn columns(&self) -> &[(String, DataType)] {
        &self.columns
    }

    /// The type of a wanted column.
    ///
    /// # Errors
    /// [`SourceError::MissingColumn`].
    pub fn column(&self, name: &str) -> Result<&DataType, SourceError> {
        let found = self.columns.iter().find(|(present, _)| present == name);
        found.map(|(_, kind)| kind).ok_or_else(|| {
            let present: Vec<_> = self.columns.iter().take(40).map(|(name, _)| format!("\"{name}\"")).collect();
            SourceError::MissingColumn {
                path: self.path.display().to_string(),
                column: name.to_owned(),
                present: present.join(", "),
            }
        })
    }

    /// Gives every batch of the wanted columns to `taker`, in the order of the file, until it returns an error.
    ///
    /// # Errors
    /// [`SourceError::Malformed`] where the file cannot be read on, or the taker's error.
    pub fn batches<E: From<SourceError>>(
        &self,
        wanted: &[&str],
        mut taker: impl FnMut(DataFrame) -> Result<(), E>,
    ) -> Result<(), E> {
        let (send, receive) = sync_channel(2);
        let columns: Vec<Expr> = wanted.iter().map(|name| col(*name)).collect();
        let this = self.clone();
        let reader = thread::spawn(move || {
            guarded(|| {
                let send = Arc::new(std::sync::Mutex::new(send));
                let give = PlanCallback::new(move |batch: DataFrame| {
                    let closed = send.lock().map_or(true, |send| send.send(batch).is_err());
                    Ok(closed)
                });
                this.scan()?
                    .select(columns)
                    .sink_batches(give, true, NonZeroUsize::new(BATCH_ROWS))?
                    .collect_with_engine(Engine::Streaming)
                    .map(|_| ())
            })
        });
        let mut rows = 0;
        let mut taken = Ok(());
        for batch in receive {
            rows += batch.height();
            taken = taker(batch);
            if taken.is_err() {
                break;
            }
        }
        let read = reader.join().ok().flatten();
        taken?;
        read.ok_or_else(|| E::from(self.malformed(Some(rows))))
    }

    fn scan(&self) -> PolarsResult<LazyFrame> {
        let path = PlRefPath::try_from_path(&self.path)?;
        match self.kind {
            Kind::Parquet => {
                let args = ScanArgsParquet { glob: false, low_memory: true, ..ScanArgsParquet::default() };
                LazyFrame::scan_parquet(path, args)
            }
            Kind::Csv => LazyCsvReader::new(path)
                .with_glob(false)
                .with_infer_schema_length(Some(0))
                .with_has_header(true)
                .with_low_memory(true)
                .finish(),
            Kind::Arrow => {
                let args = UnifiedScanArgs { glob: false, ..UnifiedScanArgs::default() };
                LazyFrame::scan_ipc(path, IpcScanOptions::default(), args)
            }
        }
    }

    fn malformed(&self, rows: Option<usize>) -> SourceError {
        SourceError::Malformed {
            path: self.path.display().to_string(),
            format: self.kind.name(),
            place: rows.map_or_else(String::new, |rows| format!(", after {rows} rows")),
        }
    }
}

/// Runs polars; its errors and panics become nothing, and their words go to the log only at the finest level.
fn guarded<T>(run: impl FnOnce() -> PolarsResult<T>) -> Option<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).ok()?.ok()
}
