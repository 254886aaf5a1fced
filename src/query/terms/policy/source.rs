//! Where a policy says that a table is read from: a plain path, or a TOML table with details.

use std::ops::Range;
use std::path::{Path, PathBuf};

use schemars::{Schema, SchemaGenerator, json_schema};
use toml::{Spanned, Value};

use super::faults::PolicyFaults;
use crate::query::terms::source::{DecimalMark, Encoding, SourceLocation, SourceSpec};

const KEYS: [&str; 11] = [
    "file",
    "files",
    "postgresql",
    "query",
    "separator",
    "decimal",
    "encoding",
    "header",
    "quoted",
    "multiline",
    "sheet",
];
const ACCEPTED: &str =
    "accepted are file, files, postgresql, query, separator, decimal, encoding, header, quoted, multiline and sheet";
const EMPTY: &str = "source is empty; name a file, a folder, or a query like \
                     { postgresql = \"host=… dbname=…\", query = \"SELECT …\" }";

/// The source of a table. Returns `None`, and adds a fault, if it names no valid source.
pub(super) fn source(given: &Spanned<Value>, faults: &mut PolicyFaults<'_>) -> Option<SourceSpec> {
    let span = given.span();
    match given.get_ref() {
        Value::String(path) if path.trim().is_empty() => {
            faults.add(span, EMPTY);
            None
        }
        Value::String(path) => Some(SourceSpec::file(Path::new(path))),
        Value::Table(table) => Table { table, span, faults }.spec(),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) | Value::Array(_) => {
            faults.add(span, "source is a path, or a table like { file = \"visits.csv\", separator = \";\" }");
            None
        }
    }
}

/// The schema of a source: a path, or one of the forms with details.
pub(super) fn source_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"anyOf": [{"type": "string", "minLength": 1}, {
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "file": {"type": "string", "minLength": 1, "description": "A file, a folder, or a pattern like visits/**/*.parquet."},
            "files": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}], "description": "Several files, folders or patterns."},
            "postgresql": {"type": "string", "description": "A database, like host=… dbname=… user=…; the password comes from PGPASSWORD or ~/.pgpass."},
            "query": {"type": "string", "description": "The query that reads the database."},
            "separator": {"type": "string", "description": "The character between fields, like ;"},
            "decimal": {"type": "string", "enum": [".", ","], "description": "The character before decimals."},
            "encoding": {"type": "string", "description": "utf-8, utf-16, latin-1 or windows-1252."},
            "header": {"type": "boolean", "default": true, "description": "Whether the first line names the columns."},
            "quoted": {"type": "boolean", "default": true, "description": "Whether values may be quoted."},
            "multiline": {"type": "array", "items": {"type": "string"}, "description": "Undeclared columns of the file whose quoted values may contain line ends."},
            "sheet": {"type": "string", "description": "The sheet of a workbook."}
        },
        "oneOf": [{"required": ["file"]}, {"required": ["files"]}, {"required": ["postgresql", "query"]}]
    }]})
}

/// Makes the paths of a source relative to the policy's folder.
pub(super) fn beside(spec: SourceSpec, folder: &Path) -> SourceSpec {
    let from = match spec.from {
        SourceLocation::Path(path) => SourceLocation::Path(folder.join(path)),
        SourceLocation::Files(paths) => {
            SourceLocation::Files(paths.into_iter().map(|path| folder.join(path)).collect())
        }
        query @ SourceLocation::Postgres { .. } => query,
    };
    SourceSpec { from, ..spec }
}

struct Table<'a, 'b> {
    table: &'a toml::Table,
    span: Range<usize>,
    faults: &'a mut PolicyFaults<'b>,
}

impl Table<'_, '_> {
    fn spec(mut self) -> Option<SourceSpec> {
        for key in self.table.keys().filter(|key| !KEYS.contains(&key.as_str())) {
            self.faults.add(self.span.clone(), format!("source: unknown key \"{key}\"; {ACCEPTED}"));
        }
        let mut spec = SourceSpec { from: self.from()?, ..SourceSpec::file(Path::new("")) };
        if let Some(text) = self.text("separator") {
            spec.separator = self.one_of(&text).or_else(|| {
                self.wrong("separator", "one character, like \";\", or \"\\t\" for tabs");
                None
            });
        }
        if let Some(text) = self.text("decimal") {
            match text.as_str() {
                "." => spec.decimal = DecimalMark::Point,
                "," => spec.decimal = DecimalMark::Comma,
                _ => self.wrong("decimal", "\".\" or \",\""),
            }
        }
        if let Some(text) = self.text("encoding") {
            spec.encoding = encoding(&text);
            if spec.encoding.is_none() {
                self.wrong("encoding", "\"utf-8\", \"utf-16\", \"latin-1\" or \"windows-1252\"");
            }
        }
        spec.header = self.flag("header").unwrap_or(true);
        spec.quoted = self.flag("quoted").unwrap_or(true);
        spec.multiline = self.texts("multiline").unwrap_or_default();
        spec.sheet = self.text("sheet");
        if let (Some(separator), DecimalMark::Comma) = (spec.separator, spec.decimal)
            && separator == b','
        {
            self.wrong("separator", "a character other than the decimal comma, like \";\"");
        }
        Some(spec)
    }

    /// Reads which one is given: `file`, `files`, or `postgresql` with its query.
    fn from(&mut self) -> Option<SourceLocation> {
        let (file, files) = (self.text("file"), self.texts_or_one("files"));
        let (connection, query) = (self.text("postgresql"), self.text("query"));
        match (file, files, connection, query) {
            (Some(path), None, None, None) if !path.trim().is_empty() => {
                Some(SourceLocation::Path(PathBuf::from(path)))
            }
            (None, Some(paths), None, None) if !paths.is_empty() => {
                Some(SourceLocation::Files(paths.into_iter().map(PathBuf::from).collect()))
            }
            (None, None, Some(connection), Some(query)) if !query.trim().is_empty() => {
                Some(SourceLocation::Postgres { connection, query })
            }
            (None, None, Some(_), _) => {
                self.wrong("query", "a SELECT beside postgresql, like query = \"SELECT * FROM visits\"");
                None
            }
            _ => {
                let message = "source names one of file, files, or postgresql with its query";
                self.faults.add(self.span.clone(), message);
                None
            }
        }
    }

    /// A separator is one ASCII byte that cannot occur in a number or a word.
    fn one_of(&self, text: &str) -> Option<u8> {
        match text.as_bytes() {
            [byte]
                if byte.is_ascii()
                    && !byte.is_ascii_alphanumeric()
                    && !matches!(byte, b'"' | b'\n' | b'\r' | b'.' | b'-' | b'+') =>
            {
                Some(*byte)
            }
            _ => None,
        }
    }

    fn wrong(&mut self, key: &str, accepted: &str) {
        self.faults.add(self.span.clone(), format!("source: {key} is {accepted}"));
    }

    fn text(&mut self, key: &str) -> Option<String> {
        let value = self.table.get(key)?;
        let text = value.as_str().map(str::to_owned);
        if text.is_none() {
            self.wrong(key, "a text");
        }
        text
    }

    fn flag(&mut self, key: &str) -> Option<bool> {
        let value = self.table.get(key)?;
        if value.as_bool().is_none() {
            self.wrong(key, "true or false");
        }
        value.as_bool()
    }

    fn texts(&mut self, key: &str) -> Option<Vec<String>> {
        let value = self.table.get(key)?;
        let texts: Option<Vec<String>> =
            value.as_array().and_then(|list| list.iter().map(|text| text.as_str().map(str::to_owned)).collect());
        if texts.is_none() {
            self.wrong(key, "a list of texts");
        }
        texts
    }

    fn texts_or_one(&mut self, key: &str) -> Option<Vec<String>> {
        match self.table.get(key)? {
            Value::String(text) => Some(vec![text.clone()]),
            _ => self.texts(key),
        }
    }
}

/// Finds an encoding by any of its usual names.
fn encoding(name: &str) -> Option<Encoding> {
    match name.to_ascii_lowercase().replace(['-', '_', ' '], "").as_str() {
        "utf8" => Some(Encoding::Utf8),
        "utf16" | "utf16le" | "utf16be" => Some(Encoding::Utf16),
        "latin1" | "iso88591" => Some(Encoding::Latin1),
        "windows1252" | "cp1252" => Some(Encoding::Windows1252),
        _ => None,
    }
}
