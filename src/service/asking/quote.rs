//! Quotes: what an answer would cost, who would pay, and how exact it would be. Free, and no data is touched.

use super::ask::{Ask, Wanted};
use super::margin;
use super::offer::{Offer, Stock};
use crate::kernel::budget::charge::Refusal;
use crate::kernel::budget::entry::{AccountMark, Legs};
use crate::kernel::budget::ledger::read;
use crate::kernel::privacy::accountant::Accountant;
use crate::kernel::privacy::amounts::{Epsilon, Price};
use crate::kernel::privacy::certificate::{Accuracy, Certificate, NORMAL_975, Subject, certify, prices};
use crate::kernel::privacy::mechanism::NoiseLaw;
use crate::kernel::privacy::threshold::Threshold;
use crate::query::answer::{ColumnInfo, columns, laws};
use crate::service::stewarding::accounts::{AccountView, significant};
use crate::service::{Priced, Service, ServiceError};

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
    /// What the researcher would be charged, as ε.
    pub epsilon: String,
    /// The legs, as ε.
    pub legs: LegsView,
    /// The dataset's δ.
    pub delta: String,
    /// Whether it would be answered now.
    pub answerable: bool,
    /// Whether nothing would be drawn for it.
    pub replay: bool,
    /// Ids of the stored releases that it would be computed from, or served as.
    pub derived_from: Vec<String>,
    /// Why it would not be answered.
    pub refusal: Option<Refusal>,
    /// How many answers of this price would fit, this one included; nothing for what is free.
    pub answers_left: Option<u64>,
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
    /// Rows that a group is assumed to have, where the margin of a mean depends on it.
    pub assumed_group_size: Option<u64>,
    /// Which groups would be shown, where their list is not public.
    pub threshold: Option<ThresholdView>,
}

/// Which groups are shown, where their list is not public.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct ThresholdView {
    /// The least noisy number of units that is shown.
    pub units: String,
    /// δ that the answer takes of what is set aside.
    pub delta: String,
    /// Groups that a unit counts in at the most.
    pub groups_per_unit: u32,
}

impl ThresholdView {
    /// What is said of a threshold over noise of this law.
    #[must_use]
    pub fn of(threshold: &Threshold, law: &NoiseLaw) -> Option<Self> {
        let units = significant(threshold.shown(law)?, 9);
        Some(Self { units, delta: threshold.delta.to_string(), groups_per_unit: threshold.groups_per_unit })
    }
}

/// What each account pays, as ε.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct LegsView {
    /// Newly drawn.
    pub dataset: String,
    /// New to the project, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// New to the researcher.
    pub researcher: String,
}

impl LegsView {
    /// The legs of a charge.
    #[must_use]
    pub fn of(accountant: Accountant, legs: &Legs) -> Self {
        let epsilon = |leg| accountant.epsilon_spent(leg).to_string();
        Self {
            dataset: epsilon(legs.dataset),
            project: (legs.project > Price::ZERO).then(|| epsilon(legs.project)),
            researcher: epsilon(legs.researcher),
        }
    }
}

/// What the book says of a question.
struct Outlook {
    offered: Result<Offer, Refusal>,
    account: AccountMark,
    after: AccountMark,
    answers_left: Option<u64>,
    largest: Option<Epsilon>,
}

impl Service {
    /// Quotes a question. Blocks for as long as it takes to look for what it could be derived from.
    ///
    /// # Errors
    /// Those of [`Service::price`].
    pub fn quote(&self, who: &str, ask: &Ask) -> Result<Quote, ServiceError> {
        self.quoted(who, self.price(who, ask)?, ask)
    }

    pub(crate) fn quoted(&self, who: &str, mut priced: Priced, ask: &Ask) -> Result<Quote, ServiceError> {
        self.look_up(&mut priced);
        super::walk::check_canonical(&priced)?;
        let accountant = priced.dataset.terms.accountant;
        let outlook = self.outlook(who, &priced).map_err(|refusal| self.refused(&priced.dataset.lineage, refusal))?;
        let total = priced.asked.iter().fold(Price::ZERO, |sum, price| sum.saturating_add(*price));
        let refused = Legs { dataset: total, project: Price::ZERO, researcher: total };
        let legs = outlook.offered.as_ref().map_or(refused, Offer::legs);
        let leg = legs.researcher;
        let worth = outlook.offered.as_ref().map_or_else(|_| priced.asked.clone(), Offer::worth);
        let certificate = self.at(&priced, &worth)?;
        let largest = outlook.largest;
        Ok(Quote {
            dataset: priced.dataset.lineage.clone(),
            edition: priced.dataset.edition.clone(),
            mechanism: accountant.mechanism().name(),
            columns: columns(&priced.plan.layout, &laws(certificate.measurements())),
            epsilon: if leg == Price::ZERO { "0".to_owned() } else { priced_epsilon(&priced, ask, leg) },
            legs: LegsView::of(accountant, &legs),
            delta: priced.dataset.terms.delta().to_string(),
            answerable: outlook.offered.is_ok(),
            replay: outlook.offered.as_ref().is_ok_and(Offer::is_stored),
            derived_from: outlook.offered.as_ref().map_or_else(|_| Vec::new(), origins),
            answers_left: outlook.answers_left,
            refusal: outlook.offered.err(),
            before: AccountView::of(accountant, &outlook.account),
            after: AccountView::of(accountant, &outlook.after),
            largest_epsilon: largest.map(|epsilon| epsilon.to_string()),
            largest_margin: largest.and_then(|epsilon| self.margin_at(&priced, epsilon)),
            rows_per_unit: priced.plan.computation.rows_per_unit,
            assumed_group_size: margin::assumes_size(ask.accuracy.as_ref(), &priced.plan)
                .then(|| ask.group_size.unwrap_or(margin::GROUP_SIZE)),
            threshold: priced.plan.hiding.and_then(|hiding| {
                let law = certificate.measurements().get(hiding.units)?.law;
                ThresholdView::of(&hiding.threshold, &law)
            }),
            sql: priced.sql,
        })
    }

    fn outlook(&self, who: &str, priced: &Priced) -> Result<Outlook, Refusal> {
        let now_ms = self.now_ms();
        read(self.ledger(), |book| {
            let branch = book.branch(&priced.dataset.lineage, who).ok_or(Refusal::NoAccount)?;
            let stock = self.stock(book, who, priced)?;
            let offered = stock.offer(&priced.asked);
            let largest = offered.is_err().then(|| largest(&stock, priced));
            let account = book.mark(book.account(branch.researcher), now_ms);
            let legs = offered.as_ref().map_or_else(|_| Legs::default(), Offer::legs);
            let after = book.mark_after(&branch, &legs, now_ms);
            let total = priced.asked.iter().fold(Price::ZERO, |sum, price| sum.saturating_add(*price));
            let refused = Legs { dataset: total, project: Price::ZERO, researcher: total };
            let legs = offered.as_ref().map_or(refused, Offer::legs);
            // What thresholds take is set aside for all.
            let delta = priced.plan.hiding.map_or(0, |hiding| hiding.threshold.delta.attos());
            let aside = book.dataset(&priced.dataset.lineage).map_or(0, |whole| whole.threshold_delta_left().attos());
            let of_aside = aside.checked_div(delta).filter(|_| legs.dataset > Price::ZERO);
            let answers_left = book.fits(&branch, &legs, now_ms).map(|fits| of_aside.map_or(fits, |of| fits.min(of)));
            Ok(Outlook { offered, account, after, answers_left, largest })
        })
    }

    /// The noise of measurements that are worth this much.
    fn at(&self, priced: &Priced, worth: &[Price]) -> Result<Certificate, ServiceError> {
        let subject = Subject { dataset: priced.dataset.lineage.clone(), edition: priced.dataset.edition.clone() };
        certify(priced.dataset.terms.accountant, subject, &priced.plan.sought, worth)
            .map_err(|fault| ServiceError::Accuracy(fault.to_string()))
    }

    fn margin_at(&self, priced: &Priced, epsilon: Epsilon) -> Option<String> {
        if epsilon.nanos() == 0 {
            return None;
        }
        let accountant = priced.dataset.terms.accountant;
        let shares = prices(accountant, &priced.plan.sought, &Accuracy::Epsilon(epsilon));
        let certificate = self.at(priced, &shares).ok()?;
        let columns = columns(&priced.plan.layout, &laws(certificate.measurements()));
        let errors = columns.into_iter().filter_map(|column| column.kind.std_error());
        errors.reduce(f64::max).map(|error| significant(NORMAL_975 * error, 9))
    }
}

/// Significant digits of the largest ε.
const DIGITS: u32 = 6;

/// The largest ε, to six digits, that this question would be answered at; 0 where none is. What is stored helps, so it is searched
/// for: by halves, between nothing and what no account holds.
fn largest(stock: &Stock<'_>, priced: &Priced) -> Epsilon {
    let accountant = priced.dataset.terms.accountant;
    let fits = |epsilon: Epsilon| {
        let shares = prices(accountant, &priced.plan.sought, &Accuracy::Epsilon(epsilon));
        !shares.contains(&Price::ZERO) && stock.offer(&shares).is_ok()
    };
    let (mut low, mut high) = (0_u64, Epsilon::NANOS_MAX);
    while high - low > 1 && high - low > low / 10_u64.pow(DIGITS) {
        let middle = low + (high - low) / 2;
        if fits(Epsilon::from_nanos(middle)) { low = middle } else { high = middle }
    }
    let rounded = |nanos: u64, up: u64| {
        let quantum = 10_u64.pow(nanos.max(1).ilog10().saturating_sub(DIGITS - 1));
        Epsilon::from_nanos((nanos / quantum + up) * quantum)
    };
    // A round number just above is what was granted, more often than not.
    let above = rounded(low, 1);
    if low > 0 && above.nanos() <= Epsilon::NANOS_MAX && fits(above) { above } else { rounded(low, 0) }
}

/// The releases behind an offer.
fn origins(offer: &Offer) -> Vec<String> {
    match offer {
        Offer::Stored { release, .. } => vec![release.clone()],
        Offer::Made { parts, .. } => {
            let mut releases: Vec<_> = super::offer::use_ids(parts).into_iter().map(|id| id.release).collect();
            releases.dedup();
            releases
        }
    }
}

/// What is charged, as ε: as asked where all of it is charged, or the ε of the price.
#[must_use]
pub fn priced_epsilon(priced: &Priced, ask: &Ask, paid: Price) -> String {
    let total = priced.asked.iter().fold(Price::ZERO, |sum, price| sum.saturating_add(*price));
    match &ask.accuracy {
        Some(Wanted::Epsilon(epsilon)) if paid == total => epsilon.to_string(),
        Some(Wanted::Epsilon(_) | Wanted::Margin(_) | Wanted::Margins(_)) | None => {
            priced.dataset.terms.accountant.epsilon_spent(paid).to_string()
        }
    }
}
