//! Joins: pairs of rows of the same unit, and of rows with rows of a public table.

use std::collections::BTreeSet;

use crate::query::canonical::presence;
use crate::query::computation::relation::Relation;
use crate::query::error::{Code, Position, QueryError, shown};
use crate::query::filter::Filter;
use crate::query::syntax::{Comparison, Condition, Expression, JoinOn, Name, Scalar};
use crate::query::term::{Operation, Term, checker};
use crate::query::terms::domain::Column;
use crate::query::terms::policy::Terms;

use super::conditions::conjuncts;
use super::resolve::Naming;
use super::scope::{Bound, JoinedScope, Meaning, NamedRows, VisibleColumn};
use super::sources::renamed;
use super::{Binder, unsupported};

impl Binder<'_> {
    /// Joins two sources.
    ///
    /// # Errors
    /// [`Code::UnsupportedSql`] if nothing says that the rows are those of the same unit.
    pub(super) fn joined(
        &self,
        left: Bound,
        right: Bound,
        is_left: bool,
        on: &JoinOn,
        conditions: &mut Vec<Condition>,
        at: Position,
    ) -> Result<Bound, QueryError> {
        let mut on = JoinCondition::of(on);
        match (left, right) {
            (Bound::Units(left), Bound::Units(right)) => {
                self.units(*left, *right, is_left, on, conditions, at).map(|scope| Bound::Units(Box::new(scope)))
            }
            (Bound::Units(left), Bound::Joined(table)) => {
                self.resolved(*left, table, is_left, on, conditions, at).map(|scope| Bound::Units(Box::new(scope)))
            }
            (Bound::Joined(table), Bound::Units(right)) if !is_left => {
                // An inner join has no order.
                self.resolved(*right, table, false, on, conditions, at).map(|scope| Bound::Units(Box::new(scope)))
            }
            (Bound::Joined(one), Bound::Joined(other)) if !is_left => {
                let scope = self.joined_alone(&one);
                self.resolved(scope, other, false, on, conditions, at).map(|scope| Bound::Units(Box::new(scope)))
            }
            (Bound::Joined(table), Bound::Units(_) | Bound::Joined(_)) => {
                let name = &self.terms.joins[table.place].name;
                let message = format!(
                    "\"{}\" was joined with \"{}\" when the dataset was sealed, so people without a row there are not known",
                    shown(name),
                    self.dataset
                );
                Err(unsupported(at, message).hint("where the policy declares both as [[table]], all people are known"))
            }
            (Bound::Units(left), Bound::Public(public)) => {
                self.with_public(*left, *public, is_left, on, conditions, at).map(|scope| Bound::Units(Box::new(scope)))
            }
            (Bound::Public(public), Bound::Units(right)) if !is_left => {
                on.swap();
                self.with_public(*right, *public, false, on, conditions, at).map(|scope| Bound::Units(Box::new(scope)))
            }
            (Bound::Joined(table), Bound::Public(public)) => {
                let scope = self.joined_alone(&table);
                self.with_public(scope, *public, is_left, on, conditions, at).map(|scope| Bound::Units(Box::new(scope)))
            }
            (Bound::Public(public), Bound::Joined(table)) if !is_left => {
                let scope = self.joined_alone(&table);
                self.with_public(scope, *public, false, on, conditions, at).map(|scope| Bound::Units(Box::new(scope)))
            }
            (Bound::Public(one), Bound::Public(other)) if !is_left => {
                self.both_public(*one, *other, on, conditions, at).map(|public| Bound::Public(Box::new(public)))
            }
            (Bound::Public(_), _) => {
                Err(unsupported(at, "a row of a public table without a partner belongs to nobody")
                    .hint("write JOIN: every group of a public key is in the answer, also when it is empty"))
            }
        }
    }

    /// Pairs the rows of each unit.
    fn units(
        &self,
        mut left: NamedRows,
        mut right: NamedRows,
        is_left: bool,
        on: JoinCondition,
        conditions: &mut Vec<Condition>,
        at: Position,
    ) -> Result<NamedRows, QueryError> {
        if is_left {
            right = self.with_presence(right, at)?;
        }
        let left_rows = self.relation(&left);
        let right_rows = self.relation(&right);
        let offset = left.terms.columns.len();
        let mut pair = self.side_by_side(&left, &right);
        let mut by_unit = on.is_by_unit(&left, &right);
        let mut parts = on.conditions(&mut pair, &left, &right, at)?;
        by_unit |= take_units(&mut parts, &left, &right);
        // WHERE may say what an inner join pairs.
        by_unit |= !is_left && take_units(conditions, &left, &right);
        if !by_unit {
            return Err(self.not_by_unit(&left, &right, at));
        }
        let filter = self.condition(parts, &pair)?;
        let (on, left_rows, right_rows) = split(self.terms, filter, offset, (left_rows, right_rows), is_left);
        pair.relation = Relation::Join { left: Box::new(left_rows), right: Box::new(right_rows), on, is_left };
        let terms = self.terms_of(&pair.relation, at)?;
        pair.terms = renamed(terms, &pair.terms);
        pair.is_partial |= is_left && left.is_partial;
        pair.units = std::mem::take(&mut left.units);
        let moved = |mut unit: super::scope::UnitName| {
            unit.presence = unit.presence.map(|term| term.renumbered(&|index| index + offset));
            unit
        };
        pair.units.extend(right.units.into_iter().map(moved));
        Ok(pair)
    }

    /// The columns of two scopes side by side.
    pub(super) fn side_by_side(&self, left: &NamedRows, right: &NamedRows) -> NamedRows {
        let offset = left.terms.columns.len();
        let named: Vec<Column> = left.terms.columns.iter().chain(&right.terms.columns).cloned().collect();
        let rows = left.terms.max_rows_per_unit.saturating_mul(right.terms.max_rows_per_unit);
        let terms = left.terms.with(named.into(), rows, left.terms.max_rows.max(right.terms.max_rows));
        let places = left.columns.len() + left.units.len();
        let moved = |column: &VisibleColumn| VisibleColumn {
            term: column.term.renumbered(&|index| index + offset),
            place: column.place.saturating_add(places),
            ..column.clone()
        };
        let columns = left.columns.iter().cloned().chain(right.columns.iter().map(moved)).collect();
        let relation = left.relation.clone();
        let is_partial = left.is_partial && right.is_partial;
        NamedRows { relation, filter: None, terms, columns, units: left.units.clone(), joins: Vec::new(), is_partial }
    }

    /// Adds to the right side of a left join a column that is never missing, and makes its columns plain.
    fn with_presence(&self, scope: NamedRows, at: Position) -> Result<NamedRows, QueryError> {
        let rows = self.relation(&scope);
        let used: Vec<Term> = scope.columns.iter().map(|column| column.term.clone()).collect();
        let is_plain = used.iter().all(|term| matches!(term, Term::Column(_)));
        let mut columns: Vec<Term> = match is_plain {
            true => (0..scope.terms.columns.len()).map(Term::Column).collect(),
            false => used,
        };
        let mark = columns.len();
        columns.push(Term::number(1, 0));
        let relation = Relation::Map { of: Box::new(rows), columns: columns.clone() };
        let terms = self.terms_of(&relation, at)?;
        let named = columns.iter().zip(&terms.columns).map(|(term, column)| {
            let name = scope.columns.iter().find(|known| known.term == *term).map(|known| known.name.clone());
            Column { name: name.unwrap_or_default(), ..column.clone() }
        });
        let terms = terms.with(named.collect(), terms.max_rows_per_unit, terms.max_rows);
        let place =
            |term: &Term| columns.iter().position(|known| known == term).map_or_else(|| term.clone(), Term::Column);
        let mut visible: Vec<VisibleColumn> =
            scope.columns.iter().map(|column| VisibleColumn { term: place(&column.term), ..column.clone() }).collect();
        let presence = Term::Column(mark);
        let name = self.fresh("p");
        let (of, is_merged) = (None, false);
        visible.push(VisibleColumn { of, name, term: presence.clone(), is_merged, place: usize::MAX });
        let units =
            scope.units.into_iter().map(|unit| super::scope::UnitName { presence: Some(presence.clone()), ..unit });
        let (units, joins, is_partial) = (units.collect(), Vec::new(), scope.is_partial);
        Ok(NamedRows { relation, filter: None, terms, columns: visible, units, joins, is_partial })
    }

    /// Joins a table that was resolved when the dataset was sealed.
    fn resolved(
        &self,
        mut left: NamedRows,
        table: JoinedScope,
        is_left: bool,
        on: JoinCondition,
        conditions: &mut Vec<Condition>,
        at: Position,
    ) -> Result<NamedRows, QueryError> {
        let alone = self.joined_alone(&table);
        if !matches!(left.relation, Relation::Table { table: 0, .. }) {
            return self.units(left, alone, is_left, on, conditions, at);
        }
        if left.joins.iter().any(|(place, _)| *place == table.place) {
            let name = &self.terms.joins[table.place].name;
            return Err(unsupported(at, format!("\"{}\" is joined twice", shown(name)))
                .hint("leave the second join out: it has one row a person"));
        }
        let mut pair = NamedRows { columns: left.columns.clone(), ..left.clone() };
        pair.columns.extend(alone.columns.iter().cloned());
        let mut by_unit = on.is_by_unit(&left, &alone);
        let mut parts = on.conditions(&mut pair, &left, &alone, at)?;
        by_unit |= take_units(&mut parts, &left, &alone);
        by_unit |= !is_left && take_units(conditions, &left, &alone);
        if !by_unit {
            return Err(self.not_by_unit(&left, &alone, at));
        }
        if is_left && !parts.is_empty() {
            return self.units(left, alone, true, JoinCondition::Conditions(parts, true), conditions, at);
        }
        left.columns = pair.columns;
        left.joins.push((table.place, is_left));
        left.joins.sort_unstable();
        let is_there = presence(self.terms, table.place);
        let mut units = self.joined_alone(&table).units;
        if is_left {
            let term = Term::of(Operation::Case(vec![(is_there, Term::number(1, 0))], None));
            let (of, name, is_merged) = (None, self.fresh("p"), false);
            left.columns.push(VisibleColumn { of, name, term: term.clone(), is_merged, place: usize::MAX });
            units.iter_mut().for_each(|unit| unit.presence = Some(term.clone()));
        } else {
            left.add(is_there, &self.steps);
        }
        left.units.extend(units);
        // Columns of inner-joined tables are as they are declared.
        left.terms = self.as_joined(&left);
        if let Some(filter) = (!parts.is_empty()).then(|| self.condition(parts, &left)).transpose()?.flatten() {
            left.add(filter, &self.steps);
        }
        Ok(left)
    }

    /// The terms of the dataset's table with the tables that it is joined with.
    fn as_joined(&self, scope: &NamedRows) -> Terms {
        let joined = self.terms.joined(&scope.joins);
        joined.with(joined.columns.clone(), scope.terms.max_rows_per_unit, scope.terms.max_rows)
    }

    /// Types conditions over a scope.
    pub(super) fn condition(&self, parts: Vec<Condition>, scope: &NamedRows) -> Result<Option<Filter>, QueryError> {
        if parts.is_empty() {
            return Ok(None);
        }
        let mut all = Condition::All(parts);
        all.rewrite(&mut Naming { scope })?;
        checker::narrowing(Some(&all), &scope.context(&self.steps))
    }

    fn not_by_unit(&self, left: &NamedRows, right: &NamedRows, at: Position) -> QueryError {
        let Some(unit) = self.terms.unit_column() else {
            return unsupported(at, "every row is a unit of its own here, so that rows have no partners");
        };
        let of = |scope: &NamedRows| {
            let name = scope.units.first();
            let of = name.and_then(|name| name.of.clone()).unwrap_or_else(|| "t".to_owned());
            format!("{of}.{}", name.map_or(unit, |name| name.name.as_str()))
        };
        let lacks = |scope: &NamedRows| scope.units.is_empty();
        let message = format!("rows are paired that may belong to different people: the join does not compare {unit}");
        let error = unsupported(at, message);
        if lacks(left) || lacks(right) {
            return error.hint(format!("write SELECT {unit}, … on both sides, and join on it"));
        }
        error.hint(format!("write ON {} = {} AND …", of(left), of(right)))
    }
}

/// What a join says about its pairs.
pub(super) enum JoinCondition {
    /// Conditions, and whether the unit is among them already.
    Conditions(Vec<Condition>, bool),
    Using(Vec<Name>),
    Natural,
}

impl JoinCondition {
    fn of(on: &JoinOn) -> Self {
        match on {
            JoinOn::All => Self::Conditions(Vec::new(), false),
            JoinOn::Condition(condition) => Self::Conditions(conjuncts((**condition).clone()), false),
            JoinOn::Using(names) => Self::Using(names.clone()),
            JoinOn::Natural => Self::Natural,
        }
    }

    /// Nothing depends on the order of the sides.
    fn swap(&mut self) {}

    /// Whether USING or NATURAL compares the unit.
    fn is_by_unit(&self, left: &NamedRows, right: &NamedRows) -> bool {
        let has = |scope: &NamedRows, name: &str| scope.units.iter().any(|unit| unit.name == name);
        match self {
            Self::Conditions(_, is_by_unit) => *is_by_unit,
            Self::Using(names) => names.iter().any(|name| has(left, &name.text) && has(right, &name.text)),
            Self::Natural => left.units.iter().any(|unit| has(right, &unit.name)),
        }
    }

    /// The conditions, with equalities instead of names that both sides share; these names then mean the left side's columns.
    pub(super) fn conditions(
        self,
        pair: &mut NamedRows,
        left: &NamedRows,
        right: &NamedRows,
        at: Position,
    ) -> Result<Vec<Condition>, QueryError> {
        let shared: Vec<Name> = match self {
            Self::Conditions(parts, _) => return Ok(parts),
            Self::Using(names) => names,
            Self::Natural => {
                let plain = left.columns.iter().filter(|column| !column.name.starts_with('\u{1}'));
                let in_right = |column: &&VisibleColumn| right.columns.iter().any(|other| other.name == column.name);
                plain.filter(in_right).map(|column| Name { of: None, text: column.name.clone(), at }).collect()
            }
        };
        let mut parts = Vec::new();
        for name in shared {
            let is_unit = |scope: &NamedRows| scope.units.iter().any(|unit| unit.name == name.text);
            if is_unit(left) && is_unit(right) {
                continue;
            }
            let side = |scope: &NamedRows, word: &str| {
                let column = scope.columns.iter().find(|column| column.name == name.text && !column.is_merged);
                column.map(|column| column.of.clone()).ok_or_else(|| {
                    let message = format!("the {word} side of the join has no column \"{}\"", shown(&name.text));
                    QueryError::at(Code::UnknownColumn, name.at, message)
                })
            };
            let (one, other) = (side(left, "left")?, side(right, "right")?);
            let column = |of: Option<String>| Expression {
                value: Scalar::Column(Name { of, text: name.text.clone(), at: name.at }),
                at: name.at,
            };
            parts.push(Condition::Compare(column(one.clone()), Comparison::Equal, column(other.clone())));
            let merged = pair.columns.iter_mut().filter(|column| column.name == name.text && column.of == other);
            merged.for_each(|column| column.is_merged = true);
        }
        Ok(parts)
    }
}

/// Takes out the conditions that say that the unit of both sides is the same; returns whether there were any.
fn take_units(parts: &mut Vec<Condition>, left: &NamedRows, right: &NamedRows) -> bool {
    let before = parts.len();
    parts.retain(|part| !equal_units(part, left, right));
    parts.len() < before
}

/// Whether a condition says that the unit of both sides is the same.
fn equal_units(part: &Condition, left: &NamedRows, right: &NamedRows) -> bool {
    let Condition::Compare(one, Comparison::Equal, other) = part else { return false };
    let is_unit = |scope: &NamedRows, expression: &Expression| match &expression.value {
        // A name of several things is found to be so later.
        Scalar::Column(name) => matches!(scope.meaning(name), Ok(Some(Meaning::Unit(_)))),
        _ => false,
    };
    (is_unit(left, one) && is_unit(right, other)) || (is_unit(left, other) && is_unit(right, one))
}

/// Moves the parts of a join's condition that read one side alone to that side, where they leave fewer pairs to look at.
fn split(
    dataset: &Terms,
    on: Option<Filter>,
    offset: usize,
    (mut left, mut right): (Relation, Relation),
    is_left: bool,
) -> (Option<Filter>, Relation, Relation) {
    let mut rest = Vec::new();
    for part in parts(on) {
        match side(&part, offset) {
            // A row of the left side that fails the condition is still kept by a left join.
            Some(Side::Left) if !is_left => left = pushed_alone(dataset, left, part),
            Some(Side::Right) => right = pushed_alone(dataset, right, part.renumbered(&|index| index - offset)),
            Some(Side::Left) | None => rest.push(part),
        }
    }
    (all(rest), left, right)
}

#[derive(PartialEq)]
enum Side {
    Left,
    Right,
}

fn side(part: &Filter, offset: usize) -> Option<Side> {
    let mut columns = BTreeSet::new();
    part.declared(&mut columns);
    match (columns.first(), columns.last()) {
        (Some(_), Some(last)) if *last < offset => Some(Side::Left),
        (Some(first), Some(_)) if *first >= offset => Some(Side::Right),
        _ => None,
    }
}

fn parts(filter: Option<Filter>) -> Vec<Filter> {
    match filter {
        None => Vec::new(),
        Some(Filter::All(parts)) => parts,
        Some(one) => vec![one],
    }
}

fn all(mut parts: Vec<Filter>) -> Option<Filter> {
    match parts.len() {
        0 => None,
        1 => parts.pop(),
        _ => Some(Filter::All(parts)),
    }
}

/// A relation whose rows are restricted by a condition as early as can be; the condition is repeated by the caller.
pub(super) fn pushed(dataset: &Terms, relation: Relation, filter: &Filter) -> Relation {
    let mut relation = relation;
    for part in parts(Some(filter.clone())) {
        relation = down(dataset, relation, part).unwrap_or_else(|(relation, _)| relation);
    }
    relation
}

/// A relation restricted by a condition, each part of it as early as can be.
pub(super) fn pushed_alone(dataset: &Terms, relation: Relation, filter: Filter) -> Relation {
    let mut relation = relation;
    let mut rest = Vec::new();
    for part in parts(Some(filter)) {
        relation = match down(dataset, relation, part) {
            Ok(relation) => relation,
            Err((relation, part)) => {
                rest.push(part);
                relation
            }
        };
    }
    match all(rest) {
        None => relation,
        Some(filter) => filtered(relation, filter),
    }
}

/// A filter on a relation; two filters become one.
fn filtered(relation: Relation, filter: Filter) -> Relation {
    match relation {
        Relation::Filter { of, filter: inner } => {
            let both = Filter::All(vec![inner, filter]).canonical();
            Relation::Filter { of, filter: both }
        }
        of => Relation::Filter { of: Box::new(of), filter },
    }
}

/// Moves one part of a condition below an operator that it does not depend on; the part is returned if it depends on all there is.
fn down(dataset: &Terms, relation: Relation, part: Filter) -> Result<Relation, (Relation, Filter)> {
    match relation {
        Relation::Filter { of, filter } => match down(dataset, *of, part) {
            Ok(of) => Ok(filtered(of, filter)),
            Err((of, part)) => Ok(filtered(filtered(of, filter), part)),
        },
        Relation::Join { left, right, on, is_left } => {
            let offset = width(dataset, &left);
            match offset.and_then(|offset| Some((side(&part, offset)?, offset))) {
                Some((Side::Left, _)) => {
                    let left = Box::new(pushed_alone(dataset, *left, part));
                    Ok(Relation::Join { left, right, on, is_left })
                }
                Some((Side::Right, offset)) if !is_left => {
                    let right = Box::new(pushed_alone(dataset, *right, part.renumbered(&|index| index - offset)));
                    Ok(Relation::Join { left, right, on, is_left })
                }
                _ => Err((Relation::Join { left, right, on, is_left }, part)),
            }
        }
        Relation::Semi { of, other, on, is_anti } => {
            let of = Box::new(pushed_alone(dataset, *of, part));
            Ok(Relation::Semi { of, other, on, is_anti })
        }
        table @ Relation::Table { .. } => Ok(filtered(table, part)),
        other => Err((other, part)),
    }
}

/// The number of columns of a relation; `None` if it names a table that does not exist.
fn width(dataset: &Terms, relation: &Relation) -> Option<usize> {
    match relation {
        Relation::Table { table, .. } => dataset.table(*table as usize).map(|table| table.columns.len()),
        Relation::Filter { of, .. } | Relation::Semi { of, .. } => width(dataset, of),
        Relation::Map { columns, .. } => Some(columns.len()),
        Relation::Window { of, columns } => Some(width(dataset, of)? + columns.len()),
        Relation::Group { keys, columns, .. } => Some(keys.len() + columns.len()),
        Relation::Join { left, right, .. } => Some(width(dataset, left)? + width(dataset, right)?),
        Relation::Public { of, table, .. } => {
            Some(width(dataset, of)? + dataset.public.get(*table as usize)?.columns.len())
        }
        Relation::Listed { of, listed, .. } => Some(width(dataset, of)? + listed.columns.len()),
        Relation::Union { parts } => width(dataset, parts.first()?),
    }
}
