//! JSON bodies of requests: one serde type for each body says what is accepted, and OpenAPI documents the same type.
//!
//! Promises that a doubled or unknown field is refused wherever it stands, and that a fault names its field in our own words, never
//! in those of a library. Numbers keep the precision of a float, so decimals must be given as strings.

use std::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{
    self, Deserialize, DeserializeOwned, Deserializer, Expected, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    Visitor,
};
use serde::forward_to_deserialize_any;

use super::problem::Problem;
use crate::query::error::shown;

/// The largest whole number that a float holds exactly together with all smaller ones.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// Parses a body: first its JSON, then its fields.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let json: Json = serde_json::from_slice(bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Problem::invalid_request(format!("the body is not valid JSON: the error is at line {line}, column {column}"))
    })?;
    serde_path_to_error::deserialize(json).map_err(|error| {
        let place = error.path().to_string();
        Problem::invalid_request(error.into_inner().at(&place))
    })
}

/// A JSON value as it was written: an object keeps the order of its fields, and doubled ones.
enum Json {
    Null,
    Boolean(bool),
    Number(f64),
    Text(String),
    List(Vec<Json>),
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

impl<'de> IntoDeserializer<'de, Fault> for Json {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Json {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Boolean(truth) => visitor.visit_bool(truth),
            Self::Number(number) if number.fract() == 0.0 && (0.0..=WHOLE_MAX).contains(&number) => {
                visitor.visit_u64(number as u64)
            }
            Self::Number(number) => visitor.visit_f64(number),
            Self::Text(text) => visitor.visit_string(text),
            Self::List(items) => visitor.visit_seq(SeqDeserializer::new(items.into_iter())),
            Self::Object(fields) => visitor.visit_map(MapDeserializer::new(fields.into_iter())),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self {
            Self::Null => visitor.visit_none(),
            given => visitor.visit_some(given),
        }
    }

    /// A derived type would also read a list of its fields' values; JSON objects alone are accepted.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        accepted: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self {
            Self::Object(_) => self.deserialize_any(visitor),
            other => Err(Fault::Kind {
                found: other.kind(),
                wanted: format!("an object with the fields {}", accepted.join(", ")),
            }),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct seq
        tuple tuple_struct map enum identifier ignored_any
    }
}

/// What is wrong with a body. Serde's own types report it by these facts, so that no message of theirs is shown.
#[derive(Debug, thiserror::Error)]
enum Fault {
    /// A value of another kind than the one that is accepted.
    #[error("{found}; accepted is {wanted}")]
    Kind { found: &'static str, wanted: String },
    /// Anything else, as a sentence.
    #[error("{0}")]
    Said(String),
}

impl Fault {
    /// The message for a fault at this place, which is empty for the body as a whole.
    fn at(self, place: &str) -> String {
        let is_decimal = matches!(place.split(['.', '[']).next(), Some("epsilon" | "margin"));
        match self {
            Self::Said(message) => message,
            Self::Kind { found: "a number", .. } if is_decimal => {
                format!("the field \"{}\" is a number; write it as a decimal string, like \"0.1\"", shown(place))
            }
            Self::Kind { found: "a string", wanted } if wanted.starts_with("a whole number") => {
                format!("the field \"{}\" is a string; write the number without quotation marks", shown(place))
            }
            Self::Kind { .. } if matches!(place, "" | ".") => format!("the body is {self}"),
            Self::Kind { .. } => format!("the field \"{}\" is {self}", shown(place)),
        }
    }
}

impl de::Error for Fault {
    /// Our own types alone report faults by a message.
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Said(message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, wanted: &dyn Expected) -> Self {
        let found = match found {
            Unexpected::Unit | Unexpected::Option => "null",
            Unexpected::Bool(_) => "a boolean",
            Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => "a number",
            Unexpected::Str(_) | Unexpected::Char(_) => "a string",
            Unexpected::Seq => "a list",
            _ => "an object",
        };
        let wanted = match wanted.to_string() {
            whole if whole.starts_with('u') => "a whole number of at least 0".to_owned(),
            list if list == "a sequence" => "a list".to_owned(),
            other => other,
        };
        Self::Kind { found, wanted }
    }

    fn invalid_value(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self::Kind { found: "too large", wanted: "a smaller whole number".to_owned() }
    }

    fn unknown_field(name: &str, accepted: &'static [&'static str]) -> Self {
        Self::Said(format!("the field \"{}\" is unknown; accepted are {}", shown(name), accepted.join(", ")))
    }

    fn missing_field(name: &'static str) -> Self {
        Self::Said(format!("the field \"{name}\" is missing"))
    }

    fn duplicate_field(name: &'static str) -> Self {
        Self::Said(format!("the field \"{name}\" is given twice"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        name: String,
        epsilon: Option<String>,
        days: Option<u32>,
        #[serde(default)]
        items: Vec<Inner>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        text: String,
    }

    fn said(body: &str) -> String {
        read::<Outer>(body.as_bytes()).expect_err("a fault").detail().to_owned()
    }

    #[test]
    fn fields_are_read() {
        let body = r#"{"items": [{"text": "x"}], "name": "a", "days": 2.0, "epsilon": null}"#;
        let outer: Outer = read(body.as_bytes()).expect("a body");
        assert_eq!((outer.name.as_str(), outer.days, outer.epsilon), ("a", Some(2), None));
        assert_eq!(outer.items[0].text, "x");
    }

    #[test]
    fn faults_name_their_field() {
        for (body, wanted) in [
            (r#"{"name": "a""#, "the body is not valid JSON: the error is at line 1, column 12"),
            (r#"["a", "1"]"#, "the body is a list; accepted is an object with the fields name, epsilon, days, items"),
            ("{}", "the field \"name\" is missing"),
            (r#"{"name": "a", "name": "a"}"#, "the field \"name\" is given twice"),
            (r#"{"nom": 1}"#, "the field \"nom\" is unknown; accepted are name, epsilon, days, items"),
            (r#"{"name": null}"#, "the field \"name\" is null; accepted is a string"),
            (r#"{"epsilon": 0.1}"#, "the field \"epsilon\" is a number; write it as a decimal string, like \"0.1\""),
            (r#"{"days": 1.5}"#, "the field \"days\" is a number; accepted is a whole number of at least 0"),
            (r#"{"days": "5"}"#, "the field \"days\" is a string; write the number without quotation marks"),
            (r#"{"days": 5e9}"#, "the field \"days\" is too large; accepted is a smaller whole number"),
            (r#"{"items": {}}"#, "the field \"items\" is an object; accepted is a list"),
            (
                r#"{"items": [{"text": "x"}, 1]}"#,
                "the field \"items[1]\" is a number; accepted is an object with the fields text",
            ),
            (r#"{"items": [{"text": 1}]}"#, "the field \"items[0].text\" is a number; accepted is a string"),
            (r#"{"items": [{"txt": "x"}]}"#, "the field \"txt\" is unknown; accepted are text"),
            (r#"{"items": [{"text": "x", "text": "y"}]}"#, "the field \"text\" is given twice"),
        ] {
            assert_eq!(said(body), wanted, "{body}");
        }
    }
}
