//! Lowering of functions of days: texts of days and distances between them.

use std::collections::HashMap;
use std::sync::Arc;

use dashu::rational::RBig;

use super::operations::of_date;
use super::{IntegerFunction, Program, Step, TermFault, ValueKind};
use crate::query::term::calendar::Period;
use crate::query::term::context::TermContext;
use crate::query::term::formats::DayFormat;
use crate::query::term::spans::Span;
use crate::query::terms::labels::Labels;

/// Largest number of periods whose texts are written.
const PERIODS_MAX: i64 = 200_000;

/// TO_CHAR of a day: the texts of all periods between the bounds, sorted by what the format shows.
pub(super) fn formatted(of: Program, format: &str, known: &TermContext<'_>) -> Result<Program, TermFault> {
    of.wanted(of.kind == ValueKind::Date, "TO_CHAR", "a date")?;
    let format = DayFormat::parse(format).map_err(|_| TermFault::Format)?;
    let period = format.period();
    let (first, last) = (period.ordinal(of.low), period.ordinal(of.high));
    let count = last.saturating_sub(first).saturating_add(1);
    if count > PERIODS_MAX {
        return Err(TermFault::TooMany(PERIODS_MAX as usize));
    }
    known.steps().spend(u64::try_from(count).unwrap_or(0) * 2);
    // The least and the greatest period may begin before and end behind the bounds, but have one text.
    let day = |ordinal: i64| period.first(ordinal).max(of.low);
    let mut sorted: Vec<(Vec<i64>, i64)> =
        (first..=last).map(|ordinal| (format.place(day(ordinal)), ordinal)).collect();
    sorted.sort();
    let (mut labels, mut codes) = (Vec::new(), HashMap::new());
    let mut entries = vec![0; sorted.len()];
    for (_, ordinal) in sorted {
        let code = *codes.entry(format.text(day(ordinal))).or_insert_with_key(|text: &String| {
            labels.push(text.clone());
            labels.len() as i64 - 1
        });
        if let Some(entry) = usize::try_from(ordinal - first).ok().and_then(|at| entries.get_mut(at)) {
            *entry = code;
        }
    }
    let high = labels.len() as i64 - 1;
    let function = IntegerFunction::Labelled { period, first, entries: entries.into() };
    let step = match of.step {
        Step::Constant(day) => Step::Constant(function.apply(day)),
        step => Step::Apply(function, Arc::new(step)),
    };
    let kind = ValueKind::Category(Labels::from(labels));
    Ok(Program { step, kind, scale: RBig::ONE, low: 0, high, ..of })
}

/// The distance from one day to another one.
pub(super) fn elapsed(span: Span, from: Program, to: Program) -> Result<Program, TermFault> {
    let numbered = |day: Program, function: &IntegerFunction| {
        of_date(day, "DATEDIFF and AGE", function.clone(), ValueKind::Integer, |day| function.apply(day))
    };
    let function = match span {
        Span::Year => IntegerFunction::Ordinal(Period::Year),
        Span::Quarter => IntegerFunction::Ordinal(Period::Quarter),
        Span::Month => IntegerFunction::Ordinal(Period::Month),
        Span::Week => IntegerFunction::SundayWeek,
        Span::AgeYears | Span::AgeMonths => IntegerFunction::MonthAndDay,
    };
    let (from, to) = (numbered(from, &function)?, numbered(to, &function)?);
    let (low, high) = (to.low - from.high, to.high - from.low);
    let (nullable, per_unit) = (from.nullable || to.nullable, from.per_unit && to.per_unit);
    let apart = Step::Plus([(to.step, 1), (from.step, -1)].into());
    let cut = |by: i64, of: Step| Step::Apply(IntegerFunction::Cut(by), Arc::new(of));
    const MONTH: i64 = 32;
    const YEAR: i64 = 12 * MONTH;
    let (step, low, high) = match span {
        Span::Year | Span::Quarter | Span::Month | Span::Week => (apart, low, high),
        Span::AgeYears => (cut(YEAR, apart), low / YEAR, high / YEAR),
        Span::AgeMonths => {
            let (months, years) = (cut(MONTH, apart.clone()), cut(YEAR, apart));
            let (low, high) = (if low <= -MONTH { -11 } else { 0 }, if high >= MONTH { 11 } else { 0 });
            (Step::Plus([(months, 1), (years, -12)].into()), low, high)
        }
    };
    Ok(Program { step, kind: ValueKind::Integer, scale: RBig::ONE, low, high, nullable, per_unit })
}
