//! Query files: SQL with a few header comments, read by many.

use crate::privacy::units::DecimalFault;

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
    /// How often it is drawn anew: `never`, `daily`, `weekly`, `monthly`, `on-new-edition`.
    pub refresh: Option<String>,
    /// Whether it is shown without a token: `true` or `false`.
    pub public: Option<String>,
    /// How it is drawn: `bar`, `line`, `table`, `none`.
    pub chart: Option<String>,
    /// The unit of its numbers.
    pub unit: Option<String>,
    /// The SQL, without the headers.
    pub sql: String,
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
    /// No accuracy, or two.
    #[error("a query file has either a \"-- margin:\" or an \"-- epsilon:\" header")]
    Accuracy,
    /// No title.
    #[error("a query file has a \"-- title:\" header")]
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
        let mut title = None;
        let mut sql = Vec::new();
        for (line, content) in (1..).zip(text.lines()) {
            let header = content.strip_prefix("-- ").and_then(|rest| rest.split_once(": ")).filter(|_| sql.is_empty());
            let Some((name, value)) = header else {
                sql.push(content);
                continue;
            };
            let slot = match name {
                "title" => &mut title,
                "description" => &mut file.description,
                "dataset" => &mut file.dataset,
                "margin" => &mut file.margin,
                "epsilon" => &mut file.epsilon,
                "refresh" => &mut file.refresh,
                "public" => &mut file.public,
                "chart" => &mut file.chart,
                "unit" => &mut file.unit,
                other => return Err(FileFault::UnknownHeader { line, name: super::error::shown(other) }),
            };
            if slot.replace(value.trim().to_owned()).is_some() {
                return Err(FileFault::Doubled { line, name: name.to_owned() });
            }
        }
        if file.margin.is_some() == file.epsilon.is_some() {
            return Err(FileFault::Accuracy);
        }
        file.title = title.ok_or(FileFault::Title)?;
        file.sql = sql.join("\n").trim().to_owned();
        Ok(file)
    }
}
