//! The formats of files, recognised by their names.

use std::path::Path;

use super::fault::Packing;

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceFormat {
    /// Text with a separator between fields.
    Text {
        /// The separator that the file's ending implies; `None` if it implies none.
        separator: Option<u8>,
        /// The compression that the file's ending implies.
        packing: Packing,
    },
    /// An Apache Parquet file.
    Parquet,
    /// An Arrow IPC file or stream.
    Arrow,
    /// An Excel workbook.
    Sheet,
}

impl SourceFormat {
    /// The format that the ending of a file's name implies; `None` if it is unknown.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let (stem, packing) = match name.rsplit_once('.') {
            Some((stem, "gz")) => (stem, Packing::Gzip),
            Some((stem, "zst" | "zstd")) => (stem, Packing::Zstd),
            _ => (name.as_str(), Packing::Plain),
        };
        let (_, ending) = stem.rsplit_once('.')?;
        match (ending, packing) {
            ("csv", packing) => Some(Self::Text { separator: Some(b','), packing }),
            ("tsv" | "tab", packing) => Some(Self::Text { separator: Some(b'\t'), packing }),
            ("txt", packing) => Some(Self::Text { separator: None, packing }),
            ("parquet" | "pq", Packing::Plain) => Some(Self::Parquet),
            ("arrow" | "arrows" | "ipc" | "feather", Packing::Plain) => Some(Self::Arrow),
            ("xlsx", Packing::Plain) => Some(Self::Sheet),
            _ => None,
        }
    }

    /// Whether two files of these formats may be parts of one table.
    pub(super) fn is_like(self, other: Self) -> bool {
        match (self, other) {
            (Self::Text { separator, .. }, Self::Text { separator: of_other, .. }) => separator == of_other,
            (one, other) => one == other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_tell_formats() {
        let text = |separator, packing| Some(SourceFormat::Text { separator, packing });
        for (name, format) in [
            ("v.csv", text(Some(b','), Packing::Plain)),
            ("V.CSV.GZ", text(Some(b','), Packing::Gzip)),
            ("v.csv.zst", text(Some(b','), Packing::Zstd)),
            ("v.tsv", text(Some(b'\t'), Packing::Plain)),
            ("v.2020.tab.gz", text(Some(b'\t'), Packing::Gzip)),
            ("v.txt", text(None, Packing::Plain)),
            ("v.parquet", Some(SourceFormat::Parquet)),
            ("v.pq", Some(SourceFormat::Parquet)),
            ("v.feather", Some(SourceFormat::Arrow)),
            ("v.arrows", Some(SourceFormat::Arrow)),
            ("v.xlsx", Some(SourceFormat::Sheet)),
            ("v.xls", None),
            ("v.parquet.gz", None),
            ("v.gz", None),
            ("csv", None),
            ("v.csv.bz2", None),
        ] {
            assert_eq!(SourceFormat::of(Path::new(name)), format, "{name}");
        }
    }
}
