//! A table as the catalogue lists it: its name, its columns and where its rows come from.

use std::sync::Arc;

use crate::pgwire::free::kind::Kind;
use crate::pgwire::table::Table;

/// The schema of published statistics.
pub(crate) const PUBLISHED: &str = "published";
/// The schema of the views about a person's own datasets, budget and questions.
pub(crate) const OWN: &str = "tacit";

/// A column of a table.
#[derive(Debug, Clone)]
pub(crate) struct Attribute {
    /// The column's name.
    pub(crate) name: String,
    /// The type, as expressions have it.
    pub(crate) kind: Kind,
    /// The name of the type in PostgreSQL's catalogue, such as `int4` or `_text`.
    pub(crate) type_name: String,
    /// Whether it is declared to have a value in every row.
    pub(crate) is_required: bool,
    /// What the column is, for people.
    pub(crate) comment: Option<String>,
}

/// Where a table's rows come from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// PostgreSQL's catalogue.
    System,
    /// A dataset: there are no rows here.
    Private,
    /// A published statistic.
    Published(Arc<Table>),
    /// A view of schema `tacit`.
    Own,
}

/// A table of the catalogue.
#[derive(Debug, Clone)]
pub(crate) struct Relation {
    /// The table's object id.
    pub(crate) oid: i64,
    /// Name of the schema that the relation belongs to.
    pub(crate) schema: String,
    /// Name of the relation within its schema.
    pub(crate) name: String,
    /// `r` for a table, `v` for a view.
    pub(crate) relkind: &'static str,
    /// What the table is, for people.
    pub(crate) comment: Option<String>,
    /// The columns, in order.
    pub(crate) columns: Vec<Attribute>,
    /// Where rows come from.
    pub(crate) source: Source,
}

impl Attribute {
    /// A column of a type without a comment.
    pub(crate) fn new(name: impl Into<String>, type_name: &str) -> Self {
        Self {
            name: name.into(),
            kind: Kind::named(type_name).unwrap_or(Kind::TEXT),
            type_name: type_name.to_owned(),
            is_required: false,
            comment: None,
        }
    }
}

/// The object id of something of ours: always the same for the same name, and above PostgreSQL's own.
pub(crate) fn stable_oid(kind: &str, schema: &str, name: &str) -> i64 {
    let hash = blake3::hash(format!("{kind}\0{schema}\0{name}").as_bytes());
    let bytes: [u8; 4] = [hash.as_bytes()[0], hash.as_bytes()[1], hash.as_bytes()[2], hash.as_bytes()[3]];
    16_384 + i64::from(u32::from_le_bytes(bytes) >> 2)
}
