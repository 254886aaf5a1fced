//! Public tables: code lists, hierarchies and calendars, which are published as they are, and whose columns may list a category's values.
//!
//! Promises that a policy with public tables is complete once it is loaded: rows and lists are part of its terms. It does not know files:
//! what reads a source is passed in, because sources are read in `engine`.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::error::Error;

use toml::Spanned;

use super::faults::PolicyFaults;
use super::limits::{PUBLIC_BYTES_MAX, PUBLIC_COLUMNS_MAX, PUBLIC_VALUES_MAX, TABLES_MAX, VALUE_CHARS_MAX};
use super::names::is_identifier;
use super::orders::Orders;
use super::public_table::{PublicTable, PublicTables};
use super::source::source;
use super::tables::PublicTableForm;
use super::terms::Terms;
use crate::query::terms::domain::{Column, Domain, date_text};
use crate::query::terms::labels::Labels;
use crate::query::terms::source::SourceSpec;

/// What a reader of public tables returns: each column with its domain, and the stored integers of all rows.
pub type PublicRows = Vec<(Column, Vec<Option<i64>>)>;

/// Reads the columns of these names from a source. The error names no value of the source.
pub type ReadPublic<'a> = dyn FnMut(&SourceSpec, &[String]) -> Result<PublicRows, Box<dyn Error>> + 'a;

/// Why a list of values cannot be taken from a public table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ListFault {
    /// The name is not one of a table and one of its columns.
    #[error("\"{given}\" is not a table and a column, like \"concept.concept_id\"")]
    Name {
        /// What the policy says.
        given: String,
    },
    /// There is no such public table.
    #[error("there is no [[public]] table \"{table}\"{}", listed(known))]
    Table {
        /// The name of the table.
        table: String,
        /// The names of the public tables.
        known: Vec<String>,
    },
    /// The table has no such column.
    #[error("the public table \"{table}\" has no column \"{column}\"; its columns are {}", known.join(", "))]
    Column {
        /// The name of the table.
        table: String,
        /// The name of the column.
        column: String,
        /// The names of its columns.
        known: Vec<String>,
    },
    /// The column has too many different values.
    #[error("{given} has {count} different values; a category from a public table has at most {PUBLIC_VALUES_MAX}")]
    TooMany {
        /// What the policy says.
        given: String,
        /// The number of different values.
        count: usize,
    },
}

fn listed(known: &[String]) -> String {
    if known.is_empty() { String::new() } else { format!("; there are {}", known.join(", ")) }
}

/// Reads the public tables. `names` are the names of tables that are taken.
pub(super) fn public_tables(
    tables: Vec<Spanned<PublicTableForm>>,
    names: &mut HashSet<String>,
    read: &mut ReadPublic<'_>,
    faults: &mut PolicyFaults<'_>,
) -> PublicTables {
    if let Some(table) = tables.get(TABLES_MAX) {
        faults.add(table.span(), format!("{} public tables; accepted are at most {TABLES_MAX}", tables.len()));
    }
    let (mut all, mut bytes) = (Vec::new(), 0_usize);
    for table in tables.into_iter().take(TABLES_MAX) {
        let span = table.get_ref().source.span();
        let Some(table) = one(table.into_inner(), names, read, faults) else { continue };
        bytes = bytes.saturating_add(size(&table));
        if bytes > PUBLIC_BYTES_MAX {
            let message = format!(
                "the public tables up to this one take {bytes} bytes; accepted are at most {PUBLIC_BYTES_MAX} for all of them: leave columns out"
            );
            faults.add(span, message);
            break;
        }
        all.push(table);
    }
    all.into_iter().collect()
}

/// The size of a table, as [`PUBLIC_BYTES_MAX`] counts it.
fn size(table: &PublicTable) -> usize {
    let texts = |column: &Column| match &column.domain {
        Domain::Category(labels) => labels.iter().map(String::len).sum(),
        Domain::Boolean | Domain::Number(_) | Domain::Date { .. } | Domain::Text { .. } => 0,
    };
    let values: usize = table.values.iter().map(|values| values.len().saturating_mul(8)).sum();
    table.columns.iter().map(texts).sum::<usize>().saturating_add(values)
}

fn one(
    table: PublicTableForm,
    names: &mut HashSet<String>,
    read: &mut ReadPublic<'_>,
    faults: &mut PolicyFaults<'_>,
) -> Option<PublicTable> {
    let before = faults.found.len();
    let name = table.name.get_ref().clone();
    if !is_identifier(&name) {
        faults.add(table.name.span(), format!("table name \"{name}\" is not a lower-case identifier"));
    } else if !names.insert(name.clone()) {
        faults.add(table.name.span(), format!("table \"{name}\" is named twice"));
    }
    let wanted = table.columns.get_ref();
    if wanted.is_empty() || wanted.len() > PUBLIC_COLUMNS_MAX {
        let message = format!("{} columns; a public table names 1 to {PUBLIC_COLUMNS_MAX}", wanted.len());
        faults.add(table.columns.span(), message);
    }
    let mut seen = HashSet::new();
    for column in wanted {
        let name = column.get_ref();
        if !is_identifier(name) {
            faults.add(column.span(), format!("column name \"{name}\" is not a lower-case identifier"));
        } else if !seen.insert(name) {
            faults.add(column.span(), format!("column \"{name}\" is named twice"));
        }
    }
    let from = source(&table.source, faults);
    if faults.found.len() > before {
        return None;
    }
    let wanted: Vec<String> = wanted.iter().map(|column| column.get_ref().clone()).collect();
    let read = read(&from?, &wanted).map_err(|error| format!("the public table \"{name}\" cannot be used: {error}"));
    let rows = read.map_err(|message| faults.add(table.source.span(), message)).ok()?;
    let (columns, values): (Vec<Column>, Vec<_>) = rows.into_iter().unzip();
    let rows = values.first().map_or(0, Vec::len) as u64;
    Some(PublicTable { name, columns: columns.into(), rows, values, orders: Orders::default() })
}

/// The lists of values that public tables give. Columns that take the same list share it.
pub(super) struct PublicLists<'a> {
    tables: &'a PublicTables,
    /// Names of tables that could not be read, which is reported already.
    unread: HashSet<String>,
    /// By the places of table and column, the number of different values, and the values unless they are too many.
    known: RefCell<HashMap<(usize, usize), (usize, Labels)>>,
}

impl<'a> PublicLists<'a> {
    /// The lists of these tables. `names` are those of all that are declared.
    pub(super) fn of(tables: &'a PublicTables, names: &HashSet<String>) -> Self {
        let is_unread = |name: &&String| !tables.iter().any(|table| table.name == **name);
        Self { tables, unread: names.iter().filter(is_unread).cloned().collect(), known: RefCell::default() }
    }

    /// Whether the table of `table.column` is declared and could not be read.
    pub(super) fn is_unread(&self, given: &str) -> bool {
        given.split_once('.').is_some_and(|(table, _)| self.unread.contains(table))
    }

    /// The list that a policy means by `table.column`.
    pub(super) fn of_column(&self, given: &str) -> Result<Labels, ListFault> {
        let (table, column) = given.split_once('.').ok_or_else(|| ListFault::Name { given: given.to_owned() })?;
        let Some(place) = self.tables.iter().position(|known| known.name == table) else {
            let known = self.tables.iter().map(|table| table.name.clone()).collect();
            return Err(ListFault::Table { table: table.to_owned(), known });
        };
        let of = &self.tables[place];
        let Some(at) = of.columns.place(column) else {
            let known = of.columns.iter().map(|column| column.name.clone()).collect();
            return Err(ListFault::Column { table: table.to_owned(), column: column.to_owned(), known });
        };
        let mut known = self.known.borrow_mut();
        let make = || different(&of.columns[at].domain, of.values.get(at).map_or(&[][..], Vec::as_slice));
        let (count, labels) = known.entry((place, at)).or_insert_with(make);
        if *count > PUBLIC_VALUES_MAX {
            return Err(ListFault::TooMany { given: given.to_owned(), count: *count });
        }
        Ok(labels.clone())
    }
}

/// The number of different values of a column of a public table, and their texts, in the order of their first occurrence.
fn different(domain: &Domain, values: &[Option<i64>]) -> (usize, Labels) {
    if let Domain::Category(labels) = domain {
        return (labels.len(), labels.clone());
    }
    let mut seen = HashSet::new();
    let different: Vec<i64> = values.iter().flatten().copied().filter(|value| seen.insert(*value)).collect();
    if different.len() > PUBLIC_VALUES_MAX {
        return (different.len(), Labels::from(Vec::new()));
    }
    (different.len(), different.iter().map(|value| text(domain, *value)).collect())
}

impl Terms {
    /// The column of a public table whose different values these labels are, like `concept.concept_id`; `None` if there is no such column.
    #[must_use]
    pub fn list_source(&self, labels: &Labels) -> Option<String> {
        let mut all = self.public.iter().flat_map(|table| {
            table.columns.iter().zip(&table.values).map(move |(column, values)| (table, column, values))
        });
        let found = all.find(|(_, column, values)| match &column.domain {
            Domain::Category(own) => own == labels,
            Domain::Boolean | Domain::Number(_) | Domain::Date { .. } | Domain::Text { .. } => {
                are_different(&column.domain, values, labels)
            }
        });
        found.map(|(table, column, _)| format!("{}.{}", table.name, column.name))
    }
}

/// Whether the labels are the different values of a column, in the order of their first occurrence.
fn are_different(domain: &Domain, values: &[Option<i64>], labels: &Labels) -> bool {
    let (mut seen, mut labels) = (HashSet::new(), labels.iter());
    let mut different = values.iter().flatten().copied().filter(|value| seen.insert(*value));
    different.all(|value| labels.next().is_some_and(|label| *label == text(domain, value))) && labels.next().is_none()
}

/// The text of a stored integer of a domain that has no labels.
fn text(domain: &Domain, value: i64) -> String {
    match domain {
        Domain::Number(grid) => grid.text(i128::from(value) + i128::from(grid.centre())),
        Domain::Date { .. } => date_text(i32::try_from(value).unwrap_or(i32::MAX)),
        Domain::Boolean => (value == 1).to_string(),
        Domain::Category(_) | Domain::Text { .. } => String::new(),
    }
}

/// Whether a text may be a label of a category.
#[must_use]
pub fn is_label(text: &str) -> bool {
    text.chars().count() <= VALUE_CHARS_MAX && !text.chars().any(char::is_control)
}
