//! An independent evaluator of relations: plain loops over the rows of one unit, with the values themselves instead of stored integers.
//!
//! Promises no code in common with the executor. It knows the public terms of each operator and what SQL says.

use std::collections::BTreeSet;

use crate::query::computation::PerUnitColumn;
use crate::query::computation::relation::{
    FrameBound, FrameBounds, FrameBy, Relation, RowSortKey, WindowColumn, WindowFunction,
};
use crate::query::filter::Filter;
use crate::query::plan::relation::{RelationFault, paired};
use crate::query::syntax::Spread;
use crate::query::term::context::{Steps, TermContext};
use crate::query::term::{Constant, Operation, Term};
use crate::query::terms::domain::Domain;
use crate::query::terms::policy::{PublicTable, Terms};

/// A value: numbers and days in multiples of 1e-9, codes and truth values as they are.
pub(super) type Cell = Option<i128>;
pub(super) type Row = Vec<Cell>;

const NANO: i128 = 1_000_000_000;

/// A relation with the terms of its rows.
pub(super) struct Reference<'a> {
    relation: &'a Relation,
    dataset: &'a Terms,
    pub(super) terms: Terms,
    operands: Vec<Reference<'a>>,
}

/// The value that a stored integer stands for.
pub(super) fn value(domain: &Domain, stored: i64) -> i128 {
    match domain {
        Domain::Number(grid) => {
            (i128::from(stored) + (i128::from(grid.low) + i128::from(grid.high)).div_euclid(2)) * i128::from(grid.step)
        }
        Domain::Date { .. } => i128::from(stored) * NANO,
        Domain::Category(_) | Domain::Boolean | Domain::Text { .. } => stored.into(),
    }
}

/// The integer that a value is stored as.
pub(super) fn stored(domain: &Domain, value: i128) -> i64 {
    let steps = match domain {
        Domain::Number(grid) => {
            assert_eq!(value % i128::from(grid.step), 0, "{value} is on the grid {grid:?}");
            value / i128::from(grid.step) - (i128::from(grid.low) + i128::from(grid.high)).div_euclid(2)
        }
        Domain::Date { .. } => value / NANO,
        Domain::Category(_) | Domain::Boolean | Domain::Text { .. } => value,
    };
    i64::try_from(steps).expect("a stored integer")
}

fn domain(term: &Term, terms: &Terms) -> Domain {
    TermContext::of(terms).facts(term).domain.into_owned()
}

/// The size of a step of a number's grid; 1e-9 for other kinds.
fn step(domain: &Domain) -> i128 {
    match domain {
        Domain::Number(grid) => grid.step.into(),
        Domain::Date { .. } => NANO,
        Domain::Category(_) | Domain::Boolean | Domain::Text { .. } => 1,
    }
}

/// The value of a term of a row.
fn term(of: &Term, row: &[Cell], terms: &Terms) -> Cell {
    let made = match of {
        Term::Column(index) => return row[*index],
        Term::Made(made) => &**made,
    };
    let each = |parts: &[Term]| parts.iter().map(|part| term(part, row, terms)).collect::<Vec<_>>();
    match made {
        Operation::Constant(Constant { digits, decimals }) => Some(i128::from(*digits) * 10_i128.pow(9 - decimals)),
        Operation::Day(day) => Some(i128::from(*day) * NANO),
        Operation::Plus(parts) => each(parts).into_iter().try_fold(0, |sum, part| Some(sum + part?)),
        Operation::Negative(part) => Some(-term(part, row, terms)?),
        Operation::Times(parts) => each(parts).into_iter().try_fold(NANO, |product, part| Some(product * part? / NANO)),
        Operation::Absolute(part) => Some(term(part, row, terms)?.abs()),
        Operation::Least(parts) => each(parts).into_iter().flatten().min(),
        Operation::Greatest(parts) => each(parts).into_iter().flatten().max(),
        Operation::Filled(part, with) => term(part, row, terms).or_else(|| term(with, row, terms)),
        Operation::Case(whens, otherwise) => {
            let then = whens.iter().find(|(when, _)| holds(when, row, terms) == Some(true)).map(|(_, then)| then);
            then.or(otherwise.as_ref()).and_then(|then| term(then, row, terms))
        }
        Operation::Choice { whens, otherwise, .. } => {
            let then = whens.iter().find(|(when, _)| holds(when, row, terms) == Some(true)).map(|(_, then)| *then);
            then.or(*otherwise).map(i128::from)
        }
        Operation::Truth(filter) => holds(filter, row, terms).map(i128::from),
        other => panic!("{other:?} is not generated"),
    }
}

/// The truth of a condition on a row; `None` if it is unknown.
fn holds(filter: &Filter, row: &[Cell], terms: &Terms) -> Option<bool> {
    let integer = |of: &Term| term(of, row, terms).map(|value| stored(&domain(of, terms), value));
    match filter {
        Filter::Range { column, low, high } => integer(column).map(|value| *low <= value && value <= *high),
        Filter::Members { column, codes } => {
            integer(column).map(|value| codes.iter().any(|code| i64::from(*code) == value))
        }
        Filter::Values { column, values } => integer(column).map(|value| values.contains(&value)),
        Filter::Missing { column } => Some(term(column, row, terms).is_none()),
        Filter::Not(inner) => holds(inner, row, terms).map(|truth| !truth),
        Filter::All(parts) => {
            let truths: Vec<_> = parts.iter().map(|part| holds(part, row, terms)).collect();
            if truths.contains(&Some(false)) { Some(false) } else { (!truths.contains(&None)).then_some(true) }
        }
        Filter::Any(parts) => {
            let truths: Vec<_> = parts.iter().map(|part| holds(part, row, terms)).collect();
            if truths.contains(&Some(true)) { Some(true) } else { (!truths.contains(&None)).then_some(false) }
        }
    }
}

/// An integer quotient, rounded to the nearest, halves away from 0.
fn nearest(above: i128, below: i128) -> i128 {
    let (size, rest) = (above.abs() / below, above.abs() % below);
    (size + i128::from(2 * rest >= below)) * above.signum()
}

/// An aggregate of rows, which come in their order.
fn aggregate(column: &PerUnitColumn, rows: &[&Row], terms: &Terms) -> Cell {
    let present = |of: &Term| rows.iter().filter_map(|row| term(of, row, terms)).collect::<Vec<_>>();
    let truths = |filter: &Filter| rows.iter().filter_map(|row| holds(filter, row, terms)).collect::<Vec<_>>();
    match column {
        PerUnitColumn::Own(index) => rows.first().and_then(|row| row[*index]),
        PerUnitColumn::Rows => Some(rows.len() as i128 * NANO),
        PerUnitColumn::Present(of) => Some(present(of).len() as i128 * NANO),
        PerUnitColumn::Sum(of) => {
            let values = present(of);
            (!values.is_empty()).then(|| values.iter().sum())
        }
        PerUnitColumn::Mean(of) => {
            let (values, fine) = (present(of), step(&domain(of, terms)) / 100);
            (!values.is_empty()).then(|| nearest(values.iter().sum(), values.len() as i128 * fine) * fine)
        }
        PerUnitColumn::Least(of) => present(of).into_iter().min(),
        PerUnitColumn::Greatest(of) => present(of).into_iter().max(),
        PerUnitColumn::Any(filter) => {
            let truths = truths(filter);
            (!truths.is_empty()).then(|| truths.contains(&true).into())
        }
        PerUnitColumn::Every(filter) => {
            let truths = truths(filter);
            (!truths.is_empty()).then(|| (!truths.contains(&false)).into())
        }
        PerUnitColumn::First { of, by, descending, filter } => {
            let counts = |row: &&&Row| filter.as_ref().is_none_or(|filter| holds(filter, row, terms) == Some(true));
            let mut best: Option<&Row> = None;
            for row in rows.iter().filter(counts) {
                let is_before = best.is_none_or(|best| match (term(by, row, terms), term(by, best, terms)) {
                    (None, None) => false,
                    (None, Some(_)) => *descending,
                    (Some(_), None) => !*descending,
                    (Some(own), Some(best)) => {
                        if *descending {
                            own > best
                        } else {
                            own < best
                        }
                    }
                });
                if is_before {
                    best = Some(row);
                }
            }
            term(of, best?, terms)
        }
        PerUnitColumn::Distinct(of) => Some(present(of).into_iter().collect::<BTreeSet<_>>().len() as i128 * NANO),
        PerUnitColumn::Spread(spread, of) => deviation(*spread, &present(of), step(&domain(of, terms))),
        PerUnitColumn::Percentile(fraction, of) => {
            let (mut values, fine) = (present(of), step(&domain(of, terms)) / 100);
            values.sort_unstable();
            let last = values.len().checked_sub(1)? as i128;
            let below = 10_i128.pow(fraction.decimals);
            let place = i128::from(fraction.digits) * last;
            let low = values[(place / below) as usize];
            let high = values[((place / below) as usize + 1).min(values.len() - 1)];
            Some(nearest(low * below + (high - low) * (place % below), below * fine) * fine)
        }
    }
}

/// A statistic of squares, in hundredths of the grid.
fn deviation(spread: Spread, values: &[i128], step: i128) -> Cell {
    let steps: Vec<i128> = values.iter().map(|value| value / step).collect();
    let count = steps.len() as i128;
    let divisor = if matches!(spread, Spread::VarSamp | Spread::StddevSamp) { count - 1 } else { count };
    if count < 1 || divisor < 1 {
        return None;
    }
    // The sum of the squared differences of all pairs is n² times the variance of the population.
    let pairs = steps.iter().flat_map(|one| steps.iter().map(move |other| (one - other).pow(2)));
    let (above, below) = (pairs.sum::<i128>(), 2 * count * divisor);
    if matches!(spread, Spread::VarSamp | Spread::VarPop) {
        // Halves are rounded up, and nothing is negative.
        return Some(nearest(100 * above, below) * (step * step / NANO / 100));
    }
    let mut root = 0_i128;
    while (2 * root + 1).pow(2) * below <= 4 * 10_000 * above {
        root += 1;
    }
    Some(root * (step / 100))
}

impl<'a> Reference<'a> {
    /// Derives the terms of each operator.
    pub(super) fn of(relation: &'a Relation, dataset: &'a Terms) -> Result<Self, RelationFault> {
        let operands = relation.operands().into_iter().map(|of| Self::of(of, dataset));
        let operands = operands.collect::<Result<Vec<_>, _>>()?;
        let terms = relation.terms(dataset, &Steps::unbounded())?;
        Ok(Self { relation, dataset, terms, operands })
    }

    /// The rows of one unit, given its rows in each table.
    pub(super) fn rows(&self, tables: &[Vec<Row>]) -> Vec<Row> {
        let of = |place: usize| self.operands[place].rows(tables);
        let terms = |place: usize| &self.operands[place].terms;
        match self.relation {
            Relation::Table { table, rows_per_unit } => {
                tables[*table as usize].iter().take(*rows_per_unit as usize).cloned().collect()
            }
            Relation::Filter { filter, .. } => {
                of(0).into_iter().filter(|row| holds(filter, row, terms(0)) == Some(true)).collect()
            }
            Relation::Map { columns, .. } => {
                let map = |row: Row| columns.iter().map(|column| term(column, &row, terms(0))).collect();
                of(0).into_iter().map(map).collect()
            }
            Relation::Window { columns, .. } => {
                let rows = of(0);
                let own: Vec<Vec<Cell>> = columns.iter().map(|column| window(column, &rows, terms(0))).collect();
                let with =
                    |(at, row): (usize, &Row)| row.iter().copied().chain(own.iter().map(|own| own[at])).collect();
                rows.iter().enumerate().map(with).collect()
            }
            Relation::Group { keys, columns, .. } => {
                let rows = of(0);
                let mut groups: Vec<(Row, Vec<&Row>)> = Vec::new();
                for row in &rows {
                    let key: Row = keys.iter().map(|key| term(key, row, terms(0))).collect();
                    match groups.iter_mut().find(|(known, _)| *known == key) {
                        Some((_, rows)) => rows.push(row),
                        None => groups.push((key, vec![row])),
                    }
                }
                let made = |(key, rows): (Row, Vec<&Row>)| {
                    let own = columns.iter().map(|column| aggregate(column, &rows, terms(0)));
                    key.into_iter().chain(own.collect::<Vec<_>>()).collect()
                };
                groups.into_iter().map(made).collect()
            }
            Relation::Join { on, is_left, .. } => pairs(
                &of(0),
                &of(1),
                terms(1).columns.len(),
                (*is_left, &|pair| {
                    on.as_ref().is_none_or(|on| holds(on, pair, &paired(terms(0), &terms(1).columns)) == Some(true))
                }),
            ),
            Relation::Semi { on, is_anti, .. } => {
                let others = of(1);
                let has = |row: &Row| {
                    others.iter().any(|other| {
                        let pair: Row = row.iter().chain(other).copied().collect();
                        on.as_ref()
                            .is_none_or(|on| holds(on, &pair, &paired(terms(0), &terms(1).columns)) == Some(true))
                    })
                };
                of(0).into_iter().filter(|row| has(row) != *is_anti).collect()
            }
            Relation::Public { table, equal, on, is_left, .. } => {
                self.met(&of(0), &self.dataset.public[*table as usize], (equal, on.as_ref()), *is_left)
            }
            Relation::Listed { listed, equal, on, is_left, .. } => {
                self.met(&of(0), &listed.table().expect("a table"), (equal, on.as_ref()), *is_left)
            }
            Relation::Union { parts } => (0..parts.len()).flat_map(of).collect(),
        }
    }

    /// The pairs of rows with those of a public table.
    fn met(
        &self,
        rows: &[Row],
        public: &PublicTable,
        (equal, on): (&[(Term, u32)], Option<&Filter>),
        is_left: bool,
    ) -> Vec<Row> {
        let terms = &self.operands[0].terms;
        let cell = |column: usize, row: usize| {
            public.values[column][row].map(|own| value(&public.columns[column].domain, own))
        };
        let row = |row: usize| (0..public.columns.len()).map(|column| cell(column, row)).collect::<Row>();
        let others: Vec<Row> = (0..public.rows as usize).map(row).collect();
        let width = terms.columns.len();
        let is_pair = |pair: &Row| {
            let is_equal = |(of, column): &(Term, u32)| {
                let (own, other) = (term(of, pair, terms), pair[width + *column as usize]);
                let domains = (domain(of, terms), &public.columns[*column as usize].domain);
                own.zip(other).is_some_and(|(own, other)| is_equal((&domains.0, own), (domains.1, other)))
            };
            let holds = |on: &Filter| holds(on, pair, &paired(terms, &public.columns)) == Some(true);
            equal.iter().all(is_equal) && on.is_none_or(holds)
        };
        pairs(rows, &others, public.columns.len(), (is_left, &is_pair))
    }
}

/// Whether two values of these domains are equal: numbers by value, days, and labels by their text.
fn is_equal((one, own): (&Domain, i128), (two, other): (&Domain, i128)) -> bool {
    let text = |domain: &Domain, value: i128| match domain {
        Domain::Category(labels) => Some(labels[value as usize].clone()),
        Domain::Number(_) => {
            let (sign, size) = (if value < 0 { "-" } else { "" }, value.abs());
            let fraction = format!("{:09}", size % NANO).trim_end_matches('0').to_owned();
            let point = if fraction.is_empty() { "" } else { "." };
            Some(format!("{sign}{}{point}{fraction}", size / NANO))
        }
        Domain::Date { .. } | Domain::Boolean | Domain::Text { .. } => None,
    };
    match (one, two) {
        (Domain::Date { .. }, Domain::Date { .. }) | (Domain::Boolean, Domain::Boolean) => own == other,
        (Domain::Number(_) | Domain::Category(_), Domain::Number(_) | Domain::Category(_)) => {
            text(one, own) == text(two, other)
        }
        (_, _) => false,
    }
}

fn pairs(left: &[Row], right: &[Row], width: usize, (is_left, is_pair): (bool, &dyn Fn(&Row) -> bool)) -> Vec<Row> {
    let mut made = Vec::new();
    for row in left {
        let pair = |other: &Row| row.iter().chain(other).copied().collect::<Row>();
        let own: Vec<Row> = right.iter().map(pair).filter(is_pair).collect();
        if own.is_empty() && is_left {
            made.push(row.iter().copied().chain(vec![None; width]).collect());
        }
        made.extend(own);
    }
    made
}

/// The values of a window function for each row of a unit.
fn window(column: &WindowColumn, rows: &[Row], terms: &Terms) -> Vec<Cell> {
    let key = |at: usize| column.partition.iter().map(|of| term(of, &rows[at], terms)).collect::<Row>();
    let value = |at: usize| {
        let own = key(at);
        let mut partition: Vec<usize> = (0..rows.len()).filter(|other| key(*other) == own).collect();
        partition.sort_by(|one, other| compare(&column.order, &rows[*one], &rows[*other], terms));
        let place = partition.iter().position(|other| *other == at).expect("the row is in its partition");
        let rows: Vec<&Row> = partition.iter().map(|at| &rows[*at]).collect();
        let is_before = |other: &&&Row| compare(&column.order, other, rows[place], terms).is_lt();
        match &column.function {
            WindowFunction::RowNumber => Some((place as i128 + 1) * NANO),
            WindowFunction::Rank => Some((rows.iter().filter(is_before).count() as i128 + 1) * NANO),
            WindowFunction::DenseRank => {
                let mut before: Vec<Row> = rows
                    .iter()
                    .filter(is_before)
                    .map(|row| column.order.iter().map(|order| term(&order.by, row, terms)).collect())
                    .collect();
                before.sort_unstable();
                before.dedup();
                Some((before.len() as i128 + 1) * NANO)
            }
            // Rows are dealt out one by one to the part that is the furthest behind.
            WindowFunction::Ntile(parts) => {
                let parts = *parts as usize;
                let end = |part: usize| (0..=part).map(|part| (rows.len() + parts - 1 - part) / parts).sum::<usize>();
                Some(((0..parts).take_while(|part| end(*part) <= place).count() as i128 + 1) * NANO)
            }
            WindowFunction::Lag(of, by) => {
                place.checked_sub(*by as usize).and_then(|place| term(of, rows[place], terms))
            }
            WindowFunction::Lead(of, by) => rows.get(place + *by as usize).and_then(|row| term(of, row, terms)),
            WindowFunction::Nth(of, number) => {
                let frame = frame(&column.frame, &column.order, &rows, place, terms);
                frame.get((*number as usize).checked_sub(1)?).and_then(|row| term(of, row, terms))
            }
            WindowFunction::Last(of) => {
                frame(&column.frame, &column.order, &rows, place, terms).last().and_then(|row| term(of, row, terms))
            }
            WindowFunction::Aggregate(aggregated) => {
                aggregate(aggregated, &frame(&column.frame, &column.order, &rows, place, terms), terms)
            }
        }
    };
    (0..rows.len()).map(value).collect()
}

fn compare(order: &[RowSortKey], one: &Row, other: &Row, terms: &Terms) -> std::cmp::Ordering {
    use std::cmp::Ordering;
    for RowSortKey { by, descending, nulls_first } in order {
        let found = match (term(by, one, terms), term(by, other, terms)) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => {
                if *nulls_first {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (Some(_), None) => {
                if *nulls_first {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            (Some(one), Some(other)) => {
                if *descending {
                    other.cmp(&one)
                } else {
                    one.cmp(&other)
                }
            }
        };
        if found != Ordering::Equal {
            return found;
        }
    }
    Ordering::Equal
}

/// The rows of a frame, found as PostgreSQL's executor finds its head and its tail.
fn frame<'r>(
    bounds: &FrameBounds,
    order: &[RowSortKey],
    rows: &[&'r Row],
    place: usize,
    terms: &Terms,
) -> Vec<&'r Row> {
    let is_peer = |other: usize| compare(order, rows[other], rows[place], terms).is_eq();
    let offset = |by: u64| usize::try_from(by).expect("a small offset");
    let first_peer = (0..rows.len()).find(|other| is_peer(*other)).expect("a row is its own peer");
    let last_peer = (0..rows.len()).rfind(|other| is_peer(*other)).expect("a row is its own peer");
    let key = |at: usize| term(&order[0].by, rows[at], terms);
    // Whether a row lies at or beyond the offset, in the order.
    let moved = |by: u64, sign: i128| {
        let by = i128::from(by) * step(&domain(&order[0].by, terms)) * sign;
        let by = if order[0].descending { -by } else { by };
        key(place).map(|key| key + by)
    };
    let is_at_least = |at: usize, bound: i128| {
        let key = key(at).expect("a value");
        if order[0].descending { key <= bound } else { key >= bound }
    };
    let is_at_most = |at: usize, bound: i128| {
        let key = key(at).expect("a value");
        if order[0].descending { key >= bound } else { key <= bound }
    };
    let head = |bound: Option<i128>| {
        let stops = |at: &usize| match (key(*at), bound) {
            (Some(_), Some(bound)) => is_at_least(*at, bound),
            (head, current) if order[0].nulls_first => head.is_some() || current.is_none(),
            (head, current) => head.is_none() || current.is_some(),
        };
        (0..rows.len()).find(stops).unwrap_or(rows.len())
    };
    let tail = |bound: Option<i128>| {
        let stops = |at: &usize| match (key(*at), bound) {
            (Some(_), Some(bound)) => !is_at_most(*at, bound),
            (tail, _) if order[0].nulls_first => tail.is_some(),
            (_, current) => current.is_some(),
        };
        (0..rows.len()).find(stops).unwrap_or(rows.len())
    };
    let start = match (bounds.by, bounds.start) {
        (_, FrameBound::First) => 0,
        (_, FrameBound::Last) => rows.len() - 1,
        (FrameBy::Rows, FrameBound::Before(by)) => place.saturating_sub(offset(by)),
        (FrameBy::Rows, FrameBound::Current) => place,
        (FrameBy::Rows, FrameBound::After(by)) => place + offset(by),
        (FrameBy::Range, FrameBound::Current) => first_peer,
        (FrameBy::Range, FrameBound::Before(by)) => head(moved(by, -1)),
        (FrameBy::Range, FrameBound::After(by)) => head(moved(by, 1)),
    };
    let end = match (bounds.by, bounds.end) {
        (_, FrameBound::First) => 1,
        (_, FrameBound::Last) => rows.len(),
        (FrameBy::Rows, FrameBound::Before(by)) => (place + 1).saturating_sub(offset(by)),
        (FrameBy::Rows, FrameBound::Current) => place + 1,
        (FrameBy::Rows, FrameBound::After(by)) => place + offset(by) + 1,
        (FrameBy::Range, FrameBound::Current) => last_peer + 1,
        (FrameBy::Range, FrameBound::Before(by)) => tail(moved(by, -1)),
        (FrameBy::Range, FrameBound::After(by)) => tail(moved(by, 1)),
    };
    (start..end.min(rows.len())).map(|at| rows[at]).collect()
}
