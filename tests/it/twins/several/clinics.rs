//! Neighbouring datasets of several tables: those of each pair differ by one unit and all its rows, in whichever tables it has some.

use std::path::Path;

use polars::prelude::{Column, DataType};
use tacit::query::terms::domain::date_days;

use crate::twins::pairs::parquet;

/// People with one row each, conditions, drugs and stays, a list of codes and a calendar of months.
pub const POLICY: &str = r#"
[dataset]
name = "clinic"
privacy_unit = "patient_id"
cap = { epsilon = "100", delta = "1e-6" }

[[table]]
name = "people"
source = "people.parquet"
one_row_per_unit = true
max_rows = 1_000
[[table.column]]
name = "sex"
type = "category"
values = ["f", "m"]
nullable = true
[[table.column]]
name = "born"
type = "integer"
min = 1930
max = 2020
nullable = true
[[table.column]]
name = "joined"
type = "date"
min = 2022-01-01
max = 2024-12-31
nullable = true

[[table]]
name = "conditions"
source = "conditions.parquet"
max_rows_per_unit = 4
max_rows = 4_000
[[table.column]]
name = "code"
type = "category"
values_from = "codes.code"
nullable = true
[[table.column]]
name = "found"
type = "date"
min = 2022-01-01
max = 2024-12-31
nullable = true
[[table.column]]
name = "score"
type = "integer"
min = 0
max = 40
nullable = true
[[table.column]]
name = "severe"
type = "boolean"
nullable = true

[[table]]
name = "drugs"
source = "drugs.parquet"
max_rows_per_unit = 3
max_rows = 3_000
[[table.column]]
name = "code"
type = "category"
values_from = "codes.code"
nullable = true
[[table.column]]
name = "given"
type = "date"
min = 2022-01-01
max = 2024-12-31
nullable = true
[[table.column]]
name = "dose"
type = "decimal"
min = "0"
max = "10"
step = "0.5"
nullable = true

[[table]]
name = "stays"
source = "stays.parquet"
max_rows_per_unit = 2
max_rows = 2_000
[[table.column]]
name = "began"
type = "date"
min = 2022-01-01
max = 2024-12-31
nullable = true
[[table.column]]
name = "ended"
type = "date"
min = 2022-01-01
max = 2024-12-31
nullable = true

[[public]]
name = "codes"
source = "codes.csv"
columns = ["code", "label", "chapter"]

[[public]]
name = "months"
source = "months.csv"
columns = ["month", "first_day", "last_day"]
"#;

/// The calendar ends before the domain of days does, and one code has no label.
const CODES: &str = "code,label,chapter\na10,fever,1\na11,cough,1\nb20,pain,2\nb21,,2\nc30,rare,3\n";
const MONTHS: &str = "month,first_day,last_day\n1,2023-01-01,2023-01-31\n2,2023-02-01,2023-02-28\n3,2023-03-01,2023-03-31\n\
                      4,2023-04-01,2023-04-30\n";

#[derive(Clone)]
struct Person {
    who: String,
    sex: Option<String>,
    born: Option<i64>,
    joined: Option<i32>,
}

#[derive(Clone)]
struct Condition {
    who: String,
    code: Option<String>,
    found: Option<i32>,
    score: Option<i64>,
    severe: Option<bool>,
}

#[derive(Clone)]
struct Drug {
    who: String,
    code: Option<String>,
    given: Option<i32>,
    dose: Option<f64>,
}

#[derive(Clone)]
struct Stay {
    who: String,
    began: Option<i32>,
    ended: Option<i32>,
}

/// Rows of all tables.
#[derive(Clone, Default)]
pub struct Clinic {
    people: Vec<Person>,
    conditions: Vec<Condition>,
    drugs: Vec<Drug>,
    stays: Vec<Stay>,
}

/// The day of this number in 2023, from 0.
fn day(number: usize) -> Option<i32> {
    date_days("2023-01-01").map(|first| first + number as i32)
}

impl Clinic {
    /// A person with one ordinary row in each table.
    fn person(who: &str) -> Self {
        let who = || who.to_owned();
        let code = |code: &str| Some(code.to_owned());
        Self {
            people: vec![Person { who: who(), sex: code("f"), born: Some(1960), joined: day(3) }],
            conditions: vec![Condition {
                who: who(),
                code: code("a10"),
                found: day(20),
                score: Some(7),
                severe: Some(true),
            }],
            drugs: vec![Drug { who: who(), code: code("b20"), given: day(30), dose: Some(2.5) }],
            stays: vec![Stay { who: who(), began: day(10), ended: day(40) }],
        }
    }

    /// A person with so many different rows in each table of events.
    fn many(who: &str, rows: usize) -> Self {
        let codes = ["a10", "b20", "a11", "b21"];
        let one = Self::person(who);
        let (condition, drug, stay) = (&one.conditions[0], &one.drugs[0], &one.stays[0]);
        let code = |at: usize| Some(codes[at % codes.len()].to_owned());
        let condition = |at: usize| Condition {
            code: code(at),
            found: day(at * 9 % 300),
            score: Some(at as i64),
            severe: Some(at.is_multiple_of(2)),
            ..condition.clone()
        };
        let drug =
            |at: usize| Drug { code: code(at + 1), given: day(at * 13 % 300), dose: Some(at as f64), ..drug.clone() };
        let stay = |at: usize| Stay { began: day(at * 50 % 300), ended: day(at * 50 % 300 + 30), ..stay.clone() };
        Self {
            conditions: (0..rows).map(condition).collect(),
            drugs: (0..rows).map(drug).collect(),
            stays: (0..rows).map(stay).collect(),
            people: one.people.clone(),
        }
    }

    fn and(mut self, other: Self) -> Self {
        self.people.extend(other.people);
        self.conditions.extend(other.conditions);
        self.drugs.extend(other.drugs);
        self.stays.extend(other.stays);
        self
    }

    fn without_people(self) -> Self {
        Self { people: Vec::new(), ..self }
    }

    fn without_conditions(self) -> Self {
        Self { conditions: Vec::new(), ..self }
    }

    fn without_drugs(self) -> Self {
        Self { drugs: Vec::new(), ..self }
    }

    fn without_stays(self) -> Self {
        Self { stays: Vec::new(), ..self }
    }

    /// Writes the tables of these people, with the unit or without it, and the public tables.
    pub fn write(&self, unit: &Self, has_unit: bool, dir: &Path) {
        let all = if has_unit { self.clone().and(unit.clone()) } else { self.clone() };
        let days =
            |name: &str, days: Vec<Option<i32>>| Column::new(name.into(), days).cast(&DataType::Date).expect("dates");
        let who = |who: Vec<&str>| Column::new("patient_id".into(), who);
        let (people, conditions, drugs, stays) = (&all.people, &all.conditions, &all.drugs, &all.stays);
        parquet(
            &dir.join("people.parquet"),
            vec![
                who(people.iter().map(|row| row.who.as_str()).collect()),
                Column::new("sex".into(), people.iter().map(|row| row.sex.clone()).collect::<Vec<_>>()),
                Column::new("born".into(), people.iter().map(|row| row.born).collect::<Vec<_>>()),
                days("joined", people.iter().map(|row| row.joined).collect()),
            ],
        );
        parquet(
            &dir.join("conditions.parquet"),
            vec![
                who(conditions.iter().map(|row| row.who.as_str()).collect()),
                Column::new("code".into(), conditions.iter().map(|row| row.code.clone()).collect::<Vec<_>>()),
                days("found", conditions.iter().map(|row| row.found).collect()),
                Column::new("score".into(), conditions.iter().map(|row| row.score).collect::<Vec<_>>()),
                Column::new("severe".into(), conditions.iter().map(|row| row.severe).collect::<Vec<_>>()),
            ],
        );
        parquet(
            &dir.join("drugs.parquet"),
            vec![
                who(drugs.iter().map(|row| row.who.as_str()).collect()),
                Column::new("code".into(), drugs.iter().map(|row| row.code.clone()).collect::<Vec<_>>()),
                days("given", drugs.iter().map(|row| row.given).collect()),
                Column::new("dose".into(), drugs.iter().map(|row| row.dose).collect::<Vec<_>>()),
            ],
        );
        parquet(
            &dir.join("stays.parquet"),
            vec![
                who(stays.iter().map(|row| row.who.as_str()).collect()),
                days("began", stays.iter().map(|row| row.began).collect()),
                days("ended", stays.iter().map(|row| row.ended).collect()),
            ],
        );
        std::fs::write(dir.join("codes.csv"), CODES).expect("a source");
        std::fs::write(dir.join("months.csv"), MONTHS).expect("a source");
    }
}

/// Some people, of whom each is missing in another table; nobody has the rare code.
fn others() -> Clinic {
    let mut all = Clinic::default();
    for person in 0..9_usize {
        let mut one = Clinic::many(&format!("p{person}"), 1 + person % 4);
        one.people[0].sex = [Some("f"), Some("m"), None][person % 3].map(str::to_owned);
        one.people[0].born = Some(1940 + 8 * person as i64);
        one.people[0].joined = day(5 * person);
        all = all.and(match person % 5 {
            0 => one.without_people(),
            1 => one.without_conditions(),
            2 => one.without_drugs(),
            3 => one.without_stays(),
            _ => one,
        });
    }
    all
}

/// A pair over the other people, in which the unit has one ordinary row in each table except for what `change` does.
fn with(name: &'static str, change: impl Fn(&mut Clinic)) -> (&'static str, Clinic, Clinic) {
    let mut unit = Clinic::person("new");
    change(&mut unit);
    (name, others(), unit)
}

/// Changes all days of the unit.
fn on(unit: &mut Clinic, day: Option<i32>) {
    unit.people.iter_mut().for_each(|row| row.joined = day);
    unit.conditions.iter_mut().for_each(|row| row.found = day);
    unit.drugs.iter_mut().for_each(|row| row.given = day);
    unit.stays.iter_mut().for_each(|row| (row.began, row.ended) = (day, day));
}

/// Changes all numbers of the unit.
fn numbers(unit: &mut Clinic, whole: i64, decimal: f64) {
    unit.people.iter_mut().for_each(|row| row.born = Some(whole));
    unit.conditions.iter_mut().for_each(|row| row.score = Some(whole));
    unit.drugs.iter_mut().for_each(|row| row.dose = Some(decimal));
}

/// Changes all codes of the unit.
fn coded(unit: &mut Clinic, code: Option<&str>) {
    unit.conditions.iter_mut().for_each(|row| row.code = code.map(str::to_owned));
    unit.drugs.iter_mut().for_each(|row| row.code = code.map(str::to_owned));
}

/// All pairs, each with its name, the rows of the others and those of the unit.
pub fn pairs() -> Vec<(&'static str, Clinic, Clinic)> {
    let new = || Clinic::person("new");
    let hostile = "'; DROP TABLE people; --\u{202e}\u{feff}\\\" OR 1=1 \n\t";
    let named = |mut unit: Clinic, who: &str| {
        unit.people.iter_mut().for_each(|row| row.who = who.to_owned());
        unit.conditions.iter_mut().for_each(|row| row.who = who.to_owned());
        unit.drugs.iter_mut().for_each(|row| row.who = who.to_owned());
        unit.stays.iter_mut().for_each(|row| row.who = who.to_owned());
        unit
    };
    let empty = Clinic::default;
    vec![
        ("one row in each table", others(), new()),
        ("a unit among the people alone", others(), new().without_conditions().without_drugs().without_stays()),
        ("a unit with conditions alone", others(), new().without_people().without_drugs().without_stays()),
        ("a unit with drugs alone", others(), new().without_people().without_conditions().without_stays()),
        ("a unit with stays alone", others(), new().without_people().without_conditions().without_drugs()),
        ("a unit without conditions", others(), Clinic::many("new", 3).without_conditions()),
        ("a unit that is in no list of people", others(), Clinic::many("new", 4).without_people()),
        ("a unit with all rows in many groups", others(), Clinic::many("new", 4)),
        ("a unit with far more rows than count", others(), Clinic::many("new", 300)),
        ("a unit with rows that are all equal", others(), (0..9).fold(empty(), |all, _| all.and(new()))),
        ("a unit with two rows that contradict each other", others(), {
            let mut other = new();
            (other.people[0].sex, other.people[0].born) = (Some("m".to_owned()), Some(2001));
            new().and(other)
        }),
        ("empty against one unit", empty(), new()),
        ("empty against a unit with all rows", empty(), Clinic::many("new", 4)),
        with("values at the lower bound", |unit| numbers(unit, 0, 0.0)),
        with("values at the upper bound", |unit| numbers(unit, 40, 10.0)),
        with("values below every bound", |unit| numbers(unit, i64::MIN, f64::MIN)),
        with("values above every bound", |unit| numbers(unit, i64::MAX, f64::MAX)),
        with("not a number", |unit| numbers(unit, 7, f64::NAN)),
        with("infinity", |unit| numbers(unit, 7, f64::INFINITY)),
        with("missing everywhere", |unit| {
            on(unit, None);
            coded(unit, None);
            unit.people.iter_mut().for_each(|row| (row.sex, row.born) = (None, None));
            unit.conditions.iter_mut().for_each(|row| (row.score, row.severe) = (None, None));
            unit.drugs.iter_mut().for_each(|row| row.dose = None);
        }),
        with("a listed code that nobody else has", |unit| coded(unit, Some("c30"))),
        with("a code that the public list has without a label", |unit| coded(unit, Some("b21"))),
        with("a code that is not in the public list", |unit| coded(unit, Some("z99"))),
        with("the first day", |unit| on(unit, date_days("2022-01-01"))),
        with("a day that the calendar does not have", |unit| on(unit, date_days("2024-12-31"))),
        with("a day past the end", |unit| on(unit, date_days("2026-01-01"))),
        with("a day beyond any calendar", |unit| on(unit, Some(i32::MAX))),
        with("a day before any calendar", |unit| on(unit, Some(i32::MIN))),
        with("a stay that ends before it begins", |unit| {
            unit.stays.iter_mut().for_each(|row| (row.began, row.ended) = (row.ended, row.began));
        }),
        ("all events on one day", others(), {
            let mut unit = Clinic::many("new", 6);
            on(&mut unit, day(20));
            unit
        }),
        ("hostile text for a unit", others(), named(Clinic::many("new", 2), hostile)),
        with("hostile text for a code", move |unit| coded(unit, Some(&hostile.repeat(1 << 14)))),
    ]
}
