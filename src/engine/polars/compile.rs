//! Compiling the terms, conditions and keys of a computation to a program.
//!
//! Promises that each distinct term and condition is compiled once. A function of a single column with a small domain (months, age bands,
//! buckets of `CASE`) is evaluated once for each value of the domain; from then on it takes one look into a table per row.

use super::program::{
    CodeSource, Coding, ConditionId, Extreme, KeyId, Lookup, Numbered, RowCondition, RowProgram, ValueId, ValueNode,
};
use super::tables::{SmallDomain, declared, is_plain, is_plain_filter, listed};
use crate::query::computation::PlanKey;
use crate::query::filter::Filter;
use crate::query::term::Term;
use crate::query::term::coding::code;
use crate::query::term::context::TermContext;
use crate::query::term::lower::Step;
use crate::query::terms::policy::Terms;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

/// Maximum number of tables of a program, which together fit the processor's cache.
const TABLES_MAX: usize = 32;

/// Compiles what a computation asks for into one program.
pub(super) struct Compiler<'a> {
    terms: &'a Terms,
    known: Rc<TermContext<'a>>,
    conditions: HashMap<Filter, ConditionId>,
    values: HashMap<(Term, IntegerForm), ValueId>,
    keys: HashMap<PlanKey, KeyId>,
    /// Number of tables that may still be made.
    tables_left: usize,
    program: RowProgram,
}

/// Which integer stands for a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum IntegerForm {
    /// The stored integer: numbers are stored about the centre of their grid.
    Stored,
    /// The value itself, in steps of its grid.
    Whole,
}

impl<'a> Compiler<'a> {
    /// Compiles against the terms that the computation was typed against.
    pub(super) fn of(terms: &'a Terms) -> Self {
        Self::with(terms, Rc::new(TermContext::of(terms)), TABLES_MAX)
    }

    fn with(terms: &'a Terms, known: Rc<TermContext<'a>>, tables_left: usize) -> Self {
        let (conditions, values, keys) = Default::default();
        Self { terms, known, conditions, values, keys, tables_left, program: RowProgram::default() }
    }

    pub(super) fn finish(self) -> RowProgram {
        self.program
    }

    /// A value that is read.
    pub(super) fn value(&mut self, term: &Term, form: IntegerForm) -> ValueId {
        let id = self.presence(term, form);
        self.program.is_read[id.0] = true;
        id
    }

    /// A value of which it matters where it is present.
    pub(super) fn presence(&mut self, term: &Term, form: IntegerForm) -> ValueId {
        if let Some(known) = self.values.get(&(term.clone(), form)) {
            return *known;
        }
        let node = match form {
            IntegerForm::Stored => self.stored(term),
            IntegerForm::Whole => {
                // Unwrap safety: a computation's terms were typed against the terms that it is evaluated under.
                let step = self.known.lower(term).expect("a typed term can be lowered").step.clone();
                self.node(&step)
            }
        };
        let id = ValueId(self.program.values.len());
        self.program.values.push(node);
        self.program.is_read.push(false);
        self.values.insert((term.clone(), form), id);
        id
    }

    pub(super) fn key(&mut self, key: &PlanKey) -> KeyId {
        if let Some(known) = self.keys.get(key) {
            return *known;
        }
        let node = self.node(&code(key, self.terms));
        let mut coding = Coding {
            codes: key.codes,
            nullable: key.nullable,
            numbered: key.values.as_deref().map(Numbered::of),
            code: CodeSource::Computed(ValueNode::Constant(0)),
        };
        coding.code = match node {
            ValueNode::Lookup(column, results, presence) => {
                let code = |(value, present): (&i64, &u8)| match present {
                    1 => coding.of_value(*value),
                    _ => coding.of_missing(),
                };
                let entries = results.entries.iter().zip(&presence.entries).map(code).collect();
                CodeSource::Lookup(column, Lookup { low: results.low, entries })
            }
            node => CodeSource::Computed(node),
        };
        let id = KeyId(self.program.keys.len());
        self.program.keys.push(coding);
        self.keys.insert(key.clone(), id);
        id
    }

    pub(super) fn condition(&mut self, filter: &Filter) -> ConditionId {
        if let Some(known) = self.conditions.get(filter) {
            return *known;
        }
        let compiled = self.tabulated(filter).unwrap_or_else(|| self.compiled(filter));
        let id = ConditionId(self.program.conditions.len());
        self.program.conditions.push(compiled);
        self.conditions.insert(filter.clone(), id);
        id
    }

    /// A condition on a single column of a small domain, as a table.
    fn tabulated(&mut self, filter: &Filter) -> Option<RowCondition> {
        let mut columns = BTreeSet::new();
        filter.declared(&mut columns);
        let domain = self.small(&columns).filter(|_| !is_plain_filter(filter))?;
        let mut within = self.within_table();
        let id = within.condition(filter);
        let entries = domain.evaluate(&within.finish(), |window| {
            let (yes, no) = (window.holds(id, true), window.holds(id, false));
            yes.iter().zip(no).map(|(yes, no)| yes | no << 1).collect()
        });
        Some(RowCondition::Lookup(domain.column, Lookup { low: domain.low, entries }))
    }

    /// The only one of these columns, if its domain is small and there is room for a table over it.
    fn small(&self, columns: &BTreeSet<usize>) -> Option<SmallDomain> {
        let column = *columns.first().filter(|_| columns.len() == 1 && self.tables_left > 0)?;
        SmallDomain::of(column, &self.terms.columns[column].domain)
    }

    /// A compiler for what becomes one table, so that nothing in it has to be fast or stay in the program.
    fn within_table(&mut self) -> Self {
        self.tables_left -= 1;
        Self::with(self.terms, Rc::clone(&self.known), 0)
    }

    fn compiled(&mut self, filter: &Filter) -> RowCondition {
        match filter {
            Filter::Range { column, low, high } => RowCondition::Range(self.stored(column), *low, *high),
            Filter::Members { column, codes } => {
                let codes: Vec<i64> = codes.iter().map(|code| i64::from(*code)).collect();
                listed(self.stored(column), &codes)
            }
            Filter::Values { column, values } => listed(self.stored(column), values),
            Filter::Missing { column } => RowCondition::Missing(self.stored(column)),
            Filter::Not(inner) => RowCondition::Not(self.condition(inner)),
            Filter::All(parts) => RowCondition::All(parts.iter().map(|part| self.condition(part)).collect()),
            Filter::Any(parts) => RowCondition::Any(parts.iter().map(|part| self.condition(part)).collect()),
        }
    }

    /// The stored integer of a term, on its grid.
    fn stored(&mut self, term: &Term) -> ValueNode {
        match term {
            Term::Column(index) => ValueNode::Stored(*index),
            Term::Made(_) => {
                // Unwrap safety: a computation's terms were typed against the terms that it is evaluated under.
                let lowered = self.known.lower(term).expect("a typed term can be lowered");
                let step = lowered.as_ref().clone().stored().expect("a typed term is on a grid");
                self.node(&step)
            }
        }
    }

    /// Translates a step, and tabulates it if it computes something from a single column of a small domain.
    fn node(&mut self, step: &Step) -> ValueNode {
        let mut columns = BTreeSet::new();
        if self.tables_left > 0 && !is_plain(step) {
            declared(step, &mut columns);
        }
        let Some(domain) = self.small(&columns) else { return self.translated(step) };
        let mut within = self.within_table();
        let node = within.translated(step);
        let results = domain.evaluate(&within.finish(), |window| window.compute(&node));
        let presence = results.present.unwrap_or_else(|| vec![1; results.values.len()]);
        let low = domain.low;
        ValueNode::Lookup(domain.column, Lookup { low, entries: results.values }, Lookup { low, entries: presence })
    }

    fn translated(&mut self, step: &Step) -> ValueNode {
        match step {
            Step::Stored(index) => ValueNode::Stored(*index),
            Step::Constant(value) => ValueNode::Constant(*value),
            Step::Plus(parts) => {
                let mut constant = 0_i64;
                let mut summed = Vec::with_capacity(parts.len());
                for (part, factor) in parts.iter() {
                    match part {
                        Step::Constant(value) => constant = constant.wrapping_add(value.wrapping_mul(*factor)),
                        part => summed.push((self.node(part), *factor)),
                    }
                }
                ValueNode::plus(summed, constant)
            }
            Step::Times(parts) => ValueNode::times(self.all(parts)),
            Step::Least(parts) => ValueNode::Extreme(self.all(parts), Extreme::Least),
            Step::Greatest(parts) => ValueNode::Extreme(self.all(parts), Extreme::Greatest),
            Step::Filled(inner, value) => ValueNode::Filled(Box::new(self.node(inner)), *value),
            Step::Case(whens, otherwise) => {
                let arms = whens.iter().map(|(filter, then)| (self.condition(filter), self.node(then))).collect();
                ValueNode::Case(arms, otherwise.as_ref().map(|last| Box::new(self.node(last))))
            }
            Step::Truth(filter) => ValueNode::Truth(self.condition(filter)),
            Step::Apply(function, inner) => ValueNode::Apply(function.clone(), Box::new(self.node(inner))),
        }
    }

    fn all(&mut self, parts: &[Step]) -> Vec<ValueNode> {
        parts.iter().map(|part| self.node(part)).collect()
    }
}
