//! What OHDSI's Achilles asks, on OHDSI's synthetic Eunomia set, against PostgreSQL on the same sealed rows.
//!
//! Every file of `queries/achilles/` is asked in both, and compared before noise. The set is not in this repository: without it, or without
//! PostgreSQL's programs, the test says so and is skipped.

mod compared;
mod forms;
mod sealed;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tacit::kernel::budget::ledger::read;
use tacit::kernel::privacy::mechanism::{Mechanism, NoiseLaw};
use tacit::kernel::vault::release::NoisyVector;
use tacit::query::answer::{Table, tabulate};
use tacit::query::file::QueryFile;
use tacit::query::parse::parse;
use tacit::query::plan::plan;
use tacit::query::terms::edition::Manifest;
use tempfile::TempDir;

use self::compared::{Compared, compare};
use crate::postgres::Server;
use crate::support::{Lab, NoNoise, block_on, repository_file};

/// What is not answered as PostgreSQL answers it, with the reason.
const DIFFERENT: &[(&str, &str)] = &[
    (
        "1804",
        "a condition inside a query in FROM with DISTINCT narrows no group outside of it, so there are more than 100,000",
    ),
    ("404", "a condition on a date does not narrow an age at that date, so there are more than 100,000 groups"),
    (
        "704",
        "a condition on a year narrows neither DATE_PART nor an age in that year, so there are more than 100,000 groups",
    ),
];

/// The share of the numbered analyses that must be answered as PostgreSQL answers them, in percent.
const EQUAL_PERCENT_MIN: usize = 95;

/// The policy's tables that come from the set.
const SOURCES: [&str; 12] = [
    "person",
    "observation_period",
    "visit_occurrence",
    "condition_occurrence",
    "drug_exposure",
    "procedure_occurrence",
    "measurement",
    "observation",
    "condition_era",
    "drug_era",
    "concept",
    "concept_ancestor",
];

/// The folder of the set, if it is there; `TACIT_EUNOMIA` names another one.
fn eunomia() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/eunomia");
    let named = std::env::var_os("TACIT_EUNOMIA").map(PathBuf::from);
    named.into_iter().chain([beside]).find(|folder| folder.join("person.parquet").exists())
}

/// A folder with all sources of the policy.
fn sources(eunomia: &Path) -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    for name in SOURCES {
        let name = format!("{name}.parquet");
        fs::copy(eunomia.join(&name), dir.path().join(&name)).expect("a source");
    }
    for name in ["calendar_month.csv", "calendar_year.csv"] {
        fs::write(dir.path().join(name), repository_file(&format!("tests/data/omop/{name}"))).expect("a calendar");
    }
    dir
}

/// The policy with a cap that everything fits in at once. What is measured does not depend on it.
fn policy() -> String {
    let policy = repository_file("tests/data/omop/omop.toml");
    let wide = [
        ("accountant = \"gaussian\"", "accountant = \"pure\""),
        ("cap = { epsilon = \"8\", delta = \"1e-7\" }", "cap = { epsilon = \"100\" }"),
    ];
    wide.into_iter().fold(policy, |policy, (declared, wide)| {
        assert!(policy.contains(declared), "{declared}");
        policy.replace(declared, wide)
    })
}

/// The questions, by the names of their files.
fn questions() -> BTreeMap<String, QueryFile> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("queries/achilles");
    let files = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path());
    let named = files.map(|path| {
        let text = fs::read_to_string(&path).expect("a file");
        let file = QueryFile::parse(&text).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
        (path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned(), file)
    });
    named.collect()
}

/// The answer before noise, to its last digit; else the problem.
fn exact(lab: &Lab, sql: &str) -> Result<Table, String> {
    let reply = block_on(lab.sql(sql, "0.001")).json();
    let release = reply["release"].as_str().ok_or_else(|| reply.to_string())?;
    let stored = lab.service.stored_answer(release).map_err(|_| "no stored answer")?;
    // Tiny errors, so that nothing is rounded to the digits that an error justifies.
    let law = NoiseLaw { mechanism: Mechanism::DiscreteGaussian, fine_bits: 0, scale: 1e-12 };
    let vectors: Vec<NoisyVector> = stored.vectors().iter().map(|one| NoisyVector { law, ..one.clone() }).collect();
    let dataset = lab.service.dataset("omop").ok_or("no dataset")?;
    let planned = parse(sql).and_then(|query| plan(&query.about("omop"), &dataset.terms, None));
    Ok(tabulate(&planned.map_err(|error| error.to_string())?.layout, &vectors))
}

/// The sealed rows and the public ones, in a PostgreSQL server.
fn loaded(server: &Server, lab: &Lab) {
    let state = lab.dir.path().join("state");
    let mark = read(lab.service.ledger(), |book| book.dataset("omop").and_then(|whole| whole.edition.clone()));
    let mark = mark.expect("an edition");
    let manifest = Manifest::open(&state, &mark.id, &mark.commitment).expect("an edition");
    server.psql(&repository_file("tests/data/omop/postgresql.sql")).expect("tables");
    for (table, csv) in sealed::tables(&manifest, &state) {
        let file = lab.dir.path().join(format!("{table}.sealed.csv"));
        fs::write(&file, csv).expect("a file");
        let load = format!("\\copy omop.{table} FROM '{}' WITH (FORMAT csv, HEADER true)\n", file.display());
        server.psql(&load).unwrap_or_else(|| panic!("{table} is loaded"));
    }
    server.psql("ANALYZE").expect("statistics");
}

#[test]
fn what_achilles_asks_is_answered_as_postgresql_answers_it() {
    let Some(eunomia) = eunomia() else {
        println!("skipped: OHDSI's Eunomia set is not in ../shared/data/eunomia");
        return;
    };
    let Some(server) = Server::found() else {
        println!("skipped: there is no PostgreSQL here to compare with (Debian's package is postgresql)");
        return;
    };
    let lab = Lab::over(sources(&eunomia), &policy(), Arc::new(NoNoise), "100");
    loaded(&server, &lab);
    let only = std::env::var("TACIT_ACHILLES").unwrap_or_default();
    let (mut equal, mut numbered, mut faults) = (0, 0, BTreeMap::new());
    for (name, file) in questions() {
        if !only.is_empty() && !only.split(',').any(|one| one == name) {
            continue;
        }
        let is_numbered = name.parse::<u32>().is_ok();
        numbered += usize::from(is_numbered);
        let found = exact(&lab, &file.sql).and_then(|table| {
            let sql = format!("SET search_path = omop;\nSET TimeZone = 'UTC';\n{}", file.sql);
            let theirs = server.psql(&sql).ok_or("PostgreSQL refuses it")?;
            compare(&name, &table, &theirs)
        });
        match found {
            Ok(Compared { shared, empty }) => {
                println!("{name}: {shared} rows are equal, {empty} are empty groups");
                equal += usize::from(is_numbered);
            }
            Err(fault) => {
                faults.insert(name, fault);
            }
        }
    }
    println!("{equal} of {numbered} numbered analyses are answered as PostgreSQL answers them, before noise");
    for (name, fault) in &faults {
        println!("{name}: {fault}");
    }
    let known = DIFFERENT
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| only.is_empty() || only.split(',').any(|one| one == *name));
    assert!(faults.keys().map(String::as_str).eq(known), "{:?}", faults.keys());
    assert!(equal * 100 >= numbered * EQUAL_PERCENT_MIN, "{equal} of {numbered}");
    if only.is_empty() {
        let (taken, compared, faults) = forms::check(&lab, &server);
        println!(
            "{taken} forms over several tables are taken, {compared} of them are answered as PostgreSQL answers them"
        );
        faults.iter().for_each(|fault| println!("{fault}"));
        assert!(faults.is_empty(), "{} forms are not as they are marked", faults.len());
    }
}
