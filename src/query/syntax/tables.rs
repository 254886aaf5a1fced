//! The tables that a question names, wherever they stand.

use super::rewrite::Rewriter;
use super::{Condition, Expression, FromItem, Name, Query, QuestionText, Rows, Scalar, Select, Together};
use crate::query::error::QueryError;

impl Query {
    /// Every table that the question names, with the dataset's name if one is written before it; the first of FROM comes first.
    #[must_use]
    pub fn tables(&self) -> Vec<(Option<Name>, Name)> {
        if let Some(together) = &self.together {
            return together.arms().iter().flat_map(Self::tables).collect();
        }
        let mut finding = Finding { found: Vec::new() };
        finding.source(&self.from);
        // Looking changes nothing and refuses nothing.
        let _ = self.clone().rewrite(&mut finding);
        finding.found
    }

    /// The question with its dataset named, whose name may not stand in it.
    #[must_use]
    pub fn about(&self, dataset: &str) -> Self {
        let over_groups =
            self.over_groups.as_ref().map(|other| Box::new(other.as_ref().clone().map(|other| other.about(dataset))));
        let mut together = self.together.clone();
        for arm in together.iter_mut().flat_map(Together::arms_mut) {
            *arm = arm.about(dataset);
        }
        let dataset = Name { of: None, text: dataset.to_owned(), at: self.dataset.at };
        Self { dataset, over_groups, together, ..self.clone() }
    }

    /// Makes it one of several questions that are put together, however it is read.
    #[must_use]
    pub fn as_member(self) -> Self {
        let over_groups = self.over_groups.map(|other| Box::new((*other).map(Self::as_member)));
        Self { is_member: true, over_groups, ..self }
    }

    /// Writes down the text of the question, however it is read.
    pub fn named(&mut self, text: &QuestionText) {
        self.text = text.clone();
        if let Some(Ok(other)) = self.over_groups.as_deref_mut() {
            other.named(text);
        }
    }
}

struct Finding {
    found: Vec<(Option<Name>, Name)>,
}

impl Finding {
    fn source(&mut self, source: &FromItem) {
        match source {
            FromItem::Table { schema, name, .. } => self.found.push((schema.clone(), name.clone())),
            FromItem::Derived { rows, .. } => self.rows(rows),
            FromItem::Joined { left, right, .. } => {
                self.source(left);
                self.source(right);
            }
        }
    }

    fn rows(&mut self, rows: &Rows) {
        match rows {
            Rows::Select(select) => self.select(select),
            Rows::Listed { .. } => {}
            Rows::Set { left, right, .. } => {
                self.rows(left);
                self.rows(right);
            }
        }
    }

    fn select(&mut self, select: &Select) {
        self.source(&select.from);
        for condition in select.condition.iter().chain(&select.having).chain(&select.qualify) {
            let _ = condition.clone().rewrite(self);
        }
        for item in &select.items {
            if let super::RowValue::Expression(expression) = &item.value {
                let _ = expression.clone().rewrite(self);
            }
        }
    }
}

impl Rewriter for Finding {
    fn expression(&mut self, expression: &mut Expression) -> Result<bool, QueryError> {
        if let Scalar::Subquery(rows) = &expression.value {
            self.rows(rows);
        }
        Ok(false)
    }

    fn condition(&mut self, condition: &mut Condition) -> Result<bool, QueryError> {
        if let Condition::InRows(_, rows) | Condition::Exists(rows) = condition {
            self.rows(rows);
        }
        Ok(false)
    }
}
