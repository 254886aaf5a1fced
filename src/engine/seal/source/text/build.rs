//! Builds the wanted columns of a batch from records.

use polars::prelude::{IntoSeries, Series, StringChunkedBuilder};

use super::lines::Record;
use crate::engine::seal::source::batch::BATCH_ROWS;

/// The columns of a batch while records are added.
pub(super) struct ColumnBuilders {
    places: Vec<usize>,
    builders: Vec<StringChunkedBuilder>,
    starts: Vec<u64>,
}

impl ColumnBuilders {
    /// Collects the fields at these indices of every record, in this order.
    pub(super) fn new(places: &[usize]) -> Self {
        Self { places: places.to_vec(), builders: builders(places), starts: Vec::with_capacity(BATCH_ROWS) }
    }

    /// Adds a record. An empty text is missing.
    pub(super) fn push(&mut self, record: &Record<'_>) {
        for (place, builder) in self.places.iter().zip(&mut self.builders) {
            match record.field(*place) {
                text if text.is_empty() => builder.append_null(),
                text => builder.append_value(text),
            }
        }
        self.starts.push(record.line());
    }

    pub(super) fn rows(&self) -> usize {
        self.starts.len()
    }

    /// Takes the columns built so far, with the line of each row, and begins an empty batch.
    pub(super) fn finish(&mut self) -> (Vec<Series>, Vec<u64>) {
        let grown = std::mem::replace(&mut self.builders, builders(&self.places));
        let starts = std::mem::replace(&mut self.starts, Vec::with_capacity(BATCH_ROWS));
        (grown.into_iter().map(|builder| builder.finish().into_series()).collect(), starts)
    }
}

fn builders(places: &[usize]) -> Vec<StringChunkedBuilder> {
    places.iter().map(|place| StringChunkedBuilder::new(format!("column_{}", place + 1).into(), BATCH_ROWS)).collect()
}
