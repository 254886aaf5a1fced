//! The groups that all tables of an audit have, and the column that makes questions differ.

/// Number of groups.
pub(in crate::audit) const GROUPS: usize = 1_000;
/// Number of values of the column that makes questions differ.
pub(in crate::audit) const SALTS: u64 = 1_000_000_000;

/// A list of values in a policy, each of the prefix and a number.
pub(super) fn list(prefix: char, count: usize) -> String {
    (0..count).map(|number| format!("\"{prefix}{number}\"")).collect::<Vec<_>>().join(", ")
}
