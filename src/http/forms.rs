//! The forms of what is read by address: published statistics and stored answers, as data, as a chart, or as a citation.
//!
//! Promises that an ending of the path, the parameter `format` and the header `Accept` ask for the same forms of both, in this order.

use axum::http::{HeaderMap, Uri};

use super::formats::{AnswerFormat, CsvStyle, Wanted, negotiated, parameter};
use super::problem::Problem;
use crate::query::error::shown;
use crate::service::asking::rooms::Rendering;
use strum::VariantArray;

/// A form in which a statistic or a stored answer is offered as a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileForm {
    /// An answer in one of the data formats.
    Answer(Wanted),
    /// A chart as SVG.
    Svg,
    /// A chart as PNG.
    Png,
    /// A Vega-Lite specification with its data.
    Vega,
    /// A citation in plain text.
    Citation,
}

/// The forms that hold no table of their own.
const TOLD: [FileForm; 4] = [FileForm::Svg, FileForm::Png, FileForm::Vega, FileForm::Citation];

/// The endings of all forms, for messages.
const ENDINGS: &str = ".json, .csv, .xlsx, .arrow, .feather, .parquet, .svg, .png, .vl.json and .txt";

impl FileForm {
    /// The form with this ending of a file's name, like `csv`, which is written in `style`; `None` for an unknown ending.
    #[must_use]
    pub fn of_ending(ending: &str, style: CsvStyle) -> Option<Self> {
        let told = TOLD.into_iter().find(|form| form.ending() == ending);
        told.or_else(|| AnswerFormat::of_ending(ending).map(|format| Self::Answer(Wanted::new(format, style))))
    }

    /// The ending of a file in this form.
    #[must_use]
    pub fn ending(self) -> &'static str {
        match self {
            Self::Answer(wanted) => wanted.format.ending(),
            Self::Svg => "svg",
            Self::Png => "png",
            Self::Vega => "vl.json",
            Self::Citation => "txt",
        }
    }

    /// A word for the form, for messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Answer(wanted) => wanted.format.ending(),
            Self::Svg => "SVG",
            Self::Png => "PNG",
            Self::Vega => "Vega-Lite",
            Self::Citation => "a citation",
        }
    }

    /// A word for entity tags that tells apart whatever has different bytes.
    #[must_use]
    pub fn tag(self) -> String {
        match self {
            Self::Answer(wanted) => wanted.tag(),
            Self::Svg | Self::Png | Self::Vega | Self::Citation => self.ending().to_owned(),
        }
    }

    /// The kind of rendering, which determines how much memory it may take.
    #[must_use]
    pub fn rendering(self) -> Rendering {
        match self {
            Self::Answer(wanted) => wanted.format.rendering(),
            Self::Svg | Self::Vega => Rendering::Page,
            Self::Png => Rendering::Picture,
            Self::Citation => Rendering::Data,
        }
    }

    /// The media type of the file.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Answer(wanted) => wanted.format.media_type(),
            Self::Svg => "image/svg+xml",
            Self::Png => "image/png",
            Self::Vega => "application/vnd.vegalite.v5+json",
            Self::Citation => "text/plain; charset=utf-8",
        }
    }
}

/// A form in which a statistic is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatisticForm {
    /// A file in one of the forms that are offered for download.
    File(FileForm),
    /// An HTML page by itself, with the way to the gallery.
    Page,
    /// An HTML page to embed, without anything around it.
    Embedded,
    /// What its pages show, as a part of a page.
    Article,
    /// The picture on its card in the gallery: a part of a page.
    Card,
    /// A part of a page of several statistics: the chart, or a short table.
    Panel,
    /// Its numbers as lines for Prometheus.
    Samples,
}

impl StatisticForm {
    /// A word for the form, for messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::File(form) => form.name(),
            Self::Page | Self::Embedded | Self::Article => "a page",
            Self::Card => "a card",
            Self::Panel => "a panel",
            Self::Samples => "samples",
        }
    }

    /// The kind of rendering, which determines how much memory it may take.
    #[must_use]
    pub fn rendering(self) -> Rendering {
        match self {
            Self::Page | Self::Embedded | Self::Article | Self::Card | Self::Panel => Rendering::Page,
            Self::File(form) => form.rendering(),
            Self::Samples => Rendering::Data,
        }
    }

    /// The media type of the bytes.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::File(form) => form.media_type(),
            Self::Page | Self::Embedded | Self::Article | Self::Card | Self::Panel => "text/html; charset=utf-8",
            Self::Samples => "text/plain; charset=utf-8",
        }
    }
}

/// The name and the form that a request asks for: by the path's ending, by `format`, or by `Accept`.
///
/// # Errors
/// A problem if a form is asked for that is not offered, or if the ending and `format` contradict each other.
pub fn wanted<'a>(path: &'a str, headers: &HeaderMap, address: &Uri) -> Result<(&'a str, FileForm), Problem> {
    let style = CsvStyle::of(address)?;
    let (name, ending) = path.split_once('.').map_or((path, None), |(name, ending)| (name, Some(ending)));
    let format = parameter(address, "format");
    match (ending, format.as_deref()) {
        (Some(ending), Some(format)) if ending != format => {
            let detail = format!("the path ends with \".{}\", and format is \"{}\"", shown(ending), shown(format));
            Err(Problem::invalid_request(detail).hint("give one of them"))
        }
        (Some(ending), _) => Ok((name, FileForm::of_ending(ending, style).ok_or_else(|| no_form(ending))?)),
        (None, Some(format)) => Ok((name, FileForm::of_ending(format, style).ok_or_else(|| no_format(format))?)),
        (None, None) => Ok((name, accepted(headers, style)?)),
    }
}

/// The form that `Accept` asks for. Browsers that open an address as a page name `text/html` first, beside pictures that they could show in
/// a page: they get the data.
fn accepted(headers: &HeaderMap, style: CsvStyle) -> Result<FileForm, Problem> {
    let data = AnswerFormat::VARIANTS.iter().map(|format| FileForm::Answer(Wanted::new(*format, style)));
    let all = headers.get_all(axum::http::header::ACCEPT);
    let is_page = all.iter().any(|value| value.to_str().is_ok_and(|text| text.contains("text/html")));
    let told = TOLD.into_iter().filter(|_| !is_page);
    let offered: Vec<_> = data.chain(told).map(|form| (form, form.media_type())).collect();
    negotiated(headers, &offered)
}

fn no_form(ending: &str) -> Problem {
    Problem::not_found(format!("there is no form \".{}\"; accepted are {ENDINGS}", shown(ending)))
}

fn no_format(format: &str) -> Problem {
    let accepted = ENDINGS.replace(" .", " ");
    let accepted = accepted.trim_start_matches('.');
    Problem::invalid_request(format!("format is \"{}\"; accepted are {accepted}", shown(format)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_parameters_and_headers_ask_for_the_same_forms() {
        let of = |path: &str, query: &str, accept: &str| {
            let headers = [(axum::http::header::ACCEPT, accept.parse().expect("a value"))].into_iter().collect();
            let address = format!("/v1/statistics/{path}{query}").parse().expect("an address");
            wanted(path, &headers, &address).map(|(name, form)| format!("{name} {}", form.tag())).ok()
        };
        for (path, query, accept, found) in [
            ("a.csv", "", "*/*", Some("a csv")),
            ("a", "?format=csv", "*/*", Some("a csv")),
            ("a", "?format=csv&nulls=words", "*/*", Some("a csv-nulls")),
            ("a", "", "text/csv", Some("a csv")),
            ("a", "", "*/*", Some("a json")),
            ("a.vl.json", "?format=vl.json", "*/*", Some("a vl.json")),
            ("a", "?format=png", "text/csv", Some("a png")),
            ("a", "", "image/png", Some("a png")),
            ("a", "", "image/avif,image/webp,image/svg+xml,image/*;q=0.8,*/*;q=0.5", Some("a svg")),
            ("a", "", "text/html,application/xml;q=0.9,image/png,*/*;q=0.8", Some("a json")),
            ("a", "", "text/plain", Some("a txt")),
            ("a.csv", "?format=json", "*/*", None),
            ("a.exe", "", "*/*", None),
            ("a", "?format=exe", "*/*", None),
            ("a", "?format=", "*/*", None),
            ("a", "", "application/pdf", None),
        ] {
            assert_eq!(of(path, query, accept).as_deref(), found, "{path}{query} for {accept}");
        }
        for form in TOLD {
            assert_eq!(FileForm::of_ending(form.ending(), CsvStyle::default()), Some(form));
            assert!(ENDINGS.contains(&format!(".{}", form.ending())));
        }
    }
}
