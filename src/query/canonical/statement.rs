//! Writer of whole questions as SQL.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::joins::written;
use super::terms::{TermWriter, identifier, subquery};
use crate::query::answer::formula::{CentredSum, Formula, HavingCondition, RunningSum, Words};
use crate::query::answer::{Layout, Limit, Output, OutputValue, SortKey};
use crate::query::computation::{Measure, PlanKey};
use crate::query::plan::Plan;
use crate::query::syntax::{ArithmeticOperator, Comparison, ScalarFunction};
use crate::query::term::Term;
use crate::query::term::context::TermContext;
use crate::query::terms::policy::Terms;

/// Writes the SQL of a plan.
#[must_use]
pub fn sql(plan: &Plan, terms: &Terms) -> String {
    if let Some(text) = &plan.text {
        return text.clone();
    }
    let terms = &*plan.computation.base(terms);
    let (base, seen) = (TermContext::of(terms), plan.seen.as_deref().map(TermContext::of));
    let known = seen.as_ref().unwrap_or(&base);
    let dataset = joined(plan, terms);
    let table = match (&plan.computation.units, &plan.seen) {
        (Some(units), Some(seen)) => subquery(&dataset, units, seen, &TermWriter { known: &base }),
        (None, _) | (_, None) => dataset,
    };
    let filter = plan.computation.filter.as_ref().and_then(|filter| written(filter, known));
    let rows = TermWriter { known };
    let condition = filter.map(|filter| format!(" WHERE {}", rows.filter(&filter, false)));
    let table = format!("FROM {table}{}", condition.unwrap_or_default());
    let unnamed = RefCell::new(unnamed(plan));
    let writer = Writer { plan, rows, table, unnamed };
    let shown = plan.layout.outputs.iter().filter(|output| !output.value.is_hidden());
    let mut items: Vec<_> = shown.map(|output| writer.item(output)).collect();
    let kept = kept(&plan.layout);
    let after = plan.layout.shown.after.and_then(|place| plan.layout.outputs.get(place));
    items.extend(after.and_then(|output| writer.truth(&output.value)).map(|truth| format!("({truth}) AS {kept}")));
    let distinct = if plan.layout.shown.distinct.is_some() { "DISTINCT " } else { "" };
    let own = if after.is_some() { "" } else { distinct };
    let mut sql = format!("SELECT {own}{} {}", items.join(", "), writer.table);
    if let Some(text) = &plan.computation.text {
        let key = writer.rows.term(&Term::Column(text.column));
        let set = |set: &Vec<usize>| if set.is_empty() { "()".to_owned() } else { format!("({key})") };
        match &plan.layout.sets {
            None => sql.push_str(&format!(" GROUP BY {key}")),
            Some(sets) => {
                let sets: Vec<_> = sets.shown.iter().map(set).collect();
                sql.push_str(&format!(" GROUP BY GROUPING SETS ({})", sets.join(", ")));
            }
        }
    }
    if !plan.computation.keys.is_empty() {
        let keys: Vec<_> = plan.computation.keys.iter().map(|key| writer.rows.term(&key.column)).collect();
        match &plan.layout.sets {
            None => sql.push_str(&format!(" GROUP BY {}", keys.join(", "))),
            Some(sets) => {
                let set = |set: &Vec<usize>| {
                    let keys: Vec<_> = set.iter().map(|key| keys[*key].as_str()).collect();
                    format!("({})", keys.join(", "))
                };
                let sets: Vec<_> = sets.shown.iter().map(set).collect();
                sql.push_str(&format!(" GROUP BY GROUPING SETS ({})", sets.join(", ")));
            }
        }
    }
    if let Some(having) = &plan.layout.shown.having {
        sql.push_str(&format!(" HAVING {}", writer.shown(having, false)));
    }
    sql.push_str(&writer.order(&plan.layout));
    if after.is_some() {
        let shown = plan.layout.outputs.iter().filter(|output| !output.value.is_hidden());
        let names: Vec<_> = shown.map(|output| identifier(&output.name)).collect();
        sql = format!("SELECT {distinct}{} FROM ({sql}) AS answer WHERE {kept}", names.join(", "));
    }
    sql.push_str(&limit(&plan.layout));
    sql
}

/// A name for the condition after windows that no output has.
fn kept(layout: &Layout) -> String {
    let mut name = "kept".to_owned();
    while layout.outputs.iter().any(|output| output.name == name) {
        name.push('_');
    }
    name
}

/// Writes LIMIT and OFFSET.
fn limit(layout: &Layout) -> String {
    let (limit, offset) = match layout.limit {
        Limit::All => (None, 0),
        Limit::First(limit) => (Some(limit), 0),
        Limit::Page { offset, limit } => (limit, offset),
    };
    let limit = limit.map(|limit| format!(" LIMIT {limit}")).unwrap_or_default();
    let offset = if offset > 0 { format!(" OFFSET {offset}") } else { String::new() };
    format!("{limit}{offset}")
}

/// Writes the dataset with its joined tables.
fn joined(plan: &Plan, terms: &Terms) -> String {
    let unit = identifier(terms.unit_column().unwrap_or("row"));
    let join = |(place, is_left): &(usize, bool)| {
        let left = if *is_left { " LEFT" } else { "" };
        format!("{left} JOIN {} USING ({unit})", identifier(&terms.joins[*place].name))
    };
    let joins: Vec<_> = plan.joins.iter().map(join).collect();
    format!("{}{}", identifier(&plan.dataset), joins.concat())
}

pub(super) struct Writer<'a> {
    pub(super) plan: &'a Plan,
    pub(super) rows: TermWriter<'a>,
    /// FROM with WHERE, for totals over the same rows.
    pub(super) table: String,
    /// Columns of the table with one row per unit that nothing of the plan reads.
    unnamed: RefCell<Vec<String>>,
}

/// The columns of the table with one row per unit that are in the question's identity although nothing reads them: they are never missing,
/// and were counted.
fn unnamed(plan: &Plan) -> Vec<String> {
    let (Some(units), Some(seen)) = (&plan.computation.units, &plan.seen) else { return Vec::new() };
    let computation = &plan.computation;
    let mut used = BTreeSet::new();
    computation.filter.iter().for_each(|filter| filter.declared(&mut used));
    computation.keys.iter().for_each(|key| key.column.declared(&mut used));
    computation.measures.iter().for_each(|measure| measure.declared(&mut used));
    let rest = (0..units.columns.len()).filter(|place| !used.contains(place));
    rest.map(|place| seen.columns[place].name.clone()).collect()
}

/// Writes where missing values stand, if it is not where PostgreSQL has them.
pub(super) fn nulls(nulls_first: bool, descending: bool) -> &'static str {
    match (nulls_first, descending) {
        (true, false) => " NULLS FIRST",
        (false, true) => " NULLS LAST",
        (true, true) | (false, false) => "",
    }
}

impl Writer<'_> {
    /// Writes the condition of a hidden output that is true where it holds.
    fn truth(&self, value: &OutputValue) -> Option<String> {
        match value {
            OutputValue::Hidden(value) => self.truth(value),
            OutputValue::Words(Words::Case(arms, _)) => arms.first().map(|(when, _)| self.shown(when, false)),
            _ => None,
        }
    }

    /// Writes ORDER BY.
    fn order(&self, layout: &Layout) -> String {
        let one = |sort: &SortKey| {
            let direction = if sort.descending { " DESC" } else { "" };
            let nulls = nulls(sort.nulls_first, sort.descending);
            format!("{}{direction}{nulls}", self.sorted(&layout.outputs[sort.output]))
        };
        if layout.order.is_empty() {
            return String::new();
        }
        format!(" ORDER BY {}", layout.order.iter().map(one).collect::<Vec<_>>().join(", "))
    }

    /// Writes what rows are sorted by.
    fn sorted(&self, output: &Output) -> String {
        match &output.value {
            OutputValue::Hidden(value) => self.value(value).0,
            _ => identifier(&output.name),
        }
    }

    fn item(&self, output: &Output) -> String {
        let (text, default) = self.value(&output.value);
        if output.name == default { text } else { format!("{text} AS {}", identifier(&output.name)) }
    }

    /// Writes a value, with the name that it has by itself.
    fn value(&self, value: &OutputValue) -> (String, &str) {
        match value {
            OutputValue::Key { index } => {
                let column = self.key(*index);
                let name = match &column {
                    Term::Column(index) => self.rows.known.columns[*index].name.as_str(),
                    Term::Made(_) => "",
                };
                (self.rows.term(&column), name)
            }
            OutputValue::Grouping { index } => (format!("GROUPING({})", self.rows.term(&self.key(*index))), "grouping"),
            OutputValue::Count { count } => (self.count(*count), "count"),
            OutputValue::Sum { sum, .. } => (format!("SUM({})", self.summed(*sum)), "sum"),
            OutputValue::Mean { sum, .. } => (format!("AVG({})", self.summed(*sum)), "avg"),
            OutputValue::Formula { formula, .. } => (self.formula(formula), ""),
            OutputValue::Words(words) => (self.words(words), ""),
            OutputValue::Hidden(value) => self.value(value),
        }
    }

    /// The term of a grouping key.
    pub(super) fn key(&self, index: usize) -> Term {
        match &self.plan.computation.text {
            Some(text) => Term::Column(text.column),
            None => self.plan.computation.keys[index].column.clone(),
        }
    }

    /// The measurement behind an output, without the keys it was measured over.
    fn base(&self, index: usize) -> &Measure {
        let vector = self.plan.layout.sets.as_ref().map_or(index, |sets| sets.measured[index].tables[0].vector);
        self.plan.computation.measures[vector].base()
    }

    fn count(&self, measure: usize) -> String {
        self.count_of(self.base(measure))
    }

    fn count_of(&self, measure: &Measure) -> String {
        let unit = || identifier(self.rows.known.unit_column().unwrap_or("row"));
        match measure {
            Measure::PrefixSums { measure, .. } => self.count_of(measure),
            Measure::NonNull { column } => format!("COUNT({})", self.rows.term(column)),
            Measure::Units => format!("COUNT(DISTINCT {})", unit()),
            Measure::UnitsWhere { filter } => {
                format!("COUNT(DISTINCT {}) FILTER (WHERE {})", unit(), self.rows.filter(filter, false))
            }
            // A column that is never missing was counted if nothing else names it.
            Measure::Rows => match self.unnamed.borrow_mut().pop() {
                Some(name) => format!("COUNT({})", identifier(&name)),
                None => "COUNT(*)".to_owned(),
            },
            Measure::Sum { .. } | Measure::Bins { .. } | Measure::Over { .. } => "COUNT(*)".to_owned(),
        }
    }

    fn summed(&self, measure: usize) -> String {
        match self.base(measure) {
            Measure::Sum { column } | Measure::NonNull { column } | Measure::Bins { column, .. } => {
                self.rows.term(column)
            }
            Measure::Rows
            | Measure::Units
            | Measure::UnitsWhere { .. }
            | Measure::PrefixSums { .. }
            | Measure::Over { .. } => "*".to_owned(),
        }
    }

    fn run(&self, run: &RunningSum) -> String {
        let count = self.count(run.vector);
        if run.is_step {
            return count;
        }
        let keys = &self.plan.computation.keys;
        // Find the key that was measured along, or the one with this stride between its groups.
        let stride = |place: usize| keys[place + 1..].iter().map(PlanKey::size).fold(1, u64::saturating_mul);
        let is_its = |place: &usize| stride(*place) == run.stride as u64 && keys[*place].size() == run.groups as u64;
        let own = match self.base(run.vector) {
            Measure::PrefixSums { key, .. } => *key,
            _ => (0..keys.len()).find(is_its).unwrap_or_default(),
        };
        let (by, others): (Vec<_>, Vec<_>) = keys.iter().enumerate().partition(|(place, _)| *place == own);
        let names = |keys: Vec<(usize, &PlanKey)>| {
            keys.into_iter().map(|(_, key)| self.rows.term(&key.column)).collect::<Vec<_>>().join(", ")
        };
        let partition = if others.is_empty() { String::new() } else { format!("PARTITION BY {} ", names(others)) };
        format!("SUM({count}) OVER ({partition}ORDER BY {})", names(by))
    }

    pub(super) fn formula(&self, formula: &Formula) -> String {
        match formula {
            Formula::Number(text) => text.clone(),
            Formula::Count(count) => self.count(*count),
            Formula::Sum(CentredSum { sum, .. }) => format!("SUM({})", self.summed(*sum)),
            Formula::Mean(CentredSum { sum, .. }, _) => format!("AVG({})", self.summed(*sum)),
            Formula::Spread(spread, squares) => {
                let word: &str = spread.into();
                format!("{}({})", word.to_uppercase(), self.rows.term(&squares.of))
            }
            Formula::Quantile(quantile) => {
                let of = self.summed(quantile.levels.first().copied().unwrap_or_default());
                format!("PERCENTILE_CONT({}) WITHIN GROUP (ORDER BY {of})", quantile.fraction)
            }
            Formula::Pair(pair, products) => {
                let word: &str = pair.into();
                let (y, x) = &products.of;
                format!("{}({}, {})", word.to_uppercase(), self.rows.term(y), self.rows.term(x))
            }
            Formula::Run(run) => self.run(run),
            Formula::Negative(of) => format!("-({})", self.formula(of)),
            Formula::Arithmetic(left, operator, right) => {
                let sign = match operator {
                    ArithmeticOperator::Plus => "+",
                    ArithmeticOperator::Minus => "-",
                    ArithmeticOperator::Times => "*",
                    ArithmeticOperator::Over => "/",
                };
                let side = |side: &Formula| match side {
                    Formula::Arithmetic(..) | Formula::Negative(_) => format!("({})", self.formula(side)),
                    other => self.formula(other),
                };
                let is_sum = |operator: &ArithmeticOperator| {
                    matches!(operator, ArithmeticOperator::Plus | ArithmeticOperator::Minus)
                };
                // Operators of equal precedence associate to the left, and products within a sum need no parentheses.
                let left = match left.as_ref() {
                    Formula::Arithmetic(_, inner, _) if is_sum(operator) || !is_sum(inner) => self.formula(left),
                    other => side(other),
                };
                format!("{left} {sign} {}", side(right))
            }
            Formula::Absolute(of) => format!("ABS({})", self.formula(of)),
            Formula::Root(of) => format!("SQRT({})", self.formula(of)),
            Formula::Round(of, decimals) => format!("ROUND({}, {decimals})", self.formula(of)),
            Formula::NullIf(left, right) => format!("NULLIF({}, {})", self.formula(left), self.formula(right)),
            // Whole keys are divided as PostgreSQL does it, and are read back so.
            Formula::Call(ScalarFunction::Trunc, parts) if matches!(&parts[..], [one @ Formula::Arithmetic(_, ArithmeticOperator::Over, _)] if one.is_number()) =>
            {
                format!("({})", parts.iter().map(|part| self.formula(part)).collect::<String>())
            }
            Formula::Call(function, parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.formula(part)).collect();
                format!("{}({})", function.word().to_uppercase(), parts.join(", "))
            }
            Formula::Case(arms, otherwise) => {
                let arms = arms.iter().map(|(when, then)| (when, self.formula(then))).collect();
                self.case(arms, &self.formula(otherwise))
            }
            Formula::Key(key) => self.rows.atom(&self.key(*key)),
            Formula::Grouping(key) => format!("GROUPING({})", self.rows.term(&self.key(*key))),
            Formula::Window(window) => self.window(window),
            Formula::Missing => "NULL".to_owned(),
        }
    }

    pub(super) fn shown(&self, having: &HavingCondition, nested: bool) -> String {
        let chain = |parts: &[HavingCondition], word: &str| {
            let parts: Vec<_> = parts.iter().map(|part| self.shown(part, true)).collect();
            let text = parts.join(word);
            if nested { format!("({text})") } else { text }
        };
        match having {
            HavingCondition::Compare(left, how, right) => {
                format!("{} {} {}", self.formula(left), sign(*how), self.formula(right))
            }
            HavingCondition::Labels(left, how, right) => {
                format!("{} {} {}", self.words(left), sign(*how), self.words(right))
            }
            HavingCondition::NoLabel(of) => format!("({}) IS NULL", self.words(of)),
            HavingCondition::Missing(of) => format!("({}) IS NULL", self.formula(of)),
            HavingCondition::Not(inner) => format!("NOT ({})", self.shown(inner, false)),
            HavingCondition::All(parts) => chain(parts, " AND "),
            HavingCondition::Any(parts) => chain(parts, " OR "),
        }
    }
}

fn sign(how: Comparison) -> &'static str {
    match how {
        Comparison::Equal => "=",
        Comparison::NotEqual => "<>",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}
