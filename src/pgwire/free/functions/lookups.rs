//! Functions that look things up in the catalogue.

use rusqlite::types::Value;

use super::function::{CallFault, Function, text, whole};
use crate::pgwire::catalogue::names::{Names, quoted};
use crate::pgwire::catalogue::relation::Source;
use crate::pgwire::catalogue::rows::comment;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::lenient("format_type", "oid int4?", "text", format_type),
    Function::strict("pg_get_userbyid", "oid", "name", |names, arguments| {
        let oid = whole(arguments, 0).unwrap_or_default();
        Ok(Value::Text(names.role_name(oid).unwrap_or_else(|| format!("unknown (OID={oid})"))))
    }),
    Function::strict("pg_table_is_visible", "oid", "bool", |names, arguments| {
        Ok(Value::Integer(names.is_visible(whole(arguments, 0).unwrap_or_default()).into()))
    }),
    Function::strict("pg_type_is_visible", "oid", "bool", |names, arguments| {
        let name = names.type_name(whole(arguments, 0).unwrap_or_default());
        Ok(Value::Integer(name.is_some_and(|name| !name.starts_with("information_schema.")).into()))
    }),
    Function::strict("pg_function_is_visible", "oid", "bool", yes),
    Function::strict("pg_operator_is_visible", "oid", "bool", yes),
    Function::strict("pg_opclass_is_visible", "oid", "bool", yes),
    Function::strict("pg_opfamily_is_visible", "oid", "bool", yes),
    Function::strict("pg_collation_is_visible", "oid", "bool", yes),
    Function::strict("pg_conversion_is_visible", "oid", "bool", yes),
    Function::strict("pg_ts_config_is_visible", "oid", "bool", yes),
    Function::strict("pg_ts_dict_is_visible", "oid", "bool", yes),
    Function::strict("pg_ts_parser_is_visible", "oid", "bool", yes),
    Function::strict("pg_ts_template_is_visible", "oid", "bool", yes),
    Function::strict("pg_statistics_obj_is_visible", "oid", "bool", yes),
    Function::strict("obj_description", "oid name?", "text", |names, arguments| {
        let class = match text(arguments, 1).as_str() {
            "" => None,
            "pg_namespace" => Some(2_615),
            "pg_class" => Some(1_259),
            _ => return Ok(Value::Null),
        };
        let oid = whole(arguments, 0).unwrap_or_default();
        Ok(comment(names, oid, class, 0).map_or(Value::Null, Value::Text))
    }),
    Function::strict("col_description", "oid int4", "text", |names, arguments| {
        let (oid, number) = (whole(arguments, 0).unwrap_or_default(), whole(arguments, 1).unwrap_or_default());
        Ok(comment(names, oid, Some(1_259), number).filter(|_| number > 0).map_or(Value::Null, Value::Text))
    }),
    Function::strict("shobj_description", "oid name", "text", nothing),
    Function::strict("pg_get_expr", "text oid bool?", "text", |_, arguments| Ok(Value::Text(text(arguments, 0)))),
    Function::strict("pg_get_constraintdef", "oid bool?", "text", nothing),
    Function::strict("pg_get_indexdef", "oid int4? bool?", "text", nothing),
    Function::strict("pg_get_viewdef", "any any?", "text", |_, _| Ok(Value::Text(String::new()))),
    Function::strict("pg_get_ruledef", "oid bool?", "text", nothing),
    Function::strict("pg_get_triggerdef", "oid bool?", "text", nothing),
    Function::strict("pg_get_functiondef", "oid", "text", nothing),
    Function::strict("pg_get_function_sqlbody", "oid", "text", nothing),
    Function::strict("pg_get_function_arguments", "oid", "text", signature),
    Function::strict("pg_get_function_identity_arguments", "oid", "text", signature),
    Function::strict("pg_get_function_result", "oid", "text", |names, arguments| {
        let oid = whole(arguments, 0).unwrap_or_default();
        let of = names.seen.fixed.proc_types(oid).map(|(result, _)| result);
        Ok(of.and_then(|of| names.type_name(of)).map_or(Value::Null, Value::Text))
    }),
    Function::strict("pg_get_partkeydef", "oid", "text", nothing),
    Function::strict("pg_get_statisticsobjdef", "oid", "text", nothing),
    Function::strict("pg_get_statisticsobjdef_columns", "oid", "text", nothing),
    Function::strict("pg_get_serial_sequence", "text text", "text", nothing),
    Function::strict("pg_relation_is_publishable", "any", "bool", no),
    Function::strict("pg_relation_is_updatable", "any bool", "int4", zero),
    Function::strict("pg_column_is_updatable", "any int2 bool", "bool", no),
    // Sizes would tell of rows.
    Function::strict("pg_relation_size", "any text?", "int8", zero),
    Function::strict("pg_table_size", "any", "int8", zero),
    Function::strict("pg_indexes_size", "any", "int8", zero),
    Function::strict("pg_total_relation_size", "any", "int8", zero),
    Function::strict("pg_database_size", "any", "int8", zero),
    Function::strict("pg_tablespace_size", "any", "int8", zero),
    Function::strict("pg_tablespace_location", "oid", "text", |_, _| Ok(Value::Text(String::new()))),
    Function::strict("pg_size_pretty", "any", "text", |_, arguments| {
        Ok(Value::Text(format!("{} bytes", text(arguments, 0))))
    }),
    Function::strict("has_table_privilege", "any any any?", "bool", may),
    Function::strict("has_column_privilege", "any any any any?", "bool", may),
    Function::strict("has_any_column_privilege", "any any any?", "bool", may),
    Function::strict("has_schema_privilege", "any any any?", "bool", may),
    Function::strict("has_database_privilege", "any any any?", "bool", may),
    Function::strict("has_function_privilege", "any any any?", "bool", may),
    Function::strict("has_language_privilege", "any any any?", "bool", may),
    Function::strict("has_sequence_privilege", "any any any?", "bool", no),
    Function::strict("has_tablespace_privilege", "any any any?", "bool", no),
    Function::strict("has_type_privilege", "any any any?", "bool", may),
    Function::strict("pg_has_role", "any any any?", "bool", yes),
    Function::strict("to_regclass", "text", "regclass", |names, arguments| found(names.class_oid(&text(arguments, 0)))),
    Function::strict("to_regtype", "text", "regtype", |names, arguments| found(names.type_oid(&text(arguments, 0)))),
    Function::strict("to_regnamespace", "text", "regnamespace", |names, arguments| {
        found(names.schema_oid(&text(arguments, 0)))
    }),
    Function::strict("to_regrole", "text", "regrole", |names, arguments| found(names.role_oid(&text(arguments, 0)))),
    Function::strict("to_regproc", "text", "regproc", |names, arguments| {
        let name = text(arguments, 0);
        Ok(names.proc_oid(&name).map_or(Value::Null, |_| Value::Text(name)))
    }),
    Function::strict("quote_ident", "text", "text", |_, arguments| Ok(Value::Text(quoted(&text(arguments, 0))))),
    Function::strict("pg_describe_object", "oid oid int4", "text", nothing),
    Function::strict("_pg_truetypid", "any any", "oid", nothing),
    Function::strict("_pg_char_max_length", "any any", "int4", nothing),
];

fn yes(_: &Names, _: &[Value]) -> Result<Value, CallFault> {
    Ok(Value::Integer(1))
}

fn no(_: &Names, _: &[Value]) -> Result<Value, CallFault> {
    Ok(Value::Integer(0))
}

fn zero(_: &Names, _: &[Value]) -> Result<Value, CallFault> {
    Ok(Value::Integer(0))
}

fn nothing(_: &Names, _: &[Value]) -> Result<Value, CallFault> {
    Ok(Value::Null)
}

fn found(oid: Option<i64>) -> Result<Value, CallFault> {
    Ok(oid.map_or(Value::Null, Value::Integer))
}

fn format_type(names: &Names, arguments: &[Value]) -> Result<Value, CallFault> {
    let Some(oid) = whole(arguments, 0) else { return Ok(Value::Null) };
    let name = names.type_name(oid);
    let name = name.unwrap_or_else(|| if oid == 0 { "-" } else { "???" }.to_owned());
    let typmod = whole(arguments, 1).unwrap_or(-1);
    Ok(Value::Text(match name.as_str() {
        "character varying" | "character" if typmod > 4 => format!("{name}({})", typmod - 4),
        "numeric" if typmod > 4 => format!("numeric({},{})", (typmod - 4) >> 16, (typmod - 4) & 0xffff),
        _ => name,
    }))
}

fn signature(names: &Names, arguments: &[Value]) -> Result<Value, CallFault> {
    let types = names.seen.fixed.proc_types(whole(arguments, 0).unwrap_or_default());
    let types = types.map(|(_, of)| of).unwrap_or_default();
    let shown: Vec<String> = types.into_iter().filter_map(|of| names.type_name(of)).collect();
    Ok(Value::Text(shown.join(", ")))
}

/// Reading is allowed, and nothing else. Two of three arguments name the object and the right.
fn may(names: &Names, arguments: &[Value]) -> Result<Value, CallFault> {
    let rights = text(arguments, arguments.len().saturating_sub(1)).to_uppercase();
    let reads = |right: &str| matches!(right.trim(), "SELECT" | "USAGE" | "CONNECT" | "EXECUTE");
    let object = arguments.len().checked_sub(2).and_then(|place| whole(arguments, place));
    let is_system = object.is_some_and(|oid| {
        names.seen.fixed.relations.iter().any(|one| one.oid == oid && !matches!(one.source, Source::System))
    });
    Ok(Value::Integer((!is_system && rights.split(',').any(reads)).into()))
}
