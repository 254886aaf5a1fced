//! `FETCH FIRST n ROWS WITH TIES`, as the condition that a group's rank in the order is at most n.

use super::nodes::unsupported;
use crate::query::error::{Position, QueryError, shown};
use crate::query::syntax::{
    Comparison, GroupFunction, GroupOrder, GroupWindowCall, Having, Item, ItemValue, Literal, LiteralValue, OrderBy,
    OutputExpression, Query,
};

/// The condition on the groups of a question, whose order and limit are read.
pub(super) fn within(answer: &Query, at: Position) -> Result<Having, QueryError> {
    if answer.order.is_empty() {
        return Err(unsupported(at, "WITH TIES wants an ORDER BY, which says what is tied"));
    }
    if answer.offset > 0 {
        return Err(unsupported(at, "OFFSET beside WITH TIES is not supported"));
    }
    let mut order = Vec::with_capacity(answer.order.len());
    for key in &answer.order {
        let by = match &key.by {
            OrderBy::Output(output) => output.clone(),
            OrderBy::Key(of) => OutputExpression::Key(Box::new(of.clone())),
            OrderBy::Ordinal(place) => {
                let item = usize::try_from(*place).ok().and_then(|place| answer.items.get(place.checked_sub(1)?));
                item.and_then(sorted).ok_or_else(|| {
                    unsupported(key.at, format!("there is no output of the number {place} to sort by"))
                })?
            }
            OrderBy::Name(name) => {
                let is_it = |item: &&Item| item.alias.as_ref().is_some_and(|alias| alias.text == *name);
                let named = answer.items.iter().find(is_it).and_then(sorted);
                named
                    .or_else(|| answer.items.iter().find_map(|item| of_column(item, name)))
                    .ok_or_else(|| unsupported(key.at, format!("\"{}\" is no output to sort by", shown(name))))?
            }
        };
        order.push(GroupOrder { by, descending: key.descending, nulls_first: key.nulls_first });
    }
    let call = GroupWindowCall {
        function: GroupFunction::Rank,
        of: Vec::new(),
        step: 1,
        within: Vec::new(),
        order,
        frame: None,
        at,
    };
    let number = LiteralValue::Number(answer.limit.unwrap_or(1).to_string());
    let number = OutputExpression::Number(Literal { value: number, at });
    Ok(Having::Compare(OutputExpression::Window(Box::new(call)), Comparison::LessOrEqual, number))
}

/// What an item is, to sort by it.
fn sorted(item: &Item) -> Option<OutputExpression> {
    match &item.value {
        ItemValue::Key(key) => Some(OutputExpression::Key(Box::new(key.clone()))),
        ItemValue::Output(output) => Some(output.clone()),
        ItemValue::Grouping(_) | ItemValue::Wildcard => None,
    }
}

/// An item without a name of its own that is a column of this name.
fn of_column(item: &Item, name: &str) -> Option<OutputExpression> {
    match &item.value {
        ItemValue::Key(key) if item.alias.is_none() => match &key.value {
            crate::query::syntax::Scalar::Column(column) if column.text == name => sorted(item),
            _ => None,
        },
        _ => None,
    }
}
