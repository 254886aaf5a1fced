//! The day of asking: `CURRENT_DATE`, `NOW()` and what other databases call them.
//!
//! Promises that the day is written into the text before it is parsed, so that everything behind it, with the canonical text in the ledger,
//! holds a constant day. A moment of the day of asking is that day.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use super::nodes::position;
use crate::query::error::{Code, QueryError};
use crate::query::terms::domain::date_text;

/// Names that stand by themselves, with or without parentheses.
const NAMES: [&str; 4] = ["current_date", "current_timestamp", "localtimestamp", "curdate"];
/// Names of functions, which are names of columns without parentheses.
const FUNCTIONS: [&str; 8] = [
    "now",
    "getdate",
    "sysdatetime",
    "today",
    "transaction_timestamp",
    "statement_timestamp",
    "clock_timestamp",
    "current_datetime",
];

/// Replaces each name of the day of asking by `DATE '…'` of that day, which is counted from 1970-01-01.
///
/// # Errors
/// [`Code::UnsupportedSql`] if the text names it, and there is no such day.
pub(super) fn replaced(tokens: Vec<TokenWithSpan>, today: Option<i32>) -> Result<Vec<TokenWithSpan>, QueryError> {
    let mut out = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let Some(length) = length(&tokens, at) else {
            out.push(token.clone());
            at += 1;
            continue;
        };
        let day = today.ok_or_else(|| {
            let message = "the day of asking is not known here, where a question is kept for later";
            QueryError::at(Code::UnsupportedSql, position(token.span.start), message)
                .hint("write the day itself: DATE '2024-02-29'")
        })?;
        let keyword = Word { value: "DATE".to_owned(), quote_style: None, keyword: Keyword::DATE };
        for part in [Token::Word(keyword), Token::SingleQuotedString(date_text(day))] {
            out.push(TokenWithSpan { token: part, span: token.span });
        }
        at += length;
    }
    Ok(out)
}

/// The number of tokens that name the day of asking from here on; `None` if these do not.
fn length(tokens: &[TokenWithSpan], at: usize) -> Option<usize> {
    let Token::Word(Word { value, quote_style: None, .. }) = &tokens.get(at)?.token else { return None };
    let word = value.to_lowercase();
    let is_name = NAMES.contains(&word.as_str());
    // What stands behind a point is a column, and what stands before one is a table.
    let solid = |place: usize| tokens.get(place).map(|token| &token.token);
    let before = at.checked_sub(1).and_then(solid);
    if before == Some(&Token::Period) || solid(at + 1) == Some(&Token::Period) {
        return None;
    }
    let mut end = at + 1;
    let mut next = || loop {
        let found = solid(end)?;
        end += 1;
        if !matches!(found, Token::Whitespace(_)) {
            return Some(found);
        }
    };
    let is_called = match (next(), next()) {
        (Some(Token::LParen), Some(Token::RParen)) => true,
        // CURRENT_TIMESTAMP(3) has so many digits of its seconds.
        (Some(Token::LParen), Some(Token::Number(..))) if is_name => next() == Some(&Token::RParen),
        _ => false,
    };
    match (is_name, is_called) {
        (_, true) if is_name || FUNCTIONS.contains(&word.as_str()) => Some(end - at),
        (true, false) => Some(1),
        (_, _) => None,
    }
}

#[cfg(test)]
mod tests {

    use crate::query::parse::{SqlStatement, asked_on, parse};

    const DAY: i32 = 19_782;

    fn same(sql: &str, other: &str) {
        let of = |sql: &str| asked_on(sql, Some(DAY)).unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert_eq!(of(sql), of(other), "{sql}");
    }

    #[test]
    fn the_day_of_asking_has_many_names() {
        for name in [
            "CURRENT_DATE",
            "now()",
            "CURRENT_TIMESTAMP",
            "CURRENT_TIMESTAMP(3)",
            "GETDATE( )",
            "CURDATE()",
            "current_date()",
        ] {
            same(
                &format!("SELECT COUNT(*) FROM d WHERE a > {name} - 365"),
                "SELECT COUNT(*) FROM d WHERE a > DATE '2024-02-29' - 365",
            );
        }
        for column in ["now", "\"current_date\"", "today"] {
            let sql = format!("SELECT COUNT(*) FROM d WHERE {column} > 3");
            assert!(matches!(asked_on(&sql, Some(DAY)), Ok(SqlStatement::Question(_))), "{column}");
            assert_eq!(asked_on(&sql, Some(DAY)), asked_on(&sql, None), "{column}");
        }
    }

    #[test]
    fn a_question_that_is_kept_has_no_day() {
        let error = parse("SELECT COUNT(*) FROM d WHERE a > CURRENT_DATE").expect_err("no day");
        assert!(error.message.contains("the day of asking") && error.position.is_some(), "{error:?}");
    }
}
