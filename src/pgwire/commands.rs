//! Commands: statements about the session, which cost nothing.

use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::fault::{DoorFault, state};
use crate::query::error::Position;

/// A statement about the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// Sets a parameter; `value` is `None` for what it was at the beginning.
    Set {
        /// The parameter's name.
        name: String,
        /// The value that is set; `None` resets the parameter.
        value: Option<String>,
        /// Whether it is set for the transaction alone.
        is_local: bool,
    },
    /// Sets everything to what it was at the beginning.
    ResetAll,
    /// Shows a parameter.
    Show(String),
    /// Shows all parameters.
    ShowAll,
    /// Begins a transaction block; the word is the tag.
    Begin(&'static str),
    /// Ends a transaction block.
    Commit,
    /// Ends a transaction block, and takes back what was set in it.
    Rollback,
    /// Sets or frees a savepoint; the word is the tag.
    Savepoint(&'static str),
    /// Goes back to a savepoint.
    RollbackTo,
    /// Drops what the session has prepared and set; the word is the tag.
    Discard(Discarded),
    /// Drops a prepared statement; all of them if there is no name.
    Deallocate(Option<String>),
    /// Closes a cursor; all of them if there is no name.
    Close(Option<String>),
    /// Takes rows of a cursor, or passes them over.
    Fetch {
        /// The cursor's name.
        name: String,
        /// How many rows; `None` is all.
        rows: Option<usize>,
        /// Whether the rows are passed over.
        is_move: bool,
    },
    /// Something that has no effect here; the word is the tag.
    Nothing(&'static str),
    /// EXPLAIN of what is free.
    ExplainFree,
}

/// What a DISCARD drops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Discarded {
    /// Settings, prepared statements and portals.
    All,
    /// What this door has none of.
    Other(&'static str),
}

impl Command {
    /// Whether it ends a transaction block, also one that has failed.
    pub(super) fn is_end(&self) -> bool {
        matches!(self, Self::Commit | Self::Rollback | Self::RollbackTo)
    }
}

/// The tokens of a command, word by word.
struct Words<'a> {
    tokens: &'a [&'a TokenWithSpan],
    at: usize,
}

impl<'a> Words<'a> {
    fn peek(&self) -> Option<String> {
        self.tokens.get(self.at).map(|token| match &token.token {
            Token::Word(word) if word.quote_style.is_none() => word.value.to_uppercase(),
            other => other.to_string(),
        })
    }

    fn next(&mut self) -> Option<String> {
        let word = self.peek();
        self.at += 1;
        word
    }

    /// Passes over the next word if it is one of these.
    fn take(&mut self, words: &[&str]) -> bool {
        let is_it = self.peek().is_some_and(|word| words.contains(&word.as_str()));
        self.at += usize::from(is_it);
        is_it
    }

    fn has_ended(&self) -> bool {
        self.at >= self.tokens.len()
    }

    /// A name, as PostgreSQL folds it.
    fn name(&mut self) -> Result<String, DoorFault> {
        let token = self.tokens.get(self.at).map(|token| &token.token);
        self.at += 1;
        match token {
            Some(Token::Word(word)) if word.quote_style.is_some() => Ok(word.value.clone()),
            Some(Token::Word(word)) => Ok(word.value.to_lowercase()),
            _ => Err(self.fault()),
        }
    }

    /// What is left, as a parameter's value: texts without their quotes, several with commas between them.
    fn value(&mut self) -> String {
        let mut value = String::new();
        for token in &self.tokens[self.at.min(self.tokens.len())..] {
            match &token.token {
                Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text) => value.push_str(text),
                Token::Comma => value.push_str(", "),
                other => value.push_str(&other.to_string()),
            }
        }
        self.at = self.tokens.len();
        value
    }

    fn fault(&self) -> DoorFault {
        let place = self.at.saturating_sub(1).min(self.tokens.len().saturating_sub(1));
        let at = self
            .tokens
            .get(place)
            .map(|token| Position { line: token.span.start.line, column: token.span.start.column });
        DoorFault { at, ..DoorFault::new(state::UNSUPPORTED, "this form of the statement is not supported") }
    }
}

/// Reads a command; `None` if the statement is none.
///
/// # Errors
/// [`DoorFault`] for a form that is not known.
pub(super) fn read(tokens: &[&TokenWithSpan]) -> Result<Option<Command>, DoorFault> {
    let mut words = Words { tokens, at: 0 };
    let Some(first) = words.next() else { return Ok(None) };
    let command = match first.as_str() {
        "SET" => set(&mut words)?,
        "RESET" if words.take(&["ALL"]) => Command::ResetAll,
        "RESET" => Command::Set { name: dotted(&mut words)?, value: None, is_local: false },
        "SHOW" => show(&mut words)?,
        "BEGIN" => Command::Begin("BEGIN"),
        "START" => Command::Begin("START TRANSACTION"),
        "COMMIT" | "END" => Command::Commit,
        "ROLLBACK" => {
            words.take(&["WORK", "TRANSACTION"]);
            if words.take(&["TO"]) { Command::RollbackTo } else { Command::Rollback }
        }
        "ABORT" => Command::Rollback,
        "SAVEPOINT" => Command::Savepoint("SAVEPOINT"),
        "RELEASE" => Command::Savepoint("RELEASE"),
        "DISCARD" => Command::Discard(match words.next().as_deref() {
            Some("ALL") => Discarded::All,
            Some("PLANS") => Discarded::Other("DISCARD PLANS"),
            Some("SEQUENCES") => Discarded::Other("DISCARD SEQUENCES"),
            _ => Discarded::Other("DISCARD TEMP"),
        }),
        "DEALLOCATE" => {
            words.take(&["PREPARE"]);
            Command::Deallocate(if words.take(&["ALL"]) { None } else { Some(words.name()?) })
        }
        "CLOSE" => Command::Close(if words.take(&["ALL"]) { None } else { Some(words.name()?) }),
        "FETCH" => fetch(&mut words, false)?,
        "MOVE" => fetch(&mut words, true)?,
        "LISTEN" => Command::Nothing("LISTEN"),
        "UNLISTEN" => Command::Nothing("UNLISTEN"),
        _ => return Ok(None),
    };
    Ok(Some(command))
}

fn dotted(words: &mut Words<'_>) -> Result<String, DoorFault> {
    let mut name = words.name()?;
    while words.take(&["."]) {
        name = format!("{name}.{}", words.name()?);
    }
    Ok(name)
}

fn set(words: &mut Words<'_>) -> Result<Command, DoorFault> {
    let is_local = words.take(&["LOCAL"]);
    words.take(&["SESSION"]);
    match words.peek().as_deref() {
        Some("CHARACTERISTICS" | "TRANSACTION" | "CONSTRAINTS" | "AUTHORIZATION") => {
            return Ok(Command::Nothing("SET"));
        }
        Some("TIME") => {
            words.at += 2;
            return Ok(assigned("timezone".to_owned(), words, is_local));
        }
        Some("NAMES") => {
            words.at += 1;
            return Ok(assigned("client_encoding".to_owned(), words, is_local));
        }
        Some("ROLE") => return Ok(Command::Nothing("SET")),
        _ => {}
    }
    let name = dotted(words)?;
    if !words.take(&["=", "TO"]) || words.has_ended() {
        return Err(words.fault());
    }
    Ok(assigned(name, words, is_local))
}

fn assigned(name: String, words: &mut Words<'_>, is_local: bool) -> Command {
    let is_default = words.peek().as_deref() == Some("DEFAULT");
    let value = words.value();
    Command::Set { name, value: (!is_default).then_some(value), is_local }
}

fn show(words: &mut Words<'_>) -> Result<Command, DoorFault> {
    match words.peek().as_deref() {
        Some("ALL") => Ok(Command::ShowAll),
        Some("TRANSACTION") => Ok(Command::Show("transaction_isolation".to_owned())),
        Some("TIME") => Ok(Command::Show("TimeZone".to_owned())),
        Some("SESSION") => Ok(Command::Show("session_authorization".to_owned())),
        _ => Ok(Command::Show(dotted(words)?)),
    }
}

fn fetch(words: &mut Words<'_>, is_move: bool) -> Result<Command, DoorFault> {
    let is_forward = words.take(&["FORWARD"]);
    let rows = match words.peek().as_deref() {
        Some("ALL") => {
            words.at += 1;
            None
        }
        Some("NEXT") if !is_forward => {
            words.at += 1;
            Some(1)
        }
        Some("PRIOR" | "FIRST" | "LAST" | "ABSOLUTE" | "RELATIVE" | "BACKWARD" | "-") => {
            words.at += 1;
            return Err(words.fault().hint("cursors go forward: FETCH FORWARD 100 FROM name"));
        }
        Some(number) if number.starts_with(|c: char| c.is_ascii_digit()) => {
            let rows = number.parse().map_err(|_| words.fault())?;
            words.at += 1;
            Some(rows)
        }
        _ => Some(1),
    };
    words.take(&["FROM", "IN"]);
    Ok(Command::Fetch { name: words.name()?, rows, is_move })
}

/// Reads DECLARE: the cursor's name, whether it outlives its transaction, and the number of characters before its query.
///
/// # Errors
/// [`DoorFault`] for a form that is not known.
pub(super) fn declared(
    tokens: &[&TokenWithSpan],
    offset: &dyn Fn(&TokenWithSpan) -> usize,
) -> Result<(String, bool, usize), DoorFault> {
    let mut words = Words { tokens, at: 1 };
    let name = words.name()?;
    let mut is_held = false;
    loop {
        match words.next().as_deref() {
            Some("BINARY" | "SCROLL") => return Err(words.fault().hint("DECLARE name CURSOR FOR SELECT …")),
            Some("ASENSITIVE" | "INSENSITIVE" | "CURSOR" | "WITHOUT" | "HOLD") => {}
            Some("NO") => {
                words.take(&["SCROLL"]);
            }
            Some("WITH") => is_held = true,
            Some("FOR") => break,
            _ => return Err(words.fault()),
        }
    }
    let from = tokens.get(words.at).ok_or_else(|| words.fault())?;
    Ok((name, is_held, offset(from)))
}
