//! Hints in the dataset's own names.
//!
//! Promises that no hint repeats a name that the dataset does not have: a form that is proposed can be sent as it stands. A misspelt name is
//! replaced by the nearest one of the dataset's, and where there is none, the hint is left out.

use std::collections::BTreeSet;

use crate::query::error::{QueryError, nearest, shown};
use crate::query::syntax::{FromItem, Key, Query};
use crate::query::terms::policy::Terms;

/// A refused question with a hint that can be followed.
pub(super) fn in_known_names(error: QueryError, query: &Query, terms: &Terms) -> QueryError {
    let Some(hint) = &error.hint else { return error };
    // The columns of a query in FROM have names of their own.
    if query.together.is_some() || !is_of_tables(&query.from) {
        return error;
    }
    let known = names(query, terms);
    let mut hint = hint.clone();
    let mut near = None;
    for name in written(query).into_iter().filter(|name| !known.contains(name.as_str())) {
        let word = shown(&name);
        if words(&hint).all(|one| one != word) {
            continue;
        }
        let columns = columns(terms).filter(|column| *column != name);
        let Some(meant) = nearest(&name, columns) else { return QueryError { hint: None, ..error } };
        hint = replaced(&hint, &word, meant);
        near = Some((word, meant.to_owned()));
    }
    let message = match near.filter(|(word, _)| error.message.contains(&format!("\"{word}\""))) {
        Some((_, meant)) => format!("{}; did you mean \"{meant}\"?", error.message),
        None => error.message,
    };
    QueryError { message, hint: Some(hint), ..error }
}

/// Whether what stands in FROM is tables alone.
fn is_of_tables(from: &FromItem) -> bool {
    match from {
        FromItem::Table { .. } => true,
        FromItem::Derived { .. } => false,
        FromItem::Joined { left, right, .. } => is_of_tables(left) && is_of_tables(right),
    }
}

/// The columns that a question about tables can name.
fn columns(terms: &Terms) -> impl Iterator<Item = &str> {
    let of_tables = terms.tables.iter().flat_map(|table| table.columns.visible());
    let of_public = terms.public.iter().flat_map(|table| table.columns.visible());
    terms.columns.visible().chain(of_tables).chain(of_public).map(|column| column.name.as_str())
}

/// All names that a question may use: columns, the unit, and the names that it gives to its outputs.
fn names<'a>(query: &'a Query, terms: &'a Terms) -> BTreeSet<&'a str> {
    let outputs = query.items.iter().filter_map(|item| item.alias.as_ref()).map(|name| name.text.as_str());
    columns(terms).chain(terms.unit_column()).chain(outputs).collect()
}

/// The names of columns that the question writes.
fn written(query: &Query) -> BTreeSet<String> {
    let mut found = query.columns(&[]);
    for key in &query.keys {
        match key {
            Key::By(expression) => expression.columns(&mut found),
            Key::Ordinal(..) => {}
        }
    }
    found.into_iter().map(|name| name.text.clone()).collect()
}

fn is_part_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !is_part_of_word(c))
}

/// The text with a word replaced wherever it stands by itself.
fn replaced(text: &str, word: &str, by: &str) -> String {
    let mut parts = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(word) {
        let (before, behind) = (rest[..at].chars().next_back(), rest[at + word.len()..].chars().next());
        let is_alone = !before.is_some_and(is_part_of_word) && !behind.is_some_and(is_part_of_word);
        parts.push_str(&rest[..at]);
        parts.push_str(if is_alone { by } else { word });
        rest = &rest[at + word.len()..];
    }
    parts.push_str(rest);
    parts
}

#[cfg(test)]
mod tests {
    use super::replaced;

    #[test]
    fn words_are_replaced_where_they_stand_alone() {
        for (text, word, expected) in [
            ("write regoin, COUNT(*) … GROUP BY regoin", "regoin", "write region, COUNT(*) … GROUP BY region"),
            ("write a_regoin, regoins, (regoin)", "regoin", "write a_regoin, regoins, (region)"),
            ("", "regoin", ""),
        ] {
            assert_eq!(replaced(text, word, "region"), expected);
        }
    }
}
