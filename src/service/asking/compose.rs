//! Composition: builds the vectors of an answer from what was drawn for it and what is stored.
//!
//! The result has one vector per measurement, combined from different draws, each used once. If tables of several groupings share
//! a draw, they keep the separate sources to be put together from, so that no noise is counted twice ([`crate::query::answer::grouping_sets`]).

use std::collections::{BTreeMap, BTreeSet};

use super::parts::{AnswerPart, PathSource, SourcePoint, StoredVector, origins};
use super::path_vectors::{derived, whole};
use super::quote::priced_epsilon;
use super::stored::StoredAnswer;
use super::walk::PricedQuestion;
use crate::kernel::budget::entry::Digest;
use crate::kernel::budget::ledger::LedgerFault;
use crate::kernel::privacy::amounts::Price;
use crate::kernel::vault::combine::{NoisyPart, combine};
use crate::kernel::vault::points::ReleasedPoints;
use crate::kernel::vault::release::NoisyVector;
use crate::query::answer::Layout;
use crate::query::answer::grouping_sets::{IndependentNoise, MeasuredTable, MeasuredTables, SourceTable, SourceVector};
use crate::service::{Service, ServiceError};

/// A part of a vector, and whose noise it has.
struct VectorPiece {
    /// The view whose noise it has; `None` if nothing else has it.
    view: Option<Digest>,
    /// Whether it has the noise of other views, too.
    is_mixed: bool,
    part: NoisyPart,
}

/// The vectors of an answer, with their origins.
pub(crate) struct CombinedVectors {
    /// One vector per measurement, in the plan's order.
    pub(crate) vectors: Vec<NoisyVector>,
    /// Ids of the releases that its stored draws come from.
    pub(crate) derived_from: Vec<String>,
    /// The question's layout, whose groupings have their sources if any are shared.
    pub(crate) layout: Layout,
}

impl Service {
    /// Composes an answer from `released`, which was made for it, and from what is stored. Blocks.
    ///
    /// # Errors
    /// [`ServiceError::Ledger`] if a stored draw cannot be read.
    pub(crate) fn compose(
        &self,
        released: &ReleasedPoints,
        parts: &[AnswerPart],
        mut layout: Layout,
    ) -> Result<CombinedVectors, ServiceError> {
        let mut fresh = released.release.measurements.iter();
        let mut pieces = Vec::with_capacity(parts.len());
        for made in parts {
            let new = if made.fresh > Price::ZERO { fresh.next() } else { None };
            // What is drawn for a point of a noise path is in the point.
            let new = new.filter(|_| made.points.is_empty());
            let new = new.map(|noisy| VectorPiece { view: None, is_mixed: false, part: whole(noisy) });
            let stored = made.sources.iter().map(|source| self.piece(source));
            let points = made.points.iter().map(|source| self.piece_of_path(source, released));
            pieces.push(new.map(Ok).into_iter().chain(stored).chain(points).collect::<Result<Vec<_>, _>>()?);
        }
        let combined = |(pieces, made): (&Vec<VectorPiece>, &AnswerPart)| {
            combine(&pieces.iter().map(|piece| &piece.part).collect::<Vec<_>>(), made.worth)
        };
        let vectors = pieces.iter().zip(parts).map(combined).collect();
        share(&mut layout, &pieces.iter().map(|pieces| &pieces[..]).collect::<Vec<_>>());
        Ok(CombinedVectors { vectors, derived_from: origins(parts), layout })
    }

    fn piece(&self, source: &StoredVector) -> Result<VectorPiece, ServiceError> {
        let stored = self.stored_answer(&source.id.release)?;
        let noisy = stored.release.measurements.get(source.id.index as usize).ok_or(LedgerFault::Unreadable)?;
        let part = derived(noisy, source.derivation.as_deref());
        Ok(VectorPiece { view: Some(source.view), is_mixed: false, part })
    }

    fn piece_of_path(&self, source: &PathSource, released: &ReleasedPoints) -> Result<VectorPiece, ServiceError> {
        let vector = match &source.point {
            SourcePoint::Level(level) => match released.made(&source.view, *level) {
                Some(made) => made.clone(),
                None => self.point_vector(&source.view, *level)?,
            },
            SourcePoint::Draws(draws) => self.mean_of_draws(draws.iter().map(|(_, id)| id))?,
        };
        let part = derived(&vector, source.derivation.as_deref());
        Ok(VectorPiece { view: Some(source.view), is_mixed: source.is_derived(), part })
    }
}

impl StoredAnswer {
    pub(crate) fn new(
        ReleasedPoints { release, points, .. }: ReleasedPoints,
        CombinedVectors { vectors, derived_from, layout }: CombinedVectors,
        paid: Price,
        asked: &PricedQuestion,
    ) -> Self {
        let priced = &asked.priced;
        let layout = layout.with_groups(&release);
        Self {
            points,
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

/// Says of the tables of all groupings in a layout which sources they are put together from. `pieces` are those of each measurement that the
/// layout refers to.
fn share(layout: &mut Layout, pieces: &[&[VectorPiece]]) {
    for tables in layout.sets.iter_mut().flat_map(|sets| &mut sets.measured).filter(|tables| tables.adds_up) {
        tables.sources = sources(tables, pieces);
    }
    for arm in &mut layout.arms {
        let own = arm.of(pieces);
        share(&mut arm.layout, &own);
    }
}

/// The sources that tables of the same measurement are put together from: first the views whose noise several tables share, grouped by
/// the set of tables, then what each table has by itself. Empty if no two tables share noise. If a table has the mixed noise of several views,
/// all tables are one source, which is used over one table at a time.
fn sources(tables: &MeasuredTables, pieces: &[&[VectorPiece]]) -> Vec<IndependentNoise> {
    if tables.tables.iter().any(|table| pieces[table.vector].iter().any(|piece| piece.is_mixed)) {
        let whole = |MeasuredTable { keys, vector }: MeasuredTable| SourceTable {
            keys,
            vector: SourceVector::Measured(vector),
        };
        return vec![IndependentNoise { tables: tables.tables.iter().cloned().map(whole).collect() }];
    }
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
            // The price is zero because it was paid for as part of its table.
            _ => SourceVector::Part(combine(&parts, Price::ZERO)),
        };
        Some(SourceTable { keys, vector })
    };
    let mut sources = Vec::new();
    for (served, views) in grouped(&shared, tables.tables.len()) {
        let is_in = |piece: &VectorPiece| piece.view.is_some_and(|view| views.contains(&view));
        sources.push(IndependentNoise { tables: served.into_iter().filter_map(|at| part(at, &is_in)).collect() });
    }
    let is_own = |piece: &VectorPiece| piece.view.is_none_or(|view| !shared.contains_key(&view));
    let own = (0..tables.tables.len()).filter_map(|at| part(at, &is_own));
    sources.extend(own.map(|own| IndependentNoise { tables: vec![own] }));
    sources
}

/// The views whose noise more than one table has, with the indices of those tables.
fn shared(tables: &MeasuredTables, pieces: &[&[VectorPiece]]) -> BTreeMap<Digest, Vec<usize>> {
    let mut served: BTreeMap<Digest, Vec<usize>> = BTreeMap::new();
    for (at, table) in tables.tables.iter().enumerate() {
        let views: BTreeSet<Digest> = pieces[table.vector].iter().filter_map(|piece| piece.view).collect();
        for view in views {
            served.entry(view).or_default().push(at);
        }
    }
    served.retain(|_, tables| tables.len() > 1);
    served
}

/// Groups shared views by the set of tables that have their noise. If that gave more sources than there are `tables`, they are
/// merged into a single source that is used over one table at a time: it is as exact as each table by itself, and takes no more
/// work than planned.
fn grouped(shared: &BTreeMap<Digest, Vec<usize>>, tables: usize) -> Vec<(Vec<usize>, BTreeSet<Digest>)> {
    let mut groups: BTreeMap<Vec<usize>, BTreeSet<Digest>> = BTreeMap::new();
    for (view, served) in shared {
        groups.entry(served.clone()).or_default().insert(*view);
    }
    if groups.len() > tables {
        return vec![((0..tables).collect(), shared.keys().copied().collect())];
    }
    groups.into_iter().collect()
}
