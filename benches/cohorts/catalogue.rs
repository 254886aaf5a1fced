//! The questions, each in SQL for Tacit and as lazy queries for plain polars, of which the fastest is the baseline.
//!
//! Each has a day of its own, another one each time it is asked, so that no stored answer is used. Plain polars is asked with the same
//! day. This build of polars has no semi-joins (`semi_anti_join`): joins with people without repetition do the same work.

use polars::prelude::*;

use super::tables::{DRUGS, Table, Unsealed, code};
use crate::questions::table::DIAGNOSES;

/// A way of plain polars to answer, by the day.
type Plain = fn(&Unsealed, u32) -> LazyFrame;

/// A question in both languages.
pub struct Question {
    /// The name of its row among the figures.
    pub key: &'static str,
    /// The tables that plain polars reads.
    pub tables: &'static [Table],
    pub sql: fn(u32) -> String,
    /// Ways to answer it, each with its name.
    pub plain: &'static [(&'static str, Plain)],
}

impl Question {
    pub fn sql(&self, constant: u32) -> String {
        (self.sql)(constant)
    }
}

pub const ALL: [Question; 3] = [
    Question { key: "cohort", tables: &Table::ALL, sql: cohort, plain: &[("joins", plain_cohort)] },
    Question { key: "index-date", tables: &Table::ALL, sql: index_date, plain: &[("joins", plain_index_date)] },
    Question {
        key: "gap",
        tables: &[Table::Visits],
        sql: gap,
        plain: &[("sorted once", plain_gap_sorted), ("a window", plain_gap_window)],
    },
];

/// 2021-01-01 as days since 1970.
const START: i32 = 18_628;

fn day(constant: u32) -> i32 {
    START + constant as i32
}

/// A day as SQL writes it.
fn date(constant: u32) -> String {
    let day = jiff::civil::date(2021, 1, 1).checked_add(jiff::Span::new().days(constant)).expect("a day");
    format!("DATE '{day}'")
}

fn days(day: i32) -> Expr {
    lit(day).cast(DataType::Date)
}

/// People with a diagnosis and a drug since a day, and without an emergency since then.
fn cohort(constant: u32) -> String {
    let day = date(constant);
    format!(
        "SELECT COUNT(DISTINCT patient_id) AS people FROM diagnoses WHERE diagnosis = 'diabetes' AND found >= {day} \
         AND patient_id IN (SELECT patient_id FROM drugs WHERE drug = 'metformin' AND started >= {day}) \
         AND patient_id NOT IN (SELECT patient_id FROM visits WHERE emergency AND visited >= {day})"
    )
}

/// The people of some rows, without repetition.
fn people(of: LazyFrame) -> LazyFrame {
    of.select([col("patient_id")]).unique(None, UniqueKeepStrategy::Any)
}

fn inner(left: LazyFrame, right: LazyFrame) -> LazyFrame {
    left.join(right, [col("patient_id")], [col("patient_id")], JoinArgs::new(JoinType::Inner))
}

/// The rows of the left side whose people are not among those of the right one.
fn without(left: LazyFrame, right: LazyFrame) -> LazyFrame {
    let right = right.with_columns([lit(true).alias("is_there")]);
    let joined = left.join(right, [col("patient_id")], [col("patient_id")], JoinArgs::new(JoinType::Left));
    joined.filter(col("is_there").is_null())
}

fn diabetes(tables: &Unsealed) -> LazyFrame {
    tables.table(Table::Diagnoses).filter(col("diagnosis").eq(code(&DIAGNOSES, "diabetes")))
}

fn metformin(tables: &Unsealed) -> LazyFrame {
    tables.table(Table::Drugs).filter(col("drug").eq(code(&DRUGS, "metformin")))
}

fn plain_cohort(tables: &Unsealed, constant: u32) -> LazyFrame {
    let since = |column: &str| col(column).gt_eq(days(day(constant)));
    let ill = people(diabetes(tables).filter(since("found")));
    let treated = people(metformin(tables).filter(since("started")));
    let emergencies = people(tables.table(Table::Visits).filter(col("emergency").and(since("visited"))));
    without(inner(ill, treated), emergencies).select([len()])
}

/// People whose first diagnosis since a day was followed by a drug within 30 days, and who had no emergency in the year before it.
pub fn index_date(constant: u32) -> String {
    let day = date(constant);
    format!(
        "WITH first AS (SELECT patient_id, MIN(found) AS day FROM diagnoses WHERE diagnosis = 'diabetes' AND found >= {day} \
         GROUP BY patient_id) \
         SELECT COUNT(*) AS people FROM first WHERE EXISTS (SELECT 1 FROM drugs WHERE drugs.patient_id = first.patient_id \
         AND drug = 'metformin' AND started BETWEEN first.day AND first.day + 30) \
         AND NOT EXISTS (SELECT 1 FROM visits WHERE visits.patient_id = first.patient_id AND emergency \
         AND visited BETWEEN first.day - 365 AND first.day)"
    )
}

fn plain_index_date(tables: &Unsealed, constant: u32) -> LazyFrame {
    let ill = diabetes(tables).filter(col("found").gt_eq(days(day(constant))));
    let first = ill.group_by([col("patient_id")]).agg([col("found").min().cast(DataType::Int32).alias("day")]);
    let started = col("started").cast(DataType::Int32);
    let within = started.clone().gt_eq(col("day")).and(started.lt_eq(col("day") + lit(30)));
    let treated = people(inner(first.clone(), metformin(tables)).filter(within));
    let visited = col("visited").cast(DataType::Int32);
    let before = visited.clone().gt_eq(col("day") - lit(365)).and(visited.lt_eq(col("day")));
    let emergencies = tables.table(Table::Visits).filter(col("emergency"));
    let emergencies = people(inner(first, emergencies).filter(before));
    without(treated, emergencies).select([len()])
}

/// Visits that follow another one of the same person after at least 30 days, since a day.
fn gap(constant: u32) -> String {
    format!(
        "SELECT COUNT(*) AS n FROM (SELECT visited, visited - LAG(visited) OVER (PARTITION BY patient_id ORDER BY visited) AS gap \
         FROM visits) AS v WHERE gap >= 30 AND visited >= {}",
        date(constant)
    )
}

fn is_gap(before: Expr, constant: u32) -> Expr {
    let visited = col("visited").cast(DataType::Int32);
    (visited.clone() - before).gt_eq(lit(30)).and(visited.gt_eq(lit(day(constant))))
}

fn plain_gap_window(tables: &Unsealed, constant: u32) -> LazyFrame {
    let sorted = tables.table(Table::Visits).sort(["visited"], SortMultipleOptions::default());
    let before = col("visited").cast(DataType::Int32).shift(lit(1)).over([col("patient_id")]).expect("a window");
    let before = before.alias("before");
    sorted.with_columns([before]).filter(is_gap(col("before"), constant)).select([len()])
}

fn plain_gap_sorted(tables: &Unsealed, constant: u32) -> LazyFrame {
    let sorted = tables.table(Table::Visits).sort(["patient_id", "visited"], SortMultipleOptions::default());
    let is_same = col("patient_id").eq(col("patient_id").shift(lit(1)));
    let before = col("visited").cast(DataType::Int32).shift(lit(1));
    sorted.filter(is_same.and(is_gap(before, constant))).select([len()])
}
