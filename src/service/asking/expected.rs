//! Expected errors: how exact an answer will be, said before it is paid for, with the number of rows that this assumes.
//!
//! Promises that the number of rows comes from what the asker has said, else from what they hold of these groups, else from the policy's
//! public `about_rows`, divided among the groups, else is 1,000; and that nobody's expectation depends on what others hold.

use std::fmt;

use super::curved::question;
use super::known::{ANSWERS_MAX, KnownGroups};
use super::margin::GROUP_ROWS;
use super::shapes::Shapes;
use crate::kernel::budget::ledger::read;
use crate::kernel::privacy::amounts::unscaled;
use crate::kernel::privacy::mechanism::NoiseLaw;
use crate::query::answer::expected::{AssumedGroups, ExpectedQuestion, ExpectedWidth, KnownMeasure, ValuesFrom};
use crate::query::answer::{Label, SingleAnswer};
use crate::query::plan::Plan;
use crate::query::term::Term;
use crate::query::term::context::TermContext;
use crate::query::terms::domain::date_text;
use crate::service::{Priced, Service};

/// Number of groups whose errors are told, if their sizes are known.
const GROUPS_TOLD: usize = 6;

/// Where an assumed number of rows comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssumedFrom {
    /// The asker said it.
    Asked,
    /// Noisy counts that the asker holds: of these groups, or of all of them together, divided among them.
    Answers,
    /// The policy's public statement of how many rows the dataset has about.
    AboutRows,
    /// Nothing is known: 1,000 rows.
    Default,
}

impl AssumedFrom {
    /// The word for it in quotes.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Asked => "group_size",
            Self::Answers => "answers",
            Self::AboutRows => "about_rows",
            Self::Default => "default",
        }
    }
}

/// The errors that an answer is expected to have.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpectedErrors {
    /// Number of rows of a group for which `half_widths` are expected; with known groups, those of the middle one by size.
    pub rows: u64,
    /// Where the number of rows comes from.
    pub from: AssumedFrom,
    /// The 95 % half-width of each column, without any number for keys and for what has no interval.
    pub half_widths: Vec<ExpectedWidth>,
    /// What each half-width rests on, as far as it depends on how a column's values are spread; `None` if it does not.
    pub values_from: Vec<Option<ValuesFrom>>,
    /// Some of the groups, from the largest to the smallest, if their sizes are known.
    pub groups: Vec<ExpectedGroup>,
}

/// The errors that are expected in one group.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpectedGroup {
    /// The labels of the group, one for each key of its grouping; empty if there is one group.
    pub labels: Vec<String>,
    /// Its noisy number of rows, as far as the asker knows.
    pub rows: u64,
    /// The 95 % half-width of each column.
    pub half_widths: Vec<ExpectedWidth>,
}

impl Service {
    /// What a person knows of the groups of a question from answers that they were served. Blocks.
    pub(in crate::service) fn known_groups(&self, who: &str, priced: &Priced) -> KnownGroups {
        let (plan, dataset) = (&priced.plan, &priced.dataset);
        if !plan.is_single() || plan.computation.text.is_some() || !covers_all_keys(plan) {
            return KnownGroups::default();
        }
        let served: Vec<String> = read(self.ledger(), |book| {
            let served = book.served_before(who, u64::MAX, ANSWERS_MAX);
            served.into_iter().map(|(_, card)| card.id.clone()).collect()
        });
        let held = served.into_iter().filter_map(|id| self.stored_answer(&id).ok());
        let answers = self.known_plans.answers(dataset, held);
        if answers.is_empty() {
            return KnownGroups::default();
        }
        let seen = plan.computation.seen(&dataset.terms);
        KnownGroups::of(&answers, &plan.computation, &TermContext::of(&seen))
    }
}

/// Whether the finest grouping has all keys, so that its cells are those of the computation.
fn covers_all_keys(plan: &Plan) -> bool {
    let keys = plan.computation.keys.len();
    plan.layout.sets.as_ref().is_none_or(|sets| sets.shown.iter().any(|set| set.len() == keys))
}

/// The errors expected of a question with this noise. `said` is the number of rows that the asker wants to be assumed.
#[must_use]
pub(in crate::service) fn expected(
    priced: &Priced,
    laws: &[NoiseLaw],
    mut known: KnownGroups,
    said: Option<u64>,
) -> ExpectedErrors {
    let plan = &priced.plan;
    let answers = plan.layout.answers();
    let [answer] = &answers[..] else { return of_union(priced, &answers, laws, said) };
    let question = question(plan, answer, laws);
    let shapes = Shapes::stated(&priced.dataset, plan).and_known(&mut known);
    let KnownGroups { rows: known_rows, total, measures, .. } = known;
    let shape = |term: &Term| shapes.of(term);
    let cells = cells(&question);
    let known_rows = known_rows.filter(|rows| rows.len() == cells && said.is_none());
    let Some(sizes) = known_rows else {
        let mean = total.map(|total| whole(total / cells as f64)).filter(|rows| *rows > 0);
        let (rows, from) = assumed_size(said, mean, priced, cells);
        let groups = AssumedGroups { rows: vec![rows as f64], known: without_cells(measures), shape: &shape };
        let half_widths = question.half_widths(&groups, &[0]).pop().unwrap_or_default();
        let values_from = question.values_from(&groups);
        return ExpectedErrors { rows, from, half_widths, values_from, groups: Vec::new() };
    };
    let mut by_size: Vec<usize> = (0..cells).collect();
    by_size.sort_by(|one, other| sizes[*other].total_cmp(&sizes[*one]).then(one.cmp(other)));
    let middle = by_size[cells / 2];
    // A group that the policy hides in answers is not told by its size either.
    let least = priced.dataset.terms.min_cell.map_or(f64::NEG_INFINITY, f64::from);
    let shown: Vec<usize> = by_size.iter().copied().filter(|cell| sizes[*cell] >= least).collect();
    let told: Vec<usize> = spread(&shown);
    let groups = AssumedGroups { rows: sizes.clone(), known: measures, shape: &shape };
    let wanted: Vec<usize> = told.iter().copied().chain([middle]).collect();
    let mut widths = question.half_widths(&groups, &wanted);
    let half_widths = widths.pop().unwrap_or_default();
    let values_from = question.values_from(&groups);
    let group = |(cell, half_widths): (&usize, Vec<ExpectedWidth>)| ExpectedGroup {
        labels: question.labels(*cell).into_iter().map(text).collect(),
        rows: whole(sizes[*cell]),
        half_widths,
    };
    let groups = told.iter().zip(widths).map(group).collect();
    ExpectedErrors { rows: whole(sizes[middle]), from: AssumedFrom::Answers, half_widths, values_from, groups }
}

/// The errors expected of the answers that a union puts together, all with groups of the same size: in each column the widest of them.
fn of_union(priced: &Priced, answers: &[SingleAnswer<'_>], laws: &[NoiseLaw], said: Option<u64>) -> ExpectedErrors {
    let questions: Vec<_> = answers.iter().map(|answer| question(&priced.plan, answer, laws)).collect();
    let most = questions.iter().map(cells).max().unwrap_or(1);
    let (rows, from) = assumed_size(said, None, priced, most);
    let shape = |_: &Term| None;
    let groups = AssumedGroups { rows: vec![rows as f64], known: Vec::new(), shape: &shape };
    let (mut half_widths, mut values_from): (Vec<ExpectedWidth>, Vec<Option<ValuesFrom>>) = (Vec::new(), Vec::new());
    for (place, question) in questions.iter().enumerate() {
        let own = question.half_widths(&groups, &[0]).pop().unwrap_or_default();
        let from = question.values_from(&groups);
        if place == 0 {
            (half_widths, values_from) = (own, from);
            continue;
        }
        half_widths.iter_mut().zip(own).for_each(|(one, other)| *one = one.max(other));
        values_from.iter_mut().zip(from).for_each(|(one, other)| *one = (*one).max(other));
    }
    ExpectedErrors { rows, from, half_widths, values_from, groups: Vec::new() }
}

/// Number of groups of a question, at least one.
fn cells(question: &ExpectedQuestion<'_>) -> usize {
    usize::try_from(question.cells()).unwrap_or(usize::MAX).max(1)
}

/// The number of rows of one of so many groups, and where it comes from: what the asker said, what they hold, or what is public.
fn assumed_size(said: Option<u64>, held: Option<u64>, priced: &Priced, cells: usize) -> (u64, AssumedFrom) {
    let about = priced.dataset.about_rows.map(|rows| (rows / cells as u64).max(1));
    match (said, held, about) {
        (Some(rows), ..) => (rows, AssumedFrom::Asked),
        (None, Some(rows), _) => (rows, AssumedFrom::Answers),
        (None, None, Some(rows)) => (rows, AssumedFrom::AboutRows),
        (None, None, None) => (GROUP_ROWS, AssumedFrom::Default),
    }
}

/// What is known of measurements without their values in the question's own groups.
fn without_cells(measures: Vec<KnownMeasure>) -> Vec<KnownMeasure> {
    let one = |known: KnownMeasure| KnownMeasure { cells: None, ..known };
    measures.into_iter().map(one).collect()
}

fn whole(rows: f64) -> u64 {
    rows.max(0.0).round() as u64
}

/// Some of these, evenly from the first to the last.
fn spread(all: &[usize]) -> Vec<usize> {
    let most = GROUPS_TOLD.min(all.len());
    let place = |at: usize| at * (all.len() - 1) / most.saturating_sub(1).max(1);
    (0..most).map(|at| all[place(at)]).collect()
}

fn text(label: &Label) -> String {
    match label {
        Label::Missing => "missing".to_owned(),
        Label::Text(text) => text.clone(),
        Label::Boolean(truth) => truth.to_string(),
        Label::Integer(value) => value.to_string(),
        Label::Decimal(nanos) => unscaled(*nanos, 9),
        Label::Date(days) => date_text(*days),
    }
}

impl fmt::Display for AssumedFrom {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.word())
    }
}
