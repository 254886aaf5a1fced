//! Queries that make rows: SELECT and the operators between two of them.

use crate::query::computation::relation::{FrameBounds, Relation, RowSortKey as Order, WindowColumn, WindowFunction};
use crate::query::error::{Code, Position, QueryError, shown};
use crate::query::filter::Filter;
use crate::query::syntax::rewrite::Rewriter;
use crate::query::syntax::{
    Condition, Distinct, Expression, LiteralValue, Name, RowItem, RowOrder, RowValue, Rows, Scalar, Select, SetOperator,
};
use crate::query::term::{Operation, Term, checker};
use crate::query::terms::domain::Column;

use super::conditions::{Marking, conjuncts};
use super::resolve::Naming;
use super::scope::{Bound, Meaning, NamedRows, UnitName, VisibleColumn};
use super::{Binder, unsupported};

/// The rows of a query.
pub(super) struct Derived {
    /// The rows, with the selected columns.
    pub(super) scope: NamedRows,
    /// Conditions on a row together with a row around the query.
    pub(super) correlated: Vec<Condition>,
    /// The columns that these conditions can name: those of FROM, whatever is selected.
    pub(super) inner: Vec<VisibleColumn>,
    /// Whether the query says that its unit is that of the row around it.
    pub(super) is_of_outer_unit: bool,
    /// Whether a unit has one row at most.
    pub(super) is_single: bool,
}

impl Binder<'_> {
    /// Binds a query that makes rows; the names of `outer`, the rows around it, are visible in its WHERE.
    ///
    /// # Errors
    /// [`Code::UnsupportedSql`] if it has no unit-local reading.
    pub(super) fn rows(&self, rows: &Rows, outer: Option<&NamedRows>) -> Result<Derived, QueryError> {
        self.steps.spend(1);
        self.steps.check()?;
        match rows {
            Rows::Select(select) => self.select(select, outer),
            Rows::Listed { at, .. } => Err(unsupported(*at, "rows that a question writes itself belong to nobody")),
            Rows::Set { operator, all, left, right, at } => {
                let (left, right) = (self.rows(left, None)?, self.rows(right, None)?);
                let scope = self.combined(*operator, *all, left.scope, right.scope, *at)?;
                let is_single = scope.terms.max_rows_per_unit <= 1;
                Ok(Derived { scope, correlated: Vec::new(), inner: Vec::new(), is_of_outer_unit: false, is_single })
            }
        }
    }

    fn select(&self, select: &Select, outer: Option<&NamedRows>) -> Result<Derived, QueryError> {
        let mut conditions = select.condition.clone().map(conjuncts).unwrap_or_default();
        let mut scope = match self.source(&select.from, &mut conditions)? {
            Bound::Units(scope) => *scope,
            Bound::Joined(table) => self.joined_alone(&table),
            Bound::Public(public) => {
                let message = format!("\"{}\" is public, and its rows belong to nobody", shown(&public.name));
                return Err(unsupported(select.at, message));
            }
        };
        let (mut correlated, mut is_of_outer_unit) = (Vec::new(), false);
        for condition in conditions {
            match outer.map(|outer| self.looks_out(&condition, &scope, outer)).transpose()? {
                Some(LooksOut::Unit) => is_of_outer_unit = true,
                Some(LooksOut::Columns) => correlated.push(condition),
                Some(LooksOut::No) | None => self.restrict(&mut scope, condition)?,
            }
        }
        let mut items = self.items(select, &scope)?;
        let is_grouped = !select.keys.is_empty() || select.having.is_some() || has_aggregate(&items)?;
        let mut having = select.having.clone();
        let mut qualify = self.qualifying(select, &items, &scope)?;
        let mut order = select.order.clone();
        let (mut distinct, mut is_single) = (select.distinct.clone(), false);
        if is_grouped {
            if !correlated.is_empty() {
                return Err(unsupported(select.at, "rows are compared with a row outside before they are aggregated"));
            }
            let (items, having, qualify, order) = (&mut items, &mut having, &mut qualify, &mut order);
            let mut parts = super::groups::GroupParts { items, having, qualify, order };
            is_single = self.group(&mut scope, select, &mut parts, is_of_outer_unit)?;
        } else {
            for item in &mut items {
                item.value.rewrite(&mut Marking { binder: self, scope: &mut scope })?;
            }
        }
        if let Some(having) = having {
            for part in conjuncts(having) {
                self.restrict(&mut scope, part)?;
            }
            self.counted(&mut scope, select.at)?;
        }
        let width = scope.terms.columns.len();
        let mut parts =
            WindowedParts { items: &mut items, order: &mut order, distinct: &mut distinct, qualify: &mut qualify };
        self.windows(&mut scope, &mut parts)?;
        let is_chosen = width < scope.terms.columns.len() || matches!(distinct, Distinct::On(_));
        if is_chosen && !correlated.is_empty() {
            return Err(unsupported(select.at, "rows are compared with a row outside before a window sees them"));
        }
        if let Some(qualify) = qualify {
            for part in conjuncts(qualify) {
                self.restrict(&mut scope, part)?;
            }
            self.counted(&mut scope, select.at)?;
        }
        let inner = scope.columns.clone();
        if let Distinct::On(keys) = &distinct {
            self.first_of(&mut scope, keys, &order, select.at)?;
            is_single |= scope.terms.max_rows_per_unit <= 1;
        }
        let mut selected = self.selected(&scope, items)?;
        // Whether a row is there does not depend on how often it is.
        if distinct == Distinct::All && correlated.is_empty() {
            selected = self.distinct(selected, select.at)?;
        }
        is_single |= selected.terms.max_rows_per_unit <= 1;
        Ok(Derived { scope: selected, correlated, inner, is_of_outer_unit, is_single })
    }

    /// The condition of QUALIFY, in which a name that is no column's stands for the selected item of that name.
    fn qualifying(
        &self,
        select: &Select,
        items: &[SelectedItem],
        scope: &NamedRows,
    ) -> Result<Option<Condition>, QueryError> {
        let Some(mut qualify) = select.qualify.clone() else { return Ok(None) };
        qualify.rewrite(&mut ItemNames { items, scope })?;
        Ok(Some(qualify))
    }

    /// Whether a condition names columns of the rows around a query.
    fn looks_out(&self, condition: &Condition, inner: &NamedRows, outer: &NamedRows) -> Result<LooksOut, QueryError> {
        let mut finding = Finding { inner, outer, found: false };
        condition.clone().rewrite(&mut finding)?;
        if !finding.found {
            return Ok(LooksOut::No);
        }
        if let Condition::Compare(one, crate::query::syntax::Comparison::Equal, other) = condition {
            let unit = |scope: &NamedRows, expression: &Expression| match &expression.value {
                Scalar::Column(name) => matches!(scope.meaning(name), Ok(Some(Meaning::Unit(_)))),
                _ => false,
            };
            let inner_only = |expression: &Expression| unit(inner, expression);
            let outer_only = |expression: &Expression| {
                let is_inner = match &expression.value {
                    Scalar::Column(name) => matches!(inner.meaning(name), Ok(Some(_))),
                    _ => true,
                };
                !is_inner && unit(outer, expression)
            };
            if (inner_only(one) && outer_only(other)) || (inner_only(other) && outer_only(one)) {
                return Ok(LooksOut::Unit);
            }
        }
        Ok(LooksOut::Columns)
    }

    /// The selected items, with `*` written out.
    fn items(&self, select: &Select, scope: &NamedRows) -> Result<Vec<SelectedItem>, QueryError> {
        let mut items = Vec::with_capacity(select.items.len());
        for RowItem { value, alias, at } in &select.items {
            match value {
                RowValue::Expression(expression) => {
                    let name = alias.as_ref().map_or_else(|| default_name(expression), |alias| alias.text.clone());
                    items.push(SelectedItem { value: expression.clone(), name });
                }
                RowValue::Wildcard(of) => {
                    let of = of.as_ref().map(|of| of.text.clone());
                    let before = items.len();
                    for (is_unit, index) in scope.order() {
                        let (table, name) = match is_unit {
                            true => (&scope.units[index].of, &scope.units[index].name),
                            false => (&scope.columns[index].of, &scope.columns[index].name),
                        };
                        let is_wanted = of.is_none() || *table == of;
                        let is_merged = !is_unit && of.is_none() && scope.columns[index].is_merged;
                        if is_wanted && !is_merged && !name.starts_with('\u{1}') {
                            let column = Name { of: table.clone(), text: name.clone(), at: *at };
                            items.push(SelectedItem { value: Expression::column(column), name: name.clone() });
                        }
                    }
                    if items.len() == before {
                        let table = of.unwrap_or_default();
                        let message = format!("FROM names no table \"{}\"", shown(&table));
                        return Err(QueryError::at(Code::UnsupportedSql, *at, message));
                    }
                }
            }
        }
        Ok(items)
    }

    /// The scope in which the items are the columns.
    fn selected(&self, scope: &NamedRows, items: Vec<SelectedItem>) -> Result<NamedRows, QueryError> {
        let known = scope.context(&self.steps);
        let (mut columns, mut units) = (Vec::new(), Vec::new());
        for (place, mut item) in items.into_iter().enumerate() {
            if let Scalar::Column(name) = &item.value.value
                && let Some(Meaning::Unit(unit)) = scope.meaning(name)?
            {
                units.push(UnitName { of: None, name: item.name, presence: unit.presence, place });
                continue;
            }
            item.value.rewrite(&mut Naming { scope })?;
            let term = match &item.value.value {
                Scalar::Constant(LiteralValue::Text(text)) => {
                    let labels = vec![text.clone()];
                    Term::of(Operation::Choice { whens: Vec::new(), otherwise: Some(0), labels })
                }
                _ => checker::typed(&item.value, &known)?,
            };
            columns.push(VisibleColumn { of: None, name: item.name, term, is_merged: false, place });
        }
        // What tells whether a side of a left join is there stays, without a name that can be written.
        let hidden = scope.columns.iter().filter(|column| column.name.starts_with('\u{1}')).cloned();
        let is_needed = units.iter().any(|unit| unit.presence.is_some());
        columns.extend(hidden.filter(|_| is_needed));
        drop(known);
        Ok(NamedRows { columns, units, ..scope.clone() })
    }

    /// Merges rows that are equal in all columns.
    fn distinct(&self, scope: NamedRows, at: Position) -> Result<NamedRows, QueryError> {
        if scope.units.is_empty() {
            let unit = self.terms.unit_column().unwrap_or("row");
            return Err(unsupported(at, "DISTINCT would merge the rows of different people")
                .hint(format!("write SELECT DISTINCT {unit}, … for the values of each person")));
        }
        let keys: Vec<Term> = scope.columns.iter().map(|column| column.term.clone()).collect();
        let relation = Relation::Group { of: Box::new(self.relation(&scope)), keys, columns: Vec::new() };
        let terms = self.terms_of(&relation, at)?;
        let named = scope.columns.iter().zip(&terms.columns);
        let named = named.map(|(known, column)| Column { name: known.name.clone(), ..column.clone() }).collect();
        let terms = terms.with(named, terms.max_rows_per_unit, terms.max_rows);
        let column = |(index, column): (usize, VisibleColumn)| VisibleColumn { term: Term::Column(index), ..column };
        let columns = scope.columns.into_iter().enumerate().map(column).collect();
        let (units, joins, is_partial) = (scope.units, Vec::new(), scope.is_partial);
        Ok(NamedRows { relation, filter: None, terms, columns, units, joins, is_partial })
    }

    /// Of the rows that are equal in the keys of `DISTINCT ON`, keeps the first one.
    fn first_of(
        &self,
        scope: &mut NamedRows,
        keys: &[Expression],
        order: &[crate::query::syntax::RowOrder],
        at: Position,
    ) -> Result<(), QueryError> {
        let (mut partition, mut has_unit) = (Vec::new(), false);
        for key in keys {
            match self.partition_key(scope, key)? {
                None => has_unit = true,
                Some(term) => partition.push(term),
            }
        }
        if !has_unit {
            let unit = self.terms.unit_column().unwrap_or("row");
            return Err(unsupported(at, "DISTINCT ON would choose between the rows of different people")
                .hint(format!("write DISTINCT ON ({unit}, …)")));
        }
        let order = self.row_order(scope, order)?;
        // Keys of the partition do not order its rows.
        let order: Vec<Order> = order.into_iter().filter(|order| !partition.contains(&order.by)).collect();
        let column = WindowColumn { function: WindowFunction::RowNumber, partition, order, frame: FrameBounds::WHOLE };
        let place = self.add_windows(scope, vec![column], at)?;
        let stored = 1 - scope.terms.grid(place).map_or(0, |grid| grid.centre());
        scope.add(Filter::Range { column: Term::Column(place), low: stored, high: stored }, &self.steps);
        self.counted(scope, at)
    }

    fn combined(
        &self,
        operator: SetOperator,
        all: bool,
        left: NamedRows,
        right: NamedRows,
        at: Position,
    ) -> Result<NamedRows, QueryError> {
        let (one, other) = (left.order(), right.order());
        let shape = |order: &[(bool, usize)]| order.iter().map(|(is_unit, _)| *is_unit).collect::<Vec<_>>();
        if shape(&one) != shape(&other) {
            return Err(unsupported(
                at,
                "both sides select the unit and the same number of columns, in the same order",
            ));
        }
        let has_unit = one.iter().any(|(is_unit, _)| *is_unit);
        if !(has_unit || operator == SetOperator::Union && all) {
            let unit = self.terms.unit_column().unwrap_or("row");
            return Err(unsupported(at, "rows of different people would be compared")
                .hint(format!("write SELECT {unit}, … on both sides")));
        }
        match operator {
            SetOperator::Union => {
                let (one, other) = (self.mapped(&left), self.mapped(&right));
                let relation = Relation::Union { parts: vec![one, other] };
                let terms = self.terms_of(&relation, at)?;
                let named = left.columns.iter().zip(&terms.columns);
                let named =
                    named.map(|(known, column)| Column { name: known.name.clone(), ..column.clone() }).collect();
                let terms = terms.with(named, terms.max_rows_per_unit, terms.max_rows);
                let column =
                    |(index, column): (usize, VisibleColumn)| VisibleColumn { term: Term::Column(index), ..column };
                let columns = left.columns.into_iter().enumerate().map(column).collect();
                let (units, joins) = (left.units, Vec::new());
                let is_partial = left.is_partial || right.is_partial;
                let scope = NamedRows { relation, filter: None, terms, columns, units, joins, is_partial };
                if all { Ok(scope) } else { self.distinct(scope, at) }
            }
            SetOperator::Intersect | SetOperator::Except => {
                if all {
                    return Err(unsupported(at, "INTERSECT ALL and EXCEPT ALL are not supported")
                        .hint("write INTERSECT or EXCEPT"));
                }
                if !left.columns.is_empty() {
                    let unit = self.terms.unit_column().unwrap_or("row");
                    return Err(unsupported(at, "sets of people are compared, and not of their values")
                        .hint(format!("write SELECT {unit} alone on both sides")));
                }
                let mut scope = self.distinct(left, at)?;
                let (of, other) = (Box::new(scope.relation.clone()), Box::new(self.relation(&right)));
                let is_anti = operator == SetOperator::Except;
                scope.relation = Relation::Semi { of, other, on: None, is_anti };
                scope.is_partial &= is_anti || right.is_partial;
                Ok(scope)
            }
        }
    }

    /// The rows of a scope with its visible columns alone.
    pub(super) fn mapped(&self, scope: &NamedRows) -> Relation {
        let columns: Vec<Term> = scope.columns.iter().map(|column| column.term.clone()).collect();
        Relation::Map { of: Box::new(self.relation(scope)), columns }
    }
}

/// A selected item, with its name.
pub(super) struct SelectedItem {
    pub(super) value: Expression,
    pub(super) name: String,
}

/// The parts of a query in which window functions may stand.
pub(super) struct WindowedParts<'p> {
    pub(super) items: &'p mut [SelectedItem],
    pub(super) order: &'p mut [RowOrder],
    pub(super) distinct: &'p mut Distinct,
    pub(super) qualify: &'p mut Option<Condition>,
}

enum LooksOut {
    /// All names are those of the query's own rows.
    No,
    /// It compares the unit with that of the row around.
    Unit,
    /// It names columns of the row around.
    Columns,
}

/// Looks for names that only the rows around a query have.
struct Finding<'a> {
    inner: &'a NamedRows,
    outer: &'a NamedRows,
    found: bool,
}

impl Rewriter for Finding<'_> {
    fn expression(&mut self, expression: &mut Expression) -> Result<bool, QueryError> {
        if let Scalar::Column(name) = &expression.value {
            let is_inner = !matches!(self.inner.meaning(name), Ok(None));
            self.found |= !is_inner && matches!(self.outer.meaning(name), Ok(Some(_)));
        }
        Ok(false)
    }

    fn condition(&mut self, _condition: &mut Condition) -> Result<bool, QueryError> {
        Ok(false)
    }
}

/// Replaces names of selected items by the items.
struct ItemNames<'a> {
    items: &'a [SelectedItem],
    scope: &'a NamedRows,
}

impl Rewriter for ItemNames<'_> {
    fn expression(&mut self, expression: &mut Expression) -> Result<bool, QueryError> {
        if let Scalar::Column(name) = &expression.value
            && name.of.is_none()
            && self.scope.meaning(name)?.is_none()
            && let Some(item) = self.items.iter().find(|item| item.name == name.text)
        {
            *expression = item.value.clone();
            return Ok(true);
        }
        Ok(false)
    }

    fn condition(&mut self, _condition: &mut Condition) -> Result<bool, QueryError> {
        Ok(false)
    }
}

/// Looks for aggregates outside of windows.
struct Aggregates {
    found: bool,
}

impl Rewriter for Aggregates {
    fn expression(&mut self, expression: &mut Expression) -> Result<bool, QueryError> {
        self.found |= matches!(expression.value, Scalar::Aggregate(_));
        Ok(false)
    }

    fn condition(&mut self, _condition: &mut Condition) -> Result<bool, QueryError> {
        Ok(false)
    }
}

fn has_aggregate(items: &[SelectedItem]) -> Result<bool, QueryError> {
    let mut looking = Aggregates { found: false };
    for item in items {
        item.value.clone().rewrite(&mut looking)?;
    }
    Ok(looking.found)
}

fn default_name(expression: &Expression) -> String {
    match &expression.value {
        Scalar::Column(name) => name.text.clone(),
        _ => crate::query::plan::names::key_name(expression),
    }
}
