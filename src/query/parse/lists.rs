//! Lists of constants that are written as arrays, as the text of an array, or as a query that reads no table.

use std::borrow::Cow;

use sqlparser::ast::{
    Array, Expr, Parens, Query, Select, SelectItem, SetExpr, SetOperator, Spanned, Value, ValueWithSpan,
};

use super::expressions::arguments;
use super::intervals::whole;
use super::limits::IN_ITEMS_MAX;
use super::nodes::{start, unsupported};
use crate::query::error::{Position, QueryError};

/// The items of `ANY(ARRAY[…])`, or of `ANY('{…}')`.
pub(super) fn items(expr: &Expr, at: Position) -> Result<Cow<'_, [Expr]>, QueryError> {
    let wrong = || unsupported(at, "ANY and ALL want an array of constants").hint("write = ANY(ARRAY['a', 'b'])");
    match expr {
        Expr::Array(Array { elem, named: _ }) => Ok(Cow::Borrowed(elem)),
        Expr::Nested(inner) => items(inner, at),
        Expr::Tuple(items) => Ok(Cow::Borrowed(items)),
        Expr::Cast { expr, .. } => items(expr, at),
        Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), span }) => {
            let texts = elements(text).ok_or_else(wrong)?;
            let item = |text| Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), span: *span });
            Ok(Cow::Owned(texts.into_iter().map(item).collect()))
        }
        Expr::Function(call) if call.name.to_string().eq_ignore_ascii_case("string_to_array") => {
            let texts = |expr: &Expr| match expr {
                Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text), .. }) => Some(text.clone()),
                _ => None,
            };
            let [text, by] = &arguments(call, at)?[..] else { return Err(wrong()) };
            let (text, by) = texts(text).zip(texts(by)).filter(|(_, by)| !by.is_empty()).ok_or_else(wrong)?;
            let span = expr.span();
            let item =
                |text: &str| Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(text.to_owned()), span });
            // An empty text is an array without elements.
            Ok(Cow::Owned(text.split(by.as_str()).filter(|_| !text.is_empty()).map(item).collect()))
        }
        _ => Err(wrong()),
    }
}

/// The elements of an array that is written as text, `{north,"far south"}`; `None` if it is none, or has a missing element.
fn elements(text: &str) -> Option<Vec<String>> {
    let mut letters = text.trim().strip_prefix('{')?.strip_suffix('}')?.chars().peekable();
    let mut found = Vec::new();
    while letters.peek().is_some() {
        let mut element = String::new();
        while letters.next_if_eq(&' ').is_some() {}
        if letters.next_if_eq(&'"').is_some() {
            loop {
                match letters.next()? {
                    '"' => break,
                    '\\' => element.push(letters.next()?),
                    letter => element.push(letter),
                }
            }
            while letters.next_if_eq(&' ').is_some() {}
        } else {
            while let Some(letter) = letters.next_if(|letter| *letter != ',') {
                if matches!(letter, '{' | '}' | '"' | '\\') {
                    return None;
                }
                element.push(letter);
            }
            element.truncate(element.trim_end().len());
            if element.is_empty() || element.eq_ignore_ascii_case("null") {
                return None;
            }
        }
        found.push(element);
        if letters.peek().is_some() {
            // A comma has an element behind it.
            letters.next_if_eq(&',').filter(|_| letters.peek().is_some())?;
        }
    }
    Some(found)
}

/// The values of a list that is written as a query: VALUES, a UNION of constants, UNNEST of an array, or GENERATE_SERIES of whole numbers;
/// `None` for any other query.
pub(super) fn values(query: &Query) -> Option<Vec<Expr>> {
    let is_alone = query.with.is_none()
        && query.order_by.is_none()
        && query.limit_clause.is_none()
        && query.fetch.is_none()
        && query.locks.is_empty();
    if is_alone { body(&query.body) } else { None }
}

fn body(of: &SetExpr) -> Option<Vec<Expr>> {
    match of {
        SetExpr::Values(values) => {
            let row = |row: &Parens<Vec<Expr>>| match &row.content[..] {
                [one] => one.clone(),
                many => Expr::Tuple(many.to_vec()),
            };
            Some(values.rows.iter().map(row).collect())
        }
        SetExpr::Query(inner) => values(inner),
        // In a list it does not matter how often a value stands there.
        SetExpr::SetOperation { left, op: SetOperator::Union, right, .. } => {
            Some([body(left)?, body(right)?].concat()).filter(|list| list.len() <= IN_ITEMS_MAX)
        }
        SetExpr::Select(select) if is_without_table(select) => match &select.projection[..] {
            [SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }] => selected(expr),
            _ => None,
        },
        _ => None,
    }
}

fn is_without_table(select: &Select) -> bool {
    select.from.is_empty() && select.selection.is_none() && select.having.is_none() && select.top.is_none()
}

/// The values of a selected item without a table.
fn selected(expr: &Expr) -> Option<Vec<Expr>> {
    match expr {
        Expr::Value(_) | Expr::TypedString(_) => Some(vec![expr.clone()]),
        Expr::Function(call) => {
            let at = start(call.name.span());
            let parts = arguments(call, at).ok()?;
            match (call.name.to_string().to_lowercase().as_str(), &parts[..]) {
                ("unnest", [list]) => items(list, at).ok().map(Cow::into_owned),
                ("generate_series", [first, last]) => series(whole(first)?, whole(last)?, 1, expr),
                ("generate_series", [first, last, step]) => series(whole(first)?, whole(last)?, whole(step)?, expr),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The whole numbers from a first to a last one.
fn series(first: i64, last: i64, step: i64, at: &Expr) -> Option<Vec<Expr>> {
    let is_in = |value: &i64| if step > 0 { *value <= last } else { *value >= last };
    let numbers = std::iter::successors(Some(first).filter(|_| step != 0), |value| value.checked_add(step));
    let numbers: Vec<i64> = numbers.take_while(is_in).take(IN_ITEMS_MAX + 1).collect();
    let number = |value: i64| {
        let written = Value::Number(value.unsigned_abs().to_string(), false);
        let written = Box::new(Expr::Value(ValueWithSpan { value: written, span: at.span() }));
        if value < 0 { Expr::UnaryOp { op: sqlparser::ast::UnaryOperator::Minus, expr: written } } else { *written }
    };
    (numbers.len() <= IN_ITEMS_MAX).then(|| numbers.into_iter().map(number).collect())
}

#[cfg(test)]
mod tests {
    use super::elements;

    #[test]
    fn arrays_are_read_as_postgresql_reads_them() {
        for (text, wanted) in [
            ("{}", Some(vec![])),
            ("{a}", Some(vec!["a"])),
            (" { a , b c } ", Some(vec!["a", "b c"])),
            ("{\"a,b\", \"c\\\"d\" ,e}", Some(vec!["a,b", "c\"d", "e"])),
            ("{a,NULL}", None),
            ("{a,}", None),
            ("{,a}", None),
            ("{{a}}", None),
            ("a,b", None),
            ("{\"a}", None),
        ] {
            let wanted = wanted.map(|list| list.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(elements(text), wanted, "{text}");
        }
    }
}
