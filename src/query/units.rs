//! A row for each unit: what `FROM (SELECT unit, … GROUP BY unit)` makes of a dataset.
//!
//! Promises a table in which a unit has one row, made of its own rows alone: so removing a unit removes one row and changes no other,
//! and every aggregate over it has the sensitivity of one row a unit, whatever the unit's own rows were. A unit has a row where one of
//! its first k rows passes the inner condition. Bounds follow from the declared domains and k.
//!
//! * `COUNT(*)` is 1 to k, `COUNT(a)` is 0 to k, and `SUM(a)` of values from lo to hi is min(lo, k·lo) to max(hi, k·hi).
//! * `MIN`, `MAX` and the first value by an order are values of a. `AVG` is rounded to two decimals more than a's grid has.
//! * What is missing is skipped, as in SQL; where a is missing in all rows of a unit, so is its sum, mean, least and greatest. In an
//!   order, what is missing is greatest, as in PostgreSQL; rows that are alike stay in the order of their ranks.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

use borsh::{BorshDeserialize, BorshSerialize};
use dashu::rational::RBig;

use super::error::{Code, QueryError, shown};
use super::filter::Filter;
use super::plan::{Computation, place};
use super::syntax::{Aggregate, Expression, Function, Item, ItemValue, Key, Output, Query, Scalar};
use super::term::known::Known;
use super::term::lower::{Kind, Lowered, Step, TermFault};
use super::term::{Term, typed};
use crate::dataset::domain::Column;
use crate::dataset::policy::{Terms, Unit};

/// Columns of a subquery at the most.
const COLUMNS_MAX: usize = 16;

/// The table of one row a unit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub struct Units {
    /// Rows that count.
    pub filter: Option<Filter>,
    /// Its columns, ascending.
    pub columns: Vec<UnitColumn>,
}

/// What a unit's row holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, BorshSerialize, BorshDeserialize)]
pub enum UnitColumn {
    /// A declared column that holds one value per unit.
    Own(usize),
    /// `COUNT(*)`
    Rows,
    /// `COUNT(a)`
    Present(Term),
    /// `SUM(a)`
    Sum(Term),
    /// `AVG(a)`, rounded.
    Mean(Term),
    /// `MIN(a)`
    Least(Term),
    /// `MAX(a)`
    Greatest(Term),
    /// `BOOL_OR(a)`
    Any(Filter),
    /// `BOOL_AND(a)`
    Every(Filter),
    /// `(ARRAY_AGG(a ORDER BY b))[1]`
    First {
        /// a
        of: Term,
        /// b
        by: Term,
        /// From the greatest b down.
        descending: bool,
        /// Rows that count.
        filter: Option<Filter>,
    },
}

/// How many times finer a mean is than what it is of.
pub const MEAN_PARTS: i64 = 100;

impl UnitColumn {
    /// What is known of it, by k.
    fn lowered(&self, known: &Known<'_>, rows_per_unit: u32) -> Result<Lowered, TermFault> {
        let lower = |term: &Term| known.lower(term).map(|lowered| (*lowered).clone());
        let rows = i64::from(rows_per_unit);
        let whole = |low: i64, high: i64| Lowered {
            step: Step::Constant(0),
            kind: Kind::Integer,
            unit: RBig::ONE,
            low,
            high,
            nullable: false,
            per_unit: true,
        };
        let truth =
            |filter: &Filter| Lowered { kind: Kind::Boolean, nullable: filter.may_be_unknown(known), ..whole(0, 1) };
        let number = |term: &Term| {
            let lowered = lower(term)?;
            if lowered.is_number() {
                return Ok(lowered);
            }
            Err(TermFault::Kind { operation: "SUM and AVG", wanted: "a number", found: lowered.word() })
        };
        let within = |value: i64, factor: i64| {
            value.checked_mul(factor).filter(|value| value.unsigned_abs() < 1 << 62).ok_or(TermFault::TooWide)
        };
        Ok(match self {
            Self::Own(index) => lower(&Term::Column(*index))?,
            Self::Rows => whole(1, rows),
            Self::Present(_) => whole(0, rows),
            Self::Sum(term) => {
                let of = number(term)?;
                let (low, high) = (of.low.min(within(of.low, rows)?), of.high.max(within(of.high, rows)?));
                Lowered { low, high, ..of }
            }
            Self::Mean(term) => {
                let of = number(term)?;
                // What is divided is a sum of all of its rows, and what comes out is finer: both fit.
                let most = rows.max(MEAN_PARTS);
                within(of.low, most)?;
                within(of.high, most)?;
                let (low, high) = (within(of.low, MEAN_PARTS)?, within(of.high, MEAN_PARTS)?);
                let unit = of.unit.clone() / RBig::from(MEAN_PARTS);
                Lowered { kind: Kind::Decimal, unit, low, high, ..of }
            }
            Self::Least(term) | Self::Greatest(term) => {
                let of = lower(term)?;
                if !of.is_number() && of.kind != Kind::Date {
                    let (operation, wanted) = ("MIN and MAX", "a number or a date");
                    return Err(TermFault::Kind { operation, wanted, found: of.word() });
                }
                of
            }
            Self::Any(filter) | Self::Every(filter) => truth(filter),
            Self::First { of, by, filter, .. } => {
                let order = lower(by)?;
                if !order.is_number() && order.kind != Kind::Date {
                    let (operation, wanted) = ("ORDER BY in ARRAY_AGG", "a number or a date");
                    return Err(TermFault::Kind { operation, wanted, found: order.word() });
                }
                let of = lower(of)?;
                let nullable = of.nullable || filter.is_some();
                Lowered { nullable, ..of }
            }
        })
    }

    fn filters(&self) -> Option<&Filter> {
        match self {
            Self::Any(filter) | Self::Every(filter) | Self::First { filter: Some(filter), .. } => Some(filter),
            Self::Own(_)
            | Self::Rows
            | Self::Present(_)
            | Self::Sum(_)
            | Self::Mean(_)
            | Self::Least(_)
            | Self::Greatest(_)
            | Self::First { filter: None, .. } => None,
        }
    }

    /// What a row costs to look at.
    fn nodes(&self) -> u64 {
        let terms = match self {
            Self::Own(_) | Self::Rows | Self::Any(_) | Self::Every(_) => 1,
            Self::Present(term) | Self::Sum(term) | Self::Mean(term) | Self::Least(term) | Self::Greatest(term) => {
                term.nodes()
            }
            Self::First { of, by, .. } => of.nodes() + by.nodes(),
        };
        terms + self.filters().map_or(0, Filter::nodes)
    }
}

impl Units {
    /// What a row costs to look at.
    #[must_use]
    pub fn looks(&self) -> u64 {
        // Each column is computed, and folded.
        const FOLDS: u64 = 2;
        let columns: u64 = self.columns.iter().map(|column| FOLDS + column.nodes()).sum();
        FOLDS + columns + self.filter.as_ref().map_or(0, Filter::nodes)
    }

    /// The table as terms: one row a unit, columns by these names.
    ///
    /// # Errors
    /// [`TermFault`] where a column's bounds do not fit.
    pub fn seen(&self, known: &Known<'_>, rows_per_unit: u32, names: &[String]) -> Result<Terms, TermFault> {
        let column = |(column, name): (&UnitColumn, &String)| {
            let lowered = column.lowered(known, rows_per_unit)?;
            let domain = lowered.domain()?;
            Ok(Column { name: name.clone(), title: None, domain, per_unit: true, nullable: lowered.nullable })
        };
        let columns = self.columns.iter().zip(names).map(column).collect::<Result<_, _>>()?;
        Ok(Terms { max_rows_per_unit: 1, columns, joins: Vec::new(), ..Terms::clone(known) })
    }
}

impl Computation {
    /// The terms of the dataset as it sees them: what is joined from the left may be missing.
    #[must_use]
    pub fn base<'a>(&self, terms: &'a Terms) -> Cow<'a, Terms> {
        if self.left.is_empty() {
            return Cow::Borrowed(terms);
        }
        let places: Vec<_> = self.left.iter().map(|place| terms.joins[*place].places()).collect();
        Cow::Owned(Terms { columns: terms.columns.nullable(&places), ..terms.clone() })
    }

    /// The terms that its filter, keys and measurements are about: the dataset's, or those of a row for each unit.
    #[must_use]
    pub fn seen<'a>(&self, terms: &'a Terms) -> Cow<'a, Terms> {
        let base = self.base(terms);
        match &self.units {
            None => base,
            Some(units) => {
                let names: Vec<String> = (0..units.columns.len()).map(|index| format!("u{index}")).collect();
                // Unwrap safety: whoever planned it has made these terms once.
                Cow::Owned(units.seen(&Known::of(&base), self.rows_per_unit, &names).expect("a planned table of units"))
            }
        }
    }

    /// The columns of the table of one row a unit that a measurement over some of the keys looks at, or over all of them.
    pub(super) fn used(&self, over: Option<&[usize]>, measure: &super::plan::Measure) -> BTreeSet<usize> {
        let mut used = BTreeSet::new();
        self.filter.iter().for_each(|filter| filter.declared(&mut used));
        match over {
            Some(keys) => keys.iter().for_each(|place| self.keys[*place].column.declared(&mut used)),
            None => self.keys.iter().for_each(|key| key.column.declared(&mut used)),
        }
        measure.declared(&mut used);
        used
    }

    /// The computation of one of its measurements alone: what it does not look at is left out, so that the same measurement is the same
    /// whatever was asked with it.
    #[must_use]
    pub fn alone(&self, whole: &super::plan::Measure) -> Self {
        let (keys, measure) = match whole {
            super::plan::Measure::Over { keys, measure } => {
                (keys.iter().map(|place| self.keys[*place].clone()).collect(), measure.as_ref())
            }
            other => (self.keys.clone(), other),
        };
        let is_total = self.text.is_some() && matches!(whole, super::plan::Measure::Over { .. });
        let text = if is_total { None } else { self.text.clone() };
        let (rows_per_unit, filter, left) = (self.rows_per_unit, self.filter.clone(), self.left.clone());
        let (measures, units) = (vec![measure.clone()], self.units.clone());
        let mut alone = Self { rows_per_unit, filter, keys, measures, units, text, left };
        let Some(units) = &mut alone.units else { return alone };
        let over = match whole {
            super::plan::Measure::Over { keys, .. } => Some(&keys[..]),
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

/// A typed subquery: the table, the names of its columns, and its terms.
pub(super) struct Subquery {
    pub(super) units: Units,
    pub(super) terms: Terms,
}

/// Types a subquery; only the columns that the outer question names are kept.
///
/// # Errors
/// [`Code::UnsupportedSql`] for anything that is no row for each unit.
pub(super) fn subquery(
    outer: &HashSet<String>,
    inner: &Query,
    known: &Known<'_>,
    rows_per_unit: u32,
) -> Result<Subquery, QueryError> {
    check(inner, known)?;
    let filter = inner.condition.as_ref().map(|condition| typed::condition(condition, known)).transpose()?;
    let mut columns: Vec<(UnitColumn, String)> = Vec::new();
    for item in &inner.items {
        let Some(column) = column(item, known)? else { continue };
        let name = item.alias.as_ref().map_or_else(|| default_name(item), |alias| alias.text.clone());
        if columns.iter().any(|(_, known)| *known == name) {
            let message = format!("two columns of the subquery would be named \"{}\"", shown(&name));
            return Err(
                QueryError::at(Code::UnsupportedSql, item.at, message).hint("give one of them another name with AS")
            );
        }
        let domain = column.lowered(known, rows_per_unit).and_then(|lowered| lowered.domain());
        domain.map_err(|fault| {
            let message = format!("this column of the subquery cannot be used: {fault}");
            QueryError::at(Code::UnsupportedSql, item.at, message)
        })?;
        columns.push((column, name));
    }
    columns.retain(|(_, name)| outer.contains(name));
    if columns.len() > COLUMNS_MAX {
        let message = format!("{} columns of the subquery are used; accepted are at most {COLUMNS_MAX}", columns.len());
        return Err(QueryError::at(Code::UnsupportedSql, inner.dataset.at, message));
    }
    columns.sort();
    // One thing has one name, so that no measurement is two.
    if let Some(pair) = columns.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        let message =
            format!("\"{}\" and \"{}\" are the same column of the subquery", shown(&pair[0].1), shown(&pair[1].1));
        return Err(QueryError::at(Code::UnsupportedSql, inner.dataset.at, message).hint("name it once"));
    }
    let (columns, names): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    let units = Units { filter, columns };
    let seen = units.seen(known, rows_per_unit, &names);
    let terms = seen.map_err(|fault| QueryError::at(Code::UnsupportedSql, inner.dataset.at, fault.to_string()))?;
    Ok(Subquery { units, terms })
}

fn default_name(item: &Item) -> String {
    match &item.value {
        ItemValue::Key(Expression { value: Scalar::Column(name), .. }) => name.text.clone(),
        ItemValue::Output(output) => super::plan::plain(output).map_or("?column?", Function::word).to_owned(),
        ItemValue::Key(_) | ItemValue::Grouping(_) | ItemValue::Wildcard => "?column?".to_owned(),
    }
}

/// The shape of a subquery: grouped by the unit, and by columns that hold one value for it.
fn check(inner: &Query, terms: &Terms) -> Result<(), QueryError> {
    let at = inner.dataset.at;
    let Unit::Column(unit) = &terms.unit else {
        let message = "a subquery makes a row for each unit, and every row is a unit of its own here";
        return Err(QueryError::at(Code::UnsupportedSql, at, message).hint("ask the dataset itself"));
    };
    if inner.distinct
        || inner.sets.is_some()
        || inner.having.is_some()
        || !inner.order.is_empty()
        || inner.limit.is_some()
    {
        let message = "DISTINCT, ROLLUP, HAVING, ORDER BY and LIMIT are not supported in a subquery";
        return Err(QueryError::at(Code::UnsupportedSql, at, message).hint("put the condition into the outer WHERE"));
    }
    let mut has_unit = false;
    for key in &inner.keys {
        let (name, place) = match key {
            Key::By(Expression { value: Scalar::Column(name), at }) => (Some(name), *at),
            Key::By(other) => (None, other.at),
            Key::Ordinal(ordinal, at) => {
                let item = usize::try_from(*ordinal).ok().and_then(|n| inner.items.get(n.checked_sub(1)?));
                match item.map(|item| &item.value) {
                    Some(ItemValue::Key(Expression { value: Scalar::Column(name), .. })) => (Some(name), *at),
                    _ => (None, *at),
                }
            }
        };
        let is_unit = name.is_some_and(|name| name.text == *unit);
        has_unit |= is_unit;
        let is_own = name.and_then(|name| terms.column(&name.text)).is_some_and(|(_, column)| column.per_unit);
        if !is_unit && !is_own {
            let message = format!("a subquery is grouped by {unit}, and besides by columns with one value per unit");
            return Err(QueryError::at(Code::UnsupportedSql, place, message).hint("group by other columns outside"));
        }
    }
    if !has_unit {
        let message = format!("a subquery makes a row for each unit: it is grouped by {unit}");
        return Err(QueryError::at(Code::UnsupportedSql, at, message).hint(format!("write GROUP BY {unit}")));
    }
    Ok(())
}

/// One item as a column; nothing for the unit itself.
fn column(item: &Item, known: &Known<'_>) -> Result<Option<UnitColumn>, QueryError> {
    let (message, hint) = match &item.value {
        ItemValue::Key(Expression { value: Scalar::Column(name), .. }) => {
            if known.unit_column() == Some(name.text.as_str()) {
                return Ok(None);
            }
            let index = typed::declared(name, known)?;
            if known.columns[index].per_unit {
                return Ok(Some(UnitColumn::Own(index)));
            }
            let message = format!("\"{}\" may have several values per unit", shown(&name.text));
            (message, format!("aggregate it: MIN({0}), MAX({0}), AVG({0})", shown(&name.text)))
        }
        ItemValue::Output(Output::Aggregate(aggregate)) => return aggregated(aggregate, known).map(Some),
        ItemValue::Wildcard => {
            let hint = "name what is wanted: COUNT(*), SUM(…)".to_owned();
            return Err(QueryError::at(Code::NotAnAggregate, item.at, "* asks for rows").hint(hint));
        }
        ItemValue::Key(_) | ItemValue::Output(_) | ItemValue::Grouping(_) => {
            let message = "a subquery selects columns with one value per unit, and plain aggregates";
            (message.to_owned(), "compute with them outside of it".to_owned())
        }
    };
    Err(QueryError::at(Code::UnsupportedSql, item.at, message).hint(hint))
}

fn aggregated(aggregate: &Aggregate, known: &Known<'_>) -> Result<UnitColumn, QueryError> {
    let filter = aggregate.filter.as_ref().map(|filter| typed::condition(filter, known)).transpose()?;
    let term = |of: &Expression| -> Result<Term, QueryError> {
        let term = typed::expression(of, known)?;
        match &filter {
            Some(filter) => typed::checked(term.only_where(filter.clone()), known, of.at),
            None => Ok(term),
        }
    };
    // Where a filter is not true, a condition is neither true nor false.
    let truth = |condition: &super::syntax::Condition| -> Result<Filter, QueryError> {
        let condition = typed::condition(condition, known)?;
        Ok(match &filter {
            None => condition,
            Some(filter) => {
                let not = Filter::Not(Box::new(condition.clone()));
                let both = |truth: Filter| Filter::All(vec![filter.clone(), truth]).simplest(known);
                let whens = vec![(both(condition), Term::number(1, 0)), (both(not), Term::number(0, 0))];
                Filter::Range { column: Term::of(super::term::Made::Case(whens, None)), low: 1, high: 1 }
            }
        })
    };
    Ok(match &aggregate.function {
        Function::CountRows => match filter.clone() {
            None => UnitColumn::Rows,
            Some(filter) => UnitColumn::Present(Term::number(1, 0).only_where(filter)),
        },
        Function::Count(of) => UnitColumn::Present(match &filter {
            None => typed::expression(of, known)?,
            Some(filter) => {
                let present = Filter::Not(Box::new(Filter::Missing { column: typed::expression(of, known)? }));
                Term::number(1, 0).only_where(Filter::All(vec![filter.clone(), present]).simplest(known))
            }
        }),
        Function::Sum(of) => UnitColumn::Sum(term(of)?),
        Function::Avg(of) => UnitColumn::Mean(term(of)?),
        Function::Min(of) => UnitColumn::Least(term(of)?),
        Function::Max(of) => UnitColumn::Greatest(term(of)?),
        Function::Any(condition) => UnitColumn::Any(truth(condition)?),
        Function::Every(condition) => UnitColumn::Every(truth(condition)?),
        Function::First { of, by, descending } => UnitColumn::First {
            of: typed::expression(of, known)?,
            by: typed::expression(by, known)?,
            descending: *descending,
            filter: filter.clone(),
        },
        Function::CountDistinct(_) | Function::Spread(..) | Function::Pair(..) | Function::Percentile(..) => {
            let word = aggregate.function.word().to_uppercase();
            let message = format!("{word} is not supported for one unit's rows");
            return Err(QueryError::at(Code::UnsupportedSql, aggregate.at, message)
                .hint("supported are COUNT, SUM, AVG, MIN, MAX, BOOL_OR, BOOL_AND and (ARRAY_AGG(a ORDER BY b))[1]"));
        }
    })
}
