//! What a function is: its types, what it computes, and why it may have no value.

use std::sync::atomic::{AtomicUsize, Ordering};

use rusqlite::types::Value;

use crate::pgwire::catalogue::names::Names;
use crate::pgwire::free::casts::Unread;
use crate::pgwire::free::error::{FreeError, NO_VALUE, TOO_MUCH, UNREADABLE};
use crate::pgwire::free::kind::{Base, Kind};

/// The largest number of bytes of one value, as it is stored or computed.
pub(crate) const TEXT_BYTES_MAX: usize = 1 << 20;
/// The largest number of bytes of the arguments of one call together.
pub(crate) const ARGUMENTS_BYTES_MAX: usize = 2 * TEXT_BYTES_MAX;
/// The largest number of rows of a function such as `generate_series`.
pub(crate) const SERIES_ROWS_MAX: i64 = 10_000;

/// The largest number of bytes of all values that the functions of one statement compute.
const MADE_BYTES_MAX: usize = 256 << 20;

/// How many bytes the functions of a statement have computed, all of which may have to be kept until it ends.
#[derive(Debug, Default)]
pub(crate) struct Made(AtomicUsize);

impl Made {
    /// Begins with another statement.
    pub(crate) fn begin(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// Counts a value.
    pub(crate) fn count(&self, value: Value) -> Result<Value, CallFault> {
        let bytes = if let Value::Text(text) = &value { text.len() } else { 0 };
        let before = self.0.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > MADE_BYTES_MAX { Err(CallFault::TooMany) } else { Ok(value) }
    }
}

/// Why a function has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CallFault {
    /// A text cannot be read as what is wanted.
    Unread(Unread),
    /// A number is divided by zero.
    DividedByZero,
    /// The value would be too long.
    TooLong,
    /// All values of a statement together would be too long.
    TooMany,
    /// An argument is outside of what the function is defined for.
    Undefined(&'static str),
    /// The service refuses it.
    Refused(FreeError),
}

impl From<Unread> for CallFault {
    fn from(unread: Unread) -> Self {
        Self::Unread(unread)
    }
}

impl From<CallFault> for FreeError {
    fn from(fault: CallFault) -> Self {
        match fault {
            CallFault::Unread(unread) => unread.into(),
            CallFault::DividedByZero => Self::new("22012", "division by zero"),
            CallFault::TooLong => Self::new(TOO_MUCH, format!("a value would be longer than {TEXT_BYTES_MAX} bytes")),
            CallFault::TooMany => {
                let message = format!("the values that the statement computes have more than {MADE_BYTES_MAX} bytes");
                Self::new(TOO_MUCH, message).hint("read fewer rows")
            }
            CallFault::Undefined(name) => Self::new(NO_VALUE, format!("{name} is not defined for this argument")),
            CallFault::Refused(error) => error,
        }
    }
}

impl From<Unread> for FreeError {
    fn from(unread: Unread) -> Self {
        let name = unread.kind.name();
        let (state, what) = match unread.kind.base {
            Base::RegClass => ("42P01", "relation"),
            Base::RegType => ("42704", "type"),
            Base::RegNamespace => ("3F000", "schema"),
            Base::RegRole => ("42704", "role"),
            _ => return Self::new(UNREADABLE, format!("invalid input syntax for type {name}: \"{}\"", unread.text)),
        };
        Self::new(state, format!("{what} \"{}\" does not exist", unread.text))
    }
}

/// A text that is put together piece by piece, and refuses the piece that would make it longer than a value may be.
#[derive(Debug, Default)]
pub(crate) struct Growing(String);

impl Growing {
    /// Appends a piece, unless the whole would be longer than a text may be.
    pub(crate) fn push(&mut self, piece: &str) -> Result<(), CallFault> {
        if self.0.len() + piece.len() > TEXT_BYTES_MAX {
            return Err(CallFault::TooLong);
        }
        self.0.push_str(piece);
        Ok(())
    }

    /// The text that was built, as a value of SQLite.
    pub(crate) fn value(self) -> Value {
        Value::Text(self.0)
    }
}

/// What a function computes. NULLs reach only those that are not strict.
pub(crate) type Run = fn(&Names, &[Value]) -> Result<Value, CallFault>;

/// A function: its name; the types of its arguments, where `?` follows one that may be left out and `*` one that may be repeated; the type of
/// its value, where `same` is the first argument's and `element` that of its elements; and what it computes.
pub(crate) struct Function {
    /// Name by which SQLite calls the function.
    pub(crate) name: &'static str,
    arguments: &'static str,
    result: &'static str,
    is_strict: bool,
    run: Run,
}

impl Function {
    pub(crate) const fn strict(name: &'static str, arguments: &'static str, result: &'static str, run: Run) -> Self {
        Self { name, arguments, result, is_strict: true, run }
    }

    pub(crate) const fn lenient(name: &'static str, arguments: &'static str, result: &'static str, run: Run) -> Self {
        Self { name, arguments, result, is_strict: false, run }
    }

    /// Whether it can be called with this many arguments.
    pub(crate) fn takes(&self, count: usize) -> bool {
        let words: Vec<&str> = self.arguments.split_whitespace().collect();
        let least = words.iter().filter(|word| !word.ends_with(['?', '*'])).count();
        let has_more = words.last().is_some_and(|word| word.ends_with('*'));
        count >= least && (has_more || count <= words.len())
    }

    /// The type that an argument is taken as; `None` if any will do.
    pub(crate) fn argument(&self, place: usize) -> Option<Kind> {
        let words: Vec<&str> = self.arguments.split_whitespace().collect();
        let word = words.get(place).or(words.last())?;
        Kind::named(word.trim_end_matches(['?', '*']))
    }

    /// The type of the value, for a first argument of this type.
    pub(crate) fn result(&self, first: Option<Kind>) -> Kind {
        match self.result {
            "same" => first.unwrap_or(Kind::TEXT),
            "element" => first.and_then(Kind::element).unwrap_or(Kind::TEXT),
            name => Kind::named(name).unwrap_or(Kind::TEXT),
        }
    }

    /// The value for these arguments.
    pub(crate) fn call(&self, names: &Names, arguments: &[Value]) -> Result<Value, CallFault> {
        if self.is_strict && arguments.iter().any(|one| matches!(one, Value::Null)) {
            return Ok(Value::Null);
        }
        let value = (self.run)(names, arguments)?;
        match &value {
            Value::Text(text) if text.len() > TEXT_BYTES_MAX => Err(CallFault::TooLong),
            _ => Ok(value),
        }
    }
}

/// An argument as text; empty if it is left out or NULL.
pub(crate) fn text(arguments: &[Value], place: usize) -> String {
    match arguments.get(place) {
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Integer(number)) => number.to_string(),
        Some(Value::Real(number)) => number.to_string(),
        Some(Value::Null | Value::Blob(_)) | None => String::new(),
    }
}

/// An argument as a whole number; `None` if it is left out or NULL.
pub(crate) fn whole(arguments: &[Value], place: usize) -> Option<i64> {
    match arguments.get(place)? {
        Value::Integer(number) => Some(*number),
        Value::Real(number) => Some(*number as i64),
        Value::Text(text) => text.trim().parse().ok(),
        Value::Null | Value::Blob(_) => None,
    }
}

/// An argument as a number; `None` if it is left out or NULL.
pub(crate) fn real(arguments: &[Value], place: usize) -> Option<f64> {
    match arguments.get(place)? {
        Value::Integer(number) => Some(*number as f64),
        Value::Real(number) => Some(*number),
        Value::Text(text) => text.trim().parse().ok(),
        Value::Null | Value::Blob(_) => None,
    }
}
