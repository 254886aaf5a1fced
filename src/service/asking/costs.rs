//! What questions about each column of a policy would cost in accuracy: the expected error of a count by it, of its sum and of its mean, and
//! how much one unit can change its sum.
//!
//! Promises that the numbers are those of quotes: the same planner computes them, from the policy alone. No source and no ledger is read.

use std::sync::Arc;

use super::ask::{Ask, RequestedAccuracy};
use super::expected::{AssumedFrom, expected};
use super::known::KnownGroups;
use crate::kernel::privacy::amounts::Epsilon;
use crate::kernel::privacy::certificate::{Subject, certify};
use crate::query::answer::{columns, laws};
use crate::query::parse::parse;
use crate::query::terms::domain::{Column, Domain};
use crate::query::terms::policy::Policy;
use crate::service::{Dataset, Priced, Service};

/// The ε of each question whose error is computed, unless one question may cost no more than less.
const EPSILON: Epsilon = Epsilon::from_nanos(100_000_000);
/// The largest number of columns whose errors are computed; a policy with more shows those of the first.
pub const COLUMNS_COSTED_MAX: usize = 256;

/// What questions about the columns of a policy cost in accuracy.
#[derive(Debug, Clone, PartialEq)]
pub struct PolicyCosts {
    /// The ε of each question.
    pub epsilon: Epsilon,
    /// The number of rows that means are expected over.
    pub rows: u64,
    /// Whether the number of rows is the policy's `about_rows`, and not 1,000.
    pub is_declared: bool,
    /// The columns, each with its table, in the policy's order.
    pub columns: Vec<ColumnCost>,
    /// The number of columns that were left out because there are so many.
    pub left_out: usize,
}

/// What questions about one column cost in accuracy. An error is half of a 95 % interval; `None` where there is no such question.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnCost {
    /// The name of its table; empty for the dataset's only table.
    pub table: String,
    /// The column's name.
    pub name: String,
    /// The error of the count of each group by this column, in rows.
    pub count: Option<f64>,
    /// The error of its sum, in the column's own unit.
    pub sum: Option<f64>,
    /// The error of its mean, in the column's own unit.
    pub mean: Option<f64>,
    /// How much one unit can change its sum: the rows of a unit times the distance from the middle of the range to its ends.
    pub sensitivity: Option<f64>,
}

/// A table of a policy, with the dataset in which it is asked about.
struct Asked<'a> {
    dataset: Arc<Dataset>,
    /// The table's name in the policy; empty for the only table.
    shown: &'a str,
    /// Its name after FROM.
    name: &'a str,
    columns: &'a [Column],
}

/// What questions about each column of a policy cost at ε 0.1 each, or at the largest ε of one question if that is less.
#[must_use]
pub fn costs(policy: &Policy) -> PolicyCosts {
    let tables = tables(policy);
    let all = || tables.iter().flat_map(|table| table.columns.iter().map(move |column| (table, column)));
    let count = all().count();
    let mut rows = None;
    let columns = all().take(COLUMNS_COSTED_MAX).map(|(table, column)| {
        let (cost, assumed) = cost(table, column);
        rows = rows.or(assumed);
        cost
    });
    let columns = columns.collect();
    let (rows, from) = rows.unwrap_or((super::margin::GROUP_ROWS, AssumedFrom::Default));
    let is_declared = from == AssumedFrom::AboutRows;
    let epsilon = EPSILON.min(policy.terms.max_epsilon_per_query);
    PolicyCosts { epsilon, rows, is_declared, columns, left_out: count.saturating_sub(COLUMNS_COSTED_MAX) }
}

fn tables(policy: &Policy) -> Vec<Asked<'_>> {
    let terms = &policy.terms;
    let dataset = |name: &str, terms| Dataset {
        name: name.to_owned(),
        lineage: policy.name.clone(),
        title: None,
        pad_ms: None,
        about_rows: policy.about_rows,
        stated: policy.stated().into(),
        terms,
        edition: String::new(),
        policy: None,
        report: None,
    };
    let whole = Arc::new(dataset(&policy.name, terms.clone()));
    let own = terms.tables.is_empty().then(|| Asked {
        dataset: Arc::clone(&whole),
        shown: "",
        name: &policy.name,
        columns: terms.own(),
    });
    let several = terms.tables.iter().map(|table| Asked {
        dataset: Arc::clone(&whole),
        shown: &table.name,
        name: &table.name,
        columns: &table.columns,
    });
    let joined = terms.joins.iter().map(|join| Asked {
        dataset: Arc::new(dataset(&join.name, terms.of_table(join))),
        shown: &join.name,
        name: &join.name,
        columns: &terms.columns[join.places()],
    });
    own.into_iter().chain(several).chain(joined).collect()
}

/// The number of rows that an error assumes, and where it comes from.
type AssumedRows = (u64, AssumedFrom);

fn cost(table: &Asked<'_>, column: &Column) -> (ColumnCost, Option<AssumedRows>) {
    let (shown, name, from) = (table.shown.to_owned(), &column.name, table.name);
    let none = ColumnCost { table: shown, name: name.clone(), count: None, sum: None, mean: None, sensitivity: None };
    let Domain::Number(grid) = &column.domain else {
        let by = format!("SELECT \"{name}\", COUNT(*) AS rows FROM \"{from}\" GROUP BY \"{name}\"");
        let count = priced(table, &by).and_then(|priced| half_width(&priced, 1)).map(|(width, _)| width);
        return (ColumnCost { count, ..none }, None);
    };
    let of = |aggregate: &str| priced(table, &format!("SELECT {aggregate}(\"{name}\") AS value FROM \"{from}\""));
    let (sum, mean) = (of("SUM"), of("AVG"));
    // A sum is measured about the middle of its range, beside a count; the sum is what a unit changes most.
    let most = sum.as_ref().and_then(|priced| priced.plan.sought.iter().map(|sought| sought.sensitivity.l1()).max());
    let sensitivity = most.map(|steps| steps as f64 * grid.step_value());
    let mean = mean.and_then(|priced| half_width(&priced, 0));
    let sum = sum.and_then(|priced| half_width(&priced, 0)).map(|(width, _)| width);
    (ColumnCost { sum, mean: mean.map(|(width, _)| width), sensitivity, ..none }, mean.map(|(_, rows)| rows))
}

/// A question with its price; `None` if it cannot be asked under the policy.
fn priced(table: &Asked<'_>, sql: &str) -> Option<Priced> {
    let epsilon = EPSILON.min(table.dataset.terms.max_epsilon_per_query);
    let accuracy = Some(RequestedAccuracy::Epsilon(epsilon));
    let ask = Ask { sql: sql.to_owned(), accuracy, rows_per_unit: None, group_size: None, purpose: None };
    let query = parse(sql).ok()?;
    Service::price_of(&table.dataset, &query, &ask).ok()
}

/// The expected error of an output, by its index, and the rows that it assumes.
fn half_width(priced: &Priced, output: usize) -> Option<(f64, AssumedRows)> {
    let (plan, dataset) = (&priced.plan, &priced.dataset);
    let subject = Subject { dataset: dataset.lineage.clone(), edition: dataset.edition.clone() };
    let certificate = certify(dataset.terms.accountant, subject, &plan.sought, &priced.asked).ok()?;
    let laws = laws(certificate.measurements());
    let infos = columns(&plan.layout, &laws);
    let expected = expected(priced, &laws, KnownGroups::default(), None);
    let width = infos.get(output)?.kind.margin().or(expected.half_widths.get(output).and_then(|width| width.middle))?;
    Some((width, (expected.rows, expected.from)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#"
[dataset]
name = "visits"
source = "visits.csv"
privacy_unit = "patient"
max_rows_per_unit = 4
max_rows = 1_000
cap = { epsilon = "1", delta = "1e-9" }
[[column]]
name = "region"
type = "category"
values = ["a", "b"]
[[column]]
name = "age"
type = "integer"
min = "0"
max = "110"
[[column]]
name = "order"
type = "decimal"
min = "0"
max = "1"
step = "0.01"
[[column]]
name = "note"
type = "text"
"#;

    fn of(text: &str) -> PolicyCosts {
        costs(&Policy::parse(text).unwrap_or_else(|faults| panic!("{faults:?}")))
    }

    #[test]
    fn errors_grow_with_rows_of_a_unit_and_with_bounds() {
        let one = of(POLICY);
        assert_eq!((one.rows, one.is_declared, one.left_out), (1_000, false, 0));
        let [region, age, order, note] = &one.columns[..] else { panic!("{one:?}") };
        assert!(region.count.is_some_and(|width| width > 0.0) && region.sum.is_none(), "{region:?}");
        assert_eq!((age.sensitivity, order.sensitivity), (Some(220.0), Some(2.0)), "4 rows, 55 and 0.5 to either end");
        assert!(note.count.is_none(), "nothing is set aside for groups without a list");
        let less = of(&POLICY.replace("max_rows_per_unit = 4", "max_rows_per_unit = 2"));
        let ratio = |of: fn(&ColumnCost) -> Option<f64>, at: usize| {
            of(&one.columns[at]).expect("an error") / of(&less.columns[at]).expect("an error")
        };
        assert!((ratio(|cost| cost.count, 0) - 2.0).abs() < 0.01, "half of the rows, half of the noise");
        assert!((ratio(|cost| cost.sum, 1) - 2.0).abs() < 0.01);
        let wide = of(&POLICY.replace("max = \"110\"", "max = \"220\""));
        assert!(wide.columns[1].mean > one.columns[1].mean && wide.columns[1].sensitivity == Some(440.0));
    }

    #[test]
    fn a_declared_size_is_what_means_are_over() {
        let (one, large) =
            (of(POLICY), of(&POLICY.replace("max_rows = 1_000", "max_rows = 100_000\nabout_rows = 50_000")));
        assert_eq!((large.rows, large.is_declared), (50_000, true));
        let (before, after) = (one.columns[1].mean.expect("an error"), large.columns[1].mean.expect("an error"));
        assert!(after < before / 20.0, "{before} and {after}");
        assert_eq!(one.columns[1].sum, large.columns[1].sum, "a sum's error is that of its noise");
    }
}
