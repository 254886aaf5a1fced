//! Stored answers as they were written first: derived JSON, of which every name is spelled here.
//!
//! It is read and never written again. What it says is what types were called then, so nothing in this file follows a renaming.

use std::str::FromStr;

use dashu::integer::IBig;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use super::{Outline, OutlineDraw, ReleaseSummary, StoredAnswer, StoredQuestion, Summary};
use crate::privacy::certificate::Subject;
use crate::privacy::mechanism::NoiseLaw;
use crate::privacy::units::Price;
use crate::vault::release::{Groups, Noisy, Release};

mod formulas;
mod layouts;
mod terms;

/// A value of the JSON; whatever is not what it should be is `None`.
#[derive(Clone, Copy)]
struct Json<'a>(&'a Value);

impl<'a> Json<'a> {
    /// A field that is always there.
    fn at(self, name: &str) -> Option<Self> {
        self.0.get(name).map(Json)
    }

    /// A field that may be left out, or be null.
    fn optional<T>(self, name: &str, read: impl FnOnce(Self) -> Option<T>) -> Option<Option<T>> {
        match self.0.get(name) {
            None | Some(Value::Null) => Some(None),
            Some(value) => read(Json(value)).map(Some),
        }
    }

    /// A list that is left out where it is empty.
    fn list_or_none<T>(self, name: &str, read: impl Fn(Self) -> Option<T>) -> Option<Vec<T>> {
        self.optional(name, |list| list.list(read)).map(Option::unwrap_or_default)
    }

    fn list<T>(self, read: impl Fn(Self) -> Option<T>) -> Option<Vec<T>> {
        self.0.as_array()?.iter().map(|item| read(Json(item))).collect()
    }

    /// A place in a list of fixed length.
    fn item(self, place: usize) -> Option<Self> {
        self.0.get(place).map(Json)
    }

    /// Numbers, texts, truth values, and the types that are JSON in other places, too.
    fn read<T: DeserializeOwned>(self) -> Option<T> {
        T::deserialize(self.0).ok()
    }

    /// [`Json::read`] of a field that is always there.
    fn get<T: DeserializeOwned>(self, name: &str) -> Option<T> {
        self.at(name)?.read()
    }

    /// The name of a variant with what it holds; of one that holds nothing the name is all there is.
    fn variant(self) -> Option<(&'a str, Self)> {
        match self.0 {
            Value::String(name) => Some((name, self)),
            Value::Object(fields) if fields.len() == 1 => {
                fields.iter().next().map(|(name, of)| (name.as_str(), Json(of)))
            }
            _ => None,
        }
    }
}

/// A stored answer.
pub(super) fn answer(bytes: &[u8]) -> Option<StoredAnswer> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let of = Json(&value);
    Some(StoredAnswer {
        release: release(of.at("release")?)?,
        combined: of.optional("combined", |vectors| vectors.list(noisy))?,
        derived_from: of.get("derived_from")?,
        layout: layouts::layout(of.at("layout")?)?,
        sql: of.get("sql")?,
        epsilon: of.get("epsilon")?,
        paid: of.get("paid")?,
        accountant: of.get("accountant")?,
        delta: of.optional("delta", Json::read)?,
        rows_per_unit: of.get("rows_per_unit")?,
        researcher: of.get("researcher")?,
        purpose: of.optional("purpose", Json::read)?,
        at_ms: of.get("at_ms")?,
    })
}

/// How a question laid a stored answer out.
pub(super) fn question(text: &str) -> Option<StoredQuestion> {
    let value: Value = serde_json::from_str(text).ok()?;
    let of = Json(&value);
    Some(StoredQuestion {
        sql: of.get("sql")?,
        outputs: of.at("outputs")?.list(layouts::output)?,
        sets: of.optional("sets", layouts::sets)?,
        having: of.optional("having", formulas::shown)?,
        small: of.optional("small", layouts::small)?,
        order: of.at("order")?.list(layouts::sort)?,
        limit: of.optional("limit", Json::read)?,
    })
}

fn release(of: Json<'_>) -> Option<Release> {
    Some(Release {
        v: of.get("v")?,
        id: of.get("id")?,
        subject: subject(of.at("subject")?)?,
        mechanism: of.get("mechanism")?,
        measurements: of.at("measurements")?.list(noisy)?,
        price: of.get("price")?,
        groups: of.optional("groups", groups)?,
    })
}

fn subject(of: Json<'_>) -> Option<Subject> {
    Some(Subject { dataset: of.get("dataset")?, edition: of.get("edition")? })
}

fn groups(of: Json<'_>) -> Option<Groups> {
    Some(Groups { labels: of.get("labels")?, units: of.get("units")?, threshold: of.get("threshold")? })
}

fn noisy(of: Json<'_>) -> Option<Noisy> {
    let cell = |text: Json<'_>| IBig::from_str(text.0.as_str()?).ok();
    Some(Noisy { law: of.get("law")?, price: of.get("price")?, cells: of.at("cells")?.list(cell)? })
}

/// What a list shows; cells are passed over.
#[derive(Deserialize)]
struct SummaryJson {
    #[serde(rename = "release")]
    release: ReleaseJson,
    #[serde(rename = "sql")]
    sql: String,
    #[serde(rename = "epsilon")]
    epsilon: String,
    #[serde(rename = "researcher")]
    researcher: String,
    #[serde(rename = "purpose")]
    purpose: Option<String>,
    #[serde(rename = "at_ms")]
    at_ms: u64,
}

#[derive(Deserialize)]
struct ReleaseJson {
    #[serde(rename = "id")]
    id: String,
    #[serde(rename = "subject")]
    subject: Value,
}

pub(super) fn summary(bytes: &[u8]) -> Option<Summary> {
    let SummaryJson { release, sql, epsilon, researcher, purpose, at_ms } = serde_json::from_slice(bytes).ok()?;
    let release = ReleaseSummary { id: release.id, subject: subject(Json(&release.subject))? };
    Some(Summary { release, sql, epsilon, researcher, purpose, at_ms })
}

/// What a charge is held against; cells are counted.
#[derive(Deserialize)]
struct OutlineJson {
    #[serde(rename = "release")]
    release: DrawnJson,
    #[serde(rename = "layout")]
    _layout: IgnoredAny,
}

#[derive(Deserialize)]
struct DrawnJson {
    #[serde(rename = "id")]
    id: String,
    #[serde(rename = "measurements")]
    measurements: Vec<DrawJson>,
    #[serde(rename = "groups")]
    groups: Option<GroupsJson>,
}

#[derive(Deserialize)]
struct GroupsJson {
    #[serde(rename = "labels")]
    labels: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
struct DrawJson {
    #[serde(rename = "law")]
    law: NoiseLaw,
    #[serde(rename = "price")]
    price: Price,
    #[serde(rename = "cells")]
    cells: Vec<IgnoredAny>,
}

pub(super) fn outline(bytes: &[u8]) -> Option<Outline> {
    let OutlineJson { release, .. } = serde_json::from_slice(bytes).ok()?;
    let draw = |DrawJson { law, price, cells }: DrawJson| OutlineDraw { law, price, cells: cells.len() };
    Some(Outline {
        id: release.id,
        draws: release.measurements.into_iter().map(draw).collect(),
        groups: release.groups.map(|groups| groups.labels.len()),
    })
}
