//! Pairs of a row and a row of a public table.

use super::conditions::CompiledCondition;
use super::frame::{FrameColumn, UnitFrame};
use super::joined::beside;
use super::matches::{Matches, translated};
use super::pairs::{Candidates, Kept};
use crate::engine::polars::compile::{Compiler, IntegerForm};
use crate::engine::polars::operands::Values;
use crate::engine::polars::program::{RowProgram, ValueId};
use crate::query::term::Term;
use crate::query::term::context::TermContext;
use crate::query::terms::domain::Domain;
use crate::query::terms::policy::{PublicTable, Terms};
use std::collections::BTreeSet;

/// A join with a public table.
pub(super) struct PublicStep {
    program: RowProgram,
    keys: Vec<ValueId>,
    /// The rows by the compared values; `None` if there are none, so that every row meets all.
    matches: Option<Matches>,
    /// Number of rows of the public table.
    rows: u32,
    /// The columns of the public table that are read.
    columns: Vec<Option<FrameColumn<'static>>>,
    pub(super) on: Option<CompiledCondition>,
    pub(super) is_left: bool,
    /// The wanted columns of both sides.
    wanted: [BTreeSet<usize>; 2],
}

impl PublicStep {
    /// Compiles a join of rows with these terms with a public table, of which these columns are read.
    pub(super) fn of(
        table: &PublicTable,
        equal: &[(Term, u32)],
        read: &BTreeSet<usize>,
        wanted: [BTreeSet<usize>; 2],
        terms: &Terms,
    ) -> Self {
        let (known, mut compiler) = (TermContext::of(terms), Compiler::of(terms));
        let (rows, none) = (u32::try_from(table.rows).unwrap_or(u32::MAX - 1), Vec::new());
        let values = |index: usize| table.values.get(index).unwrap_or(&none);
        let translate = |(term, index): &(Term, u32)| {
            let domain = table.columns.get(*index as usize).map_or(&Domain::Boolean, |column| &column.domain);
            translated(&known.facts(term).domain, domain, values(*index as usize))
        };
        let matches =
            (!equal.is_empty()).then(|| Matches::of(&equal.iter().map(translate).collect::<Vec<_>>(), rows as usize));
        let keys = equal.iter().map(|(term, _)| compiler.value(term, IntegerForm::Stored)).collect();
        let column = |index: usize| read.contains(&index).then(|| FrameColumn::from(Values::about(values(index), 0)));
        let columns = (0..table.columns.len()).map(column).collect();
        Self { program: compiler.finish(), keys, matches, rows, columns, on: None, is_left: false, wanted }
    }

    /// The largest number of rows of the public table that a row can meet.
    pub(super) fn most(&self) -> u64 {
        self.matches.as_ref().map_or(self.rows.into(), Matches::most)
    }

    pub(super) fn evaluate<'a>(&self, of: UnitFrame<'a>) -> UnitFrame<'a> {
        let keys = of.computed(&self.program, &self.keys);
        let candidates = |row: usize| match &self.matches {
            None => Candidates::Range(0..self.rows),
            Some(matches) => Candidates::List(matches.find(&keys, row)),
        };
        let on = self.on.as_ref().map(|on| (on, [&of.columns[..], &self.columns[..]]));
        let kept = Kept::of(of.rows(), candidates, on, self.is_left);
        let pick = |(index, column): (usize, &Option<FrameColumn<'static>>)| {
            let column = column.as_ref().filter(|_| self.wanted[1].contains(&index))?;
            Some(FrameColumn::from(column.picked(&kept.right)))
        };
        let more = self.columns.iter().enumerate().map(pick).collect();
        beside(of, &kept.left, &self.wanted[0], more)
    }
}
