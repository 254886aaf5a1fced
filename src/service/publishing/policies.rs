//! What sealing under another policy would change: the difference between a policy's text and the terms of the edition that is served.
//!
//! Promises that nothing is read but the text, the ledger and the served terms: no source, and no file.

use std::error::Error;

use crate::kernel::budget::ledger::Ledger;
use crate::query::terms::domain::{Column, Domain};
use crate::query::terms::policy::{Policy, PolicyFault, PublicRows, Terms};
use crate::query::terms::source::SourceSpec;
use crate::service::Service;
use crate::service::publishing::editions::check_cap;

/// Why the rows of a public table are not known here.
#[derive(Debug, thiserror::Error)]
#[error(
    "no edition that is served has a public table from this source with these columns; a new one is read by tacit seal alone"
)]
struct Unserved;

impl Service {
    /// Checks the text of a policy that comes from elsewhere than a file. Its public tables are those of the editions that are served: no
    /// file is opened, wherever a text says that one is.
    ///
    /// # Errors
    /// Every fault that was found, in the order of the text.
    pub fn check_policy(&self, text: &str) -> Result<Policy, Vec<PolicyFault>> {
        Policy::parse_with(text, &mut |source, columns| {
            self.public_rows(source, columns).ok_or_else(|| Unserved.into())
        })
    }

    /// The rows of a public table of a served edition that was read from this source.
    fn public_rows(&self, source: &SourceSpec, wanted: &[String]) -> Option<PublicRows> {
        self.datasets().filter(|dataset| !dataset.terms.public.is_empty()).find_map(|dataset| {
            let declared = public_sources(dataset.policy.as_deref()?);
            let mut tables = declared.iter().zip(dataset.terms.public.iter());
            let (_, table) = tables.find(|(known, _)| *known == source)?;
            let column = |name: &String| {
                let place = table.columns.place(name)?;
                Some((table.columns[place].clone(), table.values.get(place)?.clone()))
            };
            wanted.iter().map(column).collect()
        })
    }
}

/// The sources of a policy's public tables, in its order.
fn public_sources(text: &str) -> Vec<SourceSpec> {
    let mut found = Vec::new();
    // What reads them only notes them, so the text has faults here.
    let _ = Policy::parse_with(text, &mut |source, _| {
        found.push(source.clone());
        Err(Box::<dyn Error>::from(Unserved))
    });
    found
}

/// One difference between a policy and the terms that are served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyChange {
    /// The difference in words.
    pub what: String,
    /// Whether sealing is refused for it.
    pub is_refused: bool,
    /// Whether questions that group by a column get other groups.
    pub moves_groups: bool,
}

/// What sealing under this policy would change of the edition that is served under `sealed`; `None` for a dataset that is not served. Empty
/// if nothing that questions depend on differs.
#[must_use]
pub fn changes(ledger: &dyn Ledger, sealed: Option<&Terms>, policy: &Policy) -> Vec<PolicyChange> {
    let refused = check_cap(ledger, policy).err();
    let refused = refused.map(|error| PolicyChange { is_refused: true, ..PolicyChange::of(error.to_string()) });
    let differences = sealed.map(|sealed| differences(sealed, &policy.terms)).unwrap_or_default();
    refused.into_iter().chain(differences).collect()
}

impl PolicyChange {
    fn of(what: impl Into<String>) -> Self {
        Self { what: what.into(), is_refused: false, moves_groups: false }
    }
}

fn differences(sealed: &Terms, wanted: &Terms) -> Vec<PolicyChange> {
    let mut found = Vec::new();
    let mut number = |name: &str, one: u64, other: u64| {
        if one != other {
            found.push(PolicyChange::of(format!("{name}: {one} becomes {other}")));
        }
    };
    number("rows of each unit that count", sealed.max_rows_per_unit.into(), wanted.max_rows_per_unit.into());
    number("capacity in rows", sealed.max_rows, wanted.max_rows);
    number("smallest count that is shown", cell(sealed), cell(wanted));
    if sealed.oversubscribe != wanted.oversubscribe {
        let words = if wanted.oversubscribe { "may" } else { "may no longer" };
        found.push(PolicyChange::of(format!("allocations {words} sum to more than the cap")));
    }
    columns("", sealed.own(), wanted.own(), &mut found);
    for table in &wanted.tables {
        match sealed.tables.iter().find(|known| known.name == table.name) {
            Some(known) => columns(&format!("{}.", table.name), &known.columns, &table.columns, &mut found),
            None => found.push(PolicyChange::of(format!("table {} is new", table.name))),
        }
    }
    let gone = sealed.tables.iter().filter(|known| wanted.tables.iter().all(|table| table.name != known.name));
    found.extend(gone.map(|known| PolicyChange::of(format!("table {} is gone", known.name))));
    if sealed.joins != wanted.joins {
        found.push(PolicyChange::of("the tables that it is joined with differ"));
    }
    if sealed.public != wanted.public {
        found.push(PolicyChange::of("public tables differ"));
    }
    if found.is_empty() && sealed != wanted {
        found.push(PolicyChange::of("its cap, its limits or its order of tables differ"));
    }
    found
}

fn cell(terms: &Terms) -> u64 {
    terms.min_cell.map_or(0, u64::from)
}

fn columns(prefix: &str, sealed: &[Column], wanted: &[Column], found: &mut Vec<PolicyChange>) {
    for column in wanted {
        let name = format!("{prefix}{}", column.name);
        let Some(known) = sealed.iter().find(|known| known.name == column.name) else {
            found.push(PolicyChange::of(format!("column {name} is new")));
            continue;
        };
        let (before, after) = (known.domain.type_name(), column.domain.type_name());
        if before != after {
            let what = format!("column {name}: {before} becomes {after}");
            found.push(PolicyChange { moves_groups: true, ..PolicyChange::of(what) });
        } else if known.domain != column.domain {
            let moves_groups = !matches!(column.domain, Domain::Number(_));
            let what = match (known.domain.bounds(), column.domain.bounds()) {
                (Some((low, high)), Some((new_low, new_high))) if (&low, &high) != (&new_low, &new_high) => {
                    format!("column {name}: {low} to {high} becomes {new_low} to {new_high}")
                }
                (Some(_), Some(_)) => format!("column {name}: its step differs"),
                (None, _) | (_, None) => format!("column {name}: what it may hold differs"),
            };
            found.push(PolicyChange { moves_groups, ..PolicyChange::of(what) });
        }
        if known.nullable != column.nullable {
            let words = if column.nullable { "may be missing" } else { "may no longer be missing" };
            found.push(PolicyChange::of(format!("column {name}: values {words}")));
        }
        if known.per_unit != column.per_unit {
            let words = if column.per_unit { "has one value for each unit" } else { "may differ within a unit" };
            found.push(PolicyChange::of(format!("column {name} {words}")));
        }
        if known.title != column.title {
            found.push(PolicyChange::of(format!("column {name}: its title differs")));
        }
    }
    let gone = sealed.iter().filter(|known| wanted.iter().all(|column| column.name != known.name));
    found.extend(gone.map(|known| PolicyChange::of(format!("column {prefix}{} is gone", known.name))));
}
