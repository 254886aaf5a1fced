//! Sealed tables of format 2: what lies where in the file, and what is found when it is damaged.

use std::fs;
use std::path::Path;

use borsh::BorshDeserialize;
use polars::prelude::*;
use tacit::engine::seal::seal_with_key;
use tacit::query::terms::domain::Domain;
use tacit::query::terms::edition::layout::{Holds, StoredType, TableLayout};
use tacit::query::terms::edition::{EditionError, Manifest};
use tacit::query::terms::policy::Policy;

/// Reads a sealed table from its bytes: `unit`, `rank`, `c0`, `c1`, … as 64-bit integers, and `t0`, `t1`, … for texts.
pub fn sealed_table(state: &Path, manifest: &Manifest) -> DataFrame {
    let bytes = fs::read(manifest.table_path(state)).expect("a table");
    let blocks = manifest.blocks.as_ref().expect("a table of format 2");
    let layout = TableLayout::of(&manifest.terms, &blocks.ends).expect("a layout");
    let mut columns: Vec<Vec<Option<i64>>> = vec![Vec::new(); layout.columns().len()];
    for block in 0..layout.blocks() {
        for (place, (stored, values)) in layout.columns().iter().zip(&mut columns).enumerate() {
            let chunk = layout.chunk(block, place).expect("a chunk");
            let rows = layout.rows(block);
            for row in 0..(rows.end - rows.start) as usize {
                let width = stored.kind.bytes() as usize;
                let value = number(&bytes[chunk.values_at as usize + row * width..][..width], stored.kind);
                let is_there = |at: u64| bytes[at as usize + row / 8] >> (row % 8) & 1 == 1;
                values.push(chunk.bitmap_at.is_none_or(is_there).then_some(value));
            }
        }
    }
    let (mut frame, mut texts_at) = (Vec::new(), layout.blocks_end() as usize);
    for (stored, values) in layout.columns().iter().zip(columns) {
        let name = match stored.holds {
            Holds::Unit => "unit".to_owned(),
            Holds::Rank => "rank".to_owned(),
            Holds::Declared(index) => format!("c{index}"),
        };
        if let Holds::Declared(index) = stored.holds
            && matches!(manifest.terms.columns[index].domain, Domain::Text { .. })
        {
            let mut rest = &bytes[texts_at..];
            let texts = Vec::<String>::deserialize(&mut rest).expect("texts");
            texts_at = (bytes.len() - rest.len()).next_multiple_of(64);
            let named: Vec<_> = values.iter().map(|code| code.map(|code| texts[code as usize].clone())).collect();
            frame.push(Column::new(format!("t{index}").into(), named));
        }
        frame.push(Column::new(name.into(), values));
    }
    assert_eq!(texts_at as u64, blocks.index_at, "texts are followed by the index");
    DataFrame::new(manifest.rows as usize, frame).expect("a frame")
}

fn number(bytes: &[u8], kind: StoredType) -> i64 {
    let mut wide = [0; 8];
    wide[..bytes.len()].copy_from_slice(bytes);
    let unsigned = i64::from_le_bytes(wide);
    let bits = 64 - 8 * bytes.len() as u32;
    match kind {
        StoredType::U8 | StoredType::U16 | StoredType::U32 => unsigned,
        StoredType::I8 | StoredType::I16 | StoredType::I32 | StoredType::I64 => unsigned << bits >> bits,
    }
}

const POLICY: &str = r#"
[dataset]
name = "visits"
source = "visits.csv"
privacy_unit = "who"
max_rows_per_unit = 4
max_rows = 1_000_000
accountant = "gaussian"
cap = { epsilon = "4", delta = "1e-6" }
threshold_delta = "1e-7"
[[column]]
name = "region"
type = "category"
values = ["north", "south"]
[[column]]
name = "age"
type = "integer"
min = "0"
max = "110"
nullable = true
[[column]]
name = "cost"
type = "decimal"
min = "0"
max = "5000"
step = "0.01"
[[column]]
name = "day"
type = "date"
min = 2018-01-01
max = 2023-12-31
nullable = true
[[column]]
name = "word"
type = "text"
max_values = 2000
max_groups_per_unit = 3
"#;

/// Seals some visits with a known key; returns the state directory, and the manifest.
fn sealed(units: usize) -> (tempfile::TempDir, Manifest) {
    let dir = tempfile::tempdir().expect("a folder");
    let mut csv = "who,region,age,cost,day,word\n".to_owned();
    for row in 0..3 * units {
        let age = if row % 7 == 0 { String::new() } else { (row % 111).to_string() };
        let day = if row % 5 == 0 { String::new() } else { format!("2019-0{}-1{}", row % 9 + 1, row % 10) };
        let region = if row % 2 == 0 { "north" } else { "south" };
        csv.push_str(&format!("p{},{region},{age},{}.25,{day},w{}\n", row / 3, row % 5000, row % 13));
    }
    fs::write(dir.path().join("visits.csv"), csv).expect("a source");
    fs::write(dir.path().join("visits.toml"), POLICY).expect("a policy");
    let policy = Policy::load(&dir.path().join("visits.toml")).unwrap_or_else(|error| panic!("{error}"));
    let (manifest, _) = seal_with_key(&policy, &dir.path().join("state"), &[9; 32], &|_| {}).expect("sealed");
    (dir, manifest)
}

fn opened(state: &Path, manifest: &Manifest) -> Result<Manifest, EditionError> {
    Manifest::open(state, &manifest.edition, &manifest.commitment())
}

fn opened_whole(state: &Path, manifest: &Manifest) -> Result<Manifest, EditionError> {
    Manifest::open_whole(state, &manifest.edition, &manifest.commitment())
}

#[test]
fn the_bytes_of_a_sealed_table_are_pinned() {
    let (dir, manifest) = sealed(50);
    let bytes = fs::read(manifest.table_path(&dir.path().join("state"))).expect("a table");
    let kinds: Vec<_> = tacit::query::terms::edition::layout::stored_columns(&manifest.terms)
        .iter()
        .map(|column| (column.kind, column.nullable))
        .collect();
    use StoredType::{I8, I32, U8, U16, U32};
    let expected = [(U32, false), (U8, false), (U8, false), (I8, true), (I32, false), (U16, true), (U32, false)];
    assert_eq!(kinds, expected, "as narrow as their ranges");
    assert_eq!(
        (bytes.len(), blake3::hash(&bytes).to_hex().as_str()),
        (3392, "43d8d1c7dd2e38086c5ddc5a5e4b9cc5ac92d2d834e395ae094b5823b857c8a3")
    );
}

#[test]
fn a_unit_is_in_one_block_and_blocks_are_of_equal_size() {
    let (dir, manifest) = sealed(100_000);
    let blocks = manifest.blocks.as_ref().expect("format 2");
    let frame = sealed_table(&dir.path().join("state"), &manifest);
    let units = frame.column("unit").expect("units").i64().expect("integers").clone();
    assert_eq!(blocks.ends.len(), 3);
    for end in &blocks.ends[..2] {
        let end = *end as usize;
        assert_ne!(units.get(end - 1), units.get(end), "a border between units");
    }
    let lengths: Vec<u64> = blocks.ends.iter().scan(0, |last, end| Some(end - std::mem::replace(last, *end))).collect();
    assert!(lengths[..2].iter().all(|rows| (1 << 17..(1 << 17) + 4).contains(rows)), "{lengths:?}");
}

#[test]
fn every_changed_byte_is_found_and_its_block_is_named() {
    let (dir, manifest) = sealed(100_000);
    let state = dir.path().join("state");
    let path = manifest.table_path(&state);
    assert!(opened(&state, &manifest).is_ok() && opened_whole(&state, &manifest).is_ok());
    let whole = fs::read(&path).expect("a table");
    let blocks = manifest.blocks.as_ref().expect("format 2");
    let layout = TableLayout::of(&manifest.terms, &blocks.ends).expect("a layout");
    let write_changed = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        fs::write(&path, bytes).expect("a damaged table");
    };
    for block in 0..layout.blocks() {
        for column in 0..layout.columns().len() {
            let chunk = layout.chunk(block, column).expect("a chunk");
            for at in
                [chunk.all.start, chunk.values_at + 3, chunk.bitmap_at.unwrap_or(chunk.all.start), chunk.all.end - 1]
            {
                write_changed(at as usize);
                assert!(opened(&state, &manifest).is_ok(), "blocks are looked at before their first use");
                let found = opened_whole(&state, &manifest);
                let named =
                    matches!(&found, Err(EditionError::DamagedBlock { block: named, .. }) if *named == block as u64);
                assert!(named, "byte {at}: {found:?}");
            }
        }
    }
    for at in [layout.blocks_end() as usize, blocks.index_at as usize - 1] {
        write_changed(at);
        assert!(matches!(opened(&state, &manifest), Err(EditionError::Damaged { .. })), "texts: byte {at}");
    }
    let index = blocks.index_at as usize..(blocks.index_at + blocks.index_bytes) as usize;
    for at in [index.start, index.start + 40, index.end - 1] {
        write_changed(at);
        assert!(matches!(opened(&state, &manifest), Err(EditionError::Damaged { .. })), "index: byte {at}");
    }
    for length in [0, 1, 64, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..length]).expect("a truncated table");
        assert!(matches!(opened(&state, &manifest), Err(EditionError::Damaged { .. })), "{length} bytes");
    }
    let mut grown = whole.clone();
    grown.extend([0; 64]);
    fs::write(&path, grown).expect("a grown table");
    assert!(matches!(opened(&state, &manifest), Err(EditionError::Damaged { .. })), "grown");
}

#[test]
fn a_manifest_that_lies_about_its_table_is_refused() {
    let (dir, manifest) = sealed(100_000);
    let state = dir.path().join("state");
    let folder = Manifest::dir(&state, &manifest.edition);
    let lies: [fn(&mut Manifest); 8] = [
        |lying| lying.rows += 1,
        |lying| lying.blocks.as_mut().expect("blocks").ends[0] += 3,
        |lying| lying.blocks.as_mut().expect("blocks").ends[1] = 0,
        |lying| lying.blocks.as_mut().expect("blocks").ends.truncate(2),
        |lying| lying.blocks.as_mut().expect("blocks").ends.push(u64::MAX),
        |lying| lying.blocks.as_mut().expect("blocks").index_at += 64,
        |lying| lying.blocks.as_mut().expect("blocks").index_bytes = u64::MAX,
        |lying| lying.blocks = None,
    ];
    for (at, lie) in lies.iter().enumerate() {
        let mut lying = manifest.clone();
        lie(&mut lying);
        fs::remove_file(folder.join("manifest.json")).expect("removed");
        lying.write(&folder).expect("a manifest");
        assert!(opened_whole(&state, &lying).is_err(), "lie {at}");
    }
}
