//! Lowering of functions of texts: tables over the public lists of their operands.
//!
//! Promises that a function is worked out once for each combination of its operands' values, and that a program looks its result up.

use std::collections::HashMap;
use std::sync::Arc;

use dashu::rational::RBig;

use super::{IntegerFunction, Program, Step, TermFault, ValueKind};
use crate::query::term::Term;
use crate::query::term::context::TermContext;
use crate::query::term::patterns::replacements::Replacement;
use crate::query::term::patterns::{Pattern, PatternKind};
use crate::query::term::values::occurring_together;
use crate::query::term::words::{OperandKind, SIZE_MAX, Word, WordFunction};
use crate::query::terms::domain::date_text;
use crate::query::terms::labels::Labels;

/// Largest number of combinations of several operands' values.
const COMBINATIONS_MAX: usize = 10_000;
/// Largest number of values of one operand.
const VALUES_MAX: usize = 500_000;

/// The values of an operand, from the least to the greatest.
fn values(of: &Program, function: WordFunction, place: usize) -> Result<Vec<Word>, TermFault> {
    let (wanted, operation) = (function.kind(place), function.word());
    let is_whole = of.is_number() && of.scale.is_one();
    let is_text = matches!(of.kind, ValueKind::Category(_));
    match wanted {
        OperandKind::Text => of.wanted(is_text, operation, "a text with a list of values")?,
        OperandKind::Number => of.wanted(is_whole, operation, "a whole number beside a text")?,
        OperandKind::Any => {
            let is = is_text || is_whole || matches!(of.kind, ValueKind::Boolean | ValueKind::Date);
            of.wanted(is, operation, "texts, whole numbers and days")?;
        }
    }
    let count = of.high.saturating_sub(of.low).saturating_add(1);
    if usize::try_from(count).map_or(true, |count| count > VALUES_MAX) {
        return Err(TermFault::TooMany(VALUES_MAX));
    }
    let word = |value: i64| match &of.kind {
        ValueKind::Category(labels) => {
            Word::Text(usize::try_from(value).ok().and_then(|code| labels.get(code)).cloned().unwrap_or_default())
        }
        ValueKind::Integer | ValueKind::Decimal => Word::Number(value),
        ValueKind::Boolean => Word::Text(function.truth(value == 1).to_owned()),
        ValueKind::Date => Word::Text(date_text(i32::try_from(value).unwrap_or_default())),
    };
    Ok((of.low..=of.high).map(word).collect())
}

/// A function of texts.
pub(super) fn worded(
    function: WordFunction,
    terms: &[Term],
    operands: Vec<Program>,
    known: &TermContext<'_>,
) -> Result<Program, TermFault> {
    let lists = operands.iter().enumerate().map(|(place, of)| values(of, function, place));
    let mut lists = lists.collect::<Result<Vec<_>, _>>()?;
    place(function, &lists)?;
    if function == WordFunction::ConcatWs && operands.first().is_some_and(|of| of.nullable) {
        return Err(TermFault::Place("CONCAT_WS wants a separator that is never missing"));
    }
    let per_unit = operands.iter().all(|of| of.per_unit);
    let nullable = !function.skips_missing() && operands.iter().any(|of| of.nullable);
    // A missing value that counts as empty comes behind all others.
    let mut parts = Vec::with_capacity(operands.len());
    let programs = operands.clone();
    for (of, list) in operands.into_iter().zip(&mut lists) {
        let (low, end) = (of.low, of.low + list.len() as i64);
        let step = if of.nullable && function.skips_missing() {
            list.push(Word::Missing);
            Step::Filled(Arc::new(of.step), end)
        } else {
            of.step
        };
        parts.push((step, low));
    }
    let (kind, entries) = worked_out(function, (terms, &programs), &lists, known)?;
    let (low, high) = (entries.iter().min().copied().unwrap_or(0), entries.iter().max().copied().unwrap_or(0));
    let step = match entries.first() {
        Some(only) if low == high && !nullable => Step::Constant(*only),
        _ => looked_up(parts, &lists, entries),
    };
    Ok(Program { step, kind, scale: RBig::ONE, low, high, nullable, per_unit })
}

/// Kind of a function's results, and the result of each combination of its operands' values.
fn worked_out(
    function: WordFunction,
    (terms, programs): (&[Term], &[Program]),
    lists: &[Vec<Word>],
    known: &TermContext<'_>,
) -> Result<(ValueKind, Vec<i64>), TermFault> {
    let replacement = replacement(function, lists)?;
    let several = lists.iter().filter(|list| list.len() > 1).count() > 1;
    let count = lists.iter().try_fold(1_usize, |count, list| count.checked_mul(list.len()));
    let limit = if several { COMBINATIONS_MAX } else { VALUES_MAX };
    let of = |words: Vec<&Word>| match (&replacement, words.first()) {
        (Some(replacement), Some(Word::Text(text))) => Word::Text(replacement.replaced(text)),
        _ => function.of(&words),
    };
    let Some(count) = count.filter(|count| *count <= VALUES_MAX) else { return Err(TermFault::TooMany(limit)) };
    if count <= limit {
        known.steps().spend(count as u64 * 2);
        return Ok(listed(combinations(lists, count).map(of)));
    }
    // Operands of the same columns have few values together: only those are worked out.
    let rows = together(terms, programs, known).ok_or(TermFault::TooMany(limit))?;
    known.steps().spend(rows.len() as u64 * 2);
    let place = |((value, of), list): ((&Option<i64>, &Program), &Vec<Word>)| match value {
        Some(value) => usize::try_from(value - of.low).unwrap_or(0).min(list.len() - 1),
        None => list.len() - 1,
    };
    let places = |row: &Vec<Option<i64>>| row.iter().zip(programs).zip(lists).map(place).collect::<Vec<usize>>();
    let places: Vec<Vec<usize>> = rows.iter().map(places).collect();
    let words = |row: &Vec<usize>| row.iter().zip(lists).map(|(place, list)| &list[*place]).collect();
    let (kind, found) = listed(places.iter().map(|row| of(words(row))));
    let mut entries = vec![found.first().copied().unwrap_or(0); count];
    for (row, entry) in places.iter().zip(found) {
        let at = row.iter().zip(lists).fold(0, |at, (place, list)| at * list.len() + place);
        if let Some(slot) = entries.get_mut(at) {
            *slot = entry;
        }
    }
    Ok((kind, entries))
}

/// What replaces the matches of a pattern, which is the same in every row.
fn replacement(function: WordFunction, lists: &[Vec<Word>]) -> Result<Option<Replacement>, TermFault> {
    if function != WordFunction::RegexpReplace {
        return Ok(None);
    }
    let constant = |place: usize| match lists.get(place).map(Vec::as_slice) {
        None => Ok(""),
        Some([Word::Text(text)]) => Ok(text.as_str()),
        Some(_) => Err(TermFault::Place("REGEXP_REPLACE wants a constant pattern, replacement and flags")),
    };
    Replacement::parse(constant(1)?, constant(2)?, constant(3)?).map(Some).map_err(TermFault::Pattern)
}

/// The values that the operands have together in some row, in ascending order; `None` if that takes too long, or there are too many.
fn together(terms: &[Term], programs: &[Program], known: &TermContext<'_>) -> Option<Vec<Vec<Option<i64>>>> {
    let steps: Vec<Step> = programs.iter().map(|of| of.step.clone()).collect();
    let rows = occurring_together(&steps, terms, known)?;
    (rows.len() <= COMBINATIONS_MAX).then_some(rows)
}

/// PostgreSQL refuses these places when it meets them.
fn place(function: WordFunction, lists: &[Vec<Word>]) -> Result<(), TermFault> {
    let has = |place: usize, is: fn(i64) -> bool| {
        lists.get(place).into_iter().flatten().any(|word| matches!(word, Word::Number(number) if is(*number)))
    };
    match function {
        WordFunction::Substring if has(2, |count| count < 0) => {
            Err(TermFault::Place("SUBSTRING wants a number of characters of 0 or more"))
        }
        WordFunction::Lpad | WordFunction::Rpad | WordFunction::Repeat if has(1, |size| size > SIZE_MAX) => {
            Err(TermFault::Place("LPAD, RPAD and REPEAT take a number of at most 1000"))
        }
        WordFunction::SplitPart if has(2, |part| part == 0) => {
            Err(TermFault::Place("SPLIT_PART counts parts from 1, or from −1 at the end"))
        }
        _ => Ok(()),
    }
}

/// All combinations of one value of each list; the last list varies fastest.
fn combinations(lists: &[Vec<Word>], count: usize) -> impl Iterator<Item = Vec<&Word>> {
    (0..count).map(move |mut at| {
        let mut words: Vec<&Word> = Vec::with_capacity(lists.len());
        for list in lists.iter().rev() {
            words.push(&list[at % list.len()]);
            at /= list.len();
        }
        words.reverse();
        words
    })
}

/// Kind of the results, and each of them as an integer: numbers as they are, texts by their place among the different ones.
fn listed(results: impl Iterator<Item = Word>) -> (ValueKind, Vec<i64>) {
    let (mut labels, mut known, mut kind) = (Vec::new(), HashMap::new(), None);
    let mut entries = Vec::new();
    for result in results {
        entries.push(match result {
            Word::Number(number) => {
                kind = Some(ValueKind::Integer);
                number
            }
            Word::Missing => 0,
            Word::Text(text) => *known.entry(text).or_insert_with_key(|text: &String| {
                labels.push(text.clone());
                labels.len() as i64 - 1
            }),
        });
    }
    (kind.unwrap_or_else(|| ValueKind::Category(Labels::from(labels))), entries)
}

/// The program that finds the entry of a row's combination.
fn looked_up(parts: Vec<(Step, i64)>, lists: &[Vec<Word>], entries: Vec<i64>) -> Step {
    let (mut stride, mut low, mut strides) = (1_i64, 0, Vec::new());
    for (list, (_, first)) in lists.iter().zip(&parts).rev() {
        strides.push(stride);
        low += first * stride;
        stride *= list.len() as i64;
    }
    strides.reverse();
    let mut factors: Vec<(Step, i64)> = Vec::new();
    for ((step, first), (list, stride)) in parts.into_iter().zip(lists.iter().zip(strides)) {
        if list.len() > 1 || !matches!(step, Step::Constant(_)) {
            factors.push((step, stride));
        } else {
            low -= first * stride;
        }
    }
    let inner = match <[(Step, i64); 1]>::try_from(factors) {
        Ok([(step, 1)]) => step,
        Ok(one) => Step::Plus(one.into_iter().collect()),
        Err(many) => Step::Plus(many.into_iter().collect()),
    };
    Step::Apply(IntegerFunction::Table { low, entries: entries.into() }, Arc::new(inner))
}

/// Brings categories to one list, in the order of first occurrence.
pub(super) fn united(parts: Vec<Program>, known: &TermContext<'_>) -> (Vec<Program>, Labels) {
    let labels = |part: &Program| match &part.kind {
        ValueKind::Category(labels) => labels.clone(),
        ValueKind::Integer | ValueKind::Decimal | ValueKind::Date | ValueKind::Boolean => Labels::from(Vec::new()),
    };
    let Some(first) = parts.first().map(labels) else { return (parts, Labels::from(Vec::new())) };
    if parts.iter().all(|part| labels(part) == first) {
        return (parts, first);
    }
    let (mut all, mut places) = (Vec::new(), HashMap::new());
    let mut tables = Vec::new();
    for part in &parts {
        let of = labels(part);
        known.steps().spend(of.len() as u64);
        let place = |label: &String| {
            *places.entry(label.clone()).or_insert_with(|| {
                all.push(label.clone());
                all.len() as i64 - 1
            })
        };
        tables.push(of.iter().map(place).collect::<Vec<i64>>());
    }
    let all = Labels::from(all);
    let moved = |(part, table): (Program, Vec<i64>)| {
        let of = |code: i64| usize::try_from(code).ok().and_then(|code| table.get(code)).copied().unwrap_or(0);
        let used: Vec<i64> = (part.low..=part.high).map(of).collect();
        let (low, high) = (used.iter().min().copied().unwrap_or(0), used.iter().max().copied().unwrap_or(0));
        let step = match part.step {
            Step::Constant(code) => Step::Constant(of(code)),
            step if table.iter().zip(0..).all(|(to, from)| *to == from) => step,
            step => Step::Apply(IntegerFunction::Table { low: 0, entries: table.into() }, Arc::new(step)),
        };
        Program { step, kind: ValueKind::Category(all.clone()), low, high, ..part }
    };
    (parts.into_iter().zip(tables).map(moved).collect(), all)
}

/// Whether a category matches a pattern.
pub(super) fn matched(
    of: Program,
    kind: PatternKind,
    pattern: &str,
    known: &TermContext<'_>,
) -> Result<Program, TermFault> {
    let ValueKind::Category(labels) = &of.kind else {
        return Err(TermFault::Kind {
            operation: kind.word(),
            wanted: "a text with a list of values",
            found: of.word(),
        });
    };
    let pattern = Pattern::parse(kind, pattern).map_err(TermFault::Pattern)?;
    known.steps().spend(labels.len() as u64 * 4);
    let entries = labels.iter().map(|label| i64::from(pattern.matches(label))).collect();
    let step = Step::Apply(IntegerFunction::Table { low: 0, entries }, Arc::new(of.step));
    Ok(Program { step, kind: ValueKind::Boolean, scale: RBig::ONE, low: 0, high: 1, ..of })
}

/// The difference of two values in their common list.
pub(super) fn apart(one: Program, other: Program, known: &TermContext<'_>) -> Result<Program, TermFault> {
    let parts = match (&one.kind, &other.kind) {
        (ValueKind::Category(_), ValueKind::Category(_)) => united(vec![one, other], known).0,
        (ValueKind::Boolean, ValueKind::Boolean) => vec![one, other],
        _ => {
            let is = matches!(one.kind, ValueKind::Category(_) | ValueKind::Boolean);
            let odd = if is { &other } else { &one };
            return Err(TermFault::Kind { operation: "=", wanted: "two of one kind", found: odd.word() });
        }
    };
    let size = parts.iter().map(|part| part.high).max().unwrap_or(0).max(1);
    let (nullable, per_unit) = (parts.iter().any(|part| part.nullable), parts.iter().all(|part| part.per_unit));
    let step = Step::Plus(parts.into_iter().map(|part| part.step).zip([1, -1]).collect());
    Ok(Program { step, kind: ValueKind::Integer, scale: RBig::ONE, low: -size, high: size, nullable, per_unit })
}
