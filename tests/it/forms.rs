//! The forms of questions in `tests/data/forms`: each is taken or refused as its file says, and reads back from its canonical SQL.
//!
//! A statement ends with `;` and has its marks on the comment lines before it: `taken` or `refused: why`; `not yet: why` where today it is the
//! other way round; `differs: why`, where our answer is known to be another; `compare`, whose answer before noise is PostgreSQL's; `spelling`, which is no PostgreSQL; `same as: <SQL>`, which has
//! the same answer. `TACIT_FORMS=list` prints every form that is not as it is marked instead of failing.

mod compared;

use std::path::{Path, PathBuf};

use tacit::query::canonical;
use tacit::query::error::{Code, QueryError};
use tacit::query::parse::{self, SqlStatement, asked_on};
use tacit::query::plan::{Plan, plan};
use tacit::query::syntax::Query;
use tacit::query::terms::policy::{Policy, Terms};

use crate::support::repository_file;

/// The day on which the forms are asked, 2026-09-21, from 1970-01-01.
const TODAY: i32 = 20_717;

/// One statement with its marks.
pub struct Form {
    /// File name and number of the statement within it, from 1.
    pub place: String,
    pub sql: String,
    pub is_taken: bool,
    pub is_late: bool,
    pub is_compared: bool,
    /// Whether its answer is known to be another than PostgreSQL's.
    pub is_different: bool,
    pub same_as: Vec<String>,
}

impl Form {
    fn of(file: &str, number: usize, text: &str) -> Self {
        let (marks, words): (Vec<&str>, Vec<&str>) =
            text.lines().filter(|line| !line.trim().is_empty()).partition(|line| line.starts_with("--"));
        let marks: Vec<&str> = marks.iter().map(|mark| mark.trim_start_matches("--").trim()).collect();
        let place = format!("{file} {number}");
        let has = |word: &str| marks.contains(&word);
        let is_refused = marks.iter().any(|mark| mark.starts_with("refused: "));
        assert!(has("taken") != is_refused, "{place} is either taken or refused: {marks:?}");
        for mark in &marks {
            let is_known = ["taken", "compare", "spelling"].contains(mark)
                || ["refused: ", "not yet: ", "same as: ", "differs: "].iter().any(|known| mark.starts_with(known));
            assert!(is_known, "{place} has an unknown mark: {mark}");
        }
        Self {
            place,
            sql: words.join("\n"),
            is_taken: !is_refused,
            is_late: marks.iter().any(|mark| mark.starts_with("not yet: ")),
            is_compared: has("compare"),
            is_different: marks.iter().any(|mark| mark.starts_with("differs: ")),
            same_as: marks.iter().filter_map(|mark| mark.strip_prefix("same as: ")).map(str::to_owned).collect(),
        }
    }
}

/// The forms of the files whose names are accepted, in order.
pub fn forms(is_wanted: impl Fn(&str) -> bool) -> Vec<Form> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/forms");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").map(|one| one.expect("a file").path()).collect();
    files.sort();
    let mut forms = Vec::new();
    for path in files {
        let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
        if !is_wanted(&name) {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a file");
        let (_, body) = text.split_once("\n\n").expect("a head, and statements");
        let mut statement = String::new();
        let mut number = 0;
        for line in body.lines() {
            match line.strip_suffix(';').filter(|line| !line.starts_with("--")) {
                Some(last) => {
                    statement.push_str(last);
                    number += 1;
                    forms.push(Form::of(&name, number, &statement));
                    statement.clear();
                }
                None => {
                    statement.push_str(line);
                    statement.push('\n');
                }
            }
        }
        assert!(statement.trim().is_empty(), "{name} ends within a statement");
    }
    forms
}

/// The demo's policy, over sources of the test's own.
pub fn demo() -> String {
    repository_file("src/demo/visits.toml")
        .replace("visits.parquet", "visits.csv")
        .replace("patients.parquet", "patients.csv")
}

/// The question of a text, asked on the day of the forms.
pub fn question(sql: &str) -> Result<Query, QueryError> {
    match asked_on(sql, Some(TODAY))? {
        SqlStatement::Question(query) => Ok(query),
        SqlStatement::Explain(_) => Err(parse::explain_refused()),
        SqlStatement::Constants(_) => Err(parse::constants_refused()),
    }
}

/// Plans a form, as the service does: its canonical SQL must have the same plan.
pub fn planned(sql: &str, dataset: &str, terms: &Terms) -> Result<Plan, QueryError> {
    let query = question(sql)?;
    // A joined table that is asked by itself is a dataset of its own.
    let alone = terms.joins.iter().find(|join| query.tables().iter().all(|(_, name)| name.text == join.name));
    let own = alone.map(|join| terms.of_table(join));
    let (dataset, terms) = (alone.map_or(dataset, |join| &join.name), own.as_ref().unwrap_or(terms));
    let first = plan(&query.about(dataset), terms, None)?;
    let text = canonical::sql(&first, terms);
    let broken = |what: &str| QueryError::whole(Code::InvalidRequest, format!("the canonical SQL {what}: {text}"));
    let second = parse::parse(&text)
        .and_then(|query| plan(&query.about(dataset), terms, Some(first.rows_per_unit)))
        .map_err(|error| broken(&format!("is refused ({error})")))?;
    if !first.parts().eq(second.parts()) || first.layout != second.layout || first.together != second.together {
        return Err(broken("has another plan"));
    }
    Ok(first)
}

/// Whether a form is taken: an EXPLAIN by its question, and constants without a dataset as they are.
fn taken(sql: &str, dataset: &str, terms: &Terms) -> Result<(), QueryError> {
    match asked_on(sql, Some(TODAY))? {
        SqlStatement::Question(_) => planned(sql, dataset, terms).map(|_| ()),
        SqlStatement::Explain(query) => plan(&query.about(dataset), terms, None).map(|_| ()),
        SqlStatement::Constants(_) => Ok(()),
    }
}

fn check(forms: &[Form], dataset: &str, terms: &Terms) -> [usize; 3] {
    let is_listed = std::env::var("TACIT_FORMS").is_ok();
    let (mut taken, mut refused, mut late) = (0, 0, 0);
    let mut faults = Vec::new();
    for form in forms {
        let found = self::taken(&form.sql, dataset, terms);
        match (form.is_late, found.is_ok() == form.is_taken, form.is_taken) {
            (false, true, true) => taken += 1,
            (false, true, false) => refused += 1,
            (true, false, _) => late += 1,
            (true, true, _) => faults.push(format!("{}\tnow as marked\t\t{}", form.place, form.sql)),
            (false, false, _) => {
                let why = found.as_ref().map_or_else(
                    |error| format!("{}\t{}", error.message, error.hint.clone().unwrap_or_default()),
                    |_| "is planned\t".to_owned(),
                );
                faults.push(format!("{}\t{why}\t{}", form.place, form.sql));
            }
        }
    }
    println!("{dataset}: {taken} forms taken, {refused} refused, {late} not yet as they are marked");
    for fault in &faults {
        println!("@@{fault}");
    }
    assert!(
        faults.is_empty() || is_listed,
        "{} forms are not as they are marked:\n{}",
        faults.len(),
        faults.join("\n")
    );
    [taken, refused, late]
}

#[test]
fn every_form_is_as_it_is_marked() {
    let terms = Policy::parse(&demo()).unwrap_or_else(|faults| panic!("{faults:?}")).terms;
    let forms = forms(|name| !name.starts_with("omop-"));
    let [taken, refused, late] = check(&forms, "visits", &terms);
    let marked = forms.iter().filter(|form| form.is_taken).count();
    assert!(taken >= 650, "{taken} of {marked} forms are taken");
    assert!(refused >= 60, "{refused} forms are refused");
    println!("{late} of {} forms are not yet as they are marked", forms.len());
}
