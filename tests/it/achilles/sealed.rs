//! The rows of an edition with several tables, read from its file by the places that its terms give.

use std::fs;
use std::path::Path;

use tacit::query::terms::domain::{Domain, date_text};
use tacit::query::terms::edition::Manifest;
use tacit::query::terms::edition::layout::{Holds, StoredType, TableLayout};
use tacit::query::terms::policy::PublicTable;

/// Each table's name and its rows as CSV with a header: the number of the unit and the declared columns, or the columns of a public table.
pub fn tables(manifest: &Manifest, state: &Path) -> Vec<(String, String)> {
    let bytes = fs::read(manifest.table_path(state)).expect("a table");
    let layout = TableLayout::of(&manifest.terms, &manifest.blocks.as_ref().expect("blocks").ends).expect("a layout");
    let private = manifest.terms.tables.iter().enumerate().map(|(index, table)| {
        let terms = manifest.terms.table(index).expect("a table");
        let places = (0..layout.columns().len()).filter(|place| layout.columns()[*place].table as usize == index);
        let columns = places.filter_map(|place| {
            let domain = match layout.columns()[place].holds {
                Holds::Unit => None,
                Holds::Rank => return None,
                Holds::Declared(column) => Some(&terms.columns[column].domain),
            };
            Some(column(&bytes, &layout, place).iter().map(|value| text(*value, domain)).collect())
        });
        let names = terms.columns.iter().map(|column| column.name.as_str());
        (table.name.clone(), csv(std::iter::once("person_id").chain(names), &columns.collect::<Vec<_>>()))
    });
    private.chain(manifest.terms.public.iter().map(|table| (table.name.clone(), published(table)))).collect()
}

fn published(table: &PublicTable) -> String {
    let columns = table.columns.iter().zip(&table.values);
    let columns = columns.map(|(column, values)| values.iter().map(|one| text(*one, Some(&column.domain))).collect());
    csv(table.columns.iter().map(|column| column.name.as_str()), &columns.collect::<Vec<_>>())
}

fn csv<'a>(names: impl Iterator<Item = &'a str>, columns: &[Vec<String>]) -> String {
    let mut lines = vec![names.collect::<Vec<_>>().join(",")];
    let rows = columns.first().map_or(0, Vec::len);
    lines.extend((0..rows).map(|row| columns.iter().map(|column| column[row].as_str()).collect::<Vec<_>>().join(",")));
    lines.join("\n") + "\n"
}

/// The integers of a stored column, in all blocks.
fn column(bytes: &[u8], layout: &TableLayout, place: usize) -> Vec<Option<i64>> {
    let stored = layout.columns()[place];
    let width = stored.kind.bytes() as usize;
    let mut values = Vec::new();
    for block in 0..layout.blocks() {
        let rows = layout.table_rows(block, stored.table as usize);
        let chunk = layout.chunk(block, place).expect("a chunk");
        for row in 0..(rows.end - rows.start) as usize {
            let at = chunk.values_at as usize + row * width;
            let is_there = chunk.bitmap_at.is_none_or(|at| bytes[at as usize + row / 8] >> (row % 8) & 1 == 1);
            values.push(is_there.then(|| integer(stored.kind, &bytes[at..at + width])));
        }
    }
    values
}

fn integer(kind: StoredType, bytes: &[u8]) -> i64 {
    let mut wide = [0; 8];
    wide[..bytes.len()].copy_from_slice(bytes);
    let unsigned = i64::from_le_bytes(wide);
    let beyond = 64 - 8 * bytes.len();
    match kind {
        StoredType::U8 | StoredType::U16 | StoredType::U32 => unsigned,
        StoredType::I8 | StoredType::I16 | StoredType::I32 | StoredType::I64 => unsigned << beyond >> beyond,
    }
}

/// A value as CSV. Units have no domain and are numbers.
fn text(value: Option<i64>, domain: Option<&Domain>) -> String {
    let Some(value) = value else { return String::new() };
    match domain {
        None => value.to_string(),
        Some(Domain::Category(values)) => quoted(&values[usize::try_from(value).expect("a code")]),
        Some(Domain::Boolean) => (value == 1).to_string(),
        Some(Domain::Date { .. }) => date_text(i32::try_from(value).expect("a day")),
        Some(Domain::Number(grid)) => grid.text((value + grid.centre()).into()),
        Some(Domain::Text { .. }) => panic!("the policy lists all texts"),
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}
