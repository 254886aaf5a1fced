//! Functions over texts.

use std::collections::{HashMap, HashSet};

use rusqlite::types::Value;

use super::function::{CallFault, Function, Growing, TEXT_BYTES_MAX, text, whole};
use crate::pgwire::catalogue::names::Names;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::strict("upper", "text", "text", |_, arguments| Ok(Value::Text(text(arguments, 0).to_uppercase()))),
    Function::strict("lower", "text", "text", |_, arguments| Ok(Value::Text(text(arguments, 0).to_lowercase()))),
    Function::strict("initcap", "text", "text", |_, arguments| Ok(Value::Text(capitals(&text(arguments, 0))))),
    Function::strict("length", "text", "int4", count),
    Function::strict("char_length", "text", "int4", count),
    Function::strict("character_length", "text", "int4", count),
    Function::strict("octet_length", "text", "int4", |_, arguments| {
        Ok(Value::Integer(text(arguments, 0).len() as i64))
    }),
    Function::strict("substr", "text int4 int4?", "text", part),
    Function::strict("substring", "text int4 int4?", "text", part),
    Function::strict("left", "text int4", "text", |_, arguments| Ok(Value::Text(side(arguments, true)))),
    Function::strict("right", "text int4", "text", |_, arguments| Ok(Value::Text(side(arguments, false)))),
    Function::strict("btrim", "text text?", "text", |_, arguments| Ok(trimmed(arguments, true, true))),
    Function::strict("trim", "text text?", "text", |_, arguments| Ok(trimmed(arguments, true, true))),
    Function::strict("ltrim", "text text?", "text", |_, arguments| Ok(trimmed(arguments, true, false))),
    Function::strict("rtrim", "text text?", "text", |_, arguments| Ok(trimmed(arguments, false, true))),
    Function::strict("replace", "text text text", "text", |_, arguments| {
        let (whole, from, to) = (text(arguments, 0), text(arguments, 1), text(arguments, 2));
        if from.is_empty() {
            return Ok(Value::Text(whole));
        }
        let count = whole.matches(from.as_str()).count();
        if whole.len().saturating_add(count.saturating_mul(to.len())) > TEXT_BYTES_MAX {
            return Err(CallFault::TooLong);
        }
        Ok(Value::Text(whole.replace(from.as_str(), &to)))
    }),
    Function::strict("split_part", "text text int4", "text", |_, arguments| {
        let (whole_text, by) = (text(arguments, 0), text(arguments, 1));
        let parts: Vec<&str> = if by.is_empty() { vec![&whole_text] } else { whole_text.split(by.as_str()).collect() };
        let place = match whole(arguments, 2).unwrap_or(1) {
            place if place > 0 => usize::try_from(place - 1).ok(),
            place => usize::try_from(parts.len() as i64 + place).ok(),
        };
        Ok(Value::Text(place.and_then(|place| parts.get(place)).copied().unwrap_or_default().to_owned()))
    }),
    Function::strict("strpos", "text text", "int4", place),
    Function::strict("position", "text text", "int4", place),
    Function::strict("starts_with", "text text", "bool", |_, arguments| {
        Ok(Value::Integer(text(arguments, 0).starts_with(&text(arguments, 1)).into()))
    }),
    Function::strict("reverse", "text", "text", |_, arguments| {
        Ok(Value::Text(text(arguments, 0).chars().rev().collect()))
    }),
    Function::strict("repeat", "text int4", "text", |_, arguments| {
        let (one, times) = (text(arguments, 0), usize::try_from(whole(arguments, 1).unwrap_or(0)).unwrap_or(0));
        if one.len().saturating_mul(times) > TEXT_BYTES_MAX {
            return Err(CallFault::TooLong);
        }
        Ok(Value::Text(one.repeat(times)))
    }),
    Function::strict("lpad", "text int4 text?", "text", |_, arguments| padded(arguments, true)),
    Function::strict("rpad", "text int4 text?", "text", |_, arguments| padded(arguments, false)),
    Function::strict("quote_literal", "text", "text", |_, arguments| {
        Ok(Value::Text(format!("'{}'", text(arguments, 0).replace('\'', "''"))))
    }),
    Function::lenient("quote_nullable", "text", "text", |_, arguments| {
        Ok(Value::Text(match arguments.first() {
            Some(Value::Null) | None => "NULL".to_owned(),
            Some(_) => format!("'{}'", text(arguments, 0).replace('\'', "''")),
        }))
    }),
    Function::lenient("format", "text text*", "text", |_, arguments| formatted(arguments)),
    Function::lenient("concat", "text*", "text", |_, arguments| joined("", arguments)),
    // What `||` becomes, so that its values are counted, too.
    Function::strict("joined", "text text", "text", |_, arguments| joined("", arguments)),
    Function::lenient("concat_ws", "text text*", "text", |_, arguments| {
        joined(&text(arguments, 0), arguments.get(1..).unwrap_or_default())
    }),
    Function::strict("ascii", "text", "int4", |_, arguments| {
        Ok(Value::Integer(text(arguments, 0).chars().next().map_or(0, |letter| i64::from(u32::from(letter)))))
    }),
    Function::strict("chr", "int4", "text", |_, arguments| {
        let letter = whole(arguments, 0).and_then(|code| u32::try_from(code).ok()).and_then(char::from_u32);
        letter
            .filter(|letter| *letter != '\0')
            .map(|letter| Value::Text(letter.to_string()))
            .ok_or(CallFault::Undefined("chr"))
    }),
    Function::strict("translate", "text text text", "text", |_, arguments| {
        let mut becomes: HashMap<char, Option<char>> = HashMap::new();
        let (from, to) = (text(arguments, 1), text(arguments, 2));
        let with = to.chars().map(Some).chain(std::iter::repeat(None));
        for (letter, other) in from.chars().zip(with) {
            becomes.entry(letter).or_insert(other);
        }
        let one = |letter: char| becomes.get(&letter).copied().unwrap_or(Some(letter));
        Ok(Value::Text(text(arguments, 0).chars().filter_map(one).collect()))
    }),
];

/// The values that are not NULL with a text between each two.
fn joined(by: &str, values: &[Value]) -> Result<Value, CallFault> {
    let (mut made, mut is_first) = (Growing::default(), true);
    for place in (0..values.len()).filter(|place| !matches!(values.get(*place), Some(Value::Null))) {
        if !std::mem::take(&mut is_first) {
            made.push(by)?;
        }
        made.push(&text(values, place))?;
    }
    Ok(made.value())
}

/// `%s`, `%I` and `%L` in order; a place in front of the letter is not taken.
fn formatted(arguments: &[Value]) -> Result<Value, CallFault> {
    let Some(Value::Text(pattern)) = arguments.first() else { return Ok(Value::Null) };
    let (mut made, mut next) = (Growing::default(), 1);
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            made.push(letter.encode_utf8(&mut [0; 4]))?;
            continue;
        }
        let kind = letters.next();
        if kind == Some('%') {
            made.push("%")?;
            continue;
        }
        let one = text(arguments, next);
        match kind {
            Some('I') => made.push(&crate::pgwire::catalogue::names::quoted(&one))?,
            Some('L') => made.push(&format!("'{}'", one.replace('\'', "''")))?,
            _ => made.push(&one)?,
        }
        next += 1;
    }
    Ok(made.value())
}

fn count(_: &Names, arguments: &[Value]) -> Result<Value, CallFault> {
    Ok(Value::Integer(text(arguments, 0).chars().count() as i64))
}

fn capitals(text: &str) -> String {
    let mut is_inside = false;
    let mut made = String::with_capacity(text.len());
    for letter in text.chars() {
        if is_inside {
            made.extend(letter.to_lowercase())
        } else {
            made.extend(letter.to_uppercase())
        }
        is_inside = letter.is_alphanumeric();
    }
    made
}

fn part(_: &Names, arguments: &[Value]) -> Result<Value, CallFault> {
    let first = whole(arguments, 1).unwrap_or(1);
    let end = match arguments.get(2) {
        None => i64::MAX,
        Some(_) => {
            let length = whole(arguments, 2).unwrap_or(0);
            if length < 0 {
                return Err(CallFault::Undefined("substring with a negative length"));
            }
            first.saturating_add(length)
        }
    };
    let letters = text(arguments, 0);
    let inside = letters.chars().zip(1_i64..).filter(|(_, place)| *place >= first && *place < end);
    Ok(Value::Text(inside.map(|(letter, _)| letter).collect()))
}

/// The first or the last letters; a negative number leaves out as many of the others.
fn side(arguments: &[Value], is_left: bool) -> String {
    let letters: Vec<char> = text(arguments, 0).chars().collect();
    let wanted = whole(arguments, 1).unwrap_or(0);
    let length = letters.len() as i64;
    let kept = if wanted < 0 { (length + wanted).max(0) } else { wanted.min(length) } as usize;
    if is_left { letters[..kept].iter().collect() } else { letters[letters.len() - kept..].iter().collect() }
}

fn trimmed(arguments: &[Value], at_start: bool, at_end: bool) -> Value {
    let (whole, of) = (text(arguments, 0), text(arguments, 1));
    let of: HashSet<char> = if arguments.len() < 2 { HashSet::from([' ']) } else { of.chars().collect() };
    let mut rest = whole.as_str();
    if at_start {
        rest = rest.trim_start_matches(|letter| of.contains(&letter));
    }
    if at_end {
        rest = rest.trim_end_matches(|letter| of.contains(&letter));
    }
    Value::Text(rest.to_owned())
}

fn place(_: &Names, arguments: &[Value]) -> Result<Value, CallFault> {
    let whole = text(arguments, 0);
    let found = whole.find(&text(arguments, 1));
    Ok(Value::Integer(found.map_or(0, |at| whole[..at].chars().count() as i64 + 1)))
}

fn padded(arguments: &[Value], is_left: bool) -> Result<Value, CallFault> {
    let letters: Vec<char> = text(arguments, 0).chars().collect();
    let length = usize::try_from(whole(arguments, 1).unwrap_or(0)).unwrap_or(0);
    if length > TEXT_BYTES_MAX / 4 {
        return Err(CallFault::TooLong);
    }
    let with: Vec<char> = if arguments.len() < 3 { vec![' '] } else { text(arguments, 2).chars().collect() };
    if letters.len() >= length || with.is_empty() {
        return Ok(Value::Text(letters.into_iter().take(length).collect()));
    }
    let missing = with.into_iter().cycle().take(length - letters.len());
    Ok(Value::Text(if is_left {
        missing.chain(letters).collect()
    } else {
        letters.into_iter().chain(missing).collect()
    }))
}
