//! Names of types: each means one thing in the whole crate, so that a reader who has met it once knows it everywhere.

use std::collections::BTreeMap;
use std::path::Path;

use crate::tidy::sources;

/// Names of the PostgreSQL door's types that have another meaning elsewhere.
const DOOR_NAMES: [&str; 29] = [
    "Block",
    "Bound",
    "Cell",
    "Column",
    "Command",
    "Database",
    "Described",
    "Field",
    "Frame",
    "Item",
    "Kind",
    "Link",
    "Made",
    "Names",
    "Next",
    "Notice",
    "Outcome",
    "Piece",
    "Reach",
    "Relation",
    "Rows",
    "Scope",
    "Seen",
    "Session",
    "Settings",
    "Source",
    "Table",
    "Target",
    "Unread",
];

/// The name that a line declares as a type which other files can use; `None` for any other line.
fn declared(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("pub")?;
    let rest = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')).map_or(rest, |(_, rest)| rest);
    let rest = rest.strip_prefix(' ')?;
    let name = ["struct ", "enum ", "trait ", "type "].iter().find_map(|word| rest.strip_prefix(word))?;
    name.split(|sign: char| !(sign.is_alphanumeric() || sign == '_')).next()
}

#[test]
fn a_name_of_a_type_means_one_thing() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (path, text) in sources("src") {
        if path.to_string_lossy().ends_with("_tests.rs") {
            continue;
        }
        let shown = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(&text);
        for name in code.lines().filter_map(declared) {
            places.entry(name.to_owned()).or_default().push(shown.clone());
        }
    }
    // The PostgreSQL door was written with names that others have, too. The list only shrinks.
    for (name, places) in &mut places {
        if DOOR_NAMES.contains(&name.as_str()) {
            places.retain(|place| !place.starts_with("src/pgwire"));
        }
    }
    assert!(places.len() > 300, "{} types were found", places.len());
    let several: BTreeMap<_, _> = places.iter().filter(|(_, places)| places.len() > 1).collect();
    assert!(several.is_empty(), "names with more than one meaning: {several:#?}");
}

#[test]
fn declarations_are_found() {
    let check = |line: &str, expected: Option<&str>| assert_eq!(declared(line), expected, "{line}");
    check("pub struct Plan {", Some("Plan"));
    check("    pub(crate) enum Kind<'a> {", Some("Kind"));
    check("pub(in crate::query) type Rows = Vec<u8>;", Some("Rows"));
    check("pub trait Engine: Send {", Some("Engine"));
    check("struct Private {", None);
    check("pub fn plan() {", None);
}
