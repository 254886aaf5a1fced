//! Free answers, which cost nothing and touch no data: constants, the public groups of keys, and quotes.
//!
//! Such an answer is computed from the question's text, the public terms and the caller's own account alone.

use super::question::{FreeQuestion, PreparedQuestion, QuestionKind, asks_for_keys};
use super::quote::Quote;
use crate::kernel::budget::charge::Refusal;
use crate::kernel::budget::ledger::read;
use crate::query::answer::expected::ExpectedWidth;
use crate::query::answer::{Cell, ColumnInfo, ColumnKind, Table, tabulate};
use crate::query::parse::{SqlStatement, asked};
use crate::query::syntax::LiteralValue;
use crate::query::terms::domain::date_days;
use crate::service::views::{AccountView, significant};
use crate::service::{Service, ServiceError};

/// An answer that costs nothing.
#[derive(Debug, Clone)]
pub struct FreeAnswer {
    /// The dataset and account that it is about; `None` for constants.
    pub about: Option<FreeAnswerSubject>,
    /// The canonical SQL of the question.
    pub sql: String,
    /// The table that is returned.
    pub table: Table,
}

/// The dataset of a free answer, and the caller's account.
#[derive(Debug, Clone)]
pub struct FreeAnswerSubject {
    /// The dataset's name.
    pub dataset: String,
    /// Id of the edition that would be asked.
    pub edition: String,
    /// The dataset's δ, as decimal text.
    pub delta: String,
    /// The caller's account, which did not change.
    pub account: AccountView,
}

/// Whether the text asks for a free answer, judged by the text alone.
#[must_use]
pub fn is_free(sql: &str) -> bool {
    match asked(sql) {
        Ok(SqlStatement::Constants(_) | SqlStatement::Explain(_)) => true,
        Ok(SqlStatement::Question(query)) => asks_for_keys(&query),
        Err(_) => false,
    }
}

impl Service {
    /// Answers a free question. Takes as long as a quote, so call it in a turn ([`Service::rendering`]).
    ///
    /// # Errors
    /// Any [`ServiceError`]; nothing is charged.
    pub fn answer_free(&self, prepared: PreparedQuestion) -> Result<FreeAnswer, ServiceError> {
        let PreparedQuestion { who, ask, kind, .. } = prepared;
        match kind {
            QuestionKind::Free(FreeQuestion::Constants(constants)) => {
                Ok(FreeAnswer { about: None, sql: ask.sql, table: of_constants(&constants) })
            }
            QuestionKind::Free(FreeQuestion::Keys(priced)) => {
                let priced = priced?;
                self.check_canonical(&priced)?;
                let table = tabulate(&priced.plan.layout, &[]);
                let about = self.about(&who, &priced.dataset.name)?;
                Ok(FreeAnswer { about: Some(about), sql: priced.sql, table })
            }
            QuestionKind::Explained(priced) => {
                let mut priced = priced?;
                let dataset = priced.dataset.name.clone();
                let quote = self.quoted(&who, &mut priced, &ask)?;
                let about = self.about(&who, &dataset)?;
                let table = explained(&quote);
                Ok(FreeAnswer { about: Some(about), sql: format!("EXPLAIN {}", quote.sql), table })
            }
            QuestionKind::Asked(_) => Err(ServiceError::Unsaid),
        }
    }

    fn about(&self, who: &str, dataset: &str) -> Result<FreeAnswerSubject, ServiceError> {
        let served = self.dataset(dataset).ok_or_else(|| ServiceError::UnknownDataset(dataset.to_owned()))?;
        let accountant = served.terms.accountant;
        let mark = read(self.ledger(), |book| {
            let branch = book.branch(&served.lineage, who)?;
            Some(book.mark(book.account(branch.researcher), self.now_ms()))
        });
        let mark = mark.ok_or_else(|| self.refused(dataset, Refusal::NoAccount))?;
        Ok(FreeAnswerSubject {
            dataset: served.lineage.clone(),
            edition: served.edition.clone(),
            delta: served.terms.delta().to_string(),
            account: AccountView::of(accountant, &mark),
        })
    }
}

fn table(columns: Vec<(String, ColumnKind)>, rows: Vec<Vec<Cell>>) -> Table {
    let (names, kinds): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    let infos = names.iter().zip(&kinds).map(|(name, kind)| ColumnInfo {
        name: name.clone(),
        kind: *kind,
        bounds: None,
        remarks: &[],
    });
    Table { columns: infos.collect(), plain: names.len(), names, kinds, rows }
}

fn of_constants(constants: &[(String, LiteralValue)]) -> Table {
    let mut names: Vec<String> = Vec::new();
    for (name, _) in constants {
        let taken = names.iter().filter(|known| *known == name || known.starts_with(&format!("{name} "))).count();
        names.push(if taken == 0 { name.clone() } else { format!("{name} {}", taken + 1) });
    }
    let one = |value: &LiteralValue| match value {
        LiteralValue::Number(text) => match text.parse::<i64>() {
            Ok(whole) => (ColumnKind::IntegerKey, Cell::Decimal(i128::from(whole) * 1_000_000_000)),
            Err(_) => (ColumnKind::Key, Cell::Text(text.clone())),
        },
        LiteralValue::Date(text) if let Some(days) = date_days(text) => (ColumnKind::DateKey, Cell::Date(days)),
        LiteralValue::Text(text) | LiteralValue::Date(text) => (ColumnKind::Key, Cell::Text(text.clone())),
        LiteralValue::Boolean(truth) => (ColumnKind::BooleanKey, Cell::Boolean(*truth)),
    };
    let (kinds, cells): (Vec<_>, Vec<_>) = constants.iter().map(|(_, value)| one(value)).unzip();
    table(names.into_iter().zip(kinds).collect(), vec![cells])
}

/// A quote as a table: one row per output, with the price of the whole question in each row.
fn explained(quote: &Quote) -> Table {
    let text = |text: &str| Cell::Text(text.to_owned());
    let optional = |value: Option<String>| value.map_or(Cell::Missing, Cell::Text);
    let row = |(column, width): (&ColumnInfo, &ExpectedWidth)| {
        let assumes = column.kind.assumes_rows();
        let (bounds_low, bounds_high) = column.bounds.clone().unzip();
        vec![
            text(&column.name),
            text(column.kind.word()),
            optional(column.kind.std_error().map(|error| significant(error, 9))),
            optional(column.kind.margin().or(width.middle).map(|margin| significant(margin, 9))),
            optional(bounds_low),
            optional(bounds_high),
            Cell::Decimal(i128::from(quote.rows_per_unit) * 1_000_000_000),
            text(&quote.epsilon),
            Cell::Boolean(quote.answerable),
            Cell::Boolean(quote.replay),
            text(&quote.fraction.to_string()),
            if assumes { Cell::Decimal(i128::from(quote.expected.rows) * 1_000_000_000) } else { Cell::Missing },
            if assumes { text(quote.expected.from.word()) } else { Cell::Missing },
        ]
    };
    let columns = [
        ("output", ColumnKind::Key),
        ("aggregate", ColumnKind::Key),
        ("std_error", ColumnKind::Key),
        ("margin", ColumnKind::Key),
        ("min", ColumnKind::Key),
        ("max", ColumnKind::Key),
        ("rows_per_unit", ColumnKind::IntegerKey),
        ("epsilon", ColumnKind::Key),
        ("answerable", ColumnKind::BooleanKey),
        ("replay", ColumnKind::BooleanKey),
        ("fraction", ColumnKind::Key),
        ("assumed_group_size", ColumnKind::IntegerKey),
        ("assumed_from", ColumnKind::Key),
    ];
    table(
        columns.map(|(name, kind)| (name.to_owned(), kind)).into(),
        quote.columns.iter().zip(&quote.expected.half_widths).map(row).collect(),
    )
}
