//! Where an answer came from, as names and values that every file of it carries.
//!
//! Promises the same names in every format: in the metadata of Arrow and Parquet, on the second sheet of a workbook, in `metadata` of SVG and
//! `usermeta` of Vega-Lite, and in lines before a CSV table for those who ask for them. JSON has the same facts as its own fields.

use crate::service::asking::body::AnswerBody;

/// Names and values that say where an answer came from, in the order in which they are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Provenance(Vec<(&'static str, String)>);

impl Provenance {
    /// The provenance of an answer, with its citation if it has one. What the answer does not know is left out.
    #[must_use]
    pub fn of<R>(answer: &AnswerBody<R>, title: Option<&str>, cite: Option<&str>) -> Self {
        let text = |value: Option<&str>| value.map(str::to_owned);
        let all = [
            ("title", text(title)),
            ("release", answer.release.clone()),
            ("dataset", answer.dataset.clone()),
            ("edition", answer.edition.clone()),
            ("at", answer.at.clone()),
            ("epsilon", Some(answer.price.epsilon.clone())),
            ("delta", Some(answer.price.delta.clone())),
            ("mechanism", text(answer.mechanism.as_deref())),
            ("confidence", text(answer.confidence.as_deref())),
            ("derived_from", Some(answer.derived_from.join(" ")).filter(|ids| !ids.is_empty())),
            ("sql", Some(answer.sql.clone())),
            ("cite", text(cite)),
        ];
        Self(all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
    }

    /// The names and values, in order.
    pub fn pairs(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// The value with a name; `None` if it is not known.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// One line `name: value` for each; line breaks within values become spaces.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let line = |(name, value): (&str, &str)| format!("{name}: {}", value.replace(['\r', '\n'], " "));
        self.pairs().map(line).collect()
    }
}
