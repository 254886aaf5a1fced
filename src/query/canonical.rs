//! The canonical SQL of a plan: what was understood, in our own words.
//!
//! Promises text that reads back to the same computation and the same outputs.

use super::answer::{Layout, OutputValue};
use super::filter::{Filter, stored_bounds};
use super::plan::{Measure, Plan};
use crate::dataset::domain::{Domain, date_text};
use crate::dataset::policy::{Terms, is_identifier};

/// Words that PostgreSQL reserves, and those that begin another kind of expression: as names they are quoted.
const RESERVED: [&str; 97] = [
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "between",
    "binary",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "column",
    "constraint",
    "create",
    "cross",
    "current_date",
    "current_role",
    "current_time",
    "current_timestamp",
    "current_user",
    "date",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "exists",
    "extract",
    "false",
    "fetch",
    "for",
    "foreign",
    "from",
    "full",
    "grant",
    "group",
    "having",
    "in",
    "initially",
    "inner",
    "intersect",
    "interval",
    "into",
    "is",
    "isnull",
    "join",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "natural",
    "not",
    "notnull",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "overlaps",
    "placing",
    "primary",
    "references",
    "returning",
    "right",
    "row",
    "select",
    "similar",
    "some",
    "struct",
    "symmetric",
    "table",
    "then",
    "time",
    "timestamp",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "when",
    "where",
];

/// Writes the SQL of a plan.
#[must_use]
pub fn sql(plan: &Plan, terms: &Terms) -> String {
    let writer = Writer { plan, terms };
    let items: Vec<_> = (0..plan.layout.outputs.len()).map(|index| writer.item(index)).collect();
    let mut sql = format!("SELECT {} FROM {}", items.join(", "), identifier(&plan.dataset));
    if let Some(filter) = &plan.computation.filter {
        sql.push_str(&format!(" WHERE {}", writer.filter(filter, false)));
    }
    if !plan.computation.keys.is_empty() {
        let keys: Vec<_> = plan.computation.keys.iter().map(|key| writer.column(key.column)).collect();
        sql.push_str(&format!(" GROUP BY {}", keys.join(", ")));
    }
    sql.push_str(&order(&plan.layout));
    sql
}

fn order(layout: &Layout) -> String {
    let one = |sort: &super::answer::Sort| {
        let direction = if sort.descending { " DESC" } else { "" };
        let nulls = match (sort.nulls_first, sort.descending) {
            (true, false) => " NULLS FIRST",
            (false, true) => " NULLS LAST",
            (true, true) | (false, false) => "",
        };
        format!("{}{direction}{nulls}", identifier(&layout.outputs[sort.output].name))
    };
    let mut text = String::new();
    if !layout.order.is_empty() {
        text.push_str(&format!(" ORDER BY {}", layout.order.iter().map(one).collect::<Vec<_>>().join(", ")));
    }
    if let Some(limit) = layout.limit {
        text.push_str(&format!(" LIMIT {limit}"));
    }
    text
}

fn identifier(name: &str) -> String {
    if is_identifier(name) && !RESERVED.contains(&name) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

struct Writer<'a> {
    plan: &'a Plan,
    terms: &'a Terms,
}

impl Writer<'_> {
    fn item(&self, index: usize) -> String {
        let output = &self.plan.layout.outputs[index];
        let (text, default) = match output.value {
            OutputValue::Key { index } => {
                let column = self.plan.computation.keys[index].column;
                (self.column(column), self.terms.columns[column].name.as_str())
            }
            OutputValue::Count { count } => (self.count(count), "count"),
            OutputValue::Sum { sum, .. } => (format!("SUM({})", self.summed(sum)), "sum"),
            OutputValue::Mean { sum, .. } => (format!("AVG({})", self.summed(sum)), "avg"),
        };
        if output.name == default { text } else { format!("{text} AS {}", identifier(&output.name)) }
    }

    fn count(&self, measure: usize) -> String {
        match self.plan.computation.measures[measure] {
            Measure::NonNull { column } => format!("COUNT({})", self.column(column)),
            Measure::Units => format!("COUNT(DISTINCT {})", identifier(self.terms.unit_column().unwrap_or("row"))),
            Measure::Rows | Measure::Sum { .. } => "COUNT(*)".to_owned(),
        }
    }

    fn summed(&self, measure: usize) -> String {
        match self.plan.computation.measures[measure] {
            Measure::Sum { column } | Measure::NonNull { column } => self.column(column),
            Measure::Rows | Measure::Units => "*".to_owned(),
        }
    }

    fn column(&self, index: usize) -> String {
        identifier(&self.terms.columns[index].name)
    }

    fn filter(&self, filter: &Filter, nested: bool) -> String {
        match filter {
            Filter::Range { column, low, high } => self.range(*column, *low, *high),
            Filter::Members { column, codes } => self.members(*column, codes),
            Filter::Values { column, values } => {
                let list: Vec<_> = values.iter().map(|value| self.value(*column, *value)).collect();
                format!("{} IN ({})", self.column(*column), list.join(", "))
            }
            Filter::Missing { column } => format!("{} IS NULL", self.column(*column)),
            Filter::Not(inner) => match inner.as_ref() {
                Filter::Missing { column } => format!("{} IS NOT NULL", self.column(*column)),
                Filter::Members { column, codes } => self.not_members(*column, codes),
                Filter::Values { column, values } => {
                    let list: Vec<_> = values.iter().map(|value| self.value(*column, *value)).collect();
                    format!("{} NOT IN ({})", self.column(*column), list.join(", "))
                }
                Filter::Range { column, low, high } if low == high => {
                    format!("{} <> {}", self.column(*column), self.value(*column, *low))
                }
                other => format!("NOT ({})", self.filter(other, false)),
            },
            Filter::All(parts) => self.chain(parts, " AND ", nested),
            Filter::Any(parts) => self.chain(parts, " OR ", nested),
        }
    }

    fn chain(&self, parts: &[Filter], connective: &str, nested: bool) -> String {
        let parts: Vec<_> = parts.iter().map(|part| self.filter(part, true)).collect();
        let text = parts.join(connective);
        if nested { format!("({text})") } else { text }
    }

    /// A stored integer of an ordered column as a literal.
    fn value(&self, index: usize, stored: i64) -> String {
        match &self.terms.columns[index].domain {
            Domain::Number(grid) => grid.text(i128::from(stored) + i128::from(grid.centre())),
            Domain::Date { .. } => format!("DATE {}", quoted(&date_text(i32::try_from(stored).unwrap_or_default()))),
            Domain::Category(_) | Domain::Boolean => stored.to_string(),
        }
    }

    fn range(&self, index: usize, low: i64, high: i64) -> String {
        let (least, greatest) = stored_bounds(&self.terms.columns[index].domain);
        let name = self.column(index);
        let value = |stored: i64| self.value(index, stored);
        if low > high {
            format!("{name} < {}", value(least))
        } else if low == high {
            format!("{name} = {}", value(low))
        } else if low == least && high < greatest {
            format!("{name} <= {}", value(high))
        } else if high == greatest && low > least {
            format!("{name} >= {}", value(low))
        } else {
            format!("{name} BETWEEN {} AND {}", value(low), value(high))
        }
    }

    fn not_members(&self, index: usize, codes: &[u32]) -> String {
        let text = self.members(index, codes);
        match codes {
            [_] => text.replacen(" = ", " <> ", 1),
            _ => text.replacen(" IN (", " NOT IN (", 1),
        }
    }

    fn members(&self, index: usize, codes: &[u32]) -> String {
        let column = &self.terms.columns[index];
        let labels = column.domain.labels().unwrap_or_default();
        let boolean = column.domain == Domain::Boolean;
        let label = |code: &u32| {
            let label = labels.get(*code as usize).map_or("", String::as_str);
            if boolean { label.to_uppercase() } else { quoted(label) }
        };
        match codes {
            [one] => format!("{} = {}", self.column(index), label(one)),
            many => {
                let list: Vec<_> = many.iter().map(label).collect();
                format!("{} IN ({})", self.column(index), list.join(", "))
            }
        }
    }
}
