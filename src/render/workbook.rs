//! An answer as a workbook (XLSX): a sheet with typed cells, and one that says where it came from.
//!
//! Promises that equal answers have equal bytes, that numbers keep all digits and are only shown rounded, and that a text is never taken for
//! a formula. A table that has more rows than a sheet holds is not encoded.

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use super::columns::{FileColumn, columns, float};
use super::provenance::Provenance;
use super::reading;
use crate::query::answer::{Cell, Table};

/// The number of rows that a sheet holds below its header.
pub const ROWS_MAX: usize = 1_048_575;
/// The number of characters that a cell holds.
const CHARS_MAX: usize = 32_767;
/// The serial number of 1970-01-01 in a workbook.
const EPOCH: i32 = 25_569;
/// The serial number of 1900-03-01. Before it workbooks count a day that never was, so that earlier days are written as text.
const FIRST_DAY: i32 = 61;
/// The largest number of decimals that cells are shown with.
const DECIMALS_MAX: usize = 6;

/// The workbook of a table; `None` if it has too many rows, or cannot be encoded.
#[must_use]
pub fn encoded(table: &Table, about: &Provenance) -> Option<Vec<u8>> {
    if table.rows.len() > ROWS_MAX {
        return None;
    }
    book(table, about).ok()
}

fn book(table: &Table, about: &Provenance) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    // Without it the file would tell when it was made, and equal answers would differ.
    let made = about.get("at").and_then(|at| at.get(..10)).unwrap_or("1970-01-01");
    let made = ExcelDateTime::parse_from_str(made)?;
    let title = about.get("title").or_else(|| about.get("release")).unwrap_or("Answer");
    book.set_properties(&DocProperties::new().set_title(title).set_creation_datetime(&made));
    let header = Format::new().set_bold();
    data(book.add_worksheet(), table, &header)?;
    provenance(book.add_worksheet(), about, &header)?;
    book.save_to_buffer()
}

fn data(sheet: &mut Worksheet, table: &Table, header: &Format) -> Result<(), XlsxError> {
    sheet.set_name("Answer")?.set_freeze_panes(1, 0)?;
    let days = Format::new().set_num_format("yyyy-mm-dd");
    for (at, column) in (0_u16..).zip(columns(table)) {
        let numbers = Format::new().set_num_format(number_format(table, &column));
        sheet.write_string_with_format(0, at, &column.name, header)?;
        sheet.set_column_width(at, column.name.chars().count().clamp(10, 40) as f64 + 2.0)?;
        for (place, row) in (1_u32..).zip(&table.rows) {
            match column.cell(row) {
                cell @ (Cell::Missing | Cell::Total) => {
                    if let Some(words) = column.words(row).or_else(|| matches!(cell, Cell::Total).then_some("total")) {
                        sheet.write_string(place, at, words)?;
                    }
                }
                Cell::Boolean(truth) => {
                    sheet.write_boolean(place, at, truth)?;
                }
                Cell::Date(of) if of.saturating_add(EPOCH) >= FIRST_DAY => {
                    sheet.write_number_with_format(place, at, of.saturating_add(EPOCH), &days)?;
                }
                cell @ (Cell::Decimal(_) | Cell::Float(_)) => {
                    if let Some(value) = float(&cell).filter(|value| value.is_finite()) {
                        sheet.write_number_with_format(place, at, value, &numbers)?;
                    }
                }
                cell @ (Cell::Text(_) | Cell::Date(_)) => {
                    sheet.write_string(place, at, cut(&cell.text().unwrap_or_default()))?;
                }
            }
        }
    }
    Ok(())
}

fn provenance(sheet: &mut Worksheet, about: &Provenance, header: &Format) -> Result<(), XlsxError> {
    sheet.set_name("About")?.set_column_width(0, 14)?.set_column_width(1, 100)?;
    for (place, (name, value)) in (0_u32..).zip(about.pairs()) {
        sheet.write_string_with_format(place, 0, name, header)?;
        sheet.write_string(place, 1, cut(value))?;
    }
    Ok(())
}

/// The format of a column's numbers: thousands grouped, and the decimals that the narrowest interval in it leaves. Keys are shown as they
/// are.
fn number_format(table: &Table, column: &FileColumn) -> String {
    if column.kind.is_key() {
        return "General".to_owned();
    }
    let decimals = |row: &Vec<Cell>| {
        let cell = column.cell(row);
        let value = float(&cell)?;
        let text = reading::plain(value, column.half_width(row).or(Some(value.abs())));
        Some(text.split_once('.').map_or(0, |(_, decimals)| decimals.len()))
    };
    match table.rows.iter().filter_map(decimals).max().unwrap_or(0).min(DECIMALS_MAX) {
        0 => "#,##0".to_owned(),
        decimals => format!("#,##0.{}", "0".repeat(decimals)),
    }
}

/// The beginning of a text that a cell holds.
fn cut(text: &str) -> String {
    match text.chars().count() > CHARS_MAX {
        true => text.chars().take(CHARS_MAX - 1).chain(['…']).collect(),
        false => text.to_owned(),
    }
}
