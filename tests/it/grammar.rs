//! Questions at random, by walking the grammar: what the language has, these have, too.
//!
//! Every kind of aggregate, key, condition and order is written by an exhaustive match over the closed syntax, so a new kind does not
//! compile before it is written here; and the tables of makers beside them say how each is made.

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use tacit::dataset::domain::{Column, Domain, date_text};
use tacit::dataset::policy::{Terms, Unit};
use tacit::query::error::Position;
use tacit::query::syntax::{Aggregate, Comparison, Condition, Key, Literal, LiteralValue, Name, OrderBy};

const DEPTH_MAX: u32 = 3;
const PLACE: Position = Position { line: 1, column: 1 };

/// A question about a dataset; most can be answered, some are broken in one place.
pub fn question(rng: &mut StdRng, dataset: &str, terms: &Terms) -> String {
    let walk = Walk { terms };
    let keys = walk.keys(rng);
    let aggregates: Vec<Aggregate> = (0..rng.random_range(1..4)).map(|_| walk.aggregate(rng)).collect();
    let mut items: Vec<String> = keys.iter().map(key).collect();
    items.extend(aggregates.iter().enumerate().map(|(at, one)| format!("{} AS a{at}", aggregate(one))));
    let mut sql = format!("SELECT {} FROM {dataset}", items.join(", "));
    if rng.random_bool(0.6) {
        sql.push_str(&format!(" WHERE {}", condition(&walk.condition(rng, DEPTH_MAX))));
    }
    if !keys.is_empty() {
        let by = |(at, one): (usize, &Key)| if at % 2 == 1 { format!("{}", at + 1) } else { key(one) };
        sql.push_str(&format!(" GROUP BY {}", keys.iter().enumerate().map(by).collect::<Vec<_>>().join(", ")));
    }
    if rng.random_bool(0.3) {
        let by = match rng.random_range(0..3) {
            0 => OrderBy::Name("a0".to_owned()),
            1 => OrderBy::Ordinal(1),
            _ => OrderBy::Aggregate(aggregates[0].clone()),
        };
        sql.push_str(&format!(
            " ORDER BY {}{}",
            order(&by),
            ["", " DESC", " ASC NULLS FIRST"].choose(rng).expect("one")
        ));
    }
    if rng.random_bool(0.2) {
        sql.push_str(&format!(" LIMIT {}", rng.random_range(0..20)));
    }
    if rng.random_bool(0.15) { broken(rng, &sql) } else { sql }
}

/// One word of the question replaced by another that may stand in no question, or not there.
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

struct Walk<'a> {
    terms: &'a Terms,
}

impl Walk<'_> {
    fn keys(&self, rng: &mut StdRng) -> Vec<Key> {
        let grouped = self.terms.columns.iter().filter(|column| column.domain.labels().is_some());
        let keys: Vec<Key> =
            grouped.filter(|_| rng.random_bool(0.25)).map(|column| Key::Column(name(&column.name))).collect();
        keys.into_iter().take(3).collect()
    }

    fn column(&self, rng: &mut StdRng) -> &Column {
        self.terms.columns.choose(rng).expect("a column")
    }

    fn number(&self, rng: &mut StdRng) -> Name {
        let numeric: Vec<_> =
            self.terms.columns.iter().filter(|column| matches!(column.domain, Domain::Number(_))).collect();
        // Now and then one that is no number, and is refused.
        let column = if rng.random_bool(0.95) { numeric.choose(rng).copied() } else { None };
        name(&column.unwrap_or_else(|| self.column(rng)).name)
    }

    fn aggregate(&self, rng: &mut StdRng) -> Aggregate {
        let unit = match &self.terms.unit {
            Unit::Column(unit) => unit.clone(),
            Unit::Row => "row".to_owned(),
        };
        match rng.random_range(0..5) {
            0 => Aggregate::CountRows,
            1 => Aggregate::Count(name(&self.column(rng).name)),
            2 => Aggregate::CountDistinct(name(&unit)),
            3 => Aggregate::Sum(self.number(rng)),
            _ => Aggregate::Avg(self.number(rng)),
        }
    }

    fn condition(&self, rng: &mut StdRng, depth: u32) -> Condition {
        let column = self.column(rng);
        let parts = |rng: &mut StdRng| (0..rng.random_range(1..4)).map(|_| self.condition(rng, depth - 1)).collect();
        match rng.random_range(0..if depth == 0 { 5 } else { 8 }) {
            0 => {
                use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
                let ordered = matches!(column.domain, Domain::Number(_) | Domain::Date { .. });
                let all = [Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual];
                let how = all[..if ordered { 6 } else { 2 }].choose(rng).expect("one");
                Condition::Compare(name(&column.name), *how, literal(rng, &column.domain))
            }
            1 => Condition::Between(name(&column.name), literal(rng, &column.domain), literal(rng, &column.domain)),
            2 => {
                let list = (0..rng.random_range(1..5)).map(|_| literal(rng, &column.domain)).collect();
                Condition::In(name(&column.name), list)
            }
            3 => Condition::IsNull(name(&column.name)),
            4 => {
                let flags: Vec<_> =
                    self.terms.columns.iter().filter(|column| column.domain == Domain::Boolean).collect();
                Condition::Column(name(&flags.choose(rng).copied().unwrap_or(column).name))
            }
            5 => Condition::Not(Box::new(self.condition(rng, depth - 1))),
            6 => Condition::All(parts(rng)),
            _ => Condition::Any(parts(rng)),
        }
    }
}

/// A literal of a domain: inside, at the ends, beyond them, off the grid.
fn literal(rng: &mut StdRng, domain: &Domain) -> Literal {
    let value = match domain {
        Domain::Category(values) => LiteralValue::Text(values.choose(rng).expect("a value").clone()),
        Domain::Boolean => LiteralValue::Boolean(rng.random_bool(0.5)),
        Domain::Number(grid) => {
            let steps = match rng.random_range(0..6) {
                0 => grid.low,
                1 => grid.high,
                2 => grid.low.saturating_sub(1),
                3 => grid.high.saturating_add(1),
                _ => rng.random_range(grid.low..=grid.high),
            };
            let text = grid.text(steps.into());
            LiteralValue::Number(if rng.random_bool(0.1) {
                format!("{text}{}", if text.contains('.') { "5" } else { ".5" })
            } else {
                text
            })
        }
        Domain::Date { min, max } => {
            let day = match rng.random_range(0..4) {
                0 => *min,
                1 => *max,
                _ => rng.random_range(min - 2..=max + 2),
            };
            if rng.random_bool(0.5) { LiteralValue::Date(date_text(day)) } else { LiteralValue::Text(date_text(day)) }
        }
    };
    Literal { value, at: PLACE }
}

fn name(text: &str) -> Name {
    Name { text: text.to_owned(), at: PLACE }
}

fn aggregate(aggregate: &Aggregate) -> String {
    match aggregate {
        Aggregate::CountRows => "COUNT(*)".to_owned(),
        Aggregate::Count(column) => format!("COUNT({})", column.text),
        Aggregate::CountDistinct(column) => format!("COUNT(DISTINCT {})", column.text),
        Aggregate::Sum(column) => format!("SUM({})", column.text),
        Aggregate::Avg(column) => format!("AVG({})", column.text),
    }
}

fn key(key: &Key) -> String {
    match key {
        Key::Column(column) => column.text.clone(),
        Key::Ordinal(number, _) => number.to_string(),
    }
}

fn order(by: &OrderBy) -> String {
    match by {
        OrderBy::Name(name) => name.clone(),
        OrderBy::Ordinal(number) => number.to_string(),
        OrderBy::Aggregate(one) => aggregate(one),
    }
}

fn condition(one: &Condition) -> String {
    let joined = |parts: &[Condition], word: &str| {
        let parts: Vec<_> = parts.iter().map(|part| format!("({})", condition(part))).collect();
        parts.join(word)
    };
    match one {
        Condition::Compare(column, how, literal) => {
            format!("{} {} {}", column.text, comparison(*how), constant(literal))
        }
        Condition::Between(column, low, high) => {
            format!("{} BETWEEN {} AND {}", column.text, constant(low), constant(high))
        }
        Condition::In(column, list) => {
            format!("{} IN ({})", column.text, list.iter().map(constant).collect::<Vec<_>>().join(", "))
        }
        Condition::IsNull(column) => format!("{} IS NULL", column.text),
        Condition::Column(column) => column.text.clone(),
        Condition::Not(inner) => format!("NOT ({})", condition(inner)),
        Condition::All(parts) => joined(parts, " AND "),
        Condition::Any(parts) => joined(parts, " OR "),
    }
}

fn comparison(how: Comparison) -> &'static str {
    match how {
        Comparison::Equal => "=",
        Comparison::NotEqual => "<>",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}

fn constant(literal: &Literal) -> String {
    match &literal.value {
        LiteralValue::Number(text) => text.clone(),
        LiteralValue::Text(text) => format!("'{}'", text.replace('\'', "''")),
        LiteralValue::Date(text) => format!("DATE '{text}'"),
        LiteralValue::Boolean(value) => value.to_string(),
    }
}
