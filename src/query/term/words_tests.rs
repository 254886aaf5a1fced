//! Functions of texts and days and truth tests: each form is planned, its canonical text is the same plan, and its values are PostgreSQL's.

#[path = "words_tests/days_tests.rs"]
mod days;

use std::collections::BTreeMap;

use crate::query::answer::Label;
use crate::query::canonical;
use crate::query::error::QueryError;
use crate::query::filter::Filter;
use crate::query::parse::parse;
use crate::query::plan::{Plan, plan};
use crate::query::term::context::TermContext;
use crate::query::term::lower::{Program, Step, ValueKind};
use crate::query::term::{Term, coding};
use crate::query::terms::domain::{Domain, date_days, date_text};
use crate::query::terms::policy::{Policy, Terms};

const POLICY: &str = r#"
[dataset]
name = "d"
source = "d.csv"
privacy_unit = "patient"
max_rows = 1000
max_rows_per_unit = 4
cap = { epsilon = "1" }
accountant = "pure"
[[column]]
name = "region"
type = "category"
values = ["north", "North", "south", "Süd"]
nullable = true
[[column]]
name = "home"
type = "category"
values = ["south", "west", "north"]
nullable = true
[[column]]
name = "icd"
type = "category"
values = ["E10.1", "E11.9", "I10", "J44.0"]
[[column]]
name = "smoker"
type = "boolean"
nullable = true
[[column]]
name = "treated"
type = "boolean"
[[column]]
name = "age"
type = "integer"
min = "0"
max = "120"
nullable = true
[[column]]
name = "visited"
type = "date"
min = "2020-02-29"
max = "2025-12-31"
nullable = true
[[column]]
name = "entered"
type = "date"
min = "1950-01-01"
max = "2025-12-31"
[[column]]
name = "drug"
type = "text"
max_values = 100
max_groups_per_unit = 2
"#;

fn terms() -> Terms {
    Policy::parse(POLICY).unwrap_or_else(|faults| panic!("{faults:?}")).terms
}

fn planned(sql: &str, terms: &Terms) -> Result<Plan, QueryError> {
    let first = parse(sql).and_then(|query| plan(&query, terms, None))?;
    let text = canonical::sql(&first, terms);
    let again = parse(&text).and_then(|query| plan(&query, terms, None));
    let again = again.unwrap_or_else(|error| panic!("{sql}\n{text}\n{error}"));
    assert_eq!(again.computation, first.computation, "{sql}\n{text}");
    assert_eq!(canonical::sql(&again, terms), text, "{sql}");
    Ok(first)
}

/// A row: what is not named is missing, or the first value where nothing may be missing.
type Row<'a> = BTreeMap<&'a str, &'a str>;

fn stored(terms: &Terms, place: usize, row: &Row<'_>) -> Option<i64> {
    let column = &terms.columns[place];
    let first = (!column.nullable).then_some(0);
    let Some(text) = row.get(column.name.as_str()) else { return first };
    Some(match &column.domain {
        Domain::Category(_) | Domain::Boolean => column.domain.code(text).expect("a label").into(),
        Domain::Date { .. } => date_days(text).expect("a day").into(),
        Domain::Number(grid) => text.parse::<i64>().expect("a number") - grid.centre(),
        Domain::Text { .. } => panic!("no text is read"),
    })
}

fn value(step: &Step, known: &TermContext<'_>, row: &Row<'_>) -> Option<i64> {
    let of = |step: &Step| value(step, known, row);
    match step {
        Step::Stored(place) => stored(known, *place, row),
        Step::Constant(value) => Some(*value),
        Step::Plus(parts) => parts.iter().map(|(part, by)| of(part).map(|value| value * by)).sum(),
        Step::Times(parts) => parts.iter().map(of).product(),
        Step::Least(parts) => parts.iter().filter_map(of).min(),
        Step::Greatest(parts) => parts.iter().filter_map(of).max(),
        Step::Filled(part, with) => Some(of(part).unwrap_or(*with)),
        Step::Case(whens, otherwise) => match whens.iter().find(|(when, _)| truth(when, known, row) == Some(true)) {
            Some((_, then)) => of(then),
            None => otherwise.as_ref().and_then(|otherwise| of(otherwise)),
        },
        Step::Truth(filter) => truth(filter, known, row).map(i64::from),
        Step::Apply(function, part) => of(part).map(|value| function.apply(value)),
    }
}

fn truth(filter: &Filter, known: &TermContext<'_>, row: &Row<'_>) -> Option<bool> {
    let of = |term: &Term| {
        let program = (*known.lower(term).expect("a program")).clone();
        value(&program.stored().expect("a stored form"), known, row)
    };
    match filter {
        Filter::Range { column, low, high } => of(column).map(|value| (*low..=*high).contains(&value)),
        Filter::Members { column, codes } => of(column).map(|value| codes.iter().any(|code| i64::from(*code) == value)),
        Filter::Values { column, values } => of(column).map(|value| values.contains(&value)),
        Filter::Missing { column } => Some(of(column).is_none()),
        Filter::Not(inner) => truth(inner, known, row).map(|truth| !truth),
        Filter::All(parts) => {
            let parts: Vec<_> = parts.iter().map(|part| truth(part, known, row)).collect();
            if parts.contains(&Some(false)) { Some(false) } else { (!parts.contains(&None)).then_some(true) }
        }
        Filter::Any(parts) => {
            let parts: Vec<_> = parts.iter().map(|part| truth(part, known, row)).collect();
            if parts.contains(&Some(true)) { Some(true) } else { (!parts.contains(&None)).then_some(false) }
        }
    }
}

fn shown(program: &Program, value: i64) -> String {
    assert!((program.low..=program.high).contains(&value), "{value} lies out of the bounds of {program:?}");
    match &program.kind {
        ValueKind::Category(labels) => labels[usize::try_from(value).expect("a code")].clone(),
        ValueKind::Boolean => (value == 1).to_string(),
        ValueKind::Date => date_text(i32::try_from(value).expect("a day")),
        ValueKind::Integer | ValueKind::Decimal => {
            assert!(program.scale.is_one());
            value.to_string()
        }
    }
}

fn text_of(label: &Label) -> String {
    label.as_text().unwrap_or_else(|| panic!("{label:?} is no text")).into_owned()
}

/// The value of a key of a row, as text; "NULL" if it is missing.
#[track_caller]
fn check(expression: &str, row: &[(&str, &str)], wanted: &str) {
    let terms = terms();
    let plan = planned(&format!("SELECT {expression} AS it, COUNT(*) FROM d GROUP BY {expression}"), &terms)
        .unwrap_or_else(|error| panic!("{expression}: {error}, {:?}", error.hint));
    let known = TermContext::of(&terms);
    let program = known.lower(&plan.computation.keys[0].column).expect("a program");
    let row = row.iter().copied().collect();
    let found = value(&program.step, &known, &row);
    assert!(found.is_some() || program.nullable, "{expression} is not nullable");
    assert_eq!(found.map_or("NULL".to_owned(), |value| shown(&program, value)), wanted, "{expression} of {row:?}");
}

/// The truth of a condition for a row; `None` is unknown, which only a NOT can show.
#[track_caller]
fn holds(condition: &str, row: &[(&str, &str)], wanted: Option<bool>) {
    let terms = terms();
    let known = TermContext::of(&terms);
    let row = row.iter().copied().collect();
    for (text, wanted) in [(condition.to_owned(), wanted), (format!("NOT ({condition})"), wanted.map(|truth| !truth))] {
        let plan = planned(&format!("SELECT COUNT(*) FROM d WHERE {text}"), &terms)
            .unwrap_or_else(|error| panic!("{text}: {error}, {:?}", error.hint));
        let found = plan.computation.filter.as_ref().map_or(Some(true), |filter| truth(filter, &known, &row));
        assert_eq!(found, wanted, "{text} of {row:?}: {:?}", plan.computation.filter);
    }
}

#[track_caller]
fn same(one: &str, other: &str) {
    let terms = terms();
    let of = |condition: &str| {
        planned(&format!("SELECT COUNT(*) FROM d WHERE {condition}"), &terms)
            .unwrap_or_else(|error| panic!("{condition}: {error}, {:?}", error.hint))
            .computation
    };
    assert_eq!(of(one), of(other), "{one}\n{other}");
}

#[track_caller]
fn refused(sql: &str, message: &str, hint: &str) {
    let error = planned(sql, &terms()).err().unwrap_or_else(|| panic!("{sql} is taken"));
    assert!(error.message.contains(message), "{sql}: {}", error.message);
    assert!(error.hint.as_deref().unwrap_or("").contains(hint), "{sql}: {:?}", error.hint);
}

#[test]
fn what_is_always_true_disappears() {
    let terms = terms();
    let none = planned("SELECT COUNT(*) FROM d", &terms).expect("a plan").computation;
    for condition in [
        "1 = 1",
        "TRUE",
        "'a' = 'a'",
        "NOT FALSE",
        "1 = 1 AND TRUE",
        "age > 3 OR TRUE",
        "DATE '2024-01-01' < DATE '2024-01-02'",
        "2 BETWEEN 1 AND 3",
        "'north' LIKE 'n%'",
        "1 IS NOT NULL",
        "10 / 3.0 > 3.3",
    ] {
        let of = planned(&format!("SELECT COUNT(*) FROM d WHERE {condition}"), &terms).expect(condition);
        assert_eq!(of.computation, none, "{condition}");
    }
    same("1 = 1 AND age > 30", "age > 30");
    same("1 = 0 OR age > 30", "age > 30");
    same("1 = 0", "FALSE");
    same("FALSE AND age > 30", "1 = 2");
    let filtered = planned("SELECT COUNT(*) FILTER (WHERE TRUE) FROM d", &terms).expect("a plan");
    assert_eq!(filtered.computation, none);
    holds("1 = 0", &[], Some(false));
    refused("SELECT COUNT(*) FROM d WHERE 'a' < 'b'", "cannot be compared", "");
    refused("SELECT COUNT(*) FROM d WHERE 1", "is not a condition", "TRUE");
    refused("SELECT COUNT(*) FROM d WHERE NULL", "never true", "FALSE");
    refused("SELECT COUNT(*) FROM d WHERE region <> NULL", "never true", "IS NOT NULL");
}

#[test]
fn truth_tests_have_two_values() {
    for (test, yes, no, unknown) in [
        ("smoker IS TRUE", true, false, false),
        ("smoker IS NOT TRUE", false, true, true),
        ("smoker IS FALSE", false, true, false),
        ("smoker IS NOT FALSE", true, false, true),
        ("smoker IS UNKNOWN", false, false, true),
        ("smoker IS NOT UNKNOWN", true, true, false),
        ("(age > 30) IS TRUE", true, false, false),
        ("(NOT age > 30) IS FALSE", true, false, false),
        ("(age > 30) IS UNKNOWN", false, false, true),
        ("smoker IS DISTINCT FROM TRUE", false, true, true),
        ("smoker IS NOT DISTINCT FROM TRUE", true, false, false),
        ("smoker IS DISTINCT FROM NULL", true, true, false),
        ("COALESCE(smoker, FALSE)", true, false, false),
        ("COALESCE(smoker, TRUE)", true, false, true),
        ("CASE WHEN smoker THEN TRUE ELSE FALSE END", true, false, false),
    ] {
        holds(test, &[("smoker", "true"), ("age", "40")], Some(yes));
        holds(test, &[("smoker", "false"), ("age", "20")], Some(no));
        holds(test, &[], Some(unknown));
    }
    holds("smoker = treated", &[("smoker", "true"), ("treated", "true")], Some(true));
    holds("smoker <> treated", &[("smoker", "true"), ("treated", "true")], Some(false));
    holds("smoker = treated", &[("treated", "true")], None);
    holds("(age > 30) = smoker", &[("smoker", "true"), ("age", "31")], Some(true));
    holds("TRUE = smoker", &[("smoker", "true")], Some(true));
    refused("SELECT SUM(region) FROM d", "wants a number", "");
}

#[test]
fn values_are_distinct_or_not() {
    let test = "region IS DISTINCT FROM home";
    holds(test, &[("region", "north"), ("home", "north")], Some(false));
    holds(test, &[("region", "north"), ("home", "west")], Some(true));
    holds(test, &[("region", "north")], Some(true));
    holds(test, &[], Some(false));
    holds("age IS NOT DISTINCT FROM 30", &[("age", "30")], Some(true));
    holds("age IS NOT DISTINCT FROM 30", &[], Some(false));
    holds("visited IS DISTINCT FROM DATE '2024-01-01'", &[], Some(true));
}

#[test]
fn categories_are_compared_by_their_texts() {
    for (region, home, wanted) in [
        (Some("north"), Some("north"), Some(true)),
        (Some("south"), Some("south"), Some(true)),
        (Some("North"), Some("north"), Some(false)),
        (Some("north"), Some("south"), Some(false)),
        (None, Some("south"), None),
        (Some("south"), None, None),
    ] {
        let row: Vec<_> =
            region.map(|region| ("region", region)).into_iter().chain(home.map(|home| ("home", home))).collect();
        holds("region = home", &row, wanted);
        holds("home <> region", &row, wanted.map(|truth| !truth));
    }
    same("region = home", "home = region");
    holds("LOWER(region) = home", &[("region", "North"), ("home", "north")], Some(true));
    holds("region = region", &[], None);
    holds("region <> region", &[("region", "north")], Some(false));
    refused("SELECT COUNT(*) FROM d WHERE region < home", "has no order", "");
    refused("SELECT COUNT(*) FROM d WHERE region = age", "cannot be compared", "");
}

#[test]
fn lists_hold_what_can_be_worked_out() {
    same("visited IN (DATE '2024-01-31' - 30, DATE '2024-01-02')", "visited IN (DATE '2024-01-01', DATE '2024-01-02')");
    same("region = ANY(ARRAY['north', 'south'])", "region IN ('north', 'south')");
    same("region <> ALL(ARRAY['north', 'south'])", "region NOT IN ('north', 'south')");
    same("age = ANY(ARRAY[1, 2])", "age IN (1, 2)");
    same("region = SOME(ARRAY['north'])", "region = 'north'");
    holds("age IN (age + 0, 3)", &[("age", "7")], Some(true));
    same("region IN (E'north', $$south$$)", "region IN ('north', 'south')");
    holds("age BETWEEN SYMMETRIC 30 AND 20", &[("age", "25")], Some(true));
    holds("age BETWEEN SYMMETRIC 20 AND 30", &[("age", "31")], Some(false));
    holds("age NOT BETWEEN SYMMETRIC 30 AND 20", &[("age", "25")], Some(false));
    same("age BETWEEN ASYMMETRIC 20 AND 30", "age BETWEEN 20 AND 30");
    refused("SELECT COUNT(*) FROM d WHERE age BETWEEN NOT 3 AND 4", "lower bound", "");
    same("age > 1e1", "age > 10");
    same("age > .5", "age >= 1");
    same("age > '5'", "age > 5");
    same("age > +5", "age > 5");
    same("visited = DATE('2024-01-01')", "visited = '2024-01-01'");
    same("DATE(visited) = '2024-01-01'", "visited = '2024-01-01'");
    same("(region, age) IN (('north', 1))", "region = 'north' AND age = 1");
    refused("SELECT COUNT(*) FROM d WHERE (region, age) IN ('north')", "among rows of values", "");
    refused("SELECT COUNT(*) FROM d WHERE age < ANY(ARRAY[1, 2])", "ANY is taken with =", "AND and OR");
    refused("SELECT COUNT(*) FROM d WHERE region IN (north)", "where a constant is wanted", "'north'");
}

#[test]
fn functions_of_categories_are_finite_maps() {
    let north = [("region", "north"), ("home", "west")];
    for (expression, wanted) in [
        ("UPPER(region)", "NORTH"),
        ("LOWER(region)", "north"),
        ("INITCAP(region)", "North"),
        ("LEFT(region, 2)", "no"),
        ("RIGHT(region, 2)", "th"),
        ("SUBSTRING(region FROM 2 FOR 3)", "ort"),
        ("SUBSTRING(region, 2, 3)", "ort"),
        ("SUBSTR(region, 4)", "th"),
        ("TRIM(BOTH 'n' FROM region)", "orth"),
        ("TRIM(region)", "north"),
        ("LTRIM(region, 'no')", "rth"),
        ("REPLACE(region, 'o', '0')", "n0rth"),
        ("REVERSE(region)", "htron"),
        ("LENGTH(region)", "5"),
        ("CHAR_LENGTH(region)", "5"),
        ("POSITION('th' IN region)", "4"),
        ("STRPOS(region, 'x')", "0"),
        ("SPLIT_PART(region, 'r', 1)", "no"),
        ("region || '-' || home", "north-west"),
        ("region || '!'", "north!"),
        ("CONCAT(region, '/', home)", "north/west"),
        ("UPPER(LEFT(region, 1)) || SUBSTRING(region, 2)", "North"),
        ("'r:' || region", "r:north"),
    ] {
        check(expression, &north, wanted);
    }
    check("UPPER(region)", &[], "NULL");
    check("region || home", &[("region", "north")], "NULL");
    check("CONCAT(region, '/', home)", &[("region", "north")], "north/");
    check("CONCAT(region, home)", &[], "");
    check("icd || ' ' || age", &[("icd", "I10"), ("age", "40")], "I10 40");
    check("icd || treated", &[("icd", "I10"), ("treated", "true")], "I10true");
    check("SPLIT_PART(icd, '.', 1)", &[("icd", "E11.9")], "E11");
    let labels = |sql: &str| {
        let terms = terms();
        let plan = planned(sql, &terms).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let known = TermContext::of(&terms);
        let labels = coding::labels(&plan.computation.keys[0], &known);
        labels.iter().map(text_of).collect::<Vec<_>>()
    };
    let of = labels("SELECT LEFT(icd, 1), COUNT(*) FROM d GROUP BY LEFT(icd, 1)");
    assert_eq!(of, ["E", "I", "J"]);
    let terms = terms();
    let plain = planned("SELECT icd, COUNT(*) FROM d GROUP BY icd", &terms).expect("a plan");
    let upper = planned("SELECT UPPER(icd), COUNT(*) FROM d GROUP BY UPPER(icd)", &terms).expect("a plan");
    assert_eq!(upper.computation, plain.computation, "a map that changes nothing");
}

#[test]
fn conditions_on_functions_are_lists_of_values() {
    same("LOWER(region) = 'north'", "region IN ('north', 'North')");
    same("LOWER(region) IN ('north', 'south')", "region IN ('north', 'North', 'south')");
    same("LOWER(region) <> 'north'", "region NOT IN ('north', 'North')");
    same("LEFT(icd, 1) = 'E'", "icd IN ('E10.1', 'E11.9')");
    same("UPPER('south') = UPPER(region)", "region = 'south'");
    same("region LIKE 'n%'", "region = 'north'");
    same("region NOT LIKE 'n%'", "region <> 'north'");
    same("region ILIKE 'n%'", "region IN ('north', 'North')");
    same("region ~ '^[ns]o'", "region IN ('north', 'south')");
    same("region !~ 'th$'", "region = 'Süd'");
    same("region ~* '^N'", "region IN ('north', 'North')");
    same("icd SIMILAR TO 'E1[01]%'", "icd LIKE 'E1%'");
    same("STARTS_WITH(icd, 'E1')", "icd LIKE 'E1%'");
    same("icd LIKE ANY(ARRAY['E%', 'I%'])", "icd <> 'J44.0'");
    same("icd LIKE 'E!1%' ESCAPE '!'", "icd LIKE 'E1%'");
    same("LOWER(LEFT(icd, 1)) = 'e'", "icd LIKE 'E%'");
    same("SPLIT_PART(icd, '.', 1) = 'E10'", "icd = 'E10.1'");
    holds("region LIKE 'x%'", &[("region", "north")], Some(false));
    holds("region LIKE 'x%'", &[], None);
    holds("region LIKE '%'", &[("region", "north")], Some(true));
    holds("LENGTH(region) > 3", &[("region", "Süd")], Some(false));
    check("region LIKE 'n%'", &[("region", "north")], "true");
    check("CASE WHEN icd LIKE 'E1%' THEN 'diabetes' ELSE 'other' END", &[("icd", "I10")], "other");
    refused("SELECT COUNT(*) FROM d WHERE LOWER(region) = 'North'", "is not a value of LOWER(region)", "'north'");
    refused("SELECT COUNT(*) FROM d WHERE LOWER(drug) = 'x'", "without a public list", "");
    refused("SELECT COUNT(*) FROM d WHERE drug LIKE 'm%'", "without a public list", "");
    refused("SELECT COUNT(*) FROM d WHERE age LIKE '4%'", "pattern is of texts", "");
    refused("SELECT COUNT(*) FROM d WHERE region LIKE home", "constant text", "LIKE");
    refused("SELECT COUNT(*) FROM d WHERE region ~ '(?=a)'", "not taken", "");
    refused("SELECT LOWER(age), COUNT(*) FROM d GROUP BY LOWER(age)", "wants a text", "");
}

#[test]
fn categories_and_texts_mix() {
    check("COALESCE(region, 'unknown')", &[], "unknown");
    check("COALESCE(region, 'unknown')", &[("region", "Süd")], "Süd");
    check("COALESCE(region, 'south')", &[], "south");
    check("CASE WHEN age > 30 THEN region ELSE 'young' END", &[("age", "40"), ("region", "north")], "north");
    check("CASE WHEN age > 30 THEN region ELSE 'young' END", &[("age", "20")], "young");
    check("CASE WHEN age > 30 THEN region ELSE home END", &[("age", "20"), ("home", "west")], "west");
    check("CASE WHEN age > 30 THEN UPPER('a') ELSE 'b' END", &[("age", "40")], "A");
    check("UPPER(COALESCE(region, 'unknown'))", &[], "UNKNOWN");
    holds("COALESCE(region, 'unknown') = 'unknown'", &[], Some(true));
    refused(
        "SELECT CASE WHEN treated THEN age ELSE 'x' END, COUNT(*) FROM d GROUP BY 1",
        "CASE wants numbers alone",
        "",
    );
}
