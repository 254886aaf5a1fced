//! Excel workbooks (.xlsx), of which one sheet is a table.
//!
//! Promises that a cell's value becomes the text that a CSV export would hold, or is refused with its row: a number that a spreadsheet does
//! not hold exactly, a formula without its result, merged cells, a value beyond the columns that the header names. Cells are read one at a
//! time; the shared texts are all held in memory.

mod cells;
#[cfg(test)]
#[path = "sheet_tests.rs"]
mod tests;
mod fault;
mod stop;

pub use self::fault::SheetFault;
use super::batch::{BATCH_ROWS, Batch, Read};
use super::fault::{SourceError, SourceFault};
use super::place::{Marks, RowPlace, RowPlaces, Spot};
use super::schema::guarded;
use crate::query::terms::source::SourceSpec;
use calamine::{Reader, SheetType, SheetVisible, Xlsx};
use cells::{SheetRow, SheetRows, Workbook, letters};
use polars::prelude::{IntoSeries, PolarsError, PolarsResult, Series, StringChunkedBuilder};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::stop::Stop;

/// A sheet with its header.
#[derive(Debug)]
pub(super) struct SheetSource {
    path: PathBuf,
    sheet: Arc<str>,
    names: Vec<String>,
    has_header: bool,
    /// The column of the sheet in which the table begins, counted from 0.
    first_column: u32,
}

impl SheetSource {
    pub(super) fn open(path: &Path, spec: &SourceSpec) -> Result<Self, SourceError> {
        let fail = |fault: SheetFault| SourceError::new(path.display().to_string(), fault);
        let mut table = Self {
            path: path.to_owned(),
            sheet: "".into(),
            names: Vec::new(),
            has_header: spec.header,
            first_column: 0,
        };
        if is_compound(path) {
            return Err(fail(SheetFault::Encrypted));
        }
        let mut workbook = table.workbook()?;
        table.sheet = table.choose(&mut workbook, spec.sheet.as_deref())?.into();
        let first = table.guard(None, |table| table.rows(&mut workbook)?.next_row())?;
        let first = first.ok_or_else(|| fail(SheetFault::Empty))?;
        if let (Some((_, fault)), true) = (first.faults.first(), spec.header) {
            return Err(SourceError::at(table.shown(), table.place(first.number), fault.clone()));
        }
        table.refuse_merged(&mut workbook, first.number - u64::from(!spec.header))?;
        table.first_column = first.used().min().unwrap_or_default();
        let width = first.used().max().unwrap_or_default() - table.first_column + 1;
        table.names = match spec.header {
            true => {
                let named =
                    (0..width).map(|place| first.text(table.first_column + place).unwrap_or_default().to_owned());
                named.collect()
            }
            false => (1..=width).map(|number| format!("column_{number}")).collect(),
        };
        Ok(table)
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn has_header(&self) -> bool {
        self.has_header
    }

    /// Passes batches of the wanted columns to `give` until it returns false.
    pub(super) fn read(
        &self,
        wanted: &[usize],
        read: &mut Read,
        give: &mut (dyn FnMut(Batch) -> bool + Send),
    ) -> Result<(), SourceError> {
        let mut workbook = self.workbook()?;
        let (mut rows, mut growing) = (0, Growing::new(wanted));
        self.guard(Some(0), |table| {
            let mut cells = table.rows(&mut workbook)?;
            let mut waits_for_header = table.has_header;
            while let Some(row) = cells.next_row()? {
                table.check_width(&row)?;
                if std::mem::take(&mut waits_for_header) {
                    continue;
                }
                growing.push(table, &row)?;
                if growing.numbers.len() == BATCH_ROWS && !table.give(&mut growing, &mut rows, give) {
                    return Ok(());
                }
            }
            if !growing.numbers.is_empty() {
                table.give(&mut growing, &mut rows, give);
            }
            Ok(())
        })?;
        read.rows += rows;
        Ok(())
    }

    fn give(&self, growing: &mut Growing, rows: &mut u64, give: &mut (dyn FnMut(Batch) -> bool + Send)) -> bool {
        let (columns, numbers) = growing.finish();
        let places = RowPlaces::new(*rows + 1, numbers.len(), Marks::Sheet(self.sheet.clone(), numbers));
        *rows += places.rows() as u64;
        give(Batch { columns, places })
    }

    fn check_width(&self, row: &SheetRow) -> Result<(), Stop> {
        let ends = self.first_column + u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        let beyond = |column: u32| !(self.first_column..ends).contains(&column);
        match row.used().find(|column| beyond(*column)) {
            None => Ok(()),
            Some(column) => Err(Stop::Fault(SheetFault::Beyond(letters(column)), row.number)),
        }
    }

    /// The sheet with the given name, or the only visible sheet that contains something.
    fn choose(&self, workbook: &mut Workbook, named: Option<&str>) -> Result<String, SourceError> {
        let sheets: Vec<_> = workbook.sheets_metadata().to_vec();
        let mut sheets = sheets.into_iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
        if let Some(named) = named {
            let found = sheets.find(|sheet| sheet.name == named).map(|sheet| sheet.name);
            return found.ok_or_else(|| self.fail(SheetFault::NoSheet(named.to_owned())));
        }
        let mut filled = Vec::new();
        for sheet in sheets.filter(|sheet| sheet.visible == SheetVisible::Visible) {
            let first =
                self.guard(None, |_| SheetRows::open(workbook, &sheet.name).ok_or(Stop::Library)?.next_row())?;
            filled.extend(first.map(|_| sheet.name));
        }
        match filled.len() {
            0 => Err(self.fail(SheetFault::Empty)),
            1 => Ok(filled.remove(0)),
            several => Err(self.fail(SheetFault::Several(several))),
        }
    }

    /// Checks that no cells are merged from row `first` on, counted from 0.
    fn refuse_merged(&self, workbook: &mut Workbook, first: u64) -> Result<(), SourceError> {
        let merged =
            self.guard(None, |table| workbook.merge_cells_by_sheet_name(&table.sheet).map_err(|_| Stop::Library))?;
        match merged.iter().find(|merged| merged.start != merged.end && u64::from(merged.end.0) >= first) {
            None => Ok(()),
            Some(merged) => {
                Err(SourceError::at(self.shown(), self.place(u64::from(merged.start.0) + 1), SheetFault::Merged))
            }
        }
    }

    fn workbook(&self) -> Result<Workbook, SourceError> {
        self.guard(None, |table| {
            let file = File::open(&table.path).map_err(|_| Stop::Library)?;
            Xlsx::new(BufReader::new(file)).map_err(|_| Stop::Library)
        })
    }

    fn rows<'a>(&self, workbook: &'a mut Workbook) -> Result<SheetRows<'a>, Stop> {
        SheetRows::open(workbook, &self.sheet).ok_or(Stop::Library)
    }

    /// Runs code of a library that may panic.
    fn guard<T>(&self, rows: Option<u64>, run: impl FnOnce(&Self) -> Result<T, Stop>) -> Result<T, SourceError> {
        let mut stopped = Stop::Library;
        let done: Option<T> = guarded(|| -> PolarsResult<T> {
            run(self).map_err(|stop| {
                stopped = stop;
                PolarsError::NoData("".into())
            })
        });
        done.ok_or_else(|| match stopped {
            Stop::Fault(fault, row) => SourceError::at(self.shown(), self.place(row), fault),
            Stop::Library => SourceError::new(self.shown(), SourceFault::Malformed { format: "Excel", rows }),
        })
    }

    fn place(&self, row: u64) -> RowPlace {
        RowPlace { file: None, spot: Spot::RowOfSheet { row, sheet: self.sheet.clone() } }
    }

    fn fail(&self, fault: SheetFault) -> SourceError {
        SourceError::new(self.shown(), fault)
    }

    fn shown(&self) -> String {
        self.path.display().to_string()
    }
}

/// The wanted columns of a batch while rows are added.
struct Growing {
    places: Vec<usize>,
    builders: Vec<StringChunkedBuilder>,
    numbers: Vec<u64>,
}

impl Growing {
    fn new(places: &[usize]) -> Self {
        let builders = places.iter().map(|_| StringChunkedBuilder::new("column".into(), 0)).collect();
        Self { places: places.to_vec(), builders, numbers: Vec::new() }
    }

    fn push(&mut self, table: &SheetSource, row: &SheetRow) -> Result<(), Stop> {
        for (place, builder) in self.places.iter().zip(&mut self.builders) {
            let column = table.first_column + u32::try_from(*place).unwrap_or(u32::MAX);
            if let Some((_, fault)) = row.faults.iter().find(|(faulty, _)| *faulty == column) {
                return Err(Stop::Fault(fault.clone(), row.number));
            }
            builder.append_option(row.text(column).filter(|text| !text.is_empty()));
        }
        self.numbers.push(row.number);
        Ok(())
    }

    fn finish(&mut self) -> (Vec<Series>, Vec<u64>) {
        let grown = std::mem::replace(self, Self::new(&self.places));
        (grown.builders.into_iter().map(|builder| builder.finish().into_series()).collect(), grown.numbers)
    }
}

/// Whether a file has the container format of encrypted workbooks and of those before 2007.
fn is_compound(path: &Path) -> bool {
    let mut start = [0; 8];
    let read = File::open(path).and_then(|mut file| std::io::Read::read_exact(&mut file, &mut start));
    read.is_ok() && start == [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]
}
