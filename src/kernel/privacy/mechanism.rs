//! From a sensitivity and a price to a noise law whose certified loss is at most that price.
//!
//! Promises that the loss, as an exact rational, is at most the integer price, both by our own formula and by OpenDP's privacy map. The
//! law is solved for, not searched for. Draws no noise.

use borsh::{BorshDeserialize, BorshSerialize};
use dashu::base::{BitTest, SquareRootRem};
use dashu::integer::{IBig, UBig};
use dashu::rational::RBig;
use opendp::domains::{AtomDomain, VectorDomain};
use opendp::measurements::{make_gaussian, make_laplace};
use opendp::metrics::{L1Distance, L2Distance};
use serde::{Deserialize, Serialize};

use super::sensitivity::Sensitivity;
use crate::kernel::privacy::amounts::Price;

/// log₂ of the least σ of a Gaussian, in fine steps.
pub const FINE_SIGMA_LOG2: u32 = 40;
/// Scales are rounded up to this many significant bits, which a float holds exactly.
const FLOAT_BITS: usize = 53;
/// log₂ of the largest scale. No column within a policy's bounds needs a wider law; only a vanishing price would ask for one.
const SCALE_LOG2_MAX: usize = 500;
const STEPS_MAX: u32 = 8;

/// The family of a noise law.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub enum Mechanism {
    /// P\[X = x\] ∝ e^(−x²/2σ²) over the integers; the loss is Δ₂²/σ² of precision (ℓ₂, add or remove one unit).
    #[serde(rename = "discrete gaussian")]
    DiscreteGaussian,
    /// P\[X = x\] ∝ e^(−|x|/b) over the integers; the loss is Δ₁/b of ε (ℓ₁, add or remove one unit).
    #[serde(rename = "discrete laplace")]
    DiscreteLaplace,
}

impl Mechanism {
    /// The mechanism's name in answers, such as `discrete gaussian`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DiscreteGaussian => "discrete gaussian",
            Self::DiscreteLaplace => "discrete laplace",
        }
    }
}

/// One noise law: independent integers on a grid that is 2^`fine_bits` times finer than the measurement's own.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, BorshSerialize, BorshDeserialize)]
pub struct NoiseLaw {
    /// The family of the law.
    pub mechanism: Mechanism,
    /// log₂ of the number of fine steps in one step of the measurement.
    pub fine_bits: u32,
    /// σ of the Gaussian or b of the Laplace law, in fine steps; serialized as the shortest text that reads back exactly.
    #[serde(with = "exact")]
    pub scale: f64,
}

/// Serializes floats as decimal text: JSON readers need not round numbers to the nearest float, and a scale is part of a proof.
mod exact {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(value: &f64, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&value.to_string())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        let text = String::deserialize(from)?;
        let value: Option<f64> = text.parse().ok();
        value.filter(|value| value.to_string() == text).ok_or_else(|| D::Error::custom("a float as text is wanted"))
    }
}

impl NoiseLaw {
    /// The standard deviation in steps of the measurement: σ, or √2·b up to the rounding of the discrete law.
    #[must_use]
    pub fn std_error(&self) -> f64 {
        let coarse = self.scale_steps();
        match self.mechanism {
            Mechanism::DiscreteGaussian => coarse,
            Mechanism::DiscreteLaplace => {
                // Var = 2p/(1 − p)² with p = e^(−1/b) (Inusah & Kozubowski 2006); 1 − p is computed without cancellation.
                (2.0 * (-1.0 / coarse).exp()).sqrt() / -(-1.0 / coarse).exp_m1()
            }
        }
    }

    /// The scale (σ or b) in steps of the measurement.
    #[must_use]
    pub fn scale_steps(&self) -> f64 {
        self.scale / 2_f64.powi(self.fine_bits.cast_signed())
    }
}

/// No noise law could be certified at the given price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no noise law is certified at a price of {} units", price.quanta())]
pub struct Uncertified {
    /// The price that was offered for the measurement.
    pub price: Price,
}

/// A scale on the coarsest grid on which it has at least 2⁴⁰ steps.
struct FineScale {
    fine_bits: usize,
    /// σ in fine steps, rounded up to what a float holds exactly.
    scale: UBig,
    /// Number of low bits of the scale that are zero because a float could not hold them.
    spare: usize,
}

impl FineScale {
    /// The least scale of at least this variance, in squared steps of the measurement; `None` beyond every practical use.
    fn of_variance(numerator: &UBig, denominator: &UBig) -> Option<Self> {
        let mut fine_bits = 0_usize;
        let enough = UBig::ONE << (2 * FINE_SIGMA_LOG2 as usize);
        let short = (enough.bit_len() + denominator.bit_len()).saturating_sub(numerator.bit_len());
        fine_bits += (short / 2).saturating_sub(1);
        while (numerator << (2 * fine_bits)) / denominator < enough {
            fine_bits += 1;
        }
        let (root, rest) = ((numerator << (2 * fine_bits)) / denominator + UBig::ONE).sqrt_rem();
        let mut scale = if rest == UBig::ZERO { root } else { root + UBig::ONE };
        let spare = scale.bit_len().saturating_sub(FLOAT_BITS);
        if spare > 0 {
            scale = ((scale >> spare) + UBig::ONE) << spare;
        }
        (scale.bit_len() <= SCALE_LOG2_MAX).then_some(Self { fine_bits, scale, spare })
    }
}

/// Returns the discrete Gaussian with at least 2⁴⁰ fine steps and the least σ whose variance is at least `numerator`/`denominator`, in
/// squared steps of the measurement; `None` for a variance of zero, or one beyond every practical use.
#[must_use]
pub fn gaussian_of_variance(numerator: &UBig, denominator: &UBig) -> Option<NoiseLaw> {
    if *numerator == UBig::ZERO || *denominator == UBig::ZERO {
        return None;
    }
    let FineScale { fine_bits, scale, .. } = FineScale::of_variance(numerator, denominator)?;
    let (mechanism, fine_bits) = (Mechanism::DiscreteGaussian, u32::try_from(fine_bits).ok()?);
    Some(NoiseLaw { mechanism, fine_bits, scale: scale.to_f64().value() })
}

/// Returns the discrete Gaussian with the least σ whose precision (Δ₂/σ)² is certified to be at most `price`.
///
/// With `price` = P·1e-15: σ' = ⌈√(Δ₂²·4^s·10^15/P)⌉ fine steps, where s is the least shift that raises σ' to 2⁴⁰. The precision that is
/// compared with the price is the larger of our own, Δ₂²·4^s/σ'², and OpenDP's 2ρ (its zero-concentrated loss is ρ = (Δ₂/σ)²/2).
///
/// # Errors
/// [`Uncertified`] for a price of zero, or one so small that the scale would exceed every practical use.
pub fn gaussian(sensitivity: Sensitivity, price: Price) -> Result<NoiseLaw, Uncertified> {
    if price == Price::ZERO {
        return Err(Uncertified { price });
    }
    let numerator = UBig::from(sensitivity.l2_squared()) * UBig::from(10_u64.pow(15));
    let price_units = UBig::from(price.quanta());
    let FineScale { fine_bits, mut scale, spare } =
        FineScale::of_variance(&numerator, &price_units).ok_or(Uncertified { price })?;
    let scaled = &numerator << (2 * fine_bits);
    for _ in 0..STEPS_MAX {
        let law = NoiseLaw {
            mechanism: Mechanism::DiscreteGaussian,
            fine_bits: fine_bits as u32,
            scale: scale.to_f64().value(),
        };
        let ours = scaled.clone() <= &scale * &scale * &price_units;
        if ours && gaussian_loss_by_opendp(sensitivity, &law).is_some_and(|loss| loss <= price) {
            return Ok(law);
        }
        scale += UBig::ONE << spare;
    }
    Err(Uncertified { price })
}

/// Returns the discrete Laplace law with the least scale b whose loss Δ₁/b is certified to be at most `price` (in 1e-9 of ε).
///
/// Computing `b = Δ₁/ε` in floats certifies slightly more than ε about half of the time, so b is stepped up until it does not.
///
/// # Errors
/// [`Uncertified`] for a price of zero.
pub fn laplace(sensitivity: Sensitivity, price: Price) -> Result<NoiseLaw, Uncertified> {
    if price == Price::ZERO {
        return Err(Uncertified { price });
    }
    let epsilon = RBig::from_parts(IBig::from(price.quanta()), UBig::from(1_000_000_000_u64));
    let mut scale = sensitivity.l1() as f64 * 1e9 / price.quanta() as f64;
    for _ in 0..STEPS_MAX {
        let law = NoiseLaw { mechanism: Mechanism::DiscreteLaplace, fine_bits: 0, scale };
        let exact = RBig::try_from(scale).ok().map(|scale| RBig::from(sensitivity.l1()) / scale);
        let ours = exact.is_some_and(|loss| loss <= epsilon);
        if ours && laplace_loss_by_opendp(sensitivity, &law).is_some_and(|loss| loss <= price) {
            return Ok(law);
        }
        scale = scale.next_up();
    }
    Err(Uncertified { price })
}

/// Returns whether `price` covers the loss of `law` at `sensitivity`, in exact arithmetic: Δ₂²·4^s·10¹⁵ ≤ σ'²·P with σ' ≥ 2⁴⁰ for the
/// Gaussian, Δ₁·10⁹ ≤ b·P for the Laplace law, where the scale is taken as an exact number.
#[must_use]
pub fn is_covered(sensitivity: Sensitivity, law: &NoiseLaw, price: Price) -> bool {
    let price = UBig::from(price.quanta());
    match law.mechanism {
        Mechanism::DiscreteGaussian => {
            let Some(scale) = UBig::try_from(law.scale).ok().filter(|scale| scale.bit_len() > FINE_SIGMA_LOG2 as usize)
            else {
                return false;
            };
            if law.fine_bits >= SCALE_LOG2_MAX as u32 {
                return false;
            }
            let loss =
                (UBig::from(sensitivity.l2_squared()) * UBig::from(10_u64.pow(15))) << (2 * law.fine_bits as usize);
            loss <= &scale * &scale * price
        }
        Mechanism::DiscreteLaplace => {
            let scale = RBig::try_from(law.scale).ok().filter(|scale| *scale > RBig::ZERO);
            let loss = RBig::from(UBig::from(sensitivity.l1()) * UBig::from(10_u64.pow(9)));
            law.fine_bits == 0 && scale.is_some_and(|scale| loss <= scale * RBig::from(price))
        }
    }
}

/// Returns the loss of a law by OpenDP's own privacy map, rounded up to the ledger's integers: 2ρ for the Gaussian, ε for the Laplace law.
#[must_use]
pub fn loss_by_opendp(sensitivity: Sensitivity, law: &NoiseLaw) -> Option<Price> {
    match law.mechanism {
        Mechanism::DiscreteGaussian => gaussian_loss_by_opendp(sensitivity, law),
        Mechanism::DiscreteLaplace => laplace_loss_by_opendp(sensitivity, law),
    }
}

/// The OpenDP domain of the vectors that receive noise: vectors of big integers.
#[must_use]
pub fn integer_vectors() -> VectorDomain<AtomDomain<IBig>> {
    VectorDomain::new(AtomDomain::<IBig>::default())
}

fn gaussian_loss_by_opendp(sensitivity: Sensitivity, law: &NoiseLaw) -> Option<Price> {
    let measurement = make_gaussian(integer_vectors(), L2Distance::<RBig>::default(), law.scale, None).ok()?;
    let rho = measurement.map(&l2_in_fine_steps(sensitivity, law.fine_bits)).ok()?;
    units_above(RBig::try_from(rho).ok()? * RBig::from(2), 15)
}

fn laplace_loss_by_opendp(sensitivity: Sensitivity, law: &NoiseLaw) -> Option<Price> {
    let measurement = make_laplace(integer_vectors(), L1Distance::<RBig>::default(), law.scale, None).ok()?;
    let epsilon = measurement.map(&RBig::from(sensitivity.l1())).ok()?;
    units_above(RBig::try_from(epsilon).ok()?, 9)
}

/// Δ₂·2^`fine_bits`, rounded up by less than 2⁻⁶⁰ of a step of the measurement if Δ₂ is not an integer.
fn l2_in_fine_steps(sensitivity: Sensitivity, fine_bits: u32) -> RBig {
    const EXTRA_BITS: usize = 60;
    let square = UBig::from(sensitivity.l2_squared()) << (2 * EXTRA_BITS);
    let (root, rest) = square.sqrt_rem();
    let above = if rest == UBig::ZERO { root } else { root + UBig::ONE };
    RBig::from_parts(IBig::from(above << fine_bits as usize), UBig::ONE << EXTRA_BITS)
}

fn units_above(loss: RBig, decimals: u32) -> Option<Price> {
    let units = (loss * RBig::from(10_u64.pow(decimals))).ceil();
    u64::try_from(units).ok().map(Price::from_quanta)
}
