//! Offers: what an answer is made of, and who pays for it, at the least cost.
//!
//! An offer is at least as exact as what was asked for. In order of preference it uses: what the researcher was served before;
//! what is new to none of the accounts that pay; what is stored and fits the researcher's account; and finally new noise, for no
//! more than the difference between what was asked for and what is stored. The module reads plans, prices and balances, and never
//! a value.

use crate::kernel::budget::charge::Refusal;
use crate::kernel::budget::entry::{Digest, DrawId, Postings};
use crate::kernel::budget::state::{AnswerCost, Branch, DrawNo, LedgerState, ReleaseNo};
use crate::kernel::privacy::accountant::Accountant;
use crate::kernel::privacy::amounts::{Delta, Price};
use crate::kernel::privacy::certificate::MeasurementSpec;
use crate::query::derive::Derivation;
use crate::service::asking::derivations::Ancestor;
use std::sync::Arc;

/// A measurement that the question needs.
#[derive(Debug, Clone)]
pub(crate) struct NeededMeasurement {
    /// Digest that identifies the measurement without its accuracy.
    pub(crate) view: Digest,
    /// The measurement's sensitivity and its number of cells.
    pub(crate) sought: MeasurementSpec,
    /// If set, the measurement is reused only as part of the whole answer; nothing else is ever computed from its noise.
    pub(crate) is_whole: bool,
    /// Stored measurements that this one can be derived from.
    pub(crate) ancestors: Vec<Ancestor>,
}

/// A stored vector that a measurement can be computed from.
#[derive(Debug, Clone)]
pub(crate) struct StoredVector {
    draw: DrawNo,
    /// Id of the draw that is valid outside of the ledger's state, too.
    pub(crate) id: DrawId,
    /// How to derive the measurement from it; `None` if it is a draw of the measurement itself.
    pub(crate) derivation: Option<Arc<Derivation>>,
    /// What the vector is worth for this measurement: the price of a direct draw of the same accuracy.
    worth: Price,
    /// What the vector cost when it was drawn.
    price: Price,
    /// Whether the researcher has already paid for it.
    is_paid: bool,
}

/// What one measurement of an answer is made of.
#[derive(Debug, Clone, Default)]
pub(crate) struct AnswerPart {
    /// The stored vectors that are combined.
    pub(crate) sources: Vec<StoredVector>,
    /// Price of what is drawn anew; zero if nothing is.
    pub(crate) fresh: Price,
    /// Price of a single draw as exact as all of this together.
    pub(crate) worth: Price,
}

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
    /// An answer combined from stored vectors and, where necessary, new draws.
    Combined {
        /// What the measurements are made of, in the plan's order.
        parts: Vec<AnswerPart>,
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

    /// Whether the dataset pays nothing, because nothing is drawn.
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
}

/// Everything that an answer to one question could be made of, from the ledger's state.
pub(crate) struct AvailableParts<'a> {
    book: &'a LedgerState,
    branch: Branch,
    accountant: Accountant,
    /// Digest of the question; `None` if everything is to be drawn anew.
    view: Option<Digest>,
    threshold_delta: Delta,
    sources: Vec<Vec<StoredVector>>,
    cells: Vec<u64>,
    now_ms: u64,
}

impl<'a> AvailableParts<'a> {
    /// Collects what the ledger holds for the question `view` with these measurements. If `view` is `None`, everything is to be
    /// drawn anew and nothing stored is considered.
    pub(crate) fn new(
        book: &'a LedgerState,
        branch: Branch,
        accountant: Accountant,
        (view, wanted): (Option<Digest>, &[NeededMeasurement]),
        threshold_delta: Delta,
        now_ms: u64,
    ) -> Self {
        let of_stored = |wanted| if view.is_some() { sources(book, &branch, accountant, wanted) } else { Vec::new() };
        let sources = wanted.iter().map(of_stored).collect();
        let cells = wanted.iter().map(|wanted| wanted.sought.cells).collect();
        Self { book, branch, accountant, view, threshold_delta, sources, cells, now_ms }
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
        let own = self.made(asked, |sources, asked| self.of_paid(sources, asked));
        let others = self.made(asked, |sources, asked| self.of_stored(sources, asked));
        let mut without_noise: Vec<Offer> = stored.into_iter().chain(own).chain(others).collect();
        // The sort is stable: among equal costs, a stored answer served as it is comes first.
        without_noise.sort_by_key(|offer| offer.legs().researcher);
        let fits = |offer: &Offer| offer.legs() == Postings::default() || self.admit(offer).is_ok();
        if let Some(offer) = without_noise.into_iter().find(fits) {
            return Ok(offer);
        }
        // Use stored vectors where they are exact enough, and new noise elsewhere. If that is too expensive, buy no more than was
        // asked for.
        let mixed =
            self.sources.iter().zip(asked).map(|(sources, asked)| {
                self.of_stored(sources, *asked).unwrap_or_else(|| self.topped_up(sources, *asked))
            });
        let mixed = self.priced(mixed.collect());
        if self.admit(&mixed).is_ok() {
            return Ok(mixed);
        }
        let parts = self.sources.iter().zip(asked).map(|(sources, asked)| self.topped_up(sources, *asked)).collect();
        let offer = self.priced(parts);
        self.admit(&offer)?;
        Ok(offer)
    }

    /// Stored answers to exactly this question that are exact enough: those served to the researcher before come first, then
    /// those that cost the researcher least.
    fn stored(&self, asked: &[Price]) -> Vec<Offer> {
        let enough = |worth: &[Price]| {
            worth.len() == asked.len() && worth.iter().zip(asked).all(|(worth, asked)| is_enough(*worth, *asked))
        };
        let mut found: Vec<(bool, Price, ReleaseNo, Offer)> = Vec::new();
        let answers = self.view.iter().flat_map(|view| self.book.answers(view));
        for (number, card) in answers.filter(|(_, card)| enough(&card.worth)) {
            let uses: Vec<_> = card.draws().collect();
            let legs = self.book.legs(&self.branch, &AnswerCost::of_stored(&uses));
            let is_new = !self.book.was_served(self.branch.researcher, number);
            let offer = Offer::Stored { release: card.id.clone(), worth: card.worth.to_vec(), legs };
            found.push((is_new, legs.researcher, number, offer));
        }
        found.sort_by_key(|(is_new, leg, number, _)| (*is_new, *leg, *number));
        found.into_iter().map(|(_, _, _, offer)| offer).collect()
    }

    /// An answer of stored vectors alone; `None` if `choose` does not find enough for some measurement.
    fn made(&self, asked: &[Price], choose: impl Fn(&[StoredVector], Price) -> Option<AnswerPart>) -> Option<Offer> {
        let parts: Option<Vec<_>> =
            self.sources.iter().zip(asked).map(|(sources, asked)| choose(sources, *asked)).collect();
        parts.map(|parts| self.priced(parts))
    }

    /// Everything that the researcher has paid for, if that is exact enough.
    fn of_paid(&self, sources: &[StoredVector], asked: Price) -> Option<AnswerPart> {
        let made = match self.accountant {
            Accountant::Gaussian { .. } => sum(sources.iter().filter(|source| source.is_paid)),
            Accountant::Pure => most_exact(sources.iter().filter(|source| source.is_paid))?,
        };
        is_enough(made.worth, asked).then_some(made)
    }

    /// Stored vectors that are exact enough: first those the researcher has paid for, then others by how exact they are, and no
    /// more of them than needed.
    fn of_stored(&self, sources: &[StoredVector], asked: Price) -> Option<AnswerPart> {
        if self.accountant == Accountant::Pure {
            return self.of_paid(sources, asked).or_else(|| single(sources.iter(), asked));
        }
        let mut made = sum(sources.iter().filter(|source| source.is_paid));
        let missing = asked.left_after(made.worth);
        let others = sources.iter().filter(|source| !source.is_paid);
        let enough_alone =
            others.clone().filter(|source| source.derivation.is_none() && is_enough(source.worth, missing));
        let alone = enough_alone.min_by_key(|source| (source.price, source.draw));
        if let Some(source) = alone.filter(|_| !is_enough(made.worth, asked)) {
            made.take(source);
            return Some(made);
        }
        let mut others: Vec<_> = others.collect();
        others.sort_by_key(|source| (source.derivation.is_some(), std::cmp::Reverse(derived_worth(source))));
        for source in others {
            if is_enough(made.worth, asked) {
                break;
            }
            made.take(source);
        }
        is_enough(made.worth, asked).then_some(made)
    }

    /// Stored vectors of this measurement that do not exceed the worth asked for, and new noise for the rest.
    fn topped_up(&self, sources: &[StoredVector], asked: Price) -> AnswerPart {
        if self.accountant == Accountant::Pure {
            let no_dearer =
                |made: &AnswerPart| made.sources.iter().all(|source| source.is_paid || source.price <= asked);
            let stored = self.of_stored(sources, asked).filter(no_dearer);
            return stored.unwrap_or(AnswerPart { sources: Vec::new(), fresh: asked, worth: asked });
        }
        let mut made = sum(sources.iter().filter(|source| source.is_paid));
        let is_own = |source: &&StoredVector| !source.is_paid && source.derivation.is_none();
        for source in sources.iter().filter(is_own) {
            if source.worth <= asked.left_after(made.worth) {
                made.take(source);
            }
        }
        if !is_enough(made.worth, asked) {
            // After 16 top-ups draw at least 1/64 of the precision asked for, so that an answer never has many parts.
            let least =
                if made.sources.len() < TOP_UPS_MAX { Price::ZERO } else { Price::from_quanta(asked.quanta() / 64) };
            made.fresh = asked.left_after(made.worth).max(least);
            made.worth = made.worth.saturating_add(made.fresh);
        }
        made
    }

    fn wish(&self, parts: &[AnswerPart]) -> (Price, u64, Vec<DrawNo>) {
        let drawn = parts.iter().fold(Price::ZERO, |sum, made| sum.saturating_add(made.fresh));
        let fresh = parts.iter().zip(&self.cells).filter(|(made, _)| made.fresh > Price::ZERO);
        let cells = fresh.fold(0_u64, |sum, (_, cells)| sum.saturating_add(*cells));
        (drawn, cells, uses(parts))
    }

    fn priced(&self, parts: Vec<AnswerPart>) -> Offer {
        let (drawn, cells, uses) = self.wish(&parts);
        let threshold_delta = self.threshold_delta;
        let legs = self.book.legs(&self.branch, &AnswerCost { drawn, cells, threshold_delta, uses: &uses });
        Offer::Combined { parts, legs }
    }

    fn admit(&self, offer: &Offer) -> Result<Postings, Refusal> {
        let (drawn, cells, uses) = match offer {
            Offer::Combined { parts, .. } => self.wish(parts),
            Offer::Stored { release, .. } => {
                let card = self.book.release(release).ok_or(Refusal::Gone)?;
                (Price::ZERO, 0, card.draws().collect())
            }
        };
        let threshold_delta = if drawn > Price::ZERO { self.threshold_delta } else { Delta::ZERO };
        self.book.admit(&self.branch, &AnswerCost { drawn, cells, threshold_delta, uses: &uses }, self.now_ms)
    }
}

impl AnswerPart {
    fn take(&mut self, source: &StoredVector) {
        self.worth = self.worth.saturating_add(source.worth);
        self.sources.push(source.clone());
    }
}

/// Number of stored vectors in an answer from which on a top-up adds at least 1/64 of the price asked for.
const TOP_UPS_MAX: usize = 16;

/// The draws used by all parts, sorted, each once.
pub(crate) fn uses(parts: &[AnswerPart]) -> Vec<DrawNo> {
    let mut uses: Vec<_> = parts.iter().flat_map(|made| &made.sources).map(|source| source.draw).collect();
    uses.sort_unstable();
    uses.dedup();
    uses
}

/// The ids of the draws used by all parts, each once.
pub(crate) fn use_ids(parts: &[AnswerPart]) -> Vec<DrawId> {
    let mut sources: Vec<_> = parts.iter().flat_map(|made| &made.sources).collect();
    sources.sort_by_key(|source| source.draw);
    sources.dedup_by_key(|source| source.draw);
    sources.into_iter().map(|source| source.id.clone()).collect()
}

fn derived_worth(source: &StoredVector) -> Price {
    if source.derivation.is_some() { source.worth } else { Price::ZERO }
}

/// Whether `worth` is at least `asked`, up to one part in a billion.
fn is_enough(worth: Price, asked: Price) -> bool {
    worth.saturating_add(Price::from_quanta(asked.quanta() / 1_000_000_000)) >= asked
}

fn sum<'s>(sources: impl Iterator<Item = &'s StoredVector>) -> AnswerPart {
    let mut made = AnswerPart::default();
    sources.for_each(|source| made.take(source));
    made
}

/// The single most exact source, for laws other than the Gaussian: their precisions do not add up.
fn most_exact<'s>(sources: impl Iterator<Item = &'s StoredVector>) -> Option<AnswerPart> {
    let mut made = AnswerPart::default();
    made.take(sources.max_by_key(|source| (source.worth, std::cmp::Reverse(source.draw)))?);
    Some(made)
}

/// The cheapest source that is exact enough by itself.
fn single<'s>(sources: impl Iterator<Item = &'s StoredVector>, asked: Price) -> Option<AnswerPart> {
    let enough = sources.filter(|source| is_enough(source.worth, asked));
    let mut made = AnswerPart::default();
    made.take(enough.min_by_key(|source| (source.price, source.draw))?);
    Some(made)
}

/// Every stored vector that a measurement can be computed from: its own draws first, then those of its ancestors.
fn sources(
    book: &LedgerState,
    branch: &Branch,
    accountant: Accountant,
    wanted: &NeededMeasurement,
) -> Vec<StoredVector> {
    if wanted.is_whole {
        return Vec::new();
    }
    let own = book.draws(&wanted.view).map(|(draw, card)| (draw, card, None));
    let derived = wanted.ancestors.iter().flat_map(|ancestor| {
        book.draws(&ancestor.view).map(move |(draw, card)| (draw, card, Some(Arc::clone(&ancestor.derivation))))
    });
    let source =
        |(draw, card, derivation): (DrawNo, &crate::kernel::budget::state::DrawRecord, Option<Arc<Derivation>>)| {
            let summed = derivation.as_ref().map_or(1, |derivation| derivation.summed_max);
            let price = card.certified.price;
            let worth = worth(accountant, price, (wanted.sought, card.certified.sensitivity), summed)?;
            Some(StoredVector {
                draw,
                id: book.draw_id(draw),
                derivation,
                worth,
                price,
                is_paid: book.has_paid(branch.researcher, draw),
            })
        };
    own.chain(derived).filter_map(source).collect()
}

/// What a vector of price P is worth for a measurement, rounded down. Gaussian: the vector's noise has σ² = Δ'₂²/P. A sum of
/// `summed` of its cells has variance `summed`·σ², and a direct draw with that variance would cost Δ₂²/(`summed`·σ²) =
/// P·Δ₂²/(Δ'₂²·`summed`). Laplace: P·Δ₁/Δ'₁, and only for single cells, since sums of several cells follow another law.
fn worth(
    accountant: Accountant,
    price: Price,
    (wanted, held): (MeasurementSpec, crate::kernel::privacy::sensitivity::Sensitivity),
    summed: u64,
) -> Option<Price> {
    let (own, other) = match accountant {
        Accountant::Gaussian { .. } => (wanted.sensitivity.l2_squared(), held.l2_squared()),
        Accountant::Pure if summed == 1 => (wanted.sensitivity.l1().into(), held.l1().into()),
        Accountant::Pure => return None,
    };
    if own == other {
        return Some(Price::from_quanta(price.quanta() / summed));
    }
    let worth = u128::from(price.quanta()).checked_mul(own)? / other.checked_mul(summed.into())?;
    u64::try_from(worth).ok().map(Price::from_quanta)
}
