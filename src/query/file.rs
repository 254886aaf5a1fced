//! Query files: SQL with a few header comments, read by many.

use super::error::Position;
use crate::kernel::privacy::amounts::DecimalFault;

/// A query file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueryFile {
    /// For people.
    pub title: String,
    /// More for people.
    pub description: Option<String>,
    /// The dataset, for readers that do not parse SQL.
    pub dataset: Option<String>,
    /// 95 % half-width of counts and sums.
    pub margin: Option<String>,
    /// Or the ε to spend.
    pub epsilon: Option<String>,
    /// How often it is drawn anew; never where nothing is said.
    pub refresh: Refresh,
    /// Whether it is shown without a token; not where nothing is said.
    pub public: bool,
    /// How it is shown; as a table where nothing is said.
    pub chart: Shape,
    /// The unit of its numbers.
    pub unit: Option<String>,
    /// The SQL, without the headers.
    pub sql: String,
    /// The line of the file that the SQL begins on, counted from 1.
    pub sql_line: u64,
    /// The column of that line that the SQL begins at, counted from 1 in characters.
    pub sql_column: u64,
    /// The line of the accuracy, counted from 1.
    pub accuracy_line: u64,
}

/// How often a statistic is drawn anew. Nothing is drawn twice from one edition by a schedule: its rows would be the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Refresh {
    /// Once.
    #[default]
    Never,
    /// At most once a day.
    Daily,
    /// At most once a week, from Monday on.
    Weekly,
    /// At most once a month.
    Monthly,
    /// Once of each edition.
    OnNewEdition,
}

impl Refresh {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Never, Self::Daily, Self::Weekly, Self::Monthly, Self::OnNewEdition];

    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
            Self::OnNewEdition => "on-new-edition",
        }
    }
}

/// How a statistic is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shape {
    /// Bars with error bars.
    Bar,
    /// Lines with bands.
    Line,
    /// A table alone.
    #[default]
    Table,
    /// Numbers for programs alone; its page has the table all the same.
    Hidden,
}

impl Shape {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Bar, Self::Line, Self::Table, Self::Hidden];

    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bar => "bar",
            Self::Line => "line",
            Self::Table => "table",
            Self::Hidden => "none",
        }
    }
}

/// What is wrong with a query file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileFault {
    /// A header that is not known.
    #[error("line {line}: the header \"{name}\" is unknown; accepted are {HEADERS}")]
    UnknownHeader {
        /// Counts from 1.
        line: usize,
        /// The header.
        name: String,
    },
    /// A header that stands twice.
    #[error("line {line}: the header \"{name}\" stands twice")]
    Doubled {
        /// Counts from 1.
        line: usize,
        /// The header.
        name: String,
    },
    /// A header that says something else than it may.
    #[error("line {line}: the header \"{name}\" is \"{value}\"; accepted are {accepted}")]
    Value {
        /// Counts from 1.
        line: usize,
        /// The header.
        name: &'static str,
        /// What stands there.
        value: String,
        /// What may.
        accepted: String,
    },
    /// No accuracy, or two.
    #[error("it has {found} of the headers \"margin\" and \"epsilon\"; accepted is one of them, like -- margin: 500")]
    Accuracy {
        /// Neither or both.
        found: &'static str,
    },
    /// No title.
    #[error("its header \"title\" is missing; accepted is a line like -- title: Visits by region")]
    Title,
    /// An accuracy that is none.
    #[error(transparent)]
    Decimal(#[from] DecimalFault),
}

const HEADERS: &str = "title, description, dataset, margin, epsilon, refresh, public, chart, unit";

impl QueryFile {
    /// Reads a file: leading lines of the form `-- name: value` are headers.
    ///
    /// # Errors
    /// [`FileFault`] with the line.
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
                "refresh" => file.refresh = one_of(line, "refresh", value, &Refresh::ALL, Refresh::name)?,
                "chart" => file.chart = one_of(line, "chart", value, &Shape::ALL, Shape::name)?,
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

    /// Takes the SQL, and notes where in the file it begins; the lines that are not SQL stand before it.
    fn begin(&mut self, sql: &[&str], lines: usize) {
        let headers = lines.saturating_sub(sql.len());
        let blank = sql.iter().take_while(|line| line.trim().is_empty()).count();
        let indent = sql.get(blank).map_or(0, |line| line.chars().take_while(|c| c.is_whitespace()).count());
        (self.sql_line, self.sql_column) = ((headers + blank + 1) as u64, (indent + 1) as u64);
        self.sql = sql.join("\n").trim().to_owned();
    }

    /// The place in the file of a place in its SQL.
    #[must_use]
    pub fn place(&self, at: Position) -> Position {
        let before = if at.line == 1 { self.sql_column.saturating_sub(1) } else { 0 };
        Position { line: at.line + self.sql_line.saturating_sub(1), column: at.column + before }
    }
}

impl FileFault {
    /// The line that it is about, counted from 1; `None` where it is about the whole file.
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
