//! How terms are written: long lists of labels that several columns share are written once.
//!
//! Promises that terms of a dataset with a single table are written as they always were, and that terms which are read are written with
//! the same bytes again.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::public_table::PublicTables;
use super::terms::{JoinedTable, TableTerms, Terms, ThresholdReserve, Unit};
use crate::kernel::privacy::accountant::Accountant;
use crate::kernel::privacy::amounts::Epsilon;
use crate::query::terms::columns::Columns;
use crate::query::terms::domain::{Column, Domain};
use crate::query::terms::labels::Labels;

/// Lists of at least so many labels are shared.
const SHARED_MIN: usize = 64;

/// The fields of [`Terms`], in the order in which they are written.
#[derive(Serialize, Deserialize)]
struct TermsForm {
    unit: Unit,
    max_rows_per_unit: u32,
    max_rows: u64,
    accountant: Accountant,
    cap: Epsilon,
    max_epsilon_per_query: Epsilon,
    oversubscribe: bool,
    columns: Columns,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min_cell: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    threshold: Option<ThresholdReserve>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    joins: Vec<JoinedTable>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tables: Vec<TableTerms>,
    #[serde(default, skip_serializing_if = "PublicTables::is_empty")]
    public: PublicTables,
    /// Lists that are left out of the columns that have them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    lists: Vec<SharedList>,
}

/// A list of labels, and the columns that have it.
#[derive(Serialize, Deserialize)]
struct SharedList {
    labels: Labels,
    columns: Vec<ColumnPlace>,
}

/// A column of a dataset with public tables.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum ColumnPlace {
    /// One of the only table's columns.
    Own(usize),
    /// One of several tables, and one of its columns.
    Table(usize, usize),
    /// One of the public tables, and one of its columns.
    Public(usize, usize),
}

impl Serialize for Terms {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        TermsForm::from(self.clone()).serialize(to)
    }
}

impl<'de> Deserialize<'de> for Terms {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        TermsForm::deserialize(from).map(Self::from)
    }
}

impl From<Terms> for TermsForm {
    fn from(terms: Terms) -> Self {
        let lists = if terms.public.is_empty() { Vec::new() } else { shared(&terms) };
        let mut form = Self {
            unit: terms.unit,
            max_rows_per_unit: terms.max_rows_per_unit,
            max_rows: terms.max_rows,
            accountant: terms.accountant,
            cap: terms.cap,
            max_epsilon_per_query: terms.max_epsilon_per_query,
            oversubscribe: terms.oversubscribe,
            columns: terms.columns,
            min_cell: terms.min_cell,
            threshold: terms.threshold,
            joins: terms.joins,
            tables: terms.tables,
            public: terms.public,
            lists: Vec::new(),
        };
        let none = Labels::from(Vec::new());
        form.put(lists.iter().map(|list| (&none, &list.columns[..])));
        form.lists = lists;
        form
    }
}

impl From<TermsForm> for Terms {
    fn from(mut form: TermsForm) -> Self {
        let lists = std::mem::take(&mut form.lists);
        form.put(lists.iter().map(|list| (&list.labels, &list.columns[..])));
        Self {
            unit: form.unit,
            max_rows_per_unit: form.max_rows_per_unit,
            max_rows: form.max_rows,
            accountant: form.accountant,
            cap: form.cap,
            max_epsilon_per_query: form.max_epsilon_per_query,
            oversubscribe: form.oversubscribe,
            columns: form.columns,
            min_cell: form.min_cell,
            threshold: form.threshold,
            joins: form.joins,
            tables: form.tables,
            public: form.public,
        }
    }
}

impl TermsForm {
    /// Gives columns other lists.
    fn put<'a>(&mut self, lists: impl Iterator<Item = (&'a Labels, &'a [ColumnPlace])> + Clone) {
        let replace = |columns: &mut Columns, of: &dyn Fn(usize) -> ColumnPlace| {
            let list_of = |at: usize| {
                let mut lists = lists.clone();
                lists.find(|(_, places)| places.contains(&of(at))).map(|(labels, _)| labels)
            };
            let lists: Vec<Option<&Labels>> = (0..columns.len()).map(list_of).collect();
            if lists.iter().all(Option::is_none) {
                return;
            }
            let column = |(column, labels): (&Column, Option<&Labels>)| match labels {
                Some(labels) => Column { domain: Domain::Category(labels.clone()), ..column.clone() },
                None => column.clone(),
            };
            *columns = columns.iter().zip(lists).map(column).collect();
        };
        replace(&mut self.columns, &ColumnPlace::Own);
        for (index, table) in self.tables.iter_mut().enumerate() {
            replace(&mut table.columns, &|at| ColumnPlace::Table(index, at));
        }
        let mut public = self.public.to_vec();
        for (index, table) in public.iter_mut().enumerate() {
            replace(&mut table.columns, &|at| ColumnPlace::Public(index, at));
        }
        self.public = public.into_iter().collect();
    }
}

/// The long lists that several columns have.
fn shared(terms: &Terms) -> Vec<SharedList> {
    let own = terms.columns.iter().enumerate().map(|(at, column)| (ColumnPlace::Own(at), column));
    let of_tables = terms.tables.iter().enumerate().flat_map(|(index, table)| {
        table.columns.iter().enumerate().map(move |(at, column)| (ColumnPlace::Table(index, at), column))
    });
    let of_public = terms.public.iter().enumerate().flat_map(|(index, table)| {
        table.columns.iter().enumerate().map(move |(at, column)| (ColumnPlace::Public(index, at), column))
    });
    let mut lists: Vec<SharedList> = Vec::new();
    for (place, column) in own.chain(of_tables).chain(of_public) {
        let Domain::Category(labels) = &column.domain else { continue };
        if labels.len() < SHARED_MIN {
            continue;
        }
        match lists.iter_mut().find(|list| list.labels == *labels) {
            Some(list) => list.columns.push(place),
            None => lists.push(SharedList { labels: labels.clone(), columns: vec![place] }),
        }
    }
    lists.retain(|list| list.columns.len() > 1);
    lists
}
