//! Writer of the closed syntax as SQL text, form by form.

use tacit::query::syntax::{
    Aggregate, AggregateFunction, ArithmeticOperator, Choice, Comparison, Condition, Expression, GroupFunction,
    GroupOrder, GroupWindowCall, Having, Key, Literal, LiteralValue, OrderBy, OutputExpression, Scalar, WindowBound,
};

fn list<T>(parts: &[T], write: impl Fn(&T) -> String, word: &str) -> String {
    parts.iter().map(write).collect::<Vec<_>>().join(word)
}

pub fn expression(one: &Expression) -> String {
    match &one.value {
        Scalar::Column(column) => column.text.clone(),
        Scalar::Constant(value) => constant(value),
        Scalar::Negative(of) => format!("-({})", expression(of)),
        Scalar::Arithmetic(left, operator, right) => {
            format!("({} {} {})", expression(left), sign(*operator), expression(right))
        }
        Scalar::Call(..) | Scalar::Aggregate(_) | Scalar::Window(_) | Scalar::Subquery(_) => {
            unreachable!("none is made")
        }
        // The bounds follow the clamped value, as another argument.
        Scalar::Clamped(of, low, high) => {
            format!("{}, contribution_bounds => ({}, {})", expression(of), constant(&low.value), constant(&high.value))
        }
        Scalar::Absolute(of) => format!("ABS({})", expression(of)),
        Scalar::Least(parts) => format!("LEAST({})", list(parts, expression, ", ")),
        Scalar::Greatest(parts) => format!("GREATEST({})", list(parts, expression, ", ")),
        Scalar::Round(of, decimals) => format!("ROUND({}, {decimals})", expression(of)),
        Scalar::Coalesce(of, with) => format!("COALESCE({}, {})", expression(of), expression(with)),
        Scalar::Case(whens, otherwise) => {
            let arm =
                |(when, then): &(Condition, Expression)| format!("WHEN {} THEN {}", condition(when), expression(then));
            let otherwise = otherwise.as_ref().map(|otherwise| format!(" ELSE {}", expression(otherwise)));
            format!("CASE {}{} END", list(whens, arm, " "), otherwise.unwrap_or_default())
        }
        Scalar::Truncate(period, of) => format!("DATE_TRUNC('{}', {})", period.word(), expression(of)),
        Scalar::Extract(part, of) => format!("EXTRACT({} FROM {})", part.word(), expression(of)),
        Scalar::Bucket(of, low, high, count) => {
            format!("WIDTH_BUCKET({}, {}, {}, {count})", expression(of), literal(low), literal(high))
        }
        Scalar::Numeric(..) => unreachable!("none is made"),
        Scalar::Truth(inner) => format!("({})", condition(inner)),
    }
}

pub fn output(one: &OutputExpression) -> String {
    match one {
        OutputExpression::Aggregate(one) => aggregate(one),
        OutputExpression::Number(number) => literal(number),
        OutputExpression::Negative(of) => format!("-({})", output(of)),
        OutputExpression::Arithmetic(left, operator, right) => {
            format!("({} {} {})", output(left), sign(*operator), output(right))
        }
        OutputExpression::Absolute(of) => format!("ABS({})", output(of)),
        OutputExpression::Root(of) => format!("SQRT({})", output(of)),
        OutputExpression::Round(of, decimals) => format!("ROUND({}, {decimals})", output(of)),
        OutputExpression::NullIf(left, right) => format!("NULLIF({}, {})", output(left), output(right)),
        OutputExpression::Running { of, by, within } => {
            let of = output(&OutputExpression::Aggregate(of.clone()));
            let within = if within.is_empty() {
                String::new()
            } else {
                format!("PARTITION BY {} ", list(within, expression, ", "))
            };
            format!("SUM({of}) OVER ({within}ORDER BY {})", expression(by))
        }
        OutputExpression::Named(name) => name.text.clone(),
        OutputExpression::Label(one) => literal(one),
        OutputExpression::Missing => "NULL".to_owned(),
        OutputExpression::Key(key) => expression(key),
        OutputExpression::Grouping(key) => format!("GROUPING({})", expression(key)),
        OutputExpression::Call(function, parts) => {
            format!("{}({})", function.word().to_uppercase(), list(parts, output, ", "))
        }
        OutputExpression::Case(arms, otherwise) => {
            let arm =
                |(when, then): &(Having, OutputExpression)| format!("WHEN {} THEN {}", having(when), output(then));
            let otherwise = otherwise.as_ref().map(|otherwise| format!(" ELSE {}", output(otherwise)));
            format!("CASE {}{} END", list(arms, arm, " "), otherwise.unwrap_or_default())
        }
        OutputExpression::Truth(one) => format!("({})", having(one)),
        OutputExpression::Window(call) => window(call),
    }
}

fn window(call: &GroupWindowCall) -> String {
    let mut arguments: Vec<String> = call.of.iter().map(output).collect();
    match call.function {
        GroupFunction::Total => unreachable!("none is made"),
        GroupFunction::Count if arguments.is_empty() => arguments.push("*".to_owned()),
        GroupFunction::Ntile => arguments.push(call.step.to_string()),
        GroupFunction::Lag | GroupFunction::Lead | GroupFunction::NthValue => {
            arguments.insert(1, call.step.to_string())
        }
        _ => {}
    }
    let mut parts = Vec::new();
    if !call.within.is_empty() {
        parts.push(format!("PARTITION BY {}", list(&call.within, expression, ", ")));
    }
    if !call.order.is_empty() {
        let by = |one: &GroupOrder| format!("{}{}", output(&one.by), if one.descending { " DESC" } else { "" });
        parts.push(format!("ORDER BY {}", list(&call.order, by, ", ")));
    }
    if let Some(frame) = &call.frame {
        let bound = |bound: &WindowBound| match bound {
            WindowBound::First => "UNBOUNDED PRECEDING".to_owned(),
            WindowBound::Before(by) => format!("{by} PRECEDING"),
            WindowBound::Current => "CURRENT ROW".to_owned(),
            WindowBound::After(by) => format!("{by} FOLLOWING"),
            WindowBound::Last => "UNBOUNDED FOLLOWING".to_owned(),
        };
        let units = if frame.by_rows { "ROWS" } else { "RANGE" };
        parts.push(format!("{units} BETWEEN {} AND {}", bound(&frame.start), bound(&frame.end)));
    }
    format!("{}({}) OVER ({})", call.function.word().to_uppercase(), arguments.join(", "), parts.join(" "))
}

fn aggregate(aggregate: &Aggregate) -> String {
    let word = aggregate.function.word().to_uppercase();
    let call = match &aggregate.function {
        AggregateFunction::CountRows => "COUNT(*)".to_owned(),
        AggregateFunction::CountDistinct(of) => format!("COUNT(DISTINCT {})", expression(of)),
        AggregateFunction::Count(of)
        | AggregateFunction::Sum(of)
        | AggregateFunction::Avg(of)
        | AggregateFunction::Spread(_, of) => {
            format!("{word}({})", expression(of))
        }
        AggregateFunction::Min(of) | AggregateFunction::Max(of) => format!("{word}({})", expression(of)),
        AggregateFunction::Any(one) | AggregateFunction::Every(one) => format!("{word}({})", condition(one)),
        AggregateFunction::First { of, by, descending } => {
            let direction = if *descending { " DESC" } else { "" };
            let call = format!("ARRAY_AGG({} ORDER BY {}{direction})", expression(of), expression(by));
            let filter = aggregate.filter.as_ref().map(|filter| format!(" FILTER (WHERE {})", condition(filter)));
            return format!("({call}{})[1]", filter.unwrap_or_default());
        }
        AggregateFunction::Chosen(chosen) => {
            let direction = if chosen.descending { " DESC" } else { "" };
            let by = format!("{}{direction}", expression(&chosen.by));
            let filter = aggregate.filter.as_ref().map(|filter| format!(" FILTER (WHERE {})", condition(filter)));
            let filter = filter.unwrap_or_default();
            return match &chosen.choice {
                Choice::Nth(place) => {
                    format!("(ARRAY_AGG({} ORDER BY {by}){filter})[{place}]", expression(&chosen.of))
                }
                Choice::Percentile(fraction) => {
                    format!("PERCENTILE_DISC({}) WITHIN GROUP (ORDER BY {by}){filter}", literal(fraction))
                }
                Choice::Mode => format!("MODE() WITHIN GROUP (ORDER BY {by}){filter}"),
            };
        }
        AggregateFunction::Percentile(fraction, of) => {
            format!("PERCENTILE_CONT({}) WITHIN GROUP (ORDER BY {})", literal(fraction), expression(of))
        }
        AggregateFunction::Pair(_, y, x) => format!("{word}({}, {})", expression(y), expression(x)),
    };
    match &aggregate.filter {
        Some(filter) => format!("{call} FILTER (WHERE {})", condition(filter)),
        None => call,
    }
}

pub fn key(key: &Key) -> String {
    match key {
        Key::By(of) => expression(of),
        Key::Ordinal(number, _) => number.to_string(),
    }
}

pub fn order(by: &OrderBy) -> String {
    match by {
        OrderBy::Name(name) => name.clone(),
        OrderBy::Ordinal(number) => number.to_string(),
        OrderBy::Output(one) => output(one),
        OrderBy::Key(one) => expression(one),
    }
}

pub fn having(one: &Having) -> String {
    let part = |part: &Having| format!("({})", having(part));
    match one {
        Having::Compare(left, how, right) => format!("{} {} {}", output(left), comparison(*how), output(right)),
        Having::IsNull(of) => format!("{} IS NULL", output(of)),
        Having::Is(of) => output(of),
        Having::Not(inner) => format!("NOT ({})", having(inner)),
        Having::All(parts) => list(parts, part, " AND "),
        Having::Any(parts) => list(parts, part, " OR "),
    }
}

pub fn condition(one: &Condition) -> String {
    let part = |part: &Condition| format!("({})", condition(part));
    match one {
        Condition::Compare(left, how, right) => {
            format!("{} {} {}", expression(left), comparison(*how), expression(right))
        }
        Condition::Between(of, low, high) => {
            format!("{} BETWEEN {} AND {}", expression(of), expression(low), expression(high))
        }
        Condition::In(of, literals) => format!("{} IN ({})", expression(of), list(literals, literal, ", ")),
        Condition::IsNull(of) => format!("{} IS NULL", expression(of)),
        Condition::Is(of) => expression(of),
        Condition::InRows(..) | Condition::Exists(_) => unreachable!("none is made"),
        Condition::Not(inner) => format!("NOT ({})", condition(inner)),
        Condition::All(parts) => list(parts, part, " AND "),
        Condition::Any(parts) => list(parts, part, " OR "),
    }
}

fn sign(operator: ArithmeticOperator) -> &'static str {
    match operator {
        ArithmeticOperator::Plus => "+",
        ArithmeticOperator::Minus => "-",
        ArithmeticOperator::Times => "*",
        ArithmeticOperator::Over => "/",
    }
}

fn comparison(how: Comparison) -> &'static str {
    match how {
        Comparison::Equal => "=",
        Comparison::NotEqual => "<>",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}

fn literal(literal: &Literal) -> String {
    constant(&literal.value)
}

fn constant(value: &LiteralValue) -> String {
    match value {
        LiteralValue::Number(text) => text.clone(),
        LiteralValue::Text(text) => format!("'{}'", text.replace('\'', "''")),
        LiteralValue::Date(text) => format!("DATE '{text}'"),
        LiteralValue::Boolean(value) => value.to_string(),
    }
}
