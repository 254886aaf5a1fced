//! Points of noise paths: the only place where they are made, from what was drawn, what is stored, and noise that looks at nothing.
//!
//! Promises the joint law of [`crate::kernel::path`]. A receipt is consumed, so each point that was paid for is made once: made again, with other
//! noise, it would tell more than its level.

use std::collections::HashMap;

use dashu::integer::IBig;

use super::combine::{NoisyPart, combine};
use super::noise::{NoiseFault, NoiseSource};
use super::private::{Exact, Private};
use super::release::{NoisyVector, Release, ReleaseFault, release};
use crate::kernel::budget::charge::Receipt;
use crate::kernel::budget::steps::{DerivedSource, PathStep, PointOrigin, ViewDigest};
use crate::kernel::path::PathGap;
use crate::kernel::privacy::amounts::Price;
use crate::kernel::privacy::mechanism::NoiseLaw;

/// The stored points that new ones are made from.
pub trait StoredPoints {
    /// The vector of the view's point at this level; `None` if it is not stored or cannot be read.
    fn point(&self, view: &ViewDigest, level: Price) -> Option<NoisyVector>;

    /// The sums of another view's cells that are this view's cells; `None` if they cannot be made.
    fn derived(&self, view: &ViewDigest, source: &DerivedSource) -> Option<NoisyPart>;
}

/// What was drawn for an answer, and the points of noise paths that were made for it.
#[derive(Debug, Clone)]
pub struct ReleasedPoints {
    /// What was drawn from data.
    pub release: Release,
    /// The new points that are not draws, in the order of their steps.
    pub points: Vec<NoisyVector>,
    made: HashMap<(ViewDigest, Price), NoisyVector>,
}

impl ReleasedPoints {
    /// An answer for which nothing is drawn and no point is made.
    #[must_use]
    pub fn of_nothing(release: Release) -> Self {
        Self { release, points: Vec::new(), made: HashMap::new() }
    }

    /// The new point of a view at a level; `None` if none was made for this answer.
    #[must_use]
    pub fn made(&self, view: &ViewDigest, level: Price) -> Option<&NoisyVector> {
        self.made.get(&(*view, level))
    }
}

/// Releases what the receipt paid for: draws from the exact vectors, if there are any, and then the points of its steps, in their order.
///
/// # Errors
/// [`ReleaseFault`]; the charge stands.
pub fn release_points(
    receipt: Receipt,
    exact: Option<Private<Exact>>,
    stored: &dyn StoredPoints,
    noise: &dyn NoiseSource,
) -> Result<ReleasedPoints, ReleaseFault> {
    let steps = receipt.steps().to_vec();
    let drawn = match exact {
        Some(exact) => release(receipt, exact, noise)?,
        None if receipt.certificate().measurements().is_empty() => {
            let mechanism = receipt.certificate().mechanism();
            Release::of_nothing(receipt.release(), receipt.subject(), mechanism)
        }
        None => return Err(ReleaseFault::Shape),
    };
    let mut released = ReleasedPoints::of_nothing(drawn);
    for step in &steps {
        let Some(vector) = point(step, &released, stored, noise)? else { continue };
        if vector.cells.len() as u64 != step.cells {
            return Err(ReleaseFault::Shape);
        }
        if step.has_vector() {
            released.points.push(vector.clone());
        }
        released.made.insert((step.view, step.level), vector);
    }
    Ok(released)
}

/// The vector of one step; `None` if its point is stored already.
fn point(
    step: &PathStep,
    released: &ReleasedPoints,
    stored: &dyn StoredPoints,
    noise: &dyn NoiseSource,
) -> Result<Option<NoisyVector>, ReleaseFault> {
    let at = |level: Price| {
        let made = released.made(&step.view, level).cloned();
        made.or_else(|| stored.point(&step.view, level)).ok_or(ReleaseFault::Unstored)
    };
    let before = |from: Price| if from == Price::ZERO { Ok(None) } else { at(from).map(Some) };
    Ok(Some(match &step.origin {
        PointOrigin::Stored => return Ok(None),
        PointOrigin::Drawn { from, draw } => {
            let draw = usize::try_from(*draw).ok().and_then(|draw| released.release.measurements.get(draw));
            let draw = draw.ok_or(ReleaseFault::Shape)?;
            match before(*from)? {
                None => draw.clone(),
                Some(before) => combine(&[whole(&before), whole(draw)], step.level),
            }
        }
        PointOrigin::Between { finer, coarser, noise: law } => {
            let gap = PathGap { level: step.level, finer: *finer, coarser: *coarser };
            let coarser = coarser.map(at).transpose()?;
            between(&gap, &at(*finer)?, coarser.as_ref(), law, noise)?
        }
        PointOrigin::Derived { from, sources } => {
            let sums = sources.iter().map(|source| stored.derived(&step.view, source).ok_or(ReleaseFault::Unstored));
            let before = before(*from)?.map(|before| Ok(whole(&before)));
            combine(&before.into_iter().chain(sums).collect::<Result<Vec<_>, _>>()?, step.level)
        }
    }))
}

/// A vector as a part of a mean.
fn whole(vector: &NoisyVector) -> NoisyPart {
    NoisyPart { cells: vector.cells.clone(), law: vector.law, summed: 1 }
}

/// A new point in a gap: the mean of the points around it, and noise.
fn between(
    gap: &PathGap,
    finer: &NoisyVector,
    coarser: Option<&NoisyVector>,
    law: &NoiseLaw,
    noise: &dyn NoiseSource,
) -> Result<NoisyVector, ReleaseFault> {
    let cells = finer.cells.len();
    let added = noise.draw(law, cells)?;
    if added.len() != cells || coarser.is_some_and(|coarser| coarser.cells.len() != cells) {
        return Err(NoiseFault.into());
    }
    let bits = [Some(finer.law.fine_bits), coarser.map(|coarser| coarser.law.fine_bits), Some(law.fine_bits)];
    let fine_bits = bits.into_iter().flatten().max().unwrap_or(0);
    let weights = gap.weights();
    let shifted = |cell: &IBig, from: u32| cell << (fine_bits - from) as usize;
    let cell = |(place, added): (usize, &IBig)| {
        let of_finer = shifted(&finer.cells[place], finer.law.fine_bits);
        let of_coarser = coarser.map(|coarser| shifted(&coarser.cells[place], coarser.law.fine_bits));
        weights.mean(of_finer, of_coarser) + shifted(added, law.fine_bits)
    };
    let cells = added.iter().enumerate().map(cell).collect();
    // The variances of two points of a path are as the inverses of their levels.
    let ratio = (gap.finer.quanta() as f64 / gap.level.quanta() as f64).sqrt();
    let scale = finer.law.scale_steps() * ratio * 2_f64.powi(fine_bits.cast_signed());
    let law = NoiseLaw { mechanism: finer.law.mechanism, fine_bits, scale };
    Ok(NoisyVector { law, price: gap.level, cells })
}
