//! Parquet files, read in batches by polars.
//!
//! Promises that a file is read piece by piece, wanted columns only, and that polars' own words do not leave this file.

use std::fs::File;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::thread;

use polars::prelude::*;

use super::batch::{BATCH_ROWS, BATCHES_WAITING_MAX, Batch, Read, SourceColumn};
use super::fault::{SourceError, SourceFault};
use super::names::first_twins;
use super::place::{Marks, RowPlaces};
use super::schema::{self, guarded};

/// A Parquet file.
#[derive(Debug)]
pub(super) struct ParquetSource {
    path: PathBuf,
    columns: Vec<SourceColumn>,
    /// The number of the last row of each row group, counted from 1.
    group_ends: Arc<[u64]>,
}

impl ParquetSource {
    pub(super) fn open(path: &Path) -> Result<Self, SourceError> {
        let mut table = Self { path: path.to_owned(), columns: Vec::new(), group_ends: Arc::new([]) };
        let mut reader = guarded(|| Ok(ParquetReader::new(File::open(path)?))).ok_or_else(|| table.malformed(None))?;
        let metadata = guarded(|| reader.get_metadata().cloned()).ok_or_else(|| table.malformed(None))?;
        let names: Vec<&str> = metadata.schema_descr.fields().iter().map(|field| field.name()).collect();
        table.columns = if first_twins(&names).is_some() {
            names.iter().map(|name| schema::nameless(name)).collect()
        } else {
            let schema = guarded(|| reader.schema());
            let schema =
                schema.ok_or_else(|| SourceError::new(path.display().to_string(), SourceFault::UnreadTypes))?;
            schema.iter_values().map(schema::column).collect()
        };
        let groups = metadata.row_groups.iter().map(|group| group.num_rows() as u64);
        table.group_ends = groups
            .scan(0, |end, rows| {
                *end = u64::saturating_add(*end, rows);
                Some(*end)
            })
            .collect();
        Ok(table)
    }

    pub(super) fn columns(&self) -> &[SourceColumn] {
        &self.columns
    }

    /// Passes batches of the wanted columns to `give` until it returns false.
    pub(super) fn read(
        &self,
        wanted: &[usize],
        read: &mut Read,
        give: &mut (dyn FnMut(Batch) -> bool + Send),
    ) -> Result<(), SourceError> {
        let (send, receive) = sync_channel(BATCHES_WAITING_MAX);
        let mut rows = 0;
        let finished = thread::scope(|scope| {
            let reader = scope.spawn(|| guarded(|| self.collect(wanted, send)));
            for batch in receive {
                let columns = batch.columns().iter().map(|column| column.as_materialized_series().clone()).collect();
                let places = RowPlaces::new(rows + 1, batch.height(), Marks::RowGroups(self.group_ends.clone()));
                rows += batch.height() as u64;
                if !give(Batch { columns, places }) {
                    return true;
                }
            }
            // If the footer gives a wrong number of rows, the file is damaged.
            reader.join().ok().flatten().is_some() && rows == self.group_ends.last().copied().unwrap_or_default()
        });
        read.rows += rows;
        if finished { Ok(()) } else { Err(self.malformed(Some(rows))) }
    }

    fn collect(&self, wanted: &[usize], send: std::sync::mpsc::SyncSender<DataFrame>) -> PolarsResult<()> {
        let columns: Vec<Expr> =
            wanted.iter().map(|place| Expr::Column(self.columns[*place].name.as_str().into())).collect();
        let send = Mutex::new(send);
        let give =
            PlanCallback::new(move |batch: DataFrame| Ok(send.lock().map_or(true, |send| send.send(batch).is_err())));
        let sink = self.scan()?.select(columns).sink_batches(give, true, NonZeroUsize::new(BATCH_ROWS))?;
        sink.collect_with_engine(Engine::Streaming).map(|_| ())
    }

    fn scan(&self) -> PolarsResult<LazyFrame> {
        let args = ScanArgsParquet {
            glob: false,
            low_memory: true,
            hive_options: HiveOptions::new_disabled(),
            ..ScanArgsParquet::default()
        };
        LazyFrame::scan_parquet(PlRefPath::try_from_path(&self.path)?, args)
    }

    fn malformed(&self, rows: Option<u64>) -> SourceError {
        SourceError::new(self.path.display().to_string(), SourceFault::Malformed { format: "Parquet", rows })
    }
}
