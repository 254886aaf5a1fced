//! What costs something at the PostgreSQL door, when, and how that is told.

use std::io::Read;

use postgres::error::SqlState;
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::Type;
use postgres::{NoTls, SimpleQueryMessage};
use tacit::kernel::budget::ledger::read;
use tacit::kernel::privacy::amounts::{Epsilon, Price};
use tacit::service::ServiceError;
use tacit::service::asking::ask::{Ask, RequestedAccuracy};

use super::{Served, connected, entries, fault};
use crate::support::{GAUSSIAN, Lab, block_on, policy, visits};

const REGIONS: &str =
    "SELECT region, COUNT(*) AS n, SUM(cost) AS s, AVG(cost) AS a FROM visits GROUP BY region ORDER BY region";

/// What the researcher has spent.
fn spent(lab: &Lab) -> Price {
    read(lab.service.ledger(), |book| {
        let branch = book.branch("visits", "ada").expect("an account");
        book.account(branch.researcher).spent
    })
}

#[test]
fn a_question_is_charged_once_and_says_what_it_cost() {
    let lab = Lab::gaussian();
    let door = Served::new(&lab.service);
    let (mut client, notices) = door.ada(&lab);
    let before = entries(&lab);
    let unsaid = fault(client.query(REGIONS, &[]));
    assert_eq!(unsaid.code(), &SqlState::INVALID_PARAMETER_VALUE);
    let hint = unsaid.hint().expect("a hint");
    for way in ["SET tacit.epsilon", "options='-c tacit.epsilon=0.1'", "/* epsilon 0.1 */"] {
        assert!(hint.contains(way), "{hint}");
    }
    assert_eq!(entries(&lab), before, "nothing is charged for it");
    client.batch_execute("SET tacit.epsilon = '0.1'; SET tacit.purpose = 'a test'").expect("set");
    let rows = client.query(REGIONS, &[]).expect("an answer");
    let shape: Vec<_> = rows[0].columns().iter().map(|column| (column.name(), column.type_().clone())).collect();
    assert_eq!(shape, [("region", Type::TEXT), ("n", Type::INT8), ("s", Type::FLOAT8), ("a", Type::FLOAT8)]);
    let read = |rows: &[postgres::Row]| -> Vec<(String, i64, f64)> {
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
    };
    let first = read(&rows);
    assert_eq!(first.iter().map(|row| row.0.as_str()).collect::<Vec<_>>(), ["east", "north", "south", "west"]);
    assert_eq!(entries(&lab), before + 2, "the charge, and the answer");
    let said = notices.lock().expect("notices").pop().expect("a notice");
    assert!(said.0.starts_with("costs ") && said.0.contains("(ε 0.1)") && said.0.contains(" left"), "{said:?}");
    assert!(said.1.starts_with("95 % intervals: n ± ") && said.1.contains("a ± "), "{said:?}");
    let again = read(&client.query(REGIONS, &[]).expect("an answer"));
    assert_eq!((again, entries(&lab)), (first, before + 2), "the same question again is a replay");
    let said = notices.lock().expect("notices").pop().expect("a notice");
    assert!(said.0.starts_with("costs nothing"), "{said:?}");
    drop(client);
}

#[test]
fn preparing_and_describing_are_free_and_parameters_are_of_their_columns() {
    let lab = Lab::gaussian();
    let door = Served::new(&lab.service);
    let (mut client, _) = door.ada(&lab);
    let before = entries(&lab);
    let sql =
        "SELECT region, COUNT(*) AS n FROM visits WHERE age > $1 AND visited >= $2 AND region <> $3 GROUP BY region";
    for _ in 0..5 {
        let statement = client.prepare(sql).expect("a statement");
        assert_eq!(statement.params(), [Type::INT8, Type::DATE, Type::TEXT]);
        assert_eq!(statement.columns()[1].type_(), &Type::INT8);
    }
    assert_eq!(entries(&lab), before);
    let sql = "SELECT COUNT(*) AS n FROM visits WHERE age > $1 AND region = $2 /* epsilon 0.1 */";
    let one = client.query_one(sql, &[&50_i64, &"north"]).expect("an answer");
    assert_eq!(entries(&lab), before + 2);
    let same = "/* epsilon 0.1 */ SELECT COUNT(*) AS n FROM visits WHERE age > 50 AND region = 'north'";
    let plain = client.query_one(same, &[]).expect("an answer");
    assert_eq!((one.get::<_, i64>(0), entries(&lab)), (plain.get::<_, i64>(0), before + 2), "it is the same question");
    let injected = fault(client.query(sql, &[&50_i64, &"north' OR '1'='1"]));
    assert_eq!(injected.code().code(), "22P02", "{injected:?}");
    assert_eq!(entries(&lab), before + 2);
}

#[test]
fn what_is_refused_costs_nothing_and_the_connection_lives_on() {
    let lab = Lab::gaussian();
    let door = Served::new(&lab.service);
    let (mut client, _) = door.ada(&lab);
    client.batch_execute("SET tacit.epsilon = '0.1'").expect("set");
    let before = entries(&lab);
    for (sql, code, word) in [
        ("SELECT * FROM visits", "42501", "ask for an aggregate: SELECT COUNT(*) FROM visits"),
        ("SELECT * FROM (SELECT * FROM visits.visits) AS t", "42501", "SELECT COUNT(*) FROM visits.visits"),
        ("SELECT age FROM visits", "42501", ""),
        ("SELECT COUNT(*) FROM nowhere", "42P01", "nowhere"),
        ("SELECT COUNT(*) FROM visits WHERE agee > 3", "42703", "agee"),
        ("SELECT COUNT(*) FROM visits WHERE region = 'nowhere'", "22P02", "nowhere"),
        ("SELECT MEDIAN() FROM", "0A000", ""),
        ("INSERT INTO visits VALUES (1)", "0A000", "INSERT"),
        ("SELECT COUNT(*) FROM visits JOIN pg_catalog.pg_class ON true", "0A000", "pg_class"),
        ("COPY visits FROM STDIN", "0A000", "STDOUT"),
        ("COPY visits TO STDOUT", "42501", "aggregate"),
    ] {
        for refused in [fault(client.simple_query(sql)), fault(client.query(sql, &[]))] {
            assert_eq!(refused.code().code(), code, "{sql}: {refused:?}");
            let text = format!("{} {}", refused.message(), refused.hint().unwrap_or_default());
            assert!(text.contains(word), "{sql}: {text}");
        }
    }
    let placed = fault(client.simple_query("SELECT 1;\n SELECT COUNT(*) FROM visits WHERE agee > 3"));
    assert_eq!(placed.position(), Some(&postgres::error::ErrorPosition::Original(46)), "{placed:?}");
    client.batch_execute("SET tacit.epsilon = '2'").expect("set");
    for number in 0..40 {
        let sql = format!("SELECT COUNT(*) FROM visits WHERE age > {number}");
        let Err(error) = client.query(&sql, &[]) else { continue };
        let refused = error.as_db_error().expect("an error of the server");
        assert_eq!(refused.code(), &SqlState::CONFIGURATION_LIMIT_EXCEEDED, "{refused:?}");
        assert!(
            refused.detail().is_some_and(|detail| detail.contains("asked: epsilon 2; left: epsilon")),
            "{refused:?}"
        );
        let hint = refused.hint().expect("a hint");
        let fits = hint.split('\'').nth(1).unwrap_or_else(|| panic!("{hint}"));
        client.batch_execute(&format!("SET tacit.epsilon = '{fits}'")).expect("set");
        assert!(client.query(&sql, &[]).is_ok(), "what is said to fit fits: {hint}");
        assert!(entries(&lab) > before);
        return;
    }
    panic!("the budget has no end");
}

#[test]
fn a_typed_epsilon_is_a_ceiling_however_it_is_typed() {
    let lab = Lab::gaussian();
    let door = Served::new(&lab.service);
    let accountant = lab.service.dataset("visits").expect("a dataset").terms.accountant;
    let price = |epsilon: &str| accountant.cap(Epsilon::parse(epsilon).expect("an epsilon"));
    let mut config = door.config("ada", &lab.researcher, "visits");
    config.options("-c tacit.epsilon=0.05 -c tacit.purpose=a\\ test");
    let (mut client, _) = connected(config);
    for (number, (set, comment, ceiling)) in [
        ("", "", "0.05"),
        ("SET tacit.epsilon = '0.07'", "", "0.07"),
        ("SET tacit.epsilon = '0.5'", "/* epsilon 0.03 */", "0.03"),
        ("SET tacit.margin = '1'", "-- epsilon 0.03\n", "0.03"),
        ("RESET tacit.epsilon", "", "0.05"),
    ]
    .into_iter()
    .enumerate()
    {
        client.batch_execute(set).expect("set");
        let before = spent(&lab);
        client
            .query_one(&format!("{comment} SELECT COUNT(*) FROM visits WHERE age > {number}"), &[])
            .expect("an answer");
        let paid = spent(&lab).left_after(before);
        assert!(paid > Price::ZERO && paid <= price(ceiling), "{set} {comment}: {paid:?}");
    }
    let both = fault(client.query("/* epsilon 0.1 */ SELECT COUNT(*) FROM visits /* margin 3 */", &[]));
    assert_eq!(both.code(), &SqlState::INVALID_PARAMETER_VALUE);
    let over = fault(client.query("/* epsilon 3 */ SELECT COUNT(*) FROM visits", &[]));
    assert_eq!(over.code(), &SqlState::CONFIGURATION_LIMIT_EXCEEDED, "{over:?}");
    let margin = "/* margin 40 */ SELECT COUNT(*) FROM visits WHERE age > 77";
    assert!(client.query_one(margin, &[]).is_ok());
}

#[test]
fn a_session_spends_no_more_than_its_limit() {
    let lab = Lab::gaussian();
    let door = Served::new(&lab.service);
    let (mut client, _) = door.ada(&lab);
    client.batch_execute("SET tacit.spend_limit = '0.2'; SET tacit.epsilon = '0.1'").expect("set");
    let ask = |client: &mut postgres::Client, age: usize| {
        client.query(&format!("SELECT COUNT(*) FROM visits WHERE age > {age}"), &[])
    };
    let answered = (0..10).take_while(|age| ask(&mut client, *age).is_ok()).count();
    assert!((2..10).contains(&answered), "{answered} questions of 0.1 fit into 0.2");
    let refused = fault(ask(&mut client, answered));
    assert_eq!(refused.code(), &SqlState::CONFIGURATION_LIMIT_EXCEEDED);
    assert!(refused.message().contains("this session may spend"), "{refused:?}");
    assert!(ask(&mut client, 0).is_ok(), "a replay is free");
    let (mut other, _) = door.ada(&lab);
    other.batch_execute("SET tacit.epsilon = '0.1'").expect("set");
    assert!(ask(&mut other, answered).is_ok(), "the limit is the session's");
}

#[test]
fn a_portal_is_computed_once_however_its_rows_are_taken() {
    let lab = Lab::gaussian();
    let door = Served::new(&lab.service);
    let (mut client, _) = door.ada(&lab);
    client.batch_execute("SET tacit.epsilon = '0.1'").expect("set");
    let before = entries(&lab);
    let mut transaction = client.transaction().expect("a transaction");
    let portal = transaction.bind("SELECT region, COUNT(*) AS n FROM visits GROUP BY region", &[]).expect("a portal");
    assert_eq!(entries(&lab), before, "binding is free");
    let mut taken = 0;
    loop {
        let rows = transaction.query_portal(&portal, 1).expect("rows");
        if rows.is_empty() {
            break;
        }
        taken += rows.len();
        assert_eq!(entries(&lab), before + 2);
    }
    assert_eq!(taken, 4);
    let sql = "DECLARE \"c\" CURSOR FOR SELECT smoker, COUNT(*) AS n FROM visits GROUP BY smoker";
    transaction.batch_execute(sql).expect("a cursor");
    assert_eq!(entries(&lab), before + 2, "declaring is free");
    let fetched = |messages: Vec<SimpleQueryMessage>| {
        messages.iter().filter(|message| matches!(message, SimpleQueryMessage::Row(_))).count()
    };
    assert_eq!(fetched(transaction.simple_query("FETCH FORWARD 2 FROM \"c\"").expect("rows")), 2);
    assert_eq!(fetched(transaction.simple_query("FETCH ALL FROM c").expect("rows")), 1);
    assert_eq!(entries(&lab), before + 4);
    transaction.rollback().expect("an end");
    assert_eq!(fault(client.simple_query("FETCH ALL FROM c")).code().code(), "34000", "it ended with its transaction");
}

#[test]
fn rows_are_copied_as_files() {
    let lab = Lab::gaussian();
    let door = Served::new(&lab.service);
    let (mut client, _) = door.ada(&lab);
    client.batch_execute("SET tacit.epsilon = '0.1'").expect("set");
    let sql = "SELECT region, COUNT(*) AS n FROM visits GROUP BY region ORDER BY region";
    let rows = client.query(sql, &[]).expect("rows");
    let before = entries(&lab);
    let mut copied = |options: &str| {
        let mut bytes = Vec::new();
        let mut reader = client.copy_out(&format!("COPY ({sql}) TO STDOUT {options}")).expect("a file");
        reader.read_to_end(&mut bytes).expect("bytes");
        bytes
    };
    let lines = |separator: &str| -> String {
        rows.iter().map(|row| format!("{}{separator}{}\n", row.get::<_, &str>(0), row.get::<_, i64>(1))).collect()
    };
    assert_eq!(String::from_utf8(copied("")).expect("text"), lines("\t"));
    assert_eq!(
        String::from_utf8(copied("WITH (FORMAT csv, HEADER)")).expect("text"),
        format!("region,n\n{}", lines(","))
    );
    let binary = copied("(FORMAT binary)");
    assert!(binary.starts_with(b"PGCOPY\n\xff\r\n\0") && binary.ends_with(&[0xff, 0xff]), "{binary:?}");
    assert_eq!(entries(&lab), before, "the same question again is a replay");
}

#[test]
fn who_hangs_up_has_paid_once_and_gets_the_answer_for_nothing() {
    let lab = Lab::new(&policy(GAUSSIAN), &visits(50), std::sync::Arc::new(tacit::kernel::vault::noise::OpenDp), "2");
    let door = Served::new(&lab.service);
    let (mut client, _) = door.ada(&lab);
    let sql = "/* epsilon 0.1 */ SELECT visited, COUNT(*) AS n FROM visits GROUP BY visited";
    let before = entries(&lab);
    let mut rows = client.query_raw::<_, &str, _>(sql, []).expect("rows");
    assert!(rows.next().expect("a row").is_some());
    drop(rows);
    drop(client);
    let (mut client, notices) = door.ada(&lab);
    assert!(client.query(sql, &[]).expect("rows").len() > 1_000);
    assert_eq!(entries(&lab), before + 2);
    assert!(notices.lock().expect("notices")[0].0.starts_with("costs nothing"));
    // A request to cancel that finds nothing running does nothing.
    client.cancel_token().cancel_query(NoTls).expect("told");
    assert!(client.query(sql, &[]).is_ok());
}

#[test]
fn what_is_public_is_free() {
    let lab = Lab::gaussian();
    let door = Served::new(&lab.service);
    let (mut client, notices) = door.ada(&lab);
    let before = entries(&lab);
    assert_eq!(client.query("SELECT DISTINCT region FROM visits", &[]).expect("keys").len(), 4);
    assert_eq!(client.query("SELECT region FROM visits GROUP BY region", &[]).expect("keys").len(), 4);
    assert_eq!(client.simple_query("SELECT 1").expect("a constant").len(), 3);
    let quote = client.query_one("EXPLAIN SELECT COUNT(*) AS n FROM visits", &[]).expect("a quote");
    assert_eq!((quote.get::<_, &str>("output"), quote.get::<_, bool>("answerable")), ("n", true));
    client.batch_execute("SET tacit.epsilon = '0.1'").expect("set");
    for sql in
        ["SHOW tacit.epsilon", "SHOW server_version", "SHOW ALL", "BEGIN", "COMMIT", "DISCARD ALL", "", ";", "-- x"]
    {
        assert!(client.simple_query(sql).is_ok(), "{sql}");
        assert!(client.query(sql, &[]).is_ok(), "{sql}");
    }
    assert_eq!(entries(&lab), before);
    assert!(notices.lock().expect("notices").is_empty());
}

#[test]
fn what_does_not_fit_now_is_refused_before_a_grant_can_make_it_fit() {
    let lab = Lab::gaussian();
    let ask = |age: usize| format!("SELECT COUNT(*) AS n FROM visits WHERE age > {age}");
    let is_answered = |age: &usize| block_on(lab.sql(&ask(*age), "1")).status == 200;
    let first_refused = (0..30).find(|age| !is_answered(age)).expect("a budget that ends");
    let priced = |age: usize| {
        let accuracy = RequestedAccuracy::new(Some("1"), None).expect("an accuracy");
        let ask = Ask { sql: ask(age), accuracy, rows_per_unit: None, group_size: None, purpose: None };
        lab.service.price_before(&mut lab.service.prepare("ada", ask))
    };
    assert!(priced(0).expect("a replay").is_some_and(|price| price.price == Price::ZERO));
    let refused = priced(first_refused).expect_err("it does not fit");
    assert!(matches!(refused, ServiceError::Refused(_)), "{refused:?}");
}

#[test]
fn rows_that_cost_nothing_take_memory_as_others_do() {
    let lab = Lab::gaussian();
    let door = Served::new(&lab.service);
    let (mut client, _) = door.ada(&lab);
    let mut block = client.transaction().expect("a transaction");
    let large = "SELECT repeat('x', 1000) FROM generate_series(1, 9000)";
    let portal = block.bind(large, &[]).expect("a portal");
    assert_eq!(block.query_portal(&portal, 1).expect("a row").len(), 1);
    let held = lab.service.held_bytes();
    assert!((9_000_000..12_000_000).contains(&held), "{held} bytes are held for the rest");
    block.rollback().expect("an end");
    assert_eq!(lab.service.held_bytes(), 0);
}
