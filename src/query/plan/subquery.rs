//! One row per unit: the table that `FROM (SELECT unit, … GROUP BY unit)` derives from a dataset.
//!
//! Promises a table in which a unit has one row, computed from its own rows alone. So removing a unit removes one row and changes no other,
//! and every aggregate over the table has the sensitivity of one row per unit, however many rows the unit had itself. A unit has a row if
//! one of its first k rows passes the inner condition. Bounds follow from the declared domains and k.
//!
//! * `COUNT(*)` is 1 to k, `COUNT(a)` is 0 to k, and `SUM(a)` of values from lo to hi is min(lo, k·lo) to max(hi, k·hi).
//! * `MIN`, `MAX` and the first value by an order are values of a. `AVG` is rounded to two decimals more than a's grid has.
//! * Missing values are skipped, as in SQL; if a is missing in all rows of a unit, so are its sum, mean, minimum and maximum. In an
//!   order, missing values are the greatest, as in PostgreSQL; ties keep the order of their ranks.

use std::borrow::Cow;
use std::collections::BTreeSet;

use dashu::rational::RBig;

use super::outputs::{is_unit, units_where};
use crate::query::computation::{Computation, MEAN_PARTS, Measure, PerUnitColumn, PerUnitTable, place};
use crate::query::error::{Code, QueryError};
use crate::query::filter::Filter;
use crate::query::syntax::{Aggregate, AggregateFunction, Condition, Expression, Pair, Spread};
use crate::query::term::context::{Steps, TermContext};
use crate::query::term::literals::decimal;
use crate::query::term::lower::{Program, Step, TermFault, ValueKind};
use crate::query::term::{Term, checker};
use crate::query::terms::domain::Column;
use crate::query::terms::policy::Terms;

impl PerUnitColumn {
    /// Lowers this column and derives its bounds for at most k rows per unit.
    pub(super) fn lowered(&self, known: &TermContext<'_>, rows_per_unit: u32) -> Result<Program, TermFault> {
        let lower = |term: &Term| known.lower(term).map(|lowered| (*lowered).clone());
        let rows = i64::from(rows_per_unit);
        let whole = |low: i64, high: i64| Program {
            step: Step::Constant(0),
            kind: ValueKind::Integer,
            scale: RBig::ONE,
            low,
            high,
            nullable: false,
            per_unit: true,
        };
        let truth = |filter: &Filter| Program {
            kind: ValueKind::Boolean,
            nullable: filter.may_be_unknown(known),
            ..whole(0, 1)
        };
        let number = |term: &Term| {
            let lowered = lower(term)?;
            if lowered.is_number() {
                return Ok(lowered);
            }
            Err(TermFault::Kind { operation: "SUM and AVG", wanted: "a number", found: lowered.word() })
        };
        let ordered = |term: &Term, operation: &'static str| {
            let lowered = lower(term)?;
            if lowered.is_number() || lowered.kind == ValueKind::Date {
                return Ok(lowered);
            }
            Err(TermFault::Kind { operation, wanted: "a number or a date", found: lowered.word() })
        };
        Ok(match self {
            Self::Own(index) => lower(&Term::Column(*index))?,
            Self::Rows => whole(1, rows),
            Self::Present(_) | Self::Distinct(_) => whole(0, rows),
            Self::Sum(term) => {
                let of = number(term)?;
                let (low, high) = (of.low.min(within(of.low, rows)?), of.high.max(within(of.high, rows)?));
                Program { low, high, ..of }
            }
            Self::Mean(term) => {
                let of = number(term)?;
                // Both the sum of all rows, which is divided, and the finer quotient must fit.
                let most = rows.max(MEAN_PARTS);
                within(of.low, most)?;
                within(of.high, most)?;
                let (low, high) = (within(of.low, MEAN_PARTS)?, within(of.high, MEAN_PARTS)?);
                let scale = of.scale.clone() / RBig::from(MEAN_PARTS);
                Program { kind: ValueKind::Decimal, scale, low, high, ..of }
            }
            Self::Least(term) | Self::Greatest(term) => ordered(term, "MIN and MAX")?,
            Self::Any(filter) | Self::Every(filter) => truth(filter),
            Self::Spread(spread, term) => spread_of(*spread, number(term)?, rows)?,
            Self::Percentile(_, term) => {
                let of = number(term)?;
                let (low, high) = (within(of.low, MEAN_PARTS)?, within(of.high, MEAN_PARTS)?);
                let scale = of.scale.clone() / RBig::from(MEAN_PARTS);
                Program { kind: ValueKind::Decimal, scale, low, high, ..of }
            }
            Self::First { of, by, filter, .. } => {
                ordered(by, "ORDER BY in ARRAY_AGG")?;
                let of = lower(of)?;
                let nullable = of.nullable || filter.is_some();
                Program { nullable, ..of }
            }
        })
    }
}

/// A multiple of a bound, if it fits.
fn within(value: i64, factor: i64) -> Result<i64, TermFault> {
    value.checked_mul(factor).filter(|value| value.unsigned_abs() < 1 << 62).ok_or(TermFault::TooWide)
}

/// The bounds of a variance or a deviation of at most so many rows.
fn spread_of(spread: Spread, of: Program, rows: i64) -> Result<Program, TermFault> {
    // n·Σa² − (Σa)² is at most n²·(hi − lo)²/4, so the deviation is at most (hi − lo)/2, and as a sample's at most √2 as much.
    let range = i128::from(of.high) - i128::from(of.low);
    let parts = i128::from(MEAN_PARTS);
    let is_root = matches!(spread, Spread::StddevSamp | Spread::StddevPop);
    let most = if is_root {
        range.checked_mul(parts)
    } else {
        range.checked_mul(range).and_then(|square| square.checked_mul(parts))
    };
    let high = most.filter(|most| *most < 1 << 62).ok_or(TermFault::TooWide)? as i64;
    within(of.low, rows.max(MEAN_PARTS))?;
    within(of.high, rows.max(MEAN_PARTS))?;
    let squared = if is_root { of.scale.clone() } else { of.scale.clone() * of.scale.clone() };
    let scale = squared / RBig::from(MEAN_PARTS);
    Ok(Program { kind: ValueKind::Decimal, scale, low: 0, high, nullable: true, ..of })
}

impl PerUnitTable {
    /// The table's public terms: one row per unit, with columns of the given names.
    ///
    /// # Errors
    /// [`TermFault`] if the bounds of a column do not fit.
    pub fn seen(&self, known: &TermContext<'_>, rows_per_unit: u32, names: &[String]) -> Result<Terms, TermFault> {
        let column = |(column, name): (&PerUnitColumn, &String)| {
            let lowered = column.lowered(known, rows_per_unit)?;
            let domain = lowered.domain()?;
            Ok(Column { name: name.clone(), title: None, domain, per_unit: true, nullable: lowered.nullable })
        };
        let columns = self.columns.iter().zip(names).map(column).collect::<Result<_, _>>()?;
        Ok(Terms { max_rows_per_unit: 1, columns, joins: Vec::new(), ..Terms::clone(known) })
    }
}

impl Computation {
    /// The dataset's terms as this computation sees them: columns of a left join may be missing.
    #[must_use]
    pub fn base<'a>(&self, terms: &'a Terms) -> Cow<'a, Terms> {
        if self.left.is_empty() {
            return Cow::Borrowed(terms);
        }
        let places: Vec<_> = self.left.iter().map(|place| terms.joins[*place].places()).collect();
        Cow::Owned(Terms { columns: terms.columns.nullable(&places), ..terms.clone() })
    }

    /// The terms that the filter, keys and measurements refer to: the dataset's, or those of the table with one row per unit.
    #[must_use]
    pub fn seen<'a>(&self, terms: &'a Terms) -> Cow<'a, Terms> {
        if let Some(relation) = &self.relation {
            // Unwrap safety: planning has derived these terms before.
            return Cow::Owned(relation.terms(terms, &Steps::unbounded()).expect("a planned relation"));
        }
        let base = self.base(terms);
        match &self.units {
            None => base,
            Some(units) => {
                let names: Vec<String> = (0..units.columns.len()).map(|index| format!("u{index}")).collect();
                // Unwrap safety: planning has derived these terms before.
                Cow::Owned(
                    units.seen(&TermContext::of(&base), self.rows_per_unit, &names).expect("a planned table of units"),
                )
            }
        }
    }

    /// Columns of the table with one row per unit that a measurement reads when grouped by the keys `over`, or by all keys if `None`.
    pub(crate) fn used(&self, over: Option<&[usize]>, measure: &Measure) -> BTreeSet<usize> {
        let mut used = BTreeSet::new();
        self.filter.iter().for_each(|filter| filter.declared(&mut used));
        match over {
            Some(keys) => keys.iter().for_each(|place| self.keys[*place].column.declared(&mut used)),
            None => self.keys.iter().for_each(|key| key.column.declared(&mut used)),
        }
        measure.declared(&mut used);
        used
    }

    /// The computation of a single measurement, without anything that it does not read, so that the same measurement is equal whatever was
    /// asked together with it.
    #[must_use]
    pub fn alone(&self, whole: &Measure) -> Self {
        let (keys, measure) = match whole {
            Measure::Over { keys, measure } => {
                (keys.iter().map(|place| self.keys[*place].clone()).collect(), measure.as_ref())
            }
            other => (self.keys.clone(), other),
        };
        let is_total = self.text.is_some() && matches!(whole, Measure::Over { .. });
        let text = if is_total { None } else { self.text.clone() };
        let (rows_per_unit, filter, left) = (self.rows_per_unit, self.filter.clone(), self.left.clone());
        let (measures, units, relation) = (vec![measure.clone()], self.units.clone(), self.relation.clone());
        let mut alone = Self { rows_per_unit, filter, keys, measures, units, text, left, relation };
        let Some(units) = &mut alone.units else { return alone };
        let over = match whole {
            Measure::Over { keys, .. } => Some(&keys[..]),
            _ => None,
        };
        let used = self.used(over, measure);
        let place = place(&used);
        units.columns = used.iter().map(|index| units.columns[*index].clone()).collect();
        alone.filter = self.filter.as_ref().map(|filter| filter.renumbered(&place));
        for key in &mut alone.keys {
            key.column = key.column.renumbered(&place);
        }
        alone.measures = vec![measure.renumbered(&place)];
        alone
    }
}

/// Types an aggregate of one unit's rows as a column.
///
/// # Errors
/// Those of typing its arguments, and a refusal of aggregates that have no value for one unit.
pub(super) fn aggregated(aggregate: &Aggregate, known: &TermContext<'_>) -> Result<PerUnitColumn, QueryError> {
    let filter = checker::narrowing(aggregate.filter.as_ref(), known)?;
    let term = |of: &Expression| -> Result<Term, QueryError> {
        let term = checker::expression(of, known)?;
        match &filter {
            Some(filter) => checker::checked(term.only_where(filter.clone()), known, of.at),
            None => Ok(term),
        }
    };
    // Where the FILTER is not true, the condition is unknown.
    let truth = |condition: &Condition| -> Result<Filter, QueryError> {
        let condition = checker::condition(condition, known)?;
        Ok(match &filter {
            None => condition,
            Some(filter) => {
                let not = Filter::Not(Box::new(condition.clone()));
                let both = |truth: Filter| Filter::All(vec![filter.clone(), truth]).simplest(known);
                let whens = vec![(both(condition), Term::number(1, 0)), (both(not), Term::number(0, 0))];
                Filter::Range { column: Term::of(crate::query::term::Operation::Case(whens, None)), low: 1, high: 1 }
            }
        })
    };
    Ok(match &aggregate.function {
        AggregateFunction::CountRows => match filter.clone() {
            None => PerUnitColumn::Rows,
            Some(filter) => PerUnitColumn::Present(Term::number(1, 0).only_where(filter)),
        },
        AggregateFunction::Count(of) if is_unit(of, known) => match filter.clone() {
            None => PerUnitColumn::Rows,
            Some(filter) => PerUnitColumn::Present(Term::number(1, 0).only_where(filter)),
        },
        AggregateFunction::Count(of) if let Some(any) = units_where(of, known) => {
            let rows = Aggregate { function: AggregateFunction::CountRows, ..aggregate.clone() };
            return aggregated(&rows.narrowed(any), known);
        }
        AggregateFunction::Count(of) => PerUnitColumn::Present(match &filter {
            None => checker::expression(of, known)?,
            Some(filter) => {
                let present = Filter::Not(Box::new(Filter::Missing { column: checker::expression(of, known)? }));
                Term::number(1, 0).only_where(Filter::All(vec![filter.clone(), present]).simplest(known))
            }
        }),
        AggregateFunction::Sum(of) => PerUnitColumn::Sum(checker::numbered(term(of)?, known)),
        AggregateFunction::Avg(of) => PerUnitColumn::Mean(checker::numbered(term(of)?, known)),
        AggregateFunction::Min(of) => PerUnitColumn::Least(term(of)?),
        AggregateFunction::Max(of) => PerUnitColumn::Greatest(term(of)?),
        AggregateFunction::Any(condition) => PerUnitColumn::Any(truth(condition)?),
        AggregateFunction::Every(condition) => PerUnitColumn::Every(truth(condition)?),
        AggregateFunction::First { of, by, descending } => PerUnitColumn::First {
            of: checker::expression(of, known)?,
            by: checker::expression(by, known)?,
            descending: *descending,
            filter: filter.clone(),
        },
        AggregateFunction::CountDistinct(of) => PerUnitColumn::Distinct(term(of)?),
        AggregateFunction::Spread(spread, of) => PerUnitColumn::Spread(*spread, term(of)?),
        AggregateFunction::Percentile(fraction, of) => PerUnitColumn::Percentile(decimal(fraction)?, term(of)?),
        AggregateFunction::Chosen(_) | AggregateFunction::Pair(..) => return Err(without_column(aggregate)),
    })
}

/// The error for an aggregate that has no column for one unit's rows.
fn without_column(aggregate: &Aggregate) -> QueryError {
    let refused = |message: String| QueryError::at(Code::UnsupportedSql, aggregate.at, message);
    let word = aggregate.function.word().to_uppercase();
    match &aggregate.function {
        AggregateFunction::Chosen(_) => refused(format!("{word} over a window is not supported")),
        AggregateFunction::Pair(Pair::RegrSlope, ..) => {
            refused(format!("{word} of one unit's rows has no grid: it is a quotient without bounds"))
                .hint("write COUNT(*) * SUM(a * b) - SUM(a) * SUM(b) for its sign, of the rows in which both are present")
        }
        _ => refused(format!("{word} is not supported for one unit's rows"))
            .hint("supported are COUNT, SUM, AVG, MIN, MAX, STDDEV, MEDIAN, PERCENTILE_DISC, MODE, BOOL_OR, BOOL_AND and (ARRAY_AGG(a ORDER BY b))[n]"),
    }
}
