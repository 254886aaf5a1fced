//! The formats of answers, how they are asked for, and how a table is encoded in each.
//!
//! Promises that every format carries the provenance of the answer, and that columns of files depend on the question alone. A CSV table has
//! neither lines before its header nor words in place of numbers unless somebody asks for them, so that every program can read it.

use axum::http::{HeaderMap, Uri, header};
use serde::Serialize;
use strum::VariantArray;

use super::pieces::{Pieces, TextRows, Unencodable};
use super::problem::Problem;
use crate::query::answer::Table;
use crate::query::error::shown;
use crate::render::arrow::{self, Columnar};
use crate::render::columns::TextStyle;
use crate::render::provenance::Provenance;
use crate::render::workbook;
use crate::service::asking::rooms::Rendering;

/// A format in which answers are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, VariantArray)]
pub enum AnswerFormat {
    /// JSON, with media type `application/json`.
    Json,
    /// CSV, with media type `text/csv`.
    Csv,
    /// An Arrow IPC stream, with media type `application/vnd.apache.arrow.stream`.
    Arrow,
    /// An Arrow IPC file, with media type `application/vnd.apache.arrow.file`.
    Feather,
    /// Parquet, with media type `application/vnd.apache.parquet`.
    Parquet,
    /// A workbook, with media type `application/vnd.openxmlformats-officedocument.spreadsheetml.sheet`.
    Xlsx,
}

impl AnswerFormat {
    /// The format's media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv",
            Self::Arrow => "application/vnd.apache.arrow.stream",
            Self::Feather => "application/vnd.apache.arrow.file",
            Self::Parquet => "application/vnd.apache.parquet",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }

    /// The ending of a file in this format.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Arrow => "arrow",
            Self::Feather => "feather",
            Self::Parquet => "parquet",
            Self::Xlsx => "xlsx",
        }
    }

    /// The format with this ending of a file's name.
    pub fn of_ending(ending: &str) -> Option<Self> {
        Self::VARIANTS.iter().copied().find(|format| format.ending() == ending)
    }

    /// What an answer is rendered as, which determines how much memory it may take.
    pub fn rendering(self) -> Rendering {
        match self {
            Self::Json | Self::Csv | Self::Arrow | Self::Feather | Self::Parquet => Rendering::Data,
            Self::Xlsx => Rendering::Workbook,
        }
    }

    /// The format that `format` in the address asks for, or else `Accept`; JSON if neither does.
    fn asked(headers: &HeaderMap, address: &Uri) -> Result<Self, Problem> {
        match parameter(address, "format") {
            Some(ending) => Self::of_ending(&ending).ok_or_else(|| {
                let accepted = Self::VARIANTS.iter().map(|format| format.ending()).collect::<Vec<_>>().join(", ");
                Problem::invalid_request(format!("format is \"{}\"; accepted are {accepted}", shown(&ending)))
            }),
            None => {
                let offered: Vec<_> = Self::VARIANTS.iter().map(|format| (*format, format.media_type())).collect();
                negotiated(headers, &offered)
            }
        }
    }
}

/// The value of a parameter of an address; the first one if there are several.
pub fn parameter(address: &Uri, name: &str) -> Option<String> {
    let mut all = form_urlencoded::parse(address.query().unwrap_or_default().as_bytes());
    all.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// Which of these media types `Accept` asks for: the first one with the highest weight, or the first one that is offered if the header is
/// absent.
///
/// # Errors
/// A problem if none of them is acceptable.
pub fn negotiated<T: Copy>(headers: &HeaderMap, offered: &[(T, &str)]) -> Result<T, Problem> {
    let mut asked = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).peekable();
    if asked.peek().is_none() {
        return offered.first().map(|(first, _)| *first).ok_or_else(Problem::not_acceptable);
    }
    let mut best: Option<(f32, T)> = None;
    for range in asked.flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or("").to_ascii_lowercase();
        let weight = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0_f32);
        let found = offered.iter().find(|(_, media_type)| {
            let plain = media_type.split(';').next().unwrap_or_default();
            let (kind, _) = plain.split_once('/').unwrap_or_default();
            name == plain || name == "*/*" || name == format!("{kind}/*")
        });
        if let Some((one, _)) = found
            && weight > best.as_ref().map_or(0.0, |(weight, _)| *weight)
        {
            best = Some((weight, *one));
        }
    }
    best.map(|(_, one)| one).ok_or_else(Problem::not_acceptable)
}

/// How CSV is written. The default is plain data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct CsvStyle {
    /// How cells are written.
    pub text: TextStyle,
    /// Whether lines that begin with `#` and say where the table came from stand before the header.
    pub about: bool,
}

impl CsvStyle {
    /// Reads `nulls=words`, `digits=error` and `about=yes` from an address; other parameters are passed over.
    ///
    /// # Errors
    /// A problem if one of these has another value.
    pub fn of(address: &Uri) -> Result<Self, Problem> {
        let mut style = Self::default();
        for (name, value) in form_urlencoded::parse(address.query().unwrap_or_default().as_bytes()) {
            let (known, wanted) = match &*name {
                "nulls" => (&mut style.text.words, "words"),
                "digits" => (&mut style.text.rounded, "error"),
                "about" => (&mut style.about, "yes"),
                _ => continue,
            };
            if value != wanted {
                let detail = format!("{name} is \"{}\"; accepted is {wanted}", shown(&value));
                return Err(Problem::invalid_request(detail));
            }
            *known = true;
        }
        Ok(style)
    }
}

/// A format, and how CSV in it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Wanted {
    /// The data format of the file.
    pub format: AnswerFormat,
    /// How CSV is written; the default for every other format.
    style: CsvStyle,
}

impl Wanted {
    /// A format in a style, which counts for CSV alone.
    pub fn new(format: AnswerFormat, style: CsvStyle) -> Self {
        match format {
            AnswerFormat::Csv => Self { format, style },
            AnswerFormat::Json
            | AnswerFormat::Arrow
            | AnswerFormat::Feather
            | AnswerFormat::Parquet
            | AnswerFormat::Xlsx => Self { format, style: CsvStyle::default() },
        }
    }

    /// What `format` in the address or else `Accept` asks for, with the style that the address asks for.
    ///
    /// # Errors
    /// A problem if no format that is asked for is offered, or a parameter has a wrong value.
    pub fn negotiate(headers: &HeaderMap, address: &Uri) -> Result<Self, Problem> {
        Ok(Self::new(AnswerFormat::asked(headers, address)?, CsvStyle::of(address)?))
    }

    /// A word for entity tags that tells apart whatever has different bytes.
    pub fn tag(&self) -> String {
        let CsvStyle { text: TextStyle { words, rounded }, about } = self.style;
        let mark = |is_set: bool, mark: &'static str| if is_set { mark } else { "" };
        let marks = [mark(words, "-nulls"), mark(rounded, "-digits"), mark(about, "-about")];
        format!("{}{}", self.format.ending(), marks.concat())
    }
}

/// Encodes a table. `document` is the JSON document that surrounds its rows, with an empty list in their place.
///
/// # Errors
/// [`Unencodable`] if the table could not be encoded.
pub fn encoded(
    table: Table,
    wanted: Wanted,
    document: &impl Serialize,
    about: &Provenance,
) -> Result<Pieces, Unencodable> {
    let columnar = |table, format| arrow::encoded(table, format, about).map(Pieces::whole).ok_or(Unencodable);
    match wanted.format {
        AnswerFormat::Json => Pieces::ahead(TextRows::json(document, table)),
        AnswerFormat::Csv => {
            let lines = if wanted.style.about { about.lines() } else { Vec::new() };
            Pieces::ahead(TextRows::csv(table, wanted.style.text, &lines))
        }
        AnswerFormat::Arrow => columnar(table, Columnar::Stream),
        AnswerFormat::Feather => columnar(table, Columnar::File),
        AnswerFormat::Parquet => columnar(table, Columnar::Parquet),
        AnswerFormat::Xlsx => workbook::encoded(&table, about).map(Pieces::whole).ok_or(Unencodable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_are_read_from_addresses() {
        let of = |query: &str| CsvStyle::of(&format!("/a.csv{query}").parse().expect("an address"));
        assert_eq!(of("").ok(), Some(CsvStyle::default()));
        let all = of("?nulls=words&digits=error&about=yes&page=2").unwrap_or_else(|_| panic!("a style"));
        assert!(all.text.words && all.text.rounded && all.about);
        for wrong in ["?nulls=", "?nulls=word", "?digits=3", "?about=1"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Wanted::new(AnswerFormat::Csv, all).tag(), "csv-nulls-digits-about");
        assert_eq!(Wanted::new(AnswerFormat::Json, all).tag(), "json");
    }
}
