//! Reasons why there is no estimate: what small counts hide, wherever it appears, and what is lost in noise.

use std::io::Cursor;
use std::sync::Arc;

use axum::http::Method;
use polars::prelude::{IpcStreamReader, ParquetReader, SerReader};
use serde_json::{Value, json};
use tacit::query::answer::{Table, tabulate};
use tacit::render::chart::{self, Placement, Shape};
use tacit::render::text;
use tacit::render::{figure, vega};
use tacit::terminal::Screen;

use crate::support::{Lab, NoNoise, PURE, Reply, block_on, call, policy};

/// 40 people in the north, two of them with copd; 30 in the east, 3 in the south, nobody in the west. Each has one visit.
fn csv() -> String {
    let mut csv = String::from("patient_id,region,diagnosis,smoker,age,cost,visited\n");
    let of = [("north", 40, 2), ("east", 30, 12), ("south", 3, 1)];
    for (region, people, copd) in of {
        for person in 0..people {
            let diagnosis = if person < copd { "copd" } else { "flu" };
            let (smoker, month) = (person % 2 == 0, if region == "south" { 3 } else { 1 + person % 2 });
            let (age, cost) = (30 + person, 100 + person);
            csv.push_str(&format!("{region}{person},{region},{diagnosis},{smoker},{age},{cost},2023-{month:02}-01\n"));
        }
    }
    csv
}

/// A lab that hides counts below five, without noise and with a small certified error.
fn lab() -> Lab {
    let text = policy(PURE).replace("max_rows = 1_000_000", "max_rows = 1_000_000\nmin_cell = 5");
    let text = text.replace("max_rows_per_unit = 4", "max_rows_per_unit = 1");
    Lab::new(&text, &csv(), Arc::new(NoNoise), "100")
}

fn ask(lab: &Lab, sql: &str) -> Vec<Value> {
    block_on(lab.sql(sql, "4")).rows()
}

fn as_format(lab: &Lab, sql: &str, format: &str) -> Reply {
    let body = json!({"sql": sql, "epsilon": "20"}).to_string();
    let headers = [("accept", format)];
    block_on(call(&lab.router, Method::POST, "/v1/queries", Some(&lab.researcher), &headers, body))
}

fn table(lab: &Lab, sql: &str) -> Table {
    let reply = block_on(lab.sql(sql, "20")).json();
    let stored = lab.service.stored_answer(reply["release"].as_str().expect("a release")).expect("an answer");
    tabulate(&stored.layout, stored.vectors())
}

/// Checks that the answer shows nothing of an output but the reason.
fn assert_hidden(row: &Value, name: &str) {
    for suffix in ["", "_low", "_high", "_std_error"] {
        assert!(row.get(format!("{name}{suffix}")).is_none_or(Value::is_null), "{name}{suffix} of {row}");
    }
    assert_eq!(row[format!("{name}_null")], "hidden", "{name} of {row}");
}

fn assert_shown(row: &Value, name: &str) {
    assert!(row[name].is_number() && row.get(format!("{name}_null")).is_none(), "{name} of {row}");
}

/// Everything computed from a small group is hidden, by itself and together with other outputs.
#[test]
fn a_small_group_is_hidden_whole() {
    let lab = lab();
    let outputs = [
        "COUNT(*)",
        "COUNT(DISTINCT patient_id)",
        "SUM(cost)",
        "AVG(cost)",
        "MEDIAN(age)",
        "PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY age)",
        "VAR_SAMP(age)",
        "STDDEV(age)",
        "CORR(age, cost)",
        "REGR_SLOPE(age, cost)",
        "100.0 * COUNT(*) FILTER (WHERE smoker) / NULLIF(COUNT(*), 0)",
        "SUM(cost) / COUNT(*)",
        "AVG(CASE WHEN smoker THEN 1 ELSE 0 END)",
        "ROUND(AVG(cost), 1)",
        "-COUNT(*)",
        "COUNT(*) * 1000.0 / 7",
        "SQRT(COUNT(*))",
    ];
    for output in outputs {
        let rows = ask(&lab, &format!("SELECT region, {output} AS x FROM visits GROUP BY region"));
        for (row, region) in rows.iter().zip(["north", "east", "south", "west"]) {
            assert_eq!(row["region"], region);
            match region {
                "south" | "west" => assert_hidden(row, "x"),
                // For so few people, a correlation and a slope are lost in noise.
                _ if output.contains("age, cost") => assert_ne!(row.get("x_null"), Some(&json!("hidden")), "{row}"),
                _ => assert_shown(row, "x"),
            }
        }
    }
    let sql = "SELECT region, COUNT(*) AS n, MEDIAN(age) AS m, AVG(cost) AS a FROM visits GROUP BY ROLLUP (region)";
    for row in ask(&lab, sql) {
        let is_small = row["region"] == "south" || row["region"] == "west";
        ["n", "m", "a"]
            .into_iter()
            .for_each(|name| if is_small { assert_hidden(&row, name) } else { assert_shown(&row, name) });
    }
}

/// A small part of a large group hides what is computed from it, and nothing else.
#[test]
fn a_small_part_takes_what_is_made_of_it() {
    let lab = lab();
    let copd = "FILTER (WHERE diagnosis = 'copd')";
    let sql = format!(
        "SELECT region, COUNT(*) AS n, COUNT(*) {copd} AS c, 100.0 * COUNT(*) {copd} / COUNT(*) AS share, \
         COUNT(*) - COUNT(*) {copd} AS rest, AVG(cost) {copd} AS a, MEDIAN(age) {copd} AS m, \
         COUNT(DISTINCT patient_id) {copd} AS p, SUM(CASE WHEN diagnosis = 'copd' THEN 1 ELSE 0 END) AS s, \
         AVG(CASE WHEN diagnosis = 'copd' THEN 1 ELSE 0 END) AS t, AVG(cost) AS all_costs FROM visits GROUP BY region"
    );
    for row in block_on(lab.sql(&sql, "40")).rows() {
        for name in ["c", "share", "rest", "a", "m", "p", "s", "t"] {
            if row["region"] == "east" { assert_shown(&row, name) } else { assert_hidden(&row, name) }
        }
        for name in ["n", "all_costs"] {
            let is_small = row["region"] == "south" || row["region"] == "west";
            if is_small { assert_hidden(&row, name) } else { assert_shown(&row, name) }
        }
    }
}

/// Conditions and the order of rows use no more than is shown.
#[test]
fn what_is_hidden_is_hidden_from_having_and_order() {
    let lab = lab();
    let regions = |rest: &str| -> Vec<String> {
        let sql = format!(
            "SELECT region, COUNT(*) AS n, COUNT(*) FILTER (WHERE diagnosis = 'copd') AS c FROM visits GROUP BY region {rest}"
        );
        ask(&lab, &sql).iter().map(|row| row["region"].as_str().expect("a region").to_owned()).collect()
    };
    assert!(regions("HAVING COUNT(*) = 3").is_empty(), "the south has three");
    assert!(regions("HAVING n < 5").is_empty());
    assert!(regions("HAVING NOT (n >= 5)").is_empty());
    assert!(regions("HAVING c = 2").is_empty(), "of the north");
    assert!(regions("HAVING c + 1 = 3 OR c / n < 0.06").is_empty());
    assert_eq!(regions("HAVING AVG(cost) > 0"), ["north", "east"]);
    assert_eq!(regions("HAVING n IS NULL"), ["south", "west"]);
    assert_eq!(regions("HAVING c IS NOT NULL"), ["east"]);
    assert_eq!(regions("ORDER BY n"), ["east", "north", "south", "west"]);
    assert_eq!(regions("ORDER BY c"), ["east", "north", "south", "west"], "hidden ones in the order of the list");
    assert_eq!(regions("ORDER BY n DESC NULLS LAST LIMIT 3"), ["north", "east", "south"]);
    assert_eq!(regions("ORDER BY c LIMIT 1"), ["east"]);
}

#[test]
fn small_steps_of_running_sums_are_hidden() {
    let lab = lab();
    let month = "EXTRACT(MONTH FROM visited)";
    let over = format!("OVER (ORDER BY {month})");
    let copd = "COUNT(*) FILTER (WHERE diagnosis = 'copd')";
    let sql = format!(
        "SELECT {month} AS month, COUNT(*) AS n, SUM(COUNT(*)) {over} AS run, SUM({copd}) {over} AS copd_run FROM visits GROUP BY {month}"
    );
    let rows = ask(&lab, &sql);
    for (row, month) in rows.iter().zip(1..) {
        assert_eq!(row["month"], month);
        for name in ["n", "run", "copd_run"] {
            if month < 3 { assert_shown(row, name) } else { assert_hidden(row, name) }
        }
    }
}

/// The reasons are in every format of an answer.
#[test]
fn reasons_stand_in_every_format() {
    let lab = lab();
    let sql = "SELECT region, COUNT(*) AS n, AVG(cost) AS a FROM visits GROUP BY region";
    let csv = String::from_utf8(as_format(&lab, sql, "text/csv").bytes).expect("UTF-8");
    let lines: Vec<_> = csv.lines().collect();
    assert_eq!(lines[0], "region,n,n_low,n_high,n_std_error,a,a_low,a_high,a_std_error,n_null,a_null,a_note");
    assert!(lines[1].starts_with("north,40,") && lines[1].ends_with(",,,"), "{csv}");
    let south = lines[3].split(',').collect::<Vec<_>>();
    assert_eq!((south[1], south[5], &south[9..]), ("", "", &["hidden", "hidden", ""][..]), "{csv}");
    assert!(south[4].parse::<f64>().is_ok_and(|error| error > 0.0), "the error that all rows share: {csv}");
    let arrow = as_format(&lab, sql, "application/vnd.apache.arrow.stream").bytes;
    let parquet = as_format(&lab, sql, "application/vnd.apache.parquet").bytes;
    let arrow = IpcStreamReader::new(Cursor::new(arrow)).finish().expect("Arrow");
    assert!(arrow.equals_missing(&ParquetReader::new(Cursor::new(parquet)).finish().expect("Parquet")));
    let words = arrow.column("a_null").expect("reasons").str().expect("words").iter().collect::<Vec<_>>();
    assert_eq!(words, [None, None, Some("hidden"), Some("hidden")]);

    let text = shown(&block_on(lab.sql(sql, "20")));
    assert!(
        text.lines().any(|line| line.trim_start().starts_with("south") && line.matches("hidden").count() == 2),
        "{text}"
    );
    let table = table(&lab, sql);
    let page = figure::table(&table, "Costs").into_string();
    assert_eq!(page.matches("<em>hidden</em>").count(), 4, "{page}");
    let chart = figure::figure("Costs", None, Shape::Bar, &table).expect("a chart");
    let drawn = chart::svg(&chart, Placement::File).into_string();
    assert!(drawn.contains("south: hidden; west: hidden"), "{drawn}");
    let specified = vega::specification(&chart);
    let of = |row: usize| &specified["vconcat"][0]["data"]["values"][row];
    assert_eq!(
        *of(2),
        json!({"label": "south", "series": "a", "value": null, "low": null, "high": null, "word": "hidden"})
    );
    assert!(of(0).get("word").is_none());
    // Counts and means never share an axis.
    let titles: Vec<_> = chart.charts.iter().map(|chart| chart.title.as_str()).collect();
    assert_eq!(titles, ["a", "n"]);

    // The columns are the same, whether something is hidden or not.
    let sql = "SELECT COUNT(*) AS n FROM visits";
    let csv = String::from_utf8(as_format(&lab, sql, "text/csv").bytes).expect("UTF-8");
    assert!(csv.starts_with("n,n_low,n_high,n_std_error,n_null\n73,"), "{csv}");
    // A selected column keeps its name, even if it is one of these.
    let sql = "SELECT region AS n_null, COUNT(*) AS n FROM visits GROUP BY region";
    assert_eq!(ask(&lab, sql)[2]["n_null"], "south");
}

/// Values that are lost in noise, and those that do not exist, are not reported as hidden.
#[test]
fn other_reasons_are_told_apart() {
    let lab = Lab::new(&policy(PURE), &csv(), Arc::new(NoNoise), "100");
    let row = |output: &str, epsilon: &str| {
        let sql = format!("SELECT {output} AS x FROM visits");
        block_on(lab.sql(&sql, epsilon)).rows().remove(0)
    };
    for (output, epsilon, reason, interval) in [
        ("AVG(cost)", "0.01", "lost-in-noise", (json!(0), json!(500))),
        ("MEDIAN(age)", "0.01", "lost-in-noise", (json!(0), json!(110))),
        ("100.0 * COUNT(*) FILTER (WHERE smoker) / COUNT(*)", "0.01", "lost-in-noise", (json!(0), json!(100))),
        ("SUM(cost) / COUNT(DISTINCT patient_id)", "0.01", "lost-in-noise", (json!(0), json!(2000))),
        ("CORR(age, cost)", "0.01", "lost-in-noise", (json!(-1), json!(1))),
        ("SUM(cost) / SUM(age)", "0.01", "lost-in-noise", (json!(0), Value::Null)),
        ("SQRT(0 - COUNT(*))", "20", "lost-in-noise", (json!(0), json!(0))),
        ("COUNT(*) / 0", "20", "no-value", (Value::Null, Value::Null)),
        ("NULLIF(COUNT(*), 73)", "20", "no-value", (Value::Null, Value::Null)),
        ("AVG(cost) / NULLIF(COUNT(*) FILTER (WHERE age > 109), 0)", "20", "lost-in-noise", (json!(0), Value::Null)),
    ] {
        let row = row(output, epsilon);
        assert_eq!((&row["x"], &row["x_null"]), (&Value::Null, &json!(reason)), "{output}: {row}");
        assert_eq!((&row["x_low"], &row["x_high"]), (&interval.0, &interval.1), "{output}: {row}");
    }
    assert_shown(&row("AVG(cost)", "20"), "x");
    let text = shown(&block_on(lab.sql("SELECT AVG(cost) AS x FROM visits", "0.01")));
    assert!(text.contains("lost in noise  0 … 500"), "{text}");
}

/// An answer as the command line shows it.
fn shown(reply: &Reply) -> String {
    text::answer(&serde_json::from_value(reply.json()).expect("an answer"), &Screen::plain())
}
