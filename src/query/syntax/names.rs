//! The columns that a question names, in the order of its text.

use super::{
    Aggregate, AggregateFunction, Condition, Expression, Having, ItemValue, Name, OutputExpression, Query, Scalar,
};

impl Query {
    /// All columns that the question names, in the order of its text, except those in `ORDER BY`. `grouped` are the expressions that its
    /// grouping keys stand for.
    #[must_use]
    pub fn columns<'a>(&'a self, grouped: &'a [Expression]) -> Vec<&'a Name> {
        let mut names = Vec::new();
        for item in &self.items {
            match &item.value {
                ItemValue::Key(key) | ItemValue::Grouping(key) => key.columns(&mut names),
                ItemValue::Output(output) => output.columns(&mut names),
                ItemValue::Wildcard => {}
            }
        }
        self.condition.iter().for_each(|condition| condition.columns(&mut names));
        grouped.iter().for_each(|key| key.columns(&mut names));
        self.having.iter().chain(&self.after).for_each(|having| having.columns(&mut names));
        names
    }
}

impl Expression {
    pub(crate) fn columns<'a>(&'a self, names: &mut Vec<&'a Name>) {
        match &self.value {
            Scalar::Column(name) => names.push(name),
            Scalar::Constant(_) => {}
            Scalar::Negative(of)
            | Scalar::Absolute(of)
            | Scalar::Round(of, _)
            | Scalar::Truncate(_, of)
            | Scalar::Extract(_, of)
            | Scalar::Bucket(of, ..)
            | Scalar::Clamped(of, ..) => of.columns(names),
            Scalar::Arithmetic(left, _, right) | Scalar::Coalesce(left, right) => {
                left.columns(names);
                right.columns(names);
            }
            Scalar::Least(parts) | Scalar::Greatest(parts) | Scalar::Numeric(_, parts) | Scalar::Call(_, parts) => {
                parts.iter().for_each(|part| part.columns(names))
            }
            Scalar::Case(whens, otherwise) => {
                for (when, then) in whens {
                    when.columns(names);
                    then.columns(names);
                }
                otherwise.iter().for_each(|otherwise| otherwise.columns(names));
            }
            Scalar::Truth(condition) => condition.columns(names),
            // The queries that these may stand in are resolved before names are looked up.
            Scalar::Aggregate(_) | Scalar::Window(_) | Scalar::Subquery(_) => {}
        }
    }
}

impl Condition {
    fn columns<'a>(&'a self, names: &mut Vec<&'a Name>) {
        match self {
            Self::Compare(left, _, right) => {
                left.columns(names);
                right.columns(names);
            }
            Self::Between(of, low, high) => [of, low, high].into_iter().for_each(|part| part.columns(names)),
            Self::In(of, _) | Self::IsNull(of) | Self::Is(of) | Self::InRows(of, _) => of.columns(names),
            Self::Exists(_) => {}
            Self::Not(inner) => inner.columns(names),
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.columns(names)),
        }
    }
}

impl OutputExpression {
    fn columns<'a>(&'a self, names: &mut Vec<&'a Name>) {
        match self {
            Self::Aggregate(aggregate) => aggregate.columns(names),
            Self::Number(_) | Self::Named(_) | Self::Label(_) | Self::Missing => {}
            Self::Key(key) | Self::Grouping(key) => key.columns(names),
            Self::Call(_, parts) => parts.iter().for_each(|part| part.columns(names)),
            Self::Case(arms, otherwise) => {
                for (when, then) in arms {
                    when.columns(names);
                    then.columns(names);
                }
                otherwise.iter().for_each(|otherwise| otherwise.columns(names));
            }
            Self::Truth(having) => having.columns(names),
            Self::Window(call) => {
                call.of.iter().for_each(|of| of.columns(names));
                call.within.iter().for_each(|key| key.columns(names));
                call.order.iter().for_each(|order| order.by.columns(names));
            }
            Self::Running { of, by, within } => {
                of.columns(names);
                by.columns(names);
                within.iter().for_each(|key| key.columns(names));
            }
            Self::Negative(of) | Self::Absolute(of) | Self::Root(of) | Self::Round(of, _) => of.columns(names),
            Self::Arithmetic(left, _, right) | Self::NullIf(left, right) => {
                left.columns(names);
                right.columns(names);
            }
        }
    }
}

impl Aggregate {
    fn columns<'a>(&'a self, names: &mut Vec<&'a Name>) {
        match &self.function {
            AggregateFunction::CountRows => {}
            // The name may be that of the unit's id, which is not a declared column.
            AggregateFunction::CountDistinct(Expression { value: Scalar::Column(_), .. }) => {}
            AggregateFunction::CountDistinct(of) => of.columns(names),
            AggregateFunction::Count(of)
            | AggregateFunction::Sum(of)
            | AggregateFunction::Avg(of)
            | AggregateFunction::Spread(_, of)
            | AggregateFunction::Percentile(_, of)
            | AggregateFunction::Min(of)
            | AggregateFunction::Max(of) => of.columns(names),
            AggregateFunction::Any(condition) | AggregateFunction::Every(condition) => condition.columns(names),
            AggregateFunction::Chosen(chosen) => {
                chosen.of.columns(names);
                chosen.by.columns(names);
            }
            AggregateFunction::First { of, by, .. } => {
                of.columns(names);
                by.columns(names);
            }
            AggregateFunction::Pair(_, y, x) => {
                y.columns(names);
                x.columns(names);
            }
        }
        self.filter.iter().for_each(|filter| filter.columns(names));
    }
}

impl Having {
    fn columns<'a>(&'a self, names: &mut Vec<&'a Name>) {
        match self {
            Self::Compare(left, _, right) => {
                left.columns(names);
                right.columns(names);
            }
            Self::IsNull(of) | Self::Is(of) => of.columns(names),
            Self::Not(inner) => inner.columns(names),
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.columns(names)),
        }
    }
}
