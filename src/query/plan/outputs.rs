//! Outputs: turns selected items into measurements and output columns.

mod distinct;
mod measured;
mod ranges;
mod shown;
mod suppression;

use self::ranges::Ranges;
use self::suppression::suppression;
use super::names::{check_names, name, only_units, sort, sorted_output};
use super::planned::{OutputLookup, Planned, constant, is_constant, labelled, number, output_value, planned_as};
use std::collections::HashMap;

use super::counting::counting;
use crate::query::answer::formula::{CentredSum, Formula, HavingCondition};
use crate::query::answer::{KeyLabels, Layout, Limit, Output as Column, OutputValue, ShownGroups, SortKey};
use crate::query::computation::{Computation, Measure, PlanKey};
use crate::query::error::{Code, Position, QueryError};
use crate::query::filter::Filter;
use crate::query::syntax::{
    Aggregate, AggregateFunction, ArithmeticOperator, Condition, Expression, Item, ItemValue, Literal, Name, OrderBy,
    OrderItem, OutputExpression, Query, Scalar,
};
use crate::query::term::context::TermContext;
use crate::query::term::{Term, checker};
use crate::query::terms::domain::Grid;

/// Lays out the outputs and stores the measurements they need in `computation`, sorted and without duplicates.
pub(super) fn layout(
    query: &Query,
    sets: Option<Vec<Vec<usize>>>,
    known: &TermContext<'_>,
    computation: &mut Computation,
) -> Result<Layout, QueryError> {
    let mut making = OutputPlanner::begin(query, sets.is_some(), known, computation);
    let is_text = making.is_text;
    let mut outputs = Vec::with_capacity(query.items.len());
    for item in &query.items {
        making.at = item.at;
        let value = making.value(item)?;
        known.steps().check()?;
        outputs.push(Column { name: name(item)?, value });
    }
    if is_text {
        making.need(super::texts::units(known));
    }
    if !query.is_member {
        check_names(query, &outputs)?;
    }
    making.at = query.dataset.at;
    let mut having = query.having.as_ref().map(|having| making.shown(having, &outputs)).transpose()?;
    making.check_measured(query)?;
    let order = making.order(query, &mut outputs)?;
    let after = making.after(query, &mut outputs)?;
    let distinct = distinct::keys(query, if is_text { 1 } else { making.keys.len() }, &outputs)?;
    known.steps().check()?;
    making.check_windows(&outputs, query.dataset.at)?;
    making.share_runs(&mut outputs, &mut having);
    making.check_runs(&outputs, having.as_ref(), query.dataset.at)?;
    let mut sorted = making.measures.clone();
    sorted.sort_unstable();
    sorted.dedup();
    // Unwrap safety: `sorted` holds the same measurements.
    let to = |index: usize| sorted.binary_search(&making.measures[index]).expect("a measurement that is needed");
    outputs.iter_mut().for_each(|output| output.value.renumber(&to));
    having.iter_mut().for_each(|having| having.renumber(&to));
    let bases = match is_text && sets.is_some() {
        true => used(&mut outputs, having.as_mut(), &sorted),
        false => sorted.clone(),
    };
    computation.measures = sorted;
    let sets = match sets {
        None => None,
        Some(shown) => {
            let (measures, sets) = match is_text {
                true => super::texts::expanded(shown, &computation.measures, &bases, query)?,
                false => super::sets::expanded(shown, &computation.measures, &computation.keys, query)?,
            };
            computation.measures = measures;
            Some(sets)
        }
    };
    let rows_per_unit = if computation.units.is_some() { 1 } else { computation.rows_per_unit };
    let ranges = Ranges { bases: &bases, known, rows_per_unit };
    for output in &mut outputs {
        if let OutputValue::Formula { formula, range } = output.value.inner_mut() {
            *range = ranges.of(formula);
        }
    }
    let small = known.min_cell.map(|below| suppression(below, &bases, OutputPlanner::steps(&outputs), known));
    // Labels of a text key come with the release; those of other keys are added once their number is known to be small.
    let keys = is_text.then(KeyLabels::default).into_iter().collect();
    let limit = Limit::new(query.limit, query.offset);
    let shown = ShownGroups { having, after, distinct };
    Ok(Layout { keys, sets, outputs, shown, small, order, limit, arms: Vec::new() })
}

/// An output that is computed from those of several answers of a single row, which `named` looks up.
///
/// # Errors
/// [`Code::UnsupportedSql`] for aggregates and windows, which have no rows here.
pub(super) fn made(
    query: &Query,
    item: &Item,
    (known, computation): (&TermContext<'_>, &Computation),
    named: OutputLookup<'_>,
) -> Result<Column, QueryError> {
    let mut making = OutputPlanner::begin(query, false, known, computation);
    making.at = item.at;
    let planned = match &item.value {
        ItemValue::Output(output) => making.planned(output, named)?,
        ItemValue::Key(_) | ItemValue::Grouping(_) | ItemValue::Wildcard => Planned::Number(Formula::Missing),
    };
    known.steps().check()?;
    if !making.measures.is_empty() || making.windows > 0 {
        let message = "an aggregate outside of queries in parentheses has no rows here";
        return Err(QueryError::at(Code::UnsupportedSql, item.at, message));
    }
    Ok(Column { name: name(item)?, value: output_value(planned) })
}

/// The measurements that outputs use, in their order; outputs are renumbered to refer to this list.
fn used(outputs: &mut [Column], having: Option<&mut HavingCondition>, all: &[Measure]) -> Vec<Measure> {
    let marks = std::cell::RefCell::new(vec![false; all.len()]);
    let mark = |index: usize| {
        marks.borrow_mut()[index] = true;
        index
    };
    outputs.iter_mut().for_each(|output| output.value.renumber(&mark));
    let mut having = having;
    having.iter_mut().for_each(|having| having.renumber(&mark));
    let marks = marks.borrow().clone();
    let to = |index: usize| marks[..index].iter().filter(|used| **used).count();
    outputs.iter_mut().for_each(|output| output.value.renumber(&to));
    having.iter_mut().for_each(|having| having.renumber(&to));
    all.iter().zip(&marks).filter(|(_, used)| **used).map(|(measure, _)| measure.clone()).collect()
}

/// A number that is summed: its term, its grid, and the measurement that counts its values.
struct Summed {
    term: Term,
    grid: Grid,
    count: Measure,
}

pub(super) struct OutputPlanner<'a> {
    pub(super) known: &'a TermContext<'a>,
    pub(super) keys: Vec<PlanKey>,
    pub(super) groups: u64,
    /// Measurements, in the order in which they were first needed.
    pub(super) measures: Vec<Measure>,
    /// Index of each measurement in `measures`.
    places: HashMap<Measure, usize>,
    /// Whether the only key is a text column, whose groups are not public.
    pub(super) is_text: bool,
    /// Whether the question has several groupings.
    pub(super) has_sets: bool,
    /// Position of what is planned, for messages.
    pub(super) at: Position,
    /// Number of windows planned so far.
    pub(super) windows: usize,
    /// Whether a running sum is planned as a window: where it is an operand of a general formula.
    pub(super) is_strict: bool,
    /// Names of the outputs, while HAVING is planned.
    pub(super) names: Vec<String>,
}

impl<'a> OutputPlanner<'a> {
    /// A planner that has planned nothing yet.
    fn begin(query: &Query, has_sets: bool, known: &'a TermContext<'a>, computation: &Computation) -> Self {
        Self {
            known,
            keys: computation.keys.clone(),
            groups: computation.groups(),
            measures: Vec::new(),
            places: HashMap::new(),
            is_text: computation.text.is_some(),
            has_sets,
            at: query.dataset.at,
            windows: 0,
            is_strict: false,
            names: Vec::new(),
        }
    }
}

impl OutputPlanner<'_> {
    /// Index of a measurement, which is added if it is new.
    pub(super) fn need(&mut self, measure: Measure) -> usize {
        self.known.steps().spend(measure.weight());
        if let Some(place) = self.places.get(&measure) {
            return *place;
        }
        let place = self.measures.len();
        self.places.insert(measure.clone(), place);
        self.measures.push(measure);
        place
    }

    fn value(&mut self, item: &Item) -> Result<OutputValue, QueryError> {
        match &item.value {
            ItemValue::Key(key) => {
                if let Scalar::Constant(value) = &key.value {
                    let literal = Literal { value: value.clone(), at: key.at };
                    return constant(&literal).map(labelled);
                }
                if let Some(index) = self.key_place(key).unwrap_or_default() {
                    return Ok(OutputValue::Key { index });
                }
                self.of_keys(key, &|_| None).map(output_value)
            }
            ItemValue::Grouping(_) if self.is_text => Ok(OutputValue::Grouping { index: 0 }),
            ItemValue::Grouping(key) => {
                let term = checker::expression(key, self.known)?;
                let place = self.keys.iter().position(|key| key.column == term);
                Ok(OutputValue::Grouping { index: place.unwrap_or_default() })
            }
            ItemValue::Output(output) => self.planned(output, &|_| None).map(output_value),
            ItemValue::Wildcard => Err(QueryError::at(Code::NotAnAggregate, item.at, "only aggregates are answered")),
        }
    }

    /// Checks that something is measured or grouped.
    fn check_measured(&self, query: &Query) -> Result<(), QueryError> {
        if !self.measures.is_empty() || !self.keys.is_empty() {
            return Ok(());
        }
        if query.having.is_some() {
            let message = "HAVING is about aggregates, and there are none";
            return Err(QueryError::at(Code::UnsupportedSql, query.dataset.at, message)
                .hint("write WHERE for conditions on columns"));
        }
        let message = "nothing is aggregated";
        Err(QueryError::at(Code::NotAnAggregate, query.dataset.at, message).hint("write SELECT COUNT(*)"))
    }

    /// The sort keys of the answer, after outputs for those that are not shown were added.
    fn order(&mut self, query: &Query, outputs: &mut Vec<Column>) -> Result<Vec<SortKey>, QueryError> {
        let mut order = Vec::with_capacity(query.order.len());
        for one in &query.order {
            self.at = one.at;
            order.push(match sorted_output(one, query, outputs) {
                Some(output) => sort(one, output),
                None => {
                    let value = self.sorted_by(one, outputs)?;
                    outputs.push(Column { name: String::new(), value: OutputValue::Hidden(Box::new(value)) });
                    sort(one, outputs.len() - 1)
                }
            });
        }
        Ok(order)
    }

    /// What rows are sorted by, if it is not selected.
    fn sorted_by(&mut self, order: &OrderItem, outputs: &[Column]) -> Result<OutputValue, QueryError> {
        let unknown = |at: Position| {
            let names = outputs.iter().filter(|output| !output.name.is_empty());
            let names: Vec<_> = names.map(|output| format!("\"{}\"", output.name)).collect();
            QueryError::at(Code::UnsupportedSql, at, "ORDER BY names no output and no key")
                .hint(format!("the outputs are {}", names.join(", ")))
        };
        let named = |name: &Name| {
            let value = &outputs.iter().find(|output| output.name == name.text)?.value;
            planned_as(value)
        };
        match &order.by {
            OrderBy::Ordinal(_) => Err(unknown(order.at)),
            OrderBy::Name(text) => {
                let key = Expression::column(Name { of: None, text: text.clone(), at: order.at });
                let place = if self.known.column(text).is_some() { self.key_place(&key)? } else { None };
                place.map(|index| OutputValue::Key { index }).ok_or_else(|| unknown(order.at))
            }
            OrderBy::Key(key) => match self.key_place(key) {
                Ok(Some(index)) => Ok(OutputValue::Key { index }),
                _ => self.of_keys(key, &named).map(output_value),
            },
            OrderBy::Output(output) => self.planned(output, &named).map(output_value),
        }
    }

    pub(super) fn formula(
        &mut self,
        output: &OutputExpression,
        named: OutputLookup<'_>,
    ) -> Result<Formula, QueryError> {
        // A running sum has an interval by itself, or shifted and scaled by constants.
        let is_general = match output {
            OutputExpression::Arithmetic(left, operator, right) => {
                !is_constant(right) && (!is_constant(left) || *operator == ArithmeticOperator::Over)
            }
            OutputExpression::Absolute(_) | OutputExpression::Root(_) | OutputExpression::NullIf(..) => true,
            OutputExpression::Call(_, parts) => parts.iter().filter(|part| !is_constant(part)).count() > 1,
            OutputExpression::Window(_) => true,
            _ => false,
        };
        let before = self.is_strict;
        self.is_strict |= is_general;
        let formula = self.formula_of(output, named);
        self.is_strict = before;
        formula
    }

    fn formula_of(&mut self, output: &OutputExpression, named: OutputLookup<'_>) -> Result<Formula, QueryError> {
        let at = self.at;
        let mut of = |inner: &OutputExpression| self.planned(inner, named)?.number(at).map(Box::new);
        Ok(match output {
            OutputExpression::Aggregate(aggregate) => return self.aggregate(aggregate),
            OutputExpression::Number(literal) => Formula::Number(number(literal)?),
            OutputExpression::Negative(inner) => Formula::Negative(of(inner)?),
            OutputExpression::Arithmetic(left, operator, right) => {
                let (left, right) = (of(left)?, of(right)?);
                let is_divisor = *operator == ArithmeticOperator::Over && right.has_several();
                let (left, right) = match (left.is_number(), right.is_number()) {
                    (_, true) => (left, right),
                    (true, false) if !is_divisor => (left, right),
                    // Both intervals hold together, so that the distance between two percentiles has one.
                    _ if is_distance(&left, *operator, &right) => (left, right),
                    _ => (alone(left)?, alone(right)?),
                };
                Formula::Arithmetic(left, *operator, right)
            }
            OutputExpression::Absolute(inner) => Formula::Absolute(alone(of(inner)?)?),
            OutputExpression::Root(inner) => Formula::Root(alone(of(inner)?)?),
            OutputExpression::Round(inner, decimals) => Formula::Round(of(inner)?, *decimals),
            OutputExpression::NullIf(left, right) => Formula::NullIf(alone(of(left)?)?, alone(of(right)?)?),
            OutputExpression::Call(function, parts) => {
                let mut parts = parts.iter().map(|part| of(part).map(|part| *part)).collect::<Result<Vec<_>, _>>()?;
                if parts.iter().filter(|part| !part.is_number()).count() > 1 {
                    parts =
                        parts.into_iter().map(|part| Ok(*alone(Box::new(part))?)).collect::<Result<_, QueryError>>()?;
                }
                Formula::Call(*function, parts)
            }
            OutputExpression::Missing => Formula::Missing,
            OutputExpression::Grouping(key) => match self.key_place(key)? {
                Some(place) => Formula::Grouping(place),
                None => {
                    let message = "GROUPING takes a grouping key";
                    return Err(QueryError::at(Code::NotAnAggregate, key.at, message));
                }
            },
            OutputExpression::Window(call) => self.window(call, named)?,
            OutputExpression::Running { of, by, within } => {
                let run = if self.is_strict { None } else { self.run(of, by, within).ok() };
                match run {
                    Some(run) => Formula::Run(Box::new(run)),
                    None => self.running(of, by, within, named)?,
                }
            }
            OutputExpression::Label(_)
            | OutputExpression::Key(_)
            | OutputExpression::Named(_)
            | OutputExpression::Case(..)
            | OutputExpression::Truth(_) => return self.planned(output, named)?.number(at),
        })
    }

    fn aggregate(&mut self, aggregate: &Aggregate) -> Result<Formula, QueryError> {
        let filter = checker::narrowing(aggregate.filter.as_ref(), self.known)?;
        let at = aggregate.at;
        match &aggregate.function {
            AggregateFunction::CountRows => Ok(Formula::Count(self.need(counting(filter, None, self.known)))),
            // The unit of a row is never missing.
            AggregateFunction::Count(of) if is_unit(of, self.known) => {
                Ok(Formula::Count(self.need(counting(filter, None, self.known))))
            }
            AggregateFunction::Count(of) if let Some(any) = units_where(of, self.known) => {
                let any = Aggregate { function: AggregateFunction::CountRows, ..aggregate.clone() }.narrowed(any);
                self.aggregate(&any)
            }
            AggregateFunction::Count(of) => {
                let term = checker::expression(of, self.known)?;
                Ok(Formula::Count(self.need(counting(filter, Some(term), self.known))))
            }
            AggregateFunction::CountDistinct(Expression { value: Scalar::Column(name), .. }) => {
                self.units(name, filter)
            }
            AggregateFunction::CountDistinct(of) => Err(only_units(of.at, self.known)),
            AggregateFunction::Sum(of) => {
                let summed = self.number(of, filter.as_ref(), "SUM", at)?;
                self.sum(&summed).map(Formula::Sum)
            }
            AggregateFunction::Avg(of) => {
                let summed = self.number(of, filter.as_ref(), "AVG", at)?;
                let count = self.need(summed.count.clone());
                let sum = self.need(Measure::Sum { column: summed.term });
                let centred =
                    CentredSum { sum, count: (summed.grid.centre() != 0).then_some(count), grid: summed.grid };
                Ok(Formula::Mean(centred, count))
            }
            AggregateFunction::Spread(spread, of) => {
                let x = self.number(of, filter.as_ref(), &aggregate.function.word().to_uppercase(), at)?;
                let squares = self.squares(x, at)?;
                Ok(Formula::Spread(*spread, Box::new(squares)))
            }
            AggregateFunction::Percentile(fraction, of) => {
                if self.is_text {
                    let message = "percentiles of groups without a public list are not supported";
                    return Err(QueryError::at(Code::UnsupportedSql, at, message));
                }
                let x = self.number(of, filter.as_ref(), "PERCENTILE_CONT", at)?;
                Ok(Formula::Quantile(Box::new(self.quantile(x, number(fraction)?))))
            }
            AggregateFunction::Min(_) | AggregateFunction::Max(_) => {
                let message = format!("{} over people is one person's value", aggregate.function.word().to_uppercase());
                Err(QueryError::at(Code::UnsupportedSql, at, message))
            }
            AggregateFunction::Chosen(chosen) => Err(super::choices::over_people(chosen, at)),
            AggregateFunction::Any(_) | AggregateFunction::Every(_) | AggregateFunction::First { .. } => {
                let word = aggregate.function.word().to_uppercase();
                let message = format!("{word} over people would be told by one person's row");
                let error = QueryError::at(Code::UnsupportedSql, at, message);
                Err(match aggregate.function {
                    AggregateFunction::Any(_) if aggregate.filter.is_none() => {
                        error.hint("write COUNT(*) FILTER (WHERE …) > 0, which is told by a noisy count")
                    }
                    _ => error,
                })
            }
            AggregateFunction::Pair(pair, y, x) => {
                let products = self.products((y, x), filter, &aggregate.function.word().to_uppercase(), at)?;
                Ok(Formula::Pair(*pair, Box::new(products)))
            }
        }
    }

    fn units(&mut self, name: &Name, filter: Option<Filter>) -> Result<Formula, QueryError> {
        match self.known.unit_column() {
            Some(unit) if unit == name.text => {
                let measure = filter.map_or(Measure::Units, |filter| Measure::UnitsWhere { filter });
                Ok(Formula::Count(self.need(measure)))
            }
            Some(_) => {
                checker::declared(name, self.known)?;
                Err(only_units(name.at, self.known))
            }
            None => {
                checker::declared(name, self.known)?;
                Err(only_units(name.at, self.known))
            }
        }
    }
}

/// The condition of a CASE whose results are all the privacy unit, and so are missing where no condition is true; `None` for anything else.
pub(super) fn units_where(of: &Expression, known: &TermContext<'_>) -> Option<Condition> {
    let Scalar::Case(whens, None) = &of.value else { return None };
    let is_of_units = whens.iter().all(|(_, of)| is_unit(of, known));
    is_of_units.then(|| Condition::Any(whens.iter().map(|(when, _)| when.clone()).collect()))
}

/// Whether an expression is the privacy unit by itself.
pub(super) fn is_unit(of: &Expression, known: &TermContext<'_>) -> bool {
    matches!(&of.value, Scalar::Column(name) if known.unit_column() == Some(name.text.as_str()) && known.column(&name.text).is_none())
}

/// Whether two percentiles are added, or one is taken from the other.
fn is_distance(left: &Formula, operator: ArithmeticOperator, right: &Formula) -> bool {
    matches!((left, right), (Formula::Quantile(_), Formula::Quantile(_)))
        && matches!(operator, ArithmeticOperator::Plus | ArithmeticOperator::Minus)
}

/// Refuses percentiles and running sums as operands of general formulas: they have an interval only by themselves, or shifted and scaled by
/// constants.
pub(super) fn alone(formula: Box<Formula>) -> Result<Box<Formula>, QueryError> {
    if !formula.has_several() {
        return Ok(formula);
    }
    let message = "a percentile, a running sum or a rank is moved and stretched by numbers alone";
    Err(QueryError::whole(Code::UnsupportedSql, message)
        .hint("ask for each of them as an output of its own, and compute with them afterwards"))
}
