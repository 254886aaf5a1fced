//! Statements that are no questions: PostgreSQL's own grammar, as sqlparser reads it, within the limits that keep reading safe.
//!
//! Promises that no text makes reading or dropping a statement take more than its share of time and stack. What the statements mean is
//! their reader's business.

use sqlparser::ast::Statement;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use super::chains::{self, CHAIN_MAX};
use super::limits::{DEPTH_MAX, too_deep};
use super::nodes::position;
use super::{PARSER_DEPTH_MAX, place_in, syntax_error};
use crate::query::error::{Code, QueryError};

/// Largest length of a text, in bytes: four times that of a question.
pub const PLAIN_BYTES_MAX: usize = 64 << 10;
/// Largest number of words, values and operators of a text.
const TOKENS_MAX: usize = 8_000;

/// The words, values, operators and comments of a text, with their places.
///
/// # Errors
/// [`Code::UnsupportedSql`] for a text that is too long, or that ends within a word.
pub fn plain_tokens(sql: &str) -> Result<Vec<TokenWithSpan>, QueryError> {
    if sql.len() > PLAIN_BYTES_MAX {
        let message = format!("the statement has {} bytes; accepted are at most {PLAIN_BYTES_MAX}", sql.len());
        return Err(QueryError::whole(Code::UnsupportedSql, message));
    }
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize_with_location();
    tokens.map_err(|error| syntax_error(sql, Some(position(error.location))))
}

/// The statements of a text.
///
/// # Errors
/// [`Code::UnsupportedSql`] with the place, for a text that is not SQL or beyond the limits.
pub fn plain_statements(sql: &str) -> Result<Vec<Statement>, QueryError> {
    let tokens = plain_tokens(sql)?;
    let weight = tokens.iter().filter(|token| !matches!(token.token, Token::Whitespace(_) | Token::Comma)).count();
    if weight > TOKENS_MAX {
        let message =
            format!("the statement has {weight} words, values and operators; accepted are at most {TOKENS_MAX}");
        return Err(QueryError::whole(Code::UnsupportedSql, message));
    }
    let depth = chains::depth(&tokens);
    if depth.queries > DEPTH_MAX {
        return Err(too_deep());
    }
    if depth.chains > CHAIN_MAX {
        let message = format!("the statement chains {} operators; accepted are at most {CHAIN_MAX}", depth.chains);
        return Err(QueryError::whole(Code::UnsupportedSql, message));
    }
    Parser::new(&PostgreSqlDialect {})
        .with_recursion_limit(PARSER_DEPTH_MAX)
        .with_tokens_with_locations(tokens)
        .parse_statements()
        .map_err(|error| match error {
            ParserError::RecursionLimitExceeded => too_deep(),
            ParserError::ParserError(text) | ParserError::TokenizerError(text) => syntax_error(sql, place_in(&text)),
        })
}
