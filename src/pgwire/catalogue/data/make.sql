-- Writes types.tsv, relations.tsv and rows.tsv beside this file from a fresh PostgreSQL 15:
--   initdb -D /tmp/pg && pg_ctl -D /tmp/pg -o '-k /tmp/pg' start && psql -h /tmp/pg -d postgres -XqAtf make.sql
-- A row that starts with `#` names a table and the columns of the rows that follow. Values are as COPY writes them.
\o relations.tsv
SELECT E'#\t' || c.oid || E'\t' || n.nspname || E'\t' || c.relname || E'\t' || c.relkind::text || E'\n'
    || string_agg(a.attname || E'\t' || t.typname || E'\t' || CASE WHEN a.attnotnull THEN 1 ELSE 0 END, E'\n' ORDER BY a.attnum)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
WHERE n.nspname IN ('pg_catalog', 'information_schema') AND c.relkind IN ('r', 'v') AND a.attnum > 0
GROUP BY c.oid, n.nspname, c.relname, c.relkind ORDER BY n.nspname DESC, c.relname;
\o rows.tsv
SELECT E'#\tpg_type\t' || string_agg(attname, E'\t' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'pg_type'::regclass AND attnum > 0 AND attname <> 'typacl' AND attname <> 'typdefaultbin';
COPY (
    SELECT t.oid, typname, typnamespace, 10, typlen, typbyval, typtype, typcategory, typispreferred, typisdefined, typdelim, typrelid,
        typsubscript, typelem, typarray, typinput, typoutput, typreceive, typsend, typmodin, typmodout, typanalyze, typalign, typstorage,
        typnotnull, typbasetype, typtypmod, typndims, typcollation, typdefault
    FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace WHERE typtype <> 'c'
        AND NOT EXISTS (SELECT 1 FROM pg_type e WHERE e.oid = t.typelem AND e.typtype = 'c') ORDER BY t.oid
) TO STDOUT;
SELECT E'#\tpg_am\toid\tamname\tamhandler\tamtype';
COPY (SELECT oid, amname, amhandler, amtype FROM pg_am ORDER BY oid) TO STDOUT;
SELECT E'#\tpg_collation\toid\tcollname\tcollnamespace\tcollowner\tcollprovider\tcollisdeterministic\tcollencoding\tcollcollate\tcollctype\tcolliculocale\tcollversion';
COPY (SELECT * FROM pg_collation WHERE collname IN ('default', 'C', 'POSIX', 'ucs_basic') ORDER BY oid) TO STDOUT;
SELECT E'#\tpg_range\trngtypid\trngsubtype\trngmultitypid\trngcollation\trngsubopc\trngcanonical\trngsubdiff';
COPY (SELECT * FROM pg_range ORDER BY 1) TO STDOUT;
SELECT E'#\tpg_language\toid\tlanname\tlanowner\tlanispl\tlanpltrusted\tlanplcallfoid\tlaninline\tlanvalidator';
COPY (SELECT oid, lanname, lanowner, lanispl, lanpltrusted, lanplcallfoid, laninline, lanvalidator FROM pg_language WHERE lanname IN ('internal', 'sql') ORDER BY oid) TO STDOUT;
SELECT E'#\tpg_operator\toid\toprname\toprnamespace\toprowner\toprkind\toprcanmerge\toprcanhash\toprleft\toprright\toprresult\toprcom\toprnegate\toprcode\toprrest\toprjoin';
COPY (
    SELECT oid, oprname, oprnamespace, oprowner, oprkind, oprcanmerge, oprcanhash, oprleft, oprright, oprresult, oprcom, oprnegate, oprcode, oprrest, oprjoin
    FROM pg_operator WHERE oprname IN ('=', '<>', '<', '<=', '>', '>=', '+', '-', '*', '/', '%', '||', '~', '!~', '~*', '!~*', '~~', '!~~', '~~*', '!~~*')
        AND oprleft IN (16, 20, 21, 23, 25, 701, 1700, 1082, 1114, 1184, 19, 26) AND oprright IN (16, 20, 21, 23, 25, 701, 1700, 1082, 1114, 1184, 19, 26) ORDER BY oid
) TO STDOUT;
SELECT E'#\tpg_tablespace\toid\tspcname\tspcowner';
COPY (SELECT oid, spcname, spcowner FROM pg_tablespace ORDER BY oid) TO STDOUT;
SELECT E'#\tpg_settings\tname\tsetting\tunit\tcategory\tshort_desc\tcontext\tvartype\tsource\tmin_val\tmax_val\tenumvals\tboot_val\treset_val\tpending_restart';
COPY (
    SELECT name, CASE name WHEN 'server_version' THEN '15.0' WHEN 'server_version_num' THEN '150000' WHEN 'application_name' THEN ''
        WHEN 'is_superuser' THEN 'off' WHEN 'session_authorization' THEN '' WHEN 'client_encoding' THEN 'UTF8' WHEN 'TimeZone' THEN 'UTC'
        WHEN 'DateStyle' THEN 'ISO, MDY' WHEN 'lc_collate' THEN 'C.UTF-8' WHEN 'lc_ctype' THEN 'C.UTF-8' ELSE setting END, unit, category, short_desc, context, vartype, 'default', min_val, max_val, enumvals, NULL, NULL, false FROM pg_settings
    WHERE name IN ('application_name', 'bytea_output', 'client_encoding', 'client_min_messages', 'DateStyle', 'default_transaction_isolation',
        'default_transaction_read_only', 'extra_float_digits', 'in_hot_standby', 'integer_datetimes', 'IntervalStyle', 'lc_collate', 'lc_ctype', 'max_identifier_length',
        'max_index_keys', 'search_path', 'server_encoding', 'server_version', 'server_version_num', 'standard_conforming_strings',
        'statement_timeout', 'TimeZone', 'transaction_isolation', 'transaction_read_only', 'jit', 'row_security', 'lock_timeout', 'idle_in_transaction_session_timeout', 'search_path', 'array_nulls', 'backslash_quote', 'escape_string_warning', 'session_authorization', 'is_superuser')
    ORDER BY name
) TO STDOUT;
SELECT E'#\tpg_proc\toid\tproname\tpronamespace\tproowner\tprolang\tprocost\tprorows\tprovariadic\tprosupport\tprokind\tprosecdef\tproleakproof\tproisstrict\tproretset\tprovolatile\tproparallel\tpronargs\tpronargdefaults\tprorettype\tproargtypes\tproallargtypes\tproargmodes\tproargnames\tprosrc';
COPY (
    SELECT p.oid, proname, pronamespace, proowner, prolang, procost, prorows, provariadic, prosupport, prokind, prosecdef, proleakproof, proisstrict, proretset,
        provolatile, proparallel, pronargs, 0, prorettype, proargtypes, proallargtypes, proargmodes, proargnames, prosrc
    FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace JOIN pg_type t ON t.oid = prorettype
    WHERE n.nspname = 'pg_catalog' AND prolang IN (12, 14) AND proname IN (
        'abs', 'array_agg', 'array_length', 'array_position', 'array_to_string', 'array_upper', 'avg', 'bool_and', 'bool_or', 'btrim', 'cardinality', 'ceil', 'ceiling', 'char_length',
        'col_description', 'concat', 'concat_ws', 'count', 'current_database', 'current_schema', 'current_schemas', 'current_setting', 'date_part', 'date_trunc', 'exp', 'extract',
        'floor', 'format_type', 'generate_series', 'generate_subscripts', 'has_column_privilege', 'has_database_privilege', 'has_schema_privilege', 'has_table_privilege', 'left',
        'length', 'ln', 'log', 'lower', 'ltrim', 'max', 'min', 'mod', 'now', 'obj_description', 'pg_backend_pid', 'pg_encoding_to_char', 'pg_get_constraintdef', 'pg_get_expr',
        'pg_get_indexdef', 'pg_get_userbyid', 'pg_get_viewdef', 'pg_is_in_recovery', 'pg_my_temp_schema', 'pg_table_is_visible', 'pg_type_is_visible', 'power', 'quote_ident',
        'quote_literal', 'rank', 'regexp_replace', 'replace', 'right', 'round', 'row_number', 'rtrim', 'split_part', 'sqrt', 'starts_with', 'string_agg', 'string_to_array', 'strpos', 'substr',
        'substring', 'sum', 'to_date', 'to_regclass', 'to_regtype', 'to_timestamp', 'trunc', 'unnest', 'upper', 'version')
        AND NOT EXISTS (SELECT 1 FROM unnest(proargtypes) x WHERE x NOT IN (16, 18, 19, 20, 21, 23, 25, 26, 700, 701, 1700, 1043, 1082, 1114, 1184, 1186, 2205, 2206, 2277, 2283, 1009, 1003))
    ORDER BY p.oid
) TO STDOUT;
\o
