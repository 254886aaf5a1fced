//! `BETWEEN SYMMETRIC`, which the library does not read.
//!
//! Promises that the word is found before parsing: it is read as a NOT before the lower bound, where no other NOT is accepted, and
//! `BETWEEN ASYMMETRIC` as BETWEEN alone.

use sqlparser::ast::{Expr, UnaryOperator};
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use super::nodes::{position, unsupported};
use crate::query::error::QueryError;

/// Replaces the words.
///
/// # Errors
/// A NOT at the start of a lower bound.
pub(super) fn replaced(tokens: Vec<TokenWithSpan>) -> Result<Vec<TokenWithSpan>, QueryError> {
    let (mut out, mut is_behind) = (Vec::with_capacity(tokens.len()), false);
    for mut token in tokens {
        let word = match &token.token {
            Token::Whitespace(_) => {
                out.push(token);
                continue;
            }
            Token::Word(Word { value, quote_style: None, keyword }) => Some((value.to_lowercase(), *keyword)),
            _ => None,
        };
        let keyword = word.as_ref().map_or(Keyword::NoKeyword, |(_, keyword)| *keyword);
        match word.as_ref().map(|(word, _)| word.as_str()).filter(|_| is_behind) {
            Some("not") => {
                return Err(unsupported(position(token.span.start), "NOT stands where BETWEEN wants its lower bound"));
            }
            Some("symmetric") => {
                token.token = Token::Word(Word { value: "NOT".to_owned(), quote_style: None, keyword: Keyword::NOT });
                out.push(token);
            }
            Some("asymmetric") => {}
            Some(_) | None => out.push(token),
        }
        is_behind = keyword == Keyword::BETWEEN;
    }
    Ok(out)
}

/// The lower bound of a BETWEEN, and whether the bounds may stand in either order.
pub(super) fn lower(expr: &Expr) -> (&Expr, bool) {
    match expr {
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => (expr, true),
        other => (other, false),
    }
}
