//! Lowering of functions of days: texts of days and distances between them.

use std::collections::HashMap;
use std::sync::Arc;

use dashu::rational::RBig;

use super::operations::of_date;
use super::{IntegerFunction, Program, Step, TermFault, ValueKind};
use crate::query::error::shown;
use crate::query::term::calendar::Period;
use crate::query::term::context::TermContext;
use crate::query::term::formats::DayFormat;
use crate::query::term::readings::{Moment, ReadingFormat};
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

/// TO_DATE of a category: the day of each of its texts.
pub(super) fn read(of: Program, format: &str, known: &TermContext<'_>) -> Result<Program, TermFault> {
    let ValueKind::Category(labels) = &of.kind else {
        return Err(TermFault::Kind { operation: "TO_DATE", wanted: "a text with a list of values", found: of.word() });
    };
    let reading = ReadingFormat::parse(format).ok_or(TermFault::Place(
        "TO_DATE and TO_TIMESTAMP know a format of YYYY, MM, Mon, Month, DD, HH24, MI, SS, MS and US",
    ))?;
    known.steps().spend(labels.len() as u64 * 2);
    let day = |label: &String| match reading.moment(label) {
        Some(Moment { day, micros: 0 }) => Ok(i64::from(day)),
        Some(_) | None => Err(TermFault::NoDay(shown(label))),
    };
    let entries = labels.iter().map(day).collect::<Result<Vec<i64>, _>>()?;
    let (low, high) = (entries.iter().min().copied().unwrap_or(0), entries.iter().max().copied().unwrap_or(0));
    let function = IntegerFunction::Table { low: 0, entries: entries.into() };
    let step = match of.step {
        Step::Constant(code) => Step::Constant(function.apply(code)),
        step => Step::Apply(function, Arc::new(step)),
    };
    Ok(Program { step, kind: ValueKind::Date, scale: RBig::ONE, low, high, ..of })
}

/// MAKE_DATE: every month that is made has the day.
pub(super) fn made(year: Program, month: Program, day: Program) -> Result<Program, TermFault> {
    const NO_DAY: TermFault = TermFault::Place(
        "MAKE_DATE wants years from 1 to 9999, months from 1 to 12 and days that all of these months have: there might be no such day",
    );
    for part in [&year, &month, &day] {
        part.wanted(part.is_number() && part.scale.is_one(), "MAKE_DATE", "three whole numbers")?;
    }
    let is_in = |part: &Program, low: i64, high: i64| part.low >= low && part.high <= high;
    if !is_in(&year, 1, 9_999) || !is_in(&month, 1, 12) {
        return Err(NO_DAY);
    }
    let shortest = (month.low..=month.high).map(|month| match month {
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    });
    if !is_in(&day, 1, shortest.min().unwrap_or(28)) {
        return Err(NO_DAY);
    }
    let ordinal = |year: i64, month: i64| Period::Month.first(12 * year + month - 1);
    let (low, high) = (ordinal(year.low, month.low) + day.low - 1, ordinal(year.high, month.high) + day.high - 1);
    let nullable = year.nullable || month.nullable || day.nullable;
    let per_unit = year.per_unit && month.per_unit && day.per_unit;
    let months = Step::Plus([(year.step, 12), (month.step, 1), (Step::Constant(-1), 1)].into());
    let first = Step::Apply(IntegerFunction::First(Period::Month), Arc::new(months));
    let step = Step::Plus([(first, 1), (day.step, 1), (Step::Constant(-1), 1)].into());
    Ok(Program { step, kind: ValueKind::Date, scale: RBig::ONE, low, high, nullable, per_unit })
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
