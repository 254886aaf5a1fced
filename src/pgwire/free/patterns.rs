//! Patterns: `~` and its kin, `LIKE` and `ILIKE`, and `regexp_replace`.
//!
//! PostgreSQL's expressions are read as those of the `regex` crate, which run in linear time and have no back references.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};
use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::Value;

use super::error::FreeError;
use super::functions::function::{CallFault, Made, TEXT_BYTES_MAX};
use crate::pgwire::catalogue::names::Names;

/// The largest size of a compiled pattern, in bytes.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// Which language a pattern is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    Expression,
    Like,
}

/// A pattern that cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid regular expression")]
struct BadPattern;

/// Makes `pg_match(text, pattern, ignores_case)`, `pg_like` with the same arguments, and `f_regexp_replace` known to a connection.
pub(super) fn register(connection: &Connection, names: &Arc<Names>, made: &Arc<Made>) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
    for (name, language) in [("pg_match", Language::Expression), ("pg_like", Language::Like)] {
        let names = Arc::clone(names);
        connection.create_scalar_function(name, 3, flags, move |context| {
            let (Some(text), Some(pattern)) = (argument(context, 0)?, argument(context, 1)?) else { return Ok(None) };
            let regex = compiled(context, &names, language, &pattern, 2)?;
            Ok(Some(regex.is_match(&text)))
        })?;
    }
    let (names, made) = (Arc::clone(names), Arc::clone(made));
    connection.create_scalar_function("f_regexp_replace", -1, flags, move |context| {
        let (Some(text), Some(pattern)) = (argument(context, 0)?, argument(context, 1)?) else { return Ok(None) };
        let Some(with) = argument(context, 2)? else { return Ok(None) };
        let how = if context.len() > 3 { argument(context, 3)?.unwrap_or_default() } else { String::new() };
        let regex = compiled_as(&names, Language::Expression, &pattern, how.contains('i'))?;
        let with = with.replace('$', "$$").replace("\\&", "${0}");
        let with = (1..10).fold(with, |with, group| with.replace(&format!("\\{group}"), &format!("${{{group}}}")));
        let limit = if how.contains('g') { usize::MAX } else { 1 };
        let replaced = replaced(&regex, &text, limit, &with).map(Value::Text).ok_or(CallFault::TooLong);
        replaced.and_then(|value| made.count(value)).map(Some).map_err(|fault| names.failed(fault.into()))
    })
}

/// The text with its first matches replaced; `None` if it would be longer than a value may be.
fn replaced(regex: &Regex, text: &str, limit: usize, with: &str) -> Option<String> {
    let (mut made, mut from, groups) = (String::new(), 0, with.matches("${").count());
    for found in regex.captures_iter(text).take(limit) {
        let whole = found.get_match();
        made.push_str(&text[from..whole.start()]);
        from = whole.end();
        // No group is longer than the whole match.
        let most = groups.saturating_mul(whole.len()).saturating_add(with.len());
        if most.saturating_add(made.len()) > TEXT_BYTES_MAX {
            return None;
        }
        found.expand(with, &mut made);
    }
    made.push_str(&text[from..]);
    (made.len() <= TEXT_BYTES_MAX).then_some(made)
}

fn argument(context: &Context<'_>, place: usize) -> rusqlite::Result<Option<String>> {
    use rusqlite::types::ValueRef;
    Ok(match context.get_raw(place) {
        ValueRef::Null | ValueRef::Blob(_) => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
    })
}

/// The compiled pattern, which SQLite keeps while the pattern stays the same.
fn compiled(
    context: &Context<'_>,
    names: &Arc<Names>,
    language: Language,
    pattern: &str,
    case: usize,
) -> rusqlite::Result<Arc<Regex>> {
    let ignores_case = context.get::<bool>(case)?;
    if let Some(kept) = context.get_aux::<(String, Arc<Regex>)>(1)?
        && kept.0 == pattern
    {
        return Ok(Arc::clone(&kept.1));
    }
    let regex = Arc::new(compiled_as(names, language, pattern, ignores_case)?);
    context.set_aux(1, (pattern.to_owned(), Arc::clone(&regex)))?;
    Ok(regex)
}

fn compiled_as(names: &Names, language: Language, pattern: &str, ignores_case: bool) -> rusqlite::Result<Regex> {
    let source = match language {
        Language::Expression => pattern.trim_start_matches("***:").to_owned(),
        Language::Like => like(pattern),
    };
    let built = RegexBuilder::new(&source)
        .case_insensitive(ignores_case)
        .dot_matches_new_line(true)
        .size_limit(PATTERN_BYTES_MAX)
        .build()
        .map_err(|_| BadPattern);
    let shown: String = pattern.chars().take(80).collect();
    built.map_err(|fault| names.failed(FreeError::new("2201B", format!("{fault}: \"{shown}\""))))
}

/// A `LIKE` pattern as an expression; a backslash escapes.
fn like(pattern: &str) -> String {
    let mut made = String::from("^");
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '%' => made.push_str(".*"),
            '_' => made.push('.'),
            '\\' => made.push_str(&regex::escape(&letters.next().unwrap_or('\\').to_string())),
            letter => made.push_str(&regex::escape(&letter.to_string())),
        }
    }
    made.push('$');
    made
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn like_is_read_as_an_expression() {
        assert_eq!(like("a%_.\\%"), "^a.*.\\.%$");
    }
}
