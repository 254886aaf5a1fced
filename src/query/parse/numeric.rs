//! Parser of casts and of the numeric functions of one row.

use sqlparser::ast::{CastKind, CeilFloorKind, CharacterLength, DataType, DateTimeField, ExactNumberInfo, Expr};

use super::conditions::literal;
use super::expressions::{decimals, expression};
use super::limits::Budget;
use super::nodes::unsupported;
use crate::query::error::{Position, QueryError, shown};
use crate::query::syntax::calls::Call;
use crate::query::syntax::{CastType, Expression, LiteralValue, Numeric, Scalar};
use crate::query::term::literals::{day_text, midnight};
use crate::query::term::lower::Side;
use crate::query::term::words::WordFunction;

/// Names of the numeric functions.
pub(super) const FUNCTIONS: [&str; 13] =
    ["ceil", "ceiling", "exp", "floor", "ln", "log", "log10", "log2", "mod", "nullif", "pow", "power", "sign"];

/// `CAST(a AS type)`, `a::type`; TRY_CAST and SAFE_CAST are the same, because no cast that is accepted can fail.
pub(super) fn cast(
    (kind, expr, data_type): (&CastKind, &Expr, &DataType),
    at: Position,
    depth: usize,
    budget: &mut Budget,
) -> Result<Scalar, QueryError> {
    match kind {
        CastKind::Cast | CastKind::TryCast | CastKind::SafeCast | CastKind::DoubleColon => {}
    }
    if let Some(length) = cut_length(data_type) {
        if let Some(LiteralValue::Text(text)) = constant(expr, data_type, CastType::Text) {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            return Ok(Scalar::Constant(LiteralValue::Text(text.chars().take(length).collect())));
        }
        // As in PostgreSQL, a text that is longer is cut.
        let text = Scalar::Numeric(Numeric::Cast(CastType::Text), vec![expression(expr, depth + 1, budget)?]);
        let length = Expression { value: Scalar::Constant(LiteralValue::Number(length.to_string())), at };
        let parts = vec![Expression { value: text, at }, length];
        return Ok(Scalar::Call(Call::Word(WordFunction::Left), parts));
    }
    let to = cast_type(data_type, at)?;
    if let Some(value) = constant(expr, data_type, to) {
        return Ok(Scalar::Constant(value));
    }
    let inner = expression(expr, depth + 1, budget)?;
    Ok(Scalar::Numeric(Numeric::Cast(to), vec![inner]))
}

/// A day of eight digits, `20240229`, as it is usually written.
fn dashed(text: &str) -> String {
    let is_digits = text.len() == 8 && text.bytes().all(|letter| letter.is_ascii_digit());
    match (text.get(..4), text.get(4..6), text.get(6..)) {
        (Some(year), Some(month), Some(day)) if is_digits => format!("{year}-{month}-{day}"),
        _ => text.to_owned(),
    }
}

/// The length of `VARCHAR(n)`, by which a text is cut; `None` for any other type.
fn cut_length(data_type: &DataType) -> Option<u64> {
    match data_type {
        DataType::Varchar(Some(CharacterLength::IntegerLength { length, unit: None }))
        | DataType::CharacterVarying(Some(CharacterLength::IntegerLength { length, unit: None })) => Some(*length),
        _ => None,
    }
}

/// A constant that a cast gives another type: a text that is a day or a number.
pub(super) fn constant(expr: &Expr, data_type: &DataType, to: CastType) -> Option<LiteralValue> {
    let literal = literal(expr).ok()?.value;
    match (to, &literal) {
        // A cast to DATE takes the time away, and one to TIMESTAMP keeps it.
        (CastType::Date, LiteralValue::Text(text) | LiteralValue::Date(text)) => {
            Some(LiteralValue::Date(dashed(&if *data_type == DataType::Date {
                day_text(text)
            } else {
                midnight(text).to_owned()
            })))
        }
        (CastType::Integer, LiteralValue::Text(text)) => {
            text.trim().parse::<i64>().ok().map(|number| LiteralValue::Number(number.to_string()))
        }
        (CastType::Decimal(None), LiteralValue::Text(text)) => {
            let text = text.trim();
            crate::query::term::Constant::parse(text).map(|_| {
                let point = if text.contains('.') { "" } else { ".0" };
                LiteralValue::Number(format!("{text}{point}"))
            })
        }
        (CastType::Text, LiteralValue::Number(text)) if text.bytes().all(|letter| letter.is_ascii_digit()) => {
            Some(LiteralValue::Text(text.clone()))
        }
        (CastType::Text, LiteralValue::Text(_)) | (CastType::Truth, LiteralValue::Boolean(_)) => Some(literal),
        (CastType::Truth, LiteralValue::Text(text)) => match text.to_lowercase().as_str() {
            "true" | "t" | "1" => Some(LiteralValue::Boolean(true)),
            "false" | "f" | "0" => Some(LiteralValue::Boolean(false)),
            _ => None,
        },
        _ => None,
    }
}

/// The types that values can be cast to.
pub(super) fn cast_type(data_type: &DataType, at: Position) -> Result<CastType, QueryError> {
    const DECIMALS_MAX: i64 = 9;
    let exact = |info: &ExactNumberInfo| match info {
        ExactNumberInfo::None => Ok(CastType::Decimal(None)),
        ExactNumberInfo::Precision(_) => Ok(CastType::Decimal(Some(0))),
        ExactNumberInfo::PrecisionAndScale(_, scale) if (0..=DECIMALS_MAX).contains(scale) => {
            Ok(CastType::Decimal(u32::try_from(*scale).ok()))
        }
        ExactNumberInfo::PrecisionAndScale(_, scale) => {
            let message = format!("NUMERIC with {scale} decimals is not supported; accepted are 0 to {DECIMALS_MAX}");
            Err(unsupported(at, message))
        }
    };
    match data_type {
        DataType::Int(_)
        | DataType::Integer(_)
        | DataType::BigInt(_)
        | DataType::SmallInt(_)
        | DataType::TinyInt(_)
        | DataType::Int2(_)
        | DataType::Int4(_)
        | DataType::Int8(_)
        | DataType::Int64 => Ok(CastType::Integer),
        DataType::Numeric(info) | DataType::Decimal(info) | DataType::Dec(info) => exact(info),
        DataType::Float(_)
        | DataType::Float4
        | DataType::Float8
        | DataType::Float64
        | DataType::Real
        | DataType::Double(_)
        | DataType::DoublePrecision => Ok(CastType::Decimal(None)),
        DataType::Date | DataType::Timestamp(..) | DataType::Datetime(_) => Ok(CastType::Date),
        DataType::Text | DataType::Varchar(None) | DataType::CharacterVarying(None) | DataType::String(None) => {
            Ok(CastType::Text)
        }
        DataType::Bool | DataType::Boolean => Ok(CastType::Truth),
        other => Err(unsupported(at, format!("a cast to {} is not supported", shown(&other.to_string())))
            .hint("accepted are INTEGER, NUMERIC, DATE, TEXT and BOOLEAN")),
    }
}

/// FLOOR or CEIL of a number.
pub(super) fn to_side(
    (side, expr, field): (Side, &Expr, &CeilFloorKind),
    at: Position,
    depth: usize,
    budget: &mut Budget,
) -> Result<Scalar, QueryError> {
    if *field != CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) {
        return Err(unsupported(at, format!("{} takes one number", side.word())));
    }
    Ok(Scalar::Numeric(Numeric::Cut(side, 0), vec![expression(expr, depth + 1, budget)?]))
}

/// A numeric function by its name; `None` if it is none, or has another number of arguments.
pub(super) fn function(
    word: &str,
    arguments: &[&Expr],
    at: Position,
    depth: usize,
    budget: &mut Budget,
) -> Result<Option<Scalar>, QueryError> {
    let mut of = |expr: &Expr| expression(expr, depth + 1, budget);
    let (call, parts) = match (word, arguments) {
        ("floor", [one]) => (Numeric::Cut(Side::Down, 0), vec![of(one)?]),
        ("ceil" | "ceiling", [one]) => (Numeric::Cut(Side::Up, 0), vec![of(one)?]),
        ("trunc" | "truncate", [one]) => (Numeric::Cut(Side::Zero, 0), vec![of(one)?]),
        ("trunc" | "truncate", [one, to]) => (Numeric::Cut(Side::Zero, decimals(to)?), vec![of(one)?]),
        ("mod", [one, by]) => (Numeric::Remainder, vec![of(one)?, of(by)?]),
        ("nullif", [one, other]) => (Numeric::NullIf, vec![of(one)?, of(other)?]),
        ("sign", [one]) => (Numeric::Sign, vec![of(one)?]),
        ("sqrt", [one]) => (Numeric::Root, vec![of(one)?]),
        ("exp", [one]) => (Numeric::Exponential, vec![of(one)?]),
        ("ln", [one]) => (Numeric::Natural, vec![of(one)?]),
        // As in PostgreSQL, LOG of one number is to base 10, and the base comes first.
        ("log" | "log10", [one]) => (Numeric::Logarithm, vec![base("10", at), of(one)?]),
        ("log2", [one]) => (Numeric::Logarithm, vec![base("2", at), of(one)?]),
        ("log", [to, one]) => (Numeric::Logarithm, vec![of(to)?, of(one)?]),
        ("power" | "pow", [one, exponent]) => (Numeric::Power, vec![of(one)?, of(exponent)?]),
        _ => return Ok(None),
    };
    Ok(Some(Scalar::Numeric(call, parts)))
}

fn base(text: &str, at: Position) -> Expression {
    Expression { value: Scalar::Constant(LiteralValue::Number(text.to_owned())), at }
}

/// The missing value as a result of CASE.
pub(super) fn null(at: Position) -> Expression {
    Expression { value: Scalar::Numeric(Numeric::Null, Vec::new()), at }
}
