//! Functions over arrays, which are stored as JSON, and the rows of functions that return several.

use rusqlite::types::Value;
use serde_json::{Value as Json, json};

use super::function::{CallFault, Function, Growing, SERIES_ROWS_MAX, TEXT_BYTES_MAX, text, whole};
use crate::pgwire::catalogue::names::Names;
use crate::pgwire::free::casts::{list, of_json, to_json};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::lenient("array_to_string", "any text text?", "text", to_string),
    Function::strict("array_length", "any int4", "int4", length),
    Function::strict("array_upper", "any int4", "int4", length),
    Function::strict("array_lower", "any int4", "int4", |_, arguments| {
        Ok(if items(arguments).is_empty() { Value::Null } else { Value::Integer(1) })
    }),
    Function::strict("array_ndims", "any", "int4", |_, arguments| {
        Ok(if items(arguments).is_empty() { Value::Null } else { Value::Integer(1) })
    }),
    Function::strict("cardinality", "any", "int4", |_, arguments| Ok(Value::Integer(items(arguments).len() as i64))),
    Function::lenient("array_position", "any any", "int4", |_, arguments| {
        let Some(wanted) = arguments.get(1).cloned().map(to_json) else { return Ok(Value::Null) };
        let place = items(arguments).iter().position(|one| *one == wanted);
        Ok(place.map_or(Value::Null, |place| Value::Integer(place as i64 + 1)))
    }),
    Function::lenient("array_cat", "any any", "same", |_, arguments| Ok(concatenated(arguments))),
    Function::lenient("array_append", "any any", "same", |_, arguments| {
        let mut list = items(arguments);
        list.extend(arguments.get(1).cloned().map(to_json));
        Ok(Value::Text(Json::Array(list).to_string()))
    }),
    Function::lenient("array_remove", "any any", "same", |_, arguments| {
        let wanted = arguments.get(1).cloned().map(to_json);
        let list = items(arguments).into_iter().filter(|one| Some(one) != wanted.as_ref()).collect();
        Ok(Value::Text(Json::Array(list).to_string()))
    }),
    Function::strict("string_to_array", "text text", "_text", |_, arguments| {
        let (whole, by) = (text(arguments, 0), text(arguments, 1));
        let parts: Vec<&str> = if whole.is_empty() {
            Vec::new()
        } else if by.is_empty() {
            vec![whole.as_str()]
        } else {
            whole.split(by.as_str()).collect()
        };
        Ok(Value::Text(json!(parts).to_string()))
    }),
    // The element of an array; the last argument is the number of the first one.
    Function::strict("subscript", "any int8 int8", "element", |_, arguments| {
        let place = whole(arguments, 1).unwrap_or(-1) - whole(arguments, 2).unwrap_or(1);
        let list = items(arguments);
        let found = usize::try_from(place).ok().and_then(|place| list.get(place).map(of_json));
        Ok(found.unwrap_or(Value::Null))
    }),
    // The rows of functions that return several, side by side: shorter ones end with NULL.
    Function::lenient("lockstep", "any*", "text", |_, arguments| {
        let lists: Vec<Vec<Json>> = arguments.iter().map(|one| list(one).unwrap_or_default()).collect();
        let rows = lists.iter().map(Vec::len).max().unwrap_or(0);
        // A value of JSON has a byte at least, and one behind it.
        if rows.saturating_mul(lists.len()) > TEXT_BYTES_MAX / 2 {
            return Err(CallFault::TooLong);
        }
        let row =
            |at: usize| Json::Array(lists.iter().map(|list| list.get(at).cloned().unwrap_or(Json::Null)).collect());
        Ok(Value::Text(Json::Array((0..rows).map(row).collect()).to_string()))
    }),
    Function::strict("rows_of_unnest", "any", "text", |_, arguments| {
        Ok(Value::Text(Json::Array(items(arguments)).to_string()))
    }),
    Function::strict("rows_of_generate_subscripts", "any int4 bool?", "text", |_, arguments| {
        let list = items(arguments);
        // Vectors are numbered from 0.
        let first = whole(arguments, 2).unwrap_or(1);
        Ok(Value::Text(json!((0..list.len() as i64).map(|at| at + first).collect::<Vec<_>>()).to_string()))
    }),
    Function::strict("rows_of_generate_series", "int8 int8 int8?", "text", series),
    Function::strict("rows_of__pg_expandarray", "any", "text", |_, arguments| {
        let items = items(arguments);
        if items.len() > TEXT_BYTES_MAX / r#"{"n":1,"x":1},"#.len() {
            return Err(CallFault::TooLong);
        }
        let rows = items.into_iter().zip(1..).map(|(x, n)| json!({"x": x, "n": n}));
        Ok(Value::Text(Json::Array(rows.collect()).to_string()))
    }),
];

fn items(arguments: &[Value]) -> Vec<Json> {
    arguments.first().and_then(list).unwrap_or_default()
}

fn length(_: &Names, arguments: &[Value]) -> Result<Value, CallFault> {
    let length = items(arguments).len();
    Ok(if length == 0 || whole(arguments, 1) != Some(1) { Value::Null } else { Value::Integer(length as i64) })
}

fn to_string(names: &Names, arguments: &[Value]) -> Result<Value, CallFault> {
    if matches!(arguments.first(), Some(Value::Null) | None) {
        return Ok(Value::Null);
    }
    let missing = arguments.get(2).filter(|one| !matches!(one, Value::Null)).map(|_| text(arguments, 2));
    let shown = |one: &Json| {
        let of = crate::pgwire::free::kind::Kind::TEXT;
        crate::pgwire::free::casts::shown(&of_json(one), of, names).or_else(|| missing.clone())
    };
    let (by, mut made, mut is_first) = (text(arguments, 1), Growing::default(), true);
    for part in items(arguments).iter().filter_map(shown) {
        if !std::mem::take(&mut is_first) {
            made.push(&by)?;
        }
        made.push(&part)?;
    }
    Ok(made.value())
}

fn concatenated(arguments: &[Value]) -> Value {
    let parts: Vec<Vec<Json>> = arguments.iter().filter_map(list).collect();
    if parts.is_empty() { Value::Null } else { Value::Text(Json::Array(parts.concat()).to_string()) }
}

fn series(_: &Names, arguments: &[Value]) -> Result<Value, CallFault> {
    let (first, last) = (whole(arguments, 0).unwrap_or(1), whole(arguments, 1).unwrap_or(0));
    let step = whole(arguments, 2).unwrap_or(1);
    if step == 0 {
        return Err(CallFault::Undefined("generate_series with a step of 0"));
    }
    let count = (i128::from(last) - i128::from(first)) / i128::from(step) + 1;
    if count > i128::from(SERIES_ROWS_MAX) {
        return Err(CallFault::Undefined("generate_series with more than 10000 rows"));
    }
    let count = if (last >= first) == (step > 0) || first == last { i64::try_from(count).unwrap_or(0) } else { 0 };
    Ok(Value::Text(json!((0..count.max(0)).map(|at| first + at * step).collect::<Vec<_>>()).to_string()))
}
