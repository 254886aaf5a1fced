//! A real table: twenty thousand person-years of the RAND Health Insurance Experiment, sealed from CSV and asked over HTTP.

use std::collections::HashMap;
use std::sync::Arc;

use tacit::kernel::vault::noise::OpenDp;

use crate::support::{Lab, block_on, repository_file};

type Row = HashMap<String, f64>;

fn rows(csv: &str) -> Vec<Row> {
    let mut lines = csv.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let header = lines.next().expect("a header");
    let row = |cells: Vec<String>| {
        header.iter().cloned().zip(cells.iter().map(|cell| cell.parse().expect("a number"))).collect()
    };
    lines.map(row).collect()
}

type Condition = fn(&Row) -> bool;

/// How often the ten questions are asked.
const ROUNDS: u8 = 40;

/// Ten questions: SQL, keys, the condition, and what each output adds up.
const QUESTIONS: [(&str, &[&str], Condition); 10] = [
    ("SELECT COUNT(*) AS n, AVG(mdvis) AS m, SUM(mdvis) AS s FROM randhie", &[], |_| true),
    ("SELECT hlthp, COUNT(*) AS n, AVG(mdvis) AS m FROM randhie GROUP BY hlthp", &["hlthp"], |_| true),
    (
        "SELECT hlthg, hlthf, hlthp, COUNT(*) AS n, SUM(mdvis) AS s FROM randhie GROUP BY hlthg, hlthf, hlthp",
        &["hlthg", "hlthf", "hlthp"],
        |_| true,
    ),
    ("SELECT idp, COUNT(*) AS n, AVG(mdvis) AS m, SUM(mdvis) AS s FROM randhie GROUP BY idp", &["idp"], |_| true),
    ("SELECT idp, hlthg, COUNT(*) AS n, AVG(disea) AS d FROM randhie GROUP BY idp, hlthg", &["idp", "hlthg"], |_| true),
    ("SELECT COUNT(*) AS n, AVG(mdvis) AS m FROM randhie WHERE physlm = 1", &[], |row| row["physlm"] == 1.0),
    ("SELECT COUNT(*) AS n, AVG(mdvis) AS m FROM randhie WHERE physlm > 0 AND physlm < 1", &[], |row| {
        row["physlm"] > 0.0 && row["physlm"] < 1.0
    }),
    ("SELECT hlthf, COUNT(*) AS n, AVG(disea) AS d FROM randhie WHERE lncoins = 0 GROUP BY hlthf", &["hlthf"], |row| {
        row["lncoins"] == 0.0
    }),
    (
        "SELECT idp, COUNT(*) AS n, AVG(lpi) AS l FROM randhie WHERE mdvis BETWEEN 1 AND 5 GROUP BY idp",
        &["idp"],
        |row| (1.0..=5.0).contains(&row["mdvis"]),
    ),
    (
        "SELECT hlthg, COUNT(*) AS n, SUM(mdvis) AS s FROM randhie WHERE NOT (disea < 10) OR fmde = 0 GROUP BY hlthg",
        &["hlthg"],
        |row| row["disea"] >= 10.0 || row["fmde"] == 0.0,
    ),
];

fn truth(rows: &[&Row], output: &str) -> f64 {
    let sum = |column: &str| rows.iter().map(|row| row[column]).sum::<f64>();
    let n = rows.len() as f64;
    match output {
        "n" => n,
        "s" => sum("mdvis"),
        "m" => sum("mdvis") / n,
        "d" => sum("disea") / n,
        _ => sum("lpi") / n,
    }
}

#[test]
fn true_answers_lie_in_their_intervals_as_often_as_they_should() {
    let csv = repository_file("tests/data/randhie.csv");
    let rows = rows(&csv);
    assert_eq!(rows.len(), 20_190);
    let (mut asked, mut held) = (0, 0);
    // Every round has a ledger of its own, so that nothing is shared and its noise is drawn anew.
    let labs = (0..ROUNDS).map(|_| {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("randhie.csv"), &csv).expect("a source");
        Lab::over(dir, &repository_file("tests/data/randhie.toml"), Arc::new(OpenDp), "8")
    });
    for (lab, (sql, keys, condition)) in labs.flat_map(|lab| {
        let lab = Arc::new(lab);
        QUESTIONS.map(|question| (Arc::clone(&lab), question))
    }) {
        for answer in block_on(lab.sql(sql, "0.1")).rows() {
            let mine =
                |row: &&Row| condition(row) && keys.iter().all(|key| (row[*key] == 1.0) == (answer[*key] == true));
            let mine: Vec<&Row> = rows.iter().filter(mine).collect();
            for output in ["n", "s", "m", "d", "l"].into_iter().filter(|output| answer.get(output).is_some()) {
                if mine.is_empty() && !matches!(output, "n" | "s") {
                    continue;
                }
                let end = |side: &str| answer[format!("{output}_{side}")].as_f64().expect("an end");
                let truth = truth(&mine, output);
                asked += 1;
                // The source's own decimals are rounded to the grid by at most a ten-thousandth.
                let holds = end("low") - 1e-4 <= truth && truth <= end("high") + 1e-4;
                held += i32::from(holds);
                // Intervals are cut to public bounds, and may be narrow: the standard error says how far off is too far.
                let spread =
                    answer[format!("{output}_std_error")].as_f64().unwrap_or(0.0).max(end("high") - end("low"));
                assert!((truth - end("low")).abs() < 6.0 * spread, "{sql}: {output} is {answer} and not {truth}");
            }
        }
    }
    println!("{held} of {asked} true answers lie in their 95 % intervals");
    // Of 2,120 at 95 %, four standard errors are 1.9 %.
    assert!(asked >= 50 * i32::from(ROUNDS) && f64::from(held) >= 0.93 * f64::from(asked), "{held} of {asked}");
}
