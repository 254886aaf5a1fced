//! What a draft proposes for one column of the source.

use std::fmt::Write;

use super::seen::{Numbers, Seen};
use crate::query::terms::domain::date_text;
use crate::query::terms::policy::SEEN;

/// The largest number of different texts that is still proposed as a list.
const VALUES_MAX: usize = 40;
/// The largest length of a listed value, in characters.
const VALUE_CHARS_MAX: usize = 256;
/// The largest number of different whole numbers that are taken for codes and not for quantities, like 1 and 2 for women and men.
const CODES_MAX: usize = 3;
/// The largest number of decimals that a proposed step keeps.
const DECIMALS_MAX: u32 = 3;
/// The largest number that the draft still compares exactly.
const EXACT_MAX: f64 = 9e15;

/// The statement that a steward may make of a column of numbers. It is left blank, because whatever was read off the data would be a
/// disclosure.
const TYPICAL: &str = "\n# typical = { low = \"…\", middle = \"…\", high = \"…\" }      # optional and public: quartiles known without looking";

/// The text that declares a column, or the reason why the column is left out.
pub(super) enum Proposal {
    Column(String),
    LeftOut(Omission),
}

/// Why a draft declares nothing for a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Omission {
    /// Its cells hold more than one value each.
    #[error("its type does not hold single values, like a list")]
    Nested,
    /// All of its cells are empty.
    #[error("it holds no values")]
    Empty,
    /// It has too many different texts.
    #[error("nearly every row has its own value: it is an id or free text")]
    Distinct,
    /// A sum of its numbers could overflow.
    #[error("its numbers are too large to be summed: some are ids or marks of missing values")]
    Large,
}

/// Proposes a column. `capacity` is the declared number of rows; `single` says that each person has a single value.
pub(super) fn propose(seen: &Seen, capacity: u64, single: bool) -> Proposal {
    if seen.unreadable {
        return Proposal::LeftOut(Omission::Nested);
    }
    if seen.values == 0 {
        return Proposal::LeftOut(Omission::Empty);
    }
    let marks_are_values = domain(seen, capacity, false).is_err();
    match domain(seen, capacity, marks_are_values) {
        Err(why) => Proposal::LeftOut(why),
        Ok(domain) => {
            let mut text = format!("\n[[column]]\nname = \"{}\"\n", seen.name);
            if seen.source != seen.name {
                let _ = writeln!(text, "source = {}", quoted(&seen.source));
            }
            text.push_str(&domain);
            let is_missing = !marks_are_values && !seen.marks.is_empty();
            if is_missing {
                let marks: Vec<_> = seen.marks.iter().map(|mark| quoted(mark)).collect();
                let _ = write!(text, "\nmissing = [{}]", marks.join(", "));
            }
            if single {
                text.push_str("\nper_unit = true");
            }
            if seen.nulls > 0 || is_missing {
                text.push_str("\nnullable = true");
            }
            text.push('\n');
            Proposal::Column(text)
        }
    }
}

/// The column's type with its bounds. If `marks_are_values`, texts that often
/// mean a missing value count as values, and the column is text or a list.
fn domain(seen: &Seen, capacity: u64, marks_are_values: bool) -> Result<String, Omission> {
    let different = seen.different();
    if !marks_are_values {
        if seen.booleans && different.is_some_and(|different| different <= 6) {
            return Ok(format!("type = \"boolean\"{}", words_of(seen)));
        }
        if let Some(days) = days(seen) {
            return Ok(days);
        }
        if let Some(numbers) = &seen.points {
            if let Some(codes) = codes(seen, numbers) {
                return Ok(codes);
            }
            return numbers_of(numbers, capacity);
        }
    }
    let texts = seen.texts.as_ref().filter(|_| seen.longest <= VALUE_CHARS_MAX && !seen.multiline);
    let is_value = |text: &&String| marks_are_values || !seen.marks.contains(*text);
    let values: Vec<&String> = texts.into_iter().flat_map(|texts| texts.keys()).filter(is_value).collect();
    let is_plain = values.iter().all(|value| !value.chars().any(char::is_control));
    if (1..=VALUES_MAX).contains(&values.len()) && is_plain {
        let values: Vec<_> = values.iter().map(|value| quoted(&format!("{SEEN}{value}"))).collect();
        return Ok(format!("type = \"category\"\nvalues = [{}]", values.join(", ")));
    }
    let Some(different) = different.filter(|different| (*different as u64) * 2 <= seen.values) else {
        return Err(Omission::Distinct);
    };
    let multiline = if seen.multiline { "\nmultiline = true" } else { "" };
    let most = (2 * different).next_multiple_of(1_000);
    Ok(format!(
        "type = \"text\"      # without a public list, see the manual; or a category that lists what matters\nmax_values = {most}{multiline}"
    ))
}

/// A hint for columns that hold only 0 and 1, which may be codes for words.
fn words_of(seen: &Seen) -> &'static str {
    if seen.points.is_some() {
        "      # or: type = \"category\", labels = { \"0\" = \"no\", \"1\" = \"yes\" }"
    } else {
        ""
    }
}

fn days(seen: &Seen) -> Option<String> {
    let fitting: Vec<_> = seen.days.iter().filter(|days| days.low <= days.high).collect();
    let first = *fitting.first()?;
    // Eight digits are a day only if every row has one, and only within the time of people who may be alive.
    if seen.points.is_some() && !(-36_525..=73_050).contains(&first.low) {
        return None;
    }
    let text = |days: i64| i32::try_from(days).map(date_text).unwrap_or_default();
    let (low, high) = (text(first.low), text(first.high.max(first.low + 1)));
    let bounds = format!("type = \"date\"\nmin = \"{SEEN}{low}\"\nmax = \"{SEEN}{high}\"");
    let zone = if seen.utc {
        "\n# its times are in UTC: set time_zone = \"…\" in [dataset], or its days will be days in UTC"
    } else {
        ""
    };
    match (first.format, fitting.get(1).and_then(|other| other.format)) {
        (None, _) => Some(format!("{bounds}{zone}")),
        (Some(format), None) => Some(format!("{bounds}\nformat = \"{format}\"")),
        (Some(format), Some(other)) => Some(format!(
            "{bounds}\nformat = \"?\"      # \"{format}\" or \"{other}\": every value can be read both ways"
        )),
    }
}

/// Proposes a category for a few whole numbers that stand for words.
fn codes(seen: &Seen, numbers: &Numbers) -> Option<String> {
    let texts = seen.texts.as_ref().filter(|_| numbers.whole && numbers.low >= 0.0 && numbers.high < 100.0)?;
    let codes: Vec<&String> = texts.keys().filter(|text| !seen.marks.contains(*text)).collect();
    if codes.len() < 2 || codes.len() > CODES_MAX || seen.values < 4 * codes.len() as u64 {
        return None;
    }
    let labels: Vec<_> =
        codes.iter().map(|code| format!("{} = {}", quoted(code), quoted(&format!("{SEEN}{code}")))).collect();
    Some(format!("type = \"category\"      # or an integer\nlabels = {{ {} }}", labels.join(", ")))
}

fn numbers_of(numbers: &Numbers, capacity: u64) -> Result<String, Omission> {
    let decimals = if numbers.whole { 0 } else { numbers.decimals.clamp(1, DECIMALS_MAX) };
    let power = 10_f64.powi(decimals.cast_signed());
    let (low, high) = ((numbers.low * power).floor(), (numbers.high * power).ceil());
    let high = if high > low { high } else { low + 1.0 };
    let largest = low.abs().max(high.abs());
    if !largest.is_finite() || largest > EXACT_MAX || largest * capacity as f64 >= 4e18 {
        return Err(Omission::Large);
    }
    let bound = |value: f64| match decimals {
        0 => format!("{value:.0}"),
        _ => format!("{:.*}", decimals as usize, value / power),
    };
    let bounds = format!("min = \"{SEEN}{}\"\nmax = \"{SEEN}{}\"", bound(low), bound(high));
    let hint = mark_hint(numbers);
    if numbers.whole {
        return Ok(format!("type = \"integer\"\n{bounds}{hint}{TYPICAL}"));
    }
    Ok(format!("type = \"decimal\"\n{bounds}\nstep = \"{:.*}\"{hint}{TYPICAL}", decimals as usize, 1.0 / power))
}

/// A hint for smallest or largest values that are rarely measurements, like -1 or 999.
fn mark_hint(numbers: &Numbers) -> &'static str {
    let is = |value: f64, marks: &[f64]| marks.contains(&value);
    if is(numbers.low, &[-1.0, -7.0, -8.0, -9.0, -99.0, -999.0, -9999.0]) {
        "\n# does the smallest value mark missing ones? If so, declare it, like missing = [\"-1\"]"
    } else if is(numbers.high, &[99.0, 999.0, 9999.0, 99_999.0, 999_999.0]) {
        "\n# does the largest value mark missing ones? If so, declare it, like missing = [\"999\"]"
    } else {
        ""
    }
}

/// Quotes a text as TOML does.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
