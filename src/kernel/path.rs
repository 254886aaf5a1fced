//! Noise paths: how everything that is ever released of one view hangs together, so that no number of copies tells more than the best of
//! them.
//!
//! Promises the law of a point that lies between two others, in exact arithmetic. It draws nothing and knows no accounts.
//!
//! # One path for each view
//!
//! A point of a view's path is a noisy vector y = x + e of the exact vector x, with noise of variance v = Δ₂²/p in each cell, where p is
//! the point's *level*: its precision, which is also the price of a single draw as exact as it ([`Price`]). The errors of all points of a
//! view are those of one Brownian path W that is looked at at the times v: e = W(v). So for two points with levels p < q
//!
//! > Cov(e_p, e_q) = Var(e_q) = Δ₂²/q,
//!
//! that is, e_p = e_q + something that is independent of e_q and of x. A point is made in one of three ways, and each keeps this law.
//!
//! * **The first point, and a finer one** (q above every level P): d = q − P is drawn from data, y' = x + e' with Var(e') = Δ₂²/d, and the new
//!   point is the mean weighted by precision, y_q = (P·y_P + d·y')/q. Then Var(e_q) = (P²·Δ₂²/P + d²·Δ₂²/d)/q² = Δ₂²/q, and
//!   Cov(e_P, e_q) = (P/q)·Δ₂²/P = Δ₂²/q. For a point r < P, e_r − e_P is independent of e_P and of e', so Cov(e_r, e_q) is the same.
//! * **A coarser one** (q below every level, b the least of them): y_q = y_b + z, with z independent and Var(z) = Δ₂²(1/q − 1/b).
//! * **One between two** (a < q < b, its neighbours): the Brownian bridge, y_q = y_b + w(y_a − y_b) + z with
//!   w = (v_q − v_b)/(v_a − v_b) and Var(z) = (v_q − v_b)(v_a − v_q)/(v_a − v_b). With v = Δ₂²/p,
//!
//! > w = a(b − q) / (q(b − a)) and Var(z) = Δ₂²·(b − q)(q − a) / (q²(b − a)),
//!
//! which for a = 0, that is, for a coarser point that knows nothing, are 0 and Δ₂²(1/q − 1/b): a coarser point is a bridge to nothing, and
//! [`PathGap`] treats both as one.
//!
//! A Brownian path has the Markov property, so drawing a point given its two neighbours alone gives the joint law of all points: from the
//! exact vector x to the finest point, and from each point to the next coarser one, they are a Markov chain. It follows:
//!
//! * *Privacy*: every point but those that look at data is made from noisy points and fresh noise alone. It is post-processing, and costs
//!   the dataset nothing. What all points together tell is what the draws from data tell, whose prices add up to the finest level.
//! * *No more than was paid for*: given the finest of a set of points, the others are independent of x. Whoever has several points, or pools
//!   them with others, knows what the finest of them says and nothing else.
//!
//! # On a grid
//!
//! Noise is a discrete Gaussian on a grid that is a power of two finer than the measurement's, so that σ ≥ 2⁴⁰ steps, as for draws from
//! data ([`crate::kernel::privacy::mechanism`]). z is such noise, with its variance rounded up; the mean of two points is rounded to the
//! nearest step of the finest grid among them, which moves it by at most half a step, 2⁻⁴¹ of a standard deviation. Privacy needs neither,
//! since both follow noisy values alone: a point is a function of the points it is made from and of noise that looks at nothing.
//!
//! Derived points (sums of another view's cells, equally many for each cell) are rounded down to the level that they are worth; see
//! [`crate::kernel::budget::steps::PointOrigin::Derived`].

use dashu::base::DivEuclid;
use dashu::integer::{IBig, UBig};

use crate::kernel::privacy::amounts::Price;
use crate::kernel::privacy::mechanism::{NoiseLaw, gaussian_of_variance};
use crate::kernel::privacy::sensitivity::Sensitivity;

/// A place on a path: a level between the two stored ones that are next to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathGap {
    /// The level that is asked for.
    pub level: Price,
    /// The next finer level of which a point is stored.
    pub finer: Price,
    /// The next coarser level of which a point is stored; `None` if there is none.
    pub coarser: Option<Price>,
}

impl PathGap {
    /// Whether the three levels are in their order, none of them zero.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        let is_above = |coarser: Price| coarser > Price::ZERO && coarser < self.level;
        self.level > Price::ZERO && self.level < self.finer && self.coarser.is_none_or(is_above)
    }

    /// The law of what is added to the mean of the two neighbours; `None` if the levels are not in their order.
    #[must_use]
    pub fn noise(&self, sensitivity: Sensitivity) -> Option<NoiseLaw> {
        if !self.is_ordered() {
            return None;
        }
        let Levels { level, finer, coarser } = self.levels();
        let square = UBig::from(sensitivity.l2_squared()) * UBig::from(10_u64.pow(15));
        let numerator = square * (&finer - &level) * (&level - &coarser);
        let denominator = &level * &level * (&finer - &coarser);
        gaussian_of_variance(&numerator, &denominator)
    }

    /// The weights of the two neighbours in their mean.
    #[must_use]
    pub fn weights(&self) -> BridgeWeights {
        let Levels { level, finer, coarser } = self.levels();
        let of_finer = IBig::from(&finer * (&level - &coarser)) * IBig::from(2);
        let of_coarser = IBig::from(&coarser * (&finer - &level)) * IBig::from(2);
        let whole = IBig::from(&level * (&finer - &coarser));
        BridgeWeights { of_finer, of_coarser, twice: &whole * IBig::from(2), whole }
    }

    fn levels(&self) -> Levels {
        let quanta = |price: Price| UBig::from(price.quanta());
        let coarser = self.coarser.map_or(UBig::ZERO, quanta);
        Levels { level: quanta(self.level), finer: quanta(self.finer), coarser }
    }
}

/// How a bridge weighs the two points that it is between; both weights are doubled, so that rounding needs no fraction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BridgeWeights {
    of_finer: IBig,
    of_coarser: IBig,
    whole: IBig,
    twice: IBig,
}

impl BridgeWeights {
    /// The weighted mean of a cell of the two points, to the nearest integer; without a coarser point, the finer one. Both are on the same
    /// grid.
    #[must_use]
    pub fn mean(&self, finer_cell: IBig, coarser_cell: Option<IBig>) -> IBig {
        let Some(coarser_cell) = coarser_cell else { return finer_cell };
        let sum = finer_cell * &self.of_finer + coarser_cell * &self.of_coarser;
        (sum + &self.whole).div_euclid(&self.twice)
    }
}

/// What a vector of price P is worth for a measurement, rounded down. Gaussian: the vector's noise has σ² = Δ'₂²/P. A sum of `summed` of its
/// cells has variance `summed`·σ², and a direct draw with that variance would cost Δ₂²/(`summed`·σ²) = P·Δ₂²/(Δ'₂²·`summed`). `own` is Δ₂² of
/// the measurement and `other` Δ'₂² of the vector.
#[must_use]
pub fn worth_of(price: Price, (own, other): (u128, u128), summed: u64) -> Option<Price> {
    if own == other {
        return Some(Price::from_quanta(price.quanta() / summed));
    }
    let worth = u128::from(price.quanta()).checked_mul(own)? / other.checked_mul(summed.into())?;
    u64::try_from(worth).ok().map(Price::from_quanta)
}

/// The levels of a gap, as integers; no coarser point is one of level 0.
struct Levels {
    level: UBig,
    finer: UBig,
    coarser: UBig,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::privacy::sensitivity::Aggregation;

    fn gap(coarser: Option<u64>, level: u64, finer: u64) -> PathGap {
        let price = Price::from_quanta;
        PathGap { level: price(level), finer: price(finer), coarser: coarser.map(price) }
    }

    #[test]
    fn variances_are_those_of_the_formulas() {
        let sensitivity = Sensitivity::of(Aggregation::Count, 3).expect("bounded");
        let unit = 1_000_000_000_000_u64;
        for (coarser, level, finer) in [
            (None, 1, 4),
            (Some(1), 2, 4),
            (Some(2), 3, 4),
            (Some(1), 39, 40),
            (None, 999, 1_000),
            (Some(1), 2, 1_000_000),
        ] {
            let law =
                gap(coarser.map(|level| level * unit), level * unit, finer * unit).noise(sensitivity).expect("a law");
            let v = |level: u64| 9.0 * 1e15 / (level as f64 * unit as f64);
            let wanted = match coarser {
                None => v(level) - v(finer),
                Some(coarser) => (v(level) - v(finer)) * (v(coarser) - v(level)) / (v(coarser) - v(finer)),
            };
            assert!((law.std_error().powi(2) / wanted - 1.0).abs() < 1e-9, "{coarser:?} {level} {finer}");
            assert!(law.scale >= 2_f64.powi(40), "fine enough");
        }
        // The nearest levels that there are.
        assert!(gap(None, unit - 1, unit).noise(sensitivity).is_some());
        for (coarser, level, finer) in [(None, 4, 4), (Some(2), 2, 4), (None, 0, 4), (Some(0), 2, 4), (Some(5), 4, 6)] {
            assert_eq!(gap(coarser, level, finer).noise(sensitivity), None);
        }
    }

    #[test]
    fn means_are_weighted_and_rounded_to_the_nearest() {
        // w = a(b − q)/(q(b − a)) = 1·2/(2·3) = 1/3 on the coarser one.
        let gap = gap(Some(1), 2, 4);
        for (finer, coarser, mean) in [(0, 3, 1), (3, 0, 2), (0, 1, 0), (0, 2, 1), (0, -1, 0), (0, -2, -1), (7, 7, 7)] {
            assert_eq!(gap.weights().mean(IBig::from(finer), Some(IBig::from(coarser))), IBig::from(mean));
        }
    }
}
