//! The forms that PostgreSQL answers, too: before noise, both answers are the same, cell by cell.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use tacit::kernel::privacy::mechanism::{Mechanism, NoiseLaw};
use tacit::kernel::vault::release::NoisyVector;
use tacit::query::answer::{Cell, ColumnKind, Table, tabulate};
use tacit::query::terms::domain::date_text;

use super::{demo, forms, planned};
use crate::postgres::{Server, programs};
use crate::support::{Lab, NoNoise, block_on};

const SEED: u64 = 61;
const PEOPLE: usize = 160;

/// The two tables as CSV. Days and costs of a person's rows differ, so that no order within a person is ambiguous.
fn tables() -> (String, String) {
    let rng = &mut StdRng::seed_from_u64(SEED);
    let mut visits = "patient_id,region,sex,smoker,age,visited,diagnosis,emergency,cost,hba1c,drug\n".to_owned();
    let mut patients = "patient_id,insurer,registered\n".to_owned();
    let diagnoses =
        ["asthma", "back pain", "copd", "depression", "diabetes", "hypertension", "infection", "injury", "check-up"];
    for person in 0..PEOPLE {
        let insurer = ["public", "public", "private", "none"].choose(rng).expect("one");
        let registered = date_text(rng.random_range(10_957..20_454));
        writeln!(patients, "{person},{insurer},{registered}").expect("text");
        let region = ["north", "north", "east", "south", "west"].choose(rng).expect("one");
        let sex = ["female", "male", "male", "other"].choose(rng).expect("one");
        let smoker = ["true", "false", "false", ""].choose(rng).expect("one");
        let born: i32 = rng.random_range(1_915..2_019);
        // Every tenth person has no visit.
        let rows = if person % 10 == 9 { 0 } else { rng.random_range(1..=8) };
        let mut days: Vec<i32> = Vec::new();
        let mut costs: Vec<i32> = Vec::new();
        while days.len() < rows {
            // Days close to one another are as frequent as days far apart.
            let near = days.last().map_or(18_500, |day| day + rng.random_range(1..40)).min(20_453);
            let day = if rng.random_bool(0.5) { near } else { rng.random_range(18_262..20_454) };
            let cost = if rng.random_bool(0.1) { 100 * rng.random_range(0..20) } else { rng.random_range(0..=200_000) };
            if !days.contains(&day) && !costs.contains(&cost) {
                days.push(day);
                costs.push(cost);
            }
        }
        for (day, cost) in days.iter().zip(&costs) {
            let date = date_text(*day);
            let age = (date[..4].parse::<i32>().expect("a year") - born).clamp(0, 110);
            let diagnosis = diagnoses.choose(rng).expect("one");
            let hba1c = if rng.random_bool(0.5) {
                String::new()
            } else {
                let of: i32 = rng.random_range(40..150);
                format!("{}.{}", of / 10, of % 10)
            };
            let emergency = rng.random_bool(0.3);
            let drug = ["", "metformin", "aspirin"].choose(rng).expect("one");
            writeln!(
                visits,
                "{person},{region},{sex},{smoker},{age},{date},{diagnosis},{emergency},{}.{:02},{hba1c},{drug}",
                cost / 100,
                cost % 100
            )
            .expect("text");
        }
    }
    (visits, patients)
}

/// A value as both would write it: a number, or a text.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    None,
    Number(f64),
    Text(String),
}

impl Value {
    fn of(text: &str, kind: ColumnKind) -> Self {
        match (kind, text) {
            (_, "") => Self::None,
            (ColumnKind::BooleanKey | ColumnKind::Formula, "t") => Self::Text("true".to_owned()),
            (ColumnKind::BooleanKey | ColumnKind::Formula, "f") => Self::Text("false".to_owned()),
            // A truncated date is a time in PostgreSQL.
            (_, text) => {
                let text = text.strip_suffix("+00").unwrap_or(text);
                let text = text.strip_suffix(" 00:00:00").unwrap_or(text);
                let is_number = text.bytes().any(|letter| letter.is_ascii_digit());
                let number = text.parse().ok().filter(|_| is_number);
                number.map_or_else(|| Self::Text(text.to_owned()), Self::Number)
            }
        }
    }

    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(one), Self::Number(other)) => (one - other).abs() <= 1e-9 * other.abs().max(1.0),
            (Self::None | Self::Number(_) | Self::Text(_), _) => self == other,
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::None | Self::Number(0.0))
    }

    /// The word by which keys are found.
    fn word(&self) -> String {
        match self {
            Self::None => String::new(),
            Self::Number(number) => format!("{:.6}", number + 0.0),
            Self::Text(text) => text.clone(),
        }
    }
}

/// How the answers differ: what PostgreSQL gives must be in our table, and what it does not give must be an empty group.
fn difference(table: &Table, theirs: &str) -> Option<String> {
    let places: Vec<usize> = table
        .columns
        .iter()
        .map(|column| table.names.iter().position(|name| *name == column.name).expect("a column"))
        .collect();
    let kinds: Vec<ColumnKind> = places.iter().map(|place| table.kinds[*place]).collect();
    let is_key: Vec<bool> = kinds.iter().map(|kind| kind.is_key()).collect();
    let row_of = |row: &[Cell]| -> Vec<Value> {
        places
            .iter()
            .zip(&kinds)
            .map(|(place, kind)| Value::of(&row[*place].text().unwrap_or_default(), *kind))
            .collect()
    };
    let mut reader = csv::ReaderBuilder::new().from_reader(theirs.as_bytes());
    let theirs: Vec<Vec<Value>> = reader
        .records()
        .map(|record| record.expect("a record").iter().zip(&kinds).map(|(text, kind)| Value::of(text, *kind)).collect())
        .collect();
    let key = |row: &[Value]| -> Vec<String> {
        row.iter().zip(&is_key).filter(|(_, is_key)| **is_key).map(|(value, _)| value.word()).collect()
    };
    let mut left: BTreeMap<Vec<String>, Vec<Vec<Value>>> = BTreeMap::new();
    for row in table.rows.iter().map(|row| row_of(row)) {
        left.entry(key(&row)).or_default().push(row);
    }
    for row in &theirs {
        let Some(own) = left.get_mut(&key(row)) else {
            return Some(format!("we have no {row:?}; ours begin {:?}", left.iter().take(3).collect::<Vec<_>>()));
        };
        let Some(place) =
            own.iter().position(|own| own.len() == row.len() && own.iter().zip(row).all(|(own, row)| own.is(row)))
        else {
            return Some(format!("theirs {row:?}, ours {own:?}"));
        };
        own.remove(place);
    }
    // What is computed of keys after the noise is there in an empty group, too.
    let is_measured = |kind: &ColumnKind| matches!(kind, ColumnKind::Count(_) | ColumnKind::Sum(_));
    let has_measured = kinds.iter().any(is_measured);
    let is_empty = |row: &Vec<Value>| {
        let looked_at = |place: usize| if has_measured { is_measured(&kinds[place]) } else { !is_key[place] };
        row.iter().enumerate().all(|(place, value)| !looked_at(place) || value.is_empty())
    };
    left.values().flatten().find(|row| !is_empty(row)).map(|row| format!("they have no {row:?}"))
}

/// A server with both tables.
fn loaded(server: Server, visits: &str, patients: &str) -> Server {
    server
        .psql(&format!(
            "CREATE TABLE visits (patient_id integer, region text, sex text, smoker boolean, age integer, visited date, diagnosis text, \
             emergency boolean, cost numeric, hba1c numeric, drug text);\n\
             CREATE TABLE patients (patient_id integer, insurer text, registered date);\n\
             COPY visits FROM STDIN WITH (FORMAT csv, HEADER true);\n{visits}\\.\n\
             COPY patients FROM STDIN WITH (FORMAT csv, HEADER true);\n{patients}\\.\n"
        ))
        .expect("two tables");
    server
}

#[test]
fn forms_are_answered_as_postgresql_answers_them() {
    let Some(bin) = programs() else {
        println!("skipped: there is no PostgreSQL here to compare with (Debian's package is postgresql)");
        return;
    };
    let dir = tempfile::tempdir().expect("a folder");
    let (visits, patients) = tables();
    std::fs::write(dir.path().join("visits.csv"), &visits).expect("a source");
    std::fs::write(dir.path().join("patients.csv"), &patients).expect("a source");
    let server = loaded(Server::start(bin), &visits, &patients);
    // Without groups by text, nothing needs a delta: the cap is pure, and so the integers are those of the rows.
    let policy = demo()
        .replace("accountant = \"gaussian\"", "accountant = \"pure\"")
        .replace("cap = { epsilon = \"4\", delta = \"1e-9\" }", "cap = { epsilon = \"100\" }")
        .lines()
        .filter(|line| !line.starts_with("threshold_delta"))
        .fold(String::new(), |text, line| text + line + "\n");
    let lab = Lab::over(dir, &policy, Arc::new(NoNoise), "100");
    let terms = &lab.service.dataset("visits").expect("visits").terms;
    let is_listed = std::env::var("TACIT_FORMS").is_ok();
    let (mut compared, mut same, mut faults) = (0, 0, Vec::new());
    for form in forms(|name| !name.starts_with("omop-")) {
        if !form.is_taken || form.is_late {
            continue;
        }
        let Ok(plan) = planned(&form.sql, "visits", terms) else { continue };
        if form.is_different {
            continue;
        }
        let is_same =
            |other: &String| planned(other, "visits", terms).is_ok_and(|other| other.parts().eq(plan.parts()));
        same += usize::from(form.same_as.iter().any(is_same));
        // A form that PostgreSQL does not have is compared with PostgreSQL's answer to the one that means the same.
        let asked = if form.is_compared { Some(&form.sql) } else { form.same_as.first() };
        let Some(asked) = asked else { continue };
        let Some(theirs) = server.psql(asked) else {
            faults.push(format!("{}\tPostgreSQL refuses\t{asked}", form.place));
            continue;
        };
        let reply = block_on(lab.sql(&form.sql, "0.001")).json();
        let Some(release) = reply["release"].as_str() else {
            faults.push(format!("{}\tthe service says {reply}\t{}", form.place, form.sql));
            continue;
        };
        let stored = lab.service.stored_answer(release).expect("an answer");
        // Tiny errors, so that nothing is rounded to the digits that an error justifies.
        let law = NoiseLaw { mechanism: Mechanism::DiscreteGaussian, fine_bits: 0, scale: 1e-12 };
        let vectors: Vec<NoisyVector> = stored.vectors().iter().map(|one| NoisyVector { law, ..one.clone() }).collect();
        let table = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| tabulate(&plan.layout, &vectors)));
        let Ok(table) = table else {
            faults.push(format!("{}\tthe answer is of another shape\t{}", form.place, form.sql));
            continue;
        };
        match difference(&table, &theirs) {
            None => compared += 1,
            Some(what) => faults.push(format!("{}\t{what}\t{}", form.place, form.sql)),
        }
    }
    println!("{compared} forms answered as PostgreSQL answers them, before noise; {same} computed as another form is");
    for fault in &faults {
        println!("##{fault}");
    }
    assert!(faults.is_empty() || is_listed, "{} forms differ:\n{}", faults.len(), faults.join("\n"));
    assert!(compared >= 480, "{compared} forms");
}
