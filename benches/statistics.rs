//! Statistics: what plans cost, how long scans take beside plain polars, and how far answers err beside the straightforward way.

use std::hint::black_box;

use criterion::Criterion;
use dashu::integer::IBig;
use polars::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Normal};
use tacit::engine::seal::seal;
use tacit::engine::{Engine, Host, PolarsEngine};
use tacit::kernel::privacy::amounts::{Epsilon, Price};
use tacit::kernel::privacy::certificate::{Accuracy, NORMAL_975, Subject, certify, prices};
use tacit::kernel::privacy::mechanism::{Mechanism, NoiseLaw};
use tacit::kernel::privacy::prefix_sums::PrefixSums;
use tacit::kernel::vault::release::NoisyVector;
use tacit::query::answer::grouping_sets::{GroupingSets, MeasuredTable, MeasuredTables, variance};
use tacit::query::answer::quantile::{HistogramTree, Levels};
use tacit::query::parse::parse;
use tacit::query::plan::plan;

use super::{ROWS, policy, record, source};

/// Parse, plan, price and certify a question of twenty outputs.
pub fn plans(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a folder");
    let policy = policy(dir.path());
    let one = |at: usize| match at % 4 {
        0 => format!("SUM(cost - {at}) AS o{at}"),
        1 => format!("AVG(cost) FILTER (WHERE cost > {at}) AS o{at}"),
        2 => format!("COUNT(*) FILTER (WHERE emergency AND cost < {at}000) AS o{at}"),
        _ => format!("AVG(LEAST(cost, {at}00)) AS o{at}"),
    };
    let outputs: Vec<_> = (0..20).map(one).collect();
    let sql = format!("SELECT diagnosis, {} FROM visits GROUP BY diagnosis", outputs.join(", "));
    let accuracy = Accuracy::Epsilon(Epsilon::parse("1").expect("ε"));
    let accountant = policy.terms.accountant;
    criterion.bench_function("parse a question of twenty outputs", |bench| bench.iter(|| parse(&sql).expect("SQL")));
    let query = parse(&sql).expect("SQL");
    criterion.bench_function("plan and certify twenty outputs (at most 200 µs)", |bench| {
        bench.iter(|| {
            let plan = plan(&query, &policy.terms, None).expect("a plan");
            let subject = Subject { dataset: String::new(), edition: String::new() };
            let prices = prices(accountant, &plan.sought, &accuracy);
            certify(accountant, subject, &plan.sought, &prices).expect("a certificate")
        });
    });
}

/// Putting all pairs of ten keys together again: 45 tables of 16 cells, of each of which all others tell.
pub fn tables(criterion: &mut Criterion) {
    let pairs: Vec<Vec<usize>> = (0..10).flat_map(|one| (one + 1..10).map(move |other| vec![one, other])).collect();
    let law = NoiseLaw { mechanism: Mechanism::DiscreteGaussian, fine_bits: 0, scale: 5.0 };
    let cells = || (0..16_u8).map(IBig::from).collect();
    let vectors: Vec<NoisyVector> =
        pairs.iter().map(|_| NoisyVector { law, price: Price::from_quanta(1), cells: cells() }).collect();
    let tables = pairs.iter().enumerate().map(|(vector, keys)| MeasuredTable { keys: keys.clone(), vector }).collect();
    let sets = GroupingSets {
        shown: pairs.clone(),
        measured: vec![MeasuredTables { adds_up: true, tables, sources: Vec::new() }],
    };
    criterion.bench_function("all pairs of ten keys put together, 129,600 steps", |bench| {
        bench.iter(|| (0..pairs.len()).map(|at| sets.vectors(at, &vectors, &[4; 10]).len()).sum::<usize>());
    });
}

/// 2,000 skewed values on a grid of 4,096, and their quantile as a share of the range.
fn skewed(rng: &mut StdRng, q: f64) -> (Vec<f64>, f64) {
    let (rows, values) = (2_000, 4_096.0);
    let skewed: Vec<f64> =
        (0..rows).map(|_| (rng.random_range(0.0_f64..1.0).powi(3) * values).min(values - 1.0)).collect();
    let mut sorted = skewed.clone();
    sorted.sort_by(f64::total_cmp);
    let truth = sorted[((rows - 1) as f64 * q) as usize] / values;
    (skewed, truth)
}

/// The mean distance of the exponential mechanism's quantile from its place, in shares of the range, at the ε of Laplace noise of one
/// standard deviation for a count: P\[v\] ∝ e^(−ε·|rank of v − qn|/2Δ), Δ = max(q, 1 − q) (A. Smith, STOC 2011). It is computed, not sampled.
fn exponential_error(q: f64, sigma: f64) -> f64 {
    let (skewed, truth) = skewed(&mut StdRng::seed_from_u64(11), q);
    let epsilon = std::f64::consts::SQRT_2 / sigma;
    let mut counts = vec![0.0; 4_096];
    skewed.iter().for_each(|value| counts[*value as usize] += 1.0);
    let (mut rank, mut weights) = (0.0, Vec::with_capacity(counts.len()));
    for count in counts {
        let away = f64::abs(rank + 0.5 * count - q * skewed.len() as f64);
        rank += count;
        weights.push((-epsilon * away / (2.0 * q.max(1.0 - q))).exp());
    }
    let all: f64 = weights.iter().sum();
    let far = |(place, weight): (usize, &f64)| weight / all * ((place as f64 + 0.5) / 4_096.0 - truth).abs();
    weights.iter().enumerate().map(far).sum()
}

/// The mean distance of a quantile from its place, in shares of the range, over rounds of noise of one standard deviation at a flat
/// histogram's price.
fn quantile_error(tree: &HistogramTree, q: f64, sigma: f64, precision_adds: bool) -> f64 {
    let mut rng = StdRng::seed_from_u64(11);
    let noise = Normal::new(0.0, 1.0).expect("a law");
    let values = 4_096.0;
    let (skewed, truth) = skewed(&mut rng, q);
    // With d levels each has a d-th of the price.
    let split = f64::from(tree.depth).powf(if precision_adds { 0.5 } else { 1.0 });
    let law = NoiseLaw { mechanism: Mechanism::DiscreteGaussian, fine_bits: 0, scale: sigma * split };
    const ROUNDS: usize = 300;
    let mut error = 0.0;
    for _ in 0..ROUNDS {
        let level = |level: u32| {
            let width = tree.width_at(level) as f64;
            let mut bins = vec![0.0; tree.bins(level) as usize];
            skewed.iter().for_each(|value| bins[(value / width) as usize] += 1.0);
            bins.iter_mut().for_each(|bin| *bin += law.scale * noise.sample(&mut rng));
            bins
        };
        let counts = (1..=tree.depth).map(level).collect();
        let levels = Levels { counts, laws: vec![law; tree.depth as usize], tree };
        let found =
            levels.distribution().quantile(q, NORMAL_975).map_or(0.5, |found| found.at * tree.width as f64 / values);
        error += (found - truth).abs();
    }
    error / ROUNDS as f64
}

/// A year of daily counts, summed over ranges of days: the mean square error over rounds of noise at equal price, beside sums of noisy counts.
fn year_of_days() {
    const DAYS: usize = 365;
    const ROUNDS: usize = 2_000;
    let roots = PrefixSums::of(DAYS);
    let scale = (roots.l2_squared() as f64).sqrt();
    let noise = Normal::new(0.0, 1.0).expect("a law");
    let mut rng = StdRng::seed_from_u64(12);
    let ranges: Vec<(usize, usize)> = (0..DAYS).flat_map(|from| (from..DAYS).map(move |to| (from, to))).collect();
    let (mut flat, mut ours) = (vec![0.0; ranges.len()], vec![0.0; ranges.len()]);
    // Of no visits at all, so that every sum is an error.
    for _ in 0..ROUNDS {
        let mut draw = |scale: f64| (0..DAYS).map(|_| scale * noise.sample(&mut rng)).collect::<Vec<f64>>();
        let (counts, measured) = (draw(1.0), draw(scale));
        let rooted = |at: usize| (0..=at).map(|back| roots.weights(false).0[back] * measured[at - back]).sum::<f64>();
        let mut sum = 0.0;
        let sums: Vec<f64> = counts.iter().map(|count| (sum += count, sum).1).collect();
        let rooted: Vec<f64> = (0..DAYS).map(rooted).collect();
        for (at, (from, to)) in ranges.iter().enumerate() {
            let over = |sums: &[f64]| sums[*to] - if *from > 0 { sums[from - 1] } else { 0.0 };
            flat[at] += over(&sums).powi(2) / ROUNDS as f64;
            ours[at] += over(&rooted).powi(2) / ROUNDS as f64;
        }
    }
    let worst = |errors: &[f64]| errors.iter().copied().fold(0.0, f64::max);
    let mean = |errors: &[f64]| errors.iter().sum::<f64>() / errors.len() as f64;
    let up_to = |errors: &[f64]| {
        ranges.iter().zip(errors).filter(|((from, _), _)| *from == 0).map(|(_, error)| error).sum::<f64>() / DAYS as f64
    };
    record::say(
        "year",
        &format!(
            "{:.3} in the worst range, {:.3} from the first day on; {:.3} on the average of all ranges, where no mechanism is below 0.075",
            worst(&ours) / worst(&flat),
            up_to(&ours) / up_to(&flat),
            mean(&ours) / mean(&flat)
        ),
    );
}

/// Errors at equal price, which are no times of criterion's.
pub fn errors(_: &mut Criterion) {
    year_of_days();
    quantiles();
    pairs();
}

/// "least to most" of some numbers.
fn span(of: &[f64]) -> String {
    let (least, most) = of.iter().fold((f64::MAX, f64::MIN), |(least, most), one| (least.min(*one), most.max(*one)));
    format!("{least:.2} to {most:.2}")
}

/// Quantiles of 2,000 skewed values on a grid of 4,096, beside a flat histogram of the grid, and beside the exponential mechanism, which
/// answers one quantile alone and gives no interval.
fn quantiles() {
    let flat = HistogramTree { branches: 4_096, depth: 1, width: 1 };
    let mut said = Vec::new();
    for (name, adds) in [("gaussian", true), ("pure", false)] {
        let tree = HistogramTree::over(4_096, 1, adds);
        let (mut beside_flat, mut exponential) = (Vec::new(), Vec::new());
        for (sigma, q) in [(3.0, 0.5), (3.0, 0.9), (10.0, 0.5), (10.0, 0.9)] {
            let (straight, ours) = (quantile_error(&flat, q, sigma, adds), quantile_error(&tree, q, sigma, adds));
            println!(
                "  {name}, σ {sigma} of a flat cell, q {q}, as shares of the range: flat {straight:.5}, tree {ours:.5}"
            );
            beside_flat.push(ours / straight);
            exponential.push(exponential_error(q, sigma) / ours);
        }
        said.push(format!("{} `{name}` ({} branches, {} levels)", span(&beside_flat), tree.branches, tree.depth));
        if !adds {
            said.push(format!(
                "the exponential mechanism, for one percentile alone, {} of what that tree does",
                span(&exponential)
            ));
        }
    }
    record::say("quantiles", &said.join("; "));
}

/// All tables of two of fourteen attributes: the mean variance of a cell beside that of each table by itself.
fn pairs() {
    let mut said = Vec::new();
    for (name, sizes) in
        [("2 values each", vec![2; 14]), ("2 to 10 values", vec![2, 2, 2, 2, 3, 3, 3, 4, 4, 5, 5, 6, 8, 10])]
    {
        let pairs: Vec<Vec<usize>> = (0..14).flat_map(|one| (one + 1..14).map(move |other| vec![one, other])).collect();
        let price = pairs.len() as f64;
        let measured: Vec<_> = pairs.iter().map(|pair| (pair.clone(), price)).collect();
        let sum: f64 = pairs.iter().map(|pair| variance(&measured, &sizes, pair)).sum();
        said.push(format!("{:.2} ({name})", sum / price / price));
    }
    record::say("pairs", &said.join(", "));
}

/// Scans of ten million rows beside plain polars on the unsealed table.
pub fn scans(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a folder");
    let mut unsealed = source(ROWS);
    let file = std::fs::File::create(dir.path().join("visits.parquet")).expect("a file");
    ParquetWriter::new(file).finish(&mut unsealed).expect("Parquet");
    let policy = policy(dir.path());
    let (manifest, _) = seal(&policy, &dir.path().join("state"), &|_| {}).expect("sealed");
    let mut engine = PolarsEngine::new();
    engine.load(&dir.path().join("state"), &manifest).expect("loaded");
    let plain = |frame: LazyFrame| frame.collect_with_engine(polars::prelude::Engine::Streaming).expect("an answer");
    let mut group = criterion.benchmark_group("ten million rows");
    group.sample_size(10);
    let ours = |group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>, name: &str, sql: &str| {
        let plan = plan(&parse(sql).expect("SQL"), &policy.terms, None).expect("a plan");
        group.bench_function(name, |bench| {
            bench.iter(|| engine.evaluate(&manifest.edition, &plan.computation).expect("an answer"));
        });
    };
    let by_two = || {
        unsealed
            .clone()
            .lazy()
            .group_by([col("diagnosis"), col("emergency")])
            .agg([len().alias("n"), col("cost").sum()])
    };
    group.bench_function("plain polars: one group-by of two keys", |bench| bench.iter(|| black_box(plain(by_two()))));
    let sql =
        "SELECT diagnosis, emergency, COUNT(*) AS n, SUM(cost) AS s FROM visits GROUP BY ROLLUP (diagnosis, emergency)";
    ours(&mut group, "ROLLUP of two keys (at most 2 of it)", sql);
    let quantile = || unsealed.clone().lazy().select([col("cost").quantile(lit(0.5), QuantileMethod::Linear)]);
    group.bench_function("plain polars: one exact quantile", |bench| bench.iter(|| black_box(plain(quantile()))));
    let sql = "SELECT PERCENTILE_CONT(ARRAY[0.25, 0.5, 0.75, 0.9]) WITHIN GROUP (ORDER BY cost) AS p FROM visits";
    ours(&mut group, "four percentiles (at most 3 of it)", sql);
    let two_levels = || {
        let persons = unsealed
            .clone()
            .lazy()
            .group_by([col("patient_id")])
            .agg([col("cost").sum().alias("total"), len().alias("n")]);
        persons.select([col("total").mean(), col("n").mean()])
    };
    group.bench_function("plain polars: sums per patient, and their mean", |bench| {
        bench.iter(|| black_box(plain(two_levels())))
    });
    let sql = "SELECT AVG(total) AS t, AVG(n) AS n FROM \
               (SELECT patient_id, SUM(cost) AS total, COUNT(*) AS n FROM visits GROUP BY patient_id) AS p";
    ours(&mut group, "the same by a row for each unit (at most 0.3 of it)", sql);
}
