//! How a policy says that the values of a column are read.
//!
//! Promises that no text can be read in two ways: a mark of a missing value is not a listed value, a labelled text stands for a single
//! value, and no word means both true and false.

use std::collections::HashSet;
use std::ops::Range;

use toml::Spanned;

use super::column_table::ColumnTable;
use super::faults::PolicyFaults;
use super::names::{SEEN_HINT, is_seen};
use super::typical::typical;
use crate::query::terms::day::is_format;
use crate::query::terms::domain::Domain;
use crate::query::terms::reading::Rules;

/// The largest number of marks of missing values, of labels, and of words for true and for false.
const WORDS_MAX: usize = 10_000;

/// Checks the rules of one column, and adds its dataset's marks of missing values to its own.
pub(super) fn rules(table: &ColumnTable, domain: &Domain, missing: &[String], faults: &mut PolicyFaults<'_>) -> Rules {
    misplaced(table, faults);
    let own = table.missing.as_ref().map(|given| given.get_ref().clone()).unwrap_or_default();
    let (yes, no) = words(table, faults);
    let rules = Rules {
        source: table.source.as_ref().map(|given| given.get_ref().clone()),
        missing: own.iter().chain(missing).map(|mark| mark.trim().to_owned()).collect(),
        format: table.format.as_ref().map(|given| given.get_ref().clone()),
        yes,
        no,
        labels: labels(table),
        multiline: table.multiline.as_ref().is_some_and(|given| *given.get_ref()),
        stated: table.typical.as_ref().and_then(|given| typical(given, (domain, table.nullable), faults)),
    };
    if let Some(given) = table.source.as_ref().filter(|given| given.get_ref().trim().is_empty()) {
        faults.add(given.span(), "source is empty; it is the column's name in the file, like \"Date of Birth\"");
    }
    if let Some(given) = table.format.as_ref().filter(|given| !is_format(given.get_ref())) {
        let shown = given.get_ref();
        faults.add(
            given.span(),
            format!(
                "format \"{shown}\" does not name a day; write year, month and day as strptime does, like \"%d/%m/%Y\""
            ),
        );
    }
    check_labels(table, domain, &rules, faults);
    check_missing(table, domain, &rules, faults);
    rules
}

/// Reports keys that belong to columns of another type.
fn misplaced(table: &ColumnTable, faults: &mut PolicyFaults<'_>) {
    let kind = table.r#type.get_ref().as_str();
    let given: [(&str, &str, Option<Range<usize>>); 5] = [
        ("format", "date", table.format.as_ref().map(Spanned::span)),
        ("true", "boolean", table.yes.as_ref().map(Spanned::span)),
        ("false", "boolean", table.no.as_ref().map(Spanned::span)),
        ("labels", "category", table.labels.as_ref().map(Spanned::span)),
        ("multiline", "text", table.multiline.as_ref().map(Spanned::span)),
    ];
    for (key, wanted, place) in given {
        if let Some(place) = place.filter(|_| kind != wanted) {
            faults.add(place, format!("{key} is for a column of type {wanted}; remove it"));
        }
    }
}

/// The words for true and for false: both lists are given, or neither.
fn words(table: &ColumnTable, faults: &mut PolicyFaults<'_>) -> (Vec<String>, Vec<String>) {
    let list = |given: &Option<Spanned<Vec<String>>>| -> Vec<String> {
        given.iter().flat_map(|given| given.get_ref()).map(|word| word.trim().to_owned()).collect()
    };
    let (yes, no) = (list(&table.yes), list(&table.no));
    let place = table.yes.as_ref().or(table.no.as_ref()).map(Spanned::span);
    if let Some(place) = place {
        if yes.is_empty() || no.is_empty() {
            faults.add(place, "true and false go together, like true = [\"Y\"] and false = [\"N\"]");
        } else if let Some(word) = yes.iter().find(|word| no.contains(word)) {
            faults.add(place, format!("\"{word}\" is listed as true and as false"));
        }
    }
    (yes, no)
}

fn labels(table: &ColumnTable) -> Vec<(String, String)> {
    let pairs = table.labels.iter().flat_map(|given| given.get_ref());
    pairs.filter_map(|(text, value)| Some((text.trim().to_owned(), value.as_str()?.trim().to_owned()))).collect()
}

/// The values of a category that has labels but no list of values, in the order of the labels.
pub(super) fn labelled_values(table: &ColumnTable) -> Option<Vec<String>> {
    table.labels.as_ref()?;
    let mut seen = HashSet::new();
    Some(labels(table).into_iter().map(|(_, value)| value).filter(|value| seen.insert(value.clone())).collect())
}

fn check_labels(table: &ColumnTable, domain: &Domain, rules: &Rules, faults: &mut PolicyFaults<'_>) {
    let (Some(given), Domain::Category(values)) = (&table.labels, domain) else { return };
    let listed: HashSet<&str> = values.iter().map(|value| value.trim()).collect();
    let mut seen = HashSet::new();
    for (text, value) in given.get_ref() {
        let fault = match value.as_str().map(str::trim) {
            _ if !seen.insert(text.trim()) => format!("label \"{text}\" is given twice, apart from blanks around it"),
            None => format!(
                "the value of label \"{text}\" is not a text; write it like {{ \"0\" = \"no\", \"1\" = \"yes\" }}"
            ),
            Some(value) if is_seen(value) => format!("\"{value}\" is a draft's: {}", SEEN_HINT),
            Some(value) if !listed.contains(value) => {
                format!("label \"{text}\" means \"{value}\", which is not among the values")
            }
            Some(value) if listed.contains(text.trim()) && text.trim() != value => {
                format!(
                    "\"{text}\" is itself a value, and is also labelled as \"{value}\"; it can mean only one of them"
                )
            }
            Some(_) => continue,
        };
        faults.add(given.span(), fault);
    }
    if rules.labels.len() > WORDS_MAX {
        faults.add(given.span(), format!("{} labels; accepted are at most {WORDS_MAX}", rules.labels.len()));
    }
}

/// Checks that a text which means a missing value means nothing else.
fn check_missing(table: &ColumnTable, domain: &Domain, rules: &Rules, faults: &mut PolicyFaults<'_>) {
    let listed: HashSet<&str> = match domain {
        Domain::Category(values) => values.iter().map(|value| value.trim()).collect(),
        Domain::Boolean | Domain::Number(_) | Domain::Date { .. } | Domain::Text { .. } => HashSet::new(),
    };
    let words = rules.labels.iter().map(|(text, _)| text).chain(&rules.yes).chain(&rules.no);
    let listed: HashSet<&str> = listed.into_iter().chain(words.map(String::as_str)).collect();
    let place = table.missing.as_ref().map_or_else(|| table.name.span(), Spanned::span);
    if let Some(mark) = rules.missing.iter().find(|mark| listed.contains(mark.as_str())) {
        faults.add(place.clone(), format!("\"{mark}\" means a missing value, and is listed as a value of this column"));
    }
    if rules.missing.len() > WORDS_MAX {
        faults.add(place, format!("{} marks of missing values; accepted are at most {WORDS_MAX}", rules.missing.len()));
    }
}
