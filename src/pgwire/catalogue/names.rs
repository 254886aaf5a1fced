//! Names and object ids of one session: what `::regclass` and its kin look up, and on which path.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::relation::Relation;
use super::seen::Seen;
use crate::pgwire::free::error::FreeError;

/// PostgreSQL's names of types as people write them, beside those of its catalogue.
const SPELLINGS: [(&str, &str); 14] = [
    ("bool", "boolean"),
    ("int2", "smallint"),
    ("int4", "integer"),
    ("int8", "bigint"),
    ("float4", "real"),
    ("float8", "double precision"),
    ("varchar", "character varying"),
    ("bpchar", "character"),
    ("char", "\"char\""),
    ("timestamp", "timestamp without time zone"),
    ("timestamptz", "timestamp with time zone"),
    ("time", "time without time zone"),
    ("timetz", "time with time zone"),
    ("varbit", "bit varying"),
];

/// What a session sees and what it has set.
pub(crate) struct Names {
    /// What the person sees.
    pub(crate) seen: Seen,
    session: Mutex<Session>,
    fault: Mutex<Option<FreeError>>,
}

/// What a session may change from statement to statement.
#[derive(Debug, Clone, Default)]
struct Session {
    path: Vec<String>,
    settings: HashMap<String, String>,
}

impl Names {
    /// Names over what is seen, on its default path.
    pub(crate) fn new(seen: Seen) -> Self {
        let path = seen.default_path();
        Self { seen, session: Mutex::new(Session { path, settings: HashMap::new() }), fault: Mutex::new(None) }
    }

    /// Keeps why a function failed until [`Names::fault`] takes it, because SQLite passes on nothing but a text.
    pub(crate) fn failed(&self, error: FreeError) -> rusqlite::Error {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
        rusqlite::Error::UserFunctionError(Box::new(error))
    }

    /// Why a function failed since this was asked last; `None` if none did.
    pub(crate) fn fault(&self) -> Option<FreeError> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Takes what the session has set; `search_path` is looked up on from now on.
    pub(crate) fn set(&self, settings: HashMap<String, String>) {
        let path = match settings.get("search_path") {
            Some(text) => path(text, &self.seen),
            None => self.seen.default_path(),
        };
        *self.session.lock().unwrap_or_else(PoisonError::into_inner) = Session { path, settings };
    }

    /// The value of a setting, as the session has set it; `None` if it has not.
    pub(crate) fn setting(&self, name: &str) -> Option<String> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner).settings.get(&name.to_lowercase()).cloned()
    }

    /// The schemas in which names are looked up, without `pg_catalog`, which comes first.
    pub(crate) fn path(&self) -> Vec<String> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner).path.clone()
    }

    /// The table that a name without a schema means.
    pub(crate) fn on_path(&self, name: &str) -> Option<&Relation> {
        let path = self.path();
        let schemas = std::iter::once("pg_catalog").chain(path.iter().map(String::as_str));
        schemas.filter_map(|schema| self.seen.relation(schema, name)).next()
    }

    /// Whether a table is found by its name alone.
    pub(crate) fn is_visible(&self, oid: i64) -> bool {
        let found = self.seen.relations().find(|relation| relation.oid == oid);
        found.is_some_and(|relation| self.on_path(&relation.name).is_some_and(|first| first.oid == oid))
    }

    /// The object id of a table by its name, which may have a schema and quotation marks.
    pub(crate) fn class_oid(&self, text: &str) -> Option<i64> {
        let parts = identifiers(text)?;
        match parts.as_slice() {
            [name] => self.on_path(name).map(|relation| relation.oid),
            [schema, name] => self.seen.relation(schema, name).map(|relation| relation.oid),
            [database, schema, name] if *database == self.seen.database => {
                self.seen.relation(schema, name).map(|relation| relation.oid)
            }
            _ => None,
        }
    }

    /// The name of a table, with its schema unless it is found without.
    pub(crate) fn class_name(&self, oid: i64) -> Option<String> {
        let relation = self.seen.relations().find(|relation| relation.oid == oid)?;
        let name = quoted(&relation.name);
        Some(if self.is_visible(oid) { name } else { format!("{}.{name}", quoted(&relation.schema)) })
    }

    /// The object id of a type by any of its names, also with `[]`.
    pub(crate) fn type_oid(&self, text: &str) -> Option<i64> {
        let text = text.trim().trim_start_matches("pg_catalog.");
        let (text, is_array) = text.strip_suffix("[]").map_or((text, false), |text| (text, true));
        let text = text.split('(').next().unwrap_or(text).trim();
        let folded = if text.starts_with('"') { text.to_owned() } else { text.to_lowercase() };
        let spelt = SPELLINGS.iter().find(|(_, spelling)| *spelling == folded).map(|(name, _)| (*name).to_owned());
        let spelt = spelt.or_else(|| match folded.as_str() {
            "int" => Some("int4".to_owned()),
            "decimal" => Some("numeric".to_owned()),
            "float" => Some("float8".to_owned()),
            "char" => Some("bpchar".to_owned()),
            _ => None,
        });
        let name = spelt.unwrap_or_else(|| folded.trim_matches('"').to_owned());
        let types = &self.seen.fixed.types;
        let found = types.iter().find(|one| one.name == name)?;
        let found = if is_array { types.iter().find(|one| one.is_array && one.element == found.oid)? } else { found };
        Some(found.oid)
    }

    /// A type's name as `format_type` shows it.
    pub(crate) fn type_name(&self, oid: i64) -> Option<String> {
        let types = &self.seen.fixed.types;
        let found = types.iter().find(|one| one.oid == oid)?;
        if found.is_array {
            return self.type_name(found.element).map(|name| format!("{name}[]"));
        }
        let spelt = SPELLINGS.iter().find(|(name, _)| *name == found.name);
        let is_foreign =
            matches!(found.name, "cardinal_number" | "character_data" | "sql_identifier" | "time_stamp" | "yes_or_no");
        let prefix = if is_foreign { "information_schema." } else { "" };
        Some(spelt.map_or_else(|| format!("{prefix}{}", found.name), |(_, spelling)| (*spelling).to_owned()))
    }

    /// The object id of a function by its name; the first of those that share it.
    pub(crate) fn proc_oid(&self, name: &str) -> Option<i64> {
        let name = name.trim_start_matches("pg_catalog.");
        self.seen.fixed.procs().find(|(known, _)| *known == name).map(|(_, oid)| oid)
    }

    /// The object id of a schema.
    pub(crate) fn schema_oid(&self, text: &str) -> Option<i64> {
        let parts = identifiers(text)?;
        let [name] = parts.as_slice() else { return None };
        self.seen.schemas.iter().find(|schema| schema.name == *name).map(|schema| schema.oid)
    }

    /// The name of a schema.
    pub(crate) fn schema_name(&self, oid: i64) -> Option<String> {
        self.seen.schemas.iter().find(|schema| schema.oid == oid).map(|schema| quoted(&schema.name))
    }

    /// The object id of a role.
    pub(crate) fn role_oid(&self, text: &str) -> Option<i64> {
        let parts = identifiers(text)?;
        let [name] = parts.as_slice() else { return None };
        self.roles().into_iter().find(|(_, known)| known == name).map(|(oid, _)| oid)
    }

    /// The name of a role.
    pub(crate) fn role_name(&self, oid: i64) -> Option<String> {
        self.roles().into_iter().find(|(known, _)| *known == oid).map(|(_, name)| name)
    }

    /// The roles: who owns everything, and the person. Nobody else is listed.
    pub(crate) fn roles(&self) -> [(i64, String); 2] {
        [(10, OWNER.to_owned()), (PERSON_OID, self.seen.person.name.clone())]
    }
}

/// The role that owns every table.
pub(crate) const OWNER: &str = "tacit";
/// The object id of the person's role.
pub(crate) const PERSON_OID: i64 = 16_383;

/// The schemas of a `search_path` that exist.
fn path(text: &str, seen: &Seen) -> Vec<String> {
    let names = text.split(',').map(str::trim).map(|name| match name.strip_prefix('"') {
        Some(name) => name.trim_end_matches('"').to_owned(),
        None => name.trim_matches('\'').to_lowercase(),
    });
    names.filter(|name| name != "pg_catalog" && seen.schemas.iter().any(|schema| schema.name == *name)).collect()
}

/// The parts of a name such as `visits."Table"`, folded as SQL does; `None` if it is none.
fn identifiers(text: &str) -> Option<Vec<String>> {
    let (mut parts, mut part, mut is_quoted) = (Vec::new(), String::new(), false);
    for letter in text.trim().chars() {
        match letter {
            '"' => is_quoted = !is_quoted,
            '.' if !is_quoted => parts.push(std::mem::take(&mut part)),
            letter if is_quoted => part.push(letter),
            letter => part.extend(letter.to_lowercase()),
        }
    }
    parts.push(part);
    (!is_quoted && parts.iter().all(|part| !part.is_empty())).then_some(parts)
}

/// A name as SQL writes it, in quotation marks where it needs them.
pub(crate) fn quoted(name: &str) -> String {
    let is_plain = name.starts_with(|letter: char| letter.is_ascii_lowercase() || letter == '_')
        && name
            .chars()
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_' || letter == '$');
    if is_plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}
