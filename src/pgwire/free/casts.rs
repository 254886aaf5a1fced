//! Values as texts and back: what `::` does, and what PostgreSQL shows of a value.
//!
//! Arrays are stored as JSON, days and moments as integers, truth as 0 and 1, object ids as integers and `regproc` as a name.

use rusqlite::types::Value;
use serde_json::Value as Json;

use super::kind::{Base, Kind};
use super::moments;
use crate::pgwire::catalogue::names::Names;

/// A text that cannot be read as a type, or names nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unread {
    /// The text that could not be read, as the statement has it.
    pub(crate) text: String,
    /// The type that the text is to be read as.
    pub(crate) kind: Kind,
}

/// A value of one type as another one.
pub(crate) fn cast(value: Value, from: Kind, to: Kind, names: &Names) -> Result<Value, Unread> {
    if matches!(value, Value::Null) || from == to {
        return Ok(value);
    }
    match (from.element(), to.element()) {
        (Some(from), Some(to)) => elements(&value, |one| cast(one, from, to, names)),
        (Some(_), None) => Ok(shown(&value, from, names).map_or(Value::Null, Value::Text)),
        (None, Some(element)) => array(&shown(&value, from, names).unwrap_or_default(), to, element, names),
        (None, None) => scalar(value, from, to, names),
    }
}

fn scalar(value: Value, from: Kind, to: Kind, names: &Names) -> Result<Value, Unread> {
    let (from_base, to_base) = (from.base, to.base);
    if from_base.is_oid() && (to_base.is_oid() || to_base.is_number()) || from_base.is_number() && to_base.is_oid() {
        return Ok(value);
    }
    if from_base.is_number() && to_base.is_number() {
        return Ok(number(value, to_base));
    }
    let is_moment = |base: Base| matches!(base, Base::Date | Base::Timestamp | Base::Timestamptz);
    if let (true, true, Value::Integer(at)) = (is_moment(from_base), is_moment(to_base), &value) {
        return Ok(Value::Integer(moments::between(*at, from_base == Base::Date, to_base == Base::Date)));
    }
    match (from_base, to_base, &value) {
        (Base::Bool, base, Value::Integer(_)) if base.is_number() => return Ok(value),
        (base, Base::Bool, Value::Integer(one)) if base.is_number() => return Ok(Value::Integer(i64::from(*one != 0))),
        (Base::RegProc, Base::Oid | Base::Int4 | Base::Int8, Value::Text(name)) => {
            return Ok(Value::Integer(names.proc_oid(name).unwrap_or(0)));
        }
        _ => {}
    }
    read(&shown(&value, from, names).unwrap_or_default(), to, names)
}

fn number(value: Value, to: Base) -> Value {
    match (to, value) {
        (Base::Int2 | Base::Int4 | Base::Int8, Value::Real(one)) => Value::Integer(one.round_ties_even() as i64),
        (Base::Float4 | Base::Float8, Value::Integer(one)) => Value::Real(one as f64),
        (_, value) => value,
    }
}

/// A text as a value of a type.
pub(crate) fn read(text: &str, to: Kind, names: &Names) -> Result<Value, Unread> {
    if let Some(element) = to.element() {
        return array(text, to, element, names);
    }
    let unread = || Unread { text: text.chars().take(80).collect(), kind: to };
    let whole = |text: &str| text.trim().parse::<i64>().ok().map(Value::Integer);
    let id = |found: Option<i64>| whole(text).or(found.map(Value::Integer)).ok_or_else(unread);
    match to.base {
        Base::Bool => truth(text).map(|truth| Value::Integer(truth.into())).ok_or_else(unread),
        Base::Int2 | Base::Int4 | Base::Int8 | Base::Oid => whole(text).ok_or_else(unread),
        Base::Float4 | Base::Float8 => text.trim().parse().map(Value::Real).map_err(|_| unread()),
        Base::Numeric => match whole(text) {
            Some(value) => Ok(value),
            None => text.trim().parse().map(Value::Real).map_err(|_| unread()),
        },
        Base::Name => Ok(Value::Text(cut(text))),
        Base::Char => Ok(Value::Text(text.chars().take(1).collect())),
        Base::RegClass => id(names.class_oid(text)),
        Base::RegType => id(names.type_oid(text)),
        Base::RegNamespace => id(names.schema_oid(text)),
        Base::RegRole => id(names.role_oid(text)),
        Base::RegProc => Ok(if text == "-" || text == "0" { Value::Integer(0) } else { Value::Text(text.to_owned()) }),
        Base::Date => moments::day(text).map(|day| Value::Integer(day.into())).ok_or_else(unread),
        Base::Timestamp | Base::Timestamptz => moments::moment(text).map(Value::Integer).ok_or_else(unread),
        Base::Unknown
        | Base::Text
        | Base::Varchar
        | Base::Interval
        | Base::Record
        | Base::Int2Vector
        | Base::OidVector => Ok(Value::Text(text.to_owned())),
    }
}

/// A name has at most 63 bytes.
fn cut(text: &str) -> String {
    let mut end = text.len().min(63);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

fn truth(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "t" | "true" | "yes" | "y" | "on" | "1" => Some(true),
        "f" | "false" | "no" | "n" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// A value as the text that PostgreSQL shows; `None` for NULL.
pub(crate) fn shown(value: &Value, of: Kind, names: &Names) -> Option<String> {
    if let Some(element) = of.element() {
        let Value::Text(json) = value else { return None };
        return Some(array_text(json, of, element, names));
    }
    Some(match (of.base, value) {
        (_, Value::Null | Value::Blob(_)) => return None,
        (Base::Bool, Value::Integer(truth)) => if *truth == 0 { "false" } else { "true" }.to_owned(),
        (Base::RegClass, Value::Integer(oid)) => id_text(names.class_name(*oid), *oid),
        (Base::RegType, Value::Integer(oid)) => id_text(names.type_name(*oid), *oid),
        (Base::RegNamespace, Value::Integer(oid)) => id_text(names.schema_name(*oid), *oid),
        (Base::RegRole, Value::Integer(oid)) => id_text(names.role_name(*oid), *oid),
        (Base::RegProc, Value::Integer(oid)) => id_text(None, *oid),
        (Base::Date, Value::Integer(day)) => moments::day_text(*day),
        (Base::Timestamp, Value::Integer(at)) => moments::moment_text(*at),
        (Base::Timestamptz, Value::Integer(at)) => format!("{}+00", moments::moment_text(*at)),
        (_, Value::Integer(number)) => number.to_string(),
        (_, Value::Real(number)) => number.to_string(),
        (_, Value::Text(text)) => text.clone(),
    })
}

fn id_text(name: Option<String>, oid: i64) -> String {
    name.unwrap_or_else(|| if oid == 0 { "-".to_owned() } else { oid.to_string() })
}

/// One element of stored JSON.
pub(crate) fn of_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Integer((*truth).into()),
        Json::Number(number) => {
            number.as_i64().map(Value::Integer).unwrap_or_else(|| Value::Real(number.as_f64().unwrap_or_default()))
        }
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(_) | Json::Object(_) => Value::Text(json.to_string()),
    }
}

/// A value as an element of stored JSON.
pub(crate) fn to_json(value: Value) -> Json {
    match value {
        Value::Null | Value::Blob(_) => Json::Null,
        Value::Integer(number) => number.into(),
        Value::Real(number) => number.into(),
        Value::Text(text) => Json::String(text),
    }
}

/// The elements of a stored array; none if it is no array.
pub(crate) fn list(value: &Value) -> Option<Vec<Json>> {
    match value {
        Value::Text(json) => serde_json::from_str(json).ok(),
        Value::Null | Value::Integer(_) | Value::Real(_) | Value::Blob(_) => None,
    }
}

fn elements(value: &Value, mut each: impl FnMut(Value) -> Result<Value, Unread>) -> Result<Value, Unread> {
    let Some(list) = list(value) else { return Ok(Value::Null) };
    let list = list.iter().map(|one| each(of_json(one)).map(to_json)).collect::<Result<Vec<_>, _>>()?;
    Ok(Value::Text(Json::Array(list).to_string()))
}

fn array_text(json: &str, of: Kind, element: Kind, names: &Names) -> String {
    let list: Vec<Json> = serde_json::from_str(json).unwrap_or_default();
    let texts = list.iter().map(|one| shown(&of_json(one), element, names));
    if !of.is_array {
        return texts.map(Option::unwrap_or_default).collect::<Vec<_>>().join(" ");
    }
    let quoted = |text: Option<String>| match text {
        None => "NULL".to_owned(),
        Some(text) if element.base == Base::Bool => text.chars().take(1).collect(),
        Some(text) => {
            let is_plain = !text.is_empty()
                && !text.eq_ignore_ascii_case("null")
                && !text.contains(['{', '}', ',', '"', '\\', ' ', '\t', '\n']);
            if is_plain { text } else { format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")) }
        }
    };
    format!("{{{}}}", texts.map(quoted).collect::<Vec<_>>().join(","))
}

/// Reads `{a,"b c",NULL}`, or a vector's `1 2`.
fn array(text: &str, to: Kind, element: Kind, names: &Names) -> Result<Value, Unread> {
    let parts: Vec<Option<String>> = if to.is_array {
        parts(text.trim()).ok_or_else(|| Unread { text: text.chars().take(80).collect(), kind: to })?
    } else {
        text.split_whitespace().map(|part| Some(part.to_owned())).collect()
    };
    let read = |part: Option<String>| part.map_or(Ok(Value::Null), |part| read(&part, element, names)).map(to_json);
    let list = parts.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(Value::Text(Json::Array(list).to_string()))
}

fn parts(text: &str) -> Option<Vec<Option<String>>> {
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    let (mut parts, mut part, mut was_quoted) = (Vec::new(), String::new(), false);
    let mut is_quoted = false;
    let mut letters = inner.chars();
    let end = |part: &mut String, was_quoted: &mut bool| {
        let text = std::mem::take(part);
        let is_null = !std::mem::take(was_quoted) && text.trim().eq_ignore_ascii_case("null");
        (!is_null).then_some(text)
    };
    while let Some(letter) = letters.next() {
        match letter {
            '"' => {
                is_quoted = !is_quoted;
                was_quoted = true;
            }
            '\\' => part.push(letters.next()?),
            ',' if !is_quoted => parts.push(end(&mut part, &mut was_quoted)),
            '{' | '}' if !is_quoted => return None,
            letter => part.push(letter),
        }
    }
    if !(parts.is_empty() && part.is_empty() && !was_quoted) {
        parts.push(end(&mut part, &mut was_quoted));
    }
    (!is_quoted).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn arrays_are_read_as_postgresql_writes_them() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(parts("{}"), Some(vec![]));
        assert_eq!(
            parts(r#"{a,"b, c",NULL,"NULL","\""}"#),
            Some(vec![some("a"), some("b, c"), None, some("NULL"), some("\"")])
        );
        assert_eq!(parts("{1,2"), None);
        assert_eq!(parts("{{1},{2}}"), None);
    }
}
