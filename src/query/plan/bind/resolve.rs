//! Names: every name of a column becomes one that its scope knows, written in one way.

use crate::query::error::{Position, QueryError};
use crate::query::syntax::rewrite::Rewriter;
use crate::query::syntax::{
    Aggregate, AggregateFunction, Comparison, Condition, Expression, LiteralValue, Name, Scalar,
};

use std::rc::Rc;

use super::scope::{Meaning, NamedRows, UnitName};
use super::unjoined;
use crate::query::term::checker;
use crate::query::term::context::Steps;
use crate::query::terms::policy::Terms;

/// Rewrites names. An unknown name is left as it is, as it may be an alias; whatever types it refuses it.
pub(super) struct Naming<'a> {
    pub(super) scope: &'a NamedRows,
}

impl Naming<'_> {
    fn unit(&self, expression: &Expression) -> Result<Option<UnitName>, QueryError> {
        let Scalar::Column(name) = &expression.value else { return Ok(None) };
        Ok(match self.scope.meaning(name)? {
            Some(Meaning::Unit(unit)) => Some(unit),
            Some(Meaning::Column(_)) | None => None,
        })
    }

    fn presence(&self, unit: &UnitName) -> Option<String> {
        let term = unit.presence.as_ref()?;
        let is_its = |column: &&super::scope::VisibleColumn| column.term == *term && column.name.starts_with('\u{1}');
        self.scope.columns.iter().find(is_its).map(|column| column.name.clone())
    }

    /// A name of this column that the scope knows.
    fn settle(&self, name: &mut Name) -> Result<(), QueryError> {
        match self.scope.meaning(name)? {
            Some(Meaning::Unit(_)) => {
                name.of = None;
                self.scope.terms.unit_column().unwrap_or("row").clone_into(&mut name.text);
            }
            // A table's name is left out where the name alone means the same column, and not another table's.
            Some(Meaning::Column(term)) if self.scope.is_single(&name.text, &term) => name.of = None,
            Some(Meaning::Column(_)) | None => {}
        }
        Ok(())
    }
}

/// A condition that is false.
pub(super) fn never(at: Position) -> Condition {
    let number = |text: &str| Expression { value: Scalar::Constant(LiteralValue::Number(text.to_owned())), at };
    Condition::Compare(number("1"), Comparison::Equal, number("0"))
}

impl Rewriter for Naming<'_> {
    fn expression(&mut self, expression: &mut Expression) -> Result<bool, QueryError> {
        match &mut expression.value {
            Scalar::Column(name) => {
                self.settle(name)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn condition(&mut self, condition: &mut Condition) -> Result<bool, QueryError> {
        // The other side of a left join is missing where its unit is.
        if let Condition::IsNull(of) = condition
            && let Some(unit) = self.unit(of)?
        {
            let at = of.at;
            *condition = match self.presence(&unit) {
                Some(presence) => {
                    let name = Name { of: None, text: presence, at };
                    Condition::IsNull(Expression { value: Scalar::Column(name), at })
                }
                // The unit of a row is never missing.
                None => never(at),
            };
            return Ok(true);
        }
        Ok(false)
    }

    fn aggregate(&mut self, aggregate: &mut Aggregate) -> Result<(), QueryError> {
        let (of, is_distinct) = match &mut aggregate.function {
            AggregateFunction::Count(of) => (of, false),
            AggregateFunction::CountDistinct(of) => (of, true),
            _ => return Ok(()),
        };
        let Some(unit) = self.unit(of)? else { return Ok(()) };
        let at = of.at;
        let presence = self.presence(&unit).map(|text| Name { of: None, text, at });
        match (is_distinct, presence) {
            (false, None) => aggregate.function = AggregateFunction::CountRows,
            (false, Some(name)) => of.value = Scalar::Column(name),
            (true, None) => {}
            (true, Some(name)) => {
                let missing = Condition::IsNull(Expression { value: Scalar::Column(name), at });
                let present = Condition::Not(Box::new(missing));
                aggregate.filter = Some(match aggregate.filter.take() {
                    None => present,
                    Some(filter) => Condition::All(vec![filter, present]),
                });
            }
        }
        Ok(())
    }
}

/// Refuses names of columns that the scope does not know.
pub(super) struct Resolver<'a> {
    pub(super) scope: &'a NamedRows,
    pub(super) dataset: &'a Terms,
    pub(super) steps: &'a Rc<Steps>,
}

impl Rewriter for Resolver<'_> {
    fn expression(&mut self, expression: &mut Expression) -> Result<bool, QueryError> {
        if let Scalar::Column(name) = &expression.value
            && self.scope.meaning(name)?.is_none()
        {
            let error = checker::declared(name, &self.scope.context(self.steps));
            return error.map(|_| true).map_err(|error| unjoined(error, name, self.dataset));
        }
        Ok(false)
    }

    fn condition(&mut self, _condition: &mut Condition) -> Result<bool, QueryError> {
        Ok(false)
    }
}

/// Refuses such names in the arguments of aggregates; elsewhere they may be names of outputs.
pub(super) struct Arguments<'a>(pub(super) Resolver<'a>);

impl Rewriter for Arguments<'_> {
    fn expression(&mut self, _expression: &mut Expression) -> Result<bool, QueryError> {
        Ok(false)
    }

    fn condition(&mut self, _condition: &mut Condition) -> Result<bool, QueryError> {
        Ok(false)
    }

    fn aggregate(&mut self, aggregate: &mut Aggregate) -> Result<(), QueryError> {
        aggregate.clone().rewrite(&mut self.0)
    }
}
