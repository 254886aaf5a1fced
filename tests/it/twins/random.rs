//! Random questions that twins are asked: those with many cells, whose noise takes long to draw and shows nothing more, are rare.

use rand::RngExt;
use rand::rngs::StdRng;
use tacit::kernel::privacy::certificate::MeasurementSpec;
use tacit::query::parse::parse;
use tacit::query::plan::plan;
use tacit::query::terms::policy::Terms;

use crate::grammar;

/// Number of noisy cells up to which each question is asked.
const CELLS_MAX: usize = 200;
/// Share of the larger ones that are asked all the same.
const LARGE_SHARE: f64 = 0.004;

/// A random question; refused ones are among them.
pub fn affordable(rng: &mut StdRng, dataset: &str, terms: &Terms) -> String {
    loop {
        let sql = grammar::question(rng, dataset, terms);
        if cells(&sql, terms) <= CELLS_MAX || rng.random_bool(LARGE_SHARE) {
            return sql;
        }
    }
}

/// Number of noisy cells that a question asks for; 0 if it is refused.
pub fn cells(sql: &str, terms: &Terms) -> usize {
    let plan = parse(sql).and_then(|query| plan(&query, terms, None));
    let of = |one: &MeasurementSpec| usize::try_from(one.cells).unwrap_or(usize::MAX);
    plan.map_or(0, |plan| plan.sought.iter().map(of).sum())
}
