//! The table of a UNION: columns by their position, with the names of the first query, and what its rows are sorted by.
//!
//! Promises columns of one kind each: labels of one kind, or estimates. A number that is known exactly stands among estimates as one without
//! an error.

use std::collections::HashSet;
use std::ops::Range;

use crate::kernel::privacy::amounts::unscaled;
use crate::query::answer::formula::{Formula, Range as Values, Words};
use crate::query::answer::{Label, Layout, Limit, Output, OutputValue, ShownGroups, SortKey, UnionArm};
use crate::query::error::{Code, Position, QueryError, shown};
use crate::query::syntax::{OrderBy, OrderItem, Query, Scalar};
use crate::query::terms::domain::DECIMALS;

/// Lays out the union of several answers.
///
/// # Errors
/// [`Code::UnsupportedSql`] if their columns do not fit together, if rows of a `UNION` without ALL could be equal, or if ORDER BY names no
/// column.
pub(super) fn layout(query: &Query, mut arms: Vec<UnionArm>, distinct: &[Range<usize>]) -> Result<Layout, QueryError> {
    let at = query.dataset.at;
    let names: Vec<String> =
        arms.first().map(|arm| visible(&arm.layout).map(|one| one.name.clone()).collect()).unwrap_or_default();
    for (place, arm) in arms.iter_mut().enumerate() {
        let count = visible(&arm.layout).count();
        if count != names.len() {
            let message = format!(
                "each query of a UNION has the same number of columns: query 1 has {}, and query {} has {count}",
                names.len(),
                place + 1
            );
            return Err(QueryError::at(Code::UnsupportedSql, at, message));
        }
        rename(&mut arm.layout, &names);
    }
    for range in distinct {
        check_distinct(&arms[range.clone()], at)?;
    }
    let mut outputs = Vec::with_capacity(names.len());
    for (place, name) in names.into_iter().enumerate() {
        let value = column(&mut arms, place, &name, at)?;
        outputs.push(Output { name, value });
    }
    check_names(query, &outputs)?;
    let order = query.order.iter().map(|one| sorted(one, &outputs)).collect::<Result<_, _>>()?;
    Ok(Layout {
        keys: Vec::new(),
        sets: None,
        outputs,
        shown: ShownGroups::default(),
        small: None,
        order,
        limit: Limit::new(query.limit, query.offset),
        arms,
    })
}

/// The outputs that are shown, which stand before all others.
fn visible(layout: &Layout) -> impl Iterator<Item = &Output> {
    layout.outputs.iter().filter(|output| !output.value.is_hidden())
}

fn rename(layout: &mut Layout, names: &[String]) {
    for (output, name) in layout.outputs.iter_mut().zip(names) {
        output.name.clone_from(name);
    }
    layout.arms.iter_mut().for_each(|arm| rename(&mut arm.layout, names));
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ColumnContent {
    /// NULL in every row.
    Nothing,
    Text,
    Boolean,
    Integer,
    Decimal,
    Count,
    Sum,
    Mean,
    Formula,
}

impl ColumnContent {
    /// The kind of a label.
    fn label(label: Option<&Label>) -> Self {
        match label {
            None | Some(Label::Missing) => Self::Nothing,
            // A day is shown as text beside texts.
            Some(Label::Text(_) | Label::Date(_)) => Self::Text,
            Some(Label::Boolean(_)) => Self::Boolean,
            Some(Label::Integer(_)) => Self::Integer,
            Some(Label::Decimal(_)) => Self::Decimal,
        }
    }

    /// What a column of an answer holds.
    fn of(layout: &Layout, place: usize) -> Self {
        if !layout.arms.is_empty() {
            let all = layout.arms.iter().map(|arm| Self::of(&arm.layout, place));
            return all.reduce(Self::both).unwrap_or(Self::Nothing);
        }
        match &layout.outputs[place].value {
            OutputValue::Key { index } => {
                Self::label(layout.keys[*index].iter().find(|label| **label != Label::Missing))
            }
            OutputValue::Words(words) => Self::label(words.example(&layout.keys)),
            OutputValue::Grouping { .. } => Self::Integer,
            OutputValue::Count { .. } => Self::Count,
            OutputValue::Sum { .. } => Self::Sum,
            OutputValue::Mean { .. } => Self::Mean,
            OutputValue::Formula { formula: Formula::Missing, .. } | OutputValue::Hidden(_) => Self::Nothing,
            OutputValue::Formula { .. } => Self::Formula,
        }
    }

    fn is_estimate(self) -> bool {
        matches!(self, Self::Count | Self::Sum | Self::Mean | Self::Formula)
    }

    /// What is held by a column with the values of both, which fit together.
    fn both(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (Self::Nothing, other) | (other, Self::Nothing) => other,
            (Self::Integer, Self::Decimal) | (Self::Decimal, Self::Integer) => Self::Decimal,
            _ => Self::Formula,
        }
    }

    /// Whether values of both can stand in one column, as in PostgreSQL.
    fn fits(self, other: Self) -> bool {
        let is_number = |held: Self| held.is_estimate() || matches!(held, Self::Integer | Self::Decimal);
        self == other || self == Self::Nothing || other == Self::Nothing || (is_number(self) && is_number(other))
    }

    fn words(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Text => "a text",
            Self::Boolean => "a truth value",
            Self::Integer | Self::Decimal | Self::Count | Self::Sum | Self::Mean | Self::Formula => "a number",
        }
    }
}

/// The value that stands for a column of a union, whose values in all queries are brought to one kind.
fn column(arms: &mut [UnionArm], place: usize, name: &str, at: Position) -> Result<OutputValue, QueryError> {
    let mut held = ColumnContent::Nothing;
    for (number, arm) in arms.iter().enumerate() {
        let other = ColumnContent::of(&arm.layout, place);
        if !held.fits(other) {
            let message = format!(
                "column {} of a UNION, \"{}\", is {} in query {}, and {} before",
                place + 1,
                shown(name),
                other.words(),
                number + 1,
                held.words()
            );
            return Err(QueryError::at(Code::UnsupportedSql, at, message));
        }
        held = held.both(other);
    }
    if !held.is_estimate() {
        let label = match held {
            ColumnContent::Text => Label::Text(String::new()),
            ColumnContent::Boolean => Label::Boolean(false),
            ColumnContent::Integer => Label::Integer(0),
            ColumnContent::Decimal => Label::Decimal(0),
            ColumnContent::Nothing
            | ColumnContent::Count
            | ColumnContent::Sum
            | ColumnContent::Mean
            | ColumnContent::Formula => Label::Missing,
        };
        arms.iter_mut().for_each(|arm| labelled(&mut arm.layout, place, &label));
        return Ok(OutputValue::Words(Words::Label(label)));
    }
    let is_mixed = held == ColumnContent::Formula;
    for (number, arm) in arms.iter_mut().enumerate() {
        if !estimated(&mut arm.layout, place, is_mixed) {
            let message = format!(
                "column {} of a UNION, \"{}\", is chosen by CASE among numbers in query {}, and an estimate in another one, which is not built",
                place + 1,
                shown(name),
                number + 1
            );
            return Err(QueryError::at(Code::UnsupportedSql, at, message));
        }
    }
    Ok(ESTIMATE)
}

/// Stands for the estimates in a column of a union.
const ESTIMATE: OutputValue = OutputValue::Formula { formula: Formula::Missing, range: Values::WHOLE };

/// Names the kind of a column of labels in the unions within a union, too.
fn labelled(layout: &mut Layout, place: usize, label: &Label) {
    if !layout.arms.is_empty() {
        layout.outputs[place].value = OutputValue::Words(Words::Label(label.clone()));
        layout.arms.iter_mut().for_each(|arm| labelled(&mut arm.layout, place, label));
    }
    // Of an answer whose formula is NULL, no estimate is shown.
    if layout.outputs[place].value.formula() == Some(Formula::Missing) {
        layout.outputs[place].value = OutputValue::Words(Words::Label(Label::Missing));
    }
}

/// Makes a column an estimate in an answer: NULL and numbers that are known exactly, and, if the kinds of estimates are mixed, all of them.
/// Returns whether it could be made one.
fn estimated(layout: &mut Layout, place: usize, is_mixed: bool) -> bool {
    if !layout.arms.is_empty() {
        layout.outputs[place].value = ESTIMATE;
        return layout.arms.iter_mut().all(|arm| estimated(&mut arm.layout, place, is_mixed));
    }
    let value = &mut layout.outputs[place].value;
    let range = match value {
        OutputValue::Formula { range, .. } => *range,
        OutputValue::Mean { grid, .. } => {
            let (low, high) = grid.bounds();
            Values::new(low, high)
        }
        OutputValue::Key { .. }
        | OutputValue::Grouping { .. }
        | OutputValue::Count { .. }
        | OutputValue::Sum { .. }
        | OutputValue::Words(_)
        | OutputValue::Hidden(_) => Values::WHOLE,
    };
    let formula = match &*value {
        OutputValue::Key { index } | OutputValue::Words(Words::Key(index)) => Some(Formula::Key(*index)),
        OutputValue::Grouping { index } => Some(Formula::Grouping(*index)),
        OutputValue::Words(Words::Label(label)) => exact(label),
        OutputValue::Words(Words::Case(..)) => None,
        other if is_mixed => other.formula(),
        OutputValue::Count { .. }
        | OutputValue::Sum { .. }
        | OutputValue::Mean { .. }
        | OutputValue::Formula { .. }
        | OutputValue::Hidden(_) => return true,
    };
    let Some(formula) = formula else { return false };
    *value = OutputValue::Formula { formula, range };
    true
}

/// A label as a number.
fn exact(label: &Label) -> Option<Formula> {
    match label {
        Label::Integer(value) => Some(Formula::Number(value.to_string())),
        Label::Decimal(nanos) => Some(Formula::Number(unscaled(*nanos, DECIMALS))),
        Label::Missing => Some(Formula::Missing),
        Label::Boolean(_) | Label::Text(_) | Label::Date(_) => None,
    }
}

/// Checks that no two rows of the queries of a `UNION` without ALL can be equal: each shows all of its keys, and one column holds other labels
/// in each of them.
fn check_distinct(arms: &[UnionArm], at: Position) -> Result<(), QueryError> {
    let shows_keys = |layout: &Layout| {
        let shown: HashSet<usize> = visible(layout).filter_map(|output| key(&output.value)).collect();
        layout.sets.is_none() && layout.arms.is_empty() && (0..layout.keys.len()).all(|key| shown.contains(&key))
    };
    let columns = arms.first().map_or(0, |arm| visible(&arm.layout).count());
    let is_told_apart = |place: usize| {
        let mut all: HashSet<&Label> = HashSet::new();
        arms.iter().all(|arm| {
            let layout = &arm.layout;
            match &layout.outputs[place].value {
                OutputValue::Words(Words::Label(label)) => all.insert(label),
                value => key(value).is_some_and(|key| layout.keys[key].iter().all(|label| all.insert(label))),
            }
        })
    };
    if arms.iter().all(|arm| shows_keys(&arm.layout)) && (0..columns).any(is_told_apart) {
        return Ok(());
    }
    let message = "UNION without ALL leaves one of rows that are equal, and which noisy rows are equal is chance: here some could be";
    Err(QueryError::at(Code::UnsupportedSql, at, message).hint("write UNION ALL, which leaves all rows"))
}

/// The key whose labels a value is.
fn key(value: &OutputValue) -> Option<usize> {
    match value {
        OutputValue::Key { index } | OutputValue::Words(Words::Key(index)) => Some(*index),
        OutputValue::Formula { formula: Formula::Key(index), .. } => Some(*index),
        _ => None,
    }
}

/// Checks that the names of columns and of the columns beside them are all distinct.
pub(super) fn check_names(query: &Query, outputs: &[Output]) -> Result<(), QueryError> {
    let mut taken = HashSet::new();
    for output in outputs {
        for column in super::names::columns(output) {
            if !taken.insert(column.clone()) {
                let message = format!("two columns of the answer would be named \"{}\"", shown(&column));
                return Err(QueryError::at(Code::UnsupportedSql, query.dataset.at, message)
                    .hint("write AS and another name behind one of them"));
            }
        }
    }
    Ok(())
}

/// The column that the rows of a union are sorted by.
fn sorted(order: &OrderItem, outputs: &[Output]) -> Result<SortKey, QueryError> {
    let named = |text: &str| outputs.iter().position(|output| output.name == text);
    let place = match &order.by {
        OrderBy::Name(text) => named(text),
        OrderBy::Ordinal(n) => usize::try_from(*n).ok().and_then(|n| n.checked_sub(1)).filter(|n| *n < outputs.len()),
        OrderBy::Key(key) => match &key.value {
            Scalar::Column(name) => named(&name.text),
            _ => None,
        },
        OrderBy::Output(_) => None,
    };
    let place = place.ok_or_else(|| {
        let names: Vec<_> = outputs.iter().map(|output| format!("\"{}\"", output.name)).collect();
        QueryError::at(
            Code::UnsupportedSql,
            order.at,
            "the rows of a UNION are sorted by columns of its first query, and this is none",
        )
        .hint(format!("the columns are {}", names.join(", ")))
    })?;
    Ok(super::names::sort(order, place))
}
