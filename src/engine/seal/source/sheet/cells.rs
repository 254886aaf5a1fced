//! Reads the cells of a sheet as texts, row by row.

use std::fs::File;
use std::io::BufReader;

use calamine::{DataRef, ExcelDateTime, Xlsx, XlsxCellReader};

use super::fault::SheetFault;
use super::stop::Stop;
use crate::query::terms::domain::date_text;

pub(super) type Workbook = Xlsx<BufReader<File>>;

/// Excel's own limits on the size of a sheet.
const ROWS_MAX: u32 = 1_048_576;
const COLUMNS_MAX: u32 = 16_384;
/// The largest number up to which whole numbers are held exactly.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
const DAY_MS: i64 = 86_400_000;
/// The day before serial number 0 of each calendar, in days since 1970-01-01. The calendar of 1900 counts a 29 February that never existed.
const BEFORE_1900: i64 = -25_568;
const BEFORE_1904: i64 = -24_107;
/// The serial number of 29 February 1900.
const NO_DAY: i64 = 60;
/// The serial number of the last day of the year 9999.
const LAST_DAY: i64 = 2_958_465;

/// A row that contains something.
pub(super) struct SheetRow {
    /// The number of the row as the spreadsheet shows it, counted from 1.
    pub number: u64,
    /// The texts of the cells, with their columns, which are counted from 0.
    pub cells: Vec<(u32, String)>,
    /// The faults of cells, with their columns.
    pub faults: Vec<(u32, SheetFault)>,
}

impl SheetRow {
    pub(super) fn text(&self, column: u32) -> Option<&str> {
        let place = self.cells.binary_search_by_key(&column, |(other, _)| *other).ok()?;
        Some(self.cells[place].1.as_str())
    }

    /// The columns of the cells that contain something.
    pub(super) fn used(&self) -> impl Iterator<Item = u32> {
        let filled = self.cells.iter().filter(|(_, text)| !text.is_empty()).map(|(column, _)| *column);
        filled.chain(self.faults.iter().map(|(column, _)| *column))
    }
}

/// The rows of a sheet, in order.
pub(super) struct SheetRows<'a> {
    cells: XlsxCellReader<'a, BufReader<File>>,
    since_1904: bool,
    /// A cell of the next row that was read already.
    waiting: Option<Cell>,
    last_row: Option<u32>,
    ended: bool,
}

struct Cell {
    row: u32,
    column: u32,
    text: Result<String, SheetFault>,
}

impl<'a> SheetRows<'a> {
    pub(super) fn open(workbook: &'a mut Workbook, sheet: &str) -> Option<Self> {
        let since_1904 = Xlsx::has_1904_epoch(workbook);
        let cells = workbook.worksheet_cells_reader(sheet).ok()?;
        Some(Self { cells, since_1904, waiting: None, last_row: None, ended: false })
    }

    /// The next row in which a cell contains more than blanks.
    pub(super) fn next_row(&mut self) -> Result<Option<SheetRow>, Stop> {
        loop {
            let Some(first) = self.take()? else { return Ok(None) };
            if self.last_row.is_some_and(|last| last >= first.row) {
                return Err(Stop::Library);
            }
            self.last_row = Some(first.row);
            let mut row = SheetRow { number: u64::from(first.row) + 1, cells: Vec::new(), faults: Vec::new() };
            let number = first.row;
            let mut next = Some(first);
            while let Some(cell) = next.take() {
                if cell.row != number {
                    self.waiting = Some(cell);
                    break;
                }
                let last =
                    row.cells.last().map(|(column, _)| *column).max(row.faults.last().map(|(column, _)| *column));
                if last.is_some_and(|last| last >= cell.column) {
                    return Err(Stop::Library);
                }
                match cell.text {
                    Ok(text) => row.cells.push((cell.column, text)),
                    Err(fault) => row.faults.push((cell.column, fault)),
                }
                next = self.take()?;
            }
            let is_blank = row.faults.is_empty() && row.cells.iter().all(|(_, text)| text.trim().is_empty());
            if !is_blank {
                return Ok(Some(row));
            }
        }
    }

    fn take(&mut self) -> Result<Option<Cell>, Stop> {
        if let Some(cell) = self.waiting.take() {
            return Ok(Some(cell));
        }
        while !self.ended {
            let Some(found) = self.cells.next_cell_with_formula_metadata().map_err(|_| Stop::Library)? else {
                self.ended = true;
                break;
            };
            let (row, column) = found.pos;
            if row >= ROWS_MAX || column >= COLUMNS_MAX {
                return Err(Stop::Library);
            }
            let text = match (found.value, found.formula) {
                (DataRef::Empty, None) => continue,
                (DataRef::Empty, Some(_)) => Err(SheetFault::Formula(letters(column))),
                (value, _) => self.text(value).ok_or_else(|| SheetFault::Rounded(letters(column))),
            };
            return Ok(Some(Cell { row, column, text }));
        }
        Ok(None)
    }

    /// A value as CSV text; `None` for a number that was rounded.
    fn text(&self, value: DataRef<'_>) -> Option<String> {
        match value {
            DataRef::Int(number) => Some(number.to_string()),
            DataRef::Float(number) => float(number),
            DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => Some(text),
            DataRef::SharedString(text) => Some(text.to_owned()),
            DataRef::Bool(value) => Some(value.to_string()),
            DataRef::DateTime(moment) => Some(self.moment(moment)),
            DataRef::Error(error) => Some(error.to_string()),
            DataRef::Empty => Some(String::new()),
        }
    }

    fn moment(&self, moment: ExcelDateTime) -> String {
        if moment.is_duration() { duration(moment.as_f64()) } else { date(moment.as_f64(), self.since_1904) }
    }
}

/// The shortest decimal number that is read back as this float; `None` if it may have been rounded.
fn float(number: f64) -> Option<String> {
    if number.abs() >= EXACT_MAX {
        return None;
    }
    // Spreadsheets have no negative zero.
    Some(if number == 0.0 { "0".to_owned() } else { number.to_string() })
}

/// Formats hours, minutes and seconds, with milliseconds if there are any.
fn time(ms: i64) -> String {
    let (seconds, ms) = (ms / 1_000, ms % 1_000);
    let text = format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if ms == 0 { text } else { format!("{text}.{ms:03}") }
}

fn duration(days: f64) -> String {
    let ms = whole_ms(days);
    if ms < 0 { format!("-{}", time(-ms)) } else { time(ms) }
}

/// Formats the day of a serial number, with its time if it has one; only a time if there is no day. What a spreadsheet shows as `####`
/// becomes `#DATE`, which is not a valid date.
fn date(serial: f64, since_1904: bool) -> String {
    let ms = whole_ms(serial);
    let (day, rest) = (ms.div_euclid(DAY_MS), ms.rem_euclid(DAY_MS));
    let last = if since_1904 { LAST_DAY + BEFORE_1900 - 1 - BEFORE_1904 } else { LAST_DAY };
    if !(0..=last).contains(&day) {
        return "#DATE".to_owned();
    }
    let is_time = day == 0 && (rest > 0 || !since_1904);
    if is_time {
        return time(rest);
    }
    let day = match (since_1904, day) {
        (true, day) => date_text(i32::try_from(BEFORE_1904 + day).unwrap_or_default()),
        (false, NO_DAY) => "1900-02-29".to_owned(),
        (false, day) => date_text(i32::try_from(BEFORE_1900 + day - i64::from(day > NO_DAY)).unwrap_or_default()),
    };
    if rest == 0 { day } else { format!("{day} {}", time(rest)) }
}

#[expect(clippy::cast_possible_truncation, reason = "a float saturates, and what is so far away is no date")]
fn whole_ms(days: f64) -> i64 {
    (days * 86_400_000.0).round() as i64
}

/// The letters of a column, whose number is counted from 0.
pub(super) fn letters(column: u32) -> String {
    let (before, last) = (column / 26, column % 26);
    let last = char::from_u32(u32::from(b'A') + last).unwrap_or('?');
    if before == 0 { last.to_string() } else { format!("{}{last}", letters(before - 1)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_are_days() {
        for (serial, since_1904, text) in [
            (1.0, false, "1900-01-01"),
            (59.0, false, "1900-02-28"),
            (60.0, false, "1900-02-29"),
            (61.0, false, "1900-03-01"),
            (43_831.0, false, "2020-01-01"),
            (45_943.541, false, "2025-10-13 12:59:02.400"),
            (43_830.999_999_999_9, false, "2020-01-01"),
            (43_831.5, false, "2020-01-01 12:00:00"),
            (2_958_465.0, false, "9999-12-31"),
            (2_958_466.0, false, "#DATE"),
            (-1.0, false, "#DATE"),
            (f64::NAN, false, "00:00:00"),
            (0.0, false, "00:00:00"),
            (0.25, false, "06:00:00"),
            (42_369.0, true, "2020-01-01"),
            (0.0, true, "1904-01-01"),
            (0.25, true, "06:00:00"),
            (2_957_003.0, true, "9999-12-31"),
            (2_957_004.0, true, "#DATE"),
        ] {
            assert_eq!(date(serial, since_1904), text, "{serial}");
        }
        assert_eq!(duration(1.5), "36:00:00");
        assert_eq!(duration(-0.25), "-06:00:00");
    }

    #[test]
    fn numbers_are_written_as_short_as_they_are_read_back() {
        for (number, text) in [
            (30.0, Some("30")),
            (-0.0, Some("0")),
            (6.5, Some("6.5")),
            (0.1 + 0.2, Some("0.30000000000000004")),
            (1e-7, Some("0.0000001")),
            (9_007_199_254_740_991.0, Some("9007199254740991")),
            (9_007_199_254_740_992.0, None),
            (-1e300, None),
        ] {
            assert_eq!(float(number).as_deref(), text);
        }
    }
}
