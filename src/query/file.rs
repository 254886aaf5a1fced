//! Query files: SQL with a few header comments. The server publishes them, the tests run them and the benchmarks load them.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray, VariantNames};

use super::error::Position;
use crate::kernel::privacy::amounts::DecimalFault;

/// A parsed query file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueryFile {
    /// Title, for people.
    pub title: String,
    /// Longer description for people, if there is one.
    pub description: Option<String>,
    /// Name of the dataset, for readers that do not parse SQL.
    pub dataset: Option<String>,
    /// 95 % half-width asked for counts and sums, as decimal text; set if and only if `epsilon` is not.
    pub margin: Option<String>,
    /// The ε to spend, as decimal text; set if and only if `margin` is not.
    pub epsilon: Option<String>,
    /// How often the statistic is drawn again; [`Refresh::Never`] by default.
    pub refresh: Refresh,
    /// Whether the statistic is shown without a token; false by default.
    pub public: bool,
    /// How the statistic is shown; [`Presentation::Table`] by default.
    pub chart: Presentation,
    /// What the numbers are measured in, from the header `unit`; a label for charts.
    pub unit: Option<String>,
    /// The SQL text, without the headers.
    pub sql: String,
    /// Line of the file on which the SQL begins, counted from 1.
    pub sql_line: u64,
    /// Column of that line in which the SQL begins, in characters counted from 1.
    pub sql_column: u64,
    /// Line of the header that states the accuracy, counted from 1.
    pub accuracy_line: u64,
    /// What a refused question means, from its headers `means`; empty for a question that is answered.
    pub means: Vec<MeantForm>,
}

/// What a refused question means, in terms of questions that are answered: one header `means` of a file in `queries/refused/`. The hint of
/// its refusal must lead there, or nowhere if there is no such question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MeantForm {
    /// `nothing`: no question that is answered means the same.
    Nothing,
    /// SQL of a question that means the same. Several of them are several ways to say it.
    Question(String),
    /// `in parts: SQL`: one of several questions whose answers together are what was asked for.
    Part(String),
    /// `epsilon: 0.5`: the question as it is written, at this ε.
    Epsilon(String),
}

impl MeantForm {
    fn read(value: &str) -> Self {
        if value == "nothing" {
            return Self::Nothing;
        }
        match (value.strip_prefix("in parts: "), value.strip_prefix("epsilon: ")) {
            (Some(sql), _) => Self::Part(sql.to_owned()),
            (None, Some(epsilon)) => Self::Epsilon(epsilon.to_owned()),
            (None, None) => Self::Question(value.to_owned()),
        }
    }
}

/// How often a statistic is drawn again. A schedule never draws twice from one edition, as its rows would be the same.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, IntoStaticStr, VariantArray, VariantNames,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Refresh {
    /// Drawn once and never again.
    #[default]
    Never,
    /// Drawn at most once a day.
    Daily,
    /// Drawn at most once a week; weeks begin on Monday.
    Weekly,
    /// Drawn at most once a month.
    Monthly,
    /// Drawn once for each edition.
    OnNewEdition,
}

impl Refresh {
    /// All schedules, in the order of this enum.
    pub const ALL: &'static [Self] = <Self as VariantArray>::VARIANTS;

    /// Name of the schedule in query files.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// How a statistic is shown on its page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, IntoStaticStr, VariantArray, VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum Presentation {
    /// Bar chart with error bars.
    Bar,
    /// Line chart with bands for the intervals.
    Line,
    /// Table without a chart.
    #[default]
    Table,
    /// No chart, as the numbers are meant for programs; the statistic's page still has the table.
    #[strum(serialize = "none")]
    Hidden,
}

impl Presentation {
    /// All shapes, in the order of this enum.
    pub const ALL: &'static [Self] = <Self as VariantArray>::VARIANTS;

    /// Name of the shape in query files.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// Fault in a query file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileFault {
    /// A header has an unknown name.
    #[error("line {line}: the header \"{name}\" is unknown; accepted are {HEADERS}")]
    UnknownHeader {
        /// Line of the file, counted from 1.
        line: usize,
        /// Name of the header, as written.
        name: String,
    },
    /// A header occurs twice.
    #[error("line {line}: the header \"{name}\" stands twice")]
    Doubled {
        /// Line of the second occurrence, counted from 1.
        line: usize,
        /// Name of the header, as written.
        name: String,
    },
    /// A header has a value that is not accepted.
    #[error("line {line}: the header \"{name}\" is \"{value}\"; accepted are {accepted}")]
    Value {
        /// Line of the file, counted from 1.
        line: usize,
        /// Name of the header, as written.
        name: &'static str,
        /// Value of the header, as written.
        value: String,
        /// The accepted values, separated by commas.
        accepted: String,
    },
    /// The file states no accuracy, or states it twice.
    #[error("it has {found} of the headers \"margin\" and \"epsilon\"; accepted is one of them, like -- margin: 500")]
    Accuracy {
        /// The word `neither` or `both`.
        found: &'static str,
    },
    /// The title is missing.
    #[error("its header \"title\" is missing; accepted is a line like -- title: Visits by region")]
    Title,
    /// Invalid accuracy: the number cannot be read.
    #[error(transparent)]
    Decimal(#[from] DecimalFault),
}

const HEADERS: &str = "title, description, dataset, margin, epsilon, refresh, public, chart, unit, means";

impl QueryFile {
    /// Parses a query file: leading lines of the form `-- name: value` are headers, the rest is SQL. A header stands once, and `means` as
    /// often as is needed.
    ///
    /// # Errors
    /// [`FileFault`], with the line where it is about one.
    pub fn parse(text: &str) -> Result<Self, FileFault> {
        let mut file = Self::default();
        let (mut title, mut refresh, mut public, mut chart) = (None, None, None, None);
        let mut sql = Vec::new();
        for (line, content) in (1..).zip(text.lines()) {
            let header = content.strip_prefix("-- ").and_then(|rest| rest.split_once(": ")).filter(|_| sql.is_empty());
            let Some((name, value)) = header else {
                sql.push(content);
                continue;
            };
            if matches!(name, "margin" | "epsilon") {
                file.accuracy_line = line as u64;
            }
            if name == "means" {
                file.means.push(MeantForm::read(value.trim()));
                continue;
            }
            let slot = match name {
                "title" => &mut title,
                "description" => &mut file.description,
                "dataset" => &mut file.dataset,
                "margin" => &mut file.margin,
                "epsilon" => &mut file.epsilon,
                "refresh" => &mut refresh,
                "public" => &mut public,
                "chart" => &mut chart,
                "unit" => &mut file.unit,
                other => return Err(FileFault::UnknownHeader { line, name: super::error::shown(other) }),
            };
            let value = value.trim();
            if slot.replace(value.to_owned()).is_some() {
                return Err(FileFault::Doubled { line, name: name.to_owned() });
            }
            match name {
                "refresh" => file.refresh = one_of(line, "refresh", value, Refresh::ALL, Refresh::name)?,
                "chart" => file.chart = one_of(line, "chart", value, Presentation::ALL, Presentation::name)?,
                "public" => file.public = one_of(line, "public", value, &[true, false], truth)?,
                _ => {}
            }
        }
        file.title = title.ok_or(FileFault::Title)?;
        match (&file.margin, &file.epsilon) {
            (None, None) => return Err(FileFault::Accuracy { found: "neither" }),
            (Some(_), Some(_)) => return Err(FileFault::Accuracy { found: "both" }),
            (Some(_), None) | (None, Some(_)) => {}
        }
        file.begin(&sql, text.lines().count());
        Ok(file)
    }

    /// Takes over the SQL and records where in the file it begins. The lines that are not SQL all come before it.
    fn begin(&mut self, sql: &[&str], lines: usize) {
        let headers = lines.saturating_sub(sql.len());
        let blank = sql.iter().take_while(|line| line.trim().is_empty()).count();
        let indent = sql.get(blank).map_or(0, |line| line.chars().take_while(|c| c.is_whitespace()).count());
        (self.sql_line, self.sql_column) = ((headers + blank + 1) as u64, (indent + 1) as u64);
        self.sql = sql.join("\n").trim().to_owned();
    }

    /// Converts a position in the SQL to the position in the file.
    #[must_use]
    pub fn place(&self, at: Position) -> Position {
        let before = if at.line == 1 { self.sql_column.saturating_sub(1) } else { 0 };
        Position { line: at.line + self.sql_line.saturating_sub(1), column: at.column + before }
    }
}

impl FileFault {
    /// Line that the fault is about, counted from 1; `None` if it is about the whole file.
    #[must_use]
    pub fn line(&self) -> Option<u64> {
        match self {
            Self::UnknownHeader { line, .. } | Self::Doubled { line, .. } | Self::Value { line, .. } => {
                Some(*line as u64)
            }
            Self::Accuracy { .. } | Self::Title | Self::Decimal(_) => None,
        }
    }
}

fn truth(truth: bool) -> &'static str {
    if truth { "true" } else { "false" }
}

fn one_of<T: Copy>(
    line: usize,
    name: &'static str,
    value: &str,
    all: &[T],
    word: impl Fn(T) -> &'static str,
) -> Result<T, FileFault> {
    all.iter().copied().find(|one| word(*one) == value).ok_or_else(|| {
        let accepted = all.iter().map(|one| word(*one)).collect::<Vec<_>>().join(", ");
        FileFault::Value { line, name, value: super::error::shown(value), accepted }
    })
}
