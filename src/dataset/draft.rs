//! A draft of a policy from a data file.
//!
//! Bounds and lists seen in data are a disclosure: the draft says so, and a steward replaces them by what is known without the data.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use polars::prelude::{DataType, Series};

use super::domain::date_days;
use super::policy::is_identifier;
use super::source::{Source, SourceError, Spec};

/// Rows looked at, at the most.
const ROWS_MAX: usize = 100_000;
/// Different texts that are still proposed as a list.
const VALUES_MAX: usize = 40;
const WARNING: &str = "\
# A DRAFT. Bounds and values below were seen in the data, and publishing them tells of single people:
# replace every one by what is known without looking (what the form allows, what the law says), then
# remove this warning. Choose the privacy unit, the rows per unit and the cap with care; see the README.
";

/// What was seen of one column.
#[derive(Default)]
struct Seen {
    nulls: bool,
    not_numbers: bool,
    not_whole: bool,
    not_dates: bool,
    not_booleans: bool,
    any: bool,
    low: f64,
    high: f64,
    first: String,
    last: String,
    texts: BTreeSet<String>,
}

/// Writes the draft of a policy for `path`.
///
/// # Errors
/// [`SourceError`] where the file cannot be read.
pub fn draft(path: &Path) -> Result<String, SourceError> {
    let source = Source::open(&Spec::file(path))?;
    let names: Vec<String> = source.columns().iter().map(|column| column.name.clone()).collect();
    let mut seen: Vec<Seen> = names.iter().map(|_| Seen::default()).collect();
    let mut rows = 0;
    let wanted: Vec<(usize, bool)> = (0..names.len()).map(|place| (place, true)).collect();
    let read = source.batches::<Enough>(&wanted, |batch| {
        for (column, seen) in batch.columns.iter().zip(&mut seen) {
            if let Ok(texts) = column.cast(&DataType::String) {
                seen.take(&texts);
            }
        }
        rows += batch.places.rows();
        if rows >= ROWS_MAX { Err(Enough::Rows) } else { Ok(()) }
    });
    if let Err(Enough::Source(error)) = read {
        return Err(error);
    }
    Ok(write(path, &names, &seen, rows))
}

/// Why reading ended before the file did.
enum Enough {
    Rows,
    Source(SourceError),
}

impl From<SourceError> for Enough {
    fn from(error: SourceError) -> Self {
        Self::Source(error)
    }
}

impl Seen {
    fn take(&mut self, texts: &Series) {
        let Ok(texts) = texts.str() else { return };
        for text in texts.iter() {
            match text.map(str::trim) {
                None | Some("") => self.nulls = true,
                Some(text) => self.value(text),
            }
        }
    }

    fn value(&mut self, text: &str) {
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => {
                self.not_whole |= value.fract() != 0.0;
                (self.low, self.high) =
                    if self.any { (self.low.min(value), self.high.max(value)) } else { (value, value) };
            }
            _ => self.not_numbers = true,
        }
        self.not_dates |= date_days(text).is_none();
        self.not_booleans |= !matches!(text, "0" | "1" | "true" | "false");
        if !self.any || *text < *self.first {
            text.clone_into(&mut self.first);
        }
        if *text > *self.last {
            text.clone_into(&mut self.last);
        }
        if self.texts.len() <= VALUES_MAX {
            self.texts.insert(text.to_owned());
        }
        self.any = true;
    }

    fn is_unit_like(&self, name: &str) -> bool {
        self.texts.len() > VALUES_MAX && (name == "id" || name.ends_with("_id")) && !self.nulls
    }

    fn column(&self, name: &str) -> String {
        let mut text = format!("\n[[column]]\nname = \"{name}\"\n");
        let domain = if !self.any {
            "type = \"category\"      # nothing was seen\nvalues = [\"unknown\"]".to_owned()
        } else if !self.not_booleans {
            "type = \"boolean\"".to_owned()
        } else if !self.not_dates {
            format!("type = \"date\"\nmin = {}\nmax = {}", self.first, self.last)
        } else if !self.not_numbers && !self.not_whole {
            format!("type = \"integer\"\nmin = \"{}\"\nmax = \"{}\"", self.low, self.high.max(self.low + 1.0))
        } else if !self.not_numbers {
            let (low, high) = (self.low.floor(), self.high.ceil().max(self.low.floor() + 1.0));
            format!("type = \"decimal\"\nmin = \"{low}\"\nmax = \"{high}\"\nstep = \"0.01\"")
        } else if self.texts.len() <= VALUES_MAX {
            let values: Vec<_> = self.texts.iter().map(|value| toml::Value::from(value.as_str()).to_string()).collect();
            format!("type = \"category\"\nvalues = [{}]", values.join(", "))
        } else {
            format!(
                "type = \"category\"      # more than {VALUES_MAX} values: list those that matter, or see type = \"text\"\nvalues = [\"…\"]"
            )
        };
        text.push_str(&domain);
        if self.nulls {
            text.push_str("\nnullable = true");
        }
        text.push('\n');
        text
    }
}

fn write(path: &Path, names: &[String], seen: &[Seen], rows: usize) -> String {
    let unit = names.iter().zip(seen).find(|(name, seen)| seen.is_unit_like(name)).map(|(name, _)| name.as_str());
    let file = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let stem = file.split('.').next().unwrap_or("").to_ascii_lowercase();
    let name = if is_identifier(&stem) { stem } else { "dataset".to_owned() };
    let mut text = String::from(WARNING);
    let _ =
        write!(text, "# {rows} rows of {file} were looked at.\n\n[dataset]\nname = \"{name}\"\nsource = \"{file}\"\n");
    match unit {
        Some(unit) => {
            let _ = write!(text, "privacy_unit = \"{unit}\"\nmax_rows_per_unit = 8\n");
        }
        None => text.push_str(
            "# NO COLUMN LOOKED LIKE A PERSON'S ID. If one names people, write it here, remove it from the columns below,\n\
             # and say how many rows one person may keep (max_rows_per_unit); \"row\" protects single rows, not people.\n\
             privacy_unit = \"row\"\n",
        ),
    }
    text.push_str("max_rows = 10_000_000\naccountant = \"gaussian\"\ncap = { epsilon = \"1\", delta = \"1e-9\" }\n");
    text.push_str("max_epsilon_per_query = \"0.5\"\n");
    for (name, seen) in names.iter().zip(seen).filter(|(name, _)| Some(name.as_str()) != unit) {
        if is_identifier(name) {
            text.push_str(&seen.column(name));
        } else {
            let _ = write!(text, "\n# column {name:?} is left out: a policy names columns by lower-case identifiers\n");
        }
    }
    text
}
