//! What one person sees in one database: schemas, tables and columns, made of public terms alone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::fixed::Fixed;
use super::relation::{Attribute, OWN, PUBLISHED, Relation, Source, stable_oid};
use crate::kernel::budget::people::Person;
use crate::pgwire::published::{own, statistics};
use crate::pgwire::table::Table;
use crate::query::terms::domain::{Column, Domain, Grid};
use crate::query::terms::policy::{Terms, Unit};
use crate::service::access::Sight;
use crate::service::{Dataset, Service};

/// The database in which a person sees all of their datasets.
pub(crate) const EVERYTHING: &str = "tacit";

/// A schema that the session's person sees, with its relations.
#[derive(Debug, Clone)]
pub(crate) struct Schema {
    /// The schema's object id.
    pub(crate) oid: i64,
    /// Name of the schema, as statements write it.
    pub(crate) name: String,
    /// What it is, for people.
    pub(crate) comment: Option<String>,
}

/// Tables of statistics by name and version, so that each is made once in a session.
pub(crate) type MadeTables = Arc<Mutex<HashMap<(String, u64), Arc<Table>>>>;

/// What a person sees in a database, as it was at one moment.
pub(crate) struct Seen {
    /// Types and tables of PostgreSQL's own.
    pub(crate) fixed: Arc<Fixed>,
    /// The database's name.
    pub(crate) database: String,
    /// All databases that the person can connect to.
    pub(crate) databases: Vec<String>,
    /// The person whose session it is, whose role and datasets decide what is seen.
    pub(crate) person: Person,
    /// The schemas, PostgreSQL's own first.
    pub(crate) schemas: Vec<Schema>,
    /// The service, for statistics and balances.
    pub(crate) service: Arc<Service>,
    private: Vec<Relation>,
    own: Vec<Relation>,
    made: MadeTables,
    published: OnceLock<Vec<Relation>>,
}

impl Seen {
    /// What `person` sees now.
    pub(crate) fn now(
        service: &Arc<Service>,
        person: &Person,
        database: &str,
        fixed: &Arc<Fixed>,
        made: &MadeTables,
    ) -> Self {
        let all: Vec<&Dataset> =
            service.datasets_seen_by(person).filter(|dataset| dataset.name == dataset.lineage).collect();
        let here = all.iter().filter(|dataset| database == EVERYTHING || dataset.name == database);
        let schema = |oid, name: &str, comment: Option<String>| Schema { oid, name: name.to_owned(), comment };
        let mut schemas = vec![
            schema(11, "pg_catalog", Some("system catalog schema".to_owned())),
            schema(13_207, "information_schema", None),
        ];
        let mut private = Vec::new();
        for dataset in here {
            schemas.push(schema(stable_oid("schema", "", &dataset.name), &dataset.name, dataset.title.clone()));
            private.extend(tables(dataset));
        }
        for (name, comment) in [
            (PUBLISHED, "published statistics; any SQL over them is free"),
            (OWN, "datasets, columns, budget and history, as you may see them"),
        ] {
            schemas.push(schema(stable_oid("schema", "", name), name, Some(comment.to_owned())));
        }
        let mut databases: Vec<String> = all.iter().map(|dataset| dataset.name.clone()).collect();
        databases.push(EVERYTHING.to_owned());
        databases.sort();
        databases.dedup();
        Self {
            fixed: Arc::clone(fixed),
            database: database.to_owned(),
            databases,
            person: person.clone(),
            schemas,
            service: Arc::clone(service),
            private,
            own: own::relations(),
            made: Arc::clone(made),
            published: OnceLock::new(),
        }
    }

    /// All tables, PostgreSQL's own first.
    pub(crate) fn relations(&self) -> impl Iterator<Item = &Relation> {
        self.fixed.relations.iter().chain(&self.private).chain(self.published()).chain(&self.own)
    }

    /// The tables that are of this server.
    pub(crate) fn ours(&self) -> impl Iterator<Item = &Relation> {
        self.private.iter().chain(self.published()).chain(&self.own)
    }

    /// A table by its schema and its name.
    pub(crate) fn relation(&self, schema: &str, name: &str) -> Option<&Relation> {
        let list: &[Relation] = match schema {
            "pg_catalog" | "information_schema" => &self.fixed.relations,
            PUBLISHED => self.published(),
            OWN => &self.own,
            _ => &self.private,
        };
        list.iter().find(|relation| relation.schema == schema && relation.name == name)
    }

    /// The schemas in which names are looked up by default.
    pub(crate) fn default_path(&self) -> Vec<String> {
        let private = self.schemas.iter().map(|schema| schema.name.clone());
        let private =
            private.filter(|name| !matches!(name.as_str(), "pg_catalog" | "information_schema" | PUBLISHED | OWN));
        let mut path: Vec<String> = private.collect();
        path.push(PUBLISHED.to_owned());
        if self.database == EVERYTHING {
            path.push(OWN.to_owned());
        }
        path
    }

    fn published(&self) -> &[Relation] {
        self.published.get_or_init(|| {
            let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
            let mut found = Vec::new();
            for statistic in self.service.statistics() {
                let Sight::Shown { version, .. } = self.service.sight(statistic, Some(&self.person)) else { continue };
                let key = (statistic.name.clone(), version);
                let table = match made.get(&key) {
                    Some(table) => Some(Arc::clone(table)),
                    None => statistics::table(&self.service, statistic).map(Arc::new),
                };
                let Some(table) = table else { continue };
                found.push(statistics::relation(&self.service, statistic, &table));
                made.insert(key, table);
            }
            let kept = |name: &String| found.iter().any(|relation| relation.name == *name);
            made.retain(|(name, _), _| kept(name));
            found
        })
    }
}

/// The tables of a dataset, each with its typed columns.
fn tables(dataset: &Dataset) -> Vec<Relation> {
    let terms = &dataset.terms;
    let relation = |name: &str, title: Option<String>, columns: Vec<Attribute>| Relation {
        oid: stable_oid("table", &dataset.name, name),
        schema: dataset.name.clone(),
        name: name.to_owned(),
        relkind: "r",
        comment: title,
        columns,
        source: Source::Private,
    };
    let of = |columns: &[Column]| unit(terms).into_iter().chain(columns.iter().map(attribute)).collect::<Vec<_>>();
    let mut found = Vec::new();
    if terms.tables.is_empty() {
        found.push(relation(&dataset.name, dataset.title.clone(), of(terms.own())));
        found.extend(terms.joins.iter().map(|join| relation(&join.name, None, of(&terms.columns[join.places()]))));
    } else {
        found.extend(terms.tables.iter().map(|table| relation(&table.name, table.title.clone(), of(&table.columns))));
    }
    let public = |table: &crate::query::terms::policy::PublicTable| {
        let comment = "a public table, published as it is".to_owned();
        relation(&table.name, Some(comment), table.columns.iter().map(attribute).collect())
    };
    found.extend(terms.public.iter().map(public));
    found
}

fn unit(terms: &Terms) -> Option<Attribute> {
    match &terms.unit {
        Unit::Row => None,
        Unit::Column(name) => Some(Attribute {
            is_required: true,
            comment: Some(format!(
                "the unit that is protected, for COUNT(DISTINCT {name}); its values are never shown"
            )),
            ..Attribute::new(name.clone(), "text")
        }),
    }
}

fn attribute(column: &Column) -> Attribute {
    let type_name = type_name(&column.domain);
    let step = match &column.domain {
        Domain::Number(grid) if !grid.integer => format!(" in steps of {}", grid.text(1)),
        Domain::Number(_) | Domain::Category(_) | Domain::Boolean | Domain::Date { .. } | Domain::Text { .. } => {
            String::new()
        }
    };
    let title = column.title.as_ref().map_or_else(String::new, |title| format!("{title}: "));
    let once = if column.per_unit { ", one value a unit" } else { "" };
    Attribute {
        is_required: !column.nullable,
        comment: Some(format!("{title}{}{step}{once}", column.domain)),
        ..Attribute::new(column.name.clone(), type_name)
    }
}

fn type_name(domain: &Domain) -> &'static str {
    match domain {
        Domain::Category(_) | Domain::Text { .. } => "text",
        Domain::Boolean => "bool",
        Domain::Date { .. } => "date",
        Domain::Number(Grid { integer: false, .. }) => "numeric",
        Domain::Number(grid) => {
            let is_small = |steps: i64| grid.text(steps.into()).parse::<i32>().is_ok();
            if is_small(grid.low) && is_small(grid.high) { "int4" } else { "int8" }
        }
    }
}
