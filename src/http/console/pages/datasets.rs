//! Datasets as everybody with a token may see them: columns, domains, unit,
//! bounds and cap. Never a row count, except in the report for stewards.

use maud::{Markup, html};

use crate::engine::seal::Report;
use crate::query::terms::domain::{Column, Domain};
use crate::service::Dataset;

/// The list of datasets, each with its tables beneath it.
#[must_use]
pub fn list(datasets: &[&Dataset], may_ask: bool) -> Markup {
    html! {
        h1 { "Datasets" }
        @if datasets.is_empty() { p.note { "There is no dataset that you may see. A steward grants an allocation of one." } }
        div.grid {
            @for dataset in datasets.iter().filter(|dataset| !is_inner(dataset)) {
                section.card {
                    h2 { a href={ "/datasets/" (dataset.name) } { (title(dataset)) } }
                    p.muted { code { (dataset.name) } }
                    (tables(dataset, datasets))
                    @if may_ask { p { a href={ "/ask?dataset=" (dataset.name) } { "Ask it" } } }
                }
            }
        }
    }
}

/// Whether it is a table of another dataset.
#[must_use]
pub fn is_inner(dataset: &Dataset) -> bool {
    dataset.lineage != dataset.name
}

/// The tables of a dataset: its own, those with one row for each unit, and those that are published as they are.
fn tables(dataset: &Dataset, all: &[&Dataset]) -> Markup {
    let terms = &dataset.terms;
    let inner = all.iter().filter(|other| is_inner(other) && other.lineage == dataset.name);
    let columns = |count: usize| if count == 1 { "1 column".to_owned() } else { format!("{count} columns") };
    html! {
        ul.plain {
            @if terms.tables.is_empty() { li { code { (dataset.name) } ": " (columns(terms.own().len())) } }
            @for table in &terms.tables { li { code { (table.name) } ": " (columns(table.columns.len())) } }
            @for table in inner {
                li {
                    a href={ "/datasets/" (table.name) } { code { (table.name) } } ": " (columns(table.terms.own().len())) ", "
                    "one row for each " code { (table.terms.unit.name()) }
                }
            }
            @for table in terms.public.iter() {
                li { code { (table.name) } ": " (columns(table.columns.len())) ", a public table" }
            }
        }
    }
}

fn title(dataset: &Dataset) -> &str {
    dataset.title.as_deref().unwrap_or(&dataset.name)
}

/// The page of one dataset. `cap` is its lifetime cap including any raise; the report is for stewards alone.
#[must_use]
pub fn one(dataset: &Dataset, cap: &str, report: Option<&Report>) -> Markup {
    let terms = &dataset.terms;
    html! {
        h1 { (title(dataset)) }
        dl.facts {
            dt { "Name in SQL" } dd { code { (dataset.name) } }
            dt { "Protects" }
            dd {
                "each " code { (terms.unit.name()) } ", with at most " (terms.max_rows_per_unit) " rows"
                @if !terms.tables.is_empty() { " in any of its tables" }
            }
            dt { "Lifetime cap" } dd { "epsilon " (cap) ", delta " (terms.delta()) ", " (terms.accountant.name()) " noise" }
            dt { "One question costs at most" } dd { "epsilon " (terms.max_epsilon_per_query) }
            dt { "Edition" }
            dd { code { (dataset.edition) } }
            @if let Some(min_cell) = terms.min_cell {
                dt { "Small groups" } dd { "hidden where their noisy count is below " (min_cell) }
            }
        }
        @if let Some(report) = report { (sealing(&dataset.lineage, report)) }
        @if terms.tables.is_empty() {
            h2 { "Columns" }
            (columns(&dataset.name, terms.own()))
        }
        @for table in &terms.tables {
            h2 { "Table " code { (table.name) } }
            p {
                @if let Some(title) = &table.title { (title) ". " }
                "At most " (table.max_rows_per_unit) @if table.max_rows_per_unit == 1 { " row" } @else { " rows" } " of each "
                code { (terms.unit.name()) } ", and " (table.max_rows) " rows in all."
            }
            (columns(&table.name, &table.columns))
        }
        @for join in &terms.joins {
            h2 { "With " code { "JOIN " (join.name) " USING (" (terms.unit.name()) ")" } }
            (columns(&join.name, &terms.columns[join.places()]))
        }
        @for table in terms.public.iter() {
            h2 { "Public table " code { (table.name) } }
            p { "Published as it is: " (table.rows) @if table.rows == 1 { " row." } @else { " rows." } }
            (columns(&table.name, &table.columns))
        }
    }
}

/// A table of columns and what they may hold.
#[must_use]
pub fn columns(of: &str, columns: &[Column]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label={ "Columns of " (of) } {
            table.stacked {
                caption.visually-hidden { "Columns of " (of) " and what they may hold" }
                thead { tr {
                    th scope="col" { "Column" } th scope="col" { "Type" } th scope="col" { "What it may hold" }
                    th scope="col" { "Notes" }
                } }
                tbody {
                    @for column in columns {
                        tr {
                            th scope="row" {
                                code { (column.name) }
                                @if let Some(title) = &column.title { br; small { (title) } }
                            }
                            td { (column.domain.type_name()) }
                            td { (domain(&column.domain)) }
                            td {
                                @if column.per_unit { span.badge { "one value per unit" } " " }
                                @if column.nullable { span.badge { "may be missing" } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The report of a sealing, in exact numbers: for stewards alone.
#[must_use]
pub fn sealing(lineage: &str, report: &Report) -> Markup {
    let named = || report.columns.iter().filter(|(name, _)| !name.is_empty());
    html! {
        section.card {
            h2 { "Sealing's report" }
            p { a href={ "/policy?dataset=" (lineage) } { "Change its policy" } ", and see what that would change before you seal it again." }
            p.note.warn { "Exact numbers, for stewards alone: they are not protected by noise." }
            dl.facts {
                dt { "Rows read" } dd { (report.rows_read) }
                dt { "Rows kept" } dd { (report.rows_kept) ", of " (report.units) " units" }
                dt { "Rows cut" } dd { (report.rows_cut) " beyond the rows that each unit may keep" }
                dt { "Consent withdrawn" } dd { (report.rows_excluded) " rows left out; withdrawn ids without a row: " (report.ids_unmatched) }
                @for table in &report.tables {
                    dt { "Table " (table.name) }
                    dd {
                        (table.rows_read) " rows read, " (table.rows_kept) " kept, of " (table.units) " units, " (table.rows_cut) " cut, "
                        (table.rows_excluded) " of units that withdrew"
                    }
                }
                @for (table, rows) in &report.unjoined { dt { "Without a row in " (table) } dd { (rows) " rows" } }
            }
            ul { @for note in report.notes() { li { (note) } } }
            div.scroll tabindex="0" role="region" aria-label="What sealing changed" {
                table {
                    caption.visually-hidden { "What sealing changed, by column" }
                    thead { tr {
                        th scope="col" { "Column" } th.number scope="col" { "Missing" } th.number scope="col" { "Clamped" }
                        th.number scope="col" { "Unlisted" }
                    } }
                    tbody {
                        @for (name, counts) in named() {
                            tr {
                                th scope="row" { code { (name) } }
                                td.number { (counts.nulls) } td.number { (counts.clamped) } td.number { (counts.unlisted) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The number of values shown before they are folded away.
const VALUES_SHOWN: usize = 12;
/// The largest number of values of which all are listed.
const VALUES_LISTED: usize = 10_000;

fn domain(domain: &Domain) -> Markup {
    match domain {
        Domain::Category(values) if values.len() > VALUES_LISTED => html! {
            (values.len()) " values, the first of them " (values[..VALUES_SHOWN].join(", "))
        },
        Domain::Category(values) if values.len() > VALUES_SHOWN => html! {
            details { summary { (values.len()) " values" } (values.join(", ")) }
        },
        Domain::Category(values) => html! { (values.join(", ")) },
        Domain::Boolean => html! { "true, false" },
        Domain::Text { values_max, groups_per_unit } => html! {
            "no public list: at most " (values_max) " texts; each unit counts in at most " (groups_per_unit) " groups"
        },
        Domain::Number(_) | Domain::Date { .. } => match domain.bounds() {
            Some((min, max)) => html! { (min) " to " (max) },
            None => html! {},
        },
    }
}

/// The names of columns, with the values that each can hold.
#[must_use]
pub fn names(columns: &[Column]) -> Markup {
    html! {
        ul {
            @for column in columns {
                li { code { (column.name) } " " small { (column.domain.type_name()) ": " (short(&column.domain)) } }
            }
        }
    }
}

fn short(domain: &Domain) -> String {
    const VALUES: usize = 6;
    match domain {
        Domain::Category(values) if values.len() > VALUES => format!("{}, …", values[..VALUES].join(", ")),
        Domain::Category(values) => values.join(", "),
        Domain::Boolean => "true, false".to_owned(),
        Domain::Text { .. } => "no public list".to_owned(),
        Domain::Number(_) | Domain::Date { .. } => {
            domain.bounds().map_or_else(String::new, |(min, max)| format!("{min} to {max}"))
        }
    }
}
