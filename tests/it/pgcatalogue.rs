//! The free tables behind the PostgreSQL door: what clients ask a catalogue, published statistics as tables, and limits.

mod limits;
mod own;

use std::collections::HashMap;
use std::sync::Arc;

use sqlparser::ast::Statement;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use tacit::kernel::budget::people::{Person, Role};
use tacit::pgwire::free::{Described, FreeError, FreeTables, Reach};
use tacit::pgwire::table::{Cell, Column, Table, Type};

use crate::postgres::Server;
use crate::support::{GAUSSIAN, Lab, StoppedClock, block_on, policy, repository_file};

const REGIONS: &str = "-- title: Visits by region\n-- margin: 120\n-- public: true\n-- unit: visits\n\
                       SELECT region, COUNT(*) AS visits, AVG(cost) AS cost FROM visits GROUP BY region";
const MONTHS: &str = "-- title: Visits by month\n-- margin: 120\n\
                      SELECT date_trunc('month', visited) AS month, smoker, COUNT(*) AS visits FROM visits GROUP BY 1, 2";

fn lab() -> Lab {
    let statistics = [("visits-by-region", REGIONS), ("months", MONTHS)];
    let lab = Lab::publishing(&policy(GAUSSIAN), &statistics, "2", Arc::new(StoppedClock));
    block_on(async { assert_eq!(lab.service.refresh_due().await.len(), 2) });
    lab
}

fn person(name: &str, role: Role) -> Person {
    Person { name: name.to_owned(), role }
}

fn tables(lab: &Lab, database: &str) -> FreeTables {
    FreeTables::new(Arc::clone(&lab.service), person("ada", Role::Researcher), database)
}

fn parsed(sql: &str) -> Statement {
    let mut statements = Parser::parse_sql(&PostgreSqlDialect {}, sql).unwrap_or_else(|error| panic!("{sql}\n{error}"));
    assert_eq!(statements.len(), 1, "{sql}");
    statements.remove(0)
}

fn settings() -> HashMap<String, String> {
    HashMap::from([("application_name".to_owned(), "a test".to_owned())])
}

fn try_run(tables: &FreeTables, sql: &str) -> Result<Table, FreeError> {
    tables.run(&parsed(sql), &[], &settings())
}

fn run(tables: &FreeTables, sql: &str) -> Table {
    try_run(tables, sql).unwrap_or_else(|error| panic!("{sql}\n{error:?}"))
}

/// Rows as texts, as psql shows them.
fn shown(table: &Table) -> Vec<String> {
    fn one(cell: &Cell) -> String {
        match cell {
            Cell::Null => "-".to_owned(),
            Cell::Bool(truth) => truth.to_string(),
            Cell::Int(number) | Cell::Moment(number) => number.to_string(),
            Cell::Float(number) => number.to_string(),
            Cell::Text(text) => text.clone(),
            Cell::Date(day) => format!("day {day}"),
            Cell::List(cells) => format!("{{{}}}", cells.iter().map(one).collect::<Vec<_>>().join(",")),
        }
    }
    table.rows.iter().map(|row| row.iter().map(one).collect::<Vec<_>>().join("|")).collect()
}

fn rows(tables: &FreeTables, sql: &str) -> Vec<String> {
    shown(&run(tables, sql))
}

/// The statements of a list that read catalogues, about our table in place of the one that they were recorded with.
fn statements(file: &str, oid: i64) -> Vec<String> {
    let mut found = Vec::new();
    for line in repository_file(file).lines() {
        let entry: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let sql = entry["sql"].as_str().expect("SQL").trim_end_matches([';', '\n', ' ']).to_owned();
        let word = sql.split_whitespace().next().unwrap_or_default().to_uppercase();
        let reads_rows =
            ["FROM patients", "FROM public.patients", "from patients"].iter().any(|part| sql.contains(part));
        if matches!(word.as_str(), "SELECT" | "WITH") && !reads_rows {
            let sql = sql
                .replace("16384", &oid.to_string())
                .replace("'public'", "'visits'")
                .replace("'postgres'", "'visits'");
            found.push(sql.replace("patients", "visits").replace("^(public)$", "^(visits)$"));
        }
    }
    found
}

/// A value for a parameter that makes the statement find something, judged by what stands before it.
fn value(sql: &str, number: usize, of: Type) -> Cell {
    let mark = format!("${number}");
    let at = sql
        .match_indices(&mark)
        .map(|(at, _)| at)
        .find(|at| !sql[at + mark.len()..].starts_with(|c: char| c.is_ascii_digit()));
    let at = at.expect("a parameter");
    let before: String = sql[..at].chars().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect();
    let after = |word: &str| before.rfind(word).unwrap_or(0);
    let text = if before.ends_with("to_regtype(") {
        "integer"
    } else if before.ends_with("CAST(") {
        "pg_catalog.pg_class"
    } else if after("nspname !=") > 0 && after("nspname !=") >= after("relname") {
        "pg_catalog"
    } else if after("relpersistence !=") > after("relkind") {
        "t"
    } else if after("relname") > after("relkind") || after("nspname") > after("relkind") {
        "visits"
    } else {
        "r"
    };
    match of {
        Type::Int2 | Type::Int4 | Type::Int8 | Type::Oid => Cell::Int(0),
        Type::Bool => Cell::Bool(true),
        Type::TextArray | Type::NameArray | Type::CharArray => Cell::List(vec![Cell::Text(text.to_owned())]),
        _ => Cell::Text(text.to_owned()),
    }
}

/// Runs a statement with such values, and requires the columns to be those that were described.
fn answered(tables: &FreeTables, sql: &str) -> Result<Table, FreeError> {
    let statement = parsed(sql);
    assert_eq!(tables.reach(&statement), Reach::Free, "{sql}");
    let Described { params, columns } = tables.describe(&statement, &[])?;
    let cells: Vec<Cell> = params.iter().zip(1..).map(|(of, number)| value(sql, number, *of)).collect();
    let table = tables.run(&statement, &cells, &settings())?;
    assert_eq!(table.columns, columns, "{sql}");
    assert!(table.rows.iter().all(|row| row.len() == columns.len()), "{sql}");
    Ok(table)
}

fn oid_of(tables: &FreeTables, name: &str) -> i64 {
    match run(tables, &format!("SELECT '{name}'::regclass::oid")).rows[0][0] {
        Cell::Int(oid) => oid,
        ref other => panic!("{other:?}"),
    }
}

const LISTS: [&str; 2] = ["tests/data/pg-statements.jsonl", "tests/data/pg-statements-psql.jsonl"];

#[test]
fn every_statement_that_clients_send_is_answered() {
    let lab = lab();
    let tables = tables(&lab, "visits");
    let oid = oid_of(&tables, "visits");
    let (mut failed, mut empty, mut answers) = (String::new(), Vec::new(), 0);
    for sql in LISTS.iter().flat_map(|file| statements(file, oid)) {
        match answered(&tables, &sql) {
            Ok(table) if table.rows.is_empty() => empty.push(sql),
            Ok(_) => answers += 1,
            Err(error) => failed.push_str(&format!("{sql}\n  {error:?}\n\n")),
        }
    }
    assert!(failed.is_empty(), "{failed}");
    // What is always empty here; anything else must find something.
    let nothing = [
        "pg_constraint",
        "pg_index",
        "pg_enum",
        "pg_policy",
        "pg_inherits",
        "pg_statistic_ext",
        "pg_my_temp_schema()",
        "relkind IN ('v",
        "relkind = 'f'",
        "relkind IN ('m'",
        "relkind IN ('S'",
        "relkind IN ('i'",
        "relkind IN ('f'",
        "relkind IN ('p'",
        "pg_foreign",
        "pg_user_mapping",
        "pg_extension",
        "pg_publication",
        "pg_subscription",
        "pg_event_trigger",
        "pg_default_acl",
        "pg_conversion",
        "pg_cast",
        "pg_ts_config",
        "pg_db_role_setting",
        "pg_trigger",
        "pg_rewrite",
        "typtype = 'd'",
        "typtype = $",
        "work_mem",
        // psql leaves out what is PostgreSQL's own unless it is asked for a pattern.
        "CASE p.prokind",
        "WHERE (t.typrelid = 0 OR",
        "lanplcallfoid",
        "pg_collation c, pg_catalog.pg_namespace",
    ];
    for sql in &empty {
        assert!(nothing.iter().any(|word| sql.contains(word)), "no rows for\n{sql}");
    }
    println!("{answers} statements with rows, {} without", empty.len());
    assert!(answers > 55, "{answers} statements found something");
}

/// The type that PostgreSQL names, as this door sends it.
fn sent(name: &str) -> Type {
    match name {
        "boolean" => Type::Bool,
        "smallint" => Type::Int2,
        "integer" | "information_schema.cardinal_number" => Type::Int4,
        "bigint" => Type::Int8,
        "real" => Type::Float4,
        "double precision" => Type::Float8,
        "numeric" => Type::Numeric,
        "character varying" | "information_schema.character_data" | "information_schema.yes_or_no" => Type::Varchar,
        "name" | "information_schema.sql_identifier" => Type::Name,
        "\"char\"" => Type::Char,
        "oid" => Type::Oid,
        "regclass" | "regproc" | "regtype" | "regnamespace" | "regprocedure" => Type::Reg,
        "timestamp with time zone" => Type::Timestamptz,
        "int2vector" => Type::Int2Vector,
        "oidvector" => Type::OidVector,
        "smallint[]" => Type::Int2Array,
        "integer[]" => Type::Int4Array,
        "oid[]" | "regtype[]" => Type::OidArray,
        "name[]" => Type::NameArray,
        "\"char\"[]" => Type::CharArray,
        name if name.ends_with("[]") || name == "anyarray" => Type::TextArray,
        _ => Type::Text,
    }
}

/// Columns have the names and the types that PostgreSQL 15 describes, over a database with the same table.
#[test]
fn columns_are_named_and_typed_as_postgresql_does() {
    let Some(server) = Server::found() else {
        println!("skipped: there is no PostgreSQL here to compare with (Debian's package is postgresql)");
        return;
    };
    server.psql("CREATE SCHEMA visits; CREATE TABLE visits.visits (patient_id text NOT NULL, region text, cost numeric, visited date);").expect("a table");
    let lab = lab();
    let tables = tables(&lab, "visits");
    let (mut differences, mut compared) = (String::new(), 0);
    for sql in LISTS.iter().flat_map(|file| statements(file, 16_384)) {
        let mut plain = sql.clone();
        for number in (1..=20).rev() {
            plain = plain.replace(&format!("${number}"), "NULL");
        }
        let Some(theirs) = server.psql(&format!("SET search_path = visits;\n{plain} \\gdesc\n")) else {
            // Newer columns than PostgreSQL's of this machine, or a NULL where it takes none.
            println!("not compared: {}", plain.lines().next().unwrap_or_default());
            continue;
        };
        let mut reader = csv::ReaderBuilder::new().from_reader(theirs.as_bytes());
        let theirs = reader.records().map(|record| {
            let record = record.expect("a record");
            Column { name: record[0].to_owned(), of: sent(&record[1]) }
        });
        let theirs: Vec<Column> = theirs.collect();
        let ours = tables.describe(&parsed(&sql), &[]).unwrap_or_else(|error| panic!("{sql}\n{error:?}")).columns;
        compared += 1;
        if ours != theirs {
            let other = ours.iter().zip(&theirs).filter(|(one, other)| one != other);
            differences.push_str(&format!(
                "{sql}\n  {:?}\n  {} and {} columns\n\n",
                other.collect::<Vec<_>>(),
                ours.len(),
                theirs.len()
            ));
        }
    }
    assert!(differences.is_empty(), "{differences}");
    println!("{compared} statements compared");
    assert!(compared > 100, "{compared} statements compared");
}

#[test]
fn a_dataset_is_a_schema_with_typed_columns_and_comments() {
    let lab = lab();
    let tables = tables(&lab, "visits");
    let columns = rows(
        &tables,
        "SELECT column_name, data_type, is_nullable FROM information_schema.columns \
         WHERE table_schema = 'visits' AND table_name = 'visits' ORDER BY ordinal_position",
    );
    let expected = [
        "patient_id|text|NO",
        "region|text|NO",
        "diagnosis|text|YES",
        "smoker|boolean|YES",
        "age|integer|NO",
        "cost|numeric|NO",
        "visited|date|NO",
    ];
    assert_eq!(columns, expected);
    let comments = rows(
        &tables,
        "SELECT a.attname, col_description(a.attrelid, a.attnum) FROM pg_attribute a WHERE a.attrelid = 'visits.visits'::regclass \
         AND a.attname IN ('patient_id', 'cost', 'region') ORDER BY a.attnum",
    );
    let unit = "patient_id|the unit that is protected, for COUNT(DISTINCT patient_id); its values are never shown";
    assert_eq!(
        comments,
        [
            unit,
            "region|one of 'north', 'east', 'south', 'west', one value a unit",
            "cost|a decimal from 0 to 500 in steps of 0.01"
        ]
    );
    assert_eq!(
        rows(
            &tables,
            "SELECT obj_description('visits'::regclass), reltuples FROM pg_class WHERE oid = 'visits'::regclass"
        ),
        ["Visits|-1"]
    );
    assert_eq!(rows(&tables, "SELECT current_schema(), current_database(), current_user"), ["visits|visits|ada"]);
    let whole = FreeTables::new(Arc::clone(&lab.service), person("ada", Role::Researcher), "tacit");
    assert_eq!(rows(&whole, "SELECT current_schemas(true)"), ["{pg_catalog,visits,published,tacit}"]);
}

#[test]
fn names_are_looked_up_on_the_path_that_is_set() {
    let lab = lab();
    let tables = tables(&lab, "visits");
    assert_eq!(tables.search_path(), "visits, published");
    let set = |path: &str| HashMap::from([("search_path".to_owned(), path.to_owned())]);
    let months = parsed("SELECT count(*) FROM months");
    assert_eq!(tables.reach(&months), Reach::Free);
    let own = tables.run(&parsed("SELECT current_schema()"), &[], &set("\"tacit\", nothing")).expect("rows");
    assert_eq!(shown(&own), ["tacit"]);
    tables.set(&set("visits"));
    assert_eq!(tables.reach(&months), Reach::Private);
    assert_eq!(tables.describe(&months, &[]).expect_err("refused").sqlstate, "42P01");
    let shown_path = tables
        .run(&parsed("SELECT setting FROM pg_settings WHERE name = 'search_path'"), &[], &set("visits"))
        .expect("rows");
    assert_eq!(shown(&shown_path), ["visits"]);
}

/// Who may not see a dataset sees nothing of it, and its statistics only where they are public.
#[test]
fn what_a_person_may_not_see_is_not_there() {
    let lab = lab();
    let stranger = FreeTables::new(Arc::clone(&lab.service), person("eve", Role::Researcher), "tacit");
    assert_eq!(
        rows(
            &stranger,
            "SELECT table_schema || '.' || table_name FROM information_schema.tables WHERE table_schema IN ('visits', 'published')"
        ),
        ["published.visits_by_region"]
    );
    for sql in [
        "SELECT name FROM tacit.datasets",
        "SELECT name FROM tacit.columns",
        "SELECT datname FROM pg_database WHERE datname = 'visits'",
        "SELECT 1 FROM pg_description d JOIN pg_class c ON c.oid = d.objoid WHERE c.relname IN ('visits', 'months')",
    ] {
        assert_eq!(rows(&stranger, sql), Vec::<String>::new(), "{sql}");
    }
    let hidden = try_run(&stranger, "SELECT * FROM published.months").expect_err("hidden");
    let missing = try_run(&stranger, "SELECT * FROM published.montns").expect_err("missing");
    assert_eq!(
        (hidden.sqlstate, hidden.message.replace("months", "montns"), hidden.position),
        (missing.sqlstate, missing.message, missing.position)
    );
}

#[test]
fn published_statistics_take_any_sql() {
    let lab = lab();
    let tables = tables(&lab, "visits");
    let all = run(&tables, "SELECT * FROM published.visits_by_region");
    let names: Vec<(&str, Type)> = all.columns.iter().map(|column| (column.name.as_str(), column.of)).collect();
    assert_eq!(
        names[..5],
        [
            ("region", Type::Text),
            ("visits", Type::Int8),
            ("visits_low", Type::Int8),
            ("visits_high", Type::Int8),
            ("visits_std_error", Type::Float8)
        ]
    );
    assert_eq!(all.rows.len(), 4);
    let sum: i64 =
        all.rows.iter().map(|row| if let Cell::Int(visits) = row[1] { visits } else { panic!("{row:?}") }).sum();
    assert_eq!(rows(&tables, "SELECT sum(visits)::bigint FROM published.\"visits_by_region\""), [sum.to_string()]);
    for (sql, count) in [
        (
            "SELECT region, visits - visits_low AS half, rank() OVER (ORDER BY visits DESC) FROM published.visits_by_region WHERE region ILIKE '%O%'",
            2,
        ),
        (
            "SELECT date_trunc('year', month) AS year, sum(visits) FROM published.months WHERE smoker IS NOT NULL GROUP BY 1 ORDER BY 1 DESC LIMIT 3 OFFSET 1",
            3,
        ),
        (
            "SELECT extract(month FROM month)::int AS m, count(*) FROM published.months WHERE month >= DATE '2023-01-01' AND month < '2024-01-01' GROUP BY 1",
            12,
        ),
        (
            "WITH t AS (SELECT smoker, sum(visits) AS n FROM published.months GROUP BY smoker) SELECT t.smoker, t.n::float8 / s.n FROM t CROSS JOIN (SELECT sum(n) AS n FROM t) s",
            3,
        ),
        ("SELECT DISTINCT ON (smoker) smoker, month, visits FROM published.months ORDER BY smoker, visits DESC", 3),
        ("SELECT * FROM (SELECT * FROM published.visits_by_region) AS virtual_table LIMIT 101", 4),
        (
            "SELECT r.region, x.n FROM published.visits_by_region r LEFT JOIN LATERAL (SELECT count(*) AS n FROM published.visits_by_region o WHERE o.visits > r.visits) x ON true",
            4,
        ),
        ("SELECT region FROM published.visits_by_region UNION ALL SELECT 'all' ORDER BY 1", 5),
    ] {
        let table = run(&tables, sql);
        assert_eq!(table.rows.len(), count, "{sql}\n{:?}", shown(&table));
        assert_eq!(tables.describe(&parsed(sql), &[]).expect("described").columns, table.columns, "{sql}");
    }
    let parameter = parsed("SELECT visits FROM published.visits_by_region WHERE region = $1 AND visits > $2");
    assert_eq!(tables.describe(&parameter, &[]).expect("described").params, [Type::Text, Type::Int8]);
    let found =
        tables.run(&parameter, &[Cell::Text("north".to_owned()), Cell::Int(-1_000)], &settings()).expect("rows");
    assert_eq!(found.rows.len(), 1);
}

#[test]
fn a_persons_own_tables_and_quotes() {
    let lab = lab();
    block_on(async { assert_eq!(lab.sql("SELECT COUNT(*) AS n FROM visits", "0.1").await.status, 200) });
    let tables = tables(&lab, "tacit");
    assert_eq!(rows(&tables, "SELECT name, unit, epsilon_cap FROM tacit.datasets"), ["visits|patient_id|4"]);
    assert_eq!(
        rows(&tables, "SELECT kind, name, dataset, epsilon_spent > 0, frozen FROM tacit.budget"),
        ["researcher|ada|visits|true|false"]
    );
    assert_eq!(rows(&tables, "SELECT dataset, epsilon FROM tacit.history"), ["visits|0.1"]);
    assert_eq!(rows(&tables, "SELECT count(*) FROM tacit.columns WHERE dataset = 'visits'"), ["6"]);
    let before = lab.head();
    let quote = "SELECT output, kind, epsilon, answerable FROM tacit.quote('SELECT region, COUNT(*) AS n FROM visits GROUP BY region', '0.1')";
    assert_eq!(rows(&tables, quote), ["region|key|0.1|true", "n|estimate|0.1|true"]);
    let line =
        &rows(&tables, "SELECT tacit.quote('SELECT region, COUNT(*) AS n FROM visits GROUP BY region', '0.1')")[0];
    assert!(line.starts_with("epsilon 0.1, ") && line.contains("n ± "), "{line}");
    let error = try_run(&tables, "SELECT * FROM tacit.quote('SELECT regio FROM visits', '0.1')").expect_err("refused");
    assert_ne!(error.sqlstate, "XX000", "{error:?}");
    assert_eq!(lab.head(), before, "nothing was charged");
}

#[test]
fn what_cannot_be_answered_is_refused_in_our_words() {
    let lab = lab();
    let tables = tables(&lab, "visits");
    for (sql, sqlstate, message, position) in [
        ("SELECT regio FROM published.visits_by_region", "42703", "column \"regio\" does not exist", Some((1, 8))),
        ("SELECT * FROM published.nothing", "42P01", "relation \"published.nothing\" does not exist", Some((1, 15))),
        ("SELECT nothing(1)", "42883", "function nothing(int4) does not exist", Some((1, 8))),
        ("SELECT 1 / 0", "22012", "division by zero", None),
        ("SELECT 'x'::int", "22P02", "invalid input syntax for type int4: \"x\"", Some((1, 8))),
        ("SELECT 'nothing'::regclass", "42P01", "relation \"nothing\" does not exist", Some((1, 8))),
        ("SELECT relname FROM pg_class WHERE relname ~ '('", "2201B", "invalid regular expression: \"(\"", None),
        ("SELECT oid FROM pg_class c, pg_type t", "42702", "column reference \"oid\" is ambiguous", Some((1, 8))),
        ("SELECT repeat('x', 1000000000)", "54000", "a value would be longer than 1048576 bytes", None),
    ] {
        let error = try_run(&tables, sql).expect_err(sql);
        assert_eq!((error.sqlstate, error.message.as_str(), error.position), (sqlstate, message, position), "{sql}");
    }
    let mixed = parsed("SELECT * FROM visits v JOIN published.visits_by_region r USING (region)");
    assert_eq!(tables.reach(&mixed), Reach::Mixed);
    assert_eq!(tables.run(&mixed, &[], &settings()).expect_err("refused").sqlstate, "0A000");
    for (sql, reach) in [
        ("SELECT COUNT(*) FROM visits", Reach::Private),
        ("SELECT 1", Reach::Free),
        ("SELECT * FROM nothing", Reach::Private),
        ("WITH visits AS (SELECT 1) SELECT * FROM visits", Reach::Free),
        ("SELECT * FROM visits.visits", Reach::Private),
    ] {
        assert_eq!(tables.reach(&parsed(sql)), reach, "{sql}");
    }
}

/// A cross join of everything with everything ends with an error, and the session goes on.
#[test]
fn what_takes_too_long_is_interrupted() {
    let lab = lab();
    let tables = tables(&lab, "visits");
    let endless =
        "SELECT count(*) FROM pg_attribute a, pg_attribute b, pg_attribute c WHERE a.attnum + b.attnum + c.attnum = -1";
    for sql in [endless, "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t"] {
        let error = try_run(&tables, sql).expect_err(sql);
        assert_eq!(error.sqlstate, "54000", "{error:?}");
        assert_eq!(rows(&tables, "SELECT 1"), ["1"]);
    }
    let wide = "SELECT a.* FROM pg_attribute a, pg_attribute b";
    assert_eq!(try_run(&tables, wide).expect_err(wide).sqlstate, "54000");
}
