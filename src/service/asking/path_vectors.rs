//! The vectors of stored points: where the ledger says that a point is, its noisy integers are read from there.

use super::price::Priced;
use crate::kernel::budget::entry::{Digest, DrawId};
use crate::kernel::budget::ledger::{LedgerFault, read};
use crate::kernel::budget::state::PointSource;
use crate::kernel::budget::steps::DerivedSource;
use crate::kernel::privacy::amounts::Price;
use crate::kernel::vault::combine::{NoisyPart, combine};
use crate::kernel::vault::points::StoredPoints;
use crate::kernel::vault::release::NoisyVector;
use crate::query::derive::Derivation;
use crate::service::{Service, ServiceError};

/// The stored points that the new ones of a question are made from.
pub(super) struct PathVectors<'a> {
    pub(super) service: &'a Service,
    pub(super) priced: &'a Priced,
}

impl StoredPoints for PathVectors<'_> {
    fn point(&self, view: &Digest, level: Price) -> Option<NoisyVector> {
        self.service.point_vector(view, level).ok()
    }

    fn derived(&self, view: &Digest, source: &DerivedSource) -> Option<NoisyPart> {
        let wanted = self.priced.wanted.iter().find(|wanted| wanted.view == *view)?;
        let ancestor = wanted.ancestors.iter().find(|ancestor| ancestor.view == source.view)?;
        let vector = self.service.point_vector(&source.view, source.level).ok()?;
        Some(derived(&vector, Some(&ancestor.derivation)))
    }
}

impl Service {
    /// The vector of the point of a view at a level. Blocks.
    ///
    /// # Errors
    /// [`ServiceError::Ledger`] if it is not stored or cannot be read.
    pub(super) fn point_vector(&self, view: &Digest, level: Price) -> Result<NoisyVector, ServiceError> {
        // The draws that make a point out of a coarser one, the last one first.
        let mut draws: Vec<(Price, DrawId)> = Vec::new();
        let mut at = level;
        let mut vector = loop {
            match read(self.ledger(), |book| book.point(view, at)).ok_or(LedgerFault::Unreadable)? {
                PointSource::Drawn(id) => break self.draw_vector(&id)?,
                PointSource::Stored { release, index } => {
                    let stored = self.stored_answer(&release)?;
                    break stored.points.get(index as usize).cloned().ok_or(LedgerFault::Unreadable)?;
                }
                PointSource::Mean { coarser, draw } => {
                    draws.push((at, draw));
                    at = coarser;
                }
            }
        };
        for (level, draw) in draws.into_iter().rev() {
            vector = combine(&[whole(&vector), whole(&self.draw_vector(&draw)?)], level);
        }
        Ok(vector)
    }

    /// The mean of stored draws, weighted by their precision. Blocks.
    ///
    /// # Errors
    /// [`ServiceError::Ledger`] if one of them cannot be read.
    pub(super) fn mean_of_draws<'d>(&self, ids: impl Iterator<Item = &'d DrawId>) -> Result<NoisyVector, ServiceError> {
        let draws: Vec<NoisyVector> = ids.map(|id| self.draw_vector(id)).collect::<Result<_, _>>()?;
        let level = draws.iter().fold(Price::ZERO, |sum, draw| sum.saturating_add(draw.price));
        Ok(combine(&draws.iter().map(whole).collect::<Vec<_>>(), level))
    }

    fn draw_vector(&self, id: &DrawId) -> Result<NoisyVector, ServiceError> {
        let stored = self.stored_answer(&id.release)?;
        let vector = stored.release.measurements.get(id.index as usize).cloned();
        vector.ok_or_else(|| LedgerFault::Unreadable.into())
    }
}

/// A vector as a part of a mean.
pub(super) fn whole(noisy: &NoisyVector) -> NoisyPart {
    derived(noisy, None)
}

/// A vector, or the sums of its cells, as a part of a mean.
pub(super) fn derived(noisy: &NoisyVector, derivation: Option<&Derivation>) -> NoisyPart {
    let (cells, summed) = match derivation {
        None => (noisy.cells.clone(), 1),
        Some(derivation) => (derivation.apply(&noisy.cells), derivation.summed_max),
    };
    NoisyPart { cells, law: noisy.law, summed }
}
