//! Functions about the session: where it is, who it is, what it has set.

use rusqlite::types::Value;
use serde_json::Value as Json;

use super::function::{CallFault, Function, text, whole};
use crate::pgwire::catalogue::names::Names;
use crate::pgwire::free::error::{FreeError, UNSUPPORTED};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::strict("version", "", "text", |_, _| Ok(Value::Text(VERSION.to_owned()))),
    Function::strict("current_database", "", "name", |names, _| Ok(Value::Text(names.seen.database.clone()))),
    Function::strict("current_catalog", "", "name", |names, _| Ok(Value::Text(names.seen.database.clone()))),
    Function::strict("current_user", "", "name", person),
    Function::strict("session_user", "", "name", person),
    Function::strict("current_role", "", "name", person),
    Function::strict("user", "", "name", person),
    Function::strict("current_schema", "", "name", |names, _| {
        Ok(names.path().into_iter().next().map_or(Value::Null, Value::Text))
    }),
    Function::strict("current_schemas", "bool", "_name", |names, arguments| {
        let first = (whole(arguments, 0) == Some(1)).then(|| "pg_catalog".to_owned());
        let all = first.into_iter().chain(names.path()).map(Json::String).collect();
        Ok(Value::Text(Json::Array(all).to_string()))
    }),
    Function::strict("current_setting", "text bool?", "text", setting),
    Function::strict("set_config", "text text bool?", "text", set),
    Function::strict("pg_backend_pid", "", "int4", |names, _| {
        let pid = names.setting("tacit.backend_pid").and_then(|pid| pid.parse().ok());
        Ok(Value::Integer(pid.unwrap_or(0)))
    }),
    Function::strict("pg_is_in_recovery", "", "bool", no),
    Function::strict("pg_is_wal_replay_paused", "", "bool", no),
    Function::strict("pg_jit_available", "", "bool", no),
    Function::strict("pg_is_other_temp_schema", "oid", "bool", no),
    Function::strict("pg_my_temp_schema", "", "oid", |_, _| Ok(Value::Integer(0))),
    Function::strict("inet_server_addr", "", "text", nothing),
    Function::strict("inet_server_port", "", "int4", nothing),
    Function::strict("inet_client_addr", "", "text", nothing),
    Function::strict("inet_client_port", "", "int4", nothing),
    Function::strict("pg_client_encoding", "", "name", utf8),
    Function::strict("getdatabaseencoding", "", "name", utf8),
    Function::strict("pg_encoding_to_char", "int4", "name", |_, arguments| {
        Ok(Value::Text(if whole(arguments, 0) == Some(6) { "UTF8" } else { "" }.to_owned()))
    }),
    Function::strict("pg_char_to_encoding", "name", "int4", |_, _| Ok(Value::Integer(6))),
    Function::strict("txid_current", "", "int8", |_, _| Ok(Value::Integer(1))),
    Function::strict("now", "", "timestamptz", now),
    Function::strict("current_timestamp", "", "timestamptz", now),
    Function::strict("localtimestamp", "", "timestamp", now),
    Function::strict("transaction_timestamp", "", "timestamptz", now),
    Function::strict("statement_timestamp", "", "timestamptz", now),
    Function::strict("clock_timestamp", "", "timestamptz", now),
    Function::strict("current_date", "", "date", |names, _| {
        Ok(Value::Integer(i64::try_from(names.seen.service.now_ms() / 86_400_000).unwrap_or_default()))
    }),
    Function::strict("pg_postmaster_start_time", "", "timestamptz", |names, _| {
        Ok(Value::Integer(i64::try_from(names.seen.service.started().0).unwrap_or_default().saturating_mul(1_000)))
    }),
    Function::strict("quote", "text text", "text", |names, arguments| {
        let seen = &names.seen;
        let line = crate::pgwire::published::quote::line(
            &seen.service,
            &seen.person,
            &text(arguments, 0),
            &text(arguments, 1),
        );
        line.map(Value::Text).map_err(CallFault::Refused)
    }),
    Function::strict("quote_rows", "text text", "text", |names, arguments| {
        let seen = &names.seen;
        let rows = crate::pgwire::published::quote::rows(
            &seen.service,
            &seen.person,
            &text(arguments, 0),
            &text(arguments, 1),
        );
        let row = |row: Vec<Value>| Json::Array(row.into_iter().map(crate::pgwire::free::casts::to_json).collect());
        let rows = rows.map_err(CallFault::Refused)?.into_iter().map(row).collect();
        Ok(Value::Text(Json::Array(rows).to_string()))
    }),
];

/// What `version()` says. Clients read the number, and people the rest.
const VERSION: &str = concat!("PostgreSQL 15.0 (Tacit ", env!("CARGO_PKG_VERSION"), ")");

fn person(names: &Names, _: &[Value]) -> Result<Value, CallFault> {
    Ok(Value::Text(names.seen.person.name.clone()))
}

fn no(_: &Names, _: &[Value]) -> Result<Value, CallFault> {
    Ok(Value::Integer(0))
}

fn nothing(_: &Names, _: &[Value]) -> Result<Value, CallFault> {
    Ok(Value::Null)
}

fn utf8(_: &Names, _: &[Value]) -> Result<Value, CallFault> {
    Ok(Value::Text("UTF8".to_owned()))
}

fn now(names: &Names, _: &[Value]) -> Result<Value, CallFault> {
    Ok(Value::Integer(i64::try_from(names.seen.service.now_ms()).unwrap_or_default().saturating_mul(1_000)))
}

/// Nothing is set by a SELECT. Drivers call it for settings of PostgreSQL's that change nothing here; ours have to be set where that counts.
fn set(_: &Names, arguments: &[Value]) -> Result<Value, CallFault> {
    let name = text(arguments, 0).to_lowercase();
    if !name.starts_with("tacit.") {
        return Ok(Value::Text(text(arguments, 1)));
    }
    let error = FreeError::new(UNSUPPORTED, "settings of this server are not set by a function");
    Err(CallFault::Refused(error.hint("SET tacit.epsilon = '0.1'")))
}

fn setting(names: &Names, arguments: &[Value]) -> Result<Value, CallFault> {
    let name = text(arguments, 0).to_lowercase();
    if let Some(set) = names.setting(&name) {
        return Ok(Value::Text(set));
    }
    if name == "search_path" {
        return Ok(Value::Text(names.path().join(", ")));
    }
    let found = names.seen.fixed.setting(&name);
    match found {
        Some(found) => Ok(Value::Text(found.to_owned())),
        None if whole(arguments, 1) == Some(1) => Ok(Value::Null),
        None => Err(CallFault::Refused(FreeError::new(
            "42704",
            format!("unrecognized configuration parameter \"{}\"", name.chars().take(80).collect::<String>()),
        ))),
    }
}
