//! Twins over several tables: neighbours differ by one unit in every table of the dataset, and are asked for joins, windows, cohorts, and
//! what public tables add.

mod clinics;
mod questions;

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::json;
use tacit::query::terms::policy::Policy;

use super::{FORMATS, QUESTIONS, Request, Scene, check_all, request, told_apart, wanted};
use clinics::{Clinic, POLICY};
use questions::{answered, refused};

/// Of so many random questions about one table, one is asked here: there are fewer kinds of them, and each costs more.
const SHARE: usize = 20;

fn scenes() -> Vec<Scene<'static>> {
    let of = |(name, base, unit): (&'static str, Clinic, Clinic)| {
        let write = Box::new(move |dir: &std::path::Path, has_unit| base.write(&unit, has_unit, dir));
        Scene { name, dataset: "clinic", policy: POLICY, write }
    };
    clinics::pairs().into_iter().map(of).collect()
}

/// The fixed questions and random ones. A plain run asks half of the fixed ones in one role and the other half in the other.
fn requests(seed: u64) -> Vec<Request> {
    let parts = if wanted() > QUESTIONS { 1 } else { 2 };
    let fixed = answered().chain(refused()).enumerate().filter(|(at, _)| (at + seed as usize).is_multiple_of(parts));
    let fixed = fixed.flat_map(|(at, sql)| {
        let body = json!({"sql": sql, "epsilon": "0.01"}).to_string();
        let quote = at.is_multiple_of(3).then(|| ("/v1/quotes", FORMATS[0], body.clone()));
        quote.into_iter().chain([("/v1/queries", FORMATS[at / 2 % FORMATS.len()], body)])
    });
    let mut rng = StdRng::seed_from_u64(seed);
    let random = (0..wanted().div_ceil(SHARE)).map(|_| {
        let sql = questions::random(&mut rng);
        request(&mut rng, &sql)
    });
    fixed.chain(random.collect::<Vec<_>>()).collect()
}

#[test]
fn nothing_of_several_tables_that_anyone_can_observe_differs_between_neighbours() {
    let (answered, refused) = (answered().count(), refused().count());
    assert!(answered >= 60 && refused >= 10, "{answered} and {refused} questions");
    let scenes = scenes();
    assert!(scenes.len() >= 15);
    check_all(&scenes, requests);
}

/// The questions are what they are meant to be: twins that are refused everything would show no difference either.
#[test]
fn questions_of_several_tables_are_answered_or_refused_as_they_are_listed() {
    let dir = tempfile::tempdir().expect("a folder");
    let (_, base, unit) = clinics::pairs().swap_remove(0);
    base.write(&unit, true, dir.path());
    let path = dir.path().join("policy.toml");
    std::fs::write(&path, POLICY).expect("a policy");
    let terms = Policy::load(&path).unwrap_or_else(|error| panic!("{error}")).terms;
    let planned = |sql: &str| {
        tacit::query::parse::parse(sql)
            .and_then(|query| tacit::query::plan::plan(&query.about("clinic"), &terms, None))
            .map_err(|error| format!("{error} ({:?})", error.hint))
    };
    let wrong: Vec<String> = answered()
        .filter_map(|sql| planned(sql).err().map(|error| format!("{sql}\n  {error}")))
        .chain(refused().filter(|sql| planned(sql).is_ok()).map(|sql| format!("{sql}\n  is answered")))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let mut rng = StdRng::seed_from_u64(super::SEED);
    let drawn: Vec<_> = (0..400).map(|_| questions::random(&mut rng)).map(|sql| (planned(&sql), sql)).collect();
    let refused: Vec<_> = drawn.iter().filter_map(|(plan, sql)| Some((plan.as_ref().err()?, sql))).collect();
    for (error, sql) in refused.iter().take(5) {
        println!("{sql}\n  {error}");
    }
    assert!(refused.len() < 100, "most random questions are answered: {} are refused", refused.len());
}

/// A control: without the replay, the same harness sees a difference.
#[test]
fn twins_of_several_tables_whose_noise_is_their_own_are_told_apart() {
    let sql =
        "SELECT COUNT(*) AS n FROM conditions c JOIN drugs d ON d.patient_id = c.patient_id AND d.given >= c.found";
    told_apart(&scenes()[0], sql);
}
