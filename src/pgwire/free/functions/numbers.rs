//! Functions over numbers, days and moments.

use rusqlite::types::Value;

use super::function::{CallFault, Function, real, text, whole};
use crate::pgwire::catalogue::names::Names;
use crate::pgwire::free::moments;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::strict("divide_whole", "int8 int8", "int8", |_, arguments| {
        let (over, under) = (whole(arguments, 0).unwrap_or(0), whole(arguments, 1).unwrap_or(0));
        over.checked_div(under).map(Value::Integer).ok_or(CallFault::DividedByZero)
    }),
    Function::strict("divide", "float8 float8", "float8", |_, arguments| {
        let (over, under) = (real(arguments, 0).unwrap_or(0.0), real(arguments, 1).unwrap_or(0.0));
        if under == 0.0 { Err(CallFault::DividedByZero) } else { Ok(Value::Real(over / under)) }
    }),
    Function::strict("mod", "any any", "same", |_, arguments| match (arguments.first(), arguments.get(1)) {
        (Some(Value::Integer(over)), Some(Value::Integer(under))) => {
            over.checked_rem(*under).map(Value::Integer).ok_or(CallFault::DividedByZero)
        }
        _ => Ok(Value::Real(real(arguments, 0).unwrap_or(0.0) % real(arguments, 1).unwrap_or(1.0))),
    }),
    Function::strict("abs", "any", "same", |_, arguments| {
        Ok(match arguments.first() {
            Some(Value::Integer(number)) => Value::Integer(number.saturating_abs()),
            _ => Value::Real(real(arguments, 0).unwrap_or(0.0).abs()),
        })
    }),
    Function::strict("round", "any int4?", "same", |_, arguments| {
        let decimals = whole(arguments, 1).unwrap_or(0).clamp(-15, 15);
        Ok(match arguments.first() {
            Some(Value::Integer(number)) if decimals >= 0 => Value::Integer(*number),
            _ => {
                let scale = 10_f64.powi(decimals as i32);
                Value::Real((real(arguments, 0).unwrap_or(0.0) * scale).round() / scale)
            }
        })
    }),
    Function::strict("trunc", "any int4?", "same", |_, arguments| {
        let scale = 10_f64.powi(whole(arguments, 1).unwrap_or(0).clamp(-15, 15) as i32);
        Ok(Value::Real((real(arguments, 0).unwrap_or(0.0) * scale).trunc() / scale))
    }),
    Function::strict("floor", "any", "same", |_, arguments| rounded(arguments, f64::floor)),
    Function::strict("ceil", "any", "same", |_, arguments| rounded(arguments, f64::ceil)),
    Function::strict("ceiling", "any", "same", |_, arguments| rounded(arguments, f64::ceil)),
    Function::strict("sign", "any", "same", |_, arguments| {
        rounded(arguments, |number| if number == 0.0 { 0.0 } else { number.signum() })
    }),
    Function::strict("sqrt", "float8", "float8", |_, arguments| finite(arguments, "sqrt", f64::sqrt)),
    Function::strict("exp", "float8", "float8", |_, arguments| finite(arguments, "exp", f64::exp)),
    Function::strict("ln", "float8", "float8", |_, arguments| finite(arguments, "ln", f64::ln)),
    Function::strict("log", "float8", "float8", |_, arguments| finite(arguments, "log", f64::log10)),
    Function::strict("log10", "float8", "float8", |_, arguments| finite(arguments, "log10", f64::log10)),
    Function::strict("power", "float8 float8", "float8", power),
    Function::strict("pow", "float8 float8", "float8", power),
    Function::strict("pi", "", "float8", |_, _| Ok(Value::Real(std::f64::consts::PI))),
    Function::strict("date_trunc", "text timestamp text?", "timestamp", |_, arguments| {
        let at = whole(arguments, 1).and_then(|at| moments::truncated(&text(arguments, 0), at));
        at.map(Value::Integer).ok_or(CallFault::Undefined("date_trunc"))
    }),
    Function::strict("date_part", "text timestamp", "float8", |_, arguments| {
        let part = whole(arguments, 1).and_then(|at| moments::part(&text(arguments, 0), at));
        part.map(Value::Real).ok_or(CallFault::Undefined("date_part"))
    }),
    Function::strict("later", "timestamp text int4", "timestamp", |_, arguments| {
        let (at, sign) = (whole(arguments, 0).unwrap_or(0), whole(arguments, 2).unwrap_or(1));
        moments::later(at, &text(arguments, 1), sign).map(Value::Integer).ok_or(CallFault::Undefined("this interval"))
    }),
    Function::strict("to_date", "text text", "date", |_, arguments| {
        moments::day(&text(arguments, 0)).map(|day| Value::Integer(day.into())).ok_or(CallFault::Undefined("to_date"))
    }),
    Function::strict("to_timestamp", "text text", "timestamptz", |_, arguments| {
        moments::moment(&text(arguments, 0)).map(Value::Integer).ok_or(CallFault::Undefined("to_timestamp"))
    }),
    Function::strict("to_char", "timestamp text", "text", |_, arguments| {
        let shown = whole(arguments, 0).and_then(|at| moments::formatted(at, &text(arguments, 1)));
        shown.map(Value::Text).ok_or(CallFault::Undefined("to_char"))
    }),
    Function::strict("make_date", "int4 int4 int4", "date", |_, arguments| {
        let part = |place: usize| whole(arguments, place).unwrap_or(0);
        let day = moments::day(&format!("{:04}-{:02}-{:02}", part(0), part(1), part(2)));
        day.map(|day| Value::Integer(day.into())).ok_or(CallFault::Undefined("make_date"))
    }),
];

fn rounded(arguments: &[Value], round: fn(f64) -> f64) -> Result<Value, CallFault> {
    Ok(match arguments.first() {
        Some(Value::Integer(number)) => Value::Integer(round(*number as f64) as i64),
        _ => Value::Real(round(real(arguments, 0).unwrap_or(0.0))),
    })
}

fn finite(arguments: &[Value], name: &'static str, compute: fn(f64) -> f64) -> Result<Value, CallFault> {
    let value = compute(real(arguments, 0).unwrap_or(0.0));
    if value.is_finite() { Ok(Value::Real(value)) } else { Err(CallFault::Undefined(name)) }
}

fn power(_: &Names, arguments: &[Value]) -> Result<Value, CallFault> {
    let value = real(arguments, 0).unwrap_or(0.0).powf(real(arguments, 1).unwrap_or(1.0));
    if value.is_finite() { Ok(Value::Real(value)) } else { Err(CallFault::Undefined("power")) }
}
