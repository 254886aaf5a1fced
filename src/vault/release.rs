//! The release: exact integers and a receipt go in, noisy integers come out.
//!
//! Promises that each cell is exact·2^fine_bits + noise of the certified law, that an unpaid answer does not type-check, and that nothing is
//! made of a vector that goes beyond what its plan and its policy allow, whoever computed it.

use borsh::{BorshDeserialize, BorshSerialize};
use dashu::integer::IBig;

use super::noise::{NoiseFault, NoiseSource};
use super::private::{Exact, Private};
use crate::budget::charge::Receipt;
use crate::privacy::certificate::{Certified, Hiding, Subject};
use crate::privacy::mechanism::{Mechanism, NoiseLaw};
use crate::privacy::threshold::Threshold;
use crate::privacy::units::Price;

/// What was drawn for one answer: noisy vectors, which may be shown, and nothing else.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct Release {
    /// The version of this encoding.
    pub v: u32,
    /// The random id.
    pub id: String,
    /// What it was computed from.
    pub subject: Subject,
    /// The family of the noise.
    pub mechanism: Mechanism,
    /// One noisy vector for each measurement that was drawn, in the plan's order.
    pub measurements: Vec<Noisy>,
    /// What it cost.
    pub price: Price,
    /// The groups that are shown, where their list is not public.
    pub groups: Option<Groups>,
}

/// Groups that were found, and shown because enough units are in them.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct Groups {
    /// Their texts, ascending; nothing of rows without one.
    pub labels: Vec<Option<String>>,
    /// The measurement that counts units, by its place.
    pub units: usize,
    /// What was promised.
    pub threshold: Threshold,
}

/// One noisy vector on its fine grid.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct Noisy {
    /// The law of the noise in `cells`.
    pub law: NoiseLaw,
    /// What the vector cost.
    pub price: Price,
    /// Exact value · 2^`fine_bits` + noise, one a cell.
    #[borsh(serialize_with = "integers::serialize", deserialize_with = "integers::deserialize")]
    pub cells: Vec<IBig>,
}

/// Why nothing was released although it was paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseFault {
    /// The exact vectors have another shape than the certificate.
    #[error("the exact vectors do not have the certified shape")]
    Shape,
    /// An exact vector is one that no table within the declared capacity has.
    #[error("an exact vector goes beyond the declared capacity")]
    Beyond,
    /// The sampler failed.
    #[error(transparent)]
    Noise(#[from] NoiseFault),
}

const ENCODING_VERSION: u32 = 2;

impl Release {
    /// What an answer draws that is computed from stored vectors alone.
    #[must_use]
    pub fn of_nothing(id: &str, subject: &Subject, mechanism: Mechanism) -> Self {
        let (id, subject, price) = (id.to_owned(), subject.clone(), Price::ZERO);
        Self { v: ENCODING_VERSION, id, subject, mechanism, measurements: Vec::new(), price, groups: None }
    }
}

/// Adds the noise that the receipt paid for. Consumes both, so that neither an unpaid nor a second answer exists:
///
/// ```compile_fail,E0382
/// use tacit::budget::charge::Receipt;
/// use tacit::vault::{noise::OpenDp, private::{Exact, Private}, release::release};
/// fn twice(receipt: Receipt, one: Private<Exact>, other: Private<Exact>) {
///     let _ = release(receipt, one, &OpenDp);
///     let _ = release(receipt, other, &OpenDp);
/// }
/// ```
///
/// # Errors
/// [`ReleaseFault`]; the charge stands.
pub fn release(receipt: Receipt, exact: Private<Exact>, noise: &dyn NoiseSource) -> Result<Release, ReleaseFault> {
    let certificate = receipt.certificate();
    let Exact { vectors, labels } = exact.open();
    let hiding = certificate.threshold();
    if labels.is_some() != hiding.is_some() {
        return Err(ReleaseFault::Shape);
    }
    // Of groups without a public list there are as many as there are, up to the capacity that was paid for.
    let fits = |(place, (vector, one)): (usize, (&Vec<i64>, &Certified))| match &labels {
        Some(labels) if hiding.is_some_and(|hiding| !hiding.is_total(place)) => {
            vector.len() == labels.len() && vector.len() as u64 <= one.cells
        }
        Some(_) | None => vector.len() as u64 == one.cells,
    };
    let certified = certificate.measurements();
    if vectors.len() != certified.len() || !vectors.iter().zip(certified).enumerate().all(fits) {
        return Err(ReleaseFault::Shape);
    }
    let extents = certificate.extents();
    let is_within =
        extents.len() == vectors.len() && vectors.iter().zip(extents).all(|(vector, one)| one.holds(vector));
    // Each group stands once, in the order of the texts.
    let is_rising = labels.as_ref().is_none_or(|labels| labels.is_sorted_by(|one, other| one < other));
    if !is_within || !is_rising {
        return Err(ReleaseFault::Beyond);
    }
    let mut measurements = Vec::with_capacity(vectors.len());
    for (vector, one) in vectors.into_iter().zip(certificate.measurements()) {
        let wanted = vector.len();
        let cells = noise.add(&one.law, Private::new(vector))?;
        if cells.len() != wanted {
            return Err(ReleaseFault::Shape);
        }
        measurements.push(Noisy { law: one.law, price: one.price, cells });
    }
    let groups = match (labels, hiding) {
        (Some(labels), Some(hiding)) => Some(shown(labels, &mut measurements, hiding)?),
        (Some(_), None) | (None, _) => None,
    };
    Ok(Release {
        v: ENCODING_VERSION,
        id: receipt.release().to_owned(),
        subject: receipt.subject().clone(),
        mechanism: certificate.mechanism(),
        measurements,
        price: certificate.price(),
        groups,
    })
}

/// Leaves the groups whose noisy units reach the threshold, on the fine grid, in the order of their texts: what is hidden is gone with its
/// noise. Which is which follows from noisy values alone.
fn shown(labels: Vec<Option<String>>, measurements: &mut [Noisy], hiding: Hiding) -> Result<Groups, ReleaseFault> {
    let units = measurements.get(hiding.units).ok_or(ReleaseFault::Shape)?;
    let least = hiding.threshold.least(&units.law).ok_or(ReleaseFault::Shape)?;
    // They come in the order of their texts.
    let kept: Vec<usize> = (0..labels.len()).filter(|group| units.cells[*group] >= least).collect();
    for (_, noisy) in measurements.iter_mut().enumerate().filter(|(place, _)| !hiding.is_total(*place)) {
        noisy.cells = kept.iter().map(|group| noisy.cells[*group].clone()).collect();
    }
    let labels = kept.into_iter().map(|group| labels[group].clone()).collect();
    Ok(Groups { labels, units: hiding.units, threshold: hiding.threshold })
}

/// Big integers as their shortest bytes in two's complement, the lowest first; 0 has none.
mod integers {
    use std::io;

    use borsh::{BorshDeserialize, BorshSerialize};
    use dashu::integer::IBig;

    pub fn serialize<W: io::Write>(cells: &[IBig], out: &mut W) -> io::Result<()> {
        cells.iter().map(IBig::to_le_bytes).collect::<Vec<_>>().serialize(out)
    }

    pub fn deserialize<R: io::Read>(from: &mut R) -> io::Result<Vec<IBig>> {
        let read = |bytes: Vec<u8>| {
            let cell = IBig::from_le_bytes(&bytes);
            // One integer has one text.
            if *cell.to_le_bytes() == bytes[..] { Ok(cell) } else { Err(io::ErrorKind::InvalidData.into()) }
        };
        Vec::deserialize_reader(from)?.into_iter().map(read).collect()
    }
}
