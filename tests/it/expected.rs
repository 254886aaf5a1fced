//! Sharpness of expected errors: how near the half-width that a quote says comes to those that answers show, for every kind of output.
//!
//! Over a clinic like the demo's and the RAND experiment's person-years, groups of 200 rows and more. A quote is right about an answer if
//! its half-width is within a factor of 1.25 of the one shown, when it is asked for the group's true number of rows.
//!
//! How wide an interval is shown depends on the noise. So each answer is drawn many times, and beside how often quotes are right stands how
//! often the best single number would be, the median of all that is shown: no quote can be right more often. Groups where that best
//! number is right in nine of ten answers are *foreseeable*: there a quote that knows how values are spread has to be right, too. For all
//! groups, the range that the quote gives has to hold nine of ten of the half-widths shown.

mod tables;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::http::Method;
use dashu::integer::IBig;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand_distr::{Distribution, Normal};
use serde_json::{Value, json};
use tacit::kernel::privacy::mechanism::NoiseLaw;
use tacit::kernel::vault::noise::{NoiseFault, NoiseSource};
use tacit::query::answer::{Table as Answer, tabulate};
use tacit::query::parse::parse;
use tacit::query::plan::plan;

use self::tables::{Table, clinic, randhie};
use crate::support::{Lab, NoNoise, block_on, call, redrawn};

/// How often each answer is drawn.
const DRAWS: usize = 24;
/// Largest number of groups of a key that are looked at.
const GROUPS_MAX: usize = 12;
const EPSILON: &str = "0.9";
/// The part of answers that have to be as a quote says.
const ASKED: f64 = 0.9;

/// Gaussian noise from a seed.
struct Seeded(Mutex<StdRng>);

impl Seeded {
    fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl NoiseSource for Seeded {
    fn draw(&self, law: &NoiseLaw, cells: usize) -> Result<Vec<IBig>, NoiseFault> {
        let mut rng = self.0.lock().expect("a seed");
        let normal = Normal::new(0.0, law.std_error() * 2_f64.powi(law.fine_bits.cast_signed())).expect("a law");
        let whole = |value: f64| IBig::try_from(value.round()).expect("a number");
        Ok((0..cells).map(|_| whole(normal.sample(&mut *rng))).collect())
    }
}

/// What is known when a quote is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// Nothing but bounds.
    First,
    /// What the policy states.
    Stated,
    /// Answers about other keys.
    Answers,
}

/// The expected half-width of one output in one group, with its range, and those that answers show; `None` is lost in noise.
struct Case {
    expected: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    shown: Vec<Option<f64>>,
}

impl Case {
    fn is_near(expected: Option<f64>, shown: Option<f64>, factor: f64) -> bool {
        match (expected, shown) {
            // A column of few whole numbers has percentiles without any error.
            (Some(expected), Some(shown)) if expected.max(shown) < 1e-9 => true,
            (Some(expected), Some(shown)) => (0.8..=1.25).contains(&(factor * expected / shown)),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    fn part(&self, holds: impl Fn(Option<f64>) -> bool) -> f64 {
        self.shown.iter().filter(|shown| holds(**shown)).count() as f64 / self.shown.len() as f64
    }

    /// The part of answers about which the quote is right if its half-width is `factor` times what it is.
    fn right(&self, factor: f64) -> f64 {
        self.part(|shown| Self::is_near(self.expected, shown, factor))
    }

    /// The part of answers about which the best single number is right.
    fn best(&self) -> f64 {
        let mut sorted: Vec<f64> = self.shown.iter().map(|shown| shown.unwrap_or(f64::INFINITY)).collect();
        sorted.sort_by(f64::total_cmp);
        let middle = Some(sorted[sorted.len() / 2]).filter(|width| width.is_finite());
        self.part(|shown| Self::is_near(middle, shown, 1.0))
    }

    /// The part of answers whose half-width is in the range that the quote gives.
    fn held(&self) -> f64 {
        // What is shown is rounded.
        let past = 0.02;
        self.part(|shown| match shown {
            None => self.high.is_none(),
            Some(shown) => {
                self.low.is_some_and(|low| low <= shown * (1.0 + past))
                    && self.high.is_none_or(|high| shown <= high * (1.0 + past))
            }
        })
    }
}

/// A group by its keys, with its true number of rows.
type Group = (Vec<String>, u64);

/// The half-width that a quote expects, and the ends of its range.
type Quoted = [Option<f64>; 3];

/// Cases by kind of output and by what is known.
type Cases = BTreeMap<(&'static str, Phase), Vec<Case>>;

fn lab(table: &Table, policy: &str, noise: Arc<dyn NoiseSource>) -> Lab {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("source.csv"), &table.csv).expect("a source");
    Lab::over(dir, policy, noise, "90")
}

fn post(lab: &Lab, path: &str, body: &Value) -> Value {
    block_on(call(&lab.router, Method::POST, path, Some(&lab.researcher), &[], body.to_string())).json()
}

/// The table's policy with statements about its columns.
fn stated(table: &Table) -> String {
    table.stated.iter().fold(table.policy.clone(), |policy, (column, typical)| {
        let name = format!("name = \"{column}\"\n");
        assert!(policy.contains(&name), "{column}");
        policy.replace(&name, &format!("{name}typical = {typical}\n"))
    })
}

/// The half-width of the last output by the group's keys; `None` if there is no estimate.
fn half_widths(answer: &Answer, keys: usize) -> BTreeMap<Vec<String>, Option<f64>> {
    let text = |row: &[tacit::query::answer::Cell], at: usize| row[at].text();
    let row = |row: &Vec<tacit::query::answer::Cell>| {
        let group = (0..keys).map(|key| text(row, key).unwrap_or_default()).collect();
        let number = |at: usize| text(row, at)?.parse::<f64>().ok();
        let width = || {
            number(keys)?;
            Some((number(keys + 2)? - number(keys + 1)?) / 2.0)
        };
        (group, width())
    };
    answer.rows.iter().map(row).collect()
}

/// The groups of a key with at least 200 rows, evenly over their sizes, and their true numbers of rows.
fn sizes(exact: &Lab, table: &Table, key: &str) -> Vec<Group> {
    let sql = format!("SELECT {key}, COUNT(*) AS n FROM {} GROUP BY {key}", table.name);
    let answer = post(exact, "/v1/queries", &json!({"sql": sql, "epsilon": "1"}));
    let rows = answer["rows"].as_array().unwrap_or_else(|| panic!("{answer}")).iter();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let group = |row: &Value| (key.split(", ").map(|key| text(&row[key])).collect(), row["n"].as_u64().unwrap_or(0));
    let mut all: Vec<Group> = rows.map(group).filter(|(_, rows)| *rows >= 200).collect();
    all.sort_by_key(|(_, rows)| *rows);
    let step = all.len().div_ceil(GROUPS_MAX);
    all.into_iter().step_by(step).collect()
}

/// What a quote expects of the output `x` in a group of so many rows: its half-width, and the ends of its range.
fn expected(lab: &Lab, sql: &str, rows: u64) -> Quoted {
    let quote = post(lab, "/v1/quotes", &json!({"sql": sql, "epsilon": EPSILON, "group_size": rows}));
    let columns = quote["columns"].as_array().unwrap_or_else(|| panic!("{quote}"));
    let x = columns.iter().find(|column| column["name"] == "x").expect("a column");
    let number = |field: &str| x[field].as_str().map(|text| text.parse().expect("a number"));
    let [margin, low, high] = ["margin", "margin_low", "margin_high"].map(number);
    // Half-widths of counts and sums depend on nothing.
    if x["assumed_from"].is_null() { [margin; 3] } else { [margin, low, high] }
}

/// The half-widths that answers to this question show in each group, over many draws.
fn shown((asked, exact): (&Lab, &Lab), table: &Table, sql: &str, key: &str) -> BTreeMap<Vec<String>, Vec<Option<f64>>> {
    let keys = key.split(", ").count();
    let vectors = |lab: &Lab, epsilon: &str| {
        let answer = post(lab, "/v1/queries", &json!({"sql": sql, "epsilon": epsilon}));
        lab.vectors(&answer["release"])
    };
    let (noisy, exact) = (vectors(asked, EPSILON), vectors(exact, "0.001"));
    let terms = &asked.service.dataset(table.name).expect("a dataset").terms;
    let plan = parse(sql).and_then(|query| plan(&query, terms, None)).expect("a plan");
    let noise = Seeded::new(29);
    let mut all: BTreeMap<Vec<String>, Vec<Option<f64>>> = BTreeMap::new();
    for _ in 0..DRAWS {
        let drawn = redrawn(&exact, noisy.iter().map(|one| (one.law, one.price)), &noise);
        for (group, width) in half_widths(&tabulate(&plan.layout, &drawn), keys) {
            all.entry(group).or_default().push(width);
        }
    }
    all
}

/// All cases of a table.
fn cases(table: &Table, found: &mut Cases) {
    let exact = lab(table, &table.policy, Arc::new(NoNoise));
    let fresh = lab(table, &table.policy, Arc::new(NoNoise));
    let told = lab(table, &stated(table), Arc::new(NoNoise));
    let asked = lab(table, &table.policy, Arc::new(Seeded::new(17)));
    let sizes: Vec<_> = table.keys.iter().map(|key| sizes(&exact, table, key)).collect();
    let sql = |key: &str, output: &str| format!("SELECT {key}, {output} AS x FROM {} GROUP BY {key}", table.name);
    // Nothing has been paid for before a first question: quotes come from labs that are never asked, and what is shown from a lab for each
    // output, so that none is more exact for what was paid for another one.
    for (kind, output) in &table.outputs {
        let own = lab(table, &table.policy, Arc::new(Seeded::new(19)));
        for (key, sizes) in table.keys.iter().zip(&sizes) {
            let sql = sql(key, output);
            let quotes = [(Phase::First, quotes(&fresh, &sql, sizes)), (Phase::Stated, quotes(&told, &sql, sizes))];
            add(found, kind, quotes.into(), shown((&own, &exact), table, &sql, key), sizes);
        }
    }
    // The questions about the first key are paid for, so that what they tell is known to those after them.
    for (place, (key, sizes)) in table.keys.iter().zip(&sizes).enumerate() {
        for (kind, output) in &table.outputs {
            let sql = sql(key, output);
            let quotes = (place > 0).then(|| (Phase::Answers, quotes(&asked, &sql, sizes)));
            add(found, kind, quotes.into_iter().collect(), shown((&asked, &exact), table, &sql, key), sizes);
        }
    }
}

/// What quotes say of groups of these sizes.
fn quotes(lab: &Lab, sql: &str, sizes: &[Group]) -> Vec<Quoted> {
    sizes.iter().map(|(_, rows)| expected(lab, sql, *rows)).collect()
}

fn add(
    found: &mut Cases,
    kind: &'static str,
    quotes: Vec<(Phase, Vec<Quoted>)>,
    shown: BTreeMap<Vec<String>, Vec<Option<f64>>>,
    sizes: &[Group],
) {
    for (phase, quoted) in quotes {
        let cases = sizes.iter().zip(quoted).map(|((group, _), [expected, low, high])| {
            let shown = shown.get(group).unwrap_or_else(|| panic!("{group:?}")).clone();
            Case { expected, low, high, shown }
        });
        found.entry((kind, phase)).or_default().extend(cases);
    }
}

fn average<'a>(cases: impl Iterator<Item = &'a Case>, of: impl Fn(&Case) -> f64) -> f64 {
    let all: Vec<f64> = cases.map(of).collect();
    all.iter().sum::<f64>() / all.len() as f64
}

/// The part of answers that quotes have to be right about where that can be foreseen; `None` where quotes say that they guess.
fn least(kind: &str, phase: Phase) -> Option<f64> {
    match (kind, phase) {
        ("count" | "sum" | "mean" | "share", _) | ("correlation", Phase::Stated | Phase::Answers) => Some(ASKED),
        // Some groups are spread unlike all rows, which nothing that is public or paid for tells.
        (_, Phase::Stated | Phase::Answers) => Some(0.85),
        (_, Phase::First) => None,
    }
}

#[test]
fn expected_errors_are_near_those_shown() {
    let mut found = Cases::new();
    for table in [clinic(), randhie()] {
        cases(&table, &mut found);
    }
    let foreseeable = |cases: &[Case]| cases.iter().filter(|case| case.best() >= ASKED).count();
    let mut wrong = Vec::new();
    for ((kind, phase), cases) in &found {
        let clear = || cases.iter().filter(|case| case.best() >= ASKED);
        let (right, best) = (average(cases.iter(), |case| case.right(1.0)), average(cases.iter(), Case::best));
        let (right_clear, held) = (average(clear(), |case| case.right(1.0)), average(cases.iter(), Case::held));
        println!(
            "{kind:25} {phase:?}: right {:.1} %, best {:.1} %; foreseeable {} of {}, right there {:.1} %; range holds {:.1} %",
            100.0 * right,
            100.0 * best,
            foreseeable(cases),
            cases.len(),
            100.0 * right_clear,
            100.0 * held
        );
        if *kind == "median of repeated values" {
            continue;
        }
        if held < ASKED {
            wrong.push(format!("{kind} {phase:?}: the range holds {held}"));
        }
        let Some(least) = least(kind, *phase) else { continue };
        if right_clear < least {
            wrong.push(format!("{kind} {phase:?}: right in {right_clear} where it can be foreseen"));
        }
        // Nearly all medians whose width can be foreseen have none, so that no factor makes it wrong.
        if *kind == "median" {
            continue;
        }
        // A wrong formula fails, except about what has no error at all.
        let has_error = |case: &&Case| case.expected.is_some_and(|width| width > 0.0);
        for factor in [0.7, 1.45] {
            if average(clear().filter(has_error), |case| case.right(factor)) >= least {
                wrong.push(format!("{kind} {phase:?}: {factor} passes, too"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
