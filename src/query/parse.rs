//! Parser: turns SQL text into the closed syntax, using sqlparser.
//!
//! Promises that every field of every AST node it meets is examined: whatever it does not know is refused, and code for a newer sqlparser
//! with a new field does not compile until the field is handled. Texts of sqlparser's own errors do not leave this module.

mod ages;
mod bounds;
mod calendar;
mod after;
mod chains;
mod chosen;
mod conditional;
mod conditions;
mod copies;
mod days;
mod dialects;
mod expressions;
mod foreign;
mod group_windows;
mod groupings;
mod having;
mod intervals;
mod limits;
mod listed;
mod lists;
mod nodes;
mod numeric;
mod outputs;
mod outside;
mod over_answer;
mod pairs;
mod periods;
mod plain;
mod quotes;
mod regression;
mod rows;
mod scope;
mod select;
mod size;
mod sources;
mod spellings;
mod windows;
mod with;
mod symmetric;
mod ties;
mod today;
mod together;
mod totals;
mod truths;
mod words;
mod survival;

pub use self::limits::{DEPTH_MAX, IN_ITEMS_MAX, ITEMS_MAX, NODES_MAX, TEXT_BYTES_MAX};
pub use self::plain::{PLAIN_BYTES_MAX, plain_statements, plain_tokens};

use sqlparser::ast::{DescribeAlias, Statement};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use self::chains::CHAIN_MAX;
use self::limits::too_deep;
use self::nodes::position;
use super::error::{Code, Position, QueryError, nearest, shown};
use super::syntax::{LiteralValue, Query};

/// Largest number of words and operators, checked before parsing: four for each node.
const TOKENS_MAX: usize = 4 * NODES_MAX;
/// Hint for texts that are not SQL at all.
const SHAPE: &str = "write SELECT … FROM <dataset> [WHERE …] [GROUP BY …] [ORDER BY …] [LIMIT …]";
/// Recursion limit of sqlparser, which recurses several times for each level of ours.
const PARSER_DEPTH_MAX: usize = 4 * DEPTH_MAX;

/// What a text asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum SqlStatement {
    /// An ordinary question.
    Question(Query),
    /// `EXPLAIN`: asks what a question would cost.
    Explain(Query),
    /// `SELECT 1`: constants, with their names.
    Constants(Vec<(String, LiteralValue)>),
}

/// Parses one question.
///
/// # Errors
/// [`Code::UnsupportedSql`] with the position and the nearest accepted form.
pub fn parse(sql: &str) -> Result<Query, QueryError> {
    match asked(sql)? {
        SqlStatement::Question(query) => Ok(query),
        SqlStatement::Explain(_) => Err(explain_refused()),
        SqlStatement::Constants(_) => Err(constants_refused()),
    }
}

/// The error that an `EXPLAIN` is given to something that answers ordinary questions only.
#[must_use]
pub fn explain_refused() -> QueryError {
    QueryError::whole(Code::UnsupportedSql, "EXPLAIN is not accepted here; a quote says the same")
        .hint("leave EXPLAIN out")
}

/// The error that constants are given to something that answers ordinary questions only.
#[must_use]
pub fn constants_refused() -> QueryError {
    QueryError::whole(Code::UnsupportedSql, "constants have no dataset")
}

/// Parses one text, whatever it asks for.
///
/// # Errors
/// [`Code::UnsupportedSql`] with the position and the nearest accepted form.
pub fn asked(sql: &str) -> Result<SqlStatement, QueryError> {
    asked_on(sql, None)
}

/// Parses one text that is asked today, a day counted from 1970-01-01: `CURRENT_DATE` and its kin stand for it. `None` refuses them, for a
/// text that is kept and read again on other days.
///
/// # Errors
/// [`Code::UnsupportedSql`] with the position and the nearest accepted form.
pub fn asked_on(sql: &str, today: Option<i32>) -> Result<SqlStatement, QueryError> {
    if sql.len() > TEXT_BYTES_MAX {
        let message = format!("the query has {} bytes; accepted are at most {TEXT_BYTES_MAX}", sql.len());
        return Err(QueryError::whole(Code::UnsupportedSql, message));
    }
    if let Some(bad) = sql.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        let message = format!("the query holds the control character U+{:04X}; remove it", u32::from(bad));
        return Err(QueryError::whole(Code::UnsupportedSql, message));
    }
    let mut statements = statements(sql, today)?;
    statements.iter_mut().try_for_each(spellings::written_out)?;
    match &statements[..] {
        [Statement::Query(query)] => match select::constants(query)? {
            Some(constants) => Ok(SqlStatement::Constants(constants)),
            None => select::query(query).map(SqlStatement::Question),
        },
        [
            Statement::Explain {
                describe_alias: DescribeAlias::Explain,
                analyze: false,
                verbose: false,
                query_plan: false,
                estimate: false,
                statement,
                format: None,
                options: None,
            },
        ] => match statement.as_ref() {
            Statement::Query(query) => select::query(query).map(SqlStatement::Explain),
            _ => Err(QueryError::whole(Code::UnsupportedSql, "only SELECT is explained")),
        },
        [Statement::Explain { .. }] => {
            Err(QueryError::whole(Code::UnsupportedSql, "EXPLAIN has no options here").hint("write EXPLAIN SELECT …"))
        }
        [] => Err(QueryError::whole(Code::UnsupportedSql, "the query is empty; write SELECT … FROM …")),
        [_] => Err(QueryError::whole(
            Code::UnsupportedSql,
            "only SELECT is answered, and nothing is changed by a question",
        )),
        more => {
            let message = format!("{} statements; one at a time is answered", more.len());
            Err(QueryError::whole(Code::UnsupportedSql, message))
        }
    }
}

fn statements(sql: &str, today: Option<i32>) -> Result<Vec<Statement>, QueryError> {
    let dialect = PostgreSqlDialect {};
    let quoted = quotes::without_backquotes(sql);
    let tokens = Tokenizer::new(&dialect, &quoted)
        .tokenize_with_location()
        .map_err(|error| syntax_error(sql, Some(position(error.location))))?;
    let tokens = quotes::without_brackets(tokens);
    let tokens = dialects::replaced(symmetric::replaced(today::replaced(tokens, today)?)?);
    let weighs = |token: &Token| {
        !matches!(
            token,
            Token::Whitespace(_)
                | Token::Comma
                | Token::Minus
                | Token::SingleQuotedString(_)
                | Token::Number(..)
                | Token::EOF
        )
    };
    let signs = tokens.iter().filter(|token| token.token == Token::Minus).count();
    let weight = tokens.iter().filter(|token| weighs(&token.token)).count() + signs.saturating_sub(IN_ITEMS_MAX);
    if weight > TOKENS_MAX {
        let message = format!("the query has {weight} words and operators; accepted are at most {TOKENS_MAX}");
        return Err(QueryError::whole(Code::UnsupportedSql, message));
    }
    let depth = chains::depth(&tokens);
    if depth.queries > DEPTH_MAX {
        return Err(too_deep());
    }
    if depth.chains > CHAIN_MAX {
        let message = format!("the query chains {} operators; accepted are at most {CHAIN_MAX}", depth.chains);
        return Err(QueryError::whole(Code::UnsupportedSql, message)
            .hint("write parts of the chain in parentheses: (… OR …) OR (… OR …), or … IN (…) for a long list"));
    }
    let exclusion = exclusion(&tokens);
    Parser::new(&dialect)
        .with_recursion_limit(PARSER_DEPTH_MAX)
        .with_tokens_with_locations(tokens)
        .parse_statements()
        .map_err(|error| match error {
            ParserError::RecursionLimitExceeded => too_deep(),
            ParserError::ParserError(text) | ParserError::TokenizerError(text) => match exclusion {
                Some((at, hint)) => {
                    let error = QueryError::at(Code::UnsupportedSql, at, "EXCLUDE is not supported");
                    QueryError { hint: hint.map(str::to_owned), ..error }
                }
                None => syntax_error(sql, place_in(&text)),
            },
        })
}

/// The place of an EXCLUDE behind `*` or the frame of a window, which sqlparser calls an error at another place, and what to write instead.
fn exclusion(tokens: &[TokenWithSpan]) -> Option<(Position, Option<&'static str>)> {
    const COLUMNS: &str = "write the names of the columns that are wanted: SELECT a, b FROM …";
    let mut before = &Token::EOF;
    for token in tokens {
        match &token.token {
            Token::Whitespace(_) => continue,
            Token::Word(word) if word.keyword == Keyword::EXCLUDE => {
                let is_behind = match before {
                    Token::Mul => true,
                    Token::Word(word) => {
                        matches!(word.keyword, Keyword::ROW | Keyword::PRECEDING | Keyword::FOLLOWING)
                    }
                    _ => false,
                };
                if is_behind {
                    return Some((position(token.span.start), (*before == Token::Mul).then_some(COLUMNS)));
                }
            }
            _ => {}
        }
        before = &token.token;
    }
    None
}

fn syntax_error(sql: &str, at: Option<Position>) -> QueryError {
    let Some(at) = at else {
        return QueryError::whole(Code::UnsupportedSql, "the query ends too early, or is not SQL").hint(SHAPE);
    };
    let (at, meant) = misspelt(sql, at).map_or((at, None), |(at, near)| (at, Some(near)));
    let line = sql.lines().nth(usize::try_from(at.line).unwrap_or(1).saturating_sub(1)).unwrap_or("");
    let rest = line.chars().skip(usize::try_from(at.column).unwrap_or(1).saturating_sub(1));
    let near: String = rest.take_while(|c| !c.is_whitespace()).collect();
    let message = if near.is_empty() {
        "the query ends too early".to_owned()
    } else {
        format!("syntax error near \"{}\"", shown(&near))
    };
    let hint = match meant {
        Some(meant) => format!("did you mean {meant}?"),
        None if unclosed(sql) => "write ) for each (".to_owned(),
        None => SHAPE.to_owned(),
    };
    QueryError::at(Code::UnsupportedSql, at, message).hint(hint)
}

/// Whether parentheses are opened that are not closed.
fn unclosed(sql: &str) -> bool {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, sql).tokenize().unwrap_or_default();
    let count = |sign: &Token| tokens.iter().filter(|token| *token == sign).count();
    count(&Token::LParen) > count(&Token::RParen)
}

/// The word at a syntax error, or before it, that makes a query of the text if it is the nearest word that begins a clause: its place, and
/// that word. A misspelt `WHERE` is a table's alias, so that the fault is found behind it.
fn misspelt(sql: &str, at: Position) -> Option<(Position, &'static str)> {
    const CLAUSES: [&str; 11] =
        ["DISTINCT", "EXPLAIN", "FROM", "GROUP", "HAVING", "JOIN", "LIMIT", "ORDER", "SELECT", "WHERE", "WITH"];
    let dialect = PostgreSqlDialect {};
    let tokens = Tokenizer::new(&dialect, sql).tokenize_with_location().ok()?;
    let fault = tokens.iter().position(|token| position(token.span.start) == at)?;
    let is_word = |place: &usize| matches!(&tokens[*place].token, Token::Word(_));
    (0..=fault).rev().filter(is_word).take(2).find_map(|place| {
        let Token::Word(word) = &tokens[place].token else { return None };
        let plain = word.value.to_uppercase();
        let near = nearest(&plain, CLAUSES.into_iter()).filter(|near| word.quote_style.is_none() && **near != plain)?;
        let mut corrected = tokens.clone();
        corrected[place].token = Token::make_keyword(near);
        let read = Parser::new(&dialect).with_recursion_limit(PARSER_DEPTH_MAX).with_tokens_with_locations(corrected);
        let is_read = { read }.parse_statements().is_ok();
        is_read.then(|| (position(tokens[place].span.start), near))
    })
}

/// Reads the position from an error of sqlparser, which ends with "at Line: 1, Column: 8".
fn place_in(text: &str) -> Option<Position> {
    let (_, tail) = text.rsplit_once("Line: ")?;
    let (line, column) = tail.split_once(", Column: ")?;
    let digits: String = column.chars().take_while(char::is_ascii_digit).collect();
    Some(Position { line: line.trim().parse().ok()?, column: digits.parse().ok()? })
}

#[cfg(test)]
#[path = "parse/parse_tests.rs"]
mod tests;
