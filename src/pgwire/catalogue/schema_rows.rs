//! The rows of `information_schema`.

use rusqlite::types::Value;

use super::filling::{Given, filled, text, type_of, whole};
use super::names::{Names, OWNER};
use super::relation::{Attribute, Relation};
use crate::pgwire::free::kind::Base;

/// The rows of a view. Views that have none here are empty.
pub(super) fn rows(relation: &Relation, names: &Names) -> Vec<Vec<Value>> {
    let each = |rows: Vec<Vec<Given<'static>>>| rows.iter().map(|given| filled(relation, given)).collect();
    let database = || text(&names.seen.database);
    match relation.name.as_str() {
        "information_schema_catalog_name" => each(vec![vec![("catalog_name", database())]]),
        "schemata" => {
            let schema = |schema: &super::seen::Schema| {
                vec![("catalog_name", database()), ("schema_name", text(&schema.name)), ("schema_owner", text(OWNER))]
            };
            each(names.seen.schemas.iter().map(schema).collect())
        }
        "tables" => each(names.seen.relations().map(|one| table(one, names)).collect()),
        "views" => {
            let views = names.seen.relations().filter(|one| one.relkind == "v");
            let view = |one: &Relation| {
                vec![
                    ("table_catalog", database()),
                    ("table_schema", text(&one.schema)),
                    ("table_name", text(&one.name)),
                    ("check_option", text("NONE")),
                    ("is_updatable", text("NO")),
                    ("is_insertable_into", text("NO")),
                    ("is_trigger_updatable", text("NO")),
                    ("is_trigger_deletable", text("NO")),
                    ("is_trigger_insertable_into", text("NO")),
                ]
            };
            each(views.map(view).collect())
        }
        "columns" => {
            let columns = |one: &'_ Relation| {
                let numbered = (1_i64..).zip(&one.columns);
                numbered.map(|(number, column)| self::column(one, number, column, names)).collect::<Vec<_>>()
            };
            each(names.seen.relations().flat_map(columns).collect())
        }
        "table_privileges" | "role_table_grants" => each(names.seen.ours().map(|one| grant(one, names)).collect()),
        "enabled_roles" | "applicable_roles" => each(vec![vec![("role_name", text(&names.seen.person.name))]]),
        _ => Vec::new(),
    }
}

fn place(one: &Relation, names: &Names) -> Vec<Given<'static>> {
    vec![
        ("table_catalog", text(&names.seen.database)),
        ("table_schema", text(&one.schema)),
        ("table_name", text(&one.name)),
    ]
}

fn table(one: &Relation, names: &Names) -> Vec<Given<'static>> {
    let mut row = place(one, names);
    row.extend([
        ("table_type", text(if one.relkind == "v" { "VIEW" } else { "BASE TABLE" })),
        ("is_insertable_into", text("NO")),
        ("is_typed", text("NO")),
    ]);
    row
}

fn grant(one: &Relation, names: &Names) -> Vec<Given<'static>> {
    let mut row = place(one, names);
    row.extend([
        ("grantor", text(OWNER)),
        ("grantee", text(&names.seen.person.name)),
        ("privilege_type", text("SELECT")),
        ("is_grantable", text("NO")),
        ("with_hierarchy", text("YES")),
    ]);
    row
}

fn column(one: &Relation, number: i64, column: &Attribute, names: &Names) -> Vec<Given<'static>> {
    let of = type_of(column, &names.seen.fixed.types);
    let shown = of.and_then(|of| names.type_name(of.oid)).unwrap_or_default();
    let (precision, scale) = match column.kind.base {
        Base::Int2 => (whole(16), whole(0)),
        Base::Int4 => (whole(32), whole(0)),
        Base::Int8 => (whole(64), whole(0)),
        Base::Float4 => (whole(24), Value::Null),
        Base::Float8 => (whole(53), Value::Null),
        _ => (Value::Null, Value::Null),
    };
    let is_number = column.kind.base.is_number() && !column.kind.is_array;
    let radix = if column.kind.base == Base::Numeric { 10 } else { 2 };
    let mut row = place(one, names);
    row.extend([
        ("column_name", text(&column.name)),
        ("ordinal_position", whole(number)),
        ("is_nullable", text(if column.is_required { "NO" } else { "YES" })),
        ("data_type", text(if column.kind.is_array { "ARRAY".to_owned() } else { shown })),
        ("numeric_precision", if is_number { precision } else { Value::Null }),
        ("numeric_scale", if is_number { scale } else { Value::Null }),
        ("numeric_precision_radix", if is_number { whole(radix) } else { Value::Null }),
        (
            "datetime_precision",
            match column.kind.base {
                Base::Date => whole(0),
                Base::Timestamp | Base::Timestamptz => whole(6),
                _ => Value::Null,
            },
        ),
        ("udt_catalog", text(&names.seen.database)),
        ("udt_schema", text("pg_catalog")),
        ("udt_name", text(of.map_or("text", |of| of.name))),
        ("dtd_identifier", text(number.to_string())),
        ("is_self_referencing", text("NO")),
        ("is_identity", text("NO")),
        ("identity_cycle", text("NO")),
        ("is_generated", text("NEVER")),
        ("is_updatable", text("NO")),
    ]);
    row
}
