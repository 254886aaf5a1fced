//! The rows of `pg_catalog`.

use rusqlite::types::Value;

use super::filling::{Given, filled, text, truth, type_of, whole};
use super::fixed::FixedType;
use super::names::{Names, OWNER, PERSON_OID};
use super::relation::{Relation, Source, stable_oid};
use super::schema_rows;

/// The object id of `pg_class`, for descriptions of tables and columns.
const PG_CLASS: i64 = 1_259;
/// The object id of `pg_namespace`, for descriptions of schemas.
const PG_NAMESPACE: i64 = 2_615;
/// The access method of tables.
const HEAP: i64 = 2;
/// PostgreSQL's number of UTF-8.
const UTF8: i64 = 6;
/// The object id of the default tablespace.
const TABLESPACE: i64 = 1_663;

/// The rows of a table of PostgreSQL's catalogue. Tables that have none here are empty.
pub(crate) fn rows(relation: &Relation, names: &Names) -> Vec<Vec<Value>> {
    if relation.schema == "information_schema" {
        return schema_rows::rows(relation, names);
    }
    let seen = &names.seen;
    let each = |rows: Vec<Vec<Given<'_>>>| rows.iter().map(|given| filled(relation, given)).collect();
    match relation.name.as_str() {
        "pg_namespace" => {
            let row = |schema: &super::seen::Schema| {
                vec![("oid", whole(schema.oid)), ("nspname", text(&schema.name)), ("nspowner", whole(10))]
            };
            each(seen.schemas.iter().map(row).collect())
        }
        "pg_class" => each(seen.relations().map(|one| class(one, names)).collect()),
        "pg_attribute" => attributes(relation, names),
        "pg_database" => each(seen.databases.iter().map(|name| database(name)).collect()),
        "pg_roles" | "pg_authid" => each(roles(names)),
        "pg_user" | "pg_shadow" => each(users(names)),
        "pg_description" => each(descriptions(names)),
        "pg_tables" => {
            let tables = seen.relations().filter(|one| one.relkind == "r");
            let row = |one: &Relation| {
                vec![
                    ("schemaname", text(&one.schema)),
                    ("tablename", text(&one.name)),
                    ("tableowner", text(OWNER)),
                    ("hasindexes", truth(false)),
                    ("hasrules", truth(false)),
                    ("hastriggers", truth(false)),
                    ("rowsecurity", truth(false)),
                ]
            };
            each(tables.map(row).collect())
        }
        "pg_views" => {
            let views = seen.relations().filter(|one| one.relkind == "v");
            let row = |one: &Relation| {
                vec![("schemaname", text(&one.schema)), ("viewname", text(&one.name)), ("viewowner", text(OWNER))]
            };
            each(views.map(row).collect())
        }
        "pg_stat_activity" => each(vec![activity(names)]),
        "pg_settings" => settings(relation, names),
        _ => seen.fixed.rows_of(relation),
    }
}

fn class(one: &Relation, names: &Names) -> Vec<Given<'static>> {
    let is_table = one.relkind == "r";
    let is_ours = !matches!(one.source, Source::System);
    vec![
        ("oid", whole(one.oid)),
        ("relname", text(&one.name)),
        ("relnamespace", whole(schema_oid(one, names))),
        ("relowner", whole(10)),
        ("relam", whole(if is_table { HEAP } else { 0 })),
        ("reltuples", Value::Real(-1.0)),
        ("relkind", text(one.relkind)),
        ("relnatts", whole(one.columns.len() as i64)),
        ("relpersistence", text("p")),
        ("relreplident", text(if is_ours && is_table { "d" } else { "n" })),
        ("relispopulated", truth(true)),
        ("relhasrules", truth(!is_table)),
    ]
}

fn schema_oid(one: &Relation, names: &Names) -> i64 {
    names.seen.schemas.iter().find(|schema| schema.name == one.schema).map_or(0, |schema| schema.oid)
}

fn attributes(relation: &Relation, names: &Names) -> Vec<Vec<Value>> {
    let mut rows = Vec::new();
    for one in names.seen.relations() {
        for (number, column) in (1_i64..).zip(&one.columns) {
            let of = type_of(column, &names.seen.fixed.types);
            let type_of = |value: fn(&FixedType) -> i64| whole(of.map_or(0, value));
            rows.push(filled(
                relation,
                &[
                    ("attrelid", whole(one.oid)),
                    ("attname", text(&column.name)),
                    ("atttypid", type_of(|of| of.oid)),
                    ("attstattarget", whole(-1)),
                    ("attlen", type_of(|of| of.length)),
                    ("attnum", whole(number)),
                    ("attndims", whole(column.kind.is_array.into())),
                    ("attcacheoff", whole(-1)),
                    ("atttypmod", whole(-1)),
                    ("attbyval", truth(of.is_some_and(|of| of.by_value))),
                    ("attalign", text(of.map_or("i", |of| of.align))),
                    ("attstorage", text(of.map_or("p", |of| of.storage))),
                    ("attnotnull", truth(column.is_required)),
                    ("attislocal", truth(true)),
                    ("attcollation", type_of(|of| of.collation)),
                ],
            ));
        }
    }
    rows
}

fn database(name: &str) -> Vec<Given<'static>> {
    vec![
        ("oid", whole(stable_oid("database", "", name))),
        ("datname", text(name)),
        ("datdba", whole(10)),
        ("encoding", whole(UTF8)),
        ("datlocprovider", text("c")),
        ("datallowconn", truth(true)),
        ("datconnlimit", whole(-1)),
        ("dattablespace", whole(TABLESPACE)),
        ("datcollate", text("C.UTF-8")),
        ("datctype", text("C.UTF-8")),
    ]
}

fn roles(names: &Names) -> Vec<Vec<Given<'static>>> {
    let role = |(oid, name): (i64, String)| {
        vec![
            ("oid", whole(oid)),
            ("rolname", text(name)),
            ("rolsuper", truth(false)),
            ("rolinherit", truth(true)),
            ("rolcreaterole", truth(false)),
            ("rolcreatedb", truth(false)),
            ("rolcanlogin", truth(oid == PERSON_OID)),
            ("rolreplication", truth(false)),
            ("rolbypassrls", truth(false)),
            ("rolconnlimit", whole(-1)),
            ("rolpassword", text("********")),
        ]
    };
    names.roles().into_iter().map(role).collect()
}

fn users(names: &Names) -> Vec<Vec<Given<'static>>> {
    let user = |(oid, name): (i64, String)| {
        vec![
            ("usesysid", whole(oid)),
            ("usename", text(name)),
            ("usecreatedb", truth(false)),
            ("usesuper", truth(false)),
            ("userepl", truth(false)),
            ("usebypassrls", truth(false)),
            ("passwd", text("********")),
        ]
    };
    names.roles().into_iter().map(user).collect()
}

/// What there is to say about an object: its id, the table that lists it, and the number of the column or 0.
fn comments(names: &Names) -> Vec<(i64, i64, i64, &str)> {
    let mut found = Vec::new();
    for schema in &names.seen.schemas {
        found.extend(schema.comment.as_deref().map(|comment| (schema.oid, PG_NAMESPACE, 0, comment)));
    }
    for one in names.seen.ours() {
        found.extend(one.comment.as_deref().map(|comment| (one.oid, PG_CLASS, 0, comment)));
        let columns = (1_i64..).zip(&one.columns);
        found.extend(
            columns.filter_map(|(number, column)| Some((one.oid, PG_CLASS, number, column.comment.as_deref()?))),
        );
    }
    found
}

/// The comment on an object: a table, a column by its number, or a schema.
pub(crate) fn comment(names: &Names, oid: i64, class: Option<i64>, number: i64) -> Option<String> {
    let all = comments(names);
    let found = all
        .iter()
        .find(|(of, table, column, _)| *of == oid && *column == number && class.is_none_or(|class| class == *table));
    found.map(|(_, _, _, comment)| (*comment).to_owned())
}

fn descriptions(names: &Names) -> Vec<Vec<Given<'static>>> {
    let row = |(oid, class, number, comment): (i64, i64, i64, &str)| {
        vec![
            ("objoid", whole(oid)),
            ("classoid", whole(class)),
            ("objsubid", whole(number)),
            ("description", text(comment)),
        ]
    };
    comments(names).into_iter().map(row).collect()
}

fn activity(names: &Names) -> Vec<Given<'static>> {
    let setting = |name: &str| names.setting(name).map_or(Value::Null, Value::Text);
    vec![
        ("datid", whole(stable_oid("database", "", &names.seen.database))),
        ("datname", text(&names.seen.database)),
        ("pid", setting("tacit.backend_pid")),
        ("usesysid", whole(PERSON_OID)),
        ("usename", text(&names.seen.person.name)),
        ("application_name", setting("application_name")),
        ("state", text("active")),
        ("backend_type", text("client backend")),
    ]
}

fn settings(relation: &Relation, names: &Names) -> Vec<Vec<Value>> {
    let place = |name: &str| relation.columns.iter().position(|column| column.name == name);
    let mut rows = names.seen.fixed.rows_of(relation);
    for row in &mut rows {
        let (Some(name), Some(setting)) = (place("name"), place("setting")) else { continue };
        let Some(Value::Text(name)) = row.get(name) else { continue };
        let set = names.setting(name);
        let set = set.or_else(|| (name == "search_path").then(|| names.path().join(", ")));
        if let (Some(set), Some(cell)) = (set, row.get_mut(setting)) {
            *cell = Value::Text(set);
        }
    }
    rows
}
