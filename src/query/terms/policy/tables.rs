//! The shape of a policy file, from which its JSON Schema is derived.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::column_table::ColumnTable;
use super::limits::{
    COLUMNS_MAX, MIN_CELL_MAX, PAD_MS_MAX, PUBLIC_COLUMNS_MAX, ROWS_MAX, ROWS_PER_UNIT_MAX, TABLES_MAX,
};
use super::names::IDENTIFIER_PATTERN;
use super::source::source_schema;
use crate::kernel::privacy::amounts::{DECIMAL_CHARS_MAX, DECIMAL_PATTERN};

/// A dataset's source and columns, or its tables, and its lifetime cap.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "the policy of a dataset", extend(
    "required" = ["dataset"],
    "anyOf" = [
        {
            "required": ["column"],
            "properties": {
                "table": {"maxItems": 0},
                "dataset": {
                    "required": ["source", "max_rows"],
                    "if": {"properties": {"privacy_unit": {"const": "row"}}},
                    "else": {"required": ["max_rows_per_unit"]}
                }
            }
        },
        {
            "required": ["table"],
            "properties": {
                "column": {"maxItems": 0},
                "join": {"maxItems": 0},
                "table": {"minItems": 1},
                "dataset": {
                    "properties": {"source": false, "max_rows": false, "max_rows_per_unit": false},
                    "if": {"properties": {"privacy_unit": {"const": "row"}}},
                    "then": false
                }
            }
        }
    ],
    "if" = {"properties": {"dataset": {"properties": {"privacy_unit": {"const": "row"}}}}},
    "then" = {"properties": {"join": {"maxItems": 0}}}
))]
pub struct PolicyFile {
    /// The table and its guarantee.
    pub(super) dataset: DatasetTable,
    /// Every column that may be asked about, if the dataset has a single table.
    #[serde(default)]
    #[schemars(with = "Vec<ColumnTable>", length(max = COLUMNS_MAX))]
    pub(super) column: Vec<Spanned<ColumnTable>>,
    /// Tables of one row a unit, beside a single table.
    #[serde(default)]
    #[schemars(with = "Vec<JoinTable>")]
    pub(super) join: Vec<Spanned<JoinTable>>,
    /// The tables of a dataset that has several.
    #[serde(default)]
    #[schemars(with = "Vec<EventTable>", length(max = TABLES_MAX))]
    pub(super) table: Vec<Spanned<EventTable>>,
    /// Tables that are published as they are, like code lists and calendars.
    #[serde(default)]
    #[schemars(with = "Vec<PublicTableForm>", length(max = TABLES_MAX))]
    pub(super) public: Vec<Spanned<PublicTableForm>>,
}

/// One of several tables of a dataset.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend(
    "required" = ["name", "source", "max_rows", "column"],
    "if" = {"properties": {"one_row_per_unit": {"const": true}}, "required": ["one_row_per_unit"]},
    "then" = {"properties": {"max_rows_per_unit": false}},
    "else" = {"required": ["max_rows_per_unit"]}
))]
pub(super) struct EventTable {
    /// The name in FROM.
    #[schemars(with = "String", regex(pattern = IDENTIFIER_PATTERN))]
    pub(super) name: Spanned<String>,
    /// A title for people to read.
    pub(super) title: Option<String>,
    /// Where its rows are read from.
    #[schemars(schema_with = "source_schema")]
    pub(super) source: Spanned<toml::Value>,
    /// A unit has one row; several rows in the source are merged into one.
    #[schemars(with = "Option<bool>")]
    pub(super) one_row_per_unit: Option<Spanned<bool>>,
    /// The largest number of a unit's rows that count in this table.
    #[schemars(with = "Option<i64>", range(min = 1, max = ROWS_PER_UNIT_MAX))]
    pub(super) max_rows_per_unit: Option<Spanned<i64>>,
    /// The largest number of rows in the table.
    #[schemars(with = "i64", range(min = 1, max = ROWS_MAX))]
    pub(super) max_rows: Spanned<i64>,
    /// Every column of the table that may be asked about.
    #[serde(default)]
    #[schemars(with = "Vec<ColumnTable>", length(min = 1, max = COLUMNS_MAX))]
    pub(super) column: Vec<Spanned<ColumnTable>>,
}

/// A table that is published as it is.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PublicTableForm {
    /// The name in FROM.
    #[schemars(with = "String", regex(pattern = IDENTIFIER_PATTERN))]
    pub(super) name: Spanned<String>,
    /// Where its rows are read from.
    #[schemars(schema_with = "source_schema")]
    pub(super) source: Spanned<toml::Value>,
    /// The columns that are published.
    #[schemars(with = "Vec<String>", length(min = 1, max = PUBLIC_COLUMNS_MAX), inner(regex(pattern = IDENTIFIER_PATTERN)), extend("uniqueItems" = true))]
    pub(super) columns: Spanned<Vec<Spanned<String>>>,
}

/// A table of one row a unit.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = ["name", "source", "column"]))]
pub(super) struct JoinTable {
    /// The name in JOIN.
    #[schemars(with = "String", regex(pattern = IDENTIFIER_PATTERN))]
    pub(super) name: Spanned<String>,
    /// Where its rows are read from, one per unit.
    #[schemars(schema_with = "source_schema")]
    pub(super) source: Spanned<toml::Value>,
    /// Every column of the table that may be asked about.
    #[serde(default)]
    #[schemars(with = "Vec<ColumnTable>", length(min = 1, max = COLUMNS_MAX))]
    pub(super) column: Vec<Spanned<ColumnTable>>,
}

/// The table and its guarantee. If every row is a unit, no unit can be excluded and each has one row. The gaussian accountant needs a delta, and
/// the pure one has none.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend(
    "dependentRequired" = {"threshold_delta_per_query": ["threshold_delta"]},
    "allOf" = [
        {
            "if": {"properties": {"privacy_unit": {"const": "row"}}},
            "then": {"properties": {"exclude": false, "unit_source": false, "max_rows_per_unit": {"const": 1}}}
        },
        {
            "if": {"properties": {"accountant": {"const": "pure"}}, "required": ["accountant"]},
            "then": {"properties": {
                "cap": {"properties": {"delta": false}},
                "threshold_delta": false,
                "threshold_delta_per_query": false
            }},
            "else": {"properties": {"cap": {"required": ["delta"]}}}
        }
    ]
))]
pub(super) struct DatasetTable {
    /// The name in FROM.
    #[schemars(with = "String", regex(pattern = IDENTIFIER_PATTERN))]
    pub(super) name: Spanned<String>,
    /// A title for people to read.
    pub(super) title: Option<String>,
    /// A file, a folder, a pattern like `visits/**/*.parquet`, or a table with more details.
    #[serde(default)]
    #[schemars(schema_with = "source_schema")]
    pub(super) source: Option<Spanned<toml::Value>>,
    /// What the guarantee protects: the column with the unit's id, or `row`.
    #[schemars(with = "String", regex(pattern = IDENTIFIER_PATTERN))]
    pub(super) privacy_unit: Spanned<String>,
    /// The name of the unit's column in the sources, if it differs.
    #[schemars(with = "Option<String>")]
    pub(super) unit_source: Option<Spanned<String>>,
    /// The time zone of the data's events, like Europe/Berlin, if the source has their moments in UTC.
    #[schemars(with = "Option<String>")]
    pub(super) time_zone: Option<Spanned<String>>,
    /// Texts that mean a missing value, in all columns.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) missing: Option<Spanned<Vec<String>>>,
    /// What to do with rows of a unit that contradict each other in a column of one value a unit; by default count.
    #[schemars(with = "Option<String>", extend("enum" = ["count", "refuse"]))]
    pub(super) conflicts: Option<Spanned<String>>,
    /// A file of units that asked to be left out.
    #[schemars(with = "Option<String>")]
    pub(super) exclude: Option<Spanned<String>>,
    /// The largest number of a unit's rows that count.
    #[schemars(with = "Option<i64>", range(min = 1, max = ROWS_PER_UNIT_MAX))]
    pub(super) max_rows_per_unit: Option<Spanned<i64>>,
    /// The largest number of rows in the table.
    #[schemars(with = "Option<i64>", range(min = 1, max = ROWS_MAX))]
    pub(super) max_rows: Option<Spanned<i64>>,
    /// How losses add up; by default gaussian.
    #[schemars(with = "Option<String>", extend("enum" = ["gaussian", "pure"]))]
    pub(super) accountant: Option<Spanned<String>>,
    /// The lifetime cap, which can only rise.
    #[schemars(with = "CapTable")]
    pub(super) cap: Spanned<CapTable>,
    /// The most that one query may cost; by default the cap.
    #[schemars(with = "Option<String>", regex(pattern = DECIMAL_PATTERN), length(max = DECIMAL_CHARS_MAX))]
    pub(super) max_epsilon_per_query: Option<Spanned<String>>,
    /// Allocations may sum to more than the cap.
    #[serde(default)]
    pub(super) oversubscribe: bool,
    /// The quantum that answers are padded to, in milliseconds.
    #[schemars(with = "Option<i64>", range(min = 1, max = PAD_MS_MAX))]
    pub(super) pad_ms: Option<Spanned<i64>>,
    /// A public statement of how many rows the dataset has about, for the errors that quotes expect.
    #[schemars(with = "Option<i64>", range(min = 1, max = ROWS_MAX))]
    pub(super) about_rows: Option<Spanned<i64>>,
    /// The smallest count that is shown.
    #[schemars(with = "Option<i64>", range(min = 1, max = MIN_CELL_MAX))]
    pub(super) min_cell: Option<Spanned<i64>>,
    /// The part of the cap's delta that is set aside for texts without a list.
    #[schemars(with = "Option<String>", regex(pattern = DECIMAL_PATTERN), length(max = DECIMAL_CHARS_MAX))]
    pub(super) threshold_delta: Option<Spanned<String>>,
    /// What one query may take of `threshold_delta`; by default a hundredth.
    #[schemars(with = "Option<String>", regex(pattern = DECIMAL_PATTERN), length(max = DECIMAL_CHARS_MAX))]
    pub(super) threshold_delta_per_query: Option<Spanned<String>>,
}

/// The lifetime cap, which can only rise.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CapTable {
    /// The epsilon of the lifetime guarantee, above 0 and at most 100.
    #[schemars(with = "String", regex(pattern = DECIMAL_PATTERN), length(max = DECIMAL_CHARS_MAX))]
    pub(super) epsilon: Spanned<String>,
    /// Its delta, from 1e-18 to 0.01; the pure accountant has none.
    #[schemars(with = "Option<String>", regex(pattern = DECIMAL_PATTERN), length(max = DECIMAL_CHARS_MAX))]
    pub(super) delta: Option<Spanned<String>>,
}
