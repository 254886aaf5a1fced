//! The release: an exact vector and a receipt go in, noisy integers come out.
//!
//! Promises that each cell is exact·2^fine_bits + noise of the certified law, that an unpaid answer does not type-check, and that nothing
//! is released from a vector beyond what its plan and its policy allow, whoever computed it.

use borsh::{BorshDeserialize, BorshSerialize};
use dashu::integer::IBig;

use super::noise::{NoiseFault, NoiseSource};
use super::private::{Exact, Private};
use crate::kernel::budget::charge::Receipt;
use crate::kernel::privacy::amounts::Price;
use crate::kernel::privacy::certificate::{CertifiedMeasurement, GroupThreshold, Subject};
use crate::kernel::privacy::mechanism::{Mechanism, NoiseLaw};
use crate::kernel::privacy::threshold::Threshold;

/// What was drawn for one answer: noisy vectors, which may be shown, and nothing else.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct Release {
    /// Version number of this encoding.
    pub v: u32,
    /// The random id under which the answer is stored.
    pub id: String,
    /// The edition of a dataset that it was computed from.
    pub subject: Subject,
    /// The family of the noise, the same for all measurements.
    pub mechanism: Mechanism,
    /// One noisy vector for each measurement that was drawn, in the plan's order.
    pub measurements: Vec<NoisyVector>,
    /// The price of everything that was drawn.
    pub price: Price,
    /// The groups that are shown, if their list is not public; `None` if it is.
    pub groups: Option<ReleasedGroups>,
}

/// Groups that were found in the data, and are shown because the noisy number of units in them reached a threshold.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct ReleasedGroups {
    /// The groups' texts, ascending; `None` stands for rows without a text.
    pub labels: Vec<Option<String>>,
    /// Index of the measurement that counts units, to which the threshold was applied.
    pub units: usize,
    /// The threshold's parameters: groups per unit and δ_t.
    pub threshold: Threshold,
}

/// One noisy vector on its fine grid.
#[derive(Debug, Clone, PartialEq, BorshSerialize, BorshDeserialize)]
pub struct NoisyVector {
    /// The law of the noise in `cells`.
    pub law: NoiseLaw,
    /// Price of the vector.
    pub price: Price,
    /// Exact value · 2^`fine_bits` + noise, one integer per cell.
    #[borsh(serialize_with = "integers::serialize", deserialize_with = "integers::deserialize")]
    pub cells: Vec<IBig>,
}

/// Why nothing was released although it was paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseFault {
    /// The exact vectors do not have the shape that was certified.
    #[error("the exact vectors do not have the certified shape")]
    Shape,
    /// An exact vector exceeds what any table within the declared capacity can have.
    #[error("an exact vector goes beyond the declared capacity")]
    Beyond,
    /// A stored point that a new one is made from cannot be read.
    #[error("a stored point cannot be read")]
    Unstored,
    /// The noise could not be drawn.
    #[error(transparent)]
    Noise(#[from] NoiseFault),
}

const ENCODING_VERSION: u32 = 2;

impl Release {
    /// The release of an answer that is computed from stored vectors only and draws nothing.
    #[must_use]
    pub fn of_nothing(id: &str, subject: &Subject, mechanism: Mechanism) -> Self {
        let (id, subject, price) = (id.to_owned(), subject.clone(), Price::ZERO);
        Self { v: ENCODING_VERSION, id, subject, mechanism, measurements: Vec::new(), price, groups: None }
    }
}

/// Adds the noise that the receipt paid for. Consumes both arguments, so that neither an unpaid nor a second answer can be made:
///
/// ```compile_fail,E0382
/// use tacit::kernel::budget::charge::Receipt;
/// use tacit::kernel::vault::{noise::OpenDp, private::{Exact, Private}, release::release};
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
    // Without a public list, there are as many groups as occur in the data, up to the capacity that was paid for.
    let fits = |(place, (vector, one)): (usize, (&Vec<i64>, &CertifiedMeasurement))| match &labels {
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
    // Each group occurs once, in the order of the texts.
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
        measurements.push(NoisyVector { law: one.law, price: one.price, cells });
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

/// Keeps the groups whose noisy number of units reaches the threshold on the fine grid, in the order of their texts. What is hidden is
/// dropped together with its noise. Which groups are kept depends on noisy values only.
fn shown(
    labels: Vec<Option<String>>,
    measurements: &mut [NoisyVector],
    hiding: GroupThreshold,
) -> Result<ReleasedGroups, ReleaseFault> {
    let units = measurements.get(hiding.units).ok_or(ReleaseFault::Shape)?;
    let least = hiding.threshold.least(&units.law).ok_or(ReleaseFault::Shape)?;
    // Groups arrive in the order of their texts.
    let kept: Vec<usize> = (0..labels.len()).filter(|group| units.cells[*group] >= least).collect();
    for (_, noisy) in measurements.iter_mut().enumerate().filter(|(place, _)| !hiding.is_total(*place)) {
        noisy.cells = kept.iter().map(|group| noisy.cells[*group].clone()).collect();
    }
    let labels = kept.into_iter().map(|group| labels[group].clone()).collect();
    Ok(ReleasedGroups { labels, units: hiding.units, threshold: hiding.threshold })
}

/// Writes big integers as their shortest bytes in two's complement, the lowest byte first; 0 has no bytes.
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
            // Each integer has exactly one encoding.
            if *cell.to_le_bytes() == bytes[..] { Ok(cell) } else { Err(io::ErrorKind::InvalidData.into()) }
        };
        Vec::deserialize_reader(from)?.into_iter().map(read).collect()
    }
}
