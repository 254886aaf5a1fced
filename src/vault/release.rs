//! The release: exact integers and a receipt go in, noisy integers come out.
//!
//! Promises that each cell is exact·2^fine_bits + noise of the certified law, and that an unpaid answer does not type-check.

use dashu::integer::IBig;
use serde::{Deserialize, Serialize};

use super::noise::{NoiseFault, NoiseSource};
use super::private::{Exact, Private};
use crate::budget::charge::Receipt;
use crate::privacy::certificate::{Certified, Subject};
use crate::privacy::mechanism::{Mechanism, NoiseLaw};
use crate::privacy::units::Price;

/// What was drawn for one answer: noisy vectors, which may be shown, and nothing else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
}

/// One noisy vector on its fine grid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Noisy {
    /// The law of the noise in `cells`.
    pub law: NoiseLaw,
    /// What the vector cost.
    pub price: Price,
    /// Exact value · 2^`fine_bits` + noise, one a cell.
    #[serde(with = "integers")]
    pub cells: Vec<IBig>,
}

/// Why nothing was released although it was paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseFault {
    /// The exact vectors have another shape than the certificate.
    #[error("the exact vectors do not have the certified shape")]
    Shape,
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
        Self { v: ENCODING_VERSION, id, subject, mechanism, measurements: Vec::new(), price }
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
    let vectors = exact.open().vectors;
    let fits = |(vector, one): (&Vec<i64>, &Certified)| vector.len() as u64 == one.cells;
    if vectors.len() != certificate.measurements().len() || !vectors.iter().zip(certificate.measurements()).all(fits) {
        return Err(ReleaseFault::Shape);
    }
    let mut measurements = Vec::with_capacity(vectors.len());
    for (vector, one) in vectors.into_iter().zip(certificate.measurements()) {
        let cells = noise.add(&one.law, Private::new(vector))?;
        if cells.len() as u64 != one.cells {
            return Err(ReleaseFault::Shape);
        }
        measurements.push(Noisy { law: one.law, price: one.price, cells });
    }
    Ok(Release {
        v: ENCODING_VERSION,
        id: receipt.release().to_owned(),
        subject: receipt.subject().clone(),
        mechanism: certificate.mechanism(),
        measurements,
        price: certificate.price(),
    })
}

/// Big integers as decimal text, which every JSON reader can hold.
mod integers {
    use std::str::FromStr;

    use dashu::integer::IBig;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(cells: &[IBig], out: S) -> Result<S::Ok, S::Error> {
        out.collect_seq(cells.iter().map(ToString::to_string))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<IBig>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        let read = |text: String| IBig::from_str(&text).map_err(|_| D::Error::custom("a decimal integer is wanted"));
        texts.into_iter().map(read).collect()
    }
}
