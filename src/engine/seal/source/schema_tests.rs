//! Tests of what is read of Parquet and Arrow files, and of the words in which they are refused.

use std::fs::File;
use std::path::PathBuf;

use polars::prelude::*;

use crate::engine::seal::source::open::Source;
use crate::engine::seal::source::tests::{read, written};
use crate::engine::seal::source::{SourceError, SourceSpec, WantedColumn};

type Write = fn(&mut DataFrame, File);

/// Which program writes which ending.
const WRITERS: [(&str, Write); 3] = [
    ("v.parquet", |frame, file| {
        ParquetWriter::new(file).with_row_group_size(Some(75_000)).finish(frame).expect("written");
    }),
    ("v.arrow", |frame, file| IpcWriter::new(file).finish(frame).expect("written")),
    ("v.arrows", |frame, file| IpcStreamWriter::new(file).finish(frame).expect("written")),
];

fn fixture(name: &str) -> SourceSpec {
    SourceSpec::file(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/sources").join(name))
}

fn frame(rows: i64) -> DataFrame {
    let ids = Column::new("id".into(), (0..rows).map(|row| format!("p{row}")).collect::<Vec<_>>());
    let ages = Column::new("Age".into(), (0..rows).map(|row| (row % 7 > 0).then_some(row)).collect::<Vec<_>>());
    let nothing = Column::new_empty("nothing".into(), &DataType::Null).new_from_index(0, 0);
    let nothing = if rows == 0 { nothing } else { Column::full_null("nothing".into(), rows as usize, &DataType::Null) };
    DataFrame::new(rows as usize, vec![ids, ages, nothing]).expect("a frame")
}

#[test]
fn files_with_a_schema_are_read_in_order() {
    for (name, write) in WRITERS {
        let (dir, spec) = written(name, b"");
        let path = dir.path().join(name);
        write(&mut frame(150_000), File::create(&path).expect("a file"));
        let source = Source::open(&spec).expect("open");
        let types: Vec<_> = source.columns().iter().map(|column| column.dtype.clone()).collect();
        assert_eq!(types, [DataType::String, DataType::Int64, DataType::Null], "{name}");
        assert!(!source.is_text());
        // In another order than the file's, and one column twice.
        let (mut rows, mut batches) = (0, 0);
        let read = source.batches(&[(1, false), (0, false), (1, false)], |batch| {
            batches += 1;
            assert!(batch.places.rows() <= 65_536);
            let (ages, ids) = (batch.columns[0].i64().expect("integers"), batch.columns[1].str().expect("texts"));
            assert!(batch.columns[0].equals_missing(&batch.columns[2]));
            for row in 0..batch.places.rows() {
                assert_eq!(ids.get(row), Some(format!("p{rows}").as_str()));
                assert_eq!(ages.get(row), (rows % 7 > 0).then_some(rows));
                let group =
                    if name == "v.parquet" { format!(" (row group {})", rows / 75_000 + 1) } else { String::new() };
                assert_eq!(batch.places.place(row).to_string(), format!("row {}{group}", rows + 1));
                rows += 1;
            }
            Ok::<(), SourceError>(())
        });
        let read = read.unwrap_or_else(|error| panic!("{error}"));
        let bytes = std::fs::read(&path).expect("bytes");
        let digest = Some(blake3::hash(&bytes).to_hex().to_string());
        assert_eq!(
            (read.rows, read.bytes, read.digest, rows),
            (150_000, bytes.len() as u64, digest, 150_000),
            "{name}"
        );
        assert!(batches >= 3, "{name}");
    }
}

#[test]
fn an_empty_file_with_a_schema_has_no_rows() {
    for (name, write) in WRITERS {
        let (dir, spec) = written(name, b"");
        write(&mut frame(0), File::create(dir.path().join(name)).expect("a file"));
        assert_eq!(read(&spec).expect("read").rows, [], "{name}");
    }
}

#[test]
fn a_damaged_file_with_a_schema_is_refused() {
    for (name, write) in WRITERS {
        let (dir, spec) = written(name, b"");
        let path = dir.path().join(name);
        write(&mut frame(2_000), File::create(&path).expect("a file"));
        let bytes = std::fs::read(&path).expect("bytes");
        let format = if name == "v.parquet" { "Parquet" } else { "Arrow IPC" };
        let mut cases: Vec<Vec<u8>> = [0, 1, 7, 40, bytes.len() / 2, bytes.len() - 9, bytes.len() - 8, bytes.len() - 1]
            .iter()
            .map(|length| bytes[..*length].to_vec())
            .collect();
        cases.push(b"patient_id,age\n1,2\n".to_vec());
        if name == "v.arrows" {
            // Rows behind the end would be lost.
            cases.push([bytes.clone(), bytes.clone()].concat());
            cases.push([bytes.as_slice(), b"\0"].concat());
        }
        for case in cases {
            std::fs::write(&path, &case).expect("written");
            let error = read(&spec).expect_err("refused").to_string();
            assert!(error.contains(&format!("is not a readable {format} file")), "{name} {}: {error}", case.len());
        }
    }
}

#[test]
fn two_fields_of_one_name_are_refused() {
    for name in ["dup.parquet", "dup.arrow", "dup.arrows"] {
        let source = Source::open(&fixture(name)).expect("open");
        assert_eq!(
            source.columns().iter().map(|column| column.name.as_str()).collect::<Vec<_>>(),
            ["id", "age", "age"]
        );
        let named = |name| WantedColumn { name, source: None };
        let error = source.find(&named("age")).expect_err("twice").to_string();
        assert!(error.ends_with("has two columns named \"age\"; rename one of them"), "{error}");
        let error = source.find_all(&[named("id")]).expect_err("twice").to_string();
        assert!(error.ends_with("columns 2 and 3 have the same name; rename one of them"), "{error}");
    }
}

/// Columns that nobody wants do not matter if the file can be read without them.
#[test]
fn types_that_are_not_read_are_named() {
    for (name, found) in
        [("dec256.parquet", "decimal256(60, 2)"), ("dec256.arrow", "decimal256(60, 2)"), ("interval.arrow", "interval")]
    {
        let source = Source::open(&fixture(name)).expect("open");
        let wanted = WantedColumn { name: "amount", source: Some("v") };
        let error = source.find(&wanted).expect_err("not read").to_string();
        assert!(error.ends_with(&format!("column \"v\" holds a type that is not read here: {found}")), "{error}");
        let nobody = |_| Ok::<(), SourceError>(());
        let error = source.batches(&[(0, false), (1, false)], nobody).expect_err("not read").to_string();
        assert!(error.ends_with(&format!("column 2 holds a type that is not read here: {found}")), "{error}");
        assert_eq!(source.batches(&[(0, false)], nobody).expect("read").rows, 3);
    }
    for (name, said) in [
        ("ree.arrow", "column 2 holds a type that is not read here: run-end encoded values"),
        ("listview.parquet", "holds a column of a type that is not read here, such as a list view"),
    ] {
        let error = Source::open(&fixture(name)).expect_err("not read").to_string();
        assert!(error.ends_with(said), "{error}");
    }
}

#[test]
fn a_schema_is_shown_where_a_column_is_missing() {
    let (dir, spec) = written("v.parquet", b"");
    (WRITERS[0].1)(&mut frame(1), File::create(dir.path().join("v.parquet")).expect("a file"));
    let source = Source::open(&spec).expect("open");
    let error = source.find(&WantedColumn { name: "bmi", source: None }).expect_err("missing").to_string();
    assert!(error.ends_with("has no column \"bmi\"; its columns are \"id\", \"Age\", \"nothing\""), "{error}");
    assert_eq!(source.find(&WantedColumn { name: "age", source: None }), Ok(1));
}

/// A name is taken literally, whatever it means to polars.
#[test]
fn names_are_no_patterns() {
    for (name, write) in WRITERS {
        let (dir, spec) = written(name, b"");
        let columns = ["*", "^a.*$", "ab"].iter().enumerate();
        let columns = columns.map(|(place, name)| Column::new((*name).into(), [place as i64])).collect();
        write(&mut DataFrame::new(1, columns).expect("a frame"), File::create(dir.path().join(name)).expect("a file"));
        let rows = read(&spec).expect("read").rows;
        assert_eq!(rows[0].1, [Some("0".to_owned()), Some("1".to_owned()), Some("2".to_owned())], "{name}");
    }
}

/// If `taker` fails, reading ends with its error.
#[test]
fn reading_ends_where_nobody_takes() {
    let enough = SourceError {
        path: "enough".to_owned(),
        place: None,
        fault: crate::engine::seal::source::SourceFault::Changed,
    };
    let text = format!("id,age\n{}", "p1,30\n".repeat(400_000));
    let mut sources = vec![written("v.csv", text.as_bytes())];
    for (name, write) in WRITERS {
        let (dir, spec) = written(name, b"");
        write(&mut frame(400_000), File::create(dir.path().join(name)).expect("a file"));
        sources.push((dir, spec));
    }
    for (_dir, spec) in sources {
        let (source, mut taken) = (Source::open(&spec).expect("open"), 0);
        let read = source.batches(&[(0, false)], |_| {
            taken += 1;
            Err::<(), SourceError>(enough.clone())
        });
        assert_eq!((read, taken), (Err(enough.clone()), 1));
    }
}
