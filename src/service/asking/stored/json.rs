//! Stored answers of the first version: derived JSON, with every name spelled out here.
//!
//! It is read and never written again. The names are those that types and fields had when it was written, so no string in this module
//! follows a renaming.

mod formulas;
mod layouts;
mod terms;
mod value;
mod vectors;

use serde::Deserialize;
use serde_json::Value;

use self::value::Json;
use self::vectors::noisy;
use crate::kernel::privacy::certificate::Subject;
use crate::kernel::vault::release::ReleasedGroups;
use crate::ledger::answer_bytes::{Drawn, Head, Points, Rest};
use crate::query::answer::{Layout, Limit, ShownGroups};

/// Reads a stored answer of the first version, in the parts of the present one; `None` if it is damaged.
pub(super) fn answer(bytes: &[u8]) -> Option<(Head, Drawn, Points, Rest)> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let of = Json(&value);
    let release = of.at("release")?;
    let head = (
        release.get("id")?,
        subject(release.at("subject")?)?,
        of.get("sql")?,
        of.get("epsilon")?,
        of.get("researcher")?,
        of.optional("purpose", Json::read)?,
        of.get("at_ms")?,
    );
    let drawn = (
        release.get("v")?,
        release.get("mechanism")?,
        release.at("measurements")?.list(noisy)?,
        release.get("price")?,
        release.optional("groups", groups)?,
    );
    let rest = (
        of.optional("combined", |vectors| vectors.list(noisy))?,
        of.get("derived_from")?,
        layouts::layout(of.at("layout")?)?,
        of.get("paid")?,
        of.get("accountant")?,
        of.optional("delta", Json::read)?,
        of.get("rows_per_unit")?,
    );
    Some((head, drawn, Points::new(), rest))
}

/// Reads how a question lays out a stored answer: its canonical SQL, and a layout without labels, which are those of the answer.
pub(super) fn question(text: &str) -> Option<(String, Layout)> {
    let value: Value = serde_json::from_str(text).ok()?;
    let of = Json(&value);
    let layout = Layout {
        keys: Vec::new(),
        outputs: of.at("outputs")?.list(layouts::output)?,
        sets: of.optional("sets", layouts::sets)?,
        shown: ShownGroups::having(of.optional("having", formulas::shown)?),
        small: of.optional("small", layouts::small)?,
        order: of.at("order")?.list(layouts::sort)?,
        limit: Limit::new(of.optional("limit", Json::read)?, 0),
        arms: Vec::new(),
    };
    Some((of.get("sql")?, layout))
}

fn subject(of: Json<'_>) -> Option<Subject> {
    Some(Subject { dataset: of.get("dataset")?, edition: of.get("edition")? })
}

fn groups(of: Json<'_>) -> Option<ReleasedGroups> {
    Some(ReleasedGroups { labels: of.get("labels")?, units: of.get("units")?, threshold: of.get("threshold")? })
}

/// What a list of answers shows; the cells are skipped.
#[derive(Deserialize)]
struct HeadJson {
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

/// What a list of answers shows.
pub(super) fn head(bytes: &[u8]) -> Option<Head> {
    let HeadJson { release, sql, epsilon, researcher, purpose, at_ms } = serde_json::from_slice(bytes).ok()?;
    Some((release.id, subject(Json(&release.subject))?, sql, epsilon, researcher, purpose, at_ms))
}
