//! Admission: whether an answer fits every account from the researcher's to the dataset's, and what it posts to each.

use super::fault::FoldFault;
use super::{AccountNo, Branch, DrawNo, LedgerState, ReleaseNo};
use crate::kernel::budget::account::Account;
use crate::kernel::budget::charge::{AnswerState, ChargeRequest, Refusal, ServeRequest};
use crate::kernel::budget::entry::{AccountKind, AccountMark, Charge, Digest, DrawId, NewDraw, Postings, Serving};
use crate::kernel::budget::steps::{PathStep, levels_given};
use crate::kernel::privacy::amounts::{Delta, Price};
use crate::kernel::privacy::gdp::CELLS_MAX;

/// What an answer would take: what is drawn anew, and the stored vectors that it is computed from.
#[derive(Debug, Clone, Copy)]
pub struct AnswerCost<'a> {
    /// Price of what is drawn anew.
    pub drawn: Price,
    /// Number of noisy cells that are drawn anew.
    pub cells: u64,
    /// δ of the threshold of what is drawn anew; 0 if there is no threshold.
    pub threshold_delta: Delta,
    /// Stored vectors that the answer is computed from.
    pub uses: &'a [DrawNo],
    /// The levels of the points of paths that it is made of; `None` if it is paid for draw by draw.
    pub levels: Option<&'a [(Digest, Price)]>,
}

impl<'a> AnswerCost<'a> {
    /// The cost of an answer that draws nothing and is computed from stored vectors only.
    #[must_use]
    pub fn of_stored(uses: &'a [DrawNo]) -> Self {
        Self { drawn: Price::ZERO, cells: 0, threshold_delta: Delta::ZERO, uses, levels: None }
    }
}

impl LedgerState {
    /// What an answer posts to each account: to the dataset what is drawn anew, to the project and the researcher what is new to them.
    #[must_use]
    pub fn legs(&self, branch: &Branch, cost: &AnswerCost<'_>) -> Postings {
        self.legs_by(branch, cost, |account, levels, draws| self.leg_by_path(account, levels, draws))
    }

    /// What an answer posts to each account, by a rule for what an account pays for levels of paths and for draws besides.
    pub(super) fn legs_by(
        &self,
        branch: &Branch,
        cost: &AnswerCost<'_>,
        by_path: impl Fn(AccountNo, &[(Digest, Price)], &[DrawNo]) -> Price,
    ) -> Postings {
        let leg = |account| match cost.levels {
            Some(levels) => by_path(account, levels, cost.uses),
            None => {
                let unpaid = cost.uses.iter().filter(|draw| !self.has_paid(account, **draw));
                unpaid.fold(cost.drawn, |sum, draw| sum.saturating_add(self.draw(*draw).certified.price))
            }
        };
        Postings {
            dataset: cost.drawn,
            project: branch.project.map_or(Price::ZERO, leg),
            researcher: leg(branch.researcher),
        }
    }

    /// Checks whether an answer of this cost is admitted at `now_ms`: first the query limit, then whether the dataset is frozen, then each account from the
    /// researcher's to the dataset's, then the lifetime limits on cells and on δ for thresholds. The result depends only on the ledger, the
    /// policy and the query.
    ///
    /// # Errors
    /// [`Refusal`]; nothing changes.
    pub fn admit(&self, branch: &Branch, cost: &AnswerCost<'_>, now_ms: u64) -> Result<Postings, Refusal> {
        let root = self.account(branch.dataset);
        let whole = self.datasets.get(&root.dataset).ok_or(Refusal::NoAccount)?;
        let legs = self.legs(branch, cost);
        if legs.researcher > whole.cap.query_max {
            return Err(Refusal::OverQueryLimit { asked: legs.researcher, limit: whole.cap.query_max });
        }
        if cost.drawn > Price::ZERO && whole.is_frozen() {
            return Err(Refusal::Frozen { incidents: whole.incidents });
        }
        for (account, leg) in self.postings(branch, &legs) {
            if leg > account.left_at(now_ms) {
                let left = self.left(branch, now_ms);
                return Err(Refusal::Exhausted { asked: leg, left, of: account.kind });
            }
        }
        if whole.cells.checked_add(cost.cells).is_none_or(|cells| cells > CELLS_MAX) {
            return Err(Refusal::CellsExhausted { limit: CELLS_MAX });
        }
        if cost.threshold_delta > whole.threshold_delta_left() {
            return Err(Refusal::ThresholdExhausted {
                asked: cost.threshold_delta,
                left: whole.threshold_delta_left(),
            });
        }
        Ok(legs)
    }

    /// The accounts of a branch with what each pays, from the researcher's to the dataset's.
    pub(super) fn postings(
        &self,
        branch: &Branch,
        legs: &Postings,
    ) -> impl Iterator<Item = (&Account, Price)> + use<'_> {
        let project = branch.project.map(|project| (project, legs.project));
        let ends = [(branch.researcher, legs.researcher), (branch.dataset, legs.dataset)];
        let in_order = [Some(ends[0]), project, Some(ends[1])];
        in_order.into_iter().flatten().map(|(number, leg)| (self.account(number), leg))
    }

    /// What can still be spent on a branch: the least that is left over its accounts.
    #[must_use]
    pub fn left(&self, branch: &Branch, now_ms: u64) -> Price {
        let nothing = Postings::default();
        self.postings(branch, &nothing).map(|(account, _)| account.left_at(now_ms)).min().unwrap_or(Price::ZERO)
    }

    /// How many answers with these legs fit; `None` if they are free.
    #[must_use]
    pub fn fits(&self, branch: &Branch, legs: &Postings, now_ms: u64) -> Option<u64> {
        let each = self.postings(branch, legs).filter(|(_, leg)| *leg > Price::ZERO);
        each.filter_map(|(account, leg)| account.left_at(now_ms).quanta().checked_div(leg.quanta())).min()
    }

    /// Resolves the ids of draws; `None` unless all of them are stored and belong to this dataset.
    #[must_use]
    pub fn resolve(&self, branch: &Branch, uses: &[DrawId]) -> Option<Vec<DrawNo>> {
        let one = |id: &DrawId| {
            let number = *self.names.get(&id.release)?;
            let card = self.card(number);
            let draw = card.drawn.start.checked_add(id.index).filter(|draw| card.drawn.contains(draw))?;
            (self.is_sealed(number) && card.dataset == branch.dataset).then_some(DrawNo(draw))
        };
        uses.iter().map(one).collect()
    }

    pub(super) fn is_sealed(&self, number: ReleaseNo) -> bool {
        self.card(number).state == AnswerState::Sealed
    }

    /// Makes the act that charges a request, if the request is admitted now.
    ///
    /// # Errors
    /// [`Refusal`], as for [`LedgerState::admit`].
    pub fn charge(&self, request: &ChargeRequest) -> Result<Charge, Refusal> {
        let certificate = &request.certificate;
        let subject = certificate.subject();
        let branch = self.branch(&subject.dataset, &request.researcher).ok_or(Refusal::NoAccount)?;
        let uses = self.resolve(&branch, &request.uses).ok_or(Refusal::Gone)?;
        let drawn = request.drawn.iter().zip(certificate.measurements());
        let draws: Vec<_> = drawn.map(|(view, certified)| NewDraw { view: *view, certified: *certified }).collect();
        let (drawn, cells, threshold_delta) = (certificate.price(), certificate.cells(), certificate.threshold_delta());
        let steps = request.steps.as_deref();
        let made = self.check_made(&branch, (&draws, &uses), steps);
        made.and_then(|()| self.check_untaken(&branch, &draws, (steps, threshold_delta))).map_err(|_| Refusal::Gone)?;
        let levels = steps.map(levels_given);
        let cost = AnswerCost { drawn, cells, threshold_delta, uses: &uses, levels: levels.as_deref() };
        let legs = self.admit(&branch, &cost, request.at_ms)?;
        Ok(Charge {
            release: request.release.clone(),
            researcher: request.researcher.clone(),
            dataset: subject.dataset.clone(),
            edition: subject.edition.clone(),
            view: request.view,
            sql: request.sql.clone(),
            rows_per_unit: request.rows_per_unit,
            purpose: request.purpose.clone(),
            drawn: draws,
            uses: request.uses.clone(),
            worth: request.worth.clone(),
            legs,
            cells,
            threshold_delta,
            key: request.key,
            account: self.mark_after(&branch, &legs, request.at_ms),
        })
    }

    /// Makes the act that serves a stored answer to a researcher, if they can pay for the draws that are new to them.
    ///
    /// # Errors
    /// [`Refusal`], as for [`LedgerState::admit`].
    pub fn serve(&self, request: &ServeRequest) -> Result<Serving, Refusal> {
        let number = *self.names.get(&request.release).ok_or(Refusal::Gone)?;
        let card = self.card(number);
        let dataset = &self.account(card.dataset).dataset;
        let branch = self.branch(dataset, &request.researcher).ok_or(Refusal::NoAccount)?;
        if !self.is_sealed(number) {
            return Err(Refusal::Gone);
        }
        let legs = self.legs_of_stored(&branch, number);
        if legs != Postings::default() {
            self.admit_stored(&branch, number, request.at_ms)?;
        }
        Ok(Serving {
            release: request.release.clone(),
            researcher: request.researcher.clone(),
            question: request.question.clone(),
            key: request.key,
            legs,
            account: self.mark_after(&branch, &legs, request.at_ms),
        })
    }

    /// Checks how an answer with these draws is to be made: steps must follow from the stored points, and the answer's researcher must have paid
    /// for the draws that it uses besides.
    pub(super) fn check_made(
        &self,
        branch: &Branch,
        (drawn, uses): (&[NewDraw], &[DrawNo]),
        steps: Option<&[PathStep]>,
    ) -> Result<(), FoldFault> {
        match steps {
            Some(_) if !uses.iter().all(|draw| self.has_paid(branch.researcher, *draw)) => Err(FoldFault::UnknownDraw),
            Some(steps) => self.check_steps(drawn, steps),
            None => Ok(()),
        }
    }

    /// What a stored answer posts to each account if it is served as it is.
    #[must_use]
    pub fn legs_of_stored(&self, branch: &Branch, number: ReleaseNo) -> Postings {
        self.with_cost_of_stored(number, |cost| self.legs(branch, &cost))
    }

    /// Checks whether a stored answer is admitted if it is served as it is, like [`LedgerState::admit`].
    ///
    /// # Errors
    /// [`Refusal`]; nothing changes.
    pub fn admit_stored(&self, branch: &Branch, number: ReleaseNo, now_ms: u64) -> Result<Postings, Refusal> {
        self.with_cost_of_stored(number, |cost| self.admit(branch, &cost, now_ms))
    }

    pub(super) fn with_cost_of_stored<T>(&self, number: ReleaseNo, with: impl FnOnce(AnswerCost<'_>) -> T) -> T {
        let card = self.card(number);
        let given = card.given.as_deref();
        // The levels of an answer that was charged by path hold its own draws, too.
        let uses: Vec<_> = if given.is_some() { card.uses.to_vec() } else { card.draws().collect() };
        let levels = self.is_by_path(number).then(|| given.unwrap_or_default());
        with(AnswerCost { levels, ..AnswerCost::of_stored(&uses) })
    }

    /// The state of an account at `now_ms`.
    #[must_use]
    pub fn mark(&self, account: &Account, now_ms: u64) -> AccountMark {
        let (mut left, mut above) = (account.left_at(now_ms), account.parent);
        while let Some(parent) = above.map(|parent| self.account(parent)) {
            left = left.min(parent.left_at(now_ms));
            above = parent.parent;
        }
        let (spent, lifetime) = (account.spent_at(now_ms), account.spent);
        AccountMark { spent, lifetime, amount: account.amount, left, epsilon: account.epsilon }
    }

    /// The state of a branch's researcher account at `now_ms` once these legs are posted.
    #[must_use]
    pub fn mark_after(&self, branch: &Branch, legs: &Postings, now_ms: u64) -> AccountMark {
        let mark = self.mark(self.account(branch.researcher), now_ms);
        let left = self.postings(branch, legs).map(|(account, leg)| account.left_at(now_ms).left_after(leg));
        AccountMark {
            spent: mark.spent.saturating_add(legs.researcher),
            lifetime: mark.lifetime.saturating_add(legs.researcher),
            left: left.min().unwrap_or(Price::ZERO),
            ..mark
        }
    }

    /// How many more answers at the account's last price fit; `None` before the first one.
    #[must_use]
    pub fn answers_left(&self, account: &Account, now_ms: u64) -> Option<u64> {
        let last = account.last.filter(|last| *last > Price::ZERO)?;
        let left = match account.kind {
            AccountKind::Researcher | AccountKind::Statistics => {
                self.branch(&account.dataset, &account.name).map(|branch| self.left(&branch, now_ms))
            }
            AccountKind::Project => {
                account.parent.map(|root| account.left_at(now_ms).min(self.account(root).left_at(now_ms)))
            }
            AccountKind::Dataset => Some(account.left_at(now_ms)),
        };
        left?.quanta().checked_div(last.quanta())
    }
}
