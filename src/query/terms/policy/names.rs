//! Names that a policy may give, and the mark of values that nobody has checked yet.

/// The mark that a draft puts before bounds and values seen in the data, so that nobody accepts them unread.
pub const SEEN: &str = "seen:";
pub(super) const SEEN_HINT: &str = "it was seen in the data, and publishing it may reveal something about single people; write what is known without looking";

/// Whether a text of a policy is still marked as seen by a draft, so that a person has to replace it.
pub(super) fn is_seen(text: &str) -> bool {
    text.trim_start().starts_with(SEEN)
}

/// Pattern of the names that [`is_identifier`] accepts.
pub const IDENTIFIER_PATTERN: &str = "^[a-z_][a-z0-9_]{0,62}$";
/// Pattern of a column that is named with its table.
pub(super) const QUALIFIED_PATTERN: &str = "^[a-z_][a-z0-9_]{0,62}\\.[a-z_][a-z0-9_]{0,62}$";

/// Whether `name` can name a dataset or a column: a lower-case identifier of at most 63 characters.
#[must_use]
pub fn is_identifier(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}
