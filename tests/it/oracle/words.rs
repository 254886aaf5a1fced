//! Functions of texts and distances between days, for the oracle.

use dashu::rational::RBig;
use jiff::civil::Date;
use jiff::{ToSpan, Unit};
use tacit::query::term::spans::Span;
use tacit::query::term::words::{Word, WordFunction};

use super::Value;

/// A function of texts; a missing operand is an empty text to CONCAT alone.
pub fn worded(function: WordFunction, operands: &[Option<Value>]) -> Option<Value> {
    let word = |value: &Option<Value>| match value {
        None => (function == WordFunction::Concat).then(|| Word::Text(String::new())),
        Some(Value::Text(text)) => Some(Word::Text(text.clone())),
        Some(Value::Truth(truth)) => Some(Word::Text(truth.to_string())),
        Some(Value::Day(day)) => Some(Word::Text(day.to_string())),
        Some(Value::Whole(number) | Value::Decimal(number)) => {
            Some(Word::Number(i64::try_from(number.floor()).expect("a whole number")))
        }
    };
    let words = operands.iter().map(word).collect::<Option<Vec<_>>>()?;
    Some(match function.of(&words.iter().collect::<Vec<_>>()) {
        Word::Text(text) => Value::Text(text),
        Word::Number(number) => Value::Whole(RBig::from(number)),
    })
}

pub fn elapsed(span: Span, from: Date, to: Date) -> i64 {
    let months = |day: Date| i64::from(day.year()) * 12 + i64::from(day.month());
    let sunday = |day: Date| day - day.weekday().to_sunday_zero_offset().days();
    let complete = || {
        let (early, late, sign) = if from <= to { (from, to, 1) } else { (to, from, -1) };
        sign * (months(late) - months(early) - i64::from(late.day() < early.day()))
    };
    match span {
        Span::Year => i64::from(to.year()) - i64::from(from.year()),
        Span::Quarter => (months(to) - 1).div_euclid(3) - (months(from) - 1).div_euclid(3),
        Span::Month => months(to) - months(from),
        Span::Week => i64::from(sunday(from).until((Unit::Day, sunday(to))).expect("a span of days").get_days()) / 7,
        Span::AgeYears => complete() / 12,
        Span::AgeMonths => complete() % 12,
    }
}
