//! From selected items to measurements and output columns.

use std::collections::HashSet;

use super::{Computation, Measure, column, labels};
use crate::dataset::domain::{Column, Grid};
use crate::dataset::policy::Terms;
use crate::query::answer::{Layout, Output, OutputValue, Sort};
use crate::query::error::{Code, Position, QueryError, shown};
use crate::query::syntax::{Aggregate, Item, ItemValue, Name, Order, OrderBy, Query};

const OUTPUT_CHARS_MAX: usize = 63;
/// What is appended to an output's name for its further columns.
const SUFFIXES: [&str; 3] = ["_low", "_high", "_std_error"];

/// An output before its measurements have numbers.
enum Wanted {
    Key(usize),
    Count(Measure),
    Sum(usize, Grid, Measure),
    Mean(usize, Grid, Measure),
}

/// Lays out the outputs and puts the measurements they need into `computation`, sorted and each once.
pub(super) fn layout(query: &Query, terms: &Terms, computation: &mut Computation) -> Result<Layout, QueryError> {
    let mut wanted = Vec::with_capacity(query.items.len());
    for item in &query.items {
        wanted.push((name(item)?, item.at, self::wanted(item, terms, computation)?));
    }
    check_names(&wanted)?;
    for (_, _, one) in &wanted {
        computation.measures.extend(needs(one));
    }
    computation.measures.sort_unstable();
    computation.measures.dedup();
    let outputs: Vec<_> = wanted.into_iter().map(|(name, _, one)| output(name, &one, &computation.measures)).collect();
    let order = query.order.iter().map(|order| sort(order, query, &outputs)).collect::<Result<_, _>>()?;
    let keys = computation.keys.iter().map(|key| labels(key, terms)).collect();
    let limit = query.limit;
    Ok(Layout { keys, outputs, order, limit })
}

fn name(item: &Item) -> Result<String, QueryError> {
    let name = match (&item.alias, &item.value) {
        (Some(alias), _) => alias.text.clone(),
        (None, ItemValue::Column(column)) => column.text.clone(),
        (None, ItemValue::Aggregate(aggregate)) => match aggregate {
            Aggregate::CountRows | Aggregate::Count(_) | Aggregate::CountDistinct(_) => "count".to_owned(),
            Aggregate::Sum(_) => "sum".to_owned(),
            Aggregate::Avg(_) => "avg".to_owned(),
        },
        (None, ItemValue::Wildcard | ItemValue::Expression) => "?column?".to_owned(),
    };
    let count = name.chars().count();
    if count == 0 || count > OUTPUT_CHARS_MAX {
        let message = format!("an output's name has {count} characters; accepted are 1 to {OUTPUT_CHARS_MAX}");
        return Err(QueryError::at(Code::UnsupportedSql, item.at, message));
    }
    Ok(name)
}

fn wanted(item: &Item, terms: &Terms, computation: &Computation) -> Result<Wanted, QueryError> {
    match &item.value {
        ItemValue::Column(name) => {
            let (index, _) = column(name, terms)?;
            let place = computation.keys.iter().position(|key| key.column == index);
            // The shape was checked: every selected column is a key.
            Ok(Wanted::Key(place.unwrap_or_default()))
        }
        ItemValue::Aggregate(Aggregate::CountRows) => Ok(Wanted::Count(Measure::Rows)),
        ItemValue::Aggregate(Aggregate::Count(name)) => Ok(Wanted::Count(non_null(column(name, terms)?))),
        ItemValue::Aggregate(Aggregate::CountDistinct(name)) => units(name, terms),
        ItemValue::Aggregate(Aggregate::Sum(name)) => {
            let (index, grid, count) = number(name, terms, "SUM")?;
            Ok(Wanted::Sum(index, grid, count))
        }
        ItemValue::Aggregate(Aggregate::Avg(name)) => {
            let (index, grid, count) = number(name, terms, "AVG")?;
            Ok(Wanted::Mean(index, grid, count))
        }
        ItemValue::Wildcard | ItemValue::Expression => {
            Err(QueryError::at(Code::NotAnAggregate, item.at, "only aggregates are answered"))
        }
    }
}

/// `COUNT(*)` counts the non-nulls of a column only where the policy says that it has no nulls.
fn non_null((index, column): (usize, &Column)) -> Measure {
    if column.nullable { Measure::NonNull { column: index } } else { Measure::Rows }
}

fn units(name: &Name, terms: &Terms) -> Result<Wanted, QueryError> {
    match terms.unit_column() {
        Some(unit) if unit == name.text => Ok(Wanted::Count(Measure::Units)),
        Some(unit) => Err(QueryError::at(Code::UnsupportedSql, name.at, "only units can be counted distinctly")
            .hint(format!("write COUNT(DISTINCT {unit})"))),
        None => {
            Err(QueryError::at(Code::UnsupportedSql, name.at, "every row is a unit of its own here")
                .hint("write COUNT(*)"))
        }
    }
}

fn number(name: &Name, terms: &Terms, function: &str) -> Result<(usize, Grid, Measure), QueryError> {
    let (index, column) = column(name, terms)?;
    match terms.grid(index) {
        Some(grid) => Ok((index, grid, non_null((index, column)))),
        None => {
            let message =
                format!("{function} wants a number, and \"{}\" is a {}", name.text, column.domain.type_name());
            Err(QueryError::at(Code::UnsupportedSql, name.at, message).hint("count it, or group by it"))
        }
    }
}

/// A sum needs its count where the centre is not 0; a mean always.
fn needs(wanted: &Wanted) -> Vec<Measure> {
    match wanted {
        Wanted::Key(_) => Vec::new(),
        Wanted::Count(measure) => vec![*measure],
        Wanted::Sum(column, grid, _) if grid.centre() == 0 => vec![Measure::Sum { column: *column }],
        Wanted::Sum(column, _, count) | Wanted::Mean(column, _, count) => {
            vec![Measure::Sum { column: *column }, *count]
        }
    }
}

fn output(name: String, wanted: &Wanted, measures: &[Measure]) -> Output {
    // Unwrap safety: every needed measurement was put into the sorted list.
    let at = |measure: Measure| measures.binary_search(&measure).expect("a needed measurement is measured");
    let value = match wanted {
        Wanted::Key(index) => OutputValue::Key { index: *index },
        Wanted::Count(measure) => OutputValue::Count { count: at(*measure) },
        Wanted::Sum(column, grid, count) => OutputValue::Sum {
            sum: at(Measure::Sum { column: *column }),
            count: (grid.centre() != 0).then(|| at(*count)),
            grid: *grid,
        },
        Wanted::Mean(column, grid, count) => {
            OutputValue::Mean { sum: at(Measure::Sum { column: *column }), count: at(*count), grid: *grid }
        }
    };
    Output { name, value }
}

/// Names of outputs and of the columns derived from them are all different.
fn check_names(wanted: &[(String, Position, Wanted)]) -> Result<(), QueryError> {
    let mut taken = HashSet::new();
    for (name, at, one) in wanted {
        let derived =
            SUFFIXES.iter().filter(|_| !matches!(one, Wanted::Key(_))).map(|suffix| format!("{name}{suffix}"));
        for column in std::iter::once(name.clone()).chain(derived) {
            if !taken.insert(column.clone()) {
                let message = format!("two columns of the answer would be named \"{}\"", shown(&column));
                return Err(
                    QueryError::at(Code::UnsupportedSql, *at, message).hint("give one of them another name with AS")
                );
            }
        }
    }
    Ok(())
}

fn sort(order: &Order, query: &Query, outputs: &[Output]) -> Result<Sort, QueryError> {
    let found = match &order.by {
        OrderBy::Name(name) => outputs.iter().position(|output| output.name == *name).or_else(|| {
            let same = |item: &Item| matches!(&item.value, ItemValue::Column(column) if column.text == *name);
            query.items.iter().position(same)
        }),
        OrderBy::Ordinal(n) => usize::try_from(*n).ok().and_then(|n| n.checked_sub(1)).filter(|n| *n < outputs.len()),
        OrderBy::Aggregate(wanted) => query.items.iter().position(|item| match &item.value {
            ItemValue::Aggregate(aggregate) => same_aggregate(aggregate, wanted),
            ItemValue::Column(_) | ItemValue::Wildcard | ItemValue::Expression => false,
        }),
    };
    let Some(output) = found else {
        let names: Vec<_> = outputs.iter().map(|output| format!("\"{}\"", output.name)).collect();
        return Err(QueryError::at(Code::UnsupportedSql, order.at, "ORDER BY names no output")
            .hint(format!("the outputs are {}", names.join(", "))));
    };
    Ok(Sort { output, descending: order.descending, nulls_first: order.nulls_first })
}

fn same_aggregate(one: &Aggregate, other: &Aggregate) -> bool {
    match (one, other) {
        (Aggregate::CountRows, Aggregate::CountRows) => true,
        (Aggregate::Count(a), Aggregate::Count(b))
        | (Aggregate::CountDistinct(a), Aggregate::CountDistinct(b))
        | (Aggregate::Sum(a), Aggregate::Sum(b))
        | (Aggregate::Avg(a), Aggregate::Avg(b)) => a.text == b.text,
        _ => false,
    }
}
