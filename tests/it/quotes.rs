//! Quotes: shares of an account that add up, how many more answers fit, what to do about a price that does not fit, and where the assumed
//! number of rows comes from. How near expected errors come to those that are shown is in `expected.rs`.

use axum::http::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use tacit::kernel::budget::people::Role;
use tacit::kernel::vault::noise::OpenDp;
use tacit::service::stewarding::people;

use crate::console::Browser;
use crate::support::{GAUSSIAN, Lab, PURE, block_on, call, grant, policy, visits};

/// Quotes a question as the holder of a token.
fn quoted(lab: &Lab, token: &str, body: &Value) -> Value {
    block_on(call(&lab.router, Method::POST, "/v1/quotes", Some(token), &[], body.to_string())).json()
}

fn quote(lab: &Lab, body: &Value) -> Value {
    quoted(lab, &lab.researcher, body)
}

/// A decimal of at most one and eighteen decimals as a whole number of 1e-18.
fn units(decimal: &Value) -> u128 {
    let text = decimal.as_str().unwrap_or_else(|| panic!("{decimal} is no text"));
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{part:0<18}").parse().unwrap_or_else(|_| panic!("{text} is no decimal"))
}

fn column<'a>(quote: &'a Value, name: &str) -> &'a Value {
    let columns = quote["columns"].as_array().unwrap_or_else(|| panic!("{quote}"));
    columns.iter().find(|column| column["name"] == name).unwrap_or_else(|| panic!("{name}: {quote}"))
}

fn decimal(value: &Value) -> f64 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{value} is no decimal"))
}

/// What is left before an answer is what it costs and what is left afterwards, in quotes and answers, for both accountants.
#[test]
fn shares_of_an_account_add_up() {
    for (budget, epsilons) in [(GAUSSIAN, ["0.1", "0.37", "0.002", "0.1"]), (PURE, ["0.5", "3", "0.01", "0.4"])] {
        let lab = Lab::new(&policy(budget), &visits(200), Arc::new(OpenDp), "4");
        let mut left = 10_u128.pow(18);
        for (place, epsilon) in epsilons.into_iter().enumerate() {
            let sql = format!("SELECT region, COUNT(*) AS n FROM visits WHERE age > {place} GROUP BY region");
            let body = json!({"sql": sql, "epsilon": epsilon});
            let quote = quote(&lab, &body);
            let answer = block_on(lab.ask(&body)).json();
            let (before, after) = (&quote["account"]["before"], &quote["account"]["after"]);
            assert_eq!(units(&before["fraction_remaining"]), left, "{quote}");
            let price = units(&quote["price"]["fraction"]);
            assert!(price > 0, "{quote}");
            assert_eq!(price + units(&after["fraction_remaining"]), left, "{quote}");
            assert_eq!(quote["price"]["fraction"], answer["price"]["fraction"], "{answer}");
            for field in ["fraction_remaining", "like_this_remaining"] {
                assert_eq!(after[field], answer["account"][field], "{answer}");
            }
            left = units(&answer["account"]["fraction_remaining"]);
            // The same again costs nothing, and takes nothing.
            let again = block_on(lab.ask(&body)).json();
            assert_eq!(again["price"]["fraction"], "0", "{again}");
            assert_eq!(units(&again["account"]["fraction_remaining"]), left);
            assert_eq!(again["account"]["like_this_remaining"], json!(null), "none is like what cost nothing: {again}");
            let accounts = block_on(lab.get("/v1/accounts", &lab.researcher)).json();
            assert_eq!(units(&accounts[0]["fraction_remaining"]), left);
            assert_eq!(accounts[0]["like_this_remaining"], answer["account"]["like_this_remaining"]);
        }
    }
}

/// As many answers fit as are said to, to the last one, which takes the account whole.
#[test]
fn as_many_more_fit_as_is_said() {
    let lab = Lab::new(&policy(PURE), &visits(200), Arc::new(OpenDp), "1");
    let body =
        |age: u32| json!({"sql": format!("SELECT COUNT(*) AS n FROM visits WHERE age > {age}"), "epsilon": "0.25"});
    for (age, left) in [(1, 3), (2, 2), (3, 1), (4, 0)] {
        assert_eq!(quote(&lab, &body(age))["account"]["before"]["like_this_remaining"], left + 1);
        let answer = block_on(lab.ask(&body(age))).json();
        assert_eq!(answer["account"]["like_this_remaining"], left, "{answer}");
    }
    let account = &block_on(lab.get("/v1/accounts", &lab.researcher)).json()[0];
    assert_eq!((&account["fraction_remaining"], &account["like_this_remaining"]), (&json!("0"), &json!(0)));
    assert_eq!(quote(&lab, &body(5))["account"]["before"]["like_this_remaining"], 0);
    assert_eq!(block_on(lab.ask(&body(5))).code(), "budget-exhausted");
    // A single answer that takes all of it.
    let lab = Lab::new(&policy(GAUSSIAN), &visits(200), Arc::new(OpenDp), "1");
    let whole = block_on(lab.sql("SELECT COUNT(*) AS n FROM visits", "1")).json();
    assert!(units(&whole["price"]["fraction"]) > 999_999_990_000_000_000, "{whole}");
    assert_eq!(whole["account"]["like_this_remaining"], 0, "{whole}");
}

/// A refusal says the ε and the margin that would fit, and both do.
#[test]
fn a_refused_price_says_what_fits() {
    for sql in [
        "SELECT region, COUNT(*) AS n FROM visits GROUP BY region",
        "SELECT region, SUM(cost) AS s, COUNT(*) AS n FROM visits GROUP BY region",
        "SELECT AVG(cost) AS m FROM visits",
        "SELECT MEDIAN(cost) AS m FROM visits",
    ] {
        for (asked, code) in [("1.5", "budget-exhausted"), ("3", "over-query-limit")] {
            let lab = Lab::new(&policy(GAUSSIAN), &visits(200), Arc::new(OpenDp), "1");
            let body = json!({"sql": sql, "epsilon": asked});
            let refused = block_on(lab.ask(&body)).json();
            assert_eq!(refused["code"], code, "{refused}");
            let (epsilon, margin) = (&refused["largest_epsilon"], &refused["margin"]);
            let quote = quote(&lab, &body);
            assert_eq!((&quote["largest_epsilon"], &quote["margin"]), (epsilon, margin), "{sql}");
            assert!(decimal(margin) > 0.0, "{refused}");
            // A margin of a question without counts and sums is named.
            let margin = if sql.contains("AS n") { margin.clone() } else { json!({"m": margin}) };
            for accuracy in [json!({"sql": sql, "epsilon": epsilon}), json!({"sql": sql, "margin": margin})] {
                assert_eq!(quoted(&lab, &lab.researcher, &accuracy)["answerable"], true, "{accuracy}");
            }
            assert!(block_on(lab.ask(&json!({"sql": sql, "margin": margin}))).json()["rows"].is_array());
        }
    }
    // However much an account holds, no more is proposed than one question may cost.
    let lab = Lab::new(&policy(GAUSSIAN), &visits(200), Arc::new(OpenDp), "4");
    let refused = block_on(lab.sql("SELECT COUNT(*) AS n FROM visits", "3")).json();
    assert_eq!((&refused["code"], &refused["largest_epsilon"]), (&json!("over-query-limit"), &json!("2")), "{refused}");
    // What was not refused for its price says neither.
    let lab = Lab::gaussian();
    let refused = block_on(lab.sql("SELECT * FROM visits", "1")).json();
    assert!(refused["largest_epsilon"].is_null() && refused["margin"].is_null(), "{refused}");
}

/// Every aggregate has an expected error before it is paid for.
#[test]
fn every_output_has_an_expected_error() {
    const OUTPUTS: [(&str, bool); 16] = [
        ("COUNT(*)", false),
        ("COUNT(DISTINCT patient_id)", false),
        ("SUM(cost)", false),
        ("AVG(cost)", false),
        ("AVG(CASE WHEN cost > 100 THEN 1 ELSE 0 END)", false),
        ("COUNT(*) FILTER (WHERE smoker) / COUNT(*)", false),
        ("100.0 * COUNT(*) / SUM(COUNT(*)) OVER ()", false),
        ("AVG(cost) - AVG(AVG(cost)) OVER ()", false),
        ("VAR_SAMP(cost)", true),
        ("STDDEV_SAMP(cost)", true),
        ("CORR(cost, age)", true),
        ("COVAR_SAMP(cost, age)", true),
        ("REGR_SLOPE(cost, age)", true),
        ("MEDIAN(cost)", true),
        ("PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY cost)", true),
        ("SUM(cost) / SUM(age)", false),
    ];
    for budget in [GAUSSIAN, PURE] {
        let lab = Lab::new(&policy(budget), &visits(200), Arc::new(OpenDp), "4");
        for (output, rough) in OUTPUTS {
            let sql = format!("SELECT region, {output} AS x FROM visits GROUP BY region");
            let quote = quote(&lab, &json!({"sql": sql, "epsilon": "2", "group_size": 100_000}));
            let x = column(&quote, "x");
            assert!(decimal(&x["margin"]) > 0.0, "{output}: {quote}");
            assert_eq!(x["rough"] == true, rough, "{output}: {quote}");
            let explained =
                block_on(lab.ask(&json!({"sql": format!("EXPLAIN {sql}"), "epsilon": "2", "group_size": 100_000})));
            assert_eq!(explained.rows()[1]["margin"], x["margin"], "{output}");
        }
        // Keys, ranks and labels have none.
        let sql = "SELECT region, RANK() OVER (ORDER BY COUNT(*)) AS x FROM visits GROUP BY region";
        let quote = quote(&lab, &json!({"sql": sql, "epsilon": "2"}));
        assert!(column(&quote, "x")["margin"].is_null() && column(&quote, "region")["margin"].is_null(), "{quote}");
    }
}

/// Where the number of rows comes from: what the asker says, what they hold, what the policy says, else a thousand. What others hold is no
/// part of it.
#[test]
fn the_assumed_rows_are_those_that_the_asker_may_know() {
    let about = policy(GAUSSIAN).replace("max_rows_per_unit = 4", "max_rows_per_unit = 4\nabout_rows = 4_000");
    let lab = Lab::new(&policy(GAUSSIAN), &visits(2_000), Arc::new(OpenDp), "1");
    let stated = Lab::new(&about, &visits(2_000), Arc::new(OpenDp), "1");
    let dataset = block_on(stated.get("/v1/datasets/visits", &stated.researcher)).json();
    assert_eq!(dataset["about_rows"], 4_000, "{dataset}");
    let sql = "SELECT region, AVG(cost) AS m FROM visits GROUP BY region";
    let of = |lab: &Lab, token: &str, more: Value| {
        let mut body = json!({"sql": sql, "epsilon": "0.4"});
        body.as_object_mut().expect("fields").extend(more.as_object().expect("fields").clone());
        let quote = quoted(lab, token, &body);
        let m = column(&quote, "m").clone();
        (
            m["assumed_group_size"].as_u64().expect("rows"),
            m["assumed_from"].as_str().expect("a word").to_owned(),
            decimal(&m["margin"]),
        )
    };
    let (rows, from, margin) = of(&lab, &lab.researcher, json!({}));
    assert_eq!((rows, from.as_str()), (1_000, "default"));
    let (rows, from, wider) = of(&lab, &lab.researcher, json!({"group_size": 500}));
    assert_eq!((rows, from.as_str()), (500, "group_size"));
    assert!((1.7..2.3).contains(&(wider / margin)), "half of the rows, twice the error: {wider} {margin}");
    let (rows, from, _) = of(&stated, &stated.researcher, json!({}));
    assert_eq!((rows, from.as_str()), (1_000, "about_rows"), "4,000 rows in four groups");
    // Somebody else pays for the counts.
    let bob =
        people::add_person(lab.service.ledger(), "bob", Role::Researcher, "a test", 0).expect("bob").text().to_owned();
    grant(lab.service.ledger(), "bob", "visits", "1");
    let counts = json!({"sql": "SELECT region, COUNT(*) AS n FROM visits GROUP BY region", "epsilon": "0.8"});
    let counted = block_on(call(&lab.router, Method::POST, "/v1/queries", Some(&bob), &[], counts.to_string())).json();
    assert!(counted["rows"].is_array(), "{counted}");
    // Their draws may be used for ada's answer, as ever, but she is told nothing of the groups.
    let (rows, from, _) = of(&lab, &lab.researcher, json!({}));
    assert_eq!((rows, from.as_str()), (1_000, "default"));
    assert!(quote(&lab, &json!({"sql": sql, "epsilon": "0.4"}))["groups"].is_null());
    let (rows, from, _) = of(&lab, &bob, json!({}));
    assert_eq!(from, "answers");
    let held = counted["rows"].as_array().expect("rows").iter().map(|row| row["n"].as_i64().expect("a count"));
    let held: Vec<u64> = held.map(|n| u64::try_from(n.max(0)).expect("a count")).collect();
    assert!(held.iter().any(|n| n.abs_diff(rows) <= 1), "{rows} of {held:?}");
    // The groups are told with their labels, from the largest to the smallest.
    let quote = quoted(&lab, &bob, &json!({"sql": sql, "epsilon": "0.4"}));
    let groups = quote["groups"].as_array().expect("groups");
    assert_eq!(groups.len(), 4, "{quote}");
    let sizes: Vec<_> = groups.iter().map(|group| group["rows"].as_u64().expect("rows")).collect();
    assert!(sizes.is_sorted_by(|one, other| one >= other), "{sizes:?}");
    assert!(decimal(&groups[0]["margins"]["m"]) > 0.0, "{quote}");
    // A finer question is known too little of, and a coarser one follows.
    let total = json!({"sql": "SELECT AVG(cost) AS m FROM visits", "epsilon": "0.2"});
    let of_all = quoted(&lab, &bob, &total);
    let all: u64 = held.iter().sum();
    let m = column(&of_all, "m");
    assert_eq!(m["assumed_from"], "answers", "{of_all}");
    assert!(m["assumed_group_size"].as_u64().expect("rows").abs_diff(all) <= 4, "{all}: {of_all}");
    // Ada pays for the total, of which each group is taken to be a quarter.
    let counted = block_on(lab.sql("SELECT COUNT(*) AS n FROM visits", "0.5")).json();
    let total = counted["rows"][0]["n"].as_u64().expect("a count");
    let (rows, from, _) = of(&lab, &lab.researcher, json!({}));
    assert!(from == "answers" && rows.abs_diff(total / 4) <= 1, "{rows} of {total}");
}

/// What the policy states of a column is used until the asker holds answers about it, and is said where it is used.
#[test]
fn expected_errors_rest_on_what_is_stated_or_paid_for() {
    let typical = "name = \"cost\"\ntypical = { low = \"90\", middle = \"180\", high = \"290\" }";
    let silent = Lab::new(&policy(GAUSSIAN), &visits(2_000), Arc::new(OpenDp), "4");
    let stated = Lab::new(&policy(GAUSSIAN).replace("name = \"cost\"", typical), &visits(2_000), Arc::new(OpenDp), "4");
    let sql = "SELECT MEDIAN(cost) AS m, STDDEV_SAMP(cost) AS d, COUNT(*) AS n FROM visits";
    let of = |lab: &Lab, sql: &str, name: &str| {
        let quote = quote(lab, &json!({"sql": sql, "epsilon": "1", "group_size": 200_000}));
        column(&quote, name).clone()
    };
    for name in ["m", "d"] {
        let (guessed, known) = (of(&silent, sql, name), of(&stated, sql, name));
        assert_eq!((&guessed["assumed_values_from"], &guessed["rough"]), (&json!("bounds"), &json!(true)), "{guessed}");
        assert_eq!((&known["assumed_values_from"], &known["rough"]), (&json!("typical"), &Value::Null), "{known}");
        for one in [&guessed, &known] {
            let [low, margin, high] = ["margin_low", "margin", "margin_high"].map(|end| decimal(&one[end]));
            assert!(0.0 < low && low < margin && margin < high, "{one}");
        }
        let wide = |one: &Value| decimal(&one["margin_high"]) / decimal(&one["margin_low"]);
        assert!(wide(&known) < wide(&guessed), "a statement narrows the range: {known} {guessed}");
    }
    let n = of(&stated, sql, "n");
    assert!(n["assumed_values_from"].is_null() && n["margin_low"].is_null(), "a count rests on nothing: {n}");
    let dataset = block_on(stated.get("/v1/datasets/visits", &stated.researcher)).json();
    let cost = dataset["columns"].as_array().expect("columns").iter().find(|column| column["name"] == "cost");
    let said = json!({"low": "90", "middle": "180", "high": "290"});
    assert_eq!(cost.expect("the column")["typical"], said, "{dataset}");
    // An answer about the column replaces the statement, and a stored answer is exactly as wide as it is.
    let median = "SELECT MEDIAN(cost) AS m FROM visits";
    let answer = block_on(stated.sql(median, "1")).json();
    let shown = (answer["rows"][0]["m_high"].as_f64().expect("an end")
        - answer["rows"][0]["m_low"].as_f64().expect("an end"))
        / 2.0;
    let by_region = of(&stated, "SELECT region, MEDIAN(cost) AS m FROM visits GROUP BY region", "m");
    assert_eq!(by_region["assumed_values_from"], "answers", "{by_region}");
    let again = quote(&stated, &json!({"sql": median, "epsilon": "1"}));
    let again = column(&again, "m");
    for end in ["margin_low", "margin", "margin_high"] {
        assert!((decimal(&again[end]) / shown - 1.0).abs() < 0.01, "{end}: {again} {shown}");
    }
}

/// A margin may be named for any output. It is met, as expected, at a price that is no more than needed.
#[test]
fn margins_are_for_any_output() {
    for budget in [GAUSSIAN, PURE] {
        let lab = Lab::new(&policy(budget), &visits(200), Arc::new(OpenDp), "4");
        for (output, margin) in [
            ("COUNT(*)", "60"),
            ("AVG(cost)", "40"),
            ("COUNT(*) FILTER (WHERE smoker) / COUNT(*)", "0.1"),
            ("STDDEV_SAMP(cost)", "60"),
            ("CORR(cost, age)", "0.5"),
            ("MEDIAN(cost)", "30"),
        ] {
            let sql = format!("SELECT {output} AS x FROM visits");
            let ask = |margin: &str| quote(&lab, &json!({"sql": sql, "margin": {"x": margin}, "group_size": 20_000}));
            let quote = ask(margin);
            let expected = decimal(&column(&quote, "x")["margin"]);
            let wanted: f64 = margin.parse().expect("a number");
            assert!(expected <= wanted * 1.001, "{output}: {expected} for {wanted}");
            // Means are priced for the worst mean, and percentiles in whole bins, so those may be more exact.
            assert!(expected >= wanted * 0.5, "{output}: {expected} for {wanted}");
            let wider = ask(&format!("{}", wanted * 2.0));
            assert!(decimal(&wider["price"]["epsilon"]) < decimal(&quote["price"]["epsilon"]), "{output}");
        }
        // What has no interval, or too wide bins, has no margin.
        let rank = "SELECT region, RANK() OVER (ORDER BY COUNT(*)) AS x FROM visits GROUP BY region";
        for (sql, x) in [
            (rank, "1"),
            ("SELECT MEDIAN(cost) AS x FROM visits", "0.000001"),
            ("SELECT region, COUNT(*) AS n FROM visits GROUP BY region", "1"),
        ] {
            let refused = quote(&lab, &json!({"sql": sql, "margin": {"x": x}}));
            assert_eq!(refused["code"], "invalid-request", "{refused}");
        }
    }
}

/// A condition that can match no row by the declared domains has a warning, and the console pays only after a tick. Any other condition has
/// none, whatever the rows are.
#[test]
fn conditions_that_match_nothing_are_warned_of() {
    let lab = Lab::gaussian();
    let warned = |condition: &str| {
        let sql = format!("SELECT COUNT(*) AS n FROM visits WHERE {condition}");
        let quote = quote(&lab, &json!({"sql": sql, "epsilon": "0.1"}));
        assert_eq!(quote["answerable"], true, "{quote}");
        quote["warnings"].as_array().map(|warnings| warnings[0].as_str().expect("a text").to_owned())
    };
    let words = "this condition can match no row by the declared domains: the answer would be noise around 0";
    for nothing in [
        "age > 200",
        "age < 0",
        "age BETWEEN 60 AND 50",
        "age > 40 AND age < 40",
        "age IN (500, 600)",
        "NOT (age >= 0)",
        "FALSE",
        "1 = 2",
        "region IS NULL",
        "region = 'north' AND region = 'south'",
        "visited > DATE '2100-01-01'",
        "age + 10 > 300",
        "(age > 200 OR age < 0) AND smoker",
    ] {
        assert_eq!(warned(nothing).as_deref(), Some(words), "{nothing}");
    }
    for something in ["age > 30", "age >= 0", "age > 200 OR smoker", "NOT (age > 200)", "TRUE", "region <> 'north'"] {
        assert_eq!(warned(something), None, "{something}");
    }
    let distinct = "SELECT COUNT(DISTINCT CASE WHEN age > 200 THEN patient_id END) AS n FROM visits";
    let quote = quote(&lab, &json!({"sql": distinct, "epsilon": "0.1"}));
    assert_eq!(quote["warnings"][0], format!("the condition of one of the counts{}", &words["this condition".len()..]));
    block_on(async {
        let browser = Browser::new(&lab, &lab.researcher).await;
        let head = lab.head();
        let fields = [
            ("sql", "SELECT COUNT(*) AS n FROM visits WHERE age > 200"),
            ("by", "epsilon"),
            ("epsilon", "0.1"),
            ("key", "ask_1"),
            ("quoted", "0.1"),
            ("do", "pay"),
        ];
        let reply = browser.post(&lab, "/ask", &fields).await;
        let place = reply.headers["location"].to_str().expect("text").to_owned();
        assert!(place.starts_with("/ask?") && place.ends_with("show=unseen"), "{place}");
        let page = String::from_utf8_lossy(&browser.get(&lab, &place).await.bytes).into_owned();
        assert!(
            page.contains(words) && page.contains("name=\"agreed\"") && page.contains("Nothing was paid yet"),
            "{page}"
        );
        assert_eq!(lab.head(), head, "nothing was paid");
        let agreed = [&fields[..], &[("agreed", "yes")]].concat();
        let reply = browser.post(&lab, "/ask", &agreed).await;
        assert!(reply.headers["location"].to_str().is_ok_and(|place| place.starts_with("/answers/")));
        assert_ne!(lab.head(), head);
    });
}
