//! Queries of a PostgreSQL database as sources.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use tacit::engine::seal::source::{
    PostgresFault, Source, SourceError, SourceFault, SourceLocation, SourceSpec, WantedColumn,
};

use crate::postgres::{Server, programs};

const SKIPPED: &str = "skipped: there is no PostgreSQL here to read from (Debian's package is postgresql)";

fn spec(server: &Server, query: &str) -> SourceSpec {
    let connection = format!("host={} dbname=postgres user=postgres", server.socket().display());
    SourceSpec {
        from: SourceLocation::Postgres { connection, query: query.to_owned() },
        ..SourceSpec::file("none".as_ref())
    }
}

fn open(server: &Server, query: &str) -> Result<Source, SourceError> {
    Source::open_with(&spec(server, query), &|_| None)
}

/// All values of all columns, `-` where one is missing, and the places of the rows.
fn read(server: &Server, query: &str) -> Result<Vec<String>, SourceError> {
    let source = open(server, query)?;
    let wanted: Vec<_> = (0..source.columns().len()).map(|place| (place, false)).collect();
    let mut rows = Vec::new();
    let read = source.batches(&wanted, |batch| {
        for row in 0..batch.places.rows() {
            let values: Vec<_> =
                batch.columns.iter().map(|column| column.str().expect("texts").get(row).unwrap_or("-")).collect();
            rows.push(format!("{}: {}", batch.places.place(row), values.join(" / ")));
        }
        Ok::<(), SourceError>(())
    })?;
    assert_eq!((read.rows, read.bytes, read.digest), (rows.len() as u64, 0, None));
    Ok(rows)
}

/// Roles and databases may say how values are written; they are read in one way.
fn values_are_the_texts_of_a_csv_export(server: &Server) {
    let made = server.psql(
        "CREATE TYPE sex AS ENUM ('f', 'm'); CREATE DOMAIN small AS int CHECK (value < 200);
         CREATE TABLE people (id text, code char(5), age small, born date, seen timestamp, zoned timestamptz, bmi float8,
             cost numeric(12, 2), smoker boolean, sex sex, big bigint, note varchar(40));
         INSERT INTO people VALUES
             ('1', 'ab', 30, '1980-02-29', '2020-01-01 23:30:00', '2020-01-01 00:00:00+01', 0.1, 12345678.50, true, 'f',
              9007199254740993, E'two\\nlines'),
             (' p2 ', NULL, NULL, NULL, NULL, NULL, 'NaN', 30, false, NULL, NULL, '');
         ALTER DATABASE postgres SET TimeZone = 'America/New_York'; ALTER DATABASE postgres SET DateStyle = 'SQL, DMY';
         ALTER DATABASE postgres SET extra_float_digits = -10;\n",
    );
    made.expect("a table");
    assert_eq!(
        read(server, "SELECT * FROM people ORDER BY age -- the youngest first\n;\n").expect("read"),
        [
            "row 1: 1 / ab / 30 / 1980-02-29 / 2020-01-01 23:30:00 / 2019-12-31 23:00:00+00 / 0.1 / 12345678.50 / true / f / \
             9007199254740993 / two\nlines",
            "row 2:  p2  / - / - / - / - / - / NaN / 30.00 / false / - / - / -",
        ]
    );
    assert_eq!(read(server, "SELECT * FROM people WHERE false").expect("read"), Vec::<String>::new());
    assert_eq!(read(server, "WITH p AS (SELECT 7 AS x) TABLE p").expect("read"), ["row 1: 7"]);
    assert_eq!(read(server, "VALUES (1, 'a'), (2, NULL)").expect("read"), ["row 1: 1 / a", "row 2: 2 / -"]);
}

fn columns_are_found_by_their_names(server: &Server) {
    let query = "SELECT 1 AS \"Date of Birth\", 2 AS x, 3 AS x, '{}'::jsonb AS j, ARRAY[1] AS a, 'x'::bytea AS b, 1::money AS m";
    let source = open(server, query).expect("open");
    let kinds: Vec<_> = source.columns().iter().map(|column| column.kind.as_str()).collect();
    assert_eq!(kinds, ["int4", "int4", "int4", "jsonb", "array of int4", "bytea", "money"]);
    let find = |name| source.find(&WantedColumn { name, source: None });
    assert_eq!(find("date_of_birth"), Ok(0));
    for (name, said) in [
        ("x", "has two columns named \"x\"; rename one of them"),
        ("j", "column \"j\" holds a type that is not read here: jsonb"),
        ("a", "column \"a\" holds a type that is not read here: array of int4"),
        ("b", "column \"b\" holds a type that is not read here: bytea"),
        ("m", "column \"m\" holds a type that is not read here: money"),
        ("gone", "has no column \"gone\"; its columns are \"Date of Birth\", \"x\""),
    ] {
        let error = find(name).expect_err(said).to_string();
        assert!(error.starts_with("PostgreSQL query: ") && error.contains(said), "{error}");
    }
}

/// The server's own words would tell what stands in a row.
fn refusals_are_told_by_their_codes(server: &Server) {
    server.psql("CREATE SEQUENCE s; CREATE ROLE other;").expect("made");
    for (query, code, position) in [
        ("SELECT * FROM gone", "42P01", Some(15)),
        ("SELECT gone FROM people", "42703", Some(8)),
        ("SELEC 1", "42601", Some(1)),
        ("SELECT 1; SELECT 2", "42601", None),
        ("DELETE FROM people RETURNING *", "42601", None),
        ("SELECT 1) AS q, (SELECT 2", "42601", Some(9)),
        ("SELECT nextval('s')", "25006", None),
        ("SELECT ('SECRET' || i)::int FROM generate_series(1, 3) AS i", "22P02", None),
        ("SELECT 1 / (i - 150000) FROM generate_series(1, 200000) AS i", "22012", None),
    ] {
        let error = read(server, query).expect_err(query);
        let SourceFault::Postgres(PostgresFault::Refused { code: found, position: at, .. }) = &error.fault else {
            panic!("{query}: {error:?}")
        };
        assert_eq!((found.as_str(), *at), (code, position), "{query}");
        let said = error.to_string();
        assert!(!said.contains("SECRET") && said.contains(&format!("(SQLSTATE {code}: ")), "{said}");
    }
    for (query, fault) in [
        ("SELECT $1::int", PostgresFault::Parameters),
        ("SELECT FROM people", PostgresFault::NoColumns),
        ("SET TimeZone = 'UTC'", PostgresFault::NoColumns),
    ] {
        assert_eq!(read(server, query).expect_err(query).fault, SourceFault::Postgres(fault), "{query}");
    }
}

fn rows_come_in_batches_and_stop_where_nobody_takes_them(server: &Server) {
    let query = "SELECT i, 'patient ' || i AS name FROM generate_series(1, 150000) AS i";
    let source = open(server, query).expect("open");
    let (mut rows, mut sizes) = (0, Vec::new());
    let read = source.batches(&[(1, false), (0, false)], |batch| {
        let (names, numbers) = (batch.columns[0].str().expect("texts"), batch.columns[1].str().expect("texts"));
        for row in 0..batch.places.rows() {
            rows += 1;
            assert_eq!(names.get(row), Some(format!("patient {rows}").as_str()));
            assert_eq!(numbers.get(row), Some(rows.to_string().as_str()));
        }
        assert_eq!(batch.places.place(batch.places.rows() - 1).to_string(), format!("row {rows}"));
        sizes.push(batch.places.rows());
        Ok::<(), SourceError>(())
    });
    assert_eq!(read.expect("read").rows, 150_000);
    assert_eq!(sizes, [65_536, 65_536, 18_928]);
    // Billions of rows would take hours. (In FROM the server would write them all to its disk first.)
    let endless = open(server, "SELECT generate_series(1, 9000000000) AS i").expect("open");
    let enough = SourceError { path: "enough".to_owned(), place: None, fault: SourceFault::Changed };
    let stopped = endless.batches(&[(0, false)], |_| Err::<(), SourceError>(enough.clone()));
    assert_eq!(stopped, Err(enough));
}

#[test]
fn a_query_is_a_source() {
    let Some(bin) = programs() else {
        println!("{SKIPPED}");
        return;
    };
    let server = Server::start(bin);
    values_are_the_texts_of_a_csv_export(&server);
    columns_are_found_by_their_names(&server);
    refusals_are_told_by_their_codes(&server);
    rows_come_in_batches_and_stop_where_nobody_takes_them(&server);
}

#[test]
fn a_password_comes_from_the_environment_or_the_password_file() {
    let Some(bin) = programs() else {
        println!("{SKIPPED}");
        return;
    };
    let server = Server::start_with(bin, Some("right"));
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join(".pgpass");
    fs::write(&file, "# passwords\nlocalhost:5432:postgres:postgres:right\n").expect("written");
    let home = dir.path().to_str().expect("text");
    let fault = |variables: &[(&str, &str)]| {
        let get =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
        Source::open_with(&spec(&server, "SELECT 1 AS x"), &get).err().map(|error| error.to_string())
    };
    let set_mode = |mode| fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("a mode");
    set_mode(0o600);
    assert_eq!(fault(&[("PGPASSWORD", "right")]), None);
    assert_eq!(fault(&[("HOME", home)]), None);
    let said = fault(&[("PGPASSWORD", "wrong"), ("HOME", home)]).expect("refused");
    assert!(said.contains("SQLSTATE 28P01: the password is wrong") && !said.contains("wrong,"), "{said}");
    let said = fault(&[]).expect("refused");
    assert!(said.ends_with("wants a password of postgres; set PGPASSWORD or write it into ~/.pgpass"), "{said}");
    set_mode(0o644);
    let said = fault(&[("HOME", home)]).expect("refused");
    assert!(said.contains("was left alone, for others may read it: chmod 600 "), "{said}");
}
