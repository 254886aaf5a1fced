//! The files of `queries/` are all answered; those of `queries/refused/` are each refused with their code, at no cost.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;
use tacit::kernel::vault::noise::OpenDp;
use tacit::query::file::QueryFile;

use crate::support::{Lab, block_on, repository_file};

fn demo_lab() -> Lab {
    let dir = tempfile::tempdir().expect("a folder");
    let policy = repository_file("src/demo/visits.toml")
        .replace("visits.parquet", "visits.csv")
        .replace("patients.parquet", "patients.csv");
    let mut csv = String::from("patient_id,region,sex,smoker,age,visited,diagnosis,emergency,cost,hba1c,drug\n");
    for patient in 0..60 {
        let (region, sex) = (["north", "east", "south", "west"][patient % 4], ["female", "male"][patient % 2]);
        let diagnosis = ["asthma", "copd", "diabetes", "injury"][patient % 4];
        csv.push_str(&format!(
            "{patient},{region},{sex},true,{},2024-05-05,{diagnosis},{},12.5,,aspirin\n",
            20 + patient,
            patient % 2
        ));
    }
    std::fs::write(dir.path().join("visits.csv"), csv).expect("a source");
    let patients: String = (0..60).map(|patient| format!("{patient},public,2010-01-01\n")).collect();
    let patients = format!("patient_id,insurer,registered\n{patients}");
    std::fs::write(dir.path().join("patients.csv"), patients).expect("a source");
    Lab::over(dir, &policy, Arc::new(OpenDp), "2")
}

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "sql"));
    files.sort();
    files
}

#[test]
fn every_published_query_is_answered() {
    let lab = demo_lab();
    let files = files("queries");
    assert!(files.len() >= 16);
    for path in files {
        let file = QueryFile::parse(&std::fs::read_to_string(&path).expect("a file"))
            .unwrap_or_else(|fault| panic!("{path:?}: {fault}"));
        let reply = block_on(lab.ask(&json!({"sql": file.sql, "epsilon": file.epsilon, "margin": file.margin})));
        // Sixty people are too few for any group to be shown.
        let is_by_text = file.sql.contains("GROUP BY drug");
        assert_eq!(reply.json()["threshold"].is_object(), is_by_text, "{path:?}");
        assert_eq!(reply.rows().is_empty(), is_by_text, "{path:?}");
    }
}

#[test]
fn every_refused_query_is_refused_with_its_code_and_costs_nothing() {
    let lab = demo_lab();
    let files = files("queries/refused");
    assert!(files.len() >= 70);
    let before = lab.head();
    for path in files {
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        let (code, _) = name.split_once("--").expect("<code>--<slug>.sql");
        let file = QueryFile::parse(&std::fs::read_to_string(&path).expect("a file"))
            .unwrap_or_else(|fault| panic!("{name}: {fault}"));
        let reply = block_on(lab.ask(&json!({"sql": file.sql, "epsilon": file.epsilon, "margin": file.margin})));
        assert_eq!(reply.code(), code, "{name}: {}", reply.json());
        assert!(reply.json()["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{name} says why");
        assert_eq!(lab.head(), before, "{name} changed the ledger");
    }
}

#[test]
fn errors_point_at_the_place() {
    let lab = demo_lab();
    let reply = block_on(lab.sql("SELECT regio, COUNT(*) FROM visits GROUP BY regio", "0.1")).json();
    assert_eq!(reply["detail"], "unknown column \"regio\" at line 1, column 8; did you mean \"region\"?");
    assert_eq!(reply["position"], json!({"line": 1, "column": 8}));
    let reply = block_on(lab.sql("SELECT COUNT(*)\nFROM visits WHERE region = 'nort'", "0.1")).json();
    assert_eq!(
        (&reply["position"], &reply["hint"]),
        (&json!({"line": 2, "column": 28}), &json!("did you mean 'north'?"))
    );
    for (written, meant) in [("MEDAIN", "MEDIAN"), ("STDEV", "STDDEV"), ("CUONT", "COUNT"), ("ABSS", "ABS")] {
        let reply = block_on(lab.sql(&format!("SELECT {written}(age) FROM visits"), "0.1")).json();
        assert_eq!(reply["hint"], format!("did you mean {meant}?"), "{written}");
    }
}

/// The limits of the grammar: each can be reached, and exceeding it by one is refused.
#[test]
fn the_bounds_of_the_grammar_hold() {
    let lab = demo_lab();
    let ask = |condition: &str| {
        let reply = block_on(lab.sql(&format!("SELECT COUNT(*) FROM visits WHERE {condition}"), "0.001"));
        (reply.code(), reply.json()["detail"].as_str().unwrap_or_default().to_owned())
    };
    let list =
        |count: usize| format!("cost IN ({})", (0..count).map(|n| format!("-{n}.5")).collect::<Vec<_>>().join(", "));
    let nested = |depth: usize| format!("{}age > 1{}", "(".repeat(depth), ")".repeat(depth));
    let chain = |count: usize| (0..count).map(|n| format!("age > {n}")).collect::<Vec<_>>().join(" OR ");
    let chains = |count: usize| (0..count).map(|_| format!("({})", chain(99))).collect::<Vec<_>>().join(" AND ");
    // The deepest permitted nesting is evaluated once per level, not twice, which would take hours.
    let nullif = (0..28).fold("COUNT(*)".to_owned(), |inner, n| format!("NULLIF({inner}, -{})", n + 7));
    assert_eq!(block_on(lab.sql(&format!("SELECT {nullif} AS n FROM visits"), "0.001")).code(), "");
    for (fits, passes, bound) in [
        (list(1_000), list(1_001), "1000"),
        (nested(31), nested(32), "32"),
        (chain(990), chain(1_010), "1000"),
        (chains(9), chains(11), "1000"),
    ] {
        assert_eq!(ask(&fits).0, "", "{bound} fits");
        let (code, detail) = ask(&passes);
        assert!(code == "unsupported-sql" && detail.contains(bound), "{bound}: {code} {detail}");
    }
}
