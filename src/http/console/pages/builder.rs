//! The page on which a question is chosen from lists.

use std::collections::HashMap;

use maud::{Markup, html};

use crate::http::console::tables::AskableTable;
use crate::query::terms::domain::{Column, Domain, Grid};

/// The fields of the form, as they were sent.
pub struct Fields<'a>(pub &'a HashMap<String, String>);

impl Fields<'_> {
    /// The trimmed text of a field; empty if it was not sent.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |text| text.trim())
    }
}

/// What the page shows.
pub struct BuilderPage<'a> {
    /// The tables to choose from.
    pub tables: &'a [AskableTable<'a>],
    /// The chosen table; `None` if there is none to choose.
    pub table: Option<&'a AskableTable<'a>>,
    /// The fields as they were sent.
    pub fields: &'a Fields<'a>,
    /// What is wrong with them, if anything is.
    pub wrong: Option<&'a str>,
}

/// What can be computed, by the word for it in the address.
const WHAT: [(&str, &str, bool); 6] = [
    ("count", "how many rows", false),
    ("units", "how many", false),
    ("mean", "the mean of a number", true),
    ("sum", "the sum of a number", true),
    ("median", "the median of a number", true),
    ("spread", "the standard deviation of a number", true),
];

/// The largest number of values of a category in a list.
const VALUES_MAX: usize = 500;

/// The page on which a question is chosen from lists.
#[must_use]
pub fn page(shown: &BuilderPage<'_>) -> Markup {
    html! {
        h1 { "Choose a question" }
        p.lead { "Choose what to ask from lists. It is written as SQL for you, and you see its price before you pay." }
        @match shown.table {
            None => { p.note.warn { "You have no budget yet. A steward grants you a share of a dataset's." } }
            Some(table) => {
                @if shown.tables.len() > 1 { (choose(shown.tables, table)) }
                @if let Some(wrong) = shown.wrong { p.note.bad role="alert" { (wrong) } }
                section.card { (form(table, shown.fields)) }
            }
        }
        p { a href="/ask" { "Write SQL instead" } }
    }
}

fn choose(tables: &[AskableTable<'_>], chosen: &AskableTable<'_>) -> Markup {
    html! {
        form.inline method="get" action="/ask/build" {
            label { "Table"
                select name="table" {
                    @for table in tables {
                        option value=(table.name) selected[table.name == chosen.name] { (table.title.unwrap_or(table.name)) }
                    }
                }
            }
            button type="submit" { "Choose" }
        }
    }
}

fn form(table: &AskableTable<'_>, fields: &Fields<'_>) -> Markup {
    let numbers: Vec<_> = table.columns.iter().filter(|column| matches!(column.domain, Domain::Number(_))).collect();
    html! {
        form.stack method="get" action="/ask/build" {
            input type="hidden" name="table" value=(table.name);
            label { "What do you want to know of " (table.title.unwrap_or(table.name)) "?"
                select name="what" {
                    @for (word, told, of_number) in WHAT {
                        @if (word != "units" || table.unit != "row") && (!of_number || !numbers.is_empty()) {
                            option value=(word) selected[fields.text("what") == word] {
                                (told) @if word == "units" { " different " (table.unit) }
                            }
                        }
                    }
                }
            }
            @if !numbers.is_empty() {
                label { "Which number (for a mean, sum, median or deviation)"
                    select name="of" {
                        @for column in &numbers { option value=(column.name) selected[fields.text("of") == column.name] { (titled(column)) } }
                    }
                }
            }
            (keys("by", "For each", table, fields))
            (keys("then", "And for each", table, fields))
            details open[table.columns.iter().any(|column| is_filtered(column, fields))] {
                summary { "Only some of the rows" }
                div.filters { @for column in table.columns { (filter(column, fields)) } }
            }
            button.primary type="submit" name="do" value="write" { "Write the question" }
        }
    }
}

fn titled(column: &Column) -> Markup {
    html! { (column.name) @if let Some(title) = &column.title { " (" (title) ")" } }
}

/// The number of different whole numbers up to which a column is a key by itself.
const KEYS_MAX: i64 = 150;

/// The keys that can be made of a column, each with words for it.
fn key_choices(column: &Column) -> Vec<(String, String)> {
    let name = &column.name;
    match &column.domain {
        Domain::Category(_) | Domain::Boolean | Domain::Text { .. } => vec![(name.clone(), name.clone())],
        Domain::Date { .. } => ["month", "quarter", "year"]
            .map(|period| (format!("{name}:{period}"), format!("{period} of {name}")))
            .into(),
        Domain::Number(Grid { integer: true, low, high, .. }) if high - low < KEYS_MAX => {
            vec![(format!("{name}:tens"), format!("{name} in tens")), (name.clone(), name.clone())]
        }
        Domain::Number(_) => Vec::new(),
    }
}

fn keys(field: &str, words: &str, table: &AskableTable<'_>, fields: &Fields<'_>) -> Markup {
    html! {
        label { (words)
            select name=(field) {
                option value="" { "nothing" }
                @for (choice, told) in table.columns.iter().flat_map(key_choices) {
                    option value=(choice) selected[fields.text(field) == choice] { (told) }
                }
            }
        }
    }
}

fn is_filtered(column: &Column, fields: &Fields<'_>) -> bool {
    ["is", "from", "to"].iter().any(|word| !fields.text(&format!("{word}-{}", column.name)).is_empty())
}

fn filter(column: &Column, fields: &Fields<'_>) -> Markup {
    let name = &column.name;
    let text = |word: &str| fields.text(&format!("{word}-{name}")).to_owned();
    let select = |values: &[String]| {
        html! {
            label { (name)
                select name={ "is-" (name) } {
                    option value="" { "any" }
                    @for value in values { option value=(value) selected[text("is") == *value] { (value) } }
                }
            }
        }
    };
    match &column.domain {
        Domain::Category(labels) => select(&labels[..labels.len().min(VALUES_MAX)]),
        Domain::Boolean => select(&["true".to_owned(), "false".to_owned()]),
        Domain::Number(_) | Domain::Date { .. } => {
            let kind = if matches!(column.domain, Domain::Date { .. }) { "date" } else { "text" };
            html! {
                div.row {
                    @for (word, told) in [("from", "at least"), ("to", "at most")] {
                        label { (name) " " (told) input type=(kind) name={ (word) "-" (name) } value=(text(word)); }
                    }
                }
            }
        }
        Domain::Text { .. } => html! {},
    }
}
