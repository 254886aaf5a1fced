//! The measurements of numbers: sums about a centre, squares, products and percentiles.

use super::{OutputPlanner, Summed};
use crate::kernel::privacy::accountant::Accountant;
use crate::query::answer::formula::{CentredSum, Products, Quantile, Squares};
use crate::query::answer::quantile::HistogramTree;
use crate::query::canonical;
use crate::query::computation::Measure;
use crate::query::error::{Code, Position, QueryError, shown};
use crate::query::filter::Filter;
use crate::query::plan::counting::counting;
use crate::query::syntax::Expression;
use crate::query::term::{Constant, Term, checker};
use crate::query::terms::domain::{DECIMALS, Domain};

/// A sum's capacity × bound stays below 2 to this power.
const SUM_LOG2_MAX: u32 = 62;

impl OutputPlanner<'_> {
    /// Types a number, with a filter, that can be summed over the declared capacity.
    pub(super) fn number(
        &self,
        of: &Expression,
        filter: Option<&Filter>,
        function: &str,
        at: Position,
    ) -> Result<Summed, QueryError> {
        let term = checker::expression(of, self.known)?;
        let term = if function == "PERCENTILE_CONT" { term } else { checker::numbered(term, self.known) };
        if self.known.grid(&term).is_none() {
            let word = self.known.facts(&term).domain.type_name();
            let name = shown(&canonical::term(&term, self.known));
            let message = format!("{function} wants a number, and \"{name}\" is a {word}");
            let error = QueryError::at(Code::UnsupportedSql, of.at, message);
            return Err(match *self.known.facts(&term).domain {
                Domain::Date { .. } if function == "AVG" => {
                    error.hint(format!("write AVG({name} - DATE '2000-01-01') for the mean number of days since then"))
                }
                Domain::Boolean
                | Domain::Number(_)
                | Domain::Category(_)
                | Domain::Date { .. }
                | Domain::Text { .. } => error,
            });
        }
        let term = match filter {
            Some(filter) => checker::checked(term.only_where(filter.clone()), self.known, of.at)?,
            None => term,
        };
        self.summed(term, function, at)
    }

    pub(super) fn summed(&self, term: Term, function: &str, at: Position) -> Result<Summed, QueryError> {
        let grid = match &*self.known.facts(&term).domain {
            Domain::Number(grid) => *grid,
            Domain::Category(_) | Domain::Boolean | Domain::Date { .. } | Domain::Text { .. } => {
                return Err(QueryError::at(Code::UnsupportedSql, at, format!("{function} wants a number")));
            }
        };
        if u128::from(self.known.max_rows) * u128::from(grid.radius()) >= 1 << SUM_LOG2_MAX {
            let message =
                format!("{function} over the declared capacity of {} rows does not fit 62 bits", self.known.max_rows);
            let error = QueryError::at(Code::UnsupportedSql, at, message);
            // With whole numbers inside, the steps of a product are whole, too.
            let whole = u128::from(grid.radius()) * u128::from(grid.step.unsigned_abs()) / 10_u128.pow(DECIMALS) + 1;
            let is_enough = grid.decimals() > 0 && u128::from(self.known.max_rows) * whole < 1 << (SUM_LOG2_MAX - 1);
            return Err(match is_enough {
                true => error.hint("write ROUND(a) for a number a with decimals: coarser values fit"),
                false => error,
            });
        }
        let count = counting(None, Some(term.clone()), self.known);
        Ok(Summed { term, grid, count })
    }

    /// Adds the measurement of a sum and, if its centre is not 0, of its count.
    pub(super) fn sum(&mut self, summed: &Summed) -> Result<CentredSum, QueryError> {
        let sum = self.need(Measure::Sum { column: summed.term.clone() });
        let count = (summed.grid.centre() != 0).then(|| self.need(summed.count.clone()));
        Ok(CentredSum { sum, count, grid: summed.grid })
    }

    /// Adds the measurements of a tree of histograms over the whole range of a number.
    pub(super) fn quantile(&mut self, x: Summed, fraction: String) -> Quantile {
        let grid = x.grid;
        let values = grid.high.abs_diff(grid.low).saturating_add(1);
        let precision_adds = matches!(self.known.accountant, Accountant::Gaussian { .. });
        let tree = HistogramTree::over(values, self.groups, precision_adds);
        let bins: Vec<u32> = (1..=tree.depth).map(|level| tree.bins(level)).collect();
        let levels = (1..=tree.depth).map(|level| {
            let (column, low, width) = (x.term.clone(), grid.low, tree.width_at(level));
            self.need(Measure::Bins { column, low, width, count: tree.bins(level) })
        });
        let levels = levels.collect();
        Quantile { fraction, levels, bins, branches: tree.branches, low: grid.low, width: tree.width, grid }
    }

    /// A number shifted by the middle of its range, and that middle.
    pub(super) fn centred(&self, summed: &Summed, at: Position) -> Result<(Term, Constant), QueryError> {
        let middle = i128::from(summed.grid.centre()) * i128::from(summed.grid.step);
        let centre = i64::try_from(middle).ok().map(|digits| Constant::shortest(digits, 9));
        let centre =
            centre.ok_or_else(|| QueryError::at(Code::UnsupportedSql, at, "its values are too large to be squared"))?;
        let about = match centre.digits {
            0 => summed.term.clone(),
            digits => Term::plus(vec![summed.term.clone(), Term::number(-digits, centre.decimals)]),
        };
        Ok((about, centre))
    }

    /// Adds the measurement of Σuv, where both numbers are taken about the middle of their range.
    pub(super) fn product(
        &mut self,
        u: &Term,
        v: &Term,
        function: &str,
        at: Position,
    ) -> Result<CentredSum, QueryError> {
        let product = checker::checked(Term::times(vec![u.clone(), v.clone()]), self.known, at)?;
        let summed = self.summed(product, function, at)?;
        self.sum(&summed)
    }

    pub(super) fn squares(&mut self, x: Summed, at: Position) -> Result<Squares, QueryError> {
        let (about, _) = self.centred(&x, at)?;
        let count = self.need(x.count.clone());
        let centred = self.summed(checker::checked(about.clone(), self.known, at)?, "VAR_SAMP", at)?;
        let sum = self.sum(&centred)?;
        let squares = self.product(&about, &about, "VAR_SAMP", at)?;
        Ok(Squares { count, sum, squares, of: x.term })
    }

    pub(super) fn products(
        &mut self,
        (y, x): (&Expression, &Expression),
        filter: Option<Filter>,
        function: &str,
        at: Position,
    ) -> Result<Products, QueryError> {
        let (y, x) = (self.number(y, filter.as_ref(), function, at)?, self.number(x, filter.as_ref(), function, at)?);
        let of = (y.term.clone(), x.term.clone());
        // Only rows in which both are present count.
        let present = |summed: &Summed| match &summed.count {
            Measure::NonNull { column } => Some(Filter::Not(Box::new(Filter::Missing { column: column.clone() }))),
            Measure::Rows
            | Measure::Sum { .. }
            | Measure::Units
            | Measure::UnitsWhere { .. }
            | Measure::Bins { .. }
            | Measure::PrefixSums { .. }
            | Measure::Over { .. } => None,
        };
        let both: Vec<Filter> = [present(&y), present(&x)].into_iter().flatten().collect();
        let both = (!both.is_empty()).then(|| Filter::All(both).simplest(self.known));
        let part = |summed: Summed| -> Result<(Term, Constant), QueryError> {
            let term = match &both {
                Some(both) => checker::checked(summed.term.only_where(both.clone()), self.known, at)?,
                None => summed.term,
            };
            let summed = self.summed(term, function, at)?;
            let (about, centre) = self.centred(&summed, at)?;
            Ok((checker::checked(about, self.known, at)?, centre))
        };
        let ((y, y_centre), (x, x_centre)) = (part(y)?, part(x)?);
        let count = self.need(counting(both, None, self.known));
        let mut sums = |about: &Term| -> Result<(CentredSum, CentredSum), QueryError> {
            let summed = self.summed(about.clone(), function, at)?;
            Ok((self.sum(&summed)?, self.product(about, about, function, at)?))
        };
        let (y_sums, x_sums) = (sums(&y)?, sums(&x)?);
        let products = self.product(&y, &x, function, at)?;
        Ok(Products { count, y: y_sums, x: x_sums, products, centres: (y_centre, x_centre), of })
    }
}
