//! The oracle: computations row by row, in fractions and in calendar dates, as slowly as it takes.
//!
//! It shares the definition of plans with the engine, and none of its arithmetic: no programs of integers, no polars, no calendar of ours.

mod values;
mod words;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use dashu::base::{Abs, Signed};
use dashu::integer::{IBig, UBig};
use dashu::rational::RBig;
use jiff::civil::{Date, date};
use jiff::{ToSpan, Unit};
use tacit::query::answer::{KeyLabels, Label};
use tacit::query::computation::{Computation, Measure, PerUnitColumn, PerUnitTable, PlanKey};
use tacit::query::filter::Filter;
use tacit::query::term::calendar::{DatePart, Period};
use tacit::query::term::lower::{ValueKind, lower};
use tacit::query::term::{Constant, Operation, Term};
use tacit::query::terms::domain::Domain;
use tacit::query::terms::policy::Terms;

/// A value of one row.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Whole(RBig),
    Decimal(RBig),
    Day(Date),
    Text(String),
    Truth(bool),
}

/// A row: its unit, and a value a declared column.
#[derive(Debug, Clone)]
pub struct Row {
    pub unit: String,
    pub values: Vec<Option<Value>>,
}

pub struct Oracle<'a> {
    pub terms: &'a Terms,
}

fn nano() -> RBig {
    RBig::from_parts(IBig::ONE, UBig::from(1_000_000_000_u64))
}

fn exact(constant: Constant) -> RBig {
    RBig::from_parts(IBig::from(constant.digits), UBig::from(10_u8).pow(constant.decimals as usize))
}

fn epoch() -> Date {
    date(1970, 1, 1)
}

fn day(days: &RBig) -> Date {
    let days = i64::try_from(days.floor()).expect("a day");
    epoch() + days.days()
}

fn days(day: Date) -> RBig {
    RBig::from(epoch().until((Unit::Day, day)).expect("a span of days").get_days())
}

/// A number, with whether SQL takes it for an integer; days by their number.
fn number(value: &Value) -> (RBig, bool) {
    match value {
        Value::Whole(number) => (number.clone(), true),
        Value::Decimal(number) => (number.clone(), false),
        Value::Day(day) => (days(*day), true),
        Value::Text(_) | Value::Truth(_) => panic!("no number"),
    }
}

fn numeric(value: RBig, whole: bool) -> Value {
    if whole { Value::Whole(value) } else { Value::Decimal(value) }
}

/// Halves away from 0.
fn rounded(value: RBig, decimals: u32) -> Value {
    let power = RBig::from(UBig::from(10_u8).pow(decimals as usize));
    let half = RBig::from_parts(IBig::ONE, UBig::from(2_u8));
    let size = (value.clone().abs() * &power + half).floor();
    let signed = if value.is_negative() { -size } else { size };
    Value::Decimal(RBig::from(signed) / power)
}

fn bucket(value: RBig, low: RBig, high: RBig, count: i64) -> Value {
    Value::Whole(RBig::from(if value < low {
        0
    } else if value >= high {
        count + 1
    } else {
        i64::try_from(((value - &low) * RBig::from(count) / (high - low)).floor()).expect("a bucket") + 1
    }))
}

fn truncated(day: Date, period: Period) -> Date {
    match period {
        Period::Year => day.first_of_year(),
        Period::Quarter => date(day.year(), (day.month() - 1) / 3 * 3 + 1, 1),
        Period::Month => day.first_of_month(),
        Period::Week => day - day.weekday().to_monday_zero_offset().days(),
        Period::Day => day,
        Period::Decade => date(day.year() - day.year() % 10, 1, 1),
        Period::Century => date((day.year() - 1) / 100 * 100 + 1, 1, 1),
        Period::Millennium => date((day.year() - 1) / 1_000 * 1_000 + 1, 1, 1),
    }
}

fn part(day: Date, part: DatePart) -> i64 {
    match part {
        DatePart::Year => day.year().into(),
        DatePart::Quarter => ((day.month() - 1) / 3 + 1).into(),
        DatePart::Month => day.month().into(),
        DatePart::Day => day.day().into(),
        DatePart::Dow => day.weekday().to_sunday_zero_offset().into(),
        DatePart::Isodow => day.weekday().to_monday_one_offset().into(),
        DatePart::Doy => day.day_of_year().into(),
        DatePart::Week => day.iso_week_date().week().into(),
        DatePart::Isoyear => day.iso_week_date().year().into(),
        DatePart::Decade => i64::from(day.year()).div_euclid(10),
        DatePart::Century => (i64::from(day.year()) + 99).div_euclid(100),
        DatePart::Millennium => (i64::from(day.year()) + 999).div_euclid(1_000),
    }
}

/// Counts along one key with the weights 2²⁰·C(2k, k)/4ᵏ, rounded, in whole numbers.
fn along(counts: &[i64], sizes: &[usize], key: usize) -> Vec<i64> {
    let weight = |back: usize| -> i64 {
        let (mut above, mut below) = (IBig::ONE << 20, IBig::ONE);
        for place in 1..=back {
            above *= IBig::from(2 * place - 1);
            below *= IBig::from(2 * place);
        }
        i64::try_from((above * 2 + &below) / (below * 2)).expect("a weight")
    };
    let stride: usize = sizes[key + 1..].iter().product();
    let weights: Vec<i64> = (0..sizes[key]).map(weight).collect();
    let one = |cell: usize| {
        let group = cell / stride % sizes[key];
        (0..=group).map(|back| weights[back] * counts[cell - back * stride]).sum()
    };
    (0..counts.len()).map(one).collect()
}

impl Oracle<'_> {
    /// The exact vectors of a computation over rows; `labels` are those of its keys.
    pub fn vectors(&self, computation: &Computation, labels: &[KeyLabels], rows: &[Row]) -> Vec<Vec<i64>> {
        if let Some(units) = &computation.units {
            let rows = self.units(units, computation.rows_per_unit, rows);
            let seen = computation.seen(self.terms);
            let outer = Computation { units: None, ..computation.clone() };
            return Oracle { terms: &seen }.vectors(&outer, labels, &rows);
        }
        let cells: usize = labels.iter().map(|labels| labels.len()).product();
        let mut seen: HashMap<&str, u32> = HashMap::new();
        let mut groups: Vec<Vec<&Row>> = vec![Vec::new(); cells];
        for row in rows {
            let rank = seen.entry(&row.unit).or_default();
            *rank += 1;
            let counts = *rank <= computation.rows_per_unit || self.terms.max_rows_per_unit == 1;
            if counts && computation.filter.as_ref().is_none_or(|filter| self.truth(filter, row) == Some(true)) {
                let place = computation.keys.iter().zip(labels).try_fold(0, |place, (key, labels)| {
                    let label = self.label(key, row);
                    Some(place * labels.len() + labels.iter().position(|one| *one == label)?)
                });
                groups[place.expect("every row is in a public group")].push(row);
            }
        }
        let of = |measure: &Measure| match measure {
            Measure::Over { keys, .. } => {
                let alone = computation.alone(measure);
                let labels: Vec<_> = keys.iter().map(|key| labels[*key].clone()).collect();
                self.vectors(&alone, &labels, rows).swap_remove(0)
            }
            Measure::PrefixSums { key, measure } => {
                let alone = Computation { measures: vec![measure.as_ref().clone()], ..computation.clone() };
                let counts = self.vectors(&alone, labels, rows).swap_remove(0);
                along(&counts, &labels.iter().map(|labels| labels.len()).collect::<Vec<_>>(), *key)
            }
            Measure::Bins { column, low, width, count } => {
                groups.iter().flat_map(|rows| self.bins((column, *low, *width, *count), rows)).collect()
            }
            other => groups.iter().map(|rows| self.measure(other, rows)).collect(),
        };
        computation.measures.iter().map(of).collect()
    }

    /// One row for each unit that has a row left.
    fn units(&self, units: &PerUnitTable, rows_per_unit: u32, rows: &[Row]) -> Vec<Row> {
        let mut seen: HashMap<&str, u32> = HashMap::new();
        let mut by_unit: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
        for row in rows {
            let rank = seen.entry(&row.unit).or_default();
            *rank += 1;
            let passes = units.filter.as_ref().is_none_or(|filter| self.truth(filter, row) == Some(true));
            if *rank <= rows_per_unit && passes {
                by_unit.entry(&row.unit).or_default().push(row);
            }
        }
        let of = |(unit, rows): (&str, Vec<&Row>)| Row {
            unit: unit.to_owned(),
            values: units.columns.iter().map(|column| self.folded(column, &rows)).collect(),
        };
        by_unit.into_iter().map(of).collect()
    }

    fn folded(&self, column: &PerUnitColumn, rows: &[&Row]) -> Option<Value> {
        let values = |term: &Term| -> Vec<Value> { rows.iter().filter_map(|row| self.value(term, row)).collect() };
        let numbers = |term: &Term| -> Vec<RBig> { values(term).iter().map(|value| number(value).0).collect() };
        let count = |count: usize| Some(Value::Whole(RBig::from(count as i64)));
        let truths = |filter: &Filter| -> Vec<bool> { rows.iter().filter_map(|row| self.truth(filter, row)).collect() };
        match column {
            PerUnitColumn::Own(index) => rows[0].values[*index].clone(),
            PerUnitColumn::Rows => count(rows.len()),
            PerUnitColumn::Present(term) => count(values(term).len()),
            PerUnitColumn::Sum(term) => {
                let sum = numbers(term).into_iter().reduce(|sum, value| sum + value)?;
                Some(numeric(sum, self.is_whole(term)))
            }
            PerUnitColumn::Mean(term) => {
                let numbers = numbers(term);
                let step = match &*term.facts(self.terms).domain {
                    Domain::Number(grid) => RBig::from(grid.step) * nano() / RBig::from(100),
                    other => panic!("{other:?} has no mean"),
                };
                let sum = numbers.iter().fold(RBig::ZERO, |sum, value| sum + value);
                let count = numbers.len();
                (count > 0).then(|| {
                    let Value::Decimal(steps) = rounded(sum / RBig::from(count as i64) / &step, 0) else {
                        panic!("a decimal")
                    };
                    Value::Decimal(steps * step)
                })
            }
            PerUnitColumn::Least(term) => values(term).into_iter().min_by(|a, b| number(a).0.cmp(&number(b).0)),
            PerUnitColumn::Greatest(term) => values(term).into_iter().max_by(|a, b| number(a).0.cmp(&number(b).0)),
            PerUnitColumn::Distinct(term) => {
                let mut found: Vec<Value> = Vec::new();
                for value in values(term) {
                    if !found.contains(&value) {
                        found.push(value);
                    }
                }
                count(found.len())
            }
            // The tests of the engine's statistics compare these with PostgreSQL's.
            PerUnitColumn::Spread(..) | PerUnitColumn::Percentile(..) => panic!("no question here asks for it"),
            PerUnitColumn::Any(filter) => {
                truths(filter).into_iter().reduce(|any, truth| any || truth).map(Value::Truth)
            }
            PerUnitColumn::Every(filter) => {
                truths(filter).into_iter().reduce(|all, truth| all && truth).map(Value::Truth)
            }
            PerUnitColumn::First { of, by, descending, filter } => {
                let counts = |row: &&&Row| filter.as_ref().is_none_or(|filter| self.truth(filter, row) == Some(true));
                let mut rows: Vec<_> = rows.iter().filter(counts).collect();
                // What is missing is greatest; a stable sort leaves ranks in order.
                rows.sort_by(|a, b| {
                    let order = match (self.value(by, a), self.value(by, b)) {
                        (None, None) => Ordering::Equal,
                        (None, Some(_)) => Ordering::Greater,
                        (Some(_), None) => Ordering::Less,
                        (Some(a), Some(b)) => number(&a).0.cmp(&number(&b).0),
                    };
                    if *descending { order.reverse() } else { order }
                });
                self.value(of, rows.first()?)
            }
        }
    }

    fn measure(&self, measure: &Measure, rows: &[&Row]) -> i64 {
        match measure {
            Measure::Rows => rows.len() as i64,
            Measure::NonNull { column } => rows.iter().filter(|row| self.value(column, row).is_some()).count() as i64,
            Measure::Sum { column } => rows.iter().filter_map(|row| self.stored(column, row)).sum(),
            Measure::Bins { .. } | Measure::Over { .. } | Measure::PrefixSums { .. } => {
                panic!("it has cells of its own")
            }
            Measure::Units => rows.iter().map(|row| &row.unit).collect::<BTreeSet<_>>().len() as i64,
            Measure::UnitsWhere { filter } => {
                let those = rows.iter().filter(|row| self.truth(filter, row) == Some(true));
                those.map(|row| &row.unit).collect::<BTreeSet<_>>().len() as i64
            }
        }
    }

    /// Rows of each bin of equal width.
    fn bins(&self, (term, low, width, count): (&Term, i64, i64, u32), rows: &[&Row]) -> Vec<i64> {
        let grid = term.grid(self.terms).expect("a number");
        let mut bins = vec![0; count as usize];
        for value in rows.iter().filter_map(|row| self.value(term, row)) {
            let steps = number(&value).0 / (RBig::from(grid.step) * nano());
            let bin = ((steps - RBig::from(low)) / RBig::from(width)).floor();
            bins[usize::try_from(bin).expect("a bin")] += 1;
        }
        bins
    }

    fn label(&self, key: &PlanKey, row: &Row) -> Label {
        match self.value(&key.column, row) {
            None => Label::Missing,
            Some(Value::Text(text)) => Label::Text(text),
            Some(Value::Truth(truth)) => Label::Boolean(truth),
            Some(Value::Day(day)) => Label::Date(epoch().until((Unit::Day, day)).expect("a span of days").get_days()),
            Some(Value::Whole(value) | Value::Decimal(value)) => {
                let domain = key.column.facts(self.terms).domain.into_owned();
                match domain {
                    Domain::Number(grid) if grid.step % 1_000_000_000 != 0 || grid.step > 1_000_000_000 => {
                        Label::Decimal(i128::try_from((value / nano()).floor()).expect("a key"))
                    }
                    _ => {
                        assert!(value.is_int(), "a key is whole");
                        Label::Integer(i64::try_from(value.floor()).expect("a key"))
                    }
                }
            }
        }
    }

    /// A value as an integer of its domain: the contract of sealing.
    fn stored(&self, term: &Term, row: &Row) -> Option<i64> {
        let value = self.value(term, row)?;
        let facts = term.facts(self.terms);
        let place = match (&*facts.domain, value) {
            (Domain::Number(grid), value) => {
                number(&value).0 / (RBig::from(grid.step) * nano()) - RBig::from(grid.centre())
            }
            (Domain::Date { .. }, value) => number(&value).0,
            (Domain::Category(labels), Value::Text(text)) => {
                RBig::from(labels.iter().position(|label| *label == text).expect("a listed label") as i64)
            }
            (Domain::Boolean, Value::Truth(truth)) => RBig::from(i64::from(truth)),
            other => panic!("{other:?}"),
        };
        assert!(place.is_int(), "{term:?} lies on its grid");
        Some(i64::try_from(place.floor()).expect("a stored integer"))
    }

    fn truth(&self, filter: &Filter, row: &Row) -> Option<bool> {
        match filter {
            Filter::Range { column, low, high } => {
                self.stored(column, row).map(|value| (*low..=*high).contains(&value))
            }
            Filter::Members { column, codes } => {
                self.stored(column, row).map(|value| codes.iter().any(|code| i64::from(*code) == value))
            }
            Filter::Values { column, values } => self.stored(column, row).map(|value| values.contains(&value)),
            Filter::Missing { column } => Some(self.value(column, row).is_none()),
            Filter::Not(inner) => self.truth(inner, row).map(|truth| !truth),
            Filter::All(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.truth(part, row)).collect();
                if parts.contains(&Some(false)) { Some(false) } else { (!parts.contains(&None)).then_some(true) }
            }
            Filter::Any(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.truth(part, row)).collect();
                if parts.contains(&Some(true)) { Some(true) } else { (!parts.contains(&None)).then_some(false) }
            }
        }
    }

    fn sum(&self, parts: &[Term], row: &Row) -> Option<Value> {
        let negative = |term: &Term| matches!(term, Term::Made(made) if matches!(**made, Operation::Negative(_)));
        let (mut sum, mut whole, mut days) = (RBig::ZERO, true, 0);
        for term in parts {
            let (value, is_whole) = number(&self.value(term, row)?);
            (sum, whole) = (sum + value, whole && is_whole);
            days += i32::from(self.is_day(term)) * if negative(term) { -1 } else { 1 };
        }
        Some(if days == 1 { Value::Day(day(&sum)) } else { numeric(sum, whole) })
    }

    fn extreme(&self, parts: &[Term], row: &Row, least: bool) -> Option<Value> {
        let values: Vec<Value> = parts.iter().filter_map(|part| self.value(part, row)).collect();
        let whole = parts.iter().all(|part| self.is_whole(part));
        let numbers = values.iter().map(|value| number(value).0);
        let found = if least { numbers.min() } else { numbers.max() }?;
        let is_day = matches!(values.first(), Some(Value::Day(_)));
        Some(if is_day { Value::Day(day(&found)) } else { numeric(found, whole) })
    }

    /// All values that something can have are of one type.
    fn typed(&self, term: &Term, value: Value) -> Value {
        match value {
            Value::Whole(number) if !self.is_whole(term) => Value::Decimal(number),
            other => other,
        }
    }

    /// The type of a term, which need not lie on a decimal grid inside of another one.
    fn kind(&self, term: &Term) -> Option<ValueKind> {
        lower(term, self.terms).ok().map(|lowered| lowered.kind)
    }

    /// Types are the plan's to say.
    fn is_whole(&self, term: &Term) -> bool {
        self.kind(term) == Some(ValueKind::Integer)
    }

    fn is_day(&self, term: &Term) -> bool {
        match term {
            Term::Made(made) => match &**made {
                Operation::Negative(inner) => self.is_day(inner),
                _ => self.kind(term) == Some(ValueKind::Date),
            },
            Term::Column(_) => self.kind(term) == Some(ValueKind::Date),
        }
    }
}
