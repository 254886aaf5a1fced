//! Quotes: what an answer would cost, who would pay, and how exact it would be. A quote is free and touches no data.

use super::ask::{Ask, RequestedAccuracy};
use super::expected::{ExpectedErrors, expected};
use super::margin;
use super::offer::{AvailableParts, Offer};
use super::shapes::Shapes;
use crate::kernel::budget::charge::Refusal;
use crate::kernel::budget::entry::{AccountMark, Postings};
use crate::kernel::budget::ledger::read;
use crate::kernel::privacy::amounts::{Epsilon, Price};
use crate::kernel::privacy::certificate::{Accuracy, Certificate, NORMAL_975, Subject, certify, prices};
use crate::query::answer::{ColumnInfo, columns, laws};
use crate::query::plan::warnings::PlanWarning;
use crate::service::shares::AccountShare;
use crate::service::views::{AccountView, Fit, RoundedNumber};
pub use crate::service::views::{LegsView, ThresholdView};
use crate::service::{Priced, Service, ServiceError};

/// A quote for one question.
#[derive(Debug, Clone)]
pub struct Quote {
    /// The dataset's name.
    pub dataset: String,
    /// Id of the edition that would be asked.
    pub edition: String,
    /// The canonical SQL of the question.
    pub sql: String,
    /// The family of the noise, by name: discrete Gaussian or discrete Laplace.
    pub mechanism: &'static str,
    /// The columns of the answer with their standard errors.
    pub columns: Vec<ColumnInfo>,
    /// What the researcher would be charged, as ε; "0" if it is free.
    pub epsilon: String,
    /// The share of the researcher's account that they would be charged.
    pub fraction: AccountShare,
    /// What each account would pay, as ε.
    pub legs: LegsView,
    /// The dataset's δ, as decimal text.
    pub delta: String,
    /// Whether the question would be answered now.
    pub answerable: bool,
    /// Whether the answer would draw nothing new.
    pub replay: bool,
    /// Ids of the stored releases that the answer would be computed from, or served as.
    pub derived_from: Vec<String>,
    /// Why the question would not be answered; `None` if it would.
    pub refusal: Option<Refusal>,
    /// How many answers at this price would still fit, this one included; `None` if the answer is free.
    pub answers_left: Option<u64>,
    /// The researcher's account now.
    pub before: AccountView,
    /// The researcher's account after the answer, if it is given.
    pub after: AccountView,
    /// If the question would not be answered, the largest ε at which it would be; 0 if none fits.
    pub largest_epsilon: Option<Epsilon>,
    /// The margin that `largest_epsilon` gives: the widest of counts and sums, or that of the only output.
    pub largest_margin: Option<RoundedNumber<9>>,
    /// How many rows of each unit would count.
    pub rows_per_unit: u32,
    /// Whether `largest_margin` is asked for by the name of the only output, because there is no count or sum.
    pub is_named: bool,
    /// The errors that the answer is expected to have, and the number of rows that this assumes. The margins of counts and sums stand in
    /// `columns`, too, as they depend on no rows.
    pub expected: ExpectedErrors,
    /// How groups are chosen that are shown, if their list is not public.
    pub threshold: Option<ThresholdView>,
    /// What the answer would not tell, in words; it follows from the question and the policy alone.
    pub warnings: Vec<String>,
}

/// The ledger's view of a question: the offer, and the account before and after.
struct LedgerView {
    offered: Result<Offer, Refusal>,
    account: AccountMark,
    after: AccountMark,
    answers_left: Option<u64>,
    largest: Option<Epsilon>,
}

impl Service {
    /// Quotes a priced question. Blocks while it searches for stored measurements that the question could be derived from.
    pub(crate) fn quoted(&self, who: &str, priced: &mut Priced, ask: &Ask) -> Result<Quote, ServiceError> {
        self.look_up(priced);
        let priced = &*priced;
        self.check_canonical(priced)?;
        let accountant = priced.dataset.terms.accountant;
        let outlook = self.outlook(who, priced).map_err(|refusal| self.refused(&priced.dataset.lineage, refusal))?;
        let total = priced.asked.iter().fold(Price::ZERO, |sum, price| sum.saturating_add(*price));
        let refused = Postings { dataset: total, project: Price::ZERO, researcher: total };
        let legs = outlook.offered.as_ref().map_or(refused, Offer::legs);
        let leg = legs.researcher;
        let worth = outlook.offered.as_ref().map_or_else(|_| priced.asked.clone(), Offer::worth);
        let certificate = self.at(priced, &worth)?;
        let laws = laws(certificate.measurements());
        let known = self.known_groups(who, priced);
        let largest = outlook.largest;
        Ok(Quote {
            dataset: priced.dataset.lineage.clone(),
            edition: priced.dataset.edition.clone(),
            mechanism: accountant.mechanism().name(),
            columns: columns(&priced.plan.layout, &laws),
            epsilon: if leg == Price::ZERO { "0".to_owned() } else { priced_epsilon(priced, ask, leg) },
            fraction: AccountShare::taken(leg, outlook.account.spent, outlook.account.amount),
            legs: LegsView::of(accountant, &legs),
            delta: priced.dataset.terms.delta().to_string(),
            answerable: outlook.offered.is_ok(),
            replay: outlook.offered.as_ref().is_ok_and(Offer::is_stored),
            derived_from: outlook.offered.as_ref().map_or_else(|_| Vec::new(), Offer::origins),
            answers_left: outlook.answers_left,
            refusal: outlook.offered.err(),
            before: AccountView::of(accountant, &outlook.account).counting(&outlook.account, leg),
            after: AccountView::of(accountant, &outlook.after).counting(&outlook.after, leg),
            largest_epsilon: largest,
            largest_margin: largest.and_then(|epsilon| self.margin_at(priced, epsilon)),
            rows_per_unit: priced.plan.rows_per_unit,
            is_named: !margin::has_counts(&priced.plan),
            expected: expected(priced, &laws, known, margin::said_size(ask, &priced.plan)),
            warnings: priced.plan.warnings(&priced.dataset.terms).into_iter().map(warning).collect(),
            threshold: priced.plan.hiding.and_then(|hiding| {
                let law = certificate.measurements().get(hiding.units)?.law;
                ThresholdView::of(&hiding.threshold, &law)
            }),
            sql: priced.sql.clone(),
        })
    }

    fn outlook(&self, who: &str, priced: &Priced) -> Result<LedgerView, Refusal> {
        let now_ms = self.now_ms();
        read(self.ledger(), |book| {
            let branch = book.branch(&priced.dataset.lineage, who).ok_or(Refusal::NoAccount)?;
            let stock = self.stock(book, who, priced)?;
            let offered = stock.offer(&priced.asked);
            let largest = offered.is_err().then(|| largest(&stock, priced));
            let account = book.mark(book.account(branch.researcher), now_ms);
            let legs = offered.as_ref().map_or_else(|_| Postings::default(), Offer::legs);
            let after = book.mark_after(&branch, &legs, now_ms);
            let total = priced.asked.iter().fold(Price::ZERO, |sum, price| sum.saturating_add(*price));
            let refused = Postings { dataset: total, project: Price::ZERO, researcher: total };
            let legs = offered.as_ref().map_or(refused, Offer::legs);
            // The δ for thresholds is set aside for the whole dataset.
            let delta = priced.plan.hiding.map_or(0, |hiding| hiding.threshold.delta.attos());
            let aside = book.dataset(&priced.dataset.lineage).map_or(0, |whole| whole.threshold_delta_left().attos());
            let of_aside = aside.checked_div(delta).filter(|_| legs.dataset > Price::ZERO);
            let answers_left = book.fits(&branch, &legs, now_ms).map(|fits| of_aside.map_or(fits, |of| fits.min(of)));
            Ok(LedgerView { offered, account, after, answers_left, largest })
        })
    }

    /// The noise of measurements that are worth this much.
    pub(super) fn at(&self, priced: &Priced, worth: &[Price]) -> Result<Certificate, ServiceError> {
        let subject = Subject { dataset: priced.dataset.lineage.clone(), edition: priced.dataset.edition.clone() };
        Ok(certify(priced.dataset.terms.accountant, subject, &priced.plan.sought, worth)?)
    }

    /// What a refused question may cost at most, with the margin that this buys; `None` if it was not refused for its price.
    pub(super) fn fit(&self, stock: &AvailableParts<'_>, priced: &Priced, refusal: &Refusal) -> Option<Fit> {
        match refusal {
            Refusal::OverQueryLimit { .. } | Refusal::Exhausted { .. } => {
                let largest_epsilon = largest(stock, priced);
                let margin = self.margin_at(priced, largest_epsilon);
                Some(Fit { largest_epsilon, margin, is_named: !margin::has_counts(&priced.plan) })
            }
            Refusal::NoAccount
            | Refusal::CellsExhausted { .. }
            | Refusal::ThresholdExhausted { .. }
            | Refusal::Frozen { .. }
            | Refusal::Gone
            | Refusal::KeyConflict
            | Refusal::Unanswered => None,
        }
    }

    fn margin_at(&self, priced: &Priced, epsilon: Epsilon) -> Option<RoundedNumber<9>> {
        if epsilon.nanos() == 0 {
            return None;
        }
        let accountant = priced.dataset.terms.accountant;
        let shares = prices(accountant, &priced.plan.sought, &Accuracy::Epsilon(epsilon));
        let certificate = self.at(priced, &shares).ok()?;
        let laws = laws(certificate.measurements());
        let columns = columns(&priced.plan.layout, &laws);
        let errors = columns.into_iter().filter_map(|column| column.kind.std_error());
        let widest = errors.reduce(f64::max).map(|error| NORMAL_975 * error);
        let only = || margin::of_only(&priced.plan, &laws, &Shapes::stated(&priced.dataset, &priced.plan));
        widest.or_else(only).map(RoundedNumber::from)
    }
}

/// A warning in words.
fn warning(warning: PlanWarning) -> String {
    let what = match warning {
        PlanWarning::NoRow => "this condition",
        PlanWarning::NoRowCounted => "the condition of one of the counts",
    };
    format!("{what} can match no row by the declared domains: the answer would be noise around 0")
}

/// Number of significant digits of the largest ε.
const DIGITS: u32 = 6;

/// The largest ε, to six digits, at which this question would be answered, within the limit of one question; 0 if there is none. Stored answers
/// make a question cheaper in ways that no formula gives, so it is found by bisection between zero and that limit.
fn largest(stock: &AvailableParts<'_>, priced: &Priced) -> Epsilon {
    let accountant = priced.dataset.terms.accountant;
    let fits = |epsilon: Epsilon| {
        let shares = prices(accountant, &priced.plan.sought, &Accuracy::Epsilon(epsilon));
        !shares.contains(&Price::ZERO) && stock.offer(&shares).is_ok()
    };
    let most = priced.dataset.terms.max_epsilon_per_query;
    if fits(most) {
        return most;
    }
    let (mut low, mut high) = (0_u64, most.nanos());
    while high - low > 1 && high - low > low / 10_u64.pow(DIGITS) {
        let middle = low + (high - low) / 2;
        if fits(Epsilon::from_nanos(middle)) { low = middle } else { high = middle }
    }
    let rounded = |nanos: u64, up: u64| {
        let quantum = 10_u64.pow(nanos.max(1).ilog10().saturating_sub(DIGITS - 1));
        Epsilon::from_nanos((nanos / quantum + up) * quantum)
    };
    // The round number just above is often exactly what was granted, so it is tried first.
    let above = rounded(low, 1);
    if low > 0 && above <= most && fits(above) { above } else { rounded(low, 0) }
}

/// What is charged, as ε: the ε that was asked for if all of it is charged, else the ε of the price.
#[must_use]
pub fn priced_epsilon(priced: &Priced, ask: &Ask, paid: Price) -> String {
    let total = priced.asked.iter().fold(Price::ZERO, |sum, price| sum.saturating_add(*price));
    match &ask.accuracy {
        Some(RequestedAccuracy::Epsilon(epsilon)) if paid == total => epsilon.to_string(),
        Some(RequestedAccuracy::Epsilon(_) | RequestedAccuracy::Margin(_) | RequestedAccuracy::Margins(_)) | None => {
            priced.dataset.terms.accountant.epsilon_spent(paid).to_string()
        }
    }
}
