//! Statements: what a text asks of this door, before any of it is run.
//!
//! Promises that reading a statement touches nothing and costs nothing, and that a statement names either datasets, which is a question that
//! the service reads again by its own rules, or what is free, never both.

use std::collections::HashSet;
use std::fmt::Display;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use sqlparser::ast::{ObjectName, Query, Statement as Ast, Visit, Visitor};
use sqlparser::tokenizer::{Token, TokenWithSpan, Whitespace};

use super::commands::{self, Command};
use super::copy::{self, CopyStyle};
use super::fault::{DoorFault, state};
use super::frames::PARAMETERS_MAX;
use super::places::{byte_of, chars_before};
use super::settings::margin_text;
use crate::query::error::{Position, shown};
use crate::query::parse::{plain_statements, plain_tokens};
use crate::service::asking::ask::{AskFault, RequestedAccuracy};

/// Schemas whose tables are free.
const FREE_SCHEMAS: [&str; 4] = ["pg_catalog", "information_schema", "published", "tacit"];
/// Functions that stand where tables do, without a schema.
const FREE_FUNCTIONS: [&str; 8] = [
    "generate_series",
    "unnest",
    "generate_subscripts",
    "aclexplode",
    "regexp_split_to_table",
    "string_to_table",
    "json_array_elements_text",
    "current_schema",
];
/// Words with which a query begins.
const QUERIES: [&str; 5] = ["SELECT", "WITH", "VALUES", "TABLE", "EXPLAIN"];

/// A part of a text that is one statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// The statement's text.
    pub(super) text: String,
    /// The number of characters before it in the text that was sent.
    pub(super) before: usize,
}

/// What a statement asks for.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// A question about a dataset.
    Question,
    /// Something that is free.
    Free(Arc<Ast>),
    /// Something about the session.
    Command(Command),
    /// The rows of another statement, for a file.
    Copy(Arc<Statement>, CopyStyle),
    /// A cursor over the rows of another statement: its name, and whether it outlives its transaction.
    Declare(String, bool, Arc<Statement>),
}

/// A statement that was read.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    /// Its text, and where it stands.
    pub(super) piece: Piece,
    /// What it asks for.
    pub(super) kind: Kind,
    /// Comments that say how accurate its answer should be, as `epsilon` or `margin` and a value.
    said: Vec<(bool, String)>,
    /// Where its parameters stand, in bytes, with their numbers from 1.
    pub(super) holes: Vec<(Range<usize>, usize)>,
}

impl Statement {
    /// A statement of which nothing but its text is known.
    pub(super) fn unread(piece: Piece) -> Self {
        Self { piece, kind: Kind::Question, said: Vec::new(), holes: Vec::new() }
    }

    /// The number of parameters.
    pub(super) fn parameters(&self) -> usize {
        self.holes.iter().map(|(_, number)| *number).max().unwrap_or(0)
    }

    /// The accuracy that comments in the statement ask for; `None` if none does.
    pub(super) fn accuracy(&self) -> Result<Option<RequestedAccuracy>, AskFault> {
        let mut found = None;
        for (is_margin, text) in &self.said {
            let accuracy = match is_margin {
                true => RequestedAccuracy::new(None, Some(&margin_text(text)))?,
                false => RequestedAccuracy::new(Some(text), None)?,
            };
            if found.is_some() && found != accuracy {
                return Err(AskFault::TwoAccuracies);
            }
            found = accuracy;
        }
        Ok(found)
    }

    /// The first table that the statement names, as it is written; `None` if it names none.
    pub(super) fn table(&self) -> Option<String> {
        let tokens = plain_tokens(&self.piece.text).ok()?;
        let plain: Vec<&Token> =
            tokens.iter().map(|token| &token.token).filter(|token| !matches!(token, Token::Whitespace(_))).collect();
        let is_from = |token: &Token| token.to_string().eq_ignore_ascii_case("from");
        let from = plain.windows(2).position(|pair| is_from(pair[0]) && matches!(pair[1], Token::Word(_)))?;
        let name = plain.get(from + 1)?.to_string();
        match plain.get(from + 2..from + 4) {
            Some([Token::Period, table]) => Some(format!("{name}.{table}")),
            Some(_) | None => Some(name),
        }
    }

    /// The place of a fault in the text that was sent, in characters from 1. Behind a parameter that was filled in, no place is known.
    pub(super) fn place(&self, at: Position) -> Option<usize> {
        self.holes.is_empty().then(|| self.piece.before + chars_before(&self.piece.text, at) + 1)
    }
}

/// The statements of a text, one by one. A text that cannot be read is one statement.
pub(super) fn pieces(sql: &str) -> Vec<Piece> {
    let whole = || vec![Piece { text: sql.to_owned(), before: 0 }];
    let Ok(tokens) = plain_tokens(sql) else { return whole() };
    let (mut found, mut begin, mut is_empty) = (Vec::new(), 0, true);
    for token in &tokens {
        match &token.token {
            Token::SemiColon => {
                let end = offset(sql, token);
                if !is_empty {
                    found.push(piece(sql, begin, end));
                }
                (begin, is_empty) = (end + 1, true);
            }
            Token::Whitespace(_) | Token::EOF => {}
            _ => is_empty = false,
        }
    }
    if !is_empty {
        found.push(piece(sql, begin, sql.chars().count()));
    }
    found
}

fn piece(sql: &str, begin: usize, end: usize) -> Piece {
    Piece { text: sql.chars().skip(begin).take(end - begin).collect(), before: begin }
}

/// The number of characters before a token.
fn offset(sql: &str, token: &TokenWithSpan) -> usize {
    chars_before(sql, Position { line: token.span.start.line, column: token.span.start.column })
}

/// Reads one statement. `is_free` says whether a table without a schema is free for this session.
///
/// # Errors
/// [`DoorFault`] if it is no statement that this door knows.
pub(super) fn read(piece: Piece, is_free: &dyn Fn(&str) -> bool) -> Result<Statement, DoorFault> {
    let Ok(tokens) = plain_tokens(&piece.text) else {
        // The service says what is wrong with it.
        return Ok(Statement::unread(piece));
    };
    let said: Vec<_> = tokens.iter().filter_map(|token| said(&token.token)).collect();
    let holes =
        tokens.iter().filter_map(|token| hole(&piece.text, token).transpose()).collect::<Result<Vec<_>, _>>()?;
    let plain: Vec<&TokenWithSpan> =
        tokens.iter().filter(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF)).collect();
    let mut kind = kind(&piece, &plain, is_free)?;
    if let Kind::Copy(inner, _) | Kind::Declare(_, _, inner) = &mut kind {
        // What a comment says of the whole holds for the query inside of it.
        *inner = Arc::new(Statement { said: Vec::clone(&said), ..Statement::clone(inner) });
    }
    if let (Kind::Command(_) | Kind::Copy(..) | Kind::Declare(..), Some((_, number))) = (&kind, holes.first()) {
        return Err(no_parameter(*number));
    }
    Ok(Statement { piece, kind, said, holes })
}

/// The fault of a parameter that has no value.
pub(super) fn no_parameter(number: impl Display) -> DoorFault {
    DoorFault::new("42P02", format!("there is no parameter ${number}"))
        .hint(format!("parameters are numbered from $1 to ${PARAMETERS_MAX}, and each needs a value"))
}

fn kind(piece: &Piece, tokens: &[&TokenWithSpan], is_free: &dyn Fn(&str) -> bool) -> Result<Kind, DoorFault> {
    let word = tokens.first().map_or_else(String::new, |first| first.token.to_string().to_uppercase());
    if word == "(" || QUERIES.contains(&word.as_str()) {
        return query(&piece.text, is_free);
    }
    let inner = |range: Range<usize>| {
        let (begin, end) = (byte_of(&piece.text, range.start), byte_of(&piece.text, range.end));
        let text = piece.text[begin..end].to_owned();
        read(Piece { text, before: piece.before + range.start }, is_free).map(Arc::new)
    };
    let at = |token: &TokenWithSpan| offset(&piece.text, token);
    match word.as_str() {
        "COPY" => {
            let (source, style) = copy::read(tokens, &at)?;
            match source {
                copy::Source::Query(range) => Ok(Kind::Copy(inner(range)?, style)),
                copy::Source::Table(range) => {
                    let name: String = piece.text.chars().skip(range.start).take(range.len()).collect();
                    let text = format!("SELECT * FROM {name}");
                    let before = piece.before + range.start;
                    Ok(Kind::Copy(Arc::new(read(Piece { text, before }, is_free)?), style))
                }
            }
        }
        "DECLARE" => {
            let (name, is_held, from) = commands::declared(tokens, &at)?;
            Ok(Kind::Declare(name, is_held, inner(from..piece.text.chars().count())?))
        }
        _ => match commands::read(tokens)? {
            Some(command) => Ok(Kind::Command(command)),
            None => {
                let message = format!("{word} is not supported; nothing is changed by a question");
                let position = tokens
                    .first()
                    .map(|first| Position { line: first.span.start.line, column: first.span.start.column });
                Err(DoorFault { at: position, ..DoorFault::new(state::UNSUPPORTED, message) })
            }
        },
    }
}

fn query(text: &str, is_free: &dyn Fn(&str) -> bool) -> Result<Kind, DoorFault> {
    let Ok(mut statements) = plain_statements(text) else { return Ok(Kind::Question) };
    let (Some(statement), true) = (statements.pop(), statements.is_empty()) else { return Ok(Kind::Question) };
    let mut named = Named::default();
    let _: ControlFlow<()> = statement.visit(&mut named);
    let (mut free, mut asked) = (None, false);
    for name in &named.tables {
        match name {
            (None, table) if named.with.contains(table) => {}
            (schema, table) => {
                let is_free = match schema {
                    Some(schema) => FREE_SCHEMAS.contains(&schema.as_str()),
                    None => table.starts_with("pg_") || FREE_FUNCTIONS.contains(&table.as_str()) || is_free(table),
                };
                match is_free {
                    true => {
                        free = Some(schema.as_ref().map_or_else(|| table.clone(), |schema| format!("{schema}.{table}")))
                    }
                    false => asked = true,
                }
            }
        }
    }
    match (free, asked) {
        (Some(free), true) => Err(DoorFault::new(
            state::UNSUPPORTED,
            format!("a question about a dataset cannot read \"{free}\" beside it"),
        )
        .hint("ask the dataset first, and join the answer with the rest afterwards")),
        (None, true) => Ok(Kind::Question),
        (_, false) => match statement {
            Ast::Explain { .. } => Ok(Kind::Command(Command::ExplainFree)),
            statement => Ok(Kind::Free(Arc::new(statement))),
        },
    }
}

/// Schemas and names of the tables that a statement names, and the names that its WITH gives.
#[derive(Default)]
struct Named {
    tables: Vec<(Option<String>, String)>,
    with: HashSet<String>,
}

impl Visitor for Named {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let names = query.with.iter().flat_map(|with| &with.cte_tables).map(|cte| folded(&cte.alias.name));
        self.with.extend(names);
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        let mut parts: Vec<String> =
            relation.0.iter().map(|part| part.as_ident().map_or_else(|| part.to_string(), folded)).collect();
        if let Some(table) = parts.pop() {
            self.tables.push((parts.pop(), table));
        }
        ControlFlow::Continue(())
    }
}

/// A name as PostgreSQL folds it: in lower case unless it is quoted.
fn folded(name: &sqlparser::ast::Ident) -> String {
    if name.quote_style.is_some() { name.value.clone() } else { name.value.to_lowercase() }
}

/// The accuracy that a comment asks for: whether it is a margin, and its value. Prose is no accuracy.
fn said(token: &Token) -> Option<(bool, String)> {
    let text = match token {
        Token::Whitespace(Whitespace::MultiLineComment(text)) => text,
        Token::Whitespace(Whitespace::SingleLineComment { comment, .. }) => comment,
        _ => return None,
    };
    let text = text.trim();
    let (word, value) = text.split_at(text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len()));
    let value = value.trim_start_matches([' ', '=', ':', '\t']).trim_matches(['\'', '"', ' ', '\t']);
    let is_margin = match word.to_lowercase().as_str() {
        "margin" => true,
        "epsilon" => false,
        _ => return None,
    };
    let is_value =
        value.starts_with(|c: char| c.is_ascii_digit() || c == '.' || c == '-') || (is_margin && value.contains('='));
    is_value.then(|| (is_margin, value.to_owned()))
}

/// The place of a parameter in bytes, and its number; `None` for what is none.
fn hole(text: &str, token: &TokenWithSpan) -> Result<Option<(Range<usize>, usize)>, DoorFault> {
    let Token::Placeholder(name) = &token.token else { return Ok(None) };
    let digits = name.strip_prefix('$').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let Some(digits) = digits.filter(|digits| !digits.is_empty()) else { return Ok(None) };
    // Everything that is made for a statement has a place for each number up to its largest.
    let number = digits.parse().ok().filter(|number| (1..=PARAMETERS_MAX).contains(number));
    let number = number.ok_or_else(|| no_parameter(shown(digits)))?;
    let begin = byte_of(text, offset(text, token));
    Ok(Some((begin..begin + name.len(), number)))
}

#[cfg(test)]
#[path = "statements_tests.rs"]
mod tests;
