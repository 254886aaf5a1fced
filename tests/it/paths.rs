//! Noise paths: the joint law of everything that is released of a view, who pays how much for it, and that nobody pays more than they named.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use dashu::integer::IBig;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use tacit::kernel::budget::entry::AccountKind;
use tacit::kernel::budget::ledger::read;
use tacit::kernel::privacy::accountant::Accountant;
use tacit::kernel::privacy::amounts::{Delta, Epsilon};
use tacit::kernel::privacy::mechanism::NoiseLaw;
use tacit::kernel::vault::noise::{NoiseFault, NoiseSource, OpenDp};
use tacit::kernel::vault::private::Private;
use tacit::service::Service;
use tacit::service::asking::ask::{Ask, RequestedAccuracy};

use crate::sharing::two;
use crate::simulation::zeros;
use crate::support::{GAUSSIAN, Lab, PURE, block_on, call};

/// Exact noise for what is drawn from data; that of points which look at no data has its scale multiplied.
pub struct PointNoise(pub f64);

impl NoiseSource for PointNoise {
    fn draw(&self, law: &NoiseLaw, cells: usize) -> Result<Vec<IBig>, NoiseFault> {
        OpenDp.draw(&NoiseLaw { scale: (law.scale * self.0).round(), ..*law }, cells)
    }

    fn add(&self, law: &NoiseLaw, exact: Private<Vec<i64>>) -> Result<Vec<IBig>, NoiseFault> {
        OpenDp.add(law, exact)
    }
}

const PEOPLE: [&str; 3] = ["ada", "bob", "cyd"];

/// Who asks at which ε, in this order: a draw; a copy of it; a bridge between the two; a finer draw after copies; a bridge between the two
/// draws; a copy of the coarsest point; a bridge near a finer point.
const HISTORY: [(usize, &str); 7] =
    [(0, "0.4"), (1, "0.15"), (2, "0.25"), (0, "0.7"), (1, "0.5"), (2, "0.3"), (1, "0.69")];

/// Views of 5,328 cells each, which have a path each, for every cell.
const VIEWS: usize = 4;

fn accountant() -> Accountant {
    Accountant::Gaussian { delta: Delta::parse("1e-6").expect("δ") }
}

fn price(epsilon: &str) -> f64 {
    accountant().price(Epsilon::parse(epsilon).expect("ε")).quanta() as f64 / 1e15
}

/// The errors of each point of [`HISTORY`], over all cells of all views.
fn errors(noise: impl NoiseSource + 'static) -> Vec<Vec<f64>> {
    let service = zeros("20", &PEOPLE, &Arc::new(noise));
    let mut errors = vec![Vec::new(); HISTORY.len()];
    for view in 0..VIEWS {
        for (place, (who, epsilon)) in HISTORY.iter().enumerate() {
            let answer = asked(&service, PEOPLE[*who], view, epsilon);
            let vector = &answer.stored.vectors()[0];
            let fine = 2_f64.powi(vector.law.fine_bits.cast_signed());
            errors[place].extend(vector.cells.iter().map(|cell| cell.to_f64().value() / fine));
            let claimed = vector.law.std_error().powi(2) * price(epsilon);
            assert!((claimed - 1.0).abs() < 1e-6, "the error that is shown is that of the level: {claimed}");
        }
    }
    errors
}

/// Keys of cells, and of totals of four cells each.
const CELLS: &str = "region, diagnosis, smoker, age";
const TOTALS: &str = "diagnosis, smoker, age";

fn asked(service: &Arc<Service>, who: &str, view: usize, epsilon: &str) -> tacit::service::Answer {
    asked_by(service, who, (view, CELLS), epsilon)
}

fn asked_by(service: &Arc<Service>, who: &str, (view, keys): (usize, &str), epsilon: &str) -> tacit::service::Answer {
    let ask = Ask {
        sql: format!("SELECT COUNT(*) FROM visits WHERE cost >= {view} GROUP BY {keys}"),
        accuracy: Some(RequestedAccuracy::Epsilon(Epsilon::parse(epsilon).expect("ε"))),
        rows_per_unit: None,
        group_size: None,
        purpose: None,
    };
    block_on(Arc::clone(service).answer(who.to_owned(), ask, None)).unwrap_or_else(|error| panic!("{error}"))
}

/// Number of standard errors that an estimate may be away from what it should be.
const Z_MAX: f64 = 4.5;

/// Whether two points with these precisions have the covariance of one Brownian path, and the finer one says all that the coarser one does.
fn are_of_one_path(one: (&[f64], f64), other: (&[f64], f64)) -> Result<(), String> {
    let ((coarse, p), (fine, q)) = if one.1 <= other.1 { (one, other) } else { (other, one) };
    let n = coarse.len() as f64;
    let mean = |of: &dyn Fn(f64, f64) -> f64| coarse.iter().zip(fine).map(|(x, y)| of(*x, *y)).sum::<f64>() / n;
    let covariance = mean(&|x, y| x * y) * q;
    let error = ((q / p + 1.0) / n).sqrt();
    if (covariance - 1.0).abs() > Z_MAX * error {
        return Err(format!("covariance {covariance:.4} ± {error:.4} of what it should be, at {p} and {q}"));
    }
    // What the coarser point has beside the finer one is independent of the finer one's error.
    let (both, beside) = (mean(&|x, y| (x - y) * y), mean(&|x, y| (x - y).powi(2)));
    let correlation = if p < q { both / (beside / q).sqrt() } else { 0.0 };
    if correlation.abs() > Z_MAX / n.sqrt() {
        return Err(format!("correlation {correlation:.4}, at {p} and {q}"));
    }
    let wanted = 1.0 / p - 1.0 / q;
    if p < q && (beside / wanted - 1.0).abs() > Z_MAX * (2.0 / n).sqrt() {
        return Err(format!("the noise between {p} and {q} is {:.4} of what it should be", beside / wanted));
    }
    Ok(())
}

/// The first fault in the joint law of the points of [`HISTORY`].
fn fault(errors: &[Vec<f64>]) -> Result<(), String> {
    let points: Vec<_> = errors.iter().map(Vec::as_slice).zip(HISTORY.iter().map(|(_, ask)| price(ask))).collect();
    for (place, one) in points.iter().enumerate() {
        points[place..].iter().try_for_each(|other| are_of_one_path(*one, *other))?;
    }
    Ok(())
}

/// Any two points of a view have the covariance of one Brownian path, whatever the order in which they were made, and a coarser point adds
/// nothing to a finer one. The test has the power to say so: noise whose scale is 0.8 or 1.25 of what it should be fails, and so do points of
/// two paths.
#[test]
fn points_of_a_view_are_those_of_one_brownian_path() {
    let right = errors(PointNoise(1.0));
    assert_eq!(fault(&right), Ok(()));
    for factor in [0.8, 1.25] {
        let found = fault(&errors(PointNoise(factor))).expect_err("a wrong scale is found");
        println!("scale × {factor}: {found}");
    }
    // The same points, a draw and its copy, of two different paths.
    let (draw, copy) = (&right[0], &right[1]);
    let moved: Vec<f64> = copy.iter().cycle().skip(5_328).take(copy.len()).copied().collect();
    assert!(are_of_one_path((draw, price("0.4")), (&moved, price("0.15"))).is_err());
    assert_eq!(are_of_one_path((draw, price("0.4")), (copy, price("0.15"))), Ok(()));
}

/// Totals that are made of cells, of totals, and of both, are as exact as they say, whoever asked for what before.
#[test]
fn what_is_made_of_several_views_is_as_exact_as_it_says() {
    let service = zeros("20", &PEOPLE, &Arc::new(OpenDp));
    let history = [
        (0, CELLS, "0.4"),
        // From ada's cells; then bob has cells of his own, whose noise is in his total.
        (1, TOTALS, "0.1"),
        (1, CELLS, "0.15"),
        (1, TOTALS, "0.12"),
        (1, TOTALS, "0.3"),
        (0, CELLS, "0.6"),
        (2, TOTALS, "0.2"),
        (2, CELLS, "0.5"),
        (2, TOTALS, "0.4"),
        (0, TOTALS, "0.5"),
        (1, CELLS, "0.7"),
        (1, TOTALS, "0.6"),
    ];
    let mut squares = vec![(0.0, 0.0); history.len()];
    for view in 0..VIEWS {
        for ((who, keys, epsilon), (sum, count)) in history.iter().zip(&mut squares) {
            let answer = asked_by(&service, PEOPLE[*who], (view, keys), epsilon);
            let vector = &answer.stored.vectors()[0];
            let scale = vector.law.std_error() * 2_f64.powi(vector.law.fine_bits.cast_signed());
            let of_cell = |cell: &IBig| (cell.to_f64().value() / scale).powi(2);
            *sum += vector.cells.iter().map(of_cell).sum::<f64>();
            *count += vector.cells.len() as f64;
        }
    }
    for ((who, keys, epsilon), (sum, count)) in history.iter().zip(&squares) {
        let (ratio, error) = (sum / count, (2.0 / count).sqrt());
        assert!((ratio - 1.0).abs() < Z_MAX * error, "{}, {keys} at {epsilon}: {ratio} ± {error}", PEOPLE[*who]);
    }
}

/// Each pays for the best that they asked for, the dataset for the best that anybody did; a point is made once, and comes again as it was.
#[test]
fn each_pays_for_the_best_point_they_asked_for() {
    let service = zeros("20", &PEOPLE, &Arc::new(OpenDp));
    let spent = |kind, name: &str| {
        read(service.ledger(), |book| book.find("visits", kind, name).expect("an account").spent.quanta())
    };
    let of = |epsilon: &str| accountant().price(Epsilon::parse(epsilon).expect("ε")).quanta();
    let mut best = [0; 3];
    let mut drawn = 0;
    let mut vectors: Vec<(usize, &str, Vec<IBig>)> = Vec::new();
    for (who, epsilon) in HISTORY {
        let answer = asked(&service, PEOPLE[who], 0, epsilon);
        let (level, legs) = (of(epsilon), answer.standing.legs);
        assert_eq!(legs.researcher.quanta(), level.saturating_sub(best[who]), "{who} at {epsilon}");
        assert_eq!(legs.dataset.quanta(), level.saturating_sub(drawn));
        (best[who], drawn) = (best[who].max(level), drawn.max(level));
        vectors.push((who, epsilon, answer.stored.vectors()[0].cells.clone()));
    }
    for (who, person) in PEOPLE.iter().enumerate() {
        assert_eq!(spent(AccountKind::Researcher, person), best[who]);
    }
    assert_eq!(spent(AccountKind::Dataset, "visits"), drawn);
    for (who, epsilon, vector) in &vectors {
        let again = asked(&service, PEOPLE[*who], 0, epsilon);
        assert!(again.stored.vectors()[0].cells == *vector, "{who} at {epsilon} gets what they got");
        assert_eq!(again.standing.legs, Default::default());
        // Whoever asks at the same level gets the same point, for no more than its level.
        for person in PEOPLE {
            let theirs = asked(&service, person, 0, epsilon);
            let is_same = theirs.stored.vectors()[0].cells == *vector;
            assert!(is_same || theirs.standing.legs == Default::default(), "{person} at {epsilon}");
        }
    }
    assert_eq!(spent(AccountKind::Dataset, "visits"), drawn);
}

const QUESTIONS: [&str; 14] = [
    "SELECT COUNT(*) AS n FROM visits",
    "SELECT region, COUNT(*) AS n FROM visits GROUP BY region",
    "SELECT region, diagnosis, COUNT(*) AS n FROM visits GROUP BY region, diagnosis",
    "SELECT COUNT(*) AS n FROM visits WHERE diagnosis = 'flu'",
    "SELECT COUNT(*) AS n FROM visits WHERE region = 'north'",
    "SELECT region, SUM(cost) AS s FROM visits GROUP BY region",
    "SELECT SUM(cost) AS s, COUNT(*) AS n FROM visits",
    "SELECT region, AVG(cost) AS m FROM visits GROUP BY region",
    "SELECT AVG(cost) AS m, COUNT(DISTINCT patient_id) AS u FROM visits",
    "SELECT COUNT(DISTINCT patient_id) AS u FROM visits WHERE region <> 'west'",
    "SELECT region, COUNT(DISTINCT patient_id) AS u FROM visits GROUP BY region",
    "SELECT region, diagnosis, COUNT(*) AS n FROM visits GROUP BY ROLLUP (region, diagnosis)",
    "SELECT diagnosis, COUNT(*) AS n, SUM(cost) AS s FROM visits GROUP BY CUBE (diagnosis)",
    "SELECT smoker, COUNT(*) AS n FROM visits WHERE age >= 50 GROUP BY smoker",
];

/// Asks over HTTP, at random; whatever was asked before and by whom, nobody is charged more than the ε that they typed.
fn nobody_pays_more_than_they_typed(cap: &str, accountant: Accountant, seed: u64) {
    let (lab, bob) = two(cap, if cap == PURE { "50" } else { "4" });
    let mut rng = StdRng::seed_from_u64(seed);
    let spent = |lab: &Lab, kind, name: &str| {
        read(lab.service.ledger(), |book| book.find("visits", kind, name).expect("an account").spent.quanta())
    };
    block_on(async {
        let mut answered = 0;
        for _ in 0..60 {
            let (who, token) = [("ada", &lab.researcher), ("bob", &bob)][rng.random_range(0..2)];
            let sql = QUESTIONS[rng.random_range(0..QUESTIONS.len())];
            let epsilon = ["0.01", "0.05", "0.1", "0.2", "0.4"][rng.random_range(0..5)];
            let typed = accountant.price(Epsilon::parse(epsilon).expect("ε")).quanta();
            let before = (spent(&lab, AccountKind::Researcher, who), spent(&lab, AccountKind::Dataset, "visits"));
            let body = json!({"sql": sql, "epsilon": epsilon}).to_string();
            let quote = call(&lab.router, Method::POST, "/v1/quotes", Some(token), &[], body.clone()).await.json();
            let reply = call(&lab.router, Method::POST, "/v1/queries", Some(token), &[], body).await;
            let paid = spent(&lab, AccountKind::Researcher, who) - before.0;
            let drawn = spent(&lab, AccountKind::Dataset, "visits") - before.1;
            assert!(paid <= typed && drawn <= typed, "{who} typed {epsilon} for {sql}: {paid} of {typed}, {drawn}");
            let shown = reply.json();
            if reply.status != StatusCode::OK {
                assert_eq!(reply.code(), "budget-exhausted", "{shown}");
                continue;
            }
            answered += 1;
            let epsilon_of = |value: &Value| value.as_str().expect("an ε").parse::<f64>().expect("a number");
            let charged = epsilon_of(&shown["price"]["epsilon"]);
            assert!(charged <= epsilon.parse::<f64>().expect("a number"), "{shown}");
            assert_eq!((&quote["legs"], &quote["account"]["after"]), (&shown["legs"], &shown["account"]), "{sql}");
        }
        assert!(answered > 20, "{answered}");
    });
    let state = lab.dir.path().join("state");
    let Lab { dir, service, router, .. } = lab;
    drop((service, router));
    let verified = tacit::ledger::verify(&state, None, &mut tacit::ledger::replan::Replanner::default());
    verified.expect("looked at").unwrap_or_else(|finding| panic!("seed {seed}: {finding}"));
    drop(dir);
}

#[test]
fn nobody_pays_more_than_they_typed_with_gaussian_noise() {
    let accountant = Accountant::Gaussian { delta: Delta::parse("1e-9").expect("δ") };
    (0..8).for_each(|seed| nobody_pays_more_than_they_typed(GAUSSIAN, accountant, seed));
}

#[test]
fn nobody_pays_more_than_they_typed_with_laplace_noise() {
    (0..4).for_each(|seed| nobody_pays_more_than_they_typed(PURE, Accountant::Pure, seed));
}

/// A total over cells that a colleague paid for is made from them: the dataset pays nothing, and the total is as exact as asked.
#[test]
fn a_total_of_a_colleague_s_cells_costs_the_dataset_nothing() {
    let (lab, bob) = two(GAUSSIAN, "4");
    block_on(async {
        let cells = "SELECT region, diagnosis, COUNT(*) AS n FROM visits GROUP BY region, diagnosis";
        assert_eq!(lab.sql(cells, "1").await.status, StatusCode::OK);
        let before = read(lab.service.ledger(), |book| book.dataset("visits").expect("one").cells);
        for (sql, epsilon) in [
            ("SELECT COUNT(*) AS n FROM visits", "0.1"),
            ("SELECT COUNT(*) AS n FROM visits", "0.2"),
            ("SELECT region, COUNT(*) AS n FROM visits GROUP BY region", "0.2"),
            ("SELECT region, diagnosis, COUNT(*) AS n FROM visits GROUP BY ROLLUP (region, diagnosis)", "0.2"),
            ("SELECT COUNT(*) AS n FROM visits WHERE diagnosis = 'flu'", "0.3"),
        ] {
            let body = json!({"sql": sql, "epsilon": epsilon}).to_string();
            let answer = call(&lab.router, Method::POST, "/v1/queries", Some(&bob), &[], body).await.json();
            assert_eq!(
                (&answer["legs"]["dataset"], &answer["replayed"]),
                (&json!("0"), &json!(true)),
                "{sql}: {answer}"
            );
        }
        let after = read(lab.service.ledger(), |book| book.dataset("visits").expect("one").cells);
        assert_eq!(before, after, "no cell was drawn from data");
    });
}
