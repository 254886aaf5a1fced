//! Answers and quotes as a terminal shows them, at several widths, and as a pipe gets them.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tacit::render::text;
use tacit::terminal::Screen;

use super::{held, no_others};

fn answer(columns: &Value, rows: &Value) -> Value {
    json!({
        "release": "rel_95b626d98b25732c0b185e4dab7563a1", "dataset": "visits", "edition": "ed_1", "sql": "SELECT 1", "replayed": false,
        "mechanism": "discrete gaussian", "confidence": "0.95", "rows_per_unit": 8, "columns": columns, "rows": rows,
        "price": {"epsilon": "0.160863", "delta": "1e-9", "fraction": "0.0064094079542"}, "legs": {"dataset": "0.160863", "researcher": "0.160863"},
        "account": {"epsilon_cap": "2", "epsilon_spent": "0.143324", "epsilon_remaining": "1.9932", "fraction_spent": "0.0064094079542",
            "fraction_remaining": "0.9935905920458"}
    })
}

fn key(name: &str) -> Value {
    json!({"name": name, "kind": "key"})
}

fn estimate(name: &str, aggregate: &str) -> Value {
    json!({"name": name, "kind": "estimate", "aggregate": aggregate})
}

/// Means beside counts, with a group that is lost in noise.
fn means() -> Value {
    let row = |diagnosis: &str, mean: Value, low: f64, high: f64, visits: i64| {
        json!({"diagnosis": diagnosis, "mean_cost": mean, "mean_cost_low": low, "mean_cost_high": high,
            "visits": visits, "visits_low": visits - 790, "visits_high": visits + 790})
    };
    let mut lost = row("copd", Value::Null, 0.0, 2000.0, -212);
    lost["mean_cost_null"] = json!("lost-in-noise");
    let rows = [
        row("asthma", json!(97.312_34), 91.2, 103.4, 11_204),
        row("back pain", json!(88.9), 84.0, 93.8, 22_871),
        lost,
        row("diabetes", json!(131.04), 119.9, 142.2, 14_020),
        row("hypertension, all stages", json!(1480.5), 1201.3, 1760.0, 1_904),
    ];
    answer(&json!([key("diagnosis"), estimate("mean_cost", "mean"), estimate("visits", "count")]), &json!(rows))
}

/// Three formulas for each of two keys, with a total over one of them and values that are not known.
fn quartiles() -> Value {
    let outputs = ["lower_quartile", "median_cost", "upper_quartile"];
    let row = |region: Value, sex: Value, shift: f64| {
        let mut row = json!({"region": region, "sex": sex});
        for (at, name) in outputs.iter().enumerate() {
            let middle = 100.0 * (at as f64 + 1.0) + shift;
            row[*name] = json!(middle);
            row[format!("{name}_low")] = json!(middle - 4.25);
            row[format!("{name}_high")] = json!(middle + 4.25 + 9.0 * at as f64);
        }
        row
    };
    let mut total = row(json!("north"), Value::Null, 3.0);
    total["sex_null"] = json!("total");
    let rows = [row(json!("north"), json!("female"), 1.5), row(json!("north"), Value::Null, -2.0), total];
    let columns = [key("region"), key("sex")].into_iter().chain(outputs.map(|name| estimate(name, "formula")));
    answer(&json!(columns.collect::<Vec<_>>()), &json!(rows))
}

fn numbers() -> Value {
    let row = json!({"visits": 188_374, "visits_low": 187_584, "visits_high": 189_164,
        "cost": 4_151_037.63, "cost_low": 3_395_765.17, "cost_high": 4_906_310.09});
    answer(&json!([estimate("visits", "count"), estimate("cost", "sum")]), &json!([row]))
}

fn quote() -> Value {
    let account = |spent: &str, left: &str| {
        json!({"epsilon_cap": "2", "epsilon_spent": "0.1", "epsilon_remaining": "1.9932", "fraction_spent": spent,
            "fraction_remaining": left})
    };
    let visits = json!({"name": "visits", "kind": "estimate", "aggregate": "count", "std_error": "403.186611", "margin": "790.231"});
    json!({
        "dataset": "visits", "edition": "ed_1", "sql": "SELECT 1", "mechanism": "discrete gaussian", "confidence": "0.95",
        "rows_per_unit": 8, "columns": [key("diagnosis"), estimate("mean_cost", "mean"), visits],
        "price": {"epsilon": "0.3", "delta": "1e-9", "fraction": "0.08"}, "legs": {"dataset": "0.2", "researcher": "0.3"}, "answerable": false,
        "replay": false, "answers_left": 0, "largest_epsilon": "0.261", "margin": "913.5",
        "account": {"before": account("0.9", "0.1"), "after": account("0.98", "0.02")}
    })
}

#[test]
fn answers_fit_every_width() {
    let mut seen = BTreeSet::new();
    for (name, answer) in [("means", means()), ("quartiles", quartiles()), ("numbers", numbers())] {
        let body = serde_json::from_value(answer).expect("an answer");
        let mut shown = String::new();
        for width in [40, 80, 120, 200] {
            let text = text::answer(&body, &Screen::terminal(width));
            let widest = text.lines().map(tacit::terminal::text_width).max().unwrap_or(0);
            assert!(widest <= width, "{name} takes {widest} of {width}:\n{text}");
            shown.push_str(&format!("{width} columns:\n{text}\n\n"));
        }
        shown.push_str(&format!("a pipe:\n{}\n", text::answer(&body, &Screen::plain())));
        held(&format!("table-{name}"), &shown);
        seen.insert(format!("table-{name}"));
    }
    let body = serde_json::from_value(quote()).expect("a quote");
    held("table-quote", &text::quote(&body, &Screen::terminal(80)));
    seen.insert("table-quote".to_owned());
    no_others("table", &seen);
}

#[test]
fn colours_change_no_text() {
    let body = serde_json::from_value(means()).expect("an answer");
    let coloured = text::answer(&body, &Screen::terminal(120).coloured());
    assert!(coloured.contains("\u{1b}[36m"), "{coloured}");
    let parts = coloured.split('\u{1b}');
    let plain: String = parts
        .map(|part| part.split_once('m').filter(|_| part.starts_with('[')).map_or(part, |(_, rest)| rest))
        .collect();
    assert_eq!(plain, text::answer(&body, &Screen::terminal(120)));
}
