//! Answers: values, columns, replays, quotes, formats, and the order of checks.

use std::io::Cursor;

use axum::http::{Method, StatusCode};
use polars::prelude::{IpcStreamReader, ParquetReader, SerReader};
use serde_json::{Value, json};
use tacit::query::{canonical, parse::parse, plan::plan};
use tacit::render::text;
use tacit::service::asking::body::{AnswerBody, QuoteBody};
use tacit::terminal::Screen;

use crate::support::{GAUSSIAN, Lab, NoNoise, PURE, block_on, call, policy, visits};

/// An answer without noise agrees with plain counting.
#[test]
fn exact_values_come_through_every_step() {
    let csv = "patient_id,region,diagnosis,smoker,age,cost,visited\n\
               a,north,asthma,true,30,10.25,2023-01-01\n\
               a,north,flu,true,31,20.50,2023-02-01\n\
               b,south,flu,,70,5.00,2024-01-01\n\
               c,south,,false,40,600,2024-06-01\n";
    let lab = Lab::new(&policy(PURE), csv, std::sync::Arc::new(NoNoise), "100");
    for (sql, expected) in [
        ("SELECT COUNT(*) FROM visits; -- all of them", json!([{"count": 4}])),
        (
            "SELECT region, COUNT(*) AS n FROM visits GROUP BY region",
            json!([{"region": "north", "n": 2}, {"region": "east", "n": 0}, {"region": "south", "n": 2}, {"region": "west", "n": 0}]),
        ),
        (
            "SELECT COUNT(DISTINCT patient_id) AS p, COUNT(diagnosis) AS d, SUM(cost) AS s FROM visits",
            json!([{"p": 3, "d": 3, "s": 535.75}]),
        ),
        ("SELECT AVG(age) AS a FROM visits WHERE region = 'north' AND cost > 1", json!([{"a": 30.5}])),
        ("SELECT COUNT(*) AS n FROM visits WHERE cost < 1e801 AND cost > -1.5e-9223372036854775808", json!([{"n": 4}])),
        (
            "SELECT COUNT(*) AS n FROM visits WHERE visited IN ('2023-01-01', DATE '2024-01-01') AND cost NOT IN (5, 7.001)",
            json!([{"n": 1}]),
        ),
        ("SELECT SUM(age) AS s FROM visits WHERE NOT (diagnosis = 'flu')", json!([{"s": 30}])),
        ("SELECT COUNT(*) AS n FROM visits WHERE diagnosis IS NULL OR smoker", json!([{"n": 3}])),
        ("SELECT COUNT(*) AS n FROM visits WHERE smoker <> TRUE", json!([{"n": 1}])),
        ("SELECT COUNT(*) AS n FROM visits WHERE cost > 10.249999 AND cost < 10.250001", json!([{"n": 1}])),
        ("SELECT COUNT(*) AS n FROM visits WHERE cost = 10.2500001", json!([{"n": 0}])),
        ("SELECT COUNT(*) AS n FROM visits WHERE cost <= 1e300 AND -1e300 < cost", json!([{"n": 4}])),
        (
            "SELECT COUNT(*) AS n FROM visits WHERE visited BETWEEN '2023-02-01' AND DATE '2024-01-01'",
            json!([{"n": 2}]),
        ),
        ("SELECT COUNT(*) AS n FROM visits WHERE age IN (30, 70, 71.5) AND 30 <= age", json!([{"n": 2}])),
        (
            "SELECT diagnosis AS d, COUNT(*) FROM visits GROUP BY 1 ORDER BY count DESC, d LIMIT 2",
            json!([{"d": "flu", "count": 2}, {"d": "asthma", "count": 1}]),
        ),
        (
            "SELECT smoker, COUNT(*) AS n FROM visits GROUP BY smoker ORDER BY smoker DESC",
            json!([{"smoker": null, "n": 1}, {"smoker": true, "n": 2}, {"smoker": false, "n": 1}]),
        ),
        (
            "SELECT smoker, region, COUNT(*) AS n FROM visits GROUP BY smoker, region ORDER BY 3 DESC, 2, 1 LIMIT 1",
            json!([{"smoker": true, "region": "north", "n": 2}]),
        ),
    ] {
        let epsilon = if sql.contains("AVG") { "50" } else { "0.5" };
        let rows = block_on(lab.sql(sql, epsilon)).rows();
        let expected = expected.as_array().expect("rows");
        assert_eq!(rows.len(), expected.len(), "{sql}");
        for (row, expected) in rows.iter().zip(expected) {
            for (name, value) in expected.as_object().expect("a row") {
                let same = match (value.as_f64(), row[name].as_f64()) {
                    (Some(value), Some(found)) => (value - found).abs() < 1e-9,
                    _ => row[name] == *value,
                };
                assert!(same, "{sql}: {name} is {} and not {value}", row[name]);
            }
        }
    }
}

#[test]
fn an_answer_has_the_fields_of_the_contract() {
    let lab = Lab::gaussian();
    let sql = "select region, count(*) as visits, avg(cost) as mean_cost from visits group by region";
    let answer = block_on(lab.sql(sql, "0.5")).json();
    assert_eq!(answer["sql"], "SELECT region, COUNT(*) AS visits, AVG(cost) AS mean_cost FROM visits GROUP BY region");
    assert_eq!(
        (&answer["replayed"], &answer["mechanism"], &answer["confidence"]),
        (&json!(false), &json!("discrete gaussian"), &json!("0.95"))
    );
    assert_eq!((&answer["price"]["epsilon"], &answer["price"]["delta"]), (&json!("0.5"), &json!("1e-9")));
    let fraction = answer["price"]["fraction"].as_str().expect("a share");
    assert!(fraction.starts_with(&answer["account"]["fraction_spent"].as_str().expect("a share")[..10]), "{answer}");
    assert_eq!((&answer["account"]["epsilon_cap"], &answer["account"]["epsilon_spent"]), (&json!("4"), &json!("0.5")));
    assert!(answer["release"].as_str().is_some_and(|id| id.starts_with("rel_")));
    let row = answer["rows"][0].as_object().expect("a row");
    let is_plain = |name: &&str| !name.ends_with("_null") && !name.ends_with("_note");
    let names: Vec<_> = row.keys().map(String::as_str).filter(is_plain).collect();
    assert_eq!(
        names,
        [
            "region",
            "visits",
            "visits_low",
            "visits_high",
            "mean_cost",
            "mean_cost_low",
            "mean_cost_high",
            "mean_cost_std_error"
        ]
    );
    let error: f64 = answer["columns"][1]["std_error"].as_str().expect("an error").parse().expect("a number");
    let half = (row["visits_high"].as_f64().expect("high") - row["visits_low"].as_f64().expect("low")) / 2.0;
    assert_eq!(half, (1.959_964 * error + 0.5).floor());
    assert_eq!(answer["columns"][0]["kind"], "key");
    assert!(answer["columns"][2].get("std_error").is_none());
}

#[test]
fn asking_again_is_free_and_the_same() {
    let lab = Lab::gaussian();
    let first =
        block_on(lab.sql("SELECT COUNT(*) AS n FROM visits WHERE age BETWEEN 20 AND 40 AND smoker", "0.3")).json();
    for sql in [
        "SELECT COUNT(*) AS n FROM visits WHERE age BETWEEN 20 AND 40 AND smoker",
        "SELECT COUNT(*) AS other FROM visits WHERE ((smoker = TRUE)) AND (age >= 20) AND age <= 40.7",
        "SELECT COUNT(*) FROM visits WHERE 40 >= age AND NOT (NOT smoker) AND age > 19.5",
    ] {
        let again = block_on(lab.sql(sql, "0.3")).json();
        assert_eq!((&again["replayed"], &again["release"]), (&json!(true), &first["release"]), "{sql}");
        // What cost nothing has no others like it that would fit.
        let mut account = first["account"].clone();
        account.as_object_mut().expect("an account").remove("like_this_remaining").expect("a number");
        assert_eq!(again["account"], account, "{sql}");
        assert_eq!(again["price"]["epsilon"], "0");
        let value = |row: &Value| row.as_object().expect("a row").values().next().expect("a value").clone();
        assert_eq!(value(&again["rows"][0]), value(&first["rows"][0]), "{sql}");
    }
    let other =
        block_on(lab.sql("SELECT COUNT(*) AS n FROM visits WHERE age BETWEEN 20 AND 41 AND smoker", "0.3")).json();
    assert_eq!(other["replayed"], false);
}

#[test]
fn one_key_is_one_body_and_another_body_conflicts() {
    block_on(async {
        let lab = Lab::gaussian();
        let send = async |key: &str, body: &Value| {
            call(
                &lab.router,
                Method::POST,
                "/v1/queries",
                Some(&lab.researcher),
                &[("idempotency-key", key)],
                body.to_string(),
            )
            .await
        };
        let body = json!({"sql": "SELECT COUNT(*) FROM visits", "epsilon": "0.3"});
        let first = send("k", &body).await;
        lab.sql("SELECT COUNT(*) FROM visits WHERE age > 3", "0.2").await;
        let again = send("k", &body).await;
        assert_eq!(
            (first.status, &first.bytes),
            (again.status, &again.bytes),
            "same key, same bytes, whatever else was spent"
        );
        let other = send("k", &json!({"sql": "SELECT COUNT(*) FROM visits", "epsilon": "0.4"})).await;
        assert_eq!((other.status, other.code().as_str()), (StatusCode::CONFLICT, "idempotency-conflict"));
        let replay = send("k2", &body).await;
        assert_eq!(replay.json()["replayed"], true);
        let other_names = json!({"sql": "SELECT COUNT(*) AS b FROM visits LIMIT 1", "epsilon": "0.3"});
        let named = send("k3", &other_names).await;
        assert!(named.json()["replayed"] == true && named.json()["rows"][0].get("b").is_some());
        lab.sql("SELECT COUNT(*) FROM visits WHERE age > 4", "0.2").await;
        assert_eq!(send("k2", &body).await.bytes, replay.bytes, "a replay under a key is the same later, too");
        assert_eq!(send("k3", &other_names).await.bytes, named.bytes, "with its own names");
        assert_eq!(send("", &body).await.code(), "invalid-request");
        assert_eq!(send("two words", &body).await.code(), "invalid-request");
    });
}

#[test]
fn a_quote_is_what_is_charged() {
    block_on(async {
        let lab = Lab::gaussian();
        let token = Some(lab.researcher.as_str());
        let body = json!({"sql": "SELECT region, COUNT(*) AS n, SUM(cost) AS s FROM visits GROUP BY region", "margin": "40000", "rows_per_unit": 2});
        let before = lab.head();
        let quote = call(&lab.router, Method::POST, "/v1/quotes", token, &[], body.to_string()).await.json();
        assert_eq!(lab.head(), before, "a quote changes nothing");
        assert_eq!(
            (&quote["answerable"], &quote["replay"], &quote["rows_per_unit"]),
            (&json!(true), &json!(false), &json!(2))
        );
        let margin = |index: usize| {
            quote["columns"][index]["margin"].as_str().map(|text| text.parse::<f64>().expect("a number"))
        };
        assert_eq!(margin(0), None);
        assert!(
            margin(1).is_some_and(|n| n <= 40_000.0) && margin(2).is_some_and(|s| (39_900.0..=40_000.0).contains(&s)),
            "{quote}"
        );
        let answer = lab.ask(&body).await.json();
        assert_eq!(answer["price"], quote["price"]);
        assert_eq!(answer["account"], quote["account"]["after"]);
        assert_eq!(answer["columns"][2]["std_error"], quote["columns"][2]["std_error"]);
        let exactly = json!({"sql": "SELECT COUNT(*) FROM visits WHERE age > 9", "epsilon": "0.012345678"});
        let quote = call(&lab.router, Method::POST, "/v1/quotes", token, &[], exactly.to_string()).await.json();
        assert_eq!(
            (&quote["price"]["epsilon"], &lab.ask(&exactly).await.json()["price"]),
            (&json!("0.012345678"), &quote["price"])
        );
        let again = call(&lab.router, Method::POST, "/v1/quotes", token, &[], body.to_string()).await.json();
        assert_eq!((&again["replay"], &again["price"]["epsilon"]), (&json!(true), &json!("0")));
    });
}

#[test]
fn a_quote_that_does_not_fit_says_what_would() {
    block_on(async {
        let lab = Lab::new(&policy(GAUSSIAN), &visits(50), std::sync::Arc::new(NoNoise), "0.5");
        let ask = |epsilon: &str| json!({"sql": "SELECT COUNT(*) AS n FROM visits", "epsilon": epsilon}).to_string();
        let token = Some(lab.researcher.as_str());
        let quote = call(&lab.router, Method::POST, "/v1/quotes", token, &[], ask("1")).await.json();
        assert_eq!((&quote["answerable"], &quote["largest_epsilon"]), (&json!(false), &json!("0.5")));
        assert!(quote["margin"].as_str().expect("a margin").parse::<f64>().expect("a number") > 1.0);
        let refused = lab.sql("SELECT COUNT(*) AS n FROM visits", "1").await;
        assert_eq!(
            (refused.code().as_str(), &refused.json()["epsilon_remaining"]),
            ("budget-exhausted", &json!("0.5"))
        );
        assert_eq!(lab.sql("SELECT COUNT(*) AS n FROM visits", "0.5").await.status, StatusCode::OK, "the largest fits");
        let quote = call(&lab.router, Method::POST, "/v1/quotes", token, &[], ask("0.6")).await.json();
        assert_eq!((&quote["answerable"], &quote["largest_epsilon"]), (&json!(false), &json!("0.5")), "it is stored");
        let other = ask("0.6").replace("FROM visits", "FROM visits WHERE age > 40");
        let quote = call(&lab.router, Method::POST, "/v1/quotes", token, &[], other).await.json();
        let left: f64 = quote["largest_epsilon"].as_str().expect("an epsilon").parse().expect("a number");
        assert!(quote["answerable"] == false && left < 1e-4, "{quote}");
        assert_eq!(lab.sql("SELECT COUNT(*) FROM visits", "3").await.code(), "over-query-limit");
    });
}

#[test]
fn formats_carry_the_same_numbers() {
    block_on(async {
        let lab = Lab::exact();
        let body = json!({"sql": "SELECT region, smoker, COUNT(*) AS n, AVG(cost) AS m FROM visits GROUP BY region, smoker", "epsilon": "1"}).to_string();
        let get = async |accept: &str| {
            call(&lab.router, Method::POST, "/v1/queries", Some(&lab.researcher), &[("accept", accept)], body.clone())
                .await
        };
        let rows = get("application/json").await.rows();
        let csv = get("text/csv;q=0.9, text/html").await;
        assert!(csv.headers.contains_key("tacit-release") && csv.headers.contains_key("tacit-epsilon-remaining"));
        let text = String::from_utf8(csv.bytes).expect("UTF-8");
        assert!(
            text.starts_with("region,smoker,n,n_low,n_high,n_std_error,m,m_low,m_high,m_std_error,m_null,m_note\n")
                && text.lines().count() == 13,
            "{text}"
        );
        let arrow = IpcStreamReader::new(Cursor::new(get("application/vnd.apache.arrow.stream").await.bytes))
            .finish()
            .expect("Arrow");
        let parquet = ParquetReader::new(Cursor::new(get("application/vnd.apache.parquet").await.bytes))
            .finish()
            .expect("Parquet");
        assert!(arrow.equals_missing(&parquet));
        let counts = arrow.column("n").expect("n").i64().expect("integers").iter().collect::<Vec<_>>();
        assert_eq!(counts, rows.iter().map(|row| row["n"].as_i64()).collect::<Vec<_>>());
        assert_eq!(get("image/png").await.code(), "not-acceptable");
        assert_eq!(get("*/*").await.headers["content-type"], "application/json");
    });
}

/// The checks run in the order of the contract: each request has two faults, and the earlier one is reported.
#[test]
fn checks_run_in_the_order_of_the_contract() {
    let lab = Lab::gaussian();
    for (body, code) in [
        (r#"{"sql": "SELEC", "epsilon": 0.1}"#, "invalid-request"),
        (r#"{"sql": "SELEC", "epsilon": "0.1", "sql": "x"}"#, "invalid-request"),
        (r#"{"sql": "SELEC", "epsilon": "x", "colour": 1}"#, "invalid-request"),
        (r#"{"sql": "SELEC", "epsilon": "-1"}"#, "invalid-epsilon"),
        (r#"{"sql": "SELEC", "margin": "0"}"#, "invalid-epsilon"),
        (r#"{"sql": "SELEC * FROM nowhere", "epsilon": "1"}"#, "unsupported-sql"),
        (r#"{"sql": "SELECT * FROM nowhere; SELECT 1", "epsilon": "1"}"#, "unsupported-sql"),
        (r#"{"sql": "SELECT * FROM nowhere", "epsilon": "1"}"#, "unknown-dataset"),
        (r#"{"sql": "SELECT * FROM visits WHERE colour = 1", "epsilon": "1"}"#, "not-an-aggregate"),
        (
            r#"{"sql": "SELECT COUNT(*) FROM visits WHERE region = 'up' AND colour = 1", "epsilon": "1"}"#,
            "unknown-column",
        ),
        (r#"{"sql": "SELECT COUNT(*) FROM visits WHERE region = 'up'", "epsilon": "3"}"#, "out-of-domain"),
        (r#"{"sql": "SELECT COUNT(*) FROM visits", "epsilon": "3"}"#, "over-query-limit"),
        (r#"{"sql": "SELECT COUNT(*) FROM visits"}"#, "invalid-request"),
        (r#"{"sql": "SELECT COUNT(*) FROM visits", "epsilon": "1", "margin": "3"}"#, "invalid-request"),
        (r#"{"sql": "SELECT AVG(age) FROM visits", "margin": "3"}"#, "invalid-request"),
        (r#"{"sql": "SELECT COUNT(*) FROM visits", "epsilon": "1", "rows_per_unit": 5}"#, "invalid-request"),
        (r#"{"sql": "SELECT COUNT(*) FROM visits", "epsilon": "1", "rows_per_unit": 1.5}"#, "invalid-request"),
        (r#"{"sql": "SELECT COUNT(*) FROM visits", "margin": {"n": "3"}}"#, "invalid-request"),
        (r#"["sql"]"#, "invalid-request"),
        ("", "invalid-request"),
    ] {
        let reply =
            block_on(call(&lab.router, Method::POST, "/v1/queries", Some(&lab.researcher), &[], body.to_owned()));
        assert_eq!(reply.code(), code, "{body}: {}", reply.json());
        assert_eq!(reply.headers["content-type"], "application/problem+json");
    }
}

#[test]
fn canonical_sql_reads_back_to_the_same_plan() {
    let lab = Lab::exact();
    let terms = lab.service.dataset("visits").expect("a dataset").terms.clone();
    for sql in [
        "SELECT COUNT(*) FROM visits",
        "SELECT region AS \"Order\", AVG(cost) AS \"a\"\"b\", SUM(age) FROM visits GROUP BY region ORDER BY 2 DESC NULLS LAST, sum LIMIT 3",
        "SELECT COUNT(diagnosis), COUNT(DISTINCT patient_id) AS p FROM visits WHERE NOT (age > 5 OR diagnosis IN ('flu', 'copd') AND smoker IS NOT NULL)",
        "SELECT COUNT(*) FROM visits WHERE cost < -3 OR cost > 1e9 OR visited >= DATE '2023-05-05' AND smoker = FALSE",
        "SELECT COUNT(*) FROM visits WHERE (age BETWEEN 3 AND 9 OR age IN (50, 60)) AND cost <> 3.25",
    ] {
        let first = plan(&parse(sql).expect(sql), &terms, None).expect(sql);
        let text = canonical::sql(&first, &terms);
        let second = plan(&parse(&text).unwrap_or_else(|error| panic!("{text}: {error}")), &terms, None).expect(&text);
        assert_eq!(first, second, "{text}");
        assert_eq!(canonical::sql(&second, &terms), text);
    }
}

/// A margin that no budget can pay for is priced, quoted and refused like any other.
#[test]
fn a_margin_next_to_nothing_is_refused_at_once() {
    block_on(async {
        for cap in [GAUSSIAN, PURE] {
            let lab = Lab::new(&policy(cap), &visits(20), std::sync::Arc::new(NoNoise), "3");
            for margin in ["0.4", "0.1", "0.001", "0.000000001"] {
                let body = json!({"sql": "SELECT COUNT(*) AS n, SUM(cost) AS s FROM visits", "margin": {"n": margin, "s": margin}});
                let quote =
                    call(&lab.router, Method::POST, "/v1/quotes", Some(&lab.researcher), &[], body.to_string()).await;
                assert_eq!((quote.status, &quote.json()["answerable"]), (StatusCode::OK, &json!(false)), "{margin}");
                assert_eq!(lab.ask(&body).await.code(), "over-query-limit", "{margin}");
            }
        }
    });
}

/// 400 × 300 groups have more cells than one answer holds; 300 × 300 with one measurement do not.
#[test]
fn too_many_groups_are_refused() {
    let list = |count: usize| (0..count).map(|value| format!("\"v{value}\"")).collect::<Vec<_>>().join(", ");
    let column =
        |name: &str, count| format!("[[column]]\nname = \"{name}\"\ntype = \"category\"\nvalues = [{}]\n", list(count));
    let columns = format!("{}{}{}", column("a", 400), column("b", 300), column("c", 300));
    let head = policy(GAUSSIAN);
    let text = format!("{}{columns}", &head[..head.find("[[column]]").expect("columns")]);
    let csv = "patient_id,a,b,c\n1,v0,v0,v0\n2,v399,v299,v299\n";
    let lab = Lab::new(&text, csv, std::sync::Arc::new(NoNoise), "4");
    let before = lab.head();
    let reply = block_on(lab.sql("SELECT a, b, COUNT(*) FROM visits GROUP BY a, b", "1"));
    assert_eq!((reply.code().as_str(), lab.head()), ("too-many-groups", before));
    assert!(
        reply.json()["detail"].as_str().is_some_and(|detail| detail.contains("120000") && detail.contains("100000"))
    );
    let rows = block_on(lab.sql("SELECT b, c, COUNT(*) AS n FROM visits GROUP BY b, c", "1")).rows();
    let found: Vec<_> =
        rows.iter().filter(|row| row["n"] == 1).map(|row| (row["b"].clone(), row["c"].clone())).collect();
    assert_eq!((rows.len(), found), (90_000, vec![(json!("v0"), json!("v0")), (json!("v299"), json!("v299"))]));
}

/// A count that is measured once serves `COUNT(*)`, the counts of columns without nulls, and their means.
#[test]
fn a_count_is_measured_once() {
    let lab = Lab::exact();
    let terms = &lab.service.dataset("visits").expect("a dataset").terms;
    for (sql, measures) in [
        ("SELECT COUNT(*), COUNT(age) AS a, COUNT(cost) AS c, AVG(cost) AS m, SUM(cost) AS s FROM visits", 2),
        ("SELECT AVG(cost) AS m, AVG(age) AS n, COUNT(*) FROM visits", 3),
        ("SELECT COUNT(diagnosis) AS d, COUNT(*), COUNT(smoker) AS s, COUNT(DISTINCT patient_id) AS p FROM visits", 4),
    ] {
        assert_eq!(
            plan(&parse(sql).expect(sql), terms, None).expect(sql).computation.measures.len(),
            measures,
            "{sql}"
        );
    }
}

/// An alias can be a grouping key if no column has its name, as in PostgreSQL, and a table's name may stand before a column.
#[test]
fn aliases_group_and_qualified_names_are_taken() {
    let lab = Lab::exact();
    let rows = block_on(lab.sql("SELECT region AS r, COUNT(*) AS n FROM visits GROUP BY r", "1")).rows();
    assert_eq!((rows.len(), &rows[0]["r"]), (4, &json!("north")));
    let qualified = block_on(lab.sql("SELECT COUNT(*) AS n FROM visits v WHERE v.age > 30", "1")).json();
    let plain = block_on(lab.sql("SELECT COUNT(*) AS n FROM visits WHERE age > 30", "1")).json();
    assert_eq!((&qualified["sql"], &qualified["rows"]), (&plain["sql"], &plain["rows"]));
    assert_eq!((&qualified["replayed"], &plain["replayed"]), (&json!(false), &json!(true)));
    let reply = block_on(lab.sql("SELECT COUNT(*) FROM visits v WHERE visits.age > 3", "1")).json();
    assert_eq!(reply["code"], "unknown-column", "{reply}");
}

/// A request whose idempotency key has the digest of a view does not wait for anything.
#[test]
fn a_key_that_looks_like_a_view_does_not_wait_for_itself() {
    let lab = Lab::gaussian();
    let sql = "SELECT COUNT(*) FROM visits";
    let dataset = lab.service.dataset("visits").expect("a dataset");
    let plan = plan(&parse(sql).expect("SQL"), &dataset.terms, None).expect("a plan");
    let computation = r#"{"rows_per_unit":4,"filter":null,"keys":[],"measures":["Rows"]}"#;
    let key = format!("[\"visits\",\"{}\",{computation}]", dataset.edition);
    assert_eq!(*blake3::hash(key.as_bytes()).as_bytes(), plan.view(&dataset.edition), "the key is what is digested");
    let body = json!({"sql": sql, "epsilon": "0.1"}).to_string();
    let headers = [("idempotency-key", key.as_str())];
    let reply = block_on(call(&lab.router, Method::POST, "/v1/queries", Some(&lab.researcher), &headers, body));
    assert_eq!(reply.status, StatusCode::OK);
}

/// Our client reads answers and quotes of every kind as the types that the door wrote, loses nothing of them, and shows them.
#[test]
fn a_client_reads_answers_and_quotes_whole() {
    let lab = Lab::new(&policy(GAUSSIAN), &visits(200), std::sync::Arc::new(NoNoise), "0.5");
    let groups = json!({"sql": "SELECT region, smoker, COUNT(*) AS n, AVG(age) AS a FROM visits GROUP BY region, smoker",
        "epsilon": "0.3", "purpose": "a study"});
    let mean = json!({"sql": "SELECT AVG(cost) AS a FROM visits", "epsilon": "0.01"});
    let large = json!({"sql": "SELECT COUNT(*) AS n FROM visits WHERE age > 9", "epsilon": "1"});
    let send = |path: &str, body: &Value| {
        block_on(call(&lab.router, Method::POST, path, Some(&lab.researcher), &[], body.to_string())).bytes
    };
    let quoted = |body: &Value, words: &str| {
        let sent = send("/v1/quotes", body);
        let quote: QuoteBody = serde_json::from_slice(&sent).unwrap_or_else(|error| panic!("{error}: {body}"));
        assert_eq!(serde_json::to_string(&quote).expect("JSON"), String::from_utf8_lossy(&sent));
        let shown = text::quote(&quote, &Screen::plain());
        assert!(shown.contains(words), "{words}: {shown}");
    };
    let answered = |body: &Value, words: &str| {
        let sent = send("/v1/queries", body);
        let answer: AnswerBody<Value> = serde_json::from_slice(&sent).unwrap_or_else(|error| panic!("{error}: {body}"));
        assert_eq!(serde_json::to_string(&answer).expect("JSON"), String::from_utf8_lossy(&sent));
        let shown = text::answer(&serde_json::from_slice(&sent).expect("an answer"), &Screen::plain());
        assert!(shown.contains(words), "{words}: {shown}");
    };
    quoted(&groups, "price: epsilon 0.3 at delta");
    answered(&groups, "ε 0.3");
    quoted(&groups, "nothing would be drawn");
    answered(&groups, "it was stored, so it costs nothing");
    quoted(&mean, "answers at this price would fit now");
    answered(&mean, "(discrete gaussian noise, release rel_");
    quoted(&large, "not answerable: the largest epsilon that fits is ");
    answered(&json!({"sql": "SELECT DISTINCT region FROM visits"}), "it is public, so it cost nothing");
    answered(&json!({"sql": "SELECT 1 AS one"}), "it is public, so it cost nothing");
}
