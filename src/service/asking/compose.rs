//! Composition: builds the vectors of an answer from what was drawn for it and what is stored.
//!
//! The result has one vector per measurement, combined from different draws, each used once. If tables of several groupings share
//! a draw, they keep the separate sources to be put together from, so that no noise is counted twice ([`crate::query::answer::grouping_sets`]).

use std::collections::{BTreeMap, BTreeSet};

use super::offer::AnswerPart;
use super::quote::priced_epsilon;
use super::stored::StoredAnswer;
use super::walk::PricedQuestion;
use crate::kernel::budget::entry::DrawId;
use crate::kernel::budget::ledger::LedgerFault;
use crate::kernel::privacy::amounts::Price;
use crate::kernel::vault::combine::{NoisyPart, combine};
use crate::kernel::vault::release::{NoisyVector, Release};
use crate::query::answer::Layout;
use crate::query::answer::grouping_sets::{
    GroupingSets, IndependentNoise, MeasuredTable, MeasuredTables, SourceTable, SourceVector,
};
use crate::service::{Service, ServiceError};

/// A part of a vector, and the stored draw it comes from; `None` if it was drawn for this answer.
struct VectorPiece {
    draw: Option<DrawId>,
    part: NoisyPart,
}

/// The vectors of an answer, with their origins.
pub(crate) struct CombinedVectors {
    /// One vector per measurement, in the plan's order.
    pub(crate) vectors: Vec<NoisyVector>,
    /// Ids of the releases that its stored draws come from.
    pub(crate) derived_from: Vec<String>,
    /// The groupings, with their sources if any are shared; `None` for a single grouping.
    pub(crate) sets: Option<GroupingSets>,
}

impl Service {
    /// Composes an answer from `drawn`, which was drawn for it, and from stored draws. Blocks.
    ///
    /// # Errors
    /// [`ServiceError::Ledger`] if a stored draw cannot be read.
    pub(crate) fn compose(
        &self,
        drawn: &Release,
        parts: &[AnswerPart],
        mut sets: Option<GroupingSets>,
    ) -> Result<CombinedVectors, ServiceError> {
        let mut fresh = drawn.measurements.iter();
        let mut pieces = Vec::with_capacity(parts.len());
        for made in parts {
            let new = if made.fresh > Price::ZERO { fresh.next() } else { None };
            let new = new.map(|noisy| VectorPiece { draw: None, part: whole(noisy) });
            let stored = made.sources.iter().map(|source| self.piece(source));
            pieces.push(new.map(Ok).into_iter().chain(stored).collect::<Result<Vec<_>, _>>()?);
        }
        let combined = |(pieces, made): (&Vec<VectorPiece>, &AnswerPart)| {
            combine(&pieces.iter().map(|piece| &piece.part).collect::<Vec<_>>(), made.worth)
        };
        let vectors = pieces.iter().zip(parts).map(combined).collect();
        for tables in sets.iter_mut().flat_map(|sets| &mut sets.measured).filter(|tables| tables.adds_up) {
            tables.sources = sources(tables, &pieces);
        }
        let mut derived_from: Vec<_> = super::offer::use_ids(parts).into_iter().map(|id| id.release).collect();
        derived_from.dedup();
        Ok(CombinedVectors { vectors, derived_from, sets })
    }

    fn piece(&self, source: &super::offer::StoredVector) -> Result<VectorPiece, ServiceError> {
        let stored = self.stored_answer(&source.id.release)?;
        let noisy = stored.release.measurements.get(source.id.index as usize).ok_or(LedgerFault::Unreadable)?;
        let part = match &source.derivation {
            None => whole(noisy),
            Some(derivation) => {
                NoisyPart { cells: derivation.apply(&noisy.cells), law: noisy.law, summed: derivation.summed_max }
            }
        };
        Ok(VectorPiece { draw: Some(source.id.clone()), part })
    }
}

fn whole(noisy: &NoisyVector) -> NoisyPart {
    NoisyPart { cells: noisy.cells.clone(), law: noisy.law, summed: 1 }
}

impl StoredAnswer {
    pub(crate) fn new(
        release: Release,
        CombinedVectors { vectors, derived_from, sets }: CombinedVectors,
        paid: Price,
        asked: &PricedQuestion,
    ) -> Self {
        let priced = &asked.priced;
        let layout = Layout { sets, ..priced.plan.layout.clone() }.with_groups(&release);
        Self {
            combined: (!derived_from.is_empty()).then_some(vectors),
            derived_from,
            layout,
            sql: priced.sql.clone(),
            epsilon: priced_epsilon(priced, &asked.ask, paid),
            paid,
            accountant: priced.dataset.terms.accountant,
            delta: priced.dataset.terms.threshold.map(|_| priced.dataset.terms.delta()),
            rows_per_unit: priced.plan.rows_per_unit,
            researcher: asked.who.clone(),
            purpose: asked.ask.purpose.clone(),
            at_ms: asked.at_ms,
            release,
        }
    }
}

/// A stored draw: the release's id and the draw's index in it.
type DrawKey<'a> = (&'a str, u32);

fn draw(piece: &VectorPiece) -> Option<DrawKey<'_>> {
    piece.draw.as_ref().map(|id| (&id.release[..], id.index))
}

/// The sources that tables of the same measurement are put together from: first the draws that several tables share, grouped by
/// the set of tables, then what each table has by itself. Empty if no two tables share a draw.
fn sources(tables: &MeasuredTables, pieces: &[Vec<VectorPiece>]) -> Vec<IndependentNoise> {
    let shared = shared(tables, pieces);
    if shared.is_empty() {
        return Vec::new();
    }
    let part = |at: usize, is_in: &dyn Fn(&VectorPiece) -> bool| {
        let MeasuredTable { keys, vector } = tables.tables[at].clone();
        let parts: Vec<&NoisyPart> = pieces[vector].iter().filter(|one| is_in(one)).map(|one| &one.part).collect();
        let vector = match parts.len() {
            0 => return None,
            all if all == pieces[vector].len() => SourceVector::Measured(vector),
            // The price is zero because the draw was paid for as part of its table.
            _ => SourceVector::Part(combine(&parts, Price::ZERO)),
        };
        Some(SourceTable { keys, vector })
    };
    let mut sources = Vec::new();
    for (served, draws) in grouped(&shared, tables.tables.len()) {
        let is_in = |piece: &VectorPiece| draw(piece).is_some_and(|draw| draws.contains(&draw));
        sources.push(IndependentNoise { tables: served.into_iter().filter_map(|at| part(at, &is_in)).collect() });
    }
    let is_own = |piece: &VectorPiece| draw(piece).is_none_or(|draw| !shared.contains_key(&draw));
    let own = (0..tables.tables.len()).filter_map(|at| part(at, &is_own));
    sources.extend(own.map(|own| IndependentNoise { tables: vec![own] }));
    sources
}

/// The draws that belong to more than one table, with the indices of those tables.
fn shared<'a>(tables: &MeasuredTables, pieces: &'a [Vec<VectorPiece>]) -> BTreeMap<DrawKey<'a>, Vec<usize>> {
    let mut served: BTreeMap<DrawKey<'a>, Vec<usize>> = BTreeMap::new();
    for (at, table) in tables.tables.iter().enumerate() {
        for draw in pieces[table.vector].iter().filter_map(draw) {
            served.entry(draw).or_default().push(at);
        }
    }
    served.retain(|_, tables| tables.len() > 1);
    served
}

/// Groups shared draws by the set of tables that they belong to. If that gave more sources than there are `tables`, they are
/// merged into a single source that is used over one table at a time: it is as exact as each table by itself, and takes no more
/// work than planned.
fn grouped<'a>(shared: &BTreeMap<DrawKey<'a>, Vec<usize>>, tables: usize) -> Vec<(Vec<usize>, BTreeSet<DrawKey<'a>>)> {
    let mut groups: BTreeMap<Vec<usize>, BTreeSet<DrawKey<'a>>> = BTreeMap::new();
    for (draw, served) in shared {
        groups.entry(served.clone()).or_default().insert(*draw);
    }
    if groups.len() > tables {
        return vec![((0..tables).collect(), shared.keys().copied().collect())];
    }
    groups.into_iter().collect()
}
