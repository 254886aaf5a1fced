//! Statistics of squares and products: turns sums about any constant into sums about the means.

use super::absence::both;
use super::{AbsenceReason, CellValues, CentredSum, Dual, Products, Squares};
use crate::query::syntax::{Pair, Spread};
use crate::query::term::Constant;

/// Σuv − Σu·Σv/n, the sum of products about the means.
fn about_means(n: &Dual, (u, v): (&Dual, &Dual), products: &Dual, at: CellValues<'_>) -> Result<Dual, AbsenceReason> {
    let correction = u.times(v).over(n, at)?;
    Ok(products.plus(&correction.times(&Dual::constant(-1.0))))
}

impl Squares {
    pub(super) fn dual(&self, spread: Spread, at: CellValues<'_>) -> Result<Dual, AbsenceReason> {
        let (n, sum, squares) = (Dual::measured(self.count, at)?, self.sum.dual(at)?, self.squares.dual(at)?);
        let about = about_means(&n, (&sum, &sum), &squares, at)?;
        let less_one = n.plus(&Dual::constant(-1.0));
        let variance = match spread {
            Spread::VarPop | Spread::StddevPop => about.over(&n, at)?,
            Spread::VarSamp | Spread::StddevSamp => about.over(&less_one, at)?,
        };
        match spread {
            Spread::VarPop | Spread::VarSamp => Ok(variance),
            Spread::StddevPop | Spread::StddevSamp => variance.root(),
        }
    }
}

impl Products {
    pub(super) fn dual(&self, pair: Pair, at: CellValues<'_>) -> Result<Dual, AbsenceReason> {
        if let Some((above, below)) = self.quotient(pair, at) {
            let (above, below) = both(above, below)?;
            return above.over(&below, at);
        }
        let n = Dual::measured(self.count, at)?;
        let (y, x) = (self.y.0.dual(at)?, self.x.0.dual(at)?);
        let products = about_means(&n, (&y, &x), &self.products.dual(at)?, at)?;
        let squares = |sum: &Dual, squares: &CentredSum| about_means(&n, (sum, sum), &squares.dual(at)?, at);
        match pair {
            Pair::CovarPop => products.over(&n, at),
            Pair::CovarSamp => products.over(&n.plus(&Dual::constant(-1.0)), at),
            Pair::RegrIntercept | Pair::Corr | Pair::RegrSlope => {
                let slope = products.over(&squares(&x, &self.x.1)?, at)?;
                let mean = |sum: &Dual, centre: Constant| Ok(sum.over(&n, at)?.plus(&Dual::constant(centre.to_f64())));
                let (y, x) = both(mean(&y, self.centres.0), mean(&x, self.centres.1))?;
                Ok(y.plus(&slope.times(&x).times(&Dual::constant(-1.0))))
            }
        }
    }

    /// Numerator and denominator of a slope or a correlation, which are quotients of sums about the means; `None` for other statistics.
    pub(super) fn quotient(
        &self,
        pair: Pair,
        at: CellValues<'_>,
    ) -> Option<(Result<Dual, AbsenceReason>, Result<Dual, AbsenceReason>)> {
        let n = || Dual::measured(self.count, at);
        let about = |(u, v): (&CentredSum, &CentredSum), products: &CentredSum| {
            about_means(&n()?, (&u.dual(at)?, &v.dual(at)?), &products.dual(at)?, at)
        };
        let above = || about((&self.y.0, &self.x.0), &self.products);
        let squares = |(sum, squares): &(CentredSum, CentredSum)| about((sum, sum), squares);
        match pair {
            Pair::RegrSlope => Some((above(), squares(&self.x))),
            Pair::Corr => {
                let root = both(squares(&self.x), squares(&self.y)).and_then(|(x, y)| x.times(&y).root());
                Some((above(), root))
            }
            Pair::CovarSamp | Pair::CovarPop | Pair::RegrIntercept => None,
        }
    }
}
