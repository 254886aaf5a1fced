//! Parser of functions of texts, and of comparisons with patterns.

use sqlparser::ast::{self, BinaryOperator, Expr, Spanned, TrimWhereField, Value, ValueWithSpan};

use super::conditions::literal;
use super::expressions::{arguments, expression};
use super::limits::Budget;
use super::nodes::{start, unsupported};
use crate::query::error::{Position, QueryError, shown};
use crate::query::syntax::calls::Call;
use crate::query::syntax::{Condition, Expression, LiteralValue, Scalar};
use crate::query::term::patterns::{PatternKind, starting, with_backslash};
use crate::query::term::words::WordFunction;

/// The functions of texts, for "did you mean".
pub(super) const FUNCTIONS: [&str; 22] = [
    "lower",
    "upper",
    "initcap",
    "left",
    "right",
    "substring",
    "trim",
    "ltrim",
    "rtrim",
    "concat",
    "replace",
    "length",
    "position",
    "split_part",
    "reverse",
    "starts_with",
    "concat_ws",
    "translate",
    "regexp_replace",
    "lpad",
    "rpad",
    "repeat",
];

/// Whether an expression is a function of texts with a syntax of its own, or a comparison with a pattern.
pub(super) fn is_word(expr: &Expr) -> bool {
    match expr {
        Expr::BinaryOp { op, .. } => *op == BinaryOperator::StringConcat || pattern_operator(op).is_some(),
        Expr::Substring { .. }
        | Expr::Trim { .. }
        | Expr::Position { .. }
        | Expr::Like { .. }
        | Expr::ILike { .. }
        | Expr::SimilarTo { .. } => true,
        _ => false,
    }
}

/// Whether an expression is a comparison with a pattern.
pub(super) fn is_pattern(expr: &Expr) -> bool {
    match expr {
        Expr::BinaryOp { op, .. } => pattern_operator(op).is_some(),
        Expr::Like { .. } | Expr::ILike { .. } | Expr::SimilarTo { .. } => true,
        _ => false,
    }
}

/// The kind of an operator's pattern, and whether it is negated.
fn pattern_operator(op: &BinaryOperator) -> Option<(PatternKind, bool)> {
    match op {
        BinaryOperator::PGRegexMatch => Some((PatternKind::Expression, false)),
        BinaryOperator::PGRegexIMatch => Some((PatternKind::CaselessExpression, false)),
        BinaryOperator::PGRegexNotMatch => Some((PatternKind::Expression, true)),
        BinaryOperator::PGRegexNotIMatch => Some((PatternKind::CaselessExpression, true)),
        BinaryOperator::PGLikeMatch => Some((PatternKind::Like, false)),
        BinaryOperator::PGILikeMatch => Some((PatternKind::CaselessLike, false)),
        BinaryOperator::PGNotLikeMatch => Some((PatternKind::Like, true)),
        BinaryOperator::PGNotILikeMatch => Some((PatternKind::CaselessLike, true)),
        _ => None,
    }
}

/// Parses an expression for which [`is_word`] holds.
pub(super) fn word(expr: &Expr, depth: usize, budget: &mut Budget) -> Result<Scalar, QueryError> {
    let at = start(expr.span());
    let mut of = |expr: &Expr| expression(expr, depth + 1, budget);
    match expr {
        Expr::BinaryOp { left, op: BinaryOperator::StringConcat, right } => {
            Ok(call(WordFunction::Joined, vec![of(left)?, of(right)?]))
        }
        Expr::Substring { expr, substring_from, substring_for, special: _, shorthand: _ } => {
            let from = match substring_from {
                Some(from) => of(from)?,
                None => Expression { value: Scalar::Constant(LiteralValue::Number("1".to_owned())), at },
            };
            if let Scalar::Constant(LiteralValue::Text(_)) = from.value {
                return Err(unsupported(at, "SUBSTRING with a pattern is not supported")
                    .hint("write SUBSTRING(column FROM 1 FOR 3), or compare with a pattern: column ~ '…'"));
            }
            let mut operands = vec![of(expr)?, from];
            operands.extend(substring_for.as_ref().map(|count| of(count)).transpose()?);
            Ok(call(WordFunction::Substring, operands))
        }
        Expr::Trim { trim_where, trim_what, expr, trim_characters } => {
            let function = match trim_where {
                None | Some(TrimWhereField::Both) => WordFunction::Btrim,
                Some(TrimWhereField::Leading) => WordFunction::Ltrim,
                Some(TrimWhereField::Trailing) => WordFunction::Rtrim,
            };
            let mut operands = vec![of(expr)?];
            operands.extend(trim_what.as_ref().map(|what| of(what)).transpose()?);
            for characters in trim_characters.iter().flatten() {
                operands.push(of(characters)?);
            }
            counted(function, "TRIM", operands, at)
        }
        Expr::Position { expr, r#in } => Ok(call(WordFunction::Strpos, vec![of(r#in)?, of(expr)?])),
        other => pattern(other, depth, budget),
    }
}

/// Parses a comparison with a pattern.
fn pattern(expr: &Expr, depth: usize, budget: &mut Budget) -> Result<Scalar, QueryError> {
    let at = start(expr.span());
    let (kind, negated, any, of, pattern, escape) = match expr {
        Expr::BinaryOp { left, op, right } => {
            let (kind, negated) = pattern_operator(op)
                .ok_or_else(|| unsupported(at, format!("the operator \"{op}\" is not supported")))?;
            (kind, negated, false, left, right, None)
        }
        Expr::Like { negated, any, expr, pattern, escape_char } => {
            (PatternKind::Like, *negated, *any, expr, pattern, escape_char.as_ref())
        }
        Expr::ILike { negated, any, expr, pattern, escape_char } => {
            (PatternKind::CaselessLike, *negated, *any, expr, pattern, escape_char.as_ref())
        }
        Expr::SimilarTo { negated, expr, pattern, escape_char } => {
            (PatternKind::Similar, *negated, false, expr, pattern, escape_char.as_ref())
        }
        other => return Err(unsupported(at, format!("\"{}\" is no pattern", shown(&other.to_string())))),
    };
    let of = expression(of, depth + 1, budget)?;
    let mut pattern = pattern.as_ref();
    while let (true, Expr::Nested(inner)) = (any, pattern) {
        pattern = inner;
    }
    let patterns: Vec<&Expr> = match pattern {
        Expr::Array(array) if any => array.elem.iter().collect(),
        Expr::Tuple(all) if any => all.iter().collect(),
        one => vec![one],
    };
    let mut tests = Vec::with_capacity(patterns.len());
    for one in patterns {
        let mut one = expression(one, depth + 1, budget)?;
        if let Some(escape) = escape {
            one.value = Scalar::Constant(LiteralValue::Text(escaped(&one, escape)?));
        }
        tests.push(Expression { value: Scalar::Call(Call::Matches(kind), vec![of.clone(), one]), at });
    }
    match (<[Expression; 1]>::try_from(tests), negated) {
        (Ok([one]), false) => Ok(one.value),
        (Ok([one]), true) => Ok(truth(Condition::Not(Box::new(Condition::Is(one))))),
        (Err(many), negated) => {
            let any = Condition::Any(many.into_iter().map(Condition::Is).collect());
            Ok(truth(if negated { Condition::Not(Box::new(any)) } else { any }))
        }
    }
}

fn truth(condition: Condition) -> Scalar {
    Scalar::Truth(Box::new(condition))
}

/// A pattern with the escape character of ESCAPE, written with a backslash.
fn escaped(pattern: &Expression, escape: &Expr) -> Result<String, QueryError> {
    let wrong = || unsupported(start(escape.span()), "ESCAPE wants one character, or '' for none");
    let LiteralValue::Text(escape) = literal(escape)?.value else { return Err(wrong()) };
    let mut letters = escape.chars();
    let (first, None) = (letters.next(), letters.next()) else { return Err(wrong()) };
    let Scalar::Constant(LiteralValue::Text(text)) = &pattern.value else { return Err(wrong()) };
    with_backslash(text, first).map_err(|fault| unsupported(pattern.at, format!("the pattern is not taken: {fault}")))
}

fn call(function: WordFunction, operands: Vec<Expression>) -> Scalar {
    Scalar::Call(Call::Word(function), operands)
}

fn counted(function: WordFunction, word: &str, operands: Vec<Expression>, at: Position) -> Result<Scalar, QueryError> {
    let (least, most) = function.operands();
    if (least..=most).contains(&operands.len()) {
        return Ok(call(function, operands));
    }
    let accepted = if least == most { least.to_string() } else { format!("{least} to {most}") };
    Err(unsupported(at, format!("{word} has {} arguments; accepted are {accepted}", operands.len())))
}

/// Parses a call by its name; `None` if it is not a function of texts.
pub(super) fn function(
    word: &str,
    of: &ast::Function,
    at: Position,
    depth: usize,
    budget: &mut Budget,
) -> Result<Option<Scalar>, QueryError> {
    let (function, is_swapped) = match word {
        "char_length" | "character_length" | "len" => (WordFunction::Length, false),
        "substr" => (WordFunction::Substring, false),
        "trim" => (WordFunction::Btrim, false),
        "instr" => (WordFunction::Strpos, false),
        "position" | "charindex" | "locate" => (WordFunction::Strpos, true),
        "starts_with" | "startswith" => return starts_with(word, of, at, depth, budget).map(Some),
        word => match word.parse() {
            Ok(WordFunction::Joined) | Err(_) => return Ok(None),
            Ok(function) => (function, false),
        },
    };
    let operands = arguments(of, at)?.into_iter().map(|one| expression(one, depth + 1, budget));
    let mut operands = operands.collect::<Result<Vec<_>, _>>()?;
    if is_swapped {
        operands.reverse();
    }
    counted(function, &word.to_uppercase(), operands, at).map(Some)
}

/// Parses `STARTS_WITH(a, 'text')` as a comparison with a pattern.
fn starts_with(
    word: &str,
    of: &ast::Function,
    at: Position,
    depth: usize,
    budget: &mut Budget,
) -> Result<Scalar, QueryError> {
    let arguments = arguments(of, at)?;
    let [text, Expr::Value(ValueWithSpan { value: Value::SingleQuotedString(begin), .. })] = &arguments[..] else {
        return Err(unsupported(at, format!("{} wants a text and a constant text", word.to_uppercase())));
    };
    let pattern = Expression { value: Scalar::Constant(LiteralValue::Text(starting(begin))), at };
    let operands = vec![expression(text, depth + 1, budget)?, pattern];
    Ok(Scalar::Call(Call::Matches(PatternKind::Like), operands))
}
