//! The shape of one `[[column]]` of a policy file.

use serde::Deserialize;
use toml::Spanned;

/// The fields of a column, before they are checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ColumnTable {
    pub(super) name: Spanned<String>,
    pub(super) title: Option<String>,
    pub(super) r#type: Spanned<String>,
    pub(super) values: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) min: Option<Spanned<toml::Value>>,
    pub(super) max: Option<Spanned<toml::Value>>,
    pub(super) step: Option<Spanned<toml::Value>>,
    pub(super) max_values: Option<Spanned<i64>>,
    pub(super) max_groups_per_unit: Option<Spanned<i64>>,
    #[serde(default)]
    pub(super) per_unit: bool,
    #[serde(default)]
    pub(super) nullable: bool,
    pub(super) source: Option<Spanned<String>>,
    pub(super) missing: Option<Spanned<Vec<String>>>,
    pub(super) format: Option<Spanned<String>>,
    #[serde(rename = "true")]
    pub(super) yes: Option<Spanned<Vec<String>>>,
    #[serde(rename = "false")]
    pub(super) no: Option<Spanned<Vec<String>>>,
    pub(super) labels: Option<Spanned<toml::Table>>,
    pub(super) multiline: Option<Spanned<bool>>,
}
