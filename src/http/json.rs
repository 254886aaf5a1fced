//! JSON values as they were written, with object keys in their order and duplicate keys preserved.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::problem::Problem;

/// A JSON value as it was written.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// The value `null`.
    Null,
    /// A boolean, `true` or `false`.
    Boolean(bool),
    /// A number of any kind.
    Number(f64),
    /// A string of text.
    Text(String),
    /// A list of values.
    List(Vec<Json>),
    /// An object, with its fields in order, including duplicate keys.
    Object(Vec<(String, Json)>),
}

impl Json {
    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Json;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }
    fn visit_bool<E>(self, truth: bool) -> Result<Json, E> {
        Ok(Json::Boolean(truth))
    }
    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Number(number as f64))
    }
    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Number(number as f64))
    }
    fn visit_f64<E>(self, number: f64) -> Result<Json, E> {
        Ok(Json::Number(number))
    }
    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Json::List(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Json::Object(fields))
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(AnyValue)
    }
}

/// The fields of a request's body.
#[derive(Debug)]
pub struct Fields {
    fields: Vec<(String, Json)>,
    accepted: &'static [&'static str],
}

impl Fields {
    /// Parses a body. It may have these fields and no others, each at most once.
    pub fn read(bytes: &[u8], accepted: &'static [&'static str]) -> Result<Self, Problem> {
        let value: Json = serde_json::from_slice(bytes).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            Problem::invalid_request(format!(
                "the body is not valid JSON: the error is at line {line}, column {column}"
            ))
        })?;
        let Json::Object(fields) = value else {
            let detail =
                format!("the body is {}; accepted is an object with the fields {}", value.kind(), accepted.join(", "));
            return Err(Problem::invalid_request(detail));
        };
        for (index, (name, _)) in fields.iter().enumerate() {
            let shown = crate::query::error::shown(name);
            if !accepted.contains(&name.as_str()) {
                let detail = format!("the field \"{shown}\" is unknown; accepted are {}", accepted.join(", "));
                return Err(Problem::invalid_request(detail));
            }
            if fields[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(Problem::invalid_request(format!("the field \"{shown}\" is given twice")));
            }
        }
        Ok(Self { fields, accepted })
    }

    /// Takes a field's value; `null` counts as absent.
    pub fn take(&mut self, name: &str) -> Option<Json> {
        debug_assert!(self.accepted.contains(&name), "a field that is taken is accepted");
        let place = self.fields.iter().position(|(field, _)| field == name)?;
        Some(self.fields.swap_remove(place).1).filter(|value| *value != Json::Null)
    }

    /// Takes an optional field that holds text.
    pub fn optional_text(&mut self, name: &str) -> Result<Option<String>, Problem> {
        match self.take(name) {
            None => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text)),
            Some(other) => Err(wrong_kind(name, &other, "a string")),
        }
    }

    /// Takes a required field that holds text.
    pub fn text(&mut self, name: &str) -> Result<String, Problem> {
        let missing = || Problem::invalid_request(format!("the field \"{name}\" is missing; it is a string"));
        self.optional_text(name)?.ok_or_else(missing)
    }
}

/// The problem that a field has a value of the wrong kind. Decimals must be written as strings.
pub fn wrong_kind(name: &str, found: &Json, wanted: &str) -> Problem {
    let decimal = matches!(name, "epsilon" | "margin") && matches!(found, Json::Number(_));
    let detail = if decimal {
        format!("the field \"{name}\" is a number; write it as a decimal string, like \"0.1\"")
    } else {
        format!("the field \"{name}\" is {}; accepted is {wanted}", found.kind())
    };
    Problem::invalid_request(detail)
}
