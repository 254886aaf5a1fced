//! The offer: what an answer is made of, and who pays for it, at the least cost.
//!
//! Promises an answer at least as exact as was asked for. In this order: what was served to the researcher before, what is new to
//! nobody who pays, what is stored and fits their account, and at last new noise, for no more than the difference between what was
//! asked for and what is stored. It reads plans, prices and balances, and never a value.

use crate::kernel::budget::charge::Refusal;
use crate::kernel::budget::entry::{Digest, DrawId, Legs};
use crate::kernel::budget::state::{Book, Branch, DrawNo, ReleaseNo, Wish};
use crate::kernel::privacy::accountant::Accountant;
use crate::kernel::privacy::amounts::{Delta, Price};
use crate::kernel::privacy::certificate::Sought;
use crate::query::derive::Derivation;
use crate::service::asking::derivations::Ancestor;
use std::sync::Arc;

/// A measurement as it is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// Its digest.
    pub(crate) view: Digest,
    /// Its sensitivity and cells.
    pub(crate) sought: Sought,
    /// Whether it is used again as part of the whole answer alone: nothing is made of its noise but that answer.
    pub(crate) is_whole: bool,
    /// What else it can be computed from.
    pub(crate) ancestors: Vec<Ancestor>,
}

/// A stored vector that a measurement can be computed from.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    draw: DrawNo,
    /// Its name outside of the book.
    pub(crate) id: DrawId,
    /// How, where it is not the measurement itself.
    pub(crate) derivation: Option<Arc<Derivation>>,
    /// What it is worth for the measurement.
    worth: Price,
    /// What it cost.
    price: Price,
    /// Whether the researcher has paid for it.
    is_paid: bool,
}

/// What one measurement of an answer is made of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Made {
    /// Stored vectors.
    pub(crate) sources: Vec<Source>,
    /// The price of what is drawn anew; nothing where it is nothing.
    pub(crate) fresh: Price,
    /// What all of it is worth.
    pub(crate) worth: Price,
}

/// What an answer is made of.
#[derive(Debug, Clone)]
pub(crate) enum Offer {
    /// A stored answer as it is.
    Stored {
        /// Its id.
        release: String,
        /// What each of its measurements is worth.
        worth: Vec<Price>,
        /// Who pays.
        legs: Legs,
    },
    /// Stored vectors, and where there is need new ones.
    Made {
        /// One a measurement.
        parts: Vec<Made>,
        /// Who pays.
        legs: Legs,
    },
}

impl Offer {
    pub(crate) fn legs(&self) -> Legs {
        match self {
            Self::Stored { legs, .. } | Self::Made { legs, .. } => *legs,
        }
    }

    /// Whether nothing is drawn.
    pub(crate) fn is_stored(&self) -> bool {
        self.legs().dataset == Price::ZERO
    }

    /// What each measurement is worth.
    pub(crate) fn worth(&self) -> Vec<Price> {
        match self {
            Self::Stored { worth, .. } => worth.clone(),
            Self::Made { parts, .. } => parts.iter().map(|made| made.worth).collect(),
        }
    }
}

/// All that an answer could be made of.
pub(crate) struct Stock<'a> {
    book: &'a Book,
    branch: Branch,
    accountant: Accountant,
    /// Digest of the question; nothing where all of it is to be drawn anew.
    view: Option<Digest>,
    threshold_delta: Delta,
    sources: Vec<Vec<Source>>,
    cells: Vec<u64>,
    now_ms: u64,
}

impl<'a> Stock<'a> {
    /// What the book holds for a question of digest `view` with these measurements; without a digest it is to be drawn anew, and
    /// nothing that is stored is looked at.
    pub(crate) fn new(
        book: &'a Book,
        branch: Branch,
        accountant: Accountant,
        (view, wanted): (Option<Digest>, &[Wanted]),
        threshold_delta: Delta,
        now_ms: u64,
    ) -> Self {
        let of_stored = |wanted| if view.is_some() { sources(book, &branch, accountant, wanted) } else { Vec::new() };
        let sources = wanted.iter().map(of_stored).collect();
        let cells = wanted.iter().map(|wanted| wanted.sought.cells).collect();
        Self { book, branch, accountant, view, threshold_delta, sources, cells, now_ms }
    }

    /// A stored answer to this very question that costs nobody anything.
    pub(crate) fn known(&self, asked: &[Price]) -> Option<Offer> {
        self.stored(asked).into_iter().next().filter(|offer| offer.legs() == Legs::default())
    }

    /// The best offer for these prices, one a measurement.
    pub(crate) fn offer(&self, asked: &[Price]) -> Result<Offer, Refusal> {
        let stored = self.stored(asked);
        if let Some(offer) = stored.first().filter(|offer| offer.legs() == Legs::default()) {
            return Ok(offer.clone());
        }
        let own = self.made(asked, |sources, asked| self.of_paid(sources, asked));
        let others = self.made(asked, |sources, asked| self.of_stored(sources, asked));
        let mut without_noise: Vec<Offer> = stored.into_iter().chain(own).chain(others).collect();
        // A stable sort: of equal costs a stored answer as it is comes first.
        without_noise.sort_by_key(|offer| offer.legs().researcher);
        let fits = |offer: &Offer| offer.legs() == Legs::default() || self.admit(offer).is_ok();
        if let Some(offer) = without_noise.into_iter().find(fits) {
            return Ok(offer);
        }
        // What is stored where it is enough, new noise where it is not; and where that is too dear, no more than was asked.
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

    /// Stored answers to this very question that are exact enough: those served before first, then by what is new in them.
    fn stored(&self, asked: &[Price]) -> Vec<Offer> {
        let enough = |worth: &[Price]| {
            worth.len() == asked.len() && worth.iter().zip(asked).all(|(worth, asked)| is_enough(*worth, *asked))
        };
        let mut found: Vec<(bool, Price, ReleaseNo, Offer)> = Vec::new();
        let answers = self.view.iter().flat_map(|view| self.book.answers(view));
        for (number, card) in answers.filter(|(_, card)| enough(&card.worth)) {
            let uses: Vec<_> = card.draws().collect();
            let legs = self.book.legs(&self.branch, &Wish::of_stored(&uses));
            let is_new = !self.book.was_served(self.branch.researcher, number);
            let offer = Offer::Stored { release: card.id.clone(), worth: card.worth.to_vec(), legs };
            found.push((is_new, legs.researcher, number, offer));
        }
        found.sort_by_key(|(is_new, leg, number, _)| (*is_new, *leg, *number));
        found.into_iter().map(|(_, _, _, offer)| offer).collect()
    }

    /// An answer of stored vectors alone, where `choose` finds enough for every measurement.
    fn made(&self, asked: &[Price], choose: impl Fn(&[Source], Price) -> Option<Made>) -> Option<Offer> {
        let parts: Option<Vec<_>> =
            self.sources.iter().zip(asked).map(|(sources, asked)| choose(sources, *asked)).collect();
        parts.map(|parts| self.priced(parts))
    }

    /// What the researcher has paid for, if it is enough.
    fn of_paid(&self, sources: &[Source], asked: Price) -> Option<Made> {
        let made = match self.accountant {
            Accountant::Gaussian { .. } => sum(sources.iter().filter(|source| source.is_paid)),
            Accountant::Pure => most_exact(sources.iter().filter(|source| source.is_paid))?,
        };
        is_enough(made.worth, asked).then_some(made)
    }

    /// What is stored, the researcher's own first, the most exact first of others', and no more of them than are needed.
    fn of_stored(&self, sources: &[Source], asked: Price) -> Option<Made> {
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

    /// What is stored of this measurement as far as it does not go beyond what is asked, and new noise for the rest.
    fn topped_up(&self, sources: &[Source], asked: Price) -> Made {
        if self.accountant == Accountant::Pure {
            let no_dearer = |made: &Made| made.sources.iter().all(|source| source.is_paid || source.price <= asked);
            let stored = self.of_stored(sources, asked).filter(no_dearer);
            return stored.unwrap_or(Made { sources: Vec::new(), fresh: asked, worth: asked });
        }
        let mut made = sum(sources.iter().filter(|source| source.is_paid));
        let is_own = |source: &&Source| !source.is_paid && source.derivation.is_none();
        for source in sources.iter().filter(is_own) {
            if source.worth <= asked.left_after(made.worth) {
                made.take(source);
            }
        }
        if !is_enough(made.worth, asked) {
            // Of a view that was topped up often, no dust: else every answer would be made of all that came before.
            let least =
                if made.sources.len() < TOP_UPS_MAX { Price::ZERO } else { Price::from_units(asked.units() / 64) };
            made.fresh = asked.left_after(made.worth).max(least);
            made.worth = made.worth.saturating_add(made.fresh);
        }
        made
    }

    fn wish(&self, parts: &[Made]) -> (Price, u64, Vec<DrawNo>) {
        let drawn = parts.iter().fold(Price::ZERO, |sum, made| sum.saturating_add(made.fresh));
        let fresh = parts.iter().zip(&self.cells).filter(|(made, _)| made.fresh > Price::ZERO);
        let cells = fresh.fold(0_u64, |sum, (_, cells)| sum.saturating_add(*cells));
        (drawn, cells, uses(parts))
    }

    fn priced(&self, parts: Vec<Made>) -> Offer {
        let (drawn, cells, uses) = self.wish(&parts);
        let threshold_delta = self.threshold_delta;
        let legs = self.book.legs(&self.branch, &Wish { drawn, cells, threshold_delta, uses: &uses });
        Offer::Made { parts, legs }
    }

    fn admit(&self, offer: &Offer) -> Result<Legs, Refusal> {
        let (drawn, cells, uses) = match offer {
            Offer::Made { parts, .. } => self.wish(parts),
            Offer::Stored { release, .. } => {
                let card = self.book.release(release).ok_or(Refusal::Gone)?;
                (Price::ZERO, 0, card.draws().collect())
            }
        };
        let threshold_delta = if drawn > Price::ZERO { self.threshold_delta } else { Delta::ZERO };
        self.book.admit(&self.branch, &Wish { drawn, cells, threshold_delta, uses: &uses }, self.now_ms)
    }
}

impl Made {
    fn take(&mut self, source: &Source) {
        self.worth = self.worth.saturating_add(source.worth);
        self.sources.push(source.clone());
    }
}

/// Vectors that an answer is made of before a top-up adds at least a sixty-fourth of what is asked.
const TOP_UPS_MAX: usize = 16;

/// The draws of all parts, each once.
pub(crate) fn uses(parts: &[Made]) -> Vec<DrawNo> {
    let mut uses: Vec<_> = parts.iter().flat_map(|made| &made.sources).map(|source| source.draw).collect();
    uses.sort_unstable();
    uses.dedup();
    uses
}

/// The names of the draws of all parts, each once.
pub(crate) fn use_ids(parts: &[Made]) -> Vec<DrawId> {
    let mut sources: Vec<_> = parts.iter().flat_map(|made| &made.sources).collect();
    sources.sort_by_key(|source| source.draw);
    sources.dedup_by_key(|source| source.draw);
    sources.into_iter().map(|source| source.id.clone()).collect()
}

fn derived_worth(source: &Source) -> Price {
    if source.derivation.is_some() { source.worth } else { Price::ZERO }
}

/// Whether `worth` is as much as was asked, up to a part in a billion.
fn is_enough(worth: Price, asked: Price) -> bool {
    worth.saturating_add(Price::from_units(asked.units() / 1_000_000_000)) >= asked
}

fn sum<'s>(sources: impl Iterator<Item = &'s Source>) -> Made {
    let mut made = Made::default();
    sources.for_each(|source| made.take(source));
    made
}

/// The one source of the least error; laws of other families than the Gaussian do not add up.
fn most_exact<'s>(sources: impl Iterator<Item = &'s Source>) -> Option<Made> {
    let mut made = Made::default();
    made.take(sources.max_by_key(|source| (source.worth, std::cmp::Reverse(source.draw)))?);
    Some(made)
}

/// The cheapest source that is enough by itself.
fn single<'s>(sources: impl Iterator<Item = &'s Source>, asked: Price) -> Option<Made> {
    let enough = sources.filter(|source| is_enough(source.worth, asked));
    let mut made = Made::default();
    made.take(enough.min_by_key(|source| (source.price, source.draw))?);
    Some(made)
}

/// Every stored vector that a measurement can be computed from: its own draws, then those of its ancestors.
fn sources(book: &Book, branch: &Branch, accountant: Accountant, wanted: &Wanted) -> Vec<Source> {
    if wanted.is_whole {
        return Vec::new();
    }
    let own = book.draws(&wanted.view).map(|(draw, card)| (draw, card, None));
    let derived = wanted.ancestors.iter().flat_map(|ancestor| {
        book.draws(&ancestor.view).map(move |(draw, card)| (draw, card, Some(Arc::clone(&ancestor.derivation))))
    });
    let source =
        |(draw, card, derivation): (DrawNo, &crate::kernel::budget::state::DrawCard, Option<Arc<Derivation>>)| {
            let summed = derivation.as_ref().map_or(1, |derivation| derivation.summed_max);
            let price = card.certified.price;
            let worth = worth(accountant, price, (wanted.sought, card.certified.sensitivity), summed)?;
            Some(Source {
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

/// What a vector of price P is worth for a measurement, rounded down. Gaussian: its noise has σ² = Δ'₂²/P, `summed` of its cells
/// have variance `summed`·σ², and a vector of that variance would cost Δ₂²/(`summed`·σ²) = P·Δ₂²/(Δ'₂²·`summed`). Laplace: P·Δ₁/Δ'₁, and
/// sums of several cells follow another law.
fn worth(
    accountant: Accountant,
    price: Price,
    (wanted, held): (Sought, crate::kernel::privacy::sensitivity::Sensitivity),
    summed: u64,
) -> Option<Price> {
    let (own, other) = match accountant {
        Accountant::Gaussian { .. } => (wanted.sensitivity.l2_squared(), held.l2_squared()),
        Accountant::Pure if summed == 1 => (wanted.sensitivity.l1().into(), held.l1().into()),
        Accountant::Pure => return None,
    };
    if own == other {
        return Some(Price::from_units(price.units() / summed));
    }
    let worth = u128::from(price.units()).checked_mul(own)? / other.checked_mul(summed.into())?;
    u64::try_from(worth).ok().map(Price::from_units)
}
