//! What may be asked, as a server tells it: datasets, their tables and columns. All of it is public to whoever holds a token.

use serde::Deserialize;

use super::{Client, ClientError};
use crate::query::error::nearest;

/// The datasets that a person may see.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Catalogue {
    /// The datasets, by name.
    pub datasets: Vec<CatalogueDataset>,
}

/// A dataset as the API describes it: its title, tables and their columns.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct CatalogueDataset {
    /// The dataset's name, which is its schema in SQL.
    pub name: String,
    /// The dataset's title.
    #[serde(default)]
    pub title: Option<String>,
    /// The column that names the one who is protected.
    pub privacy_unit: String,
    /// The largest ε of one question, as decimal text.
    pub max_epsilon_per_query: String,
    /// Id of the edition that is served.
    pub edition: String,
    /// The dataset that has this one as a table.
    #[serde(default)]
    pub lineage: Option<String>,
    /// Tables whose rows belong to units.
    pub tables: Vec<CatalogueTable>,
    /// Tables that are published as they are.
    #[serde(default)]
    pub public: Vec<CatalogueTable>,
}

/// A table of a dataset.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct CatalogueTable {
    /// The table's name in SQL.
    pub name: String,
    /// The table's title.
    #[serde(default)]
    pub title: Option<String>,
    /// The largest number of a unit's rows that count; absent for tables that are published as they are.
    #[serde(default)]
    pub max_rows_per_unit: Option<u32>,
    /// The columns.
    pub columns: Vec<CatalogueColumn>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct CatalogueColumn {
    /// The column's name.
    pub name: String,
    /// The column's type, as policies name it.
    pub r#type: String,
    /// The column's title.
    #[serde(default)]
    pub title: Option<String>,
    /// The values of a category, if they are listed.
    #[serde(default)]
    pub values: Option<Vec<String>>,
    /// The number of values, if they are not listed.
    #[serde(default)]
    pub values_count: Option<u64>,
    /// The column of a public table whose values these are.
    #[serde(default)]
    pub values_from: Option<String>,
    /// The least value, as text.
    #[serde(default)]
    pub min: Option<String>,
    /// The greatest value, as text.
    #[serde(default)]
    pub max: Option<String>,
    /// Whether all rows of a unit have the same value.
    #[serde(default)]
    pub per_unit: bool,
    /// Whether a value may be missing.
    #[serde(default)]
    pub nullable: bool,
}

impl Catalogue {
    /// Fetches the catalogue of the person whose token the client holds.
    ///
    /// # Errors
    /// [`ClientError`] if there is no usable answer.
    pub fn fetch(client: &Client) -> Result<Self, ClientError> {
        let mut datasets = client.all("/v1/datasets", |dataset: &CatalogueDataset| dataset.name.clone())?;
        // A table that a dataset is joined with is listed as one of its tables.
        datasets.retain(|dataset| dataset.lineage.is_none());
        Ok(Self { datasets })
    }

    /// All tables with their datasets.
    pub fn tables(&self) -> impl Iterator<Item = (&CatalogueDataset, &CatalogueTable)> {
        let of = |dataset: &'_ CatalogueDataset| dataset.tables.len() + dataset.public.len();
        debug_assert!(self.datasets.iter().all(|dataset| of(dataset) > 0), "every dataset has a table");
        self.datasets.iter().flat_map(CatalogueDataset::tables)
    }

    /// The tables that a name means: one table, as `visits` or `omop.person`, or all tables of a dataset.
    #[must_use]
    pub fn named(&self, name: &str) -> Vec<(&CatalogueDataset, &CatalogueTable)> {
        let is_same = |known: &str, named: &str| known.eq_ignore_ascii_case(named);
        if let Some(dataset) = self.datasets.iter().find(|dataset| is_same(&dataset.name, name)) {
            return dataset.tables().collect();
        }
        let (schema, table) = name.split_once('.').map_or((None, name), |(schema, table)| (Some(schema), table));
        let is_meant = |dataset: &CatalogueDataset| schema.is_none_or(|schema| is_same(&dataset.name, schema));
        self.tables().filter(|(dataset, one)| is_meant(dataset) && is_same(&one.name, table)).collect()
    }

    /// The name of a dataset or table that is nearest to this one.
    #[must_use]
    pub fn nearest(&self, name: &str) -> Option<&str> {
        let datasets = self.datasets.iter().map(|dataset| dataset.name.as_str());
        nearest(name, datasets.chain(self.tables().map(|(_, table)| table.name.as_str())))
    }
}

impl CatalogueDataset {
    /// All tables, those that are published as they are last.
    pub fn tables(&self) -> impl Iterator<Item = (&Self, &CatalogueTable)> {
        self.tables.iter().chain(&self.public).map(move |table| (self, table))
    }
}

impl CatalogueColumn {
    /// Which values the column can hold, in words; of a long list the first `shown` values.
    #[must_use]
    pub fn domain(&self, shown: usize) -> String {
        if let Some(values) = &self.values {
            let listed = values.iter().take(shown).cloned().collect::<Vec<_>>().join(", ");
            let more = values.len().saturating_sub(shown);
            return if more == 0 { listed } else { format!("{listed}, … ({more} more)") };
        }
        match (&self.min, &self.max, &self.values_from, self.values_count) {
            (Some(min), Some(max), _, _) => format!("{min} to {max}"),
            (_, _, Some(source), _) => format!("the values of {source}"),
            (_, _, None, Some(count)) => format!("{count} values"),
            _ if self.r#type == "boolean" => "true, false".to_owned(),
            _ => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn catalogue() -> Catalogue {
        let column =
            json!({"name": "region", "type": "category", "values": ["north", "east", "south"], "per_unit": true});
        let age = json!({"name": "age", "type": "integer", "min": "0", "max": "110", "step": "1", "nullable": true});
        let table =
            |name: &str| json!({"name": name, "max_rows_per_unit": 8, "max_rows": 10, "columns": [column, age]});
        let dataset = |name: &str, tables: Vec<serde_json::Value>| json!({"name": name, "privacy_unit": "id", "max_epsilon_per_query": "1", "edition": "ed_1", "tables": tables});
        let datasets =
            json!([dataset("visits", vec![table("visits")]), dataset("omop", vec![table("person"), table("visits")])]);
        Catalogue { datasets: serde_json::from_value(datasets).expect("datasets") }
    }

    #[test]
    fn names_mean_tables() {
        let catalogue = catalogue();
        let check = |name: &str, expected: &[&str]| {
            let found: Vec<_> =
                catalogue.named(name).iter().map(|(set, one)| format!("{}.{}", set.name, one.name)).collect();
            assert_eq!(found, expected, "{name}");
        };
        check("visits", &["visits.visits"]);
        check("PERSON", &["omop.person"]);
        check("omop.visits", &["omop.visits"]);
        check("omop", &["omop.person", "omop.visits"]);
        check("persons", &[]);
        assert_eq!(catalogue.nearest("persons"), Some("person"));
    }

    #[test]
    fn domains_are_told_in_words() {
        let catalogue = catalogue();
        let columns = &catalogue.datasets[0].tables[0].columns;
        assert_eq!(columns[0].domain(2), "north, east, … (1 more)");
        assert_eq!(columns[0].domain(9), "north, east, south");
        assert_eq!(columns[1].domain(9), "0 to 110");
    }
}
