//! Functions of texts and distances between days, for the oracle.

use dashu::rational::RBig;
use jiff::civil::{Date, date};
use jiff::{ToSpan, Unit};
use tacit::query::term::readings::ReadingFormat;
use tacit::query::term::spans::Span;
use tacit::query::term::words::{Word, WordFunction};

use super::{Value, day, number};

/// A function of texts; a missing operand is skipped by CONCAT and CONCAT_WS alone.
pub fn worded(function: WordFunction, operands: &[Option<Value>]) -> Option<Value> {
    let word = |value: &Option<Value>| match value {
        None => function.skips_missing().then_some(Word::Missing),
        Some(Value::Text(text)) => Some(Word::Text(text.clone())),
        Some(Value::Truth(truth)) => Some(Word::Text(function.truth(*truth).to_owned())),
        Some(Value::Day(day)) => Some(Word::Text(day.to_string())),
        Some(Value::Whole(number) | Value::Decimal(number)) => {
            Some(Word::Number(i64::try_from(number.floor()).expect("a whole number")))
        }
    };
    let words = operands.iter().map(word).collect::<Option<Vec<_>>>()?;
    Some(match function.of(&words.iter().collect::<Vec<_>>()) {
        Word::Text(text) => Value::Text(text),
        Word::Number(number) => Value::Whole(RBig::from(number)),
        Word::Missing => return None,
    })
}

/// The day that a text names.
pub fn read(text: &Value, format: &str) -> Value {
    let Value::Text(text) = text else { panic!("{text:?} is no text") };
    let moment = ReadingFormat::parse(format).and_then(|format| format.moment(text)).expect("a day");
    Value::Day(day(&RBig::from(moment.day)))
}

/// The day of a year, a month and a day of the month.
pub fn made(parts: [Value; 3]) -> Value {
    let [year, month, day] = parts.map(|part| i16::try_from(number(&part).0.floor()).expect("a part of a day"));
    Value::Day(date(year, i8::try_from(month).expect("a month"), i8::try_from(day).expect("a day")))
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
