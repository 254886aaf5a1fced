//! Tables of both formats: the same rows give the same integers, and borders between blocks are where units end.

use std::fs::File;
use std::io::{Seek, Write};

use polars::prelude::*;
use proptest::prelude::*;

use super::neighbours_tests::{Row, loaded, plans, rows};
use super::stored_columns::StoredColumns;
use super::table::Loaded;
use crate::kernel::vault::private::Private;
use crate::query::terms::domain::Domain;
use crate::query::terms::edition::index::Index;
use crate::query::terms::edition::layout::{Blocks, TableFacts, TableLayout};
use crate::query::terms::edition::{RANK_COLUMN, column_name, digest_of_file};
use crate::query::terms::policy::{Policy, Terms};

/// The types in which format 1 stores a column.
fn wide(domain: &Domain) -> DataType {
    match domain {
        Domain::Boolean => DataType::UInt8,
        Domain::Category(values) if values.len() <= 255 => DataType::UInt8,
        Domain::Category(_) => DataType::UInt16,
        Domain::Date { .. } => DataType::Int32,
        Domain::Text { .. } => DataType::UInt32,
        Domain::Number(_) => DataType::Int64,
    }
}

/// Writes the rows of a table as format 1 has them, and opens that.
fn as_format_1(table: &Loaded) -> Loaded {
    let mut frame = table.all_rows().expect("rows");
    let columns = table.terms.columns.iter().enumerate();
    let kinds = columns.map(|(index, column)| (column_name(index), wide(&column.domain)));
    for (name, kind) in kinds.chain([(RANK_COLUMN.to_owned(), DataType::UInt16)]) {
        let column = frame.column(&name).expect("a column").strict_cast(&kind).expect("a wider type");
        frame.with_column(column).expect("the same length");
    }
    let mut file = tempfile::tempfile().expect("a file");
    IpcWriter::new(&mut file).finish(&mut frame).expect("Arrow");
    file.rewind().expect("a rewound file");
    let digest = digest_of_file(&mut file).expect("a digest");
    let facts = TableFacts { digest, rows: frame.height() as u64, blocks: None };
    Loaded::open(file, &facts, table.terms.clone()).expect("a table of format 1")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn both_formats_give_the_same_integers(rows in rows().prop_filter("rows", |rows: &Vec<Row>| !rows.is_empty())) {
        let (_dir, engine, edition) = loaded(&rows, |_| {});
        let mapped = &engine.tables[&edition];
        let read = as_format_1(mapped);
        prop_assert!(read.is_checked() && !mapped.is_checked());
        for plan in plans(1_000) {
            let exact = |table: &Loaded| {
                let exact = table.exact(&plan.computation, 0..table.blocks()).expect("a total computation");
                Private::new(exact).open_in_test().vectors
            };
            prop_assert_eq!(exact(mapped), exact(&read));
        }
    }
}

const POLICY: &str = r#"
[dataset]
name = "t"
source = "t.csv"
privacy_unit = "who"
max_rows_per_unit = 3
max_rows = 1_000
accountant = "pure"
cap = { epsilon = "1" }
[[column]]
name = "flag"
type = "boolean"
"#;

/// Opens a table of these units, cut after the rows with these numbers, whose digests are right.
fn cut_at(units: &[u32], ends: &[u64]) -> Loaded {
    let terms: Terms = Policy::parse(POLICY).expect("a policy").terms;
    let layout = TableLayout::of(&terms, ends).expect("a layout");
    let (mut bytes, mut index) = (Vec::new(), Index::default());
    for block in 0..layout.blocks() {
        let rows = layout.rows(block);
        let units = &units[rows.start as usize..rows.end as usize];
        let of_units = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let chunks = [of_units, vec![0; units.len()], vec![1; units.len()]].map(|mut chunk: Vec<u8>| {
            chunk.resize(chunk.len().next_multiple_of(64), 0);
            chunk
        });
        index.chunks.push(chunks.iter().map(|chunk| *blake3::hash(chunk).as_bytes()).collect());
        bytes.extend(chunks.concat());
    }
    let (index, index_at) = (index.encoded(), bytes.len() as u64);
    let digest = *blake3::hash(&index).as_bytes();
    let blocks = Blocks { ends: ends.to_vec(), index_at, index_bytes: index.len() as u64 };
    bytes.extend(index);
    bytes.resize(bytes.len().next_multiple_of(64), 0);
    let mut file: File = tempfile::tempfile().expect("a file");
    file.write_all(&bytes).expect("written");
    let facts = TableFacts { digest, rows: units.len() as u64, blocks: Some(blocks) };
    Loaded::open(file, &facts, terms).expect("a mapped table")
}

#[test]
fn a_unit_in_two_blocks_is_damage() {
    let whole = StoredColumns { unit: true, ..StoredColumns::default() };
    let is_sound = |units: &[u32], ends: &[u64]| {
        let table = cut_at(units, ends);
        (0..table.blocks()).map(|block| table.check(block, &whole)).collect::<Vec<_>>()
    };
    assert_eq!(is_sound(&[0, 0, 1, 2, 2], &[3, 5]), [true, true]);
    assert_eq!(is_sound(&[0, 0, 1, 2, 2], &[2, 3, 5]), [true, true, true]);
    assert_eq!(is_sound(&[0, 0, 1, 2, 2], &[4, 5]), [true, false], "the last unit is in both");
    assert_eq!(is_sound(&[0, 0, 2, 1, 1], &[3, 5]), [true, false], "units descend");
    assert_eq!(is_sound(&[0, 1, 0, 2, 2], &[3, 5]), [false, true], "units are mixed");
    let table = cut_at(&[0, 0, 1], &[3]);
    assert!(!table.check(1, &whole), "there is no such block");
}
