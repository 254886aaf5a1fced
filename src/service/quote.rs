//! Quotes: what an answer would cost and how exact it would be. Free, and no data is touched.

use super::account::{AccountView, significant};
use super::ask::{Ask, Wanted};
use super::{Priced, Service, ServiceError};
use crate::budget::charge::Refusal;
use crate::budget::entry::AccountMark;
use crate::budget::ledger::read;
use crate::privacy::certificate::{Certificate, NORMAL_975};
use crate::privacy::units::Price;
use crate::query::answer::{ColumnInfo, ColumnKind, columns, laws};

/// A quote.
#[derive(Debug, Clone)]
pub struct Quote {
    /// The dataset's name.
    pub dataset: String,
    /// The edition that would be asked.
    pub edition: String,
    /// The canonical SQL.
    pub sql: String,
    /// The family of the noise.
    pub mechanism: &'static str,
    /// The columns with their standard errors.
    pub columns: Vec<ColumnInfo>,
    /// What would be charged, as ε.
    pub epsilon: String,
    /// The dataset's δ.
    pub delta: String,
    /// Whether it would be answered now.
    pub answerable: bool,
    /// Whether it would be served from what is stored.
    pub replay: bool,
    /// Why it would not be answered.
    pub refusal: Option<Refusal>,
    /// The account now.
    pub before: AccountView,
    /// The account afterwards, if answered.
    pub after: AccountView,
    /// The largest ε that would be answered, where this is not; "0" when nothing fits.
    pub largest_epsilon: Option<String>,
    /// The widest margin of counts and sums at that ε.
    pub largest_margin: Option<String>,
    /// Rows of a unit that would count.
    pub rows_per_unit: u32,
}

impl Service {
    /// Quotes a question.
    ///
    /// # Errors
    /// Those of [`Service::price`].
    pub fn quote(&self, who: &str, ask: &Ask) -> Result<Quote, ServiceError> {
        let priced = self.price(who, ask)?;
        let accountant = priced.dataset.terms.accountant;
        let replay = self.stored(who, &priced).is_some();
        let certificate = &priced.certificate;
        let price = if replay { Price::ZERO } else { certificate.price() };
        let (before, admitted) = read(self.ledger(), |book| {
            let account = book.researcher(&priced.dataset.name, who).map(|account| account.mark());
            (account, book.admit(who, &priced.dataset.name, price, certificate.cells()))
        });
        let before = before.ok_or_else(|| self.refused(&priced.dataset.name, Refusal::NoAccount))?;
        let refusal = admitted.as_ref().err().filter(|_| !replay).cloned();
        let after = admitted.unwrap_or(before);
        let (largest_epsilon, largest_margin) = match refusal {
            Some(_) => self.largest(&priced, ask, before),
            None => (None, None),
        };
        Ok(Quote {
            dataset: priced.dataset.name.clone(),
            edition: priced.dataset.edition.clone(),
            mechanism: certificate.mechanism().name(),
            columns: columns(&priced.plan.layout, &laws(certificate.measurements())),
            epsilon: priced_epsilon(&priced, ask, price),
            delta: accountant.delta().to_string(),
            answerable: refusal.is_none(),
            replay,
            refusal,
            before: AccountView::of(accountant, &before),
            after: AccountView::of(accountant, &after),
            largest_epsilon,
            largest_margin,
            rows_per_unit: priced.plan.computation.rows_per_unit,
            sql: priced.sql,
        })
    }

    fn largest(&self, priced: &Priced, ask: &Ask, account: AccountMark) -> (Option<String>, Option<String>) {
        let terms = &priced.dataset.terms;
        let left = read(self.ledger(), |book| {
            let whole = book.dataset(&priced.dataset.name);
            whole.map_or(Price::ZERO, |whole| whole.cap.amount.left_after(whole.spent).min(whole.cap.query_max))
        });
        let left = left.min(account.amount.left_after(account.spent));
        let epsilon = terms.accountant.epsilon_within(left);
        if epsilon.nanos() == 0 {
            return (Some("0".to_owned()), None);
        }
        let wanted = Ask { accuracy: Wanted::Epsilon(epsilon), ..ask.clone() };
        let margin = self.certify(&priced.dataset, &priced.plan, &wanted.accuracy).ok();
        let margin = margin.and_then(|certificate| widest_margin(&priced.plan.layout, &certificate));
        (Some(epsilon.to_string()), margin)
    }
}

/// What is charged, as ε: as asked, or the ε of the price.
#[must_use]
pub fn priced_epsilon(priced: &Priced, ask: &Ask, price: Price) -> String {
    match &ask.accuracy {
        Wanted::Epsilon(epsilon) if price > Price::ZERO => epsilon.to_string(),
        Wanted::Epsilon(_) | Wanted::Margin(_) | Wanted::Margins(_) => {
            priced.dataset.terms.accountant.epsilon_spent(price).to_string()
        }
    }
}

fn widest_margin(layout: &crate::query::answer::Layout, certificate: &Certificate) -> Option<String> {
    let errors =
        columns(layout, &laws(certificate.measurements())).into_iter().filter_map(|column| match column.kind {
            ColumnKind::Count(error) | ColumnKind::Sum(error) => Some(error),
            ColumnKind::Key | ColumnKind::BooleanKey | ColumnKind::Mean => None,
        });
    errors.reduce(f64::max).map(|error| significant(NORMAL_975 * error, 9))
}
