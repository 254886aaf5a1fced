//! Single letters, small and capital, as PostgreSQL maps them without a language.

/// A letter as a small one, if that is a single character.
pub(super) fn lower(letter: char) -> char {
    let mut all = letter.to_lowercase();
    all.next().filter(|_| all.next().is_none()).unwrap_or(letter)
}

/// A letter as a capital one, if that is a single character.
pub(super) fn upper(letter: char) -> char {
    let mut all = letter.to_uppercase();
    all.next().filter(|_| all.next().is_none()).unwrap_or(letter)
}
