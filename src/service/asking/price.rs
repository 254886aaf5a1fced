//! Pricing: from a plan to a question with its price, to what its answer would be made of, and to who would pay.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use super::ask::Ask;
use super::asked;
use super::margin;
use super::offer::{AvailableParts, Offer};
use super::parts::NeededMeasurement;
use super::stored::StoredAnswer;
use crate::kernel::budget::charge::{Refusal, Standing};
use crate::kernel::budget::entry::{Digest, Postings};
use crate::kernel::budget::ledger::read;
use crate::kernel::budget::state::{Branch, LedgerState};
use crate::kernel::privacy::amounts::{Delta, Price};
use crate::kernel::privacy::certificate::{Uncertifiable, prices};
use crate::query::canonical;
use crate::query::error::{Code, QueryError, nearest, shown};
use crate::query::plan::Plan;
use crate::query::syntax::{Name, Query};
use crate::service::asking::answer::Answer;
use crate::service::views::Fit;
use crate::service::{Dataset, Refused, Service, ServiceError};

/// A question with its price. Nothing has been charged and no data has been touched yet.
pub struct Priced {
    pub(in crate::service) dataset: Arc<Dataset>,
    pub(in crate::service) plan: Plan,
    pub(in crate::service) sql: String,
    /// Digest that identifies the whole plan.
    pub(in crate::service) view: Digest,
    /// If set, stored answers are ignored and everything is drawn anew.
    pub(in crate::service) is_fresh: bool,
    /// Whether the canonical SQL gives the same plan again, once that was checked.
    pub(in crate::service) is_canonical: OnceLock<bool>,
    /// The measurements of the plan, and in `asked` what each would cost if nothing were stored.
    pub(in crate::service) wanted: Vec<NeededMeasurement>,
    pub(in crate::service) asked: Vec<Price>,
}

impl Service {
    /// The dataset of a question, provided that the asker holds an account of it.
    pub(in crate::service) fn dataset_of(&self, who: &str, query: &Query) -> Result<&Arc<Dataset>, QueryError> {
        let mine = |dataset: &&Arc<Dataset>| self.branch(who, &dataset.lineage).is_some();
        let found = asked::dataset_of(query, &self.datasets, &mine);
        found.map_err(|several| {
            let name = &query.dataset;
            match &several[..] {
                [] => self.unknown_dataset(who, name),
                some => {
                    let message = format!("\"{}\" is a table of several datasets", shown(&name.text));
                    let forms: Vec<String> = some.iter().map(|dataset| format!("{dataset}.{}", name.text)).collect();
                    QueryError::at(Code::UnknownDataset, name.at, message).hint(format!("write {}", forms.join(" or ")))
                }
            }
        })
    }

    /// The fault of a question about a dataset that the asker may not ask, whether it exists or not. Its hint names what they may ask.
    fn unknown_dataset(&self, who: &str, name: &Name) -> QueryError {
        const NAMES_SHOWN_MAX: usize = 24;
        let mut names: BTreeSet<&str> = BTreeSet::new();
        for dataset in self.datasets.values().filter(|dataset| self.branch(who, &dataset.lineage).is_some()) {
            match &dataset.terms.tables[..] {
                [] => {
                    names.insert(&dataset.name);
                }
                tables => names.extend(tables.iter().map(|table| table.name.as_str())),
            }
        }
        let message = format!("there is no dataset \"{}\" that you may ask", shown(&name.text));
        let error = QueryError::at(Code::UnknownDataset, name.at, message);
        let near = nearest(&name.text, names.iter().copied()).filter(|near| *near != name.text);
        match near {
            Some(near) => error.hint(format!("did you mean \"{near}\"?")),
            None if names.is_empty() => error,
            None => {
                let some: Vec<&str> = names.into_iter().take(NAMES_SHOWN_MAX).collect();
                error.hint(format!("you may ask {}", some.join(", ")))
            }
        }
    }

    /// Prices a plan of this dataset.
    pub(in crate::service) fn priced(dataset: &Arc<Dataset>, plan: Plan, ask: &Ask) -> Result<Priced, ServiceError> {
        plan.check_shown()?;
        let asked = Self::prices(dataset, &plan, ask)?;
        let views = plan.views(&dataset.lineage, &dataset.edition);
        let wanted = views.into_iter().zip(&plan.sought).map(|(view, sought)| NeededMeasurement {
            view,
            sought: *sought,
            is_whole: plan.hiding.is_some(),
            is_independent: plan.is_beside(),
            ancestors: Vec::new(),
        });
        let wanted = wanted.collect();
        let (sql, view) = (canonical::sql(&plan, &dataset.terms), plan.view(&dataset.edition));
        let (dataset, is_canonical) = (Arc::clone(dataset), OnceLock::new());
        Ok(Priced { dataset, plan, sql, view, is_fresh: false, is_canonical, wanted, asked })
    }

    pub(in crate::service) fn branch(&self, who: &str, dataset: &str) -> Option<Branch> {
        read(self.ledger(), |book| book.branch(dataset, who))
    }

    pub(in crate::service) fn prices(dataset: &Dataset, plan: &Plan, ask: &Ask) -> Result<Vec<Price>, ServiceError> {
        if plan.sought.is_empty() {
            // A question for keys alone is free: keys are public.
            return Ok(Vec::new());
        }
        let accuracy = ask.accuracy.as_ref().ok_or(ServiceError::Unsaid)?;
        let accuracy = margin::accuracy(accuracy, dataset, plan, ask.group_size)?;
        let prices = prices(dataset.terms.accountant, &plan.sought, &accuracy);
        if prices.contains(&Price::ZERO) {
            return Err(Uncertifiable::TooLittle.into());
        }
        Ok(prices)
    }

    /// What the answer would be made of, and which accounts would pay how much.
    pub(in crate::service) fn offer(&self, who: &str, priced: &Priced) -> Result<Offer, ServiceError> {
        let offered = read(self.ledger(), |book| {
            let stock = self.stock(book, who, priced).map_err(|refusal| (refusal, None))?;
            stock.offer(&priced.asked).map_err(|refusal| {
                let fits = self.fit(&stock, priced, &refusal);
                (refusal, fits)
            })
        });
        offered.map_err(|(refusal, fits)| self.refused_with(&priced.dataset.lineage, refusal, fits))
    }

    pub(in crate::service) fn stock<'a>(
        &self,
        book: &'a LedgerState,
        who: &str,
        priced: &'a Priced,
    ) -> Result<AvailableParts<'a>, Refusal> {
        let branch = book.branch(&priced.dataset.lineage, who).ok_or(Refusal::NoAccount)?;
        let accountant = priced.dataset.terms.accountant;
        let delta = priced.plan.hiding.map_or(Delta::ZERO, |hiding| hiding.threshold.delta);
        let view = (!priced.is_fresh).then_some(priced.view);
        Ok(AvailableParts::new(book, branch, accountant, (view, &priced.wanted), delta, self.now_ms()))
    }

    pub(in crate::service) fn refused(&self, dataset: &str, refusal: Refusal) -> ServiceError {
        self.refused_with(dataset, refusal, None)
    }

    fn refused_with(&self, dataset: &str, refusal: Refusal, fits: Option<Fit>) -> ServiceError {
        let accountant = self.datasets.get(dataset).map(|dataset| dataset.terms.accountant);
        ServiceError::Refused(Box::new(Refused { refusal, accountant, dataset: dataset.to_owned(), fits }))
    }

    /// The standing of a stored answer that this researcher was durably served before; serving it again needs no ledger entry.
    /// `None` if a new entry is needed.
    pub(in crate::service) fn free(&self, who: &str, dataset: &str, release: &str) -> Option<Standing> {
        let now_ms = self.now_ms();
        let account = read(self.ledger(), |book| {
            let account = book.branch(dataset, who)?.researcher;
            book.was_served_to(who, release).then(|| book.mark(book.account(account), now_ms))
        })?;
        let (release, legs) = (release.to_owned(), Postings::default());
        Some(Standing { release, account, legs, replayed: true, question: None })
    }
}

impl Priced {
    pub(in crate::service) fn laid_out(self, stored: Arc<StoredAnswer>, standing: Standing) -> Answer {
        let layout = stored.laid(self.plan.layout);
        Answer { stored, layout, sql: self.sql, standing }
    }
}
