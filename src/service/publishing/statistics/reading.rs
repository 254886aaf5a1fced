//! Reads a query file into a statistic: parses, plans and prices it, and draws nothing.
//!
//! Every fault is reported with its place in the file, and the same file under the same policy always costs the same. It needs no
//! data.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::face::Face;
use super::statistic::Statistic;
use crate::kernel::privacy::amounts::{Epsilon, Price};
use crate::query::error::{Position, QueryError, shown};
use crate::query::file::{FileFault, QueryFile};
use crate::query::parse;
use crate::service::asking::ask::{Ask, MarginText, RequestedAccuracy};
use crate::service::asking::asked::dataset_of;
use crate::service::asking::quote::priced_epsilon;
use crate::service::{Dataset, Priced, Service, ServiceError};

/// Why a query file cannot be published. A server with such a file does not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {why}")]
pub struct StatisticFault {
    /// The path of the file.
    pub path: String,
    /// The line of the file, counted from 1; `None` if the fault concerns the whole file.
    pub line: Option<u64>,
    /// The column of that line, counted from 1 in characters.
    pub column: Option<u64>,
    /// What is wrong; the text names the place, too.
    pub why: String,
}

impl StatisticFault {
    /// Makes a fault from an error in the headers of a file.
    #[must_use]
    pub fn of_headers(path: &Path, fault: &FileFault) -> Self {
        Self { path: path.display().to_string(), line: fault.line(), column: None, why: fault.to_string() }
    }
}

/// What is wrong with a file, before its path is attached.
enum Unfit {
    /// The fault concerns the whole file.
    Whole(String),
    /// The fault concerns the accuracy in the headers.
    Accuracy(String),
    /// The fault is at this position of the SQL.
    Sql(Position, String),
}

impl Unfit {
    fn in_file(self, path: &Path, file: &QueryFile) -> StatisticFault {
        let path = path.display().to_string();
        match self {
            Self::Whole(why) => StatisticFault { path, line: None, column: None, why },
            Self::Accuracy(why) => {
                let line = file.accuracy_line;
                StatisticFault { path, line: Some(line), column: None, why: format!("line {line}: {why}") }
            }
            Self::Sql(at, why) => {
                let at = file.place(at);
                let (line, column) = (Some(at.line), Some(at.column));
                StatisticFault { path, line, column, why: format!("{at}: {why}") }
            }
        }
    }
}

impl From<QueryError> for Unfit {
    fn from(error: QueryError) -> Self {
        let hint = error.hint.as_ref().map_or_else(String::new, |hint| format!(" ({hint})"));
        match error.position {
            // The message names the position in the SQL; it is removed, because the position in the file is reported instead.
            Some(at) => Self::Sql(at, format!("{}{hint}", error.message.replacen(&format!(" at {at}"), "", 1))),
            None => Self::Whole(format!("{error}{hint}")),
        }
    }
}

impl From<ServiceError> for Unfit {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Query(error) => error.into(),
            other => Self::Accuracy(other.to_string()),
        }
    }
}

/// Makes a statistic from a file whose headers have been read, under the policies of the given datasets.
///
/// # Errors
/// [`StatisticFault`] with the place in the file.
pub fn read_file(
    datasets: &BTreeMap<String, Arc<Dataset>>,
    path: &Path,
    file: &QueryFile,
) -> Result<Statistic, StatisticFault> {
    read_priced(datasets, path, file).map(|(statistic, _)| statistic)
}

/// Makes a statistic from a file, and returns it with its priced question.
pub(super) fn read_priced(
    datasets: &BTreeMap<String, Arc<Dataset>>,
    path: &Path,
    file: &QueryFile,
) -> Result<(Statistic, Priced), StatisticFault> {
    let read = named(path).and_then(|name| priced(datasets, name, file));
    read.map_err(|unfit| unfit.in_file(path, file))
}

/// The name of a statistic: its file's name without the ending.
fn named(path: &Path) -> Result<String, Unfit> {
    let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    if is_name(&name) {
        return Ok(name);
    }
    let accepted = "accepted are 1 to 100 letters, digits and - _, beginning with a letter or digit";
    Err(Unfit::Whole(format!("\"{}\" is not a valid name for a statistic; {accepted}", shown(&name))))
}

fn is_name(name: &str) -> bool {
    (1..=100).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

fn priced(
    datasets: &BTreeMap<String, Arc<Dataset>>,
    name: String,
    file: &QueryFile,
) -> Result<(Statistic, Priced), Unfit> {
    let ask = ask(file)?;
    let query = parse::parse(&ask.sql)?;
    let named = &query.dataset;
    let dataset = dataset_of(&query, datasets, &|_| true)
        .map_err(|_| Unfit::Sql(named.at, format!("the dataset \"{}\" is not served", shown(&named.text))))?;
    if let Some(header) = file.dataset.as_ref().filter(|header| **header != dataset.name) {
        let (header, asked) = (shown(header), &dataset.name);
        let why = format!("the header \"dataset\" is \"{header}\", and the SQL asks \"{asked}\"");
        return Err(Unfit::Sql(named.at, why));
    }
    let priced = Service::price_of(dataset, &query, &ask)?;
    if priced.plan.sought.is_empty() {
        let why = "it measures nothing: keys alone are public and need no statistic";
        return Err(Unfit::Sql(named.at, why.to_owned()));
    }
    let amount = priced.asked.iter().fold(Price::ZERO, |sum, price| sum.saturating_add(*price));
    let price = priced_epsilon(&priced, &ask, amount);
    let (most, accountant) = (dataset.terms.max_epsilon_per_query, dataset.terms.accountant);
    if amount > accountant.cap(most) {
        return Err(Unfit::Accuracy(format!("it costs epsilon {price}, and one query may cost at most {most}")));
    }
    // Unwrap safety: the parts are plain data.
    let text = serde_json::to_vec(&(&priced.sql, (&file.epsilon, &file.margin))).expect("a question is plain data");
    let statistic = Statistic {
        name,
        dataset: dataset.name.clone(),
        lineage: dataset.lineage.clone(),
        refresh: file.refresh,
        face: Face::of(file, &price),
        sql: priced.sql.clone(),
        epsilon: Epsilon::parse(&price).unwrap_or_else(|_| accountant.epsilon_spent(amount)),
        amount,
        ask,
        question: *blake3::hash(&text).as_bytes(),
    };
    Ok((statistic, priced))
}

fn ask(file: &QueryFile) -> Result<Ask, Unfit> {
    let margin = file.margin.clone().map(MarginText::Every);
    let epsilon = file.epsilon.as_deref().filter(|_| margin.is_none());
    let accuracy =
        RequestedAccuracy::new(epsilon, margin.as_ref()).map_err(|fault| Unfit::Accuracy(fault.to_string()))?;
    let purpose = Some("published statistic".to_owned());
    Ok(Ask { sql: file.sql.clone(), accuracy, rows_per_unit: None, group_size: None, purpose })
}
