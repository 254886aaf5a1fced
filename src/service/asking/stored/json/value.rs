//! Values of the JSON of the first version, with reading functions.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// A JSON value. Its reading functions return `None` for anything but the shape they expect.
#[derive(Clone, Copy)]
pub(super) struct Json<'a>(pub(super) &'a Value);

impl<'a> Json<'a> {
    /// Returns a required field.
    pub(super) fn at(self, name: &str) -> Option<Self> {
        self.0.get(name).map(Json)
    }

    /// Reads a field that may be missing or null.
    pub(super) fn optional<T>(self, name: &str, read: impl FnOnce(Self) -> Option<T>) -> Option<Option<T>> {
        match self.0.get(name) {
            None | Some(Value::Null) => Some(None),
            Some(value) => read(Json(value)).map(Some),
        }
    }

    /// Reads a list that was left out if it was empty.
    pub(super) fn list_or_none<T>(self, name: &str, read: impl Fn(Self) -> Option<T>) -> Option<Vec<T>> {
        self.optional(name, |list| list.list(read)).map(Option::unwrap_or_default)
    }

    pub(super) fn list<T>(self, read: impl Fn(Self) -> Option<T>) -> Option<Vec<T>> {
        self.0.as_array()?.iter().map(|item| read(Json(item))).collect()
    }

    /// Returns an element of a list of fixed length.
    pub(super) fn item(self, place: usize) -> Option<Self> {
        self.0.get(place).map(Json)
    }

    /// Reads any type that has a JSON form elsewhere: numbers, texts, truth values and the kernel's own types.
    pub(super) fn read<T: DeserializeOwned>(self) -> Option<T> {
        T::deserialize(self.0).ok()
    }

    /// Reads a required field.
    pub(super) fn get<T: DeserializeOwned>(self, name: &str) -> Option<T> {
        self.at(name)?.read()
    }

    /// Returns the name of an enum variant and its content, which is null for a variant without fields.
    pub(super) fn variant(self) -> Option<(&'a str, Self)> {
        match self.0 {
            Value::String(name) => Some((name, self)),
            Value::Object(fields) if fields.len() == 1 => {
                fields.iter().next().map(|(name, of)| (name.as_str(), Json(of)))
            }
            _ => None,
        }
    }
}
