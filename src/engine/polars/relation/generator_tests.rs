//! Random datasets of several tables, and random relations over them.

use std::collections::BTreeSet;

use polars::prelude::{Column as Series, DataFrame, DataType};
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use super::listed_tests::listed;
use super::reference_tests::{Row, value};
use crate::engine::polars::table::Loaded;
use crate::kernel::privacy::prefix_sums::GROUPS_MAX;
use crate::query::computation::relation::{
    FrameBound, FrameBounds, FrameBy, Relation, RowSortKey, WindowColumn, WindowFunction,
};
use crate::query::computation::{Computation, Measure, PerUnitColumn, PlanKey};
use crate::query::filter::{Filter, stored_bounds};
use crate::query::plan::relation::paired;
use crate::query::syntax::Spread;
use crate::query::term::coding::{CategoryLists, key};
use crate::query::term::context::{Steps, TermContext};
use crate::query::term::{Constant, Operation, Term};
use crate::query::terms::domain::{Column, Domain, Grid};
use crate::query::terms::edition::{RANK_COLUMN, UNIT_COLUMN, column_name};
use crate::query::terms::policy::{Policy, PublicTable, TableTerms, Terms};

const POLICY: &str = r#"
[dataset]
name = "t"
source = "t.parquet"
privacy_unit = "who"
max_rows_per_unit = 3
max_rows = 1_000_000
accountant = "pure"
cap = { epsilon = "1" }
[[column]]
name = "flag"
type = "boolean"
"#;

/// The stored rows of one unit in each table.
pub(super) type UnitRows = Vec<Vec<Vec<Option<i64>>>>;

/// A dataset: its terms, and the rows of each unit.
pub(super) struct Dataset {
    pub(super) terms: Terms,
    pub(super) units: Vec<(u32, UnitRows)>,
}

fn random_domain(rng: &mut StdRng) -> Domain {
    let labels = |labels: &[&str]| Domain::Category(labels.iter().map(|label| (*label).to_owned()).collect());
    match rng.random_range(0..7) {
        0 => Domain::Number(Grid {
            integer: true,
            step: 1_000_000_000,
            low: rng.random_range(-6..3),
            high: rng.random_range(4..9),
        }),
        1 => Domain::Number(Grid { integer: false, step: 500_000_000, low: -3, high: rng.random_range(2..12) }),
        2 => Domain::Number(Grid { integer: false, step: 100_000_000, low: 10, high: 25 }),
        3 => Domain::Date { min: 19_000, max: 19_000 + rng.random_range(3..40) },
        4 => Domain::Boolean,
        5 => labels(&["a", "b", "1", "-2", "2.5"]),
        _ => labels(&["2.5", "c", "a", "3", "1.0"]),
    }
}

fn random_columns(rng: &mut StdRng) -> Vec<Column> {
    let column = |rng: &mut StdRng| Column {
        name: String::new(),
        title: None,
        domain: random_domain(rng),
        per_unit: rng.random_bool(0.2),
        nullable: rng.random_bool(0.5),
    };
    (0..rng.random_range(1..5)).map(|_| column(rng)).collect()
}

fn random_value(rng: &mut StdRng, column: &Column) -> Option<i64> {
    let (low, high) = stored_bounds(&column.domain);
    let is_missing = column.nullable && rng.random_bool(0.25);
    (!is_missing).then(|| rng.random_range(low..=high))
}

/// A random dataset of up to three tables and up to two public ones.
pub(super) fn dataset(rng: &mut StdRng) -> Dataset {
    let mut terms = Policy::parse(POLICY).expect("a policy").terms;
    terms.columns = Vec::new().into();
    let table = |rng: &mut StdRng| TableTerms {
        name: String::new(),
        title: None,
        columns: random_columns(rng).into(),
        max_rows_per_unit: rng.random_range(1..6),
        max_rows: 1_000,
    };
    terms.tables = (0..rng.random_range(1..4)).map(|_| table(rng)).collect();
    let public = |rng: &mut StdRng| {
        let columns = random_columns(rng);
        let rows = rng.random_range(0..9_u64);
        let values = columns.iter().map(|column| (0..rows).map(|_| random_value(rng, column)).collect()).collect();
        PublicTable { name: String::new(), columns: columns.into(), rows, values, orders: Default::default() }
    };
    terms.public = (0..rng.random_range(0..3)).map(|_| public(rng)).collect();
    let count = rng.random_range(0..10);
    let mut number = rng.random_range(0..3);
    let mut units = Vec::new();
    for _ in 0..count {
        let of_table = |table: &TableTerms, rng: &mut StdRng| {
            let fixed: Vec<_> = table.columns.iter().map(|column| random_value(rng, column)).collect();
            let rows = if rng.random_bool(0.2) { 0 } else { rng.random_range(0..=table.max_rows_per_unit) };
            let row = |rng: &mut StdRng| {
                let pairs = table.columns.iter().zip(&fixed);
                pairs.map(|(column, fixed)| if column.per_unit { *fixed } else { random_value(rng, column) }).collect()
            };
            (0..rows).map(|_| row(rng)).collect()
        };
        units.push((number, terms.tables.iter().map(|table| of_table(table, rng)).collect()));
        number += rng.random_range(1..4);
    }
    Dataset { terms, units }
}

impl Dataset {
    /// The dataset as an engine has it, in blocks that end after some of the units.
    pub(super) fn loaded(&self, rng: &mut StdRng, units: &[(u32, UnitRows)]) -> Loaded {
        let mut blocks = Vec::new();
        let mut rest = units;
        while !rest.is_empty() {
            let (own, more) = rest.split_at(rng.random_range(1..=rest.len()));
            blocks.push((0..self.terms.tables.len()).map(|table| self.frame(rng, own, table)).collect());
            rest = more;
        }
        Loaded::of_tables(self.terms.clone(), blocks)
    }

    fn frame(&self, rng: &mut StdRng, units: &[(u32, UnitRows)], table: usize) -> DataFrame {
        let rows =
            || units.iter().flat_map(|(unit, tables)| tables[table].iter().enumerate().map(move |row| (unit, row)));
        let numbers: Vec<u32> = rows().map(|(unit, _)| *unit).collect();
        let ranks: Vec<u32> = rows().map(|(_, (rank, _))| rank as u32).collect();
        let column = |index: usize, rng: &mut StdRng| {
            let values: Vec<Option<i64>> = rows().map(|(_, (_, row))| row[index]).collect();
            let series = Series::new(column_name(index).as_str().into(), values);
            let kind = [DataType::Int64, DataType::Int32, DataType::Int16].choose(rng).expect("a type").clone();
            series.cast(&kind).expect("small integers")
        };
        let columns = (0..self.terms.tables[table].columns.len()).map(|index| column(index, rng));
        let own = [Series::new(UNIT_COLUMN.into(), numbers.clone()), Series::new(RANK_COLUMN.into(), ranks)];
        DataFrame::new(numbers.len(), own.into_iter().chain(columns.collect::<Vec<_>>()).collect()).expect("a frame")
    }

    /// The values of a unit's rows in each table.
    pub(super) fn values(&self, unit: &UnitRows) -> Vec<Vec<Row>> {
        let table = |(terms, rows): (&TableTerms, &Vec<Vec<Option<i64>>>)| {
            let cell = |(column, own): (&Column, &Option<i64>)| own.map(|own| value(&column.domain, own));
            rows.iter().map(|row| terms.columns.iter().zip(row).map(cell).collect()).collect()
        };
        self.terms.tables.iter().zip(unit).map(table).collect()
    }
}

/// Makes random terms and conditions over columns.
struct Words<'a> {
    rng: &'a mut StdRng,
    terms: &'a Terms,
}

impl Words<'_> {
    fn domain(&self, term: &Term) -> Option<Domain> {
        TermContext::of(self.terms).lower(term).ok()?.domain().ok()
    }

    fn column(&mut self) -> Term {
        Term::Column(self.rng.random_range(0..self.terms.columns.len().max(1)))
    }

    /// A column of a kind, if there is one.
    fn column_of(&mut self, is_wanted: fn(&Domain) -> bool) -> Option<Term> {
        let columns = self.terms.columns.iter().enumerate();
        let places: Vec<usize> = columns.filter(|(_, column)| is_wanted(&column.domain)).map(|(at, _)| at).collect();
        places.choose(self.rng).map(|place| Term::Column(*place))
    }

    fn number(&mut self) -> Term {
        let is_number = |domain: &Domain| matches!(domain, Domain::Number(_));
        let constant = Term::number(self.rng.random_range(-4..5), 0);
        if self.rng.random_bool(0.2) { constant } else { self.column_of(is_number).unwrap_or(constant) }
    }

    /// A number or a day.
    fn ordered(&mut self) -> Term {
        let is_ordered = |domain: &Domain| matches!(domain, Domain::Number(_) | Domain::Date { .. });
        self.column_of(is_ordered).unwrap_or_else(|| self.number())
    }

    /// A term that has a domain; at most so deep.
    fn term(&mut self, depth: u32) -> Term {
        if self.terms.columns.is_empty() {
            return Term::number(self.rng.random_range(-4..5), 0);
        }
        for _ in 0..4 {
            let made = if depth == 0 { self.column() } else { self.made(depth - 1) };
            if self.domain(&made).is_some() {
                return made;
            }
        }
        self.column()
    }

    fn made(&mut self, depth: u32) -> Term {
        let is_date = |domain: &Domain| matches!(domain, Domain::Date { .. });
        match self.rng.random_range(0..14) {
            0..4 => self.column(),
            4 => Term::plus(vec![self.number(), self.number()]),
            5 => Term::plus(vec![self.number(), Term::of(Operation::Negative(self.number()))]),
            6 => Term::times(vec![self.number(), Term::number(self.rng.random_range(-2..4), 0)]),
            7 => Term::of(Operation::Absolute(self.number())),
            8 => {
                let parts = if self.rng.random_bool(0.5) {
                    vec![self.number(), self.number()]
                } else {
                    let date = self.column_of(is_date);
                    vec![date.clone().unwrap_or_else(|| self.number()), date.unwrap_or_else(|| self.number())]
                };
                Term::of(if self.rng.random_bool(0.5) { Operation::Least(parts) } else { Operation::Greatest(parts) })
            }
            9 => Term::of(Operation::Filled(self.number(), Term::number(self.rng.random_range(-4..5), 0))),
            10 => {
                let whens = (0..self.rng.random_range(1..3)).map(|_| (self.filter(depth), self.number())).collect();
                let otherwise = self.rng.random_bool(0.5).then(|| self.number());
                Term::of(Operation::Case(whens, otherwise))
            }
            11 => {
                let labels = ["x", "a", "2.5"].map(str::to_owned).to_vec();
                let whens = (0..2)
                    .map(|_| {
                        let when = self.filter(depth);
                        (when, self.rng.random_range(0..3))
                    })
                    .collect();
                let otherwise = self.rng.random_bool(0.5).then_some(2);
                Term::of(Operation::Choice { whens, otherwise, labels })
            }
            12 => Term::of(Operation::Truth(self.filter(depth))),
            _ => match self.column_of(is_date) {
                Some(date) if self.rng.random_bool(0.5) => {
                    Term::plus(vec![date, Term::number(self.rng.random_range(-3..9), 0)])
                }
                Some(date) => {
                    let other = self.column_of(is_date).unwrap_or_else(|| date.clone());
                    Term::plus(vec![date, Term::of(Operation::Negative(other))])
                }
                None => self.column(),
            },
        }
    }

    /// A condition; at most so deep.
    fn filter(&mut self, depth: u32) -> Filter {
        if depth > 0 && self.rng.random_bool(0.4) {
            return match self.rng.random_range(0..3) {
                0 => Filter::Not(Box::new(self.filter(depth - 1))),
                1 => Filter::All(vec![self.filter(depth - 1), self.filter(depth - 1)]),
                _ => Filter::Any(vec![self.filter(depth - 1), self.filter(depth - 1)]),
            };
        }
        let nested = self.rng.random_range(0..=depth.min(1));
        let column = self.term(nested);
        let domain = self.domain(&column).expect("a term with a domain");
        let (low, high) = stored_bounds(&domain);
        let mut value = || self.rng.random_range(low..=high.max(low));
        let values = BTreeSet::from([value(), value(), value()]);
        let (one, other) = (value(), value());
        match (self.rng.random_range(0..5), &domain) {
            (0, _) => Filter::Missing { column },
            (1, _) => Filter::Values { column, values: values.into_iter().collect() },
            (2, Domain::Category(_)) => {
                Filter::Members { column, codes: values.iter().map(|code| *code as u32).collect() }
            }
            (3, _) => Filter::Range { column, low: one, high: high.max(low) },
            _ => Filter::Range { column, low: one.min(other), high: one.max(other) },
        }
    }

    fn aggregate(&mut self) -> PerUnitColumn {
        let number = |words: &mut Self| if words.rng.random_bool(0.3) { words.term(1) } else { words.number() };
        match self.rng.random_range(0..14) {
            0 => PerUnitColumn::Rows,
            1 => PerUnitColumn::Present(self.term(1)),
            2 => PerUnitColumn::Sum(number(self)),
            3 => PerUnitColumn::Mean(number(self)),
            4 => PerUnitColumn::Least(self.ordered()),
            5 => PerUnitColumn::Greatest(self.ordered()),
            6 => PerUnitColumn::Any(self.filter(1)),
            7 => PerUnitColumn::Every(self.filter(1)),
            8 => PerUnitColumn::First {
                of: self.term(1),
                by: self.ordered(),
                descending: self.rng.random_bool(0.5),
                filter: self.rng.random_bool(0.3).then(|| self.filter(1)),
            },
            9 => PerUnitColumn::Distinct(self.term(1)),
            10 => {
                let spreads = [Spread::VarSamp, Spread::VarPop, Spread::StddevSamp, Spread::StddevPop];
                PerUnitColumn::Spread(*spreads.choose(self.rng).expect("a statistic"), number(self))
            }
            11 => {
                let fractions = [Constant::new(5, 1), Constant::new(0, 0), Constant::new(1, 0), Constant::new(333, 3)];
                PerUnitColumn::Percentile(*fractions.choose(self.rng).expect("a fraction"), number(self))
            }
            _ => {
                let columns = self.terms.columns.iter().enumerate().filter(|(_, column)| column.per_unit);
                let own: Vec<usize> = columns.map(|(place, _)| place).collect();
                own.choose(self.rng).map_or(PerUnitColumn::Rows, |index| PerUnitColumn::Own(*index))
            }
        }
    }

    /// Terms that equal columns of a public table.
    fn equal(&mut self, public: &PublicTable) -> Vec<(Term, u32)> {
        let count = self.rng.random_range(0..3);
        (0..count).map(|_| (self.term(1), self.rng.random_range(0..public.columns.len()) as u32)).collect()
    }

    fn window(&mut self) -> WindowColumn {
        let order = |words: &mut Self| RowSortKey {
            by: words.term(1),
            descending: words.rng.random_bool(0.5),
            nulls_first: words.rng.random_bool(0.5),
        };
        let count = *[0, 1, 1, 1, 2].choose(self.rng).expect("a number");
        let order: Vec<RowSortKey> = (0..count).map(|_| order(self)).collect();
        let function = match self.rng.random_range(0..13) {
            0 => WindowFunction::RowNumber,
            1 => WindowFunction::Rank,
            2 => WindowFunction::DenseRank,
            3 => WindowFunction::Lag(self.term(1), self.rng.random_range(0..3)),
            4 => WindowFunction::Lead(self.term(1), self.rng.random_range(0..3)),
            5 => WindowFunction::Nth(self.term(1), self.rng.random_range(1..4)),
            6 => WindowFunction::Last(self.term(1)),
            7 => WindowFunction::Ntile(self.rng.random_range(1..5)),
            _ => WindowFunction::Aggregate(self.aggregate()),
        };
        let by = if self.rng.random_bool(0.5) { FrameBy::Rows } else { FrameBy::Range };
        // Offsets by value want exactly one key.
        let has_offset = by == FrameBy::Rows || order.len() == 1;
        let mut bound = |ends: FrameBound| match self.rng.random_range(0..5) {
            0 => ends,
            1 => FrameBound::Current,
            2 if has_offset => FrameBound::Before(self.rng.random_range(0..4)),
            3 if has_offset => FrameBound::After(self.rng.random_range(0..4)),
            _ => ends,
        };
        let frame = FrameBounds { by, start: bound(FrameBound::First), end: bound(FrameBound::Last) };
        let frame = *[frame, frame, FrameBounds::WHOLE, FrameBounds::RUNNING].choose(self.rng).expect("a frame");
        let partition = (0..self.rng.random_range(0..3) / 2).map(|_| self.term(1)).collect();
        WindowColumn { function, partition, order, frame }
    }
}

/// A random relation of at most this depth, with its terms.
pub(super) fn relation(rng: &mut StdRng, dataset: &Terms, depth: u32) -> (Relation, Terms) {
    loop {
        let made =
            if depth == 0 || rng.random_bool(0.1) { table(rng, dataset) } else { operator(rng, dataset, depth - 1) };
        let Some(made) = made else { continue };
        if let Ok(terms) = made.terms(dataset, &Steps::unbounded()) {
            return (made, terms);
        }
    }
}

fn table(rng: &mut StdRng, dataset: &Terms) -> Option<Relation> {
    let table = rng.random_range(0..dataset.tables.len());
    let most = dataset.tables[table].max_rows_per_unit;
    let rows_per_unit = if rng.random_bool(0.6) { most } else { rng.random_range(1..=most) };
    Some(Relation::Table { table: table as u32, rows_per_unit })
}

fn operator(rng: &mut StdRng, dataset: &Terms, depth: u32) -> Option<Relation> {
    let (of, terms) = relation(rng, dataset, depth);
    let other = |rng: &mut StdRng| relation(rng, dataset, depth.min(1));
    let of_pair = |rng: &mut StdRng, right: &[Column]| {
        rng.random_bool(0.5).then(|| Words { rng, terms: &paired(&terms, right) }.filter(2))
    };
    let kind = rng.random_range(0..11);
    let relation = match kind {
        0 | 1 => {
            let filter = Words { rng, terms: &terms }.filter(2);
            Relation::Filter { of: Box::new(of), filter }
        }
        2 => {
            let count = rng.random_range(1..5);
            let mut words = Words { rng, terms: &terms };
            let columns = (0..count).map(|_| words.term(2)).collect();
            Relation::Map { of: Box::new(of), columns }
        }
        3 | 4 => {
            let count = rng.random_range(1..4);
            let mut words = Words { rng, terms: &terms };
            let columns = (0..count).map(|_| words.window()).collect();
            Relation::Window { of: Box::new(of), columns }
        }
        5 => {
            let (keys, count) = (rng.random_range(0..3), rng.random_range(0..4));
            let mut words = Words { rng, terms: &terms };
            let keys = (0..keys).map(|_| words.term(1)).collect();
            let columns = (0..count).map(|_| words.aggregate()).collect();
            Relation::Group { of: Box::new(of), keys, columns }
        }
        6 => {
            let (right, other) = other(rng);
            let on = of_pair(rng, &other.columns);
            Relation::Join { left: Box::new(of), right: Box::new(right), on, is_left: rng.random_bool(0.5) }
        }
        7 => {
            let (right, other) = other(rng);
            let on = of_pair(rng, &other.columns);
            Relation::Semi { of: Box::new(of), other: Box::new(right), on, is_anti: rng.random_bool(0.5) }
        }
        8 => {
            let table = rng.random_range(0..dataset.public.len().max(1));
            let public = dataset.public.get(table)?;
            let equal = Words { rng, terms: &terms }.equal(public);
            let on = of_pair(rng, &public.columns);
            Relation::Public { of: Box::new(of), table: table as u32, equal, on, is_left: rng.random_bool(0.5) }
        }
        9 => {
            let listed = listed(rng);
            let table = listed.table()?;
            let equal = Words { rng, terms: &terms }.equal(&table);
            let on = of_pair(rng, &table.columns);
            Relation::Listed { of: Box::new(of), listed, equal, on, is_left: rng.random_bool(0.5) }
        }
        10 if rng.random_bool(0.3) => ends(Words { rng, terms: &terms }.ordered(), &of),
        _ => {
            let filter = |rng: &mut StdRng| Words { rng, terms: &terms }.filter(1);
            let second = Relation::Filter { of: Box::new(of.clone()), filter: filter(rng) };
            let third = Relation::Filter { of: Box::new(of.clone()), filter: filter(rng) };
            let parts = if rng.random_bool(0.5) { vec![of, second] } else { vec![third, of, second] };
            Relation::Union { parts }
        }
    };
    Some(relation)
}

/// The least and the greatest value of each unit, which have the same domain.
fn ends(term: Term, of: &Relation) -> Relation {
    let of_units = |column| {
        let (of, keys) = (Box::new(of.clone()), Vec::new());
        Relation::Group { of, keys, columns: vec![column, PerUnitColumn::Rows] }
    };
    let ends = [PerUnitColumn::Least(term.clone()), PerUnitColumn::Greatest(term)];
    Relation::Union { parts: ends.map(of_units).into() }
}

/// A random computation over a relation with these terms, with as many measurements of as many kinds as its columns allow.
pub(super) fn computation(rng: &mut StdRng, relation: &Relation, terms: &Terms) -> Computation {
    let mut words = Words { rng, terms };
    let filter = words.rng.random_bool(0.3).then(|| words.filter(2));
    let known = TermContext::of(terms);
    let mut keys: Vec<PlanKey> = Vec::new();
    for _ in 0..words.rng.random_range(0..3) {
        let term = words.term(1);
        keys.extend(key(&term, &known, filter.as_ref(), CategoryLists::Whole).ok());
    }
    let mut measures = vec![Measure::Rows, Measure::Units, Measure::UnitsWhere { filter: words.filter(2) }];
    measures.push(Measure::NonNull { column: words.term(2) });
    for _ in 0..3 {
        let column = words.number();
        if words.domain(&column).is_some() {
            measures.push(Measure::Bins { column: column.clone(), low: -5, width: 3, count: 6 });
            measures.push(Measure::Sum { column });
        }
    }
    if !keys.is_empty() {
        let (key, last) = (words.rng.random_range(0..keys.len()), keys.len() - 1);
        measures.push(Measure::Over { keys: vec![last], measure: Box::new(Measure::Units) });
        // A question with a running sum over more groups is refused.
        if keys[key].size() <= GROUPS_MAX {
            measures.push(Measure::PrefixSums { key, measure: Box::new(Measure::Rows) });
        }
    }
    let (units, text, left) = (None, None, Vec::new());
    let relation = Some(relation.clone());
    Computation { rows_per_unit: terms.max_rows_per_unit, filter, keys, measures, units, text, left, relation }
}
