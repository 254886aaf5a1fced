//! Possible values of outputs, from the public bounds of what they are computed from.
//!
//! Promises ranges that hold every value that a formula can have over any table that conforms to its policy. The range of a quotient is
//! narrower than the ranges of its sides imply: a count of some rows is at most the count of all rows, and a unit has at most as many rows
//! as the policy allows.

use crate::query::answer::formula::{Formula, GroupWindow, Range};
use crate::query::computation::Measure;
use crate::query::filter::Filter;
use crate::query::plan::counting::counting;
use crate::query::syntax::{ArithmeticOperator, GroupFunction, Pair, ScalarFunction, Spread};
use crate::query::term::context::TermContext;
use crate::query::term::{Operation, Term};
use crate::query::terms::domain::Grid;

/// Derives the ranges of a question's outputs.
pub(super) struct Ranges<'a> {
    /// The measurements, by the index that formulas use for them.
    pub(super) bases: &'a [Measure],
    /// The terms that the question refers to.
    pub(super) known: &'a TermContext<'a>,
    /// Number of rows used of each unit.
    pub(super) rows_per_unit: u32,
}

/// A count, or the sum over the counted rows of numbers in a range; a count has the range 1 to 1.
struct Total {
    count: Measure,
    each: Range,
    /// Whether it is the sum over several groups, its own among them.
    is_of_groups: bool,
}

/// What a count counts: units or rows, and the conditions that hold for all of them.
struct Counted {
    is_units: bool,
    conditions: Vec<Filter>,
}

impl Ranges<'_> {
    /// Range of a formula. Counts and sums by themselves have no range, as they are shown with all of their noise.
    pub(super) fn of(&self, formula: &Formula) -> Range {
        if is_total(formula) { Range::WHOLE } else { self.range(formula) }
    }

    fn range(&self, formula: &Formula) -> Range {
        match formula {
            Formula::Number(text) => text.parse().map_or(Range::WHOLE, |number| Range::new(number, number)),
            Formula::Key(_) | Formula::Missing => Range::WHOLE,
            Formula::Grouping(_) => Range::new(0.0, 1.0),
            Formula::Call(function, parts) => {
                let parts: Vec<Range> = parts.iter().map(|part| self.range(part)).collect();
                called(*function, &parts)
            }
            Formula::Case(arms, otherwise) => {
                let branches = arms.iter().map(|(_, then)| then).chain([&**otherwise]);
                let present = branches.filter(|branch| **branch != Formula::Missing);
                present.map(|branch| self.range(branch)).reduce(Range::or).unwrap_or(Range::WHOLE)
            }
            Formula::Window(window) => self.window(window),
            Formula::Count(_) | Formula::Run(_) => Range::POSITIVE,
            Formula::Sum(one) => of_grid(&one.grid).times(Range::POSITIVE),
            Formula::Mean(one, _) => of_grid(&one.grid),
            Formula::Quantile(quantile) => of_grid(&quantile.grid),
            Formula::Spread(spread, squares) => self.spread(*spread, &squares.of),
            Formula::Pair(pair, products) => self.pair(*pair, &products.of),
            Formula::Negative(of) => self.range(of).negative(),
            Formula::Absolute(of) => self.range(of).absolute(),
            Formula::Root(of) => self.range(of).root(),
            Formula::Round(of, decimals) => self.range(of).rounded(*decimals),
            Formula::NullIf(of, _) => self.range(of),
            Formula::Arithmetic(left, operator, right) => {
                let (one, other) = (self.range(left), self.range(right));
                match operator {
                    ArithmeticOperator::Plus => one.plus(other),
                    ArithmeticOperator::Minus => one.plus(other.negative()),
                    ArithmeticOperator::Times => one.times(other),
                    ArithmeticOperator::Over => one.over(other).and(self.quotient(left, right).unwrap_or(Range::WHOLE)),
                }
            }
        }
    }

    fn window(&self, window: &GroupWindow) -> Range {
        let of = || window.of.iter().map(|of| self.range(of)).reduce(Range::or).unwrap_or(Range::WHOLE);
        match window.function {
            GroupFunction::Sum | GroupFunction::Total => of().times(Range::POSITIVE),
            GroupFunction::KaplanMeier | GroupFunction::CumulativeIncidence => Range::new(0.0, 1.0),
            GroupFunction::Count => Range::POSITIVE,
            GroupFunction::RowNumber | GroupFunction::Rank | GroupFunction::DenseRank | GroupFunction::Ntile => {
                Range::WHOLE
            }
            GroupFunction::PercentRank | GroupFunction::CumeDist => Range::new(0.0, 1.0),
            GroupFunction::Avg
            | GroupFunction::Min
            | GroupFunction::Max
            | GroupFunction::Lag
            | GroupFunction::Lead
            | GroupFunction::FirstValue
            | GroupFunction::LastValue
            | GroupFunction::NthValue => of(),
        }
    }

    /// The variance of numbers in a range of width w is at most w²/4 (T. Popoviciu, 1935), and at most w²/2 if it is divided by n − 1.
    fn spread(&self, spread: Spread, of: &Term) -> Range {
        let widest = self.width(of).map_or(f64::INFINITY, |width| width * width);
        match spread {
            Spread::VarPop => Range::new(0.0, widest / 4.0),
            Spread::VarSamp => Range::new(0.0, widest / 2.0),
            Spread::StddevPop => Range::new(0.0, widest / 4.0).root(),
            Spread::StddevSamp => Range::new(0.0, widest / 2.0).root(),
        }
    }

    /// A covariance is at most the square root of the product of the two variances.
    fn pair(&self, pair: Pair, (y, x): &(Term, Term)) -> Range {
        let widest = self.width(y).zip(self.width(x)).map_or(f64::INFINITY, |(y, x)| y * x);
        match pair {
            Pair::Corr => Range::new(-1.0, 1.0),
            Pair::CovarPop => Range::new(-widest / 4.0, widest / 4.0),
            Pair::CovarSamp => Range::new(-widest / 2.0, widest / 2.0),
            Pair::RegrSlope | Pair::RegrIntercept => Range::WHOLE,
        }
    }

    fn width(&self, of: &Term) -> Option<f64> {
        let range = of_grid(&of.grid(self.known)?);
        Some(range.high? - range.low?)
    }

    /// Range of Σaᵢ·Mᵢ / Σbₖ·Mₖ, where M are counts and sums. If the denominator has a single part, each Mᵢ/Mₖ has a range of its own. If
    /// it has several parts and none is negative, it is at least as large as each of them: Mᵢ divided by it lies between 0 and Mᵢ/(bₖ·Mₖ).
    fn quotient(&self, above: &Formula, below: &Formula) -> Option<Range> {
        let (above, below) = (self.linear(above)?, self.linear(below)?);
        if above.constant != 0.0 || below.parts.is_empty() || below.constant < 0.0 {
            return None;
        }
        let is_alone = below.parts.len() == 1 && below.constant == 0.0;
        let is_positive = |(by, total): &(f64, Total)| *by > 0.0 && total.each.low.is_some_and(|low| low >= 0.0);
        if !is_alone && !below.parts.iter().all(is_positive) {
            return None;
        }
        let over = |by: f64, total: &Total| {
            let parts = below.parts.iter().map(|(other, part)| {
                let one = self.ratio(total, part).times(Range::new(by / other, by / other));
                if is_alone { one } else { one.with_zero() }
            });
            parts.fold(Range::WHOLE, Range::and)
        };
        Some(above.parts.iter().fold(Range::new(0.0, 0.0), |sum, (by, total)| sum.plus(over(*by, total))))
    }

    /// Range of a quotient of two totals: the range of the quotient of single rows, times that of the quotient of the counts.
    fn ratio(&self, above: &Total, below: &Total) -> Range {
        let (above_count, below_count) = (self.counted(&above.count), self.counted(&below.count));
        // A group is part of the total over groups, and not the other way round; what is summed must not be negative then. Of two totals
        // over groups, neither is known to be part of the other.
        let (is_more, is_less) = (above.is_of_groups, below.is_of_groups);
        if (is_more || is_less) && [above, below].iter().any(|one| one.each.low.is_none_or(|low| low < 0.0)) {
            return Range::WHOLE;
        }
        let most = self.most(&above_count, &below_count).filter(|_| !is_more).unwrap_or(f64::INFINITY);
        let least = self.most(&below_count, &above_count).filter(|_| !is_less).map_or(0.0, f64::recip);
        above.each.over(below.each).times(Range::new(least, most))
    }

    /// Largest ratio of one count to another that is not 0; `None` if it is unbounded.
    fn most(&self, one: &Counted, other: &Counted) -> Option<f64> {
        let is_part = other.conditions.iter().all(|wanted| one.conditions.iter().any(|known| implies(known, wanted)));
        match (one.is_units, other.is_units) {
            _ if !is_part => None,
            (false, true) => Some(f64::from(self.rows_per_unit)),
            (true, true) | (false, false) | (true, false) => Some(1.0),
        }
    }

    fn counted(&self, count: &Measure) -> Counted {
        let (is_units, conditions) = match count {
            Measure::Units => (true, Vec::new()),
            Measure::UnitsWhere { filter } => (true, conjuncts(filter)),
            Measure::NonNull { column } => (false, self.present(column)),
            Measure::Over { measure, .. } | Measure::PrefixSums { measure, .. } => return self.counted(measure),
            Measure::Rows | Measure::Sum { .. } | Measure::Bins { .. } => (false, Vec::new()),
        };
        Counted { is_units, conditions }
    }

    /// Conditions that are true of every row in which a term is present.
    fn present(&self, term: &Term) -> Vec<Filter> {
        if let Term::Made(made) = term
            && let Operation::Case(whens, None) = &**made
            && let [(filter, value)] = &whens[..]
        {
            return conjuncts(filter).into_iter().chain(self.present(value)).collect();
        }
        let is_nullable = term.facts(self.known).nullable;
        let present = || Filter::Not(Box::new(Filter::Missing { column: term.clone() }));
        is_nullable.then(present).into_iter().collect()
    }

    fn linear(&self, formula: &Formula) -> Option<Linear> {
        Some(match formula {
            Formula::Count(count) => {
                let each = Range::new(1.0, 1.0);
                Linear::of(Total { count: self.bases.get(*count)?.clone(), each, is_of_groups: false })
            }
            Formula::Sum(one) => {
                let Measure::Sum { column } = self.bases.get(one.sum)?.base() else { return None };
                let count = counting(None, Some(column.clone()), self.known);
                Linear::of(Total { count, each: of_grid(&one.grid), is_of_groups: false })
            }
            Formula::Window(window) if window.holds_own() => {
                let mut of = self.linear(window.of.first()?)?;
                of.parts.iter_mut().for_each(|(_, total)| total.is_of_groups = true);
                if of.constant != 0.0 {
                    return None;
                }
                of
            }
            Formula::Negative(of) => self.linear(of)?.times(-1.0),
            Formula::NullIf(of, _) => self.linear(of)?,
            Formula::Arithmetic(left, ArithmeticOperator::Plus, right) => self.linear(left)?.plus(self.linear(right)?),
            Formula::Arithmetic(left, ArithmeticOperator::Minus, right) => {
                self.linear(left)?.plus(self.linear(right)?.times(-1.0))
            }
            Formula::Arithmetic(left, ArithmeticOperator::Times, right) => {
                match (self.number(left), self.number(right)) {
                    (Some(by), _) => self.linear(right)?.times(by),
                    (None, Some(by)) => self.linear(left)?.times(by),
                    (None, None) => return None,
                }
            }
            Formula::Arithmetic(left, ArithmeticOperator::Over, right) => {
                self.linear(left)?.times(self.number(right)?.recip())
            }
            other => Linear { parts: Vec::new(), constant: self.number(other)? },
        })
    }

    /// Value of a formula without measurements; `None` for any other formula.
    fn number(&self, formula: &Formula) -> Option<f64> {
        let range = self.range(formula);
        range.low.filter(|_| formula.is_number() && range.low == range.high)
    }
}

/// A weighted sum of totals plus a constant.
struct Linear {
    parts: Vec<(f64, Total)>,
    constant: f64,
}

impl Linear {
    fn of(total: Total) -> Self {
        Self { parts: vec![(1.0, total)], constant: 0.0 }
    }

    fn plus(mut self, other: Self) -> Self {
        self.parts.extend(other.parts);
        Self { constant: self.constant + other.constant, ..self }
    }

    fn times(self, by: f64) -> Self {
        let parts = self.parts.into_iter().map(|(own, total)| (own * by, total)).collect();
        Self { parts, constant: self.constant * by }
    }
}

/// Whether a formula is a count, a sum, or computed from these by addition and multiples.
fn is_total(formula: &Formula) -> bool {
    match formula {
        Formula::Number(_) | Formula::Count(_) | Formula::Sum(_) | Formula::Run(_) | Formula::Key(_) => true,
        Formula::Window(window) => window.of.iter().all(is_total) && !window.is_rank(),
        Formula::Case(arms, otherwise) => arms.iter().all(|(_, then)| is_total(then)) && is_total(otherwise),
        Formula::Negative(of) | Formula::Round(of, _) | Formula::NullIf(of, _) => is_total(of),
        Formula::Arithmetic(left, ArithmeticOperator::Over, right) => is_total(left) && right.is_number(),
        Formula::Arithmetic(left, _, right) => is_total(left) && is_total(right),
        Formula::Mean(..)
        | Formula::Quantile(_)
        | Formula::Spread(..)
        | Formula::Pair(..)
        | Formula::Absolute(_)
        | Formula::Call(..)
        | Formula::Grouping(_)
        | Formula::Missing
        | Formula::Root(_) => false,
    }
}

/// Range of a function of values in these ranges.
fn called(function: ScalarFunction, of: &[Range]) -> Range {
    let first = of.first().copied().unwrap_or(Range::WHOLE);
    match function {
        ScalarFunction::Floor => first.mapped(f64::floor),
        ScalarFunction::Ceil => first.mapped(f64::ceil),
        ScalarFunction::Trunc if of.len() == 1 => first.mapped(f64::trunc),
        ScalarFunction::Exp => first.mapped(f64::exp).and(Range::POSITIVE),
        ScalarFunction::Ln => first.and(Range::POSITIVE).mapped(f64::ln),
        ScalarFunction::Sign => Range::new(-1.0, 1.0),
        ScalarFunction::Greatest => Range::greatest(of),
        ScalarFunction::Least => {
            let negative: Vec<Range> = of.iter().map(|one| one.negative()).collect();
            Range::greatest(&negative).negative()
        }
        ScalarFunction::Coalesce => of.iter().copied().reduce(Range::or).unwrap_or(Range::WHOLE),
        ScalarFunction::Trunc | ScalarFunction::Log | ScalarFunction::Power | ScalarFunction::Mod => Range::WHOLE,
    }
}

fn of_grid(grid: &Grid) -> Range {
    let (low, high) = grid.bounds();
    Range::new(low, high)
}

fn conjuncts(filter: &Filter) -> Vec<Filter> {
    match filter {
        Filter::All(parts) => parts.iter().flat_map(conjuncts).collect(),
        other => vec![other.clone()],
    }
}

/// Whether one condition is true only where the other is.
fn implies(known: &Filter, wanted: &Filter) -> bool {
    match (known, wanted) {
        _ if known == wanted => true,
        (Filter::Any(parts), _) => parts.iter().all(|part| implies(part, wanted)),
        (Filter::All(parts), _) => parts.iter().any(|part| implies(part, wanted)),
        (_, Filter::Any(parts)) => parts.iter().any(|part| implies(known, part)),
        (_, Filter::All(parts)) => parts.iter().all(|part| implies(known, part)),
        (_, Filter::Not(inner)) if matches!(&**inner, Filter::Missing { .. }) => {
            // A value that is compared is present, even if the comparison is negated.
            let compared = if let Filter::Not(inner) = known { inner } else { known };
            let is_compared = !matches!(compared, Filter::Missing { .. } | Filter::All(_) | Filter::Any(_));
            is_compared && compared.leaves() == inner.leaves()
        }
        (Filter::Range { column, low, high }, Filter::Range { column: other, low: least, high: greatest }) => {
            column == other && least <= low && high <= greatest
        }
        (Filter::Values { column, values }, Filter::Range { column: other, low, high }) => {
            column == other && values.iter().all(|value| (low..=high).contains(&value))
        }
        (Filter::Values { column, values }, Filter::Values { column: other, values: all }) => {
            column == other && values.iter().all(|value| all.binary_search(value).is_ok())
        }
        (Filter::Range { column, low, high }, Filter::Values { column: other, values }) => {
            column == other && low == high && values.binary_search(low).is_ok()
        }
        (Filter::Members { column, codes }, Filter::Members { column: other, codes: all }) => {
            column == other && codes.iter().all(|code| all.binary_search(code).is_ok())
        }
        (Filter::Members { column, codes }, Filter::Not(inner)) => match &**inner {
            Filter::Members { column: other, codes: none } => {
                column == other && !codes.iter().any(|code| none.binary_search(code).is_ok())
            }
            _ => false,
        },
        _ => false,
    }
}
