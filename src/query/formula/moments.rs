//! Statistics of squares and products: sums about the means, from sums about any constant.

use super::{Centred, Dual, Measured, Products, Squares};
use crate::query::syntax::{Pair, Spread};
use crate::query::term::Constant;

/// (Σuv − Σu·Σv/n), the sum of products about the means.
fn about_means(n: &Dual, (u, v): (&Dual, &Dual), products: &Dual, at: Measured<'_>) -> Option<Dual> {
    let correction = u.times(v).over(n, at)?;
    Some(products.plus(&correction.times(&Dual::constant(-1.0))))
}

impl Squares {
    pub(super) fn dual(&self, spread: Spread, at: Measured<'_>) -> Option<Dual> {
        let (n, sum, squares) = (Dual::measured(self.count, at), self.sum.dual(at), self.squares.dual(at));
        let about = about_means(&n, (&sum, &sum), &squares, at)?;
        let less_one = n.plus(&Dual::constant(-1.0));
        let variance = match spread {
            Spread::VarPop | Spread::StddevPop => about.over(&n, at)?,
            Spread::VarSamp | Spread::StddevSamp => about.over(&less_one, at)?,
        };
        match spread {
            Spread::VarPop | Spread::VarSamp => Some(variance),
            Spread::StddevPop | Spread::StddevSamp => variance.root(),
        }
    }
}

impl Products {
    pub(super) fn dual(&self, pair: Pair, at: Measured<'_>) -> Option<Dual> {
        let n = Dual::measured(self.count, at);
        let (y, x) = (self.y.0.dual(at), self.x.0.dual(at));
        let products = about_means(&n, (&y, &x), &self.products.dual(at), at)?;
        let squares = |sum: &Dual, squares: &Centred| about_means(&n, (sum, sum), &squares.dual(at), at);
        let slope = || products.over(&squares(&x, &self.x.1)?, at);
        match pair {
            Pair::CovarPop => products.over(&n, at),
            Pair::CovarSamp => products.over(&n.plus(&Dual::constant(-1.0)), at),
            Pair::Corr | Pair::RegrSlope => {
                let (above, below) = self.quotient(pair, at)?;
                above?.over(&below?, at)
            }
            Pair::RegrIntercept => {
                let mean =
                    |sum: &Dual, centre: Constant| Some(sum.over(&n, at)?.plus(&Dual::constant(centre.to_f64())));
                let (y, x) = (mean(&y, self.centres.0)?, mean(&x, self.centres.1)?);
                Some(y.plus(&slope()?.times(&x).times(&Dual::constant(-1.0))))
            }
        }
    }

    /// Numerator and denominator of what is a quotient of sums about the means: a slope, or a correlation.
    pub(super) fn quotient(&self, pair: Pair, at: Measured<'_>) -> Option<(Option<Dual>, Option<Dual>)> {
        let n = Dual::measured(self.count, at);
        let (y, x) = (self.y.0.dual(at), self.x.0.dual(at));
        let squares = |sum: &Dual, squares: &Centred| about_means(&n, (sum, sum), &squares.dual(at), at);
        let above = || about_means(&n, (&y, &x), &self.products.dual(at), at);
        match pair {
            Pair::RegrSlope => Some((above(), squares(&x, &self.x.1))),
            Pair::Corr => {
                let both = squares(&x, &self.x.1).zip(squares(&y, &self.y.1)).and_then(|(x, y)| x.times(&y).root());
                Some((above(), both))
            }
            Pair::CovarSamp | Pair::CovarPop | Pair::RegrIntercept => None,
        }
    }
}
