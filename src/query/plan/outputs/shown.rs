//! Conditions on the groups of an answer: HAVING, and the one that is applied after windows.

use super::OutputPlanner;
use crate::query::answer::formula::{Formula, HavingCondition, Words};
use crate::query::answer::{Label, Output as Column, OutputValue};
use crate::query::error::{Code, QueryError};
use crate::query::plan::planned::{Planned, planned_as};
use crate::query::syntax::{Having, Name, Query};
use crate::query::term::context::Steps;

impl OutputPlanner<'_> {
    /// The condition of HAVING.
    pub(super) fn shown(&mut self, having: &Having, outputs: &[Column]) -> Result<HavingCondition, QueryError> {
        self.names = outputs.iter().map(|output| output.name.clone()).filter(|name| !name.is_empty()).collect();
        let condition = self.condition(having, &named(outputs, self.known.steps()))?;
        if condition.formulas().into_iter().any(Formula::has_window) {
            let message = "HAVING chooses the rows that windows run over, and cannot depend on one";
            return Err(QueryError::at(Code::UnsupportedSql, self.at, message)
                .hint("ask without it, and choose from the answer afterwards"));
        }
        Ok(condition)
    }

    /// The condition after windows, as a hidden output; its index.
    pub(super) fn after(&mut self, query: &Query, outputs: &mut Vec<Column>) -> Result<Option<usize>, QueryError> {
        let Some(after) = &query.after else { return Ok(None) };
        let condition = self.condition(after, &named(outputs, self.known.steps()))?;
        let truth = |truth: bool| Words::Label(Label::Boolean(truth));
        let words = Words::Case(vec![(condition, truth(true))], Box::new(truth(false)));
        let value = OutputValue::Hidden(Box::new(OutputValue::Words(words)));
        outputs.push(Column { name: String::new(), value });
        Ok(Some(outputs.len() - 1))
    }
}

/// Looks up outputs by their names.
fn named<'a>(outputs: &'a [Column], steps: &'a Steps) -> impl Fn(&Name) -> Option<Planned> + 'a {
    move |name: &Name| {
        let output = outputs.iter().find(|output| output.name == name.text)?;
        steps.spend(output.value.formula().map_or(1, |formula| formula.weight()));
        planned_as(&output.value)
    }
}
