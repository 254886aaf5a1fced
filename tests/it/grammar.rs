//! Random questions that walk the grammar: they use most of what the language has.
//!
//! Every kind of aggregate, key, condition and order is written by an exhaustive match over the closed syntax (in [`write`]), so a new kind
//! does not compile until it is written there; the generators here say how each is made.

mod literals;
mod expressions;
pub mod write;

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use strum::VariantArray;
use tacit::query::parse::parse;
use tacit::query::plan::plan;
use tacit::query::syntax::{
    Aggregate, AggregateFunction, ArithmeticOperator, Comparison, Condition, Expression, GroupFunction, GroupOrder,
    GroupWindowCall, Having, Key, LiteralValue, OrderBy, OutputExpression, Pair, Scalar, ScalarFunction, Spread,
    WindowBound, WindowFrame,
};
use tacit::query::term::calendar::{DatePart, Period};
use tacit::query::terms::domain::{Column, Domain};
use tacit::query::terms::policy::{Terms, Unit};

use self::literals::{PLACE, at, column, constant, literal, name, number_literal, whole};

const DEPTH_MAX: u32 = 3;
/// Number of columns of a subquery.
const UNIT_COLUMNS: usize = 4;

/// A random question about a dataset; most can be answered, some are broken in one place.
pub fn question(rng: &mut StdRng, dataset: &str, terms: &Terms) -> String {
    let sql = sound(rng, dataset, terms);
    if rng.random_bool(0.15) { broken(rng, &sql) } else { sql }
}

/// A random question that is not broken on purpose.
pub fn sound(rng: &mut StdRng, dataset: &str, terms: &Terms) -> String {
    let (joined, named) = joined(rng, dataset, terms);
    let own = Walk { terms: &named };
    let inner = own.subquery(rng, &joined).filter(|_| rng.random_bool(0.3));
    // Outside a subquery, only its columns exist.
    let planned = inner.as_ref().and_then(|text| seen(text, terms));
    let table = planned.as_ref().map_or(joined, |(text, _)| text.clone());
    let walk = Walk { terms: planned.as_ref().map_or(&named, |(_, terms)| terms) };
    let keys = walk.keys(rng);
    let mut outputs: Vec<OutputExpression> = (0..rng.random_range(1..4)).map(|_| walk.output(rng, 1)).collect();
    outputs.extend(walk.running(rng, &keys));
    if rng.random_bool(0.2) {
        outputs.extend(walk.window(rng, &keys));
    }
    let mut items: Vec<String> = keys.iter().map(write::key).collect();
    if let Some(key) = keys.first().filter(|_| rng.random_bool(0.1)) {
        items.push(format!("GROUPING({}) AS g", write::key(key)));
    }
    items.extend(outputs.iter().enumerate().map(|(at, one)| format!("{} AS a{at}", write::output(one))));
    let mut sql = format!("SELECT {} FROM {table}", items.join(", "));
    if rng.random_bool(0.6) {
        sql.push_str(&format!(" WHERE {}", write::condition(&walk.condition(rng, DEPTH_MAX))));
    }
    if !keys.is_empty() {
        let by = |(at, one): (usize, &Key)| if at % 2 == 1 { format!("{}", at + 1) } else { write::key(one) };
        let by: Vec<_> = keys.iter().enumerate().map(by).collect();
        // Running sums need a single grouping; sometimes there are several, which is refused.
        let has_running = outputs
            .iter()
            .any(|output| matches!(output, OutputExpression::Running { .. } | OutputExpression::Window(_)))
            && rng.random_bool(0.95);
        let groups = match (if has_running { 8 } else { rng.random_range(0..8) }, &by[..]) {
            (0, _) => format!("ROLLUP ({})", by.join(", ")),
            (1, _) => format!("CUBE ({})", by.join(", ")),
            (2, [first, .., last]) => format!("GROUPING SETS (({first}), ({last}), ())"),
            (3, [first, rest @ ..]) if !rest.is_empty() => format!("{first}, ROLLUP ({})", rest.join(", ")),
            _ => by.join(", "),
        };
        sql.push_str(&format!(" GROUP BY {groups}"));
    }
    if rng.random_bool(0.2) {
        sql.push_str(&format!(" HAVING {}", write::having(&walk.having(rng, 1))));
    }
    if rng.random_bool(0.3) {
        let by = match (rng.random_range(0..4), keys.first()) {
            (0, _) => OrderBy::Name("a0".to_owned()),
            (1, _) => OrderBy::Ordinal(1),
            (2, Some(Key::By(key))) => OrderBy::Key(key.clone()),
            _ => OrderBy::Output(outputs[0].clone()),
        };
        sql.push_str(&format!(
            " ORDER BY {}{}",
            write::order(&by),
            ["", " DESC", " ASC NULLS FIRST"].choose(rng).expect("one")
        ));
    }
    if rng.random_bool(0.2) {
        sql.push_str(&format!(" LIMIT {}", rng.random_range(0..20)));
    }
    sql
}

/// The dataset, sometimes joined with one of its tables, and the terms with the columns that can then be named.
fn joined(rng: &mut StdRng, dataset: &str, terms: &Terms) -> (String, Terms) {
    let unit = terms.unit_column().unwrap_or_default();
    let mut from = dataset.to_owned();
    let mut tables = Vec::new();
    for (place, join) in terms.joins.iter().enumerate() {
        if rng.random_bool(0.3) {
            let is_left = rng.random_bool(0.5);
            from.push_str(&format!(" {}JOIN {} USING ({unit})", if is_left { "LEFT " } else { "" }, join.name));
            tables.push((place, is_left));
        }
    }
    let mut named = terms.joined(&tables).into_owned();
    named.columns = named.columns.visible().cloned().collect();
    named.joins.clear();
    (from, named)
}

/// A subquery with the terms of its columns; `None` if it is refused.
fn seen(text: &str, terms: &Terms) -> Option<(String, Terms)> {
    let names: Vec<String> = (0..UNIT_COLUMNS).map(|at| format!("COUNT(u{at}) AS n{at}")).collect();
    let query = parse(&format!("SELECT {} FROM {text}", names.join(", "))).ok()?;
    let plan = plan(&query, terms, None).ok()?;
    Some((text.to_owned(), plan.seen?.as_ref().clone()))
}

/// Replaces one word of the question by another, which may be unsupported or out of place.
fn broken(rng: &mut StdRng, sql: &str) -> String {
    const WORDS: [&str; 24] = [
        "MAX",
        "nobody",
        "'",
        "\"",
        "--",
        "/*",
        ";",
        "NULL",
        "JOIN",
        "HAVING",
        "patient_id",
        "rank",
        "c0",
        "1e400",
        "-0",
        "::int",
        "$$x$$",
        "(SELECT 1)",
        "*",
        "DISTINCT",
        "\u{202e}",
        "\0",
        "NaN",
        "OVER ()",
    ];
    let words: Vec<&str> = sql.split(' ').collect();
    let at = rng.random_range(0..words.len());
    let new = WORDS.choose(rng).expect("a word");
    words
        .iter()
        .enumerate()
        .map(|(place, word)| if place == at { new } else { word })
        .copied()
        .collect::<Vec<_>>()
        .join(" ")
}

/// Generates parts of questions about one dataset.
pub struct Walk<'a> {
    pub terms: &'a Terms,
}

impl Walk<'_> {
    fn keys(&self, rng: &mut StdRng) -> Vec<Key> {
        // Text without a public list must be the only key; sometimes there are others, which is refused.
        let text = self.terms.columns.iter().find(|column| matches!(column.domain, Domain::Text { .. }));
        if let Some(text) = text.filter(|_| rng.random_bool(0.06)) {
            let more = rng.random_bool(0.1).then(|| Key::By(self.key(rng)));
            return std::iter::once(Key::By(self::column(&text.name))).chain(more).collect();
        }
        let grouped = self.terms.columns.iter().filter(|column| column.domain.labels().is_some());
        let mut keys: Vec<Key> =
            grouped.filter(|_| rng.random_bool(0.2)).map(|column| Key::By(self::column(&column.name))).collect();
        if rng.random_bool(0.35) {
            keys.push(Key::By(self.key(rng)));
        }
        keys.into_iter().take(3).collect()
    }

    /// A random key that is computed from columns.
    fn key(&self, rng: &mut StdRng) -> Expression {
        match rng.random_range(0..7) {
            5 => at(self.multiple(rng)),
            6 => {
                let part = |rng: &mut StdRng| at(Scalar::Extract(DatePart::Month, Box::new(self.day(rng))));
                let year = at(Scalar::Extract(DatePart::Year, Box::new(self.day(rng))));
                let year = at(Scalar::Arithmetic(Box::new(year), ArithmeticOperator::Times, Box::new(whole("100"))));
                at(Scalar::Arithmetic(Box::new(year), ArithmeticOperator::Plus, Box::new(part(rng))))
            }
            0 => {
                let period = *Period::VARIANTS.choose(rng).expect("one");
                at(Scalar::Truncate(period, Box::new(self.day(rng))))
            }
            1 => at(Scalar::Extract(*DatePart::VARIANTS.choose(rng).expect("one"), Box::new(self.day(rng)))),
            2 => {
                let (low, high) = (number_literal("0"), number_literal(["7", "50.5", "400"].choose(rng).expect("one")));
                at(Scalar::Bucket(Box::new(self.number(rng, 1)), low, high, rng.random_range(1..9)))
            }
            3 => {
                let label = |text: &str| at(Scalar::Constant(LiteralValue::Text(text.to_owned())));
                let whens = vec![(self.condition(rng, 1), label("one")), (self.condition(rng, 0), label("two"))];
                at(Scalar::Case(whens, rng.random_bool(0.5).then(|| Box::new(label("other")))))
            }
            _ => at(Scalar::Truth(Box::new(self.condition(rng, 1)))),
        }
    }

    /// A whole number that is rounded down to a multiple, or rounded to some decimals.
    fn multiple(&self, rng: &mut StdRng) -> Scalar {
        let one = self.of_domain(rng, |domain| matches!(domain, Domain::Number(_)));
        if rng.random_bool(0.3) {
            return Scalar::Round(Box::new(one), rng.random_range(0..2));
        }
        let by = *["2", "5", "10"].choose(rng).expect("one");
        let over = at(Scalar::Arithmetic(Box::new(one), ArithmeticOperator::Over, Box::new(whole(by))));
        let over = if rng.random_bool(0.5) { over } else { at(Scalar::Round(Box::new(over), 0)) };
        let times = Scalar::Arithmetic(Box::new(over), ArithmeticOperator::Times, Box::new(whole(by)));
        match rng.random_bool(0.3) {
            true => Scalar::Arithmetic(Box::new(at(times)), ArithmeticOperator::Plus, Box::new(whole("3"))),
            false => times,
        }
    }

    fn column(&self, rng: &mut StdRng) -> &Column {
        let is_text = |column: &Column| matches!(column.domain, Domain::Text { .. });
        let first = self.terms.columns.choose(rng).expect("a column");
        if is_text(first) { self.terms.columns.choose(rng).expect("a column") } else { first }
    }

    fn of_domain(&self, rng: &mut StdRng, is: impl Fn(&Domain) -> bool) -> Expression {
        let fitting: Vec<_> = self.terms.columns.iter().filter(|column| is(&column.domain)).collect();
        // Sometimes choose a column of another type, which is refused.
        let column = if rng.random_bool(0.97) { fitting.choose(rng).copied() } else { None };
        self::column(&column.unwrap_or_else(|| self.column(rng)).name)
    }

    /// A random day: a column, or a day that is computed from one.
    fn day(&self, rng: &mut StdRng) -> Expression {
        let day = self.of_domain(rng, |domain| matches!(domain, Domain::Date { .. }));
        let fixed = |rng: &mut StdRng| {
            let day = format!("202{}-0{}-17", rng.random_range(0..6), rng.random_range(1..10));
            at(Scalar::Constant(LiteralValue::Date(day)))
        };
        at(match rng.random_range(0..16) {
            0..3 => {
                let days = at(Scalar::Constant(LiteralValue::Number(rng.random_range(1..50).to_string())));
                let operator = *[ArithmeticOperator::Plus, ArithmeticOperator::Minus].choose(rng).expect("one");
                Scalar::Arithmetic(Box::new(day), operator, Box::new(days))
            }
            3 => Scalar::Least(vec![day, fixed(rng)]),
            4 => Scalar::Greatest(vec![day, fixed(rng)]),
            5 => Scalar::Truncate(*Period::VARIANTS.choose(rng).expect("one"), Box::new(day)),
            6 => Scalar::Coalesce(Box::new(day), Box::new(fixed(rng))),
            7 => {
                let whens = vec![(self.condition(rng, 1), day)];
                Scalar::Case(whens, rng.random_bool(0.5).then(|| Box::new(fixed(rng))))
            }
            _ => return day,
        })
    }

    /// A random number, sometimes clamped between two bounds.
    fn bounded(&self, rng: &mut StdRng) -> Expression {
        let number = self.number(rng, 2);
        if rng.random_bool(0.85) {
            return number;
        }
        at(Scalar::Clamped(Box::new(number), number_literal("1.5"), number_literal("40")))
    }

    fn aggregate(&self, rng: &mut StdRng) -> Aggregate {
        let unit = match &self.terms.unit {
            Unit::Column(unit) => unit.clone(),
            Unit::Row => "row".to_owned(),
        };
        let function = match rng.random_range(0..10) {
            9 => {
                let fraction = number_literal(["0.5", "0.25", "0.975", "0", "1"].choose(rng).expect("one"));
                AggregateFunction::Percentile(fraction, self.number(rng, 1))
            }
            0 | 1 => AggregateFunction::CountRows,
            2 => AggregateFunction::Count(column(&self.column(rng).name)),
            3 => AggregateFunction::CountDistinct(Expression::column(name(&unit))),
            4 | 5 => AggregateFunction::Sum(self.bounded(rng)),
            6 => AggregateFunction::Avg(self.bounded(rng)),
            7 => AggregateFunction::Spread(*Spread::VARIANTS.choose(rng).expect("one"), self.number(rng, 1)),
            _ => AggregateFunction::Pair(
                *Pair::VARIANTS.choose(rng).expect("one"),
                self.number(rng, 0),
                self.number(rng, 0),
            ),
        };
        let filter = rng.random_bool(0.25).then(|| self.condition(rng, 1));
        Aggregate { function, filter, at: PLACE }
    }

    /// Sometimes a running sum along the last key.
    fn running(&self, rng: &mut StdRng, keys: &[Key]) -> Option<OutputExpression> {
        let key = |key: &Key| match key {
            Key::By(expression) => Some(expression.clone()),
            Key::Ordinal(..) => None,
        };
        let keys: Option<Vec<Expression>> = keys.iter().map(key).collect();
        let (by, within) = keys.as_ref().filter(|_| rng.random_bool(0.5))?.split_last()?;
        // Categories and conditions have no order; sometimes one of them is used, which is refused.
        let is_ordered = matches!(by.value, Scalar::Truncate(..) | Scalar::Extract(..) | Scalar::Bucket(..));
        if !is_ordered && rng.random_bool(0.98) {
            return None;
        }
        let function = if rng.random_bool(0.5) {
            AggregateFunction::CountRows
        } else {
            AggregateFunction::Count(self.number(rng, 1))
        };
        let filter = rng.random_bool(0.3).then(|| self.condition(rng, 1));
        let of = Box::new(Aggregate { function, filter, at: PLACE });
        Some(OutputExpression::Running { of, by: Box::new(by.clone()), within: within.to_vec() })
    }

    fn output(&self, rng: &mut StdRng, depth: u32) -> OutputExpression {
        if depth == 0 || rng.random_bool(0.7) {
            return OutputExpression::Aggregate(Box::new(self.aggregate(rng)));
        }
        let one = Box::new(self.output(rng, depth - 1));
        let number = || OutputExpression::Number(number_literal("2.5"));
        match rng.random_range(0..10) {
            0 => OutputExpression::Negative(one),
            1 => {
                use ArithmeticOperator::{Minus, Over, Plus, Times};
                let other = if rng.random_bool(0.5) { self.output(rng, depth - 1) } else { number() };
                OutputExpression::Arithmetic(
                    one,
                    *[Plus, Minus, Times, Over].choose(rng).expect("one"),
                    Box::new(other),
                )
            }
            2 => OutputExpression::Absolute(one),
            3 => OutputExpression::Root(one),
            4 => OutputExpression::Round(one, rng.random_range(0..4)),
            5 => OutputExpression::NullIf(one, Box::new(number())),
            6 => {
                let function = *ScalarFunction::VARIANTS.choose(rng).expect("one");
                let (least, most) = function.arguments();
                let more = (1..rng.random_range(least..=most.min(3))).map(|_| number());
                OutputExpression::Call(function, std::iter::once(*one).chain(more).collect())
            }
            7 => OutputExpression::Case(
                vec![(self.having_of(rng, 1, false), *one)],
                rng.random_bool(0.5).then(|| Box::new(number())),
            ),
            8 => OutputExpression::Truth(Box::new(self.having_of(rng, 1, false))),
            _ => OutputExpression::Arithmetic(Box::new(number()), ArithmeticOperator::Times, one),
        }
    }

    /// A random window over the groups.
    fn window(&self, rng: &mut StdRng, keys: &[Key]) -> Option<OutputExpression> {
        let key = |key: &Key| match key {
            Key::By(expression) => Some(expression.clone()),
            Key::Ordinal(..) => None,
        };
        let keys: Vec<Expression> = keys.iter().filter_map(key).filter(|_| rng.random_bool(0.6)).collect();
        let function = *GroupFunction::VARIANTS.choose(rng).filter(|one| **one != GroupFunction::Total)?;
        let is_rank = function.is_rank();
        let is_curve = matches!(function, GroupFunction::KaplanMeier | GroupFunction::CumulativeIncidence);
        let mut aggregate = || OutputExpression::Aggregate(Box::new(self.aggregate(rng)));
        let of = match (is_rank, is_curve) {
            (true, _) => Vec::new(),
            (false, true) => vec![aggregate(), aggregate()],
            (false, false) => vec![aggregate()],
        };
        let step = match function {
            GroupFunction::Lag | GroupFunction::Lead | GroupFunction::NthValue | GroupFunction::Ntile => {
                rng.random_range(1..4)
            }
            _ => 1,
        };
        let (by, within) = keys.split_last()?;
        let by = OutputExpression::Key(Box::new(by.clone()));
        let order = vec![GroupOrder { by, descending: !is_curve && rng.random_bool(0.3), nulls_first: false }];
        let frame = (!is_curve && rng.random_bool(0.3)).then(|| WindowFrame {
            by_rows: true,
            start: WindowBound::Before(rng.random_range(0..4)),
            end: WindowBound::Current,
        });
        let within = within.to_vec();
        let call = GroupWindowCall { function, of, step, within, order, frame, at: PLACE };
        Some(OutputExpression::Window(Box::new(call)))
    }

    fn having(&self, rng: &mut StdRng, depth: u32) -> Having {
        self.having_of(rng, depth, true)
    }

    /// A random condition after the noise; with `named`, it may name an output.
    fn having_of(&self, rng: &mut StdRng, depth: u32, named: bool) -> Having {
        let side = |rng: &mut StdRng| match rng.random_range(u32::from(!named)..3) {
            0 => OutputExpression::Named(name("a0")),
            1 => OutputExpression::Number(number_literal("100")),
            _ => OutputExpression::Aggregate(Box::new(Aggregate {
                function: AggregateFunction::CountRows,
                filter: None,
                at: PLACE,
            })),
        };
        match rng.random_range(0..if depth == 0 { 2 } else { 5 }) {
            0 => Having::Compare(side(rng), *COMPARISONS.choose(rng).expect("one"), side(rng)),
            1 => Having::IsNull(side(rng)),
            2 => Having::Not(Box::new(self.having_of(rng, depth - 1, named))),
            3 => Having::All(vec![self.having_of(rng, depth - 1, named), self.having_of(rng, depth - 1, named)]),
            _ => Having::Any(vec![self.having_of(rng, depth - 1, named), self.having_of(rng, depth - 1, named)]),
        }
    }

    /// A random condition on rows.
    pub fn condition(&self, rng: &mut StdRng, depth: u32) -> Condition {
        let one = self.column(rng);
        let domain = &one.domain;
        let parts = |rng: &mut StdRng| (0..rng.random_range(1..4)).map(|_| self.condition(rng, depth - 1)).collect();
        match rng.random_range(0..if depth == 0 { 5 } else { 9 }) {
            0 => {
                let ordered = matches!(domain, Domain::Number(_) | Domain::Date { .. });
                let how = COMPARISONS[..if ordered { 6 } else { 2 }].choose(rng).expect("one");
                Condition::Compare(column(&one.name), *how, constant(literal(rng, domain)))
            }
            1 => Condition::Between(column(&one.name), constant(literal(rng, domain)), constant(literal(rng, domain))),
            2 => {
                let list = (0..rng.random_range(1..5)).map(|_| literal(rng, domain)).collect();
                Condition::In(column(&one.name), list)
            }
            3 => Condition::IsNull(column(&one.name)),
            4 => Condition::Is(self.of_domain(rng, |domain| *domain == Domain::Boolean)),
            5 => Condition::Not(Box::new(self.condition(rng, depth - 1))),
            6 => Condition::All(parts(rng)),
            7 => Condition::Any(parts(rng)),
            _ => {
                let how = *COMPARISONS.choose(rng).expect("one");
                Condition::Compare(self.number(rng, 1), how, self.number(rng, 1))
            }
        }
    }
}

/// Comparison operators, those that every type supports first.
const COMPARISONS: [Comparison; 6] = [
    Comparison::Equal,
    Comparison::NotEqual,
    Comparison::Less,
    Comparison::LessOrEqual,
    Comparison::Greater,
    Comparison::GreaterOrEqual,
];
