//! The functions of PostgreSQL's that statements over the free tables may call.

mod arrays;
pub(crate) mod function;
mod lookups;
mod numbers;
mod session;
mod texts;

use std::sync::Arc;

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::{Value, ValueRef};

use self::function::{ARGUMENTS_BYTES_MAX, CallFault, Function, Made};
use super::casts;
use super::kind::Kind;
use super::patterns;
use crate::pgwire::catalogue::names::Names;

fn all() -> impl Iterator<Item = &'static Function> {
    [session::FUNCTIONS, lookups::FUNCTIONS, texts::FUNCTIONS, arrays::FUNCTIONS, numbers::FUNCTIONS]
        .into_iter()
        .flatten()
}

/// The functions of this name; their types differ in nothing that matters here.
pub(crate) fn function(name: &str) -> Option<&'static Function> {
    all().find(|one| one.name == name)
}

/// Makes all functions known to a connection, each as `f_` and its name, and casts as `pg_cast`.
pub(crate) fn register(connection: &Connection, names: &Arc<Names>, made: &Arc<Made>) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
    for function in all() {
        let (names, made) = (Arc::clone(names), Arc::clone(made));
        connection.create_scalar_function(format!("f_{}", function.name).as_str(), -1, flags, move |context| {
            let given = (0..context.len()).map(|place| match context.get_raw(place) {
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len(),
                ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => 0,
            });
            if given.sum::<usize>() > ARGUMENTS_BYTES_MAX {
                return Err(names.failed(CallFault::TooLong.into()));
            }
            let arguments =
                (0..context.len()).map(|place| context.get::<Value>(place)).collect::<Result<Vec<_>, _>>()?;
            let value = function.call(&names, &arguments).and_then(|value| made.count(value));
            value.map_err(|fault| names.failed(fault.into()))
        })?;
    }
    let (known, all) = (Arc::clone(names), Arc::clone(made));
    connection.create_scalar_function("pg_cast", 3, flags, move |context| {
        let kind = |place: usize| context.get::<String>(place).map(|name| Kind::named(&name).unwrap_or(Kind::TEXT));
        let cast = casts::cast(context.get::<Value>(0)?, kind(1)?, kind(2)?, &known);
        let counted = cast.map_err(CallFault::from).and_then(|value| all.count(value));
        counted.map_err(|fault| known.failed(fault.into()))
    })?;
    patterns::register(connection, names, made)
}
