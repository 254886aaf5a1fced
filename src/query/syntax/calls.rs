//! Functions of a row's texts and days, by what they mean and not by how they are written.

use crate::query::term::patterns::PatternKind;
use crate::query::term::spans::Span;
use crate::query::term::words::WordFunction;

/// A function of one row; its operands stand beside it in [`super::Scalar::Call`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// A function of texts: `LOWER(a)`.
    Word(WordFunction),
    /// A comparison of a text with a pattern: `a LIKE b`.
    Matches(PatternKind),
    /// `TO_CHAR(a, format)`, a day as a text.
    Format(String),
    /// `a + INTERVAL '…'`: so many months later, and then so many days.
    Later {
        /// Number of months, negative for earlier ones.
        months: i32,
        /// Number of days, negative for earlier ones.
        days: i32,
    },
    /// The distance from the first day to the second one.
    Elapsed(Span),
    /// `DATE(a)`, a day as it is.
    Day,
    /// `TO_DATE(a, format)`, a text as the day that it names.
    Read(String),
    /// `MAKE_DATE(year, month, day)`.
    Made,
}

impl Call {
    /// The name that PostgreSQL gives to a selected item that is this call.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Word(WordFunction::Joined) | Self::Matches(_) | Self::Later { .. } => "?column?",
            Self::Word(function) => function.word(),
            Self::Format(_) => "to_char",
            Self::Elapsed(Span::AgeYears | Span::AgeMonths) => "extract",
            Self::Elapsed(_) => "datediff",
            Self::Day => "date",
            Self::Read(_) => "to_date",
            Self::Made => "make_date",
        }
    }
}
