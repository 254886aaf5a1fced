//! Finds the column of a source that a policy means.
//!
//! Promises that a name matches in a single way or is refused: naming a
//! column exactly always selects it, and an ambiguous name is an error.

use super::fault::SourceFault;

/// A column that a policy wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantedColumn<'a> {
    /// The column's identifier in the policy.
    pub name: &'a str,
    /// The column's name in the source, if the policy states it.
    pub source: Option<&'a str>,
}

impl<'a> WantedColumn<'a> {
    /// The name by which the policy refers to the source's column.
    pub(super) fn word(&self) -> &'a str {
        self.source.unwrap_or(self.name)
    }
}

/// The largest length of an identifier in bytes, as in the policy.
const IDENTIFIER_BYTES_MAX: usize = 63;

/// The identifier that a column's name is read as: in lower case, with `_` for every run of characters
/// other than `a`–`z` and digits, without `_` at the ends, but with one in front of a leading digit.
/// `HbA1c (%)` is `hba1c`, `2nd visit` is `_2nd_visit`. It is empty if no character remains.
#[must_use]
pub fn normalised(name: &str) -> String {
    let mut kept = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            if kept.is_empty() && c.is_ascii_digit() {
                kept.push('_');
            }
            kept.push(c.to_ascii_lowercase());
        } else if !kept.is_empty() && !kept.ends_with('_') {
            kept.push('_');
        }
    }
    kept.truncate(IDENTIFIER_BYTES_MAX);
    let ends = kept.trim_end_matches('_').len();
    kept.truncate(ends);
    kept
}

/// Finds the index of the wanted column among `names`; `Ok(None)` if there is none.
pub(super) fn find(names: &[&str], wanted: &WantedColumn<'_>) -> Result<Option<usize>, SourceFault> {
    let folded = wanted.name.trim().to_lowercase();
    let exact = |name: &str| name == wanted.word();
    let trimmed = |name: &str| wanted.source.is_some_and(|source| name.trim() == source.trim());
    let alike = |name: &str| wanted.source.is_none() && name.trim().to_lowercase() == folded;
    let read_as = |name: &str| wanted.source.is_none() && normalised(name) == wanted.name;
    let rules: [&dyn Fn(&str) -> bool; 4] = [&exact, &trimmed, &alike, &read_as];
    for rule in rules {
        let found: Vec<usize> = names.iter().enumerate().filter(|(_, name)| rule(name)).map(|(at, _)| at).collect();
        let same = |at: &usize| names[*at] == names[found[0]];
        match found.as_slice() {
            [] => {}
            [only] => return Ok(Some(*only)),
            _ if found.iter().all(same) => {
                return Err(SourceFault::SameName { wanted: wanted.word().to_owned() });
            }
            _ => {
                let columns = found.iter().map(|at| at + 1).collect();
                return Err(SourceFault::Ambiguous { wanted: wanted.word().to_owned(), columns });
            }
        }
    }
    Ok(None)
}

/// The numbers, counted from 1, of the first two columns with the same name; empty names do not count.
pub(super) fn first_twins(names: &[&str]) -> Option<(usize, usize)> {
    let mut seen = std::collections::HashMap::new();
    names
        .iter()
        .enumerate()
        .map(|(at, name)| (at, name.trim()))
        .filter(|(_, name)| !name.is_empty())
        .find_map(|(at, name)| seen.insert(name, at + 1).map(|before| (before, at + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::terms::policy::is_identifier;

    #[test]
    fn names_become_identifiers() {
        for (name, read) in [
            ("PERSON_ID", "person_id"),
            ("Date of Birth", "date_of_birth"),
            ("HbA1c (%)", "hba1c"),
            ("hba1c\n(%)", "hba1c"),
            ("hba1c.value", "hba1c_value"),
            (" patient id ", "patient_id"),
            ("2nd visit", "_2nd_visit"),
            ("--", ""),
            ("", ""),
            ("Größe", "gr_e"),
            ("_id", "id"),
            (&"x".repeat(70), &"x".repeat(63)),
        ] {
            let found = normalised(name);
            assert_eq!(found, read, "{name:?}");
            assert!(found.is_empty() || is_identifier(&found), "{name:?}");
        }
    }

    #[test]
    fn one_column_is_meant_or_none() {
        let names = [
            "patient_id",
            "PATIENT_ID",
            " Age ",
            "HbA1c (%)",
            "hba1c.value",
            "Sex",
            "sex ",
            "",
            "",
            "x",
            "x",
            "A-1",
            "a.1",
        ];
        let named = |name| WantedColumn { name, source: None };
        let sourced = |source| WantedColumn { name: "any", source: Some(source) };
        let twins = |wanted: &str| Err(SourceFault::SameName { wanted: wanted.to_owned() });
        let several = |wanted: &str, columns| Err(SourceFault::Ambiguous { wanted: wanted.to_owned(), columns });
        for (wanted, found) in [
            (named("patient_id"), Ok(Some(0))),
            (named("Patient_Id"), several("Patient_Id", vec![1, 2])),
            (named("age"), Ok(Some(2))),
            (named("hba1c"), Ok(Some(3))),
            (named("hba1c_value"), Ok(Some(4))),
            (named("sex"), several("sex", vec![6, 7])),
            (named("a_1"), several("a_1", vec![12, 13])),
            (named("x"), twins("x")),
            (named("gone"), Ok(None)),
            (sourced("PATIENT_ID"), Ok(Some(1))),
            (sourced("Age"), Ok(Some(2))),
            (sourced("age"), Ok(None)),
            (sourced("HbA1c (%)"), Ok(Some(3))),
            (sourced("x"), twins("x")),
        ] {
            assert_eq!(find(&names, &wanted), found, "{wanted:?}");
        }
        assert_eq!(first_twins(&names), Some((10, 11)));
        assert_eq!(first_twins(&["", "", "a"]), None);
    }
}
