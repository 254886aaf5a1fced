//! Queries that aggregate the rows of each unit: `GROUP BY unit, …`.

use crate::query::computation::PerUnitColumn;
use crate::query::computation::relation::Relation;
use crate::query::error::{Code, QueryError, shown};
use crate::query::syntax::rewrite::Rewriter;
use crate::query::syntax::{
    Aggregate, AggregateFunction, ArithmeticOperator, Condition, Expression, Key, Name, RowOrder, Scalar, Select,
    WindowCall,
};
use crate::query::term::context::TermContext;
use crate::query::term::{Term, checker};
use crate::query::terms::domain::Column;

use super::conditions::Marking;
use super::means::mean;
use super::resolve::Naming;
use super::rows::SelectedItem;
use super::scope::{Meaning, NamedRows, VisibleColumn};
use super::{Binder, unsupported};
use crate::query::plan::subquery::aggregated;

/// The parts of a query that are worked out after its rows are grouped.
pub(super) struct GroupParts<'p> {
    pub(super) items: &'p mut [SelectedItem],
    pub(super) having: &'p mut Option<Condition>,
    pub(super) qualify: &'p mut Option<Condition>,
    pub(super) order: &'p mut [RowOrder],
}

impl GroupParts<'_> {
    pub(super) fn rewrite(&mut self, by: &mut impl Rewriter) -> Result<(), QueryError> {
        self.items.iter_mut().try_for_each(|item| item.value.rewrite(by))?;
        self.having.iter_mut().chain(self.qualify.iter_mut()).try_for_each(|having| having.rewrite(by))?;
        self.order.iter_mut().try_for_each(|order| order.by.rewrite(by))
    }
}

impl Binder<'_> {
    /// Groups the rows of a scope. Returns whether a unit has one row at most.
    ///
    /// # Errors
    /// [`Code::UnsupportedSql`] if the unit is not among the keys.
    pub(super) fn group(
        &self,
        scope: &mut NamedRows,
        select: &Select,
        parts: &mut GroupParts<'_>,
        is_of_outer_unit: bool,
    ) -> Result<bool, QueryError> {
        let keys = self.keys(scope, select, parts, is_of_outer_unit)?;
        parts.rewrite(&mut Marking { binder: self, scope })?;
        parts.rewrite(&mut Naming { scope })?;
        let mut typed: Vec<Term> = Vec::with_capacity(keys.len());
        let known = scope.context(&self.steps);
        let terms: Vec<Term> = keys.iter().map(|key| checker::typed(key, &known)).collect::<Result<_, _>>()?;
        for term in &terms {
            if !typed.contains(term) {
                typed.push(term.clone());
            }
        }
        // The order of keys does not matter.
        typed.sort();
        drop(known);
        self.choose(scope, parts, &typed)?;
        let known = scope.context(&self.steps);
        let place = |term: &Term| typed.iter().position(|known| known == term).unwrap_or_default();
        let named: Vec<(Expression, String)> =
            keys.iter().zip(&terms).map(|(key, term)| (key.clone(), format!("\u{1}k{}", place(term)))).collect();
        let mut collecting = Collecting {
            binder: self,
            scope: &*scope,
            known: &known,
            keys: named,
            columns: Vec::new(),
            size: typed.len(),
        };
        parts.rewrite(&mut collecting)?;
        let Collecting { columns, .. } = collecting;
        drop(known);
        let relation = Relation::Group { of: Box::new(self.relation(scope)), keys: typed.clone(), columns };
        let made = self.terms_of(&relation, select.at)?;
        let (names, mut visible) = self.grouped_columns(scope, &typed, &relation);
        let named = made.columns.iter().zip(&names);
        let named = named.map(|(column, name)| Column { name: name.clone(), ..column.clone() }).collect();
        scope.terms = made.with(named, made.max_rows_per_unit, made.max_rows);
        let of_group = (0..scope.terms.columns.len()).map(|index| VisibleColumn {
            of: None,
            name: if index < typed.len() { format!("\u{1}k{index}") } else { format!("\u{1}a{index}") },
            term: Term::Column(index),
            is_merged: false,
            place: usize::MAX,
        });
        visible.extend(of_group);
        scope.columns = visible;
        (scope.relation, scope.filter, scope.joins) = (relation, None, std::mem::take(&mut scope.joins));
        for unit in &mut scope.units {
            unit.presence = None;
        }
        Ok(scope.terms.max_rows_per_unit <= 1)
    }

    /// The keys of GROUP BY beside the unit, which is among them or is that of the row around the query.
    fn keys(
        &self,
        scope: &mut NamedRows,
        select: &Select,
        parts: &GroupParts<'_>,
        is_of_outer_unit: bool,
    ) -> Result<Vec<Expression>, QueryError> {
        let (mut keys, mut has_unit) = (Vec::new(), is_of_outer_unit);
        for key in &select.keys {
            let mut key = self.key(key, parts.items, scope)?;
            key.rewrite(&mut Marking { binder: self, scope })?;
            if let Scalar::Column(name) = &key.value
                && let Some(Meaning::Unit(_)) = scope.meaning(name)?
            {
                has_unit = true;
                continue;
            }
            key.rewrite(&mut Naming { scope })?;
            keys.push(key);
        }
        if has_unit {
            return Ok(keys);
        }
        if select.keys.is_empty() {
            return Err(unsupported(select.at, super::OF_MANY_PEOPLE)
                .hint("ask for its value first, and write that number here"));
        }
        Err(unsupported(select.at, super::OF_MANY_UNITS))
    }

    /// A key of GROUP BY; an ordinal stands for the selected item, and so does an alias that is no column's name.
    fn key(&self, key: &Key, items: &[SelectedItem], scope: &NamedRows) -> Result<Expression, QueryError> {
        match key {
            Key::By(expression) => {
                if let Scalar::Column(name) = &expression.value
                    && name.of.is_none()
                    && scope.meaning(name)?.is_none()
                    && let Some(item) = items.iter().find(|item| item.name == name.text)
                {
                    return Ok(item.value.clone());
                }
                Ok(expression.clone())
            }
            Key::Ordinal(ordinal, at) => {
                let item = usize::try_from(*ordinal).ok().and_then(|n| items.get(n.checked_sub(1)?));
                item.map(|item| item.value.clone()).ok_or_else(|| {
                    let message = format!("GROUP BY {ordinal} names no selected column");
                    QueryError::at(Code::UnsupportedSql, *at, message)
                })
            }
        }
    }

    /// Names for messages of a group's columns, and those of its keys that are plain columns, as they were visible.
    fn grouped_columns(
        &self,
        scope: &NamedRows,
        keys: &[Term],
        relation: &Relation,
    ) -> (Vec<String>, Vec<VisibleColumn>) {
        let mut names = Vec::new();
        let mut visible = Vec::new();
        for (index, key) in keys.iter().enumerate() {
            let known = scope.columns.iter().find(|column| column.term == *key && !column.name.starts_with('\u{1}'));
            names.push(known.map_or_else(|| format!("key{index}"), |column| column.name.clone()));
            visible.extend(known.map(|column| VisibleColumn { term: Term::Column(index), ..column.clone() }));
        }
        if let Relation::Group { columns, .. } = relation {
            let own = |index: usize| scope.terms.columns[index].name.clone();
            names.extend(columns.iter().map(|column| match column {
                PerUnitColumn::Own(index) => own(*index),
                other => word(other).to_owned(),
            }));
        }
        (names, visible)
    }
}

/// The word for a column of a group.
fn word(column: &PerUnitColumn) -> &'static str {
    match column {
        PerUnitColumn::Own(_) => "value",
        PerUnitColumn::Rows | PerUnitColumn::Present(_) | PerUnitColumn::Distinct(_) => "count",
        PerUnitColumn::Sum(_) => "sum",
        PerUnitColumn::Mean(_) => "avg",
        PerUnitColumn::Least(_) => "min",
        PerUnitColumn::Greatest(_) => "max",
        PerUnitColumn::Any(_) => "bool_or",
        PerUnitColumn::Every(_) => "bool_and",
        PerUnitColumn::First { .. } => "first",
        PerUnitColumn::Spread(..) => "stddev",
        PerUnitColumn::Percentile(..) => "percentile",
    }
}

/// Replaces keys and aggregates by names of columns of the groups.
struct Collecting<'c, 'b, 'a> {
    binder: &'b Binder<'a>,
    scope: &'c NamedRows,
    known: &'c TermContext<'c>,
    keys: Vec<(Expression, String)>,
    columns: Vec<PerUnitColumn>,
    /// Number of keys, which come before the columns.
    size: usize,
}

impl Collecting<'_, '_, '_> {
    fn column(&mut self, column: PerUnitColumn) -> String {
        let place = self.columns.iter().position(|known| *known == column).unwrap_or_else(|| {
            self.columns.push(column);
            self.columns.len() - 1
        });
        format!("\u{1}a{}", self.size + place)
    }

    fn aggregate_column(&mut self, aggregate: &Aggregate) -> Result<String, QueryError> {
        // Distinct units of one unit's rows are one.
        if let AggregateFunction::CountDistinct(of) = &aggregate.function
            && let Scalar::Column(name) = &of.value
            && let Some(Meaning::Unit(_)) = self.scope.meaning(name)?
        {
            return Err(unsupported(aggregate.at, "the rows of one unit are those of one unit")
                .hint("write 1, which it always is"));
        }
        let column = aggregated(aggregate, self.known)?;
        Ok(self.column(column))
    }
}

impl Rewriter for Collecting<'_, '_, '_> {
    fn expression(&mut self, expression: &mut Expression) -> Result<bool, QueryError> {
        let at = expression.at;
        let name = |text: String| Scalar::Column(Name { of: None, text, at });
        if let Some((_, key)) = self.keys.iter().find(|(key, _)| *key == *expression) {
            expression.value = name(key.clone());
            return Ok(true);
        }
        match &expression.value {
            Scalar::Aggregate(aggregate) => {
                let aggregate = aggregate.clone();
                expression.value = name(self.aggregate_column(&aggregate)?);
                Ok(true)
            }
            Scalar::Arithmetic(above, ArithmeticOperator::Over, below) => match mean(above, below, self.known) {
                Some(aggregate) => {
                    expression.value = name(self.aggregate_column(&aggregate)?);
                    Ok(true)
                }
                None => Ok(false),
            },
            // An aggregate over a window of groups; its own arguments are aggregates of the groups' rows.
            Scalar::Window(window) => {
                let mut window = window.clone();
                if let WindowCall::Aggregate(aggregate) = &mut window.function {
                    let mut inner = aggregate.as_ref().clone();
                    inner.rewrite(self)?;
                    **aggregate = inner;
                    window.partition.iter_mut().try_for_each(|key| key.rewrite(self))?;
                    window.order.iter_mut().try_for_each(|order| order.by.rewrite(self))?;
                } else {
                    window.rewrite(self)?;
                }
                expression.value = Scalar::Window(window);
                Ok(true)
            }
            Scalar::Column(column) => {
                if let Some(Meaning::Unit(_)) = self.scope.meaning(column)? {
                    return Ok(true);
                }
                let term = checker::declared(column, self.known)?;
                let term_facts = self.known.facts(&term);
                match term {
                    // A value that is the same in all rows of a unit need not be a key.
                    Term::Column(index) if term_facts.per_unit => {
                        let text = self.column(PerUnitColumn::Own(index));
                        expression.value = name(text);
                        Ok(true)
                    }
                    _ => {
                        let unit = self.binder.terms.unit_column().unwrap_or("row");
                        let shown = shown(&column.text);
                        let message = format!("\"{shown}\" may have several values in the rows of one {unit}");
                        Err(unsupported(at, message)
                            .hint(format!("write GROUP BY {unit}, {shown} for a row of each of its values")))
                    }
                }
            }
            _ => Ok(false),
        }
    }

    fn condition(&mut self, _condition: &mut Condition) -> Result<bool, QueryError> {
        Ok(false)
    }
}
