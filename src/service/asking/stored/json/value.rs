//! Values of the JSON of the first version, with reading functions.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// A value of the JSON; whatever is not what it should be is `None`.
#[derive(Clone, Copy)]
pub(super) struct Json<'a>(pub(super) &'a Value);

impl<'a> Json<'a> {
    /// A field that is always there.
    pub(super) fn at(self, name: &str) -> Option<Self> {
        self.0.get(name).map(Json)
    }

    /// A field that may be left out, or be null.
    pub(super) fn optional<T>(self, name: &str, read: impl FnOnce(Self) -> Option<T>) -> Option<Option<T>> {
        match self.0.get(name) {
            None | Some(Value::Null) => Some(None),
            Some(value) => read(Json(value)).map(Some),
        }
    }

    /// A list that is left out where it is empty.
    pub(super) fn list_or_none<T>(self, name: &str, read: impl Fn(Self) -> Option<T>) -> Option<Vec<T>> {
        self.optional(name, |list| list.list(read)).map(Option::unwrap_or_default)
    }

    pub(super) fn list<T>(self, read: impl Fn(Self) -> Option<T>) -> Option<Vec<T>> {
        self.0.as_array()?.iter().map(|item| read(Json(item))).collect()
    }

    /// A place in a list of fixed length.
    pub(super) fn item(self, place: usize) -> Option<Self> {
        self.0.get(place).map(Json)
    }

    /// Numbers, texts, truth values, and the types that are JSON in other places, too.
    pub(super) fn read<T: DeserializeOwned>(self) -> Option<T> {
        T::deserialize(self.0).ok()
    }

    /// [`Json::read`] of a field that is always there.
    pub(super) fn get<T: DeserializeOwned>(self, name: &str) -> Option<T> {
        self.at(name)?.read()
    }

    /// The name of a variant with what it holds; of one that holds nothing the name is all there is.
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
