//! Parquet and Arrow IPC files, read in batches by polars.
//!
//! Promises that a file is read piece by piece, wanted columns only, and that polars' own words stay here.

use std::fs::File;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use polars::prelude::*;

use super::fault::{Fault, SourceError};
use super::format::Format;
use super::place::{Marks, Places};
use super::{BATCH_ROWS, Batch, Column, Read};

/// A file with a schema.
#[derive(Debug)]
pub(super) struct Table {
    path: PathBuf,
    format: Format,
    columns: Vec<Column>,
    /// The number of the last row of each row group, from 1; none in Arrow files.
    group_ends: Arc<[u64]>,
}

impl Table {
    pub(super) fn open(path: &Path, format: Format) -> Result<Self, SourceError> {
        let mut table = Self { path: path.to_owned(), format, columns: Vec::new(), group_ends: Arc::new([]) };
        let schema = guarded(|| table.scan().and_then(|mut frame| frame.collect_schema()));
        let schema = schema.ok_or_else(|| table.malformed(None))?;
        table.columns = schema.iter().map(|(name, dtype)| Column::new(name.as_str(), dtype.clone())).collect();
        if format == Format::Parquet {
            table.group_ends = guarded(|| group_ends(path)).ok_or_else(|| table.malformed(None))?;
        }
        Ok(table)
    }

    pub(super) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Gives batches of the wanted columns to `give` until it says no.
    pub(super) fn read(
        &self,
        wanted: &[usize],
        read: &mut Read,
        give: &mut (dyn FnMut(Batch) -> bool + Send),
    ) -> Result<(), SourceError> {
        let exprs: Vec<Expr> =
            wanted.iter().map(|place| Expr::Column(self.columns[*place].name.as_str().into())).collect();
        let marks = || match self.format {
            Format::Parquet => Marks::RowGroups(self.group_ends.clone()),
            Format::Text { .. } | Format::Arrow | Format::Sheet => Marks::Rows,
        };
        let (send, receive) = std::sync::mpsc::sync_channel(2);
        let mut rows = 0;
        let finished = std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let send = Arc::new(Mutex::new(send));
                guarded(|| {
                    let callback = PlanCallback::new(move |batch: DataFrame| {
                        Ok(send.lock().map_or(true, |send| send.send(batch).is_err()))
                    });
                    let frame = self.scan()?.select(exprs);
                    let sink = frame.sink_batches(callback, true, NonZeroUsize::new(BATCH_ROWS))?;
                    sink.collect_with_engine(Engine::Streaming).map(|_| ())
                })
            });
            let mut goes_on = true;
            for batch in receive {
                let columns = batch.columns().iter().map(|column| column.as_materialized_series().clone()).collect();
                let places = Places::new(rows + 1, batch.height(), marks());
                rows += batch.height() as u64;
                goes_on = give(Batch { columns, places });
                if !goes_on {
                    break;
                }
            }
            !goes_on || reader.join().ok().flatten().is_some()
        });
        read.rows += rows;
        if finished { Ok(()) } else { Err(self.malformed(Some(rows))) }
    }

    fn scan(&self) -> PolarsResult<LazyFrame> {
        let path = PlRefPath::try_from_path(&self.path)?;
        match self.format {
            Format::Parquet => {
                let args = ScanArgsParquet { glob: false, low_memory: true, ..ScanArgsParquet::default() };
                LazyFrame::scan_parquet(path, args)
            }
            Format::Text { .. } | Format::Arrow | Format::Sheet => {
                let args = UnifiedScanArgs { glob: false, ..UnifiedScanArgs::default() };
                LazyFrame::scan_ipc(path, IpcScanOptions::default(), args)
            }
        }
    }

    fn malformed(&self, rows: Option<u64>) -> SourceError {
        let fault = Fault::Malformed { format: self.format.name(), rows };
        SourceError::new(self.path.display().to_string(), fault)
    }
}

/// The number of the last row of each row group.
fn group_ends(path: &Path) -> PolarsResult<Arc<[u64]>> {
    let mut reader = ParquetReader::new(File::open(path)?);
    let groups = reader.get_metadata()?.row_groups.iter().map(|group| group.num_rows() as u64);
    Ok(groups
        .scan(0, |end, rows| {
            *end += rows;
            Some(*end)
        })
        .collect())
}

/// Runs polars; its errors and panics become nothing, and their words go to the log only at the finest level.
pub(super) fn guarded<T>(run: impl FnOnce() -> PolarsResult<T>) -> Option<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).ok()?.ok()
}
