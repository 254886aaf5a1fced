//! Shared precision: asking again is free, what a colleague asked costs one's own account once, more precision costs the difference, and
//! what follows from a stored answer is free.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tacit::kernel::budget::entry::AccountKind;
use tacit::kernel::budget::ledger::read;
use tacit::kernel::vault::noise::OpenDp;

use crate::support::{GAUSSIAN, Lab, NoNoise, PURE, Reply, block_on, call, policy, visits};

/// A lab with a second researcher who may spend as much as the first.
pub fn two(cap: &str, epsilon: &str) -> (Lab, String) {
    let text = policy(cap).replace("max_rows = 1_000_000", "max_rows = 1_000_000\noversubscribe = true");
    let lab = Lab::new(&text, &visits(200), Arc::new(OpenDp), epsilon);
    let bob = block_on(async {
        let bob = lab.act("/v1/researchers", &json!({"name": "bob"})).await.json();
        assert_eq!(lab.grant("bob", "visits", epsilon).await.status, StatusCode::OK);
        bob["token"].as_str().expect("a token").to_owned()
    });
    (lab, bob)
}

async fn post(lab: &Lab, path: &str, token: &str, body: &Value) -> Reply {
    call(&lab.router, Method::POST, path, Some(token), &[], body.to_string()).await
}

fn spent(lab: &Lab, kind: AccountKind, name: &str) -> u64 {
    read(lab.service.ledger(), |book| book.find("visits", kind, name).expect("an account").spent.quanta())
}

fn worth(epsilon: &str) -> u64 {
    let accountant = tacit::kernel::privacy::accountant::Accountant::Gaussian {
        delta: tacit::kernel::privacy::amounts::Delta::parse("1e-9").expect("δ"),
    };
    accountant.price(tacit::kernel::privacy::amounts::Epsilon::parse(epsilon).expect("ε")).quanta()
}

const REGIONS: &str = "SELECT region, COUNT(*) AS visits FROM visits GROUP BY region";

#[test]
fn a_colleague_is_served_what_is_stored_and_pays_once() {
    let (lab, bob) = two(GAUSSIAN, "4");
    block_on(async {
        let first = lab.sql(REGIONS, "0.5").await.json();
        let drawn = spent(&lab, AccountKind::Dataset, "visits");
        // The same precision and a lower one, with other names and another order of the rows.
        for (sql, epsilon) in [
            ("SELECT COUNT(*) AS n, region AS r FROM visits GROUP BY region ORDER BY region DESC", "0.5"),
            (REGIONS, "0.1"),
        ] {
            let quote = post(&lab, "/v1/quotes", &bob, &json!({"sql": sql, "epsilon": epsilon})).await.json();
            let reply = post(&lab, "/v1/queries", &bob, &json!({"sql": sql, "epsilon": epsilon})).await;
            let answer = reply.json();
            assert_eq!((&answer["replayed"], &answer["release"]), (&json!(true), &first["release"]), "{answer}");
            assert_eq!((&quote["replay"], &quote["legs"]), (&json!(true), &answer["legs"]));
            assert_eq!(quote["derived_from"], json!([first["release"]]));
            assert_eq!(answer["legs"]["dataset"], "0");
            assert_eq!(quote["account"]["after"], answer["account"], "the quote kept its word");
        }
        assert_eq!(spent(&lab, AccountKind::Dataset, "visits"), drawn, "the dataset pays nothing");
        assert_eq!(spent(&lab, AccountKind::Researcher, "bob"), worth("0.5"), "bob pays once for what he learnt");
        let served = post(&lab, "/v1/queries", &bob, &json!({"sql": REGIONS, "epsilon": "0.5"})).await.json();
        assert_eq!((&served["rows"], &served["price"]["epsilon"]), (&first["rows"], &json!("0")));
        let path = format!("/v1/releases/{}", first["release"].as_str().expect("an id"));
        assert_eq!(lab.get(&path, &bob).await.status, StatusCode::OK, "it is his now, too");
        assert_eq!(lab.get("/v1/releases", &bob).await.json().as_array().map(Vec::len), Some(1));
    });
}

#[test]
fn more_precision_costs_the_difference() {
    let (lab, bob) = two(GAUSSIAN, "4");
    block_on(async {
        let first = lab.sql(REGIONS, "0.3").await.json();
        let quote = post(&lab, "/v1/quotes", &lab.researcher, &json!({"sql": REGIONS, "epsilon": "0.5"})).await.json();
        let second = lab.sql(REGIONS, "0.5").await.json();
        assert_eq!((&second["replayed"], &second["derived_from"]), (&json!(false), &json!([first["release"]])));
        assert_eq!(quote["account"]["after"], second["account"]);
        assert_eq!(spent(&lab, AccountKind::Researcher, "ada"), worth("0.5"), "as if it had been asked for at once");
        assert_eq!(spent(&lab, AccountKind::Dataset, "visits"), worth("0.5"));
        let error = |answer: &Value| {
            answer["columns"][1]["std_error"].as_str().expect("an error").parse::<f64>().expect("a number")
        };
        let alone = {
            let quote = json!({"sql": "SELECT region, COUNT(*) AS n FROM visits WHERE age > 0 GROUP BY region", "epsilon": "0.5"});
            error(&post(&lab, "/v1/quotes", &bob, &quote).await.json())
        };
        assert!((error(&second) / alone - 1.0).abs() < 1e-6, "{} against {alone}", error(&second));
        let again = lab.sql(REGIONS, "0.3").await.json();
        assert_eq!(
            (&again["rows"], &again["replayed"]),
            (&first["rows"], &json!(true)),
            "what was served stays the same"
        );
        // Bob asks for a precision in between: he gets a point between the two answers, and pays for that.
        let third = post(&lab, "/v1/queries", &bob, &json!({"sql": REGIONS, "epsilon": "0.4"})).await.json();
        assert_eq!((&third["replayed"], &third["price"]["epsilon"]), (&json!(true), &json!("0.4")), "{third}");
        assert_eq!(third["derived_from"], json!([first["release"], second["release"]]));
        assert!(error(&third) > error(&second) * 1.2, "{third}");
        assert_eq!(spent(&lab, AccountKind::Researcher, "bob"), worth("0.4"));
        assert_eq!(spent(&lab, AccountKind::Dataset, "visits"), worth("0.5"));
        // The best that is stored costs him the rest.
        let all = post(&lab, "/v1/queries", &bob, &json!({"sql": REGIONS, "epsilon": "0.5"})).await.json();
        assert_eq!((&all["release"], &all["rows"]), (&second["release"], &second["rows"]));
        assert_eq!(spent(&lab, AccountKind::Researcher, "bob"), worth("0.5"));
    });
}

/// Measurements are shared one by one: the count in a mean is the count that was asked for before.
#[test]
fn measurements_are_shared_one_by_one() {
    let (lab, _) = two(GAUSSIAN, "4");
    block_on(async {
        let count = lab.sql("SELECT region, COUNT(*) AS n FROM visits GROUP BY region", "0.3").await.json();
        let before = spent(&lab, AccountKind::Researcher, "ada");
        let both =
            lab.sql("SELECT region, COUNT(*) AS n, SUM(cost) AS s FROM visits GROUP BY region", "0.3").await.json();
        let paid = spent(&lab, AccountKind::Researcher, "ada") - before;
        assert_eq!(both["derived_from"], json!([count["release"]]));
        assert!(paid <= worth("0.3") / 2 + 1, "the sum alone is new: {paid}");
        let values = |answer: &Value| {
            answer["rows"].as_array().expect("rows").iter().map(|row| row["n"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(values(&both), values(&count), "one question has one answer");
    });
}

#[test]
fn what_follows_from_a_stored_answer_is_free() {
    let (lab, _) = two(GAUSSIAN, "4");
    block_on(async {
        let fine =
            lab.sql("SELECT region, diagnosis, COUNT(*) AS n FROM visits GROUP BY region, diagnosis", "1").await.json();
        let rows = fine["rows"].as_array().expect("rows").clone();
        let (drawn, entries) = (spent(&lab, AccountKind::Dataset, "visits"), lab.head().0);
        let sum = |keep: &dyn Fn(&Value) -> bool| {
            rows.iter().filter(|row| keep(row)).map(|row| row["n"].as_i64().expect("a count")).sum::<i64>()
        };
        let asthma = |row: &Value| row["diagnosis"] == "asthma";
        let cases: [(&str, i64, i64); 5] = [
            ("SELECT COUNT(*) AS n FROM visits", sum(&|_| true), 16),
            ("SELECT COUNT(*) AS n FROM visits WHERE diagnosis = 'asthma'", sum(&asthma), 4),
            (
                "SELECT COUNT(*) AS n FROM visits WHERE region = 'north' AND diagnosis = 'asthma'",
                sum(&|row| asthma(row) && row["region"] == "north"),
                1,
            ),
            (
                "SELECT COUNT(*) AS n FROM visits WHERE diagnosis IS NULL OR region IN ('east')",
                sum(&|row| row["diagnosis"].is_null() || row["region"] == "east"),
                7,
            ),
            (
                "SELECT COUNT(*) AS n FROM visits WHERE NOT (diagnosis = 'flu')",
                sum(&|row| !row["diagnosis"].is_null() && row["diagnosis"] != "flu"),
                8,
            ),
        ];
        for (sql, expected, summed) in cases {
            let answer = lab.sql(sql, "0.2").await.json();
            assert_eq!(
                (&answer["replayed"], &answer["derived_from"]),
                (&json!(true), &json!([fine["release"]])),
                "{sql}"
            );
            let value = answer["rows"][0]["n"].as_i64().expect("a count");
            assert!((value - expected).abs() <= summed / 2 + 1, "{sql}: {value} of rounded cells {expected}");
            let error = |answer: &Value, column: usize| {
                answer["columns"][column]["std_error"].as_str().expect("an error").parse::<f64>().expect("a number")
            };
            let ratio = error(&answer, 0) / error(&fine, 2);
            assert!((ratio / (summed as f64).sqrt() - 1.0).abs() < 1e-6, "{sql}: {ratio}");
        }
        let coarse = lab.sql("SELECT diagnosis, COUNT(*) AS n FROM visits GROUP BY diagnosis", "0.2").await.json();
        assert_eq!(
            (coarse["rows"].as_array().map(Vec::len), &coarse["derived_from"]),
            (Some(4), &json!([fine["release"]]))
        );
        assert_eq!(spent(&lab, AccountKind::Dataset, "visits"), drawn);
        assert_eq!(spent(&lab, AccountKind::Researcher, "ada"), drawn);
        assert!(lab.head().0 > entries, "derived answers are stored under ids of their own");
        let same = lab.sql("SELECT COUNT(*) AS n FROM visits", "0.2").await.json();
        assert_eq!((&same["replayed"], lab.head().0), (&json!(true), entries + 12), "and asked again they are those");
    });
}

/// What follows from a colleague's answer costs whoever asks what they ask for, and the dataset nothing.
#[test]
fn what_follows_from_a_colleague_s_answer_costs_the_dataset_nothing() {
    let (lab, bob) = two(GAUSSIAN, "4");
    block_on(async {
        let fine =
            lab.sql("SELECT region, diagnosis, COUNT(*) AS n FROM visits GROUP BY region, diagnosis", "1").await.json();
        let drawn = spent(&lab, AccountKind::Dataset, "visits");
        let same = lab.sql("SELECT COUNT(*) AS n FROM visits", "0.2").await.json();
        // Bob has not paid for the cells. He pays for the total that he asks for, which is made from them and is less exact than they are.
        let theirs =
            post(&lab, "/v1/queries", &bob, &json!({"sql": "SELECT COUNT(*) AS n FROM visits", "epsilon": "0.2"}))
                .await
                .json();
        assert_eq!(theirs["legs"]["dataset"].as_str(), Some("0"));
        assert_eq!(theirs["derived_from"], json!([fine["release"]]));
        assert_ne!(theirs["rows"], same["rows"]);
        assert_eq!(spent(&lab, AccountKind::Researcher, "bob"), worth("0.2"));
        // The stored answer is not precise enough: the difference is drawn, and the rest comes from what is stored.
        let exact = lab.sql("SELECT COUNT(*) AS n FROM visits", "1").await.json();
        assert_eq!((&exact["replayed"], &exact["derived_from"]), (&json!(false), &json!([theirs["release"]])));
        let paid = spent(&lab, AccountKind::Dataset, "visits") - drawn;
        assert_eq!(paid, worth("1") - worth("1") / 16, "a sixteenth of it was there");
        let ada = spent(&lab, AccountKind::Researcher, "ada");
        assert_eq!(ada, drawn + paid, "and ada had paid for that sixteenth with the cells");
    });
}

/// What does not follow from a stored answer is drawn: units that may be in several cells, other rows, a filter that the keys do not
/// determine.
#[test]
fn what_does_not_follow_is_drawn() {
    let (lab, _) = two(GAUSSIAN, "4");
    block_on(async {
        for sql in [
            "SELECT diagnosis, COUNT(DISTINCT patient_id) AS n FROM visits GROUP BY diagnosis",
            "SELECT region, COUNT(DISTINCT patient_id) AS n FROM visits GROUP BY region",
            "SELECT region, COUNT(*) AS n FROM visits WHERE age >= 30 GROUP BY region",
            "SELECT region, COUNT(*) AS n FROM visits WHERE region IN ('north', 'east') GROUP BY region",
        ] {
            assert_eq!(lab.sql(sql, "1").await.status, StatusCode::OK, "{sql}");
        }
        for (sql, follows) in [
            ("SELECT COUNT(DISTINCT patient_id) AS n FROM visits WHERE diagnosis IN ('asthma', 'flu')", false),
            ("SELECT COUNT(DISTINCT patient_id) AS n FROM visits WHERE diagnosis = 'flu'", true),
            ("SELECT COUNT(DISTINCT patient_id) AS n FROM visits WHERE region <> 'west'", true),
            ("SELECT COUNT(*) AS n FROM visits", false),
            ("SELECT COUNT(*) AS n FROM visits WHERE age >= 31", false),
            ("SELECT COUNT(*) AS n FROM visits WHERE age >= 30", true),
            ("SELECT COUNT(*) AS n FROM visits WHERE age >= 30 AND region = 'south'", true),
            ("SELECT COUNT(*) AS n FROM visits WHERE region = 'east'", true),
            ("SELECT COUNT(*) AS n FROM visits WHERE region = 'south'", false),
        ] {
            let quote = post(&lab, "/v1/quotes", &lab.researcher, &json!({"sql": sql, "epsilon": "0.05"})).await.json();
            assert_eq!(quote["replay"], follows, "{sql}");
        }
        let other_rows =
            json!({"sql": "SELECT COUNT(*) AS n FROM visits WHERE age >= 30", "epsilon": "0.05", "rows_per_unit": 1});
        assert_eq!(post(&lab, "/v1/quotes", &lab.researcher, &other_rows).await.json()["replay"], false);
    });
}

/// A dataset with the `pure` accountant serves what is stored, and adds nothing up.
#[test]
fn a_pure_dataset_replays_and_does_not_top_up() {
    let (lab, bob) = two(PURE, "50");
    block_on(async {
        let first = lab.sql(REGIONS, "1").await.json();
        let more = lab.sql(REGIONS, "3").await.json();
        assert_eq!((&more["replayed"], more.get("derived_from")), (&json!(false), None));
        assert_eq!(spent(&lab, AccountKind::Dataset, "visits"), 4_000_000_000, "the whole price, not the difference");
        let theirs = post(&lab, "/v1/queries", &bob, &json!({"sql": REGIONS, "epsilon": "1"})).await.json();
        assert_eq!((&theirs["rows"], &theirs["legs"]["dataset"]), (&first["rows"], &json!("0")));
        let one = lab.sql("SELECT COUNT(*) AS n FROM visits WHERE region = 'north'", "1").await.json();
        assert_eq!((&one["replayed"], &one["rows"][0]["n"]), (&json!(true), &more["rows"][0]["visits"]).clone());
        let total = lab.sql("SELECT COUNT(*) AS n FROM visits", "1").await.json();
        assert_eq!(total["replayed"], false);
    });
}

/// Equal queries have one view, however they are written.
#[test]
fn equal_questions_are_one_question() {
    let (lab, _) = two(GAUSSIAN, "4");
    block_on(async {
        for group in [
            [
                "SELECT COUNT(*) FROM visits WHERE age BETWEEN 30 AND 40 AND region IN ('north', 'south')",
                "SELECT COUNT(*) AS x FROM visits WHERE ((region IN ('south', 'north'))) AND (age <= 40 AND age >= 30)",
                "SELECT COUNT(*) FROM visits WHERE NOT NOT (age >= 30.0) AND region IN ('north', 'south', 'north') AND age <= 40",
            ],
            [
                "SELECT COUNT(*) FROM visits WHERE diagnosis IN ('asthma', 'flu') OR age IN (3, 4)",
                "SELECT COUNT(*) FROM visits WHERE age = 4 OR diagnosis = 'flu' OR age = 3 OR diagnosis = 'asthma'",
                "SELECT COUNT(*) FROM visits WHERE diagnosis <> 'copd' OR NOT (age NOT IN (3, 4))",
            ],
            [
                "SELECT COUNT(*) FROM visits WHERE NOT (age < 30) AND region <> 'north' AND NOT smoker",
                "SELECT COUNT(*) FROM visits WHERE age >= 30 AND region IN ('south', 'east', 'west') AND smoker = FALSE",
                "SELECT COUNT(*) FROM visits WHERE NOT (age <= 29) AND region NOT IN ('north') AND smoker IN (FALSE)",
            ],
            [
                "SELECT COUNT(*) FROM visits WHERE region <> 'north' AND region <> 'south' AND age <> 3 AND age <> 4",
                "SELECT COUNT(*) FROM visits WHERE region NOT IN ('south', 'north') AND age NOT IN (4, 3)",
                "SELECT COUNT(*) FROM visits WHERE region IN ('east', 'west', 'south') AND NOT (region = 'south' OR age = 3 OR age = 4)",
            ],
            [
                "SELECT region, diagnosis, SUM(cost) FROM visits GROUP BY region, diagnosis",
                "SELECT SUM(cost) AS total, diagnosis, region FROM visits GROUP BY diagnosis, region ORDER BY total LIMIT 3",
                "select region as r, diagnosis as d, sum(cost) from visits group by 2, 1",
            ],
        ] {
            let entries = lab.head().0;
            for (number, sql) in group.into_iter().enumerate() {
                let answer = lab.sql(sql, "0.1").await.json();
                assert_eq!(answer["replayed"], number > 0, "{sql}: {answer}");
            }
            assert_eq!(lab.head().0, entries + 2, "one charge and one release");
        }
    });
}

/// The refusal of a query that does not fit says what would; nothing is charged, and smaller queries still work.
#[test]
fn an_oversized_request_leaves_the_ledger_as_it_was() {
    let (lab, bob) = two(GAUSSIAN, "1");
    block_on(async {
        let first = lab.sql(REGIONS, "0.5").await.json();
        let head = lab.head();
        let ask = json!({"sql": REGIONS, "epsilon": "1.5"});
        let refused = lab.ask(&ask).await;
        assert_eq!(
            (refused.status, refused.code().as_str(), lab.head()),
            (StatusCode::FORBIDDEN, "budget-exhausted", head)
        );
        let quote = post(&lab, "/v1/quotes", &lab.researcher, &ask).await.json();
        assert_eq!(quote["answerable"], false);
        // What was already paid for counts: the whole allocation may be one answer to this very query.
        assert_eq!(quote["largest_epsilon"], "1", "{quote}");
        let margin: f64 = quote["margin"].as_str().expect("a margin").parse().expect("a number");
        let other = json!({"sql": "SELECT COUNT(*) FROM visits WHERE age > 50", "epsilon": "0.95"});
        let other = post(&lab, "/v1/quotes", &lab.researcher, &other).await.json();
        let largest: f64 = other["largest_epsilon"].as_str().expect("an epsilon").parse().expect("a number");
        assert!((0.8..0.9).contains(&largest), "{other}");
        let all = lab.sql(REGIONS, "1").await;
        let error: f64 = all.json()["columns"][1]["std_error"].as_str().expect("an error").parse().expect("a number");
        assert!((margin / 1.959_964 / error - 1.0).abs() < 1e-6, "the error is the one that was quoted");
        // Prices are a billionth below caps, so that what is granted fits; that billionth is left.
        let left: f64 =
            all.json()["account"]["epsilon_remaining"].as_str().expect("an epsilon").parse().expect("a number");
        assert!(left < 1e-4, "{left}");
        assert_eq!(lab.sql("SELECT COUNT(*) FROM visits WHERE age > 50", "0.01").await.code(), "budget-exhausted");
        let small = post(
            &lab,
            "/v1/queries",
            &bob,
            &json!({"sql": "SELECT COUNT(*) FROM visits WHERE age > 50", "epsilon": "0.01"}),
        )
        .await;
        assert_eq!(small.status, StatusCode::OK);
        let accounts = lab.get("/v1/accounts", &bob).await.json();
        assert!(accounts[0]["answers_left"].as_u64().is_some_and(|left| left > 1_000), "{accounts}");
        assert_ne!(first["rows"], all.json()["rows"]);
    });
}

/// Stored vectors are used for each measurement separately, including a colleague's, and including ones that are more precise than needed:
/// those get noise until they are as exact as what was asked for.
#[test]
fn a_question_that_is_stored_in_part_draws_the_rest_alone() {
    let (lab, bob) = two(GAUSSIAN, "4");
    block_on(async {
        let count = lab.sql("SELECT region, COUNT(*) AS n FROM visits GROUP BY region", "0.5").await.json();
        let drawn = spent(&lab, AccountKind::Dataset, "visits");
        let body = json!({"sql": "SELECT region, COUNT(*) AS n, SUM(cost) AS s FROM visits GROUP BY region", "epsilon": "0.3"});
        let both = post(&lab, "/v1/queries", &bob, &body).await.json();
        assert_eq!((&both["replayed"], &both["derived_from"]), (&json!(false), &json!([count["release"]])));
        assert!(spent(&lab, AccountKind::Dataset, "visits") - drawn <= worth("0.3") / 2 + 1, "the sum alone was drawn");
        assert_ne!(both["rows"], count["rows"]);
        assert_eq!(spent(&lab, AccountKind::Researcher, "bob"), worth("0.3"), "bob pays for what he asked for");
    });
}

/// A query whose canonical SQL could not be parsed again is refused, and nothing is charged.
#[test]
fn what_is_too_long_when_written_out_is_refused() {
    let (lab, _) = two(GAUSSIAN, "4");
    block_on(async {
        let head = lab.head();
        let days = (0..900).map(|day| format!("'{}-{:02}-{:02}'", 2020 + day / 300, 1 + (day / 28) % 10, 1 + day % 28));
        let long = format!("SELECT COUNT(*) FROM visits WHERE visited IN ({})", days.collect::<Vec<_>>().join(", "));
        let list = |from: usize| (from..from + 800).map(|n| format!("{n}.01")).collect::<Vec<_>>().join(", ");
        let united = format!("SELECT COUNT(*) FROM visits WHERE cost IN ({}) OR cost IN ({})", list(0), list(100));
        for sql in [long, united] {
            let reply = lab.sql(&sql, "0.1").await;
            assert!(reply.status == StatusCode::OK || reply.code() == "unsupported-sql", "{}", reply.code());
        }
        let entries = lab.head().0 - head.0;
        let state = lab.dir.path().join("state");
        let Lab { dir, service, router, .. } = lab;
        drop((service, router));
        let verified = tacit::ledger::verify(&state, None, &mut tacit::ledger::replan::Replanner::default());
        verified.expect("looked at").unwrap_or_else(|finding| panic!("{finding} after {entries} entries"));
        drop(dir);
    });
}

/// A colleague who pays for an answer can fetch all of it, even if the first researcher wanted one row; the purpose stays with the first.
#[test]
fn a_colleague_fetches_every_row_and_nobody_s_purpose() {
    let (lab, bob) = two(GAUSSIAN, "4");
    block_on(async {
        let ask = json!({"sql": format!("{REGIONS} LIMIT 1"), "epsilon": "0.2", "purpose": "for ada alone"});
        let first = lab.ask(&ask).await.json();
        let served = post(&lab, "/v1/queries", &bob, &json!({"sql": REGIONS, "epsilon": "0.2"})).await.json();
        assert_eq!((&served["release"], served["rows"].as_array().map(Vec::len)), (&first["release"], Some(4)));
        let path = format!("/v1/releases/{}", first["release"].as_str().expect("an id"));
        let rows = async |token: &str| lab.get(&path, token).await.rows().len();
        assert_eq!((rows(&bob).await, rows(&lab.researcher).await, rows(&lab.steward).await), (4, 1, 1));
        for path in [path.as_str(), "/v1/releases"] {
            let theirs = String::from_utf8(lab.get(path, &bob).await.bytes).expect("UTF-8");
            assert!(!theirs.contains("for ada alone") && !theirs.contains("\"ada\""), "{theirs}");
        }
    });
}

/// A stored answer that costs more than what was asked for, or than what is left of an account, is served less exactly, for less.
#[test]
fn what_a_colleague_asked_too_exactly_is_served_less_exactly_for_less() {
    let (lab, bob) = two(GAUSSIAN, "4");
    block_on(async {
        assert_eq!(lab.sql(REGIONS, "2").await.status, StatusCode::OK);
        assert_eq!(lab.grant("bob", "visits", "0.5").await.status, StatusCode::OK);
        let drawn = spent(&lab, AccountKind::Dataset, "visits");
        let reply = post(&lab, "/v1/queries", &bob, &json!({"sql": REGIONS, "epsilon": "0.2"})).await;
        assert_eq!((reply.status, &reply.json()["replayed"]), (StatusCode::OK, &json!(true)));
        assert_eq!(spent(&lab, AccountKind::Researcher, "bob"), worth("0.2"));
        assert_eq!(spent(&lab, AccountKind::Dataset, "visits"), drawn, "the dataset pays nothing");
    });
}

/// A total was once derived from groups without the group of missing values, so rows in none of the groups were not counted.
#[test]
fn nothing_is_derived_from_groups_that_do_not_hold_all_rows() {
    let count = |lab: &Lab, condition: &str, groups: &str, epsilon: &str| {
        let sql = format!("SELECT COUNT(*) AS n FROM visits WHERE {condition} {groups}");
        let rows = block_on(lab.sql(&sql, epsilon)).rows();
        rows.iter().map(|row| row["n"].as_i64().expect("a count")).sum::<i64>()
    };
    // Gaussian noise of several cells adds up, so sums of what is stored are precise enough to be used.
    let lab = || Lab::new(&policy(GAUSSIAN), &visits(200), Arc::new(NoNoise), "4");
    let whole = "smoker OR smoker IS NULL OR NOT smoker";
    let all = count(&lab(), whole, "", "0.01");
    let lab = lab();
    let known = count(&lab, "smoker IS NOT NULL", "GROUP BY smoker", "0.5");
    assert!(all > known, "{all} rows, of which {known} say so");
    assert_eq!(count(&lab, whole, "", "0.01"), all, "the missing ones, too");
}
