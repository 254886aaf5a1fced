//! Facts about the terms of one question, and the limit on the work of planning it.
//!
//! Promises that each term is lowered once, however often its facts are asked for and however deep it is nested in other terms. Planning
//! counts its steps, so that a question which would take too many is refused. The number of steps follows from the text and the public
//! terms; a limit in seconds would refuse one question on one machine and not on another.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ops::Deref;
use std::rc::Rc;

use super::lower::{Program, TermFault, declared, made_of};
use super::{Term, TermFacts};
use crate::query::error::{Code, QueryError};
use crate::query::syntax::Name;
use crate::query::terms::domain::{Column, Domain, Grid};
use crate::query::terms::policy::Terms;

/// Largest number of steps that planning one question may take. A step examines one operation, one member of a list or one edge of a
/// bucket, and takes some tens of nanoseconds. A list of 1,000 values takes a few thousand steps; a hundred columns cut into 1,000 buckets
/// each take 100,000.
pub const STEPS_MAX: u64 = 300_000;

/// Counter of the steps left for planning one question.
#[derive(Debug)]
pub struct Steps {
    left: Cell<u64>,
    rule: KeyRule,
}

/// Which groups a grouping key has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRule {
    /// Those of the values that its term can have under the condition.
    Values,
    /// Those of all integers between its bounds, which is how questions of earlier versions were planned: some of those groups could have
    /// no rows.
    Bounds,
}

impl Steps {
    /// Creates a counter of [`STEPS_MAX`] steps, for a question that is asked now.
    #[must_use]
    pub fn bounded() -> Rc<Self> {
        Rc::new(Self { left: Cell::new(STEPS_MAX), rule: KeyRule::Values })
    }

    /// Creates a counter without a limit, for a question recorded in the ledger: it was planned once, whatever the limit was then.
    #[must_use]
    pub fn unbounded() -> Rc<Self> {
        Self::recorded(KeyRule::Values)
    }

    /// Creates a counter without a limit, for a question that was planned by this rule.
    #[must_use]
    pub fn recorded(rule: KeyRule) -> Rc<Self> {
        Rc::new(Self { left: Cell::new(u64::MAX), rule })
    }

    /// Which groups the keys of the question have.
    #[must_use]
    pub fn rule(&self) -> KeyRule {
        self.rule
    }

    /// Takes steps off the counter, down to 0; [`Steps::check`] then refuses the question.
    pub fn spend(&self, steps: u64) {
        self.left.set(self.left.get().saturating_sub(steps));
    }

    /// Checks that the counter has not reached 0.
    ///
    /// # Errors
    /// [`Code::UnsupportedSql`] if it has.
    pub fn check(&self) -> Result<(), QueryError> {
        if self.left.get() > 0 {
            return Ok(());
        }
        let message = format!("planning the query takes more than {STEPS_MAX} steps");
        Err(QueryError::whole(Code::UnsupportedSql, message)
            .hint("ask with shorter lists or fewer conditions, or for fewer outputs at a time"))
    }
}

/// What names of columns stand for, by the table's name that is written before them.
#[derive(Debug, Clone, Default)]
pub struct Names {
    terms: HashMap<(Option<String>, String), Term>,
    /// Every name that can be written without a table's, in order.
    order: Vec<String>,
}

impl Names {
    /// Lets a name stand for a term.
    pub fn add(&mut self, of: Option<&str>, name: &str, term: Term) {
        if !self.order.iter().any(|known| known == name) {
            self.order.push(name.to_owned());
        }
        self.terms.insert((of.map(str::to_owned), name.to_owned()), term);
    }

    fn get(&self, name: &Name) -> Option<&Term> {
        self.terms.get(&(name.of.clone(), name.text.clone()))
    }

    fn all(&self) -> Vec<String> {
        self.order.clone()
    }
}

/// The public terms of a table, with a cache of the terms over them that were lowered.
pub struct TermContext<'a> {
    terms: &'a Terms,
    /// What names of columns stand for; `None` if each column has its own name.
    names: Option<Rc<Names>>,
    lowered: RefCell<HashMap<Term, Result<Rc<Program>, TermFault>>>,
    steps: Rc<Steps>,
}

impl<'a> TermContext<'a> {
    /// Creates an empty cache over these terms, with a step counter that has no limit.
    #[must_use]
    pub fn of(terms: &'a Terms) -> Self {
        Self::within(terms, &Steps::unbounded())
    }

    /// Creates an empty cache over these terms that shares the step counter of its question.
    #[must_use]
    pub fn within(terms: &'a Terms, steps: &Rc<Steps>) -> Self {
        Self { terms, names: None, lowered: RefCell::default(), steps: Rc::clone(steps) }
    }

    /// Creates an empty cache over these terms in which columns have other names.
    #[must_use]
    pub fn with_names(terms: &'a Terms, names: &Rc<Names>, steps: &Rc<Steps>) -> Self {
        Self { names: Some(Rc::clone(names)), ..Self::within(terms, steps) }
    }

    /// What a name stands for; `None` if it is no column's name.
    #[must_use]
    pub fn named(&self, name: &Name) -> Option<Term> {
        match &self.names {
            Some(names) => names.get(name).cloned(),
            None if name.of.is_some() => None,
            None => self.terms.column(&name.text).map(|(index, _)| Term::Column(index)),
        }
    }

    /// The names of all columns that can be named.
    #[must_use]
    pub fn all_names(&self) -> Vec<String> {
        match &self.names {
            Some(names) => names.all(),
            None => self.terms.columns.visible().map(|column| column.name.clone()).collect(),
        }
    }

    /// Step counter of the question.
    #[must_use]
    pub fn steps(&self) -> &Rc<Steps> {
        &self.steps
    }

    /// The program of a term with its bounds, as from [`super::lower::lower`].
    ///
    /// # Errors
    /// [`TermFault`] if the term is invalid.
    pub fn lower(&self, term: &Term) -> Result<Rc<Program>, TermFault> {
        let made = match term {
            Term::Column(index) if matches!(self.terms.columns[*index].domain, Domain::Text { .. }) => {
                return Err(TermFault::Text);
            }
            Term::Column(index) => return Ok(Rc::new(declared(*index, &self.terms.columns[*index]))),
            Term::Made(made) => made,
        };
        if let Some(known) = self.lowered.borrow().get(term) {
            return known.clone();
        }
        self.steps.spend(term.weight());
        let found = made_of(made, self).map(Rc::new);
        self.lowered.borrow_mut().insert(term.clone(), found.clone());
        found
    }

    /// Facts about a term that was typed against these terms.
    #[must_use]
    pub fn facts(&self, term: &Term) -> TermFacts<'a> {
        match term {
            Term::Column(index) => {
                let Column { domain, nullable, per_unit, .. } = &self.terms.columns[*index];
                TermFacts { domain: Cow::Borrowed(domain), nullable: *nullable, per_unit: *per_unit }
            }
            Term::Made(_) => {
                // Unwrap safety: typing has lowered the term against these terms and asked for its domain.
                let lowered = self.lower(term).expect("a typed term can be lowered");
                let domain = Cow::Owned(lowered.domain().expect("a typed term has a domain"));
                TermFacts { domain, nullable: lowered.nullable, per_unit: lowered.per_unit }
            }
        }
    }

    /// Grid of a number; `None` for terms of other kinds.
    #[must_use]
    pub fn grid(&self, term: &Term) -> Option<Grid> {
        match *self.facts(term).domain {
            Domain::Number(grid) => Some(grid),
            Domain::Category(_) | Domain::Boolean | Domain::Date { .. } | Domain::Text { .. } => None,
        }
    }
}

impl Deref for TermContext<'_> {
    type Target = Terms;

    fn deref(&self) -> &Terms {
        self.terms
    }
}
