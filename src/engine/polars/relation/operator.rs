//! Operators: a relation compiled against a dataset.

use super::conditions::CompiledCondition;
use super::frame::UnitFrame;
use super::grouped::GroupStep;
use super::joined::{JoinStep, SemiStep};
use super::public::PublicStep;
use super::reads::{arity, operand_reads, split};
use super::rows::{MapStep, TableRows, filtered, union};
use super::windows::WindowStep;
use crate::engine::polars::stored::Block;
use crate::query::computation::relation::Relation;
use crate::query::filter::Filter;
use crate::query::plan::relation::paired;
use crate::query::term::context::Steps;
use crate::query::terms::policy::Terms;
use polars::prelude::{PolarsResult, polars_bail, polars_err};
use std::collections::{BTreeMap, BTreeSet};

/// An operator with its operands.
pub(super) enum CompiledOperator {
    Table(TableRows),
    Filter { of: Box<CompiledOperator>, condition: CompiledCondition, wanted: BTreeSet<usize> },
    Map { of: Box<CompiledOperator>, map: MapStep },
    Window { of: Box<CompiledOperator>, window: WindowStep },
    Group { of: Box<CompiledOperator>, group: GroupStep, has_keys: bool },
    Join { left: Box<CompiledOperator>, right: Box<CompiledOperator>, join: JoinStep, multiplies: bool },
    Semi { of: Box<CompiledOperator>, other: Box<CompiledOperator>, semi: SemiStep },
    Public { of: Box<CompiledOperator>, public: Box<PublicStep> },
    Union { parts: Vec<CompiledOperator>, wanted: BTreeSet<usize> },
}

/// An operator with the terms of its rows.
type Compiled = (CompiledOperator, Terms);

impl CompiledOperator {
    /// Compiles a relation of which these columns are wanted.
    pub(super) fn of(
        relation: &Relation,
        wanted: &BTreeSet<usize>,
        dataset: &Terms,
        tables: &BTreeMap<u32, BTreeSet<usize>>,
    ) -> PolarsResult<Compiled> {
        let reads = operand_reads(relation, wanted, dataset);
        let operands = relation.operands().into_iter().zip(&reads);
        let operands = operands.map(|(of, wanted)| Self::of(of, wanted, dataset, tables));
        let (operators, terms): (Vec<Self>, Vec<Terms>) =
            operands.collect::<PolarsResult<Vec<_>>>()?.into_iter().unzip();
        let made = relation.terms_over(&terms, dataset, &Steps::unbounded());
        let made = made.map_err(|_| polars_err!(ComputeError: "a relation goes beyond its bounds"))?;
        let mut operators = operators.into_iter().map(Box::new);
        let mut next = || operators.next().ok_or_else(|| polars_err!(ComputeError: "an operand is missing"));
        let wanted = wanted.clone();
        let operator = match relation {
            Relation::Table { table, rows_per_unit } => {
                let place = tables.keys().position(|known| known == table);
                let (Some(place), Some(own)) = (place, dataset.table(*table as usize)) else {
                    polars_bail!(ComputeError: "there is no such table")
                };
                let ranks = (*rows_per_unit < own.max_rows_per_unit).then_some(*rows_per_unit);
                Self::Table(TableRows { place, arity: arity(relation, dataset), wanted, ranks })
            }
            Relation::Filter { filter, .. } => {
                Self::Filter { of: next()?, condition: CompiledCondition::of(filter, &terms[0]), wanted }
            }
            Relation::Map { columns, .. } => Self::Map { of: next()?, map: MapStep::of(columns, &wanted, &terms[0]) },
            Relation::Window { columns, .. } => {
                Self::Window { of: next()?, window: WindowStep::of(columns, &wanted, &terms[0], &made) }
            }
            Relation::Group { keys, columns, .. } => {
                let group = GroupStep::of((keys, columns), &wanted, &terms[0], &made);
                Self::Group { of: next()?, group, has_keys: !keys.is_empty() }
            }
            Relation::Join { on, is_left, .. } => {
                let (left, right) = split(&wanted, terms[0].columns.len());
                let on = on.as_ref().map(|on| CompiledCondition::of(on, &paired(&terms[0], &terms[1].columns)));
                let multiplies = terms.iter().all(|terms| terms.max_rows_per_unit > 1);
                let join = JoinStep { on, is_left: *is_left, wanted: [left, right] };
                Self::Join { left: next()?, right: next()?, join, multiplies }
            }
            Relation::Semi { on, is_anti, .. } => {
                let condition = |on: &Filter| CompiledCondition::of(on, &paired(&terms[0], &terms[1].columns));
                let semi = SemiStep { on: on.as_ref().map(condition), is_anti: *is_anti, wanted };
                Self::Semi { of: next()?, other: next()?, semi }
            }
            Relation::Public { table, equal, on, is_left, .. } => {
                let Some(table) = dataset.public.get(*table as usize) else {
                    polars_bail!(ComputeError: "there is no such public table")
                };
                let (left, right) = split(&wanted, terms[0].columns.len());
                let mut public = PublicStep::of(table, equal, &reads[1], [left, right], &terms[0]);
                public.on = on.as_ref().map(|on| CompiledCondition::of(on, &paired(&terms[0], &table.columns)));
                public.is_left = *is_left;
                Self::Public { of: next()?, public: Box::new(public) }
            }
            Relation::Listed { listed, equal, on, is_left, .. } => {
                let Some(table) = listed.table() else { polars_bail!(ComputeError: "a constant is beyond its bounds") };
                let (left, right) = split(&wanted, terms[0].columns.len());
                let mut public = PublicStep::of(&table, equal, &reads[1], [left, right], &terms[0]);
                public.on = on.as_ref().map(|on| CompiledCondition::of(on, &paired(&terms[0], &table.columns)));
                public.is_left = *is_left;
                Self::Public { of: next()?, public: Box::new(public) }
            }
            Relation::Union { .. } => Self::Union { parts: operators.map(|part| *part).collect(), wanted },
        };
        Ok((operator, made))
    }

    /// Makes the rows, given those of each table.
    pub(super) fn evaluate<'a>(&self, tables: &[Block<'a>]) -> PolarsResult<UnitFrame<'a>> {
        Ok(match self {
            Self::Table(table) => table.evaluate(tables),
            Self::Filter { of, condition, wanted } => filtered(of.evaluate(tables)?, condition, wanted),
            Self::Map { of, map } => map.evaluate(of.evaluate(tables)?),
            Self::Window { of, window } => window.evaluate(of.evaluate(tables)?)?,
            Self::Group { of, group, .. } => group.evaluate(&of.evaluate(tables)?)?,
            Self::Join { left, right, join, .. } => join.evaluate(left.evaluate(tables)?, &right.evaluate(tables)?),
            Self::Semi { of, other, semi } => semi.evaluate(of.evaluate(tables)?, &other.evaluate(tables)?),
            Self::Public { of, public } => public.evaluate(of.evaluate(tables)?),
            Self::Union { parts, wanted } => {
                union(parts.iter().map(|part| part.evaluate(tables)).collect::<PolarsResult<_>>()?, wanted)
            }
        })
    }

    /// Whether a unit may have more rows in the relation than in all of its tables together.
    pub(super) fn multiplies(&self) -> bool {
        match self {
            Self::Table(_) => false,
            Self::Filter { of, .. } | Self::Map { of, .. } | Self::Window { of, .. } | Self::Group { of, .. } => {
                of.multiplies()
            }
            Self::Join { left, right, multiplies, .. } => *multiplies || left.multiplies() || right.multiplies(),
            Self::Semi { of, other, .. } => of.multiplies() || other.multiplies(),
            Self::Public { of, public } => public.most() > 1 || of.multiplies(),
            Self::Union { parts, .. } => parts.iter().any(Self::multiplies),
        }
    }

    /// Bounds the number of rows that any operator makes for a unit with so many rows in each table.
    pub(super) fn bound(&self, rows: &[u64]) -> u64 {
        let mut most = 0;
        self.made(rows, &mut most);
        most
    }

    /// Bounds the number of rows of a unit.
    fn made(&self, rows: &[u64], most: &mut u64) -> u64 {
        let made = match self {
            Self::Table(table) => rows.get(table.place).copied().unwrap_or(0),
            Self::Filter { of, .. } | Self::Map { of, .. } | Self::Window { of, .. } => of.made(rows, most),
            Self::Group { of, has_keys, .. } => {
                let made = of.made(rows, most);
                if *has_keys { made } else { made.min(1) }
            }
            Self::Join { left, right, .. } => {
                let (left, right) = (left.made(rows, most), right.made(rows, most));
                left.saturating_mul(right.max(1))
            }
            Self::Semi { of, other, .. } => {
                other.made(rows, most);
                of.made(rows, most)
            }
            Self::Public { of, public } => of.made(rows, most).saturating_mul(public.most().max(1)),
            Self::Union { parts, .. } => {
                parts.iter().fold(0_u64, |all, part| all.saturating_add(part.made(rows, most)))
            }
        };
        *most = made.max(*most);
        made
    }
}
