//! Tests of how statements are read.

use super::super::commands::Discarded;
use super::*;

fn kind_of(sql: &str) -> Result<Kind, DoorFault> {
    let piece = pieces(sql).pop().expect("a statement");
    read(piece, &|table| table == "costs").map(|statement| statement.kind)
}

#[test]
fn texts_are_cut_at_semicolons_that_are_no_part_of_a_text() {
    let found = pieces("SELECT 'a;b' /* ; */; ;\n SELECT ä -- ;\n; x");
    let texts: Vec<&str> = found.iter().map(|piece| piece.text.trim()).collect();
    assert_eq!(texts, ["SELECT 'a;b' /* ; */", "SELECT ä -- ;", "x"]);
    assert_eq!(found[2].before, 40);
    assert!(pieces(" ; ;; -- nothing").is_empty());
    assert_eq!(pieces("SELECT 'open").len(), 1);
}

#[test]
fn what_names_no_dataset_is_free() {
    for sql in [
        "SELECT 1",
        "SELECT n.nspname FROM pg_catalog.pg_namespace n",
        "SELECT * FROM pg_class c JOIN information_schema.tables t ON true",
        "WITH x AS (SELECT 1) SELECT * FROM x",
        "SELECT * FROM published.costs WHERE a IN (SELECT b FROM tacit.datasets)",
        "SELECT * FROM costs",
        "SELECT * FROM generate_series(1, 3)",
        "VALUES (1)",
        "SELECT * FROM tacit.quote('SELECT COUNT(*) FROM visits', '0.1')",
    ] {
        assert!(matches!(kind_of(sql), Ok(Kind::Free(_))), "{sql}: {:?}", kind_of(sql));
    }
    for sql in [
        "SELECT COUNT(*) FROM visits",
        "SELECT COUNT(*) FROM clinic.visits WHERE a IN (SELECT a FROM other)",
        "WITH x AS (SELECT * FROM visits) SELECT COUNT(*) FROM x",
        "EXPLAIN SELECT COUNT(*) FROM visits",
        "SELECT COUNT( FROM visits",
        "SELECT 'open",
        "(SELECT COUNT(*) FROM visits)",
    ] {
        assert!(matches!(kind_of(sql), Ok(Kind::Question)), "{sql}: {:?}", kind_of(sql));
    }
    let mixed = kind_of("SELECT COUNT(*) FROM visits JOIN published.costs c ON true").expect_err("both");
    assert_eq!(mixed.state, state::UNSUPPORTED);
    for sql in ["INSERT INTO visits VALUES (1)", "CREATE TABLE t (a int)", "DROP TABLE visits", "DO $$ x $$"] {
        assert_eq!(kind_of(sql).expect_err(sql).state, state::UNSUPPORTED);
    }
}

#[test]
fn commands_are_read_as_clients_write_them() {
    let set = |name: &str, value: Option<&str>, is_local| Command::Set {
        name: name.to_owned(),
        value: value.map(str::to_owned),
        is_local,
    };
    let fetch = |rows, is_move| Command::Fetch { name: "c".to_owned(), rows, is_move };
    for (sql, command) in [
        ("SET tacit.epsilon = '0.1'", set("tacit.epsilon", Some("0.1"), false)),
        ("set local tacit.epsilon to 0.1", set("tacit.epsilon", Some("0.1"), true)),
        ("SET SESSION search_path TO a, \"B\"", set("search_path", Some("a, \"B\""), false)),
        ("SET TIME ZONE 'UTC'", set("timezone", Some("UTC"), false)),
        ("SET tacit.margin TO DEFAULT", set("tacit.margin", None, false)),
        ("RESET tacit.margin", set("tacit.margin", None, false)),
        ("RESET ALL", Command::ResetAll),
        ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", Command::Nothing("SET")),
        ("SHOW tacit.epsilon", Command::Show("tacit.epsilon".into())),
        ("SHOW TRANSACTION ISOLATION LEVEL", Command::Show("transaction_isolation".into())),
        ("BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY", Command::Begin("BEGIN")),
        ("START TRANSACTION", Command::Begin("START TRANSACTION")),
        ("COMMIT", Command::Commit),
        ("ROLLBACK", Command::Rollback),
        ("ROLLBACK TO SAVEPOINT a", Command::RollbackTo),
        ("DISCARD ALL", Command::Discard(Discarded::All)),
        ("DEALLOCATE \"_pg3_0\"", Command::Deallocate(Some("_pg3_0".into()))),
        ("DEALLOCATE ALL", Command::Deallocate(None)),
        ("CLOSE ALL", Command::Close(None)),
        ("FETCH FORWARD 100 FROM \"c\"", fetch(Some(100), false)),
        ("FETCH ALL FROM c", fetch(None, false)),
        ("FETCH FORWARD ALL IN c", fetch(None, false)),
        ("FETCH c", fetch(Some(1), false)),
        ("MOVE 3 FROM c", fetch(Some(3), true)),
    ] {
        match kind_of(sql) {
            Ok(Kind::Command(found)) => assert_eq!(found, command, "{sql}"),
            other => panic!("{sql}: {other:?}"),
        }
    }
    for sql in ["FETCH BACKWARD 1 FROM c", "SET tacit.epsilon", "DECLARE c SCROLL CURSOR FOR SELECT 1"] {
        assert_eq!(kind_of(sql).expect_err(sql).state, state::UNSUPPORTED);
    }
    let declared = kind_of("DECLARE \"C\" NO SCROLL CURSOR WITH HOLD FOR SELECT COUNT(*) FROM visits");
    let Ok(Kind::Declare(name, true, inner)) = declared else { panic!("{declared:?}") };
    assert_eq!((name.as_str(), inner.piece.text.as_str()), ("C", "SELECT COUNT(*) FROM visits"));
}

#[test]
fn comments_say_how_accurate() {
    let accuracy = |sql: &str| read(pieces(sql).remove(0), &|_| false).expect("a statement").accuracy();
    let of =
        |epsilon: Option<&str>, margin: Option<&str>| RequestedAccuracy::new(epsilon, margin.map(margin_text).as_ref());
    for (sql, epsilon, margin) in [
        ("/* epsilon 0.1 */ SELECT COUNT(*) FROM visits", Some("0.1"), None),
        ("SELECT COUNT(*) FROM visits -- margin: 25", None, Some("25")),
        ("SELECT COUNT(*) /* margin n = 25 */ AS n FROM visits", None, Some("n = 25")),
        ("/* epsilon=0.1 */ SELECT COUNT(*) FROM visits /* EPSILON 0.1 */", Some("0.1"), None),
        ("/* epsilon is the price */ SELECT COUNT(*) FROM visits", None, None),
        ("SELECT '/* epsilon 0.1 */' FROM visits", None, None),
    ] {
        assert_eq!(accuracy(sql), of(epsilon, margin), "{sql}");
    }
    for sql in ["/* epsilon 0.1 */ SELECT 1 /* margin 3 */", "/* epsilon -1 */ SELECT 1", "/* epsilon 0 */ SELECT 1"] {
        assert!(accuracy(sql).is_err(), "{sql}");
    }
}

#[test]
fn parameters_have_numbers_that_can_be_counted() {
    assert!(kind_of("SELECT $10000").is_ok());
    for number in ["0", "10001", "9000000000000", "99999999999999999999999"] {
        for sql in [format!("SELECT ${number}"), format!("SELECT COUNT(*) FROM visits WHERE age > ${number}")] {
            let fault = kind_of(&sql).expect_err(&sql);
            assert_eq!((fault.state, fault.message), ("42P02", format!("there is no parameter ${number}")), "{sql}");
        }
    }
}
