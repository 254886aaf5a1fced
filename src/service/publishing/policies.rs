//! What sealing under another policy would change: the difference between a policy's text and the terms of the edition that is served.
//!
//! Promises that nothing is read but the text, the ledger and the served terms: no source, and no file.

use crate::kernel::budget::ledger::Ledger;
use crate::query::terms::domain::Column;
use crate::query::terms::policy::{Policy, Terms};
use crate::service::publishing::editions::check_cap;

/// One difference between a policy and the terms that are served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyChange {
    /// The difference in words.
    pub what: String,
    /// Whether sealing is refused for it.
    pub is_refused: bool,
}

/// What sealing under this policy would change of the edition that is served under `sealed`; `None` for a dataset that is not served. Empty
/// if nothing that questions depend on differs.
#[must_use]
pub fn changes(ledger: &dyn Ledger, sealed: Option<&Terms>, policy: &Policy) -> Vec<PolicyChange> {
    let refused =
        check_cap(ledger, policy).err().map(|error| PolicyChange { what: error.to_string(), is_refused: true });
    let differences = sealed.map(|sealed| differences(sealed, &policy.terms)).unwrap_or_default();
    refused.into_iter().chain(differences.into_iter().map(|what| PolicyChange { what, is_refused: false })).collect()
}

fn differences(sealed: &Terms, wanted: &Terms) -> Vec<String> {
    let mut found = Vec::new();
    let mut number = |name: &str, one: u64, other: u64| {
        if one != other {
            found.push(format!("{name}: {one} becomes {other}"));
        }
    };
    number("rows of each unit that count", sealed.max_rows_per_unit.into(), wanted.max_rows_per_unit.into());
    number("capacity in rows", sealed.max_rows, wanted.max_rows);
    number("smallest count that is shown", cell(sealed), cell(wanted));
    if sealed.oversubscribe != wanted.oversubscribe {
        let words = if wanted.oversubscribe { "may" } else { "may no longer" };
        found.push(format!("allocations {words} sum to more than the cap"));
    }
    columns("", sealed.own(), wanted.own(), &mut found);
    for table in &wanted.tables {
        match sealed.tables.iter().find(|known| known.name == table.name) {
            Some(known) => columns(&format!("{}.", table.name), &known.columns, &table.columns, &mut found),
            None => found.push(format!("table {} is new", table.name)),
        }
    }
    let gone = sealed.tables.iter().filter(|known| wanted.tables.iter().all(|table| table.name != known.name));
    found.extend(gone.map(|known| format!("table {} is gone", known.name)));
    if sealed.joins != wanted.joins {
        found.push("the tables that it is joined with differ".to_owned());
    }
    if sealed.public != wanted.public {
        found.push("public tables differ".to_owned());
    }
    if found.is_empty() && sealed != wanted {
        found.push("its cap, its limits or its order of tables differ".to_owned());
    }
    found
}

fn cell(terms: &Terms) -> u64 {
    terms.min_cell.map_or(0, u64::from)
}

fn columns(prefix: &str, sealed: &[Column], wanted: &[Column], found: &mut Vec<String>) {
    for column in wanted {
        let name = format!("{prefix}{}", column.name);
        let Some(known) = sealed.iter().find(|known| known.name == column.name) else {
            found.push(format!("column {name} is new"));
            continue;
        };
        let (before, after) = (known.domain.type_name(), column.domain.type_name());
        if before != after {
            found.push(format!("column {name}: {before} becomes {after}"));
        } else if known.domain != column.domain {
            found.push(match (known.domain.bounds(), column.domain.bounds()) {
                (Some((low, high)), Some((new_low, new_high))) if (&low, &high) != (&new_low, &new_high) => {
                    format!("column {name}: {low} to {high} becomes {new_low} to {new_high}")
                }
                (Some(_), Some(_)) => format!("column {name}: its step differs"),
                (None, _) | (_, None) => format!("column {name}: what it may hold differs"),
            });
        }
        if known.nullable != column.nullable {
            let words = if column.nullable { "may be missing" } else { "may no longer be missing" };
            found.push(format!("column {name}: values {words}"));
        }
        if known.per_unit != column.per_unit {
            let words = if column.per_unit { "has one value for each unit" } else { "may differ within a unit" };
            found.push(format!("column {name} {words}"));
        }
        if known.title != column.title {
            found.push(format!("column {name}: its title differs"));
        }
    }
    let gone = sealed.iter().filter(|known| wanted.iter().all(|column| column.name != known.name));
    found.extend(gone.map(|known| format!("column {prefix}{} is gone", known.name)));
}
