//! Literals, names and constants at one place.

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use tacit::query::error::Position;
use tacit::query::syntax::{Expression, Literal, LiteralValue, Name, Scalar};
use tacit::query::terms::domain::{Domain, date_text};

pub const PLACE: Position = Position { line: 1, column: 1 };

/// A random literal for a domain: inside it, at its ends, beyond them, or off the grid.
pub fn literal(rng: &mut StdRng, domain: &Domain) -> Literal {
    let value = match domain {
        Domain::Category(values) => LiteralValue::Text(values.choose(rng).expect("a value").clone()),
        Domain::Text { .. } => LiteralValue::Text("anything".to_owned()),
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

pub fn number_literal(text: &str) -> Literal {
    Literal { value: LiteralValue::Number(text.to_owned()), at: PLACE }
}

pub fn constant(literal: Literal) -> Expression {
    at(Scalar::Constant(literal.value))
}

pub fn at(value: Scalar) -> Expression {
    Expression { value, at: PLACE }
}

pub fn column(text: &str) -> Expression {
    at(Scalar::Column(name(text)))
}

pub fn name(text: &str) -> Name {
    Name { of: None, text: text.to_owned(), at: PLACE }
}

pub fn whole(text: &str) -> Expression {
    at(Scalar::Constant(LiteralValue::Number(text.to_owned())))
}
