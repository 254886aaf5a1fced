//! What the tests of all readers share.

use std::path::Path;

use polars::prelude::DataType;
use tempfile::TempDir;

use super::*;

/// A source that was read to its end.
#[derive(Debug)]
pub(super) struct Whole {
    /// The place of each row, with its values as texts.
    pub rows: Vec<(String, Vec<Option<String>>)>,
    pub read: Read,
}

/// Writes a file with these bytes, and returns it with a spec that has only defaults.
pub(super) fn written(name: &str, bytes: &[u8]) -> (TempDir, SourceSpec) {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("a folder");
    std::fs::write(&path, bytes).expect("written");
    let spec = SourceSpec::file(&path);
    (dir, spec)
}

/// Reads all rows of all columns.
pub(super) fn read(spec: &SourceSpec) -> Result<Whole, SourceError> {
    let source = Source::open(spec)?;
    let wanted: Vec<(usize, bool)> = source
        .columns()
        .iter()
        .enumerate()
        .map(|(place, column)| (place, spec.multiline.contains(&column.name)))
        .collect();
    let mut rows = Vec::new();
    let read = source.batches(&wanted, |batch| {
        let texts: Vec<_> = batch.columns.iter().map(|column| column.cast(&DataType::String).expect("texts")).collect();
        for row in 0..batch.places.rows() {
            let values = texts.iter().map(|column| column.str().expect("texts").get(row).map(str::to_owned)).collect();
            rows.push((batch.places.place(row).to_string(), values));
        }
        Ok::<(), SourceError>(())
    })?;
    Ok(Whole { rows, read })
}
