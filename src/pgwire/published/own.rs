//! The views of schema `tacit`: datasets and their columns, budgets, and a person's own history, as every door shows them.

use rusqlite::types::Value;

use crate::kernel::budget::ledger::read;
use crate::kernel::budget::people::{Person, Role};
use crate::pgwire::catalogue::relation::{Attribute, OWN, Relation, Source, stable_oid};
use crate::query::terms::domain::Column;
use crate::query::terms::policy::Terms;
use crate::service::stewarding::accounts::{NamedAccount, accounts};
use crate::service::{Dataset, Service};

/// The largest number of answers that `history` shows, the latest ones.
const HISTORY_ROWS_MAX: usize = 1_000;

/// A view: its name, what it is, and its columns with their types.
type View = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const VIEWS: [View; 4] = [
    (
        "datasets",
        "the datasets that you may see, with their public terms",
        &[
            ("name", "text"),
            ("title", "text"),
            ("unit", "text"),
            ("accountant", "text"),
            ("epsilon_cap", "numeric"),
            ("delta", "numeric"),
            ("max_epsilon_per_query", "numeric"),
            ("max_rows_per_unit", "int8"),
            ("max_rows", "int8"),
            ("edition", "text"),
        ],
    ),
    (
        "columns",
        "the columns of these datasets' tables, with what they may hold",
        &[
            ("dataset", "text"),
            ("table_name", "text"),
            ("name", "text"),
            ("type", "text"),
            ("title", "text"),
            ("domain", "text"),
            ("min", "text"),
            ("max", "text"),
            ("per_unit", "bool"),
            ("nullable", "bool"),
        ],
    ),
    (
        "budget",
        "your accounts: what is spent and what is left; a steward sees all",
        &[
            ("kind", "text"),
            ("name", "text"),
            ("dataset", "text"),
            ("epsilon_cap", "numeric"),
            ("epsilon_spent", "numeric"),
            ("epsilon_remaining", "numeric"),
            ("fraction_spent", "numeric"),
            ("fraction_remaining", "numeric"),
            ("answers_left", "int8"),
            ("frozen", "bool"),
        ],
    ),
    (
        "history",
        "the answers that you were served, the latest 1000",
        &[
            ("release", "text"),
            ("dataset", "text"),
            ("edition", "text"),
            ("at", "timestamptz"),
            ("sql", "text"),
            ("epsilon", "numeric"),
            ("purpose", "text"),
        ],
    ),
];

/// The views, without rows.
pub(crate) fn relations() -> Vec<Relation> {
    let one = |(name, comment, columns): &View| Relation {
        oid: stable_oid("table", OWN, name),
        schema: OWN.to_owned(),
        name: (*name).to_owned(),
        relkind: "v",
        comment: Some((*comment).to_owned()),
        columns: columns.iter().map(|(name, type_name)| Attribute::new(*name, type_name)).collect(),
        source: Source::Own,
    };
    VIEWS.iter().map(one).collect()
}

/// The rows of a view as they are now. Blocks.
pub(crate) fn rows(view: &str, service: &Service, person: &Person) -> Vec<Vec<Value>> {
    match view {
        "datasets" => service.datasets_seen_by(person).map(dataset).collect(),
        // Budgets and answers are none of a viewer's, also those of a researcher who has become one.
        "budget" | "history" if person.role == Role::Viewer => Vec::new(),
        "columns" => service.datasets_seen_by(person).flat_map(columns).collect(),
        "budget" => {
            let own = match person.role {
                Role::Steward => None,
                Role::Researcher | Role::Viewer => Some(person.name.as_str()),
            };
            accounts(service.ledger(), own, service.now_ms()).iter().map(budget).collect()
        }
        "history" => history(service, person),
        _ => Vec::new(),
    }
}

fn text(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}

fn optional(text: Option<impl Into<String>>) -> Value {
    text.map_or(Value::Null, |text| Value::Text(text.into()))
}

/// A decimal as a number: amounts are decimal texts everywhere else.
fn number(text: impl ToString) -> Value {
    text.to_string().parse().map_or(Value::Null, Value::Real)
}

fn count(number: u64) -> Value {
    i64::try_from(number).map_or(Value::Null, Value::Integer)
}

fn dataset(dataset: &Dataset) -> Vec<Value> {
    let terms = &dataset.terms;
    vec![
        text(&dataset.name),
        optional(dataset.title.as_deref()),
        text(terms.unit.name()),
        text(terms.accountant.name()),
        number(terms.cap),
        number(terms.delta()),
        number(terms.max_epsilon_per_query),
        count(terms.max_rows_per_unit.into()),
        count(terms.max_rows),
        text(&dataset.edition),
    ]
}

fn columns(dataset: &Dataset) -> Vec<Vec<Value>> {
    let terms: &Terms = &dataset.terms;
    let row = |table: &str, column: &Column| {
        let (min, max) = column.domain.bounds().unzip();
        vec![
            text(&dataset.name),
            text(table),
            text(&column.name),
            text(column.domain.type_name()),
            optional(column.title.as_deref()),
            text(column.domain.to_string()),
            optional(min),
            optional(max),
            Value::Integer(column.per_unit.into()),
            Value::Integer(column.nullable.into()),
        ]
    };
    let own = terms.own().iter().filter(|_| terms.tables.is_empty()).map(|column| row(&dataset.name, column));
    let joined =
        terms.joins.iter().flat_map(|join| terms.columns[join.places()].iter().map(|column| row(&join.name, column)));
    let several = terms.tables.iter().flat_map(|table| table.columns.iter().map(|column| row(&table.name, column)));
    let public = terms.public.iter().flat_map(|table| table.columns.iter().map(|column| row(&table.name, column)));
    own.chain(joined).chain(several).chain(public).collect()
}

fn budget(named: &NamedAccount) -> Vec<Value> {
    let account = &named.account;
    vec![
        text(named.kind.name()),
        text(&named.name),
        text(&named.dataset),
        number(account.epsilon_cap),
        number(account.epsilon_spent),
        number(account.epsilon_remaining),
        number(account.fraction_spent),
        number(String::from(account.fraction_remaining)),
        named.answers_left.map_or(Value::Null, count),
        Value::Integer(named.frozen.into()),
    ]
}

fn history(service: &Service, person: &Person) -> Vec<Vec<Value>> {
    let served = read(service.ledger(), |book| {
        let served = book.served_after(&person.name, None)?;
        Some(served.map(|card| card.id.clone()).collect::<Vec<_>>())
    });
    let served = served.unwrap_or_default();
    let latest = &served[served.len().saturating_sub(HISTORY_ROWS_MAX)..];
    let row = |id: &String| {
        let stored = service.stored_summary(id).ok()?;
        let is_own = stored.researcher == person.name;
        Some(vec![
            text(stored.release.id),
            text(stored.release.subject.dataset),
            text(stored.release.subject.edition),
            Value::Integer(i64::try_from(stored.at_ms).ok()?.checked_mul(1_000)?),
            text(stored.sql),
            number(stored.epsilon),
            optional(stored.purpose.filter(|_| is_own)),
        ])
    };
    latest.iter().rev().filter_map(row).collect()
}
