//! Checks query files before they are published: what each draw would cost, and how exact it would be.
//!
//! Nothing is drawn, charged or written, and no data is needed: prices follow from the policies' public terms, which stand in the
//! ledger.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::reading::StatisticFault;
use super::reading::read_priced;
use super::statistic::{Agreement, Statistic, agreement};
use crate::kernel::budget::entry::{AccountKind, Act, Entry};
use crate::kernel::budget::ledger::{Ledger, LedgerFault, read};
use crate::kernel::privacy::amounts::Epsilon;
use crate::kernel::privacy::certificate::{Subject, certify};
use crate::query::answer::expected::ExpectedWidth;
use crate::query::answer::{ColumnInfo, columns, laws};
use crate::query::file::{QueryFile, Refresh};
use crate::query::parse::parse;
use crate::query::terms::edition::of_table;
use crate::query::terms::policy::Terms;
use crate::service::asking::ask::Ask;
use crate::service::asking::expected::expected as errors;
use crate::service::asking::known::KnownGroups;
use crate::service::asking::margin;
use crate::service::stewarding::accounts;
use crate::service::stewarding::declared::DeclaredFile;
use crate::service::views::{Fraction, RoundedNumber, reported, reported_if_any};
use crate::service::{Dataset, Priced, Service, ServiceError};

/// Number of ledger entries that are read at a time.
const PAGE: usize = 10_000;

/// The result of checking one query file: what it would be as a statistic, or what is wrong with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Checked)]
pub struct StatisticCheck {
    /// The file's name, as it was given.
    pub file: String,
    /// What is wrong with the file; if this is present, all other fields but `file` are absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<CheckFault>,
    /// What the statistic would be: `name`, `title`, `dataset`, `refresh`, `public`, `epsilon`, `fraction`, `epsilon_remaining`,
    /// `columns`, `assumed_group_size` and `standing` stand next to the file's name.
    #[serde(flatten)]
    // An OpenAPI document cannot say that an object's flattened fields are present together or not at all, so this says that
    // there may be more fields.
    #[schema(value_type = Object)]
    pub estimate: Option<Estimate>,
}

/// What is wrong with a query file, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Fault)]
pub struct CheckFault {
    /// The line of the file, counted from 1; absent if the fault concerns the whole file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The column of that line, counted from 1 in characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
    /// What is wrong, and what would be accepted.
    pub message: String,
}

/// A statistic before it is drawn: what it would cost, and how exact it would be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The statistic's name, which is its file's name without the ending.
    pub name: String,
    /// The statistic's title, for people to read.
    pub title: String,
    /// The dataset that its question asks.
    pub dataset: String,
    /// How often it is drawn anew.
    pub refresh: Refresh,
    /// Whether everybody could read it, without a token.
    pub public: bool,
    /// The most that each draw costs, as ε.
    #[serde(deserialize_with = "reported")]
    pub epsilon: Epsilon,
    /// The share of the statistics account that each draw takes; absent if there is no such account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fraction: Option<Fraction>,
    /// The largest ε that the statistics account could still pay at once; absent if there is no such account.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "reported_if_any")]
    pub epsilon_remaining: Option<Epsilon>,
    /// The outputs of its question, in order.
    pub columns: Vec<ExpectedColumn>,
    /// Number of rows that a group is assumed to have, if the error of a mean depends on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assumed_group_size: Option<u64>,
    /// Whether it may be drawn.
    pub standing: Agreement,
}

/// An output with its expected error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExpectedColumn {
    /// The output's name, as in the header of the answer's table.
    pub name: String,
    /// What the output is: `key`, `count`, `sum`, `mean` or `formula`.
    pub kind: Cow<'static, str>,
    /// The expected 95 % half-width; absent for keys, and for outputs with a different error in each row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin: Option<RoundedNumber<6>>,
}

impl Service {
    /// Checks query files under the policies that this server serves.
    #[must_use]
    pub fn check_statistics(&self, files: &[DeclaredFile]) -> Vec<StatisticCheck> {
        check(&self.datasets, self.ledger(), files, self.now_ms())
    }

    /// What a published statistic costs, and how exact a draw of it is expected to be.
    ///
    /// # Errors
    /// The errors of planning its question.
    pub fn estimate_of(&self, statistic: &Statistic) -> Result<Estimate, ServiceError> {
        let query = parse(&statistic.ask.sql)?;
        let unknown = || ServiceError::UnknownDataset(statistic.dataset.clone());
        let dataset = self.datasets.get(&statistic.dataset).ok_or_else(unknown)?;
        let priced = Self::price_of(dataset, &query, &statistic.ask)?;
        Ok(estimate(self.ledger(), statistic, &priced, self.now_ms()))
    }
}

/// Checks query files under the policies of the given datasets.
#[must_use]
pub fn check(
    datasets: &BTreeMap<String, Arc<Dataset>>,
    ledger: &dyn Ledger,
    files: &[DeclaredFile],
    now_ms: u64,
) -> Vec<StatisticCheck> {
    let one = |file: &DeclaredFile| {
        let (name, path) = (file.name.clone(), Path::new(&file.name));
        let parsed = QueryFile::parse(&file.text).map_err(|fault| StatisticFault::of_headers(path, &fault));
        match parsed.and_then(|parsed| read_priced(datasets, path, &parsed)) {
            Ok((statistic, priced)) => StatisticCheck {
                file: name,
                fault: None,
                estimate: Some(estimate(ledger, &statistic, &priced, now_ms)),
            },
            Err(StatisticFault { line, column, why, .. }) => {
                StatisticCheck { file: name, fault: Some(CheckFault { line, column, message: why }), estimate: None }
            }
        }
    };
    files.iter().map(one).collect()
}

fn estimate(ledger: &dyn Ledger, statistic: &Statistic, priced: &Priced, now_ms: u64) -> Estimate {
    let account = accounts::account(ledger, &statistic.lineage, AccountKind::Statistics, "", now_ms);
    let (standing, held) = read(ledger, |book| {
        let card = book.statistic(&statistic.name);
        let held = book.find(&statistic.lineage, AccountKind::Statistics, "").map(|account| account.amount);
        (agreement(card, statistic), held)
    });
    let (columns, assumed_group_size) = expected(priced, &statistic.ask);
    Estimate {
        name: statistic.name.clone(),
        title: statistic.face.title.clone(),
        dataset: statistic.dataset.clone(),
        refresh: statistic.refresh,
        public: statistic.face.is_public,
        epsilon: statistic.epsilon,
        fraction: held.map(|held| Fraction::of(statistic.amount, held)),
        epsilon_remaining: account.map(|account| account.account.epsilon_remaining),
        columns,
        assumed_group_size,
        standing,
    }
}

/// The outputs with their expected errors, and the number of rows of a group that these assume.
fn expected(priced: &Priced, ask: &Ask) -> (Vec<ExpectedColumn>, Option<u64>) {
    let (plan, dataset) = (&priced.plan, &priced.dataset);
    let subject = Subject { dataset: dataset.lineage.clone(), edition: dataset.edition.clone() };
    let certified = certify(dataset.terms.accountant, subject, &plan.sought, &priced.asked);
    // If no noise is known for a price, the error is not known either; a draw would be refused before its charge.
    let laws = certified.map_or_else(|_| Vec::new(), |certificate| laws(certificate.measurements()));
    if laws.is_empty() {
        return (Vec::new(), None);
    }
    let priced_size = margin::said_size(ask, plan);
    let infos = columns(&plan.layout, &laws);
    // A statistic is for everybody, so it is expected from what is public alone.
    let expected = errors(priced, &laws, KnownGroups::default(), priced_size);
    let column = |(info, width): (&ColumnInfo, &ExpectedWidth)| ExpectedColumn {
        kind: info.kind.word().into(),
        margin: info.kind.margin().or(width.middle).map(RoundedNumber::from),
        name: info.name.clone(),
    };
    let assumed = infos.iter().any(|info| info.kind.assumes_rows()).then_some(expected.rows);
    (infos.iter().zip(&expected.half_widths).map(column).collect(), assumed)
}

/// The datasets of a ledger under the terms of their latest editions, as far as prices need them. No table is opened.
///
/// # Errors
/// [`LedgerFault`] if the store cannot be read.
pub fn datasets_on_record(ledger: &dyn Ledger) -> Result<BTreeMap<String, Arc<Dataset>>, LedgerFault> {
    let latest: HashMap<String, String> = read(ledger, |book| {
        let sealed =
            book.datasets().filter_map(|(name, whole)| Some((name.clone(), whole.edition.as_ref()?.id.clone())));
        sealed.collect()
    });
    let (mut found, mut after) = (BTreeMap::new(), 0);
    loop {
        let entries = ledger.entries(after, PAGE)?;
        let Some(last) = entries.last() else { return Ok(found) };
        after = last.seq;
        for dataset in entries.iter().flat_map(|entry| sealed(entry, &latest)) {
            found.insert(dataset.name.clone(), Arc::new(dataset));
        }
    }
}

/// The dataset whose latest edition this entry sealed, and the tables joined with it; empty for any other entry.
fn sealed(entry: &Entry, latest: &HashMap<String, String>) -> Vec<Dataset> {
    let Act::EditionSealed { dataset, edition, terms, .. } = &entry.act else { return Vec::new() };
    let Ok(terms) = serde_json::from_str::<Terms>(terms) else { return Vec::new() };
    if latest.get(dataset) != Some(edition) {
        return Vec::new();
    }
    let of = |name: &str, edition: String, terms: Terms| Dataset {
        name: name.to_owned(),
        lineage: dataset.clone(),
        title: None,
        pad_ms: None,
        about_rows: None,
        stated: Arc::default(),
        terms,
        edition,
        policy: None,
        report: None,
    };
    let joined = terms.joins.iter().map(|join| of(&join.name, of_table(edition, &join.name), terms.of_table(join)));
    let joined: Vec<_> = joined.collect();
    std::iter::once(of(dataset, edition.clone(), terms)).chain(joined).collect()
}
