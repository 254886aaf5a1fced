//! A table as samples in the text format of Prometheus: a gauge for each output, and two for the ends of its interval.
//!
//! Promises that a sample without a value is left out; that names of metrics and labels are valid whatever columns are called; and that two
//! columns or statistics never make the same sample, because `statistic` and `output` are labels of each.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::columns::float;
use super::reading::key;
use crate::query::answer::Table;

/// Begins the names of all metrics.
const PREFIX: &str = "tacit_published_";
/// The largest number of rows of a statistic that are shown; a longer one is left out, because it is a table and no measurement.
pub const ROWS_MAX: usize = 1_000;

/// The samples of a statistic, one in a line; `None` for a table with more than [`ROWS_MAX`] rows.
#[must_use]
pub fn lines(statistic: &str, table: &Table) -> Option<String> {
    if table.rows.len() > ROWS_MAX {
        return None;
    }
    let mut lines = String::new();
    let at = |name: &str| table.names.iter().position(|known| known == name);
    let (keys, outputs): (Vec<_>, Vec<_>) = table.columns.iter().partition(|column| column.kind.is_key());
    let keys: Vec<_> = keys.iter().filter_map(|column| Some((column.name.as_str(), at(&column.name)?))).collect();
    let labels = label_names(keys.iter().map(|(name, _)| *name));
    for row in &table.rows {
        let keys: String =
            keys.iter().zip(&labels).map(|((_, place), name)| labelled(name, &key(&row[*place]))).collect();
        for output in &outputs {
            for end in ["", "_low", "_high"] {
                let place = at(&format!("{}{end}", output.name));
                if let Some(value) = place.and_then(|place| float(&row[place])) {
                    let (metric, of) = (named(&output.name), labelled("output", &output.name));
                    // Writing to a string does not fail.
                    let _ = writeln!(
                        lines,
                        "{PREFIX}{metric}{end}{{statistic=\"{}\"{of}{keys}}} {value}",
                        escaped(statistic)
                    );
                }
            }
        }
    }
    Some(lines)
}

/// Puts the samples of several statistics together: each metric with its description, and all of its samples below it.
#[must_use]
pub fn together<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut metrics: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in parts.into_iter().flat_map(str::lines) {
        let name = line.split('{').next().unwrap_or_default();
        metrics.entry(name).or_default().push(line);
    }
    let mut text = String::new();
    for (name, lines) in metrics {
        let _ = writeln!(text, "# HELP {name} A published statistic; _low and _high are the ends of its 95 % interval");
        let _ = writeln!(text, "# TYPE {name} gauge\n{}", lines.join("\n"));
    }
    text
}

/// The names of labels for keys: valid, different from each other, and different from our own labels.
fn label_names<'a>(keys: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<String> = vec!["statistic".to_owned(), "output".to_owned()];
    for key in keys {
        let plain = named(key);
        // A name that begins with two underscores, or with a digit, is not a label of ours.
        let is_free = plain.starts_with(|first: char| first.is_ascii_alphabetic());
        let mut name = if is_free { plain } else { format!("key_{}", plain.trim_start_matches('_')) };
        while names.contains(&name) {
            name.push('_');
        }
        names.push(name);
    }
    names.split_off(2)
}

/// A column's name with an underscore for each character that names of metrics do not have.
fn named(column: &str) -> String {
    column.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect()
}

fn labelled(name: &str, value: &str) -> String {
    format!(",{name}=\"{}\"", escaped(value))
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::answer::{Cell, ColumnInfo, ColumnKind};

    fn table(key: &str, output: &str, rows: &[(&str, Option<f64>)]) -> Table {
        let column = |name: &str, kind| ColumnInfo { name: name.to_owned(), kind, bounds: None, remarks: &[] };
        let value = |number: Option<f64>| number.map_or(Cell::Missing, Cell::Float);
        let row = |(label, number): &(&str, Option<f64>)| {
            vec![
                Cell::Text((*label).to_owned()),
                value(*number),
                value(number.map(|number| number - 1.0)),
                value(number.map(|number| number + 1.0)),
            ]
        };
        let names = ["", "", "_low", "_high"].map(|end| format!("{output}{end}"));
        let mut names = names.to_vec();
        names[0] = key.to_owned();
        let kinds = vec![ColumnKind::Key, ColumnKind::Formula, ColumnKind::Formula, ColumnKind::Formula];
        let columns = vec![column(key, ColumnKind::Key), column(output, ColumnKind::Formula)];
        Table { columns, plain: names.len(), names, kinds, rows: rows.iter().map(row).collect() }
    }

    #[test]
    fn each_output_is_a_gauge_with_the_ends_of_its_interval() {
        let told = lines("by-region", &table("home region", "n", &[("north", Some(5.5)), ("so\"uth", None)]));
        let told = told.expect("samples");
        let sample = "{statistic=\"by-region\",output=\"n\",home_region=\"north\"}";
        let wanted = format!(
            "tacit_published_n{sample} 5.5\ntacit_published_n_low{sample} 4.5\ntacit_published_n_high{sample} 6.5\n"
        );
        assert_eq!(told, wanted, "what has no value is left out");
        let other = lines("other", &table("a", "n", &[("x", Some(1.0))])).expect("samples");
        let whole = together([told.as_str(), &other]);
        assert_eq!(whole.matches("# TYPE tacit_published_n gauge\n").count(), 1, "{whole}");
        let place = |text: &str| whole.find(text).expect("a line");
        assert!(place("statistic=\"other\"") < place("# TYPE tacit_published_n_high"), "a metric stands in one piece");
    }

    #[test]
    fn names_are_valid_and_never_clash() {
        let names = label_names(["a b", "a_b", "statistic", "1st", "__name__", "Ärzte"].into_iter());
        assert_eq!(names, ["a_b", "a_b_", "statistic_", "key_1st", "key_name__", "key_rzte"]);
        let long = vec![("x", Some(1.0)); ROWS_MAX + 1];
        assert_eq!(lines("long", &table("a", "n", &long)), None);
        assert_eq!(together([""]), "");
    }
}
