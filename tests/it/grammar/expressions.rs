//! Subqueries with one row per unit, and expressions over one row.

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use super::*;

impl Walk<'_> {
    /// A subquery with one row per unit; `None` if every row is a unit.
    pub fn subquery(&self, rng: &mut StdRng, dataset: &str) -> Option<String> {
        let Unit::Column(unit) = &self.terms.unit else { return None };
        let own: Vec<_> = self.terms.columns.iter().filter(|column| column.per_unit).collect();
        let (mut items, mut keys) = (vec![unit.clone()], vec![unit.clone()]);
        for at in 0..UNIT_COLUMNS {
            if let Some(column) = own.choose(rng).filter(|_| rng.random_bool(0.2)) {
                keys.push(column.name.clone());
                items.push(format!("{} AS u{at}", column.name));
                continue;
            }
            let function = match rng.random_range(0..9) {
                0 => AggregateFunction::CountRows,
                1 => AggregateFunction::Count(column(&self.column(rng).name)),
                2 => AggregateFunction::Sum(self.number(rng, 1)),
                3 => AggregateFunction::Avg(self.number(rng, 0)),
                4 => AggregateFunction::Min(if rng.random_bool(0.5) { self.day(rng) } else { self.number(rng, 1) }),
                5 => AggregateFunction::Max(self.number(rng, 1)),
                6 => AggregateFunction::Any(self.condition(rng, 1)),
                7 => AggregateFunction::Every(self.condition(rng, 1)),
                _ => {
                    let of = column(&self.column(rng).name);
                    // Use an order without ties, as ties keep the order of a secret hash.
                    let is_fine = |column: &&Column| matches!(column.domain, Domain::Number(grid) if !grid.integer);
                    let fine: Vec<_> = self.terms.columns.iter().filter(is_fine).collect();
                    let Some(by) = fine.choose(rng) else { continue };
                    let by = column(&by.name);
                    AggregateFunction::First { of, by, descending: rng.random_bool(0.5) }
                }
            };
            let filter = rng.random_bool(0.2).then(|| self.condition(rng, 1));
            let aggregate = OutputExpression::Aggregate(Box::new(Aggregate { function, filter, at: PLACE }));
            items.push(format!("{} AS u{at}", write::output(&aggregate)));
        }
        let condition = if rng.random_bool(0.4) {
            format!(" WHERE {}", write::condition(&self.condition(rng, 1)))
        } else {
            String::new()
        };
        Some(format!("(SELECT {} FROM {dataset}{condition} GROUP BY {}) AS t", items.join(", "), keys.join(", ")))
    }

    /// A random numeric expression over one row.
    pub fn number(&self, rng: &mut StdRng, depth: u32) -> Expression {
        let is_number = |domain: &Domain| matches!(domain, Domain::Number(_));
        if depth == 0 || rng.random_bool(0.4) {
            return self.of_domain(rng, is_number);
        }
        let constant = |rng: &mut StdRng| {
            at(Scalar::Constant(LiteralValue::Number(
                (*["2", "0.5", "-3", "100", "7.25", "1.0"].choose(rng).expect("one")).to_owned(),
            )))
        };
        let side = |rng: &mut StdRng| {
            if rng.random_bool(0.4) { constant(rng) } else { self.number(rng, depth - 1) }
        };
        let one = Box::new(self.number(rng, depth - 1));
        at(match rng.random_range(0..12) {
            0 => Scalar::Negative(one),
            1 => {
                let operator = *[ArithmeticOperator::Plus, ArithmeticOperator::Minus, ArithmeticOperator::Times]
                    .choose(rng)
                    .expect("one");
                Scalar::Arithmetic(one, operator, Box::new(side(rng)))
            }
            2 => Scalar::Arithmetic(one, ArithmeticOperator::Over, Box::new(constant(rng))),
            3 => Scalar::Absolute(one),
            4 => Scalar::Least(vec![*one, side(rng)]),
            5 => Scalar::Greatest(vec![*one, side(rng), side(rng)]),
            6 => Scalar::Round(one, rng.random_range(0..3)),
            7 => Scalar::Coalesce(one, Box::new(constant(rng))),
            8 => {
                let whens = vec![(self.condition(rng, 1), *one), (self.condition(rng, 0), constant(rng))];
                Scalar::Case(whens, rng.random_bool(0.5).then(|| Box::new(side(rng))))
            }
            9 => Scalar::Extract(*DatePart::VARIANTS.choose(rng).expect("one"), Box::new(self.day(rng))),
            10 => Scalar::Bucket(one, number_literal("-5"), number_literal("90.5"), rng.random_range(1..20)),
            _ => {
                let second = if rng.random_bool(0.4) {
                    at(Scalar::Constant(LiteralValue::Date("2021-07-04".to_owned())))
                } else {
                    self.day(rng)
                };
                Scalar::Arithmetic(Box::new(self.day(rng)), ArithmeticOperator::Minus, Box::new(second))
            }
        })
    }
}
