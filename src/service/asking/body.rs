//! Answers and quotes as they travel in JSON: a door writes these types, and our own client reads them back.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::expected::{ExpectedErrors, ExpectedGroup};
use super::quote::Quote;
use crate::kernel::privacy::amounts::Epsilon;
use crate::query::answer::ColumnInfo;
use crate::query::answer::expected::{ExpectedWidth, ValuesFrom};
use crate::service::shares::AccountShare;
use crate::service::views::{AccountView, LegsView, RoundedNumber, ThresholdView, reported_if_any};

/// The confidence of every interval.
pub const CONFIDENCE: Cow<'static, str> = Cow::Borrowed("0.95");

/// Whether an output is a key or an estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputRole {
    /// The output names a group.
    Key,
    /// The output is a noisy number with an interval.
    Estimate,
}

/// The description of one output column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ColumnBody)]
pub struct OutputColumn {
    /// The column's name in the output.
    pub name: String,
    /// `key` or `estimate`.
    #[schema(value_type = String)]
    pub kind: OutputRole,
    /// `count`, `sum`, `mean` or `formula`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aggregate: Option<Cow<'static, str>>,
    /// The standard error of counts and sums, as decimal text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub std_error: Option<RoundedNumber<9>>,
    /// The half-width of the 95 % interval: 1.959964 × the standard error.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub margin: Option<RoundedNumber<9>>,
    /// In quotes: the number of rows of a group that `margin` is expected for; absent where it does not depend on that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assumed_group_size: Option<u64>,
    /// In quotes: where `assumed_group_size` comes from: `answers` (the middle group of those that you have paid to know), `about_rows` (the
    /// policy's statement, divided among the groups), `group_size` (as you said) or `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assumed_from: Option<Cow<'static, str>>,
    /// In quotes: whether `margin` also rests on a guess of how the values are spread, from their declared bounds alone. Such a margin can be
    /// far off; once you have an answer about the same column, it is taken from there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub rough: bool,
    /// In quotes: what `margin` rests on, as far as it depends on how the values of a column are spread: `answers` that you hold, `typical`
    /// (what the policy states of the column) or `bounds` (then it is `rough`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assumed_values_from: Option<Cow<'static, str>>,
    /// In quotes: the lower end of the range that the half-width shown will lie in with nine chances of ten; absent for counts and sums,
    /// whose half-width does not depend on anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub margin_low: Option<RoundedNumber<9>>,
    /// In quotes: the upper end of that range; absent beside `margin_low` if the answer may well be lost in noise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub margin_high: Option<RoundedNumber<9>>,
    /// In quotes: the smallest value that one row can contribute to the sum or mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<String>,
    /// In quotes: the largest value that one row can contribute to the sum or mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<String>,
}

impl OutputColumn {
    /// Describes a column of an answer; `with_margin` adds its margin and bounds for quotes.
    #[must_use]
    pub fn of(column: &ColumnInfo, with_margin: bool) -> Self {
        let is_key = column.kind.is_key();
        let (min, max) = column.bounds.clone().filter(|_| with_margin).unzip();
        Self {
            name: column.name.clone(),
            kind: if is_key { OutputRole::Key } else { OutputRole::Estimate },
            aggregate: (!is_key).then(|| column.kind.word().into()),
            std_error: column.kind.std_error().map(RoundedNumber::from),
            margin: column.kind.margin().filter(|_| with_margin).map(RoundedNumber::from),
            assumed_group_size: None,
            assumed_from: None,
            rough: false,
            assumed_values_from: None,
            margin_low: None,
            margin_high: None,
            min,
            max,
        }
    }

    /// Describes the columns of a quote with their expected margins.
    fn expected(columns: &[ColumnInfo], expected: &ExpectedErrors) -> Vec<Self> {
        let one = |((column, width), from): ((&ColumnInfo, &ExpectedWidth), &Option<ValuesFrom>)| {
            let of_any = Self::of(column, true);
            let assumes = column.kind.assumes_rows();
            Self {
                margin: of_any.margin.or(width.middle.map(RoundedNumber::from)),
                assumed_group_size: assumes.then_some(expected.rows),
                assumed_from: assumes.then(|| expected.from.word().into()),
                rough: *from == Some(ValuesFrom::Bounds) && width.middle.is_some(),
                assumed_values_from: from.map(|from| from.word().into()),
                margin_low: width.low.filter(|_| assumes).map(RoundedNumber::from),
                margin_high: width.high.filter(|_| assumes).map(RoundedNumber::from),
                ..of_any
            }
        };
        columns.iter().zip(&expected.half_widths).zip(&expected.values_from).map(one).collect()
    }
}

/// The errors that are expected in one group whose size the asker knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ExpectedGroup)]
pub struct GroupErrors {
    /// The labels of the group, one for each key.
    pub group: Vec<String>,
    /// Its noisy number of rows, from an answer that the asker has paid for.
    pub rows: u64,
    /// The expected half-width of each column that has one, by name.
    #[schema(value_type = HashMap<String, String>)]
    pub margins: BTreeMap<String, RoundedNumber<9>>,
}

impl GroupErrors {
    fn of(columns: &[ColumnInfo], group: ExpectedGroup) -> Self {
        let named = columns.iter().zip(group.half_widths);
        let margins = named.filter_map(|(column, half_width)| Some((column.name.clone(), half_width.middle?.into())));
        Self { group: group.labels, rows: group.rows, margins: margins.collect() }
    }
}

/// The price of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PriceBody {
    /// The ε that the answer costs, as decimal text.
    pub epsilon: String,
    /// The δ of the dataset, as decimal text.
    pub delta: String,
    /// The share that it takes of the account of the person who asks, as decimal text. Shares add up, as ε does not: it is what the
    /// account's `fraction_remaining` falls by. Absent where nobody's account is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub fraction: Option<AccountShare>,
}

/// An answer, with its rows as `R`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnswerBody<R> {
    /// Id of the release; `None` if nothing was drawn, because the answer is public.
    pub release: Option<String>,
    /// The dataset's name; `None` for constants.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// Id of the edition that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edition: Option<String>,
    /// The canonical SQL of the question.
    pub sql: String,
    /// Whether nothing new was drawn.
    pub replayed: bool,
    /// The family of the noise, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mechanism: Option<Cow<'static, str>>,
    /// The confidence of the intervals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Cow<'static, str>>,
    /// How many rows of each unit count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows_per_unit: Option<u32>,
    /// The columns, one for each output.
    pub columns: Vec<OutputColumn>,
    /// The rows of the table.
    pub rows: R,
    /// What the answer cost.
    pub price: PriceBody,
    /// How groups were selected for being shown if their list is not public.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<ThresholdView>,
    /// The price for each account that paid, as ε.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legs: Option<LegsView>,
    /// Ids of the stored releases that the answer was computed from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub derived_from: Vec<String>,
    /// The declared purpose, for those who may see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// When the answer was drawn, in UTC, as RFC 3339 text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The account of the person who asked, after the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountView>,
}

/// Rows as a client reads them: each value by the name of its cell.
pub type RowValues = Vec<HashMap<String, Option<CellValue>>>;

/// A value in a row.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum CellValue {
    /// A truth value of a key.
    Truth(bool),
    /// A number.
    Number(serde_json::Number),
    /// The text of a key, or a remark.
    Text(String),
}

impl fmt::Display for CellValue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truth(truth) => write!(out, "{truth}"),
            Self::Number(number) => write!(out, "{number}"),
            Self::Text(text) => out.write_str(text),
        }
    }
}

/// A quote: the price of an answer and its accuracy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct QuoteBody {
    dataset: String,
    edition: String,
    sql: String,
    pub(crate) mechanism: Cow<'static, str>,
    confidence: Cow<'static, str>,
    rows_per_unit: u32,
    pub(crate) columns: Vec<OutputColumn>,
    pub(crate) price: PriceBody,
    /// The price for each account that would pay, as ε.
    pub(crate) legs: LegsView,
    pub(crate) answerable: bool,
    pub(crate) replay: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    derived_from: Vec<String>,
    /// The number of answers of this price that would still fit, including this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) answers_left: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "reported_if_any")]
    #[schema(value_type = Option<String>)]
    pub(crate) largest_epsilon: Option<Epsilon>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(crate) margin: Option<RoundedNumber<9>>,
    /// The number of rows of a group that expected margins assume; absent if none depends on it. Larger groups meet a margin that was asked
    /// for a mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    assumed_group_size: Option<u64>,
    /// The expected margins in some of the groups, from the largest to the smallest, if the asker has paid to know their sizes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(crate) groups: Vec<GroupErrors>,
    /// How groups are selected for being shown if their list is not public.
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold: Option<ThresholdView>,
    /// What the answer would not tell, such as that a condition can match no row by the declared domains; absent if there is nothing to say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(crate) warnings: Vec<String>,
    pub(crate) account: BeforeAndAfter,
}

/// An account at present, and as it would be after the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BeforeAndAfter {
    pub(crate) before: AccountView,
    pub(crate) after: AccountView,
}

impl From<Quote> for QuoteBody {
    fn from(quote: Quote) -> Self {
        let assumes = quote.columns.iter().any(|column| column.kind.assumes_rows());
        let groups = quote.expected.groups.clone().into_iter().filter(|_| assumes);
        Self {
            dataset: quote.dataset,
            edition: quote.edition,
            sql: quote.sql,
            mechanism: quote.mechanism.into(),
            confidence: CONFIDENCE,
            rows_per_unit: quote.rows_per_unit,
            columns: OutputColumn::expected(&quote.columns, &quote.expected),
            price: PriceBody { epsilon: quote.epsilon, delta: quote.delta, fraction: Some(quote.fraction) },
            legs: quote.legs,
            answerable: quote.answerable,
            replay: quote.replay,
            derived_from: quote.derived_from,
            answers_left: quote.answers_left,
            largest_epsilon: quote.largest_epsilon,
            margin: quote.largest_margin,
            assumed_group_size: assumes.then_some(quote.expected.rows),
            groups: groups.map(|group| GroupErrors::of(&quote.columns, group)).collect(),
            threshold: quote.threshold,
            warnings: quote.warnings,
            account: BeforeAndAfter { before: quote.before, after: quote.after },
        }
    }
}
