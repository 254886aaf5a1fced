//! What is known of a question before it is asked: the columns of its answer, and what it would cost its asker. Free, and without a row.

use super::ask::{Ask, RequestedAccuracy};
use super::pad::Pad;
use super::question::{PreparedQuestion, QuestionKind, asks_for_keys};
use crate::kernel::privacy::accountant::Accountant;
use crate::kernel::privacy::amounts::Price;
use crate::query::answer::{ColumnInfo, columns, laws};
use crate::query::parse::SqlStatement;
use crate::service::{Service, ServiceError};

/// What a question would cost its asker.
#[derive(Debug, Clone, PartialEq)]
pub struct AskerPrice {
    /// The dataset whose account of the asker would pay.
    pub dataset: String,
    /// How losses of the dataset add up.
    pub accountant: Accountant,
    /// What the asker would pay.
    pub price: Price,
}

impl Service {
    /// The columns that the answer to a question has, and the pad of whoever tells them. They follow from the question alone: the
    /// accuracy need not be known. Plans the question, so call it in a turn ([`Service::planning`]).
    ///
    /// # Errors
    /// Any [`ServiceError`]; nothing is charged.
    pub fn described(&self, who: &str, sql: &str) -> (Option<Pad>, Result<Vec<ColumnInfo>, ServiceError>) {
        let (accuracy, rows_per_unit, group_size, purpose) = (None, None, None, None);
        let ask = Ask { sql: sql.to_owned(), accuracy, rows_per_unit, group_size, purpose };
        match self.parsed(sql) {
            Ok(SqlStatement::Question(query)) if !asks_for_keys(&query) => {
                let limit = self.dataset_of(who, &query).ok().map(|dataset| dataset.terms.max_epsilon_per_query);
                let ask = Ask { accuracy: limit.map(RequestedAccuracy::Epsilon), ..ask };
                let (priced, pad) = self.planned(who, &query, &ask);
                let described = priced.and_then(|priced| {
                    let laws = laws(self.at(&priced, &priced.asked)?.measurements());
                    Ok(columns(&priced.plan.layout, &laws))
                });
                (pad, described)
            }
            Err(error) => (self.least_pad(), Err(error.into())),
            Ok(_) => {
                let prepared = self.prepare(who, ask);
                let pad = prepared.pad();
                (pad, self.answer_free(prepared).map(|free| free.table.columns))
            }
        }
    }

    /// What a prepared question would cost its asker now; `None` if it is free or cannot be answered, whatever the accounts hold.
    ///
    /// # Errors
    /// Any [`ServiceError`] if the accounts do not hold it now, which may change at any time.
    pub fn price_before(&self, prepared: &mut PreparedQuestion) -> Result<Option<AskerPrice>, ServiceError> {
        let QuestionKind::Asked(Ok(priced)) = &mut prepared.kind else { return Ok(None) };
        self.look_up(priced);
        let price = self.offer(&prepared.who, priced)?.legs().researcher;
        let (dataset, accountant) = (priced.dataset.lineage.clone(), priced.dataset.terms.accountant);
        Ok(Some(AskerPrice { dataset, accountant, price }))
    }
}
