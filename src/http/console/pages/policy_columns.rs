//! The columns of a policy as a table, with what they cost, and the form that changes one of them.

use std::collections::HashSet;

use maud::{Markup, html};

use crate::query::terms::domain::{Column, Domain};
use crate::query::terms::policy::editing::{ColumnFields, ColumnPlace, DeclaredColumn, columns_in};
use crate::query::terms::policy::{Policy, PolicyFault, SEEN};
use crate::render::reading::number;
use crate::service::asking::costs::{ColumnCost, PolicyCosts};

/// The id of the form that holds the text; buttons elsewhere on the page belong to it.
pub(super) const FORM: &str = "policy";

/// A column that is being changed.
pub struct ColumnForm {
    /// Where it stands in the text.
    pub place: ColumnPlace,
    /// What its fields hold.
    pub fields: ColumnFields,
}

/// The types of columns, each with what it is for.
const TYPES: [(&str, &str); 6] = [
    ("category", "one of a list of values"),
    ("decimal", "a number with decimals"),
    ("integer", "a whole number"),
    ("boolean", "true or false"),
    ("date", "a day"),
    ("text", "text without a public list"),
];

impl ColumnForm {
    /// The form for the column at a place of a text; `None` if there is no such column.
    #[must_use]
    pub fn of(text: &str, place: &str) -> Option<Self> {
        let place = place.parse().ok()?;
        let column = columns_in(text)?.into_iter().find(|column| column.place == place)?;
        Some(Self { place, fields: column.fields })
    }
}

/// The fields of a column, which are a part of the form that holds the text.
#[must_use]
pub fn form(column: &ColumnForm) -> Markup {
    let fields = &column.fields;
    let text = |label: &str, name: &str, value: &str| {
        html! { label { (label) input type="text" name=(name) value=(value) autocapitalize="off" spellcheck="false"; } }
    };
    let labels: Vec<String> = fields.labels.iter().map(|(text, value)| format!("{text} = {value}")).collect();
    html! {
        fieldset #column {
            legend { "The column " (fields.name) }
            input type="hidden" name="column" value=(column.place);
            div.filters {
                (text("Name in SQL", "c_name", &fields.name))
                (text("Title, for people to read", "c_title", &fields.title))
                label { "Type"
                    select name="c_type" {
                        @for (name, words) in TYPES { option value=(name) selected[name == fields.r#type] { (name) ": " (words) } }
                    }
                }
                (text("Least value or first day", "c_min", &fields.min))
                (text("Greatest value or last day", "c_max", &fields.max))
                (text("Step of a number, like 0.01", "c_step", &fields.step))
                (text("How days are written in the file, like %d/%m/%Y", "c_format", &fields.format))
                (text("Largest number of different texts", "c_max_values", &fields.max_values))
                (text("Values from a public table, like regions.code", "c_values_from", &fields.values_from))
                label { "Values of a category, one on each line"
                    textarea name="c_values" rows="6" spellcheck="false" autocapitalize="off" { "\n" (fields.values.join("\n")) }
                }
                label { "What the file holds = the value that it means, one on each line"
                    textarea name="c_labels" rows="6" spellcheck="false" autocapitalize="off" { "\n" (labels.join("\n")) }
                }
                div {
                    label { input type="checkbox" name="c_per_unit" value="yes" checked[fields.per_unit]; "One value for each unit" }
                    label { input type="checkbox" name="c_nullable" value="yes" checked[fields.nullable]; "A value may be missing" }
                }
            }
            div.row {
                button.primary type="submit" name="do" value="put" formaction="/policy#text" { "Put into the text" }
                button type="submit" name="do" value="close" { "Close" }
                small { "What another type has is taken out of the text; comments stay." }
            }
        }
    }
}

/// The columns that a text declares. `valid` holds the policy and what its columns cost, once it has no faults.
#[must_use]
pub fn table(declared: &[DeclaredColumn], faults: &[PolicyFault], valid: Option<(&Policy, &PolicyCosts)>) -> Markup {
    html! {
        @if !declared.is_empty() {
            section {
                h2 { "Its columns" }
                @match valid {
                    None => { p.muted { "What each of them costs is shown once the policy has no faults." } }
                    Some((policy, costs)) => { (costs_words(policy, costs)) }
                }
                div.scroll tabindex="0" role="region" aria-label="Columns with what they cost" {
                    table.stacked.declared {
                        caption.visually-hidden { "Columns, what they may hold, and what they cost" }
                        thead { tr {
                            th scope="col" { "Column" } th scope="col" { "Type" } th scope="col" { "What it may hold" }
                            @if valid.is_some() {
                                th.amount scope="col" { "Values" } th.amount scope="col" { "A count by it" }
                                th.amount scope="col" { "Its sum" } th.amount scope="col" { "Its mean" }
                                th.amount scope="col" { "One unit moves its sum" }
                            }
                            th scope="col" { span.visually-hidden { "Change" } }
                        } }
                        tbody { @for column in declared { (line(column, faults, valid)) } }
                    }
                }
                @if let Some((_, costs)) = valid {
                    @if costs.left_out > 0 { p.muted { "The costs of " (costs.left_out) " further columns are not shown." } }
                }
            }
        }
    }
}

/// What the numbers of the table are.
fn costs_words(policy: &Policy, costs: &PolicyCosts) -> Markup {
    html! {
        p {
            "The costs are the errors of a question at epsilon " (costs.epsilon) ": 95 of 100 answers are off by at most so much. A mean is expected over "
            (number(costs.rows as f64, None)) " rows, "
            @if costs.is_declared { "which the policy states as " code { "about_rows" } "." }
            @else { "as the policy does not state " code { "about_rows" } "." }
            " The last column is rows of a " code { (policy.terms.unit.name()) } " × half of the range: noise grows with it."
        }
    }
}

fn line(column: &DeclaredColumn, faults: &[PolicyFault], valid: Option<(&Policy, &PolicyCosts)>) -> Markup {
    let (fields, (first, last)) = (&column.fields, column.lines);
    let faults = faults.iter().filter(|fault| (first..=last).contains(&fault.line)).count();
    let error = |label: &str, width: Option<f64>| {
        html! {
            @match width {
                Some(width) => { td.amount data-label=(label) { "± " (number(width, Some(width))) } }
                None => { td.amount { } }
            }
        }
    };
    html! {
        tr {
            th scope="row" {
                code { @if !column.table.is_empty() { (column.table) "." } (fields.name) }
                @if !fields.title.is_empty() { br; small { (fields.title) } }
            }
            td { (fields.r#type) }
            td { (holds(fields)) (marks(fields, faults)) }
            @if let Some((policy, costs)) = valid {
                @let known = known(policy, column);
                @let cost = costs.columns.iter().find(|cost| cost.table == column.table && cost.name == fields.name);
                (count(known))
                (error("A count by it", cost.and_then(|cost| cost.count)))
                (error("Its sum", cost.and_then(|cost| cost.sum)))
                (error("Its mean", cost.and_then(|cost| cost.mean)))
                (moves(cost))
            }
            td {
                button.insert type="submit" form=(FORM) name="edit" value=(column.place) formaction="/policy#column"
                    aria-label={ "Change " (fields.name) } { "Change" }
            }
        }
    }
}

fn moves(cost: Option<&ColumnCost>) -> Markup {
    html! {
        @match cost.and_then(|cost| cost.sensitivity) {
            Some(most) => { td.amount data-label="One unit moves its sum" { (number(most, None)) } }
            None => { td.amount { } }
        }
    }
}

/// How many different values a column can hold.
fn count(known: Option<&Column>) -> Markup {
    let Some(column) = known else { return html! { td.amount { } } };
    let values = match &column.domain {
        Domain::Category(labels) => labels.len() as f64,
        Domain::Boolean => 2.0,
        Domain::Number(grid) => (i128::from(grid.high) - i128::from(grid.low) + 1) as f64,
        Domain::Date { min, max } => f64::from(*max) - f64::from(*min) + 1.0,
        Domain::Text { values_max, .. } => f64::from(*values_max),
    };
    let is_bound = matches!(column.domain, Domain::Text { .. });
    html! { td.amount data-label="Values" { @if is_bound { "at most " } (number(values, None)) } }
}

/// The column of a checked policy that the text declares.
fn known<'a>(policy: &'a Policy, column: &DeclaredColumn) -> Option<&'a Column> {
    let terms = &policy.terms;
    let several = terms.tables.iter().find(|table| table.name == column.table).map(|table| &table.columns[..]);
    let joined = terms.joins.iter().find(|join| join.name == column.table).map(|join| &terms.columns[join.places()]);
    let own = column.table.is_empty().then(|| terms.own());
    several.or(joined).or(own)?.iter().find(|known| known.name == column.fields.name)
}

/// The number of values of a list that are shown.
const VALUES_SHOWN: usize = 6;

/// What a column may hold, as the text declares it.
fn holds(fields: &ColumnFields) -> Markup {
    let mut seen = HashSet::new();
    let labelled = fields.labels.iter().map(|(_, value)| value).filter(|value| seen.insert(value.as_str()));
    let values: Vec<&String> = match fields.values.is_empty() {
        true => labelled.collect(),
        false => fields.values.iter().collect(),
    };
    html! {
        @if !fields.values_from.is_empty() { "the values of " code { (fields.values_from) } }
        @for (at, value) in values.iter().take(VALUES_SHOWN).enumerate() { @if at > 0 { ", " } (value) }
        @if values.len() > VALUES_SHOWN { " and " (values.len() - VALUES_SHOWN) " more" }
        @if !fields.min.is_empty() || !fields.max.is_empty() { (fields.min) " to " (fields.max) }
        @if !fields.step.is_empty() { ", in steps of " (fields.step) }
    }
}

/// What else there is to say of a column.
fn marks(fields: &ColumnFields, faults: usize) -> Markup {
    let lists = fields.values.iter().chain(fields.labels.iter().map(|(_, value)| value));
    let is_seen = lists.chain([&fields.min, &fields.max]).any(|value| value.starts_with(SEEN));
    html! {
        @if fields.per_unit { " " span.badge { "one value per unit" } }
        @if fields.nullable { " " span.badge { "may be missing" } }
        @if is_seen { " " span.badge.warn { "seen in the data" } }
        @if faults > 0 { " " span.badge.bad { (faults) @if faults == 1 { " fault" } @else { " faults" } } }
    }
}
