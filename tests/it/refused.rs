//! The files of `queries/` are all answered; those of `queries/refused/` are each refused with their code, at no cost, and with a hint that
//! leads to what they mean, or with none.

mod hints;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;
use tacit::kernel::vault::noise::OpenDp;
use tacit::query::error::Position;
use tacit::query::file::{MeantForm, QueryFile};
use tacit::query::parse::{SqlStatement, asked};
use tacit::query::plan::{Plan, plan};
use tacit::query::terms::policy::{Policy, Terms};

use self::hints::{Proposal, leads, proposals, replaced};
use crate::forms::{demo, forms, planned};
use crate::support::{Lab, block_on};

fn demo_lab() -> Lab {
    let dir = tempfile::tempdir().expect("a folder");
    let policy = demo();
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

/// A question's plan, or that of an EXPLAIN.
fn plan_of(sql: &str, terms: &Terms) -> Result<Plan, String> {
    let planned = match asked(sql) {
        Ok(SqlStatement::Explain(query)) => plan(&query.about("visits"), terms, None),
        _ => planned(sql, "visits", terms),
    };
    planned.map_err(|error| format!("{sql} is refused: {error}"))
}

/// Whether a hint's proposal leads to a question.
fn leads_to(proposal: &Proposal, sql: &str, at: Option<Position>, meant: &str, terms: &Terms) -> bool {
    let Proposal::Instead(word) = proposal else { return leads(proposal, sql, meant) };
    let Some(at) = at else { return false };
    match (plan_of(&replaced(sql, at, word), terms), plan_of(meant, terms)) {
        (Ok(one), Ok(other)) => one.parts().eq(other.parts()) && one.layout == other.layout,
        (Err(_), _) | (_, Err(_)) => false,
    }
}

/// What is wrong with a hint, in view of what the question means.
fn fault(file: &QueryFile, hint: &str, at: Option<Position>, terms: &Terms) -> Result<(), String> {
    let proposals = proposals(hint);
    if let Some(prose) = proposals.iter().find(|one| matches!(one, Proposal::Prose(_))) {
        return Err(format!("the hint proposes what is no form: {prose:?}"));
    }
    let is_asked = proposals.iter().any(|one| matches!(one, Proposal::Asked(_)));
    let (mut meant, mut has_parts) = (Vec::new(), false);
    for meaning in &file.means {
        match meaning {
            MeantForm::Nothing if file.means.len() > 1 => return Err("it means nothing, and something else".to_owned()),
            MeantForm::Nothing if proposals.is_empty() => return Ok(()),
            MeantForm::Nothing => return Err(format!("it means nothing that is answered, and the hint is \"{hint}\"")),
            MeantForm::Epsilon(epsilon) if hint.contains("epsilon") => {
                return tacit::kernel::privacy::amounts::Epsilon::parse(epsilon)
                    .map(|_| ())
                    .map_err(|fault| fault.to_string());
            }
            MeantForm::Epsilon(_) => return Err(format!("the hint \"{hint}\" names no epsilon")),
            MeantForm::Question(sql) => meant.push(sql),
            MeantForm::Part(sql) => {
                has_parts = true;
                meant.push(sql);
            }
        }
    }
    if meant.is_empty() {
        return Err("its header \"means\" is missing".to_owned());
    }
    for sql in &meant {
        plan_of(sql, terms)?;
    }
    let forms: Vec<&Proposal> = proposals.iter().filter(|one| !matches!(one, Proposal::Asked(_))).collect();
    let leads = |form: &Proposal, sql: &str| leads_to(form, &file.sql, at, sql, terms);
    if has_parts != is_asked {
        return Err(format!("one question and several are not the same: the hint is \"{hint}\""));
    }
    if let Some(form) = forms.iter().find(|form| !meant.iter().any(|sql| leads(form, sql))) {
        return Err(format!("{form:?} of \"{hint}\" leads to none of {meant:?}"));
    }
    match meant.iter().find(|sql| !has_parts && !forms.iter().any(|form| leads(form, sql))) {
        Some(sql) => Err(format!("nothing in \"{hint}\" leads to {sql}")),
        None => Ok(()),
    }
}

#[test]
fn every_hint_leads_to_what_the_file_means() {
    let lab = demo_lab();
    let terms = Policy::parse(&demo()).unwrap_or_else(|faults| panic!("{faults:?}")).terms;
    let mut faults = Vec::new();
    for path in files("queries/refused") {
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
        let file = QueryFile::parse(&std::fs::read_to_string(&path).expect("a file"))
            .unwrap_or_else(|fault| panic!("{name}: {fault}"));
        let asked = json!({"sql": file.sql, "epsilon": file.epsilon, "margin": file.margin});
        let refusal = block_on(lab.ask(&asked)).json();
        let number = |of: &str| refusal["position"][of].as_u64();
        let at = number("line").zip(number("column")).map(|(line, column)| Position { line, column });
        // A misspelt name is corrected in the reason itself.
        let detail = refusal["detail"].as_str().unwrap_or_default();
        let corrected = detail.split_once("; ").map_or("", |(_, rest)| rest);
        let hint = refusal["hint"].as_str().unwrap_or(corrected);
        if std::env::var("TACIT_HINTS").is_ok() {
            println!("{name}\n    {detail}\n    {hint}");
        }
        let found = fault(&file, hint, at, &terms);
        faults.extend(found.err().map(|fault| format!("{name}: {fault}")));
        for meaning in &file.means {
            if let MeantForm::Epsilon(epsilon) = meaning {
                let reply = block_on(lab.sql(&file.sql, epsilon));
                assert_eq!(reply.code(), "", "{name} at epsilon {epsilon}");
            }
        }
    }
    assert!(faults.is_empty(), "{} hints lead elsewhere:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn errors_point_at_the_place() {
    let lab = demo_lab();
    let reply = block_on(lab.sql("SELECT regio, COUNT(*) FROM visits GROUP BY regio", "0.1")).json();
    assert_eq!(reply["detail"], "unknown column \"regio\" at line 1, column 8; did you mean \"region\"?");
    assert_eq!(reply["position"], json!({"line": 1, "column": 8}));
    let reply = block_on(lab.sql("SELECT COUNT(*) FROM vists", "0.1")).json();
    assert_eq!((&reply["code"], &reply["hint"]), (&json!("unknown-dataset"), &json!("did you mean \"visits\"?")));
    let reply = block_on(lab.sql("SELECT COUNT(*) FROM elsewhere", "0.1")).json();
    assert!(reply["hint"].as_str().is_some_and(|hint| hint.starts_with("you may ask ")), "{reply}");
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

/// What is refused in other files, too, is refused without advice that is no form, and no word is corrected to one that is refused there.
#[test]
fn no_hint_of_any_refused_form_is_vague() {
    let terms = Policy::parse(&demo()).unwrap_or_else(|faults| panic!("{faults:?}")).terms;
    let mut faults = Vec::new();
    let mut refused = 0;
    for form in forms(|name| !name.starts_with("omop-")) {
        let Err(error) = planned(&form.sql, "visits", &terms) else { continue };
        refused += 1;
        for proposal in proposals(error.hint.as_deref().unwrap_or_default()) {
            let is_vague = match (&proposal, error.position) {
                (Proposal::Prose(_), _) | (Proposal::Instead(_), None) => true,
                (Proposal::Instead(word), Some(at)) => planned(&replaced(&form.sql, at, word), "visits", &terms)
                    .is_err_and(|other| other.position == Some(at)),
                (Proposal::Written(_) | Proposal::Left(_) | Proposal::Asked(_), _) => false,
            };
            if is_vague {
                faults.push(format!("{}: {error}; {proposal:?}", form.sql));
            }
        }
    }
    assert!(refused >= 60, "{refused} forms are refused");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A public table may meet a row so often that nothing bounds a person's rows; what narrows it is accepted.
#[test]
fn a_public_table_that_multiplies_rows_is_refused_with_its_bound() {
    let dir = tempfile::tempdir().expect("a folder");
    let links: String = (0..2_000).map(|at| format!("a,x{at}\n")).collect();
    std::fs::write(dir.path().join("links.csv"), format!("code,other\n{links}")).expect("a source");
    std::fs::write(dir.path().join("drugs.csv"), "patient_id,code\n1,a\n2,a\n").expect("a source");
    let policy = r#"
[dataset]
name = "clinic"
privacy_unit = "patient_id"
cap = { epsilon = "4", delta = "1e-9" }
[[table]]
name = "drugs"
source = "drugs.csv"
max_rows_per_unit = 4
max_rows = 1_000
[[table.column]]
name = "code"
type = "category"
values_from = "links.code"
[[public]]
name = "links"
source = "links.csv"
columns = ["code", "other"]
"#;
    let lab = Lab::over(dir, policy, Arc::new(OpenDp), "2");
    let before = lab.head();
    let many = "SELECT COUNT(*) FROM clinic.drugs JOIN links ON drugs.code = links.code";
    let reply = block_on(lab.sql(many, "0.1"));
    let (detail, hint) = (reply.json()["detail"].to_string(), reply.json()["hint"].to_string());
    assert_eq!(reply.code(), "unsupported-sql", "{detail}");
    assert!(detail.contains("8000 rows") && detail.contains("4096"), "{detail}");
    assert!(hint.contains("more columns are compared"), "{hint}");
    assert_eq!(lab.head(), before, "a refusal is free");
    let one = format!("{many} AND links.other = 'x7'");
    assert_eq!(block_on(lab.sql(&one, "0.1")).code(), "");
}
