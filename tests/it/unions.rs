//! Answers put together: a union has the rows of its queries as each has them by itself, costs what they cost together and never more, and
//! what two of them have alike is measured once.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tacit::kernel::budget::entry::AccountKind;
use tacit::kernel::budget::ledger::read;
use tacit::kernel::privacy::certificate::{Accuracy, prices};
use tacit::query::answer::Layout;
use tacit::query::error::{Code, QueryError};
use tacit::query::parse::parse;
use tacit::query::plan::{Plan, plan};

use crate::support::{GAUSSIAN, Lab, PURE, block_on, call, policy, visits};

fn planned(lab: &Lab, sql: &str) -> Result<Plan, QueryError> {
    let terms = &lab.service.dataset("visits").expect("visits").terms;
    plan(&parse(sql)?.about("visits"), terms, None)
}

/// Questions of three columns: a text, a count and a sum.
const ARMS: [&str; 6] = [
    "SELECT 'all' AS grp, COUNT(*) AS n, SUM(cost) AS cost FROM visits",
    "SELECT region, COUNT(*), SUM(cost) FROM visits GROUP BY region",
    "SELECT region, COUNT(*), SUM(cost) FROM visits WHERE smoker GROUP BY region",
    "SELECT 'people', COUNT(DISTINCT patient_id), SUM(age) FROM visits",
    "SELECT diagnosis, COUNT(*), SUM(cost) FROM visits WHERE age > 40 GROUP BY diagnosis",
    "SELECT region, COUNT(*), SUM(cost) FROM visits WHERE region <> 'north' GROUP BY region",
];

fn spent(lab: &Lab, kind: AccountKind, name: &str) -> u64 {
    read(lab.service.ledger(), |book| book.find("visits", kind, name).expect("an account").spent.quanta())
}

/// What each measurement costs at the same standard error, by its view.
fn costs(lab: &Lab, plan: &Plan) -> BTreeMap<[u8; 32], u64> {
    let accountant = lab.service.dataset("visits").expect("visits").terms.accountant;
    let prices = prices(accountant, &plan.sought, &Accuracy::StdErrors(vec![1_000.0; plan.sought.len()]));
    plan.views("visits", "edition").into_iter().zip(prices.iter().map(|price| price.quanta())).collect()
}

#[test]
fn a_union_measures_what_its_queries_do_and_nothing_twice() {
    for budget in [GAUSSIAN, PURE] {
        let lab = Lab::new(&policy(budget), &visits(60), std::sync::Arc::new(crate::support::NoNoise), "4");
        for chosen in 1_u32..1 << ARMS.len() {
            let arms: Vec<&str> =
                ARMS.iter().enumerate().filter(|(at, _)| chosen >> at & 1 == 1).map(|(_, arm)| *arm).collect();
            // Each query stands there twice: what is measured is known already.
            let sql = [&arms[..], &arms[..]].concat().join(" UNION ALL ");
            let union = planned(&lab, &sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
            let found = costs(&lab, &union);
            assert_eq!(found.len(), union.sought.len(), "no view is measured twice: {sql}");
            let mut wanted = BTreeMap::new();
            arms.iter().for_each(|arm| wanted.extend(costs(&lab, &planned(&lab, arm).expect("a plan"))));
            assert_eq!(found, wanted, "{sql}");
        }
    }
}

fn row(rows: &[Value], grp: &str) -> Value {
    rows.iter().find(|row| row["grp"] == grp || row["region"] == grp).unwrap_or_else(|| panic!("no {grp}")).clone()
}

#[test]
fn rows_are_those_of_each_query_and_are_paid_for_once() {
    let lab = Lab::gaussian();
    let sql =
        "SELECT 'all' AS grp, COUNT(*) AS n FROM visits UNION ALL SELECT region, COUNT(*) FROM visits GROUP BY region";
    block_on(async {
        let reply = lab.ask(&json!({"sql": sql, "margin": "60"})).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.json());
        let rows = reply.rows();
        assert_eq!(
            rows.iter().map(|row| row["grp"].as_str().unwrap_or_default()).collect::<Vec<_>>(),
            ["all", "north", "east", "south", "west"]
        );
        let paid = spent(&lab, AccountKind::Researcher, "ada");
        for (one, names) in [
            ("SELECT region, COUNT(*) AS n FROM visits GROUP BY region", &["north", "east"][..]),
            // Beside the stored total, the sum of the stored regions makes it more exact.
            ("SELECT 'all' AS grp, COUNT(*) AS n FROM visits", &[]),
        ] {
            let own = lab.ask(&json!({"sql": one, "margin": "60"})).await.rows();
            for name in names {
                let (own, its) = (row(&own, name), row(&rows, name));
                for column in ["n", "n_low", "n_high"] {
                    assert_eq!(own[column], its[column], "{name}");
                }
            }
        }
        assert_eq!(spent(&lab, AccountKind::Researcher, "ada"), paid, "each query was paid for with the union");
        let again = lab.ask(&json!({"sql": sql, "margin": "60"})).await.json();
        assert_eq!((&again["replayed"], &again["release"]), (&json!(true), &reply.json()["release"]));
        // Another order and limit of the same rows.
        let body = json!({"sql": format!("{sql} ORDER BY n DESC LIMIT 2"), "margin": "60"});
        let key = [("idempotency-key", "a-key-of-sixteen-letters-or-more")];
        let ask = || call(&lab.router, Method::POST, "/v1/queries", Some(&lab.researcher), &key, body.to_string());
        let (first, second) = (ask().await, ask().await);
        assert_eq!(first.json()["replayed"], true, "{}", first.json());
        assert_eq!(first.rows(), second.rows(), "the layout is kept with the key");
        let most = first.rows();
        assert!(most.len() == 2 && most[0]["grp"] == "all", "{most:?}");
    });
    lab.verified();
}

#[test]
fn a_quote_keeps_its_word_and_says_how_exact_each_column_is() {
    let lab = Lab::gaussian();
    let sql = ARMS.join(" UNION ALL ");
    block_on(async {
        for accuracy in [
            json!({"epsilon": "0.3"}),
            json!({"margin": {"n": "120"}}),
            json!({"margin": {"n": "100", "cost": "40000"}}),
        ] {
            let mut body = accuracy.clone();
            body["sql"] = json!(sql);
            let quote = call(&lab.router, Method::POST, "/v1/quotes", Some(&lab.researcher), &[], body.to_string())
                .await
                .json();
            let answer = lab.ask(&body).await.json();
            assert_eq!(quote["account"]["after"], answer["account"], "{quote}\n{answer}");
            assert_eq!(quote["columns"].as_array().map(Vec::len), Some(3), "{quote}");
            let Some(margin) = accuracy["margin"]["n"].as_str().and_then(|margin| margin.parse::<f64>().ok()) else {
                continue;
            };
            for row in answer["rows"].as_array().expect("rows") {
                let (low, high) = (row["n_low"].as_f64().expect("low"), row["n_high"].as_f64().expect("high"));
                assert!((high - low) / 2.0 <= margin + 0.5, "{row}");
            }
        }
        let unknown = lab.ask(&json!({"sql": sql, "margin": {"m": "3"}})).await.json();
        assert!(unknown["hint"].as_str().is_some_and(|hint| hint.ends_with("n, cost")), "{unknown}");
    });
    lab.verified();
}

/// Every form of an answer shows a union, and a statistic may be one.
#[test]
fn a_union_is_shown_in_every_form() {
    let sql = "SELECT 'all' AS grp, COUNT(*) AS n, AVG(age) AS age FROM visits UNION ALL SELECT region, COUNT(*), AVG(age) FROM visits GROUP BY region";
    let file = format!(
        "-- title: Regions and all\n-- description: All visits, and by region.\n-- refresh: daily\n-- epsilon: 0.5\n-- public: true\n{sql}\n"
    );
    let lab = Lab::publishing(
        &policy(GAUSSIAN),
        &[("united", &file)],
        "1",
        std::sync::Arc::new(crate::support::StoppedClock),
    );
    block_on(async {
        lab.service.refresh_due().await;
        for ending in ["json", "csv", "arrow", "parquet", "svg", "vl.json", "txt"] {
            let reply = lab.get(&format!("/v1/statistics/united.{ending}"), &lab.viewer).await;
            assert_eq!(reply.status, StatusCode::OK, "{ending}");
        }
        let csv = String::from_utf8(lab.get("/v1/statistics/united.csv", &lab.viewer).await.bytes).expect("text");
        assert!(csv.starts_with("grp,n,n_low,n_high,n_std_error,age,") && csv.lines().count() == 6, "{csv}");
    });
    lab.verified();
}

#[test]
fn what_is_not_put_together_is_refused_at_its_place() {
    let lab = Lab::exact();
    let all = "SELECT region AS grp, COUNT(*) AS n FROM visits GROUP BY region";
    for (sql, code, words) in [
        (
            format!("{all} UNION ALL SELECT region, COUNT(*) FROM visits WHERE regio = 3 GROUP BY region"),
            Code::UnknownColumn,
            "query 2 of the UNION: ",
        ),
        (
            format!("{all} UNION ALL SELECT COUNT(*) FROM visits"),
            Code::UnsupportedSql,
            "query 1 has 2, and query 2 has 1",
        ),
        (
            format!("{all} UNION ALL SELECT smoker, COUNT(*) FROM visits GROUP BY smoker"),
            Code::UnsupportedSql,
            "is a truth value in query 2, and a text before",
        ),
        (
            format!("{all} UNION SELECT region, COUNT(*) FROM visits WHERE smoker GROUP BY region"),
            Code::UnsupportedSql,
            "here some could be",
        ),
        (format!("{all} EXCEPT {all}"), Code::UnsupportedSql, "compare rows"),
        (format!("{all} UNION ALL {all} ORDER BY region"), Code::UnsupportedSql, "columns of its first query"),
        (
            format!("SELECT SUM(n) FROM ({all} UNION ALL {all}) t"),
            Code::UnsupportedSql,
            "an aggregate over the rows of a UNION",
        ),
        (format!("SELECT grp FROM ({all} UNION {all}) t"), Code::UnsupportedSql, "asked of each of its answers"),
        (format!("SELECT DISTINCT grp FROM ({all} UNION ALL {all}) t"), Code::UnsupportedSql, "DISTINCT"),
        (format!("SELECT * FROM ({all} UNION ALL {all} LIMIT 3) t WHERE n > 3"), Code::UnsupportedSql, "LIMIT"),
        (
            format!("{all} UNION ALL SELECT 'x', COUNT(*) FROM elsewhere"),
            Code::UnsupportedSql,
            "query 2 of the UNION: ",
        ),
        (format!("{all} UNION ALL SELECT * FROM visits"), Code::NotAnAggregate, "query 2 of the UNION: "),
        (vec!["SELECT COUNT(*) FROM visits"; 129].join(" UNION ALL "), Code::UnsupportedSql, "more than 128 queries"),
    ] {
        let error = planned(&lab, &sql).expect_err(&sql);
        assert_eq!(error.code, code, "{sql}: {error:?}");
        assert!(error.message.contains(words), "{sql}: {error:?}");
        assert!(error.position.is_some(), "{sql}: {error:?}");
    }
    let head = lab.head();
    let reply = block_on(lab.sql(&format!("{all} UNION ALL SELECT 'x', COUNT(*) FROM elsewhere"), "0.1"));
    assert!(reply.status.is_client_error() && lab.head() == head, "{}", reply.json());
}

/// Many queries, unions within unions, and unions over unions: each is planned in moments, or refused.
#[test]
fn large_unions_are_planned_or_refused_at_once() {
    // As large as the stack that the server's threads have.
    let thread = std::thread::Builder::new().stack_size(8 << 20).spawn(large_unions);
    thread.expect("a thread").join().expect("planned");
}

fn large_unions() {
    let lab = Lab::exact();
    let begun = std::time::Instant::now();
    let of = |place: usize| format!("SELECT 'q{place}' AS grp, COUNT(*) AS n FROM visits WHERE age > {place}");
    let many: Vec<String> = (0..100).map(of).collect();
    let flat = many.join(" UNION ALL ");
    let plan = planned(&lab, &flat).expect("a hundred");
    assert_eq!((plan.sought.len(), plan.parts().count()), (100, 100));
    let over =
        planned(&lab, &format!("SELECT grp, n FROM ({flat}) AS t WHERE n > 3 ORDER BY n")).expect("over a hundred");
    assert_eq!(over.layout.answers().len(), 100);
    let nested = many[1..20].iter().fold(many[0].clone(), |inner, one| format!("{one} UNION ALL ({inner})"));
    assert_eq!(planned(&lab, &nested).expect("a union in unions").sought.len(), 20);
    let limited = many[1..20].iter().fold(many[0].clone(), |inner, one| format!("{one} UNION ALL ({inner} LIMIT 3)"));
    let plan = planned(&lab, &limited).expect("unions with limits");
    assert_eq!(plan.sought.len(), 20);
    let bytes = borsh::to_vec(&plan.layout).expect("plain data");
    assert_eq!(borsh::from_slice::<Layout>(&bytes).expect("a layout"), plan.layout);
    let few = many[..10].join(" UNION ALL ");
    let over = (0..12).fold(few, |inner, place| format!("SELECT * FROM ({inner}) AS t{place} WHERE n > {place}"));
    assert_eq!(planned(&lab, &over).map(|plan| plan.sought.len()).map_err(|error| error.message), Ok(10));
    // Each name of WITH doubles what it stands for.
    let mut doubling = format!("WITH a0 AS ({})", of(0));
    for place in 1..12 {
        doubling.push_str(&format!(", a{place} AS (SELECT * FROM a{0} UNION ALL SELECT * FROM a{0})", place - 1));
    }
    assert!(planned(&lab, &format!("{doubling} SELECT * FROM a11")).is_err());
    let queries = vec!["SELECT grp, n FROM a"; 60].join(" UNION ALL ");
    let long = format!("WITH a AS ({}) {queries}", many[..40].join(" UNION ALL "));
    assert!(planned(&lab, &long).is_err());
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    let reply = block_on(lab.sql(&flat, "0.5"));
    assert_eq!(reply.rows().len(), 100, "{}", reply.json());
    lab.verified();
}
