//! Offers: what an answer is made of, and who pays for it, at the least cost.
//!
//! An offer is at least as exact as what was asked for, and never costs the asker more than what was asked for would cost if nothing were
//! stored: an ε that somebody names is the most that they pay. An answer to the very question is served as it is if that costs the asker
//! nothing more. Otherwise an answer with Gaussian noise is made of points of noise paths ([`super::path_offer`]). With Laplace noise, and
//! where groups are hidden, stored vectors are used as they are, and everything else is drawn anew. The module reads plans, prices and
//! balances, and never a value.

use super::independent::share_noise;
use super::parts::{AnswerPart, NeededMeasurement, StoredVector, is_enough, origins, uses};
use super::path_offer::{PathPlanner, are_comparable};
use crate::kernel::budget::charge::Refusal;
use crate::kernel::budget::entry::{Digest, Postings};
use crate::kernel::budget::state::{AnswerCost, Branch, DrawNo, DrawRecord, LedgerState, ReleaseNo};
use crate::kernel::budget::steps::{PathStep, levels_given};
use crate::kernel::path::worth_of;
use crate::kernel::privacy::accountant::Accountant;
use crate::kernel::privacy::amounts::{Delta, Price};
use crate::kernel::privacy::sensitivity::Sensitivity;
use crate::query::derive::Derivation;
use std::sync::Arc;

/// What a whole answer is made of, and who pays for it.
#[derive(Debug, Clone)]
pub(crate) enum Offer {
    /// A stored answer, served as it is.
    Stored {
        /// Id of the stored release.
        release: String,
        /// What each of its measurements is worth, in the plan's order.
        worth: Vec<Price>,
        /// What each account pays.
        legs: Postings,
    },
    /// An answer combined from stored vectors and, where necessary, new noise.
    Combined {
        /// What the measurements are made of, in the plan's order.
        parts: Vec<AnswerPart>,
        /// The points of noise paths that it is made of; `None` if it is paid for draw by draw.
        steps: Option<Vec<PathStep>>,
        /// What each account pays.
        legs: Postings,
    },
}

impl Offer {
    pub(crate) fn legs(&self) -> Postings {
        match self {
            Self::Stored { legs, .. } | Self::Combined { legs, .. } => *legs,
        }
    }

    /// Whether the dataset pays nothing, because nothing is drawn from its data.
    pub(crate) fn is_stored(&self) -> bool {
        self.legs().dataset == Price::ZERO
    }

    /// What each measurement is worth, in the plan's order.
    pub(crate) fn worth(&self) -> Vec<Price> {
        match self {
            Self::Stored { worth, .. } => worth.clone(),
            Self::Combined { parts, .. } => parts.iter().map(|made| made.worth).collect(),
        }
    }

    /// The releases that it uses, each once.
    pub(crate) fn origins(&self) -> Vec<String> {
        match self {
            Self::Stored { release, .. } => vec![release.clone()],
            Self::Combined { parts, .. } => origins(parts),
        }
    }
}

/// Everything that an answer to one question could be made of, from the ledger's state.
pub(crate) struct AvailableParts<'a> {
    book: &'a LedgerState,
    branch: Branch,
    /// Digest of the question; `None` if everything is to be drawn anew.
    view: Option<Digest>,
    threshold_delta: Delta,
    wanted: &'a [NeededMeasurement],
    /// Stored draws by measurement; `None` if the answer is made of points of noise paths.
    sources: Option<Vec<Vec<StoredVector>>>,
    now_ms: u64,
}

impl<'a> AvailableParts<'a> {
    /// Collects what the ledger holds for the question `view` with these measurements. If `view` is `None`, everything is to be
    /// drawn anew and nothing stored is considered.
    pub(crate) fn new(
        book: &'a LedgerState,
        branch: Branch,
        accountant: Accountant,
        (view, wanted): (Option<Digest>, &'a [NeededMeasurement]),
        threshold_delta: Delta,
        now_ms: u64,
    ) -> Self {
        let is_by_draw = view.is_none() || wanted.iter().any(|one| one.is_whole);
        let sources = match accountant {
            Accountant::Gaussian { .. } if is_by_draw || !are_comparable(book, wanted) => {
                Some(vec![Vec::new(); wanted.len()])
            }
            Accountant::Gaussian { .. } => None,
            Accountant::Pure => {
                let stored = |wanted| if view.is_some() { sources(book, &branch, wanted) } else { Vec::new() };
                Some(wanted.iter().map(stored).collect())
            }
        };
        Self { book, branch, view, threshold_delta, wanted, sources, now_ms }
    }

    /// A stored answer to exactly this question that costs no account anything.
    pub(crate) fn known(&self, asked: &[Price]) -> Option<Offer> {
        self.stored(asked).into_iter().next().filter(|offer| offer.legs() == Postings::default())
    }

    /// The cheapest offer that gives each measurement the worth in `asked` (one price per measurement) and that the accounts
    /// admit.
    pub(crate) fn offer(&self, asked: &[Price]) -> Result<Offer, Refusal> {
        let stored = self.stored(asked);
        if let Some(offer) = stored.first().filter(|offer| offer.legs() == Postings::default()) {
            return Ok(offer.clone());
        }
        let by_path =
            self.sources.is_none().then(|| PathPlanner::new(self.book, self.branch).parts(self.wanted, asked));
        let nothing = || vec![Vec::new(); self.wanted.len()];
        let (made, ceiling) = match by_path {
            Some((parts, steps)) if !share_noise(self.wanted, &parts) => {
                let offer = self.priced(parts, Some(steps));
                let ceiling = offer.legs().researcher;
                (vec![offer], ceiling)
            }
            Some(_) | None => {
                let whole = asked.iter().fold(Price::ZERO, |sum, asked| sum.saturating_add(*asked));
                (self.by_draw(self.sources.as_ref().unwrap_or(&nothing()), asked), whole)
            }
        };
        let mut offers: Vec<Offer> = stored.into_iter().chain(made).collect();
        // The sort is stable: among equal costs, a stored answer served as it is comes first.
        offers.sort_by_key(|offer| (offer.legs().researcher, offer.legs().dataset));
        offers.retain(|offer| offer.legs().researcher <= ceiling);
        let mut refusal = Refusal::Gone;
        for offer in offers {
            match self.admit(&offer) {
                _ if offer.legs() == Postings::default() => return Ok(offer),
                Ok(_) => return Ok(offer),
                // What is refused last is what would have been drawn for the question.
                Err(why) => refusal = why,
            }
        }
        Err(refusal)
    }

    /// Answers that are paid for draw by draw: of what the researcher has paid for, of what is stored, and of stored draws that are no dearer
    /// than what was asked for and new ones.
    fn by_draw(&self, sources: &[Vec<StoredVector>], asked: &[Price]) -> Vec<Offer> {
        let own = self.made(sources, asked, of_paid);
        let others = self.made(sources, asked, of_stored);
        let parts = sources.iter().zip(asked).map(|(sources, asked)| filled(sources, *asked)).collect();
        own.into_iter().chain(others).chain([self.priced(parts, None)]).collect()
    }

    /// Stored answers to exactly this question that are exact enough: those served to the researcher before come first, then
    /// those that cost the researcher least. Among those, the least exact comes first, so that asking again gives the same answer.
    fn stored(&self, asked: &[Price]) -> Vec<Offer> {
        let enough = |worth: &[Price]| {
            worth.len() == asked.len() && worth.iter().zip(asked).all(|(worth, asked)| is_enough(*worth, *asked))
        };
        let mut found: Vec<(bool, Price, Price, ReleaseNo, Offer)> = Vec::new();
        let answers = self.view.iter().flat_map(|view| self.book.answers(view));
        for (number, card) in answers.filter(|(_, card)| enough(&card.worth)) {
            let legs = self.book.legs_of_stored(&self.branch, number);
            let is_new = !self.book.was_served(self.branch.researcher, number);
            let offer = Offer::Stored { release: card.id.clone(), worth: card.worth.to_vec(), legs };
            let worth = card.worth.iter().fold(Price::ZERO, |sum, worth| sum.saturating_add(*worth));
            found.push((is_new, legs.researcher, worth, number, offer));
        }
        found.sort_by_key(|(is_new, leg, worth, number, _)| (*is_new, *leg, *worth, *number));
        found.into_iter().map(|(.., offer)| offer).collect()
    }

    /// An answer of stored draws alone; `None` if `choose` does not find enough for some measurement.
    fn made(
        &self,
        sources: &[Vec<StoredVector>],
        asked: &[Price],
        choose: impl Fn(&[StoredVector], Price) -> Option<AnswerPart>,
    ) -> Option<Offer> {
        let parts: Option<Vec<_>> = sources.iter().zip(asked).map(|(sources, asked)| choose(sources, *asked)).collect();
        parts.map(|parts| self.priced(parts, None))
    }

    fn priced(&self, parts: Vec<AnswerPart>, steps: Option<Vec<PathStep>>) -> Offer {
        let legs = self.with_cost(&parts, steps.as_deref(), |cost| self.book.legs(&self.branch, &cost));
        Offer::Combined { parts, steps, legs }
    }

    /// Calls `with` with what an answer of these parts would take.
    fn with_cost<T>(
        &self,
        parts: &[AnswerPart],
        steps: Option<&[PathStep]>,
        with: impl FnOnce(AnswerCost<'_>) -> T,
    ) -> T {
        let drawn = parts.iter().fold(Price::ZERO, |sum, made| sum.saturating_add(made.fresh));
        let fresh = parts.iter().zip(self.wanted).filter(|(made, _)| made.fresh > Price::ZERO);
        let cells = fresh.fold(0_u64, |sum, (_, wanted)| sum.saturating_add(wanted.sought.cells));
        let threshold_delta = if drawn > Price::ZERO { self.threshold_delta } else { Delta::ZERO };
        let (uses, levels) = (uses(parts), steps.map(levels_given));
        with(AnswerCost { drawn, cells, threshold_delta, uses: &uses, levels: levels.as_deref() })
    }

    fn admit(&self, offer: &Offer) -> Result<Postings, Refusal> {
        match offer {
            Offer::Combined { parts, steps, .. } => {
                self.with_cost(parts, steps.as_deref(), |cost| self.book.admit(&self.branch, &cost, self.now_ms))
            }
            Offer::Stored { release, .. } => {
                let number = self.book.number(release).ok_or(Refusal::Gone)?;
                self.book.admit_stored(&self.branch, number, self.now_ms)
            }
        }
    }
}

/// What the researcher has paid for, if that is exact enough.
fn of_paid(sources: &[StoredVector], asked: Price) -> Option<AnswerPart> {
    let made = most_exact(sources.iter().filter(|source| source.is_paid))?;
    is_enough(made.worth, asked).then_some(made)
}

/// A stored vector that is exact enough: one that the researcher has paid for, or the cheapest of the others.
fn of_stored(sources: &[StoredVector], asked: Price) -> Option<AnswerPart> {
    of_paid(sources, asked).or_else(|| single(sources.iter(), asked))
}

/// A stored vector that is exact enough and no dearer than what was asked for, or a new draw.
fn filled(sources: &[StoredVector], asked: Price) -> AnswerPart {
    let no_dearer = |made: &AnswerPart| made.sources.iter().all(|source| source.is_paid || source.price <= asked);
    let stored = of_stored(sources, asked).filter(no_dearer);
    stored.unwrap_or(AnswerPart { fresh: asked, worth: asked, ..AnswerPart::default() })
}

/// The single most exact source: precisions of Laplace noise do not add up.
fn most_exact<'s>(sources: impl Iterator<Item = &'s StoredVector>) -> Option<AnswerPart> {
    sources.max_by_key(|source| (source.worth, std::cmp::Reverse(source.draw))).map(AnswerPart::of)
}

/// The cheapest source that is exact enough by itself.
fn single<'s>(sources: impl Iterator<Item = &'s StoredVector>, asked: Price) -> Option<AnswerPart> {
    let enough = sources.filter(|source| is_enough(source.worth, asked));
    enough.min_by_key(|source| (source.price, source.draw)).map(AnswerPart::of)
}

/// Every stored draw with Laplace noise that a measurement can be computed from: its own draws first, then those of its ancestors. Of those
/// it takes single cells, since sums of several cells follow another law; what costs P is worth P·Δ₁/Δ'₁, rounded down.
fn sources(book: &LedgerState, branch: &Branch, wanted: &NeededMeasurement) -> Vec<StoredVector> {
    if wanted.is_whole {
        return Vec::new();
    }
    let own = book.draws(&wanted.view).map(|(draw, card)| (draw, card, None));
    let single_cells = wanted.ancestors.iter().filter(|ancestor| ancestor.derivation.summed_max == 1);
    let derived = single_cells.flat_map(|ancestor| {
        book.draws(&ancestor.view).map(move |(draw, card)| (draw, card, Some(Arc::clone(&ancestor.derivation))))
    });
    let l1 = |sensitivity: Sensitivity| u128::from(sensitivity.l1());
    let source = |(draw, card, derivation): (DrawNo, &DrawRecord, Option<Arc<Derivation>>)| {
        let price = card.certified.price;
        let worth = worth_of(price, (l1(wanted.sought.sensitivity), l1(card.certified.sensitivity)), 1)?;
        let (id, view) = (book.draw_id(draw), card.view);
        let is_paid = book.has_paid(branch.researcher, draw);
        Some(StoredVector { draw, id, view, derivation, worth, price, is_paid })
    };
    own.chain(derived).filter_map(source).collect()
}
