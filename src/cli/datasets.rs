//! `tacit datasets` and `tacit columns`: what may be asked. Both are free.

use clap::Args;
use serde_json::Value;

use super::place::tell;
use super::{CommandFailure, ServerOptions};
use crate::client::catalogue::{Catalogue, CatalogueDataset, CatalogueTable};
use crate::client::{Client, ClientError};
use crate::kernel::budget::entry::AccountKind;
use crate::query::error::shown;
use crate::render::budget::balance;
use crate::service::stewarding::accounts::NamedAccount;
use crate::terminal::{Screen, TextColumn, TextTable, Tone, say, say_table};

/// Number of a category's values that are listed unless all are asked for.
const VALUES_SHOWN: usize = 12;

#[derive(Args)]
pub(super) struct DatasetsOptions {
    #[command(flatten)]
    server: ServerOptions,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct ColumnsOptions {
    /// A table, as visits or omop.person, or a dataset. Not needed if you may see a single dataset.
    table: Option<String>,
    /// List every value of each category.
    #[arg(long)]
    values: bool,
    #[command(flatten)]
    server: ServerOptions,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn datasets(options: &DatasetsOptions) -> Result<(), CommandFailure> {
    let client = options.server.client();
    if options.json {
        let all: Vec<Value> = client.all("/v1/datasets", named)?;
        return tell(true, &all, || ());
    }
    let catalogue = Catalogue::fetch(&client)?;
    match catalogue.datasets.is_empty() {
        true => say("there is no dataset that you may see; a steward gives allocations"),
        false => say_table(&dataset_table(&catalogue, &accounts(&client)?)),
    }
    Ok(())
}

fn named(item: &Value) -> String {
    item["name"].as_str().unwrap_or_default().to_owned()
}

/// The accounts that may be seen; none for people who hold none by their role.
pub(super) fn accounts(client: &Client) -> Result<Vec<NamedAccount>, ClientError> {
    match client.all("/v1/accounts", NamedAccount::id) {
        Err(ClientError::Problem { problem }) if problem["code"] == "forbidden" => Ok(Vec::new()),
        other => other,
    }
}

/// The datasets, each with what is left of the account that the person who asks would pay from; for a steward, of the dataset's.
pub(super) fn dataset_table(catalogue: &Catalogue, accounts: &[NamedAccount]) -> TextTable {
    let columns = vec![
        TextColumn::word("dataset"),
        TextColumn::text("title").optional(3),
        TextColumn::text("tables").optional(2),
        TextColumn::word("protects"),
        TextColumn::word("budget"),
        TextColumn::number("largest question").optional(1),
    ];
    let row = |dataset: &CatalogueDataset| {
        let of = |kind: AccountKind| accounts.iter().find(|one| one.dataset == dataset.name && one.kind == kind);
        let account = of(AccountKind::Dataset).or_else(|| of(AccountKind::Researcher));
        let tables: Vec<&str> = dataset.tables().map(|(_, table)| table.name.as_str()).collect();
        vec![
            dataset.name.clone(),
            dataset.title.clone().unwrap_or_default(),
            tables.join(", "),
            dataset.privacy_unit.clone(),
            account.map_or_else(|| "–".to_owned(), |account| balance(&account.account)),
            format!("ε {}", dataset.max_epsilon_per_query),
        ]
    };
    TextTable::new(columns, catalogue.datasets.iter().map(row))
}

pub(super) fn columns(options: &ColumnsOptions) -> Result<(), CommandFailure> {
    let client = options.server.client();
    let catalogue = Catalogue::fetch(&client)?;
    let tables = chosen(&catalogue, options.table.as_deref())?;
    if options.json {
        let names: Vec<(&str, &str)> =
            tables.iter().map(|(dataset, table)| (dataset.name.as_str(), table.name.as_str())).collect();
        return tell(true, &sent(&client, &names)?, || ());
    }
    let values = if options.values { usize::MAX } else { VALUES_SHOWN };
    let screen = Screen::of_stdout();
    for (at, (dataset, table)) in tables.into_iter().enumerate() {
        if at > 0 {
            say("");
        }
        say(described(dataset, table, values, &screen));
    }
    Ok(())
}

/// The tables that a name means, or all tables if there is one dataset alone.
pub(super) fn chosen<'a>(
    catalogue: &'a Catalogue,
    name: Option<&str>,
) -> Result<Vec<(&'a CatalogueDataset, &'a CatalogueTable)>, CommandFailure> {
    let all = || catalogue.tables().map(|(_, table)| table.name.as_str()).collect::<Vec<_>>().join(", ");
    match (name, catalogue.datasets.as_slice()) {
        (None, []) => Err(CommandFailure::No("there is no dataset that you may see".to_owned())),
        (None, [dataset]) => Ok(dataset.tables().collect()),
        (None, _) => Err(CommandFailure::Usage(format!("name one of the tables: {}", all()))),
        (Some(name), _) => {
            let found = catalogue.named(name);
            if !found.is_empty() {
                return Ok(found);
            }
            let hint = match catalogue.nearest(name) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("there are: {}", all()),
            };
            Err(CommandFailure::No(format!("there is no table \"{}\" that you may see; {hint}", shown(name))))
        }
    }
}

/// The tables as the server sent them, each with the name of its dataset.
fn sent(client: &Client, names: &[(&str, &str)]) -> Result<Vec<Value>, ClientError> {
    let mut found = Vec::new();
    for dataset in client.all::<Value>("/v1/datasets", named)? {
        let tables = ["tables", "public"].into_iter().filter_map(|list| dataset[list].as_array()).flatten();
        for table in tables {
            if names.contains(&(named(&dataset).as_str(), named(table).as_str())) {
                let mut table = table.clone();
                table["dataset"] = dataset["name"].clone();
                found.push(table);
            }
        }
    }
    Ok(found)
}

/// A table's columns as text.
pub(super) fn described(dataset: &CatalogueDataset, table: &CatalogueTable, values: usize, screen: &Screen) -> String {
    let title = table.title.as_ref().or(dataset.title.as_ref().filter(|_| dataset.name == table.name));
    let title = title.map_or_else(String::new, |title| format!(": {title}"));
    let rows = match table.max_rows_per_unit {
        None => "published as it is".to_owned(),
        Some(1) => format!("one row of each {}", dataset.privacy_unit),
        Some(most) => format!("at most {most} rows of each {}", dataset.privacy_unit),
    };
    let columns = vec![
        TextColumn::word("column"),
        TextColumn::word("type"),
        TextColumn::text("values"),
        TextColumn::text("").toned(Tone::Faint).optional(1),
        TextColumn::text("title").optional(2),
    ];
    let has_title = table.columns.iter().any(|column| column.title.is_some());
    let kept = columns.len() - usize::from(!has_title);
    let listed = table.columns.iter().map(|column| {
        let traits = [
            column.per_unit.then(|| format!("one per {}", dataset.privacy_unit)),
            column.nullable.then(|| "may be missing".to_owned()),
        ];
        let traits = traits.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let title = column.title.clone().unwrap_or_default();
        let mut row = vec![column.name.clone(), column.r#type.clone(), column.domain(values), traits, title];
        row.truncate(kept);
        row
    });
    let heading = format!("{}{title} ({rows})", table.name);
    let table = TextTable::new(columns.into_iter().take(kept).collect(), listed);
    format!("{}\n{}", screen.paint(Tone::Strong, &screen.wrapped(&heading)), table.shown(screen))
}
